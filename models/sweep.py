"""The sweep of the overdue ladder: finds what is due in the database, takes each step once, never from one delayed job per call (2.2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from models import clock, event, viewer
from models.call import Assignment, Call
from models.ladder_steps import LadderStep, PlannedStep, open_steps, schedule_next_step
from models.paper import issue, platform_office
from models.supervision import Notice, NoticeEntry, NoticeKind, NoticeState
from models.workflow import Step, perform_automatic

BATCH = 500
"""Assignments handled in one transaction at most."""


@dataclass
class Swept:
    """What a sweep did."""

    steps: int = 0
    reminders: int = 0


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
    overdue: list[tuple[Assignment, PlannedStep]] = []
    reminded: dict[int, list[PlannedStep]] = defaultdict(list)
    for assignment in assignments:
        steps = [step for step in open_steps(session, assignment) if step.at <= now]
        late = {step.clock for step in steps if step.step == "reminder"}
        for step in steps:
            skipped = step.step != "reminder" and (
                step.clock in late or any(later.clock == step.clock and later > step for later in steps)
            )
            session.add(
                LadderStep(
                    assignment_id=assignment.id,
                    round=assignment.round,
                    clock=step.clock,
                    step=step.step,
                    due=step.due,
                    taken_at=now,
                    skipped=skipped,
                )
            )
            done.steps += 1
            if step.step == "reminder":
                overdue.append((assignment, step))
            elif not skipped:
                reminded[assignment.id].append(step)
        session.flush()
        schedule_next_step(session, assignment)
        for step in reminded[assignment.id]:
            perform_automatic(session, assignment, "amber", _nothing, {"clock": step.clock, "due": step.due})
    if overdue:
        _remind(session, overdue)
        done.reminders += 1
    session.flush()
    return len(call_ids) == BATCH and bool(locked)


def _nothing(step: Step) -> None:
    """An amber reminder changes nothing; its event is what people are told by."""


def _remind(session: Session, overdue: Sequence[tuple[Assignment, PlannedStep]]) -> Notice:
    """One reminder slip for everything overdue, born issued, in the platform's name."""
    first = overdue[0][0]
    notice = Notice(
        county_id=first.county_id,
        kind=NoticeKind.reminder,
        department_id=first.department_id,
        state=NoticeState.issued,
        issued_at=clock.now(),
    )
    session.info[event.COVERED] = session.info.get(event.COVERED, 0) + 1
    try:
        session.add(notice)
        for assignment, step in overdue:
            notice.entries.append(
                NoticeEntry(assignment=assignment, clock=step.clock, round=assignment.round, due=step.due)
            )
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
    finally:
        session.info[event.COVERED] -= 1
    for assignment, step in overdue:
        perform_automatic(
            session,
            assignment,
            "reminder",
            _nothing,
            {
                "clock": step.clock,
                "due": step.due,
                "notice": {"id": notice.id, "name": notice.number},
                "document": {"id": document.id, "name": document.title},
            },
        )
    return notice
