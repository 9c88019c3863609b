"""Courses that the county office makes: completion, declining and objections, telephone entries, departments given and added, merging."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from app.demonstration.calls import Calls
from app.demonstration.plan import Course, PlannedCall
from models.call import Call
from models.call_office import COMPLETED
from models.call_words import AssignmentRole, AssignmentState, CallState, DeclineReason

_DECLINING = (DeclineReason.own_power, DeclineReason.litigation, DeclineReason.out_of_scope)


class OfficeCourses:
    """Enters its turns into the tables of the calls."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self._twins: dict[int, tuple[PlannedCall, Call]] = {}
        calls.written[Course.by_phone] = self._phone
        calls.submitted |= {
            Course.completed_by_township: self._look_for_missing,
            Course.completed_by_office: self._telephone_back,
            Course.declined: self._plan_to_decline,
            Course.objection_granted: self._plan_to_decline,
            Course.objection_refused: self._plan_to_decline,
        }
        calls.in_hand[Course.reassigned] = self._notice_wrong
        calls.dispatched |= {
            Course.added: lambda one, call: calls.soon(partial(self._add, one, call), 120, 500),
            Course.merged: self._look_for_twin,
            Course.alarmed: self._confirm_alarms,
            Course.regularised: self._look_into,
        }
        calls.reported[Course.sent_back] = lambda one, call: calls.soon(partial(self._send_back, one, call), 8, 40)
        calls.responded[Course.regularised] = lambda one, assignment: None

    # Completion

    def _look_for_missing(self, one: PlannedCall, call: Call) -> None:
        self.calls.soon(partial(self._return, one, call), 20, 90)

    def _return(self, one: PlannedCall, call: Call) -> None:
        calls = self.calls
        calls.perform(calls.dispatcher, call, "return_for_completion", missing=calls.phrase("missing"))
        if not one.open:
            calls.soon(partial(self._complete_and_submit, one, call), 40, 220)

    def _complete_and_submit(self, one: PlannedCall, call: Call) -> None:
        """The township adds to its call as in the form, and submits again."""
        calls = self.calls
        officer = calls.township(call)
        with calls.acting(officer):
            call.check_change(officer)
            call.description = f"{call.description}\n{calls.phrase('completed')}"
            calls.session.flush()
        calls.perform(officer, call, "submit")
        calls.proceed(one, call)

    def _telephone_back(self, one: PlannedCall, call: Call) -> None:
        self.calls.soon(partial(self._complete, one, call), 8, 40)

    def _complete(self, one: PlannedCall, call: Call) -> None:
        calls = self.calls
        values: dict[str, Any] = {name: getattr(call, name) for name in COMPLETED}
        values["description"] = f"{call.description}\n{calls.phrase('completed_by_phone')}"
        calls.perform(calls.dispatcher, call, "complete", spoken_with=call.contact_name, **values)
        calls.proceed(one, call)

    # Declining and objections

    def _plan_to_decline(self, one: PlannedCall, call: Call) -> None:
        self.calls.soon(partial(self._decline, one, call), 25, 120)

    def _decline(self, one: PlannedCall, call: Call) -> None:
        calls = self.calls
        reason = calls.random.choice(_DECLINING)
        text, channel = calls.phrase(f"decline_{reason.value}"), calls.phrase(f"channel_{reason.value}")
        calls.perform(calls.dispatcher, call, "decline", reason=reason.value, text=text, other_channel=channel)
        if one.course is Course.declined:
            return
        objecting = partial(self._object, one, call)
        if one.open:
            calls.on_last_afternoon(objecting)
        else:
            calls.soon(objecting, 60, 300)

    def _object(self, one: PlannedCall, call: Call) -> None:
        calls = self.calls
        calls.perform(calls.township(call), call, "object", reason=calls.phrase("objection"))
        if not one.open:
            calls.soon(partial(self._rule, one, call), 60, 300)

    def _rule(self, one: PlannedCall, call: Call) -> None:
        calls, director = self.calls, self.calls.staff.viewer("director")
        if one.course is Course.objection_granted:
            calls.perform(director, call, "grant_objection", ruling=calls.phrase("objection_granted"))
            calls.proceed(one, call)
        else:
            calls.perform(director, call, "refuse_objection", ruling=calls.phrase("objection_refused"))

    # The telephone

    def _phone(self, one: PlannedCall) -> None:
        """The clock runs from the time of the call; the township confirms later in the day."""
        calls, matter, scene = self.calls, one.matter, one.scene
        item = calls.items[matter.item] if matter.item is not None else None
        officer = calls.staff.officer_person(scene.township.organisation_id)
        call = calls.begin(
            calls.dispatcher,
            Call,
            "enter_by_phone",
            township=scene.township.organisation_id,
            phoned_at=calls.now.replace(second=0) - timedelta(minutes=calls.random.randrange(3, 6)),
            kind="general",
            title=scene.fill(matter.title),
            field=item.field if item is not None else matter.field,
            description=scene.fill(matter.description),
            place=scene.fill(matter.place),
            contact_name=officer.name,
            contact_phone=officer.phone or "",
        )
        calls.soon(partial(self._confirm, call), 15, 90)
        calls.proceed(one, call)

    def _confirm(self, call: Call) -> None:
        if call.state in (CallState.submitted, CallState.accepted, CallState.dispatched):
            self.calls.perform(self.calls.township(call), call, "confirm")

    # Departments

    def _notice_wrong(self, one: PlannedCall, assignment: Any) -> None:
        """The office sees itself that it called the wrong one; the right one goes the usual way."""
        if assignment.department is not self.calls.departments[one.matter.lead]:
            self.calls.soon(partial(self._reassign, one, assignment), 20, 70)
        else:
            self.calls.answer(one, assignment, self.calls.random.randrange(30, 200))

    def _reassign(self, one: PlannedCall, assignment: Any) -> None:
        calls, call = self.calls, assignment.call
        right = calls.departments[one.matter.lead]
        reason = calls.phrase("reassign", wrong=assignment.department.short_name, right=right.short_name)
        calls.perform(
            calls.dispatcher, call, "reassign", assignment=str(assignment.id), department=right.id, reason=reason
        )
        calls.put_to_work(one, call.lead)

    def _add(self, one: PlannedCall, call: Call) -> None:
        calls = self.calls
        if call.state != CallState.dispatched:
            return
        partner = calls.departments[one.partners[0].department]
        reason = calls.phrase("add_department", partner=partner.short_name)
        calls.perform(calls.dispatcher, call, "add_department", department=partner.id, reason=reason)
        calls.put_to_work(one, call.assignments[-1])

    def _send_back(self, one: PlannedCall, call: Call) -> None:
        """All that have reported add what is missing."""
        calls = self.calls
        if call.state != CallState.reported:
            return
        calls.perform(calls.dispatcher, call, "send_back", assignments=[], missing=calls.phrase("missing_in_report"))
        for assignment in call.assignments:
            calls.soon(partial(calls.report, one, assignment), 60, 400)

    # Two calls about the same

    def _look_for_twin(self, one: PlannedCall, call: Call) -> None:
        other = self._twins.get(one.twin)
        if other is None:
            self._twins[one.twin] = (one, call)
        elif other[1].state == CallState.dispatched:
            self.calls.soon(partial(self._merge, (one, call), other), 4, 30)

    def _merge(self, mine: tuple[PlannedCall, Call], other: tuple[PlannedCall, Call]) -> None:
        calls = self.calls
        calls.perform(calls.dispatcher, mine[1], "merge", calls=[other[1].id])
        calls.together |= {mine[1].id: other, other[1].id: mine}

    # Emergencies

    def _confirm_alarms(self, one: PlannedCall, call: Call) -> None:
        """Departments confirm the alarm themselves; for one that does not the duty office asks on the telephone."""
        calls = self.calls
        for assignment in call.assignments:
            late = assignment is call.assignments[-1] and one.late
            minutes = calls.random.randrange(17, 26) if late else calls.random.randrange(1, 6)
            at = calls.now + timedelta(minutes=minutes, seconds=calls.random.randrange(60))
            calls.at(at, partial(self._acknowledge, assignment, by_duty=bool(late)))

    def _acknowledge(self, assignment: Any, *, by_duty: bool) -> None:
        calls = self.calls
        if assignment.state != AssignmentState.pending:
            return
        if by_duty:
            who = calls.phrase("alarm_confirmed_by", department=assignment.department.short_name)
            calls.perform(calls.staff.viewer("duty"), assignment, "acknowledge", who=who)
        else:
            officer = calls.department(assignment)
            calls.perform(officer, assignment, "acknowledge", who=officer.name)

    def _look_into(self, one: PlannedCall, call: Call) -> None:
        self._confirm_alarms(one, call)
        self.calls.soon(partial(self._regularise, one, call), 30, 60)

    def _regularise(self, one: PlannedCall, call: Call) -> None:
        calls = self.calls
        departments = sorted(call.assignments, key=lambda other: other.role != AssignmentRole.lead)
        calls.perform(
            calls.dispatcher,
            call,
            "regularise",
            departments=[other.department_id for other in departments],
            emergency="",
            remark=calls.phrase("regularised"),
        )
        for assignment in call.assignments:
            if assignment.state == AssignmentState.responded:
                calls.plan_report(one, assignment)
