"""Courses with steps beside the way: leaders' decisions and instructions, sharing, remarks, a changed evaluation, a call continued."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import sqlalchemy as sa

from app.demonstration.calls import Calls
from app.demonstration.plan import Course, PlannedCall
from models.call import Assignment, Call
from models.call_words import AssignmentState, CallState
from models.leader_steps import open_escalation


class BesideCourses:
    """Enters its turns into the tables of the calls."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        calls.responded[Course.escalated] = self._plan_to_escalate
        calls.dispatched |= {
            Course.instructed: self._plan_instruction,
            Course.instructed_on_paper: self._plan_instruction,
            Course.shared: lambda one, call: calls.soon(partial(self._share, one, call), 10, 60),
        }
        calls.evaluated |= {
            Course.evaluation_changed: lambda one, call: calls.soon(partial(self._change, call), 20, 200),
            Course.followed: lambda one, call: calls.soon(partial(self._follow_up, one, call), 900, 3000),
        }

    # Leaders

    def _plan_to_escalate(self, one: PlannedCall, assignment: Assignment) -> None:
        """The lead goes on without a report until its deadline is over; then the township turns to the leader."""
        calls = self.calls
        asking = partial(self._escalate, one, assignment)
        if one.open:
            calls.on_last_afternoon(asking)
        else:
            calls.at(calls.after(assignment.report_due, calls.random.randrange(40, 200)), asking)

    def _escalate(self, one: PlannedCall, assignment: Assignment) -> None:
        calls, call = self.calls, assignment.call
        if call.state != CallState.dispatched or assignment.state != AssignmentState.responded:
            return
        why = calls.phrase("escalation", lead=assignment.department.short_name)
        calls.perform(calls.township(call), call, "escalate", why=why)
        if not one.open:
            calls.soon(partial(self._decide, one, assignment), 100, 500)

    def _decide(self, one: PlannedCall, assignment: Assignment) -> None:
        calls, call = self.calls, assignment.call
        asked = open_escalation(call)
        if asked is None or asked.leader_id is None:
            return
        lead = assignment.department.short_name
        calls.perform(
            calls.staff.leader_of_county(asked.leader_id),
            call,
            "decide_escalation",
            text=calls.phrase("decision_of_leader", lead=lead),
            tasks=calls.phrase("tasks_of_leader", lead=lead),
        )
        calls.soon(partial(calls.report, one, assignment), 200, 700)

    def _plan_instruction(self, one: PlannedCall, call: Call) -> None:
        self.calls.soon(partial(self._instruct, one, call), 60, 400)

    def _instruct(self, one: PlannedCall, call: Call) -> None:
        """A leader gives it himself, or writes it on the paper, and the office enters it."""
        calls = self.calls
        on_paper = one.course is Course.instructed_on_paper
        leader = calls.staff.person("leader" if on_paper else "leader2")
        who = calls.dispatcher if on_paper else calls.staff.viewer("leader2")
        target = str(call.lead.department_id) if call.lead is not None else ""
        calls.perform(who, call, "instruct", leader=str(leader.id), text=calls.phrase("instruction"), target=target)

    # Readers and remarks

    def _share(self, one: PlannedCall, call: Call) -> None:
        """With the department that has to do with it by the list without having it in hand, else with the legal office."""
        calls = self.calls
        present = {assignment.department for assignment in call.assignments}
        named = [calls.departments[partner.department] for partner in one.matter.partners]
        reader = next((other for other in named if other not in present), calls.departments["县司法局"])
        if reader in present:
            return
        calls.perform(calls.dispatcher, call, "share", organisations=[reader.id], note=calls.phrase("shared"))
        calls.perform(calls.dispatcher, call, "comment", text=calls.phrase("remark_of_office"))

    # After the evaluation

    def _change(self, call: Call) -> None:
        """The township looks again, and says it differently on the same day."""
        calls = self.calls
        if call.state != CallState.closed:
            return
        entries = []
        for assignment in call.assignments:
            given = assignment.evaluation_of(assignment.round)
            if given is not None and given.evaluated_at == call.evaluated_at:
                entries.append(
                    {
                        "assignment": assignment.id,
                        "satisfaction": "fair" if given.satisfaction.value == "satisfied" else "satisfied",
                        "solved": given.solved.value,
                        "comment": calls.phrase("evaluation_changed"),
                    }
                )
        calls.perform(calls.township(call), call, "change_evaluation", evaluations=entries)

    def _follow_up(self, one: PlannedCall, call: Call) -> None:
        """It comes up again: a new call with the same matter, which goes the usual way."""
        calls = self.calls
        if call.state != CallState.closed:
            return
        calls.perform(calls.township(call), call, "follow_up")
        new = calls.session.scalars(sa.select(Call).where(Call.follows_id == call.id)).one()
        officer = calls.township(new)
        with calls.acting(officer):
            new.description = f"{new.description}\n{calls.phrase('followed')}"
            calls.session.flush()
        calls.soon(partial(calls.submit, replace(one, course=Course.usual), new), 5, 20)
