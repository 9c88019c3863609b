"""Return requests: a department says that a call is not its duty, citing the list, and the office or the checklist manager rules (2.1)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, relationship

from models import viewer
from models.base import CountyRecord, Record, UtcDateTime, column, person_reference, reference, state_column
from models.call import Assignment
from models.checklist import ChecklistItem
from models.person import Person
from models.workflow import State


class ReturnState(State):
    requested = "requested", _l("Waiting for the office's ruling"), "others"
    referred = "referred", _l("Waiting for the checklist manager's ruling"), "others"
    upheld = "upheld", _l("Upheld"), "done", True
    rejected = "rejected", _l("Rejected"), "muted", True
    lapsed = "lapsed", _l("No longer needed"), "muted", True


class ReturnRequest(CountyRecord):
    """A department's request to give an assignment back; once for each."""

    __table_args__ = (sa.UniqueConstraint("assignment_id"),)
    label = _l("Return request")
    plural = _l("Return requests")
    attachable = False

    assignment_id: Mapped[int] = reference(
        _l("Assignment"), "assignment", listed=True, editable=False, nullable=False, index=False
    )
    state: Mapped[ReturnState] = state_column(ReturnState.requested)
    reason: Mapped[str] = column(
        _l("Why it is not the department's duty"), sa.Text, listed=True, editable=False, nullable=False
    )
    item_id: Mapped[int | None] = reference(_l("Checklist item cited"), "checklist_item", editable=False)
    requested_at: Mapped[datetime] = column(_l("Requested"), UtcDateTime, listed=True, editable=False, nullable=False)
    requested_by_id: Mapped[int | None] = person_reference(_l("Requested by"), editable=False)
    due: Mapped[datetime] = column(_l("Ruling due"), UtcDateTime, listed=True, editable=False, nullable=False)
    """Of the office first, of the checklist manager once it is referred."""
    referred_at: Mapped[datetime | None] = column(_l("Referred"), UtcDateTime, editable=False)
    ruling: Mapped[str] = column(_l("Ruling"), sa.Text, editable=False, nullable=False, default="")
    ruled_at: Mapped[datetime | None] = column(_l("Ruled"), UtcDateTime, listed=True, editable=False)
    ruled_by_id: Mapped[int | None] = person_reference(_l("Ruled by"), editable=False)

    assignment: Mapped[Assignment] = relationship(back_populates="return_request")
    item: Mapped[ChecklistItem | None] = relationship()
    requested_by: Mapped[Person | None] = relationship(foreign_keys=[requested_by_id])
    ruled_by: Mapped[Person | None] = relationship(foreign_keys=[ruled_by_id])

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
        return self.assignment.title
