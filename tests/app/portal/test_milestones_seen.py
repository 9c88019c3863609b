"""A milestone is found, wherever it is read, by those alone who see its call (2.1, end)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from models import clock
from models.call import Assignment, Call
from models.convening import Convening
from models.milestone import Milestone
from tests.app.portal.api_client import Api
from tests.app.visitor import visitor
from tests.calls import sees
from tests.conftest import Installation
from tests.county import County, at
from tests.models.test_convening import record

PLANNED, DECIDED = "金丝雀控源截污", "金丝雀封堵排污口"
LATER, HELD = at("2026-11-24 10:00"), at("2026-11-24 15:00")
OFFICES = {"dispatcher", "director", "supervisor", "supervisor2", "leader", "city"}
PARTIES = {
    *(f"{name}{rank}" for name in ("township1", "department1", "department2") for rank in ("", "_leader")),
    "agency1",
}


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough: the filter is the same, and proved on both elsewhere."""
    sqlite_installation.fresh("county")
    return sqlite_installation


@pytest.fixture
def milestones(county: County) -> dict[str, int]:
    """A stage of a long-term plan and a decision taken on site, of one call, to which department 2 and an agency were convened; keys by text."""
    call_id, assignment = county.dispatched("department1")
    county.respond("department1", assignment)
    meeting = {
        "at": "2026-11-24 14:00",
        "place": "刘庄桥",
        "departments": [county["department1"], county["department2"]],
        "agencies": [county["agency1"]],
    }
    county.do("township1", Call, call_id, "convene", meeting)
    with county.acting(None) as session:
        convening = session.scalars(sa.select(Convening.id)).one()
    decision = {"text": DECIDED, "department": str(county["department1"]), "day": "2026-11-30"}
    county.do("township1", Convening, convening, "record", record(county, convening, decisions=[decision]), HELD)
    stage = {"text": PLANNED, "day": "2026-12-15", "department": None}
    plan = {"plan": "先控源，再修复。", "milestones": [stage]}
    county.do("department1", Call, call_id, "request_long_term", plan, LATER)
    county.dispatched("department3", township="township2")
    with county.acting(None) as session:
        return {one.text: one.id for one in session.scalars(sa.select(Milestone))}


def finders(county: County, found: Callable[[str], bool]) -> set[str]:
    with clock.at(HELD):
        return {name for name in county.people if found(name)}


def test_it_is_seen_with_its_call_in_lists_pages_exports_and_rest(county: County, milestones: dict[str, int]) -> None:
    with county.acting(None) as session:
        [call_id] = session.scalars(sa.select(Milestone.call_id).distinct())
    assert set(milestones) == {PLANNED, DECIDED}
    assert finders(county, lambda name: sees(county, name, Call, call_id)) == OFFICES | PARTIES
    for text, key in milestones.items():

        def listed(name: str, text: str = text) -> bool:
            return text in visitor(county, name).get("/milestone/list/?tab=all").text

        def shown(name: str, text: str = text, key: int = key) -> bool:
            answer = visitor(county, name).get(f"/milestone/show/{key}")
            assert answer.status_code in (200, 403, 404)
            assert (answer.status_code == 200) == (text in answer.text)
            return answer.status_code == 200

        def exported(name: str, text: str = text) -> bool:
            here = visitor(county, name)
            asked = {"format": "csv", "columns": ["text", "call"], "tab": "all"}
            return text in here.post("/milestone/export", asked).text

        def in_rest(name: str, text: str = text, key: int = key) -> bool:
            api = Api(county, name)
            many, one = api.get("/milestone/"), api.get(f"/milestone/{key}")
            assert one.status_code in (200, 403, 404)
            listed = many.status_code == 200 and key in many.json["ids"]
            assert (one.status_code == 200) == listed
            assert not listed or one.json["result"]["text"] == text
            return one.status_code == 200

        everybody = OFFICES | PARTIES
        assert finders(county, listed) == everybody
        assert finders(county, shown) == everybody
        assert finders(county, in_rest) == everybody
        assert finders(county, exported) == everybody - {"city"}, "city readers export nothing"


def test_a_department_that_gave_the_call_back_finds_no_later_milestone(county: County) -> None:
    call_id, lead, _second = county.dispatched("department1", "department2")
    county.do("department1", Assignment, lead, "request_return", {"reason": "非本局职责"})
    ruling = {"ruling": "确非其职责。", "lead": county["department2"]}
    county.do("dispatcher", Assignment, lead, "uphold_return", ruling, at("2026-11-23 10:00"))
    [found] = [one for one in county.assignments(call_id) if one not in (lead,)][-1:]
    county.respond("department2", found, LATER)
    stage = {"text": PLANNED, "day": "2026-12-15", "department": None}
    plan = {"plan": "先控源，再修复。", "milestones": [stage]}
    county.do("department2", Call, call_id, "request_long_term", plan, LATER)
    with county.acting(None) as session:
        key = session.scalars(sa.select(Milestone.id)).one()
    with clock.at(HELD):
        assert visitor(county, "department2").get(f"/milestone/show/{key}").status_code == 200
        assert visitor(county, "department1").get(f"/call/show/{call_id}").status_code == 200
        assert PLANNED not in visitor(county, "department1").get(f"/call/show/{call_id}").text
        assert visitor(county, "department1").get(f"/milestone/show/{key}").status_code == 404
        assert PLANNED not in visitor(county, "department1").get("/milestone/list/?tab=all").text
        assert Api(county, "department1").get(f"/milestone/{key}").status_code == 404
