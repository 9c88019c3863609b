"""Transitions by REST: performed, refused in order, and told (spec 2 introduction, spec 4 REST)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app.portal.api_client import Api
from tests.county import County


def test_a_call_goes_from_draft_to_closed_by_rest_alone(county: County) -> None:
    township, dispatcher = Api(county, "township1"), Api(county, "dispatcher")
    lead, helper = Api(county, "department1"), Api(county, "department4")
    call = township.post("/call/", {"title": "河道污水直排", "field": "水务", "description": "三户直排。"}).json["id"]

    submitted = township.post(f"/call/{call}/submit")
    assert submitted.status_code == 200, submitted.text
    assert submitted.json == {"id": call, "state": "submitted", "version": 2}

    order = {"lead": county["department1"], "cooperating": [county["department4"]], "remark": "请速办"}
    dispatched = dispatcher.post(f"/call/{call}/dispatch", order)
    assert dispatched.status_code == 200, dispatched.text
    assert dispatched.json["state"] == "dispatched"

    first, second = dispatcher.one("call", call)["assignments"]
    for api, assignment in ((lead, first), (helper, second)):
        answer = api.post(f"/assignment/{assignment}/respond", {"how": "phone", "whom": "王建国", "plan": "明日到场"})
        assert answer.status_code == 200, answer.text
        assert answer.json["state"] == "responded"
    for api, assignment in ((helper, second), (lead, first)):
        answer = api.post(f"/assignment/{assignment}/report", {"result": "已整改。", "solved": "solved"})
        assert answer.status_code == 200, answer.text
    assert township.one("call", call)["state"] == "reported"

    entries = [{"assignment": key, "satisfaction": "satisfied", "solved": "solved"} for key in (first, second)]
    closed = township.post(f"/call/{call}/evaluate", {"evaluations": entries})
    assert closed.status_code == 200, closed.text
    assert closed.json["state"] == "closed"
    assert closed.json["version"] == township.one("call", call)["version"]


def test_an_emergency_is_submitted_with_its_departments(county: County) -> None:
    api = Api(county, "township1")
    call = api.post(
        "/call/", {"title": "堤坝渗漏", "field": "水务", "description": "正在渗水。", "kind": "emergency"}
    ).json["id"]
    asked = {one["name"]: one for one in api.get(f"/call/{call}/transitions").json}
    (question,) = asked["submit"]["fields"]
    assert (question["name"], question["type"], question["required"]) == ("departments", "references", True)
    assert question["target"] == "organisation"
    assert question["only"] == {"kind": ["department", "office"], "active": True}
    refused = api.post(f"/call/{call}/submit", {})
    assert refused.status_code == 422
    assert set(refused.json) == {"departments"}
    assert (
        api.post(f"/call/{call}/submit", {"departments": [county["department3"], county["department4"]]}).json["state"]
        == "dispatched"
    )


def test_refusals_come_in_the_order_404_403_409_422(county: County) -> None:
    call_id, assignment = county.dispatched("department1")
    wrong = {"lead": "x"}
    assert Api(county, "township2").post(f"/call/{call_id}/dispatch", wrong).status_code == 404
    assert Api(county, "township1").post(f"/call/{call_id}/dispatch", wrong).status_code == 403
    conflict = Api(county, "dispatcher").post(f"/call/{call_id}/dispatch", wrong)
    assert conflict.status_code == 409
    assert set(conflict.json) == {"message"}
    invalid = Api(county, "department1").post(f"/assignment/{assignment}/respond", {"how": "pigeon"})
    assert invalid.status_code == 422
    assert set(invalid.json) >= {"how"}
    assert all(isinstance(found, list) for found in invalid.json.values())


def test_a_step_that_there_is_not_is_404(county: County) -> None:
    call_id = county.draft()
    assert Api(county, "township1").post(f"/call/{call_id}/teleport").status_code == 404
    assert Api(county, "township1").post(f"/call/{call_id}/respond").status_code == 404


def test_a_stale_version_refuses_a_step_and_the_present_one_lets_it_through(county: County) -> None:
    call_id = county.draft()
    api = Api(county, "township1")
    assert api.put(f"/call/{call_id}", {"title": "新"}).status_code == 200
    assert api.post(f"/call/{call_id}/submit", {"version": 1}).status_code == 409
    assert api.post(f"/call/{call_id}/submit", {"version": 2}).status_code == 200


@pytest.mark.parametrize("body", [b"", b"  ", b"{}", b'{"version": null}'])
def test_a_step_without_fields_takes_an_empty_body(county: County, body: bytes) -> None:
    call_id = county.draft()
    answer = Api(county, "township1").call("POST", f"/call/{call_id}/submit", data=body)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "body", [b"[]", b"1", b'"x"', b"null", b"{", b"\x00", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000]
)
def test_a_body_that_is_no_object_is_400_with_a_sentence(county: County, body: bytes) -> None:
    call_id = county.draft()
    answer = Api(county, "township1").call(
        "POST", f"/call/{call_id}/submit", data=body, content_type="application/json"
    )
    assert answer.status_code == 400
    assert answer.json["message"]
    assert Api(county, "township1").one("call", call_id)["state"] == "draft"


def test_transitions_are_those_of_this_person_now(county: County) -> None:
    def names(person: str, path: str) -> list[str]:
        answer = Api(county, person).get(path)
        assert answer.status_code == 200
        return [one["name"] for one in answer.json]

    call_id = county.submitted()
    assert names("township1", f"/call/{call_id}/transitions") == ["log_progress", "share", "comment", "withdraw"]
    assert names("dispatcher", f"/call/{call_id}/transitions")[:2] == ["accept", "dispatch"]
    assert names("leader", f"/call/{call_id}/transitions") == ["instruct", "share", "comment"]
    county.do("dispatcher", *_dispatch(county, call_id))
    (assignment,) = county.assignments(call_id)
    assert "respond" in names("department1", f"/assignment/{assignment}/transitions")
    assert "respond" not in names("township1", f"/assignment/{assignment}/transitions")


def _dispatch(county: County, call_id: int) -> tuple[Any, ...]:
    from models.call import Call

    return Call, call_id, "dispatch", {"lead": county["department1"], "cooperating": []}


def test_transitions_tell_their_questions(county: County) -> None:
    _call_id, assignment = county.dispatched("department1")
    told = {one["name"]: one for one in Api(county, "department1").get(f"/assignment/{assignment}/transitions").json}
    assert told["respond"]["label"]
    how = told["respond"]["fields"][0]
    assert (how["name"], how["type"], how["required"]) == ("how", "choice", True)
    assert [choice["value"] for choice in how["choices"]] == ["phone", "on_site", "meeting"]
    assert all(choice["label"] for choice in how["choices"])


def test_an_evaluation_tells_whom_it_concerns(county: County) -> None:
    call_id, assignment = county.dispatched("department1")
    county.respond("department1", assignment)
    county.report("department1", assignment)
    told = {one["name"]: one for one in Api(county, "township1").get(f"/call/{call_id}/transitions").json}
    entries = told["evaluate"]["fields"][0]
    assert entries["type"] == "entries"
    assert [row["assignment"] for row in entries["rows"]] == [assignment]
    assert [one["name"] for one in entries["fields"]] == ["assignment", "satisfaction", "solved", "comment"]


def test_a_refused_step_leaves_no_trace(county: County) -> None:
    call_id = county.submitted()
    api = Api(county, "dispatcher")
    assert (
        api.post(
            f"/call/{call_id}/dispatch", {"lead": county["department1"], "cooperating": [county["department1"]]}
        ).status_code
        == 422
    )
    assert api.one("call", call_id)["state"] == "submitted"
    assert api.one("call", call_id)["assignments"] == []
