"""Which papers belong to a call: its flow sheets, the slips that name it, the records of its meetings."""

from __future__ import annotations

import sqlalchemy as sa

from models.call import Assignment
from models.convening import Convening
from models.document import Document
from models.supervision import Notice, NoticeEntry


def papers_of_call(call_id: int) -> sa.ColumnElement[bool]:
    """The condition on documents. Who may read one is the row filter's business."""
    assignment, meeting, entry = (sa.inspect(model).local_table for model in (Assignment, Convening, NoticeEntry))
    slips = sa.select(entry.c.notice_id).where(
        entry.c.assignment_id.in_(sa.select(assignment.c.id).where(assignment.c.call_id == call_id))
    )
    meetings = sa.select(meeting.c.id).where(meeting.c.call_id == call_id)
    return sa.or_(
        sa.and_(Document.about_type == "call", Document.about_id == call_id),
        sa.and_(Document.about_type == Notice.resource(), Document.about_id.in_(slips)),
        sa.and_(Document.about_type == Convening.resource(), Document.about_id.in_(meetings)),
    )
