"""The directory of organisations, kept by the system administrator."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import render_template
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.database import db
from app.portal.frame import Entry
from app.portal.page import Button, Cell, Column, RecordPage, Row, Section
from app.portal.record_view import Failed, RecordView
from app.portal.sheet import Block, Node, Sheet
from app.portal.words import pill
from models.field import Field
from models.organisation import ABOVE_COUNTIES, Organisation, OrganisationAlias, OrganisationKind
from models.person import ROLES, Person
from models.viewer import Viewer

EVERYONE = frozenset(ROLES)
ADMINISTRATOR = frozenset({"system_administrator"})
MOST_PEOPLE = 200
"""People listed on an organisation's page at most."""


class OrganisationView(RecordView):
    model = Organisation
    readers = EVERYONE
    writers = ADMINISTRATOR
    deleters: ClassVar[frozenset[str]] = frozenset()
    rest_methods = frozenset({"list", "show", "add", "edit"})
    group = "directory"
    columns = ("name", "short_name", "kind", "parent", "phone", "state")
    usual_order = "order"
    related: ClassVar[tuple[str, ...]] = ("call", "assignment", "stationed_agency", "liaison")

    def navigation(self) -> tuple[Entry, ...]:
        return (
            Entry(_l("Organisations"), f"{self.endpoint}.list", "Organisation"),
            Entry(_l("Organisations as a tree"), f"{self.endpoint}.tree", "Organisation"),
        )

    def form_fields(self, record: Any) -> dict[str, Field]:
        """Names of an organisation that is there already are changed by “Rename”, its kind never."""
        found = super().form_fields(record)
        if record.id is not None:
            return {
                name: asked for name, asked in found.items() if name not in ("name", "party_name", "short_name", "kind")
            }
        if not self.person().whole_installation and "kind" in found:
            kinds = [(str(kind.value), kind.label) for kind in OrganisationKind if kind not in ABOVE_COUNTIES]
            found["kind"] = replace(found["kind"], choices=lambda record: kinds)
        return found

    def buttons(self, person: Viewer) -> tuple[Button, ...]:
        return (*super().buttons(person), Button(_("Tree"), self.url("tree"), icon="hierarchy"))

    @expose("/tree/")
    def tree(self) -> Any:
        """All organisations that one sees, each below the one it belongs to, in their order."""
        person = self.demand("can_list")
        below: dict[int | None, list[Organisation]] = defaultdict(list)
        found = list(db.session.scalars(sa.select(Organisation).order_by(Organisation.order, Organisation.id)))
        known = {one.id for one in found}
        for one in found:
            below[one.parent_id if one.parent_id in known and one.parent_id != one.id else None].append(one)

        def nodes(parent: int | None, above: frozenset[int]) -> tuple[Node, ...]:
            return tuple(
                Node(
                    one.short_name,
                    self.url("show", pk=one.id),
                    " · ".join(filter(None, (one.name if one.name != one.short_name else "", str(one.kind.label)))),
                    None if one.active else pill(one.state),
                    nodes(one.id, above | {one.id}),
                )
                for one in below[parent]
                if one.id not in above
            )

        page = Sheet(
            _("Organisations as a tree"),
            (Block(nodes=nodes(None, frozenset()), empty=_("No organisations yet.")),),
            intro=_(
                "Each stands below the one it belongs to, in the official order. The order is a number in its form."
            )
            if self.may("can_edit")
            else "",
            buttons=super().buttons(person),
        )
        return render_template("sheet.html", page=page, frame_active=(self.group, ""))

    # Page

    def record_page(self, record: Organisation, failed: Failed | None) -> RecordPage:
        page = super().record_page(record, failed)
        return replace(page, main_sections=(self._people(record),), sections=self._names(record))

    def _people(self, record: Organisation) -> Section:
        people = db.session.scalars(
            sa.select(Person)
            .where(Person.organisation_id == record.id, Person.active.is_(True))
            .order_by(Person.id)
            .limit(MOST_PEOPLE)
        ).unique()
        rows = tuple(
            Row(str(one.id), self.page_url("person", one.id), (Cell(one.name), Cell(one.position or "")), one.name)
            for one in people
        )
        columns = (Column("name", _("Full name")), Column("position", _("Position")))
        return Section(_("People"), columns=columns, rows=rows, empty=_("Nobody has an account here yet."))

    def _names(self, record: Organisation) -> tuple[Section, ...]:
        aliases = db.session.scalars(
            sa.select(OrganisationAlias)
            .where(OrganisationAlias.organisation_id == record.id)
            .order_by(OrganisationAlias.borne_until, OrganisationAlias.id)
        ).all()
        if not aliases:
            return ()
        rows = tuple(
            Row(
                str(one.id),
                "",
                (Cell(one.name), Cell(_("until %(day)s", day=one.borne_until.isoformat()) if one.borne_until else "")),
                one.name,
            )
            for one in aliases
        )
        columns = (Column("name", _("Other name")), Column("until", _("Borne")))
        return (Section(_("Other and former names"), columns=columns, rows=rows),)
