"""The demonstration county: complete, plausible, the same each time, and only where nothing else is."""

from __future__ import annotations

import json
import re
import string
from collections import Counter
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash

from app.database import db
from app.demonstration import CannotLoad, demo, load
from app.demonstration.county import FOLDER
from app.demonstration.deck import Deck
from app.demonstration.matters import read_library
from app.demonstration.plan import MONTHS, months_before
from models import clock, event, viewer
from models.admission import Admission, AdmissionOpinion
from models.agency import AgencyStaff, MembershipTransfer, StationedAgency
from models.base import Record
from models.calendar import work_calendar
from models.call import Assignment, Call
from models.call_report import Evaluation, Report
from models.call_words import AssignmentState, CallKind, CallState, Mark, Satisfaction
from models.canned_text import CannedText
from models.checklist import Checklist, ChecklistItem, ChecklistState, Duty, DutyKind, WorkflowStep
from models.checklist_revision import ChecklistRevision
from models.consultation import PersonnelConsultation
from models.convening import Convening
from models.escalation import Escalation, Instruction
from models.extension import Extension
from models.funds import AccountPeriod
from models.hand_down_report import HandDownReport
from models.milestone import LongTerm, Milestone
from models.notification import Demonstration
from models.organisation import Organisation, OrganisationKind
from models.person import Person, make_viewer
from models.proposal import AdjustmentProposal
from models.return_request import ReturnRequest
from models.roster import on_duty
from models.setting import setting
from models.supervision import Notice, NoticeKind, NoticeState
from models.workflow import workflow_of
from tests.app.demonstrated import BEGINS, PASSWORD, load_on_the_day, silent
from views.work import todo

# ---- who and what


def test_has_exactly_the_promised_accounts(session: Session) -> None:
    departments = session.scalar(sa.select(sa.func.count()).where(Organisation.kind == OrganisationKind.department))
    expected = {
        "sysadmin",
        "secadmin",
        "auditor",
        "checklist",
        "legal",
        "dispatcher",
        "director",
        "duty",
        "supervisor",
        "supervisor2",
        "assessor",
        "personnel",
        "leader",
        "leader2",
        "city",
    }
    for kind, count in (("township", 12), ("department", departments)):
        expected |= {f"{kind}{number}{end}" for number in range(1, count + 1) for end in ("", "_leader")}
    expected |= {f"agency{number}" for number in range(1, 21)}
    assert set(session.scalars(sa.select(Person.username))) == expected


def test_accounts_are_ready_to_use(session: Session) -> None:
    people = session.scalars(sa.select(Person)).unique().all()
    assert all(len(person.roles) == 1 and person.organisation is not None and person.position for person in people)
    assert not any(person.must_change_password for person in people)
    assert {person.email.rpartition("@")[2] for person in people} == {"example.invalid"}
    assert len({person.name for person in people}) == len(people)
    assert check_password_hash(people[0].password, PASSWORD)
    assert len({person.password for person in people}) == 1  # hashed once


def test_accounts_stand_in_the_order_of_the_organisations(session: Session) -> None:
    for kind in ("department", "township"):
        organisations = session.scalars(
            sa.select(Organisation).where(Organisation.kind == kind).order_by(Organisation.order)
        ).all()
        for number, organisation in enumerate(organisations, start=1):
            officer = session.scalars(sa.select(Person).where(Person.username == f"{kind}{number}")).unique().one()
            assert officer.organisation is organisation
    first = session.scalars(
        sa.select(Organisation.name).where(Organisation.kind == "department").order_by(Organisation.order).limit(3)
    ).all()
    assert first == ["县自然资源和规划局", "县住房和城乡建设局", "县农业农村局"]


def test_agencies_belong_to_departments(session: Session) -> None:
    agencies = session.scalars(sa.select(Organisation).where(Organisation.kind == OrganisationKind.agency)).all()
    assert len(agencies) == 20
    assert all(agency.parent is not None and agency.parent.kind == OrganisationKind.department for agency in agencies)


def test_settings_name_an_office_that_exists(session: Session) -> None:
    county = session.scalars(sa.select(Organisation).where(Organisation.kind == OrganisationKind.county)).one()
    office = session.scalars(
        sa.select(Organisation).where(Organisation.short_name == setting(session, county.id, "platform_office"))
    ).one()
    assert office.kind == OrganisationKind.office
    assert setting(session, county.id, "office_phone") == office.phone


def test_the_list_links_every_single_department_and_keeps_the_rest_as_text(session: Session) -> None:
    checklist = session.scalars(sa.select(Checklist)).one()
    assert checklist.state == ChecklistState.in_force
    assert session.scalar(sa.select(sa.func.count()).select_from(ChecklistItem)) == 57
    duties = session.scalars(sa.select(Duty).where(Duty.kind == DutyKind.primary, Duty.party != "乡镇（街道）")).all()
    unresolved = {duty.party for duty in duties if duty.organisation_id is None}
    linked = {duty.party for duty in duties} - unresolved
    assert {
        "县自然资源和规划局（林业）",
        "市生态环境局县分局",
        "县公安局交警大队",
        "县海洋发展（渔业）局",
        "县消防救援大队",
    } <= linked
    assert {"生态环境、水利等部门", "县住房和城乡建设局或者县自然资源和规划局"} <= unresolved
    assert not [party for party in unresolved if re.fullmatch(r"[县市][^、等及或的]+(局|大队)(（[^）]+）)?", party)]


def test_what_is_off_the_list_stands_in_several_states(session: Session) -> None:
    admissions = {one.state for one in session.scalars(sa.select(Admission))}
    assert admissions == {"in_force", "approval", "consulting"}
    assert {one.state for one in session.scalars(sa.select(AdmissionOpinion))} == {"given", "outstanding"}
    assert session.scalars(sa.select(ChecklistRevision.state)).all() == ["submitted"]
    assert session.scalars(sa.select(HandDownReport.state)).all() == ["checking"]
    steps = session.scalars(sa.select(WorkflowStep).join(ChecklistItem).where(ChecklistItem.number == 5)).all()
    assert [step.following for step in sorted(steps, key=lambda step: step.number)] == [(2,), (3, 4), (4,), ()]


# ---- the months


def test_shows_every_state_and_every_kind_of_trouble(session: Session) -> None:
    calls = session.scalars(sa.select(Call)).all()
    assert MONTHS * 90 <= len(calls) <= MONTHS * 120
    assert {call.state for call in calls} >= {
        CallState.draft,
        CallState.submitted,
        CallState.accepted,
        CallState.dispatched,
        CallState.reported,
        CallState.closed,
        CallState.withdrawn,
        CallState.returned,
        CallState.declined,
        CallState.long_term,
    }
    assignments = session.scalars(sa.select(Assignment)).all()
    assert {one.state for one in assignments} >= {
        AssignmentState.pending,
        AssignmentState.responded,
        AssignmentState.missed,
        AssignmentState.return_requested,
        AssignmentState.returned,
    }
    marks = Counter(mark for one in assignments for mark in one.marks(BEGINS))
    assert all(marks[mark] for mark in Mark)
    assert sum(marks.values()) < len(assignments) / 4  # most is handled in time
    assert sum(call.kind == CallKind.emergency or call.general_from is not None for call in calls) == 3 * MONTHS + 1
    assert any(call.joint for call in calls)
    assert any(one.round == 2 for one in assignments)


def test_most_evaluations_are_content(session: Session) -> None:
    given = Counter(session.scalars(sa.select(Evaluation.satisfaction)))
    assert given[Satisfaction.satisfied] > given[Satisfaction.fair] > 0
    assert 0 < given[Satisfaction.dissatisfied] < given.total() / 4


def test_every_deadline_missed_brought_a_reminder(session: Session) -> None:
    late = [one for one in session.scalars(sa.select(Assignment)) if one.marks(BEGINS)]
    reminded = {entry.assignment_id for notice in session.scalars(sa.select(Notice)) for entry in notice.entries}
    assert late
    assert {one.id for one in late} <= reminded
    drafted = {one for one in session.scalars(sa.select(Notice)) if one.state == NoticeState.drafted}
    assert {one.kind for one in drafted} <= {NoticeKind.supervision}
    assert not any(one.number or one.document_id for one in drafted), "the number is given at signing"
    assert 1 <= len(drafted) <= 3
    issued = {one for one in session.scalars(sa.select(Notice)) if one.state == NoticeState.issued}
    assert all(one.number for one in issued)
    assert all(one.document_id for one in issued if one.kind == NoticeKind.reminder)
    signed = [one for one in issued if one.kind == NoticeKind.supervision]
    assert len(signed) > 10
    assert all(one.signed_by_id and one.issued_at <= one.sign_due for one in signed)


def test_townships_call_alike_so_that_nothing_reads_as_a_ranking(session: Session) -> None:
    counts = Counter(session.scalars(sa.select(Call.township_id).where(Call.follows_id.is_(None))))
    assert len(counts) == 12
    assert max(counts.values()) - min(counts.values()) <= 2


def test_nothing_lies_in_the_future(session: Session) -> None:
    for column in (event.Event.at, Call.happened_at, Assignment.responded_at, Report.reported_at, Notice.issued_at):
        assert session.scalar(sa.select(sa.func.max(column))) < BEGINS
    assert session.scalar(sa.select(sa.func.min(Assignment.next_step_at))) >= BEGINS


def test_everything_was_done_by_people_in_the_audit_trail(session: Session) -> None:
    assert list(event.verify(session)) == []
    done = Counter(session.scalars(sa.select(event.Event.name).where(event.Event.kind == "transition")))
    assert done["dispatch"] > MONTHS * 80
    assert {"submit", "respond", "report", "evaluate", "withdraw", "log_progress", "close_assignment"} <= done.keys()
    assert (
        session.scalar(
            sa.select(sa.func.count()).where(event.Event.kind == "transition", event.Event.actor_id.is_(None))
        )
        == 0
    )


def test_agencies_are_met_in_every_interesting_state(session: Session) -> None:
    """20 agencies with staff and accounts; a transfer on its way, a consultation in each state, a proposal to be answered."""
    assert session.scalar(sa.select(sa.func.count()).select_from(StationedAgency)) == 20
    assert session.scalar(sa.select(sa.func.count()).select_from(AgencyStaff)) == 60
    assert {str(one) for one in session.scalars(sa.select(MembershipTransfer.state))} == {"sent", "received"}
    states = [str(one) for one in session.scalars(sa.select(PersonnelConsultation.state))]
    assert sorted(states) == ["consulting", "decided", "done", "draft", "replied", "withdrawn"]
    assert [str(one) for one in session.scalars(sa.select(AdjustmentProposal.state))] == ["sent"]
    assert all(0 < one.balance < one.allotted for one in session.scalars(sa.select(AccountPeriod)))


def test_people_work_in_office_hours_except_in_emergencies(session: Session) -> None:
    urgent = {call.id for call in session.scalars(sa.select(Call)) if call.emergency or call.general_from is not None}
    steps = session.scalars(
        sa.select(event.Event).where(event.Event.kind == "transition", event.Event.thread_type == "call")
    )
    calendar = work_calendar(session, session.scalars(sa.select(Call.county_id).limit(1)).one())
    closed = [
        (one.thread_id, one.name, one.at)
        for one in steps
        if one.thread_id not in urgent
        and not any(calendar.is_open(one.at - timedelta(minutes=late)) for late in (0, 1))
    ]
    assert closed == []


@pytest.mark.parametrize("model", [Call, Assignment, Milestone, Convening, Notice])
def test_every_step_is_met(session: Session, model: type[Record]) -> None:
    """By events; no step of a call is left out."""
    done = session.scalars(
        sa.select(event.Event.name).where(event.Event.kind == "transition", event.Event.record_type == model.resource())
    )
    assert {one.name for one in workflow_of(model).transitions} == set(done)


def test_what_happens_by_itself_happened_at_its_minute(session: Session) -> None:
    found = session.execute(sa.select(event.Event.name, event.Event.at).where(event.Event.kind == "automatic")).all()
    by_sweeps = {"amber", "reminder", "draft", "drop", "clock_amber", "clock_expired", "close_unevaluated", "candidate"}
    assert by_sweeps | {"report_copied", "plan_completed", "duty_phones"} <= {row.name for row in found}
    assert all(not row.at.second for row in found if row.name in by_sweeps)


def test_a_call_nobody_evaluates_is_closed_when_its_time_is_over(session: Session) -> None:
    closed = session.scalars(sa.select(Call).where(Call.state == CallState.closed, Call.evaluated_at.is_(None))).all()
    assert closed
    assert all(one.evaluate_due is None for one in closed)
    assert len(closed) < session.scalar(sa.select(sa.func.count()).select_from(Call)) / 10
    due = session.scalars(sa.select(Call.evaluate_due).where(Call.state == CallState.reported)).all()
    assert all(at > BEGINS for at in due)


def test_rulings_went_both_ways(session: Session) -> None:
    """By states; what waits at the end is among them."""
    expected: dict[type[Any], set[str]] = {
        ReturnRequest: {"requested", "referred", "upheld", "rejected"},
        Extension: {"requested", "granted", "refused"},
        Escalation: {"asked", "decided"},
        LongTerm: {"endorsed", "approved", "completed", "ended", "refused"},
        Milestone: {"open", "completed"},
        Convening: {"held", "cancelled"},
    }
    for model, states in expected.items():
        assert states <= {str(one) for one in session.scalars(sa.select(model.state))}, model
    instructions = session.scalars(sa.select(Instruction)).all()
    assert {one.entered_by_id is None for one in instructions} == {True, False}
    ruled_by = {one.ruled_by_id for one in session.scalars(sa.select(ReturnRequest)) if one.ruled_by_id}
    assert person(session, "checklist").id in ruled_by


def person(session: Session, username: str) -> Person:
    return session.scalars(sa.select(Person).where(Person.username == username)).unique().one()


@pytest.mark.parametrize(
    ("role", "account"),
    [
        ("township_officer", "township%"),
        ("department_officer", "department%"),
        ("dispatcher", "dispatcher"),
        ("office_director", "director"),
        ("checklist_manager", "checklist"),
        ("county_leader", "leader%"),
        ("duty_officer", "duty"),
    ],
)
def test_every_role_finds_work(session: Session, role: str, account: str) -> None:
    people = session.scalars(sa.select(Person).where(Person.username.like(account))).unique()
    viewers = [one for one in (make_viewer(session, found) for found in people) if one.has_role(role)]
    with clock.at(BEGINS + timedelta(hours=9)):
        waiting = [
            session.scalar(sa.select(sa.func.count()).select_from(Call).where(where))
            for one in viewers
            if (where := todo(one)) is not None
        ]
    assert sum(map(bool, waiting)) >= {"township_officer": 8, "department_officer": 15}.get(role, 1)


def test_every_work_list_holds_what_it_is_for(session: Session) -> None:
    """Beside drafts, acceptance and dispatch, each party's own decision waits."""
    states = set(session.scalars(sa.select(Call.state)))
    assert {CallState.draft, CallState.returned, CallState.reported, CallState.submitted, CallState.accepted} <= states
    assert session.scalars(sa.select(Call).where(Call.state == CallState.declined, Call.objection_due > BEGINS)).all()
    for model, state, due in (
        (ReturnRequest, "requested", ReturnRequest.due),
        (ReturnRequest, "referred", ReturnRequest.due),
        (Extension, "requested", Extension.due),
        (Escalation, "asked", Escalation.due),
        (Notice, "drafted", Notice.sign_due),
    ):
        open_ = session.scalars(sa.select(due).where(model.state == state)).all()
        assert open_, (model, state)
        assert all(at > BEGINS for at in open_), "nobody in these offices is late at the end"


def test_emergencies_ring_down_the_roster_and_are_confirmed_by_telephone(session: Session) -> None:
    """In every month somebody did not answer: the second number rang, and the officer on duty entered who confirmed."""
    happened = sa.select(event.Event).where(event.Event.record_type == "assignment")
    rung = {one.record_id: one.at for one in session.scalars(happened.where(event.Event.name == "ring"))}
    duty = session.scalars(sa.select(Person.id).where(Person.username == "duty")).one()
    confirmed = happened.where(event.Event.name == "acknowledge", event.Event.actor_id == duty)
    by_telephone = {one.record_id: one.at for one in session.scalars(confirmed)}
    assert len(rung.keys() & by_telephone.keys()) >= MONTHS
    assert all(rung[key] < at for key, at in by_telephone.items() if key in rung)
    for one in session.scalars(sa.select(Assignment).where(Assignment.id.in_(rung))):
        assert len(on_duty(session, one.department_id, one.assigned_at)) == 2


def test_at_the_end_an_emergency_rings_on_the_list_of_the_officer_on_duty(session: Session) -> None:
    ringing = sa.select(Call).where(Call.kind == CallKind.emergency, Call.state == CallState.dispatched)
    [call] = [
        one
        for one in session.scalars(ringing)
        if all(part.acknowledged_at is None and part.responded_at is None for part in one.assignments)
    ]
    assert all(part.respond_due > BEGINS for part in call.assignments), "nobody is late yet"
    assert all(on_duty(session, part.department_id, BEGINS) for part in call.assignments)


def test_canned_texts_are_at_hand(session: Session) -> None:
    keepers = Counter(session.scalars(sa.select(CannedText.organisation_id)))
    assert len(keepers) == 3
    assert min(keepers.values()) >= 3


def test_phrases_name_only_what_is_given() -> None:
    given = {"t", "lead", "partners", "waiting", "wrong", "right", "partner", "department"}
    for name, texts in read_library().phrases.items():
        assert texts, name
        for text in texts:
            assert {one for _, one, _, _ in string.Formatter().parse(text) if one} <= given, text


# ---- the texts


def test_texts_fit_the_county() -> None:
    library = read_library()
    items = {
        one["number"] for one in json.loads((FOLDER / "checklist_items.zh.json").read_text(encoding="utf-8"))["items"]
    }
    departments = {
        one["name"] for one in json.loads((FOLDER / "county.json").read_text(encoding="utf-8"))["departments"]
    }
    for matter in (*library.matters, *library.emergencies):
        told = [
            matter.title,
            matter.place,
            matter.description,
            matter.plan,
            matter.progress,
            matter.result,
            matter.reason,
        ]
        told += [matter.complaint, matter.again, *(text for one in matter.partners for text in (one.plan, one.result))]
        names = {name for text in told for _, name, _, _ in string.Formatter().parse(text) if name}
        assert names <= {"t", "v", "us", "n"}, matter.title
        assert ("n" in names) == bool(matter.numbers), matter.title
        assert matter.item in items if matter.item is not None else matter.field, matter.title
        assert {matter.lead, *(one.department for one in matter.partners)} <= departments, matter.title
        assert bool(matter.complaint) == bool(matter.again), matter.title
        assert "{us}" not in "".join([matter.plan, matter.progress, matter.result, matter.again]), (
            matter.title
        )  # departments do not speak as the township


def test_no_placeholder_is_left(session: Session) -> None:
    for call in session.scalars(sa.select(Call)):
        assert not re.search(r"[{}]", call.title + call.description + call.place + call.remark)


# ---- again, elsewhere, interrupted


def _story(session: Session) -> list[Any]:
    """What must be the same each time: people, calls, and every event's instant, step and actor."""
    people = session.execute(
        sa.select(Person.id, Person.username, Person.last_name, Person.first_name).order_by(Person.id)
    ).all()
    calls = session.execute(
        sa.select(Call.id, Call.number, Call.title, Call.description, Call.state).order_by(Call.id)
    ).all()
    events = session.execute(
        sa.select(event.Event.id, event.Event.at, event.Event.name, event.Event.actor_id).order_by(event.Event.id)
    ).all()
    return [tuple(row) for row in (*people, *calls, *events)]


@pytest.mark.postgresql
def test_same_seed_and_day_give_the_same_on_another_database(session: Session, postgresql_installation: Any) -> None:
    here = _story(session)
    postgresql_installation.fresh("installed")
    with postgresql_installation.app.app_context():
        load_on_the_day()
        with viewer.system():
            assert _story(db.session()) == here
        db.session.remove()


def test_is_loaded_once(demonstration: Flask) -> None:
    result = demonstration.test_cli_runner().invoke(demo, [])
    assert result.exit_code == 1
    assert "already loaded" in result.output
    assert "Traceback" not in result.output


def test_stays_out_of_a_real_county(application: Flask, county: Any) -> None:
    with application.app_context(), pytest.raises(CannotLoad, match="already holds organisations"):
        load_on_the_day()


def test_an_interrupted_load_leaves_nothing_behind(application: Flask) -> None:
    def interrupted(line: str) -> None:
        if "months of calls" in line:
            raise KeyboardInterrupt

    with application.app_context(), viewer.system():
        with pytest.raises(KeyboardInterrupt):
            load_on_the_day(progress=interrupted)
        for model in (Demonstration, Organisation, Person, event.Event):
            assert db.session.scalar(sa.select(sa.func.count()).select_from(model)) == 0
        db.session.remove()


def test_another_day_moves_the_clock(application: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.demonstration.loading._fill", lambda *_: None)
    with application.app_context(), viewer.system():
        with clock.at(BEGINS + timedelta(hours=9)):
            load(today=date(2026, 11, 30), progress=silent)
        assert db.session.scalars(sa.select(Demonstration.clock_offset)).one() == timedelta(days=7).total_seconds()
        db.session.remove()


@pytest.mark.parametrize(
    ("day", "count", "before"),
    [
        (date(2026, 11, 23), 1, date(2026, 10, 23)),
        (date(2026, 11, 23), 3, date(2026, 8, 23)),
        (date(2026, 1, 5), 1, date(2025, 12, 5)),
        (date(2026, 1, 31), 2, date(2025, 11, 30)),
        (date(2026, 3, 31), 1, date(2026, 2, 28)),
        (date(2028, 3, 30), 1, date(2028, 2, 29)),
        (date(2026, 12, 31), 1, date(2026, 11, 30)),
        (date(2027, 1, 31), 1, date(2026, 12, 31)),
    ],
)
def test_months_before(day: date, count: int, before: date) -> None:
    assert months_before(day, count) == before


def test_deck_deals_every_card_before_any_again() -> None:
    deck = Deck("abcdef", Random(1))
    assert sorted(deck.draw() for _ in range(6)) == list("abcdef")
    assert deck.draw(lambda card: card == "c") == "c"
    with pytest.raises(LookupError):
        deck.draw(lambda card: card == "z")
