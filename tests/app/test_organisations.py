"""Organisations kept by forms: tree, other names, renaming, merging, abolishing with hand-over; and a county in an empty installation."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from models import event, viewer
from models.call import Assignment, Call
from models.call_party import CallParty
from models.document import Document
from models.event import Event, EventValue
from models.organisation import Organisation, OrganisationAlias, OrganisationState, find_by_name
from models.person import Person
from models.refusal import Forbidden, Invalid
from tests.app.visitor import form_to, program, visitor, words_of
from tests.conftest import Installation
from tests.county import County


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


def organisation(county: County, name: str) -> Organisation:
    with county.acting(None) as session:
        found = session.get_one(Organisation, county[name])
        session.expunge(found)
        return found


def test_the_tree_stands_in_the_official_order(county: County) -> None:
    words = words_of(visitor(county, "township1").get("/organisation/tree/")).split("东海省", 1)[1]
    assert "东海省" not in words
    assert words.index("临川市") < words.index("平原县") < words.index("自然资源局")
    assert words.index("自然资源局") < words.index("住建局") < words.index("城关镇")
    assert "山阳" not in words
    county.do("sysadmin", Organisation, county["department4"], "abolish", {"successor": county["department3"]})
    assert "Abolished" in (words := words_of(visitor(county, "sysadmin").get("/organisation/tree/"))) or "撤销" in words


def test_an_organisation_is_added_below_the_county_and_not_above(county: County) -> None:
    here = visitor(county, "sysadmin")
    form = form_to(here.get("/organisation/add"), "/organisation/add")
    values = {name: found[-1] for name, found in form.values.items()}
    given = {
        **values,
        "name": "县林业局",
        "short_name": "林业局",
        "kind": "department",
        "order": "150",
        "run_by": "county",
    }
    assert here.post("/organisation/add", given).status_code == 302
    with county.acting(None) as session:
        made = find_by_name(session, county.id, "林业局")
        assert made is not None
        assert (made.county_id, made.parent_id) == (county.id, county.id)
    assert (
        here.post("/organisation/add", {**given, "name": "新县", "short_name": "新县", "kind": "county"}).status_code
        == 422
    )
    api = program(county, "sysadmin")
    foreign = api.call("PUT", f"organisation/{county['city_government']}", json={"phone": "1"})
    assert foreign.status_code == 403
    assert visitor(county, "secadmin").get("/organisation/add").status_code == 403


def test_a_renamed_organisation_is_still_found_by_its_old_names(county: County) -> None:
    names = {"name": "县水利局", "party_name": "", "short_name": "水利局"}
    county.do("sysadmin", Organisation, county["department4"], "rename", names)
    with county.acting(None) as session:
        for name in ("县水务局", "水务局", "县水利局", "水利局"):
            found = find_by_name(session, county.id, name)
            assert found is not None
            assert found.id == county["department4"], name
        until = session.scalars(sa.select(OrganisationAlias.borne_until)).all()
        assert None not in until
        assert len(until) == 2
    page = words_of(visitor(county, "township1").get(f"/organisation/show/{county['department4']}"))
    assert "县水务局" in page
    with pytest.raises(Invalid):
        county.do("sysadmin", Organisation, county["department4"], "rename", names)
    silently = program(county, "sysadmin").call("PUT", f"organisation/{county['department4']}", json={"name": "别的局"})
    assert silently.status_code == 422


def test_merging_hands_over_people_open_matters_and_names_but_not_what_is_finished(county: County) -> None:
    _closed, done = county.dispatched("department3")
    county.respond("department3", done)
    county.report("department3", done)
    county.evaluate(_closed, {done: "satisfied"})
    call, assignment = county.dispatched("department3")
    with pytest.raises(Forbidden):
        county.do("dispatcher", Organisation, county["department3"], "merge", {"successor": county["department4"]})
    county.do("sysadmin", Organisation, county["department3"], "merge", {"successor": county["department4"]})
    county.forget()
    gone = organisation(county, "department3")
    assert (gone.state, gone.active, gone.successor_id) == (OrganisationState.merged, False, county["department4"])
    with county.acting(None) as session:
        assert session.get_one(Assignment, assignment).department_id == county["department4"]
        assert session.get_one(Assignment, done).department_id == county["department3"]
        assert session.get_one(Person, county.people["department3"]).organisation_id == county["department4"]
        parties = set(session.scalars(sa.select(CallParty.organisation_id).where(CallParty.call_id == call)))
        assert parties == {county["township1"], county["department4"]}
        found = find_by_name(session, county.id, "县应急管理局")
        assert found is None or found.id in (county["department3"], county["department4"])
        kept = session.execute(
            sa.select(EventValue.name, EventValue.value)
            .join(Event, Event.id == EventValue.event_id)
            .where(Event.record_type == "assignment", Event.record_id == assignment, Event.kind == "update")
        ).all()
        assert [(row.name, row.value["old"]["name"], row.value["new"]["name"]) for row in kept] == [
            ("department", "应急局", "水务局")
        ]
        assert list(event.verify(session)) == []
        issued = session.scalars(sa.select(Document.context)).all()
        assert issued
    county.respond("department3", assignment)
    assert str(call) in visitor(county, "department4").get("/call/list/").text
    offered = visitor(county, "dispatcher").get("/call/options/dispatch.lead?q=应急").json
    assert offered == {"results": []}


def test_two_departments_in_one_call_cannot_be_merged_before_it_is_settled(county: County) -> None:
    county.dispatched("department1", "department2")
    with pytest.raises(Invalid) as refused:
        county.do("sysadmin", Organisation, county["department1"], "merge", {"successor": county["department2"]})
    assert "刘庄河道" in str(refused.value.errors["successor"][0])
    with pytest.raises(Invalid):
        county.do("sysadmin", Organisation, county["department1"], "merge", {"successor": county["township1"]})


def test_abolishing_is_refused_while_open_work_has_no_successor(county: County) -> None:
    call, _assignment = county.dispatched("department1")
    with pytest.raises(Invalid) as refused:
        county.do("sysadmin", Organisation, county["department1"], "abolish", {})
    assert "successor" in refused.value.errors
    assert organisation(county, "department1").active
    county.do("sysadmin", Organisation, county["department1"], "abolish", {"successor": county["department2"]})
    assert organisation(county, "department1").state == OrganisationState.abolished
    with county.acting(None) as session:
        assert session.get_one(Call, call).assignments[0].department_id == county["department2"]
    page = visitor(county, "sysadmin").get(f"/organisation/show/{county['department1']}")
    assert f"/organisation/{county['department1']}/merge" not in page.text


# From empty to working


def test_from_empty_to_a_working_county(sqlite_installation: Installation) -> None:
    """The README's steps: the three administrators, the county, a department, an account, a role."""
    sqlite_installation.fresh("installed")
    app = sqlite_installation.app
    told = app.test_cli_runner().invoke(args=["first-accounts"])
    passwords = dict(line.split() for line in told.output.splitlines() if line.startswith("  "))
    assert passwords.keys() == {"sysadmin", "secadmin", "auditor"}
    assert app.test_cli_runner().invoke(args=["first-accounts"]).output == ""
    empty = County(app)
    sysadmin, secadmin = visitor(empty), visitor(empty)
    for here, name in ((sysadmin, "sysadmin"), (secadmin, "secadmin")):
        here.sign_in(name, passwords[name])
        chosen = {"present": passwords[name], "wanted": "Neu-gewaehlt-1", "again": "Neu-gewaehlt-1"}
        assert here.post("/password/", chosen).status_code == 302
    assert "/setup/county" in sysadmin.get("/").text
    founded = {
        "province": "山东省",
        "city": "示范市", "county": "新立县", "office": "新立县人民政府办公室", "office_short": "县政府办", "office_phone": "0999-1",
    }  # fmt: skip
    assert sysadmin.post("/setup/county", {**founded, "county": ""}).status_code == 422
    assert sysadmin.post("/setup/county", founded).status_code == 302
    assert sysadmin.get("/setup/county").status_code == 403
    home = words_of(sysadmin.get("/"))
    assert "新立县" in home
    assert (
        sysadmin.post(
            "/organisation/add",
            {
                "name": "县水利局",
                "short_name": "水利局",
                "kind": "department",
                "order": "1",
                "run_by": "county",
                "parent": _key(empty, "新立县"),
            },
        ).status_code
        == 302
    )
    page = sysadmin.post(
        "/person/add",
        {"last_name": "王", "first_name": "强", "username": "wangqiang", "organisation": _key(empty, "县水利局")},
    )
    assert "wangqiang" in page.text
    with empty.acting(None) as session:
        person = session.scalars(sa.select(Person).where(Person.username == "wangqiang")).one().id
    assert f"/person/show/{person}" in secadmin.get("/person/list/?tab=without_role").text
    assert secadmin.post(f"/person/{person}/assign_roles", {"roles": ["department_officer"]}).status_code == 302
    with empty.acting(None) as session:
        assert [role.name for role in session.get_one(Person, person).roles] == ["department_officer"]
        assert list(event.verify(session)) == []


def _key(county: County, name: str) -> int:
    with county.acting(None) as session, viewer.system():
        return session.scalars(sa.select(Organisation.id).where(Organisation.name == name)).one()
