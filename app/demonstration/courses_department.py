"""Courses that departments make: giving back, asking for more time, handing on inside."""

from __future__ import annotations

from functools import partial

import sqlalchemy as sa

from app.demonstration.calls import Calls
from app.demonstration.plan import Course, PlannedCall
from models.agency import StationedAgency
from models.call import Assignment
from models.call_words import AssignmentState, CallState
from models.extension import ExtensionState
from models.worktime import Limit, Unit


class DepartmentCourses:
    """Enters its turns into the tables of the calls."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        for course in (Course.return_upheld, Course.return_rejected, Course.return_disputed):
            calls.in_hand[course] = self._plan_return
        calls.responded |= {
            Course.extension_granted: self._plan_to_ask,
            Course.extension_refused: self._plan_to_ask,
        }
        calls.in_hand[Course.handed_on] = self._take_in_hand

    # Returns

    def _plan_return(self, one: PlannedCall, assignment: Assignment) -> None:
        """The first lead asks to give it back; whoever has to do it in the end goes the usual way."""
        calls = self.calls
        if one.course is Course.return_upheld and assignment.department is calls.departments[one.matter.lead]:
            calls.answer(one, assignment, calls.random.randrange(30, 200))
        elif one.open:
            calls.on_last_afternoon(partial(self._request_return, one, assignment))
        else:
            calls.soon(partial(self._request_return, one, assignment), 30, 160)

    def _request_return(self, one: PlannedCall, assignment: Assignment) -> None:
        calls = self.calls
        wrong = one.course is Course.return_upheld
        reason = calls.phrase("return_wrong" if wrong else "return_own", lead=one.matter.lead)
        item = assignment.call.checklist_item_id
        calls.perform(calls.department(assignment), assignment, "request_return", reason=reason, item=item)
        if one.course is Course.return_disputed:
            if one.open:
                calls.on_last_afternoon(partial(self._refer, one, assignment))
            else:
                calls.soon(partial(self._refer, one, assignment), 30, 150)
        elif not one.open:
            calls.soon(partial(self._rule, one, assignment), 30, 200)

    def _refer(self, one: PlannedCall, assignment: Assignment) -> None:
        calls = self.calls
        calls.perform(calls.dispatcher, assignment, "refer_return", remark=calls.phrase("referred"))
        if not one.open:
            calls.soon(partial(self._rule, one, assignment), 200, 700)

    def _rule(self, one: PlannedCall, assignment: Assignment) -> None:
        calls = self.calls
        ruling = {"lead": one.matter.lead}
        if one.course is Course.return_upheld:
            lead = calls.departments[one.matter.lead]
            text = calls.phrase("return_upheld", **ruling)
            calls.perform(calls.dispatcher, assignment, "uphold_return", ruling=text, lead=lead.id)
            calls.put_to_work(one, next(other for other in assignment.call.assignments if other.department is lead))
            return
        disputed = one.course is Course.return_disputed
        who = calls.staff.viewer("checklist") if disputed else calls.dispatcher
        text = calls.phrase("dispute_rejected" if disputed else "return_rejected", **ruling)
        calls.perform(who, assignment, "reject_return", ruling=text)
        calls.answer(one, assignment, calls.random.randrange(20, 120))

    # Extensions

    def _plan_to_ask(self, one: PlannedCall, assignment: Assignment) -> None:
        asking = partial(self._request_extension, one, assignment)
        if one.open:
            self.calls.on_last_afternoon(asking)
        else:
            self.calls.soon(asking, 500, 1100)

    def _request_extension(self, one: PlannedCall, assignment: Assignment) -> None:
        calls, calendar = self.calls, self.calls.calendar
        if assignment.state != AssignmentState.responded or assignment.call.state != CallState.dispatched:
            return
        days = calls.random.randrange(2, 5)
        until = calendar.local_date(calendar.step_after(assignment.report_due, Limit(days, Unit.working_days)))
        reason = calls.phrase("extension_reason")
        calls.perform(calls.department(assignment), assignment, "request_extension", until=until, reason=reason)
        if not one.open:
            calls.soon(partial(self._answer_extension, one, assignment), 20, 200)

    def _answer_extension(self, one: PlannedCall, assignment: Assignment) -> None:
        calls = self.calls
        extension = assignment.extension
        if extension is None or extension.state != ExtensionState.requested:
            return
        if one.course is Course.extension_granted:
            text = calls.phrase("extension_granted")
            calls.perform(calls.dispatcher, assignment, "grant_extension", until=extension.until, answer=text)
        else:
            calls.perform(calls.dispatcher, assignment, "refuse_extension", answer=calls.phrase("extension_refused"))
        calls.plan_report(one, assignment)

    # Inside the department

    def _take_in_hand(self, one: PlannedCall, assignment: Assignment) -> None:
        """An officer takes it in hand, and hands it on to a section, or to the department's agency in that township."""
        calls = self.calls
        calls.soon(partial(self._take, assignment), 5, 25)
        calls.soon(partial(self._hand_on, assignment), 26, 60)
        calls.answer(one, assignment, calls.random.randrange(70, 240))

    def _take(self, assignment: Assignment) -> None:
        if assignment.state == AssignmentState.pending and assignment.call.state == CallState.dispatched:
            self.calls.perform(self.calls.department(assignment), assignment, "take")
            if self.calls.random.random() < 0.6:
                text = self.calls.phrase("remark_inside")
                self.calls.perform(self.calls.department(assignment), assignment.call, "comment", text=text)

    def _hand_on(self, assignment: Assignment) -> None:
        calls = self.calls
        if assignment.state != AssignmentState.pending or assignment.call.state != CallState.dispatched:
            return
        agency = calls.session.scalars(
            sa.select(StationedAgency.organisation_id).where(
                StationedAgency.department_id == assignment.department_id,
                StationedAgency.township_id == assignment.call.township_id,
            )
        ).first()
        if agency is not None:
            calls.perform(calls.department(assignment), assignment, "hand_on", agency=agency)
        else:
            calls.perform(calls.department(assignment), assignment, "hand_on", section=calls.phrase("section"))
