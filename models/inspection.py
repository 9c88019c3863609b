"""Inspections: the supervision office looks for itself (2.3, K5, G1)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, relationship

from models import viewer
from models.base import (
    CountyRecord,
    Record,
    UtcDateTime,
    choice_type,
    column,
    person_reference,
    reference,
    state_column,
)
from models.call import Assignment, Call
from models.call_report import Evaluation, Report
from models.checklist import ChecklistItem
from models.field import Choice, Field, Text
from models.organisation import Organisation
from models.person import Person
from models.refusal import Conflict, Forbidden, Invalid
from models.workflow import By, State, Step, Transition, Workflow


class InspectionKind(Choice):
    daily = "daily", _l("Daily supervision")
    open = "open", _l("Open visit")
    unannounced = "unannounced", _l("Unannounced visit")
    special = "special", _l("Special inspection")


class InspectionSource(Choice):
    own = "own", _l("Own initiative")
    patrol = "patrol", _l("Handed over by patrol inspection")
    audit = "audit", _l("Handed over by audit")


class QueueReason(Choice):
    """Why an evaluation put a matter into the queue of inspections (2.1, 2.3)."""

    twice_dissatisfied = "twice_dissatisfied", _l("Twice dissatisfied")
    unsolved = "unsolved", _l("Evaluated as not solved")
    sample = "sample", _l("Sample of satisfied ones")


class InspectionState(State):
    draft = "draft", _l("Draft"), "waiting"
    under_way = "under_way", _l("Inspection under way"), "going"
    done = "done", _l("Inspection done"), "done", True
    dismissed = "dismissed", _l("Not inspected"), "muted", True


class Verdict(Choice):
    """What an inspection says of a department's report."""

    confirmed = "confirmed", _l("Confirms the report")
    refuted = "refuted", _l("Refutes the report")


class Inspection(CountyRecord):
    """A look at how an organisation handles calls or uses the lists; seen by supervisors alone, since visits may be unannounced."""

    __table_args__ = (
        sa.CheckConstraint("state = 'draft' OR (subject <> '' AND target_id IS NOT NULL)", name="ck_inspection_begun"),
        sa.CheckConstraint("verdict IS NULL OR report_id IS NOT NULL", name="ck_inspection_verdict"),
        sa.CheckConstraint("state <> 'done' OR findings <> ''", name="ck_inspection_done"),
        sa.Index("uq_inspection_evaluation", "evaluation_id", unique=True),
    )
    label = _l("Inspection")
    plural = _l("Inspections")
    parts = ("calls", "items")

    subject: Mapped[str] = column(
        _l("Subject of inspection"),
        sa.String(120),
        listed=True,
        searched=True,
        required=True,
        nullable=False,
        default="",
        help=_l("What is looked at, for example “Is the waste water at Liuzhuang stopped”."),
    )
    kind: Mapped[InspectionKind] = column(
        _l("Kind of inspection"),
        choice_type(InspectionKind),
        listed=True,
        searched=True,
        required=True,
        nullable=False,
        default=InspectionKind.daily,
        prefill="daily",
    )
    reason: Mapped[QueueReason | None] = column(
        _l("Why it is in the queue"), choice_type(QueueReason), listed=True, searched=True, editable=False
    )
    evaluation_id: Mapped[int | None] = reference(_l("Evaluation"), "evaluation", editable=False, index=False)
    """The evaluation that put it into the queue; each does so once."""
    source: Mapped[InspectionSource] = column(
        _l("Origin"),
        choice_type(InspectionSource),
        required=True,
        nullable=False,
        default=InspectionSource.own,
        prefill="own",
    )
    target_id: Mapped[int | None] = reference(
        _l("Organisation inspected"), "organisation", listed=True, searched=True, required=True
    )
    planned_on: Mapped[date | None] = column(_l("Planned for"), sa.Date, listed=True, required=False)
    state: Mapped[InspectionState] = state_column(InspectionState.draft)
    begun_at: Mapped[datetime | None] = column(_l("Begun"), UtcDateTime, editable=False)
    findings: Mapped[str] = column(
        _l("What was found"), sa.Text, editable=False, required=False, nullable=False, default=""
    )
    evidence: Mapped[str] = column(_l("Evidence"), sa.Text, editable=False, required=False, nullable=False, default="")
    report_id: Mapped[int | None] = reference(_l("Report checked"), "report", editable=False)
    verdict: Mapped[Verdict | None] = column(
        _l("Judgement on the report"), choice_type(Verdict), listed=True, searched=True, editable=False
    )
    done_at: Mapped[datetime | None] = column(_l("Finished"), UtcDateTime, editable=False)
    done_by_id: Mapped[int | None] = person_reference(_l("Finished by"), editable=False)

    target: Mapped[Organisation | None] = relationship(foreign_keys=[target_id])
    report: Mapped[Report | None] = relationship(foreign_keys=[report_id])
    evaluation: Mapped[Evaluation | None] = relationship(foreign_keys=[evaluation_id])
    done_by: Mapped[Person | None] = relationship(foreign_keys=[done_by_id])
    calls: Mapped[list[InspectionCall]] = relationship(
        back_populates="inspection", order_by="InspectionCall.id", cascade="all, delete-orphan"
    )
    items: Mapped[list[InspectionItem]] = relationship(
        back_populates="inspection", order_by="InspectionItem.id", cascade="all, delete-orphan"
    )

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Supervisors (2.1, end)."""
        table = sa.inspect(cls).local_table
        if person.has_role("supervisor"):
            return sa.select(table.c.id).where(table.c.county_id.in_(person.region_ids))
        return sa.select(table.c.id).where(sa.false())

    def prepare(self, session: Session, person: viewer.Viewer) -> None:
        super().prepare(session, person)
        if not person.has_role("supervisor"):
            raise Forbidden(_l("Only the supervision office inspects."))

    def check_change(self, person: viewer.Viewer) -> None:
        if self.state in (InspectionState.done, InspectionState.dismissed):
            raise Conflict(_l("An inspection that is done is no longer changed."))

    def check_delete(self, person: viewer.Viewer) -> None:
        if self.state != InspectionState.draft:
            raise Conflict(_l("Only a draft can be deleted."))
        if self.evaluation_id is not None:
            raise Conflict(_l("What an evaluation put into the queue is inspected, or dismissed with a reason."))

    @property
    def title(self) -> str:
        return self.subject or str(Inspection.label)


class InspectionCall(Record):
    """A call that an inspection looks at."""

    __table_args__ = (sa.UniqueConstraint("inspection_id", "call_id"),)
    label = _l("Call inspected")
    plural = _l("Calls inspected")
    attachable = False

    inspection_id: Mapped[int] = reference(
        _l("Inspection"), "inspection", editable=False, nullable=False, ondelete="CASCADE"
    )
    call_id: Mapped[int] = reference(_l("Call"), "call", listed=True, nullable=False)

    inspection: Mapped[Inspection] = relationship(back_populates="calls")
    call: Mapped[Call] = relationship()

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        table, wholes = sa.inspect(cls).local_table, Inspection.visible_ids(person)
        return None if wholes is None else sa.select(table.c.id).where(table.c.inspection_id.in_(wholes))

    @property
    def thread(self) -> Record:
        return self.inspection


class InspectionItem(Record):
    """A matter of a checklist whose handling an inspection looks at (G1)."""

    __table_args__ = (sa.UniqueConstraint("inspection_id", "item_id"),)
    label = _l("Matter inspected")
    plural = _l("Matters inspected")
    attachable = False

    inspection_id: Mapped[int] = reference(
        _l("Inspection"), "inspection", editable=False, nullable=False, ondelete="CASCADE"
    )
    item_id: Mapped[int] = reference(_l("Checklist item"), "checklist_item", listed=True, nullable=False)

    inspection: Mapped[Inspection] = relationship(back_populates="items")
    item: Mapped[ChecklistItem] = relationship()

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        table, wholes = sa.inspect(cls).local_table, Inspection.visible_ids(person)
        return None if wholes is None else sa.select(table.c.id).where(table.c.inspection_id.in_(wholes))

    @property
    def thread(self) -> Record:
        return self.inspection


def supervisor_of_county(record: Any, person: viewer.Viewer) -> bool:
    return bool(record.county_id == person.county_id)


SUPERVISOR = By(frozenset({"supervisor"}), supervisor_of_county)


def missing_fields(record: Any, *names: str) -> dict[str, Text]:
    """A sentence for each of these fields that is still empty."""
    return {name: _l("Please fill in this field.") for name in names if not getattr(record, name)}


def _begin_guard(step: Step) -> None:
    if missing := missing_fields(step.record, "subject", "target"):
        raise Invalid(missing)


def _begin(step: Step) -> None:
    step.record.begun_at = step.now


def _dismiss(step: Step) -> None:
    step.record.findings = step.values["reason"]


def reports_of(inspection: Inspection) -> list[Report]:
    """The inspected organisation's reports on the calls looked at, newest last."""
    session = sa.orm.object_session(inspection)
    keys = [one.call_id for one in inspection.calls]
    if session is None or not keys:
        return []
    query = sa.select(Report).join(Assignment, Report.assignment_id == Assignment.id)
    return list(
        session.scalars(
            query.where(Assignment.call_id.in_(keys), Assignment.department_id == inspection.target_id).order_by(
                Report.id
            )
        )
    )


def _last_report(inspection: Inspection, person: viewer.Viewer) -> int | None:
    found = reports_of(inspection)
    return found[-1].id if found else None


def _complete_guard(step: Step) -> None:
    report, verdict = step.values["report"], step.values["verdict"]
    if verdict is not None and report is None:
        raise Invalid({"report": _l("Please choose the report that you judge.")})
    if report is not None and verdict is None:
        raise Invalid({"verdict": _l("Please say whether the inspection confirms or refutes this report.")})
    if report is not None and report not in reports_of(step.record):
        raise Invalid({"report": _l("This is no report of the inspected organisation on one of the calls looked at.")})


def _complete(step: Step) -> None:
    inspection: Inspection = step.record
    inspection.findings = step.values["findings"]
    inspection.evidence = step.values["evidence"] or ""
    inspection.report = step.values["report"]
    inspection.verdict = step.values["verdict"]
    inspection.done_at = step.now
    inspection.done_by_id = step.person.person_id if step.person else None


Inspection.workflow = Workflow(
    states=InspectionState,
    transitions=(
        Transition(
            "begin",
            _l("Begin inspection"),
            (SUPERVISOR,),
            ("draft",),
            "under_way",
            guard=_begin_guard,
            effect=_begin,
            primary=True,
            icon="player-play",
            done=_l("Inspection begun"),
        ),
        Transition(
            "dismiss",
            _l("Do not inspect"),
            (SUPERVISOR,),
            ("draft",),
            "dismissed",
            effect=_dismiss,
            icon="x",
            done=_l("Not inspected"),
            asks=(Field("reason", _l("Why it is not inspected"), "long_text"),),
        ),
        Transition(
            "complete",
            _l("Record result"),
            (SUPERVISOR,),
            ("under_way",),
            "done",
            guard=_complete_guard,
            effect=_complete,
            primary=True,
            icon="clipboard-check",
            done=_l("Result of inspection recorded"),
            asks=(
                Field("findings", _l("What was found"), "long_text"),
                Field(
                    "evidence",
                    _l("Evidence"),
                    "long_text",
                    required=False,
                    help=_l("Where it is written down or kept. Photographs are not demanded."),
                ),
                Field(
                    "report",
                    _l("Report checked"),
                    "reference",
                    required=False,
                    target="report",
                    default=_last_report,
                    help=_l("Only if the inspection checked what a department reported on one of the calls."),
                ),
                Field("verdict", _l("Judgement on the report"), "choice", required=False, choices=Verdict),
            ),
        ),
    ),
)
