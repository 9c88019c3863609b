"""Bulletins as people see them: the cases by the departments' order, and who receives them (2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from flask import Response, flash, redirect, render_template, request
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

import reports
from app.database import db
from app.portal.download import disposition
from app.portal.listing import TabSpec
from app.portal.page import Attachment, Button, Cell, Column, Fact, Link, RecordPage, Row, Section
from app.portal.record_view import Failed, RecordView
from app.portal.sheet import Sheet
from app.portal.timeline import entries, happened
from models import viewer
from models.bulletin import OUT, Bulletin, BulletinKind, BulletinState
from models.bulletin_workflow import kind_of
from models.document_text import texts_of
from models.field import LONGEST_TEXT, FieldError, clean_text
from models.paper import preview
from models.refusal import Invalid, NotFound
from models.viewer import Viewer
from models.workflow import load_visible
from reports.context import ContextError
from views import bulletin_figures
from views.document import papers_about

DRAFTERS = frozenset({"supervisor"})
APPROVERS = frozenset({"county_leader", "office_director"})
RECIPIENTS = frozenset(
    {
        "dispatcher",
        "duty_officer",
        "checklist_manager",
        "legal_reviewer",
        "assessor",
        "personnel_officer",
        "city_reader",
        "township_officer",
        "department_officer",
        "agency_head",
    }
)


STAGES = {BulletinState.draft: "草稿", BulletinState.submitted: "送审稿", BulletinState.approved: "待印发稿"}
"""What stands on every page of a bulletin that is not issued yet."""


def to_approve(person: Viewer) -> sa.ColumnElement[bool]:
    """The bulletins that this person may approve: nobody approves what he submitted."""
    return sa.and_(Bulletin.state == BulletinState.submitted, Bulletin.submitted_by_id != person.person_id)


class BulletinView(RecordView):
    model = Bulletin
    readers = DRAFTERS | APPROVERS | RECIPIENTS
    writers = DRAFTERS
    rest_methods = frozenset({"list", "show", "add", "edit", "delete"})
    group = "supervision"
    columns = ("number", "title", "kind", "state", "issued_at")
    form_step = "submit"
    step_label = _l("Submit for approval")

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        every = TabSpec("all", _("All bulletins"))
        if not person.has_role(*APPROVERS):
            return (every,)
        return (every, TabSpec("to_approve", _("To approve"), to_approve(person)))

    def cell_number(self, record: Bulletin) -> Cell:
        return Cell(record.number or _("No number yet"))

    def facts(self, record: Any) -> tuple[Fact, ...]:
        """Whether it is issued separately says nothing once it is decided and done."""
        label = str(_("Issue separately"))
        return tuple(fact for fact in super().facts(record) if fact.label != label or record.issue_separately)

    def timeline(self, record: Bulletin) -> Any:
        """How it came about is between those who draft and approve it; the recipients read from its issue on."""
        person = self.person()
        found = happened(db.session(), record, person, sees_all=False)
        if not person.has_role(*DRAFTERS, *APPROVERS):
            issued = next((one.event.sequence for one in found if one.event.name == "issue"), 0)
            found = [one for one in found if one.event.sequence >= issued]
        return entries(found, self.timeline_titles(record), self.document_urls(found))

    def timeline_titles(self, record: Any) -> Mapping[tuple[str, int], str]:
        with viewer.system():
            cases = {("bulletin_case", one.id): str(one.conclusion.number) for one in record.cases}
            return cases | {("bulletin_recipient", one.id): one.organisation.short_name for one in record.recipients}

    def record_page(self, record: Bulletin, failed: Failed | None) -> RecordPage:
        page = super().record_page(record, failed)
        person = self.person()
        with viewer.system():  # whoever may read the bulletin may read what it says of each case
            cases = tuple(self._case(case, person) for case in record.ordered_cases)
            recipients = "、".join(one.organisation.short_name for one in record.ordered_recipients)
        sections = [
            Section(
                _("Cases"),
                columns=(
                    Column("department", _("Department")),
                    Column("matter", _("Matter")),
                    Column("finding", _("Finding")),
                    Column("number", _("Conclusion")),
                ),
                rows=cases,
                empty=_("No cases."),
            )
        ]
        facts = page.facts
        if recipients:
            facts = (*facts, Fact(_("Recipients"), Cell(recipients), long=True))
        if record.snapshot is not None and person.has_role(*DRAFTERS, *APPROVERS):
            sections += bulletin_figures.sections(
                db.session(),
                record.county_id,
                record.snapshot,
                lambda figure, department=None: self.url("rows", pk=record.id, figure=figure, department=department),
            )
        return replace(
            page,
            number=record.number or "",
            facts=facts,
            main_sections=tuple(sections),
            documents=(
                *page.documents,
                *self._draft_paper(record, person),
                *papers_about(record, self.appbuilder.view_of("document").url),
            ),
        )

    @expose("/rows/<int:pk>/<figure>")
    def rows(self, pk: int, figure: str) -> Any:
        """The rows that a figure of the frozen snapshot is the number of, as far as this viewer sees them."""
        person = self.demand("can_show")
        record: Bulletin = load_visible(db.session(), Bulletin, pk)
        if record.snapshot is None or not person.has_role(*DRAFTERS, *APPROVERS):
            raise NotFound()
        department = request.args.get("department", "")
        found = bulletin_figures.rows_behind(
            db.session(),
            record.snapshot,
            figure,
            int(department) if department.isdecimal() and len(department) < 19 else None,
            lambda key: str(self.appbuilder.url_of("call", key)),
        )
        if found is None:
            raise NotFound()
        name, block = found
        page = Sheet(
            name,
            (block,),
            intro=record.title,
            crumbs=(Link(str(Bulletin.plural), self.url("list")), Link(record.title, self.url("show", pk=pk))),
            printed=True,
            landscape=True,
        )
        return render_template("sheet.html", page=page, frame_active=(self.group, ""))

    # The draft as the paper that it becomes

    def record_buttons(self, record: Bulletin, person: Viewer) -> tuple[Button, ...]:
        """What is approved is read first."""
        found = super().record_buttons(record, person)
        if not self._readable_draft(record, person):
            return found
        paper = Button(
            _("Read the draft (PDF)"), self.url("draft", pk=record.id, view=1), icon="file-text", beside=True
        )
        return (paper, *found)

    @staticmethod
    def _readable_draft(record: Bulletin, person: Viewer) -> bool:
        """Whether there is a draft to read, and this person has part in it."""
        written = bool(record.title and record.text)
        if record.kind == BulletinKind.statistics:
            written = written and record.snapshot is not None
        return written and record.state not in OUT and person.has_role(*DRAFTERS, *APPROVERS)

    def _draft_paper(self, record: Bulletin, person: Viewer) -> tuple[Attachment, ...]:
        if not self._readable_draft(record, person):
            return ()
        return (
            Attachment(
                self._draft_name(record),
                self.url("draft", pk=record.id),
                preview_url=self.url("draft", pk=record.id, view=1),
            ),
        )

    @staticmethod
    def _draft_name(record: Bulletin) -> str:
        return f"{STAGES[record.state]} {record.title}.pdf"

    @expose("/draft/<int:pk>")
    def draft(self, pk: int) -> Any:
        """What is not issued yet as its paper, marked as what it is; nothing is kept and no number taken."""
        person = self.demand("can_show")
        session = db.session()
        record: Bulletin = load_visible(session, Bulletin, pk)
        if not self._readable_draft(record, person):
            raise NotFound()
        name = self._draft_name(record)
        try:
            response = self._drafted(session, record)
        except (Invalid, ContextError) as refused:
            session.rollback()
            flash(self._not_shown(refused)[0]["message"], "warning")
            return redirect(self.url("show", pk=pk))
        response.headers["Content-Disposition"] = disposition(
            name, f"{pk}.pdf", "inline" if request.args.get("view") else "attachment"
        )
        return response

    @staticmethod
    def _drafted(session: Session, record: Bulletin) -> Response:
        """The paper as the record stands. The database is not held while it is made."""
        kind = kind_of(record)
        found = preview(session, kind, record, issuer=record.office)
        texts, stage = texts_of(session, record.county_id, kind), STAGES[record.state]
        session.rollback()
        response = Response(
            reports.render(kind, {**found.context, "stage": stage}, texts=texts), mimetype="application/pdf"
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    def preview_url(self, record: Bulletin) -> str:
        return self.url("preview", pk=record.id)

    @expose("/preview/<int:pk>", methods=["POST"])
    def preview(self, pk: int) -> Any:
        """What is typed as the paper that it becomes; nothing is kept and no number taken."""
        self.demand("can_edit")
        session = db.session()
        record: Bulletin = load_visible(session, Bulletin, pk)
        try:
            with session.no_autoflush:
                self._take_typed(record)
                if record.kind == BulletinKind.statistics and record.snapshot is None:
                    raise Invalid({"text": _l("Please take the figures first (“Write from the figures”).")})
                return self._drafted(session, record)
        except (Invalid, ContextError, FieldError) as refused:
            session.rollback()
            return self._not_shown(refused)

    @staticmethod
    def _take_typed(record: Bulletin) -> None:
        """The texts of the form, as far as they were sent."""
        for name in ("title", "text", "highlights"):
            if name in request.form:
                setattr(record, name, clean_text(request.form[name], LONGEST_TEXT))

    @staticmethod
    def _not_shown(refused: Invalid | ContextError | FieldError) -> Any:
        if isinstance(refused, ContextError):
            return {"message": _("There is no text yet.")}, 422
        if isinstance(refused, FieldError):
            return {"message": str(refused.message)}, 422
        return {"message": "；".join(str(one) for found in refused.errors.values() for one in found)}, 422

    def _case(self, case: Any, person: Viewer) -> Row:
        conclusion = case.conclusion
        finding = str(conclusion.finding.label)
        if conclusion.revoked_at is not None:
            finding = _("%(finding)s (taken back)", finding=finding)
        number = str(conclusion.number)
        sees = person.has_role("supervisor", "county_leader") or conclusion.department_id == person.organisation_id
        url = str(self.appbuilder.url_of("conclusion", conclusion.id)) if sees else ""
        cells = (
            Cell(case.department.short_name),
            Cell(conclusion.matter),
            Cell(finding),
            Cell(number, url=url),
        )
        return Row(
            str(conclusion.id), url, cells, f"{case.department.short_name}：{conclusion.matter}", subtitle=finding
        )

    def after_step(self, pk: int) -> str:
        """A bulletin sent back is its drafters' again, and out of its approver's sight."""
        visible = db.session.scalar(sa.select(Bulletin.id).where(Bulletin.id == pk))
        return self.url("show", pk=pk) if visible is not None else self.url("list")
