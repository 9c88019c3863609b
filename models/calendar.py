"""The county's working calendar as records (2.9); the arithmetic stands in `models.worktime`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache, lru_cache
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session

from models import viewer, worktime
from models.base import KEY, CountyRecord, column
from models.setting import SETTINGS, Setting, forget


class CalendarYear(CountyRecord):
    """A year of the working calendar; provisional until the State Council's notice is out and an administrator confirmed it."""

    __table_args__ = (sa.UniqueConstraint("county_id", "year"),)
    label = _l("Calendar year")
    plural = _l("Calendar years")
    seen_by_all = True

    year: Mapped[int] = column(_l("Year"), sa.Integer, listed=True, nullable=False)
    confirmed: Mapped[bool] = column(_l("Confirmed"), sa.Boolean, listed=True, nullable=False, default=False)

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        table = sa.inspect(cls).local_table
        return sa.select(table.c.id).where(table.c.county_id.in_(person.region_ids))

    @property
    def title(self) -> str:
        return str(self.year)


class CalendarDay(CountyRecord):
    """A day that differs from Monday to Friday: a holiday, or a make-up working day (調休)."""

    __table_args__ = (sa.UniqueConstraint("county_id", "day"),)
    label = _l("Calendar day")
    plural = _l("Calendar days")
    seen_by_all = True

    day: Mapped[date] = column(_l("Day"), sa.Date, listed=True, nullable=False)
    working: Mapped[bool] = column(_l("Working day"), sa.Boolean, listed=True, nullable=False)
    name: Mapped[str] = column(_l("Occasion"), sa.String(60), listed=True, required=False, nullable=False, default="")

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        table = sa.inspect(cls).local_table
        return sa.select(table.c.id).where(table.c.county_id.in_(person.region_ids))

    @property
    def title(self) -> str:
        return self.day.isoformat()


@sa.event.listens_for(Session, "after_flush")
def _read_again(session: Session, context: Any) -> None:
    """What this transaction itself changes holds at once."""
    if any(
        isinstance(one, Setting | CalendarDay | CalendarYear)
        for one in (*session.new, *session.dirty, *session.deleted)
    ):
        forget(session)


def work_calendar(session: Session, county_id: int) -> worktime.WorkCalendar:
    """The county's calendar for deadlines, read once per transaction."""
    calendars: dict[int, worktime.WorkCalendar] = session.info.setdefault("calendars", {})
    if county_id not in calendars:
        rows = session.connection().execute(_calendars(), {"county": county_id}).all()
        settings = {row[4]: row[5] for row in rows if row[0] == "setting"}
        session.info.setdefault("settings", {})[county_id] = settings
        exceptions = frozenset((row[2], bool(row[3])) for row in rows if row[0] == "day")
        known = frozenset((row[1], bool(row[3])) for row in rows if row[0] == "year")
        own = settings.get("office_hours", SETTINGS["office_hours"].default)
        hours: worktime.OfficeHours = SETTINGS["office_hours"].parse(own)
        calendars[county_id] = _calendar(exceptions, known, hours)
    return calendars[county_id]


@cache
def _calendars() -> sa.CompoundSelect[Any]:
    """(what, year, day, yes or no, name, value): years, days that differ, and settings, which most deadlines need as well.
    In the path of most pages, so one statement, made once; asked for with `county`."""
    county_id = sa.bindparam("county", type_=KEY)
    days, years, settings = (sa.inspect(one).local_table for one in (CalendarDay, CalendarYear, Setting))
    no_day, no_text = sa.cast(sa.null(), sa.Date).label("day"), sa.literal("")
    return sa.union_all(
        sa.select(sa.literal("year"), years.c.year, no_day, years.c.confirmed, no_text, no_text).where(
            years.c.county_id == county_id
        ),
        sa.select(sa.literal("day"), sa.literal(0), days.c.day, days.c.working, no_text, no_text).where(
            days.c.county_id == county_id
        ),
        sa.select(sa.literal("setting"), sa.literal(0), no_day, sa.false(), settings.c.name, settings.c.value).where(
            settings.c.county_id == county_id
        ),
    )


@lru_cache(maxsize=64)
def _calendar(
    exceptions: frozenset[tuple[date, bool]], years: frozenset[tuple[int, bool]], hours: worktime.OfficeHours
) -> worktime.WorkCalendar:
    """A calendar is a value: equal tables give the same one, with its tabulated years."""
    different = dict(exceptions)
    days: dict[date, bool] = {}
    for year, _confirmed in years:
        first = date(year, 1, 1)
        for offset in range((date(year, 12, 31) - first).days + 1):
            day = first + timedelta(days=offset)
            days[day] = different.get(day, day.weekday() < 5)
    return worktime.WorkCalendar(
        days, hours=hours, provisional_years=[year for year, confirmed in years if not confirmed]
    )


def seed_calendar(session: Session, county_id: int, years: Iterable[int]) -> None:
    """Fill years of a county's calendar from the maintained library; a year that it does not know yet is
    provisional. Present years stay as they are."""
    present = set(session.scalars(sa.select(CalendarYear.year).where(CalendarYear.county_id == county_id)))
    for year in sorted(set(years) - present):
        try:
            days, confirmed = worktime.seed_year(year), True
        except worktime.UnknownYear:
            days, confirmed = worktime.provisional_year(year), False
        session.add(CalendarYear(county_id=county_id, year=year, confirmed=confirmed))
        for day, working in days.items():
            if working != (day.weekday() < 5):
                session.add(CalendarDay(county_id=county_id, day=day, working=working))
    session.flush()
