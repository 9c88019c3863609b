"""The figures of a statistics bulletin on the page: each with its counts, each opening the rows that it is the number of (2.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session, joinedload, selectinload

from app.portal.page import Cell, Column, Row, Section
from app.portal.sheet import Block, SheetRow
from app.portal.words import pill
from models.assessment_formulas import rounded
from models.bulletin_figures import assignments_behind, calls_behind, compared, rate
from models.call import Assignment, Call

CALL_FIGURES: Final[Mapping[str, Any]] = {
    "calls": _l("Calls submitted"),
    "emergency": _l("Emergencies"),
    "joint": _l("Handled by two or more departments"),
    "closed": _l("Closed"),
    "open": _l("In hand"),
    "long_term": _l("Long-term handling"),
    "declined": _l("Declined"),
    "withdrawn": _l("Withdrawn"),
    "acceptance": _l("Accepted too late by the office"),
    "dispatch": _l("Dispatched too late by the office"),
}
ASSIGNMENT_FIGURES: Final[Mapping[str, Any]] = {
    "lead": _l("Lead"),
    "cooperating": _l("Cooperating"),
    "respond_due": _l("Responses due"),
    "respond_ok": _l("Responded in time"),
    "report_due": _l("Reports due"),
    "report_ok": _l("Reported in time"),
    "reported_late": _l("Reported late"),
    "evaluated": _l("Evaluations"),
    "satisfied": _l("Satisfied"),
    "fair": _l("Fair"),
    "dissatisfied": _l("Dissatisfied"),
    "solved": _l("Solved"),
    "not_evaluated": _l("Not evaluated"),
    "closed": _l("Closed after evaluation"),
    "first": _l("Closed at the first time"),
    "rehandled": _l("Handled again"),
    "extended": _l("Extended"),
    "return_asked": _l("Returns asked for"),
    "return_upheld": _l("Returns upheld"),
}
RATES: Final[Mapping[str, Any]] = {
    "respond": _l("On-time response rate"),
    "report": _l("On-time report rate"),
    "first": _l("First-time closure rate"),
    "solved": _l("Resolved rate"),
    "satisfied": _l("Satisfaction rate"),
}
IN_TABLE = ("lead", "cooperating", "respond_due", "respond_ok", "report_due", "report_ok", "evaluated", "dissatisfied")
Address = Callable[..., str]


def share(session: Session, county_id: int, good: int, whole: int) -> str:
    """`96.3 % (52/54)`; a dash where there are too few cases to compare."""
    found = compared(session, county_id, good, whole)
    shown = f"{rounded(found * 100, 1)}%" if found is not None else "—"
    return f"{shown} ({good}/{whole})"


def sections(session: Session, county_id: int, snapshot: Mapping[str, Any], url: Address) -> Iterator[Section]:
    """Rates beside those of the period before, calls, and the departments in their order; every number is a link to its rows."""
    before = snapshot["before"]
    yield Section(
        _("Rates"),
        columns=(Column("name", _("Rate")), Column("now", _("This period")), Column("before", _("Period before"))),
        rows=tuple(
            _row(
                name,
                (
                    Cell(str(label)),
                    Cell(share(session, county_id, *rate(snapshot, name))),
                    Cell(share(session, county_id, *before["rates"][name])),
                ),
            )
            for name, label in RATES.items()
        ),
    )
    yield Section(
        _("Calls of the period"),
        columns=(Column("name", _("Figure")), Column("count", _("Count"), number=True)),
        rows=tuple(
            _row(name, (Cell(str(label)), _linked(len(calls_behind(snapshot, name)), url(f"calls-{name}"))))
            for name, label in CALL_FIGURES.items()
        ),
    )
    yield Section(
        _("Departments"),
        columns=(
            Column("name", _("Department")),
            *(Column(name, str(ASSIGNMENT_FIGURES[name]), number=True) for name in IN_TABLE),
        ),
        rows=tuple(
            _row(
                str(row["id"]),
                (
                    Cell(row["name"]),
                    *(_linked(len(row["rows"][name]), url(f"assignments-{name}", row["id"])) for name in IN_TABLE),
                ),
            )
            for row in snapshot["departments"]
        ),
    )


def _row(key: str, cells: tuple[Cell, ...]) -> Row:
    return Row(key, "", cells, cells[0].text, subtitle=" · ".join(cell.text for cell in cells[1:]))


def _linked(count: int, url: str) -> Cell:
    """A number that opens its rows; nothing lies behind a nought."""
    return Cell(str(count), url=url if count else "", number=True)


def rows_behind(
    session: Session, snapshot: Mapping[str, Any], figure: str, department_id: int | None, url_of: Callable[[int], str]
) -> tuple[str, Block] | None:
    """The name of a figure and its rows as this viewer sees them; None for a figure that there is not."""
    kind, _dash, name = figure.partition("-")
    if kind == "calls" and name in CALL_FIGURES:
        return str(CALL_FIGURES[name]), _calls(session, calls_behind(snapshot, name), url_of)
    if kind == "assignments" and name in ASSIGNMENT_FIGURES:
        keys = assignments_behind(snapshot, name, department_id)
        return str(ASSIGNMENT_FIGURES[name]), _assignments(session, keys, url_of)
    return None


def _calls(session: Session, keys: Sequence[int], url_of: Callable[[int], str]) -> Block:
    query = sa.select(Call).where(Call.id.in_(keys)).options(joinedload(Call.township)).order_by(Call.id)
    return Block(
        columns=(
            Column("number", _("Number")),
            Column("title", _("Matter")),
            Column("township", _("Township")),
            Column("state", _("State")),
        ),
        rows=tuple(
            SheetRow(
                (
                    Cell(call.number or ""),
                    Cell(call.title, url=url_of(call.id)),
                    Cell(call.township.short_name),
                    Cell(pill=pill(call.state)),
                )
            )
            for call in session.scalars(query)
        ),
        empty=_("No calls."),
    )


def _assignments(session: Session, keys: Sequence[int], url_of: Callable[[int], str]) -> Block:
    query = (
        sa.select(Assignment)
        .where(Assignment.id.in_(keys))
        .options(joinedload(Assignment.call), joinedload(Assignment.department), selectinload(Assignment.reports))
        .order_by(Assignment.call_id, Assignment.position)
    )
    return Block(
        columns=(
            Column("number", _("Number")),
            Column("title", _("Matter")),
            Column("department", _("Department")),
            Column("role", _("Part in the matter")),
            Column("state", _("State")),
        ),
        rows=tuple(
            SheetRow(
                (
                    Cell(one.call.number or ""),
                    Cell(one.call.title, url=url_of(one.call_id)),
                    Cell(one.department.short_name),
                    Cell(str(one.role.label)),
                    Cell(pill=pill(one.state)),
                )
            )
            for one in session.scalars(query)
        ),
        empty=_("No calls."),
    )
