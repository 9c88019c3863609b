"""The fourteen things that the portal makes of one declaration, which of them a record type has, and the table of it in docs/record-types.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from app.portal.record_view import RecordView
from models.base import described, fields_of
from models.workflow import Transition
from views import RECORDS

VIEWS: dict[str, RecordView] = {view.model.resource(): view() for view in RECORDS}
"""The record types with pages of their own, in the order of their registration; of these views only what they declare is asked."""


@dataclass(frozen=True)
class Thing:
    """One of the fourteen: its words, whether a type has it, and why one may lack it."""

    name: str
    words: str
    has: Callable[[RecordView], bool]
    lacking: str = ""


def steps_of(view: RecordView) -> tuple[Transition, ...]:
    return view.model.workflow.transitions if view.model.workflow is not None else ()


def searched(view: RecordView) -> list[str]:
    """The fields by which a list is searched or filtered."""
    return [
        name for name in fields_of(view.model) if described(view.model, name)["searched"] and name not in view.guarded
    ]


def referring(view: RecordView) -> list[RecordView]:
    """The other types with pages whose rows name rows of this one."""
    table = sa.inspect(view.model).local_table
    found = []
    for other in VIEWS.values():
        columns = sa.inspect(other.model).local_table.columns
        if other.model is not view.model and any(
            "label" in one.info and key.column.table is table for one in columns for key in one.foreign_keys
        ):
            found.append(other)
    return found


THINGS = (
    Thing("list", "List", lambda view: True),
    Thing("search", "Typed search", lambda view: bool(searched(view)), "nothing of it is searched"),
    Thing("form", "Form", lambda view: bool(view.writers), "steps or the program write it"),
    Thing("page", "Record page", lambda view: True),
    Thing("related", "Related records", lambda view: bool(referring(view)), "no other type names it"),
    Thing("timeline", "Timeline", lambda view: True),
    Thing("attachments", "Attachments", lambda view: view.model.attachable, "files belong to the record above it"),
    Thing("steps", "Steps", lambda view: bool(steps_of(view)), "it has no workflow"),
    Thing(
        "bulk",
        "Bulk steps",
        lambda view: any(step.bulk for step in steps_of(view)),
        "no step of it is the same for many",
    ),
    Thing("rest", "REST", lambda view: view.rest),
    Thing(
        "menu", "Menu", lambda view: bool(view.group and view.navigation()), "it is reached from the record above it"
    ),
    Thing("export", "Export", lambda view: "can_export" in view.grants()),
    Thing(
        "import",
        "Import",
        lambda view: "can_import" in view.grants(),
        "nothing tells its rows apart, or no form writes them",
    ),
    Thing("labels", "Words", lambda view: True),
)


def table(views: Iterable[RecordView]) -> str:
    """The page docs/record-types.md."""
    head = " | ".join(thing.words for thing in THINGS)
    lines = [
        "# Record types and the fourteen things",
        "",
        (
            "Everything below is made from the declarations of the models; the page is written by "
            "`pytest tests/access/test_fourteen_things.py --rewrite-access` and checked by the same tests."
        ),
        (
            "✓ in the column *X* of the row *y*: shown by `test_x[y]` in `tests/access/test_fourteen_things.py` (for the list of calls "
            "`test_list[call]`). A dash: the type lacks it, for the reason below the table."
        ),
        "",
        f"| Record type | {head} |",
        "| --- |" + " :-: |" * len(THINGS),
    ]
    for view in views:
        cells = " | ".join("✓" if thing.has(view) else "–" for thing in THINGS)
        lines.append(f"| `{view.model.resource()}` | {cells} |")
    lines += ["", *(f"- *{thing.words}* lacking: {thing.lacking}." for thing in THINGS if thing.lacking), ""]
    return "\n".join(lines)
