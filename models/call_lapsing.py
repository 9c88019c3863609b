"""What became pointless falls away by itself, so that no clock runs on for what nobody can answer any more (2.1, 2.2)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.call import Assignment, Call
from models.call_words import AssignmentState, CallState
from models.convening import Convening, ConveningState
from models.escalation import Escalation, EscalationState
from models.extension import Extension, ExtensionState
from models.milestone import LongTerm, LongTermState, Milestone, MilestoneState
from models.return_request import ReturnRequest, ReturnState
from models.workflow import State, Step, perform_automatic

ASKED = (AssignmentState.pending, AssignmentState.responded, AssignmentState.return_requested)
"""States in which a department's request for more time still has a sense."""

OPEN_IN_ASSIGNMENT: dict[type[Any], tuple[State, ...]] = {
    ReturnRequest: (ReturnState.requested, ReturnState.referred),
    Extension: (ExtensionState.requested,),
}
OPEN_IN_CALL: dict[type[Any], tuple[State, ...]] = {
    LongTerm: (LongTermState.requested, LongTermState.endorsed),
    Escalation: (EscalationState.asked,),
    Milestone: (MilestoneState.open,),
    Convening: (ConveningState.planned,),
}
"""States in which something of a call waits for somebody."""


def lapse(step: Step) -> None:
    """Let go what this step made pointless: requests that a call went on without, and all that is open in one that has ended."""
    if not _anything_open(step.session, step.record.thread):
        return
    for record, state in list(_pointless(step, step.record.thread)):

        def let_go(automatic: Step, record: Any = record, state: State = state) -> None:
            record.state = state

        perform_automatic(
            step.session, record, "lapse", let_go, {"state": {"old": str(record.state), "new": str(state)}}
        )


def _anything_open(session: Session, call: Call) -> bool:
    """Whether there is anything in a call that could become pointless: asked after every step, and mostly there is nothing."""
    return bool(session.connection().execute(_open_in_call(), {"call": call.id}).scalar())


@lru_cache(maxsize=1)
def _open_in_call() -> sa.Select[tuple[bool]]:
    """One statement for everything that `_pointless` looks at."""
    assignment = sa.inspect(Assignment).local_table
    found = []
    for model, states in OPEN_IN_ASSIGNMENT.items():
        table = sa.inspect(model).local_table
        joined = table.join(assignment, assignment.c.id == table.c.assignment_id)
        query = sa.select(table.c.id).select_from(joined).where(assignment.c.call_id == sa.bindparam("call"))
        found.append(query.where(table.c.state.in_(states)).exists())
    for model, states in OPEN_IN_CALL.items():
        table = sa.inspect(model).local_table
        found.append(
            sa.select(table.c.id).where(table.c.call_id == sa.bindparam("call"), table.c.state.in_(states)).exists()
        )
    return sa.select(sa.or_(*found))


def _pointless(step: Step, call: Call) -> Iterator[tuple[Any, State]]:
    over = call.state.final
    for request, assignment in _of_assignments(step, call, ReturnRequest):
        if over or assignment.state != AssignmentState.return_requested:
            yield request, ReturnState.lapsed
    for extension, assignment in _of_assignments(step, call, Extension):
        if over or call.state == CallState.long_term or assignment.state not in ASKED:
            yield extension, ExtensionState.lapsed
    if call.state != CallState.dispatched:
        for plan in _of_call(step, call, LongTerm):
            yield plan, LongTermState.lapsed
            for milestone in plan.milestones:
                yield milestone, MilestoneState.dropped
    if call.state not in (CallState.dispatched, CallState.reported):
        for escalation in _of_call(step, call, Escalation):
            yield escalation, EscalationState.lapsed
    if over:
        for milestone in _of_call(step, call, Milestone):
            yield milestone, MilestoneState.dropped
        for meeting in _of_call(step, call, Convening):
            yield meeting, ConveningState.cancelled


def _of_call(step: Step, call: Call, model: type[Any]) -> list[Any]:
    states = OPEN_IN_CALL[model]
    query = sa.select(model).where(model.call_id == call.id, model.state.in_(states)).order_by(model.id)
    return list(step.session.scalars(query))


def _of_assignments(step: Step, call: Call, model: type[Any]) -> list[tuple[Any, Assignment]]:
    query = (
        sa.select(model, Assignment)
        .join(Assignment, Assignment.id == model.assignment_id)
        .where(Assignment.call_id == call.id, model.state.in_(OPEN_IN_ASSIGNMENT[model]))
        .order_by(model.id)
    )
    return [(row[0], row[1]) for row in step.session.execute(query)]
