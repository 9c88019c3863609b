"""Bulletins: criticism and statistics in the county's name, approved before they are issued (2.3, K6)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models import viewer
from models.base import (
    JSON,
    CountyRecord,
    Record,
    UtcDateTime,
    choice_type,
    column,
    person_reference,
    reference,
    state_column,
)
from models.conclusion import Conclusion, ConclusionState, Finding
from models.document import Document
from models.field import Choice
from models.organisation import Organisation
from models.person import Person
from models.refusal import Conflict, Forbidden
from models.workflow import State


class BulletinKind(Choice):
    criticism = "criticism", _l("Criticism")
    statistics = "statistics", _l("Statistics")


class Circulation(Choice):
    """To whom a bulletin goes, beside those whom it names one by one."""

    everyone = "everyone", _l("All departments and townships")
    departments = "departments", _l("All departments")
    chosen = "chosen", _l("Only those named below")


class BulletinState(State):
    draft = "draft", _l("Draft"), "waiting"
    submitted = "submitted", _l("Waiting for approval"), "others"
    approved = "approved", _l("Waiting for issue"), "going"
    issued = "issued", _l("Bulletin issued"), "done", True
    corrected = "corrected", _l("Corrected"), "muted"
    revoked = "revoked", _l("Revoked"), "muted", True


OUT = (BulletinState.issued, BulletinState.corrected, BulletinState.revoked)
"""States in which the recipients have it."""

SUBMITTED = _l("A bulletin that was submitted is no longer changed. It can be sent back.")


class Bulletin(CountyRecord):
    """A circular of the county. It names departments, never a person, and by default not the township that called."""

    __table_args__ = (
        sa.UniqueConstraint("office_id", "number"),
        sa.CheckConstraint("approved_by_id <> submitted_by_id", name="ck_bulletin_approved_by_others"),
        sa.CheckConstraint("approved_for_id <> submitted_by_id", name="ck_bulletin_approved_for_others"),
        sa.CheckConstraint("state = 'draft' OR (title <> '' AND text <> '')", name="ck_bulletin_complete"),
        sa.CheckConstraint(
            "state = 'draft' OR kind = 'criticism' OR (period_from IS NOT NULL AND period_to IS NOT NULL)",
            name="ck_bulletin_period",
        ),
        sa.CheckConstraint("period_to >= period_from", name="ck_bulletin_period_order"),
        sa.CheckConstraint(
            "state NOT IN ('issued', 'corrected', 'revoked') OR (number IS NOT NULL AND issued_at IS NOT NULL"
            " AND approved_by_id IS NOT NULL)",
            name="ck_bulletin_issued",
        ),
        sa.Index("ix_bulletin_county_state", "county_id", "state"),
    )
    label = _l("Bulletin")
    plural = _l("Bulletins")
    parts = ("cases", "recipients")

    number: Mapped[str | None] = column(
        _l("Number"), sa.String(60), listed=True, searched=True, editable=False, required=False
    )
    kind: Mapped[BulletinKind] = column(
        _l("Kind of bulletin"),
        choice_type(BulletinKind),
        listed=True,
        searched=True,
        required=True,
        nullable=False,
        default=BulletinKind.criticism,
        prefill="criticism",
    )
    title: Mapped[str] = column(
        _l("Title"), sa.String(120), listed=True, searched=True, required=True, nullable=False, default=""
    )
    period_from: Mapped[date | None] = column(_l("Period from"), sa.Date, required=True, when=("kind", ("statistics",)))
    period_to: Mapped[date | None] = column(_l("Period to"), sa.Date, required=True, when=("kind", ("statistics",)))
    text: Mapped[str] = column(
        _l("Text"),
        sa.Text,
        kind="long_text",
        required=True,
        nullable=False,
        default="",
        help=_l("Names departments, never a person, and by default no township."),
    )
    circulation: Mapped[Circulation] = column(
        _l("Goes to"),
        choice_type(Circulation),
        required=True,
        nullable=False,
        default=Circulation.everyone,
        prefill="everyone",
    )
    highlights: Mapped[str] = column(
        _l("Prominent problems"),
        sa.Text,
        kind="long_text",
        required=False,
        nullable=False,
        default="",
        when=("kind", ("statistics",)),
        help=_l("One in each line, three at most; they stand on the page of figures."),
    )
    rectify_until: Mapped[date | None] = column(
        _l("To be put right by"),
        sa.Date,
        required=False,
        help=_l(
            "Stands in the text and in the orders that follow. Empty: as the setting says, counted from the issue."
        ),
    )
    state: Mapped[BulletinState] = state_column(BulletinState.draft)
    snapshot: Mapped[dict[str, Any] | None] = mapped_column(JSON, nullable=True)
    """The figures of a statistics bulletin, frozen at one instant (`models.bulletin_figures`)."""
    frozen_at: Mapped[datetime | None] = column(_l("Figures of"), UtcDateTime, editable=False)
    return_code: Mapped[str] = mapped_column(sa.String(12), nullable=False, default="")
    """Stands on the approval sheet of what was submitted last; a paper signature is entered with it."""
    submitted_at: Mapped[datetime | None] = column(_l("Submitted for approval"), UtcDateTime, editable=False)
    submitted_by_id: Mapped[int | None] = person_reference(_l("Submitted by"), editable=False)
    approved_at: Mapped[datetime | None] = column(_l("Approved at"), UtcDateTime, editable=False)
    approved_by_id: Mapped[int | None] = person_reference(_l("Approved by"), editable=False)
    """Whose account approved."""
    approved_for_id: Mapped[int | None] = person_reference(_l("On behalf of"), editable=False)
    """Whose paper signature that account entered."""
    issue_separately: Mapped[bool] = column(
        _l("Issue separately"), sa.Boolean, editable=False, nullable=False, default=False
    )
    issued_at: Mapped[datetime | None] = column(_l("Issued at"), UtcDateTime, listed=True, editable=False)
    correction: Mapped[str] = column(
        _l("Correction or reason of revocation"), sa.Text, editable=False, required=False, nullable=False, default=""
    )
    office_id: Mapped[int] = reference(_l("Supervision office"), "organisation", editable=False, nullable=False)
    document_id: Mapped[int | None] = reference(_l("Document"), "document", editable=False)

    document: Mapped[Document | None] = relationship(foreign_keys=[document_id])
    submitted_by: Mapped[Person | None] = relationship(foreign_keys=[submitted_by_id])
    approved_by: Mapped[Person | None] = relationship(foreign_keys=[approved_by_id])
    approved_for: Mapped[Person | None] = relationship(foreign_keys=[approved_for_id])
    office: Mapped[Organisation] = relationship(foreign_keys=[office_id])
    cases: Mapped[list[BulletinCase]] = relationship(
        back_populates="bulletin", order_by="BulletinCase.id", cascade="all, delete-orphan"
    )
    recipients: Mapped[list[BulletinRecipient]] = relationship(
        back_populates="bulletin", order_by="BulletinRecipient.id", cascade="all, delete-orphan"
    )

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Supervisors; those who approve, once submitted; its recipients, once issued (2.1, end)."""
        table, addressed = sa.inspect(cls).local_table, sa.inspect(BulletinRecipient).local_table
        if person.has_role("supervisor"):
            return sa.select(table.c.id).where(table.c.county_id.in_(person.region_ids))
        received = sa.and_(
            table.c.state.in_([state.value for state in OUT]),
            table.c.id.in_(
                sa.select(addressed.c.bulletin_id).where(addressed.c.organisation_id == person.organisation_id)
            ),
        )
        if person.has_role("county_leader", "office_director"):
            approving = sa.and_(table.c.county_id.in_(person.region_ids), table.c.state != BulletinState.draft.value)
            return sa.select(table.c.id).where(sa.or_(approving, received))
        return sa.select(table.c.id).where(received)

    def prepare(self, session: Session, person: viewer.Viewer) -> None:
        super().prepare(session, person)
        if not person.has_role("supervisor") or person.organisation_id is None:
            raise Forbidden(_l("Only the supervision office drafts bulletins."))
        self.office_id = person.organisation_id

    def check_change(self, person: viewer.Viewer) -> None:
        if self.state != BulletinState.draft:
            raise Conflict(SUBMITTED)

    def check_delete(self, person: viewer.Viewer) -> None:
        if self.state != BulletinState.draft:
            raise Conflict(_l("Only a draft can be deleted."))

    @property
    def ordered_cases(self) -> list[BulletinCase]:
        """The cases in the order of every list: by the departments' order, never by a count (2.3)."""
        return sorted(self.cases, key=lambda one: (one.department.order, one.conclusion.number or ""))

    @property
    def ordered_recipients(self) -> list[BulletinRecipient]:
        return sorted(self.recipients, key=lambda one: (one.organisation.order, one.organisation_id))

    @property
    def for_county_head(self) -> bool:
        """Whether only the county's head, or whom he authorised, approves: criticism, and statistics that name a finding (2.3)."""
        return self.kind == BulletinKind.criticism or any(one.conclusion.finding != Finding.none for one in self.cases)


class BulletinCase(Record):
    """A served conclusion that a bulletin cites."""

    __table_args__ = (sa.UniqueConstraint("bulletin_id", "conclusion_id"),)
    label = _l("Case")
    plural = _l("Cases")
    attachable = False

    bulletin_id: Mapped[int] = reference(_l("Bulletin"), "bulletin", editable=False, nullable=False, ondelete="CASCADE")
    conclusion_id: Mapped[int] = reference(
        _l("Conclusion"), "conclusion", only={"state": ConclusionState.served}, listed=True, nullable=False
    )

    bulletin: Mapped[Bulletin] = relationship(back_populates="cases")
    conclusion: Mapped[Conclusion] = relationship()

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        table, wholes = sa.inspect(cls).local_table, Bulletin.visible_ids(person)
        return None if wholes is None else sa.select(table.c.id).where(table.c.bulletin_id.in_(wholes))

    @property
    def thread(self) -> Record:
        return self.bulletin

    @property
    def department(self) -> Organisation:
        """The department named; every served conclusion has one."""
        assert self.conclusion.department is not None
        return self.conclusion.department


class BulletinRecipient(Record):
    """An organisation that receives a bulletin."""

    __table_args__ = (sa.UniqueConstraint("bulletin_id", "organisation_id"),)
    label = _l("Recipient")
    plural = _l("Recipients")
    attachable = False

    bulletin_id: Mapped[int] = reference(_l("Bulletin"), "bulletin", editable=False, nullable=False, ondelete="CASCADE")
    organisation_id: Mapped[int] = reference(_l("Organisation"), "organisation", listed=True, nullable=False)

    bulletin: Mapped[Bulletin] = relationship(back_populates="recipients")
    organisation: Mapped[Organisation] = relationship()

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        table, wholes = sa.inspect(cls).local_table, Bulletin.visible_ids(person)
        return None if wholes is None else sa.select(table.c.id).where(table.c.bulletin_id.in_(wholes))

    @property
    def thread(self) -> Record:
        return self.bulletin
