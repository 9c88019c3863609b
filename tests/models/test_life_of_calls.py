"""Calls driven through random legal and illegal steps by random people, time passing, sweeps: what must hold always (5, Tests)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from app.database import transaction
from models import clock, event
from models.call import Assignment, AssignmentRole, AssignmentState, Call, CallParty, CallState, Evaluation, due_of
from models.event import Event
from models.ladder_steps import LadderStep, open_steps, taken_steps
from models.supervision import NoticeEntry
from models.sweep import sweep
from models.workflow import Refused, permitted
from tests.conftest import Installation
from tests.county import MONDAY, County

PEOPLE = st.sampled_from(
    [
        "township1",
        "township2",
        "department1",
        "department2",
        "department3",
        "department2_leader",
        "dispatcher",
        "supervisor",
        "leader",
        "auditor",
        "township9",
    ]
)
STEPS_OF_CALLS = ["submit", "accept", "dispatch", "evaluate", "log_progress", "withdraw"]
STEPS_OF_ASSIGNMENTS = ["respond", "report", "log_progress", "close_assignment"]
DEPARTMENTS = ["department1", "department2", "department3"]
SEVERITY = {"late_response": 1, "no_response": 2}


class LifeOfCalls(RuleBasedStateMachine):
    """One county's calls; the installation is set by the test."""

    installation: Installation
    reached: set[str]
    """What the walks came to see, over all of them: a walk that never gets anywhere proves nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.installation.fresh("county")
        assert self.installation.county is not None
        self.county: County = self.installation.county
        self.county.forget()
        self.now = MONDAY
        self.calls = [
            self.county.draft("township1", self.now),
            self.county.draft("township2", self.now, kind="emergency"),
        ]
        self.marks: dict[int, list[str]] = {}
        self.events = 0

    # What people do

    @rule(name=PEOPLE, step=st.sampled_from(STEPS_OF_CALLS), place=st.integers(0, 1), data=st.data())
    def step_of_a_call(self, name: str, step: str, place: int, data: st.DataObject) -> None:
        self.attempt(name, Call, self.calls[place], step, self.values_of_call(step, self.calls[place], data))

    @rule(
        name=PEOPLE,
        step=st.sampled_from(STEPS_OF_ASSIGNMENTS),
        place=st.integers(0, 1),
        position=st.integers(0, 2),
        data=st.data(),
    )
    def step_of_an_assignment(self, name: str, step: str, place: int, position: int, data: st.DataObject) -> None:
        keys = self.county.assignments(self.calls[place])
        if position < len(keys):
            self.attempt(name, Assignment, keys[position], step, self.values_of_assignment(data))

    @rule(place=st.integers(0, 1), times=st.integers(1, 5), data=st.data())
    def whatever_is_next(self, place: int, times: int, data: st.DataObject) -> None:
        """Steps that the matter waits for, by those who may take them: else random walks seldom come far."""
        for _ in range(times):
            self.next_step(self.calls[place], data)

    @rule(place=st.integers(0, 1), data=st.data())
    def the_dispatcher_gives_up_waiting(self, place: int, data: st.DataObject) -> None:
        self.now += timedelta(days=40)
        for key in self.county.assignments(self.calls[place]):
            self.attempt("dispatcher", Assignment, key, "close_assignment", self.values_of_assignment(data))

    def next_step(self, call_id: int, data: st.DataObject) -> None:
        with self.county.acting(None) as session:
            call = session.get_one(Call, call_id)
            state, township = call.state, "township1" if call.township_id == self.county["township1"] else "township2"
            waiting = [
                one
                for one in reversed(call.assignments)
                if one.state in (AssignmentState.pending, AssignmentState.responded)
            ]
            names = {number: name for name, number in self.county.organisations.items()}
            work = (waiting[0].id, names[waiting[0].department_id], waiting[0].state) if waiting else None
        if state == CallState.draft:
            self.attempt(township, Call, call_id, "submit", self.values_of_call("submit", call_id, data))
        elif state in (CallState.submitted, CallState.accepted):
            self.attempt("dispatcher", Call, call_id, "dispatch", self.values_of_call("dispatch", call_id, data))
        elif state == CallState.dispatched and work is not None:
            self.attempt(
                work[1],
                Assignment,
                work[0],
                "respond" if work[2] == AssignmentState.pending else "report",
                self.values_of_assignment(data),
            )
        elif state == CallState.reported:
            self.attempt(township, Call, call_id, "evaluate", self.values_of_call("evaluate", call_id, data))

    @rule(hours=st.sampled_from([1, 5, 26, 80, 200, 500]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def the_sweep_runs(self) -> None:
        with self.county.app.app_context(), clock.at(self.now):
            sweep(transaction)
            assert sweep(transaction).steps == 0, "a second sweep at the same instant has nothing to do"

    # How they do it

    def values_of_call(self, step: str, call_id: int, data: st.DataObject) -> dict[str, Any]:
        chosen = data.draw(st.lists(st.sampled_from(DEPARTMENTS), min_size=1, max_size=3, unique=True))
        keys = [self.county[name] for name in chosen]
        if step == "submit":
            return {"departments": keys}
        if step == "dispatch":
            return {"lead": keys[0], "cooperating": keys[1:], "complex": data.draw(st.booleans())}
        if step == "evaluate":
            with self.county.acting(None) as session:
                open_ = [
                    one.id
                    for one in session.get_one(Call, call_id).assignments
                    if one.state == AssignmentState.reported and one.evaluation_of(one.round) is None
                ]
            answers = [data.draw(st.sampled_from(["satisfied", "dissatisfied"])) for _ in open_]
            entries = [
                {"assignment": key, "satisfaction": answer, "solved": "partly", "comment": "意见"}
                for key, answer in zip(open_, answers, strict=True)
            ]
            return {"evaluations": entries, "signed_by": "周书记"}
        return {"text": "进展", "reason": "原因"}

    def values_of_assignment(self, data: st.DataObject) -> dict[str, Any]:
        without = data.draw(st.sampled_from(["", "先行反馈"]))
        return {
            "how": "phone",
            "whom": "王建国",
            "result": "已办",
            "solved": "solved",
            "without_reason": without,
            "text": "进展",
            "reason": "未办",
        }

    def attempt(self, name: str, model: Any, key: int, step: str, values: dict[str, Any]) -> None:
        """A step that may be refused; a refusal changes nothing, a success was permitted and is an event."""
        before = self.picture()
        try:
            self.county.do(name, model, key, step, values, self.now)
        except Refused:
            assert self.picture() == before
            return
        with self.county.acting(None) as session:
            record = session.get_one(model, key)
            assert permitted(model.workflow[step], record, self.county.viewer(name))
            assert self.count(session) > before["events"]

    def count(self, session: Any) -> int:
        return session.scalar(sa.select(sa.func.count()).select_from(Event)) or 0

    def picture(self) -> dict[str, Any]:
        """All that steps could change."""
        with self.county.acting(None) as session:
            return {
                "events": self.count(session),
                "calls": [
                    tuple(row) for row in session.execute(sa.select(sa.inspect(Call).local_table).order_by(Call.id))
                ],
                "assignments": [
                    tuple(row)
                    for row in session.execute(sa.select(sa.inspect(Assignment).local_table).order_by(Assignment.id))
                ],
                "evaluations": session.scalar(sa.select(sa.func.count()).select_from(Evaluation)),
                "parties": sorted(
                    tuple(row)
                    for row in session.execute(sa.select(CallParty.call_id, CallParty.organisation_id, CallParty.state))
                ),
            }

    # What must hold

    @invariant()
    def what_must_hold(self) -> None:
        with self.county.acting(None, self.now) as session:
            for call in session.scalars(sa.select(Call)):
                self.states_are_consistent(call)
                self.reached |= {str(call.state)} | {f"{one.state} in round {one.round}" for one in call.assignments}
                self.parties_are_in_step(session, call)
                for assignment in call.assignments:
                    self.clocks_are_right(session, assignment)
                    self.marks_stay(assignment)
            self.steps_and_evaluations_are_single(session)
            count = self.count(session)
            assert count >= self.events
            self.events = count

    def states_are_consistent(self, call: Call) -> None:
        counting = [one for one in call.assignments if one.state != AssignmentState.returned]
        leads = [one for one in counting if one.role == AssignmentRole.lead]
        if call.state in (CallState.dispatched, CallState.reported, CallState.closed):
            assert len(leads) == 1
        elif call.state != CallState.withdrawn:
            assert call.assignments == []
        settled = all(one.state in (AssignmentState.reported, AssignmentState.missed) for one in counting)
        if call.state == CallState.dispatched:
            assert not settled, "a call whose departments are all through waits for evaluation"
        if call.state in (CallState.reported, CallState.closed):
            assert settled
        if call.state == CallState.closed:
            assert all(one.evaluation_of(one.round) for one in counting if one.state == AssignmentState.reported)
        assert (call.ended_at is not None) == (call.state in (CallState.closed, CallState.withdrawn))
        assert (call.number is None) == (call.submitted_at is None)
        for one in counting:
            assert (one.responded_at is None) <= (one.report_of(one.round) is None)
            assert (one.report_of(one.round) is not None) == (one.state == AssignmentState.reported)
            assert one.round == 1 or any(
                found.round == 1 and found.satisfaction == "dissatisfied" for found in one.evaluations
            )

    def parties_are_in_step(self, session: Any, call: Call) -> None:
        wanted = {call.township_id: ("township", str(call.state), None)}
        wanted |= {one.department_id: (str(one.role), str(one.state), due_of(one)) for one in call.assignments}
        found = session.scalars(sa.select(CallParty).where(CallParty.call_id == call.id))
        assert {one.organisation_id: (one.role, one.state, one.due) for one in found} == wanted

    def clocks_are_right(self, session: Any, assignment: Assignment) -> None:
        steps = open_steps(session, assignment, taken_steps(session, [assignment])[assignment.id])
        assert assignment.next_step_at == (steps[0].at if steps else None)
        running = (
            assignment.state in (AssignmentState.pending, AssignmentState.responded)
            and assignment.call.state == CallState.dispatched
        )
        assert (assignment.stopped_at is None) == running

    def marks_stay(self, assignment: Assignment) -> None:
        """A mark once earned is never lost; a late response may only become none at all."""
        found = [str(mark) for mark in assignment.marks(self.now)]
        assert len(set(found)) == len(found)
        for mark in self.marks.get(assignment.id, []):
            assert mark in found or any(SEVERITY.get(other, 0) > SEVERITY.get(mark, 9) for other in found)
        self.marks[assignment.id] = found
        self.reached |= set(found)

    def steps_and_evaluations_are_single(self, session: Any) -> None:
        rounds = session.execute(sa.select(Evaluation.assignment_id, Evaluation.round)).all()
        assert len(set(rounds)) == len(rounds)
        slips = session.execute(sa.select(NoticeEntry.assignment_id, NoticeEntry.round, NoticeEntry.clock)).all()
        assert len(set(slips)) == len(slips)
        reminded = session.execute(
            sa.select(LadderStep.assignment_id, LadderStep.round, LadderStep.clock).where(LadderStep.step == "reminder")
        ).all()
        assert set(slips) == set(reminded)

    def teardown(self) -> None:
        with self.county.acting(None) as session:
            assert list(event.verify(session)) == []


@pytest.mark.parametrize(
    ("database", "examples"), [pytest.param("sqlite", 15), pytest.param("postgresql", 8, marks=pytest.mark.postgresql)]
)
def test_whatever_people_do_the_rules_hold(database: str, examples: int, request: pytest.FixtureRequest) -> None:
    installation = request.getfixturevalue(f"{database}_installation")
    machine = type("LifeOfCallsHere", (LifeOfCalls,), {"installation": installation, "reached": set()})
    limits = settings(
        max_examples=examples,
        stateful_step_count=30,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=limits)
    assert machine.reached >= {"dispatched", "reported", "closed", "missed in round 1", "no_response"}  # type: ignore[attr-defined]
