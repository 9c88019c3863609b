"""Lists as files: what they hold, for whom, harmless to spreadsheets, each export recorded (spec 5, security)."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from app.portal.export import harmless
from models import clock, event, viewer
from models.call import Assignment, Call
from models.call_words import AssignmentState
from models.event import Event, EventValue
from tests.app.portal.api_client import Api
from tests.app.portal.test_lists import plant
from tests.app.visitor import Visitor, forms_of, visitor
from tests.conftest import Installation
from tests.county import County, at

PHONE = "0530-8889999"


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


def export(here: Visitor, resource: str = "call", wanted: str = "csv", **asked: Any) -> TestResponse:
    answer = here.post(f"/{resource}/export", {"format": wanted, **asked})
    assert answer.status_code == 200, answer.text[:500]
    return answer


def rows(answer: TestResponse) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))


def test_the_file_is_named_after_the_countys_day(county: County) -> None:
    """Half an hour after midnight it is still the day before by the world's clock."""
    with clock.at(at("2026-11-24 00:30")):
        answer = export(visitor(county, "dispatcher"), columns=["title"])
    assert "2026-11-24.csv" in answer.headers["Content-Disposition"]


def exports(county: County) -> list[dict[str, Any]]:
    """The values of every export's event, oldest first."""
    with county.acting(None) as session:
        found = session.scalars(sa.select(Event).where(Event.kind == "export").order_by(Event.id)).all()
        return [
            {
                "actor": one.actor_id,
                "thread": (one.thread_type, one.thread_id),
                **{
                    value.name: value.value
                    for value in session.scalars(sa.select(EventValue).where(EventValue.event_id == one.id))
                },
            }
            for one in found
        ]


def test_the_file_holds_the_list_as_it_stands_with_the_chosen_columns(county: County) -> None:
    for title, field in (("甲河", "水务"), ("乙河", "水务"), ("丙路", "自然资源")):
        county.submitted(title=title, field=field)
    here = visitor(county, "dispatcher")
    listed = here.get("/call/list/?tab=all&q=河&sort=-title&field=水务")
    address = re.search(r'href="(/call/export[^"]*)"', listed.text)
    assert address is not None
    page = here.get(address.group(1).replace("&amp;", "&"))
    form = next(one for one in forms_of(page) if one.action == "/call/export")
    assert form.values["columns"][:3] == ["number", "title", "township"], "the list's columns are chosen already"
    assert form.values["format"] == ["xlsx"]
    assert exports(county) == [], "looking at the form records nothing"
    answer = here.post(
        "/call/export", {**form.values, "format": "csv", "columns": ["title", "state", "submitted_at", "departments"]}
    )
    assert answer.data.startswith(b"\xef\xbb\xbf"), "Excel knows UTF-8 by its mark"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    head, *found = rows(answer)
    assert len(head) == 4
    assert [row[0] for row in found] == ["甲河", "乙河"]
    assert found[0][1] != "submitted", "enumerations in words"
    assert re.match(r"2026\D", found[0][2])
    [recorded] = exports(county)
    assert recorded["actor"] == county.people["dispatcher"]
    assert recorded["thread"] == ("export", county.people["dispatcher"])
    assert (recorded["resource"], recorded["format"], recorded["rows"]) == ("call", "csv", 2)
    assert recorded["columns"] == ["title", "state", "submitted_at", "departments"]
    assert "水务" in recorded["list"]["field"]
    assert recorded["list"]["search"] == "河"
    with county.app.app_context(), viewer.system(), county.acting(None) as session:
        assert list(event.verify(session)) == []


def test_a_workbook_opens_and_numbers_stay_numbers(county: County) -> None:
    here = visitor(county, "dispatcher")
    answer = export(here, "organisation", "xlsx", columns=["short_name", "kind", "order", "active"], sort="order")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    values = list(sheet.iter_rows(values_only=True))
    assert len(values[0]) == 4
    orders = [row[2] for row in values[1:]]
    assert all(isinstance(one, int) for one in orders)
    assert "城关镇" in [row[0] for row in values]
    assert sheet.freeze_panes == "A2"


@pytest.mark.parametrize("wanted", ["csv", "xlsx"])
def test_no_text_becomes_a_formula(county: County, wanted: str) -> None:
    nasty = ["=1+1", "+8613", "-2+3", "@SUM(A1)", "＝cmd|'/c calc'!A0", " =1+1"]
    for title in nasty:
        county.submitted(title=title)
    answer = export(visitor(county, "dispatcher"), wanted=wanted, columns=["title"], tab="all", sort="number")
    if wanted == "csv":
        found = [row[0] for row in rows(answer)[1:]]
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
        assert all(cell.data_type == "s" for row in sheet.iter_rows() for cell in row)
        found = [str(row[0]) for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert sorted(found) == sorted(f"'{title}" for title in nasty)
    assert harmless("\t=1") == "'\t=1"
    assert harmless("\r=1") == "'\r=1"
    assert harmless(-5) == -5
    assert harmless("5-3") == "5-3"


def test_what_a_person_does_not_read_is_in_no_file_and_no_answer(county: County) -> None:
    call, _lead, other = county.dispatched("department2", "department1")
    with county.acting(None) as session:
        session.get_one(Call, call).contact_phone = PHONE
        session.get_one(Assignment, other).state = AssignmentState.returned
    for name, reads in (("township1", True), ("dispatcher", True), ("department2", True), ("department1", False)):
        here = visitor(county, name)
        answer = export(here, columns=["title", "contact_phone"], tab="all")
        assert len(rows(answer)) == 2, name
        assert (PHONE in answer.text) == reads, name
        assert (Api(county, name).one("call", call)["contact_phone"] == PHONE) == reads, name
        assert (PHONE in here.get(f"/call/show/{call}").text) == reads, name
    assert (
        visitor(county, "department3")
        .post("/call/export", {"format": "csv", "columns": ["contact_phone"]})
        .data.count(b"\n")
        == 1
    )
    ordered = Api(county, "department1").get("/call/", {"order_column": "contact_phone"})
    assert ordered.status_code == 400, "nor does an order or a filter tell it"


def test_who_may_not_export_does_not(county: County) -> None:
    county.dispatched("department1")
    for name in ("city", "auditor", "sysadmin"):
        assert visitor(county, name).get("/call/export").status_code == 403
        assert visitor(county, name).post("/call/export", {"format": "csv", "columns": ["title"]}).status_code == 403
        assert "/call/export" not in visitor(county, name).get("/call/list/").text
    assert exports(county) == []


def test_without_a_column_or_a_format_the_form_comes_back(county: County) -> None:
    here = visitor(county, "dispatcher")
    for values in (
        {},
        {"format": "csv"},
        {"format": "exe", "columns": ["title"]},
        {"format": "csv", "columns": ["nothing", "password", "\x00"]},
    ):
        answer = here.post("/call/export", {**values, "q": "河"})
        assert answer.status_code == 422
        assert 'name="q" value="河"' in answer.text
    assert exports(county) == []


def test_a_long_list_is_read_in_portions_from_one_state_and_nobody_waits_for_it(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.portal.export.BATCH", 10)
    plant(county, 35)
    here = visitor(county, "dispatcher")
    answer = export(here, columns=["title", "township", "deadline"], tab="all", sort="title")
    later = county.submitted(title="第999件")  # while somebody downloads, others write
    found = [row[0] for row in rows(answer)[1:]]
    assert found == [f"第{n:03d}件" for n in range(1, 36)]
    assert exports(county)[0]["rows"] == 35
    with county.acting(None) as session:
        assert session.get(Call, later) is not None


def test_every_type_exports_every_column(county: County) -> None:
    county.dispatched("department1", "department2")
    here = {name: visitor(county, name) for name in ("dispatcher", "sysadmin", "supervisor")}
    views = county.app.extensions["appbuilder"].record_views
    assert len(views) >= 10
    for resource in views:
        for visitor_ in here.values():
            page = visitor_.get(f"/{resource}/export")
            if page.status_code == 403:
                continue
            every = re.findall(r'name="columns" id="column-[^"]+" value="([^"]+)"', page.text)
            answer = export(visitor_, resource, columns=every)
            assert len(rows(answer)[0]) == len(every), resource
