"""Submitting a call: its number, the acceptance clock, and the direct way of emergencies to the departments (2.1; K3)."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l

from models.calendar import work_calendar
from models.call import Call
from models.call_dispatch import assign_all, issue_slip, suggested
from models.call_roles import DEPARTMENTS, TOWNSHIP
from models.call_words import CallState
from models.document import take_number
from models.field import Field
from models.organisation import Organisation
from models.refusal import Invalid
from models.setting import setting
from models.workflow import Step, Transition


def number_call(step: Step) -> None:
    """A call keeps the number that it gets when it is first submitted."""
    call: Call = step.record
    if call.number is None:
        year = work_calendar(step.session, call.county_id).local_date(step.now).year
        call.number = f"呼{year}-{take_number(step.session, call.county_id, 'call', year):04d}"
    call.submitted_at = step.now
    call.submitted_by_id = step.person.person_id if step.person else None


def start_acceptance(step: Step, since: datetime) -> None:
    """The office's clock to accept a call."""
    call: Call = step.record
    call.accept_due = work_calendar(step.session, call.county_id).deadline(
        since, setting(step.session, call.county_id, "accept_limit")
    )
    call.dispatch_due = None


def alarm_departments(step: Step, departments: list[Organisation]) -> None:
    """An emergency reaches the departments at once, the first one leads."""
    step.record.state = CallState.dispatched
    assign_all(step, step.record, departments[0], departments[1:])
    issue_slip(step)


FIELDS = (
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


def _fields(call: Call) -> tuple[Field, ...]:
    return FIELDS if call.emergency else ()


def _guard(step: Step) -> None:
    call: Call = step.record
    call.take_from_item()
    missing = {
        name: _l("Please fill in this field.") for name in ("title", "field", "description") if not getattr(call, name)
    }
    if missing:
        raise Invalid(missing)


def _submit(step: Step) -> None:
    call: Call = step.record
    number_call(step)
    call.missing = ""
    if call.emergency:
        alarm_departments(step, step.values["departments"])
    else:
        call.state = CallState.submitted
        start_acceptance(step, step.now)


TRANSITIONS = (
    Transition(
        "submit",
        _l("Submit call"),
        (TOWNSHIP,),
        ("draft", "returned"),
        asks_for=_fields,
        may_ask=FIELDS,
        guard=_guard,
        effect=_submit,
        primary=True,
        icon="send",
        done=_l("Call submitted"),
        help=_l("The county office accepts and dispatches it; an emergency reaches the departments at once."),
    ),
)
