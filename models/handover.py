"""What somebody has in hand, and handing it on: by the declarations, so that no record type is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import clock, event
from models.base import RECORD_TYPES, Record, UtcDateTime, described, fields_of
from models.workflow import shown_value
from models.worktime import WorkCalendar


@dataclass(frozen=True)
class Held:
    """An open record that names somebody (or an organisation) as the one who has it in hand."""

    record: Any
    field: str

    @property
    def column(self) -> str:
        return f"{self.field}_id"


def in_hand(session: Session, target: str, key: int) -> list[Held]:
    """Every open record that a person (target `person`) or an organisation (`organisation`) has in hand. To be asked as the system."""
    found = []
    for model, name in _holding(target):
        column = getattr(model, f"{name}_id")
        query = sa.select(model).where(column == key, *still_open(model)).order_by(model.id)
        found += [Held(record, name) for record in session.scalars(query).unique()]
    return found


def _holding(target: str) -> Iterator[tuple[type[Record], str]]:
    """References that say who has a record in hand: of people those that can be edited; of organisations all but those that only tell the past."""
    for model in RECORD_TYPES.values():
        if model.resource() in ("person", "substitution", "organisation", "organisation_alias"):
            continue
        for name, asked in fields_of(model).items():
            if asked.kind != "reference" or asked.target != target:
                continue
            if target == "person" and not described(model, name)["editable"]:
                continue
            if target == "organisation" and not _is_kept_by(model, name):
                continue
            yield model, name


def _is_kept_by(model: type[Record], name: str) -> bool:
    """An issued paper and a record of what was said keep the organisation's old name; what is still to be done, or stands until changed, moves."""
    return model.workflow is not None or described(model, name)["editable"]


def still_open(model: type[Record]) -> list[sa.ColumnElement[bool]]:
    """Not in a final state of its workflow; in service, where it says so; not over, where it has an end, by the county's day."""
    columns = sa.inspect(model).columns
    conditions: list[sa.ColumnElement[bool]] = [model.unsettled()]
    if model.workflow is not None:
        final = [str(state.value) for state in model.workflow.states if state.final]
        conditions.append(columns["state"].not_in(final))
    if "active" in columns:
        conditions.append(columns["active"].is_(True))
    if "ends" in columns:
        end: Any = columns["ends"]
        now = clock.now()
        conditions.append(end >= (now if isinstance(end.type, UtcDateTime) else WorkCalendar().local_date(now)))
    return conditions


def hand_on(session: Session, held: list[Held], to: Any) -> list[dict[str, Any]]:
    """Put each record into other hands, with an event on its own timeline; gives what was handed on, as an event keeps it."""
    told = []
    for one in held:
        before = getattr(one.record, one.field)
        setattr(one.record, one.field, to)
        session.flush()
        one.record.after_handover(session)
        change = {one.field: {"old": shown_value(before), "new": shown_value(to)}}
        event.append(session, one.record, "update", "update", change)
        told.append({"id": one.record.id, "name": f"{type(one.record).label} {one.record.title}"})
    return told
