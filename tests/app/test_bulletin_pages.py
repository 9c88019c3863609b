"""Bulletins on their pages: a draft beside its paper, figures that open their rows; wordings, and whether a paper is genuine."""

from __future__ import annotations

import io
import re
from datetime import date

import pdfplumber
import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

import reports
from app.database import db, transaction
from app.jobs.tasks import produce_document
from app.storage import storage
from models import clock, event, viewer
from models.bulletin import Bulletin, BulletinKind
from models.document import Document, NumberSeries
from models.document_text import texts_of
from tests.app.visitor import visitor
from tests.conftest import Installation
from tests.county import County, at
from tests.supervision import APPROVED, SERVED, concluded, drafted, issued

NOON = at("2026-11-27 12:00")


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


def statistics(county: County) -> int:
    county.dispatched("department1", when=at("2026-10-12 09:00"))
    period = {"period_from": date(2026, 10, 1), "period_to": date(2026, 10, 31)}
    key = drafted(county, kind=BulletinKind.statistics, **period)
    county.do("supervisor", Bulletin, key, "write", {}, SERVED)
    return key


def test_a_draft_is_saved_incomplete_and_seen_as_its_paper(county: County) -> None:
    conclusion = concluded(county)
    here = visitor(county, "supervisor")
    with clock.at(NOON):
        assert 'name="then" value="submit"' in here.get("/bulletin/add").text
        values = {
            "kind": "criticism",
            "circulation": "everyone",
            "cases-0-id": "",
            "cases-0-conclusion": str(conclusion),
        }
        saved = here.post("/bulletin/add", {**values, "title": "", "text": ""})
        assert saved.status_code == 302
        key = int(saved.headers["Location"].split("/")[-1].split("#")[0])
        page = here.get(f"/bulletin/edit/{key}").text
        assert f'data-preview="/bulletin/preview/{key}"' in page
        empty = here.post(f"/bulletin/preview/{key}", {"title": "通报", "text": " "})
        assert (empty.status_code, empty.json["message"]) == (422, "还没有正文。")
        shown = here.post(f"/bulletin/preview/{key}", {"title": "关于试印的通报", "text": "现将有关情况通报如下。"})
        assert (shown.status_code, shown.mimetype) == (200, "application/pdf")
        assert shown.data.startswith(b"%PDF")
        wrong = here.post(f"/bulletin/preview/{key}", {"title": "通报\U0001f512", "text": "正文"})
        assert wrong.status_code == 422
        assert "\U0001f512" in wrong.json["message"]
        assert visitor(county, "leader").post(f"/bulletin/preview/{key}", {}).status_code in (403, 404)
    with county.acting(None) as session:
        assert session.get_one(Bulletin, key).text == ""
        assert session.scalar(sa.select(NumberSeries.last).where(NumberSeries.kind == "bulletin")) is None


def text_of(response: TestResponse) -> str:
    """The text of a PDF page by page, without any space, the pages between form feeds."""
    assert (response.status_code, response.mimetype) == (200, "application/pdf")
    with pdfplumber.open(io.BytesIO(response.data)) as pdf:
        return "\f".join("".join(page.extract_text().split()) for page in pdf.pages)


def test_who_approves_reads_the_draft_as_its_paper_first(county: County) -> None:
    key = statistics(county)
    address = f"/bulletin/draft/{key}"
    with clock.at(NOON):
        drafter, leader = visitor(county, "supervisor"), visitor(county, "leader")
        assert f'href="{address}?view=1"' in drafter.get(f"/bulletin/show/{key}").text
        pages = text_of(drafter.get(address)).split("\f")
        assert all("草稿（未编号，不得印发）" in page for page in pages)
        assert leader.get(address).status_code == 404, "still its drafter's"
    county.do("supervisor", Bulletin, key, "submit", {}, SERVED)
    with clock.at(NOON):
        page = leader.get(f"/bulletin/show/{key}").text
        bar = page[page.index('class="action-bar"') :].partition('class="menu-body"')[0]
        assert f'href="{address}?view=1"' in bar, "a button, not an entry of the menu"
        assert "送审稿 关于2026年10月" in page
        answer = leader.get(address, query_string={"view": 1})
        assert answer.headers["Content-Disposition"].startswith("inline; ")
        text = text_of(answer)
        assert text.count("送审稿（未编号，不得印发）") == text.count("\f") + 1
        assert "2026年月日印发" in text
        assert "号关于2026年10月" not in text, "no number"
        assert leader.get(address).headers["Content-Disposition"].startswith("attachment; ")
        assert text_of(visitor(county, "director").get(address)).count("送审稿")
        for name in ("department1", "township1", "city"):
            assert visitor(county, name).get(address).status_code in (403, 404), name
    with county.acting(None) as session:
        assert session.scalar(sa.select(NumberSeries.last).where(NumberSeries.kind == "bulletin")) is None
    county.do("director", Bulletin, key, "approve", {}, APPROVED)
    with clock.at(NOON):
        for here in (drafter, leader):
            assert address not in here.get(f"/bulletin/show/{key}").text
            assert here.get(address).status_code == 404, "now there is the paper itself"


def test_a_draft_without_text_has_no_paper(county: County) -> None:
    concluded(county)
    key = drafted(county, title="", text="")
    with clock.at(NOON):
        here = visitor(county, "supervisor")
        assert "/bulletin/draft/" not in here.get(f"/bulletin/show/{key}").text
        assert here.get(f"/bulletin/draft/{key}").status_code == 404


def test_every_frozen_figure_opens_its_rows_for_those_who_draft_and_approve(county: County) -> None:
    key = statistics(county)
    with clock.at(NOON):
        here = visitor(county, "supervisor")
        assert f"/bulletin/rows/{key}/calls-calls" in here.get(f"/bulletin/show/{key}").text
        rows = here.get(f"/bulletin/rows/{key}/calls-calls").text
        assert rows.count("呼2026-0001") == 1
        for figure in ("assignments-respond_due", f"assignments-lead?department={county['department1']}"):
            assert "呼2026-0001" in here.get(f"/bulletin/rows/{key}/{figure}").text
        assert "呼2026-0001" not in here.get(f"/bulletin/rows/{key}/assignments-lead?department=999999").text
        for figure in ("calls-nothing", "assignments-", "x", "calls-calls-calls"):
            assert here.get(f"/bulletin/rows/{key}/{figure}").status_code == 404
        assert visitor(county, "leader").get(f"/bulletin/rows/{key}/calls-calls").status_code == 404, "still a draft"
        assert visitor(county, "township1").get(f"/bulletin/rows/{key}/calls-calls").status_code == 404


def test_the_figures_on_the_page_are_counts_and_say_so(county: County) -> None:
    key = statistics(county)
    with clock.at(NOON):
        page = visitor(county, "supervisor").get(f"/bulletin/show/{key}").text
    heads = re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', page)
    assert "件数" in heads
    assert {"应响应", "应反馈", "评价"} <= set(heads)
    assert not {"编号", "响应时限", "反馈时限", "评价时间"} & set(heads[heads.index("件数") :])


def test_what_waits_for_approval_is_on_the_approvers_workbench_and_in_the_cockpit(county: County) -> None:
    key = drafted(county, [concluded(county)])
    county.do("supervisor", Bulletin, key, "submit", {}, SERVED)
    with clock.at(NOON):
        here = visitor(county, "leader")
        for address in ("/", "/cockpit/"):
            page = here.get(address).text
            assert "/bulletin/list/?tab=to_approve" in page, address
            assert "1项待您办理" in page, address


def test_a_papers_page_begins_with_the_paper_and_has_its_recipients_in_a_table(county: County) -> None:
    issued(county, [concluded(county)])
    with county.acting(None) as session:
        key = session.scalars(sa.select(Document.id).where(Document.kind == "criticism")).one()
    with clock.at(NOON):
        page = visitor(county, "supervisor").get(f"/document/show/{key}").text
    main, _aside, aside = page.partition('class="record-aside"')
    assert main.index("documents-title") < main.index("尚未阅读")
    assert "尚未阅读" not in aside
    assert "documents-title" not in aside


def test_a_recipient_reads_the_bulletin_and_not_its_rows(county: County) -> None:
    key = statistics(county)
    county.do("supervisor", Bulletin, key, "submit", {}, SERVED)
    county.do("director", Bulletin, key, "approve", {}, APPROVED)
    with clock.at(NOON):
        here = visitor(county, "department2")
        page = here.get(f"/bulletin/show/{key}").text
        assert "/bulletin/rows/" not in page
        assert "政督〔2026〕1号 " in page
        assert here.get(f"/bulletin/rows/{key}/calls-calls").status_code == 404


def test_a_paper_is_genuine_by_its_file_and_its_check_sum(county: County) -> None:
    issued(county, [concluded(county)])
    with county.app.app_context(), viewer.system():
        [key] = db.session.scalars(sa.select(Document.id).where(Document.kind == "criticism"))
        db.session.rollback()
        produce_document(key)
        document = db.session.get_one(Document, key)
        number, digest, file_key = document.number, document.sha256, document.file_key
        content = storage().get(str(file_key))
        db.session.rollback()
    here = visitor(county, "township2")
    with clock.at(NOON):
        assert number in here.get(f"/verification/?sha256={digest}").text
        assert number in here.get(f"/verification/?sha256={str(digest).upper()}%20").text
        for given in ("0" * 64, "abc", "<script>"):
            page = here.get("/verification/", query_string={"sha256": given})
            assert page.status_code == 200
            assert number not in page.text
            assert "<script>" not in page.text
        answer = here.post("/verification/file", {"file": (io.BytesIO(content), "通报.pdf")})
        assert number in here.get(answer.headers["Location"]).text
        changed = here.post("/verification/file", {"file": (io.BytesIO(content + b" "), "通报.pdf")})
        assert number not in here.get(changed.headers["Location"]).text
        assert here.post("/verification/file", {}).status_code == 302


def test_wordings_are_changed_for_the_papers_to_come(county: County) -> None:
    here = visitor(county, "sysadmin")
    with clock.at(NOON):
        concluded(county)
        page = here.get("/document_text/edit/conclusion").text
        assert "出厂文本" not in page, "nothing was changed"
        assert 'data-preview="/document_text/preview/conclusion"' in page
        texts = dict(reports.KINDS["conclusion"].texts)
        wrong = here.post("/document_text/edit/conclusion", {**texts, "signature": "{supervision_offce}"})
        assert wrong.status_code == 422
        assert "{supervision_offce}" in wrong.text
        unclosed = here.post("/document_text/preview/conclusion", {**texts, "text": "【有 fault】未关闭"})
        assert unclosed.status_code == 422
        assert here.post("/document_text/preview/conclusion", texts).mimetype == "application/pdf"
        assert here.post("/document_text/preview/criticism", {}).mimetype == "application/pdf"
        saved = here.post("/document_text/edit/conclusion", {**texts, "contact": "（经办：{contact}）"})
        assert saved.status_code == 302
    concluded(county, "department2")
    with county.acting(None) as session:
        first, second = session.scalars(sa.select(Document).where(Document.kind == "conclusion").order_by(Document.id))
        assert (first.texts, second.texts) == (None, {"contact": "（经办：{contact}）"})
        told = session.scalars(sa.select(event.Event.name).where(event.Event.name == "change_wording")).all()
        assert len(told) == 1
    with clock.at(NOON):
        assert "出厂文本：（联系人" in here.get("/document_text/edit/conclusion").text
        here.post("/document_text/edit/conclusion", texts)
        assert visitor(county, "supervisor").get("/document_text/").status_code == 403
        for address in ("/document_text/edit/nothing", "/document_text/edit/call_slips"):
            assert here.get(address).status_code == 404
    with county.app.app_context(), transaction() as session, viewer.system():
        assert texts_of(session, county.id, "conclusion") == {}, "the factory's wording again"
