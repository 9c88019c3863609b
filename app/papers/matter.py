"""What papers of supervision say about one matter: its times, how it was reminded of, where it stands (2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.papers import labels
from app.papers.durations import MOMENT, Ruler
from models.calendar import work_calendar
from models.call import Assignment
from models.call_words import AssignmentState, CallState
from models.conclusion import Conclusion, Finding
from models.organisation import Organisation
from models.review import ReviewRequest, ReviewState
from models.setting import setting
from models.supervision import Notice, NoticeEntry, NoticeKind
from reports.wording import full_instant_text, instant_text

FINDINGS: Final[Mapping[Finding, str]] = {
    Finding.late_response: "迟响应",
    Finding.no_response: "不响应",
    Finding.no_action: "响应不作为",
    Finding.none: "未发现问题",
}
STATES: Final[Mapping[CallState, str]] = {
    CallState.closed: "已办结",
    CallState.long_term: "长期办理",
    CallState.withdrawn: "已撤回",
    CallState.reported: "已反馈，待评价",
}
UNDER_WAY = "正在办理"


def bare(text: str) -> str:
    """A text of people as part of a sentence: on one line, without its full stop."""
    return " ".join(text.split()).rstrip("。；. ")


def review_body(session: Session, county_id: int) -> str:
    """Who decides reviews: by setting, else the county's government (document texts, introduction)."""
    named = str(setting(session, county_id, "review_body"))
    return named or f"{session.get_one(Organisation, county_id).name}人民政府"


@dataclass(frozen=True)
class Matter:
    """What a conclusion is about, as finished texts at an instant."""

    conclusion: Conclusion
    session: Session
    as_of: datetime

    @property
    def assignment(self) -> Assignment | None:
        return self.conclusion.assignment

    @property
    def ruler(self) -> Ruler:
        call = self.conclusion.call
        return Ruler(work_calendar(self.session, self.conclusion.county_id), wall=call is not None and call.emergency)

    def _at(self, instant: datetime | None) -> str:
        return instant_text(instant, self.ruler.calendar.zone) if instant is not None else ""

    @property
    def call_no(self) -> str:
        call = self.conclusion.call
        return (call.number or "") if call is not None else ""

    @property
    def dept(self) -> str:
        assert self.conclusion.department is not None
        return self.conclusion.department.name

    @property
    def finding(self) -> str:
        """The finding, and whether it is under review (document texts, rule 4)."""
        assert self.conclusion.finding is not None
        return FINDINGS[self.conclusion.finding] + ("（复核中）" if self.reviewed else "")

    @property
    def reviewed(self) -> bool:
        """Whether a review of the conclusion has not been decided yet."""
        table = sa.inspect(ReviewRequest).local_table
        open_ = sa.select(table.c.id).where(
            table.c.conclusion_id == self.conclusion.id, table.c.state != ReviewState.decided.value
        )
        return self.session.connection().scalar(open_.limit(1)) is not None

    @property
    def role(self) -> str:
        return labels.ROLES[self.assignment.role] if self.assignment is not None else ""

    @property
    def sent_at(self) -> str:
        if self.assignment is None:
            return ""
        return full_instant_text(self.assignment.assigned_at, self.ruler.calendar.zone)

    @property
    def respond_due(self) -> str:
        return self._at(self.assignment.respond_due) if self.assignment is not None else ""

    @property
    def report_due(self) -> str:
        return self._at(self._first_report_due()) if self.assignment is not None else ""

    def _first_report_due(self) -> datetime | None:
        assert self.assignment is not None
        report = self.assignment.report_of(1)
        return report.due if report is not None else self.assignment.report_due

    @property
    def responded(self) -> str:
        """When it was responded to, or that it was not."""
        if self.assignment is None:
            return ""
        return self._at(self.assignment.responded_at) or "未响应"

    @property
    def reported(self) -> str:
        if self.assignment is None:
            return ""
        report = self.assignment.report_of(1)
        return self._at(report.reported_at) if report is not None else "未反馈"

    @property
    def overdue(self) -> str:
        """By how much the response was late, or has been until now; empty if it was not."""
        if self.assignment is None:
            return ""
        until = self.assignment.responded_at or self.assignment.unanswered_until(self.as_of)
        if until <= self.assignment.respond_due:
            return ""
        return self.ruler.overdue_text(self.assignment.respond_due, until) or MOMENT

    @property
    def overdue_minutes(self) -> int:
        """The same in minutes, to find the longest."""
        if self.assignment is None:
            return 0
        until = self.assignment.responded_at or self.assignment.unanswered_until(self.as_of)
        return self.ruler.minutes(self.assignment.respond_due, until)

    @property
    def facts(self) -> str:
        """What happened, from the records where the matter is an assignment, else as it was found."""
        if self.assignment is None:
            return bare(self.conclusion.facts)
        if self.assignment.responded_at is None:
            told = "该部门至今未响应" if self.assignment.state != AssignmentState.missed else "该部门未响应、未办理"
        else:
            told = f"该部门于{self.responded}响应"
        return f"{told}，超过规定时限{self.overdue}" if self.overdue else told

    def notice_at(self, kind: NoticeKind) -> str:
        """When the first slip of a kind about the assignment was issued, or empty."""
        if self.assignment is None:
            return ""
        query = (
            sa.select(Notice.issued_at)
            .join(NoticeEntry, NoticeEntry.notice_id == Notice.id)
            .where(NoticeEntry.assignment_id == self.assignment.id, Notice.kind == kind, Notice.issued_at.is_not(None))
        )
        return self._at(self.session.scalar(query.order_by(Notice.issued_at).limit(1)))

    @property
    def state(self) -> str:
        """Where the call stands."""
        call = self.conclusion.call
        return STATES.get(call.state, UNDER_WAY) if call is not None else UNDER_WAY
