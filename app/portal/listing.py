"""Lists: tabs, search, filters, sorting, capped count and paging by key – never OFFSET, never an exact count of a large table (spec 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict

from app.database import db
from app.portal import sorting
from app.portal.filtering import Filters, filters_of
from app.portal.page import Button, Cell, Chip, Column, Empty, ListPage, Row, Tab
from app.security.row_filter import seen_keys
from models.base import fields_of
from models.text_search import clean_words, contains, searched_names
from models.viewer import Viewer

if TYPE_CHECKING:
    from app.portal.record_view import RecordView

PAGE = 25
CAP = 1000
"""Counts above are shown as “1000+”."""
NEAREST = 2000
"""So many rows are looked through for words before the index is asked."""


@dataclass(frozen=True)
class TabSpec:
    """A saved view: its name in the address, its label, and the condition that rows meet (None: all), or what makes it where it is chosen."""

    name: str
    label: str
    where: sa.ColumnElement[bool] | Callable[[], sa.ColumnElement[bool] | None] | None = None

    @property
    def condition(self) -> sa.ColumnElement[bool] | None:
        return self.where if self.where is None or isinstance(self.where, sa.ColumnElement) else self.where()


@dataclass(frozen=True)
class _Found:
    """The rows of a page, each record with the values by which it stands where it stands."""

    records: Sequence[Any]
    places: Sequence[str]
    before: bool
    after: bool


class Listing:
    """One list as asked for by an address. Unknown or senseless parameters are left out, never an error."""

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
        self.words = clean_words(arguments.get("q", ""))
        self.filters = Filters(
            db.session(), filters_of(self.model, view.filter_fields, view.guarded), arguments, self._example
        )
        self.order = self._order(arguments.get("sort", ""))

    def _example(self) -> Any:
        """A record of this person's county that is not saved, for questions whose choices depend on one."""
        made = self.model()
        db.session().enable_relationship_loading(made)
        if hasattr(made, "county_id"):
            made.county_id = self.person.county_id
        return made

    def _order(self, asked: str) -> sorting.Order:
        name = asked.removeprefix("-")
        found = None
        if name in self.view.sortable_columns():
            found = sorting.ordered_by(self.model, name, descending=asked.startswith("-"))
        return found or self._usual_order()

    def _usual_order(self) -> sorting.Order:
        usual = sorting.ordered_by(self.model, self.view.usual_order, descending=False)
        return replace(usual, name="") if usual is not None else sorting.newest_first(self.model)

    @cached_property
    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """What rows of this list meet, the row filter apart."""
        found = self._conditions_beside_words()
        if self.words:
            found.append(
                contains(self.model, self.words, db.session().get_bind().dialect.name, without=self.view.guarded)
            )
        return found

    def _conditions_beside_words(self) -> list[sa.ColumnElement[bool]]:
        chosen = self.tab.condition if self.tab is not None else None
        return [*self.filters.where] if chosen is None else [chosen, *self.filters.where]

    # Rows

    def _page(self) -> _Found:
        after = self.order.read_place(self.arguments.get("after", ""))
        before = self.order.read_place(self.arguments.get("before", ""))
        backwards = before is not None
        place = before if before is not None else after
        seen = seen_keys(self.model, self.person)
        beyond = () if place is None else (self.order.beyond(place, backwards=backwards, seen=seen),)
        near = self._found_near(beyond, backwards)
        query = self.order.select(sa.select(self.model), backwards=backwards)
        query = query.where(self.model.id.in_(near)) if near else query.where(*self.conditions, *beyond)
        rows = list(db.session.execute(query.options(*self.view.load_options()).limit(PAGE + 1)).unique())
        more = len(rows) > PAGE
        rows = rows[:PAGE][::-1] if backwards else rows[:PAGE]
        return _Found(
            [row[0] for row in rows],
            [self.order.place(row[1:]) for row in rows],
            more if backwards else after is not None,
            True if backwards else more,
        )

    def _found_near(self, beyond: Sequence[sa.ColumnElement[bool]], backwards: bool) -> Sequence[int]:
        """Keys of a page's rows that have the words, if they are found among the nearest rows; nothing if they do not fill it.

        A common word fills the page from these at once, while the index would gather all the rows that have it. A rare
        one does not; then the index has few rows to gather.
        """
        if not (self.words and self.model.text_index and not self.order.name):
            return ()
        nearest = self.order.sort(sa.select(self.model.id), backwards=backwards).where(*beyond).limit(NEAREST)
        said = contains(self.model, self.words, dialect="", without=self.view.guarded)
        query = sa.select(self.model.id).where(self.model.id.in_(nearest), *self._conditions_beside_words(), said)
        keys = db.session.scalars(self.order.sort(query, backwards=backwards).limit(PAGE + 1)).all()
        return keys if len(keys) > PAGE else ()

    def count_label(self) -> str:
        """How many rows the list has, in words, for a page that was shown without waiting for it."""
        shown = self.arguments.get("shown", "")
        return self._total_label(min(int(shown), PAGE) if shown.isdecimal() and len(shown) < 4 else PAGE)

    def _count(self) -> int:
        capped = sa.select(self.model.id).where(*self.conditions).limit(CAP + 1).subquery()
        return int(db.session.scalar(sa.select(sa.func.count()).select_from(capped)) or 0)

    # Addresses

    def parameters(self, *, without_filter: str = "") -> Iterator[tuple[str, str]]:
        """What this list was asked for, as it stands in an address; a place in it does not belong there."""
        if self.tab is not None:
            yield "tab", self.tab.name
        if self.words:
            yield "q", self.words
        if self.order.name:
            yield "sort", ("-" if self.order.descending else "") + self.order.name
        yield from self.filters.parameters(without_filter)

    def url(self, page: str = "list", *, without_filter: str = "", **changes: Any) -> str:
        """This list with some parameters changed; None removes one. A page position never survives."""
        kept = [(name, value) for name, value in self.parameters(without_filter=without_filter) if name not in changes]
        kept += [(name, value) for name, value in changes.items() if value not in (None, "")]
        return self.view.url(page) + (f"?{urlencode(kept)}" if kept else "")

    # The page

    def page(self) -> ListPage:
        found = self._page()
        names = self.view.column_names()
        guarded = not self.view.guarded.isdisjoint(names)
        hidden = self.view.withheld_of(found.records, self.person) if guarded else {}
        paged = found.before or found.after
        asks = self.filters.offered and "filter" in self.arguments
        here = {name: value for name in ("after", "before") if (value := self.arguments.get(name))}
        rows = tuple(self._row(record, names, hidden.get(record.id, frozenset())) for record in found.records)
        return ListPage(
            title=str(self.model.plural),
            count_label=self._count_label(len(found.records), paged),
            count_url=self.url("count", shown=len(found.records)) if paged else "",
            columns=self._columns(names, rows),
            rows=rows,
            empty=self._empty(),
            tabs=tuple(Tab(tab.label, self.url(tab=tab.name), tab is self.tab) for tab in self.all_tabs),
            buttons=(*self.view.buttons(self.person), *self._export_button()),
            bulk=(*self._bulk(), *self.view.bulk_buttons(self.person)),
            chips=tuple(
                Chip(f"{one.filter.label}：{one.words}", self.url(without_filter=name))
                for name, one in self.filters.active.items()
            ),
            search=self.words,
            search_hint=_("Search") if searched_names(self.model) else "",
            filter_form=self.filters.form(lambda name: self.view.url("options", name=name)) if asks else None,
            filter_url="" if asks or not self.filters.offered else self.url(filter="1"),
            first_url=self.url() if found.before else "",
            previous_url=self.url(before=found.places[0]) if found.before and found.records else "",
            next_url=self.url(after=found.places[-1]) if found.after and found.records else "",
            kept=self._kept(asks),
            here=self.url(**here),
        )

    def _kept(self, asks: bool) -> tuple[tuple[str, str], ...]:
        """What searching and filtering keep, beside what stands in their form."""
        shown = {"q"}
        if asks:
            shown.update(name for one in self.filters.known.values() if one.offered for name in one.parameters)
        return tuple((name, value) for name, value in self.parameters() if name not in shown)

    def _columns(self, names: Sequence[str], rows: Sequence[Row]) -> tuple[Column, ...]:
        sortable = self.view.sortable_columns()
        return tuple(
            Column(
                name,
                self.view.column_label(name),
                sort_url=self._sort_url(name) if name in sortable else "",
                sorted=("descending" if self.order.descending else "ascending") if name == self.order.name else "",
                number=any(row.cells[place].number for row in rows),
            )
            for place, name in enumerate(names)
        )

    def _sort_url(self, name: str) -> str:
        """Once upwards, then downwards; instants the newest first."""
        newest = name not in self.fields or self.fields[name].kind in ("date", "datetime")
        down = not self.order.descending if name == self.order.name else newest
        return self.url(sort=("-" if down else "") + name)

    def _count_label(self, shown: int, paged: bool) -> str:
        """On a single page the rows are counted already. Counting many may take longer than the page, which asks for it when it is there."""
        if paged:
            return _("more than %(count)d", count=shown)
        return ngettext("%(count)d entry", "%(count)d entries", shown, count=shown)

    def _total_label(self, shown: int) -> str:
        total = self._count()
        return _("%(shown)d of %(total)s", shown=shown, total=f"{CAP}+" if total > CAP else total)

    def _row(self, record: Any, names: Sequence[str], hidden: frozenset[str]) -> Row:
        cells = tuple(Cell() if name in hidden else self.view.cell(record, name) for name in names)
        state = next((cell.pill for cell in cells if cell.pill is not None), None)
        return Row(
            key=str(record.id),
            url=self.view.url_of(record),
            cells=cells,
            title=record.title,
            subtitle=" · ".join(
                self._noted(name, cell)
                for name, cell in zip(names, cells, strict=True)
                if cell.text and cell.text != record.title and name != "title"
            )[:120],
            pill=state,
            badge=next((cell.badge for cell in cells if cell.badge is not None), None),
            emergency=bool(getattr(record, "emergency", False)),
        )

    def _noted(self, name: str, cell: Cell) -> str:
        """A value as it stands on a card, where no column says what it is: a number, a yes or no is named."""
        asked = self.fields.get(name)
        bare = cell.number or (asked is not None and asked.kind == "boolean")
        return f"{self.view.column_label(name)} {cell.text}" if bare else cell.text

    def _empty(self) -> Empty:
        if self.words or self.filters.active:
            return Empty(
                _("Nothing matches. Try fewer words or remove a filter."),
                Button(_("Show all"), self.view.url("list"), icon="x"),
            )
        new = next((one for one in self.view.buttons(self.person) if one.primary), None)
        every = next((tab for tab in self.all_tabs if tab.where is None), None)
        if self.tab is None or self.tab is every:
            return Empty(_("Nothing has been entered yet."), new)
        show = Button(_("Show all"), self.url(tab=every.name)) if every is not None else None
        return Empty(_("“%(view)s” is empty at present.", view=self.tab.label), new or show)

    def _export_button(self) -> tuple[Button, ...]:
        if not self.person.may("can_export", self.model.__name__):
            return ()
        return (Button(_("Export"), self.url("export"), icon="table-export"),)

    def _bulk(self) -> tuple[Button, ...]:
        workflow = self.model.workflow
        if workflow is None:
            return ()
        return tuple(
            Button(str(step.label), self.view.url("bulk", name=step.name), icon=step.icon, method="post")
            for step in workflow.transitions
            if step.bulk and self.person.may(step.permission, self.model.__name__)
        )


def asked_for(listing: Listing) -> Mapping[str, str]:
    """What a list shows, in words: for the event of an export."""
    found = {}
    if listing.tab is not None:
        found["view"] = listing.tab.label
    if listing.words:
        found["search"] = listing.words
    for one in listing.filters.active.values():
        found[one.filter.name] = f"{one.filter.label}：{one.words}"
    return found
