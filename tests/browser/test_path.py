"""The first call goes all the way, by real clicks in Chinese: K1 to K4, with a department that does not answer."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from app.database import transaction
from models import clock
from models.notification import Demonstration
from models.supervision import Notice
from models.sweep import sweep
from tests.browser.conftest import SignIn
from tests.county import County, at

pytestmark = pytest.mark.browser


def _move_clock(people: County, to: str) -> None:
    """Move the demonstration's clock as `flask clock --at` does; every page obeys it."""
    offset = (at(to) - clock.machine_now()).total_seconds()
    with people.acting(None) as session:
        mark = session.get(Demonstration, 1)
        if mark is None:
            session.add(Demonstration(id=1, seed=1, complete=True, clock_offset=offset))
        else:
            mark.clock_offset = offset


def _sweep(people: County, times: int) -> None:
    with people.acting(None) as session:
        offset = session.get_one(Demonstration, 1).clock_offset
    with people.app.app_context(), clock.moved(timedelta(seconds=offset)):
        for _ in range(times):
            sweep(transaction)


def _notices(people: County, department: str) -> int:
    with people.acting(None) as session:
        return (
            session.scalar(
                sa.select(sa.func.count()).select_from(Notice).where(Notice.department_id == people[department])
            )
            or 0
        )


def _choose(page: Page, form: str, name: str, words: str) -> None:
    """Choose in a box that searches on the server."""
    box = page.locator(f"{form} select[name={name}] + .ts-wrapper input")
    box.click()
    box.fill(words)
    page.locator(".ts-dropdown .option", has_text=words).first.click()


def _open(page: Page, name: str) -> str:
    """Open a step's form on the page, from the menu if it stands there, and give its selector."""
    opener = page.locator(f"[data-opens$='-{name}']").first
    menu = opener.locator("xpath=ancestor::details[contains(@class, 'menu')]")
    if menu.count():
        menu.locator("summary").click()
    opener.click()
    selector = f"#{opener.get_attribute('data-opens')}"
    expect(page.locator(f"{selector} button[type=submit]")).to_be_visible()
    return selector


def _send(page: Page, form: str, said: str) -> None:
    page.locator(f"{form} button[type=submit]").click()
    expect(page.locator("main")).to_contain_text(said)


def _raise_call(page: Page, people: County) -> str:
    """Raise a call citing an item with three typed fields; gives its address."""
    page.goto("/call/add")
    page.fill("[name=title]", "刘家庄砂石料场占用耕地")
    _choose(page, "main", "checklist_item", "违法占地巡查")
    page.fill("[name=description]", "料场占地约三亩，我镇已两次劝阻，需要执法。")
    page.fill("[name=place]", "刘家庄村东")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/call/show/\d+"))
    expect(page.locator("main")).to_contain_text("待受理")
    return re.sub(r"^https?://[^/]+", "", page.url).split("#")[0]


@pytest.mark.parametrize("width", [1280, 390])
def test_a_call_goes_all_the_way_with_one_department_silent(people: County, sign_in: SignIn, width: int) -> None:
    _move_clock(people, "2026-11-24 09:00")
    township, dispatcher = sign_in("township1", width), sign_in("dispatcher")
    call = _raise_call(township, people)

    dispatcher.goto(call)
    form = _open(dispatcher, "dispatch")
    expect(dispatcher.locator(f"{form} .ts-wrapper").first).to_contain_text("自然资源局")  # suggested by the cited item
    expect(dispatcher.locator(f"{form} .ts-wrapper").nth(1)).to_contain_text("应急局")
    _send(dispatcher, form, "办理中")

    lead = sign_in("department1")
    lead.goto(call)
    form = _open(lead, "respond")
    _send(lead, form, "已响应")
    form = _open(lead, "report")
    lead.fill(f"{form} [name=result]", "已责令清退。")
    lead.check(f"{form} [name=solved][value=solved]")
    lead.locator(f"{form} button[type=submit]").click()
    expect(lead.locator(form)).to_contain_text("应急局")  # has not reported: say why not waiting
    expect(lead.locator(f"{form} [name=result]")).to_have_value("已责令清退。")
    lead.fill(f"{form} [name=without_reason]", "应急局尚未到场。")
    _send(lead, form, "已反馈")

    _move_clock(people, "2026-11-25 17:31")
    _sweep(people, times=3)
    assert _notices(people, "department3") == 1
    silent = sign_in("department3")
    silent.goto("/notice/list/")
    expect(silent.locator("main")).to_contain_text("催〔2026〕0001")

    _move_clock(people, "2026-12-15 09:00")
    dispatcher = sign_in("dispatcher")
    dispatcher.goto(call)
    form = _open(dispatcher, "close_assignment")
    dispatcher.fill(f"{form} [name=reason]", "多次催办仍未办理。")
    _send(dispatcher, form, "未办理")

    township = sign_in("township1", width)
    township.goto(call)
    form = _open(township, "evaluate")
    township.check(f"{form} [name='evaluations-0-satisfaction'][value=dissatisfied]")
    township.check(f"{form} [name='evaluations-0-solved'][value=partly]")
    township.locator(f"{form} button[type=submit]").click()
    expect(township.locator(form)).to_contain_text("不满意")  # the reason is asked for, nothing is lost
    expect(township.locator(f"{form} [name='evaluations-0-satisfaction'][value=dissatisfied]")).to_be_checked()
    township.fill(f"{form} [name='evaluations-0-comment']", "只清退了一半。")
    _send(township, form, "办理中")

    lead = sign_in("department1")
    lead.goto(call)
    form = _open(lead, "report")
    lead.fill(f"{form} [name=result]", "已全部清退复耕。")
    lead.check(f"{form} [name=solved][value=solved]")
    _send(lead, form, "待评价")

    township.goto(call)
    form = _open(township, "evaluate")
    township.check(f"{form} [name='evaluations-0-satisfaction'][value=satisfied]")
    township.check(f"{form} [name='evaluations-0-solved'][value=solved]")
    _send(township, form, "已办结")
    expect(township.locator(".timeline")).to_contain_text("只清退了一半。")
    assert township.evaluate("document.documentElement.scrollWidth") <= width

    silent.goto(call)
    expect(silent.locator("main")).not_to_contain_text("只清退了一半。")  # another department's evaluation
    for stranger in ("township2", "department4"):
        window = sign_in(stranger)
        answer = window.goto(call)
        assert answer is not None
        assert answer.status == 404
        window.goto("/call/list/?tab=all&q=砂石料场")
        expect(window.locator("main")).not_to_contain_text("刘家庄")


def test_what_was_typed_is_still_there_after_the_page_was_left(people: County, sign_in: SignIn) -> None:
    page = sign_in("township1")
    page.goto("/call/add")
    page.locator("[name=title]").press_sequentially("河堤塌方")
    kept = "() => Object.keys(localStorage).some(key => localStorage.getItem(key).includes('河堤塌方'))"
    for _ in range(100):
        if page.evaluate(kept):
            break
        page.wait_for_timeout(100)
    else:
        pytest.fail("the draft was never kept")
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/call/add")
    expect(page.locator("[name=title]")).to_have_value("河堤塌方")


def test_choosing_a_language_keeps_the_page(people: County, sign_in: SignIn) -> None:
    page = sign_in("township1")
    page.goto("/checklist/list/")
    expect(page.locator("h1")).to_have_text("责任清单")
    page.locator("header .menu summary").first.click()
    page.get_by_role("button", name="English").click()
    page.wait_for_url("**/checklist/list/")
    expect(page.locator("h1")).to_have_text("Checklists")


def test_nobody_looks_without_signing_in(people: County, sign_in: SignIn) -> None:
    page = sign_in("township1")
    page.locator("details.person summary").click()
    page.get_by_role("button", name="退出").click()
    page.wait_for_url("**/login/")
    page.goto("/call/list/")
    assert "/login/" in page.url
