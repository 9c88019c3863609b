"""通报: what is drafted from cases and figures for people to edit, and the papers made of what they approved (2.3).

Numbers in tables and on the page of figures come from the snapshot alone; nobody types them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

import reports
from app.papers.matter import FINDINGS, Matter, bare
from app.papers.periods import period_name
from app.papers.printable import paper
from models import clock, viewer
from models.assessment_formulas import rounded
from models.bulletin import Bulletin, BulletinCase, BulletinKind, Circulation
from models.bulletin_figures import compared, rate
from models.bulletin_workflow import period_of
from models.calendar import work_calendar
from models.conclusion import Finding
from models.document import Document
from models.document_text import texts_of
from models.organisation import Organisation, OrganisationKind
from models.paper import Paper
from models.rectification import may_be_ordered
from models.review import ReviewOutcome, ReviewRequest
from models.setting import setting
from models.supervision import NoticeKind
from models.viewer import Viewer
from reports.approval_sheet import ApprovalSheet
from reports.redhead import Circular
from reports.structure import numeral
from reports.wording import date_text, full_instant_text, groups, instant_text, listing

NATURE = {
    Finding.no_response: "履职不主动、首接负责不落实",
    Finding.late_response: "响应不及时、内部衔接不畅",
    Finding.no_action: "办理不到位、工作落实不力",
}
DEPARTMENTS = "县直各部门（单位）"
SUMMARY = 5
"""Lines of the summary on an approval sheet."""


def matters(session: Session, bulletin: Bulletin, as_of: datetime) -> list[tuple[BulletinCase, Matter]]:
    """The cases that still stand, in the order of the departments, each with what papers say of it."""
    return [(one, Matter(one.conclusion, session, as_of)) for one in bulletin.ordered_cases if one.conclusion.faulty]


def names_of(organisations: Iterable[Organisation], *, short: bool = False) -> str:
    """Organisations, each once, in their order."""
    ordered = sorted(dict.fromkeys(organisations), key=lambda one: (one.order, one.id))
    return listing(one.short_name if short else one.name for one in ordered)


def rectify_date(bulletin: Bulletin) -> str:
    return date_text(bulletin.rectify_until) if bulletin.rectify_until is not None else ""


# Criticism


def draft_criticism(session: Session, bulletin: Bulletin) -> Mapping[str, str]:
    """Title and text from the cases, in the county's own wording if it has one."""
    with viewer.system():
        zone = work_calendar(session, bulletin.county_id).zone
        cases = matters(session, bulletin, _moment(bulletin))
        named = bool(setting(session, bulletin.county_id, "name_township_in_criticism"))
        entries = [
            _case(place, one, case, _moment(bulletin), zone, name_township=named)
            for place, (case, one) in enumerate(cases, start=1)
        ]
        office = bulletin.office.name
        ordered = [case.department for case, _one in cases if may_be_ordered(case.department)]
        values = {
            "dept_names": names_of(case.department for case, _one in cases),
            "supervision_office": office,
            "approver_title": str(setting(session, bulletin.county_id, "bulletin_approver")),
            "cases": entries,
            "nature": listing(
                dict.fromkeys(
                    NATURE[case.conclusion.finding] for case, _one in cases if case.conclusion.finding in NATURE
                )
            ),
            "basis": str(setting(session, bulletin.county_id, "bulletin_basis")),
            "rectify_due": rectify_date(bulletin) if ordered else "",
            "report_to": office,
        }
        kind = reports.KINDS["criticism"]
        return _fitted(kind.draft(values, texts_of(session, bulletin.county_id, "criticism")))


def _moment(bulletin: Bulletin) -> datetime:
    """The instant as of which a draft speaks."""
    return bulletin.frozen_at or clock.now()


def _case(
    place: int, one: Matter, case: BulletinCase, as_of: datetime, zone: Any, *, name_township: bool
) -> dict[str, Any]:
    call = case.conclusion.call
    called = f"{call.township.short_name}呼叫后，" if name_township and call is not None else ""
    return {
        "n": numeral(place),
        "dept": one.dept,
        "call_title": case.conclusion.matter,
        "call_no": one.call_no,
        "role": one.role,
        "sent_at": one.sent_at,
        "respond_due": one.respond_due,
        "report_due": one.report_due,
        "facts": f"{called}{one.facts}",
        "reminded_at": one.notice_at(NoticeKind.reminder),
        "slip_at": one.notice_at(NoticeKind.supervision),
        "as_of": instant_text(as_of, zone),
        "current_state": f"该事项{one.state}",
        "explanation": bare(case.conclusion.explanation),
        "finding": one.finding,
        "conclusion_number": case.conclusion.number or "",
    }


def _fitted(drafted: Mapping[str, str]) -> dict[str, str]:
    """A title of very many departments is cut as the field demands, to be shortened by hand."""
    return {name: text[:120] if name == "title" else text for name, text in drafted.items()}


def criticism(session: Session, bulletin: Bulletin, document: Document, reader: Viewer | None) -> Paper:
    """The circular of criticism as it stands."""
    with viewer.system():
        return paper(Circular(**circular(session, bulletin, document)), bulletin.title)


def circular(session: Session, bulletin: Bulletin, document: Document) -> dict[str, Any]:
    """What every red-headed circular holds. The date is that of its signature (document texts: 以签发日为准)."""
    zone = work_calendar(session, bulletin.county_id).zone
    office, signed = bulletin.office.name, bulletin.approved_at or document.issued_at
    copies = str(setting(session, bulletin.county_id, "bulletin_copies")).strip().rstrip("。")
    return {
        "issuer_head": office,
        "issuer": office,
        "number": document.number,
        "title": bulletin.title,
        "to": addressees(session, bulletin),
        "text": bulletin.text,
        "date": date_text(signed, zone),
        "cc": f"{copies}。" if copies else "",
        "printer": office,
        "printed_on": date_text(document.issued_at, zone),
    }


def addressees(session: Session, bulletin: Bulletin) -> str:
    """The main addressees in words; those chosen one by one by name, townships before departments."""
    if bulletin.circulation == Circulation.everyone:
        return str(setting(session, bulletin.county_id, "bulletin_addressees"))
    if bulletin.circulation == Circulation.departments:
        return DEPARTMENTS
    chosen = [one.organisation for one in bulletin.ordered_recipients]
    kinds = (
        (OrganisationKind.township,),
        (OrganisationKind.department, OrganisationKind.office, OrganisationKind.agency),
    )
    return groups([one.name for one in chosen if one.kind in kind] for kind in kinds) or DEPARTMENTS


# Correction


def correction(session: Session, bulletin: Bulletin, document: Document, reader: Viewer | None) -> Paper:
    """The circular that corrects an issued bulletin, or revokes it: what reviews took back since the last one, and what is written."""
    with viewer.system():
        zone = work_calendar(session, bulletin.county_id).zone
        revoked = str(bulletin.state) == "revoked"
        values = {
            "change": "撤销" if revoked else "更正",
            "original_issuer": bulletin.office.name,
            "original_date": date_text(bulletin.issued_at, zone) if bulletin.issued_at is not None else "",
            "original_title": bulletin.title,
            "original_number": bulletin.number or "",
            "cases": [_taken_back(session, case) for case in bulletin.ordered_cases if _new(session, bulletin, case)],
            "text": bulletin.correction.strip(),
        }
        kind = reports.KINDS["correction"]
        drafted = kind.draft(values, texts_of(session, bulletin.county_id, "correction"))
        content = circular(session, bulletin, document) | {
            "title": drafted["title"],
            "text": drafted["text"],
            "date": date_text(document.issued_at, zone),
        }
        return paper(Circular(**content), drafted["title"])


def _new(session: Session, bulletin: Bulletin, case: BulletinCase) -> bool:
    """Whether a review took the case back after the last correction."""
    if case.conclusion.revoked_at is None:
        return False
    last = session.scalar(
        sa.select(sa.func.max(Document.issued_at)).where(
            Document.about_type == Bulletin.resource(), Document.about_id == bulletin.id, Document.kind == "correction"
        )
    )
    return last is None or case.conclusion.revoked_at > last


def _taken_back(session: Session, case: BulletinCase) -> dict[str, str]:
    conclusion = case.conclusion
    request = session.scalars(
        sa.select(ReviewRequest).where(
            ReviewRequest.conclusion_id == conclusion.id, ReviewRequest.outcome == ReviewOutcome.upheld
        )
    ).one()
    assert conclusion.finding is not None
    return {
        "dept": case.department.name,
        "call_title": conclusion.matter,
        "review_result": f"原认定“{FINDINGS[conclusion.finding]}”予以撤销",
        "decision_number": request.number or "",
    }


# Approval


def approval_sheet(session: Session, bulletin: Bulletin, document: Document, reader: Viewer | None) -> Paper:
    """The sheet on which a leader signs."""
    with viewer.system():
        calendar = work_calendar(session, bulletin.county_id)
        cases = matters(session, bulletin, document.issued_at)
        numbers = listing(case.conclusion.number or "" for case, _one in cases)
        annexes = ["文稿", *([f"督查结论（{numbers}）", "部门说明"] if cases else [])]
        drafter = bulletin.submitted_by
        context = ApprovalSheet(
            county=session.get_one(Organisation, bulletin.county_id).name,
            number=document.number,
            title=bulletin.title,
            kind=reports.KINDS[str(bulletin.kind)].title,
            drafter=drafter.name if drafter is not None else "",
            drafted_at=full_instant_text(document.issued_at, calendar.zone),
            office=bulletin.office.name,
            approver=str(setting(session, bulletin.county_id, "bulletin_approver"))
            if bulletin.for_county_head
            else "办公室主任或者分管负责同志",
            summary=_summary(session, bulletin, cases),
            annexes=tuple(annexes),
            return_code=bulletin.return_code,
            date=date_text(document.issued_at, calendar.zone),
        )
        return paper(context, f"呈批单：{bulletin.title}")


def _summary(session: Session, bulletin: Bulletin, cases: Sequence[tuple[BulletinCase, Matter]]) -> str:
    """What it is about, in a few lines."""
    lines = []
    if bulletin.kind == BulletinKind.statistics and bulletin.snapshot is not None:
        lines.append(_in_figures(session, bulletin))
    if cases:
        told = "；".join(f"{one.dept}办理“{case.conclusion.matter}”事项{one.finding}" for case, one in cases[:SUMMARY])
        more = f"等{len(cases)}件" if len(cases) > SUMMARY else ""
        rest = f"，责令于{rectify_date(bulletin)}前整改到位" if bulletin.rectify_until is not None else ""
        lines.append(f"经督查并听取说明，认定{told}{more}。拟予以通报{rest}。")
    return "\n".join(lines) or bare(bulletin.text)[:150]


def _in_figures(session: Session, bulletin: Bulletin) -> str:
    assert bulletin.snapshot is not None
    told = [f"{period_name(period_of(bulletin))}受理呼叫{len(bulletin.snapshot['calls']['calls'])}件"]
    for name, word in (("respond", "按时响应率"), ("report", "按期反馈率"), ("satisfied", "满意率")):
        good, whole = rate(bulletin.snapshot, name)
        told.append(f"{word}{share_text(session, bulletin.county_id, good, whole)}")
    return "，".join(told) + "。"


def share_text(session: Session, county_id: int, good: int, whole: int, *, counts: bool = True) -> str:
    """`96.3%（52/54）`; a dash where there are too few cases to compare (document texts, rule 3)."""
    share = compared(session, county_id, good, whole)
    shown = f"{rounded(share * 100, 1)}%" if share is not None else "—"
    return f"{shown}（{good}/{whole}）" if counts else shown
