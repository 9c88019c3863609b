"""Who is told what of a deadline: the overdue ladder, an emergency's alarm chain, the supervision slips, every other party's clock (2.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.jobs.telling import OFFICERS, Group, Message, Occurrence, Telling, county, organisations, persons
from app.jobs.told_of_calls import alarm_values, rung, to_department, to_office
from app.notifications import Relation
from models.call import Assignment, Call
from models.call_roles import county_head, leader_of
from models.party_clocks import CLOCK_NAMES, CLOCKS, PartyClock, Responsible
from models.roster import duty_leaders, on_duty
from models.viewer import LEADER_OF


def _amber(one: Occurrence) -> Iterator[Message]:
    """Whoever has it in hand, else all officers of the department."""
    values = {"due": one.values["due"], "action": one.values["clock"]}
    taken_by = one.assignment.taken_by
    if taken_by is not None and taken_by.active:
        to = persons("taken", [taken_by.id], "department_officer")
        yield Message("amber", to, {"call": one.call.number, **values})
    else:
        yield to_department(one, one.assignment, "amber", ("department_officer",), **values)


def _overdue(one: Occurrence) -> Iterator[Message]:
    yield to_department(one, one.assignment, "overdue", due=one.values["due"], number=one.values["notice"]["name"])


def _candidate(one: Occurrence) -> Iterator[Message]:
    name, due = one.assignment.department.short_name, one.values["due"]
    to = county("supervision", one.call.county_id, "supervisor")
    yield Message("candidate", to, {"call": one.call.number, "department": name, "due": due})


def _ring(one: Occurrence) -> Iterator[Message]:
    yield from rung(one, one.assignment, one.values["place"])


def _alarm(one: Occurrence) -> dict[str, Any]:
    return {"call": one.call.number, **alarm_values(one, one.assignment)}


def _duty_phones(one: Occurrence) -> Iterator[Message]:
    """All duty telephones of the department, and the county's duty officers, who telephone it."""
    chain = on_duty(one.session, one.assignment.department_id, one.assignment.assigned_at)
    if chain:
        yield Message("alarm_department", persons("duty", [shift.person_id for shift in chain]), _alarm(one))
    else:
        yield to_department(one, one.assignment, "alarm_department", **alarm_values(one, one.assignment))
    yield to_office(one, "alarm_duty", "duty_officer", department=one.assignment.department.short_name)


def _heads(one: Occurrence) -> Iterator[Message]:
    """The department's head, and the county leader on duty, else the county head."""
    yield to_department(
        one, one.assignment, "alarm_department", ("department_leader",), **alarm_values(one, one.assignment)
    )
    leaders = duty_leaders(one.session, one.call.county_id, one.event.at)
    head = county_head(one.session, one.call.county_id) if not leaders else None
    to = persons("duty_leader", leaders or [head.id if head is not None else None], "county_leader")
    yield Message("alarm_leader", to, _alarm(one))


def _leader(one: Occurrence) -> Iterator[Message]:
    leader = leader_of(one.session, one.assignment.department_id, one.call.county_id)
    to = persons("leader", [leader.id if leader is not None else None], "county_leader")
    yield Message("alarm_leader", to, _alarm(one))


# Supervision slips


def _slip_drafted(one: Occurrence) -> Iterator[Message]:
    slip = one.record
    values = {"department": slip.department.short_name, "due": slip.sign_due.isoformat()}
    yield Message("supervision_drafted", county("supervision", slip.county_id, "supervisor"), values)


def _slip_signed(one: Occurrence) -> Iterator[Message]:
    """The department, and a copy to its portfolio leader."""
    slip = one.record
    values = {"number": slip.number, "department": slip.department.short_name}
    yield Message("supervision_issued", organisations("department", OFFICERS, slip.department_id), values)
    leader = leader_of(one.session, slip.department_id, slip.county_id)
    if leader is not None:
        yield Message("supervision_copy", persons("leader", [leader.id], "county_leader"), values)


# Every other clock


def _group(relation: Relation, county_id: int, whose: Responsible) -> Group:
    roles = tuple(sorted(whose.roles))
    if whose.person_id is not None:
        return persons(relation, [whose.person_id], *roles)
    if whose.organisation_id is not None:
        return organisations(relation, roles, whose.organisation_id)
    return county(relation, county_id, *roles)


def _clock_values(one: Occurrence) -> dict[str, Any]:
    thread = one.record.thread
    return {
        "clock": one.values["clock"],
        "due": one.values["due"],
        "record": {"type": thread.resource(), "number": getattr(thread, "number", None)},
    }


def _about(record: Any) -> Any:
    """What opens: the call where it belongs to one, else the record itself."""
    return record.thread if isinstance(record.thread, Call) else record


def _clock_amber(one: Occurrence) -> Iterator[Message]:
    whose = CLOCK_NAMES[one.values["clock"]].of(one.record)
    to = _group("responsible", one.record.county_id, whose)
    yield Message("clock_amber", to, _clock_values(one), _about(one.record))


def _superior(one: Occurrence, clock: PartyClock) -> Group:
    """The leader of whoever let it pass: of his own organisation; above leaders and the office's director the county head."""
    county_id = one.record.county_id
    if clock.above == {"county_leader"}:
        head = county_head(one.session, county_id)
        return persons("superior", [head.id if head is not None else None], "county_leader")
    own = clock.of(one.record).organisation_id if clock.above & LEADER_OF.keys() else None
    return _group("superior", county_id, Responsible(clock.above, own))


def _clock_expired(one: Occurrence) -> Iterator[Message]:
    """His leader and the office director, once. A call that nobody evaluated is closed at the same time, which its township is told."""
    clock = CLOCK_NAMES[one.values["clock"]]
    if clock.name == "evaluate":
        return
    values, about = _clock_values(one), _about(one.record)
    yield Message("clock_expired", _superior(one, clock), values, about)
    if not clock.alone:
        yield Message("clock_expired", county("office", one.record.county_id, "office_director"), values, about)


# The working calendar and the morning


def _deadline_moved(one: Occurrence) -> Iterator[Message]:
    """Whose clock it is, of calls: a department its response and report, everybody else whom the rule of his clock names."""
    if not isinstance(one.record.thread, Call):
        return
    moved = [value for value in one.values.values() if isinstance(value, dict) and "new" in value]
    values = {"due": min(value["new"] for value in moved)}
    if isinstance(one.record, Assignment):
        yield to_department(one, one.assignment, "deadline_moved", **values)
    else:
        to = _group("responsible", one.call.county_id, CLOCK_NAMES[one.values["clock"]].of(one.record))
        yield Message("deadline_moved", to, {"call": one.call.number, **values})


def _director_sheet(one: Occurrence) -> Iterator[Message]:
    """The morning's sheet is the office director's alone."""
    yield Message("director_sheet", county("office", one.record.id, "office_director"), dict(one.values))


OF_CLOCKS: dict[tuple[str, str], Telling] = {
    ("assignment", "amber"): _amber,
    ("assignment", "reminder"): _overdue,
    ("assignment", "candidate"): _candidate,
    ("assignment", "ring"): _ring,
    ("assignment", "duty_phones"): _duty_phones,
    ("assignment", "heads"): _heads,
    ("assignment", "leader"): _leader,
    ("notice", "draft"): _slip_drafted,
    ("notice", "sign"): _slip_signed,
    ("organisation", "director_sheet"): _director_sheet,
    **{
        (name, "deadline_recomputed"): _deadline_moved
        for name in ("assignment", *(one.model.resource() for one in CLOCKS))
    },
    **{(one.model.resource(), "clock_amber"): _clock_amber for one in CLOCKS},
    **{(one.model.resource(), "clock_expired"): _clock_expired for one in CLOCKS},
}
