"""References in forms: choices searched on the server, names of what is chosen. The row filter applies, so nobody is offered what he may not see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, lazyload

from models.base import RECORD_TYPES, Record, fields_of
from models.field import Field
from models.organisation import Organisation
from models.person import Person
from models.text_search import clean_words, contains

MOST = 30
"""Choices offered at once; more are found by typing."""


def _query(asked: Field, offered: Mapping[str, Any] | None = None) -> tuple[type[Record], sa.Select[Any]]:
    model = RECORD_TYPES[asked.target]
    query = sa.select(model)
    for name, value in {**(offered or {}), **(asked.only or {})}.items():
        column = getattr(model, name)
        query = query.where(column.in_(value) if isinstance(value, list | tuple) else column == value)
    return model, query


def labels(session: Session, asked: Field, keys: Sequence[int]) -> list[tuple[str, str]]:
    """(key, name) of chosen records, in the order given; those that this viewer may not see are left out."""
    if not keys:
        return []
    model, query = _query(asked)
    found = {one.id: one for one in session.scalars(query.where(model.id.in_(keys))).unique()}
    return [(str(key), found[key].choice_title) for key in keys if key in found]


def search(session: Session, asked: Field, words: str) -> list[dict[str, str]]:
    """What a reference's box offers for typed words, in the shape that the page's script reads."""
    model, query = _query(asked, RECORD_TYPES[asked.target].offered)
    text = clean_words(words)
    if text:
        query = query.where(contains(model, text, session.get_bind().dialect.name))
    order = [getattr(model, name) for name in ("order", "number") if name in fields_of(model)]
    rows = session.scalars(query.order_by(*order, model.id).limit(MOST)).unique()
    return [{"value": str(row.id), "text": row.choice_title, "hint": row.choice_hint} for row in rows]


def organisations_in_title(model: Any) -> list[Any]:
    """The relations that a type's title may name: it is made of own columns and names of organisations."""
    if model is Organisation or model.title is Record.title or not isinstance(model.title, property):
        return []
    links = sa.inspect(model).relationships
    return [getattr(model, one.key) for one in links if not one.uselist and one.mapper.class_ is Organisation]


def with_title(attribute: Any) -> Any:
    """Loader option of a reference, so that its title takes no statement of its own."""
    model = attribute.property.mapper.class_
    option: Any = joinedload(attribute)
    if model is Person:
        return option.options(lazyload(Person.organisation))
    return option.options(*(joinedload(link) for link in organisations_in_title(model)))
