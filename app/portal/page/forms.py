"""What a form shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.portal.page.elements import Link
from app.portal.page.records import Change


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
    preview_url: str = ""
    """Where what is typed is posted to, to be seen as the paper that it becomes; empty for none."""


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
