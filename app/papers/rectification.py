"""责令整改通知书: from an order to the letter (2.3)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.papers.conclusion import contact_of
from app.papers.matter import FINDINGS, Matter, bare, review_body
from app.papers.printable import paper
from models import viewer
from models.calendar import work_calendar
from models.call_roles import portfolio_leader
from models.checklist import ChecklistItem
from models.conclusion import Conclusion
from models.document import Document
from models.paper import Paper, platform_office
from models.rectification import Rectification
from models.setting import setting
from models.viewer import Viewer
from reports.rectification import RectificationOrder
from reports.wording import date_text


def compose(session: Session, order: Rectification, document: Document, reader: Viewer | None) -> Paper:
    """The order as it is made now, for the first time or again."""
    with viewer.system():
        zone = work_calendar(session, order.county_id).zone
        conclusion, office = order.conclusion, order.office
        matter = Matter(conclusion, session, document.issued_at)
        contact, phone = contact_of(session, conclusion.served_by_id, office)
        leader = portfolio_leader(session, order.department_id)
        assert conclusion.finding is not None
        context = RectificationOrder(
            slip_number=document.number,
            dept=order.department.name,
            call_title=conclusion.matter,
            call_no=matter.call_no,
            facts=bare(conclusion.facts),
            explanation=bare(conclusion.explanation),
            finding=FINDINGS[conclusion.finding],
            basis=str(setting(session, order.county_id, "bulletin_basis")),
            conclusion_number=conclusion.number or "",
            item=_item(conclusion),
            rectify_due=date_text(order.due, zone),
            requirements=bare(order.requirements),
            report_to=office.name,
            town=conclusion.call.township.short_name if conclusion.call is not None else "",
            review_body=review_body(session, order.county_id),
            suspended=False,
            supervision_office=office.name,
            issuer=office.name,
            date=date_text(document.issued_at, zone),
            platform_office=platform_office(session, order.county_id).name,
            portfolio_leader=(leader.position or "县领导") if leader is not None else "",
            contact=contact,
            phone=phone,
            again=order.remark.strip() if order.round > 1 else "",
        )
        return paper(context, f"责令整改通知书（{order.department.name}）")


def _item(conclusion: Conclusion) -> str:
    """How the list names the matter and the department's duty; empty where the call cites no item of the list."""
    item: ChecklistItem | None = conclusion.call.checklist_item if conclusion.call is not None else None
    if item is None:
        return ""
    duty = next((one.text for one in item.duties if one.organisation_id == conclusion.department_id), "")
    told = f"《{item.checklist.title}》第{item.number}项“{item.name}”"
    return f"{told}载明的主体责任：{bare(duty)}" if duty else told
