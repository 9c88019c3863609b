"""Changes of records outside of transitions: each gets an event of its own, whoever makes it and wherever (design, decision 4)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import event, viewer
from models.base import Kept, fields_of


@sa.event.listens_for(Session, "after_flush")
def _record_changes(session: Session, context: Any) -> None:
    """Append an event for every record created, changed or deleted outside of a transition."""
    if session.info.get(event.COVERED):
        return
    entries = [
        event.entry_of(
            record,
            "create",
            "create",
            {name: value for name, (_old, value) in changes_of(record).items() if value is not None},
        )
        for record in session.new
        if isinstance(record, Kept)
    ]
    for record in session.dirty:
        if isinstance(record, Kept) and session.is_modified(record) and (changes := changes_of(record)):
            told = {name: {"old": old, "new": new} for name, (old, new) in changes.items()}
            entries.append(event.entry_of(record, "update", "update", told))
    entries += [
        event.entry_of(record, "delete", "delete", {"title": record.title})
        for record in session.deleted
        if isinstance(record, Kept)
    ]
    if entries:
        event.append_all(session, entries, viewer.current_person())


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
                found[name] = (event.plain(old), event.plain(new))
    return found
