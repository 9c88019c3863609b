"""Reviews: a department disputes a conclusion, others examine it, the county's leader decides (2.3)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, relationship

from models import clock, viewer
from models.base import CountyRecord, UtcDateTime, choice_type, column, person_reference, reference, state_column
from models.calendar import work_calendar
from models.conclusion import Conclusion, ConclusionState, Finding, took_part
from models.conclusion_workflow import review_until
from models.document import Document
from models.field import Choice, Field
from models.organisation import Organisation
from models.paper import issue, take_paper_number
from models.person import Person
from models.rectification import revoke_orders
from models.refusal import Conflict, Forbidden, Invalid
from models.setting import setting
from models.workflow import By, State, Step, Transition, Workflow


class ReviewState(State):
    filed = "filed", _l("Waiting for examination"), "others"
    examining = "examining", _l("Waiting for decision"), "others"
    decided = "decided", _l("Decided"), "done", True


class ReviewOutcome(Choice):
    upheld = "upheld", _l("Upheld: the conclusion is taken back")
    rejected = "rejected", _l("Rejected: the conclusion stands")


class ReviewRequest(CountyRecord):
    """A department's request that a conclusion be reviewed by others than those who drew it; one per conclusion."""

    __table_args__ = (
        sa.UniqueConstraint("conclusion_id"),
        sa.CheckConstraint(
            "state <> 'decided' OR (outcome IS NOT NULL AND decided_at IS NOT NULL)", name="ck_review_request_decided"
        ),
        sa.CheckConstraint("decided_by_id <> examined_by_id", name="ck_review_request_by_others"),
    )
    label = _l("Review request")
    plural = _l("Review requests")

    number: Mapped[str | None] = column(
        _l("Number of the decision"), sa.String(60), listed=True, searched=True, editable=False, required=False
    )
    conclusion_id: Mapped[int] = reference(
        _l("Conclusion"),
        "conclusion",
        only={"state": ConclusionState.served},
        listed=True,
        searched=True,
        nullable=False,
        index=False,
    )
    department_id: Mapped[int] = reference(
        _l("Department"), "organisation", listed=True, searched=True, editable=False, nullable=False
    )
    grounds: Mapped[str] = column(
        _l("Grounds of the request"),
        sa.Text,
        kind="long_text",
        nullable=False,
        help=_l("Which facts or which finding are wrong, and why."),
    )
    state: Mapped[ReviewState] = state_column(ReviewState.filed)
    filed_at: Mapped[datetime] = column(
        _l("Filed"), UtcDateTime, listed=True, editable=False, nullable=False, default=clock.now
    )
    decide_due: Mapped[datetime | None] = column(_l("Decision due"), UtcDateTime, listed=True, editable=False)
    examined_by_id: Mapped[int | None] = person_reference(_l("Examined by"), editable=False)
    opinion: Mapped[str] = column(
        _l("Opinion of the examination"), sa.Text, editable=False, required=False, nullable=False, default=""
    )
    outcome: Mapped[ReviewOutcome | None] = column(
        _l("Outcome"), choice_type(ReviewOutcome), listed=True, searched=True, editable=False
    )
    reasons: Mapped[str] = column(
        _l("Reasons of the decision"), sa.Text, editable=False, required=False, nullable=False, default=""
    )
    decided_at: Mapped[datetime | None] = column(_l("Decided at"), UtcDateTime, editable=False)
    decided_by_id: Mapped[int | None] = person_reference(_l("Decided by"), editable=False)
    document_id: Mapped[int | None] = reference(_l("Document"), "document", editable=False)

    conclusion: Mapped[Conclusion] = relationship(foreign_keys=[conclusion_id])
    department: Mapped[Organisation] = relationship(foreign_keys=[department_id])
    examined_by: Mapped[Person | None] = relationship(foreign_keys=[examined_by_id])
    decided_by: Mapped[Person | None] = relationship(foreign_keys=[decided_by_id])
    document: Mapped[Document | None] = relationship(foreign_keys=[document_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Supervisors, the department and the county's leaders (2.1, end)."""
        table = sa.inspect(cls).local_table
        if person.has_role("supervisor", "county_leader"):
            return sa.select(table.c.id).where(table.c.county_id.in_(person.region_ids))
        if person.has_role("department_officer"):
            return sa.select(table.c.id).where(table.c.department_id == person.organisation_id)
        return sa.select(table.c.id).where(sa.false())

    def prepare(self, session: Session, person: viewer.Viewer) -> None:
        super().prepare(session, person)
        if not person.has_role("department_officer") or person.organisation_id is None:
            raise Forbidden(_l("A review is asked for by the department that the conclusion is about."))
        self.department_id = person.organisation_id

    def check_change(self, person: viewer.Viewer) -> None:
        raise Conflict(_l("A request that was filed is no longer changed."))

    def check_delete(self, person: viewer.Viewer) -> None:
        raise Conflict(_l("A request that was filed stays on file."))

    @property
    def title(self) -> str:
        return f"{ReviewRequest.label} {self.department.short_name}"


def check_filing(session: Session, request: ReviewRequest, conclusion: Conclusion) -> None:
    """Raise Invalid unless the department itself asks within the limit after it received the conclusion, and for the first time."""
    until = review_until(conclusion)
    if conclusion.department_id != request.department_id:
        raise Invalid({"conclusion": _l("This conclusion is not about your department.")})
    if not conclusion.citable or until is None:
        raise Invalid({"conclusion": _l("Only a conclusion that was served and still stands can be reviewed.")})
    if clock.now() > until:
        raise Invalid({"conclusion": _l("The time for asking for a review of this conclusion is over.")})
    table = sa.inspect(ReviewRequest).local_table
    taken = sa.select(table.c.id).where(table.c.conclusion_id == conclusion.id)
    if session.connection().scalar(taken) is not None:
        raise Invalid({"conclusion": _l("A review of this conclusion was asked for before.")})


def begin_clock(session: Session, request: ReviewRequest) -> None:
    """The decision is due within 30 calendar days of filing, unless set otherwise."""
    request.filed_at = request.filed_at or clock.now()
    limit = setting(session, request.county_id, "review_decision_limit")
    request.decide_due = work_calendar(session, request.county_id).deadline(request.filed_at, limit)


# The workflow


def _took_no_part(request: Any, person: viewer.Viewer) -> bool:
    """Of this county, and nobody who worked on the conclusion. Having approved the bulletin does not exclude."""
    return request.county_id == person.county_id and person.person_id not in took_part(request.conclusion)


EXAMINER = By(frozenset({"supervisor"}), _took_no_part)
LEADER = By(
    frozenset({"county_leader"}),
    lambda request, person: request.examined_by_id != person.person_id and _took_no_part(request, person),
)


def _examine(step: Step) -> None:
    step.record.examined_by_id = step.person.person_id if step.person else None


def _propose(step: Step) -> None:
    step.record.opinion = step.values["opinion"]


def _decide(step: Step) -> None:
    """Upheld: the conclusion's marks are taken back, open orders fall; the issued bulletin stays as it is."""
    request: ReviewRequest = step.record
    request.outcome = step.values["outcome"]
    request.reasons = step.values["reasons"]
    request.decided_at = step.now
    request.decided_by_id = step.person.person_id if step.person else None
    if request.outcome == ReviewOutcome.upheld:
        _take_back(step, request.conclusion)
    office = request.conclusion.office
    request.number = take_paper_number(step.session, "review_decision", office.id, request.county_id)
    step.shown["number"] = request.number
    request.document = issue(
        step.session,
        "review_decision",
        request,
        issuer=office,
        recipients=[request.department],
        number=request.number,
    )


RESPONSE = frozenset({Finding.late_response, Finding.no_response})
"""Findings whose mark stands on the assignment too."""


def _take_back(step: Step, conclusion: Conclusion) -> None:
    """The conclusion and what followed from it are void: its mark in lists and figures, the open order (2.3)."""
    conclusion.revoked_at = step.now
    if conclusion.assignment is not None and conclusion.finding in RESPONSE:
        conclusion.assignment.response_cleared_at = step.now
    step.session.flush()
    revoke_orders(step.session, conclusion)


ReviewRequest.workflow = Workflow(
    states=ReviewState,
    lock=lambda session, request: [(Conclusion, request.conclusion_id)],
    transitions=(
        Transition(
            "examine",
            _l("Take up examination"),
            (EXAMINER,),
            ("filed",),
            "examining",
            effect=_examine,
            primary=True,
            icon="search",
            done=_l("Examination taken up"),
            help=_l("By somebody who took no part in the conclusion."),
        ),
        Transition(
            "propose",
            _l("Record opinion"),
            (EXAMINER,),
            ("examining",),
            effect=_propose,
            primary=True,
            icon="message",
            done=_l("Opinion of the examination recorded"),
            asks=(Field("opinion", _l("Opinion of the examination"), "long_text"),),
        ),
        Transition(
            "decide",
            _l("Decide review"),
            (LEADER,),
            ("examining",),
            "decided",
            effect=_decide,
            primary=True,
            icon="gavel",
            done=_l("Review decided"),
            asks=(
                Field("outcome", _l("Outcome"), "choice", choices=ReviewOutcome),
                Field("reasons", _l("Reasons of the decision"), "long_text"),
            ),
        ),
    ),
)
