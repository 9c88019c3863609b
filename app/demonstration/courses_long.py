"""Courses that take longer than a report: long-term handling and convening on site, with their milestones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from functools import partial
from typing import Any

from app.demonstration.calls import OPEN, Calls
from app.demonstration.plan import Course, PlannedCall
from models.call import Assignment, Call
from models.call_words import AssignmentState, CallState
from models.convening import Convening, ConveningState
from models.milestone import LongTerm, LongTermState, Milestone, MilestoneState

STAGES = (6, 16, 28)
"""After so many working days the stages of a long-term plan are due."""


class LongCourses:
    """Enters its turns into the tables of the calls."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        calls.responded |= {
            Course.long_term: self._plan_to_request,
            Course.long_term_ended: self._plan_to_request,
            Course.long_term_refused: self._plan_to_request,
            Course.convened: self._plan_to_convene,
            Course.convening_cancelled: self._plan_to_convene,
        }

    # Long-term handling

    def _plan_to_request(self, one: PlannedCall, assignment: Assignment) -> None:
        self.calls.soon(partial(self._request, one, assignment), 60, 200)

    def _request(self, one: PlannedCall, assignment: Assignment) -> None:
        calls, call = self.calls, assignment.call
        if call.state != CallState.dispatched:
            return
        today = calls.calendar.local_date(calls.now)
        stages = [
            {"text": calls.phrase(f"stage_{place}"), "day": calls.calendar.move_working_days(today, days).isoformat()}
            for place, days in enumerate(STAGES, start=1)
        ]
        calls.perform(
            calls.department(assignment), call, "request_long_term", plan=calls.phrase("long_term"), milestones=stages
        )
        refused = one.course is Course.long_term_refused
        calls.soon(partial(self._refuse if refused else self._endorse, one, call), 40, 200)

    def _refuse(self, one: PlannedCall, call: Call) -> None:
        calls = self.calls
        if _plan_of(call, LongTermState.requested) and call.lead is not None:
            calls.perform(calls.dispatcher, call, "refuse_long_term", reason=calls.phrase("long_term_refused"))
            calls.plan_report(one, call.lead)

    def _endorse(self, one: PlannedCall, call: Call) -> None:
        calls = self.calls
        if not _plan_of(call, LongTermState.requested):
            return
        calls.perform(calls.dispatcher, call, "endorse_long_term", remark=calls.phrase("endorsed"))
        if not one.open:
            calls.soon(partial(self._approve, one, call), 100, 500)

    def _approve(self, one: PlannedCall, call: Call) -> None:
        calls = self.calls
        plan = _plan_of(call, LongTermState.endorsed)
        if plan is None or plan.leader_id is None:
            return
        leader = calls.staff.leader_of_county(plan.leader_id)
        calls.perform(leader, call, "approve_long_term", remark=calls.phrase("approved"))
        for milestone in plan.milestones:
            self._plan_milestone(milestone, partial(calls.plan_evaluation, one, call))
        if one.course is Course.long_term_ended:
            calls.at(
                calls.after(plan.milestones[0].due, calls.random.randrange(200, 900)), partial(self._end, one, call)
            )

    def _end(self, one: PlannedCall, call: Call) -> None:
        calls = self.calls
        if call.state != CallState.long_term:
            return
        calls.perform(calls.dispatcher, call, "end_long_term", reason=calls.phrase("long_term_ended"))
        for assignment in call.assignments:
            if assignment.state == AssignmentState.responded:
                calls.plan_report(one, assignment)

    # On site

    def _plan_to_convene(self, one: PlannedCall, assignment: Assignment) -> None:
        self.calls.soon(partial(self._convene, one, assignment.call), 30, 120)

    def _convene(self, one: PlannedCall, call: Call) -> None:
        """The township calls everybody concerned together, mostly for the next morning."""
        calls, calendar = self.calls, self.calls.calendar
        if call.state != CallState.dispatched:
            return
        day = calendar.move_working_days(calendar.local_date(calls.now), 1)
        calls.perform(
            calls.township(call),
            call,
            "convene",
            at=datetime.combine(day, time(9 + calls.random.randrange(2), 30), tzinfo=calendar.zone),
            place=call.place,
            departments=[assignment.department_id for assignment in call.assignments if assignment.state in OPEN],
            matter=calls.phrase("convening_matter"),
        )
        meeting = call.convenings[-1]
        if one.course is Course.convening_cancelled:
            calls.soon(partial(self._cancel, one, meeting), 40, 100)
            return
        calls.at(calls.after(meeting.at, calls.random.randrange(70, 130)), partial(self._record, one, meeting))

    def _cancel(self, one: PlannedCall, meeting: Convening) -> None:
        """The departments have settled it with the township on the telephone."""
        calls, call = self.calls, meeting.call
        if meeting.state == ConveningState.planned and call.lead is not None:
            calls.perform(calls.township(call), meeting, "cancel", reason=calls.phrase("convening_cancelled"))
            calls.plan_report(one, call.lead)

    def _record(self, one: PlannedCall, meeting: Convening) -> None:
        calls, call = self.calls, meeting.call
        lead = call.lead
        if meeting.state != ConveningState.planned or lead is None:
            return
        day = calls.calendar.move_working_days(calls.calendar.local_date(calls.now), 2).isoformat()
        excused = len(meeting.invitees) > 2
        attendance: list[dict[str, Any]] = []
        for place, invitee in enumerate(meeting.invitees, start=1):
            entry = {"invitee": invitee.id, "attendance": "present"}
            if excused and place == len(meeting.invitees):
                entry |= {"attendance": "excused", "excuse": calls.phrase("excuse")}
            else:
                entry["names"] = calls.staff.officer_person(invitee.organisation_id).name
            attendance.append(entry)
        leader = calls.staff.leader_person(call.township_id)
        decisions = [
            {"text": calls.phrase("decision"), "department": str(meeting.invitees[0].organisation_id), "day": day}
        ]
        calls.perform(
            calls.township(call),
            meeting,
            "record",
            attendance=attendance,
            township_names=leader.name,
            chair=f"{leader.name}（{leader.position}）" if leader.position else leader.name,
            record=calls.phrase("convening_record"),
            decisions=decisions,
        )
        for milestone in meeting.milestones:
            self._plan_milestone(milestone, partial(calls.plan_report, one, lead))

    # Milestones

    def _plan_milestone(self, milestone: Milestone, after: Callable[[], None]) -> None:
        calls = self.calls
        minutes = calls.calendar.minutes_between(calls.now, milestone.due) * calls.random.uniform(0.75, 0.97)
        at = calls.within(calls.now, milestone.due, minutes)
        calls.at(at, partial(self._complete, milestone, after))

    def _complete(self, milestone: Milestone, after: Callable[[], None]) -> None:
        calls = self.calls
        if milestone.state != MilestoneState.open:
            return
        officer = calls.staff.officer(milestone.department_id)
        calls.perform(officer, milestone, "complete_milestone", result=calls.phrase("milestone_result"))
        calls.soon(partial(self._evaluate, milestone), 60, 400)
        after()

    def _evaluate(self, milestone: Milestone) -> None:
        calls = self.calls
        if milestone.evaluated_at is None:
            calls.perform(
                calls.township(milestone.call),
                milestone,
                "evaluate_milestone",
                satisfaction="satisfied",
                comment=calls.phrase("milestone_comment"),
            )


def _plan_of(call: Call, state: LongTermState) -> LongTerm | None:
    return next((plan for plan in call.long_terms if plan.state == state), None)
