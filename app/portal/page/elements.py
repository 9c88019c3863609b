"""The small things that pages are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
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
        if 2 * len(self.text) <= ONE_LINE or len(self.text) > ONE_LINE:
            return len(self.text) > ONE_LINE  # whatever its characters are
        return sum(2 if east_asian_width(one) in "WF" else 1 for one in self.text) > ONE_LINE

    @property
    def plain(self) -> bool:
        """Whether the text is all there is."""
        return bool(self.text and not (self.url or self.hint or self.pill or self.badge))


@dataclass(frozen=True)
class Column:
    name: str
    label: str
    sort_url: str = ""
    sorted: Literal["", "ascending", "descending"] = ""
    number: bool = False

    @property
    def style(self) -> str:
        """The classes of its cells."""
        return f"column-{self.name}" + (" number" if self.number else "")


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
    beside: bool = False
    """On a record's page it stands beside the actions, not in their menu."""


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
class Fact:
    label: str
    cell: Cell
    long: bool = False
    """Free text with line breaks kept, over the whole width."""
