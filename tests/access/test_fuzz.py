"""Any bytes in any field, any id in any address: a clear 4xx, never a 500, nothing half done (spec 5, Reliability)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings

from app.database import db
from models.base import RECORD_TYPES
from models.event import Event
from tests.access.conftest import EVERYBODY, Rows
from tests.access.routes import Route, routes
from tests.app.portal.api_client import Api
from tests.app.visitor import Visitor, form_to, visitor
from tests.conftest import Installation
from tests.county import County

NASTY = (
    "\x00", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "x" * 30_000, "=cmd|'/c calc'!A1", "<script>alert(1)</script>",
    "{{7*7}}${7*7}", "1e400", "-1", "9" * 60, "²", "0000-00-00", "9999-12-31T23:59:59+14:00", "10000-01-01", "\u202e反",
    "'; DROP TABLE call; --", "😀",
)  # fmt: skip
EXAMPLES = 2
"""Requests per operation and mode."""
IDS = ("0", "-1", "9223372036854775808", "abc", "%00", "²")


def _size(county: County) -> tuple[int, ...]:
    """How many rows there are of every type, and events."""
    with county.app.app_context():
        models = [*RECORD_TYPES.values(), Event]
        counts = [
            sa.select(sa.func.count()).select_from(sa.inspect(model).local_table).scalar_subquery() for model in models
        ]
        with db.engine.connect() as connection:
            return tuple(connection.execute(sa.select(*counts)).one())


def _questions_of_forms(here: Visitor, county: County) -> dict[str, list[str]]:
    """The names that each form for a new record asks for, by its address."""
    found = {}
    for route in routes(county.app):
        if not (route.rule.endswith("/add") and route.method == "GET"):
            continue
        page = here.get(route.rule)
        if page.status_code == 200:
            found[route.rule] = [name for name in form_to(page, route.rule).values if name != "csrf_token"]
        else:
            assert page.status_code in (403, 404, 409), route
    return found


@pytest.mark.parametrize("half", [0, 1])
def test_any_text_in_every_field_of_every_form(county: County, half: int) -> None:
    here = visitor(county, EVERYBODY)
    token = here.token()
    forms = _questions_of_forms(here, county)
    for text in NASTY[half::2]:
        for path, names in forms.items():
            before = _size(county)
            answer = here.post(path, dict.fromkeys(names, text), token=token)
            assert answer.status_code in (302, 403, 404, 409, 413, 422), (path, text[:40], answer.status_code)
            if answer.status_code != 302:
                assert _size(county) == before, (path, text[:40], "half done")


@pytest.mark.parametrize("turn", range(len(NASTY)))
def test_any_text_in_every_question_of_every_step(county: County, rows: Rows, turn: int) -> None:
    """By the form and by the interface in turn, so that each step is asked both ways with half of the texts."""
    text, here, api = NASTY[turn], visitor(county, EVERYBODY), Api(county, EVERYBODY)
    token = here.token()
    steps = [
        (resource, step)
        for resource, model in RECORD_TYPES.items()
        if model.workflow is not None
        for step in model.workflow.transitions
    ]
    for place, (resource, step) in enumerate(steps):
        values = {one.name: text for one in step.known}
        record = "" if step.begins else f"{rows[0][resource]}/"
        path = f"/{resource}/{record}{step.name}"
        before = _size(county)
        if (place + turn) % 2:
            answer = api.post(path, values)
        else:
            page = f"/{resource}/begin/{step.name}" if step.begins else path
            answer = here.post(page, {**values, "version": "1"}, token=token)
        assert answer.status_code < 500, (resource, step.name, answer.status_code)
        if answer.status_code >= 400:
            assert _size(county) == before, (resource, step.name, "half done")


@pytest.mark.parametrize("turn", range(len(NASTY)))
def test_any_text_in_every_address_of_a_list(county: County, turn: int) -> None:
    """Each list is asked with half of the texts, the interface with the others."""
    text, here, api = NASTY[turn], visitor(county, EVERYBODY), Api(county, EVERYBODY)
    listed = [
        route
        for route in routes(county.app)
        if route.method == "GET" and not route.of_row and route.rule.endswith(("/list/", "/add"))
    ]
    for route in listed[turn % 2 :: 2]:
        fields = (
            "q",
            "tab",
            "sort",
            "order",
            "after",
            "before",
            "state",
            "kind",
            "township",
            "department",
            "county",
            "name",
            "date",
        )
        answer = here.get(route.rule, query_string=dict.fromkeys(fields, text))
        assert answer.status_code < 500, (str(route), answer.status_code)
    for resource in list(RECORD_TYPES)[turn % 2 :: 2]:
        answer = api.call("GET", f"/{resource}/", query_string={"q": text})
        assert answer.status_code < 500, (resource, answer.status_code)


def _of_rows(county: County) -> Iterator[Route]:
    return (route for route in routes(county.app) if route.of_row)


@pytest.mark.parametrize("key", IDS)
def test_any_id_in_any_address(county: County, key: str) -> None:
    here, api = visitor(county, EVERYBODY), Api(county, EVERYBODY)
    token = here.token()
    for route in _of_rows(county):
        address = route.rule.replace("<pk>", key)
        if address.startswith("/api/"):
            given = {} if route.method in ("POST", "PUT") else None
            answer = api.call(route.method, address.removeprefix("/api/v1"), json=given)
        elif route.method == "GET":
            answer = here.get(address)
        else:
            answer = here.post(address, token=token)
        assert answer.status_code in (403, 404, 405), (str(route), answer.status_code)


# ---- the REST interface by its own description


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: str(mode.value))
def test_the_interface_as_it_describes_itself(
    county: County, rows: Rows, sqlite_installation: Installation, mode: schemathesis.GenerationMode
) -> None:
    """Every operation, with requests made from its own description and beside it, on rows that are there."""
    headers = {"Authorization": f"Bearer {Api(county, EVERYBODY).token}"}
    described = schemathesis.openapi.from_wsgi("/api/v1/_openapi", county.app, headers=headers)
    for found in described.get_all_operations():
        operation = found.ok()
        if "/security/" in operation.path:
            continue  # signing in has tests of its own, and is limited
        key = rows[0].get(operation.path.split("/")[3])
        chosen = {"pk": key} if "{pk}" in operation.path and key is not None else None
        cases = operation.as_strategy(mode, path_parameters=chosen)

        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=cases)
        def ask(case: schemathesis.Case) -> None:
            answer = case.call(headers=headers)
            assert answer.status_code < 500 or answer.status_code == 503, (case.method, case.path, answer.status_code)

        ask()
