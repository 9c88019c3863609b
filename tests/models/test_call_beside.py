"""Beside the way of a call: merged, continued, shared, remarked on inside one organisation (2.1), and who sees what (2.1, end)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role

from models.attachment import may_attach
from models.call import Assignment, Call
from models.call_beside import merged_with
from models.call_report import Report
from models.organisation import Organisation, OrganisationKind
from models.person import Person
from models.refusal import Conflict, Forbidden, Invalid, NotFound
from tests.app.portal.api_client import Api
from tests.calls import event_names, offered, refusal, sees, told
from tests.county import County, at

LATER = at("2026-11-24 10:00")


# Merging


def merged(county: County) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Calls of two townships to department 1, handled together."""
    first = county.dispatched("department1", "department2")
    second = county.dispatched("department1", township="township2")
    county.do("dispatcher", Call, first[0], "merge", {"calls": [second[0]]})
    return first, second


def test_the_dispatcher_merges_calls_and_each_keeps_its_own_state(county: County) -> None:
    first, second = county.dispatched("department1")[0], county.submitted("township2")
    for name in ("township1", "department1", "director"):
        refusal(Forbidden, county, name, Call, first, "merge", {"calls": [second]})
    county.do("dispatcher", Call, first, "merge", {"calls": [second]})
    assert (county.states(first)[0], county.states(second)) == ("dispatched", ("submitted",))
    with county.acting(None) as session:
        assert merged_with(session, first) == [second]
        assert merged_with(session, second) == [first]


def test_calls_merged_one_after_another_all_belong_together(county: County) -> None:
    one, two, three = county.submitted(), county.submitted("township2"), county.submitted("township3")
    county.do("dispatcher", Call, three, "merge", {"calls": [two]})
    county.do("dispatcher", Call, one, "merge", {"calls": [two]})
    with county.acting(None) as session:
        assert merged_with(session, two) == [one, three]


def test_a_call_is_merged_with_others_under_way_only(county: County) -> None:
    call_id = county.submitted()
    ended = county.submitted("township2")
    county.do("township2", Call, ended, "withdraw", {"reason": "已解决。"})
    for wrong in ([call_id], [ended], [], [county.draft("township2")], [10**6]):
        refused = refusal(Invalid, county, "dispatcher", Call, call_id, "merge", {"calls": wrong})
        assert set(refused.errors) == {"calls"}


def test_a_report_is_copied_to_the_same_departments_merged_assignments(county: County) -> None:
    (call_id, lead, other), (second, linked) = merged(county)
    county.respond("department1", lead)
    county.respond("department1", linked)
    county.respond("department2", other)
    county.report("department2", other)
    assert county.states(second) == ("dispatched", "responded")  # another department's report is not its own
    county.report("department1", lead, LATER)
    assert county.states(call_id)[0] == "reported"
    assert county.states(second) == ("reported", "reported")
    with county.acting(None) as session:
        copy = session.scalars(sa.select(Report).where(Report.assignment_id == linked)).one()
        assert (copy.result, copy.reported_at, copy.solved) == ("已关停排污口。", LATER, "solved")
    assert "report_copied" in event_names(county, second)


def test_an_assignment_without_a_response_gets_no_copy(county: County) -> None:
    (_call, lead, _other), (second, _linked) = merged(county)
    county.respond("department1", lead)
    county.report("department1", lead, without_reason="协办单位另行反馈。")
    assert county.states(second) == ("dispatched", "pending")


def test_no_township_sees_anothers_call_or_learns_of_it(county: County) -> None:
    (call_id, *_rest), (second, _linked) = merged(county)
    assert not sees(county, "township1", Call, second)
    assert not sees(county, "township2", Call, call_id)
    for name in ("township1", "department1", "department2"):
        assert "merge" not in dict(told(county, name, call_id))
    assert dict(told(county, "dispatcher", call_id))["merge"]["calls"][0]["id"] == second


# Continuing


def test_a_closed_call_is_continued_by_a_new_draft_of_the_same_matter(county: County) -> None:
    call_id, assignment = county.dispatched("department1")
    refusal(Conflict, county, "township1", Call, call_id, "follow_up")
    county.respond("department1", assignment)
    county.report("department1", assignment)
    county.evaluate(call_id, {assignment: "satisfied"})
    for name, kind in (("dispatcher", Forbidden), ("department1", Forbidden), ("township2", NotFound)):
        refusal(kind, county, name, Call, call_id, "follow_up")
    county.do("township1", Call, call_id, "follow_up", {}, LATER)
    with county.acting("township1") as session:
        new = session.scalars(sa.select(Call).where(Call.follows_id == call_id)).one()
        assert (new.state, new.number, new.title, new.township_id) == (
            "draft",
            None,
            "刘庄河道排放污水",
            county["township1"],
        )
    assert county.states(call_id) == ("closed", "reported")


def test_another_township_does_not_learn_which_call_continues_it(county: County) -> None:
    """The draft belongs to its township alone; the offices see it once it is submitted."""
    call_id, assignment = county.dispatched("department1")
    county.respond("department1", assignment)
    county.report("department1", assignment)
    county.evaluate(call_id, {assignment: "satisfied"})
    county.do("township1", Call, call_id, "follow_up", {}, LATER)
    with county.acting(None) as session:
        new = session.scalars(sa.select(Call.id).where(Call.follows_id == call_id)).one()
    assert sees(county, "township1", Call, new)
    assert not sees(county, "dispatcher", Call, new)


# Sharing


def test_who_sees_a_call_may_share_it_and_the_others_read_it(county: County) -> None:
    call_id, assignment = county.dispatched("department1")
    for name, reader in (("township1", "township2"), ("department1", "department2"), ("dispatcher", "department4")):
        assert not sees(county, reader, Call, call_id)
        county.do(name, Call, call_id, "share", {"organisations": [county[reader]]})
        assert sees(county, reader, Call, call_id)
        assert sees(county, reader, Assignment, assignment)
        assert not sees(county, reader.replace("2", "3").replace("4", "3"), Call, call_id)
    assert set(refusal(Invalid, county, "township1", Call, call_id, "share").errors) == {"organisations"}
    stranger = {"organisations": [county["department9"]]}
    assert set(refusal(Invalid, county, "township1", Call, call_id, "share", stranger).errors) == {"organisations"}


def test_sharing_twice_changes_nothing(county: County) -> None:
    call_id, _assignment = county.dispatched("department1")
    for _ in range(2):
        county.do("township1", Call, call_id, "share", {"organisations": [county["department2"]]})
    assert sees(county, "department2", Call, call_id)


@pytest.mark.parametrize("reader", ["department2", "township2"])
def test_with_whom_a_call_was_shared_only_reads(county: County, reader: str) -> None:
    call_id, assignment = county.dispatched("department1")
    county.do("township1", Call, call_id, "share", {"organisations": [county[reader]]})
    assert offered(county, reader, Call, call_id) == set()
    assert offered(county, reader, Assignment, assignment) == set()
    for step in ("comment", "share", "log_progress", "evaluate"):
        refusal(Forbidden, county, reader, Call, call_id, step, {"text": "…"})
    with county.acting(reader) as session:
        assert not may_attach(session.get_one(Call, call_id), county.viewer(reader))
    with county.acting("department1") as session:
        assert may_attach(session.get_one(Call, call_id), county.viewer("department1"))


# Internal remarks


def test_an_internal_remark_stays_inside_one_organisation(county: County) -> None:
    """Neither the township nor the offices nor the REST resource of events show it (2.1)."""
    call_id, _lead, _other = county.dispatched("department1", "department2")
    county.do("department1", Call, call_id, "comment", {"text": "暗语：先摸底。"})
    assert dict(told(county, "department1", call_id))["comment"]["text"] == "暗语：先摸底。"
    assert "comment" in dict(told(county, "department1_leader", call_id))
    for name in ("township1", "department2", "dispatcher", "director", "supervisor", "leader", "city"):
        assert "comment" not in dict(told(county, name, call_id)), name
    trail = Api(county, "auditor").get("/event/").text
    assert "comment" in trail  # that a remark was made
    assert "暗语" not in trail
    assert "暗语" not in county.client("auditor").get("/audit/").text
    assert "先摸底" not in county.client("auditor").get("/audit/?text=暗语").text
    for name in ("township1", "dispatcher", "leader"):
        assert "暗语" not in county.client(name).get(f"/call/show/{call_id}").text


def test_an_internal_remark_of_the_office_is_not_for_the_departments(county: County) -> None:
    call_id, _lead = county.dispatched("department1")
    county.do("dispatcher", Call, call_id, "comment", {"text": "暗语：请提速。"})
    assert dict(told(county, "director", call_id))["comment"]["text"] == "暗语：请提速。"  # the same organisation
    for name in ("township1", "department1", "supervisor", "leader"):
        assert "comment" not in dict(told(county, name, call_id)), name


def test_a_remark_says_something_and_a_city_only_reads(county: County) -> None:
    call_id, _lead = county.dispatched("department1")
    assert set(refusal(Invalid, county, "township1", Call, call_id, "comment").errors) == {"text"}
    refusal(Forbidden, county, "city", Call, call_id, "comment", {"text": "…"})
    refusal(NotFound, county, "auditor", Call, call_id, "comment", {"text": "…"})


# Who sees a call


def test_who_sees_a_call_in_each_state(county: County) -> None:
    draft = county.draft()
    submitted = county.submitted()
    dispatched, _assignment = county.dispatched("department1")
    offices = ("dispatcher", "director", "supervisor", "leader", "city")
    for name in ("township1", "township1_leader"):
        assert all(sees(county, name, Call, key) for key in (draft, submitted, dispatched))
    for name in offices:
        assert [sees(county, name, Call, key) for key in (draft, submitted, dispatched)] == [False, True, True]
    assert [sees(county, "department1", Call, key) for key in (draft, submitted, dispatched)] == [False, False, True]
    nobody = (
        "township2",
        "department2",
        "agency1",
        "checklist",
        "duty",
        "legal",
        "personnel",
        "assessor",
        "auditor",
        "sysadmin",
        "secadmin",
    )
    for name in nobody:
        assert not any(sees(county, name, Call, key) for key in (draft, submitted, dispatched)), name


def test_a_duty_officer_sees_emergencies_only(county: County) -> None:
    emergency, _assignment = county.emergency("department3")
    general, _other = county.dispatched("department1")
    assert sees(county, "duty", Call, emergency)
    assert not sees(county, "duty", Call, general)


def test_another_dispatch_office_of_the_county_may_as_well_and_hands_over(county: County) -> None:
    with county.acting(None) as session:
        office = Organisation(
            name="县委办公室", short_name="县委办", kind=OrganisationKind.office, parent_id=county.id, county_id=county.id, order=99
        )  # fmt: skip
        session.add(office)
        session.flush()
        county.organisations["party_office"] = office.id
        person = Person(
            username="dispatcher2", first_name="员", last_name="党", email="dispatcher2@county.example", password="-", active=True,
            organisation_id=office.id, session_epoch=0, must_change_password=False,
        )  # fmt: skip
        person.roles = [session.scalars(sa.select(Role).where(Role.name == "dispatcher")).one()]
        session.add(person)
        session.flush()
        county.people["dispatcher2"] = person.id
    call_id = county.submitted()
    county.do("dispatcher", Call, call_id, "accept")
    county.do("dispatcher2", Call, call_id, "dispatch", {"lead": county["department1"]})
    assert county.states(call_id) == ("dispatched", "pending")
