"""The workflows of schemes, runs and sheets as data (2.8)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext
from sqlalchemy.orm import Session

from models.assessment import (
    OFFICE,
    AssessmentRun,
    AssessmentScheme,
    Evaluator,
    Indicator,
    Questionnaire,
    RunState,
    SchemeKind,
    SchemeState,
    SheetState,
)
from models.assessment_rules import check_scheme
from models.assessment_sheets import hand_out, keep_scores, unchanged, work_out_run
from models.calendar import work_calendar
from models.call_indicators import CallIndicator
from models.field import Field
from models.organisation import OrganisationKind
from models.person import Person
from models.refusal import Conflict, Invalid
from models.setting import setting
from models.viewer import Viewer
from models.workflow import By, Step, Transition, Workflow

ASSESSOR = By(OFFICE, lambda record, person: record.county_id == person.county_id)


def _session(record: Any) -> Session:
    found = sa.orm.object_session(record)
    assert found is not None
    return found


# Schemes


def _has_lines(scheme: AssessmentScheme, now: datetime) -> Any:
    return _l("The scheme already has indicators.") if scheme.indicators else None


UsualLine = tuple[str, Decimal, Evaluator, CallIndicator | None]


def _usual_lines(session: Session, scheme: AssessmentScheme) -> list[UsualLine]:
    """What a scheme usually begins with: the townships' evaluation at its usual weight, the calls, and the county's own judgement."""
    if scheme.kind == SchemeKind.agency:
        floor = setting(session, scheme.county_id, "agency_township_floor")
        found: list[UsualLine] = [
            ("所在乡镇（街道）评价", floor, Evaluator.township, None),
            ("主管部门评价", Decimal(100) - floor, Evaluator.department, None),
        ]
    else:
        townships = setting(session, scheme.county_id, "department_township_weight")
        found = [
            ("乡镇（街道）评价", townships, Evaluator.township, None),
            ("按时响应率", Decimal(10), Evaluator.system, CallIndicator.on_time_response),
            ("按期反馈率", Decimal(10), Evaluator.system, CallIndicator.on_time_report),
            ("满意率", Decimal(10), Evaluator.system, CallIndicator.weighted_satisfaction),
            ("县级综合评价", Decimal(70) - townships, Evaluator.county, None),
        ]
    return [one for one in found if one[1] > 0]


def _take_usual(step: Step) -> None:
    scheme: AssessmentScheme = step.record
    for position, (name, weight, evaluator, formula) in enumerate(_usual_lines(step.session, scheme), start=1):
        scheme.indicators.append(
            Indicator(
                county_id=scheme.county_id,
                position=position,
                name=name,
                weight=weight,
                evaluator=evaluator,
                formula=formula,
            )
        )


def _publish_guard(step: Step) -> None:
    scheme: AssessmentScheme = step.record
    if not scheme.name:
        raise Invalid({"name": _l("Please fill in this field.")})
    check_scheme(step.session, scheme, publishing=True)


def _publish_scheme(step: Step) -> None:
    """The edition published before is superseded first: at any moment at most one is published."""
    scheme: AssessmentScheme = step.record
    for earlier in step.session.scalars(_siblings(scheme).where(AssessmentScheme.state == SchemeState.published)):
        earlier.state = SchemeState.superseded
    step.session.flush()
    scheme.state = SchemeState.published
    scheme.published_at = step.now


def _siblings(scheme: AssessmentScheme) -> sa.Select[Any]:
    return sa.select(AssessmentScheme).where(
        AssessmentScheme.county_id == scheme.county_id,
        AssessmentScheme.year == scheme.year,
        AssessmentScheme.kind == scheme.kind,
        AssessmentScheme.id != scheme.id,
    )


def _draft_exists(scheme: AssessmentScheme, now: datetime) -> Any:
    drafts = _siblings(scheme).where(AssessmentScheme.state == SchemeState.draft)
    if _session(scheme).scalars(drafts.limit(1)).first() is not None:
        return _l("There is already a draft of a new edition.")
    return None


def _new_edition(step: Step) -> None:
    """A draft with the same lines, which may be changed until it is published and supersedes this one."""
    scheme: AssessmentScheme = step.record
    draft = AssessmentScheme(
        county_id=scheme.county_id,
        name=scheme.name,
        year=scheme.year,
        kind=scheme.kind,
        weighting=scheme.weighting,
        basis=scheme.basis,
        state=SchemeState.draft,
    )
    copied = ("county_id", "position", "name", "weight", "full_score", "evaluator", "formula", "source")
    draft.indicators = [Indicator(**{name: getattr(one, name) for name in copied}) for one in scheme.indicators]
    step.session.add(draft)


AssessmentScheme.workflow = Workflow(
    states=SchemeState,
    transitions=(
        Transition(
            "take_usual",
            _l("Take over the usual indicators"),
            (ASSESSOR,),
            ("draft",),
            obstacle=_has_lines,
            effect=_take_usual,
            icon="checklist",
            done=_l("Usual indicators taken over"),
            help=_l("They can be changed until the scheme is published."),
        ),
        Transition(
            "publish",
            _l("Publish scheme"),
            (ASSESSOR,),
            ("draft",),
            guard=_publish_guard,
            effect=_publish_scheme,
            primary=True,
            icon="certificate",
            done=_l("Scheme published"),
            help=_l("A published edition is never changed; it supersedes the one before."),
        ),
        Transition(
            "new_edition",
            _l("Draft a new edition"),
            (ASSESSOR,),
            ("published",),
            obstacle=_draft_exists,
            effect=_new_edition,
            icon="copy",
            done=_l("New edition drafted"),
        ),
    ),
)


# Runs


def _nobody_asked(run: AssessmentRun, now: datetime) -> Any:
    if all(one.evaluator == Evaluator.system for one in run.scheme.indicators):
        return _l("Every indicator of this scheme is computed from the calls; there is nothing to hand out.")
    return None


def _hand_out(step: Step) -> None:
    hand_out(step.session, step.record, step.now)


def _not_handed_out(run: AssessmentRun, now: datetime) -> Any:
    if not run.questionnaires and _nobody_asked(run, now) is None:
        return _l("The evaluation sheets have not been handed out yet.")
    return None


def _outstanding(run: AssessmentRun) -> int:
    return sum(one.state == SheetState.open for one in run.questionnaires)


def _compute_guard(step: Step) -> None:
    waiting = _outstanding(step.record)
    if waiting and not step.values["without_reason"]:
        raise Invalid(
            {
                "without_reason": lazy_ngettext(
                    "%(count)d sheet is not handed in yet. Please wait for it, or say why you compute without it.",
                    "%(count)d sheets are not handed in yet. Please wait for them, or say why you compute without them.",
                    waiting,
                    count=waiting,
                )
            }
        )


def _compute(step: Step) -> None:
    run: AssessmentRun = step.record
    run.figures_at = step.now
    keep_scores(step.session, run, work_out_run(step.session, run, step.now))


def _reopen(step: Step) -> None:
    """Sheets may be handed in again; what was computed is void."""
    run: AssessmentRun = step.record
    run.figures_at = None
    run.scores.clear()


def _period_runs(run: AssessmentRun, now: datetime) -> Any:
    if work_calendar(_session(run), run.county_id).local_date(now) <= run.period_to:
        return _l("The period has not ended yet.")
    return None


def _publish_run_guard(step: Step) -> None:
    run: AssessmentRun = step.record
    assert run.figures_at is not None
    if not unchanged(run, work_out_run(step.session, run, run.figures_at)):
        raise Conflict(_l("The figures have changed since the scores were computed. Please compute them again."))


def _publish_run(step: Step) -> None:
    step.record.published_at = step.now


AssessmentRun.workflow = Workflow(
    states=RunState,
    transitions=(
        Transition(
            "hand_out",
            _l("Hand out evaluation sheets"),
            (ASSESSOR,),
            ("open",),
            obstacle=_nobody_asked,
            effect=_hand_out,
            icon="send",
            done=_l("Evaluation sheets handed out"),
            help=_l("One sheet for each township, with the departments it had dealings with."),
        ),
        Transition(
            "compute",
            _l("Compute scores"),
            (ASSESSOR,),
            ("open", "computed"),
            "computed",
            obstacle=_not_handed_out,
            guard=_compute_guard,
            effect=_compute,
            primary=True,
            icon="chart-bar",
            asks=(
                Field(
                    "without_reason",
                    _l("Why without the other sheets"),
                    "long_text",
                    required=False,
                    help=_l("Only if sheets are not handed in yet."),
                ),
            ),
            done=_l("Scores computed"),
        ),
        Transition(
            "reopen",
            _l("Collect evaluations again"),
            (ASSESSOR,),
            ("computed",),
            "open",
            effect=_reopen,
            asks=(Field("reason", _l("Reason"), "long_text"),),
            icon="arrow-back-up",
            done=_l("Assessment reopened"),
        ),
        Transition(
            "publish",
            _l("Publish results"),
            (ASSESSOR,),
            ("computed",),
            "published",
            obstacle=_period_runs,
            guard=_publish_run_guard,
            effect=_publish_run,
            primary=True,
            icon="certificate",
            done=_l("Results published"),
            help=_l("The assessed then see their own. Nothing is changed afterwards."),
        ),
    ),
)


# Sheets


def _fills_in(sheet: Questionnaire, person: Viewer) -> bool:
    """Officers fill in their organisation's sheet, the assessment office the county's."""
    if sheet.organisation.kind == OrganisationKind.county:
        return person.has_role(*OFFICE) and sheet.county_id == person.county_id
    return person.has_role("township_officer", "department_officer") and sheet.organisation_id == person.organisation_id


EVALUATOR = By(OFFICE | {"township_officer", "department_officer"}, _fills_in)


def _run_goes_on(sheet: Questionnaire, now: datetime) -> Any:
    if sheet.run.state != RunState.open:
        return _l("The evaluations of this run are no longer collected.")
    return None


def _mark_rows(sheet: Questionnaire) -> list[dict[str, Any]]:
    return [
        {
            "subject": one.subject_id,
            "indicator": one.indicator_id,
            "label": f"{one.subject.short_name}：{one.indicator.name}",
        }
        for one in sheet.marks
    ]


def mark_fault(mark: Decimal | None) -> Any:
    """What is wrong with a mark, in a sentence; None when nothing is."""
    if mark is not None and (not 0 <= mark <= 100 or mark != round(mark, 2)):
        return _l("A mark lies between 0 and 100, with at most two decimals.")
    return None


def _fill_guard(step: Step) -> None:
    """Only rows of the sheet, each once, with a mark of the scale."""
    rows = {(one.subject_id, one.indicator_id) for one in step.record.marks}
    seen: set[tuple[int, int]] = set()
    for entry in step.values["marks"]:
        key = (entry["subject"], entry["indicator"])
        if key not in rows or key in seen:
            raise Invalid({"marks": _l("Please mark only what the sheet asks, each once.")})
        seen.add(key)
        fault = mark_fault(entry["mark"])
        if fault is not None:
            raise Invalid({"marks": fault})


def _fill(step: Step) -> None:
    """Take over the marks given; a row left empty has none, and one not mentioned stays as it is."""
    sheet: Questionnaire = step.record
    rows = {(one.subject_id, one.indicator_id): one for one in sheet.marks}
    for entry in step.values["marks"]:
        rows[entry["subject"], entry["indicator"]].mark = entry["mark"]
    sheet.remark = step.values["remark"] or ""
    step.shown.pop("marks", None)


def _submit_guard(step: Step) -> None:
    """Whoever is marked is marked on everything asked; whoever is not was not dealt with."""
    marked: dict[int, set[bool]] = {}
    for one in step.record.marks:
        marked.setdefault(one.subject_id, set()).add(one.mark is not None)
    partly = [one.subject.short_name for one in step.record.marks if marked[one.subject_id] == {True, False}]
    if partly:
        raise Conflict(
            _l(
                "%(names)s: please give every mark asked, or none if you had no dealings.",
                names="、".join(dict.fromkeys(partly)),
            )
        )


def _submit(step: Step) -> None:
    """The auditor reads the marks in the event; the sheet's own timeline has no other readers than the sheet."""
    sheet: Questionnaire = step.record
    for one in sheet.marks:
        one.not_asked = one.mark is None
    sheet.submitted_at = step.now
    sheet.submitted_by_id = step.person.person_id if step.person else None
    sheet.signed_by = step.values["signed_by"]
    step.shown["marks"] = [
        {
            "subject": one.subject_id,
            "indicator": one.indicator_id,
            "mark": None if one.mark is None else str(one.mark),
            "name": f"{one.subject.short_name} {one.indicator.name} {one.mark if one.mark is not None else '—'}",
        }
        for one in sheet.marks
    ]


def _take_back(step: Step) -> None:
    sheet: Questionnaire = step.record
    sheet.submitted_at, sheet.submitted_by_id, sheet.signed_by = None, None, ""
    step.session.flush()
    for one in sheet.marks:
        one.not_asked = False


def sheet_leader(sheet: Questionnaire, person: Viewer) -> str:
    """Name of the evaluator's leader, who signs; the officer's own where there is none."""
    leaders = sa.select(Person).where(
        Person.organisation_id == sheet.organisation_id,
        Person.active,
        Person.roles.any(sa.column("name").in_(("township_leader", "department_leader"))),
    )
    leader = _session(sheet).scalars(leaders.order_by(Person.id).limit(1)).first()
    return leader.name if leader is not None else person.name


MARK_FIELDS = (
    Field("subject", _l("Assessed"), "integer"),
    Field("indicator", _l("Indicator"), "integer"),
    Field("mark", _l("Mark"), "decimal", required=False, help=_l("Empty: no dealings, not asked.")),
)

Questionnaire.workflow = Workflow(
    states=SheetState,
    lock=lambda session, sheet: [(AssessmentRun, sheet.run_id)],
    transitions=(
        Transition(
            "fill",
            _l("Save marks"),
            (EVALUATOR,),
            ("open",),
            obstacle=_run_goes_on,
            guard=_fill_guard,
            effect=_fill,
            icon="pencil",
            asks=(
                Field(
                    "marks", _l("Marks given"), "entries", required=False, entries=MARK_FIELDS, entry_rows=_mark_rows
                ),
                Field("remark", _l("Remark"), "long_text", required=False),
            ),
            done=_l("Marks saved"),
        ),
        Transition(
            "submit",
            _l("Sign and hand in"),
            (EVALUATOR,),
            ("open",),
            "submitted",
            obstacle=_run_goes_on,
            guard=_submit_guard,
            effect=_submit,
            primary=True,
            icon="send",
            asks=(Field("signed_by", _l("Signed by"), length=60, default=sheet_leader),),
            done=_l("Sheet handed in"),
            help=_l("Whoever has no mark counts as not dealt with."),
        ),
        Transition(
            "take_back",
            _l("Take back"),
            (EVALUATOR,),
            ("submitted",),
            "open",
            obstacle=_run_goes_on,
            effect=_take_back,
            icon="arrow-back-up",
            done=_l("Sheet taken back"),
            help=_l("Possible until the scores are computed."),
        ),
    ),
)
