"""What waits for a person in lists: one line of the workbench for each list whose first view is his own work (face, Home)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _

from app.database import db
from app.portal.frame import shown
from app.portal.listing import CAP, TabSpec
from app.portal.page import Button, Pill, WorkItem
from models.viewer import Viewer

TODO = frozenset({"todo", "to_approve", "to_decide", "to_sign"})
"""Names of the saved views that hold what a person has to do; see `tabs` of the record types."""


def waiting_lists(person: Viewer, *, without: str) -> tuple[WorkItem, ...]:
    """The lists of this person's navigation in which something waits for him, counted in one statement. `without`: the
    record type whose records the workbench shows one by one."""
    found = [
        (view, tab)
        for resource, view in current_app.extensions["appbuilder"].record_views.items()
        if resource != without and (tab := _own(view, person)) is not None
    ]
    if not found:
        return ()
    counts = [_count(view.model, tab) for view, tab in found]
    row = db.session.execute(sa.select(*counts)).one()
    return tuple(_item(view, tab, count) for (view, tab), count in zip(found, row, strict=True) if count)


def _own(view: Any, person: Viewer) -> TabSpec | None:
    """The view of a list that is this person's work, if the list is in his navigation."""
    if not any(shown(entry, person) for entry in view.navigation()):
        return None
    return next((tab for tab in view.tabs(person) if tab.name in TODO), None)


def _count(model: Any, tab: TabSpec) -> Any:
    chosen = tab.condition
    where = () if chosen is None else (chosen,)
    some = sa.select(model.id).where(*where).limit(CAP + 1).subquery()
    return sa.select(sa.func.count()).select_from(some).scalar_subquery()


def _item(view: Any, tab: TabSpec, count: int) -> WorkItem:
    address = view.url("list", tab=tab.name)
    return WorkItem(
        title=str(view.model.plural),
        url=address,
        subtitle=_("%(count)s waiting for you", count=f"{CAP}+" if count > CAP else count),
        badge=None,
        pill=Pill(str(tab.label), "waiting"),
        button=Button(_("Open the list"), address),
    )
