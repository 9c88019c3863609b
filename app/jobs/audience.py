"""Who is told what of which event: one table (2.1, 2.2).

Whoever is told of a call is a party of it or one of its county's offices, and is told nothing that its page would not show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy.orm import Session

from models.base import RECORD_TYPES, Record
from models.call import Assignment, Call, Satisfaction
from models.event import Event, EventValue
from models.organisation import Organisation
from models.party_clocks import CLOCK_NAMES
from models.person import Person


@dataclass(frozen=True)
class Group:
    """People by office: everybody active with one of these roles in one of these organisations, or in a whole county."""

    roles: frozenset[str]
    organisation_ids: frozenset[int] = frozenset()
    county_id: int | None = None


@dataclass(frozen=True)
class Message:
    """What a group is told."""

    kind: str
    to: Group
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Occurrence:
    """An event with the call that it happened to and the values it carries."""

    session: Session
    call: Call
    assignment: Assignment | None
    values: Mapping[str, Any]


Telling = Callable[[Occurrence], Iterable[Message]]

OFFICERS = frozenset({"department_officer", "department_leader"})
TOWNSHIP = frozenset({"township_officer", "township_leader"})


def _township(one: Occurrence, kind: str, **values: Any) -> Message:
    return Message(kind, Group(TOWNSHIP, frozenset({one.call.township_id})), {"call": one.call.number, **values})


def _department(
    one: Occurrence, assignment: Assignment, kind: str, roles: frozenset[str] = OFFICERS, **values: Any
) -> Message:
    return Message(kind, Group(roles, frozenset({assignment.department_id})), {"call": one.call.number, **values})


def _dispatchers(one: Occurrence, kind: str, *more: str) -> Message:
    values = {"call": one.call.number, "township": one.call.township.short_name}
    return Message(kind, Group(frozenset({"dispatcher", *more}), county_id=one.call.county_id), values)


def _submitted(one: Occurrence) -> Iterator[Message]:
    if not one.call.emergency:
        yield _dispatchers(one, "submitted")
        return
    yield _dispatchers(one, "emergency_alarm", "duty_officer")
    township = one.call.township
    for assignment in one.call.assignments:
        due = assignment.respond_due.isoformat()
        if township.phone:
            yield _department(
                one, assignment, "emergency_phone", township=township.short_name, due=due, phone=township.phone
            )
        else:
            yield _department(one, assignment, "emergency", township=township.short_name, due=due)


def _dispatched(one: Occurrence) -> Iterator[Message]:
    for assignment in one.call.assignments:
        yield _department(
            one, assignment, "dispatched", role=assignment.role.value, due=assignment.respond_due.isoformat()
        )


def _to_township(kind: str) -> Telling:
    def tell(one: Occurrence) -> Iterator[Message]:
        if one.assignment is not None:
            yield _township(one, kind, department=one.assignment.department.short_name)

    return tell


def _evaluated(one: Occurrence) -> Iterator[Message]:
    """Only a department that has to go to work again is told, and only of itself."""
    for name, value in one.values.items():
        if (
            name.startswith("evaluation.")
            and value["satisfaction"] == Satisfaction.dissatisfied
            and value["round"] == 1
        ):
            again = next(
                assignment
                for assignment in one.call.assignments
                if assignment.id == int(name.removeprefix("evaluation."))
            )
            if again.round > 1:
                yield _department(one, again, "again", due=again.report_due.isoformat())


def _withdrawn(one: Occurrence) -> Iterator[Message]:
    if one.call.number is None:
        return  # a draft, of which nobody knew
    yield _dispatchers(one, "withdrawn")
    for assignment in one.call.assignments:
        yield _department(one, assignment, "withdrawn", township=one.call.township.short_name)


def _amber(one: Occurrence) -> Iterator[Message]:
    if one.assignment is not None:
        yield _department(
            one,
            one.assignment,
            "amber",
            frozenset({"department_officer"}),
            due=one.values["due"],
            action=one.values["clock"],
        )


def _overdue(one: Occurrence) -> Iterator[Message]:
    if one.assignment is not None:
        yield _department(one, one.assignment, "overdue", due=one.values["due"], number=one.values["notice"]["name"])


def _closed(one: Occurrence) -> Iterator[Message]:
    if one.assignment is not None:
        name = one.assignment.department.short_name
        yield _department(one, one.assignment, "closed_as_missed", department=name)
        yield _township(one, "closed_as_missed", department=name)


TOLD: dict[tuple[str, str], Telling] = {
    ("call", "submit"): _submitted,
    ("call", "dispatch"): _dispatched,
    ("assignment", "respond"): _to_township("responded"),
    ("assignment", "report"): _to_township("reported"),
    ("call", "all_reported"): lambda one: [_township(one, "evaluation_wanted")],
    ("call", "evaluate"): _evaluated,
    ("call", "withdraw"): _withdrawn,
    ("assignment", "amber"): _amber,
    ("assignment", "reminder"): _overdue,
    ("assignment", "close_assignment"): _closed,
}
"""By record type and step. What stands not here is told to nobody."""


def messages(session: Session, event: Event) -> list[tuple[Record, Message]]:
    """What an event makes be told, with the record that it is about."""
    if (event.record_type, event.name) == ("organisation", "director_sheet"):
        return [_director_sheet(session, event)]
    if event.name == "deadline_recomputed":
        return list(_deadline_moved(session, event))
    telling = TOLD.get((event.record_type, event.name)) if event.kind in ("transition", "automatic") else None
    if telling is None:
        return []
    record = session.get(RECORD_TYPES[event.record_type], event.record_id)
    if record is None:
        return []
    call = record.call if isinstance(record, Assignment) else record
    assert isinstance(call, Call)
    occurrence = Occurrence(session, call, record if isinstance(record, Assignment) else None, _values(session, event))
    return [(call, message) for message in telling(occurrence)]


def _director_sheet(session: Session, event: Event) -> tuple[Record, Message]:
    """The morning's sheet is the office director's alone."""
    county = session.get_one(Organisation, event.record_id)
    return county, Message(
        "director_sheet", Group(frozenset({"office_director"}), county_id=county.id), _values(session, event)
    )


def _deadline_moved(session: Session, event: Event) -> Iterator[tuple[Record, Message]]:
    """Whose clock it is, of calls: a department its response and report, everybody else what the rule of his clock names."""
    record = session.get(RECORD_TYPES[event.record_type], event.record_id)
    if record is None or not isinstance(record.thread, Call):
        return
    call, values = record.thread, _values(session, event)
    if isinstance(record, Assignment):
        to = Group(OFFICERS, frozenset({record.department_id}))
    else:
        responsible = CLOCK_NAMES[values["clock"]].of(record)
        organisation = responsible.organisation_id
        to = Group(
            responsible.roles,
            frozenset({organisation} if organisation is not None else ()),
            call.county_id if organisation is None else None,
        )
    moved = [value for value in values.values() if isinstance(value, dict) and "new" in value]
    told = {"call": call.number, "due": min(value["new"] for value in moved)}
    yield call, Message("deadline_moved", to, told)


def _values(session: Session, event: Event) -> dict[str, Any]:
    rows = session.execute(
        sa.select(EventValue.name, EventValue.value).where(EventValue.event_id == event.id).order_by(EventValue.name)
    )
    return {row.name: row.value for row in rows}


class Directory:
    """Who belongs to a group, asked once per group in one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[Group, list[int]] = {}

    def people(self, group: Group) -> list[int]:
        """Keys of the people in a group."""
        if group not in self._known:
            wanted = sa.select(Person.id).where(
                Person.active.is_(True), Person.roles.any(Role.name.in_(sorted(group.roles)))
            )
            if group.county_id is not None:
                in_county = sa.select(Organisation.id).where(Organisation.county_id == group.county_id)
                wanted = wanted.where(Person.organisation_id.in_(in_county))
            else:
                wanted = wanted.where(Person.organisation_id.in_(group.organisation_ids))
            self._known[group] = list(self._session.scalars(wanted.order_by(Person.id)))
        return self._known[group]
