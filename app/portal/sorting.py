"""The order of a list and its place in it: sorting by any column, also a reference's, and paging by key instead of OFFSET (spec 5).

A page ends at a row; the next one begins beyond that row's sort values and key. Empty values stand last in either direction, on every database.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from models.base import RECORD_TYPES, fields_of
from models.field import LARGEST_ID, Choice, Field

LONGEST_PLACE = 1_000
"""Characters of a place in an address."""
STAMPS = {"changed": "changed_at", "created": "created_at"}
"""Names by which every record's stamps order a list."""
TITLES = ("order", "number", "name", "title", "last_name")
"""The column by which references are put in order: the first of these that their target has. Organisations have their own order (规范排序)."""


@dataclass(frozen=True)
class Key:
    """One thing that rows are put in order by."""

    expression: sa.ColumnElement[Any]
    descending: bool
    nullable: bool
    read: Callable[[Any], Any]
    """The value of what stands in an address. Raises ValueError."""


@dataclass(frozen=True)
class Order:
    """How a list is put in order: by its keys, the last of which is the records' own key."""

    name: str
    """The column asked for; empty for newest first."""
    descending: bool
    keys: tuple[Key, ...]
    join: tuple[Any, sa.ColumnElement[bool]] | None = None
    """The reference's target and how it hangs on the list's rows."""

    def select(self, query: sa.Select[Any], *, backwards: bool = False) -> sa.Select[Any]:
        """A query of records, put in order; each row carries the values by which it stands where it stands."""
        return self.sort(query, backwards=backwards).add_columns(*(key.expression for key in self.keys))

    def sort(self, query: sa.Select[Any], *, backwards: bool = False) -> sa.Select[Any]:
        """A query of records, put in order."""
        if self.join is not None:
            query = query.outerjoin(*self.join)
        terms: list[sa.ColumnElement[Any]] = []
        for key in self.keys:
            if key.nullable:
                empty_last = sa.case((key.expression.is_(None), 1), else_=0)
                terms.append(empty_last.desc() if backwards else empty_last.asc())
            terms.append(key.expression.desc() if key.descending != backwards else key.expression.asc())
        return query.order_by(*terms)

    def beyond(
        self, values: Sequence[Any], *, backwards: bool = False, seen: sa.Select[Any] | None = None
    ) -> sa.ColumnElement[bool]:
        """Condition of the rows behind those values, or before them. `seen` are the keys of the rows that somebody sees: in the order of
        the keys they are looked through from that place on as well, while the database by itself begins with the first of them."""
        behind = self._behind(values, backwards)
        if seen is None or len(self.keys) > 1:
            return behind
        key = self.keys[0]
        seen_key = seen.selected_columns[0]
        from_there = seen_key < values[0] if key.descending != backwards else seen_key > values[0]
        return sa.and_(behind, key.expression.in_(seen.where(from_there)))

    def _behind(self, values: Sequence[Any], backwards: bool) -> sa.ColumnElement[bool]:
        if len({key.descending for key in self.keys}) == 1 and not any(key.nullable for key in self.keys):
            # Compared as a whole, which an index over these columns answers.
            mine = sa.tuple_(*(key.expression for key in self.keys))
            theirs = sa.tuple_(
                *(sa.literal(value, key.expression.type) for key, value in zip(self.keys, values, strict=True))
            )
            return mine < theirs if self.keys[0].descending != backwards else mine > theirs
        ahead: list[sa.ColumnElement[bool]] = []
        same: list[sa.ColumnElement[bool]] = []
        for key, value in zip(self.keys, values, strict=True):
            ahead.append(sa.and_(*same, _ahead(key, value, backwards)))
            same.append(key.expression.is_(None) if value is None else key.expression == value)
        return sa.or_(*ahead)

    def place(self, values: Sequence[Any]) -> str:
        """A row's sort values as they stand in an address."""
        written = [_written(value) for value in values]
        return json.dumps(written if len(written) > 1 else written[0], ensure_ascii=False, separators=(",", ":"))

    def read_place(self, text: str) -> tuple[Any, ...] | None:
        """The values of a place in an address; None for what is none of this order."""
        if not text or len(text) > LONGEST_PLACE:
            return None
        try:
            given = json.loads(text)
            if len(self.keys) == 1:
                given = [given]
            if not isinstance(given, list) or len(given) != len(self.keys):
                return None
            return tuple(
                None if value is None and key.nullable else key.read(value)
                for key, value in zip(self.keys, given, strict=True)
            )
        except (ValueError, RecursionError):
            return None


def _ahead(key: Key, value: Any, backwards: bool) -> sa.ColumnElement[bool]:
    if value is None:
        return key.expression.is_not(None) if backwards else sa.false()
    further = key.expression < value if key.descending != backwards else key.expression > value
    return sa.or_(further, key.expression.is_(None)) if key.nullable and not backwards else further


def newest_first(model: type[Any]) -> Order:
    """The order of a list that says nothing else."""
    return Order("", True, (_own_key(model, True),))


def has_order(model: type[Any], name: str) -> bool:
    """Whether a list may be sorted by a name: a field with an order; nothing that is only drawn from others."""
    asked = fields_of(model).get(name)
    if asked is None:
        return name in STAMPS
    return asked.kind not in ("json", "long_text", "references", "entries")


def ordered_by(model: type[Any], name: str, *, descending: bool) -> Order | None:
    """The order by a field; None where it has none that people would understand."""
    if not has_order(model, name):
        return None
    asked = fields_of(model).get(name)
    if asked is None:
        return replace(order_of(model, Field(STAMPS[name], "", "datetime"), descending=descending), name=name)
    return order_of(model, asked, descending=descending)


def order_of(model: type[Any], asked: Field, *, descending: bool) -> Order:
    """The order by a column of a type, described or not: lists and REST put the same rows in the same order."""
    if asked.name == "id":
        return Order(asked.name, descending, (_own_key(model, descending),))
    if asked.kind == "reference":
        return _by_reference(model, asked, descending)
    column: Any = getattr(model, asked.name)
    kept: sa.Column[Any] = sa.inspect(model).column_attrs[asked.name].columns[0]
    expression, read = column, _reader(asked, kept)
    if asked.kind == "choice" and isinstance(asked.choices, type):
        expression, read = _position(column, asked.choices), _integer
    key = Key(expression, descending, bool(kept.nullable), read)
    return Order(asked.name, descending, (key, _own_key(model, descending)))


def _own_key(model: type[Any], descending: bool) -> Key:
    return Key(model.id, descending, False, _positive)


def _position(column: Any, choices: type[Choice]) -> sa.ColumnElement[int]:
    """An enumeration stands in the order of its declaration, which is that of the work, not in that of its identifiers."""
    return sa.case({member: place for place, member in enumerate(choices)}, value=column, else_=None)


def _by_reference(model: type[Any], asked: Field, descending: bool) -> Order:
    """By what the reference names; rows whose target is hidden or missing stand last."""
    if asked.target == "person":
        from models.person import Person

        target_model: type[Any] = Person
    else:
        target_model = RECORD_TYPES[asked.target]
    target: Any = aliased(target_model)
    attributes = sa.inspect(target_model).column_attrs
    title = next((name for name in TITLES if name in attributes), None)
    foreign = getattr(model, f"{asked.name}_id")
    keys = []
    if title is not None:
        kept = attributes[title].columns[0]
        of_title = fields_of(target_model).get(title) if hasattr(target_model, "resource") else None
        keys.append(Key(getattr(target, title), descending, True, _reader(of_title or Field(title, title), kept)))
    keys += [Key(target.id, descending, True, _integer), _own_key(model, descending)]
    return Order(asked.name, descending, tuple(keys), join=(target, target.id == foreign))


# Values in addresses


def _reader(asked: Field, kept: sa.Column[Any]) -> Callable[[Any], Any]:
    match asked.kind:
        case "integer":
            return _integer if isinstance(kept.type, sa.BigInteger) else _small_integer
        case "decimal":
            return _decimal
        case "boolean":
            return _boolean
        case "date":
            return lambda value: date.fromisoformat(_text(value))
        case "datetime":
            return _instant
        case _:
            return _text


def _written(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _integer(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > LARGEST_ID:
        raise ValueError(value)
    return value


def _positive(value: Any) -> int:
    if _integer(value) < 0:
        raise ValueError(value)
    return int(value)


def _small_integer(value: Any) -> int:
    if abs(_integer(value)) >= 2**31:
        raise ValueError(value)
    return int(value)


def _decimal(value: Any) -> Decimal:
    try:
        found = Decimal(_text(value))
    except InvalidOperation:
        raise ValueError(value) from None
    if not found.is_finite() or abs(found) >= Decimal(10) ** 20:
        raise ValueError(value)
    return found


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)
    return value


def _instant(value: Any) -> datetime:
    found = datetime.fromisoformat(_text(value))
    if found.tzinfo is None or not 1900 <= found.year <= 2200:
        raise ValueError(value)
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str) or any(ord(c) == 0 or 0xD800 <= ord(c) <= 0xDFFF for c in value):
        raise ValueError(value)
    return value
