"""Short ways to try the steps of calls: a refusal that changes nothing, what an event told, who sees what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from app.portal.timeline import happened
from models.base import Record
from models.call import Assignment, Call
from models.event import Event
from models.refusal import Refused
from models.workflow import begin, possible
from tests.county import MONDAY, County, at
from views.call import sees_all_values

LATER = at("2026-11-24 10:00")


def refusal(
    kind: type[Refused],
    county: County,
    name: str,
    model: Any,
    key: int,
    step: str,
    values: Any = None,
    when: Any = MONDAY,
    **more: Any,
) -> Refused:
    """Perform a step that must be refused in exactly this way and change nothing."""
    with county.acting(None) as session:
        before = session.scalar(sa.select(sa.func.count()).select_from(Event))
    with pytest.raises(Refused) as caught:
        county.do(name, model, key, step, values, when, **more)
    assert type(caught.value) is kind
    with county.acting(None) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Event)) == before
    return caught.value


def begun(county: County, name: str, step: str, values: Mapping[str, Any], when: datetime = MONDAY) -> int:
    """Begin a call by a step “from –” as a person at an instant; gives its key."""
    with county.acting(name, when) as session:
        return int(begin(session, Call, step, values).record.id)


def offered(county: County, name: str, model: type[Record], key: int, when: datetime = MONDAY) -> set[str]:
    """The names of the steps that a person may perform on a record at an instant."""
    with county.acting(name, when) as session:
        return {step.name for step in possible(session.get_one(model, key), county.viewer(name))}


def sees(county: County, name: str, model: type[Record], key: int) -> bool:
    """Whether a person sees a record."""
    with county.acting(name) as session:
        return session.scalars(sa.select(model.id).where(model.id == key)).one_or_none() is not None


def told(county: County, name: str, call_id: int) -> list[tuple[str, Mapping[str, Any]]]:
    """What a person reads on a call's timeline: each step's name and its values."""
    with county.acting(name) as session:
        call, person = session.get_one(Call, call_id), county.viewer(name)
        found = happened(session, call, person, sees_all=sees_all_values(call, person))
        return [(one.event.name, dict(one.values)) for one in found]


def event_names(county: County, call_id: int) -> list[str]:
    """The names of the events on a call's thread, oldest first."""
    with county.acting(None) as session:
        thread = (Event.thread_type == "call", Event.thread_id == call_id)
        return list(session.scalars(sa.select(Event.name).where(*thread).order_by(Event.sequence)))


def clocks(county: County, assignment_id: int) -> tuple[datetime, datetime]:
    """When response and report of an assignment are due."""
    with county.acting(None) as session:
        one = session.get_one(Assignment, assignment_id)
        return one.respond_due, one.report_due


def marks(county: County, assignment_id: int, when: datetime) -> list[str]:
    """The marks that an assignment has earned by an instant."""
    with county.acting(None) as session:
        return [str(mark) for mark in session.get_one(Assignment, assignment_id).marks(when)]


def reported(county: County, *departments: str, when: datetime = LATER) -> tuple[int, ...]:
    """A call whose departments have all reported."""
    keys = county.dispatched(*departments)
    for name, assignment in reversed(list(zip(departments, keys[1:], strict=True))):
        county.respond(name, assignment)
        county.report(name, assignment, when)
    return keys
