"""What is reachable at all and how it answers: hosts, cookies, headers, forged requests, every route of the program (spec 5, Security)."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.app.visitor import visitor
from tests.conftest import Installation
from tests.county import County


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough: nothing here depends on which."""
    sqlite_installation.fresh("county")
    return sqlite_installation


@pytest.mark.parametrize("path", ["/", "/login/", "/call/list/", "/nowhere", "/api/v1/me"])
@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "evil.example:80", "localhost@evil.example", "", "[", "a b"]
)
def test_a_foreign_host_is_refused(county: County, path: str, host: str) -> None:
    answer = county.client("township1").get(path, headers={"Host": host})
    assert answer.status_code == 400
    assert "evil.example" not in answer.text


# ---- cookies and headers


def test_the_cookie_s_flags(county: County) -> None:
    here = visitor(county)
    here.sign_in("township1")
    cookie = here.get("/").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie


@pytest.mark.parametrize(
    "path",
    ["/login/", "/", "/call/list/", "/nowhere", "/api/v1/me", "/api/v1/nowhere", "/static/huying.js", "/health/ready"],
)
def test_every_answer_has_its_headers(county: County, path: str) -> None:
    answer = county.client("township1").get(path, buffered=True)
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["object-src"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy["form-action"] == "'self'"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert not re.search(r"https?:", answer.headers["Content-Security-Policy"])
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    if answer.mimetype == "text/html" and answer.status_code != 302:
        nonce = re.search(r"'nonce-([^']+)'", policy["script-src"])
        assert nonce
        scripts = re.findall(r"<script\b[^>]*>", answer.text)
        assert scripts
        assert all(f'nonce="{nonce.group(1)}"' in one for one in scripts)
        assert not re.search(r"\son\w+=|\sstyle=|javascript:", answer.text)
        assert nonce.group(1) not in county.client("township1").get(path).text, "a nonce is used once"


@pytest.mark.parametrize("path", ["/", "/call/list/", "/password/", "/api/v1/me"])
def test_pages_of_a_person_are_not_kept_by_caches(county: County, path: str) -> None:
    assert "no-store" in county.client("township1").get(path).headers["Cache-Control"]


# ---- forged requests

PUBLIC = {
    "static", "appbuilder.static", "Health.health", "Health.ready", "SignInView.login", "SignInView.logout", "SignInApi.login", "LanguageView.choose",
}  # fmt: skip
"""Endpoints that answer strangers. Which routes there are at all, and to whom each opens, is listed in tests/access."""


def kind_of(endpoint: str, address: str) -> str:
    """Whether an address answers everybody, a token or a person who is signed in."""
    if endpoint in PUBLIC:
        return "public"
    return "token" if address.startswith("/api/") or endpoint == "Health.metrics" else "person"


def addresses(application: Flask) -> list[tuple[str, str, frozenset[str]]]:
    """(endpoint, an address that matches, methods) of every rule."""
    found = []
    for rule in application.url_map.iter_rules():
        address = rule.rule.replace("<version>", "v1").replace("<path:filename>", "huying.js")
        address = re.sub(r"<int:\w+>|<pk>|<key>|<year>", "1", address)
        address = re.sub(r"<any\((\w+)[^)]*\):\w+>", r"\1", address)
        found.append((rule.endpoint, re.sub(r"<name>", "submit", address), frozenset(rule.methods or ())))
    return found


def test_nothing_but_the_door_opens_to_strangers(county: County) -> None:
    for endpoint, address, methods in addresses(county.app):
        kind = kind_of(endpoint, address)
        if kind == "public":
            continue
        for method in methods & {"GET", "POST", "PUT", "DELETE"}:
            here = visitor(county)
            answer = (
                here.post(address)
                if kind == "person" and method == "POST"
                else here.client.open(address, method=method)
            )
            wanted = {302} if kind == "person" else {401}
            assert answer.status_code in wanted, (endpoint, method, answer.status_code)
            if answer.status_code == 302:
                assert answer.location.startswith("/login/"), (endpoint, method, answer.location)


def test_every_page_that_takes_a_post_wants_the_token(county: County) -> None:
    seen = 0
    for endpoint, address, methods in addresses(county.app):
        if "POST" not in methods or address.startswith("/api/"):
            continue
        for client in (county.client("township1"), county.app.test_client()):
            answer = client.post(address, data={})
            assert answer.status_code == 400, (endpoint, answer.status_code)
            assert client.post(address, data={"csrf_token": "x" * 90}).status_code == 400, endpoint
            seen += 1
    assert seen > 80


def test_a_refused_forged_request_tells_the_person_what_to_do(county: County) -> None:
    answer = county.client("township1").post("/call/add", data={"title": "刘庄"})
    assert answer.status_code == 400
    assert "/call/list/" in answer.text, "the page has its frame: the person is still signed in"


def test_another_person_s_token_does_not_count(county: County) -> None:
    stolen = visitor(county, "township2").token()
    assert visitor(county, "township1").post("/call/add", {"title": "x"}, token=stolen).status_code == 400


def test_only_forms_change_anything(county: County) -> None:
    """What writes takes no GET; what takes both – `show` is the page of an alarm – only shows its form by GET."""
    both = set()
    for endpoint, _address, methods in addresses(county.app):
        page = endpoint.partition(".")[2]
        if "GET" in methods and "POST" in methods:
            both.add(page)
        if page in {
            "delete",
            "bulk",
            "step",
            "paper",
            "logout",
            "choose",
            "open",
            "read_all",
            "attach",
            "detach",
            "import_check",
            "import_apply",
            "import_cancel",
        }:
            assert "GET" not in methods, endpoint
    assert both == {"login", "change", "add", "edit", "begin", "export", "sheet", "verify", "county", "show"}


def test_reading_every_page_writes_nothing(county: County) -> None:
    call_id, *_ = county.dispatched("department1", "department2")
    people = {name: visitor(county, name) for name in ("dispatcher",)}

    def rows() -> dict[str, int]:
        with county.acting(None) as session:
            bind = session.connection()
            tables = sa.inspect(bind).get_table_names()
            return {table: bind.execute(sa.text(f'SELECT count(*) FROM "{table}"')).scalar_one() for table in tables}

    before = rows()
    for _endpoint, address, methods in addresses(county.app):
        if "GET" not in methods or address.startswith(("/api/", "/static/", "/health", "/metrics")):
            continue
        for here in people.values():
            here.get(address.replace("/1", f"/{call_id}"))
    assert rows() == before
