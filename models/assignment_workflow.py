"""The workflow of assignments as data: what a department does in a call (2.1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from models.calendar import work_calendar
from models.call import (
    Assignment,
    AssignmentRole,
    AssignmentState,
    Call,
    CallState,
    Report,
    ResponseManner,
    Solved,
)
from models.call_workflow import DEPARTMENT, DISPATCHER, PROGRESS, SETTLED, settle, stop
from models.field import Field
from models.ladder_steps import schedule_next_step
from models.setting import setting
from models.workflow import Invalid, Step, Transition, Workflow


def _respond_guard(step: Step) -> None:
    at = step.values["at"]
    if at is not None and at > step.now:
        raise Invalid({"at": _l("This time lies in the future.")})
    if at is not None and at < step.record.assigned_at:
        raise Invalid({"at": _l("This time lies before the dispatch.")})


def _respond(step: Step) -> None:
    assignment: Assignment = step.record
    assignment.responded_at = step.now
    assignment.response_at = step.values["at"] or step.now
    assignment.response_manner = step.values["how"]
    assignment.response_whom = step.values["whom"] or ""
    assignment.response_plan = step.values["plan"] or ""
    assignment.responded_by_id = step.person.person_id if step.person else None
    schedule_next_step(step.session, assignment)


def _report_guard(step: Step) -> None:
    assignment: Assignment = step.record
    if step.values["solved"] != Solved.solved and not step.values["reason"]:
        raise Invalid({"reason": _l("Please say why the problem is not fully solved.")})
    if assignment.role == AssignmentRole.lead and not step.values.get("without_reason"):
        waiting = [
            one.department.short_name
            for one in assignment.call.assignments
            if one is not assignment and one.state not in SETTLED
        ]
        if waiting:
            raise Invalid(
                {
                    "without_reason": _l(
                        "%(departments)s have not reported yet. Please wait for them, or say why you report without them.",
                        departments="、".join(waiting),
                    )
                }
            )


def _report(step: Step) -> None:
    assignment: Assignment = step.record
    step.session.add(
        Report(
            county_id=assignment.county_id,
            assignment=assignment,
            round=assignment.round,
            due=assignment.report_due,
            reported_at=step.now,
            reported_by_id=step.person.person_id if step.person else None,
            result=step.values["result"],
            solved=step.values["solved"],
            reason=step.values["reason"] or "",
            without_reason=step.values.get("without_reason") or "",
        )
    )
    stop(step, assignment)


def _not_in_hand(assignment: Assignment, now: datetime) -> Any:
    """An assignment of a withdrawn call stays in its state, but nothing more is done on it."""
    if assignment.call.state not in (CallState.dispatched, CallState.long_term):
        return _l(
            "This step is not possible now: the call is in the state “%(state)s”.", state=assignment.call.state.label
        )
    return None


def _no_more_progress(assignment: Assignment, now: datetime) -> Any:
    return None if assignment.call.state == CallState.reported else _not_in_hand(assignment, now)


def _too_early_to_close(assignment: Assignment, now: datetime) -> Any:
    session = sa.orm.object_session(assignment)
    assert session is not None
    limit = setting(session, assignment.county_id, "close_assignment_after")
    if now < work_calendar(session, assignment.county_id).step_after(assignment.report_due, limit):
        return _l("The report deadline has not been over long enough to close this assignment as not handled.")
    return _not_in_hand(assignment, now)


def _close(step: Step) -> None:
    stop(step, step.record)


REPORT_FIELDS = (
    Field("result", _l("Result"), "long_text", help=_l("What was done and what came of it.")),
    Field("solved", _l("Is the problem solved"), "choice", choices=Solved),
    Field("reason", _l("Reason if not solved"), "long_text", required=False),
    Field(
        "without_reason",
        _l("Why without the other departments"),
        "long_text",
        required=False,
        help=_l("Only if a cooperating department has not reported yet."),
    ),
)


def _report_fields(assignment: Assignment) -> tuple[Field, ...]:
    """A cooperating department is not asked why it does not wait for the others."""
    return REPORT_FIELDS if assignment.role == AssignmentRole.lead and assignment.call.joint else REPORT_FIELDS[:-1]


ASSIGNMENT_WORKFLOW = Workflow(
    states=AssignmentState,
    lock=lambda session, assignment: [(Call, assignment.call_id)],
    after=settle,
    transitions=(
        Transition(
            "respond",
            _l("Respond"),
            (DEPARTMENT,),
            ("pending",),
            "responded",
            obstacle=_not_in_hand,
            guard=_respond_guard,
            effect=_respond,
            primary=True,
            icon="phone-check",
            done=_l("Department responded"),
            help=_l("Contact with the township, or arrival on the scene."),
            asks=(
                Field("how", _l("How"), "choice", choices=ResponseManner, default="phone"),
                Field(
                    "whom",
                    _l("With whom"),
                    length=60,
                    default=lambda one, person: one.call.contact_name or one.call.township.short_name,
                ),
                Field("plan", _l("Plan"), "long_text", required=False),
                Field(
                    "at",
                    _l("When"),
                    "datetime",
                    required=False,
                    help=_l("For information; the deadline is judged by the time of this entry."),
                ),
            ),
        ),
        Transition(
            "report",
            _l("Report result"),
            (DEPARTMENT,),
            ("responded",),
            "reported",
            obstacle=_not_in_hand,
            guard=_report_guard,
            effect=_report,
            asks_for=_report_fields,
            may_ask=REPORT_FIELDS,
            primary=True,
            icon="clipboard-check",
            done=_l("Department reported"),
        ),
        Transition(
            "log_progress",
            _l("Log progress"),
            (DEPARTMENT,),
            ("pending", "responded", "reported"),
            obstacle=_no_more_progress,
            asks=PROGRESS,
            icon="message",
            done=_l("Progress logged"),
        ),
        Transition(
            "close_assignment",
            _l("Close as not handled"),
            (DISPATCHER,),
            ("pending", "responded"),
            "missed",
            obstacle=_too_early_to_close,
            effect=_close,
            asks=(Field("reason", _l("Reason"), "long_text"),),
            danger=True,
            icon="square-x",
            done=_l("Assignment closed as not handled"),
        ),
    ),
)

Assignment.workflow = ASSIGNMENT_WORKFLOW
