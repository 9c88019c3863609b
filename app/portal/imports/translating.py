"""Cells into what `app.portal.rest.writing` takes: names into ids, labels into identifiers, Excel's dates and numbers into plain ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime, time
from typing import Any

from flask import current_app
from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.portal.imports.columns import Row, in_all_languages
from app.portal.imports.lines import given_lines, translated
from app.portal.imports.naming import Directory
from models.field import Field, FieldError

EXCEL_ERRORS = frozenset({"#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"})
SEPARATORS = re.compile(r"[、，,；;\n]+")
"""Between several names in one cell."""
DIGITS = 15
"""Decimal digits that a number in Excel holds; what comes after them is its binary shadow."""


class Translator:
    """Translates the cells of one record type for one person. Raises FieldError, a sentence for the cell."""

    def __init__(self, fields: Mapping[str, Field], directory: Directory, *, spreadsheet: bool) -> None:
        self._fields = fields
        self._directory = directory
        self._spreadsheet = spreadsheet
        every = [one for asked in fields.values() for one in (asked, *asked.entries)]
        self._answers: dict[Any, dict[str, str]] = {
            one.choices: _answers(one) for one in every if isinstance(one.choices, type)
        }
        self._yes = in_all_languages(_l("Yes"))
        self._no = in_all_languages(_l("No"))

    def prepare(self, session: Session, rows: Iterable[Row]) -> None:
        """Look up all names in a batch of rows at once."""
        wanted: dict[str, tuple[Field, set[str]]] = {}
        for row in rows:
            for name, value in row.values.items():
                for place, asked, one in self._named(self._fields[name], value):
                    wanted.setdefault(f"{name}{place}", (asked, set()))[1].update(self._names(asked, one))
        for asked, texts in wanted.values():
            self._directory.look_up(session, asked, texts)

    def _named(self, asked: Field, value: Any) -> Iterator[tuple[str, Field, Any]]:
        """The references that a cell holds, also within its lines; what cannot be read is told when it is translated."""
        if asked.kind in ("reference", "references"):
            yield "", asked, value
        elif asked.kind == "entries" and value is not None:
            with suppress(FieldError):
                references = [inner for inner in asked.entries if inner.kind == "reference"]
                for line in given_lines(asked, value):
                    yield from (
                        (f".{inner.name}", inner, line[inner.name]) for inner in references if inner.name in line
                    )

    def _names(self, asked: Field, value: Any) -> list[str]:
        """The names that a cell holds; ids of JSON are none."""
        if isinstance(value, list):
            return [one.strip() for one in value if isinstance(one, str) and one.strip()]
        if isinstance(value, bool) or value is None or isinstance(value, dict):
            return []
        if not isinstance(value, str) and not self._spreadsheet:
            return []
        text = _text(value).strip()
        if asked.kind == "references":
            return [one.strip() for one in SEPARATORS.split(text) if one.strip()]
        return [text] if text else []

    def translate(self, name: str, value: Any) -> Any:
        """What a cell means, for `Field.parse`."""
        return self._translate(self._fields[name], value)

    def _translate(self, asked: Field, value: Any) -> Any:
        if isinstance(value, str) and self._spreadsheet and value.strip() in EXCEL_ERRORS:
            raise FieldError(_l("This cell holds an error of Excel: %(error)s.", error=value.strip()))
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if asked.kind == "entries":
            return translated(asked, value, self._translate)
        if asked.kind in ("reference", "references"):
            return self._reference(asked, value)
        if asked.kind == "choice":
            return self._choice(asked, value)
        if asked.kind == "boolean" and isinstance(value, str):
            return True if value.strip() in self._yes else (False if value.strip() in self._no else value)
        return _plain(asked, value) if self._spreadsheet else value

    def _reference(self, asked: Field, value: Any) -> Any:
        names = self._names(asked, value)
        if not names:
            return value
        if asked.kind == "reference":
            return self._directory.find(asked, names[0])
        ids = [self._directory.find(asked, one) for one in names]
        return ids + [one for one in value if not isinstance(one, str)] if isinstance(value, list) else ids

    def _choice(self, asked: Field, value: Any) -> Any:
        text = _text(value).strip()
        answers = self._answers.get(asked.choices)
        if answers is None:
            answers = {str(label): option for option, label in asked.options(None)} if asked.choices else {}
        return answers.get(text, text)


def _answers(asked: Field) -> dict[str, str]:
    """Identifiers of an enumeration by its labels in every language."""
    found: dict[str, str] = {}
    for locale in current_app.config["LANGUAGES"]:
        with force_locale(locale):
            found |= {str(label): option for option, label in asked.options(None)}
    return found


def _plain(asked: Field, value: Any) -> Any:
    """A value of a spreadsheet as a person would type it."""
    if asked.kind == "date" and isinstance(value, datetime):
        return value.date()
    if asked.kind in ("date", "datetime") and isinstance(value, date | datetime):
        return (
            datetime.combine(value, time()) if asked.kind == "datetime" and not isinstance(value, datetime) else value
        )
    if asked.kind == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    if asked.kind == "boolean":
        return value if isinstance(value, bool) else _text(value)
    if asked.kind == "integer" and isinstance(value, bool | int):
        return value
    return _text(value)


def _text(value: Any) -> str:
    """A cell as text: what Excel shows of it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 10**DIGITS else format(value, f".{DIGITS}g")
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d" if value.time() == time() else "%Y-%m-%d %H:%M")
    return str(value)
