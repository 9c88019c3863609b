"""The columns of an import: which fields a record type takes, and which column of a file is meant for which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.portal.imports.reading import ABSENT, Sheet, Unreadable
from app.portal.rest.writing import writable
from models.base import Record, fields_of, lines_of
from models.field import Field

ERRORS = _l("What is wrong")
"""Head of the column that the error workbook adds; a file that still has it is taken again."""


@dataclass(frozen=True)
class Row:
    """A row of a file: its number there, and what it gives for each field that it mentions."""

    number: int
    values: Mapping[str, Any]


def columns_of(model: type[Record]) -> dict[str, Field]:
    """The fields that an import takes, the natural key first."""
    fields = fields_of(model)
    key = {name: fields[name] for name in model.natural_key}
    return key | writable(model) | lines_of(model)


def in_all_languages(text: Any) -> set[str]:
    """A label in every language of the portal."""
    found = set()
    for locale in current_app.config["LANGUAGES"]:
        with force_locale(locale):
            found.add(str(text))
    return found


def readable(text: str, length: int = 60) -> str:
    """The beginning of somebody's text, as a sentence may quote it."""
    return "".join("�" if ord(c) < 32 or 0xD800 <= ord(c) <= 0xDFFF else c for c in text.strip()[:length])


def plain_head(text: str) -> str:
    """A head without what people and the template add to it."""
    return "".join(text.replace("*", "").replace("＊", "").split()).casefold()


def rows_of(sheet: Sheet, model: type[Record]) -> list[Row]:
    """The rows with their fields. Raises Unreadable for columns that are unknown, given twice, or missing."""
    places = _places(sheet.heads, model)
    missing = [columns_of(model)[name] for name in model.natural_key if name not in places.values()]
    if missing:
        raise Unreadable(
            _l(
                "The column “%(column)s” is missing: records are told apart by it.",
                column=_("”, “").join(str(one.label) for one in missing),
            )
        )
    return [
        Row(
            row.number,
            {
                name: row.cells[place] if place < len(row.cells) else None
                for place, name in places.items()
                if place >= len(row.cells) or row.cells[place] is not ABSENT
            },
        )
        for row in sheet.rows
    ]


def _places(heads: Sequence[str], model: type[Record]) -> dict[int, str]:
    """Which column of the file holds which field."""
    known = _known_heads(model)
    passed_over = {plain_head(one) for one in in_all_languages(ERRORS)}
    places: dict[int, str] = {}
    strange = []
    for place, head in enumerate(heads):
        text = plain_head(head)
        if not text or text in passed_over:
            continue
        name = known.get(text)
        if name is None:
            strange.append(readable(head))
        elif name in places.values():
            raise Unreadable(_l("The column “%(column)s” stands in the file twice.", column=readable(head)))
        else:
            places[place] = name
    if strange:
        raise Unreadable(
            _l(
                "The file has columns that this record type does not know: %(columns)s. Please use the heads of the template.",
                columns=_(", ").join(strange[:10]),
            )
        )
    return places


def _known_heads(model: type[Record]) -> dict[str, str]:
    """Field names by everything that may stand above their column; a label that two fields bear counts for the first."""
    known: dict[str, str] = {}
    fields = columns_of(model)
    for locale in current_app.config["LANGUAGES"]:
        with force_locale(locale):
            for name, asked in fields.items():
                known.setdefault(plain_head(str(asked.label)), name)
    return known | {plain_head(name): name for name in fields}
