"""Number series and issued documents (spec 3)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_appbuilder import Model
from flask_babel import lazy_gettext as _l
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models import clock, viewer
from models.base import JSON, KEY, CountyRecord, UtcDateTime, column, reference
from models.field import Text
from models.organisation import Organisation


class NumberSeries(Model):
    """The last number taken of an office, kind and year. Without gaps: a number is taken in the transaction that issues."""

    __tablename__ = "number_series"

    owner_id: Mapped[int] = mapped_column(KEY, sa.ForeignKey("organisation.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    year: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    last: Mapped[int] = mapped_column(sa.Integer, nullable=False)


def take_number(session: Session, owner_id: int, kind: str, year: int) -> int:
    """The next number of a series; the row stays locked until the transaction ends, so that a rolled-back one leaves no gap."""
    table = sa.inspect(NumberSeries).local_table
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(owner_id=owner_id, kind=kind, year=year, last=1)
    statement = statement.on_conflict_do_update(
        index_elements=["owner_id", "kind", "year"], set_={"last": table.c.last + 1}
    )
    return int(session.connection().execute(statement.returning(table.c.last)).scalar_one())


def take_count(session: Session, owner_id: int, kind: str, year: int) -> int:
    """The next number of what counts within one record, which goes on counting in later years; `year` is that of the first one."""
    table = sa.inspect(NumberSeries).local_table
    begun = sa.select(sa.func.min(table.c.year)).where(table.c.owner_id == owner_id, table.c.kind == kind)
    return take_number(session, owner_id, kind, session.connection().scalar(begun) or year)


SERIES: dict[str, Text] = {
    "call": _l("Numbers of calls"),
    "reminder": _l("Numbers of reminder slips"),
    "admission": _l("Numbers of admissions"),
    "supervision": _l("Numbers of supervision notices"),
    "conclusion": _l("Numbers of conclusions"),
    "bulletin": _l("Numbers of bulletins"),
    "rectification": _l("Numbers of rectification orders"),
    "verification": _l("Numbers of verification letters"),
    "review_decision": _l("Numbers of review decisions"),
    "superior_letter": _l("Numbers of letters to superiors"),
    "approval_sheet": _l("Numbers of approval sheets"),
    "consultation": _l("Numbers of consultations"),
    "adjustment_proposal": _l("Numbers of adjustment proposals"),
}
"""The kinds of numbers that are taken year by year, with what they number. A paper that counts within one record has no series here."""


def last_number(session: Session, owner_id: int, kind: str, year: int) -> int:
    """The last number taken of a series, 0 for none; the row stays locked until the transaction ends."""
    table = sa.inspect(NumberSeries).local_table
    query = sa.select(table.c.last).where(table.c.owner_id == owner_id, table.c.kind == kind, table.c.year == year)
    return int(session.connection().execute(query.with_for_update()).scalar() or 0)


def go_on_from(session: Session, owner_id: int, kind: str, year: int, number: int) -> int:
    """Let a series go on with this number, for a county that starts in the middle of a year; gives the last number before. Never backwards.

    Raises ValueError where the number is taken already.
    """
    last = last_number(session, owner_id, kind, year)
    if number <= last:
        raise ValueError(f"{number} is not after {last}")
    table = sa.inspect(NumberSeries).local_table
    where = (table.c.owner_id == owner_id, table.c.kind == kind, table.c.year == year)
    changed = session.connection().execute(sa.update(table).where(*where).values(last=number - 1))
    if not changed.rowcount:
        row = {"owner_id": owner_id, "kind": kind, "year": year, "last": number - 1}
        session.connection().execute(sa.insert(table).values(row))
    return last


class Document(CountyRecord):
    """An issued paper: number and frozen context from the transaction that issued it, bytes from a job. What was issued is never rendered again."""

    __table_args__ = (
        sa.UniqueConstraint("issuer_id", "kind", "number"),
        sa.Index(
            "ix_document_wanted",
            "id",
            postgresql_where=sa.text("sha256 IS NULL"),
            sqlite_where=sa.text("sha256 IS NULL"),
        ),
        sa.Index("ix_document_about", "about_type", "about_id"),
    )
    label = _l("Document")
    plural = _l("Documents")

    kind: Mapped[str] = column(_l("Kind"), sa.String(32), listed=True, editable=False, nullable=False)
    number: Mapped[str] = column(
        _l("Number"), sa.String(60), listed=True, searched=True, editable=False, nullable=False
    )
    name: Mapped[str] = column(_l("Title"), sa.String(200), listed=True, searched=True, editable=False, nullable=False)
    issuer_id: Mapped[int] = reference(_l("Issued by"), "organisation", listed=True, editable=False, nullable=False)
    issued_at: Mapped[datetime] = column(
        _l("Issued at"), UtcDateTime, listed=True, editable=False, nullable=False, default=clock.now
    )
    about_type: Mapped[str] = mapped_column(sa.String(64), nullable=False)
    about_id: Mapped[int] = mapped_column(KEY, nullable=False)
    context: Mapped[dict[str, Any]] = mapped_column(JSON, nullable=False)
    texts: Mapped[dict[str, str] | None] = mapped_column(JSON, nullable=True)
    """The administrators' wordings of the day on which it was issued; None for the factory's."""
    file_key: Mapped[str | None] = mapped_column(sa.String(200))
    sha256: Mapped[str | None] = mapped_column(sa.String(64))
    size: Mapped[int | None] = mapped_column(sa.Integer)
    produced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    issuer: Mapped[Organisation] = relationship(foreign_keys=[issuer_id])
    recipients: Mapped[list[DocumentRecipient]] = relationship(back_populates="document", cascade="all, delete-orphan")

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Issuer and recipients (2.1, end); the county's offices that process calls read the slips of their county."""
        table, recipients = sa.inspect(cls).local_table, sa.inspect(DocumentRecipient).local_table
        mine = sa.or_(
            table.c.issuer_id == person.organisation_id,
            table.c.id.in_(
                sa.select(recipients.c.document_id).where(recipients.c.organisation_id == person.organisation_id)
            ),
        )
        if person.has_role("dispatcher", "office_director", "supervisor", "county_leader"):
            mine = sa.or_(mine, sa.and_(table.c.county_id == person.county_id, table.c.kind.in_(SLIPS)))
        if person.has_role("supervisor", "county_leader"):
            mine = sa.or_(mine, sa.and_(table.c.county_id == person.county_id, table.c.kind.in_(OF_SUPERVISION)))
        if person.has_role("office_director"):
            mine = sa.or_(mine, sa.and_(table.c.county_id == person.county_id, table.c.kind.in_(PUT_BEFORE)))
        if person.roles.isdisjoint(_READERS):
            return sa.select(table.c.id).where(sa.false())
        return sa.select(table.c.id).where(mine)

    def reads_only(self, person: viewer.Viewer) -> bool:
        """Beside a paper its issuer alone keeps the stamped scan (3)."""
        return person.organisation_id != self.issuer_id

    @property
    def title(self) -> str:
        return self.name

    @property
    def file_name(self) -> str:
        """A speaking name: `催〔2026〕0123号 “乡呼县应”事项催办通知单.pdf`."""
        return f"{self.number} {self.name}.pdf"


SLIPS = ("reminder", "supervision")
"""What goes to a department that is late."""
OF_SUPERVISION = (
    "verification", "conclusion", "criticism", "statistics", "correction", "rectification", "review_decision",
    "superior_letter", "approval_sheet",
)  # fmt: skip
"""What follows from supervision: the records behind it are the supervisors' and the county leaders' to see (2.1, end)."""
PUT_BEFORE = ("approval_sheet", "criticism", "statistics", "correction")
"""What is put before those who approve bulletins."""

_READERS = frozenset(
    {
        "dispatcher",
        "office_director",
        "supervisor",
        "county_leader",
        "checklist_manager",
        "township_officer",
        "township_leader",
        "department_officer",
        "department_leader",
        "agency_head",
    }
)
"""Roles that take part in business; administrators and the auditor read no paper."""


class DocumentRecipient(Model):
    """An organisation to which a document is addressed, and when somebody there first read it."""

    __tablename__ = "document_recipient"

    document_id: Mapped[int] = mapped_column(KEY, sa.ForeignKey("document.id", ondelete="CASCADE"), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(KEY, sa.ForeignKey("organisation.id"), primary_key=True, index=True)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    read_by_id: Mapped[int | None] = mapped_column(sa.Integer, sa.ForeignKey("ab_user.id"))

    document: Mapped[Document] = relationship(back_populates="recipients")
    organisation: Mapped[Organisation] = relationship()
