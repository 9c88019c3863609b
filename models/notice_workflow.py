"""The workflow of notices as data: a supervision slip is drafted, and signed or dropped (2.2)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from models.call import Assignment, AssignmentState
from models.inspection import SUPERVISOR
from models.paper import take_paper_number
from models.supervision import Notice, NoticeEntry, NoticeState
from models.workflow import Automatic, Step, Transition, Workflow


def _sign(step: Step) -> None:
    """The number is taken at signing, from the series of the signing office."""
    notice: Notice = step.record
    assert step.person is not None
    assert step.person.organisation_id is not None
    notice.number = take_paper_number(step.session, notice.kind.value, step.person.organisation_id, notice.county_id)
    notice.issued_at = step.now
    notice.signed_by_id = step.person.person_id
    step.shown["number"] = notice.number


def _satisfied(notice: Any, now: datetime) -> sa.ColumnElement[bool]:
    """None of the clocks that the slip is about still runs."""
    running = sa.or_(
        sa.and_(NoticeEntry.clock == "respond", Assignment.state == AssignmentState.pending),
        sa.and_(
            NoticeEntry.clock == "report",
            Assignment.state.in_((AssignmentState.pending, AssignmentState.responded)),
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
    transitions=(
        Transition(
            "sign",
            _l("Sign slip"),
            (SUPERVISOR,),
            ("drafted",),
            "issued",
            effect=_sign,
            primary=True,
            bulk=True,
            icon="signature",
            done=_l("Slip signed"),
            help=_l("Takes its number and reaches the department."),
        ),
    ),
    automatic=(Automatic("drop", _l("Dropped: the department has acted"), ("drafted",), "dropped", _satisfied),),
)
