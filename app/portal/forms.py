"""Forms from fields: the same description asks people, checks programs and prefills.

A form keeps what was typed as it was typed; `models.field.Field.parse` alone decides whether it is good. So nothing
typed is ever lost to a conversion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from models.workflow import Invalid

FEW = 5
"""Up to so many choices stand open."""

OptionUrl = Callable[[Field], str]
"""Gives the address where a reference's choices are searched."""
Labels = Callable[[Field, Sequence[int]], list[tuple[str, str]]]
"""Gives (key, name) of chosen records that this person may see."""


class DateField(StringField):
    """A date as typed."""


class DateTimeField(StringField):
    """A date and time as typed, in the county's time."""


class RecordForm(FlaskForm):  # type: ignore[misc]
    """A form made from fields. `values()` gives what was typed, for `Field.parse`."""

    described: Mapping[str, Field]

    def values(self) -> dict[str, Any]:
        """What was typed, by field name."""
        return {name: _raw(self[name], asked) for name, asked in self.described.items()}

    def show_errors(self, refused: Invalid) -> None:
        """Put the sentences of a refusal beside their fields; those of no field stand above the form."""
        for name, messages in refused.errors.items():
            sentences = [str(message) for message in messages]
            if name in self.described:
                self[name].errors = [*self[name].errors, *sentences]
            else:
                self.form_errors.extend(sentences)


def _raw(bound: Any, asked: Field) -> Any:
    if asked.kind != "entries":
        return bound.data
    rows = []
    for entry in bound.entries:
        row = {inner.name: entry.form[inner.name].data for inner in asked.entries}
        if any(value not in (None, "") for name, value in row.items() if name not in entry.form.fixed):
            rows.append(row)
    return rows


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
) -> RecordForm:
    """A form for these fields, filled from `values`, else from each field's prefill; from the request when it was posted.

    `version` adds the hidden number that finds out whether somebody else saved meanwhile. `require=False` asks for nothing (drafts, filters).
    """
    members: dict[str, Any] = {"described": {asked.name: asked for asked in fields}}
    start: dict[str, Any] = {}
    for asked in fields:
        value = values[asked.name] if values is not None and asked.name in values else asked.prefill(record, person)
        members[asked.name] = _unbound(asked, record, option_url)
        start[asked.name] = _typed(asked, value)
        if asked.kind == "entries":
            start[asked.name] = list(asked.entry_rows(record)) if asked.entry_rows is not None else []
    if version is not None:
        members["version"] = HiddenField(default=str(version))
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
        if asked.kind in ("reference", "references") and labels is not None:
            keys = bound.data if isinstance(bound.data, list) else [bound.data]
            bound.choices = [("", "")] * (asked.kind == "reference") + labels(
                asked, [int(key) for key in keys if str(key or "").isdecimal() and len(str(key)) < 19]
            )
        if asked.kind == "entries":
            _dress_entries(bound, asked, record)
    return form


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
    if asked.placeholder:
        attributes["placeholder"] = str(asked.placeholder)
    if asked.length:
        attributes["maxlength"] = asked.length
    match asked.kind:
        case "long_text":
            return TextAreaField(**common, render_kw={"rows": 4, **attributes})
        case "boolean":
            return BooleanField(**common)
        case "date":
            return DateField(**common)
        case "datetime":
            return DateTimeField(**common)
        case "choice":
            options = [(value, str(label)) for value, label in asked.options(record)]
            if len(options) <= FEW:
                return RadioField(**common, choices=options, validate_choice=False)
            return SelectField(**common, choices=[("", _("Please choose")), *options], validate_choice=False)
        case "choices":
            several = [(value, str(label)) for value, label in asked.options(record)]
            return SelectMultipleField(**common, choices=several, validate_choice=False)
        case "reference" | "references":
            if option_url is not None:
                attributes["data-search-url"] = option_url(asked)
            kind = SelectMultipleField if asked.kind == "references" else SelectField
            return kind(**common, choices=[], validate_choice=False, render_kw=attributes)
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
