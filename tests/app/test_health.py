"""`/health` names each part and what is wrong with it; `/metrics` counts what the database holds (spec 4)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from app import health
from app.jobs import background
from models import clock
from models.calendar import CalendarYear
from models.call_words import CallState
from models.notification import Beat, Demonstration, Job
from tests.county import County, at


@pytest.fixture
def well(county: County, queue_server: str) -> Iterator[County]:
    """The county with everything running."""
    before = county.app.config["REDIS_URL"]
    county.app.config["REDIS_URL"] = queue_server
    with county.app.app_context():
        background.beat("worker")
        background.beat("scheduler")
    yield county
    county.app.config["REDIS_URL"] = before


def asked(county: County, path: str = "/health") -> tuple[int, dict[str, Any]]:
    answer = county.app.test_client().get(path)
    return answer.status_code, answer.get_json()


def test_all_well(well: County) -> None:
    status, page = asked(well)
    assert page["parts"] == dict.fromkeys(("database", "redis", "worker", "scheduler", "disk"), "ok")
    assert (status, page["status"]) == (200, "ok")


def test_provisional_calendar_year_is_a_warning_only(well: County) -> None:
    status, page = asked(well)
    assert status == 200
    assert "the working calendar of 2027 is provisional" in page["warnings"]
    assert not any("2026" in warning for warning in page["warnings"])


def test_the_year_begins_where_the_county_lies(well: County) -> None:
    """An hour after midnight of New Year it is still the old year by the world's clock."""
    with well.acting(None) as session:
        session.execute(sa.update(CalendarYear).where(CalendarYear.year == 2026).values(confirmed=False))
    with clock.at(at("2027-01-01 01:00")):
        _status, page = asked(well)
    assert not any("2026" in warning for warning in page["warnings"])
    with clock.at(at("2026-12-31 23:00")):
        _status, page = asked(well)
    assert "the working calendar of 2026 is provisional" in page["warnings"]


@pytest.mark.parametrize("part", ["worker", "scheduler"])
def test_silent_part_is_named(well: County, part: str) -> None:
    with well.acting(None) as session:
        session.execute(sa.update(Beat).where(Beat.part == part).values(at=clock.machine_now() - timedelta(minutes=5)))
    status, page = asked(well)
    assert status == 503
    assert page["parts"][part].startswith("no sign of life")
    with well.acting(None) as session:
        session.execute(sa.delete(Beat).where(Beat.part == part))
    assert asked(well)[1]["parts"][part] == "never seen"


def test_redis_away_is_named_and_people_are_still_served(well: County) -> None:
    well.app.config["REDIS_URL"] = "unix:///nowhere/valkey.sock"
    status, page = asked(well)
    assert status == 503
    assert [name for name, told in page["parts"].items() if told != "ok"] == ["redis"]
    assert asked(well, "/health/ready")[0] == 200


def test_demonstration_being_loaded_is_not_ready_for_people(well: County) -> None:
    with well.acting(None) as session:
        session.add(Demonstration(id=1, seed=1, complete=False))
    status, page = asked(well)
    assert (status, page["parts"]["demonstration"]) == (503, "is being loaded")
    with well.acting(None) as session:
        session.execute(sa.update(Demonstration).values(complete=True))
    assert asked(well)[0] == 200


def test_full_disk_is_named(well: County, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1024**2))
    status, page = asked(well)
    assert status == 503
    assert page["parts"]["disk"] == "only 1 MiB are free in the data folder"
    assert asked(well, "/health/ready")[0] == 503


def test_unwritable_data_folder_is_named(well: County, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(well.app.config, "DATA_DIR", str(tmp_path / "gone"))
    assert asked(well)[1]["parts"]["disk"].startswith("the data folder cannot be written")


def test_database_away_answers_503_without_telling_its_address(well: County, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("SELECT 1", {}, OSError("password of huying at 10.0.0.7"))

    monkeypatch.setattr(health, "db", SimpleNamespace(session=SimpleNamespace(session_factory=away)))
    status, page = asked(well)
    assert (status, page["parts"]["database"]) == (503, "the database does not answer")
    assert "10.0.0.7" not in str(page)
    assert asked(well, "/health/ready")[0] == 503


def test_failed_jobs_are_a_warning(well: County) -> None:
    with well.acting(None) as session:
        session.add(Job(key="x:1", name="x", arguments={}, wanted_at=clock.now(), error="broken"))
    status, page = asked(well)
    assert status == 200
    assert "1 jobs have failed and are tried again" in page["warnings"]


def scraped(county: County, token: str | None) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    answer = county.app.test_client().get("/metrics", headers=headers)
    return answer.status_code, answer.get_data(as_text=True)


@pytest.mark.parametrize("token", [None, "", "wrong", "größer"])
def test_metrics_need_their_token(well: County, token: str | None) -> None:
    assert scraped(well, token)[0] == 401


def test_metrics_count_what_the_database_holds(well: County) -> None:
    well.submitted()
    well.dispatched("department1", "department2", when=at("2020-01-06 09:00"))
    status, text = scraped(well, well.app.config["METRICS_TOKEN"])
    assert status == 200
    for line in (
        'huying_calls{state="submitted"} 1.0',
        'huying_calls{state="dispatched"} 1.0',
        'huying_calls{state="closed"} 0.0',
        "huying_assignments_open 2.0",
        'huying_assignments_overdue{clock="respond"} 2.0',
        "huying_jobs_waiting 1.0",
        "huying_documents_unproduced 1.0",
    ):
        assert line in text.splitlines()
    assert text.count("huying_calls{") == len(CallState)
    assert float(next(line for line in text.splitlines() if line.startswith("huying_outbox_events")).split()[1]) > 0
