"""A person at a browser without a screen: opens pages, reads what stands on them, fills in forms, and sends them with the page's own token."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.database import transaction
from models import clock, viewer
from models.notification import Demonstration
from tests.county import PASSWORD, County


@dataclass
class Form:
    """A form of a page with its values, as a browser would send them."""

    action: str = ""
    method: str = "get"
    values: dict[str, list[str]] = field(default_factory=dict)
    kept: str = ""
    """Key under which the browser keeps a draft."""


class _Reader(HTMLParser):
    """Reads the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._inside = False
        self._select = ""
        self._area = ""

    def _put(self, name: str, value: str) -> None:
        if self._inside and name:
            self.forms[-1].values.setdefault(name, []).append(value)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(
                Form(given.get("action", ""), given.get("method", "get").lower(), kept=given.get("data-autosave", ""))
            )
            self._inside = True
        elif tag == "input":
            kind = given.get("type", "text")
            if kind in ("checkbox", "radio") and "checked" not in given:
                return
            self._put(given.get("name", ""), given.get("value", ""))
        elif tag == "select":
            self._select = given.get("name", "")
        elif tag == "option" and "selected" in given:
            self._put(self._select, given.get("value", ""))
        elif tag == "textarea":
            self._area = given.get("name", "")
            self._put(self._area, "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "textarea" and self._area:
            values = self.forms[-1].values[self._area]
            values[-1] = re.sub(r"^\r?\n", "", values[-1])  # browsers leave out the first line break
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area and self._inside:
            self.forms[-1].values[self._area][-1] += data


def forms_of(page: TestResponse) -> list[Form]:
    """The forms of a page, in order."""
    reader = _Reader()
    reader.feed(page.text)
    return reader.forms


def form_to(page: TestResponse, action: str) -> Form:
    """The form of a page that is sent to an address."""
    return next(one for one in forms_of(page) if one.action == action)


def kept(page: TestResponse, action: str) -> dict[str, str]:
    """What stands in a form that came back, by name."""
    return {name: values[-1].replace("\r\n", "\n") for name, values in form_to(page, action).values.items()}


def words_of(page: TestResponse) -> str:
    """What a reader sees of a page, without the mark-up, spaces folded."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page.text, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


class Visitor:
    """A browser, signed in or not."""

    def __init__(self, client: FlaskClient, address: str = "192.0.2.10") -> None:
        self.client = client
        self.address = address

    def get(self, url: str, **options: Any) -> TestResponse:
        return self.client.get(url, environ_base={"REMOTE_ADDR": self.address}, **options)

    def token(self) -> str:
        """The token against forged requests that stands on this person's pages."""
        for page in ("/password/", "/login/"):
            found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.get(page).text)
            if found:
                return found.group(1)
        raise AssertionError("no page with a token")

    def post(
        self, url: str, values: Mapping[str, Any] | None = None, *, token: str | None = None, **options: Any
    ) -> TestResponse:
        """Send a form with the token, as a page of the portal does."""
        data = {"csrf_token": token or self.token(), **(values or {})}
        return self.client.post(url, data=data, environ_base={"REMOTE_ADDR": self.address}, **options)

    def sign_in(self, name: str, password: str = PASSWORD, *, target: str = "/login/") -> TestResponse:
        return self.post(target, {"username": name, "password": password})

    @property
    def signed_in(self) -> bool:
        """Whether the first page opens."""
        return self.get("/").status_code == 200


class Program:
    """A program that uses the REST interface."""

    def __init__(self, app: Flask, address: str = "192.0.2.20") -> None:
        self.client = app.test_client()
        self.address = address
        self.token = ""

    def sign_in(self, name: str, password: str = PASSWORD, **more: Any) -> TestResponse:
        answer = self.call(
            "POST", "security/login", json={"username": name, "password": password, "provider": "db", **more}
        )
        if answer.status_code == 200:
            assert answer.json is not None
            self.token = answer.json["access_token"]
        return answer

    def call(self, method: str, path: str, token: str | None = None, **options: Any) -> TestResponse:
        bearer = self.token if token is None else token
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return self.client.open(
            f"/api/v1/{path}", method=method, headers=headers, environ_base={"REMOTE_ADDR": self.address}, **options
        )

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.call("GET", path, **options)


def program(county: County, name: str) -> Program:
    """A program signed in as a person."""
    made = Program(county.app)
    assert made.sign_in(name).status_code == 200
    return made


def visitor(county: County, name: str | None = None) -> Visitor:
    """A browser, in which a person has signed in if one is named."""
    return Visitor(county.client(name) if name is not None else county.app.test_client())


@contextmanager
def moved_clock(county: County, to: datetime) -> Iterator[None]:
    """Move the installation's clock, as `flask clock --at` does for everybody; back to the machine's afterwards."""
    set_clock(county.app, to)
    try:
        yield
    finally:
        set_clock(county.app, None)


def set_clock(app: Flask, to: datetime | None) -> None:
    """Let the installation's clock show an instant from now on; None: the machine's time."""
    offset = (to - clock.now()) if to is not None else timedelta()
    with app.app_context(), viewer.system(), transaction() as session:
        row = session.get(Demonstration, 1)
        if row is None:
            session.add(Demonstration(id=1, seed=1, complete=True, clock_offset=offset.total_seconds()))
        else:
            row.clock_offset = offset.total_seconds()
