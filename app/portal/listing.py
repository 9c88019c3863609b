"""Lists: tabs, search, filters, capped count and paging by key – never OFFSET, never an exact count of a large table (spec 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import sqlalchemy as sa
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from app.database import db
from app.portal import references
from app.portal.forms import RecordForm, make_form
from app.portal.page import Button, Chip, Column, Empty, ListPage, Row, Tab
from models.base import described, fields_of
from models.field import Field, FieldError
from models.viewer import Viewer

if TYPE_CHECKING:
    from app.portal.record_view import RecordView

PAGE = 25
CAP = 1000
"""Counts above are shown as “1000+”."""


@dataclass(frozen=True)
class TabSpec:
    """A saved view: its name in the address, its label, and the condition that rows meet (None: all)."""

    name: str
    label: str
    where: sa.ColumnElement[bool] | None = None


class Listing:
    """One list page as asked for by an address. Unknown or senseless parameters are left out, never an error."""

    def __init__(self, view: RecordView, person: Viewer, arguments: MultiDict[str, str]) -> None:
        self.view = view
        self.model = view.model
        self.person = person
        self.arguments = arguments
        self.fields = fields_of(self.model)
        self.all_tabs = view.tabs(person)
        self.tab = next(
            (tab for tab in self.all_tabs if tab.name == arguments.get("tab")),
            self.all_tabs[0] if self.all_tabs else None,
        )
        self.words = arguments.get("q", "").strip()[:60].replace("\x00", "")
        self.filters = self._read_filters()

    # What was asked for

    def _filterable(self) -> list[Field]:
        return [
            one
            for name, one in self.fields.items()
            if described(self.model, name)["searched"] and one.kind in ("choice", "reference", "boolean")
        ]

    def _read_filters(self) -> dict[str, Any]:
        found = {}
        for one in self._filterable():
            try:
                value = (
                    one.parse(self.arguments.get(one.name))
                    if one.kind != "choice" or isinstance(one.choices, type)
                    else self.arguments.get(one.name, "")[:60].replace("\x00", "")
                )
            except FieldError:
                continue
            if value not in (None, "", False):
                found[one.name] = value
        return found

    def _conditions(self) -> list[sa.ColumnElement[bool]]:
        conditions = [self.tab.where] if self.tab is not None and self.tab.where is not None else []
        for name, value in self.filters.items():
            conditions.append(
                getattr(self.model, f"{name}_id" if self.fields[name].kind == "reference" else name) == value
            )
        if self.words:
            pattern = "%" + self.words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
            texts = [
                getattr(self.model, name)
                for name, one in self.fields.items()
                if described(self.model, name)["searched"] and one.kind in ("text", "long_text")
            ]
            conditions.append(sa.or_(*(text.ilike(pattern, escape="\\") for text in texts)) if texts else sa.false())
        return conditions

    def _key(self, name: str) -> int | None:
        text = self.arguments.get(name, "")
        return int(text) if text.isdecimal() and len(text) < 19 else None

    # Rows

    def _rows(self) -> tuple[list[Any], bool, bool]:
        """The page's records and whether there are any before and after it."""
        query = sa.select(self.model).where(*self._conditions()).options(*self.view.load_options())
        after, before = self._key("after"), self._key("before")
        if before is not None:
            found = list(
                db.session.scalars(query.where(self.model.id > before).order_by(self.model.id).limit(PAGE + 1)).unique()
            )
            return found[:PAGE][::-1], len(found) > PAGE, True
        if after is not None:
            query = query.where(self.model.id < after)
        found = list(db.session.scalars(query.order_by(self.model.id.desc()).limit(PAGE + 1)).unique())
        return found[:PAGE], after is not None, len(found) > PAGE

    def _count(self) -> int:
        capped = sa.select(self.model.id).where(*self._conditions()).limit(CAP + 1).subquery()
        return int(db.session.scalar(sa.select(sa.func.count()).select_from(capped)) or 0)

    # The page

    def url(self, **changes: Any) -> str:
        """This list with some parameters changed; None removes one. A page position never survives."""
        values: dict[str, Any] = {"tab": self.tab.name if self.tab else None, "q": self.words or None}
        values |= {name: getattr(value, "value", value) for name, value in self.filters.items()}
        values |= changes
        kept = {name: value for name, value in values.items() if value not in (None, "")}
        return self.view.url("list") + (f"?{urlencode(kept)}" if kept else "")

    def page(self) -> ListPage:
        records, more_before, more_after = self._rows()
        names = self.view.column_names()
        searchable = any(
            described(self.model, name)["searched"] and one.kind in ("text", "long_text")
            for name, one in self.fields.items()
        )
        return ListPage(
            title=str(self.model.plural),
            count_label=self._count_label(len(records), more_before or more_after),
            columns=tuple(
                Column(
                    name,
                    self.view.column_label(name),
                    number=name in self.fields and self.fields[name].kind in ("integer", "decimal"),
                )
                for name in names
            ),
            rows=tuple(self._row(record, names) for record in records),
            empty=self._empty(),
            tabs=tuple(Tab(tab.label, self.url(tab=tab.name), tab is self.tab) for tab in self.all_tabs),
            buttons=self.view.buttons(self.person),
            bulk=self._bulk(),
            chips=self._chips(),
            search=self.words,
            search_hint=_("Search") if searchable else "",
            filter_form=self._filter_form(),
            first_url=self.url() if more_before else "",
            previous_url=self.url(before=records[0].id) if more_before and records else "",
            next_url=self.url(after=records[-1].id) if more_after and records else "",
            kept=(("tab", self.tab.name),) if self.tab else (),
        )

    def _count_label(self, shown: int, paged: bool) -> str:
        total = self._count() if paged else shown
        return (
            _("%(shown)d of %(total)s", shown=shown, total=f"{CAP}+" if total > CAP else total)
            if paged
            else _("%(count)d entries", count=total)
        )

    def _row(self, record: Any, names: tuple[str, ...]) -> Row:
        cells = tuple(self.view.cell(record, name) for name in names)
        state = next((cell.pill for cell in cells if cell.pill is not None), None)
        return Row(
            key=str(record.id),
            url=self.view.url_of(record),
            cells=cells,
            title=record.title,
            subtitle=" · ".join(
                cell.text
                for name, cell in zip(names, cells, strict=True)
                if cell.text and cell.text != record.title and name != "title"
            )[:120],
            pill=state,
            badge=next((cell.badge for cell in cells if cell.badge is not None), None),
            emergency=bool(getattr(record, "emergency", False)),
        )

    def _empty(self) -> Empty:
        if self.words or self.filters:
            return Empty(
                _("Nothing matches. Try fewer words or remove a filter."),
                Button(_("Show all"), self.view.url("list"), icon="x"),
            )
        return Empty(_("Nothing here at present."), next(iter(self.view.buttons(self.person)), None))

    def _bulk(self) -> tuple[Button, ...]:
        workflow = self.model.workflow
        if workflow is None:
            return ()
        return tuple(
            Button(str(step.label), self.view.url("bulk", name=step.name), icon=step.icon, method="post")
            for step in workflow.transitions
            if step.bulk and self.person.may(step.permission, self.model.__name__)
        )

    def _chips(self) -> tuple[Chip, ...]:
        found = []
        for name, value in self.filters.items():
            asked = self.fields[name]
            word = str(getattr(value, "label", value))
            if asked.kind == "reference":
                word = next((label for _key, label in references.labels(db.session(), asked, [value])), "")
            found.append(Chip(f"{asked.label}：{word}", self.url(**{name: None})))
        return tuple(found)

    def _filter_form(self) -> RecordForm | None:
        fields = self._filterable()
        if not fields:
            return None
        example = self.model()
        db.session().enable_relationship_loading(example)
        if hasattr(example, "county_id"):
            example.county_id = self.person.county_id
        values: Mapping[str, Any] = {one.name: self.filters.get(one.name) for one in fields}
        return make_form(
            fields,
            record=example,
            values=values,
            option_url=lambda asked: self.view.url("options", name=asked.name),
            labels=lambda asked, keys: references.labels(db.session(), asked, keys),
            csrf=False,
            submitted=False,
            require=False,
        )
