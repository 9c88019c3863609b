"""Filters by kind of field, also by what a reference names (face, List)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from models.call import Assignment, Call
from models.call_words import CallKind
from tests.app.portal.test_lists import titles
from tests.app.visitor import Visitor, visitor, words_of
from tests.conftest import Installation
from tests.county import MONDAY, County


@pytest.fixture
def installation(request: pytest.FixtureRequest) -> Installation:
    """SQLite, unless a test asks for the other database, on which bytes and numbers are stricter."""
    name = getattr(request, "param", "sqlite")
    made: Installation = request.getfixturevalue(f"{name}_installation")
    made.fresh("county")
    return made


def shown(here: Visitor, **asked: object) -> list[str]:
    page = here.get("/call/list/", query_string={"tab": "all", **asked})
    assert page.status_code == 200, asked
    return sorted(titles(page))


def test_each_kind_of_field_narrows_in_its_way(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    further = ("kind", "complex", "happened_at", "submitted_at", "place", "township.order", "township.kind")
    monkeypatch.setattr("views.call.CallView.filter_fields", further)
    county.submitted("township1", title="甲", field="水务", place="刘庄桥头", happened_at=MONDAY)
    county.submitted("township2", title="乙", field="自然资源", happened_at=MONDAY + timedelta(days=1))
    third = county.dispatched("department1", "department2")[0]
    with county.acting(None) as session:
        session.get_one(Call, third).title, session.get_one(Call, third).complex = "丙", True
    here = visitor(county, "dispatcher")
    assert shown(here, state=["submitted", "dispatched"]) == ["丙", "乙", "甲"], "one of several choices"
    assert shown(here, state="dispatched") == ["丙"]
    assert shown(here, field=["水务", "自然资源"], state="submitted") == ["乙", "甲"]
    assert shown(here, complex="yes") == ["丙"]
    assert shown(here, complex="no") == ["乙", "甲"]
    assert shown(here, place="桥头") == ["甲"], "a text that contains the words"
    assert shown(here, place="%") == []
    assert shown(here, happened_at_from="2026-11-23") == ["乙", "甲"]
    assert shown(here, happened_at_to="2026-11-23") == ["甲"], "the last day counts whole"
    assert shown(here, happened_at_from="2026年11月24日", happened_at_to="2026/11/24") == ["乙"]
    with county.acting(None) as session:
        order = session.get_one(Call, third).township.order
    assert shown(here, **{"township.order_from": order + 1}) == ["乙"], "by a field of what the reference names"
    assert shown(here, **{"township.order_to": order}) == ["丙", "甲"]
    assert shown(here, **{"township.kind": "township"}) == ["丙", "乙", "甲"]
    assert shown(here, **{"township.kind": "office"}) == []


def test_assignments_are_found_by_the_township_of_their_call(county: County) -> None:
    first = county.dispatched("department1", township="township1")[1]
    second = county.dispatched("department1", township="township2")[1]
    here = visitor(county, "department1")

    def found(**asked: object) -> set[str]:
        page = here.get("/assignment/list/", query_string=asked)
        assert page.status_code == 200
        return set(re.findall(r'href="/call/show/(\d+)"', page.text))

    with county.acting(None) as session:
        calls = {key: str(session.get_one(Assignment, key).call_id) for key in (first, second)}
    assert found() == set(calls.values())
    assert found(**{"call.township": county["township1"]}) == {calls[first]}
    assert found(**{"call.township": county["township1"], "call.kind": "emergency"}) == set()
    assert found(respond_due_to="2026-01-01") == set()
    page = here.get("/assignment/list/", query_string={"call.township": county["township1"]})
    assert "城关镇" in re.findall(r'<a class="chip"[^>]*>([^<]*)', page.text)[0]


def test_a_filter_does_not_tell_what_reading_hides(county: County) -> None:
    county.dispatched("department1")
    foreign = county.dispatched("department2")[0]
    with county.acting(None) as session:
        session.get_one(Call, foreign).title = "他部门之事"
    here = visitor(county, "department1")
    page = here.get(f"/assignment/list/?call={foreign}")
    assert "他部门之事" not in page.text
    assert '<a class="chip"' not in page.text, "a filter by what is hidden is left out"
    assert visitor(county, "dispatcher").get(f"/assignment/list/?call={foreign}").text.count('class="chip"') == 1
    assert shown(visitor(county, "dispatcher"), contact_phone="0530") == shown(visitor(county, "dispatcher"))


def test_the_form_asks_for_every_filter_and_keeps_what_was_asked(county: County) -> None:
    county.submitted(title="甲", kind=CallKind.general)
    here = visitor(county, "dispatcher")
    plain = here.get("/call/list/?tab=all")
    assert 'name="state"' not in plain.text, "most lists are read without the form"
    opened = re.search(r'href="([^"]*filter=1[^"]*)"', plain.text)
    assert opened is not None
    query = {
        "tab": "all",
        "filter": "1",
        "state": ["submitted", "closed"],
        "township": county["township1"],
        "submitted_at_from": "2026-01-01",
        "sort": "title",
    }
    page = here.get("/call/list/", query_string=query)
    chosen = re.findall(r'<option selected value="([^"]+)"', page.text)
    assert {"submitted", "closed", str(county["township1"])} <= set(chosen) | set(
        re.findall(r'value="([^"]+)" checked', page.text)
    )
    assert re.search(r'name="submitted_at_from" value="2026-01-01"[^>]*data-picker="date"', page.text)
    assert 'data-search-url="/call/options/township"' in page.text
    assert 'name="sort" value="title"' in page.text
    chips = re.findall(r'<a class="chip" href="([^"]+)"[^>]*>([^<]*)', page.text)
    assert len(chips) == 3
    assert all("sort=title" in address for address, _words in chips)
    without = next(address for address, words in chips if "城关镇" in words).replace("&amp;", "&")
    assert "township=" not in without
    assert without.count("state=") == 2
    assert "2026" in words_of(page)
    assert here.get("/call/options/township?q=城关").json["results"]


@pytest.mark.parametrize(
    "installation", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
def test_what_makes_no_sense_is_left_out(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "views.call.CallView.filter_fields",
        ("complex", "happened_at", "place", "township.order", "a.b", "title.x", "checklist_item.checklist.name"),
    )
    county.submitted(title="甲")
    here = visitor(county, "dispatcher")
    for name in (
        "happened_at_from",
        "happened_at_to",
        "township.order_from",
        "township.order_to",
        "complex",
        "state",
        "township",
        "checklist_item",
        "call",
    ):
        for value in ("x", "\x00", "9" * 30, "9223372036854775807", "2147483648000", "NaN", "9999-12-31", "%", "²"):
            assert shown(here, **{name: value, "filter": "1"}) in (["甲"], []), (name, value)
    for name in ("happened_at_from", "complex", "state", "township", "township.order_to"):
        assert shown(here, **{name: "senseless"}) == ["甲"], name
    assert shown(here, state=["senseless", "closed"]) == [], "the sensible one counts"
    assert shown(here, **{"checklist_item.checklist.name": "清单"}) == []
