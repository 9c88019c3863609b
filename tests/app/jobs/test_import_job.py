"""An import's job: batches that are each done once, whatever is killed, delivered twice, cancelled or started again; on both databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.jobs import background, tasks
from app.jobs.schedule import make_scheduler
from app.portal.imports import applying
from app.security.row_filter import criteria_for
from models import clock, event, viewer
from models.checklist import Checklist, ChecklistItem
from models.event import Event
from models.imported import Import, ImportState
from models.notification import Job
from models.person import Person
from tests.app.imports import LIST, Table, apply, draft_list, grant_import, items, newest, start, upload
from tests.county import County

ROWS = 10
TABLE: Table = [
    ["Checklist", "Number", "Field", "Matter"],
    *([LIST, number, "水务", f"第{number}项"] for number in range(1, ROWS + 1)),
]


@pytest.fixture(autouse=True)
def _application_of_the_test(county: County, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(background, "_app", None)
    background.use(county.app)
    monkeypatch.setattr(applying, "BATCH", 3)
    grant_import(county)
    draft_list(county)
    yield
    monkeypatch.undo()


def job_of(county: County, run: int) -> Job:
    with county.acting(None) as session:
        found = next(job for job in session.scalars(sa.select(Job)) if job.arguments.get("run") == run)
        session.expunge(found)
        return found


def created(county: County) -> list[int]:
    """Numbers of the items in the order of their events: each once."""
    with county.acting(None) as session:
        ids = session.scalars(
            sa.select(Event.record_id)
            .where(Event.record_type == "checklist_item", Event.actor_id == county.people["checklist"])
            .order_by(Event.id)
        ).all()
        number = dict(session.execute(sa.select(ChecklistItem.id, ChecklistItem.number)).all())
        found = [number[key] for key in ids]
    with county.acting(None) as session:
        assert list(event.verify(session)) == []
    return found


def stop_after(monkeypatch: pytest.MonkeyPatch, batches: int, what: BaseException) -> None:
    """Let the job die in the middle of the batch after so many, with its rows flushed and not committed."""
    whole = applying._move_on
    done = 0

    def dying(*arguments: Any) -> None:
        nonlocal done
        whole(*arguments)
        done += 1
        if done > batches:
            raise what

    monkeypatch.setattr(applying, "_move_on", dying)


def test_a_killed_job_goes_on_where_it_was_and_doubles_nothing(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    key = upload(county, TABLE)
    job = job_of(county, start(county, key))
    with monkeypatch.context() as patched:
        stop_after(patched, 2, SystemExit("killed"))
        with pytest.raises(SystemExit):
            tasks.run(job.id)
    one = newest(county)
    assert (one.state, one.done_rows, one.created) == (ImportState.running, 6, 6)
    assert sorted(items(county)) == [1, 2, 3, 4, 5, 6]
    tasks.run(job.id)
    tasks.run(job.id)
    one = newest(county)
    assert (one.state, one.done_rows, one.created, one.refused) == (ImportState.done, ROWS, ROWS, 0)
    assert created(county) == list(range(1, ROWS + 1))


def test_two_deliveries_at_the_same_time_do_the_work_once(county: County) -> None:
    key = upload(county, TABLE)
    job = job_of(county, start(county, key))
    both = [threading.Thread(target=tasks.run, args=(job.id,)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    one = newest(county)
    assert (one.state, one.created, one.same) == (ImportState.done, ROWS, 0)
    assert created(county) == list(range(1, ROWS + 1))


def test_cancelled_between_batches_what_was_applied_stays_and_it_may_be_started_again(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = upload(county, TABLE)
    job = job_of(county, start(county, key))

    def cancel() -> None:
        with county.acting(None) as session:
            one = session.get_one(Import, key)
            if one.may_cancel:
                one.cancel(session)

    with monkeypatch.context() as patched:
        patched.setattr(applying, "_let_others_write", cancel)
        tasks.run(job.id)
    one = newest(county)
    assert (one.state, one.done_rows) == (ImportState.cancelled, 3)
    assert sorted(items(county)) == [1, 2, 3]
    assert one.may_start
    apply(county, key)
    one = newest(county)
    assert (one.state, one.created, one.same) == (ImportState.done, ROWS, 0)
    assert created(county) == list(range(1, ROWS + 1))
    with county.acting(None) as session:
        names = session.scalars(
            sa.select(Event.name).where(Event.thread_type == "import", Event.thread_id == key).order_by(Event.sequence)
        ).all()
    assert names == ["check", "start", "cancel", "start", "finish"]


def test_a_row_that_the_database_refuses_is_told_and_the_others_of_its_batch_are_kept(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between check and application somebody else made item 5 where the person cannot see it."""
    key = upload(county, TABLE)
    hidden = sa.select(ChecklistItem.__table__.c.id).where(ChecklistItem.__table__.c.name != "别人的")
    monkeypatch.setattr(ChecklistItem, "visible_ids", classmethod(lambda cls, person: hidden))
    criteria_for.cache_clear()
    with county.acting(None) as session:
        made = session.scalars(sa.select(Checklist).where(Checklist.name == LIST)).one()
        session.add(ChecklistItem(county_id=county.id, checklist=made, number=5, field="水务", name="别人的"))
    apply(county, key)
    one = newest(county)
    assert (one.state, one.created, one.refused) == (ImportState.done, ROWS - 1, 1)
    assert [finding["row"] for finding in one.findings] == [6]
    assert items(county)[5][1] == "别人的"
    assert len(items(county)) == ROWS
    criteria_for.cache_clear()


def test_rights_lost_meanwhile_and_files_lost_meanwhile_end_it_with_a_sentence(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = upload(county, TABLE)
    run = start(county, key)
    with county.acting(None) as session:
        session.get_one(Person, county.people["checklist"]).active = False
    tasks.run(job_of(county, run).id)
    one = newest(county)
    assert one.state is ImportState.failed
    assert one.findings[0]["row"] == 0
    assert items(county) == {}
    with county.acting(None) as session:
        session.get_one(Person, county.people["checklist"]).active = True

    def gone(*_arguments: Any) -> bytes:
        raise FileNotFoundError

    with monkeypatch.context() as patched:
        patched.setattr("app.storage.Storage.get", gone)
        apply(county, key)
    assert newest(county).state is ImportState.failed
    with monkeypatch.context() as patched:
        patched.setattr("app.storage.Storage.get", lambda *_arguments: b"altered")
        apply(county, key)
    assert newest(county).state is ImportState.failed
    apply(county, key)
    assert newest(county).state is ImportState.done
    assert newest(county).findings == [], "what was said of the fault is gone with it"


def test_an_unexpected_fault_is_tried_again_and_in_the_end_given_up(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = upload(county, TABLE)
    job = job_of(county, start(county, key))
    with monkeypatch.context() as patched:
        stop_after(patched, 0, ZeroDivisionError("a bug"))
        for _ in range(applying.MOST_FAULTS):
            assert newest(county).state in (ImportState.waiting, ImportState.running)
            with pytest.raises(ZeroDivisionError):
                tasks.run(job.id)
    assert newest(county).state is ImportState.failed
    assert items(county) == {}
    apply(county, key)
    assert newest(county).created == ROWS


def test_the_schedule_erases_the_file_of_an_import_whose_time_is_over(county: County) -> None:
    key = upload(county, TABLE)
    apply(county, key)
    task = next(one for one in make_scheduler(county.app).tasks if one.name == "erase")
    with county.app.app_context(), viewer.system(), clock.moved(timedelta(days=40)):
        assert task.do() == 1
        assert task.do() == 0
    one = newest(county)
    assert one.erased_at is not None
    assert (one.created, one.differences) == (ROWS, [])
