"""Lists of the generated pages: paging by key, search, filters, senseless addresses, and how many statements a page takes (spec 5)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from app.database import db
from models.agency import AgencyStaff
from models.call import Assignment, Call
from models.call_words import CallState
from models.organisation import Organisation
from models.person import Person
from tests.app.visitor import visitor, words_of
from tests.conftest import Installation
from tests.county import MONDAY, County


@pytest.fixture
def installation(request: pytest.FixtureRequest) -> Installation:
    """SQLite, unless a test asks for the other database, on which bytes and numbers are stricter."""
    name = getattr(request, "param", "sqlite")
    made: Installation = request.getfixturevalue(f"{name}_installation")
    made.fresh("county")
    return made


both_databases = pytest.mark.parametrize(
    "installation", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)


def plant(county: County, count: int, **fields: object) -> list[int]:
    """Submitted calls straight into the database, as many as a list needs."""
    with county.acting(None, MONDAY) as session:
        same = {
            "county_id": county.id,
            "township_id": county["township1"],
            "field": "水务",
            "description": "测",
            "accept_due": MONDAY,
            **fields,
        }
        same["state"] = CallState.submitted
        calls = [Call(title=f"第{n:03d}件", number=f"旧2026-{n:04d}", **same) for n in range(1, count + 1)]
        session.add_all(calls)
        session.flush()
        return [call.id for call in calls]


def titles(page: TestResponse) -> list[str]:
    return re.findall(r'<a class="row-link card-name"[^>]*>(?:<span[^>]*>[^<]*</span>)?([^<]*)</a>', page.text)


def link(page: TestResponse, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', page.text)
    return found.group(1).replace("&amp;", "&") if found else ""


def test_a_list_is_paged_by_key_both_ways(county: County) -> None:
    plant(county, 60)
    here = visitor(county, "dispatcher")
    page = here.get("/call/list/?tab=all")
    walked = [titles(page)]
    while link(page, "next"):
        page = here.get(link(page, "next"))
        walked.append(titles(page))
    assert [len(one) for one in walked] == [25, 25, 10]
    assert [title for one in walked for title in one] == [f"第{n:03d}件" for n in range(60, 0, -1)]
    back = []
    while link(page, "prev"):
        page = here.get(link(page, "prev"))
        back.append(titles(page))
    assert back == walked[1::-1]
    assert "tab=all" in link(here.get("/call/list/?tab=all"), "next"), "the saved view stays"


def test_a_call_raised_meanwhile_does_not_shift_the_next_page(county: County) -> None:
    plant(county, 30)
    here = visitor(county, "dispatcher")
    following = link(here.get("/call/list/?tab=all"), "next")
    county.submitted(title="新来的")
    assert titles(here.get(following)) == [f"第{n:03d}件" for n in range(5, 0, -1)]


def test_the_count_stops_at_its_cap(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.portal.listing.CAP", 40)
    plant(county, 40)
    here = visitor(county, "dispatcher")
    address = html.unescape(re.search(r'data-count="([^"]+)"', here.get("/call/list/?tab=all").text)[1])
    assert "40+" not in here.get(address).json["label"]
    county.submitted()
    assert "40+" in here.get(address).json["label"]


@pytest.mark.parametrize("words", ["", "&q=第"])
def test_a_page_does_not_wait_for_the_count_of_its_rows(county: County, words: str) -> None:
    plant(county, 30)
    here = visitor(county, "dispatcher")
    page = here.get(f"/call/list/?tab=all{words}")
    assert "超过25条" in page.text
    address = html.unescape(re.search(r'data-count="([^"]+)"', page.text)[1])
    assert "30" in here.get(address).json["label"]
    assert "30" not in visitor(county, "township2").get(address).json["label"], "each counts what he sees"


def test_the_rows_of_a_single_page_are_counted_at_once(county: County) -> None:
    plant(county, 20)
    page = visitor(county, "dispatcher").get("/call/list/?tab=all").text
    assert "data-count=" not in page
    assert "20" in re.search(r'class="count">([^<]+)<', page)[1]


@pytest.mark.parametrize("nearest", [1, 7, 2000])
def test_words_are_found_whether_near_or_far(county: County, monkeypatch: pytest.MonkeyPatch, nearest: int) -> None:
    monkeypatch.setattr("app.portal.listing.NEAREST", nearest)
    plant(county, 60)
    here = visitor(county, "dispatcher")
    page = here.get("/call/list/?tab=all&q=件")
    walked = titles(page)
    while link(page, "next"):
        page = here.get(link(page, "next"))
        walked += titles(page)
    assert walked == [f"第{n:03d}件" for n in range(60, 0, -1)]
    assert titles(here.get("/call/list/?tab=all&q=第003")) == ["第003件"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("100%", ["达100%"]),
        ("%", ["达100%"]),
        ("_", ["甲_乙"]),
        ("甲_", ["甲_乙"]),
        ("'", ["老王's"]),
        ('"', ['引"号']),
        ("\\", ["反\\斜"]),
        ("河", ["河道"]),
        ("  河道 ", ["河道"]),
        ("无此", []),
        ("河\x00道", ["河道"]),
        ("abc", ["ABC"]),
        ("';DROP TABLE call;--", []),
        ("(", []),
        ("*", []),
    ],
)
def test_a_search_finds_what_is_typed_and_nothing_else(county: County, typed: str, found: list[str]) -> None:
    for title in ("达100%", "甲_乙", "老王's", '引"号', "反\\斜", "河道", "ABC"):
        county.submitted(title=title, description="述")
    page = visitor(county, "dispatcher").get("/call/list/", query_string={"tab": "all", "q": typed})
    assert page.status_code == 200
    assert [html.unescape(one) for one in titles(page)] == found


def test_filters_narrow_and_chips_take_them_back(county: County) -> None:
    county.submitted("township1", title="甲事", field="水务")
    county.submitted("township2", title="乙事", field="自然资源")
    here = visitor(county, "dispatcher")
    page = here.get(
        "/call/list/",
        query_string={"tab": "all", "field": "水务", "township": str(county["township1"]), "state": "submitted"},
    )
    assert titles(page) == ["甲事"]
    chips = [one.replace("&amp;", "&") for one in re.findall(r'<a class="chip" href="([^"]+)"', page.text)]
    assert len(chips) == 3
    assert titles(here.get(next(one for one in chips if "field=" not in one))) == ["甲事"]
    assert titles(here.get("/call/list/?tab=all&field=%E6%B0%B4%E5%8A%A1&state=closed")) == []
    assert "城关镇" in words_of(page)


NONSENSE = (
    "page=abc",
    "page=-1",
    "page_size=99999999",
    "psize=-1",
    "psize_CallView=100000",
    "sort=nothing",
    "sort=title;drop",
    "tab=nothing",
    "tab=",
    "after=huge",
    "after=9223372036854775808",
    "after=99999999999999999999999",
    "after=-5",
    "after=%C2%B2",
    "after=1e3",
    "before=-1",
    "before=0",
    "before=9223372036854775807",
    "before=x&after=y",
    "state=nothing",
    "state=%00",
    "state=draft&state=closed",
    "township=abc",
    "township=0",
    "township=-1",
    "township=9223372036854775807",
    "township=99999999999999999999",
    "township=1.5",
    "field=%00",
    "field=%F0%9F%98%80",
    "field=" + "x" * 3000,
    "q=%00",
    "q=" + "%25" * 500,
    "q=%ED%A0%80",
    "q=%FF%FE",
    "_flt_0_title=x",
    "_oc_CallView=bogus&_od_CallView=asc",
    "kind=nothing",
    "complex=maybe",
    "csrf_token=x",
    "%00=%00",
    "q[]=1",
    "state[]=x",
)


@both_databases
def test_a_senseless_address_is_answered_with_a_page(county: County) -> None:
    county.dispatched("department1")
    here = visitor(county, "dispatcher")
    for query in NONSENSE:
        for resource in ("call", "organisation"):
            assert here.get(f"/{resource}/list/?{query}").status_code == 200, (resource, query)
        assert here.get(f"/inbox/?{query}").status_code == 200, query
        assert here.get(f"/search/?{query}").status_code == 302, query
    for query in ("q=%00", "q=" + "%25" * 500, "q=%ED%A0%80", "q=_", "p=1"):
        assert here.get(f"/call/options/dispatch.lead?{query}").status_code == 200, query
    drafting = visitor(county, "township1")
    for query in (
        "checklist_item=abc",
        "checklist_item=99999999999999999999",
        "title=%00",
        "kind=x",
        "happened_at=x",
        "township=1",
        f"checklist_item={'9' * 18}",
    ):
        assert drafting.get(f"/call/add?{query}").status_code == 200, query


@both_databases
@pytest.mark.parametrize(
    "key", ["0", "9223372036854775807", "9223372036854775808", "9" * 40, "-1", "abc", "1.5", "%00", "1%20", "²", "٣"]
)
def test_an_id_that_no_record_has_is_not_found(county: County, key: str) -> None:
    for name in ("township1", "dispatcher"):
        here = visitor(county, name)
        token = here.token()
        for address in (
            f"/call/show/{key}",
            f"/call/edit/{key}",
            f"/document/pdf/{key}",
            f"/document/show/{key}",
            f"/organisation/show/{key}",
        ):
            assert here.get(address).status_code in (403, 404), address
        for address in (
            f"/call/delete/{key}",
            f"/call/{key}/submit",
            f"/call/{key}/paper",
            f"/inbox/{key}",
            f"/assignment/{key}/respond",
        ):
            assert here.post(address, token=token).status_code in (403, 404, 405), address


# ---- statements (spec 5: list ≤ 8, record page ≤ 15, whatever the number of rows or permissions)


@contextmanager
def statements(county: County) -> Iterator[list[str]]:
    """The SQL of a request, without the beginning of its transaction."""
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    with county.app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("name", ["township1", "department1", "dispatcher"])
def test_a_list_takes_eight_statements_however_long(county: County, name: str) -> None:
    here = visitor(county, name)
    counts = []
    for _ in range(2):
        for _ in range(9):
            county.dispatched("department1", "department2", "department3")
        here.get("/call/list/?tab=all")
        with statements(county) as seen:
            assert here.get("/call/list/?tab=all&state=dispatched&q=刘庄").status_code == 200
        counts.append(len(seen))
        assert len(seen) <= 8, seen
    assert counts[1] <= counts[0] + 1, "one more when the list is longer than a page: the capped count"


@pytest.mark.parametrize("name", ["township1", "department1", "dispatcher"])
def test_a_record_page_takes_fifteen_statements_however_much_happened(county: County, name: str) -> None:
    call, *assignments = county.dispatched("department1", "department2", "department3")
    county.respond("department1", assignments[0])
    here = visitor(county, name)
    counts = []
    for _ in range(2):
        for turn in range(8):
            county.do("department1", Assignment, assignments[0], "log_progress", {"text": f"进展{turn}"})
        here.get(f"/call/show/{call}")
        with statements(county) as seen:
            assert here.get(f"/call/show/{call}").status_code == 200
        counts.append(len(seen))
    assert counts[0] <= 15, seen
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    "path",
    ["/", "/inbox/", "/organisation/list/", "/checklist_item/list/", "/document/list/", "/notice/list/", "/call/add"],
)
def test_other_pages_are_thrifty_too(county: County, path: str) -> None:
    for _ in range(12):
        county.dispatched("department1", "department2")
    here = visitor(county, "township1" if path == "/call/add" else "dispatcher")
    here.get(path)
    with statements(county) as seen:
        assert here.get(path).status_code == 200
    assert len(seen) <= 8, seen


def test_an_empty_view_says_what_is_empty_and_leads_on(county: County) -> None:
    page = visitor(county, "dispatcher").get("/call/list/?tab=overdue")
    words = words_of(page)
    assert "“超期”目前没有内容" in words
    assert "tab=all" in page.text.split("empty-state")[1].split("</div>")[0]
    assert "还没有登记内容" in words_of(visitor(county, "dispatcher").get("/call/list/?tab=all"))


@pytest.mark.parametrize("name", ["organisation", "person"])
def test_the_directory_stands_in_the_order_of_the_organisations(county: County, name: str) -> None:
    here = visitor(county, "dispatcher")
    keys = re.findall(rf'href="/{name}/show/(\d+)"', here.get(f"/{name}/list/").text)
    with county.acting(None) as session:
        orders = dict(session.execute(sa.select(Organisation.id, Organisation.order)).all())
        if name == "person":
            orders = {one.id: orders.get(one.organisation_id, 0) for one in session.scalars(sa.select(Person))}
    shown = [orders[int(key)] for key in dict.fromkeys(keys)]
    assert len(set(shown)) > 5
    assert shown == sorted(shown)


def test_a_card_names_bare_numbers_and_answers(county: County) -> None:
    own = {"county_id": county.id, "agency_id": county.agencies["agency1"]}
    with county.acting("department1", MONDAY) as session:
        session.add(AgencyStaff(**own, name="李明", establishment="institution", membership="party"))
    page = visitor(county, "township1").get("/agency_staff/list/").text
    assert "在岗 是" in page.split('class="card-note">')[1].split("<")[0]
