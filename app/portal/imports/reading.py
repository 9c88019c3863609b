"""Files of rows, read without believing them: an XLSX workbook or a JSON list, recognised by content, within limits.

Nothing is calculated: of a formula the value counts that Excel stored last.
"""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l
from openpyxl import load_workbook

from models.field import Text
from models.refusal import Refused

MOST_ROWS = 20_000
"""Rows of one file."""
MOST_COLUMNS = 100
MOST_MEMBERS = 1000
"""Files packed into a workbook."""
LARGEST_UNPACKED = 64 * 1024 * 1024
"""Bytes of a workbook when unpacked; one of 20,000 rows needs a fifth of it."""
DEEPEST = 6
"""Levels of nesting of a JSON file: list, row, lines, line, value."""
MOST_BLANK_ROWS = 200_000
"""Rows without any value that may stand between and below the others; Excel keeps such that were formatted."""


class Unreadable(Refused):
    """422: the file cannot be taken; the message says why and what to do."""

    status = 422

    def __init__(self, message: Text) -> None:
        super().__init__(message, {"file": [message]})


@dataclass(frozen=True)
class RawRow:
    """A row as it stands in the file: its number there, and its cells by column number."""

    number: int
    cells: Sequence[Any]


@dataclass(frozen=True)
class Sheet:
    """The table of a file: its heads, and its rows that are not blank."""

    heads: tuple[str, ...]
    rows: tuple[RawRow, ...]
    spreadsheet: bool
    """Whether an empty cell may also be one that nobody looked at; JSON leaves out what it does not set."""


ABSENT = object()
"""A JSON row does not have this key."""


def read(data: bytes) -> Sheet:
    """The table of a file. Raises Unreadable."""
    if not data.strip():
        raise Unreadable(_l("The file is empty."))
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise Unreadable(
            _l(
                "The workbook is protected by a password, or of the old kind .xls. Please save it as .xlsx without a password."
            )
        )
    sheet = _workbook(data) if data.startswith(b"PK") else _json(data)
    if not sheet.rows:
        raise Unreadable(_l("The file has no rows below its head."))
    return sheet


def _workbook(data: bytes) -> Sheet:
    _check_archive(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and extensions that are not needed
            book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            try:
                return _table(book.worksheets[0].iter_rows(values_only=True, max_col=MOST_COLUMNS + 1))
            finally:
                book.close()
    except Unreadable:
        raise
    except Exception as failure:  # whatever the bytes are, the reader's complaint is about them
        raise Unreadable(
            _l("The workbook is damaged and cannot be read. Please open it in Excel or WPS and save it again.")
        ) from failure


def _check_archive(data: bytes) -> None:
    """Refuse what is no plain workbook before anything of it is parsed."""
    damaged = Unreadable(
        _l("The workbook is damaged and cannot be read. Please open it in Excel or WPS and save it again.")
    )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            names = {member.filename for member in members}
            if len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > LARGEST_UNPACKED:
                raise Unreadable(_l("The workbook is too large when unpacked. Please send its rows in several files."))
            if any(member.flag_bits & 1 for member in members):
                raise Unreadable(_l("The workbook is protected by a password. Please save it without one."))
            if any(name.lower().endswith("vbaproject.bin") for name in names):
                raise Unreadable(_l("The workbook contains macros. Please save it as an ordinary .xlsx workbook."))
            if "xl/workbook.xml" not in names:
                raise Unreadable(_l("This is not an Excel workbook (.xlsx) and not a JSON file."))
            for member in members:
                if member.filename.lower().endswith((".xml", ".rels")):
                    with archive.open(member) as part:
                        beginning = part.read(4096).replace(b"\0", b"").lower()
                    if b"<!doctype" in beginning or b"<!entity" in beginning:
                        raise damaged
    except Unreadable:
        raise
    except Exception as failure:  # zipfile raises what the bytes lead it to
        raise damaged from failure


def _table(lines: Iterator[tuple[Any, ...]]) -> Sheet:
    heads: tuple[str, ...] = ()
    rows: list[RawRow] = []
    blank = 0
    for number, line in enumerate(lines, 1):
        if all(value is None or value == "" for value in line):
            blank += 1
            if blank > MOST_BLANK_ROWS:
                raise Unreadable(_l("The sheet has very many blank rows. Please delete them and save it again."))
            continue
        if not heads:
            if len(line) > MOST_COLUMNS and line[MOST_COLUMNS] is not None:
                raise Unreadable(_l("The sheet has more than %(count)d columns.", count=MOST_COLUMNS))
            heads = tuple("" if value is None else str(value) for value in line[:MOST_COLUMNS])
            continue
        if len(rows) == MOST_ROWS:
            raise _too_many()
        rows.append(RawRow(number, line[: len(heads)]))
    return Sheet(heads, tuple(rows), spreadsheet=True)


def _too_many() -> Unreadable:
    return Unreadable(_l("The file has more than %(count)d rows. Please send it in several parts.", count=MOST_ROWS))


def _json(data: bytes) -> Sheet:
    unknown = _l("This is not an Excel workbook (.xlsx) and not a JSON file.")
    try:
        given = json.loads(data.decode("utf-8-sig"), parse_constant=_no_number)
    except (ValueError, RecursionError) as failure:
        raise Unreadable(unknown) from failure
    if isinstance(given, dict):
        lists = [value for value in given.values() if isinstance(value, list)]
        given = given.get("items", lists[0] if len(lists) == 1 else None)
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise Unreadable(_l("A JSON file must be a list of objects, one for each record."))
    if len(given) > MOST_ROWS:
        raise _too_many()
    if _deeper_than(given, DEEPEST):
        raise Unreadable(_l("The JSON file is nested too deeply."))
    heads = tuple(dict.fromkeys(key for one in given for key in one))
    if len(heads) > MOST_COLUMNS:
        raise Unreadable(_l("The sheet has more than %(count)d columns.", count=MOST_COLUMNS))
    rows = tuple(
        RawRow(number, tuple(one.get(head, ABSENT) for head in heads)) for number, one in enumerate(given, 1) if one
    )
    return Sheet(heads, rows, spreadsheet=False)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _deeper_than(value: Any, levels: int) -> bool:
    """Whether a JSON value has more levels than these; level by level, since recursion is what a nasty one is after."""
    level = [value]
    for _ in range(levels):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True
