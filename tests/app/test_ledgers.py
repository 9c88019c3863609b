"""Sheets and ledgers: who has which, what stands in them, and what they never show (2.2, 2.3 order, spec 3)."""

from __future__ import annotations

import io
import re
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa

from app.database import transaction
from app.jobs.relay import Relay
from models import clock, viewer
from models.director_sheet import lay_out_sheets
from models.event import Event
from models.notification import Notification
from tests.app.visitor import Visitor, moved_clock, visitor, words_of
from tests.conftest import Installation
from tests.county import County, at

NOW = at("2026-11-25 08:40")


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


def english(county: County, name: str) -> Visitor:
    here = visitor(county, name)
    here.post("/language/", {"locale": "en", "next": "/"})
    return here


@pytest.fixture
def calls(county: County) -> list[int]:
    """Two of township 1, one of township 2, one of the month before."""
    old, _one = county.dispatched("department1", when=at("2026-10-30 16:00"))
    first, lead, second = county.dispatched("department1", "department2", when=at("2026-11-02 09:00"))
    county.respond("department1", lead, at("2026-11-02 10:00"))
    county.respond("department2", second, at("2026-11-05 10:00"))
    county.report("department2", second, at("2026-11-06 10:00"))
    county.report("department1", lead, at("2026-11-06 11:00"))
    county.evaluate(first, {lead: "satisfied", second: "dissatisfied"}, at("2026-11-06 15:00"))
    other, _two = county.dispatched("department1", township="township2", when=at("2026-11-24 09:00"))
    evil = county.submitted(title="=HYPERLINK(1)", when=at("2026-11-24 16:00"))
    return [old, first, other, evil]


def table(here: Visitor, address: str) -> list[list[str]]:
    page = here.get(address)
    assert page.status_code == 200, page.text[:300]
    body = re.search(r"<tbody>(.*?)</tbody>", page.text, re.S)
    rows = re.findall(r"<tr>(.*?)</tr>", body.group(1), re.S) if body else []
    return [
        [re.sub(r"<[^>]+>|\s+", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.S)] for row in rows
    ]


def test_each_keeps_his_own_ledger(county: County, calls: list[int]) -> None:
    with moved_clock(county, NOW):
        office = table(english(county, "dispatcher"), "/ledger/")
        township = table(english(county, "township1"), "/ledger/")
        other = table(english(county, "township2"), "/ledger/")
        department = table(english(county, "department2"), "/ledger/")
        before = table(english(county, "township1"), "/ledger/?month=2026-10")
    assert [row[1] for row in office] == ["呼2026-0002", "呼2026-0003", "呼2026-0004"]
    assert [row[0] for row in office] == ["1", "2", "3"]
    assert [row[1] for row in township] == ["呼2026-0002", "呼2026-0004"]
    assert [row[1] for row in other] == ["呼2026-0003"]
    assert [row[1] for row in department] == ["呼2026-0002"]
    assert [row[1] for row in before] == ["呼2026-0001"]
    assert "自然资源局：Satisfied；住建局：Dissatisfied" in office[0]


def test_a_department_reads_no_other_ones_evaluation(county: County, calls: list[int]) -> None:
    with moved_clock(county, NOW):
        first = table(english(county, "department1"), "/ledger/")
        second = table(english(county, "department2"), "/ledger/")
    assert "Satisfied" in first[0]
    assert "Dissatisfied" not in "".join(first[0])
    assert "Dissatisfied" in second[0]
    assert "Lateresponse" in second[0]


def test_the_workbook_holds_the_same_is_harmless_and_recorded(county: County, calls: list[int]) -> None:
    here = english(county, "township1")
    with moved_clock(county, NOW):
        answer = here.post("/ledger/export", {"month": "2026-11"})
    assert answer.status_code == 200
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    rows: list[tuple[Any, ...]] = list(sheet.iter_rows(values_only=True))
    assert rows[0][:4] == ("Serial number", "Number", "Submitted", "Matter in one sentence")
    assert [row[1] for row in rows[1:]] == ["呼2026-0002", "呼2026-0004"]
    assert rows[2][3] == "'=HYPERLINK(1)"
    with county.acting(None) as session:
        assert session.scalars(sa.select(Event.name).where(Event.kind == "export")).all() == ["ledger"]


@pytest.mark.parametrize("month", ["2026-13", "abc", "1899-01", "2026-1", "99999-01"])
def test_a_month_that_is_none_is_not_found(county: County, month: str) -> None:
    assert visitor(county, "dispatcher").get(f"/ledger/?month={month}").status_code == 404


@pytest.mark.parametrize("name", ["agency1", "auditor", "legal", "sysadmin", "city"])
def test_others_have_no_ledger(county: County, name: str) -> None:
    assert visitor(county, name).get("/ledger/").status_code == 403
    assert visitor(county, name).post("/ledger/export", {"month": "2026-11"}).status_code == 403


def test_a_townships_month_is_its_own_work_alone(county: County, calls: list[int]) -> None:
    here = english(county, "township1")
    with moved_clock(county, NOW):
        page = here.get("/ledger/month")
    words = words_of(page)
    assert "Calls raised 2" in words
    assert "青石乡" not in words
    assert re.search(r"自然资源局\s+1\s+住建局\s+1", words), "in the order of the organisations"
    for word in ("rank", "average", "%"):
        assert word not in words.lower().replace("100%", "")
    assert visitor(county, "dispatcher").get("/ledger/month").status_code == 403


# The morning's sheet


def test_the_director_reads_his_sheet(county: County, calls: list[int]) -> None:
    with moved_clock(county, at("2026-11-25 09:00")):
        page = english(county, "director").get("/director_sheet/")
    words = words_of(page)
    assert "Due today (2)" in words
    assert "Overdue (3)" in words
    assert "呼2026-0003 青石乡：刘庄河道排放污水" in words
    assert "data-print" in page.text


@pytest.mark.parametrize("name", ["dispatcher", "township1", "department1", "supervisor"])
def test_the_sheet_is_the_directors_alone(county: County, name: str) -> None:
    assert visitor(county, name).get("/director_sheet/").status_code == 403


def test_the_director_is_told_at_half_past_eight_and_goes_to_the_sheet(
    county: County, calls: list[int], queue: Any
) -> None:
    with county.app.app_context(), clock.at(at("2026-11-25 08:30")):
        with viewer.system(), transaction() as session:
            lay_out_sheets(session, clock.now())
        Relay(queue).run()
    with county.acting(None) as session:
        told = session.scalars(sa.select(Notification).where(Notification.kind == "director_sheet")).all()
        assert [one.person_id for one in told] == [county.people["director"]]
        key = told[0].id
    here = english(county, "director")
    assert "Due today: 2. Overdue: 3." in words_of(here.get("/inbox/"))
    assert here.post(f"/inbox/{key}").location.endswith("/director_sheet/")


def test_navigation_shows_each_what_he_keeps(county: County) -> None:
    def entries(name: str) -> set[str]:
        text = visitor(county, name).get("/").text
        return {page for page in ("/ledger/", "/ledger/month", "/director_sheet/") if f'href="{page}"' in text}

    assert entries("township1") == {"/ledger/", "/ledger/month"}
    assert entries("department1") == {"/ledger/"}
    assert entries("director") == {"/ledger/", "/director_sheet/"}
    assert entries("auditor") == set()


# The calendar of a year that is not published yet


def test_a_click_in_the_calendar_moves_deadlines_and_tells_people(county: County, queue: Any) -> None:
    call, _one = county.dispatched("department1", when=at("2026-12-29 09:00"))
    with moved_clock(county, at("2026-12-30 10:00")):
        office = english(county, "dispatcher")
        assert "left, provisional" in words_of(office.get(f"/call/show/{call}"))
        clicked = english(county, "sysadmin").post("/calendar/2027/day", {"day": "2027-01-04"})
        assert clicked.status_code == 302
        words = words_of(office.get(f"/call/show/{call}"))
    assert "Deadline recomputed, because the working calendar changed" in words
    assert "2027-01-06 17:30" in words
    assert "2027-01-07 17:30" in words
    with county.app.app_context():
        Relay(queue).run()
    here = english(county, "department1")
    assert "is now due on 01-07 17:30" in words_of(here.get("/inbox/"))
