"""From events to notifications and jobs: everybody concerned is told once, nobody more than he may see, and Redis may be away."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role

from app.database import transaction
from app.jobs import queue
from app.jobs.relay import QUEUE_AGAIN_AFTER, Relay, Relayed
from app.notifications import text_of
from models import clock, sweep, viewer
from models.call import Assignment, Call
from models.event import Event
from models.notification import Job, Notification
from models.person import Person
from tests.app.jobs.conftest import QueueServer
from tests.county import MONDAY, County, at


def relay(county: County) -> Relayed:
    with county.app.app_context():
        return Relay(queue.connect(county.app.config["REDIS_URL"])).run()


def told(county: County, *kinds: str) -> set[tuple[str, str]]:
    """(account, kind) of every notification, or of those of these kinds."""
    with county.acting(None) as session:
        rows = session.execute(
            sa.select(Person.username, Notification.kind).join(Person, Person.id == Notification.person_id)
        )
        return {(row.username, row.kind) for row in rows if not kinds or row.kind in kinds}


def jobs(county: County) -> list[Job]:
    with county.acting(None) as session:
        found = list(session.scalars(sa.select(Job).order_by(Job.id)))
        session.expunge_all()
        return found


def went_round_twice(county: County) -> tuple[int, ...]:
    keys = county.dispatched("department1", "department2")
    for name, key in (("department2", keys[2]), ("department1", keys[1])):
        county.respond(name, key, at("2026-11-23 10:00"))
        county.report(name, key, at("2026-11-23 11:00"))
    county.evaluate(keys[0], {keys[1]: "dissatisfied", keys[2]: "satisfied"}, at("2026-11-23 14:00"))
    return keys


def test_each_step_is_told_to_whom_it_concerns(county: County, redis_server: QueueServer) -> None:
    went_round_twice(county)
    relay(county)
    assert told(county) == {
        ("dispatcher", "submitted"),
        ("department1", "dispatched"), ("department1_leader", "dispatched"),
        ("department2", "dispatched"), ("department2_leader", "dispatched"),
        ("township1", "responded"), ("township1_leader", "responded"),
        ("township1", "reported"), ("township1_leader", "reported"),
        ("township1", "evaluation_wanted"), ("township1_leader", "evaluation_wanted"),
        ("department1", "again"), ("department1_leader", "again"),
    }  # fmt: skip


def test_nobody_is_told_of_what_he_did_himself(county: County, redis_server: QueueServer) -> None:
    county.submitted("township1")
    county.submitted("township2")
    with county.acting(None) as session:
        person = session.get_one(Person, county.people["township1"])
        person.roles.append(session.scalars(sa.select(Role).where(Role.name == "dispatcher")).one())
    relay(county)
    with county.acting(None) as session:
        told_of = sa.select(Event.actor_id).join(Notification, Notification.event_id == Event.id)
        assert session.scalars(told_of.where(Notification.person_id == county.people["township1"])).all() == [
            county.people["township2"]
        ]


def test_emergency_alarms_departments_offices_and_duty(county: County, redis_server: QueueServer) -> None:
    county.emergency("department3", "department1")
    relay(county)
    assert told(county) == {
        ("dispatcher", "emergency_alarm"), ("duty", "emergency_alarm"),
        ("department3", "emergency"), ("department3_leader", "emergency"),
        ("department1", "emergency"), ("department1_leader", "emergency"),
    }  # fmt: skip


def test_ladder_and_end_are_told(county: County, redis_server: QueueServer) -> None:
    _call_id, assignment_id = county.dispatched("department1")
    for when in ("2026-11-23 13:30", "2026-11-24 18:00"):
        with county.app.app_context(), viewer.system(), clock.at(at(when)):
            sweep.sweep(transaction)
    county.do("dispatcher", Assignment, assignment_id, "close_assignment", {"reason": "逾期"}, at("2026-12-07 09:00"))
    county.do("township1", Call, county.dispatched("department2")[0], "withdraw", {"reason": "已解决"})
    county.do("township1", Call, county.draft(), "withdraw", {"reason": "误填"})
    relay(county)
    ladder = told(county, "amber", "overdue", "closed_as_missed", "withdrawn")
    assert ladder == {
        ("department1", "overdue"), ("department1_leader", "overdue"),
        *({("department1", "amber")} & ladder),
        ("department1", "closed_as_missed"), ("department1_leader", "closed_as_missed"),
        ("township1", "closed_as_missed"), ("township1_leader", "closed_as_missed"),
        ("dispatcher", "withdrawn"), ("department2", "withdrawn"), ("department2_leader", "withdrawn"),
    }  # fmt: skip


def test_amber_goes_to_the_officers(county: County, redis_server: QueueServer) -> None:
    _call_id, assignment_id = county.dispatched("department1")
    with county.acting(None) as session:
        when = session.get_one(Assignment, assignment_id).next_step_at
    assert when is not None
    with county.app.app_context(), viewer.system(), clock.at(when):
        sweep.sweep(transaction)
    relay(county)
    assert told(county, "amber") == {("department1", "amber")}


def test_notification_tells_nothing_that_its_reader_may_not_see(county: County, redis_server: QueueServer) -> None:
    went_round_twice(county)
    relay(county)
    viewers = {key: county.viewer(name) for name, key in county.people.items()}
    with county.acting(None) as session:
        for notification in session.scalars(sa.select(Notification)):
            visible = Call.visible_ids(viewers[notification.person_id])
            assert visible is not None
            assert notification.record_id in session.scalars(visible).all()
            written = str(notification.values)
            assert "未见人来" not in written
            assert "dissatisfied" not in written
            assert "王建国" not in written
    assert not {name for name, kind in told(county, "again")} & {"department2", "department2_leader"}


@pytest.mark.parametrize("locale", ["en", "zh_Hans"])
def test_every_notification_reads_in_the_readers_language(
    county: County, redis_server: QueueServer, locale: str
) -> None:
    from flask_babel import force_locale

    went_round_twice(county)
    county.emergency("department3")
    with county.app.app_context(), viewer.system(), clock.at(at("2026-11-24 18:00")):
        sweep.sweep(transaction)
    relay(county)
    with county.acting(None) as session, force_locale(locale):
        for notification in session.scalars(sa.select(Notification)):
            title, text = text_of(notification)
            assert title
            assert str(notification.values.get("call", "")) in text
            assert "%(" not in text


def test_relaying_again_tells_nobody_again(county: County, redis_server: QueueServer) -> None:
    county.dispatched("department1")
    first = relay(county)
    with county.acting(None) as session:
        session.execute(sa.update(Event).values(relayed_at=None))
    again = relay(county)
    assert first.notifications > 0
    assert again.events == first.events
    assert again.notifications == 0


def test_dispatch_commits_while_redis_is_away_and_the_slip_follows(
    county: County, redis_server: QueueServer, caplog: Any
) -> None:
    redis_server.kill()
    county.dispatched("department1")
    with county.app.app_context():
        relaying = Relay(queue.connect(redis_server.url))
        for _ in range(3):
            assert relaying.run().jobs == 0
        [job] = jobs(county)
        assert (job.queued_at, job.attempts) == (None, 0)
        assert told(county, "dispatched")
        redis_server.start()
        assert relaying.run().jobs == 1
    [job] = jobs(county)
    assert job.attempts == 1
    assert queue.queue(redis_server.connection()).job_ids == [queue.queue_id(job.key, 1)]


def test_complains_about_redis_once(county: County, redis_server: QueueServer, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.jobs import relay as module

    said: list[str] = []
    monkeypatch.setattr(module.log, "warning", lambda text, **_values: said.append(text))
    redis_server.kill()
    county.dispatched("department1")
    with county.app.app_context():
        relaying = Relay(queue.connect(redis_server.url))
        for _ in range(3):
            relaying.run()
    assert len(said) == 1


def test_redis_that_lost_everything_gets_the_job_again_after_a_while(county: County, redis_server: QueueServer) -> None:
    county.dispatched("department1")
    assert relay(county).jobs == 1
    redis_server.kill()
    redis_server.start()
    assert relay(county).jobs == 0
    with county.acting(None) as session:
        session.execute(sa.update(Job).values(queued_at=clock.machine_now() - QUEUE_AGAIN_AFTER * 2))
    assert relay(county).jobs == 1
    [job] = jobs(county)
    assert queue.queue(redis_server.connection()).job_ids == [f"produce_document-{job.arguments['document_id']}-2"]


def test_messages_bear_the_time_of_what_happened(county: County, redis_server: QueueServer) -> None:
    county.submitted(when=MONDAY)
    relay(county)
    with county.acting(None) as session:
        assert session.scalars(sa.select(Notification.made_at)).all() == [MONDAY]
