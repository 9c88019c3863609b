"""Adjustment proposals: a township proposes to adjust an agency's head, from daily performance, and must be answered (2.7; S4)."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, relationship

from models import viewer
from models.agency import StationedAgency
from models.base import CountyRecord, UtcDateTime, choice_type, column, reference, state_column
from models.calendar import work_calendar
from models.document import take_number
from models.field import Choice, Field
from models.organisation import Organisation
from models.refusal import Conflict, Forbidden, Invalid
from models.setting import setting
from models.workflow import By, State, Step, Transition, Workflow


class ProposalState(State):
    draft = "draft", _l("Draft"), "waiting"
    sent = "sent", _l("Waiting for answer"), "others"
    answered = "answered", _l("Answered"), "done", True
    withdrawn = "withdrawn", _l("Withdrawn"), "muted", True


class ProposalAnswer(Choice):
    accepted = "accepted", _l("Accepted")
    declined = "declined", _l("Not accepted")


class AdjustmentProposal(CountyRecord):
    """A township's proposal to adjust the head of an agency stationed with it."""

    __table_args__ = (
        sa.CheckConstraint(
            "state IN ('draft', 'withdrawn') OR (agency_id IS NOT NULL AND answer_due IS NOT NULL)",
            name="ck_adjustment_proposal_sent",
        ),
        sa.CheckConstraint("(state = 'answered') = (answer IS NOT NULL)", name="ck_adjustment_proposal_answer"),
        sa.CheckConstraint("answer <> 'declined' OR reasons <> ''", name="ck_adjustment_proposal_reasons"),
        sa.UniqueConstraint("township_id", "number"),
    )
    label = _l("Adjustment proposal")
    plural = _l("Adjustment proposals")

    number: Mapped[str | None] = column(
        _l("Number"), sa.String(40), listed=True, searched=True, editable=False, required=False
    )
    agency_id: Mapped[int | None] = reference(
        _l("Agency"), "stationed_agency", required=True, listed=True, searched=True
    )
    performance: Mapped[str] = column(
        _l("Period of performance"),
        sa.String(60),
        required=True,
        nullable=False,
        default="",
        help=_l("For example “the year 2026 so far”."),
    )
    meeting_date: Mapped[date | None] = column(_l("Date of the Party committee's meeting"), sa.Date, required=True)
    proposal: Mapped[str] = column(
        _l("Proposal in words"), sa.Text, kind="long_text", required=True, nullable=False, default=""
    )
    reason: Mapped[str] = column(
        _l("Facts from daily performance"), sa.Text, kind="long_text", required=True, nullable=False, default=""
    )
    township_id: Mapped[int] = reference(
        _l("Township"), "organisation", listed=True, searched=True, editable=False, nullable=False
    )
    department_id: Mapped[int | None] = reference(
        _l("Department"), "organisation", listed=True, searched=True, editable=False
    )
    state: Mapped[ProposalState] = state_column(ProposalState.draft)
    sent_at: Mapped[datetime | None] = column(_l("Sent at"), UtcDateTime, editable=False)
    answer_due: Mapped[datetime | None] = column(_l("Answer due"), UtcDateTime, listed=True, editable=False)
    answer: Mapped[ProposalAnswer | None] = column(
        _l("Answer"), choice_type(ProposalAnswer), listed=True, editable=False
    )
    measures: Mapped[str] = column(
        _l("Measures"), sa.Text, kind="long_text", editable=False, nullable=False, default=""
    )
    reasons: Mapped[str] = column(
        _l("Reasons of the answer"), sa.Text, kind="long_text", editable=False, nullable=False, default=""
    )
    answered_at: Mapped[datetime | None] = column(_l("Answered at"), UtcDateTime, editable=False)

    agency: Mapped[StationedAgency | None] = relationship(foreign_keys=[agency_id])
    township: Mapped[Organisation] = relationship(foreign_keys=[township_id])
    department: Mapped[Organisation | None] = relationship(foreign_keys=[department_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """The two sides and the organisation department (2.1, end; 2.7); before it is sent, the township alone."""
        table = sa.inspect(cls).local_table
        sent, seen = table.c.sent_at.is_not(None), []
        if person.has_role("township_officer"):
            seen.append(table.c.township_id == person.organisation_id)
        if person.has_role("department_officer"):
            seen.append(sa.and_(sent, table.c.department_id == person.organisation_id))
        if person.has_role("personnel_officer"):
            seen.append(sa.and_(sent, table.c.county_id == person.county_id))
        return sa.select(table.c.id).where(sa.or_(sa.false(), *seen))

    @property
    def title(self) -> str:
        return self.number or f"{type(self).label} {self.id or ''}".strip()

    def prepare(self, session: Session, person: viewer.Viewer) -> None:
        super().prepare(session, person)
        if person.organisation_kind != "township" or not person.has_role("township_officer"):
            raise Forbidden(_l("Only the township where an agency is stationed proposes an adjustment."))
        assert person.organisation_id is not None
        self.township_id = person.organisation_id
        self.state = ProposalState.draft

    def check_change(self, person: viewer.Viewer) -> None:
        if person.organisation_id != self.township_id:
            raise Forbidden()
        if self.state != ProposalState.draft:
            raise Conflict(_l("What was sent is no longer changed. You may withdraw it."))

    def check_delete(self, person: viewer.Viewer) -> None:
        self.check_change(person)


TOWNSHIP = By(frozenset({"township_officer"}), lambda proposal, person: proposal.township_id == person.organisation_id)
DEPARTMENT = By(
    frozenset({"department_officer"}), lambda proposal, person: proposal.department_id == person.organisation_id
)


def _send_guard(step: Step) -> None:
    proposal: AdjustmentProposal = step.record
    missing = {
        name: _l("Please fill in this field.")
        for name in ("agency", "performance", "meeting_date", "proposal", "reason")
        if not getattr(proposal, name)
    }
    if missing or proposal.agency is None or proposal.meeting_date is None:
        raise Invalid(missing)
    if proposal.agency.township_id != proposal.township_id:
        raise Invalid({"agency": _l("This agency is not stationed in your township.")})
    if proposal.meeting_date > work_calendar(step.session, proposal.county_id).local_date(step.now):
        raise Invalid({"meeting_date": _l("This date cannot lie in the future.")})


def _send(step: Step) -> None:
    proposal: AdjustmentProposal = step.record
    assert proposal.agency is not None
    calendar = work_calendar(step.session, proposal.county_id)
    year = calendar.local_date(step.now).year
    number = take_number(step.session, proposal.township_id, "adjustment_proposal", year)
    proposal.number = f"建议〔{year}〕{number}号"
    proposal.department_id = proposal.agency.department_id
    proposal.sent_at = step.now
    proposal.answer_due = calendar.deadline(
        step.now, setting(step.session, proposal.county_id, "proposal_answer_limit")
    )
    proposal.state = ProposalState.sent


def _answer_guard(step: Step) -> None:
    if step.values["answer"] == ProposalAnswer.declined and not step.values["reasons"]:
        raise Invalid({"reasons": _l("Please give the township the reasons.")})


def _answer(step: Step) -> None:
    proposal: AdjustmentProposal = step.record
    proposal.answer = step.values["answer"]
    proposal.reasons = step.values["reasons"] or ""
    proposal.measures = step.values["measures"] or ""
    proposal.answered_at = step.now


AdjustmentProposal.workflow = Workflow(
    states=ProposalState,
    transitions=(
        Transition(
            "send",
            _l("Send proposal"),
            (TOWNSHIP,),
            ("draft",),
            guard=_send_guard,
            effect=_send,
            primary=True,
            icon="send",
            done=_l("Proposal sent to the department"),
            help=_l("The department must answer it in writing."),
        ),
        Transition(
            "answer",
            _l("Answer proposal"),
            (DEPARTMENT,),
            ("sent",),
            "answered",
            guard=_answer_guard,
            effect=_answer,
            primary=True,
            icon="corner-up-left",
            done=_l("Proposal answered"),
            asks=(
                Field("answer", _l("Answer"), "choice", choices=ProposalAnswer),
                Field("measures", _l("Measures"), "long_text", required=False),
                Field(
                    "reasons", _l("Reasons"), "long_text", required=False, help=_l("Needed if you do not accept it.")
                ),
            ),
        ),
        Transition(
            "withdraw",
            _l("Withdraw"),
            (TOWNSHIP,),
            ("draft", "sent"),
            "withdrawn",
            asks=(Field("reason", _l("Reason"), "long_text"),),
            danger=True,
            icon="arrow-back-up",
            done=_l("Proposal withdrawn"),
        ),
    ),
)
