"""Calls beside each other (并案), continued by a new one, and shared for reading (2.1)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask_appbuilder import Model
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models import viewer
from models.base import KEY, CountyRecord, Record, UtcDateTime, column, person_reference, reference
from models.call import Call, seen_with_call
from models.organisation import Organisation
from models.person import Person


class CallGroup(Model):
    """A call that is handled with others: all of one number belong together. Each keeps its own state, and no township sees another's."""

    __tablename__ = "call_group"

    call_id: Mapped[int] = mapped_column(KEY, sa.ForeignKey("call.id", ondelete="CASCADE"), primary_key=True)
    first_id: Mapped[int] = mapped_column(KEY, sa.ForeignKey("call.id", ondelete="CASCADE"), nullable=False, index=True)
    """The call that gives the group its number; its own row names itself."""


class CallShare(CountyRecord):
    """An organisation that may read a call."""

    __table_args__ = (sa.UniqueConstraint("call_id", "organisation_id"),)
    label = _l("Shared with")
    plural = _l("Shared with")
    attachable = False

    call_id: Mapped[int] = reference(_l("Call"), "call", editable=False, nullable=False, index=False)
    organisation_id: Mapped[int] = reference(
        _l("Organisation"), "organisation", listed=True, editable=False, nullable=False
    )
    shared_at: Mapped[datetime] = column(_l("Shared at"), UtcDateTime, listed=True, editable=False, nullable=False)
    shared_by_id: Mapped[int | None] = person_reference(_l("Shared by"), listed=True, editable=False)

    call: Mapped[Call] = relationship()
    organisation: Mapped[Organisation] = relationship(foreign_keys=[organisation_id])
    shared_by: Mapped[Person | None] = relationship(foreign_keys=[shared_by_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Whoever sees the call."""
        return seen_with_call(cls, person, "shared_at")

    @property
    def thread(self) -> Record:
        return self.call

    @property
    def title(self) -> str:
        return self.organisation.short_name
