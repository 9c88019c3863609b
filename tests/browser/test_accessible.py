"""No page keeps anybody out: axe finds nothing serious on a representative set of pages, wide and narrow."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.database import transaction
from models.summary_counting import count_changes
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
    """What is wrong with the page at an address."""
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == (404 if address.endswith("999999") else 200), address
    return [f"{address} {one}" for one in _faults_here(page)]


def _faults_here(page: Page) -> list[str]:
    """What axe calls serious on the present page, and content that is wider than the screen."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(FAULTS)
    if page.evaluate("() => document.documentElement.scrollWidth > innerWidth"):
        found.append("wider than the screen")
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
    page.goto("/call/add")
    page.get_by_role("button", name="提交呼叫").click()
    title = page.get_by_label("事项名称")
    expect(title).to_have_accessible_description(re.compile("请填写此项"))
    assert _faults_here(page) == []
    title.fill("河堤塌方")
    expect(title).not_to_have_accessible_description(re.compile("请填写此项"))
    assert _faults(page, "/call/show/999999") == []
    expect(page.locator(".error-page")).to_be_visible()


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_of_the_administration(sign_in: SignIn, width: int) -> None:
    page = sign_in("sysadmin", width)
    addresses = ("/calendar/", "/setting/list/", "/number_series/", "/organisation/import", "/interface/")
    assert [fault for address in addresses for fault in _faults(page, address)] == []


@pytest.mark.parametrize("width", WIDTHS)
def test_the_leaders_page_with_its_charts(people: County, sign_in: SignIn, width: int) -> None:
    for township in ("township1", "township2", "township1"):
        _call, one = people.dispatched(township=township)
        people.respond("department1", one)
    with people.app.app_context():
        count_changes(transaction)
    page = sign_in("supervisor", width)
    addresses = (
        "/cockpit/?period=2026-Q4",
        "/cockpit/signals?period=2026-Q4",
        "/cockpit/rows?what=calls&period=2026-Q4",
    )
    assert [fault for address in addresses for fault in _faults(page, address)] == []
    page.goto("/cockpit/?period=2026-Q4")
    expect(page.locator("[data-chart] canvas")).to_have_count(4)
    page.get_by_text("对应数据表").click()
    expect(page.locator(".panel-table table")).to_be_visible()


def test_the_way_in(chromium: Browser, address: str) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 800}, base_url=address)
    assert _faults(context.new_page(), "/login/") == []
    context.close()
