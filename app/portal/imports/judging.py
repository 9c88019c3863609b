"""Rows against records: which are new, which change what, which are wrong and why. Nothing is flushed here.

The check and the job both judge by this, so that what the check promised is what the job does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session, selectinload

from app.portal import references
from app.portal.imports.columns import Row, columns_of
from app.portal.imports.lines import placed
from app.portal.imports.naming import Directory
from app.portal.imports.translating import Translator
from app.portal.rest import writing
from models.base import RECORD_TYPES, Record, described, fields_of
from models.field import FieldError, Text
from models.refusal import Forbidden, Refused
from models.viewer import Viewer

Outcome = Literal["new", "changed", "unchanged", "wrong"]
Key = tuple[Any, ...]

TWICE = _l("This record stands in the file a second time; the first row counts.")


@dataclass
class Verdict:
    """What becomes of a row. `errors` are sentences by field name; one of the whole row stands under the empty name."""

    row: Row
    outcome: Outcome = "wrong"
    errors: dict[str, list[Text]] = field(default_factory=dict)
    record: Any = None
    repeated: bool = False


class Judge:
    """Judges rows for one record type and one person; remembers names it has looked up and keys it has met."""

    def __init__(self, model: type[Record], person: Viewer, *, spreadsheet: bool) -> None:
        self.model = model
        self.person = person
        self.fields = columns_of(model)
        self._spreadsheet = spreadsheet
        self._translator = Translator(self.fields, Directory(person), spreadsheet=spreadsheet)
        self._first: dict[Key, int] = {}
        """The row in which each record was met first."""

    def judge(self, session: Session, rows: Sequence[Row]) -> list[Verdict]:
        """Begin or amend the record of every row, in a session that the caller flushes or throws away."""
        session.info.setdefault(writing.RESOLVED, {})
        with session.no_autoflush:
            self._translator.prepare(session, rows)
            judged: list[tuple[Verdict, dict[str, Any], Key | None]] = []
            for row in rows:
                verdict = Verdict(row)
                given = self._translate(verdict)
                judged.append((verdict, given, self._key(verdict, given)))
            mentioned = {name for row in rows for name in row.values}
            present = self._present(session, {key for _verdict, _given, key in judged if key is not None}, mentioned)
            for verdict, given, key in judged:
                if key is not None and self._first.setdefault(key, verdict.row.number) != verdict.row.number:
                    verdict.repeated = True
                    verdict.errors[self.model.natural_key[-1]] = [TWICE]
                elif not verdict.errors and key is not None:
                    self._settle(session, verdict, given, present.get(key, []))
                else:
                    self._look_at_the_rest(verdict, given)
        return [verdict for verdict, _given, _key in judged]

    def _translate(self, verdict: Verdict) -> dict[str, Any]:
        given = {}
        for name, value in verdict.row.values.items():
            try:
                given[name] = self._translator.translate(name, value)
            except FieldError as error:
                verdict.errors[name] = [error.message]
        return given

    def _key(self, verdict: Verdict, given: Mapping[str, Any]) -> Key | None:
        """The natural key's values, None where they are wrong."""
        found = []
        for name in self.model.natural_key:
            if name in verdict.errors:
                continue
            try:
                value = self.fields[name].parse(given.get(name))
                if value is None:
                    raise FieldError(_l("Please fill in this field."))
                found.append(value)
            except FieldError as error:
                verdict.errors[name] = [error.message]
        return tuple(found) if len(found) == len(self.model.natural_key) else None

    def _look_at_the_rest(self, verdict: Verdict, given: Mapping[str, Any]) -> None:
        """Name also what is wrong in the other cells of a row that is wrong already, so that it is corrected once."""
        for name, value in given.items():
            asked = self.fields[name]
            try:
                parsed = asked.parse(value)
                if not writing.keeps_drafts(self.model):
                    asked.check_present(parsed)
            except FieldError as error:
                verdict.errors.setdefault(name, [error.message])

    def _present(self, session: Session, keys: set[Key], mentioned: set[str]) -> dict[Key, list[Any]]:
        """The visible records by their natural keys, for all rows of a batch in one statement."""
        if not keys:
            return {}
        columns = [_column(self.model, name) for name in self.model.natural_key]
        test = columns[0].in_([key[0] for key in keys]) if len(columns) == 1 else sa.tuple_(*columns).in_(list(keys))
        found: dict[Key, list[Any]] = {}
        options = [selectinload(getattr(self.model, name)) for name in self.model.parts if name in mentioned]
        query = sa.select(self.model).where(test, self.model.told_apart()).options(*options)
        for record in session.scalars(query):
            found.setdefault(tuple(getattr(record, column.key) for column in columns), []).append(record)
        return found

    def _settle(self, session: Session, verdict: Verdict, given: dict[str, Any], present: list[Any]) -> None:
        model, person = self.model, self.person
        try:
            if len(present) > 1:
                name = model.natural_key[-1]
                verdict.errors[name] = [
                    _l("More than one record has this value; it cannot be told which one is meant.")
                ]
            elif present:
                self._amend(session, verdict, given, present[0])
            else:
                if not person.may("can_add", model.__name__):
                    raise Forbidden(_l("Your role does not create records of this type."))
                known = {name: value for name, value in given.items() if value is not None}
                verdict.record = writing.begin(session, model, known, person)
                verdict.outcome = "new"
        except Refused as refused:
            verdict.outcome = "wrong"
            verdict.errors |= {name: list(found) for name, found in refused.errors.items()} or {"": [refused.message]}

    def _amend(self, session: Session, verdict: Verdict, given: dict[str, Any], record: Any) -> None:
        fixed = [name for name in self.model.natural_key if not described(self.model, name)["editable"]]
        wanted = {
            name: value
            for name, value in given.items()
            if name not in fixed and not (value is None and self._hides(session, record, name))
        }
        for name in wanted.keys() & set(self.model.parts):
            wanted[name] = placed(wanted[name] or [], getattr(record, name))
        refusal = self._refusal(record)
        writing.fill(session, record, wanted, self.person, new=False)
        verdict.record = record
        verdict.outcome = "changed" if session.is_modified(record) else "unchanged"
        if verdict.outcome == "changed" and refusal is not None:
            raise refusal

    def _refusal(self, record: Any) -> Refused | None:
        """Why this person may not change a record as it stands now. Asked before the row touches it; what changes nothing needs no right."""
        if not self.person.may("can_edit", self.model.__name__):
            return Forbidden(_l("Your role does not change records of this type."))
        try:
            record.check_change(self.person)
        except Refused as refused:
            return refused
        return None

    def _hides(self, session: Session, record: Any, name: str) -> bool:
        """Whether an empty reference is empty only to this person, who does not see what it names."""
        asked = self.fields[name]
        if asked.kind != "reference":
            return False
        key = getattr(record, f"{name}_id")
        return key is not None and asked.target in RECORD_TYPES and not references.labels(session, asked, [key])


def _column(model: type[Record], name: str) -> Any:
    return getattr(model, f"{name}_id" if fields_of(model)[name].kind == "reference" else name)
