"""Canned texts: what an organisation writes again and again, kept by its officers for themselves."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import jsonify
from flask_appbuilder import expose
from flask_babel import lazy_gettext as _l

from app.database import db
from app.portal.frame import Entry
from app.portal.record_view import RecordView
from models.canned_text import CannedText

KEEPERS = frozenset(
    {"township_officer", "department_officer", "dispatcher", "office_director", "supervisor", "duty_officer"}
)


MOST = 50
"""Texts that are offered at a field."""


class CannedTextView(RecordView):
    model = CannedText
    readers = KEEPERS
    writers = KEEPERS
    rest_methods = frozenset({"list", "show", "add", "edit", "delete"})
    group = "calls"

    @expose("/mine")
    def mine(self) -> Any:
        """As JSON: the texts of this person's organisation, for the fields of steps."""
        self.demand("can_list")
        found = db.session.scalars(sa.select(CannedText).order_by(CannedText.name).limit(MOST))
        return jsonify([{"name": one.name, "text": one.text} for one in found])

    def navigation(self) -> tuple[Entry, ...]:
        return (Entry(_l("Canned texts"), "CannedTextView.list", "CannedText"),)
