"""Long-term handling: asked for by the lead department, endorsed by the office, approved by the portfolio leader; its milestones (2.1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l

from models import event
from models.calendar import work_calendar
from models.call import Assignment, Call
from models.call_dispatch import dues, stop
from models.call_report import Report
from models.call_roles import DISPATCHER, LEAD_DEPARTMENT, LEADER, TOWNSHIP, acts_as, leader_for, open_assignments
from models.call_settling import settle
from models.call_words import AssignmentState, CallState, Satisfaction, Solved
from models.field import Field, Text
from models.ladder_steps import schedule_next_step
from models.milestone import LongTerm, LongTermState, Milestone, MilestoneState
from models.refusal import Invalid
from models.setting import setting
from models.workflow import By, Step, Transition, Workflow, perform_automatic

OPEN = (LongTermState.requested, LongTermState.endorsed, LongTermState.approved)
FINAL = (MilestoneState.completed, MilestoneState.dropped)


def present_plan(call: Call) -> LongTerm | None:
    """The plan of a call that is asked for or under way."""
    return next((one for one in call.long_terms if one.state in OPEN), None)


def _plan_in(call: Call, *states: LongTermState) -> LongTerm | None:
    plan = present_plan(call)
    return plan if plan is not None and plan.state in states else None


def _departments(call: Call) -> list[tuple[str, Text]]:
    return [
        (str(one.department_id), one.department.short_name)
        for one in call.assignments
        if one.state in (AssignmentState.pending, AssignmentState.responded)
    ]


MILESTONES = Field(
    "milestones",
    _l("Milestones"),
    "entries",
    lines=True,
    entries=(
        Field("id", "", "integer", required=False),
        Field("text", _l("What is to be done"), length=300),
        Field("day", _l("By"), "date"),
        Field("department", _l("Department"), "choice", required=False, choices=_departments),
    ),
    help=_l("Stages with their dates; without a department it is the lead's own."),
)


def _asked_already(call: Call, now: datetime) -> Any:
    return _l("Long-term handling was asked for already.") if present_plan(call) is not None else None


def _request_guard(step: Step) -> None:
    calendar = work_calendar(step.session, step.record.county_id)
    today = calendar.local_date(step.now)
    if any(entry["day"] <= today for entry in step.values["milestones"]):
        raise Invalid({"milestones": _l("A milestone lies in the future.")})


def _ruling_due(step: Step, name: str) -> datetime:
    county_id = step.record.county_id
    return work_calendar(step.session, county_id).deadline(step.now, setting(step.session, county_id, name))


def _request(step: Step) -> None:
    """Nobody rules on his own request: the plan counts from the leader's approval on."""
    call: Call = step.record
    assert call.lead is not None
    calendar = work_calendar(step.session, call.county_id)
    plan = LongTerm(
        county_id=call.county_id,
        call=call,
        department_id=call.lead.department_id,
        plan=step.values["plan"],
        requested_at=step.now,
        requested_by_id=step.person.person_id if step.person else None,
        due=_ruling_due(step, "long_term_endorsement_limit"),
    )
    step.session.add(plan)
    for entry in sorted(step.values["milestones"], key=lambda one: one["day"]):
        plan.milestones.append(
            Milestone(
                county_id=call.county_id,
                call=call,
                department_id=int(entry["department"] or call.lead.department_id),
                text=entry["text"],
                day=entry["day"],
                due=calendar.close_of_day(entry["day"]),
            )
        )
    step.shown["milestones"] = "；".join(
        f"{entry['day'].isoformat()} {entry['text']}" for entry in step.values["milestones"]
    )


def _waits_for(*states: LongTermState) -> Any:
    def obstacle(call: Call, now: datetime) -> Any:
        return None if _plan_in(call, *states) else _l("No long-term plan waits for this step.")

    return obstacle


def _endorse(step: Step) -> None:
    plan = present_plan(step.record)
    assert plan is not None
    leader = leader_for(step.session, step.record)
    plan.state = LongTermState.endorsed
    plan.endorsed_at = step.now
    plan.leader_id = leader.id if leader is not None else None
    plan.due = _ruling_due(step, "leader_decision_limit")


def _decides(call: Call, person: Any) -> bool:
    plan = _plan_in(call, LongTermState.endorsed)
    return LEADER.relation(call, person) and plan is not None and acts_as(person, plan.leader_id)


ADDRESSED_LEADER = By(LEADER.roles, _decides)


def _refuses(call: Call, person: Any) -> bool:
    return DISPATCHER.relation(call, person) and _plan_in(call, LongTermState.requested) is not None


def _approve(step: Step) -> None:
    """Milestone dates replace the report clock; whoever has not responded still must."""
    call: Call = step.record
    plan = present_plan(call)
    assert plan is not None
    plan.state = LongTermState.approved
    plan.decided_at = step.now
    for one in plan.milestones:
        one.state = MilestoneState.open
        one.begins_at = step.now
    step.session.flush()
    for assignment in call.assignments:
        schedule_next_step(step.session, assignment)


def _close_plan(step: Step, state: LongTermState) -> None:
    plan = present_plan(step.record)
    assert plan is not None
    plan.state = state
    plan.reason = step.values["reason"]
    if state == LongTermState.refused:
        plan.decided_at = step.now
    else:
        plan.ended_at = step.now
    for one in plan.milestones:
        if one.state not in FINAL:
            one.state = MilestoneState.dropped


def _end(step: Step) -> None:
    """Back to ordinary handling: the report clocks begin again."""
    call: Call = step.record
    _close_plan(step, LongTermState.ended)
    _begin_report_clocks(step, call)


def _begin_report_clocks(step: Step, call: Call) -> None:
    """After a long-term phase, in which milestones stood in their place."""
    _respond, report_due = dues(step, call, joint=call.joint or call.complex)
    for assignment in open_assignments(call):
        assignment.report_from = step.now
        assignment.report_due = report_due
    step.session.flush()
    for assignment in call.assignments:
        schedule_next_step(step.session, assignment)


TRANSITIONS = (
    Transition(
        "request_long_term",
        _l("Ask for long-term handling"),
        (LEAD_DEPARTMENT,),
        ("dispatched",),
        obstacle=_asked_already,
        guard=_request_guard,
        effect=_request,
        icon="calendar-time",
        done=_l("Long-term handling asked for"),
        asks=(Field("plan", _l("Plan"), "long_text"), MILESTONES),
        help=_l("The office endorses it, the portfolio leader approves it; until then the deadlines stay."),
    ),
    Transition(
        "endorse_long_term",
        _l("Endorse long-term handling"),
        (DISPATCHER,),
        ("dispatched",),
        obstacle=_waits_for(LongTermState.requested),
        effect=_endorse,
        icon="thumb-up",
        done=_l("Long-term handling endorsed"),
        asks=(Field("remark", _l("Remark"), "long_text", required=False),),
        help=_l("Goes to the portfolio leader."),
    ),
    Transition(
        "approve_long_term",
        _l("Approve long-term handling"),
        (ADDRESSED_LEADER,),
        ("dispatched",),
        "long_term",
        obstacle=_waits_for(LongTermState.endorsed),
        effect=_approve,
        primary=True,
        icon="check",
        done=_l("Long-term handling approved"),
        asks=(Field("remark", _l("Remark"), "long_text", required=False),),
    ),
    Transition(
        "refuse_long_term",
        _l("Refuse long-term handling"),
        (ADDRESSED_LEADER, By(DISPATCHER.roles, _refuses)),
        ("dispatched",),
        obstacle=_waits_for(LongTermState.requested, LongTermState.endorsed),
        effect=lambda step: _close_plan(step, LongTermState.refused),
        icon="x",
        done=_l("Long-term handling refused"),
        asks=(Field("reason", _l("Reason"), "long_text"),),
    ),
    Transition(
        "end_long_term",
        _l("End long-term handling"),
        (DISPATCHER,),
        ("long_term",),
        "dispatched",
        effect=_end,
        icon="player-stop",
        done=_l("Long-term handling ended"),
        asks=(Field("reason", _l("Reason"), "long_text"),),
        help=_l("Ordinary deadlines run from now."),
    ),
)
"""On the call."""


# Milestones


MILESTONE_DEPARTMENT = By(
    frozenset({"department_officer"}), lambda milestone, person: milestone.department_id == person.organisation_id
)
MILESTONE_TOWNSHIP = By(TOWNSHIP.roles, lambda milestone, person: milestone.call.township_id == person.organisation_id)


def _call_in_hand(milestone: Milestone, now: datetime) -> Any:
    if milestone.call.state not in (CallState.dispatched, CallState.long_term, CallState.reported):
        return _l(
            "This step is not possible now: the call is in the state “%(state)s”.", state=milestone.call.state.label
        )
    return None


def _complete(step: Step) -> None:
    step.record.completed_at = step.now
    step.record.result = step.values["result"]


def _evaluated_before(milestone: Milestone, now: datetime) -> Any:
    return _l("This milestone was evaluated already.") if milestone.evaluated_at is not None else None


def _evaluate_guard(step: Step) -> None:
    if step.values["satisfaction"] == Satisfaction.dissatisfied and not step.values["comment"]:
        raise Invalid({"comment": _l("Please say why you are dissatisfied, so that the department can make it good.")})


def _evaluate(step: Step) -> None:
    milestone: Milestone = step.record
    milestone.satisfaction = step.values["satisfaction"]
    milestone.comment = step.values["comment"] or ""
    milestone.evaluated_at = step.now
    # Told to the department concerned alone, as every evaluation (1, no retaliation).
    for name in ("satisfaction", "comment"):
        if name in step.shown:
            step.shown[name] = event.Restricted(step.shown[name], milestone.department_id)


def settle_plan(step: Step) -> None:
    """All milestones of a plan complete: its assignments count as reported, and with them the call (2.1)."""
    milestone: Milestone = step.record
    plan, call = milestone.long_term, milestone.call
    step.session.flush()
    if plan is None or plan.state != LongTermState.approved or any(one.state not in FINAL for one in plan.milestones):
        return

    def report_all(automatic: Step) -> None:
        plan.state = LongTermState.completed
        plan.ended_at = automatic.now
        call.state = CallState.dispatched
        for assignment in call.assignments:
            if assignment.state in (AssignmentState.pending, AssignmentState.responded):
                _report_by_plan(automatic, assignment, plan)
        _begin_report_clocks(automatic, call)  # of a department whose return still waits for its ruling

    perform_automatic(step.session, call, "plan_completed", report_all)


def _report_by_plan(step: Step, assignment: Assignment, plan: LongTerm) -> None:
    own = [one for one in plan.milestones if one.department_id == assignment.department_id]
    results = [f"{one.text}：{one.result}" for one in own or plan.milestones]
    step.session.add(
        Report(
            county_id=assignment.county_id,
            assignment=assignment,
            round=assignment.round,
            attempt=1 + sum(one.round == assignment.round for one in assignment.reports),
            due=max(one.due for one in own or plan.milestones),
            reported_at=step.now,
            result="\n".join(results),
            solved=Solved.solved,
        )
    )
    assignment.state = AssignmentState.reported
    stop(step, assignment)


def _after(step: Step) -> None:
    settle_plan(step)
    settle(step)


Milestone.workflow = Workflow(
    states=MilestoneState,
    lock=lambda session, milestone: [(Call, milestone.call_id)],
    after=_after,
    transitions=(
        Transition(
            "complete_milestone",
            _l("Report the milestone complete"),
            (MILESTONE_DEPARTMENT,),
            ("open",),
            "completed",
            obstacle=_call_in_hand,
            effect=_complete,
            primary=True,
            icon="flag-check",
            done=_l("Milestone completed"),
            asks=(Field("result", _l("Result"), "long_text"),),
        ),
        Transition(
            "evaluate_milestone",
            _l("Evaluate the milestone"),
            (MILESTONE_TOWNSHIP,),
            ("completed",),
            obstacle=_evaluated_before,
            guard=_evaluate_guard,
            effect=_evaluate,
            primary=True,
            icon="star",
            done=_l("Milestone evaluated"),
            asks=(
                Field("satisfaction", _l("Satisfaction"), "choice", choices=Satisfaction),
                Field(
                    "comment", _l("Comment"), "long_text", required=False, help=_l("Needed if you are dissatisfied.")
                ),
            ),
        ),
    ),
)
