"""Proposals to revise a checklist (2.4; dynamic management, C4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models import viewer
from models.base import CountyRecord, UtcDateTime, choice_type, column, person_reference, reference, state_column
from models.checklist import Checklist, ChecklistItem
from models.field import Choice, Field, Text
from models.organisation import Organisation
from models.refusal import Conflict, Forbidden, Invalid
from models.setting import setting
from models.workflow import By, State, Step, Transition, Workflow


class RevisionReason(Choice):
    law_changed = "law_changed", _l("A law changed")
    institution_changed = "institution_changed", _l("An institution changed")
    work_needs = "work_needs", _l("The work needs it")


class RevisionState(State):
    draft = "draft", _l("Draft"), "waiting"
    submitted = "submitted", _l("Waiting for the staffing office"), "others"
    legal_review = "legal_review", _l("Waiting for legality review"), "others"
    accepted = "accepted", _l("Accepted into the next version"), "done", True
    refused = "refused", _l("Not accepted"), "muted", True
    withdrawn = "withdrawn", _l("Withdrawn"), "muted", True


class ChecklistRevision(CountyRecord):
    """A department's or township's proposal to change a list, ruled by the checklist manager with reasons."""

    __table_args__ = (
        sa.CheckConstraint("ruled_by_id IS NULL OR ruled_by_id <> submitted_by_id", name="ck_checklist_revision_ruled"),
        sa.CheckConstraint(
            "state NOT IN ('accepted', 'refused') OR ruling <> ''", name="ck_checklist_revision_reasons"
        ),
    )
    label = _l("Proposal to revise a checklist")
    plural = _l("Revisions")

    name: Mapped[str] = column(
        _l("Proposal in one sentence"),
        sa.String(120),
        listed=True,
        searched=True,
        required=True,
        nullable=False,
        default="",
    )
    checklist_id: Mapped[int | None] = reference(
        _l("Checklist"), "checklist", required=True, listed=True, only={"state": ["in_force", "approved"]}
    )
    item_id: Mapped[int | None] = reference(
        _l("Matter"), "checklist_item", required=False, help=_l("Empty for a matter that is to be added.")
    )
    reason: Mapped[RevisionReason | None] = column(
        _l("Why"), choice_type(RevisionReason), listed=True, searched=True, required=True
    )
    basis: Mapped[str] = column(_l("Legal or other basis"), sa.Text, required=True, nullable=False, default="")
    text: Mapped[str] = column(
        _l("Proposed wording"),
        sa.Text,
        required=True,
        nullable=False,
        default="",
        help=_l("What is to be added, changed or taken off, in the words of the list."),
    )
    proposer_id: Mapped[int] = reference(
        _l("Proposed by"), "organisation", listed=True, searched=True, editable=False, nullable=False
    )
    state: Mapped[RevisionState] = state_column(RevisionState.draft)
    submitted_at: Mapped[datetime | None] = column(_l("Submitted at"), UtcDateTime, editable=False, required=False)
    submitted_by_id: Mapped[int | None] = person_reference(_l("Submitted by"), editable=False, required=False)
    lawful: Mapped[bool | None] = column(_l("Found lawful"), sa.Boolean, editable=False, required=False)
    legal_opinion: Mapped[str] = column(
        _l("Legal opinion"), sa.Text, editable=False, required=False, nullable=False, default=""
    )
    ruling: Mapped[str] = column(_l("Ruling"), sa.Text, editable=False, required=False, nullable=False, default="")
    ruled_at: Mapped[datetime | None] = column(_l("Ruled at"), UtcDateTime, editable=False, required=False)
    ruled_by_id: Mapped[int | None] = mapped_column(sa.Integer, sa.ForeignKey("ab_user.id"))
    into_id: Mapped[int | None] = reference(_l("Goes into"), "checklist", editable=False, required=False)

    checklist: Mapped[Checklist | None] = relationship(foreign_keys=[checklist_id])
    item: Mapped[ChecklistItem | None] = relationship(foreign_keys=[item_id])
    into: Mapped[Checklist | None] = relationship(foreign_keys=[into_id])
    proposer: Mapped[Organisation] = relationship(foreign_keys=[proposer_id])
    submitted_by: Mapped[Any] = relationship("Person", foreign_keys=[submitted_by_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Whoever proposes it, in all states; once submitted the staffing office, legal reviewers and county leaders."""
        table = sa.inspect(cls).local_table
        seen = []
        if person.has_role("township_officer", "department_officer"):
            seen.append(table.c.proposer_id == person.organisation_id)
        if person.has_role("checklist_manager", "legal_reviewer", "county_leader"):
            seen.append(sa.and_(table.c.county_id.in_(person.region_ids), table.c.state != RevisionState.draft.value))
        return sa.select(table.c.id).where(sa.or_(sa.false(), *seen))

    def prepare(self, session: Session, person: viewer.Viewer) -> None:
        super().prepare(session, person)
        if not person.has_role("township_officer", "department_officer") or person.organisation_id is None:
            raise Forbidden(_l("Departments and townships propose revisions."))
        self.proposer_id = person.organisation_id
        self.state = RevisionState.draft

    def check_change(self, person: viewer.Viewer) -> None:
        if person.organisation_id != self.proposer_id:
            raise Forbidden()
        if self.state != RevisionState.draft:
            raise Conflict(_l("A submitted proposal is no longer changed. You may withdraw it."))

    def check_delete(self, person: viewer.Viewer) -> None:
        self.check_change(person)

    @property
    def title(self) -> str:
        return self.name or str(_l("(no title yet)"))


PROPOSER = By(
    frozenset({"township_officer", "department_officer"}),
    lambda one, person: one.proposer_id == person.organisation_id,
)


def _not_filer(record: Any, person: viewer.Viewer) -> bool:
    """Nobody decides what he filed (spec 1)."""
    return record.county_id == person.county_id and person.person_id not in (
        record.submitted_by_id,
        record.created_by_id,
    )


MANAGER = By(frozenset({"checklist_manager"}), _not_filer)
LEGAL = By(frozenset({"legal_reviewer"}), _not_filer)


def _submit_guard(step: Step) -> None:
    revision: ChecklistRevision = step.record
    wanted = ("name", "checklist_id", "reason", "basis", "text")
    errors = {
        name.removesuffix("_id"): _l("Please fill in this field.") for name in wanted if not getattr(revision, name)
    }
    if (
        revision.item is not None
        and revision.checklist is not None
        and revision.item.checklist_id != revision.checklist_id
    ):
        errors["item"] = _l("This matter stands on another list.")
    if errors:
        raise Invalid(errors)


def _submit(step: Step) -> None:
    step.record.submitted_at = step.now
    step.record.submitted_by_id = step.person.person_id if step.person is not None else None


def _reviewed_first(revision: ChecklistRevision, now: datetime) -> Text | None:
    """With a legality review by setting, nothing is accepted before it, and nothing that was found unlawful."""
    session = sa.orm.object_session(revision)
    needed = session is not None and setting(session, revision.county_id, "revision_legal_review")
    if revision.state == RevisionState.submitted and needed:
        return _l("The county asks for a legality review first.")
    if revision.state == RevisionState.legal_review and revision.lawful is None:
        return _l("The legality review is still outstanding.")
    return _l("The legality review found it unlawful.") if revision.lawful is False else None


def _review(step: Step) -> None:
    step.record.lawful = step.values["lawful"]
    step.record.legal_opinion = step.values["text"]


def _already_reviewed(revision: ChecklistRevision, now: datetime) -> Text | None:
    return _l("The legality review has been given.") if revision.lawful is not None else None


def _rule(step: Step) -> None:
    revision: ChecklistRevision = step.record
    revision.ruling = step.values["reason"]
    revision.ruled_at = step.now
    revision.ruled_by_id = step.person.person_id if step.person is not None else None
    into = step.values.get("into")
    revision.into_id = into.id if into is not None else None


REASON = Field("reason", _l("Reasons"), "long_text")

REVISION_WORKFLOW = Workflow(
    states=RevisionState,
    transitions=(
        Transition(
            "submit",
            _l("Submit proposal"),
            (PROPOSER,),
            ("draft",),
            "submitted",
            guard=_submit_guard,
            effect=_submit,
            primary=True,
            icon="send",
            done=_l("Proposal submitted"),
        ),
        Transition(
            "to_legal",
            _l("Send to legality review"),
            (MANAGER,),
            ("submitted",),
            "legal_review",
            icon="scale",
            done=_l("Sent to legality review"),
        ),
        Transition(
            "review",
            _l("Give the legal opinion"),
            (LEGAL,),
            ("legal_review",),
            obstacle=_already_reviewed,
            effect=_review,
            primary=True,
            icon="gavel",
            done=_l("Legal opinion given"),
            asks=(
                Field("lawful", _l("The proposal is lawful"), "boolean", required=False),
                Field("text", _l("Legal opinion"), "long_text"),
            ),
        ),
        Transition(
            "accept",
            _l("Accept proposal"),
            (MANAGER,),
            ("submitted", "legal_review"),
            "accepted",
            obstacle=_reviewed_first,
            effect=_rule,
            primary=True,
            icon="check",
            done=_l("Proposal accepted"),
            asks=(
                REASON,
                Field(
                    "into",
                    _l("Goes into the draft"),
                    "reference",
                    required=False,
                    target="checklist",
                    only={"state": "draft"},
                    help=_l("The next version in which it will stand; it may be begun later."),
                ),
            ),
        ),
        Transition(
            "refuse",
            _l("Do not accept"),
            (MANAGER,),
            ("submitted", "legal_review"),
            "refused",
            effect=_rule,
            asks=(REASON,),
            danger=True,
            icon="x",
            done=_l("Proposal not accepted"),
        ),
        Transition(
            "withdraw",
            _l("Withdraw"),
            (PROPOSER,),
            ("draft", "submitted", "legal_review"),
            "withdrawn",
            asks=(Field("reason", _l("Reason"), "long_text", required=False),),
            danger=True,
            icon="arrow-back-up",
            done=_l("Proposal withdrawn"),
        ),
    ),
)

ChecklistRevision.workflow = REVISION_WORKFLOW
