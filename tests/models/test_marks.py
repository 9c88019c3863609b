"""Marks recomputed from the events alone, over random lives of calls: exactly as 2.2 defines them, and as the assignments say.

The reckoning knows the rules and the events, and none of the columns: limits are written here once more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test
from sqlalchemy.orm import Session

from app.database import transaction
from models import clock
from models.automatic import sweep_automatic
from models.call import Assignment, Call
from models.call_moments import times_spent
from models.call_words import AssignmentState, CallState
from models.event import Event, EventValue
from models.milestone import LongTerm, LongTermState, Milestone, MilestoneState
from models.refusal import Refused
from models.time_spent import Link
from models.worktime import Limit, Unit, WorkCalendar
from tests.conftest import Installation
from tests.county import County, at
from tests.models.test_life_of_calls import PEOPLE, LifeOfCalls

CALENDAR = WorkCalendar.for_years((2026, 2027, 2028))


def days(count: int) -> Limit:
    return Limit(count, Unit.working_days)


@dataclass
class Reckoned:
    """One department in a call, as the events tell of it."""

    department: int
    emergency: bool
    respond_due: datetime
    report_due: datetime
    round: int = 1
    responded: datetime | None = None
    paused: datetime | None = None
    stopped: datetime | None = None
    missed: bool = False
    in_hand: bool = True
    """Until a return is upheld or another department put in its place."""
    asks_back: bool = False
    """A return request waits for its ruling."""
    reports: dict[int, tuple[datetime, datetime]] = field(default_factory=dict)
    """The report that counts of each round, and its deadline."""
    first_report: datetime | None = None
    """Nothing is left to respond to."""

    @property
    def at_work(self) -> bool:
        return self.in_hand and self.stopped is None

    def give_back(self, at: datetime) -> None:
        self.stopped, self.paused = self.stopped or self.paused or at, None
        self.in_hand = self.asks_back = False

    def report(self, at: datetime, due: datetime) -> None:
        self.reports[self.round] = (at, due)
        self.stopped = at
        self.first_report = self.first_report or at

    def marks(self, now: datetime) -> list[str]:
        until = min(one for one in (now, self.stopped, self.paused, self.first_report) if one is not None)
        by = self.responded or until
        red = self.respond_due + timedelta(hours=24)
        if not self.emergency:
            red = CALENDAR.step_after(self.respond_due, days(3))
        found = []
        if by > self.respond_due:
            found.append("late_response" if by < red else "no_response")
        if any(at > due for at, due in self.reports.values()):
            found.append("late_report")
        return found


class Reckoning:
    """Reads the events of one call from the first to the last."""

    def __init__(self, session: Session, call_id: int) -> None:
        self.emergency = False
        rows = session.execute(
            sa.select(Assignment.id, Assignment.department_id)
            .where(Assignment.call_id == call_id)
            .order_by(Assignment.id)
        )
        self.waiting: dict[int, list[int]] = defaultdict(list)
        for key, department in rows:
            self.waiting[department].append(key)
        self.of: dict[int, Reckoned] = {}
        self.complex = self.completed = False
        self.plan = 0
        """How many plans were asked for by now."""
        self.plans: dict[int, list[tuple[int, datetime]]] = defaultdict(list)
        """Department and end of each milestone, by plan."""
        plan_ids = session.scalars(sa.select(LongTerm.id).where(LongTerm.call_id == call_id).order_by(LongTerm.id))
        places = {key: place for place, key in enumerate(plan_ids, 1)}
        for key, department, day in session.execute(
            sa.select(Milestone.long_term_id, Milestone.department_id, Milestone.day).where(
                Milestone.long_term_id.in_(places)
            )
        ):
            self.plans[places[key]].append((department, CALENDAR.close_of_day(day)))
        values: dict[int, dict[str, Any]] = defaultdict(dict)
        for event_id, name, value in session.execute(
            sa.select(EventValue.event_id, EventValue.name, EventValue.value)
            .join(Event, Event.id == EventValue.event_id)
            .where(Event.thread_type == "call", Event.thread_id == call_id)
        ):
            values[event_id][name] = value
        for event in session.scalars(
            sa.select(Event).where(Event.thread_type == "call", Event.thread_id == call_id).order_by(Event.sequence)
        ):
            step = getattr(self, f"{event.record_type}_{event.name}", None)
            if step is not None and event.kind in ("transition", "automatic"):
                step(event.record_id, event.at, values[event.id])

    def assign(self, departments: list[int], at: datetime, *, joint: bool, values: Mapping[str, Any]) -> None:
        respond, report = CALENDAR.deadline(at, days(1)), CALENDAR.deadline(at, days(10 if joint else 5))
        if self.emergency:
            respond, report = at + timedelta(minutes=30), at + timedelta(hours=24)
        respond = datetime.fromisoformat(values["respond_due"]) if "respond_due" in values else respond
        report = datetime.fromisoformat(values["report_due"]) if "report_due" in values else report
        for department in departments:
            self.of[self.waiting[department].pop(0)] = Reckoned(department, self.emergency, respond, report)

    def holding(self, department: int) -> Reckoned | None:
        return next((one for one in self.of.values() if one.department == department and one.in_hand), None)

    def of_call(self) -> list[Reckoned]:
        return [one for one in self.of.values() if one.in_hand]

    def call_submit(self, _key: int, at: datetime, values: Mapping[str, Any]) -> None:
        if "departments" in values:
            self.emergency = True
            chosen = [one["id"] for one in values["departments"]]
            self.assign(chosen, at, joint=len(chosen) > 1, values={})

    def call_dispatch(self, _key: int, at: datetime, values: Mapping[str, Any]) -> None:
        chosen = [values["lead"]["id"], *(one["id"] for one in values.get("cooperating", []))]
        self.complex = bool(values.get("complex"))
        self.assign(chosen, at, joint=len(chosen) > 1 or self.complex, values=values)

    def call_add_department(self, _key: int, at: datetime, values: Mapping[str, Any]) -> None:
        """The others keep their deadlines; the new one's clocks run from now, of a joint call."""
        self.assign([values["department"]["id"]], at, joint=True, values={})

    def call_reassign(self, _key: int, at: datetime, values: Mapping[str, Any]) -> None:
        """The replaced one's marks stay. Who cooperates already and leads now keeps his clocks."""
        self.of[values["assignment"]["id"]].give_back(at)
        if self.holding(values["department"]["id"]) is None:
            self.assign([values["department"]["id"]], at, joint=True, values={})

    def call_regularise(self, _key: int, at: datetime, values: Mapping[str, Any]) -> None:
        """Targets as named; who is taken out keeps his marks. If it is none: general clocks from this instant, emergency marks void for all."""
        wanted = [one["id"] for one in values["departments"]]
        general = not values.get("emergency")
        self.emergency = not general
        for one in self.of_call():
            if one.department not in wanted:
                one.give_back(at)
        new = [one for one in wanted if self.holding(one) is None]
        self.assign(new, at, joint=True, values={})
        if not general:
            return
        joint = len(self.of_call()) > 1
        respond, report = CALENDAR.deadline(at, days(1)), CALENDAR.deadline(at, days(10 if joint else 5))
        for one in self.of.values():
            one.emergency = False
            one.respond_due, one.report_due = respond, report
            one.reports = {round_: (when, report) for round_, (when, _due) in one.reports.items()}
            if one.asks_back:
                one.paused = at

    def call_request_long_term(self, _key: int, _at: datetime, _values: Mapping[str, Any]) -> None:
        """Until it is approved the deadlines stay, and then the milestones' stand in their place."""
        self.plan += 1

    def call_end_long_term(self, _key: int, at: datetime, _values: Mapping[str, Any]) -> None:
        """The report clocks begin again; whoever has not responded still must, by his old deadline."""
        self.begin_reports(at)

    def begin_reports(self, at: datetime) -> None:
        due = CALENDAR.deadline(at, days(10 if len(self.of) > 1 or self.complex else 5))
        if self.emergency:
            due = at + timedelta(hours=24)
        for one in self.of.values():
            if one.at_work:
                one.report_due = due

    def call_plan_completed(self, _key: int, at: datetime, _values: Mapping[str, Any]) -> None:
        """All that are at work count as reported, each against its own last milestone, or the last of all."""
        self.completed = True
        for one in self.of.values():
            if one.at_work and not one.asks_back:
                milestones = self.plans[self.plan]
                own = [due for department, due in milestones if department == one.department]
                one.report(at, max(own or [due for _department, due in milestones]))
        self.begin_reports(at)

    def assignment_respond(self, key: int, at: datetime, _values: Mapping[str, Any]) -> None:
        self.of[key].responded = at

    def assignment_report(self, key: int, at: datetime, _values: Mapping[str, Any]) -> None:
        one = self.of[key]
        one.report(at, one.report_due)

    def assignment_close_assignment(self, key: int, at: datetime, _values: Mapping[str, Any]) -> None:
        self.of[key].stopped, self.of[key].missed = at, True

    def assignment_request_return(self, key: int, at: datetime, _values: Mapping[str, Any]) -> None:
        self.of[key].asks_back = True
        if not self.emergency:
            self.of[key].paused = at

    def assignment_reject_return(self, key: int, at: datetime, _values: Mapping[str, Any]) -> None:
        """Gives back exactly the time it took."""
        one = self.of[key]
        one.asks_back = False
        if one.paused is not None:
            taken = CALENDAR.worked(one.paused, at)
            if taken:
                one.respond_due = CALENDAR.advance(one.respond_due, taken)
                one.report_due = CALENDAR.advance(one.report_due, taken)
            one.paused = None

    def assignment_uphold_return(self, key: int, at: datetime, values: Mapping[str, Any]) -> None:
        self.of[key].give_back(at)
        lead = values["lead"]["id"] if "lead" in values else None
        if lead is not None and self.holding(lead) is None:
            self.assign([lead], at, joint=True, values={})

    def assignment_grant_extension(self, key: int, _at: datetime, values: Mapping[str, Any]) -> None:
        self.of[key].report_due = CALENDAR.close_of_day(date.fromisoformat(values["until"]))

    def call_send_back(self, _key: int, at: datetime, values: Mapping[str, Any]) -> None:
        """The old deadline plus the time at the office, at least one working day; the last report counts."""
        for sent in values["assignments"]:
            one = self.of[sent["id"]]
            reported, _due = one.reports[one.round]
            office = CALENDAR.advance(one.report_due, CALENDAR.worked(reported, at))
            due = one.report_due + (at - reported) if self.emergency else office
            one.report_due = max(due, CALENDAR.deadline(at, days(1)))
            one.stopped = None

    def call_evaluate(self, _key: int, at: datetime, values: Mapping[str, Any]) -> None:
        for name, answer in values.items():
            one = self.of[int(name.partition(".")[2])] if name.startswith("evaluation.") else None
            if one is None or one.missed or answer["satisfaction"] != "dissatisfied" or answer["round"] > 1:
                continue
            one.round, one.stopped = 2, None
            one.report_due = CALENDAR.deadline(at, days(3))

    def call_withdraw(self, _key: int, at: datetime, _values: Mapping[str, Any]) -> None:
        for one in self.of.values():
            one.stopped = one.stopped or one.paused or at
            one.paused = None


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
