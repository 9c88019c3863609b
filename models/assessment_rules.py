"""What is never let through, whoever saves it: floors of the law, weights, what is published or handed in, who may be assessed by whom (2.8; S1, S7).

The rules stand in front of every flush, so that form, REST, import and program meet the same ones; the database repeats those that it can tell.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from models import viewer
from models.assessment import (
    FROZEN,
    PUBLISHED,
    AssessmentRun,
    AssessmentScheme,
    Evaluator,
    Indicator,
    Questionnaire,
    QuestionnaireMark,
    RunState,
    SchemeKind,
    SchemeState,
    Score,
    SheetState,
    check_period,
)
from models.field import Text
from models.organisation import Organisation, OrganisationKind
from models.refusal import Conflict, Invalid
from models.setting import setting

WHOLE = Decimal(100)
LAW = {SchemeKind.department: Decimal(30), SchemeKind.agency: Decimal(60)}
"""Least share of the townships' evaluation (township regulation, art. 18; S7). Settings may raise it, never lower it."""
_FLOOR_SETTING = {
    SchemeKind.department: "department_township_floor",
    SchemeKind.agency: "agency_township_floor",
}
_BOOKKEEPING = frozenset({"version", "changed_at", "changed_by_id"})


def floor(session: Session, county_id: int, kind: SchemeKind) -> Decimal:
    """How much of the hundred the townships' evaluation must make up at least."""
    value: Decimal = setting(session, county_id, _FLOOR_SETTING[kind])
    return max(LAW[kind], value)


def township_weight(lines: Iterable[Indicator]) -> Decimal:
    """What the indicators judged by townships weigh together; nothing else counts towards the floor."""
    return sum((one.weight for one in lines if one.evaluator == Evaluator.township), Decimal(0))


def fault(scheme: AssessmentScheme, lines: list[Indicator], least: Decimal, *, publishing: bool) -> Text | None:
    """What is wrong with a scheme's lines, in a sentence; None when nothing is.

    A draft may be short of the hundred, but not so that the floor can no longer be reached with what is left.
    """
    total = sum((one.weight for one in lines), Decimal(0))
    if publishing and total != WHOLE:
        return _l("The weights add up to %(total)s. They must make 100.", total=_plain(total))
    if total > WHOLE:
        return _l("The weights add up to %(total)s, more than 100.", total=_plain(total))
    others = total - township_weight(lines)
    if others > WHOLE - least:
        return _l(
            "The townships' evaluation must count at least %(least)s of 100, so that all other indicators together count at most "
            "%(most)s; here they count %(others)s.",
            least=_plain(least),
            most=_plain(WHOLE - least),
            others=_plain(others),
        )
    by_calls = any(one.evaluator == Evaluator.system for one in lines)
    if scheme.kind == SchemeKind.department and total == WHOLE and not by_calls:
        return _l("A department scheme needs at least one indicator computed from the calls.")
    if scheme.kind == SchemeKind.agency and by_calls:
        return _l("Calls are dispatched to departments; a stationed agency cannot be judged by their figures.")
    return None


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def check_scheme(session: Session, scheme: AssessmentScheme, *, publishing: bool, name: str = "indicators") -> None:
    """Raise Invalid, on the field of this name, for a scheme whose lines break a rule."""
    sentence = fault(
        scheme, lines_of(session, scheme), floor(session, scheme.county_id, scheme.kind), publishing=publishing
    )
    if sentence is not None:
        raise Invalid({name: sentence})


def lines_of(session: Session, scheme: AssessmentScheme) -> list[Indicator]:
    """The lines of a scheme as they will stand once everything in the session is saved."""
    kept = set(session.scalars(sa.select(Indicator).where(Indicator.scheme_id == scheme.id))) if scheme.id else set()
    kept |= {one for one in session.new if isinstance(one, Indicator) and _scheme_of(session, one) is scheme}
    lines = [one for one in kept if one not in session.deleted and not _orphaned(one)]
    return sorted(lines, key=lambda one: (one.position or 0, one.id or 0))


def _attributes(record: Any) -> Any:
    """The attributes with what was loaded and what was changed."""
    return sa.inspect(record).attrs


def _orphaned(line: Indicator) -> bool:
    """Taken out of its scheme's lines; the flush will delete it."""
    history = _attributes(line).scheme.history
    return bool(history.deleted) and list(history.added or [None]) == [None]


def _scheme_of(session: Session, line: Indicator) -> AssessmentScheme | None:
    given = _attributes(line).scheme.loaded_value
    if isinstance(given, AssessmentScheme):
        return given
    return session.get(AssessmentScheme, line.scheme_id) if line.scheme_id is not None else None


def stored_state(record: Any) -> Any:
    """The state in which a record stands in the database; None for one that is new there."""
    if not sa.inspect(record).persistent:
        return None
    history = _attributes(record).state.history
    return history.deleted[0] if history.deleted else record.state


def _changed(record: Any) -> set[str]:
    """Names of the columns that the flush will write."""
    state: Any = sa.inspect(record)
    return {one.key for one in state.mapper.column_attrs if state.attrs[one.key].history.has_changes()}


@sa.event.listens_for(Session, "before_flush")
def _guard(session: Session, context: Any, instances: Any) -> None:
    """Judge everything about to be saved. Raises Invalid or Conflict; the session must be rolled back then."""
    touched = [
        one
        for one in (*session.new, *session.dirty, *session.deleted)
        if isinstance(one, AssessmentScheme | Indicator | AssessmentRun | Questionnaire | QuestionnaireMark | Score)
        and (one in session.new or one in session.deleted or session.is_modified(one))
    ]
    if not touched:
        return
    with viewer.system():
        for one in touched:
            _GUARDS[type(one)](session, one)
        _judge_schemes(session, touched)


def _judge_schemes(session: Session, touched: list[Any]) -> None:
    """Each scheme of which a line or the scheme itself is saved, once, with all its lines together."""
    alone = {one for one in touched if isinstance(one, AssessmentScheme)}
    of_lines = {_scheme_of(session, one) for one in touched if isinstance(one, Indicator)}
    for scheme in alone | {one for one in of_lines if one is not None}:
        if scheme in session.deleted or (stored_state(scheme) or SchemeState.draft) != SchemeState.draft:
            continue
        names = [one.name for one in lines_of(session, scheme)]
        if len(set(names)) != len(names):
            raise Invalid({"name": _l("Two indicators of a scheme cannot have the same name.")})
        publishing = scheme.state == SchemeState.published
        check_scheme(session, scheme, publishing=publishing, name="indicators" if scheme in alone else "weight")


def _guard_scheme(session: Session, scheme: AssessmentScheme) -> None:
    """A published edition never changes; it is only superseded."""
    stored = stored_state(scheme)
    if stored in (SchemeState.published, SchemeState.superseded):
        superseding = stored == SchemeState.published and scheme.state == SchemeState.superseded
        if scheme in session.deleted or not superseding or _changed(scheme) - _BOOKKEEPING - {"state"}:
            raise Conflict(PUBLISHED)
        return
    if not isinstance(scheme.year, int) or not 2000 <= scheme.year <= 2200:
        raise Invalid({"year": _l("Please enter a year such as 2026.")})
    if not scheme.kind:
        raise Invalid({"kind": _l("Please choose one of the given answers.")})
    if scheme in session.new or _changed(scheme) & {"year", "kind"}:
        others = sa.select(sa.func.max(AssessmentScheme.edition)).where(
            AssessmentScheme.county_id == scheme.county_id,
            AssessmentScheme.year == scheme.year,
            AssessmentScheme.kind == scheme.kind,
            AssessmentScheme.id != (scheme.id or 0),
        )
        scheme.edition = (session.scalar(others) or 0) + 1


def _guard_indicator(session: Session, line: Indicator) -> None:
    moved = _attributes(line).scheme_id.history.deleted
    schemes = [_scheme_of(session, line), *(session.get(AssessmentScheme, key) for key in moved if key)]
    for scheme in schemes:
        if scheme is not None and stored_state(scheme) not in (None, SchemeState.draft):
            raise Conflict(PUBLISHED)
    if line in session.deleted or _orphaned(line):
        return
    if line.weight is None or not 0 < line.weight <= WHOLE or line.weight != round(line.weight, 3):
        raise Invalid({"weight": _l("A weight is more than 0 and at most 100, with at most three decimals.")})
    if line.full_score is not None and not 0 < line.full_score < 10_000:
        raise Invalid({"full_score": _l("A full score is more than 0 and less than 10000.")})
    if line.evaluator == Evaluator.system and line.formula is None:
        raise Invalid({"formula": _l("Please choose the figure of the calls that counts.")})
    if line.evaluator != Evaluator.system and line.formula is not None:
        raise Invalid({"formula": _l("Only an indicator computed from the calls has a formula.")})


def _guard_run(session: Session, run: AssessmentRun) -> None:
    if stored_state(run) == RunState.published:
        raise Conflict(FROZEN)
    if run in session.deleted:
        return
    scheme = session.get_one(AssessmentScheme, run.scheme_id or run.scheme.id)
    if run in session.new and scheme.state != SchemeState.published:
        raise Invalid({"scheme": _l("Only a published scheme can be applied.")})
    check_period(run, scheme)
    twin = sa.select(AssessmentRun.id).where(
        AssessmentRun.scheme_id == scheme.id,
        AssessmentRun.period_from == run.period_from,
        AssessmentRun.period_to == run.period_to,
        AssessmentRun.id != (run.id or 0),
    )
    if session.scalar(twin) is not None:
        raise Invalid({"period_from": _l("There is already a run of this scheme for this period.")})


def _run_of(session: Session, record: Any) -> AssessmentRun:
    given = _attributes(record).run.loaded_value
    return given if isinstance(given, AssessmentRun) else session.get_one(AssessmentRun, record.run_id)


def _guard_sheet(session: Session, sheet: Questionnaire) -> None:
    if stored_state(_run_of(session, sheet)) == RunState.published:
        raise Conflict(FROZEN)


def _guard_mark(session: Session, mark: QuestionnaireMark) -> None:
    given = _attributes(mark).questionnaire.loaded_value
    sheet = given if isinstance(given, Questionnaire) else session.get_one(Questionnaire, mark.questionnaire_id)
    _guard_sheet(session, sheet)
    if mark in session.deleted:
        return
    if stored_state(sheet) == SheetState.submitted:
        raise Conflict(_l("A sheet that was handed in is never changed."))
    subject = _check_subject(session, mark)
    if subject.id == (sheet.organisation_id or sheet.organisation.id):
        raise Invalid({"subject": _l("Nobody evaluates himself.")})


def _guard_score(session: Session, score: Score) -> None:
    if stored_state(_run_of(session, score)) == RunState.published:
        raise Conflict(FROZEN)
    if score not in session.deleted:
        _check_subject(session, score)


def _check_subject(session: Session, record: Any) -> Organisation:
    """The assessed organisation. Townships are never assessed (spec 1): raises Invalid for all but departments and agencies."""
    given = _attributes(record).subject.loaded_value
    subject = given if isinstance(given, Organisation) else session.get_one(Organisation, record.subject_id)
    if subject.kind not in (OrganisationKind.department, OrganisationKind.agency):
        raise Invalid({"subject": _l("Only departments and stationed agencies are assessed, never a township.")})
    return subject


_GUARDS: dict[type[Any], Any] = {
    AssessmentScheme: _guard_scheme,
    Indicator: _guard_indicator,
    AssessmentRun: _guard_run,
    Questionnaire: _guard_sheet,
    QuestionnaireMark: _guard_mark,
    Score: _guard_score,
}
