"""Meetings on site (现场协调): the township calls together, records who came, decisions become milestones (2.1; K2)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from models.call import Assignment, Call
from models.convening import Convening, ConveningInvitee
from models.milestone import Milestone
from models.refusal import Conflict, Forbidden, Invalid, NotFound
from tests.calls import offered, refusal, sees
from tests.county import County, at

HELD = at("2026-11-24 15:00")


def invitation(county: County, **values: Any) -> dict[str, Any]:
    return {
        "at": "2026-11-24 14:00",
        "place": "刘庄桥",
        "departments": [county["department1"], county["department2"]],
        "agencies": [county["agency1"]],
        "matter": "排污口归属。",
        **values,
    }


def convened(county: County) -> tuple[int, int]:
    """A call of department 1 for which department 2 and an agency are called to a meeting; gives call and meeting."""
    call_id, _assignment = county.dispatched("department1")
    county.do("township1", Call, call_id, "convene", invitation(county))
    with county.acting(None) as session:
        return call_id, session.scalars(sa.select(Convening.id)).one()


def record(county: County, meeting: int, **values: Any) -> dict[str, Any]:
    with county.acting(None) as session:
        keys = {
            one.organisation_id: one.id
            for one in session.scalars(sa.select(ConveningInvitee).where(ConveningInvitee.convening_id == meeting))
        }
    return {
        "attendance": [
            {"invitee": keys[county["department1"]], "attendance": "present", "names": "李科长", "excuse": ""},
            {"invitee": keys[county["department2"]], "attendance": "absent", "names": "", "excuse": ""},
            {"invitee": keys[county["agency1"]], "attendance": "excused", "names": "", "excuse": "参加防汛值守。"},
        ],
        "township_names": "王建国",
        "record": "现场查看后商定。",
        "decisions": [{"text": "封堵排污口", "department": str(county["department1"]), "day": "2026-11-30"}],
        **values,
    }


def test_the_township_calls_departments_and_agencies_together_with_time_and_place(county: County) -> None:
    call_id, _assignment = county.dispatched("department1")
    for name in ("department1", "dispatcher", "leader"):
        refusal(Forbidden, county, name, Call, call_id, "convene", invitation(county))
    refusal(NotFound, county, "township2", Call, call_id, "convene", invitation(county))
    for wrong, values in (
        ("at", {"at": "2026-11-23 08:00"}),
        ("place", {"place": ""}),
        ("departments", {"departments": [], "agencies": []}),
        ("departments", {"departments": [county["department9"]]}),
    ):
        refused = refusal(Invalid, county, "township1", Call, call_id, "convene", invitation(county, **values))
        assert set(refused.errors) == {wrong}
    county.do("township1", Call, call_id, "convene", invitation(county))
    assert county.states(call_id) == ("dispatched", "pending")


def test_who_is_convened_sees_the_call(county: County) -> None:
    call_id, assignment = county.dispatched("department1")
    assert not sees(county, "agency1", Call, call_id)
    assert not sees(county, "department2", Call, call_id)
    county.do("township1", Call, call_id, "convene", invitation(county))
    for name in ("agency1", "department2"):
        assert sees(county, name, Call, call_id)
        assert sees(county, name, Assignment, assignment)
    assert not sees(county, "agency2", Call, call_id)
    assert not sees(county, "department4", Call, call_id)


def test_the_township_records_the_meeting_by_a_list_of_names(county: County) -> None:
    _call, meeting = convened(county)
    refusal(
        Conflict, county, "township1", Convening, meeting, "record", record(county, meeting), at("2026-11-24 13:59")
    )
    for name in ("department1", "dispatcher"):
        refusal(Forbidden, county, name, Convening, meeting, "record", record(county, meeting), HELD)
    county.do("township1", Convening, meeting, "record", record(county, meeting), HELD)
    with county.acting(None) as session:
        held = session.get_one(Convening, meeting)
        assert (held.state, held.recorded_at, held.township_names) == ("held", HELD, "王建国")
        found = {one.organisation_id: (str(one.attendance), one.names or one.excuse) for one in held.invitees}
    assert found == {
        county["department1"]: ("present", "李科长"),
        county["department2"]: ("absent", ""),  # on record as evidence
        county["agency1"]: ("excused", "参加防汛值守。"),
    }
    refusal(Conflict, county, "township1", Convening, meeting, "record", record(county, meeting), HELD)


def test_the_record_speaks_of_everybody_called_once(county: County) -> None:
    _call, meeting = convened(county)
    given = record(county, meeting)
    for attendance in (
        given["attendance"][:2],
        [*given["attendance"], given["attendance"][0]],
        [{**given["attendance"][0], "names": ""}, *given["attendance"][1:]],
        [*given["attendance"][:2], {**given["attendance"][2], "excuse": ""}],
    ):
        wrong = {**given, "attendance": attendance}
        refused = refusal(Invalid, county, "township1", Convening, meeting, "record", wrong, HELD)
        assert set(refused.errors) == {"attendance"}


def test_a_decision_with_department_and_date_becomes_its_milestone(county: County) -> None:
    call_id, meeting = convened(county)
    past = record(county, meeting)
    past["decisions"][0]["day"] = "2026-11-23"
    assert set(refusal(Invalid, county, "township1", Convening, meeting, "record", past, HELD).errors) == {"decisions"}
    county.do("township1", Convening, meeting, "record", record(county, meeting), HELD)
    with county.acting(None) as session:
        made = session.scalars(sa.select(Milestone)).one()
        key = made.id
        assert (made.call_id, made.convening_id, made.department_id) == (call_id, meeting, county["department1"])
        assert (made.state, made.due, made.begins_at) == ("open", at("2026-11-30 17:30"), HELD)
    county.do("department1", Milestone, key, "complete_milestone", {"result": "已封堵。"}, at("2026-11-27 10:00"))
    assert county.states(call_id) == ("dispatched", "pending")  # a decision is no report


def test_a_meeting_may_be_cancelled_with_a_reason(county: County) -> None:
    _call, meeting = convened(county)
    assert set(refusal(Invalid, county, "township1", Convening, meeting, "cancel").errors) == {"reason"}
    refusal(Forbidden, county, "department1", Convening, meeting, "cancel", {"reason": "…"})
    county.do("township1", Convening, meeting, "cancel", {"reason": "已当面商定。"})
    assert offered(county, "township1", Convening, meeting, HELD) == set()


def test_a_planned_meeting_and_open_decisions_fall_away_with_the_call(county: County) -> None:
    call_id, meeting = convened(county)
    county.do("township1", Call, call_id, "withdraw", {"reason": "已解决。"})
    with county.acting(None) as session:
        assert session.get_one(Convening, meeting).state == "cancelled"
