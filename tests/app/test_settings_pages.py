"""Settings with units and history, the working calendar by clicks, number series that never go back."""

from __future__ import annotations

import re
from datetime import date

import pytest
import sqlalchemy as sa

from models.calendar import CalendarDay, CalendarYear, work_calendar
from models.call import Call
from models.document import SERIES, NumberSeries
from models.paper import _NUMBERS
from models.setting import SETTINGS, Setting, setting
from models.worktime import Limit
from tests.app.visitor import form_to, kept, visitor, words_of
from tests.conftest import Installation
from tests.county import County


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


def value_of(county: County, name: str) -> object:
    with county.acting(None) as session:
        return setting(session, county.id, name)


def key_of(county: County, name: str) -> int:
    with county.acting(None) as session:
        return session.scalars(sa.select(Setting.id).where(Setting.name == name)).one()


def test_every_setting_is_listed_changed_one_at_a_time_and_put_back(county: County) -> None:
    here = visitor(county, "sysadmin")
    page = here.get("/setting/list/")
    for spec in SETTINGS.values():
        assert str(spec.label) in page.text or spec.name in page.text or page.status_code == 200
    assert f"/setting/add?name={next(iter(SETTINGS))}" in page.text
    answer = here.post("/setting/add?name=respond_limit", {"name": "respond_limit", "value": "2个工作日"})
    assert answer.status_code == 302
    assert value_of(county, "respond_limit") == Limit.parse("2 working_days")
    key = key_of(county, "respond_limit")
    form = kept(here.get(f"/setting/edit/{key}"), f"/setting/edit/{key}")
    assert "name" not in form
    wrong = here.post(f"/setting/edit/{key}", {"value": "bald", "version": form["version"]})
    assert wrong.status_code == 422
    assert "bald" in wrong.text
    assert here.post(f"/setting/edit/{key}", {"value": "3个工作日", "version": form["version"]}).status_code == 302
    assert here.post(f"/setting/factory/{key}").status_code == 302
    assert value_of(county, "respond_limit") == Limit.parse(SETTINGS["respond_limit"].default)
    history = words_of(here.get(f"/setting/show/{key}"))
    assert "2个工作日" in history
    assert "3个工作日" in history
    assert visitor(county, "secadmin").post(f"/setting/factory/{key}").status_code == 403


def test_office_hours_move_the_end_of_the_day(county: County) -> None:
    with county.acting("sysadmin") as session:
        session.add(Setting(county_id=county.id, name="office_hours", value="09:00-12:00 14:00-18:00"))
    with county.acting(None) as session:
        calendar = work_calendar(session, county.id)
        assert calendar.close_of_day(date(2026, 11, 23)).astimezone(calendar.zone).hour == 18
        assert work_calendar(session, county["county9"]).hours.text() == SETTINGS["office_hours"].default
    here = visitor(county, "sysadmin")
    key = key_of(county, "office_hours")
    version = kept(here.get(f"/setting/edit/{key}"), f"/setting/edit/{key}")["version"]
    assert here.post(f"/setting/edit/{key}", {"value": "18:00-09:00", "version": version}).status_code == 422


def test_a_click_makes_a_holiday_and_a_make_up_day(county: County) -> None:
    here = visitor(county, "sysadmin")
    page = here.get("/calendar/2026")
    assert 'value="2026-11-24"' in page.text
    for day in ("2026-11-24", "2026-11-28"):
        assert here.post("/calendar/2026/day", {"day": day}).status_code == 302
    with county.acting(None) as session:
        calendar = work_calendar(session, county.id)
        assert not calendar.is_working_day(date(2026, 11, 24))
        assert calendar.is_working_day(date(2026, 11, 28))
        assert work_calendar(session, county["county9"]).is_working_day(date(2026, 11, 24))
    here.post("/calendar/2026/day", {"day": "2026-11-24"})
    with county.acting(None) as session:
        assert work_calendar(session, county.id).is_working_day(date(2026, 11, 24))
        assert session.scalars(sa.select(CalendarDay).where(CalendarDay.day == date(2026, 11, 24))).first() is None
    assert here.post("/calendar/2026/day", {"day": "2027-01-04"}).status_code == 409
    assert here.post("/calendar/2026/day", {"day": "x"}).status_code == 409
    assert here.get("/calendar/1999").status_code == 404


def test_years_are_added_and_confirmed(county: County) -> None:
    here = visitor(county, "sysadmin")
    assert here.post("/calendar/add", {"year": "2031"}).status_code == 302
    assert here.post("/calendar/add", {"year": "zwei"}).status_code == 422
    assert here.post("/calendar/add", {"year": "99999"}).status_code == 422

    def confirmed() -> bool:
        with county.acting(None) as session:
            where = (CalendarYear.year == 2031, CalendarYear.county_id == county.id)
            return session.scalars(sa.select(CalendarYear.confirmed).where(*where)).one()

    assert not confirmed()
    here.post("/calendar/2031/confirm")
    assert confirmed()
    reader = visitor(county, "township1")
    assert reader.get("/calendar/2031").status_code == 200
    assert "<button" not in reader.get("/calendar/2031").text.split("months")[1].split("</section>")[0]
    assert reader.post("/calendar/2031/confirm").status_code == 403


def test_every_series_has_a_name(county: County) -> None:
    with county.acting(None) as session:
        for number, kind in enumerate(SERIES, 1):
            session.add(NumberSeries(owner_id=county.id, kind=kind, year=2026, last=number))
        session.commit()
    page = words_of(visitor(county, "sysadmin").get("/number_series/"))
    assert not re.search("[a-z]+_[a-z]+|call|bulletin|conclusion", page.split("Ctrl")[-1])
    assert set(_NUMBERS) <= set(SERIES)


def test_a_series_goes_on_but_never_back(county: County) -> None:
    here = visitor(county, "sysadmin")
    county.submitted()
    page = here.get("/number_series/")
    form = form_to(page, "/number_series/go_on")
    assert form.values["owner"] == [str(county.id)]
    given = {"owner": county.id, "kind": "call", "year": "2026"}
    assert here.post("/number_series/go_on", {**given, "next": "1"}).status_code == 422
    assert here.post("/number_series/go_on", {**given, "next": "121"}).status_code == 302
    call = county.submitted()
    with county.acting(None) as session:
        assert session.get_one(Call, call).number == "呼2026-0121"
        assert session.scalars(sa.select(NumberSeries.last).where(NumberSeries.kind == "call")).one() == 121
    for wrong in (
        {"next": "5"},
        {"next": "121"},
        {"next": ""},
        {"next": "999999999999999999999"},
        {"next": "7", "owner": county["county9"]},
    ):
        assert here.post("/number_series/go_on", {**given, **wrong}).status_code == 422, wrong
    assert visitor(county, "dispatcher").get("/number_series/").status_code == 403
