"""What the database itself refuses of assessments, whatever program writes (2.8). On both databases."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from models.assessment import AssessmentRun, AssessmentScheme
from tests.assessment import NEXT_YEAR, fill_and_submit, open_run, published_scheme, save_scheme
from tests.county import County

RULES = (
    ("UPDATE assessment_scheme SET name = '改' WHERE id = :scheme", "published scheme"),
    ("UPDATE assessment_scheme SET state = 'draft' WHERE id = :scheme", "published scheme"),
    ("DELETE FROM assessment_scheme WHERE id = :scheme", "published scheme"),
    ("UPDATE indicator SET weight = 1 WHERE scheme_id = :scheme", "published scheme"),
    ("UPDATE indicator SET scheme_id = :draft WHERE scheme_id = :scheme", "published scheme"),
    ("DELETE FROM indicator WHERE scheme_id = :scheme", "published scheme"),
    ("UPDATE assessment_scheme SET state = 'published' WHERE id = :draft", "100"),
    ("UPDATE assessment_run SET name = '改' WHERE id = :run", "published run"),
    ("UPDATE score SET total = 100 WHERE run_id = :run", "published run"),
    ("DELETE FROM score WHERE run_id = :run", "published run"),
    ("UPDATE questionnaire SET remark = '改' WHERE run_id = :run", "published run"),
    ("UPDATE questionnaire_mark SET mark = 1 WHERE mark IS NOT NULL", "published run"),
)
COPY = (
    "INSERT INTO {table} (version, created_at, changed_at, county_id, {columns})"
    " SELECT version, created_at, changed_at, county_id, {values} FROM {table} WHERE {where} LIMIT 1"
)


def test_what_is_published_is_frozen_by_the_database_too(county: County) -> None:
    """A published scheme and run; a draft of another kind short of the hundred; then everything is tried by bare SQL."""
    scheme_id = published_scheme(county)
    draft_id = save_scheme(county, [("township", "60")], "agency")
    run_id, open_id = open_run(county, scheme_id), open_run(county, scheme_id, date(2026, 11, 2))
    for one in (run_id, open_id):
        county.do("assessor", AssessmentRun, one, "hand_out")
    fill_and_submit(county, run_id, "township1", {"department1": "80"})
    county.do("assessor", AssessmentRun, run_id, "compute", {"without_reason": "x"}, NEXT_YEAR)
    county.do("assessor", AssessmentRun, run_id, "publish", when=NEXT_YEAR)
    keys = {"scheme": scheme_id, "draft": draft_id, "run": run_id, "township": county["township1"]}
    added = COPY.format(
        table="questionnaire_mark",
        columns="questionnaire_id, position, subject_id, indicator_id, dealings, not_asked",
        values="questionnaire_id, 99, {subject}, indicator_id, 0, not_asked",
        where="questionnaire_id IN (SELECT id FROM questionnaire WHERE run_id {run} :run AND organisation_id = :township)",
    )
    rules = (
        *RULES,
        (added.format(subject="subject_id", run="="), "published run"),
        (added.format(subject=str(county["township2"]), run="<>"), "only departments"),
        ("UPDATE questionnaire SET organisation_id = 0 - organisation_id WHERE run_id = :run", "published run"),
    )
    for statement, said in rules:
        with pytest.raises(sa.exc.DBAPIError, match=said):
            execute(county, statement, keys)
    assert draft_stays(county, draft_id)


def test_floors_are_kept_by_the_database_too(county: County) -> None:
    """Weights that some other program put in: the scheme is not published on them."""
    for kind, township, other, said in (
        ("department", "29.999", "system", "floor"),
        ("agency", "59.999", "department", "floor"),
        ("department", "40", "county", "counts the calls"),
    ):
        scheme_id = save_scheme(county, [("township", "70")], kind)
        formula = "'closure'" if other == "system" else "NULL"
        execute(county, f"UPDATE indicator SET weight = {township} WHERE scheme_id = {scheme_id}", {})
        line = COPY.format(
            table="indicator",
            columns="scheme_id, position, name, weight, full_score, evaluator, formula, source",
            values=f"scheme_id, 2, 'x', 100 - weight, full_score, '{other}', {formula}, source",
            where=f"scheme_id = {scheme_id}",
        )
        execute(county, line, {})
        publish = f"UPDATE assessment_scheme SET state = 'published' WHERE id = {scheme_id}"
        with pytest.raises(sa.exc.DBAPIError, match=said):
            execute(county, publish, {})


def execute(county: County, statement: str, keys: dict[str, int]) -> None:
    used = {name: value for name, value in keys.items() if f":{name}" in statement}
    with county.acting(None) as session:
        session.connection().execute(sa.text(statement), used)


def draft_stays(county: County, draft_id: int) -> bool:
    with county.acting(None) as session:
        return str(session.get_one(AssessmentScheme, draft_id).state) == "draft"
