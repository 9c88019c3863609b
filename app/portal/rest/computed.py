"""Values that the core's resources read beside their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from app.portal.rest.shape import ComputedColumn
from models import clock, viewer
from models.call import Assignment, Call
from models.call_report import Report
from models.call_words import Mark
from models.document import Document
from models.supervision import Notice, NoticeEntry

_IDS = {"type": "array", "items": {"type": "integer", "format": "int64"}}


def _assignments_of_calls(session: Session, calls: Sequence[Any]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {call.id: [] for call in calls}
    rows = session.execute(
        sa.select(Assignment.call_id, Assignment.id)
        .where(Assignment.call_id.in_(found))
        .order_by(Assignment.call_id, Assignment.position)
    )
    for call_id, assignment_id in rows:
        found[call_id].append(assignment_id)
    return found


def _assignments_of_notices(session: Session, notices: Sequence[Any]) -> dict[int, list[int]]:
    """The assignments on each notice, once each, as far as the viewer sees them."""
    found: dict[int, list[int]] = {notice.id: [] for notice in notices}
    rows = session.execute(
        sa.select(NoticeEntry.notice_id, Assignment.id)
        .join(Assignment, Assignment.id == NoticeEntry.assignment_id)
        .where(NoticeEntry.notice_id.in_(found))
        .distinct()
        .order_by(NoticeEntry.notice_id, Assignment.id)
    )
    for notice_id, assignment_id in rows:
        found[notice_id].append(assignment_id)
    return found


def _marks(session: Session, assignments: Sequence[Any]) -> dict[int, list[str]]:
    """The marks of each assignment. Reports are read for the whole page at once, and as the system: a mark does not depend on who looks."""
    reports: dict[int, list[Report]] = {one.id: [] for one in assignments}
    with viewer.system():
        for report in session.scalars(
            sa.select(Report).where(Report.assignment_id.in_(reports)).order_by(Report.round)
        ):
            reports[report.assignment_id].append(report)
    now = clock.now()
    for one in assignments:
        set_committed_value(one, "reports", reports[one.id])
    return {one.id: [str(mark.value) for mark in one.marks(now)] for one in assignments}


COLUMNS: Mapping[type[Any], Mapping[str, ComputedColumn]] = {
    Call: {
        "assignments": ComputedColumn(_l("Assignments"), _assignments_of_calls, _IDS),
    },
    Assignment: {
        "marks": ComputedColumn(
            _l("Marks"),
            _marks,
            {"type": "array", "items": {"type": "string", "enum": [str(mark.value) for mark in Mark]}},
        )
    },
    Notice: {"assignments": ComputedColumn(_l("Assignments"), _assignments_of_notices, _IDS)},
    Document: {
        "about": ComputedColumn(
            _l("About"),
            lambda session, documents: {one.id: {"type": one.about_type, "id": one.about_id} for one in documents},
            {
                "type": "object",
                "properties": {"type": {"type": "string"}, "id": {"type": "integer", "format": "int64"}},
            },
        ),
        "sha256": ComputedColumn(
            _l("Checksum"),
            lambda session, documents: {one.id: one.sha256 for one in documents},
            {"type": "string", "nullable": True, "description": "Null until the paper is produced"},
        ),
    },
}
"""By record type; a view adds its own in `extra_columns`."""
