"""A record type's list (face, List)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flask import jsonify, render_template, request
from flask_appbuilder import expose
from flask_babel import gettext as _

from app.portal import references
from app.portal.listing import Listing, TabSpec
from app.portal.page import Button, Cell
from app.portal.record.declared import Declared
from app.portal.sorting import has_order
from app.portal.words import call_address, is_quantity, pill, value_text
from models.base import described, fields_of
from models.viewer import Viewer

Drawing = TypeVar("Drawing", bound=Callable[..., Cell])
_heads: dict[Callable[..., Cell], Any] = {}


def drawn(head: Any) -> Callable[[Drawing], Drawing]:
    """Give a method `cell_<name>`, which draws a column that is no field's, the head of that column."""

    def keep(drawing: Drawing) -> Drawing:
        _heads[drawing] = head
        return drawing

    return keep


class Listed(Declared):
    """The list of a record type."""

    @expose("/list/")
    def list(self) -> Any:
        """The list, filtered, searched, paged by key."""
        person = self.demand("can_list")
        listing = Listing(self, person, request.args)
        return render_template(
            "list.html", page=listing.page(), frame_active=(self.group, listing.tab.name if listing.tab else "")
        )

    @expose("/count")
    def count(self) -> Any:
        """How many rows a list has, in words: asked for by a page that did not wait for it."""
        person = self.demand("can_list")
        return jsonify(label=Listing(self, person, request.args).count_label())

    def column_names(self) -> tuple[str, ...]:
        return self.columns or tuple(name for name in fields_of(self.model) if described(self.model, name)["listed"])

    def sortable_columns(self) -> tuple[str, ...]:
        """The columns by which the list may be sorted; what is only drawn has no order."""
        names = self.column_names() if self.sortable is None else self.sortable
        return tuple(name for name in names if has_order(self.model, name) and name not in self.guarded)

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        """Saved views that this person's work needs; the first is shown when none is asked for."""
        return ()

    def load_options(self) -> Sequence[Any]:
        """Loader options of the list: the references that it shows, in the same statement."""
        names = [
            name
            for name in self.column_names()
            if name in fields_of(self.model)
            and fields_of(self.model)[name].kind == "reference"
            and hasattr(self.model, name)
        ]
        return [references.with_title(getattr(self.model, name)) for name in names]

    def cell(self, record: Any, name: str) -> Cell:
        """A cell of the list."""
        draw: Callable[[Any], Cell] | None = getattr(self, f"cell_{name}", None)
        if draw is not None:
            return draw(record)
        asked = fields_of(self.model)[name]
        value = getattr(record, name)
        if name == "state":
            return Cell(pill=pill(value))
        text = value_text(asked, value, record)
        return Cell(text, url=call_address(asked, text), number=is_quantity(asked))

    def column_label(self, name: str) -> str:
        fields = fields_of(self.model)
        return str(fields[name].label if name in fields else _heads[getattr(type(self), f"cell_{name}")])

    def new_title(self) -> str:
        """Title of the form for a new record, and of the button that opens it."""
        return _("New: %(what)s", what=self.model.label)

    def buttons(self, person: Viewer) -> tuple[Button, ...]:
        """Buttons above the list."""
        if not person.may("can_add", self.model.__name__):
            return ()
        return (Button(self.new_title(), self.url("add"), icon="plus", primary=True),)

    def bulk_buttons(self, person: Viewer) -> tuple[Button, ...]:
        """What may be done with the chosen rows beside the steps that every one of them allows."""
        return ()
