"""Settings: a value that the program could not read is refused when it is set, not when a township submits a call."""

from __future__ import annotations

from datetime import date

import pytest

from models import calendar as calendars
from models.calendar import CalendarDay, work_calendar
from models.field import FieldError
from models.organisation import Organisation
from models.setting import ConsultationRule, LapseRule, Setting, setting
from models.worktime import Limit, Unit
from tests.county import County


def test_a_limit_without_a_unit_is_refused_and_the_factory_value_stays(county: County) -> None:
    with county.acting("sysadmin") as session:
        with pytest.raises(FieldError):
            Setting(county_id=county.id, name="accept_limit", value="nonsense")
        assert setting(session, county.id, "accept_limit") == Limit(4, Unit.working_hours)


def test_a_county_s_own_limit_counts(county: County) -> None:
    with county.acting("sysadmin") as session:
        session.add(Setting(county_id=county.id, name="accept_limit", value="2 working_hours"))
    with county.acting("sysadmin") as session:
        assert setting(session, county.id, "accept_limit") == Limit(2, Unit.working_hours)


def test_a_setting_that_the_program_does_not_know_is_refused(county: County) -> None:
    with county.acting("sysadmin"), pytest.raises(FieldError):
        Setting(county_id=county.id, name="accept_limits", value="2 working_hours")


def test_the_form_says_what_is_wrong_with_a_value_and_keeps_it(county: County) -> None:
    with county.acting("sysadmin") as session:
        session.add(Setting(county_id=county.id, name="accept_limit", value="2 working_hours"))
        session.flush()
        key = session.query(Setting.id).filter_by(name="accept_limit").scalar()
    client = county.client("sysadmin")
    page = client.get(f"/setting/edit/{key}").get_data(as_text=True)
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    answer = client.post(f"/setting/edit/{key}", data={"csrf_token": token, "value": "soon", "version": "1"})
    assert answer.status_code == 422
    assert 'value="soon"' in answer.get_data(as_text=True)


def test_limits_are_written_in_words_of_either_language(county: County) -> None:
    with county.acting("sysadmin") as session:
        session.add(Setting(county_id=county.id, name="accept_limit", value="3个工作小时"))
        session.add(Setting(county_id=county.id, name="report_limit", value="6 working days"))
    with county.acting("sysadmin") as session:
        assert setting(session, county.id, "accept_limit") == Limit(3, Unit.working_hours)
        assert setting(session, county.id, "report_limit") == Limit(6, Unit.working_days)


def test_a_choice_is_set_by_its_identifier_or_its_words_and_nothing_else(county: County) -> None:
    with county.acting("sysadmin") as session:
        session.add(Setting(county_id=county.id, name="consultation_rule", value=str(ConsultationRule.consent.label)))
        with pytest.raises(FieldError):
            Setting(county_id=county.id, name="consultation_lapse", value="perhaps")
    with county.acting("sysadmin") as session:
        row = session.query(Setting).filter_by(name="consultation_rule").one()
        assert (row.value, row.words) == ("consent", str(ConsultationRule.consent.label))
        assert setting(session, county.id, "consultation_rule") is ConsultationRule.consent
        assert setting(session, county.id, "consultation_lapse") is LapseRule.silence


def test_a_flush_does_not_let_settings_be_read_again_unless_it_changes_one(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    original = calendars._calendars
    monkeypatch.setattr(calendars, "_calendars", lambda: read.append(original) or original())
    with county.acting("sysadmin") as session:
        work_calendar(session, county.id)
        session.add(Organisation(name="新设单位", short_name="新设", kind="office", county_id=county.id, order=99))
        session.flush()
        work_calendar(session, county.id)
        assert len(read) == 1
        session.add(Setting(county_id=county.id, name="accept_limit", value="2 working_hours"))
        session.flush()
        assert setting(session, county.id, "accept_limit") == Limit(2, Unit.working_hours)
        work_calendar(session, county.id)
        assert len(read) == 2
        with session.begin_nested() as savepoint:
            session.add(CalendarDay(county_id=county.id, day=date(2026, 12, 9), working=False))
            session.flush()
            assert not work_calendar(session, county.id).is_working_day(date(2026, 12, 9))
            savepoint.rollback()
        assert work_calendar(session, county.id).is_working_day(date(2026, 12, 9))
