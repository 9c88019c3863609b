"""Values in words, for lists, facts and timelines."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask_babel import format_date
from flask_babel import gettext as _

from app.portal.deadline import exact
from app.portal.page import Pill
from models.field import Choice, Field
from models.workflow import State


def pill(state: Any) -> Pill:
    """A state in a word, with the tone that its workflow declares."""
    return Pill(str(state.label), state.tone if isinstance(state, State) else "others")


def day(value: date) -> str:
    """A date in the reader's language."""
    return str(format_date(value, "long"))


def value_text(asked: Field, value: Any, record: Any = None) -> str:
    """A field's value as people read it; empty for none."""
    if value is None or value == "" or value == []:
        return ""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, Choice):
        return str(value.label)
    if isinstance(value, datetime):
        return exact(value)
    if isinstance(value, date):
        return day(value)
    if isinstance(value, Decimal):
        return amount(value)
    if isinstance(value, list):
        return "、".join(value_text(asked, one, record) for one in value)
    if asked.kind in ("choice", "choices"):
        return next((str(label) for option, label in asked.options(record) if option == value), str(value))
    if hasattr(value, "title") and not isinstance(value, str):
        return str(value.title)
    return str(value)


def amount(value: Decimal) -> str:
    """A sum of money or a share, its thousands apart and with the places that it has: 49,000.00."""
    return f"{value:,}"


def call_address(asked: Field, text: str) -> str:
    """Where a telephone number leads that is touched on a phone; empty for every other value."""
    dialled = "".join(one for one in text if one.isdecimal() or one == "+")
    return f"tel:{dialled}" if asked.name.endswith("phone") and dialled else ""


def is_quantity(asked: Field) -> bool:
    """Whether a field's values are compared by size and so stand right-aligned; a year is a name."""
    return asked.kind in ("integer", "decimal") and asked.name != "year"


def kept_text(asked: Field | None, value: Any) -> str:
    """A value as an event keeps it (identifiers, ISO instants, {id, name}) as people read it."""
    if value is None or value == "" or value == []:
        return ""
    if isinstance(value, dict):
        return str(value.get("name", ""))
    if isinstance(value, list):
        return "、".join(kept_text(asked, one) for one in value)
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if asked is not None and (isinstance(asked.choices, type) or asked.kind == "choices"):
        return next((str(label) for option, label in asked.options(None) if option == value), str(value))
    if asked is not None and asked.kind in ("date", "datetime") and isinstance(value, str):
        try:
            if asked.kind == "date":
                return str(format_date(date.fromisoformat(value), "long"))
            return exact(datetime.fromisoformat(value))
        except ValueError:
            return value
    return str(value)
