"""The plain data that a document is made of: frozen dataclasses, stored as JSON.

A context is complete wording and nothing else: texts, whole numbers, yes or no, and lists of such
records. What was stored must be readable for ever, so reading is strict: an unknown, missing or
mistyped field is a :class:`ContextError` that names it, never a half-filled page.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, Self, get_args, get_origin, get_type_hints

from reports.wording import parse_date


class ContextError(ValueError):
    """A stored context does not fit its document kind; ``field`` names the place."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


@dataclass(frozen=True)
class About:
    """What the PDF says about itself.

    ``written`` is the day in its metadata: taken from the context, so that the same context
    gives the same bytes.
    """

    title: str
    author: str
    written: date


@dataclass(frozen=True)
class Record:
    """A line of a context: a dataclass of texts, numbers, booleans, tuples and other records."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any], at: str = "") -> Self:
        """Build the record from plain data; ``at`` is its place in the whole, for messages."""
        if not isinstance(data, Mapping):
            raise ContextError(at or cls.__name__, "an object is expected")
        types = _field_types(cls)
        for name in data:
            if name not in types:
                raise ContextError(_place(at, str(name)), "is not a field of this document")
        values = {}
        for field in dataclasses.fields(cls):
            place = _place(at, field.name)
            if field.name in data:
                values[field.name] = _read(types[field.name], data[field.name], place)
            elif field.default is dataclasses.MISSING:
                raise ContextError(place, "is missing")
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """The plain data that :meth:`from_json` reads back to an equal record."""
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}


@dataclass(frozen=True)
class Context(Record):
    """A whole document. Subclasses say what it is :meth:`about` and what its texts may cite."""

    def about(self) -> About:
        """Title, issuing office and date for the PDF's metadata."""
        raise NotImplementedError

    def placeholders(self) -> Mapping[str, Any]:
        """What the document's texts may cite in braces: its own fields unless a kind adds to them."""
        return self.to_json()


_field_types_of: dict[type[Record], Mapping[str, Any]] = {}


def _field_types(cls: type[Record]) -> Mapping[str, Any]:
    """The resolved annotations of ``cls``; resolving is slow and a timeline has many rows."""
    if cls not in _field_types_of:
        _field_types_of[cls] = get_type_hints(cls)
    return _field_types_of[cls]


def _place(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_json()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _read(expected: Any, value: Any, at: str) -> Any:
    """``value`` as ``expected`` (str, int, bool, Literal, tuple of one of them, or a record)."""
    origin = get_origin(expected)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ContextError(at, "a list is expected")
        item = get_args(expected)[0]
        return tuple(_read(item, each, f"{at}[{place}]") for place, each in enumerate(value))
    if origin is Literal:
        if value not in get_args(expected):
            raise ContextError(at, "must be one of " + ", ".join(map(repr, get_args(expected))))
        return value
    if issubclass(expected, Record):
        return expected.from_json(value, at)
    # bool is an int to Python; to a document 第True项 is a mistake.
    if type(value) is not expected:
        raise ContextError(at, f"{expected.__name__} is expected")
    return value


def parse_day(text: str, at: str) -> date:
    """The date written in field ``at``, for :meth:`Context.about`."""
    try:
        return parse_date(text)
    except ValueError as error:
        raise ContextError(at, str(error)) from error
