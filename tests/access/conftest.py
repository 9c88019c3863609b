"""Rows of every record type, made once per worker and put back before each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy.orm import Session

from models.event import Event
from models.imported import Import, ImportState
from models.notification import Notification
from models.person import ROLES, Person
from tests.access.samples import NOW, Place, Samples, places
from tests.conftest import Installation
from tests.county import County

Rows = tuple[dict[str, int], dict[str, int]]

EVERYBODY = "everybody"
"""Holds every role: bad input must fail by what it is, not by who sends it."""


@pytest.fixture(scope="module")
def rows(sqlite_installation: Installation) -> Rows:
    """The keys of the rows of the own county, and of the other one."""
    sqlite_installation.fresh("county")
    county = sqlite_installation.county
    assert county is not None
    county.forget()
    found = []
    for place in places(county):
        with county.acting(None) as session:
            made = Samples(session, place).all()
            newest = session.scalars(sa.select(sa.func.max(Event.id)).where(Event.county_id == place.county)).one()
            message = Notification(
                event_id=newest, person_id=place.people["reader"], kind="dispatched", record_type="call",
                values={"call": "1", "role": "lead", "department": "1", "due": "2026-11-24T09:00:00+08:00"}, record_id=made["call"], made_at=NOW,
            )  # fmt: skip
            session.add(message)
            session.flush()
            imported = _import(session, place)
            found.append({**made, "event": newest, "audit": newest, "inbox": message.id, "import": imported})
    with county.acting(None) as session:
        person = Person(
            username=EVERYBODY, first_name="人", last_name="万能", email="everybody@county.example", active=True,
            organisation_id=county["department1"], session_epoch=0, must_change_password=False,
        )  # fmt: skip
        person.roles = list(session.scalars(sa.select(Role).where(Role.name.in_(ROLES))))
        session.add(person)
        session.flush()
        county.people[EVERYBODY] = person.id
        role = Role(name="clerk_of_archives")
        session.add(role)
        session.flush()
        found[0]["role"] = role.id  # roles are the installation's, not a county's
    sqlite_installation._keep("samples")
    return found[0], found[1]


def _import(session: Session, place: Place) -> int:
    """An import of organisations that the reader of a place uploaded."""
    made = Import(
        county_id=place.county, person_id=place.people["reader"], record_type="organisation", file_name=f"{place.mark}.xlsx", sha256="0" * 64,
        size=1, file_key="imports/none", state=ImportState.checked, made_at=NOW, total=0, to_create=0, to_change=0, unchanged=0, wrong=0,
        findings=[], differences=[],
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made.id


@pytest.fixture
def county(rows: Rows, sqlite_installation: Installation) -> Iterator[County]:
    sqlite_installation.fresh("samples")
    assert sqlite_installation.county is not None
    yield sqlite_installation.county
    sqlite_installation.fresh("samples")
