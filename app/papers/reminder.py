"""催办通知单: from a notice's entries to the slip (2.2)."""

from __future__ import annotations

from collections import Counter

from sqlalchemy.orm import Session

from app.papers import labels
from app.papers.durations import MOMENT, Ruler
from app.papers.printable import paper
from models import viewer
from models.calendar import work_calendar
from models.document import Document
from models.paper import Paper
from models.setting import setting
from models.supervision import Notice, NoticeEntry
from models.viewer import Viewer
from models.worktime import WorkCalendar
from reports.reminder import Reminder, ReminderCase
from reports.wording import date_text, full_instant_text, instant_text

TITLE = "“乡呼县应”事项催办通知单"


def compose(session: Session, notice: Notice, document: Document, reader: Viewer | None) -> Paper:
    """The slip as of its issue. Everybody who may read it reads the same."""
    with viewer.system():
        calendar = work_calendar(session, notice.county_id)
        office, now = document.issuer, document.issued_at
        entries = sorted(notice.entries, key=lambda entry: (entry.due, entry.assignment.id))
        named = Counter(entry.assignment.id for entry in entries)
        clocks = [clock for clock in labels.ACTIONS if any(entry.clock == clock for entry in entries)]
        context = Reminder(
            slip_number=document.number,
            issued_at=full_instant_text(now, calendar.zone),
            dept=notice.department.name,
            soon=False,
            new_due=instant_text(
                calendar.deadline(now, setting(session, notice.county_id, "reminder_due")), calendar.zone
            ),
            action="或者".join(labels.ACTIONS[clock] for clock in clocks),
            cases=tuple(
                _case(entry, document, calendar, named_twice=named[entry.assignment.id] > 1) for entry in entries
            ),
            platform_office=office.name,
            date=date_text(now, calendar.zone),
            contact=setting(session, notice.county_id, "platform_contact"),
            phone=setting(session, notice.county_id, "office_phone") or office.phone,
        )
        return paper(context, TITLE)


def _case(entry: NoticeEntry, document: Document, calendar: WorkCalendar, *, named_twice: bool) -> ReminderCase:
    """One overdue clock. A matter of which both clocks ran out stands there twice, and then says which is meant."""
    assignment = entry.assignment
    call, zone = assignment.call, calendar.zone
    due = instant_text(entry.due, zone)
    return ReminderCase(
        call_no=call.number or "",
        call_title=call.title,
        town=call.township.short_name,
        role=labels.ROLES[assignment.role],
        sent_at=instant_text(assignment.assigned_at, zone),
        due=f"{due}（{labels.CLOCKS[entry.clock]}）" if named_twice else due,
        state=labels.ASSIGNMENT_STATES[assignment.state],
        overdue=Ruler(calendar, call.emergency).overdue_text(entry.due, document.issued_at) or MOMENT,
        urge_count=0,
        town_contact=call.contact_name or (call.submitted_by.name if call.submitted_by else ""),
        town_phone=call.contact_phone or call.township.phone,
    )
