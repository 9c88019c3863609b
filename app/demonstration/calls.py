"""The calls, performed as most of them go: a township writes, the office dispatches, departments respond and report, the township evaluates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from sqlalchemy.orm import Session

from app.demonstration.deck import Deck
from app.demonstration.matters import Library
from app.demonstration.people import Staff
from app.demonstration.plan import COMPLAINING, WRONG_FIRST, Course, PlannedCall
from app.demonstration.stage import Stage
from models.call import Assignment, Call
from models.call_words import AssignmentRole, AssignmentState, CallKind, CallSource, CallState, Satisfaction, Solved
from models.checklist import ChecklistItem
from models.organisation import Organisation
from models.worktime import Limit, Unit

LATE = -1
"""In a deck of delays: after the deadline."""

NEVER = -2
"""In a deck of delays: not at all."""

_LATER = (
    "下一个工作日",
    "近日",
    "次日",
    "日内",
    "当日",
    "当天",
    "电话",
    "对接",
    "约",
    "方案",
    "查阅",
    "核对",
    "提供",
    "协调",
    "联系",
    "安排",
    "通知",
)
"""Words of a plan that speak of going there later: such a response was a telephone call."""

OPEN = frozenset({AssignmentState.pending, AssignmentState.responded})
IN_HAND = frozenset({CallState.dispatched, CallState.long_term})


Opening = Callable[[PlannedCall], None]
Turn = Callable[[PlannedCall, Call], None]
LeadTurn = Callable[[PlannedCall, Assignment], None]


class Calls(Stage):
    """Performs planned calls. Where a course leaves the usual way, its turn stands in one of the tables below (`courses_*`)."""

    def __init__(
        self,
        session: Session,
        county_id: int,
        library: Library,
        items: Mapping[int, ChecklistItem],
        departments: Mapping[str, Organisation],
        staff: Staff,
        random: Random,
    ) -> None:
        super().__init__(session, county_id, library, staff, random)
        self.items = items
        self.departments = departments
        self.written: dict[Course, Opening] = {}
        """Instead of the township's writing."""
        self.submitted: dict[Course, Turn] = {}
        """Instead of acceptance and dispatch."""
        self.dispatched: dict[Course, Turn] = {}
        """Beside what the departments do."""
        self.in_hand: dict[Course, LeadTurn] = {}
        """Instead of the lead's response."""
        self.responded: dict[Course, LeadTurn] = {}
        """Instead of the lead's report."""
        self.reported: dict[Course, Turn] = {}
        """Before the evaluation, once."""
        self.evaluated: dict[Course, Turn] = {}
        """After the evaluation."""
        self._external: set[str] = set()
        """Numbers of other platforms that stand on calls already."""
        self.together: dict[int, tuple[PlannedCall, Call]] = {}
        """By a call's key the one with which the office merged it."""
        # Business minutes until somebody acts. The shares are those of a county that works well on the whole.
        self._accepting = Deck([6, 9, 14, 18, 22, 27, 33, 41, 55, 70, 95, 130, 170, 290], random)
        self._dispatching = Deck([0, 0, 0, 0, 0, 0, 25, 60, 110], random)
        self._responding = Deck(
            [9, 14, 20, 26, 33, 38, 45, 52, 60, 75, 88, 100, 125, 150, 175, 200, 240, 280, 320, LATE, LATE], random
        )
        self._reporting = Deck(
            [0.1, 0.14, 0.18, 0.22, 0.26, 0.3, 0.35, 0.4, 0.45, 0.5, 0.56, 0.62, 0.7, 0.78, 0.86, 0.94, LATE, LATE],
            random,
        )
        self._evaluating = Deck([40, 75, 130, 190, 240, 300, 420, 480, 540, 700, 960, 1300, 1900, NEVER], random)
        self._contents = Deck([Satisfaction.satisfied] * 7 + [Satisfaction.fair] * 3, random)
        self._sources = Deck([CallSource.own] * 6 + [CallSource.grid, CallSource.hotline], random)

    def run(self, planned: Sequence[PlannedCall], end: datetime, tell: Callable[[datetime], None]) -> None:
        """Let the planned calls go their ways until `end`."""
        for one in planned:
            self.at(one.at, partial(self.written.get(one.course, self._write), one))
        self.play(end, tell)

    # The township writes and submits

    def _write(self, one: PlannedCall) -> None:
        matter, scene = one.matter, one.scene
        officer = self.staff.officer(scene.township.organisation_id)
        leader = self.staff.leader_person(scene.township.organisation_id)
        item = self.items[matter.item] if matter.item is not None else None
        with self.acting(officer):
            call = Call(
                kind=CallKind.emergency if one.emergency else CallKind.general,
                title=scene.fill(matter.title),
                checklist_item_id=item.id if item is not None else None,
                field=item.field if item is not None else matter.field,
                description=scene.fill(matter.description),
                place=scene.fill(matter.place),
                happened_at=self._happened(one),
                contact_name=officer.name,
                contact_phone=self.staff.officer_person(scene.township.organisation_id).phone or "",
                agreed_by="" if one.emergency else f"{leader.name}（{leader.position}）",
                **self._origin(one),
            )
            call.prepare(self.session, officer)
            self.session.add(call)
            self.session.flush()
        if one.emergency:
            self.at(self.now + timedelta(minutes=2, seconds=11), partial(self._alarm, one, call))
        elif one.course is not Course.draft:
            self.soon(partial(self.submit, one, call), 2, 9)

    def _happened(self, one: PlannedCall) -> datetime:
        if one.emergency:
            return (self.now - timedelta(minutes=self.random.randrange(5, 20))).replace(second=0, microsecond=0)
        seen = self.calendar.advance(self.now, timedelta(minutes=-self.random.randrange(60, 1400)))
        return seen.replace(minute=seen.minute - seen.minute % 5, second=0, microsecond=0)

    def _origin(self, one: PlannedCall) -> dict[str, Any]:
        """Where the matter came from, with the number that it has there."""
        if one.emergency:
            return {"source": CallSource.own}
        source = CallSource(one.matter.source) if one.matter.source != "own" else self._sources.draw()
        if source == CallSource.own:
            return {"source": source}
        prefix = "12345" if source == CallSource.hotline else "WG"
        day, number = self.calendar.local_date(self.now), ""
        while not number or number in self._external:
            number = f"{prefix}-{day:%Y%m%d}-{self.random.randrange(20, 980):04d}"
        self._external.add(number)
        return {"source": source, "external_number": number}

    def submit(self, one: PlannedCall, call: Call) -> None:
        """Submit a call, and let the office get to it."""
        self.perform(self.township(call), call, "submit")
        if one.course is Course.waiting:
            return
        if one.course is Course.withdrawn_early:
            self.at(self.after(self.now, 5), partial(self._withdraw, call, "withdrawal_early"))
            return
        self.submitted.get(one.course, self.proceed)(one, call)

    def proceed(self, one: PlannedCall, call: Call) -> None:
        """The office accepts and dispatches, mostly in one step."""
        swift = one.open or one.course is Course.accepted
        wait = 12 if swift else self._accepting.draw()
        dispatching = 0 if one.open else self._dispatching.draw()
        if one.course is Course.accepted or dispatching:
            self.at(self.after(self.now, wait), partial(self._accept, one, call, dispatching))
        else:
            self.at(self.after(self.now, wait), partial(self._dispatch, one, call))

    def _withdraw(self, call: Call, why: str) -> None:
        if call.state in (CallState.submitted, CallState.accepted, CallState.dispatched) and not any(
            one.reports for one in call.assignments
        ):
            self.perform(self.township(call), call, "withdraw", reason=self.phrase(why))

    # The county office accepts and dispatches

    def _accept(self, one: PlannedCall, call: Call, dispatching: int) -> None:
        self.perform(self.dispatcher, call, "accept")
        if one.course is not Course.accepted:
            self.at(self.after(self.now, dispatching), partial(self._dispatch, one, call))

    def _dispatch(self, one: PlannedCall, call: Call) -> None:
        if call.state not in (CallState.submitted, CallState.accepted):
            return
        lead, *partners = self._first_departments(one)
        joint = {"lead": lead.short_name, "partners": "、".join(partner.short_name for partner in partners)}
        remark = (
            self.phrase("remark_joint", **joint)
            if partners
            else self.phrase("remark_single", t=one.scene.township.short_name)
        )
        self.perform(
            self.dispatcher,
            call,
            "dispatch",
            lead=lead.id,
            cooperating=[partner.id for partner in partners],
            remark=remark,
            complex="yes" if one.matter.complex else "",
        )
        for assignment in call.assignments:
            self.put_to_work(one, assignment)
        if one.course is Course.withdrawn_late:
            self.soon(partial(self._withdraw, call, "withdrawal_late"), 150, 400)
        elif one.course in self.dispatched:
            self.dispatched[one.course](one, call)
        elif self.random.random() < 0.15:
            self.soon(partial(self._note_of_township, one, call), 200, 900)

    def _first_departments(self, one: PlannedCall) -> list[Organisation]:
        """Whom the office dispatches a call to, the lead first; in some courses it learns later who belongs to it."""
        partners = [self.departments[partner.department] for partner in one.partners]
        if one.course in WRONG_FIRST:
            return partners[:1]
        lead = self.departments[one.matter.lead]
        return [lead] if one.course is Course.added else [lead, *partners]

    def _alarm(self, one: PlannedCall, call: Call) -> None:
        """An emergency goes to the departments directly (K3)."""
        names = [one.matter.lead, *(partner.department for partner in one.partners)]
        self.perform(self.township(call), call, "submit", departments=[self.departments[name].id for name in names])
        if one.open:
            return
        for position, assignment in enumerate(call.assignments):
            late = position >= len(call.assignments) - one.late
            minutes = self.random.randrange(36, 48) if late else self.random.randrange(6, 24)
            at = self.now + timedelta(minutes=minutes, seconds=self.random.randrange(60))
            self.at(at, partial(self._respond, one, assignment))
        if one.course in self.dispatched:
            self.dispatched[one.course](one, call)

    def _note_of_township(self, one: PlannedCall, call: Call) -> None:
        if call.state == CallState.dispatched:
            self.perform(self.township(call), call, "log_progress", text=self.phrase("township_progress"))

    # The departments respond and report

    def put_to_work(self, one: PlannedCall, assignment: Assignment) -> None:
        """Let a department get to a call that has just come to it."""
        leads = assignment.role == AssignmentRole.lead
        if leads and one.course in self.in_hand:
            self.in_hand[one.course](one, assignment)
            return
        if leads and one.course is Course.unanswered:
            self._urge_after(assignment, assignment.respond_due)
            self._close_when_possible(one, assignment, "missed")
            return
        delay = self._responding.draw()
        if leads and one.course is not Course.usual:
            delay = min(max(delay, 30), 200)  # the course of such a call is told by something else than a late response
        self.answer(one, assignment, delay)

    def answer(self, one: PlannedCall, assignment: Assignment, delay: int) -> None:
        """Let a department respond after so many business minutes, or when it is late."""
        due = assignment.respond_due
        if delay == LATE:
            at = self.after(due, self.random.randrange(25, 420))
            if self.random.random() < 0.5:
                self._urge_after(assignment, due)
        else:
            at = self.within(self.now, due, delay)
        self.at(at, partial(self._respond, one, assignment))

    def _urge_after(self, assignment: Assignment, due: datetime) -> None:
        self.at(self.after(due, self.random.randrange(8, 24)), partial(self._urge, assignment))

    def _urge(self, assignment: Assignment) -> None:
        if assignment.state == AssignmentState.pending and assignment.call.state == CallState.dispatched:
            self.perform(self.township(assignment.call), assignment, "urge")

    def _texts(self, one: PlannedCall, assignment: Assignment) -> tuple[str, str]:
        """Plan and result of a department in a matter."""
        if assignment.role == AssignmentRole.lead:
            return one.matter.plan, one.matter.result
        partner = next(partner for partner in one.matter.partners if partner.department == assignment.department.name)
        return partner.plan, partner.result

    def _respond(self, one: PlannedCall, assignment: Assignment) -> None:
        if assignment.state != AssignmentState.pending or assignment.call.state not in IN_HAND:
            return
        plan, _result = self._texts(one, assignment)
        at_once = self.random.random() < 0.3 and not one.emergency and not any(word in plan for word in _LATER)
        how = "on_site" if at_once else "phone"
        self.perform(
            self.department(assignment),
            assignment,
            "respond",
            how=how,
            whom=assignment.call.contact_name,
            plan=one.scene.fill(plan),
        )
        leads = assignment.role == AssignmentRole.lead
        if leads and one.course is Course.stalled:
            self._close_when_possible(one, assignment, "stalled")
            return
        if (leads or one.emergency) and one.course in self.responded:
            self.responded[one.course](one, assignment)
            return
        self.plan_report(one, assignment)

    def plan_report(self, one: PlannedCall, assignment: Assignment) -> None:
        """Choose when the report comes, and sometimes a note of progress before."""
        start, due = self.now, assignment.report_due
        if assignment.call.emergency:
            at = start + timedelta(minutes=self.random.randrange(150, 1100))
        else:
            share = self._reporting.draw()
            at = self.after(due, self.random.randrange(40, 800)) if share == LATE else self.within(start, due, 0)
            if share != LATE:
                at = self.within(start, due, share * self.calendar.minutes_between(start, due))
        if self.random.random() < 0.45 and assignment.role == AssignmentRole.lead:
            middle = self.calendar.halfway(start, at)
            text = one.scene.fill(one.matter.progress)
            self.at(max(middle, start + timedelta(minutes=5)), partial(self._log, assignment, text))
        elif at > due:
            self.at(self.after(due, 20), partial(self._log, assignment, self.phrase("urged_progress")))
        self.at(at, partial(self.report, one, assignment))

    def _log(self, assignment: Assignment, text: str) -> None:
        if assignment.state == AssignmentState.responded and assignment.call.state == CallState.dispatched:
            self.perform(self.department(assignment), assignment, "log_progress", text=text)

    def report(self, one: PlannedCall, assignment: Assignment) -> None:
        """Report, unless that is over; a lead waits for the others as long as its deadline allows."""
        call = assignment.call
        if assignment.state != AssignmentState.responded or call.state != CallState.dispatched:
            return
        leads = assignment.role == AssignmentRole.lead
        waiting = (
            [other for other in call.assignments if other is not assignment and other.state in OPEN]
            if leads and assignment.round == 1
            else []
        )
        values: dict[str, Any] = {}
        if waiting:
            again = self.after(self.now, self.random.randrange(60, 240))
            if again < assignment.report_due:
                self.at(again, partial(self.report, one, assignment))
                return
            values["without_reason"] = self.phrase(
                "without_reason", waiting="、".join(other.department.short_name for other in waiting)
            )
        _plan, result = self._texts(one, assignment)
        text = one.matter.again if assignment.round == 2 else result
        if _sent_back(assignment):
            text = f"{text}{self.phrase('report_added')}"
        said = f"{assignment.call.place}：{one.scene.fill(text)}"
        values |= {"result": said, "solved": Solved.solved.value}
        if leads and assignment.round == 1 and one.matter.reason:
            values |= {"solved": Solved.partly.value, "reason": one.scene.fill(one.matter.reason)}
        self.perform(self.department(assignment), assignment, "report", **values)
        self.plan_evaluation(one, call)
        if call.id in self.together:
            self.plan_evaluation(*self.together[call.id])

    def _close_when_possible(self, one: PlannedCall, assignment: Assignment, why: str) -> None:
        earliest = self.calendar.step_after(assignment.report_due, Limit(3, Unit.working_days))
        self.at(self.after(earliest, self.random.randrange(30, 300)), partial(self._close, one, assignment, why))

    def _close(self, one: PlannedCall, assignment: Assignment, why: str) -> None:
        if assignment.state in OPEN and assignment.call.state == CallState.dispatched:
            self.perform(self.dispatcher, assignment, "close_assignment", reason=self.phrase(why))
            self.plan_evaluation(one, assignment.call)

    # The township evaluates

    def plan_evaluation(self, one: PlannedCall, call: Call) -> None:
        """Once everything is reported, the township evaluates, mostly soon."""
        if call.state != CallState.reported:
            return
        if one.course in self.reported and not any(_sent_back(other) for other in call.assignments):
            self.reported[one.course](one, call)
            return
        delay = 60 if one.course in self.evaluated else self._evaluating.draw()
        if delay != NEVER:
            self.at(self.after(self.now, delay), partial(self._evaluate, one, call))

    def _evaluate(self, one: PlannedCall, call: Call) -> None:
        if call.state != CallState.reported:
            return
        entries = [self._judge(one, assignment) for assignment in call.assignments if _to_evaluate(assignment)]
        self.perform(
            self.township(call),
            call,
            "evaluate",
            evaluations=entries,
            signed_by=self.staff.leader_person(call.township_id).name,
        )
        if one.course in self.evaluated:
            self.evaluated[one.course](one, call)
        for assignment in call.assignments:
            if assignment.round == 2 and assignment.state == AssignmentState.responded:
                share = self.random.uniform(0.4, 0.95)
                minutes = share * self.calendar.minutes_between(self.now, assignment.report_due)
                self.at(self.within(self.now, assignment.report_due, minutes), partial(self.report, one, assignment))

    def _judge(self, one: PlannedCall, assignment: Assignment) -> dict[str, Any]:
        """What the township says of a department that has reported."""
        if assignment.state == AssignmentState.missed:
            comment = self.phrase("missed_comment")
            return {
                "assignment": assignment.id,
                "satisfaction": "dissatisfied",
                "solved": "not_solved",
                "comment": comment,
            }
        leads, complains = assignment.role == AssignmentRole.lead, one.course in COMPLAINING
        if leads and complains and assignment.round == 1:
            satisfaction, solved, comment = (
                Satisfaction.dissatisfied,
                Solved.not_solved,
                one.scene.fill(one.matter.complaint),
            )
        elif leads and complains and one.course is Course.twice_dissatisfied:
            satisfaction, solved, comment = Satisfaction.dissatisfied, Solved.partly, self.phrase("still_open")
        elif leads and complains:
            satisfaction, solved, comment = Satisfaction.satisfied, Solved.solved, self.phrase("settled_after")
        elif leads and one.matter.reason:
            satisfaction, solved, comment = Satisfaction.fair, Solved.partly, self.phrase("fair_partly")
        else:
            satisfaction = self._contents.draw() if leads else Satisfaction.satisfied
            solved, comment = Solved.solved, self.phrase(satisfaction.value)
        return {
            "assignment": assignment.id,
            "satisfaction": satisfaction.value,
            "solved": solved.value,
            "comment": comment,
        }


def _sent_back(assignment: Assignment) -> bool:
    """Whether the office sent back a report of the present round."""
    made = [one for one in assignment.reports if one.round == assignment.round]
    return len(made) > (0 if assignment.state in OPEN else 1)


def _to_evaluate(assignment: Assignment) -> bool:
    """Reported, or closed as not handled, and not yet evaluated in its round."""
    return (
        assignment.state in (AssignmentState.reported, AssignmentState.missed)
        and assignment.evaluation_of(assignment.round) is None
    )
