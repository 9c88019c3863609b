"""A document's bytes are made once, outside of transactions, and whatever goes wrong is written down (design, decisions 5 and 6)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

import reports
from app.database import db
from app.jobs import background, tasks
from app.storage import document_key, storage
from models import clock, event
from models.document import Document
from models.event import Event
from models.notification import Demonstration, Job
from tests.county import County


@pytest.fixture(autouse=True)
def _application_of_the_test(county: County, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(background, "_app", None)
    background.use(county.app)
    yield
    monkeypatch.undo()


def wanted(county: County) -> Job:
    """The one job of a fresh dispatch."""
    county.dispatched("department1")
    with county.acting(None) as session:
        job = session.scalars(sa.select(Job)).one()
        session.expunge_all()
        return job


def only_document(county: County) -> Document:
    with county.acting(None) as session:
        document = session.scalars(sa.select(Document)).one()
        session.expunge_all()
        return document


def test_bytes_are_kept_under_their_own_hash(county: County) -> None:
    job = wanted(county)
    tasks.run(job.id)
    document = only_document(county)
    assert document.sha256 is not None
    assert document.file_key == document_key(document.sha256)
    with county.app.app_context():
        data = storage().get(document.file_key)
    assert data.startswith(b"%PDF")
    assert (hashlib.sha256(data).hexdigest(), len(data)) == (document.sha256, document.size)
    assert document.produced_at is not None


def test_job_delivered_twice_renders_once(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[str] = []

    def counted(kind: str, context: dict[str, object], **options: object) -> bytes:
        rendered.append(kind)
        return b"%PDF-" + str(len(rendered)).encode()

    monkeypatch.setattr(reports, "render", counted)
    job = wanted(county)
    tasks.run(job.id)
    first = only_document(county)
    tasks.run(job.id)
    with county.acting(None) as session:
        session.execute(sa.update(Job).values(done_at=None))
    tasks.run(job.id)
    assert rendered == ["call_slip"]
    assert only_document(county).sha256 == first.sha256


def test_of_two_at_the_same_time_the_first_bytes_count(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    job = wanted(county)
    document_id = job.arguments["document_id"]
    depth = 0

    def rendered_while_another_finishes(kind: str, context: dict[str, object], **options: object) -> bytes:
        nonlocal depth
        depth += 1
        if depth == 1:
            tasks.produce_document(document_id)
            return b"%PDF-late"
        return b"%PDF-first"

    monkeypatch.setattr(reports, "render", rendered_while_another_finishes)
    tasks.run(job.id)
    assert only_document(county).sha256 == hashlib.sha256(b"%PDF-first").hexdigest()


def test_rendering_happens_outside_of_any_transaction(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    busy: list[int] = []

    def looking(kind: str, context: dict[str, object], **options: object) -> bytes:
        busy.append(db.engine.pool.checkedout())
        return b"%PDF"

    monkeypatch.setattr(reports, "render", looking)
    tasks.run(wanted(county).id)
    assert busy == [0]


def test_failure_is_written_down_and_raised(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(kind: str, context: dict[str, object], **options: object) -> bytes:
        raise reports.MissingGlyph(["𒀀"])

    job = wanted(county)
    with monkeypatch.context() as patched:
        patched.setattr(reports, "render", broken)
        with pytest.raises(reports.MissingGlyph):
            tasks.run(job.id)
    with county.acting(None) as session:
        kept = session.get_one(Job, job.id)
        assert kept.done_at is None
        assert "U+12000" in kept.error
    tasks.run(job.id)
    with county.acting(None) as session:
        kept = session.get_one(Job, job.id)
        assert kept.done_at is not None
        assert kept.error == ""


def test_producing_bytes_is_no_change_of_the_record(county: County) -> None:
    job = wanted(county)
    before = only_document(county).version
    with county.acting(None) as session:
        events = session.scalar(sa.select(sa.func.count()).select_from(Event))
    tasks.run(job.id)
    assert only_document(county).version == before
    with county.acting(None) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Event)) == events
    with county.acting(None) as session:
        assert list(event.verify(session)) == []


def test_jobs_obey_the_demonstrations_clock(county: County) -> None:
    job = wanted(county)
    with county.acting(None) as session:
        session.add(Demonstration(id=1, seed=1, complete=True, clock_offset=-86400.0 * 365))
    tasks.run(job.id)
    produced = only_document(county).produced_at
    with county.acting(None) as session:
        queued = session.get_one(Job, job.id)
        assert produced is not None
        assert queued.done_at is not None
        assert abs((queued.done_at - produced).total_seconds()) < 3600
        assert (clock.machine_now() - produced).days >= 364
