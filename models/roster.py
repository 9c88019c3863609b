"""Who can be reached: the duty roster and the liaisons of every organisation (K2, K3; 2.2)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, relationship

from models import viewer
from models.base import CountyRecord, UtcDateTime, column, person_reference, reference
from models.organisation import Organisation, OrganisationKind
from models.person import Person
from models.refusal import Forbidden

KEEPERS = frozenset({"dispatcher", "office_director", "duty_officer"})
"""Roles of the county's offices that keep the roster and the liaisons of every organisation."""

KEEPING_ORGANISATIONS = {
    "kind": [OrganisationKind.office, OrganisationKind.department, OrganisationKind.township, OrganisationKind.agency],
    "active": True,
}


def may_keep(organisation_id: int | None, person: viewer.Viewer) -> bool:
    """Whether somebody keeps the entries of an organisation: his own, or every one as an office of the county."""
    return person.has_role(*KEEPERS) or (organisation_id is not None and organisation_id == person.organisation_id)


class Roster(CountyRecord):
    """What the entries of roster and directory have in common: seen by the own county, kept by the offices and by each organisation itself."""

    __abstract__ = True
    seen_by_all = True

    organisation_id: Mapped[int]

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Everyone of the county: whoever needs help must find whom to call."""
        table = sa.inspect(cls).local_table
        return sa.select(table.c.id).where(table.c.county_id.in_(person.region_ids))

    def prepare(self, session: Session, person: viewer.Viewer) -> None:
        super().prepare(session, person)
        if not may_keep(person.organisation_id, person):
            raise Forbidden()

    def check_change(self, person: viewer.Viewer) -> None:
        if not may_keep(self.organisation_id, person):
            raise Forbidden(_l("An organisation keeps its own entries."))

    def check_delete(self, person: viewer.Viewer) -> None:
        self.check_change(person)


def own_organisation(record: object, person: viewer.Viewer) -> int | None:
    return person.organisation_id


class DutyShift(Roster):
    """A time during which a person answers for an organisation, and at which place of the chain he is called."""

    __table_args__ = (
        sa.UniqueConstraint("organisation_id", "person_id", "begins"),
        sa.CheckConstraint("ends > begins", name="ck_duty_shift_time"),
        sa.CheckConstraint("position >= 1", name="ck_duty_shift_position"),
        sa.Index("ix_duty_shift_time", "county_id", "begins", "ends"),
        sa.Index("ix_duty_shift_person", "person_id", "begins"),
    )
    label = _l("Duty shift")
    plural = _l("Duty roster")
    natural_key = ("organisation", "person", "begins")

    organisation_id: Mapped[int] = reference(
        _l("Organisation"),
        "organisation",
        only=KEEPING_ORGANISATIONS,
        listed=True,
        searched=True,
        nullable=False,
        prefill=own_organisation,
    )
    person_id: Mapped[int] = person_reference(_l("Person on duty"), listed=True, nullable=False)
    phone: Mapped[str] = column(_l("Duty telephone"), sa.String(40), listed=True, searched=True, nullable=False)
    begins: Mapped[datetime] = column(_l("Begins"), UtcDateTime, listed=True, nullable=False)
    ends: Mapped[datetime] = column(_l("Ends"), UtcDateTime, listed=True, nullable=False)
    position: Mapped[int] = column(
        _l("Place in the chain"),
        sa.Integer,
        listed=True,
        required=True,
        nullable=False,
        default=1,
        prefill=1,
        help=_l("1 is called first; the next one after ten minutes without an answer."),
    )

    organisation: Mapped[Organisation] = relationship(foreign_keys=[organisation_id])
    person: Mapped[Person] = relationship(foreign_keys=[person_id])

    @property
    def title(self) -> str:
        return f"{self.organisation.short_name} {self.person.name}"


class Liaison(Roster):
    """The person of an organisation whom the others turn to, with his substitute (联络员)."""

    __table_args__ = (sa.UniqueConstraint("organisation_id", "person_id"),)
    label = _l("Liaison")
    plural = _l("Liaisons")
    natural_key = ("organisation", "person")

    organisation_id: Mapped[int] = reference(
        _l("Organisation"),
        "organisation",
        only=KEEPING_ORGANISATIONS,
        listed=True,
        searched=True,
        nullable=False,
        index=False,
        prefill=own_organisation,
    )
    person_id: Mapped[int] = person_reference(_l("Liaison person"), listed=True, nullable=False)
    phone: Mapped[str] = column(_l("Telephone"), sa.String(40), listed=True, searched=True, nullable=False)
    substitute_id: Mapped[int | None] = person_reference(_l("Substitute"), listed=True, required=False)
    active: Mapped[bool] = column(_l("In service"), sa.Boolean, listed=True, nullable=False, default=True, prefill=True)

    organisation: Mapped[Organisation] = relationship(foreign_keys=[organisation_id])
    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    substitute: Mapped[Person | None] = relationship(foreign_keys=[substitute_id])

    @property
    def title(self) -> str:
        return f"{self.organisation.short_name} {self.person.name}"


def on_duty(session: Session, organisation_id: int, instant: datetime) -> list[DutyShift]:
    """Who is called for an organisation at an instant, in the order of the chain."""
    query = sa.select(DutyShift).where(
        DutyShift.organisation_id == organisation_id, DutyShift.begins <= instant, DutyShift.ends > instant
    )
    return list(session.scalars(query.order_by(DutyShift.position, DutyShift.id)))


def duty_leaders(session: Session, county_id: int, instant: datetime) -> list[int]:
    """Keys of the county leaders who are on duty anywhere in the county at an instant, in the order of the chain."""
    query = (
        sa.select(DutyShift.person_id)
        .join(Person, Person.id == DutyShift.person_id)
        .where(
            DutyShift.county_id == county_id,
            DutyShift.begins <= instant,
            DutyShift.ends > instant,
            Person.active.is_(True),
            Person.roles.any(name="county_leader"),
        )
        .order_by(DutyShift.position, DutyShift.id)
    )
    return list(session.scalars(query))
