"""Whose work is what: the calls that wait for a person, what is overdue, and what comes next (face, Home).

Each condition is a union of small sets, so that the database finds those rows by their indexes instead of walking through all calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from models import clock
from models.base import RECORD_TYPES
from models.call import OFFICES as SEEING_ALL
from models.call import Assignment, Call
from models.call_party import CallParty
from models.call_words import AssignmentState, CallKind, CallState
from models.convening import ConveningState
from models.escalation import EscalationState
from models.extension import ExtensionState
from models.ladder_steps import LadderStep
from models.milestone import LongTermState, MilestoneState
from models.return_request import ReturnState
from models.viewer import Viewer

TOWNSHIP_TODO = (CallState.draft, CallState.returned, CallState.reported)
OPEN = (
    CallState.submitted,
    CallState.returned,
    CallState.accepted,
    CallState.dispatched,
    CallState.reported,
    CallState.long_term,
)
WORKED_ON = (AssignmentState.pending.value, AssignmentState.responded.value)
RUNNING = (*WORKED_ON, AssignmentState.return_requested.value)
"""States of an assignment in which a deadline may run (`models.call_party.due_of`)."""
AHEAD = timedelta(days=7)
"""A milestone stands on its department's work list so long before its day."""
REGULARISED_WITHIN = timedelta(hours=24)

Keys = sa.Select[Any]


def todo(person: Viewer) -> sa.ColumnElement[bool] | None:
    """The calls that wait for this person; None for those whose work is not the single call."""
    arms: list[Keys] = []
    if person.has_role("township_officer"):
        arms += _of_township(person)
    if person.has_role("department_officer"):
        arms += _of_department(person)
    if person.has_role("dispatcher"):
        arms += _of_dispatcher(person)
    if person.has_role("office_director"):
        call = _table("call")
        objected = (call.state == CallState.declined.value, call.objection_due.is_not(None))
        arms.append(sa.select(call.id).where(call.county_id == person.county_id, *objected))
    if person.has_role("checklist_manager"):
        arms.append(_of_assignments(person, "return_request", ReturnState.referred))
    if person.has_role("county_leader"):
        arms += _of_leader(person)
    if person.has_role("duty_officer"):
        arms.append(_ringing(person))
    return Call.id.in_(sa.union(*arms)) if arms else None


@cache
def _table(resource: str) -> Any:
    """A record type to be asked about beside the calls of the list, under a name of its own. Made once: every page asks."""
    return aliased(RECORD_TYPES[resource])


@cache
def _parties() -> Any:
    """The organisations of calls, under a name of their own."""
    return aliased(CallParty)


def _of_township(person: Viewer) -> list[Keys]:
    """Drafts, returned, to be evaluated; telephone entries to confirm; milestones to evaluate; meetings to record."""
    call, milestone, convening = _table("call"), _table("milestone"), _table("convening")
    own = call.township_id == person.organisation_id
    under_way = call.state.in_([state.value for state in OPEN])
    confirming = (call.phoned_at.is_not(None), call.confirmed_at.is_(None), under_way)
    completed = (milestone.state == MilestoneState.completed.value, milestone.evaluated_at.is_(None), under_way)
    held = (convening.state == ConveningState.planned.value, convening.at <= clock.now())
    return [
        sa.select(call.id).where(own, call.state.in_([state.value for state in TOWNSHIP_TODO])),
        sa.select(call.id).where(own, *confirming),
        sa.select(call.id).join(milestone, milestone.call_id == call.id).where(own, *completed),
        sa.select(call.id).join(convening, convening.call_id == call.id).where(own, *held),
    ]


def _of_department(person: Viewer) -> list[Keys]:
    """What it has to respond to and to report on, round 2 included; milestones whose day is near."""
    call, party, milestone = _table("call"), _parties(), _table("milestone")
    mine = party.organisation_id == person.organisation_id
    joined = sa.select(call.id).join(party, party.call_id == call.id)
    near = (milestone.state == MilestoneState.open.value, milestone.due <= clock.now() + AHEAD)
    return [
        joined.where(mine, party.state.in_(WORKED_ON), call.state == CallState.dispatched.value),
        joined.where(mine, party.state == AssignmentState.pending.value, call.state == CallState.long_term.value),
        sa.select(milestone.call_id).where(milestone.department_id == person.organisation_id, *near),
    ]


def _of_dispatcher(person: Viewer) -> list[Keys]:
    """To accept and dispatch; returns and extensions to rule on; plans to endorse; emergencies to regularise."""
    call = _table("call")
    county = call.county_id == person.county_id
    to_regularise = (
        call.kind == CallKind.emergency.value,
        call.state == CallState.dispatched.value,
        call.regularised_at.is_(None),
        call.dispatched_at > clock.now() - REGULARISED_WITHIN,
    )
    return [
        sa.select(call.id).where(county, call.state.in_((CallState.submitted.value, CallState.accepted.value))),
        sa.select(call.id).where(county, *to_regularise),
        _of_assignments(person, "return_request", ReturnState.requested),
        _of_assignments(person, "extension", ExtensionState.requested),
        _of_calls(person, "long_term", LongTermState.requested),
    ]


def _of_leader(person: Viewer) -> list[Keys]:
    """What was brought before him, or before the leader whose substitute he is."""
    keys = [person.person_id, *(one.person_id for one in person.deputed if one.role == "county_leader")]
    found = []
    for resource, state in (("escalation", EscalationState.asked), ("long_term", LongTermState.endorsed)):
        table = _table(resource)
        mine = (table.state == state.value, table.leader_id.in_(keys))
        found.append(sa.select(table.call_id).where(*mine))
    return found


def _ringing(person: Viewer) -> Keys:
    """Emergencies whose alarm nobody has confirmed yet."""
    call, assignment = _table("call"), _table("assignment")
    unanswered = (assignment.state == AssignmentState.pending.value, assignment.acknowledged_at.is_(None))
    emergency = (call.kind == CallKind.emergency.value, call.state == CallState.dispatched.value)
    joined = sa.select(call.id).join(assignment, assignment.call_id == call.id)
    return joined.where(call.county_id == person.county_id, *emergency, *unanswered)


def _of_calls(person: Viewer, resource: str, *states: Any) -> Keys:
    """The calls of this county with such a record in one of these states."""
    table = _table(resource)
    wanted = [state.value for state in states]
    return sa.select(table.call_id).where(table.county_id == person.county_id, table.state.in_(wanted))


def _of_assignments(person: Viewer, resource: str, *states: Any) -> Keys:
    table, assignment = _table(resource), _table("assignment")
    wanted = [state.value for state in states]
    joined = sa.select(assignment.call_id).join(table, table.assignment_id == assignment.id)
    return joined.where(table.county_id == person.county_id, table.state.in_(wanted))


def emergencies() -> sa.ColumnElement[bool]:
    """Emergencies under way, confirmed or not."""
    return sa.and_(Call.kind == CallKind.emergency, Call.state.in_(OPEN))


def unconfirmed(person: Viewer) -> sa.ColumnElement[bool]:
    """Calls that this person entered from the telephone, and that their township has not confirmed."""
    mine = (Call.created_by_id == person.person_id, Call.phoned_at.is_not(None))
    return sa.and_(*mine, Call.confirmed_at.is_(None), Call.state.in_(OPEN))


def overdue(person: Viewer) -> sa.ColumnElement[bool]:
    """Calls in which a deadline has run out: a department's own, anybody's for the others."""
    now = clock.now()
    party, milestone = _parties(), _table("milestone")
    late = sa.select(party.call_id).where(party.due < now)  # which a party has only while it runs
    undone = sa.select(milestone.call_id).where(milestone.state == MilestoneState.open.value, milestone.due < now)
    if person.has_role("department_officer") and not person.has_role(*SEEING_ALL, "duty_officer"):
        own = person.organisation_id
        late = late.where(party.organisation_id == own, party.state.in_(RUNNING))
        undone = undone.where(milestone.department_id == own)
        return Call.id.in_(sa.union(late, undone))
    return Call.id.in_(sa.union(late, undone, *_unruled(now)))


def _unruled(now: Any) -> Iterable[Keys]:
    """What the office, the checklist manager and the leaders have let pass."""
    call, assignment = _table("call"), _table("assignment")
    for state, due in (
        (CallState.submitted, call.accept_due),
        (CallState.accepted, call.dispatch_due),
        (CallState.declined, call.objection_due),
    ):
        yield sa.select(call.id).where(call.state == state.value, due < now)
    for resource, states in (
        ("return_request", (ReturnState.requested, ReturnState.referred)),
        ("extension", (ExtensionState.requested,)),
    ):
        table = _table(resource)
        open_ = (table.state.in_([state.value for state in states]), table.due < now)
        yield sa.select(assignment.call_id).join(table, table.assignment_id == assignment.id).where(*open_)
    for resource, asked in (
        ("escalation", (EscalationState.asked,)),
        ("long_term", (LongTermState.requested, LongTermState.endorsed)),
    ):
        table = _table(resource)
        yield sa.select(table.call_id).where(table.state.in_([one.value for one in asked]), table.due < now)


def nearest(session: Session, person: Viewer, limit: int, options: Sequence[Any] = (), without: int = 0) -> list[Call]:
    """What waits for this person, nearest deadline first."""
    waiting = todo(person)
    if waiting is None:
        return []
    due = sa.select(sa.func.min(CallParty.due)).where(CallParty.call_id == Call.id)
    if person.has_role("department_officer"):
        due = due.where(CallParty.organisation_id == person.organisation_id)
    first = sa.func.coalesce(due.scalar_subquery(), Call.accept_due, Call.dispatch_due, Call.changed_at)
    query = sa.select(Call).where(waiting, Call.id != without).options(*options).order_by(first, Call.id).limit(limit)
    return list(session.scalars(query).unique())


def candidates() -> sa.ColumnElement[bool]:
    """Assignments listed for a conclusion (2.2): red without an answer, or responded late, and no conclusion speaks of them yet."""
    conclusion, assignment = _table("conclusion"), _table("assignment")
    red = sa.select(LadderStep.assignment_id).where(LadderStep.step == "candidate")
    concluded = sa.select(conclusion.assignment_id).where(conclusion.assignment_id.is_not(None))
    late = sa.select(assignment.id).where(assignment.responded_at > assignment.respond_due)
    return sa.and_(Assignment.id.in_(sa.union(red, late)), Assignment.id.not_in(concluded))
