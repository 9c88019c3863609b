"""核实函、督查结论、函告、复核决定书: from a conclusion and its review to the letters (2.3)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.papers.matter import FINDINGS, Matter, bare, review_body
from app.papers.printable import paper
from models import viewer
from models.calendar import work_calendar
from models.conclusion import Conclusion, Finding
from models.conclusion_workflow import review_until
from models.document import Document
from models.organisation import Organisation, OrganisationKind
from models.paper import Paper
from models.person import Person
from models.review import ReviewOutcome, ReviewRequest
from models.setting import setting
from models.viewer import Viewer
from reports.conclusion import ConclusionPaper, ReviewDecision, SuperiorLetter, Verification
from reports.wording import date_text, full_instant_text, instant_text


def contact_of(session: Session, person_id: int | None, office: Organisation) -> tuple[str, str]:
    """Name and office telephone of whoever is asked about a letter."""
    person = session.get(Person, person_id) if person_id is not None else None
    phone = office.phone or str(setting(session, office.county_id or office.id, "office_phone"))
    return (person.name if person is not None else ""), phone


def _letter(session: Session, matter: Matter, document: Document, person_id: int | None) -> dict[str, str]:
    """What every letter about a conclusion holds: its number and day, the matter as the department reads it, whom to ask."""
    conclusion = matter.conclusion
    contact, phone = contact_of(session, person_id, conclusion.office)
    return {
        "number": document.number,
        "dept": matter.dept,
        "call_title": conclusion.matter,
        "call_no": matter.call_no,
        "facts": bare(conclusion.facts),
        "supervision_office": conclusion.office.name,
        "date": date_text(document.issued_at, work_calendar(session, conclusion.county_id).zone),
        "contact": contact,
        "phone": phone,
    }


def verification(session: Session, conclusion: Conclusion, document: Document, reader: Viewer | None) -> Paper:
    """The letter that asks the department to explain itself."""
    with viewer.system():
        zone = work_calendar(session, conclusion.county_id).zone
        matter = Matter(conclusion, session, document.issued_at)
        assert conclusion.explain_due is not None
        context = Verification(
            **_letter(session, matter, document, conclusion.asked_by_id),
            finding=FINDINGS[conclusion.proposed] if conclusion.proposed not in (None, Finding.none) else "",
            explain_due=instant_text(conclusion.explain_due, zone),
        )
        return paper(context, f"关于核实“乡呼县应”有关事项的函（{matter.dept}）")


def conclusion_paper(session: Session, conclusion: Conclusion, document: Document, reader: Viewer | None) -> Paper:
    """The conclusion as it is served."""
    with viewer.system():
        zone = work_calendar(session, conclusion.county_id).zone
        matter = Matter(conclusion, session, document.issued_at)
        until = review_until(conclusion)
        assert until is not None
        assert conclusion.finding is not None
        context = ConclusionPaper(
            **_letter(session, matter, document, conclusion.served_by_id),
            explanation=bare(conclusion.explanation),
            fault=conclusion.finding != Finding.none,
            finding=FINDINGS[conclusion.finding],
            grounds=conclusion.finding_text.strip(),
            requirements=conclusion.requirements.strip(),
            review_body=review_body(session, conclusion.county_id),
            review_until=date_text(until, zone),
            served_at=full_instant_text(document.issued_at, zone),
        )
        return paper(context, f"关于{matter.dept}办理“{conclusion.matter}”事项的督查结论")


def superior_letter(session: Session, conclusion: Conclusion, document: Document, reader: Viewer | None) -> Paper:
    """What was found of a unit that the county does not run, to its superior."""
    with viewer.system():
        matter = Matter(conclusion, session, document.issued_at)
        assert conclusion.department is not None
        above = conclusion.department.parent
        context = SuperiorLetter(
            **_letter(session, matter, document, conclusion.served_by_id),
            superior=above.name if above is not None and above.kind != OrganisationKind.county else "",
            explanation=bare(conclusion.explanation),
            finding=matter.finding,
            conclusion_number=conclusion.number or "",
            requirements=conclusion.requirements.strip(),
        )
        return paper(context, f"关于{matter.dept}办理“乡呼县应”事项有关情况的函")


def review_decision(session: Session, request: ReviewRequest, document: Document, reader: Viewer | None) -> Paper:
    """The answer to a department that disputed a conclusion."""
    with viewer.system():
        zone = work_calendar(session, request.county_id).zone
        conclusion = request.conclusion
        matter = Matter(conclusion, session, document.issued_at)
        upheld = request.outcome == ReviewOutcome.upheld
        assert conclusion.finding is not None
        context = ReviewDecision(
            number=document.number,
            dept=matter.dept,
            apply_date=date_text(request.filed_at, zone),
            conclusion_number=conclusion.number or "",
            call_title=conclusion.matter,
            review_office=conclusion.office.name,
            facts=request.opinion.strip() or request.reasons.strip(),
            outcome="撤销" if upheld else "维持",
            finding=FINDINGS[conclusion.finding],
            reasons=request.reasons.strip(),
            changed=upheld,
            review_body=review_body(session, request.county_id),
            date=date_text(document.issued_at, zone),
        )
        return paper(context, f"关于{matter.dept}复核申请的决定")
