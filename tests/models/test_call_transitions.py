"""Transitions of calls: submitting, accepting, dispatching, withdrawing; who may, how each refuses, in which order (2.1)."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from models.assignment_workflow import ASSIGNMENT_WORKFLOW
from models.call import Assignment, Call
from models.call_words import CallKind
from models.call_workflow import CALL_WORKFLOW
from models.document import Document, DocumentRecipient
from models.event import Event
from models.refusal import Conflict, Forbidden, Invalid, NotFound, Stale
from models.workflow import possible
from tests.calls import LATER, refusal, reported
from tests.county import MONDAY, County, at

ON_A_CALL = [one for one in CALL_WORKFLOW.transitions if not one.begins]


# Submitting


def test_a_submitted_call_gets_a_number_and_waits_for_acceptance(county: County) -> None:
    call_id = county.submitted()
    with county.acting(None) as session:
        call = session.get_one(Call, call_id)
        assert (call.state, call.number) == ("submitted", "呼2026-0001")
        assert call.submitted_by_id == county.people["township1"]
        assert call.accept_due == at("2026-11-23 14:30")  # 4 working hours: 3 before lunch, 1 after


@pytest.mark.parametrize("missing", ["title", "field", "description"])
def test_submit_needs_title_field_and_description(county: County, missing: str) -> None:
    call_id = county.draft(**{missing: ""})
    refused = refusal(Invalid, county, "township1", Call, call_id, "submit")
    assert set(refused.errors) == {missing}


def test_submit_names_everything_that_is_missing_at_once(county: County) -> None:
    refused = refusal(Invalid, county, "township1", Call, county.draft(title="", field="", description=""), "submit")
    assert set(refused.errors) == {"title", "field", "description"}


def test_the_leader_of_a_township_may_do_all_that_its_officers_do(county: County) -> None:
    call_id = county.draft()
    county.do("township1_leader", Call, call_id, "submit")
    assert county.states(call_id) == ("submitted",)


def test_an_emergency_reaches_the_departments_at_once(county: County) -> None:
    call_id, lead, other = county.emergency("department3", "department4")
    with county.acting(None) as session:
        call = session.get_one(Call, call_id)
        assert call.state == "dispatched"
        assert call.dispatched_at == MONDAY
        first, second = session.get_one(Assignment, lead), session.get_one(Assignment, other)
        assert (first.role, first.department_id) == ("lead", county["department3"])
        assert (second.role, second.department_id) == ("cooperating", county["department4"])
        assert first.respond_due == at("2026-11-23 09:30")
        assert first.report_due == at("2026-11-24 09:00")


def test_an_emergency_needs_a_department(county: County) -> None:
    call_id = county.draft(kind=CallKind.emergency)
    assert set(refusal(Invalid, county, "township1", Call, call_id, "submit").errors) == {"departments"}


@pytest.mark.parametrize("wrong", ["township2", "department9", "county"])
def test_only_departments_and_offices_of_the_own_county_can_be_called(county: County, wrong: str) -> None:
    emergency = county.draft(kind=CallKind.emergency)
    assert set(
        refusal(Invalid, county, "township1", Call, emergency, "submit", {"departments": [county[wrong]]}).errors
    ) == {"departments"}
    general = county.submitted()
    assert set(refusal(Invalid, county, "dispatcher", Call, general, "dispatch", {"lead": county[wrong]}).errors) == {
        "lead"
    }


def test_a_call_waiting_for_completion_is_submitted_again_under_its_number(county: County) -> None:
    call_id = county.submitted()
    with county.acting(None) as session:
        session.get_one(Call, call_id).state = "returned"
    county.do("township1", Call, call_id, "submit", {}, LATER)
    with county.acting(None) as session:
        call = session.get_one(Call, call_id)
        assert (call.state, call.number, call.accept_due) == ("submitted", "呼2026-0001", at("2026-11-24 15:30"))


# Accepting and dispatching


def test_a_call_may_be_accepted_first_and_dispatched_later(county: County) -> None:
    call_id = county.submitted()
    county.do("dispatcher", Call, call_id, "accept")
    with county.acting(None) as session:
        call = session.get_one(Call, call_id)
        assert (call.state, call.accepted_at, call.accepted_by_id) == ("accepted", MONDAY, county.people["dispatcher"])
        assert call.dispatch_due == at("2026-11-24 17:30")
    county.do("dispatcher", Call, call_id, "dispatch", {"lead": county["department1"]}, LATER)
    assert county.states(call_id) == ("dispatched", "pending")


def test_accepting_and_dispatching_is_one_click_with_two_events(county: County) -> None:
    call_id = county.submitted()
    county.do("dispatcher", Call, call_id, "dispatch", {"lead": county["department1"]})
    with county.acting(None) as session:
        names = session.scalars(
            sa.select(Event.name)
            .where(Event.thread_type == "call", Event.thread_id == call_id)
            .order_by(Event.sequence)
        ).all()
        assert names == ["create", "submit", "accept", "dispatch"]
        assert session.get_one(Call, call_id).accepted_by_id == county.people["dispatcher"]


def test_the_order_of_departments_gives_lead_and_cooperating(county: County) -> None:
    call_id, *assignments = county.dispatched("department2", "department4", "department1")
    with county.acting(None) as session:
        call = session.get_one(Call, call_id)
        assert [(one.department_id, str(one.role)) for one in call.assignments] == [
            (county["department2"], "lead"), (county["department4"], "cooperating"), (county["department1"], "cooperating")
        ]  # fmt: skip
        assert call.lead is not None
        assert call.lead.id == assignments[0]


def test_the_lead_cannot_cooperate_with_itself(county: County) -> None:
    order = {"lead": county["department1"], "cooperating": [county["department2"], county["department1"]]}
    assert set(refusal(Invalid, county, "dispatcher", Call, county.submitted(), "dispatch", order).errors) == {
        "cooperating"
    }


def test_a_department_is_not_named_twice(county: County) -> None:
    order = {"lead": county["department1"], "cooperating": [county["department2"], county["department2"]]}
    assert set(refusal(Invalid, county, "dispatcher", Call, county.submitted(), "dispatch", order).errors) == {
        "cooperating"
    }


@pytest.mark.parametrize(
    ("order", "wrong"),
    [
        ({"respond_due": "2026-11-23 08:59"}, "respond_due"),
        ({"report_due": "2026-11-23 09:00"}, "report_due"),
        ({"respond_due": "2026-11-25 10:00", "report_due": "2026-11-25 09:00"}, "report_due"),
        ({"report_due": "2026-11-24 09:00"}, "report_due"),
        ({"respond_due": "2027-01-25 10:00"}, "respond_due"),
        ({"respond_due": "soon"}, "respond_due"),
    ],
)
def test_own_deadlines_lie_in_the_future_and_in_order(county: County, order: dict[str, str], wrong: str) -> None:
    assert set(
        refusal(
            Invalid,
            county,
            "dispatcher",
            Call,
            county.submitted(),
            "dispatch",
            {"lead": county["department1"], **order},
        ).errors
    ) == {wrong}


def test_own_deadlines_stand_on_the_order(county: County) -> None:
    _call, assignment = county.dispatched(values={"respond_due": "2026-11-23 12:00", "report_due": "2026-11-26 17:30"})
    with county.acting(None) as session:
        one = session.get_one(Assignment, assignment)
        assert (one.respond_due, one.report_due) == (at("2026-11-23 12:00"), at("2026-11-26 17:30"))


def test_a_dispatch_sends_the_slip_to_the_township_and_every_department(county: County) -> None:
    call_id, *_assignments = county.dispatched("department1", "department2")
    with county.acting(None) as session:
        slip = session.scalars(
            sa.select(Document).where(Document.kind == "call_slip", Document.about_id == call_id)
        ).one()
        recipients = set(
            session.scalars(
                sa.select(DocumentRecipient.organisation_id).where(DocumentRecipient.document_id == slip.id)
            )
        )
        assert recipients == {county["township1"], county["department1"], county["department2"]}
        assert slip.issuer_id == county["office"]


# Withdrawing


@pytest.mark.parametrize("stage", ["draft", "submitted", "accepted", "dispatched"])
def test_a_township_withdraws_before_the_first_report(county: County, stage: str) -> None:
    call_id = county.draft() if stage == "draft" else county.submitted()
    if stage == "accepted":
        county.do("dispatcher", Call, call_id, "accept")
    if stage == "dispatched":
        county.do("dispatcher", Call, call_id, "dispatch", {"lead": county["department1"]})
    refusal(Invalid, county, "township1", Call, call_id, "withdraw", {})
    county.do("township1", Call, call_id, "withdraw", {"reason": "已自行解决。"}, LATER)
    assert county.states(call_id)[0] == "withdrawn"


def test_a_call_is_not_withdrawn_after_the_first_report(county: County) -> None:
    call_id, _lead, other = county.dispatched("department1", "department2")
    county.respond("department2", other)
    county.report("department2", other)
    refusal(Conflict, county, "township1", Call, call_id, "withdraw", {"reason": "已解决。"})
    refusal(Conflict, county, "township1", Call, call_id, "withdraw", {})


def test_withdrawing_stops_the_clocks_and_keeps_the_marks(county: County) -> None:
    call_id, only = county.dispatched(when=MONDAY)
    withdrawn = at("2026-11-26 09:00")  # the response was due on the 24th
    county.do("township1", Call, call_id, "withdraw", {"reason": "已解决。"}, withdrawn)
    with county.acting(None) as session:
        one = session.get_one(Assignment, only)
        assert (one.stopped_at, one.next_step_at) == (withdrawn, None)
        assert [str(mark) for mark in one.marks(at("2027-03-01 09:00"))] == ["late_response"]


@pytest.mark.parametrize(
    ("name", "step"), [("department1", "respond"), ("department1", "log_progress"), ("dispatcher", "close_assignment")]
)
def test_nothing_more_is_done_on_an_assignment_of_a_withdrawn_call(county: County, name: str, step: str) -> None:
    call_id, only = county.dispatched()
    county.do("township1", Call, call_id, "withdraw", {"reason": "已解决。"})
    values = {"how": "phone", "whom": "王建国", "text": "…", "reason": "…"}
    refusal(Conflict, county, name, Assignment, only, step, values, at("2026-12-20 09:00"))
    with county.acting(name, at("2026-12-20 09:00")) as session:
        one = session.scalars(sa.select(Assignment).where(Assignment.id == only)).one()
        assert possible(one, county.viewer(name)) == []


def test_a_responded_assignment_of_a_withdrawn_call_is_not_reported(county: County) -> None:
    call_id, only = county.dispatched()
    county.respond("department1", only)
    county.do("township1", Call, call_id, "withdraw", {"reason": "已解决。"})
    refusal(Conflict, county, "department1", Assignment, only, "report", {"result": "办结", "solved": "solved"}, LATER)
    assert county.states(call_id) == ("withdrawn", "responded")


def test_no_progress_is_logged_on_a_closed_call(county: County) -> None:
    call_id, only = reported(county, "department1")
    county.evaluate(call_id, {only: "satisfied"}, LATER)
    refusal(Conflict, county, "department1", Assignment, only, "log_progress", {"text": "补充。"}, LATER)
    refusal(Conflict, county, "department1", Call, call_id, "log_progress", {"text": "补充。"}, LATER)


# Who may, and the order of refusals

STRANGERS = [
    "sysadmin",
    "secadmin",
    "auditor",
    "checklist",
    "legal",
    "assessor",
    "personnel",
    "township2",
    "department2",
    "dispatcher9",
    "township9",
    "department9",
    "city9",
]
READERS = ["director", "supervisor", "leader", "city"]


@pytest.mark.parametrize("name", STRANGERS)
def test_for_those_who_do_not_see_a_call_it_does_not_exist(county: County, name: str) -> None:
    call_id, assignment = county.dispatched("department1")
    for transition in CALL_WORKFLOW.transitions:
        refusal(NotFound, county, name, Call, call_id, transition.name, {})
    for transition in ASSIGNMENT_WORKFLOW.transitions:
        refusal(NotFound, county, name, Assignment, assignment, transition.name, {})


@pytest.mark.parametrize("name", READERS)
def test_those_who_read_are_told_which_steps_are_never_theirs(county: County, name: str) -> None:
    """Offices remark and share, leaders and the director's office give instructions; a city only reads."""
    theirs = {
        "director": {"share", "comment", "instruct"},
        "leader": {"share", "comment", "instruct"},
        "supervisor": {"share", "comment"},
    }
    call_id, assignment = county.dispatched("department1")
    for transition in ON_A_CALL:
        if transition.name not in theirs.get(name, set()) and not transition.name.endswith("_objection"):
            refusal(Forbidden, county, name, Call, call_id, transition.name, {})
    for transition in ASSIGNMENT_WORKFLOW.transitions:
        refusal(Forbidden, county, name, Assignment, assignment, transition.name, {})


def test_steps_of_one_party_are_forbidden_to_the_others(county: County) -> None:
    call_id, lead, other = county.dispatched("department1", "department2")
    for name, model, key, step in (
        ("township1", Call, call_id, "dispatch"), ("township1", Assignment, lead, "respond"), ("township1", Assignment, lead, "close_assignment"),
        ("department1", Assignment, other, "respond"), ("department1", Assignment, other, "report"), ("department1", Call, call_id, "evaluate"),
        ("department1", Call, call_id, "withdraw"), ("dispatcher", Assignment, lead, "respond"), ("dispatcher", Call, call_id, "evaluate"),
    ):  # fmt: skip
        refusal(Forbidden, county, name, model, key, step, {})


def test_a_refusal_says_404_then_403_then_409_then_422(county: County) -> None:
    call_id = county.draft()
    refusal(NotFound, county, "dispatcher", Call, call_id, "dispatch", {"lead": 0})  # a draft is its township's alone
    county.do("township1", Call, call_id, "submit")
    refusal(Forbidden, county, "township1", Call, call_id, "dispatch", {"lead": 0}, version=999)
    refusal(Stale, county, "dispatcher", Call, call_id, "dispatch", {"lead": 0}, version=999)
    refusal(Invalid, county, "dispatcher", Call, call_id, "dispatch", {"lead": 0})
    county.do("dispatcher", Call, call_id, "dispatch", {"lead": county["department1"]})
    refusal(Conflict, county, "dispatcher", Call, call_id, "dispatch", {"lead": 0})


def test_an_unknown_step_or_record_is_not_found(county: County) -> None:
    call_id = county.submitted()
    refusal(NotFound, county, "dispatcher", Call, call_id, "explode")
    for key in (0, -1, 10**9, 2**63, 2**200):
        refusal(NotFound, county, "dispatcher", Call, key, "accept")


PERFORMED_BY = {"request_long_term": "department1", "grant_objection": "director", "refuse_objection": "director"}
OF_A_REQUEST = {"approve_long_term", "refuse_long_term", "decide_escalation"}
"""Belong to whom something was asked of, and to nobody while nothing is asked."""


@pytest.mark.parametrize(
    "transition", [one for one in ON_A_CALL if one.name not in OF_A_REQUEST], ids=lambda one: one.name
)
def test_every_step_of_a_call_is_refused_in_every_other_state(county: County, transition: Any) -> None:
    call_id, _assignment = county.dispatched("department1")
    name = PERFORMED_BY.get(transition.name) or ("dispatcher" if "dispatcher" in transition.roles else "township1")
    for state in CALL_WORKFLOW.states:
        if state.value in transition.sources or state.value == "draft":
            continue
        with county.acting(None) as session:
            session.get_one(Call, call_id).state = state
        refusal(Conflict, county, name, Call, call_id, transition.name, {"reason": "…", "text": "…"})


@pytest.mark.parametrize("transition", ASSIGNMENT_WORKFLOW.transitions, ids=lambda one: one.name)
def test_every_step_of_an_assignment_is_refused_in_every_other_state(county: County, transition: Any) -> None:
    _call, assignment = county.dispatched("department1")
    name = "dispatcher" if "dispatcher" in transition.roles else "department1"
    for state in ASSIGNMENT_WORKFLOW.states:
        if state.value in transition.sources:
            continue
        with county.acting(None) as session:
            session.get_one(Assignment, assignment).state = state
        refusal(Conflict, county, name, Assignment, assignment, transition.name, {"reason": "…", "text": "…"})


def test_a_step_on_a_record_changed_meanwhile_is_refused(county: County) -> None:
    call_id = county.submitted()
    with county.acting(None) as session:
        shown = session.get_one(Call, call_id).version
    county.do("dispatcher", Call, call_id, "accept", version=shown)
    refusal(Stale, county, "dispatcher", Call, call_id, "dispatch", {"lead": county["department1"]}, version=shown)


def test_without_the_permission_a_role_is_of_no_use(county: County) -> None:
    call_id = county.submitted()
    with county.acting(None) as session:
        session.connection().execute(
            sa.text(
                "DELETE FROM ab_permission_view_role WHERE permission_view_id IN (SELECT pv.id FROM ab_permission_view pv"
                " JOIN ab_permission p ON p.id = pv.permission_id WHERE p.name = 'can_accept')"
            )
        )
    county.forget()
    refusal(Forbidden, county, "dispatcher", Call, call_id, "accept")


def test_a_step_stamps_the_records_it_changes_with_the_person_who_did_it(county: County) -> None:
    call_id, assignment_id = county.dispatched("department1")
    with county.acting(None) as session:
        assert session.get_one(Call, call_id).changed_by_id == county.people["dispatcher"]
        assert session.get_one(Assignment, assignment_id).created_by_id == county.people["dispatcher"]
