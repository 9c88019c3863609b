"""The overdue ladder beyond the reminder: supervision slips, candidates, the emergency's alarm chain, every party's own clock (2.2)."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.database import transaction
from models import clock
from models.automatic import sweep_automatic
from models.call import Assignment, Call
from models.document import Document
from models.event import Event, EventValue
from models.ladder_steps import LadderStep
from models.milestone import Milestone
from models.party_clocks import ClockStep, overdue, sweep_parties
from models.refusal import Conflict, Forbidden, Invalid, NotFound
from models.roster import DutyShift
from models.supervision import Notice
from models.sweep import Swept, sweep
from tests.app.visitor import visitor
from tests.calls import clocks, event_names, refusal, sees, told
from tests.county import MONDAY, County, at

RESPOND_DUE = at("2026-11-24 17:30")
LATE = at("2026-11-25 17:30")
"""A working day after the response was due."""
EVERYBODY = (
    "supervisor", "supervisor9", "leader", "director", "dispatcher", "department1", "department1_leader", "department2", "township1",
    "auditor", "sysadmin", "assessor", "city",
)  # fmt: skip


def swept(county: County, when: datetime) -> Swept:
    with county.app.app_context(), clock.at(when):
        return sweep(transaction)


def parties_swept(county: County, when: datetime) -> int:
    with county.app.app_context(), clock.at(when):
        return sweep_parties(transaction)


def automatic_steps(county: County, when: datetime) -> int:
    with county.app.app_context(), clock.at(when):
        return sweep_automatic(transaction)


def taken(county: County, assignment: int, clock_name: str) -> list[str]:
    with county.acting(None) as session:
        query = sa.select(LadderStep.step).where(LadderStep.assignment_id == assignment, LadderStep.clock == clock_name)
        return list(session.scalars(query.order_by(LadderStep.due, LadderStep.taken_at, LadderStep.step)))


def automatic(county: County, name: str, value: str = "clock") -> list[Any]:
    """What the automatic events of a name carry under a value's name, oldest first."""
    with county.acting(None) as session:
        query = (
            sa.select(EventValue.value)
            .join(Event, Event.id == EventValue.event_id)
            .where(Event.kind == "automatic", Event.name == name, EventValue.name == value)
        )
        return list(session.scalars(query.order_by(Event.id)))


def slip(county: County) -> int:
    with county.acting(None) as session:
        return session.scalars(sa.select(Notice.id).where(Notice.kind == "supervision")).one()


# Supervision slips


def test_a_supervision_slip_is_drafted_a_working_day_after_the_deadline_without_a_number(county: County) -> None:
    county.dispatched("department1")
    swept(county, RESPOND_DUE)
    assert swept(county, LATE - timedelta(minutes=1)).drafts == 0
    assert swept(county, LATE).drafts == 1
    assert swept(county, LATE).drafts == 0
    with county.acting(None) as session:
        drafted = session.get_one(Notice, slip(county))
        assert (drafted.state, drafted.number, drafted.issued_at) == ("drafted", None, None)
        assert drafted.sign_due == at("2026-11-26 14:00")  # four working hours: the morning and half an hour
        assert [(one.clock, one.due) for one in drafted.entries] == [("respond", RESPOND_DUE)]


def test_a_supervisor_signs_it_and_it_takes_its_number_then(county: County) -> None:
    county.dispatched("department1")
    swept(county, LATE)
    key = slip(county)
    for name in ("dispatcher", "director", "leader"):
        refusal(Forbidden, county, name, Notice, key, "sign", {}, LATE)
    with county.acting("department1") as session:
        assert session.scalars(sa.select(Notice).where(Notice.kind == "supervision")).all() == []
    county.do("supervisor", Notice, key, "sign", {}, at("2026-11-26 09:00"))
    with county.acting("department1") as session:
        signed = session.get_one(Notice, key)
        assert (signed.state, signed.signed_by_id) == ("issued", county.people["supervisor"])
        assert signed.number
    refusal(Conflict, county, "supervisor", Notice, key, "sign", {}, LATE)


def test_the_signed_slip_is_a_paper_for_the_department_and_the_platform_office(county: County) -> None:
    call_id, _only = county.dispatched("department1")
    swept(county, LATE)
    key = slip(county)
    county.do("supervisor", Notice, key, "sign", {}, LATE)
    with county.acting(None) as session:
        notice = session.get_one(Notice, key)
        document = notice.document
        assert document is not None
        assert (document.kind, document.number, document.issuer_id) == (
            "supervision", notice.number, county["supervision"],
        )  # fmt: skip
        assert {one.organisation_id for one in document.recipients} == {county["department1"], county["office"]}
        document_id = document.id
    readers = {name for name in EVERYBODY if sees(county, name, Document, document_id)}
    assert readers == {"department1", "department1_leader", "dispatcher", "director", "supervisor", "leader"}
    [signed] = [values for name, values in told(county, "supervisor", call_id) if name == "supervision"]
    assert signed["notice"]["name"] == "督〔2026〕0001"
    assert signed["document"]["id"] == document_id


def test_slips_signed_together_have_a_number_and_a_paper_each_without_gaps(county: County) -> None:
    county.dispatched("department1", "department2")
    swept(county, LATE)
    with county.acting(None) as session:
        drafted = session.scalars(sa.select(Notice.id).where(Notice.state == "drafted").order_by(Notice.id)).all()
    supervisor = visitor(county, "supervisor")
    with clock.at(LATE):
        answer = supervisor.post("/notice/bulk/sign", {"keys": [str(key) for key in drafted]})
    assert answer.status_code == 302
    with county.acting(None) as session:
        found = [session.get_one(Notice, key) for key in drafted]
        assert [one.number for one in found] == ["督〔2026〕0001", "督〔2026〕0002"]
        assert len({one.document_id for one in found} - {None}) == 2


def test_a_slip_about_nothing_that_is_still_owed_is_not_signed(county: County) -> None:
    _call, only = county.dispatched("department1")
    swept(county, LATE)
    county.respond("department1", only, LATE)
    refusal(Conflict, county, "supervisor", Notice, slip(county), "sign", {}, LATE)


def test_the_department_fills_in_the_receipt_once_and_nothing_else_changes(county: County) -> None:
    _call, only = county.dispatched("department1")
    swept(county, LATE)
    key = slip(county)
    county.do("supervisor", Notice, key, "sign", {}, LATE)
    told_ = {"head": "王局长", "contacted": "11月26日电话", "result": "已到场。", "reason": "人手不足。", "plan": ""}
    refusal(Invalid, county, "department1", Notice, key, "receipt", {**told_, "result": ""}, LATE)
    refusal(Forbidden, county, "supervisor", Notice, key, "receipt", told_, LATE)
    refusal(NotFound, county, "department2", Notice, key, "receipt", told_, LATE)
    before = clocks(county, only)
    county.do("department1", Notice, key, "receipt", told_, LATE)
    with county.acting(None) as session:
        notice = session.get_one(Notice, key)
        assert (notice.state, notice.receipt_at) == ("issued", LATE)
        assert session.get_one(Assignment, only).state == "pending"
    assert clocks(county, only) == before
    refusal(Conflict, county, "department1", Notice, key, "receipt", told_, LATE)
    page = visitor(county, "supervisor").get(f"/notice/show/{key}").text
    assert "人手不足。" in page
    with county.acting(None) as session:
        reminder = session.scalars(sa.select(Notice.id).where(Notice.kind == "reminder")).one()
    refusal(Conflict, county, "department1", Notice, reminder, "receipt", told_, LATE)


def test_a_drafted_slip_is_dropped_by_itself_when_the_clock_is_satisfied(county: County) -> None:
    _call, assignment = county.dispatched("department1")
    swept(county, LATE)
    assert automatic_steps(county, LATE) == 0
    county.respond("department1", assignment, LATE)
    assert automatic_steps(county, LATE) == 1
    with county.acting(None) as session:
        assert session.get_one(Notice, slip(county)).state == "dropped"
    refusal(Conflict, county, "supervisor", Notice, slip(county), "sign", {}, LATE)


def test_a_clock_satisfied_late_stops_its_further_steps(county: County) -> None:
    _call, assignment = county.dispatched("department1")
    swept(county, RESPOND_DUE)
    county.respond("department1", assignment, at("2026-11-25 09:00"))
    swept(county, at("2026-11-27 17:30"))
    assert [one for one in taken(county, assignment, "respond") if not one.startswith("amber")] == ["reminder"]


def test_three_working_days_after_the_deadline_it_is_a_candidate(county: County) -> None:
    _call, assignment = county.dispatched("department1")
    when = at("2026-11-27 17:30")
    swept(county, when - timedelta(minutes=1))
    assert automatic(county, "candidate") == []
    swept(county, when)
    swept(county, when)
    assert automatic(county, "candidate") == ["respond"]
    assert "candidate" in taken(county, assignment, "respond")


# Emergencies


def on_duty(county: County, *names: str) -> None:
    """A duty roster of department 3 for the day: these people, in this order."""
    with county.acting(None) as session:
        for place, name in enumerate(names, start=1):
            session.add(
                DutyShift(
                    county_id=county.id,
                    organisation_id=county["department3"],
                    person_id=county.people[name],
                    phone="13800000000",
                    begins=at("2026-11-23 00:00"),
                    ends=at("2026-11-24 00:00"),
                    position=place,
                )
            )


def test_an_alarm_rings_down_the_roster_every_ten_minutes_until_it_is_confirmed(county: County) -> None:
    on_duty(county, "department3", "department3_leader", "department4")
    _call, assignment = county.emergency("department3", when=MONDAY)
    for minutes in (5, 9):
        swept(county, MONDAY + timedelta(minutes=minutes))
    assert automatic(county, "ring", "place") == []  # the first one is told by the call itself
    swept(county, MONDAY + timedelta(minutes=10))
    swept(county, MONDAY + timedelta(minutes=10))
    assert automatic(county, "ring", "place") == [2]
    county.do("duty", Assignment, assignment, "acknowledge", {"who": "赵值班"}, MONDAY + timedelta(minutes=12))
    swept(county, MONDAY + timedelta(minutes=25))
    assert automatic(county, "ring", "place") == [2]


def test_without_a_tick_the_whole_roster_is_called(county: County) -> None:
    on_duty(county, "department3", "department3_leader", "department4")
    county.emergency("department3", when=MONDAY)
    swept(county, MONDAY + timedelta(minutes=20))
    swept(county, MONDAY + timedelta(minutes=90))
    assert automatic(county, "ring", "place") == [2, 3]


@pytest.mark.parametrize(("name", "minutes"), [("duty_phones", 15), ("heads", 30), ("leader", 60)])
def test_the_chain_of_an_emergency_in_wall_minutes_at_any_hour(county: County, name: str, minutes: int) -> None:
    night = at("2026-11-28 23:30")  # a Saturday
    county.emergency("department3", when=night)
    swept(county, night + timedelta(minutes=minutes - 1))
    assert automatic(county, name) == []
    swept(county, night + timedelta(minutes=minutes))
    assert automatic(county, name) == ["alarm"]


def test_confirming_stops_the_ringing_and_only_a_response_the_chain(county: County) -> None:
    _call, first, second = county.emergency("department3", "department4", when=MONDAY)
    county.do("duty", Assignment, first, "acknowledge", {"who": "赵值班"}, MONDAY + timedelta(minutes=2))
    county.respond("department4", second, MONDAY + timedelta(minutes=5))
    swept(county, MONDAY + timedelta(minutes=61))
    assert taken(county, first, "alarm") == ["duty_phones", "heads", "leader"]
    assert taken(county, second, "alarm") == []


def test_an_emergency_is_a_candidate_24_hours_after_its_deadline_and_gets_no_supervision_slip(county: County) -> None:
    _call, assignment = county.emergency("department3", when=MONDAY)
    swept(county, MONDAY + timedelta(hours=24, minutes=29))
    assert "candidate" not in taken(county, assignment, "respond")
    swept(county, MONDAY + timedelta(hours=24, minutes=30))
    assert "candidate" in taken(county, assignment, "respond")
    with county.acting(None) as session:
        assert session.scalars(sa.select(Notice).where(Notice.kind == "supervision")).all() == []


# Every other clock


def test_the_offices_clock_tells_amber_and_expiry_once_each(county: County) -> None:
    call_id = county.submitted(when=MONDAY)  # to be accepted by 14:30
    half = at("2026-11-23 11:00")
    assert parties_swept(county, half - timedelta(minutes=1)) == 0
    assert parties_swept(county, half) == 1
    assert parties_swept(county, half) == 0
    assert parties_swept(county, at("2026-11-23 14:30")) == 1
    assert parties_swept(county, at("2026-11-30 09:00")) == 0
    assert [name for name in event_names(county, call_id) if name.startswith("clock_")] == [
        "clock_amber",
        "clock_expired",
    ]
    assert automatic(county, "clock_expired") == ["accept"]
    with county.acting(None, at("2026-11-23 15:00")) as session:
        assert [one.name for one, _record in overdue(session, county.id, clock.now())] == ["accept"]
        assert session.scalars(sa.select(Notice)).all() == []  # no slip, no mark


def test_a_clock_that_is_satisfied_is_told_of_no_more(county: County) -> None:
    call_id = county.submitted(when=MONDAY)
    county.do("dispatcher", Call, call_id, "dispatch", {"lead": county["department1"]}, MONDAY)
    assert parties_swept(county, at("2026-11-24 09:00")) == 0


def test_a_late_sweep_tells_the_expiry_alone(county: County) -> None:
    county.submitted(when=MONDAY)
    assert parties_swept(county, at("2026-11-25 09:00")) == 1
    assert automatic(county, "clock_amber") == []


def test_the_township_is_reminded_of_its_evaluation_after_three_working_days_and_not_held_up_to_anybody(
    county: County,
) -> None:
    _call, assignment = county.dispatched("department1", when=MONDAY)
    county.respond("department1", assignment, MONDAY)
    county.report("department1", assignment, MONDAY)
    assert parties_swept(county, at("2026-11-26 08:59")) == 0
    assert parties_swept(county, at("2026-11-26 09:00")) == 1
    assert automatic(county, "clock_amber") == ["evaluate"]
    with county.acting(None, at("2026-12-08 09:00")) as session:
        assert overdue(session, county.id, clock.now()) == []  # no list of townships that did not


def test_a_clock_that_is_set_anew_has_steps_of_its_own(county: County) -> None:
    """A dispute referred to the checklist manager has his clock after the office's."""
    _call, assignment = county.dispatched("department1", when=MONDAY)
    county.do("department1", Assignment, assignment, "request_return", {"reason": "非本局职责。"}, MONDAY)
    assert parties_swept(county, at("2026-11-23 14:30")) == 1
    county.do("dispatcher", Assignment, assignment, "refer_return", {}, at("2026-11-23 15:00"))
    parties_swept(county, at("2026-11-25 17:30"))
    assert automatic(county, "clock_expired") == ["return_ruling", "referred_ruling"]


def test_milestone_and_leaders_decision_have_their_clocks(county: County) -> None:
    call_id, assignment = county.dispatched("department1", when=MONDAY)
    county.respond("department1", assignment, MONDAY)
    plan = {"plan": "分步办理。", "milestones": [{"text": "截污", "day": "2026-12-04", "department": None}]}
    county.do("department1", Call, call_id, "request_long_term", plan, MONDAY)
    county.do("dispatcher", Call, call_id, "endorse_long_term", {}, MONDAY)
    parties_swept(county, at("2026-11-26 17:30"))
    assert automatic(county, "clock_expired") == ["long_term_decision"]
    county.do("leader", Call, call_id, "approve_long_term", {}, at("2026-11-27 09:00"))
    parties_swept(county, at("2026-12-04 17:30"))
    assert automatic(county, "clock_expired") == ["long_term_decision", "milestone"]
    with county.acting(None) as session:
        expired = session.scalars(
            sa.select(ClockStep).where(ClockStep.clock == "milestone", ClockStep.step == "expired")
        ).one()
        assert expired.record_id == session.scalars(sa.select(Milestone.id)).one()


def test_nothing_open_in_a_withdrawn_call_is_told_of(county: County) -> None:
    call_id, assignment = county.dispatched("department1", when=MONDAY)
    county.do("department1", Assignment, assignment, "request_return", {"reason": "非本局职责。"}, MONDAY)
    county.do("township1", Call, call_id, "escalate", {"why": "意见不一。"}, MONDAY)
    county.do("township1", Call, call_id, "withdraw", {"reason": "已解决。"}, MONDAY)
    assert parties_swept(county, at("2026-12-10 09:00")) == 0
    assert swept(county, at("2026-12-10 09:00")).steps == 0


def test_two_sweeps_at_once_take_every_step_once(county: County) -> None:
    for _ in range(3):
        county.submitted(when=MONDAY)
    county.dispatched("department1", when=MONDAY)
    county.emergency("department3", when=MONDAY)
    when, done, failures = at("2026-11-27 17:30"), [], []
    barrier = threading.Barrier(2)

    def both() -> None:
        barrier.wait()
        try:
            done.append((parties_swept(county, when), swept(county, when).steps))
        except ExceptionGroup as failure:
            failures.append(failure)

    threads = [threading.Thread(target=both) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert failures == []
    assert sum(parties for parties, _steps in done) == 3
    with county.acting(None) as session:
        rows = session.execute(sa.select(LadderStep.assignment_id, LadderStep.clock, LadderStep.step)).all()
        assert len(set(rows)) == len(rows) == sum(steps for _parties, steps in done)
        assert session.scalar(sa.select(sa.func.count()).select_from(Notice).where(Notice.kind == "supervision")) == 1
    assert len(automatic(county, "clock_expired")) == 3
