"""Notices and the steps of the overdue ladder that were taken (2.2)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask_appbuilder import Model
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models import viewer
from models.base import KEY, CountyRecord, UtcDateTime, choice_type, column, person_reference, reference
from models.call import Assignment
from models.call_words import AssignmentState
from models.document import Document
from models.field import Choice
from models.organisation import Organisation
from models.person import Person
from models.workflow import State


class NoticeKind(Choice):
    reminder = "reminder", _l("Reminder slip")
    supervision = "supervision", _l("Supervision slip")


class NoticeState(State):
    drafted = "drafted", _l("Waiting for signature"), "waiting"
    issued = "issued", _l("Issued"), "done", True
    dropped = "dropped", _l("Dropped"), "muted", True


class Notice(CountyRecord):
    """A slip to a department about overdue assignments: all that one sweep found for it."""

    label = _l("Notice")
    plural = _l("Notices")

    kind: Mapped[NoticeKind] = column(
        _l("Kind"), choice_type(NoticeKind), listed=True, searched=True, editable=False, nullable=False
    )
    number: Mapped[str | None] = column(_l("Number"), sa.String(60), listed=True, searched=True, editable=False)
    department_id: Mapped[int] = reference(
        _l("Department"), "organisation", listed=True, searched=True, editable=False, nullable=False
    )
    state: Mapped[NoticeState] = column(
        _l("State"), choice_type(NoticeState), listed=True, editable=False, nullable=False
    )
    sign_due: Mapped[datetime | None] = column(_l("Signature due"), UtcDateTime, editable=False)
    issued_at: Mapped[datetime | None] = column(_l("Issued at"), UtcDateTime, listed=True, editable=False)
    signed_by_id: Mapped[int | None] = person_reference(_l("Signed by"), editable=False)
    document_id: Mapped[int | None] = reference(_l("Document"), "document", editable=False)
    receipt_at: Mapped[datetime | None] = column(_l("Receipt"), UtcDateTime, editable=False)
    """When the department filled in the receipt of a supervision slip; what it wrote stands in the event."""

    department: Mapped[Organisation] = relationship(foreign_keys=[department_id])
    signed_by: Mapped[Person | None] = relationship(foreign_keys=[signed_by_id])
    document: Mapped[Document | None] = relationship()
    entries: Mapped[list[NoticeEntry]] = relationship(
        back_populates="notice", order_by="NoticeEntry.assignment_id", cascade="all, delete-orphan"
    )

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """The offices and the supervisors of the county; the department addressed, once issued."""
        table = sa.inspect(cls).local_table
        if person.has_role("dispatcher", "office_director", "supervisor", "county_leader"):
            return sa.select(table.c.id).where(table.c.county_id.in_(person.region_ids))
        if person.has_role("department_officer"):
            return sa.select(table.c.id).where(
                table.c.department_id == person.organisation_id, table.c.state == NoticeState.issued.value
            )
        return sa.select(table.c.id).where(sa.false())

    @property
    def title(self) -> str:
        return f"{self.number or ''} {self.department.short_name}".strip()


class NoticeEntry(Model):
    """An assignment on a notice, and which of its clocks had run out."""

    __tablename__ = "notice_entry"

    notice_id: Mapped[int] = mapped_column(KEY, sa.ForeignKey("notice.id", ondelete="CASCADE"), primary_key=True)
    assignment_id: Mapped[int] = mapped_column(KEY, sa.ForeignKey("assignment.id"), primary_key=True, index=True)
    clock: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    round: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    due: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)

    notice: Mapped[Notice] = relationship(back_populates="entries")
    assignment: Mapped[Assignment] = relationship()

    @property
    def running(self) -> bool:
        """Whether the clock that had run out still waits for the department."""
        one = self.assignment
        waits = {AssignmentState.pending} if self.clock == "respond" else RUNNING
        return one.round == self.round and one.stopped_at is None and one.state in waits


RUNNING = frozenset({AssignmentState.pending, AssignmentState.responded})
"""States in which a report is still owed."""
