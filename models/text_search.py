"""Finding records by words, any piece of two characters or more (spec 5).

Chinese is written without spaces and its words have two characters, of which a trigram index knows nothing. So on PostgreSQL a type with many
rows keeps the pairs of neighbouring characters of its texts in an index (migration 0009): a word is found by its pairs and then compared in full.
Elsewhere, and for a single character, the texts themselves are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from models.base import Record, described, fields_of

LONGEST_WORDS = 60
"""Characters of what is searched for."""

INDEXES = frozenset({"ix_call_text"})
"""Indexes that stand only on PostgreSQL, over the function `text_pairs`; no table declares them, because SQLite could not make them."""


def is_declared(thing: Any, name: str | None, kind: str, reflected: bool, compared: Any) -> bool:
    """Alembic's question whether something of the database is compared with the tables: not what only PostgreSQL has and no table declares."""
    return not (kind == "index" and name in INDEXES)


def clean_words(text: str) -> str:
    """What was typed into a search box, as it may be compared."""
    kept = "".join(c for c in " ".join(text[: 4 * LONGEST_WORDS].split()) if c.isprintable())
    return kept[:LONGEST_WORDS].strip()


def searched_names(model: type[Record]) -> tuple[str, ...]:
    """The fields in which words are looked for."""
    return tuple(
        name
        for name, asked in fields_of(model).items()
        if described(model, name)["searched"] and asked.kind in ("text", "long_text")
    )


def contains(model: Any, words: str, dialect: str, without: frozenset[str] = frozenset()) -> sa.ColumnElement[bool]:
    """The rows in which every one of these words, divided by spaces, is found in some searched field."""
    names = [name for name in searched_names(model) if name not in without]
    if not names:
        return sa.false()
    parts = [
        sa.or_(*(getattr(model, name).icontains(word, autoescape=True) for name in names)) for word in words.split()
    ]
    pairs = pairs_of(words)
    if dialect == "postgresql" and model.text_index and pairs:
        parts.insert(0, indexed_pairs(model).contains(pairs))
    return sa.and_(*parts)


def pairs_of(words: str) -> list[str]:
    """The pairs of neighbouring characters in the words, as the index keeps them."""
    return list(dict.fromkeys(a + b for word in words.lower().split() for a, b in pairwise(word)))


def indexed_pairs(model: Any) -> sa.ColumnElement[Sequence[str]]:
    """The expression under the index; it must read exactly as in the migration that makes it."""
    texts = [sa.func.coalesce(getattr(model, name), sa.literal_column("''")) for name in model.text_index]
    joined: sa.ColumnElement[str] = texts[0]
    for text in texts[1:]:
        joined = joined.op("||")(sa.literal_column("' '")).op("||")(text)
    return sa.func.text_pairs(joined, type_=ARRAY(sa.Text))
