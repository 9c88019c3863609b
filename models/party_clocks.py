"""Every other clock (2.2): amber to the party named in its rule, at expiry once to his leader and onto the director's sheet; no slip, no mark."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_appbuilder import Model
from flask_babel import lazy_gettext as _l
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock, event, viewer
from models.admission import AdmissionOpinion, OpinionState
from models.base import KEY, Record, UtcDateTime
from models.calendar import work_calendar
from models.call import Call
from models.call_words import CallState
from models.conclusion import Conclusion, ConclusionState
from models.escalation import Escalation, EscalationState
from models.extension import Extension, ExtensionState
from models.field import Text
from models.milestone import LongTerm, LongTermState, Milestone, MilestoneState
from models.proposal import AdjustmentProposal, ProposalState
from models.rectification import Rectification, RectificationState
from models.return_request import ReturnRequest, ReturnState
from models.review import ReviewRequest, ReviewState
from models.setting import setting
from models.supervision import Notice, NoticeState


class ClockStep(Model):
    """A step of a party's clock that was taken. The deadline belongs to the key: one that is set anew has steps of its own."""

    __tablename__ = "clock_step"

    record_type: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    record_id: Mapped[int] = mapped_column(KEY, primary_key=True)
    clock: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    due: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    step: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


@dataclass(frozen=True)
class Responsible:
    """Whose clock it is: people with one of these roles, in one organisation or in the whole county, or one person."""

    roles: frozenset[str]
    organisation_id: int | None = None
    person_id: int | None = None


@dataclass(frozen=True)
class PartyClock:
    """A deadline of a record that is nobody's but one party's."""

    name: str
    label: Text
    model: type[Any]
    due: str
    """Name of the column with the deadline."""
    since: str
    """Name of the column with the clock's start."""
    runs: Callable[[type[Any]], sa.ColumnElement[bool]]
    of: Callable[[Any], Responsible]
    """Whose it is."""
    above: frozenset[str]
    """Roles of his leader, who is told once when it expires."""
    amber_after: str = ""
    """A setting that says when the one reminder comes after the start, instead of amber."""
    alone: bool = False
    """Whether the office director is left out (personnel matters and signatures of supervisors come to him anyway, or never)."""


DIRECTOR = frozenset({"office_director"})
OFFICE = Responsible(frozenset({"dispatcher"}))


def _state(name: str, *states: Any) -> Callable[[type[Any]], sa.ColumnElement[bool]]:
    def runs(model: type[Any]) -> sa.ColumnElement[bool]:
        column: sa.ColumnElement[Any] = getattr(model, name)
        return column.in_(states)

    return runs


def _of_leader(record: Any) -> Responsible:
    return Responsible(frozenset({"county_leader"}), person_id=record.leader_id)


def _of_department(record: Any) -> Responsible:
    return Responsible(frozenset({"department_officer"}), record.department_id)


CLOCKS: tuple[PartyClock, ...] = (
    PartyClock(
        "accept", _l("Acceptance"), Call, "accept_due", "submitted_at", _state("state", CallState.submitted),
        lambda call: OFFICE, DIRECTOR,
    ),
    PartyClock(
        "dispatch", _l("Dispatch"), Call, "dispatch_due", "accepted_at", _state("state", CallState.accepted),
        lambda call: OFFICE, DIRECTOR,
    ),
    PartyClock(
        "objection", _l("Ruling on an objection"), Call, "objection_due", "objected_at", _state("state", CallState.declined),
        lambda call: Responsible(DIRECTOR), frozenset({"county_leader"}),
    ),
    PartyClock(
        "evaluate", _l("Evaluation"), Call, "evaluate_due", "reported_at", _state("state", CallState.reported),
        lambda call: Responsible(frozenset({"township_officer"}), call.township_id), frozenset({"township_leader"}),
        amber_after="evaluate_reminder", alone=True,
    ),
    PartyClock(
        "return_ruling", _l("Ruling on a return"), ReturnRequest, "due", "requested_at", _state("state", ReturnState.requested),
        lambda request: OFFICE, DIRECTOR,
    ),
    PartyClock(
        "referred_ruling", _l("Ruling on a disputed return"), ReturnRequest, "due", "referred_at", _state("state", ReturnState.referred),
        lambda request: Responsible(frozenset({"checklist_manager"})), DIRECTOR,
    ),
    PartyClock(
        "extension_ruling", _l("Answer to an extension"), Extension, "due", "requested_at", _state("state", ExtensionState.requested),
        lambda extension: OFFICE, DIRECTOR,
    ),
    PartyClock(
        "endorsement", _l("Endorsement of long-term handling"), LongTerm, "due", "requested_at", _state("state", LongTermState.requested),
        lambda plan: OFFICE, DIRECTOR,
    ),
    PartyClock(
        "long_term_decision", _l("Decision on long-term handling"), LongTerm, "due", "endorsed_at", _state("state", LongTermState.endorsed),
        _of_leader, frozenset({"county_leader"}),
    ),
    PartyClock(
        "escalation", _l("Decision on an escalation"), Escalation, "due", "asked_at", _state("state", EscalationState.asked),
        _of_leader, frozenset({"county_leader"}),
    ),
    PartyClock(
        "milestone", _l("Milestone"), Milestone, "due", "begins_at", _state("state", MilestoneState.open),
        _of_department, frozenset({"department_leader"}),
    ),
    PartyClock(
        "signature", _l("Signature of a supervision slip"), Notice, "sign_due", "created_at", _state("state", NoticeState.drafted),
        lambda notice: Responsible(frozenset({"supervisor"})), DIRECTOR,
    ),
    PartyClock(
        "explanation", _l("Explanation"), Conclusion, "explain_due", "asked_at", _state("state", ConclusionState.explaining),
        _of_department, frozenset({"department_leader"}),
    ),
    PartyClock(
        "review", _l("Decision on a review"), ReviewRequest, "decide_due", "filed_at", _state("state", ReviewState.filed, ReviewState.examining),
        lambda request: Responsible(frozenset({"supervisor"})), frozenset({"county_leader"}),
    ),
    PartyClock(
        "rectification", _l("Rectification"), Rectification, "due", "ordered_at", _state("state", RectificationState.ordered),
        _of_department, frozenset({"department_leader"}),
    ),
    PartyClock(
        "opinion", _l("Opinion on an admission"), AdmissionOpinion, "due", "asked_at", _state("state", OpinionState.outstanding),
        lambda opinion: Responsible(frozenset({"township_leader"}), opinion.township_id), frozenset({"checklist_manager"}), alone=True,
    ),
    PartyClock(
        "proposal", _l("Answer to an adjustment proposal"), AdjustmentProposal, "answer_due", "sent_at", _state("state", ProposalState.sent),
        _of_department, frozenset({"department_leader"}), alone=True,
    ),
)  # fmt: skip
"""By the rules of 2.1 to 2.7. Personnel consultations remind by their own rule (2.7): nothing of them reaches the office."""

CLOCK_NAMES = {one.name: one for one in CLOCKS}

HORIZON_DAYS = 40
"""Amber comes at half of the time at the earliest; the longest of these limits is two months."""


@dataclass(frozen=True)
class Reached:
    """A step of a party's clock that is due."""

    clock: PartyClock
    record: Any
    due: datetime
    step: str


def running(session: Session, one: PartyClock, until: datetime) -> Iterable[Any]:
    """The records whose clock runs and ends before an instant, the nearest first."""
    due = getattr(one.model, one.due)
    return session.scalars(
        sa.select(one.model).where(one.runs(one.model), due <= until).order_by(due, one.model.id)
    ).unique()


def ambers(session: Session, one: PartyClock, record: Any) -> tuple[datetime, ...]:
    """When the party is reminded before the deadline."""
    calendar = work_calendar(session, record.county_id)
    start, due = getattr(record, one.since), getattr(record, one.due)
    if start is None or start >= due:
        return ()
    if one.amber_after:
        return (calendar.step_after(start, setting(session, record.county_id, one.amber_after)),)
    return calendar.amber(start, due)


def reached(session: Session, one: PartyClock, now: datetime) -> list[Reached]:
    """The steps of a clock that are due and were not taken yet; of ambers that come late only the last one counts."""
    records = list(running(session, one, now + timedelta(days=HORIZON_DAYS)))
    table = sa.inspect(ClockStep).local_table
    rows = session.connection().execute(
        sa.select(table.c.record_id, table.c.due, table.c.step).where(
            table.c.record_type == one.model.resource(),
            table.c.clock == one.name,
            table.c.record_id.in_([record.id for record in records]),
        )
    )
    taken = {(row.record_id, row.due, row.step) for row in rows}
    found = []
    for record in records:
        due = getattr(record, one.due)
        if (record.id, due, "expired") in taken:
            continue
        if due <= now:
            found.append(Reached(one, record, due, "expired"))
            continue
        passed = [f"amber_{count}" for count, at in enumerate(ambers(session, one, record), start=1) if at <= now]
        if passed and (record.id, due, passed[-1]) not in taken:
            found.append(Reached(one, record, due, passed[-1]))
    return found


def sweep_parties(
    transaction: Callable[[], AbstractContextManager[Session]], clocks: Sequence[PartyClock] = CLOCKS
) -> int:
    """Tell every party of its clock, once for each step; gives the number of steps.

    Raises ExceptionGroup after all others are done when a clock could not be swept; the next sweep tries it again.
    """
    taken = 0
    failures: list[Exception] = []
    with viewer.system():
        for one in clocks:
            try:
                with transaction() as session:
                    taken += _take(session, reached(session, one, clock.now()))
            except Exception as failure:  # one clock that fails must not hold up the others
                failure.add_note(f"while sweeping the clock {one.name}")
                failures.append(failure)
    if failures:
        raise ExceptionGroup("some clocks could not be swept", failures)
    return taken


def _take(session: Session, found: list[Reached]) -> int:
    """Two sweeps at once wait for each other at the key; what the first one has taken, the second one leaves alone."""
    found = [one for one in found if _recorded(session, one)]
    if not found:
        return 0
    entries = [
        event.entry_of(
            one.record,
            "automatic",
            "clock_expired" if one.step == "expired" else "clock_amber",
            {"clock": one.clock.name, "due": one.due},
        )
        for one in found
    ]
    event.append_all(session, entries, None)
    return len(found)


def _recorded(session: Session, one: Reached) -> bool:
    """Record a step; False where it was taken already."""
    postgresql = session.get_bind().dialect.name == "postgresql"
    table = sa.inspect(ClockStep).local_table
    insert = (postgresql_insert if postgresql else sqlite_insert)(table).values(
        record_type=one.record.resource(),
        record_id=one.record.id,
        clock=one.clock.name,
        due=one.due,
        step=one.step,
        taken_at=clock.now(),
    )
    made = session.connection().execute(insert.on_conflict_do_nothing().returning(table.c.record_id))
    return made.first() is not None


def overdue(session: Session, county_id: int, now: datetime) -> list[tuple[PartyClock, Record]]:
    """What has expired and is still open in a county, clock by clock: for the director's sheet."""
    return [
        (one, record)
        for one in CLOCKS
        if not one.alone
        for record in running(session, one, now)
        if record.county_id == county_id
    ]
