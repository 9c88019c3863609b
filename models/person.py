"""People and their accounts, roles, and sign-in failures (spec 1, spec 5 security)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_appbuilder import Model
from flask_appbuilder.security.sqla.models import User
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models.base import KEY, UtcDateTime
from models.field import Text
from models.organisation import Organisation
from models.viewer import Viewer


@dataclass(frozen=True)
class RoleSpec:
    """A role of spec 1: its identifier, its name for people, and whether it reads without ever writing."""

    name: str
    label: Text
    read_only: bool = False


ROLES: dict[str, RoleSpec] = {
    spec.name: spec
    for spec in (
        RoleSpec("system_administrator", _l("System administrator")),
        RoleSpec("security_administrator", _l("Security administrator")),
        RoleSpec("auditor", _l("Auditor"), read_only=True),
        RoleSpec("checklist_manager", _l("Checklist manager")),
        RoleSpec("legal_reviewer", _l("Legal reviewer")),
        RoleSpec("dispatcher", _l("Dispatcher")),
        RoleSpec("office_director", _l("Office director")),
        RoleSpec("duty_officer", _l("Duty officer")),
        RoleSpec("supervisor", _l("Supervisor")),
        RoleSpec("assessor", _l("Assessor")),
        RoleSpec("personnel_officer", _l("Personnel officer")),
        RoleSpec("county_leader", _l("County leader")),
        RoleSpec("city_reader", _l("City reader"), read_only=True),
        RoleSpec("township_officer", _l("Township officer")),
        RoleSpec("township_leader", _l("Township leader")),
        RoleSpec("department_officer", _l("Department officer (liaison)")),
        RoleSpec("department_leader", _l("Department leader")),
        RoleSpec("agency_head", _l("Head of a stationed agency")),
    )
}

LEADER_OF = {"township_leader": "township_officer", "department_leader": "department_officer"}
"""Leaders may do all that officers of their organisation do (2, introduction)."""


class Person(User):
    """An account of Flask-AppBuilder with its organisation; extends the table in place."""

    __tablename__ = "ab_user"
    __table_args__ = {"extend_existing": True}
    label = _l("Person")
    plural = _l("People")

    organisation_id: Mapped[int | None] = mapped_column(KEY, sa.ForeignKey("organisation.id"), index=True)
    position: Mapped[str | None] = mapped_column(sa.String(60))
    """Office held, e.g. 党委书记."""
    phone: Mapped[str | None] = mapped_column(sa.String(40))
    locale: Mapped[str | None] = mapped_column(sa.String(16))
    session_epoch: Mapped[int | None] = mapped_column(sa.Integer, default=0)
    """Raised on log-out and password change: sessions and tokens of an earlier epoch have ended."""
    must_change_password: Mapped[bool | None] = mapped_column(sa.Boolean, default=False)

    organisation: Mapped[Organisation | None] = relationship(foreign_keys=[organisation_id], lazy="joined")

    @property
    def name(self) -> str:
        """Surname first, without a space between Chinese names."""
        family, given = self.last_name or "", self.first_name or ""
        return f"{family}{given}" if family and not family.isascii() else f"{given} {family}".strip()

    @property
    def title(self) -> str:
        return self.name

    def get_id(self) -> str:
        """What a session or token remembers: the key and the epoch in which it was made."""
        return f"{self.id}:{self.session_epoch or 0}"

    def __repr__(self) -> str:
        return self.name


class SignInFailure(Model):
    """A wrong password, counted per account name and per address (spec 4, end)."""

    __tablename__ = "sign_in_failure"
    __table_args__ = (
        sa.Index("ix_sign_in_failure_username", "username", "at"),
        sa.Index("ix_sign_in_failure_address", "address", "at"),
    )

    id: Mapped[int] = mapped_column(KEY, primary_key=True)
    username: Mapped[str] = mapped_column(sa.String(128), nullable=False)
    address: Mapped[str] = mapped_column(sa.String(64), nullable=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)


def make_viewer(session: Session, person: Person, *, address: str = "") -> Viewer:
    """The plain value of a person who looks: one statement for roles, permissions and lineage, a second one for a reader of several counties."""
    organisation = person.organisation
    county_id = organisation.county_id if organisation else None
    roles: set[str] = set()
    permissions: set[tuple[str, str]] = set()
    lineage: set[int] = set()
    for row in session.connection().execute(_standing(person.id, county_id or person.organisation_id)):
        what, first, second = str(row[0]), str(row[1]), str(row[2])
        if what == "permission":
            permissions.add((first, second))
        elif what == "role":
            roles.add(first)
        else:
            lineage.add(int(first))
    roles |= {LEADER_OF[role] for role in roles if role in LEADER_OF}
    if county_id is not None:
        regions = frozenset({county_id})
    else:
        regions = (
            frozenset(counties_below(session, person.organisation_id))
            if person.organisation_id is not None
            else frozenset()
        )
    return Viewer(
        person_id=person.id,
        name=person.name,
        organisation_id=person.organisation_id,
        organisation_kind=str(organisation.kind.value) if organisation else "",
        county_id=county_id,
        region_ids=regions,
        lineage_ids=frozenset(lineage),
        roles=frozenset(roles & ROLES.keys()),
        permissions=frozenset(permissions),
        address=address,
        locale=person.locale or "zh_Hans",
    )


def _standing(person_id: int, county_id: int | None) -> sa.CompoundSelect[Any]:
    """(what, first, second): every permission and role of a person, direct or by group, and the county with its
    ancestors. In the path of every request, so one statement."""
    tables = Model.metadata.tables
    user_role, group_role, user_group, role = (
        tables["ab_user_role"],
        tables["ab_group_role"],
        tables["ab_user_group"],
        tables["ab_role"],
    )
    role_permission, pair = tables["ab_permission_view_role"], tables["ab_permission_view"]
    permission, resource, organisation = (
        tables["ab_permission"],
        tables["ab_view_menu"],
        sa.inspect(Organisation).local_table,
    )
    held = sa.union(
        sa.select(user_role.c.role_id).where(user_role.c.user_id == person_id),
        sa.select(group_role.c.role_id)
        .join(user_group, user_group.c.group_id == group_role.c.group_id)
        .where(user_group.c.user_id == person_id),
    )
    permissions = (
        sa.select(sa.literal("permission"), permission.c.name, resource.c.name)
        .select_from(role_permission)
        .join(pair, pair.c.id == role_permission.c.permission_view_id)
        .join(permission, permission.c.id == pair.c.permission_id)
        .join(resource, resource.c.id == pair.c.view_menu_id)
        .where(role_permission.c.role_id.in_(held))
        .distinct()
    )
    roles = sa.select(sa.literal("role"), role.c.name, sa.literal("")).where(role.c.id.in_(held))
    chain = (
        sa.select(organisation.c.id, organisation.c.parent_id)
        .where(organisation.c.id == county_id)
        .cte("chain", recursive=True)
    )
    chain = chain.union(
        sa.select(organisation.c.id, organisation.c.parent_id).join(chain, organisation.c.id == chain.c.parent_id)
    )
    above = sa.select(sa.literal("above"), sa.cast(chain.c.id, sa.String), sa.literal(""))
    return sa.union_all(permissions, roles, above)


def counties_below(session: Session, organisation_id: int) -> list[int]:
    """All counties under a city or province."""
    table = sa.inspect(Organisation).local_table
    tree = sa.select(table.c.id, table.c.kind).where(table.c.id == organisation_id).cte("tree", recursive=True)
    tree = tree.union_all(
        sa.select(table.c.id, table.c.kind)
        .join(tree, table.c.parent_id == tree.c.id)
        .where(table.c.kind.in_(["city", "county"]))
    )
    return list(session.connection().execute(sa.select(tree.c.id).where(tree.c.kind == "county")).scalars())
