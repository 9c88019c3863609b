"""The history that `models.time_spent` counts from: a call's moments, read from its events and columns. Order is the events', deadlines and judged instants the columns'."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from models import viewer
from models.calendar import work_calendar
from models.call import Assignment, AssignmentState, Call, Report, Satisfaction
from models.event import Event, EventValue
from models.milestone import LongTermState, Milestone
from models.setting import setting
from models.time_spent import Minutes, Moment, TimeSpent, What, time_spent

TOLD = ("evaluate", "change_evaluation", "send_back")
"""Steps whose values say which departments they meant."""


def times_spent(session: Session, calls: Sequence[Call], now: datetime) -> dict[int, TimeSpent]:
    """Where the time of each call went, by its key.

    Read as the system: how long a department took is seen by everybody who sees the call, whichever of the evaluations
    that sent it back to work he may read.
    """
    with viewer.system():
        events = _events(session, calls)
        whole = {call.id: call for call in _loaded(session, calls)}
        return {
            key: time_spent(_Reading(session, whole[key]).moments(found), minutes_of(session, whole[key]), now)
            for key, found in events.items()
        }


def minutes_of(session: Session, call: Call) -> Minutes:
    """How minutes of a call are counted: in working time, in an emergency by the wall clock (2.1)."""
    return _wall_minutes if call.emergency else work_calendar(session, call.county_id).minutes_between


def _wall_minutes(start: datetime, end: datetime) -> int:
    return int((end - start).total_seconds() // 60)


def _loaded(session: Session, calls: Sequence[Call]) -> Sequence[Call]:
    """The calls with all that is read of them, in a few statements however many they are."""
    departments = selectinload(Call.assignments)
    return session.scalars(
        sa.select(Call)
        .where(Call.id.in_([call.id for call in calls]))
        .options(
            departments.selectinload(Assignment.reports),
            departments.selectinload(Assignment.return_request),
            departments.selectinload(Assignment.extension),
            selectinload(Call.long_terms),
            selectinload(Call.escalations),
            selectinload(Call.milestones),
        )
    ).all()


@dataclass(frozen=True)
class _Happened:
    name: str
    record_id: int
    at: datetime
    values: Mapping[str, Any]


def _events(session: Session, calls: Sequence[Call]) -> dict[int, list[_Happened]]:
    """The steps of each call in their order, with the values of those that are read by them."""
    table, value = sa.inspect(Event).local_table, sa.inspect(EventValue).local_table
    of_calls = (table.c.thread_type == "call", table.c.thread_id.in_([call.id for call in calls]))
    connection = session.connection()
    values: dict[int, dict[str, Any]] = defaultdict(dict)
    for row in connection.execute(
        sa.select(value.c.event_id, value.c.name, value.c.value)
        .join(table, table.c.id == value.c.event_id)
        .where(*of_calls, table.c.name.in_(TOLD))
    ):
        values[row.event_id][row.name] = row.value
    found: dict[int, list[_Happened]] = {call.id: [] for call in calls}
    for row in connection.execute(
        sa.select(table.c.id, table.c.thread_id, table.c.name, table.c.record_id, table.c.at)
        .where(*of_calls, table.c.kind.in_(("transition", "automatic")))
        .order_by(table.c.thread_id, table.c.sequence)
    ):
        found[row.thread_id].append(_Happened(row.name, row.record_id, row.at, values.get(row.id, {})))
    return found


Reader = Callable[["_Reading", _Happened], Iterator[Moment]]


@dataclass
class _Reading:
    """Goes through the events of one call."""

    session: Session
    call: Call
    assigned: set[int] = field(default_factory=set)
    given_back: set[int] = field(default_factory=set)
    milestones: set[int] = field(default_factory=set)
    reports: dict[int, int] = field(default_factory=dict)
    """How many reports of each assignment were met so far."""
    second_round: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.departments = {one.id: one for one in self.call.assignments}

    def moments(self, events: Sequence[_Happened]) -> Iterator[Moment]:
        starts = [one.at for one in events if one.name in ("submit", "grant_objection", "enter_by_phone")]
        self.last_start = max(starts, default=None)
        accepts = [one.at for one in events if one.name == "accept"]
        self.last_accept = max(accepts, default=None)
        for one in events:
            if one.name in READERS:
                yield from READERS[one.name](self, one)
            yield from self._newly_assigned(one)
            yield from self._milestones(one)

    def _limit(self, start: datetime, name: str) -> datetime:
        """A deadline that the record keeps no more: by the limit in force."""
        limit = setting(self.session, self.call.county_id, name)
        return work_calendar(self.session, self.call.county_id).deadline(start, limit)

    # The office and the township

    def submitted(self, one: _Happened) -> Iterator[Moment]:
        start = one.at
        if one.name == "enter_by_phone" and self.call.phoned_at is not None:
            start = self.call.phoned_at
        kept = self.call.accept_due if one.at == self.last_start else None
        at_once = one.name != "grant_objection" and any(
            assignment.assigned_at <= one.at for assignment in self.call.assignments
        )
        yield Moment(start, What.submitted, due=None if at_once else kept or self._limit(start, "accept_limit"))

    def accepted(self, one: _Happened) -> Iterator[Moment]:
        last = one.at == self.last_accept
        at = self.call.accepted_at if last and self.call.accepted_at is not None else one.at
        kept = self.call.dispatch_due if last else None
        yield Moment(at, What.accepted, due=kept or self._limit(at, "dispatch_limit"))

    def objected(self, one: _Happened) -> Iterator[Moment]:
        due = self.call.objection_due or self._limit(one.at, "objection_limit")
        yield Moment(one.at, What.objected, due=due)

    def evaluated(self, one: _Happened) -> Iterator[Moment]:
        yield Moment(one.at, What.evaluated)
        again = self._dissatisfied(one)
        for key in again:
            yield Moment(one.at, What.again, key, self._report_due(key, 2))
        self.second_round |= set(again)
        if not again:
            yield Moment(one.at, What.closed)

    def changed(self, one: _Happened) -> Iterator[Moment]:
        """What followed from the former evaluation is taken back, and follows anew."""
        again = set(self._dissatisfied(one))
        taken_back = self.second_round & self._told_of(one) - again
        for key in sorted(again - self.second_round):
            yield Moment(one.at, What.again, key, self._report_due(key, 2))
        for key in sorted(taken_back):
            yield Moment(one.at, What.taken_back, key)
        self.second_round = self.second_round - taken_back | again
        if taken_back and not self.second_round:
            yield Moment(one.at, What.closed)

    def _told_of(self, one: _Happened) -> set[int]:
        return {int(name.partition(".")[2]) for name in one.values if name.startswith("evaluation.")}

    def _dissatisfied(self, one: _Happened) -> list[int]:
        """The departments that an evaluation gives the matter back to."""
        return [
            key
            for key in sorted(self._told_of(one))
            if one.values[f"evaluation.{key}"]["satisfaction"] == Satisfaction.dissatisfied
            and one.values[f"evaluation.{key}"]["round"] == 1
            and self.departments[key].state != AssignmentState.missed | self._missed_first(key)
        ]

    def _missed_first(self, key: int) -> bool:
        return False

    def sent_back(self, one: _Happened) -> Iterator[Moment]:
        for department in one.values["assignments"]:
            key = department["id"]
            self.reports[key] = self.reports.get(key, 0)
            yield Moment(one.at, What.sent_back, key, self._next_due(key))

    # Departments

    def _newly_assigned(self, one: _Happened) -> Iterator[Moment]:
        for assignment in self.call.assignments:
            if assignment.id not in self.assigned and assignment.assigned_at <= one.at:
                self.assigned.add(assignment.id)
                due = self._report_due(assignment.id, 1)
                yield Moment(assignment.assigned_at, What.assigned, assignment.id, assignment.respond_due, due)

    def _report_due(self, key: int, round_: int) -> datetime:
        """The deadline of a round's first report."""
        return next((one.due for one in self.departments[key].reports if one.round == round_), self.departments[key].report_due)
