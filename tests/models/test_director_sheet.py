"""The office director's sheet: what stands on it, and that it is laid out once on a working morning (2.2)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.database import transaction
from models import clock
from models.call import Assignment, Call
from models.director_sheet import DirectorSheet, director_sheet, lay_out_sheets
from models.event import Event, EventValue
from models.sweep import sweep
from tests.county import County, at


def sheet(county: County, when: str) -> DirectorSheet:
    with county.acting(None, at(when)) as session:
        found = director_sheet(session, county.id, at(when))
        session.expunge_all()
        return found


def test_it_names_what_is_due_overdue_and_expired(county: County) -> None:
    _late, one = county.dispatched("department1", when=at("2026-11-19 09:00"))
    _today, two = county.dispatched("department2", when=at("2026-11-20 09:00"))
    waiting = county.submitted(when=at("2026-11-20 15:00"))
    _ringing, three = county.emergency("department3", when=at("2026-11-21 22:00"))
    county.respond("department3", three, at("2026-11-21 22:10"))
    with county.app.app_context(), clock.at(at("2026-11-23 08:30")):
        sweep(transaction)
    found = sheet(county, "2026-11-23 08:40")
    assert [(entry.assignment.id, entry.clock) for entry in found.due_today] == [(two, "respond")]
    assert [(entry.assignment.id, entry.clock) for entry in found.overdue] == [(one, "respond"), (three, "report")]
    assert [call.number for call in found.emergencies] == [call_number(county, _ringing)]
    assert [(clock_.name, record.id) for clock_, record in found.parties_today] == [("accept", waiting)]
    assert found.expired == ()
    assert found.counts()["due_today"] == 2
    later = sheet(county, "2026-11-23 14:00")
    assert [(clock_.name, record.id) for clock_, record in later.expired] == [("accept", waiting)]


def call_number(county: County, call_id: int) -> str | None:
    with county.acting(None) as session:
        return session.get_one(Call, call_id).number


def test_slips_that_wait_for_a_signature_and_clocks_that_stand_still(county: County) -> None:
    county.dispatched("department1", when=at("2026-11-16 09:00"))
    _call, paused = county.dispatched("department2", when=at("2026-11-20 09:00"))
    county.do("department2", Assignment, paused, "request_return", {"reason": "非本局职责"}, at("2026-11-20 10:00"))
    with county.app.app_context(), clock.at(at("2026-11-19 08:30")):
        sweep(transaction)
    found = sheet(county, "2026-11-23 08:40")
    assert [slip.department_id for slip in found.slips] == [county["department1"]]
    assert paused not in [entry.assignment.id for entry in (*found.overdue, *found.due_today)]


def events(county: County) -> list[dict[str, object]]:
    with county.acting(None) as session:
        keys = session.scalars(sa.select(Event.id).where(Event.name == "director_sheet").order_by(Event.id)).all()
        return [
            {row.name: row.value for row in session.scalars(sa.select(EventValue).where(EventValue.event_id == key))}
            for key in keys
        ]


@pytest.mark.parametrize(
    ("when", "laid"),
    [("2026-11-23 08:29", 0), ("2026-11-23 08:30", 2), ("2026-11-22 09:00", 0), ("2026-10-10 09:00", 2)],
    ids=["too early", "half past eight", "a Sunday", "a make-up Saturday"],
)
def test_it_is_laid_out_once_on_working_mornings(county: County, when: str, laid: int) -> None:
    """Two counties have their sheets each."""
    with county.acting(None, at(when)) as session:
        assert lay_out_sheets(session, at(when)) == laid
    with county.acting(None, at(when)) as session:
        assert lay_out_sheets(session, at(when)) == 0
    assert len(events(county)) == laid


def test_the_next_day_has_its_own(county: County) -> None:
    county.dispatched("department1", when=at("2026-11-20 09:00"))
    for day in ("2026-11-23 08:30", "2026-11-24 08:31"):
        with county.acting(None, at(day)) as session:
            assert lay_out_sheets(session, at(day)) == 2
    ours = [values for values in events(county) if values["due_today"] or values["overdue"]]
    assert [(values["day"], values["due_today"], values["overdue"]) for values in ours] == [
        ("2026-11-23", 1, 0),
        ("2026-11-24", 0, 1),
    ]
