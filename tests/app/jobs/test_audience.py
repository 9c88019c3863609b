"""Whom each step is told to, and in which words (2.1, 2.2; document texts, 14)."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask_babel import force_locale

from app.notifications import text_of
from models.call import Assignment, Call
from models.convening import Convening
from models.milestone import Milestone
from models.notification import Notification
from models.organisation import Organisation
from models.workflow import begin
from tests.app.jobs.conftest import QueueServer
from tests.app.jobs.told import both, forget, of_department, office, swept, told
from tests.app.jobs.told import portfolio as portfolio
from tests.conftest import Installation
from tests.county import MONDAY, County, at


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough for whom; that relaying works on both is tested beside it."""
    sqlite_installation.fresh("county")
    return sqlite_installation


# Before the dispatch


def test_a_telephone_entry_is_told_to_its_township_for_confirmation(county: County, redis_server: QueueServer) -> None:
    with county.acting("duty", MONDAY) as session:
        begin(session, Call, "enter_by_phone", {
            "township": county["township1"], "kind": "general", "title": "河道污水", "field": "水务", "description": "污水。",
        })  # fmt: skip
    assert told(county) == {*both("township1", "confirm_wanted"), ("dispatcher", "submitted")}


def test_completion_is_asked_of_the_township_and_the_office_tells_when_it_did_it_itself(
    county: County, redis_server: QueueServer
) -> None:
    call = county.submitted()
    forget(county)
    office(county, call, "return_for_completion", {"missing": "王建国家的门牌号"})
    assert told(county) == both("township1", "completion_wanted")
    county.do("township1", Call, call, "submit")
    assert told(county, "submitted") == {("dispatcher", "submitted")}
    forget(county)
    office(
        county, call, "complete", {"spoken_with": "王建国", "title": "污水", "field": "水务", "description": "详情。"}
    )
    assert told(county) == both("township1", "completed_by_office")


def test_declined_objected_ruled(county: County, redis_server: QueueServer) -> None:
    for ruling, kinds in (("grant_objection", {("dispatcher", "submitted")}), ("refuse_objection", set())):
        call = county.submitted()
        forget(county)
        office(county, call, "decline", {"reason": "own_power", "text": "属镇职权。", "other_channel": "12345"})
        assert told(county) == both("township1", "declined")
        county.do("township1", Call, call, "object", {"reason": "确需县级执法。"})
        assert told(county, "objection") == {("director", "objection")}
        forget(county)
        county.do("director", Call, call, ruling, {"ruling": "同意。"})
        answer = "objection_granted" if ruling == "grant_objection" else "objection_refused"
        assert told(county) == {*both("township1", answer), *kinds}


# Departments


def test_departments_that_come_and_go_are_told(county: County, redis_server: QueueServer) -> None:
    call, first, _second = county.dispatched("department1", "department2")
    forget(county)
    office(county, call, "add_department", {"department": county["department3"], "reason": "需要"})
    assert told(county) == {
        *both("department3", "dispatched"), *both("department1", "joined"), *both("department2", "joined"), *both("township1", "joined"),
    }  # fmt: skip
    forget(county)
    values = {"assignment": str(first), "department": county["department4"], "reason": "职责在水务局"}
    office(county, call, "reassign", values)
    assert told(county) == {
        *both("department4", "dispatched"), *both("department1", "taken_back"), *both("township1", "reassigned"),
    }  # fmt: skip


def test_a_cooperating_department_that_becomes_the_lead_is_told_so(county: County, redis_server: QueueServer) -> None:
    call, first, second = county.dispatched("department1", "department2")
    county.respond("department2", second)
    forget(county)
    values = {"assignment": str(first), "department": county["department2"], "reason": "由住建牵头"}
    office(county, call, "reassign", values, MONDAY + timedelta(minutes=5))
    assert told(county, "now_lead", "taken_back", "dispatched") == {
        *both("department2", "now_lead"), *both("department1", "taken_back"),
    }  # fmt: skip


def test_a_report_sent_back_is_told_to_its_department_and_the_township(
    county: County, redis_server: QueueServer
) -> None:
    call, first, second = county.dispatched("department1", "department2")
    for name, key in (("department2", second), ("department1", first)):
        county.respond(name, key)
        county.report(name, key)
    forget(county)
    office(county, call, "send_back", {"assignments": [str(second)], "missing": "结果不清"})
    assert told(county) == {*both("department2", "sent_back"), *both("township1", "report_sent_back")}


def test_return_requests_and_their_rulings(county: County, redis_server: QueueServer) -> None:
    _call, key = county.dispatched("department1")
    forget(county)
    of_department(county, key, "request_return", {"reason": "不属本局职责"})
    assert told(county) == {("dispatcher", "return_asked")}
    county.do("dispatcher", Assignment, key, "refer_return")
    assert told(county, "return_referred") == {("checklist", "return_referred")}
    forget(county)
    county.do("checklist", Assignment, key, "uphold_return", {"ruling": "属水务局", "lead": county["department4"]})
    assert told(county) == {
        *both("department1", "return_upheld"), *both("department4", "dispatched"), *both("township1", "reassigned"),
    }  # fmt: skip
    _call, key = county.dispatched("department1")
    of_department(county, key, "request_return", {"reason": "不属本局职责"})
    forget(county)
    county.do("dispatcher", Assignment, key, "reject_return", {"ruling": "属你局职责"})
    assert told(county) == both("department1", "return_rejected")


def test_extensions(county: County, redis_server: QueueServer) -> None:
    for answer, values, expected in (
        ("grant_extension", {"until": "2026-12-02"}, both("department1", "extension_granted") | both("township1", "extension_granted")),
        ("refuse_extension", {"answer": "不同意"}, both("department1", "extension_refused")),
    ):  # fmt: skip
        _call, key = county.dispatched("department1")
        forget(county)
        of_department(county, key, "request_extension", {"until": "2026-12-02", "reason": "需检测"})
        assert told(county) == {("dispatcher", "extension_asked")}
        forget(county)
        county.do("dispatcher", Assignment, key, answer, values)
        assert told(county) == expected


def test_long_term_handling_goes_from_office_to_leader_and_back(
    county: County, portfolio: None, redis_server: QueueServer
) -> None:
    call, _lead, _other = county.dispatched("department1", "department2")
    forget(county)
    plan = {"plan": "分三期整治", "milestones": [
        {"text": "一期", "day": "2026-12-10", "department": str(county["department2"])}, {"text": "二期", "day": "2027-01-10"},
    ]}  # fmt: skip
    county.do("department1", Call, call, "request_long_term", plan)
    assert told(county) == {("dispatcher", "long_term_asked")}
    office(county, call, "endorse_long_term")
    assert told(county, "long_term_endorsed") == {("leader2", "long_term_endorsed")}
    forget(county)
    county.do("leader2", Call, call, "approve_long_term")
    opened = both("department1", "milestone_opened") | both("department2", "milestone_opened")
    assert told(county) == opened | both("township1", "long_term_approved")
    with county.acting(None) as session:
        first = session.scalars(sa.select(Milestone.id).order_by(Milestone.day)).first()
    forget(county)
    assert first is not None
    county.do("department2", Milestone, first, "complete_milestone", {"result": "完成"})
    assert told(county) == both("township1", "milestone_completed")
    forget(county)
    office(county, call, "end_long_term", {"reason": "条件变化"})
    ended = both("department1", "long_term_ended") | both("department2", "long_term_ended")
    assert told(county) == ended | both("township1", "long_term_ended")


def test_long_term_handling_refused_is_told_to_who_asked(county: County, redis_server: QueueServer) -> None:
    call, *_rest = county.dispatched("department1", "department2")
    county.do(
        "department1",
        Call,
        call,
        "request_long_term",
        {"plan": "分期", "milestones": [{"text": "一期", "day": "2026-12-10"}]},
    )
    forget(county)
    office(county, call, "refuse_long_term", {"reason": "可按期办结"})
    assert told(county) == both("department1", "long_term_refused")


def test_whoever_is_called_together_gets_place_and_time(county: County, redis_server: QueueServer) -> None:
    call, *_rest = county.dispatched("department1")
    forget(county)
    at_site = {
        "at": "2026-11-24T10:00:00+08:00", "place": "刘庄村委会", "departments": [county["department1"], county["department4"]],
        "agencies": [county["agency1"]],
    }  # fmt: skip
    county.do("township1", Call, call, "convene", at_site)
    invited = both("department1", "convened") | both("department4", "convened") | {("agency1", "convened")}
    assert told(county) == invited
    with county.acting(None) as session, force_locale("en"):
        one = session.scalars(sa.select(Notification)).first()
        assert one is not None
        assert "11-24 10:00, 刘庄村委会" in text_of(one)[1]
        assert "刘庄" not in text_of(one, outside=True)[1]
        meeting = session.scalars(sa.select(Convening.id)).one()
    forget(county)
    with county.acting(None) as session:
        attendance = [
            {"invitee": one.id, "attendance": "present", "names": "某人", "excuse": ""}
            for one in session.get_one(Convening, meeting).invitees
        ]
    decisions = [{"text": "关停", "department": str(county["department4"]), "day": "2026-12-01"}]
    county.do(
        "township1",
        Convening,
        meeting,
        "record",
        {"attendance": attendance, "decisions": decisions},
        at("2026-11-24 11:00"),
    )
    assert told(county) == both("department4", "milestone_opened")


def test_a_meeting_that_falls_out_is_told_to_who_was_called(county: County, redis_server: QueueServer) -> None:
    call, *_rest = county.dispatched("department1")
    values = {"at": "2026-11-24T10:00:00+08:00", "place": "村委会", "departments": [county["department1"]]}
    county.do("township1", Call, call, "convene", values)
    with county.acting(None) as session:
        meeting = session.scalars(sa.select(Convening.id)).one()
    forget(county)
    county.do("township1", Convening, meeting, "cancel", {"reason": "雨"})
    assert told(county) == both("department1", "meeting_cancelled")


def test_leaders_are_told_what_comes_before_them_and_others_what_they_say(
    county: County, portfolio: None, redis_server: QueueServer
) -> None:
    call, *_rest = county.dispatched("department1")
    forget(county)
    county.do("township1", Call, call, "escalate", {"why": "久拖未决"})
    assert told(county) == {("leader2", "escalated")}
    forget(county)
    county.do("leader2", Call, call, "decide_escalation", {"text": "限期办结"})
    assert told(county) == both("department1", "decided") | both("township1", "decided") | {("dispatcher", "decided")}
    forget(county)
    county.do("leader", Call, call, "instruct", {"leader": str(county.people["leader"]), "text": "请抓紧"})
    assert told(county) == both("department1", "instructed")


def test_urged_handed_on_shared_merged(county: County, redis_server: QueueServer) -> None:
    call, key = county.dispatched("department1")
    other = county.submitted("township2")
    forget(county)
    county.do("township1", Assignment, key, "urge")
    assert told(county) == both("department1", "urged")
    forget(county)
    with county.acting(None) as session:
        session.get_one(Organisation, county["agency1"]).parent_id = county["department1"]
    of_department(county, key, "hand_on", {"person": county.people["department1_leader"], "agency": county["agency1"]})
    assert told(county) == {("department1_leader", "handed_on"), ("agency1", "handed_on")}
    forget(county)
    office(county, call, "share", {"organisations": [county["township3"], county["department2"]]})
    assert told(county) == both("township3", "shared") | both("department2", "shared")
    forget(county)
    office(county, call, "merge", {"calls": [other]})
    of_department(county, key, "take")
    county.do("township1", Call, call, "comment", {"text": "内部"})
    assert told(county) == set()
    county.do("township1", Call, call, "log_progress", {"text": "又有新情况"})
    of_department(county, key, "log_progress", {"text": "已取样"})
    assert told(county) == both("department1", "progress_township") | both("township1", "progress")


def test_a_changed_evaluation_is_told_only_where_the_round_changed(county: County, redis_server: QueueServer) -> None:
    call, first, second = county.dispatched("department1", "department2")
    for name, key in (("department2", second), ("department1", first)):
        county.respond(name, key)
        county.report(name, key)
    county.evaluate(call, {first: "dissatisfied", second: "satisfied"}, MONDAY)
    forget(county)
    later = MONDAY + timedelta(minutes=30)
    entries = [
        {"assignment": key, "satisfaction": answer, "solved": "solved", "comment": "未见人来。"}
        for key, answer in ((first, "fair"), (second, "dissatisfied"))
    ]
    county.do("township1", Call, call, "change_evaluation", {"evaluations": entries, "signed_by": "周书记"}, later)
    assert told(county) == both("department1", "not_again") | both("department2", "again")
    forget(county)
    entries[0]["satisfaction"] = "satisfied"
    county.do("township1", Call, call, "change_evaluation", {"evaluations": entries, "signed_by": "周书记"}, later)
    assert told(county) == set()


def test_a_call_that_nobody_evaluated_is_closed_and_its_township_told(
    county: County, redis_server: QueueServer
) -> None:
    call, key = county.dispatched("department1")
    county.respond("department1", key)
    county.report("department1", key)
    forget(county)
    swept(county, at("2026-11-26 17:31"))
    assert told(county) == {("township1", "clock_amber")}
    forget(county)
    swept(county, at("2026-12-07 17:31"))
    assert told(county) == both("township1", "closed_unevaluated")
    assert county.states(call)[0] == "closed"
    with county.acting(None) as session, force_locale("en"):
        one = session.scalars(sa.select(Notification)).first()
        assert one is not None
        assert "within 10 working days" in text_of(one)[1]
