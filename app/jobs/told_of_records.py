"""Who is told what of records beyond calls: conclusions, rectification, admissions, proposals, consultations (2.3 to 2.7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from app.jobs.telling import OFFICERS, TOWNSHIP, Message, Occurrence, Telling, county, organisations, persons
from app.notifications import Kind
from models.person import Person


def _to_department(kind: Kind, due: str = "") -> Telling:
    """The department that a record concerns: number, and a deadline where a column holds one."""

    def tell(one: Occurrence) -> Iterator[Message]:
        record = one.record
        values: dict[str, Any] = {"number": getattr(record, "number", None)}
        if due:
            values["due"] = getattr(record, due).isoformat()
        yield Message(kind, organisations("addressee", OFFICERS, record.department_id), values)

    return tell


def _opinion_wanted(one: Occurrence) -> Iterator[Message]:
    """The township's leaders, who sign it. Which other townships are asked is told to none."""
    to = organisations("addressee", ("township_leader",), one.record.township_id)
    yield Message("opinion_wanted", to, {"due": one.record.due.isoformat()}, one.record)


def _consultation_sent(one: Occurrence) -> Iterator[Message]:
    """The secretaries of the Party committees consulted, themselves: that one waits, and nothing of what it is about (2.7)."""
    consulted = (one.record.township_id, one.record.to_township_id)
    secretaries = sa.select(Person.id).where(
        Person.organisation_id.in_([key for key in consulted if key is not None]),
        Person.party_secretary,
        Person.roles.any(name="township_leader"),
    )
    yield Message("consultation_waits", persons("addressee", one.session.scalars(secretaries)), {})


def _handed_down(one: Occurrence) -> Iterator[Message]:
    """The department, in the staffing office's words alone. What it opens is the department itself: the report is not for it (2.5)."""
    report = one.record
    to = organisations("addressee", (*OFFICERS, "office_director"), report.department_id)
    yield Message("handed_down", to, {"matter": report.department_text}, report.department)


def _to_supervisors(kind: Kind) -> Telling:
    """The county's supervisors: that a department answered."""

    def tell(one: Occurrence) -> Iterator[Message]:
        record = one.record
        values = {"number": getattr(record, "number", None), "department": record.department.short_name}
        yield Message(kind, county("supervision", record.county_id, "supervisor"), values)

    return tell


def _bulletin_drafted(one: Occurrence) -> Iterator[Message]:
    yield Message("bulletin_drafted", county("supervision", one.record.county_id, "supervisor"), {})


def _bulletin_waits(one: Occurrence) -> Iterator[Message]:
    """Who may approve it (2.3): leaders, and for plain statistics the office director; he enters what a leader signs on paper too."""
    yield Message("bulletin_waits", county("addressee", one.record.county_id, "county_leader", "office_director"), {})


def _bulletin_sent_back(one: Occurrence) -> Iterator[Message]:
    yield Message("bulletin_sent_back", county("supervision", one.record.county_id, "supervisor"), {})


def _to_recipients(kind: Kind) -> Telling:
    """Whoever received the bulletin."""

    def tell(one: Occurrence) -> Iterator[Message]:
        keys = [each.organisation_id for each in one.record.recipients]
        yield Message(kind, organisations("addressee", (*OFFICERS, *TOWNSHIP), *keys), {"number": one.record.number})

    return tell


def _review_waits(one: Occurrence) -> Iterator[Message]:
    yield Message("review_waits", county("leader", one.record.county_id, "county_leader"), {})


OF_RECORDS: dict[tuple[str, str], Telling] = {
    ("conclusion", "ask_explanation"): _to_department("explanation_wanted", "explain_due"),
    ("conclusion", "serve"): _to_department("conclusion_served"),
    ("rectification", "order"): _to_department("rectification_ordered", "due"),
    ("rectification", "order_again"): _to_department("rectification_ordered", "due"),
    ("admission_opinion", "ask_opinion"): _opinion_wanted,
    ("adjustment_proposal", "send"): _to_department("proposal_received", "answer_due"),
    ("personnel_consultation", "send"): _consultation_sent,
    ("hand_down_report", "department_told"): _handed_down,
    ("conclusion", "explain"): _to_supervisors("explained"),
    ("rectification", "report"): _to_supervisors("rectification_reported"),
    ("review_request", "create"): _to_supervisors("review_filed"),
    ("review_request", "propose"): _review_waits,
    ("review_request", "decide"): _to_department("review_decided"),
    ("bulletin", "draft"): _bulletin_drafted,
    ("bulletin", "submit"): _bulletin_waits,
    ("bulletin", "send_back"): _bulletin_sent_back,
    ("bulletin", "issue"): _to_recipients("bulletin_issued"),
    ("bulletin", "correct"): _to_recipients("bulletin_corrected"),
    ("bulletin", "revoke"): _to_recipients("bulletin_corrected"),
}
