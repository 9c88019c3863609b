"""Records as JSON: one statement reads a page with everything that its rows refer to, whatever their number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased, defer, joinedload, lazyload

from app.portal.rest.query import Query
from app.portal.rest.shape import Shape, target_of
from app.portal.sorting import Order
from models.base import Record
from models.organisation import Organisation
from models.person import Person
from models.refusal import NotFound

COUNT_CAP = 1001
"""A list is counted to here: more than a thousand is “many”, and counting a million rows would cost more than reading the page."""


def read_page(session: Session, shape: Shape, query: Query) -> tuple[int, list[dict[str, Any]]]:
    """The capped count and the rows of a page. At most two statements, and one for each computed column that needs its own."""
    rows = _read(
        session, shape, query.columns, query.conditions, query.order, query.page_size, query.page * query.page_size
    )
    if query.page == 0 and len(rows) < query.page_size:
        return len(rows), rows
    capped = sa.select(shape.column("id")).where(*query.conditions).limit(COUNT_CAP).subquery()
    return int(session.scalar(sa.select(sa.func.count()).select_from(capped)) or 0), rows


def read_one(session: Session, shape: Shape, record_id: int, names: Sequence[str] | None = None) -> dict[str, Any]:
    """A record as the present viewer may read it. Raises NotFound."""
    if not 0 < record_id < 2**63:
        raise NotFound()
    rows = _read(session, shape, names or shape.names, (shape.column("id") == record_id,), None, 1, 0)
    if not rows:
        raise NotFound()
    return rows[0]


def _read(
    session: Session,
    shape: Shape,
    names: Sequence[str],
    conditions: Sequence[sa.ColumnElement[bool]],
    order: Order | None,
    limit: int,
    offset: int,
) -> list[dict[str, Any]]:
    fields = [shape.fields[name] for name in names if name in shape.fields]
    references = [one for one in fields if one.kind == "reference"]
    query: sa.Select[Any] = sa.select(shape.model)
    for one in references:
        # Joined by alias, not by relationship: not every reference has one. The row filter stands in the ON clause, so a hidden target reads null.
        target = aliased(target_of(one))
        query = (
            query.add_columns(target)
            .outerjoin(target, target.id == shape.column(one.name))
            .options(*_for_title(target))
        )
    if order is not None:
        query = order.sort(query)
    query = query.options(*_unread(shape)).where(*conditions).limit(limit).offset(offset)
    found = session.execute(query).all()
    records = [row[0] for row in found]
    computed = {name: shape.computed[name].compute(session, records) for name in names if name in shape.computed}
    hidden = shape.withheld(records) if not shape.guarded.isdisjoint(names) else {}
    return [
        _row(
            names,
            shape,
            row[0],
            dict(zip((one.name for one in references), row[1:], strict=True)),
            computed,
            hidden.get(row[0].id, frozenset()),
        )
        for row in found
    ]


def _for_title(target: Any) -> list[Any]:
    """Loader options so that the title of a reference needs no statement of its own: a title is made of own columns and names of organisations."""
    model = sa.inspect(target).mapper.class_
    if model is Person:
        return [lazyload(target.organisation)]
    if model is Organisation or model.title is Record.title or not isinstance(model.title, property):
        return []
    relations = sa.inspect(model).relationships
    return [
        joinedload(getattr(target, one.key))
        for one in relations
        if not one.uselist and one.mapper.class_ is Organisation
    ]


def _unread(shape: Shape) -> list[Any]:
    """Loader options that leave out large columns which no field shows, such as a document's context."""
    shown = {shape.column(name).key for name in shape.fields}
    columns = sa.inspect(shape.model).column_attrs
    return [
        defer(getattr(shape.model, one.key))
        for one in columns
        if one.key not in shown and isinstance(one.columns[0].type, sa.JSON)
    ]


def _row(
    names: Sequence[str],
    shape: Shape,
    record: Any,
    targets: Mapping[str, Any],
    computed: Mapping[str, Mapping[int, Any]],
    hidden: frozenset[str],
) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name in names:
        if name in hidden:
            row[name] = "" if shape.fields[name].kind in ("text", "long_text") else None
        elif name in computed:
            row[name] = computed[name].get(record.id)
        elif name in targets:
            row[name] = named(targets[name])
        else:
            row[name] = plain(getattr(record, shape.column(name).key))
    return row


def named(record: Any) -> dict[str, Any] | None:
    """A record that another one refers to: its id and what people call it; None for one that is hidden or not there."""
    return None if record is None else {"id": record.id, "name": record.title}


def instant(value: datetime) -> str:
    """An instant in ISO 8601, in UTC."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def plain(value: Any) -> Any:
    """A column's value as JSON keeps it: enumerations by identifier, instants in UTC, decimals as text, so that no digit is lost."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value
