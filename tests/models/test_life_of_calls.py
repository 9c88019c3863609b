"""Calls driven through random legal and illegal steps by random people, time passing, sweeps: what must hold always (5, Tests)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from app.database import transaction
from models import clock, event
from models.automatic import sweep_automatic
from models.base import RECORD_TYPES
from models.call import Assignment, Call
from models.call_party import CallParty, due_of
from models.call_report import Evaluation
from models.call_words import AssignmentRole, AssignmentState, CallState
from models.convening import Convening
from models.event import Event
from models.extension import Extension
from models.field import Field
from models.ladder_steps import LadderStep, open_steps, taken_steps
from models.milestone import LongTerm, Milestone
from models.organisation import OrganisationKind
from models.party_clocks import ClockStep, sweep_parties
from models.refusal import Refused
from models.return_request import ReturnRequest
from models.supervision import Notice, NoticeEntry, NoticeKind
from models.sweep import sweep
from models.workflow import permitted, possible
from tests.conftest import Installation
from tests.county import MONDAY, County

PEOPLE = (
    "township1", "township2", "department1", "department2", "department3", "department2_leader", "dispatcher", "director", "duty",
    "supervisor", "checklist", "leader", "auditor", "township9",
)  # fmt: skip
SEEDS = st.integers(0, 2**32)
SELDOM = {
    "withdraw",
    "comment",
    "share",
    "instruct",
    "log_progress",
    "urge",
    "merge",
    "follow_up",
    "take",
    "hand_on",
}
"""Steps that end a life early or lead nowhere: walked less often."""
OFTEN = {
    "acknowledge",
    "evaluate",
    "request_return",
    "uphold_return",
    "reject_return",
    "request_extension",
    "grant_extension",
    "regularise",
}
IN_A_ROW = (*[("",)] * 5, ("request_long_term", "endorse_long_term", "approve_long_term"))
"""What is done next: any step, or now and then three people's steps that by chance seldom come before everybody has reported."""
SEVERITY = {"late_response": 1, "no_response": 2}
MARKS_MOVE = {
    "reject_return", "regularise", "send_back", "grant_extension", "approve_long_term", "end_long_term", "complete_milestone",
    "report", "change_evaluation",
}  # fmt: skip
"""Steps by whose rule a deadline moves, or the last report counts: marks are judged anew."""
BUSY = (AssignmentState.pending, AssignmentState.responded, AssignmentState.return_requested)
ZONE = ZoneInfo("Asia/Shanghai")


def _weight(step: str) -> int:
    return 1 if step in SELDOM else 30 if step in OFTEN or step.endswith(("_long_term", "_milestone")) else 8


class LifeOfCalls(RuleBasedStateMachine):
    """One county's calls; the installation is set by the test."""

    installation: Installation
    reached: set[str]
    """What the walks came to see, over all of them: a walk that never gets anywhere proves nothing."""
    walked: frozenset[str] = frozenset()
    """The steps that these walks take; empty for all."""
    tried: list[int]
    """Steps attempted and steps done, over all walks."""

    def __init__(self) -> None:
        super().__init__()
        self.installation.fresh("county")
        assert self.installation.county is not None
        self.county: County = self.installation.county
        self.county.forget()
        for name in PEOPLE:
            self.county.viewer(name)  # looked up before a writing transaction is open
        self.now = MONDAY
        self.calls = [
            self.county.draft("township1", self.now),
            self.county.draft("township2", self.now, kind="emergency"),
        ]
        self.marks: dict[int, list[str]] = {}
        self.events = 0

    # What people do

    @rule(seed=SEEDS, times=st.integers(1, 6))
    def anybody_tries_anything(self, seed: int, times: int) -> None:
        """Mostly refused."""
        chance = Random(seed)
        for _ in range(times):
            self.any_step(chance)

    def any_step(self, chance: Random) -> None:
        with self.county.acting(None, self.now) as session:
            record = chance.choice(self.records(session, chance.choice(self.calls)))
            model, key = type(record), record.id
            found = [one for one in model.workflow.transitions if not one.begins and self.walks(one.name)]
            if not found:
                return
            transition = chance.choice(found)
            values = self.answers(session, transition.fields(record), record, chance)
        self.attempt(chance.choice(PEOPLE), model, key, transition.name, values)

    @rule(seed=SEEDS, times=st.integers(3, 12))
    def somebody_does_what_is_his(self, seed: int, times: int) -> None:
        """Steps that are possible now, by those who may take them: else random walks seldom come far."""
        chance = Random(seed)
        for _ in range(times):
            for step in chance.choice(IN_A_ROW):
                self.legal_step(chance, step)
            self.now += timedelta(minutes=chance.choice((5, 20, 90)))

    def legal_step(self, chance: Random, only: str = "") -> None:
        with self.county.acting(None, self.now) as session:
            found = [
                (name, record, transition)
                for record in self.records(session, chance.choice(self.calls))
                for name in PEOPLE
                for transition in possible(record, self.county.viewer(name))
                if self.walks(transition.name) and only in ("", transition.name)
            ]
            if not found:
                return
            weights = [_weight(transition.name) for _name, _record, transition in found]
            name, record, transition = chance.choices(found, weights)[0]
            model, key = type(record), record.id
            values = self.answers(session, transition.fields(record), record, chance)
        self.attempt(name, model, key, transition.name, values)

    @rule(hours=st.sampled_from([1, 3, 5, 26, 50, 80, 200, 960, 960]))
    def time_passes(self, hours: int) -> None:
        """After a very long time the dispatcher gives up waiting."""
        self.now += timedelta(hours=hours)
        if hours > 900:
            for call_id in self.calls:
                for key in self.county.assignments(call_id):
                    self.attempt("dispatcher", Assignment, key, "close_assignment", {"reason": "未办"})

    @rule()
    def the_sweeps_run(self) -> None:
        with self.county.app.app_context(), clock.at(self.now):
            sweep_automatic(transaction)
            sweep(transaction)
            sweep_parties(transaction)
            assert sweep(transaction).steps == 0, "a second sweep at the same instant has nothing to do"
            assert sweep_parties(transaction) == 0
            assert sweep_automatic(transaction) == 0

    # How they do it

    def walks(self, step: str) -> bool:
        return not self.walked or step in self.walked

    def records(self, session: Any, call_id: int) -> Sequence[Any]:
        """Everything of a call that has steps."""
        call = session.get_one(Call, call_id)
        return [call, *call.assignments, *call.milestones, *call.convenings]

    def answers(self, session: Any, fields: Sequence[Field], record: Any, chance: Random) -> dict[str, Any]:
        return {asked.name: self.answer(session, asked, record, chance) for asked in fields}

    def answer(self, session: Any, asked: Field, record: Any, chance: Random) -> Any:
        """Something that fits a question, most of the time."""
        if not asked.required and asked.kind not in ("entries", "long_text") and chance.random() < 0.5:
            return None
        if asked.default is not None and asked.kind in ("date", "choice", "references") and chance.random() < 0.6:
            # what the form has filled in already
            return asked.prefill(record, self.county.viewer("dispatcher"))
        match asked.kind:
            case "boolean":
                return chance.random() < 0.5
            case "integer":
                return 1
            case "date":
                return (self.now.astimezone(ZONE) + timedelta(days=chance.randint(1, 18))).date().isoformat()
            case "datetime":
                return (self.now + timedelta(hours=chance.randint(-2, 40))).isoformat()
            case "choice":
                options = [value for value, _label in asked.options(record)]
                return chance.choice(options) if options else None
            case "choices":
                options = [value for value, _label in asked.options(record)]
                return chance.sample(options, chance.randint(0, len(options)))
            case "reference":
                return chance.choice(self.keys(session, asked, record))
            case "references":
                keys = self.keys(session, asked, record)
                return chance.sample(keys, min(len(keys), chance.randint(1, 3)))
            case "entries" if asked.entry_rows is not None:
                return [
                    {**self.answers(session, asked.entries, record, chance), **row} for row in asked.entry_rows(record)
                ]
            case "entries":
                return [self.answers(session, asked.entries, record, chance) for _ in range(chance.randint(1, 2))]
            case _:
                return "说明"

    def keys(self, session: Any, asked: Field, record: Any) -> list[int]:
        if asked.target == "organisation":
            kinds = [str(kind) for kind in (asked.only or {}).get("kind", [OrganisationKind.department])]
            wanted = [name for name in self.county.organisations if any(kind in name for kind in kinds)]
            return sorted({self.county[name] for name in wanted or ["department1"]})
        if asked.target == "call":
            return self.calls
        if asked.target == "person":
            return [self.county.people[name] for name in ("department1", "department2", "township1")]
        return [
            session.scalars(sa.select(RECORD_TYPES[asked.target].id).order_by(RECORD_TYPES[asked.target].id)).first()
            or 1
        ]

    def attempt(self, name: str, model: Any, key: int, step: str, values: dict[str, Any]) -> None:
        """A step that may be refused; a refusal changes nothing, a success was permitted and is an event."""
        before = self.picture()
        self.tried[0] += 1
        try:
            self.county.do(name, model, key, step, values, self.now)
        except Refused:
            assert self.picture() == before
            return
        self.tried[1] += 1
        self.reached.add(step)
        if step in MARKS_MOVE:
            self.marks.clear()
        with self.county.acting(None, self.now) as session:
            record = session.get_one(model, key)
            assert (
                model is not Assignment
                or permitted(model.workflow[step], record, self.county.viewer(name))
                or (step.endswith("_return"))
            )
            assert self.count(session) > before["events"]
            if step == "follow_up":
                return
            if step in ("request_return", "request_extension", "request_long_term", "escalate"):
                self.reached.add(f"asked:{step}")

    def count(self, session: Any) -> int:
        return session.scalar(sa.select(sa.func.count()).select_from(Event)) or 0

    def picture(self) -> dict[str, Any]:
        """All that steps could change."""
        tables = (Call, Assignment, Milestone, Convening, LongTerm, ReturnRequest, Extension)
        with self.county.acting(None) as session:
            return {
                "events": self.count(session),
                "evaluations": session.scalar(sa.select(sa.func.count()).select_from(Evaluation)),
                **{
                    model.__name__: [
                        tuple(row)
                        for row in session.connection().execute(sa.select(sa.inspect(model).local_table).order_by("id"))
                    ]
                    for model in tables
                },
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
            self.nobody_rules_on_his_own_request(session)
            count = self.count(session)
            assert count >= self.events
            self.events = count

    def states_are_consistent(self, call: Call) -> None:
        counting = [one for one in call.assignments if one.state != AssignmentState.returned]
        leads = [one for one in counting if one.role == AssignmentRole.lead]
        in_hand = (CallState.dispatched, CallState.long_term)
        if call.state in (*in_hand, CallState.reported, CallState.closed):
            assert len(leads) == 1
        elif call.state != CallState.withdrawn:
            assert call.assignments == []
        settled = all(one.state in (AssignmentState.reported, AssignmentState.missed) for one in counting)
        if call.state in in_hand:
            assert not settled, "a call whose departments are all through waits for evaluation"
        if call.state in (CallState.reported, CallState.closed):
            assert settled
        assert (call.evaluate_due is not None) == (call.state == CallState.reported)
        if call.state == CallState.closed and call.evaluated_at is not None:
            assert all(one.evaluation_of(one.round) for one in counting if one.state == AssignmentState.reported)
        assert (call.ended_at is not None) == (
            call.state in (CallState.closed, CallState.withdrawn, CallState.declined)
        )
        assert (call.number is None) == (call.submitted_at is None)
        assert (call.state == CallState.long_term) == any(plan.state == "approved" for plan in call.long_terms)
        for one in counting:
            assert one.state != AssignmentState.reported or one.report_of(one.round) is not None
            assert (one.paused_at is not None) == (
                one.state == AssignmentState.return_requested and not call.emergency and one.stopped_at is None
            )
            assert one.round == 1 or any(
                found.round == 1 and found.satisfaction == "dissatisfied" for found in one.evaluations
            )

    def parties_are_in_step(self, session: Any, call: Call) -> None:
        wanted: dict[int, tuple[str, str, Any]] = {call.township_id: ("township", str(call.state), None)}
        for one in sorted(call.assignments, key=lambda one: one.state != AssignmentState.returned):
            wanted[one.department_id] = (str(one.role), str(one.state), due_of(one))
        found = {
            one.organisation_id: (one.role, one.state, one.due)
            for one in session.scalars(sa.select(CallParty).where(CallParty.call_id == call.id))
        }
        readers = {key: row for key, row in found.items() if row[0] in ("shared", "convened", "handed_on")}
        assert {key: row for key, row in found.items() if key not in readers} == wanted

    def clocks_are_right(self, session: Any, assignment: Assignment) -> None:
        steps = open_steps(session, assignment, taken_steps(session, [assignment])[assignment.id])
        assert assignment.next_step_at == (steps[0].at if steps else None)
        running = assignment.state in BUSY and assignment.call.state in (CallState.dispatched, CallState.long_term)
        assert (assignment.stopped_at is None) == running
        assert assignment.respond_due >= assignment.assigned_at
        assert assignment.report_due >= assignment.assigned_at
        assert assignment.respond_red_at >= assignment.respond_due

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
        for kind, step in ((NoticeKind.reminder, "reminder"), (NoticeKind.supervision, "supervision")):
            slips = session.execute(
                sa.select(NoticeEntry.assignment_id, NoticeEntry.round, NoticeEntry.clock)
                .join(Notice, Notice.id == NoticeEntry.notice_id)
                .where(Notice.kind == kind)
            ).all()
            assert len(set(slips)) == len(slips)
            taken = session.execute(
                sa.select(LadderStep.assignment_id, LadderStep.round, LadderStep.clock).where(LadderStep.step == step)
            ).all()
            assert set(slips) == set(taken)
        told = session.execute(
            sa.select(ClockStep.record_type, ClockStep.record_id, ClockStep.clock, ClockStep.due)
        ).all()
        self.reached |= {f"clock:{row.clock}" for row in told}

    def nobody_rules_on_his_own_request(self, session: Any) -> None:
        for request in session.scalars(sa.select(ReturnRequest)):
            assert request.ruled_by_id is None or request.ruled_by_id != request.requested_by_id
        for extension in session.scalars(sa.select(Extension)):
            assert extension.answered_by_id is None or extension.answered_by_id != extension.requested_by_id
        for plan in session.scalars(sa.select(LongTerm)):
            assert plan.leader_id is None or plan.leader_id != plan.requested_by_id

    def teardown(self) -> None:
        with self.county.acting(None) as session:
            assert list(event.verify(session)) == []


CORE = {"dispatched", "reported", "closed", "long_term", "uphold_return", "reject_return", "evaluate", "regularise"}
WALKED = CORE | {
    "declined", "missed in round 1", "responded in round 2", "late_response", "no_response", "request_return", "request_extension",
    "grant_extension", "request_long_term", "approve_long_term", "complete_milestone", "convene", "escalate", "decide_escalation", "reassign",
    "add_department", "acknowledge",
}  # fmt: skip
"""What the walks must have come through."""


@pytest.mark.parametrize(
    ("database", "examples", "through"),
    [
        pytest.param("sqlite", 20, WALKED, id="sqlite"),
        pytest.param("postgresql", 10, CORE, id="postgresql", marks=pytest.mark.postgresql),
    ],
)
def test_whatever_people_do_the_rules_hold(
    database: str, examples: int, through: set[str], request: pytest.FixtureRequest
) -> None:
    installation = request.getfixturevalue(f"{database}_installation")
    machine = type("LifeOfCallsHere", (LifeOfCalls,), {"installation": installation, "reached": set(), "tried": [0, 0]})
    limits = settings(
        max_examples=examples,
        stateful_step_count=50,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),  # a walk is read as it is; making it shorter takes minutes
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=limits)
    tried, done = machine.tried
    assert tried >= 50 * examples, tried
    assert done >= 15 * examples, done
    assert machine.reached >= through, through - machine.reached
