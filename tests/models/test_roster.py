"""Duty roster and liaisons: kept by each organisation itself and by the offices, seen by the own county (K2, K3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from models import clock
from models.refusal import Forbidden, Invalid
from models.roster import DutyShift, Liaison, on_duty
from tests.app.portal.api_client import Api
from tests.conftest import Installation
from tests.county import MONDAY, County
from tests.supervision import kept, seen

EVENING = MONDAY + timedelta(hours=8, minutes=30)


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


def _shift(county: County, keeper: str, organisation: str, person: str, hours: tuple[int, int], **fields: Any) -> int:
    return kept(
        county, DutyShift, keeper, MONDAY, organisation_id=county[organisation], person_id=county.people[person], phone="0500-6210001",
        begins=EVENING + timedelta(hours=hours[0]), ends=EVENING + timedelta(hours=hours[1]), **fields,
    )  # fmt: skip


def test_nobody_is_on_duty_twice_at_the_same_time(county: County) -> None:
    first = _shift(county, "department1", "department1", "department1", (0, 12))
    for hours in ((0, 12), (11, 20), (-4, 1), (2, 3), (-1, 13)):
        with pytest.raises(Invalid) as refused:
            _shift(county, "dispatcher", "department2", "department1", hours)
        assert refused.value.errors.keys() == {"begins"}
    _shift(county, "department1", "department1", "department1", (12, 24))  # one shift ends as the next begins
    _shift(county, "department1", "department1", "department1_leader", (0, 12), position=2)
    with pytest.raises(Invalid), county.acting("department1", MONDAY) as session:
        session.get_one(DutyShift, first).ends += timedelta(hours=1)
    for hours, wrong in (((30, 30), "ends"), ((30, 29), "ends")):
        with pytest.raises(Invalid) as refused:
            _shift(county, "department1", "department1", "department1", hours)
        assert refused.value.errors.keys() == {wrong}


def test_the_chain_of_an_organisation_is_called_in_its_order(county: County) -> None:
    second = _shift(county, "duty", "department1", "department1_leader", (0, 12), position=2)
    first = _shift(county, "duty", "department1", "department1", (0, 12), position=1)
    _shift(county, "duty", "department2", "department2", (0, 12))
    with county.acting("township1") as session:
        at_night = [one.id for one in on_duty(session, county["department1"], EVENING + timedelta(hours=3))]
        afterwards = on_duty(session, county["department1"], EVENING + timedelta(hours=12))
    assert (at_night, afterwards) == ([first, second], [])


def test_an_organisation_keeps_its_own_entries_and_the_offices_keep_all(county: County) -> None:
    own = kept(
        county, Liaison, "department1", MONDAY, organisation_id=county["department1"], person_id=county.people["department1"], phone="1"
    )  # fmt: skip
    with pytest.raises(Invalid) as refused:
        kept(
            county, Liaison, "department1", MONDAY, organisation_id=county["department2"], person_id=county.people["department2"], phone="2"
        )  # fmt: skip
    assert refused.value.errors.keys() == {"organisation"}
    stranger = county.viewer("department2")
    with county.acting(None) as session, pytest.raises(Forbidden):
        session.get_one(Liaison, own).check_change(stranger)
    other, office = Api(county, "department2"), Api(county, "dispatcher")
    with clock.at(MONDAY):
        assert other.put(f"/liaison/{own}", {"phone": "9"}).status_code == 403
        assert other.delete(f"/liaison/{own}").status_code == 403
        given = {"organisation": county["department2"], "person": county.people["department2"], "phone": "2"}
        assert Api(county, "department1").post("/liaison/", given).status_code == 422
        assert Api(county, "leader").post("/liaison/", given).status_code == 403
        assert other.post("/liaison/", given).status_code == 201
        again = other.post("/liaison/", given)  # the natural key
        assert 400 <= again.status_code < 500, again.text
        assert office.put(f"/liaison/{own}", {"phone": "0500-1", "active": False}).status_code == 200
        assert office.one("liaison", own)["person"]["id"] == county.people["department1"]
        night = {
            "organisation": county["department2"], "person": county.people["department2"], "phone": "2", "position": 1,
            "begins": "2026-11-23T17:30:00+08:00", "ends": "2026-11-24T08:30:00+08:00",
        }  # fmt: skip
        assert other.post("/duty_shift/", night).status_code == 201
        twice = other.post("/duty_shift/", night)
        assert twice.status_code == 422
        assert "begins" in twice.text


def test_roster_and_liaisons_are_seen_by_the_own_county(county: County) -> None:
    shift = _shift(county, "duty", "office", "duty", (0, 12))
    liaison = kept(
        county, Liaison, "township1", MONDAY, organisation_id=county["township1"], person_id=county.people["township1"], phone="3"
    )  # fmt: skip
    names = ("township2", "department3", "leader", "auditor", "city", "township9", "leader9", "city9")
    inside = {"township2", "department3", "leader", "auditor", "city"}
    assert seen(county, DutyShift, shift, names) == inside
    assert seen(county, Liaison, liaison, names) == inside
    with county.acting("township1") as session:
        assert session.scalars(sa.select(Liaison.phone)).all() == ["3"]
