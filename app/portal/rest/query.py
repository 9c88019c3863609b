"""The query of a list, `?q=…`: Flask-AppBuilder's rison (or JSON) with filters, order, page and columns, every mistake answered by a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import prison
import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from prison.decoder import ParserException

from app.portal.rest.asking import BadRequest
from app.portal.rest.shape import Shape, largest_integer, target_of
from app.portal.sorting import Order, order_of
from models.field import Field, FieldError

PAGE_SIZE = 25
LARGEST_PAGE_SIZE = 500
LAST_PAGE = 1_000_000
LONGEST_QUERY = 8_000
MOST_FILTERS = 50
MOST_VALUES = 500
LONGEST_WORD = 500

Condition = Callable[[Any, Any], sa.ColumnElement[bool]]

_EQUALITY: dict[str, Condition] = {
    "eq": lambda column, value: column.is_(None) if value is None else column == value,
    "neq": lambda column, value: column.is_not(None) if value is None else column != value,
}
_MEMBERSHIP: dict[str, Condition] = {
    "in": lambda column, values: column.in_(values),
    "not_in": lambda column, values: column.not_in(values),
}
_COMPARISON: dict[str, Condition] = {
    "gt": lambda column, value: column > value,
    "lt": lambda column, value: column < value,
}
_TEXT: dict[str, Condition] = {
    "ct": lambda column, word: column.icontains(word, autoescape=True),
    "sw": lambda column, word: column.istartswith(word, autoescape=True),
    "ew": lambda column, word: column.iendswith(word, autoescape=True),
    "nct": lambda column, word: ~column.icontains(word, autoescape=True),
    "nsw": lambda column, word: ~column.istartswith(word, autoescape=True),
    "new": lambda column, word: ~column.iendswith(word, autoescape=True),
}
_REFERENCE: dict[str, Condition] = {
    "rel_o_m": lambda column, keys: column.in_(keys),
    "nrel_o_m": lambda column, keys: column.not_in(keys),
}
_REFERENCE |= {"eq": _REFERENCE["rel_o_m"], "neq": _REFERENCE["nrel_o_m"]}

OPERATORS: Mapping[str, Mapping[str, Condition]] = {
    "text": {**_EQUALITY, **_MEMBERSHIP, **_TEXT},
    "integer": {**_EQUALITY, **_MEMBERSHIP, **_COMPARISON},
    "decimal": {**_EQUALITY, **_MEMBERSHIP, **_COMPARISON},
    "date": {**_EQUALITY, **_COMPARISON},
    "datetime": {**_EQUALITY, **_COMPARISON},
    "boolean": _EQUALITY,
    "choice": {**_EQUALITY, **_MEMBERSHIP},
    "reference": _REFERENCE,
}
"""Flask-AppBuilder's operators by what a field holds."""


@dataclass(frozen=True)
class Query:
    """A list's query, understood."""

    conditions: tuple[sa.ColumnElement[bool], ...]
    order: Order
    page: int
    page_size: int
    columns: tuple[str, ...]
    """The names to answer with."""
    keys: frozenset[str] | None
    """Which descriptions of the list to send along; None for all."""


def read_query(raw: str | None, shape: Shape) -> Query:
    """Understand `q`. Raises BadRequest with a sentence for anything that is not right, whatever the bytes."""
    asked = _decoded(raw)
    page, page_size = _page(asked)
    return Query(
        _conditions(asked.get("filters"), shape),
        _order(asked, shape),
        page,
        page_size,
        _columns(asked, shape),
        _keys(asked),
    )


def _decoded(raw: str | None) -> Mapping[str, Any]:
    if not raw:
        return {}
    if len(raw) > LONGEST_QUERY:
        raise BadRequest(_l("The query is too long."))
    try:
        asked = prison.loads(raw)
    except (ParserException, ValueError, TypeError, IndexError, OverflowError, RecursionError):
        # Its parser answers malformed text with any of these; programs without a rison library send JSON.
        try:
            asked = json.loads(raw)
        except (ValueError, RecursionError):
            raise BadRequest(_l("The query is neither rison nor JSON.")) from None
    if not isinstance(asked, Mapping):
        raise BadRequest(_l("The query must be an object such as (page:0,page_size:25)."))
    return asked


def _whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _page(asked: Mapping[str, Any]) -> tuple[int, int]:
    page, size = asked.get("page", 0), asked.get("page_size", PAGE_SIZE)
    if not _whole(page, 0, LAST_PAGE):
        raise BadRequest(_l("The page must be a whole number from 0 to %(most)d.", most=LAST_PAGE))
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise BadRequest(_l("The page size must be a whole number from 1 to %(most)d.", most=LARGEST_PAGE_SIZE))
    return page, min(size, LARGEST_PAGE_SIZE)


def _order(asked: Mapping[str, Any], shape: Shape) -> Order:
    """Newest first unless asked otherwise; else as the list on the page: by what a reference names, by the order of an enumeration's answers."""
    name, direction = asked.get("order_column", "") or "id", asked.get("order_direction", "") or "desc"
    if not isinstance(name, str) or name not in orderable(shape):
        raise BadRequest(_l("“%(name)s” cannot order this list.", name=_quoted(name)))
    if direction not in ("asc", "desc"):
        raise BadRequest(_l("The order direction must be asc or desc."))
    return order_of(shape.model, shape.fields[name], descending=direction == "desc")


def orderable(shape: Shape) -> list[str]:
    """The fields that may order a list."""
    return [name for name, one in shape.open_fields.items() if one.kind != "json"]


def _columns(asked: Mapping[str, Any], shape: Shape) -> tuple[str, ...]:
    wanted = asked.get("columns") or asked.get("select_columns") or []
    if not isinstance(wanted, list):
        raise BadRequest(_l("The columns must be a list of field names."))
    for name in wanted:
        if not isinstance(name, str) or name not in shape.names:
            raise BadRequest(_l("There is no field “%(name)s”.", name=_quoted(name)))
    return tuple(dict.fromkeys(["id", *wanted])) if wanted else shape.names


def _keys(asked: Mapping[str, Any]) -> frozenset[str] | None:
    keys = asked.get("keys") or []
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise BadRequest(_l("The keys must be a list of names."))
    return frozenset(keys) if keys else None


def _conditions(filters: Any, shape: Shape) -> tuple[sa.ColumnElement[bool], ...]:
    if filters is None:
        return ()
    if (
        not isinstance(filters, list)
        or len(filters) > MOST_FILTERS
        or not all(isinstance(one, Mapping) for one in filters)
    ):
        raise BadRequest(
            _l("The filters must be a list of (col:…,opr:…,value:…), at most %(most)d.", most=MOST_FILTERS)
        )
    return tuple(_condition(one, shape) for one in filters)


def _condition(given: Mapping[str, Any], shape: Shape) -> sa.ColumnElement[bool]:
    name, operator = given.get("col"), given.get("opr")
    if not isinstance(name, str) or name not in shape.open_fields:
        raise BadRequest(_l("There is no field “%(name)s” to filter by.", name=_quoted(name)))
    if "value" not in given:
        raise BadRequest(_l("The filter on “%(name)s” has no value.", name=name))
    asked = shape.fields[name]
    kind = _kind(asked)
    known = OPERATORS.get(kind, {})
    if not isinstance(operator, str) or operator not in known:
        raise BadRequest(_l("“%(operator)s” cannot filter “%(name)s”.", operator=_quoted(operator), name=name))
    try:
        value = _value(asked, kind, operator, given["value"], largest_integer(shape.column(name)))
    except FieldError as error:
        raise BadRequest(
            _l("The filter on “%(name)s” does not fit: %(reason)s", name=name, reason=error.message)
        ) from None
    column = shape.column(name)
    if kind == "reference":
        value = _visible(asked, value)
    return known[operator](column, value)


def _kind(asked: Field) -> str:
    if asked.kind == "long_text" or (asked.kind == "choice" and not isinstance(asked.choices, type)):
        return "text"
    return asked.kind


def _value(asked: Field, kind: str, operator: str, raw: Any, largest: int) -> Any:
    if operator in _MEMBERSHIP:
        if not isinstance(raw, list) or not 0 < len(raw) <= MOST_VALUES:
            raise FieldError(_l("A list of values is expected."))
        return [_one(asked, kind, value, largest) for value in raw]
    if raw is None and operator in _EQUALITY and kind != "reference":
        return None
    return _one(asked, kind, raw, largest)


def _one(asked: Field, kind: str, raw: Any, largest: int) -> Any:
    """A value to compare with. Rison reads bare digits as a number, also where the field holds text (`12345`)."""
    if kind in ("text", "choice") and isinstance(raw, int | float) and not isinstance(raw, bool):
        raw = str(raw)
    if kind == "text":
        return _word(raw)
    value = asked.parse(raw)
    if value is None:
        raise FieldError(_l("Please fill in this field."))
    if kind == "integer" and abs(value) > largest:
        raise FieldError(_l("This number is too large."))
    return value


def _word(raw: Any) -> str:
    if not isinstance(raw, str) or len(raw) > LONGEST_WORD:
        raise FieldError(_l("Please enter a text."))
    if any(ord(c) == 0 or 0xD800 <= ord(c) <= 0xDFFF for c in raw):
        raise FieldError(
            _l("The text contains characters that cannot be kept. Please type it again instead of pasting it.")
        )
    return raw


def _visible(asked: Field, key: int) -> Any:
    """The key as far as the viewer sees what it names: a filter must not tell what reading hides."""
    target = target_of(asked)
    return sa.select(target.id).where(target.id == key)


def _quoted(value: Any) -> str:
    return value[:60] if isinstance(value, str) else type(value).__name__


def described_list(shape: Shape, query: Query) -> dict[str, Any]:
    """What Flask-AppBuilder tells of a list beside its rows: labels, order columns, title; `keys` chooses."""
    chosen: Sequence[tuple[str, Callable[[], Any]]] = (
        ("list_columns", lambda: list(query.columns)),
        ("order_columns", lambda: orderable(shape)),
        ("label_columns", lambda: labels(shape, query.columns)),
        ("description_columns", lambda: helps(shape, query.columns)),
        ("list_title", lambda: str(getattr(shape.model, "plural", shape.label))),
    )
    return {key: tell() for key, tell in chosen if query.keys is None or key in query.keys}


def labels(shape: Shape, names: Sequence[str]) -> dict[str, str]:
    """The names that people know the fields by."""
    return {name: str((shape.fields.get(name) or shape.computed[name]).label) for name in names}


def helps(shape: Shape, names: Sequence[str]) -> dict[str, str]:
    """The explanations of those fields that have one."""
    return {name: str(shape.fields[name].help) for name in names if name in shape.fields and shape.fields[name].help}
