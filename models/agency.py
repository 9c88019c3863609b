"""Stationed agencies, their staff, and the transfer of Party and League membership relations to the township (2.6; S6)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, relationship, validates

from models import clock, event, viewer
from models.base import (
    CountyRecord,
    UtcDateTime,
    choice_type,
    column,
    person_reference,
    reference,
    referred,
    state_column,
)
from models.calendar import work_calendar
from models.field import Choice, Field, FieldError
from models.organisation import Organisation, OrganisationKind
from models.person import Person
from models.refusal import Conflict, Forbidden, Invalid
from models.workflow import By, State, Step, Transition, Workflow

SIDES = frozenset({"agency_head", "township_officer", "department_officer"})
"""Roles of the three sides of an agency: itself, the township where it is stationed, the department to which it belongs."""

OVERSEERS = frozenset({"personnel_officer", "assessor"})
"""Offices that deal with every agency of the county: consultations on its head (S3), its assessment (S7)."""


class StationedAgency(CountyRecord):
    """A department's agency in a township, which belongs to both (S3–S7)."""

    __table_args__ = (sa.CheckConstraint("posts >= 0", name="ck_stationed_agency_posts"),)
    label = _l("Stationed agency")
    plural = _l("Stationed agencies")
    natural_key = ("organisation",)

    organisation_id: Mapped[int] = reference(
        _l("Agency"),
        "organisation",
        only={"kind": [OrganisationKind.agency], "active": True},
        listed=True,
        nullable=False,
        unique=True,
        index=False,
        help=_l("The organisation as the directory has it."),
    )
    department_id: Mapped[int] = reference(
        _l("Department"), "organisation", listed=True, searched=True, editable=False, nullable=False
    )
    township_id: Mapped[int] = reference(
        _l("Township"),
        "organisation",
        only={"kind": [OrganisationKind.township], "active": True},
        listed=True,
        searched=True,
        nullable=False,
        help=_l("Where it is stationed."),
    )
    head_name: Mapped[str] = column(
        _l("Head of the agency"), sa.String(40), listed=True, searched=True, required=False, nullable=False, default=""
    )
    head_id: Mapped[int | None] = person_reference(_l("Account of the head"), required=False, index=True)
    posts: Mapped[int] = column(
        _l("Posts"),
        sa.Integer,
        listed=True,
        required=True,
        nullable=False,
        default=0,
        help=_l("The approved number of posts."),
    )

    organisation: Mapped[Organisation] = relationship(foreign_keys=[organisation_id])
    department: Mapped[Organisation] = relationship(foreign_keys=[department_id])
    township: Mapped[Organisation] = relationship(foreign_keys=[township_id])
    head: Mapped[Person | None] = relationship(foreign_keys=[head_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """The agency, its department and its township (2.1, end), and the offices that deal with every agency."""
        table = sa.inspect(cls).local_table
        if person.has_role(*OVERSEERS):
            return sa.select(table.c.id).where(table.c.county_id == person.county_id)
        return own_agencies(person)

    @validates("posts")
    def _check_posts(self, key: str, value: int | None) -> int | None:
        """Raises FieldError for a number that no agency has."""
        if value is not None and not 0 <= value <= 10_000:
            raise FieldError(_l("Please enter the number of posts."))
        return value

    @property
    def title(self) -> str:
        return self.organisation.short_name

    @property
    def choice_hint(self) -> str:
        return f"{self.department.short_name} · {self.township.short_name}"

    def prepare(self, session: Session, person: viewer.Viewer) -> None:
        super().prepare(session, person)
        if person.organisation_kind != "department" or not person.has_role("department_officer"):
            raise Forbidden(_l("Only the department to which an agency belongs registers it."))
        assert person.organisation_id is not None
        self.department_id = person.organisation_id

    def check_change(self, person: viewer.Viewer) -> None:
        keeps = person.has_role("department_officer") and person.organisation_id == self.department_id
        if not keeps and not (person.has_role("agency_head") and person.organisation_id == self.organisation_id):
            raise Forbidden()

    def check_delete(self, person: viewer.Viewer) -> None:
        if not person.has_role("department_officer") or person.organisation_id != self.department_id:
            raise Forbidden()


def own_agencies(person: viewer.Viewer) -> sa.Select[tuple[int]]:
    """A Core SELECT of the agencies of whose sides this person's organisation is one."""
    table = sa.inspect(StationedAgency).local_table
    if not person.has_role(*SIDES) or person.organisation_id is None:
        return sa.select(table.c.id).where(sa.false())
    own = (table.c.organisation_id, table.c.department_id, table.c.township_id)
    return sa.select(table.c.id).where(sa.or_(*(one == person.organisation_id for one in own)))


def only_agency(record: Any, person: viewer.Viewer) -> int | None:
    """The agency that a form starts with: the person's, where it can be one only."""
    session = sa.orm.object_session(record)
    if session is None:
        return None
    found: list[Any] = list(session.connection().execute(own_agencies(person).limit(2)).scalars())
    return found[0] if len(found) == 1 else None


class Membership(Choice):
    none = "none", _l("Neither")
    party = "party", _l("Party member")
    league = "league", _l("League member")


class Establishment(Choice):
    civil_servant = "civil_servant", _l("Civil servant")
    institution = "institution", _l("Public institution staff")
    contract = "contract", _l("Outside the establishment")


class AgencyStaff(CountyRecord):
    """A person stationed with an agency, and which organisation holds the Party or League relation (S6)."""

    __table_args__ = (
        sa.UniqueConstraint("agency_id", "name"),
        sa.CheckConstraint(
            "(membership = 'none') = (relation_holder_id IS NULL)", name="ck_agency_staff_relation_holder"
        ),
    )
    label = _l("Staff member")
    plural = _l("Agency staff")
    natural_key = ("agency", "name")

    agency_id: Mapped[int] = reference(
        _l("Agency"),
        "stationed_agency",
        listed=True,
        searched=True,
        nullable=False,
        index=False,
        prefill=only_agency,
    )
    name: Mapped[str] = column(
        _l("Full name"),
        sa.String(40),
        listed=True,
        searched=True,
        nullable=False,
        help=_l("If two bear the same name, add what tells them apart."),
    )
    position: Mapped[str] = column(
        _l("Position"), sa.String(60), listed=True, required=False, nullable=False, default=""
    )
    establishment: Mapped[Establishment] = column(
        _l("Establishment"), choice_type(Establishment), listed=True, searched=True, required=True, nullable=False
    )
    stationed_on: Mapped[date | None] = column(_l("Stationed since"), sa.Date, required=False)
    on_duty: Mapped[bool] = column(
        _l("Stationed at present"), sa.Boolean, listed=True, nullable=False, default=True, prefill=True
    )
    membership: Mapped[Membership] = column(
        _l("Party or League member"), choice_type(Membership), listed=True, searched=True, nullable=False
    )
    relation_holder_id: Mapped[int | None] = reference(
        _l("Relation is held by"),
        "organisation",
        only={"kind": [OrganisationKind.department, OrganisationKind.township]},
        when=("membership", ("party", "league")),
        required=False,
        listed=True,
        searched=True,
        help=_l("Empty: the department. Later it changes by a transfer with receipt only."),
    )

    agency: Mapped[StationedAgency] = relationship(foreign_keys=[agency_id])
    relation_holder: Mapped[Organisation | None] = relationship(foreign_keys=[relation_holder_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """The agency, its department, its township (2.1, end)."""
        table = sa.inspect(cls).local_table
        return sa.select(table.c.id).where(table.c.agency_id.in_(own_agencies(person)))

    @property
    def choice_hint(self) -> str:
        return self.position

    def check_change(self, person: viewer.Viewer) -> None:
        if person.organisation_id not in (self.agency.organisation_id, self.agency.department_id):
            raise Forbidden()

    def check_delete(self, person: viewer.Viewer) -> None:
        self.check_change(person)


class TransferState(State):
    draft = "draft", _l("Draft"), "waiting"
    sent = "sent", _l("Waiting for receipt"), "others"
    received = "received", _l("Received"), "done", True
    refused = "refused", _l("Not received"), "muted", True
    withdrawn = "withdrawn", _l("Withdrawn"), "muted", True


class MembershipTransfer(CountyRecord):
    """The transfer of a staff member's Party or League relation from the department to the township (S6)."""

    __table_args__ = (
        sa.Index(
            "uq_membership_transfer_open",
            "staff_id",
            unique=True,
            postgresql_where=sa.text("state = 'sent'"),
            sqlite_where=sa.text("state = 'sent'"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'withdrawn') OR staff_id IS NOT NULL", name="ck_membership_transfer_staff"
        ),
        sa.CheckConstraint("state <> 'received' OR receipt <> ''", name="ck_membership_transfer_receipt"),
    )
    label = _l("Transfer of membership relation")
    plural = _l("Transfers of membership relations")

    staff_id: Mapped[int | None] = reference(
        _l("Staff member"), "agency_staff", required=True, listed=True, index=False
    )
    letter: Mapped[str] = column(
        _l("Number of the letter of introduction"),
        sa.String(60),
        required=True,
        listed=True,
        searched=True,
        nullable=False,
        default="",
    )
    remark: Mapped[str] = column(_l("Remark"), sa.Text, kind="long_text", required=False, nullable=False, default="")
    department_id: Mapped[int] = reference(
        _l("Transferred from"), "organisation", listed=True, searched=True, editable=False, nullable=False
    )
    township_id: Mapped[int | None] = reference(
        _l("Transferred to"), "organisation", listed=True, searched=True, editable=False
    )
    membership: Mapped[Membership | None] = column(_l("Kind of relation"), choice_type(Membership), editable=False)
    state: Mapped[TransferState] = state_column(TransferState.draft)
    sent_at: Mapped[datetime | None] = column(_l("Sent at"), UtcDateTime, editable=False)
    receipt: Mapped[str] = column(
        _l("Number of the receipt"), sa.String(60), editable=False, nullable=False, default=""
    )
    received_on: Mapped[date | None] = column(_l("Received on"), sa.Date, editable=False)
    reason: Mapped[str] = column(_l("Reason"), sa.Text, kind="long_text", editable=False, nullable=False, default="")

    staff: Mapped[AgencyStaff | None] = relationship(foreign_keys=[staff_id])
    department: Mapped[Organisation] = relationship(foreign_keys=[department_id])
    township: Mapped[Organisation | None] = relationship(foreign_keys=[township_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """The department its own; the township and the agency from sending on."""
        table, staff = sa.inspect(cls).local_table, sa.inspect(AgencyStaff).local_table
        if not person.has_role(*SIDES):
            return sa.select(table.c.id).where(sa.false())
        of_agency = sa.select(staff.c.id).where(staff.c.agency_id.in_(own_agencies(person)))
        return sa.select(table.c.id).where(
            sa.or_(
                table.c.department_id == person.organisation_id,
                sa.and_(table.c.sent_at.is_not(None), table.c.staff_id.in_(of_agency)),
            )
        )

    @property
    def title(self) -> str:
        return self.letter or f"{type(self).label} {self.id or ''}".strip()

    def prepare(self, session: Session, person: viewer.Viewer) -> None:
        super().prepare(session, person)
        if person.organisation_kind != "department" or not person.has_role("department_officer"):
            raise Forbidden(_l("Only the department that holds a relation transfers it."))
        assert person.organisation_id is not None
        self.department_id = person.organisation_id
        self.state = TransferState.draft

    def check_change(self, person: viewer.Viewer) -> None:
        if person.organisation_id != self.department_id:
            raise Forbidden()
        if self.state != TransferState.draft:
            raise Conflict(_l("What was sent is no longer changed. You may withdraw it."))

    def check_delete(self, person: viewer.Viewer) -> None:
        self.check_change(person)


# Workflow of a transfer

DEPARTMENT = By(
    frozenset({"department_officer"}), lambda transfer, person: transfer.department_id == person.organisation_id
)
TOWNSHIP = By(frozenset({"township_officer"}), lambda transfer, person: transfer.township_id == person.organisation_id)


def _send_guard(step: Step) -> None:
    transfer: MembershipTransfer = step.record
    missing = {
        name: _l("Please fill in this field.")
        for name, value in (("staff", transfer.staff), ("letter", transfer.letter))
        if not value
    }
    if missing or transfer.staff is None:
        raise Invalid(missing)
    if transfer.staff.membership == Membership.none:
        raise Invalid({"staff": _l("This person is neither in the Party nor in the League.")})
    if transfer.staff.relation_holder_id != transfer.department_id:
        raise Invalid({"staff": _l("The relation of this person is not held by your department.")})
    others = sa.select(MembershipTransfer.id).where(
        MembershipTransfer.staff_id == transfer.staff_id, MembershipTransfer.state == TransferState.sent
    )
    if step.session.scalars(others).first() is not None:
        raise Invalid({"staff": _l("A transfer of this person is already under way.")})


def _send(step: Step) -> None:
    transfer: MembershipTransfer = step.record
    assert transfer.staff is not None
    transfer.membership = transfer.staff.membership
    transfer.township_id = transfer.staff.agency.township_id
    transfer.sent_at = step.now


def _receive_guard(step: Step) -> None:
    transfer: MembershipTransfer = step.record
    today = work_calendar(step.session, transfer.county_id).local_date(step.now)
    if step.values["received_on"] > today:
        raise Invalid({"received_on": _l("This date cannot lie in the future.")})


def _receive(step: Step) -> None:
    transfer: MembershipTransfer = step.record
    assert transfer.staff is not None
    transfer.receipt, transfer.received_on = step.values["receipt"], step.values["received_on"]
    transfer.staff.relation_holder_id = transfer.township_id


def _end(step: Step) -> None:
    step.record.reason = step.values["reason"]


def _relation_moved(transfer: MembershipTransfer, now: datetime) -> Any:
    """A relation that changed meanwhile cannot be received on the strength of an old letter."""
    staff = transfer.staff
    if staff is None or staff.membership != transfer.membership or staff.relation_holder_id != transfer.department_id:
        return _l("The department no longer holds this relation. Please refuse the transfer.")
    return None


REASON = (Field("reason", _l("Reason"), "long_text"),)

MembershipTransfer.workflow = Workflow(
    states=TransferState,
    lock=lambda session, transfer: [(AgencyStaff, transfer.staff_id)] if transfer.staff_id is not None else [],
    transitions=(
        Transition(
            "send",
            _l("Send transfer"),
            (DEPARTMENT,),
            ("draft",),
            "sent",
            guard=_send_guard,
            effect=_send,
            primary=True,
            icon="send",
            done=_l("Transfer sent"),
            help=_l("The township receives it by the number of its receipt."),
        ),
        Transition(
            "receive",
            _l("Receive relation"),
            (TOWNSHIP,),
            ("sent",),
            "received",
            obstacle=_relation_moved,
            guard=_receive_guard,
            effect=_receive,
            primary=True,
            icon="check",
            done=_l("Relation received"),
            asks=(
                Field("receipt", _l("Number of the receipt"), length=60),
                Field(
                    "received_on",
                    _l("Received on"),
                    "date",
                    default=lambda transfer, person: _today(transfer),
                ),
            ),
            help=_l("From then on the township holds the relation."),
        ),
        Transition(
            "refuse",
            _l("Refuse transfer"),
            (TOWNSHIP,),
            ("sent",),
            "refused",
            effect=_end,
            asks=REASON,
            danger=True,
            icon="circle-x",
            done=_l("Transfer refused"),
        ),
        Transition(
            "withdraw",
            _l("Withdraw"),
            (DEPARTMENT,),
            ("draft", "sent"),
            "withdrawn",
            effect=_end,
            asks=REASON,
            danger=True,
            icon="arrow-back-up",
            done=_l("Transfer withdrawn"),
        ),
    ),
)


def _today(record: CountyRecord) -> date | None:
    """The present day in the record's county."""
    session = sa.orm.object_session(record)
    return work_calendar(session, record.county_id).local_date(clock.now()) if session is not None else None


# What no way of saving may break


@sa.event.listens_for(Session, "before_flush")
def _keep_relations(session: Session, context: Any, instances: Any) -> None:
    """A relation is held by the agency's department or township, and moves by a received transfer only (S6)."""
    with session.no_autoflush, viewer.system():
        for record in [*session.new, *session.dirty]:
            if isinstance(record, AgencyStaff):
                agency = referred(session, record, "agency", StationedAgency)
                if agency is not None:
                    _keep_relation(session, record, agency)


def _keep_relation(session: Session, record: AgencyStaff, agency: StationedAgency) -> None:
    """Raises Invalid for a holder that is no side of the agency, or one that moved without a transfer."""
    if record.membership in (None, Membership.none):
        record.relation_holder = None
        return
    holder = referred(session, record, "relation_holder", Organisation)
    if holder is None:
        record.relation_holder = holder = agency.department
    if holder.id not in (agency.department_id, agency.township_id):
        raise Invalid({"relation_holder": _l("Only the department or the township of the agency holds the relation.")})
    state: Any = sa.inspect(record)
    changed = state.attrs.relation_holder_id.history.deleted
    before = changed[0] if changed else (record.relation_holder_id if state.persistent else None)
    if before not in (None, holder.id) and not session.info.get(event.COVERED):
        raise Invalid({"relation_holder": _l("The relation moves by a transfer with receipt only.")})
