"""Canned texts: what an organisation writes again and again, to be put into a step's field by one click."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, relationship

from models import viewer
from models.base import CountyRecord, column, reference
from models.organisation import Organisation
from models.refusal import Forbidden


class CannedText(CountyRecord):
    """A text of one's own organisation."""

    __table_args__ = (sa.UniqueConstraint("organisation_id", "name"),)
    label = _l("Canned text")
    plural = _l("Canned texts")
    natural_key = ("name",)
    attachable = False

    name: Mapped[str] = column(_l("Short name"), sa.String(40), listed=True, searched=True, nullable=False)
    text: Mapped[str] = column(_l("Text"), sa.Text, listed=True, searched=True, nullable=False)
    organisation_id: Mapped[int] = reference(
        _l("Organisation"), "organisation", editable=False, nullable=False, index=False
    )

    organisation: Mapped[Organisation] = relationship(foreign_keys=[organisation_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Those of one's own organisation."""
        table = sa.inspect(cls).local_table
        return sa.select(table.c.id).where(table.c.organisation_id == person.organisation_id)

    def prepare(self, session: Session, person: viewer.Viewer) -> None:
        super().prepare(session, person)
        if person.organisation_id is None:
            raise Forbidden()
        self.organisation_id = person.organisation_id
