"""The statistics bulletins of the demonstration county against an independent recount, its criticism to the end, and what still waits."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.bulletin import Bulletin, BulletinKind, BulletinState
from models.calendar import work_calendar
from models.call import Assignment, Call
from models.call_words import AssignmentRole, CallKind, CallState, Satisfaction, Solved
from models.document import Document
from models.event import Event
from models.extension import Extension
from models.milestone import LongTerm
from models.organisation import Organisation, OrganisationKind, RunBy
from models.paper import preview
from models.person import Person, make_viewer
from models.rectification import Rectification
from models.return_request import ReturnRequest, ReturnState
from models.review import ReviewRequest
from views.bulletin import to_approve


@pytest.fixture(params=[9, 10])
def bulletin(request: pytest.FixtureRequest, session: Session) -> Bulletin:
    """The statistics bulletins of the two whole months: the one that is issued, and the last one, still a draft."""
    return of_month(session, request.param)


@pytest.fixture
def newest(session: Session) -> Bulletin:
    """Of the last month: the records still tell what was due when its figures were frozen; of older ones deadlines have moved since."""
    return of_month(session, 10)


@pytest.fixture
def issued(session: Session) -> Bulletin:
    found = of_month(session, 9)
    assert found.state == BulletinState.issued
    return found


def of_month(session: Session, month: int) -> Bulletin:
    first = date(2026, month, 1)
    return session.scalars(
        sa.select(Bulletin).where(Bulletin.kind == BulletinKind.statistics, Bulletin.period_from == first)
    ).one()


class Recount:
    """The month's figures counted by hand from the records as they are, with what happened after the freezing taken away."""

    def __init__(self, session: Session, bulletin: Bulletin) -> None:
        assert bulletin.frozen_at is not None
        self.session, self.now = session, bulletin.frozen_at
        self.calendar = work_calendar(session, bulletin.county_id)
        assert bulletin.period_from is not None
        assert bulletin.period_to is not None
        self.start = datetime.combine(bulletin.period_from, time(0), tzinfo=self.calendar.zone)
        self.end = datetime.combine(bulletin.period_to + timedelta(days=1), time(0), tzinfo=self.calendar.zone)
        self.calls = [
            call
            for call in session.scalars(sa.select(Call).order_by(Call.id))
            if call.submitted_at is not None and self.start <= call.submitted_at < self.end
        ]
        self.given = [
            one
            for one in session.scalars(sa.select(Assignment).order_by(Assignment.id))
            if self.start <= one.assigned_at < self.end and not self.came(one.given_back_at)
        ]

    def came(self, instant: datetime | None) -> bool:
        """Whether something had happened by then."""
        return instant is not None and instant <= self.now

    def state_of(self, call: Call) -> str:
        if self.came(call.ended_at):
            return str(call.state)
        plans = self.session.scalars(sa.select(LongTerm).where(LongTerm.call_id == call.id)).all()
        for plan in plans:
            if (
                self.came(plan.decided_at)
                and str(plan.state) not in ("refused", "lapsed")
                and not self.came(plan.ended_at)
            ):
                return "long_term"
        return "open"

    def call_counts(self) -> dict[str, int]:
        states = Counter(self.state_of(call) for call in self.calls)
        joint = Counter(
            one.call_id for call in self.calls for one in call.assignments
            if one.assigned_at <= self.now and not self.came(one.given_back_at)
        )  # fmt: skip
        return {
            "calls": len(self.calls),
            "emergency": sum(call.kind == CallKind.emergency for call in self.calls),
            "joint": sum(count > 1 for count in joint.values()),
            **{name: states[name] for name in ("closed", "long_term", "declined", "withdrawn", "open")},
        }

    def counts(self, department_id: int | None = None) -> dict[str, int]:
        found: Counter[str] = Counter()
        for one in self.given:
            if department_id not in (None, one.department_id):
                continue
            found["lead" if one.role == AssignmentRole.lead else "cooperating"] += 1
            until = min(self.now, one.stopped_at) if self.came(one.stopped_at) and one.stopped_at else self.now
            responded = one.responded_at if self.came(one.responded_at) else None
            if responded or one.respond_due < until:
                found["respond_due"] += 1
                found["respond_ok"] += responded is not None and responded <= one.respond_due
            evaluations = [each for each in one.evaluations if self.came(each.evaluated_at)]
            rounds = []
            for number in range(
                1, 1 + len([each for each in evaluations if each.satisfaction == Satisfaction.dissatisfied][:1]) + 1
            ):
                if number > one.round:
                    break
                reports = [each for each in one.reports if each.round == number]
                last = reports[-1] if reports else None
                rounds.append(
                    (
                        last.due if last else one.report_due,
                        last.reported_at if last and self.came(last.reported_at) else None,
                    )
                )
            due = [(limit, at) for limit, at in rounds if at is not None or limit < until]
            if due:
                found["report_due"] += 1
                found["report_ok"] += all(at is not None and at <= limit for limit, at in due)
            found["reported_late"] += any(at is not None and at > limit for limit, at in rounds)
            found["rehandled"] += len(rounds) > 1
            if evaluations:
                last_word = evaluations[-1]
                found["evaluated"] += 1
                found[str(last_word.satisfaction)] += 1
                found["solved"] += last_word.solved == Solved.solved
                if self.came(one.call.ended_at) and one.call.state == CallState.closed:
                    found["closed"] += 1
                    found["first"] += len(rounds) == 1
        return dict(found)


FIGURES = (
    "lead", "cooperating", "respond_due", "respond_ok", "report_due", "report_ok", "reported_late", "evaluated", "satisfied",
    "fair", "dissatisfied", "solved", "closed", "first", "rehandled",
)  # fmt: skip


def test_every_number_of_last_months_calls_is_the_recount(session: Session, bulletin: Bulletin) -> None:
    assert bulletin.snapshot is not None
    frozen = {name: len(keys) for name, keys in bulletin.snapshot["calls"].items()}
    assert frozen == Recount(session, bulletin).call_counts()
    assert frozen["calls"] > 50


def test_every_number_of_the_departments_is_the_recount(session: Session, newest: Bulletin) -> None:
    assert newest.snapshot is not None
    recount = Recount(session, newest)
    for row in newest.snapshot["departments"]:
        counted = recount.counts(row["id"])
        frozen = {name: len(row["rows"][name]) for name in FIGURES}
        assert frozen == {name: counted.get(name, 0) for name in FIGURES}, row["name"]


def test_the_paper_says_what_was_counted(session: Session, issued: Bulletin) -> None:
    document = session.get_one(Document, issued.document_id)
    context, recount = document.context, Recount(session, issued)
    total, calls = recount.counts(), recount.call_counts()
    text = context["text"]
    assert f"全县受理乡镇（街道）呼叫{calls['calls']}件" in text
    assert f"其中紧急呼叫{calls['emergency']}件，需两个以上部门共同办理{calls['joint']}件" in text
    assert f"已办结{calls['closed']}件，正在办理{calls['open']}件，转长期办理{calls['long_term']}件" in text
    assert f"（{total['respond_ok']}/{total['respond_due']}），按期反馈率" in text
    share = f"{total['respond_ok'] / total['respond_due']:.1%}"
    assert f"按时响应率{share}" in text
    assert context["total"]["lead"] == str(total["lead"])
    rows = {row["name"]: row for row in context["departments"]}
    for organisation in session.scalars(
        sa.select(Organisation).where(Organisation.kind == OrganisationKind.department)
    ):
        if organisation.short_name in rows:
            row, counted = rows[organisation.short_name], recount.counts(organisation.id)
            assert row["respond_due"] == str(counted.get("respond_due", 0))
            assert row["apart"] == (organisation.run_by != RunBy.county)
            whole = counted.get("respond_due", 0)
            compared = whole >= context["min_n"] and not row["apart"]
            assert bool(re.fullmatch(r"[\d.]+%", row["respond_rate"])) == compared


def test_extensions_and_returns_are_the_recount(session: Session, bulletin: Bulletin) -> None:
    assert bulletin.snapshot is not None
    recount = Recount(session, bulletin)

    def during(one: Any) -> bool:
        return recount.start <= one.assignment.assigned_at < recount.end

    granted = [one for one in session.scalars(sa.select(Extension)) if during(one) and recount.came(one.answered_at)]
    asked = [one for one in session.scalars(sa.select(ReturnRequest)) if during(one) and recount.came(one.requested_at)]
    upheld = [one for one in asked if one.state == ReturnState.upheld and recount.came(one.ruled_at)]
    rows = bulletin.snapshot["departments"]
    assert sum(len(row["rows"]["extended"]) for row in rows) == sum(str(one.state) == "granted" for one in granted)
    assert sum(len(row["rows"]["return_asked"]) for row in rows) == len(asked)
    assert sum(len(row["rows"]["return_upheld"]) for row in rows) == len(upheld)


def test_townships_stand_in_their_order_with_their_workload(session: Session, bulletin: Bulletin) -> None:
    assert bulletin.snapshot is not None
    order = session.scalars(
        sa.select(Organisation.short_name)
        .where(Organisation.kind == OrganisationKind.township)
        .order_by(Organisation.order, Organisation.id)
    ).all()
    rows = bulletin.snapshot["townships"]
    assert [row["name"] for row in rows] == list(order)
    raised = Counter(call.township_id for call in Recount(session, bulletin).calls)
    assert {row["id"]: row["calls"] for row in rows} == {row["id"]: raised[row["id"]] for row in rows}


def test_a_criticism_of_two_cases_went_to_paper_and_was_corrected_after_a_review(session: Session) -> None:
    bulletin = session.scalars(
        sa.select(Bulletin).where(Bulletin.kind == BulletinKind.criticism, Bulletin.state == BulletinState.corrected)
    ).one()
    assert len(bulletin.cases) == 2
    assert bulletin.approved_for is not None
    assert bulletin.approved_by_id != bulletin.approved_for_id
    papers = {
        one.kind: one
        for one in session.scalars(
            sa.select(Document).where(Document.about_id == bulletin.id, Document.about_type == "bulletin")
        )
    }
    assert {"approval_sheet", "criticism", "correction"} <= papers.keys()
    assert papers["correction"].context["text"].count("予以撤销") == 1
    states = Counter(str(one.state) for one in session.scalars(sa.select(Rectification)))
    assert states["revoked"] == 1
    taken_back = [one.conclusion for one in bulletin.cases if one.conclusion.revoked_at is not None]
    assert [one.assignment.marks(bulletin.issued_at + timedelta(days=30)) for one in taken_back if one.assignment] == [
        []
    ]


def test_the_last_months_bulletin_was_drafted_by_the_schedule_and_is_still_edited(session: Session) -> None:
    draft = of_month(session, 10)
    assert draft.state == BulletinState.draft
    told = session.scalars(
        sa.select(Event).where(Event.record_type == "bulletin", Event.record_id == draft.id).order_by(Event.sequence)
    ).all()
    assert (str(told[0].kind), told[0].name) == ("automatic", "draft")
    supervisor = session.scalars(sa.select(Person.id).where(Person.username == "supervisor")).one()
    assert told[-1].actor_id == supervisor
    assert "更新联络信息" in draft.text
    assert len(re.findall(r"^（[一二三四五六]）", draft.text, re.MULTILINE)) >= 7


def test_the_annex_of_long_term_handling_is_of_the_day_of_the_figures(session: Session, bulletin: Bulletin) -> None:
    """Plans that have ended since stand in it, with what was done by then."""
    assert bulletin.snapshot is not None
    kept = bulletin.snapshot["calls"]["long_term"]
    assert kept
    numbers = session.scalars(sa.select(Call.number).where(Call.id.in_(kept)).order_by(Call.number)).all()
    context = preview(session, "statistics", bulletin, issuer=bulletin.office).context
    assert [row["call_no"] for row in context["long_terms"]] == list(numbers)
    assert len(context["attachments"]) == 4


def test_a_criticism_waits_for_the_countys_head(session: Session) -> None:
    waiting = session.scalars(sa.select(Bulletin).where(Bulletin.state == BulletinState.submitted)).one()
    assert waiting.kind == BulletinKind.criticism
    assert [one.conclusion.citable for one in waiting.cases] == [True]
    leader, supervisor = (
        make_viewer(session, session.scalars(sa.select(Person).where(Person.username == name)).unique().one())
        for name in ("leader", "supervisor")
    )
    approving = sa.select(Bulletin.id).where(to_approve(leader))
    assert list(session.scalars(approving)) == [waiting.id]
    assert waiting.submitted_by_id == supervisor.person_id
    sheets = sa.select(Document.id).where(Document.kind == "approval_sheet", Document.about_id == waiting.id)
    assert len(session.scalars(sheets).all()) == 1
    reviewed = session.scalars(sa.select(ReviewRequest.conclusion_id)).all()
    assert not {one.conclusion_id for one in waiting.cases} & set(reviewed), "what is disputed is not criticised anew"
