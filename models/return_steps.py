"""Giving an assignment back: asked for, ruled by the office, or by the checklist manager where it is disputed (2.1)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from models.calendar import work_calendar
from models.call import Assignment
from models.call_dispatch import counts, give_back, issue_slip, new_lead, red
from models.call_roles import CHECKLIST_MANAGER, DEPARTMENT, DEPARTMENTS, DISPATCHER
from models.call_words import AssignmentRole, CallState
from models.department_steps import not_in_hand
from models.field import Field
from models.ladder_steps import schedule_next_step
from models.refusal import Invalid
from models.return_request import ReturnRequest, ReturnState
from models.setting import setting
from models.workflow import By, Step, Transition


def _referred(assignment: Assignment) -> bool:
    return assignment.return_request is not None and assignment.return_request.state == ReturnState.referred


RULING_OFFICE = By(DISPATCHER.roles, lambda one, person: DISPATCHER.relation(one, person) and not _referred(one))
RULING_MANAGER = By(
    CHECKLIST_MANAGER.roles, lambda one, person: CHECKLIST_MANAGER.relation(one, person) and _referred(one)
)
"""A referred dispute is the checklist manager's alone, finally."""


def _too_late(assignment: Assignment, now: datetime) -> Any:
    session = sa.orm.object_session(assignment)
    assert session is not None
    if assignment.call.state != CallState.dispatched:
        return _l(
            "This step is not possible now: the call is in the state “%(state)s”.", state=assignment.call.state.label
        )
    if assignment.return_request is not None:
        return _l("The return was asked for once already.")
    limit = setting(session, assignment.county_id, "return_limit")
    if now > work_calendar(session, assignment.county_id).deadline(assignment.assigned_at, limit):
        return _l("A return can be asked for within one working day of the dispatch; this time is over.")
    return None


def _request(step: Step) -> None:
    """The department's clocks stand still until the ruling; an emergency's never do."""
    assignment: Assignment = step.record
    item = step.values["item"]
    made = ReturnRequest(
        county_id=assignment.county_id,
        assignment=assignment,
        reason=step.values["reason"],
        item=item,
        requested_at=step.now,
        requested_by_id=step.person.person_id if step.person else None,
        due=work_calendar(step.session, assignment.county_id).deadline(
            step.now, setting(step.session, assignment.county_id, "return_ruling_limit")
        ),
    )
    step.session.add(made)
    if not assignment.call.emergency:
        assignment.paused_at = step.now
    step.session.flush()
    schedule_next_step(step.session, assignment)


def _rule(step: Step, state: ReturnState) -> None:
    request = step.record.return_request
    request.state = state
    request.ruling = step.values["ruling"]
    request.ruled_at = step.now
    request.ruled_by_id = step.person.person_id if step.person else None


def _lead_field(assignment: Assignment) -> tuple[Field, ...]:
    return UPHOLD_FIELDS if assignment.role == AssignmentRole.lead else UPHOLD_FIELDS[:1]


def _uphold_guard(step: Step) -> None:
    assignment: Assignment = step.record
    lead = step.values.get("lead")
    if lead is not None and lead is assignment.department:
        raise Invalid({"lead": _l("Please choose another department than the present one.")})


def _uphold(step: Step) -> None:
    """A lead that is let go needs a new lead in the same step."""
    assignment: Assignment = step.record
    call = assignment.call
    _rule(step, ReturnState.upheld)
    give_back(step, assignment)
    lead = step.values.get("lead")
    if lead is not None:
        had = [one for one in call.assignments if one.department is lead and counts(one)]
        new_lead(step, call, lead)
        if not had:
            issue_slip(Step(step.session, call, step.person, step.now, {}), [lead])


def _reject(step: Step) -> None:
    """Gives back exactly the time that the request took (2.1, Clocks)."""
    assignment: Assignment = step.record
    _rule(step, ReturnState.rejected)
    if assignment.paused_at is not None:
        calendar = work_calendar(step.session, assignment.county_id)
        taken = calendar.worked(assignment.paused_at, step.now)
        if taken > timedelta(0):
            assignment.respond_due = calendar.advance(assignment.respond_due, taken)
            assignment.report_due = calendar.advance(assignment.report_due, taken)
            assignment.respond_red_at = red(step.session, assignment.call, assignment.respond_due)
        assignment.paused_at = None
    schedule_next_step(step.session, assignment)


def _refer(step: Step) -> None:
    request = step.record.return_request
    request.state = ReturnState.referred
    request.referred_at = step.now
    request.due = work_calendar(step.session, request.county_id).deadline(
        step.now, setting(step.session, request.county_id, "referred_ruling_limit")
    )


UPHOLD_FIELDS = (
    Field("ruling", _l("Ruling"), "long_text"),
    Field(
        "lead",
        _l("New lead department"),
        "reference",
        target="organisation",
        only=DEPARTMENTS,
        help=_l("May be one that cooperates already."),
    ),
)

TRANSITIONS = (
    Transition(
        "request_return",
        _l("Ask to give it back"),
        (DEPARTMENT,),
        ("pending",),
        "return_requested",
        obstacle=_too_late,
        effect=_request,
        icon="arrow-back-up",
        done=_l("Return asked for"),
        asks=(
            Field("reason", _l("Why it is not your department's duty"), "long_text"),
            Field(
                "item",
                _l("Checklist item cited"),
                "reference",
                required=False,
                target="checklist_item",
                default=lambda one, person: one.call.checklist_item_id,
            ),
        ),
        help=_l("Once, within one working day of the dispatch. Your clock stands still until the ruling."),
    ),
    Transition(
        "uphold_return",
        _l("Uphold the return"),
        (RULING_OFFICE, RULING_MANAGER),
        ("return_requested",),
        "returned",
        obstacle=not_in_hand,
        asks_for=_lead_field,
        may_ask=UPHOLD_FIELDS,
        guard=_uphold_guard,
        effect=_uphold,
        primary=True,
        icon="check",
        done=_l("Return upheld"),
    ),
    Transition(
        "reject_return",
        _l("Reject the return"),
        (RULING_OFFICE, RULING_MANAGER),
        ("return_requested",),
        "pending",
        obstacle=not_in_hand,
        effect=_reject,
        icon="x",
        done=_l("Return rejected"),
        asks=(Field("ruling", _l("Ruling"), "long_text"),),
        help=_l("The department gets back exactly the time that its request took."),
    ),
    Transition(
        "refer_return",
        _l("Refer to the checklist manager"),
        (RULING_OFFICE,),
        ("return_requested",),
        obstacle=not_in_hand,
        effect=_refer,
        icon="arrow-up-right",
        done=_l("Referred to the checklist manager"),
        asks=(Field("remark", _l("Remark"), "long_text", required=False),),
        help=_l("He rules in two working days, finally."),
    ),
)
