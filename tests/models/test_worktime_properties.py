"""Working time against a model that walks minute by minute through the published year 2026 (2.9)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from models.worktime import Limit, Unit, WorkCalendar
from tests.models.test_worktime import CALENDAR, days_of_2026, published

# Properties, against a model that walks minute by minute through the published year


FIRST = datetime(2025, 12, 31, 16, 0, tzinfo=UTC)  # midnight of 1 January 2026 in Shanghai


def _open_minutes() -> list[bool]:
    """For each minute of 2026 on the wall in Shanghai, whether offices are open in it."""
    minutes: list[bool] = []
    for day in days_of_2026():
        hours = [510 <= minute < 720 or 810 <= minute < 1050 for minute in range(1440)]
        minutes += hours if published(day) else [False] * 1440
    return minutes


OPEN = _open_minutes()


def walk(minute: int, worked: int) -> int:
    """The first minute mark at which so many open minutes have passed."""
    while worked:
        worked -= OPEN[minute]
        minute += 1
    return minute


def mark(minute: int) -> datetime:
    return FIRST + timedelta(minutes=minute)


minutes_of_year = st.integers(0, 330 * 1440)
seconds = st.integers(0, 340 * 86_400).map(lambda second: FIRST + timedelta(seconds=second))
limits = st.builds(Limit, st.integers(1, 15), st.sampled_from(Unit))


def inside_hours(instant: datetime) -> bool:
    """Open, or at the closing."""
    day = CALENDAR.local_date(instant)
    return any(opens <= instant <= closes for opens, closes in CALENDAR.spans(day))


@given(minutes_of_year, st.integers(0, 30 * 1440))
def test_minutes_between_counts_open_minutes(minute: int, length: int) -> None:
    counted = sum(OPEN[minute : minute + length])
    assert CALENDAR.minutes_between(mark(minute), mark(minute + length)) == counted
    assert CALENDAR.minutes_between(mark(minute + length), mark(minute)) == -counted


@given(minutes_of_year, st.integers(1, 5000))
@example(510 + 3 * 1440, 210)  # ends at noon of the first working day
@example(510 + 3 * 1440, 450)  # ends at its closing
def test_add_minutes_walks_over_open_minutes(minute: int, worked: int) -> None:
    assert CALENDAR.add_minutes(mark(minute), worked) == mark(walk(minute, worked))


@given(minutes_of_year)
def test_no_minutes_lead_to_the_next_minute_in_hours(minute: int) -> None:
    reached = minute
    while not OPEN[reached] and not OPEN[reached - 1]:
        reached += 1
    assert CALENDAR.add_minutes(mark(minute), 0) == mark(reached)


@given(seconds, st.integers(-50_000, 50_000))
def test_adding_and_counting_are_inverse(start: datetime, minutes: int) -> None:
    end = CALENDAR.add_minutes(start, minutes)
    assert CALENDAR.minutes_between(start, end) == minutes
    assert CALENDAR.worked(end, start) == -timedelta(minutes=minutes)
    assert inside_hours(end)


@given(seconds, st.integers(1, 50_000))
def test_the_end_is_the_earliest_and_the_way_back_the_latest(start: datetime, minutes: int) -> None:
    tick = timedelta(seconds=1)
    ahead = CALENDAR.add_minutes(start, minutes)
    assert CALENDAR.worked(start, ahead - tick) < timedelta(minutes=minutes)
    back = CALENDAR.add_minutes(start, -minutes)
    assert CALENDAR.worked(back + tick, start) < timedelta(minutes=minutes)


@given(seconds, seconds, seconds)
def test_durations_add_up(a: datetime, b: datetime, c: datetime) -> None:
    assert CALENDAR.worked(a, b) + CALENDAR.worked(b, c) == CALENDAR.worked(a, c)


@given(seconds, seconds, limits)
def test_a_later_start_never_has_an_earlier_deadline(a: datetime, b: datetime, limit: Limit) -> None:
    earlier, later = sorted((a, b))
    assert CALENDAR.deadline(earlier, limit) <= CALENDAR.deadline(later, limit)


@given(seconds, limits)
def test_a_larger_limit_ends_later(start: datetime, limit: Limit) -> None:
    larger = Limit(limit.amount + 1, limit.unit)
    assert start < CALENDAR.deadline(start, limit) < CALENDAR.deadline(start, larger)


@given(seconds, limits)
def test_deadlines_in_working_time_lie_inside_hours(start: datetime, limit: Limit) -> None:
    assume(limit.unit in (Unit.working_days, Unit.working_hours))
    assert inside_hours(CALENDAR.deadline(start, limit))


@given(seconds, st.integers(1, 15))
def test_a_limit_in_working_days_spans_as_many_working_days(start: datetime, amount: int) -> None:
    due = CALENDAR.deadline(start, Limit(amount, Unit.working_days))
    first, last = CALENDAR.local_date(start), CALENDAR.local_date(due)
    between = [first + timedelta(days=number) for number in range(1, (last - first).days + 1)]
    counted = [published(day) if day.year == 2026 else CALENDAR.is_working_day(day) for day in between]
    assert sum(counted) == amount
    assert counted[-1]
    assert due == CALENDAR.close_of_day(last)


@given(seconds, limits)
def test_halfway_splits_the_time_evenly(start: datetime, limit: Limit) -> None:
    due = CALENDAR.deadline(start, limit)
    assume(CALENDAR.worked(start, due))
    half = CALENDAR.halfway(start, due)
    assert inside_hours(half)
    assert abs(CALENDAR.worked(start, half) - CALENDAR.worked(half, due)) <= timedelta(microseconds=1)


@given(seconds, limits)
def test_amber_reminds_in_hours_between_start_and_deadline(start: datetime, limit: Limit) -> None:
    due = CALENDAR.deadline(start, limit)
    steps = CALENDAR.amber(start, due)
    assert list(steps) == sorted(set(steps))
    assert len(steps) <= 2
    for step in steps:
        assert start < step < due
        assert inside_hours(step)


@given(seconds, st.integers(1, 10))
def test_the_ladder_climbs_in_hours_and_leads_back(start: datetime, amount: int) -> None:
    due = CALENDAR.deadline(start, Limit(1, Unit.working_days))
    limit = Limit(amount, Unit.working_days)
    step = CALENDAR.step_after(due, limit)
    assert inside_hours(step)
    assert CALENDAR.worked(due, step) == timedelta(minutes=450 * amount)
    assert CALENDAR.back(step, limit) == due


@pytest.mark.parametrize(
    ("begun", "months", "last"),
    [
        ("2026-11-23", 1, "2026-12-23"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2026-12-31", 2, "2027-02-28"),
        ("2028-01-30", 1, "2028-02-29"),
    ],
)
def test_a_limit_in_calendar_months_ends_on_the_same_day_of_the_month_or_its_last(
    begun: str, months: int, last: str
) -> None:
    calendar = WorkCalendar.for_years([2026, 2027, 2028])
    start = datetime.fromisoformat(f"{begun} 09:00").replace(tzinfo=calendar.zone)
    due = calendar.deadline(start, Limit(months, Unit.calendar_months))
    assert due.astimezone(calendar.zone).strftime("%Y-%m-%d %H:%M") == f"{last} 17:30"
    with pytest.raises(ValueError, match="1200"):
        Limit(1201, Unit.calendar_months)
