"""Who stands in for whom, and which departments a county leader has (spec 1: substitutes, portfolio 分管部门)."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, relationship

from models import viewer
from models.base import CountyRecord, column, person_reference, reference
from models.organisation import Organisation, OrganisationKind
from models.person import ROLES, Person
from models.refusal import Forbidden, Invalid
from models.viewer import ADMINISTRATORS


def _roles_to_depute(record: object) -> list[tuple[str, object]]:
    """Business roles only: nobody stands in for an administrator, whose powers are kept apart."""
    return [(role.name, role.label) for role in ROLES.values() if role.name not in ADMINISTRATORS]


class Substitution(CountyRecord):
    """While in force, the substitute acts for the person in one of his roles; every step names both."""

    __table_args__ = (
        sa.CheckConstraint("ends >= begins", name="ck_substitution_time"),
        sa.CheckConstraint("substitute_id <> person_id", name="ck_substitution_other"),
        sa.Index("ix_substitution_substitute", "substitute_id", "ends"),
    )
    label = _l("Substitution")
    plural = _l("Substitutions")
    attachable = False

    person_id: Mapped[int] = person_reference(_l("Acts for"), listed=True, nullable=False, index=True)
    substitute_id: Mapped[int] = person_reference(_l("Substitute"), listed=True, nullable=False)
    role: Mapped[str] = column(
        _l("In the role"), sa.String(64), kind="choice", choices=_roles_to_depute, listed=True, nullable=False
    )
    begins: Mapped[date] = column(_l("From day"), sa.Date, listed=True, nullable=False)
    ends: Mapped[date] = column(_l("Up to and including"), sa.Date, listed=True, nullable=False)
    reason: Mapped[str] = column(
        _l("Reason"), sa.String(200), required=False, nullable=False, default="", help=_l("E.g. appointed secretary.")
    )

    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    substitute: Mapped[Person] = relationship(foreign_keys=[substitute_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """The county's administrators and its auditor; the two people."""
        table = sa.inspect(cls).local_table
        mine = sa.or_(table.c.person_id == person.person_id, table.c.substitute_id == person.person_id)
        if person.has_role(*ADMINISTRATORS):
            mine = sa.or_(mine, table.c.county_id.in_(person.region_ids))
        return sa.select(table.c.id).where(mine)

    def settle(self, session: Session) -> None:
        """Both people of the county, two different ones, the role held by the first. Nobody appoints himself."""
        super().settle(session)
        person, substitute = _account(session, self, "person"), _account(session, self, "substitute")
        if person is None or substitute is None:
            return
        if self.county_id is None:
            self.county_id = person.county_id
        if person.id == substitute.id:
            raise Invalid({"substitute": _l("Nobody stands in for himself.")})
        if {person.county_id, substitute.county_id} != {self.county_id}:
            raise Invalid({"substitute": _l("Both people must belong to the county.")})
        if self.ends is not None and self.begins is not None and self.ends < self.begins:
            raise Invalid({"ends": _l("The end lies before the beginning.")})
        if self.role not in _roles_of(session, person.id):
            raise Invalid({"role": _l("%(name)s does not have this role.", name=person.name)})
        if ADMINISTRATORS & _roles_of(session, substitute.id):
            raise Invalid({"substitute": _l("An administrator does not take business powers, not even for somebody.")})
        appointing = viewer.current_person()
        if appointing is not None and appointing.person_id == substitute.id:
            raise Forbidden(_l("Nobody appoints himself as a substitute."))

    @property
    def title(self) -> str:
        return f"{self.substitute.name} → {self.person.name}"


def _account(session: Session, record: Substitution, which: str) -> sa.Row[tuple[int, int | None, str]] | None:
    """Key, county and name of one of the two people; None where none is named yet."""
    given: Person | None = sa.inspect(record).dict.get(which)
    chosen = getattr(sa.inspect(record).attrs, which).history
    key = given.id if given is not None and chosen.has_changes() else getattr(record, f"{which}_id")
    table = sa.inspect(Person).local_table
    query = sa.select(table.c.id, table.c.county_id, table.c.name).where(table.c.id == key)
    return session.connection().execute(query).one_or_none()


def _roles_of(session: Session, person_id: int) -> set[str]:
    tables = Person.metadata.tables
    held, role = tables["ab_user_role"], tables["ab_role"]
    query = sa.select(role.c.name).join(held, held.c.role_id == role.c.id).where(held.c.user_id == person_id)
    return set(session.connection().execute(query).scalars())


class Portfolio(CountyRecord):
    """A department that a county leader has in charge (分管)."""

    __table_args__ = (sa.UniqueConstraint("person_id", "department_id"),)
    label = _l("Portfolio department")
    plural = _l("Portfolios of the county leaders")
    seen_by_all = True
    natural_key = ("person", "department")
    attachable = False

    person_id: Mapped[int] = person_reference(_l("County leader"), listed=True, nullable=False)
    department_id: Mapped[int] = reference(
        _l("Department"),
        "organisation",
        only={"kind": [OrganisationKind.department, OrganisationKind.office, OrganisationKind.agency]},
        listed=True,
        searched=True,
        nullable=False,
    )

    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    department: Mapped[Organisation] = relationship(foreign_keys=[department_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Everyone of the county: it is part of the directory."""
        table = sa.inspect(cls).local_table
        return sa.select(table.c.id).where(table.c.county_id.in_(person.region_ids))

    @property
    def title(self) -> str:
        return f"{self.person.name} · {self.department.short_name}"


def portfolio_of(session: Session, person_id: int) -> list[int]:
    """Keys of the departments that a county leader has in charge."""
    table = sa.inspect(Portfolio).local_table
    query = sa.select(table.c.department_id).where(table.c.person_id == person_id).order_by(table.c.department_id)
    return list(session.connection().execute(query).scalars())
