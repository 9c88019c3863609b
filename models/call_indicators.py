"""Indicators of how departments carry out calls, counted from the calls themselves (2.8; K4, K6, S2).

One cohort serves all: the assignments dispatched in a period. Whatever happened after the instant `as_of` does not count, so that the same
period and instant give the same figures for ever. Numerator and denominator are always kept.
Assignments that were given back count for nobody; those of a withdrawn call only for what had become due before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from models import viewer
from models.calendar import work_calendar
from models.call import Assignment, Call
from models.call_report import Evaluation, Report
from models.call_words import AssignmentRole, AssignmentState, CallState, Satisfaction, Solved
from models.field import Choice
from models.worktime import WorkCalendar

FAIR = Fraction(6, 10)
"""What a fair evaluation is worth where satisfied is worth one."""


class CallIndicator(Choice):
    """A rate between none and all; more is better."""

    response_rate = "response_rate", _l("Response rate")
    on_time_response = "on_time_response", _l("On-time response rate")
    report_rate = "report_rate", _l("Report rate")
    on_time_report = "on_time_report", _l("On-time report rate")
    closure = "closure", _l("Closure rate")
    resolved = "resolved", _l("Resolved rate")
    satisfaction = "satisfaction", _l("Satisfaction rate")
    weighted_satisfaction = "weighted_satisfaction", _l("Weighted satisfaction rate")
    first_time_closure = "first_time_closure", _l("First-time closure rate")


@dataclass(frozen=True)
class Rate:
    """A share with what it was made of."""

    numerator: Fraction
    denominator: int

    @property
    def share(self) -> Fraction | None:
        """Between 0 and 1; None where nothing was to be counted."""
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True)
class Mean:
    """An average of business minutes with what it was made of."""

    minutes: int
    count: int

    @property
    def hours(self) -> Fraction | None:
        return Fraction(self.minutes, 60 * self.count) if self.count else None


@dataclass(frozen=True)
class Round:
    """One round's duty to report."""

    due: datetime
    reported_at: datetime | None


@dataclass(frozen=True)
class Handled:
    """What one assignment of the cohort shows at the instant of counting."""

    assignment_id: int
    call_id: int
    department_id: int
    township_id: int
    assigned_at: datetime
    respond_due: datetime
    responded_at: datetime | None
    stopped_at: datetime | None
    rounds: tuple[Round, ...]
    evaluations: tuple[tuple[Satisfaction, Solved], ...]
    """By round; the last one is the township's final word."""
    closed: bool
    withdrawn: bool
    lead: bool = True
    cleared: bool = False
    """A review took back the mark of a late or missing response: it counts as given in time."""
    first_report_at: datetime | None = None

    @property
    def evaluation(self) -> tuple[Satisfaction, Solved] | None:
        """The township's final word."""
        return self.evaluations[-1] if self.evaluations else None


@dataclass
class Figures:
    """The indicators of one department, or of all together."""

    as_of: datetime
    handled: list[Handled] = field(default_factory=list)

    @property
    def dispatched(self) -> int:
        """Assignments of the cohort, without those of withdrawn calls."""
        return sum(not one.withdrawn for one in self.handled)

    def rate(self, indicator: CallIndicator) -> Rate:
        return _RATES[indicator](self)

    @property
    def rehandlings(self) -> Rate:
        """Assignments that went into a second round, of all dispatched."""
        again = sum(len(one.rounds) > 1 for one in self.handled if not one.withdrawn)
        return Rate(Fraction(again), self.dispatched)

    def mean_response(self, calendar: WorkCalendar) -> Mean:
        """Business time from dispatch to response."""
        ends = [(one.assigned_at, one.responded_at) for one in self.handled]
        return _mean(calendar, ends)

    def mean_report(self, calendar: WorkCalendar) -> Mean:
        """Business time from dispatch to the first report."""
        ends = [(one.assigned_at, one.rounds[0].reported_at) for one in self.handled]
        return _mean(calendar, ends)

    def until(self, one: Handled) -> datetime:
        """The instant up to which an assignment's clocks ran."""
        return min(self.as_of, one.stopped_at) if one.stopped_at is not None else self.as_of

    def changes_after(self, one: Handled) -> datetime | None:
        """The deadline that changes the figures by passing, if nothing happens before; None where only events can."""
        if one.stopped_at is not None:
            return None
        running = [each.due for each in one.rounds if each.reported_at is None]
        if one.responded_at is None and one.first_report_at is None:
            running.append(one.respond_due)
        return min((due for due in running if due >= self.as_of), default=None)

    def rounds_due(self, one: Handled) -> list[Round]:
        """The rounds in which a report was given or its deadline passed."""
        return [each for each in one.rounds if each.reported_at is not None or each.due < self.until(one)]


def _mean(calendar: WorkCalendar, ends: Iterable[tuple[datetime, datetime | None]]) -> Mean:
    minutes = [calendar.minutes_between(start, end) for start, end in ends if end is not None]
    return Mean(sum(minutes), len(minutes))


def _share(found: Iterable[bool]) -> Rate:
    """How many of what is counted hold."""
    listed = list(found)
    return Rate(Fraction(sum(listed)), len(listed))


def response_due(figures: Figures, one: Handled) -> bool:
    """Whether a response counts: given, or its deadline has passed while it was waited for, which is up to the first report."""
    if one.responded_at is not None:
        return True
    return one.respond_due < min(figures.until(one), one.first_report_at or figures.as_of)


def responded(one: Handled) -> bool:
    return one.responded_at is not None or one.cleared


def responded_in_time(one: Handled) -> bool:
    return one.cleared or (one.responded_at is not None and one.responded_at <= one.respond_due)


def reported_in_time(each: Round) -> bool:
    return each.reported_at is not None and each.reported_at <= each.due


def _response(figures: Figures, good: Callable[[Handled], bool]) -> Rate:
    return _share(good(one) for one in figures.handled if response_due(figures, one))


def _report(figures: Figures, good: Callable[[Round], bool]) -> Rate:
    due = [rounds for one in figures.handled if (rounds := figures.rounds_due(one))]
    return _share(all(good(each) for each in rounds) for rounds in due)


def _evaluated(figures: Figures) -> list[tuple[Satisfaction, Solved]]:
    return [one.evaluations[-1] for one in figures.handled if one.evaluations]


def _closed(figures: Figures) -> list[Handled]:
    return [one for one in figures.handled if one.closed and one.evaluations]


def _weighted(figures: Figures) -> Rate:
    found = [satisfaction for satisfaction, _solved in _evaluated(figures)]
    worth = found.count(Satisfaction.satisfied) + FAIR * found.count(Satisfaction.fair)
    return Rate(Fraction(worth), len(found))


_RATES: dict[CallIndicator, Callable[[Figures], Rate]] = {
    CallIndicator.response_rate: lambda figures: _response(figures, responded),
    CallIndicator.on_time_response: lambda figures: _response(figures, responded_in_time),
    CallIndicator.report_rate: lambda figures: _report(figures, lambda each: each.reported_at is not None),
    CallIndicator.on_time_report: lambda figures: _report(figures, reported_in_time),
    CallIndicator.closure: lambda figures: Rate(Fraction(len(_closed(figures))), figures.dispatched),
    CallIndicator.resolved: lambda figures: _share(solved == Solved.solved for _word, solved in _evaluated(figures)),
    CallIndicator.satisfaction: lambda figures: _share(
        word in (Satisfaction.satisfied, Satisfaction.fair) for word, _solved in _evaluated(figures)
    ),
    CallIndicator.weighted_satisfaction: _weighted,
    CallIndicator.first_time_closure: lambda figures: _share(len(one.rounds) == 1 for one in _closed(figures)),
}


# Reading


def bounds(calendar: WorkCalendar, first: date, last: date) -> tuple[datetime, datetime]:
    """The instants at which a period of days begins and ends in the county; the end does not belong to it."""
    midnight = time(0)
    return (
        datetime.combine(first, midnight, tzinfo=calendar.zone),
        datetime.combine(last + timedelta(days=1), midnight, tzinfo=calendar.zone),
    )


def count(session: Session, county_id: int, first: date, last: date, as_of: datetime) -> dict[int, Figures]:
    """The figures of every department that calls were dispatched to from the first to the last day, as they stood at an instant."""
    found: dict[int, Figures] = defaultdict(lambda: Figures(as_of=as_of))
    for one in cohort(session, county_id, first, last, as_of):
        found[one.department_id].handled.append(one)
    return dict(found)


def dealings(cohort_: Iterable[Handled]) -> Mapping[tuple[int, int], int]:
    """How many assignments of the cohort each (township, department) had with each other."""
    found: dict[tuple[int, int], int] = defaultdict(int)
    for one in cohort_:
        found[one.township_id, one.department_id] += 1
    return found


def cohort(session: Session, county_id: int, first: date, last: date, as_of: datetime) -> Iterator[Handled]:
    """The assignments dispatched in the period, in the order of their keys, as they stood at an instant."""
    start, end = bounds(work_calendar(session, county_id), first, last)
    conditions = (Assignment.county_id == county_id, Assignment.assigned_at >= start, Assignment.assigned_at < end)
    return _read(session, conditions, as_of)


def handled(session: Session, call_ids: Collection[int], as_of: datetime) -> Iterator[Handled]:
    """The assignments of some calls that count, whenever they were dispatched, as `cohort` gives them."""
    return _read(session, (Assignment.call_id.in_(call_ids),), as_of)


def _read(session: Session, which: Sequence[sa.ColumnElement[bool]], as_of: datetime) -> Iterator[Handled]:
    """Read as the system, in three statements."""
    conditions = (*which, Assignment.assigned_at <= as_of, Assignment.state != AssignmentState.returned)
    with viewer.system():
        reports = _by_assignment(
            session.execute(
                sa.select(Report.assignment_id, Report.round, Report.due, Report.reported_at)
                .join(Assignment, Assignment.id == Report.assignment_id)
                .where(*conditions)
                .order_by(Report.assignment_id, Report.round, Report.attempt)
            )
        )
        evaluations = _by_assignment(
            session.execute(
                sa.select(
                    Evaluation.assignment_id,
                    Evaluation.round,
                    Evaluation.satisfaction,
                    Evaluation.solved,
                    Evaluation.evaluated_at,
                )
                .join(Assignment, Assignment.id == Evaluation.assignment_id)
                .where(*conditions, Evaluation.evaluated_at <= as_of)
                .order_by(Evaluation.assignment_id, Evaluation.round)
            )
        )
        rows = session.execute(
            sa.select(
                Assignment.id,
                Assignment.call_id,
                Assignment.role,
                Assignment.response_cleared_at,
                Assignment.department_id,
                Call.township_id,
                Assignment.assigned_at,
                Assignment.respond_due,
                Assignment.responded_at,
                Assignment.stopped_at,
                Assignment.round,
                Assignment.report_due,
                Call.state,
                Call.ended_at,
            )
            .join(Call, Call.id == Assignment.call_id)
            .where(*conditions)
            .order_by(Assignment.id)
        ).all()
    for row in rows:
        yield _handled(row, reports.get(row.id, []), evaluations.get(row.id, []), as_of)


def _by_assignment(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.assignment_id].append(row)
    return found


def _handled(row: Any, reports: list[Any], evaluations: list[Any], as_of: datetime) -> Handled:
    ended = row.ended_at is not None and row.ended_at <= as_of
    return Handled(
        assignment_id=row.id,
        call_id=row.call_id,
        department_id=row.department_id,
        township_id=row.township_id,
        assigned_at=row.assigned_at,
        respond_due=row.respond_due,
        responded_at=_known(row.responded_at, as_of),
        stopped_at=_known(row.stopped_at, as_of),
        rounds=_rounds(row, reports, evaluations, as_of),
        evaluations=tuple((one.satisfaction, one.solved) for one in evaluations),
        closed=ended and row.state == CallState.closed,
        withdrawn=ended and row.state == CallState.withdrawn,
        lead=row.role == AssignmentRole.lead,
        cleared=_known(row.response_cleared_at, as_of) is not None,
        first_report_at=_known(reports[0].reported_at, as_of) if reports else None,
    )


def _rounds(row: Any, reports: list[Any], evaluations: list[Any], as_of: datetime) -> tuple[Round, ...]:
    """The rounds that had begun: a second one begins with the dissatisfied evaluation of the first."""
    given = {one.round: one for one in reports}
    begun = {1} | {one.round + 1 for one in evaluations}
    found = []
    for number in range(1, row.round + 1):
        if number not in begun:
            break
        report = given.get(number)
        if report is not None:
            found.append(Round(report.due, _known(report.reported_at, as_of)))
        else:
            found.append(Round(row.report_due, None))
    return tuple(found)


def _known(instant: datetime | None, as_of: datetime) -> datetime | None:
    """An instant that had come by then."""
    return instant if instant is not None and instant <= as_of else None
