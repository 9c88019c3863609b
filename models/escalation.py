"""What leaders do in calls: decide an escalation (提级协调), give an instruction (领导批示) (2.1)."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, relationship

from models import viewer
from models.base import CountyRecord, Record, UtcDateTime, column, person_reference, reference, state_column
from models.call import Call, seen_with_call
from models.organisation import Organisation
from models.person import Person
from models.workflow import State


class EscalationState(State):
    asked = "asked", _l("Waiting for the leader's decision"), "others"
    decided = "decided", _l("Decided"), "done", True
    lapsed = "lapsed", _l("No longer needed"), "muted", True


class Escalation(CountyRecord):
    """A call brought before the portfolio leader of its lead department, or the county head."""

    __table_args__ = (
        sa.Index(
            "uq_escalation_open",
            "call_id",
            unique=True,
            postgresql_where=sa.text("state = 'asked'"),
            sqlite_where=sa.text("state = 'asked'"),
        ),
    )
    label = _l("Escalation")
    plural = _l("Escalations")
    attachable = False

    call_id: Mapped[int] = reference(_l("Call"), "call", listed=True, editable=False, nullable=False)
    state: Mapped[EscalationState] = state_column(EscalationState.asked)
    why: Mapped[str] = column(
        _l("Why it is brought before the leader"), sa.Text, listed=True, editable=False, nullable=False
    )
    organisation_id: Mapped[int] = reference(
        _l("Asked by"), "organisation", listed=True, editable=False, nullable=False
    )
    asked_at: Mapped[datetime] = column(_l("Asked"), UtcDateTime, listed=True, editable=False, nullable=False)
    leader_id: Mapped[int | None] = person_reference(_l("Leader"), listed=True, editable=False)
    due: Mapped[datetime] = column(_l("Decision due"), UtcDateTime, listed=True, editable=False, nullable=False)
    decision: Mapped[str] = column(_l("Decision"), sa.Text, editable=False, nullable=False, default="")
    tasks: Mapped[str] = column(_l("Tasks"), sa.Text, editable=False, nullable=False, default="")
    decided_at: Mapped[datetime | None] = column(_l("Decided"), UtcDateTime, listed=True, editable=False)

    call: Mapped[Call] = relationship(back_populates="escalations")
    organisation: Mapped[Organisation] = relationship(foreign_keys=[organisation_id])
    leader: Mapped[Person | None] = relationship(foreign_keys=[leader_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Whoever sees the call."""
        return seen_with_call(cls, person, "asked_at")

    @property
    def thread(self) -> Record:
        return self.call

    @property
    def title(self) -> str:
        return self.call.title


class Instruction(CountyRecord):
    """What a county leader wrote on a call, by himself or on paper and entered by the office."""

    label = _l("Instruction")
    plural = _l("Instructions")

    call_id: Mapped[int] = reference(_l("Call"), "call", listed=True, editable=False, nullable=False)
    leader_id: Mapped[int] = person_reference(_l("Leader"), listed=True, editable=False, nullable=False)
    text: Mapped[str] = column(_l("Instruction"), sa.Text, listed=True, editable=False, nullable=False)
    target_id: Mapped[int | None] = reference(_l("To whom"), "organisation", listed=True, searched=True, editable=False)
    day: Mapped[date] = column(_l("Date"), sa.Date, listed=True, editable=False, nullable=False)
    entered_by_id: Mapped[int | None] = person_reference(_l("Entered by"), editable=False)
    """The office that entered a paper one; None where the leader did it himself."""

    call: Mapped[Call] = relationship(back_populates="instructions")
    leader: Mapped[Person] = relationship(foreign_keys=[leader_id])
    target: Mapped[Organisation | None] = relationship(foreign_keys=[target_id])
    entered_by: Mapped[Person | None] = relationship(foreign_keys=[entered_by_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Whoever sees the call."""
        return seen_with_call(cls, person, "created_at")

    @property
    def thread(self) -> Record:
        return self.call

    @property
    def title(self) -> str:
        return f"{self.leader.name}：{self.call.title}"
