"""Deadlines by the county's calendar and settings, marks, and what stays of them (2.1 Clocks, 2.2 Marks, 2.9)."""

from __future__ import annotations

from datetime import datetime

import pytest

from models.call import Assignment, Call
from models.field import FieldError
from models.setting import SETTINGS, Setting, setting
from models.worktime import Limit, Unit
from tests.county import County, at

START = at("2026-11-23 09:00")
DUE = at("2026-11-24 17:30")
RED = at("2026-11-27 17:30")
"""Three working days after the response deadline."""


def dues(county: County, assignment: int) -> tuple[datetime, datetime]:
    with county.acting(None) as session:
        one = session.get_one(Assignment, assignment)
        return one.respond_due, one.report_due


def marks(county: County, assignment: int, when: datetime) -> list[str]:
    with county.acting(None, when) as session:
        return [str(mark) for mark in session.get_one(Assignment, assignment).marks(when)]


def test_respond_in_one_working_day_and_report_in_five(county: County) -> None:
    _call, only = county.dispatched(when=START)
    assert dues(county, only) == (DUE, at("2026-11-30 17:30"))


def test_a_joint_matter_has_ten_working_days_to_report(county: County) -> None:
    _call, lead, other = county.dispatched("department1", "department2", when=START)
    assert dues(county, lead) == dues(county, other) == (DUE, at("2026-12-07 17:30"))


def test_a_complex_matter_has_ten_working_days_to_report(county: County) -> None:
    _call, only = county.dispatched(when=START, values={"complex": True})
    assert dues(county, only) == (DUE, at("2026-12-07 17:30"))


def test_holidays_do_not_count_and_make_up_days_do(county: County) -> None:
    # 2026: off from 15 to 23 February, worked on Saturday 14 and Saturday 28 February
    _call, only = county.dispatched(when=at("2026-02-13 10:00"))
    assert dues(county, only) == (at("2026-02-14 17:30"), at("2026-02-27 17:30"))


def test_an_emergency_runs_by_the_wall_clock_over_night_and_holiday(county: County) -> None:
    _call, only = county.emergency(when=at("2026-10-03 23:50"))
    assert dues(county, only) == (at("2026-10-04 00:20"), at("2026-10-04 23:50"))


def test_a_setting_of_the_county_moves_its_deadlines_and_no_others(county: County) -> None:
    with county.acting("sysadmin") as session:
        session.add(Setting(county_id=county.id, name="respond_limit", value="4 working_hours"))
        session.add(Setting(county_id=county["county9"], name="respond_limit", value="3 calendar_days"))
    _call, only = county.dispatched(when=START)
    assert dues(county, only)[0] == at("2026-11-23 14:30")
    _call, only = county.dispatched("department9", township="township9", dispatcher="dispatcher9", when=START)
    assert dues(county, only)[0] == at("2026-11-26 17:30")


def test_settings_carry_their_unit_and_have_the_defaults_of_the_rules(county: County) -> None:
    with county.acting(None) as session:
        given = {name: setting(session, county.id, name) for name in SETTINGS}
        assert given["accept_limit"] == Limit(4, Unit.working_hours)
        assert given["dispatch_limit"] == given["respond_limit"] == Limit(1, Unit.working_days)
        assert (given["report_limit"], given["report_joint_limit"]) == (
            Limit(5, Unit.working_days),
            Limit(10, Unit.working_days),
        )
        assert (given["emergency_respond_limit"], given["emergency_report_limit"]) == (
            Limit(30, Unit.minutes),
            Limit(1440, Unit.minutes),
        )
        with pytest.raises(KeyError):
            setting(session, county.id, "unheard_of")


@pytest.mark.parametrize("text", ["", "5", "five working_days", "0 minutes", "5 fortnights"])
def test_a_limit_without_its_unit_is_refused(text: str) -> None:
    with pytest.raises(FieldError):
        SETTINGS["respond_limit"].parse(text)


@pytest.mark.parametrize(
    ("answered", "expected"),
    [
        (DUE, []), (at("2026-11-24 17:31"), ["late_response"]), (at("2026-11-27 17:29"), ["late_response"]), (RED, ["no_response"]),
        (at("2026-12-02 09:00"), ["no_response"]),
    ],
)  # fmt: skip
def test_a_late_answer_is_a_late_response_and_from_three_working_days_on_none(
    county: County, answered: datetime, expected: list[str]
) -> None:
    _call, only = county.dispatched(when=START)
    county.respond("department1", only, answered)
    assert marks(county, only, at("2026-12-31 09:00")) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (DUE, []),
        (at("2026-11-24 17:31"), ["late_response"]),
        (at("2026-11-27 17:29"), ["late_response"]),
        (RED, ["no_response"]),
    ],
)
def test_a_department_that_has_not_answered_earns_its_mark_as_time_passes(
    county: County, now: datetime, expected: list[str]
) -> None:
    _call, only = county.dispatched(when=START)
    assert marks(county, only, now) == expected


def test_in_an_emergency_none_means_none_within_a_day_of_the_deadline(county: County) -> None:
    _call, only = county.emergency(when=at("2026-11-28 23:00"))
    assert marks(county, only, at("2026-11-28 23:30")) == []
    assert marks(county, only, at("2026-11-29 23:29")) == ["late_response"]
    assert marks(county, only, at("2026-11-29 23:30")) == ["no_response"]


def test_a_late_report_is_marked_once_it_is_there_and_stays(county: County) -> None:
    call_id, only = county.dispatched(when=START)
    county.respond("department1", only, START)
    late = at("2026-12-01 09:00")
    assert marks(county, only, late) == []
    county.report("department1", only, late)
    assert marks(county, only, late) == ["late_report"]
    county.evaluate(call_id, {only: "dissatisfied"}, late)
    county.report("department1", only, late)
    assert marks(county, only, at("2027-01-01 09:00")) == ["late_report"]


def test_a_report_at_the_deadline_is_in_time(county: County) -> None:
    _call, only = county.dispatched(when=START)
    county.respond("department1", only, START)
    county.report("department1", only, at("2026-11-30 17:30"))
    assert marks(county, only, at("2026-12-31 09:00")) == []


def test_the_office_has_four_working_hours_to_accept_and_one_working_day_to_dispatch(county: County) -> None:
    call_id = county.submitted(when=at("2026-11-27 16:30"))  # a Friday
    with county.acting(None) as session:
        assert session.get_one(Call, call_id).accept_due == at("2026-11-30 11:30")
    county.do("dispatcher", Call, call_id, "accept", {}, at("2026-11-30 09:00"))
    with county.acting(None) as session:
        assert session.get_one(Call, call_id).dispatch_due == at("2026-12-01 17:30")
