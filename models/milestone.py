"""Long-term handling and its milestones, which convening on site makes too (2.1)."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, relationship

from models import viewer
from models.base import (
    CountyRecord,
    Record,
    UtcDateTime,
    choice_type,
    column,
    person_reference,
    reference,
    state_column,
)
from models.call import Call, seen_with_call
from models.call_words import Satisfaction
from models.convening import Convening
from models.organisation import Organisation
from models.person import Person
from models.workflow import State


class LongTermState(State):
    requested = "requested", _l("Waiting for the office's endorsement"), "others"
    endorsed = "endorsed", _l("Waiting for the leader's approval"), "others"
    approved = "approved", _l("Under way"), "going"
    refused = "refused", _l("Refused"), "muted", True
    completed = "completed", _l("Completed"), "done", True
    ended = "ended", _l("Ended early"), "muted", True
    lapsed = "lapsed", _l("No longer needed"), "muted", True


class LongTerm(CountyRecord):
    """A call that needs longer than any deadline: the lead department's plan, endorsed by the office, approved by the portfolio leader."""

    __table_args__ = (
        sa.Index(
            "uq_long_term_open",
            "call_id",
            unique=True,
            postgresql_where=sa.text("state IN ('requested', 'endorsed', 'approved')"),
            sqlite_where=sa.text("state IN ('requested', 'endorsed', 'approved')"),
        ),
    )
    label = _l("Long-term handling")
    plural = _l("Long-term handling")
    attachable = False

    call_id: Mapped[int] = reference(_l("Call"), "call", listed=True, editable=False, nullable=False)
    department_id: Mapped[int] = reference(
        _l("Department"), "organisation", listed=True, searched=True, editable=False, nullable=False
    )
    state: Mapped[LongTermState] = state_column(LongTermState.requested)
    plan: Mapped[str] = column(_l("Plan"), sa.Text, listed=True, editable=False, nullable=False)
    requested_at: Mapped[datetime] = column(_l("Requested"), UtcDateTime, listed=True, editable=False, nullable=False)
    requested_by_id: Mapped[int | None] = person_reference(_l("Requested by"), editable=False)
    endorsed_at: Mapped[datetime | None] = column(_l("Endorsed"), UtcDateTime, editable=False)
    leader_id: Mapped[int | None] = person_reference(_l("Decided by"), editable=False)
    """The portfolio leader of the lead department, or the county head; set when it is endorsed."""
    due: Mapped[datetime] = column(_l("Decision due"), UtcDateTime, editable=False, nullable=False)
    """Of the office first, of the leader once it is endorsed."""
    decided_at: Mapped[datetime | None] = column(_l("Decided"), UtcDateTime, listed=True, editable=False)
    reason: Mapped[str] = column(_l("Reason"), sa.Text, editable=False, nullable=False, default="")
    """Of a refusal, or of ending it early."""
    ended_at: Mapped[datetime | None] = column(_l("Ended"), UtcDateTime, editable=False)

    call: Mapped[Call] = relationship(back_populates="long_terms")
    department: Mapped[Organisation] = relationship(foreign_keys=[department_id])
    requested_by: Mapped[Person | None] = relationship(foreign_keys=[requested_by_id])
    leader: Mapped[Person | None] = relationship(foreign_keys=[leader_id])
    milestones: Mapped[list[Milestone]] = relationship(
        back_populates="long_term", order_by="Milestone.day, Milestone.id"
    )

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Whoever sees the call."""
        return seen_with_call(cls, person, "requested_at")

    @property
    def thread(self) -> Record:
        return self.call

    @property
    def title(self) -> str:
        return f"{self.call.title} {self.department.short_name}"


class MilestoneState(State):
    planned = "planned", _l("Planned"), "others"
    open = "open", _l("Under way"), "going"
    completed = "completed", _l("Completed"), "done", True
    dropped = "dropped", _l("Dropped"), "muted", True


class Milestone(CountyRecord):
    """What a department has to have done by a day: a stage of a long-term plan, or a decision taken on site."""

    __table_args__ = (
        sa.CheckConstraint("long_term_id IS NOT NULL OR convening_id IS NOT NULL", name="ck_milestone_origin"),
        sa.Index("ix_milestone_due", "state", "due"),
    )
    label = _l("Milestone")
    plural = _l("Milestones")
    attachable = False

    call_id: Mapped[int] = reference(_l("Call"), "call", listed=True, editable=False, nullable=False)
    department_id: Mapped[int] = reference(
        _l("Department"), "organisation", listed=True, searched=True, editable=False, nullable=False
    )
    state: Mapped[MilestoneState] = state_column(MilestoneState.planned)
    text: Mapped[str] = column(
        _l("What is to be done"), sa.String(300), listed=True, searched=True, editable=False, nullable=False
    )
    day: Mapped[date] = column(_l("By"), sa.Date, listed=True, editable=False, nullable=False)
    due: Mapped[datetime] = column(_l("Due"), UtcDateTime, editable=False, nullable=False)
    """Close of office hours of that day."""
    long_term_id: Mapped[int | None] = reference(_l("Long-term handling"), "long_term", editable=False)
    convening_id: Mapped[int | None] = reference(_l("Convening"), "convening", editable=False)
    begins_at: Mapped[datetime | None] = column(_l("Begun"), UtcDateTime, editable=False)
    completed_at: Mapped[datetime | None] = column(_l("Completed"), UtcDateTime, listed=True, editable=False)
    result: Mapped[str] = column(_l("Result"), sa.Text, editable=False, nullable=False, default="")
    satisfaction: Mapped[Satisfaction | None] = column(_l("Satisfaction"), choice_type(Satisfaction), editable=False)
    comment: Mapped[str] = column(_l("Comment"), sa.Text, editable=False, nullable=False, default="")
    evaluated_at: Mapped[datetime | None] = column(_l("Evaluated"), UtcDateTime, editable=False)

    call: Mapped[Call] = relationship(back_populates="milestones")
    department: Mapped[Organisation] = relationship(foreign_keys=[department_id])
    long_term: Mapped[LongTerm | None] = relationship(back_populates="milestones")
    convening: Mapped[Convening | None] = relationship(back_populates="milestones")

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Whoever sees the call."""
        return seen_with_call(cls, person, "created_at")

    @property
    def thread(self) -> Record:
        return self.call

    @property
    def title(self) -> str:
        return f"{self.department.short_name}：{self.text}"
