"""督办通知单: from the entries of a notice that a supervisor signs to the slip (2.2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.papers import labels
from app.papers.durations import MOMENT, Ruler
from app.papers.printable import paper
from models import viewer
from models.calendar import work_calendar
from models.call import Assignment, Call
from models.call_roles import portfolio_leader
from models.document import Document
from models.escalation import Instruction
from models.paper import Paper, platform_office
from models.setting import setting
from models.supervision import Notice, NoticeEntry, NoticeKind
from models.viewer import Viewer
from models.worktime import WorkCalendar
from reports.supervision import Supervision, SupervisionCase, SupervisionInstruction
from reports.wording import date_text, instant_text

TITLE = "“乡呼县应”事项督办通知单"
ASKED = {"respond": "作出响应", "report": "办理到位"}
"""What a slip asks for by its own deadline, by the clock that ran out."""


def compose(session: Session, notice: Notice, document: Document, reader: Viewer | None) -> Paper:
    """The slip as of its signature: about what the department still owes then. Everybody who may read it reads the same."""
    with viewer.system():
        calendar = work_calendar(session, notice.county_id)
        office, now = document.issuer, document.issued_at
        entries = [entry for entry in notice.entries if entry.running]
        owed: dict[Assignment, list[NoticeEntry]] = defaultdict(list)
        for entry in sorted(entries, key=lambda one: (one.due, one.assignment.id)):
            owed[entry.assignment].append(entry)
        instructions = _instructions([assignment.call for assignment in owed], notice.department_id)
        leader = portfolio_leader(session, notice.department_id)
        signed_by = notice.signed_by
        context = Supervision(
            slip_number=document.number,
            urgency="特急" if any(assignment.call.emergency for assignment in owed) else "加急",
            dept=notice.department.name,
            cases=tuple(_case(assignment, late, document, calendar) for assignment, late in owed.items()),
            as_of=instant_text(now, calendar.zone),
            reminder_number="、".join(_reminders(session, entries)),
            instructions=instructions,
            responsible_level="主要负责人" if instructions else "分管负责人",
            slip_due=instant_text(
                calendar.deadline(now, setting(session, notice.county_id, "supervision_due")), calendar.zone
            ),
            required_action=_joined(entries, ASKED),
            supervision_office=office.name,
            date=date_text(now, calendar.zone),
            platform_office=platform_office(session, notice.county_id).name,
            portfolio_leader=(leader.position or "县领导") if leader is not None else "",
            contact=signed_by.name if signed_by is not None else "",
            phone=office.phone or setting(session, notice.county_id, "office_phone"),
        )
        return paper(context, TITLE)


def _case(
    assignment: Assignment, late: Sequence[NoticeEntry], document: Document, calendar: WorkCalendar
) -> SupervisionCase:
    """One matter; `late` are the clocks that ran out, the first of them first."""
    call, zone = assignment.call, calendar.zone
    return SupervisionCase(
        call_no=call.number or "",
        call_title=call.title,
        town=call.township.short_name,
        role=labels.ROLES[assignment.role],
        called_at=instant_text(call.submitted_at or assignment.assigned_at, zone),
        sent_at=instant_text(assignment.assigned_at, zone),
        respond_due=instant_text(assignment.respond_due, zone),
        report_due=instant_text(assignment.report_due, zone),
        missing=_joined(late, labels.ACTIONS),
        overdue=Ruler(calendar, call.emergency).overdue_text(late[0].due, document.issued_at) or MOMENT,
    )


def _joined(entries: Sequence[NoticeEntry], words: dict[str, str]) -> str:
    """The words of the clocks that ran out, in the order of the procedure."""
    return "、".join(said for clock, said in words.items() if any(entry.clock == clock for entry in entries))


def _reminders(session: Session, entries: Sequence[NoticeEntry]) -> Sequence[str]:
    """The numbers of the reminder slips about the same clocks."""
    same = sa.tuple_(NoticeEntry.assignment_id, NoticeEntry.clock, NoticeEntry.round).in_(
        [(one.assignment_id, one.clock, one.round) for one in entries]
    )
    numbers = session.scalars(
        sa.select(Notice.number)
        .join(NoticeEntry, NoticeEntry.notice_id == Notice.id)
        .where(Notice.kind == NoticeKind.reminder, Notice.number.is_not(None), same)
        .order_by(Notice.id)
    )
    return [number for number in dict.fromkeys(numbers) if number]


def _instructions(calls: Sequence[Call], department_id: int) -> tuple[SupervisionInstruction, ...]:
    """The newest instruction on each matter that is meant for this department."""
    newest: list[Instruction] = []
    for call in dict.fromkeys(calls):
        meant = [one for one in call.instructions if one.target_id in (None, department_id)]
        newest += sorted(meant, key=lambda one: (one.day, one.id))[-1:]
    return tuple(
        SupervisionInstruction(
            leader_title=one.leader.position or "县领导",
            instruction_date=date_text(one.day),
            instruction_title=one.call.title,
            instruction_text=one.text.rstrip("。"),
        )
        for one in newest
    )
