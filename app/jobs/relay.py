"""The relay: from events to notifications, and from wanted jobs to the queue (design, decision 4).

An event is marked in the transaction that writes its notifications, a job is queued only when its row says so: what is
interrupted is done again, and what is done again changes nothing, because notifications and jobs are unique in the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from redis import Redis, RedisError
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.database import db, transaction
from app.jobs import deliveries, queue
from app.jobs.audience import Directory, messages
from models import clock, viewer
from models.event import Event
from models.notification import Job, Notification
from models.person import ZONE

BATCH = 200
"""Events or jobs handled in one transaction."""

QUEUE_AGAIN_AFTER = timedelta(minutes=5)
"""A job queued for longer than this and not done was lost: with Redis, or with its worker."""

AHEAD = frozenset({"deliver"})
"""Jobs that wait for no others: an alarm must not stand behind a thousand papers, and takes a moment."""

log = structlog.get_logger(__name__)


@dataclass
class Relayed:
    """What a run of the relay did."""

    events: int = 0
    notifications: int = 0
    deliveries: int = 0
    jobs: int = 0


class Relay:
    """Relays again and again; remembers whether it has already complained about Redis."""

    def __init__(self, connection: Redis) -> None:
        self._connection = connection
        self._away = False

    def run(self) -> Relayed:
        """Relay everything that waits. Redis away is no error: the jobs wait."""
        done = Relayed()
        with viewer.system():
            while _events_wait() and _relay_events(done):
                pass
            self._queue_jobs(done)
        return done

    def _queue_jobs(self, done: Relayed) -> None:
        try:
            if not _jobs_wait():
                return
            self._connection.ping()
            self._away = False
            while claimed := _claim():
                for place, job in enumerate(claimed):
                    try:
                        queue.put(self._connection, job.id, job.key, job.attempts, first=job.name in AHEAD)
                    except RedisError:
                        _release(claimed[place:])
                        raise
                    done.jobs += 1
        except RedisError as failure:
            if not self._away:
                log.warning("Redis is away; jobs wait in the database", problem=str(failure))
            self._away = True


def _events_wait() -> bool:
    """As `_jobs_wait`."""
    with db.session.session_factory() as session:
        return session.scalars(sa.select(Event.id).where(Event.relayed_at.is_(None)).limit(1)).first() is not None


def _relay_events(done: Relayed) -> bool:
    """One batch of events; True when there may be more."""
    with transaction() as session:
        waiting = sa.select(Event).where(Event.relayed_at.is_(None)).order_by(Event.id).limit(BATCH)
        events = session.scalars(waiting.with_for_update(skip_locked=True)).all()
        directory = Directory(session, clock.now().astimezone(ZONE).date())
        rows = [row for event in events for row in _notifications(session, event, directory)]
        made = _insert_new(session, rows)
        done.notifications += len(made)
        done.deliveries += deliveries.plan(session, made)
        if events:
            relayed = (
                sa.update(Event).where(Event.id.in_([event.id for event in events])).values(relayed_at=clock.now())
            )
            session.execute(relayed, execution_options={"synchronize_session": False})
    done.events += len(events)
    return len(events) == BATCH


def _notifications(session: Session, event: Event, directory: Directory) -> list[dict[str, Any]]:
    """A row for each person who is told, by the first message that is for him; never for the one who did it himself."""
    rows: dict[int, dict[str, Any]] = {}
    for about, message in messages(session, event):
        for one in directory.people(message.to):
            if one.person_id != event.actor_id and one.person_id not in rows:
                rows[one.person_id] = {
                    "event_id": event.id,
                    "person_id": one.person_id,
                    "kind": message.kind,
                    "role": one.role,
                    "relation": one.relation,
                    "values": dict(message.values),
                    "record_type": about.resource(),
                    "record_id": about.id,
                    "made_at": event.at,
                }
    return list(rows.values())


def _insert_new(session: Session, rows: list[dict[str, Any]]) -> list[int]:
    """Keys of the notifications that were not there yet."""
    if not rows:
        return []
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    table = sa.inspect(Notification).local_table
    statement = (
        insert(table).on_conflict_do_nothing(index_elements=["event_id", "person_id", "kind"]).returning(table.c.id)
    )
    return list(session.connection().execute(statement.values(rows)).scalars())


def _waiting() -> sa.ColumnElement[bool]:
    """Jobs to be queued. How long one has been queued is measured by the machine's time, when one may be by the clock that people see."""
    return sa.and_(
        Job.done_at.is_(None),
        sa.or_(Job.queued_at.is_(None), Job.queued_at < clock.machine_now() - QUEUE_AGAIN_AFTER),
        sa.or_(Job.not_before.is_(None), Job.not_before <= clock.now()),
    )


def _jobs_wait() -> bool:
    """Whether there is anything to queue; asked every second, so without taking SQLite's write lock."""
    with db.session.session_factory() as session:
        return session.scalars(sa.select(Job.id).where(_waiting()).limit(1)).first() is not None


def _claim() -> list[Job]:
    """Mark a batch of wanted jobs as queued, in a transaction of its own: no network inside of one.

    If the process is killed before they are queued, they come again after a while.
    """
    now = clock.machine_now()
    with transaction() as session:
        jobs = list(
            session.scalars(
                sa.select(Job).where(_waiting()).order_by(Job.id).limit(BATCH).with_for_update(skip_locked=True)
            )
        )
        for job in jobs:
            job.queued_at = now
            job.attempts += 1
        session.flush()
        session.expunge_all()
    return jobs


def _release(jobs: list[Job]) -> None:
    """Give back what could not be queued."""
    with transaction() as session:
        session.execute(
            sa.update(Job)
            .where(Job.id.in_([job.id for job in jobs]), Job.done_at.is_(None))
            .values(queued_at=None, attempts=Job.attempts - 1),
            execution_options={"synchronize_session": False},
        )
