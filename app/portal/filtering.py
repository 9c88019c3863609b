"""Filters of a list by kind of field: choices, references, yes or no, from–to, text; also by a reference's own fields, such as a call's township.

What an address asks for and makes no sense is left out, never an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from wtforms import Form, SelectField, SelectMultipleField, StringField
from wtforms.fields.core import UnboundField

from app.portal import references
from app.portal.forms import DateField, local_zone
from app.portal.words import value_text
from models.base import RECORD_TYPES, described, fields_of
from models.field import LARGEST_ID, Field, FieldError

LONGEST_WORD = 60
MOST_CHOICES = 50
RANGES = ("date", "datetime", "integer", "decimal")
FROM, TO = "_from", "_to"


@dataclass(frozen=True)
class Filter:
    """Something that a list may be narrowed by: a field, or a field of the record that a reference names (`call.township`)."""

    name: str
    path: tuple[tuple[type[Any], Field], ...]
    offered: bool = True
    """Whether the filter form shows it; any reference may be asked for by an address, as related records do."""

    @property
    def field(self) -> Field:
        return self.path[-1][1]

    @property
    def label(self) -> str:
        return "".join(f"{asked.label} · " for _model, asked in self.path[:-1]) + str(self.field.label)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Its names in an address."""
        return (self.name + FROM, self.name + TO) if self.field.kind in RANGES else (self.name,)

    def condition(self, meets: Callable[[Any], sa.ColumnElement[bool]]) -> sa.ColumnElement[bool]:
        """The condition on the list's own rows, given the one on the field's column."""
        model, asked = self.path[-1]
        found = meets(_column(model, asked))
        for (owner, link), (target, _asked) in zip(self.path[-2::-1], self.path[:0:-1], strict=True):
            found = _column(owner, link).in_(sa.select(target.id).where(found))
        return found


@dataclass(frozen=True)
class Active:
    """A filter that an address asks for, understood."""

    filter: Filter
    given: Mapping[str, tuple[str, ...]]
    """What stands in the address, by parameter."""
    words: str
    where: sa.ColumnElement[bool]


def _column(model: type[Any], asked: Field) -> Any:
    return getattr(model, f"{asked.name}_id" if asked.kind == "reference" else asked.name)


def filters_of(
    model: type[Any], further: Sequence[str] = (), without: frozenset[str] = frozenset()
) -> dict[str, Filter]:
    """The filters of a record type: its searched fields, those named (`call.township`), and silently every reference.

    `without` names fields that not everybody reads: a filter must not tell what reading hides.
    """
    found = {}
    for name, asked in fields_of(model).items():
        searched = bool(described(model, name)["searched"])
        if name in without or not _filters(asked) or not (searched or asked.kind == "reference"):
            continue
        found[name] = Filter(name, ((model, asked),), searched)
    for dotted in further:
        path = _path(model, dotted.split("."))
        if dotted not in without and path is not None:
            found[dotted] = Filter(dotted, path)
    return found


def _path(model: type[Any], names: Sequence[str]) -> tuple[tuple[type[Any], Field], ...] | None:
    here, path = model, []
    for place, name in enumerate(names):
        asked = fields_of(here).get(name)
        last = place == len(names) - 1
        if asked is None or not (_filters(asked) if last else asked.target in RECORD_TYPES):
            return None
        path.append((here, asked))
        here = here if last else RECORD_TYPES[asked.target]
    return tuple(path)


def _filters(asked: Field) -> bool:
    if asked.kind == "reference":
        return asked.target in RECORD_TYPES
    return asked.kind in (*RANGES, "choice", "boolean", "text")


class Filters:
    """The filters of a list as an address asks for them."""

    def __init__(
        self, session: Session, known: Mapping[str, Filter], arguments: MultiDict[str, str], example: Callable[[], Any]
    ) -> None:
        self.session = session
        self.known = known
        self.example = example
        """Makes a record whose questions can look things up, for choices that depend on one."""
        self._names: dict[tuple[str, int], str] = {}
        self.active = {name: found for name, one in known.items() if (found := self._read(one, arguments)) is not None}

    @property
    def offered(self) -> bool:
        """Whether there is a form of filters."""
        return any(one.offered for one in self.known.values())

    @property
    def where(self) -> list[sa.ColumnElement[bool]]:
        return [one.where for one in self.active.values()]

    def parameters(self, without: str = "") -> Iterator[tuple[str, str]]:
        """What stands in the address for these filters, one of them left out."""
        for name, one in self.active.items():
            if name != without:
                yield from ((parameter, value) for parameter, values in one.given.items() for value in values)

    # Reading

    def _read(self, one: Filter, arguments: MultiDict[str, str]) -> Active | None:
        if not any(parameter in arguments for parameter in one.parameters):
            return None
        if one.field.kind in RANGES:
            return self._range(one, arguments)
        given = [_clean(value) for value in arguments.getlist(one.name)[:MOST_CHOICES]]
        given = list(dict.fromkeys(value for value in given if value))
        if not given:
            return None
        match one.field.kind:
            case "choice":
                return self._choices(one, given)
            case "reference":
                return self._reference(one, given)
            case "boolean":
                return self._yes_or_no(one, given[0])
            case _:
                word = given[0]
                return Active(
                    one,
                    {one.name: (word,)},
                    word,
                    one.condition(lambda column: column.icontains(word, autoescape=True)),
                )

    def _choices(self, one: Filter, given: Sequence[str]) -> Active | None:
        asked = one.field
        if isinstance(asked.choices, type):
            labels = {str(value): str(label) for value, label in asked.options(None)}
            given = [value for value in given if value in labels]
            values: list[Any] = [asked.choices(value) for value in given]
        else:
            # Choices that depend on a record may have been others when a row was written.
            labels, values = {}, list(given)
        if not given:
            return None
        words = "、".join(labels.get(value, value) for value in given)
        where = one.condition(lambda column: column == values[0] if len(values) == 1 else column.in_(values))
        return Active(one, {one.name: tuple(given)}, words, where)

    def _reference(self, one: Filter, given: Sequence[str]) -> Active | None:
        """A reference to what this viewer sees: a filter must not tell what reading hides."""
        if not given[0].isascii() or not given[0].isdigit() or not 0 < int(given[0][:20]) <= LARGEST_ID:
            return None
        key = int(given[0])
        name = self.name_of(one.field, key)
        if not name:
            return None
        return Active(one, {one.name: (str(key),)}, name, one.condition(lambda column: column == key))

    def name_of(self, asked: Field, key: int) -> str:
        """What people call the record that a reference names; empty where this viewer does not see it."""
        if (asked.target, key) not in self._names:
            found = references.labels(self.session, asked, [key])
            self._names[asked.target, key] = found[0][1] if found else ""
        return self._names[asked.target, key]

    @staticmethod
    def _yes_or_no(one: Filter, text: str) -> Active | None:
        try:
            value = one.field.parse(text)
        except FieldError:
            return None
        return Active(
            one,
            {one.name: ("yes" if value else "no",)},
            _("Yes") if value else _("No"),
            one.condition(lambda column: column.is_(value)),
        )

    def _range(self, one: Filter, arguments: MultiDict[str, str]) -> Active | None:
        texts = [_clean(arguments.get(parameter, "")) for parameter in one.parameters]
        least, most = (_bound(one, text) if text else None for text in texts)
        if least is None and most is None:
            return None
        given = {
            parameter: (text,)
            for parameter, text, value in zip(one.parameters, texts, (least, most), strict=True)
            if value is not None
        }
        asked = one.field
        words = [
            value_text(Field("", "", "date"), value) if isinstance(value, date) else value_text(asked, value)
            for value in (least, most)
        ]
        if least is None:
            said = _("to %(most)s", most=words[1])
        elif most is None:
            said = _("from %(least)s", least=words[0])
        else:
            said = _("%(least)s to %(most)s", least=words[0], most=words[1])

        def meets(column: Any) -> sa.ColumnElement[bool]:
            parts = []
            if least is not None:
                parts.append(column >= (_midnight(least) if asked.kind == "datetime" else least))
            if most is not None:
                parts.append(
                    column < _midnight(most + timedelta(days=1)) if asked.kind == "datetime" else column <= most
                )
            return sa.and_(*parts)

        return Active(one, given, said, one.condition(meets))

    # The form

    def form(self, option_url: Callable[[str], str]) -> Form | None:
        """The form that asks for the filters; it is sent by GET."""
        members: dict[str, Any] = {}
        data: dict[str, Any] = {}
        for one in self.known.values():
            if not one.offered:
                continue
            for parameter, made, value in self._questions(one, option_url):
                members[parameter], data[parameter] = made, value
        return type("FilterForm", (Form,), members)(data=data) if members else None

    def _questions(self, one: Filter, option_url: Callable[[str], str]) -> Iterator[tuple[str, UnboundField, Any]]:
        asked, label = one.field, one.label
        active = self.active.get(one.name)
        chosen = list(active.given.get(one.name, ())) if active is not None else []
        match asked.kind:
            case "choice":
                options = [
                    (str(value), str(words))
                    for value, words in asked.options(None if isinstance(asked.choices, type) else self.example())
                ]
                options += [(value, value) for value in chosen if value not in dict(options)]
                yield one.name, SelectMultipleField(label, choices=options, validate_choice=False), chosen
            case "reference":
                shown = [("", ""), *((key, self.name_of(asked, int(key))) for key in chosen)]
                search = {"data-search-url": option_url(one.name)}
                made = SelectField(label, choices=shown, validate_choice=False, render_kw=search)
                yield one.name, made, chosen[0] if chosen else ""
            case "boolean":
                options = [("", _("Any")), ("yes", _("Yes")), ("no", _("No"))]
                yield one.name, SelectField(label, choices=options, validate_choice=False), chosen[0] if chosen else ""
            case "text":
                yield one.name, StringField(label), chosen[0] if chosen else ""
            case _:
                kind = DateField if asked.kind in ("date", "datetime") else StringField
                for parameter, words in zip(
                    one.parameters, (_("%(field)s, from", field=label), _("%(field)s, to", field=label)), strict=True
                ):
                    given = active.given.get(parameter, ("",)) if active is not None else ("",)
                    yield parameter, kind(words), given[0]


def _clean(text: str) -> str:
    """A parameter as it may be compared: trimmed, short, and nothing that a database refuses."""
    return "".join(c for c in text[: 2 * LONGEST_WORD] if c >= " " and not 0xD800 <= ord(c) <= 0xDFFF).strip()[
        :LONGEST_WORD
    ]


def _bound(one: Filter, text: str) -> Any:
    """One end of a range: a number, or a day; None for what is neither."""
    asked = one.field
    kind = "date" if asked.kind == "datetime" else asked.kind
    try:
        value = Field(asked.name, asked.label, kind).parse(text)
    except FieldError:
        return None
    if isinstance(value, int) and abs(value) > _largest(one):
        return None
    return value


def _largest(one: Filter) -> int:
    """The largest number that an integer column holds on every database; PostgreSQL's are narrower than Python's."""
    model, asked = one.path[-1]
    kept = sa.inspect(model).column_attrs[asked.name].columns[0].type
    return LARGEST_ID if isinstance(kept, sa.BigInteger) else 2**31 - 1


def _midnight(day: date) -> datetime:
    """The beginning of a day in the county's time."""
    return datetime(day.year, day.month, day.day, tzinfo=local_zone())
