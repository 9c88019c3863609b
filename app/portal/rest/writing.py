"""JSON into records: described and editable fields only, references as far as the writer sees them, every error named by its field."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.portal.rest.shape import largest_integer, target_of
from models import clock
from models.base import Record, described, fields_of, lines_of
from models.field import EntryErrors, Field, FieldError, Text, incomplete, is_asked, is_empty
from models.person import Person
from models.refusal import Forbidden, Invalid, Stale
from models.viewer import Viewer
from models.workflow import changed_for

OUT_OF_SIGHT = _l("This record would belong to somebody else.")

RESOLVED = "records that references named"
"""Key in `session.info` of a dictionary that an import keeps while its rows name the same few records again and again."""


def keeps_drafts(model: type[Record]) -> bool:
    """Whether an incomplete record may be kept, because a later step of its workflow demands the rest."""
    return model.workflow is not None and "draft" in list(model.workflow.states)


def writable(model: type[Record]) -> dict[str, Field]:
    """The fields that POST and PUT take."""
    return {name: one for name, one in fields_of(model).items() if described(model, name)["editable"]}


def create(session: Session, model: type[Record], given: Mapping[str, Any], person: Viewer) -> Record:
    """A new record of what was sent, flushed. Raises Forbidden where this person may not create it, or would not see it; Invalid by field."""
    record = begin(session, model, given, person)
    session.flush()
    _stay_in_sight(session, record)
    return record


def begin(session: Session, model: type[Record], given: Mapping[str, Any], person: Viewer) -> Record:
    """`create` without the flush, and without the question whether its writer would see it (`out_of_sight`)."""
    record = model()
    with session.no_autoflush:
        # In the session from the start: the choices of a field may depend on what stands in the database.
        session.add(record)
        record.prepare(session, person)
        fill(session, record, given, person, new=True)
    return record


def change(session: Session, record: Record, given: Mapping[str, Any], person: Viewer, version: int | None) -> None:
    """Change the fields that were sent, and no other. Raises Forbidden, Conflict, Stale, Invalid – in this order."""
    record.check_change(person)
    if version is not None and version != record.version:
        raise Stale(
            _l("This record was changed by somebody else after you opened it. Please look at the new state first.")
        )
    fill(session, record, given, person, new=False)
    session.flush()
    _stay_in_sight(session, record)


def out_of_sight(session: Session, model: type[Record], keys: Collection[int]) -> set[int]:
    """Those of some saved records that the writer does not see. A record may neither be created nor moved there."""
    seen = set(session.scalars(sa.select(model.id).where(model.id.in_(keys)))) if keys else set()
    return set(keys) - seen


def _stay_in_sight(session: Session, record: Record) -> None:
    """Raises Forbidden for a record that its writer does not see."""
    if out_of_sight(session, type(record), [record.id]):
        raise Forbidden(OUT_OF_SIGHT)


def fill(session: Session, record: Record, given: Mapping[str, Any], person: Viewer, *, new: bool) -> None:
    """Take over what was sent, by form or by program: the fields given, and no other; `new` asks for the missing ones too.

    Raises Invalid with every field's sentences at once; those of a line under `duties.2.text`.
    """
    with session.no_autoflush:  # looking up what a value names must not save half of the others
        record.changed_for = changed_for(session, record, person, "can_edit" if record.id is not None else "can_add")
        _fill(session, record, given, person, new=new)


def _fill(session: Session, record: Record, given: Mapping[str, Any], person: Viewer, *, new: bool) -> None:
    model = type(record)
    fields, lines, may_lack = writable(model), lines_of(model), keeps_drafts(model)
    errors: dict[str, Text] = {
        name: _refusal(model, name) for name in given if name not in fields and name not in lines
    }
    parsed: dict[str, Any] = {}
    for name, asked in {**fields, **lines}.items():
        if name not in given and (may_lack or not new):
            continue
        try:
            parsed[name] = asked.parse(given.get(name), record)
        except EntryErrors as wrong:
            errors |= {f"{name}.{place}": message for place, message in wrong.errors.items()}
        except FieldError as error:
            errors[name] = error.message
    values = _present(record, fields) | parsed
    for name, asked in fields.items():
        if name not in given and asked.when is not None and not is_asked(asked, values) and not is_empty(values[name]):
            parsed[name] = values[name] = None  # what it depended on has changed
    for name, message in incomplete({**fields, **lines}.values(), values).items():
        if name in parsed and name not in errors and not (may_lack and is_empty(values[name])):
            errors[name] = message
    for name in [name for name in parsed if name not in errors and (name in given or parsed[name] is None)]:
        if name not in given and fields[name].when is None:
            continue
        try:
            if name in lines:
                _set_lines(session, record, lines[name], parsed[name], person)
            else:
                _set(session, record, fields[name], parsed[name], person)
        except EntryErrors as wrong:
            errors |= {f"{name}.{place}": message for place, message in wrong.errors.items()}
        except FieldError as error:
            errors[name] = error.message
    if errors:
        raise Invalid(errors)


def _present(record: Record, fields: Mapping[str, Field]) -> dict[str, Any]:
    """What stands in a record, as parsed values: references by key, a default where nothing has been set yet."""
    found = {}
    for name, asked in fields.items():
        key = f"{name}_id" if asked.kind == "reference" else name
        value = getattr(record, key)
        default = sa.inspect(type(record)).column_attrs[key].columns[0].default
        found[name] = default.arg if value is None and default is not None and default.is_scalar else value
    return found


def _set_lines(
    session: Session, record: Record, asked: Field, entries: Sequence[Mapping[str, Any]], person: Viewer
) -> None:
    """Make the lines of a record those that were sent: with `id` changed, without new, missing removed. Raises EntryErrors."""
    relation: list[Any] = getattr(record, asked.name)
    line_type: type[Record] = sa.inspect(type(record)).relationships[asked.name].mapper.class_
    present = {line.id: line for line in relation}
    errors: dict[str, Text] = {}
    touched = False
    for place, entry in enumerate(entries):
        line = present.pop(entry["id"], None)
        if line is None and entry["id"] is not None:
            errors[f"{place}.id"] = _l("This line is not there any more.")
            continue
        if line is None:
            line = line_type()
            if hasattr(line_type, "county_id"):
                line.county_id = record.county_id  # a line's county is its record's
            relation.append(line)
            touched = True
        line.changed_for = record.changed_for
        for inner in asked.entries[1:]:
            value = place + 1 if inner.name == "position" and entry[inner.name] is None else entry[inner.name]
            try:
                _set(session, line, inner, value, person)
            except FieldError as error:
                errors[f"{place}.{inner.name}"] = error.message
        touched = touched or session.is_modified(line)
    for gone in present.values():
        gone.changed_for = record.changed_for
        relation.remove(gone)
        touched = True
    if errors:
        raise EntryErrors(errors)
    if touched:
        record.changed_at = clock.now()  # who has the record open learns of changed lines by its version


def _refusal(model: type[Record], name: str) -> Text:
    return _l("This field is not set here.") if name in fields_of(model) else _l("There is no such field.")


def _set(session: Session, record: Record, asked: Field, value: Any, person: Viewer) -> None:
    """Take over a parsed value. Raises FieldError for one that the column or the model does not hold.

    What stands there is read first: of an expired record SQLAlchemy would count the same value as a change.
    """
    attribute = getattr(type(record), f"{asked.name}_id" if asked.kind == "reference" else asked.name)
    column = attribute.property.columns[0]
    if asked.kind == "reference":
        if value is None and not column.nullable:
            raise FieldError(_l("Please fill in this field."))
        target = None if value is None else _resolve(session, asked, value, record, person)
        if getattr(record, attribute.key) == (None if target is None else target.id):
            return
        if asked.name in sa.inspect(type(record)).relationships:
            setattr(
                record, asked.name, target
            )  # sets the key too; the event of the change is written before it could be loaded
        else:
            setattr(record, attribute.key, None if target is None else target.id)
        return
    if asked.kind == "integer" and value is not None and abs(value) > largest_integer(attribute):
        raise FieldError(_l("This number is too large."))
    if value is None and not column.nullable:
        value = column.default.arg if column.default is not None and column.default.is_scalar else _empty(asked)
    if getattr(record, asked.name) != value:
        setattr(record, asked.name, value)


def _empty(asked: Field) -> str:
    """What an emptied field that is never null holds. Raises FieldError where nothing stands for “empty”."""
    if asked.kind not in ("text", "long_text", "choice") or isinstance(asked.choices, type):
        raise FieldError(_l("Please fill in this field."))
    return ""


def _resolve(session: Session, asked: Field, key: int, record: Record, person: Viewer) -> Any:
    """The record that a reference names, under the writer's row filter; of people, those of the county. Raises FieldError for any other."""
    county_id = getattr(record, "county_id", None) or person.county_id
    known: dict[Any, Any] = session.info.get(RESOLVED, {})
    name = (asked.target, repr(asked.only), key, county_id)
    if name not in known:
        known[name] = _visible_target(session, asked, key, county_id)
    if known[name] is None:
        raise FieldError(_l("Please choose one of the given answers."))
    return known[name]


def _visible_target(session: Session, asked: Field, key: int, county_id: int | None) -> Any:
    target = target_of(asked)
    query = sa.select(target).where(target.id == key)
    for name, value in (asked.only or {}).items():
        column = getattr(target, name)
        query = query.where(column.in_(value) if isinstance(value, list | tuple) else column == value)
    if target is Person:
        query = query.where(Person.county_id == county_id)
    return session.scalars(query).unique().one_or_none()


def remove(session: Session, record: Record, person: Viewer) -> None:
    """Delete a record. Raises Forbidden or Conflict where it may not be."""
    record.check_delete(person)
    record.changed_for = changed_for(session, record, person, "can_delete")
    for line in (line for name in type(record).parts for line in getattr(record, name)):
        line.changed_for = record.changed_for
    session.delete(record)
    session.flush()
