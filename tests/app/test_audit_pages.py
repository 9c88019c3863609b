"""The auditor's pages – search, an event in its chain, verifying – and the page that explains who sees what."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.database import transaction
from models import clock
from models.event import Event, EventValue
from models.sweep import sweep
from tests.app.visitor import Visitor, visitor, words_of
from tests.conftest import Installation
from tests.county import MONDAY, County, at


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


@pytest.fixture
def auditor(county: County) -> Visitor:
    return visitor(county, "auditor")


def rows(page: str) -> int:
    return page.count("/audit/") - page.count("/audit/verify") - page.count('"/audit/"')


def test_the_audit_trail_is_searched(county: County, auditor: Visitor) -> None:
    call, assignment = county.dispatched("department1", values={"remark": "夜莺在歌唱"})
    county.respond("department1", assignment)
    visitor(county).sign_in("township1", "falsch")
    everything = auditor.get("/audit/")
    assert everything.status_code == 200

    def found(**asked: object) -> str:
        answer = auditor.get("/audit/", query_string=asked)
        assert answer.status_code == 200, asked
        return answer.text.split("sheet-table")[-1] if "sheet-table" in answer.text else ""

    assert "夜莺在歌唱" in found(text="夜莺在歌唱")
    assert found(text="没有这样的词") == ""
    assert found(who=county.people["department1"], record_type="assignment", record=assignment, kind="transition") != ""
    assert found(who=county.people["township2"]) == ""
    assert found(kind="sign_in") != ""
    day = MONDAY.date()
    assert found(begins=day, ends=day, record_type="call", record=call) != ""
    assert found(ends="2020-01-01") == ""
    wrong = auditor.get("/audit/?record=x&begins=gestern")
    assert wrong.status_code == 422
    assert "gestern" in wrong.text
    for other in ("sysadmin", "secadmin", "leader", "dispatcher"):
        assert visitor(county, other).get("/audit/").status_code == 403


def test_a_long_trail_is_paged(county: County, auditor: Visitor) -> None:
    for _ in range(8):
        county.dispatched("department1", "department2")
    first = auditor.get("/audit/")
    address = first.text.split('href="/audit/?before=')[1].split('"')[0]
    older = auditor.get(f"/audit/?before={address}")
    assert older.status_code == 200
    assert older.text.split("sheet-table")[1] != first.text.split("sheet-table")[1]


def test_an_event_shows_its_values_and_its_place_in_the_chain(county: County, auditor: Visitor) -> None:
    call, _assignment = county.dispatched("department1")
    with county.acting(None) as session:
        one = session.scalars(sa.select(Event).where(Event.name == "dispatch", Event.record_id == call)).one()
        signature, previous, key = one.signature, one.previous, one.id
    page = words_of(auditor.get(f"/audit/{key}"))
    assert signature in page
    assert previous in page
    assert "自然资源局" in page
    assert auditor.get("/audit/999999").status_code == 404
    assert auditor.get("/audit/99999999999999999999999").status_code == 404
    with county.acting(None) as session:
        session.execute(sa.update(Event).where(Event.id == key).values(county_id=county["county9"]))
    assert auditor.get(f"/audit/{key}").status_code == 404


def test_values_are_named_and_told_in_words(county: County, auditor: Visitor) -> None:
    _call, assignment = county.dispatched("department1", values={"remark": "请尽快"})
    county.respond("department1", assignment)
    visitor(county).sign_in("township1", "falsch")
    trail = words_of(auditor.get("/audit/"))
    for raw in ("username：", "address：", "lead：", "remark：", "state：", "township：", "2026-11-23T"):
        assert raw not in trail
    assert "派发意见：请尽快" in trail
    assert "登录名：township1" in trail
    with county.app.app_context(), clock.at(at("2026-11-27 17:00")):
        sweep(transaction)
    trail = words_of(auditor.get("/audit/?record_type=assignment&kind=automatic"))
    assert "时限：反馈" in trail
    assert "到期时间：2026年11月" in trail
    given = {"organisation": county["department1"], "person": county.people["department1"], "phone": "123"}
    assert visitor(county, "department1").post("/liaison/add", given).status_code == 302
    trail = words_of(auditor.get("/audit/?record_type=liaison"))
    assert "单位：自然资源局" in trail


def test_verifying_names_what_was_altered(county: County, auditor: Visitor) -> None:
    call, _assignment = county.dispatched("department1")
    clean = auditor.post("/audit/verify/")
    assert clean.status_code == 200
    assert "call/" not in words_of(clean)
    with county.acting(None) as session:
        changed = sa.select(Event.id).where(Event.name == "dispatch").scalar_subquery()
        session.execute(
            sa.update(EventValue)
            .where(EventValue.event_id == changed, EventValue.name == "lead")
            .values(value={"id": 1})
        )
    broken = words_of(auditor.post("/audit/verify/"))
    assert f"call/{call}" in broken
    assert visitor(county, "sysadmin").post("/audit/verify/").status_code == 403


# Why can I see this, or not?


def test_what_is_visible_is_explained_and_what_is_hidden_is_not_told(county: County) -> None:
    call, _assignment = county.dispatched("department1")
    with county.acting(None) as session:
        from models.call import Call

        number, title = session.get_one(Call, call).number, session.get_one(Call, call).title

    def asked(name: str, what: str, **more: object) -> str:
        return words_of(visitor(county, name).get("/access/", query_string={"what": what, **more})).replace(what, "")

    own = asked("township1", f"/call/show/{call}")
    hidden = asked("township2", f"/call/show/{call}")
    nothing = asked("township2", "/call/show/987654")
    assert own != hidden
    assert hidden == nothing.replace("/call/show/987654", "")
    assert title not in hidden
    assert asked("township1", str(number)) != asked("township2", str(number))
    assert asked("township2", str(number)) == asked("township2", "呼2026-9999")
    by_security = asked("secadmin", f"/call/show/{call}", who=county.people["department1"])
    with county.acting(None) as session:
        from models.person import Person

        name = session.get_one(Person, county.people["department1"]).name
    assert name in by_security
    assert title not in by_security
    assert asked("dispatcher", f"/call/show/{call}", who=county.people["township2"]) == asked(
        "dispatcher", f"/call/show/{call}"
    )
    for strange in ("", "///", "/call/show/x", "\x00", "a" * 500):
        assert visitor(county, "township1").get("/access/", query_string={"what": strange}).status_code == 200
