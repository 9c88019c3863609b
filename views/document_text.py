"""The wordings of documents, changed by administrators beside a preview on sample data (spec 3: how documents are made)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

import reports
from app.database import db
from app.papers.wording import wrong_with
from app.portal.administration import AdministrationPage
from app.portal.frame import Entry
from app.portal.page import Cell, Column, FormPage, Link
from app.portal.sheet import Block, Sheet, SheetRow
from models.document_text import keep_texts, texts_of
from models.field import Field
from models.refusal import NotFound
from reports.kind import DocumentKind
from views.document import KINDS

PASSAGES: Mapping[str, Any] = {
    "head": _l("Name of the issuer"),
    "mark": _l("Mark"),
    "title": _l("Title"),
    "subject": _l("Subject"),
    "text": _l("Text"),
    "problems": _l("Prominent problems"),
    "opening": _l("Opening"),
    "opening_merged": _l("Opening for several matters"),
    "demand_1": _l("First demand"),
    "demand_2": _l("Second demand"),
    "demand_3": _l("Third demand"),
    "warning": _l("Warning"),
    "enclosure": _l("Enclosure"),
    "signature": _l("Signature"),
    "contact": _l("Contact"),
    "copies": _l("Copies"),
    "receipt_title": _l("Title of the receipt"),
    "receipt_note": _l("Note below the receipt"),
    "report_title": _l("Title of the report form"),
    "report_note": _l("Note below the report form"),
    "footnote": _l("Footnote"),
    "note": _l("Note"),
    "as_of": _l("As of"),
    "figures_title": _l("Title of the page of figures"),
    "annex_1": _l("Name of annex 1"),
    "annex_2": _l("Name of annex 2"),
    "annex_3": _l("Name of annex 3"),
    "annex_4": _l("Name of annex 4"),
    "note_1": _l("Note below annex 1"),
    "note_3": _l("Note below annex 3"),
}
"""What each passage is, in words."""
ADMINISTRATOR = frozenset({"system_administrator"})
LONGEST = 6000


class DocumentTextView(AdministrationPage):
    """The county's own wording of each kind; what it does not change stays the factory's."""

    route_base = "/document_text"
    default_view = "list"
    resource = "DocumentText"
    permissions = {"can_list": ADMINISTRATOR, "can_edit": ADMINISTRATOR}

    def navigation(self) -> tuple[Entry, ...]:
        return (Entry(_l("Document texts"), "DocumentTextView.list", "DocumentText"),)

    @expose("/")
    def list(self) -> Any:
        """All kinds of documents, with how many wordings are the county's own."""
        county_id = self.county(self.demand("can_list"))
        rows = tuple(
            SheetRow(
                (
                    Cell(str(KINDS[kind.name]), url=url_for("DocumentTextView.edit", kind=kind.name)),
                    Cell(str(len(_factory(kind))), number=True),
                    Cell(str(len(texts_of(db.session(), county_id, kind.name))), number=True),
                )
            )
            for kind in reports.KINDS.values()
            if _factory(kind)
        )
        columns = (
            Column("kind", _("Kind")),
            Column("passages", _("Passages"), number=True),
            Column("own", _("Changed by the county"), number=True),
        )
        intro = _("Papers that were issued keep the wording of their day. What you change holds for the next ones.")
        return self.sheet(Sheet(_("Document texts"), (Block(columns=columns, rows=rows),), intro=intro))

    @expose("/edit/<kind>", methods=["GET", "POST"])
    def edit(self, kind: str) -> Any:
        """The passages of a kind beside the sample that they give."""
        person = self.demand("can_edit")
        county_id = self.county(person)
        found = _kind(kind)
        factory = _factory(found)
        present = factory | texts_of(db.session(), county_id, kind)
        form = self.form(
            [_field(name, text, changed=present[name] != text) for name, text in factory.items()],
            values=present,
            submitted=request.method == "POST",
        )
        if request.method == "GET":
            return self._page(found, form)
        wanted = {name: _typed(form[name].data) for name in factory}
        for name, text in wanted.items():
            if wrong := wrong_with(kind, name, text):
                form[name].errors = [wrong]
        if form.errors:
            return self._page(found, form, 422)
        changed = keep_texts(db.session(), county_id, kind, wanted, factory, person)
        db.session.commit()
        flash(ngettext("%(count)d wording changed.", "%(count)d wordings changed.", changed, count=changed), "success")
        return redirect(url_for("DocumentTextView.list"))

    def _page(self, kind: DocumentKind, form: Any, status: int = 200) -> Any:
        page = FormPage(
            title=str(KINDS[kind.name]),
            form=form,
            action_url=url_for("DocumentTextView.edit", kind=kind.name),
            submit_label=_("Save"),
            cancel_url=url_for("DocumentTextView.list"),
            intro=_(
                "{name} stands for a value; 【有 x】…【止】 is printed if there is x, 【无 x】…【止】 if there is none, "
                "【每 x】…【止】 once for each x."
            ),
            crumbs=(Link(_("Document texts"), url_for("DocumentTextView.list")),),
            preview_url=url_for("DocumentTextView.preview", kind=kind.name),
        )
        return render_template("form.html", page=page, frame_active=(self.group, "")), status

    @expose("/preview/<kind>", methods=["POST"])
    def preview(self, kind: str) -> Any:
        """The first sample of a kind in the typed wording. Nothing is kept."""
        self.county(self.demand("can_edit"))
        found = _kind(kind)
        typed = {name: _typed(request.form.get(name, text)) for name, text in _factory(found).items()}
        for name, text in typed.items():
            if wrong := wrong_with(kind, name, text):
                return {"message": f"{PASSAGES[name]}: {wrong}"}, 422
        db.session.rollback()
        response = Response(reports.render(kind, _sample(found, typed), texts=typed), mimetype="application/pdf")
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def _kind(name: str) -> DocumentKind:
    found = reports.KINDS.get(name)
    if found is None or not _factory(found):
        raise NotFound()
    return found


def _factory(kind: DocumentKind) -> dict[str, str]:
    """All wordings of a kind, those of its drafts first."""
    return {**kind.drafts, **kind.texts}


def _field(name: str, factory: str, *, changed: bool) -> Field:
    """A passage under its name; below one that the county changed stands the factory's wording."""
    told = _("Factory wording: %(text)s", text=factory) if changed else ""
    return Field(name, PASSAGES[name], "long_text", length=LONGEST, help=told)


def _typed(text: str | None) -> str:
    """What was typed, with plain ends of lines. What cannot be printed is told by `wrong_with`."""
    return (text or "").replace("\r\n", "\n").strip()[:LONGEST]


def _sample(kind: DocumentKind, typed: Mapping[str, str]) -> Mapping[str, Any]:
    """The first sample; a kind that people edit before it is issued shows what would be drafted."""
    sample = next(iter(kind.samples.values())).to_json()
    if not kind.drafts:
        return sample
    drafted = kind.draft(kind.draft_sample, typed)
    return sample | {name: text for name, text in drafted.items() if name in sample and isinstance(sample[name], str)}
