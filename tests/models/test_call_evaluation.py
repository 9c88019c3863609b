"""The township's evaluation: rounds, its change within a day, closing without one (2.1; K4)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from app.database import transaction
from models import clock
from models.automatic import sweep_automatic
from models.call import Assignment, Call
from models.call_party import CallParty
from models.call_report import Evaluation
from models.refusal import Conflict, Forbidden, Invalid
from tests.calls import clocks, event_names, marks, refusal, told
from tests.county import MONDAY, County, at

EVALUATED = at("2026-11-24 10:00")


def reported(county: County, *departments: str) -> tuple[int, ...]:
    call_id, *assignments = county.dispatched(*departments)
    for name, key in list(zip(departments, assignments, strict=True))[::-1]:
        county.respond(name, key)
        county.report(name, key)
    return (call_id, *assignments)


def answers(satisfaction: dict[int, str], **values: Any) -> dict[str, Any]:
    entries = [
        {
            "assignment": key,
            "satisfaction": answer,
            "solved": "solved",
            "comment": "未见人来。" if answer == "dissatisfied" else "",
        }
        for key, answer in satisfaction.items()
    ]
    return {"evaluations": entries, "signed_by": "周书记", **values}


def test_a_dissatisfied_evaluation_records_the_leader_who_agreed(county: County) -> None:
    call_id, assignment = reported(county, "department1")
    nobody = answers({assignment: "dissatisfied"}, signed_by="")
    assert set(refusal(Invalid, county, "township1", Call, call_id, "evaluate", nobody).errors) == {"signed_by"}
    county.do("township1", Call, call_id, "evaluate", answers({assignment: "dissatisfied"}), EVALUATED)
    with county.acting(None) as session:
        assert session.scalars(sa.select(Evaluation.signed_by)).one() == "周书记"


def test_a_satisfied_evaluation_names_no_leader(county: County) -> None:
    call_id, assignment = reported(county, "department1")
    county.do("township1", Call, call_id, "evaluate", answers({assignment: "satisfied"}), EVALUATED)
    with county.acting(None) as session:
        assert session.scalars(sa.select(Evaluation.signed_by)).one() == ""


def test_no_department_learns_by_the_signature_that_another_was_dissatisfying(county: County) -> None:
    call_id, lead, other = reported(county, "department1", "department2")
    county.do("township1", Call, call_id, "evaluate", answers({lead: "dissatisfied", other: "satisfied"}), EVALUATED)
    seen = dict(told(county, "department2", call_id))["evaluate"]
    assert set(seen) - {"state"} == {f"evaluation.{other}"}
    assert f"evaluation.{lead}" in dict(told(county, "township1", call_id))["evaluate"]


def test_round_2_has_no_respond_clock_and_closes_whatever_the_answer(county: County) -> None:
    call_id, lead, other = reported(county, "department1", "department2")
    county.do("township1", Call, call_id, "evaluate", answers({lead: "dissatisfied", other: "satisfied"}), EVALUATED)
    assert county.states(call_id) == ("dispatched", "responded", "reported")
    assert clocks(county, lead)[1] == at("2026-11-27 17:30")
    county.report("department1", lead, at("2026-11-25 10:00"))
    assert county.states(call_id) == ("reported", "reported", "reported")
    again = answers({lead: "dissatisfied", other: "satisfied"})
    assert set(refusal(Invalid, county, "township1", Call, call_id, "evaluate", again).errors) == {"evaluations"}
    county.do("township1", Call, call_id, "evaluate", answers({lead: "dissatisfied"}), at("2026-11-26 10:00"))
    assert county.states(call_id) == ("closed", "reported", "reported")
    assert marks(county, lead, at("2026-12-20 10:00")) == []


# Changing it


def test_an_evaluation_is_changed_within_one_working_day(county: County) -> None:
    call_id, assignment = reported(county, "department1")
    county.do("township1", Call, call_id, "evaluate", answers({assignment: "satisfied"}), EVALUATED)
    new = answers({assignment: "fair"})
    for name in ("department1", "dispatcher"):
        refusal(Forbidden, county, name, Call, call_id, "change_evaluation", new, EVALUATED)
    refusal(Conflict, county, "township1", Call, call_id, "change_evaluation", new, at("2026-11-25 17:31"))
    county.do("township1", Call, call_id, "change_evaluation", new, at("2026-11-25 17:30"))
    with county.acting(None) as session:
        one = session.scalars(sa.select(Evaluation)).one()  # one evaluation per assignment and round
        assert (one.satisfaction, one.evaluated_at) == ("fair", EVALUATED)
    assert county.states(call_id) == ("closed", "reported")


def test_changing_to_dissatisfied_opens_round_2_anew(county: County) -> None:
    call_id, assignment = reported(county, "department1")
    county.do("township1", Call, call_id, "evaluate", answers({assignment: "satisfied"}), EVALUATED)
    county.do("township1", Call, call_id, "change_evaluation", answers({assignment: "dissatisfied"}), EVALUATED)
    assert county.states(call_id) == ("dispatched", "responded")
    with county.acting(None) as session:
        call, one = session.get_one(Call, call_id), session.get_one(Assignment, assignment)
        assert (one.round, one.stopped_at, call.ended_at) == (2, None, None)
        assert one.next_step_at is not None


def test_changing_to_satisfied_takes_round_2_back(county: County) -> None:
    call_id, assignment = reported(county, "department1")
    before = clocks(county, assignment)
    county.do("township1", Call, call_id, "evaluate", answers({assignment: "dissatisfied"}), EVALUATED)
    county.do("township1", Call, call_id, "change_evaluation", answers({assignment: "satisfied"}), EVALUATED)
    assert county.states(call_id) == ("closed", "reported")
    assert clocks(county, assignment) == before
    with county.acting(None) as session:
        one = session.get_one(Assignment, assignment)
        assert (one.round, one.stopped_at, one.next_step_at) == (1, MONDAY, None)
        assert session.get_one(CallParty, (call_id, county["department1"])).due is None


def test_an_evaluation_is_not_changed_after_a_later_report(county: County) -> None:
    call_id, assignment = reported(county, "department1")
    county.do("township1", Call, call_id, "evaluate", answers({assignment: "dissatisfied"}), EVALUATED)
    county.report("department1", assignment, at("2026-11-24 11:00"))
    with county.acting(None) as session:
        session.get_one(Call, call_id).state = "dispatched"
    when = at("2026-11-24 11:30")
    refusal(Conflict, county, "township1", Call, call_id, "change_evaluation", answers({assignment: "fair"}), when)


def test_an_evaluation_is_not_changed_once_another_department_stands_in_that_ones_place(county: County) -> None:
    """Taking round 2 back would bring in a second lead beside the new one."""
    call_id, lead, other = reported(county, "department1", "department2")
    both = {lead: "dissatisfied", other: "dissatisfied"}
    county.do("township1", Call, call_id, "evaluate", answers(both), EVALUATED)
    for replaced, new in ((lead, "department3"), (other, "department4")):
        refused = refusal(Invalid, county, "township1", Call, call_id, "change_evaluation", answers({}), EVALUATED)
        assert set(refused.errors) == {"evaluations"}
        instead = {"assignment": str(replaced), "department": county[new], "reason": "分工调整"}
        county.do("dispatcher", Call, call_id, "reassign", instead, EVALUATED)
        if replaced == lead:
            change = answers({other: "satisfied"})
            county.do("township1", Call, call_id, "change_evaluation", change, EVALUATED)
            assert county.states(call_id) == ("dispatched", "returned", "reported", "pending")
            county.do("township1", Call, call_id, "change_evaluation", answers({other: "dissatisfied"}), EVALUATED)
    assert county.states(call_id) == ("dispatched", "returned", "returned", "pending", "pending")
    refusal(Conflict, county, "township1", Call, call_id, "change_evaluation", answers(both), EVALUATED)


def test_a_change_names_exactly_what_was_evaluated(county: County) -> None:
    call_id, lead, other = reported(county, "department1", "department2")
    county.do("township1", Call, call_id, "evaluate", answers({lead: "satisfied", other: "satisfied"}), EVALUATED)
    for wrong in ({lead: "fair"}, {lead: "fair", other: "fair", 999: "fair"}):
        refused = refusal(Invalid, county, "township1", Call, call_id, "change_evaluation", answers(wrong), EVALUATED)
        assert set(refused.errors) == {"evaluations"}
    silent = answers({lead: "dissatisfied", other: "satisfied"})
    silent["evaluations"][0]["comment"] = ""
    refused = refusal(Invalid, county, "township1", Call, call_id, "change_evaluation", silent, EVALUATED)
    assert set(refused.errors) == {"evaluations"}


def test_an_unevaluated_call_has_nothing_to_change(county: County) -> None:
    call_id, assignment = county.dispatched("department1")
    refusal(Conflict, county, "township1", Call, call_id, "change_evaluation", answers({assignment: "fair"}))


# Closing without one


def sweep_at(county: County, when: Any) -> int:
    with county.app.app_context(), clock.at(when):
        return sweep_automatic(transaction)


def test_without_an_evaluation_a_call_closes_after_ten_working_days_as_not_evaluated(county: County) -> None:
    call_id, assignment = reported(county, "department1")
    due = at("2026-12-07 17:30")
    with county.acting(None) as session:
        assert session.get_one(Call, call_id).evaluate_due == due
    assert sweep_at(county, at("2026-12-07 17:29")) == 0
    assert sweep_at(county, due) == 1
    assert sweep_at(county, due) == 0
    assert county.states(call_id) == ("closed", "reported")
    assert event_names(county, call_id)[-1] == "close_unevaluated"
    with county.acting(None) as session:
        assert session.scalars(sa.select(Evaluation)).all() == []  # never counted as satisfied
        call = session.get_one(Call, call_id)
        assert (call.evaluated_at, call.ended_at) == (None, due)
        assert session.get_one(CallParty, (call_id, county["township1"])).state == "closed"
    refusal(Conflict, county, "township1", Call, call_id, "evaluate", answers({assignment: "satisfied"}), due)


def test_a_call_sent_back_gets_the_full_time_for_its_evaluation_again(county: County) -> None:
    call_id, assignment = reported(county, "department1")
    county.do("dispatcher", Call, call_id, "send_back", {"missing": "照片"}, at("2026-11-30 09:30"))
    assert sweep_at(county, at("2026-12-08 08:30")) == 0
    county.report("department1", assignment, at("2026-12-01 10:00"))
    with county.acting(None) as session:
        assert session.get_one(Call, call_id).evaluate_due == at("2026-12-15 17:30")
