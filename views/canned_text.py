"""Canned texts: what an organisation writes again and again, kept by its officers for themselves."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.portal.frame import Entry
from app.portal.record_view import RecordView
from models.canned_text import CannedText

KEEPERS = frozenset(
    {"township_officer", "department_officer", "dispatcher", "office_director", "supervisor", "duty_officer"}
)


class CannedTextView(RecordView):
    model = CannedText
    readers = KEEPERS
    writers = KEEPERS
    rest_methods = frozenset({"list", "show", "add", "edit", "delete"})
    group = "calls"

    def navigation(self) -> tuple[Entry, ...]:
        return (Entry(_l("Canned texts"), "CannedTextView.list", "CannedText"),)
