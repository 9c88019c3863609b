"""What the page of a record shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from app.portal.page.elements import Badge, Button, Column, Fact, Link, Pill, Row, Tone


@dataclass(frozen=True)
class Change:
    label: str
    old: str
    new: str


@dataclass(frozen=True)
class Attachment:
    name: str
    url: str
    size: str = ""
    ready: bool = True
    """False while a document is being produced."""
    preview_url: str = ""
    """Address that shows the PDF in the page (same site, may be framed), or empty."""
    hint: str = ""
    """Who attached it, when, and what was said of it."""
    remove_url: str = ""
    """POST target that takes it away again, or empty."""


@dataclass(frozen=True)
class TimelineEntry:
    at: datetime
    at_label: str
    title: str
    who: str = ""
    organisation: str = ""
    text: str = ""
    facts: tuple[Fact, ...] = ()
    changes: tuple[Change, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    tone: Tone = "others"
    system: bool = False
    """A step of the system: small and grey."""


@dataclass(frozen=True)
class Clock:
    label: str
    badge: Badge
    percent: int
    """Share of the time used, 0–100."""


@dataclass(frozen=True)
class Action:
    """A transition possible for this person now (or, disabled, the reason why not). `form` is a WTForms form or
    None; it opens in place and posts to `url`."""

    name: str
    label: str
    url: str
    form: Any = None
    primary: bool = False
    icon: str = ""
    disabled_reason: str = ""
    help: str = ""
    open: bool = False
    """Shown opened, because it came back with errors."""
    tone: Literal["", "danger"] = ""
    group: str = ""
    """Heading of its part of the menu; actions of one group stand together."""


@dataclass(frozen=True)
class Part:
    """A dependent record on the page of its whole, e.g. a department's assignment in a call."""

    title: str
    subtitle: str
    pill: Pill
    clocks: tuple[Clock, ...] = ()
    facts: tuple[Fact, ...] = ()
    actions: tuple[Action, ...] = ()
    mine: bool = False


@dataclass(frozen=True)
class TimePart:
    """How long one link of a call took, in words, and which part of the whole that is."""

    who: str
    what: str
    words: str
    """How long, `7个工作日2小时`."""
    look: Literal["township", "office", "department", "leader", "apart"]
    percent: float = 0
    """Share of the bar, 0–100; the last `late_percent` of it were beyond the deadline."""
    late_percent: float = 0
    late: str = ""
    """By how much it was late, in words, or empty."""
    running: bool = False
    """Whether it still lasts."""


@dataclass(frozen=True)
class TimeBar:
    """Where the time went: the links of a call one after the other as a bar, and as a list that says the same in words."""

    whole: str
    """How long the whole way took, and in which measure."""
    parts: tuple[TimePart, ...]
    beside: tuple[TimePart, ...] = ()
    """What ran while somebody else had the matter in hand, or is counted apart: no part of the bar."""
    beside_title: str = ""


@dataclass(frozen=True)
class Section:
    """A titled block: facts, a small table, or something that is fetched afterwards."""

    title: str
    facts: tuple[Fact, ...] = ()
    columns: tuple[Column, ...] = ()
    rows: tuple[Row, ...] = ()
    empty: str = ""
    count_label: str = ""
    link: Link | None = None
    """Leads to the whole list of which this block shows the beginning."""
    button: Button | None = None
    fetched: str = ""
    """Address of a page whose `#fetched` part the browser puts here once the rest is read; without scripts a link leads there."""
    copied: str = ""
    """A text that the reader takes to another program; copied by one click."""


@dataclass(frozen=True)
class TimePage:
    """Where the time of one record went, as a page of its own and as the part that its record's page fetches."""

    title: str
    time: TimeBar
    crumbs: tuple[Link, ...] = ()


@dataclass(frozen=True)
class Attaching:
    """The form by which files are attached: where it is sent, what may be sent, what was wrong."""

    url: str
    accept: str
    help: str
    note: str = ""
    errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecordPage:
    title: str
    number: str = ""
    kind: str = ""
    pill: Pill | None = None
    badge: Badge | None = None
    emergency: str = ""
    body: tuple[Fact, ...] = ()
    """Left column: the description."""
    timeline: tuple[TimelineEntry, ...] = ()
    facts: tuple[Fact, ...] = ()
    """Right column."""
    parts_title: str = ""
    parts: tuple[Part, ...] = ()
    main_sections: tuple[Section, ...] = ()
    """Left column, below the description."""
    sections: tuple[Section, ...] = ()
    """Right column, below the facts."""
    related: tuple[Section, ...] = ()
    """Left column, at the end: the records that refer to this one."""
    documents: tuple[Attachment, ...] = ()
    documents_first: bool = False
    """They are what the page is about, and stand before all else."""
    files: tuple[Attachment, ...] = ()
    """What people attached, below the timeline."""
    attaching: Attaching | None = None
    actions: tuple[Action, ...] = ()
    buttons: tuple[Button, ...] = ()
    """Edit, delete, print, …"""
    next_item: Link | None = None
    """After a step: the next record of the same work list."""
    crumbs: tuple[Link, ...] = ()
