"""Whose work is what: the calls that wait for each role, what is overdue, what comes next after a step (face, Home)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.database import transaction
from models import clock
from models.call import Assignment, Call
from models.convening import Convening
from models.milestone import Milestone
from models.sweep import sweep
from models.workflow import begin
from tests.app.portal.test_lists import statements
from tests.app.visitor import visitor, words_of
from tests.county import MONDAY, County, at
from views.work import overdue, todo

NOON = at("2026-11-23 11:00")


def waiting(county: County, name: str, when: datetime = NOON) -> list[int]:
    """The keys of the calls that wait for a person."""
    with county.acting(name, when) as session:
        where = todo(county.viewer(name))
        assert where is not None
        return list(session.scalars(sa.select(Call.id).where(where).order_by(Call.id)))


def late(county: County, name: str, when: datetime) -> list[int]:
    with county.acting(name, when) as session:
        return list(session.scalars(sa.select(Call.id).where(overdue(county.viewer(name))).order_by(Call.id)))


def test_a_township_has_drafts_returned_calls_and_those_to_evaluate(county: County) -> None:
    draft, returned = county.draft(), county.submitted()
    county.do("dispatcher", Call, returned, "return_for_completion", {"missing": "照片"})
    done, assignment = county.dispatched("department1")
    county.respond("department1", assignment)
    county.report("department1", assignment)
    under_way, _one = county.dispatched("department1")
    assert waiting(county, "township1") == [draft, returned, done]
    assert under_way not in waiting(county, "township1_leader")
    assert waiting(county, "township2") == []


def test_a_township_has_telephone_entries_to_confirm(county: County) -> None:
    values: dict[str, Any] = {
        "township": county["township1"],
        "kind": "general",
        "title": "刘庄",
        "field": "水务",
        "description": "电话反映。",
    }
    with county.acting("duty", MONDAY) as session:
        call_id = begin(session, Call, "enter_by_phone", values).record.id
    assert waiting(county, "township1") == [call_id]
    county.do("township1", Call, call_id, "confirm")
    assert waiting(county, "township1") == []


def planned(county: County) -> tuple[int, int, int]:
    """A call with an approved plan of one milestone; gives call, assignment and milestone."""
    call_id, assignment = county.dispatched("department1")
    county.respond("department1", assignment)
    plan = {"plan": "分步办理。", "milestones": [{"text": "截污", "day": "2026-12-11", "department": None}]}
    county.do("department1", Call, call_id, "request_long_term", plan)
    county.do("dispatcher", Call, call_id, "endorse_long_term")
    county.do("leader", Call, call_id, "approve_long_term")
    with county.acting(None) as session:
        return call_id, assignment, session.scalars(sa.select(Milestone.id)).one()


def test_a_milestone_waits_for_its_department_when_its_day_is_near_and_then_for_the_township(county: County) -> None:
    call_id, _assignment, milestone = planned(county)
    assert waiting(county, "department1", at("2026-12-04 09:00")) == []
    near = at("2026-12-07 09:00")
    assert waiting(county, "department1", near) == [call_id]
    assert late(county, "department1", at("2026-12-12 09:00")) == [call_id]
    assert late(county, "department2", at("2026-12-12 09:00")) == []
    county.do("department1", Milestone, milestone, "complete_milestone", {"result": "已截污。"}, near)
    assert waiting(county, "township1", near) == [call_id]
    county.do("township1", Milestone, milestone, "evaluate_milestone", {"satisfaction": "fair"}, near)
    assert waiting(county, "township1", near) == [call_id]  # the call itself is to be evaluated


def test_a_meeting_that_was_held_waits_to_be_recorded(county: County) -> None:
    call_id, _assignment = county.dispatched("department1")
    meeting = {"at": "2026-11-24 14:00", "place": "桥", "departments": [county["department1"]], "agencies": []}
    county.do("township1", Call, call_id, "convene", meeting)
    assert waiting(county, "township1", at("2026-11-24 13:59")) == []
    assert waiting(county, "township1", at("2026-11-24 14:00")) == [call_id]
    with county.acting(None) as session:
        key = session.scalars(sa.select(Convening.id)).one()
    county.do("township1", Convening, key, "cancel", {"reason": "…"}, at("2026-11-24 15:00"))
    assert waiting(county, "township1", at("2026-11-24 15:00")) == []


def test_a_department_has_what_it_must_answer_and_round_2(county: County) -> None:
    call_id, assignment = county.dispatched("department1")
    assert waiting(county, "department1") == [call_id]
    county.respond("department1", assignment)
    county.report("department1", assignment)
    assert waiting(county, "department1") == []
    county.evaluate(call_id, {assignment: "dissatisfied"})
    assert waiting(county, "department1") == [call_id]
    assert waiting(county, "department2") == []


def test_a_dispatcher_has_new_calls_rulings_plans_and_emergencies_to_regularise(county: County) -> None:
    new = county.submitted()
    returned, one = county.dispatched("department1")
    county.do("department1", Assignment, one, "request_return", {"reason": "非本局职责。"})
    extended, two = county.dispatched("department2")
    values = {"until": "2026-12-02", "reason": "需检测。"}
    county.do("department2", Assignment, two, "request_extension", values)
    plan, _three = county.dispatched("department4")
    stages = {"plan": "分步。", "milestones": [{"text": "截污", "day": "2026-12-11", "department": None}]}
    county.do("department4", Call, plan, "request_long_term", stages)
    emergency, _four = county.emergency("department3")
    assert waiting(county, "dispatcher") == [new, returned, extended, plan, emergency]
    assert waiting(county, "dispatcher9") == []
    county.do("dispatcher", Assignment, one, "reject_return", {"ruling": "…"})
    county.do("dispatcher", Assignment, two, "grant_extension", {"until": "2026-12-02"})
    county.do("dispatcher", Call, plan, "endorse_long_term")
    county.do("dispatcher", Call, emergency, "regularise", {"departments": [county["department3"]], "emergency": True})
    assert waiting(county, "dispatcher") == [new]


def test_an_emergency_stands_with_the_dispatcher_for_24_hours(county: County) -> None:
    emergency, _one = county.emergency("department3")
    assert waiting(county, "dispatcher", MONDAY + timedelta(hours=23)) == [emergency]
    assert waiting(county, "dispatcher", MONDAY + timedelta(hours=25)) == []


def test_an_office_director_has_objections(county: County) -> None:
    call_id = county.submitted()
    county.do("dispatcher", Call, call_id, "decline", {"reason": "own_power", "text": "…"})
    assert waiting(county, "director") == []
    county.do("township1", Call, call_id, "object", {"reason": "我镇无执法权。"})
    assert waiting(county, "director") == [call_id]
    assert late(county, "director", at("2026-11-25 09:00")) == [call_id]


def test_a_checklist_manager_has_the_disputes_referred_to_him(county: County) -> None:
    call_id, assignment = county.dispatched("department1")
    county.do("department1", Assignment, assignment, "request_return", {"reason": "非本局职责。"})
    assert waiting(county, "checklist") == []
    county.do("dispatcher", Assignment, assignment, "refer_return")
    assert waiting(county, "checklist") == [call_id]
    assert waiting(county, "dispatcher") == []
    page = visitor(county, "checklist").get(f"/call/show/{call_id}")
    assert page.status_code == 200
    assert f'action="/assignment/{assignment}/uphold_return"' in page.text


def test_a_county_leader_has_what_was_brought_before_him(county: County) -> None:
    escalated, _one = county.dispatched("department1")
    county.do("township1", Call, escalated, "escalate", {"why": "意见不一。"})
    plan, _two = county.dispatched("department2")
    stages = {"plan": "分步。", "milestones": [{"text": "截污", "day": "2026-12-11", "department": None}]}
    county.do("department2", Call, plan, "request_long_term", stages)
    assert waiting(county, "leader") == [escalated]
    county.do("dispatcher", Call, plan, "endorse_long_term")
    assert waiting(county, "leader") == [escalated, plan]


def test_a_duty_officer_has_emergencies_that_nobody_confirmed(county: County) -> None:
    emergency, assignment = county.emergency("department3")
    assert waiting(county, "duty") == [emergency]
    county.do("duty", Assignment, assignment, "acknowledge", {"who": "赵值班"}, MONDAY + timedelta(minutes=3))
    assert waiting(county, "duty") == []


def test_a_supervisor_has_slips_to_sign_and_assignments_to_be_looked_into(county: County) -> None:
    county.dispatched("department1")
    _call, answered = county.dispatched("department2")
    _other, in_time = county.dispatched("department4")
    county.respond("department2", answered, at("2026-11-25 09:00"))
    county.respond("department4", in_time, at("2026-11-24 09:00"))
    when = at("2026-11-27 17:30")
    with county.app.app_context(), clock.at(when):
        sweep(transaction)
    here = visitor(county, "supervisor")
    with clock.at(when):
        home = here.get("/").text
        listed = here.get("/assignment/list/?tab=candidates").text
        slips = here.get("/notice/list/?tab=to_sign").text
    assert "/notice/list/?tab=to_sign" in home
    assert "/assignment/list/?tab=candidates" in home
    names = ("自然资源局", "住建局", "水务局")
    assert [name in words for name in names for words in [re.sub(r"<option.*?</option>", "", listed)]] == [
        True,
        True,
        False,
    ]
    assert "自然资源局" in slips
    assert "tab=candidates" not in visitor(county, "department1").get("/").text


@pytest.mark.parametrize("name", ["dispatcher", "department1", "township1"])
def test_the_navigation_counts_what_waits(county: County, name: str) -> None:
    for _ in range(3):
        _call, assignment = county.dispatched("department1")
        county.respond("department1", assignment)
    county.report("department1", assignment)
    county.submitted()
    here = visitor(county, name)
    with clock.at(NOON):
        page = here.get("/organisation/list/").text
        with statements(county) as seen:
            counts = here.get("/counts").json
    entry = page[page.index("/call/list/?tab=todo") :]
    assert 'data-waiting="/call/list/?tab=todo"' in entry[: entry.index("</a>")]
    assert 'data-counts="/counts"' in page
    assert counts["/call/list/?tab=todo"] == {"dispatcher": 1, "department1": 2, "township1": 1}[name]
    assert len(seen) <= 4


def test_the_counts_are_for_who_is_signed_in(county: County) -> None:
    answer = visitor(county).get("/counts")
    assert answer.status_code == 302
    assert "/login/" in answer.headers["Location"]


@pytest.mark.parametrize("name", ["dispatcher", "department1", "township1", "leader", "supervisor", "checklist"])
def test_lists_take_seven_statements(county: County, name: str) -> None:
    for _ in range(27):
        county.dispatched("department1", "department2")
    here = visitor(county, name)
    with clock.at(NOON):
        for address in ("/call/list/?tab=all", "/call/list/?tab=overdue", "/milestone/list/", "/return_request/list/"):
            here.get(address)
            with statements(county) as seen:
                assert here.get(address).status_code == 200
            assert len(seen) <= 7, (address, seen)


def test_after_a_step_the_page_leads_to_the_next_item_of_the_same_work(county: County) -> None:
    first, second = county.submitted(), county.submitted("township2")
    here = visitor(county, "dispatcher")
    with clock.at(NOON):
        answer = here.post(f"/call/{first}/dispatch", {"lead": str(county["department1"])}, token=here.token())
        page = here.get(answer.headers["Location"])
    assert page.status_code == 200
    assert f'<p class="next-item"><a href="/call/show/{second}">' in page.text
    assert "next-item" not in here.get(f"/call/show/{first}").text
    with clock.at(NOON):
        answer = here.post(f"/call/{second}/dispatch", {"lead": str(county["department1"])}, token=here.token())
        words = words_of(here.get(answer.headers["Location"]))
    assert "呼2026-0001" not in words


def test_the_home_page_offers_the_ruling_itself(county: County) -> None:
    _call, assignment = county.dispatched("department1")
    county.do("department1", Assignment, assignment, "request_return", {"reason": "非本局职责。"})
    here = visitor(county, "dispatcher")
    with clock.at(NOON):
        page = here.get("/").text
    assert '#part-1"' in page
    assert "uphold_return" not in page, "nobody is nudged to rule one way"
