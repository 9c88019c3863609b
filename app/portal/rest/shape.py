"""What REST knows of a type: the fields that are read, and the columns and records behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.base import RECORD_TYPES, Record, fields_of
from models.field import LARGEST_ID, Field, Text


@dataclass(frozen=True)
class ComputedColumn:
    """A value that is read beside the described fields, such as a call's assignments.

    `compute` gets all records of a page, so that a page needs one statement and not one for each row; it gives the values by id, in the form JSON
    keeps them. `schema` describes one value in the words of OpenAPI.
    """

    label: Text
    compute: Callable[[Session, Sequence[Any]], Mapping[int, Any]]
    schema: Mapping[str, Any]


Withheld = Callable[[Sequence[Any]], Mapping[int, frozenset[str]]]


@dataclass(frozen=True)
class Shape:
    """A type as REST reads it."""

    model: type[Any]
    label: Text
    fields: Mapping[str, Field]
    """Everything read from columns, by its name in JSON."""
    computed: Mapping[str, ComputedColumn] = field(default_factory=dict)
    guarded: frozenset[str] = frozenset()
    """Fields that not everybody who sees a record reads; they neither filter nor order."""
    withheld: Withheld = lambda records: {}
    """The names that the present viewer does not read, by the record's key; the view's own rule."""

    @property
    def open_fields(self) -> Mapping[str, Field]:
        """The fields that filter and order."""
        return {name: one for name, one in self.fields.items() if name not in self.guarded}

    def column(self, name: str) -> InstrumentedAttribute[Any]:
        """The column behind a field: a reference's is its foreign key."""
        key = f"{name}_id" if self.fields[name].kind == "reference" else name
        found: InstrumentedAttribute[Any] = getattr(self.model, key)
        return found

    def nullable(self, name: str) -> bool:
        """Whether a field may read null: it may be empty, or name something that the reader may not see."""
        column: sa.Column[Any] = sa.inspect(self.model).column_attrs[self.column(name).key].columns[0]
        return self.fields[name].kind == "reference" or bool(column.nullable)

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that a row reads, in order."""
        return (*self.fields, *self.computed)


def target_of(asked: Field) -> type[Any]:
    """The type that a reference names."""
    return RECORD_TYPES[asked.target]


def largest_integer(column: InstrumentedAttribute[Any]) -> int:
    """The largest number that an integer column holds on every database; PostgreSQL's are narrower than Python's and SQLite's."""
    kept: sa.types.TypeEngine[Any] = column.property.columns[0].type
    return LARGEST_ID if isinstance(kept, sa.BigInteger) else 2**31 - 1


def shape_of(
    model: type[Record],
    computed: Mapping[str, ComputedColumn] | None = None,
    guarded: frozenset[str] = frozenset(),
    withheld: Withheld = lambda records: {},
) -> Shape:
    """A record type's described fields, with what every record has. A computed column stands for the field of its
    name, which then neither filters nor orders."""
    fields = {"id": Field("id", _l("Key"), "integer")}
    if hasattr(model, "county_id"):
        fields["county"] = Field("county", _l("County"), "reference", target="organisation")
    fields |= {name: one for name, one in fields_of(model).items() if name not in (computed or {})}
    fields["version"] = Field("version", _l("Version"), "integer")
    fields["created_at"] = Field("created_at", _l("Created"), "datetime")
    fields["changed_at"] = Field("changed_at", _l("Changed"), "datetime")
    return Shape(model, model.label, fields, computed or {}, guarded, withheld)
