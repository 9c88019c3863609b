"""Fields: what the portal must know of a value to ask for it, check it, show it and tell a program about it.

One description serves columns of records and questions of transitions, so that the form, the REST schema, the
import template and the timeline cannot disagree.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l

Text = Any
"""A translated text: str or flask_babel's lazy string."""

Kind = Literal[
    "text",
    "long_text",
    "integer",
    "decimal",
    "boolean",
    "date",
    "datetime",
    "choice",
    "choices",
    "reference",
    "references",
    "entries",
    "json",
]

LARGEST_ID = 2**63 - 1
LONGEST_TEXT = 20_000


class Choice(enum.StrEnum):
    """An enumeration whose members carry a translated label: `draft = "draft", _l("Draft")`. Stored and transported by value."""

    label: Text

    def __new__(cls, value: str, label: Text = "") -> Choice:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label or value
        return member


class FieldError(ValueError):
    """A value that does not fit its field; the message is a sentence for the person who typed it."""

    def __init__(self, message: Text) -> None:
        super().__init__(message)
        self.message = message


class EntryErrors(FieldError):
    """What is wrong in the entries of a list, by place and field: `2.text` is the field `text` of the third entry."""

    def __init__(self, errors: Mapping[str, Text]) -> None:
        super().__init__(next(iter(errors.values())))
        self.errors = dict(errors)


TextCheck = Callable[[str], Sequence[str]]
_missing_glyphs: TextCheck | None = None


def use_text_check(check: TextCheck | None) -> None:
    """Install the function that names the characters which no face can print (spec 3: checked when saved, so that automatic slips cannot fail)."""
    global _missing_glyphs
    _missing_glyphs = check


@dataclass(frozen=True)
class Field:
    """One value: name, labels, kind and limits.

    `target` is the record type of a reference; `choices` the enumeration of a choice, or a function of the record that lists (value, label) pairs;
    `entries` the fields of each entry in a list; `default` a value or a function of (record, viewer) that prefills the question.
    """

    name: str
    label: Text
    kind: Kind = "text"
    required: bool = True
    help: Text = ""
    length: int | None = None
    choices: type[Choice] | Callable[[Any], Sequence[tuple[str, Text]]] | None = None
    target: str = ""
    only: Mapping[str, Any] | None = None
    """Limits a reference to rows with these column values, e.g. departments."""
    default: Any = None
    entries: tuple[Field, ...] = ()
    entry_rows: Callable[[Any], Sequence[Mapping[str, Any]]] | None = None
    """The rows that the form offers for an `entries` field; each gives the fixed values of its entry, a `label`, and where there
    were answers before, those as `answers`."""
    lines: bool = False
    """The entries are records of their own, edited with the one they belong to: as many as wanted, each with its `id` if it is there already."""
    placeholder: Text = ""
    when: tuple[str, tuple[str, ...]] | None = None
    """Another field of the same form and its values for which this one is asked; else it must stay empty."""
    local_zone: str = "Asia/Shanghai"

    def options(self, record: Any) -> list[tuple[str, Text]]:
        """(identifier, label) of everything that may be chosen."""
        if isinstance(self.choices, type):
            members: Sequence[Choice] = tuple(self.choices)  # type: ignore[arg-type]  # a class of members
            return [(str(member.value), member.label) for member in members]
        if self.choices is not None:
            return list(self.choices(record))
        return []

    def prefill(self, record: Any, viewer: Any) -> Any:
        return self.default(record, viewer) if callable(self.default) else self.default

    def parse(self, raw: Any, record: Any = None) -> Any:
        """The value of what came by form or JSON; references stay ids. Empty gives None (an empty list for lists).

        Raises FieldError with a sentence for the person, never another exception, whatever the bytes.
        """
        if raw is None or raw == "" or (isinstance(raw, str) and not raw.strip()):
            return (
                [] if self.kind in ("choices", "references", "entries") else (False if self.kind == "boolean" else None)
            )
        return _PARSERS[self.kind](self, raw, record)

    def check_present(self, value: Any) -> None:
        """Raise FieldError when a required value is missing."""
        if self.required and (value is None or value == [] or value == ""):
            raise FieldError(_l("Please fill in this field."))


_UNKEEPABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
"""Control characters beside line feed and tabulator, and halves of characters."""


def clean_text(raw: Any, length: int | None = None) -> str:
    """A text as it may be kept and printed: no control characters, trimmed, within its length, every character printable by the faces.

    Raises FieldError naming what is wrong.
    """
    if not isinstance(raw, str):
        raise FieldError(_l("Please enter a text."))
    text = raw.replace("\r\n", "\n").replace("\r", "\n").strip()
    limit = length or LONGEST_TEXT
    if len(text) > limit:
        raise FieldError(
            _l("This text has %(count)d characters, at most %(limit)d are possible.", count=len(text), limit=limit)
        )
    if _UNKEEPABLE.search(text):
        raise FieldError(
            _l("The text contains characters that cannot be kept. Please type it again instead of pasting it.")
        )
    if _missing_glyphs is not None:
        missing = _missing_glyphs(text)
        if missing:
            raise FieldError(
                _l("“%(character)s” cannot be printed on official papers. Please replace it.", character=missing[0])
            )
    return text


def _parse_text(field: Field, raw: Any, record: Any) -> str:
    text = clean_text(raw, field.length)
    if field.kind == "text" and "\n" in text:
        raise FieldError(_l("Please enter one line only."))
    return text


def _parse_integer(field: Field, raw: Any, record: Any) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int | str):
        raise FieldError(_l("Please enter a whole number."))
    try:
        number = int(str(raw).strip()[:40])
    except ValueError:
        raise FieldError(_l("Please enter a whole number.")) from None
    if abs(number) > LARGEST_ID:
        raise FieldError(_l("This number is too large."))
    return number


def _parse_decimal(field: Field, raw: Any, record: Any) -> Decimal:
    try:
        number = Decimal(str(raw).strip()[:40])
    except (InvalidOperation, ValueError):
        raise FieldError(_l("Please enter a number.")) from None
    if not number.is_finite() or abs(number) >= Decimal(10) ** 14:
        raise FieldError(_l("This number is too large."))
    return number


def _parse_boolean(field: Field, raw: Any, record: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().lower()
    if word in ("true", "1", "yes", "on", "y", "是"):
        return True
    if word in ("false", "0", "no", "off", "n", "否"):
        return False
    raise FieldError(_l("Please choose yes or no."))


_DAY = re.compile(
    r"(?P<year>\d{4})(?:(?P<mm>\d{2})(?P<dd>\d{2})"
    r"|\s*[-/.．年]\s*(?P<month>\d{1,2})\s*[-/.．月]\s*(?P<day>\d{1,2})(?:\s*日|(?!\d)))"
)
"""A day as people write it, and as the picker of the browser takes it: 2026-11-23, 2026/11/23, 2026.11.23, 2026年11月23日, 20261123."""
_TIME = re.compile(r"[\sT]*(?:(?P<hhmm>\d{4})|(?P<hour>\d{1,2})(?:\s*[:：时時点點]\s*(?:(?P<minute>\d{1,2})\s*分?)?)?)")
"""The time after it: 9:05, 09:05, 0905, 9时5分, 9时."""


def _typed_day(found: re.Match[str]) -> date:
    """Raises ValueError for a day that no calendar has."""
    return date(int(found["year"]), int(found["mm"] or found["month"]), int(found["dd"] or found["day"]))


def _typed_instant(text: str, zone: ZoneInfo) -> datetime:
    """What people type, read as local time; without a time midnight. Raises ValueError."""
    found = _DAY.match(text)
    if found is None:
        raise ValueError(text)
    day, rest = _typed_day(found), text[found.end() :]
    if not rest:
        return datetime(day.year, day.month, day.day, tzinfo=zone)
    clock = _TIME.fullmatch(rest)
    if clock is None:
        raise ValueError(text)
    hour, minute = (clock["hhmm"][:2], clock["hhmm"][2:]) if clock["hhmm"] else (clock["hour"], clock["minute"] or 0)
    return datetime(day.year, day.month, day.day, int(hour), int(minute), tzinfo=zone)


def _read_instant(raw: Any, zone: ZoneInfo) -> datetime:
    """Raises ValueError."""
    if not isinstance(raw, str):
        raise ValueError(raw)
    text = raw.strip()[:40]
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return _typed_instant(text, zone)


def _parse_date(field: Field, raw: Any, record: Any) -> date:
    """ISO 8601, or what people type."""
    if isinstance(raw, date) and not isinstance(raw, datetime):
        return raw
    typed = _DAY.fullmatch(raw[:40].strip()) if isinstance(raw, str) else None
    try:
        found = _typed_day(typed) if typed is not None else None
    except ValueError:
        found = None
    if found is None or not 1900 <= found.year <= 2200:
        raise FieldError(_l("Please enter a date such as 2026-11-23."))
    return found


def _parse_datetime(field: Field, raw: Any, record: Any) -> datetime:
    """ISO 8601 with a zone, or what people type, which is read as the county's local time."""
    zone = ZoneInfo(field.local_zone)
    try:
        found = raw if isinstance(raw, datetime) else _read_instant(raw, zone)
    except ValueError:
        raise FieldError(_l("Please enter a date and time such as 2026-11-23 14:30.")) from None
    if not 1900 <= found.year <= 2200:
        raise FieldError(_l("Please enter a date and time such as 2026-11-23 14:30."))
    if found.tzinfo is None:
        found = found.replace(tzinfo=zone)
    return found.astimezone(UTC)


def _parse_choice(field: Field, raw: Any, record: Any) -> Any:
    value = raw.value if isinstance(raw, enum.Enum) else raw
    if value not in [option for option, _label in field.options(record)]:
        raise FieldError(_l("Please choose one of the given answers."))
    return field.choices(value) if isinstance(field.choices, type) else value


def _parse_choices(field: Field, raw: Any, record: Any) -> list[Any]:
    if not isinstance(raw, list | tuple) or len(raw) > 500:
        raise FieldError(_l("Please choose one or more of the given answers."))
    chosen = [_parse_choice(field, one, record) for one in raw if one not in ("", None)]
    return list(dict.fromkeys(chosen))


def _parse_reference(field: Field, raw: Any, record: Any) -> int:
    if isinstance(raw, Mapping):
        raw = raw.get("id")
    number = _parse_integer(field, raw, record)
    if number < 1:
        raise FieldError(_l("Please choose one of the given answers."))
    return number


def _parse_references(field: Field, raw: Any, record: Any) -> list[int]:
    if not isinstance(raw, list | tuple) or len(raw) > 500:
        raise FieldError(_l("Please choose one or more of the given answers."))
    numbers = [_parse_reference(field, one, record) for one in raw if one not in ("", None)]
    if len(set(numbers)) != len(numbers):
        raise FieldError(_l("One of the answers was given twice."))
    return numbers


def _parse_entries(field: Field, raw: Any, record: Any) -> list[dict[str, Any]]:
    if not isinstance(raw, list | tuple) or len(raw) > 500 or not all(isinstance(one, Mapping) for one in raw):
        raise FieldError(_l("A list of entries is expected."))
    parsed = []
    errors: dict[str, Text] = {}
    for place, one in enumerate(raw):
        entry: dict[str, Any] = {}
        for inner in field.entries:
            try:
                entry[inner.name] = inner.parse(one.get(inner.name), record)
            except FieldError as error:
                errors[f"{place}.{inner.name}"] = error.message
        complete = {inner.name: inner for inner in field.entries if inner.name in entry}
        errors |= {f"{place}.{name}": message for name, message in incomplete(complete.values(), entry).items()}
        parsed.append(entry)
    if errors:
        raise EntryErrors(errors)
    return parsed


def is_asked(asked: Field, values: Mapping[str, Any]) -> bool:
    """Whether a field is asked, given the parsed values of its form."""
    if asked.when is None:
        return True
    name, among = asked.when
    value = values.get(name)
    if isinstance(value, bool):
        return ("yes" if value else "no") in among
    return value is not None and str(getattr(value, "value", value)) in among


def is_empty(value: Any) -> bool:
    return value is None or value == "" or value == [] or value is False


def incomplete(fields: Iterable[Field], values: Mapping[str, Any]) -> dict[str, Text]:
    """What is wrong with parsed values taken together: a required one missing, or one given that is not asked. By name of the field."""
    known = {asked.name: asked for asked in fields}
    errors: dict[str, Text] = {}
    for name, asked in known.items():
        if is_asked(asked, values):
            try:
                asked.check_present(values.get(name))
            except FieldError as error:
                errors[name] = error.message
        elif not is_empty(values.get(name)):
            errors[name] = _not_asked(asked, known)
    return errors


def _not_asked(asked: Field, known: Mapping[str, Field]) -> Text:
    assert asked.when is not None
    name, among = asked.when
    other = known.get(name)
    if other is None or not isinstance(other.choices, type):
        return _l("Please leave this empty: it is not asked here.")
    labels = dict(other.options(None))
    chosen = "、".join(str(labels.get(value, value)) for value in among)
    return _l(
        "Please leave this empty: it is only asked for “%(other)s” = %(values)s.", other=other.label, values=chosen
    )


def _parse_json(field: Field, raw: Any, record: Any) -> Any:
    return raw


_PARSERS: dict[str, Callable[[Field, Any, Any], Any]] = {
    "text": _parse_text,
    "long_text": _parse_text,
    "integer": _parse_integer,
    "decimal": _parse_decimal,
    "boolean": _parse_boolean,
    "date": _parse_date,
    "datetime": _parse_datetime,
    "choice": _parse_choice,
    "choices": _parse_choices,
    "reference": _parse_reference,
    "references": _parse_references,
    "entries": _parse_entries,
    "json": _parse_json,
}
