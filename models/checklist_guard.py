"""What stands between an approved checklist and whoever would change it: looked at before every flush, whatever path led there (2.4).

The generic form and REST ask `check_change` first; this holds for every other way as well. Triggers in the database
hold for what bypasses the session.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from models import viewer
from models.checklist import (
    COUNTY_WRITES,
    Checklist,
    ChecklistItem,
    ChecklistLevel,
    ChecklistState,
    Duty,
    Line,
    OriginStatus,
    WorkflowStep,
    body_of,
)
from models.organisation import Organisation
from models.refusal import Conflict, Forbidden, Invalid
from models.setting import setting

CHANGES_WITH_STATE = frozenset({"state", "effective_to", "version", "changed_at", "changed_by_id"})
"""What may still change of an approved version: how it stands, never what it says."""

LOCAL_NAMES = frozenset({"organisation_id", "organisation", "party", "version", "changed_at", "changed_by_id"})
"""What a county may change of a duty on a list derived from the city's."""

Kept = (Checklist, ChecklistItem, Duty, WorkflowStep)


@dataclass(frozen=True)
class Standing:
    """How a checklist stands in the database, before what is about to be flushed."""

    state: str
    county_id: int
    restricted: bool
    """A county's list derived from a list above, whose matters only the city changes."""


class _Look:
    """Looks up standings, each list once per flush. Core on the session's connection: the row filter must not falsify a rule."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._known: dict[int, Standing | None] = {}

    def of_checklist(self, key: int) -> Standing | None:
        if key not in self._known:
            table = sa.inspect(Checklist).local_table
            row = (
                self.session.connection()
                .execute(
                    sa.select(table.c.state, table.c.county_id, table.c.level, table.c.parent_id).where(
                        table.c.id == key
                    )
                )
                .one_or_none()
            )
            self._known[key] = (
                Standing(
                    row.state,
                    row.county_id,
                    row.level == ChecklistLevel.county.value and row.parent_id is not None,
                )
                if row is not None
                else None
            )
        return self._known[key]

    def of(self, record: Any) -> list[Standing]:
        """The standings of every list that a record belongs to, before and after its change."""
        if isinstance(record, Checklist):
            return self._of_record(record)
        name = "item" if isinstance(record, Line) else "checklist"
        found: list[Standing] = []
        state: Any = sa.inspect(record)
        for whole in _sides(state.attrs[name].history):
            found += self.of(whole) if isinstance(record, Line) else self._of_record(whole)
        for key in _sides(state.attrs[f"{name}_id"].history):
            found += self._of_key(record, key)
        return found

    def _of_key(self, record: Any, key: int) -> list[Standing]:
        if not isinstance(record, Line):
            standing = self.of_checklist(key)
            return [standing] if standing is not None else []
        item = self.session.identity_map.get(sa.orm.util.identity_key(ChecklistItem, key))
        if item is not None and "checklist_id" in sa.inspect(item).dict:
            return self.of(item)
        table = sa.inspect(ChecklistItem).local_table
        checklist_id = self.session.connection().scalar(sa.select(table.c.checklist_id).where(table.c.id == key))
        standing = self.of_checklist(checklist_id) if checklist_id is not None else None
        return [standing] if standing is not None else []

    def _of_record(self, checklist: Checklist) -> list[Standing]:
        state: Any = sa.inspect(checklist)
        if state.identity is not None:
            standing = self.of_checklist(state.identity[0])
            return [standing] if standing is not None else []
        return [
            Standing(str(checklist.state or ChecklistState.draft.value), checklist.county_id, checklist.derived)
        ]  # not yet in the database


def _sides(history: Any) -> list[Any]:
    """What a reference names and named."""
    return [one for side in history for one in side or () if one is not None]


def _changed(record: Any) -> frozenset[str]:
    """Names of the attributes that are about to be written."""
    state: Any = sa.inspect(record)
    return frozenset(one.key for one in state.mapper.column_attrs if state.attrs[one.key].history.has_changes())


@sa.event.listens_for(Session, "before_flush")
def _guard(session: Session, context: Any, instances: Any) -> None:
    """Refuse every change of what was approved; what a person changes, only on lists of the own body, and within what the county may."""
    new = [one for one in session.new if isinstance(one, Kept)]
    dirty = [
        one
        for one in session.dirty
        if isinstance(one, Kept) and session.is_modified(one, include_collections=False) and one not in session.deleted
    ]
    deleted = [one for one in session.deleted if isinstance(one, Kept)]
    if not (new or dirty or deleted):
        return
    look, person = _Look(session), viewer.current_person()
    with session.no_autoflush:
        for record in new:
            if isinstance(record, Checklist):
                _begin(session, record)
            else:
                _attach(session, record)
        for record in [*new, *dirty, *deleted]:
            _check_approved(look, record, _changed(record) if record in dirty else None)
        if person is not None:
            for record in [*new, *dirty, *deleted]:
                _check_person(session, look, record, person, _changed(record) if record in dirty else None)


def _check_approved(look: _Look, record: Any, changed: frozenset[str] | None) -> None:
    """Raise Conflict for what belongs to an approved version. `changed` is None for a new or deleted record."""
    if isinstance(record, Checklist) and sa.inspect(record).identity is None:
        return
    if isinstance(record, Checklist) and changed is not None and changed <= CHANGES_WITH_STATE:
        return
    if any(standing.state != ChecklistState.draft for standing in look.of(record)):
        raise Conflict(_l("An approved version never changes. Please begin a new version."))


def _check_person(
    session: Session, look: _Look, record: Any, person: viewer.Viewer, changed: frozenset[str] | None
) -> None:
    """Raise Forbidden where a person reaches for a list that is not his, or past what a county writes."""
    standings = look.of(record)
    if not person.has_role("checklist_manager") or any(one.county_id != body_of(person) for one in standings):
        raise Forbidden()
    if isinstance(record, Checklist):
        _check_owner(session, record, person)
    restricted = any(one.restricted for one in standings)
    if restricted and not setting(session, standings[0].county_id, "county_changes_items"):
        allowed = isinstance(record, Checklist | WorkflowStep) or (
            isinstance(record, Duty) and changed is not None and changed <= LOCAL_NAMES
        )
        if not allowed:
            raise Forbidden(COUNTY_WRITES)
    if isinstance(record, ChecklistItem | Duty) and (changed is None or not changed <= LOCAL_NAMES):
        _note_adjustment(record)


def _check_owner(session: Session, checklist: Checklist, person: viewer.Viewer) -> None:
    """A list belongs to the own government or one above, and its level is that government's. Raises Invalid."""
    table = sa.inspect(Organisation).local_table
    owner_id = checklist.owner_id or (checklist.owner.id if checklist.owner is not None else None)
    if owner_id is None:
        return
    if owner_id not in person.lineage_ids | {body_of(person)}:
        raise Invalid({"owner": _l("Please choose your own government or one above it.")})
    kind = session.connection().scalar(sa.select(table.c.kind).where(table.c.id == owner_id))
    if checklist.level is not None and str(kind) != str(checklist.level):
        raise Invalid({"level": _l("The level must be that of the owner.")})


def _begin(session: Session, checklist: Checklist) -> None:
    """A new version gets the next number of its owner and kind of list."""
    owner_id = checklist.owner_id or (checklist.owner.id if checklist.owner is not None else None)
    if checklist.edition is not None or owner_id is None:
        return
    table = sa.inspect(Checklist).local_table
    scheme = checklist.scheme or "territorial"
    last = session.connection().scalar(
        sa.select(sa.func.max(table.c.edition)).where(table.c.owner_id == owner_id, table.c.scheme == scheme)
    )
    checklist.edition = (last or 0) + 1


def _attach(session: Session, record: ChecklistItem | Duty | WorkflowStep) -> None:
    """Give a new record that names its whole by the key alone the whole itself: its event stands on that one's timeline."""
    name, model = ("checklist", Checklist) if isinstance(record, ChecklistItem) else ("item", ChecklistItem)
    key = getattr(record, f"{name}_id")
    state: Any = sa.inspect(record)
    if key is not None and state.dict.get(name) is None:
        with viewer.system():
            setattr(record, name, session.get(model, key))


def _note_adjustment(record: ChecklistItem | Duty) -> None:
    """An item taken over from above that is changed here counts as adjusted."""
    item = record if isinstance(record, ChecklistItem) else record.item
    if item is not None and item.origin_status == OriginStatus.inherited:
        item.origin_status = OriginStatus.adjusted
