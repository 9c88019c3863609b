"""What was asked, agreed and decided in calls: each type with its list; most are read on the call's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import redirect
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload

from app.database import db
from app.portal.frame import Entry
from app.portal.listing import TabSpec
from app.portal.page import Attachment, Cell, Column, RecordPage, Row, Section
from app.portal.record_view import Failed, RecordView
from models import viewer
from models.call import OFFICES, Call
from models.call_link import CallShare
from models.convening import Convening, ConveningState
from models.document import Document
from models.escalation import Escalation, Instruction
from models.event import Event
from models.extension import Extension, ExtensionState
from models.milestone import LongTerm, Milestone, MilestoneState
from models.return_request import ReturnRequest, ReturnState
from models.viewer import Viewer
from models.workflow import load_visible
from views.call import READERS
from views.supervision import Dated
from views.work import OPEN

RULING = frozenset({"dispatcher", "checklist_manager"})


class OfCall(RecordView):
    """A record whose rows in a list open the page of its call, where its steps are taken."""

    readers = READERS

    def url_of(self, record: Any) -> str:
        return str(self.appbuilder.url_of("call", record.thread.id))


class OnCall(OfCall):
    """A record that has no page beside its call's."""

    @expose("/show/<int:pk>")
    def show(self, pk: int) -> Any:
        self.demand("can_show")
        return redirect(self.url_of(load_visible(db.session(), self.model, pk)))


class ReturnRequestView(OfCall):
    model = ReturnRequest
    group = "calls"
    columns = ("assignment", "reason", "state", "due", "ruled_at")

    def navigation(self) -> tuple[Entry, ...]:
        return (
            Entry(
                _l("Rulings on returns"),
                "ReturnRequestView.list",
                "ReturnRequest",
                "open",
                RULING,
                counted=(ReturnRequest, rulings),
            ),
        )

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        return (
            TabSpec("open", _("Waiting for a ruling"), rulings(person)),
            TabSpec("all", _("All return requests")),
        )


def rulings(person: Viewer) -> sa.ColumnElement[bool]:
    """The return requests that wait for a ruling; for the checklist manager those referred to him."""
    if person.has_role("checklist_manager") and not person.has_role("dispatcher"):
        return ReturnRequest.state == ReturnState.referred
    if person.has_role("dispatcher") and not person.has_role("checklist_manager"):
        return ReturnRequest.state == ReturnState.requested
    return ReturnRequest.state.in_((ReturnState.requested, ReturnState.referred))


class ExtensionView(OnCall):
    model = Extension

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        return (
            TabSpec("open", _("Waiting for an answer"), Extension.state == ExtensionState.requested),
            TabSpec("all", _("All extensions")),
        )


class LongTermView(OnCall):
    model = LongTerm


class EscalationView(OnCall):
    model = Escalation


class InstructionView(OfCall):
    model = Instruction
    group = "calls"
    columns = ("day", "leader", "text", "target", "call")

    def navigation(self) -> tuple[Entry, ...]:
        return (Entry(_l("Leaders' instructions"), "InstructionView.list", "Instruction"),)

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        every = TabSpec("all", _("All instructions"))
        if not person.has_role("county_leader"):
            return (every,)
        return (every, TabSpec("idle", _("Mine, without progress"), without_progress(person)))


ACTED_ON = ("respond", "log_progress", "report", "complete_milestone")
"""Steps of a department by which an instruction shows progress."""


def without_progress(person: Viewer) -> sa.ColumnElement[bool]:
    """A leader's own instructions, or those of the leader for whom he acts, in calls under way, on which the department
    named, or where none is named any department, has done nothing since."""
    keys = [person.person_id, *(one.person_id for one in person.deputed if one.role == "county_leader")]
    under_way = sa.select(Call.id).where(Call.state.in_(OPEN))
    by_department = sa.or_(
        Instruction.target_id == Event.actor_organisation_id,
        sa.and_(Instruction.target_id.is_(None), Event.actor_organisation_id != Call.township_id),
    )
    acted = (
        sa.select(Event.id)
        .join(Call, Call.id == Event.thread_id)
        .where(
            Event.thread_type == Call.resource(),
            Event.thread_id == Instruction.call_id,
            Event.kind == "transition",
            Event.name.in_(ACTED_ON),
            Event.at > Instruction.created_at,
            by_department,
        )
    )
    mine = (Instruction.leader_id.in_(keys), Instruction.call_id.in_(under_way))
    with viewer.system():  # events are not his to read; that nothing happened he may know
        idle = db.session.scalars(sa.select(Instruction.id).where(*mine, ~acted.exists())).all()
    return Instruction.id.in_(idle)


class CallShareView(OnCall):
    model = CallShare


class MilestoneView(Dated):
    """What the township thinks of a milestone is read by itself, the department evaluated and the offices alone (1, no retaliation)."""

    model = Milestone
    readers = READERS
    group = "calls"
    columns = ("text", "call", "department", "day", "state", "deadline")
    sortable = ("text", "department", "day", "state")
    guarded = frozenset({"satisfaction", "comment", "evaluated_at"})

    def navigation(self) -> tuple[Entry, ...]:
        working = frozenset({"department_officer", "township_officer"})
        return (
            Entry(
                _l("Milestones"),
                "MilestoneView.list",
                "Milestone",
                "todo",
                working,
                counted=(Milestone, milestones_todo),
            ),
        )

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        found = []
        waiting = milestones_todo(person)
        if waiting is not None:
            found.append(TabSpec("todo", _("To do"), waiting))
        found.append(TabSpec("open", _("Under way"), Milestone.state == MilestoneState.open))
        found.append(TabSpec("all", _("All milestones")))
        return tuple(found)

    def due(self, record: Any) -> datetime | None:
        return record.due if record.state == MilestoneState.open else None

    def withheld(self, record: Any, person: Viewer) -> frozenset[str]:
        return self.withheld_of([record], person)[record.id]

    def withheld_of(self, records: Sequence[Any], person: Viewer) -> Mapping[int, frozenset[str]]:
        foreign = [one for one in records if one.department_id != person.organisation_id]
        if person.has_role(*OFFICES) or not foreign:
            return {one.id: frozenset() for one in records}
        townships = sa.select(Call.id).where(
            Call.id.in_([one.call_id for one in foreign]), Call.township_id == person.organisation_id
        )
        own = set(db.session.scalars(townships))
        hidden = {one.id for one in foreign if one.call_id not in own}
        return {one.id: self.guarded if one.id in hidden else frozenset() for one in records}


def milestones_todo(person: Viewer) -> sa.ColumnElement[bool] | None:
    """The milestones that wait for this person: to be completed by his department, evaluated by his township."""
    found: list[sa.ColumnElement[bool]] = []
    if person.has_role("department_officer"):
        found.append(sa.and_(Milestone.department_id == person.organisation_id, Milestone.state == MilestoneState.open))
    if person.has_role("township_officer"):
        own = sa.select(Call.id).where(Call.township_id == person.organisation_id)
        unevaluated = (Milestone.state == MilestoneState.completed, Milestone.evaluated_at.is_(None))
        found.append(sa.and_(Milestone.call_id.in_(own), *unevaluated))
    return sa.or_(*found) if found else None


class ConveningView(RecordView):
    model = Convening
    readers = READERS
    columns = ("call", "at", "place", "state")

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        return (
            TabSpec("planned", _("Called together"), Convening.state == ConveningState.planned),
            TabSpec("all", _("All meetings")),
        )

    def page_options(self) -> Sequence[Any]:
        return [joinedload(Convening.call)]

    def record_page(self, record: Convening, failed: Failed | None) -> RecordPage:
        page = super().record_page(record, failed)
        return replace(page, main_sections=(attendance(record),), documents=self._papers(record))

    def _papers(self, meeting: Convening) -> tuple[Attachment, ...]:
        """The record on paper, once it was kept."""
        about = (Document.about_type == Convening.resource(), Document.about_id == meeting.id)
        view = self.appbuilder.view_of("document")
        return tuple(
            Attachment(one.file_name, view.url("pdf", pk=one.id), ready=one.sha256 is not None)
            for one in db.session.scalars(sa.select(Document).where(*about).order_by(Document.id))
        )


def attendance(meeting: Convening) -> Section:
    """Who was called to a meeting, and who came."""
    rows = tuple(
        Row(
            key=str(one.id),
            url="",
            cells=(
                Cell(one.organisation.short_name),
                Cell(str(one.attendance.label) if one.attendance is not None else _("not recorded yet")),
                Cell(one.names or one.excuse),
            ),
            title=one.organisation.short_name,
        )
        for one in meeting.invitees
    )
    columns = (
        Column("organisation", _("Organisation")),
        Column("attendance", _("Attendance")),
        Column("names", _("Names, or why nobody came")),
    )
    return Section(_("Who was called"), columns=columns, rows=rows)
