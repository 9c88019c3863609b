"""People and their accounts, roles, and sign-in failures (spec 1, spec 5 security)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_appbuilder import Model
from flask_appbuilder.security.sqla.models import User
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship
from werkzeug.security import generate_password_hash

from models import clock, viewer
from models.base import KEY, Kept, UtcDateTime, choice_type, column, describe, reference
from models.field import Text
from models.organisation import Organisation
from models.viewer import Viewer
from models.workflow import Forbidden, State


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


class PersonState(State):
    """Whether somebody is in service. Nobody is deleted: his name stands on what he did."""

    active = "active", _l("In service"), "done"
    suspended = "suspended", _l("Account suspended"), "muted"
    left = "left", _l("Has left"), "muted", True


NO_MAILBOX = "mailbox.invalid"
"""Host of the address that stands for “none”: Flask-AppBuilder wants one that nobody else has. It can never be delivered to."""


class Person(User, Kept):
    """An account of Flask-AppBuilder with its organisation; extends the table in place."""

    __tablename__ = "ab_user"
    __table_args__ = {"extend_existing": True}
    label = _l("Person")
    plural = _l("People")
    natural_key = ("username",)
    attachable = False
    offered = {"active": True}

    name: Mapped[str] = column(
        _l("Name"), sa.String(130), listed=True, searched=True, editable=False, nullable=False, default=""
    )
    """Surname first, without a space between Chinese names; put together from its two parts when saved."""
    organisation_id: Mapped[int | None] = reference(
        _l("Organisation"), "organisation", listed=True, searched=True, required=True
    )
    county_id: Mapped[int | None] = mapped_column(KEY, sa.ForeignKey("organisation.id"), index=True)
    """The county of the organisation, None above counties; kept with it."""
    position: Mapped[str | None] = column(
        _l("Position"), sa.String(60), listed=True, searched=True, help=_l("The office held, e.g. Party secretary.")
    )
    party_secretary: Mapped[bool] = column(
        _l("Party secretary"),
        sa.Boolean,
        nullable=False,
        default=False,
        help=_l("Secretary of the Party committee: signs the township's answers about personnel."),
    )
    phone: Mapped[str | None] = column(_l("Telephone"), sa.String(40))
    locale: Mapped[str | None] = mapped_column(sa.String(16))
    session_epoch: Mapped[int | None] = mapped_column(sa.Integer, default=0)
    """Raised on log-out and password change: sessions and tokens of an earlier epoch have ended."""
    must_change_password: Mapped[bool | None] = mapped_column(sa.Boolean, default=False)
    state: Mapped[PersonState] = column(
        _l("State"),
        choice_type(PersonState),
        listed=True,
        searched=True,
        editable=False,
        nullable=False,
        default=PersonState.active,
    )
    version: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False, default=clock.now)
    created_by_id: Mapped[int | None] = mapped_column(sa.Integer, sa.ForeignKey("ab_user.id"))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False, default=clock.now)
    changed_by_id: Mapped[int | None] = mapped_column(sa.Integer, sa.ForeignKey("ab_user.id"))

    __mapper_args__ = {"version_id_col": version}

    organisation: Mapped[Organisation | None] = relationship(foreign_keys=[organisation_id], lazy="joined")

    @classmethod
    def visible_ids(cls, person: Viewer) -> sa.Select[tuple[int]] | None:
        """Everyone signed in: the people of the own county and its ancestors; a city reader those of the counties below; everyone himself."""
        table = sa.inspect(cls).local_table
        return sa.select(table.c.id).where(
            sa.or_(
                table.c.county_id.in_(person.region_ids),
                table.c.organisation_id.in_(person.lineage_ids),
                table.c.id == person.person_id,
            )
        )

    @property
    def title(self) -> str:
        return self.name

    @property
    def choice_hint(self) -> str:
        organisation = self.organisation.short_name if self.organisation is not None else ""
        return " · ".join(filter(None, (organisation, self.position)))

    def prepare(self, session: Session, person: Viewer) -> None:
        """A new account has no password yet: one is handed out, and changed at the first sign-in."""
        super().prepare(session, person)
        self.active = True
        self.session_epoch = secrets.randbelow(2**16)
        self.must_change_password = True

    def set_password(self, password: str, *, must_change: bool = False) -> None:
        """Hash and store a password; earlier sessions end with it."""
        self.password = generate_password_hash(password)
        self.must_change_password = must_change
        self.session_epoch = (self.session_epoch or 0) + 1

    def get_id(self) -> str:
        """What a session or token remembers: the key and the epoch in which it was made."""
        return f"{self.id}:{self.session_epoch or 0}"

    def __repr__(self) -> str:
        return self.name


_account = User.__table__.c
describe(_account.last_name, _l("Family name"), required=True)
describe(_account.first_name, _l("Given name"), required=True)
describe(_account.username, _l("Account name"), help=_l("What the person signs in with."))
describe(_account.email, _l("E-mail"), required=False)


def _full_name(family: str, given: str) -> str:
    """Surname first, without a space between Chinese names."""
    return f"{family}{given}" if family and not family.isascii() else f"{given} {family}".strip()


@sa.event.listens_for(Session, "before_flush")
def _settle(session: Session, context: Any, instances: Any) -> None:
    """Keep what follows from other columns: the full name, the county of the organisation, whether one may sign in.

    Raises Forbidden where somebody would place a person outside of what he administers.
    """
    placing = viewer.current_person()
    for person in (*session.new, *session.dirty):
        if not isinstance(person, Person):
            continue
        person.name = _full_name(person.last_name or "", person.first_name or "")
        person.email = person.email or f"{person.username}@{NO_MAILBOX}"
        if person.state is None:
            person.state = PersonState.active if person.active in (None, True) else PersonState.suspended
        kept: Any = sa.inspect(person).attrs
        if person.id is None or kept.organisation_id.history.has_changes() or kept.organisation.history.has_changes():
            person.county_id = _county_of(session, person)
            if placing is not None and person.county_id not in placing.region_ids:
                raise Forbidden(_l("People are placed in organisations of your own county."))


def _county_of(session: Session, person: Person) -> int | None:
    table = sa.inspect(Organisation).local_table
    given: Organisation | None = sa.inspect(person).dict.get("organisation")
    chosen: Any = sa.inspect(person).attrs.organisation.history
    key = given.id if given is not None and chosen.has_changes() else person.organisation_id
    return session.connection().execute(sa.select(table.c.county_id).where(table.c.id == key)).scalar() if key else None


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
