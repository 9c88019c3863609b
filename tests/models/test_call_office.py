"""What the county office does before and beside a dispatch: telephone entry, regularising, completion, declining and objections (2.1)."""

from __future__ import annotations

from typing import Any

import pytest

from models.call import Assignment, Call
from models.call_moments import times_spent
from models.refusal import Conflict, Forbidden, Invalid, NotFound, Refused
from models.time_spent import Link
from tests.calls import begun, clocks, event_names, marks, offered, refusal, sees
from tests.county import MONDAY, County, at

PHONED = at("2026-11-23 08:40")


def spoken(county: County, **values: Any) -> dict[str, Any]:
    """What a duty officer writes down on the telephone."""
    return {
        "township": county["township1"],
        "phoned_at": "2026-11-23 08:40",
        "kind": "general",
        "title": "刘庄河道排放污水",
        "field": "水务",
        "description": "电话反映，需要执法。",
        "contact_name": "王建国",
        **values,
    }


# Telephone entry


@pytest.mark.parametrize("name", ["dispatcher", "duty"])
def test_dispatcher_and_duty_officer_enter_a_telephone_call(county: County, name: str) -> None:
    call_id = begun(county, name, "enter_by_phone", spoken(county))
    with county.acting(None) as session:
        call = session.get_one(Call, call_id)
        assert (call.state, call.number, call.township_id) == ("submitted", "呼2026-0001", county["township1"])
        assert call.created_by_id == county.people[name]
    assert sees(county, name, Call, call_id)
    assert sees(county, "township1", Call, call_id)
    assert not sees(county, "township2", Call, call_id)


@pytest.mark.parametrize("name", ["township1", "department1", "director", "supervisor", "leader"])
def test_nobody_else_enters_a_telephone_call(county: County, name: str) -> None:
    with pytest.raises(Forbidden):
        begun(county, name, "enter_by_phone", spoken(county))


def test_the_clock_of_a_telephone_call_runs_from_the_time_of_the_call(county: County) -> None:
    call_id = begun(county, "dispatcher", "enter_by_phone", spoken(county), at("2026-11-23 11:00"))
    with county.acting(None) as session:
        call = session.get_one(Call, call_id)
        assert (call.phoned_at, call.accept_due) == (PHONED, at("2026-11-23 14:10"))


@pytest.mark.parametrize(
    ("wrong", "value"),
    [
        ("phoned_at", "2026-11-23 09:01"),
        ("township", None),
        ("title", ""),
        ("description", " "),
        ("field", ""),
    ],
)
def test_a_telephone_entry_asks_for_township_matter_and_a_past_time(county: County, wrong: str, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        begun(county, "duty", "enter_by_phone", spoken(county, **{wrong: value}))
    assert set(refused.value.errors) == {wrong}


def test_a_telephone_entry_names_a_township_of_the_own_county(county: County) -> None:
    for stranger in ("township9", "department1"):
        with pytest.raises(Invalid) as refused:
            begun(county, "duty", "enter_by_phone", spoken(county, township=county[stranger]))
        assert set(refused.value.errors) == {"township"}


def test_an_emergency_by_telephone_reaches_the_departments_at_once(county: County) -> None:
    values = spoken(county, kind="emergency", departments=[county["department3"], county["department4"]])
    call_id = begun(county, "duty", "enter_by_phone", values)
    assert county.states(call_id) == ("dispatched", "pending", "pending")
    lead, _other = county.assignments(call_id)
    assert clocks(county, lead) == (at("2026-11-23 09:10"), at("2026-11-24 08:40"))
    with county.acting(None) as session:
        assert session.get_one(Assignment, lead).role == "lead"


def test_an_emergency_by_telephone_needs_departments(county: County) -> None:
    with pytest.raises(Invalid) as refused:
        begun(county, "duty", "enter_by_phone", spoken(county, kind="emergency"))
    assert set(refused.value.errors) == {"departments"}


def test_the_township_confirms_a_telephone_entry_with_one_tap(county: County) -> None:
    call_id = begun(county, "duty", "enter_by_phone", spoken(county))
    assert "confirm" in offered(county, "township1", Call, call_id)
    for name, kind in (("dispatcher", Forbidden), ("township2", NotFound)):
        refusal(kind, county, name, Call, call_id, "confirm")
    county.do("township1", Call, call_id, "confirm")
    with county.acting(None) as session:
        assert session.get_one(Call, call_id).confirmed_at == MONDAY
    refusal(Conflict, county, "township1", Call, call_id, "confirm")


def test_silence_of_the_township_changes_nothing(county: County) -> None:
    call_id = begun(county, "duty", "enter_by_phone", spoken(county))
    county.do("dispatcher", Call, call_id, "dispatch", {"lead": county["department4"]})
    (assignment,) = county.assignments(call_id)
    county.respond("department4", assignment)
    county.report("department4", assignment)
    county.evaluate(call_id, {assignment: "satisfied"})
    assert county.states(call_id) == ("closed", "reported")


def test_a_call_that_the_township_raised_itself_needs_no_confirmation(county: County) -> None:
    refusal(Conflict, county, "township1", Call, county.submitted(), "confirm")


def test_a_telephone_entry_cannot_be_taken_on_a_call_that_is_there(county: County) -> None:
    refusal(NotFound, county, "dispatcher", Call, county.submitted(), "enter_by_phone", spoken(county))


# Regularising an emergency

REGULAR = at("2026-11-23 11:00")


def test_an_emergency_is_regularised_within_24_hours_by_the_dispatcher_once(county: County) -> None:
    call_id, lead = county.emergency("department3")
    values = {"departments": [county["department3"]], "emergency": True}
    for name in ("township1", "department3", "duty", "director"):
        refusal(Forbidden, county, name, Call, call_id, "regularise", values)
    before = clocks(county, lead)
    county.do("dispatcher", Call, call_id, "regularise", values, REGULAR)
    assert clocks(county, lead) == before
    refusal(Conflict, county, "dispatcher", Call, call_id, "regularise", values, REGULAR)


def test_an_emergency_is_not_regularised_after_24_hours(county: County) -> None:
    call_id, _lead = county.emergency("department3")
    values = {"departments": [county["department3"]], "emergency": True}
    refusal(Conflict, county, "dispatcher", Call, call_id, "regularise", values, at("2026-11-24 09:01"))
    county.do("dispatcher", Call, call_id, "regularise", values, at("2026-11-24 09:00"))


def test_a_general_call_is_not_regularised(county: County) -> None:
    call_id, _assignment = county.dispatched("department1")
    refusal(Conflict, county, "dispatcher", Call, call_id, "regularise", {"departments": [county["department1"]]})


def test_regularising_corrects_the_targets_and_the_first_one_leads(county: County) -> None:
    call_id, former, other = county.emergency("department3", "department4")
    values = {"departments": [county["department1"], county["department4"]], "emergency": True}
    county.do("dispatcher", Call, call_id, "regularise", values, REGULAR)
    assert county.states(call_id) == ("dispatched", "returned", "pending", "pending")
    new = county.assignments(call_id)[2]
    with county.acting(None) as session:
        call = session.get_one(Call, call_id)
        assert call.lead is not None
        assert (call.lead.id, call.lead.department_id) == (new, county["department1"])
        assert session.get_one(Assignment, other).role == "cooperating"
    assert clocks(county, new) == (at("2026-11-23 11:30"), at("2026-11-24 11:00"))
    assert marks(county, former, REGULAR) == ["late_response"]  # a replaced assignment keeps its marks


def test_a_department_that_has_reported_stays_among_the_targets(county: County) -> None:
    call_id, first, _second = county.emergency("department3", "department4")
    county.respond("department3", first)
    county.do(
        "department3",
        Assignment,
        first,
        "report",
        {"result": "已排险。", "solved": "solved", "without_reason": "先行处置。"},
    )
    values = {"departments": [county["department4"]], "emergency": True}
    assert set(refusal(Invalid, county, "dispatcher", Call, call_id, "regularise", values, REGULAR).errors) == {
        "departments"
    }


def test_what_turns_out_to_be_no_emergency_runs_by_general_clocks_from_that_instant(county: County) -> None:
    call_id, lead, other = county.emergency("department3", "department4")
    assert marks(county, lead, REGULAR) == ["late_response"]
    values = {"departments": [county["department3"], county["department4"]], "emergency": False}
    county.do("dispatcher", Call, call_id, "regularise", values, REGULAR)
    for one in (lead, other):
        assert clocks(county, one) == (at("2026-11-24 17:30"), at("2026-12-07 17:30"))  # joint: ten working days
        assert marks(county, one, REGULAR) == []  # emergency marks are void
    with county.acting(None) as session:
        call = session.get_one(Call, call_id)
        assert (call.kind, call.general_from) == ("general", REGULAR)
        assert session.get_one(Assignment, lead).report_from == REGULAR


def test_what_was_no_emergency_leaves_no_mark_with_departments_taken_out(county: County) -> None:
    """Whether in the same step or replaced before it: nobody owed an answer within half an hour, least of all the wrong department."""
    call_id, replaced, taken_out = county.emergency("department3", "department4")
    instead = {"assignment": str(replaced), "department": county["department1"], "reason": "分工调整"}
    county.do("dispatcher", Call, call_id, "reassign", instead, at("2026-11-23 10:00"))
    assert [marks(county, one, REGULAR) for one in (replaced, taken_out)] == [["late_response"]] * 2
    values = {"departments": [county["department2"]], "emergency": False}
    county.do("dispatcher", Call, call_id, "regularise", values, REGULAR)
    assert county.states(call_id) == ("dispatched", "returned", "returned", "returned", "pending")
    for one in county.assignments(call_id):
        assert marks(county, one, REGULAR) == []
    much_later = at("2026-12-04 09:00")
    assert [marks(county, one, much_later) for one in county.assignments(call_id)] == [[], [], [], ["no_response"]]


def test_the_clocks_of_a_department_that_asked_to_give_it_back_stand_still_from_then_on(county: County) -> None:
    """A return request stops no emergency's clock, but a general call's (2.1, Clocks)."""
    call_id, lead = county.emergency("department3")
    county.do("department3", Assignment, lead, "request_return", {"reason": "非本局职责"}, at("2026-11-23 09:10"))
    values = {"departments": [county["department3"]], "emergency": False}
    county.do("dispatcher", Call, call_id, "regularise", values, REGULAR)
    county.do("dispatcher", Assignment, lead, "reject_return", {"ruling": "属本局职责"}, at("2026-11-24 11:00"))
    assert clocks(county, lead) == (at("2026-11-25 17:30"), at("2026-12-01 17:30"))
    now = at("2026-11-24 12:00")
    with county.acting(None, now) as session:
        spent = times_spent(session, [session.get_one(Call, call_id)], now)[call_id]
    assert {one.link: one.minutes for one in spent.links} == {
        Link.response: 10 + 60,
        Link.return_ruling: 170 + 240 + 150,
    }
    assert spent.whole == sum(one.minutes for one in spent.links if not one.beside)


# Completion


def test_a_call_is_returned_for_completion_once(county: County) -> None:
    call_id = county.submitted()
    refusal(Forbidden, county, "township1", Call, call_id, "return_for_completion", {"missing": "照片"})
    assert set(refusal(Invalid, county, "dispatcher", Call, call_id, "return_for_completion").errors) == {"missing"}
    county.do("dispatcher", Call, call_id, "return_for_completion", {"missing": "具体位置"})
    with county.acting(None) as session:
        call = session.get_one(Call, call_id)
        assert (call.state, call.missing, call.accept_due) == ("returned", "具体位置", None)
    county.do("township1", Call, call_id, "submit", {}, at("2026-11-24 10:00"))
    with county.acting(None) as session:
        call = session.get_one(Call, call_id)
        assert (call.state, call.missing, call.accept_due) == ("submitted", "", at("2026-11-24 15:30"))
    refusal(Conflict, county, "dispatcher", Call, call_id, "return_for_completion", {"missing": "照片"})


def test_an_accepted_call_may_be_returned_for_completion_too(county: County) -> None:
    call_id = county.submitted()
    county.do("dispatcher", Call, call_id, "accept")
    county.do("dispatcher", Call, call_id, "return_for_completion", {"missing": "照片"})
    assert county.states(call_id) == ("returned",)


def test_a_dispatcher_may_complete_it_after_a_telephone_call_instead(county: County) -> None:
    call_id = county.submitted()
    values = {
        "spoken_with": "王建国",
        "title": "刘庄河道排放污水",
        "field": "水务",
        "description": "下游村民多次反映，排污口在桥东五十米。",
        "place": "刘庄桥东",
        "contact_name": "王建国",
    }
    refusal(Forbidden, county, "township1", Call, call_id, "complete", values)
    county.do("dispatcher", Call, call_id, "complete", values)
    with county.acting(None) as session:
        call = session.get_one(Call, call_id)
        assert (call.state, call.place, call.contact_name) == ("submitted", "刘庄桥东", "王建国")
        assert call.description.endswith("五十米。")
    assert event_names(county, call_id)[-1] == "complete"


# Declining and objecting


def declined(county: County, **values: Any) -> int:
    call_id = county.submitted()
    given = {"reason": "own_power", "text": "属乡镇自身职权。", "other_channel": "镇综合执法办", **values}
    county.do("dispatcher", Call, call_id, "decline", given)
    return call_id


def test_a_call_is_declined_with_reason_text_and_another_channel(county: County) -> None:
    call_id = declined(county)
    with county.acting(None) as session:
        call = session.get_one(Call, call_id)
        assert (call.state, call.decline_reason, call.other_channel) == ("declined", "own_power", "镇综合执法办")
        assert (call.accept_due, call.ended_at) == (None, MONDAY)
    another = county.submitted()
    refusal(Forbidden, county, "township1", Call, another, "decline", {"reason": "own_power", "text": "…"})
    assert set(refusal(Invalid, county, "dispatcher", Call, another, "decline").errors) == {"reason", "text"}


@pytest.mark.parametrize("reason", ["own_power", "litigation", "duplicate", "classified", "out_of_scope"])
def test_the_reasons_for_declining_are_those_of_the_rules(county: County, reason: str) -> None:
    call_id = declined(county, reason=reason)
    assert county.states(call_id) == ("declined",)


def test_the_township_objects_once_and_the_office_director_rules_in_one_working_day(county: County) -> None:
    call_id = declined(county)
    for name in ("dispatcher", "director"):
        refusal(Forbidden, county, name, Call, call_id, "object", {"reason": "我镇无执法权。"})
    refusal(Conflict, county, "director", Call, call_id, "grant_objection", {"ruling": "…"})
    county.do("township1", Call, call_id, "object", {"reason": "我镇无执法权。"})
    with county.acting(None) as session:
        call = session.get_one(Call, call_id)
        assert (call.state, call.objection, call.objection_due) == (
            "declined",
            "我镇无执法权。",
            at("2026-11-24 17:30"),
        )
    refusal(Conflict, county, "township1", Call, call_id, "object", {"reason": "再次"})
    for step in ("grant_objection", "refuse_objection"):
        for name in ("dispatcher", "township1", "leader"):
            refusal(Forbidden, county, name, Call, call_id, step, {"ruling": "…"})


def test_a_granted_objection_brings_the_call_back_to_acceptance(county: County) -> None:
    call_id = declined(county)
    county.do("township1", Call, call_id, "object", {"reason": "我镇无执法权。"})
    county.do("director", Call, call_id, "grant_objection", {"ruling": "应予受理。"}, at("2026-11-24 10:00"))
    with county.acting(None) as session:
        call = session.get_one(Call, call_id)
        assert (call.state, call.accept_due, call.ended_at) == ("submitted", at("2026-11-24 15:30"), None)
    county.do("dispatcher", Call, call_id, "decline", {"reason": "out_of_scope", "text": "…"})
    refusal(Conflict, county, "township1", Call, call_id, "object", {"reason": "再次"})


def test_a_refused_objection_leaves_the_call_declined_for_good(county: County) -> None:
    call_id = declined(county)
    county.do("township1", Call, call_id, "object", {"reason": "我镇无执法权。"})
    county.do("director", Call, call_id, "refuse_objection", {"ruling": "维持。"})
    assert county.states(call_id) == ("declined",)
    for step in ("grant_objection", "refuse_objection"):
        refusal(Conflict, county, "director", Call, call_id, step, {"ruling": "…"})
    with pytest.raises(Refused):
        county.do("dispatcher", Call, call_id, "dispatch", {"lead": county["department1"]})
