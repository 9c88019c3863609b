"""The rules of assessment (2.8; S1, S2): floors, weights, what never changes, who evaluates whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from models.assessment import (
    AssessmentRun,
    AssessmentScheme,
    Evaluator,
    Indicator,
    Questionnaire,
    QuestionnaireMark,
    Score,
)
from models.call_indicators import CallIndicator
from models.field import FieldError
from models.refusal import Conflict, Forbidden, Invalid, NotFound
from models.setting import Setting
from tests.assessment import (
    Given,
    add_line,
    attempt,
    fill_and_submit,
    found_agencies,
    line,
    open_run,
    published_scheme,
    save_scheme,
    sheet_of,
)
from tests.conftest import Installation
from tests.county import MONDAY, County

CALLS = ("system", "10")


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """The rules are the program's; the database's own share in them is tried on both in `test_assessment_rules`."""
    sqlite_installation.fresh("county")
    return sqlite_installation


def sentence_of(refusal: Invalid, name: str) -> str:
    return str(refusal.errors[name][0])


# Floors and weights


def test_floor_of_the_townships_evaluation_counts_townships_only(county: County) -> None:
    """At least 30 of a department's and 60 of an agency's hundred, when saved already; then when published too."""
    refused: tuple[tuple[str, Sequence[Given]], ...] = (
        ("department", (("township", "29.99"), CALLS, ("county", "60.01"))),
        ("department", (("township", "29.99"), ("department", "0.01"), CALLS, ("county", "60"))),
        ("department", (CALLS, ("county", "60.01"))),
        ("agency", (("township", "59.99"), ("department", "40.01"))),
        ("agency", (("township", "40"), ("department", "60"))),
    )
    for kind, lines in refused:
        with pytest.raises(Invalid) as refusal:
            save_scheme(county, lines, kind)
        assert "at least" in sentence_of(refusal.value, "indicators"), lines
    with county.acting(None) as session:
        assert session.scalars(sa.select(AssessmentScheme)).all() == []
    allowed: tuple[tuple[str, Sequence[Given]], ...] = (
        ("department", (("township", "30"), CALLS, ("county", "60"))),
        ("department", (("township", "20"), ("township", "10"), CALLS, ("county", "60"))),
        ("agency", (("township", "60"), ("department", "40"))),
    )
    for kind, lines in allowed:
        county.do("assessor", AssessmentScheme, save_scheme(county, lines, kind), "publish")


def test_floor_is_judged_again_when_a_single_line_is_saved_and_when_published(county: County) -> None:
    scheme_id = save_scheme(county, [("township", "30"), CALLS])
    add_line(county, scheme_id, line("county", "59.99"))
    with pytest.raises(Invalid) as refused:
        add_line(county, scheme_id, line("department", "0.02"))
    assert "weight" in refused.value.errors

    def given_to_the_county(session: Any) -> None:
        township = session.scalars(sa.select(Indicator).where(Indicator.evaluator == Evaluator.township)).one()
        township.evaluator = Evaluator.county

    with pytest.raises(Invalid):
        attempt(county, given_to_the_county)
    with pytest.raises(Invalid) as refused:
        county.do("assessor", AssessmentScheme, scheme_id, "publish")
    assert "99.99" in sentence_of(refused.value, "indicators")
    # A county that raises its floor after the draft was saved finds the draft refused when it is published.
    add_line(county, scheme_id, line("county", "0.01", "零头"))
    with county.acting(None) as session:
        session.add(Setting(county_id=county.id, name="department_township_floor", value="33.3"))
    with pytest.raises(Invalid) as refused:
        county.do("assessor", AssessmentScheme, scheme_id, "publish")
    assert "33.3" in sentence_of(refused.value, "indicators")


def test_settings_may_only_raise_what_the_law_demands() -> None:
    for name, value in (("department_township_floor", "29.9"), ("agency_township_floor", "59"), ("compared_from", "2")):
        with pytest.raises(FieldError):
            Setting(name=name, value=value)
        assert Setting(name=name, value="70").value == "70"
        for senseless in ("101", "NaN", "viele"):
            with pytest.raises(FieldError):
                Setting(name=name, value=senseless)


def test_weights_make_a_hundred_when_published_and_never_more_when_saved(county: County) -> None:
    scheme_id = save_scheme(county, [("township", "33.3"), ("system", "66.6")])
    with pytest.raises(Invalid) as refused:
        county.do("assessor", AssessmentScheme, scheme_id, "publish")
    assert "99.9" in sentence_of(refused.value, "indicators")
    with pytest.raises(Invalid) as refused:
        add_line(county, scheme_id, line("township", "0.101"))
    assert "100.001" in sentence_of(refused.value, "weight")
    add_line(county, scheme_id, line("township", "0.1"))
    county.do("assessor", AssessmentScheme, scheme_id, "publish")


def test_a_department_scheme_has_a_call_indicator_and_an_agency_scheme_none(county: County) -> None:
    with pytest.raises(Invalid):
        save_scheme(county, [("township", "40"), ("county", "60")])
    with pytest.raises(Invalid):
        save_scheme(county, [("township", "60"), ("system", "40")], "agency")


def test_a_line_that_makes_no_sense_is_refused_on_its_field(county: County) -> None:
    scheme_id = save_scheme(county, [("township", "40"), CALLS])
    senseless: tuple[tuple[str, str, Any], ...] = (
        ("weight", "weight", Decimal(0)),
        ("weight", "weight", Decimal("0.0001")),
        ("weight", "weight", None),
        ("full_score", "full_score", Decimal(-1)),
        ("evaluator", "formula", Evaluator.system),
        ("formula", "formula", CallIndicator.closure),
        ("name", "name", "指标1"),
    )
    for name, told_on, value in senseless:
        wrong = line("county", "5")
        setattr(wrong, name, value)
        with pytest.raises(Invalid) as refused:
            add_line(county, scheme_id, wrong)
        assert set(refused.value.errors) == {told_on}


# Editions


def test_a_published_scheme_never_changes_and_a_new_edition_supersedes_it(county: County) -> None:
    first = published_scheme(county)

    def renamed(session: Any) -> None:
        session.get_one(AssessmentScheme, first).name = "另一个名称"

    def weighed(session: Any) -> None:
        session.scalars(sa.select(Indicator).where(Indicator.scheme_id == first)).first().weight = Decimal(1)

    def added(session: Any) -> None:
        session.add(
            Indicator(county_id=county.id, scheme_id=first, name="新", weight=Decimal(1), evaluator=Evaluator.county)
        )

    def taken_out(session: Any) -> None:
        scheme = session.get_one(AssessmentScheme, first)
        scheme.indicators.pop()
        session.flush()

    def deleted(session: Any) -> None:
        session.delete(session.get_one(AssessmentScheme, first))

    changes: tuple[Callable[[Any], None], ...] = (renamed, weighed, added, taken_out, deleted)
    for change in changes:
        with pytest.raises(Conflict):
            attempt(county, change)
    with county.acting("assessor", MONDAY) as session, pytest.raises(Conflict):
        session.get_one(AssessmentScheme, first).check_change(county.viewer("assessor"))

    county.do("assessor", AssessmentScheme, first, "new_edition")
    with pytest.raises(Conflict):
        county.do("assessor", AssessmentScheme, first, "new_edition")
    with county.acting(None) as session:
        draft = session.scalars(sa.select(AssessmentScheme).where(AssessmentScheme.id != first)).one()
        assert (draft.edition, str(draft.state)) == (2, "draft")
        assert [one.weight for one in draft.indicators] == [Decimal("33.3"), Decimal("36.7"), Decimal(30)]
        second = draft.id
    county.do("assessor", AssessmentScheme, second, "publish")
    with county.acting(None) as session:
        assert str(session.get_one(AssessmentScheme, first).state) == "superseded"
        assert str(session.get_one(AssessmentScheme, second).state) == "published"


def test_the_usual_indicators_begin_at_a_third_and_can_be_published_at_once(county: County) -> None:
    found_agencies(county)
    for kind, least in (("department", Decimal("33.3")), ("agency", Decimal(60))):
        scheme_id = save_scheme(county, (), kind)
        county.do("assessor", AssessmentScheme, scheme_id, "take_usual")
        with pytest.raises(Conflict):
            county.do("assessor", AssessmentScheme, scheme_id, "take_usual")
        county.do("assessor", AssessmentScheme, scheme_id, "publish")
        with county.acting(None) as session:
            lines = session.get_one(AssessmentScheme, scheme_id).indicators
            assert sum(one.weight for one in lines if one.evaluator == Evaluator.township) == least


def test_only_the_assessment_office_writes_schemes_and_runs(county: County) -> None:
    scheme_id = published_scheme(county)
    for name in ("dispatcher", "leader", "department1_leader", "township1_leader", "sysadmin"):
        with county.acting(name) as session, pytest.raises(Forbidden):
            AssessmentScheme().prepare(session, county.viewer(name))
        with pytest.raises(Forbidden):
            county.do(name, AssessmentScheme, scheme_id, "new_edition")
        with county.acting(name) as session:
            assert session.scalars(sa.select(Indicator.weight)).all(), "everyone reads the scheme"
    for name in ("township9", "leader9"):
        with pytest.raises(NotFound):
            county.do(name, AssessmentScheme, scheme_id, "new_edition")


# Runs and sheets


def test_a_run_applies_a_published_scheme_in_its_year_once(county: County) -> None:
    draft = save_scheme(county, [("township", "50"), CALLS])
    with pytest.raises(Invalid) as refused:
        open_run(county, draft)
    assert "scheme" in refused.value.errors
    scheme_id = published_scheme(county)
    for first, last, name in (
        (date(2026, 5, 2), date(2026, 5, 1), "period_to"),
        (date(2025, 12, 31), date(2026, 5, 1), "period_from"),
        (date(2026, 12, 1), date(2027, 1, 1), "period_to"),
    ):
        with pytest.raises(Invalid) as refused:
            open_run(county, scheme_id, first, last)
        assert name in refused.value.errors
    open_run(county, scheme_id)
    with pytest.raises(Invalid):
        open_run(county, scheme_id)


def test_one_sheet_for_each_township_with_rows_by_the_list_and_the_calls(county: County) -> None:
    """Departments 1, 3 and 4 have duties on the list in force; department 2 was called by township 1 only."""
    county.dispatched("department2", township="township1")
    run_id = open_run(county, published_scheme(county))
    county.do("assessor", AssessmentRun, run_id, "hand_out")
    county.do("assessor", AssessmentRun, run_id, "hand_out")
    with county.acting(None) as session:
        sheets = session.scalars(sa.select(Questionnaire).order_by(Questionnaire.organisation_id)).all()
        rows = {
            next(name for name, key in county.organisations.items() if key == one.organisation_id): [
                (next(name for name, key in county.organisations.items() if key == mark.subject_id), mark.dealings)
                for mark in one.marks
            ]
            for one in sheets
        }
    listed = [("department1", 0), ("department3", 0), ("department4", 0)]
    assert rows == {
        "county": [(f"department{number}", 0) for number in (1, 2, 3, 4)],
        "township1": [("department1", 0), ("department2", 1), ("department3", 0), ("department4", 0)],
        "township2": listed,
        "township3": listed,
    }


def test_a_sheet_is_filled_by_its_own_organisation_and_signed_once(county: County) -> None:
    run_id = open_run(county, published_scheme(county))
    county.do("assessor", AssessmentRun, run_id, "hand_out")
    sheet_id = sheet_of(county, run_id, "township1")
    for name in ("township2", "department1", "dispatcher", "leader", "auditor", "township9"):
        with pytest.raises(NotFound):
            county.do(name, Questionnaire, sheet_id, "fill", {"marks": []})
    with pytest.raises(Forbidden):
        county.do("assessor", Questionnaire, sheet_id, "fill", {"marks": []})
    with county.acting(None) as session:
        mark = session.get_one(Questionnaire, sheet_id).marks[0]
        row = {"subject": mark.subject_id, "indicator": mark.indicator_id}
    for wrong in (
        [{**row, "mark": "100.01"}],
        [{**row, "mark": "-1"}],
        [{**row, "mark": "80.123"}],
        [{**row, "mark": "80"}, {**row, "mark": "81"}],
        [{**row, "subject": county["township2"], "mark": "80"}],
    ):
        with pytest.raises(Invalid):
            county.do("township1", Questionnaire, sheet_id, "fill", {"marks": wrong})
    with pytest.raises(Invalid):
        county.do("township1", Questionnaire, sheet_id, "submit", {"signed_by": ""})
    fill_and_submit(county, run_id, "township1", {"department1": "88.5"})
    with county.acting("township1") as session:
        sheet = session.get_one(Questionnaire, sheet_id)
        assert (str(sheet.state), sheet.signed_by) == ("submitted", "周书记")
        assert {one.subject.id: (one.mark, one.not_asked) for one in sheet.marks} == {
            county["department1"]: (Decimal("88.50"), False),
            county["department3"]: (None, True),
            county["department4"]: (None, True),
        }
    with pytest.raises(Conflict):
        county.do("township1", Questionnaire, sheet_id, "fill", {"marks": []})

    def remarked(session: Any) -> None:
        session.get_one(Questionnaire, sheet_id).marks[0].mark = Decimal(1)

    with pytest.raises(Conflict):
        attempt(county, remarked)
    county.do("township1", Questionnaire, sheet_id, "take_back")
    fill_and_submit(county, run_id, "township1", {"department1": "90"})


def test_whoever_is_marked_is_marked_on_everything_asked(county: County) -> None:
    lines = (("township", "20"), ("township", "13"), ("system", "67"))
    run_id = open_run(county, published_scheme(county, lines))
    county.do("assessor", AssessmentRun, run_id, "hand_out")
    sheet_id = sheet_of(county, run_id, "township1")
    with county.acting(None) as session:
        mark = session.get_one(Questionnaire, sheet_id).marks[0]
        row = {"subject": mark.subject_id, "indicator": mark.indicator_id, "mark": "80"}
    county.do("township1", Questionnaire, sheet_id, "fill", {"marks": [row]})
    with pytest.raises(Conflict, match="自然资源局"):
        county.do("township1", Questionnaire, sheet_id, "submit", {"signed_by": "周书记"})


def test_nobody_evaluates_himself_and_no_township_is_ever_assessed(county: County) -> None:
    lines = (("township", "40"), ("department", "30"), ("system", "30"))
    run_id = open_run(county, published_scheme(county, lines))
    county.do("assessor", AssessmentRun, run_id, "hand_out")
    with county.acting(None) as session:
        own = [
            one
            for one in session.scalars(sa.select(QuestionnaireMark))
            if one.subject_id == one.questionnaire.organisation_id
        ]
        assert own == []
        kinds = {str(one.subject.kind) for one in session.scalars(sa.select(QuestionnaireMark))}
        assert kinds == {"department"}
        indicator_id = session.scalars(sa.select(Indicator.id).where(Indicator.evaluator == Evaluator.department)).one()

    def marked(sheet_id: int, subject: str) -> Callable[[Any], None]:
        values = {"county_id": county.id, "questionnaire_id": sheet_id, "subject_id": county[subject]}
        return lambda session: session.add(
            QuestionnaireMark(**values, indicator_id=indicator_id, position=99, dealings=0)
        )

    for sheet, subject in (("department1", "department1"), ("department1", "township1"), ("township1", "township2")):
        with pytest.raises(Invalid) as refused:
            attempt(county, marked(sheet_of(county, run_id, sheet), subject))
        assert "subject" in refused.value.errors
    score = {"county_id": county.id, "run_id": run_id, "subject_id": county["township1"], "worked": []}
    with pytest.raises(Invalid):
        attempt(county, lambda session: session.add(Score(**score)))
