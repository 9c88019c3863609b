"""The records that refer to a record, on its page: derived from the references of all record types, read in few statements (spec 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import sqlalchemy as sa
from flask_babel import gettext as _

from app.database import db
from app.portal import references
from app.portal.page import Button, Cell, Column, Link, Row, Section
from app.portal.record.stepped import Stepped
from app.portal.words import pill, value_text
from models.base import described, fields_of
from models.field import Field
from models.viewer import Viewer

if TYPE_CHECKING:
    from app.portal.record_view import RecordView

NEWEST = 10
"""Records of a type that stand on the page; its list has the others."""
CAP = 100
"""Counts above are shown as “100+”."""
OPENED = 4
"""Types whose records are shown, each by one statement; of further ones the number alone."""
COLUMNS = 4


@dataclass(frozen=True)
class Relation:
    """A reference of another record type to this one."""

    view: RecordView
    field: Field
    alone: bool
    """Whether it is the type's only reference to this one."""

    @property
    def model(self) -> Any:
        return self.view.model

    @property
    def key(self) -> Any:
        """The column that refers."""
        return getattr(self.model, f"{self.field.name}_id")

    @property
    def title(self) -> str:
        return str(self.model.plural) if self.alone else f"{self.model.plural}（{self.field.label}）"

    def prefilled(self, record: Any, page: str) -> str:
        """A page of the other type with this record filled in."""
        return f"{self.view.url(page)}?{urlencode({self.field.name: record.id})}"


class Related(Stepped):
    """The block of related records of a record's page."""

    def relations(self, person: Viewer) -> tuple[Relation, ...]:
        """The references to this type that this person may follow, in the order of `related`, else in that of the navigation."""
        found: dict[str, Relation] = {}
        for view in self.appbuilder.record_views.values():
            if not person.may("can_list", view.model.__name__):
                continue
            named = [
                one
                for one in fields_of(view.model).values()
                if one.kind == "reference" and one.target == self.model.resource() and one.name not in view.guarded
            ]
            for one in named:
                relation = Relation(view, one, len(named) == 1)
                found[f"{view.model.resource()}.{one.name}"] = relation
        if self.related is None:
            return tuple(one for one in found.values() if not self._shown_otherwise(one))
        return tuple(
            relation
            for wanted in self.related
            for name, relation in found.items()
            if wanted in (name, name.partition(".")[0])
        )

    def _shown_otherwise(self, relation: Relation) -> bool:
        """Whether the page shows these records anyway, as lines of this one or in a way of its own."""
        links = sa.inspect(self.model).relationships
        return relation.model.resource() in self.unrelated or any(
            links[name].mapper.class_ is relation.model for name in self.model.parts if name in links
        )

    def related_sections(self, record: Any) -> tuple[Section, ...]:
        """One statement finds the newest keys of every type, one more for each type of which there are any (the first few)."""
        person = self.person()
        relations = self.relations(person)
        if not relations:
            return ()
        keys = self._newest(relations, record)
        opened = [place for place in keys if keys[place]][:OPENED]
        sections = []
        for place, relation in enumerate(relations):
            button = self._new_button(relation, record, person)
            found = keys.get(place, [])
            if not found and button is None:
                continue
            sections.append(self._section(relation, record, found, place in opened, button))
        return tuple(sections)

    def _newest(self, relations: Sequence[Relation], record: Any) -> dict[int, list[int]]:
        """The newest keys of each relation, as many as are counted, by its place; those that the viewer sees."""
        parts = []
        for place, relation in enumerate(relations):
            inner = (
                sa.select(relation.model.id.label("id"))
                .where(relation.key == record.id)
                .order_by(relation.model.id.desc())
                .limit(CAP + 1)
                .subquery()
            )
            parts.append(sa.select(sa.literal(place).label("place"), inner.c.id))
        found: dict[int, list[int]] = {}
        for place, key in db.session.execute(sa.union_all(*parts)):
            found.setdefault(place, []).append(key)
        return {place: sorted(keys, reverse=True) for place, keys in sorted(found.items())}

    @staticmethod
    def _new_button(relation: Relation, record: Any, person: Viewer) -> Button | None:
        editable = described(relation.model, relation.field.name)["editable"]
        if not editable or not person.may("can_add", relation.model.__name__):
            return None
        return Button(relation.view.new_title(), relation.prefilled(record, "add"), icon="plus")

    def _section(
        self, relation: Relation, record: Any, keys: Sequence[int], opened: bool, button: Button | None
    ) -> Section:
        view, count = relation.view, len(keys)
        names = _columns(view, without=relation.field.name)
        rows: tuple[Row, ...] = ()
        if opened:
            rows = tuple(_row(view, one, names) for one in self._load(view, keys[:NEWEST], names))
        whole = relation.prefilled(record, "list")
        if view.all_tab:
            whole += f"&tab={view.all_tab}"
        return Section(
            title=relation.title,
            columns=(
                Column("title", str(relation.model.label)),
                *(Column(name, view.column_label(name)) for name in names),
            ),
            rows=rows,
            empty=_("None yet.") if not count else "",
            count_label=f"{CAP}+" if count > CAP else str(count),
            link=Link(_("Show all") if count > NEWEST else "", whole),
            button=button,
        )

    @staticmethod
    def _load(view: RecordView, keys: Sequence[int], names: Sequence[str]) -> list[Any]:
        """The records with what their rows show, in one statement, newest first."""
        model: Any = view.model
        links = [getattr(model, name) for name in names if fields_of(model)[name].kind == "reference"]
        titles = references.organisations_in_title(model)
        options = [references.with_title(link) for link in {link.key: link for link in (*links, *titles)}.values()]
        query = sa.select(model).where(model.id.in_(keys)).order_by(model.id.desc()).options(*options)
        return list(db.session.scalars(query).unique())


def _columns(view: RecordView, *, without: str) -> tuple[str, ...]:
    """The first columns of the type's list that are fields, the state among them; what is drawn from others would take more statements."""
    fields = fields_of(view.model)
    names = [
        name
        for name in view.column_names()
        if name in fields
        and name not in (without, "title", "name")
        and name not in view.guarded
        and fields[name].kind not in ("long_text", "json")
        and (fields[name].kind != "reference" or hasattr(view.model, name))
    ]
    if "state" in names[COLUMNS:]:
        names = [*names[: COLUMNS - 1], "state"]
    return tuple(names[:COLUMNS])


def _row(view: RecordView, record: Any, names: Sequence[str]) -> Row:
    fields = fields_of(view.model)
    cells = [Cell(record.title)]
    for name in names:
        value = getattr(record, name)
        if name == "state":
            cells.append(Cell(pill=pill(value)))
        else:
            cells.append(
                Cell(value_text(fields[name], value, record), number=fields[name].kind in ("integer", "decimal"))
            )
    return Row(str(record.id), view.url("show", pk=record.id), tuple(cells), record.title)
