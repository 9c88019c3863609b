"""Several papers as one file: what is in it, for whom, and what is said instead of a file (spec 3, register)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

import pdfplumber
import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from app.jobs.tasks import produce_document
from app.papers import install
from app.portal import papers
from models import viewer
from models.document import Document, DocumentRecipient
from tests.app.visitor import visitor
from tests.conftest import Installation
from tests.county import County


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    install(sqlite_installation.app.config["FONT_DIR"])
    return sqlite_installation


def issued(county: County) -> list[int]:
    with county.acting(None) as session:
        return list(session.scalars(sa.select(Document.id).order_by(Document.id)))


def produce(county: County, keys: Sequence[int]) -> None:
    with county.app.app_context(), viewer.system():
        for key in keys:
            produce_document(key)


@pytest.fixture
def sheets(county: County) -> list[int]:
    """The flow sheets of three calls, produced: two of department 1, one of department 2."""
    county.dispatched("department1")
    county.dispatched("department1")
    county.dispatched("department2")
    keys = issued(county)
    produce(county, keys)
    return keys


def asked(county: County, name: str, form: str, keys: Sequence[int]) -> TestResponse:
    chosen = {"keys": [str(key) for key in keys], "next": "/document/list/"}
    return visitor(county, name).post(f"/document/together/{form}", chosen)


def said(county: County, name: str, form: str, keys: Sequence[int]) -> str:
    """What the list says where there is no file."""
    here = visitor(county, name)
    answer = here.post(f"/document/together/{form}", {"keys": [str(key) for key in keys], "next": "/document/list/"})
    assert (answer.status_code, answer.location) == (302, "/document/list/")
    return here.get(answer.location).text


def readings(county: County, name: str) -> set[int]:
    """The papers that were read by somebody of an organisation."""
    with county.acting(None) as session:
        read = (DocumentRecipient.organisation_id == county[name], DocumentRecipient.read_at.is_not(None))
        return set(session.scalars(sa.select(DocumentRecipient.document_id).where(*read)))


def text_of(content: bytes) -> str:
    with pdfplumber.open(io.BytesIO(content)) as pdf:
        return "".join(page.extract_text() for page in pdf.pages)


def test_chosen_papers_become_one_pdf_in_their_order_of_what_the_reader_sees(county: County, sheets: list[int]) -> None:
    answer = asked(county, "department1", "pdf", [sheets[1], sheets[0], sheets[2]])
    assert (answer.status_code, answer.content_type) == (200, "application/pdf")
    text = text_of(answer.data)
    assert text.index("呼2026-0002") < text.index("呼2026-0001")
    assert "呼2026-0003" not in text, "another department's"
    assert readings(county, "department1") == set(sheets[:2])
    assert readings(county, "department2") == set()


def test_a_zip_bears_the_chinese_names_and_numbers_what_is_called_the_same(
    county: County, sheets: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = asked(county, "dispatcher", "zip", sheets)
    archive = zipfile.ZipFile(io.BytesIO(answer.data))
    assert archive.namelist() == [f"呼2026-000{count}-1 “乡呼县应”事项流转单.pdf" for count in (1, 2, 3)]
    assert all(one.flag_bits & 0x800 for one in archive.infolist()), "names are marked as UTF-8"
    assert archive.read(archive.namelist()[0]).startswith(b"%PDF")
    made = papers.zipped([("甲/乙.pdf", b"1"), ("甲_乙.pdf", b"2"), ("甲_乙.pdf", b"3")])
    assert zipfile.ZipFile(io.BytesIO(made)).namelist() == ["甲_乙.pdf", "甲_乙 (2).pdf", "甲_乙 (3).pdf"]


def test_a_paper_that_is_still_being_made_is_named_and_nothing_is_left_out_silently(
    county: County, sheets: list[int]
) -> None:
    county.dispatched("department1")
    waiting = issued(county)[-1]
    page = said(county, "dispatcher", "pdf", [*sheets, waiting])
    assert "呼2026-0004-1 “乡呼县应”事项流转单" in page.split("<table")[0]
    assert readings(county, "office") == set()


def test_too_many_at_once_and_none_are_said_in_a_sentence(
    county: County, sheets: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(papers, "MOST", 2)
    assert 'role="status"' in said(county, "dispatcher", "pdf", sheets)
    assert asked(county, "dispatcher", "pdf", sheets[:2]).status_code == 200
    assert 'role="status"' in said(county, "dispatcher", "zip", [])
    assert 'role="status"' in said(county, "township2", "zip", sheets)


def test_it_is_no_get_and_needs_the_permission_to_read_papers(county: County, sheets: list[int]) -> None:
    here = visitor(county, "dispatcher")
    assert here.get("/document/together/pdf").status_code == 405
    assert here.post("/document/together/exe", {"keys": [str(sheets[0])]}).status_code == 404
    assert asked(county, "sysadmin", "pdf", sheets).status_code == 403
    page = here.get("/document/list/").text
    assert page.count("data-saves") == 2


def test_all_papers_of_a_call_are_one_pdf_from_its_page(county: County) -> None:
    call_id, _lead = county.dispatched("department1")
    here = visitor(county, "township1")
    assert here.post(f"/call/{call_id}/paper").status_code == 302
    keys = issued(county)
    assert f"/call/{call_id}/papers" in here.get(f"/call/show/{call_id}").text
    assert here.post(f"/call/{call_id}/papers").status_code == 302, "not made yet"
    produce(county, keys)
    answer = here.post(f"/call/{call_id}/papers")
    assert (answer.status_code, answer.content_type) == (200, "application/pdf")
    assert readings(county, "township1") == set(keys)
    assert here.get(f"/call/{call_id}/papers").status_code == 405
    assert visitor(county, "township2").post(f"/call/{call_id}/papers").status_code == 404
    assert "呼2026-0001" in text_of(answer.data)
