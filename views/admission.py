"""Off-list admissions, the townships' opinions on them, and reports of duties handed down without one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session, joinedload

from app.database import db
from app.portal.deadline import Measure, running
from app.portal.frame import Entry
from app.portal.listing import TabSpec
from app.portal.page import Badge, Cell, Column, Fact, RecordPage, Row, Section
from app.portal.record.listed import drawn
from app.portal.record_view import Failed, RecordView
from app.portal.rest.shape import ComputedColumn
from app.portal.words import pill
from models import clock, viewer
from models.admission import Admission, AdmissionOpinion, AdmissionState, OpinionState
from models.admission_opinion_workflow import Said, anonymous_opinions
from models.calendar import work_calendar
from models.hand_down_report import HandDownReport, HandDownState
from models.organisation import Organisation
from models.viewer import Viewer

STAFFING = frozenset({"checklist_manager"})
DECIDERS = frozenset({"checklist_manager", "legal_reviewer", "county_leader"})
ALL_METHODS = frozenset({"list", "show", "add", "edit", "delete"})


def townships_of(session: Session, admissions: Sequence[Any]) -> dict[int, list[Organisation]]:
    """The townships that each application names, in the county's order."""
    keys = {key for one in admissions for key in one.townships}
    query = sa.select(Organisation).where(Organisation.id.in_(keys)).order_by(Organisation.order, Organisation.id)
    known = session.scalars(query).all() if keys else []
    return {one.id: [township for township in known if township.id in one.townships] for one in admissions}


def _read_townships(session: Session, admissions: Sequence[Any]) -> Mapping[int, Any]:
    found = townships_of(session, admissions)
    return {key: [{"id": one.id, "name": one.title} for one in townships] for key, townships in found.items()}


def reads_opinions(person: Viewer, admission: Admission) -> bool:
    """Who reads what was said without learning who said it: the applicant and those who decide. A township reads its own."""
    return person.has_role(*DECIDERS) or admission.applicant_id == person.organisation_id


def _read_opinions(session: Session, admissions: Sequence[Any]) -> Mapping[int, Any]:
    person = viewer.current_person()
    return {
        one.id: [
            {"answer": said.answer.value if said.answer is not None else None, "text": said.text, "void": said.void}
            for said in anonymous_opinions(session, one.id)
        ]
        if person is not None and reads_opinions(person, one)
        else []
        for one in admissions
    }


_NAMED = {"type": "object", "properties": {"id": {"type": "integer", "format": "int64"}, "name": {"type": "string"}}}
_SAID = {
    "type": "object",
    "properties": {
        "answer": {"type": "string", "nullable": True},
        "text": {"type": "string"},
        "void": {"type": "boolean"},
    },
}


class AdmissionView(RecordView):
    model = Admission
    readers = DECIDERS | {"department_officer", "township_officer"}
    writers = frozenset({"department_officer"})
    rest_methods = ALL_METHODS
    group = "checklists"
    columns = ("number", "matter", "applicant", "kind", "state", "in_force_until")
    form_step = "submit"
    step_label = _l("Submit application")
    extra_columns = {
        "townships": ComputedColumn(_l("Townships concerned"), _read_townships, {"type": "array", "items": _NAMED}),
        "opinions": ComputedColumn(
            _l("Opinions of the townships"),
            _read_opinions,
            {"type": "array", "items": _SAID, "description": "Reasons, never names; once the consultation is over"},
        ),
    }

    def navigation(self) -> tuple[Entry, ...]:
        return (Entry(_l("Off-list admissions"), "AdmissionView.list", "Admission"),)

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        found = [
            TabSpec("all", _("All applications")),
            TabSpec("in_force", _("In force"), Admission.state == "in_force"),
        ]
        states = [
            state
            for role, state in (
                ("department_officer", AdmissionState.draft),
                ("checklist_manager", AdmissionState.submitted),
                ("checklist_manager", AdmissionState.consulting),
                ("legal_reviewer", AdmissionState.legal_review),
                ("county_leader", AdmissionState.approval),
            )
            if person.has_role(role)
        ]
        if states:
            found.insert(0, TabSpec("todo", _("To do"), Admission.state.in_(states)))
        return tuple(found)

    def new_title(self) -> str:
        return _("Apply for an admission")

    def cell_number(self, admission: Admission) -> Cell:
        return Cell(admission.number or _("Draft"))

    def cell_matter(self, admission: Admission) -> Cell:
        return Cell(admission.title)

    def sees_all_values(self, record: Any, person: Viewer) -> bool:
        """Why it went on without a reply is for those who decide: it may name townships."""
        return person.has_role(*DECIDERS)

    def withheld(self, record: Any, person: Viewer) -> frozenset[str]:
        """Keys mean nothing to readers; the townships stand in the facts."""
        return frozenset({"townships"})

    def facts(self, record: Any) -> tuple[Fact, ...]:
        found = [fact for fact in super().facts(record) if fact.label != str(_("Townships concerned"))]
        names = "、".join(one.short_name for one in townships_of(db.session(), [record])[record.id])
        if names and not self.person().has_role("township_officer"):
            found.append(Fact(_("Townships concerned"), Cell(names)))
        return tuple(found)

    def body(self, record: Any) -> tuple[Fact, ...]:
        found = super().body(record)
        if record.silence_reason and self.person().has_role(*DECIDERS):
            reason = Cell(record.silence_reason)
            return (*found, Fact(_("Why it went on without every reply"), reason, long=True))
        return found

    def record_page(self, record: Admission, failed: Failed | None) -> RecordPage:
        page = super().record_page(record, failed)
        return replace(
            page,
            title=record.title,
            number=record.number or "",
            main_sections=(*self._opinions(record), *page.main_sections),
        )

    def _opinions(self, record: Admission) -> tuple[Section, ...]:
        """The staffing office reads who said what, a township its own; the others what was said, not by whom (1, no retaliation)."""
        person = self.person()
        if person.has_role("checklist_manager", "township_officer"):
            return self._named_opinions(record)
        said = anonymous_opinions(db.session(), record.id) if reads_opinions(person, record) else []
        if not said:
            return ()
        rows = tuple(
            Row(str(place), "", (Cell(_answer(one)), Cell(one.text)), _answer(one)) for place, one in enumerate(said)
        )
        columns = (Column("answer", _("Answer")), Column("text", _("Conditions and reasons")))
        return (Section(_("Opinions of the townships"), columns=columns, rows=rows),)

    def _named_opinions(self, record: Admission) -> tuple[Section, ...]:
        found = db.session.scalars(
            sa.select(AdmissionOpinion)
            .join(Organisation, Organisation.id == AdmissionOpinion.township_id)
            .where(AdmissionOpinion.admission_id == record.id)
            .options(joinedload(AdmissionOpinion.township))
            .order_by(Organisation.order, AdmissionOpinion.id)
        ).all()
        view = self.appbuilder.view_of("admission_opinion")
        rows = tuple(
            Row(
                str(one.id),
                view.url("show", pk=one.id),
                (
                    Cell(one.township.short_name, url=view.url("show", pk=one.id)),
                    Cell(pill=pill(one.state)),
                    Cell(str(one.answer.label) if one.answer is not None else ""),
                    Cell(one.text),
                ),
                one.title,
            )
            for one in found
        )
        columns = (
            Column("township", _("Township")),
            Column("state", _("State")),
            Column("answer", _("Answer")),
            Column("text", _("Conditions and reasons")),
        )
        return (Section(_("Opinions of the townships"), columns=columns, rows=rows),) if rows else ()


def _answer(said: Said) -> str:
    word = str(said.answer.label) if said.answer is not None else _("No reply")
    return _("%(answer)s (on the earlier content)", answer=word) if said.void else word


class AdmissionOpinionView(RecordView):
    model = AdmissionOpinion
    readers = STAFFING | {"township_officer"}
    group = "checklists"
    columns = ("admission", "township", "state", "deadline", "answer")

    def navigation(self) -> tuple[Entry, ...]:
        return (Entry(_l("Opinions asked of us"), "AdmissionOpinionView.list", "AdmissionOpinion", "todo", TOWNSHIP),)

    def load_options(self) -> Sequence[Any]:
        return [joinedload(AdmissionOpinion.admission), joinedload(AdmissionOpinion.township)]

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        return (
            TabSpec("todo", _("Waiting for reply"), AdmissionOpinion.state == OpinionState.outstanding),
            TabSpec("all", _("All opinions")),
        )

    @drawn(_l("Reply due"))
    def cell_deadline(self, opinion: AdmissionOpinion) -> Cell:
        return Cell(badge=_badge(opinion))

    def record_page(self, record: AdmissionOpinion, failed: Failed | None) -> RecordPage:
        """What is applied for stands beside the question, so that the township need not look for it."""
        page = super().record_page(record, failed)
        admission = self.appbuilder.view_of("admission")
        return replace(page, badge=_badge(record), body=(*page.body, *admission.body(record.admission)))


def _badge(opinion: AdmissionOpinion) -> Badge | None:
    if opinion.state != OpinionState.outstanding:
        return None
    return running(opinion.due, clock.now(), Measure(work_calendar(db.session(), opinion.county_id)))


TOWNSHIP = frozenset({"township_officer"})


class HandDownReportView(RecordView):
    """Read by the township that reports and by the staffing office, by nobody else."""

    model = HandDownReport
    readers = STAFFING | TOWNSHIP
    writers = TOWNSHIP
    rest_methods = ALL_METHODS
    group = "checklists"
    columns = ("name", "department", "handed_down_on", "township", "state")
    form_step = "submit"
    step_label = _l("Send report")

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        found = [TabSpec("all", _("All reports"))]
        if person.has_role("checklist_manager"):
            open_ = HandDownReport.state.not_in((HandDownState.told,))
            found.insert(0, TabSpec("todo", _("To do"), open_))
        return tuple(found)

    def new_title(self) -> str:
        return _("Report a duty handed down")
