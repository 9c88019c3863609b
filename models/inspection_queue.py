"""The queue of inspections that evaluations fill: twice dissatisfied, not solved, and a sample of the satisfied ones (2.1, 2.3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from models.automatic import in_every_county
from models.calendar import work_calendar
from models.call import Assignment, Call
from models.call_report import Evaluation
from models.call_words import CallState, Satisfaction, Solved
from models.inspection import Inspection, InspectionCall, InspectionKind, QueueReason
from models.organisation import Organisation
from models.setting import setting
from models.workflow import Covered, Step, perform_automatic

LOOKED_BACK = timedelta(days=31)
"""Evaluations older than this are not looked at any more."""
SUBJECTS = {
    QueueReason.twice_dissatisfied: "核查“{title}”办理情况（两次评价不满意）",
    QueueReason.unsolved: "核查“{title}”办理情况（评价未解决）",
    QueueReason.sample: "抽查“{title}”办理情况",
}
LONGEST = 120
MIXED = 7919
"""Multiplies keys, so that a sample is not merely every so many in their order."""


def fill_queue(transaction: Callable[[], AbstractContextManager[Session]]) -> int:
    """Put what evaluations say should be looked into on the supervisors' list, each once; gives how many were put there.

    An evaluation counts once its township can change it no more: an inspection would forbid the change (2.1).
    """
    return in_every_county(transaction, queue_of_county)


def queue_of_county(session: Session, county_id: int, now: datetime) -> int:
    """The same of one county at an instant."""
    session.scalars(sa.select(Organisation.id).where(Organisation.id == county_id).with_for_update()).one()
    limit = setting(session, county_id, "change_evaluation_limit")
    calendar = work_calendar(session, county_id)
    made = 0
    for evaluation in _evaluations(session, county_id, now):
        reason = _reason(evaluation)
        if now > calendar.deadline(evaluation.evaluated_at, limit):
            _open(session, evaluation, reason)
            made += 1
    return made


def _evaluations(session: Session, county_id: int, now: datetime) -> Sequence[Evaluation]:
    """The last evaluations of closed calls that should be looked into and are not in the queue yet."""
    later = sa.orm.aliased(Evaluation)
    sample = setting(session, county_id, "inspection_sample")
    wanted = [
        Evaluation.solved == Solved.not_solved,
        sa.and_(Evaluation.round > 1, Evaluation.satisfaction == Satisfaction.dissatisfied),
    ]
    if sample:
        drawn = (Evaluation.id * MIXED) % sample == 0
        wanted.append(sa.and_(Evaluation.satisfaction == Satisfaction.satisfied, drawn))
    queued = sa.select(Inspection.id).where(Inspection.evaluation_id == Evaluation.id)
    query = (
        sa.select(Evaluation)
        .join(Assignment, Assignment.id == Evaluation.assignment_id)
        .join(Call, Call.id == Assignment.call_id)
        .where(
            Evaluation.county_id == county_id,
            Evaluation.evaluated_at >= now - LOOKED_BACK,
            Evaluation.evaluated_at <= now,
            Call.state == CallState.closed,
            sa.or_(*wanted),
            ~queued.exists(),
            ~sa.select(later.id)
            .where(later.assignment_id == Evaluation.assignment_id, later.round > Evaluation.round)
            .exists(),
        )
        .options(joinedload(Evaluation.assignment).joinedload(Assignment.call))
        .order_by(Evaluation.id)
    )
    return session.scalars(query).all()


def _reason(evaluation: Evaluation) -> QueueReason:
    if evaluation.round > 1 and evaluation.satisfaction == Satisfaction.dissatisfied:
        return QueueReason.twice_dissatisfied
    return QueueReason.unsolved if evaluation.solved == Solved.not_solved else QueueReason.sample


def _open(session: Session, evaluation: Evaluation, reason: QueueReason) -> None:
    call = evaluation.assignment.call
    inspection = Inspection(
        county_id=evaluation.county_id,
        subject=SUBJECTS[reason].format(title=call.title[: LONGEST - 24]),
        kind=InspectionKind.daily,
        reason=reason,
        evaluation_id=evaluation.id,
        target_id=evaluation.department_id,
        calls=[InspectionCall(call=call)],
    )
    with Covered(session):
        session.add(inspection)
        session.flush()

    def tell(step: Step) -> None:
        step.shown["reason"] = str(reason)

    perform_automatic(session, inspection, "queue", tell)
