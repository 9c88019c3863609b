"""The in-app inbox, and the jobs that events call for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_appbuilder import Model
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models import viewer
from models.base import JSON, KEY, UtcDateTime
from models.field import Choice
from models.person import Person


class Topic(Choice):
    """What a message is about, as people choose by which way they are told."""

    emergency = "emergency", _l("Emergencies and alarms")
    task = "task", _l("Your tasks")
    overdue = "overdue", _l("Deadlines that have passed")
    amber = "amber", _l("Deadlines that are near")
    news = "news", _l("What others have done")


class Notification(Model):
    """A message to a person about an event. One per (event, person, kind), whatever is relayed twice."""

    __tablename__ = "notification"
    __table_args__ = (
        sa.UniqueConstraint("event_id", "person_id", "kind"),
        sa.Index("ix_notification_inbox", "person_id", "id"),
        sa.Index(
            "ix_notification_unread",
            "person_id",
            postgresql_where=sa.text("read_at IS NULL"),
            sqlite_where=sa.text("read_at IS NULL"),
        ),
    )
    label = _l("Notification")
    plural = _l("Notifications")

    id: Mapped[int] = mapped_column(KEY, primary_key=True)
    event_id: Mapped[int] = mapped_column(KEY, sa.ForeignKey("event.id"), nullable=False)
    person_id: Mapped[int] = mapped_column(sa.Integer, sa.ForeignKey("ab_user.id"), nullable=False)
    kind: Mapped[str] = mapped_column(sa.String(48), nullable=False)
    role: Mapped[str] = mapped_column(sa.String(64), nullable=False, default="", server_default="")
    """In which role the person is told; empty for one who is named himself."""
    relation: Mapped[str] = mapped_column(sa.String(32), nullable=False, default="", server_default="")
    """How he stands to the matter: `department`, `duty`, `leader` …"""
    values: Mapped[dict[str, Any]] = mapped_column(JSON, nullable=False)
    """Placeholders of the kind's text, so that it is read in the reader's language."""
    record_type: Mapped[str] = mapped_column(sa.String(64), nullable=False)
    record_id: Mapped[int] = mapped_column(KEY, nullable=False)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    person: Mapped[Person] = relationship()

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        table = sa.inspect(cls).local_table
        return sa.select(table.c.id).where(table.c.person_id == person.person_id)


class Job(Model):
    """Work that an event calls for. The key makes it happen once; the row outlives a lost Redis."""

    __tablename__ = "job"
    __table_args__ = (
        sa.Index(
            "ix_job_open",
            "queued_at",
            postgresql_where=sa.text("done_at IS NULL"),
            sqlite_where=sa.text("done_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(KEY, primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(120), unique=True, nullable=False)
    """Idempotency key, e.g. `produce_document:17`."""
    name: Mapped[str] = mapped_column(sa.String(64), nullable=False)
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON, nullable=False)
    wanted_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    not_before: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it may be queued at the earliest; at once where there is none."""
    queued_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    error: Mapped[str] = mapped_column(sa.Text, nullable=False, default="")


class Lease(Model):
    """Which scheduler process may tick, until when. One row per name."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(sa.String(120), nullable=False)
    until: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


class Beat(Model):
    """When a part of the program last showed life, for `/health`."""

    __tablename__ = "beat"

    part: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


class Demonstration(Model):
    """Present only where demonstration data were loaded: seed, day, and how far the clock was moved."""

    __tablename__ = "demonstration"

    id: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    seed: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    complete: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    clock_offset: Mapped[float] = mapped_column(sa.Float, nullable=False, default=0.0)
    """Seconds by which the demonstration's clock runs ahead of the machine's."""
