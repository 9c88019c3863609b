"""Settings of the county."""

from __future__ import annotations

from app.portal.record_view import RecordView
from models.setting import Setting


class SettingView(RecordView):
    model = Setting
    readers = frozenset({"system_administrator"})
    writers = frozenset({"system_administrator"})
    rest_methods = frozenset({"list", "show", "add", "edit", "delete"})
    group = "administration"
