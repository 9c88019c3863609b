"""Scores of an assessment: the worked calculation, who sees what, and the formula by itself (2.8; S7)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import permutations
from typing import Any

import pytest
import sqlalchemy as sa

from models.assessment import (
    AssessmentRun,
    AssessmentScheme,
    Questionnaire,
    QuestionnaireMark,
    Score,
)
from models.assessment_formulas import Line, Mark, work_out
from models.call_indicators import Rate
from models.refusal import Conflict, Invalid
from tests.assessment import (
    NEXT_YEAR,
    attempt,
    fill_and_submit,
    found_agencies,
    open_run,
    published_scheme,
)
from tests.conftest import Installation
from tests.county import MONDAY, County

CALLS = ("system", "10")


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """The rules are the program's; the database's own share in them is tried on both in `test_assessment_rules`."""
    sqlite_installation.fresh("county")
    return sqlite_installation


# Scores


def handed_in(county: County, run_id: int) -> None:
    """Three townships mark department 1 with 90, 80 and 71; only two mark department 3; the county marks all with 60."""
    county.do("assessor", AssessmentRun, run_id, "hand_out")
    fill_and_submit(county, run_id, "township1", {"department1": "90", "department3": "10"})
    fill_and_submit(county, run_id, "township2", {"department1": "80", "department3": "20"})
    fill_and_submit(county, run_id, "township3", {"department1": "71"})
    fill_and_submit(
        county, run_id, "county", dict.fromkeys(("department1", "department3", "department4"), "60"), "assessor"
    )


def scores(county: County, run_id: int, name: str | None = None) -> dict[str, tuple[Any, ...]]:
    with county.acting(name) as session:
        found = session.scalars(sa.select(Score).where(Score.run_id == run_id)).all()
        return {
            next(key for key, value in county.organisations.items() if value == one.subject_id): (
                one.total,
                one.worked if name is None else list(one.calculation_for(county.viewer(name))),
            )
            for one in found
        }


def test_a_score_is_a_worked_calculation_and_too_few_are_not_compared(county: County) -> None:
    """Department 1: townships 80.3333 × 33.3 %, county 60 × 30 %; its two calls are too few for a rate, so the rest makes up the hundred."""
    for _count in range(2):
        _call, assignment = county.dispatched("department1")
        county.respond("department1", assignment, MONDAY + timedelta(hours=1))
    run_id = open_run(county, published_scheme(county))
    handed_in(county, run_id)
    county.do("assessor", AssessmentRun, run_id, "compute", when=NEXT_YEAR)
    found = scores(county, run_id)
    total, worked = found["department1"]
    townships, calls, judgement = worked
    assert (townships["average"], townships["evaluators"], townships["points"]) == ("80.3333", 3, "26.7510")
    assert (calls["numerator"], calls["denominator"], calls["compared"], calls["points"]) == ("2", 2, False, None)
    assert (judgement["average"], judgement["points"]) == ("60.0000", "18.0000")
    assert total == Decimal("70.70")  # (33.3 × 241/3 + 30 × 60) / 63.3
    total, worked = found["department3"]
    assert (worked[0]["evaluators"], worked[0]["average"], worked[0]["compared"]) == (2, None, False)
    assert total == Decimal(60)
    assert found["department2"][0] is None, "nothing to compare"

    _call, assignment = county.dispatched("department1")
    county.do("assessor", AssessmentRun, run_id, "compute", when=NEXT_YEAR)
    calls = scores(county, run_id)["department1"][1][1]
    assert (calls["numerator"], calls["denominator"], calls["compared"]) == ("2", 3, True)


def test_townships_weigh_alike_or_by_their_calls(county: County) -> None:
    for township, count in (("township1", 3), ("township2", 1), ("township3", 1)):
        for _number in range(count):
            county.dispatched("department1", township=township)
    for weighting, average in (("equal", "80.3333"), ("by_calls", "84.2000")):
        with county.acting(None) as session:
            for earlier in session.scalars(sa.select(AssessmentScheme).where(AssessmentScheme.state == "published")):
                earlier.state = "superseded"
        run_id = open_run(county, published_scheme(county, weighting=weighting))
        handed_in(county, run_id)
        county.do("assessor", AssessmentRun, run_id, "compute", when=NEXT_YEAR)
        assert scores(county, run_id)["department1"][1][0]["average"] == average


def test_computing_waits_for_the_sheets_or_says_why_not(county: County) -> None:
    run_id = open_run(county, published_scheme(county))
    with pytest.raises(Conflict):
        county.do("assessor", AssessmentRun, run_id, "compute")
    county.do("assessor", AssessmentRun, run_id, "hand_out")
    with pytest.raises(Invalid) as refused:
        county.do("assessor", AssessmentRun, run_id, "compute")
    assert "4" in str(refused.value.errors["without_reason"][0])
    county.do("assessor", AssessmentRun, run_id, "compute", {"without_reason": "乡镇换届"})
    with pytest.raises(Conflict):
        fill_and_submit(county, run_id, "township1", {"department1": "80"})
    county.do("assessor", AssessmentRun, run_id, "reopen", {"reason": "补收"})
    assert scores(county, run_id) == {}
    fill_and_submit(county, run_id, "township1", {"department1": "80"})


def test_a_published_run_never_changes(county: County) -> None:
    run_id = open_run(county, published_scheme(county))
    handed_in(county, run_id)
    county.do("assessor", AssessmentRun, run_id, "compute")
    with pytest.raises(Conflict, match="not ended"):
        county.do("assessor", AssessmentRun, run_id, "publish")
    county.do("assessor", AssessmentRun, run_id, "compute", when=NEXT_YEAR)
    county.do("assessor", AssessmentRun, run_id, "publish", when=NEXT_YEAR)
    kept = scores(county, run_id)

    def rescored(session: Any) -> None:
        session.scalars(sa.select(Score)).first().total = Decimal(99)

    def removed(session: Any) -> None:
        session.delete(session.scalars(sa.select(Score)).first())

    def remarked(session: Any) -> None:
        session.scalars(sa.select(QuestionnaireMark)).first().dealings = 7

    def resigned(session: Any) -> None:
        session.scalars(sa.select(Questionnaire)).first().signed_by = "别人"

    def moved(session: Any) -> None:
        session.get_one(AssessmentRun, run_id).name = "改名"

    for change in (rescored, removed, remarked, resigned, moved):
        with pytest.raises(Conflict):
            attempt(county, change, NEXT_YEAR)
    for step, values in (("compute", {"without_reason": "x"}), ("reopen", {"reason": "x"}), ("hand_out", {})):
        with pytest.raises(Conflict):
            county.do("assessor", AssessmentRun, run_id, step, values, NEXT_YEAR)
    assert scores(county, run_id) == kept


def test_publishing_computes_again_and_refuses_figures_that_changed(county: County) -> None:
    _call, assignment = county.dispatched("department1")
    run_id = open_run(county, published_scheme(county))
    handed_in(county, run_id)
    county.do("assessor", AssessmentRun, run_id, "compute", when=NEXT_YEAR)
    county.respond("department1", assignment, NEXT_YEAR + timedelta(minutes=1))
    county.do("assessor", AssessmentRun, run_id, "compute", {}, NEXT_YEAR)
    with county.acting(None) as session:
        session.get_one(AssessmentRun, run_id).scores[0].worked = []
    with pytest.raises(Conflict, match="changed"):
        county.do("assessor", AssessmentRun, run_id, "publish", when=NEXT_YEAR + timedelta(hours=1))
    county.do("assessor", AssessmentRun, run_id, "compute", {}, NEXT_YEAR)
    county.do("assessor", AssessmentRun, run_id, "publish", when=NEXT_YEAR + timedelta(hours=1))


# Who sees what


def test_the_assessed_see_their_own_once_published_and_never_one_townships_mark(county: County) -> None:
    run_id = open_run(county, published_scheme(county))
    handed_in(county, run_id)
    county.do("assessor", AssessmentRun, run_id, "compute", when=NEXT_YEAR)
    assert scores(county, run_id, "department1") == {}, "not before it is published"
    county.do("assessor", AssessmentRun, run_id, "publish", when=NEXT_YEAR)
    assert set(scores(county, run_id, "assessor")) == {f"department{number}" for number in (1, 2, 3, 4)}
    assert scores(county, run_id, "auditor") == scores(county, run_id, "assessor")
    for name in ("township1", "leader", "dispatcher", "city", "supervisor", "department9"):
        assert scores(county, run_id, name) == {}
    assert scores(county, run_id, "department1")["department1"][1][0]["average"] == "80.3333"
    own = scores(county, run_id, "department3_leader")
    assert set(own) == {"department3"}
    assert own["department3"][1][0]["average"] is None, "two townships are no aggregate"
    for name in ("department1", "department3_leader", "auditor", "leader", "township2"):
        with county.acting(name) as session:
            sheets = session.scalars(sa.select(Questionnaire.organisation_id)).all()
            assert sheets == ([county["township2"]] if name == "township2" else [])
            marks = session.scalars(sa.select(QuestionnaireMark)).all()
            assert all(one.questionnaire.organisation_id == county["township2"] for one in marks)


def test_an_agency_is_marked_by_the_township_where_it_is_stationed_and_by_its_department(county: County) -> None:
    """2.8: an agency has one township. A township without an agency gets no sheet."""
    found_agencies(county)
    run_id = open_run(county, published_scheme(county, [("township", "60"), ("department", "40")], "agency"))
    county.do("assessor", AssessmentRun, run_id, "hand_out")
    with county.acting(None) as session:
        sheets = session.scalars(sa.select(Questionnaire).where(Questionnaire.run_id == run_id)).all()
        asked = {one.organisation_id: {mark.subject_id for mark in one.marks} for one in sheets}
    assert asked == {
        county["township1"]: {county["agency1"], county["seat1"]},
        county["township2"]: {county["agency2"], county["seat2"]},
        county["department1"]: {county["seat1"], county["seat2"]},
    }


def test_an_agency_sees_its_total_only(county: County) -> None:
    found_agencies(county)
    run_id = open_run(county, published_scheme(county, [("township", "60"), ("department", "40")], "agency"))
    county.do("assessor", AssessmentRun, run_id, "hand_out")
    fill_and_submit(county, run_id, "township1", {"seat1": "90"})
    fill_and_submit(county, run_id, "department1", {"seat1": "80", "seat2": "70"})
    county.do("assessor", AssessmentRun, run_id, "compute", {"without_reason": "其他乡镇无派驻机构"}, NEXT_YEAR)
    county.do("assessor", AssessmentRun, run_id, "publish", when=NEXT_YEAR)
    assert scores(county, run_id, "seat1") == {"seat1": (Decimal("86.00"), [])}
    assert scores(county, run_id, "assessor")["seat1"][1][0]["average"] == "90.0000"
    assert scores(county, run_id, "seat2") == {"seat2": (Decimal("70.00"), [])}


# The formula by itself


def test_the_same_data_give_the_same_score_to_the_last_digit() -> None:
    """Whatever the order of marks and lines."""
    lines = [
        Line(1, "评价", "township", Decimal("33.3"), Decimal(100), 3),
        Line(2, "响应", "system", Decimal("33.367"), Decimal(20), 3),
        Line(3, "县级", "county", Decimal("33.333"), Decimal(100)),
    ]
    given = [Mark(Decimal("77.77")), Mark(Decimal("88.88")), Mark(Decimal("99.99")), Mark(Decimal("66.66"))]
    totals = set()
    for marks in permutations(given):
        for order in permutations(lines):
            worked = work_out(order, {1: marks, 3: [Mark(Decimal(70))]}, {2: Rate(Fraction(2), 3)})
            totals.add(worked.total)
            assert sorted(str(one) for one in worked.lines) == sorted(
                str(one) for one in work_out(lines, {1: given, 3: [Mark(Decimal(70))]}, {2: Rate(Fraction(2), 3)}).lines
            )
    assert totals == {Decimal("73.32")}


def test_a_half_is_rounded_up_and_nothing_compared_is_no_score() -> None:
    one = Line(1, "评价", "county", Decimal(100), Decimal(100))
    assert work_out([one], {1: [Mark(Decimal("84.99")), Mark(Decimal("85"))]}, {}).total == Decimal("85.00")
    assert work_out([one], {}, {}).total is None
    assert work_out([one], {1: [Mark(Decimal(50), 0), Mark(Decimal(60), 0)]}, {}).total == Decimal("55.00")
