"""The worker: takes jobs from the queue, each in a process of its own, forked from one that has everything loaded."""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import Any

import sqlalchemy as sa
import structlog
from flask import Flask
from redis import Redis, RedisError
from rq import Worker
from rq.serializers import JSONSerializer

import reports
from app.database import db
from app.jobs import background, queue

BEAT_SECONDS = 10.0
"""At least this long between two signs of life in the database."""

WAIT_SECONDS = 2.0
"""Pause before another attempt where Redis is away."""

log = structlog.get_logger(__name__)


class HuyingWorker(Worker):
    """RQ's worker, which also tells the database that it lives.

    The intervals are short, so that the job of a killed worker is taken up again soon.
    """

    max_connection_wait_time = 10.0

    def __init__(self, app: Flask, connection: Redis) -> None:
        self._app = app
        self._beaten = -BEAT_SECONDS
        self.asked_to_stop = False
        super().__init__(
            [queue.queue(connection)],
            connection=connection,
            serializer=JSONSerializer,
            worker_ttl=30,
            maintenance_interval=10,
            job_monitoring_interval=5,
        )

    def heartbeat(self, *arguments: Any, **options: Any) -> None:
        """Called by RQ every few seconds, whether idle, busy, or waiting for Redis."""
        if time.monotonic() - self._beaten >= BEAT_SECONDS:
            self._beat()
            self._beaten = time.monotonic()
        super().heartbeat(*arguments, **options)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.asked_to_stop = True
        super().request_stop(signum, frame)

    def _beat(self) -> None:
        with self._app.app_context():
            try:
                background.beat("worker")
            except sa.exc.SQLAlchemyError as failure:
                log.warning(
                    "the database is away; the worker's sign of life is missing",
                    problem=str(failure.__cause__ or failure),
                )


def run() -> None:
    """Work until SIGTERM or Ctrl-C; a job that has begun is finished first."""
    from app import create_app

    app = create_app()
    background.use(app)
    _warm_up()
    with app.app_context():
        db.engine.dispose()
    away = False
    while True:
        # RQ's handlers belong to one worker object; between two of them a signal simply ends the process.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        worker: HuyingWorker | None = None
        try:
            connection = queue.connect(app.config["REDIS_URL"])
            connection.ping()
            away = False
            worker = HuyingWorker(app, connection)
            worker.work(with_scheduler=True, logging_level="WARNING")
        except RedisError as failure:
            if not away:
                log.warning("Redis is away; the worker waits for it", problem=str(failure))
            away = True
        if worker is not None and worker.asked_to_stop:
            return
        time.sleep(WAIT_SECONDS)


def _warm_up() -> None:
    """Load faces and style sheets before the first fork. Without the system libraries every paper's job says what is missing."""
    try:
        reports.warm_up()
    except reports.PressUnavailable as failure:
        log.error("papers cannot be printed", problem=str(failure))
