"""Lists in any order: by every column, also by a reference, paged both ways without losing or repeating a row (spec 5; face, List)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from app.portal.sorting import newest_first, ordered_by
from models.base import RECORD_TYPES, fields_of
from models.call import Call
from models.call_words import CallState
from tests.app.portal.test_lists import link, titles
from tests.app.visitor import visitor
from tests.conftest import Installation
from tests.county import MONDAY, County


@pytest.fixture
def installation(request: pytest.FixtureRequest) -> Installation:
    """SQLite, unless a test asks for the other database, which puts empty values elsewhere by itself."""
    name = getattr(request, "param", "sqlite")
    made: Installation = request.getfixturevalue(f"{name}_installation")
    made.fresh("county")
    return made


both_databases = pytest.mark.parametrize(
    "installation", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)


def plant(county: County) -> None:
    """Calls of a township: drafts without a number, several of the same field, state and instant."""
    with county.acting(None, MONDAY) as session:
        for place in range(20):
            draft = place % 3 == 0
            session.add(
                Call(
                    county_id=county.id,
                    township_id=county["township1"],
                    title=f"第{place * 7 % 20:02d}件",
                    description="测",
                    number=None if draft else f"呼{place * 3 % 20:02d}",
                    state=CallState.draft if draft else CallState.submitted,
                    field=("水务", "自然资源")[place % 2],
                    accept_due=MONDAY,
                    happened_at=None if place % 2 else MONDAY + timedelta(minutes=place % 4, microseconds=place),
                )
            )


def walk(here: object, address: str, rel: str = "next") -> list[list[str]]:
    pages = []
    page = here.get(address)
    while True:
        assert page.status_code == 200, page.request.path
        pages.append(titles(page))
        if not link(page, rel):
            return pages
        page = here.get(link(page, rel))


def last_page(here: object, address: str) -> str:
    page = here.get(address)
    while link(page, "next"):
        address = link(page, "next")
        page = here.get(address)
    return address


@both_databases
def test_every_order_shows_every_row_once_in_both_directions_and_empty_values_last(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.portal.listing.PAGE", 6)
    monkeypatch.setattr("views.call.CallView.sortable", (*fields_of(Call), "changed", "created"))
    plant(county)
    here = visitor(county, "township1")
    everything = sorted(f"第{n:02d}件" for n in range(20))
    for name in ("number", "township", "state", "happened_at", "changed"):
        for sign in ("", "-"):
            address = f"/call/list/?tab=all&sort={sign}{name}"
            pages = walk(here, address)
            assert [len(one) for one in pages] == [6, 6, 6, 2], (address, pages)
            assert sorted(title for one in pages for title in one) == everything, address
            back = walk(here, last_page(here, address), "prev")
            assert back[::-1][:3] == pages[:3], address
    with county.acting("township1") as session:
        numbers = {one.title: one.number for one in session.query(Call)}
    for sign in ("", "-"):
        shown = [numbers[title] for one in walk(here, f"/call/list/?tab=all&sort={sign}number") for title in one]
        filled = [number for number in shown if number is not None]
        assert shown == filled + [None] * 7, "what has no number stands last, whichever way"
        assert filled == sorted(filled, reverse=bool(sign))


def test_references_stand_in_the_order_of_the_organisations_and_states_in_that_of_the_work(county: County) -> None:
    for name in ("township3", "township1", "township2"):
        county.submitted(name, title=name)
    county.dispatched("department1")
    here = visitor(county, "dispatcher")
    assert titles(here.get("/call/list/?tab=all&sort=township"))[-2:] == ["township2", "township3"]
    assert titles(here.get("/call/list/?tab=all&sort=-township"))[:2] == ["township3", "township2"]
    assert titles(here.get("/call/list/?tab=all&sort=state"))[-1] == "刘庄河道排放污水", (
        "submitted comes before dispatched"
    )
    assert titles(here.get("/call/list/?tab=all&sort=-state"))[0] == "刘庄河道排放污水"


def heads(page: TestResponse) -> dict[str, tuple[str, str]]:
    """(address of the sort link, aria-sort) by column."""
    found = {}
    for name, attributes, inner in re.findall(
        r'<th scope="col" class="column-(\w+)[^"]*"([^>]*)>(.*?)</th>', page.text, re.S
    ):
        address = re.search(r'href="([^"]+)"', inner)
        said = re.search(r'aria-sort="(\w+)"', attributes)
        found[name] = (address.group(1).replace("&amp;", "&") if address else "", said.group(1) if said else "")
    return found


def test_heads_sort_and_say_so_and_everything_else_that_was_asked_for_stays(county: County) -> None:
    county.submitted(title="甲河", field="水务")
    county.submitted(title="乙河", field="水务")
    here = visitor(county, "dispatcher")
    page = here.get("/call/list/?tab=all&q=河&state=submitted")
    before = heads(page)
    assert before["departments"] == before["deadline"] == ("", ""), "what is only drawn has no order"
    page = here.get(before["title"][0])
    assert titles(page) == ["乙河", "甲河"]
    assert heads(page)["title"][1] == "ascending"
    assert heads(page)["number"][1] == ""
    page = here.get(heads(page)["title"][0])
    assert titles(page) == ["甲河", "乙河"]
    assert heads(page)["title"][1] == "descending"
    for part in ("tab=all", "q=%E6%B2%B3", "state=submitted"):
        assert part in heads(page)["title"][0]
    assert 'name="sort" value="-title"' in page.text, "a further search keeps the order"
    assert "sort=-title" in re.findall(r'<a class="chip" href="([^"]+)"', page.text)[0]
    assert before["changed"][0].endswith("sort=-changed"), "instants: the newest first"


def test_every_type_is_sorted_by_every_field_without_failing(county: County) -> None:
    county.dispatched("department1", "department2")
    here = visitor(county, "dispatcher")
    for resource, model in RECORD_TYPES.items():
        if here.get(f"/{resource}/list/").status_code != 200:
            continue
        for name in (*fields_of(model), "id", "nothing"):
            assert here.get(f"/{resource}/list/?sort=-{name}").status_code == 200, (resource, name)


def test_a_place_that_makes_no_sense_is_the_first_page(county: County) -> None:
    county.submitted(title="甲")
    here = visitor(county, "dispatcher")
    for place in (
        "[]",
        "[1,2,3,4]",
        '["x"]',
        "null",
        "[null,null]",
        '["\\u0000",1]',
        '["\\ud800",1]',
        '[{"a":1},1]',
        "[" * 900,
        "1e999",
        "[NaN,1]",
    ):
        for name in ("title", "township", "number", "changed", "state"):
            for end in ("after", "before"):
                answer = here.get("/call/list/", query_string={"tab": "all", "sort": name, end: place})
                assert answer.status_code == 200, (name, place)
                assert titles(answer) == ["甲"], (name, place)


def test_a_place_reads_as_it_was_written() -> None:
    order = ordered_by(Call, "happened_at", descending=False)
    assert order is not None
    assert order.read_place(order.place((MONDAY, 5))) == (MONDAY, 5)
    assert order.read_place(order.place((None, 5))) == (None, 5)
    assert order.read_place('["2026-11-23T09:00:00",5]') is None, "an instant without a zone is none"
    assert newest_first(Call).read_place("7") == (7,)
    assert ordered_by(Call, "description", descending=False) is None
