"""A list made from another: a lower level's from the list above, or the next version of one's own (2.4, `derive`)."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from models.checklist import (
    Checklist,
    ChecklistItem,
    ChecklistLevel,
    ChecklistState,
    Duty,
    OriginStatus,
    WorkflowStep,
)
from models.checklist_comparison import match
from models.organisation import Organisation, OrganisationKind, find_by_name

_LEVELS = {
    OrganisationKind.province: ChecklistLevel.province,
    OrganisationKind.city: ChecklistLevel.city,
    OrganisationKind.county: ChecklistLevel.county,
}


def derive(session: Session, source: Checklist, owner: Organisation, name: str) -> Checklist:
    """A draft of `owner` that starts from `source`'s items: its next version if the list is the owner's own, else derived from the list above.

    Derived from above, it keeps what the owner's own version before it had written for the same matters: workflow, and local names of parties.
    """
    own = source.owner_id == owner.id
    before = source if own else _last(session, owner, source.scheme)
    made = Checklist(
        county_id=source.county_id if own else owner.county_id or owner.id,
        name=name,
        level=_LEVELS[owner.kind],
        scheme=source.scheme,
        owner=owner,
        parent_id=source.parent_id if own else source.id,
        previous_id=before.id if before is not None else None,
    )
    session.add(made)
    session.flush()
    present = _items(session, source)
    earlier = _earlier(session, before, present) if before is not None and not own else {}
    for item in present:
        if own:
            _copy(session, item, made, item.origin_id, item.origin_status)
        elif item.origin_status != OriginStatus.removed:
            _copy(session, item, made, item.id, OriginStatus.inherited, earlier.get(item.id))
    session.flush()
    return made


def _last(session: Session, owner: Organisation, scheme: str) -> Checklist | None:
    """The newest approved version of an owner's list."""
    return session.scalars(
        sa.select(Checklist)
        .where(Checklist.owner_id == owner.id, Checklist.scheme == scheme, Checklist.state != ChecklistState.draft)
        .order_by(Checklist.edition.desc())
        .limit(1)
    ).first()


def _items(session: Session, checklist: Checklist) -> Sequence[ChecklistItem]:
    return session.scalars(
        sa.select(ChecklistItem)
        .where(ChecklistItem.checklist_id == checklist.id)
        .options(selectinload(ChecklistItem.duties), selectinload(ChecklistItem.steps))
        .order_by(ChecklistItem.number)
    ).all()


def _earlier(session: Session, before: Checklist, present: Sequence[ChecklistItem]) -> dict[int, ChecklistItem]:
    """The own version's items by the key of the item above that is the same matter."""
    return {newer.id: older for older, newer in match(_items(session, before), present)}


def _copy(
    session: Session,
    item: ChecklistItem,
    into: Checklist,
    origin_id: int | None,
    status: OriginStatus,
    earlier: ChecklistItem | None = None,
) -> None:
    made = ChecklistItem(
        county_id=into.county_id,
        checklist=into,
        number=item.number,
        field=item.field,
        name=item.name,
        basis=item.basis,
        note=item.note,
        origin_id=origin_id,
        origin_status=status,
        removed_reason=item.removed_reason,
        root_id=item.root,
    )
    session.add(made)
    local = {(duty.kind, duty.text): duty for duty in earlier.duties} if earlier is not None else {}
    for duty in item.duties:
        known = local.get((duty.kind, duty.text), duty)
        made.duties.append(
            Duty(
                county_id=into.county_id,
                position=duty.position,
                kind=duty.kind,
                party=known.party,
                text=duty.text,
                organisation_id=_party(session, into.county_id, known),
            )
        )
    for step in (earlier.steps if earlier is not None and earlier.steps else item.steps) or ():
        made.steps.append(
            WorkflowStep(
                county_id=into.county_id,
                number=step.number,
                name=step.name,
                party=step.party,
                organisation_id=step.organisation_id if step.county_id == into.county_id else None,
                time_limit=step.time_limit,
                time_unit=step.time_unit,
                input=step.input,
                output=step.output,
                next_steps=step.next_steps,
            )
        )


def _party(session: Session, county_id: int, duty: Duty) -> int | None:
    """The organisation of a copied duty: kept within the county, else found by its written name."""
    if duty.organisation_id is not None and duty.county_id == county_id:
        return duty.organisation_id
    found = find_by_name(session, county_id, duty.party)
    return found.id if found is not None else None


def same_as_origin(item: ChecklistItem) -> bool:
    """Whether an item says what the item it comes from says; names of parties are local and do not count."""
    origin = item.origin
    if origin is None:
        return False
    return ((item.field, item.name, item.basis) == (origin.field, origin.name, origin.basis)) and [
        (duty.kind, duty.text) for duty in item.duties
    ] == [(duty.kind, duty.text) for duty in origin.duties]
