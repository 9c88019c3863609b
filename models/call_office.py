"""What the county office does before and beside a dispatch: telephone entry, regularising, completion, declining and objections (2.1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from models.calendar import work_calendar
from models.call import Call
from models.call_dispatch import assign_more, counts, dues, give_back, issue_slip, red
from models.call_filling import fields_in_force
from models.call_roles import DEPARTMENTS, DIRECTOR, DISPATCHER, DUTY_OFFICER, TOWNSHIP
from models.call_submission import alarm_departments, number_call, start_acceptance
from models.call_words import AssignmentRole, AssignmentState, CallKind, CallState, DeclineReason
from models.field import Field
from models.ladder_steps import schedule_next_step
from models.organisation import OrganisationKind
from models.refusal import Invalid
from models.setting import setting
from models.workflow import Step, Transition

TOWNSHIPS = {"kind": [OrganisationKind.township], "active": True}

# Telephone entry


def _phone_guard(step: Step) -> None:
    phoned_at = step.values["phoned_at"]
    if phoned_at is not None and phoned_at > step.now:
        raise Invalid({"phoned_at": _l("This time lies in the future.")})
    if step.values["kind"] == CallKind.emergency and not step.values["departments"]:
        raise Invalid({"departments": _l("Please name the departments that are to come.")})


def _enter_by_phone(step: Step) -> None:
    """The clock runs from the time of the call; the township confirms with one tap, and silence changes nothing."""
    call: Call = step.record
    values = step.values
    call.township = values["township"]
    call.township_id = values["township"].id
    call.phoned_at = values["phoned_at"] or step.now
    for name in ("kind", "title", "field", "description"):
        setattr(call, name, values[name])
    for name in ("place", "contact_name", "contact_phone"):
        setattr(call, name, values[name] or "")
    call.state = CallState.submitted
    step.session.add(call)
    number_call(step)
    step.session.flush()
    if call.emergency:
        alarm_departments(replace(step, now=call.phoned_at), values["departments"])
    else:
        start_acceptance(step, call.phoned_at)


def _nothing_to_confirm(call: Call, now: datetime) -> Any:
    if call.phoned_at is None or call.confirmed_at is not None:
        return _l("There is nothing to confirm.")
    return None


def _confirm(step: Step) -> None:
    step.record.confirmed_at = step.now


# Regularising an emergency


def _not_to_regularise(call: Call, now: datetime) -> Any:
    session = sa.orm.object_session(call)
    assert session is not None
    if not call.emergency or call.regularised_at is not None:
        return _l("Only an emergency that has not been regularised yet can be.")
    assert call.dispatched_at is not None
    limit = setting(session, call.county_id, "regularise_limit")
    if now > work_calendar(session, call.county_id).deadline(call.dispatched_at, limit):
        return _l("The time to regularise this emergency is over.")
    return None


def _targets(call: Call, person: Any) -> list[int]:
    return [
        one.department_id for one in sorted(call.assignments, key=lambda one: one.role.value != "lead") if counts(one)
    ]


def _regularise_guard(step: Step) -> None:
    """A department that has reported cannot be taken out any more."""
    kept = set(step.values["departments"])
    done = [
        one.department.short_name
        for one in step.record.assignments
        if one.state in (AssignmentState.reported, AssignmentState.missed) and one.department not in kept
    ]
    if done:
        raise Invalid({"departments": _l("%(departments)s has reported already.", departments="、".join(done))})


def _regularise(step: Step) -> None:
    """Targets as named, the first leads; if it is none, general clocks from now and what was missed before is void.

    Whom the correction takes out keeps his marks, like a replaced department, as long as it stays an emergency; if it is
    none, they are void for every department that the alarm had called (2.1, `regularise` and `reassign`).
    """
    call: Call = step.record
    departments = step.values["departments"]
    call.regularised_at = step.now
    if not step.values["emergency"]:
        call.kind = CallKind.general
        call.general_from = step.now
    for one in list(call.assignments):
        if counts(one) and one.department not in departments:
            give_back(step, one)
    present = {one.department: one for one in call.assignments if counts(one)}
    for one in present.values():
        one.role = AssignmentRole.cooperating
    step.session.flush()
    new = []
    for place, department in enumerate(departments):
        role = AssignmentRole.lead if place == 0 else AssignmentRole.cooperating
        if department in present:
            present[department].role = role
        else:
            assign_more(step, call, department, role)
            new.append(department)
    if call.general_from is not None:
        _restart_general(step, call)
    if new:
        issue_slip(step, new)


def _restart_general(step: Step, call: Call) -> None:
    """General clocks for all, whoever was taken out before or just now among them: his clock stopped before this one's end.

    Nobody owed an answer within half an hour to what was no emergency. A mark of the alarm's clock that stayed with the
    departments taken out would burden those alone who had nothing to do with the matter.
    """
    respond_due, report_due = dues(step, call, joint=sum(counts(one) for one in call.assignments) > 1 or call.complex)
    for one in call.assignments:
        one.respond_due, one.respond_red_at = respond_due, red(step.session, call, respond_due)
        one.report_due = report_due
        if not counts(one):
            continue
        if one.state in (AssignmentState.pending, AssignmentState.responded):
            one.report_from = step.now
        if one.state == AssignmentState.return_requested:
            one.paused_at = step.now
        for report in one.reports:
            report.due = report_due
        schedule_next_step(step.session, one)


# Completion


def _asked_before(call: Call, now: datetime) -> Any:
    if call.completion_asked_at is not None:
        return _l(
            "Completion was asked for once already. Please telephone the township and complete the call yourself."
        )
    return None


def _return_for_completion(step: Step) -> None:
    call: Call = step.record
    call.missing = step.values["missing"]
    call.completion_asked_at = step.now
    call.accept_due = call.dispatch_due = None


COMPLETED = ("title", "field", "description", "place", "happened_at", "contact_name", "contact_phone")


def _complete(step: Step) -> None:
    """The office writes down what the township told it on the telephone; the timeline keeps what stood there before."""
    call: Call = step.record
    for name in COMPLETED:
        value = step.values[name]
        value = value if value is not None or name == "happened_at" else ""
        before = getattr(call, name)
        if value == before:
            step.shown.pop(name, None)
            continue
        setattr(call, name, value)


# Declining, objecting


def _decline(step: Step) -> None:
    call: Call = step.record
    call.decline_reason = step.values["reason"]
    call.decline_text = step.values["text"]
    call.other_channel = step.values["other_channel"] or ""
    call.accept_due = call.dispatch_due = None
    call.ended_at = step.now


def _objected_before(call: Call, now: datetime) -> Any:
    return _l("The township has objected once already.") if call.objected_at is not None else None


def _object(step: Step) -> None:
    call: Call = step.record
    call.objection = step.values["reason"]
    call.objected_at = step.now
    call.objection_due = work_calendar(step.session, call.county_id).deadline(
        step.now, setting(step.session, call.county_id, "objection_limit")
    )


def _no_objection(call: Call, now: datetime) -> Any:
    return _l("No objection waits for a ruling.") if call.objection_due is None else None


def _grant_objection(step: Step) -> None:
    step.record.objection_due = step.record.ended_at = None
    start_acceptance(step, step.now)


def _refuse_objection(step: Step) -> None:
    step.record.objection_due = None


RULING = Field("ruling", _l("Ruling"), "long_text")


def _own(name: str) -> Any:
    return lambda call, person: getattr(call, name)


TRANSITIONS = (
    Transition(
        "enter_by_phone",
        _l("Enter a telephone call"),
        (DISPATCHER, DUTY_OFFICER),
        (),
        guard=_phone_guard,
        effect=_enter_by_phone,
        icon="phone-incoming",
        done=_l("Entered from the telephone"),
        help=_l("The clock runs from the time of the call; the township confirms it with one tap."),
        asks=(
            Field("township", _l("Township"), "reference", target="organisation", only=TOWNSHIPS),
            Field("phoned_at", _l("Time of the call"), "datetime", required=False, help=_l("Empty: just now.")),
            Field("kind", _l("Urgency"), "choice", choices=CallKind, default=CallKind.general),
            Field("title", _l("Matter in one sentence"), length=120),
            Field("field", _l("Field"), "choice", choices=fields_in_force),
            Field("description", _l("Description"), "long_text"),
            Field("place", _l("Place"), required=False, length=200),
            Field("contact_name", _l("Contact person"), required=False, length=40),
            Field("contact_phone", _l("Contact telephone"), required=False, length=40),
            Field(
                "departments",
                _l("Departments called"),
                "references",
                required=False,
                target="organisation",
                only=DEPARTMENTS,
                when=("kind", ("emergency",)),
                help=_l("The first one leads."),
            ),
        ),
    ),
    Transition(
        "confirm",
        _l("Confirm"),
        (TOWNSHIP,),
        ("submitted", "accepted", "dispatched", "reported"),
        obstacle=_nothing_to_confirm,
        effect=_confirm,
        icon="checks",
        done=_l("Confirmed by the township"),
        help=_l("The office entered this call for you from the telephone."),
    ),
    Transition(
        "regularise",
        _l("Regularise the emergency"),
        (DISPATCHER,),
        ("dispatched",),
        obstacle=_not_to_regularise,
        guard=_regularise_guard,
        effect=_regularise,
        icon="clipboard-list",
        done=_l("Emergency regularised"),
        help=_l("Corrects the departments called; if it is no emergency, general clocks run from now."),
        asks=(
            Field(
                "departments",
                _l("Departments"),
                "references",
                target="organisation",
                only=DEPARTMENTS,
                default=_targets,
                help=_l("The first one leads."),
            ),
            Field("emergency", _l("It is an emergency"), "boolean", required=False, default=True),
            Field("remark", _l("Remark"), "long_text", required=False),
        ),
    ),
    Transition(
        "return_for_completion",
        _l("Return for completion"),
        (DISPATCHER,),
        ("submitted", "accepted"),
        "returned",
        obstacle=_asked_before,
        effect=_return_for_completion,
        icon="arrow-back",
        done=_l("Returned for completion"),
        asks=(Field("missing", _l("What is missing"), "long_text"),),
        help=_l("Once; a call to the township is quicker."),
    ),
    Transition(
        "complete",
        _l("Complete after a telephone call"),
        (DISPATCHER,),
        ("submitted", "accepted"),
        effect=_complete,
        icon="phone-plus",
        done=_l("Completed by the office after a telephone call"),
        asks=(
            Field("spoken_with", _l("Spoken with"), length=60, default=_own("contact_name")),
            Field("title", _l("Matter in one sentence"), length=120, default=_own("title")),
            Field("field", _l("Field"), "choice", choices=fields_in_force, default=_own("field")),
            Field("description", _l("Description"), "long_text", default=_own("description")),
            Field("place", _l("Place"), required=False, length=200, default=_own("place")),
            Field("happened_at", _l("Happened at"), "datetime", required=False, default=_own("happened_at")),
            Field("contact_name", _l("Contact person"), required=False, length=40, default=_own("contact_name")),
            Field("contact_phone", _l("Contact telephone"), required=False, length=40, default=_own("contact_phone")),
        ),
    ),
    Transition(
        "decline",
        _l("Decline"),
        (DISPATCHER,),
        ("submitted", "accepted"),
        "declined",
        effect=_decline,
        danger=True,
        icon="ban",
        done=_l("Call declined"),
        asks=(
            Field("reason", _l("Reason"), "choice", choices=DeclineReason),
            Field("text", _l("Explanation"), "long_text"),
            Field("other_channel", _l("The way to go instead"), required=False, length=200),
        ),
        help=_l("The township may object once."),
    ),
    Transition(
        "object",
        _l("Object"),
        (TOWNSHIP,),
        ("declined",),
        obstacle=_objected_before,
        effect=_object,
        icon="message-report",
        done=_l("Township objects"),
        asks=(Field("reason", _l("Reason"), "long_text"),),
        help=_l("Once; the office director rules on it."),
    ),
    Transition(
        "grant_objection",
        _l("Grant the objection"),
        (DIRECTOR,),
        ("declined",),
        "submitted",
        obstacle=_no_objection,
        effect=_grant_objection,
        primary=True,
        icon="check",
        done=_l("Objection granted"),
        asks=(RULING,),
    ),
    Transition(
        "refuse_objection",
        _l("Refuse the objection"),
        (DIRECTOR,),
        ("declined",),
        obstacle=_no_objection,
        effect=_refuse_objection,
        icon="x",
        done=_l("Objection refused"),
        asks=(RULING,),
    ),
)
