"""Steps of the overdue ladder: which there are for a clock, which were taken, which comes next (2.2)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_appbuilder import Model
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import KEY, UtcDateTime
from models.calendar import work_calendar
from models.call import Assignment
from models.call_words import AssignmentState, CallState
from models.roster import on_duty
from models.setting import setting


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

    @property
    def amber(self) -> bool:
        return self.step.startswith("amber")

    @property
    def told_as(self) -> str:
        """Name of the event by which people are told: `amber`, `ring`, `heads`, `candidate` …"""
        return self.step.partition("_")[0] if self.amber or self.step.startswith("ring") else self.step

    @property
    def place(self) -> dict[str, int]:
        """Whose turn it is in the roster's chain, for a ring."""
        name, _, count = self.step.partition("_")
        return {"place": int(count)} if name == "ring" else {}


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


RING_EVERY = timedelta(minutes=10)
"""After so long without a tick the next number of the roster is called (2.2)."""
ALARMS = (("duty_phones", timedelta(minutes=15)), ("heads", timedelta(minutes=30)), ("leader", timedelta(minutes=60)))
"""An emergency's alarm chain, wall time from dispatch at any hour: the duty telephones; the department's head and the
duty county leader; the portfolio leader (2.2)."""
EMERGENCY_CANDIDATE = timedelta(hours=24)


def planned_steps(session: Session, assignment: Assignment) -> list[PlannedStep]:
    """Every step of the running clocks, in order of time. An emergency has an alarm chain instead of amber and a supervision slip."""
    steps = []
    for name, start, due in running_clocks(assignment):
        steps.append(PlannedStep(due, name, "reminder", due))
        if assignment.call.emergency:
            steps.append(PlannedStep(due + EMERGENCY_CANDIDATE, name, "candidate", due))
        else:
            steps += _general(session, assignment, name, start, due)
    if assignment.call.emergency and assignment.state == AssignmentState.pending and assignment.stopped_at is None:
        steps += _alarm(session, assignment)
    return sorted(steps)


def _general(session: Session, assignment: Assignment, name: str, start: datetime, due: datetime) -> list[PlannedStep]:
    calendar, county = work_calendar(session, assignment.county_id), assignment.county_id
    amber = calendar.amber(start, due) if start < due else ()
    steps = [PlannedStep(at, name, f"amber_{count}", due) for count, at in enumerate(amber, start=1)]
    for step, limit in (("supervision", "supervision_after"), ("candidate", "red_after")):
        steps.append(PlannedStep(calendar.step_after(due, setting(session, county, limit)), name, step, due))
    return steps


def _alarm(session: Session, assignment: Assignment) -> list[PlannedStep]:
    """Ringing goes down the roster until somebody confirms; the chain above goes on until the department responds."""
    begun, due = assignment.assigned_at, assignment.respond_due
    steps = [PlannedStep(begun + after, "alarm", step, due) for step, after in ALARMS]
    if assignment.acknowledged_at is None:
        chain = on_duty(session, assignment.department_id, begun)
        steps += [
            PlannedStep(begun + (place - 1) * RING_EVERY, "alarm", f"ring_{place}", due)
            for place in range(2, len(chain) + 1)
        ]
    return steps


def taken_steps(session: Session, assignments: Sequence[Assignment]) -> dict[int, set[tuple[str, str]]]:
    """(clock, step) of everything taken in the present round of each assignment."""
    rounds = {one.id: one.round for one in assignments}
    taken: dict[int, set[tuple[str, str]]] = {key: set() for key in rounds}
    table = sa.inspect(LadderStep).local_table
    query = sa.select(table.c.assignment_id, table.c.round, table.c.clock, table.c.step)
    for row in session.connection().execute(query.where(table.c.assignment_id.in_(rounds))):
        if row.round == rounds[row.assignment_id]:
            taken[row.assignment_id].add((row.clock, row.step))
    return taken


def open_steps(session: Session, assignment: Assignment, taken: Collection[tuple[str, str]]) -> list[PlannedStep]:
    """The planned steps not yet taken in the present round."""
    return [step for step in planned_steps(session, assignment) if (step.clock, step.step) not in taken]


def schedule_next_step(session: Session, assignment: Assignment) -> None:
    """Set when the sweep must look at an assignment next; called whenever a clock starts, stops or moves, and after each step."""
    steps = open_steps(session, assignment, taken_steps(session, [assignment])[assignment.id])
    assignment.next_step_at = steps[0].at if steps else None
