"""Who takes part in a call, as what and until when; kept in step with the call, read by lists and the row filter (design, decision 2)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask_appbuilder import Model
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import KEY, RECORD_TYPES, UtcDateTime
from models.call_words import AssignmentState, CallState

if TYPE_CHECKING:
    from models.call import Assignment, Call


class CallParty(Model):
    """Which organisation takes part in which call, kept in step by `keep_parties`: lists and the row filter read it
    instead of joining (design, decision 2)."""

    __tablename__ = "call_party"
    __table_args__ = (
        sa.Index("ix_call_party_newest", "organisation_id", "call_id"),
        sa.Index("ix_call_party_work", "organisation_id", "state", "due"),
        sa.Index(
            "ix_call_party_due",
            "due",
            postgresql_where=sa.text("due IS NOT NULL"),
            sqlite_where=sa.text("due IS NOT NULL"),
        ),
    )

    call_id: Mapped[int] = mapped_column(KEY, sa.ForeignKey("call.id", ondelete="CASCADE"), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(KEY, sa.ForeignKey("organisation.id"), primary_key=True)
    role: Mapped[str] = mapped_column(sa.String(16), nullable=False)
    """township, lead, cooperating; handed_on, convened, shared for those that only read"""
    state: Mapped[str] = mapped_column(sa.String(32), nullable=False)
    """What the call is to this organisation: the call's state for its township, the assignment's for a department."""
    due: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """The next deadline of this organisation in the call, None when it has nothing to do."""
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Up to when a department that gave the call back reads it; None for everybody else."""


def due_of(assignment: Assignment) -> datetime | None:
    """The nearest deadline still running on an assignment."""
    if assignment.stopped_at is not None or assignment.paused_at is not None:
        return None
    planned = assignment.call.state == CallState.long_term
    if assignment.state in (AssignmentState.pending, AssignmentState.return_requested):
        return assignment.respond_due if planned else min(assignment.respond_due, assignment.report_due)
    if assignment.state == AssignmentState.responded and not planned:
        return assignment.report_due
    return None


PARTIES = "parties known"
"""Key in `session.info`: as what organisations take part in calls, asked once per transaction."""


@sa.event.listens_for(Session, "after_transaction_end")
def _forget_parties(session: Session, transaction: Any) -> None:
    session.info.pop(PARTIES, None)


def keep_parties(session: Session, call: Call) -> None:
    """Bring the party rows of a call in step with it; called whenever a call or an assignment changed."""
    session.info.pop(PARTIES, None)
    wanted: dict[int, tuple[str, str, datetime | None, datetime | None]] = {
        key: (role, call.state.value, None, None) for key, role in _readers(session, call)
    }
    wanted[call.township_id] = ("township", call.state.value, None, None)
    invited = wanted.keys() - {call.township_id}
    for assignment in sorted(call.assignments, key=lambda one: one.state != AssignmentState.returned):
        # The last word has an assignment that still counts: a department may have given one back and got another,
        # or be called to a meeting afterwards.
        key = assignment.department_id
        until = assignment.given_back_at if key not in invited else None
        wanted[key] = (assignment.role.value, assignment.state.value, due_of(assignment), until)
    present = {
        party.organisation_id: party
        for party in session.scalars(sa.select(CallParty).where(CallParty.call_id == call.id))
    }
    for organisation_id, (role, state, due, until) in wanted.items():
        party = present.pop(organisation_id, None)
        if party is None:
            party = CallParty(call_id=call.id, organisation_id=organisation_id)
            session.add(party)
        party.role, party.state, party.due, party.until = role, state, due, until
    for party in present.values():
        session.delete(party)


def _readers(session: Session, call: Call) -> list[tuple[int, str]]:
    """(organisation, role) of everybody who only reads a call: with whom it was shared, who was convened, the agencies it was handed on to."""
    found = [(one.agency_id, "handed_on") for one in call.assignments if one.agency_id is not None]
    for resource, role in (("convening_invitee", "convened"), ("call_share", "shared")):
        table = sa.inspect(RECORD_TYPES[resource]).local_table
        query = sa.select(table.c.organisation_id).where(table.c.call_id == call.id)
        found += [(key, role) for key in session.connection().execute(query).scalars()]
    return found
