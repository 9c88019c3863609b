"""References in forms: choices searched on the server, names of what is chosen. The row filter applies, so nobody is offered what he may not see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import viewer
from models.base import RECORD_TYPES, Record, described, fields_of
from models.field import Field

MOST = 30
"""Choices offered at once; more are found by typing."""


def _query(asked: Field) -> tuple[type[Record], sa.Select[Any]]:
    model = RECORD_TYPES[asked.target]
    query = sa.select(model)
    for name, value in (asked.only or {}).items():
        column = getattr(model, name)
        query = query.where(column.in_(value) if isinstance(value, list | tuple) else column == value)
    return model, query


def labels(session: Session, asked: Field, keys: Sequence[int]) -> list[tuple[str, str]]:
    """(key, name) of chosen records, in the order given; those that this viewer may not see are left out."""
    if not keys:
        return []
    model, query = _query(asked)
    found = {one.id: one for one in session.scalars(query.where(model.id.in_(keys)))}
    return [(str(key), found[key].choice_title) for key in keys if key in found]


def search(session: Session, asked: Field, words: str) -> list[dict[str, str]]:
    """What a reference's box offers for typed words, in the shape that the page's script reads."""
    model, query = _query(asked)
    person = viewer.current_person()
    offered = model.offered(person) if person is not None else None
    if offered is not None:
        query = query.where(offered)
    text = words.strip()[:60].replace("\x00", "")
    if text:
        pattern = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        columns = [
            getattr(model, name)
            for name, one in fields_of(model).items()
            if described(model, name)["searched"] and one.kind in ("text", "long_text")
        ]
        query = query.where(sa.or_(sa.false(), *(column.ilike(pattern, escape="\\") for column in columns)))
    order = [getattr(model, name) for name in ("order", "number") if name in fields_of(model)]
    rows = session.scalars(query.order_by(*order, model.id).limit(MOST))
    return [{"value": str(row.id), "text": row.choice_title, "hint": row.choice_hint} for row in rows]
