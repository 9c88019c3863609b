"""`/api/v1/_openapi` describes the interface truly (spec 4, REST)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from models.base import RECORD_TYPES
from models.call import Call
from tests.app.portal.api_client import Api
from tests.county import County


@pytest.fixture
def described(county: County) -> dict[str, Any]:
    answer = Api(county, "legal").get("/_openapi")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def _operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _at(described: dict[str, Any], reference: str) -> Any:
    found: Any = described
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def _json_schema(described: dict[str, Any], schema: Any) -> Any:
    """A schema of OpenAPI 3.0 in the words of JSON Schema: references followed, `nullable` as a type."""
    if isinstance(schema, list):
        return [_json_schema(described, one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _json_schema(described, _at(described, schema["$ref"]))
    inner = {name: _json_schema(described, value) for name, value in schema.items() if name != "nullable"}
    return {"anyOf": [inner, {"type": "null"}]} if schema.get("nullable") is True else inner


def _check(described: dict[str, Any], reference: str, value: Any) -> None:
    jsonschema.validate(value, _json_schema(described, {"$ref": reference}))


def test_it_is_a_whole_document(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.0")
    assert described["info"]["title"]
    assert described["info"]["version"]
    for reference in _references(described):
        assert _at(described, reference) is not None
    seen = set()
    for path, method, operation in _operations(described):
        assert operation["responses"], (path, method)
        declared = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", path)), (path, method)
        if "operationId" in operation:
            assert operation["operationId"] not in seen
            seen.add(operation["operationId"])
        for scheme in operation.get("security", []):
            assert set(scheme) <= set(described["components"]["securitySchemes"])


def test_every_route_of_the_interface_is_described_and_nothing_else_is(
    county: County, described: dict[str, Any]
) -> None:
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule).rstrip("/"), method.lower())
        for rule in county.app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(path.rstrip("/"), method) for path, method, _operation in _operations(described)} == routes


def test_there_is_one_operation_for_each_transition_with_its_fields(county: County, described: dict[str, Any]) -> None:
    for name, model in RECORD_TYPES.items():
        if model.workflow is None or f"/api/v1/{name}/" not in described["paths"]:
            continue
        for transition in model.workflow.transitions:
            record = "" if transition.begins else "{pk}/"
            operation = described["paths"][f"/api/v1/{name}/{record}{transition.name}"]["post"]
            body = _at(described, operation["requestBody"]["content"]["application/json"]["schema"]["$ref"])
            version = set() if transition.begins else {"version"}
            assert set(body["properties"]) == {asked.name for asked in transition.known} | version
    assert described["components"]["schemas"]["call.dispatch"]["required"] == ["lead"]


def test_what_is_read_fits_its_schema(county: County, described: dict[str, Any]) -> None:
    call_id, assignment = county.dispatched("department1")
    county.respond("department1", assignment)
    api = Api(county, "dispatcher")
    for resource in ("call", "assignment", "document", "organisation", "checklist", "checklist_item"):
        for row in api.rows(resource):
            _check(described, f"#/components/schemas/{resource}.read", row)
    for row in Api(county, "auditor").rows("event"):
        _check(described, "#/components/schemas/event.read", row)
    told = api.get(f"/call/{call_id}/transitions").json
    schema = described["paths"]["/api/v1/call/{pk}/transitions"]["get"]["responses"]["200"]["content"][
        "application/json"
    ]["schema"]
    jsonschema.validate(told, _json_schema(described, schema))


def test_what_the_schema_of_a_step_lets_through_is_taken(county: County, described: dict[str, Any]) -> None:
    call_id = county.submitted()
    order = {"lead": county["department1"], "cooperating": [county["department2"]], "remark": None, "complex": False}
    _check(described, "#/components/schemas/call.dispatch", order)
    assert Api(county, "dispatcher").post(f"/{Call.resource()}/{call_id}/dispatch", order).status_code == 200
    with pytest.raises(jsonschema.ValidationError):
        _check(described, "#/components/schemas/call.dispatch", {"cooperating": ["x"]})


def test_writing_is_described_by_the_fields_that_may_be_written(county: County, described: dict[str, Any]) -> None:
    created = described["components"]["schemas"]["call.create"]["properties"]
    assert {
        "title",
        "field",
        "description",
        "place",
        "checklist_item",
        "kind",
        "happened_at",
        "contact_name",
        "contact_phone",
        "source",
        "external_number",
    } <= set(created)
    assert not {"state", "township", "number", "id"} & set(created)
    assert created["kind"]["enum"] == ["general", "emergency"]
    assert "put" not in described["paths"]["/api/v1/assignment/{pk}"]
    assert "post" not in described["paths"]["/api/v1/document/"]


def test_it_needs_a_token(county: County) -> None:
    assert county.app.test_client().get("/api/v1/_openapi").status_code == 401
    assert county.client("township1").get("/api/v1/_openapi").status_code == 401


def test_another_version_is_not_described(county: County) -> None:
    api = Api(county, "township1")
    answer = api.client.get("/api/v9/_openapi", headers={"Authorization": f"Bearer {api.token}"})
    assert answer.status_code == 404
