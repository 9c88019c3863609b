"""Forms from fields: the same description asks people, checks programs and prefills.

A form keeps what was typed as it was typed; `models.field.Field.parse` alone decides whether it is good. So nothing
typed is ever lost to a conversion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    FieldList,
    FormField,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms import Form as PlainForm
from wtforms.fields.core import UnboundField

from models.field import Choice, Field
from models.refusal import Invalid

FEW = 5
"""Up to so many choices stand open."""

MOST_LINES = 200
"""Lines that a record's form takes."""

OptionUrl = Callable[[Field], str]
"""Gives the address where a reference's choices are searched."""
Labels = Callable[[Field, Sequence[int]], list[tuple[str, str]]]
"""Gives (key, name) of chosen records that this person may see."""


class DateField(StringField):
    """A date as typed."""


class DateTimeField(StringField):
    """A date and time as typed, in the county's time."""


class RecordForm(FlaskForm):
    """A form made from fields. `values()` gives what was typed, for `Field.parse`."""

    described: Mapping[str, Field]

    def values(self) -> dict[str, Any]:
        """What was typed, by field name."""
        return {name: _raw(self[name], asked) for name, asked in self.described.items()}

    def show_errors(self, refused: Invalid) -> None:
        """Put the sentences of a refusal beside their fields, those of an entry (`duties.2.text`) too; those of no field stand above the form."""
        for name, messages in refused.errors.items():
            sentences = [str(message) for message in messages]
            bound = self._bound(name)
            if bound is not None:
                bound.errors = [*bound.errors, *sentences]
            else:
                self.form_errors.extend(sentences)

    def replace(self, name: str, other: RecordForm) -> None:
        """Let a field be what it is in another form of the same fields."""
        self._fields[name] = other._fields[name]
        setattr(self, name, other._fields[name])

    def _bound(self, name: str) -> Any:
        """The field of a name, or of an entry's place and name."""
        if name in self.described:
            return self[name]
        listed, _dot, rest = name.partition(".")
        place, _dot, inner = rest.partition(".")
        if listed not in self.described or not place.isdecimal():
            return None
        filled = [entry for entry in self[listed].entries if _is_filled(entry)]
        entry = filled[int(place)] if int(place) < len(filled) else None
        return entry.form[inner] if entry is not None and inner in entry.form and inner != "id" else self[listed]


def _is_filled(entry: Any) -> bool:
    """Whether something was typed in an entry; an emptied line is one that was taken away."""
    return any(bound.data not in (None, "", False) for bound in entry.form if bound.short_name not in entry.form.fixed)


def _raw(bound: Any, asked: Field) -> Any:
    if asked.kind != "entries":
        return bound.data
    return [
        {inner.name: entry.form[inner.name].data for inner in asked.entries}
        for entry in bound.entries
        if _is_filled(entry)
    ]


def make_form(
    fields: Sequence[Field],
    *,
    record: Any = None,
    person: Any = None,
    values: Mapping[str, Any] | None = None,
    version: int | None = None,
    option_url: OptionUrl | None = None,
    labels: Labels | None = None,
    csrf: bool = True,
    submitted: bool = True,
    require: bool = True,
    mark: Callable[[RecordForm], str] | None = None,
) -> RecordForm:
    """A form for these fields, filled from `values`, else from each field's prefill; from the request when it was posted.

    `version` adds the hidden number that finds out whether somebody else saved meanwhile, `mark` the marks that tell what he changed.
    `require=False` asks for nothing (drafts, filters).
    """
    members: dict[str, Any] = {"described": {asked.name: asked for asked in fields}}
    start: dict[str, Any] = {}
    for asked in fields:
        value = values[asked.name] if values is not None and asked.name in values else asked.prefill(record, person)
        members[asked.name] = _unbound(asked, record, option_url)
        start[asked.name] = _typed(asked, value)
        if asked.lines:
            start[asked.name] = [_typed_line(asked, row) for row in value or ()]
        elif asked.kind == "entries":
            rows = asked.entry_rows(record) if asked.entry_rows is not None else ()
            start[asked.name] = [{**row.get("answers", {}), **row} for row in rows]
    if version is not None:
        members["version"] = HiddenField(default=str(version))
        if mark is not None:
            members["was"] = HiddenField()
    form_class = type("DescribedForm", (RecordForm,), members)
    form: RecordForm = (
        form_class(data=start, meta={"csrf": csrf})
        if submitted
        else form_class(formdata=None, data=start, meta={"csrf": csrf})
    )
    for asked in fields:
        bound = form[asked.name]
        if asked.required and require and asked.kind != "boolean":
            bound.flags.required = True
        if asked.lines:
            _dress_lines(bound, asked, labels)
        elif asked.kind in ("reference", "references") and labels is not None:
            _offer_chosen(bound, asked, labels)
        elif asked.kind == "entries":
            _dress_entries(bound, asked, record)
    if version is not None and mark is not None and not submitted:
        form["was"].data = mark(form)
    return form


def _offer_chosen(bound: Any, asked: Field, labels: Labels) -> None:
    """Let the choices of a searched reference be what is chosen; the others are found by typing."""
    keys = bound.data if isinstance(bound.data, list) else [bound.data]
    bound.choices = [("", "")] * (asked.kind == "reference") + labels(
        asked, [int(key) for key in keys if str(key or "").isdecimal() and len(str(key)) < 19]
    )


def _dress_lines(bound: Any, asked: Field, labels: Labels | None) -> None:
    """One empty line to fill in, which the page's script copies; names of what the lines refer to."""
    if len(bound.entries) < MOST_LINES:
        bound.append_entry()
    for entry in bound.entries:
        entry.form.fixed = {"id"}
        for inner in asked.entries:
            if inner.kind == "reference" and labels is not None:
                _offer_chosen(entry.form[inner.name], inner, labels)
            if inner.required and inner.when is None and inner.kind != "boolean" and _is_filled(entry):
                entry.form[inner.name].flags.required = True


def _typed_line(asked: Field, row: Mapping[str, Any]) -> dict[str, Any]:
    return {inner.name: _typed(inner, row.get(inner.name)) for inner in asked.entries}


def _dress_entries(bound: Any, asked: Field, record: Any) -> None:
    """Give each entry its heading, and make its answers required as its row says."""
    rows = list(asked.entry_rows(record)) if asked.entry_rows is not None else []
    fixed = {name for row in rows for name in row}
    for position, entry in enumerate(bound.entries):
        entry.form.fixed = fixed
        row = rows[position] if position < len(rows) else {}
        entry.form.legend = row.get("label", "")
        for inner in asked.entries:
            if inner.required and not row.get("optional") and inner.name not in fixed:
                entry.form[inner.name].flags.required = True


def _unbound(asked: Field, record: Any, option_url: OptionUrl | None) -> UnboundField:
    common: dict[str, Any] = {"label": asked.label, "description": asked.help}
    attributes: dict[str, Any] = {}
    if asked.when is not None:
        attributes |= {"data-when": asked.when[0], "data-among": " ".join(asked.when[1])}
    if asked.placeholder:
        attributes["placeholder"] = str(asked.placeholder)
    if asked.length:
        attributes["maxlength"] = asked.length
    match asked.kind:
        case "long_text":
            return TextAreaField(**common, render_kw={"rows": 4, **attributes})
        case "boolean":
            return BooleanField(**common, render_kw=attributes or None)
        case "date":
            return DateField(**common, render_kw=attributes or None)
        case "datetime":
            return DateTimeField(**common, render_kw=attributes or None)
        case "choice":
            options = [(value, str(label)) for value, label in asked.options(record)]
            if len(options) <= FEW:
                return RadioField(**common, choices=options, validate_choice=False, render_kw=attributes or None)
            chosen = [("", _("Please choose")), *options]
            return SelectField(**common, choices=chosen, validate_choice=False, render_kw=attributes or None)
        case "choices":
            several = [(value, str(label)) for value, label in asked.options(record)]
            return SelectMultipleField(**common, choices=several, validate_choice=False, render_kw=attributes or None)
        case "reference" | "references":
            if option_url is not None:
                attributes["data-search-url"] = option_url(asked)
            kind = SelectMultipleField if asked.kind == "references" else SelectField
            return kind(**common, choices=[], validate_choice=False, render_kw=attributes)
        case "entries" if asked.lines:
            lines: dict[str, Any] = {"fixed": frozenset({"id"}), "legend": "", "id": HiddenField()}
            for inner in asked.entries[1:]:
                search = option_url and (lambda one: option_url(replace(one, name=f"{asked.name}.{one.name}")))
                lines[inner.name] = _unbound(inner, record, search)
            return FieldList(FormField(type("Line", (PlainForm,), lines)), **common, max_entries=MOST_LINES)
        case "entries":
            members: dict[str, Any] = {"fixed": frozenset(), "legend": ""}
            given = (
                set(asked.entry_rows(record)[0]) if asked.entry_rows is not None and asked.entry_rows(record) else set()
            )
            for inner in asked.entries:
                members[inner.name] = HiddenField() if inner.name in given else _unbound(inner, record, option_url)
            return FieldList(FormField(type("Entry", (PlainForm,), members)), **common)
        case _:
            return StringField(**common, render_kw=attributes or None)


def local_zone() -> ZoneInfo:
    """The county's time zone."""
    return ZoneInfo(current_app.config["TIMEZONE"])


def _typed(asked: Field, value: Any) -> Any:
    """A value as a person would type it."""
    if value is None:
        return [] if asked.kind in ("choices", "references") else ("" if asked.kind != "boolean" else False)
    if isinstance(value, datetime):
        return value.astimezone(local_zone()).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Choice):
        return value.value
    if asked.kind in ("choices", "references"):
        return [str(one) for one in value]
    return value if isinstance(value, bool) else str(value)
