"""Long-term handling and its milestones: asked for, endorsed, approved, carried out, ended early (2.1)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from models.call import Assignment, Call
from models.call_indicators import CallIndicator, Figures, handled
from models.call_moments import times_spent
from models.call_report import Report
from models.milestone import LongTerm, Milestone
from models.refusal import Conflict, Forbidden, Invalid
from models.time_spent import Link
from tests.calls import clocks, event_names, marks, offered, refusal, sees, told
from tests.county import County, at

PLAN: dict[str, Any] = {
    "plan": "先控源，再修复，分两步办理。",
    "milestones": [
        {"text": "完成控源截污", "day": "2026-12-15", "department": None},
        {"text": "完成河道修复", "day": "2027-03-31", "department": None},
    ],
}
LATER = at("2026-11-24 10:00")


def requested(county: County, *departments: str) -> tuple[int, ...]:
    call_id, *assignments = county.dispatched(*(departments or ("department1",)))
    county.respond("department1", assignments[0])
    county.do("department1", Call, call_id, "request_long_term", PLAN, LATER)
    return (call_id, *assignments)


def approved(county: County, *departments: str) -> tuple[int, ...]:
    call_id, *assignments = requested(county, *departments)
    county.do("dispatcher", Call, call_id, "endorse_long_term", {}, LATER)
    county.do("leader", Call, call_id, "approve_long_term", {}, LATER)
    return (call_id, *assignments)


def milestones(county: County, call_id: int) -> list[int]:
    with county.acting(None) as session:
        query = sa.select(Milestone.id).where(Milestone.call_id == call_id).order_by(Milestone.day, Milestone.id)
        return list(session.scalars(query))


def test_the_lead_department_asks_with_plan_and_milestones(county: County) -> None:
    call_id, lead, _other = county.dispatched("department1", "department2")
    for name in ("department2", "dispatcher", "township1", "leader"):
        refusal(Forbidden, county, name, Call, call_id, "request_long_term", PLAN)
    assert set(refusal(Invalid, county, "department1", Call, call_id, "request_long_term").errors) == {
        "plan",
        "milestones",
    }
    past = {**PLAN, "milestones": [{"text": "完成", "day": "2026-11-23", "department": None}]}
    assert set(refusal(Invalid, county, "department1", Call, call_id, "request_long_term", past).errors) == {
        "milestones"
    }
    before = clocks(county, lead)
    county.do("department1", Call, call_id, "request_long_term", PLAN)
    assert county.states(call_id) == ("dispatched", "pending", "pending")
    assert clocks(county, lead) == before  # until then the deadlines stay
    refusal(Conflict, county, "department1", Call, call_id, "request_long_term", PLAN)


def test_long_term_handling_is_no_self_service(county: County) -> None:
    """Department, office and portfolio leader each have their own step, in this order."""
    call_id, _lead = requested(county)
    for step in ("endorse_long_term", "approve_long_term", "refuse_long_term"):
        refusal(Forbidden, county, "department1", Call, call_id, step, {"reason": "…"})
    refusal(Forbidden, county, "leader", Call, call_id, "approve_long_term")  # not endorsed, so not before him yet
    county.do("dispatcher", Call, call_id, "endorse_long_term", {}, LATER)
    refusal(Forbidden, county, "dispatcher", Call, call_id, "approve_long_term")
    refusal(Conflict, county, "dispatcher", Call, call_id, "endorse_long_term")
    with county.acting(None) as session:
        plan = session.scalars(sa.select(LongTerm)).one()
        assert (plan.state, plan.leader_id) == ("endorsed", county.people["leader"])
        assert plan.due == at("2026-11-27 17:30")


def test_an_approved_plan_replaces_the_report_clock_by_milestone_dates(county: County) -> None:
    call_id, lead, other = approved(county, "department1", "department2")
    assert county.states(call_id) == ("long_term", "responded", "pending")
    with county.acting(None) as session:
        found = session.scalars(sa.select(Milestone).order_by(Milestone.day)).all()
        assert [(str(one.state), one.due) for one in found] == [
            ("open", at("2026-12-15 17:30")),
            ("open", at("2027-03-31 17:30")),
        ]
        assert session.get_one(Assignment, lead).next_step_at is None
        assert session.get_one(Assignment, other).next_step_at is not None  # who has not responded still must
    assert marks(county, lead, at("2026-12-20 10:00")) == []
    county.respond("department2", other, LATER)


def test_the_plan_is_refused_by_the_office_or_the_leader_with_a_reason(county: County) -> None:
    for stage, name in (("requested", "dispatcher"), ("endorsed", "leader")):
        call_id, _lead = requested(county)
        if stage == "endorsed":
            county.do("dispatcher", Call, call_id, "endorse_long_term", {}, LATER)
            refusal(Forbidden, county, "dispatcher", Call, call_id, "refuse_long_term", {"reason": "…"})
        assert set(refusal(Invalid, county, name, Call, call_id, "refuse_long_term").errors) == {"reason"}
        county.do(name, Call, call_id, "refuse_long_term", {"reason": "可在期限内办结。"}, LATER)
        assert county.states(call_id) == ("dispatched", "responded")
        with county.acting(None) as session:
            states = {
                str(one.state) for one in session.scalars(sa.select(Milestone).where(Milestone.call_id == call_id))
            }
            assert states == {"dropped"}


def test_the_department_completes_a_milestone_and_the_township_evaluates_it(county: County) -> None:
    call_id, _lead = approved(county)
    first, _second = milestones(county, call_id)
    for name in ("township1", "dispatcher"):
        refusal(Forbidden, county, name, Milestone, first, "complete_milestone", {"result": "…"})
    refusal(Conflict, county, "township1", Milestone, first, "evaluate_milestone", {"satisfaction": "fair"})
    assert set(refusal(Invalid, county, "department1", Milestone, first, "complete_milestone").errors) == {"result"}
    county.do("department1", Milestone, first, "complete_milestone", {"result": "已截污。"}, at("2026-12-10 10:00"))
    assert county.states(call_id) == ("long_term", "responded")
    for name in ("department1", "dispatcher"):
        refusal(Forbidden, county, name, Milestone, first, "evaluate_milestone", {"satisfaction": "fair"})
    silent = {"satisfaction": "dissatisfied"}
    assert set(refusal(Invalid, county, "township1", Milestone, first, "evaluate_milestone", silent).errors) == {
        "comment"
    }
    values = {"satisfaction": "dissatisfied", "comment": "仍有异味。"}
    county.do("township1", Milestone, first, "evaluate_milestone", values, at("2026-12-11 10:00"))
    refusal(Conflict, county, "township1", Milestone, first, "evaluate_milestone", values)
    with county.acting(None) as session:
        done = session.get_one(Milestone, first)
        assert (done.state, done.satisfaction, done.comment) == ("completed", "dissatisfied", "仍有异味。")


def test_the_evaluation_of_a_milestone_is_told_to_the_department_evaluated_alone(county: County) -> None:
    call_id, _lead, _other = approved(county, "department1", "department2")
    first, _second = milestones(county, call_id)
    county.do("department1", Milestone, first, "complete_milestone", {"result": "已截污。"}, LATER)
    values = {"satisfaction": "dissatisfied", "comment": "仍有异味。"}
    county.do("township1", Milestone, first, "evaluate_milestone", values, LATER)
    assert dict(told(county, "department1", call_id))["evaluate_milestone"]["comment"] == "仍有异味。"
    assert dict(told(county, "township1", call_id))["evaluate_milestone"]["satisfaction"] == "dissatisfied"
    hidden = dict(told(county, "department2", call_id))["evaluate_milestone"]
    assert "satisfaction" not in hidden
    assert "comment" not in hidden
    assert sees(county, "department2", Milestone, first)


def test_when_all_milestones_are_complete_assignments_and_call_are_reported(county: County) -> None:
    call_id, lead, other = approved(county, "department1", "department2")
    first, second = milestones(county, call_id)
    county.respond("department2", other, LATER)
    county.do("department1", Milestone, first, "complete_milestone", {"result": "已截污。"}, at("2026-12-10 10:00"))
    when = at("2027-03-30 10:00")
    county.do("department1", Milestone, second, "complete_milestone", {"result": "已修复。"}, when)
    assert county.states(call_id) == ("reported", "reported", "reported")
    assert "plan_completed" in event_names(county, call_id)
    with county.acting(None) as session:
        report = session.scalars(sa.select(Report).where(Report.assignment_id == lead)).one()
        assert "已截污。" in report.result
        assert session.scalars(sa.select(LongTerm.state)).one() == "completed"
    assert marks(county, lead, when) == []  # reported within the milestones' dates
    values = {"satisfaction": "satisfied"}
    county.do("township1", Milestone, second, "evaluate_milestone", values, when)
    county.evaluate(call_id, {lead: "satisfied", other: "satisfied"}, when)
    assert county.states(call_id)[0] == "closed"


def test_no_mark_grows_after_a_report_by_milestones_of_a_department_that_never_responded(county: County) -> None:
    """Sent back it reports again, and cannot respond any more: its response was waited for up to its first report."""
    call_id, _lead, other = approved(county, "department1", "department2")
    first, second = milestones(county, call_id)
    for key in (first, second):
        county.do("department1", Milestone, key, "complete_milestone", {"result": "已修复。"}, at("2026-11-24 16:00"))
    county.do("dispatcher", Call, call_id, "send_back", {"missing": "照片"}, at("2026-11-24 17:00"))
    assert county.states(call_id) == ("dispatched", "responded", "responded")
    much_later = at("2026-12-04 10:00")
    assert marks(county, other, much_later) == []
    with county.acting(None, much_later) as session:
        one = session.get_one(Assignment, other)
        assert one.unanswered_until(much_later) == at("2026-11-24 16:00")
        figures = Figures(
            much_later, [each for each in handled(session, [call_id], much_later) if each.assignment_id == other]
        )
        assert figures.rate(CallIndicator.response_rate).denominator == 0


def test_where_a_return_waits_for_its_ruling_the_plans_completion_leaves_it_waiting(county: County) -> None:
    call_id, _lead, other = requested(county, "department1", "department2")
    county.do("department2", Assignment, other, "request_return", {"reason": "非本局职责。"}, LATER)
    county.do("dispatcher", Call, call_id, "endorse_long_term", {}, LATER)
    county.do("leader", Call, call_id, "approve_long_term", {}, LATER)
    for key in milestones(county, call_id):
        county.do("department1", Milestone, key, "complete_milestone", {"result": "已修复。"}, at("2026-11-24 11:00"))
    assert county.states(call_id) == ("dispatched", "reported", "return_requested")
    now = at("2026-11-24 12:00")
    with county.acting(None, now) as session:
        spent = times_spent(session, [session.get_one(Call, call_id)], now)[call_id]
    waits = [(one.link, one.minutes) for one in spent.links if one.ended is None]
    assert waits == [(Link.return_ruling, 120)]


def test_ending_long_term_handling_early_gives_ordinary_deadlines_from_then(county: County) -> None:
    call_id, lead = approved(county)
    first, second = milestones(county, call_id)
    county.do("department1", Milestone, first, "complete_milestone", {"result": "已截污。"}, at("2026-12-10 10:00"))
    for name in ("department1", "leader", "township1"):
        refusal(Forbidden, county, name, Call, call_id, "end_long_term", {"reason": "…"})
    county.do("dispatcher", Call, call_id, "end_long_term", {"reason": "可按期办结。"}, at("2026-12-14 10:00"))
    assert county.states(call_id) == ("dispatched", "responded")
    assert clocks(county, lead)[1] == at("2026-12-21 17:30")
    with county.acting(None) as session:
        assert [str(session.get_one(Milestone, key).state) for key in (first, second)] == ["completed", "dropped"]
    refusal(Conflict, county, "department1", Milestone, second, "complete_milestone", {"result": "…"})
    county.report("department1", lead, at("2026-12-15 10:00"))


def test_ordinary_reports_wait_while_a_plan_is_under_way(county: County) -> None:
    _call, lead = approved(county)
    refusal(Conflict, county, "department1", Assignment, lead, "report", {"result": "…", "solved": "solved"})
    assert "report" not in offered(county, "department1", Assignment, lead)
    late = at("2027-01-15 10:00")
    refusal(Conflict, county, "dispatcher", Assignment, lead, "close_assignment", {"reason": "…"}, late)


def test_a_plan_that_nobody_decided_falls_away_when_the_call_is_reported(county: County) -> None:
    call_id, lead = requested(county)
    county.report("department1", lead, LATER)
    with county.acting(None) as session:
        assert session.scalars(sa.select(LongTerm.state)).one() == "lapsed"
    assert county.states(call_id) == ("reported", "reported")
