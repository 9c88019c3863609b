"""What the calls of a month were, for the ledgers that are filed: a township's own, a department's assignments, all of a county for its offices.

Read as the viewer: the row filter holds here as everywhere, and of evaluations each sees what is his.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from models.calendar import work_calendar
from models.call import Assignment, Call
from models.call_report import Evaluation
from models.call_words import CallState
from models.organisation import Organisation


@dataclass(frozen=True)
class Month:
    """A month on the county's calendar."""

    year: int
    number: int

    @property
    def first(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def before(self) -> Month:
        return Month(self.year, self.number - 1) if self.number > 1 else Month(self.year - 1, 12)

    @property
    def after(self) -> Month:
        return Month(self.year, self.number + 1) if self.number < 12 else Month(self.year + 1, 1)

    def text(self) -> str:
        """As it stands in addresses and names of files, `2026-11`."""
        return f"{self.year}-{self.number:02d}"

    @classmethod
    def parse(cls, text: str) -> Month:
        """Raises ValueError unless it is a month between 2000 and 2100."""
        day = date.fromisoformat(f"{text}-01")
        if not 2000 <= day.year <= 2100:
            raise ValueError(f"a ledger has no such month: {text}")
        return cls(day.year, day.month)

    def bounds(self, session: Session, county_id: int) -> tuple[datetime, datetime]:
        """Its first instant, and that of the next."""
        zone = work_calendar(session, county_id).zone
        first, last = (datetime.combine(one.first, time(0), tzinfo=zone) for one in (self, self.after))
        return first, last


def calls_of(session: Session, county_id: int, month: Month, township_id: int | None = None) -> Sequence[Call]:
    """The calls submitted in a month, in the order of their numbers; of one township if one is named."""
    start, end = month.bounds(session, county_id)
    query = sa.select(Call).where(
        Call.county_id == county_id,
        Call.submitted_at >= start,
        Call.submitted_at < end,
        Call.state != CallState.draft,
    )
    if township_id is not None:
        query = query.where(Call.township_id == township_id)
    departments = selectinload(Call.assignments)
    return session.scalars(
        query.options(
            joinedload(Call.township),
            departments.joinedload(Assignment.department),
            departments.selectinload(Assignment.reports),
        ).order_by(Call.submitted_at, Call.id)
    ).all()


def assignments_of(session: Session, county_id: int, month: Month, department_id: int) -> Sequence[Assignment]:
    """What was dispatched to a department in a month, in that order."""
    start, end = month.bounds(session, county_id)
    return session.scalars(
        sa.select(Assignment)
        .where(
            Assignment.department_id == department_id,
            Assignment.assigned_at >= start,
            Assignment.assigned_at < end,
        )
        .options(joinedload(Assignment.call).joinedload(Call.township), selectinload(Assignment.reports))
        .order_by(Assignment.assigned_at, Assignment.id)
    ).all()


def evaluations_of(session: Session, assignments: Sequence[Assignment]) -> dict[int, Evaluation]:
    """The last evaluation of each assignment that this viewer may read."""
    keys = [one.id for one in assignments]
    found = session.scalars(sa.select(Evaluation).where(Evaluation.assignment_id.in_(keys)).order_by(Evaluation.round))
    return {one.assignment_id: one for one in found}


@dataclass(frozen=True)
class Workload:
    """What a township did in a month: its own work alone, beside nobody else's."""

    raised: int
    emergencies: int
    states: tuple[tuple[CallState, int], ...]
    """In the order of the workflow."""
    fields: tuple[tuple[str, int], ...]
    departments: tuple[tuple[Organisation, int], ...]
    """In the order of the organisations, never by a count."""


def workload(calls: Sequence[Call]) -> Workload:
    states = Counter(call.state for call in calls)
    fields = Counter(call.field for call in calls)
    called = {one.department_id: one.department for call in calls for one in call.assignments}
    times = Counter(one.department_id for call in calls for one in call.assignments)
    ordered = sorted(called.values(), key=lambda one: (one.order, one.id))
    return Workload(
        len(calls),
        sum(call.emergency for call in calls),
        tuple((state, states[state]) for state in CallState if states[state]),
        tuple(sorted(fields.items())),
        tuple((one, times[one.id]) for one in ordered),
    )
