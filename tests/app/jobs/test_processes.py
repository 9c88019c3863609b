"""Real workers and schedulers: killed, robbed of Redis, and still every slip exists once (spec 5, reliability)."""

from __future__ import annotations

import os
import signal
import subprocess
import zlib
from collections.abc import Callable

import pytest
import redis
import sqlalchemy as sa

from app.jobs import queue
from app.jobs.relay import QUEUE_AGAIN_AFTER, Relay
from app.storage import storage
from models import clock
from models.document import Document
from models.event import verify
from models.notification import Beat, Demonstration, Job, Lease
from models.supervision import Notice
from tests.app.jobs.conftest import QueueServer
from tests.conftest import eventually
from tests.county import County, at

Start = Callable[[str], subprocess.Popen[bytes]]


def produced(county: County) -> list[str]:
    """Kinds of the documents that have their bytes."""
    with county.acting(None) as session:
        return list(session.scalars(sa.select(Document.kind).where(Document.sha256.is_not(None)).order_by(Document.id)))


def relay(county: County) -> None:
    with county.app.app_context():
        Relay(queue.connect(county.app.config["REDIS_URL"])).run()


def beaten(county: County, part: str) -> bool:
    with county.acting(None) as session:
        return session.get(Beat, part) is not None


def test_one_reminder_though_worker_and_scheduler_are_killed(
    county: County, redis_server: QueueServer, processes: Start
) -> None:
    county.dispatched("department1")
    with county.acting(None) as session:
        offset = (at("2026-11-25 09:00") - clock.machine_now()).total_seconds()
        session.add(Demonstration(id=1, seed=1, complete=True, clock_offset=offset))
    worker, scheduler = processes("worker"), processes("scheduler")

    def slip_wanted() -> bool:
        with county.acting(None) as session:
            return session.scalar(sa.select(sa.func.count()).select_from(Notice)) == 1

    eventually(slip_wanted, "the sweep finds the overdue response")
    worker.kill()
    scheduler.kill()
    with county.acting(None) as session:  # instead of waiting until the lease has run out and the jobs count as lost
        session.execute(sa.update(Lease).values(until=clock.machine_now()))
        session.execute(sa.update(Job).values(queued_at=clock.machine_now() - QUEUE_AGAIN_AFTER * 2))
    relay(county)
    processes("worker")
    processes("scheduler")
    eventually(lambda: produced(county) == ["call_slip", "reminder"], "both papers have their bytes")
    with county.acting(None) as session:
        assert list(verify(session)) == []
    with county.acting(None) as session:
        assert session.scalars(sa.select(Notice.number)).all() == ["催〔2026〕0001"]
        keys = session.scalars(sa.select(Document.file_key)).all()
    with county.app.app_context():
        assert all(key is not None and storage().get(key).startswith(b"%PDF") for key in keys)


def test_worker_waits_for_redis_and_the_slip_follows(
    county: County, redis_server: QueueServer, processes: Start
) -> None:
    worker = processes("worker")
    eventually(lambda: beaten(county, "worker"), "the worker shows life")
    redis_server.kill()
    county.dispatched("department1")
    relay(county)
    assert produced(county) == []
    redis_server.start()
    relay(county)
    eventually(lambda: produced(county) == ["call_slip"], "the slip follows")
    assert worker.poll() is None


def test_worker_started_before_redis_waits(county: County, redis_server: QueueServer, processes: Start) -> None:
    redis_server.kill()
    worker = processes("worker")
    county.dispatched("department1")
    redis_server.start()
    relay(county)
    eventually(lambda: produced(county) == ["call_slip"], "the slip follows")
    assert worker.poll() is None


@pytest.mark.parametrize("part", ["worker", "scheduler"])
def test_parts_end_on_sigterm(county: County, redis_server: QueueServer, processes: Start, part: str) -> None:
    process = processes(part)
    eventually(lambda: beaten(county, part), f"the {part} shows life")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    with county.acting(None) as session:
        assert session.scalars(sa.select(Lease)).all() == []


def test_queue_holds_no_pickle(county: County, redis_server: QueueServer) -> None:
    county.dispatched("department1")
    relay(county)
    connection: redis.Redis = redis_server.connection()
    [job_id] = queue.queue(connection).job_ids
    data = connection.hget(f"rq:job:{job_id}", "data")
    assert isinstance(data, bytes)
    assert b"app.jobs.tasks.run" in zlib.decompress(data)
    assert zlib.decompress(data).startswith(b"[")
    assert os.sep not in job_id
