"""Raising a call comfortably: calls like it suggested, canned texts, matters of other platforms raised once and answered (2.1; face, Forms)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from models import clock
from models.call import Assignment, Call
from models.call_words import CallSource
from models.canned_text import CannedText
from models.refusal import Invalid
from models.similar_calls import likeness, pairs
from tests.app.portal.api_client import Api
from tests.app.visitor import visitor
from tests.conftest import Installation
from tests.county import MONDAY, County, at

TITLE = "刘庄河道排放污水"


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough: nothing here depends on which."""
    sqlite_installation.fresh("county")
    return sqlite_installation


# Calls like it


def test_likeness_counts_the_pairs_of_characters_that_two_titles_share() -> None:
    assert likeness(pairs(TITLE), pairs(TITLE)) == 1.0
    assert likeness(pairs(TITLE), pairs("刘庄 河道 排放污水")) == 1.0
    assert 0.3 < likeness(pairs(TITLE), pairs("刘庄村河道有人排放污水")) < 1.0
    assert likeness(pairs(TITLE), pairs("学校门口占道经营")) == 0.0
    assert likeness(pairs(""), pairs("")) == 0.0


def suggested(county: County, name: str, title: str, **more: str) -> list[str]:
    answer = visitor(county, name).get("/call/similar", query_string={"title": title, **more})
    assert answer.status_code == 200
    return [one["url"].rpartition("/")[2] for one in answer.json]


def test_the_most_alike_calls_are_suggested_first_at_most_five(county: County) -> None:
    now = clock.now()
    keys = [county.submitted(when=now, title=title) for title in ("刘庄河道垃圾堆放", "学校门口占道经营", TITLE)]
    assert suggested(county, "township1", "刘庄河道排放污水严重") == [str(keys[2]), str(keys[0])]
    for _ in range(6):
        county.submitted(when=now)
    assert len(suggested(county, "township1", TITLE)) == 5
    assert suggested(county, "township1", "刘庄") == []  # too short to say anything


def test_only_calls_that_the_person_sees_are_suggested(county: County) -> None:
    county.submitted("township2", when=clock.now())
    assert suggested(county, "township1", TITLE) == []
    assert len(suggested(county, "dispatcher", TITLE)) == 1
    assert visitor(county, "auditor").get("/call/similar?title=" + TITLE).status_code == 403


def test_only_calls_of_the_last_90_days_are_suggested_and_not_the_one_being_written(county: County) -> None:
    county.submitted(when=at("2026-03-02 09:00"))
    own = county.draft(when=clock.now())
    assert suggested(county, "township1", TITLE) == [str(own)]
    assert suggested(county, "township1", TITLE, but=str(own)) == []


def test_any_text_is_answered(county: County) -> None:
    for title in ("", "\x00\x00\x00\x00", "%_%_%", "😀" * 300):
        assert suggested(county, "township1", title) == []


# The form


def test_seldom_needed_fields_are_folded_and_open_with_an_error(county: County) -> None:
    here = visitor(county, "township1")
    form = here.get("/call/add").text
    folded = form[form.index('class="more-fields"') : form.index("</details>", form.index('class="more-fields"'))]
    for name in ("happened_at", "contact_name", "contact_phone", "agreed_by", "source", "external_number"):
        assert f'name="{name}"' in folded
    for name in ("title", "field", "description", "place"):
        assert f'name="{name}"' not in folded
    answer = here.post("/call/add", {"title": TITLE, "happened_at": "gestern"}, token=here.token())
    assert answer.status_code == 422
    assert '<details class="more-fields" open>' in answer.text


# Canned texts


def keep_text(county: County, name: str, title: str, text: str) -> None:
    here = visitor(county, name)
    assert here.post("/canned_text/add", {"name": title, "text": text}, token=here.token()).status_code == 302


def test_canned_texts_are_kept_by_the_officers_of_an_organisation_for_themselves(county: County) -> None:
    keep_text(county, "department1", "已到场", "已派员到场核实。")
    keep_text(county, "township1", "请核查", "请核查并反馈。")
    for name, own, foreign in (
        ("department1_leader", "已派员到场核实。", "请核查"),
        ("township1", "请核查并反馈。", "已派员"),
    ):
        listed = visitor(county, name).get("/canned_text/mine")
        assert [one["text"] for one in listed.json] == [own]
        assert foreign not in visitor(county, name).get("/canned_text/list/").text.replace(own, "")
    with county.acting(None) as session:
        key = session.scalars(sa.select(CannedText.id).where(CannedText.name == "请核查")).one()
    assert visitor(county, "department1").get(f"/canned_text/edit/{key}").status_code == 404
    assert visitor(county, "leader").get("/canned_text/mine").status_code == 403


def test_the_long_fields_of_steps_offer_canned_texts(county: County) -> None:
    call_id, assignment = county.dispatched("department1")
    page = visitor(county, "department1").get(f"/call/show/{call_id}").text
    form = page[page.index(f'action="/assignment/{assignment}/respond"') :]
    assert 'data-canned="/canned_text/mine"' in form[: form.index(">")]
    assert "data-canned" not in visitor(county, "leader").get(f"/call/show/{call_id}").text


# Matters of other platforms


def test_the_same_external_number_of_a_source_is_refused_naming_the_present_call(county: County) -> None:
    other = {"source": CallSource.hotline, "external_number": "12345-77"}
    county.submitted(**other)
    with pytest.raises(Invalid) as refused:
        county.draft(**other)
    (sentence,) = refused.value.errors["external_number"]
    assert "呼2026-0001" in str(sentence)
    county.draft(source=CallSource.grid, external_number="12345-77")  # another platform
    county.draft(source=CallSource.hotline, external_number="12345-78")
    county.draft()
    county.draft()  # without a number nothing is compared


def test_of_another_township_s_call_no_more_is_told_than_that_it_is_there(county: County) -> None:
    other = {"source": CallSource.hotline, "external_number": "12345-77"}
    county.submitted(**other)
    with pytest.raises(Invalid) as refused:
        county.draft("township2", **other)
    (sentence,) = refused.value.errors["external_number"]
    assert "呼2026" not in str(sentence)
    assert "污水" not in str(sentence)


def test_of_two_saved_at_the_same_moment_the_database_keeps_one(county: County) -> None:
    """Whoever gets past the question meets the index."""
    first = county.draft(source=CallSource.hotline, external_number="12345-77")
    second = county.draft()
    doubled = sa.update(Call).where(Call.id == second)
    with pytest.raises(sa.exc.IntegrityError), county.acting(None) as session:
        session.execute(doubled.values(source=CallSource.hotline, external_number="12345-77"))
    county.do("township1", Call, first, "withdraw", {"reason": "误填"})
    with county.acting(None) as session:
        session.execute(doubled.values(source=CallSource.hotline, external_number="12345-77"))


def test_a_withdrawn_call_does_not_stand_in_the_way(county: County) -> None:
    other = {"source": CallSource.hotline, "external_number": "12345-77"}
    call_id = county.submitted(**other)
    county.do("township1", Call, call_id, "withdraw", {"reason": "填错。"})
    county.draft(**other)


def test_form_and_rest_refuse_it_beside_the_field(county: County) -> None:
    county.submitted(source=CallSource.hotline, external_number="12345-77")
    values = {
        "title": "另一标题",
        "description": "…",
        "kind": "general",
        "source": "12345",
        "external_number": "12345-77",
    }
    here = visitor(county, "township1")
    answer = here.post("/call/add", values, token=here.token())
    assert answer.status_code == 422
    assert "呼2026-0001" in answer.text
    assert '<details class="more-fields" open>' in answer.text
    refused = Api(county, "township1").call("POST", "/call/", json={**values, "field": "水务"})
    assert refused.status_code == 422
    assert "呼2026-0001" in refused.json["external_number"][0]


def test_a_later_step_is_not_held_up_by_its_own_number(county: County) -> None:
    call_id = county.submitted(source=CallSource.hotline, external_number="12345-77")
    county.do("dispatcher", Call, call_id, "dispatch", {"lead": county["department1"]})
    assert county.states(call_id) == ("dispatched", "pending")


def test_the_page_offers_the_reply_to_copy_back_without_names_of_persons(county: County) -> None:
    call_id = county.submitted(source=CallSource.hotline, external_number="12345-77")
    county.do("dispatcher", Call, call_id, "dispatch", {"lead": county["department1"]})
    (assignment,) = county.assignments(call_id)
    assert 'data-copy="县自然资源和规划局' not in visitor(county, "township1").get(f"/call/show/{call_id}").text
    county.respond("department1", assignment)
    county.report("department1", assignment, result="经与王建国现场核实，已关停排污口。")
    with county.acting(None) as session:
        assert session.get_one(Assignment, assignment).response_whom == "王建国"
    for name in ("township1", "dispatcher"):
        page = visitor(county, name).get(f"/call/show/{call_id}").text
        copied = page[page.index('data-copy="县自然资源和规划局') :]
        copied = copied[: copied.index(">")]
        assert "已关停排污口。" in copied
        assert "王建国" not in copied
    assert 'data-copy="县自然资源和规划局' not in visitor(county, "department1").get(f"/call/show/{call_id}").text


def test_a_call_of_our_own_needs_no_reply(county: County) -> None:
    call_id, assignment = county.dispatched("department1")
    county.respond("department1", assignment, MONDAY)
    county.report("department1", assignment, MONDAY)
    assert 'data-copy="县自然资源和规划局' not in visitor(county, "township1").get(f"/call/show/{call_id}").text
