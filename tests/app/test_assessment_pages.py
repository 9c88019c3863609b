"""Assessment as people and programs meet it: the scheme, the sheet's matrix, the score's calculation (2.8)."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa

from models.assessment import AssessmentRun, AssessmentScheme, Questionnaire, Score
from models.event import Event, EventValue
from tests.app.portal.api_client import Api
from tests.app.visitor import form_to, kept, visitor, words_of
from tests.assessment import NEXT_YEAR, fill_and_submit, found_agencies, open_run, published_scheme, sheet_of
from tests.conftest import Installation
from tests.county import County


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


def test_a_scheme_is_made_and_published_by_program(county: County) -> None:
    """The sentences about weights come back as 422 on the field; other roles get 403."""
    api = Api(county, "assessor")
    given = {"name": "2026年度方案", "year": 2026, "kind": "department", "weighting": "equal"}
    assert Api(county, "dispatcher").post("/assessment_scheme/", given).status_code == 403
    answer = api.post("/assessment_scheme/", given)
    assert answer.status_code == 201, answer.json
    scheme = answer.json["id"]
    line = {"scheme": scheme, "name": "乡镇评价", "weight": "33.3", "full_score": "100", "evaluator": "township"}
    assert api.post("/indicator/", line).status_code == 201
    refused = api.post("/indicator/", {**line, "name": "县级评价", "weight": "70.001", "evaluator": "county"})
    assert (refused.status_code, list(refused.json)) == (422, ["weight"])
    calls = {**line, "name": "响应率", "weight": "66.7", "evaluator": "system", "formula": "on_time_response"}
    assert api.post("/indicator/", {**calls, "formula": None}).status_code == 422
    added = api.post("/indicator/", calls)
    assert added.status_code == 201
    stepped = api.post(f"/assessment_scheme/{scheme}/publish")
    assert (stepped.status_code, stepped.json["state"]) == (200, "published")
    assert api.call("PUT", f"/assessment_scheme/{scheme}", json={"name": "改"}).status_code == 409
    assert api.call("PUT", f"/indicator/{added.json['id']}", json={"weight": "1"}).status_code == 409
    assert api.call("DELETE", f"/indicator/{added.json['id']}").status_code == 409
    shown = Api(county, "township1").get(f"/indicator/{added.json['id']}").json["result"]
    assert (Decimal(shown["weight"]), shown["formula"]) == (Decimal("66.7"), "on_time_response")


def test_a_draft_saved_without_a_year_is_refused_on_the_field(county: County) -> None:
    here = visitor(county, "assessor")
    page = here.get("/assessment_scheme/add")
    values = {name: found[-1] for name, found in form_to(page, "/assessment_scheme/add").values.items()}
    assert values["year"].startswith("20")
    answer = here.post("/assessment_scheme/add", {**values, "name": "方案", "year": ""})
    assert answer.status_code == 422
    assert kept(answer, "/assessment_scheme/add")["name"] == "方案"
    answer = here.post("/assessment_scheme/add", {**values, "name": "方案", "year": "2026"}, follow_redirects=True)
    assert answer.status_code == 200
    assert "方案" in words_of(answer)


def test_a_township_fills_in_its_matrix_and_loses_nothing_typed(county: County) -> None:
    run_id = open_run(county, published_scheme(county))
    county.do("assessor", AssessmentRun, run_id, "hand_out")
    sheet_id = sheet_of(county, run_id, "township1")
    here, url = visitor(county, "township1"), f"/questionnaire/{sheet_id}/sheet"
    assert url in here.get(f"/questionnaire/show/{sheet_id}").text
    form = form_to(here.get(url), url)
    names = [name for name in form.values if name.startswith("mark-")]
    assert len(names) == 3
    typed = {"version": form.values["version"][0], names[0]: "91.5", names[1]: "一百", "remark": "水务局到场最快"}
    refused = here.post(url, typed)
    assert refused.status_code == 422
    assert kept(refused, url) | typed == kept(refused, url)
    assert refused.text.count('aria-invalid="true"') == 1
    saved = here.post(url, {**typed, names[1]: ""}, follow_redirects=True)
    assert saved.status_code == 200
    assert "91.5" in words_of(saved)
    stale = here.post(url, {**typed, names[1]: "70"})
    assert stale.status_code == 409
    assert kept(stale, url)[names[1]] == "70"
    assert here.post(f"/questionnaire/{sheet_id}/submit", {"signed_by": "周书记"}).status_code == 302
    assert url not in here.get(f"/questionnaire/show/{sheet_id}").text
    assert here.get(url).status_code == 302
    for name, status in (("township2", 404), ("department1", 404), ("leader", 403), ("assessor", 302)):
        assert visitor(county, name).get(url).status_code == status, name
    with county.acting("auditor") as session:
        submitted = sa.select(Event.id).where(Event.record_type == "questionnaire", Event.name == "submit")
        event_id = session.scalars(submitted).one()
    with county.acting(None) as session:
        value = sa.select(EventValue.value).where(EventValue.event_id == event_id, EventValue.name == "marks")
        assert [one["mark"] for one in session.scalars(value).one()] == ["91.50", None, None]


def test_a_score_opens_as_a_worked_calculation(county: County) -> None:
    """The assessed department reads it on the page and by program, once published; no single mark is in it."""
    run_id = open_run(county, published_scheme(county))
    county.do("assessor", AssessmentRun, run_id, "hand_out")
    for township, mark in (("township1", "91.11"), ("township2", "82.22"), ("township3", "73.33")):
        fill_and_submit(county, run_id, township, {"department1": mark})
    county.do("assessor", AssessmentRun, run_id, "compute", {"without_reason": "县级评价后补"}, NEXT_YEAR)
    assert "91.11" not in visitor(county, "assessor").get(f"/assessment_run/show/{run_id}").text
    county.do("assessor", AssessmentRun, run_id, "publish", when=NEXT_YEAR)
    with county.acting(None) as session:
        keys = {one.subject_id: one.id for one in session.scalars(sa.select(Score))}
    own, other = keys[county["department1"]], keys[county["department3"]]
    page = visitor(county, "department1").get(f"/score/show/{own}")
    assert "82.2200" in words_of(page)
    assert not any(mark in page.text for mark in ("91.11", "73.33"))
    assert visitor(county, "department1").get(f"/score/show/{other}").status_code == 404
    assert visitor(county, "township1").get(f"/score/show/{own}").status_code == 403
    result = Api(county, "department1").get(f"/score/{own}").json["result"]
    assert result["total"] == "82.22"
    assert [line["evaluator"] for line in result["calculation"]] == ["township", "system", "county"]
    api = Api(county, "assessor")
    for method, path in (("POST", "/score/"), ("PUT", f"/score/{own}"), ("DELETE", f"/score/{own}")):
        assert api.call(method, path, json={}).status_code == 405


def test_an_agency_reads_its_total_and_nothing_behind_it(county: County) -> None:
    found_agencies(county)
    lines = [("township", "60"), ("department", "40")]
    run_id = open_run(county, published_scheme(county, lines, "agency"))
    county.do("assessor", AssessmentRun, run_id, "hand_out")
    fill_and_submit(county, run_id, "township1", {"seat1": "91"})
    fill_and_submit(county, run_id, "department1", {"seat1": "81"})
    county.do("assessor", AssessmentRun, run_id, "compute", {"without_reason": "仅驻一镇"}, NEXT_YEAR)
    county.do("assessor", AssessmentRun, run_id, "publish", when=NEXT_YEAR)
    rows = Api(county, "seat1").get("/score/").json["result"]
    assert [(row["subject"]["name"], row["total"], row["calculation"]) for row in rows] == [("seat1", "87.00", [])]
    page = visitor(county, "seat1").get(f"/score/show/{rows[0]['id']}")
    assert "87.00" in page.text
    assert not any(mark in words_of(page) for mark in ("91.0", "81.0"))
    assert visitor(county, "seat1").get("/questionnaire/list/").status_code == 403


def test_every_list_of_assessment_opens_for_its_readers(county: County) -> None:
    found_agencies(county)
    run_id = open_run(county, published_scheme(county))
    county.do("assessor", AssessmentRun, run_id, "hand_out")
    for name in ("assessor", "township1", "department1", "auditor", "seat1", "leader"):
        here = visitor(county, name)
        for model in (AssessmentScheme, AssessmentRun, Questionnaire, Score):
            answer = here.get(f"/{model.resource()}/list/")
            assert answer.status_code in (200, 403), model
            assert (f"/{model.resource()}/list/" in here.get("/").text) == (answer.status_code == 200)
        assert here.get(f"/assessment_run/show/{run_id}").status_code == 200
