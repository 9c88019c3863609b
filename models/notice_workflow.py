"""The workflow of notices as data: a supervision slip is drafted, and signed or dropped (2.2)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from models import event
from models.call import Assignment, Call
from models.call_words import AssignmentState
from models.field import Field
from models.inspection import SUPERVISOR
from models.organisation import Organisation
from models.paper import issue, platform_office
from models.person import Person
from models.supervision import RUNNING, Notice, NoticeEntry, NoticeKind, NoticeState
from models.workflow import Automatic, By, Step, Transition, Workflow

DEPARTMENT = By(
    frozenset({"department_officer"}), lambda notice, person: notice.department_id == person.organisation_id
)


def _acted(notice: Notice, now: datetime) -> Any:
    if any(entry.running for entry in notice.entries):
        return None
    return _l("The department has acted meanwhile: this slip is no longer needed.")


def _sign(step: Step) -> None:
    """The slip takes its number at signing, from the series of the signing office; the calls that it is about tell of it."""
    notice: Notice = step.record
    assert step.person is not None
    assert step.person.organisation_id is not None
    notice.issued_at = step.now
    notice.signed_by = step.session.get_one(Person, step.person.person_id)
    document = issue(
        step.session,
        notice.kind.value,
        notice,
        issuer=step.session.get_one(Organisation, step.person.organisation_id),
        recipients=[notice.department, platform_office(step.session, notice.county_id)],
    )
    notice.number, notice.document = document.number, document
    paper = {"id": document.id, "name": document.title}
    step.shown |= {"number": notice.number, "document": paper}
    slip = {"id": notice.id, "name": notice.number}
    entries = [
        event.entry_of(
            entry.assignment,
            "automatic",
            "supervision",
            {"clock": entry.clock, "due": entry.due, "notice": slip, "document": paper},
        )
        for entry in notice.entries
        if entry.running
    ]
    event.append_all(step.session, entries, step.person)


def _receipted(notice: Notice, now: datetime) -> Any:
    if notice.kind != NoticeKind.supervision:
        return _l("Only a supervision slip has a receipt.")
    return _l("The receipt was filled in already.") if notice.receipt_at is not None else None


def _receipt(step: Step) -> None:
    step.record.receipt_at = step.now


def _satisfied(notice: Any, now: datetime) -> sa.ColumnElement[bool]:
    """None of the clocks that the slip is about still runs."""
    running = sa.or_(
        sa.and_(NoticeEntry.clock == "respond", Assignment.state == AssignmentState.pending),
        sa.and_(
            NoticeEntry.clock == "report",
            Assignment.state.in_(RUNNING),
        ),
    )
    return ~(
        sa.select(NoticeEntry.notice_id)
        .join(Assignment, Assignment.id == NoticeEntry.assignment_id)
        .where(
            NoticeEntry.notice_id == notice.id,
            NoticeEntry.round == Assignment.round,
            Assignment.stopped_at.is_(None),
            running,
        )
        .exists()
    )


Notice.workflow = Workflow(
    states=NoticeState,
    lock=lambda session, notice: [(Call, key) for key in sorted({one.assignment.call_id for one in notice.entries})],
    transitions=(
        Transition(
            "sign",
            _l("Sign slip"),
            (SUPERVISOR,),
            ("drafted",),
            "issued",
            obstacle=_acted,
            effect=_sign,
            primary=True,
            bulk=True,
            icon="signature",
            done=_l("Slip signed"),
            help=_l("Takes its number and reaches the department."),
        ),
        Transition(
            "receipt",
            _l("Fill in the receipt"),
            (DEPARTMENT,),
            ("issued",),
            obstacle=_receipted,
            effect=_receipt,
            icon="receipt",
            done=_l("Receipt filled in"),
            asks=(
                Field("head", _l("Who answers for it"), length=60),
                Field("contacted", _l("When and how the township was contacted"), length=200),
                Field("result", _l("What was done"), "long_text"),
                Field("reason", _l("Why it was not done in time"), "long_text"),
                Field("plan", _l("Next measures, and until when"), "long_text", required=False),
            ),
            help=_l("In place of the paper one. Nothing waits for it: respond and report as ever."),
        ),
    ),
    automatic=(Automatic("drop", _l("Dropped: the department has acted"), ("drafted",), "dropped", _satisfied),),
)
