"""Marks reckoned from the events of a call alone, by the rules of 2.2 and none of the program's columns: limits are written here once more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.call import Assignment
from models.event import Event, EventValue
from models.milestone import LongTerm, Milestone
from models.worktime import Limit, Unit, WorkCalendar

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
