"""Personnel consultations and adjustment proposals: seen by the two sides and the organisation department (2.7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload

from app.database import db
from app.portal.deadline import Measure, running
from app.portal.listing import TabSpec
from app.portal.page import Badge, Button, Cell, Column, Fact, Part, RecordPage, Row, Section
from app.portal.record.listed import drawn
from app.portal.record_view import Failed, RecordView
from app.portal.words import pill, value_text
from models import clock, viewer
from models.agency import StationedAgency
from models.base import fields_of
from models.calendar import work_calendar
from models.consultation import (
    ConsultationCandidate,
    ConsultationOpinion,
    ConsultationState,
    OpinionState,
    PersonnelConsultation,
    handlers_of,
    names_in_portal,
    opinions_of,
)
from models.consultation_workflow import is_consulted
from models.proposal import AdjustmentProposal, ProposalState
from models.viewer import Viewer

SIDES = frozenset({"department_officer", "township_officer", "personnel_officer"})
PROPOSERS = frozenset({"department_officer", "personnel_officer"})
OPEN = (
    ConsultationState.draft,
    ConsultationState.consulting,
    ConsultationState.replied,
    ConsultationState.decided,
)


def overdue(now: Any) -> sa.ColumnElement[bool]:
    """Consultations in which a township has not replied in time and the matter is still open (2.7: ends at the organisation department)."""
    lapsed = sa.select(ConsultationOpinion.consultation_id).where(ConsultationOpinion.state == OpinionState.lapsed)
    late = sa.or_(PersonnelConsultation.reply_due < now, PersonnelConsultation.id.in_(lapsed))
    return sa.and_(PersonnelConsultation.state.in_(OPEN), late)


def due_badge(county_id: int, due: Any) -> Badge:
    return running(due, clock.now(), Measure(work_calendar(db.session(), county_id)))


class PersonnelConsultationView(RecordView):
    model = PersonnelConsultation
    readers = SIDES
    writers = PROPOSERS
    rest_methods = frozenset({"list", "show", "add", "edit", "delete"})
    group = "agencies"
    unrelated = frozenset({"consultation_opinion"})
    columns = ("number", "agency", "action", "proposer", "township", "state", "deadline")
    form_step = "send"
    step_label = _l("Send for opinion")

    def load_options(self) -> Sequence[Any]:
        return [
            joinedload(PersonnelConsultation.agency).joinedload(StationedAgency.organisation),
            joinedload(PersonnelConsultation.proposer),
            joinedload(PersonnelConsultation.township),
        ]

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        found = [TabSpec("open", _("In progress"), PersonnelConsultation.state.in_(OPEN))]
        if person.has_role("personnel_officer"):
            found.append(TabSpec("overdue", _("Overdue"), overdue(clock.now())))
        return (*found, TabSpec("all", _("All consultations")))

    def cell_number(self, consultation: PersonnelConsultation) -> Cell:
        return Cell(consultation.number or _("Draft"))

    @drawn(_l("Deadline"))
    def cell_deadline(self, consultation: PersonnelConsultation) -> Cell:
        if consultation.reply_due is None:
            return Cell()
        return Cell(badge=due_badge(consultation.county_id, consultation.reply_due))

    # Page

    def page_options(self) -> Sequence[Any]:
        return self.load_options()

    def sees_all_values(self, record: Any, person: Viewer) -> bool:
        """Of two townships consulted, neither reads what the other has said."""
        return not is_consulted(record, person.organisation_id)

    def record_page(self, record: PersonnelConsultation, failed: Failed | None) -> RecordPage:
        page = super().record_page(record, failed)
        agency = record.agency.title if record.agency is not None else _("(no agency yet)")
        return replace(
            page,
            title=f"{record.action.label}：{agency}" if record.action is not None else agency,
            number=record.number or "",
            badge=due_badge(record.county_id, record.reply_due) if record.reply_due is not None else None,
            parts_title=_("Opinions of the Party committees"),
            parts=tuple(self._part(one) for one in opinions_of(db.session(), record)),
        )

    def _part(self, opinion: ConsultationOpinion) -> Part:
        texts = ((name, fields_of(ConsultationOpinion)[name]) for name in OPINION_FACTS)
        shown = ((asked, value_text(asked, getattr(opinion, name))) for name, asked in texts)
        facts = tuple(
            Fact(str(asked.label), Cell(text), long=asked.kind == "long_text") for asked, text in shown if text
        )
        if opinion.deemed_consent:
            facts = (*facts, Fact(_("By the rule told with the letter"), Cell(_("Counts as consent"))))
        return Part(
            title=opinion.township.party_name or opinion.township.name,
            subtitle="",
            pill=pill(opinion.state),
            facts=facts,
            mine=opinion.township_id == self.person().organisation_id,
        )

    def sections(self, record: Any) -> tuple[Section, ...]:
        """The candidates, for whom it concerns, and who handles them – only where names stand in the portal."""
        if not names_in_portal(db.session(), record.county_id):
            return (
                Section(
                    _("Candidates"), empty=_("In this county names stay on paper and are not entered in the portal.")
                ),
            )
        found = db.session.scalars(
            sa.select(ConsultationCandidate).where(ConsultationCandidate.consultation_id == record.id)
        ).all()
        view = self.appbuilder.view_of("consultation_candidate")
        labels = [view.column_label(name) for name in CANDIDATE_COLUMNS]
        candidates = Section(
            _("Candidates"),
            columns=tuple(Column(name, label) for name, label in zip(CANDIDATE_COLUMNS, labels, strict=True)),
            rows=tuple(
                Row(
                    str(one.id),
                    view.url_of(one),
                    tuple(Cell(getattr(one, name)) for name in CANDIDATE_COLUMNS),
                    title=one.title,
                )
                for one in found
            ),
            empty=_("Only the named handlers read the candidates' names."),
        )
        with viewer.system():
            people = handlers_of(db.session(), record)
            names = "、".join(f"{one.name}（{one.organisation.short_name}）" for one in people if one.organisation)
        return candidates, Section(_("Handlers"), (Fact(_("Named handlers"), Cell(names)),))

    def record_buttons(self, record: Any, person: Viewer) -> tuple[Button, ...]:
        found = super().record_buttons(record, person)
        drafting = record.state == ConsultationState.draft and record.proposer_id == person.organisation_id
        if drafting and names_in_portal(db.session(), record.county_id):
            view = self.appbuilder.view_of("consultation_candidate")
            found = (*found, Button(view.new_title(), view.url("add", consultation=record.id), icon="user-plus"))
        return found


OPINION_FACTS = ("opinion", "meeting_date", "reasons", "suggestion", "signed_by", "replied_at", "lapsed_at", "due")
CANDIDATE_COLUMNS = ("name", "present_post", "proposed_post")


class ConsultationOpinionView(RecordView):
    model = ConsultationOpinion
    readers = SIDES

    def load_options(self) -> Sequence[Any]:
        return [joinedload(ConsultationOpinion.consultation), joinedload(ConsultationOpinion.township)]


class ConsultationCandidateView(RecordView):
    """Candidates by name: the row filter lets only named handlers see one, in counties that keep names here."""

    model = ConsultationCandidate
    readers = SIDES
    writers = PROPOSERS
    rest_methods = frozenset({"list", "show", "add", "edit", "delete"})


class AdjustmentProposalView(RecordView):
    model = AdjustmentProposal
    readers = SIDES
    writers = frozenset({"township_officer"})
    rest_methods = frozenset({"list", "show", "add", "edit", "delete"})
    group = "agencies"
    columns = ("number", "agency", "township", "department", "state", "answer", "deadline")
    form_step = "send"
    step_label = _l("Send proposal")

    def load_options(self) -> Sequence[Any]:
        return [
            joinedload(AdjustmentProposal.agency).joinedload(StationedAgency.organisation),
            joinedload(AdjustmentProposal.township),
            joinedload(AdjustmentProposal.department),
        ]

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        waiting = AdjustmentProposal.state == ProposalState.sent
        found = [
            TabSpec("open", _("In progress"), AdjustmentProposal.state.in_((ProposalState.draft, ProposalState.sent)))
        ]
        if person.has_role("personnel_officer", "department_officer"):
            late = sa.and_(waiting, AdjustmentProposal.answer_due < clock.now())
            found.append(TabSpec("overdue", _("Overdue"), late))
        return (*found, TabSpec("all", _("All proposals")))

    def cell_number(self, proposal: AdjustmentProposal) -> Cell:
        return Cell(proposal.number or _("Draft"))

    @drawn(_l("Deadline"))
    def cell_deadline(self, proposal: AdjustmentProposal) -> Cell:
        if proposal.state != ProposalState.sent or proposal.answer_due is None:
            return Cell()
        return Cell(badge=due_badge(proposal.county_id, proposal.answer_due))

    def record_page(self, record: AdjustmentProposal, failed: Failed | None) -> RecordPage:
        page = super().record_page(record, failed)
        agency = record.agency.title if record.agency is not None else _("(no agency yet)")
        waiting = record.state == ProposalState.sent and record.answer_due is not None
        return replace(
            page,
            title=_("Adjustment proposal: %(agency)s", agency=agency),
            number=record.number or "",
            badge=due_badge(record.county_id, record.answer_due) if waiting else None,
        )
