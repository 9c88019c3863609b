"""Extensions: once, at least a working day before the report is due, for at most five working days (2.1)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from models.call import Assignment
from models.extension import Extension
from models.refusal import Conflict, Forbidden, Invalid
from tests.calls import clocks, marks, offered, refusal
from tests.county import County, at

WANTED = {"until": "2026-12-02", "reason": "需等待检测报告。"}
IN_TIME = at("2026-11-24 10:00")
"""The report of a call dispatched on Monday, 23 November, is due on the 30th at 17:30."""


def asked(county: County) -> tuple[int, int]:
    call_id, assignment = county.dispatched("department1")
    county.respond("department1", assignment)
    county.do("department1", Assignment, assignment, "request_extension", WANTED, IN_TIME)
    return call_id, assignment


def test_a_department_asks_for_an_extension_with_date_and_reason(county: County) -> None:
    _call, assignment = county.dispatched("department1")
    for name in ("township1", "dispatcher"):
        refusal(Forbidden, county, name, Assignment, assignment, "request_extension", WANTED, IN_TIME)
    refused = refusal(Invalid, county, "department1", Assignment, assignment, "request_extension", {}, IN_TIME)
    assert set(refused.errors) == {"until", "reason"}
    county.do("department1", Assignment, assignment, "request_extension", WANTED, IN_TIME)
    with county.acting(None) as session:
        made = session.scalars(sa.select(Extension)).one()
        assert (made.state, made.old_due, made.due) == ("requested", at("2026-11-30 17:30"), at("2026-11-24 15:30"))
    assert clocks(county, assignment)[1] == at("2026-11-30 17:30")  # the clock runs on until it is granted


def test_an_extension_is_asked_for_at_least_one_working_day_before_expiry(county: County) -> None:
    _call, assignment = county.dispatched("department1")
    late = at("2026-11-27 17:31")
    refusal(Conflict, county, "department1", Assignment, assignment, "request_extension", WANTED, late)
    county.do("department1", Assignment, assignment, "request_extension", WANTED, at("2026-11-27 17:30"))


@pytest.mark.parametrize("until", ["2026-11-30", "2026-11-29", "2026-12-08"])
def test_an_extension_gives_between_one_and_five_working_days(county: County, until: str) -> None:
    _call, assignment = county.dispatched("department1")
    wrong = {**WANTED, "until": until}
    refused = refusal(Invalid, county, "department1", Assignment, assignment, "request_extension", wrong, IN_TIME)
    assert set(refused.errors) == {"until"}
    county.do("department1", Assignment, assignment, "request_extension", {**WANTED, "until": "2026-12-07"}, IN_TIME)


def test_an_extension_is_asked_for_once(county: County) -> None:
    _call, assignment = asked(county)
    refusal(Conflict, county, "department1", Assignment, assignment, "request_extension", WANTED, IN_TIME)
    county.do("dispatcher", Assignment, assignment, "refuse_extension", {"answer": "不予延期。"}, IN_TIME)
    refusal(Conflict, county, "department1", Assignment, assignment, "request_extension", WANTED, IN_TIME)


def test_a_granted_extension_moves_the_report_deadline_to_the_close_of_that_day(county: County) -> None:
    _call, assignment = asked(county)
    for name in ("township1", "department1", "director"):
        refusal(Forbidden, county, name, Assignment, assignment, "grant_extension", {"until": "2026-12-02"}, IN_TIME)
    county.do("dispatcher", Assignment, assignment, "grant_extension", {"until": "2026-12-02"}, IN_TIME)
    assert clocks(county, assignment) == (at("2026-11-24 17:30"), at("2026-12-02 17:30"))
    assert marks(county, assignment, at("2026-12-02 17:00")) == []
    with county.acting(None) as session:
        one = session.get_one(Assignment, assignment)
        assert one.next_step_at is not None
    refusal(Conflict, county, "dispatcher", Assignment, assignment, "grant_extension", {"until": "2026-12-02"}, IN_TIME)


def test_the_office_may_grant_less_but_never_more_than_five_working_days(county: County) -> None:
    _call, assignment = asked(county)
    too_much = {"until": "2026-12-08"}
    assert set(
        refusal(Invalid, county, "dispatcher", Assignment, assignment, "grant_extension", too_much, IN_TIME).errors
    ) == {"until"}
    county.do("dispatcher", Assignment, assignment, "grant_extension", {"until": "2026-12-01"}, IN_TIME)
    assert clocks(county, assignment)[1] == at("2026-12-01 17:30")


def test_a_refused_extension_leaves_the_deadline_and_says_why(county: County) -> None:
    _call, assignment = asked(county)
    assert set(
        refusal(Invalid, county, "dispatcher", Assignment, assignment, "refuse_extension", {}, IN_TIME).errors
    ) == {"answer"}
    county.do("dispatcher", Assignment, assignment, "refuse_extension", {"answer": "不予延期。"}, IN_TIME)
    assert clocks(county, assignment)[1] == at("2026-11-30 17:30")


def test_nothing_is_granted_that_was_not_asked_for(county: County) -> None:
    _call, assignment = county.dispatched("department1")
    for step in ("grant_extension", "refuse_extension"):
        refusal(Conflict, county, "dispatcher", Assignment, assignment, step, {"until": "2026-12-02", "answer": "…"})
    assert not {"grant_extension", "refuse_extension"} & offered(county, "dispatcher", Assignment, assignment)


def test_a_report_makes_an_open_extension_request_pointless(county: County) -> None:
    _call, assignment = asked(county)
    county.report("department1", assignment, IN_TIME)
    with county.acting(None) as session:
        assert session.scalars(sa.select(Extension.state)).one() == "lapsed"
