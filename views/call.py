"""Calls as people see them: lists by work, the record page with departments and their clocks (face, Record page)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from flask import flash, jsonify, redirect, render_template, request
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session, joinedload, load_only, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from app.database import db, transaction
from app.portal.contact import reads_phone, without_phone
from app.portal.deadline import Measure, clocks, exact, running, short
from app.portal.export import ExportColumn
from app.portal.forms import RecordForm
from app.portal.frame import Entry
from app.portal.listing import TabSpec
from app.portal.page import Attachment, Badge, Button, Cell, Clock, Fact, Link, Part, RecordPage, Section
from app.portal.papers import NotTogether, papers_response
from app.portal.record.listed import drawn
from app.portal.record_view import Failed, RecordView
from app.portal.words import pill
from models import clock, viewer
from models.calendar import work_calendar
from models.call import Assignment, Call
from models.call_papers import papers_of_call
from models.call_party import due_of
from models.call_report import Evaluation
from models.call_words import AssignmentState, CallState
from models.checklist import ChecklistItem
from models.document import Document
from models.organisation import Organisation
from models.paper import issue, platform_office
from models.person import Person
from models.refusal import Conflict, Forbidden, NotFound
from models.return_request import ReturnRequest
from models.similar_calls import similar_calls
from models.viewer import Viewer
from models.workflow import Transition, load_visible
from views import call_time
from views.call_page import dependent_titles, escalations, headline, load_beside, main_sections, part_facts
from views.work import OPEN, emergencies, nearest, overdue, todo, unconfirmed

OFFICES = frozenset({"dispatcher", "office_director", "supervisor", "county_leader", "duty_officer", "city_reader"})
WORKING = frozenset(
    {
        "township_officer",
        "department_officer",
        "dispatcher",
        "office_director",
        "checklist_manager",
        "county_leader",
        "duty_officer",
    }
)
"""Roles for whom single calls wait (`views.work.todo`)."""
READERS = OFFICES | {"township_officer", "department_officer", "checklist_manager", "agency_head"}


def sees_all_values(call: Call, person: Viewer) -> bool:
    """Evaluations: the township its own, the offices all; a department only what concerns it (1, no retaliation)."""
    return person.has_role(*OFFICES) or call.township_id == person.organisation_id


def call_badge(call: Call, person: Viewer, measure: Measure) -> Badge | None:
    """The deadline that counts for this person now: a department's own, else the nearest of the call."""
    now = clock.now()
    if call.state == CallState.submitted and call.accept_due is not None:
        return running(call.accept_due, now, measure)
    if call.state == CallState.accepted and call.dispatch_due is not None:
        return running(call.dispatch_due, now, measure)
    if call.state != CallState.dispatched:
        return None
    own = [one for one in call.assignments if one.department_id == person.organisation_id] or call.assignments
    due = [found for found in (due_of(one) for one in own) if found is not None]
    return running(min(due), now, measure) if due else None


class CallView(RecordView):
    model = Call
    readers = READERS
    writers = frozenset({"township_officer"})
    rest_methods = frozenset({"list", "show", "add", "edit", "delete"})
    group = "calls"
    columns = ("number", "title", "township", "departments", "state", "deadline", "changed")
    guarded = frozenset({"contact_phone"})
    filter_fields = ("kind", "checklist_item", "submitted_at")
    unrelated = frozenset(
        {"assignment", "call", "milestone", "long_term", "convening", "escalation", "instruction", "call_share"}
    )
    all_tab = "all"
    folded = frozenset({"happened_at", "contact_name", "contact_phone", "agreed_by", "source", "external_number"})
    form_step = "submit"
    step_label = _l("Submit call")
    step_groups = (
        (
            _l("Handling"),
            (
                "submit", "confirm", "dispatch", "accept", "complete", "evaluate", "change_evaluation", "log_progress", "send_back",
                "decide_escalation", "approve_long_term", "endorse_long_term", "grant_objection", "refuse_objection", "refuse_long_term",
                "regularise", "end_long_term",
            ),
        ),
        (_l("Departments"), ("add_department", "reassign", "merge")),
        (_l("Coordination"), ("convene", "escalate", "instruct", "request_long_term", "follow_up", "object")),
        (_l("Beside it"), ("comment", "share")),
        (_l("Not to be handled"), ("return_for_completion", "decline", "withdraw")),
    )  # fmt: skip

    def navigation(self) -> tuple[Entry, ...]:
        return (
            Entry(_l("To do"), "CallView.list", "Call", "todo", WORKING, counted=(Call, todo)),
            Entry(_l("In progress"), "CallView.list", "Call", "open"),
            Entry(_l("Overdue"), "CallView.list", "Call", "overdue", counted=(Call, overdue)),
            Entry(_l("All calls"), "CallView.list", "Call", "all"),
        )

    def load_options(self) -> Sequence[Any]:
        # Of other records only what a row shows: a list is read more often than anything else.
        shown = (Assignment.call_id, Assignment.department_id, Assignment.state, Assignment.position)
        clocks_ = (Assignment.respond_due, Assignment.report_due, Assignment.stopped_at, Assignment.paused_at)
        name = (Organisation.name, Organisation.short_name)
        return [
            joinedload(Call.township).load_only(*name),
            selectinload(Call.assignments).options(
                load_only(*shown, *clocks_), joinedload(Assignment.department).load_only(*name)
            ),
        ]

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        found = []
        if person.has_role(*WORKING):
            found.append(TabSpec("todo", _("To do"), lambda: todo(person)))
        found.append(TabSpec("open", _("In progress"), Call.state.in_(OPEN)))
        found.append(TabSpec("overdue", _("Overdue"), lambda: overdue(person)))
        found.append(TabSpec("all", _("All calls")))
        if person.has_role("township_officer"):
            found.append(TabSpec("drafts", _("Drafts"), Call.state == CallState.draft))
        if person.has_role("duty_officer"):
            found.append(TabSpec("emergencies", _("Emergencies under way"), emergencies()))
            found.append(TabSpec("unconfirmed", _("My entries, not confirmed"), unconfirmed(person)))
        return tuple(found)

    def new_title(self) -> str:
        return _("Raise a call")

    def record_form(self, record: Any, *, submitted: bool) -> RecordForm:
        """While the title is typed, calls like it are suggested, so that no matter is raised twice."""
        return self._suggesting(super().record_form(record, submitted=submitted), record)

    def begin_form(self, record: Any, transition: Transition, person: Viewer) -> RecordForm:
        return self._suggesting(super().begin_form(record, transition, person), record)

    def _suggesting(self, form: RecordForm, record: Call) -> RecordForm:
        given = {"data-similar": self.url("similar", but=record.id), "data-similar-title": _("Calls like this one")}
        form["title"].render_kw = {**(form["title"].render_kw or {}), **given}
        return form

    @expose("/similar")
    def similar(self) -> Any:
        """As JSON: the calls whose title is like the one being typed, those alone that this person sees."""
        self.demand("can_list")
        title, but = request.args.get("title", "")[:200], request.args.get("but", "")
        return jsonify(
            [
                {
                    "title": " ".join(filter(None, (one.number, one.title))),
                    "state": str(one.state.label),
                    "url": self.url("show", pk=one.id),
                }
                for one in similar_calls(db.session(), title, clock.now())
                if str(one.id) != but
            ]
        )

    def measure(self, call: Call) -> Measure:
        return Measure(work_calendar(db.session(), call.county_id), wall=call.emergency)

    def cell_number(self, call: Call) -> Cell:
        return Cell(call.number or _("Draft"))

    def cell_title(self, call: Call) -> Cell:
        return Cell(call.title or _("(no title yet)"))

    @drawn(_l("Departments"))
    def cell_departments(self, call: Call) -> Cell:
        names = [one.department.short_name for one in call.assignments if one.state != AssignmentState.returned]
        return Cell("、".join(names[:3]) + (_(" and %(count)d more", count=len(names) - 3) if len(names) > 3 else ""))

    @drawn(_l("Deadline"))
    def cell_deadline(self, call: Call) -> Cell:
        return Cell(badge=call_badge(call, self.person(), self.measure(call)))

    @drawn(_l("Changed"))
    def cell_changed(self, call: Call) -> Cell:
        return Cell(short(call.changed_at))

    def export_columns(self) -> tuple[ExportColumn, ...]:
        return (*super().export_columns(), *call_time.export_columns())

    # Page

    def sees_all_values(self, record: Any, person: Viewer) -> bool:
        return sees_all_values(record, person)

    def withheld(self, record: Any, person: Viewer) -> frozenset[str]:
        return frozenset() if reads_phone(record, person) else frozenset({"contact_phone"})

    def withheld_of(self, records: Sequence[Any], person: Viewer) -> Mapping[int, frozenset[str]]:
        return {key: frozenset({"contact_phone"}) for key in without_phone(db.session(), records, person)}

    def record_page(self, record: Call, failed: Failed | None) -> RecordPage:
        person = self.person()
        call = record
        beside = load_beside(db.session(), call, sees_merged=person.has_role(*OFFICES))
        evaluations = self._evaluations(call)
        page = super().record_page(call, failed)
        documents = self._papers(call)
        parts = tuple(self._part(one, evaluations, failed) for one in call.assignments)
        return replace(
            page,
            title=call.title or _("(no title yet)"),
            number=call.number or "",
            badge=call_badge(call, person, self.measure(call)),
            emergency=_("Emergency") if call.emergency else "",
            main_sections=main_sections(call, beside, self.page_url, person),
            parts_title=_("Departments"),
            parts=tuple(sorted(parts, key=lambda part: not part.mine)),
            sections=(*call_time.sections(call, self.url("time", pk=call.id)), *page.sections),
            documents=self._documents(documents),
            buttons=(*page.buttons, *self._paper_buttons(call, documents)),
            next_item=self._next_item(call),
        )

    @expose("/show/<int:pk>")
    def show(self, pk: int) -> Any:
        """A call's page. That a department opened it first is kept."""
        person = self.demand("can_show")
        call: Call = load_visible(db.session(), Call, pk, self.page_options())
        note_opening(db.session(), call, person)
        return self.render(call)

    @expose("/time/<int:pk>")
    def time(self, pk: int) -> Any:
        """Where the time of a call went."""
        self.demand("can_show")
        call: Call = load_visible(db.session(), Call, pk, self.load_options())
        if call.submitted_at is None:
            raise NotFound(_l("A draft took no time yet."))
        page = call_time.time_page(call, self.url("show", pk=pk))
        return render_template("time.html", page=page, frame_active=(self.group, ""))

    def after_step(self, pk: int) -> str:
        """The new draft where a call was continued; else the page again, which leads on to the next item of the work list."""
        if request.view_args is not None and request.view_args.get("name") == "follow_up":
            made = db.session.scalar(sa.select(sa.func.max(Call.id)).where(Call.follows_id == pk))
            if made is not None:
                return self.url("edit", pk=made)
        visible = db.session.scalar(sa.select(Call.id).where(Call.id == pk))
        return self.url("show", pk=pk, next=1) if visible is not None else self.url("list")

    def _next_item(self, call: Call) -> Link | None:
        """After a step: what waits next for this person."""
        if not request.args.get("next"):
            return None
        found = nearest(db.session(), self.person(), 1, without=call.id)
        if not found:
            return Link(_("Nothing else waits for you."), self.url("list"))
        one = found[0]
        title = " ".join(filter(None, (one.number, one.title or _("(no title yet)"))))
        return Link(_("Next: %(what)s", what=title), self.url("show", pk=one.id))

    @staticmethod
    def _evaluations(call: Call) -> Mapping[tuple[int, int], Evaluation]:
        """The evaluations that this viewer sees, asked for afresh: a relation may have been loaded by the system."""
        keys = [one.id for one in call.assignments if one.reports or one.state == AssignmentState.missed]
        found = db.session.scalars(sa.select(Evaluation).where(Evaluation.assignment_id.in_(keys))) if keys else ()
        return {(one.assignment_id, one.round): one for one in found}

    def page_options(self) -> Sequence[Any]:
        return [
            joinedload(Call.township),
            joinedload(Call.checklist_item).selectinload(ChecklistItem.duties),
            selectinload(Call.assignments).options(
                joinedload(Assignment.department),
                joinedload(Assignment.return_request).joinedload(ReturnRequest.item),
                joinedload(Assignment.extension),
                joinedload(Assignment.taken_by),
                joinedload(Assignment.opened_by),
                joinedload(Assignment.agency),
                selectinload(Assignment.reports),
            ),
        ]

    def body(self, record: Any) -> tuple[Fact, ...]:
        remark = (Fact(_("Remark of the office"), Cell(record.remark), long=True),) if record.remark else ()
        description = Fact(_("Description"), Cell(record.description or _("Nothing described yet.")), long=True)
        return (*headline(record), description, *remark)

    def facts(self, record: Any) -> tuple[Fact, ...]:
        person, call = self.person(), record
        phone = call.contact_phone if reads_phone(call, person) else ""
        values = (
            (_("Township"), call.township.short_name, ""),
            (_("Field"), call.field, ""),
            (_("Place"), call.place, ""),
            (_("Contact person"), call.contact_name, ""),
            (_("Contact telephone"), phone, f"tel:{phone}" if phone else ""),
            (_("Agreed by"), call.agreed_by, ""),
            (_("Source"), " ".join(filter(None, (str(call.source.label), call.external_number))), ""),
            (_("Happened at"), exact(call.happened_at) if call.happened_at else "", ""),
            (_("Submitted"), exact(call.submitted_at) if call.submitted_at else "", ""),
            (_("Accepted"), exact(call.accepted_at) if call.accepted_at else "", ""),
            (_("Dispatched"), exact(call.dispatched_at) if call.dispatched_at else "", ""),
            (_("Ended"), exact(call.ended_at) if call.ended_at else "", ""),
        )
        return tuple(Fact(label, Cell(text, url=url)) for label, text, url in values if text)

    def sections(self, record: Any) -> tuple[Section, ...]:
        """What was brought before a leader; the cited checklist item with its duties: who is responsible for what."""
        brought = escalations(record)
        found = (brought,) if brought is not None else ()
        item: ChecklistItem | None = record.checklist_item
        if item is None:
            return found
        facts = tuple(Fact(f"{duty.party}（{duty.kind.label}）", Cell(duty.text), long=True) for duty in item.duties)
        head = Fact(
            _("Item %(number)d", number=item.number), Cell(item.name, url=self.page_url("checklist_item", item.id))
        )
        return (*found, Section(_("Checklist item"), (head, *facts)))

    def _part(self, one: Assignment, evaluations: Mapping[Any, Evaluation], failed: Failed | None) -> Part:
        person = self.person()
        facts = list(part_facts(one))
        if one.responded_at is not None and one.response_manner is not None:
            words = [str(one.response_manner.label), one.response_whom, exact(one.response_at or one.responded_at)]
            facts.append(Fact(_("Response"), Cell("，".join(filter(None, words)))))
            if one.response_plan:
                facts.append(Fact(_("Plan"), Cell(one.response_plan), long=True))
        for round_ in range(1, one.round + 1):
            suffix = _(", round %(round)d", round=round_) if one.round > 1 else ""
            report, evaluation = one.report_of(round_), evaluations.get((one.id, round_))
            if report is not None:
                text = f"{report.solved.label}：{report.result}" + (f"\n{report.reason}" if report.reason else "")
                facts.append(Fact(_("Report") + suffix, Cell(text), long=True))
            if evaluation is not None:
                text = f"{evaluation.satisfaction.label}，{evaluation.solved.label}" + (
                    f"\n{evaluation.comment}" if evaluation.comment else ""
                )
                facts.append(Fact(_("Evaluation") + suffix, Cell(text), long=True))
        marks = one.marks(clock.now())
        if marks:
            facts.append(Fact(_("Marks"), Cell("、".join(str(mark.label) for mark in marks))))
        view: RecordView = self.appbuilder.view_of("assignment")
        running_clocks: tuple[Clock, ...] = clocks(one, clock.now(), self.measure(one.call))
        return Part(
            title=one.department.name,
            subtitle=str(one.role.label),
            pill=pill(one.state),
            clocks=running_clocks,
            facts=tuple(facts),
            actions=view.actions(one, failed),
            mine=one.department_id == person.organisation_id,
        )

    def timeline_titles(self, record: Any) -> Mapping[tuple[str, int], str]:
        return dependent_titles(record)

    # Papers

    @staticmethod
    def _papers(call: Call) -> Sequence[Document]:
        """The papers of a call that this person sees, in the order in which they were issued."""
        query = sa.select(Document).where(papers_of_call(call.id)).order_by(Document.id)
        return db.session.scalars(query).all()

    def _documents(self, documents: Sequence[Document]) -> tuple[Attachment, ...]:
        view = self.appbuilder.view_of("document")
        return tuple(
            Attachment(f"{one.number} {one.name}", view.url("pdf", pk=one.id), ready=one.sha256 is not None)
            for one in documents
        )

    def _paper_buttons(self, call: Call, documents: Sequence[Document]) -> tuple[Button, ...]:
        all_papers = Button(
            _("All papers (PDF)"), self.url("papers", pk=call.id), icon="files", method="post", saves=True
        )
        found = (all_papers,) if documents else ()
        if call.state == CallState.draft or self.person().has_role("city_reader"):
            return found
        sheet = Button(_("Make flow sheet (PDF)"), self.url("paper", pk=call.id), icon="printer", method="post")
        return (sheet, *found)

    @expose("/<int:pk>/papers", methods=["POST"])
    def papers(self, pk: int) -> Any:
        """All papers of the call that this reader sees, as one PDF. By POST, since the first reading is kept."""
        person = self.demand("can_show")
        call: Call = load_visible(db.session(), Call, pk)
        try:
            return papers_response(self._papers(call), "pdf", f"{call.number or ''} {call.title}".strip(), person)
        except NotTogether as refused:
            flash(str(refused), "warning")
            return redirect(f"{self.url('show', pk=pk)}#documents-title")

    @expose("/<int:pk>/paper", methods=["POST"])
    def paper(self, pk: int) -> Any:
        """Issue the flow sheet as it stands, with what this reader's organisation may see, to that organisation alone."""
        person = self.demand("can_show")
        session = db.session()
        call: Call = load_visible(session, Call, pk)
        if call.state == CallState.draft:
            raise Conflict(_l("A draft has no flow sheet yet."))
        if person.organisation_id is None or person.has_role("city_reader"):
            raise Forbidden()
        organisation = self._own_organisation(person)
        with viewer.system():
            issue(
                session,
                "call_slip",
                call,
                issuer=platform_office(session, call.county_id),
                recipients=[organisation],
                reader=person,
            )
        session.commit()
        flash(_("The flow sheet is being made; it stands among the documents in a moment."), "success")
        return redirect(f"{self.url('show', pk=pk)}#documents-title")

    @staticmethod
    def _own_organisation(person: Viewer) -> Any:
        return db.session.get(Organisation, person.organisation_id)


def note_opening(session: Session, call: Call, person: Viewer) -> None:
    """Keep when somebody of a department first opened its call, and who. In a transaction of its own, since reading is a GET."""
    unopened = [
        one for one in call.assignments if one.department_id == person.organisation_id and one.opened_at is None
    ]
    if not unopened or not person.has_role("department_officer"):
        return
    keys, now = [one.id for one in unopened], clock.now()
    with viewer.system(), transaction() as writing:
        writing.execute(
            sa.update(Assignment)
            .where(Assignment.id.in_(keys), Assignment.opened_at.is_(None))
            .values(opened_at=now, opened_by_id=person.person_id)
            .execution_options(synchronize_session=False)
        )
    for one in unopened:  # the page's own transaction may have begun before
        set_committed_value(one, "opened_at", now)
        set_committed_value(one, "opened_by", session.get(Person, person.person_id))
