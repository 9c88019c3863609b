"""Who is told what of the steps of a call (2.1).

Whoever is told is a party of the call or one of its county's offices, and is told nothing that its page would not show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.jobs.telling import OFFICERS, TOWNSHIP, Message, Occurrence, Telling, county, named, organisations, persons
from app.notifications import Kind, Relation
from models.call import Assignment
from models.call_dispatch import counts
from models.call_words import AssignmentRole, AssignmentState, Satisfaction
from models.event import Event, EventValue
from models.milestone import Milestone, MilestoneState
from models.organisation import Organisation
from models.paper import platform_office
from models.roster import on_duty
from models.setting import setting

READERS = (*TOWNSHIP, *OFFICERS, "agency_head", "dispatcher", "office_director", "supervisor")
"""Roles in which a shared call can be read."""


def to_township(one: Occurrence, kind: Kind, **values: Any) -> Message:
    return Message(kind, organisations("township", TOWNSHIP, one.call.township_id), {"call": one.call.number, **values})


def to_department(
    one: Occurrence, assignment: Assignment, kind: Kind, roles: tuple[str, ...] = OFFICERS, /, **values: Any
) -> Message:
    return to_departments(one, [assignment.department_id], kind, "department", roles, **values)


def to_departments(
    one: Occurrence,
    keys: Iterable[int],
    kind: Kind,
    relation: Relation = "department",
    roles: tuple[str, ...] = OFFICERS,
    **values: Any,
) -> Message:
    return Message(kind, organisations(relation, roles, *keys), {"call": one.call.number, **values})


def to_office(one: Occurrence, kind: Kind, *roles: str, **values: Any) -> Message:
    told = {"call": one.call.number, "township": one.call.township.short_name, **values}
    return Message(kind, county("office", one.call.county_id, *(roles or ("dispatcher",))), told)


def instant(value: Any) -> Any:
    return value.isoformat() if value is not None else None


def in_hand(one: Occurrence) -> list[int]:
    """Departments whose assignment has not been given back."""
    return [assignment.department_id for assignment in one.call.assignments if counts(assignment)]


def alarm_values(one: Occurrence, assignment: Assignment) -> dict[str, Any]:
    """What an alarmed department needs: whom to call and until when. The telephone is that of the township's duty, else of its office."""
    township = one.call.township
    shifts = on_duty(one.session, township.id, assignment.assigned_at)
    return {
        "assignment": assignment.id,
        "township": township.short_name,
        "department": assignment.department.short_name,
        "due": instant(assignment.respond_due),
        "phone": shifts[0].phone if shifts else township.phone,
    }


def rung(one: Occurrence, assignment: Assignment, place: int) -> Iterator[Message]:
    """The person at a place of the department's chain."""
    chain = on_duty(one.session, assignment.department_id, assignment.assigned_at)
    if place <= len(chain):
        values = {"call": one.call.number, **alarm_values(one, assignment)}
        yield Message("ring", persons("duty", [chain[place - 1].person_id]), values)


def _given(one: Occurrence, assignment: Assignment) -> Iterator[Message]:
    """A department gets a call into its hands; in an emergency the first number of its roster rings."""
    if one.call.emergency:
        yield from rung(one, assignment, 1)
        yield to_department(one, assignment, "emergency", **alarm_values(one, assignment))
    else:
        role, due = assignment.role.value, instant(assignment.respond_due)
        yield to_department(one, assignment, "dispatched", role=role, due=due)


def _first_given(one: Occurrence) -> Iterator[Message]:
    """Each department of the dispatch; who was added before this was relayed has an event of his own."""
    for assignment in one.call.assignments:
        if assignment.assigned_at <= one.event.at:
            yield from _given(one, assignment)


def _given_since(one: Occurrence, department_id: int, since: datetime | None) -> Iterator[Message]:
    """A department is put into the call; one that had it in hand already leads now."""
    present = [other for other in one.call.assignments if other.department_id == department_id and counts(other)]
    for assignment in present:
        if since is None or assignment.assigned_at >= since:
            yield from _given(one, assignment)
        elif assignment.role == AssignmentRole.lead:
            yield to_department(one, assignment, "now_lead")


def _submitted(one: Occurrence) -> Iterator[Message]:
    if not one.call.emergency:
        yield to_office(one, "submitted")
        return
    yield to_office(one, "emergency_alarm", "dispatcher", "duty_officer")
    yield from _first_given(one)


def _entered(one: Occurrence) -> Iterator[Message]:
    yield to_township(one, "confirm_wanted")
    yield from _submitted(one)


def _regularised(one: Occurrence) -> Iterator[Message]:
    """Who came into it, who is let go, and for the others what changed."""
    call = one.call
    kind: Kind = "regularised" if call.emergency else "regularised_general"
    yield to_township(one, kind)
    assert call.regularised_at is not None
    for assignment in call.assignments:
        if not counts(assignment):
            if assignment.stopped_at is not None and assignment.stopped_at >= call.regularised_at:
                yield to_department(one, assignment, "taken_back")
        elif assignment.assigned_at >= call.regularised_at:
            yield from _given(one, assignment)
        else:
            yield to_department(one, assignment, kind)


def _returned(one: Occurrence) -> Iterator[Message]:
    office = platform_office(one.session, one.call.county_id)
    yield to_township(one, "completion_wanted", missing=one.values["missing"], phone=office.phone)


def _declined(one: Occurrence) -> Iterator[Message]:
    yield to_township(one, "declined", reason=one.values["reason"], channel=one.values.get("other_channel"))


def _objection_granted(one: Occurrence) -> Iterator[Message]:
    yield to_township(one, "objection_granted")
    yield to_office(one, "submitted")


def _department_added(one: Occurrence) -> Iterator[Message]:
    added = named(one.values["department"])
    for key in added:
        yield from _given_since(one, key, None)
    name = one.values["department"]["name"]
    yield to_township(one, "joined", department=name)
    yield to_departments(one, [key for key in in_hand(one) if key not in added], "joined", department=name)


def _reassigned(one: Occurrence) -> Iterator[Message]:
    [department_id] = named(one.values["department"])
    replaced = one.session.get_one(Assignment, named(one.values["assignment"])[0])
    yield from _given_since(one, department_id, replaced.stopped_at)
    yield to_department(one, replaced, "taken_back")
    yield to_township(one, "reassigned", department=one.values["department"]["name"])


def _sent_back(one: Occurrence) -> Iterator[Message]:
    for key in named(one.values["assignments"]):
        assignment = one.session.get_one(Assignment, key)
        yield to_department(one, assignment, "sent_back", due=instant(assignment.report_due))
    yield to_township(one, "report_sent_back")


def _answers(one: Occurrence) -> Iterator[tuple[Assignment, bool]]:
    """(assignment, whether it was found dissatisfying) of the first round's evaluations."""
    by_key = {assignment.id: assignment for assignment in one.call.assignments}
    for name, value in one.values.items():
        if name.startswith("evaluation.") and value["round"] == 1:
            assignment = by_key[int(name.removeprefix("evaluation."))]
            yield assignment, value["satisfaction"] == Satisfaction.dissatisfied


def _evaluated(one: Occurrence) -> Iterator[Message]:
    """Only a department that has to go to work again is told, and only of itself."""
    for assignment, dissatisfied in _answers(one):
        if dissatisfied and assignment.round > 1:
            yield to_department(one, assignment, "again", due=instant(assignment.report_due))


def _evaluation_changed(one: Occurrence) -> Iterator[Message]:
    """Only a department that goes to work again, or no longer has to."""
    for assignment, dissatisfied in _answers(one):
        before = _answer_before(one, assignment)
        if dissatisfied and not before and assignment.round > 1:
            yield to_department(one, assignment, "again", due=instant(assignment.report_due))
        elif before and not dissatisfied:
            yield to_department(one, assignment, "not_again")


def _answer_before(one: Occurrence, assignment: Assignment) -> bool:
    """Whether the evaluation that was changed had been dissatisfied."""
    event, value = sa.inspect(Event).local_table, sa.inspect(EventValue).local_table
    earlier = (
        sa.select(value.c.value)
        .join(event, event.c.id == value.c.event_id)
        .where(
            event.c.thread_type == one.event.thread_type,
            event.c.thread_id == one.event.thread_id,
            event.c.sequence < one.event.sequence,
            value.c.name == f"evaluation.{assignment.id}",
        )
        .order_by(event.c.sequence.desc())
        .limit(1)
    )
    before = one.session.connection().execute(earlier).scalar()
    return before is not None and before["satisfaction"] == Satisfaction.dissatisfied


def _closed_unevaluated(one: Occurrence) -> Iterator[Message]:
    limit = setting(one.session, one.call.county_id, "evaluate_limit")
    yield to_township(one, "closed_unevaluated", days=limit.amount)


def _withdrawn(one: Occurrence) -> Iterator[Message]:
    if one.call.number is None:
        return  # a draft, of which nobody knew
    yield to_office(one, "withdrawn", "dispatcher", *(("duty_officer",) if one.call.emergency else ()))
    yield to_departments(one, in_hand(one), "withdrawn", township=one.call.township.short_name)


def _convened(one: Occurrence) -> Iterator[Message]:
    yield from _to_invitees(
        one,
        "convened",
        [*named(one.values.get("departments")), *named(one.values.get("agencies"))],
        at=one.values["at"],
        place=one.values["place"],
    )


def _meeting_cancelled(one: Occurrence) -> Iterator[Message]:
    invited = [invitee.organisation_id for invitee in one.record.invitees]
    yield from _to_invitees(one, "meeting_cancelled", invited, at=instant(one.record.at))


def _to_invitees(one: Occurrence, kind: Kind, keys: list[int], **values: Any) -> Iterator[Message]:
    township = one.call.township.short_name
    yield to_departments(one, keys, kind, "convened", (*OFFICERS, "agency_head"), township=township, **values)


def _meeting_recorded(one: Occurrence) -> Iterator[Message]:
    for milestone in one.record.milestones:
        yield _milestone_opened(one, milestone)


def _milestone_opened(one: Occurrence, milestone: Milestone) -> Message:
    return to_departments(one, [milestone.department_id], "milestone_opened", due=instant(milestone.due))


def _long_term_endorsed(one: Occurrence) -> Iterator[Message]:
    plan = one.call.long_terms[-1]
    to = persons("leader", [plan.leader_id], "county_leader")
    values = {"call": one.call.number, "department": plan.department.short_name, "due": instant(plan.due)}
    yield Message("long_term_endorsed", to, values)


def _long_term_approved(one: Occurrence) -> Iterator[Message]:
    plan = one.call.long_terms[-1]
    for milestone in plan.milestones:
        if milestone.state == MilestoneState.open:
            yield _milestone_opened(one, milestone)
    yield to_departments(one, in_hand(one), "long_term_approved")
    yield to_township(one, "long_term_approved")


def _long_term_asked(one: Occurrence) -> Iterator[Message]:
    plan = one.call.long_terms[-1]
    yield to_office(one, "long_term_asked", department=plan.department.short_name, due=instant(plan.due))


def _long_term_refused(one: Occurrence) -> Iterator[Message]:
    yield to_departments(one, [one.call.long_terms[-1].department_id], "long_term_refused")


def _long_term_ended(one: Occurrence) -> Iterator[Message]:
    yield to_departments(one, in_hand(one), "long_term_ended")
    yield to_township(one, "long_term_ended")


def _milestone_completed(one: Occurrence) -> Iterator[Message]:
    yield to_township(one, "milestone_completed", department=one.record.department.short_name)


def _escalated(one: Occurrence) -> Iterator[Message]:
    due = instant(one.call.escalations[-1].due)
    to = persons("leader", named(one.values.get("leader")), "county_leader")
    yield Message("escalated", to, {"call": one.call.number, "township": one.call.township.short_name, "due": due})


def _decided(one: Occurrence) -> Iterator[Message]:
    yield to_departments(one, in_hand(one), "decided")
    yield to_township(one, "decided")
    yield to_office(one, "decided")


def _instructed(one: Occurrence) -> Iterator[Message]:
    """Whom the leader names, else the lead department; before a dispatch the office."""
    lead = one.call.lead
    target = named(one.values.get("target")) or ([lead.department_id] if lead is not None else [])
    if target:
        yield to_departments(one, target, "instructed")
    else:
        yield to_office(one, "instructed")


def _shared(one: Occurrence) -> Iterator[Message]:
    yield to_departments(one, named(one.values["organisations"]), "shared", "shared", READERS)


def _progress_of_call(one: Occurrence) -> Iterator[Message]:
    """What one side writes down, the other is told; departments are told of each other's by the page alone."""
    if one.event.actor_organisation_id == one.call.township_id:
        yield to_departments(one, in_hand(one), "progress_township", township=one.call.township.short_name)
    else:
        writer = one.session.get(Organisation, one.event.actor_organisation_id)
        yield to_township(one, "progress", department=writer.short_name if writer is not None else "")


def _of_department(kind: Kind) -> Telling:
    """The township is told what a department did."""

    def tell(one: Occurrence) -> Iterator[Message]:
        yield to_township(one, kind, department=one.assignment.department.short_name)

    return tell


def _handed_on(one: Occurrence) -> Iterator[Message]:
    values = {"call": one.call.number}
    person, agency = named(one.values.get("person")), named(one.values.get("agency"))
    if person:
        yield Message("handed_on", persons("taken", person), values)
    if agency:
        yield Message("handed_on", organisations("agency", ("agency_head",), *agency), values)


def _urged(one: Occurrence) -> Iterator[Message]:
    yield to_department(one, one.assignment, "urged", action=_next_action(one.assignment))


def _next_action(assignment: Assignment) -> str:
    return "respond" if assignment.state == AssignmentState.pending else "report"


def _acknowledged(one: Occurrence) -> Iterator[Message]:
    name = one.assignment.department.short_name
    yield to_township(one, "acknowledged", department=name)
    yield to_office(one, "acknowledged", "dispatcher", "duty_officer", department=name)


def _return_asked(one: Occurrence) -> Iterator[Message]:
    request = one.assignment.return_request
    assert request is not None
    name = one.assignment.department.short_name
    yield to_office(one, "return_asked", department=name, due=instant(request.due))


def _return_referred(one: Occurrence) -> Iterator[Message]:
    request = one.assignment.return_request
    assert request is not None
    name = one.assignment.department.short_name
    yield to_office(one, "return_referred", "checklist_manager", department=name, due=instant(request.due))


def _return_upheld(one: Occurrence) -> Iterator[Message]:
    yield to_department(one, one.assignment, "return_upheld")
    request = one.assignment.return_request
    assert request is not None
    for key in named(one.values.get("lead")):
        yield from _given_since(one, key, request.ruled_at)
        yield to_township(one, "reassigned", department=one.values["lead"]["name"])


def _return_rejected(one: Occurrence) -> Iterator[Message]:
    yield to_department(one, one.assignment, "return_rejected", due=instant(one.assignment.respond_due))


def _extension_asked(one: Occurrence) -> Iterator[Message]:
    extension = one.assignment.extension
    assert extension is not None
    name = one.assignment.department.short_name
    yield to_office(one, "extension_asked", department=name, due=instant(extension.due))


def _extension_granted(one: Occurrence) -> Iterator[Message]:
    values = {"department": one.assignment.department.short_name, "due": instant(one.assignment.report_due)}
    yield to_department(one, one.assignment, "extension_granted", **values)
    yield to_township(one, "extension_granted", **values)


def _closed_as_missed(one: Occurrence) -> Iterator[Message]:
    name = one.assignment.department.short_name
    yield to_department(one, one.assignment, "closed_as_missed", department=name)
    yield to_township(one, "closed_as_missed", department=name)


OF_CALLS: dict[tuple[str, str], Telling] = {
    ("call", "submit"): _submitted,
    ("call", "enter_by_phone"): _entered,
    ("call", "dispatch"): _first_given,
    ("call", "regularise"): _regularised,
    ("call", "return_for_completion"): _returned,
    ("call", "complete"): lambda one: [to_township(one, "completed_by_office")],
    ("call", "decline"): _declined,
    ("call", "object"): lambda one: [
        to_office(one, "objection", "office_director", due=instant(one.call.objection_due))
    ],
    ("call", "grant_objection"): _objection_granted,
    ("call", "refuse_objection"): lambda one: [to_township(one, "objection_refused")],
    ("call", "add_department"): _department_added,
    ("call", "reassign"): _reassigned,
    ("call", "send_back"): _sent_back,
    ("call", "all_reported"): lambda one: [to_township(one, "evaluation_wanted")],
    ("call", "evaluate"): _evaluated,
    ("call", "change_evaluation"): _evaluation_changed,
    ("call", "close_unevaluated"): _closed_unevaluated,
    ("call", "withdraw"): _withdrawn,
    ("call", "convene"): _convened,
    ("convening", "cancel"): _meeting_cancelled,
    ("convening", "record"): _meeting_recorded,
    ("call", "request_long_term"): _long_term_asked,
    ("call", "endorse_long_term"): _long_term_endorsed,
    ("call", "approve_long_term"): _long_term_approved,
    ("call", "refuse_long_term"): _long_term_refused,
    ("call", "end_long_term"): _long_term_ended,
    ("milestone", "complete_milestone"): _milestone_completed,
    ("call", "escalate"): _escalated,
    ("call", "decide_escalation"): _decided,
    ("call", "instruct"): _instructed,
    ("call", "share"): _shared,
    ("call", "log_progress"): _progress_of_call,
    ("assignment", "log_progress"): _of_department("progress"),
    ("assignment", "respond"): _of_department("responded"),
    ("assignment", "report"): _of_department("reported"),
    ("assignment", "report_copied"): _of_department("reported"),
    ("assignment", "acknowledge"): _acknowledged,
    ("assignment", "hand_on"): _handed_on,
    ("assignment", "urge"): _urged,
    ("assignment", "request_return"): _return_asked,
    ("assignment", "refer_return"): _return_referred,
    ("assignment", "uphold_return"): _return_upheld,
    ("assignment", "reject_return"): _return_rejected,
    ("assignment", "request_extension"): _extension_asked,
    ("assignment", "grant_extension"): _extension_granted,
    ("assignment", "refuse_extension"): lambda one: [to_department(one, one.assignment, "extension_refused")],
    ("assignment", "close_assignment"): _closed_as_missed,
}
