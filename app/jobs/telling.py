"""What is told, and to whom: the words in which the tables of `app.jobs.audience` are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from app.notifications import Kind, Relation
from models.base import Record
from models.call import Assignment, Call
from models.event import Event


@dataclass(frozen=True)
class Group:
    """Everybody active with one of these roles in one of these organisations, or in a whole county; or single persons.

    Whoever stands in for one of them in one of the roles belongs to it. Of roles that one person has, the first named
    is why he is told; persons named without a role are told as themselves, and nobody in their place.
    """

    relation: Relation
    roles: tuple[str, ...] = ()
    organisation_ids: frozenset[int] = frozenset()
    county_id: int | None = None
    person_ids: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Message:
    """What a group is told, and the record that it opens: the event's thread where none is named."""

    kind: Kind
    to: Group
    values: Mapping[str, Any] = field(default_factory=dict)
    about: Record | None = None


@dataclass(frozen=True)
class Occurrence:
    """An event with the record that it happened to and the values it carries."""

    session: Session
    event: Event
    record: Any
    values: Mapping[str, Any]

    @property
    def call(self) -> Call:
        """The call that the record belongs to."""
        call = self.record.thread
        assert isinstance(call, Call)
        return call

    @property
    def assignment(self) -> Assignment:
        assert isinstance(self.record, Assignment)
        return self.record


Telling = Callable[[Occurrence], Iterable[Message]]
"""Of several messages of one event a person gets the first that is for him."""

OFFICERS = ("department_officer", "department_leader")
TOWNSHIP = ("township_officer", "township_leader")


def organisations(relation: Relation, roles: tuple[str, ...], *keys: int) -> Group:
    return Group(relation, roles, organisation_ids=frozenset(keys))


def county(relation: Relation, county_id: int, *roles: str) -> Group:
    return Group(relation, roles, county_id=county_id)


def persons(relation: Relation, keys: Iterable[int | None], *roles: str) -> Group:
    return Group(relation, roles, person_ids=frozenset(key for key in keys if key is not None))


def named(value: Any) -> list[int]:
    """Keys of the records that an event's value names: one, several, or none."""
    if value is None:
        return []
    return [one["id"] for one in (value if isinstance(value, list) else [value])]
