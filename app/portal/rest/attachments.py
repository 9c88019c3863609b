"""Attachments of a record by REST: what is beside it, a file's bytes, and `POST /<resource>/<id>/attachments` (spec 4)."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import Response, request
from flask_appbuilder.api import BaseApi, expose
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _

from app.database import db
from app.headers import sandboxed
from app.portal.attaching.content import TAKEN
from app.portal.attaching.keeping import keep, read_note, receive
from app.portal.download import attachment_response
from app.portal.rest import asking, schema
from models.attachment import LONGEST_NOTE, Attachment, attachment_of, attachments_of, check_attach
from models.base import Record
from models.workflow import load_visible

KEY_PARAMETER: schema.Schema = {**schema.PK_PARAMETER, "name": "key"}

LISTED: schema.Schema = {
    "type": "object",
    "required": ["id", "name", "content_type", "size", "sha256", "note", "uploaded_by", "uploaded_at"],
    "properties": {
        "id": schema.ID,
        "name": {"type": "string"},
        "content_type": {"type": "string"},
        "size": {"type": "integer", "description": "Bytes"},
        "sha256": {"type": "string"},
        "note": {"type": "string"},
        "uploaded_by": schema.NAMED,
        "uploaded_at": {"type": "string", "format": "date-time"},
    },
}


class Attaching(BaseApi):
    """The operations on a record's files; the row filter on the record decides who has any."""

    model: ClassVar[type[Record]]

    @expose("/<pk>/attachments", methods=["GET"])
    @permission_name("show")
    def attachments(self, pk: str) -> Response:
        asking.signed_in()
        record = load_visible(db.session(), self.model, asking.record_key(pk))
        asking.demand("can_show", self.class_permission_name)
        return self.response(200, result=[_told(one) for one in attachments_of(db.session(), record)])

    @expose("/<pk>/attachments", methods=["POST"])
    @permission_name("show")
    def attach(self, pk: str) -> Response:
        """Attach the files of a multipart body; `id` is the first one's key, `ids` has all."""
        asking.signed_in()
        session = db.session()
        key = asking.record_key(pk)
        record = load_visible(session, self.model, key)
        person = asking.demand("can_show", self.class_permission_name)
        check_attach(record, person)
        received = receive(request.files.getlist("file"))
        note = read_note(request.form.get("note", ""))
        ids = keep(session, self.model, key, received, note, person)
        return self.response(201, id=ids[0], ids=ids)

    @expose("/<pk>/attachments/<key>", methods=["GET"])
    @permission_name("show")
    @sandboxed
    def attachment(self, pk: str, key: str) -> Response:
        asking.signed_in()
        session = db.session()
        record = load_visible(session, self.model, asking.record_key(pk))
        asking.demand("can_show", self.class_permission_name)
        return attachment_response(attachment_of(session, record, asking.record_key(key)))


def _told(one: Attachment) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "content_type": one.content_type,
        "size": one.size,
        "sha256": one.sha256,
        "note": one.note,
        "uploaded_by": {"id": one.uploaded_by_id, "name": one.uploaded_by.name},
        "uploaded_at": one.uploaded_at.isoformat(),
    }


def attaching_operations(label: str) -> list[tuple[str, str, schema.Schema]]:
    """The description of the operations."""
    title = f"{label}: {_('Attachments')}"
    listed = {"type": "object", "properties": {"result": {"type": "array", "items": LISTED}}}
    made = {
        "type": "object",
        "required": ["id", "ids"],
        "properties": {"id": schema.ID, "ids": {"type": "array", "items": schema.ID}},
    }
    sent = {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {
                "type": "array",
                "items": {"type": "string", "format": "binary"},
                "description": f"Recognised by content: {TAKEN}",
            },
            "note": {"type": "string", "maxLength": LONGEST_NOTE},
        },
    }
    content = {
        "description": "The file",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
    return [
        (
            "/{pk}/attachments",
            "get",
            {
                "operationId": "attachments",
                "summary": title,
                "parameters": [schema.PK_PARAMETER],
                "responses": {"200": schema.answer("The files", listed), **schema.refusals(403, 404)},
            },
        ),
        (
            "/{pk}/attachments",
            "post",
            {
                "operationId": "attach",
                "summary": title,
                "parameters": [schema.PK_PARAMETER],
                "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": sent}}},
                "responses": {"201": schema.answer("Attached", made), **schema.refusals(403, 404, 409, 422)},
            },
        ),
        (
            "/{pk}/attachments/{key}",
            "get",
            {
                "operationId": "attachment",
                "summary": title,
                "parameters": [schema.PK_PARAMETER, KEY_PARAMETER],
                "responses": {"200": content, **schema.refusals(403, 404)},
            },
        ),
    ]
