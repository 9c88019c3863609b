"""Rectification orders: a department puts right what a conclusion found, and the supervision office verifies it (2.3).

The result is the township's evaluation; nothing else may be asked of it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, relationship

from models import viewer
from models.base import CountyRecord, UtcDateTime, column, person_reference, reference, state_column
from models.calendar import work_calendar
from models.conclusion import Conclusion
from models.document import Document
from models.field import Field
from models.inspection import SUPERVISOR
from models.organisation import Organisation, RunBy
from models.paper import issue, take_paper_number
from models.person import Person
from models.setting import setting
from models.workflow import By, State, Step, Transition, Workflow, perform_automatic

if TYPE_CHECKING:
    from models.bulletin import Bulletin


class RectificationState(State):
    ordered = "ordered", _l("Waiting for rectification"), "others"
    reported = "reported", _l("Waiting for verification"), "waiting"
    verified = "verified", _l("Verified as put right"), "done", True
    rejected = "rejected", _l("Not put right"), "overdue"
    revoked = "revoked", _l("Order revoked"), "muted", True


OPEN = (RectificationState.ordered, RectificationState.reported, RectificationState.rejected)


class Rectification(CountyRecord):
    """An order to a department to put right what a conclusion found; made by the bulletin that names the case."""

    __table_args__ = (
        sa.UniqueConstraint("conclusion_id"),
        sa.Index("ix_rectification_department_state", "department_id", "state"),
    )
    label = _l("Rectification order")
    plural = _l("Rectification orders")

    number: Mapped[str] = column(
        _l("Number"), sa.String(60), listed=True, searched=True, editable=False, nullable=False
    )
    department_id: Mapped[int] = reference(
        _l("Department"), "organisation", listed=True, searched=True, editable=False, nullable=False, index=False
    )
    conclusion_id: Mapped[int] = reference(
        _l("Conclusion"), "conclusion", listed=True, editable=False, nullable=False, index=False
    )
    bulletin_id: Mapped[int | None] = reference(_l("Bulletin"), "bulletin", editable=False)
    state: Mapped[RectificationState] = state_column(RectificationState.ordered)
    requirements: Mapped[str] = column(
        _l("What must be put right"), sa.Text, editable=False, required=False, nullable=False, default=""
    )
    round: Mapped[int] = column(_l("Times ordered"), sa.Integer, listed=True, editable=False, nullable=False, default=1)
    ordered_at: Mapped[datetime] = column(_l("Ordered"), UtcDateTime, editable=False, nullable=False)
    due: Mapped[datetime] = column(_l("To be put right by"), UtcDateTime, listed=True, editable=False, nullable=False)
    result: Mapped[str] = column(
        _l("What was put right"), sa.Text, editable=False, required=False, nullable=False, default=""
    )
    reported_at: Mapped[datetime | None] = column(_l("Rectification reported"), UtcDateTime, editable=False)
    remark: Mapped[str] = column(
        _l("Opinion of the verification"), sa.Text, editable=False, required=False, nullable=False, default=""
    )
    verified_at: Mapped[datetime | None] = column(_l("Checked"), UtcDateTime, editable=False)
    verified_by_id: Mapped[int | None] = person_reference(_l("Checked by"), editable=False)
    office_id: Mapped[int] = reference(_l("Supervision office"), "organisation", editable=False, nullable=False)
    document_id: Mapped[int | None] = reference(_l("Document"), "document", editable=False)
    """The order as it was made last."""

    document: Mapped[Document | None] = relationship(foreign_keys=[document_id])
    department: Mapped[Organisation] = relationship(foreign_keys=[department_id])
    conclusion: Mapped[Conclusion] = relationship(foreign_keys=[conclusion_id])
    bulletin: Mapped[Bulletin | None] = relationship(foreign_keys=[bulletin_id])
    verified_by: Mapped[Person | None] = relationship(foreign_keys=[verified_by_id])
    office: Mapped[Organisation] = relationship(foreign_keys=[office_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Supervisors, the department and the county's leaders (2.1, end)."""
        table = sa.inspect(cls).local_table
        if person.has_role("supervisor", "county_leader"):
            return sa.select(table.c.id).where(table.c.county_id.in_(person.region_ids))
        if person.has_role("department_officer"):
            return sa.select(table.c.id).where(table.c.department_id == person.organisation_id)
        return sa.select(table.c.id).where(sa.false())

    @property
    def title(self) -> str:
        return f"{self.number} {self.department.short_name}"


# Ordered and revoked by what happens to others


def may_be_ordered(department: Organisation) -> bool:
    """Only what the county runs: vertical units, utilities and enterprises are not ordered; a letter goes to their superior (2.3)."""
    return department.run_by == RunBy.county


def order(step: Step, bulletin: Bulletin, conclusion: Conclusion) -> Rectification | None:
    """Order a department to put right what a conclusion found. None where nothing is ordered: it is not the county's,
    no fault was found, or the order of an earlier bulletin stands."""
    session, department = step.session, conclusion.department
    assert department is not None
    if not conclusion.faulty or not may_be_ordered(department):
        return None
    if session.scalar(sa.select(Rectification.id).where(Rectification.conclusion_id == conclusion.id)) is not None:
        return None
    made = Rectification(
        county_id=bulletin.county_id,
        number=take_paper_number(session, "rectification", bulletin.office_id, bulletin.county_id),
        department=department,
        conclusion=conclusion,
        bulletin=bulletin,
        office=bulletin.office,
        requirements=conclusion.requirements or conclusion.finding_text,
        ordered_at=step.now,
        due=_ordered_until(step, bulletin),
    )
    session.add(made)
    session.flush()
    _put_on_paper(session, made)
    perform_automatic(session, made, "order", _nothing, {"number": made.number, "due": made.due})
    return made


def _put_on_paper(session: Session, one: Rectification) -> None:
    """The order as a letter; one that is made again bears the same number with the count of its making."""
    one.document = issue(
        session,
        "rectification",
        one,
        issuer=one.office,
        recipients=[one.department],
        number=one.number if one.round == 1 else f"{one.number}-{one.round}",
    )


def revoke_orders(session: Session, conclusion: Conclusion) -> None:
    """Revoke the open order that follows from a conclusion, because a review took the conclusion back."""
    query = sa.select(Rectification).where(Rectification.conclusion_id == conclusion.id, Rectification.state.in_(OPEN))
    for one in session.scalars(query.with_for_update()):
        before = one.state

        def revoke(step: Step, one: Rectification = one) -> None:
            one.state = RectificationState.revoked

        perform_automatic(
            session,
            one,
            "revoke_order",
            revoke,
            {"state": {"old": str(before), "new": str(RectificationState.revoked)}},
        )


def _nothing(step: Step) -> None:
    """The order itself was made by the bulletin; its event begins the order's own timeline."""


def _ordered_until(step: Step, bulletin: Bulletin) -> datetime:
    """The day that the bulletin names, until offices close; else as the setting says."""
    if bulletin.rectify_until is None:
        return _due(step, bulletin.county_id)
    return work_calendar(step.session, bulletin.county_id).close_of_day(bulletin.rectify_until)


def _due(step: Step, county_id: int) -> datetime:
    return work_calendar(step.session, county_id).deadline(
        step.now, setting(step.session, county_id, "rectification_limit")
    )


# The workflow

DEPARTMENT = By(frozenset({"department_officer"}), lambda one, person: one.department_id == person.organisation_id)


def _report(step: Step) -> None:
    step.record.result = step.values["result"]
    step.record.reported_at = step.now


def _check(step: Step) -> None:
    step.record.remark = step.values["remark"] or ""
    step.record.verified_at = step.now
    step.record.verified_by_id = step.person.person_id if step.person else None


def _order_again(step: Step) -> None:
    """What was not put right is ordered again at once, with a new deadline."""
    one: Rectification = step.record
    if one.state != RectificationState.rejected:
        return

    def again(automatic: Step) -> None:
        one.state = RectificationState.ordered
        one.round += 1
        one.due = _due(automatic, one.county_id)
        automatic.shown |= {"round": one.round, "due": one.due, "state": {"old": "rejected", "new": "ordered"}}
        _put_on_paper(automatic.session, one)

    perform_automatic(step.session, one, "order_again", again)


Rectification.workflow = Workflow(
    states=RectificationState,
    lock=lambda session, one: [(Conclusion, one.conclusion_id)],
    after=_order_again,
    transitions=(
        Transition(
            "report",
            _l("Report rectification"),
            (DEPARTMENT,),
            ("ordered",),
            "reported",
            effect=_report,
            primary=True,
            icon="clipboard-check",
            done=_l("Department reported its rectification"),
            help=_l("The township need not prove anything: its evaluation tells the result."),
            asks=(
                Field(
                    "result",
                    _l("What was put right"),
                    "long_text",
                    help=_l("Result of the matter, causes, and measures against a repetition."),
                ),
            ),
        ),
        Transition(
            "verify",
            _l("Verify as put right"),
            (SUPERVISOR,),
            ("reported",),
            "verified",
            effect=_check,
            primary=True,
            icon="check",
            done=_l("Rectification verified"),
            asks=(Field("remark", _l("Opinion of the verification"), "long_text", required=False),),
        ),
        Transition(
            "reject",
            _l("Not put right, order again"),
            (SUPERVISOR,),
            ("reported",),
            "rejected",
            effect=_check,
            danger=True,
            icon="x",
            done=_l("Rectification not accepted"),
            asks=(Field("remark", _l("What is still to be put right"), "long_text"),),
        ),
    ),
)
