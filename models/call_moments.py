"""The history that `models.time_spent` counts from: a call's moments, read from its events and columns.

The order is that of the events; deadlines, and the instants that are judged by them, are the columns'.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from models import viewer
from models.calendar import work_calendar
from models.call import Assignment, Call
from models.call_words import AssignmentState, Satisfaction
from models.event import Event, EventValue
from models.setting import setting
from models.time_spent import Minutes, Moment, TimeSpent, What, time_spent

TOLD = ("evaluate", "change_evaluation", "send_back", "reassign")
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
    """Record type and step, `assignment.respond`."""
    of: int
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
        sa.select(*(table.c[name] for name in ("id", "thread_id", "record_type", "name", "record_id", "at")))
        .where(*of_calls, table.c.kind.in_(("transition", "automatic")))
        .order_by(table.c.thread_id, table.c.sequence)
    ):
        step = f"{row.record_type}.{row.name}"
        found[row.thread_id].append(_Happened(step, row.record_id, row.at, values.get(row.id, {})))
    return found


STARTS = ("call.submit", "call.grant_objection", "call.enter_by_phone")
ASSIGNING = frozenset(
    {"call.dispatch", "call.add_department", "call.reassign", "call.regularise", "assignment.uphold_return"}
)
"""Steps that bring departments into a call; an emergency's submission does too."""


class _Reading:
    """Goes through the events of one call."""

    def __init__(self, session: Session, call: Call) -> None:
        self.session = session
        self.call = call
        self.departments = {one.id: one for one in call.assignments}
        self.alarmed = call.emergency or call.general_from is not None
        self.unassigned = sorted(self.departments)
        self.unbegun = [one for one in call.milestones if one.begins_at is not None]
        self.open: set[int] = set()
        """Assignments in somebody's hands."""
        self.responded: set[int] = set()
        self.missed: set[int] = set()
        self.asking: set[int] = set()
        """Those whose return waits for its ruling."""
        self.second_round: set[int] = set()
        self.reports: dict[int, int] = defaultdict(int)
        """How many reports of each assignment were met so far."""
        self.plans = iter(call.long_terms)
        self.escalations = iter(call.escalations)

    def moments(self, events: Sequence[_Happened]) -> Iterator[Moment]:
        self.last_start = max((one.at for one in events if one.name in STARTS), default=None)
        self.last_accept = max((one.at for one in events if one.name == "call.accept"), default=None)
        for one in events:
            if one.name in READERS:
                yield from READERS[one.name](self, one)
            yield from self._begun_by(one)

    def _begun_by(self, one: _Happened) -> Iterator[Moment]:
        """Assignments and milestones that an event brought into the call."""
        brings = one.name in ASSIGNING or (self.alarmed and one.name in STARTS)
        for key in [key for key in self.unassigned if brings and self.departments[key].assigned_at <= one.at]:
            self.unassigned.remove(key)
            self.open.add(key)
            made = self.departments[key]
            yield Moment(made.assigned_at, What.assigned, key, made.respond_due, self._report_due(key))
        for milestone in [found for found in self.unbegun if found.begins_at is not None and found.begins_at <= one.at]:
            self.unbegun.remove(milestone)
            yield Moment(milestone.begins_at or one.at, What.milestone_begun, milestone.id, milestone.due)

    def _limit(self, start: datetime, name: str) -> datetime:
        """A deadline that the record keeps no more: by the limit in force."""
        limit = setting(self.session, self.call.county_id, name)
        return work_calendar(self.session, self.call.county_id).deadline(start, limit)

    def _report_due(self, key: int) -> datetime:
        """The deadline of the next report, as it came to be in the end."""
        department = self.departments[key]
        left = department.reports[self.reports[key] :]
        return left[0].due if left else department.report_due

    # The office and the township

    def submitted(self, one: _Happened) -> Iterator[Moment]:
        phoned = self.call.phoned_at if one.name == "call.enter_by_phone" else None
        start = phoned or one.at
        if self.alarmed:
            yield Moment(start, What.submitted)
            return
        kept = self.call.accept_due if one.at == self.last_start else None
        yield Moment(start, What.submitted, due=kept or self._limit(start, "accept_limit"))

    def accepted(self, one: _Happened) -> Iterator[Moment]:
        last = one.at == self.last_accept
        at = (self.call.accepted_at if last else None) or one.at
        kept = self.call.dispatch_due if last else None
        yield Moment(at, What.accepted, due=kept or self._limit(at, "dispatch_limit"))

    def objected(self, one: _Happened) -> Iterator[Moment]:
        yield Moment(one.at, What.objected, due=self.call.objection_due or self._limit(one.at, "objection_limit"))

    def evaluated(self, one: _Happened) -> Iterator[Moment]:
        yield Moment(one.at, What.evaluated)
        again = self._dissatisfied(one)
        yield from self._again(one, again)
        if not again:
            yield Moment(one.at, What.closed)

    def changed(self, one: _Happened) -> Iterator[Moment]:
        """What followed from the former evaluation is taken back, and follows anew."""
        again = self._dissatisfied(one)
        taken_back = (self.second_round & _told_of(one)) - again
        yield from self._again(one, again - self.second_round)
        for key in sorted(taken_back):
            self.second_round.discard(key)
            self.open.discard(key)
            yield Moment(one.at, What.taken_back, key)
        if taken_back and not self.second_round:
            yield Moment(one.at, What.closed)

    def _again(self, one: _Happened, keys: set[int]) -> Iterator[Moment]:
        self.second_round |= keys
        self.open |= keys
        for key in sorted(keys):
            yield Moment(one.at, What.again, key, self._report_due(key))

    def _dissatisfied(self, one: _Happened) -> set[int]:
        """The departments that an evaluation gives the matter back to."""
        answers = {key: one.values[f"evaluation.{key}"] for key in _told_of(one) - self.missed}
        return {
            key
            for key, answer in answers.items()
            if answer["satisfaction"] == Satisfaction.dissatisfied and answer["round"] == 1
        }

    def sent_back(self, one: _Happened) -> Iterator[Moment]:
        for department in one.values["assignments"]:
            self.open.add(department["id"])
            yield Moment(one.at, What.sent_back, department["id"], self._report_due(department["id"]))

    # Long-term handling and leaders

    def plan_asked(self, one: _Happened) -> Iterator[Moment]:
        self.plan = next(self.plans)
        kept = self.plan.due if self.plan.endorsed_at is None else None
        due = kept or self._limit(self.plan.requested_at, "long_term_endorsement_limit")
        yield Moment(self.plan.requested_at, What.plan_asked, due=due)

    def plan_endorsed(self, one: _Happened) -> Iterator[Moment]:
        yield Moment(self.plan.endorsed_at or one.at, What.plan_endorsed, due=self.plan.due)

    def plan_decided(self, one: _Happened) -> Iterator[Moment]:
        approved = one.name == "call.approve_long_term"
        yield Moment(self.plan.decided_at or one.at, What.plan_approved if approved else What.plan_refused)

    def plan_ended(self, one: _Happened) -> Iterator[Moment]:
        """The report clocks of those in hand begin again."""
        yield from self._plan_over(one)
        for key in sorted(self.open & self.responded):
            yield Moment(one.at, What.again, key, self._report_due(key))

    def plan_completed(self, one: _Happened) -> Iterator[Moment]:
        """All count as reported but those whose return waits for its ruling."""
        yield from self._plan_over(one)
        for key in sorted(self.open - self.asking):
            yield from self._reported(key, one.at)

    def _plan_over(self, one: _Happened) -> Iterator[Moment]:
        for milestone in self.plan.milestones:
            yield Moment(one.at, What.milestone_over, milestone.id)
        yield Moment(one.at, What.plan_over)

    def milestone_completed(self, one: _Happened) -> Iterator[Moment]:
        found = next(milestone for milestone in self.call.milestones if milestone.id == one.of)
        yield Moment(found.completed_at or one.at, What.milestone_over, one.of)

    def escalated(self, one: _Happened) -> Iterator[Moment]:
        self.escalation = next(self.escalations)
        yield Moment(self.escalation.asked_at, What.escalated, due=self.escalation.due)

    def decided(self, one: _Happened) -> Iterator[Moment]:
        yield Moment(self.escalation.decided_at or one.at, What.decided)

    # Departments

    def response(self, one: _Happened) -> Iterator[Moment]:
        self.responded.add(one.of)
        at = self.departments[one.of].responded_at or one.at
        yield Moment(at, What.responded, one.of, self._report_due(one.of))

    def report(self, one: _Happened) -> Iterator[Moment]:
        yield from self._reported(one.of, one.at)

    def _reported(self, key: int, at: datetime) -> Iterator[Moment]:
        made = self.departments[key].reports[self.reports[key]]
        self.reports[key] += 1
        self.open.discard(key)
        yield Moment(made.reported_at, What.reported, key, made.due)

    def missed_out(self, one: _Happened) -> Iterator[Moment]:
        self.missed.add(one.of)
        yield from self._out(one, one.of, What.missed)

    def return_asked(self, one: _Happened) -> Iterator[Moment]:
        """What turned out to be no emergency is read as the general call that it was: the time of the ruling is the office's."""
        request = self.departments[one.of].return_request
        assert request is not None
        kept = request.due if request.referred_at is None else None
        due = kept or self._limit(request.requested_at, "return_ruling_limit")
        self.asking.add(one.of)
        yield Moment(request.requested_at, What.return_asked, one.of, due, stops=not self.call.emergency)

    def return_referred(self, one: _Happened) -> Iterator[Moment]:
        request = self.departments[one.of].return_request
        assert request is not None
        yield Moment(request.referred_at or one.at, What.return_referred, one.of, request.due)

    def return_ruled(self, one: _Happened) -> Iterator[Moment]:
        request = self.departments[one.of].return_request
        assert request is not None
        upheld = one.name == "assignment.uphold_return"
        self.asking.discard(one.of)
        yield Moment(request.ruled_at or one.at, What.return_upheld if upheld else What.return_rejected, one.of)
        if upheld:
            yield from self._out(one, one.of, What.given_back)

    def extension_asked(self, one: _Happened) -> Iterator[Moment]:
        extension = self.departments[one.of].extension
        assert extension is not None
        yield Moment(extension.requested_at, What.extension_asked, one.of, extension.due)

    def reassigned(self, one: _Happened) -> Iterator[Moment]:
        yield from self._out(one, one.values["assignment"]["id"], What.given_back)

    def regularised(self, one: _Happened) -> Iterator[Moment]:
        """Departments that it left out; an emergency's clocks never stood still before."""
        for key in sorted(self.open):
            stopped = self.departments[key].stopped_at
            if self.departments[key].state == AssignmentState.returned and stopped is not None and stopped <= one.at:
                yield from self._out(one, key, What.given_back)

    def _out(self, one: _Happened, key: int, what: What) -> Iterator[Moment]:
        self.open.discard(key)
        yield Moment(one.at, what, key)


def _told_of(one: _Happened) -> set[int]:
    return {int(name.partition(".")[2]) for name in one.values if name.startswith("evaluation.")}


def _plainly(what: What) -> Callable[[_Reading, _Happened], Iterator[Moment]]:
    def read(reading: _Reading, one: _Happened) -> Iterator[Moment]:
        yield Moment(one.at, what, one.of if one.name.startswith("assignment.") else 0)

    return read


READERS: Mapping[str, Callable[[_Reading, _Happened], Iterator[Moment]]] = {
    **dict.fromkeys(STARTS, _Reading.submitted),
    "call.return_for_completion": _plainly(What.completion_asked),
    "call.accept": _Reading.accepted,
    "call.decline": _plainly(What.declined),
    "call.object": _Reading.objected,
    "call.refuse_objection": _plainly(What.objection_refused),
    "call.all_reported": _plainly(What.all_reported),
    "call.evaluate": _Reading.evaluated,
    "call.change_evaluation": _Reading.changed,
    "call.close_unevaluated": _plainly(What.closed),
    "call.withdraw": _plainly(What.withdrawn),
    "call.send_back": _Reading.sent_back,
    "call.reassign": _Reading.reassigned,
    "call.regularise": _Reading.regularised,
    "call.request_long_term": _Reading.plan_asked,
    "call.endorse_long_term": _Reading.plan_endorsed,
    "call.approve_long_term": _Reading.plan_decided,
    "call.refuse_long_term": _Reading.plan_decided,
    "call.end_long_term": _Reading.plan_ended,
    "call.plan_completed": _Reading.plan_completed,
    "call.escalate": _Reading.escalated,
    "call.decide_escalation": _Reading.decided,
    "milestone.complete_milestone": _Reading.milestone_completed,
    "assignment.respond": _Reading.response,
    "assignment.report": _Reading.report,
    "assignment.report_copied": _Reading.report,
    "assignment.close_assignment": _Reading.missed_out,
    "assignment.request_return": _Reading.return_asked,
    "assignment.refer_return": _Reading.return_referred,
    "assignment.uphold_return": _Reading.return_ruled,
    "assignment.reject_return": _Reading.return_ruled,
    "assignment.request_extension": _Reading.extension_asked,
    "assignment.grant_extension": _plainly(What.extension_answered),
    "assignment.refuse_extension": _plainly(What.extension_answered),
}
"""What each step means for the clocks; the others change nobody's hand."""
