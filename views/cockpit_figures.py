"""What the leaders' page draws from the maintained figures: rates with their counts, and tables with a chart above each.

Departments stand in the order of the organisations and townships in administrative order, never by a figure; a rate of
fewer cases than the county's setting says is neither shown nor compared (2.8). Of townships only the workload is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.portal.page import Cell, Column, Link
from app.portal.page.cockpit import Chart, Figure, Panel, Series
from app.portal.sheet import Block, SheetRow
from models.call_indicators import CallIndicator
from models.organisation import Organisation, RunBy
from models.summary import TENTHS, Sum, Sums, whole
from models.summary_period import Period, moved
from models.time_spent import Link as TimeLink
from views.call_time import LINKS
from views.cockpit_rows import Asked

NOT_COMPARED = "—"
HEADLINES = (
    CallIndicator.response_rate,
    CallIndicator.on_time_response,
    CallIndicator.on_time_report,
    CallIndicator.closure,
    CallIndicator.resolved,
    CallIndicator.satisfaction,
)
IN_TABLES = (*HEADLINES, CallIndicator.weighted_satisfaction, CallIndicator.first_time_closure)
IN_CHART = (CallIndicator.on_time_response, CallIndicator.on_time_report, CallIndicator.satisfaction)
TREND = 12
"""Months."""

Address = Callable[[Asked], str]
NOTHING = Sum()


def percent(share: Fraction) -> str:
    return f"{float(100 * share):.1f}%"


@dataclass(frozen=True)
class Facts:
    """A period's figures and what is needed to read them."""

    period: Period
    county_id: int
    now: Sums
    before: Sums
    months: Mapping[tuple[date, str], Sum]
    overdue: Mapping[int, int]
    """By department, as of this instant."""
    organisations: Mapping[int, Organisation]
    least: int
    """A rate of fewer cases is not shown."""
    today: date
    address: Address

    def rows(self, what: str, text: str, **of: object) -> Cell:
        """A number that opens its rows."""
        return Cell(text, url=self.address(Asked(what, self.period, self.county_id, **of)), number=True)  # type: ignore[arg-type]  # fields of Asked

    def shown(self, one: Sum) -> Fraction | None:
        """The share, where there are enough cases."""
        return one.share if one.count >= self.least else None

    def rate(self, name: str, one: Sum, **of: object) -> Cell:
        if not one.count:
            return Cell(number=True)
        share = self.shown(one)
        text = percent(share) if share is not None else NOT_COMPARED
        cell = self.rows(name, text, **of)
        return Cell(cell.text, cell.url, number=True, hint=counts(name, one))


def counts(name: str, one: Sum) -> str:
    """Numerator and denominator; a weighted rate is told by what it was counted of."""
    if name == CallIndicator.weighted_satisfaction.value:
        return _("of %(count)d", count=one.count)
    return f"{one.value // TENTHS}/{one.count}"


def hours(one: Sum) -> str:
    return f"{float(one.mean / 60):.1f}" if one.mean is not None else ""


# Headlines


def headlines(facts: Facts) -> Iterator[Figure]:
    now, before = whole(facts.now), whole(facts.before)
    for name in HEADLINES:
        one, earlier = now.get(name.value, NOTHING), before.get(name.value, NOTHING)
        share = facts.shown(one)
        yield Figure(
            str(name.label),
            percent(share) if share is not None else NOT_COMPARED,
            tuple(_counted(facts, name.value, one)) if one.count else (),
            _change(facts, one, earlier) if one.count else _("Nothing to be counted in this period."),
        )


def _counted(facts: Facts, name: str, one: Sum) -> Iterator[Link]:
    good = one.value // TENTHS
    asked = Asked(name, facts.period, facts.county_id)
    yield Link(_("%(good)d of %(count)d", good=good, count=one.count), facts.address(asked))
    if good < one.count:
        yield Link(_("%(count)d not", count=one.count - good), facts.address(asked.of("rest")))


def _change(facts: Facts, one: Sum, earlier: Sum) -> str:
    """Against the period before, in points of a hundred."""
    share, former = facts.shown(one), facts.shown(earlier)
    if share is None or former is None:
        return _("Too few cases to compare.")
    points = float(100 * (share - former))
    if abs(points) < 0.05:
        return _("as in the period before (%(former)s)", former=percent(former))
    said = {"points": f"{abs(points):.1f}", "former": percent(former)}
    if points > 0:
        return _("up %(points)s points from %(former)s", **said)
    return _("down %(points)s points from %(former)s", **said)


# Panels


def trend(facts: Facts) -> Panel:
    """A year up to the period's end, or to this month, month by month."""
    last = min(facts.period.last, facts.today.replace(day=1))
    months = [moved(last, -place) for place in reversed(range(TREND))]
    names = [one.strftime("%Y-%m") for one in months]
    found = {(month, name): facts.months.get((month, name.value), NOTHING) for month in months for name in HEADLINES}
    rows = tuple(
        SheetRow((Cell(label), *(_month_cell(facts, month, name.value, found[month, name]) for name in HEADLINES)))
        for month, label in zip(months, names, strict=True)
    )
    series = tuple(
        Series(str(name.label), [_points(facts.shown(found[month, name])) for month in months]) for name in HEADLINES
    )
    columns = (Column("month", _("Month of dispatch")), *(_column(name) for name in HEADLINES))
    return Panel(
        Block(_("Trend over twelve months"), columns=columns, rows=rows),
        Chart("line", names, series, "%", _("Rates by month of dispatch; the table below has every number.")),
        folded=True,
    )


def _month_cell(facts: Facts, month: date, name: str, one: Sum) -> Cell:
    if not one.count:
        return Cell(number=True)
    share = facts.shown(one)
    text = percent(share) if share is not None else NOT_COMPARED
    address = facts.address(Asked(name, Period("month", month), facts.county_id))
    return Cell(text, address, number=True, hint=counts(name, one))


def _points(share: Fraction | None) -> float | None:
    return round(float(100 * share), 1) if share is not None else None


def _column(name: CallIndicator) -> Column:
    return Column(name.value, str(name.label), number=True)


def departments(facts: Facts) -> Iterator[Panel]:
    """Those that the county runs, and apart from them those that it neither orders nor scores (2.3)."""
    found = _organisations(facts, "department", {str(key) for key in facts.overdue})
    own = [one for one in found if one.run_by == RunBy.county]
    others = [one for one in found if one.run_by != RunBy.county]
    yield _department_panel(facts, _("Departments"), own, chart=True)
    if others:
        yield _department_panel(facts, _("Vertical units, utilities and enterprises"), others, chart=False)


def _organisations(facts: Facts, kind: str, further: Iterable[str] = ()) -> list[Organisation]:
    """Those with a figure, in the order of the organisations."""
    keys = {int(key) for of, key, _name in facts.now if of == kind} | {int(key) for key in further}
    found = [facts.organisations[key] for key in keys if key in facts.organisations]
    return sorted(found, key=lambda one: (one.order, one.id))


def _department_panel(facts: Facts, title: str, found: Sequence[Organisation], *, chart: bool) -> Panel:
    columns = (
        Column("department", _("Department")),
        Column("dispatched", _("Matters dispatched"), number=True),
        Column("overdue", _("Overdue now"), number=True),
        *(_column(name) for name in IN_TABLES),
        Column("response", _("Hours to response"), number=True),
        Column("report", _("Hours to report"), number=True),
    )
    rows = tuple(SheetRow(tuple(_department_cells(facts, one))) for one in found)
    drawn = Chart(
        "column",
        [one.short_name for one in found],
        tuple(
            Series(str(name.label), [_points(facts.shown(_of(facts, one, name.value))) for one in found])
            for name in IN_CHART
        ),
        "%",
        _("Rates by department, in the order of the organisations; the table below has every number."),
    )
    return Panel(
        Block(title, columns=columns, rows=rows, empty=_("Nothing was dispatched in this period.")),
        drawn if chart and found else None,
        _("In the order of the organisations. Rates of fewer than %(least)d cases are not shown.", least=facts.least),
    )


def _of(facts: Facts, one: Organisation, name: str) -> Sum:
    return facts.now.get(("department", str(one.id), name), NOTHING)


def _department_cells(facts: Facts, one: Organisation) -> Iterator[Cell]:
    yield Cell(one.short_name)
    yield facts.rows("dispatched", str(_of(facts, one, "dispatched").count), department_id=one.id)
    yield facts.rows("overdue", str(facts.overdue.get(one.id, 0)), department_id=one.id)
    for name in IN_TABLES:
        yield facts.rate(name.value, _of(facts, one, name.value), department_id=one.id)
    for minutes in ("response_minutes", "report_minutes"):
        spent = _of(facts, one, minutes)
        cell = facts.rows(minutes, hours(spent), department_id=one.id)
        yield (
            Cell(cell.text, cell.url, number=True, hint=_("of %(count)d", count=spent.count))
            if spent.count
            else Cell(number=True)
        )


def links(facts: Facts) -> Panel:
    """How long each link took, the office's own like everyone's; emergencies by the wall clock, apart."""
    general = [(one, _link(facts, "link", one)) for one in TimeLink if _link(facts, "link", one)[0].count]
    emergencies = [
        (one, _link(facts, "emergency_link", one)) for one in TimeLink if _link(facts, "emergency_link", one)[0].count
    ]
    rows = [SheetRow(tuple(_link_cells(facts, "link", one, found))) for one, found in general]
    rows += [SheetRow(tuple(_link_cells(facts, "emergency_link", one, found))) for one, found in emergencies]
    drawn = Chart(
        "bar",
        [str(LINKS[one]) for one, _found in general],
        (Series(_("Mean hours"), [_mean_hours(minutes) for _one, (minutes, _late) in general]),),
        "h",
        _("Mean working hours by link of a call; the table below has every number."),
    )
    columns = (
        Column("link", _("Link")),
        Column("mean", _("Mean hours"), number=True),
        Column("count", _("Finished"), number=True),
        Column("late", _("Of them late"), number=True),
    )
    return Panel(
        Block(
            _("Where the time went"), columns=columns, rows=tuple(rows), empty=_("Nothing is finished in this period.")
        ),
        drawn if general else None,
        _(
            "In working hours, of calls dispatched in this period; of emergencies by the clock. The office's own links stand here like everyone's."
        ),
    )


def _link(facts: Facts, kind: str, link: TimeLink) -> tuple[Sum, Sum]:
    return (
        facts.now.get((kind, link.value, "minutes"), NOTHING),
        facts.now.get((kind, link.value, "late"), NOTHING),
    )


def _mean_hours(minutes: Sum) -> float | None:
    return round(float(minutes.mean / 60), 1) if minutes.mean is not None else None


def _link_cells(facts: Facts, kind: str, link: TimeLink, found: tuple[Sum, Sum]) -> Iterator[Cell]:
    minutes, late = found
    name = str(LINKS[link])
    what = f"{kind}.{link.value}"
    yield Cell(name if kind == "link" else _("%(link)s (emergencies)", link=name))
    yield Cell(hours(minutes), number=True)
    yield facts.rows(what, str(minutes.count))
    yield facts.rows(what, str(late.value // TENTHS), part="rest")


def fields(facts: Facts) -> Panel:
    """Where the trouble lies, by field; in the order of their names."""
    keys = sorted({key for kind, key, name in facts.now if kind == "field" and name == "calls"})
    calls = {key: facts.now["field", key, "calls"] for key in keys}
    chosen = (
        CallIndicator.on_time_response,
        CallIndicator.on_time_report,
        CallIndicator.resolved,
        CallIndicator.satisfaction,
    )
    rows = tuple(
        SheetRow(
            (
                Cell(key or _("(no field)")),
                facts.rows("calls", str(calls[key].count), field=key),
                facts.rows("calls", str(calls[key].value // TENTHS), field=key, part="good"),
                *(
                    facts.rate(name.value, facts.now.get(("field", key, name.value), NOTHING), field=key)
                    for name in chosen
                ),
            )
        )
        for key in keys
    )
    columns = (
        Column("field", _("Field")),
        Column("calls", _("Calls"), number=True),
        Column("emergencies", _("Emergencies"), number=True),
        *(_column(name) for name in chosen),
    )
    drawn = Chart(
        "bar",
        [key or _("(no field)") for key in keys],
        (Series(_("Calls"), [calls[key].count for key in keys]),),
        "",
        _("Calls by field; the table below has every number."),
    )
    return Panel(
        Block(_("Fields of trouble"), columns=columns, rows=rows, empty=_("Nothing was dispatched in this period.")),
        drawn if keys else None,
    )


def townships(facts: Facts) -> Panel:
    """Their workload, in administrative order: no rate, no colour, no chart."""
    columns = (
        Column("township", _("Township")),
        Column("calls", _("Calls"), number=True),
        Column("emergencies", _("Emergencies"), number=True),
    )
    rows = tuple(
        SheetRow(
            (
                Cell(one.short_name),
                facts.rows("calls", str(found.count), township_id=one.id),
                facts.rows("calls", str(found.value // TENTHS), township_id=one.id, part="good"),
            )
        )
        for one in _organisations(facts, "township")
        for found in (facts.now["township", str(one.id), "calls"],)
    )
    return Panel(
        Block(
            _("Workload of the townships"),
            columns=columns,
            rows=rows,
            empty=_("Nothing was dispatched in this period."),
        ),
        note=_("In administrative order. Townships are not compared; many calls are no fault of theirs."),
    )


def places_panel(facts: Facts, found: Iterable[tuple[int, str, int]]) -> Panel:
    """Places called about again and again, in administrative order."""
    listed = [(facts.organisations[key], place, count) for key, place, count in found if key in facts.organisations]
    listed.sort(key=lambda one: (one[0].order, one[0].id, one[1]))
    rows = tuple(
        SheetRow(
            (
                Cell(township.short_name),
                Cell(place),
                facts.rows("calls", str(count), township_id=township.id, place=place),
            )
        )
        for township, place, count in listed
    )
    columns = (Column("township", _("Township")), Column("place", _("Place")), Column("calls", _("Calls"), number=True))
    return Panel(
        Block(_("Places called about again and again"), columns=columns, rows=rows, empty=_("None in this period.")),
        note=_("At least %(least)d calls; in administrative order.", least=facts.least),
    )


KINDS = {"month": _l("Month"), "quarter": _l("Quarter"), "half": _l("Half-year"), "year": _l("Year")}


def period_label(period: Period) -> str:
    year, place = period.first.year, period.place
    match period.kind:
        case "month":
            return _("%(year)s-%(month)s", year=year, month=f"{period.first.month:02d}")
        case "quarter":
            return _("Quarter %(place)d of %(year)d", place=place, year=year)
        case "half":
            return _("First half of %(year)d", year=year) if place == 1 else _("Second half of %(year)d", year=year)
        case _:
            return str(year)
