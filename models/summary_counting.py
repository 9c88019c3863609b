"""Keeps the maintained figures in step with the calls (5, cockpit).

What changed is found by the calls' events, which were written in the same transaction as the change, and by deadlines that
have passed; those calls are counted afresh, by the definitions of `models.call_indicators`, and the months that they belong
to are added up again. So it does not matter when, how often or by whom it is done, and nothing is lost by a crash.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased, selectinload

from models import clock, viewer
from models.calendar import work_calendar
from models.call import Assignment, Call
from models.call_indicators import CallIndicator, Figures, handled
from models.call_moments import times_spent
from models.call_signals import History, history, signals, text_digest
from models.call_words import CallState
from models.event import Event
from models.summary import (
    FIGURES,
    TENTHS,
    SummaryAssignment,
    SummaryCall,
    SummaryFigure,
    SummaryLink,
    SummaryMonth,
    SummaryState,
    passed,
    uncounted,
)
from models.time_spent import TimeSpent
from models.worktime import WorkCalendar

BATCH = 100
"""Calls counted in one transaction."""
EVENTS = 1000
"""Events looked at for them."""

Transaction = Callable[[], AbstractContextManager[Session]]


Counted = SummaryCall | SummaryAssignment | SummaryLink


def count_changes(transaction: Transaction) -> int:
    """Bring the figures of all counties up to date; gives the number of calls that were counted. Run again, it does nothing twice."""
    done = 0
    with viewer.system():
        with transaction() as session:
            waiting = _counties(session, clock.now())
        for county_id in waiting:
            while counted := _batch(transaction, county_id):
                done += counted
            _add_up(transaction, county_id)
    return done


def _counties(session: Session, now: datetime) -> Sequence[int]:
    """Counties whose figures are behind."""
    found = sa.union(
        sa.select(Event.county_id).where(*uncounted(), Event.county_id.is_not(None)),
        sa.select(SummaryAssignment.county_id).where(passed(now)),
        sa.select(SummaryMonth.county_id).where(SummaryMonth.stale),
    ).subquery()
    return session.scalars(sa.select(found.c[0]).order_by(found.c[0])).all()


def _lock(session: Session, county_id: int) -> None:
    """One at a time for each county, as the figures are replaced by the rows."""
    now = clock.now()
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    table = sa.inspect(SummaryState).local_table
    session.connection().execute(
        insert(table)
        .values(county_id=county_id, counted_at=now)
        .on_conflict_do_update(index_elements=["county_id"], set_={"counted_at": now})
    )


def _batch(transaction: Transaction, county_id: int) -> int:
    """Count some calls that changed; gives their number."""
    now = clock.now()
    with transaction() as session:
        _lock(session, county_id)
        events = session.execute(
            sa.select(Event.id, Event.thread_id).where(*uncounted(county_id)).order_by(Event.id).limit(EVENTS)
        ).all()
        calls = list(dict.fromkeys(row.thread_id for row in events))[:BATCH]
        if len(calls) < BATCH:
            late = sa.select(SummaryAssignment.call_id).where(SummaryAssignment.county_id == county_id, passed(now))
            calls = list(dict.fromkeys([*calls, *session.scalars(late.distinct().limit(BATCH - len(calls)))]))
        if calls:
            count_calls(session, county_id, calls, now)
        told = [row.id for row in events if row.thread_id in set(calls)]
        if told:
            marked = sa.update(Event).where(Event.id.in_(told)).values(counted_at=now)
            session.execute(marked, execution_options={"synchronize_session": False})
    return len(calls)


def count_calls(session: Session, county_id: int, call_ids: Collection[int], now: datetime) -> None:
    """Make the rows of some calls of a county anew, and note the months that they stood in and stand in."""
    texts = _texts(session, call_ids)
    months = _forget(session, call_ids)
    calls = session.scalars(
        sa.select(Call)
        .where(Call.id.in_(call_ids), Call.dispatched_at.is_not(None), Call.state != CallState.draft)
        .options(
            selectinload(Call.assignments).options(
                selectinload(Assignment.reports),
                selectinload(Assignment.evaluations),
                selectinload(Assignment.return_request),
            )
        )
        .order_by(Call.id)
    ).all()
    if calls:
        counting = _Counting(session, county_id, calls, now)
        rows: list[Counted] = [*counting.calls(), *counting.assignments(), *counting.links()]
        session.add_all(rows)
        months |= {row.month for row in rows}
        session.flush()
    months |= _months_of_texts(session, texts ^ _texts(session, call_ids))
    _mark_stale(session, county_id, months)
    session.flush()


def _forget(session: Session, call_ids: Collection[int]) -> set[date]:
    months: set[date] = set()
    for model in (SummaryCall, SummaryAssignment, SummaryLink):
        where = model.call_id.in_(call_ids)
        months.update(session.scalars(sa.select(model.month).where(where).distinct()))
        session.execute(sa.delete(model).where(where), execution_options={"synchronize_session": False})
    return months


Said = tuple[int, str, datetime | None]
"""Department, digest of a text, and when it was handed in."""


def _texts(session: Session, call_ids: Collection[int]) -> set[Said]:
    query = sa.select(
        SummaryAssignment.department_id, SummaryAssignment.text_digest, SummaryAssignment.reported_at
    ).where(SummaryAssignment.call_id.in_(call_ids), SummaryAssignment.text_digest != "")
    return {(row.department_id, row.text_digest, row.reported_at) for row in session.execute(query)}


def _months_of_texts(session: Session, changed: Collection[Said]) -> set[date]:
    """The months in which the same departments said the same."""
    said = {(department_id, text) for department_id, text, _at in changed}
    months: set[date] = set()
    for department_id, text in said:
        query = sa.select(SummaryAssignment.month).where(
            SummaryAssignment.department_id == department_id, SummaryAssignment.text_digest == text
        )
        months.update(session.scalars(query.distinct()))
    return months


def _mark_stale(session: Session, county_id: int, months: Iterable[date]) -> None:
    for month in sorted(months):
        session.merge(SummaryMonth(county_id=county_id, month=month, stale=True))


class _Counting:
    """Makes the rows of some calls."""

    def __init__(self, session: Session, county_id: int, calls: Sequence[Call], now: datetime) -> None:
        self.session = session
        self.county_id = county_id
        self.now = now
        self.calendar: WorkCalendar = work_calendar(session, county_id)
        self.by_call = {call.id: call for call in calls}
        self.by_assignment = {one.id: one for call in calls for one in call.assignments}

    def month(self, instant: datetime) -> date:
        return self.calendar.local_date(instant).replace(day=1)

    def calls(self) -> Iterator[SummaryCall]:
        for call in self.by_call.values():
            assert call.dispatched_at is not None
            yield SummaryCall(
                call_id=call.id,
                county_id=self.county_id,
                township_id=call.township_id,
                month=self.month(call.dispatched_at),
                field=call.field,
                place=" ".join(call.place.split()),
                emergency=call.emergency,
            )

    def assignments(self) -> Iterator[SummaryAssignment]:
        told = history(self.session, list(self.by_assignment.values()))
        for one in handled(self.session, self.by_call.keys(), self.now):
            assignment = self.by_assignment[one.assignment_id]
            report = assignment.report_of(1)
            figures = Figures(self.now, [one])
            yield SummaryAssignment(
                assignment_id=one.assignment_id,
                call_id=assignment.call_id,
                county_id=self.county_id,
                department_id=one.department_id,
                month=self.month(one.assigned_at),
                field=self.by_call[assignment.call_id].field,
                changes_at=figures.changes_after(one),
                reported_at=report.reported_at if report is not None else None,
                text_digest=text_digest(assignment),
                **self._parts(figures, assignment, told),
                **self._minutes(figures),
            )

    def _parts(self, figures: Figures, assignment: Assignment, told: History) -> dict[str, int]:
        """An assignment's part in each indicator: the indicator of itself alone, since all are sums over assignments."""
        rates = {str(name.value): figures.rate(name) for name in CallIndicator}
        found = {name: int(rate.numerator * TENTHS) for name, rate in rates.items() if rate.denominator}
        if figures.dispatched:
            found["dispatched"] = TENTHS
            found["handled_again"] = int(figures.rehandlings.numerator * TENTHS)
        shown = signals(assignment, told, self.now)
        return found | {str(signal.value): TENTHS * shows for signal, shows in shown.items()}

    def _minutes(self, figures: Figures) -> dict[str, int]:
        means = {
            "response_minutes": figures.mean_response(self.calendar),
            "report_minutes": figures.mean_report(self.calendar),
        }
        return {name: mean.minutes for name, mean in means.items() if mean.count}

    def links(self) -> Iterator[SummaryLink]:
        spent = times_spent(self.session, list(self.by_call.values()), self.now)
        for key, found in spent.items():
            yield from self._links(self.by_call[key], found)

    def _links(self, call: Call, spent: TimeSpent) -> Iterator[SummaryLink]:
        """Links that are over; how often it came to one does not matter."""
        assert call.dispatched_at is not None
        minutes: dict[tuple[str, int], int] = defaultdict(int)
        late: dict[tuple[str, int], bool] = defaultdict(bool)
        lasting = {(one.link.value, one.of) for one in spent.links if one.ended is None}
        for one in spent.links:
            place = (one.link.value, one.of)
            if place not in lasting:
                minutes[place] += one.minutes
                late[place] |= one.late is not None
        for (link, of), taken in minutes.items():
            yield SummaryLink(
                call_id=call.id,
                link=link,
                of=of,
                county_id=self.county_id,
                month=self.month(call.dispatched_at),
                emergency=call.emergency,
                minutes=taken,
                late=late[link, of],
            )


# Adding up


def _add_up(transaction: Transaction, county_id: int) -> None:
    """Add up the months whose rows changed, each in a transaction of its own."""
    with transaction() as session:
        stale = sa.select(SummaryMonth.month).where(SummaryMonth.county_id == county_id, SummaryMonth.stale)
        months = session.scalars(stale.order_by(SummaryMonth.month)).all()
    for month in months:
        with transaction() as session:
            _lock(session, county_id)
            add_up(session, county_id, month)


def add_up(session: Session, county_id: int, month: date) -> None:
    """Make the figures of a month anew from its rows."""
    _compare_texts(session, county_id, month)
    figure = sa.inspect(SummaryFigure).local_table
    session.execute(
        sa.delete(SummaryFigure).where(SummaryFigure.county_id == county_id, SummaryFigure.month == month),
        execution_options={"synchronize_session": False},
    )
    rows = [
        {"county_id": county_id, "month": month, "kind": kind, "key": key, "name": name, "value": value, "count": count}
        for kind, key, name, value, count in _sums(session, county_id, month)
        if count
    ]
    if rows:
        session.connection().execute(sa.insert(figure), rows)
    session.merge(SummaryMonth(county_id=county_id, month=month, stale=False))
    session.flush()


def _compare_texts(session: Session, county_id: int, month: date) -> None:
    """Which first reports say word for word what the same department had reported before in another matter."""
    earlier = aliased(SummaryAssignment)
    before = (
        sa.select(earlier.assignment_id)
        .where(
            earlier.department_id == SummaryAssignment.department_id,
            earlier.text_digest == SummaryAssignment.text_digest,
            earlier.text_digest != "",
            sa.tuple_(earlier.reported_at, earlier.assignment_id)
            < sa.tuple_(SummaryAssignment.reported_at, SummaryAssignment.assignment_id),
            earlier.call_id != SummaryAssignment.call_id,
        )
        .exists()
    )
    session.execute(
        sa.update(SummaryAssignment)
        .where(
            SummaryAssignment.county_id == county_id,
            SummaryAssignment.month == month,
            SummaryAssignment.text_digest != "",
        )
        .values(same_text=sa.case((before, TENTHS), else_=0)),
        execution_options={"synchronize_session": False},
    )


Found = tuple[str, str, str, int, int]
"""Kind, key, name, value, count."""


def _sums(session: Session, county_id: int, month: date) -> Iterator[Found]:
    for kind, column in (("department", SummaryAssignment.department_id), ("field", SummaryAssignment.field)):
        yield from _assignment_sums(session, county_id, month, kind, column)
    place = sa.cast(SummaryCall.township_id, sa.String) + ":" + SummaryCall.place
    for kind, group, where in (
        ("field", SummaryCall.field, ()),
        ("township", SummaryCall.township_id, ()),
        ("place", place, (SummaryCall.place != "",)),
    ):
        yield from _call_sums(session, county_id, month, kind, group, where)
    yield from _link_sums(session, county_id, month)


def _assignment_sums(session: Session, county_id: int, month: date, kind: str, group: Any) -> Iterator[Found]:
    columns = [getattr(SummaryAssignment, name) for name in FIGURES]
    query = (
        sa.select(group, *(part for one in columns for part in (sa.func.sum(one), sa.func.count(one))))
        .where(SummaryAssignment.county_id == county_id, SummaryAssignment.month == month)
        .group_by(group)
    )
    for key, *values in session.execute(query):
        for place, name in enumerate(FIGURES):
            yield kind, str(key), name, int(values[2 * place] or 0), values[2 * place + 1]


def _call_sums(
    session: Session, county_id: int, month: date, kind: str, group: Any, where: Sequence[Any]
) -> Iterator[Found]:
    """How many calls, and how many of them emergencies."""
    emergencies = sa.func.sum(sa.case((SummaryCall.emergency, TENTHS), else_=0))
    query = (
        sa.select(group, emergencies, sa.func.count())
        .where(SummaryCall.county_id == county_id, SummaryCall.month == month, *where)
        .group_by(group)
    )
    for key, value, count in session.execute(query):
        yield kind, str(key), "calls", int(value), count


def _link_sums(session: Session, county_id: int, month: date) -> Iterator[Found]:
    late = sa.func.sum(sa.case((SummaryLink.late, TENTHS), else_=0))
    query = (
        sa.select(SummaryLink.emergency, SummaryLink.link, sa.func.sum(SummaryLink.minutes), late, sa.func.count())
        .where(SummaryLink.county_id == county_id, SummaryLink.month == month)
        .group_by(SummaryLink.emergency, SummaryLink.link)
    )
    for emergency, link, minutes, behind, count in session.execute(query):
        kind = "emergency_link" if emergency else "link"
        yield kind, link, "minutes", int(minutes), count
        yield kind, link, "late", int(behind), count
