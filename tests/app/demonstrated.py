"""The day on which the tests' demonstration county is loaded."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from app.demonstration import load
from models import clock

TODAY = date(2026, 11, 23)
BEGINS = datetime(2026, 11, 22, 16, tzinfo=UTC)
"""When that day begins in the county."""

PASSWORD = "for-tests-only-7"


def silent(line: str) -> None:
    """Nobody is told."""


def load_on_the_day(**options: Any) -> None:
    with clock.at(BEGINS + timedelta(hours=9)):
        load(today=TODAY, progress=options.pop("progress", silent), **options)
