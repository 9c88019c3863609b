"""A record's page (face, Record page)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from flask import render_template, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from app.database import db
from app.portal.forms import RecordForm
from app.portal.page import Button, Cell, Fact, Link, RecordPage, Section
from app.portal.record.declared import Declared
from app.portal.timeline import entries, happened
from app.portal.words import call_address, pill, value_text
from models.base import RECORD_TYPES, Record, fields_of
from models.field import Field
from models.refusal import Refused
from models.viewer import Viewer
from models.workflow import Transition, load_visible


@dataclass(frozen=True)
class Failed:
    """A transition that was refused: shown again, open, with everything that was typed."""

    record: Record
    transition: Transition
    form: RecordForm
    message: str = ""


class Shown(Declared):
    """The page of a record."""

    @expose("/show/<int:pk>")
    def show(self, pk: int) -> Any:
        """A record's page."""
        self.demand("can_show")
        return self.render(load_visible(db.session(), self.model, pk, self.page_options()))

    def page_options(self) -> Sequence[Any]:
        """Loader options of the page: what it shows of other records, in few statements."""
        return ()

    def render(self, record: Any, failed: Failed | None = None, status: int = 200) -> Any:
        return self.draw(self.with_files(self.record_page(record, failed), record), status)

    def draw(self, page: RecordPage, status: int) -> Any:
        # What the head of the page says already is not said again beside it.
        facts = tuple(one for one in page.facts if one.cell.url or one.cell.text not in (page.title, page.number))
        page = replace(page, facts=facts)
        return render_template("record.html", page=page, frame_active=(self.group, "")), status

    def with_files(self, page: RecordPage, record: Any) -> RecordPage:
        """The page with what people attached; see `Attached`."""
        return page

    def record_page(self, record: Any, failed: Failed | None) -> RecordPage:
        """The page's content as plain data. A type with a richer page overrides the parts that differ."""
        person = self.person()
        return RecordPage(
            title=record.title,
            kind=str(self.model.label),
            pill=pill(record.state) if hasattr(record, "state") else None,
            body=self.body(record),
            facts=self.facts(record),
            timeline=self.timeline(record),
            sections=self.sections(record),
            related=self.related_sections(record),
            actions=self.actions(record, failed),
            buttons=self.record_buttons(record, person),
            crumbs=(Link(str(self.model.plural), self.url("list")),),
        )

    def body(self, record: Any) -> tuple[Fact, ...]:
        """The long texts, in the left column."""
        withheld = self.withheld(record, self.person())
        texts = (
            (asked, value_text(asked, getattr(record, name), record))
            for name, asked in fields_of(self.model).items()
            if asked.kind == "long_text" and name not in withheld
        )
        return tuple(Fact(str(asked.label), Cell(text), long=True) for asked, text in texts if text)

    def facts(self, record: Any) -> tuple[Fact, ...]:
        """Everything else that is filled, in the right column."""
        found = []
        withheld = self.withheld(record, self.person())
        for name, asked in fields_of(self.model).items():
            if name == "state" or asked.kind == "long_text" or name in withheld:
                continue
            text = value_text(asked, getattr(record, name), record)
            if text:
                address = self.reference_url(asked, record, name) or call_address(asked, text)
                found.append(Fact(str(asked.label), Cell(text, url=address)))
        return tuple(found)

    def sections(self, record: Any) -> tuple[Section, ...]:
        """Blocks below the facts: related records."""
        return ()

    def related_sections(self, record: Any) -> tuple[Section, ...]:
        """Blocks at the end: the records that refer to this one."""
        return ()

    def reference_url(self, asked: Field, record: Any, name: str) -> str:
        """Where a reference leads, if it has a page that this person opens."""
        target = getattr(record, name)
        if asked.kind != "reference" or target is None or asked.target not in RECORD_TYPES:
            return ""
        return self.page_url(asked.target, target.id)

    def page_url(self, record_type: str, record_id: int) -> str:
        if not self.person().may("can_show", RECORD_TYPES[record_type].__name__):
            return ""
        return str(self.appbuilder.url_of(record_type, record_id))

    def record_buttons(self, record: Any, person: Viewer) -> tuple[Button, ...]:
        """Edit and delete, where possible now."""
        found = []
        for permission, check, button in (
            ("can_edit", record.check_change, Button(_("Edit"), self.url("edit", pk=record.id), icon="pencil")),
            (
                "can_delete",
                record.check_delete,
                Button(
                    _("Delete"),
                    self.url("delete", pk=record.id),
                    icon="trash",
                    method="post",
                    confirm=_("Delete this record?"),
                ),
            ),
        ):
            if not person.may(permission, self.model.__name__):
                continue
            try:
                check(person)
            except Refused:
                continue
            found.append(button)
        return tuple(found)

    def sees_all_values(self, record: Any, person: Viewer) -> bool:
        """Whether the timeline shows also values narrowed to one organisation."""
        return False

    def timeline(self, record: Any) -> Any:
        person = self.person()
        thread = record.thread
        if thread is not record:
            return ()
        found = happened(
            db.session(),
            thread,
            person,
            sees_all=self.sees_all_values(record, person),
            without=self.withheld(record, person),
        )
        return entries(found, self.timeline_titles(record), self.document_urls(found), self.file_urls(record))

    def timeline_titles(self, record: Any) -> Mapping[tuple[str, int], str]:
        """Names of dependent records on this record's timeline."""
        return {}

    def file_urls(self, record: Any) -> Mapping[int, str]:
        """Addresses of this record's attachments by their ids; see `Attached`."""
        return {}

    def document_urls(self, found: Sequence[Any]) -> Callable[[int], str]:
        """Addresses of the papers on a timeline that this person may open; the row filter decides."""
        from models.document import Document

        wanted = {one.values["document"]["id"] for one in found if isinstance(one.values.get("document"), dict)}
        visible = set(db.session.scalars(sa.select(Document.id).where(Document.id.in_(wanted)))) if wanted else set()
        return lambda key: str(url_for("DocumentView.pdf", pk=key)) if key in visible else ""
