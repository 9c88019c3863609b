"""Imports: a file of rows, checked first and then applied by a job, batch by batch (issue of records by Excel or JSON).

An import belongs to the person who uploaded it; nobody else sees it, since its file may hold what others may not read. For the same reason the
file does not stay for ever: after the time that the county's settings give, it is erased with everything quoted from it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_appbuilder import Model
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, deferred, mapped_column

from models import clock, event, viewer
from models.attachment import DELETE_FILE
from models.base import JSON, KEY, UtcDateTime, choice_type
from models.calendar import work_calendar
from models.paper import want_job
from models.refusal import Conflict
from models.setting import SETTINGS, setting
from models.workflow import State
from models.worktime import WorkCalendar

JOB = "apply_import"


class ImportState(State):
    checked = "checked", _l("Waiting to be applied"), "waiting"
    waiting = "waiting", _l("Waiting in line"), "others"
    running = "running", _l("Being applied"), "going"
    done = "done", _l("Applied"), "done", True
    failed = "failed", _l("Interrupted by a fault"), "overdue"
    cancelled = "cancelled", _l("Cancelled"), "muted"


class Import(Model):
    """An uploaded file, what the check found, and how far it has been applied."""

    __tablename__ = "import"
    __table_args__ = (sa.Index("ix_import_person", "person_id", "record_type", "id"),)

    id: Mapped[int] = mapped_column(KEY, primary_key=True)
    county_id: Mapped[int | None] = mapped_column(KEY, sa.ForeignKey("organisation.id"))
    person_id: Mapped[int] = mapped_column(sa.Integer, sa.ForeignKey("ab_user.id"), nullable=False)
    record_type: Mapped[str] = mapped_column(sa.String(64), nullable=False)
    file_name: Mapped[str] = mapped_column(sa.String(120), nullable=False)
    sha256: Mapped[str] = mapped_column(sa.String(64), nullable=False)
    size: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    file_key: Mapped[str] = mapped_column(sa.String(200), nullable=False)
    state: Mapped[ImportState] = mapped_column(choice_type(ImportState), nullable=False, default=ImportState.checked)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When its file was erased, and with it what was said of its rows; the record and its counts stay."""
    address: Mapped[str] = mapped_column(sa.String(64), nullable=False, default="")
    """Network address of the upload; the events of the rows carry it."""

    total: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    """Rows of the file."""
    to_create: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    to_change: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    unchanged: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    wrong: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    """What the check found, like the three before."""

    done_rows: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    """Rows that have been dealt with; moved on in the transaction that deals with them."""
    created: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    changed: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    same: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    refused: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    run: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    """How often it was started."""
    faults: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    """Unexpected faults in a row; the job is tried again until there are too many."""

    findings: Mapped[list[dict[str, Any]]] = deferred(mapped_column(JSON, nullable=False))
    """What is wrong: row, column, sentence, and whether the row repeats another."""
    differences: Mapped[list[dict[str, Any]]] = deferred(mapped_column(JSON, nullable=False))
    """The first changed rows: row, title, and what changes from what to what."""

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Those that this person uploaded."""
        table = sa.inspect(cls).local_table
        return sa.select(table.c.id).where(table.c.person_id == person.person_id)

    @property
    def may_start(self) -> bool:
        return (
            self.state in (ImportState.checked, ImportState.cancelled, ImportState.failed)
            and self.total > self.wrong
            and self.erased_at is None
        )

    @property
    def may_cancel(self) -> bool:
        return self.state in (ImportState.waiting, ImportState.running)

    def start(self, session: Session) -> None:
        """Have it applied, from where it stopped. Raises Conflict unless it waits, was cancelled or interrupted, or its file was erased."""
        if self.erased_at is not None:
            raise Conflict(_l("The file of this import was erased. Please upload it again."))
        if not self.may_start:
            raise Conflict(_l("This import cannot be applied now: “%(state)s”.", state=self.state.label))
        self.state = ImportState.waiting
        self.run += 1
        self.faults = 0
        if any(not one["row"] for one in self.findings):
            self.findings = [one for one in self.findings if one["row"]]  # what was said of the fault is over
        self.note(session, "start", {"rows": self.total - self.done_rows})
        want_job(session, JOB, {"import_id": self.id, "run": self.run})

    def cancel(self, session: Session) -> None:
        """Stop before the next batch; what was applied stays. Raises Conflict where nothing is under way."""
        if not self.may_cancel:
            raise Conflict(_l("This import is not being applied: “%(state)s”.", state=self.state.label))
        self.state = ImportState.cancelled
        self.finished_at = clock.now()
        self.note(session, "cancel", self.applied())

    def finish(self, session: Session, state: ImportState) -> None:
        """End it, done or failed."""
        self.state = state
        self.finished_at = clock.now()
        self.note(session, "finish" if state is ImportState.done else "fail", self.applied())

    def erase(self, session: Session) -> None:
        """Erase the file, by a job, and what was said of its rows, which quotes them."""
        others = (Import.file_key == self.file_key, Import.id != self.id, Import.erased_at.is_(None))
        if session.scalars(sa.select(Import.id).where(*others).limit(1)).first() is None:
            want_job(session, DELETE_FILE, {"file_key": self.file_key})
        self.findings, self.differences = [], []
        self.erased_at = clock.now()
        self.note(session, "erase", {})

    def kept_until(self, session: Session) -> datetime:
        """When its file is to be erased: after the county's time since it ended, or was only checked."""
        begins = self.finished_at or self.made_at
        if self.county_id is None:
            return WorkCalendar().deadline(
                begins, SETTINGS["import_retention"].parse(SETTINGS["import_retention"].default)
            )
        limit = setting(session, self.county_id, "import_retention")
        return work_calendar(session, self.county_id).deadline(begins, limit)

    def applied(self) -> dict[str, int]:
        return {"created": self.created, "changed": self.changed, "unchanged": self.same, "wrong": self.refused}

    def note(self, session: Session, name: str, values: dict[str, Any]) -> None:
        """An event on the import's own thread, in the name of the person who uploaded it."""
        told = {"type": self.record_type, "file": self.file_name, "sha256": self.sha256, **values}
        event.append_to(
            session,
            ("import", self.id),
            ("import", self.id),
            "import",
            name,
            told,
            county_id=self.county_id,
            actor=viewer.author(),
        )


def locked(session: Session, import_id: int) -> Import | None:
    """An import, locked and read afresh."""
    return session.scalars(
        sa.select(Import).where(Import.id == import_id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()


def erase_old(transaction: Callable[[], AbstractContextManager[Session]]) -> int:
    """Erase the files of imports whose time is over; gives their number. What waits or is being applied keeps its file."""
    under_way = (ImportState.waiting, ImportState.running)
    kept = sa.select(Import).where(Import.erased_at.is_(None), Import.state.not_in(under_way)).order_by(Import.id)
    with viewer.system(), transaction() as session:
        now = clock.now()
        found = session.scalars(kept.with_for_update(skip_locked=True)).all()
        over = [one for one in found if one.kept_until(session) <= now]
        for one in over:
            one.erase(session)
        return len(over)
