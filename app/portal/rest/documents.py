"""The `document` resource: as any other, and the paper itself."""

from __future__ import annotations

from typing import Any

from flask_appbuilder.api import expose
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _

from app.database import db
from app.portal.download import RETRY_SECONDS, paper_response
from app.portal.rest import asking, schema
from app.portal.rest.resource import Operation, RecordApi
from models.document import Document
from models.workflow import load_visible


class DocumentApi(RecordApi):
    """Issued papers."""

    @expose("/<pk>/pdf", methods=["GET"])
    @permission_name("show")
    def pdf(self, pk: str) -> Any:
        asking.signed_in()
        document = load_visible(db.session(), Document, asking.record_key(pk))
        person = asking.demand("can_show", self.class_permission_name)
        paper = paper_response(document, person)
        if paper is None:
            response = self.response(
                503, message=_("This paper is still being made. Please try again in a few seconds.")
            )
            response.headers["Retry-After"] = str(RETRY_SECONDS)
            return response
        return paper

    def operations(self) -> list[Operation]:
        paper = {
            "200": {
                "description": "The paper",
                "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
            }
        }
        waiting = {"503": schema.answer("Not produced yet; see Retry-After", schema.MESSAGE)}
        operation = {
            "operationId": "pdf",
            "summary": "PDF",
            "parameters": [schema.PK_PARAMETER],
            "responses": {**paper, **schema.refusals(403, 404), **waiting},
        }
        return [*super().operations(), ("/{pk}/pdf", "get", operation)]
