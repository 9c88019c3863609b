"""A list as a file, with chosen columns (1, fourteen things: export).

The file is asked for by POST with the page's token, because every export writes an event, and a GET changes nothing. The event is
committed before the first byte leaves, so nobody gets rows without a trace; rows and their number are read from one snapshot.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextvars import copy_context
from typing import Any
from urllib.parse import quote

from flask import Response, render_template, request, stream_with_context
from flask_appbuilder import expose
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from app.database import db, only_read, transaction
from app.portal import references
from app.portal.export import FORMATS, SHEET_ROWS, ExportColumn, Source, Value, write_csv, write_workbook
from app.portal.forms import local_zone
from app.portal.listing import Listing, asked_for
from app.portal.page import ExportChoice, ExportPage, Link
from app.portal.record.listed import Listed
from app.portal.words import value_text
from models import clock, event
from models.base import fields_of
from models.field import Field
from models.refusal import Invalid
from models.viewer import Viewer


class Exported(Listed):
    """The export of a record type."""

    @expose("/export", methods=["GET", "POST"])
    def export(self) -> Any:
        """The form that asks for format and columns of the present list; sent, the file."""
        person = self.demand("can_export")
        if request.method == "GET":
            return self._export_form(Listing(self, person, request.args))
        given = MultiDict(request.form)
        listing = Listing(self, person, given)
        known = {column.name: column for column in self.export_columns()}
        chosen = [known[name] for name in dict.fromkeys(given.getlist("columns")) if name in known]
        wanted = given.get("format", "")
        if not chosen or wanted not in FORMATS:
            return self._export_form(listing, _("Please choose a format and at least one column."), 422)
        return self._export_file(listing, person, chosen, wanted)

    def _export_form(self, listing: Listing, error: str = "", status: int = 200) -> Any:
        listed = set(self.column_names())
        page = ExportPage(
            title=_("Export: %(what)s", what=self.model.plural),
            action_url=self.url("export"),
            cancel_url=listing.url(),
            kept=tuple(listing.parameters()),
            narrowed=tuple(f"{one.filter.label}：{one.words}" for one in listing.filters.active.values()),
            view=listing.tab.label if listing.tab is not None else "",
            search=listing.words,
            columns=tuple(
                ExportChoice(column.name, column.label, column.name in listed) for column in self.export_columns()
            ),
            error=error,
            crumbs=(Link(str(self.model.plural), listing.url()),),
        )
        return render_template("export.html", page=page, frame_active=(self.group, "")), status

    def export_columns(self) -> tuple[ExportColumn, ...]:
        """What may be exported: the list's columns in their order, then every other readable field."""
        fields = fields_of(self.model)
        names = dict.fromkeys([*self.column_names(), *fields, "created", "changed"])
        return tuple(made for name in names if (made := self._export_column(name, fields.get(name))) is not None)

    def _export_column(self, name: str, asked: Field | None) -> ExportColumn | None:
        if asked is not None and (asked.kind == "json" or not hasattr(self.model, name)):
            return None
        if getattr(self, f"cell_{name}", None) is not None:
            return ExportColumn(name, self.column_label(name), lambda record: self._drawn(record, name), 20)
        if asked is None:
            stamp = Field(name, {"created": _("Created at"), "changed": _("Changed at")}[name], "datetime")
            return ExportColumn(
                name, str(stamp.label), lambda record: value_text(stamp, getattr(record, f"{name}_at")), 18
            )
        if asked.kind in ("integer", "decimal"):
            return ExportColumn(name, str(asked.label), lambda record: getattr(record, name), 10)
        width = {"long_text": 60, "datetime": 18, "text": 24}.get(asked.kind, 16)
        return ExportColumn(
            name, str(asked.label), lambda record: value_text(asked, getattr(record, name), record), width
        )

    def _drawn(self, record: Any, name: str) -> Value:
        cell = self.cell(record, name)
        return cell.text or next((one.label for one in (cell.pill, cell.badge) if one is not None), "")

    def export_options(self, chosen: list[ExportColumn]) -> list[Any]:
        """Loader options of an export: the list's, and the references among the chosen columns."""
        fields, listed = fields_of(self.model), set(self.column_names())
        further = [
            references.with_title(getattr(self.model, column.name))
            for column in chosen
            if column.name in fields and fields[column.name].kind == "reference" and column.name not in listed
        ]
        return [*self.load_options(), *further]

    def _export_file(self, listing: Listing, person: Viewer, chosen: list[ExportColumn], wanted: str) -> Any:
        source = Source(
            self.model,
            listing.order,
            listing.conditions,
            self.export_options(chosen),
            lambda records: self.withheld_of(records, person),
        )
        said = asked_for(listing)
        # The request's own transaction would hold SQLite's write lock for as long as somebody downloads.
        db.session.rollback()
        only_read()
        session = _snapshot()
        try:
            count = source.count(session)
            if wanted == "xlsx" and count > SHEET_ROWS:
                raise Invalid(
                    {
                        "format": _(
                            "An Excel sheet holds %(most)d rows at most. Please choose CSV or a filter.",
                            most=SHEET_ROWS,
                        )
                    }
                )
            note_export(self.model.resource(), person, wanted, [column.name for column in chosen], said, count)
            rows = source.rows(session, chosen)
            content = (
                write_workbook(str(self.model.plural), chosen, rows) if wanted == "xlsx" else write_csv(chosen, rows)
            )
        except BaseException:
            session.close()
            raise
        response = Response(stream_with_context(_as_now(_closing(session, content))), content_type=FORMATS[wanted])
        name = f"{self.model.plural} {clock.now().astimezone(local_zone()).strftime('%Y-%m-%d')}.{wanted}"
        response.headers["Content-Disposition"] = (
            f"attachment; filename=\"{self.model.resource()}.{wanted}\"; filename*=UTF-8''{quote(name, safe='')}"
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def _snapshot() -> Session:
    """A session of its own that only reads and sees one state of the database until it is closed."""
    session: Session = db.session.session_factory()
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    return session


def _closing(session: Session, content: Iterator[bytes]) -> Generator[bytes, None, None]:
    with session:
        yield from content


def _as_now(content: Generator[bytes, None, None]) -> Iterator[bytes]:
    """The pieces of an answer, each made for whoever looks now, by the same clock: the request is over when they are sent."""
    present = copy_context()

    def pieces() -> Iterator[bytes]:
        try:
            while (piece := present.run(next, content, None)) is not None:
                yield piece
        finally:
            content.close()

    return pieces()


def note_export(resource: str, person: Viewer, wanted: str, columns: list[str], said: Any, count: int) -> None:
    """The event of an export, on the chain of this person's exports: what, how narrowed, which columns, how many rows."""
    thread = ("export", person.person_id)
    values = {"resource": resource, "format": wanted, "columns": columns, "list": dict(said), "rows": count}
    with transaction() as session:
        event.append_to(session, thread, thread, "export", resource, values, county_id=person.county_id, actor=person)
