"""The fourteen things that the portal makes of one declaration, and which of them a record type has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Flask

from app.portal.record_view import RecordView
from models.base import RECORD_TYPES, Record


@dataclass(frozen=True)
class Thing:
    """One of the fourteen: its column in the table, the test that shows it, and whether a type has it."""

    name: str
    words: str
    has: Callable[[RecordView], bool]
    lacking: str = ""
    """Why a type may lack it."""

    @property
    def test(self) -> str:
        return f"test_{self.name}"


def _referred_to(view: RecordView) -> bool:
    """Whether rows of another type with pages of its own name rows of this one."""
    table = sa.inspect(view.model).local_table
    others = [other.model for other in view.appbuilder.record_views.values() if other.model is not view.model]
    return any(
        key.column.table is table and "label" in column.info
        for model in others
        for column in sa.inspect(model).local_table.columns
        for key in column.foreign_keys
    )


def _steps(view: RecordView) -> tuple[Any, ...]:
    return view.model.workflow.transitions if view.model.workflow is not None else ()


THINGS = (
    Thing("list", "List", lambda view: True),
    Thing("search", "Typed search", lambda view: bool(view.searched()), "it has nothing to search by"),
    Thing("form", "Form", lambda view: bool(view.writers), "it is written by steps or by the program alone"),
    Thing("page", "Record page", lambda view: True),
    Thing("related", "Related records", _referred_to, "no other type with pages names it"),
    Thing("timeline", "Timeline", lambda view: True),
    Thing("attachments", "Attachments", lambda view: view.model.attachable, "files belong to the record above it"),
    Thing("steps", "Transition buttons and forms", lambda view: bool(_steps(view)), "it has no workflow"),
    Thing(
        "bulk",
        "Bulk transitions",
        lambda view: any(step.bulk for step in _steps(view)),
        "no step of it is the same for many",
    ),
    Thing("rest", "REST and OpenAPI", lambda view: view.rest, ""),
    Thing("menu", "Menu and permissions", lambda view: bool(view.group), "reached from the record above it"),
    Thing("export", "CSV / XLSX export", lambda view: True),
    Thing(
        "import",
        "Excel / JSON import",
        lambda view: view.importable,
        "nothing tells its rows apart, or nobody writes them by form",
    ),
    Thing("labels", "Translated labels and help", lambda view: True),
)


def views(app: Flask) -> dict[str, RecordView]:
    """The record views by resource, in the order of their registration."""
    found: dict[str, RecordView] = app.extensions["appbuilder"].record_views
    return found


def without_pages(app: Flask) -> list[type[Record]]:
    """Record types that have no pages of their own."""
    return [model for resource, model in RECORD_TYPES.items() if resource not in views(app)]
