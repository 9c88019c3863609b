"""The jobs themselves. Each may be delivered twice, at the same time even, and must then do its work once."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
import structlog

import reports
from app.database import db, transaction
from app.jobs import deliveries
from app.jobs.background import application, at_work
from app.portal.imports import applying
from app.storage import content_hash, document_key, storage
from models import clock
from models.document import Document
from models.notification import Job

log = structlog.get_logger(__name__)

LONGEST_ERROR = 2000


def run(row_id: int) -> None:
    """Do the job of a row, unless it is done or its time has not come.

    A failure is written to the row and raised, for the queue to try again; a message that was not sent waits in the row itself.
    """
    with at_work(application()):
        with db.session.session_factory() as session:
            job = session.get(Job, row_id)
        if job is None or job.done_at is not None or (job.not_before is not None and job.not_before > clock.now()):
            return
        try:
            TASKS[job.name](**job.arguments)
        except deliveries.NotSentYet as waits:
            log.warning("message not sent", job=job.key, problem=str(waits), again=waits.again_at.isoformat())
            _note(row_id, error=str(waits), not_before=waits.again_at, queued_at=None)
            return
        except Exception as failure:
            log.exception("job failed", job=job.key)
            _note(row_id, error=f"{type(failure).__name__}: {failure}"[:LONGEST_ERROR])
            raise
        _note(row_id, error="", done_at=clock.now())


def produce_document(document_id: int) -> None:
    """Render an issued document and keep its bytes, outside of any transaction. What has its bytes is never rendered again."""
    with db.session.session_factory() as session:
        found = session.execute(
            sa.select(Document.kind, Document.context, Document.texts, Document.sha256).where(
                Document.id == document_id
            )
        ).one_or_none()
    if found is None or found.sha256 is not None:
        return
    data = reports.render(found.kind, found.context, texts=found.texts)
    sha256 = content_hash(data)
    key = document_key(sha256)
    storage().put(key, data)
    with transaction() as session:
        # Of two that rendered at the same time the first one's bytes count. No change of the record: no version, no event.
        session.execute(
            sa.update(Document)
            .where(Document.id == document_id, Document.sha256.is_(None))
            .values(sha256=sha256, size=len(data), file_key=key, produced_at=clock.now()),
            execution_options={"synchronize_session": False},
        )


def _note(row_id: int, **values: object) -> None:
    with transaction() as session:
        noted = sa.update(Job).where(Job.id == row_id, Job.done_at.is_(None)).values(**values)
        session.execute(noted, execution_options={"synchronize_session": False})


def delete_file(file_key: str) -> None:
    """Delete the bytes of a file that was removed or erased."""
    storage().delete(file_key)


TASKS: dict[str, Callable[..., None]] = {
    "produce_document": produce_document,
    "delete_file": delete_file,
    "apply_import": applying.apply,
    "deliver": deliveries.deliver,
    "send_digest": deliveries.send_digest,
}
"""By the name that a job row gives."""
