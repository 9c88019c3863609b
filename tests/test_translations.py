"""The catalogues: complete, in step with the program, fit to be read – and nothing left in English on a page."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo, write_mo
from flask import Flask
from flask_babel import get_domain

from models.call import Call
from models.call_words import AssignmentState, CallState, Satisfaction
from tests.county import County, at
from translations import catalogues

CHINESE = ("zh_Hans", "zh_Hant")

PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%[sd]")
TAG = re.compile(r"<[^>]*>")
SPOKEN = re.compile(r'\b(?:title|aria-label|placeholder|alt|data-confirm)="([^"]*)"')
UNSEEN = re.compile(r"<(script|style|svg)\b.*?</\1>", re.DOTALL)
LATIN = re.compile(r"[A-Za-z][A-Za-z-]+")

LATIN_ALLOWED = {
    "English",  # a language's own name
    "Ctrl", "Enter", "Ctrl-Enter",  # keys
    "PDF", "pdf", "kB", "MB", "SHA-",
    "Excel", "WPS", "CSV", "OpenAPI", "png", "jpg", "webp", "doc", "docx", "xls",
    "xlsx", "ppt", "pptx", "ofd", "txt", "wps",  # programs and kinds of files
    "territorial",  # identifier of the checklist's scheme
}  # fmt: skip
FOR_PROGRAMS = {"JSON", "rison", "asc", "desc", "col", "opr", "value", "page", "page_size", "working_days"}
"""Words that a sentence about the REST interface or a setting's written form needs."""

PAGES = (
    "/", "/password/", "/inbox/", "/nothing-here",
    "/call/list/", "/call/list/?tab=overdue", "/call/list/?tab=all", "/call/list/?tab=drafts", "/call/list/?q=zz", "/call/add",
    "/checklist/list/", "/checklist/show/1", "/checklist_item/list/", "/checklist_item/show/1",
    "/organisation/list/", "/organisation/show/3", "/document/list/", "/notice/list/", "/setting/list/", "/setting/add",
)  # fmt: skip
ROLES = (
    "township1", "township1_leader", "department1", "department1_leader", "dispatcher", "director", "duty", "supervisor", "leader", "checklist",
    "legal", "assessor", "personnel", "city", "sysadmin", "secadmin", "auditor",
)  # fmt: skip


@pytest.fixture(scope="module")
def extracted() -> Catalog:
    return catalogues.extract()


def sentences(message: Message) -> tuple[str, ...]:
    """The words of a message; several where the language has plural forms."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


def first_id(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def all_messages() -> Iterator[tuple[str, Message]]:
    for language in CHINESE:
        for message in catalogues.messages(catalogues.read(language)):
            yield language, message


# ---- catalogues


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_catalogue_has_exactly_the_messages_of_the_program(language: str, extracted: Catalog) -> None:
    kept = {message.id for message in catalogues.messages(catalogues.read(language))}
    wanted = {message.id for message in catalogues.messages(extracted)}
    assert sorted(map(str, wanted - kept)) == [], "new messages: run make translations"
    assert sorted(map(str, kept - wanted)) == [], "messages that the program no longer has: run make translations"


def test_every_message_is_translated() -> None:
    empty = [
        (language, message.id)
        for language, message in all_messages()
        if not all(sentence.strip() for sentence in sentences(message))
    ]
    assert empty == []


def test_no_translation_waits_as_fuzzy_and_is_left_out_when_compiled() -> None:
    assert [(language, message.id) for language, message in all_messages() if message.fuzzy] == []


def test_placeholders_are_those_of_the_message() -> None:
    different = [
        (language, message.id, sentence)
        for language, message in all_messages()
        for sentence in sentences(message)
        if set(PLACEHOLDER.findall(sentence)) != set(PLACEHOLDER.findall(first_id(message)))
    ]
    assert different == []


def test_nobody_is_shouted_at() -> None:
    loud = [
        (language, message.id)
        for language, message in all_messages()
        for sentence in sentences(message)
        if "！" in sentence or "!" in sentence
    ]
    assert loud == []
    assert [message.id for message in catalogues.messages(catalogues.extract()) if "!" in first_id(message)] == []


def test_sentences_have_full_width_punctuation() -> None:
    half_width = re.compile(r"[一-鿿][,;:?]|[,;:?][一-鿿]|[一-鿿]\.(?!\w)|\([一-鿿]|[一-鿿]\)")
    found = [
        (language, sentence)
        for language, message in all_messages()
        for sentence in sentences(message)
        if half_width.search(PLACEHOLDER.sub("数", sentence))
    ]
    assert found == []


def test_what_ends_as_a_sentence_in_english_does_in_chinese() -> None:
    """A full stop too many or too few shows where messages stand one below the other."""
    different = [
        (language, message.id, sentence)
        for language, message in all_messages()
        for sentence in sentences(message)
        if first_id(message).rstrip().endswith(".") != sentence.endswith("。")
    ]
    assert different == []


def test_chinese_keeps_no_english_words() -> None:
    found = [
        (language, message.id, word)
        for language, message in all_messages()
        for sentence in sentences(message)
        for word in re.findall(r"[A-Za-z_]{3,}", PLACEHOLDER.sub("", sentence))
        if word not in LATIN_ALLOWED | FOR_PROGRAMS and not re.search(r"y年|HH:mm", sentence)
    ]
    assert found == []


def test_states_are_named_as_in_the_rules() -> None:
    """2.1 gives each state its name."""
    words = catalogues.read("zh_Hans")
    names = {
        "Draft": "草稿", "Waiting for acceptance": "待受理", "Waiting for dispatch": "待派发", "In hand": "办理中",
        "Waiting for evaluation": "待评价", "Closed": "已办结",
        "To be completed": "待补正", "Declined": "不予受理", "Withdrawn": "已撤回", "Long-term handling": "长期办理",
        "Waiting for response": "待响应", "Being handled": "办理中", "Reported": "已反馈", "Return requested": "申请退单", "Given back": "已退单",
        "Not handled": "未办理",
        "Satisfied": "满意", "Fair": "基本满意", "Dissatisfied": "不满意",
    }  # fmt: skip
    assert {english: words[english].string for english in names} == names
    # outside a request a label is its message id
    labels = {str(one.label) for kind in (CallState, AssignmentState, Satisfaction) for one in kind}
    assert labels == set(names)


# ---- traditional characters


def test_traditional_is_made_from_simplified() -> None:
    simplified, made = catalogues.read("zh_Hans"), catalogues.read("zh_Hant")
    stale = [
        message.id
        for message in catalogues.messages(simplified)
        if tuple(map(catalogues.traditional, sentences(message))) != sentences(made[message.id])
    ]
    assert stale == [], "run make translations"


def test_every_correction_is_needed() -> None:
    """A correction that OpenCC no longer needs, or that no message uses, is taken out of traditional.txt."""
    texts = [
        catalogues.converted(sentence)
        for message in catalogues.messages(catalogues.read("zh_Hans"))
        for sentence in sentences(message)
    ]
    assert [wrong for wrong, _right in catalogues.corrections() if not any(wrong in text for text in texts)] == []


@pytest.mark.parametrize(
    ("simplified", "expected"),
    [
        ("乡镇干部", "鄉鎮幹部"),
        ("复核", "複核"),
        ("申请复查后发出", "申請複查後發出"),
        ("系统里的联系人", "系統裡的聯繫人"),
        ("平台", "平臺"),
        ("考核", "考核"),
    ],
)
def test_words_of_this_field_in_traditional_characters(simplified: str, expected: str) -> None:
    assert catalogues.traditional(simplified) == expected


# ---- compiled


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_catalogue_compiles(language: str, tmp_path: Path) -> None:
    catalogue = catalogues.read(language)
    assert [error for message in catalogues.messages(catalogue) for error in message.check(catalogue)] == []
    with (tmp_path / "messages.mo").open("wb") as compiled:
        write_mo(compiled, catalogue)
    with (tmp_path / "messages.mo").open("rb") as compiled:
        read = read_mo(compiled)
    wanted = {first_id(message) for message in catalogues.messages(catalogue) if message.string}
    assert {first_id(message) for message in catalogues.messages(read)} == wanted


# ---- pages


@pytest.fixture
def translated(application: Flask, tmp_path: Path) -> Iterator[Flask]:
    """The application with the catalogues as they stand now, not as they were last compiled; Flask-AppBuilder's own come before them as usual."""
    for language in catalogues.LANGUAGES:
        folder = tmp_path / language / "LC_MESSAGES"
        folder.mkdir(parents=True)
        with (folder / "messages.mo").open("wb") as compiled:
            write_mo(compiled, catalogues.read(language))
    directories = application.extensions["babel"].translation_directories
    kept = list(directories)
    directories[:] = [*kept[:-1], str(tmp_path)]
    forget_words(application)
    yield application
    directories[:] = kept
    forget_words(application)


def forget_words(application: Flask) -> None:
    """Let Flask-Babel read its catalogues again."""
    with application.app_context():
        get_domain().cache.clear()


def readable(page: str) -> list[str]:
    """What people read or hear on a page."""
    seen = UNSEEN.sub("", page)
    return [
        html.unescape(text).strip()
        for text in [*SPOKEN.findall(seen), *TAG.sub("\n", seen).splitlines()]
        if text.strip()
    ]


def english(page: str) -> list[str]:
    return [text for text in readable(page) if not set(LATIN.findall(text)) <= LATIN_ALLOWED]


def a_busy_day(county: County) -> list[str]:
    """Calls in many states; gives the addresses of their pages."""
    joint, *_ = county.dispatched("department1", "department2")
    waiting = county.submitted()
    draft = county.draft(title="")
    emergency, _ = county.emergency("department3")
    reported, assignment = county.dispatched("department1")
    county.respond("department1", assignment)
    county.report("department1", assignment)
    again, assignment = county.dispatched("department1")
    county.respond("department1", assignment)
    county.report("department1", assignment)
    county.evaluate(again, {assignment: "dissatisfied"})
    late, _ = county.dispatched("department1", when=at("2026-11-02 09:00"))
    withdrawn = county.submitted()
    county.do("township1", Call, withdrawn, "withdraw", {"reason": "情况已缓解。"})
    return [
        *(f"/call/show/{key}" for key in (joint, waiting, draft, emergency, reported, again, late, withdrawn)),
        f"/call/edit/{draft}",
        "/document/show/1",
    ]


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
@pytest.mark.parametrize("role", ROLES)
def test_pages_in_chinese_keep_no_english(translated: Flask, county: County, role: str) -> None:
    addresses = [*PAGES, *a_busy_day(county)]
    browser = county.client(role)
    answered, found = 0, []
    for address in addresses:
        answer = browser.get(address)
        if answer.status_code >= 500 or answer.is_json or answer.location:
            assert answer.status_code < 500, address
            continue
        answered += answer.status_code == 200
        found += [(address, text) for text in english(answer.text)]
    assert answered > 5
    assert found == []


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("language", "heading"), [("zh_Hans", "登录"), ("zh_Hant", "登錄"), ("en", "Log in")])
def test_sign_in_speaks_the_chosen_language(translated: Flask, county: County, language: str, heading: str) -> None:
    browser = translated.test_client()
    with browser.session_transaction() as kept:
        kept["locale"] = language
    page = browser.get("/login/").text
    assert heading in readable(page)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token is not None
    refused = browser.post("/login/", data={"csrf_token": token[1], "username": "", "password": ""}).text
    if language != "en":
        assert english(refused) == []


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_english_finds_what_is_not_translated(translated: Flask, county: County) -> None:
    """The search above is able to find something: the same page in English is full of it."""
    browser = county.client("township1")
    with browser.session_transaction() as kept:
        kept["locale"] = "en"
    assert len(english(browser.get("/").text)) > 10
