"""What stands on a call's page for each of its readers, beside the departments and their clocks (2.1; face, Record page)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from models import clock
from models.call import Assignment, Call
from models.convening import Convening
from models.workflow import begin
from tests.app.portal.test_lists import statements
from tests.app.visitor import form_to, visitor, words_of
from tests.conftest import Installation
from tests.county import MONDAY, County, at

NOON = at("2026-11-23 11:00")


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough: nothing here depends on which."""
    sqlite_installation.fresh("county")
    return sqlite_installation


def page(county: County, name: str, call_id: int, when: Any = NOON) -> str:
    """The words of a call's page as a person reads them."""
    here = visitor(county, name)
    with clock.at(when):
        answer = here.get(f"/call/show/{call_id}")
    assert answer.status_code == 200
    return words_of(answer)


def test_a_returned_call_says_what_is_missing(county: County) -> None:
    call_id = county.submitted()
    county.do("dispatcher", Call, call_id, "return_for_completion", {"missing": "请补充排污口位置。"})
    assert "请补充排污口位置。" in page(county, "township1", call_id)


def test_a_declined_call_says_why_and_which_way_to_go_and_what_the_township_objects(county: County) -> None:
    call_id = county.submitted()
    values = {"reason": "own_power", "text": "属乡镇自身职权。", "other_channel": "镇综合执法办"}
    county.do("dispatcher", Call, call_id, "decline", values)
    county.do("township1", Call, call_id, "object", {"reason": "我镇没有执法权。"})
    for name in ("township1", "director"):
        shown = page(county, name, call_id)
        assert all(words in shown for words in ("属乡镇自身职权。", "镇综合执法办", "我镇没有执法权。"))


def test_a_telephone_entry_waits_for_the_townships_tap(county: County) -> None:
    with county.acting("duty", MONDAY) as session:
        values = {
            "township": county["township1"],
            "kind": "general",
            "title": "刘庄",
            "field": "水务",
            "description": "电话反映。",
        }
        call_id = begin(session, Call, "enter_by_phone", values).record.id
    here = visitor(county, "township1")
    with clock.at(NOON):
        assert f'action="/call/{call_id}/confirm"' in here.get(f"/call/show/{call_id}").text
    county.do("township1", Call, call_id, "confirm")
    assert f'action="/call/{call_id}/confirm"' not in visitor(county, "township1").get(f"/call/show/{call_id}").text


def test_a_leaders_instruction_stands_first_with_its_office_and_date(county: County) -> None:
    call_id, _assignment = county.dispatched("department1")
    values = {"leader": str(county.people["leader"]), "text": "请抓紧办理，务必见效。", "day": "2026-11-20"}
    county.do("dispatcher", Call, call_id, "instruct", values)
    shown = page(county, "department1", call_id)
    assert shown.index("请抓紧办理，务必见效。") < shown.index("下游村民多次反映")
    assert "县政府办" in shown[: shown.index("请抓紧办理，务必见效。")]
    assert "2026年11月20日" in shown


def test_merged_calls_are_shown_to_the_offices_alone(county: County) -> None:
    call_id, _assignment = county.dispatched("department1")
    other, _one = county.dispatched("department1", township="township2")
    county.do("dispatcher", Call, call_id, "merge", {"calls": [other]})
    with county.acting(None) as session:
        session.get_one(Call, other).title = "另一镇的同一污染源"
    assert "另一镇的同一污染源" in page(county, "director", call_id)
    for name in ("township1", "department1"):
        assert "另一镇的同一污染源" not in page(county, name, call_id)


def test_a_continued_call_leads_to_the_new_draft_and_back(county: County) -> None:
    call_id, assignment = county.dispatched("department1")
    county.respond("department1", assignment)
    county.report("department1", assignment)
    county.evaluate(call_id, {assignment: "satisfied"})
    here = visitor(county, "township1")
    answer = here.post(f"/call/{call_id}/follow_up", token=here.token())
    new = call_id + 1
    assert answer.headers["Location"].endswith(f"/call/edit/{new}")
    assert f"/call/show/{call_id}" in here.get(f"/call/show/{new}").text
    assert f"/call/show/{new}" in here.get(f"/call/show/{call_id}").text
    assert f"/call/show/{new}" not in visitor(county, "dispatcher").get(f"/call/show/{call_id}").text  # a draft


def test_milestones_and_meetings_stand_with_dates_and_state(county: County) -> None:
    call_id, assignment = county.dispatched("department1")
    county.respond("department1", assignment)
    plan = {"plan": "分步办理。", "milestones": [{"text": "完成控源截污", "day": "2026-12-15", "department": None}]}
    county.do("department1", Call, call_id, "request_long_term", plan)
    meeting = {"at": "2026-11-24 14:00", "place": "刘庄桥头", "departments": [county["department2"]], "agencies": []}
    county.do("township1", Call, call_id, "convene", meeting)
    shown = page(county, "township1", call_id)
    assert all(words in shown for words in ("完成控源截污", "2026年12月15日", "分步办理。", "刘庄桥头", "住建局"))


def test_a_meeting_has_a_page_with_who_was_called(county: County) -> None:
    call_id, _assignment = county.dispatched("department1")
    meeting = {"at": "2026-11-24 14:00", "place": "刘庄桥头", "departments": [county["department2"]], "agencies": []}
    county.do("township1", Call, call_id, "convene", meeting)
    with county.acting(None) as session:
        (key,) = session.scalars(Convening.__table__.select()).all()
    shown = words_of(visitor(county, "department2").get(f"/convening/show/{key}"))
    assert "住建局" in shown
    here = visitor(county, "township1")
    with clock.at(at("2026-11-24 15:00")):
        assert f'action="/convening/{key}/record"' in here.get(f"/convening/show/{key}").text


def test_an_escalation_stands_with_leader_and_decision(county: County) -> None:
    call_id, _assignment = county.dispatched("department1")
    county.do("township1", Call, call_id, "escalate", {"why": "两部门意见不一。"})
    assert "两部门意见不一。" in page(county, "department1", call_id)
    county.do("leader", Call, call_id, "decide_escalation", {"text": "由自然资源局牵头。", "tasks": "三日内拿方案。"})
    shown = page(county, "department1", call_id)
    assert "由自然资源局牵头。" in shown
    assert "三日内拿方案。" in shown


def test_a_departments_part_says_in_whose_hands_who_opened_it_and_how_often_it_was_urged(county: County) -> None:
    call_id, assignment = county.dispatched("department1")
    page(county, "township1", call_id)
    page(county, "department2_leader", county.dispatched("department2")[0])
    with county.acting(None) as session:
        assert session.get_one(Assignment, assignment).opened_at is None  # of another department, or no department
    page(county, "department1", call_id, NOON)
    page(county, "department1_leader", call_id, at("2026-11-23 14:00"))
    with county.acting(None) as session:
        one = session.get_one(Assignment, assignment)
        assert (one.opened_at, one.opened_by_id) == (NOON, county.people["department1"])  # the first one only
        opener = one.opened_by.name if one.opened_by is not None else ""
    county.do("department1", Assignment, assignment, "hand_on", {"section": "执法股", "agency": county["agency1"]})
    county.do("township1", Assignment, assignment, "urge", {}, at("2026-11-23 10:00"))
    shown = page(county, "township1", call_id)
    for words in ("执法股", "城关自然资源所", opener, "23日 11:00", "23日 10:00"):
        assert words in shown


def test_return_and_extension_requests_stand_with_their_rulings(county: County) -> None:
    call_id, assignment = county.dispatched("department1")
    county.do(
        "department1", Assignment, assignment, "request_return", {"reason": "非本局职责。", "item": county.items[1]}
    )
    county.do("dispatcher", Assignment, assignment, "reject_return", {"ruling": "属其职责，应予办理。"})
    values = {"until": "2026-12-02", "reason": "需等待检测报告。"}
    county.do("department1", Assignment, assignment, "request_extension", values)
    county.do("dispatcher", Assignment, assignment, "refuse_extension", {"answer": "不予延期。"})
    shown = page(county, "township1", call_id)
    for words in ("非本局职责。", "违法占地巡查", "属其职责，应予办理。", "需等待检测报告。", "不予延期。"):
        assert words in shown


def test_who_confirmed_an_alarm_is_shown(county: County) -> None:
    call_id, assignment = county.emergency("department3")
    county.do("duty", Assignment, assignment, "acknowledge", {"who": "赵值班"}, at("2026-11-23 09:05"))
    assert "赵值班" in page(county, "township1", call_id)


def test_an_evaluation_is_changed_from_the_former_answers(county: County) -> None:
    call_id, assignment = county.dispatched("department1")
    county.respond("department1", assignment)
    county.report("department1", assignment)
    county.evaluate(call_id, {assignment: "fair"})
    here = visitor(county, "township1")
    with clock.at(NOON):
        answer = here.get(f"/call/show/{call_id}")
    form = form_to(answer, f"/call/{call_id}/change_evaluation")
    assert form.values["evaluations-0-satisfaction"] == ["fair"]
    assert form.values["evaluations-0-solved"] == ["solved"]


def test_the_steps_stand_in_groups_with_one_in_front(county: County) -> None:
    call_id, _assignment = county.dispatched("department1")
    here = visitor(county, "dispatcher")
    with clock.at(NOON):
        answer = here.get(f"/call/show/{call_id}").text
    bar = answer[answer.index('class="action-bar"') : answer.index("</details>", answer.index('class="action-bar"'))]
    order = re.findall(r"#action-(\w+)", bar)
    assert order.index("add_department") < order.index("escalate") < order.index("comment")
    assert bar.count('class="menu-group"') >= 3


@pytest.mark.parametrize("name", ["township1", "department1", "dispatcher", "leader", "supervisor"])
def test_the_page_of_a_call_with_many_departments_takes_fifteen_statements(county: County, name: str) -> None:
    call_id, first, *_others = county.dispatched("department1", "department2", "department3", "department4")
    county.respond("department1", first)
    here = visitor(county, name)
    with clock.at(NOON):
        here.get(f"/call/show/{call_id}")
        with statements(county) as seen:
            assert here.get(f"/call/show/{call_id}").status_code == 200
    assert len(seen) <= 15, seen


@pytest.mark.parametrize("name", ["township1", "department1", "dispatcher", "leader", "supervisor"])
def test_the_page_of_a_call_with_instruction_escalation_and_meeting_takes_fifteen_statements(
    county: County, name: str
) -> None:
    call_id, first, *_others = county.dispatched("department1", "department2")
    county.respond("department1", first)
    instruction = {"leader": str(county.people["leader"]), "text": "请抓紧办理。", "day": "2026-11-20"}
    county.do("dispatcher", Call, call_id, "instruct", instruction)
    county.do("township1", Call, call_id, "escalate", {"why": "两部门意见不一。"})
    meeting = {"at": "2026-11-24 14:00", "place": "刘庄桥头", "departments": [county["department2"]], "agencies": []}
    county.do("township1", Call, call_id, "convene", meeting)
    here = visitor(county, name)
    with clock.at(NOON):
        here.get(f"/call/show/{call_id}")
        with statements(county) as seen:
            page = here.get(f"/call/show/{call_id}").text
    assert all(words in page for words in ("请抓紧办理。", "两部门意见不一。", "刘庄桥头"))
    assert len(seen) <= 15, seen
