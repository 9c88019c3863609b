"""What a statistics bulletin counts: frozen once, each figure with the rows that it is the number of (2.3).

The snapshot is plain data, kept with the bulletin: what a page opens behind a figure, what the paper prints and what a
recount must find are the same keys. Departments stand in their order, townships in theirs with their workload alone.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from models import viewer
from models.calendar import work_calendar
from models.call import Assignment, Call
from models.call_indicators import (
    CallIndicator,
    Figures,
    Handled,
    bounds,
    cohort,
    reported_in_time,
    responded_in_time,
    response_due,
)
from models.call_moments import times_spent
from models.call_words import AssignmentState, CallKind, CallState, Satisfaction, Solved
from models.extension import Extension, ExtensionState
from models.organisation import Organisation, OrganisationKind, RunBy
from models.return_request import ReturnRequest, ReturnState
from models.setting import setting
from models.time_spent import Link, Party, TimeSpent
from models.worktime import WorkCalendar

Snapshot = dict[str, Any]

OUT_OF_HAND = (CallState.closed, CallState.declined, CallState.withdrawn, CallState.long_term)
CALL_FIGURES: Mapping[str, Callable[[Call], bool]] = {
    "calls": lambda call: True,
    "emergency": lambda call: call.kind == CallKind.emergency,
    "joint": lambda call: sum(one.state != AssignmentState.returned for one in call.assignments) > 1,
    "closed": lambda call: call.state == CallState.closed,
    "long_term": lambda call: call.state == CallState.long_term,
    "declined": lambda call: call.state == CallState.declined,
    "withdrawn": lambda call: call.state == CallState.withdrawn,
    "open": lambda call: call.state not in OUT_OF_HAND,
}
"""Figures of calls; those from `closed` on add up to all of them."""

AssignmentFigure = Callable[[Figures, Handled], bool]


def _answered(*words: Satisfaction) -> AssignmentFigure:
    return lambda figures, one: one.evaluation is not None and one.evaluation[0] in words


def _reported_late(figures: Figures, one: Handled) -> bool:
    return any(each.reported_at is not None and each.reported_at > each.due for each in one.rounds)


ASSIGNMENT_FIGURES: Mapping[str, AssignmentFigure] = {
    "lead": lambda figures, one: one.lead,
    "cooperating": lambda figures, one: not one.lead,
    "respond_due": response_due,
    "respond_ok": lambda figures, one: response_due(figures, one) and responded_in_time(one),
    "report_due": lambda figures, one: bool(figures.rounds_due(one)),
    "report_ok": lambda figures, one: (
        bool(due := figures.rounds_due(one)) and all(reported_in_time(each) for each in due)
    ),
    "reported_late": _reported_late,
    "evaluated": lambda figures, one: one.evaluation is not None,
    "satisfied": _answered(Satisfaction.satisfied),
    "fair": _answered(Satisfaction.fair),
    "dissatisfied": _answered(Satisfaction.dissatisfied),
    "solved": lambda figures, one: one.evaluation is not None and one.evaluation[1] == Solved.solved,
    "not_evaluated": lambda figures, one: (
        one.closed and one.evaluation is None and one.rounds[0].reported_at is not None
    ),
    "closed": lambda figures, one: one.closed and one.evaluation is not None,
    "first": lambda figures, one: one.closed and one.evaluation is not None and len(one.rounds) == 1,
    "rehandled": lambda figures, one: len(one.rounds) > 1,
}
"""Figures of a department's assignments; all but the last five stand in the table of departments."""

LINKS: Mapping[str, tuple[Party, tuple[Link, ...]]] = {
    "township": (Party.township, (Link.completion, Link.evaluation)),
    "office": (Party.office, ()),
    "response": (Party.department, (Link.response,)),
    "report": (Party.department, (Link.report,)),
    "acceptance": (Party.office, (Link.acceptance,)),
    "dispatch": (Party.office, (Link.dispatch,)),
}
"""Whose time is averaged: a party's links, all of them where none is named."""
RATES: Mapping[str, CallIndicator] = {
    "respond": CallIndicator.on_time_response,
    "report": CallIndicator.on_time_report,
    "first": CallIndicator.first_time_closure,
    "solved": CallIndicator.resolved,
    "satisfied": CallIndicator.satisfaction,
}
CHUNK = 500
REPEATED = 3
"""A matter of the list called so often in a period is called again and again."""


@dataclass(frozen=True)
class Period:
    """The days that a bulletin is about."""

    first: date
    last: date

    @property
    def before(self) -> Period:
        """The period before, of the same length by the calendar where it is a month, quarter, half-year or year."""
        months = self.months
        if months:
            index = self.first.year * 12 + self.first.month - 1 - months
            return Period(date(index // 12, index % 12 + 1, 1), self.first - timedelta(days=1))
        return Period(self.first - (self.last - self.first) - timedelta(days=1), self.first - timedelta(days=1))

    @property
    def months(self) -> int:
        """How many whole months it has if it is a month, quarter, half-year or year; else 0."""
        following = self.last + timedelta(days=1)
        if self.first.day != 1 or following.day != 1:
            return 0
        count = (following.year - self.first.year) * 12 + following.month - self.first.month
        return count if count in (1, 3, 6, 12) and (self.first.month - 1) % count == 0 else 0


def freeze(session: Session, county_id: int, period: Period, now: datetime) -> Snapshot:
    """The figures of a period as they stand at an instant, with the keys of the rows behind each. Counted as the system."""
    calendar = work_calendar(session, county_id)
    with viewer.system():
        calls = _calls(session, county_id, period, calendar)
        spent = _times(session, calls, now)
        handled = list(cohort(session, county_id, period.first, period.last, now))
        found: Snapshot = {
            "from": period.first.isoformat(),
            "until": period.last.isoformat(),
            "frozen_at": now.isoformat(),
            "calls": {name: [call.id for call in calls if holds(call)] for name, holds in CALL_FIGURES.items()},
            "late": _late(calls, spent),
            "declined": _counted(str(call.decline_reason) for call in calls if call.state == CallState.declined),
            "fields": _counted(call.field for call in calls if call.field),
            "items": _repeated(calls),
            "departments": list(_departments(session, county_id, period, handled, now, calendar)),
            "minutes": _minutes(calls, spent),
            "means": _means(Figures(now, handled), calendar),
            "townships": list(_townships(session, county_id, calls)),
        }
        found["before"] = _before(session, county_id, period, now, calendar)
    return found


def digest(snapshot: Mapping[str, Any]) -> str:
    """The check sum of a snapshot, printed below its tables."""
    text = json.dumps(snapshot, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


# Reading figures


def calls_behind(snapshot: Mapping[str, Any], figure: str) -> list[int]:
    """Keys of the calls that a figure of calls is the number of; also `acceptance` and `dispatch`, the office's own delays."""
    return list(snapshot["calls"].get(figure) or snapshot["late"].get(figure, ()))


def assignments_behind(snapshot: Mapping[str, Any], figure: str, department_id: int | None = None) -> list[int]:
    """Keys of the assignments that a figure is the number of, of one department or of all."""
    return [
        key
        for row in snapshot["departments"]
        if department_id in (None, row["id"])
        for key in row["rows"].get(figure, ())
    ]


def rate(snapshot: Mapping[str, Any], name: str) -> tuple[int, int]:
    """Numerator and denominator of one of `RATES`, of all departments together."""
    parts = {
        "respond": ("respond_ok", "respond_due"),
        "report": ("report_ok", "report_due"),
        "first": ("first", "closed"),
        "solved": ("solved", "evaluated"),
    }
    if name == "satisfied":
        good = assignments_behind(snapshot, "satisfied") + assignments_behind(snapshot, "fair")
        return len(good), len(assignments_behind(snapshot, "evaluated"))
    good, whole = (assignments_behind(snapshot, part) for part in parts[name])
    return len(good), len(whole)


# Counting


def _calls(session: Session, county_id: int, period: Period, calendar: WorkCalendar) -> Sequence[Call]:
    start, end = bounds(calendar, period.first, period.last)
    query = sa.select(Call).where(
        Call.county_id == county_id,
        Call.submitted_at >= start,
        Call.submitted_at < end,
        Call.state != CallState.draft,
    )
    loaded = (
        selectinload(Call.assignments),
        joinedload(Call.township),
        joinedload(Call.checklist_item),
        selectinload(Call.milestones),
        selectinload(Call.long_terms),
    )
    return session.scalars(query.options(*loaded).order_by(Call.id)).unique().all()


def _times(session: Session, calls: Sequence[Call], now: datetime) -> dict[int, TimeSpent]:
    found: dict[int, TimeSpent] = {}
    for start in range(0, len(calls), CHUNK):
        found |= times_spent(session, calls[start : start + CHUNK], now)
    return found


def _late(calls: Sequence[Call], spent: Mapping[int, TimeSpent]) -> dict[str, list[int]]:
    """The office's own delays: calls that it accepted or dispatched too late, or has not yet."""
    return {
        str(link): [
            call.id for call in calls if any(one.link == link and one.late is not None for one in spent[call.id].links)
        ]
        for link in (Link.acceptance, Link.dispatch)
    }


def _minutes(calls: Sequence[Call], spent: Mapping[int, TimeSpent]) -> dict[str, list[int]]:
    """Working minutes and number of calls, by whose time it was; emergencies run by the wall clock and are left out."""
    found = {}
    for name, (party, links) in LINKS.items():
        each = [
            sum(one.minutes for one in mine)
            for call in calls
            if not call.emergency
            and (
                mine := [
                    one
                    for one in spent[call.id].links
                    if one.party == party and (not links or one.link in links) and not one.beside and not one.apart
                ]
            )
        ]
        found[name] = [sum(each), len(each)]
    return found


def _means(figures: Figures, calendar: WorkCalendar) -> dict[str, list[int]]:
    """Working minutes and number of the assignments that were responded to and reported on."""
    response, report = figures.mean_response(calendar), figures.mean_report(calendar)
    return {"response": [response.minutes, response.count], "report": [report.minutes, report.count]}


def _counted(names: Iterable[str]) -> list[list[Any]]:
    """Names with how often they come, the most frequent first, of equals in the order of their names."""
    return [list(one) for one in sorted(Counter(names).items(), key=lambda one: (-one[1], one[0]))]


def _repeated(calls: Sequence[Call]) -> list[list[Any]]:
    """Matters of the list that were called again and again."""
    names = (call.checklist_item.name for call in calls if call.checklist_item is not None)
    return [one for one in _counted(names) if one[1] >= REPEATED]


def _departments(
    session: Session,
    county_id: int,
    period: Period,
    handled: Sequence[Handled],
    now: datetime,
    calendar: WorkCalendar,
) -> Iterator[dict[str, Any]]:
    """A row for every department that was called in the period, in the order of the organisations, those of others last."""
    of: dict[int, Figures] = defaultdict(lambda: Figures(now))
    for one in handled:
        of[one.department_id].handled.append(one)
    beside = _beside(session, county_id, bounds(calendar, period.first, period.last), now)
    keys = set(of) | {key for rows in beside.values() for key in rows}
    query = sa.select(Organisation).where(Organisation.id.in_(keys)).order_by(Organisation.order, Organisation.id)
    for organisation in sorted(session.scalars(query), key=lambda one: one.run_by != RunBy.county):
        figures = of[organisation.id]
        rows = {
            name: [one.assignment_id for one in figures.handled if holds(figures, one)]
            for name, holds in ASSIGNMENT_FIGURES.items()
        }
        rows |= {name: sorted(found.get(organisation.id, ())) for name, found in beside.items()}
        yield {
            "id": organisation.id,
            "name": organisation.short_name,
            "apart": organisation.run_by != RunBy.county,
            "run_by": str(organisation.run_by),
            "rows": rows,
        }


def _beside(
    session: Session, county_id: int, during: tuple[datetime, datetime], now: datetime
) -> dict[str, dict[int, list[int]]]:
    """Extensions granted, returns asked for and upheld, by department; given-back assignments count here alone."""
    dispatched = (
        Assignment.county_id == county_id,
        Assignment.assigned_at >= during[0],
        Assignment.assigned_at < during[1],
    )
    columns = sa.select(Assignment.department_id, Assignment.id).where(*dispatched)
    returns = columns.join(ReturnRequest, ReturnRequest.assignment_id == Assignment.id)
    wanted = {
        "extended": columns.join(Extension, Extension.assignment_id == Assignment.id).where(
            Extension.state == ExtensionState.granted, Extension.answered_at <= now
        ),
        "return_asked": returns.where(ReturnRequest.requested_at <= now),
        "return_upheld": returns.where(ReturnRequest.state == ReturnState.upheld, ReturnRequest.ruled_at <= now),
    }
    found: dict[str, dict[int, list[int]]] = {}
    for name, query in wanted.items():
        rows: dict[int, list[int]] = defaultdict(list)
        for department_id, key in session.execute(query):
            rows[department_id].append(key)
        found[name] = rows
    return found


def _townships(session: Session, county_id: int, calls: Sequence[Call]) -> Iterator[dict[str, Any]]:
    """Every township of the county in its order, with its workload."""
    query = sa.select(Organisation).where(
        Organisation.county_id == county_id, Organisation.kind == OrganisationKind.township, Organisation.active
    )
    for township in session.scalars(query.order_by(Organisation.order, Organisation.id)):
        own = [call for call in calls if call.township_id == township.id]
        yield {
            "id": township.id,
            "name": township.short_name,
            **{
                name: sum(CALL_FIGURES[name](call) for call in own)
                for name in ("calls", "emergency", "closed", "open", "long_term")
            },
        }


def _before(session: Session, county_id: int, period: Period, now: datetime, calendar: WorkCalendar) -> dict[str, Any]:
    """The period before, as it stood as long after its end: what is compared had the same time to be answered."""
    before = period.before
    as_of = now - (bounds(calendar, period.first, period.last)[1] - bounds(calendar, before.first, before.last)[1])
    handled = list(cohort(session, county_id, before.first, before.last, as_of))
    figures = Figures(as_of, handled)
    previous = _calls(session, county_id, before, calendar)
    rates = {name: figures.rate(indicator) for name, indicator in RATES.items()}
    return {
        "from": before.first.isoformat(),
        "until": before.last.isoformat(),
        "calls": len(previous),
        "rates": {name: [int(one.numerator), one.denominator] for name, one in rates.items()},
        "minutes": _minutes(previous, _times(session, previous, as_of)),
    }


def compared(session: Session, county_id: int, numerator: int, denominator: int) -> Fraction | None:
    """A rate, or None where there are too few cases to compare."""
    least = setting(session, county_id, "compared_from")
    return Fraction(numerator, denominator) if denominator >= max(1, least) else None
