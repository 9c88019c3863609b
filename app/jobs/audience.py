"""Who is told what of which event: one table (2.1 to 2.7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy.orm import Session

from app.jobs.telling import Group, Message, Occurrence, Telling
from app.jobs.told_of_calls import OF_CALLS
from app.jobs.told_of_clocks import OF_CLOCKS
from app.jobs.told_of_records import OF_RECORDS
from app.notifications import Relation
from models.base import RECORD_TYPES
from models.event import Event, EventValue
from models.organisation import Organisation
from models.person import Person
from models.substitution import Substitution

TOLD: dict[tuple[str, str], Telling] = {**OF_CALLS, **OF_CLOCKS, **OF_RECORDS}
"""By record type and step. What stands not here is told to nobody."""


def messages(session: Session, event: Event) -> Iterator[tuple[Any, Message]]:
    """What an event makes be told, each message with the record that it opens."""
    telling = TOLD.get((event.record_type, event.name)) if event.kind in ("transition", "automatic") else None
    record = session.get(RECORD_TYPES[event.record_type], event.record_id) if telling is not None else None
    if telling is None or record is None:
        return
    rows = session.execute(
        sa.select(EventValue.name, EventValue.value).where(EventValue.event_id == event.id).order_by(EventValue.name)
    )
    occurrence = Occurrence(session, event, record, {row.name: row.value for row in rows})
    for message in telling(occurrence):
        yield message.about if message.about is not None else record.thread, message


@dataclass(frozen=True)
class Recipient:
    """A person who is told, in which role and by which relation to the matter."""

    person_id: int
    role: str
    relation: Relation


class Directory:
    """Who belongs to a group, asked once per group in one transaction."""

    def __init__(self, session: Session, today: date) -> None:
        self._session = session
        self._today = today
        self._known: dict[Group, list[Recipient]] = {}

    def people(self, group: Group) -> list[Recipient]:
        """The people in a group, and whoever stands in for one of them today."""
        if group not in self._known:
            members = self._members(group)
            self._known[group] = [*members, *self._substitutes(group, [one.person_id for one in members])]
        return self._known[group]

    def _members(self, group: Group) -> list[Recipient]:
        if group.person_ids:
            wanted = sa.select(Person.id).where(Person.active.is_(True), Person.id.in_(group.person_ids))
            role = group.roles[0] if group.roles else ""
            return [Recipient(key, role, group.relation) for key in self._session.scalars(wanted.order_by(Person.id))]
        if group.county_id is not None:
            in_county = sa.select(Organisation.id).where(Organisation.county_id == group.county_id)
            place = Person.organisation_id.in_(in_county)
        else:
            place = Person.organisation_id.in_(group.organisation_ids)
        rows = self._session.execute(
            sa.select(Person.id, Role.name)
            .join(Person.roles)
            .where(Person.active.is_(True), place, Role.name.in_(group.roles))
            .order_by(Person.id)
        )
        held: dict[int, str] = {}
        for key, role in sorted(rows, key=lambda row: group.roles.index(row.name)):
            held.setdefault(key, role)
        return [Recipient(key, role, group.relation) for key, role in sorted(held.items())]

    def _substitutes(self, group: Group, members: list[int]) -> list[Recipient]:
        if not group.roles or not members:
            return []
        rows = self._session.execute(
            sa.select(Substitution.substitute_id, Substitution.role)
            .join(Person, Person.id == Substitution.substitute_id)
            .where(
                Person.active.is_(True),
                Substitution.person_id.in_(members),
                Substitution.role.in_(group.roles),
                Substitution.begins <= self._today,
                Substitution.ends >= self._today,
            )
            .order_by(Substitution.id)
        )
        return [Recipient(row.substitute_id, row.role, "substitute") for row in rows]
