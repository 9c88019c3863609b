"""Signals that a department may be working for the figures instead of the matter, for supervisors alone.

A signal is no verdict: it says where to look. None is about townships, and none is counted for them (1, lines that must not be crossed).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from models.call import Assignment
from models.call_words import Satisfaction
from models.event import Event, EventValue
from models.field import Choice, Text
from models.return_request import ReturnState

LAST_MINUTE = timedelta(minutes=1)
AT_ONCE = timedelta(minutes=5)
SHORTEST_TEXT = 10
"""Characters from which on two reports that read the same are more than a turn of phrase."""


class Signal(Choice):
    """Each with what it means, for whoever looks into it."""

    explanation: Text

    last_minute = (
        "last_minute",
        _l("Response in the last minute"),
        _l(
            "The response was entered within a minute before its deadline: was the township reached, or the clock stopped?"
        ),
    )
    no_contact = (
        "no_contact",
        _l("Response without time or plan"),
        _l(
            "Neither when the department was in contact nor what it will do was entered: a response is contact, not a click."
        ),
    )
    response_only = (
        "response_only",
        _l("Nothing after the response"),
        _l("After the response no progress was logged, and the report was not there when it was due."),
    )
    same_text = (
        "same_text",
        _l("Report word for word as before"),
        _l("The same department had handed in the very same text for another matter before."),
    )
    satisfied_at_once = (
        "satisfied_at_once",
        _l("Satisfied within minutes"),
        _l("The evaluation “satisfied” came within five minutes of the report: could the result be looked at?"),
    )
    improved = (
        "improved",
        _l("Evaluation changed for the better"),
        _l("A township changed its evaluation for the better afterwards: was it urged to?"),
    )
    return_rejected = (
        "return_rejected",
        _l("Return asked for in vain"),
        _l("The department asked to give the matter back, and the office found that it is its duty."),
    )

    def __new__(cls, value: str, label: Text = "", explanation: Text = "") -> Signal:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        member.explanation = explanation
        return member


@dataclass(frozen=True)
class History:
    """What the events of some calls tell beside their columns."""

    progress: Mapping[int, Sequence[datetime]]
    """When an assignment's department logged progress."""
    improved: Collection[int]
    """Assignments whose evaluation was changed for the better."""


def history(session: Session, assignments: Sequence[Assignment]) -> History:
    """Read as the system, in two statements."""
    calls = {one.call_id for one in assignments}
    return History(_progress(session, calls, assignments), _improved(session, calls))


def _progress(session: Session, calls: Collection[int], assignments: Sequence[Assignment]) -> dict[int, list[datetime]]:
    """Of its own assignment, or of the call by the department's own people."""
    table = sa.inspect(Event).local_table
    by_department = {(one.call_id, one.department_id): one.id for one in assignments}
    found: dict[int, list[datetime]] = defaultdict(list)
    for row in session.connection().execute(
        sa.select(table.c.thread_id, table.c.record_type, table.c.record_id, table.c.actor_organisation_id, table.c.at)
        .where(table.c.thread_type == "call", table.c.thread_id.in_(calls), table.c.name == "log_progress")
        .order_by(table.c.id)
    ):
        if row.record_type == "assignment":
            found[row.record_id].append(row.at)
        elif (row.thread_id, row.actor_organisation_id) in by_department:
            found[by_department[row.thread_id, row.actor_organisation_id]].append(row.at)
    return found


_WORTH = {Satisfaction.dissatisfied.value: 0, Satisfaction.fair.value: 1, Satisfaction.satisfied.value: 2}


def _improved(session: Session, calls: Collection[int]) -> set[int]:
    table, value = sa.inspect(Event).local_table, sa.inspect(EventValue).local_table
    last: dict[tuple[int, int], int] = {}
    found = set()
    for row in session.connection().execute(
        sa.select(value.c.name, value.c.value, table.c.name.label("step"))
        .join(table, table.c.id == value.c.event_id)
        .where(
            table.c.thread_type == "call",
            table.c.thread_id.in_(calls),
            table.c.name.in_(("evaluate", "change_evaluation")),
            value.c.name.startswith("evaluation."),
        )
        .order_by(table.c.id)
    ):
        key = int(row.name.partition(".")[2])
        place, worth = (key, row.value["round"]), _WORTH[row.value["satisfaction"]]
        if row.step == "change_evaluation" and worth > last.get(place, worth):
            found.add(key)
        last[place] = worth
    return found


def text_digest(assignment: Assignment) -> str:
    """By which the texts of first reports are compared, blanks apart; empty for what is too short or not there."""
    report = assignment.report_of(1)
    text = "".join(report.result.split()) if report is not None else ""
    return hashlib.sha256(text.encode()).hexdigest()[:32] if len(text) >= SHORTEST_TEXT else ""


def signals(assignment: Assignment, told: History, now: datetime) -> dict[Signal, bool]:
    """Those that can be judged of an assignment, each with whether it shows. `same_text` is judged beside all others."""
    found = {}
    for signal, judge in _JUDGES.items():
        shows = judge(assignment, told, now)
        if shows is not None:
            found[signal] = shows
    return found


Judge = Callable[[Any, History, datetime], bool | None]


def _last_minute(one: Assignment, told: History, now: datetime) -> bool | None:
    return None if one.responded_at is None else timedelta(0) <= one.respond_due - one.responded_at <= LAST_MINUTE


def _no_contact(one: Assignment, told: History, now: datetime) -> bool | None:
    return None if one.responded_at is None else one.response_at == one.responded_at and not one.response_plan


def _response_only(one: Assignment, told: History, now: datetime) -> bool | None:
    report = one.report_of(1)
    due = report.due if report is not None else one.report_due
    if one.responded_at is None or (report is None and (one.stopped_at is not None or due >= now)):
        return None
    late = report is None or report.reported_at > due
    return late and not any(one.responded_at <= at <= due for at in told.progress.get(one.id, ()))


def _satisfied_at_once(one: Assignment, told: History, now: datetime) -> bool | None:
    judged = [(found, one.report_of(found.round)) for found in one.evaluations]
    pairs = [(evaluation, report) for evaluation, report in judged if report is not None]
    if not pairs:
        return None
    return any(
        evaluation.satisfaction == Satisfaction.satisfied and evaluation.evaluated_at - report.reported_at <= AT_ONCE
        for evaluation, report in pairs
    )


def _improved_one(one: Assignment, told: History, now: datetime) -> bool | None:
    return one.id in told.improved if one.evaluations else None


def _return_rejected(one: Assignment, told: History, now: datetime) -> bool | None:
    return one.return_request is not None and one.return_request.state == ReturnState.rejected


_JUDGES: Mapping[Signal, Judge] = {
    Signal.last_minute: _last_minute,
    Signal.no_contact: _no_contact,
    Signal.response_only: _response_only,
    Signal.satisfied_at_once: _satisfied_at_once,
    Signal.improved: _improved_one,
    Signal.return_rejected: _return_rejected,
}
