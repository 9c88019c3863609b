"""No page keeps anybody out: axe finds nothing serious on a representative set of pages, wide and narrow."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import SignIn
from tests.county import County

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
"""A tool of the tests, which the portal does not serve; `bin/setup test` fetches it with the components of the face."""

WIDTHS = (1280, 390)

FAULTS = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  return found.violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).join(", ")}`);
}"""


def _faults(page: Page, address: str) -> list[str]:
    """What is wrong with a page: what axe calls serious, and content that is wider than the screen."""
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == (404 if address.endswith("999999") else 200), address
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = [f"{address} {one}" for one in page.evaluate(FAULTS)]
    if page.evaluate("() => document.documentElement.scrollWidth > innerWidth"):
        found.append(f"{address} is wider than the screen")
    return found


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_of_the_daily_work(people: County, sign_in: SignIn, width: int) -> None:
    page = sign_in("township1", width)
    call_id = people.dispatched()[0]
    addresses = (
        "/",
        "/call/list/?tab=all",
        "/call/list/?filter=1",
        "/call/add",
        f"/call/show/{call_id}",
        "/organisation/tree/",
    )
    assert [fault for address in addresses for fault in _faults(page, address)] == []
    assert _faults(page, "/call/show/999999") == []
    expect(page.locator(".error-page")).to_be_visible()


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_of_the_administration(sign_in: SignIn, width: int) -> None:
    page = sign_in("sysadmin", width)
    addresses = ("/calendar/", "/setting/list/", "/number_series/", "/organisation/import", "/interface/")
    assert [fault for address in addresses for fault in _faults(page, address)] == []


def test_the_way_in(chromium: Browser, address: str) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 800}, base_url=address)
    assert _faults(context.new_page(), "/login/") == []
    context.close()
