"""现场协调记录: from a meeting on site, as the township recorded it, to the form (2.1; K2)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.papers.printable import paper
from models import viewer
from models.calendar import work_calendar
from models.convening import Attendance, Convening
from models.document import Document
from models.paper import Paper
from models.viewer import Viewer
from reports.onsite_record import Absent, Attending, Decision, OnsiteRecord
from reports.wording import date_text, full_instant_text, listing

UNEXPLAINED = "未说明原因"


def compose(session: Session, meeting: Convening, document: Document, reader: Viewer | None) -> Paper:
    """The record as it was kept. Everybody who may read it reads the same."""
    with viewer.system():
        zone = work_calendar(session, meeting.county_id).zone
        call = meeting.call
        present = [one for one in meeting.invitees if one.attendance == Attendance.present]
        context = OnsiteRecord(
            number=document.number,
            call_no=call.number or "",
            call_title=call.title,
            town=call.township.short_name,
            author=document.issuer.name,
            date=date_text(document.issued_at, zone),
            held_at=full_instant_text(meeting.at, zone),
            place=meeting.place,
            chair=meeting.chair,
            called=listing(one.organisation.short_name for one in meeting.invitees),
            attending=(
                Attending(call.township.short_name, meeting.township_names),
                *(Attending(one.organisation.short_name, one.names) for one in present),
            ),
            absent=tuple(
                Absent(one.organisation.short_name, one.excuse or UNEXPLAINED)
                for one in meeting.invitees
                if one not in present
            ),
            matter=meeting.matter,
            course=meeting.record,
            decisions=tuple(
                Decision(one.text, one.department.short_name, date_text(one.day)) for one in meeting.milestones
            ),
            disagreements=meeting.disagreements,
            recorder=meeting.recorder,
        )
        return paper(context, f"“{call.title}”现场协调记录")
