"""Extensions: asked for a working day before the report is due, at most five working days, once (2.1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from models.calendar import work_calendar
from models.call import Assignment
from models.call_roles import DEPARTMENT, DISPATCHER
from models.call_words import CallState
from models.extension import Extension, ExtensionState
from models.field import Field
from models.ladder_steps import schedule_next_step
from models.refusal import Invalid
from models.setting import setting
from models.workflow import Step, Transition
from models.worktime import Limit, Unit


def _cannot_ask(assignment: Assignment, now: datetime) -> Any:
    session = sa.orm.object_session(assignment)
    assert session is not None
    if assignment.call.state != CallState.dispatched:
        return _l(
            "This step is not possible now: the call is in the state “%(state)s”.", state=assignment.call.state.label
        )
    if assignment.extension is not None:
        return _l("An extension was asked for once already.")
    if now > work_calendar(session, assignment.county_id).back(assignment.report_due, Limit(1, Unit.working_days)):
        return _l("An extension must be asked for at least one working day before the report is due.")
    return None


def _request_guard(step: Step) -> None:
    _check_until(step, step.record, step.values["until"])


def _check_until(step: Step, assignment: Assignment, until: Any) -> None:
    calendar = work_calendar(step.session, assignment.county_id)
    limit = setting(step.session, assignment.county_id, "extension_limit")
    latest = calendar.local_date(calendar.step_after(assignment.report_due, limit))
    if calendar.close_of_day(until) <= assignment.report_due:
        raise Invalid({"until": _l("This is not later than the present deadline.")})
    if until > latest:
        raise Invalid({"until": _l("At most until %(day)s.", day=latest.isoformat())})


def _request(step: Step) -> None:
    assignment: Assignment = step.record
    made = Extension(
        county_id=assignment.county_id,
        assignment=assignment,
        until=step.values["until"],
        reason=step.values["reason"],
        old_due=assignment.report_due,
        requested_at=step.now,
        requested_by_id=step.person.person_id if step.person else None,
        due=work_calendar(step.session, assignment.county_id).deadline(
            step.now, setting(step.session, assignment.county_id, "extension_ruling_limit")
        ),
    )
    step.session.add(made)


def _nothing_asked(assignment: Assignment, now: datetime) -> Any:
    if assignment.extension is None or assignment.extension.state != ExtensionState.requested:
        return _l("No extension waits for an answer.")
    return None


def _answer(step: Step, state: ExtensionState) -> Extension:
    extension: Extension = step.record.extension
    extension.state = state
    extension.answer = step.values["answer"] or ""
    extension.answered_at = step.now
    extension.answered_by_id = step.person.person_id if step.person else None
    return extension


def _grant(step: Step) -> None:
    assignment: Assignment = step.record
    extension = _answer(step, ExtensionState.granted)
    extension.until = step.values["until"]
    assignment.report_due = work_calendar(step.session, assignment.county_id).close_of_day(extension.until)
    schedule_next_step(step.session, assignment)


def _refuse(step: Step) -> None:
    _answer(step, ExtensionState.refused)


TRANSITIONS = (
    Transition(
        "request_extension",
        _l("Ask for an extension"),
        (DEPARTMENT,),
        ("pending", "responded"),
        obstacle=_cannot_ask,
        guard=_request_guard,
        effect=_request,
        icon="calendar-plus",
        done=_l("Extension asked for"),
        asks=(
            Field("until", _l("Until"), "date"),
            Field("reason", _l("Reason"), "long_text"),
        ),
        help=_l("Once, at least one working day before the report is due, for at most five working days."),
    ),
    Transition(
        "grant_extension",
        _l("Grant the extension"),
        (DISPATCHER,),
        ("pending", "responded"),
        obstacle=_nothing_asked,
        guard=lambda step: _check_until(step, step.record, step.values["until"]),
        effect=_grant,
        primary=True,
        icon="calendar-check",
        done=_l("Extension granted"),
        asks=(
            Field(
                "until",
                _l("Until"),
                "date",
                default=lambda one, person: one.extension.until if one.extension is not None else None,
            ),
            Field("answer", _l("Answer"), "long_text", required=False),
        ),
    ),
    Transition(
        "refuse_extension",
        _l("Refuse the extension"),
        (DISPATCHER,),
        ("pending", "responded"),
        obstacle=_nothing_asked,
        effect=_refuse,
        icon="calendar-x",
        done=_l("Extension refused"),
        asks=(Field("answer", _l("Answer"), "long_text"),),
    ),
)
