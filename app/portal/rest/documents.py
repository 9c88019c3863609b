"""The `document` resource: as any other, and the paper itself."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from flask import Response
from flask_appbuilder.api import expose
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _

from app.database import db, transaction
from app.portal.rest import asking, schema
from app.portal.rest.resource import Operation, RecordApi
from app.storage import content_hash, storage
from models import clock
from models.document import Document, DocumentRecipient
from models.viewer import Viewer
from models.workflow import load_visible

RETRY_SECONDS = 5
"""When to ask again for a paper that is still being produced."""

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
    """Keep when somebody of a recipient first read a paper, and who. In a transaction of its own, since reading is a GET."""
    unread = (
        DocumentRecipient.document_id == document_id,
        DocumentRecipient.organisation_id == person.organisation_id,
        DocumentRecipient.read_at.is_(None),
    )
    if db.session.scalar(sa.select(DocumentRecipient.document_id).where(*unread)) is None:
        return
    with transaction() as session:
        session.execute(sa.update(DocumentRecipient).where(*unread).values(read_at=clock.now(), read_by_id=person.person_id))


class DocumentApi(RecordApi):
    """Issued papers."""

    @expose("/<pk>/pdf", methods=["GET"])
    @permission_name("show")
    def pdf(self, pk: str) -> Any:
        asking.signed_in()
        document = load_visible(db.session(), Document, asking.record_key(pk))
        person = asking.demand("can_show", self.class_permission_name)
        if document.sha256 is None:
            response = self.response(503, message=_("This paper is still being made. Please try again in a few seconds."))
            response.headers["Retry-After"] = str(RETRY_SECONDS)
            return response
        content = paper_bytes(document)
        note_reading(document.id, person)
        response = Response(content, mimetype="application/pdf")
        # The speaking name in UTF-8, and a plain one for programs that know only that (RFC 6266).
        name = quote(document.file_name, safe="")
        response.headers["Content-Disposition"] = f"attachment; filename=\"{document.id}.pdf\"; filename*=UTF-8''{name}"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    def operations(self) -> list[Operation]:
        paper = {"200": {"description": "The paper", "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}}
        waiting = {"503": schema.answer("Not produced yet; see Retry-After", schema.MESSAGE)}
        operation = {
            "operationId": "pdf",
            "summary": "PDF",
            "parameters": [schema.PK_PARAMETER],
            "responses": {**paper, **schema.refusals(403, 404), **waiting},
        }
        return [*super().operations(), ("/{pk}/pdf", "get", operation)]
