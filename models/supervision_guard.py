"""What no path of the program may do to conclusions, bulletins, reviews and the roster: looked at before every flush (2.3).

The generic form and REST ask `check_change` first; this holds for every other way as well. Triggers in the database
hold for what bypasses the session.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from models import viewer
from models.bulletin import SUBMITTED, Bulletin, BulletinCase, BulletinRecipient, BulletinState
from models.conclusion import Conclusion, ConclusionState
from models.refusal import Conflict, Invalid
from models.review import ReviewRequest, begin_clock, check_filing
from models.roster import DutyShift, Liaison, may_keep

Change = Literal["new", "changed", "deleted"]
STAMPS = frozenset({"version", "changed_at", "changed_by_id"})


def _changed(record: Any) -> frozenset[str]:
    """Names of the columns and references that are about to be written with another value."""
    state: Any = sa.inspect(record)
    references = (one for one in state.mapper.relationships if not one.uselist)
    return frozenset(
        one.key for one in (*state.mapper.column_attrs, *references) if state.attrs[one.key].history.has_changes()
    )


def _before(record: Any, name: str) -> Any:
    """A column's value before the change that is about to be written."""
    history = sa.inspect(record).attrs[name].history
    return history.deleted[0] if history.deleted else getattr(record, name)


def _named(session: Session, record: Any, name: str, model: type[Any]) -> Any:
    """The record that a reference is about to name, whoever looks: the row filter must not falsify a rule."""
    with viewer.system():
        present = record.__dict__.get(name)
        key = getattr(record, f"{name}_id")
        if present is None and key is not None:
            present = session.get(model, key)
            set_committed_value(record, name, present)  # a new record loads nothing by itself; its event asks for it
        return present


def _conclusion(session: Session, conclusion: Conclusion, change: Change) -> None:
    """A served conclusion never changes; a review takes it back as a whole."""
    if change == "new" or _before(conclusion, "state") != ConclusionState.served:
        return
    free = STAMPS | {"revoked_at"}
    if _before(conclusion, "document_id") is None:
        free |= {"document", "document_id"}  # its own paper, made when it is served
    if change == "deleted" or not _changed(conclusion) <= free:
        raise Conflict(_l("A conclusion that was served never changes."))
    if _before(conclusion, "revoked_at") is not None and "revoked_at" in _changed(conclusion):
        raise Conflict(_l("A conclusion that was taken back stays so."))


CONTENT = frozenset(
    {
        "kind", "title", "period_from", "period_to", "text", "highlights", "rectify_until", "circulation", "office_id",
        "snapshot", "frozen_at",
    }
)  # fmt: skip


def _bulletin(session: Session, bulletin: Bulletin, change: Change) -> None:
    """What was submitted is approved and issued as it stands."""
    if change == "new" or _before(bulletin, "state") == BulletinState.draft:
        return
    if change == "deleted" or _changed(bulletin) & CONTENT:
        raise Conflict(SUBMITTED)


def _line(session: Session, line: BulletinCase | BulletinRecipient, change: Change) -> None:
    """Cases and recipients belong to what was submitted; a case is a conclusion that was served and still stands."""
    bulletin = _named(session, line, "bulletin", Bulletin)
    kept = bulletin is not None and sa.inspect(bulletin).identity is not None
    if kept and _before(bulletin, "state") != BulletinState.draft:
        raise Conflict(SUBMITTED)
    if isinstance(line, BulletinCase) and change != "deleted":
        conclusion = _named(session, line, "conclusion", Conclusion)
        if conclusion is not None and not conclusion.citable:
            raise Invalid({"cases": _l("A bulletin cites only conclusions that were served and still stand.")})


def _review(session: Session, request: ReviewRequest, change: Change) -> None:
    if change != "new":
        return
    conclusion = _named(session, request, "conclusion", Conclusion)
    if conclusion is not None:
        with viewer.system():
            check_filing(session, request, conclusion)
            begin_clock(session, request)


def _own_entry(session: Session, entry: DutyShift | Liaison, change: Change) -> None:
    """An organisation keeps its own entries; the offices those of all."""
    person = viewer.current_person()
    key = entry.organisation_id or (entry.organisation.id if entry.organisation is not None else None)
    if person is not None and not may_keep(key, person):
        raise Invalid({"organisation": _l("Please choose your own organisation.")})


def _shift(session: Session, shift: DutyShift, change: Change) -> None:
    """Nobody is on duty twice at the same time."""
    _own_entry(session, shift, change)
    if change == "deleted":
        return
    if shift.ends <= shift.begins:
        raise Invalid({"ends": _l("The shift ends before it begins.")})
    if shift.position is not None and shift.position < 1:
        raise Invalid({"position": _l("The chain begins with 1.")})
    table = sa.inspect(DutyShift).local_table
    person_id = shift.person_id or shift.person.id
    overlapping = sa.select(table.c.id).where(
        table.c.person_id == person_id, table.c.begins < shift.ends, table.c.ends > shift.begins
    )
    if shift.id is not None:
        overlapping = overlapping.where(table.c.id != shift.id)
    others = [
        one
        for one in session.new
        if isinstance(one, DutyShift)
        and one is not shift
        and (one.person_id or one.person.id) == person_id
        and one.begins < shift.ends
        and one.ends > shift.begins
    ]
    if others or session.connection().scalar(overlapping.limit(1)) is not None:
        raise Invalid({"begins": _l("This person is already on duty at that time.")})


_GUARDS: dict[type[Any], Callable[[Session, Any, Change], None]] = {
    Conclusion: _conclusion,
    Bulletin: _bulletin,
    BulletinCase: _line,
    BulletinRecipient: _line,
    ReviewRequest: _review,
    DutyShift: _shift,
    Liaison: _own_entry,
}


@sa.event.listens_for(Session, "before_flush")
def _guard(session: Session, context: Any, instances: Any) -> None:
    changes: list[tuple[Any, Change]] = [(one, "new") for one in session.new if type(one) in _GUARDS]
    changes += [(one, "deleted") for one in session.deleted if type(one) in _GUARDS]
    changes += [
        (one, "changed")
        for one in session.dirty
        if type(one) in _GUARDS and one not in session.deleted and session.is_modified(one, include_collections=False)
    ]
    if changes:
        with session.no_autoflush:
            for record, change in changes:
                _GUARDS[type(record)](session, record, change)
