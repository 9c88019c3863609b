"""The emergency at ten past three (issue of calls in full, what must be seen): who was told at which minute, and what the timeline keeps of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.database import transaction
from app.jobs import background, queue, tasks
from app.jobs.relay import Relay
from models import clock, viewer
from models.automatic import sweep_automatic
from models.call import Assignment, Call
from models.event import Event
from models.notification import Job, Notification
from models.party_clocks import sweep_parties
from models.person import ZONE, Person
from models.roster import DutyShift
from models.sweep import sweep
from tests.app.jobs.conftest import QueueServer
from tests.app.jobs.outside import mail_server
from tests.app.visitor import moved_clock, visitor, words_of
from tests.county import County, at

NIGHT = at("2026-11-24 03:10")


def clock_of(instant: object) -> str:
    return f"{instant.astimezone(ZONE):%H:%M}"


def on_duty(county: County, organisation: str, *people: str) -> None:
    """From six in the evening to eight in the morning."""
    with county.acting(None) as session:
        for place, name in enumerate(people, start=1):
            session.add(
                DutyShift(
                    county_id=county.id,
                    organisation_id=county[organisation],
                    person_id=county.people[name],
                    phone=f"0500-62100{place:02d}",
                    begins=at("2026-11-23 18:00"),
                    ends=at("2026-11-24 08:00"),
                    position=place,
                )
            )


def minute_by_minute(county: County, begin: str, end: str) -> None:
    """What the scheduler does every minute, and the worker with what that makes."""
    now, until = at(f"2026-11-24 {begin}"), at(f"2026-11-24 {end}")
    relay = Relay(queue.connect(county.app.config["REDIS_URL"]))
    while now <= until:
        with county.app.app_context(), viewer.system(), clock.at(now):
            sweep(transaction)
            sweep_parties(transaction)
            sweep_automatic(transaction)
            relay.run()
        with county.acting(None) as session:
            wanted = sa.select(Job.id).where(Job.name == "deliver", Job.done_at.is_(None), Job.not_before.is_(None))
            keys = session.scalars(wanted).all()
        for key in keys:
            with clock.at(now):
                tasks.run(key)
        now += timedelta(minutes=1)


def told(county: County) -> list[tuple[str, str, str]]:
    """(minute, account, kind) of every message, in order."""
    with county.acting(None) as session:
        rows = session.execute(
            sa.select(Notification.made_at, Person.username, Notification.kind)
            .join(Person, Person.id == Notification.person_id)
            .order_by(Notification.made_at, Notification.kind, Person.username)
        )
        return [(clock_of(row.made_at), row.username, row.kind) for row in rows]


def test_an_emergency_at_ten_past_three(
    county: County, redis_server: QueueServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "_app", None)
    monkeypatch.setattr(background, "_process", None)
    background.use(county.app)
    on_duty(county, "department1", "department1", "department1_leader")
    on_duty(county, "township1", "township1")
    with mail_server() as mail:
        monkeypatch.setitem(county.app.config, "SMTP_URL", mail.url)
        call, key = county.emergency("department1", when=NIGHT)
        minute_by_minute(county, "03:10", "03:22")
        # The second one answers the telephone; the duty officer enters it for him a minute later.
        second = county.viewer("department1_leader").name
        values = {"who": second, "when": "2026-11-24T03:22:00+08:00"}
        county.do("duty", Assignment, key, "acknowledge", values, at("2026-11-24 03:23"))
        minute_by_minute(county, "03:23", "03:33")
        county.respond("department1_leader", key, at("2026-11-24 03:34"), how="on_site")
        minute_by_minute(county, "03:34", "04:15")
        targets = [county["department1"], county["department3"]]
        county.do(
            "dispatcher", Call, call, "regularise", {"departments": targets, "emergency": True}, at("2026-11-24 08:40")
        )
        minute_by_minute(county, "08:40", "08:41")
        letters = {
            address: mail.to(f"{address}@county.example") for address in ("department1", "department1_leader", "duty")
        }

    assert told(county) == [
        ("03:10", "department1_leader", "emergency"),
        ("03:10", "dispatcher", "emergency_alarm"), ("03:10", "duty", "emergency_alarm"),
        ("03:10", "department1", "ring"),
        ("03:20", "department1_leader", "ring"),
        ("03:23", "dispatcher", "acknowledged"), ("03:23", "township1", "acknowledged"), ("03:23", "township1_leader", "acknowledged"),
        ("03:25", "department1", "alarm_department"), ("03:25", "department1_leader", "alarm_department"), ("03:25", "duty", "alarm_duty"),
        ("03:34", "township1", "responded"), ("03:34", "township1_leader", "responded"),
        ("08:40", "department3", "emergency"), ("08:40", "department3_leader", "emergency"),
        ("08:40", "department1", "regularised"), ("08:40", "department1_leader", "regularised"),
        ("08:40", "township1", "regularised"), ("08:40", "township1_leader", "regularised"),
    ]  # fmt: skip
    with county.acting(None) as session:
        events = session.execute(
            sa.select(Event.at, Event.name)
            .where(Event.thread_type == "call", Event.thread_id == call, Event.kind.in_(("transition", "automatic")))
            .order_by(Event.sequence)
        ).all()
        assert [(clock_of(one.at), one.name) for one in events] == [
            ("03:10", "submit"), ("03:20", "ring"), ("03:23", "acknowledge"), ("03:25", "duty_phones"), ("03:34", "respond"),
            ("08:40", "regularise"),
        ]  # fmt: skip
        assignment = session.get_one(Assignment, key)
        assert clock_of(assignment.acknowledged_at) == "03:22"
        assert assignment.acknowledged_by == second
        assert assignment.marks(at("2026-11-24 09:00")) == []
    # By mail at once, at night too: 2 to each of the department, 2 to the duty room; what is no alarm waited for the morning.
    assert {name: len(found) for name, found in letters.items()} == {
        "department1": 2, "department1_leader": 3, "duty": 2,
    }  # fmt: skip
    with moved_clock(county, at("2026-11-24 08:45")):
        page = words_of(visitor(county, "dispatcher").get(f"/call/show/{call}"))
    for minute in ("03:10", "03:20", "03:22", "03:23", "03:25", "03:34", "08:40"):
        assert minute in page, minute
