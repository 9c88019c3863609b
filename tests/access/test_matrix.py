"""Every route × every role × own row and foreign row (issue of access; spec 5, security).

`routes.txt` lists every route of the program; `allowed/<person>.txt` those that are open to a person on rows of the own county that
concern township1, department1 and agency1. A new route, or one that opens to somebody else, fails until it has been thought about:
`pytest tests/access --rewrite-access` writes the lists anew, for review. A row of another county is never open, and no word of it is ever shown.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from models.base import RECORD_TYPES
from tests.access.conftest import Rows
from tests.access.routes import Route, routes
from tests.app.portal.api_client import Api
from tests.app.visitor import Visitor, visitor
from tests.conftest import Installation
from tests.county import County

HERE = Path(__file__).parent
PEOPLE = (
    "sysadmin", "secadmin", "auditor", "checklist", "legal", "dispatcher", "director", "duty", "supervisor", "assessor", "personnel",
    "leader", "city", "township1", "township1_leader", "township2", "department1", "department1_leader", "department2", "agency1",
)  # fmt: skip
CLOSED = (401, 403, 404)
MAY_WAIT = {"GET /health", "GET /api/v1/document/<pk>/pdf"}
"""Answered by 503: no worker runs here, and the sample paper has not been produced."""
SHOWN_WITH = {
    "duty": "checklist_item", "organisation_alias": "organisation", "bulletin_case": "bulletin", "bulletin_recipient": "bulletin",
    "inspection_call": "inspection", "inspection_item": "inspection", "convening_invitee": "convening", "call_share": "call",
}  # fmt: skip
"""Rows that are read on the page of another."""
BESIDE = {"event", "audit", "inbox", "import", "role"}
"""Rows of what is no record type."""
ENDS_THE_VISIT = {"POST /logout/", "POST /login/", "GET /login/"}


class Walk:
    """One person on every route."""

    def __init__(self, installation: Installation, county: County, name: str) -> None:
        self.installation = installation
        self.here: Visitor = visitor(county, name)
        self.api = Api(county, name)
        self.token = self.here.token()

    def ask(self, route: Route, rows: dict[str, int]) -> TestResponse:
        address = route.address(rows)
        if address.startswith("/api/"):
            given = {} if route.method in ("POST", "PUT") else None
            answer = self.api.call(route.method, address.removeprefix("/api/v1"), json=given)
        elif route.method == "GET":
            answer = self.here.get(address)
        else:
            answer = self.here.post(address, {"keys": [str(key) for key in rows.values()]}, token=self.token)
        if route.method != "GET" and answer.status_code < 400:
            self.installation.fresh("samples")
        return answer


def test_every_route_is_listed(sqlite_installation: Installation, request: pytest.FixtureRequest) -> None:
    found = "".join(f"{route}\n" for route in routes(sqlite_installation.app))
    kept = HERE / "routes.txt"
    if request.config.getoption("rewrite_access"):
        kept.write_text(found, encoding="utf-8")
    assert found == kept.read_text(encoding="utf-8"), "a route came or went: who may use it?"


@pytest.mark.parametrize("name", PEOPLE)
def test_a_person_on_every_route(
    name: str,
    county: County,
    rows: Rows,
    sqlite_installation: Installation,
    request: pytest.FixtureRequest,
) -> None:
    own, foreign = rows
    walk = Walk(sqlite_installation, county, name)
    opened, shown = [], {}
    for route in routes(county.app):
        if str(route) in ENDS_THE_VISIT:
            continue
        answer = walk.ask(route, own)
        assert answer.status_code < 500 or str(route) in MAY_WAIT, (str(route), answer.status_code)
        is_open = answer.status_code not in CLOSED
        if is_open:
            opened.append(str(route))
        shown[str(route)] = readable(answer)
        if route.of_row and route.resource in foreign and (is_open or "/show/" in route.rule):
            stranger = walk.ask(route, foreign)
            assert stranger.status_code in CLOSED, (str(route), "a row of another county", stranger.status_code)
            assert "夜莺鸟" not in readable(stranger), str(route)
    for route_name, text in shown.items():
        assert "夜莺鸟" not in text, (route_name, "shows a row of another county")
        for resource in set(re.findall(r"金丝雀([a-z_]+)\.", text)):
            if not sees(opened, resource) and not (
                name == "auditor" and ("event" in route_name or "audit" in route_name)
            ):
                pytest.fail(f"{route_name} shows words of a {resource} that {name} does not see")
    kept = HERE / "allowed" / f"{name}.txt"
    found = "".join(f"{route}\n" for route in opened)
    if request.config.getoption("rewrite_access"):
        kept.write_text(found, encoding="utf-8")
    assert found == kept.read_text(encoding="utf-8")


def sees(opened: list[str], resource: str) -> bool:
    """Whether a row's own page or resource is open, or it stands on the page of a row that is its whole."""
    resource = SHOWN_WITH.get(resource, resource)
    return f"GET /{resource}/show/<pk>" in opened or f"GET /api/v1/{resource}/<pk>" in opened


def readable(answer: TestResponse) -> str:
    """A body as text, JSON's escapes resolved."""
    if not answer.mimetype.startswith(("text/", "application/json")):
        return ""
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found.group(1), 16)), answer.text)


def test_every_record_type_has_a_sample(rows: Rows) -> None:
    for found in rows:
        assert found.keys() - BESIDE == RECORD_TYPES.keys()
