"""What two versions of a checklist have in common and where they differ, by words (2.4, `compare`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.call import Call
from models.call_words import CallState
from models.checklist import ChecklistItem, Duty, DutyKind, OriginStatus


@dataclass(frozen=True)
class Piece:
    """A stretch of a text: kept, or found on one side only."""

    kind: Literal["same", "removed", "added"]
    text: str


@dataclass(frozen=True)
class DutyChange:
    """A duty of one party that differs; an empty side has no such duty."""

    kind: DutyKind
    party: str
    old: str
    new: str


@dataclass(frozen=True)
class ItemChange:
    """An item that stands on both sides and differs."""

    old: ChecklistItem
    new: ChecklistItem
    duties: tuple[DutyChange, ...]

    @property
    def renamed(self) -> bool:
        return self.old.name != self.new.name


@dataclass(frozen=True)
class Comparison:
    """The differences from an older to a newer list of items. Items taken off count as absent."""

    added: tuple[ChecklistItem, ...]
    removed: tuple[ChecklistItem, ...]
    changed: tuple[ItemChange, ...]

    @property
    def renamed(self) -> tuple[ItemChange, ...]:
        return tuple(one for one in self.changed if one.renamed)

    @property
    def duties_changed(self) -> tuple[ItemChange, ...]:
        return tuple(one for one in self.changed if one.duties)

    @property
    def empty(self) -> bool:
        return not (self.added or self.removed or self.changed)

    @property
    def touched(self) -> tuple[ChecklistItem, ...]:
        """The older side's items that are changed or gone: what open calls may cite."""
        return (*self.removed, *(one.old for one in self.changed))


def compare(old: Iterable[ChecklistItem], new: Iterable[ChecklistItem]) -> Comparison:
    """Compare two versions' items. Pure: nothing is asked of the database beyond the items and their duties."""
    before = [one for one in old if one.origin_status != OriginStatus.removed]
    after = [one for one in new if one.origin_status != OriginStatus.removed]
    pairs = match(before, after)
    gone = {id(older) for older, _newer in pairs}
    come = {id(newer) for _older, newer in pairs}
    changes = (ItemChange(older, newer, _duty_changes(older.duties, newer.duties)) for older, newer in pairs)
    return Comparison(
        tuple(one for one in after if id(one) not in come),
        tuple(one for one in before if id(one) not in gone),
        tuple(one for one in changes if one.renamed or one.duties),
    )


ALIKE = 0.5
"""From here on two names under the same number are one item renamed."""


def match(old: Sequence[ChecklistItem], new: Sequence[ChecklistItem]) -> list[tuple[ChecklistItem, ChecklistItem]]:
    """The pairs of items that are the same matter: of one descent, else of one name, else of one number and alike in name."""
    pairs: list[tuple[ChecklistItem, ChecklistItem]] = []
    left, right = list(old), list(new)

    def take(older: ChecklistItem, newer: ChecklistItem) -> None:
        pairs.append((older, newer))
        left.remove(older)
        right.remove(newer)

    keys: tuple[Callable[[ChecklistItem], int | str], ...] = (lambda one: one.root, lambda one: one.name)
    for key in keys:
        by_key = {key(one): one for one in reversed(right)}
        for older in list(left):
            newer = by_key.pop(key(older), None)
            if newer is not None:
                take(older, newer)
    by_number = {one.number: one for one in right}
    for older in list(left):
        newer = by_number.get(older.number)
        if newer is not None and SequenceMatcher(None, older.name, newer.name).ratio() >= ALIKE:
            take(older, newer)
    return sorted(pairs, key=lambda pair: pair[1].number)


def _duty_changes(old: Sequence[Duty], new: Sequence[Duty]) -> tuple[DutyChange, ...]:
    before, after = _by_party(old), _by_party(new)
    return tuple(
        DutyChange(kind, party, before.get((kind, party), ""), after.get((kind, party), ""))
        for kind, party in dict.fromkeys([*after, *before])
        if before.get((kind, party), "") != after.get((kind, party), "")
    )


def _by_party(duties: Sequence[Duty]) -> dict[tuple[DutyKind, str], str]:
    """The text of each party's duties, in their order."""
    found: dict[tuple[DutyKind, str], str] = {}
    for duty in duties:
        key = (duty.kind, duty.party)
        found[key] = f"{found[key]}\n{duty.text}" if key in found else duty.text
    return found


def difference(old: str, new: str) -> tuple[Piece, ...]:
    """Two texts by words: Chinese by character, other writing by word."""
    before, after = _words(old), _words(new)
    pieces: list[Piece] = []
    for what, start, end, start2, end2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "equal":
            pieces.append(Piece("same", "".join(before[start:end])))
            continue
        if end > start:
            pieces.append(Piece("removed", "".join(before[start:end])))
        if end2 > start2:
            pieces.append(Piece("added", "".join(after[start2:end2])))
    return tuple(pieces)


def _words(text: str) -> list[str]:
    return re.findall(r"[A-Za-z0-9]+|.", text, re.DOTALL)


OPEN_CALLS = (
    CallState.submitted,
    CallState.returned,
    CallState.accepted,
    CallState.dispatched,
    CallState.reported,
    CallState.long_term,
)


def open_calls_citing(session: Session, items: Sequence[ChecklistItem]) -> list[Call]:
    """The open calls that cite one of these matters in whatever version, as far as the viewer sees them, oldest first."""
    roots = {one.root for one in items}
    if not roots:
        return []
    cited = sa.select(ChecklistItem.id).where(sa.func.coalesce(ChecklistItem.root_id, ChecklistItem.id).in_(roots))
    return list(
        session.scalars(
            sa.select(Call).where(Call.checklist_item_id.in_(cited), Call.state.in_(OPEN_CALLS)).order_by(Call.id)
        )
    )
