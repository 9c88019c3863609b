"""Why somebody can or cannot see a record: the rule in words, without a word of what is hidden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from models import viewer
from models.base import RECORD_TYPES, Record
from models.field import Text
from models.viewer import Viewer

RULES: Mapping[str, Text] = {
    "call": _l(
        "A call is seen by its township, by the departments to which it was dispatched, and, once submitted, by the offices that process calls. "
        "The duty room sees emergencies."
    ),
    "assignment": _l(
        "An assignment is seen by whoever sees its call; a department sees its own and those of the departments it works with."
    ),
    "report": _l("A report is seen by whoever sees its call."),
    "evaluation": _l(
        "An evaluation is seen by its township, the county offices, and the department evaluated, its own only."
    ),
    "notice": _l(
        "A slip is seen by the county offices and the supervisors, and once issued by the department it is addressed to."
    ),
    "document": _l("A paper is seen by the office that issued it and by those it is addressed to."),
    "checklist": _l("Checklists in force are seen by everybody of the county."),
    "checklist_item": _l("Matters of a checklist are seen by whoever sees the checklist."),
    "organisation": _l("Organisations are seen by everybody of the county; those above it as well."),
    "person": _l(
        "People are seen by everybody of their county; how they are reached and sign in by the offices, the administrators and themselves."
    ),
    "substitution": _l("A substitution is seen by the two people and the administrators."),
    "portfolio": _l("Who has which department in charge is seen by everybody of the county."),
    "setting": _l("Settings are seen by the system administrator."),
}
"""Who sees the records of a type, in the words of the rules (2.1, end)."""

GENERAL = _l(
    "Everybody sees what belongs to his own organisation or what his office processes; nothing of other counties."
)


@dataclass(frozen=True)
class Explanation:
    """What decides whether a person sees a record. `exists` is told only to whom it may be told: who sees it."""

    kind: Text
    rule: Text
    visible: bool
    reasons: tuple[Text, ...]


def rule_of(model: type[Record]) -> Text:
    """Who sees the records of a type. A type may say it itself by `scope_words`."""
    return getattr(model, "scope_words", None) or RULES.get(model.resource(), GENERAL)


def explain(session: Session, model: type[Record], record_id: int, person: Viewer) -> Explanation:
    """Why a person sees a record, or the general rule where he does not. What is hidden and what does not exist read the same."""
    with viewer.viewing(person):
        visible = session.scalar(sa.select(model.id).where(model.id == record_id)) is not None
    reasons: list[Text] = []
    if not person.may("can_show", model.__name__):
        reasons.append(_l("The roles do not include the page of this kind of record."))
    if visible:
        reasons.append(_l("The record lies within what the rule shows to the person's roles and organisation."))
        if person.deputed:
            reasons.append(
                _l(
                    "The person acts for %(names)s as well and sees what they see in that role.",
                    names="、".join(one.name for one in person.deputed),
                )
            )
    else:
        reasons.append(
            _l(
                "No record of this number lies within what the rule shows to the person's roles and organisation. It may also not exist."
            )
        )
    return Explanation(model.label, rule_of(model), visible and person.may("can_show", model.__name__), tuple(reasons))


def find(session: Session, text: str) -> tuple[type[Record], int] | None:
    """The record that an address of the portal, or a number on a paper, names; None where nothing can be made of it. To be asked as the system."""
    parts = [part for part in text.strip().split("?")[0].split("#")[0].split("/") if part]
    for place, part in enumerate(parts[:-1]):
        if part in RECORD_TYPES and parts[-1].isdecimal() and len(parts[-1]) < 19 and place < len(parts) - 1:
            return RECORD_TYPES[part], int(parts[-1])
    word = text.strip()
    if not word or len(word) > 80:
        return None
    for model in RECORD_TYPES.values():
        columns = sa.inspect(model).columns
        if "number" in columns and isinstance(columns["number"].type, sa.String):
            key = session.scalar(sa.select(model.id).where(columns["number"] == word).limit(1))
            if key is not None:
                return model, key
    return None
