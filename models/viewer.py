"""Who is looking, and the one way to act as the system (rules 2, steps 1 and 3)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

ADMINISTRATORS = frozenset({"system_administrator", "security_administrator", "auditor"})
"""The three roles that keep the portal; none carries business powers (spec 1)."""


LEADER_OF = {"township_leader": "township_officer", "department_leader": "department_officer"}
"""Leaders may do all that officers of their organisation do (2, introduction)."""


@dataclass(frozen=True)
class Deputed:
    """A role that somebody exercises for another person while a substitution is in force."""

    role: str
    person_id: int
    name: str


@dataclass(frozen=True)
class Viewer:
    """A signed-in person as plain values, made once per request.

    Plain because the row filter reads it inside every SELECT: touching an ORM attribute there would load it by another SELECT, endlessly.
    """

    person_id: int
    name: str
    organisation_id: int | None
    organisation_kind: str
    county_id: int | None
    """The county whose business the person takes part in; None for people above counties."""
    region_ids: frozenset[int]
    """Counties that the person may read: the own one, or for a city reader those below the city."""
    lineage_ids: frozenset[int]
    """Own county and its ancestors, whose organisations and checklists are visible."""
    roles: frozenset[str]
    """Own roles, and those exercised for somebody else."""
    permissions: frozenset[tuple[str, str]] = field(default=frozenset(), compare=False, repr=False)
    address: str = ""
    locale: str = "zh_Hans"
    own_roles: frozenset[str] = frozenset()
    own_permissions: frozenset[tuple[str, str]] = field(default=frozenset(), compare=False, repr=False)
    deputed: tuple[Deputed, ...] = ()

    @property
    def whole_installation(self) -> bool:
        """Whether this is an administrator who belongs to no organisation: of everything that is installed, before and beside any county."""
        return self.organisation_id is None and not self.roles.isdisjoint(ADMINISTRATORS)

    def deputed_for(self, roles: frozenset[str]) -> Deputed | None:
        """For whom this person would exercise one of the roles; None where one of them is his own."""
        if not self.own_roles.isdisjoint(roles):
            return None
        return next((one for one in self.deputed if one.role in roles or LEADER_OF.get(one.role) in roles), None)

    def alone(self) -> Viewer:
        """The same person without the roles that he exercises for others."""
        return replace(self, roles=self.own_roles, permissions=self.own_permissions, deputed=())

    def as_deputy(self, one: Deputed) -> Viewer:
        """The same person with the roles of one of those for whom he acts."""
        roles = {one.role, LEADER_OF.get(one.role, one.role)}
        return replace(self, roles=self.own_roles | roles, deputed=(one,))

    def has_role(self, *names: str) -> bool:
        return not self.roles.isdisjoint(names)

    def may(self, permission: str, resource: str) -> bool:
        """Whether one of the person's roles carries a permission on a resource (`can_dispatch`, `Call`)."""
        return (permission, resource) in self.permissions


class _System:
    def __repr__(self) -> str:
        return "SYSTEM"


SYSTEM = _System()
"""Stands for the program itself: guards, automatic steps, numbering, effects."""


class NoViewer(RuntimeError):
    """Scoped rows were asked for where nobody is looking and the system was not named."""


_current: ContextVar[Viewer | _System | None] = ContextVar("viewer", default=None)


_behind: ContextVar[Viewer | None] = ContextVar("behind", default=None)


def current() -> Viewer | _System | None:
    return _current.get()


def current_person() -> Viewer | None:
    """The person looking, or None when the system acts or nobody is signed in."""
    viewer = _current.get()
    return viewer if isinstance(viewer, Viewer) else None


def author() -> Viewer | None:
    """Who is to be written on what is saved now: the person looking, or the one on whose behalf the system acts."""
    return current_person() or _behind.get()


@contextmanager
def viewing(viewer: Viewer | None) -> Iterator[None]:
    """See the world as this person. None sees no scoped row at all."""
    token = _current.set(viewer)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def system(on_behalf_of: Viewer | None = None) -> Iterator[None]:
    """Act as the system: the row filter is off. The only way to switch it off.

    `on_behalf_of` is the person whose step the system carries out; records are stamped with that name.
    """
    token = _current.set(SYSTEM)
    behind = _behind.set(on_behalf_of if on_behalf_of is not None else _behind.get())
    try:
        yield
    finally:
        _behind.reset(behind)
        _current.reset(token)
