"""Call indicators (2.8): counted by hand for a handful of calls, and recounted from the audit trail at many instants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
import sqlalchemy as sa

from models.calendar import work_calendar
from models.call import Assignment, Call
from models.call_indicators import CallIndicator, Figures, Mean, Rate, cohort, count, dealings
from models.event import Event, EventValue
from tests.conftest import Installation
from tests.county import County, at

FIRST, LAST = date(2026, 11, 23), date(2026, 11, 24)
END = at("2026-12-31 12:00")


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


@pytest.fixture
def month(county: County) -> County:
    """Calls of 23 and 24 November, and one before and after; deadlines: response next day 17:30, report 30 November (joint 7 December)."""
    monday, tuesday = at("2026-11-23 09:00"), at("2026-11-24 09:00")
    # Department 1: good from the first.
    call, one = county.dispatched("department1", when=monday)
    county.respond("department1", one, at("2026-11-23 10:00"))
    county.report("department1", one, at("2026-11-25 10:00"))
    county.evaluate(call, {one: "satisfied"}, at("2026-11-26 10:00"))
    # Departments 1 and 2 together: 1 answers late, 2 never and is closed; dissatisfied; 1 reports again, late; then fair.
    call, lead, other = county.dispatched("department1", "department2", when=monday)
    county.respond("department1", lead, at("2026-11-25 09:00"))
    county.report("department1", lead, at("2026-12-01 10:00"), without_reason="水务局未到")
    county.do("dispatcher", Assignment, other, "close_assignment", {"reason": "未办理"}, at("2026-12-11 09:00"))
    county.evaluate(call, {lead: "dissatisfied"}, at("2026-12-14 10:00"))
    county.report("department1", lead, at("2026-12-21 10:00"), solved="partly", reason="待完工")
    county.evaluate(call, {lead: "fair"}, at("2026-12-22 10:00"))
    # An emergency answered in 20 minutes, never reported on.
    _call, one = county.emergency("department3", when=at("2026-11-23 20:00"))
    county.respond("department3", one, at("2026-11-23 20:20"))
    # Withdrawn before and after the response was due.
    call, _one = county.dispatched("department1", when=tuesday)
    county.do("township1", Call, call, "withdraw", {"reason": "已解决"}, at("2026-11-24 15:00"))
    call, _one = county.dispatched("department2", when=tuesday, township="township2")
    county.do("township2", Call, call, "withdraw", {"reason": "已解决"}, at("2026-11-26 15:00"))
    # Reported and not evaluated; evaluated as missed.
    _call, one = county.dispatched("department4", when=tuesday, township="township3")
    county.respond("department4", one, at("2026-11-24 09:30"))
    county.report("department4", one, at("2026-11-24 11:30"))
    # Outside of the period, on both sides, by an hour.
    county.dispatched("department1", when=at("2026-11-22 23:00"))
    county.dispatched("department1", when=at("2026-11-25 00:00"))
    return county


def figures(county: County, as_of: datetime = END) -> dict[str, Figures]:
    with county.acting("assessor") as session:
        found = count(session, county.id, FIRST, LAST, as_of)
    names = {key: name for name, key in county.organisations.items()}
    return {names[key]: one for key, one in found.items()}


def told(one: Figures) -> dict[str, str]:
    return {str(name): f"{rate.numerator}/{rate.denominator}" for name in CallIndicator for rate in [one.rate(name)]}


def test_the_figures_of_a_month_are_those_counted_by_hand(month: County) -> None:
    found = figures(month)
    assert told(found["department1"]) == {
        "response_rate": "2/2",
        "on_time_response": "1/2",
        "report_rate": "2/2",
        "on_time_report": "1/2",
        "closure": "2/2",
        "resolved": "2/2",
        "satisfaction": "2/2",
        "weighted_satisfaction": "8/5/2",
        "first_time_closure": "1/2",
    }
    assert found["department1"].rehandlings == Rate(Fraction(1), 2)
    assert told(found["department2"])["response_rate"] == "0/2"
    assert told(found["department2"])["report_rate"] == "0/1"
    assert told(found["department2"])["closure"] == "0/1"
    assert told(found["department3"])["on_time_response"] == "1/1"
    assert told(found["department3"])["report_rate"] == "0/1"
    assert told(found["department4"])["resolved"] == "0/0"
    assert told(found["department4"])["closure"] == "0/1"
    assert found["department4"].rate(CallIndicator.resolved).share is None


def test_mean_times_are_in_business_hours(month: County) -> None:
    """Response of department 1: 1 h, and two working days of 7.5 h; report: 2 working days and 1 h, and 6 working days and 1 h."""
    found = figures(month)
    with month.acting(None) as session:
        calendar = work_calendar(session, month.id)
    day = 450
    assert found["department1"].mean_response(calendar) == Mean(60 + 2 * day, 2)
    assert found["department1"].mean_report(calendar) == Mean(2 * day + 60 + 6 * day + 60, 2)
    assert found["department1"].mean_response(calendar).hours == Fraction(16, 2)
    assert found["department3"].mean_response(calendar) == Mean(0, 1), "at night no office hour passes"
    assert found["department3"].mean_report(calendar).hours is None


def test_dealings_count_who_called_whom(month: County) -> None:
    with month.acting(None) as session:
        found = dealings(cohort(session, month.id, FIRST, LAST, END))
    assert found[month["township1"], month["department1"]] == 3
    assert found[month["township2"], month["department2"]] == 1
    assert (month["township2"], month["department1"]) not in found


# The same, recounted from the audit trail


@dataclass
class Told:
    """What the events up to an instant say of one assignment."""

    assignment: Assignment
    responded: datetime | None = None
    reports: list[tuple[datetime, datetime]] = field(default_factory=list)
    """(due, at)"""
    words: list[tuple[str, str]] = field(default_factory=list)
    stopped: datetime | None = None
    withdrawn: bool = False
    closed: bool = False


def trail(session: Any, assignment: Assignment, as_of: datetime) -> Told:
    told_ = Told(assignment)
    events = session.scalars(
        sa.select(Event)
        .where(Event.thread_type == "call", Event.thread_id == assignment.call_id, Event.at <= as_of)
        .order_by(Event.sequence)
    )
    for one in events:
        mine = (one.record_type, one.record_id) == ("assignment", assignment.id)
        if mine and one.name == "respond":
            told_.responded = one.at
        elif mine and one.name == "report":
            due = next(each.due for each in assignment.reports if each.reported_at == one.at)
            told_.reports.append((due, one.at))
            told_.stopped = one.at
        elif mine and one.name == "close_assignment":
            told_.stopped = one.at
        elif one.name == "withdraw":
            told_.stopped, told_.withdrawn = told_.stopped or one.at, True
        elif one.name == "evaluate":
            value = session.scalar(
                sa.select(EventValue.value).where(
                    EventValue.event_id == one.id, EventValue.name == f"evaluation.{assignment.id}"
                )
            )
            state = session.scalar(
                sa.select(EventValue.value).where(EventValue.event_id == one.id, EventValue.name == "state")
            )
            if value is not None:
                told_.words.append((value["satisfaction"], value["solved"]))
                if value["satisfaction"] == "dissatisfied" and len(told_.words) == 1:
                    told_.stopped = None
            told_.closed = state["new"] == "closed"
    return told_


def recount(all_: list[Told], as_of: datetime) -> dict[str, tuple[Fraction, int]]:
    """Every rate, spelled out one by one."""
    found = {}
    due = on_time = answered = 0
    report_due = reported = report_on_time = 0
    for one in all_:
        until = min(as_of, one.stopped or as_of)
        if one.responded or one.assignment.respond_due < until:
            due += 1
            answered += one.responded is not None
            on_time += one.responded is not None and one.responded <= one.assignment.respond_due
        rounds_begun = 2 if one.words and one.words[0][0] == "dissatisfied" else 1
        pending = rounds_begun > len(one.reports)
        later = [each.due for each in one.assignment.reports][len(one.reports) :]
        next_due = later[0] if later else one.assignment.report_due
        missed = pending and next_due < until
        if one.reports or missed:
            report_due += 1
            reported += not missed
            report_on_time += not missed and all(given <= limit for limit, given in one.reports)
    found["response_rate"], found["on_time_response"] = (Fraction(answered), due), (Fraction(on_time), due)
    found["report_rate"], found["on_time_report"] = (
        (Fraction(reported), report_due),
        (Fraction(report_on_time), report_due),
    )
    last = [one.words[-1] for one in all_ if one.words]
    counts = {word: sum(each[0] == word for each in last) for word in ("satisfied", "fair")}
    found["resolved"] = (Fraction(sum(each[1] == "solved" for each in last)), len(last))
    found["satisfaction"] = (Fraction(counts["satisfied"] + counts["fair"]), len(last))
    found["weighted_satisfaction"] = (counts["satisfied"] + Fraction("0.6") * counts["fair"], len(last))
    closed = [one for one in all_ if one.closed and one.words]
    found["closure"] = (Fraction(len(closed)), sum(not one.withdrawn for one in all_))
    first = sum(one.words[0][0] != "dissatisfied" for one in closed)
    found["first_time_closure"] = (Fraction(first), len(closed))
    return found


def instants() -> Iterator[datetime]:
    """Odd moments from the first dispatch on, at all hours of the day."""
    moment = at("2026-11-23 08:59")
    while moment < END:
        yield moment
        moment += timedelta(hours=17, minutes=7)


def test_recounting_the_audit_trail_gives_the_same_at_every_instant(month: County) -> None:
    with month.acting(None) as session:
        assignments = session.scalars(
            sa.select(Assignment)
            .where(Assignment.assigned_at >= at("2026-11-23 00:00"), Assignment.assigned_at < at("2026-11-25 00:00"))
            .order_by(Assignment.id)
        ).all()
        assert len(assignments) == 7
        for as_of in instants():
            by_department: dict[int, list[Told]] = {}
            for one in assignments:
                if one.assigned_at <= as_of:
                    by_department.setdefault(one.department_id, []).append(trail(session, one, as_of))
            counted = count(session, month.id, FIRST, LAST, as_of)
            assert counted.keys() == by_department.keys()
            for department, told_ in by_department.items():
                rates = {str(name): counted[department].rate(name) for name in CallIndicator}
                found = {name: (rate.numerator, rate.denominator) for name, rate in rates.items()}
                assert found == recount(told_, as_of), (department, as_of)


def test_of_three_evaluations_each_counts_as_its_word(county: County) -> None:
    """Satisfied, fair, and dissatisfied twice: (1 + 0.6) / 3."""
    when = at("2026-11-23 09:00")
    for words in (("satisfied",), ("fair",), ("dissatisfied", "dissatisfied")):
        call, one = county.dispatched("department1", when=when)
        county.respond("department1", one, when)
        for number, word in enumerate(words):
            county.report("department1", one, when + timedelta(hours=number))
            county.evaluate(call, {one: word}, when + timedelta(hours=number, minutes=5))
    found = figures(county)["department1"]
    assert found.rate(CallIndicator.weighted_satisfaction) == Rate(Fraction(16, 10), 3)
    assert found.rate(CallIndicator.satisfaction) == Rate(Fraction(2), 3)
    assert found.rate(CallIndicator.first_time_closure) == Rate(Fraction(2), 3)
