"""Where the time of real calls went: the whole way of each through the workflow, by hand (2.1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from models.call import Assignment, Call
from models.call_moments import times_spent
from models.time_spent import Party, TimeSpent
from tests.county import County, at

START = at("2026-11-23 09:00")


def spent(county: County, call: int, until: str, name: str | None = None) -> TimeSpent:
    with county.acting(name, at(until)) as session:
        return times_spent(session, [session.get_one(Call, call)], at(until))[call]


def links(found: TimeSpent) -> dict[str, tuple[int, int | None]]:
    """(minutes, late) by link; its count where it came again, its department where there are several."""
    several = {
        one.link for one in found.links if any(one.link == other.link and one.of != other.of for other in found.links)
    }
    return {
        str(one.link) + (f"{one.count}" if one.count > 1 else "") + (f" of {one.of}" if one.link in several else ""): (
            one.minutes,
            one.late,
        )
        for one in found.links
    }


def test_a_plain_call(county: County) -> None:
    call = county.submitted(when=START)
    county.do("dispatcher", Call, call, "accept", {}, at("2026-11-23 14:30"))
    county.do("dispatcher", Call, call, "dispatch", {"lead": county["department1"]}, at("2026-11-23 15:00"))
    (one,) = county.assignments(call)
    county.respond("department1", one, at("2026-11-25 09:30"))
    county.report("department1", one, at("2026-11-26 10:30"))
    county.evaluate(call, {one: "satisfied"}, at("2026-11-26 11:00"))
    found = spent(county, call, "2026-12-31 09:00")
    assert links(found) == {
        "acceptance": (240, None),
        "dispatch": (30, None),
        "response": (150 + 450 + 60, 60),
        "report": (420 + 90, None),
        "evaluation": (30, None),
    }
    assert found.whole == sum(one.minutes for one in found.links)
    assert [one.party for one in found.links] == [
        Party.office, Party.office, Party.department, Party.department, Party.township,
    ]  # fmt: skip


def test_completion_decline_and_objection(county: County) -> None:
    call = county.submitted(when=START)
    county.do("dispatcher", Call, call, "return_for_completion", {"missing": "位置"}, at("2026-11-23 15:30"))
    county.do("township1", Call, call, "submit", {}, at("2026-11-24 09:30"))
    county.do(
        "dispatcher", Call, call, "decline", {"reason": "out_of_scope", "text": "不属呼叫"}, at("2026-11-24 10:00")
    )
    county.do("township1", Call, call, "object", {"reason": "确需"}, at("2026-11-25 10:00"))
    county.do("director", Call, call, "grant_objection", {"ruling": "受理"}, at("2026-11-25 11:00"))
    found = spent(county, call, "2026-11-25 11:10")
    assert links(found) == {
        "acceptance": (180 + 120, 60),
        "completion": (120 + 60, None),
        "acceptance2": (30, None),
        "objection_ruling": (60, None),
        "acceptance3": (10, None),
    }


def test_a_return_request_an_extension_and_a_new_lead(county: County) -> None:
    call, first, second = county.dispatched("department1", "department2", when=START)
    when = "2026-11-23 10:00"
    county.do("department1", Assignment, first, "request_return", {"reason": "非本局职责"}, at(when))
    county.respond("department2", second, at(when))
    values = {"ruling": "同意", "lead": county["department3"]}
    county.do("dispatcher", Assignment, first, "uphold_return", values, at("2026-11-23 11:30"))
    third = county.assignments(call)[2]
    county.do(
        "department2", Assignment, second, "request_extension", {"until": "2026-12-10", "reason": "雨"}, at("2026-11-24 09:00")
    )  # fmt: skip
    county.do("dispatcher", Assignment, second, "grant_extension", {"until": "2026-12-10"}, at("2026-11-24 09:20"))
    found = links(spent(county, call, "2026-11-24 09:30"))
    assert found[f"response of {first}"] == (60, None)
    assert found["return_ruling"] == (90, None)
    assert found[f"response of {third}"] == (30 + 240 + 60, None)
    assert found["extension_ruling"] == (20, None)
    assert found["report"] == (120 + 240 + 60, None)


def test_sent_back_and_again(county: County) -> None:
    call, one = county.dispatched("department1", when=START)
    county.respond("department1", one, at("2026-11-23 09:10"))
    county.report("department1", one, at("2026-11-23 10:00"))
    county.do("dispatcher", Call, call, "send_back", {"missing": "照片"}, at("2026-11-23 10:20"))
    county.report("department1", one, at("2026-11-23 11:00"))
    county.evaluate(call, {one: "dissatisfied"}, at("2026-11-23 11:30"))
    county.report("department1", one, at("2026-11-27 08:40"))
    county.evaluate(call, {one: "satisfied"}, at("2026-11-27 09:00"))
    found = spent(county, call, "2026-11-30 09:00")
    assert links(found) == {
        "acceptance": (0, None),
        "dispatch": (0, None),
        "response": (10, None),
        "report": (50 + 40, None),
        "send_back": (20, None),
        "evaluation": (30, None),
        "report2": (30 + 240 + 3 * 450 + 10, 10),
        "evaluation2": (20, None),
    }
    assert found.whole == sum(one.minutes for one in found.links)


def test_a_changed_evaluation(county: County) -> None:
    call, one = county.dispatched("department1", when=START)
    county.respond("department1", one, at("2026-11-23 09:10"))
    county.report("department1", one, at("2026-11-23 10:00"))
    county.evaluate(call, {one: "dissatisfied"}, at("2026-11-23 10:30"))
    entry = {"assignment": one, "satisfaction": "satisfied", "solved": "solved", "comment": ""}
    county.do("township1", Call, call, "change_evaluation", {"evaluations": [entry]}, at("2026-11-23 11:00"))
    found = spent(county, call, "2026-11-30 09:00")
    assert links(found)["evaluation"] == (60, None)
    assert "report2" not in links(found)
    assert found.whole == 120


def plan(county: County, call: int, when: datetime, **more: Any) -> None:
    values = {"plan": "分期整治", "milestones": [{"text": "清淤", "day": "2026-12-20"}], **more}
    county.do("department1", Call, call, "request_long_term", values, when)


def test_long_term_handling_is_counted_apart(county: County) -> None:
    call, one = county.dispatched("department1", when=START)
    county.respond("department1", one, at("2026-11-23 09:10"))
    plan(county, call, at("2026-11-23 10:00"))
    county.do("dispatcher", Call, call, "endorse_long_term", {}, at("2026-11-23 10:30"))
    county.do("leader", Call, call, "approve_long_term", {}, at("2026-11-23 11:00"))
    county.do("dispatcher", Call, call, "end_long_term", {"reason": "已具备条件"}, at("2026-11-25 11:00"))
    found = spent(county, call, "2026-11-25 11:20")
    assert links(found) == {
        "acceptance": (0, None),
        "dispatch": (0, None),
        "response": (10, None),
        "report": (110 + 20, None),
        "endorsement": (30, None),
        "long_term_decision": (30, None),
        "long_term": (900, None),
        "milestone": (900, None),
    }
    assert sum(one.minutes for one in found.links if one.apart and not one.beside) == 900
    assert sum(one.minutes for one in found.links if not one.beside) == found.whole


def test_an_emergency_counts_every_minute_and_a_department_sees_the_same(county: County) -> None:
    call, one = county.emergency("department3", when=at("2026-11-21 22:00"))
    county.respond("department3", one, at("2026-11-21 22:40"))
    found = spent(county, call, "2026-11-21 23:00", "department3")
    assert links(found) == {"response": (40, 10), "report": (20, None)}


def test_replaced_departments_stop(county: County) -> None:
    call, first = county.dispatched("department1", when=START)
    values = {"assignment": str(first), "department": county["department2"], "reason": "职责调整"}
    county.do("dispatcher", Call, call, "reassign", values, at("2026-11-23 10:00"))
    second = county.assignments(call)[1]
    assert links(spent(county, call, "2026-11-23 10:30")) == {
        "acceptance": (0, None),
        "dispatch": (0, None),
        f"response of {first}": (60, None),
        f"response of {second}": (30, None),
    }


def test_many_calls_take_no_more_statements_than_one(county: County) -> None:
    keys = [county.dispatched("department1", "department2")[0] for _ in range(4)]

    def statements(wanted: list[int]) -> int:
        now: datetime = at("2026-11-24 09:00")
        found: list[str] = []

        def note(*given: Any) -> None:
            found.append(given[2])

        with county.acting(None, now) as session:
            calls = [session.get_one(Call, key) for key in wanted]
            sa.event.listen(session.get_bind(), "before_cursor_execute", note)
            assert set(times_spent(session, calls, now)) == set(wanted)
            sa.event.remove(session.get_bind(), "before_cursor_execute", note)
        return len(found)

    assert statements(keys) == statements(keys[:1])
