"""Creating, changing and deleting records by REST (spec 4, REST)."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from models.call import Call
from models.call_words import CallState
from models.event import Event
from models.setting import Setting
from tests.app.portal.api_client import Api
from tests.county import MONDAY, County

DRAFT = {
    "title": "河道污水直排",
    "field": "水务",
    "description": "沿河三户直排。",
    "place": "青石桥",
    "kind": "general",
    "source": "own",
}


def _stored(county: County, call_id: int) -> dict[str, Any]:
    with county.acting(None) as session:
        call = session.get_one(Call, call_id)
        return {
            "title": call.title,
            "version": call.version,
            "item": call.checklist_item_id,
            "township": call.township_id,
            "state": str(call.state),
        }


def _calls(county: County) -> int:
    with county.acting(None) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Call)) or 0


def test_a_call_is_created_by_its_township_and_answered_by_201_and_its_id(county: County) -> None:
    api = Api(county, "township1")
    answer = api.post(
        "/call/", {**DRAFT, "checklist_item": county.items[2], "happened_at": "2026-11-23T08:30:00+08:00"}
    )
    assert answer.status_code == 201, answer.text
    assert set(answer.json) == {"id"}
    call = api.one("call", answer.json["id"])
    assert call["township"]["id"] == county["township1"]
    assert call["state"] == "draft"
    assert call["checklist_item"]["id"] == county.items[2]
    assert call["happened_at"] == "2026-11-23T00:30:00Z"
    assert call["version"] == 1


def test_a_created_call_has_an_event_of_its_creator(county: County) -> None:
    call_id = Api(county, "township1").post("/call/", DRAFT).json["id"]
    with county.acting(None) as session:
        event = session.scalars(sa.select(Event).where(Event.record_type == "call", Event.record_id == call_id)).one()
        assert (event.name, event.actor_id) == ("create", county.people["township1"])


def test_a_draft_may_lack_what_only_submitting_demands(county: County) -> None:
    api = Api(county, "township1")
    answer = api.post("/call/", {"title": "只有一句话"})
    assert answer.status_code == 201
    refused = api.post(f"/call/{answer.json['id']}/submit")
    assert refused.status_code == 422
    assert set(refused.json) == {"field", "description"}


def test_nulls_in_a_draft_fall_back_to_what_an_empty_form_holds(county: County) -> None:
    answer = Api(county, "township1").post(
        "/call/", {"title": None, "kind": None, "source": None, "happened_at": None, "checklist_item": None}
    )
    assert answer.status_code == 201, answer.text
    call = Api(county, "township1").one("call", answer.json["id"])
    assert (call["title"], call["kind"], call["source"], call["checklist_item"]) == ("", "general", "own", None)


@pytest.mark.parametrize(
    "name",
    [
        "state",
        "township",
        "number",
        "accepted_at",
        "county",
        "county_id",
        "township_id",
        "id",
        "nonsense",
        "version_",
        "__class__",
        "assignments",
    ],
)
def test_a_field_that_is_not_set_here_is_named_by_422(county: County, name: str) -> None:
    before = _calls(county)
    answer = Api(county, "township1").post("/call/", {**DRAFT, name: 1})
    assert answer.status_code == 422
    assert set(answer.json) == {name}
    assert isinstance(answer.json[name][0], str)
    assert _calls(county) == before


def test_every_wrong_field_is_named_at_once(county: County) -> None:
    answer = Api(county, "township1").post(
        "/call/", {"title": "x" * 121, "kind": "party", "happened_at": "yesterday", "checklist_item": "a", "field": 7}
    )
    assert answer.status_code == 422
    assert set(answer.json) == {"title", "kind", "happened_at", "checklist_item", "field"}
    assert all(isinstance(found, list) and found and isinstance(found[0], str) for found in answer.json.values())


@pytest.mark.parametrize(
    "key", [0, -1, 10**6, 2**63 - 1, 2**63, 10**30, True, 1.5, "1; drop table call", [1], {"id": "x"}]
)
def test_a_reference_to_nothing_is_a_422_on_its_field(county: County, key: Any) -> None:
    answer = Api(county, "township1").post("/call/", {**DRAFT, "checklist_item": key})
    assert answer.status_code == 422
    assert set(answer.json) == {"checklist_item"}


def test_a_reference_to_a_hidden_record_is_a_422_on_its_field(county: County) -> None:
    answer = Api(county, "township9").post("/call/", {**DRAFT, "field": "其他", "checklist_item": county.items[1]})
    assert answer.status_code == 422
    assert set(answer.json) == {"checklist_item"}


@pytest.mark.parametrize("name", ["dispatcher", "department1", "leader", "auditor", "sysadmin", "city"])
def test_only_townships_create_calls(county: County, name: str) -> None:
    before = _calls(county)
    assert Api(county, name).post("/call/", DRAFT).status_code == 403
    assert _calls(county) == before


def test_put_changes_what_was_sent_and_nothing_else(county: County) -> None:
    call_id = county.draft(title="旧", place="桥头", checklist_item_id=county.items[1])
    answer = Api(county, "township1").put(f"/call/{call_id}", {"title": "新"})
    assert answer.status_code == 200, answer.text
    assert answer.json["id"] == call_id
    assert answer.json["result"]["title"] == "新"
    assert answer.json["result"]["place"] == "桥头"
    assert answer.json["result"]["checklist_item"]["id"] == county.items[1]
    assert answer.json["result"]["version"] == 2


def test_a_reference_is_changed_and_cleared_by_put_and_the_event_says_so(county: County) -> None:
    call_id = county.draft(checklist_item_id=county.items[1])
    api = Api(county, "township1")
    assert (
        api.put(f"/call/{call_id}", {"checklist_item": county.items[2]}).json["result"]["checklist_item"]["id"]
        == county.items[2]
    )
    assert api.put(f"/call/{call_id}", {"checklist_item": None}).json["result"]["checklist_item"] is None
    values = [row["values"] for row in Api(county, "auditor").rows("event") if row["name"] == "update"]
    first, second = ({"id": county.items[n], "name": name} for n, name in ((1, "违法占地巡查"), (2, "河道污水排放")))
    assert values == [
        {"checklist_item": {"old": second, "new": None}},
        {"checklist_item": {"old": first, "new": second}},
    ]


def test_a_reference_that_its_editor_cannot_see_survives_a_put(county: County) -> None:
    call_id = county.draft("township9")
    with county.acting(None, MONDAY) as session:
        session.get_one(Call, call_id).checklist_item_id = county.items[1]
    api = Api(county, "township9")
    assert api.one("call", call_id)["checklist_item"] is None
    answer = api.put(f"/call/{call_id}", {"title": "改了标题"})
    assert answer.status_code == 200, answer.text
    assert _stored(county, call_id)["item"] == county.items[1]
    assert _stored(county, call_id)["title"] == "改了标题"


def test_a_stale_version_is_409_and_changes_nothing(county: County) -> None:
    call_id = county.draft(title="一")
    api = Api(county, "township1")
    assert api.put(f"/call/{call_id}", {"title": "二", "version": 1}).status_code == 200
    late = api.put(f"/call/{call_id}", {"title": "三", "version": 1})
    assert late.status_code == 409
    assert late.json["message"]
    assert _stored(county, call_id)["title"] == "二"
    assert api.put(f"/call/{call_id}", {"title": "三", "version": 2}).status_code == 200


@pytest.mark.parametrize("version", ["x", 1.5, [], {}, True])
def test_a_version_that_is_no_number_is_422(county: County, version: Any) -> None:
    answer = Api(county, "township1").put(f"/call/{county.draft()}", {"title": "二", "version": version})
    assert answer.status_code == 422
    assert set(answer.json) == {"version"}


def test_a_submitted_call_is_neither_changed_nor_deleted(county: County) -> None:
    call_id = county.submitted()
    api = Api(county, "township1")
    assert api.put(f"/call/{call_id}", {"title": "二"}).status_code == 409
    assert api.delete(f"/call/{call_id}").status_code == 409
    assert _stored(county, call_id)["state"] == "submitted"


def test_refusals_keep_their_order(county: County) -> None:
    """404 before 403 before 409 before 422."""
    call_id = county.submitted()
    wrong = {"title": "x" * 200, "version": 99}
    assert Api(county, "township2").put(f"/call/{call_id}", wrong).status_code == 404
    assert Api(county, "dispatcher").put(f"/call/{call_id}", wrong).status_code == 403
    assert Api(county, "township1").put(f"/call/{call_id}", wrong).status_code == 409
    draft = county.draft()
    assert Api(county, "township1").put(f"/call/{draft}", wrong).status_code == 409
    assert Api(county, "township1").put(f"/call/{draft}", {"title": "x" * 200}).status_code == 422


def test_a_draft_is_deleted_by_its_township_alone(county: County) -> None:
    call_id = county.draft()
    assert Api(county, "township2").delete(f"/call/{call_id}").status_code == 404
    api = Api(county, "township1")
    answer = api.delete(f"/call/{call_id}")
    assert answer.status_code == 200
    assert answer.json["message"]
    assert api.get(f"/call/{call_id}").status_code == 404
    assert api.delete(f"/call/{call_id}").status_code == 404


@pytest.mark.parametrize("resource", ["assignment", "evaluation", "notice", "document", "event", "report"])
def test_nothing_is_written_by_hand_on_what_transitions_write(county: County, resource: str) -> None:
    api = Api(county, "dispatcher")
    assert api.post(f"/{resource}/", {}).status_code == 405
    assert api.put(f"/{resource}/1", {}).status_code == 405
    assert api.delete(f"/{resource}/1").status_code == 405


def test_a_plain_record_demands_its_required_fields(county: County) -> None:
    with county.acting(None, MONDAY) as session:
        setting = Setting(county_id=county.id, name="office_phone", value="0571-1")
        session.add(setting)
        session.flush()
        key = setting.id
    api = Api(county, "sysadmin")
    assert api.put(f"/setting/{key}", {"value": "0571-2"}).json["result"]["value"] == "0571-2"
    refused = api.put(f"/setting/{key}", {"value": None})
    assert refused.status_code == 422
    assert set(refused.json) == {"value"}
    assert api.put(f"/setting/{key}", {}).status_code == 200
    missing = api.post("/setting/", {})
    assert missing.status_code == 422
    assert "value" in missing.json


def test_a_returned_call_is_changed_by_its_township(county: County) -> None:
    call_id = county.draft()
    with county.acting(None, MONDAY) as session:
        session.get_one(Call, call_id).state = CallState.returned
    assert Api(county, "township1").put(f"/call/{call_id}", {"description": "补充材料。"}).status_code == 200


def test_leaders_do_what_their_officers_do(county: County) -> None:
    assert Api(county, "township1_leader").post("/call/", DRAFT).status_code == 201
