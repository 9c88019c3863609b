"""Extensions of a report deadline: asked for in time, once, and granted or refused by the office (2.1)."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, relationship

from models import viewer
from models.base import CountyRecord, Record, UtcDateTime, column, person_reference, reference, state_column
from models.call import Assignment
from models.person import Person
from models.workflow import State


class ExtensionState(State):
    requested = "requested", _l("Waiting for the office's answer"), "others"
    granted = "granted", _l("Granted"), "done", True
    refused = "refused", _l("Refused"), "muted", True
    lapsed = "lapsed", _l("No longer needed"), "muted", True


class Extension(CountyRecord):
    """A department's request for more time to report; once for each assignment."""

    __table_args__ = (sa.UniqueConstraint("assignment_id"),)
    label = _l("Extension")
    plural = _l("Extensions")
    attachable = False

    assignment_id: Mapped[int] = reference(
        _l("Assignment"), "assignment", listed=True, editable=False, nullable=False, index=False
    )
    state: Mapped[ExtensionState] = state_column(ExtensionState.requested)
    until: Mapped[date] = column(_l("Until"), sa.Date, listed=True, editable=False, nullable=False)
    reason: Mapped[str] = column(_l("Reason"), sa.Text, listed=True, editable=False, nullable=False)
    old_due: Mapped[datetime] = column(
        _l("Report due before"), UtcDateTime, listed=True, editable=False, nullable=False
    )
    requested_at: Mapped[datetime] = column(_l("Requested"), UtcDateTime, listed=True, editable=False, nullable=False)
    requested_by_id: Mapped[int | None] = person_reference(_l("Requested by"), editable=False)
    due: Mapped[datetime] = column(_l("Answer due"), UtcDateTime, editable=False, nullable=False)
    answer: Mapped[str] = column(_l("Answer"), sa.Text, editable=False, nullable=False, default="")
    answered_at: Mapped[datetime | None] = column(_l("Answered"), UtcDateTime, listed=True, editable=False)
    answered_by_id: Mapped[int | None] = person_reference(_l("Answered by"), editable=False)

    assignment: Mapped[Assignment] = relationship(back_populates="extension")
    requested_by: Mapped[Person | None] = relationship(foreign_keys=[requested_by_id])
    answered_by: Mapped[Person | None] = relationship(foreign_keys=[answered_by_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Whoever sees the call."""
        table, assignments = sa.inspect(cls).local_table, Assignment.visible_ids(person)
        return None if assignments is None else sa.select(table.c.id).where(table.c.assignment_id.in_(assignments))

    @property
    def thread(self) -> Record:
        return self.assignment.call

    @property
    def title(self) -> str:
        return f"{self.assignment.title} {self.until.isoformat()}"
