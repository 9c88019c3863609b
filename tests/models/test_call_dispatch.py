"""Departments come into a call and out of it: added, replaced, sent back to report again (2.1)."""

from __future__ import annotations

import sqlalchemy as sa

from models.call import Assignment, Call
from models.call_party import CallParty
from models.call_report import Report
from models.document import Document, DocumentRecipient
from models.refusal import Conflict, Forbidden, Invalid
from tests.calls import clocks, marks, refusal, sees
from tests.county import MONDAY, County, at

LATER = at("2026-11-24 10:00")


def last_slip_to(county: County, call_id: int) -> set[int]:
    """Who got the newest slip of a call."""
    with county.acting(None) as session:
        slips = sa.select(Document.id).where(Document.kind == "call_slip", Document.about_id == call_id)
        newest = session.scalars(slips.order_by(Document.id.desc())).first()
        query = sa.select(DocumentRecipient.organisation_id).where(DocumentRecipient.document_id == newest)
        return set(session.scalars(query))


def test_an_added_department_cooperates_with_clocks_from_now_and_leaves_the_others_theirs(county: County) -> None:
    call_id, lead = county.dispatched("department1")
    before = clocks(county, lead)
    values = {"department": county["department2"], "reason": "需住建部门配合。"}
    for name in ("township1", "department1", "director"):
        refusal(Forbidden, county, name, Call, call_id, "add_department", values)
    assert set(refusal(Invalid, county, "dispatcher", Call, call_id, "add_department").errors) == {
        "department",
        "reason",
    }
    county.do("dispatcher", Call, call_id, "add_department", values, LATER)
    new = county.assignments(call_id)[1]
    assert clocks(county, lead) == before
    assert clocks(county, new) == (at("2026-11-25 17:30"), at("2026-12-08 17:30"))  # joint: ten working days
    with county.acting(None) as session:
        assert session.get_one(Assignment, new).role == "cooperating"
    assert last_slip_to(county, call_id) == {county["township1"], county["department2"]}
    assert sees(county, "department2", Call, call_id)


def test_a_department_is_not_added_twice(county: County) -> None:
    call_id, _lead = county.dispatched("department1")
    values = {"department": county["department1"], "reason": "…"}
    assert set(refusal(Invalid, county, "dispatcher", Call, call_id, "add_department", values).errors) == {"department"}


def test_replacing_the_lead_names_a_new_lead_with_clocks_from_then(county: County) -> None:
    call_id, lead, other = county.dispatched("department1", "department2")
    before = clocks(county, other)
    values = {"assignment": str(lead), "department": county["department4"], "reason": "职责在水务局。"}
    for name in ("township1", "department1", "director"):
        refusal(Forbidden, county, name, Call, call_id, "reassign", values)
    county.do("dispatcher", Call, call_id, "reassign", values, LATER)
    assert county.states(call_id) == ("dispatched", "returned", "pending", "pending")
    new = county.assignments(call_id)[2]
    with county.acting(None) as session:
        call = session.get_one(Call, call_id)
        assert call.lead is not None
        assert call.lead.id == new
    assert clocks(county, new)[0] == at("2026-11-25 17:30")
    assert clocks(county, other) == before
    assert last_slip_to(county, call_id) == {county["township1"], county["department1"], county["department4"]}


def test_a_cooperating_department_may_take_the_replaced_leads_place(county: County) -> None:
    call_id, lead, other = county.dispatched("department1", "department2")
    values = {"assignment": str(lead), "department": county["department2"], "reason": "…"}
    county.do("dispatcher", Call, call_id, "reassign", values, LATER)
    assert county.states(call_id) == ("dispatched", "returned", "pending")
    with county.acting(None) as session:
        assert session.get_one(Assignment, other).role == "lead"


def test_a_replaced_assignment_keeps_its_marks(county: County) -> None:
    call_id, lead, _other = county.dispatched("department1", "department2")
    when = at("2026-11-25 10:00")
    values = {"assignment": str(lead), "department": county["department4"], "reason": "…"}
    county.do("dispatcher", Call, call_id, "reassign", values, when)
    assert marks(county, lead, at("2026-12-20 10:00")) == ["late_response"]
    with county.acting(None) as session:
        party = session.get_one(CallParty, (call_id, county["department1"]))
        assert (party.state, party.until, party.due) == ("returned", when, None)


def test_only_an_open_assignment_is_replaced_by_another_department(county: County) -> None:
    call_id, lead, other = county.dispatched("department1", "department2")
    county.respond("department2", other)
    county.report("department2", other)
    for wrong, values in (
        ("assignment", {"assignment": str(other), "department": county["department4"]}),
        ("department", {"assignment": str(lead), "department": county["department1"]}),
    ):
        given = {**values, "reason": "…"}
        assert set(refusal(Invalid, county, "dispatcher", Call, call_id, "reassign", given).errors) == {wrong}


def test_replacing_one_that_asked_to_give_it_back_settles_its_request(county: County) -> None:
    call_id, lead = county.dispatched("department1")
    county.do("department1", Assignment, lead, "request_return", {"reason": "非本局职责。"})
    values = {"assignment": str(lead), "department": county["department4"], "reason": "职责在水务局。"}
    county.do("dispatcher", Call, call_id, "reassign", values, LATER)
    with county.acting(None) as session:
        request = session.get_one(Assignment, lead).return_request
        assert request is not None
        assert request.state == "lapsed"


# Sent back to report again


def reported(county: County, *departments: str) -> tuple[int, ...]:
    call_id, *assignments = county.dispatched(*departments)
    for name, key in list(zip(departments, assignments, strict=True))[::-1]:
        county.respond(name, key)
        county.report(name, key, at("2026-11-27 16:30"))
    return (call_id, *assignments)


def test_the_office_sends_reports_back_with_what_is_missing(county: County) -> None:
    call_id, assignment = reported(county, "department1")
    for name in ("township1", "department1", "director"):
        refusal(Forbidden, county, name, Call, call_id, "send_back", {"missing": "照片"})
    assert set(refusal(Invalid, county, "dispatcher", Call, call_id, "send_back").errors) == {"missing"}
    county.do("dispatcher", Call, call_id, "send_back", {"missing": "现场照片"}, at("2026-11-30 09:30"))
    assert county.states(call_id) == ("dispatched", "responded")
    with county.acting(None) as session:
        one = session.get_one(Assignment, assignment)
        assert (one.round, one.stopped_at) == (1, None)  # the same round
        assert one.next_step_at is not None


def test_sending_back_gives_the_time_at_the_office_and_at_least_one_working_day(county: County) -> None:
    call_id, assignment = reported(county, "department1")
    # The report was due on the 30th at 17:30; the office had it for two hours of office time.
    county.do("dispatcher", Call, call_id, "send_back", {"missing": "照片"}, at("2026-11-30 09:30"))
    assert clocks(county, assignment)[1] == at("2026-12-01 17:30")
    late, other = reported(county, "department1")
    # A week at the office: the old deadline and 32 hours 30 minutes of office time.
    county.do("dispatcher", Call, late, "send_back", {"missing": "照片"}, at("2026-12-04 10:30"))
    assert clocks(county, other)[1] == at("2026-12-07 17:30")


def test_only_the_chosen_reports_go_back_by_default_all(county: County) -> None:
    call_id, _lead, other = reported(county, "department1", "department2")
    county.do("dispatcher", Call, call_id, "send_back", {"assignments": [str(other)], "missing": "照片"}, LATER)
    assert county.states(call_id) == ("dispatched", "reported", "responded")
    county.report("department2", other, at("2026-11-30 11:00"))
    county.do("dispatcher", Call, call_id, "send_back", {"missing": "照片"}, at("2026-11-30 14:00"))
    assert county.states(call_id) == ("dispatched", "responded", "responded")


def test_the_last_report_counts_and_the_former_stays(county: County) -> None:
    call_id, assignment = reported(county, "department1")
    county.do("dispatcher", Call, call_id, "send_back", {"missing": "照片"}, at("2026-11-30 09:30"))
    county.report("department1", assignment, at("2026-12-01 10:00"), result="补充照片后反馈。")
    with county.acting(None) as session:
        one = session.get_one(Assignment, assignment)
        found = session.scalars(sa.select(Report).order_by(Report.attempt)).all()
        assert [(report.round, report.attempt) for report in found] == [(1, 1), (1, 2)]
        counting = one.report_of(1)
        assert counting is not None
        assert counting.result == "补充照片后反馈。"
    assert marks(county, assignment, at("2026-12-20 10:00")) == []
    assert county.states(call_id) == ("reported", "reported")


def test_an_evaluated_or_unreported_call_is_not_sent_back(county: County) -> None:
    call_id, assignment = reported(county, "department1")
    county.evaluate(call_id, {assignment: "satisfied"}, at("2026-11-27 17:00"))
    refusal(Conflict, county, "dispatcher", Call, call_id, "send_back", {"missing": "…"})
    fresh, _one = county.dispatched("department1")
    refusal(Conflict, county, "dispatcher", Call, fresh, "send_back", {"missing": "…"}, MONDAY)


def test_the_slips_of_a_call_are_counted_on_over_the_turn_of_the_year(county: County) -> None:
    """Their number is the call's with a count behind it; begun anew, the first slip of January would bear that of November."""
    call_id, _lead = county.dispatched("department1")
    values = {"department": county["department2"], "reason": "需要配合"}
    county.do("dispatcher", Call, call_id, "add_department", values, at("2027-01-11 10:00"))
    with county.acting(None) as session:
        numbers = session.scalars(sa.select(Document.number).order_by(Document.id)).all()
    assert list(numbers) == ["呼2026-0001-1", "呼2026-0001-2"]
