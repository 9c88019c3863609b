"""Admission of matters that stand on no checklist, and the townships' written opinions on them (2.5, C5)."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models import viewer
from models.base import JSON, CountyRecord, UtcDateTime, choice_type, column, person_reference, reference, state_column
from models.event import canonical
from models.field import Choice
from models.organisation import Organisation
from models.refusal import Conflict, Forbidden
from models.workflow import State


class AdmissionKind(Choice):
    temporary = "temporary", _l("Temporary")
    phased = "phased", _l("Phased")


class AdmissionState(State):
    draft = "draft", _l("Draft"), "waiting"
    submitted = "submitted", _l("Waiting for the staffing office"), "others"
    consulting = "consulting", _l("Waiting for the townships' opinions"), "others"
    legal_review = "legal_review", _l("Waiting for legality review"), "others"
    approval = "approval", _l("Waiting for the county's approval"), "others"
    in_force = "in_force", _l("In force"), "going"
    expired = "expired", _l("Expired"), "done", True
    refused = "refused", _l("Not approved"), "muted", True
    withdrawn = "withdrawn", _l("Withdrawn"), "muted", True
    ended = "ended", _l("Ended early"), "muted", True


class OpinionState(State):
    outstanding = "outstanding", _l("Waiting for the township's reply"), "waiting"
    given = "given", _l("Replied"), "done"
    lapsed = "lapsed", _l("No reply"), "overdue"
    void = "void", _l("Void"), "muted", True


class Answer(Choice):
    agree = "agree", _l("Agree")
    on_conditions = "on_conditions", _l("Agree on conditions")
    disagree = "disagree", _l("Disagree")


ONCE_ADMITTED = (AdmissionState.in_force, AdmissionState.expired, AdmissionState.ended)
"""States of a matter that was approved."""

TOWNSHIPS = {"kind": "township", "active": True}

_UNSUBMITTED = (AdmissionState.draft.value, AdmissionState.submitted.value)


def _filled(label: Any, help: Any = "", **options: Any) -> Any:
    """A long text that the application must not lack when it is submitted."""
    return column(label, sa.Text, required=True, nullable=False, default="", help=help, **options)


class Admission(CountyRecord):
    """A department's application to have townships do, for a term, what is on no checklist."""

    __table_args__ = (
        sa.UniqueConstraint("county_id", "number"),
        sa.Index(
            "uq_admission_renewal",
            "renewal_of_id",
            unique=True,
            postgresql_where=sa.text("state NOT IN ('draft', 'refused', 'withdrawn')"),
            sqlite_where=sa.text("state NOT IN ('draft', 'refused', 'withdrawn')"),
        ),
        sa.CheckConstraint("approved_by_id IS NULL OR approved_by_id <> submitted_by_id", name="ck_admission_approved"),
        sa.CheckConstraint(
            "state NOT IN ('in_force', 'expired', 'ended') OR (in_force_from IS NOT NULL AND in_force_until > in_force_from)",
            name="ck_admission_term",
        ),
        sa.CheckConstraint("renewal_of_id IS NULL OR renewal_of_id <> id", name="ck_admission_renewal"),
    )
    label = _l("Off-list admission")
    plural = _l("Off-list admissions")

    number: Mapped[str | None] = column(
        _l("Number"), sa.String(40), listed=True, searched=True, editable=False, required=False
    )
    matter: Mapped[str] = column(
        _l("Matter"), sa.String(120), listed=True, searched=True, required=True, nullable=False, default=""
    )
    kind: Mapped[AdmissionKind | None] = column(
        _l("Kind"), choice_type(AdmissionKind), required=True, listed=True, searched=True
    )
    term_months: Mapped[int | None] = column(
        _l("Term in months"), sa.Integer, required=True, help=_l("Counted from the approval.")
    )
    renewal_of_id: Mapped[int | None] = reference(
        _l("Renews"),
        "admission",
        required=False,
        only={"state": ["in_force", "expired", "ended"]},
        help=_l("The earlier admission of the same matter, which may be renewed once."),
    )
    townships: Mapped[list[int]] = column(
        _l("Townships concerned"),
        JSON,
        kind="references",
        target="organisation",
        only=TOWNSHIPS,
        required=True,
        nullable=False,
        default=list,
    )
    """Keys of the townships that the applicant names. The staffing office consults whom it finds concerned."""
    content: Mapped[str] = _filled(_l("Content and limits"), _l("What exactly the townships are to do, and what not."))
    legal_basis: Mapped[str] = _filled(_l("Legal basis"))
    why_not_self: Mapped[str] = _filled(_l("Why the department does not do it itself"))
    workload: Mapped[str] = _filled(_l("Expected workload"))
    funds: Mapped[str] = _filled(_l("Funds"), _l("How much, from where, when it reaches the townships."))
    staff: Mapped[str] = _filled(_l("Staff"))
    guidance: Mapped[str] = _filled(_l("Technical guidance"))
    training: Mapped[str] = _filled(_l("Training"))
    end_condition: Mapped[str] = _filled(_l("When it ends"))
    applicant_id: Mapped[int] = reference(
        _l("Applicant"), "organisation", listed=True, searched=True, editable=False, nullable=False
    )
    state: Mapped[AdmissionState] = state_column(AdmissionState.draft)
    submitted_at: Mapped[datetime | None] = column(_l("Submitted at"), UtcDateTime, editable=False, required=False)
    submitted_by_id: Mapped[int | None] = person_reference(_l("Submitted by"), editable=False, required=False)
    legal_opinion: Mapped[str] = column(
        _l("Legal opinion"), sa.Text, editable=False, required=False, nullable=False, default=""
    )
    ruling: Mapped[str] = column(
        _l("Reasons of the decision"), sa.Text, editable=False, required=False, nullable=False, default=""
    )
    approved_at: Mapped[datetime | None] = column(_l("Approved at"), UtcDateTime, editable=False, required=False)
    approved_by_id: Mapped[int | None] = person_reference(_l("Approved by"), editable=False, required=False)
    in_force_from: Mapped[datetime | None] = column(_l("In force from"), UtcDateTime, editable=False, required=False)
    in_force_until: Mapped[datetime | None] = column(
        _l("In force until"), UtcDateTime, listed=True, editable=False, required=False
    )
    ended_at: Mapped[datetime | None] = column(_l("Ended at"), UtcDateTime, editable=False, required=False)
    warn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    warned_at: Mapped[datetime | None] = column(_l("Warned of expiry"), UtcDateTime, editable=False, required=False)
    silence_reason: Mapped[str] = mapped_column(sa.Text, nullable=False, default="")
    """Why the staffing office went on without a reply; not described, since it may name townships and the applicant reads this record."""
    content_digest: Mapped[str | None] = mapped_column(sa.String(64))
    """Of the content on which the townships were last consulted."""

    applicant: Mapped[Organisation] = relationship(foreign_keys=[applicant_id])
    renewal_of: Mapped[Admission | None] = relationship(foreign_keys=[renewal_of_id], remote_side="Admission.id")
    submitted_by: Mapped[Any] = relationship("Person", foreign_keys=[submitted_by_id])
    approved_by: Mapped[Any] = relationship("Person", foreign_keys=[approved_by_id])
    opinions: Mapped[list[AdmissionOpinion]] = relationship(
        back_populates="admission", order_by="AdmissionOpinion.id", cascade="all, delete-orphan"
    )

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """The applicant in all states; once submitted staffing office, legal reviewers, county leaders; townships from `consulting` on (2.1)."""
        table, opinion = sa.inspect(cls).local_table, sa.inspect(AdmissionOpinion).local_table
        seen = []
        if person.has_role("department_officer"):
            seen.append(table.c.applicant_id == person.organisation_id)
        if person.has_role("checklist_manager", "legal_reviewer", "county_leader"):
            once_submitted = table.c.number.is_not(None)
            seen.append(sa.and_(table.c.county_id.in_(person.region_ids), once_submitted))
        if person.has_role("township_officer"):
            asked = sa.select(opinion.c.admission_id).where(opinion.c.township_id == person.organisation_id)
            seen.append(sa.and_(table.c.id.in_(asked), table.c.state.not_in(_UNSUBMITTED)))
        return sa.select(table.c.id).where(sa.or_(sa.false(), *seen))

    def prepare(self, session: Session, person: viewer.Viewer) -> None:
        super().prepare(session, person)
        if not person.has_role("department_officer") or person.organisation_id is None:
            raise Forbidden(_l("County departments apply for an admission."))
        self.applicant_id = person.organisation_id
        self.state = AdmissionState.draft

    def check_change(self, person: viewer.Viewer) -> None:
        if person.organisation_id != self.applicant_id or not person.has_role("department_officer"):
            raise Forbidden()
        if self.state != AdmissionState.draft:
            raise Conflict(_l("A submitted application is no longer changed. You may withdraw it."))

    def check_delete(self, person: viewer.Viewer) -> None:
        self.check_change(person)
        if self.number is not None:
            raise Conflict(_l("This application was submitted before. You may withdraw it."))

    @property
    def title(self) -> str:
        return self.matter or str(_l("(no title yet)"))

    def digest(self) -> str:
        """What tells the content from another: if it changes, the opinions given on it are void."""
        said = [getattr(self, name) for name in CONTENT]
        return hashlib.sha256(canonical([str(one) if one is not None else None for one in said])).hexdigest()


CONTENT = (
    "matter",
    "kind",
    "term_months",
    "content",
    "legal_basis",
    "why_not_self",
    "workload",
    "funds",
    "staff",
    "guidance",
    "training",
    "end_condition",
)
"""The content of an application; each must be filled."""


class AdmissionOpinion(CountyRecord):
    """What a township says in writing of an application, to the staffing office. Its events stand on its own timeline:
    nobody else may learn whose it is (1, no retaliation)."""

    __table_args__ = (
        sa.Index(
            "uq_admission_opinion_live",
            "admission_id",
            "township_id",
            unique=True,
            postgresql_where=sa.text("state <> 'void'"),
            sqlite_where=sa.text("state <> 'void'"),
        ),
        sa.CheckConstraint("state <> 'given' OR answer IS NOT NULL", name="ck_admission_opinion_answer"),
    )
    label = _l("Opinion on an admission")
    plural = _l("Opinions on admissions")

    admission_id: Mapped[int] = reference(
        _l("Off-list admission"), "admission", listed=True, editable=False, nullable=False
    )
    township_id: Mapped[int] = reference(
        _l("Township"), "organisation", listed=True, searched=True, editable=False, nullable=False
    )
    state: Mapped[OpinionState] = state_column(OpinionState.outstanding)
    asked_at: Mapped[datetime] = column(_l("Asked"), UtcDateTime, editable=False, nullable=False)
    due: Mapped[datetime] = column(_l("Reply due"), UtcDateTime, listed=True, editable=False, nullable=False)
    answer: Mapped[Answer | None] = column(
        _l("Answer"), choice_type(Answer), listed=True, searched=True, editable=False, required=False
    )
    text: Mapped[str] = column(
        _l("Conditions and reasons"), sa.Text, editable=False, required=False, nullable=False, default=""
    )
    replied_at: Mapped[datetime | None] = column(_l("Replied at"), UtcDateTime, editable=False, required=False)
    signed_by_id: Mapped[int | None] = person_reference(_l("Signed by"), editable=False, required=False)

    admission: Mapped[Admission] = relationship(back_populates="opinions")
    township: Mapped[Organisation] = relationship(foreign_keys=[township_id])
    signed_by: Mapped[Any] = relationship("Person", foreign_keys=[signed_by_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Its township and the staffing office (2.1, end)."""
        table = sa.inspect(cls).local_table
        seen = []
        if person.has_role("township_officer"):
            seen.append(table.c.township_id == person.organisation_id)
        if person.has_role("checklist_manager"):
            seen.append(table.c.county_id == person.county_id)
        return sa.select(table.c.id).where(sa.or_(sa.false(), *seen))

    @property
    def title(self) -> str:
        return f"{self.township.short_name}：{self.admission.title}"
