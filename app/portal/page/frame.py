"""Everything around a page: navigation, person, language."""

from __future__ import annotations

from dataclasses import dataclass

from app.portal.page.elements import Link


@dataclass(frozen=True)
class NavEntry:
    label: str
    url: str
    active: bool = False
    counted: bool = False
    """Whether the number of what waits stands beside it; the page asks for it when it is there."""


@dataclass(frozen=True)
class NavGroup:
    """A group of the side navigation; one without entries links itself. `bottom` groups appear in the bottom bar on phones (five at most)."""

    label: str
    icon: str
    url: str = ""
    entries: tuple[NavEntry, ...] = ()
    active: bool = False
    bottom: bool = False


@dataclass(frozen=True)
class Frame:
    """Everything around a page. Given to every template as `frame`."""

    navigation: tuple[NavGroup, ...]
    person: str
    organisation: str
    county: str
    unread: int
    inbox_url: str
    search_url: str
    languages: tuple[tuple[str, str, bool], ...]
    """(locale, own name, current)"""
    language_url: str
    """POST target; fields `locale`, `next`."""
    profile_links: tuple[Link, ...]
    logout_url: str
    """POST target."""
    office_phone: str
    version: str
    demonstration: bool = False
    moved_clock: str = ""
    """The demonstration's moved time in words, or empty."""
    home_url: str = "/"
    acting_for: str = ""
    """Whom the person stands in for at present (shown as 代 …), or empty."""
    canned_url: str = ""
    """Where the canned texts of the person's organisation are asked for; empty without the permission."""
    large_text: bool | None = None
    """Whether the person reads in large text; None: as this browser is used to."""
    text_url: str = ""
    """POST target; fields `size` (large, standard), `next`."""
    counts_url: str = ""
    """Where the numbers beside the entries of the navigation are asked for; empty on a page that says that something failed."""
