"""Every template drawn with sample pages: what a user notices, with a keyboard, a screen reader, a strict browser or a small screen."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest
from flask import Flask, flash, render_template

from app.portal import page as p
from tests.app.face_forms import evaluate_form
from tests.app.face_frame import APP, face_app, frame
from tests.app.face_samples import SAMPLES, form_page, list_page, record_page

VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


@dataclass
class Node:
    """An element of a drawn page."""

    name: str
    attributes: dict[str, str]
    parent: Node | None = None
    children: list[Node | str] = field(default_factory=list)

    def all(self, *names: str) -> list[Node]:
        found = []
        for child in self.children:
            if isinstance(child, Node):
                if child.name in names or not names:
                    found.append(child)
                found.extend(child.all(*names))
        return found

    def text(self) -> str:
        parts = [child if isinstance(child, str) else child.text() for child in self.children]
        return " ".join("".join(parts).split())

    def has(self, name: str) -> bool:
        return name in self.attributes.get("class", "").split()

    def inside(self, name: str) -> bool:
        return self.parent is not None and (self.parent.name == name or self.parent.inside(name))


class Reader(HTMLParser):
    """Builds the tree, and insists that elements close in the order in which they opened."""

    def __init__(self) -> None:
        super().__init__()
        self.root = self.here = Node("document", {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs}, self.here)
        self.here.children.append(node)
        if tag not in VOID:
            self.here = node

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self.here.name == tag, f"</{tag}> closes <{self.here.name} {self.here.attributes}>"
        assert self.here.parent is not None
        self.here = self.here.parent

    def handle_data(self, data: str) -> None:
        self.here.children.append(data)


def read(html: str) -> Node:
    reader = Reader()
    reader.feed(html)
    assert reader.here is reader.root, f"<{reader.here.name}> is never closed"
    return reader.root


@pytest.fixture(scope="module")
def face() -> Flask:
    return face_app()


def draw(face: Flask, template: str, **context: object) -> Node:
    with face.test_request_context("/call/?tab=open"):
        return read(render_template(template, **context))


@pytest.fixture(params=SAMPLES)
def drawn(request: pytest.FixtureRequest, face: Flask) -> Node:
    template, context = SAMPLES[request.param]
    return draw(face, template, **context)


def name_of(node: Node) -> str:
    return node.attributes.get("aria-label") or node.text() or node.attributes.get("title", "")


# ---------- Every page ----------


def test_a_page_has_one_heading_a_title_and_a_language(drawn: Node) -> None:
    assert len(drawn.all("h1")) == 1
    assert drawn.all("h1")[0].text()
    assert drawn.all("title")[0].text()
    assert drawn.all("html")[0].attributes["lang"] == "zh-Hans"
    assert len(drawn.all("main")) == 1


def test_headings_do_not_skip_a_level(drawn: Node) -> None:
    levels = [int(heading.name[1]) for heading in drawn.all("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels)), levels


def test_every_field_has_a_name(drawn: Node) -> None:
    labelled = {label.attributes["for"] for label in drawn.all("label") if "for" in label.attributes}
    for control in drawn.all("input", "select", "textarea"):
        if control.attributes.get("type") != "hidden":
            assert control.attributes.get("aria-label") or control.attributes.get("id") in labelled, control.attributes


def test_everything_that_can_be_pressed_has_a_name(drawn: Node) -> None:
    in_dialog = {id(button) for dialog in drawn.all("dialog") for button in dialog.all("button")}
    for control in drawn.all("a", "button", "summary"):
        assert name_of(control) or id(control) in in_dialog, control.attributes


def test_an_icon_alone_has_a_tooltip(drawn: Node) -> None:
    for control in drawn.all("a", "button", "summary"):
        if control.has("btn-icon"):
            assert control.attributes.get("title"), control.attributes


def test_icons_are_hidden_from_screen_readers_and_exist(drawn: Node) -> None:
    known = set(json.loads((APP / "static" / "icons.json").read_text(encoding="utf-8")))
    for svg in drawn.all("svg"):
        assert svg.attributes.get("aria-hidden") == "true"
        for use in svg.all("use"):
            assert use.attributes["href"].partition("#")[2] in known


def test_every_icon_that_the_program_names_is_there() -> None:
    """An unknown one is an empty place on its button."""
    known = set(json.loads((APP / "static" / "icons.json").read_text(encoding="utf-8")))
    sources = [path for folder in ("app", "models", "views") for path in (APP.parent / folder).rglob("*.py")]
    named = {
        name for path in sources for name in re.findall(r"\bicon=\"([a-z0-9-]+)\"", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 30
    assert named <= known


def test_ids_are_unique_and_what_points_at_one_finds_it(drawn: Node) -> None:
    ids = [node.attributes["id"] for node in drawn.all() if "id" in node.attributes]
    assert len(ids) == len(set(ids)), sorted(i for i in ids if ids.count(i) > 1)
    for node in drawn.all():
        for attribute in ("for", "aria-labelledby", "aria-describedby", "form", "data-opens"):
            for target in node.attributes.get(attribute, "").split():
                assert target in ids, (attribute, target)
        href = node.attributes.get("href", "")
        if node.name == "a" and href.startswith("#"):
            assert href[1:] in ids, href


def test_nothing_is_asked_of_another_host(drawn: Node) -> None:
    for node in drawn.all():
        for attribute in ("src", "href", "action", "formaction", "srcset", "poster"):
            assert not re.match(r"(?i)\s*(https?:)?//", node.attributes.get(attribute, "")), node.attributes


def test_a_strict_content_security_policy_is_enough(drawn: Node) -> None:
    for node in drawn.all():
        assert "style" not in node.attributes, node.attributes
        assert not [name for name in node.attributes if name.startswith("on")], node.attributes
        assert not node.attributes.get("href", "").lower().startswith("javascript:")
        assert node.name != "style"
        if node.name == "script":
            assert node.attributes.get("nonce") == "n0nce"


def test_every_posting_form_carries_the_token(drawn: Node) -> None:
    for form in drawn.all("form"):
        tokens = [i for i in form.all("input") if i.attributes.get("name") == "csrf_token"]
        assert len(tokens) == (1 if form.attributes.get("method") == "post" else 0), form.attributes
        assert not form.inside("form")


def test_the_warning_about_classified_information_is_on_every_page(drawn: Node) -> None:
    assert "classified information" in drawn.all("footer")[0].text()


# ---------- The frame ----------


def test_the_bottom_bar_has_at_most_five_places_and_leads_to_the_rest(face: Flask) -> None:
    page = draw(face, "home.html", **SAMPLES["home"][1])
    bar = next(nav for nav in page.all("nav") if nav.has("bottom"))
    links = bar.all("a")
    assert len(links) == 5
    assert links[-1].attributes["href"] == "#side"


def test_a_short_navigation_needs_no_place_for_more(face: Flask) -> None:
    page = draw(face, "home.html", page=SAMPLES["home"][1]["page"], frame=frame(navigation=frame().navigation[:3]))
    bar = next(nav for nav in page.all("nav") if nav.has("bottom"))
    assert [link.text() for link in bar.all("a")] == ["工作台", "呼叫", "责任清单"]


def test_the_language_is_switched_by_post_and_keeps_the_page(face: Flask) -> None:
    page = draw(face, "list.html", page=list_page(), frame=frame())
    form = next(f for f in page.all("form") if f.attributes.get("action") == "/language")
    fields = {i.attributes["name"]: i.attributes["value"] for i in form.all("input")}
    assert fields["next"] == "/call/?tab=open"
    assert [b.attributes["value"] for b in form.all("button")] == ["zh_Hans", "zh_Hant", "en"]


def test_the_page_speaks_the_language_chosen(face: Flask) -> None:
    languages = (("zh_Hans", "简体中文", False), ("zh_Hant", "繁體中文", True))
    page = draw(face, "list.html", page=list_page(), frame=frame(languages=languages))
    assert page.all("html")[0].attributes["lang"] == "zh-Hant"
    assert any("flatpickr-zh-tw" in script.attributes["src"] for script in page.all("script"))


def test_unread_messages_and_substitution_are_told(face: Flask) -> None:
    page = draw(face, "home.html", **SAMPLES["home"][1])
    assert any("3 unread" in link.attributes.get("aria-label", "") for link in page.all("a"))
    assert "for 王建国" in page.text()


def test_demonstration_and_moved_clock_are_told_only_where_they_apply(face: Flask) -> None:
    home = SAMPLES["home"][1]["page"]
    told = draw(face, "home.html", page=home, frame=frame(moved_clock="2026年12月1日 09:00")).text()
    assert "Demonstration data" in told
    assert "2026年12月1日 09:00" in told
    quiet = draw(face, "home.html", page=home, frame=frame(demonstration=False)).text()
    assert "Demonstration" not in quiet
    assert "clock" not in quiet


def test_messages_are_shown_once_above_the_page(face: Flask) -> None:
    with face.test_request_context("/"):
        flash("呼叫已提交,编号 呼2026-0124。", "success")
        flash("短信通道暂时不可用。", "danger")
        page = read(render_template("home.html", **SAMPLES["home"][1]))
    boxes = [node for node in page.all("div") if node.has("alert-box")]
    assert [(b.attributes["role"], b.text()) for b in boxes] == [
        ("status", "呼叫已提交,编号 呼2026-0124。"),
        ("alert", "短信通道暂时不可用。"),
    ]


def test_an_error_page_needs_no_frame(face: Flask) -> None:
    page = draw(face, "error.html", page=SAMPLES["error"][1]["page"])
    assert "王芳" in page.text()
    assert not page.all("nav")


def test_a_forced_password_change_offers_no_other_way(face: Flask) -> None:
    page = draw(face, "password.html", **SAMPLES["password-forced"][1])
    assert not page.all("nav")
    assert [i.attributes["type"] for i in page.all("input") if i.attributes["type"] != "hidden"] == ["password"] * 3


# ---------- Lists ----------


def test_a_row_opens_by_its_title_and_says_its_state_in_words(face: Flask) -> None:
    page = draw(face, "list.html", page=list_page(), frame=frame())
    row = page.all("tbody")[0].all("tr")[1]
    assert {link.attributes["href"] for link in row.all("a") if link.has("row-link")} == {"/call/122"}
    assert row.text().count("Emergency") == 2, "in the row and on the card"
    assert "剩余 14小时" in row.text()


def test_sorting_is_told_to_screen_readers(face: Flask) -> None:
    page = draw(face, "list.html", page=list_page(), frame=frame())
    heads = {head.text(): head.attributes.get("aria-sort") for head in page.all("th")}
    assert heads["编号"] == "descending"
    assert heads["标题"] is None


def test_searching_keeps_tab_and_order(face: Flask) -> None:
    page = draw(face, "list.html", page=list_page(kept=(("tab", "open"), ("order", "due"))), frame=frame())
    form = next(f for f in page.all("form") if f.has("filters"))
    hidden = [
        (i.attributes["name"], i.attributes["value"]) for i in form.all("input") if i.attributes["type"] == "hidden"
    ]
    assert hidden == [("tab", "open"), ("order", "due")]


def test_bulk_actions_send_the_chosen_rows(face: Flask) -> None:
    page = draw(face, "list.html", page=list_page(), frame=frame())
    boxes = [i for i in page.all("input") if i.attributes.get("name") == "keys"]
    assert [box.attributes["form"] for box in boxes] == ["bulk"] * 7
    bar = next(f for f in page.all("form") if f.attributes.get("id") == "bulk")
    assert [b.attributes["formaction"] for b in bar.all("button")] == ["/call/bulk/dispatch", "/call/bulk/urge"]
    assert not [
        i
        for i in draw(face, "list.html", page=list_page(bulk=()), frame=frame()).all("input")
        if i.attributes.get("name") == "keys"
    ]


def test_an_empty_list_says_what_to_do(face: Flask) -> None:
    page = draw(face, "list.html", **SAMPLES["list-empty"][1])
    assert not page.all("table")
    assert "可以去掉筛选条件再看" in page.text()
    assert "清除筛选" in [link.text() for link in page.all("a")]


# ---------- Records ----------


def test_one_action_stands_out_and_a_disabled_one_says_why(face: Flask) -> None:
    page = draw(face, "record.html", page=record_page(), frame=frame())
    head = next(node for node in page.all("header") if node.has("record-head"))
    assert [a.text() for a in head.all("a", "button") if a.has("btn-primary")] == ["记录进展"]
    blocked = next(b for b in head.all("button") if b.text() == "评价")
    assert "disabled" in blocked.attributes
    assert blocked.parent is not None
    assert "县水利局尚未反馈" in blocked.parent.text()


def test_an_action_leads_to_its_form_without_a_script(face: Flask) -> None:
    page = draw(face, "record.html", page=record_page(), frame=frame())
    link = next(a for a in page.all("a") if a.text() == "反馈办理情况")
    panel = next(s for s in page.all("section") if "#" + s.attributes.get("id", "") == link.attributes["href"])
    form = panel.all("form")[0]
    assert form.attributes["action"] == "/assignment/1/report"
    assert form.attributes["enctype"] == "multipart/form-data"
    assert not panel.has("open")


def test_an_action_without_questions_is_one_press(face: Flask) -> None:
    page = draw(face, "record.html", page=record_page(), frame=frame())
    form = next(f for f in page.all("form") if f.attributes.get("action") == "/assignment/2/urge")
    assert form.attributes["method"] == "post"
    assert form.all("button")[0].text() == "催办"


def test_a_refused_transition_comes_back_open_with_what_was_typed(face: Flask) -> None:
    page = draw(face, "record.html", **SAMPLES["record-errors"][1])
    panel = next(s for s in page.all("section") if s.has("transition") and s.has("open"))
    assert "占压河道蓝线" in panel.all("textarea")[0].text()
    summary = next(d for d in panel.all("div") if d.has("error-summary"))
    assert [a.attributes["href"] for a in summary.all("a")] == ["#action-report-solved"]


def test_each_department_is_evaluated_in_its_own_group(face: Flask) -> None:
    page = draw(face, "record.html", **SAMPLES["record-emergency"][1])
    groups = [f for f in page.all("fieldset") if f.has("group-item")]
    assert [g.all("legend")[0].text() for g in groups] == ["县自然资源和规划局(主办)", "县水利局(协办)"]
    names = {i.attributes["name"] for i in groups[1].all("input")}
    assert names == {"evaluations-1-assignment", "evaluations-1-satisfaction"}


def test_the_timeline_keeps_its_order_and_shows_what_changed(face: Flask) -> None:
    page = draw(face, "record.html", page=record_page(), frame=frame())
    entries = next(o for o in page.all("ol") if o.has("timeline")).all("li")
    own = [e for e in entries if e.has("word") or e.has("step")]
    assert next(e.all("b")[0].text() for e in own) == "提交呼叫"
    assert "2026年11月24日" in own[-1].text()
    assert "2026年11月26日" in own[-1].text()
    assert own[2].has("step")


def test_a_clock_is_told_in_words_and_as_a_bar(face: Flask) -> None:
    page = draw(face, "record.html", page=record_page(), frame=frame())
    bar = page.all("progress")[1]
    assert bar.attributes["value"] == "71"
    assert "办理" in bar.attributes["aria-label"]
    assert bar.parent is not None
    assert "剩余 2天3小时" in bar.parent.text()


def test_a_document_being_produced_is_no_link(face: Flask) -> None:
    page = draw(face, "record.html", page=record_page(), frame=frame())
    assert "流转单.pdf" in page.text()
    assert "流转单.pdf" not in [a.text() for a in page.all("a")]
    assert page.all("iframe")[0].attributes["src"] == "/d/123/preview"


# ---------- Forms ----------


def test_optional_fields_are_marked_required_ones_are_not(face: Flask) -> None:
    page = draw(face, "form.html", page=form_page(), frame=frame())
    marked = [n.text() for n in page.all("label", "legend") if any(s.has("optional") for s in n.all("span"))]
    assert marked == [f"{name}optional" for name in ("引用清单条目", "建议部门", "涉及户数", "抄送", "现场照片")]


def test_errors_stand_beside_the_field_and_above_the_form(face: Flask) -> None:
    page = draw(face, "form.html", **SAMPLES["form-refused"][1])
    summary = next(d for d in page.all("div") if d.has("error-summary"))
    targets = [a.attributes["href"][1:] for a in summary.all("a")]
    assert targets == ["title", "field", "happened_on", "people", "confidential"]
    title = next(i for i in page.all("input") if i.attributes.get("id") == "title")
    assert title.attributes["aria-invalid"] == "true"
    assert "title-error" in title.attributes["aria-describedby"].split()


def test_nothing_typed_is_lost_even_if_it_is_no_date_and_no_number(face: Flask) -> None:
    page = draw(face, "form.html", **SAMPLES["form-refused"][1])
    values = {i.attributes["name"]: i.attributes for i in page.all("input")}
    assert values["happened_on"]["value"] == "2026年13月40日"
    assert values["happened_on"]["type"] == "text", "a date input would drop what is no date"
    assert values["people"]["value"] == "很多"
    assert values["people"]["type"] == "text"


def test_a_conflict_shows_what_the_other_changed(face: Flask) -> None:
    page = draw(face, "form.html", **SAMPLES["form-refused"][1])
    box = next(s for s in page.all("section") if s.has("conflict"))
    assert "已由李明于10:32派发" in box.text()
    assert [r.text() for r in box.all("tbody")[0].all("tr")] == ["状态待派发办理中", "主办部门–县自然资源和规划局"]


def test_few_choices_stand_open_many_are_searched(face: Flask) -> None:
    page = draw(face, "form.html", page=form_page(), frame=frame())
    kinds = [i.attributes["type"] for i in page.all("input") if i.attributes.get("name") == "kind"]
    assert kinds == ["radio", "radio"]
    search = next(s for s in page.all("select") if s.attributes["name"] == "departments")
    assert search.attributes["data-search-url"] == "/search/organisation"
    assert "multiple" in search.attributes


def test_a_draft_is_kept_under_the_key_of_the_page(face: Flask) -> None:
    page = draw(face, "form.html", page=form_page(autosave_key="zhoumin:call:add"), frame=frame())
    assert [f.attributes.get("data-autosave") for f in page.all("form") if f.has("main-form")] == ["zhoumin:call:add"]


def test_errors_of_a_group_lead_into_the_group(face: Flask) -> None:
    form = evaluate_form()
    form.validate()
    page = draw(face, "form.html", page=form_page(form=form), frame=frame())
    summary = next(d for d in page.all("div") if d.has("error-summary"))
    assert [a.attributes["href"] for a in summary.all("a")] == [
        "#evaluations-0-satisfaction",
        "#evaluations-1-satisfaction",
    ]


def test_what_people_type_is_never_markup(face: Flask) -> None:
    evil = "<img src=x onerror=alert(1)>"
    entry = p.TimelineEntry(record_page().timeline[0].at, "今天", evil, evil, evil, evil)
    page = draw(
        face,
        "record.html",
        page=record_page(title=evil, number=evil, timeline=(entry,), documents=(p.Attachment(evil, "/d"),)),
        frame=frame(person=evil),
    )
    assert not [image for image in page.all("img") if image.attributes["src"] == "x"]
