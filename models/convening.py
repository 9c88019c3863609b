"""Convening on site (现场协调): a township calls departments and agencies together; who came and what was decided (2.1; K2)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

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
from models.field import Choice
from models.organisation import Organisation
from models.person import Person
from models.workflow import State

if TYPE_CHECKING:
    from models.milestone import Milestone


class ConveningState(State):
    planned = "planned", _l("Called together"), "others"
    held = "held", _l("Held"), "done", True
    cancelled = "cancelled", _l("Cancelled"), "muted", True


class Attendance(Choice):
    """Whether an organisation came; by the list of names, never by place data or photographs (1, lines not to be crossed)."""

    present = "present", _l("Came")
    excused = "excused", _l("Absent, explained")
    absent = "absent", _l("Absent without explanation")


class Convening(CountyRecord):
    """A meeting on the spot that a township calls for one of its calls."""

    label = _l("Meeting on site")
    plural = _l("Meetings on site")

    call_id: Mapped[int] = reference(_l("Call"), "call", listed=True, editable=False, nullable=False)
    state: Mapped[ConveningState] = state_column(ConveningState.planned)
    at: Mapped[datetime] = column(_l("Time"), UtcDateTime, listed=True, editable=False, nullable=False)
    place: Mapped[str] = column(_l("Place"), sa.String(200), listed=True, searched=True, editable=False, nullable=False)
    matter: Mapped[str] = column(_l("What is to be settled"), sa.Text, editable=False, nullable=False, default="")
    convened_at: Mapped[datetime] = column(_l("Called together"), UtcDateTime, editable=False, nullable=False)
    convened_by_id: Mapped[int | None] = person_reference(_l("Called together by"), editable=False)
    township_names: Mapped[str] = column(
        _l("From the township"), sa.String(200), editable=False, nullable=False, default=""
    )
    record: Mapped[str] = column(_l("Record"), sa.Text, editable=False, nullable=False, default="")
    chair: Mapped[str] = column(_l("In the chair"), sa.String(100), editable=False, nullable=False, default="")
    disagreements: Mapped[str] = column(
        _l("Disagreements, and what becomes of them"), sa.Text, editable=False, nullable=False, default=""
    )
    recorder: Mapped[str] = column(_l("Recorded by"), sa.String(60), editable=False, nullable=False, default="")
    recorded_at: Mapped[datetime | None] = column(_l("Recorded"), UtcDateTime, editable=False)

    call: Mapped[Call] = relationship(back_populates="convenings")
    convened_by: Mapped[Person | None] = relationship(foreign_keys=[convened_by_id])
    invitees: Mapped[list[ConveningInvitee]] = relationship(
        back_populates="convening", order_by="ConveningInvitee.id", cascade="all, delete-orphan"
    )
    milestones: Mapped[list[Milestone]] = relationship(back_populates="convening", order_by="Milestone.id")

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Whoever sees the call; who is convened sees it from then on."""
        return seen_with_call(cls, person, "convened_at")

    @property
    def thread(self) -> Record:
        return self.call

    @property
    def title(self) -> str:
        return f"{self.call.title} {self.place}".strip()


class ConveningInvitee(CountyRecord):
    """A department or stationed agency called to a meeting on site, and whether it came."""

    __table_args__ = (sa.UniqueConstraint("convening_id", "organisation_id"),)
    label = _l("Called to the meeting")
    plural = _l("Called to the meeting")
    attachable = False

    convening_id: Mapped[int] = reference(
        _l("Meeting on site"), "convening", editable=False, nullable=False, index=False
    )
    call_id: Mapped[int] = reference(_l("Call"), "call", editable=False, nullable=False)
    organisation_id: Mapped[int] = reference(
        _l("Organisation"), "organisation", listed=True, editable=False, nullable=False
    )
    attendance: Mapped[Attendance | None] = column(
        _l("Attendance"), choice_type(Attendance), listed=True, editable=False
    )
    names: Mapped[str] = column(
        _l("Names of those who came"), sa.String(200), listed=True, editable=False, nullable=False, default=""
    )
    excuse: Mapped[str] = column(
        _l("Explanation of the absence"), sa.String(300), editable=False, nullable=False, default=""
    )

    convening: Mapped[Convening] = relationship(back_populates="invitees")
    call: Mapped[Call] = relationship()
    organisation: Mapped[Organisation] = relationship(foreign_keys=[organisation_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Whoever sees the call."""
        return seen_with_call(cls, person, "created_at")

    @property
    def thread(self) -> Record:
        return self.convening.call

    @property
    def title(self) -> str:
        return self.organisation.short_name
