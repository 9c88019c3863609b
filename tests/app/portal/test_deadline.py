"""Deadlines in words (face, Badges)."""

from __future__ import annotations

import pytest
from flask_babel import force_locale

from app.portal.deadline import Measure, running
from models.worktime import WorkCalendar
from tests.conftest import Installation
from tests.county import County, at


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ("2026-11-23 16:30", "1 h left"),
        ("2026-11-23 20:00", "Overdue"),  # the offices are closed: no working time has passed
        ("2026-11-24 09:30", "Overdue by 1 h"),
    ],
)
def test_a_badge_says_how_much_working_time_is_left_or_over(county: County, now: str, words: str) -> None:
    measure = Measure(WorkCalendar.for_years((2026,)), wall=False)
    with county.acting(None), force_locale("en"):
        assert running(at("2026-11-23 17:30"), at(now), measure).label == words
