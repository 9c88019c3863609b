"""Transitions told to programs: which are possible now, and what each asks."""

from __future__ import annotations

from typing import Any

from models import viewer
from models.event import plain
from models.field import Field
from models.viewer import Viewer
from models.workflow import possible


def told(record: Any, person: Viewer) -> list[dict[str, Any]]:
    """The transitions that a person may perform on a record now, as `/transitions` gives them."""
    found = possible(record, person)
    with viewer.system():
        # What is asked may depend on rows that this person does not see, as the guards do.
        return [
            {
                "name": transition.name,
                "label": str(transition.label),
                "help": str(transition.help),
                "fields": [_question(asked, record) for asked in transition.fields(record)],
            }
            for transition in found
        ]


def _question(asked: Field, record: Any) -> dict[str, Any]:
    question: dict[str, Any] = {
        "name": asked.name,
        "label": str(asked.label),
        "type": asked.kind,
        "required": asked.required,
        "choices": [{"value": value, "label": str(label)} for value, label in asked.options(record)],
    }
    if asked.when is not None:
        question["when"] = {"field": asked.when[0], "among": list(asked.when[1])}
    if asked.target:
        question |= {"target": asked.target, "only": plain(asked.only or {})}
    if asked.kind == "entries":
        question["fields"] = [_question(inner, record) for inner in asked.entries]
        question["rows"] = plain(list(asked.entry_rows(record))) if asked.entry_rows is not None else []
    return question
