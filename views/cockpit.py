"""The leaders' cockpit: how calls are answered, on time, closed, resolved and to what satisfaction; where the time went; what is
overdue now and what waits for approval. For county leaders, office directors, supervisors, and the city reader of counties below (2.1, end).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

import sqlalchemy as sa
from flask import render_template, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.database import db
from app.portal.administration import AdministrationPage
from app.portal.deadline import exact
from app.portal.frame import Entry
from app.portal.page import Cell, Column, Link, Tab, Tile
from app.portal.page.cockpit import CockpitPage
from app.portal.sheet import Block, Sheet, SheetRow
from app.portal.waiting import waiting_lists
from app.portal.words import pill
from models import clock, viewer
from models.calendar import work_calendar
from models.call_party import CallParty
from models.call_signals import Signal
from models.organisation import Organisation, OrganisationKind
from models.refusal import Forbidden, NotFound
from models.setting import setting
from models.summary import MINUTES, TENTHS, Sums, by_month, counted_at, places, sums, up_to_date, whole
from models.summary_period import MONTHS, Period, moved
from models.viewer import Viewer
from views.cockpit_figures import (
    KINDS,
    TREND,
    Address,
    Facts,
    departments,
    fields,
    headlines,
    links,
    percent,
    period_label,
    places_panel,
    townships,
    trend,
)
from views.cockpit_rows import Asked, NoSuchRows, how_many, late_parties, page_of
from views.home import HomeView

READERS = frozenset({"county_leader", "office_director", "supervisor", "city_reader"})
SUPERVISORS = frozenset({"supervisor"})
ROWS = 100
PLACES = 20


class CockpitView(AdministrationPage):
    """Figures, the rows behind them, and for supervisors the signals."""

    route_base = "/cockpit"
    default_view = "list"
    group = "cockpit"
    resource = "Cockpit"
    permissions: ClassVar[Mapping[str, frozenset[str]]] = {"can_list": READERS, "can_supervise": SUPERVISORS}

    def navigation(self) -> tuple[Entry, ...]:
        return (
            Entry(_l("Figures"), "CockpitView.list", "Cockpit"),
            Entry(_l("Signals"), "CockpitView.signals", "Cockpit", roles=SUPERVISORS),
        )

    # What is asked for

    def _county(self, person: Viewer) -> int:
        """The county looked at: the own one, or one of those below the city. Raises NotFound for any other."""
        given = request.args.get("county", "")
        if not given:
            return person.county_id if person.county_id is not None else self._first(person)
        key = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else 0
        if key not in person.region_ids:
            raise NotFound()
        return key

    @staticmethod
    def _first(person: Viewer) -> int:
        found = _counties(person)
        if not found:
            raise Forbidden(_l("This page belongs to a county, and there is none below yours."))
        return found[0].id

    @staticmethod
    def _period(county_id: int) -> Period:
        """The period asked for; the present quarter where none is. Raises NotFound for what is none."""
        given = request.args.get("period", "")
        if not given:
            return Period.of(work_calendar(db.session(), county_id).local_date(clock.now()), "quarter")
        try:
            return Period.parse(given)
        except ValueError:
            raise NotFound(_l("There is no such period.")) from None

    @staticmethod
    def _url(endpoint: str, county_id: int, **given: Any) -> str:
        person = viewer.current_person()
        other = person is not None and county_id != person.county_id
        return url_for(f"CockpitView.{endpoint}", **given, county=county_id if other else None)

    def _rows_url(self, asked: Asked) -> str:
        return self._addresses(asked.county_id)(asked)

    def _addresses(self, county_id: int) -> Address:
        """Gives the addresses of rows: a page has a thousand of them, and Flask takes long for each."""
        base = self._url("rows", county_id)
        joint = "&" if "?" in base else "?"
        return lambda asked: f"{base}{joint}{urlencode(asked.arguments())}"

    # Figures

    @expose("/")
    def list(self) -> Any:
        person = self.demand("can_list")
        county_id = self._county(person)
        period, now = self._period(county_id), clock.now()
        with viewer.system():
            facts = self._facts(county_id, period, now)
            panels = [
                trend(facts),
                *departments(facts),
                links(facts),
                fields(facts),
                places_panel(facts, places(db.session(), county_id, period.first, period.last, facts.least, PLACES)),
                townships(facts),
            ]
            intro = self._as_of(county_id, now)
        page = CockpitPage(
            title=_("Leaders' cockpit"),
            intro=intro,
            counties=tuple(self._county_tabs(person, county_id, period)),
            kinds=tuple(self._kind_tabs(county_id, period, now)),
            period=period_label(period),
            previous=Link(period_label(period.before), self._url("list", county_id, period=period.before.text())),
            next=self._next(county_id, period, now),
            tiles=self._tiles(facts),
            figures=tuple(headlines(facts)),
            panels=tuple(panels),
            waiting=waiting_lists(person, without=""),
            news=tuple(HomeView.news()) if person.may("can_list", "Document") else (),
            links=(Link(_("Signals"), self._url("signals", county_id, period=period.text()), "eye-check"),)
            if self.may("can_supervise")
            else (),
        )
        return render_template("cockpit.html", page=page, frame_active=(self.group, ""))

    def _facts(self, county_id: int, period: Period, now: datetime) -> Facts:
        session = db.session()
        today = work_calendar(session, county_id).local_date(now)
        overdue = sa.select(CallParty.organisation_id, sa.func.count()).where(*late_parties(county_id, now))
        return Facts(
            period,
            county_id,
            sums(session, county_id, period.first, period.last),
            sums(session, county_id, period.before.first, period.before.last),
            by_month(session, county_id, moved(min(period.last, today), 1 - TREND), period.last),
            {row[0]: row[1] for row in session.execute(overdue.group_by(CallParty.organisation_id))},
            _organisations(county_id),
            setting(session, county_id, "compared_from"),
            today,
            self._addresses(county_id),
        )

    @staticmethod
    def _as_of(county_id: int, now: datetime) -> str:
        """Since when the figures hold; what is overdue is always counted at once."""
        session = db.session()
        if up_to_date(session, county_id, now):
            return _("As of %(at)s. By month of dispatch; every number opens its rows.", at=exact(now))
        last = counted_at(session, county_id)
        if last is None:
            return _("The figures are being counted for the first time. Please look again in a minute.")
        return _(
            "As of %(at)s; what happened since is added within a minute. By month of dispatch; every number opens its rows.",
            at=exact(last),
        )

    def _county_tabs(self, person: Viewer, county_id: int, period: Period) -> Iterator[Tab]:
        if len(person.region_ids) < 2:
            return
        for one in _counties(person):
            address = self._url("list", one.id, period=period.text())
            yield Tab(one.short_name, address, one.id == county_id)

    def _kind_tabs(self, county_id: int, period: Period, now: datetime) -> Iterator[Tab]:
        """Other lengths, up to the same day."""
        today = work_calendar(db.session(), county_id).local_date(now)
        day = min(period.last, today) if period.first <= today else period.first
        for kind in MONTHS:
            other = Period.of(day, kind)
            yield Tab(str(KINDS[kind]), self._url("list", county_id, period=other.text()), kind == period.kind)

    def _next(self, county_id: int, period: Period, now: datetime) -> Link | None:
        """Nothing was dispatched in the future."""
        if period.after.first > work_calendar(db.session(), county_id).local_date(now):
            return None
        return Link(period_label(period.after), self._url("list", county_id, period=period.after.text()))

    def _tiles(self, facts: Facts) -> tuple[Tile, ...]:
        asked = Asked("overdue", facts.period, facts.county_id)
        calls = sum(one.count for (kind, _key, name), one in facts.now.items() if (kind, name) == ("township", "calls"))
        emergencies = sum(
            one.value // TENTHS
            for (kind, _key, name), one in facts.now.items()
            if (kind, name) == ("township", "calls")
        )
        whole_ = whole(facts.now)
        dispatched = whole_["dispatched"].count if "dispatched" in whole_ else 0
        return (
            Tile(_("Overdue now"), sum(facts.overdue.values()), self._rows_url(asked), "overdue"),
            Tile(_("Calls dispatched"), calls, self._rows_url(replace(asked, what="calls")), "going"),
            Tile(
                _("Of them emergencies"),
                emergencies,
                self._rows_url(replace(asked, what="calls", part="good")),
                "going",
            ),
            Tile(
                _("Dispatched to departments"), dispatched, self._rows_url(replace(asked, what="dispatched")), "going"
            ),
        )

    # Rows

    @expose("/rows")
    def rows(self) -> Any:
        """What a figure is made of."""
        person = self.demand("can_list")
        county_id = self._county(person)
        try:
            asked = Asked.read(request.args, self._period(county_id), county_id)
        except NoSuchRows:
            raise NotFound(_l("There is no such figure.")) from None
        if asked.signal:
            self.demand("can_supervise")
        now = clock.now()
        found, behind = page_of(db.session(), asked, now, request.args.get("after", "")[:40], ROWS)
        with viewer.system():
            count = how_many(db.session(), asked, now)
        columns, cells = _table(asked)
        page = Sheet(
            str(asked.label),
            (Block(columns=columns, rows=tuple(SheetRow(cells(row)) for row in found), empty=_("Nothing.")),),
            intro=" · ".join(filter(None, (self._of(asked), _("%(count)s in all", count=count)))),
            tabs=tuple(self._part_tabs(asked)),
            crumbs=(Link(_("Leaders' cockpit"), self._url("list", county_id, period=asked.period.text())),),
            next_url=self._url("rows", county_id, **asked.arguments(), after=behind) if behind else "",
            next_label=_("Next page"),
            printed=True,
            landscape=True,
        )
        return self.sheet(page)

    def _of(self, asked: Asked) -> str:
        """Of what the rows are, in words."""
        when = "" if asked.what == "overdue" else period_label(asked.period)
        keys = [key for key in (asked.department_id, asked.township_id) if key is not None]
        with viewer.system():
            named = _organisations(asked.county_id) if keys else {}
        names = [named[key].short_name for key in keys if key in named]
        return " · ".join(filter(None, (when, *names, asked.field, asked.place)))

    def _part_tabs(self, asked: Asked) -> Iterator[Tab]:
        for part in asked.parts:
            yield Tab(_part_label(asked, part), self._rows_url(asked.of(part)), part == asked.part)

    # Signals

    @expose("/signals")
    def signals(self) -> Any:
        """Where a department may be working for the figures instead of the matter."""
        person = self.demand("can_supervise")
        county_id = self._county(person)
        period, now = self._period(county_id), clock.now()
        with viewer.system():
            found = sums(db.session(), county_id, period.first, period.last)
            named = _organisations(county_id)
            as_of = self._as_of(county_id, now)
        page = Sheet(
            _("Signals %(period)s", period=period_label(period)),
            tuple(self._signal(found, named, signal, period, county_id) for signal in Signal),
            intro=_("A signal is no verdict: it says where to look. None is about townships.") + " " + as_of,
            tabs=tuple(
                Tab(one.label, url_for("CockpitView.signals", period=Period.of(period.last, kind).text()), one.active)
                for kind, one in zip(MONTHS, self._kind_tabs(county_id, period, now), strict=True)
            ),
            crumbs=(Link(_("Leaders' cockpit"), self._url("list", county_id, period=period.text())),),
            previous_url=self._url("signals", county_id, period=period.before.text()),
            previous_label=period_label(period.before),
            next_url=self._url("signals", county_id, period=period.after.text())
            if self._next(county_id, period, now)
            else "",
            next_label=period_label(period.after),
            printed=True,
        )
        return self.sheet(page)

    def _signal(
        self, found: Sums, named: Mapping[int, Organisation], signal: Signal, period: Period, county_id: int
    ) -> Block:
        """Those departments in which it shows, in the order of the organisations."""
        shown = [
            (named[int(key)], one)
            for (kind, key, name), one in found.items()
            if (kind, name) == ("department", signal.value) and one.value and int(key) in named
        ]
        shown.sort(key=lambda row: (row[0].order, row[0].id))
        rows = tuple(
            SheetRow(
                (
                    Cell(one.short_name),
                    Cell(
                        str(told.value // TENTHS),
                        self._rows_url(Asked(signal.value, period, county_id, "good", one.id)),
                        number=True,
                    ),
                    Cell(str(told.count), number=True),
                    Cell(percent(told.share) if told.share is not None else "", number=True),
                )
            )
            for one, told in shown
        )
        columns = (
            Column("department", _("Department")),
            Column("shown", _("Times")),
            Column("of", _("Of")),
            Column("share", _("Share")),
        )
        return Block(
            str(signal.label),
            text=str(signal.explanation),
            columns=tuple(replace(one, number=one.name != "department") for one in columns),
            rows=rows,
            empty=_("Shows nowhere in this period."),
        )


def _counties(person: Viewer) -> list[Organisation]:
    """Those that a person may look at, in their order."""
    with viewer.system():
        query = sa.select(Organisation).where(Organisation.id.in_(person.region_ids))
        return [*db.session.scalars(query.order_by(Organisation.order, Organisation.id)).unique()]


def _organisations(county_id: int) -> dict[int, Organisation]:
    """Departments, offices and townships of a county by their keys. Read as the system."""
    kinds = (OrganisationKind.department, OrganisationKind.office, OrganisationKind.township)
    query = sa.select(Organisation).where(Organisation.county_id == county_id, Organisation.kind.in_(kinds))
    return {one.id: one for one in db.session.scalars(query).unique()}


def _part_label(asked: Asked, part: str) -> str:
    if part == "all":
        return _("All")
    if asked.what == "calls":
        return _("Emergencies") if part == "good" else _("General")
    if asked.of_links:
        return _("In time") if part == "good" else _("Late")
    if asked.signal:
        return _("Shows") if part == "good" else _("Does not show")
    return _("Fulfilled") if part == "good" else _("Not fulfilled")


def _table(asked: Asked) -> tuple[tuple[Column, ...], Any]:
    """Columns of the rows, and what stands in them. Of a signal no township is named."""
    columns = [Column("number", _("Number")), Column("title", _("Matter in one sentence"))]
    parts = [
        lambda row: Cell(row.Call.number or "", url_for("CallView.show", pk=row.Call.id)),
        lambda row: Cell(row.Call.title),
    ]
    if not asked.signal:
        columns.append(Column("township", _("Township")))
        parts.append(lambda row: Cell(row.Call.township.short_name))
    if asked.of_assignments:
        columns += [Column("department", _("Department")), Column("dispatched", _("Dispatched"))]
        parts += [
            lambda row: Cell(row.Assignment.department.short_name),
            lambda row: Cell(exact(row.Assignment.assigned_at)),
        ]
    else:
        columns.append(Column("dispatched", _("Dispatched")))
        parts.append(lambda row: Cell(exact(row.Call.dispatched_at) if row.Call.dispatched_at else ""))
    if asked.what in MINUTES or asked.of_links:
        columns.append(Column("hours", _("Hours"), number=True))
        parts.append(lambda row: Cell(f"{row.counted / 60:.1f}", number=True))
    elif asked.what == "overdue":
        columns.append(Column("due", _("Deadline")))
        parts.append(lambda row: Cell(exact(row.counted)))
    elif asked.parts and asked.what != "calls":
        columns.append(Column("counted", _("Counted as")))
        parts.append(lambda row: Cell(_part_label(asked, "good" if row.counted else "rest")))
    columns.append(Column("state", _("State")))
    parts.append(lambda row: Cell(pill=pill(row.Call.state)))
    return tuple(columns), lambda row: tuple(part(row) for part in parts)
