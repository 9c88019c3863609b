"""Records begun by a step instead of by the generic form: a call taken by telephone, on pages and through REST (2.1, 4)."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa

from models.call import Call
from tests.app.portal.api_client import Api
from tests.app.visitor import visitor
from tests.county import County

ADDRESS = "/call/begin/enter_by_phone"


def spoken(county: County, **values: Any) -> dict[str, Any]:
    return {
        "township": county["township1"],
        "kind": "general",
        "title": "刘庄河道排放污水",
        "field": "水务",
        "description": "电话反映，需要执法。",
        **values,
    }


def calls(county: County) -> list[Call]:
    with county.acting(None) as session:
        found = list(session.scalars(sa.select(Call).order_by(Call.id)))
        session.expunge_all()
        return found


@pytest.mark.parametrize("name", ["dispatcher", "duty"])
def test_who_may_enter_a_telephone_call_finds_the_button_on_the_list(county: County, name: str) -> None:
    assert ADDRESS in visitor(county, name).get("/call/list/").text
    assert ADDRESS not in visitor(county, "township1").get("/call/list/").text


def test_the_form_asks_what_the_step_asks_and_leads_to_the_new_call(county: County) -> None:
    duty = visitor(county, "duty")
    page = duty.get(ADDRESS)
    assert page.status_code == 200
    for name in ("township", "phoned_at", "departments", "title", "description"):
        assert f'name="{name}"' in page.text
    answer = duty.post(ADDRESS, {name: str(value) for name, value in spoken(county).items()}, token=duty.token())
    (made,) = calls(county)
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith(f"/call/show/{made.id}")
    assert (made.township_id, made.created_by_id) == (county["township1"], county.people["duty"])


def test_calls_like_the_one_being_told_are_suggested_while_the_title_is_typed(county: County) -> None:
    county.submitted()
    here = visitor(county, "dispatcher")
    values = {name: str(value) for name, value in spoken(county, description="").items()}
    for page in (here.get(ADDRESS).text, here.post(ADDRESS, values, token=here.token()).text):
        title = page[page.index('name="title"') - 400 :]
        [address] = re.findall(r'data-similar="([^"]+)"', page)
        assert "data-similar" in title[: title.index(">", 400)]
    [found] = here.get(address, query_string={"title": "刘庄河道又排放污水"}).get_json()
    assert "呼2026-0001" in found["title"]


def test_refused_the_form_comes_back_with_everything_typed(county: County) -> None:
    duty = visitor(county, "duty")
    values = {name: str(value) for name, value in spoken(county, title="").items()}
    answer = duty.post(ADDRESS, values, token=duty.token())
    assert answer.status_code == 422
    assert "电话反映，需要执法。" in answer.text
    assert calls(county) == []


@pytest.mark.parametrize("name", ["township1", "department1", "director", "city", "auditor"])
def test_nobody_else_opens_the_form(county: County, name: str) -> None:
    assert visitor(county, name).get(ADDRESS).status_code in (403, 404)


def test_there_is_no_other_beginning_step(county: County) -> None:
    assert visitor(county, "dispatcher").get("/call/begin/dispatch").status_code == 404
    assert visitor(county, "dispatcher").get("/call/begin/explode").status_code == 404


def test_rest_begins_with_201_and_the_id(county: County) -> None:
    answer = Api(county, "dispatcher").call("POST", "/call/enter_by_phone", json=spoken(county))
    (made,) = calls(county)
    assert (answer.status_code, answer.json["id"]) == (201, made.id)
    assert str(made.state) == "submitted"


def test_rest_begins_an_emergency_with_its_departments(county: County) -> None:
    departments = [county["department3"], county["department4"]]
    values = spoken(county, kind="emergency", departments=departments)
    answer = Api(county, "duty").call("POST", "/call/enter_by_phone", json=values)
    assert answer.status_code == 201
    assert county.states(answer.json["id"]) == ("dispatched", "pending", "pending")


def test_rest_refuses_by_403_and_422(county: County) -> None:
    assert Api(county, "township1").call("POST", "/call/enter_by_phone", json=spoken(county)).status_code == 403
    wrong = Api(county, "duty").call("POST", "/call/enter_by_phone", json=spoken(county, title="", township=10**6))
    assert wrong.status_code == 422
    assert set(wrong.json) == {"title", "township"}
    assert calls(county) == []
