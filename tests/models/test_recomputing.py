"""Deadlines follow the working calendar when it changes; what people set stays, and nobody becomes late by it (2.9)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from models.calendar import CalendarDay
from models.call import Assignment, Call
from models.call_party import CallParty
from models.event import Event, EventValue
from models.recomputing import recomputed
from tests.county import County, at

LATE_DECEMBER = at("2026-12-29 09:00")
"""A Tuesday; 1 January 2027 is a sure holiday, 4 January is the first Monday of a provisional year."""


@contextmanager
def changing(county: County, when: str) -> Iterator[Any]:
    with county.acting(None, at(when)) as session, recomputed(session, county.id):
        yield session


def holiday(county: County, *days: str, when: str = "2026-12-30 10:00") -> None:
    """Days become holidays, or working days again."""
    with changing(county, when) as session:
        for text in days:
            day = date.fromisoformat(text)
            kept = session.scalars(
                sa.select(CalendarDay).where(CalendarDay.county_id == county.id, CalendarDay.day == day)
            ).one_or_none()
            if kept is not None:
                session.delete(kept)
            else:
                session.add(CalendarDay(county_id=county.id, day=day, working=day.weekday() >= 5))


def dues(county: County, key: int) -> tuple[datetime, datetime]:
    with county.acting(None) as session:
        one = session.get_one(Assignment, key)
        return one.respond_due, one.report_due


def moved(county: County) -> list[dict[str, Any]]:
    with county.acting(None) as session:
        found = session.scalars(sa.select(Event.id).where(Event.name == "deadline_recomputed").order_by(Event.id)).all()
        return [
            {row.name: row.value for row in session.scalars(sa.select(EventValue).where(EventValue.event_id == key))}
            for key in found
        ]


def test_a_new_holiday_moves_the_report_and_tells_it(county: County) -> None:
    call, one = county.dispatched("department1", when=LATE_DECEMBER)
    assert dues(county, one) == (at("2026-12-30 17:30"), at("2027-01-06 17:30"))
    holiday(county, "2027-01-04")
    assert dues(county, one) == (at("2026-12-30 17:30"), at("2027-01-07 17:30"))
    assert moved(county) == [{"report_due": {"old": "2027-01-06T09:30:00+00:00", "new": "2027-01-07T09:30:00+00:00"}}]
    county.respond("department1", one, at("2026-12-30 11:00"))
    with county.acting(None) as session:
        due = session.scalars(sa.select(CallParty.due).where(CallParty.call_id == call, CallParty.due.is_not(None)))
        assert due.all() == [at("2027-01-07 17:30")]
    holiday(county, "2027-01-04")
    assert dues(county, one)[1] == at("2027-01-06 17:30"), "and back again"


def test_the_ladder_follows(county: County) -> None:
    _call, one = county.dispatched("department1", when=at("2026-12-31 09:00"))
    county.respond("department1", one, at("2026-12-31 10:00"))
    with county.acting(None) as session:
        before = session.get_one(Assignment, one).next_step_at
    holiday(county, "2027-01-04", "2027-01-05", when="2026-12-31 11:00")
    with county.acting(None) as session:
        after = session.get_one(Assignment, one).next_step_at
    assert before is not None
    assert after is not None
    assert after > before


def test_the_red_line_follows_the_response(county: County) -> None:
    _call, one = county.dispatched("department1", when=at("2026-12-31 09:00"))
    holiday(county, "2027-01-05", when="2026-12-31 11:00")
    with county.acting(None) as session:
        found = session.get_one(Assignment, one)
        assert (found.respond_due, found.respond_red_at) == (at("2027-01-04 17:30"), at("2027-01-08 17:30"))


def test_own_deadlines_and_granted_extensions_stay(county: County) -> None:
    own = {"respond_due": "2027-01-04T17:30", "report_due": "2027-01-06T17:30"}
    _call, ordered = county.dispatched("department1", when=LATE_DECEMBER, values=own)
    _other, extended = county.dispatched("department2", when=LATE_DECEMBER)
    asked = {"until": "2027-01-08", "reason": "雨"}
    county.do("department2", Assignment, extended, "request_extension", asked, at("2026-12-29 10:00"))
    county.do("dispatcher", Assignment, extended, "grant_extension", {"until": "2027-01-08"}, at("2026-12-29 11:00"))
    before = dues(county, ordered), dues(county, extended)
    holiday(county, "2027-01-05")
    assert (dues(county, ordered), dues(county, extended)) == before
    assert moved(county) == []


def test_a_rejected_return_is_counted_in(county: County) -> None:
    _call, one = county.dispatched("department1", when=at("2026-12-31 09:00"))
    county.do("department1", Assignment, one, "request_return", {"reason": "非本局职责"}, at("2026-12-31 10:00"))
    county.do("dispatcher", Assignment, one, "reject_return", {"ruling": "属本局"}, at("2026-12-31 11:00"))
    assert dues(county, one) == (at("2027-01-05 09:30"), at("2027-01-11 09:30"))
    holiday(county, "2027-01-04", when="2026-12-31 14:00")
    assert dues(county, one) == (at("2027-01-06 09:30"), at("2027-01-12 09:30"))


def test_a_report_sent_back_and_a_further_round(county: County) -> None:
    call, one = county.dispatched("department1", when=LATE_DECEMBER)
    county.respond("department1", one, at("2026-12-29 10:00"))
    county.report("department1", one, at("2026-12-30 09:00"))
    county.do("dispatcher", Call, call, "send_back", {"missing": "照片"}, at("2026-12-30 10:00"))
    assert dues(county, one)[1] == at("2027-01-07 09:30")
    holiday(county, "2027-01-04", when="2026-12-30 11:00")
    assert dues(county, one)[1] == at("2027-01-08 09:30")
    county.report("department1", one, at("2026-12-31 09:00"))
    county.evaluate(call, {one: "dissatisfied"}, at("2026-12-31 10:00"))
    assert dues(county, one)[1] == at("2027-01-07 17:30")
    holiday(county, "2027-01-05", when="2026-12-31 11:00")
    assert dues(county, one)[1] == at("2027-01-08 17:30")


def test_other_parties_clocks_follow(county: County) -> None:
    waiting = county.submitted(when=at("2026-12-31 16:30"))
    with county.acting(None) as session:
        assert session.get_one(Call, waiting).accept_due == at("2027-01-04 11:30")
    holiday(county, "2027-01-04", when="2026-12-31 17:00")
    with county.acting(None) as session:
        assert session.get_one(Call, waiting).accept_due == at("2027-01-05 11:30")
    assert moved(county)[0]["clock"] == "accept"


def test_nobody_becomes_late_by_a_change(county: County) -> None:
    """A holiday that is none after all: what would have passed ends with the present day; what has passed is not touched."""
    holiday(county, "2027-01-04", "2027-01-05", when="2026-12-29 08:40")
    _call, one = county.dispatched("department1", when=at("2026-12-31 09:00"))
    assert dues(county, one)[0] == at("2027-01-06 17:30")
    holiday(county, "2027-01-04", "2027-01-05", when="2027-01-05 10:00")
    assert dues(county, one)[0] == at("2027-01-05 17:30")
    _next, two = county.dispatched("department2", when=at("2027-01-11 09:00"))
    assert dues(county, two)[0] == at("2027-01-12 17:30")
    holiday(county, "2027-01-12", when="2027-01-14 10:00")
    assert dues(county, two)[0] == at("2027-01-13 17:30"), "late already, but a holiday found out later counts for it"
    holiday(county, "2027-01-12", when="2027-01-14 11:00")
    assert dues(county, two)[0] == at("2027-01-13 17:30"), "and is not taken from it again"


def test_an_emergency_knows_no_calendar_and_the_other_county_keeps_its_own(county: County) -> None:
    _call, one = county.emergency("department3", when=at("2027-01-03 22:00"))
    before = dues(county, one)
    holiday(county, "2027-01-04", when="2027-01-03 23:00")
    assert dues(county, one) == before
    assert moved(county) == []
