"""Who marks whom in a run, and what the marks and the calls come to (2.8).

A sheet has rows only where there is something to judge: a township marks the departments that the list in force makes responsible or that it
called in the period; a stationed agency is marked by the one township where it is stationed, and by its department. Whoever is run from above,
and enterprises, are not scored (2.3).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import call_indicators
from models.agency import StationedAgency
from models.assessment import (
    AssessmentRun,
    AssessmentScheme,
    Evaluator,
    Indicator,
    Questionnaire,
    QuestionnaireMark,
    SchemeKind,
    Score,
    SheetState,
    Weighting,
)
from models.assessment_formulas import Line, Mark, Worked, work_out
from models.call_indicators import Figures, Handled, Rate
from models.checklist import Checklist, ChecklistItem, ChecklistState, Duty, DutyKind
from models.organisation import Organisation, OrganisationKind, RunBy
from models.setting import setting


def assessed(session: Session, run: AssessmentRun) -> list[Organisation]:
    """Whom the run scores, in the order of every list."""
    kind = OrganisationKind.department if run.scheme.kind == SchemeKind.department else OrganisationKind.agency
    return _organisations(session, run.county_id, kind)


def _organisations(session: Session, county_id: int, kind: OrganisationKind) -> list[Organisation]:
    query = sa.select(Organisation).where(
        Organisation.county_id == county_id,
        Organisation.kind == kind,
        Organisation.run_by == RunBy.county,
        Organisation.active,
    )
    return list(session.scalars(query.order_by(Organisation.order, Organisation.id)))


def responsible(session: Session, county_id: int) -> set[int]:
    """The organisations to which the county's list in force gives a primary responsibility."""
    query = (
        sa.select(Duty.organisation_id)
        .join(ChecklistItem, ChecklistItem.id == Duty.item_id)
        .join(Checklist, Checklist.id == ChecklistItem.checklist_id)
        .where(
            Checklist.owner_id == county_id,
            Checklist.state == ChecklistState.in_force,
            Duty.kind == DutyKind.primary,
            Duty.organisation_id.is_not(None),
        )
    )
    return {key for key in session.scalars(query) if key is not None}


def stationed(session: Session, county_id: int) -> dict[int, int]:
    """Where each registered agency of the county is stationed: an agency has one township (2.8)."""
    query = sa.select(StationedAgency.organisation_id, StationedAgency.township_id)
    return {row[0]: row[1] for row in session.execute(query.where(StationedAgency.county_id == county_id))}


def evaluators(session: Session, run: AssessmentRun, evaluator: Evaluator) -> list[Organisation]:
    """Who fills in sheets for indicators of this kind; nobody for those that the calls tell."""
    if evaluator == Evaluator.township:
        return _organisations(session, run.county_id, OrganisationKind.township)
    if evaluator == Evaluator.county:
        return [session.get_one(Organisation, run.county_id)]
    if evaluator == Evaluator.department:
        departments = _organisations(session, run.county_id, OrganisationKind.department)
        above = {one.parent_id for one in assessed(session, run)}
        return [one for one in departments if run.scheme.kind == SchemeKind.department or one.id in above]
    return []


@dataclass(frozen=True)
class Dealings:
    """What the sheets are made from, read once for all of them."""

    calls: Mapping[tuple[int, int], int]
    responsible: set[int]
    stationed: Mapping[int, int]
    """The township of each registered agency, both by the keys of their organisations."""


def marks_whom(run: AssessmentRun, who: Organisation, subject: Organisation, dealings: Dealings) -> bool:
    """Whether this evaluator is asked about one of the assessed. Nobody evaluates himself."""
    if who.id == subject.id:
        return False
    if run.scheme.kind == SchemeKind.agency:
        if who.kind == OrganisationKind.township:
            return dealings.stationed.get(subject.id) == who.id
        return who.kind != OrganisationKind.department or subject.parent_id == who.id
    if who.kind != OrganisationKind.township:
        return True
    return subject.id in dealings.responsible or (who.id, subject.id) in dealings.calls


def hand_out(session: Session, run: AssessmentRun, now: datetime) -> int:
    """Make the sheets of a run that are missing, one for each evaluator, with their rows; gives their number."""
    subjects = assessed(session, run)
    cohort = call_indicators.cohort(session, run.county_id, run.period_from, run.period_to, now)
    dealings = Dealings(
        call_indicators.dealings(cohort), responsible(session, run.county_id), stationed(session, run.county_id)
    )
    present = {one.organisation_id for one in run.questionnaires}
    asked: dict[int, tuple[Organisation, list[Indicator]]] = {}
    for line in run.scheme.indicators:
        for who in evaluators(session, run, line.evaluator):
            asked.setdefault(who.id, (who, []))[1].append(line)
    made = 0
    for who, lines in asked.values():
        rows = [(one, line) for one in subjects if marks_whom(run, who, one, dealings) for line in lines]
        if who.id in present or not rows:
            continue
        sheet = Questionnaire(county_id=run.county_id, run=run, organisation=who)
        session.add(sheet)
        sheet.marks = [
            QuestionnaireMark(
                county_id=run.county_id,
                position=position,
                subject=subject,
                indicator=line,
                dealings=dealings.calls.get((who.id, subject.id), 0),
            )
            for position, (subject, line) in enumerate(rows, start=1)
        ]
        made += 1
    session.flush()
    return made


# Scores


def work_out_run(session: Session, run: AssessmentRun, as_of: datetime) -> dict[int, Worked]:
    """The score of each of the assessed, by key, from the sheets handed in and the calls as they stood at an instant."""
    cohort = list(call_indicators.cohort(session, run.county_id, run.period_from, run.period_to, as_of))
    lines = lines_of_scheme(session, run.scheme)
    marks = _marks(session, run, call_indicators.dealings(cohort))
    figures = _figures(cohort, as_of)
    found = {}
    for subject in assessed(session, run):
        counted = figures.get(subject.id, Figures(as_of=as_of))
        rates: dict[int, Rate] = {
            one.id: counted.rate(one.formula) for one in run.scheme.indicators if one.formula is not None
        }
        found[subject.id] = work_out(lines, marks.get(subject.id, {}), rates)
    return found


def lines_of_scheme(session: Session, scheme: AssessmentScheme) -> list[Line]:
    """The indicators as they count. Averages over the assessed departments' peers and townships need three evaluators, so that no one's
    mark shows through; a stationed agency has one township, the county is one."""
    compared_from = setting(session, scheme.county_id, "compared_from")

    def least(one: Indicator) -> int:
        several = scheme.kind == SchemeKind.department and one.evaluator != Evaluator.county
        return int(compared_from) if several else 1

    return [
        Line(one.id, one.name, str(one.evaluator.value), one.weight, one.full_score, least(one))
        for one in scheme.indicators
    ]


def _figures(cohort: Iterable[Handled], as_of: datetime) -> dict[int, Figures]:
    found: dict[int, Figures] = defaultdict(lambda: Figures(as_of=as_of))
    for one in cohort:
        found[one.department_id].handled.append(one)
    return found


def _marks(
    session: Session, run: AssessmentRun, calls: Mapping[tuple[int, int], int]
) -> dict[int, dict[int, list[Mark]]]:
    """Marks by assessed and indicator, from sheets handed in, each with what its evaluator weighs."""
    by_calls = run.scheme.weighting == Weighting.by_calls
    rows = session.execute(
        sa.select(
            Questionnaire.organisation_id,
            QuestionnaireMark.subject_id,
            QuestionnaireMark.indicator_id,
            QuestionnaireMark.mark,
            Indicator.evaluator,
        )
        .join(Questionnaire, Questionnaire.id == QuestionnaireMark.questionnaire_id)
        .join(Indicator, Indicator.id == QuestionnaireMark.indicator_id)
        .where(
            Questionnaire.run_id == run.id,
            Questionnaire.state == SheetState.submitted,
            QuestionnaireMark.mark.is_not(None),
        )
    )
    found: dict[int, dict[int, list[Mark]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        weighed = by_calls and row.evaluator == Evaluator.township
        weight = calls.get((row.organisation_id, row.subject_id), 0) if weighed else 1
        found[row.subject_id][row.indicator_id].append(Mark(row.mark, weight))
    return found


def keep_scores(session: Session, run: AssessmentRun, worked: Mapping[int, Worked]) -> None:
    """Write the scores of a run, in place of those computed before."""
    present = {one.subject_id: one for one in run.scores}
    for subject_id, result in worked.items():
        score = present.pop(subject_id, None)
        if score is None:
            score = Score(county_id=run.county_id, run=run, subject_id=subject_id)
            session.add(score)
        score.total, score.worked = result.total, list(result.lines)
    for gone in present.values():
        session.delete(gone)
    session.flush()


def unchanged(run: AssessmentRun, worked: Mapping[int, Worked]) -> bool:
    """Whether computing again gives the scores that are kept, to the last digit."""
    kept = {one.subject_id: (one.total, one.worked) for one in run.scores}
    return kept == {key: (one.total, list(one.lines)) for key, one in worked.items()}
