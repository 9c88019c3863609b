"""Bulletins as people see them: the cases by the departments' order, and who receives them (2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from app.database import db
from app.portal.listing import TabSpec
from app.portal.page import Cell, Column, Fact, RecordPage, Row, Section
from app.portal.record_view import Failed, RecordView
from app.portal.timeline import entries, happened
from models import viewer
from models.bulletin import Bulletin, BulletinState
from models.viewer import Viewer

DRAFTERS = frozenset({"supervisor"})
APPROVERS = frozenset({"county_leader", "office_director"})
RECIPIENTS = frozenset(
    {
        "dispatcher",
        "duty_officer",
        "checklist_manager",
        "legal_reviewer",
        "assessor",
        "personnel_officer",
        "city_reader",
        "township_officer",
        "department_officer",
        "agency_head",
    }
)


def to_approve(person: Viewer) -> sa.ColumnElement[bool]:
    """The bulletins that this person may approve: nobody approves what he submitted."""
    return sa.and_(Bulletin.state == BulletinState.submitted, Bulletin.submitted_by_id != person.person_id)


class BulletinView(RecordView):
    model = Bulletin
    readers = DRAFTERS | APPROVERS | RECIPIENTS
    writers = DRAFTERS
    rest_methods = frozenset({"list", "show", "add", "edit", "delete"})
    group = "supervision"
    columns = ("number", "title", "kind", "state", "issued_at")

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        every = TabSpec("all", _("All bulletins"))
        if not person.has_role(*APPROVERS):
            return (every,)
        return (every, TabSpec("to_approve", _("To approve"), to_approve(person)))

    def cell_number(self, record: Bulletin) -> Cell:
        return Cell(record.number or _("No number yet"))

    def facts(self, record: Any) -> tuple[Fact, ...]:
        """Whether it is issued separately says nothing once it is decided and done."""
        label = str(_("Issue separately"))
        return tuple(fact for fact in super().facts(record) if fact.label != label or record.issue_separately)

    def timeline(self, record: Bulletin) -> Any:
        """How it came about is between those who draft and approve it; the recipients read from its issue on."""
        person = self.person()
        found = happened(db.session(), record, person, sees_all=False)
        if not person.has_role(*DRAFTERS, *APPROVERS):
            issued = next((one.event.sequence for one in found if one.event.name == "issue"), 0)
            found = [one for one in found if one.event.sequence >= issued]
        return entries(found, self.timeline_titles(record), self.document_urls(found))

    def timeline_titles(self, record: Any) -> Mapping[tuple[str, int], str]:
        with viewer.system():
            cases = {("bulletin_case", one.id): str(one.conclusion.number) for one in record.cases}
            return cases | {("bulletin_recipient", one.id): one.organisation.short_name for one in record.recipients}

    def record_page(self, record: Bulletin, failed: Failed | None) -> RecordPage:
        page = super().record_page(record, failed)
        person = self.person()
        with viewer.system():  # whoever may read the bulletin may read what it says of each case
            cases = tuple(self._case(case, person) for case in record.ordered_cases)
            recipients = "、".join(one.organisation.short_name for one in record.ordered_recipients)
        sections = [
            Section(
                _("Cases"),
                columns=(
                    Column("department", _("Department")),
                    Column("matter", _("Matter")),
                    Column("finding", _("Finding")),
                    Column("number", _("Conclusion")),
                ),
                rows=cases,
                empty=_("No cases."),
            )
        ]
        facts = page.facts
        if recipients:
            facts = (*facts, Fact(_("Recipients"), Cell(recipients), long=True))
        return replace(page, number=record.number or "", facts=facts, main_sections=tuple(sections))

    def _case(self, case: Any, person: Viewer) -> Row:
        conclusion = case.conclusion
        finding = str(conclusion.finding.label)
        if conclusion.revoked_at is not None:
            finding = _("%(finding)s (taken back)", finding=finding)
        number = str(conclusion.number)
        sees = person.has_role("supervisor", "county_leader") or conclusion.department_id == person.organisation_id
        url = str(self.appbuilder.url_of("conclusion", conclusion.id)) if sees else ""
        cells = (
            Cell(case.department.short_name),
            Cell(conclusion.matter),
            Cell(finding),
            Cell(number, url=url),
        )
        return Row(
            str(conclusion.id), url, cells, f"{case.department.short_name}：{conclusion.matter}", subtitle=finding
        )

    def after_step(self, pk: int) -> str:
        """A bulletin sent back is its drafters' again, and out of its approver's sight."""
        visible = db.session.scalar(sa.select(Bulletin.id).where(Bulletin.id == pk))
        return self.url("show", pk=pk) if visible is not None else self.url("list")
