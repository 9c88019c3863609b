"""流转单: from a call and everything that followed to one sheet (spec 3, 2.1)."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.papers import labels
from app.papers.call_history import Happening, history, line
from app.papers.durations import Ruler
from app.papers.printable import paper
from app.papers.time_used import time_used
from models import viewer
from models.calendar import work_calendar
from models.call import Assignment, Call
from models.call_report import Evaluation, Report
from models.call_words import AssignmentRole, AssignmentState
from models.document import Document
from models.organisation import Organisation
from models.paper import Paper
from models.person import Person
from models.viewer import Viewer
from reports.call_slip import CallSlip, SlipEvaluation, SlipEvent, SlipRecord, SlipReport, SlipResponse
from reports.wording import date_text, full_instant_text, instant_text

TITLE = "“乡呼县应”事项流转单"


def compose(session: Session, call: Call, document: Document, reader: Viewer | None) -> Paper:
    """The sheet as of its issue, as far as its reader may know.

    Without a reader (at dispatch, for all parties) it shows no evaluation, to a department its own only.
    """
    with viewer.system():
        return paper(_slip(session, call, document, reader), TITLE)


def _slip(session: Session, call: Call, document: Document, reader: Viewer | None) -> CallSlip:
    calendar = work_calendar(session, call.county_id)
    zone, as_of = calendar.zone, document.issued_at
    happenings = history(session, call, reader)
    until = call.read_until(reader) if reader is not None else None
    shown = [one for one in call.assignments if until is None or one.assigned_at < until]
    standing = [one for one in shown if _standing(one, until)]
    lead = next((one for one in standing if one.role == AssignmentRole.lead), None)
    first = standing[0] if standing else None
    office = _office(call, document)
    return CallSlip(
        county=session.get_one(Organisation, call.county_id).name,
        call_no=call.number or "",
        kind=labels.KINDS[call.kind],
        platform_office=document.issuer.name,
        as_of=full_instant_text(as_of, zone),
        date=date_text(as_of, zone),
        township=call.township.short_name,
        officer=call.contact_name or _name(call.submitted_by),
        phone=call.contact_phone if _takes_part(call, reader) else "",
        agreed_by=call.agreed_by,
        called_at=_full(call.submitted_at, zone),
        source=labels.SOURCES[call.source],
        title=call.title,
        field=call.field,
        place=call.place,
        description=call.description,
        external_number=call.external_number,
        item=_item(call),
        accepted_at=_full(call.accepted_at, zone),
        accepted_by=_name(call.accepted_by),
        lead=lead.department.short_name if lead is not None else "",
        cooperating=tuple(one.department.short_name for one in standing if one.role == AssignmentRole.cooperating),
        respond_due=instant_text(first.respond_due, zone) if first else "",
        report_due=instant_text(first.report_due, zone) if first else "",
        remark=call.remark,
        responses=_responses([one for one in shown if _by(one.responded_at, until)], zone),
        reports=tuple(_report(one, zone) for one in _reports(call) if _by(one.reported_at, until)),
        evaluations=tuple(_evaluation(one, zone) for one in _evaluations(session, call, reader)),
        time_used=time_used(session, call, office, Ruler(calendar, call.emergency), as_of) if until is None else (),
        records=tuple(_slip_sent(one, zone) for one in happenings if one.name in SLIPS_SENT),
        timeline=tuple(SlipEvent(instant_text(one.at, zone), one.who, line(one)) for one in happenings if line(one)),
    )


def _by(at: datetime | None, until: datetime | None) -> bool:
    """Whether something that happened belongs to what this reader reads: a department that gave the call back reads up to then."""
    return at is not None and (until is None or at <= until)


def _standing(assignment: Assignment, until: datetime | None) -> bool:
    """Whether a department had the call in hand, at present or when the reader gave it back."""
    if until is None:
        return assignment.state != AssignmentState.returned
    return assignment.given_back_at is None or assignment.given_back_at > until


def _takes_part(call: Call, reader: Viewer | None) -> bool:
    """Telephones are for the parties of a call and the county's offices (2.1, end)."""
    return reader is None or reader.county_id == call.county_id


def _office(call: Call, document: Document) -> str:
    """The office that accepted and dispatched."""
    handled = call.dispatched_by if call.accepted_by is None else call.accepted_by
    if handled is not None and handled.organisation is not None and handled.organisation_id != call.township_id:
        return handled.organisation.short_name
    return document.issuer.short_name


def _item(call: Call) -> str:
    item = call.checklist_item
    if item is None:
        return ""
    since = item.checklist.effective_from
    return f"{item.name}（{f'{since.year}年版' if since else ''}第{item.number}项）"


def _responses(assignments: list[Assignment], zone: tzinfo) -> tuple[SlipResponse, ...]:
    answered = [(one.responded_at, one) for one in assignments if one.responded_at is not None]
    answered.sort(key=lambda pair: (pair[0], pair[1].position))
    return tuple(
        SlipResponse(
            dept=one.department.short_name,
            at=instant_text(at, zone),
            how=labels.MANNERS[one.response_manner] if one.response_manner is not None else "",
            whom=one.response_whom,
            plan=one.response_plan,
        )
        for at, one in answered
    )


def _reports(call: Call) -> list[Report]:
    return sorted(
        (report for one in call.assignments for report in one.reports),
        key=lambda report: (report.reported_at, report.id),
    )


def _report(report: Report, zone: tzinfo) -> SlipReport:
    return SlipReport(
        dept=report.assignment.department.short_name,
        result=report.result,
        solved=labels.SOLVED[report.solved],
        reported_by=_name(report.reported_by),
        reviewed_by="",
        at=instant_text(report.reported_at, zone),
        reason=report.reason,
        round=report.round,
    )


def _evaluations(session: Session, call: Call, reader: Viewer | None) -> list[Evaluation]:
    """The evaluations that the reader may see (no retaliation): asked of the same scope as every list of them."""
    if reader is None:
        return []
    visible = Evaluation.visible_ids(reader)
    wanted = sa.select(Evaluation).where(Evaluation.assignment_id.in_([one.id for one in call.assignments]))
    if visible is not None:
        wanted = wanted.where(Evaluation.id.in_(visible))
    return list(session.scalars(wanted.order_by(Evaluation.round, Evaluation.assignment_id)))


def _evaluation(evaluation: Evaluation, zone: tzinfo) -> SlipEvaluation:
    return SlipEvaluation(
        dept=evaluation.assignment.department.short_name,
        satisfaction=labels.SATISFACTION[evaluation.satisfaction],
        solved=labels.SOLVED[evaluation.solved],
        comment=evaluation.comment,
        evaluated_by=_name(evaluation.evaluated_by),
        signed_by=evaluation.signed_by,
        at=instant_text(evaluation.evaluated_at, zone),
        round=evaluation.round,
    )


SLIPS_SENT: dict[str, Literal["催办", "督办"]] = {"reminder": "催办", "supervision": "督办"}


def _slip_sent(one: Happening, zone: tzinfo) -> SlipRecord:
    department = one.assignment.department.short_name if one.assignment else ""
    return SlipRecord(SLIPS_SENT[one.name], instant_text(one.at, zone), department, line(one))


def _name(person: Person | None) -> str:
    return person.name if person is not None else ""


def _full(instant: datetime | None, zone: tzinfo) -> str:
    return full_instant_text(instant, zone) if instant is not None else ""
