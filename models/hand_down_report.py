"""Townships report duties handed down without approval (2.5). The reporter is never shown to a department (1, no retaliation).

What the department learns is a text of the staffing office's, which says nothing of who reported, where or when. With so
few townships it is held back: until as many of them as the county's setting names have reported something of that
department, so that several texts come together, or else for the time of another setting.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models import viewer
from models.admission_opinion_workflow import township_names
from models.base import CountyRecord, UtcDateTime, column, reference, state_column
from models.calendar import work_calendar
from models.checklist import ChecklistItem
from models.field import Field, Text
from models.organisation import Organisation
from models.person import Person
from models.refusal import Conflict, Forbidden, Invalid
from models.setting import setting
from models.workflow import Automatic, By, State, Step, Transition, Workflow


class HandDownState(State):
    draft = "draft", _l("Draft"), "waiting"
    received = "received", _l("Waiting to be checked"), "others"
    checking = "checking", _l("Being checked"), "others"
    found = "found", _l("Found, township to be told"), "others"
    not_found = "not_found", _l("Not found, township to be told"), "others"
    told = "told", _l("Township told"), "done", True


class HandDownReport(CountyRecord):
    """A township tells the staffing office that a department hands down what is on no list and was not admitted."""

    __table_args__ = (
        sa.CheckConstraint(
            "decided_by_id IS NULL OR decided_by_id <> submitted_by_id", name="ck_hand_down_report_decided"
        ),
        sa.CheckConstraint(
            "state NOT IN ('found', 'not_found', 'told') OR (violation IS NOT NULL AND finding <> '')",
            name="ck_hand_down_report_finding",
        ),
    )
    label = _l("Report of a duty handed down")
    plural = _l("Reports of duties handed down")

    name: Mapped[str] = column(
        _l("What was handed down"),
        sa.String(120),
        listed=True,
        searched=True,
        required=True,
        nullable=False,
        default="",
    )
    department_id: Mapped[int | None] = reference(
        _l("By which department"),
        "organisation",
        listed=True,
        searched=True,
        required=True,
        only={"kind": ["department", "office"], "active": True},
    )
    handed_down_on: Mapped[date | None] = column(_l("When"), sa.Date, required=True, listed=True)
    description: Mapped[str] = column(
        _l("What is asked of the township"), sa.Text, required=True, nullable=False, default=""
    )
    evidence: Mapped[str] = column(
        _l("How it was handed down"),
        sa.Text,
        required=True,
        nullable=False,
        default="",
        help=_l("By which paper, meeting, group message or form; number and date if there is one."),
    )
    reclaimed: Mapped[bool] = column(
        _l("The matter was taken back by the county"),
        sa.Boolean,
        nullable=False,
        default=False,
        help=_l("Handing down a matter that was taken back is presumed a violation."),
    )
    item_id: Mapped[int | None] = reference(_l("Checklist item"), "checklist_item", required=False)
    township_id: Mapped[int] = reference(
        _l("Township"), "organisation", listed=True, searched=True, editable=False, nullable=False
    )
    state: Mapped[HandDownState] = state_column(HandDownState.draft)
    received_at: Mapped[datetime | None] = column(_l("Received at"), UtcDateTime, editable=False, required=False)
    submitted_by_id: Mapped[int | None] = mapped_column(sa.Integer, sa.ForeignKey("ab_user.id"))
    violation: Mapped[bool | None] = column(
        _l("Handed down without approval"), sa.Boolean, editable=False, required=False
    )
    finding: Mapped[str] = column(_l("Finding"), sa.Text, editable=False, required=False, nullable=False, default="")
    decided_at: Mapped[datetime | None] = column(_l("Checked at"), UtcDateTime, editable=False, required=False)
    decided_by_id: Mapped[int | None] = mapped_column(sa.Integer, sa.ForeignKey("ab_user.id"))
    answer: Mapped[str] = column(
        _l("Answer to the township"), sa.Text, editable=False, required=False, nullable=False, default=""
    )
    told_at: Mapped[datetime | None] = column(_l("Told at"), UtcDateTime, editable=False, required=False)
    department_text: Mapped[str] = column(
        _l("What the department is told"), sa.Text, editable=False, required=False, nullable=False, default=""
    )
    department_told_from: Mapped[datetime | None] = column(
        _l("Held back from the department until"), UtcDateTime, editable=False, required=False
    )
    department_told_at: Mapped[datetime | None] = column(
        _l("Department told at"), UtcDateTime, editable=False, required=False
    )

    department: Mapped[Organisation | None] = relationship(foreign_keys=[department_id])
    township: Mapped[Organisation] = relationship(foreign_keys=[township_id])
    item: Mapped[ChecklistItem | None] = relationship(foreign_keys=[item_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Its township, and once submitted the staffing office; nobody else (2.1, end)."""
        table = sa.inspect(cls).local_table
        seen = []
        if person.has_role("township_officer"):
            seen.append(table.c.township_id == person.organisation_id)
        if person.has_role("checklist_manager"):
            seen.append(sa.and_(table.c.county_id == person.county_id, table.c.state != HandDownState.draft.value))
        return sa.select(table.c.id).where(sa.or_(sa.false(), *seen))

    def prepare(self, session: Session, person: viewer.Viewer) -> None:
        super().prepare(session, person)
        if not person.has_role("township_officer") or person.organisation_id is None:
            raise Forbidden(_l("Townships report duties handed down to them."))
        self.township_id = person.organisation_id
        self.state = HandDownState.draft

    def check_change(self, person: viewer.Viewer) -> None:
        if person.organisation_id != self.township_id or not person.has_role("township_officer"):
            raise Forbidden()
        if self.state != HandDownState.draft:
            raise Conflict(_l("A report that was sent is no longer changed."))

    def check_delete(self, person: viewer.Viewer) -> None:
        self.check_change(person)

    @property
    def title(self) -> str:
        return self.name or str(_l("(no title yet)"))


TOWNSHIP = By(frozenset({"township_officer"}), lambda one, person: one.township_id == person.organisation_id)
STAFFING = By(
    frozenset({"checklist_manager"}),
    lambda one, person: (
        one.county_id == person.county_id and person.person_id not in (one.submitted_by_id, one.created_by_id)
    ),
)
"""The staffing office; nobody decides what he filed."""


def _submit_guard(step: Step) -> None:
    wanted = ("name", "department_id", "handed_down_on", "description", "evidence")
    errors = {
        name.removesuffix("_id"): _l("Please fill in this field.") for name in wanted if not getattr(step.record, name)
    }
    if errors:
        raise Invalid(errors)


def _submit(step: Step) -> None:
    step.record.received_at = step.now
    step.record.submitted_by_id = step.person.person_id if step.person is not None else None


def _find_fields(report: Any) -> tuple[Field, ...]:
    """A reclaimed matter is presumed a violation: only then must a contrary finding say what rebuts it."""
    return FIND_FIELDS if report.reclaimed else FIND_FIELDS[:-1]


FIND_FIELDS = (
    Field(
        "violation",
        _l("Handed down without approval"),
        "boolean",
        required=False,
        default=lambda report, person: report.reclaimed,
    ),
    Field("finding", _l("Finding and reasons"), "long_text"),
    Field(
        "rebuttal",
        _l("What rebuts the presumption"),
        "long_text",
        required=False,
        help=_l("Handing down a matter that was taken back is presumed a violation."),
    ),
)


def _find_guard(step: Step) -> None:
    if step.record.reclaimed and not step.values["violation"] and not step.values["rebuttal"]:
        raise Invalid(
            {"rebuttal": _l("A matter that was taken back is presumed handed down unlawfully; say what rebuts it.")}
        )


def _find(step: Step) -> None:
    report: HandDownReport = step.record
    report.violation = step.values["violation"]
    report.finding = "\n".join(filter(None, (step.values["finding"], step.values.get("rebuttal"))))
    report.decided_at = step.now
    report.decided_by_id = step.person.person_id if step.person is not None else None
    report.state = HandDownState.found if report.violation else HandDownState.not_found


def _tell(step: Step) -> None:
    step.record.answer = step.values["text"]
    step.record.told_at = step.now


def _nothing_to_tell(report: HandDownReport, now: datetime) -> Text | None:
    if not report.violation:
        return _l("Nothing was found that the department would have to be told of.")
    return _l("What the department is told stands already.") if report.department_text else None


_A_DAY = re.compile(r"\d{1,2}\s*[月/-]\s*\d{1,2}|\d{1,2}\s*[日号]|星期[一二三四五六日天]|周[一二三四五六日天]")


def _anonymous_guard(step: Step) -> None:
    """Neither townships, nor people of the one that reported, nor days: by them a department would know who it was."""
    report: HandDownReport = step.record
    text = step.values["text"]
    people = step.session.scalars(sa.select(Person.name).where(Person.organisation_id == report.township_id)).all()
    named = township_names(step.session, report.county_id).search(text) or any(name in text for name in people)
    if named or _A_DAY.search(text):
        raise Invalid(
            {
                "text": _l(
                    "Please name no township, no person and no day here: the department must not learn who reported."
                )
            }
        )


def _held_back(session: Session, report: HandDownReport) -> list[HandDownReport]:
    """What the department of a report has not been told yet, that report included."""
    return list(
        session.scalars(
            sa.select(HandDownReport)
            .where(
                HandDownReport.county_id == report.county_id,
                HandDownReport.department_id == report.department_id,
                HandDownReport.department_text != "",
                HandDownReport.department_told_at.is_(None),
            )
            .order_by(HandDownReport.id)
            .with_for_update()
        )
    )


def _hold_back(step: Step) -> None:
    """Of one township's reports however many say nothing together that one alone would not: townships are counted."""
    report: HandDownReport = step.record
    delay = setting(step.session, report.county_id, "hand_down_delay")
    report.department_text = step.values["text"]
    report.department_told_from = work_calendar(step.session, report.county_id).deadline(step.now, delay)
    step.session.flush()
    held = _held_back(step.session, report)
    if len({one.township_id for one in held}) >= setting(step.session, report.county_id, "hand_down_group_size"):
        for one in held:
            one.department_told_from = step.now


def _department_due(model: Any, now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(model.department_told_from <= now, model.department_told_at.is_(None))


def _department_told(step: Step) -> None:
    step.record.department_told_at = step.now


HAND_DOWN_WORKFLOW = Workflow(
    states=HandDownState,
    automatic=(
        Automatic("department_told", _l("Department told"), ("found", "told"), None, _department_due, _department_told),
    ),
    transitions=(
        Transition(
            "submit",
            _l("Send report"),
            (TOWNSHIP,),
            ("draft",),
            "received",
            guard=_submit_guard,
            effect=_submit,
            primary=True,
            icon="send",
            done=_l("Report sent"),
            help=_l("Only the staffing office reads it; no department learns who reported."),
        ),
        Transition(
            "check",
            _l("Begin checking"),
            (STAFFING,),
            ("received",),
            "checking",
            primary=True,
            icon="search",
            done=_l("Checking begun"),
        ),
        Transition(
            "find",
            _l("Record the finding"),
            (STAFFING,),
            ("checking",),
            asks_for=_find_fields,
            may_ask=FIND_FIELDS,
            guard=_find_guard,
            effect=_find,
            primary=True,
            icon="gavel",
            done=_l("Finding recorded"),
        ),
        Transition(
            "tell",
            _l("Tell the township"),
            (STAFFING,),
            ("found", "not_found"),
            "told",
            effect=_tell,
            asks=(Field("text", _l("Answer to the township"), "long_text"),),
            primary=True,
            icon="message",
            done=_l("Township told"),
        ),
        Transition(
            "tell_department",
            _l("Tell the department"),
            (STAFFING,),
            ("found", "told"),
            obstacle=_nothing_to_tell,
            guard=_anonymous_guard,
            effect=_hold_back,
            asks=(
                Field(
                    "text",
                    _l("What the department is told"),
                    "long_text",
                    help=_l("Which duty it handed down and what it is to do. Name no township, no person and no day."),
                ),
            ),
            icon="building",
            done=_l("Put down for the department"),
            help=_l(
                "It is held back until several townships have reported, or for some time: nobody is to guess who it was."
            ),
        ),
    ),
)

HandDownReport.workflow = HAND_DOWN_WORKFLOW
