"""Calls: a township summons county departments, each with an assignment (2.1). Beside them: `call_words`, `call_party`, `call_report`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models import viewer
from models.base import (
    RECORD_TYPES,
    CountyRecord,
    Record,
    UtcDateTime,
    choice_type,
    column,
    person_reference,
    reference,
    state_column,
)
from models.call_filling import fields_in_force, own_phone, township_leader
from models.call_party import PARTIES, CallParty, keep_parties
from models.call_words import (
    AssignmentRole,
    AssignmentState,
    CallKind,
    CallSource,
    CallState,
    DeclineReason,
    Mark,
    ResponseManner,
)
from models.checklist import ChecklistItem
from models.field import Text
from models.organisation import Organisation
from models.person import Person
from models.refusal import Conflict, Forbidden, Invalid

if TYPE_CHECKING:
    from models.call_report import Evaluation, Report
    from models.convening import Convening
    from models.escalation import Escalation, Instruction
    from models.extension import Extension
    from models.milestone import LongTerm, Milestone
    from models.return_request import ReturnRequest


OFFICES = ("dispatcher", "office_director", "supervisor", "county_leader", "city_reader")
"""Roles that see all non-draft calls of their county (2.1, end)."""


class Call(CountyRecord):
    """A matter that a township cannot solve alone and calls county departments for (`K1`)."""

    __table_args__ = (
        sa.Index("ix_call_county_state", "county_id", "state", "id"),
        sa.UniqueConstraint("county_id", "number"),
        sa.Index(
            "uq_call_external_number",
            "county_id",
            "source",
            "external_number",
            unique=True,
            postgresql_where=sa.text("external_number <> '' AND state <> 'withdrawn'"),
            sqlite_where=sa.text("external_number <> '' AND state <> 'withdrawn'"),
        ),
        sa.CheckConstraint("state = 'draft' OR title <> ''", name="ck_call_title"),
    )
    label = _l("Call")
    plural = _l("Calls")
    natural_key = ("source", "external_number")
    text_index = ("number", "title", "description", "external_number")

    number: Mapped[str | None] = column(
        _l("Number"), sa.String(40), listed=True, searched=True, editable=False, required=False
    )
    kind: Mapped[CallKind] = column(
        _l("Urgency"), choice_type(CallKind), nullable=False, default=CallKind.general, prefill="general", required=True
    )
    title: Mapped[str] = column(
        _l("Matter in one sentence"),
        sa.String(120),
        listed=True,
        searched=True,
        required=True,
        nullable=False,
        default="",
        help=_l("What is wrong and where, for example “Waste water flows into the river at Liuzhuang”."),
    )
    checklist_item_id: Mapped[int | None] = reference(
        _l("Checklist item"),
        "checklist_item",
        required=False,
        help=_l("Shows who is responsible and suggests departments."),
    )
    field: Mapped[str] = column(
        _l("Field"),
        sa.String(40),
        kind="choice",
        choices=fields_in_force,
        listed=True,
        searched=True,
        required=False,
        nullable=False,
        default="",
        help=_l("Taken from the checklist item if you cite one."),
    )
    description: Mapped[str] = column(
        _l("Description"),
        sa.Text,
        kind="long_text",
        searched=True,
        required=True,
        nullable=False,
        default="",
        help=_l("What happened, what you have done already, what you need."),
    )
    place: Mapped[str] = column(_l("Place"), sa.String(200), required=False, nullable=False, default="")
    happened_at: Mapped[datetime | None] = column(_l("Happened at"), UtcDateTime, required=False)
    contact_name: Mapped[str] = column(
        _l("Contact person"),
        sa.String(40),
        required=False,
        nullable=False,
        default="",
        prefill=lambda record, person: person.name,
    )
    contact_phone: Mapped[str] = column(
        _l("Contact telephone"), sa.String(40), required=False, nullable=False, default="", prefill=own_phone
    )
    agreed_by: Mapped[str] = column(
        _l("Agreed by"),
        sa.String(60),
        required=False,
        nullable=False,
        default="",
        prefill=township_leader,
        help=_l("Who in the township agreed to this call."),
    )
    source: Mapped[CallSource] = column(
        _l("Source"), choice_type(CallSource), required=True, nullable=False, default=CallSource.own, prefill="own"
    )
    external_number: Mapped[str] = column(
        _l("Number on the other platform"), sa.String(60), searched=True, required=False, nullable=False, default=""
    )
    township_id: Mapped[int] = reference(
        _l("Township"), "organisation", listed=True, searched=True, editable=False, nullable=False
    )
    state: Mapped[CallState] = state_column(CallState.draft)
    complex: Mapped[bool] = column(_l("Complex"), sa.Boolean, editable=False, nullable=False, default=False)
    remark: Mapped[str] = column(
        _l("Remark of the office"), sa.Text, editable=False, required=False, nullable=False, default=""
    )
    accept_due: Mapped[datetime | None] = column(_l("Acceptance due"), UtcDateTime, editable=False)
    dispatch_due: Mapped[datetime | None] = column(_l("Dispatch due"), UtcDateTime, editable=False)
    submitted_at: Mapped[datetime | None] = column(_l("Submitted"), UtcDateTime, editable=False)
    submitted_by_id: Mapped[int | None] = person_reference(_l("Submitted by"), editable=False)
    accepted_at: Mapped[datetime | None] = column(_l("Accepted"), UtcDateTime, editable=False)
    accepted_by_id: Mapped[int | None] = person_reference(_l("Accepted by"), editable=False)
    dispatched_at: Mapped[datetime | None] = column(_l("Dispatched"), UtcDateTime, editable=False)
    dispatched_by_id: Mapped[int | None] = person_reference(_l("Dispatched by"), editable=False)
    reported_at: Mapped[datetime | None] = column(_l("All reported"), UtcDateTime, editable=False)
    evaluate_due: Mapped[datetime | None] = column(_l("Evaluation due"), UtcDateTime, editable=False)
    """When a call that waits for its evaluation is closed as not evaluated."""
    evaluated_at: Mapped[datetime | None] = column(_l("Evaluated"), UtcDateTime, editable=False)
    phoned_at: Mapped[datetime | None] = column(_l("Telephoned"), UtcDateTime, editable=False)
    """When the township telephoned, for a call that an office entered for it."""
    confirmed_at: Mapped[datetime | None] = column(_l("Confirmed by the township"), UtcDateTime, editable=False)
    regularised_at: Mapped[datetime | None] = column(_l("Regularised"), UtcDateTime, editable=False)
    general_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it turned out to be no emergency; general clocks run from then, and what was missed before is void."""
    missing: Mapped[str] = column(
        _l("What is missing"), sa.Text, editable=False, required=False, nullable=False, default=""
    )
    completion_asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decline_reason: Mapped[DeclineReason | None] = column(
        _l("Why it was declined"), choice_type(DeclineReason), editable=False, searched=True
    )
    decline_text: Mapped[str] = column(
        _l("Explanation"), sa.Text, editable=False, required=False, nullable=False, default=""
    )
    other_channel: Mapped[str] = column(
        _l("The way to go instead"), sa.String(200), editable=False, required=False, nullable=False, default=""
    )
    objection: Mapped[str] = column(
        _l("Objection"), sa.Text, editable=False, required=False, nullable=False, default=""
    )
    objected_at: Mapped[datetime | None] = column(_l("Objected"), UtcDateTime, editable=False)
    objection_due: Mapped[datetime | None] = column(_l("Ruling on the objection due"), UtcDateTime, editable=False)
    """Set while an objection waits for its ruling."""
    follows_id: Mapped[int | None] = reference(_l("Continues"), "call", editable=False)
    ended_at: Mapped[datetime | None] = column(_l("Ended"), UtcDateTime, editable=False)

    checklist_item: Mapped[ChecklistItem | None] = relationship()
    township: Mapped[Organisation] = relationship(foreign_keys=[township_id])
    submitted_by: Mapped[Person | None] = relationship(foreign_keys=[submitted_by_id])
    accepted_by: Mapped[Person | None] = relationship(foreign_keys=[accepted_by_id])
    dispatched_by: Mapped[Person | None] = relationship(foreign_keys=[dispatched_by_id])
    follows: Mapped[Call | None] = relationship(foreign_keys=[follows_id], remote_side="Call.id")
    assignments: Mapped[list[Assignment]] = relationship(back_populates="call", order_by="Assignment.position")
    long_terms: Mapped[list[LongTerm]] = relationship(back_populates="call", order_by="LongTerm.id")
    escalations: Mapped[list[Escalation]] = relationship(back_populates="call", order_by="Escalation.id")
    instructions: Mapped[list[Instruction]] = relationship(back_populates="call", order_by="Instruction.id")
    convenings: Mapped[list[Convening]] = relationship(back_populates="call", order_by="Convening.id")
    milestones: Mapped[list[Milestone]] = relationship(back_populates="call", order_by="Milestone.day, Milestone.id")

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Its township in all states; departments with an assignment; the offices all non-draft ones of their county (2.1, end)."""
        table, party = sa.inspect(cls).local_table, sa.inspect(CallParty).local_table
        if person.has_role(*OFFICES):
            return sa.select(table.c.id).where(
                table.c.county_id.in_(person.region_ids), table.c.state != CallState.draft.value
            )
        seen = []
        if person.has_role("township_officer", "department_officer"):
            seen.append(sa.select(party.c.call_id).where(party.c.organisation_id == person.organisation_id))
        if person.has_role("agency_head"):
            seen.append(sa.select(party.c.call_id).where(party.c.organisation_id == person.organisation_id))
        if person.has_role("duty_officer"):
            seen.append(
                sa.select(table.c.id).where(
                    table.c.county_id.in_(person.region_ids),
                    table.c.state != CallState.draft.value,
                    sa.or_(table.c.kind == CallKind.emergency.value, table.c.created_by_id == person.person_id),
                )
            )
        if person.has_role("checklist_manager"):
            seen.append(referred_calls(person))
        if not seen:
            return sa.select(table.c.id).where(sa.false())
        return seen[0] if len(seen) == 1 else sa.select(sa.union(*seen).subquery().c[0])

    @classmethod
    def told_apart(cls) -> sa.ColumnElement[bool]:
        """What was withdrawn may be raised anew."""
        return cls.state != CallState.withdrawn

    def settle(self, session: Session) -> None:
        """The same matter of another platform is raised once (2.1). Raises Invalid, naming the present call to whoever sees it."""
        super().settle(session)
        kept: Any = sa.inspect(self).attrs
        changed = any(kept[name].history.has_changes() for name in ("external_number", "source"))
        if not self.external_number or not changed:
            return
        table, person = sa.inspect(Call).local_table, viewer.author()
        visible = Call.visible_ids(person) if person is not None else None
        query = sa.select(
            table.c.number, table.c.title, (sa.true() if visible is None else table.c.id.in_(visible)).label("seen")
        ).where(
            table.c.county_id == self.county_id,
            table.c.source == (self.source or CallSource.own),
            table.c.external_number == self.external_number,
            table.c.state != CallState.withdrawn.value,
        )
        if self.id is not None:
            query = query.where(table.c.id != self.id)
        with viewer.system():
            present = session.connection().execute(query.limit(1)).first()
        if present is None:
            return
        sentence: Text = _l("Another township has raised this matter already. The county office can tell you more.")
        if present.seen:
            named = " ".join(filter(None, (present.number, present.title)))
            sentence = _l("This matter has been raised already: %(call)s. Please go on there.", call=named)
        raise Invalid({"external_number": sentence})

    def take_from_item(self) -> None:
        """A cited checklist item tells the field; nobody types it twice."""
        if not self.field and self.checklist_item is not None:
            self.field = self.checklist_item.field

    def after_handover(self, session: Session) -> None:
        keep_parties(session, self)

    def _party(self, person: viewer.Viewer) -> sa.Row[Any] | None:
        """As what the person's organisation takes part, asked once per transaction; None for the offices, who see it by their role."""
        session, table = sa.orm.object_session(self), sa.inspect(CallParty).local_table
        if person.has_role(*OFFICES) or session is None:
            return None
        known: dict[tuple[int, int | None], sa.Row[Any] | None] = session.info.setdefault(PARTIES, {})
        key = (self.id, person.organisation_id)
        if key not in known:
            query = sa.select(table.c.role, table.c.until)
            own = (table.c.call_id == self.id, table.c.organisation_id == person.organisation_id)
            known[key] = session.connection().execute(query.where(*own)).one_or_none()
        return known[key]

    def reads_only(self, person: viewer.Viewer) -> bool:
        """With whom it was shared, and who gave it back, only read (2.1, end)."""
        party = self._party(person)
        return party is not None and (party.role == "shared" or party.until is not None)

    def read_until(self, person: viewer.Viewer) -> datetime | None:
        party = self._party(person)
        return party.until if party is not None else None

    def prepare(self, session: Session, person: viewer.Viewer) -> None:
        super().prepare(session, person)
        if person.organisation_kind != "township" or not person.has_role("township_officer"):
            raise Forbidden(_l("Only townships raise calls."))
        assert person.organisation_id is not None
        self.township_id = person.organisation_id
        self.state = CallState.draft

    def check_change(self, person: viewer.Viewer) -> None:
        if person.organisation_id != self.township_id or not person.has_role("township_officer"):
            raise Forbidden()
        if self.state not in (CallState.draft, CallState.returned):
            raise Conflict(
                _l("A submitted call is no longer changed. You may withdraw it, or add what is missing as progress.")
            )

    def check_delete(self, person: viewer.Viewer) -> None:
        if person.organisation_id != self.township_id or not person.has_role("township_officer"):
            raise Forbidden()
        if self.state != CallState.draft:
            raise Conflict(_l("Only a draft can be deleted. A submitted call can be withdrawn."))

    @property
    def lead(self) -> Assignment | None:
        """The lead department's assignment that still counts."""
        found = [
            one for one in self.assignments if one.role == AssignmentRole.lead and one.state != AssignmentState.returned
        ]
        return found[-1] if found else None

    @property
    def emergency(self) -> bool:
        return self.kind == CallKind.emergency

    @property
    def joint(self) -> bool:
        """Two or more departments handle it together (K2)."""
        return len(self.assignments) > 1


def referred_calls(person: viewer.Viewer) -> sa.Select[tuple[int]]:
    """The calls of which a return request was referred to the checklist manager of this person's county (2.1, end)."""
    assignment, request = sa.inspect(Assignment).local_table, sa.inspect(RECORD_TYPES["return_request"]).local_table
    return (
        sa.select(assignment.c.call_id)
        .join(request, request.c.assignment_id == assignment.c.id)
        .where(request.c.referred_at.is_not(None), request.c.county_id == person.county_id)
    )


def seen_with_call(model: type[Record], person: viewer.Viewer, since: str) -> sa.Select[tuple[int]] | None:
    """Rows of a call for whoever sees the call; for a department that gave it back those up to then, by the column `since`."""
    table, calls = sa.inspect(model).local_table, Call.visible_ids(person)
    if calls is None:
        return None
    seen = sa.select(table.c.id).where(table.c.call_id.in_(calls))
    if person.has_role(*OFFICES) or not person.has_role("department_officer"):
        return seen
    party = sa.inspect(CallParty).local_table
    over = sa.select(party.c.call_id).where(
        party.c.call_id == table.c.call_id,
        party.c.organisation_id == person.organisation_id,
        party.c.until <= table.c[since],
    )
    return seen.where(~over.exists())


class Assignment(CountyRecord):
    """One department in a call; exactly one is lead."""

    __table_args__ = (
        sa.UniqueConstraint("call_id", "position"),
        sa.Index(
            "uq_assignment_lead",
            "call_id",
            unique=True,
            postgresql_where=sa.text("role = 'lead' AND state <> 'returned'"),
            sqlite_where=sa.text("role = 'lead' AND state <> 'returned'"),
        ),
        sa.Index(
            "ix_assignment_next_step",
            "next_step_at",
            postgresql_where=sa.text("next_step_at IS NOT NULL"),
            sqlite_where=sa.text("next_step_at IS NOT NULL"),
        ),
        sa.Index("ix_assignment_department_state", "department_id", "state"),
        sa.Index(
            "ix_assignment_late_response",
            "id",
            postgresql_where=sa.text("responded_at > respond_due"),
            sqlite_where=sa.text("responded_at > respond_due"),
        ),
    )
    label = _l("Assignment")
    plural = _l("Assignments")

    call_id: Mapped[int] = reference(_l("Call"), "call", editable=False, nullable=False)
    position: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    department_id: Mapped[int] = reference(
        _l("Department"), "organisation", listed=True, searched=True, editable=False, nullable=False
    )
    role: Mapped[AssignmentRole] = column(
        _l("Part in the matter"), choice_type(AssignmentRole), listed=True, editable=False, nullable=False
    )
    state: Mapped[AssignmentState] = state_column(AssignmentState.pending)
    round: Mapped[int] = column(_l("Round"), sa.Integer, listed=True, editable=False, nullable=False, default=1)
    assigned_at: Mapped[datetime] = column(_l("Dispatched"), UtcDateTime, listed=True, editable=False, nullable=False)
    respond_due: Mapped[datetime] = column(_l("Response due"), UtcDateTime, listed=True, editable=False, nullable=False)
    respond_red_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    """From here on an outstanding response counts as none."""
    report_from: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    """Start of the present round's report clock."""
    report_due: Mapped[datetime] = column(_l("Report due"), UtcDateTime, listed=True, editable=False, nullable=False)
    responded_at: Mapped[datetime | None] = column(_l("Responded"), UtcDateTime, listed=True, editable=False)
    response_at: Mapped[datetime | None] = column(_l("Contact was at"), UtcDateTime, editable=False)
    response_manner: Mapped[ResponseManner | None] = column(_l("How"), choice_type(ResponseManner), editable=False)
    response_whom: Mapped[str] = column(_l("With whom"), sa.String(60), editable=False, nullable=False, default="")
    response_plan: Mapped[str] = column(_l("Plan"), sa.Text, editable=False, nullable=False, default="")
    responded_by_id: Mapped[int | None] = person_reference(_l("Responded by"), editable=False)
    taken_by_id: Mapped[int | None] = person_reference(_l("In whose hands"), editable=False)
    section: Mapped[str] = column(
        _l("Section"), sa.String(60), editable=False, required=False, nullable=False, default=""
    )
    agency_id: Mapped[int | None] = reference(_l("Stationed agency"), "organisation", editable=False)
    opened_at: Mapped[datetime | None] = column(_l("First opened"), UtcDateTime, editable=False)
    opened_by_id: Mapped[int | None] = person_reference(_l("First opened by"), editable=False)
    acknowledged_at: Mapped[datetime | None] = column(_l("Alarm acknowledged"), UtcDateTime, editable=False)
    acknowledged_by: Mapped[str] = column(
        _l("Acknowledged by"), sa.String(60), editable=False, required=False, nullable=False, default=""
    )
    urges: Mapped[int] = column(_l("Urged"), sa.Integer, editable=False, nullable=False, default=0)
    urged_at: Mapped[datetime | None] = column(_l("Last urged"), UtcDateTime, editable=False)
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Since when a return request stops its clocks."""
    stopped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When its clocks stopped for good: reported, missed, withdrawn."""
    given_back_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it left the department's hands: a return upheld, another department put in its place."""
    next_step_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the sweep has to look at it next."""
    response_cleared_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a review took back the finding that it was answered late or not at all: no mark of the response is left (2.3)."""

    call: Mapped[Call] = relationship(back_populates="assignments")
    department: Mapped[Organisation] = relationship(foreign_keys=[department_id])
    responded_by: Mapped[Person | None] = relationship(foreign_keys=[responded_by_id])
    taken_by: Mapped[Person | None] = relationship(foreign_keys=[taken_by_id])
    opened_by: Mapped[Person | None] = relationship(foreign_keys=[opened_by_id])
    agency: Mapped[Organisation | None] = relationship(foreign_keys=[agency_id])
    return_request: Mapped[ReturnRequest | None] = relationship(back_populates="assignment", uselist=False)
    extension: Mapped[Extension | None] = relationship(back_populates="assignment", uselist=False)
    reports: Mapped[list[Report]] = relationship(back_populates="assignment", order_by="Report.round, Report.attempt")
    evaluations: Mapped[list[Evaluation]] = relationship(back_populates="assignment", order_by="Evaluation.round")

    @classmethod
    def unsettled(cls) -> sa.ColumnElement[bool]:
        """An assignment that has been reported may come back as long as its call is not closed."""
        table = sa.inspect(Call).local_table
        over = [state.value for state in CallState if state.final]
        return cls.call_id.in_(sa.select(table.c.id).where(table.c.state.not_in(over)))

    def after_handover(self, session: Session) -> None:
        keep_parties(session, self.call)

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Whoever sees the call sees every department in it, from dispatch on."""
        return seen_with_call(cls, person, "assigned_at")

    @property
    def thread(self) -> Record:
        return self.call

    @property
    def title(self) -> str:
        return self.department.short_name

    def report_of(self, round_: int) -> Report | None:
        """The report that counts of a round: the last one, where the office had it made good."""
        return next((one for one in reversed(self.reports) if one.round == round_), None)

    def evaluation_of(self, round_: int) -> Evaluation | None:
        return next((one for one in self.evaluations if one.round == round_), None)

    def unanswered_until(self, now: datetime) -> datetime:
        """Up to when a missing response was waited for: a first report, which milestones can be (2.1), leaves nothing to respond to."""
        first = self.reports[0].reported_at if self.reports else None
        return min(one for one in (now, self.stopped_at, self.paused_at, first) if one is not None)

    def marks(self, now: datetime) -> list[Mark]:
        """The marks earned by an instant (2.2, end); they stay, unless a review takes them back (2.3)."""
        found = []
        answered = self.responded_at if self.responded_at is not None else self.unanswered_until(now)
        cleared = self.response_cleared_at is not None and self.response_cleared_at <= now
        if answered > self.respond_due and not cleared:
            found.append(Mark.no_response if answered >= self.respond_red_at else Mark.late_response)
        counting = {report.round: report for report in self.reports}
        if any(report.reported_at > report.due for report in counting.values()):
            found.append(Mark.late_report)
        return found


@sa.event.listens_for(Session, "after_flush")
def _party_of_new_calls(session: Session, context: Any) -> None:
    """A call has its township as party from the first save on, whoever saves it."""
    rows = [
        {
            "call_id": call.id,
            "organisation_id": call.township_id,
            "role": "township",
            "state": call.state.value,
            "due": None,
        }
        for call in session.new
        if isinstance(call, Call)
    ]
    if rows:
        session.connection().execute(sa.insert(CallParty), rows)
