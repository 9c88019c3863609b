"""What a call's form offers and has filled in already: fields of the list in force, who agreed, whom to ring up (2.1, `submit`)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from models.checklist import Checklist, ChecklistItem, ChecklistState
from models.person import Person
from models.viewer import Viewer

OTHER_FIELD = "其他"


def fields_in_force(record: Any) -> list[tuple[str, Any]]:
    """The fields that the checklist in force names, in their order, and “other”."""
    session = sa.orm.object_session(record) if record is not None else None
    county_id = getattr(record, "county_id", None)
    names: list[str] = []
    if session is not None and county_id is not None:
        item, checklist = sa.inspect(ChecklistItem).local_table, sa.inspect(Checklist).local_table
        rows = session.connection().execute(
            sa.select(item.c.field)
            .join(checklist, checklist.c.id == item.c.checklist_id)
            .where(checklist.c.owner_id == county_id, checklist.c.state == ChecklistState.in_force.value)
            .group_by(item.c.field)
            .order_by(sa.func.min(item.c.number))
        )
        names = [row.field for row in rows]
    return [(name, name) for name in [*names, OTHER_FIELD]]


def township_leader(call: Any, person: Viewer) -> str:
    """Name of the township's leader, who by default agrees to calls and to dissatisfied evaluations; the officer's own where there is none."""
    session = sa.orm.object_session(call)
    if session is None:
        return ""
    leaders = sa.select(Person).where(
        Person.organisation_id == call.township_id, Person.active, Person.roles.any(name="township_leader")
    )
    leader = session.scalars(leaders.order_by(Person.id).limit(1)).first()
    return leader.name if leader is not None else person.name


def own_phone(call: Any, person: Viewer) -> str:
    """The telephone of whoever raises the call."""
    session = sa.orm.object_session(call)
    officer = session.get(Person, person.person_id) if session is not None else None
    return (officer.phone or "") if officer is not None else ""
