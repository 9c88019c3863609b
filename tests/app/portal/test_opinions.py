"""No retaliation: an applicant learns what was said of his application, never by whom; no department meets a township's report (1; 2.1, end; 2.5)."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa

from models.admission import Admission, AdmissionKind, AdmissionOpinion
from models.checklist import Checklist
from models.hand_down_report import HandDownReport
from tests.app.portal.api_client import Api
from tests.app.visitor import form_to, visitor, words_of
from tests.conftest import Installation
from tests.county import MONDAY, County
from tests.models.test_admission import TEXTS

HIDDEN = "河湾街道"
"""A township that only the staffing office found concerned: the applicant did not name it."""
REASON = "金丝雀不同意理由"
SILENCE = "金丝雀未复说明"
REPORT = "金丝雀下压填表"


@dataclass
class Told:
    """An application on which three townships were heard, and a report of one of them."""

    county: County
    admission: int = 0
    report: int = 0
    opinions: dict[str, int] = field(default_factory=dict)


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough: the filter's SQL is tried on both in its own tests."""
    sqlite_installation.fresh("county")
    return sqlite_installation


@pytest.fixture(scope="module")
def kept(sqlite_installation: Installation) -> Told:
    """The story, told once and kept."""
    sqlite_installation.fresh("county")
    county = sqlite_installation.county
    assert county is not None
    county.forget()
    told = Told(county)
    with county.acting("department1", MONDAY) as session:
        made = Admission(
            kind=AdmissionKind.temporary, term_months=3, townships=[county["township1"], county["township2"]], **TEXTS
        )
        made.prepare(session, county.viewer("department1"))
        session.add(made)
        session.flush()
        told.admission = made.id
    county.do("department1", Admission, told.admission, "submit")
    asked = [county[name] for name in ("township1", "township2", "township3")]
    county.do("checklist", Admission, told.admission, "consult", {"townships": asked})
    with county.acting(None) as session:
        for one in session.scalars(sa.select(AdmissionOpinion)):
            name = next(name for name in ("township1", "township2", "township3") if county[name] == one.township_id)
            told.opinions[name] = one.id
    with county.acting("township3", MONDAY) as session:
        report = HandDownReport(
            name=REPORT,
            department_id=county["department1"],
            handed_down_on=MONDAY.date(),
            description="填表",
            evidence="群通知",
        )
        report.prepare(session, county.viewer("township3"))
        session.add(report)
        session.flush()
        told.report = report.id
    county.do("township3", HandDownReport, told.report, "submit")
    sqlite_installation._keep("opinions_asked")
    text = {"township1": "", "township2": "先拨付经费", "township3": f"{REASON}，{HIDDEN}人手不足"}
    answers = {"township1": "agree", "township2": "on_conditions", "township3": "disagree"}
    for name, answer in answers.items():
        values = {"answer": answer, "text": text[name]}
        county.do(f"{name}_leader", AdmissionOpinion, told.opinions[name], "opine", values)
    county.do("checklist", Admission, told.admission, "to_legal")
    county.do("legal", Admission, told.admission, "pass", {"text": "合法"})
    with county.acting(None) as session:
        session.get_one(Admission, told.admission).silence_reason = SILENCE
    sqlite_installation._keep("opinions")
    return told


@pytest.fixture
def told(kept: Told, sqlite_installation: Installation) -> Told:
    sqlite_installation.fresh("opinions")
    return kept


PAGES = (
    "/", "/admission/list/", "/admission/list/?tab=all", "/admission/list/?q=核查", "/admission_opinion/list/",
    "/admission_opinion/list/?tab=all", "/hand_down_report/list/", "/inbox/", f"/search/?q={REASON}", f"/search/?q={REPORT}",
    f"/admission/list/?tab=all&q={REASON}", "/checklist_revision/list/",
)  # fmt: skip


def signers(told: Told) -> list[str]:
    """Names of the people who signed."""
    return [told.county.viewer(f"{name}_leader").name for name in told.opinions]


@pytest.mark.parametrize("who", ["department1", "department1_leader"])
def test_the_applicant_reads_the_reasons_and_never_whose_they_are(told: Told, who: str) -> None:
    county, here = told.county, visitor(told.county, who)
    page = here.get(f"/admission/show/{told.admission}")
    assert page.status_code == 200
    words = words_of(page)
    assert REASON in words
    assert "先拨付经费" in words
    assert HIDDEN not in page.text, "a township that names itself is masked"
    assert SILENCE not in page.text
    for name in signers(told):
        assert name not in page.text
    for address in PAGES:
        answer = here.get(address, follow_redirects=True)
        assert answer.status_code in (200, 403), address
        assert HIDDEN not in answer.text, address
        assert SILENCE not in answer.text, address
    for key in told.opinions.values():
        assert here.get(f"/admission_opinion/show/{key}").status_code in (403, 404)
    api = Api(county, who)
    row = api.one("admission", told.admission)
    assert {(one["answer"], one["text"]) for one in row["opinions"]} == {
        ("agree", ""),
        ("on_conditions", "先拨付经费"),
        ("disagree", f"{REASON}，某乡镇（街道）人手不足"),
    }
    assert [one["name"] for one in row["townships"]] == ["城关镇", "青石乡"], "those that it named itself"
    answers = [
        api.get(path)
        for path in ("/admission/", f"/admission/{told.admission}", f"/admission/{told.admission}/transitions")
    ]
    answers += [
        api.get("/admission_opinion/"),
        api.get(f"/admission_opinion/{told.opinions['township3']}"),
        api.get("/event/"),
    ]
    for answer in answers:
        for word in (HIDDEN, SILENCE, *signers(told)):
            assert word not in answer.text
    assert [one.status_code for one in answers[3:]] == [403, 404, 403]


def test_reasons_are_told_only_once_the_consultation_is_over(told: Told, sqlite_installation: Installation) -> None:
    sqlite_installation.fresh("opinions_asked")
    values = {"answer": "disagree", "text": REASON}
    told.county.do("township3_leader", AdmissionOpinion, told.opinions["township3"], "opine", values)
    page = visitor(told.county, "department1").get(f"/admission/show/{told.admission}")
    assert REASON not in page.text, "the first to answer would be known by the hour"
    assert Api(told.county, "department1").one("admission", told.admission)["opinions"] == []


def test_those_who_decide_read_anonymous_reasons_and_the_staffing_office_reads_names(told: Told) -> None:
    for who in ("legal", "leader"):
        page = visitor(told.county, who).get(f"/admission/show/{told.admission}")
        assert page.status_code == 200
        assert REASON in page.text
        assert HIDDEN not in page.text
        assert SILENCE in page.text
        key = told.opinions["township3"]
        assert visitor(told.county, who).get(f"/admission_opinion/show/{key}").status_code in (403, 404)
    page = visitor(told.county, "checklist").get(f"/admission/show/{told.admission}")
    assert REASON in page.text
    assert HIDDEN in page.text


def test_a_township_reads_its_own_opinion_and_no_other(told: Told) -> None:
    here = visitor(told.county, "township2")
    page = here.get(f"/admission/show/{told.admission}")
    assert page.status_code == 200
    assert "先拨付经费" in page.text
    for word in (REASON, HIDDEN, SILENCE, "城关镇"):
        assert word not in page.text
    assert Api(told.county, "township2").one("admission", told.admission)["opinions"] == []
    assert Api(told.county, "township2").ids("admission_opinion") == [told.opinions["township2"]]


@pytest.mark.parametrize(
    "who", ["department1", "department1_leader", "department2", "leader", "legal", "supervisor", "township1"]
)
def test_a_hand_down_report_is_met_by_nobody_but_its_township_and_the_staffing_office(told: Told, who: str) -> None:
    here = visitor(told.county, who)
    for address in PAGES:
        answer = here.get(address, follow_redirects=True).text.replace(f'value="{REPORT}"', "")
        assert REPORT not in answer or REPORT in address, address
        assert f"/hand_down_report/show/{told.report}" not in answer
    assert here.get(f"/hand_down_report/show/{told.report}").status_code in (403, 404)
    api = Api(told.county, who)
    assert api.get(f"/hand_down_report/{told.report}").status_code == 404
    listed = api.get("/hand_down_report/")
    assert listed.status_code == 403 or listed.json["count"] == 0
    for owner in ("township3", "checklist"):
        assert REPORT in visitor(told.county, owner).get(f"/hand_down_report/show/{told.report}").text


def test_an_application_is_written_in_the_form_and_a_missing_safeguard_is_named(told: Told) -> None:
    county, here = told.county, visitor(told.county, "department2")
    page = here.get("/admission/add")
    form = form_to(page, "/admission/add")
    typed = {
        **TEXTS,
        "matter": "另一入户核查",
        "training": "",
        "kind": "phased",
        "term_months": "2",
        "townships": [str(county["township1"])],
    }
    refused = here.post("/admission/add", form.values | typed | {"then": "submit"})
    assert refused.status_code == 422
    assert TEXTS["funds"] in refused.text, "nothing typed is lost"
    saved = here.post("/admission/add", form.values | typed | {"training": "半天", "then": "submit"})
    assert saved.status_code == 302
    with county.acting(None) as session:
        made = session.scalars(sa.select(Admission).order_by(Admission.id.desc())).first()
        assert made is not None
        assert (made.state, made.townships, made.applicant_id) == (
            "submitted",
            [county["township1"]],
            county["department2"],
        )
        key = made.id
    assert "城关镇" in here.get(f"/admission/show/{key}").text


def test_a_list_is_derived_and_compared_on_its_pages(told: Told) -> None:
    county, here = told.county, visitor(told.county, "checklist")
    with county.acting(None) as session:
        old = session.scalars(sa.select(Checklist.id)).one()
    answer = here.post(f"/checklist/{old}/derive", {"name": "平原县清单二版"})
    assert answer.status_code == 302
    new = int(answer.location.rsplit("/", 1)[1])
    assert new != old
    page = here.get(f"/checklist/show/{new}")
    assert f"old={old}&amp;new={new}" in page.text
    item = here.get(f"/checklist_item/list/?tab=all&checklist={new}")
    assert item.status_code == 200
    compared = here.get(f"/checklist/compare?old={old}&new={new}")
    assert compared.status_code == 200
    for wrong in ("old=x&new=1", "", f"old={old}&new=99999999999999999999", f"old={old}"):
        assert here.get(f"/checklist/compare?{wrong}").status_code == 404
    unresolved = here.get("/duty/list/?tab=unresolved")
    assert "省河务局" in unresolved.text
    api = Api(county, "checklist")
    items = [row["id"] for row in api.rows("checklist_item") if row["checklist"]["id"] == new]
    step = {
        "item": items[0],
        "number": 1,
        "name": "巡查",
        "party": "城关镇",
        "time_limit": 2,
        "time_unit": "working_days",
    }
    assert api.post("/workflow_step/", step).status_code == 201
    assert api.post("/workflow_step/", step).status_code == 409, "a number stands once"
    assert api.post("/workflow_step/", step | {"number": 2, "next_steps": "二"}).status_code == 422
    assert api.post("/workflow_step/", step | {"number": 2, "time_limit": None}).status_code in (409, 422)
    assert api.post("/workflow_step/", step | {"item": county.items[1], "number": 3}).status_code in (409, 422)
    assert Api(county, "township1").post("/workflow_step/", step).status_code == 403
