"""References by the names that people write: natural key, name, short name, alias, account name – or how the record reads in a list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.portal.imports.columns import readable
from app.portal.rest.shape import target_of
from models.base import fields_of
from models.field import Field, FieldError
from models.organisation import Organisation, OrganisationAlias
from models.person import Person
from models.viewer import Viewer

NAMES = ("name", "short_name", "party_name", "number", "username")
"""Columns by which records of whatever type are called."""

LONGEST_NAME = 300

MOST_TITLES = 2000
"""Up to so many records of a type are also found by how they read; a larger type is called by its names alone."""


class Directory:
    """Ids by the names of records, as far as one person sees them; each name is looked up once."""

    def __init__(self, person: Viewer) -> None:
        self._person = person
        self._found: dict[tuple[str, str], dict[str, set[int]]] = defaultdict(dict)
        self._titles: dict[tuple[str, str], dict[str, set[int]]] = {}

    def look_up(self, session: Session, asked: Field, texts: Iterable[str]) -> None:
        """Look up names that will be asked for, all at once."""
        known = self._found[_shelf(asked)]
        wanted = {text for text in texts if text not in known and _could_be_a_name(text)}
        if not wanted:
            return
        known.update({text: set() for text in wanted})
        target = target_of(asked)
        for key, names in self._called(session, asked, target, wanted):
            for name in names & wanted:
                known[name].add(key)
        unknown = {text for text in wanted if not known[text]}
        if unknown:
            titles = self._by_title(session, asked, target)
            known.update({text: titles[text] for text in unknown if text in titles})

    def find(self, asked: Field, text: str) -> int:
        """The id of the one record of this name. Raises FieldError when there is none, or more than one."""
        found = self._found[_shelf(asked)].get(text, set())
        if not found:
            raise FieldError(_l("“%(name)s” was not found.", name=readable(text)))
        if len(found) > 1:
            raise FieldError(_l("More than one is called “%(name)s”. Please write the full name.", name=readable(text)))
        return next(iter(found))

    def _called(
        self, session: Session, asked: Field, target: type[Any], wanted: set[str]
    ) -> Iterable[tuple[int, set[str]]]:
        columns = [getattr(target, name) for name in _names_of(target)]
        tests: list[sa.ColumnElement[bool]] = [column.in_(wanted) for column in columns]
        if target is Organisation:
            aliases = sa.select(OrganisationAlias.organisation_id, OrganisationAlias.name)
            also: dict[int, set[str]] = defaultdict(set)
            for key, name in session.execute(aliases.where(OrganisationAlias.name.in_(wanted))):
                also[key].add(name)
            tests.append(Organisation.id.in_(also))
        else:
            also = {}
        if target is Person:
            columns.append(Person.last_name + Person.first_name)
            tests.append((Person.last_name + Person.first_name).in_(wanted))
        if not tests:
            return
        for row in session.execute(self._seen(asked, target, target.id, *columns).where(sa.or_(*tests))):
            yield row[0], {str(name) for name in row[1:] if name} | also.get(row[0], set())

    def _by_title(self, session: Session, asked: Field, target: type[Any]) -> dict[str, set[int]]:
        shelf = _shelf(asked)
        if shelf not in self._titles:
            titles: dict[str, set[int]] = defaultdict(set)
            rows = session.scalars(self._seen(asked, target, target).limit(MOST_TITLES + 1)).all()
            for row in rows if len(rows) <= MOST_TITLES else ():
                for title in {row.title, getattr(row, "choice_title", row.title)}:
                    titles[title].add(row.id)
            self._titles[shelf] = dict(titles)
        return self._titles[shelf]

    def _seen(self, asked: Field, target: type[Any], *what: Any) -> sa.Select[Any]:
        """What the reference may name: under the row filter, of people those of the county."""
        query = sa.select(*what)
        for name, value in (asked.only or {}).items():
            column = getattr(target, name)
            query = query.where(column.in_(value) if isinstance(value, list | tuple) else column == value)
        if target is Person:
            query = query.join(Organisation, Organisation.id == Person.organisation_id).where(
                Organisation.county_id == self._person.county_id
            )
        return query


def _could_be_a_name(text: str) -> bool:
    """Whether a database could be asked for it at all."""
    return len(text) <= LONGEST_NAME and not any(ord(c) < 32 or 0xD800 <= ord(c) <= 0xDFFF for c in text)


def _shelf(asked: Field) -> tuple[str, str]:
    return asked.target, repr(asked.only)


def _names_of(target: type[Any]) -> list[str]:
    """The text columns by which records of a type are called."""
    if target is Person:
        return ["username"]
    fields = fields_of(target)
    key = target.natural_key if len(target.natural_key) == 1 else ()
    return [name for name in dict.fromkeys((*key, *NAMES)) if name in fields and fields[name].kind == "text"]
