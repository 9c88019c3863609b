"""What a list shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.portal.page.elements import Button, Column, Link, Row


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

    @property
    def cell_styles(self) -> tuple[tuple[str, bool], ...]:
        """Of each column the classes of its cells, and whether it is the one that names the record and leads to it: the title, else the first."""
        main = next((column for column in self.columns if column.name == "title"), next(iter(self.columns), None))
        return tuple(
            (f"{column.style} main" if column is main else column.style, column is main) for column in self.columns
        )


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
