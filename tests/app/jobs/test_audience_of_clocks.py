"""Whom the ladder and other clocks reach (2.2)."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from models.call import Call
from models.notification import Notification
from models.person import Person
from models.substitution import Substitution
from models.supervision import Notice
from tests.app.jobs.conftest import QueueServer
from tests.app.jobs.told import both, forget, of_department, office, shift, swept, told
from tests.app.jobs.told import portfolio as portfolio
from tests.conftest import Installation
from tests.county import MONDAY, County, at


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough for whom; that relaying works on both is tested beside it."""
    sqlite_installation.fresh("county")
    return sqlite_installation


# The ladder and other clocks


def test_amber_goes_to_whoever_has_it_in_hand(county: County, redis_server: QueueServer) -> None:
    with county.acting(None) as session:
        extra = Person(
            username="clerk", first_name="员", last_name="赵", email="clerk@county.example", active=True,
            organisation_id=county["department1"], session_epoch=0, must_change_password=False, password="!",
        )  # fmt: skip
        extra.roles = list(session.get_one(Person, county.people["department1"]).roles)
        session.add(extra)
    _call, key = county.dispatched("department1")
    of_department(county, key, "take")
    forget(county)
    swept(county, at("2026-11-24 13:31"))
    assert told(county, "amber") == {("department1", "amber")}


def test_slips_are_told_to_supervisors_then_to_the_department_and_its_leader(
    county: County, portfolio: None, redis_server: QueueServer
) -> None:
    county.dispatched("department1")
    swept(county, at("2026-11-24 17:31"))
    forget(county)
    swept(county, at("2026-11-25 17:31"))
    drafts = {("supervisor", "supervision_drafted"), ("supervisor2", "supervision_drafted")}
    assert told(county, "supervision_drafted") == drafts
    with county.acting(None) as session:
        slip = session.scalars(sa.select(Notice.id).where(Notice.kind == "supervision")).one()
    forget(county)
    swept(county, at("2026-11-26 17:31"))  # nobody has signed for four working hours
    assert told(county, "clock_expired") == {("director", "clock_expired")}
    forget(county)
    county.do("supervisor", Notice, slip, "sign", {}, at("2026-11-27 09:00"))
    assert told(county) == both("department1", "supervision_issued") | {("leader2", "supervision_copy")}
    forget(county)
    swept(county, at("2026-11-27 17:31"))
    candidates = {("supervisor", "candidate"), ("supervisor2", "candidate")}
    assert told(county, "candidate") == candidates


def test_an_office_that_is_late_is_told_and_then_its_director(county: County, redis_server: QueueServer) -> None:
    county.submitted()
    forget(county)
    swept(county, at("2026-11-23 11:01"))
    assert told(county) == {("dispatcher", "clock_amber")}
    forget(county)
    swept(county, at("2026-11-23 14:31"))
    assert told(county) == {("director", "clock_expired")}


def test_a_leader_who_does_not_decide_is_told_to_the_county_head(
    county: County, portfolio: None, redis_server: QueueServer
) -> None:
    call, *_rest = county.dispatched("department1")
    county.do("township1", Call, call, "escalate", {"why": "久拖未决"})
    forget(county)
    swept(county, at("2026-11-25 17:00"))
    assert told(county, "clock_amber") == {("leader2", "clock_amber")}
    swept(county, at("2026-11-26 17:31"))
    assert told(county, "clock_expired") == {("leader", "clock_expired"), ("director", "clock_expired")}


def test_a_milestone_that_passes_is_told_to_the_departments_leader_and_the_director(
    county: County, redis_server: QueueServer
) -> None:
    call, *_rest = county.dispatched("department1", "department2")
    county.do(
        "department1",
        Call,
        call,
        "request_long_term",
        {"plan": "分期", "milestones": [{"text": "一期", "day": "2026-12-10"}]},
    )
    office(county, call, "endorse_long_term")
    county.do("leader", Call, call, "approve_long_term")
    for key, name in zip(county.assignments(call), ("department1", "department2"), strict=True):
        county.respond(name, key)
    forget(county)
    swept(county, at("2026-12-10 17:31"))
    assert told(county, "clock_amber", "clock_expired") == {
        ("department1_leader", "clock_expired"),
        ("director", "clock_expired"),
    }


def test_every_alarm_reaches_exactly_who_is_named(county: County, portfolio: None, redis_server: QueueServer) -> None:
    shift(county, "department1", ("department1_leader", "department1"))
    shift(county, "township1", ("township1",), "0500-6210110")
    shift(county, "office", ("leader",))
    county.emergency("department1")
    assert told(county) == {
        ("dispatcher", "emergency_alarm"), ("duty", "emergency_alarm"), ("department1_leader", "ring"), ("department1", "emergency"),
    }  # fmt: skip
    minutes = {
        10: {("department1", "ring")},
        15: {("department1_leader", "alarm_department"), ("department1", "alarm_department"), ("duty", "alarm_duty")},
        30: {("department1_leader", "alarm_department"), ("leader", "alarm_leader"), *both("department1", "overdue")},
        60: {("leader2", "alarm_leader")},
    }
    for minute, expected in minutes.items():
        forget(county)
        swept(county, MONDAY + timedelta(minutes=minute))
        assert told(county) == expected, minute


def test_whoever_acts_for_a_leader_is_told_in_his_place_too(county: County, redis_server: QueueServer) -> None:
    with county.acting(None) as session:
        session.add(
            Substitution(
                county_id=county.id, person_id=county.people["leader"], substitute_id=county.people["director"],
                role="county_leader", begins=MONDAY.date(), ends=MONDAY.date(),
            )
        )  # fmt: skip
    call, *_rest = county.dispatched("department1")
    forget(county)
    county.do("township1", Call, call, "escalate", {"why": "久拖未决"})
    assert told(county) == {("leader", "escalated"), ("director", "escalated")}
    with county.acting(None) as session:
        assert set(session.scalars(sa.select(Notification.relation))) == {"leader", "substitute"}


def test_a_regularised_emergency(county: County, redis_server: QueueServer) -> None:
    call, *_rest = county.emergency("department1", "department2")
    forget(county)
    targets = [county["department1"], county["department3"]]
    office(county, call, "regularise", {"departments": targets, "emergency": False}, MONDAY + timedelta(hours=1))
    assert told(county) == {
        *both("department1", "regularised_general"), *both("department3", "dispatched"), *both("department2", "taken_back"),
        *both("township1", "regularised_general"),
    }  # fmt: skip
