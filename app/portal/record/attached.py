"""Files beside a record: who attaches them says `models.attachment`; they are seen and saved by whoever sees the record (2.1: attach)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Response, current_app, flash, g, redirect, request
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import ngettext

from app.database import db
from app.headers import sandboxed
from app.portal.attaching.content import TAKEN
from app.portal.attaching.keeping import keep, read_note, receive
from app.portal.deadline import exact
from app.portal.download import attachment_response
from app.portal.page import Attaching, Attachment, RecordPage
from app.portal.record.shown import Shown
from models.attachment import attachment_of, attachments_of, check_attach, detach, may_attach
from models.refusal import Invalid, Refused
from models.workflow import load_visible

ACCEPT = ",".join(f".{one}" for one in TAKEN.split(", "))

ROUTES = frozenset({"attach", "attachment", "detach"})


class Attached(Shown):
    """The attachments of a record type."""

    def __init__(self) -> None:
        super().__init__()
        if not self.model.attachable:
            self.exclude_route_methods = self.exclude_route_methods | ROUTES

    def with_files(self, page: RecordPage, record: Any) -> RecordPage:
        if not self.model.attachable:
            return page
        person = self.person()
        files = tuple(
            Attachment(
                one.name,
                self.url("attachment", pk=record.id, key=one.id),
                size=size_label(one.size),
                hint=" · ".join(filter(None, (one.uploaded_by.name, exact(one.uploaded_at), one.note))),
                remove_url=self.url("detach", pk=record.id, key=one.id) if one.removable_by(person) else "",
            )
            for one in self._files(record)
        )
        return replace(page, files=files, attaching=self.attaching(record) if may_attach(record, person) else None)

    def attaching(self, record: Any, note: str = "", errors: tuple[str, ...] = ()) -> Attaching:
        return Attaching(
            self.url("attach", pk=record.id),
            ACCEPT,
            _("At most %(limit)d MB each: %(kinds)s", limit=current_app.config["ATTACHMENT_LIMIT_MB"], kinds=TAKEN),
            note,
            errors,
        )

    def file_urls(self, record: Any) -> Mapping[int, str]:
        if not self.model.attachable:
            return {}
        return {one.id: self.url("attachment", pk=record.id, key=one.id) for one in self._files(record)}

    @staticmethod
    def _files(record: Any) -> Sequence[Any]:
        """The files beside a record, asked once for the timeline and for the list below it."""
        known: dict[Any, Sequence[Any]] = g.setdefault("files_shown", {})
        if record not in known:
            known[record] = attachments_of(db.session(), record)
        return known[record]

    @expose("/<int:pk>/attachments", methods=["POST"])
    def attach(self, pk: int) -> Any:
        """Attach the files of the form: all of them, or none."""
        person = self.demand("can_show")
        session = db.session()
        record = load_visible(session, self.model, pk)
        check_attach(record, person)
        note = request.form.get("note", "")
        try:
            ids = keep(session, self.model, pk, receive(request.files.getlist("file")), read_note(note), person)
        except Invalid as refused:
            session.rollback()
            record = load_visible(session, self.model, pk, self.page_options())
            said = tuple(str(sentence) for found in refused.errors.values() for sentence in found)
            return self.render_attaching(record, self.attaching(record, note, said))
        flash(ngettext("%(count)d file attached.", "%(count)d files attached.", len(ids), count=len(ids)), "success")
        return redirect(self.url("show", pk=pk))

    def render_attaching(self, record: Any, attaching: Attaching) -> Any:
        """The record's page again, with what was wrong and what was written beside the files."""
        page = replace(self.with_files(self.record_page(record, None), record), attaching=attaching)
        return self.draw(page, 422)

    @expose("/<int:pk>/attachments/<int:key>")
    @sandboxed
    def attachment(self, pk: int, key: int) -> Response:
        """A file, to save."""
        self.demand("can_show")
        session = db.session()
        return attachment_response(attachment_of(session, load_visible(session, self.model, pk), key))

    @expose("/<int:pk>/attachments/<int:key>/remove", methods=["POST"])
    def detach(self, pk: int, key: int) -> Any:
        """Take a file away again."""
        person = self.demand("can_show")
        session = db.session()
        try:
            detach(session, load_visible(session, self.model, pk), key, person)
            session.commit()
        except Refused as refused:
            if refused.status != 409:
                raise
            session.rollback()
            flash(str(refused.message), "warning")
        else:
            flash(_("The file was removed."), "success")
        return redirect(self.url("show", pk=pk))


def size_label(size: int) -> str:
    """`312 KB`, `1.4 MB`."""
    return f"{size / 1024 / 1024:.1f} MB" if size >= 1024 * 1024 else f"{max(1, round(size / 1024))} KB"
