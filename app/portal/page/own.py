"""A person's own account, the interface for programs, and what is shown when something cannot be."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.portal.page.elements import Button, Fact


@dataclass(frozen=True)
class ErrorPage:
    status: int
    title: str
    text: str
    """What happened and what to do, with the person to call."""
    buttons: tuple[Button, ...] = field(default=())


@dataclass(frozen=True)
class ProfilePage:
    """One's own account."""

    title: str
    facts: tuple[Fact, ...]
    password_url: str
    told: tuple[Fact, ...] = ()
    """By which ways the person is told what; empty where nothing leaves the installation."""
    told_url: str = ""


@dataclass(frozen=True)
class Resource:
    """A resource of the REST interface and what it offers, in words."""

    name: str
    label: str
    path: str
    operations: tuple[str, ...]
    steps: tuple[tuple[str, str], ...]
    """(identifier, label) of each step."""


@dataclass(frozen=True)
class InterfacePage:
    """How programs use the portal."""

    title: str
    address: str
    resources: tuple[Resource, ...]
