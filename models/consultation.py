"""Consultations on the head of a stationed agency: the department proposes, the township's Party committee is heard (2.7; S3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_appbuilder import Model
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models import viewer
from models.agency import StationedAgency
from models.base import KEY, CountyRecord, UtcDateTime, choice_type, column, reference, referred, state_column
from models.field import Choice
from models.organisation import Organisation
from models.person import Person
from models.refusal import Conflict, Forbidden, Invalid
from models.setting import CandidateNames, LapseRule, counties_with, setting
from models.workflow import State


class ConsultationAction(Choice):
    appoint = "appoint", _l("Appoint")
    remove = "remove", _l("Remove from office")
    transfer = "transfer", _l("Transfer to another agency")


class ConsultationState(State):
    draft = "draft", _l("Draft"), "waiting"
    consulting = "consulting", _l("Waiting for opinion"), "others"
    replied = "replied", _l("Waiting for decision"), "waiting"
    decided = "decided", _l("Township to be informed"), "waiting"
    done = "done", _l("Township informed"), "done", True
    withdrawn = "withdrawn", _l("Withdrawn"), "muted", True


class Decision(Choice):
    as_proposed = "as_proposed", _l("As proposed")
    changed = "changed", _l("Another solution")
    not_pursued = "not_pursued", _l("Not pursued")


class OpinionState(State):
    outstanding = "outstanding", _l("Waiting for the Party committee's reply"), "others"
    given = "given", _l("Party committee replied"), "done", True
    lapsed = "lapsed", _l("No reply of the Party committee in time"), "overdue", True
    void = "void", _l("No longer needed"), "muted", True


class Opinion(Choice):
    agree = "agree", _l("Agree")
    disagree = "disagree", _l("Disagree")
    defer = "defer", _l("Suggest deferring")


class PersonnelConsultation(CountyRecord):
    """A proposal to appoint, remove or transfer an agency's head, on which the township's Party committee is heard first."""

    __table_args__ = (
        sa.CheckConstraint(
            "outstanding = 0 OR state IN ('draft', 'consulting')", name="ck_personnel_consultation_outstanding"
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'withdrawn') OR (agency_id IS NOT NULL AND number IS NOT NULL)",
            name="ck_personnel_consultation_sent",
        ),
        sa.CheckConstraint(
            "state NOT IN ('decided', 'done') OR decision IS NOT NULL", name="ck_personnel_consultation_decision"
        ),
        sa.UniqueConstraint("proposer_id", "number"),
        sa.Index(
            "ix_personnel_consultation_reply_due",
            "reply_due",
            postgresql_where=sa.text("reply_due IS NOT NULL"),
            sqlite_where=sa.text("reply_due IS NOT NULL"),
        ),
    )
    label = _l("Personnel consultation")
    plural = _l("Personnel consultations")

    number: Mapped[str | None] = column(
        _l("Number"), sa.String(40), listed=True, searched=True, editable=False, required=False
    )
    agency_id: Mapped[int | None] = reference(
        _l("Agency"), "stationed_agency", required=True, listed=True, searched=True
    )
    action: Mapped[ConsultationAction | None] = column(
        _l("What is proposed"), choice_type(ConsultationAction), required=True, listed=True, searched=True
    )
    to_agency_id: Mapped[int | None] = reference(
        _l("To which agency"),
        "stationed_agency",
        required=False,
        when=("action", ("transfer",)),
        help=_l("Its township is heard as well."),
    )
    chief: Mapped[bool] = column(
        _l("Concerns the head, not a deputy"), sa.Boolean, nullable=False, default=True, prefill=True
    )
    reason: Mapped[str] = column(
        _l("Reason for the change"),
        sa.Text,
        kind="long_text",
        required=True,
        nullable=False,
        default="",
        help=_l("Without names: they stand on paper, or among the candidates where the county allows it."),
    )
    proposer_id: Mapped[int] = reference(
        _l("Proposing organisation"), "organisation", listed=True, searched=True, editable=False, nullable=False
    )
    township_id: Mapped[int | None] = reference(
        _l("Township consulted"), "organisation", listed=True, searched=True, editable=False
    )
    to_township_id: Mapped[int | None] = reference(_l("Township consulted as well"), "organisation", editable=False)
    state: Mapped[ConsultationState] = state_column(ConsultationState.draft)
    sent_at: Mapped[datetime | None] = column(_l("Sent at"), UtcDateTime, editable=False)
    lapse_rule: Mapped[LapseRule | None] = column(
        _l("If no reply comes in time"), choice_type(LapseRule), editable=False
    )
    reply_due: Mapped[datetime | None] = column(
        _l("Reply of the Party committee due"), UtcDateTime, listed=True, editable=False
    )
    """The nearest deadline of an outstanding opinion; None when nothing is outstanding."""
    outstanding: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    """Number of opinions that are neither in nor lapsed. The database refuses a decision while there are any."""
    replied_at: Mapped[datetime | None] = column(_l("All opinions in or lapsed"), UtcDateTime, editable=False)
    coordination: Mapped[str] = column(
        _l("Result of the coordination"), sa.Text, kind="long_text", editable=False, nullable=False, default=""
    )
    coordinated_at: Mapped[datetime | None] = column(_l("Coordinated at"), UtcDateTime, editable=False)
    decision: Mapped[Decision | None] = column(_l("Decision"), choice_type(Decision), editable=False)
    decision_text: Mapped[str] = column(
        _l("Decision in words"), sa.Text, kind="long_text", editable=False, nullable=False, default=""
    )
    reasoned_reply: Mapped[str] = column(
        _l("Why the township's opinion is not followed"),
        sa.Text,
        kind="long_text",
        editable=False,
        nullable=False,
        default="",
    )
    decided_at: Mapped[datetime | None] = column(_l("Decided at"), UtcDateTime, editable=False)
    informed_at: Mapped[datetime | None] = column(_l("Township informed at"), UtcDateTime, editable=False)

    agency: Mapped[StationedAgency | None] = relationship(foreign_keys=[agency_id])
    to_agency: Mapped[StationedAgency | None] = relationship(foreign_keys=[to_agency_id])
    proposer: Mapped[Organisation] = relationship(foreign_keys=[proposer_id])
    township: Mapped[Organisation | None] = relationship(foreign_keys=[township_id])
    to_township: Mapped[Organisation | None] = relationship(foreign_keys=[to_township_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """The two sides and the organisation department (2.1, end; 2.7); before it is sent, the proposer alone."""
        table = sa.inspect(cls).local_table
        seen = []
        if person.has_role("department_officer", "personnel_officer"):
            seen.append(table.c.proposer_id == person.organisation_id)
        if person.has_role("township_officer"):
            mine = sa.or_(*(one == person.organisation_id for one in (table.c.township_id, table.c.to_township_id)))
            seen.append(sa.and_(table.c.sent_at.is_not(None), mine))
        if person.has_role("personnel_officer"):
            seen.append(sa.and_(table.c.sent_at.is_not(None), table.c.county_id == person.county_id))
        return sa.select(table.c.id).where(sa.or_(sa.false(), *seen))

    @property
    def title(self) -> str:
        return self.number or f"{type(self).label} {self.id or ''}".strip()

    def prepare(self, session: Session, person: viewer.Viewer) -> None:
        super().prepare(session, person)
        department = person.organisation_kind == "department" and person.has_role("department_officer")
        if not department and not person.has_role("personnel_officer"):
            raise Forbidden(_l("Only departments and the organisation department propose changes of an agency's head."))
        assert person.organisation_id is not None
        self.proposer_id = person.organisation_id
        self.state = ConsultationState.draft

    def check_change(self, person: viewer.Viewer) -> None:
        if person.organisation_id != self.proposer_id:
            raise Forbidden()
        if self.state != ConsultationState.draft:
            raise Conflict(_l("What was sent is no longer changed. You may withdraw it."))

    def check_delete(self, person: viewer.Viewer) -> None:
        self.check_change(person)


class ConsultationOpinion(CountyRecord):
    """The written opinion of one township's Party committee."""

    __table_args__ = (
        sa.UniqueConstraint("consultation_id", "township_id"),
        sa.CheckConstraint(
            "(state = 'given') = (opinion IS NOT NULL AND meeting_date IS NOT NULL)",
            name="ck_consultation_opinion_given",
        ),
    )
    label = _l("Opinion of the Party committee")
    plural = _l("Opinions of the Party committees")

    consultation_id: Mapped[int] = reference(
        _l("Consultation"),
        "personnel_consultation",
        listed=True,
        searched=True,
        editable=False,
        nullable=False,
        index=False,
    )
    township_id: Mapped[int] = reference(
        _l("Township"), "organisation", listed=True, searched=True, editable=False, nullable=False
    )
    state: Mapped[OpinionState] = state_column(OpinionState.outstanding)
    due: Mapped[datetime] = column(
        _l("Reply of the Party committee due"), UtcDateTime, listed=True, editable=False, nullable=False
    )
    extended: Mapped[bool] = column(_l("Time extended"), sa.Boolean, editable=False, nullable=False, default=False)
    opinion: Mapped[Opinion | None] = column(_l("Opinion"), choice_type(Opinion), listed=True, editable=False)
    reasons: Mapped[str] = column(_l("Reasons"), sa.Text, kind="long_text", editable=False, nullable=False, default="")
    suggestion: Mapped[str] = column(
        _l("Suggestion"), sa.Text, kind="long_text", editable=False, nullable=False, default=""
    )
    meeting_date: Mapped[date | None] = column(_l("Date of the Party committee's meeting"), sa.Date, editable=False)
    signed_by: Mapped[str] = column(_l("Signed by"), sa.String(60), editable=False, nullable=False, default="")
    replied_at: Mapped[datetime | None] = column(_l("Party committee replied at"), UtcDateTime, editable=False)
    lapsed_at: Mapped[datetime | None] = column(_l("Lapsed at"), UtcDateTime, editable=False)
    deemed_consent: Mapped[bool] = column(
        _l("Counts as consent"), sa.Boolean, editable=False, nullable=False, default=False
    )

    consultation: Mapped[PersonnelConsultation] = relationship(foreign_keys=[consultation_id])
    township: Mapped[Organisation] = relationship(foreign_keys=[township_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Its township, the proposer and the organisation department; of two townships consulted, neither reads the other's."""
        table, consultations = sa.inspect(cls).local_table, sa.inspect(PersonnelConsultation).local_table
        seen = []
        if person.has_role("township_officer"):
            seen.append(table.c.township_id == person.organisation_id)
        if person.has_role("department_officer", "personnel_officer"):
            own = sa.select(consultations.c.id).where(consultations.c.proposer_id == person.organisation_id)
            seen.append(table.c.consultation_id.in_(own))
        if person.has_role("personnel_officer"):
            seen.append(table.c.county_id == person.county_id)
        return sa.select(table.c.id).where(sa.or_(sa.false(), *seen))

    @property
    def consents(self) -> bool:
        """Agreed, or silent where silence counts as consent."""
        return self.opinion == Opinion.agree or self.deemed_consent

    @property
    def title(self) -> str:
        return self.township.short_name


class ConsultationHandler(Model):
    """A person who may read the names of a consultation's candidates."""

    __tablename__ = "consultation_handler"

    consultation_id: Mapped[int] = mapped_column(
        KEY, sa.ForeignKey("personnel_consultation.id", ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[int] = mapped_column(sa.Integer, sa.ForeignKey("ab_user.id"), primary_key=True)


class ConsultationCandidate(CountyRecord):
    """A candidate by name. Exists only where the county keeps names in the portal, and only for the named handlers (2.7)."""

    label = _l("Candidate")
    plural = _l("Candidates")
    attachable = False

    consultation_id: Mapped[int] = reference(_l("Consultation"), "personnel_consultation", nullable=False)
    name: Mapped[str] = column(_l("Full name"), sa.String(40), listed=True, nullable=False, confidential=True)
    present_post: Mapped[str] = column(
        _l("Present post"), sa.String(100), listed=True, required=False, nullable=False, default="", confidential=True
    )
    proposed_post: Mapped[str] = column(
        _l("Post to be given or taken"), sa.String(100), listed=True, nullable=False, confidential=True
    )

    consultation: Mapped[PersonnelConsultation] = relationship(foreign_keys=[consultation_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        table, handlers = sa.inspect(cls).local_table, sa.inspect(ConsultationHandler).local_table
        return sa.select(table.c.id).where(
            table.c.county_id.in_(counties_with("candidate_names", CandidateNames.in_portal.value)),
            table.c.consultation_id.in_(
                sa.select(handlers.c.consultation_id).where(handlers.c.person_id == person.person_id)
            ),
            table.c.consultation_id.in_(PersonnelConsultation.visible_ids(person)),
        )

    @property
    def title(self) -> str:
        """Without the name, since titles stand in events and messages."""
        return f"{type(self).label} {self.id or ''}".strip()

    def check_change(self, person: viewer.Viewer) -> None:
        self.consultation.check_change(person)

    def check_delete(self, person: viewer.Viewer) -> None:
        self.consultation.check_change(person)


def names_in_portal(session: Session, county_id: int) -> bool:
    """Whether the county keeps candidates' names in the portal at all."""
    return bool(setting(session, county_id, "candidate_names") == CandidateNames.in_portal)


def opinions_of(session: Session, consultation: PersonnelConsultation) -> Sequence[ConsultationOpinion]:
    """A consultation's opinions as this viewer sees them, in order of the townships. No relation: one loaded by the system would show all of them."""
    return session.scalars(
        sa.select(ConsultationOpinion)
        .join(Organisation, Organisation.id == ConsultationOpinion.township_id)
        .where(ConsultationOpinion.consultation_id == consultation.id)
        .order_by(Organisation.order, Organisation.id)
        .execution_options(populate_existing=True)
    ).all()


def handlers_of(session: Session, consultation: PersonnelConsultation) -> Sequence[Person]:
    """The people who may read the candidates' names."""
    return session.scalars(
        sa.select(Person)
        .join(ConsultationHandler, ConsultationHandler.person_id == Person.id)
        .where(ConsultationHandler.consultation_id == consultation.id)
        .order_by(Person.id)
    ).all()


def name_handler(session: Session, consultation_id: int, person_id: int) -> None:
    """Let a person read the candidates' names; nothing new for one who does already."""
    if session.get(ConsultationHandler, (consultation_id, person_id)) is None:
        session.add(ConsultationHandler(consultation_id=consultation_id, person_id=person_id))


# What no way of saving may break


@sa.event.listens_for(Session, "before_flush")
def _keep_names(session: Session, context: Any, instances: Any) -> None:
    """Names are refused where they stay on paper, and after sending; the agencies of a draft are those of one department."""
    author = viewer.author()
    with session.no_autoflush, viewer.system():
        for record in [*session.new, *session.dirty]:
            if isinstance(record, ConsultationCandidate):
                _check_candidate(session, record, author)
            elif isinstance(record, PersonnelConsultation):
                _check_agencies(session, record)


def _check_candidate(session: Session, candidate: ConsultationCandidate, author: viewer.Viewer | None) -> None:
    consultation = referred(session, candidate, "consultation", PersonnelConsultation)
    if consultation is None:
        raise Invalid({"consultation": _l("Please fill in this field.")})
    candidate.county_id = consultation.county_id
    if not names_in_portal(session, consultation.county_id):
        raise Invalid({"name": _l("In this county names stay on paper and are not entered in the portal.")})
    if author is not None:
        consultation.check_change(author)


def _check_agencies(session: Session, consultation: PersonnelConsultation) -> None:
    """Raises Invalid for an agency to which nobody is transferred, or the same one."""
    agency = referred(session, consultation, "agency", StationedAgency)
    to_agency = referred(session, consultation, "to_agency", StationedAgency)
    if to_agency is None:
        return
    if consultation.action != ConsultationAction.transfer:
        raise Invalid({"to_agency": _l("Only a transfer leads to another agency.")})
    if agency is not None and to_agency.id == agency.id:
        raise Invalid({"to_agency": _l("Please choose another agency than the present one.")})


@sa.event.listens_for(Session, "after_flush")
def _name_author(session: Session, context: Any) -> None:
    """Who drafts a consultation handles it."""
    author = viewer.author()
    rows = [
        {"consultation_id": one.id, "person_id": author.person_id}
        for one in session.new
        if isinstance(one, PersonnelConsultation) and author is not None
    ]
    if rows:
        session.connection().execute(sa.insert(ConsultationHandler), rows)
