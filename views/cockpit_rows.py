"""The rows behind each figure of the leaders' page: as many as the figure says, since both are read from the same maintained rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session, joinedload
from werkzeug.datastructures import MultiDict

from models.call import Assignment, Call
from models.call_indicators import CallIndicator
from models.call_party import CallParty
from models.call_signals import Signal
from models.field import Text
from models.organisation import Organisation
from models.summary import MINUTES, SummaryAssignment, SummaryCall, SummaryLink
from models.summary_period import Period
from models.time_spent import Link
from views.call_time import LINKS
from views.work import RUNNING

Part = Literal["all", "good", "rest"]
"""The denominator, the numerator, or what it lacks."""
LARGEST = 2**63 - 1
Rows = sa.Select[*tuple[Any, ...]]

ASSIGNMENT_FIGURES: Mapping[str, Text] = {
    "dispatched": _l("Dispatched to departments"),
    **{str(one.value): one.label for one in CallIndicator},
    "handled_again": _l("Handled again"),
    "response_minutes": _l("Working time to the response"),
    "report_minutes": _l("Working time to the report"),
}
SIGNALS: Mapping[str, Text] = {str(one.value): one.label for one in Signal}
LINK_NAMES = frozenset(str(one.value) for one in Link)


class NoSuchRows(ValueError):
    """An address that names no figure."""


@dataclass(frozen=True)
class Asked:
    """Which figure, of what, in which period."""

    what: str
    """A figure of assignments, a signal, `calls`, `overdue`, `link.response` or `emergency_link.response`."""
    period: Period
    county_id: int
    part: Part = "all"
    department_id: int | None = None
    township_id: int | None = None
    field: str | None = None
    place: str | None = None

    @classmethod
    def read(cls, arguments: MultiDict[str, str], period: Period, county_id: int) -> Asked:
        """From an address. Raises NoSuchRows."""
        part = arguments.get("part", "all")
        made = cls(
            arguments.get("what", "calls"),
            period,
            county_id,
            part if part in ("good", "rest") else "all",  # type: ignore[arg-type]  # one of the three
            _key(arguments.get("department", "")),
            _key(arguments.get("township", "")),
            _text(arguments.get("field"), 40),
            _text(arguments.get("place"), 200),
        )
        if made.label is None:
            raise NoSuchRows(made.what[:40])
        return made

    @property
    def label(self) -> Text | None:
        """What the figure is called; None for one that there is not."""
        head, _dot, link = self.what.partition(".")
        if head in ("link", "emergency_link"):
            return LINKS[Link(link)] if link in LINK_NAMES else None
        named = {"calls": _l("Calls dispatched"), "overdue": _l("Overdue now")}
        return {**ASSIGNMENT_FIGURES, **SIGNALS, **named}.get(self.what)

    @property
    def signal(self) -> bool:
        return self.what in SIGNALS

    @property
    def of_links(self) -> bool:
        return self.what.partition(".")[0] in ("link", "emergency_link")

    @property
    def of_assignments(self) -> bool:
        return not self.of_links and self.what != "calls"

    @property
    def parts(self) -> tuple[Part, ...]:
        """Into which it can be taken apart; a weighted rate and a mean cannot."""
        whole = (*MINUTES, "dispatched", "overdue", str(CallIndicator.weighted_satisfaction.value))
        return () if self.what in whole else ("all", "good", "rest")

    def arguments(self) -> dict[str, Any]:
        """As they stand in the address of its rows, the county apart."""
        given = {
            "what": self.what,
            "period": self.period.text(),
            "part": None if self.part == "all" else self.part,
            "department": self.department_id,
            "township": self.township_id,
            "field": self.field,
            "place": self.place,
        }
        return {name: value for name, value in given.items() if value is not None}

    def of(self, part: Part) -> Asked:
        return replace(self, part=part)


def _key(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text[:20]) <= LARGEST else None


def _text(text: str | None, longest: int) -> str | None:
    return text[:longest].replace("\x00", "") if text is not None else None


def rows_of(asked: Asked, now: datetime) -> Rows:
    """The rows of a figure: (call, its assignment, what was counted), the last two where there are any."""
    if asked.of_links:
        return _links(asked)
    if asked.what == "calls":
        return _calls(asked)
    return _overdue(asked, now) if asked.what == "overdue" else _assignments(asked)


def order_of(asked: Asked) -> tuple[Any, ...]:
    """The columns by which the rows stand in their order, which together are a key."""
    if asked.of_links:
        return (SummaryLink.call_id, SummaryLink.of)
    if asked.what == "calls":
        return (SummaryCall.call_id,)
    return (Assignment.id,) if asked.what == "overdue" else (SummaryAssignment.assignment_id,)


def page_of(session: Session, asked: Asked, now: datetime, after: str, limit: int) -> tuple[list[Any], str]:
    """So many rows behind a place, and the place behind them; empty where there are no more."""
    order = order_of(asked)
    query = rows_of(asked, now).order_by(*order).add_columns(*(one.label(f"place_{n}") for n, one in enumerate(order)))
    place = [int(part) for part in after.split("-") if part.isascii() and part.isdigit() and int(part[:20]) <= LARGEST]
    if len(place) == len(order):
        query = query.where(sa.tuple_(*order) > sa.tuple_(*(sa.literal(part) for part in place)))
    shown = [joinedload(Call.township)]
    if asked.of_assignments:
        shown.append(joinedload(Assignment.department))
    rows = list(session.execute(query.options(*shown).limit(limit + 1)).unique())
    more = len(rows) > limit
    rows = rows[:limit]
    return rows, "-".join(str(part) for part in rows[-1][-len(order) :]) if more else ""


def how_many(session: Session, asked: Asked, now: datetime) -> int:
    """As many as the figure was counted of. Asked as the system: whoever may ask sees every dispatched call of the county."""
    base, where = _counted(asked, now)
    return int(session.scalar(sa.select(sa.func.count()).select_from(base).where(*where)) or 0)


Where = tuple[sa.ColumnElement[bool], ...]


def _counted(asked: Asked, now: datetime) -> tuple[type[Any], Where]:
    """The rows that a figure is the sum of."""
    if asked.of_links:
        return SummaryLink, _of_links(asked)
    if asked.what == "calls":
        return SummaryCall, _of_calls(asked)
    if asked.what == "overdue":
        return CallParty, _of_parties(asked, now)
    return SummaryAssignment, _of_assignments(asked)


def _within(model: Any, asked: Asked) -> Where:
    period = asked.period
    return (model.county_id == asked.county_id, model.month >= period.first, model.month <= period.last)


def _parted(asked: Asked, good: sa.ColumnElement[bool]) -> Where:
    return {"all": (), "good": (good,), "rest": (sa.not_(good),)}[asked.part]


def _equal(*pairs: tuple[Any, Any]) -> Where:
    """Columns that are to be equal to what was asked for; to nothing in particular where that is None."""
    return tuple(column == value for column, value in pairs if value is not None)


def _of_assignments(asked: Asked) -> Where:
    column = getattr(SummaryAssignment, asked.what)
    narrowed = _equal((SummaryAssignment.department_id, asked.department_id), (SummaryAssignment.field, asked.field))
    part = _parted(asked, column > 0) if asked.parts else ()
    return (*_within(SummaryAssignment, asked), column.is_not(None), *part, *narrowed)


def _assignments(asked: Asked) -> Rows:
    return (
        sa.select(Call, Assignment, getattr(SummaryAssignment, asked.what).label("counted"))
        .select_from(SummaryAssignment)
        .join(Assignment, Assignment.id == SummaryAssignment.assignment_id)
        .join(Call, Call.id == Assignment.call_id)
        .where(*_of_assignments(asked))
    )


def _of_calls(asked: Asked) -> Where:
    """Calls dispatched; the good part are the emergencies among them."""
    narrowed = _equal(
        (SummaryCall.township_id, asked.township_id), (SummaryCall.field, asked.field), (SummaryCall.place, asked.place)
    )
    return (*_within(SummaryCall, asked), *_parted(asked, SummaryCall.emergency.is_(True)), *narrowed)


def _calls(asked: Asked) -> Rows:
    return (
        sa.select(Call, sa.null().label("assignment"), sa.null().label("counted"))
        .select_from(SummaryCall)
        .join(Call, Call.id == SummaryCall.call_id)
        .where(*_of_calls(asked))
    )


def _of_links(asked: Asked) -> Where:
    """What a link took; the good part are those kept in time."""
    kind, _dot, link = asked.what.partition(".")
    return (
        *_within(SummaryLink, asked),
        SummaryLink.link == link,
        SummaryLink.emergency.is_(kind == "emergency_link"),
        *_parted(asked, SummaryLink.late.is_(False)),
    )


def _links(asked: Asked) -> Rows:
    return (
        sa.select(Call, sa.null().label("assignment"), SummaryLink.minutes.label("counted"))
        .select_from(SummaryLink)
        .join(Call, Call.id == SummaryLink.call_id)
        .where(*_of_links(asked))
    )


def late_parties(county_id: int, now: datetime) -> Where:
    """Departments whose deadline in a call has passed, as of now."""
    table = sa.inspect(Organisation).local_table
    own = sa.select(table.c.id).where(table.c.county_id == county_id)
    return (CallParty.organisation_id.in_(own), CallParty.state.in_(RUNNING), CallParty.due < now)


def _of_parties(asked: Asked, now: datetime) -> Where:
    return (*late_parties(asked.county_id, now), *_equal((CallParty.organisation_id, asked.department_id)))


def _overdue(asked: Asked, now: datetime) -> Rows:
    same = sa.and_(CallParty.call_id == Assignment.call_id, CallParty.organisation_id == Assignment.department_id)
    return (
        sa.select(Call, Assignment, CallParty.due.label("counted"))
        .select_from(Assignment)
        .join(CallParty, same)
        .join(Call, Call.id == Assignment.call_id)
        .where(*_of_parties(asked, now), Assignment.state.in_(RUNNING))
    )
