"""Handing out files, for pages and programs alike: produced papers, attachments, workbooks."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import quote

import sqlalchemy as sa
from flask import Response

from app.database import db, transaction
from app.storage import content_hash, storage
from models import clock
from models.attachment import Attachment
from models.document import Document, DocumentRecipient
from models.viewer import Viewer

RETRY_SECONDS = 5
"""When to ask again for a paper that is still being made."""


class Damaged(RuntimeError):
    """The stored bytes of a paper are not those that were produced."""


def paper_bytes(document: Document) -> bytes:
    """The bytes of a produced paper, checked against its checksum. Raises Damaged."""
    assert document.file_key is not None
    content = storage().get(document.file_key)
    if content_hash(content) != document.sha256:
        raise Damaged(f"document {document.id}: stored bytes do not match their checksum")
    return content


def note_reading(document_id: int, person: Viewer) -> None:
    """Keep when somebody of a recipient first read a paper, and who. It writes only where there is something to keep, since reading is a GET."""
    unread = _unread([document_id], person)
    if db.session.scalar(sa.select(DocumentRecipient.document_id).where(*unread)) is not None:
        note_readings([document_id], person)


def note_readings(document_ids: Collection[int], person: Viewer) -> None:
    """The same of several papers, in a transaction of its own; nothing else may be writing."""
    with transaction() as session:
        session.execute(
            sa.update(DocumentRecipient)
            .where(*_unread(document_ids, person))
            .values(read_at=clock.now(), read_by_id=person.person_id)
        )


def _unread(document_ids: Collection[int], person: Viewer) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        DocumentRecipient.document_id.in_(document_ids),
        DocumentRecipient.organisation_id == person.organisation_id,
        DocumentRecipient.read_at.is_(None),
    )


def paper_response(document: Document, person: Viewer, *, preview: bool = False) -> Response | None:
    """A produced paper under its speaking name, to save or to look at in the page; None while it is being made. The first reading is noted."""
    if document.sha256 is None:
        return None
    content = paper_bytes(document)
    note_reading(document.id, person)
    response = Response(content, mimetype="application/pdf")
    response.headers["Content-Disposition"] = disposition(
        document.file_name, f"{document.id}.pdf", "inline" if preview else "attachment"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def disposition(name: str, plain: str, kind: str = "attachment") -> str:
    """A file's header: the speaking name in UTF-8, and a plain one for programs that know only that (RFC 6266)."""
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def handed_out(content: bytes, name: str, content_type: str) -> Response:
    """A file to save, never to be looked at in place."""
    response = Response(content, content_type=content_type)
    extension = name.rpartition(".")[2]
    response.headers["Content-Disposition"] = disposition(name, f"file.{extension}" if extension.isascii() else "file")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def attachment_response(attachment: Attachment) -> Response:
    """An attached file under its own name, checked against its checksum. Raises Damaged."""
    try:
        content = storage().get(attachment.file_key)
    except FileNotFoundError as failure:
        raise Damaged(f"attachment {attachment.id}: its bytes are gone") from failure
    if content_hash(content) != attachment.sha256:
        raise Damaged(f"attachment {attachment.id}: stored bytes do not match their checksum")
    charset = "; charset=utf-8" if attachment.content_type == "text/plain" else ""
    return handed_out(content, attachment.name, f"{attachment.content_type}{charset}")
