"""Checklists and their items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from app.database import db
from app.portal.page import Button, Cell, Column, Fact, RecordPage, Row, Section
from app.portal.record_view import Failed, RecordView
from models.checklist import Checklist, ChecklistItem
from models.person import ROLES
from models.viewer import Viewer

EVERYONE = frozenset(ROLES)


class ChecklistView(RecordView):
    model = Checklist
    readers = EVERYONE
    unrelated = frozenset({"checklist_item"})
    group = "checklists"

    def record_page(self, record: Checklist, failed: Failed | None) -> RecordPage:
        """The whole list on its page: number, field, matter."""
        page = super().record_page(record, failed)
        items = db.session.scalars(
            sa.select(ChecklistItem).where(ChecklistItem.checklist_id == record.id).order_by(ChecklistItem.number)
        ).all()
        view = self.appbuilder.view_of("checklist_item")
        rows = tuple(
            Row(
                str(item.id),
                view.url("show", pk=item.id),
                (
                    Cell(str(item.number), number=True),
                    Cell(item.field),
                    Cell(item.name, url=view.url("show", pk=item.id)),
                ),
                item.name,
            )
            for item in items
        )
        columns = (Column("number", _("Number"), number=True), Column("field", _("Field")), Column("name", _("Matter")))
        return replace(
            page, main_sections=(Section(_("Matters"), columns=columns, rows=rows, empty=_("No matters yet.")),)
        )


class ChecklistItemView(RecordView):
    model = ChecklistItem
    readers = EVERYONE
    group = "checklists"
    columns = ("number", "field", "name", "checklist")

    def load_options(self) -> Sequence[Any]:
        return [joinedload(ChecklistItem.checklist)]

    def record_page(self, record: ChecklistItem, failed: Failed | None) -> RecordPage:
        """Who is responsible for what, in the words of the list."""
        page = super().record_page(record, failed)
        duties = tuple(Fact(f"{duty.party}（{duty.kind.label}）", Cell(duty.text), long=True) for duty in record.duties)
        return replace(page, body=(*duties, *page.body), number=_("Item %(number)d", number=record.number))

    def record_buttons(self, record: Any, person: Viewer) -> tuple[Button, ...]:
        buttons = super().record_buttons(record, person)
        if not person.may("can_add", "Call"):
            return buttons
        view = self.appbuilder.view_of("call")
        return (
            *buttons,
            Button(_("Raise a call citing this item"), view.url("add", checklist_item=record.id), icon="speakerphone"),
        )
