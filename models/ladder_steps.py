"""Steps of the overdue ladder: which there are for a clock, which were taken, which comes next (2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask_appbuilder import Model
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import KEY, UtcDateTime
from models.calendar import work_calendar
from models.call import Assignment, AssignmentState, CallState


class LadderStep(Model):
    """A step taken: once per (assignment, round, clock, step), even if sweeps overlap, are killed half-way, or the clock jumps."""

    __tablename__ = "ladder_step"

    assignment_id: Mapped[int] = mapped_column(KEY, sa.ForeignKey("assignment.id"), primary_key=True)
    round: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    clock: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    step: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    due: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    """The deadline that the step counted from."""
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    skipped: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    """Recorded by a sweep that came too late for it: nobody was troubled."""


@dataclass(frozen=True, order=True)
class PlannedStep:
    """A step of a running clock and when it falls due."""

    at: datetime
    clock: str
    step: str
    due: datetime


def running_clocks(assignment: Assignment) -> list[tuple[str, datetime, datetime]]:
    """(name, start, deadline) of each clock that still runs.

    The report clock runs from dispatch on, whether the department responded or not; in long-term handling milestones
    stand in its place. A return request stops both, but never an emergency's (2.1, Clocks).
    """
    if assignment.stopped_at is not None or assignment.paused_at is not None:
        return []
    clocks = []
    unanswered = assignment.state in (AssignmentState.pending, AssignmentState.return_requested)
    if unanswered:
        clocks.append(("respond", assignment.assigned_at, assignment.respond_due))
    if (unanswered or assignment.state == AssignmentState.responded) and assignment.call.state != CallState.long_term:
        clocks.append(("report", assignment.report_from, assignment.report_due))
    return clocks


def planned_steps(session: Session, assignment: Assignment) -> list[PlannedStep]:
    """Every step of the running clocks, in order of time. An emergency has no amber: its alarm chain is its own."""
    calendar = work_calendar(session, assignment.county_id)
    steps = []
    for name, start, due in running_clocks(assignment):
        if not assignment.call.emergency and start < due:
            for count, at in enumerate(calendar.amber(start, due), start=1):
                steps.append(PlannedStep(at, name, f"amber_{count}", due))
        steps.append(PlannedStep(due, name, "reminder", due))
    return sorted(steps)


def open_steps(session: Session, assignment: Assignment) -> list[PlannedStep]:
    """The planned steps not yet taken in the present round."""
    rows = session.execute(
        sa.select(LadderStep.clock, LadderStep.step).where(
            LadderStep.assignment_id == assignment.id, LadderStep.round == assignment.round
        )
    )
    taken = {(row.clock, row.step) for row in rows}
    return [step for step in planned_steps(session, assignment) if (step.clock, step.step) not in taken]


def schedule_next_step(session: Session, assignment: Assignment) -> None:
    """Set when the sweep must look at an assignment next; called whenever a clock starts, stops or moves, and after each step."""
    steps = open_steps(session, assignment)
    assignment.next_step_at = steps[0].at if steps else None
