"""Organisations: province → city → county → offices, departments, townships and stationed agencies (spec 1)."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship
from sqlalchemy.orm.attributes import set_committed_value

from models import viewer
from models.base import KEY, Record, choice_type, column, reference
from models.field import Choice
from models.refusal import Forbidden, Invalid
from models.workflow import State


class OrganisationKind(Choice):
    province = "province", _l("Province")
    city = "city", _l("City")
    county = "county", _l("County")
    office = "office", _l("County office")
    department = "department", _l("County department")
    township = "township", _l("Township")
    agency = "agency", _l("Stationed agency")


class RunBy(Choice):
    county = "county", _l("Run by the county")
    vertical = "vertical", _l("Run vertically by a higher level")
    enterprise = "enterprise", _l("Enterprise or utility")


class OrganisationState(State):
    active = "active", _l("In existence"), "done"
    merged = "merged", _l("Merged into another"), "muted", True
    abolished = "abolished", _l("Abolished"), "muted", True


ABOVE_COUNTIES = frozenset({OrganisationKind.province, OrganisationKind.city, OrganisationKind.county})
"""Kinds that only who administers the whole installation founds."""


class Organisation(Record):
    """A public body. Its order (规范排序) is the order on every list."""

    __table_args__ = (sa.Index("ix_organisation_county_kind", "county_id", "kind", "order"),)
    label = _l("Organisation")
    plural = _l("Organisations")
    seen_by_all = True
    natural_key = ("name",)
    parts = ("aliases",)
    offered = {"active": True}

    county_id: Mapped[int | None] = mapped_column(KEY, sa.ForeignKey("organisation.id"), index=True)
    """The county that it belongs to; a county's own key for itself; None above counties."""
    # People belong to organisations, which people keep: of this circle, these two keys are made last.
    created_by_id: Mapped[int | None] = mapped_column(
        sa.Integer, sa.ForeignKey("ab_user.id", name="fk_organisation_created_by", use_alter=True), sort_order=82
    )
    changed_by_id: Mapped[int | None] = mapped_column(
        sa.Integer, sa.ForeignKey("ab_user.id", name="fk_organisation_changed_by", use_alter=True), sort_order=84
    )
    name: Mapped[str] = column(_l("Government name"), sa.String(100), listed=True, searched=True, nullable=False)
    party_name: Mapped[str] = column(_l("Party name"), sa.String(100), required=False, nullable=False, default="")
    short_name: Mapped[str] = column(_l("Short name"), sa.String(40), listed=True, searched=True, nullable=False)
    kind: Mapped[OrganisationKind] = column(
        _l("Kind"), choice_type(OrganisationKind), listed=True, searched=True, nullable=False
    )
    run_by: Mapped[RunBy] = column(_l("Run by"), choice_type(RunBy), nullable=False, default=RunBy.county)
    parent_id: Mapped[int | None] = reference(_l("Belongs to"), "organisation", required=False)
    order: Mapped[int] = column(_l("Order"), sa.Integer, listed=True, required=True, nullable=False, default=0)
    phone: Mapped[str] = column(_l("Office telephone"), sa.String(40), required=False, nullable=False, default="")
    active: Mapped[bool] = column(_l("In existence"), sa.Boolean, editable=False, nullable=False, default=True)
    """Follows the state."""
    state: Mapped[OrganisationState] = column(
        _l("State"), choice_type(OrganisationState), editable=False, nullable=False, default=OrganisationState.active
    )
    successor_id: Mapped[int | None] = reference(_l("Successor"), "organisation", editable=False, required=False)

    parent: Mapped[Organisation | None] = relationship(foreign_keys=[parent_id], remote_side="Organisation.id")
    successor: Mapped[Organisation | None] = relationship(foreign_keys=[successor_id], remote_side="Organisation.id")
    aliases: Mapped[list[OrganisationAlias]] = relationship(back_populates="organisation", cascade="all, delete-orphan")

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Everyone signed in: own county and its ancestors; a city reader the counties below (2.1, end). Who administers all: all."""
        if person.whole_installation:
            return None
        table = sa.inspect(cls).local_table
        return sa.select(table.c.id).where(
            sa.or_(table.c.county_id.in_(person.region_ids), table.c.id.in_(person.lineage_ids))
        )

    def settle(self, session: Session) -> None:
        """What is kept below a county belongs to it. Raises Invalid for a parent that cannot be, Forbidden outside of what one administers."""
        super().settle(session)
        person, kept = viewer.current_person(), cast("Any", sa.inspect(self).attrs)
        renamed = [name for name in ("name", "party_name", "short_name") if kept[name].history.has_changes()]
        if self.id is not None and person is not None and renamed:
            raise Invalid({renamed[0]: _l("Names are changed by “Rename”, so that the old one stays known.")})
        if self.id is not None and self.parent_id == self.id:
            raise Invalid({"parent": _l("An organisation does not belong to itself.")})
        if self.kind in ABOVE_COUNTIES:
            if (
                person is not None
                and not person.whole_installation
                and (self.id is None or kept.kind.history.has_changes())
            ):
                raise Invalid({"kind": _l("Only who administers the whole installation founds such an organisation.")})
        elif kept.parent_id.history.has_changes() and self.parent_id is not None:
            self.county_id = _county_of(session, self.parent_id) or self.county_id
        if self.id is None and person is not None and self.county_id is None and self.kind not in ABOVE_COUNTIES:
            raise Invalid({"parent": _l("Please name the county or the organisation to which it belongs.")})

    def prepare(self, session: Session, person: viewer.Viewer) -> None:
        super().prepare(session, person)
        if self.county_id is None and person.county_id is not None:
            self.county_id, self.parent_id = person.county_id, self.parent_id or person.county_id

    def check_change(self, person: viewer.Viewer) -> None:
        if not person.whole_installation and self.county_id != person.county_id:
            raise Forbidden(_l("You keep the organisations of your own county."))

    @property
    def title(self) -> str:
        return self.short_name

    @property
    def choice_hint(self) -> str:
        return self.name


class OrganisationAlias(Record):
    """Another name under which papers and lists mention an organisation."""

    __table_args__ = (sa.UniqueConstraint("organisation_id", "name"), sa.Index("ix_organisation_alias_name", "name"))
    label = _l("Other name")
    plural = _l("Other names")
    seen_by_all = True

    organisation_id: Mapped[int] = reference(_l("Organisation"), "organisation", nullable=False, ondelete="CASCADE")
    name: Mapped[str] = column(_l("Other name"), sa.String(200), searched=True, nullable=False)
    borne_until: Mapped[date | None] = column(
        _l("Borne until"), sa.Date, help=_l("For a former name: the last day on which it was the official one.")
    )

    organisation: Mapped[Organisation] = relationship(back_populates="aliases")

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        table, visible = sa.inspect(cls).local_table, Organisation.visible_ids(person)
        return None if visible is None else sa.select(table.c.id).where(table.c.organisation_id.in_(visible))


def _county_of(session: Session, organisation_id: int) -> int | None:
    table = sa.inspect(Organisation).local_table
    return session.connection().execute(sa.select(table.c.county_id).where(table.c.id == organisation_id)).scalar()


@sa.event.listens_for(Organisation, "after_insert")
def _county_of_itself(mapper: Any, connection: sa.Connection, organisation: Organisation) -> None:
    """A county belongs to itself."""
    if organisation.kind == OrganisationKind.county and organisation.county_id is None:
        table = sa.inspect(Organisation).local_table
        connection.execute(sa.update(table).where(table.c.id == organisation.id).values(county_id=organisation.id))
        set_committed_value(organisation, "county_id", organisation.id)


def find_by_name(session: Session, county_id: int, name: str) -> Organisation | None:
    """The county's organisation with exactly this name, short name or known alias; None when nobody or more than one bears it (2.4)."""
    found = set(
        session.scalars(
            sa.select(Organisation)
            .outerjoin(OrganisationAlias)
            .where(
                Organisation.county_id == county_id,
                sa.or_(
                    Organisation.name == name,
                    Organisation.short_name == name,
                    Organisation.party_name == name,
                    OrganisationAlias.name == name,
                ),
            )
        ).unique()
    )
    return found.pop() if len(found) == 1 else None
