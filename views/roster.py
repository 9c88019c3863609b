"""Duty roster and liaisons: who can be reached."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.portal.listing import TabSpec
from app.portal.page import Cell
from app.portal.record.listed import drawn
from app.portal.record_view import RecordView
from models import clock
from models.person import ROLES
from models.roster import KEEPERS, DutyShift, Liaison
from models.viewer import Viewer

ORGANISATIONS_KEEP = KEEPERS | {"supervisor", "township_officer", "department_officer", "agency_head"}
ALL_METHODS = frozenset({"list", "show", "add", "edit", "delete"})


class DutyShiftView(RecordView):
    model = DutyShift
    readers = frozenset(ROLES)
    writers = ORGANISATIONS_KEEP
    rest_methods = ALL_METHODS
    group = "directory"
    columns = ("organisation", "person", "phone", "begins", "ends", "position")

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        now = clock.now()
        return (
            TabSpec("now", _("On duty now"), (DutyShift.begins <= now) & (DutyShift.ends > now)),
            TabSpec("coming", _("Coming"), DutyShift.begins > now),
            TabSpec("all", _("All shifts")),
        )


class LiaisonView(RecordView):
    model = Liaison
    readers = frozenset(ROLES)
    writers = ORGANISATIONS_KEEP
    rest_methods = ALL_METHODS
    group = "directory"
    columns = ("organisation", "person", "phone", "substitute", "in_service")

    @drawn(_l("In service"))
    def cell_in_service(self, liaison: Liaison) -> Cell:
        return Cell(_("Yes") if liaison.active else _("No"))
