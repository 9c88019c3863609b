"""Import by Excel or JSON of a record type with a natural key: template, check, application, wrong rows."""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa
from flask import Response, current_app, flash, jsonify, redirect, render_template, request
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.database import db
from app.portal.attaching.names import clean_name
from app.portal.download import handed_out
from app.portal.imports.checking import keep
from app.portal.imports.pages import DifferenceRow, FindingRow, ImportPage, UploadPage
from app.portal.imports.reading import Unreadable, read
from app.portal.imports.workbooks import CONTENT_TYPE, template, wrong_rows
from app.portal.page import Button, Cell, Change, Fact, Link, Row
from app.portal.record.listed import Listed
from app.portal.words import pill, value_text
from app.storage import storage
from models.field import Field
from models.imported import Import, ImportState
from models.refusal import Conflict, NotFound, Refused
from models.viewer import Viewer
from models.workflow import load_visible

MOST_SHOWN = 200
"""Errors that the page lists; the workbook of wrong rows has all."""

EARLIER = 10
AT = Field("at", "", "datetime")

TEXTS = {
    ImportState.checked: _l("Nothing has been changed yet. Please look through the result, then apply it."),
    ImportState.waiting: _l("The import waits in line and begins by itself. You may leave this page."),
    ImportState.running: _l("The rows are being applied. You may leave this page."),
    ImportState.done: _l("All rows have been dealt with."),
    ImportState.failed: _l(
        "The import was interrupted. What was applied stays; applying it again goes on with the remaining rows."
    ),
    ImportState.cancelled: _l(
        "The import was cancelled. What was applied stays; applying it again goes on with the remaining rows."
    ),
}

ERASED = _l(
    "The uploaded file and what was found in its rows have been erased: they are kept only for a time. What was applied stays."
)

ROUTES = frozenset(
    {
        "imports",
        "import_check",
        "import_template",
        "import_result",
        "import_progress",
        "import_apply",
        "import_cancel",
        "import_errors",
    }
)


class Erased(Refused):
    """410: the file of an import is kept only for a time."""

    status = 410


class Imported(Listed):
    """The import of a record type; types without a natural key have none of its pages."""

    importers: ClassVar[frozenset[str] | None] = None
    """Roles that import; those that write unless said otherwise."""

    def __init__(self) -> None:
        super().__init__()
        if "can_import" not in self.grants():
            self.exclude_route_methods = self.exclude_route_methods | ROUTES

    @classmethod
    def grants(cls) -> dict[str, frozenset[str]]:
        found = super().grants()
        if cls.model.natural_key and cls.writers:
            found["can_import"] = cls.writers if cls.importers is None else cls.importers
        return found

    def may_import(self, person: Viewer) -> bool:
        name = self.model.__name__
        return bool(self.model.natural_key) and person.may("can_import", name) and person.may("can_add", name)

    def buttons(self, person: Viewer) -> tuple[Button, ...]:
        if not self.may_import(person):
            return super().buttons(person)
        return (*super().buttons(person), Button(_("Import"), self.url("imports"), icon="table-import"))

    def demand_import(self) -> Viewer:
        """The viewer, who must be able to import and to create. Raises Forbidden."""
        self.demand("can_import")
        return self.demand("can_add")

    # Upload and check

    @expose("/import")
    def imports(self) -> Any:
        """Where a file is uploaded, and the viewer's imports before."""
        self.demand_import()
        return self._upload_page()

    @expose("/import", methods=["POST"])
    def import_check(self) -> Any:
        """Check an uploaded file; nothing is changed by it."""
        person = self.demand_import()
        given = request.files.get("file")
        limit = current_app.config["IMPORT_LIMIT_MB"]
        try:
            if given is None or not given.filename:
                raise Unreadable(_l("Please choose a file."))
            data = given.stream.read(limit * 1024 * 1024 + 1)
            if len(data) > limit * 1024 * 1024:
                raise Unreadable(
                    _l("The file is larger than %(limit)d MB. Please send it in several parts.", limit=limit)
                )
            db.session.rollback()  # ends the request's own transaction: the check must not keep others from writing
            key = keep(data, clean_name(given.filename) or "import", self.model, person)
        except Unreadable as refused:
            db.session.rollback()
            return self._upload_page(str(refused.message)), 422
        return redirect(self.url("import_result", pk=key))

    def _upload_page(self, error: str = "") -> str:
        limit = current_app.config["IMPORT_LIMIT_MB"]
        page = UploadPage(
            title=_("Import: %(what)s", what=self.model.plural),
            action_url=self.url("import_check"),
            template_url=self.url("import_template"),
            limit_label=_("Excel workbook (.xlsx) or JSON, at most %(limit)d MB", limit=limit),
            crumbs=(Link(str(self.model.plural), self.url("list")),),
            error=error,
            earlier=self._earlier(),
        )
        return render_template("import.html", page=page, frame_active=(self.group, ""))

    def _earlier(self) -> tuple[Row, ...]:
        found = db.session.scalars(
            sa.select(Import)
            .where(Import.record_type == self.model.resource())
            .order_by(Import.id.desc())
            .limit(EARLIER)
        )
        return tuple(
            Row(
                str(one.id),
                self.url("import_result", pk=one.id),
                (Cell(one.file_name), Cell(value_text(AT, one.made_at)), Cell(pill=pill(one.state))),
                one.file_name,
            )
            for one in found
        )

    @expose("/import/template")
    def import_template(self) -> Response:
        """The workbook to fill in."""
        self.demand_import()
        return handed_out(
            template(self.model), _("Import template %(what)s.xlsx", what=self.model.plural), CONTENT_TYPE
        )

    # One import

    def _own(self, pk: int) -> Import:
        self.demand_import()
        found: Import = load_visible(db.session(), Import, pk)
        if found.record_type != self.model.resource():
            raise NotFound()
        return found

    @expose("/import/<int:pk>")
    def import_result(self, pk: int) -> str:
        """What the check found, and how far the import is."""
        return render_template(
            "import_result.html", page=self._result_page(self._own(pk)), frame_active=(self.group, "")
        )

    @expose("/import/<int:pk>/progress")
    def import_progress(self, pk: int) -> Response:
        """How far it is, for the page's script."""
        one = self._own(pk)
        return jsonify(percent=_percent(one), label=_progress(one), state=one.state.value, under_way=one.may_cancel)

    @expose("/import/<int:pk>/apply", methods=["POST"])
    def import_apply(self, pk: int) -> Any:
        """Have it applied by the job, from where it stopped."""
        return self._moved(self._own(pk), Import.start)

    @expose("/import/<int:pk>/cancel", methods=["POST"])
    def import_cancel(self, pk: int) -> Any:
        """Stop it before its next batch."""
        return self._moved(self._own(pk), Import.cancel)

    def _moved(self, one: Import, move: Any) -> Any:
        session = db.session()
        session.refresh(one, with_for_update=True)
        try:
            move(one, session)
            session.commit()
        except Conflict as refused:
            session.rollback()
            flash(str(refused.message), "warning")
        return redirect(self.url("import_result", pk=one.id))

    @expose("/import/<int:pk>/errors")
    def import_errors(self, pk: int) -> Response:
        """The wrong rows as a workbook, with what is wrong beside them."""
        one = self._own(pk)
        if one.erased_at is not None:
            raise Erased(
                _l("The file “%(file)s” was erased on %(at)s. Uploaded files are kept only for a time; please upload it again if you need it.",
                   file=one.file_name, at=value_text(AT, one.erased_at))
            )  # fmt: skip
        content = wrong_rows(read(storage().get(one.file_key)), one.findings)
        return handed_out(content, _("Wrong rows of %(file)s.xlsx", file=one.file_name), CONTENT_TYPE)

    def import_buttons(self, one: Import) -> tuple[Button, ...]:
        """What is to be done with the records that an import made."""
        return ()

    def _result_page(self, one: Import) -> ImportPage:
        buttons = []
        if one.may_start:
            label = _("Apply") if one.state is ImportState.checked else _("Apply the remaining rows")
            buttons.append(
                Button(label, self.url("import_apply", pk=one.id), icon="check", primary=True, method="post")
            )
        if one.may_cancel:
            buttons.append(
                Button(_("Cancel the import"), self.url("import_cancel", pk=one.id), icon="x", method="post")
            )
        buttons += self.import_buttons(one)
        findings = one.findings
        wrong = len({finding["row"] for finding in findings if finding["row"]})
        return ImportPage(
            title=one.file_name,
            pill=pill(one.state),
            text=str(TEXTS[one.state]) if one.erased_at is None else str(ERASED),
            facts=_facts(one),
            crumbs=(Link(str(self.model.plural), self.url("list")), Link(_("Import"), self.url("imports"))),
            buttons=tuple(buttons),
            percent=_percent(one),
            progress_label=_progress(one) if one.run else "",
            progress_url=self.url("import_progress", pk=one.id) if one.may_cancel else "",
            here_url=self.url("import_result", pk=one.id),
            findings=tuple(FindingRow(told["row"], told["column"], told["text"]) for told in findings[:MOST_SHOWN]),
            findings_label=_wrong(wrong),
            errors_url=self.url("import_errors", pk=one.id) if wrong else "",
            differences=tuple(
                DifferenceRow(
                    told["row"],
                    told["title"],
                    tuple(Change(change["column"], change["old"], change["new"]) for change in told["changes"]),
                )
                for told in one.differences
            ),
            differences_label=ngettext(
                "What changes (the first %(count)d row)",
                "What changes (the first %(count)d rows)",
                len(one.differences),
                count=len(one.differences),
            ),
        )


def _facts(one: Import) -> tuple[Fact, ...]:
    if one.run:
        counts = (
            (_("Created"), one.created),
            (_("Changed"), one.changed),
            (_("Unchanged"), one.same),
            (_("Left out, wrong"), one.refused),
        )
    else:
        counts = (
            (_("New records"), one.to_create),
            (_("Records that change"), one.to_change),
            (_("Unchanged"), one.unchanged),
            (_("Wrong"), one.wrong),
        )
    times = (
        (_("Checked at"), one.made_at),
        (_("Begun"), one.started_at),
        (_("Ended"), one.finished_at),
        (_("File erased"), one.erased_at),
    )
    return (
        Fact(_("Rows"), Cell(str(one.total), number=True)),
        *(Fact(label, Cell(str(count), number=True)) for label, count in counts),
        *(Fact(label, Cell(value_text(AT, at))) for label, at in times if at is not None),
        Fact("SHA-256", Cell(f"{one.sha256[:16]}…")),
    )


def _wrong(count: int) -> str:
    if not count:
        return _("Please note")
    return ngettext(
        "%(count)d row is wrong and is left out", "%(count)d rows are wrong and are left out", count, count=count
    )


def _percent(one: Import) -> int:
    return 100 * one.done_rows // one.total if one.total else 100


def _progress(one: Import) -> str:
    return ngettext(
        "%(done)d of %(total)d row", "%(done)d of %(total)d rows", one.total, done=one.done_rows, total=one.total
    )
