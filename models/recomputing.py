"""When the working calendar changes, deadlines that limits gave are computed anew (2.9); those that people set stay.

A deadline was given by a limit if it is what the limit gives by the calendar of before. Deadlines on the order, granted
extensions and dates of milestones are people's own. Nobody becomes late by a change: what would have passed already
ends with the present working day instead, and what has passed is only ever moved on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from models import clock, event, viewer
from models.calendar import work_calendar
from models.call import Assignment, Call
from models.call_party import keep_parties
from models.call_report import Report
from models.call_words import AssignmentState, CallState
from models.event import Event, EventValue
from models.extension import ExtensionState
from models.ladder_steps import schedule_next_step
from models.party_clocks import CLOCKS, PartyClock
from models.return_request import ReturnState
from models.setting import setting
from models.workflow import Covered
from models.worktime import Limit, Unit, WorkCalendar

Deadline = Callable[[WorkCalendar], datetime]
"""A deadline as it follows from a calendar."""

LIMITS = {
    "accept": "accept_limit",
    "dispatch": "dispatch_limit",
    "objection": "objection_limit",
    "evaluate": "evaluate_limit",
    "return_ruling": "return_ruling_limit",
    "referred_ruling": "referred_ruling_limit",
    "extension_ruling": "extension_ruling_limit",
    "endorsement": "long_term_endorsement_limit",
    "long_term_decision": "leader_decision_limit",
    "escalation": "leader_decision_limit",
    "signature": "signature_limit",
    "explanation": "explanation_limit",
    "review": "review_decision_limit",
    "rectification": "rectification_limit",
    "opinion": "admission_opinion_limit",
    "proposal": "proposal_answer_limit",
}
"""The setting that gives the deadline of each party's clock; a milestone has a date of its own."""


@contextmanager
def recomputed(session: Session, county_id: int) -> Iterator[None]:
    """Within it the calendar of a county is changed; at the end every open deadline follows, in the same transaction."""
    before = work_calendar(session, county_id)
    yield
    session.flush()
    session.info.get("calendars", {}).pop(county_id, None)
    with viewer.system(on_behalf_of=viewer.current_person()):
        _Recomputing(session, county_id, before).run()


class _Recomputing:
    def __init__(self, session: Session, county_id: int, before: WorkCalendar) -> None:
        self.session = session
        self.county_id = county_id
        self.before = before
        self.after = work_calendar(session, county_id)
        self.now = clock.now()

    def run(self) -> None:
        calls = self._open_calls()
        own = self._own_deadlines(calls)
        for one in CLOCKS:
            if one.name in LIMITS:
                self._party_clock(one)
        for call in calls:
            changed = [self._assignment(assignment, own.get(call.id, frozenset())) for assignment in call.assignments]
            if any(changed):
                keep_parties(self.session, call)
        self.session.flush()

    def _open_calls(self) -> list[Call]:
        """Those that departments work on, locked in the order of their keys as every step does; an emergency's clocks know no calendar."""
        return list(
            self.session.scalars(
                sa.select(Call)
                .where(
                    Call.county_id == self.county_id,
                    Call.state.in_((CallState.dispatched, CallState.long_term)),
                )
                .options(selectinload(Call.assignments).selectinload(Assignment.reports))
                .order_by(Call.id)
                .with_for_update()
                .execution_options(populate_existing=True)
            )
        )

    def _own_deadlines(self, calls: list[Call]) -> dict[int, frozenset[str]]:
        """Which deadlines were set on the order, by call."""
        rows = self.session.execute(
            sa.select(Event.thread_id, EventValue.name)
            .join(Event, Event.id == EventValue.event_id)
            .where(
                Event.thread_type == "call",
                Event.thread_id.in_([call.id for call in calls]),
                Event.name == "dispatch",
                EventValue.name.in_(("respond_due", "report_due")),
            )
        )
        found: dict[int, set[str]] = {}
        for row in rows:
            found.setdefault(row.thread_id, set()).add(row.name)
        return {key: frozenset(names) for key, names in found.items()}

    def _limit(self, name: str) -> Limit:
        limit: Limit = setting(self.session, self.county_id, name)
        return limit

    def _moved(self, stored: datetime, *given: Deadline) -> datetime | None:
        """Where a deadline moves that one of these gave; None where none did, or it stays."""
        for one in given:
            if one(self.before) != stored:
                continue
            new = one(self.after)
            if new < stored and new <= self.now:
                if stored <= self.now:
                    return None
                today = self.after.local_date(self.now)
                day = today if self.after.is_working_day(today) else self.after.next_working_day(today)
                new = min(stored, max(self.after.close_of_day(day), self.now))
            return new if new != stored else None
        return None

    # Parties

    def _party_clock(self, one: PartyClock) -> None:
        name, limit = one.due, self._limit(LIMITS[one.name])
        if limit.unit is Unit.minutes:
            return
        due = getattr(one.model, name)
        records = self.session.scalars(
            sa.select(one.model).where(one.runs(one.model), one.model.county_id == self.county_id, due.is_not(None))
        ).unique()
        for record in records:
            stored = getattr(record, name)
            starts = self._starts(one, record)
            new = self._moved(
                stored, *(lambda calendar, start=start: calendar.deadline(start, limit) for start in starts)
            )
            if new is not None:
                self._change(record, {name: new}, one.name)

    def _starts(self, one: PartyClock, record: Any) -> list[datetime]:
        """From when its clock may have run: a call's acceptance also from the telephone call, or from a granted objection."""
        starts = [getattr(record, one.since)]
        if one.name == "accept":
            granted = self.session.scalars(
                sa.select(Event.at).where(
                    Event.thread_type == "call", Event.thread_id == record.id, Event.name == "grant_objection"
                )
            )
            starts += [record.phoned_at, *granted]
        return [start for start in starts if start is not None]

    # Departments

    def _assignment(self, one: Assignment, own: frozenset[str]) -> bool:
        """Both clocks of a department, and when the sweep looks at it next; True when a deadline moved."""
        if one.call.emergency or one.stopped_at is not None:
            return False
        values: dict[str, datetime] = {}
        unanswered = one.state in (AssignmentState.pending, AssignmentState.return_requested)
        if unanswered:
            respond_due = self._moved(one.respond_due, self._given_back(one, "respond_limit", self._begun(one)))
            if respond_due is not None and "respond_due" not in own:
                values["respond_due"] = respond_due
        planned = one.call.state == CallState.long_term
        report_due = None if planned else self._moved(one.report_due, *self._reports(one))
        if report_due is not None and not self._people_set(one, own):
            values["report_due"] = report_due
        if unanswered:
            one.respond_red_at = self.after.step_after(
                values.get("respond_due", one.respond_due), self._limit("red_after")
            )
        if values:
            self._change(one, values)
        schedule_next_step(self.session, one)
        return bool(values)

    @staticmethod
    def _begun(one: Assignment) -> datetime:
        general = one.call.general_from
        return max(one.assigned_at, general) if general is not None else one.assigned_at

    def _people_set(self, one: Assignment, own: frozenset[str]) -> bool:
        """On the order, or by an extension that was granted; a further round has a deadline of its own."""
        if one.round > 1 or one.report_from != self._begun(one):
            return False
        extended = one.extension is not None and one.extension.state == ExtensionState.granted
        return extended or "report_due" in own

    def _given_back(self, one: Assignment, name: str, start: datetime) -> Deadline:
        """A limit, and exactly the time that a rejected return request took."""
        limit, request = self._limit(name), one.return_request

        def deadline(calendar: WorkCalendar) -> datetime:
            due = calendar.deadline(start, limit)
            if request is None or request.state != ReturnState.rejected or request.ruled_at is None:
                return due
            taken = calendar.worked(request.requested_at, request.ruled_at)
            return calendar.advance(due, taken) if taken > timedelta(0) else due

        return deadline

    def _reports(self, one: Assignment) -> list[Deadline]:
        """What may have given the present report deadline: a limit from the start of the round, or a report sent back."""
        last = one.report_of(one.round)
        if last is not None and last.reported_at <= one.report_from:
            return [self._sent_back(one, last, given) for given in (*self._limits(one, last.due), None)]
        return self._limits(one, one.report_due)

    def _limits(self, one: Assignment, stored: datetime) -> list[Deadline]:
        names = ("round_report_limit",) if one.round > 1 else ("report_limit", "report_joint_limit")
        starts = dict.fromkeys((one.report_from, self._begun(one))) if one.round == 1 else (one.report_from,)
        given = [self._given_back(one, name, start) for start in starts for name in names]
        return [deadline for deadline in given if deadline(self.before) == stored]

    def _sent_back(self, one: Assignment, last: Report, given: Deadline | None) -> Deadline:
        """The deadline of before and the time at the office, at least one working day (2.1, send_back)."""
        least = Limit(1, Unit.working_days)

        def deadline(calendar: WorkCalendar) -> datetime:
            old = given(calendar) if given is not None else last.due
            office = calendar.worked(last.reported_at, one.report_from)
            return max(calendar.advance(old, office), calendar.deadline(one.report_from, least))

        return deadline

    # The change

    def _change(self, record: Any, values: dict[str, datetime], clock_name: str = "") -> None:
        """An event on the record says what moved; people are told by it."""
        shown: dict[str, Any] = {name: {"old": getattr(record, name), "new": new} for name, new in values.items()}
        if clock_name:
            shown["clock"] = clock_name
        with Covered(self.session):
            for name, new in values.items():
                setattr(record, name, new)
            self.session.flush()
            event.append(self.session, record, "automatic", "deadline_recomputed", shown)
