"""What the pages of an import show, as plain data (see app.portal.page)."""

from __future__ import annotations

from dataclasses import dataclass

from app.portal.page import Button, Change, Empty, Fact, Link, Pill, Row


@dataclass(frozen=True)
class UploadPage:
    """Where a file is sent for its check, and what was imported before."""

    title: str
    action_url: str
    template_url: str
    limit_label: str
    crumbs: tuple[Link, ...]
    error: str = ""
    earlier: tuple[Row, ...] = ()


@dataclass(frozen=True)
class FindingRow:
    row: int
    column: str
    text: str


@dataclass(frozen=True)
class DifferenceRow:
    row: int
    title: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class ImportPage:
    """An import: what the check found, how far it is, what was wrong."""

    title: str
    pill: Pill
    text: str
    """What this state means and what to do next."""
    facts: tuple[Fact, ...]
    crumbs: tuple[Link, ...]
    buttons: tuple[Button, ...] = ()
    percent: int = 0
    progress_label: str = ""
    progress_url: str = ""
    """Asked by the page's script while the import is under way; empty otherwise."""
    here_url: str = ""
    findings: tuple[FindingRow, ...] = ()
    findings_label: str = ""
    errors_url: str = ""
    differences: tuple[DifferenceRow, ...] = ()
    differences_label: str = ""
    nothing: Empty | None = None
