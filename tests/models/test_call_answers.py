"""What departments answer and townships make of it: responding, reporting, closing without an answer, evaluating (2.1)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from models.call import Assignment, Call
from models.call_report import Evaluation, Report
from models.refusal import Conflict, Forbidden, Invalid
from models.workflow import possible
from tests.calls import LATER, refusal, reported
from tests.county import County, at

# Responding and reporting


def test_a_response_is_judged_by_the_recorded_instant(county: County) -> None:
    _call, assignment = county.dispatched(when=at("2026-11-23 09:00"))
    county.respond(
        "department1", assignment, at("2026-11-25 09:00"), at="2026-11-23 10:00", how="on_site", plan="三日内整改。"
    )
    with county.acting(None) as session:
        one = session.get_one(Assignment, assignment)
        assert (one.state, one.responded_at, one.response_at) == (
            "responded",
            at("2026-11-25 09:00"),
            at("2026-11-23 10:00"),
        )
        assert (one.response_manner, one.response_whom, one.response_plan) == ("on_site", "王建国", "三日内整改。")
        assert [str(mark) for mark in one.marks(at("2026-11-25 09:00"))] == ["late_response"]


@pytest.mark.parametrize("wrong", ["2026-11-23 08:59", "2026-11-24 10:01"])
def test_the_time_of_contact_lies_between_dispatch_and_now(county: County, wrong: str) -> None:
    _call, assignment = county.dispatched()
    values = {"how": "phone", "whom": "王建国", "at": wrong}
    assert set(refusal(Invalid, county, "department1", Assignment, assignment, "respond", values, LATER).errors) == {
        "at"
    }


def test_a_response_says_how_and_with_whom(county: County) -> None:
    _call, assignment = county.dispatched()
    assert set(refusal(Invalid, county, "department1", Assignment, assignment, "respond", {}).errors) == {"how", "whom"}


def test_a_report_needs_a_result_and_whether_it_is_solved(county: County) -> None:
    _call, assignment = county.dispatched()
    county.respond("department1", assignment)
    assert set(refusal(Invalid, county, "department1", Assignment, assignment, "report", {"result": " "}).errors) == {
        "result",
        "solved",
    }


@pytest.mark.parametrize("solved", ["partly", "not_solved"])
def test_a_report_that_does_not_solve_needs_a_reason(county: County, solved: str) -> None:
    call_id, assignment = county.dispatched()
    county.respond("department1", assignment)
    assert set(
        refusal(
            Invalid, county, "department1", Assignment, assignment, "report", {"result": "在办", "solved": solved}
        ).errors
    ) == {"reason"}
    county.report("department1", assignment, LATER, solved=solved, reason="需省级立项。")
    with county.acting(None) as session:
        report = session.scalars(sa.select(Report)).one()
        assert (report.round, report.reason, report.reported_at, report.reported_by_id) == (
            1,
            "需省级立项。",
            LATER,
            county.people["department1"],
        )
    assert county.states(call_id) == ("reported", "reported")


def test_a_department_cannot_report_before_it_responded(county: County) -> None:
    _call, assignment = county.dispatched()
    refusal(Conflict, county, "department1", Assignment, assignment, "report", {"result": "办结", "solved": "solved"})


def test_the_lead_reports_after_the_others_or_says_why_not(county: County) -> None:
    call_id, lead, other = county.dispatched("department1", "department2")
    county.respond("department1", lead)
    county.respond("department2", other)
    refused = refusal(
        Invalid, county, "department1", Assignment, lead, "report", {"result": "办结", "solved": "solved"}
    )
    assert set(refused.errors) == {"without_reason"}
    assert "住建局" in str(refused.errors["without_reason"][0])
    county.report("department1", lead, without_reason="协办部门仍在检测。")
    assert county.states(call_id) == ("dispatched", "reported", "responded")
    county.report("department2", other, LATER)
    assert county.states(call_id) == ("reported", "reported", "reported")


def test_the_lead_need_not_explain_once_the_others_have_reported_or_are_missed(county: County) -> None:
    call_id, lead, second, third = county.dispatched("department1", "department2", "department3")
    county.respond("department1", lead)
    county.respond("department2", second)
    county.report("department2", second)
    late = at("2026-12-14 09:00")
    county.do("dispatcher", Assignment, third, "close_assignment", {"reason": "始终未响应。"}, late)
    county.report("department1", lead, late)
    assert county.states(call_id) == ("reported", "reported", "reported", "missed")


def test_a_cooperating_department_does_not_wait_for_the_lead(county: County) -> None:
    call_id, _lead, other = county.dispatched("department1", "department2")
    county.respond("department2", other)
    county.report("department2", other)
    assert county.states(call_id) == ("dispatched", "pending", "reported")


def test_progress_is_logged_by_the_township_and_the_departments_in_hand(county: County) -> None:
    call_id, assignment = county.dispatched()
    for name in ("township1", "department1"):
        county.do(name, Call, call_id, "log_progress", {"text": "已约定周三现场勘查。"})
    county.do("department1", Assignment, assignment, "log_progress", {"text": "已到现场。"})
    refusal(Invalid, county, "department1", Assignment, assignment, "log_progress", {"text": ""})
    refusal(Forbidden, county, "dispatcher", Call, call_id, "log_progress", {"text": "…"})
    assert county.states(call_id) == ("dispatched", "pending")


# Closing an assignment


def test_an_assignment_is_closed_as_not_handled_only_from_three_working_days_after_its_deadline(county: County) -> None:
    call_id, assignment = county.dispatched(when=at("2026-11-23 09:00"))  # report due on Monday 30 November, 17:30
    reason = {"reason": "部门逾期未办。"}
    refusal(Conflict, county, "dispatcher", Assignment, assignment, "close_assignment", reason, at("2026-12-03 17:29"))
    county.do("dispatcher", Assignment, assignment, "close_assignment", reason, at("2026-12-03 17:30"))
    assert county.states(call_id) == ("reported", "missed")


def test_closing_too_early_is_refused_as_such_even_without_a_reason(county: County) -> None:
    _call, assignment = county.dispatched()
    refusal(Conflict, county, "dispatcher", Assignment, assignment, "close_assignment", {}, at("2026-12-03 17:29"))
    refusal(Invalid, county, "dispatcher", Assignment, assignment, "close_assignment", {}, at("2026-12-03 17:30"))


def test_closing_is_offered_only_when_it_is_possible(county: County) -> None:
    _call, assignment = county.dispatched()
    for when, offered in ((at("2026-12-03 17:29"), False), (at("2026-12-03 17:30"), True)):
        with county.acting("dispatcher", when) as session:
            one = session.scalars(sa.select(Assignment).where(Assignment.id == assignment)).one()
            assert ("close_assignment" in [step.name for step in possible(one, county.viewer("dispatcher"))]) is offered


def test_the_lead_may_be_closed_as_not_handled_too_and_the_call_moves_on(county: County) -> None:
    call_id, lead, other = county.dispatched("department1", "department2")
    county.respond("department2", other)
    county.report("department2", other)
    county.do("dispatcher", Assignment, lead, "close_assignment", {"reason": "未办。"}, at("2026-12-20 09:00"))
    assert county.states(call_id) == ("reported", "missed", "reported")


# Evaluating


def test_a_satisfied_township_closes_the_call(county: County) -> None:
    call_id, lead, other = reported(county, "department1", "department2")
    county.evaluate(call_id, {lead: "satisfied", other: "fair"}, LATER)
    assert county.states(call_id) == ("closed", "reported", "reported")
    with county.acting(None) as session:
        assert session.get_one(Call, call_id).ended_at == LATER
        found = {
            (one.assignment_id, one.round, str(one.satisfaction), one.signed_by)
            for one in session.scalars(sa.select(Evaluation))
        }
        assert {one[:3] for one in found} == {(lead, 1, "satisfied"), (other, 1, "fair")}


def test_exactly_the_reported_departments_are_evaluated_each_once(county: County) -> None:
    call_id, lead, other = reported(county, "department1", "department2")
    good = {"satisfaction": "satisfied", "solved": "solved"}
    for entries in (
        [],
        [{"assignment": lead, **good}],
        [{"assignment": lead, **good}, {"assignment": lead, **good}],
        [{"assignment": lead, **good}, {"assignment": other, **good}, {"assignment": 999_999, **good}],
        [{"assignment": lead, **good}, {"assignment": 2**70, **good}],
        [{"assignment": lead}, {"assignment": other, **good}],
        "all of them",
    ):
        assert set(
            refusal(
                Invalid, county, "township1", Call, call_id, "evaluate", {"evaluations": entries, "signed_by": "周书记"}
            ).errors
        ) == {"evaluations"}


def test_a_dissatisfied_evaluation_needs_a_comment_and_a_signature(county: County) -> None:
    call_id, lead = reported(county, "department1")
    bad = {"assignment": lead, "satisfaction": "dissatisfied", "solved": "not_solved"}
    assert set(
        refusal(
            Invalid, county, "township1", Call, call_id, "evaluate", {"evaluations": [bad], "signed_by": "周书记"}
        ).errors
    ) == {"evaluations"}
    commented = {**bad, "comment": "排污口仍在。"}
    assert set(
        refusal(
            Invalid, county, "township1", Call, call_id, "evaluate", {"evaluations": [commented], "signed_by": " "}
        ).errors
    ) == {"signed_by"}


def test_exactly_the_dissatisfied_ones_go_into_a_second_round(county: County) -> None:
    call_id, lead, other = reported(county, "department1", "department2")
    county.evaluate(call_id, {lead: "satisfied", other: "dissatisfied"}, LATER)
    assert county.states(call_id) == ("dispatched", "reported", "responded")
    with county.acting(None) as session:
        first, again = session.get_one(Assignment, lead), session.get_one(Assignment, other)
        assert (first.round, again.round) == (1, 2)
        assert (again.report_from, again.report_due) == (LATER, at("2026-11-27 17:30"))
        assert session.get_one(Call, call_id).reported_at is None


@pytest.mark.parametrize("answer", ["satisfied", "fair", "dissatisfied"])
def test_the_second_round_closes_whatever_the_answer(county: County, answer: str) -> None:
    call_id, lead, other = reported(county, "department1", "department2")
    county.evaluate(call_id, {lead: "satisfied", other: "dissatisfied"}, LATER)
    county.report("department2", other, at("2026-11-25 10:00"))
    assert county.states(call_id) == ("reported", "reported", "reported")
    again = {"evaluations": [{"assignment": lead, "satisfaction": "fair", "solved": "solved"}], "signed_by": ""}
    refusal(Invalid, county, "township1", Call, call_id, "evaluate", again)
    county.evaluate(call_id, {other: answer}, at("2026-11-25 11:00"))
    assert county.states(call_id) == ("closed", "reported", "reported")
    with county.acting(None) as session:
        rounds = session.execute(sa.select(Evaluation.assignment_id, Evaluation.round).order_by(Evaluation.id)).all()
        assert [tuple(row) for row in rounds] == [(lead, 1), (other, 1), (other, 2)]


def test_a_missed_department_may_be_evaluated_and_is_never_called_again(county: County) -> None:
    call_id, lead, other = county.dispatched("department1", "department2")
    county.respond("department1", lead)
    late = at("2026-12-14 09:00")
    county.do("dispatcher", Assignment, other, "close_assignment", {"reason": "未办。"}, late)
    county.report("department1", lead, late)
    county.evaluate(call_id, {lead: "satisfied", other: "dissatisfied"}, late)
    assert county.states(call_id) == ("closed", "reported", "missed")


def test_a_missed_department_is_not_offered_again_in_the_second_round(county: County) -> None:
    call_id, lead, other = county.dispatched("department1", "department2")
    county.respond("department1", lead)
    late = at("2026-12-14 09:00")
    county.do("dispatcher", Assignment, other, "close_assignment", {"reason": "未办。"}, late)
    county.report("department1", lead, late)
    county.evaluate(call_id, {lead: "dissatisfied"}, late)
    county.report("department1", lead, late)
    with pytest.raises(Invalid):
        county.evaluate(call_id, {lead: "satisfied", other: "dissatisfied"}, late)
    county.evaluate(call_id, {lead: "satisfied"}, late)
    assert county.states(call_id) == ("closed", "reported", "missed")


def test_where_every_department_was_missed_an_empty_evaluation_closes(county: County) -> None:
    call_id, only = county.dispatched("department1")
    late = at("2026-12-14 09:00")
    county.do("dispatcher", Assignment, only, "close_assignment", {"reason": "未办。"}, late)
    county.evaluate(call_id, {}, late)
    assert county.states(call_id) == ("closed", "missed")


def test_a_department_that_never_answers_in_the_second_round_is_closed_without_another_evaluation(
    county: County,
) -> None:
    call_id, only = reported(county, "department1")
    county.evaluate(call_id, {only: "dissatisfied"}, LATER)
    late = at("2026-12-20 09:00")
    county.do("dispatcher", Assignment, only, "close_assignment", {"reason": "未重新办理。"}, late)
    with pytest.raises(Invalid):
        county.evaluate(call_id, {only: "dissatisfied"}, late)
    county.evaluate(call_id, {}, late)
    assert county.states(call_id) == ("closed", "missed")
