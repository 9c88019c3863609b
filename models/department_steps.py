"""Inside a department, and from outside to it: who has it in hand, urging, acknowledging an alarm (2.1, 2.2)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from models.base import RECORD_TYPES
from models.calendar import work_calendar
from models.call import Assignment
from models.call_roles import DEPARTMENT, DISPATCHER, DUTY_OFFICER, TOWNSHIP_OF_ASSIGNMENT
from models.call_words import AssignmentState, CallState
from models.field import Field
from models.ladder_steps import schedule_next_step
from models.organisation import OrganisationKind
from models.refusal import Invalid
from models.setting import setting
from models.workflow import Step, Transition


def not_in_hand(assignment: Assignment, now: datetime) -> Any:
    """An assignment of a withdrawn call stays in its state, but nothing more is done on it."""
    if assignment.call.state not in (CallState.dispatched, CallState.long_term):
        return _l(
            "This step is not possible now: the call is in the state “%(state)s”.", state=assignment.call.state.label
        )
    return None


def _take(step: Step) -> None:
    assert step.person is not None
    step.record.taken_by_id = step.person.person_id


def _stationed_by(step: Step, agency_id: int, department_id: int) -> bool:
    table = sa.inspect(RECORD_TYPES["stationed_agency"]).local_table
    query = sa.select(table.c.id).where(table.c.organisation_id == agency_id, table.c.department_id == department_id)
    return step.session.connection().execute(query).first() is not None


def _hand_on_guard(step: Step) -> None:
    """Clocks stay the department's, so only its own people, sections and agencies can be named."""
    assignment: Assignment = step.record
    person, agency = step.values["person"], step.values["agency"]
    if person is None and agency is None and not step.values["section"]:
        raise Invalid({"person": _l("Please name a person, a section or a stationed agency.")})
    if person is not None and person.organisation_id != assignment.department_id:
        raise Invalid({"person": _l("This person does not belong to your department.")})
    if agency is not None and not _stationed_by(step, agency.id, assignment.department_id):
        raise Invalid({"agency": _l("This agency does not belong to your department.")})


def _hand_on(step: Step) -> None:
    assignment: Assignment = step.record
    person, agency = step.values["person"], step.values["agency"]
    assignment.taken_by_id = person.id if person is not None else None
    assignment.section = step.values["section"] or ""
    assignment.agency_id = agency.id if agency is not None else None


def _urged_lately(assignment: Assignment, now: datetime) -> Any:
    """At most once per 4 working hours for each department (2.1)."""
    session = sa.orm.object_session(assignment)
    assert session is not None
    if assignment.urged_at is not None:
        pause = setting(session, assignment.county_id, "urge_pause")
        if now < work_calendar(session, assignment.county_id).deadline(assignment.urged_at, pause):
            return _l("This department was urged within the last four working hours.")
    return not_in_hand(assignment, now)


def _urge(step: Step) -> None:
    step.record.urges += 1
    step.record.urged_at = step.now


def _nothing_rings(assignment: Assignment, now: datetime) -> Any:
    if not assignment.call.emergency or assignment.acknowledged_at is not None:
        return _l("No alarm rings for this department.")
    return not_in_hand(assignment, now)


def _acknowledge_guard(step: Step) -> None:
    at = step.values["when"]
    if at is not None and not step.record.assigned_at <= at <= step.now:
        raise Invalid({"when": _l("Please enter a time between the alarm and now.")})


def _acknowledge(step: Step) -> None:
    """Stops the ringing; it is no response (2.1)."""
    assignment: Assignment = step.record
    assignment.acknowledged_at = step.values["when"] or step.now
    assignment.acknowledged_by = step.values["who"]
    schedule_next_step(step.session, assignment)


IN_HAND = (AssignmentState.pending.value, AssignmentState.responded.value)

TRANSITIONS = (
    Transition(
        "acknowledge",
        _l("Confirm the alarm"),
        (DEPARTMENT, DUTY_OFFICER),
        ("pending",),
        obstacle=_nothing_rings,
        guard=_acknowledge_guard,
        effect=_acknowledge,
        icon="bell-check",
        done=_l("Alarm confirmed"),
        asks=(
            Field("who", _l("Who confirmed it"), length=60, default=lambda one, person: person.name),
            Field("when", _l("When"), "datetime", required=False, help=_l("Empty: just now.")),
        ),
        help=_l("Stops the ringing. It is not a response."),
    ),
    Transition(
        "take",
        _l("Take it in hand"),
        (DEPARTMENT,),
        IN_HAND,
        obstacle=not_in_hand,
        effect=_take,
        icon="hand-grab",
        done=_l("Taken in hand"),
    ),
    Transition(
        "hand_on",
        _l("Hand on inside"),
        (DEPARTMENT,),
        IN_HAND,
        obstacle=not_in_hand,
        guard=_hand_on_guard,
        effect=_hand_on,
        icon="arrow-forward-up",
        done=_l("Handed on inside the department"),
        asks=(
            Field("person", _l("Person"), "reference", required=False, target="person"),
            Field("section", _l("Section"), required=False, length=60),
            Field(
                "agency",
                _l("Stationed agency"),
                "reference",
                required=False,
                target="organisation",
                only={"kind": [OrganisationKind.agency], "active": True},
            ),
        ),
        help=_l("The clocks stay your department's."),
    ),
    Transition(
        "urge",
        _l("Urge"),
        (TOWNSHIP_OF_ASSIGNMENT, DISPATCHER),
        IN_HAND,
        obstacle=_urged_lately,
        effect=_urge,
        icon="speakerphone",
        done=_l("Department urged"),
        help=_l("At most once in four working hours."),
    ),
)
