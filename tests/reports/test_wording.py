"""Dates, instants, durations and lists as documents write them."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from reports.wording import (
    date_text,
    full_instant_text,
    groups,
    instant_text,
    listing,
    natural_duration_text,
    parse_date,
    working_duration_text,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_dates_have_no_leading_zeros():
    assert date_text(date(2026, 3, 5)) == "2026年3月5日"


def test_the_day_of_an_instant_is_read_in_the_countys_zone():
    late = datetime(2026, 11, 20, 17, 30, tzinfo=UTC)
    assert date_text(late, SHANGHAI) == "2026年11月21日"
    with pytest.raises(ValueError, match="time zone"):
        date_text(late)


def test_instants_are_written_to_the_minute_in_the_countys_zone():
    assert instant_text(datetime(2026, 11, 20, 8, 30, tzinfo=UTC), SHANGHAI) == "11月20日16时30分"
    assert instant_text(datetime(2026, 1, 2, 1, 5, tzinfo=UTC), SHANGHAI) == "1月2日9时05分"
    assert full_instant_text(datetime(2026, 12, 31, 16, 0, tzinfo=UTC), SHANGHAI) == "2027年1月1日0时00分"


def test_an_instant_without_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        instant_text(datetime(2026, 11, 20, 8, 30), SHANGHAI)  # noqa: DTZ001 - naive on purpose


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (0, "0分钟"),
        (45, "45分钟"),
        (60, "1小时"),
        (480 + 120, "1个工作日2小时"),
        (2 * 480 + 5, "2个工作日5分钟"),
        (479, "7小时59分钟"),
    ],
)
def test_business_time_is_counted_in_working_days(minutes, text):
    assert working_duration_text(minutes, minutes_per_day=480) == text


def test_emergencies_are_counted_by_the_wall_clock():
    assert natural_duration_text(45) == "45分钟"
    assert natural_duration_text(26 * 60) == "1天2小时"


def test_impossible_durations_are_refused():
    with pytest.raises(ValueError, match="negative"):
        natural_duration_text(-1)
    with pytest.raises(ValueError, match="working day"):
        working_duration_text(10, minutes_per_day=0)


def test_names_are_joined_by_the_enumeration_comma_and_kinds_by_the_comma():
    assert listing(["县水利局", "", "县财政局"]) == "县水利局、县财政局"
    assert groups([["各镇党委", "政府"], [], ["县直各部门"]]) == "各镇党委、政府，县直各部门"


def test_a_written_date_is_read_back_and_nothing_else():
    assert parse_date("2026年3月5日") == date(2026, 3, 5)
    for wrong in ("2026年03月5日", "2026-03-05", "2026年2月30日", "2026年3月5日 ", "２０２６年3月5日"):
        with pytest.raises(ValueError, match=r"2026年11月3日|day is out of range|must be in range"):
            parse_date(wrong)
