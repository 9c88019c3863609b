"""Raising a call with at most six typed fields and answering it with at most three, at a desk and on a telephone (spec 1: lighten the load; face)."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from models import clock
from models.call import Call
from tests.browser.conftest import SignIn
from tests.browser.test_path import _choose, _open, _send
from tests.county import County

pytestmark = pytest.mark.browser
WIDTHS = pytest.mark.parametrize("width", [1280, 390])


class Typed:
    """Fills fields as a person does, and counts them."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.fields = 0

    def fill(self, selector: str, text: str) -> None:
        self.page.fill(selector, text)
        self.fields += 1

    def choose(self, form: str, name: str, words: str) -> None:
        _choose(self.page, form, name, words)
        self.fields += 1

    def check(self, selector: str) -> None:
        self.page.check(selector)
        self.fields += 1


@WIDTHS
def test_a_call_is_raised_in_six_fields_and_answered_in_three(people: County, sign_in: SignIn, width: int) -> None:
    township = sign_in("township1", width)
    typed = Typed(township)
    township.goto("/call/add")
    typed.fill("[name=title]", "刘家庄砂石料场占用耕地")
    typed.choose("main", "checklist_item", "违法占地巡查")
    typed.fill("[name=description]", "料场占地约三亩，我镇已两次劝阻，需要执法。")
    typed.fill("[name=place]", "刘家庄村东")
    expect(township.locator("[name=external_number]")).to_be_hidden()  # folded: seldom needed
    township.locator("button[name=then]").click()
    township.wait_for_url(re.compile(r"/call/show/\d+"))
    expect(township.locator("main")).to_contain_text("待受理")
    assert typed.fields <= 6
    address = re.sub(r"^https?://[^/]+", "", township.url).split("#")[0]
    (call_id,) = (int(part) for part in address.split("?")[0].split("/") if part.isdecimal())
    people.do("dispatcher", Call, call_id, "dispatch", {"lead": people["department1"]}, clock.now())

    department = sign_in("department1", width)
    department.goto(address)
    answering = Typed(department)
    form = _open(department, "respond")
    answering.fill(f"{form} [name=plan]", "今日到场。")
    _send(department, form, "已响应")
    assert answering.fields <= 3
    reporting = Typed(department)
    form = _open(department, "report")
    reporting.fill(f"{form} [name=result]", "已责令清退。")
    reporting.check(f"{form} [name=solved][value=solved]")
    _send(department, form, "已反馈")
    assert reporting.fields <= 3


@WIDTHS
def test_calls_like_it_are_suggested_and_reached_by_the_keyboard(people: County, sign_in: SignIn, width: int) -> None:
    people.submitted(when=clock.now())
    page = sign_in("township1", width)
    page.goto("/call/add")
    page.locator("[name=title]").click()
    page.keyboard.type("刘庄河道有污水排放")
    link = page.locator(".similar a")
    expect(link).to_contain_text("刘庄河道排放污水")
    page.keyboard.press("Tab")
    expect(link).to_be_focused()
    with page.context.expect_page() as opened:
        page.keyboard.press("Enter")
    expect(opened.value.locator("main")).to_contain_text("刘庄河道排放污水")
    expect(page.locator("[name=title]")).to_have_value("刘庄河道有污水排放")  # nothing typed is lost


@WIDTHS
def test_a_canned_text_is_put_into_a_long_field_by_one_click(people: County, sign_in: SignIn, width: int) -> None:
    call_id, _assignment = people.dispatched("department1", when=clock.now())
    page = sign_in("department1", width)
    page.goto("/canned_text/add")
    page.fill("[name=name]", "已到场")
    page.fill("main [name=text]", "已派员到场核实。")
    page.locator("main .main-form button[type=submit]").click()
    page.wait_for_url(re.compile(r"/canned_text/show/\d+"))
    page.goto(f"/call/show/{call_id}")
    form = _open(page, "respond")
    page.locator(f"{form} .canned summary").first.click()
    page.locator(f"{form} .canned button", has_text="已到场").first.click()
    expect(page.locator(f"{form} [name=plan]")).to_have_value("已派员到场核实。")
    expect(page.locator(f"{form} [name=plan]")).to_be_focused()


@WIDTHS
def test_the_menu_of_steps_fits_the_screen(people: County, sign_in: SignIn, width: int) -> None:
    call_id, _assignment = people.dispatched("department1", when=clock.now())
    page = sign_in("dispatcher", width)
    page.goto(f"/call/show/{call_id}")
    page.locator(".record-title .action-bar details.menu > summary").click()
    body = page.locator(".record-title .action-bar .menu-body")
    expect(body).to_be_visible()
    box = body.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["height"] <= 0.75 * 900
    assert page.evaluate("document.documentElement.scrollWidth") <= width
