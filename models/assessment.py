"""Assessment of departments and stationed agencies: schemes, indicators, runs, sheets and scores (2.8; S1, S2, S7).

Townships are never assessed and never ranked (spec 1). No one assessed sees one township's mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models import clock, viewer
from models.base import JSON, CountyRecord, UtcDateTime, choice_type, column, person_reference, reference, state_column
from models.call_indicators import CallIndicator
from models.field import Choice
from models.organisation import Organisation
from models.person import Person
from models.refusal import Conflict, Forbidden, Invalid
from models.workflow import State
from models.worktime import WorkCalendar

OFFICE = frozenset({"assessor"})
"""Who runs assessments: the assessment office (考核办)."""
PUBLISHED = _l("A published scheme is never changed. Please draft a new edition.")
FROZEN = _l("A published assessment is never changed.")


class SchemeKind(Choice):
    """Who is assessed by a scheme."""

    department = "department", _l("County departments")
    agency = "agency", _l("Stationed agencies")


class SchemeState(State):
    draft = "draft", _l("Draft"), "waiting"
    published = "published", _l("Published"), "done"
    superseded = "superseded", _l("Superseded"), "muted", True


class Evaluator(Choice):
    """Whose judgement an indicator is."""

    township = "township", _l("Townships")
    system = "system", _l("Computed from the calls")
    department = "department", _l("County departments")
    county = "county", _l("County")


class Weighting(Choice):
    """How the marks of several evaluators are averaged."""

    equal = "equal", _l("Every evaluator alike")
    by_calls = "by_calls", _l("By the number of calls")


class RunState(State):
    open = "open", _l("Collecting evaluations"), "going"
    computed = "computed", _l("Waiting for publication"), "waiting"
    published = "published", _l("Published"), "done", True


class SheetState(State):
    open = "open", _l("To be filled in"), "waiting"
    submitted = "submitted", _l("Handed in"), "done"


class AssessmentScheme(CountyRecord):
    """What counts in the assessment of a year, for one kind of organisation. An edition once published never changes."""

    __table_args__ = (
        sa.UniqueConstraint("county_id", "year", "kind", "edition"),
        sa.Index(
            "uq_assessment_scheme_published",
            "county_id",
            "year",
            "kind",
            unique=True,
            postgresql_where=sa.text("state = 'published'"),
            sqlite_where=sa.text("state = 'published'"),
        ),
        sa.CheckConstraint("year BETWEEN 2000 AND 2200", name="ck_assessment_scheme_year"),
    )
    label = _l("Assessment scheme")
    plural = _l("Assessment schemes")
    seen_by_all = True
    natural_key = ("year", "kind", "edition")
    parts = ("indicators",)

    name: Mapped[str] = column(_l("Name"), sa.String(120), listed=True, searched=True, nullable=False)
    year: Mapped[int] = column(
        _l("Year"), sa.Integer, listed=True, searched=True, nullable=False, prefill=lambda record, person: this_year()
    )
    kind: Mapped[SchemeKind] = column(
        _l("Assessed"), choice_type(SchemeKind), listed=True, searched=True, nullable=False, prefill="department"
    )
    edition: Mapped[int] = column(_l("Edition"), sa.Integer, listed=True, editable=False, nullable=False, default=1)
    weighting: Mapped[Weighting] = column(
        _l("Townships weigh"), choice_type(Weighting), nullable=False, default=Weighting.equal, prefill="equal"
    )
    basis: Mapped[str] = column(_l("Basis"), sa.Text, required=False, nullable=False, default="")
    state: Mapped[SchemeState] = state_column(SchemeState.draft)
    published_at: Mapped[datetime | None] = column(_l("Published at"), UtcDateTime, editable=False)

    indicators: Mapped[list[Indicator]] = relationship(
        back_populates="scheme", order_by="Indicator.position", cascade="all, delete-orphan"
    )

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Everyone signed in (2.1, end)."""
        table = sa.inspect(cls).local_table
        return sa.select(table.c.id).where(table.c.county_id.in_(person.region_ids))

    def prepare(self, session: Session, person: viewer.Viewer) -> None:
        super().prepare(session, person)
        if not person.has_role(*OFFICE):
            raise Forbidden()
        self.state, self.edition = SchemeState.draft, 1

    def check_change(self, person: viewer.Viewer) -> None:
        if not person.has_role(*OFFICE):
            raise Forbidden()
        if self.state != SchemeState.draft:
            raise Conflict(PUBLISHED)

    def check_delete(self, person: viewer.Viewer) -> None:
        self.check_change(person)

    @property
    def choice_hint(self) -> str:
        return str(self.state.label)


def this_year() -> int:
    """The present year where the county lies."""
    return WorkCalendar().local_date(clock.now()).year


class Indicator(CountyRecord):
    """A line of a scheme: what is judged, by whom, and how much it counts."""

    __table_args__ = (
        sa.UniqueConstraint("scheme_id", "name"),
        sa.CheckConstraint("weight > 0 AND weight <= 100", name="ck_indicator_weight"),
        sa.CheckConstraint("full_score > 0", name="ck_indicator_full_score"),
        sa.CheckConstraint("(evaluator = 'system') = (formula IS NOT NULL)", name="ck_indicator_formula"),
    )
    label = _l("Indicator")
    plural = _l("Indicators")
    seen_by_all = True
    natural_key = ("scheme", "name")
    attachable = False

    scheme_id: Mapped[int] = reference(
        _l("Assessment scheme"),
        "assessment_scheme",
        listed=True,
        searched=True,
        nullable=False,
        only={"state": [SchemeState.draft]},
    )
    position: Mapped[int] = column(_l("Order"), sa.Integer, required=False, nullable=False, default=0)
    name: Mapped[str] = column(_l("Indicator"), sa.String(80), listed=True, searched=True, nullable=False)
    weight: Mapped[Decimal] = column(
        _l("Weight"),
        sa.Numeric(6, 3),
        listed=True,
        nullable=False,
        help=_l("Share of the total of 100."),
    )
    full_score: Mapped[Decimal] = column(
        _l("Full score"), sa.Numeric(6, 2), required=True, nullable=False, default=Decimal(100), prefill="100"
    )
    evaluator: Mapped[Evaluator] = column(
        _l("Judged by"), choice_type(Evaluator), listed=True, searched=True, nullable=False, prefill="township"
    )
    formula: Mapped[CallIndicator | None] = column(
        _l("Formula"),
        choice_type(CallIndicator),
        required=False,
        when=("evaluator", ("system",)),
        help=_l("Which figure of the calls counts."),
    )
    source: Mapped[str] = column(
        _l("Source of the figures"), sa.String(120), required=False, nullable=False, default=""
    )

    scheme: Mapped[AssessmentScheme] = relationship(back_populates="indicators")

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Whoever sees the scheme."""
        table = sa.inspect(cls).local_table
        return sa.select(table.c.id).where(table.c.county_id.in_(person.region_ids))

    @property
    def thread(self) -> Any:
        return self.scheme

    def prepare(self, session: Session, person: viewer.Viewer) -> None:
        super().prepare(session, person)
        if not person.has_role(*OFFICE):
            raise Forbidden()

    def check_change(self, person: viewer.Viewer) -> None:
        self.scheme.check_change(person)

    def check_delete(self, person: viewer.Viewer) -> None:
        self.scheme.check_change(person)


class AssessmentRun(CountyRecord):
    """An assessment by a scheme over a period: sheets are collected, scores computed, and published for good."""

    __table_args__ = (
        sa.UniqueConstraint("scheme_id", "period_from", "period_to"),
        sa.CheckConstraint("period_from <= period_to", name="ck_assessment_run_period"),
    )
    label = _l("Assessment run")
    plural = _l("Assessment runs")
    seen_by_all = True
    natural_key = ("scheme", "period_from", "period_to")

    name: Mapped[str] = column(
        _l("Name"), sa.String(120), listed=True, searched=True, nullable=False, help=_l("For example “Third quarter”.")
    )
    scheme_id: Mapped[int] = reference(
        _l("Assessment scheme"),
        "assessment_scheme",
        listed=True,
        searched=True,
        nullable=False,
        only={"state": [SchemeState.published]},
    )
    period_from: Mapped[date] = column(_l("Period from"), sa.Date, listed=True, nullable=False)
    period_to: Mapped[date] = column(_l("Period to"), sa.Date, listed=True, nullable=False)
    state: Mapped[RunState] = state_column(RunState.open)
    figures_at: Mapped[datetime | None] = column(
        _l("Figures as of"), UtcDateTime, editable=False, help=_l("What happened later does not count.")
    )
    published_at: Mapped[datetime | None] = column(_l("Published at"), UtcDateTime, editable=False)

    scheme: Mapped[AssessmentScheme] = relationship()
    questionnaires: Mapped[list[Questionnaire]] = relationship(back_populates="run", cascade="all, delete-orphan")
    scores: Mapped[list[Score]] = relationship(back_populates="run", cascade="all, delete-orphan")

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """That an assessment is under way is known to everyone in the county; its marks and scores have narrower readers."""
        table = sa.inspect(cls).local_table
        return sa.select(table.c.id).where(table.c.county_id.in_(person.region_ids))

    def prepare(self, session: Session, person: viewer.Viewer) -> None:
        super().prepare(session, person)
        if not person.has_role(*OFFICE):
            raise Forbidden()
        self.state = RunState.open

    def check_change(self, person: viewer.Viewer) -> None:
        if not person.has_role(*OFFICE):
            raise Forbidden()
        if self.state == RunState.published:
            raise Conflict(FROZEN)
        if self.state != RunState.open or self.questionnaires:
            raise Conflict(_l("The sheets are already handed out, so the period and the scheme stay as they are."))

    def check_delete(self, person: viewer.Viewer) -> None:
        self.check_change(person)


class Questionnaire(CountyRecord):
    """The sheet on which one township (or whom else the scheme asks) marks those it had dealings with. Keeps its own thread: its readers are few."""

    __table_args__ = (sa.UniqueConstraint("run_id", "organisation_id"),)
    label = _l("Evaluation sheet")
    plural = _l("Evaluation sheets")
    natural_key = ("run", "organisation")
    attachable = False

    run_id: Mapped[int] = reference(
        _l("Assessment run"), "assessment_run", listed=True, searched=True, editable=False, nullable=False
    )
    organisation_id: Mapped[int] = reference(
        _l("Evaluator"), "organisation", listed=True, searched=True, editable=False, nullable=False
    )
    state: Mapped[SheetState] = state_column(SheetState.open)
    remark: Mapped[str] = column(_l("Remark"), sa.Text, editable=False, required=False, nullable=False, default="")
    signed_by: Mapped[str] = column(_l("Signed by"), sa.String(60), editable=False, nullable=False, default="")
    submitted_at: Mapped[datetime | None] = column(_l("Handed in at"), UtcDateTime, listed=True, editable=False)
    submitted_by_id: Mapped[int | None] = person_reference(_l("Handed in by"), editable=False)

    run: Mapped[AssessmentRun] = relationship(back_populates="questionnaires")
    organisation: Mapped[Organisation] = relationship(foreign_keys=[organisation_id])
    submitted_by: Mapped[Person | None] = relationship(foreign_keys=[submitted_by_id])
    marks: Mapped[list[QuestionnaireMark]] = relationship(
        back_populates="questionnaire", order_by="QuestionnaireMark.position", cascade="all, delete-orphan"
    )

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """The evaluator its own, and the assessment office; the assessed never (1, no retaliation). The auditor sees the events."""
        table = sa.inspect(cls).local_table
        if person.has_role(*OFFICE):
            return sa.select(table.c.id).where(table.c.county_id == person.county_id)
        if person.has_role("township_officer", "department_officer"):
            return sa.select(table.c.id).where(table.c.organisation_id == person.organisation_id)
        return sa.select(table.c.id).where(sa.false())

    @property
    def title(self) -> str:
        return self.organisation.short_name


class QuestionnaireMark(CountyRecord):
    """One field of a sheet's matrix: a mark from 0 to 100, or “no dealings, not asked”."""

    __table_args__ = (
        sa.UniqueConstraint("questionnaire_id", "subject_id", "indicator_id"),
        sa.CheckConstraint("mark IS NULL OR mark BETWEEN 0 AND 100", name="ck_questionnaire_mark_mark"),
        sa.CheckConstraint("NOT (not_asked AND mark IS NOT NULL)", name="ck_questionnaire_mark_not_asked"),
    )
    label = _l("Mark of a sheet")
    plural = _l("Marks of sheets")
    natural_key = ("questionnaire", "subject", "indicator")
    attachable = False

    questionnaire_id: Mapped[int] = reference(
        _l("Evaluation sheet"), "questionnaire", listed=True, editable=False, nullable=False
    )
    position: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    subject_id: Mapped[int] = reference(_l("Assessed"), "organisation", listed=True, editable=False, nullable=False)
    indicator_id: Mapped[int] = reference(_l("Indicator"), "indicator", listed=True, editable=False, nullable=False)
    dealings: Mapped[int] = column(_l("Calls in the period"), sa.Integer, listed=True, editable=False, nullable=False)
    mark: Mapped[Decimal | None] = column(_l("Mark"), sa.Numeric(5, 2), listed=True, editable=False)
    not_asked: Mapped[bool] = column(
        _l("No dealings, not asked"), sa.Boolean, listed=True, editable=False, nullable=False, default=False
    )

    questionnaire: Mapped[Questionnaire] = relationship(back_populates="marks")
    subject: Mapped[Organisation] = relationship(foreign_keys=[subject_id])
    indicator: Mapped[Indicator] = relationship()

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Whoever sees the sheet."""
        table, sheets = sa.inspect(cls).local_table, Questionnaire.visible_ids(person)
        return None if sheets is None else sa.select(table.c.id).where(table.c.questionnaire_id.in_(sheets))

    @property
    def thread(self) -> Any:
        return self.questionnaire

    @property
    def title(self) -> str:
        return self.subject.short_name


class Score(CountyRecord):
    """What a run gives to one of the assessed, with the calculation behind it."""

    __table_args__ = (
        sa.UniqueConstraint("run_id", "subject_id"),
        sa.CheckConstraint("total IS NULL OR total BETWEEN 0 AND 100", name="ck_score_total"),
    )
    label = _l("Score")
    plural = _l("Scores")
    natural_key = ("run", "subject")
    attachable = False

    run_id: Mapped[int] = reference(
        _l("Assessment run"), "assessment_run", listed=True, searched=True, editable=False, nullable=False
    )
    subject_id: Mapped[int] = reference(
        _l("Assessed"), "organisation", listed=True, searched=True, editable=False, nullable=False
    )
    total: Mapped[Decimal | None] = column(_l("Total"), sa.Numeric(14, 2), listed=True, editable=False)
    worked: Mapped[list[dict[str, Any]]] = mapped_column(JSON, nullable=False)
    """The calculation by indicator (`assessment_formulas.work_out`). Read by `calculation_for`; described nowhere, since it has fewer readers."""

    run: Mapped[AssessmentRun] = relationship(back_populates="scores")
    subject: Mapped[Organisation] = relationship(foreign_keys=[subject_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Assessment office and auditor all of their county; the assessed its own, once published (2.1, end)."""
        table, run = sa.inspect(cls).local_table, sa.inspect(AssessmentRun).local_table
        if person.has_role("assessor", "auditor"):
            return sa.select(table.c.id).where(table.c.county_id == person.county_id)
        if person.has_role("department_officer", "agency_head"):
            published = sa.select(run.c.id).where(run.c.state == RunState.published.value)
            return sa.select(table.c.id).where(
                table.c.subject_id == person.organisation_id, table.c.run_id.in_(published)
            )
        return sa.select(table.c.id).where(sa.false())

    @property
    def title(self) -> str:
        return self.subject.short_name

    def calculation_for(self, person: viewer.Viewer) -> Sequence[dict[str, Any]]:
        """The worked calculation as far as this person may read it.

        An agency has one township and sees its total only, so that no mark shows through.
        """
        if person.has_role("assessor", "auditor"):
            return self.worked
        with viewer.system():
            open_to_the_assessed = self.run.scheme.kind == SchemeKind.department
        return self.worked if open_to_the_assessed and person.organisation_id == self.subject_id else ()


def check_period(run: AssessmentRun, scheme: AssessmentScheme) -> None:
    """Raise Invalid for a period that ends before it begins, or lies outside of the scheme's year."""
    if run.period_from > run.period_to:
        raise Invalid({"period_to": _l("The period cannot end before it begins.")})
    for name, day in (("period_from", run.period_from), ("period_to", run.period_to)):
        if day.year != scheme.year:
            raise Invalid({name: _l("The period must lie in the year of the scheme, %(year)s.", year=str(scheme.year))})
