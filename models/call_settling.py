"""What follows by itself from every step in a call (2.1): it waits for evaluation once all departments are done, and its parties are kept."""

from __future__ import annotations

from models.calendar import work_calendar
from models.call import Call
from models.call_lapsing import lapse
from models.call_party import keep_parties
from models.call_words import AssignmentState, CallState
from models.setting import setting
from models.workflow import Step, perform_automatic

SETTLED = frozenset({AssignmentState.reported, AssignmentState.returned, AssignmentState.missed})


def settle(step: Step) -> None:
    """Automatic follow-up of every step: all assignments settled and at least one not given back → the call waits for evaluation;
    what became pointless let go; parties kept."""
    call: Call = step.record.thread
    step.session.flush()
    if (
        call.state == CallState.dispatched
        and call.assignments
        and all(one.state in SETTLED for one in call.assignments)
        and any(one.state != AssignmentState.returned for one in call.assignments)
    ):

        def wait_for_evaluation(automatic: Step) -> None:
            call.state = CallState.reported
            call.reported_at = automatic.now
            call.evaluate_due = work_calendar(automatic.session, call.county_id).deadline(
                automatic.now, setting(automatic.session, call.county_id, "evaluate_limit")
            )

        perform_automatic(
            step.session, call, "all_reported", wait_for_evaluation, {"state": {"old": "dispatched", "new": "reported"}}
        )
    lapse(step)
    keep_parties(step.session, call)
