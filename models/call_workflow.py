"""The workflow of calls as data (2.1); what departments do in them stands in `models.assignment_workflow`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from models import event
from models.calendar import work_calendar
from models.call import (
    Assignment,
    AssignmentRole,
    AssignmentState,
    Call,
    CallState,
    Evaluation,
    Satisfaction,
    Solved,
    keep_parties,
    township_leader,
)
from models.checklist import suggested_departments
from models.document import take_number
from models.field import Field
from models.ladder_steps import schedule_next_step
from models.organisation import Organisation, OrganisationKind
from models.paper import issue, platform_office
from models.setting import setting
from models.workflow import By, Invalid, Step, Transition, Workflow, perform_automatic

TOWNSHIP = By(frozenset({"township_officer"}), lambda call, person: call.township_id == person.organisation_id)
DISPATCHER = By(frozenset({"dispatcher"}), lambda record, person: record.county_id == person.county_id)
DEPARTMENT = By(
    frozenset({"department_officer"}), lambda assignment, person: assignment.department_id == person.organisation_id
)
DEPARTMENT_OF_CALL = By(
    frozenset({"department_officer"}),
    lambda call, person: any(
        one.department_id == person.organisation_id and one.state != AssignmentState.returned
        for one in call.assignments
    ),
)

DEPARTMENTS = {"kind": [OrganisationKind.department, OrganisationKind.office], "active": True}
"""Who may be called: county departments, and offices that are members of the county's line-up."""

SETTLED = frozenset({AssignmentState.reported, AssignmentState.returned, AssignmentState.missed})


# Deadlines


def _dues(step: Step, call: Call, *, joint: bool) -> tuple[datetime, datetime]:
    """When response and report are due if the clocks start now (2.1, Clocks)."""
    calendar, county = work_calendar(step.session, call.county_id), call.county_id
    if call.emergency:
        names = ("emergency_respond_limit", "emergency_report_limit")
    else:
        names = ("respond_limit", "report_joint_limit" if joint else "report_limit")
    respond, report = (calendar.deadline(step.now, setting(step.session, county, name)) for name in names)
    return respond, report


def _red(session: Session, call: Call, due: datetime) -> datetime:
    """From when an unanswered deadline is red: +3 working days, in an emergency +24 h (2.2)."""
    if call.emergency:
        return due + timedelta(hours=24)
    return work_calendar(session, call.county_id).step_after(due, setting(session, call.county_id, "red_after"))


def _assign(
    step: Step,
    call: Call,
    lead: Organisation,
    cooperating: list[Organisation],
    respond_due: datetime | None = None,
    report_due: datetime | None = None,
) -> None:
    """Give a call to departments; clocks run from now, or to the deadlines on the order."""
    usual_respond_due, usual_report_due = _dues(step, call, joint=bool(cooperating) or call.complex)
    respond_due, report_due = respond_due or usual_respond_due, report_due or usual_report_due
    for position, department in enumerate([lead, *cooperating], start=1):
        assignment = Assignment(
            county_id=call.county_id,
            call=call,
            position=position,
            department=department,
            role=AssignmentRole.lead if department is lead else AssignmentRole.cooperating,
            assigned_at=step.now,
            respond_due=respond_due,
            respond_red_at=_red(step.session, call, respond_due),
            report_from=step.now,
            report_due=report_due,
        )
        step.session.add(assignment)
    call.dispatched_at = step.now
    call.dispatched_by_id = step.person.person_id if step.person else None
    step.session.flush()
    for assignment in call.assignments:
        schedule_next_step(step.session, assignment)


def _check_departments(lead: Organisation | None, cooperating: list[Organisation], name: str) -> None:
    if lead is not None and lead in cooperating:
        raise Invalid({name: _l("The lead department cannot cooperate with itself.")})


# Transitions of a call


SUBMIT_FIELDS = (
    Field(
        "departments",
        _l("Departments called"),
        "references",
        target="organisation",
        only=DEPARTMENTS,
        help=_l("The first one leads."),
        default=lambda record, person: [one.id for one in suggested(record)],
    ),
)


def _submit_fields(call: Call) -> tuple[Field, ...]:
    return SUBMIT_FIELDS if call.emergency else ()


def suggested(call: Call) -> list[Organisation]:
    """Departments that the cited checklist item makes responsible."""
    return suggested_departments(call.checklist_item) if call.checklist_item is not None else []


def _submit_guard(step: Step) -> None:
    call: Call = step.record
    call.take_from_item()
    missing = {
        name: _l("Please fill in this field.") for name in ("title", "field", "description") if not getattr(call, name)
    }
    if missing:
        raise Invalid(missing)


def _submit(step: Step) -> None:
    call: Call = step.record
    if call.number is None:
        calendar = work_calendar(step.session, call.county_id)
        year = calendar.local_date(step.now).year
        call.number = f"呼{year}-{take_number(step.session, call.county_id, 'call', year):04d}"
    call.submitted_at = step.now
    call.submitted_by_id = step.person.person_id if step.person else None
    if call.emergency:
        departments = step.values["departments"]
        call.state = CallState.dispatched
        _assign(step, call, departments[0], departments[1:])
        _issue_slip(step)
    else:
        call.state = CallState.submitted
        call.accept_due = work_calendar(step.session, call.county_id).deadline(
            step.now, setting(step.session, call.county_id, "accept_limit")
        )


def _accept(step: Step) -> None:
    call: Call = step.record
    call.accepted_at = step.now
    call.accepted_by_id = step.person.person_id if step.person else None
    call.dispatch_due = work_calendar(step.session, call.county_id).deadline(
        step.now, setting(step.session, call.county_id, "dispatch_limit")
    )


def _dispatch_guard(step: Step) -> None:
    values = step.values
    _check_departments(values["lead"], values["cooperating"], "cooperating")
    for name in ("respond_due", "report_due"):
        if values[name] is not None and values[name] <= step.now:
            raise Invalid({name: _l("A deadline cannot lie in the past.")})
    usual_respond_due, usual_report_due = _dues(
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
    call.complex = bool(step.values["complex"])
    call.remark = step.values["remark"] or ""
    _assign(
        step,
        call,
        step.values["lead"],
        step.values["cooperating"],
        step.values["respond_due"],
        step.values["report_due"],
    )
    _issue_slip(step)


def _issue_slip(step: Step) -> None:
    """The call slip of a dispatch goes to the township and every department."""
    call: Call = step.record
    recipients = [call.township, *(one.department for one in call.assignments)]
    issue(step.session, "call_slip", call, issuer=platform_office(step.session, call.county_id), recipients=recipients)


def _already_reported(call: Call, now: datetime) -> Any:
    if any(one.reports for one in call.assignments):
        return _l("A department has already reported. Please evaluate the call instead of withdrawing it.")
    return None


def _withdraw(step: Step) -> None:
    step.record.ended_at = step.now
    for assignment in step.record.assignments:
        stop(step, assignment)


def stop(step: Step, assignment: Assignment) -> None:
    if assignment.stopped_at is None:
        assignment.stopped_at = step.now
    assignment.next_step_at = None


def _evaluation_rows(call: Call) -> list[dict[str, Any]]:
    """Whom the township evaluates now: every reported assignment without an evaluation in its round; in the first round a missed one may be."""
    rows = []
    first_round = all(one.round == 1 for one in call.assignments)
    for one in call.assignments:
        if one.evaluation_of(one.round) is not None:
            continue
        if one.state == AssignmentState.reported or (one.state == AssignmentState.missed and first_round):
            rows.append(
                {
                    "assignment": one.id,
                    "label": one.department.short_name,
                    "optional": one.state == AssignmentState.missed,
                }
            )
    return rows


EVALUATION_FIELDS = (
    Field("assignment", _l("Department"), "integer"),
    Field("satisfaction", _l("Satisfaction"), "choice", choices=Satisfaction),
    Field("solved", _l("Is the problem solved"), "choice", choices=Solved),
    Field("comment", _l("Comment"), "long_text", required=False, help=_l("Needed if you are dissatisfied.")),
)


def _evaluate_guard(step: Step) -> None:
    rows = {row["assignment"]: row for row in _evaluation_rows(step.record)}
    given: dict[int, dict[str, Any]] = {}
    for entry in step.values["evaluations"]:
        key = entry["assignment"]
        if key not in rows or key in given:
            raise Invalid({"evaluations": _l("Please evaluate exactly the departments that have reported, each once.")})
        given[key] = entry
        if entry["satisfaction"] == Satisfaction.dissatisfied and not entry["comment"]:
            raise Invalid(
                {"evaluations": _l("Please say why you are dissatisfied, so that the department can make it good.")}
            )
    if any(not row["optional"] and key not in given for key, row in rows.items()):
        raise Invalid({"evaluations": _l("Please evaluate exactly the departments that have reported, each once.")})
    if (
        any(entry["satisfaction"] == Satisfaction.dissatisfied for entry in given.values())
        and not step.values["signed_by"]
    ):
        raise Invalid({"signed_by": _l("Please name the leader who agrees to the dissatisfied evaluation.")})


def _evaluate(step: Step) -> None:
    call: Call = step.record
    calendar = work_calendar(step.session, call.county_id)
    step.shown.pop("evaluations", None)
    step.shown.pop(
        "signed_by", None
    )  # beside the evaluations it would tell every department that one of them was dissatisfying
    reopened = False
    for entry in step.values["evaluations"]:
        assignment = next(one for one in call.assignments if one.id == entry["assignment"])
        step.session.add(
            Evaluation(
                county_id=call.county_id,
                assignment=assignment,
                department_id=assignment.department_id,
                township_id=call.township_id,
                round=assignment.round,
                satisfaction=entry["satisfaction"],
                solved=entry["solved"],
                comment=entry["comment"] or "",
                signed_by=step.values["signed_by"] if entry["satisfaction"] == Satisfaction.dissatisfied else "",
                evaluated_at=step.now,
                evaluated_by_id=step.person.person_id if step.person else None,
            )
        )
        shown = {
            "satisfaction": entry["satisfaction"],
            "solved": entry["solved"],
            "comment": entry["comment"] or "",
            "round": assignment.round,
        }
        if entry["satisfaction"] == Satisfaction.dissatisfied:
            shown["signed_by"] = step.values["signed_by"]
        step.shown[f"evaluation.{assignment.id}"] = event.Restricted(
            {"department": assignment.department.short_name, **shown}, assignment.department_id
        )
        if (
            entry["satisfaction"] == Satisfaction.dissatisfied
            and assignment.state == AssignmentState.reported
            and assignment.round == 1
        ):
            reopened = True
            assignment.round = 2
            assignment.state = AssignmentState.responded
            assignment.stopped_at = None
            assignment.report_from = step.now
            assignment.report_due = calendar.deadline(
                step.now, setting(step.session, call.county_id, "round_report_limit")
            )
            schedule_next_step(step.session, assignment)
    if reopened:
        call.state = CallState.dispatched
        call.reported_at = None
    else:
        call.state = CallState.closed
        call.ended_at = step.now


def settle(step: Step) -> None:
    """Automatic follow-up of every step: parties kept; all assignments settled and at least one not given back → the call waits for evaluation."""
    call: Call = step.record.thread
    step.session.flush()
    if (
        call.state == CallState.dispatched
        and call.assignments
        and all(one.state in SETTLED for one in call.assignments)
        and any(one.state != AssignmentState.returned for one in call.assignments)
    ):

        def wait_for_evaluation(automatic: Step) -> None:
            call.state = CallState.reported
            call.reported_at = automatic.now

        perform_automatic(
            step.session, call, "all_reported", wait_for_evaluation, {"state": {"old": "dispatched", "new": "reported"}}
        )
    keep_parties(step.session, call)


PROGRESS = (Field("text", _l("What happened"), "long_text"),)

CALL_WORKFLOW = Workflow(
    states=CallState,
    after=settle,
    transitions=(
        Transition(
            "submit",
            _l("Submit call"),
            (TOWNSHIP,),
            ("draft", "returned"),
            asks_for=_submit_fields,
            may_ask=SUBMIT_FIELDS,
            guard=_submit_guard,
            effect=_submit,
            primary=True,
            icon="send",
            done=_l("Call submitted"),
            help=_l("The county office accepts and dispatches it; an emergency reaches the departments at once."),
        ),
        Transition(
            "accept",
            _l("Accept only"),
            (DISPATCHER,),
            ("submitted",),
            "accepted",
            effect=_accept,
            icon="check",
            bulk=True,
            done=_l("Call accepted"),
            help=_l("Accept now and dispatch later."),
        ),
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
            "evaluate",
            _l("Evaluate"),
            (TOWNSHIP,),
            ("reported",),
            guard=_evaluate_guard,
            effect=_evaluate,
            primary=True,
            icon="star",
            done=_l("Call evaluated"),
            asks=(
                Field(
                    "evaluations",
                    _l("Evaluation of each department"),
                    "entries",
                    required=False,
                    entries=EVALUATION_FIELDS,
                    entry_rows=_evaluation_rows,
                ),
                Field(
                    "signed_by",
                    _l("Agreed by leader"),
                    required=False,
                    length=60,
                    default=township_leader,
                    help=_l("Recorded only if you are dissatisfied."),
                ),
            ),
            help=_l("A dissatisfied evaluation gives the matter back to that department once."),
        ),
        Transition(
            "log_progress",
            _l("Log progress"),
            (TOWNSHIP, DEPARTMENT_OF_CALL),
            ("submitted", "accepted", "dispatched", "reported", "long_term"),
            asks=PROGRESS,
            icon="message",
            done=_l("Progress logged"),
        ),
        Transition(
            "withdraw",
            _l("Withdraw"),
            (TOWNSHIP,),
            ("draft", "returned", "submitted", "accepted", "dispatched"),
            "withdrawn",
            obstacle=_already_reported,
            effect=_withdraw,
            asks=(Field("reason", _l("Reason"), "long_text"),),
            danger=True,
            icon="arrow-back-up",
            done=_l("Call withdrawn"),
        ),
    ),
)

Call.workflow = CALL_WORKFLOW
