"""Who was told what since, and short ways to let it happen, for tests of audiences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.database import transaction
from app.jobs import queue
from app.jobs.relay import Relay
from models import clock, viewer
from models.automatic import sweep_automatic
from models.call import Assignment, Call
from models.notification import Notification
from models.party_clocks import sweep_parties
from models.person import Person
from models.roster import DutyShift
from models.substitution import Portfolio
from models.sweep import sweep
from tests.county import MONDAY, County

Told = set[tuple[str, str]]


def relay(county: County, when: datetime = MONDAY) -> None:
    with county.app.app_context(), clock.at(when):
        Relay(queue.connect(county.app.config["REDIS_URL"])).run()


def forget(county: County) -> None:
    """What was told so far is of no interest."""
    relay(county)
    with county.acting(None) as session:
        session.execute(sa.delete(Notification))


def told(county: County, *kinds: str) -> Told:
    """(account, kind) of what has been told since `forget`, of some kinds or of all."""
    relay(county)
    with county.acting(None) as session:
        rows = session.execute(
            sa.select(Person.username, Notification.kind).join(Person, Person.id == Notification.person_id)
        )
        return {(row.username, row.kind) for row in rows if not kinds or row.kind in kinds}


def both(name: str, *kinds: str) -> Told:
    """An organisation's officer and leader."""
    return {(person, kind) for person in (name, f"{name}_leader") for kind in kinds}


def office(
    county: County, call: int, step: str, values: Mapping[str, Any] | None = None, when: datetime = MONDAY
) -> None:
    county.do("dispatcher", Call, call, step, values or {}, when)


def of_department(
    county: County, key: int, step: str, values: Mapping[str, Any] | None = None, when: datetime = MONDAY
) -> None:
    county.do("department1", Assignment, key, step, values or {}, when)


def swept(county: County, when: datetime) -> None:
    with county.app.app_context(), viewer.system(), clock.at(when):
        sweep(transaction)
        sweep_parties(transaction)
        sweep_automatic(transaction)


def shift(
    county: County, organisation: str, people: Iterable[str], phone: str = "0500-6210001", day: datetime = MONDAY
) -> None:
    """A chain on duty the whole day and the night after it."""
    with county.acting(None) as session:
        for place, name in enumerate(people, start=1):
            session.add(
                DutyShift(
                    county_id=county.id,
                    organisation_id=county[organisation],
                    person_id=county.people[name],
                    phone=phone,
                    begins=day - timedelta(hours=12),
                    ends=day + timedelta(hours=24),
                    position=place,
                )
            )


@pytest.fixture
def portfolio(county: County) -> None:
    """Department 1 has a portfolio leader beside the county head."""
    with county.acting(None) as session:
        made = Person(
            username="leader2", first_name="员", last_name="李", email="leader2@county.example", active=True,
            organisation_id=county.id, session_epoch=0, must_change_password=False, password="!",
        )  # fmt: skip
        made.roles = list(session.get_one(Person, county.people["leader"]).roles)
        session.add(made)
        session.flush()
        county.people["leader2"] = made.id
        session.add(Portfolio(county_id=county.id, person_id=made.id, department_id=county["department1"]))
