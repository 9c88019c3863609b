"""The wordings of documents that a county changed; what is not here is the factory's (spec 3; document texts, introduction)."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session

from models import viewer
from models.base import CountyRecord, column
from models.refusal import Invalid

TextCheck = Callable[[str, str, str], str]
_check: TextCheck | None = None


def use_wording_check(check: TextCheck) -> None:
    """Install the function that says what is wrong with a wording of a kind under a name; empty if nothing is."""
    global _check
    _check = check


class DocumentText(CountyRecord):
    """One wording of one kind of document, in the notation of `reports.passage`."""

    __table_args__ = (sa.UniqueConstraint("county_id", "kind", "name"),)
    label = _l("Document text")
    plural = _l("Document texts")
    attachable = False

    kind: Mapped[str] = column(_l("Kind"), sa.String(32), listed=True, searched=True, editable=False, nullable=False)
    name: Mapped[str] = column(_l("Passage"), sa.String(40), listed=True, editable=False, nullable=False)
    text: Mapped[str] = column(_l("Wording"), sa.Text, kind="long_text", listed=True, nullable=False)

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """System administrators of the county."""
        table = sa.inspect(cls).local_table
        if person.has_role("system_administrator"):
            return sa.select(table.c.id).where(table.c.county_id.in_(person.region_ids))
        return sa.select(table.c.id).where(sa.false())

    @property
    def title(self) -> str:
        return f"{self.kind} {self.name}"

    def settle(self, session: Session) -> None:
        """A wording that could not be printed is not kept. Raises Invalid."""
        super().settle(session)
        if _check is not None and (wrong := _check(self.kind, self.name, self.text)):
            raise Invalid({"text": wrong})


def texts_of(session: Session, county_id: int, kind: str) -> dict[str, str]:
    """The county's own wordings of a kind, by their names."""
    table = sa.inspect(DocumentText).local_table
    query = sa.select(table.c.name, table.c.text).where(table.c.county_id == county_id, table.c.kind == kind)
    return {row.name: row.text for row in session.connection().execute(query.order_by(table.c.name))}
