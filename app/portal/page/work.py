"""What waits for a person: workbench, inbox, alarm."""

from __future__ import annotations

from dataclasses import dataclass

from app.portal.page.elements import Badge, Button, Fact, Link, Pill, Tone
from app.portal.page.lists import Empty


@dataclass(frozen=True)
class Tile:
    label: str
    count: int
    url: str
    tone: Tone
    capped: bool = False


@dataclass(frozen=True)
class WorkItem:
    title: str
    url: str
    subtitle: str
    badge: Badge | None
    pill: Pill
    button: Button | None = None
    emergency: bool = False


@dataclass(frozen=True)
class HomePage:
    greeting: str
    tiles: tuple[Tile, ...]
    next: tuple[WorkItem, ...]
    empty: Empty
    news_title: str = ""
    news: tuple[Link, ...] = ()
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True)
class InboxItem:
    title: str
    text: str
    at_label: str
    url: str
    """POST target that marks the message read and goes to its record."""
    read: bool
    tone: Tone = "others"
    why: str = ""
    """Why the person got it: kind, role, relation."""
    button: Button | None = None
    """What can be done about it at once."""


@dataclass(frozen=True)
class AlarmPage:
    """An emergency and the one button that stops its ringing; without a button, who has done so."""

    title: str
    facts: tuple[Fact, ...]
    button: Button | None
    confirmed: str
    open_button: Button


@dataclass(frozen=True)
class InboxPage:
    title: str
    items: tuple[InboxItem, ...]
    empty: Empty
    read_all_url: str = ""
    previous_url: str = ""
    next_url: str = ""
