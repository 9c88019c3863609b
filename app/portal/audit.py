"""The audit trail in words: events as rows, their values, what happened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.database import db
from app.portal.deadline import exact
from app.portal.page import Cell
from app.portal.sheet import SheetRow
from app.portal.timeline import AUTOMATIC, GENERIC
from models.base import RECORD_TYPES
from models.event import Event, EventValue
from models.organisation import Organisation
from models.person import Person
from models.role import step_of

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
    return tuple(
        SheetRow(
            (
                Cell(exact(found.at), url=url_for("AuditView.show", pk=found.id) if linked else ""),
                Cell(" ".join(filter(None, (organisation, name))) or _("The system")),
                Cell(step_words(found), hint=f"{type_words(found.record_type)} {found.record_id}"),
                Cell(_summary(values[found.id])),
            )
        )
        for found, name, organisation in events
    )


def values_of(keys: Sequence[int]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    rows = db.session.execute(
        sa.select(EventValue.event_id, EventValue.name, EventValue.value)
        .where(EventValue.event_id.in_(keys))
        .order_by(EventValue.event_id, EventValue.name)
    )
    for row in rows:
        found[row.event_id][row.name] = row.value
    return found


def value_words(value: Any) -> str:
    """A value of an event as the auditor reads it: names of records, old → new, lists."""
    if isinstance(value, dict):
        if "old" in value and "new" in value:
            return f"{value_words(value['old']) or '–'} → {value_words(value['new']) or '–'}"
        if "name" in value:
            return str(value["name"])
        return "，".join(f"{key}：{value_words(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return "、".join(value_words(one) for one in value)
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return "" if value is None else str(value)


def _summary(values: Mapping[str, Any]) -> str:
    text = "；".join(f"{name}：{value_words(value)}" for name, value in values.items() if value not in (None, "", []))
    return text[:160] + ("…" if len(text) > 160 else "")
