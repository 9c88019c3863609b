"""A compiled list taken into a draft: items, their duties, and parties whose names are known (2.4, Import)."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy.orm import Session

from models.checklist import Checklist, ChecklistItem, Duty, DutyKind
from models.organisation import Organisation, find_by_name

TOWNSHIPS = "乡镇（街道）"
_TOWNSHIP_PRIMARY = "（乡镇为法定主责）"


def import_items(session: Session, checklist: Checklist, items: list[dict[str, Any]]) -> list[Duty]:
    """Add items in the form of the compiled list (`number, field, name, primary [{dept, duty}], cooperating, basis,
    note`) to a draft; gives the unresolved duties.

    A department's name that is an exact name or known alias becomes a link; several joined by 、 are split only when
    each is known; everything else stays as text.
    """
    unresolved = []
    for entry in items:
        item = ChecklistItem(
            county_id=checklist.county_id,
            checklist=checklist,
            number=entry["number"],
            field=entry["field"],
            name=entry["name"],
            basis=entry.get("basis", ""),
            note=entry.get("note", ""),
        )
        session.add(item)
        for party in entry["primary"]:
            parties = _resolve(session, checklist.county_id, party["dept"])
            for name, organisation in parties:
                duty = _duty(item, DutyKind.primary, name, party["duty"], organisation)
                if organisation is None:
                    unresolved.append(duty)
        cooperating = entry["cooperating"]
        if cooperating.startswith(_TOWNSHIP_PRIMARY):
            _duty(item, DutyKind.primary, TOWNSHIPS, cooperating.removeprefix(_TOWNSHIP_PRIMARY), None)
        else:
            _duty(item, DutyKind.cooperating, TOWNSHIPS, cooperating, None)
    session.flush()
    return unresolved


def _duty(item: ChecklistItem, kind: DutyKind, party: str, text: str, organisation: Organisation | None) -> Duty:
    duty = Duty(
        county_id=item.county_id,
        position=len(item.duties) + 1,
        kind=kind,
        party=party,
        text=text,
        organisation=organisation,
    )
    item.duties.append(duty)
    return duty


def _resolve(session: Session, county_id: int, written: str) -> list[tuple[str, Organisation | None]]:
    whole = find_by_name(session, county_id, written)
    if whole is not None:
        return [(written, whole)]
    names = re.split("、", written)
    parts = [(name, find_by_name(session, county_id, name)) for name in names]
    if len(parts) > 1 and all(organisation is not None for _name, organisation in parts):
        return list(parts)
    return [(written, None)]
