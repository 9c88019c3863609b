"""Administration pages as plain data: blocks of text, tables with a button in each row, small forms, a month's days, a tree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.portal.page import Button, Cell, Column, Fact, Link, Pill, Tab


@dataclass(frozen=True)
class SheetRow:
    """A row of a table; its buttons stand at its end."""

    cells: tuple[Cell, ...]
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True)
class Asked:
    """A small form in a block: posted, or with `method` get a search."""

    form: Any
    url: str
    submit_label: str
    method: str = "post"


@dataclass(frozen=True)
class Node:
    """A place in a tree, with what stands below it."""

    label: str
    url: str = ""
    hint: str = ""
    pill: Pill | None = None
    below: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Day:
    """A day of a month: its number, whether offices work, whether that differs from an ordinary week, and the occasion."""

    number: int
    iso: str
    working: bool
    special: bool = False
    label: str = ""


@dataclass(frozen=True)
class Month:
    """A month in weeks of seven places, Monday first; a place outside the month is None."""

    title: str
    weeks: tuple[tuple[Day | None, ...], ...]


@dataclass(frozen=True)
class Block:
    """A titled block of a page."""

    title: str = ""
    text: str = ""
    facts: tuple[Fact, ...] = ()
    columns: tuple[Column, ...] = ()
    rows: tuple[SheetRow, ...] = ()
    empty: str = ""
    asked: Asked | None = None
    nodes: tuple[Node, ...] = ()
    months: tuple[Month, ...] = ()
    day_url: str = ""
    """Where a day's button is posted, with `day`."""
    weekdays: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """A page of the administration."""

    title: str
    blocks: tuple[Block, ...]
    intro: str = ""
    buttons: tuple[Button, ...] = ()
    tabs: tuple[Tab, ...] = ()
    crumbs: tuple[Link, ...] = ()
    next_url: str = ""
    previous_url: str = field(default="")
    printed: bool = False
    """Whether it is made to be printed and filed: with a button for it, on A4."""
    landscape: bool = False
    previous_label: str = ""
    next_label: str = ""
    """What stands on the links to other pages, where it is not “newer” and “older”."""
