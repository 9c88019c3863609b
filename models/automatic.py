"""The sweep of automatic steps: what expires, lapses or enters into force by itself (2, introduction)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import clock, viewer
from models.base import RECORD_TYPES, Record
from models.organisation import Organisation, OrganisationKind
from models.workflow import Automatic, Covered, Step, Workflow, lock_records, perform_automatic

BATCH = 200
"""Records handled in one transaction at most."""


def in_every_county(
    transaction: Callable[[], AbstractContextManager[Session]], act: Callable[[Session, int, datetime], int]
) -> int:
    """Let the program do something in every county, each in a transaction of its own; gives the sum of what it says it did."""
    now, done = clock.now(), 0
    with viewer.system():
        with transaction() as session:
            query = sa.select(Organisation.id).where(Organisation.kind == OrganisationKind.county, Organisation.active)
            counties = session.scalars(query.order_by(Organisation.id)).all()
        for county_id in counties:
            with transaction() as session:
                done += act(session, county_id, now)
    return done


def sweep_automatic(
    transaction: Callable[[], AbstractContextManager[Session]], models: Sequence[type[Record]] = ()
) -> int:
    """Take every automatic step that is due now, of all record types or of these; gives their number.

    Run again, or at the same time, it does nothing twice.

    Raises ExceptionGroup after all others are done when a record type's step could not be taken; the next sweep tries it again.
    """
    done = 0
    failures: list[Exception] = []
    with viewer.system():
        for model in models or list(RECORD_TYPES.values()):
            for step in model.workflow.automatic if model.workflow is not None else ():
                try:
                    while taken := _take(transaction, model, step):
                        done += taken
                except Exception as failure:  # one type's step that fails must not hold up the others'
                    failure.add_note(f"while sweeping {step.name} of {model.__name__}")
                    failures.append(failure)
    if failures:
        raise ExceptionGroup("some automatic steps could not be taken", failures)
    return done


def _take(transaction: Callable[[], AbstractContextManager[Session]], model: type[Record], step: Automatic) -> int:
    """One transaction: locks what a transition would lock, judges again, and takes the step. Gives the number taken."""
    now = clock.now()
    workflow = model.workflow
    assert workflow is not None
    taken = 0
    with transaction() as session:
        keys = session.scalars(
            sa.select(model.id).where(*_conditions(model, step, now)).order_by(model.id).limit(BATCH)
        ).all()
        for key in keys:
            record = session.get(model, key)
            if record is None:
                continue
            lock_records(session, workflow, record)
            still = session.scalar(sa.select(model.id).where(model.id == key, *_conditions(model, step, now)))
            if still is None:
                continue
            _perform(session, workflow, record, step)
            taken += 1
    return taken


def _conditions(model: type[Record], step: Automatic, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    state: sa.ColumnElement[str] = sa.inspect(model).columns["state"]
    return (state.in_(step.sources), step.due(model, now))


def _perform(session: Session, workflow: Workflow, record: Record, step: Automatic) -> None:
    before = str(record.state)

    def effect(under_way: Step) -> None:
        if step.target is not None:
            under_way.record.state = workflow.states(step.target)
        if step.effect is not None:
            step.effect(under_way)
        after = str(under_way.record.state)
        if after != before:
            under_way.shown["state"] = {"old": before, "new": after}

    perform_automatic(session, record, step.name, effect)
    if workflow.after is not None:
        with Covered(session):
            workflow.after(Step(session, record, None, clock.now(), {}))
            session.flush()
