"""The check before a paper takes its number: complete, and every character printable (spec 3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import reports
from models.paper import Paper, Unprintable
from reports.context import Context


def paper(context: Context, title: str) -> Paper:
    """A paper of a context. Raises Unprintable naming the characters that no face has, and ContextError where the context could not be read again."""
    stored = context.to_json()
    type(context).from_json(stored)
    missing = reports.missing_glyphs("".join((title, *_texts(stored))))
    if missing:
        raise Unprintable("、".join(f"“{character}”（U+{ord(character):04X}）" for character in missing))
    return Paper(title, stored)


def _texts(value: Any) -> Iterator[str]:
    """Every text in plain data, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
