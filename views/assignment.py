"""A department's part in a call, its reports and their evaluations: records of their own, seen on the call's page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import redirect
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import selectinload

from app.database import db
from app.portal.frame import Entry
from app.portal.listing import TabSpec
from app.portal.page import Cell
from app.portal.record.listed import drawn
from app.portal.record_view import Failed, RecordView
from models import clock, viewer
from models.call import Assignment, Call
from models.call_report import Evaluation, Report
from models.viewer import Viewer
from models.workflow import load_visible
from views.call import READERS, CallView
from views.work import candidates


class AssignmentView(RecordView):
    """A department's part in a call; it is seen on the call's page."""

    model = Assignment
    step_groups = (
        (_l("Handling"), ("acknowledge", "respond", "report", "log_progress", "take", "hand_on", "urge")),
        (
            _l("Return and extension"),
            (
                "uphold_return", "reject_return", "refer_return", "grant_extension", "refuse_extension", "request_extension",
                "request_return",
            ),
        ),
        (_l("Not to be handled"), ("close_assignment",)),
    )  # fmt: skip
    readers = READERS
    group = "supervision"
    filter_fields = ("call.township", "call.kind", "respond_due")

    def navigation(self) -> tuple[Entry, ...]:
        """For supervisors, what the ladder has listed for a conclusion; everything else stands on the call's page."""
        counted = (Assignment, lambda person: candidates())
        supervisors = frozenset({"supervisor"})
        return (
            Entry(
                _l("To be looked into"), "AssignmentView.list", "Assignment", "candidates", supervisors, counted=counted
            ),
        )

    def url_of(self, record: Any) -> str:
        return str(self.appbuilder.url_of("call", record.call_id))

    @expose("/show/<int:pk>")
    def show(self, pk: int) -> Any:
        self.demand("can_show")
        return redirect(self.url_of(load_visible(db.session(), Assignment, pk)))

    def after_step(self, pk: int) -> str:
        view: CallView = self.appbuilder.view_of("call")
        with viewer.system():
            call_id = db.session.get_one(Assignment, pk).call_id
        return view.after_step(call_id)

    def page_again(self, record: Any, failed: Failed, status: int) -> Any:
        view = self.appbuilder.view_of("call")
        return view.render(load_visible(db.session(), Call, record.call_id, view.page_options()), failed, status)

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        """What the ladder has listed for a conclusion stands before the supervisors (2.2)."""
        found = [TabSpec("all", _("All assignments"))]
        if person.has_role("supervisor"):
            found.insert(0, TabSpec("candidates", _("To be looked into"), candidates()))
        return tuple(found)

    def column_names(self) -> tuple[str, ...]:
        return ("call", "department", "role", "state", "respond_due", "report_due", "marks")

    @drawn(_l("Marks"))
    def cell_marks(self, one: Assignment) -> Cell:
        return Cell("、".join(str(mark.label) for mark in one.marks(clock.now())))

    def load_options(self) -> Sequence[Any]:
        return [*super().load_options(), selectinload(Assignment.reports)]


class ReportView(RecordView):
    """Departments' reports; they are seen on the call's page."""

    model = Report
    readers = READERS

    def url_of(self, record: Any) -> str:
        return str(self.appbuilder.url_of("call", record.assignment.call_id))


class EvaluationView(RecordView):
    """Townships' evaluations, each only for whom it concerns; they are seen on the call's page."""

    model = Evaluation
    readers = READERS - {"checklist_manager", "agency_head"}

    def url_of(self, record: Any) -> str:
        return str(self.appbuilder.url_of("call", record.assignment.call_id))
