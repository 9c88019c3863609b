"""Conclusions: what the supervision office finds of a department's handling, after hearing it (2.3).

Bulletins and rectification orders cite conclusions, never a machine's verdict.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, relationship

from models import viewer
from models.base import CountyRecord, UtcDateTime, choice_type, column, person_reference, reference, state_column
from models.call import Assignment, Call
from models.call_words import AssignmentState
from models.document import Document
from models.event import Event
from models.field import Choice, Text
from models.inspection import Inspection
from models.organisation import Organisation, OrganisationKind
from models.person import Person
from models.refusal import Conflict, Forbidden
from models.workflow import State


class Finding(Choice):
    """What a department did wrong. A late report alone is never criticised (2.2, end)."""

    late_response = "late_response", _l("Late response")
    no_response = "no_response", _l("No response")
    no_action = "no_action", _l("Response without action")
    none = "none", _l("No fault found")


class ConclusionState(State):
    draft = "draft", _l("Draft"), "waiting"
    explaining = "explaining", _l("Waiting for explanation"), "others"
    found = "found", _l("Waiting for service"), "going"
    served = "served", _l("Served"), "done", True


ANSWERABLE = {"kind": [OrganisationKind.department, OrganisationKind.office]}
"""Whom a conclusion may be about: those who may be called."""


class Conclusion(CountyRecord):
    """A numbered statement about one department and one matter. What was served never changes; a review may take it back as a whole."""

    __table_args__ = (
        sa.UniqueConstraint("office_id", "number"),
        sa.CheckConstraint(
            "state = 'draft' OR (department_id IS NOT NULL AND matter <> '' AND facts <> '')",
            name="ck_conclusion_asked",
        ),
        sa.CheckConstraint("state NOT IN ('found', 'served') OR finding IS NOT NULL", name="ck_conclusion_found"),
        sa.CheckConstraint(
            "state <> 'served' OR (number IS NOT NULL AND served_at IS NOT NULL)", name="ck_conclusion_served"
        ),
        sa.CheckConstraint("revoked_at IS NULL OR state = 'served'", name="ck_conclusion_revoked"),
        sa.Index("ix_conclusion_department_state", "department_id", "state"),
    )
    label = _l("Conclusion")
    plural = _l("Conclusions")

    number: Mapped[str | None] = column(
        _l("Number"), sa.String(60), listed=True, searched=True, editable=False, required=False
    )
    department_id: Mapped[int | None] = reference(
        _l("Department"), "organisation", only=ANSWERABLE, listed=True, searched=True, required=True, index=False
    )
    call_id: Mapped[int | None] = reference(
        _l("Call"), "call", required=False, help=_l("Leave empty for a matter outside of the calls.")
    )
    assignment_id: Mapped[int | None] = reference(_l("Assignment"), "assignment", editable=False)
    inspection_id: Mapped[int | None] = reference(_l("Inspection"), "inspection", required=False)
    matter: Mapped[str] = column(
        _l("Matter concluded on"),
        sa.String(120),
        listed=True,
        searched=True,
        required=False,
        nullable=False,
        default="",
        help=_l("Taken from the call if you cite one."),
    )
    facts: Mapped[str] = column(
        _l("Facts"),
        sa.Text,
        kind="long_text",
        required=True,
        nullable=False,
        default="",
        help=_l("What happened and when. The department reads this and explains itself. Name no person."),
    )
    proposed: Mapped[Finding | None] = column(
        _l("Finding proposed"),
        choice_type(Finding),
        required=False,
        help=_l("What the department is asked to explain itself about. Nothing is found before it was heard."),
    )
    state: Mapped[ConclusionState] = state_column(ConclusionState.draft)
    asked_at: Mapped[datetime | None] = column(_l("Explanation asked for"), UtcDateTime, editable=False)
    explain_due: Mapped[datetime | None] = column(_l("Explanation due"), UtcDateTime, editable=False)
    explained_at: Mapped[datetime | None] = column(_l("Explained"), UtcDateTime, editable=False)
    explanation: Mapped[str] = column(
        _l("Explanation of the department"), sa.Text, editable=False, required=False, nullable=False, default=""
    )
    finding: Mapped[Finding | None] = column(
        _l("Finding"), choice_type(Finding), listed=True, searched=True, editable=False
    )
    finding_text: Mapped[str] = column(
        _l("Grounds of the finding"), sa.Text, editable=False, required=False, nullable=False, default=""
    )
    requirements: Mapped[str] = column(
        _l("What must be put right"), sa.Text, editable=False, required=False, nullable=False, default=""
    )
    served_at: Mapped[datetime | None] = column(
        _l("Received by the department"), UtcDateTime, listed=True, editable=False
    )
    revoked_at: Mapped[datetime | None] = column(_l("Taken back"), UtcDateTime, editable=False)
    office_id: Mapped[int] = reference(_l("Supervision office"), "organisation", editable=False, nullable=False)
    asked_by_id: Mapped[int | None] = person_reference(_l("Asked by"), editable=False)
    found_by_id: Mapped[int | None] = person_reference(_l("Found by"), editable=False)
    served_by_id: Mapped[int | None] = person_reference(_l("Served by"), editable=False)
    letter_id: Mapped[int | None] = reference(_l("Verification letter"), "document", editable=False)
    document_id: Mapped[int | None] = reference(_l("Document"), "document", editable=False)

    department: Mapped[Organisation | None] = relationship(foreign_keys=[department_id])
    call: Mapped[Call | None] = relationship(foreign_keys=[call_id])
    assignment: Mapped[Assignment | None] = relationship(foreign_keys=[assignment_id])
    inspection: Mapped[Inspection | None] = relationship(foreign_keys=[inspection_id])
    office: Mapped[Organisation] = relationship(foreign_keys=[office_id])
    asked_by: Mapped[Person | None] = relationship(foreign_keys=[asked_by_id])
    found_by: Mapped[Person | None] = relationship(foreign_keys=[found_by_id])
    letter: Mapped[Document | None] = relationship(foreign_keys=[letter_id])
    document: Mapped[Document | None] = relationship(foreign_keys=[document_id])
    served_by: Mapped[Person | None] = relationship(foreign_keys=[served_by_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Supervisors; from `explaining` on also the department and the county's leaders (2.1, end)."""
        table = sa.inspect(cls).local_table
        if person.has_role("supervisor"):
            return sa.select(table.c.id).where(table.c.county_id.in_(person.region_ids))
        asked = table.c.state != ConclusionState.draft.value
        if person.has_role("county_leader"):
            return sa.select(table.c.id).where(table.c.county_id.in_(person.region_ids), asked)
        if person.has_role("department_officer"):
            return sa.select(table.c.id).where(table.c.department_id == person.organisation_id, asked)
        return sa.select(table.c.id).where(sa.false())

    def prepare(self, session: Session, person: viewer.Viewer) -> None:
        super().prepare(session, person)
        if not person.has_role("supervisor") or person.organisation_id is None:
            raise Forbidden(_l("Only the supervision office draws conclusions."))
        self.office_id = person.organisation_id

    def check_change(self, person: viewer.Viewer) -> None:
        if self.state != ConclusionState.draft:
            raise Conflict(_l("What a department was asked to explain is no longer changed."))

    def check_delete(self, person: viewer.Viewer) -> None:
        if self.state != ConclusionState.draft:
            raise Conflict(_l("Only a draft can be deleted."))

    @property
    def title(self) -> str:
        department = self.department.short_name if self.department is not None else ""
        return "：".join(filter(None, (department, self.matter))) or str(Conclusion.label)

    @property
    def choice_title(self) -> str:
        return f"{self.number or ''} {self.title}".strip()

    @property
    def choice_hint(self) -> str:
        return str(self.finding.label) if self.finding is not None else ""

    @property
    def faulty(self) -> bool:
        """Whether a fault was found, which has not been taken back."""
        return self.finding not in (None, Finding.none) and self.revoked_at is None

    @property
    def citable(self) -> bool:
        """Whether bulletins may cite it: served, and not taken back by a review."""
        return self.state == ConclusionState.served and self.revoked_at is None


def assignment_of(conclusion: Conclusion) -> Assignment | None:
    """The department's part in the cited call; its last one where it was given the call twice."""
    if conclusion.call is None:
        return None
    found = [one for one in conclusion.call.assignments if one.department_id == conclusion.department_id]
    standing = [one for one in found if one.state != AssignmentState.returned]
    return next(iter(reversed(standing or found)), None)


def took_part(conclusion: Conclusion) -> frozenset[int]:
    """Keys of those who worked on a conclusion, or on the inspection that it rests on: they neither examine nor decide a review of it (2.3).

    Whoever wrote, changed or stepped it forward stands in its events; the department's own people do not exclude themselves.
    """
    session = sa.orm.object_session(conclusion)
    assert session is not None
    threads = [("conclusion", conclusion.id)]
    if conclusion.inspection_id is not None:
        threads.append(("inspection", conclusion.inspection_id))
    table = sa.inspect(Event).local_table
    rows = session.connection().execute(
        sa.select(table.c.actor_id)
        .where(
            sa.or_(*(sa.and_(table.c.thread_type == type_, table.c.thread_id == key) for type_, key in threads)),
            table.c.kind.in_(("create", "update", "transition")),
            table.c.actor_id.is_not(None),
        )
        .distinct()
    )
    return frozenset(row.actor_id for row in rows)


def not_given(conclusion: Conclusion) -> Text | None:
    """Why a conclusion cannot be about its call, or None."""
    if conclusion.call is not None and assignment_of(conclusion) is None:
        return _l("This call was not dispatched to this department.")
    return None


def worked_on(record: Any) -> frozenset[int]:
    """`took_part` of the conclusion that a record is about."""
    return took_part(record.conclusion)
