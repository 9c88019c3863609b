"""The workflow of calls as data (2.1), put together from its subjects; what departments do in them stands in `models.assignment_workflow`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l

from models import (
    call_beside,
    call_dispatch,
    call_evaluation,
    call_office,
    call_submission,
    convening_steps,
    leader_steps,
    long_term_steps,
)
from models.calendar import work_calendar
from models.call import Call
from models.call_dispatch import stop
from models.call_roles import DEPARTMENT_OF_CALL, DISPATCHER, TOWNSHIP
from models.call_settling import settle
from models.call_words import CallState
from models.field import Field
from models.setting import setting
from models.workflow import Step, Transition, Workflow


def _accept(step: Step) -> None:
    call: Call = step.record
    call.accepted_at = step.now
    call.accepted_by_id = step.person.person_id if step.person else None
    call.dispatch_due = work_calendar(step.session, call.county_id).deadline(
        step.now, setting(step.session, call.county_id, "dispatch_limit")
    )


def _already_reported(call: Call, now: datetime) -> Any:
    if any(one.reports for one in call.assignments):
        return _l("A department has already reported. Please evaluate the call instead of withdrawing it.")
    return None


def _withdraw(step: Step) -> None:
    step.record.ended_at = step.now
    for assignment in step.record.assignments:
        stop(step, assignment)


PROGRESS = (Field("text", _l("What happened"), "long_text"),)

CALL_WORKFLOW = Workflow(
    states=CallState,
    after=settle,
    automatic=call_evaluation.AUTOMATIC,
    transitions=(
        *call_submission.TRANSITIONS,
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
        *call_dispatch.TRANSITIONS,
        *call_office.TRANSITIONS,
        *call_evaluation.TRANSITIONS,
        *long_term_steps.TRANSITIONS,
        *convening_steps.TRANSITIONS,
        *leader_steps.TRANSITIONS,
        Transition(
            "log_progress",
            _l("Log progress"),
            (TOWNSHIP, DEPARTMENT_OF_CALL),
            ("submitted", "accepted", "dispatched", "reported", "long_term"),
            asks=PROGRESS,
            icon="message",
            done=_l("Progress logged"),
        ),
        *call_beside.TRANSITIONS,
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
