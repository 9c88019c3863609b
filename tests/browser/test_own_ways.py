"""What only a browser shows: text that stays large on another computer, and passwords that are saved without asking the server again."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SignIn

pytestmark = pytest.mark.browser


def test_large_text_follows_the_person_and_stays_on_the_page_of_signing_in(sign_in: SignIn) -> None:
    here = sign_in("township1")
    here.locator("details.person summary").click()
    button = here.locator("details.person form[data-large-text] button")
    with here.expect_response("**/profile/text"):
        button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(here.locator("html.large-text")).to_have_count(1)
    elsewhere = sign_in("township1")
    expect(elsewhere.locator("html.large-text")).to_have_count(1)
    here.locator("details.person form[action='/logout/'] button").click()
    here.goto("/login/")
    expect(here.locator("html.large-text")).to_have_count(1)
    expect(sign_in("township2").locator("html.large-text")).to_have_count(0)


def test_first_passwords_are_saved_as_a_workbook_from_the_page_itself(sign_in: SignIn) -> None:
    here = sign_in("sysadmin")
    here.goto("/person/list/?tab=never_signed_in")
    here.locator("input[name=keys]").last.check()
    here.locator("button[formaction='/person/passwords']").click()
    password = here.locator(".slip .handed-out").inner_text()
    with here.expect_download() as saving:
        here.locator("a[download]").click()
    saved = saving.value
    assert saved.suggested_filename.endswith(".xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(Path(str(saved.path())).read_bytes())).worksheets[0]
    assert sheet.cell(2, 4).value == password
