"""Inside a department, and from outside to it: in whose hands, urged, an alarm confirmed, progress, closed as not handled (2.1)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role

from models.call import Assignment, Call
from models.person import Person
from models.refusal import Conflict, Forbidden, Invalid, NotFound
from tests.calls import clocks, event_names, offered, refusal, sees, told
from tests.county import County, at

LATER = at("2026-11-24 10:00")


def colleague(county: County, organisation: str = "department1") -> int:
    with county.acting(None) as session:
        person = Person(
            username="colleague", first_name="科长", last_name="李", email="colleague@county.example", password="-", active=True,
            organisation_id=county[organisation], session_epoch=0, must_change_password=False,
        )  # fmt: skip
        person.roles = [session.scalars(sa.select(Role).where(Role.name == "department_officer")).one()]
        session.add(person)
        session.flush()
        county.people["colleague"] = person.id
        return person.id


# In whose hands


def test_a_department_takes_an_assignment_in_hand_and_keeps_its_clocks(county: County) -> None:
    call_id, assignment = county.dispatched("department1")
    before = clocks(county, assignment)
    for name in ("township1", "dispatcher"):
        refusal(Forbidden, county, name, Assignment, assignment, "take")
    county.do("department1", Assignment, assignment, "take", {}, LATER)
    with county.acting(None) as session:
        assert session.get_one(Assignment, assignment).taken_by_id == county.people["department1"]
    assert clocks(county, assignment) == before
    assert county.states(call_id) == ("dispatched", "pending")


def test_it_hands_on_to_a_person_a_section_or_an_agency_of_its_own(county: County) -> None:
    call_id, assignment = county.dispatched("department1")
    person, agency = colleague(county), county["agency1"]
    before = clocks(county, assignment)
    assert set(refusal(Invalid, county, "department1", Assignment, assignment, "hand_on").errors) == {"person"}
    assert not sees(county, "agency1", Call, call_id)
    values = {"person": person, "section": "执法股", "agency": agency}
    county.do("department1", Assignment, assignment, "hand_on", values)
    with county.acting(None) as session:
        one = session.get_one(Assignment, assignment)
        assert (one.taken_by_id, one.section, one.agency_id) == (person, "执法股", agency)
    assert clocks(county, assignment) == before
    assert sees(county, "agency1", Call, call_id)  # handed on to it
    assert not sees(county, "agency2", Call, call_id)


@pytest.mark.parametrize("wrong", ["person", "agency"])
def test_nothing_is_handed_on_to_strangers(county: County, wrong: str) -> None:
    _call, assignment = county.dispatched("department1")
    values = {"person": county.people["department2"]} if wrong == "person" else {"agency": county["agency2"]}
    assert set(refusal(Invalid, county, "department1", Assignment, assignment, "hand_on", values).errors) == {wrong}


def test_an_agency_reads_no_more_once_the_assignment_is_in_other_hands(county: County) -> None:
    call_id, assignment = county.dispatched("department1")
    county.do("department1", Assignment, assignment, "hand_on", {"agency": county["agency1"]})
    county.do("department1", Assignment, assignment, "hand_on", {"section": "执法股"})
    assert not sees(county, "agency1", Call, call_id)


# Urging


def test_township_and_dispatcher_urge_at_most_once_in_four_working_hours_per_assignment(county: County) -> None:
    call_id, lead, other = county.dispatched("department1", "department2")
    refusal(Forbidden, county, "department1", Assignment, lead, "urge")
    county.do("township1", Assignment, lead, "urge", {}, at("2026-11-23 10:00"))
    refusal(Conflict, county, "dispatcher", Assignment, lead, "urge", {}, at("2026-11-23 15:29"))
    county.do("dispatcher", Assignment, other, "urge", {}, at("2026-11-23 10:05"))
    county.do("dispatcher", Assignment, lead, "urge", {}, at("2026-11-23 15:30"))
    with county.acting(None) as session:
        one = session.get_one(Assignment, lead)
        assert (one.urges, one.urged_at) == (2, at("2026-11-23 15:30"))
        assert session.get_one(Assignment, other).urges == 1
    assert [name for name, _values in told(county, "department1", call_id)].count("urge") == 3


def test_a_reported_assignment_is_not_urged(county: County) -> None:
    _call, assignment = county.dispatched("department1")
    county.respond("department1", assignment)
    county.report("department1", assignment)
    refusal(Conflict, county, "township1", Assignment, assignment, "urge")


# Alarms


def test_an_alarm_is_confirmed_by_the_person_on_duty_or_the_duty_officer_for_him(county: County) -> None:
    _call, first, second = county.emergency("department3", "department4")
    for name in ("township1", "dispatcher"):
        refusal(Forbidden, county, name, Assignment, first, "acknowledge", {"who": "…"})
    county.do("department3", Assignment, first, "acknowledge", {"who": "赵值班"}, at("2026-11-23 09:05"))
    phoned = {"who": "钱值班", "when": "2026-11-23 09:08"}
    county.do("duty", Assignment, second, "acknowledge", phoned, at("2026-11-23 09:12"))
    with county.acting(None) as session:
        found = [session.get_one(Assignment, key) for key in (first, second)]
        assert [(one.acknowledged_by, one.acknowledged_at) for one in found] == [
            ("赵值班", at("2026-11-23 09:05")),
            ("钱值班", at("2026-11-23 09:08")),
        ]


def test_confirming_an_alarm_is_no_response(county: County) -> None:
    call_id, assignment = county.emergency("department3")
    county.do("department3", Assignment, assignment, "acknowledge", {"who": "赵值班"}, at("2026-11-23 09:05"))
    assert county.states(call_id) == ("dispatched", "pending")
    with county.acting(None) as session:
        one = session.get_one(Assignment, assignment)
        assert one.responded_at is None
        assert [str(mark) for mark in one.marks(at("2026-11-23 10:00"))] == ["late_response"]


def test_an_alarm_is_confirmed_once_and_only_where_one_rings(county: County) -> None:
    _call, assignment = county.emergency("department3")
    for wrong in ("2026-11-23 08:59", "2026-11-23 09:06"):
        values = {"who": "赵值班", "when": wrong}
        refused = refusal(
            Invalid, county, "duty", Assignment, assignment, "acknowledge", values, at("2026-11-23 09:05")
        )
        assert set(refused.errors) == {"when"}
    county.do("duty", Assignment, assignment, "acknowledge", {"who": "赵值班"}, at("2026-11-23 09:05"))
    refusal(Conflict, county, "duty", Assignment, assignment, "acknowledge", {"who": "…"}, at("2026-11-23 09:06"))
    _other, general = county.dispatched("department1")
    refusal(NotFound, county, "duty", Assignment, general, "acknowledge", {"who": "…"})
    refusal(Conflict, county, "department1", Assignment, general, "acknowledge", {"who": "…"})


# Progress


def test_progress_is_logged_by_township_and_department_on_call_and_assignment(county: County) -> None:
    call_id, assignment = county.dispatched("department1")
    for name in ("dispatcher", "director"):
        refusal(Forbidden, county, name, Call, call_id, "log_progress", {"text": "…"})
    refusal(Forbidden, county, "township1", Assignment, assignment, "log_progress", {"text": "…"})
    county.do("township1", Call, call_id, "log_progress", {"text": "已封路。"})
    county.do("department1", Call, call_id, "log_progress", {"text": "已出发。"})
    county.do("department1", Assignment, assignment, "log_progress", {"text": "已到场。"})
    texts = [values["text"] for name, values in told(county, "township1", call_id) if name == "log_progress"]
    assert texts == ["已封路。", "已出发。", "已到场。"]
    assert county.states(call_id) == ("dispatched", "pending")


# Closing as not handled


def test_an_assignment_is_closed_as_not_handled_from_three_working_days_after_the_report_deadline(
    county: County,
) -> None:
    call_id, lead = county.dispatched("department1")  # due on the 30th at 17:30
    for name in ("township1", "department1", "director"):
        refusal(Forbidden, county, name, Assignment, lead, "close_assignment", {"reason": "…"})
    early, when = at("2026-12-03 17:29"), at("2026-12-03 17:30")
    refusal(Conflict, county, "dispatcher", Assignment, lead, "close_assignment", {"reason": "…"}, early)
    assert set(refusal(Invalid, county, "dispatcher", Assignment, lead, "close_assignment", {}, when).errors) == {
        "reason"
    }
    county.do("dispatcher", Assignment, lead, "close_assignment", {"reason": "始终未办理。"}, when)  # the lead too
    assert county.states(call_id) == ("reported", "missed")
    assert "all_reported" in event_names(county, call_id)
    county.evaluate(call_id, {}, when)  # none is reported: an empty list closes
    assert county.states(call_id) == ("closed", "missed")


def test_a_withdrawn_call_leaves_nothing_to_do(county: County) -> None:
    call_id, assignment = county.dispatched("department1")
    county.do("township1", Call, call_id, "withdraw", {"reason": "已解决。"}, LATER)
    assert offered(county, "department1", Assignment, assignment, LATER) == set()
