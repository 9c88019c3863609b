"""Notices and issued papers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, request
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload

from app.database import db
from app.portal.download import RETRY_SECONDS, paper_response
from app.portal.frame import Entry
from app.portal.listing import TabSpec
from app.portal.page import Attachment, Button, Cell, Column, Fact, Link, RecordPage, Row, Section
from app.portal.papers import Form, NotTogether, chosen_papers, papers_response
from app.portal.record.bulk import chosen_keys
from app.portal.record_view import Failed, RecordView
from app.portal.words import value_text
from models.base import fields_of
from models.document import Document, DocumentRecipient
from models.supervision import Notice, NoticeEntry, NoticeState
from models.viewer import Viewer
from models.workflow import load_visible

KINDS = {
    "call_slip": _l("Flow sheet"),
    "reminder": _l("Reminder slip"),
    "supervision": _l("Supervision slip"),
    "onsite_record": _l("Record of a meeting on site"),
    "verification": _l("Verification letter"),
    "conclusion": _l("Conclusion"),
    "superior_letter": _l("Letter to a superior"),
    "statistics": _l("Statistics bulletin"),
    "criticism": _l("Criticism"),
    "correction": _l("Correction of a bulletin"),
    "rectification": _l("Rectification order"),
    "review_decision": _l("Decision on a review"),
    "approval_sheet": _l("Approval sheet"),
}
SHELVES: Mapping[str, tuple[Any, tuple[str, ...]]] = {
    "bulletins": (_l("Bulletins"), ("statistics", "criticism", "correction")),
    "letters": (
        _l("Letters of supervision"),
        ("verification", "conclusion", "rectification", "review_decision", "superior_letter"),
    ),
    "slips": (_l("Slips"), ("reminder", "supervision")),
    "sheets": (_l("Forms"), ("call_slip", "onsite_record", "approval_sheet")),
}
"""The register's shelves, by the name of their tab."""
READERS = frozenset(
    {
        "dispatcher",
        "office_director",
        "supervisor",
        "county_leader",
        "checklist_manager",
        "township_officer",
        "department_officer",
        "agency_head",
    }
)


class DocumentView(RecordView):
    model = Document
    readers = READERS
    group = "documents"
    columns = ("number", "name", "kind", "issuer", "issued_at")

    def load_options(self) -> Sequence[Any]:
        return [joinedload(Document.issuer)]

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        """All papers, those that nobody of one's own has read yet, and the kinds."""
        unread = sa.select(DocumentRecipient.document_id).where(
            DocumentRecipient.organisation_id == person.organisation_id, DocumentRecipient.read_at.is_(None)
        )
        return (
            TabSpec("all", _("All papers")),
            TabSpec("unread", _("Not read yet"), Document.id.in_(unread)),
            *(TabSpec(name, str(label), Document.kind.in_(kinds)) for name, (label, kinds) in SHELVES.items()),
        )

    def cell_kind(self, document: Document) -> Cell:
        return Cell(str(KINDS.get(document.kind, document.kind)))

    def column_label(self, name: str) -> str:
        return str(fields_of(Document)[name].label)

    def record_page(self, record: Document, failed: Failed | None) -> RecordPage:
        """Number, issuer, recipients with when they read it, and the paper itself."""
        page = super().record_page(record, failed)
        fields = fields_of(Document)
        facts = [
            Fact(_("Kind"), Cell(str(KINDS.get(record.kind, record.kind)))),
            Fact(str(fields["issuer"].label), Cell(record.issuer.name)),
            Fact(str(fields["issued_at"].label), Cell(value_text(fields["issued_at"], record.issued_at))),
        ]
        about = self.page_url(record.about_type, record.about_id)
        if about:
            facts.append(Fact(_("About"), Cell(_("Open the record"), url=about)))
        if record.sha256:
            facts.append(Fact("SHA-256", Cell(record.sha256)))
        paper = Attachment(
            record.file_name,
            self.url("pdf", pk=record.id),
            size=_size(record.size),
            ready=record.sha256 is not None,
            preview_url=self.url("pdf", pk=record.id, view=1) if record.sha256 else "",
        )
        recipients = Section(
            _("Recipients"),
            columns=(Column("organisation", _("Organisation")), Column("read", _("First read"))),
            rows=tuple(
                Row(
                    str(one.organisation_id),
                    "",
                    (
                        Cell(one.organisation.short_name),
                        Cell(value_text(fields["issued_at"], one.read_at) if one.read_at else _("not read yet")),
                    ),
                    one.organisation.short_name,
                )
                for one in record.recipients
            ),
        )
        return replace(
            page,
            number=record.number,
            facts=tuple(facts),
            main_sections=(recipients,) if recipients.rows else (),
            documents=(paper,),
            documents_first=True,
            crumbs=(Link(str(Document.plural), self.url("list")),),
        )

    def bulk_buttons(self, person: Viewer) -> tuple[Button, ...]:
        return (
            Button(_("Download as one PDF"), self.url("together", form="pdf"), icon="files", method="post", saves=True),
            Button(_("Download as ZIP"), self.url("together", form="zip"), icon="file-zip", method="post", saves=True),
        )

    @expose("/together/<any(pdf, zip):form>", methods=["POST"])
    def together(self, form: Form) -> Any:
        """The chosen papers as one file. By POST, since the first reading is kept."""
        person = self.demand("can_show")
        keys = chosen_keys()
        if not keys:
            return self._nothing_chosen(self._back())
        try:
            return papers_response(chosen_papers(keys), form, str(Document.plural), person)
        except NotTogether as refused:
            flash(str(refused), "warning")
            return redirect(self._back())

    @expose("/pdf/<int:pk>")
    def pdf(self, pk: int) -> Any:
        """The paper itself. While it is being made the page says so and asks again."""
        person = self.demand("can_show")
        document: Document = load_visible(db.session(), Document, pk)
        response = paper_response(document, person, preview=bool(request.args.get("view")))
        if response is None:
            flash(_("This paper is still being made. Please try again in a few seconds."), "warning")
            again = redirect(self.url("show", pk=pk))
            again.headers["Retry-After"] = str(RETRY_SECONDS)
            return again
        return response


def papers_about(record: Any, url_of: Callable[..., str]) -> tuple[Attachment, ...]:
    """The papers made of a record that this viewer sees, oldest first; `url_of` gives the register's addresses."""
    query = sa.select(Document).where(Document.about_type == record.resource(), Document.about_id == record.id)
    return tuple(
        Attachment(
            one.file_name,
            url_of("pdf", pk=one.id),
            size=_size(one.size),
            ready=one.sha256 is not None,
            preview_url=url_of("pdf", pk=one.id, view=1) if one.sha256 else "",
        )
        for one in db.session.scalars(query.order_by(Document.id))
    )


def _size(size: int | None) -> str:
    return f"{size / 1000:.0f} kB" if size else ""


def to_sign(person: Viewer) -> sa.ColumnElement[bool]:
    """The drafted slips that a supervisor of the county signs (2.2)."""
    return Notice.state == NoticeState.drafted


class NoticeView(RecordView):
    model = Notice
    readers = frozenset({"dispatcher", "office_director", "supervisor", "county_leader", "department_officer"})
    group = "supervision"
    columns = ("number", "kind", "department", "state", "issued_at")

    def navigation(self) -> tuple[Entry, ...]:
        """The slips; for supervisors those that wait for their signature."""
        supervisors = frozenset({"supervisor"})
        return (
            Entry(_l("Slips to sign"), "NoticeView.list", "Notice", "to_sign", supervisors, counted=(Notice, to_sign)),
            Entry(Notice.plural, "NoticeView.list", "Notice", "all"),
        )  # fmt: skip

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        found = [TabSpec("all", _("All slips"))]
        if person.has_role("supervisor"):
            found.append(TabSpec("to_sign", _("To sign"), to_sign(person)))
        return tuple(found)

    def record_page(self, record: Notice, failed: Failed | None) -> RecordPage:
        """What the slip is about, and the slip."""
        page = super().record_page(record, failed)
        entries = db.session.scalars(sa.select(NoticeEntry).where(NoticeEntry.notice_id == record.id)).all()
        call_view = self.appbuilder.view_of("call")
        clocks = {"respond": _("Response"), "report": _("Report")}
        body = tuple(
            Fact(
                f"{one.assignment.call.number} {one.assignment.call.title}",
                Cell(
                    _(
                        "%(clock)s was due %(due)s",
                        clock=clocks[one.clock],
                        due=value_text(fields_of(Notice)["issued_at"], one.due),
                    ),
                    url=call_view.url("show", pk=one.assignment.call_id),
                ),
                long=True,
            )
            for one in entries
            if one.assignment is not None and one.assignment.call is not None
        )
        document = record.document
        documents: tuple[Attachment, ...] = ()
        if document is not None:
            view = self.appbuilder.view_of("document")
            documents = (
                Attachment(document.file_name, view.url("pdf", pk=document.id), ready=document.sha256 is not None),
            )
        return replace(
            page,
            title=f"{record.kind.label} {record.department.short_name}",
            number=record.number or "",
            body=body,
            documents=documents,
        )
