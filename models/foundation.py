"""From an empty installation to a working county: founding it, and what is still missing (README, “From empty to working”)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext
from sqlalchemy.orm import Session

from models import clock
from models.account import hand_out
from models.base import RECORD_TYPES
from models.calendar import CalendarYear, seed_calendar
from models.checklist import Checklist, ChecklistState
from models.field import Field, Text
from models.organisation import Organisation, OrganisationKind
from models.person import ZONE, Person
from models.refusal import Invalid
from models.setting import Setting, setting
from models.viewer import ADMINISTRATORS, Viewer

FIRST_ACCOUNTS = {"sysadmin": "system_administrator", "secadmin": "security_administrator", "auditor": "auditor"}
"""The three who keep a new installation, each with the one role that the others do not have."""


def first_accounts(session: Session) -> dict[str, str]:
    """Make the accounts of the three administrators where there is no account at all; gives their handed-out passwords.

    Raises LookupError where the roles are missing.
    """
    if session.scalar(sa.select(Person.id).limit(1)) is not None:
        return {}
    roles = {role.name: role for role in session.scalars(sa.select(Role))}
    passwords = {}
    for username, role in FIRST_ACCOUNTS.items():
        if role not in roles:
            raise LookupError(role)
        person = Person(
            username=username, last_name="", first_name=username, active=True, session_epoch=secrets.randbelow(2**16)
        )
        person.roles = [roles[role]]
        passwords[username] = hand_out(session, person)
        session.add(person)
    session.flush()
    return passwords


FOUNDING = (
    Field("province", _l("Province"), length=100, help=_l("Full name, e.g. 山东省.")),
    Field("city", _l("City"), length=100, help=_l("Full name of the city above the county.")),
    Field("county", _l("County"), length=100, help=_l("Full name of the county.")),
    Field("office", _l("County office"), length=100, help=_l("The office that accepts and dispatches calls.")),
    Field("office_short", _l("Short name of the office"), length=40),
    Field("office_phone", _l("Office telephone"), required=False, length=40, help=_l("Shown on every page.")),
)
"""What is asked to found a county."""


def found_county(session: Session, values: dict[str, Any], person: Viewer) -> Organisation:
    """Make a county with its city, its province and its first office, and the calendar of this year and the next; administrators without an
    organisation come to belong to the office. To be called as the system. Raises Invalid where the county is there already."""
    province = _known_or_new(session, values["province"], OrganisationKind.province, None)
    city = _known_or_new(session, values["city"], OrganisationKind.city, province)
    if session.scalar(_named(values["county"], OrganisationKind.county)) is not None:
        raise Invalid({"county": _l("This county is there already.")})
    county = _new(session, values["county"], values["county"], OrganisationKind.county, city, None)
    office = _new(session, values["office"], values["office_short"], OrganisationKind.office, county, county.id)
    office.phone = values.get("office_phone") or ""
    year = clock.now().astimezone(ZONE).year
    seed_calendar(session, county.id, (year, year + 1))
    if office.phone:
        session.add(Setting(county_id=county.id, name="office_phone", value=office.phone))
    unplaced = sa.select(Person).where(Person.organisation_id.is_(None), Person.active.is_(True))
    for account in session.scalars(unplaced).unique():
        if {role.name for role in account.roles} & ADMINISTRATORS:
            account.organisation = office
    session.flush()
    return county


def _named(name: str, kind: OrganisationKind) -> sa.Select[tuple[Organisation]]:
    return sa.select(Organisation).where(Organisation.name == name, Organisation.kind == kind).limit(1)


def _known_or_new(session: Session, name: str, kind: OrganisationKind, parent: Organisation | None) -> Organisation:
    return session.scalar(_named(name, kind)) or _new(session, name, name, kind, parent, None)


def _new(
    session: Session,
    name: str,
    short_name: str,
    kind: OrganisationKind,
    parent: Organisation | None,
    county_id: int | None,
) -> Organisation:
    made = Organisation(name=name, short_name=short_name[:40], kind=kind, parent=parent, county_id=county_id, order=0)
    session.add(made)
    session.flush()
    return made


# What is missing


@dataclass(frozen=True)
class SetUpStep:
    """A step on the way to a working county: what to do, where, how far it is, and whose it is."""

    name: str
    label: Text
    resource: str
    """The record type or page where it is done."""
    done: bool
    so_far: Text
    role: str = "system_administrator"


def set_up_steps(session: Session, county_id: int | None) -> list[SetUpStep]:
    """Every step with how far it is. To be asked as the system."""
    if county_id is None:
        return [SetUpStep("county", _l("Found the county with its first office"), "setup", False, _l("not yet"))]
    counts: dict[str, int] = {
        str(row[0].value): row[1]
        for row in session.execute(
            sa.select(Organisation.kind, sa.func.count())
            .where(Organisation.county_id == county_id, Organisation.active.is_(True))
            .group_by(Organisation.kind)
        )
    }
    return [
        SetUpStep(
            "county",
            _l("Found the county with its first office"),
            "organisation",
            bool(counts.get("office")),
            _l("done"),
        ),
        _bodies("departments", _l("Enter the county departments"), counts.get("department", 0)),
        _bodies("townships", _l("Enter the townships and sub-districts"), counts.get("township", 0)),
        *_people(session, county_id),
        _calendar(session, county_id),
        _phone(session, county_id),
        *_lists(session, county_id),
    ]


def _bodies(name: str, label: Text, count: int) -> SetUpStep:
    return SetUpStep(name, label, "organisation", count > 0, _l("%(count)d so far", count=count))


def _people(session: Session, county_id: int) -> list[SetUpStep]:
    own = sa.and_(Person.county_id == county_id, Person.active.is_(True))
    business = ~Person.roles.any(Role.name.in_(ADMINISTRATORS))
    people = session.scalar(sa.select(sa.func.count(Person.id)).where(own, business)) or 0
    without = session.scalar(sa.select(sa.func.count(Person.id)).where(own, ~Person.roles.any())) or 0
    return [
        SetUpStep(
            "people", _l("Make the accounts of the people"), "person", people > 0, _l("%(count)d so far", count=people)
        ),
        SetUpStep(
            "roles",
            _l("Give everybody a role"),
            "person",
            people > 0 and without == 0,
            lazy_ngettext("%(count)d person without a role", "%(count)d people without a role", without, count=without),
            "security_administrator",
        ),
    ]


def _calendar(session: Session, county_id: int) -> SetUpStep:
    year = clock.now().astimezone(ZONE).year
    known = sa.select(CalendarYear.confirmed).where(CalendarYear.county_id == county_id, CalendarYear.year == year)
    confirmed = session.scalar(known)
    words = _l("%(year)d confirmed", year=year) if confirmed else _l("%(year)d not confirmed", year=year)
    return SetUpStep(
        "calendar", _l("Check the working calendar and the office hours"), "calendar", bool(confirmed), words
    )


def _phone(session: Session, county_id: int) -> SetUpStep:
    phone = setting(session, county_id, "office_phone")
    return SetUpStep(
        "settings",
        _l("Check the settings: limits, office telephone"),
        "setting",
        bool(phone),
        phone or _l("no office telephone"),
    )


def _lists(session: Session, county_id: int) -> list[SetUpStep]:
    """The county's checklist, and the duty roster where there is one."""
    in_force = sa.select(sa.func.count(Checklist.id)).where(
        Checklist.owner_id == county_id, Checklist.state == ChecklistState.in_force
    )
    count = session.scalar(in_force) or 0
    steps = [
        SetUpStep(
            "checklist",
            _l("Put the responsibility checklist in force"),
            "checklist",
            count > 0,
            _l("done") if count else _l("not yet"),
            "checklist_manager",
        )
    ]
    if "duty_shift" in RECORD_TYPES:
        shifts: Any = RECORD_TYPES["duty_shift"]
        count = session.scalar(sa.select(sa.func.count(shifts.id)).where(shifts.county_id == county_id)) or 0
        steps.append(
            SetUpStep(
                "duty",
                _l("Enter the duty roster"),
                "duty_shift",
                count > 0,
                _l("%(count)d so far", count=count),
                "duty_officer",
            )
        )
    return steps
