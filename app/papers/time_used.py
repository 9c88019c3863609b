"""用时, “where the time went” (2.1): how long each link of a call took, and which was late by how much; the office's own like everyone's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from app.papers.durations import Ruler
from models.call import Assignment, Call
from reports.call_slip import SlipTime


@dataclass(frozen=True)
class Link:
    """A stretch of a call's way that one party answers for; `end` None while it lasts, `due` None where no clock runs."""

    name: str
    start: datetime
    end: datetime | None
    due: datetime | None = None


def time_used(
    call: Call, office: str, waits: list[tuple[datetime, datetime | None]], ruler: Ruler, as_of: datetime
) -> tuple[SlipTime, ...]:
    """A row for each link begun so far. `waits` are the stretches in which the township had all reports before it (`call_history.waits`)."""
    rows = []
    for link in _links(call, office, waits):
        minutes = ruler.minutes(link.start, link.end or as_of)
        if link.end is None and not minutes:
            continue  # has only just begun
        used = ruler.text(minutes) + ("" if link.end else "（进行中）")
        rows.append(SlipTime(link.name, used, ruler.overdue_text(link.due, link.end or as_of) if link.due else ""))
    return tuple(rows)


def _links(call: Call, office: str, waits: list[tuple[datetime, datetime | None]]) -> Iterator[Link]:
    if call.submitted_at is not None and not call.emergency:
        stopped = call.ended_at if call.dispatched_at is None else None
        yield Link(f"{office}（受理）", call.submitted_at, call.accepted_at or stopped, call.accept_due)
        if call.accepted_at is not None:
            yield Link(f"{office}（派发）", call.accepted_at, call.dispatched_at or stopped, call.dispatch_due)
    for assignment in call.assignments:
        yield from _department(assignment)
    for start, end in waits:
        yield Link(f"{call.township.short_name}（评价）", start, end)


def _department(assignment: Assignment) -> Iterator[Link]:
    name = assignment.department.short_name
    yield Link(
        f"{name}（响应）",
        assignment.assigned_at,
        assignment.responded_at or assignment.stopped_at,
        assignment.respond_due,
    )
    for report in assignment.reports:
        again = report.round > 1
        start = _round_began(assignment, report.round)
        yield Link(f"{name}（{'重新反馈' if again else '反馈'}）", start, report.reported_at, report.due)
    if assignment.report_of(assignment.round) is None:
        again = assignment.round > 1
        yield Link(
            f"{name}（{'重新反馈' if again else '反馈'}）",
            assignment.report_from,
            assignment.stopped_at,
            assignment.report_due,
        )


def _round_began(assignment: Assignment, round_: int) -> datetime:
    """When a round's report clock began: with the assignment, later with the evaluation that asked for another."""
    before = assignment.evaluation_of(round_ - 1)
    return before.evaluated_at if before is not None else assignment.assigned_at
