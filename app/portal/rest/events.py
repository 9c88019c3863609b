"""The `event` resource: the audit trail, for the auditor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.models.sqla.interface import SQLAInterface
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.portal.rest.resource import ReadApi
from app.portal.rest.shape import ComputedColumn, Shape
from models.event import Event, EventValue
from models.field import Field
from models.workflow import internal_events


def _values(session: Session, events: Sequence[Any]) -> dict[int, dict[str, Any]]:
    """What each event carries, as far as retention rules have left it."""
    # An internal remark stays inside one organisation, from the auditor as well: he sees that it was made (2.1).
    found: dict[int, dict[str, Any]] = {event.id: {} for event in events}
    rows = session.execute(
        sa.select(EventValue.event_id, EventValue.name, EventValue.value)
        .join(Event, Event.id == EventValue.event_id)
        .where(EventValue.event_id.in_(found), ~internal_events())
        .order_by(EventValue.event_id, EventValue.name)
    )
    for row in rows:
        found[row.event_id][row.name] = row.value
    return found


EVENT = Shape(
    Event,
    Event.label,
    {
        one.name: one
        for one in (
            Field("id", _l("Key"), "integer"),
            Field("county", _l("County"), "reference", target="organisation"),
            Field("at", _l("When"), "datetime"),
            Field("kind", _l("Kind")),
            Field("name", _l("Step")),
            Field("record_type", _l("Record type")),
            Field("record_id", _l("Record"), "integer"),
            Field("thread_type", _l("Timeline of type")),
            Field("thread_id", _l("Timeline of"), "integer"),
            Field("sequence", _l("Place in the timeline"), "integer"),
            Field("actor", _l("Who"), "reference", target="person"),
            Field("actor_organisation", _l("Organisation"), "reference", target="organisation"),
            Field("address", _l("From address")),
            Field("signature", _l("Signature")),
        )
    },
    {"values": ComputedColumn(_l("Values"), _values, {"type": "object", "additionalProperties": True})},
)


class EventApi(ReadApi):
    """Who did what, when, from where. Nobody writes here: events are written by what happens."""

    resource_name = "event"
    class_permission_name = "Event"
    datamodel = SQLAInterface(Event)
    shape = EVENT

    @classmethod
    def grants(cls) -> dict[str, frozenset[str]]:
        """The permissions and the roles that have them by default."""
        return {"can_list": frozenset({"auditor"}), "can_show": frozenset({"auditor"})}
