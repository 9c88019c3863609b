"""The township's evaluation of each department, its change within a day, and closing without one (2.1; K4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from models import event
from models.base import RECORD_TYPES
from models.calendar import work_calendar
from models.call import Assignment, Call
from models.call_dispatch import counts, stop
from models.call_filling import township_leader
from models.call_report import Evaluation
from models.call_roles import TOWNSHIP
from models.call_words import AssignmentState, CallState, Satisfaction, Solved
from models.field import Field
from models.ladder_steps import schedule_next_step
from models.refusal import Invalid
from models.setting import setting
from models.workflow import Automatic, Step, Transition

EVALUATION_FIELDS = (
    Field("assignment", _l("Department"), "integer"),
    Field("satisfaction", _l("Satisfaction"), "choice", choices=Satisfaction),
    Field("solved", _l("Is the problem solved"), "choice", choices=Solved),
    Field("comment", _l("Comment"), "long_text", required=False, help=_l("Needed if you are dissatisfied.")),
)
SIGNED_BY = Field(
    "signed_by",
    _l("Agreed by leader"),
    required=False,
    length=60,
    default=township_leader,
    help=_l("Recorded only if you are dissatisfied."),
)


def evaluation_rows(call: Call) -> list[dict[str, Any]]:
    """Whom the township evaluates now: every reported assignment without an evaluation in its round; in the first round a missed one may be."""
    first_round = all(one.round == 1 for one in call.assignments)
    return [
        {"assignment": one.id, "label": one.department.short_name, "optional": one.state == AssignmentState.missed}
        for one in call.assignments
        if one.evaluation_of(one.round) is None
        and (one.state == AssignmentState.reported or (one.state == AssignmentState.missed and first_round))
    ]


def _check(step: Step, rows: list[dict[str, Any]]) -> None:
    """Raises Invalid unless exactly these are evaluated, with a comment and a leader's name for what is dissatisfying."""
    wanted = {row["assignment"]: row for row in rows}
    wrong = _l("Please evaluate exactly the departments that have reported, each once.")
    given: dict[int, dict[str, Any]] = {}
    for entry in step.values["evaluations"]:
        key = entry["assignment"]
        if key not in wanted or key in given:
            raise Invalid({"evaluations": wrong})
        given[key] = entry
        if entry["satisfaction"] == Satisfaction.dissatisfied and not entry["comment"]:
            raise Invalid(
                {"evaluations": _l("Please say why you are dissatisfied, so that the department can make it good.")}
            )
    if any(not row["optional"] and key not in given for key, row in wanted.items()):
        raise Invalid({"evaluations": wrong})
    dissatisfied = any(entry["satisfaction"] == Satisfaction.dissatisfied for entry in given.values())
    if dissatisfied and not step.values["signed_by"]:
        raise Invalid({"signed_by": _l("Please name the leader who agrees to the dissatisfied evaluation.")})


def _tell(step: Step, assignment: Assignment, one: Evaluation) -> None:
    """Each evaluation is told to the department evaluated alone."""
    shown = {
        "satisfaction": one.satisfaction,
        "solved": one.solved,
        "comment": one.comment,
        "round": one.round,
    }
    if one.signed_by:
        shown["signed_by"] = one.signed_by
    step.shown[f"evaluation.{assignment.id}"] = event.Restricted(
        {"department": assignment.department.short_name, **shown}, assignment.department_id
    )


def _fill(step: Step, one: Evaluation, entry: dict[str, Any]) -> None:
    dissatisfied = entry["satisfaction"] == Satisfaction.dissatisfied
    one.satisfaction = entry["satisfaction"]
    one.solved = entry["solved"]
    one.comment = entry["comment"] or ""
    one.signed_by = step.values["signed_by"] if dissatisfied else ""
    one.evaluated_by_id = step.person.person_id if step.person else None


def _hide_answers(step: Step) -> None:
    """Beside each department's own part nothing of the answers is told: one signature would tell every department that another was dissatisfying."""
    step.shown.pop("evaluations", None)
    step.shown.pop("signed_by", None)


def _evaluate(step: Step) -> None:
    call: Call = step.record
    _hide_answers(step)
    by_key = {one.id: one for one in call.assignments}
    for entry in step.values["evaluations"]:
        assignment = by_key[entry["assignment"]]
        made = Evaluation(
            county_id=call.county_id,
            assignment=assignment,
            department_id=assignment.department_id,
            township_id=call.township_id,
            round=assignment.round,
            evaluated_at=step.now,
        )
        _fill(step, made, entry)
        step.session.add(made)
        _tell(step, assignment, made)
        if made.satisfaction == Satisfaction.dissatisfied and assignment.state == AssignmentState.reported:
            _reopen(step, assignment)
    _conclude(step, call)


def _reopen(step: Step, assignment: Assignment) -> None:
    """Round 2 (重新办理): the department reports once more, without a new response."""
    if assignment.round > 1:
        return
    calendar = work_calendar(step.session, assignment.county_id)
    assignment.round = 2
    assignment.state = AssignmentState.responded
    assignment.stopped_at = None
    assignment.report_from = step.now
    assignment.report_due = calendar.deadline(
        step.now, setting(step.session, assignment.county_id, "round_report_limit")
    )
    schedule_next_step(step.session, assignment)


def _conclude(step: Step, call: Call) -> None:
    """The call is in hand again where a department works on round 2, else it is closed."""
    call.evaluated_at = step.now
    call.evaluate_due = None
    if any(one.state in (AssignmentState.pending, AssignmentState.responded) for one in call.assignments):
        call.state = CallState.dispatched
        call.reported_at = call.ended_at = None
    else:
        call.state = CallState.closed
        call.ended_at = step.now


# Changing an evaluation


def _changeable(call: Call) -> list[Evaluation]:
    """The evaluations given last, all at one instant, of departments that still have the call.

    In whose place another department was put since, he does not get it back: what followed from his evaluation is done.
    """
    found = [one for assignment in call.assignments for one in assignment.evaluations]
    latest = max((one.evaluated_at for one in found), default=None)
    return [one for one in found if one.evaluated_at == latest and counts(one.assignment)]


def changeable_rows(call: Call) -> list[dict[str, Any]]:
    return [
        {
            "assignment": one.assignment_id,
            "label": one.assignment.department.short_name,
            "optional": False,
            "answers": {"satisfaction": one.satisfaction.value, "solved": one.solved.value, "comment": one.comment},
        }
        for one in _changeable(call)
    ]


def _cannot_change(call: Call, now: datetime) -> Any:
    """Within 1 working day, before a later report, an inspection or an issued bulletin (2.1)."""
    session = sa.orm.object_session(call)
    assert session is not None
    if call.evaluated_at is None:
        return _l("This call has not been evaluated yet.")
    given = _changeable(call)
    if not given:
        return _l("Another department has taken the call over since.")
    at = given[0].evaluated_at
    limit = setting(session, call.county_id, "change_evaluation_limit")
    if now > work_calendar(session, call.county_id).deadline(at, limit):
        return _l("An evaluation can be changed within one working day; this time is over.")
    if any(report.reported_at > at for one in call.assignments for report in one.reports):
        return _l("The department has reported again since; please evaluate that report.")
    if _inspected(session, call):
        return _l("The supervisors work on this call already.")
    return None


def _inspected(session: Session, call: Call) -> bool:
    """Whether an inspection or a conclusion cites the call; a bulletin names only what a conclusion found."""
    for resource in ("inspection_call", "conclusion"):
        table = sa.inspect(RECORD_TYPES[resource]).local_table
        query = sa.select(table.c.id).where(table.c.call_id == call.id).limit(1)
        if session.connection().execute(query).first() is not None:
            return True
    return False


def _change(step: Step) -> None:
    """What followed from the former evaluation is taken back, and follows anew from this one."""
    call: Call = step.record
    _hide_answers(step)
    entries = {entry["assignment"]: entry for entry in step.values["evaluations"]}
    for one in _changeable(call):
        assignment, before = one.assignment, one.satisfaction
        _fill(step, one, entries[one.assignment_id])
        _tell(step, assignment, one)
        again = one.satisfaction == Satisfaction.dissatisfied
        if before == Satisfaction.dissatisfied and not again and assignment.round == one.round + 1:
            assignment.round = one.round
            assignment.state = AssignmentState.reported
            report = assignment.report_of(one.round)
            assert report is not None
            assignment.report_due = report.due
            stop(step, assignment)
            assignment.stopped_at = report.reported_at
        elif again and before != Satisfaction.dissatisfied and assignment.state == AssignmentState.reported:
            _reopen(step, assignment)
    evaluated_at = call.evaluated_at
    _conclude(step, call)
    call.evaluated_at = evaluated_at


# Closing without one


def _close_unevaluated(step: Step) -> None:
    """Never counted as satisfied, and held against nobody (2.1)."""
    step.record.evaluate_due = None
    step.record.ended_at = step.now


TRANSITIONS = (
    Transition(
        "evaluate",
        _l("Evaluate"),
        (TOWNSHIP,),
        ("reported",),
        guard=lambda step: _check(step, evaluation_rows(step.record)),
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
                entry_rows=evaluation_rows,
            ),
            SIGNED_BY,
        ),
        help=_l("A dissatisfied evaluation gives the matter back to that department once."),
    ),
    Transition(
        "change_evaluation",
        _l("Change the evaluation"),
        (TOWNSHIP,),
        ("closed", "dispatched"),
        obstacle=_cannot_change,
        guard=lambda step: _check(step, changeable_rows(step.record)),
        effect=_change,
        icon="edit",
        done=_l("Evaluation changed"),
        asks=(
            Field(
                "evaluations",
                _l("Evaluation of each department"),
                "entries",
                required=False,
                entries=EVALUATION_FIELDS,
                entry_rows=changeable_rows,
            ),
            SIGNED_BY,
        ),
        help=_l("Within one working day; what followed from the former evaluation is taken back."),
    ),
)

AUTOMATIC = (
    Automatic(
        "close_unevaluated",
        _l("Closed without an evaluation"),
        ("reported",),
        "closed",
        lambda call, now: call.evaluate_due <= now,
        _close_unevaluated,
    ),
)
