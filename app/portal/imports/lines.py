"""Lines of a record in an import (`parts`): a list of objects in JSON; in a cell one line of text for each, its values parted by `|`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l

from models.field import Field, FieldError

BETWEEN = "｜"
"""Between the values of a line; the narrow one that keyboards have is taken too."""

BY_PLACE = ("id", "position")
"""Fields of a line that follow from its place."""


def asked_of(lines: Field) -> list[Field]:
    """What a line is asked, in the order in which a cell holds it."""
    return [asked for asked in lines.entries if asked.name not in BY_PLACE]


def notation(lines: Field) -> str:
    """`Kind｜Organisation｜Party｜Duty`."""
    return BETWEEN.join(str(asked.label) for asked in asked_of(lines))


def given_lines(lines: Field, value: Any) -> list[dict[str, Any]]:
    """The raw values of each line by field name. Raises FieldError, naming the line that cannot be read."""
    if isinstance(value, list) and all(isinstance(one, Mapping) for one in value):
        known = {asked.name for asked in lines.entries}
        for number, one in enumerate(value, 1):
            strange = [name for name in one if name not in known]
            if strange:
                raise FieldError(
                    _l("Line %(number)d: there is no field “%(name)s”.", number=number, name=strange[0][:40])
                )
        return [{name: inner for name, inner in one.items() if name not in BY_PLACE} for one in value]
    if not isinstance(value, str):
        raise FieldError(_l("A list of entries is expected."))
    asked = asked_of(lines)
    found = []
    for number, text in enumerate((one for one in value.splitlines() if one.strip()), 1):
        values = [one.strip() or None for one in text.replace("|", BETWEEN).split(BETWEEN)]
        if len(values) != len(asked):
            raise FieldError(_l("Line %(number)d must read: %(notation)s.", number=number, notation=notation(lines)))
        found.append(dict(zip((one.name for one in asked), values, strict=True)))
    return found


def translated(lines: Field, value: Any, translate: Callable[[Field, Any], Any]) -> list[dict[str, Any]]:
    """The lines with every value translated. Raises FieldError, naming the line."""
    fields = {asked.name: asked for asked in lines.entries}
    found = []
    for number, one in enumerate(given_lines(lines, value), 1):
        try:
            found.append({name: translate(fields[name], inner) for name, inner in one.items()})
        except FieldError as error:
            raise FieldError(_l("Line %(number)d: %(reason)s", number=number, reason=error.message)) from error
    return found


def placed(entries: Sequence[Mapping[str, Any]], present: Sequence[Any]) -> list[dict[str, Any]]:
    """The lines with the keys of those that stand in their places now, so that the same lines again change nothing."""
    keys = [line.id for line in present]
    return [{**entry, "id": keys[place] if place < len(keys) else None} for place, entry in enumerate(entries)]
