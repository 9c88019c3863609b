"""Supervision as people see it: inspections, conclusions, rectification orders, reviews (2.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload

from app.database import db
from app.portal.deadline import Measure, running
from app.portal.listing import TabSpec
from app.portal.page import Badge, Button, Cell, Column, Fact, RecordPage, Row, Section
from app.portal.record.listed import drawn
from app.portal.record_view import Failed, RecordView
from app.portal.timeline import entries, happened
from app.portal.words import pill
from models import clock, viewer
from models.base import fields_of
from models.calendar import work_calendar
from models.conclusion import Conclusion, ConclusionState
from models.conclusion_workflow import reviewable
from models.inspection import Inspection, InspectionState
from models.rectification import Rectification, RectificationState
from models.review import ReviewRequest, ReviewState
from models.viewer import Viewer
from views.document import papers_about

SUPERVISORS = frozenset({"supervisor"})
HEARD = frozenset({"supervisor", "county_leader", "department_officer"})


class Dated(RecordView):
    """A record type with one deadline that runs in one of its states."""

    def due(self, record: Any) -> datetime | None:
        """The deadline that runs now, or None."""
        raise NotImplementedError

    def badge(self, record: Any) -> Badge | None:
        due = self.due(record)
        if due is None:
            return None
        return running(due, clock.now(), Measure(work_calendar(db.session(), record.county_id)))

    @drawn(_l("Deadline"))
    def cell_deadline(self, record: Any) -> Cell:
        return Cell(badge=self.badge(record))

    def record_page(self, record: Any, failed: Failed | None) -> RecordPage:
        page = super().record_page(record, failed)
        papers = papers_about(record, self.appbuilder.view_of("document").url)
        return replace(
            page,
            number=getattr(record, "number", None) or "",
            badge=self.badge(record),
            documents=(*page.documents, *papers),
        )


class InspectionView(RecordView):
    model = Inspection
    readers = SUPERVISORS
    writers = SUPERVISORS
    rest_methods = frozenset({"list", "show", "add", "edit", "delete"})
    group = "supervision"
    columns = ("subject", "reason", "kind", "target", "planned_on", "state", "verdict")

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        """In progress; what evaluations put into the queue and nobody took up; all."""
        waiting = (Inspection.state == InspectionState.draft, Inspection.reason.is_not(None))
        return (
            TabSpec("open", _("In progress"), Inspection.state.in_((InspectionState.draft, InspectionState.under_way))),
            TabSpec("queue", _("Queue"), sa.and_(*waiting)),
            TabSpec("all", _("All inspections")),
        )

    def record_page(self, record: Inspection, failed: Failed | None) -> RecordPage:
        """What is looked at: calls and matters of the list."""
        page = super().record_page(record, failed)
        calls = tuple(
            _row(
                one.call_id, self.page_url("call", one.call_id), (one.call.number or "", one.call.title), one.call.state
            )
            for one in record.calls
            if one.call is not None
        )
        items = tuple(
            _row(one.item_id, self.page_url("checklist_item", one.item_id), (str(one.item.number), one.item.name))
            for one in record.items
            if one.item is not None
        )
        return replace(
            page,
            main_sections=(
                Section(
                    _("Calls inspected"),
                    columns=(Column("number", _("Number")), Column("title", _("Matter")), Column("state", _("State"))),
                    rows=calls,
                    empty=_("No calls."),
                ),
                Section(
                    _("Matters inspected"),
                    columns=(Column("number", _("Number")), Column("name", _("Matter"))),
                    rows=items,
                    empty=_("No matters of the list."),
                ),
            ),
        )

    def timeline_titles(self, record: Any) -> Mapping[tuple[str, int], str]:
        calls = {("inspection_call", one.id): one.call.number or one.call.title for one in record.calls if one.call}
        return calls | {("inspection_item", one.id): one.item.name for one in record.items if one.item}

    def record_buttons(self, record: Any, person: Viewer) -> tuple[Button, ...]:
        """A conclusion is drawn from an inspection by one click."""
        buttons = super().record_buttons(record, person)
        if record.state != InspectionState.done or not person.may("can_add", "Conclusion"):
            return buttons
        view = self.appbuilder.view_of("conclusion")
        given = {"inspection": record.id, "department": record.target_id, "matter": record.subject}
        if len(record.calls) == 1:
            given["call"] = record.calls[0].call_id
        return (*buttons, Button(_("Draft conclusion"), view.url("add", **given), icon="gavel"))


def _row(key: int, url: str, texts: tuple[str, ...], state: Any = None) -> Row:
    cells = [Cell(text) for text in texts]
    cells[-1] = Cell(texts[-1], url=url)
    if state is not None:
        cells.append(Cell(pill=pill(state)))
    return Row(
        str(key), url, tuple(cells), texts[-1], subtitle=texts[0], pill=pill(state) if state is not None else None
    )


class ConclusionView(Dated):
    model = Conclusion
    readers = HEARD
    writers = SUPERVISORS
    rest_methods = frozenset({"list", "show", "add", "edit", "delete"})
    group = "supervision"
    columns = ("number", "department", "matter", "finding", "state", "deadline", "served_at")
    unrelated = frozenset({"rectification", "review_request"})

    def due(self, record: Conclusion) -> datetime | None:
        return record.explain_due if record.state == ConclusionState.explaining else None

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        return (
            TabSpec("open", _("In progress"), Conclusion.state != ConclusionState.served),
            TabSpec("served", _("Served"), Conclusion.state == ConclusionState.served),
            TabSpec("all", _("All conclusions")),
        )

    def cell_number(self, record: Conclusion) -> Cell:
        return Cell(record.number or _("No number yet"))

    def facts(self, record: Any) -> tuple[Fact, ...]:
        """The assignment is the department's part in the call: both are named already."""
        label = str(fields_of(Conclusion)["assignment"].label)
        return tuple(fact for fact in super().facts(record) if fact.label != label)

    def timeline(self, record: Conclusion) -> Any:
        """How the draft came about is the supervisors' own business: the others read from the request to explain on."""
        person = self.person()
        found = happened(db.session(), record, person, sees_all=False)
        if not person.has_role("supervisor"):
            asked = next((one.event.sequence for one in found if one.event.name == "ask_explanation"), 0)
            found = [one for one in found if one.event.sequence >= asked]
        return entries(found, {}, self.document_urls(found))

    def record_page(self, record: Conclusion, failed: Failed | None) -> RecordPage:
        page = super().record_page(record, failed)
        following = (*_orders(self, record), *_reviews(self, record))
        section = Section(
            _("What followed"),
            columns=(Column("what", _("What")), Column("title", _("Title")), Column("state", _("State"))),
            rows=following,
        )
        return replace(page, main_sections=(section,) if following else ())

    def record_buttons(self, record: Any, person: Viewer) -> tuple[Button, ...]:
        """The department concerned asks for a review from here, as long as its time runs."""
        buttons = super().record_buttons(record, person)
        with viewer.system():
            open_ = reviewable(record)
        if not open_ or record.department_id != person.organisation_id or _reviews(self, record):
            return buttons
        if not person.may("can_add", "ReviewRequest"):
            return buttons
        view = self.appbuilder.view_of("review_request")
        return (*buttons, Button(_("Ask for review"), view.url("add", conclusion=record.id), icon="scale"))


def _orders(view: RecordView, conclusion: Conclusion) -> tuple[Row, ...]:
    """The rectification that a conclusion led to, as far as this viewer sees it."""
    rows = db.session.scalars(sa.select(Rectification).where(Rectification.conclusion_id == conclusion.id))
    return tuple(
        _row(one.id, view.page_url("rectification", one.id), (str(Rectification.label), one.number), one.state)
        for one in rows
    )


def _reviews(view: RecordView, conclusion: Conclusion) -> tuple[Row, ...]:
    rows = db.session.scalars(sa.select(ReviewRequest).where(ReviewRequest.conclusion_id == conclusion.id))
    return tuple(
        _row(one.id, view.page_url("review_request", one.id), (str(ReviewRequest.label), one.title), one.state)
        for one in rows
    )


class RectificationView(Dated):
    model = Rectification
    readers = HEARD
    group = "supervision"
    columns = ("number", "department", "conclusion", "state", "round", "deadline")

    def due(self, record: Rectification) -> datetime | None:
        return record.due if record.state == RectificationState.ordered else None

    def load_options(self) -> Sequence[Any]:
        return [
            joinedload(Rectification.department),
            joinedload(Rectification.conclusion).joinedload(Conclusion.department),
        ]

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        states = [
            state
            for role, state in (
                ("department_officer", RectificationState.ordered),
                ("supervisor", RectificationState.reported),
            )
            if person.has_role(role)
        ]
        every = TabSpec("all", _("All orders"))
        return (TabSpec("todo", _("To do"), Rectification.state.in_(states)), every) if states else (every,)


def to_decide(person: Viewer) -> sa.ColumnElement[bool]:
    """The reviews on which an examination has reported, to whoever did not examine them himself."""
    reported = (ReviewRequest.state == ReviewState.examining, ReviewRequest.opinion != "")
    return sa.and_(*reported, ReviewRequest.examined_by_id != person.person_id)


class ReviewRequestView(Dated):
    model = ReviewRequest
    readers = HEARD
    writers = frozenset({"department_officer"})
    rest_methods = frozenset({"list", "show", "add"})
    group = "supervision"
    columns = ("department", "conclusion", "filed_at", "state", "outcome", "deadline")

    @classmethod
    def grants(cls) -> dict[str, frozenset[str]]:
        """What was filed is neither changed nor deleted by anybody."""
        found = super().grants()
        return {name: roles for name, roles in found.items() if name not in ("can_edit", "can_delete")}

    def due(self, record: ReviewRequest) -> datetime | None:
        return record.decide_due if record.state != ReviewState.decided else None

    def load_options(self) -> Sequence[Any]:
        return [
            joinedload(ReviewRequest.department),
            joinedload(ReviewRequest.conclusion).joinedload(Conclusion.department),
        ]

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        found = (
            TabSpec("open", _("In progress"), ReviewRequest.state != ReviewState.decided),
            TabSpec("all", _("All reviews")),
        )
        if not person.has_role("county_leader"):
            return found
        return (*found, TabSpec("to_decide", _("To decide"), to_decide(person)))

    def new_title(self) -> str:
        return _("Ask for review")
