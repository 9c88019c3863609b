"""Roles and permissions by the security administrator's pages; the three administrators stay apart."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role

from models.event import Event, EventValue
from models.role import refusal
from tests.app.visitor import Visitor, visitor, words_of
from tests.conftest import Installation
from tests.county import County


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """With the second county's people only on paper: roles belong to an installation, and this one is to have a single county."""
    sqlite_installation.fresh("county")
    return sqlite_installation


@pytest.fixture
def secadmin(county: County) -> Visitor:
    """The security administrator of the whole installation."""
    from models.person import Person

    with county.acting(None) as session:
        session.get_one(Person, county.people["secadmin"]).organisation = None
    return visitor(county, "secadmin")


def role_id(county: County, name: str) -> int:
    with county.acting(None) as session:
        return session.scalars(sa.select(Role.id).where(Role.name == name)).one()


def change(here: Visitor, role: int, permission: str, resource: str, give: str) -> str:
    answer = here.post(f"/role/{role}/permission", {"permission": permission, "resource": resource, "give": give})
    assert answer.status_code == 302
    return words_of(here.get(f"/role/show/{role}"))


def holds(county: County, name: str, permission: str, resource: str) -> bool:
    county.forget()
    return county.viewer(name).may(permission, resource)


def test_permissions_are_taken_and_given_with_an_event(county: County, secadmin: Visitor) -> None:
    dispatcher = role_id(county, "dispatcher")
    assert holds(county, "dispatcher", "can_accept", "Call")
    change(secadmin, dispatcher, "can_accept", "Call", "no")
    assert not holds(county, "dispatcher", "can_accept", "Call")
    change(secadmin, dispatcher, "can_accept", "Call", "yes")
    assert holds(county, "dispatcher", "can_accept", "Call")
    with county.acting(None) as session:
        told = session.execute(
            sa.select(Event.name, Event.actor_id, EventValue.value)
            .join(EventValue, EventValue.event_id == Event.id)
            .where(Event.record_type == "role", EventValue.name == "permission")
            .order_by(Event.id)
        ).all()
    assert [tuple(row) for row in told] == [
        ("permission_taken", county.people["secadmin"], "can_accept"),
        ("permission_given", county.people["secadmin"], "can_accept"),
    ]


@pytest.mark.parametrize("role", ["system_administrator", "security_administrator", "auditor"])
def test_an_administrators_role_receives_no_business_powers(county: County, secadmin: Visitor, role: str) -> None:
    key = role_id(county, role)
    for permission, resource in (("can_dispatch", "Call"), ("can_add", "Call"), ("can_edit", "Checklist")):
        change(secadmin, key, permission, resource, "yes")
        with county.acting(None) as session:
            from models.role import granted

            assert (permission, resource) not in granted(session, key)


def test_business_roles_receive_no_keeping_of_accounts_and_no_steps_of_others(
    county: County, secadmin: Visitor
) -> None:
    from models.role import granted

    township = role_id(county, "township_officer")
    for permission, resource in (
        ("can_assign_roles", "Person"),
        ("can_edit", "Setting"),
        ("can_list", "Event"),
        ("can_dispatch", "Call"),
        ("can_fly", "Call"),
    ):
        change(secadmin, township, permission, resource, "yes")
        with county.acting(None) as session:
            assert (permission, resource) not in granted(session, township)
    security = role_id(county, "security_administrator")
    change(secadmin, security, "can_assign_roles", "Person", "no")
    with county.acting(None) as session:
        assert ("can_assign_roles", "Person") in granted(session, security)


def test_a_role_of_the_countys_own(county: County, secadmin: Visitor) -> None:
    made = secadmin.post("/role/add", {"name": "档案员"})
    assert made.status_code == 302
    key = role_id(county, "档案员")
    assert secadmin.post("/role/add", {"name": "档案员"}).status_code == 422
    change(secadmin, key, "can_list", "Document", "yes")
    from models.person import Person

    county.do("secadmin", Person, county.people["duty"], "assign_roles", {"roles": ["duty_officer", "档案员"]})
    assert holds(county, "duty", "can_list", "Document")
    assert secadmin.post(f"/role/{key}/remove").status_code == 409
    county.do("secadmin", Person, county.people["duty"], "assign_roles", {"roles": ["duty_officer"]})
    assert secadmin.post(f"/role/{key}/remove").status_code == 302
    assert secadmin.post(f"/role/{role_id(county, 'dispatcher')}/remove").status_code == 409


def test_who_sees_and_who_changes(county: County) -> None:
    key = role_id(county, "dispatcher")
    for name, status in (("auditor", 200), ("secadmin", 200), ("sysadmin", 403), ("dispatcher", 403)):
        assert visitor(county, name).get(f"/role/show/{key}").status_code == status, name
    assert visitor(county, "auditor").post(f"/role/{key}/permission", {}).status_code == 403
    assert visitor(county, "secadmin").get("/role/show/999999").status_code == 404


def test_one_of_several_counties_does_not_change_roles_for_all(county: County) -> None:
    key = role_id(county, "dispatcher")
    change(visitor(county, "secadmin"), key, "can_accept", "Call", "no")
    assert holds(county, "dispatcher", "can_accept", "Call")


@pytest.mark.parametrize(
    ("role", "permission", "resource"),
    [
        ("security_administrator", "can_edit", "Person"),
        ("security_administrator", "can_add", "Organisation"),
        ("security_administrator", "can_edit", "Setting"),
        ("system_administrator", "can_edit", "Role"),
        ("system_administrator", "can_add", "Substitution"),
        ("auditor", "can_edit", "Person"),
        ("dispatcher", "can_list", "Event"),
        ("dispatcher", "can_edit", "NumberSeries"),
    ],
)
def test_accounts_and_roles_are_not_brought_into_one_hand(role: str, permission: str, resource: str) -> None:
    """1: separation of the three administrators."""
    assert refusal(role, permission, resource, frozenset()) is not None
    assert refusal(role, permission, resource, frozenset({role})) is None
