"""Related records on a record's page: derived from references, for this viewer, in few statements (face, Record page; spec 5)."""

from __future__ import annotations

import re

import pytest

from models.call import Call
from models.call_words import CallState
from tests.app.portal.test_lists import plant, statements
from tests.app.visitor import Visitor, visitor
from tests.conftest import Installation
from tests.county import County


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


def blocks(here: Visitor, address: str) -> dict[str, str]:
    """The mark-up of each related block by the address of its whole list."""
    page = here.get(address)
    assert page.status_code == 200
    found = re.findall(r'<section class="card" aria-labelledby="related-\d+">(.*?)</section>', page.text, re.S)
    return {re.search(r'href="([^"]+)"', one).group(1).replace("&amp;", "&"): one for one in found}


def test_an_item_shows_the_calls_that_cite_it_newest_first_and_those_only_that_the_viewer_sees(county: County) -> None:
    item = county.items[2]
    for title in ("甲", "乙"):
        county.submitted(title=title, checklist_item_id=item)
    county.submitted("township2", title="丙", checklist_item_id=item)
    county.submitted(title="别事", checklist_item_id=county.items[1])
    address = f"/checklist_item/show/{item}"
    whole = f"/call/list/?checklist_item={item}&tab=all"
    office = blocks(visitor(county, "dispatcher"), address)[whole]
    assert [office.index(f">{title}<") for title in ("丙", "乙", "甲")] == sorted(
        office.index(f">{title}<") for title in "甲乙丙"
    )
    assert "别事" not in office
    assert '<span class="count">3</span>' in office
    here = visitor(county, "township1")
    own = blocks(here, address)[whole]
    assert "丙" not in own
    assert '<span class="count">2</span>' in own
    assert f'href="/call/add?checklist_item={item}"' in own, "a new one is prefilled"
    assert f"checklist_item={item}" not in office.replace(whole.replace("&", "&amp;"), ""), (
        "who adds none is offered none"
    )
    listed = here.get(whole)
    assert "甲" in listed.text
    assert "别事" not in listed.text
    assert '<a class="chip"' in listed.text
    assert f'value="{item}"' in here.get(f"/call/add?checklist_item={item}").text


def test_a_township_s_page_has_its_calls_and_not_what_this_person_may_not_list(county: County) -> None:
    county.dispatched("department1")
    address = f"/organisation/show/{county['township1']}"
    office, admin = blocks(visitor(county, "dispatcher"), address), blocks(visitor(county, "sysadmin"), address)
    assert f"/call/list/?township={county['township1']}&tab=all" in office
    assert not [one for one in admin if one.startswith(("/call/", "/assignment/", "/notice/", "/document/"))]
    department = blocks(visitor(county, "dispatcher"), f"/organisation/show/{county['department1']}")
    assert any(one.startswith("/assignment/list/?department=") for one in department)


def test_a_view_hides_and_orders_them(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    call = county.dispatched("department1")[0]
    here = visitor(county, "dispatcher")
    assert not [one for one in blocks(here, f"/call/show/{call}") if one.startswith("/assignment/")], (
        "shown on the page anyway"
    )
    address = f"/organisation/show/{county['township1']}"
    assert len(blocks(here, address)) >= 1
    monkeypatch.setattr("views.organisation.OrganisationView.related", ())
    assert blocks(here, address) == {}
    county.dispatched("department1")
    monkeypatch.setattr("views.organisation.OrganisationView.related", ("assignment", "call.township"))
    shown = list(blocks(here, f"/organisation/show/{county['department1']}"))
    assert [one.split("/")[1] for one in shown] == ["assignment"]


def test_ten_are_shown_and_a_hundred_counted_in_few_statements(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    here = visitor(county, "dispatcher")
    address = f"/organisation/show/{county['township1']}"
    whole = f"/call/list/?township={county['township1']}&tab=all"
    counts = []
    for _ in range(2):
        plant_more(county, len(counts))
        county.dispatched("department1", "department2")
        here.get(address)
        with statements(county) as seen:
            block = blocks(here, address)[whole]
        counts.append(len(seen))
        assert len(seen) <= 15, seen
    assert counts[0] == counts[1]
    assert block.count("<tr>") == 11, "the head and the ten newest"
    assert '<span class="count">100+</span>' in block


def plant_more(county: County, turn: int) -> None:
    if turn == 0:
        plant(county, 12)
    else:
        with county.acting(None) as session:
            session.add_all(
                Call(
                    county_id=county.id,
                    township_id=county["township1"],
                    field="水务",
                    title=f"又{n}",
                    description="测",
                    state=CallState.submitted,
                )
                for n in range(100)
            )
