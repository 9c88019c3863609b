"""A program that uses the REST interface with somebody's token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import prison
import sqlalchemy as sa
from flask_jwt_extended import create_access_token
from werkzeug.test import TestResponse

from app.database import db
from models.person import Person
from tests.county import County


class Api:
    """One person's access to the interface."""

    def __init__(self, county: County, name: str) -> None:
        self.county = county
        with county.acting(None) as session:
            identity = session.get_one(Person, county.people[name]).get_id()
            self.token = create_access_token(identity=identity)
        self.client = county.app.test_client()

    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, **options)

    def get(self, path: str, q: Any = None) -> TestResponse:
        return self.call(
            "GET", path, query_string={"q": q if isinstance(q, str) else prison.dumps(q)} if q is not None else None
        )

    def post(self, path: str, given: Any = None) -> TestResponse:
        return self.call("POST", path, **({} if given is None else {"json": given}))

    def put(self, path: str, given: Any) -> TestResponse:
        return self.call("PUT", path, json=given)

    def delete(self, path: str) -> TestResponse:
        return self.call("DELETE", path)

    def rows(self, resource: str, q: Any = None) -> list[dict[str, Any]]:
        answer = self.get(f"/{resource}/", q)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json["result"]
        return found

    def ids(self, resource: str, q: Any = None) -> list[int]:
        return [row["id"] for row in self.rows(resource, q)]

    def one(self, resource: str, key: int) -> dict[str, Any]:
        answer = self.get(f"/{resource}/{key}")
        assert answer.status_code == 200, answer.text
        assert answer.json["id"] == key
        found: dict[str, Any] = answer.json["result"]
        return found


@contextmanager
def statements(county: County) -> Iterator[list[str]]:
    """The SQL statements sent meanwhile, without the beginnings and ends of transactions."""
    sent: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            sent.append(statement)

    with county.app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
