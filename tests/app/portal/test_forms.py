"""The generated forms: nothing typed is lost, nothing foreign gets in, nobody's change overwrites another's (spec 5, Reliability; face, Forms)."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from models.call import Call
from models.call_words import CallState
from models.checklist import Checklist, ChecklistItem, ChecklistLevel, ChecklistState
from models.event import Event
from tests.app.visitor import Form, Visitor, form_to, kept, visitor, words_of
from tests.conftest import Installation
from tests.county import County, at


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough: nothing here depends on which."""
    sqlite_installation.fresh("county")
    return sqlite_installation


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


def test_a_time_typed_without_the_picker_is_read_as_the_picker_reads_it(county: County) -> None:
    here = visitor(county, "township1")
    answer = here.post("/call/add", new_call(here).values | TYPED | {"happened_at": "20261120 8:30"})
    assert answer.status_code == 302
    with county.acting(None) as session:
        assert session.scalars(sa.select(Call.happened_at)).one() == at("2026-11-20 08:30")


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
    call = int(re.search(r"/show/(\d+)", answer.location).group(1))
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
        )
        session.add(foreign)
        session.flush()
        item = ChecklistItem(checklist=foreign, county_id=county["county9"], number=1, field="外", name="外县事项")
        session.add(item)
        session.flush()
        foreign.state = ChecklistState.in_force
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
