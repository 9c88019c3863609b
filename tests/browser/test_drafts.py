"""What somebody has typed is not lost when sending it fails."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from models.person import Person
from tests.browser.conftest import SignIn
from tests.county import County

pytestmark = pytest.mark.browser


def _typed(page: Page) -> None:
    """Type a title and wait until the browser keeps it."""
    page.goto("/call/add")
    page.locator("[name=title]").press_sequentially("河堤塌方")
    page.wait_for_function(
        "() => Object.keys(localStorage).some(key => localStorage.getItem(key).includes('河堤塌方'))"
    )


def _restored(page: Page) -> None:
    page.goto("/call/add")
    expect(page.locator("[name=title]")).to_have_value("河堤塌方")


def test_an_error_page_keeps_the_draft(people: County, sign_in: SignIn) -> None:
    page = sign_in("township1")
    _typed(page)
    page.locator("main form [name=csrf_token]").evaluate("field => { field.value = 'stale' }")
    page.get_by_role("button", name="保存草稿").click()
    expect(page.locator(".error-page")).to_be_visible()
    _restored(page)


def test_a_session_that_has_ended_keeps_the_draft(people: County, sign_in: SignIn) -> None:
    page = sign_in("township1")
    _typed(page)
    with people.acting(None) as session:
        session.get_one(Person, people.people["township1"]).session_epoch = 7
    page.get_by_role("button", name="保存草稿").click()
    page.wait_for_url("**/login/**")
    fresh = page.context.new_page()
    fresh.goto("/login/")
    fresh.fill("[name=username]", "township1")
    fresh.fill("[name=password]", "Huying-test-1")
    fresh.press("[name=password]", "Enter")
    fresh.wait_for_url("**/")
    _restored(fresh)


def test_submitting_asks_for_what_a_draft_may_lack(people: County, sign_in: SignIn) -> None:
    page = sign_in("township1")
    _typed(page)
    page.get_by_role("button", name="提交呼叫").click()
    expect(page.locator("[name=description]")).to_be_focused()
    expect(page.locator(".field-error")).to_be_visible()


def test_a_draft_that_was_accepted_does_not_come_back(people: County, sign_in: SignIn) -> None:
    page = sign_in("township1")
    _typed(page)
    page.get_by_role("button", name="保存草稿").click()
    page.wait_for_url("**/call/show/*")
    page.goto("/call/add")
    expect(page.locator("[name=title]")).to_have_value("")
