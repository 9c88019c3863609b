"""A published list of matters, as counties have it: the compiled JSON, or a sheet with a line for each responsible department (2.4, C1–C3).

Names in it are messy; what is no known organisation stays as text and is listed to be resolved. Nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.portal.imports.columns import plain_head, readable
from app.portal.imports.reading import ABSENT, Sheet, Unreadable, read
from models.base import fields_of
from models.checklist import Checklist, ChecklistItem, ChecklistLevel, Duty
from models.checklist_import import import_items
from models.field import FieldError, clean_text
from models.organisation import Organisation

HEADS: Mapping[str, tuple[str, ...]] = {
    "number": ("序号", "编号", "number"),
    "field": ("领域", "类别", "field"),
    "name": ("事项", "事项名称", "name"),
    "dept": ("主体责任单位", "责任单位", "责任部门", "department"),
    "duty": ("主体责任", "责任单位职责", "duty"),
    "cooperating": ("配合责任", "乡镇（街道）配合责任", "乡镇配合责任", "cooperating"),
    "basis": ("法律依据", "依据", "basis"),
    "note": ("备注", "note"),
}
"""What may stand above the columns of a sheet. A line without a number goes on with the matter above it, as merged cells do."""


def read_items(data: bytes) -> list[dict[str, Any]]:
    """The items of a file in the compiled form. Raises Unreadable, naming the item and what is wrong with it."""
    sheet = read(data)
    items = _of_sheet(sheet) if sheet.spreadsheet else _of_json(sheet)
    numbers = [item["number"] for item in items]
    twice = {number for number in numbers if numbers.count(number) > 1}
    if twice:
        raise Unreadable(_l("Item %(number)s stands in the file twice.", number=min(twice)))
    return items


def draft_of(
    session: Session, county: Organisation, name: str, items: list[dict[str, Any]]
) -> tuple[Checklist, list[Duty]]:
    """A new draft version of a county's list with these items; gives the duties whose party is not known."""
    latest = session.scalar(
        sa.select(sa.func.max(Checklist.edition)).where(
            Checklist.owner_id == county.id, Checklist.scheme == "territorial"
        )
    )
    made = Checklist(
        county_id=county.id,
        name=name,
        level=ChecklistLevel.county,
        owner_id=county.id,
        scheme="territorial",
        edition=(latest or 0) + 1,
    )
    session.add(made)
    session.flush()
    return made, import_items(session, made, items)


def _of_json(sheet: Sheet) -> list[dict[str, Any]]:
    rows = [dict(zip(sheet.heads, row.cells, strict=True)) for row in sheet.rows]
    entries = [{name: value for name, value in row.items() if value is not ABSENT} for row in rows]
    return [_item(place, entry) for place, entry in enumerate(entries, 1)]


def _of_sheet(sheet: Sheet) -> list[dict[str, Any]]:
    known = {plain_head(head): name for name, heads in HEADS.items() for head in heads}
    places = {known[plain_head(head)]: place for place, head in enumerate(sheet.heads) if plain_head(head) in known}
    missing = [heads[0] for name, heads in HEADS.items() if name not in places and name not in ("basis", "note")]
    if missing:
        raise Unreadable(_l("The column “%(column)s” is missing.", column=missing[0]))
    entries: list[dict[str, Any]] = []
    for row in sheet.rows:
        cells = {name: row.cells[place] if place < len(row.cells) else None for name, place in places.items()}
        if cells["number"] is not None:
            entries.append({**cells, "primary": []})
        if not entries:
            raise Unreadable(_l("Row %(row)d belongs to no matter: its number is missing.", row=row.number))
        if cells["dept"] is not None:
            entries[-1]["primary"].append({"dept": cells["dept"], "duty": cells["duty"]})
    return [_item(place, entry) for place, entry in enumerate(entries, 1)]


def _item(place: int, entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry with every value checked."""
    fields = fields_of(ChecklistItem)
    try:
        number = fields["number"].parse(_number(entry.get("number")))
        texts = {name: _text(entry.get(name), fields[name].length) for name in ("field", "name", "basis", "note")}
        cooperating = _text(entry.get("cooperating"), None)
        primary = entry.get("primary", [])
        if not isinstance(primary, list) or not all(isinstance(one, Mapping) for one in primary):
            raise FieldError(_l("A list of entries is expected."))
        parties = [{"dept": _text(one.get("dept"), 200), "duty": _text(one.get("duty"), None)} for one in primary]
        if number is None or not texts["field"] or not texts["name"]:
            raise FieldError(_l("Number, field and name of the matter are needed."))
    except FieldError as error:
        what = readable(str(entry.get("number") or place))
        raise Unreadable(_l("Item %(number)s: %(reason)s", number=what, reason=error.message)) from error
    return {"number": number, **texts, "primary": parties, "cooperating": cooperating}


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _text(value: Any, length: int | None) -> str:
    return "" if value is None else clean_text(value if isinstance(value, str) else str(value), length)
