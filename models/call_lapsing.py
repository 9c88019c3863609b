"""What became pointless falls away by itself, so that no clock runs on for what nobody can answer any more (2.1, 2.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from models.call import Assignment, AssignmentState, Call, CallState
from models.convening import Convening, ConveningState
from models.escalation import Escalation, EscalationState
from models.extension import Extension, ExtensionState
from models.milestone import LongTerm, LongTermState, Milestone, MilestoneState
from models.return_request import ReturnRequest, ReturnState
from models.workflow import State, Step, perform_automatic

ASKED = (AssignmentState.pending, AssignmentState.responded, AssignmentState.return_requested)
"""States in which a department's request for more time still has a sense."""


def lapse(step: Step) -> None:
    """Let go what this step made pointless: requests that a call went on without, and all that is open in one that has ended."""
    for record, state in list(_pointless(step, step.record.thread)):

        def let_go(automatic: Step, record: Any = record, state: State = state) -> None:
            record.state = state

        perform_automatic(
            step.session, record, "lapse", let_go, {"state": {"old": str(record.state), "new": str(state)}}
        )


def _pointless(step: Step, call: Call) -> Iterator[tuple[Any, State]]:
    over = call.state.final
    for request, assignment in _of_assignments(step, call, ReturnRequest, ReturnState.requested, ReturnState.referred):
        if over or assignment.state != AssignmentState.return_requested:
            yield request, ReturnState.lapsed
    for extension, assignment in _of_assignments(step, call, Extension, ExtensionState.requested):
        if over or call.state == CallState.long_term or assignment.state not in ASKED:
            yield extension, ExtensionState.lapsed
    if call.state != CallState.dispatched:
        for plan in _of_call(step, call, LongTerm, LongTermState.requested, LongTermState.endorsed):
            yield plan, LongTermState.lapsed
            for milestone in plan.milestones:
                yield milestone, MilestoneState.dropped
    if call.state not in (CallState.dispatched, CallState.reported):
        for escalation in _of_call(step, call, Escalation, EscalationState.asked):
            yield escalation, EscalationState.lapsed
    if over:
        for milestone in _of_call(step, call, Milestone, MilestoneState.open):
            yield milestone, MilestoneState.dropped
        for meeting in _of_call(step, call, Convening, ConveningState.planned):
            yield meeting, ConveningState.cancelled


def _of_call(step: Step, call: Call, model: type[Any], *states: State) -> list[Any]:
    query = sa.select(model).where(model.call_id == call.id, model.state.in_(states)).order_by(model.id)
    return list(step.session.scalars(query))


def _of_assignments(step: Step, call: Call, model: type[Any], *states: State) -> list[tuple[Any, Assignment]]:
    query = (
        sa.select(model, Assignment)
        .join(Assignment, Assignment.id == model.assignment_id)
        .where(Assignment.call_id == call.id, model.state.in_(states))
        .order_by(model.id)
    )
    return [(row[0], row[1]) for row in step.session.execute(query)]
