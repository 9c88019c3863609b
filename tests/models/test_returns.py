"""Giving an assignment back: asked for once, ruled by the office or finally by the checklist manager (2.1)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from models.call import Assignment, Call
from models.call_party import CallParty
from models.call_report import Report
from models.refusal import Conflict, Forbidden, Invalid, NotFound
from models.return_request import ReturnRequest
from tests.calls import clocks, event_names, marks, offered, refusal, sees, told
from tests.county import MONDAY, County, at

WHY = {"reason": "按清单第1项，属自然资源局职责。"}
RULING = {"ruling": "不属其职责。"}


def requested(county: County, *departments: str, when: Any = MONDAY) -> tuple[int, ...]:
    """A call whose first department has asked to give it back."""
    call_id, *assignments = county.dispatched(*departments, when=MONDAY)
    county.do(departments[0], Assignment, assignments[0], "request_return", WHY, when)
    return (call_id, *assignments)


def test_a_return_is_asked_for_once_within_one_working_day_of_the_dispatch_with_reasons(county: County) -> None:
    call_id, assignment = county.dispatched("department1")
    values = {**WHY, "item": county.items[1]}
    refusal(Forbidden, county, "dispatcher", Assignment, assignment, "request_return", values)
    refusal(Forbidden, county, "township1", Assignment, assignment, "request_return", values)
    assert set(refusal(Invalid, county, "department1", Assignment, assignment, "request_return").errors) == {"reason"}
    refusal(Conflict, county, "department1", Assignment, assignment, "request_return", values, at("2026-11-24 17:31"))
    county.do("department1", Assignment, assignment, "request_return", values, at("2026-11-24 17:30"))
    assert county.states(call_id) == ("dispatched", "return_requested")
    with county.acting(None) as session:
        request = session.scalars(sa.select(ReturnRequest)).one()
        assert (request.item_id, request.state) == (county.items[1], "requested")
        assert request.due == at("2026-11-25 14:00")


def test_the_office_rules_on_a_return_in_four_working_hours(county: County) -> None:
    requested(county, "department1")
    with county.acting(None) as session:
        assert session.scalars(sa.select(ReturnRequest.due)).one() == at("2026-11-23 14:30")


def test_a_responded_assignment_is_not_given_back(county: County) -> None:
    _call, assignment = county.dispatched("department1")
    county.respond("department1", assignment)
    refusal(Conflict, county, "department1", Assignment, assignment, "request_return", WHY)


def test_a_return_request_stops_the_clock_and_a_rejected_one_gives_back_exactly_the_time_it_took(
    county: County,
) -> None:
    call_id, assignment = requested(county, "department1", when=at("2026-11-23 10:00"))
    with county.acting(None) as session:
        one = session.get_one(Assignment, assignment)
        assert (one.paused_at, one.next_step_at) == (at("2026-11-23 10:00"), None)
    county.do(
        "dispatcher", Assignment, assignment, "reject_return", RULING, at("2026-11-23 13:50")
    )  # 2 h 20 min of office time
    assert county.states(call_id) == ("dispatched", "pending")
    assert clocks(county, assignment) == (at("2026-11-25 10:50"), at("2026-12-01 10:50"))
    with county.acting(None) as session:
        one = session.get_one(Assignment, assignment)
        assert one.paused_at is None
        assert one.respond_red_at == at("2026-11-30 10:50")
        assert one.next_step_at is not None


def test_a_ruling_outside_office_hours_gives_back_office_time_only(county: County) -> None:
    _call, assignment = requested(county, "department1", when=at("2026-11-23 17:00"))
    county.do("dispatcher", Assignment, assignment, "reject_return", RULING, at("2026-11-23 22:00"))
    assert clocks(county, assignment)[0] == at("2026-11-25 09:00")  # half an hour beyond the close of the 24th


def test_a_return_request_never_stops_the_clock_of_an_emergency(county: County) -> None:
    _call, assignment = county.emergency("department3")
    county.do("department3", Assignment, assignment, "request_return", WHY, at("2026-11-23 09:05"))
    with county.acting(None) as session:
        one = session.get_one(Assignment, assignment)
        assert one.paused_at is None
        assert one.next_step_at is not None
    county.do("dispatcher", Assignment, assignment, "reject_return", RULING, at("2026-11-23 09:40"))
    assert clocks(county, assignment)[0] == at("2026-11-23 09:30")
    assert marks(county, assignment, at("2026-11-23 09:40")) == ["late_response"]


def test_a_rejected_return_cannot_be_asked_for_again(county: County) -> None:
    _call, assignment = requested(county, "department1")
    county.do("dispatcher", Assignment, assignment, "reject_return", RULING)
    refusal(Conflict, county, "department1", Assignment, assignment, "request_return", WHY)
    assert "request_return" not in offered(county, "department1", Assignment, assignment)


def test_an_upheld_lead_needs_a_new_lead_in_the_same_step(county: County) -> None:
    call_id, assignment = requested(county, "department1")
    assert set(refusal(Invalid, county, "dispatcher", Assignment, assignment, "uphold_return", RULING).errors) == {
        "lead"
    }
    same = {**RULING, "lead": county["department1"]}
    assert set(refusal(Invalid, county, "dispatcher", Assignment, assignment, "uphold_return", same).errors) == {"lead"}
    later = at("2026-11-23 14:00")
    county.do("dispatcher", Assignment, assignment, "uphold_return", {**RULING, "lead": county["department2"]}, later)
    assert county.states(call_id) == ("dispatched", "returned", "pending")
    new = county.assignments(call_id)[1]
    assert clocks(county, new)[0] == at("2026-11-24 17:30")  # clocks from now
    with county.acting(None) as session:
        call = session.get_one(Call, call_id)
        assert call.lead is not None
        assert call.lead.id == new


def test_a_cooperating_department_may_become_the_new_lead_and_keeps_its_clocks(county: County) -> None:
    call_id, lead, other = requested(county, "department1", "department2")
    before = clocks(county, other)
    county.do(
        "dispatcher",
        Assignment,
        lead,
        "uphold_return",
        {**RULING, "lead": county["department2"]},
        at("2026-11-24 09:00"),
    )
    assert county.states(call_id) == ("dispatched", "returned", "pending")
    assert clocks(county, other) == before
    with county.acting(None) as session:
        assert session.get_one(Assignment, other).role == "lead"


def test_a_cooperating_department_is_let_go_without_another(county: County) -> None:
    call_id, _lead, other = county.dispatched("department1", "department2")
    county.do("department2", Assignment, other, "request_return", WHY)
    county.do("dispatcher", Assignment, other, "uphold_return", RULING)
    assert county.states(call_id) == ("dispatched", "pending", "returned")


def test_the_last_open_return_lets_the_call_wait_for_evaluation(county: County) -> None:
    call_id, lead, other = county.dispatched("department1", "department2")
    county.do("department2", Assignment, other, "request_return", WHY)
    county.respond("department1", lead)
    county.report("department1", lead, without_reason="协办单位申请退单。")
    county.do("dispatcher", Assignment, other, "uphold_return", RULING)
    assert county.states(call_id) == ("reported", "reported", "returned")


def test_nobody_rules_on_a_return_in_a_call_that_was_withdrawn(county: County) -> None:
    """The request has lapsed: a ruling would let clocks of an ended call run again."""
    call_id, assignment = requested(county, "department1")
    county.do("township1", Call, call_id, "withdraw", {"reason": "已自行解决。"})
    for step in ("uphold_return", "reject_return", "refer_return"):
        refusal(Conflict, county, "dispatcher", Assignment, assignment, step, {**RULING, "lead": county["department2"]})
        assert step not in offered(county, "dispatcher", Assignment, assignment)
    with county.acting(None) as session:
        assert session.scalars(sa.select(ReturnRequest.state)).one() == "lapsed"


def test_only_the_office_rules_and_only_on_what_was_asked(county: County) -> None:
    _call, assignment, *_others = requested(county, "department1", "department2")
    for step in ("uphold_return", "reject_return", "refer_return"):
        for name in ("department1", "department2", "township1", "supervisor", "director"):
            refusal(Forbidden, county, name, Assignment, assignment, step, RULING)
        refusal(NotFound, county, "checklist", Assignment, assignment, step, RULING)  # not referred to him


def test_a_referred_dispute_is_ruled_by_the_checklist_manager_finally_in_two_working_days(county: County) -> None:
    call_id, assignment, *_others = requested(county, "department1", "department2")
    county.do("dispatcher", Assignment, assignment, "refer_return", {}, at("2026-11-23 10:00"))
    with county.acting(None) as session:
        request = session.scalars(sa.select(ReturnRequest)).one()
        assert (request.state, request.due) == ("referred", at("2026-11-25 17:30"))
    assert sees(county, "checklist", Call, call_id)  # referred to him
    for step in ("uphold_return", "reject_return", "refer_return"):
        refusal(Forbidden, county, "dispatcher", Assignment, assignment, step, RULING)
    assert offered(county, "checklist", Assignment, assignment) == {"uphold_return", "reject_return"}
    county.do("checklist", Assignment, assignment, "reject_return", RULING, at("2026-11-24 10:00"))
    assert county.states(call_id)[:2] == ("dispatched", "pending")
    refusal(Conflict, county, "department1", Assignment, assignment, "request_return", WHY)
    assert sees(county, "checklist", Call, call_id)


def test_the_checklist_manager_may_uphold_a_referred_return(county: County) -> None:
    call_id, assignment, *_others = requested(county, "department1", "department2")
    county.do("dispatcher", Assignment, assignment, "refer_return")
    county.do("checklist", Assignment, assignment, "uphold_return", {**RULING, "lead": county["department2"]})
    assert county.states(call_id) == ("dispatched", "returned", "pending")
    assert {"request_return", "refer_return", "uphold_return"} <= set(event_names(county, call_id))


def test_marks_earned_before_a_return_stay(county: County) -> None:
    _call, assignment = county.emergency("department3")
    county.do("department3", Assignment, assignment, "request_return", WHY, at("2026-11-23 09:45"))
    values = {**RULING, "lead": county["department4"]}
    county.do("dispatcher", Assignment, assignment, "uphold_return", values, at("2026-11-23 10:00"))
    assert marks(county, assignment, at("2026-12-01 10:00")) == ["late_response"]


# After an upheld return the department reads only up to the ruling


def upheld(county: County) -> tuple[int, int, int]:
    call_id, lead, other = requested(county, "department1", "department2")
    values = {**RULING, "lead": county["department4"]}
    county.do("dispatcher", Assignment, lead, "uphold_return", values, at("2026-11-23 10:00"))
    return call_id, lead, other


def test_after_an_upheld_return_the_department_reads_only_up_to_the_ruling(county: County) -> None:
    call_id, lead, other = upheld(county)
    new = county.assignments(call_id)[2]
    county.respond("department2", other, at("2026-11-23 11:00"))
    county.report("department2", other, at("2026-11-23 15:00"))
    assert sees(county, "department1", Call, call_id)
    assert sees(county, "department1", Assignment, lead)
    assert sees(county, "department1", Assignment, other)
    assert not sees(county, "department1", Assignment, new)
    with county.acting("department1") as session:
        assert session.scalars(sa.select(Report)).all() == []
    with county.acting("department2") as session:
        assert len(session.scalars(sa.select(Report)).all()) == 1
    names = [name for name, _values in told(county, "department1", call_id)]
    assert names[-1] == "uphold_return"
    assert "respond" in dict(told(county, "department2", call_id))


def test_after_an_upheld_return_the_department_only_reads(county: County) -> None:
    call_id, lead, _other = upheld(county)
    assert offered(county, "department1", Call, call_id) == set()
    assert offered(county, "department1", Assignment, lead) == set()
    for step in ("comment", "share", "log_progress"):
        refusal(Forbidden, county, "department1", Call, call_id, step, {"text": "…"})


def test_a_department_called_again_after_its_return_reads_everything(county: County) -> None:
    call_id, _lead, other = upheld(county)
    county.respond("department2", other, at("2026-11-23 11:00"))
    again = {"department": county["department1"], "reason": "现场确认属其职责。"}
    county.do("dispatcher", Call, call_id, "add_department", again, at("2026-11-23 16:00"))
    assert "respond" in dict(told(county, "department1", call_id))
    with county.acting(None) as session:
        party = session.get_one(CallParty, (call_id, county["department1"]))
        assert (party.state, party.until) == ("pending", None)
