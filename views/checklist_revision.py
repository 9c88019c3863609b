"""Proposals to revise a checklist."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.portal.frame import Entry
from app.portal.listing import TabSpec
from app.portal.record_view import RecordView
from models.checklist_revision import ChecklistRevision, RevisionState
from models.viewer import Viewer

PROPOSERS = frozenset({"township_officer", "department_officer"})
RULERS = frozenset({"checklist_manager", "legal_reviewer", "county_leader"})


class ChecklistRevisionView(RecordView):
    model = ChecklistRevision
    readers = PROPOSERS | RULERS
    writers = PROPOSERS
    rest_methods = frozenset({"list", "show", "add", "edit", "delete"})
    group = "checklists"
    columns = ("name", "checklist", "reason", "proposer", "state")
    form_step = "submit"
    step_label = _l("Submit proposal")

    def navigation(self) -> tuple[Entry, ...]:
        return (Entry(_l("Revisions"), "ChecklistRevisionView.list", "ChecklistRevision"),)

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        waiting = todo(person)
        every = TabSpec("all", _("All revisions"))
        return (every,) if waiting is None else (TabSpec("todo", _("To do"), waiting), every)

    def new_title(self) -> str:
        return _("Propose a revision")


def todo(person: Viewer) -> sa.ColumnElement[bool] | None:
    """The proposals that wait for this person; None for those whom none waits for."""
    waiting = []
    if person.has_role("checklist_manager"):
        ready = sa.and_(ChecklistRevision.state == RevisionState.legal_review, ChecklistRevision.lawful.is_not(None))
        waiting += [ChecklistRevision.state == RevisionState.submitted, ready]
    if person.has_role("legal_reviewer"):
        waiting.append(
            sa.and_(ChecklistRevision.state == RevisionState.legal_review, ChecklistRevision.lawful.is_(None))
        )
    if person.has_role(*PROPOSERS):
        waiting.append(ChecklistRevision.state == RevisionState.draft)
    return sa.or_(*waiting) if waiting else None
