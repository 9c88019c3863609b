"""Workbooks that the portal hands out around an import: the template to fill in, and the rows that were wrong."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from app.portal.imports.columns import ERRORS, columns_of
from app.portal.imports.lines import notation
from app.portal.imports.reading import ABSENT, MOST_ROWS, Sheet
from models.base import RECORD_TYPES, Record
from models.field import Field

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

HEAD = PatternFill("solid", fgColor="FFE2E6EB")
WRONG = PatternFill("solid", fgColor="FFFBE9E7")
WIDE = {"long_text": 48, "text": 24, "reference": 24, "references": 32, "entries": 60}
NARROW = 16
LONGEST_CELL = 32_767
"""Characters that Excel keeps in one cell."""


def template(model: type[Record]) -> bytes:
    """An empty sheet with the heads, drop-downs where one of few answers is given, and a sheet that explains every column."""
    fields = list(columns_of(model).values())
    book = Workbook()
    sheet = book.active
    sheet.title = _safe_title(str(model.plural))
    help_sheet = book.create_sheet(_("How to fill it in"))
    answers = book.create_sheet(_("Possible answers"))
    answers.sheet_state = "hidden"
    for place, asked in enumerate(fields, 1):
        head = sheet.cell(1, place, f"{asked.label}{' *' if asked.required else ''}")
        head.font, head.fill = Font(bold=True), HEAD
        letter = get_column_letter(place)
        sheet.column_dimensions[letter].width = WIDE.get(asked.kind, NARROW)
        if asked.kind in ("text", "reference"):
            sheet.column_dimensions[letter].number_format = "@"
        if asked.kind == "date":
            sheet.column_dimensions[letter].number_format = "yyyy-mm-dd"
        labels = _labels(asked)
        if labels:
            _offer(sheet, answers, place, labels)
    sheet.freeze_panes = "A2"
    _explain(help_sheet, model, fields)
    return _saved(book)


def _labels(asked: Field) -> list[str]:
    if asked.kind == "boolean":
        return [_("Yes"), _("No")]
    return [str(label) for _option, label in asked.options(None)] if isinstance(asked.choices, type) else []


def _offer(sheet: Any, answers: Any, place: int, labels: Sequence[str]) -> None:
    """A drop-down below a head; its answers stand on a hidden sheet, since Excel limits how long a list in the rule may be."""
    letter = get_column_letter(place)
    for number, label in enumerate(labels, 1):
        answers.cell(number, place, label)
    rule = DataValidation(
        type="list", formula1=f"'{answers.title}'!${letter}$1:${letter}${len(labels)}", allow_blank=True
    )
    rule.errorTitle, rule.error = _("Import"), _("Please choose one of the given answers.")
    sheet.add_data_validation(rule)
    rule.add(f"{letter}2:{letter}{MOST_ROWS + 1}")


def _explain(sheet: Any, model: type[Record], fields: Sequence[Field]) -> None:
    key = _("”, “").join(str(asked.label) for asked in fields if asked.name in model.natural_key)
    for text in (
        _(
            "Records are told apart by “%(columns)s”: a row whose record is there already changes it, any other makes a new one.",
            columns=key,
        ),
        _("An empty cell empties the field of a record that is there. A column that you leave out is not touched."),
        _("Formulas are not calculated; the value counts that was saved with them."),
    ):
        sheet.append([text])
    sheet.append([])
    sheet.append([_("Column"), _("Needed"), _("What to enter"), _("Explanation")])
    for cell in sheet[sheet.max_row]:
        cell.font, cell.fill = Font(bold=True), HEAD
    for asked in fields:
        sheet.append([str(asked.label), _("Yes") if asked.required else _("No"), _what(asked), str(asked.help)])
    for letter, width in (("A", 24), ("B", 10), ("C", 60), ("D", 60)):
        sheet.column_dimensions[letter].width = width


def _what(asked: Field) -> str:
    labels = _labels(asked)
    if labels:
        return _(", ").join(labels)
    if asked.kind in ("reference", "references"):
        known = RECORD_TYPES.get(asked.target)
        return _("Name of: %(what)s", what=str(known.label) if known is not None else _("Person"))
    if asked.kind == "entries":
        return _("One line for each: %(notation)s", notation=notation(asked))
    if asked.kind == "text" and asked.length:
        return _("Text of at most %(count)d characters", count=asked.length)
    kinds = {
        "text": _("Text"),
        "long_text": _("Text, also of several lines"),
        "integer": _("Whole number"),
        "decimal": _("Number"),
        "date": _("Date such as 2026-11-23"),
        "datetime": _("Date and time such as 2026-11-23 14:30"),
    }
    return kinds.get(asked.kind, "")


def wrong_rows(sheet: Sheet, findings: Iterable[Mapping[str, Any]]) -> bytes:
    """The rows that were wrong, as they were sent, with a column that says why. Corrected, the workbook can be imported again."""
    said: dict[int, list[str]] = {}
    for one in findings:
        if one["row"]:
            said.setdefault(one["row"], []).append(
                _("%(column)s: %(text)s", column=one["column"], text=one["text"]) if one["column"] else one["text"]
            )
    book = Workbook(write_only=True)
    out = book.create_sheet(_("Wrong rows"))
    out.freeze_panes = "A2"
    for place in range(1, len(sheet.heads) + 2):
        out.column_dimensions[get_column_letter(place)].width = 24 if place <= len(sheet.heads) else 60
    places = [place for place, head in enumerate(sheet.heads) if head.strip() and head.strip() != str(ERRORS)]
    out.append(
        [_cell(out, text, Font(bold=True), HEAD) for text in (*(sheet.heads[place] for place in places), str(ERRORS))]
    )
    for row in sheet.rows:
        if row.number in said:
            values = [row.cells[place] if place < len(row.cells) else None for place in places]
            out.append([*(_cell(out, value) for value in values), _cell(out, "\n".join(said[row.number]), None, WRONG)])
    return _saved(book)


def _cell(sheet: Any, value: Any, font: Font | None = None, fill: PatternFill | None = None) -> Any:
    """A cell that holds its value and never a formula, whatever the text begins with."""
    if value is ABSENT:
        value = None
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str):
        value = ILLEGAL_CHARACTERS_RE.sub("", value)[:LONGEST_CELL]
        value = value.encode("utf-8", "replace").decode("utf-8")
    cell = WriteOnlyCell(sheet, value=value)
    if isinstance(value, str):
        cell.data_type = "s"
    if font is not None:
        cell.font = font
    if fill is not None:
        cell.fill = fill
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell


def _safe_title(text: str) -> str:
    """A sheet's name: Excel allows 31 characters and not all of them."""
    return "".join(" " if character in "[]:*?/\\'" else character for character in text).strip()[:31] or "1"


def _saved(book: Workbook) -> bytes:
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()
