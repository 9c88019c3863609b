"""Handed-out passwords on paper: one slip for each person, and all of them as one workbook (spec 5, security).

Passwords are kept nowhere, so page and workbook leave in one answer: the workbook stands in the page's own link. What is lost is handed out anew.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from app.portal.export import FORMATS, ExportColumn, write_workbook
from app.portal.page import Skipped
from models.person import Person


@dataclass(frozen=True)
class Slip:
    """What is handed to one person."""

    name: str
    organisation: str
    username: str
    password: str


@dataclass(frozen=True)
class SlipsPage:
    """Handed-out passwords, shown once."""

    title: str
    slips: tuple[Slip, ...]
    next_url: str
    left: int = 0
    """Those who still wait, because only so many are done at once."""
    skipped: tuple[Skipped, ...] = ()
    workbook_url: str = ""
    """The same as a workbook, inside the address itself."""


def slips_of(people: Iterable[Person], passwords: Mapping[str, str]) -> tuple[Slip, ...]:
    """The slips of people, sorted as they are handed out: by organisation, then by name."""
    ordered = sorted(people, key=lambda one: (_place(one), one.name, one.id))
    return tuple(Slip(one.name, _where(one), one.username, passwords[one.username]) for one in ordered)


def _place(person: Person) -> tuple[int, int]:
    organisation = person.organisation
    return (organisation.order, organisation.id) if organisation is not None else (0, 0)


def _where(person: Person) -> str:
    return person.organisation.name if person.organisation is not None else ""


def workbook_url(title: str, slips: Sequence[Slip]) -> str:
    """The slips as a workbook in a `data:` address, which the browser saves without asking the server again."""
    columns = [
        ExportColumn("name", _("Full name"), lambda one: one.name),
        ExportColumn("organisation", _("Organisation"), lambda one: one.organisation, 32),
        ExportColumn("username", _("Account name"), lambda one: one.username, 24),
        ExportColumn("password", _("Password"), lambda one: one.password, 24),
    ]
    rows = ([column.value(one) for column in columns] for one in slips)
    content = base64.b64encode(b"".join(write_workbook(title, columns, rows))).decode()
    return f"data:{FORMATS['xlsx']};base64,{content}"
