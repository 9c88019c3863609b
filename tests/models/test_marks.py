"""Marks over random lives of calls: exactly as 2.2 defines them by the events (`tests.models.reckoning`), and as the assignments say."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from app.database import transaction
from models import clock
from models.automatic import sweep_automatic
from models.call import Assignment, Call
from models.call_moments import times_spent
from models.call_words import AssignmentState, CallState
from models.milestone import LongTermState, Milestone, MilestoneState
from models.refusal import Refused
from models.time_spent import Link
from tests.conftest import Installation
from tests.county import County, at
from tests.models.reckoning import Reckoning
from tests.models.test_life_of_calls import PEOPLE, LifeOfCalls

DEPARTMENTS_ASK = ("request_return", "request_extension")
OFFICE_CHANGES = ("add_department", "reassign", "regularise")
LONG_TERM = (
    "request_long_term", "endorse_long_term", "approve_long_term", "refuse_long_term", "end_long_term", "complete_milestone",
)  # fmt: skip
OFFICE_RULES = ("reject_return", "uphold_return", "grant_extension")


class MarkedLives(LifeOfCalls):
    """The same walks over the steps that the reckoning knows; after every step the marks are reckoned anew."""

    walked = frozenset(
        {
            "submit",
            "accept",
            "dispatch",
            "respond",
            "report",
            "evaluate",
            "withdraw",
            "log_progress",
            "comment",
            *DEPARTMENTS_ASK,
            *OFFICE_RULES,
            "refuse_extension",
            "close_assignment",
            "send_back",
            *OFFICE_CHANGES,
            *LONG_TERM,
        }
    )

    @rule(hours=st.sampled_from([1, 5, 26, 80, 200]))
    def time_passes(self, hours: int) -> None:
        """Nobody gives up waiting: a life that ends early has few marks."""
        self.now += timedelta(hours=hours)

    @rule()
    def the_sweeps_run(self) -> None:
        """Only what moves calls: slips and reminders change no mark."""
        with self.county.app.app_context(), clock.at(self.now):
            sweep_automatic(transaction)

    def attempt(self, name: str, model: Any, key: int, step: str, values: dict[str, Any]) -> None:
        """That a refusal changes nothing is proved by the plain walks."""
        with suppress(Refused):
            self.county.do(name, model, key, step, values, self.now)
            self.reached.add(step)

    @rule(place=st.integers(0, 1), times=st.integers(3, 10), data=st.data())
    def it_goes_on(self, place: int, times: int, data: st.DataObject) -> None:
        """What is next, in time or late, or one of the steps that move deadlines."""
        call_id = self.calls[place]
        for _ in range(times):
            self.now += timedelta(hours=data.draw(st.sampled_from([0, 1, 3, 30, 60])))
            what = data.draw(st.sampled_from(["next", "next", *self.steps_beside(call_id)]))
            if what == "next":
                self.next_step(call_id, Random(data.draw(st.integers(0, 2**32))))
            elif what in OFFICE_CHANGES:
                self.office_changes(call_id, what, data)
            elif what in LONG_TERM:
                self.long_term(call_id, what, data)
            elif what == "send_back":
                self.attempt("dispatcher", Call, call_id, what, {"missing": "照片"})
            else:
                self.of_some_assignment(call_id, what, "dispatcher" if what in OFFICE_RULES else None, data)

    def next_step(self, call_id: int, chance: Random) -> None:
        """The way of a call from its draft to its evaluation, by those whose turn it is."""
        names = {number: called for called, number in self.county.organisations.items()}
        with self.county.acting(None) as session:
            call = session.get_one(Call, call_id)
            township = names[call.township_id]
            turns: dict[CallState, tuple[str, Any, str]] = {
                CallState.draft: (township, call, "submit"),
                CallState.submitted: ("dispatcher", call, "dispatch"),
                CallState.accepted: ("dispatcher", call, "dispatch"),
                CallState.reported: (township, call, "evaluate"),
            }
            for one in call.assignments:
                if one.state in (AssignmentState.pending, AssignmentState.responded):
                    step = "respond" if one.state == AssignmentState.pending else "report"
                    turns[CallState.dispatched] = (names[one.department_id], one, step)
            if call.state not in turns:
                return
            name, record, step = turns[call.state]
            if name not in PEOPLE:
                return
            model, key = type(record), record.id
            values = self.answers(session, model.workflow[step].fields(record), record, chance)
        self.attempt(name, model, key, step, values)

    def steps_beside(self, call_id: int) -> list[str]:
        with self.county.acting(None) as session:
            call = session.get_one(Call, call_id)
            states = {one.state for one in call.assignments}
            if call.state == CallState.reported:
                return ["send_back"]
            if call.state == CallState.long_term:
                return ["complete_milestone", "complete_milestone", "complete_milestone", "end_long_term"]
            changes = [*OFFICE_CHANGES, "regularise"] if call.emergency else list(OFFICE_CHANGES[:2])
            if AssignmentState.return_requested in states:
                return ["uphold_return", "reject_return", "uphold_return", "uphold_return", *changes]
            plan = call.long_terms[-1].state if call.long_terms else None
            going_on = {LongTermState.requested: "endorse_long_term", LongTermState.endorsed: "approve_long_term"}
            longer = [going_on[plan]] * 3 if plan in going_on else ["request_long_term"]
            return [*DEPARTMENTS_ASK, "grant_extension", *changes, *longer] if states else []

    def office_changes(self, call_id: int, step: str, data: st.DataObject) -> None:
        """Another department, one instead of one, or the targets of an emergency put right – which may turn out to be none."""
        departments = [self.county[name] for name in ("department1", "department2", "department3", "department4")]
        chosen = data.draw(st.lists(st.sampled_from(departments), min_size=1, max_size=3, unique=True))
        with self.county.acting(None) as session:
            replaced = data.draw(
                st.sampled_from([str(one.id) for one in session.get_one(Call, call_id).assignments] or ["0"])
            )
        values: dict[str, Any] = {"reason": "分工调整", "department": chosen[0], "assignment": replaced}
        if step == "regularise":
            values = {"departments": chosen, "emergency": data.draw(st.integers(0, 3)) == 0}
        self.attempt("dispatcher", Call, call_id, step, values)

    def long_term(self, call_id: int, step: str, data: st.DataObject) -> None:
        """The plan of the lead department goes its way, or is ended."""
        names = {number: called for called, number in self.county.organisations.items()}
        with self.county.acting(None) as session:
            call = session.get_one(Call, call_id)
            lead = names[call.lead.department_id] if call.lead is not None else ""
            at_work = [str(one.department_id) for one in call.assignments if one.stopped_at is None]
            steps = [(one.id, names[one.department_id]) for one in call.milestones if one.state == MilestoneState.open]
        if step == "complete_milestone":
            if steps:
                key, name = data.draw(st.sampled_from(steps))
            if steps and name in PEOPLE:
                self.attempt(name, Milestone, key, step, {"result": "已完成"})
            return
        ahead = data.draw(st.lists(st.integers(2, 15), min_size=1, max_size=2))
        stages = [
            {
                "text": "分步整治",
                "day": (self.now + timedelta(days=count)).date().isoformat(),
                "department": data.draw(st.sampled_from([None, *at_work])),
            }
            for count in ahead
        ]
        name = {"request_long_term": lead, "approve_long_term": "leader"}.get(step, "dispatcher")
        if name in PEOPLE:
            values = {"plan": "分两步办理", "milestones": stages, "reason": "不再需要"}
            self.attempt(name, Call, call_id, step, values)

    def of_some_assignment(self, call_id: int, step: str, name: str | None, data: st.DataObject) -> None:
        names = {number: called for called, number in self.county.organisations.items()}
        with self.county.acting(None) as session:
            found = [
                (one.id, names[one.department_id])
                for one in session.get_one(Call, call_id).assignments
                if (name is None) == (one.state != AssignmentState.return_requested) or step == "grant_extension"
                if names[one.department_id] in PEOPLE
            ]
        if found:
            key, department = data.draw(st.sampled_from(found))
            until = (self.now + timedelta(days=data.draw(st.integers(1, 12)))).date().isoformat()
            lead = self.county[data.draw(st.sampled_from(["department1", "department2", "department3"]))]
            values = {"reason": "非本局职责", "ruling": "已核", "until": until, "lead": lead}
            self.attempt(name or department, Assignment, key, step, values)

    @invariant()
    def what_must_hold(self) -> None:
        with self.county.acting(None, self.now) as session:
            calls = list(session.scalars(sa.select(Call)))
            times = times_spent(session, calls, self.now)
            for call in calls:
                reckoning = Reckoning(session, call.id)
                reckoned = reckoning.of
                self.reached |= {"plan_completed"} if reckoning.completed else set()
                assert sorted(reckoned) == sorted(one.id for one in call.assignments)
                self.time_adds_up(call, times[call.id])
                for one in call.assignments:
                    found = [str(mark) for mark in one.marks(self.now)]
                    assert found == reckoned[one.id].marks(self.now)
                    self.lateness_agrees(one, found, times[call.id])
                    self.reached |= {*found, f"{one.state}", f"round {one.round}"}
                    self.reached |= {"sent back"} if any(report.attempt > 1 for report in one.reports) else set()

    @staticmethod
    def time_adds_up(call: Call, spent: Any) -> None:
        assert all(one.minutes >= 0 for one in spent.links)
        sequential = sum(one.minutes for one in spent.links if not one.beside)
        assert sequential >= spent.whole
        if len(call.assignments) == 1:
            assert sequential == spent.whole
        if call.state in (CallState.closed, CallState.withdrawn):
            assert all(one.ended is not None for one in spent.links)

    @staticmethod
    def lateness_agrees(assignment: Assignment, marks: list[str], spent: Any) -> None:
        """A response is late exactly where there is a mark, and a report once it is given."""
        links = [one for one in spent.links if one.of == assignment.id]
        response = next(one for one in links if one.link == Link.response)
        assert (response.late is not None) == bool({"late_response", "no_response"} & set(marks))
        reports = [one for one in links if one.link == Link.report]
        if assignment.state == AssignmentState.reported:
            assert any(one.late is not None for one in reports) == ("late_report" in marks)

    def teardown(self) -> None:
        """The chain of events is proved by the plain walks."""


def test_marks_are_what_the_events_tell(sqlite_installation: Installation) -> None:
    machine = type(
        "MarkedLivesHere", (MarkedLives,), {"installation": sqlite_installation, "reached": set(), "tried": [0, 0]}
    )
    limits = settings(
        max_examples=25,
        phases=[Phase.generate],  # to shrink such a long walk takes minutes
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=limits)
    reached: set[str] = machine.reached
    assert reached >= {
        "late_response",
        "no_response",
        "late_report",
        "returned",
        "round 2",
        "sent back",
        "add_department",
        "reassign",
        "regularise",
        "approve_long_term",
        "end_long_term",
        "plan_completed",
    }


def test_an_emergency_that_turns_out_to_be_none_is_reckoned_alike(county: County) -> None:
    """Emergency marks are void, clocks are general from that instant; also for the department taken out (2.1)."""
    call_id, *_first = county.emergency("department3", "department4")
    regular = at("2026-11-23 11:00")
    county.do(
        "dispatcher",
        Call,
        call_id,
        "regularise",
        {"departments": [county["department4"], county["department1"]], "emergency": False},
        regular,
    )
    told = []
    for now in (regular, at("2026-11-24 17:30"), at("2026-11-24 17:31"), at("2026-12-04 09:00")):
        with county.acting(None, now) as session:
            reckoned = Reckoning(session, call_id).of
            found = {
                one.id: [str(mark) for mark in one.marks(now)] for one in session.get_one(Call, call_id).assignments
            }
            assert found == {key: one.marks(now) for key, one in reckoned.items()}
            told.append(sorted(mark for marks in found.values() for mark in marks))
    assert told == [[], [], ["late_response"] * 2, ["no_response"] * 2]
