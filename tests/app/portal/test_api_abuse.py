"""Whatever comes in by REST gets a clear 4xx, never a 500, and never a half-done change (spec 5, Reliability and Security)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from flask_jwt_extended import create_access_token, create_refresh_token
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.call import Call
from models.person import Person
from tests.app.portal.api_client import Api
from tests.county import County

PATHS = [
    ("GET", "/call/"),
    ("GET", "/call/1"),
    ("POST", "/call/"),
    ("PUT", "/call/1"),
    ("DELETE", "/call/1"),
    ("GET", "/call/1/transitions"),
    ("POST", "/call/1/submit"),
    ("GET", "/document/1/pdf"),
    ("GET", "/event/"),
    ("GET", "/me"),
    ("GET", "/_openapi"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_without_a_token_everything_is_401(county: County, method: str, path: str) -> None:
    answer = county.app.test_client().open(
        f"/api/v1{path}", method=method, json={} if method in ("POST", "PUT") else None
    )
    assert answer.status_code == 401
    assert answer.json["message"]


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer a.b.c",
        "Bearer ééé",
        "Basic YTpi",
        "Bearer " + "a" * 7000,
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxOjAifQ.",
    ],
)
def test_a_garbage_token_is_401(county: County, header: str) -> None:
    for method, path in (("GET", "/call/"), ("POST", "/call/"), ("GET", "/me")):
        answer = county.app.test_client().open(f"/api/v1{path}", method=method, headers={"Authorization": header})
        assert answer.status_code == 401, (header, answer.text)
        assert answer.is_json


def test_expired_foreign_and_ended_tokens_are_401(county: County) -> None:
    with county.acting(None) as session:
        identity = session.get_one(Person, county.people["township1"]).get_id()
        tokens = [
            create_access_token(identity=identity, expires_delta=timedelta(seconds=-10)),
            create_refresh_token(identity=identity),
            create_access_token(identity="999999:0"),
            create_access_token(identity="x"),
            create_access_token(identity="1" * 40 + ":0"),
            create_access_token(identity=f"{county.people['township1']}:99"),
        ]
    for token in tokens:
        answer = county.app.test_client().get("/api/v1/call/", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401
        assert answer.is_json


def test_a_session_cookie_does_not_open_the_api(county: County) -> None:
    client = county.client("township1")
    assert client.get("/api/v1/call/").status_code == 401
    assert client.post("/api/v1/call/", json={"title": "x"}).status_code == 401


def test_a_token_needs_no_csrf_token(county: County) -> None:
    county.app.config["WTF_CSRF_ENABLED"] = True
    assert Api(county, "township1").post("/call/", {"title": "甲"}).status_code == 201


@pytest.mark.parametrize(
    "key",
    [
        "0",
        "-1",
        "abc",
        "1.5",
        "9" * 18,
        "9" * 19,
        "9" * 20,
        "9" * 5000,
        str(2**63),
        "%00",
        "1%00",
        "١",
        "1e3",
        " 1",
        "null",
        "'",
        "%F0%9F%92%A9",
    ],
)
def test_any_id_in_an_address_is_404(county: County, key: str) -> None:
    api = Api(county, "township1")
    assert api.get(f"/call/{key}").status_code == 404
    assert api.put(f"/call/{key}", {}).status_code == 404
    assert api.delete(f"/call/{key}").status_code == 404
    assert api.post(f"/call/{key}/submit", {}).status_code == 404
    assert api.get(f"/call/{key}/transitions").status_code == 404
    assert api.get(f"/document/{key}/pdf").status_code == 404


NASTY_QUERIES: list[Any] = [
    "(",
    ")",
    "(a:",
    "!",
    "!(",
    "!(1,",
    "'",
    "(page:",
    "x",
    "1",
    "!n",
    "!t",
    "!(1)",
    "''",
    "(page:x)",
    "(page:-1)",
    "(page:1.5)",
    "(page:!t)",
    "(page:99999999999999999999)",
    "(page_size:0)",
    "(page_size:-1)",
    "(page_size:x)",
    "(page_size:!(1))",
    "(page:1e400)",
    "\x00",
    "(a:\x00)",
    "é",
    "(order_column:nonsense)",
    "(order_column:!(1))",
    "(order_column:assignments)",
    "(order_column:township.name)",
    "(order_column:id,order_direction:sideways)",
    "(order_column:'id; drop table call')",
    "(order_direction:!(1))",
    "(columns:x)",
    "(columns:!(nonsense))",
    "(columns:!(1))",
    "(keys:x)",
    "(keys:!(1))",
    "(filters:x)",
    "(filters:!(x))",
    "(filters:!(()))",
    "(filters:!((col:title)))",
    "(filters:!((col:title,opr:eq)))",
    "(filters:!((col:nonsense,opr:eq,value:1)))",
    "(filters:!((col:password,opr:eq,value:1)))",
    "(filters:!((col:title,opr:nonsense,value:1)))",
    "(filters:!((col:title,opr:gt,value:1)))",
    "(filters:!((col:!(1),opr:eq,value:1)))",
    "(filters:!((col:title,opr:!(1),value:1)))",
    "(filters:!((col:state,opr:eq,value:nonsense)))",
    "(filters:!((col:state,opr:eq,value:!(1))))",
    "(filters:!((col:id,opr:eq,value:abc)))",
    "(filters:!((col:id,opr:eq,value:99999999999999999999)))",
    "(filters:!((col:version,opr:eq,value:99999999999)))",
    "(filters:!((col:id,opr:in,value:!())))",
    "(filters:!((col:id,opr:in,value:1)))",
    "(filters:!((col:id,opr:in,value:!(!(1)))))",
    "(filters:!((col:happened_at,opr:gt,value:yesterday)))",
    "(filters:!((col:happened_at,opr:gt,value:!n)))",
    "(filters:!((col:happened_at,opr:gt,value:9999-99-99)))",
    "(filters:!((col:township,opr:rel_o_m,value:x)))",
    "(filters:!((col:township,opr:rel_o_m,value:-5)))",
    "(filters:!((col:township,opr:ct,value:x)))",
    "(filters:!((col:complex,opr:eq,value:maybe)))",
    "(filters:!((col:title,opr:eq,value:(a:b))))",
    "(filters:!((col:title,opr:ct,value:!(1))))",
    "(filters:!((col:assignments,opr:eq,value:1)))",
    "[" * 5000,
    "!(" * 3900,
    "(a:" * 2600,
    "x" * 9000,
    '{"page":',
    "[1,2]",
    '{"filters": {"a": 1}}',
    '{"filters":[{"col":"title","opr":"eq","value":"\\ud800"}]}',
    '{"filters":[{"col":"title","opr":"ct","value":"\\u0000"}]}',
    '{"filters":[{"col":"title","opr":"eq","value":{"a":{"b":1}}}]}',
    '{"page":1' + "0" * 5000 + "}",
    '{"page":NaN}',
    '{"page":Infinity}',
    json.dumps({"filters": [{"col": "title", "opr": "eq", "value": "x"}] * 51}),
]


def test_a_bad_query_is_4xx_with_a_sentence(county: County) -> None:
    api = Api(county, "township1")
    for query in NASTY_QUERIES:
        answer = api.get("/call/", query)
        assert answer.status_code in (400, 422), (query[:80], answer.status_code, answer.text[:200])
        assert len(answer.json["message"]) > 5
        shown = api.get(f"/call/{10**6}", query)
        assert 400 <= shown.status_code < 500, query[:80]


def test_a_sound_query_with_odd_values_finds_nothing(county: County) -> None:
    county.draft()
    api = Api(county, "township1")
    for value in ("💩", "' OR 1=1 --", "\\", "a" * 400, "龘", "\t", "\x7f", "٠"):
        answer = api.get("/call/", {"filters": [{"col": "title", "opr": "eq", "value": value}], "keys": ["none"]})
        assert answer.status_code == 200, (value, answer.text)
        assert answer.json["result"] == []
    assert api.rows("call", {"page": 1_000_000}) == []
    assert api.rows("call", {"filters": [{"col": "id", "opr": "eq", "value": 2**63 - 1}]}) == []


NASTY_VALUES: list[Any] = [
    "\x00",
    "a\x00b",
    "\ud800",
    "💩",
    "x" * 30_000,
    0,
    -1,
    2**31,
    2**63,
    10**400,
    1.5,
    1e308,
    True,
    False,
    [],
    {},
    [[]],
    [None],
    {"id": 1},
    {"id": None},
    {"a": {"b": []}},
    ["x"] * 600,
    "2026-13-45",
    "0000-00-00T00:00",
    "9999-12-31T23:59:59+14:00",
    "0001-01-01T00:00:00+14:00",
    "NaN",
    "Infinity",
    "<script>",
    "${7*7}",
    "{{7*7}}",
    "\u202e",
    "=cmd()",
]


def test_any_value_in_any_field_of_post_and_put_is_never_a_500(county: County) -> None:
    api = Api(county, "township1")
    draft = county.draft()
    fields = [
        "title",
        "kind",
        "checklist_item",
        "field",
        "description",
        "place",
        "happened_at",
        "contact_name",
        "contact_phone",
        "source",
        "external_number",
        "agreed_by",
        "version",
        "state",
        "x",
    ]
    for name in fields:
        for value in NASTY_VALUES:
            body = json.dumps({name: value})
            for method, path in (("POST", "/call/"), ("PUT", f"/call/{draft}")):
                answer = api.call(method, path, data=body, content_type="application/json")
                assert answer.status_code < 500, (method, name, str(value)[:60], answer.text)
                if answer.status_code == 422:
                    assert set(answer.json) == {name}, (name, str(value)[:60], answer.text)


def test_any_value_in_any_field_of_a_step_is_never_a_500_and_changes_nothing(county: County) -> None:
    api = Api(county, "dispatcher")
    call_id = county.submitted()
    for name in ("lead", "cooperating", "remark", "complex", "respond_due", "report_due", "version"):
        for value in NASTY_VALUES:
            answer = api.call(
                "POST", f"/call/{call_id}/dispatch", data=json.dumps({name: value}), content_type="application/json"
            )
            assert answer.status_code in (400, 409, 422), (name, str(value)[:60], answer.text)
    assert api.one("call", call_id)["state"] == "submitted"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"{",
        b"[]",
        b"null",
        b"1e999",
        b"\xff\xfe\x00",
        b'"x"',
        b"[" * 200_000,
        b'{"title":' * 100_000,
        b'{"title": ' + b"9" * 5000 + b"}",
    ],
)
def test_any_bytes_as_a_body_are_4xx(county: County, body: bytes) -> None:
    draft = county.draft()
    api = Api(county, "township1")
    for method, path in (("POST", "/call/"), ("PUT", f"/call/{draft}")):
        answer = api.call(method, path, data=body, content_type="application/json")
        assert answer.status_code in (400, 422), answer.text
        assert answer.json


def test_a_deep_value_is_refused(county: County) -> None:
    deep: Any = "x"
    for _ in range(200):
        deep = [deep]
    assert Api(county, "township1").post("/call/", {"title": deep}).status_code == 400


def test_an_unknown_resource_and_a_wrong_method_answer_in_json(county: County) -> None:
    api = Api(county, "township1")
    assert api.get("/nonsense/").status_code == 404
    assert api.get("/nonsense/").json["message"]
    answer = api.call("PATCH", "/call/1", json={})
    assert answer.status_code == 405
    assert answer.json["message"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(alphabet=st.sampled_from(list("()!':,*@$-0123456789abcpage_sizfltrsoc \x00é")), max_size=40))
def test_no_text_as_a_query_is_a_500(county: County, query: str) -> None:
    assert Api(county, "township1").get("/call/", query).status_code < 500


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    value=st.dictionaries(
        st.sampled_from(["title", "field", "kind", "happened_at", "checklist_item", "version", "z"]),
        json_values,
        max_size=4,
    )
)
def test_no_json_as_a_body_is_a_500(county: County, value: dict[str, Any]) -> None:
    answer = Api(county, "township1").call("POST", "/call/", data=json.dumps(value), content_type="application/json")
    assert answer.status_code < 500, answer.text


def test_canary_rows_of_another_county_appear_nowhere(county: County) -> None:
    canary = "金丝雀九九"
    call_id = county.draft("township9", title=canary, description=canary)
    county.do("township9", Call, call_id, "submit", {})
    for name in (
        "township1",
        "department1",
        "dispatcher",
        "supervisor",
        "leader",
        "auditor",
        "city",
        "duty",
        "sysadmin",
    ):
        api = Api(county, name)
        for resource in (
            "call",
            "assignment",
            "organisation",
            "checklist",
            "checklist_item",
            "notice",
            "document",
            "event",
            "setting",
        ):
            answer = api.get(f"/{resource}/", {"page_size": 500})
            assert answer.status_code in (200, 403), (name, resource)
            assert canary not in answer.get_data(as_text=True), (name, resource)
            assert "山阳" not in answer.get_data(as_text=True), (name, resource)
