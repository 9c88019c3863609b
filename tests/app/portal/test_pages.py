"""The generated pages: lists, forms, record pages, transitions, papers and errors, as people meet them (spec 4, Pages; spec 5; face)."""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from app.database import db
from app.jobs.tasks import produce_document
from models import viewer
from models.call import Assignment, Call, CallState
from models.checklist import Checklist, ChecklistItem, ChecklistLevel, ChecklistState
from models.document import Document
from models.event import Event
from models.organisation import Organisation
from models.setting import Setting
from tests.app.visitor import Form, Visitor, form_to, forms_of, visitor, words_of
from tests.conftest import Installation
from tests.county import MONDAY, County


@pytest.fixture
def installation(request: pytest.FixtureRequest) -> Installation:
    """SQLite, unless a test asks for the other database, on which bytes and numbers are stricter."""
    name = getattr(request, "param", "sqlite")
    made: Installation = request.getfixturevalue(f"{name}_installation")
    made.fresh("county")
    return made


both_databases = pytest.mark.parametrize(
    "installation", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)


def plant(county: County, count: int, **fields: object) -> list[int]:
    """Submitted calls straight into the database, as many as a list needs."""
    with county.acting(None, MONDAY) as session:
        same = {
            "county_id": county.id,
            "township_id": county["township1"],
            "field": "水务",
            "description": "测",
            "accept_due": MONDAY,
            **fields,
        }
        same["state"] = CallState.submitted
        calls = [Call(title=f"第{n:03d}件", number=f"旧2026-{n:04d}", **same) for n in range(1, count + 1)]
        session.add_all(calls)
        session.flush()
        return [call.id for call in calls]


def titles(page: TestResponse) -> list[str]:
    return re.findall(r'<a class="row-link card-name"[^>]*>(?:<span[^>]*>[^<]*</span>)?([^<]*)</a>', page.text)


def link(page: TestResponse, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', page.text)
    return found.group(1).replace("&amp;", "&") if found else ""


# ---- lists


def test_a_list_is_paged_by_key_both_ways(county: County) -> None:
    plant(county, 60)
    here = visitor(county, "dispatcher")
    page = here.get("/call/list/?tab=all")
    walked = [titles(page)]
    while link(page, "next"):
        page = here.get(link(page, "next"))
        walked.append(titles(page))
    assert [len(one) for one in walked] == [25, 25, 10]
    assert [title for one in walked for title in one] == [f"第{n:03d}件" for n in range(60, 0, -1)]
    back = []
    while link(page, "prev"):
        page = here.get(link(page, "prev"))
        back.append(titles(page))
    assert back == walked[1::-1]
    assert "tab=all" in link(here.get("/call/list/?tab=all"), "next"), "the saved view stays"


def test_a_call_raised_meanwhile_does_not_shift_the_next_page(county: County) -> None:
    plant(county, 30)
    here = visitor(county, "dispatcher")
    following = link(here.get("/call/list/?tab=all"), "next")
    county.submitted(title="新来的")
    assert titles(here.get(following)) == [f"第{n:03d}件" for n in range(5, 0, -1)]


def test_the_count_stops_at_its_cap(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.portal.listing.CAP", 40)
    plant(county, 40)
    assert "40+" not in visitor(county, "dispatcher").get("/call/list/?tab=all").text
    county.submitted()
    assert "40+" in visitor(county, "dispatcher").get("/call/list/?tab=all").text


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("100%", ["达100%"]),
        ("%", ["达100%"]),
        ("_", ["甲_乙"]),
        ("甲_", ["甲_乙"]),
        ("'", ["老王's"]),
        ('"', ['引"号']),
        ("\\", ["反\\斜"]),
        ("河", ["河道"]),
        ("  河道 ", ["河道"]),
        ("无此", []),
        ("河\x00道", ["河道"]),
        ("abc", ["ABC"]),
        ("';DROP TABLE call;--", []),
        ("(", []),
        ("*", []),
    ],
)
def test_a_search_finds_what_is_typed_and_nothing_else(county: County, typed: str, found: list[str]) -> None:
    for title in ("达100%", "甲_乙", "老王's", '引"号', "反\\斜", "河道", "ABC"):
        county.submitted(title=title, description="述")
    page = visitor(county, "dispatcher").get("/call/list/", query_string={"tab": "all", "q": typed})
    assert page.status_code == 200
    assert [html.unescape(one) for one in titles(page)] == found


def test_filters_narrow_and_chips_take_them_back(county: County) -> None:
    county.submitted("township1", title="甲事", field="水务")
    county.submitted("township2", title="乙事", field="自然资源")
    here = visitor(county, "dispatcher")
    page = here.get(
        "/call/list/",
        query_string={"tab": "all", "field": "水务", "township": str(county["township1"]), "state": "submitted"},
    )
    assert titles(page) == ["甲事"]
    chips = [one.replace("&amp;", "&") for one in re.findall(r'<a class="chip" href="([^"]+)"', page.text)]
    assert len(chips) == 3
    assert titles(here.get(next(one for one in chips if "field=" not in one))) == ["甲事"]
    assert titles(here.get("/call/list/?tab=all&field=%E6%B0%B4%E5%8A%A1&state=closed")) == []
    assert "城关镇" in words_of(page)


NONSENSE = (
    "page=abc",
    "page=-1",
    "page_size=99999999",
    "psize=-1",
    "psize_CallView=100000",
    "sort=nothing",
    "sort=title;drop",
    "tab=nothing",
    "tab=",
    "after=huge",
    "after=9223372036854775808",
    "after=99999999999999999999999",
    "after=-5",
    "after=%C2%B2",
    "after=1e3",
    "before=-1",
    "before=0",
    "before=9223372036854775807",
    "before=x&after=y",
    "state=nothing",
    "state=%00",
    "state=draft&state=closed",
    "township=abc",
    "township=0",
    "township=-1",
    "township=9223372036854775807",
    "township=99999999999999999999",
    "township=1.5",
    "field=%00",
    "field=%F0%9F%98%80",
    "field=" + "x" * 3000,
    "q=%00",
    "q=" + "%25" * 500,
    "q=%ED%A0%80",
    "q=%FF%FE",
    "_flt_0_title=x",
    "_oc_CallView=bogus&_od_CallView=asc",
    "kind=nothing",
    "complex=maybe",
    "csrf_token=x",
    "%00=%00",
    "q[]=1",
    "state[]=x",
)


@both_databases
def test_a_senseless_address_is_answered_with_a_page(county: County) -> None:
    county.dispatched("department1")
    here = visitor(county, "dispatcher")
    for query in NONSENSE:
        for resource in ("call", "organisation"):
            assert here.get(f"/{resource}/list/?{query}").status_code == 200, (resource, query)
        assert here.get(f"/inbox/?{query}").status_code == 200, query
        assert here.get(f"/search/?{query}").status_code == 302, query
    for query in ("q=%00", "q=" + "%25" * 500, "q=%ED%A0%80", "q=_", "p=1"):
        assert here.get(f"/call/options/dispatch.lead?{query}").status_code == 200, query
    drafting = visitor(county, "township1")
    for query in (
        "checklist_item=abc",
        "checklist_item=99999999999999999999",
        "title=%00",
        "kind=x",
        "happened_at=x",
        "township=1",
        f"checklist_item={'9' * 18}",
    ):
        assert drafting.get(f"/call/add?{query}").status_code == 200, query


@both_databases
@pytest.mark.parametrize(
    "key", ["0", "9223372036854775807", "9223372036854775808", "9" * 40, "-1", "abc", "1.5", "%00", "1%20", "²", "٣"]
)
def test_an_id_that_no_record_has_is_not_found(county: County, key: str) -> None:
    for name in ("township1", "dispatcher"):
        here = visitor(county, name)
        token = here.token()
        for address in (
            f"/call/show/{key}",
            f"/call/edit/{key}",
            f"/document/pdf/{key}",
            f"/document/show/{key}",
            f"/organisation/show/{key}",
        ):
            assert here.get(address).status_code in (403, 404), address
        for address in (
            f"/call/delete/{key}",
            f"/call/{key}/submit",
            f"/call/{key}/paper",
            f"/inbox/{key}",
            f"/assignment/{key}/respond",
        ):
            assert here.post(address, token=token).status_code in (403, 404, 405), address


# ---- statements (spec 5: list ≤ 8, record page ≤ 15, whatever the number of rows or permissions)


@contextmanager
def statements(county: County) -> Iterator[list[str]]:
    """The SQL of a request, without the beginning of its transaction."""
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    with county.app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("name", ["township1", "department1", "dispatcher"])
def test_a_list_takes_eight_statements_however_long(county: County, name: str) -> None:
    here = visitor(county, name)
    counts = []
    for _ in range(2):
        for _ in range(9):
            county.dispatched("department1", "department2", "department3")
        here.get("/call/list/?tab=all")
        with statements(county) as seen:
            assert here.get("/call/list/?tab=all&state=dispatched&q=刘庄").status_code == 200
        counts.append(len(seen))
        assert len(seen) <= 8, seen
    assert counts[1] <= counts[0] + 1, "one more when the list is longer than a page: the capped count"


@pytest.mark.parametrize("name", ["township1", "department1", "dispatcher"])
def test_a_record_page_takes_fifteen_statements_however_much_happened(county: County, name: str) -> None:
    call, *assignments = county.dispatched("department1", "department2", "department3")
    county.respond("department1", assignments[0])
    here = visitor(county, name)
    counts = []
    for _ in range(2):
        for turn in range(8):
            county.do("department1", Assignment, assignments[0], "log_progress", {"text": f"进展{turn}"})
        here.get(f"/call/show/{call}")
        with statements(county) as seen:
            assert here.get(f"/call/show/{call}").status_code == 200
        counts.append(len(seen))
    assert counts[0] <= 15, seen
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    "path",
    ["/", "/inbox/", "/organisation/list/", "/checklist_item/list/", "/document/list/", "/notice/list/", "/call/add"],
)
def test_other_pages_are_thrifty_too(county: County, path: str) -> None:
    for _ in range(12):
        county.dispatched("department1", "department2")
    here = visitor(county, "township1" if path == "/call/add" else "dispatcher")
    here.get(path)
    with statements(county) as seen:
        assert here.get(path).status_code == 200
    assert len(seen) <= 8, seen


# ---- forms

TYPED = {
    "title": "刘庄河道排放污水",
    "field": "水务",
    "description": "第一行\n第二行 <b>&amp;</b> \"引\" 'x'\n\n末行",
    "place": "刘庄北桥",
    "kind": "general",
    "source": "own",
    "contact_name": "王建国",
    "contact_phone": "0530-123",
    "happened_at": "2026-11-20 08:30",
}


def new_call(here: Visitor) -> Form:
    return form_to(here.get("/call/add"), "/call/add")


def kept(page: TestResponse, action: str) -> dict[str, str]:
    """What stands in a form that came back, by name."""
    return {name: values[-1].replace("\r\n", "\n") for name, values in form_to(page, action).values.items()}


def test_a_call_is_raised_by_six_fields_or_fewer(county: County) -> None:
    here = visitor(county, "township1")
    form = new_call(here)
    typed = {"title": "刘庄河道排放污水", "description": "村民反映。", "checklist_item": str(county.items[2])}
    answer = here.post("/call/add", form.values | typed | {"then": "submit"})
    assert answer.status_code == 302
    with county.acting(None) as session:
        call = session.scalars(sa.select(Call)).one()
        assert (call.state, call.field, call.contact_name) == (
            CallState.submitted,
            "水务",
            form.values["contact_name"][0],
        )


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"happened_at": "gestern"}, "happened_at"),
        ({"title": "长" * 121}, "title"),
        ({"title": "两\n行"}, "title"),
        ({"description": "x" * 20001}, "description"),
        ({"description": "铃\x07声"}, "description"),
        ({"place": "空\x00字"}, "place"),
        ({"title": "表情😀"}, "title"),
        ({"field": "无此领域"}, "field"),
        ({"kind": "utmost"}, "kind"),
        ({"checklist_item": "999999"}, "checklist_item"),
        ({"checklist_item": "abc"}, "checklist_item"),
        ({"contact_phone": "1" * 41}, "contact_phone"),
        ({"happened_at": "2026-13-45 99:99"}, "happened_at"),
    ],
)
def test_nothing_typed_is_lost_when_something_is_wrong(county: County, wrong: dict[str, str], named: str) -> None:
    here = visitor(county, "township1")
    answer = here.post("/call/add", TYPED | wrong)
    assert answer.status_code == 422
    present = kept(answer, "/call/add")
    for name, value in (TYPED | wrong).items():
        if name in ("field", "kind", "checklist_item") and name in wrong:
            continue  # a choice that is none cannot stand among the choices
        if "\x00" in value or "\x07" in value:
            continue  # what no document may hold
        assert present[name].rstrip("\n") == value, name
    assert re.search(rf'<li><a href="#{named}">', answer.text), "the summary leads to the field"
    with county.acting(None) as session:
        assert session.scalars(sa.select(Call.id)).all() == []


def test_a_character_that_cannot_be_printed_is_named(county: County) -> None:
    answer = visitor(county, "township1").post("/call/add", TYPED | {"title": "表情😀事"})
    assert "😀" in re.findall(r'class="field-error"[^>]*>(.*?)</p>', answer.text, re.S)[0]


def test_exactly_the_longest_text_is_taken(county: County) -> None:
    here = visitor(county, "township1")
    assert here.post("/call/add", TYPED | {"description": "述" * 20000, "title": "题" * 120}).status_code == 302


def test_a_missing_answer_keeps_the_typed_ones_when_submitting(county: County) -> None:
    here = visitor(county, "township1")
    answer = here.post("/call/add", TYPED | {"description": "", "then": "submit"})
    assert answer.status_code == 422
    assert kept(answer, "/call/add")["title"] == TYPED["title"]
    assert "#description" in answer.text


def test_a_draft_may_be_incomplete(county: County) -> None:
    here = visitor(county, "township1")
    answer = here.post("/call/add", {"place": "刘庄"})
    assert answer.status_code == 302
    page = here.get(answer.location)
    assert page.status_code == 200
    assert "刘庄" in page.text


def test_an_emergency_asks_for_its_departments_after_saving(county: County) -> None:
    here = visitor(county, "township1")
    answer = here.post("/call/add", TYPED | {"kind": "emergency", "then": "submit"})
    assert answer.status_code == 302
    assert answer.location.endswith("#action-submit")
    call = int(re.search(r"/show/(\d+)", answer.location).group(1))  # type: ignore[union-attr]
    assert here.post(f"/call/{call}/submit", {"departments": [str(county["department3"])]}).status_code == 302
    assert county.states(call) == ("dispatched", "pending")


@pytest.mark.parametrize(
    "field",
    [
        "township_id",
        "township",
        "state",
        "number",
        "county_id",
        "id",
        "complex",
        "remark",
        "submitted_at",
        "accepted_by",
    ],
)
def test_fields_that_nobody_asked_for_are_left_alone(county: County, field: str) -> None:
    here = visitor(county, "township1")
    assert here.post("/call/add", TYPED | {field: str(county["township2"])}).status_code == 302
    with county.acting(None) as session:
        call = session.scalars(sa.select(Call)).one()
        assert (call.township_id, call.state, call.number, call.county_id, call.complex, call.remark) == (
            county["township1"],
            "draft",
            None,
            county.id,
            False,
            "",
        )


def foreign_item(county: County) -> int:
    """The key of an item of another county's list."""
    with county.acting(None) as session:
        foreign = Checklist(
            county_id=county["county9"],
            name="外县清单",
            level=ChecklistLevel.county,
            owner_id=county["county9"],
            state=ChecklistState.in_force,
        )
        session.add(foreign)
        session.flush()
        item = ChecklistItem(checklist=foreign, county_id=county["county9"], number=1, field="外", name="外县事项")
        session.add(item)
        session.flush()
        return item.id


def test_a_reference_to_another_county_s_row_is_refused(county: County) -> None:
    key = foreign_item(county)
    here = visitor(county, "township1")
    answer = here.post("/call/add", TYPED | {"checklist_item": str(key)})
    assert answer.status_code == 422
    assert "外县" not in answer.text
    assert "外县" not in here.get(f"/call/add?checklist_item={key}").text
    dispatched = county.submitted()
    for lead in (county["department9"], county["township2"], county["county"]):
        refused = visitor(county, "dispatcher").post(f"/call/{dispatched}/dispatch", {"lead": str(lead)})
        assert refused.status_code == 422
        assert "山阳" not in refused.text
    assert county.states(dispatched) == ("submitted",)


def test_a_reference_that_the_editor_may_not_see_is_not_cleared_by_saving(county: County) -> None:
    call, hidden = county.draft(), foreign_item(county)
    with county.acting(None) as session:
        session.get_one(Call, call).checklist_item_id = hidden
    here = visitor(county, "township1")
    page = here.get(f"/call/edit/{call}")
    assert "外县事项" not in page.text
    form = form_to(page, f"/call/edit/{call}")
    assert here.post(form.action, form.values | {"title": "改过的题目"}).status_code == 302
    with county.acting(None) as session:
        assert session.get_one(Call, call).checklist_item_id == hidden
        assert session.get_one(Call, call).title == "改过的题目"


def test_two_people_edit_one_draft_and_nothing_is_lost(county: County) -> None:
    call = county.draft(place="老地方")
    officer, leader = visitor(county, "township1"), visitor(county, "township1_leader")
    mine, theirs = (form_to(one.get(f"/call/edit/{call}"), f"/call/edit/{call}") for one in (officer, leader))
    assert officer.post(mine.action, mine.values | {"title": "先存的题目"}).status_code == 302
    refused = leader.post(theirs.action, theirs.values | {"place": "新地方", "description": "我写了很久的描述"})
    assert refused.status_code == 409
    assert "先存的题目" in refused.text, "it says what stands there now"
    assert "张" in words_of(refused), "and who wrote it"
    again = form_to(refused, theirs.action)
    assert again.values["place"] == ["新地方"]
    assert again.values["description"] == ["我写了很久的描述"]
    with county.acting(None) as session:
        assert session.get_one(Call, call).place == "老地方"
    assert leader.post(again.action, again.values).status_code == 302
    with county.acting(None) as session:
        saved = session.get_one(Call, call)
        assert (saved.place, saved.description) == ("新地方", "我写了很久的描述")


def test_a_form_without_a_version_is_no_way_around(county: County) -> None:
    call = county.draft()
    here = visitor(county, "township1")
    for version in ({}, {"version": ""}, {"version": "x"}, {"version": "²"}, {"version": "-1"}, {"version": "99"}):
        assert here.post(f"/call/edit/{call}", TYPED | version).status_code == 409, version


def test_a_submitted_call_is_no_longer_edited_by_form(county: County) -> None:
    call = county.submitted()
    here = visitor(county, "township1")
    for answer in (here.get(f"/call/edit/{call}"), here.post(f"/call/edit/{call}", TYPED | {"version": "2"})):
        assert answer.status_code == 409
        assert "/call/list/" in answer.text


def test_only_drafts_are_deleted(county: County) -> None:
    here = visitor(county, "township1")
    draft, submitted = county.draft(), county.submitted()
    assert here.get(f"/call/delete/{draft}").status_code == 405
    assert here.post(f"/call/delete/{draft}").status_code == 302
    assert here.get(f"/call/show/{draft}").status_code == 404
    assert here.post(f"/call/delete/{submitted}").status_code == 409
    assert here.get(f"/call/show/{submitted}").status_code == 200
    with county.acting(None) as session:
        assert (
            "delete"
            in session.scalars(sa.select(Event.name).where(Event.record_type == "call", Event.record_id == draft)).all()
        )


def test_what_people_write_is_shown_as_text(county: County) -> None:
    script = "<script>alert(1)</script>{{ 7*7 }}<img src=x onerror=alert(2)>"
    call = county.submitted(title=script[:100], description=script, contact_name="<b>x</b>", place=script)
    for name in ("township1", "dispatcher"):
        here = visitor(county, name)
        for page in (f"/call/show/{call}", "/call/list/?tab=all", "/"):
            text = here.get(page).text
            assert "<script>alert" not in text
            assert "<img src=x" not in text
            assert "<b>x</b>" not in text
            assert "49" not in re.sub(r"\d{3,}", "", text) or "{{ 7*7 }}" in text


# ---- transitions


def test_a_refused_step_comes_back_open_with_what_was_typed(county: County) -> None:
    _call, assignment = county.dispatched("department1")
    county.respond("department1", assignment)
    here = visitor(county, "department1")
    answer = here.post(
        f"/assignment/{assignment}/report", {"result": "查了三次，写了很长", "solved": "partly", "reason": ""}
    )
    assert answer.status_code == 422
    assert 'class="transition open"' in answer.text
    form = form_to(answer, f"/assignment/{assignment}/report")
    assert form.values["result"] == ["查了三次，写了很长"]
    assert form.values["solved"] == ["partly"]
    assert here.post(form.action, form.values | {"reason": "经费未到"}).status_code == 302
    assert county.states(_call) == ("reported", "reported")


def test_a_refused_dispatch_keeps_the_chosen_departments(county: County) -> None:
    call = county.submitted()
    here = visitor(county, "dispatcher")
    chosen = {
        "lead": str(county["department1"]),
        "cooperating": [str(county["department1"]), str(county["department2"])],
        "remark": "请尽快",
        "respond_due": "2020-01-01 08:00",
    }
    answer = here.post(f"/call/{call}/dispatch", chosen)
    assert answer.status_code == 422
    form = form_to(answer, f"/call/{call}/dispatch")
    assert form.values["lead"] == [chosen["lead"]]
    assert form.values["cooperating"] == chosen["cooperating"]
    assert form.values["remark"] == ["请尽快"]
    assert form.values["respond_due"] == ["2020-01-01 08:00"]


def test_the_dispatch_form_suggests_whom_the_item_names(county: County) -> None:
    call = county.draft()
    with county.acting(None) as session:
        session.get_one(Call, call).checklist_item_id = county.items[1]
    county.do("township1", Call, call, "submit", {})
    form = form_to(visitor(county, "dispatcher").get(f"/call/show/{call}"), f"/call/{call}/dispatch")
    assert form.values["lead"] == [str(county["department1"])]
    assert form.values["cooperating"] == [str(county["department3"])]


def test_a_stale_step_says_so_and_keeps_what_was_typed(county: County) -> None:
    call = county.submitted()
    here = visitor(county, "dispatcher")
    form = form_to(here.get(f"/call/show/{call}"), f"/call/{call}/dispatch")
    county.do("dispatcher", Call, call, "accept", {})
    answer = here.post(form.action, form.values | {"lead": str(county["department1"]), "remark": "写好的批示"})
    assert answer.status_code == 409
    again = form_to(answer, form.action)
    assert again.values["remark"] == ["写好的批示"]
    assert here.post(again.action, again.values).status_code == 302, "and it can be sent again"
    assert county.states(call) == ("dispatched", "pending")


def test_a_step_in_another_state_is_a_conflict_in_words(county: County) -> None:
    call, assignment = county.dispatched("department1")
    answer = visitor(county, "dispatcher").post(f"/call/{call}/accept")
    assert answer.status_code == 409
    assert 'role="alert"' in answer.text
    answer = visitor(county, "department1").post(
        f"/assignment/{assignment}/report", {"result": "办完", "solved": "solved"}
    )
    assert answer.status_code == 409
    assert "办完" in answer.text
    assert (
        visitor(county, "dispatcher").post(f"/assignment/{assignment}/close_assignment", {"reason": "无"}).status_code
        == 409
    )
    assert county.states(call) == ("dispatched", "pending")


def test_steps_that_are_not_there_or_not_ours(county: County) -> None:
    call, assignment = county.dispatched("department1")
    here = visitor(county, "township1")
    assert here.post(f"/call/{call}/nothing").status_code == 404
    assert here.post(f"/call/{call}/dispatch", {"lead": str(county["department1"])}).status_code == 403
    assert here.post(f"/assignment/{assignment}/respond", {"how": "phone"}).status_code == 403
    assert here.post(f"/organisation/{county['township1']}/submit").status_code == 404
    assert here.post("/call/bulk/nothing").status_code == 404
    assert here.post("/call/bulk/submit").status_code == 404, "only steps made for it are done in bulk"


def test_only_what_is_possible_is_offered(county: County) -> None:
    call, assignment = county.dispatched("department1")
    offered = {
        name: {
            one.action
            for one in forms_of(visitor(county, name).get(f"/call/show/{call}"))
            if re.search(r"/\d+/", one.action)
        }
        for name in ("township1", "department1", "dispatcher")
    }
    assert offered["township1"] == {f"/call/{call}/log_progress", f"/call/{call}/withdraw", f"/call/{call}/paper"}
    assert offered["department1"] == {
        f"/assignment/{assignment}/respond",
        f"/assignment/{assignment}/log_progress",
        f"/call/{call}/log_progress",
        f"/call/{call}/paper",
    }
    assert offered["dispatcher"] == {f"/call/{call}/paper"}


def test_the_evaluation_form_has_an_entry_for_each_department(county: County) -> None:
    call, first, second = county.dispatched("department1", "department2")
    for name, key in (("department1", first), ("department2", second)):
        county.respond(name, key)
    county.report("department2", second)
    county.report("department1", first)
    here = visitor(county, "township1")
    page = here.get(f"/call/show/{call}")
    form = form_to(page, f"/call/{call}/evaluate")
    assert form.values["evaluations-0-assignment"] == [str(first)]
    assert form.values["evaluations-1-assignment"] == [str(second)]
    assert "自然资源局" in page.text
    typed = {
        "evaluations-0-satisfaction": "dissatisfied",
        "evaluations-0-solved": "partly",
        "evaluations-0-comment": "",
    }
    typed |= {
        "evaluations-1-satisfaction": "satisfied",
        "evaluations-1-solved": "solved",
        "evaluations-1-comment": "很好",
    }
    refused = here.post(form.action, form.values | typed)
    assert refused.status_code == 422
    again = form_to(refused, form.action)
    assert again.values["evaluations-1-comment"] == ["很好"]
    assert again.values["evaluations-0-satisfaction"] == ["dissatisfied"]
    assert "自然资源局" in refused.text
    assert here.post(form.action, again.values | {"evaluations-0-comment": "未见人来"}).status_code == 302
    assert county.states(call) == ("dispatched", "responded", "reported")


def test_bulk_acceptance_says_honestly_what_happened(county: County) -> None:
    waiting, done = [county.submitted() for _ in range(3)], county.dispatched("department1")[0]
    foreign = county.draft()
    here = visitor(county, "dispatcher")
    keys = [*map(str, waiting), str(done), str(foreign), "²", "x", "-1", "9" * 30, str(waiting[0])]
    answer = here.post("/call/bulk/accept", {"keys": keys}, follow_redirects=True)
    assert answer.status_code == 200
    flashes = re.findall(r'role="status">.*?<p>(.*?)</p>', answer.text, re.S)
    assert any("3" in one for one in flashes), flashes
    assert len(flashes) == 2, "what was skipped is said too"
    assert [county.states(key)[0] for key in (*waiting, done, foreign)] == ["accepted"] * 3 + ["dispatched", "draft"]


def test_bulk_by_somebody_without_the_role_changes_nothing(county: County) -> None:
    call = county.submitted()
    for name in ("township1", "leader", "city"):
        visitor(county, name).post("/call/bulk/accept", {"keys": [str(call)]})
        assert "/call/bulk/accept" not in visitor(county, name).get("/call/list/").text
    assert county.states(call) == ("submitted",)


def test_two_requests_at_once_do_not_mix(county: County) -> None:
    """A filter of one person must never narrow or widen another's list (stack facts, section 3)."""
    county.submitted("township1", title="甲镇之事")
    county.submitted("township2", title="乙镇之事")
    wrong: list[str] = []

    def look(name: str, own: str, other: str, query: str) -> None:
        here = visitor(county, name)
        for _ in range(12):
            text = here.get(f"/call/list/?tab=all{query}").text
            if own not in text or other in text:
                wrong.append(name)

    threads = [
        threading.Thread(target=look, args=arguments)
        for arguments in (
            ("township1", "甲镇之事", "乙镇之事", ""),
            ("township2", "乙镇之事", "甲镇之事", ""),
            ("dispatcher", "甲镇之事", "乙镇之事", f"&township={county['township1']}"),
            ("dispatcher", "乙镇之事", "甲镇之事", "&q=乙镇"),
        )
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# ---- papers


def test_a_paper_comes_with_its_speaking_name(county: County) -> None:
    call, _assignment = county.dispatched("department1")
    with county.acting(None) as session:
        document, name = session.execute(sa.select(Document.id, Document.number)).one()
    here = visitor(county, "township1")
    assert (
        "document/pdf"
        not in here.get(f"/call/show/{call}").text.split('id="documents-title"')[1].split("</section>")[0]
    ), "no link before it is there"
    waiting = here.get(f"/document/pdf/{document}")
    assert waiting.status_code in (302, 503)
    assert int(waiting.headers["Retry-After"]) > 0
    assert here.get(f"/document/pdf/{document}", follow_redirects=True).status_code in (200, 503)
    with county.app.app_context(), viewer.system():
        produce_document(document)
    paper = here.get(f"/document/pdf/{document}")
    assert paper.mimetype == "application/pdf"
    assert paper.data.startswith(b"%PDF")
    disposition = paper.headers["Content-Disposition"]
    assert disposition.startswith("attachment")
    assert name in unquote(disposition)
    assert disposition.isascii()
    assert paper.headers["X-Content-Type-Options"] == "nosniff"
    assert f"/document/pdf/{document}" in here.get(f"/call/show/{call}").text
    shown = words_of(visitor(county, "dispatcher").get(f"/document/show/{document}"))
    assert "城关镇" in shown


def test_whoever_reads_first_is_remembered(county: County) -> None:
    county.dispatched("department1")
    with county.acting(None) as session:
        document = session.scalars(sa.select(Document.id)).one()
    with county.app.app_context(), viewer.system():
        produce_document(document)
    visitor(county, "department1").get(f"/document/pdf/{document}")
    with county.acting(None) as session:
        read = {one.organisation_id: one.read_by_id for one in session.get_one(Document, document).recipients}
    assert read == {county["department1"]: county.people["department1"], county["township1"]: None}


def test_a_draft_has_no_flow_sheet(county: County) -> None:
    assert visitor(county, "township1").post(f"/call/{county.draft()}/paper").status_code == 409


# ---- errors


def test_errors_are_told_in_words(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    here = visitor(county, "township1")
    answers = {
        400: here.client.post("/call/add", data={}),
        403: here.get("/setting/list/"),
        404: here.get("/nowhere"),
        405: here.get("/logout/"),
        409: here.get(f"/call/edit/{county.submitted()}"),
    }
    monkeypatch.setitem(county.app.config, "MAX_CONTENT_LENGTH", 1000)
    answers[413] = here.client.post("/call/add", data={"title": "x" * 5000})
    for status, answer in answers.items():
        assert answer.status_code == status
        assert 'class="error-page"' in answer.text, status
        assert str(status) in words_of(answer)
        assert "/call/list/" in answer.text, "the frame stays"
        assert "Traceback" not in answer.text
        assert "werkzeug" not in answer.text.lower()


class Planted(RuntimeError):
    """A fault of ours."""


@pytest.mark.parametrize("path", ["/call/list/", "/call/add"])
def test_a_fault_leaks_nothing_and_changes_nothing(county: County, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    here = visitor(county, "township1")
    token = here.token()

    def fault(*_: object, **__: object) -> None:
        db.session.flush()
        raise Planted("secret-detail SELECT * FROM ab_user /work/main")

    monkeypatch.setattr("views.call.CallView._saved", fault)
    monkeypatch.setattr("views.call.CallView.load_options", fault)
    monkeypatch.setitem(county.app.config, "PROPAGATE_EXCEPTIONS", False)
    answer = here.post(path, TYPED, token=token) if path == "/call/add" else here.get(path)
    assert answer.status_code == 500
    assert "secret-detail" not in answer.text
    assert "Planted" not in answer.text
    assert 'class="error-page"' in answer.text
    with county.acting(None) as session:
        assert session.scalars(sa.select(Call.id)).all() == []
    assert here.get("/organisation/list/").status_code == 200, "the next request works"


def test_a_setting_that_does_not_fit_is_told_in_words(county: County) -> None:
    with county.acting(None) as session:
        setting = Setting(county_id=county.id, name="respond_limit", value="1 working_days")
        session.add(setting)
        session.flush()
        key = setting.id
    here = visitor(county, "sysadmin")
    form = form_to(here.get(f"/setting/edit/{key}"), f"/setting/edit/{key}")
    for value in ("soon", "", "-1 working_days", "x" * 501):
        answer = here.post(form.action, form.values | {"value": value})
        assert answer.status_code == 422, value
        assert kept(answer, form.action)["value"] == value
    assert here.post(form.action, form.values | {"value": "2 working_days"}).status_code == 302


# ---- language


@pytest.mark.parametrize(("locale", "lang"), [("zh_Hans", "zh-Hans"), ("zh_Hant", "zh-Hant"), ("en", "en")])
def test_choosing_a_language_keeps_the_page(county: County, locale: str, lang: str) -> None:
    here = visitor(county, "township1")
    answer = here.post("/language/", {"locale": locale, "next": "/call/list/?tab=all&q=%E6%B2%B3"})
    assert answer.location == "/call/list/?tab=all&q=%E6%B2%B3"
    assert f'<html lang="{lang}">' in here.get(answer.location).text
    assert here.post("/language/", {"locale": "xx"}).status_code == 400


@pytest.mark.parametrize("locale", ["zh_Hans", "zh_Hant", "en"])
def test_every_page_is_drawn_in_every_language(county: County, locale: str) -> None:
    call, assignment = county.dispatched("department1")
    county.respond("department1", assignment)
    here = visitor(county, "department1")
    here.post("/language/", {"locale": locale})
    for page in (
        "/",
        "/call/list/",
        f"/call/show/{call}",
        "/document/list/",
        "/organisation/list/",
        f"/organisation/show/{county['township1']}",
        "/checklist/list/",
        "/inbox/",
        "/password/",
        "/nowhere",
    ):
        answer = here.get(page)
        assert answer.status_code in (200, 404), page
        assert "%(" not in answer.text, page


def test_organisations_of_the_directory(county: County) -> None:
    here = visitor(county, "township1")
    with county.acting(None) as session:
        names = session.scalars(sa.select(Organisation.short_name).where(Organisation.county_id == county.id)).all()
    shown = here.get("/organisation/list/").text
    assert all(name in shown for name in names)
    assert here.get("/organisation/add").status_code == 403
