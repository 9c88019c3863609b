"""Whom each step is told to, and in which words (2.1, 2.2; document texts, 14)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, get_args

import pytest
import sqlalchemy as sa
from flask_babel import force_locale

from app.database import transaction
from app.jobs import queue
from app.jobs.audience import TOLD
from app.jobs.relay import Relay
from app.notifications import OWN_WORDS, RELATIONS, WORDINGS, Kind, Relation, text_of, why_told
from models import clock, viewer
from models.automatic import sweep_automatic
from models.base import RECORD_TYPES
from models.call import Assignment, Call
from models.conclusion import Conclusion
from models.convening import Convening
from models.milestone import Milestone
from models.notification import Notification
from models.organisation import Organisation
from models.party_clocks import CLOCKS, sweep_parties
from models.person import Person
from models.proposal import AdjustmentProposal
from models.roster import DutyShift
from models.substitution import Portfolio, Substitution
from models.supervision import Notice
from models.sweep import sweep
from models.workflow import begin
from tests.app.jobs.conftest import QueueServer
from tests.conftest import Installation
from tests.county import MONDAY, County, at
from tests.supervision import concluded, drafted


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough for whom; that relaying works on both is tested beside it."""
    sqlite_installation.fresh("county")
    return sqlite_installation


Told = set[tuple[str, str]]


def relay(county: County, when: datetime = MONDAY) -> None:
    with county.app.app_context(), clock.at(when):
        Relay(queue.connect(county.app.config["REDIS_URL"])).run()


def forget(county: County) -> None:
    """What was told so far is of no interest."""
    relay(county)
    with county.acting(None) as session:
        session.execute(sa.delete(Notification))


def told(county: County, *kinds: str) -> Told:
    """(account, kind) of what has been told since `forget`, of some kinds or of all."""
    relay(county)
    with county.acting(None) as session:
        rows = session.execute(
            sa.select(Person.username, Notification.kind).join(Person, Person.id == Notification.person_id)
        )
        return {(row.username, row.kind) for row in rows if not kinds or row.kind in kinds}


def both(name: str, *kinds: str) -> Told:
    """An organisation's officer and leader."""
    return {(person, kind) for person in (name, f"{name}_leader") for kind in kinds}


def office(
    county: County, call: int, step: str, values: Mapping[str, Any] | None = None, when: datetime = MONDAY
) -> None:
    county.do("dispatcher", Call, call, step, values or {}, when)


def of_department(
    county: County, key: int, step: str, values: Mapping[str, Any] | None = None, when: datetime = MONDAY
) -> None:
    county.do("department1", Assignment, key, step, values or {}, when)


def swept(county: County, when: datetime) -> None:
    with county.app.app_context(), viewer.system(), clock.at(when):
        sweep(transaction)
        sweep_parties(transaction)
        sweep_automatic(transaction)


def shift(
    county: County, organisation: str, people: Iterable[str], phone: str = "0500-6210001", day: datetime = MONDAY
) -> None:
    """A chain on duty the whole day and the night after it."""
    with county.acting(None) as session:
        for place, name in enumerate(people, start=1):
            session.add(
                DutyShift(
                    county_id=county.id,
                    organisation_id=county[organisation],
                    person_id=county.people[name],
                    phone=phone,
                    begins=day - timedelta(hours=12),
                    ends=day + timedelta(hours=24),
                    position=place,
                )
            )


@pytest.fixture
def portfolio(county: County) -> None:
    """Department 1 has a portfolio leader beside the county head."""
    with county.acting(None) as session:
        made = Person(
            username="leader2", first_name="员", last_name="李", email="leader2@county.example", active=True,
            organisation_id=county.id, session_epoch=0, must_change_password=False, password="!",
        )  # fmt: skip
        made.roles = list(session.get_one(Person, county.people["leader"]).roles)
        session.add(made)
        session.flush()
        county.people["leader2"] = made.id
        session.add(Portfolio(county_id=county.id, person_id=made.id, department_id=county["department1"]))


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


# The ladder and other clocks


def test_amber_goes_to_whoever_has_it_in_hand(county: County, redis_server: QueueServer) -> None:
    with county.acting(None) as session:
        extra = Person(
            username="clerk", first_name="员", last_name="赵", email="clerk@county.example", active=True,
            organisation_id=county["department1"], session_epoch=0, must_change_password=False, password="!",
        )  # fmt: skip
        extra.roles = list(session.get_one(Person, county.people["department1"]).roles)
        session.add(extra)
    _call, key = county.dispatched("department1")
    of_department(county, key, "take")
    forget(county)
    swept(county, at("2026-11-24 13:31"))
    assert told(county, "amber") == {("department1", "amber")}


def test_slips_are_told_to_supervisors_then_to_the_department_and_its_leader(
    county: County, portfolio: None, redis_server: QueueServer
) -> None:
    county.dispatched("department1")
    swept(county, at("2026-11-24 17:31"))
    forget(county)
    swept(county, at("2026-11-25 17:31"))
    drafts = {("supervisor", "supervision_drafted"), ("supervisor2", "supervision_drafted")}
    assert told(county, "supervision_drafted") == drafts
    with county.acting(None) as session:
        slip = session.scalars(sa.select(Notice.id).where(Notice.kind == "supervision")).one()
    forget(county)
    swept(county, at("2026-11-26 17:31"))  # nobody has signed for four working hours
    assert told(county, "clock_expired") == {("director", "clock_expired")}
    forget(county)
    county.do("supervisor", Notice, slip, "sign", {}, at("2026-11-27 09:00"))
    assert told(county) == both("department1", "supervision_issued") | {("leader2", "supervision_copy")}
    forget(county)
    swept(county, at("2026-11-27 17:31"))
    candidates = {("supervisor", "candidate"), ("supervisor2", "candidate")}
    assert told(county, "candidate") == candidates


def test_an_office_that_is_late_is_told_and_then_its_director(county: County, redis_server: QueueServer) -> None:
    county.submitted()
    forget(county)
    swept(county, at("2026-11-23 11:01"))
    assert told(county) == {("dispatcher", "clock_amber")}
    forget(county)
    swept(county, at("2026-11-23 14:31"))
    assert told(county) == {("director", "clock_expired")}


def test_a_leader_who_does_not_decide_is_told_to_the_county_head(
    county: County, portfolio: None, redis_server: QueueServer
) -> None:
    call, *_rest = county.dispatched("department1")
    county.do("township1", Call, call, "escalate", {"why": "久拖未决"})
    forget(county)
    swept(county, at("2026-11-25 17:00"))
    assert told(county, "clock_amber") == {("leader2", "clock_amber")}
    swept(county, at("2026-11-26 17:31"))
    assert told(county, "clock_expired") == {("leader", "clock_expired"), ("director", "clock_expired")}


def test_a_milestone_that_passes_is_told_to_the_departments_leader_and_the_director(
    county: County, redis_server: QueueServer
) -> None:
    call, *_rest = county.dispatched("department1", "department2")
    county.do(
        "department1",
        Call,
        call,
        "request_long_term",
        {"plan": "分期", "milestones": [{"text": "一期", "day": "2026-12-10"}]},
    )
    office(county, call, "endorse_long_term")
    county.do("leader", Call, call, "approve_long_term")
    for key, name in zip(county.assignments(call), ("department1", "department2"), strict=True):
        county.respond(name, key)
    forget(county)
    swept(county, at("2026-12-10 17:31"))
    assert told(county, "clock_amber", "clock_expired") == {
        ("department1_leader", "clock_expired"),
        ("director", "clock_expired"),
    }


def test_every_alarm_reaches_exactly_who_is_named(county: County, portfolio: None, redis_server: QueueServer) -> None:
    shift(county, "department1", ("department1_leader", "department1"))
    shift(county, "township1", ("township1",), "0500-6210110")
    shift(county, "office", ("leader",))
    county.emergency("department1")
    assert told(county) == {
        ("dispatcher", "emergency_alarm"), ("duty", "emergency_alarm"), ("department1_leader", "ring"), ("department1", "emergency"),
    }  # fmt: skip
    minutes = {
        10: {("department1", "ring")},
        15: {("department1_leader", "alarm_department"), ("department1", "alarm_department"), ("duty", "alarm_duty")},
        30: {("department1_leader", "alarm_department"), ("leader", "alarm_leader"), *both("department1", "overdue")},
        60: {("leader2", "alarm_leader")},
    }
    for minute, expected in minutes.items():
        forget(county)
        swept(county, MONDAY + timedelta(minutes=minute))
        assert told(county) == expected, minute


def test_whoever_acts_for_a_leader_is_told_in_his_place_too(county: County, redis_server: QueueServer) -> None:
    with county.acting(None) as session:
        session.add(
            Substitution(
                county_id=county.id, person_id=county.people["leader"], substitute_id=county.people["director"],
                role="county_leader", begins=MONDAY.date(), ends=MONDAY.date(),
            )
        )  # fmt: skip
    call, *_rest = county.dispatched("department1")
    forget(county)
    county.do("township1", Call, call, "escalate", {"why": "久拖未决"})
    assert told(county) == {("leader", "escalated"), ("director", "escalated")}
    with county.acting(None) as session:
        assert set(session.scalars(sa.select(Notification.relation))) == {"leader", "substitute"}


def test_a_regularised_emergency(county: County, redis_server: QueueServer) -> None:
    call, *_rest = county.emergency("department1", "department2")
    forget(county)
    targets = [county["department1"], county["department3"]]
    office(county, call, "regularise", {"departments": targets, "emergency": False}, MONDAY + timedelta(hours=1))
    assert told(county) == {
        *both("department1", "regularised_general"), *both("department3", "dispatched"), *both("department2", "taken_back"),
        *both("township1", "regularised_general"),
    }  # fmt: skip


# Beyond calls


def test_conclusions_and_rectification_are_told_to_the_department(county: County, redis_server: QueueServer) -> None:
    key = concluded(county, until="draft")
    county.do("supervisor", Conclusion, key, "ask_explanation", {}, MONDAY)
    assert told(county) == both("department1", "explanation_wanted")
    forget(county)
    county.do("department1", Conclusion, key, "explain", {"explanation": "人员外出。"}, MONDAY)
    county.do("supervisor", Conclusion, key, "find", {"finding": "no_response", "text": "未响应。"}, MONDAY)
    county.do("supervisor", Conclusion, key, "serve", {}, MONDAY)
    assert told(county) == both("department1", "conclusion_served")
    forget(county)
    bulletin = drafted(county, [key], recipients=["department1"])
    county.do("supervisor", RECORD_TYPES["bulletin"], bulletin, "submit", {}, MONDAY)
    county.do("leader", RECORD_TYPES["bulletin"], bulletin, "approve", {}, MONDAY)
    assert told(county) == both("department1", "rectification_ordered")


def test_an_opinion_is_asked_of_each_townships_leaders(county: County, redis_server: QueueServer) -> None:
    from tests.models.test_admission import consulted

    consulted(county)
    assert told(county) == {("township1_leader", "opinion_wanted"), ("township2_leader", "opinion_wanted")}


def test_a_proposal_is_told_to_the_department(county: County, redis_server: QueueServer) -> None:
    with county.acting("township1", MONDAY) as session:
        one = AdjustmentProposal(
            agency_id=county.agencies["agency1"],
            performance="2026年以来",
            proposal="建议调整。",
            reason="履职不力。",
            meeting_date=MONDAY.date(),
        )
        one.prepare(session, county.viewer("township1"))
        session.add(one)
        session.flush()
        key = one.id
    county.do("township1", AdjustmentProposal, key, "send", {}, MONDAY)
    assert told(county) == both("department1", "proposal_received")


def test_of_a_personnel_consultation_the_secretary_hears_that_one_waits_and_nothing_more(
    county: County, redis_server: QueueServer
) -> None:
    from tests.models.test_consultation import sent

    sent(county)
    assert told(county) == {("township1_leader", "consultation_waits")}
    with county.acting(None) as session:
        one = session.scalars(sa.select(Notification)).one()
        assert one.values == {}
        assert (one.role, one.relation) == ("", "addressee")


# Words


SAMPLES: dict[str, Any] = {
    "call": "呼2026-0001", "township": "城关镇", "department": "水务局", "due": "2026-11-24T09:30:00+00:00", "at": "2026-11-24T02:00:00+00:00",
    "role": "lead", "reason": "own_power", "clock": "milestone", "action": "respond", "number": "催〔2026〕0001", "days": 10,
    "phone": "0500-6210001", "missing": "王建国家的门牌号", "channel": "王建国", "place": "王建国家门口",
    "record": {"type": "rectification", "number": "改〔2026〕0001"}, "assignment": 7,
    "due_today": 3, "overdue": 2, "emergencies": 1, "expired": 0, "slips": 4,
}  # fmt: skip
PERSONAL = ("王建国", "13800138000", "刘庄河道排放污水", "下游村民")


@pytest.mark.parametrize("locale", ["en", "zh_Hans"])
@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_kind_has_its_words(county: County, kind: str, locale: str) -> None:
    """In every fulness, with every placeholder read; outside the portal without anybody's own words."""
    with county.acting(None), force_locale(locale):
        for left_out in (set(), {"phone"}, OWN_WORDS, {"phone", *OWN_WORDS}):
            values = {name: value for name, value in SAMPLES.items() if name not in left_out}
            one = Notification(kind=kind, values=values, role="dispatcher", relation="office")
            for outside in (False, True):
                title, text = text_of(one, outside=outside)
                assert title
                assert text.endswith("." if locale == "en" else "。")
                assert "%" not in text
                assert not outside or not any(word in text for word in PERSONAL)
        assert why_told(one)
        if locale == "zh_Hans":
            assert re.search("[一-鿿]", title + text)
            assert not re.search("[A-Za-z]{3}", title + text + why_told(one))


def test_every_kind_and_relation_is_worded_and_every_step_exists() -> None:
    assert WORDINGS.keys() == set(get_args(Kind))
    assert RELATIONS.keys() == set(get_args(Relation))
    automatic = {
        ("call", "all_reported"), ("assignment", "report_copied"), ("notice", "draft"), ("rectification", "order"),
        ("rectification", "order_again"), ("admission_opinion", "ask_opinion"),
        *{("assignment", step) for step in ("amber", "reminder", "candidate", "ring", "duty_phones", "heads", "leader")},
        ("assignment", "deadline_recomputed"), ("organisation", "director_sheet"),
        *{(one.model.resource(), step) for one in CLOCKS for step in ("clock_amber", "clock_expired", "deadline_recomputed")},
    }  # fmt: skip
    for record_type, step in TOLD.keys() - automatic:
        workflow = RECORD_TYPES[record_type].workflow
        steps = {one.name for one in (*workflow.transitions, *workflow.automatic)} if workflow is not None else set()
        assert step in steps, (record_type, step)
