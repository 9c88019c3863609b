"""The audit trail in words: events as rows, their values, what happened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.database import db
from app.portal import references
from app.portal.deadline import exact
from app.portal.page import Cell
from app.portal.sheet import SheetRow
from app.portal.timeline import AUTOMATIC, CLOCKS, GENERIC, evaluation_fact, fields_of_event
from app.portal.words import kept_text
from models.base import RECORD_TYPES
from models.event import Event, EventValue
from models.field import Field
from models.organisation import Organisation
from models.person import Person
from models.role import step_of
from models.workflow import internal_events

PAGE = 50
"""Events on a page."""

KINDS: Mapping[str, Any] = {
    "transition": _l("Step"),
    "automatic": _l("Step by itself"),
    "create": _l("Created"),
    "update": _l("Changed"),
    "delete": _l("Deleted"),
    "sign_in": _l("Sign-in"),
    "export": _l("Export"),
    "role": _l("Role or permission"),
    "setting": _l("Number series"),
}
NAMES: Mapping[str, Any] = {
    "sign_in": _l("Signed in"),
    "sign_in_failed": _l("Wrong password"),
    "permission_given": _l("Permission given"),
    "permission_taken": _l("Permission taken away"),
    "role_created": _l("Role created"),
    "role_removed": _l("Role removed"),
    "go_on_from": _l("Number series goes on"),
    "takes_over": _l("Takes over from another organisation"),
    "verified": _l("Audit trail verified"),
    "erase": _l("Uploaded file erased"),
    **GENERIC,
    **AUTOMATIC,
}


VALUES: Mapping[str, Any] = {
    "address": _l("From address"),
    "username": _l("Account name"),
    "document": _l("Document"),
    "notice": _l("Notice"),
    "file": _l("File"),
    "clock": _l("Clock"),
    "due": _l("Due"),
    "on_behalf_of": _l("On behalf of"),
    "role": _l("Role"),
    "permission": _l("Permission"),
    "resource": _l("Kind of record"),
    "format": _l("Format"),
    "columns": _l("Columns"),
    "list": _l("List"),
    "rows": _l("Rows"),
    "view": _l("View"),
    "search": _l("Search"),
    "faults": _l("Faults"),
    "kind": _l("Kind"),
    "year": _l("Year"),
    "next": _l("Goes on with number"),
    "before": _l("Before"),
    "state": _l("State"),
    "number": _l("Number"),
    "person": _l("Person"),
    "organisation": _l("Organisation"),
}
"""Values that only events keep, in words."""
DUE = Field("due", "", "datetime")


def type_words(record_type: str) -> str:
    """A record type as people call it; threads of no record type by their own name."""
    if record_type in RECORD_TYPES:
        return str(RECORD_TYPES[record_type].label)
    return {
        "sign_in": _("Sign-in"),
        "role": _("Role"),
        "number_series": _("Number series"),
        "audit": _("Audit trail"),
    }.get(record_type, record_type)


def step_words(found: Event) -> str:
    """What happened, in words."""
    model = RECORD_TYPES.get(found.record_type)
    if model is not None and found.kind == "transition":
        step = step_of(f"can_{found.name}", model.__name__)
        if step is not None:
            return str(step.done or step.label)
    return str(NAMES.get(found.name, found.name))


def event_rows(
    *,
    thread: tuple[str, int] | None = None,
    where: Sequence[sa.ColumnElement[bool]] = (),
    limit: int = PAGE,
    linked: bool = False,
) -> tuple[SheetRow, ...]:
    """Events, newest first, as rows: when, who, what, details."""
    conditions = list(where)
    if thread is not None:
        conditions += [Event.thread_type == thread[0], Event.thread_id == thread[1]]
    events = db.session.execute(
        sa.select(Event, Person.name, Organisation.short_name)
        .outerjoin(Person, Person.id == Event.actor_id)
        .outerjoin(Organisation, Organisation.id == Event.actor_organisation_id)
        .where(*conditions)
        .order_by(Event.id.desc())
        .limit(limit)
    ).all()
    values = values_of([row[0].id for row in events])
    wording = Wording([row[0] for row in events], values)
    return tuple(
        SheetRow(
            (
                Cell(exact(found.at), url=url_for("AuditView.show", pk=found.id) if linked else ""),
                Cell(" ".join(filter(None, (organisation, name))) or _("The system")),
                Cell(step_words(found), hint=f"{type_words(found.record_type)} {found.record_id}"),
                Cell(_summary(wording.values(found, values[found.id]))),
            )
        )
        for found, name, organisation in events
    )


def values_of(keys: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What events carry, by their keys; of an internal remark the auditor reads that it was made, not its words."""
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    rows = db.session.execute(
        sa.select(EventValue.event_id, EventValue.name, EventValue.value)
        .join(Event, Event.id == EventValue.event_id)
        .where(EventValue.event_id.in_(keys), ~internal_events())
        .order_by(EventValue.event_id, EventValue.name)
    )
    for row in rows:
        found[row.event_id][row.name] = row.value
    return found


class Wording:
    """Values of events in the auditor's words. What the events of a page refer to is read once, as far as the auditor may see it."""

    def __init__(self, events: Sequence[Event], values: Mapping[int, Mapping[str, Any]]) -> None:
        self.fields = {found.id: fields_of_event(found) for found in events}
        keys: dict[str, set[int]] = defaultdict(set)
        asked_for: dict[str, Field] = {}
        for found in events:
            for name, value in values[found.id].items():
                asked = self.fields[found.id].get(name)
                if asked is not None and asked.target in RECORD_TYPES:
                    asked_for[asked.target] = asked
                    keys[asked.target] |= set(_keys(value))
        self.names = {
            target: dict(references.labels(db.session(), asked, sorted(keys[target])))
            for target, asked in asked_for.items()
        }

    def values(self, found: Event, values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        """What an event keeps, each value with its name."""
        return tuple(self._value(found, name, value) for name, value in values.items())

    def name(self, found: Event, name: str) -> str:
        """The name of a value: the field's or the question's; what only events keep has a word of its own."""
        known = self.fields[found.id]
        return str(known[name].label if name in known else VALUES.get(name, name))

    def _value(self, found: Event, name: str, value: Any) -> tuple[str, str]:
        if name.startswith("evaluation."):
            told = evaluation_fact(value)
            return told.label, told.cell.text
        if name == "clock":
            return self.name(found, name), str(CLOCKS.get(value, value))
        asked = self.fields[found.id].get(name, DUE if name == "due" else None)
        return self.name(found, name), self._words(value, asked)

    def _words(self, value: Any, asked: Field | None) -> str:
        """A value: names of records, old → new, lists."""
        if isinstance(value, dict):
            if "old" in value and "new" in value:
                return f"{self._words(value['old'], asked) or '–'} → {self._words(value['new'], asked) or '–'}"
            if "name" in value:
                return str(value["name"])
            return "，".join(f"{VALUES.get(key, key)}：{self._words(inner, None)}" for key, inner in value.items())
        if isinstance(value, list):
            return "、".join(self._words(one, asked) for one in value)
        if asked is not None and asked.target in self.names:
            return self.names[asked.target].get(str(value), kept_text(asked, value))
        return kept_text(asked, value)


def _keys(value: Any) -> Iterator[int]:
    """The keys of records in a kept value: one, several, or an old and a new one."""
    if isinstance(value, int) and not isinstance(value, bool):
        yield value
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _keys(one)


def _summary(values: Sequence[tuple[str, str]]) -> str:
    text = "；".join(f"{name}：{value}" for name, value in values if value)
    return text[:160] + ("…" if len(text) > 160 else "")
