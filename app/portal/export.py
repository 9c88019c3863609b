"""Lists as files: CSV and Excel, read in portions, so that memory stays flat whatever the number of rows (spec 5)."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from sqlalchemy.orm import Session

from app.portal.sorting import Order
from app.security.row_filter import seen_keys
from models import viewer

BATCH = 500
"""Records read at once."""
SHEET_ROWS = 1_048_575
"""Rows that an Excel sheet holds below its head."""
LONGEST_CELL = 32_767
"""Characters that an Excel cell holds."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet may take for the beginning of a formula."""
CHUNK = 65_536
FORMATS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
"""What a list may be handed out as, with the type that browsers are told."""

Value = str | int | Decimal | None


@dataclass(frozen=True)
class ExportColumn:
    """A column of the file: its head, how a record's value reads in it, and about how many characters wide it is."""

    name: str
    label: str
    value: Callable[[Any], Value]
    width: int = 16
    prepare: Callable[[Session, Sequence[Any]], None] | None = None
    """Looks up what `value` needs for a whole portion of records; columns that share it have it called once."""


@dataclass(frozen=True)
class Source:
    """The records of an export: in which order, under which conditions, and what this person does not read of them."""

    model: type[Any]
    order: Order
    conditions: Sequence[sa.ColumnElement[bool]]
    options: Sequence[Any]
    withheld: Callable[[Sequence[Any]], Mapping[int, frozenset[str]]]

    def count(self, session: Session) -> int:
        """How many there are, exactly."""
        found = sa.select(sa.func.count(self.model.id)).where(*self.conditions)
        return int(session.scalar(found) or 0)

    def rows(self, session: Session, columns: Sequence[ExportColumn]) -> Iterator[list[Value]]:
        """The values of every record; each portion begins beyond the last row of the one before."""
        place: Sequence[Any] | None = None
        seen = seen_keys(self.model, viewer.current_person())
        while True:
            query = self.order.select(sa.select(self.model)).where(*self.conditions)
            if place is not None:
                query = query.where(self.order.beyond(place, seen=seen))
            found = list(session.execute(query.options(*self.options).limit(BATCH)).unique())
            hidden = self.withheld([row[0] for row in found])
            for prepare in {column.prepare for column in columns if column.prepare is not None}:
                prepare(session, [row[0] for row in found])
            for row in found:
                record, place = row[0], row[1:]
                without = hidden.get(record.id, frozenset())
                yield [None if column.name in without else column.value(record) for column in columns]
            session.expunge_all()
            if len(found) < BATCH:
                return


def harmless(value: Value) -> Value:
    """A value that no spreadsheet takes for a formula: a text that begins like one gets an apostrophe. Numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA) else value


def write_csv(columns: Sequence[ExportColumn], rows: Iterator[list[Value]]) -> Iterator[bytes]:
    """The rows as CSV in UTF-8, with the mark by which Excel knows it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    yield b"\xef\xbb\xbf"
    writer.writerow([harmless(column.label) for column in columns])
    for row in rows:
        writer.writerow([harmless(value) for value in row])
        if buffer.tell() >= CHUNK:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def write_workbook(title: str, columns: Sequence[ExportColumn], rows: Iterator[list[Value]]) -> Iterator[bytes]:
    """The rows as an Excel workbook, made in a temporary file; its head stays in sight and filters."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_sheet_name(title))
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}1"
    for place, column in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(place)].width = column.width
    sheet.append([_head(sheet, column.label) for column in columns])
    for row in rows:
        sheet.append([_cell(value) for value in row])
    with tempfile.TemporaryFile() as made:
        book.save(made)
        made.seek(0)
        while part := made.read(CHUNK):
            yield part


def _head(sheet: Any, label: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, _cell(label))
    cell.font = Font(bold=True)
    return cell


def _sheet_name(title: str) -> str:
    """A name that Excel accepts for a sheet."""
    return "".join(c for c in title if c not in r"[]:*?/\'")[:31] or "1"


def _cell(value: Value) -> Value:
    if isinstance(value, str):
        return harmless(ILLEGAL_CHARACTERS_RE.sub("", value)[: LONGEST_CELL - 1])
    return value
