"""What comes back in a call: a department's reports and the township's evaluations of them (K4, 2.1)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models import viewer
from models.base import CountyRecord, Record, UtcDateTime, choice_type, column, person_reference, reference
from models.call import OFFICES, Assignment
from models.call_party import CallParty
from models.call_words import Satisfaction, Solved
from models.organisation import Organisation
from models.person import Person


class Report(CountyRecord):
    """A department's feedback of a round (K4)."""

    __table_args__ = (sa.UniqueConstraint("assignment_id", "round", "attempt"),)
    label = _l("Report")
    plural = _l("Reports")

    assignment_id: Mapped[int] = reference(_l("Assignment"), "assignment", editable=False, nullable=False)
    round: Mapped[int] = column(_l("Round"), sa.Integer, editable=False, nullable=False)
    attempt: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=1)
    """Counts the reports of a round: more than one where the office sent it back."""
    due: Mapped[datetime] = column(_l("Report due"), UtcDateTime, editable=False, nullable=False)
    reported_at: Mapped[datetime] = column(_l("Reported"), UtcDateTime, editable=False, nullable=False)
    reported_by_id: Mapped[int | None] = person_reference(_l("Reported by"), editable=False)
    result: Mapped[str] = column(_l("Result"), sa.Text, editable=False, nullable=False)
    solved: Mapped[Solved] = column(_l("Solved"), choice_type(Solved), editable=False, nullable=False)
    reason: Mapped[str] = column(_l("Reason if not solved"), sa.Text, editable=False, nullable=False, default="")
    without_reason: Mapped[str] = column(
        _l("Why without the other departments"), sa.Text, editable=False, nullable=False, default=""
    )

    assignment: Mapped[Assignment] = relationship(back_populates="reports")
    reported_by: Mapped[Person | None] = relationship(foreign_keys=[reported_by_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Whoever sees the call; a department that gave it back those up to then."""
        table, assignments = sa.inspect(cls).local_table, Assignment.visible_ids(person)
        if assignments is None:
            return None
        seen = sa.select(table.c.id).where(table.c.assignment_id.in_(assignments))
        if person.has_role(*OFFICES) or not person.has_role("department_officer"):
            return seen
        assignment, party = sa.inspect(Assignment).local_table, sa.inspect(CallParty).local_table
        over = (
            sa.select(party.c.call_id)
            .join(assignment, assignment.c.call_id == party.c.call_id)
            .where(
                assignment.c.id == table.c.assignment_id,
                party.c.organisation_id == person.organisation_id,
                party.c.until < table.c.reported_at,
            )
        )
        return seen.where(~over.exists())

    @property
    def thread(self) -> Record:
        return self.assignment.call


class Evaluation(CountyRecord):
    """A township's evaluation of a department in a round; one per (assignment, round)."""

    __table_args__ = (sa.UniqueConstraint("assignment_id", "round"),)
    label = _l("Evaluation")
    plural = _l("Evaluations")

    assignment_id: Mapped[int] = reference(_l("Assignment"), "assignment", editable=False, nullable=False)
    department_id: Mapped[int] = reference(_l("Department"), "organisation", editable=False, nullable=False)
    township_id: Mapped[int] = reference(_l("Township"), "organisation", editable=False, nullable=False)
    round: Mapped[int] = column(_l("Round"), sa.Integer, listed=True, editable=False, nullable=False)
    satisfaction: Mapped[Satisfaction] = column(
        _l("Satisfaction"), choice_type(Satisfaction), listed=True, editable=False, nullable=False
    )
    solved: Mapped[Solved] = column(_l("Solved"), choice_type(Solved), listed=True, editable=False, nullable=False)
    comment: Mapped[str] = column(_l("Comment"), sa.Text, listed=True, editable=False, nullable=False, default="")
    signed_by: Mapped[str] = column(_l("Signed by"), sa.String(60), editable=False, nullable=False, default="")
    evaluated_at: Mapped[datetime] = column(_l("Evaluated"), UtcDateTime, listed=True, editable=False, nullable=False)
    evaluated_by_id: Mapped[int | None] = person_reference(_l("Evaluated by"), editable=False)

    assignment: Mapped[Assignment] = relationship(back_populates="evaluations")
    department: Mapped[Organisation] = relationship(foreign_keys=[department_id])
    township: Mapped[Organisation] = relationship(foreign_keys=[township_id])
    evaluated_by: Mapped[Person | None] = relationship(foreign_keys=[evaluated_by_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """The township its own; a department only the evaluations of itself; the offices those of their county (1, no retaliation)."""
        table = sa.inspect(cls).local_table
        if person.has_role(*OFFICES):
            return sa.select(table.c.id).where(table.c.county_id.in_(person.region_ids))
        if person.has_role("township_officer"):
            return sa.select(table.c.id).where(table.c.township_id == person.organisation_id)
        if person.has_role("department_officer"):
            return sa.select(table.c.id).where(table.c.department_id == person.organisation_id)
        return sa.select(table.c.id).where(sa.false())

    @property
    def thread(self) -> Record:
        return self.assignment.call
