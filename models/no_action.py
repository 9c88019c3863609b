"""When a supervisor may find that a department responded without acting (2.2, end): three grounds, each to be read from the records."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import viewer
from models.calendar import work_calendar
from models.call import Assignment
from models.call_report import Evaluation, Report
from models.call_words import Satisfaction
from models.event import Event
from models.inspection import Inspection, Verdict
from models.person import Person
from models.setting import setting


def grounds_of_no_action(session: Session, assignment: Assignment, now: datetime) -> list[str]:
    """Names of the grounds that hold: `idle` (no report by 3 working days after its deadline, without any progress logged), `refuted`
    (an inspection refuted a report), `twice_dissatisfied`."""
    with viewer.system():
        found = {
            "idle": _idle(session, assignment, now),
            "refuted": _refuted(session, assignment),
            "twice_dissatisfied": _twice_dissatisfied(session, assignment),
        }
    return [name for name, holds in found.items() if holds]


def _idle(session: Session, assignment: Assignment, now: datetime) -> bool:
    if assignment.report_of(assignment.round) is not None:
        return False
    limit = setting(session, assignment.county_id, "red_after")
    until = min(now, assignment.stopped_at) if assignment.stopped_at is not None else now
    if until < work_calendar(session, assignment.county_id).deadline(assignment.report_due, limit):
        return False
    event, person = sa.inspect(Event).local_table, sa.inspect(Person).local_table
    logged = (
        sa.select(event.c.id)
        .join(person, person.c.id == event.c.actor_id)
        .where(
            event.c.thread_type == "call",
            event.c.thread_id == assignment.call_id,
            event.c.name == "log_progress",
            person.c.organisation_id == assignment.department_id,
        )
    )
    return session.connection().scalar(logged.limit(1)) is None


def _refuted(session: Session, assignment: Assignment) -> bool:
    query = (
        sa.select(Inspection.id)
        .join(Report, Report.id == Inspection.report_id)
        .where(Report.assignment_id == assignment.id, Inspection.verdict == Verdict.refuted)
    )
    return session.scalar(query.limit(1)) is not None


def _twice_dissatisfied(session: Session, assignment: Assignment) -> bool:
    query = sa.select(sa.func.count(Evaluation.id)).where(
        Evaluation.assignment_id == assignment.id, Evaluation.satisfaction == Satisfaction.dissatisfied
    )
    return (session.scalar(query) or 0) >= 2
