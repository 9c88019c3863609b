"""People and their accounts: made, moved, ended by forms; roles kept apart from accounts; substitutes act for somebody, and both are named."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from datetime import date, timedelta

import openpyxl
import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from app.database import transaction
from models import clock, viewer
from models.account import hand_out, take_handed_out
from models.base import fields_of
from models.call import Call
from models.event import Event, EventValue
from models.handover import still_open
from models.person import ZONE, Person, PersonState, make_viewer
from models.refusal import Forbidden, Invalid, NotFound
from models.substitution import Portfolio, Substitution
from tests.app import imports
from tests.app.visitor import form_to, program, visitor, words_of
from tests.conftest import Installation
from tests.county import MONDAY, PASSWORD, County, at

NEW = {
    "last_name": "刘",
    "first_name": "明",
    "position": "科员",
    "phone": "0999-1234567",
    "email": "",
    "username": "liuming",
}


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


def made(county: County, **values: object) -> tuple[int, str]:
    """A new account by the administrator's form; gives its key and the password that the page showed."""
    page = visitor(county, "sysadmin").post("/person/add", {**NEW, "organisation": county["department1"], **values})
    assert page.status_code == 200, words_of(page)
    password = re.search(r'<code class="handed-out">([^<]+)</code>', page.text)
    assert password is not None
    with county.acting(None) as session:
        key = session.scalars(sa.select(Person.id).where(Person.username == values.get("username", "liuming"))).one()
    county.people["liuming"] = key
    return key, password.group(1)


def event_values(county: County, name: str) -> dict[str, object]:
    """What the newest event of that name carries."""
    with county.acting(None) as session:
        event = session.scalars(sa.select(Event).where(Event.name == name).order_by(Event.id.desc()).limit(1)).one()
        rows = session.execute(sa.select(EventValue.name, EventValue.value).where(EventValue.event_id == event.id))
        return {row.name: row.value for row in rows}


def test_a_new_account_gets_a_password_shown_once_and_changed_at_first_sign_in(county: County) -> None:
    key, password = made(county)
    assert password not in visitor(county, "sysadmin").get(f"/person/show/{key}").text
    newcomer = visitor(county)
    assert newcomer.sign_in("liuming", password).headers["Location"].endswith("/password/")
    assert newcomer.get("/").headers["Location"].endswith("/password/")
    newcomer.post("/password/", {"present": password, "wanted": "Anders-als-1", "again": "Anders-als-1"})
    assert newcomer.get("/").status_code == 200
    with county.acting(None) as session:
        person = session.get_one(Person, key)
        assert (person.name, person.county_id, person.mailbox) == ("刘明", county.id, "")
        kept = [str(value) for value in session.scalars(sa.select(EventValue.value))]
    assert not any(password in value or "scrypt" in value for value in kept)
    assert "password" not in fields_of(Person)


def test_two_accounts_of_one_name_are_refused_beside_the_field(county: County) -> None:
    made(county)
    page = visitor(county, "sysadmin").post("/person/add", {**NEW, "organisation": county["department1"]})
    assert page.status_code == 422
    assert "liuming" in page.text
    assert "Another account already has this name" in words_of(page) or "已" in words_of(page)


def test_everyone_finds_people_of_the_county_but_not_how_they_sign_in(county: County) -> None:
    made(county)
    for name, reads in (("township1", False), ("auditor", False), ("dispatcher", True), ("sysadmin", True)):
        here = visitor(county, name)
        listed = here.get("/person/list/?q=刘明")
        shown = here.get(f"/person/show/{county.people['liuming']}")
        assert "刘明" in words_of(listed)
        assert ("0999-1234567" in shown.text) == reads, name
        assert ("liuming" in shown.text) == reads, name
    row = program(county, "township1").get(f"person/{county.people['liuming']}").json
    assert row is not None
    assert (row["result"]["name"], row["result"]["phone"], row["result"]["username"]) == ("刘明", "", "")
    assert "password" not in str(row)
    assert visitor(county, "department9").get(f"/person/show/{county.people['liuming']}").status_code == 404
    assert "刘明" not in words_of(visitor(county, "department9").get("/person/list/?q=刘明"))
    assert "刘明" in words_of(visitor(county, "city").get("/person/list/?q=刘明"))


def test_people_are_placed_in_organisations_of_the_own_county_only(county: County) -> None:
    api = program(county, "sysadmin")
    for organisation in (county["department9"], county["city_government"]):
        answer = api.call("POST", "person/", json={**NEW, "organisation": organisation})
        assert answer.status_code in (403, 422), organisation


def test_accounts_and_roles_are_given_by_different_people(county: County) -> None:
    key, _password = made(county)
    with pytest.raises(Forbidden):
        county.do("sysadmin", Person, key, "assign_roles", {"roles": ["department_officer"]})
    assert visitor(county, "secadmin").get("/person/add").status_code == 403
    page = visitor(county, "secadmin").get(f"/person/show/{key}")
    form = form_to(page, f"/person/{key}/assign_roles")
    answer = visitor(county, "secadmin").post(
        form.action, {"roles": ["department_officer"], "version": form.values["version"][0]}
    )
    assert answer.status_code == 302
    assert event_values(county, "assign_roles") == {"given": ["department_officer"], "taken": []}
    assert county.viewer("liuming").has_role("department_officer")
    assert visitor(county, "auditor").get(f"/person/show/{key}").text.count("timeline") > 0


def test_nobody_changes_his_own_roles_and_one_security_administrator_stays(county: County) -> None:
    secadmin = county.people["secadmin"]
    with pytest.raises(Forbidden):
        county.do("secadmin", Person, secadmin, "assign_roles", {"roles": ["auditor"]})
    with pytest.raises(Invalid) as refused:
        county.do("sysadmin", Person, secadmin, "leave", {})
    assert "reason" in refused.value.errors
    with pytest.raises(Invalid):
        county.do("sysadmin", Person, secadmin, "suspend", {})
    made(county)
    county.do("secadmin", Person, county.people["liuming"], "assign_roles", {"roles": ["security_administrator"]})
    county.do("sysadmin", Person, secadmin, "suspend", {"reason": "离岗培训"})
    with pytest.raises(Invalid):
        county.do("sysadmin", Person, county.people["liuming"], "leave", {})


def test_an_administrators_role_stands_alone_and_roles_fit_the_organisation(county: County) -> None:
    made(county)
    for roles in (
        ["system_administrator", "dispatcher"],
        ["auditor", "security_administrator"],
        ["township_leader"],
        ["no_such_role"],
    ):
        with pytest.raises(Invalid) as refused:
            county.do("secadmin", Person, county.people["liuming"], "assign_roles", {"roles": roles})
        assert "roles" in refused.value.errors, roles


def test_the_passwords_of_those_who_keep_security_are_not_reset_by_the_system_administrator(county: County) -> None:
    with pytest.raises(Forbidden):
        county.do("sysadmin", Person, county.people["secadmin"], "reset_password")
    with pytest.raises(Forbidden):
        county.do("secadmin", Person, county.people["secadmin"], "reset_password")
    county.do("secadmin", Person, county.people["auditor"], "reset_password")
    page = visitor(county, "sysadmin").post(f"/person/{county.people['township1']}/reset_password")
    password = re.search(r'<code class="handed-out">([^<]+)</code>', page.text)
    assert password is not None
    assert visitor(county).sign_in("township1", PASSWORD).status_code == 401
    assert visitor(county).sign_in("township1", password.group(1)).status_code == 302


def test_suspending_ends_the_session_and_resuming_opens_the_account_again(county: County) -> None:
    here = visitor(county, "township1")
    assert here.signed_in
    county.do("sysadmin", Person, county.people["township1"], "suspend", {"reason": "借调"})
    assert not here.signed_in
    assert visitor(county).sign_in("township1").status_code == 401
    county.do("sysadmin", Person, county.people["township1"], "resume")
    assert visitor(county).sign_in("township1").status_code == 302
    with pytest.raises(Forbidden):
        county.do("sysadmin", Person, county.people["sysadmin"], "suspend", {})


def test_moving_takes_roles_that_do_not_fit_and_leaving_hands_on_what_was_in_hand(county: County) -> None:
    leader, department = county.people["leader"], county["department1"]
    with county.acting("sysadmin") as session:
        session.add(Portfolio(county_id=county.id, person_id=leader, department_id=department))
    officer = county.people["township1"]
    county.do("sysadmin", Person, officer, "move", {"organisation": department, "position": "科长"})
    with county.acting(None) as session:
        moved = session.get_one(Person, officer)
        assert (moved.organisation_id, moved.position, moved.roles) == (department, "科长", [])
    assert event_values(county, "move")["taken"] == ["township_officer"]
    assert "自然资源局" in words_of(visitor(county, "sysadmin").get(f"/person/show/{leader}"))
    county.do("sysadmin", Person, leader, "leave", {"successor": county.people["director"], "reason": "退休"})
    with county.acting(None) as session:
        assert session.scalars(sa.select(Portfolio.person_id)).one() == county.people["director"]
        gone = session.get_one(Person, leader)
        assert (gone.state, gone.active, gone.roles) == (PersonState.left, False, [])
    told = event_values(county, "leave")
    assert [one["name"] for one in told["handed_on"]] != []
    assert visitor(county).sign_in("leader").status_code == 401


def test_what_nobody_takes_over_is_listed(county: County) -> None:
    with county.acting("sysadmin") as session:
        session.add(
            Portfolio(county_id=county.id, person_id=county.people["leader"], department_id=county["department2"])
        )
    county.do("sysadmin", Person, county.people["leader"], "leave", {})
    assert len(event_values(county, "leave")["left_behind"]) == 1


def test_somebody_who_left_is_not_offered_any_more(county: County) -> None:
    here = visitor(county, "sysadmin")
    found = here.get("/portfolio/options/person?q=张员").json
    assert found is not None
    assert str(county.people["leader"]) in {one["value"] for one in found["results"]} or len(found["results"]) == 30
    county.do("sysadmin", Person, county.people["leader"], "leave", {})
    with county.acting(None) as session:
        name = session.get_one(Person, county.people["leader"]).name
    after = here.get("/portfolio/options/person", query_string={"q": name}).json
    assert after is not None
    assert str(county.people["leader"]) not in {one["value"] for one in after["results"]}


# Substitutes


def appointed(county: County, person: str, substitute: str, role: str, begins: date, ends: date) -> int:
    with county.acting("secadmin", MONDAY) as session:
        record = Substitution(
            county_id=county.id,
            person_id=county.people[person],
            substitute_id=county.people[substitute],
            role=role,
            begins=begins,
            ends=ends,
        )
        session.add(record)
        session.flush()
        county.forget()
        return record.id


DAY = MONDAY.date()


@pytest.mark.parametrize("hour", ["00:30", "07:59", "09:00"])
def test_a_substitution_ends_with_the_countys_day(county: County, hour: str) -> None:
    """In the first eight hours of a day it is still the day before by the world's clock."""
    over = appointed(county, "dispatcher", "duty", "dispatcher", DAY - timedelta(days=3), DAY - timedelta(days=1))
    appointed(county, "dispatcher", "director", "dispatcher", DAY, DAY)
    now = at(f"2026-11-23 {hour}")
    with county.acting(None, now) as session:
        last_day = sa.select(Substitution.ends).where(*still_open(Substitution))
        assert session.scalars(last_day).all() == [DAY]
    county.do("sysadmin", Person, county.people["dispatcher"], "leave", {}, now)
    with county.acting(None) as session:
        assert session.scalars(sa.select(Substitution.id)).all() == [over], "what is over stays known"


def test_a_substitute_acts_for_the_person_and_both_are_named(county: County) -> None:
    call = county.submitted("township1")
    with pytest.raises(NotFound):
        county.do("duty", Call, call, "accept")
    appointed(county, "dispatcher", "duty", "dispatcher", DAY, DAY + timedelta(days=3))
    with clock.at(MONDAY):
        looking = county.viewer("duty")
    assert looking.has_role("dispatcher")
    assert "dispatcher" not in looking.own_roles
    county.do("duty", Call, call, "accept")
    with county.acting(None) as session:
        name = session.get_one(Person, county.people["dispatcher"]).name
        actor = session.scalars(sa.select(Event.actor_id).where(Event.name == "accept")).one()
    assert actor == county.people["duty"]
    assert event_values(county, "accept")["on_behalf_of"] == {"id": county.people["dispatcher"], "name": name}
    timeline = words_of(visitor(county, "dispatcher").get(f"/call/show/{call}"))
    assert name in timeline


def test_a_change_by_form_or_program_names_both_where_the_right_is_only_lent(county: County) -> None:
    """As steps do; what the substitute may do himself is his own."""
    today = clock.now().astimezone(ZONE).date()
    appointed(county, "checklist", "legal", "checklist_manager", today, today)
    with county.acting(None) as session:
        name = session.get_one(Person, county.people["checklist"]).name
    principal = {"id": county.people["checklist"], "name": name}
    draft = imports.draft_list(county)
    api, here = program(county, "legal"), visitor(county, "legal")
    form = form_to(here.get(f"/checklist/edit/{draft}"), f"/checklist/edit/{draft}")
    assert here.post(form.action, form.values | {"name": "修订清单"}).status_code == 302
    assert event_values(county, "update")["on_behalf_of"] == principal
    assert name in words_of(here.get(f"/checklist/show/{draft}"))
    item = {
        "checklist": draft,
        "number": 7,
        "field": "水务",
        "name": "河道保洁",
        "duties": [{"kind": "primary", "party": "县水务局", "text": "巡查"}],
    }
    made_ = api.call("POST", "checklist_item/", json=item)
    assert made_.status_code == 201, made_.text
    with county.acting(None) as session:
        created = session.scalars(
            sa.select(Event.id).where(Event.name == "create", Event.actor_id == county.people["legal"])
        )
        told = session.execute(
            sa.select(EventValue.event_id, EventValue.value).where(EventValue.name == "on_behalf_of")
        ).all()
        assert set(created) <= {row.event_id for row in told}, "the item and its line"
    assert made_.json is not None
    assert api.call("DELETE", f"checklist_item/{made_.json['id']}").status_code == 200
    assert event_values(county, "delete")["on_behalf_of"] == principal

    own = visitor(county, "checklist")
    appointed(county, "legal", "checklist", "legal_reviewer", today, today)
    form = form_to(own.get(f"/checklist/edit/{draft}"), f"/checklist/edit/{draft}")
    assert own.post(form.action, form.values | {"name": "再修订清单"}).status_code == 302
    assert "on_behalf_of" not in event_values(county, "update")


def test_before_and_after_the_time_a_substitute_has_no_powers(county: County) -> None:
    appointed(county, "dispatcher", "duty", "dispatcher", DAY, DAY + timedelta(days=1))
    for when, has in (
        ("2026-11-22 12:00", False),
        ("2026-11-23 00:30", True),
        ("2026-11-24 23:30", True),
        ("2026-11-25 00:30", False),
    ):
        county.forget()
        with clock.at(at(when)):
            assert county.viewer("duty").has_role("dispatcher") == has, when


def test_the_top_bar_shows_for_whom_one_acts(county: County) -> None:
    today = clock.now().astimezone(ZONE).date()
    appointed(county, "leader", "director", "county_leader", today - timedelta(days=1), today + timedelta(days=1))
    with county.acting(None) as session:
        name = session.get_one(Person, county.people["leader"]).name
    assert name in words_of(visitor(county, "director").get("/"))
    assert name not in words_of(visitor(county, "dispatcher").get("/"))


def test_nobody_approves_as_a_substitute_what_he_filed_himself(county: County) -> None:
    call = county.submitted("township1")
    with county.acting(None) as session:
        session.execute(sa.update(Call).where(Call.id == call).values(created_by_id=county.people["duty"]))
    appointed(county, "dispatcher", "duty", "dispatcher", DAY, DAY)
    with clock.at(MONDAY):
        assert county.viewer("duty").has_role("dispatcher")
    with pytest.raises(Forbidden):
        county.do("duty", Call, call, "accept")


def test_who_may_be_appointed(county: County) -> None:
    def tried(person: str, substitute: str, role: str) -> dict[str, object]:
        try:
            appointed(county, person, substitute, role, DAY, DAY)
        except Invalid as refused:
            return dict(refused.errors)
        return {}

    assert "role" in tried("dispatcher", "duty", "county_leader")
    assert "substitute" in tried("dispatcher", "dispatcher", "dispatcher")
    assert "substitute" in tried("dispatcher", "sysadmin", "dispatcher")
    assert "substitute" in tried("dispatcher", "dispatcher9", "dispatcher")
    assert "substitute" in tried("dispatcher", "secadmin", "dispatcher")
    assert visitor(county, "sysadmin").get("/substitution/add").status_code == 403


def test_an_import_hands_out_passwords_that_are_given_once(county: County) -> None:
    with county.acting(None) as session:
        person = session.get_one(Person, county.people["township2"])
        password = hand_out(session, person)
        assert take_handed_out(session) == {"township2": password}
        assert take_handed_out(session) == {}
    assert visitor(county).sign_in("township2", password).headers["Location"].endswith("/password/")


# Passwords for many


def imported_people(county: County, *lines: Sequence[str], apply: bool = True) -> int:
    """An import of people by the administrator; gives its key."""
    heads = ("姓", "名", "登录名", "单位", "职务")
    answer = visitor(county, "sysadmin").post(
        "/person/import", {"file": (io.BytesIO(imports.workbook([heads, *lines])), "人员.xlsx")}
    )
    assert answer.status_code == 302, words_of(answer)
    key = int(answer.location.rpartition("/")[2])
    if apply:
        imports.apply(county, key)
    return key


def slips(page: TestResponse) -> list[list[str]]:
    """What stands on the slips of a page: name, organisation, account name, password."""
    found = re.findall(r'<section class="card slip".*?</section>', page.text, re.S)
    return [[re.sub(r"<[^>]+>", "", one) for one in re.findall(r"<dd>(.*?)</dd>", slip)] for slip in found]


def test_imported_people_get_their_first_passwords_on_slips_shown_once(county: County) -> None:
    made(county)
    key = imported_people(
        county, ("陈", "晨", "chenchen", "住建局", "科员"), ("何", "平", "heping", "自然资源局", "科长")
    )
    here = visitor(county, "sysadmin")
    result = here.get(f"/person/import/{key}")
    form = form_to(result, "/person/passwords")
    assert form.values["import"] == [str(key)]
    page = here.post(form.action, {"import": key})
    assert page.status_code == 200, words_of(page)
    assert "no-store" in page.headers["Cache-Control"]
    handed = slips(page)
    assert [one[:3] for one in handed] == [
        ["何平", "县自然资源和规划局", "heping"],
        ["陈晨", "县住房和城乡建设局", "chenchen"],
    ]
    passwords = [one[3] for one in handed]
    assert len(set(passwords)) == 2

    address = re.search(r'href="data:[^;]+;base64,([^"]+)"', page.text)
    assert address is not None, "the workbook stands in the page, not on the server"
    sheet = openpyxl.load_workbook(io.BytesIO(base64.b64decode(address[1]))).worksheets[0]
    assert [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)] == handed

    after = here.get(f"/person/import/{key}")
    assert "/person/passwords" not in after.text, "everybody has his"
    assert not any(one in after.text + here.get("/person/list/").text for one in passwords)
    with county.acting(None) as session:
        kept = [str(value) for value in session.scalars(sa.select(EventValue.value))]
        events = session.scalars(sa.select(Event.record_id).where(Event.name == "reset_password")).all()
        people = session.scalars(sa.select(Person.id).where(Person.username.in_(("heping", "chenchen")))).all()
    assert not any(one in value for one in passwords for value in kept)
    assert sorted(events) == sorted(people), "one event for each"
    newcomer = visitor(county)
    assert newcomer.sign_in("heping", handed[0][3]).headers["Location"].endswith("/password/")


def test_who_never_signed_in_gets_a_first_password_from_the_list(county: County) -> None:
    key, old = made(county)
    known = county.people["township1"]
    assert visitor(county).sign_in("township1").status_code == 302
    here = visitor(county, "sysadmin")
    listed = here.get("/person/list/?tab=never_signed_in")
    assert 'formaction="/person/passwords"' in listed.text
    assert "刘明" in words_of(listed)
    page = here.post("/person/passwords", {"keys": [str(key), str(known), "999999"], "next": "/person/list/"})
    assert [one[2] for one in slips(page)] == ["liuming"]
    assert "已登录过" in words_of(page) or "signed in already" in words_of(page)
    assert visitor(county).sign_in("township1").status_code == 302, "who has signed in keeps his"
    assert visitor(county).sign_in("liuming", old).status_code == 401
    assert visitor(county).sign_in("liuming", slips(page)[0][3]).status_code == 302
    again = here.post("/person/passwords", {"keys": [str(key)], "next": "/person/list/"})
    assert slips(again) == []


def test_passwords_for_many_are_handed_out_by_whom_a_single_one_is(county: County) -> None:
    key, _password = made(county)
    for name in ("township1", "auditor", "leader"):
        assert visitor(county, name).post("/person/passwords", {"keys": [str(key)]}).status_code == 403, name
        assert "/person/passwords" not in visitor(county, name).get("/person/list/").text
    page = visitor(county, "secadmin").post("/person/passwords", {"keys": [str(key)], "next": "/person/list/"})
    assert slips(page) == [], "of those who keep security only"
    other = imported_people(county, ("陈", "晨", "chenchen", "自然资源局", "科员"))
    assert visitor(county, "secadmin").post("/person/passwords", {"import": other}).status_code in (403, 404)


def test_an_administrator_without_organisation_keeps_the_whole_installation(county: County) -> None:
    with county.app.app_context(), viewer.system(), transaction() as session:
        person = session.get_one(Person, county.people["sysadmin"])
        person.organisation = None
    with county.app.app_context(), viewer.system(), transaction() as session:
        looking = make_viewer(session, session.get_one(Person, county.people["sysadmin"]))
    assert looking.whole_installation
    assert {county.id, county["county9"]} <= looking.region_ids
    page = visitor(county, "sysadmin").get("/organisation/list/?kind=county")
    assert {"平原县", "山阳县"} <= set(words_of(page).split())
