"""Changes of records outside of transitions: each gets an event of its own, whoever makes it and wherever (design, decision 4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import event, viewer
from models.base import RECORD_TYPES, Kept, described, fields_of


@sa.event.listens_for(Session, "after_flush")
def _record_changes(session: Session, context: Any) -> None:
    """Append an event for every record created, changed or deleted outside of a transition."""
    if session.info.get(event.COVERED):
        return
    made = [(record, changes_of(record)) for record in session.new if isinstance(record, Kept)]
    changed = [
        (record, changes)
        for record in session.dirty
        if isinstance(record, Kept) and session.is_modified(record) and (changes := changes_of(record))
    ]
    names = _names(session, [*made, *changed])
    entries = [
        event.entry_of(
            record,
            "create",
            "create",
            {name: _told(record, name, new, names) for name, (_old, new) in changes.items() if new is not None}
            | _on_behalf(record),
        )
        for record, changes in made
    ]
    for record, changes in changed:
        told = {
            name: {"old": _told(record, name, old, names), "new": _told(record, name, new, names)}
            for name, (old, new) in changes.items()
        }
        entries.append(event.entry_of(record, "update", "update", told | _on_behalf(record)))
    entries += [
        event.entry_of(record, "delete", "delete", {"title": record.title} | _on_behalf(record))
        for record in session.deleted
        if isinstance(record, Kept)
    ]
    if entries:
        event.append_all(session, entries, viewer.current_person())


def _on_behalf(record: Kept) -> dict[str, Any]:
    """For whom a substitute makes the change, as transitions tell it."""
    principal = record.changed_for
    return {"on_behalf_of": {"id": principal.person_id, "name": principal.name}} if principal is not None else {}


Changes = Mapping[str, tuple[Any, Any]]
Names = Mapping[tuple[str, int], str]
"""What records were called when they were named, by their type and key."""


def _names(session: Session, changes: Sequence[tuple[Kept, Changes]]) -> Names:
    """The names of everything that changed references name, by one statement for each type: an event must still tell them when
    the record has another name or is gone."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for record, changed in changes:
        for name, values in changed.items():
            target = _target(record, name)
            if target:
                wanted[target].update(value for value in values if isinstance(value, int))
    found = {}
    with viewer.system():
        for target, keys in wanted.items():
            model = RECORD_TYPES[target]
            for named in session.scalars(sa.select(model).where(model.id.in_(keys))).unique():
                found[target, named.id] = named.title
    return found


def _target(record: Kept, name: str) -> str:
    """The record type that a field names; empty where it names none."""
    asked = fields_of(type(record))[name]
    return asked.target if asked.kind == "reference" and asked.target in RECORD_TYPES else ""


def _told(record: Kept, name: str, value: Any, names: Names) -> Any:
    """A value as the event keeps it; a reference as {id, name}, as transitions keep theirs."""
    called = names.get((_target(record, name), value)) if isinstance(value, int) else None
    return value if called is None else {"id": value, "name": called}


WITHHELD = "＊＊＊"
"""Stands in events for a confidential value."""


def _withheld(value: Any) -> str | None:
    return WITHHELD if value not in (None, "") else None


def changes_of(record: Kept) -> dict[str, tuple[Any, Any]]:
    """Old and new value of each described column that changed."""
    state: Any = sa.inspect(record)
    found = {}
    for name in fields_of(type(record)):
        key = f"{name}_id" if f"{name}_id" in state.mapper.column_attrs else name
        history = state.attrs[key].history
        if history.has_changes():
            old = history.deleted[0] if history.deleted else None
            new = history.added[0] if history.added else None
            if old != new:
                hidden = described(type(record), name)["confidential"]
                found[name] = (_withheld(old), _withheld(new)) if hidden else (event.plain(old), event.plain(new))
    return found
