"""The sweep of the overdue ladder: finds what is due in the database, takes each step once, never from one delayed job per call (2.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from models import clock, event, viewer
from models.calendar import work_calendar
from models.call import Assignment, Call
from models.ladder_steps import LadderStep, PlannedStep, open_steps, taken_steps
from models.paper import issue, platform_office
from models.setting import setting
from models.supervision import Notice, NoticeEntry, NoticeKind, NoticeState
from models.workflow import Covered

BATCH = 500
"""Assignments handled in one transaction at most."""


@dataclass
class Swept:
    """What a sweep did."""

    steps: int = 0
    reminders: int = 0
    drafts: int = 0


def sweep(transaction: Callable[[], AbstractContextManager[Session]]) -> Swept:
    """Take every step that is due now. Idempotent: run again, or at the same time, it does nothing twice.

    Raises ExceptionGroup after all others are done when a department could not be swept; the next sweep tries it again.
    `transaction` opens a writing transaction that commits at its end; one is used per department, since all that
    one sweep finds for a department stands on one slip.
    """
    done = Swept()
    failures: list[Exception] = []
    with viewer.system():
        with transaction() as session:
            due = due_departments(session, clock.now())
        for department_id in due:
            try:
                more = True
                while more:
                    with transaction() as session:
                        more = _sweep_department(session, department_id, done)
            except Exception as failure:  # one department's slip that cannot be made must not hold up the others'
                failure.add_note(f"while sweeping department {department_id}")
                failures.append(failure)
    if failures:
        raise ExceptionGroup("some departments could not be swept", failures)
    return done


def due_departments(session: Session, now: datetime) -> Sequence[int]:
    """Departments with a step due, in order of their key."""
    return session.scalars(
        sa.select(Assignment.department_id)
        .where(Assignment.next_step_at <= now)
        .distinct()
        .order_by(Assignment.department_id)
    ).all()


def _sweep_department(session: Session, department_id: int, done: Swept) -> bool:
    """One transaction of the sweep; True when there may be more. Calls are locked in the order of their keys, as
    every transition does; one that is busy waits for the next sweep."""
    now = clock.now()
    call_ids = session.scalars(
        sa.select(Assignment.call_id)
        .where(Assignment.department_id == department_id, Assignment.next_step_at <= now)
        .order_by(Assignment.call_id)
        .limit(BATCH)
    ).all()
    if not call_ids:
        return False
    locked = session.scalars(
        sa.select(Call)
        .where(Call.id.in_(call_ids))
        .order_by(Call.id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    assignments = session.scalars(
        sa.select(Assignment)
        .where(
            Assignment.call_id.in_([call.id for call in locked]),
            Assignment.department_id == department_id,
            Assignment.next_step_at <= now,
        )
        .options(selectinload(Assignment.call))
        .order_by(Assignment.id)
        .execution_options(populate_existing=True)
    ).all()
    _take_steps(session, assignments, now, done)
    session.flush()
    return len(call_ids) == BATCH and bool(locked)


def _take_steps(session: Session, assignments: Sequence[Assignment], now: datetime, done: Swept) -> None:
    """Record every step that is due, and do what it says: slips for the department, an event for what people are told by."""
    taken = taken_steps(session, assignments)
    overdue: list[Found] = []
    drafted: list[Found] = []
    told: list[Found] = []
    for assignment in assignments:
        steps = open_steps(session, assignment, taken[assignment.id])
        due = [step for step in steps if step.at <= now]
        for step in due:
            # Amber that comes too late troubles nobody; everything else is made up for.
            skipped = step.amber and any(later.clock == step.clock and later > step for later in due)
            session.add(_taken(assignment, step, now, skipped=skipped))
            done.steps += 1
            if step.step == "reminder":
                overdue.append((assignment, step))
            elif step.step == "supervision":
                drafted.append((assignment, step))
            elif not skipped:
                told.append((assignment, step))
        later = steps[len(due) :]
        assignment.next_step_at = later[0].at if later else None
    session.flush()
    _tell(session, told)
    if overdue:
        _remind(session, overdue)
        done.reminders += 1
    if drafted:
        _draft(session, drafted, now)
        done.drafts += 1


Found = tuple[Assignment, PlannedStep]


def _taken(assignment: Assignment, step: PlannedStep, now: datetime, *, skipped: bool) -> LadderStep:
    return LadderStep(
        assignment_id=assignment.id,
        round=assignment.round,
        clock=step.clock,
        step=step.step,
        due=step.due,
        taken_at=now,
        skipped=skipped,
    )


def _tell(session: Session, found: Sequence[Found]) -> None:
    """Steps that change nothing: their events are what people are told by."""
    entries = [
        event.entry_of(assignment, "automatic", step.told_as, {"clock": step.clock, "due": step.due, **step.place})
        for assignment, step in found
    ]
    if entries:
        event.append_all(session, entries, None)


def _draft(session: Session, found: Sequence[Found], now: datetime) -> None:
    """One supervision slip for everything that is a working day late; a supervisor signs it, and its number is taken then."""
    first = found[0][0]
    limit = setting(session, first.county_id, "signature_limit")
    notice = Notice(
        county_id=first.county_id,
        kind=NoticeKind.supervision,
        department_id=first.department_id,
        state=NoticeState.drafted,
        sign_due=work_calendar(session, first.county_id).deadline(now, limit),
    )
    with Covered(session):
        session.add(notice)
        _enter(notice, found)
        session.flush()
        event.append(session, notice, "automatic", "draft", {})


def _enter(notice: Notice, found: Sequence[Found]) -> None:
    for assignment, step in found:
        notice.entries.append(
            NoticeEntry(assignment=assignment, clock=step.clock, round=assignment.round, due=step.due)
        )


def _remind(session: Session, overdue: Sequence[Found]) -> Notice:
    """One reminder slip for everything overdue, born issued, in the platform's name."""
    first = overdue[0][0]
    notice = Notice(
        county_id=first.county_id,
        kind=NoticeKind.reminder,
        department_id=first.department_id,
        state=NoticeState.issued,
        issued_at=clock.now(),
    )
    with Covered(session):
        session.add(notice)
        _enter(notice, overdue)
        session.flush()
        document = issue(
            session, "reminder", notice, issuer=platform_office(session, first.county_id), recipients=[first.department]
        )
        notice.number = document.number
        notice.document = document
        session.flush()
        event.append(
            session,
            notice,
            "automatic",
            "issue",
            {"number": document.number, "document": {"id": document.id, "name": document.title}},
        )
    slip = {"id": notice.id, "name": notice.number}
    paper = {"id": document.id, "name": document.title}
    entries = [
        event.entry_of(
            assignment,
            "automatic",
            "reminder",
            {"clock": step.clock, "due": step.due, "notice": slip, "document": paper},
        )
        for assignment, step in overdue
    ]
    event.append_all(session, entries, None)
    return notice
