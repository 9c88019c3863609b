"""The workflow of assignments as data: what a department does in a call (2.1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from models import department_steps, extension_steps, return_steps
from models.calendar import work_calendar
from models.call import Assignment, Call
from models.call_beside import merged_with
from models.call_dispatch import stop
from models.call_report import Report
from models.call_roles import DEPARTMENT, DISPATCHER
from models.call_settling import SETTLED, settle
from models.call_words import AssignmentRole, AssignmentState, CallState, ResponseManner, Solved
from models.call_workflow import PROGRESS
from models.department_steps import not_in_hand
from models.field import Field
from models.ladder_steps import schedule_next_step
from models.refusal import Invalid
from models.setting import setting
from models.workflow import Step, Transition, Workflow, lock_records, perform_automatic


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
    _write_report(step, step.record)
    _copy_to_merged(step)


def _write_report(step: Step, assignment: Assignment) -> None:
    """A report sent back by the office counts no more, but stays: the next one of the round is another attempt."""
    step.session.add(
        Report(
            county_id=assignment.county_id,
            assignment=assignment,
            round=assignment.round,
            attempt=1 + sum(one.round == assignment.round for one in assignment.reports),
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


def _copy_to_merged(step: Step) -> None:
    """The same department's assignments in merged calls are reported with it, each in its own call (2.1, merge)."""
    assignment: Assignment = step.record
    keys = merged_with(step.session, assignment.call_id)
    if not keys:
        return
    linked = step.session.scalars(
        sa.select(Assignment)
        .where(
            Assignment.call_id.in_(keys),
            Assignment.department_id == assignment.department_id,
            Assignment.state == AssignmentState.responded,
        )
        .order_by(Assignment.id)
    ).all()
    for one in linked:
        if one.call.state != CallState.dispatched:
            continue
        lock_records(step.session, ASSIGNMENT_WORKFLOW, one)

        def copy(automatic: Step, one: Assignment = one) -> None:
            one.state = AssignmentState.reported
            _write_report(Step(step.session, one, step.person, step.now, step.values), one)

        shown: dict[str, Any] = {
            name: step.shown[name] for name in ("result", "solved", "reason") if name in step.shown
        }
        perform_automatic(step.session, one, "report_copied", copy, shown)
        settle(Step(step.session, one, None, step.now, {}))


def _not_to_report(assignment: Assignment, now: datetime) -> Any:
    """In long-term handling milestones stand in the report's place (2.1)."""
    if assignment.call.state == CallState.long_term:
        return _l("In long-term handling the milestones are reported instead.")
    return not_in_hand(assignment, now)


def _no_more_progress(assignment: Assignment, now: datetime) -> Any:
    return None if assignment.call.state == CallState.reported else not_in_hand(assignment, now)


def _too_early_to_close(assignment: Assignment, now: datetime) -> Any:
    session = sa.orm.object_session(assignment)
    assert session is not None
    limit = setting(session, assignment.county_id, "close_assignment_after")
    if now < work_calendar(session, assignment.county_id).step_after(assignment.report_due, limit):
        return _l("The report deadline has not been over long enough to close this assignment as not handled.")
    return _not_to_report(assignment, now)


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
        *department_steps.TRANSITIONS[:2],
        Transition(
            "respond",
            _l("Respond"),
            (DEPARTMENT,),
            ("pending",),
            "responded",
            obstacle=not_in_hand,
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
            obstacle=_not_to_report,
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
        *department_steps.TRANSITIONS[2:],
        *return_steps.TRANSITIONS,
        *extension_steps.TRANSITIONS,
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
