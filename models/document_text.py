"""The wordings of documents that a county changed; what is not here is the factory's (spec 3; document texts, introduction)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from flask_appbuilder import Model
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock, event
from models.base import KEY, UtcDateTime
from models.viewer import Viewer


class DocumentText(Model):
    """One wording of one kind of document, in the notation of `reports.passage`. Its history stands in the events."""

    __tablename__ = "document_text"

    county_id: Mapped[int] = mapped_column(KEY, sa.ForeignKey("organisation.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    text: Mapped[str] = mapped_column(sa.Text, nullable=False)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


def texts_of(session: Session, county_id: int, kind: str) -> dict[str, str]:
    """The county's own wordings of a kind, by their names."""
    table = sa.inspect(DocumentText).local_table
    query = sa.select(table.c.name, table.c.text).where(table.c.county_id == county_id, table.c.kind == kind)
    return {row.name: row.text for row in session.connection().execute(query.order_by(table.c.name))}


def keep_texts(
    session: Session, county_id: int, kind: str, wanted: Mapping[str, str], factory: Mapping[str, str], person: Viewer
) -> int:
    """Keep the wordings of a kind that differ from the factory's, each change with an event; gives how many changed.

    They were checked before (`app.papers.wording`). Papers that were issued keep the wording of their day.
    """
    present = texts_of(session, county_id, kind)
    changed = 0
    for name, text in wanted.items():
        before, after = present.get(name), text if text != factory[name] else None
        if before == after:
            continue
        changed += 1
        row = session.get(DocumentText, (county_id, kind, name))
        if after is None:
            session.delete(row)
        elif row is None:
            made = DocumentText(county_id=county_id, kind=kind, name=name, text=after, changed_at=clock.now())
            session.add(made)
        else:
            row.text, row.changed_at = after, clock.now()
        told = {"kind": kind, "name": name, "text": {"old": before or factory[name], "new": text}}
        thread = ("document_text", county_id)
        event.append_to(session, thread, thread, "setting", "change_wording", told, county_id=county_id, actor=person)
    return changed
