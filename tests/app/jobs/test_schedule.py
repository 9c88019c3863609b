"""One scheduler works, another takes over soon; nothing that fails ends the loop (design, decision 5)."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.database import transaction
from app.jobs import lease as lease_module
from app.jobs.lease import LENGTH, HeldLease
from app.jobs.schedule import Scheduler, Task, make_scheduler
from models import clock, viewer
from models.document import Document
from models.event import EventSeal
from models.notification import Demonstration, Lease, Notification
from models.supervision import Notice
from models.sweep import sweep
from tests.app.jobs.conftest import QueueServer
from tests.county import County, at


class Watch:
    """The machine's time in the hands of a test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
        monkeypatch.setattr(clock, "machine_now", lambda: self.now)

    def pass_(self, time: timedelta) -> None:
        self.now += time


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    assert lease_module.clock is clock
    return Watch(monkeypatch)


def test_one_of_two_holds_the_lease_and_keeps_it(county: County, watch: Watch) -> None:
    with county.app.app_context():
        first, second = HeldLease("scheduler", "first"), HeldLease("scheduler", "second")
        for _ in range(12):
            assert first.held()
            assert not second.held()
            watch.pass_(timedelta(seconds=4))


def test_second_takes_over_within_30_seconds_of_the_firsts_death(county: County, watch: Watch) -> None:
    with county.app.app_context():
        first, second = HeldLease("scheduler", "first"), HeldLease("scheduler", "second")
        assert first.held()
        assert not second.held()
        died = watch.now
        while not second.held():
            watch.pass_(timedelta(seconds=1))
        assert timedelta(seconds=LENGTH.total_seconds() - 1) <= watch.now - died <= timedelta(seconds=30)
        assert not first.held()


def test_lease_given_back_is_free_at_once(county: County, watch: Watch) -> None:
    with county.app.app_context():
        first, second = HeldLease("scheduler", "first"), HeldLease("scheduler", "second")
        assert first.held()
        first.give_back()
        assert second.held()


def test_lease_survives_a_moved_clock(county: County, watch: Watch) -> None:
    with county.app.app_context():
        first, second = HeldLease("scheduler", "first"), HeldLease("scheduler", "second")
        assert first.held()
        with clock.at(at("2027-06-01 09:00")):
            assert not second.held()


def scheduler_of(county: County, *tasks: Task, name: str = "one") -> Scheduler:
    return Scheduler(county.app, list(tasks), HeldLease("scheduler", name))


def ticked(scheduler: Scheduler, times: int = 1) -> None:
    with scheduler.app.app_context(), viewer.system():
        for _ in range(times):
            scheduler.tick()


def test_of_two_schedulers_one_works(county: County) -> None:
    done: list[str] = []
    one = scheduler_of(county, Task("work", 0.0, lambda: done.append("one")), name="one")
    two = scheduler_of(county, Task("work", 0.0, lambda: done.append("two")), name="two")
    for _ in range(5):
        ticked(one)
        ticked(two)
    assert done == ["one"] * 5


def test_failing_task_waits_longer_each_time_and_holds_up_nothing(county: County) -> None:
    done: list[str] = []

    def broken() -> None:
        done.append("broken")
        raise RuntimeError("broken")

    failing, well = Task("broken", 0.0, broken), Task("well", 0.0, lambda: done.append("well"))
    scheduler = scheduler_of(county, failing, well)
    ticked(scheduler, 3)
    assert done == ["broken", "well", "well", "well"]
    delays = []
    for _ in range(8):
        failing.failed(0.0)
        delays.append(failing.next_at)
    assert delays == sorted(delays)
    assert delays[-1] == 60.0
    failing.succeeded(0.0)
    assert (failing.failures, failing.next_at) == (0, 0.0)


def test_database_away_is_outlived(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    scheduler = scheduler_of(county, Task("work", 0.0, lambda: done.append("work")))

    def away() -> bool:
        raise sa.exc.OperationalError("SELECT 1", {}, OSError("connection refused"))

    with monkeypatch.context() as patched:
        patched.setattr(scheduler.lease, "held", away)
        ticked(scheduler, 3)
    assert done == []
    ticked(scheduler)
    assert done == ["work"]


def test_schedule_obeys_the_demonstrations_clock_and_waits_while_it_is_loaded(county: County) -> None:
    seen: list[datetime] = []
    scheduler = scheduler_of(county, Task("work", 0.0, lambda: seen.append(clock.now())))
    with county.acting(None) as session:
        session.add(Demonstration(id=1, seed=1, complete=False, clock_offset=86400.0))
    ticked(scheduler)
    assert seen == []
    with county.acting(None) as session:
        session.execute(sa.update(Demonstration).values(complete=True))
    ticked(scheduler)
    assert timedelta(hours=23) < seen[0] - clock.now() < timedelta(hours=25)


def test_schedule_sweeps_relays_and_seals(county: County, redis_server: QueueServer) -> None:
    county.dispatched("department1")
    with county.acting(None) as session:
        offset = (at("2026-11-25 09:00") - clock.machine_now()).total_seconds()
        session.add(Demonstration(id=1, seed=1, complete=True, clock_offset=offset))
    scheduler = make_scheduler(county.app)
    ticked(scheduler)
    with county.acting(None) as session:
        assert session.scalars(sa.select(Notice.number)).all() == ["催〔2026〕0001"]
        assert session.scalar(sa.select(sa.func.count()).select_from(Notification)) != 0
        assert session.scalar(sa.select(sa.func.count()).select_from(EventSeal)) == 1


def test_stopped_scheduler_gives_its_lease_back(county: County) -> None:
    scheduler = scheduler_of(county)
    scheduler.tasks.append(Task("work", 0.0, scheduler.stop.set))
    loop = threading.Thread(target=scheduler.run)
    loop.start()
    loop.join(timeout=30)
    assert not loop.is_alive()
    with county.acting(None) as session:
        assert session.scalars(sa.select(Lease)).all() == []


def test_three_sweeps_make_one_reminder(county: County) -> None:
    county.dispatched("department1")
    with county.app.app_context(), viewer.system(), clock.at(at("2026-11-25 09:00")):
        assert [sweep(transaction).reminders for _ in range(3)] == [1, 0, 0]
    with county.acting(None) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Document).where(Document.kind == "reminder")) == 1
