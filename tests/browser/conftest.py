"""A live server on the small county, and a real Chromium that reports what no page may do."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright
from werkzeug.serving import make_server

from tests.conftest import Installation
from tests.county import PASSWORD, County

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium without a screen."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(Path(path)), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def people(sqlite_installation: Installation) -> County:
    """The small county on SQLite, with nothing called yet."""
    sqlite_installation.fresh("county")
    assert sqlite_installation.county is not None
    sqlite_installation.county.forget()
    return sqlite_installation.county


@pytest.fixture
def address(people: County) -> Iterator[str]:
    """Where the portal answers."""
    server = make_server("127.0.0.1", 0, people.app, threaded=True)
    server.daemon_threads = False  # closing waits for requests under way: the next test takes the database away
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


SignIn = Callable[..., Page]


@pytest.fixture
def sign_in(chromium: Browser, address: str) -> Iterator[SignIn]:
    """Opens a browser window in which a person has signed in by the form. At the end: no request to another host, no error in a page."""
    contexts = []
    faults: list[str] = []

    def note_request(request: Request) -> None:
        if not request.url.startswith((address, "data:", "blob:")):
            faults.append(f"request to another host: {request.url}")

    def note_message(message: ConsoleMessage) -> None:
        # A refused form is answered by 409 or 422, which Chromium calls a failed load.
        if message.type == "error" and "status of 4" not in message.text:
            faults.append(message.text)

    def opened(name: str, width: int = 1280) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": 900}, base_url=address, locale="zh-CN")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("request", note_request)
        page.on("console", note_message)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto("/login/")
        page.fill("[name=username]", name)
        page.fill("[name=password]", PASSWORD)
        page.press("[name=password]", "Enter")
        page.wait_for_url("**/")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []
