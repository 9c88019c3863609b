"""Last month's statistics bulletin of the demonstration county against an independent recount, and its criticism to the end."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

import app as program
from app.database import db
from app.installation import install
from models import viewer
from models.bulletin import Bulletin, BulletinKind, BulletinState
from models.calendar import work_calendar
from models.call import Assignment, Call
from models.call_words import AssignmentRole, CallKind, CallState, Satisfaction, Solved
from models.document import Document
from models.extension import Extension
from models.milestone import LongTerm
from models.organisation import Organisation, OrganisationKind, RunBy
from models.rectification import Rectification
from models.return_request import ReturnRequest, ReturnState
from tests.app.test_demonstration import PASSWORD, load_on_the_day


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Flask]:
    path = tmp_path_factory.mktemp("bulletins") / "huying.sqlite3"
    app = program.create_app(
        {"TESTING": True, "SQLALCHEMY_DATABASE_URI": f"sqlite:///{path}", "DEMO_PASSWORD": PASSWORD}
    )
    with app.app_context():
        install()
        load_on_the_day()
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def session(demonstration: Flask) -> Iterator[Session]:
    with demonstration.app_context(), viewer.system():
        yield db.session()
        db.session.remove()


@pytest.fixture
def october(session: Session) -> Bulletin:
    return session.scalars(
        sa.select(Bulletin).where(
            Bulletin.kind == BulletinKind.statistics,
            Bulletin.state == BulletinState.issued,
            Bulletin.period_from == date(2026, 10, 1),
        )
    ).one()


class Recount:
    """The month's figures counted by hand from the records as they are, with what happened after the freezing taken away."""

    def __init__(self, session: Session, bulletin: Bulletin) -> None:
        assert bulletin.frozen_at is not None
        self.session, self.now = session, bulletin.frozen_at
        self.calendar = work_calendar(session, bulletin.county_id)
        self.start = datetime.combine(date(2026, 10, 1), time(0), tzinfo=self.calendar.zone)
        self.end = datetime.combine(date(2026, 11, 1), time(0), tzinfo=self.calendar.zone)
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


def test_every_number_of_last_months_calls_is_the_recount(session: Session, october: Bulletin) -> None:
    assert october.snapshot is not None
    frozen = {name: len(keys) for name, keys in october.snapshot["calls"].items()}
    assert frozen == Recount(session, october).call_counts()
    assert frozen["calls"] > 50


def test_every_number_of_the_departments_is_the_recount(session: Session, october: Bulletin) -> None:
    assert october.snapshot is not None
    recount = Recount(session, october)
    for row in october.snapshot["departments"]:
        counted = recount.counts(row["id"])
        frozen = {name: len(row["rows"][name]) for name in FIGURES}
        assert frozen == {name: counted.get(name, 0) for name in FIGURES}, row["name"]


def test_the_paper_says_what_was_counted(session: Session, october: Bulletin) -> None:
    document = session.get_one(Document, october.document_id)
    context, recount = document.context, Recount(session, october)
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


def test_extensions_and_returns_are_the_recount(session: Session, october: Bulletin) -> None:
    assert october.snapshot is not None
    recount = Recount(session, october)

    def during(one: Any) -> bool:
        return recount.start <= one.assignment.assigned_at < recount.end

    granted = [one for one in session.scalars(sa.select(Extension)) if during(one) and recount.came(one.answered_at)]
    asked = [one for one in session.scalars(sa.select(ReturnRequest)) if during(one) and recount.came(one.requested_at)]
    upheld = [one for one in asked if one.state == ReturnState.upheld and recount.came(one.ruled_at)]
    rows = october.snapshot["departments"]
    assert sum(len(row["rows"]["extended"]) for row in rows) == sum(str(one.state) == "granted" for one in granted)
    assert sum(len(row["rows"]["return_asked"]) for row in rows) == len(asked)
    assert sum(len(row["rows"]["return_upheld"]) for row in rows) == len(upheld)


def test_townships_stand_in_their_order_with_their_workload(session: Session, october: Bulletin) -> None:
    assert october.snapshot is not None
    order = session.scalars(
        sa.select(Organisation.short_name)
        .where(Organisation.kind == OrganisationKind.township)
        .order_by(Organisation.order, Organisation.id)
    ).all()
    rows = october.snapshot["townships"]
    assert [row["name"] for row in rows] == list(order)
    raised = Counter(call.township_id for call in Recount(session, october).calls)
    assert {row["id"]: row["calls"] for row in rows} == {row["id"]: raised[row["id"]] for row in rows}


def test_a_criticism_of_two_cases_went_to_paper_and_was_corrected_after_a_review(session: Session) -> None:
    bulletin = session.scalars(sa.select(Bulletin).where(Bulletin.kind == BulletinKind.criticism)).one()
    assert bulletin.state == BulletinState.corrected
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
