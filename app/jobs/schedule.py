"""The schedule: a small loop that starts what is due, in one process of the whole installation (design, decision 5).

No cron and no scheduler of the queue's: what is due stands in the database, so a tick that comes late or twice does no harm.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from flask import Flask

from app.database import db, transaction
from app.jobs import background, queue
from app.jobs.lease import HeldLease
from app.jobs.relay import Relay
from models import clock, event, viewer
from models.automatic import sweep_automatic
from models.bulletin_drafting import draft_statistics
from models.director_sheet import lay_out_sheets
from models.imported import erase_old
from models.inspection_queue import fill_queue
from models.party_clocks import sweep_parties
from models.summary_counting import count_changes
from models.sweep import sweep

TICK_SECONDS = 1.0
LONGEST_DELAY = 60.0
"""Longest pause after repeated failures."""

log = structlog.get_logger(__name__)


@dataclass
class Task:
    """Something that is done every so many seconds; after a failure again after 2, 4, 8 … seconds."""

    name: str
    every: float
    do: Callable[[], object]
    moved: bool = True
    """Whether it obeys the demonstration's clock, and waits while one is being loaded."""
    next_at: float = 0.0
    failures: int = 0

    def due(self, now: float) -> bool:
        return now >= self.next_at

    def succeeded(self, now: float) -> None:
        self.failures = 0
        self.next_at = now + self.every

    def failed(self, now: float) -> None:
        self.failures += 1
        self.next_at = now + min(2.0**self.failures, LONGEST_DELAY)


@dataclass
class Scheduler:
    """The tasks of one process, done while it holds the lease."""

    app: Flask
    tasks: list[Task]
    lease: HeldLease
    stop: threading.Event = field(default_factory=threading.Event)
    _database_failures: int = 0

    def run(self) -> None:
        """Tick until `stop` is set, then let another process begin at once."""
        with self.app.app_context(), viewer.system():
            while not self.stop.is_set():
                self.tick()
                self.stop.wait(self._pause())
            self._end()

    def tick(self) -> None:
        """Do what is due, if the lease is ours. No failure gets out."""
        demonstration = background.DemonstrationClock()
        for task in self.tasks:
            if self.stop.is_set() or not task.due(time.monotonic()):
                continue
            try:
                if not self.lease.held():
                    return
                if task.moved:
                    with db.session.session_factory() as session:
                        demonstration = background.demonstration_clock(session)
                self._database_failures = 0
            except Exception:
                self._database_failures += 1
                log.exception("the schedule cannot reach the database")
                return
            if task.moved and demonstration.loading:
                continue
            self._do(task, demonstration.offset if task.moved else timedelta(0))

    def _do(self, task: Task, offset: timedelta) -> None:
        try:
            if offset:
                with clock.moved(offset):
                    task.do()
            else:
                task.do()
        except Exception:
            task.failed(time.monotonic())
            log.exception("a scheduled task failed; it is tried again", task=task.name, failures=task.failures)
        else:
            task.succeeded(time.monotonic())

    def _pause(self) -> float:
        return min(TICK_SECONDS * 2.0**self._database_failures, LONGEST_DELAY)

    def _end(self) -> None:
        try:
            self.lease.give_back()
        except Exception:
            log.exception("the lease could not be given back; it runs out by itself")


def make_scheduler(app: Flask) -> Scheduler:
    """The installation's tasks."""
    relay = Relay(queue.connect(app.config["REDIS_URL"]))
    tasks = [
        Task("beat", 10.0, lambda: background.beat("scheduler"), moved=False),
        Task("relay", 1.0, relay.run),
        Task("sweep", 60.0, lambda: sweep(transaction)),
        Task("parties", 60.0, lambda: sweep_parties(transaction)),
        Task("automatic", 60.0, lambda: sweep_automatic(transaction)),
        Task("summary", 30.0, lambda: count_changes(transaction)),
        Task("morning", 60.0, _morning),
        Task("inspections", 300.0, lambda: fill_queue(transaction)),
        Task("statistics", 300.0, lambda: draft_statistics(transaction)),
        Task("seal", 600.0, _seal),
        Task("erase", 3600.0, lambda: erase_old(transaction)),
    ]
    holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    return Scheduler(app, tasks, HeldLease("scheduler", holder))


def run() -> None:
    """Schedule until SIGTERM or Ctrl-C; what has begun is finished first."""
    from app import create_app

    scheduler = make_scheduler(create_app())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: scheduler.stop.set())
    scheduler.run()


def _morning() -> None:
    with transaction() as session:
        lay_out_sheets(session, clock.now())


def _seal() -> None:
    with transaction() as session:
        event.seal(session)
