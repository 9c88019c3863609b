"""The overdue ladder: each step once per (assignment, round, clock, step), whatever happens to the sweep (2.2)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.database import transaction
from models import clock, paper
from models.call import Assignment, Call
from models.document import Document, DocumentRecipient
from models.event import Event
from models.ladder_steps import LadderStep
from models.paper import Paper, Unprintable
from models.supervision import Notice, NoticeEntry
from models.sweep import Swept, sweep
from tests.county import County, at

START = at("2026-11-23 09:00")
RESPOND_DUE = at("2026-11-24 17:30")
REPORT_DUE = at("2026-11-30 17:30")


def swept(county: County, when: datetime) -> Swept:
    with county.app.app_context(), clock.at(when):
        return sweep(transaction)


def steps(county: County, assignment: int) -> list[tuple[str, str, bool]]:
    with county.acting(None) as session:
        rows = session.scalars(
            sa.select(LadderStep)
            .where(LadderStep.assignment_id == assignment)
            .order_by(LadderStep.taken_at, LadderStep.clock, LadderStep.step)
        )
        return [(row.clock, row.step, row.skipped) for row in rows]


def notices(county: County) -> list[tuple[int, str | None, list[tuple[int, str]]]]:
    """Each slip: department, number, what stands on it."""
    with county.acting(None) as session:
        return [
            (one.department_id, one.number, sorted((entry.assignment_id, entry.clock) for entry in one.entries))
            for one in session.scalars(sa.select(Notice).order_by(Notice.id))
        ]


def automatic(county: County, name: str) -> int:
    with county.acting(None) as session:
        return (
            session.scalar(
                sa.select(sa.func.count()).select_from(Event).where(Event.kind == "automatic", Event.name == name)
            )
            or 0
        )


def test_nothing_is_due_before_half_of_the_time(county: County) -> None:
    county.dispatched(when=START)
    assert swept(county, START) == Swept(0, 0)


def test_amber_reminds_a_working_day_before_and_at_half_of_the_time_and_the_slip_comes_at_the_deadline(
    county: County,
) -> None:
    _call, only = county.dispatched(when=START)
    day_before = at("2026-11-23 17:30")  # the same time one working day before Tuesday 17:30
    half = at("2026-11-24 08:45")  # of 14 h 30 min of office hours, 7 h on Monday and 7 h 30 min on Tuesday
    assert swept(county, day_before - timedelta(minutes=1)).steps == 0
    assert swept(county, day_before).steps == 1
    assert swept(county, half - timedelta(minutes=1)).steps == 0
    assert swept(county, half).steps == 1
    assert steps(county, only) == [("respond", "amber_1", False), ("respond", "amber_2", False)]
    assert automatic(county, "amber") == 2
    assert swept(county, RESPOND_DUE - timedelta(seconds=1)) == Swept(0, 0)
    assert swept(county, RESPOND_DUE) == Swept(1, 1)
    assert notices(county) == [(county["department1"], "催〔2026〕0001", [(only, "respond")])]


def test_the_same_sweep_again_does_nothing(county: County) -> None:
    county.dispatched(when=START)
    assert swept(county, RESPOND_DUE).reminders == 1
    for _ in range(3):
        assert swept(county, RESPOND_DUE) == Swept(0, 0)
    assert len(notices(county)) == 1


def test_a_late_sweep_records_every_step_skips_amber_and_makes_the_slip(county: County) -> None:
    _call, only = county.dispatched(when=START)
    assert swept(county, at("2026-12-10 09:00")).reminders == 1
    assert sorted(steps(county, only)) == [
        ("report", "amber_1", True),
        ("report", "amber_2", True),
        ("report", "candidate", False),
        ("report", "reminder", False),
        ("report", "supervision", False),
        ("respond", "amber_1", True),
        ("respond", "amber_2", True),
        ("respond", "candidate", False),
        ("respond", "reminder", False),
        ("respond", "supervision", False),
    ]
    assert automatic(county, "amber") == 0
    assert notices(county) == [
        (county["department1"], "催〔2026〕0001", [(only, "report"), (only, "respond")]),
        (county["department1"], None, [(only, "report"), (only, "respond")]),
    ]


def test_all_that_one_sweep_finds_for_a_department_stands_on_one_slip(county: County) -> None:
    first = county.dispatched("department1", "department2", when=START)
    second = county.dispatched("department1", township="township2", when=START)
    assert swept(county, RESPOND_DUE).reminders == 2
    assert [(department, [key for key, _clock in entries]) for department, _number, entries in notices(county)] == [
        (county["department1"], [first[1], second[1]]), (county["department2"], [first[2]])
    ]  # fmt: skip
    with county.acting(None) as session:
        numbers = session.scalars(
            sa.select(Document.number).where(Document.kind == "reminder").order_by(Document.id)
        ).all()
        assert numbers == ["催〔2026〕0001", "催〔2026〕0002"]
        recipients = session.scalars(
            sa.select(DocumentRecipient.organisation_id)
            .join(Document)
            .where(Document.kind == "reminder")
            .order_by(Document.id)
        ).all()
        assert recipients == [county["department1"], county["department2"]]


def test_a_clock_satisfied_stops_its_further_steps(county: County) -> None:
    _call, only = county.dispatched(when=START)
    county.respond("department1", only, at("2026-11-23 15:00"))
    assert swept(county, RESPOND_DUE).steps == 0 or all(
        clock_ != "respond" for clock_, _step, _skipped in steps(county, only)
    )
    county.report("department1", only, at("2026-11-25 15:00"))
    assert swept(county, at("2027-01-20 09:00")) == Swept(0, 0)
    assert notices(county) == []


def test_a_late_response_does_not_take_back_the_slip(county: County) -> None:
    _call, only = county.dispatched(when=START)
    swept(county, RESPOND_DUE)
    county.respond("department1", only, at("2026-11-25 09:00"))
    assert swept(county, at("2026-11-25 09:01")).reminders == 0
    assert len(notices(county)) == 1


def test_a_withdrawn_call_is_left_alone(county: County) -> None:
    call_id, _only = county.dispatched(when=START)
    county.do("township1", Call, call_id, "withdraw", {"reason": "已解决。"}, at("2026-11-23 10:00"))
    assert swept(county, at("2027-01-20 09:00")) == Swept(0, 0)


def test_the_second_round_has_its_own_steps_and_no_clock_to_respond(county: County) -> None:
    call_id, only = county.dispatched(when=START)
    swept(county, REPORT_DUE)
    late = at("2026-12-01 09:00")
    county.respond("department1", only, late)
    county.report("department1", only, late)
    county.evaluate(call_id, {only: "dissatisfied"}, late)
    assert swept(county, at("2026-12-04 17:30")).reminders == 1  # 3 working days after 1 December
    with county.acting(None) as session:
        second = session.execute(sa.select(LadderStep.clock, LadderStep.step).where(LadderStep.round == 2)).all()
        assert {tuple(row) for row in second if row.step == "reminder"} == {("report", "reminder")}
        assert {row.clock for row in second} == {"report"}


def test_an_emergency_has_no_amber_and_its_slip_at_any_hour(county: County) -> None:
    _call, only = county.emergency(when=at("2026-11-28 23:00"))  # a Saturday night
    assert swept(county, at("2026-11-28 23:14")) == Swept(0, 0)
    assert swept(county, at("2026-11-28 23:29")) == Swept(1, 0)
    assert swept(county, at("2026-11-28 23:30")) == Swept(2, 1)
    assert sorted(steps(county, only)) == [
        ("alarm", "duty_phones", False),
        ("alarm", "heads", False),
        ("respond", "reminder", False),
    ]


def test_a_clock_that_jumps_back_and_forth_does_nothing_twice(county: County) -> None:
    _call, only = county.dispatched(when=START)
    for when in (
        RESPOND_DUE,
        START,
        at("2026-11-24 08:45"),
        REPORT_DUE,
        at("2026-11-26 09:00"),
        REPORT_DUE,
        at("2027-06-01 09:00"),
    ):
        swept(county, when)
    taken = steps(county, only)
    assert len({step[:2] for step in taken}) == len(taken)
    slips = [[clock_ for _key, clock_ in entries] for _department, number, entries in notices(county) if number]
    assert slips == [["respond"], ["report"]]
    drafts = [[clock_ for _key, clock_ in entries] for _department, number, entries in notices(county) if not number]
    assert drafts == [["respond"], ["report"]]


def test_a_sweep_killed_half_way_is_made_up_for(county: County) -> None:
    first = county.dispatched("department1", when=START)
    second = county.dispatched("department2", when=START)
    opened = 0

    @contextmanager
    def dying() -> Iterator[Session]:
        nonlocal opened
        opened += 1
        with transaction() as session:
            yield session
            if opened == 3:  # the first lists the departments, the second does department 1
                raise KeyboardInterrupt

    with county.app.app_context(), clock.at(RESPOND_DUE), pytest.raises(KeyboardInterrupt):
        sweep(dying)
    assert [entries for _department, _number, entries in notices(county)] == [[(first[1], "respond")]]
    assert swept(county, RESPOND_DUE).reminders == 1
    assert [(number, entries) for _department, number, entries in notices(county)] == [
        ("催〔2026〕0001", [(first[1], "respond")]), ("催〔2026〕0002", [(second[1], "respond")])
    ]  # fmt: skip
    assert automatic(county, "reminder") == 2


def test_a_department_whose_slip_cannot_be_printed_does_not_hold_up_the_others(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    county.dispatched("department1", when=START)
    second = county.dispatched("department2", when=START)
    composer = paper._composers["reminder"]

    def picky(session: Session, about: Notice, document: Document, reader: object) -> Paper:
        if about.department_id == county["department1"]:
            raise Unprintable("𬇙")
        return composer(session, about, document, None)

    monkeypatch.setitem(paper._composers, "reminder", picky)
    with pytest.raises(ExceptionGroup):
        swept(county, RESPOND_DUE)
    assert [entries for _department, _number, entries in notices(county)] == [[(second[1], "respond")]]
    monkeypatch.setitem(paper._composers, "reminder", composer)
    assert swept(county, RESPOND_DUE).reminders == 1
    assert sorted(number or "" for _department, number, _entries in notices(county)) == [
        "催〔2026〕0001",
        "催〔2026〕0002",
    ]


def test_overlapping_sweeps_take_each_step_once(county: County) -> None:
    keys = [county.dispatched("department1", "department2", when=START) for _ in range(6)]
    barrier = threading.Barrier(4)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            barrier.wait()
            for _ in range(3):
                swept(county, RESPOND_DUE)
        except BaseException as failure:  # a thread's failure must fail the test
            failures.append(failure)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    swept(county, RESPOND_DUE)  # whatever was busy each time
    listed = [key for _department, _number, entries in notices(county) for key, _clock in entries]
    assert sorted(listed) == sorted(key for keys_of_call in keys for key in keys_of_call[1:])
    assert automatic(county, "reminder") == 12
    numbers = sorted(number for _department, number, _entries in notices(county) if number)
    assert numbers == [f"催〔2026〕{place:04d}" for place in range(1, len(numbers) + 1)]
    with county.acting(None) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(LadderStep)) == 36
        assert session.scalar(sa.select(sa.func.count()).select_from(NoticeEntry)) == 12


def test_the_next_step_is_always_the_earliest_open_one(county: County) -> None:
    _call, only = county.dispatched(when=START)

    def next_step() -> datetime | None:
        with county.acting(None) as session:
            return session.get_one(Assignment, only).next_step_at

    assert next_step() == at("2026-11-23 17:30")
    swept(county, at("2026-11-23 17:30"))
    assert next_step() == at("2026-11-24 08:45")
    swept(county, at("2026-11-24 08:45"))
    assert next_step() == RESPOND_DUE
    county.respond("department1", only, at("2026-11-24 09:00"))
    middle = next_step()
    assert middle is not None
    assert RESPOND_DUE < middle < REPORT_DUE
    swept(county, at("2026-12-31 09:00"))
    assert next_step() is None
