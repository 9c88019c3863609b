"""Where the time went, on a call's page and in its exports: in words, for everybody who sees the call, the office's delays like everyone's (2.1)."""

from __future__ import annotations

import csv
import io
import re

import pytest

from models.call import Assignment, Call
from tests.app.visitor import Visitor, moved_clock, visitor
from tests.conftest import Installation
from tests.county import County, at


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


@pytest.fixture
def call(county: County) -> int:
    """Accepted 90 minutes late, responded in time, reported late by a day."""
    call_id = county.submitted(when=at("2026-11-09 08:30"))
    county.do("dispatcher", Call, call_id, "accept", {}, at("2026-11-09 16:00"))
    county.do("dispatcher", Call, call_id, "dispatch", {"lead": county["department4"]}, at("2026-11-09 16:44"))
    (one,) = county.assignments(call_id)
    county.do("department4", Assignment, one, "request_return", {"reason": "非本局职责"}, at("2026-11-10 08:30"))
    county.do("dispatcher", Assignment, one, "reject_return", {"ruling": "属本局职责"}, at("2026-11-10 10:30"))
    county.respond("department4", one, at("2026-11-10 11:00"))
    county.report("department4", one, at("2026-11-18 10:30"))
    return call_id


def words(county: County, here: Visitor, call_id: int) -> list[str]:
    with moved_clock(county, at("2026-11-18 14:30")):
        assert f'data-fetched="/call/time/{call_id}"' in here.get(f"/call/show/{call_id}").text
        page = here.get(f"/call/time/{call_id}")
    assert page.status_code == 200
    found = re.search(r'<p class="time-whole">.*?</section>', page.text, re.S)
    assert found is not None
    assert '<svg class="time-bar"' in found.group()
    items = re.findall(r"<li[^>]*>(.*?)</li>", found.group(), re.S)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", one)).strip() for one in items]


@pytest.mark.parametrize("name", ["township1", "department4", "dispatcher", "director", "leader"])
def test_everybody_who_sees_the_call_reads_who_took_how_long(county: County, call: int, name: str) -> None:
    here = visitor(county, name)
    here.post("/language/", {"locale": "en", "next": "/"})
    assert words(county, here, call) == [
        "县政府办 Acceptance 6 h 2 h late",
        "县政府办 Dispatch 44 min",
        "水务局 Response 1 h 16 min",
        "县政府办 Ruling on a return 2 h",
        "水务局 Report 5 working days 7 h 1 working day late",
        "城关镇 Evaluation going on 2 h 30 min",
    ]


def test_a_draft_took_no_time(county: County) -> None:
    here, draft = visitor(county, "township1"), county.draft()
    assert "data-fetched" not in here.get(f"/call/show/{draft}").text
    assert here.get(f"/call/time/{draft}").status_code == 404


def test_the_time_of_a_call_is_seen_by_who_sees_the_call(county: County, call: int) -> None:
    assert visitor(county, "department9").get(f"/call/time/{call}").status_code == 404


def test_exports_tell_minutes_of_each_link_and_who_was_late(county: County, call: int) -> None:
    here = visitor(county, "dispatcher")
    here.post("/language/", {"locale": "en", "next": "/"})
    columns = ["number", "time_whole", "time_acceptance", "time_rulings", "time_response", "time_report", "time_late"]
    with moved_clock(county, at("2026-11-18 14:30")):
        answer = here.post("/call/export", {"format": "csv", "columns": columns, "tab": "all"})
        head, row = csv.reader(io.StringIO(answer.data.decode("utf-8-sig")))
    assert head[1:3] == ["Minutes: the whole way", "Minutes: acceptance"]
    assert sum(int(value) for value in row[2:6]) + 44 + 150 == int(row[1])
    assert row[2] == "360"
    assert "县政府办 Acceptance: 120 min" in row[6]
