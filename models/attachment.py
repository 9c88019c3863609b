"""Attachments: files that people put beside a record (2.1: attach).

One guard: nobody reads this table as himself. What is read goes through `attachments_of`, for a record that the person's own row filter let through.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_appbuilder import Model
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from models import clock, event, viewer
from models.base import KEY, Kept, UtcDateTime
from models.notification import Job
from models.person import ROLES, Person
from models.refusal import Conflict, Forbidden, NotFound, Refused
from models.viewer import Viewer

DELETE_FILE = "delete_file"
"""Name of the job that deletes stored bytes."""

LONGEST_NAME = 120
LONGEST_NOTE = 200

REMOVABLE = timedelta(hours=24)
"""How long whoever attached a file may take it away again; the event stays."""


class Attachment(Model):
    """A file beside a record, under its own name."""

    __tablename__ = "attachment"
    __table_args__ = (sa.Index("ix_attachment_record", "record_type", "record_id"), {"sqlite_autoincrement": True})
    # A timeline goes on naming a file that was removed by its key, which SQLite would otherwise give to the next one.
    label = _l("Attachment")
    plural = _l("Attachments")

    id: Mapped[int] = mapped_column(KEY, primary_key=True)
    record_type: Mapped[str] = mapped_column(sa.String(64), nullable=False)
    record_id: Mapped[int] = mapped_column(KEY, nullable=False)
    name: Mapped[str] = mapped_column(sa.String(LONGEST_NAME), nullable=False)
    content_type: Mapped[str] = mapped_column(sa.String(100), nullable=False)
    size: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    sha256: Mapped[str] = mapped_column(sa.String(64), nullable=False)
    file_key: Mapped[str] = mapped_column(sa.String(200), nullable=False, unique=True)
    note: Mapped[str] = mapped_column(sa.String(LONGEST_NOTE), nullable=False, default="")
    uploaded_by_id: Mapped[int] = mapped_column(sa.Integer, sa.ForeignKey("ab_user.id"), nullable=False)
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)

    uploaded_by: Mapped[Person] = relationship()

    @classmethod
    def visible_ids(cls, person: Viewer) -> sa.Select[tuple[int]] | None:
        """None by itself: the record decides."""
        return sa.select(sa.inspect(cls).local_table.c.id).where(sa.false())

    def removable_by(self, person: Viewer) -> bool:
        """Whether this person may take the file away now."""
        return self.uploaded_by_id == person.person_id and clock.now() < self.uploaded_at + REMOVABLE


def check_attach(record: Kept, person: Viewer) -> None:
    """Raise Refused where this person may not attach files to a record that he sees: who only reads (2.1), and beside
    reference data (`seen_by_all`) everybody who may not change it now."""
    if all(ROLES[name].read_only for name in person.roles) or record.thread.reads_only(person):
        raise Forbidden()
    if record.seen_by_all:
        if not person.may("can_edit", type(record).__name__):
            raise Forbidden(_l("Everybody sees this record, so only those who may change it attach files to it."))
        record.check_change(person)


def may_attach(record: Kept, person: Viewer) -> bool:
    """Whether `check_attach` lets this person."""
    try:
        check_attach(record, person)
    except Refused:
        return False
    return True


def attachments_of(session: Session, record: Kept) -> Sequence[Attachment]:
    """The files beside a record that the caller has shown to be visible, oldest first."""
    person = viewer.current_person()
    until = record.thread.read_until(person) if person is not None else None
    with viewer.system():
        return session.scalars(
            sa.select(Attachment)
            .where(Attachment.record_type == record.resource(), Attachment.record_id == record.id)
            .where(Attachment.uploaded_at <= until if until is not None else sa.true())
            .options(joinedload(Attachment.uploaded_by))
            .order_by(Attachment.id)
        ).all()


def attachment_of(session: Session, record: Kept, key: int) -> Attachment:
    """One of a visible record's files. Raises NotFound for any other, also for those of other records."""
    found = next((one for one in attachments_of(session, record) if one.id == key), None)
    if found is None:
        raise NotFound(_l("This file does not exist, or it was removed."))
    return found


def attach(session: Session, record: Kept, made: Sequence[Attachment], person: Viewer) -> None:
    """Put files beside a visible record, each with an event on its thread. Raises Refused as `check_attach`."""
    check_attach(record, person)
    with viewer.system(on_behalf_of=person):
        for one in made:
            one.record_type, one.record_id = record.resource(), record.id
            one.uploaded_by_id, one.uploaded_at = person.person_id, clock.now()
            session.add(one)
            session.flush()
            told = {"file": {"id": one.id, "name": one.name}, "sha256": one.sha256, "size": one.size, "text": one.note}
            event.append(session, record, "attach", "attach", told, actor=person)


def detach(session: Session, record: Kept, key: int, person: Viewer) -> None:
    """Take a file away again; its bytes are deleted by a job. Raises NotFound, Forbidden, Conflict."""
    found = attachment_of(session, record, key)
    if found.uploaded_by_id != person.person_id:
        raise Forbidden(_l("Only the person who attached a file may remove it."))
    if not found.removable_by(person):
        raise Conflict(_l("A file can be removed within 24 hours after it was attached. It now belongs to the record."))
    with viewer.system(on_behalf_of=person):
        told = {"file": {"id": found.id, "name": found.name}, "sha256": found.sha256}
        event.append(session, record, "attach", "detach", told, actor=person)
        _let_go(session, [found.file_key])
        session.delete(found)
        session.flush()


@sa.event.listens_for(Session, "after_flush")
def _forget_with_record(session: Session, context: object) -> None:
    """The files of a deleted record go with it: another record must never find them under a key used again."""
    table = sa.inspect(Attachment).local_table
    for record in session.deleted:
        if isinstance(record, Kept):
            gone = sa.and_(table.c.record_type == record.resource(), table.c.record_id == record.id)
            keys = session.connection().execute(sa.select(table.c.file_key).where(gone)).scalars().all()
            _let_go(session, keys)
            session.connection().execute(sa.delete(table).where(gone))


def _let_go(session: Session, file_keys: Sequence[str]) -> None:
    """Have stored bytes deleted, once this transaction is committed."""
    rows = [
        {
            "key": f"{DELETE_FILE}:{one}",
            "name": DELETE_FILE,
            "arguments": {"file_key": one},
            "wanted_at": clock.now(),
            "attempts": 0,
            "error": "",
        }
        for one in file_keys
    ]
    if rows:
        session.connection().execute(sa.insert(sa.inspect(Job).local_table), rows)
