"""People and their accounts, roles, and sign-in failures (spec 1, spec 5 security)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask_appbuilder import Model
from flask_appbuilder.security.sqla.models import User
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship
from werkzeug.security import generate_password_hash

from models import clock, viewer
from models.base import KEY, Kept, UtcDateTime, column, describe, reference, state_column
from models.field import Text
from models.organisation import Organisation
from models.refusal import Forbidden, Invalid
from models.viewer import LEADER_OF as LEADER_OF
from models.viewer import Deputed, Viewer
from models.workflow import State
from models.worktime import WorkCalendar


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

ZONE = WorkCalendar().zone
"""Where a day begins for substitutions."""


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
    seen_by_all = True
    natural_key = ("username",)
    attachable = False
    offered = {"active": True}

    if TYPE_CHECKING:  # declared by Flask-AppBuilder
        username: Mapped[str]
        first_name: Mapped[str]
        last_name: Mapped[str]
        email: Mapped[str]
        password: Mapped[str | None]
        active: Mapped[bool]
        roles: Mapped[list[Any]]

    name: Mapped[str] = column(
        _l("Full name"), sa.String(130), listed=True, searched=True, editable=False, nullable=False, default=""
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
    large_text: Mapped[bool | None] = mapped_column(sa.Boolean)
    """Whether this person reads in large text, on whatever computer; None as long as nothing was chosen."""
    session_epoch: Mapped[int | None] = mapped_column(sa.Integer, default=0)
    """Raised on log-out and password change: sessions and tokens of an earlier epoch have ended."""
    must_change_password: Mapped[bool | None] = mapped_column(sa.Boolean, default=False)
    state: Mapped[PersonState] = state_column(PersonState.active)
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
        if person.whole_installation:
            return None
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

    def settle(self, session: Session) -> None:
        """The full name, the county of the organisation, an address for who has none. Raises Invalid for an account name in use, Forbidden outside of
        what one administers."""
        kept: Any = sa.inspect(self).attrs
        self.username = (self.username or "").strip()
        self.name = _full_name(self.last_name or "", self.first_name or "")
        self.email = self.email or f"{self.username}@{NO_MAILBOX}"
        if self.state is None:
            self.state = PersonState.suspended if self.active is False else PersonState.active
        for name, sentence in (
            ("username", _l("Another account already has this name.")),
            ("email", _l("Another account already has this address.")),
        ):
            if kept[name].history.has_changes() and _taken(session, self, name):
                raise Invalid({name: sentence})
        if self.id is None or kept.organisation_id.history.has_changes() or kept.organisation.history.has_changes():
            self.county_id = _county_of(session, self)
            placing = viewer.current_person()
            if placing is not None and not placing.whole_installation and self.county_id not in placing.region_ids:
                raise Forbidden(_l("People are placed in organisations of your own county."))

    @property
    def mailbox(self) -> str:
        """The person's address, empty for none."""
        return "" if self.email.endswith(f"@{NO_MAILBOX}") else self.email

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


def _taken(session: Session, person: Person, name: str) -> bool:
    column_ = sa.inspect(Person).local_table.c[name]
    key = sa.inspect(Person).local_table.c.id
    others = sa.select(key).where(column_ == getattr(person, name), key.is_distinct_from(person.id))
    return session.connection().execute(others.limit(1)).first() is not None


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


@dataclass
class Surroundings:
    """What stands around every page of a person."""

    county: str = ""
    office_phone: str = ""
    unread: int = 0
    """Messages in his inbox, counted to `UNREAD_CAP`."""
    clock_offset: float | None = None
    """Seconds by which the clock of a demonstration is moved; None where this is none."""

    def take(self, what: str, value: str) -> None:
        """One of the values, as the database says it."""
        if what == "county":
            self.county = value
        elif what == "phone":
            self.office_phone = value
        elif what == "unread":
            self.unread = int(value)
        else:
            self.clock_offset = float(value)


UNREAD_CAP = 100
"""The bell counts to here."""


def make_viewer(session: Session, person: Person, *, address: str = "") -> Viewer:
    """The plain value of a person who looks."""
    return look_up(session, person, address=address)[0]


def look_up(session: Session, person: Person, *, address: str = "") -> tuple[Viewer, Surroundings]:
    """The plain value of a person who looks, and what stands around his pages: one statement for roles, permissions, substitutions, lineage and
    surroundings, a second one for a reader of several counties and for the administrators of the whole installation."""
    organisation = person.organisation
    county_id = organisation.county_id if organisation else None
    roles: set[str] = set()
    permissions: set[tuple[str, str]] = set()
    lent: set[tuple[str, str]] = set()
    lineage: set[int] = set()
    deputed: list[Deputed] = []
    around = Surroundings()
    asked = {
        "person": person.id,
        "county": county_id or person.organisation_id,
        "today": clock.now().astimezone(ZONE).date(),
    }
    for row in session.connection().execute(_standing(), asked):
        what, first, second = str(row[0]), str(row[1]), str(row[2])
        if what == "permission":
            permissions.add((first, second))
        elif what == "lent":
            lent.add((first, second))
        elif what == "role":
            roles.add(first)
        elif what == "deputed":
            key, _slash, name = second.partition("/")
            deputed.append(Deputed(first, int(key), name))
        elif what == "above":
            lineage.add(int(first))
        else:
            around.take(what, first)
    own = frozenset(_with_officers(roles) & ROLES.keys())
    found = Viewer(
        person_id=person.id,
        name=person.name,
        organisation_id=person.organisation_id,
        organisation_kind=str(organisation.kind.value) if organisation else "",
        county_id=county_id,
        region_ids=frozenset({county_id} if county_id is not None else ()),
        lineage_ids=frozenset(lineage),
        roles=own | (_with_officers({one.role for one in deputed}) & ROLES.keys()),
        permissions=frozenset(permissions | lent),
        address=address,
        locale=person.locale or "zh_Hans",
        own_roles=own,
        own_permissions=frozenset(permissions),
        deputed=tuple(sorted(deputed, key=lambda one: (one.role, one.person_id))),
    )
    if county_id is None:
        below = counties_below(session, person.organisation_id, everywhere=found.whole_installation)
        found = replace(found, region_ids=frozenset(below))
    return found, around


def _with_officers(roles: set[str]) -> set[str]:
    return roles | {LEADER_OF[role] for role in roles if role in LEADER_OF}


@cache
def _standing() -> sa.CompoundSelect[Any]:
    """(what, first, second): every permission and role of a person, direct or by group, the permissions lent to him as a substitute, for whom, the
    county with its ancestors, and his surroundings. In the path of every request, so one statement, made once; asked for with `person`, `county`
    and `today`."""
    person_id, county_id = sa.bindparam("person", type_=sa.Integer), sa.bindparam("county", type_=KEY)
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
    substitution, account, principal_role = tables["substitution"], tables["ab_user"], role.alias()
    today = sa.bindparam("today", type_=sa.Date)
    in_force = (
        sa.select(substitution.c.role, substitution.c.person_id, account.c.name, principal_role.c.id.label("role_id"))
        .join(account, account.c.id == substitution.c.person_id)
        .join(principal_role, principal_role.c.name == substitution.c.role)
        .join(
            user_role,
            sa.and_(user_role.c.user_id == substitution.c.person_id, user_role.c.role_id == principal_role.c.id),
        )
        .where(
            substitution.c.substitute_id == person_id,
            substitution.c.begins <= today,
            substitution.c.ends >= today,
            account.c.active == sa.true(),
        )
        .cte("in_force")
    )
    own = (
        sa.select(user_role.c.role_id).where(user_role.c.user_id == person_id),
        sa.select(group_role.c.role_id)
        .join(user_group, user_group.c.group_id == group_role.c.group_id)
        .where(user_group.c.user_id == person_id),
    )

    def permissions(what: str, held: Any) -> sa.Select[Any]:
        return (
            sa.select(sa.literal(what), permission.c.name, resource.c.name)
            .select_from(role_permission)
            .join(pair, pair.c.id == role_permission.c.permission_view_id)
            .join(permission, permission.c.id == pair.c.permission_id)
            .join(resource, resource.c.id == pair.c.view_menu_id)
            .where(role_permission.c.role_id.in_(held))
            .distinct()
        )

    roles = sa.select(sa.literal("role"), role.c.name, sa.literal("")).where(role.c.id.in_(sa.union(*own)))
    deputed = sa.select(
        sa.literal("deputed"),
        in_force.c.role,
        sa.cast(in_force.c.person_id, sa.String) + sa.literal("/") + in_force.c.name,
    )
    chain = (
        sa.select(organisation.c.id, organisation.c.parent_id)
        .where(organisation.c.id == county_id)
        .cte("chain", recursive=True)
    )
    chain = chain.union(
        sa.select(organisation.c.id, organisation.c.parent_id).join(chain, organisation.c.id == chain.c.parent_id)
    )
    above = sa.select(sa.literal("above"), sa.cast(chain.c.id, sa.String), sa.literal(""))
    lent = permissions("lent", sa.select(in_force.c.role_id))
    return sa.union_all(
        permissions("permission", sa.union(*own)), lent, roles, deputed, above, *_surroundings(person_id, county_id)
    )


def _surroundings(person_id: Any, county_id: Any) -> Iterator[sa.Select[Any]]:
    """(what, value, ""): what `Surroundings` takes."""
    tables = Model.metadata.tables
    notification, setting, demonstration = tables["notification"], tables["setting"], tables["demonstration"]
    organisation = sa.inspect(Organisation).local_table
    unread = (
        sa.select(notification.c.id)
        .where(notification.c.person_id == person_id, notification.c.read_at.is_(None))
        .limit(UNREAD_CAP)
        .subquery()
    )

    def one(what: str, value: Any) -> sa.Select[Any]:
        return sa.select(sa.literal(what), value, sa.literal(""))

    yield one("unread", sa.cast(sa.func.count(unread.c.id), sa.String))
    yield one("clock", sa.cast(demonstration.c.clock_offset, sa.String))
    yield one("county", organisation.c.name).where(organisation.c.id == county_id, organisation.c.kind == "county")
    yield one("phone", setting.c.value).where(setting.c.county_id == county_id, setting.c.name == "office_phone")


def counties_below(session: Session, organisation_id: int | None, *, everywhere: bool = False) -> list[int]:
    """All counties under a city or province, or of the whole installation."""
    table = sa.inspect(Organisation).local_table
    if everywhere:
        return list(session.connection().execute(sa.select(table.c.id).where(table.c.kind == "county")).scalars())
    if organisation_id is None:
        return []
    tree = sa.select(table.c.id, table.c.kind).where(table.c.id == organisation_id).cte("tree", recursive=True)
    tree = tree.union_all(
        sa.select(table.c.id, table.c.kind)
        .join(tree, table.c.parent_id == tree.c.id)
        .where(table.c.kind.in_(["city", "county"]))
    )
    return list(session.connection().execute(sa.select(tree.c.id).where(tree.c.kind == "county")).scalars())
