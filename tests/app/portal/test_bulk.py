"""Steps on several records at once, and the honest account of them."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from models.call import Call
from models.call_words import CallState
from tests.app.portal.test_lists import plant
from tests.app.visitor import form_to, forms_of, visitor
from tests.conftest import Installation
from tests.county import County


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


@pytest.fixture
def withdrawn_in_bulk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Withdrawing asks for a reason; let it be done on several calls."""
    assert Call.workflow is not None
    steps = tuple(replace(one, bulk=True) if one.name == "withdraw" else one for one in Call.workflow.transitions)
    monkeypatch.setattr(Call, "workflow", replace(Call.workflow, transitions=steps))


def test_what_was_done_and_what_was_not_and_why(county: County) -> None:
    waiting = [county.submitted() for _ in range(3)]
    done = county.dispatched("department1")[0]
    foreign = county.draft(title="他人草稿")
    here = visitor(county, "dispatcher")
    keys = [*map(str, waiting), str(done), str(foreign), str(waiting[0])]
    answer = here.post("/call/bulk/accept", {"keys": keys, "next": "/call/list/?tab=all&q=%E5%88%98&sort=-title"})
    assert answer.status_code == 200
    said = re.findall(r'role="status">.*?<p>(.*?)</p>', answer.text, re.S)
    assert ["3" in said[0], "2" in said[1]] == [True, True], said
    groups = re.findall(r'<section class="card"[^>]*>(.*?)</section>', answer.text, re.S)
    assert len(groups) == 2, "grouped by reason"
    assert "刘庄河道排放污水" in groups[0]
    assert f'href="/call/show/{done}"' in groups[0]
    assert "他人草稿" not in answer.text, "what is not theirs to see is not named"
    assert str(foreign) in groups[1]
    assert 'href="/call/list/?tab=all&amp;q=%E5%88%98&amp;sort=-title"' in answer.text
    assert [county.states(key)[0] for key in (*waiting, done, foreign)] == ["accepted"] * 3 + ["dispatched", "draft"]


def test_when_everything_was_done_the_list_stands_as_before(county: County) -> None:
    keys = plant(county, 30)
    here = visitor(county, "dispatcher")
    page = here.get("/call/list/?tab=all&state=submitted&sort=title")
    page = here.get(re.search(r'rel="next" href="([^"]+)"', page.text).group(1).replace("&amp;", "&"))
    back = next(one for one in forms_of(page) if "next" in one.values).values["next"][0]
    answer = here.post("/call/bulk/accept", {"keys": [str(keys[28])], "next": back})
    assert answer.status_code == 302
    assert answer.location == back
    assert urlsplit(back).query.startswith("tab=all&sort=title&state=submitted&after=")
    assert (
        here.post("/call/bulk/accept", {"keys": [str(keys[27])], "next": "https://evil.example/"}).location
        == "/call/list/"
    )
    assert here.post("/call/bulk/accept", {"next": "/call/list/?tab=open"}).location == "/call/list/?tab=open"
    assert "data-choose-all" in page.text


def test_one_small_form_for_all(county: County, withdrawn_in_bulk: None) -> None:
    calls = [county.submitted() for _ in range(2)]
    draft = county.draft()
    gone = county.submitted()
    county.do("township1", Call, gone, "withdraw", {"reason": "已解决"})
    here = visitor(county, "township1")
    chosen = {"keys": [*map(str, calls), str(draft), str(gone)], "next": "/call/list/?tab=all"}
    asked = here.post("/call/bulk/withdraw", chosen)
    assert asked.status_code == 200
    form = form_to(asked, "/call/bulk/withdraw")
    assert form.values["keys"] == chosen["keys"]
    assert [county.states(key)[0] for key in calls] == ["submitted"] * 2, "asking changes nothing"
    refused = here.post(form.action, form.values)
    assert refused.status_code == 422
    assert form_to(refused, form.action).values["keys"] == chosen["keys"]
    answer = here.post(form.action, {**form.values, "reason": "村里已协调"})
    assert answer.status_code == 200, "one was withdrawn already"
    assert [county.states(key)[0] for key in (*calls, draft)] == ["withdrawn"] * 3
    with county.acting(None) as session:
        assert {session.get_one(Call, key).state for key in (*calls, gone)} == {CallState.withdrawn}


def test_nobody_without_the_permission_and_nothing_but_bulk_steps(county: County) -> None:
    call = county.submitted()
    for name in ("township1", "leader", "city"):
        assert visitor(county, name).post("/call/bulk/accept", {"keys": [str(call)]}).status_code == 403
    here = visitor(county, "dispatcher")
    for step in ("dispatch", "nothing", "x"):
        assert here.post(f"/call/bulk/{step}", {"keys": [str(call)]}).status_code == 404
    assert county.states(call) == ("submitted",)


def test_five_hundred_at_most(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.portal.record.bulk.MOST", 4)
    keys = plant(county, 6)
    here = visitor(county, "dispatcher")
    here.post("/call/bulk/accept", {"keys": [*map(str, keys), "²", "x", "-1", "9" * 30]})
    assert [county.states(key)[0] for key in keys] == ["accepted"] * 4 + ["submitted"] * 2
