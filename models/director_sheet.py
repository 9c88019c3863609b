"""The office director's sheet of the morning (2.2): due today, overdue, emergencies overnight, expired clocks, slips to be signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload

from models import event, viewer
from models.base import Record
from models.calendar import work_calendar
from models.call import Assignment, Call
from models.call_words import AssignmentState, CallKind, CallState
from models.ladder_steps import running_clocks
from models.notification import Job
from models.organisation import Organisation, OrganisationKind
from models.party_clocks import CLOCKS, PartyClock, overdue, running
from models.supervision import Notice, NoticeState

READY_AT = time(8, 30)
"""When the sheet lies on the director's desk, on working days, county time."""


@dataclass(frozen=True)
class DepartmentClock:
    """A department's response or report that is due."""

    assignment: Assignment
    clock: str
    due: datetime


@dataclass(frozen=True)
class DirectorSheet:
    """Departments' deadlines the nearest first; other parties' by the order of their rules."""

    due_today: tuple[DepartmentClock, ...]
    parties_today: tuple[tuple[PartyClock, Record], ...]
    overdue: tuple[DepartmentClock, ...]
    emergencies: tuple[Call, ...]
    """Raised since offices last closed."""
    expired: tuple[tuple[PartyClock, Record], ...]
    slips: tuple[Notice, ...]

    def counts(self) -> dict[str, int]:
        """How many there are of each, as the morning's message tells."""
        return {
            "due_today": len(self.due_today) + len(self.parties_today),
            "overdue": len(self.overdue),
            "emergencies": len(self.emergencies),
            "expired": len(self.expired),
            "slips": len(self.slips),
        }


def director_sheet(session: Session, county_id: int, now: datetime) -> DirectorSheet:
    """The sheet of a county as it stands at an instant. Read as the system: it belongs to the office director alone."""
    calendar = work_calendar(session, county_id)
    today = calendar.local_date(now)
    evening = calendar.close_of_day(today)
    closed_at = calendar.close_of_day(calendar.move_working_days(today, -1))
    with viewer.system():
        due = _departments(session, county_id, evening)
        return DirectorSheet(
            tuple(one for one in due if one.due > now),
            tuple(
                (one, record)
                for one in CLOCKS
                if not one.alone
                for record in running(session, one, evening)
                if record.county_id == county_id and getattr(record, one.due) > now
            ),
            tuple(one for one in due if one.due <= now),
            _emergencies(session, county_id, closed_at, now),
            tuple(overdue(session, county_id, now)),
            _slips(session, county_id),
        )


def _departments(session: Session, county_id: int, until: datetime) -> list[DepartmentClock]:
    """Clocks of departments that end before an instant, those that stand still apart."""
    assignments = session.scalars(
        sa.select(Assignment)
        .join(Assignment.call)
        .where(
            Assignment.county_id == county_id,
            Call.state.in_((CallState.dispatched, CallState.long_term)),
            Assignment.state.in_(
                (AssignmentState.pending, AssignmentState.responded, AssignmentState.return_requested)
            ),
            sa.or_(Assignment.respond_due <= until, Assignment.report_due <= until),
        )
        .options(
            joinedload(Assignment.call).joinedload(Call.township),
            joinedload(Assignment.department),
        )
    )
    found = [
        DepartmentClock(one, name, due)
        for one in assignments
        for name, _start, due in running_clocks(one)
        if due <= until
    ]
    return sorted(found, key=lambda one: (one.due, one.assignment.id))


def _emergencies(session: Session, county_id: int, since: datetime, now: datetime) -> tuple[Call, ...]:
    return tuple(
        session.scalars(
            sa.select(Call)
            .where(
                Call.county_id == county_id,
                Call.kind == CallKind.emergency,
                Call.submitted_at > since,
                Call.submitted_at <= now,
            )
            .options(joinedload(Call.township))
            .order_by(Call.submitted_at)
        )
    )


def _slips(session: Session, county_id: int) -> tuple[Notice, ...]:
    return tuple(
        session.scalars(
            sa.select(Notice)
            .where(Notice.county_id == county_id, Notice.state == NoticeState.drafted)
            .options(joinedload(Notice.department))
            .order_by(Notice.sign_due, Notice.id)
        )
    )


def lay_out_sheets(session: Session, now: datetime) -> int:
    """From 08:30 on every working day, once: an event of each county, by which its office director is told. Gives the number of counties."""
    laid = 0
    for county in session.scalars(
        sa.select(Organisation).where(Organisation.kind == OrganisationKind.county).order_by(Organisation.id)
    ).all():
        calendar = work_calendar(session, county.id)
        today = calendar.local_date(now)
        ready = datetime.combine(today, READY_AT, tzinfo=calendar.zone)
        if now < ready or not calendar.is_working_day(today):
            continue
        if _first_time(session, f"director_sheet:{county.id}:{today.isoformat()}", now):
            values = {"day": today, **director_sheet(session, county.id, now).counts()}
            event.append(session, county, "automatic", "director_sheet", values)
            laid += 1
    return laid


def _first_time(session: Session, key: str, now: datetime) -> bool:
    """Take a key that can be taken once, whoever else tries at the same time."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    table = sa.inspect(Job).local_table
    values = {"key": key, "name": "director_sheet", "arguments": {}, "wanted_at": now, "done_at": now}
    statement = insert(table).values(attempts=0, error="", **values).on_conflict_do_nothing(index_elements=["key"])
    return session.connection().execute(statement.returning(table.c.id)).first() is not None
