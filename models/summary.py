"""Maintained figures of how calls were carried out, by month of dispatch: what the leaders' page reads (5, cockpit).

Each assignment is counted in a row of its own with its part in every indicator, each call and each of its links likewise;
the figures are the sums of these rows, and what a figure is made of can always be listed. `models.summary_counting` keeps
them in step. Townships have their workload here and nothing else: they are never compared (1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

import sqlalchemy as sa
from flask_appbuilder import Model
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import KEY, UtcDateTime
from models.call_indicators import CallIndicator
from models.call_signals import Signal
from models.event import Event

TENTHS = 10
"""Parts of an assignment in an indicator are kept in tenths: a fair evaluation weighs 0.6."""


def _part() -> Mapped[int | None]:
    """Tenths of the numerator; empty where an assignment is not in the denominator."""
    return mapped_column(sa.SmallInteger)


class SummaryAssignment(Model):
    """An assignment as it counts. Those that were given back do not and have no row."""

    __tablename__ = "summary_assignment"
    __table_args__ = (
        sa.Index("ix_summary_assignment_month", "county_id", "month", "department_id"),
        sa.Index(
            "ix_summary_assignment_change",
            "changes_at",
            postgresql_where=sa.text("changes_at IS NOT NULL"),
            sqlite_where=sa.text("changes_at IS NOT NULL"),
        ),
        sa.Index(
            "ix_summary_assignment_text",
            "department_id",
            "text_digest",
            postgresql_where=sa.text("text_digest <> ''"),
            sqlite_where=sa.text("text_digest <> ''"),
        ),
    )

    assignment_id: Mapped[int] = mapped_column(
        KEY, sa.ForeignKey("assignment.id", ondelete="CASCADE"), primary_key=True
    )
    call_id: Mapped[int] = mapped_column(KEY, sa.ForeignKey("call.id", ondelete="CASCADE"), nullable=False, index=True)
    county_id: Mapped[int] = mapped_column(KEY, sa.ForeignKey("organisation.id"), nullable=False)
    department_id: Mapped[int] = mapped_column(KEY, sa.ForeignKey("organisation.id"), nullable=False)
    month: Mapped[date] = mapped_column(sa.Date, nullable=False)
    """First day of the month in which it was dispatched, on the county's calendar."""
    field: Mapped[str] = mapped_column(sa.String(40), nullable=False)
    changes_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """The deadline that changes the figures by passing."""
    reported_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    text_digest: Mapped[str] = mapped_column(sa.String(32), nullable=False, default="")
    dispatched: Mapped[int | None] = _part()
    response_rate: Mapped[int | None] = _part()
    on_time_response: Mapped[int | None] = _part()
    report_rate: Mapped[int | None] = _part()
    on_time_report: Mapped[int | None] = _part()
    closure: Mapped[int | None] = _part()
    resolved: Mapped[int | None] = _part()
    satisfaction: Mapped[int | None] = _part()
    weighted_satisfaction: Mapped[int | None] = _part()
    first_time_closure: Mapped[int | None] = _part()
    handled_again: Mapped[int | None] = _part()
    last_minute: Mapped[int | None] = _part()
    no_contact: Mapped[int | None] = _part()
    response_only: Mapped[int | None] = _part()
    same_text: Mapped[int | None] = _part()
    satisfied_at_once: Mapped[int | None] = _part()
    improved: Mapped[int | None] = _part()
    return_rejected: Mapped[int | None] = _part()
    response_minutes: Mapped[int | None] = mapped_column(sa.Integer)
    """Business minutes from dispatch to response."""
    report_minutes: Mapped[int | None] = mapped_column(sa.Integer)


PARTS = (
    "dispatched",
    *(str(one.value) for one in CallIndicator),
    "handled_again",
    *(str(one.value) for one in Signal),
)
"""The columns kept in tenths."""
MINUTES = ("response_minutes", "report_minutes")
FIGURES = (*PARTS, *MINUTES)


class SummaryCall(Model):
    """A call as it counts, from its dispatch on."""

    __tablename__ = "summary_call"
    __table_args__ = (sa.Index("ix_summary_call_month", "county_id", "month"),)

    call_id: Mapped[int] = mapped_column(KEY, sa.ForeignKey("call.id", ondelete="CASCADE"), primary_key=True)
    county_id: Mapped[int] = mapped_column(KEY, sa.ForeignKey("organisation.id"), nullable=False)
    township_id: Mapped[int] = mapped_column(KEY, sa.ForeignKey("organisation.id"), nullable=False)
    month: Mapped[date] = mapped_column(sa.Date, nullable=False)
    field: Mapped[str] = mapped_column(sa.String(40), nullable=False)
    place: Mapped[str] = mapped_column(sa.String(200), nullable=False)
    emergency: Mapped[bool] = mapped_column(sa.Boolean, nullable=False)


class SummaryLink(Model):
    """What a link of a call took once it was over; of a department's links one row for each assignment."""

    __tablename__ = "summary_link"
    __table_args__ = (sa.Index("ix_summary_link_month", "county_id", "month", "link"),)

    call_id: Mapped[int] = mapped_column(KEY, sa.ForeignKey("call.id", ondelete="CASCADE"), primary_key=True)
    link: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    of: Mapped[int] = mapped_column(KEY, primary_key=True, autoincrement=False)
    """Key of the assignment or milestone; 0 for the call's own links."""
    county_id: Mapped[int] = mapped_column(KEY, sa.ForeignKey("organisation.id"), nullable=False)
    month: Mapped[date] = mapped_column(sa.Date, nullable=False)
    emergency: Mapped[bool] = mapped_column(sa.Boolean, nullable=False)
    """Its minutes are those of the wall clock."""
    minutes: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    late: Mapped[bool] = mapped_column(sa.Boolean, nullable=False)


class SummaryFigure(Model):
    """A sum of a county's month. `key` is an organisation's key, a field, a place or a link."""

    __tablename__ = "summary_figure"

    county_id: Mapped[int] = mapped_column(KEY, sa.ForeignKey("organisation.id"), primary_key=True)
    month: Mapped[date] = mapped_column(sa.Date, primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    """department, field, township, place, link, emergency_link"""
    key: Mapped[str] = mapped_column(sa.String(240), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    value: Mapped[int] = mapped_column(sa.BigInteger, nullable=False)
    """Numerator in tenths, or minutes."""
    count: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    """Denominator, or how many."""


class SummaryMonth(Model):
    """A month that figures are kept of, and whether rows changed since they were added up."""

    __tablename__ = "summary_month"
    __table_args__ = (
        sa.Index(
            "ix_summary_month_stale", "county_id", postgresql_where=sa.text("stale"), sqlite_where=sa.text("stale")
        ),
    )

    county_id: Mapped[int] = mapped_column(KEY, sa.ForeignKey("organisation.id"), primary_key=True)
    month: Mapped[date] = mapped_column(sa.Date, primary_key=True)
    stale: Mapped[bool] = mapped_column(sa.Boolean, nullable=False)


class SummaryState(Model):
    """When a county's figures were last brought up to date. Locked while somebody does."""

    __tablename__ = "summary_state"

    county_id: Mapped[int] = mapped_column(KEY, sa.ForeignKey("organisation.id"), primary_key=True)
    counted_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


# Reading


@dataclass(frozen=True)
class Sum:
    """A figure: a numerator in tenths or minutes, and how many it was counted of."""

    value: int = 0
    count: int = 0

    @property
    def share(self) -> Fraction | None:
        """Between 0 and 1; None where nothing was to be counted."""
        return Fraction(self.value, TENTHS * self.count) if self.count else None

    @property
    def mean(self) -> Fraction | None:
        """Of minutes."""
        return Fraction(self.value, self.count) if self.count else None


Sums = Mapping[tuple[str, str, str], Sum]
"""By kind, key and name."""


def sums(session: Session, county_id: int, first: date, last: date) -> Sums:
    """The figures of the months from `first` to `last` (each the first day of a month), places apart."""
    query = (
        sa.select(
            SummaryFigure.kind,
            SummaryFigure.key,
            SummaryFigure.name,
            sa.func.sum(SummaryFigure.value),
            sa.func.sum(SummaryFigure.count),
        )
        .where(*_between(county_id, first, last), SummaryFigure.kind != "place")
        .group_by(SummaryFigure.kind, SummaryFigure.key, SummaryFigure.name)
    )
    return {(kind, key, name): Sum(int(value), int(count)) for kind, key, name, value, count in session.execute(query)}


def whole(found: Sums) -> dict[str, Sum]:
    """The figures of all departments together."""
    made: dict[str, Sum] = {}
    for (kind, _key, name), one in found.items():
        if kind == "department":
            before = made.get(name, Sum())
            made[name] = Sum(before.value + one.value, before.count + one.count)
    return made


def by_month(session: Session, county_id: int, first: date, last: date) -> Mapping[tuple[date, str], Sum]:
    """The figures of all departments together, month by month."""
    query = (
        sa.select(
            SummaryFigure.month,
            SummaryFigure.name,
            sa.func.sum(SummaryFigure.value),
            sa.func.sum(SummaryFigure.count),
        )
        .where(*_between(county_id, first, last), SummaryFigure.kind == "department")
        .group_by(SummaryFigure.month, SummaryFigure.name)
    )
    return {(month, name): Sum(int(value), int(count)) for month, name, value, count in session.execute(query)}


def places(
    session: Session, county_id: int, first: date, last: date, least: int, most: int
) -> Iterator[tuple[int, str, int]]:
    """(township, place, calls) of the places that were called about at least so often, the most frequent ones only."""
    calls = sa.func.sum(SummaryFigure.count)
    query = (
        sa.select(SummaryFigure.key, calls)
        .where(*_between(county_id, first, last), SummaryFigure.kind == "place")
        .group_by(SummaryFigure.key)
        .having(calls >= least)
        .order_by(calls.desc(), SummaryFigure.key)
        .limit(most)
    )
    for key, count in session.execute(query):
        township, _colon, place = key.partition(":")
        yield int(township), place, int(count)


def _between(county_id: int, first: date, last: date) -> tuple[sa.ColumnElement[bool], ...]:
    return (SummaryFigure.county_id == county_id, SummaryFigure.month >= first, SummaryFigure.month <= last)


def uncounted(county_id: int | None = None) -> tuple[sa.ColumnElement[bool], ...]:
    """Events of calls that the figures do not know of yet."""
    found: tuple[sa.ColumnElement[bool], ...] = (Event.thread_type == "call", Event.counted_at.is_(None))
    return found if county_id is None else (*found, Event.county_id == county_id)


def passed(now: datetime) -> sa.ColumnElement[bool]:
    """Assignments of which a deadline has passed since they were counted."""
    return SummaryAssignment.changes_at < now


def up_to_date(session: Session, county_id: int, now: datetime) -> bool:
    """Whether the figures of a county are those that a recount would give now. Asked as the system."""
    waiting = (
        sa.select(Event.id).where(*uncounted(county_id)).exists(),
        sa.select(SummaryAssignment.assignment_id)
        .where(SummaryAssignment.county_id == county_id, passed(now))
        .exists(),
        sa.select(SummaryMonth.month).where(SummaryMonth.county_id == county_id, SummaryMonth.stale).exists(),
    )
    return not session.scalar(sa.select(sa.or_(*waiting)))


def counted_at(session: Session, county_id: int) -> datetime | None:
    """When they were last brought up to date; None before the first time."""
    return session.scalar(sa.select(SummaryState.counted_at).where(SummaryState.county_id == county_id))
