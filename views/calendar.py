"""The county's working calendar: years, a year's days, office hours (2.9)."""

from __future__ import annotations

import calendar
from datetime import date
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.database import db
from app.portal.administration import AdministrationPage
from app.portal.frame import Entry
from app.portal.page import Button, Cell, Column, Link
from app.portal.sheet import Asked, Block, Day, Month, Sheet, SheetRow
from models.calendar import CalendarDay, CalendarYear, seed_calendar, work_calendar
from models.field import Field, FieldError
from models.person import ROLES
from models.recomputing import recomputed
from models.refusal import Conflict, NotFound

FIRST_YEAR, LAST_YEAR = 2000, 2100


class CalendarView(AdministrationPage):
    """Everyone reads on which days limits run; the system administrator keeps it."""

    route_base = "/calendar"
    default_view = "list"
    resource = "Calendar"
    permissions = {"can_list": frozenset(ROLES), "can_edit": frozenset({"system_administrator"})}

    def navigation(self) -> tuple[Entry, ...]:
        return (
            Entry(_l("Working calendar"), "CalendarView.list", "Calendar", roles=frozenset({"system_administrator"})),
        )

    @expose("/")
    def list(self) -> Any:
        """The years that are known."""
        county_id = self.county(self.demand("can_list"))
        return self._list(county_id)

    def _list(self, county_id: int, form: Any = None, status: int = 200) -> Any:
        years = db.session.scalars(
            sa.select(CalendarYear).where(CalendarYear.county_id == county_id).order_by(CalendarYear.year.desc())
        ).all()
        special = {
            str(row[0]): row[1]
            for row in db.session.execute(
                sa.select(sa.extract("year", CalendarDay.day), sa.func.count(CalendarDay.id))
                .where(CalendarDay.county_id == county_id)
                .group_by(sa.extract("year", CalendarDay.day))
            )
        }
        rows = tuple(
            SheetRow(
                (
                    Cell(str(one.year), url=url_for("CalendarView.year", year=one.year)),
                    Cell(_("Confirmed") if one.confirmed else _("Provisional: limits may still move")),
                    Cell(str(special.get(str(one.year), 0)), number=True),
                )
            )
            for one in years
        )
        columns = (
            Column("year", _("Year")),
            Column("state", _("State")),
            Column("special", _("Days that differ"), number=True),
        )
        hours = work_calendar(db.session(), county_id).hours.text()
        blocks = [Block(columns=columns, rows=rows, empty=_("No year yet."))]
        blocks.append(Block(_("Office hours"), text=hours))
        if self.may("can_edit"):
            asked = form or self.form((Field("year", _l("Year"), "integer"),), submitted=False)
            blocks.append(Block(_("Add a year"), asked=Asked(asked, url_for("CalendarView.add"), _("Add the year"))))
        page = Sheet(
            _("Working calendar"),
            tuple(blocks),
            intro=_("Limits in working days and hours run on these days. Days change by a click in the year."),
            buttons=(Button(_("Change the office hours"), url_for("SettingView.list"), icon="clock"),)
            if self.may("can_edit")
            else (),
        )
        return self.sheet(page, status)

    @expose("/add", methods=["POST"])
    def add(self) -> Any:
        """Add a year: from the maintained library, or provisional where it knows none yet."""
        county_id = self.county(self.demand("can_edit"))
        asked = Field("year", _l("Year"), "integer")
        form = self.form((asked,))
        try:
            number = asked.parse(form["year"].data)
            asked.check_present(number)
            if not FIRST_YEAR <= number <= LAST_YEAR:
                raise FieldError(_l("Please enter a year such as 2027."))
        except FieldError as error:
            form["year"].errors = [str(error.message)]
            return self._list(county_id, form, 422)
        with recomputed(db.session(), county_id):
            seed_calendar(db.session(), county_id, (number,))
        db.session.commit()
        return redirect(url_for("CalendarView.year", year=number))

    @expose("/<int:year>")
    def year(self, year: int) -> Any:
        """A year's months; each day is a button for whoever keeps the calendar."""
        county_id = self.county(self.demand("can_list"))
        kept = self._kept(county_id, year)
        special = {
            one.day: one
            for one in db.session.scalars(
                sa.select(CalendarDay).where(
                    CalendarDay.county_id == county_id, CalendarDay.day.between(date(year, 1, 1), date(year, 12, 31))
                )
            )
        }
        changing = self.may("can_edit")
        months = tuple(self._month(year, number, special) for number in range(1, 13))
        names = tuple(format_date(date(2024, 1, day), "EEEEE") for day in range(1, 8))
        buttons = []
        if changing:
            buttons.append(
                Button(
                    _("Make provisional again") if kept.confirmed else _("Confirm this year"),
                    url_for("CalendarView.confirm", year=year),
                    icon="check",
                    primary=not kept.confirmed,
                    method="post",
                    fields=(("version", str(kept.version)),),
                )
            )
        page = Sheet(
            _("Working calendar %(year)d", year=year),
            (
                Block(
                    text=_("Confirmed.")
                    if kept.confirmed
                    else _("Provisional: the State Council's notice is not entered yet."),
                    months=months,
                    weekdays=names,
                    day_url=url_for("CalendarView.day", year=year) if changing else "",
                ),
            ),
            intro=_(
                "Grey: offices are closed. Framed: differs from an ordinary week (holiday or make-up working day). A click changes a day."
            )
            if changing
            else _("Grey: offices are closed. Framed: differs from an ordinary week (holiday or make-up working day)."),
            buttons=tuple(buttons),
            crumbs=(Link(_("Working calendar"), url_for("CalendarView.list")),),
        )
        return self.sheet(page)

    @staticmethod
    def _kept(county_id: int, year: int) -> CalendarYear:
        found = db.session.scalars(
            sa.select(CalendarYear).where(CalendarYear.county_id == county_id, CalendarYear.year == year)
        ).one_or_none()
        if found is None:
            raise NotFound(_l("This year is not in the calendar yet."))
        return found

    @staticmethod
    def _month(year: int, number: int, special: dict[date, CalendarDay]) -> Month:
        weeks = []
        for week in calendar.Calendar().monthdatescalendar(year, number):
            days: list[Day | None] = []
            for day in week:
                if day.month != number:
                    days.append(None)
                    continue
                kept = special.get(day)
                working = kept.working if kept is not None else day.weekday() < 5
                words = _("working day") if working else _("closed")
                if kept is not None:
                    words = kept.name or (_("make-up working day") if working else _("holiday"))
                days.append(Day(day.day, day.isoformat(), working, kept is not None, words))
            weeks.append(tuple(days))
        return Month(str(format_date(date(year, number, 1), "LLLL", rebase=False)), tuple(weeks))

    @expose("/<int:year>/day", methods=["POST"])
    def day(self, year: int) -> Any:
        """Turn a working day into a holiday or back; open deadlines that limits gave follow."""
        county_id = self.county(self.demand("can_edit"))
        self._kept(county_id, year)
        try:
            day = Field("day", _l("Day"), "date").parse(request.form.get("day", ""))
        except FieldError as error:
            raise Conflict(error.message) from None
        if day is None or day.year != year:
            raise Conflict(_l("This day lies in another year."))
        kept = db.session.scalars(
            sa.select(CalendarDay).where(CalendarDay.county_id == county_id, CalendarDay.day == day)
        ).one_or_none()
        with recomputed(db.session(), county_id):
            if kept is not None:
                db.session.delete(kept)
            else:
                db.session.add(CalendarDay(county_id=county_id, day=day, working=day.weekday() >= 5))
        db.session.commit()
        flash(_("%(day)s changed.", day=format_date(day, "long")), "success")
        return redirect(url_for("CalendarView.year", year=year))

    @expose("/<int:year>/confirm", methods=["POST"])
    def confirm(self, year: int) -> Any:
        """Confirm a year once the State Council's notice is entered, or take that back."""
        county_id = self.county(self.demand("can_edit"))
        kept = self._kept(county_id, year)
        with recomputed(db.session(), county_id):
            kept.confirmed = not kept.confirmed
        db.session.commit()
        flash(_("Confirmed.") if kept.confirmed else _("Provisional again."), "success")
        return redirect(url_for("CalendarView.year", year=year))
