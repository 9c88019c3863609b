"""The month of calls, performed: people act one after another at their instants, and the sweep runs whenever a step of the ladder is due."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.demonstration.deck import Deck
from app.demonstration.matters import Library
from app.demonstration.people import Staff
from app.demonstration.plan import COMPLAINING, Course, PlannedCall
from models import clock, viewer
from models.base import Record
from models.calendar import work_calendar
from models.call import (
    Assignment,
    AssignmentRole,
    AssignmentState,
    Call,
    CallKind,
    CallSource,
    CallState,
    Satisfaction,
    Solved,
)
from models.checklist import ChecklistItem
from models.organisation import Organisation
from models.sweep import sweep
from models.viewer import Viewer
from models.workflow import perform
from models.worktime import Limit, Unit, WorkCalendar

Act = Callable[[], None]

LATE = -1
"""In a deck of delays: after the deadline."""

NEVER = -2
"""In a deck of delays: not within the month."""

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


class Month:
    """Performs planned calls. Everything goes through `models.workflow.perform` as the person who would do it; nothing is written past it."""

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
        self.session = session
        self.county_id = county_id
        self.items = items
        self.departments = departments
        self.staff = staff
        self.random = random
        self._queue: list[tuple[datetime, int, Act]] = []
        self._order = count()
        self._now = datetime.min.replace(tzinfo=UTC)
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
        self._phrases = {name: Deck(texts, random) for name, texts in library.phrases.items()}

    @property
    def calendar(self) -> WorkCalendar:
        return work_calendar(self.session, self.county_id)

    def run(self, planned: Sequence[PlannedCall], end: datetime, tell: Callable[[datetime], None]) -> None:
        """Let everything happen that happens before `end`; what would come later stays undone, as on any evening."""
        for one in planned:
            self._at(one.at, partial(self._write, one))
        while self._queue and self._queue[0][0] < end:
            instant, _order, act = heapq.heappop(self._queue)
            self._sweep_until(instant)
            tell(instant)
            self._now = instant
            act()
        self._sweep_until(end)

    # Time

    def _at(self, instant: datetime, act: Act) -> None:
        heapq.heappush(self._queue, (instant, next(self._order), act))

    def _after(self, start: datetime, business_minutes: float) -> datetime:
        """An instant in office hours, so many business minutes later, at some second."""
        return self.calendar.advance(start, timedelta(minutes=business_minutes)) + timedelta(
            seconds=self.random.randrange(2, 50)
        )

    def _within(self, start: datetime, due: datetime, business_minutes: float) -> datetime:
        """Like `_after`, but a little before the deadline at the latest."""
        latest = due - timedelta(minutes=self.random.randrange(8, 25))
        return min(self._after(start, business_minutes), max(latest, start + timedelta(minutes=1)))

    def _sweep_until(self, instant: datetime) -> None:
        """Run the sweep at every full minute at which a step is due, as the scheduler would."""
        while True:
            with viewer.system():
                due = self.session.scalar(
                    sa.select(sa.func.min(Assignment.next_step_at)).where(Assignment.next_step_at.is_not(None))
                )
            if due is None:
                return
            tick = due.replace(second=0, microsecond=0)
            tick = tick if tick == due else tick + timedelta(minutes=1)
            if tick > instant:
                return
            with clock.at(tick):
                sweep(self._transaction)

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        """The sweep's transactions are parts of the one that loads everything."""
        yield self.session
        self.session.flush()

    # Acting

    def _perform(self, who: Viewer, record: Record, name: str, **values: Any) -> None:
        with clock.at(self._now), viewer.viewing(who):
            perform(self.session, type(record), record.id, name, values)

    def _phrase(self, name: str, **names: str) -> str:
        return self._phrases[name].draw().format(**names)

    def _township(self, call: Call) -> Viewer:
        return self.staff.officer(call.township_id)

    def _department(self, assignment: Assignment) -> Viewer:
        return self.staff.officer(assignment.department_id)

    # The township writes and submits

    def _write(self, one: PlannedCall) -> None:
        matter, scene = one.matter, one.scene
        officer = self.staff.officer(scene.township.organisation_id)
        leader = self.staff.leader_person(scene.township.organisation_id)
        item = self.items[matter.item] if matter.item is not None else None
        with clock.at(self._now), viewer.viewing(officer):
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
            self._at(self._now + timedelta(minutes=2, seconds=11), partial(self._alarm, one, call))
        elif one.course is not Course.draft:
            self._at(self._after(self._now, self.random.randrange(2, 9)), partial(self._submit, one, call))

    def _happened(self, one: PlannedCall) -> datetime:
        if one.emergency:
            return (self._now - timedelta(minutes=self.random.randrange(5, 20))).replace(second=0, microsecond=0)
        seen = self.calendar.advance(self._now, timedelta(minutes=-self.random.randrange(60, 1400)))
        return seen.replace(minute=seen.minute - seen.minute % 5, second=0, microsecond=0)

    def _origin(self, one: PlannedCall) -> dict[str, Any]:
        """Where the matter came from, with the number that it has there."""
        if one.emergency:
            return {"source": CallSource.own}
        source = CallSource(one.matter.source) if one.matter.source != "own" else self._sources.draw()
        if source == CallSource.own:
            return {"source": source}
        prefix = "12345" if source == CallSource.hotline else "WG"
        return {
            "source": source,
            "external_number": f"{prefix}-{self.calendar.local_date(self._now):%Y%m%d}-{self.random.randrange(20, 980):04d}",
        }

    def _submit(self, one: PlannedCall, call: Call) -> None:
        self._perform(self._township(call), call, "submit")
        if one.course is Course.waiting:
            return
        if one.course is Course.withdrawn_early:
            self._at(self._after(self._now, 5), partial(self._withdraw, call, "withdrawal_early"))
            return
        wait = 12 if one.course is Course.accepted else self._accepting.draw()
        dispatching = self._dispatching.draw()
        if one.course is Course.accepted or dispatching:
            self._at(self._after(self._now, wait), partial(self._accept, one, call, dispatching))
        else:
            self._at(self._after(self._now, wait), partial(self._dispatch, one, call))

    def _withdraw(self, call: Call, why: str) -> None:
        if call.state in (CallState.submitted, CallState.accepted, CallState.dispatched) and not any(
            one.reports for one in call.assignments
        ):
            self._perform(self._township(call), call, "withdraw", reason=self._phrase(why))

    # The county office accepts and dispatches

    def _accept(self, one: PlannedCall, call: Call, dispatching: int) -> None:
        self._perform(self.staff.viewer("dispatcher"), call, "accept")
        if one.course is not Course.accepted:
            self._at(self._after(self._now, dispatching), partial(self._dispatch, one, call))

    def _dispatch(self, one: PlannedCall, call: Call) -> None:
        matter = one.matter
        lead = self.departments[matter.lead]
        partners = [self.departments[partner.department] for partner in one.partners]
        joint = {"lead": lead.short_name, "partners": "、".join(partner.short_name for partner in partners)}
        remark = (
            self._phrase("remark_joint", **joint)
            if partners
            else self._phrase("remark_single", t=one.scene.township.short_name)
        )
        self._perform(
            self.staff.viewer("dispatcher"),
            call,
            "dispatch",
            lead=lead.id,
            cooperating=[partner.id for partner in partners],
            remark=remark,
            complex="yes" if matter.complex else "",
        )
        self._set_departments_to_work(one, call)
        if one.course is Course.withdrawn_late:
            self._at(
                self._after(self._now, self.random.randrange(150, 400)),
                partial(self._withdraw, call, "withdrawal_late"),
            )
        elif self.random.random() < 0.15:
            self._at(
                self._after(self._now, self.random.randrange(200, 900)), partial(self._note_of_township, one, call)
            )

    def _alarm(self, one: PlannedCall, call: Call) -> None:
        """An emergency goes to the departments directly (K3)."""
        names = [one.matter.lead, *(partner.department for partner in one.partners)]
        self._perform(self._township(call), call, "submit", departments=[self.departments[name].id for name in names])
        for position, assignment in enumerate(call.assignments):
            late = position >= len(call.assignments) - one.late
            minutes = self.random.randrange(36, 48) if late else self.random.randrange(6, 24)
            at = self._now + timedelta(minutes=minutes, seconds=self.random.randrange(60))
            self._at(at, partial(self._respond, one, assignment))

    def _note_of_township(self, one: PlannedCall, call: Call) -> None:
        if call.state == CallState.dispatched:
            self._perform(self._township(call), call, "log_progress", text=self._phrase("township_progress"))

    # The departments respond and report

    def _set_departments_to_work(self, one: PlannedCall, call: Call) -> None:
        for assignment in call.assignments:
            leads = assignment.role == AssignmentRole.lead
            if leads and one.course is Course.unanswered:
                self._close_when_possible(one, assignment, "missed")
                continue
            delay = self._responding.draw()
            if leads and one.course is not Course.usual:
                delay = max(delay, 30)  # the course of such a call is told by something else than a late response
            due = assignment.respond_due
            at = (
                self._after(due, self.random.randrange(25, 420))
                if delay == LATE
                else self._within(self._now, due, delay)
            )
            self._at(at, partial(self._respond, one, assignment))

    def _texts(self, one: PlannedCall, assignment: Assignment) -> tuple[str, str]:
        """Plan and result of a department in a matter."""
        if assignment.role == AssignmentRole.lead:
            return one.matter.plan, one.matter.result
        partner = next(partner for partner in one.matter.partners if partner.department == assignment.department.name)
        return partner.plan, partner.result

    def _respond(self, one: PlannedCall, assignment: Assignment) -> None:
        if assignment.state != AssignmentState.pending or assignment.call.state != CallState.dispatched:
            return
        plan, _result = self._texts(one, assignment)
        at_once = self.random.random() < 0.3 and not one.emergency and not any(word in plan for word in _LATER)
        how = "on_site" if at_once else "phone"
        self._perform(
            self._department(assignment),
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
        self._plan_report(one, assignment)

    def _plan_report(self, one: PlannedCall, assignment: Assignment) -> None:
        """Choose when the report comes, and sometimes a note of progress before."""
        start, due = self._now, assignment.report_due
        if one.emergency:
            at = start + timedelta(minutes=self.random.randrange(150, 1100))
        else:
            share = self._reporting.draw()
            at = self._after(due, self.random.randrange(40, 800)) if share == LATE else self._within(start, due, 0)
            if share != LATE:
                at = self._within(start, due, share * self.calendar.minutes_between(start, due))
        if self.random.random() < 0.45 and assignment.role == AssignmentRole.lead:
            middle = self.calendar.halfway(start, at)
            text = one.scene.fill(one.matter.progress)
            self._at(max(middle, start + timedelta(minutes=5)), partial(self._log, assignment, text))
        elif at > due:
            self._at(self._after(due, 20), partial(self._log, assignment, self._phrase("urged_progress")))
        self._at(at, partial(self._report, one, assignment))

    def _log(self, assignment: Assignment, text: str) -> None:
        if assignment.state == AssignmentState.responded and assignment.call.state == CallState.dispatched:
            self._perform(self._department(assignment), assignment, "log_progress", text=text)

    def _report(self, one: PlannedCall, assignment: Assignment) -> None:
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
            again = self._after(self._now, self.random.randrange(60, 240))
            if again < assignment.report_due:
                self._at(again, partial(self._report, one, assignment))
                return
            values["without_reason"] = self._phrase(
                "without_reason", waiting="、".join(other.department.short_name for other in waiting)
            )
        _plan, result = self._texts(one, assignment)
        text = one.matter.again if assignment.round == 2 else result
        values |= {"result": one.scene.fill(text), "solved": Solved.solved.value}
        if leads and assignment.round == 1 and one.matter.reason:
            values |= {"solved": Solved.partly.value, "reason": one.scene.fill(one.matter.reason)}
        self._perform(self._department(assignment), assignment, "report", **values)
        self._plan_evaluation(one, call)

    def _close_when_possible(self, one: PlannedCall, assignment: Assignment, why: str) -> None:
        earliest = self.calendar.step_after(assignment.report_due, Limit(3, Unit.working_days))
        self._at(self._after(earliest, self.random.randrange(30, 300)), partial(self._close, one, assignment, why))

    def _close(self, one: PlannedCall, assignment: Assignment, why: str) -> None:
        if assignment.state in OPEN and assignment.call.state == CallState.dispatched:
            self._perform(self.staff.viewer("dispatcher"), assignment, "close_assignment", reason=self._phrase(why))
            self._plan_evaluation(one, assignment.call)

    # The township evaluates

    def _plan_evaluation(self, one: PlannedCall, call: Call) -> None:
        if call.state != CallState.reported:
            return
        delay = self._evaluating.draw()
        if delay != NEVER:
            self._at(self._after(self._now, delay), partial(self._evaluate, one, call))

    def _evaluate(self, one: PlannedCall, call: Call) -> None:
        if call.state != CallState.reported:
            return
        entries = [self._judge(one, assignment) for assignment in call.assignments if _to_evaluate(assignment)]
        self._perform(
            self._township(call),
            call,
            "evaluate",
            evaluations=entries,
            signed_by=self.staff.leader_person(call.township_id).name,
        )
        for assignment in call.assignments:
            if assignment.round == 2 and assignment.state == AssignmentState.responded:
                share = self.random.uniform(0.4, 0.95)
                minutes = share * self.calendar.minutes_between(self._now, assignment.report_due)
                self._at(
                    self._within(self._now, assignment.report_due, minutes), partial(self._report, one, assignment)
                )

    def _judge(self, one: PlannedCall, assignment: Assignment) -> dict[str, Any]:
        """What the township says of a department that has reported."""
        if assignment.state == AssignmentState.missed:
            comment = self._phrase("missed_comment")
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
            satisfaction, solved, comment = Satisfaction.dissatisfied, Solved.partly, self._phrase("still_open")
        elif leads and complains:
            satisfaction, solved, comment = Satisfaction.satisfied, Solved.solved, self._phrase("settled_after")
        elif leads and one.matter.reason:
            satisfaction, solved, comment = Satisfaction.fair, Solved.partly, self._phrase("fair_partly")
        else:
            satisfaction = self._contents.draw() if leads else Satisfaction.satisfied
            solved, comment = Solved.solved, self._phrase(satisfaction.value)
        return {
            "assignment": assignment.id,
            "satisfaction": satisfaction.value,
            "solved": solved.value,
            "comment": comment,
        }


def _to_evaluate(assignment: Assignment) -> bool:
    """Reported, or closed as not handled, and not yet evaluated in its round."""
    return (
        assignment.state in (AssignmentState.reported, AssignmentState.missed)
        and assignment.evaluation_of(assignment.round) is None
    )
