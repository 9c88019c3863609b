"""Working calendar, deadlines and business durations against the published year 2026 (2.1, 2.2, 2.9)."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta

import pytest

from models.worktime import Limit, OfficeHours, Unit, UnknownYear, WorkCalendar, provisional_year, seed_year

CALENDAR = WorkCalendar.for_years(range(2024, 2028))

# The State Council's notice for 2026, typed from the notice and not from the library: (month, first day, last day).
DAYS_OFF = ((1, 1, 3), (2, 15, 23), (4, 4, 6), (5, 1, 5), (6, 19, 21), (9, 25, 27), (10, 1, 7))
MAKE_UP = ((1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10))


def at(text: str) -> datetime:
    """A wall-clock time in Shanghai, which is eight hours ahead of UTC all year, as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC) - timedelta(hours=8)


def published(day: date) -> bool:
    """Whether a day of 2026 is worked according to the notice."""
    if (day.month, day.day) in MAKE_UP:
        return True
    off = any(month == day.month and first <= day.day <= last for month, first, last in DAYS_OFF)
    return day.weekday() < 5 and not off


def days_of_2026() -> list[date]:
    return [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]


# Limits and office hours as stored


@pytest.mark.parametrize("text", ["5 working_days", "4 working_hours", "30 calendar_days", "15 minutes"])
def test_a_limit_keeps_its_stored_form(text: str) -> None:
    assert Limit.parse(text).text() == text


def test_a_limit_carries_amount_and_unit() -> None:
    assert Limit.parse(" 5 working_days ") == Limit(5, Unit.working_days)


@pytest.mark.parametrize(
    "text",
    ["", "5", "working_days", "5working_days", "5 days", "5  working_days", "-1 minutes", "0 minutes", "1.5 minutes",
     "五 minutes", "² minutes", "100001 minutes"],
)  # fmt: skip
def test_anything_else_is_no_limit(text: str) -> None:
    with pytest.raises(ValueError, match=r"a limit|is not a valid Unit"):
        Limit.parse(text)


def test_office_hours_keep_their_stored_form() -> None:
    assert OfficeHours().text() == "08:30-12:00 13:30-17:30"
    assert OfficeHours.parse("08:30-12:00 13:30-17:30") == OfficeHours()
    assert OfficeHours.parse("09:00-17:00").day_length_minutes == 480


@pytest.mark.parametrize(
    "text",
    ["", "08:30", "12:00-08:30", "08:30-08:30", "13:30-17:30 08:30-12:00", "08:30-12:00 11:00-17:30",
     "08:30-12:00 12:00-17:30", "08:30:30-12:00", "25:00-26:00"],
)  # fmt: skip
def test_impossible_office_hours_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"[Oo]ffice hours|isoformat|hour must be"):
        OfficeHours.parse(text)


def test_office_hours_are_local_times() -> None:
    with pytest.raises(ValueError, match="local times"):
        OfficeHours(((time(8, tzinfo=UTC), time(12, tzinfo=UTC)),))


# Years


def test_the_seed_is_the_published_year() -> None:
    assert seed_year(2026) == {day: published(day) for day in days_of_2026()}


@pytest.mark.parametrize("year", [1999, 2027, 2100])
def test_the_library_refuses_years_it_does_not_know(year: int) -> None:
    with pytest.raises(UnknownYear) as refusal:
        seed_year(year)
    assert refusal.value.year == year


def test_a_provisional_year_rests_on_the_holidays_that_are_sure() -> None:
    days = provisional_year(2030)
    assert len(days) == 365
    resting = [day for day, worked in days.items() if not worked and day.weekday() < 5]
    assert resting == [
        date(2030, 1, 1),
        date(2030, 5, 1),
        date(2030, 5, 2),
        *(date(2030, 10, day) for day in (1, 2, 3)),
    ]
    assert not any(worked for day, worked in days.items() if day.weekday() >= 5)


def test_a_provisional_year_is_refused_before_the_present_law() -> None:
    with pytest.raises(UnknownYear):
        provisional_year(2024)


def test_what_is_provisional_is_said() -> None:
    assert not CALENDAR.is_provisional(date(2026, 12, 31))
    assert CALENDAR.is_provisional(date(2027, 1, 1))
    assert not CALENDAR.is_provisional(at("2026-12-31 23:59"))
    assert CALENDAR.is_provisional(at("2027-01-01 00:00"))  # still 31 December in UTC
    assert CALENDAR.is_provisional(date(2031, 6, 3))  # not in the table at all
    assert not CALENDAR.provisional_between(at("2024-01-01 00:00"), at("2026-12-31 17:30"))
    assert CALENDAR.provisional_between(at("2026-12-28 10:00"), at("2027-01-04 17:30"))
    assert CALENDAR.provisional_between(date(2027, 1, 4), date(2026, 12, 28))
    assert CALENDAR.provisional_between(at("2026-12-31 10:00"), at("2027-01-01 17:30"))


def test_a_confirmed_year_with_a_gap_is_provisional_at_the_gap_only() -> None:
    days = {day: worked for day, worked in seed_year(2026).items() if day != date(2026, 7, 1)}
    calendar = WorkCalendar(days)
    assert calendar.is_provisional(date(2026, 7, 1))
    assert calendar.is_working_day(date(2026, 7, 1))
    assert not calendar.is_provisional(date(2026, 7, 2))


def test_a_silent_calendar_works_from_monday_to_friday() -> None:
    calendar = WorkCalendar()
    week = [date(2040, 1, 2) + timedelta(days=number) for number in range(7)]
    assert [calendar.is_working_day(day) for day in week] == [True] * 5 + [False] * 2
    assert all(calendar.is_provisional(day) for day in week)


def test_a_later_change_of_the_table_does_not_reach_a_built_calendar() -> None:
    days = {date(2026, 11, 23): True}
    calendar = WorkCalendar(days)
    days[date(2026, 11, 23)] = False
    assert calendar.is_working_day(date(2026, 11, 23))


# Days and hours


@pytest.mark.parametrize(
    ("day", "following"),
    [
        ((2026, 9, 30), (2026, 10, 8)),  # over the National Day
        ((2026, 10, 9), (2026, 10, 10)),  # a Saturday that is made up
        ((2026, 10, 10), (2026, 10, 12)),
        ((2026, 9, 18), (2026, 9, 20)),  # a Sunday that is made up
        ((2026, 2, 13), (2026, 2, 14)),
        ((2026, 2, 14), (2026, 2, 24)),  # over the Spring Festival
        ((2025, 12, 31), (2026, 1, 4)),
    ],
)
def test_next_working_day(day: tuple[int, int, int], following: tuple[int, int, int]) -> None:
    assert CALENDAR.next_working_day(date(*day)) == date(*following)
    assert CALENDAR.move_working_days(date(*following), -1) == date(*day)


def test_spans_of_a_day_are_utc_instants() -> None:
    spans = CALENDAR.spans(date(2026, 10, 10))
    assert spans == [
        (datetime(2026, 10, 10, 0, 30, tzinfo=UTC), datetime(2026, 10, 10, 4, 0, tzinfo=UTC)),
        (datetime(2026, 10, 10, 5, 30, tzinfo=UTC), datetime(2026, 10, 10, 9, 30, tzinfo=UTC)),
    ]
    assert CALENDAR.spans(date(2026, 10, 7)) == []


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        ("2026-11-23 08:29:59", False), ("2026-11-23 08:30", True), ("2026-11-23 11:59:59", True),
        ("2026-11-23 12:00", False), ("2026-11-23 13:29", False), ("2026-11-23 13:30", True),
        ("2026-11-23 17:29", True), ("2026-11-23 17:30", False), ("2026-11-22 10:00", False),
        ("2026-10-10 10:00", True), ("2026-10-01 10:00", False),
    ],
)  # fmt: skip
def test_is_open(text: str, is_open: bool) -> None:
    assert CALENDAR.is_open(at(text)) is is_open


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("2026-11-23 07:00", "2026-11-23 08:30"), ("2026-11-23 10:15", "2026-11-23 10:15"),
        ("2026-11-23 12:00", "2026-11-23 12:00"), ("2026-11-23 12:01", "2026-11-23 13:30"),
        ("2026-11-23 17:30", "2026-11-23 17:30"), ("2026-11-23 17:31", "2026-11-24 08:30"),
        ("2026-09-30 20:00", "2026-10-08 08:30"), ("2026-12-31 18:00", "2027-01-04 08:30"),
        ("2026-01-01 00:00", "2026-01-04 08:30"),
    ],
)  # fmt: skip
def test_into_hours(text: str, moved: str) -> None:
    assert CALENDAR.into_hours(at(text)) == at(moved)


def test_split_counts_working_days() -> None:
    assert CALENDAR.day_length_minutes == 450
    assert CALENDAR.split(450 + 120) == (1, 2, 0)
    assert CALENDAR.split(449) == (0, 7, 29)
    assert CALENDAR.split(0) == (0, 0, 0)
    with pytest.raises(ValueError, match="only a length"):
        CALENDAR.split(-1)


# Deadlines


@pytest.mark.parametrize(
    ("start", "limit", "due"),
    [
        ("2026-11-23 09:00", "1 working_days", "2026-11-24 17:30"),
        ("2026-11-23 00:00", "1 working_days", "2026-11-24 17:30"),
        ("2026-11-23 23:59", "1 working_days", "2026-11-24 17:30"),
        ("2026-11-27 09:00", "1 working_days", "2026-11-30 17:30"),
        ("2026-11-28 09:00", "1 working_days", "2026-11-30 17:30"),  # from a Saturday
        ("2026-09-30 10:00", "1 working_days", "2026-10-08 17:30"),
        ("2026-09-30 10:00", "3 working_days", "2026-10-10 17:30"),  # ends on the made-up Saturday
        ("2026-09-30 10:00", "5 working_days", "2026-10-13 17:30"),
        ("2026-10-03 10:00", "1 working_days", "2026-10-08 17:30"),  # from within the holiday
        ("2026-09-18 10:00", "5 working_days", "2026-09-24 17:30"),
        ("2026-02-13 15:00", "1 working_days", "2026-02-14 17:30"),
        ("2026-02-13 15:00", "2 working_days", "2026-02-24 17:30"),
        ("2026-02-13 15:00", "10 working_days", "2026-03-05 17:30"),
        ("2025-12-31 15:00", "1 working_days", "2026-01-04 17:30"),
        ("2026-11-23 09:00", "30 calendar_days", "2026-12-23 17:30"),
        ("2026-09-30 18:00", "1 calendar_days", "2026-10-01 17:30"),  # calendar days do not move off a holiday
        ("2026-11-23 09:00", "4 working_hours", "2026-11-23 14:30"),  # over lunch
        ("2026-11-23 13:30", "4 working_hours", "2026-11-23 17:30"),  # the closing, not the next morning
        ("2026-11-23 08:00", "4 working_hours", "2026-11-23 14:00"),
        ("2026-11-23 12:30", "4 working_hours", "2026-11-23 17:30"),
        ("2026-11-23 17:30", "4 working_hours", "2026-11-24 14:00"),
        ("2026-09-30 16:00", "4 working_hours", "2026-10-08 11:00"),
        ("2026-10-09 16:00", "4 working_hours", "2026-10-10 11:00"),
        ("2026-10-10 16:00", "4 working_hours", "2026-10-12 11:00"),
        ("2026-02-16 10:00", "4 working_hours", "2026-02-24 14:00"),
        ("2025-12-31 13:30", "4 working_hours", "2025-12-31 17:30"),  # the last closing of a year
        ("2025-12-31 14:30", "4 working_hours", "2026-01-04 09:30"),
        ("2026-10-01 23:50", "30 minutes", "2026-10-02 00:20"),  # an emergency knows no holidays
        ("2026-11-23 09:00", "1440 minutes", "2026-11-24 09:00"),
    ],
)
def test_deadline(start: str, limit: str, due: str) -> None:
    assert CALENDAR.deadline(at(start), Limit.parse(limit)) == at(due)


def test_the_starting_day_is_the_local_one() -> None:
    start = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)  # half past midnight on Tuesday in Shanghai
    assert CALENDAR.deadline(start, Limit(1, Unit.working_days)) == at("2026-11-25 17:30")


def test_office_hours_of_the_county_decide_when_a_day_ends() -> None:
    calendar = WorkCalendar.for_years([2026], hours=OfficeHours.parse("09:00-13:00 14:00-18:00"))
    assert calendar.deadline(at("2026-11-23 10:00"), Limit(1, Unit.working_days)) == at("2026-11-24 18:00")
    assert calendar.deadline(at("2026-11-23 10:00"), Limit(4, Unit.working_hours)) == at("2026-11-23 15:00")


@pytest.mark.parametrize(
    ("deadline", "limit", "earlier"),
    [
        ("2026-11-24 17:30", "1 working_days", "2026-11-23 17:30"),
        ("2026-10-08 17:30", "1 working_days", "2026-09-30 17:30"),
        ("2026-10-12 11:00", "1 working_days", "2026-10-10 11:00"),
        ("2026-10-03 17:30", "1 working_days", "2026-09-30 17:30"),  # a deadline in calendar days on a holiday
        ("2026-10-08 11:00", "4 working_hours", "2026-09-30 16:00"),
        ("2026-11-24 08:30", "4 working_hours", "2026-11-23 13:30"),  # the opening, not the noon before
        ("2026-11-24 17:30", "2 calendar_days", "2026-11-22 17:30"),
        ("2026-11-24 00:10", "15 minutes", "2026-11-23 23:55"),
    ],
)
def test_back(deadline: str, limit: str, earlier: str) -> None:
    assert CALENDAR.back(at(deadline), Limit.parse(limit)) == at(earlier)


@pytest.mark.parametrize(
    ("due", "limit", "step"),
    [
        ("2026-11-24 17:30", "1 working_days", "2026-11-25 17:30"),
        ("2026-11-24 17:30", "3 working_days", "2026-11-27 17:30"),
        ("2026-09-30 17:30", "1 working_days", "2026-10-08 17:30"),
        ("2026-09-30 17:30", "3 working_days", "2026-10-10 17:30"),
        ("2026-10-09 11:00", "3 working_days", "2026-10-13 11:00"),
        ("2026-11-23 23:00", "1 working_days", "2026-11-25 08:30"),  # at night, moved on
        ("2026-11-28 17:30", "1 working_days", "2026-11-30 17:30"),
        ("2026-11-27 17:30", "1 calendar_days", "2026-11-30 08:30"),
        ("2026-11-24 17:30", "4 working_hours", "2026-11-25 14:00"),
        ("2026-10-01 22:00", "1440 minutes", "2026-10-02 22:00"),  # emergency: 24 hours, at any hour
    ],
)
def test_step_after(due: str, limit: str, step: str) -> None:
    assert CALENDAR.step_after(at(due), Limit.parse(limit)) == at(step)


# Amber


@pytest.mark.parametrize(
    ("start", "due", "steps"),
    [
        # report, 5 working days: half of 90 + 5 × 450 minutes, and the day before
        ("2026-11-23 16:00", "2026-11-30 17:30", ["2026-11-26 11:30", "2026-11-27 17:30"]),
        # response, 1 working day
        ("2026-11-23 10:00", "2026-11-24 17:30", ["2026-11-23 17:30", "2026-11-24 09:15"]),
        # over the National Day
        ("2026-09-30 10:00", "2026-10-08 17:30", ["2026-09-30 17:30", "2026-10-08 09:15"]),
        # dispatched after closing: the day before would lie before the start and is left out
        ("2026-11-23 18:00", "2026-11-24 17:30", ["2026-11-24 13:45"]),
        # four working hours: only half of the time
        ("2026-11-23 09:00", "2026-11-23 14:30", ["2026-11-23 11:00"]),
        # both steps at the same instant
        ("2026-11-24 17:30", "2026-11-26 17:30", ["2026-11-25 17:30"]),
        # a deadline at night: the step of the night before waits for the opening
        ("2026-11-20 17:30", "2026-11-24 23:00", ["2026-11-23 17:30", "2026-11-24 08:30"]),
        # nothing of the time is office hours
        ("2026-11-23 18:00", "2026-11-24 08:30", []),
        ("2026-11-28 10:00", "2026-11-29 17:30", []),
        ("2026-11-23 10:00", "2026-11-23 10:00", []),
    ],
)
def test_amber(start: str, due: str, steps: list[str]) -> None:
    assert CALENDAR.amber(at(start), at(due)) == tuple(at(step) for step in steps)


def test_a_deadline_before_its_start_is_refused() -> None:
    for function in (CALENDAR.halfway, CALENDAR.amber):
        with pytest.raises(ValueError, match="before its start"):
            function(at("2026-11-24 10:00"), at("2026-11-23 10:00"))


def test_halfway_without_office_hours_is_the_deadline() -> None:
    assert CALENDAR.halfway(at("2026-11-28 10:00"), at("2026-11-29 17:30")) == at("2026-11-29 17:30")


# Durations


@pytest.mark.parametrize(
    ("a", "b", "minutes"),
    [
        ("2026-11-23 09:00", "2026-11-23 10:00", 60),
        ("2026-11-23 11:00", "2026-11-23 14:30", 120),
        ("2026-11-23 12:00", "2026-11-23 13:30", 0),
        ("2026-11-23 00:00", "2026-11-24 00:00", 450),
        ("2026-11-23 17:29:30", "2026-11-24 08:30:29", 0),  # 59 seconds are no full minute
        ("2026-11-23 17:29:30", "2026-11-24 08:30:30", 1),
        ("2026-11-23 10:00", "2026-11-23 09:00", -60),
        ("2026-11-24 08:30:29", "2026-11-23 17:29:30", 0),
        ("2026-09-30 16:30", "2026-10-08 09:30", 120),
        ("2025-12-31 16:30", "2026-01-04 09:30", 120),
        ("2026-01-01 00:00", "2027-01-01 00:00", 248 * 450),
    ],
)
def test_minutes_between(a: str, b: str, minutes: int) -> None:
    assert CALENDAR.minutes_between(at(a), at(b)) == minutes


def test_a_stopped_clock_gives_back_exactly_the_time_it_took() -> None:
    due = at("2026-10-08 17:30")
    ruling = CALENDAR.worked(at("2026-09-30 11:30:20"), at("2026-09-30 14:00:05"))
    assert ruling == timedelta(minutes=59, seconds=45)
    assert CALENDAR.advance(due, ruling) == at("2026-10-09 09:29:45")


def test_long_ranges_read_the_calendar_once() -> None:
    class Counting(WorkCalendar):
        questions = 0

        def is_working_day(self, day: date) -> bool:
            self.questions += 1
            return super().is_working_day(day)

    calendar = Counting()
    calendar.minutes_between(at("2024-03-01 10:00"), at("2026-11-23 10:00"))
    assert calendar.questions == 366 + 365 + 365
    calendar.minutes_between(at("2024-05-01 10:00"), at("2026-10-23 10:00"))
    calendar.add_minutes(at("2024-05-01 10:00"), 200_000)
    assert calendar.questions == 366 + 365 + 365


def test_a_year_without_any_working_day_is_passed_over() -> None:
    closed = WorkCalendar(dict.fromkeys(days_of_2026(), False))
    assert closed.into_hours(at("2025-12-31 18:00")) == at("2027-01-01 08:30")
    assert closed.add_minutes(at("2025-12-31 17:00"), 60) == at("2027-01-01 09:00")
    assert closed.add_minutes(at("2027-01-01 09:00"), -60) == at("2025-12-31 17:00")


# Instants and timezones


NAIVE = datetime(2026, 11, 23, 9, 0)  # noqa: DTZ001 - naive on purpose
AWARE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "call",
    [
        lambda: CALENDAR.is_open(NAIVE), lambda: CALENDAR.into_hours(NAIVE), lambda: CALENDAR.local_date(NAIVE),
        lambda: CALENDAR.is_provisional(NAIVE), lambda: CALENDAR.provisional_between(NAIVE, AWARE),
        lambda: CALENDAR.worked(NAIVE, AWARE), lambda: CALENDAR.minutes_between(AWARE, NAIVE),
        lambda: CALENDAR.add_minutes(NAIVE, 0), lambda: CALENDAR.add_minutes(NAIVE, 1),
        lambda: CALENDAR.halfway(NAIVE, AWARE), lambda: CALENDAR.amber(AWARE, NAIVE),
        *(lambda unit=unit: CALENDAR.deadline(NAIVE, Limit(1, unit)) for unit in Unit),
        *(lambda unit=unit: CALENDAR.back(NAIVE, Limit(1, unit)) for unit in Unit),
        *(lambda unit=unit: CALENDAR.step_after(NAIVE, Limit(1, unit)) for unit in Unit),
    ],
)  # fmt: skip
def test_naive_instants_are_refused(call: object) -> None:
    assert callable(call)
    with pytest.raises(ValueError, match="needs a timezone"):
        call()


def test_instants_of_any_timezone_are_understood_and_answered_in_utc() -> None:
    shanghai = datetime(2026, 11, 23, 9, 0, tzinfo=zoneinfo.ZoneInfo("Asia/Shanghai"))
    for unit in Unit:
        limit = Limit(1, unit)
        for function in (CALENDAR.deadline, CALENDAR.back, CALENDAR.step_after):
            answer = function(shanghai, limit)
            assert answer == function(shanghai.astimezone(UTC), limit)
            assert answer.tzinfo is UTC


def test_an_unknown_timezone_is_refused() -> None:
    with pytest.raises(zoneinfo.ZoneInfoNotFoundError):
        WorkCalendar(timezone="Asia/Peking")


def test_the_wall_clock_is_kept_where_the_offset_changes() -> None:
    calendar = WorkCalendar(timezone="Europe/Berlin")  # the clock goes back on Sunday, 25 October 2026
    friday, monday = (
        datetime(2026, 10, day, 17, 30, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")).astimezone(UTC) for day in (23, 26)
    )
    assert monday - friday == timedelta(days=3, hours=1)
    assert calendar.step_after(friday, Limit(1, Unit.working_days)) == monday
    assert calendar.back(monday, Limit(1, Unit.working_days)) == friday
    assert calendar.back(monday, Limit(3, Unit.calendar_days)) == friday
    assert calendar.minutes_between(friday, monday) == 450
