"""Settings of the county."""

from __future__ import annotations

from typing import Any

from app.portal.page import Cell, Fact
from app.portal.record_view import RecordView
from models.setting import Setting


class SettingView(RecordView):
    model = Setting
    readers = frozenset({"system_administrator"})
    writers = frozenset({"system_administrator"})
    rest_methods = frozenset({"list", "show", "add", "edit", "delete"})
    group = "administration"

    def cell_value(self, setting: Setting) -> Cell:
        return Cell(setting.words)

    def facts(self, record: Any) -> tuple[Fact, ...]:
        return tuple(
            Fact(fact.label, Cell(record.words)) if fact.cell.text == record.value else fact
            for fact in super().facts(record)
        )
