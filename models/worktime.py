"""Working time of a county: its calendar, office hours, deadlines and business durations (2.1 Clocks, 2.2, 2.9).

Pure functions of a calendar that is handed in; nothing here reads a database or the clock. Instants are aware; every
instant returned is in UTC, a naive one raises ValueError. *Business time* is time inside office hours on working days.
Its spans are closed at their end: an instant at closing time still belongs to the span that closes, so a deadline is
17:30 and never the next morning's 08:30.
"""

from __future__ import annotations

import enum
from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import chinese_calendar

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_NOTHING = timedelta(0)

_MAX_AMOUNT = 100_000
"""Largest amount of a limit (69 days in minutes): a slip in a setting must not run the calendar into the year 9999."""

_MAX_MONTHS = 1_200
"""The same for limits in months."""

_LAW_IN_FORCE = 2025
"""First year of the Measures for Holidays as revised in November 2024: 13 days, 2 May among them."""

_SURE_HOLIDAYS = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))
"""Statutory holidays (month, day) that fall on the same date every year; all others follow the lunar calendar."""


class UnknownYear(ValueError):
    """The State Council's arrangement of holidays for this year is not known to the library."""

    def __init__(self, year: int) -> None:
        super().__init__(f"no holiday arrangement is known for {year}")
        self.year = year


class Unit(enum.StrEnum):
    """What a limit counts. Minutes are wall clock, at any hour; working hours run inside office hours only; a month
    ends on the day of the same number, or on a shorter month's last."""

    working_days = "working_days"
    working_hours = "working_hours"
    calendar_days = "calendar_days"
    calendar_months = "calendar_months"
    minutes = "minutes"


@dataclass(frozen=True)
class Limit:
    """A time limit with its unit, as settings store it. Raises ValueError for an amount outside 1 to 100 000, or 1 to 1 200 months."""

    amount: int
    unit: Unit

    def __post_init__(self) -> None:
        most = _MAX_MONTHS if self.unit is Unit.calendar_months else _MAX_AMOUNT
        if not 1 <= self.amount <= most:
            raise ValueError(f"a limit lies between 1 and {most}: {self.amount}")

    @classmethod
    def parse(cls, text: str) -> Limit:
        """Read the stored form, `5 working_days`. Raises ValueError for anything else."""
        amount, _, unit = text.strip().partition(" ")
        if not (amount.isascii() and amount.isdigit()):
            raise ValueError(f"a limit is a number and a unit: {text!r}")
        return cls(int(amount), Unit(unit))

    def text(self) -> str:
        """The stored form, `5 working_days`; people are shown a translated one."""
        return f"{self.amount} {self.unit.value}"


@dataclass(frozen=True)
class OfficeHours:
    """Local opening and closing times of a working day, in order (2.9).

    Raises ValueError unless there is a span, each closes after it opens, none overlaps the next, all in whole minutes.
    """

    spans: tuple[tuple[time, time], ...] = ((time(8, 30), time(12, 0)), (time(13, 30), time(17, 30)))

    def __post_init__(self) -> None:
        if not self.spans:
            raise ValueError("office hours need at least one span")
        for moment in (moment for span in self.spans for moment in span):
            if moment.tzinfo is not None or moment.second or moment.microsecond:
                raise ValueError(f"office hours are local times in whole minutes: {moment}")
        if any(opens >= closes for opens, closes in self.spans):
            raise ValueError("office hours must close after they open, on the same day")
        if any(earlier[1] >= later[0] for earlier, later in pairwise(self.spans)):
            raise ValueError("spans of office hours must follow one another with a break between them")

    @classmethod
    def parse(cls, text: str) -> OfficeHours:
        """Read the stored form, `08:30-12:00 13:30-17:30`. Raises ValueError for anything else."""
        return cls(tuple(_parse_span(span) for span in text.split()))

    def text(self) -> str:
        """The stored form, `08:30-12:00 13:30-17:30`."""
        return " ".join(f"{opens:%H:%M}-{closes:%H:%M}" for opens, closes in self.spans)

    @property
    def day_length_minutes(self) -> int:
        """Minutes of one working day, without the breaks."""
        return sum(_minute_of_day(closes) - _minute_of_day(opens) for opens, closes in self.spans)


@dataclass(frozen=True)
class _Year:
    """The office spans of one local year, in order, with the business time passed before and after each."""

    opens: list[datetime]
    closes: list[datetime]
    before: list[timedelta]
    after: list[timedelta]
    total: timedelta

    def passed(self, instant: datetime) -> timedelta:
        """Business time of this year up to an instant of this year."""
        index = bisect_right(self.opens, instant) - 1
        if index < 0:
            return _NOTHING
        return self.before[index] + min(instant, self.closes[index]) - self.opens[index]


class WorkCalendar:
    """One county's working days and office hours (2.9). Immutable: when the table changes, build a new one.

    `days` says of each date whether it is worked, make-up workdays included. A date that is not in it is worked from
    Monday to Friday and counts as provisional, as does every date of `provisional_years`. Office hours must not touch
    the hour in which the timezone changes its offset. Raises zoneinfo.ZoneInfoNotFoundError for an unknown timezone.
    """

    def __init__(
        self,
        days: Mapping[date, bool] | None = None,
        *,
        hours: OfficeHours | None = None,
        timezone: str = "Asia/Shanghai",
        provisional_years: Collection[int] = (),
    ) -> None:
        self.hours = hours or OfficeHours()
        self.zone = ZoneInfo(timezone)
        self.provisional_years = frozenset(provisional_years)
        self._days = dict(days or {})
        self._years: dict[int, _Year] = {}

    @classmethod
    def for_years(
        cls, years: Iterable[int], *, hours: OfficeHours | None = None, timezone: str = "Asia/Shanghai"
    ) -> WorkCalendar:
        """The calendar as the library has it; years it does not know are provisional."""
        days: dict[date, bool] = {}
        provisional: set[int] = set()
        for year in years:
            try:
                days.update(seed_year(year))
            except UnknownYear:
                days.update(provisional_year(year))
                provisional.add(year)
        return cls(days, hours=hours, timezone=timezone, provisional_years=provisional)

    # Days

    def local_date(self, instant: datetime) -> date:
        """The date on the county's wall at an instant."""
        return self._local(instant).date()

    def is_working_day(self, day: date) -> bool:
        """Whether the county works on this date; Monday to Friday where the calendar is silent."""
        return self._days.get(day, day.weekday() < 5)

    def next_working_day(self, day: date) -> date:
        """The first working day after a date."""
        return self.move_working_days(day, 1)

    def move_working_days(self, day: date, count: int) -> date:
        """The count-th working day after a date, before it if negative; the date itself is never counted."""
        step = _DAY if count > 0 else -_DAY
        for _ in range(abs(count)):
            day += step
            while not self.is_working_day(day):
                day += step
        return day

    def is_provisional(self, when: date | datetime) -> bool:
        """Whether it is not yet confirmed if this date, or the local date of this instant, is worked."""
        day = self._day(when)
        return day.year in self.provisional_years or day not in self._days

    def provisional_between(self, a: date | datetime, b: date | datetime) -> bool:
        """Whether any date between two, both included, is provisional: a deadline counted over them must say so."""
        first, last = sorted((self._day(a), self._day(b)))
        return any(self.is_provisional(first + offset * _DAY) for offset in range((last - first).days + 1))

    # Office hours

    @property
    def day_length_minutes(self) -> int:
        """Business minutes of one working day."""
        return self.hours.day_length_minutes

    def split(self, minutes: int) -> tuple[int, int, int]:
        """Business minutes as (working days, hours, minutes), for showing. Raises ValueError if negative."""
        if minutes < 0:
            raise ValueError(f"only a length can be split: {minutes}")
        days, rest = divmod(minutes, self.day_length_minutes)
        return days, *divmod(rest, 60)

    def spans(self, day: date) -> list[tuple[datetime, datetime]]:
        """Opening and closing instants of a date, in UTC; none on a day that is not worked."""
        if not self.is_working_day(day):
            return []
        return [(self._instant(day, opens), self._instant(day, closes)) for opens, closes in self.hours.spans]

    def close_of_day(self, day: date) -> datetime:
        """When office hours end on a date, in UTC, whether it is worked or not: the end of a limit in days."""
        return self._instant(day, self.hours.spans[-1][1])

    def is_open(self, instant: datetime) -> bool:
        """Whether offices are open at an instant: from the opening, no longer at the closing."""
        instant = _utc(instant)
        return any(opens <= instant < closes for opens, closes in self.spans(self.local_date(instant)))

    def into_hours(self, instant: datetime) -> datetime:
        """The instant itself if inside office hours or at their closing, else the next opening."""
        instant = _utc(instant)
        number = self._local(instant).year
        year = self._year(number)
        index = bisect_right(year.opens, instant)
        if index and instant <= year.closes[index - 1]:
            return instant
        while index == len(year.opens):
            number += 1
            year, index = self._year(number), 0
        return year.opens[index]

    # Business time

    def worked(self, a: datetime, b: datetime) -> timedelta:
        """Exact business time from one instant to another, negative if b is before a."""
        a, b = _utc(a), _utc(b)
        if b < a:
            return -self.worked(b, a)
        first, last = self._local(a).year, self._local(b).year
        whole = sum((self._year(number).total for number in range(first, last)), _NOTHING)
        return whole - self._year(first).passed(a) + self._year(last).passed(b)

    def minutes_between(self, a: datetime, b: datetime) -> int:
        """Full business minutes from one instant to another, negative if b is before a."""
        passed = self.worked(a, b)
        return passed // _MINUTE if passed >= _NOTHING else -(-passed // _MINUTE)

    def advance(self, start: datetime, amount: timedelta) -> datetime:
        """The instant when exactly this much business time has passed since a start.

        The earliest such instant, thus the closing and not the next opening. With a negative amount the latest
        instant from which that much leads to the start, thus the opening and not the closing before. With none, the
        start moved into office hours.
        """
        if amount == _NOTHING:
            return self.into_hours(start)
        start = _utc(start)
        number = self._local(start).year
        year = self._year(number)
        target = year.passed(start) + amount
        if amount > _NOTHING:
            while target > year.total:
                target -= year.total
                number += 1
                year = self._year(number)
            index = bisect_left(year.after, target)
            return year.closes[index] - (year.after[index] - target)
        while target < _NOTHING:
            number -= 1
            year = self._year(number)
            target += year.total
        index = bisect_right(year.before, target) - 1
        return year.opens[index] + (target - year.before[index])

    def add_minutes(self, start: datetime, minutes: int) -> datetime:
        """`advance` by business minutes; back in time if negative."""
        return self.advance(start, minutes * _MINUTE)

    def halfway(self, start: datetime, due: datetime) -> datetime:
        """When half of the business time from start to due has passed.

        `due` itself where no office hours lie between the two. Raises ValueError if due is before start.
        """
        if _utc(due) < _utc(start):
            raise ValueError("a deadline cannot lie before its start")
        available = self.worked(start, due)
        return self.advance(start, available / 2) if available else _utc(due)

    # Limits

    def deadline(self, start: datetime, limit: Limit) -> datetime:
        """When a limit that begins at start runs out (2.9).

        Limits in days do not count the starting day and end when office hours close on the last one, calendar days
        even if that day is not worked. Calendar months end on the same day of a later month, on its last one where it
        has no such day. Working hours begin at the next opening if the start lies outside.
        """
        match limit.unit:
            case Unit.working_days:
                return self.close_of_day(self.move_working_days(self.local_date(start), limit.amount))
            case Unit.calendar_days:
                return self.close_of_day(self.local_date(start) + limit.amount * _DAY)
            case Unit.calendar_months:
                return self.close_of_day(_move_months(self.local_date(start), limit.amount))
            case _:
                return self._shift(start, limit.unit, limit.amount)

    def back(self, deadline: datetime, limit: Limit) -> datetime:
        """The instant a limit before a deadline: for days the same local time that many days earlier (amber, 2.2).

        Not moved into office hours: after a deadline at night the instant lies at night.
        """
        return self._shift(deadline, limit.unit, -limit.amount)

    def step_after(self, due: datetime, limit: Limit) -> datetime:
        """When a step of the overdue ladder is reached, a limit after the deadline (2.2).

        For days the same local time that many days later, moved on into office hours. Minutes are those of an
        emergency: wall clock, at any hour.
        """
        step = self._shift(due, limit.unit, limit.amount)
        return step if limit.unit is Unit.minutes else self.into_hours(step)

    def amber(self, start: datetime, due: datetime) -> tuple[datetime, ...]:
        """When to remind before a deadline: at half of the time and 1 working day before (2.2).

        Moved on into office hours, in order, without doubles; what would not fall between start and due is left out.
        Raises ValueError if due is before start.
        """
        steps = (self.halfway(start, due), self.back(due, Limit(1, Unit.working_days)))
        # Judged before it is moved as well: a step before the start must not come back as a reminder at the opening.
        inside = {self.into_hours(step) for step in steps if step > start}
        return tuple(sorted(step for step in inside if step < due))

    # Inner workings

    def _shift(self, instant: datetime, unit: Unit, amount: int) -> datetime:
        """An instant moved by an amount, forward or back; by days it keeps its local time."""
        match unit:
            case Unit.minutes:
                return _utc(instant) + amount * _MINUTE
            case Unit.working_hours:
                return self.add_minutes(instant, 60 * amount)
            case Unit.calendar_days:
                return (self._local(instant) + amount * _DAY).astimezone(UTC)
            case Unit.calendar_months:
                local = self._local(instant)
                return datetime.combine(_move_months(local.date(), amount), local.timetz()).astimezone(UTC)
            case Unit.working_days:
                local = self._local(instant)
                day = self.move_working_days(local.date(), amount)
                return datetime.combine(day, local.timetz()).astimezone(UTC)

    def _local(self, instant: datetime) -> datetime:
        return _utc(instant).astimezone(self.zone)

    def _day(self, when: date | datetime) -> date:
        return self.local_date(when) if isinstance(when, datetime) else when

    def _instant(self, day: date, moment: time) -> datetime:
        return datetime.combine(day, moment, tzinfo=self.zone).astimezone(UTC)

    def _year(self, number: int) -> _Year:
        """The table of a local year, worked out once: it makes every duration a matter of two bisections."""
        if number not in self._years:
            self._years[number] = self._tabulate(number)
        return self._years[number]

    def _tabulate(self, number: int) -> _Year:
        opens: list[datetime] = []
        closes: list[datetime] = []
        before: list[timedelta] = []
        after: list[timedelta] = []
        total = _NOTHING
        for day in _days_of(number):
            for opening, closing in self.spans(day):
                opens.append(opening)
                closes.append(closing)
                before.append(total)
                total += closing - opening
                after.append(total)
        return _Year(opens, closes, before, after, total)


def seed_year(year: int) -> dict[date, bool]:
    """Every date of a year and whether it is worked: weekends, statutory holidays and make-up workdays.

    Raises UnknownYear outside the library's range, which ends with 2026.
    """
    try:
        return {day: chinese_calendar.is_workday(day) for day in _days_of(year)}
    except NotImplementedError as unknown:
        raise UnknownYear(year) from unknown


def provisional_year(year: int) -> dict[date, bool]:
    """Every date of a year whose arrangement is not published: Monday to Friday without the holidays that are sure.

    Spring Festival, Tomb-sweeping, Dragon Boat and Mid-autumn, the days off in lieu and the make-up workdays are
    missing, so the year must be among a calendar's provisional ones. Raises UnknownYear before 2025, when fewer days
    were sure and the arrangement is long published.
    """
    if year < _LAW_IN_FORCE:
        raise UnknownYear(year)
    return {day: day.weekday() < 5 and (day.month, day.day) not in _SURE_HOLIDAYS for day in _days_of(year)}


def _days_of(year: int) -> Iterable[date]:
    first = date(year, 1, 1)
    return (first + offset * _DAY for offset in range((date(year, 12, 31) - first).days + 1))


def _move_months(day: date, count: int) -> date:
    """The same day of the month so many months later, or earlier; the month's last where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _utc(instant: datetime) -> datetime:
    if instant.utcoffset() is None:
        raise ValueError(f"an instant needs a timezone: {instant}")
    return instant.astimezone(UTC)


def _minute_of_day(moment: time) -> int:
    return moment.hour * 60 + moment.minute


def _parse_span(text: str) -> tuple[time, time]:
    opens, _, closes = text.partition("-")
    return time.fromisoformat(opens), time.fromisoformat(closes)
