"""Giving a call to departments: dispatch, more departments, another department instead, sent back to report again (2.1)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from models.calendar import work_calendar
from models.call import Assignment, Call
from models.call_roles import DEPARTMENTS, DISPATCHER, open_assignments
from models.call_words import AssignmentRole, AssignmentState
from models.checklist import suggested_departments
from models.field import Field, Text
from models.ladder_steps import schedule_next_step
from models.organisation import Organisation
from models.paper import issue, platform_office
from models.refusal import Invalid
from models.setting import setting
from models.workflow import Step, Transition
from models.worktime import Limit, Unit

# Deadlines


def dues(step: Step, call: Call, *, joint: bool) -> tuple[datetime, datetime]:
    """When response and report are due if the clocks start now (2.1, Clocks)."""
    calendar, county = work_calendar(step.session, call.county_id), call.county_id
    if call.emergency:
        names = ("emergency_respond_limit", "emergency_report_limit")
    else:
        names = ("respond_limit", "report_joint_limit" if joint else "report_limit")
    respond, report = (calendar.deadline(step.now, setting(step.session, county, name)) for name in names)
    return respond, report


def red(session: Session, call: Call, due: datetime) -> datetime:
    """From when an unanswered deadline is red: +3 working days, in an emergency +24 h (2.2)."""
    if call.emergency:
        return due + timedelta(hours=24)
    return work_calendar(session, call.county_id).step_after(due, setting(session, call.county_id, "red_after"))


# Assigning


def assign(
    step: Step, call: Call, department: Organisation, role: AssignmentRole, respond_due: datetime, report_due: datetime
) -> Assignment:
    """Put a call into a department's hands; its clocks run from now."""
    position = max((one.position for one in call.assignments), default=0) + 1
    assignment = Assignment(
        county_id=call.county_id,
        call=call,
        position=position,
        department=department,
        role=role,
        assigned_at=step.now,
        respond_due=respond_due,
        respond_red_at=red(step.session, call, respond_due),
        report_from=step.now,
        report_due=report_due,
    )
    step.session.add(assignment)
    return assignment


def assign_all(
    step: Step,
    call: Call,
    lead: Organisation,
    cooperating: list[Organisation],
    respond_due: datetime | None = None,
    report_due: datetime | None = None,
) -> None:
    """Dispatch a call; clocks run from now, or to the deadlines on the order."""
    usual_respond_due, usual_report_due = dues(step, call, joint=bool(cooperating) or call.complex)
    for department in (lead, *cooperating):
        role = AssignmentRole.lead if department is lead else AssignmentRole.cooperating
        assign(step, call, department, role, respond_due or usual_respond_due, report_due or usual_report_due)
    call.dispatched_at = step.now
    call.dispatched_by_id = step.person.person_id if step.person else None
    step.session.flush()
    for assignment in call.assignments:
        schedule_next_step(step.session, assignment)


def assign_more(step: Step, call: Call, department: Organisation, role: AssignmentRole) -> Assignment:
    """One more department, with clocks from now; the others keep their deadlines."""
    respond_due, report_due = dues(step, call, joint=True)
    made = assign(step, call, department, role, respond_due, report_due)
    step.session.flush()
    schedule_next_step(step.session, made)
    return made


def stop(step: Step, assignment: Assignment) -> None:
    """Its clocks stop for good; they stood still already while a return was asked for."""
    if assignment.stopped_at is None:
        assignment.stopped_at = assignment.paused_at or step.now
    assignment.paused_at = None
    assignment.next_step_at = None


def give_back(step: Step, assignment: Assignment) -> None:
    """Take an assignment out of a department's hands; marks that it has earned stay."""
    assignment.state = AssignmentState.returned
    assignment.given_back_at = step.now
    stop(step, assignment)
    step.session.flush()


def new_lead(step: Step, call: Call, department: Organisation) -> Assignment:
    """Let a department lead after the former lead's assignment was given back: one that cooperates already keeps its clocks."""
    present = next((one for one in call.assignments if one.department is department and counts(one)), None)
    if present is None:
        return assign_more(step, call, department, AssignmentRole.lead)
    present.role = AssignmentRole.lead
    return present


def counts(assignment: Assignment) -> bool:
    return assignment.state != AssignmentState.returned


def issue_slip(step: Step, recipients: list[Organisation] | None = None) -> None:
    """The call slip of a dispatch goes to the township and every department, or to those who are new in it."""
    call: Call = step.record
    wanted = recipients if recipients is not None else [one.department for one in call.assignments if counts(one)]
    issue(
        step.session,
        "call_slip",
        call,
        issuer=platform_office(step.session, call.county_id),
        recipients=[call.township, *wanted],
    )


def suggested(call: Call) -> list[Organisation]:
    """Departments that the cited checklist item makes responsible."""
    return suggested_departments(call.checklist_item) if call.checklist_item is not None else []


def check_departments(lead: Organisation | None, cooperating: list[Organisation], name: str) -> None:
    """Raises Invalid where the lead department would cooperate with itself."""
    if lead is not None and lead in cooperating:
        raise Invalid({name: _l("The lead department cannot cooperate with itself.")})


# Transitions


def _dispatch_guard(step: Step) -> None:
    values = step.values
    check_departments(values["lead"], values["cooperating"], "cooperating")
    for name in ("respond_due", "report_due"):
        if values[name] is not None and values[name] <= step.now:
            raise Invalid({name: _l("A deadline cannot lie in the past.")})
    usual_respond_due, usual_report_due = dues(
        step, step.record, joint=bool(values["cooperating"]) or bool(values["complex"])
    )
    if (values["report_due"] or usual_report_due) < (values["respond_due"] or usual_respond_due):
        raise Invalid(
            {
                "report_due" if values["report_due"] else "respond_due": _l(
                    "The report cannot be due before the response."
                )
            }
        )


def _dispatch(step: Step) -> None:
    call: Call = step.record
    values = step.values
    call.complex = bool(values["complex"])
    call.remark = values["remark"] or ""
    assign_all(step, call, values["lead"], values["cooperating"], values["respond_due"], values["report_due"])
    issue_slip(step)


def check_new(call: Call, department: Organisation, name: str = "department") -> None:
    """Raises Invalid where a department already has the call in hand."""
    if any(one.department is department and counts(one) for one in call.assignments):
        raise Invalid({name: _l("%(department)s has this call already.", department=department.short_name)})


def _add_department(step: Step) -> None:
    assign_more(step, step.record, step.values["department"], AssignmentRole.cooperating)
    issue_slip(step, [step.values["department"]])


def replaceable(call: Call) -> list[tuple[str, Text]]:
    """The assignments in whose place another department may be put."""
    return [(str(one.id), one.department.short_name) for one in open_assignments(call)]


def _nobody_to_replace(call: Call, now: datetime) -> Any:
    return None if open_assignments(call) else _l("No department has this call in hand any more.")


def _replaced(step: Step) -> Assignment:
    call: Call = step.record
    return next(one for one in call.assignments if str(one.id) == step.values["assignment"])


def _reassign_guard(step: Step) -> None:
    replaced, department = _replaced(step), step.values["department"]
    if replaced.department is department:
        raise Invalid({"department": _l("Please choose another department than the present one.")})
    if replaced.role != AssignmentRole.lead:
        check_new(step.record, department)


def _reassign(step: Step) -> None:
    call: Call = step.record
    replaced, department = _replaced(step), step.values["department"]
    step.shown["assignment"] = {"id": replaced.id, "name": replaced.department.short_name}
    give_back(step, replaced)
    if replaced.role == AssignmentRole.lead:
        new_lead(step, call, department)
    else:
        assign_more(step, call, department, AssignmentRole.cooperating)
    issue_slip(step, [replaced.department, department])


def _reported(call: Call) -> list[tuple[str, Text]]:
    return [
        (str(one.id), one.department.short_name)
        for one in call.assignments
        if one.state == AssignmentState.reported and one.evaluation_of(one.round) is None
    ]


def _send_back(step: Step) -> None:
    """Same round; the deadline is the old one and the time at the office, at least one working day (2.1)."""
    call: Call = step.record
    calendar = work_calendar(step.session, call.county_id)
    chosen = step.values["assignments"] or [key for key, _label in _reported(call)]
    least = calendar.deadline(step.now, Limit(1, Unit.working_days))
    sent = [one for one in call.assignments if str(one.id) in chosen]
    for assignment in sent:
        report = assignment.report_of(assignment.round)
        assert report is not None
        if call.emergency:
            given_back = assignment.report_due + (step.now - report.reported_at)
        else:
            given_back = calendar.advance(assignment.report_due, calendar.worked(report.reported_at, step.now))
        assignment.state = AssignmentState.responded
        assignment.stopped_at = None
        assignment.report_from = step.now
        assignment.report_due = max(given_back, least)
        schedule_next_step(step.session, assignment)
    step.shown["assignments"] = [{"id": one.id, "name": one.department.short_name} for one in sent]
    call.reported_at = call.evaluate_due = None


TRANSITIONS = (
    Transition(
        "dispatch",
        _l("Accept and dispatch"),
        (DISPATCHER,),
        ("submitted", "accepted"),
        "dispatched",
        through="accept",
        primary=True,
        icon="arrow-fork",
        done=_l("Call dispatched"),
        guard=_dispatch_guard,
        effect=_dispatch,
        asks=(
            Field(
                "lead",
                _l("Lead department"),
                "reference",
                target="organisation",
                only=DEPARTMENTS,
                default=lambda call, person: next((one.id for one in suggested(call)), None),
            ),
            Field(
                "cooperating",
                _l("Cooperating departments"),
                "references",
                required=False,
                target="organisation",
                only=DEPARTMENTS,
                default=lambda call, person: [one.id for one in suggested(call)[1:]],
            ),
            Field("remark", _l("Remark to the departments"), "long_text", required=False),
            Field(
                "complex",
                _l("Complex matter"),
                "boolean",
                required=False,
                help=_l("Gives the longer report deadline."),
            ),
            Field(
                "respond_due",
                _l("Own response deadline"),
                "datetime",
                required=False,
                help=_l("Leave empty for the county's deadline."),
            ),
            Field(
                "report_due",
                _l("Own report deadline"),
                "datetime",
                required=False,
                help=_l("Leave empty for the county's deadline."),
            ),
        ),
    ),
    Transition(
        "add_department",
        _l("Add a department"),
        (DISPATCHER,),
        ("dispatched",),
        icon="user-plus",
        done=_l("Department added"),
        guard=lambda step: check_new(step.record, step.values["department"]),
        effect=_add_department,
        asks=(
            Field("department", _l("Department"), "reference", target="organisation", only=DEPARTMENTS),
            Field("reason", _l("Reason"), "long_text"),
        ),
        help=_l("It cooperates, with clocks from now; the others keep their deadlines."),
    ),
    Transition(
        "reassign",
        _l("Give to another department"),
        (DISPATCHER,),
        ("dispatched",),
        obstacle=_nobody_to_replace,
        icon="switch-horizontal",
        done=_l("Given to another department"),
        guard=_reassign_guard,
        effect=_reassign,
        asks=(
            Field("assignment", _l("Instead of"), "choice", choices=replaceable),
            Field("department", _l("Department"), "reference", target="organisation", only=DEPARTMENTS),
            Field("reason", _l("Reason"), "long_text"),
        ),
        help=_l("Marks that the former department has earned stay; the new one's clocks run from now."),
    ),
    Transition(
        "send_back",
        _l("Send back to report again"),
        (DISPATCHER,),
        ("reported",),
        "dispatched",
        obstacle=lambda call, now: None if _reported(call) else _l("There is no report that could be sent back."),
        icon="corner-up-left",
        done=_l("Sent back to report again"),
        effect=_send_back,
        asks=(
            Field(
                "assignments",
                _l("Departments"),
                "choices",
                choices=_reported,
                required=False,
                help=_l("Leave empty for all that have reported."),
            ),
            Field("missing", _l("What is missing"), "long_text"),
        ),
    ),
)
"""Steps of the office by which departments come into a call and out of it."""
