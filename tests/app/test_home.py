"""The workbench shows what waits in every list, not in that of the calls alone."""

from __future__ import annotations

import re
from html import unescape

import pytest

from models import clock
from models.bulletin import Bulletin
from models.call import Assignment, Call
from models.review import ReviewRequest
from models.workflow import begin
from tests.app.visitor import visitor, words_of
from tests.conftest import Installation
from tests.county import MONDAY, County, at
from tests.supervision import APPROVED, SERVED, concluded, drafted, issued, reviewed


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


def test_what_waits_in_other_lists_stands_on_the_workbench(county: County) -> None:
    assert "责令整改" not in _next(county, "department1")
    issued(county, [concluded(county)])
    mine = _next(county, "department1")
    assert "责令整改" in mine
    assert "1项待您办理" in mine
    assert "责令整改" not in _next(county, "department2")
    assert "责令整改" not in _next(county, "leader")


def _next(county: County, name: str) -> str:
    """The list of what comes next."""
    page = words_of(visitor(county, name).get("/"))
    return page.split("接下来要办")[1].split("最新文书")[0]


LATER = at("2026-11-27 16:00")


def tiles(county: County, name: str) -> dict[str, int]:
    """The tiles of somebody's workbench by the list that each opens, which holds as many rows as the tile says."""
    here = visitor(county, name)
    with clock.at(LATER):
        page = here.get("/").text
        found = re.findall(
            r'<li><a class="card tile[^>]*href="([^"]+)".*?tile-count">(\d+)', page[page.index('class="tiles"') :], re.S
        )
        assert len(found) <= 5
        told = {}
        for address, count in found:
            listed = here.get(unescape(address))
            assert listed.status_code == 200, address
            assert listed.text.count(" data-row>") == int(count), address
            told[unescape(address)] = int(count)
    return told


def test_a_leader_sees_what_waits_for_him_and_what_nobody_acted_on(county: County) -> None:
    assert set(tiles(county, "leader").values()) == {0}
    escalated, first, second = county.dispatched("department1", "department2")
    county.do("township1", Call, escalated, "escalate", {"why": "两部门意见不一。"})
    for text, target in (("请自然资源局抓紧。", "department1"), ("请住建局配合。", "department2")):
        values = {"leader": str(county.people["leader"]), "text": text, "target": str(county[target]), "day": ""}
        county.do("leader", Call, escalated, "instruct", values)
    county.respond("department1", first, at("2026-11-23 10:00"))
    served = concluded(county)
    bulletin = drafted(county, [served])
    county.do("supervisor", Bulletin, bulletin, "submit", {}, SERVED)
    review = reviewed(county, served)
    waiting = tiles(county, "leader")
    assert waiting == {
        "/call/list/?tab=todo": 1,
        "/bulletin/list/?tab=to_approve": 1,
        "/review_request/list/?tab=to_decide": 0,
        "/instruction/list/?tab=idle": 1,
        "/call/list/?tab=overdue": 1,
    }
    county.do("supervisor2", ReviewRequest, review, "examine", {}, APPROVED)
    county.do("supervisor2", ReviewRequest, review, "propose", {"opinion": "应予支持。"}, APPROVED)
    county.do("township1", Call, escalated, "log_progress", {"text": "乡镇已派人值守。"}, at("2026-11-23 11:00"))
    assert tiles(county, "leader")["/review_request/list/?tab=to_decide"] == 1
    assert tiles(county, "leader")["/instruction/list/?tab=idle"] == 1, "the township's own words are no progress"
    county.respond("department2", second, at("2026-11-24 10:00"))
    assert tiles(county, "leader")["/instruction/list/?tab=idle"] == 0
    assert "tab=idle" not in visitor(county, "department1").get("/instruction/list/").text
    assert "tab=to_approve" not in visitor(county, "township1").get("/bulletin/list/").text


def test_an_officer_on_duty_sees_alarms_emergencies_and_his_entries(county: County) -> None:
    assert set(tiles(county, "duty").values()) == {0}
    _call, ringing = county.emergency("department3", when=at("2026-11-27 15:50"))
    _call, confirmed = county.emergency("department4", when=at("2026-11-27 15:40"))
    county.do("department4", Assignment, confirmed, "acknowledge", {"who": "值班员"}, at("2026-11-27 15:45"))
    values = {
        "township": county["township1"],
        "kind": "general",
        "title": "刘庄",
        "field": "水务",
        "description": "电话反映。",
    }
    with county.acting("dispatcher", MONDAY) as session:
        begin(session, Call, "enter_by_phone", values)
    with county.acting("duty", MONDAY) as session:
        mine = begin(session, Call, "enter_by_phone", values).record.id
    lists = ("todo", "emergencies", "unconfirmed", "overdue")
    assert tiles(county, "duty") == dict(zip((f"/call/list/?tab={one}" for one in lists), (1, 2, 1, 1), strict=True))
    county.do("department3", Assignment, ringing, "acknowledge", {"who": "值班员"}, at("2026-11-27 15:55"))
    county.do("township1", Call, mine, "confirm")
    assert tiles(county, "duty")["/call/list/?tab=todo"] == 0
    assert tiles(county, "duty")["/call/list/?tab=emergencies"] == 2
    assert tiles(county, "duty")["/call/list/?tab=unconfirmed"] == 0
