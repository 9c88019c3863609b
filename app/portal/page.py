"""What a page shows, as plain data.

The portal builds these from records, templates draw them. Nothing here knows the database, so a template can be
tested with sample data and a page can be
tested without a browser. All labels arrive translated; all URLs arrive complete.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from unicodedata import east_asian_width

Tone = Literal["waiting", "others", "going", "done", "overdue", "emergency", "muted"]
"""Meaning of a colour (face: colour *and* word *and* shape): waiting for you (amber dot), waiting for others (grey
ring), going well (blue), done (green check),
overdue (red square), emergency (red band), muted (withdrawn, declined, …)."""


ONE_LINE = 24
"""Width of a value that is never broken, in Latin letters; a Chinese character counts twice."""


@dataclass(frozen=True)
class Pill:
    """A state in a word."""

    label: str
    tone: Tone


@dataclass(frozen=True)
class Badge:
    """A deadline in words (剩余 2天3小时, 已超期 5小时, 按时完成, 超期 1天完成); `exact` is the instant, shown on hover."""

    label: str
    tone: Tone
    exact: str = ""


@dataclass(frozen=True)
class Link:
    label: str
    url: str
    icon: str = ""
    """Name of a Tabler icon without prefix, e.g. `home`."""


@dataclass(frozen=True)
class NavEntry:
    label: str
    url: str
    active: bool = False
    count: int | None = None


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


@dataclass(frozen=True)
class Cell:
    text: str = ""
    url: str = ""
    pill: Pill | None = None
    badge: Badge | None = None
    number: bool = False
    hint: str = ""

    @property
    def long(self) -> bool:
        """Whether the text needs more than one line of a column: a date with its time still stands on one."""
        return sum(2 if east_asian_width(one) in "WF" else 1 for one in self.text) > ONE_LINE


@dataclass(frozen=True)
class Column:
    name: str
    label: str
    sort_url: str = ""
    sorted: Literal["", "ascending", "descending"] = ""
    number: bool = False


@dataclass(frozen=True)
class Button:
    """An action that is a link (`get`) or a small form (`post`, with CSRF token and `fields` as hidden inputs)."""

    label: str
    url: str
    icon: str = ""
    primary: bool = False
    method: Literal["get", "post"] = "get"
    disabled_reason: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    confirm: str = ""
    saves: bool = False
    """What it answers is a file: the page stays, and may be used on."""


@dataclass(frozen=True)
class Row:
    key: str
    url: str
    cells: tuple[Cell, ...]
    title: str
    """Card title at 390 px."""
    subtitle: str = ""
    pill: Pill | None = None
    badge: Badge | None = None
    button: Button | None = None
    emergency: bool = False


@dataclass(frozen=True)
class Chip:
    """An active filter; the URL removes it."""

    label: str
    remove_url: str


@dataclass(frozen=True)
class Tab:
    label: str
    url: str
    active: bool = False
    count: int | None = None


@dataclass(frozen=True)
class Empty:
    text: str
    button: Button | None = None


@dataclass(frozen=True)
class ListPage:
    title: str
    count_label: str
    """ "1–25 / 1000+" """
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    empty: Empty
    tabs: tuple[Tab, ...] = ()
    buttons: tuple[Button, ...] = ()
    bulk: tuple[Button, ...] = ()
    """Posts the selected keys as `keys`; shown when something is selected."""
    chips: tuple[Chip, ...] = ()
    search: str = ""
    search_hint: str = ""
    filter_form: Any = None
    """WTForms form, method GET, or None."""
    filter_url: str = ""
    """Shows the same list with that form; most lists are read without it."""
    kept: tuple[tuple[str, str], ...] = ()
    """Query parameters (tab, order) that searching and filtering keep."""
    first_url: str = ""
    previous_url: str = ""
    next_url: str = ""
    here: str = ""
    """This page's own address, to which steps on chosen rows return."""
    count_url: str = ""
    """Tells the count that the page did not wait for, or empty."""


@dataclass(frozen=True)
class Fact:
    label: str
    cell: Cell
    long: bool = False
    """Free text with line breaks kept, over the whole width."""


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
    files: tuple[Attachment, ...] = ()
    """What people attached, below the timeline."""
    attaching: Attaching | None = None
    actions: tuple[Action, ...] = ()
    buttons: tuple[Button, ...] = ()
    """Edit, delete, print, …"""
    next_item: Link | None = None
    """After a step: the next record of the same work list."""
    crumbs: tuple[Link, ...] = ()


@dataclass(frozen=True)
class FormPage:
    title: str
    form: Any
    action_url: str
    submit_label: str
    cancel_url: str
    folded: frozenset[str] = frozenset()
    """Fields that stand folded under “More”."""
    step: str = ""
    """A transition that a second, main button performs after saving; its label is `step_label`."""
    step_label: str = ""
    intro: str = ""
    conflict: tuple[Change, ...] = ()
    """What somebody else changed meanwhile, and the person who typed too; the typed values stay in the form."""
    merged: tuple[Change, ...] = ()
    """What only somebody else changed meanwhile: taken over into the form."""
    conflict_text: str = ""
    autosave_key: str = ""
    """Key under which the browser keeps a draft of what was typed; empty for none."""
    crumbs: tuple[Link, ...] = ()


@dataclass(frozen=True)
class MatrixCell:
    """A field of a matrix: its name in the form, what stands in it, who it is about in words, and what is wrong with it."""

    name: str
    value: str
    label: str
    error: str = ""


@dataclass(frozen=True)
class MatrixRow:
    label: str
    hint: str
    cells: tuple[MatrixCell | None, ...]
    """None where nothing is asked."""


@dataclass(frozen=True)
class MatrixPage:
    """A table that is filled in: one row for each thing judged, one column for each question."""

    title: str
    action_url: str
    cancel_url: str
    head: str
    """Title of the column of the rows' names."""
    hint_head: str
    columns: tuple[str, ...]
    rows: tuple[MatrixRow, ...]
    intro: str = ""
    remark: str = ""
    version: int = 0
    errors: tuple[str, ...] = ()
    crumbs: tuple[Link, ...] = ()


@dataclass(frozen=True)
class ExportChoice:
    name: str
    label: str
    chosen: bool


@dataclass(frozen=True)
class ExportPage:
    """Asks in which form and with which columns a list is to be saved."""

    title: str
    action_url: str
    cancel_url: str
    columns: tuple[ExportChoice, ...]
    kept: tuple[tuple[str, str], ...] = ()
    """What narrows and orders the list, sent along."""
    view: str = ""
    search: str = ""
    narrowed: tuple[str, ...] = ()
    """The same in words."""
    error: str = ""
    crumbs: tuple[Link, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """Records on which a step was not done, for one reason."""

    reason: str
    records: tuple[Link, ...]


@dataclass(frozen=True)
class BulkPage:
    """The records on which a step was not done, and why; or the one small form that the step asks for all of them."""

    title: str
    back_url: str
    skipped: tuple[Skipped, ...] = ()
    form: Any = None
    action_url: str = ""
    submit_label: str = ""
    keys: tuple[str, ...] = ()
    intro: str = ""
    crumbs: tuple[Link, ...] = ()


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
