"""Commands of `flask --app app …` (spec 4)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import Result
from werkzeug.security import check_password_hash

import app.papers
from models import clock
from models.call import Call
from models.event import Event, EventValue
from models.notification import Demonstration
from models.person import Person
from tests.county import County, at


@pytest.fixture(autouse=True)
def composers(county: County, queue_server: str) -> Iterator[None]:
    app.papers.install(county.app.config["FONT_DIR"])
    before = county.app.config["REDIS_URL"]
    county.app.config["REDIS_URL"] = queue_server
    yield
    county.app.config["REDIS_URL"] = before


def run(county: County, *arguments: str, typed: str = "") -> Result:
    return county.app.test_cli_runner().invoke(args=list(arguments), input=typed)


def demonstration(county: County) -> None:
    with county.acting(None) as session:
        session.add(Demonstration(id=1, seed=1, complete=True))


def test_clock_needs_a_demonstration(county: County) -> None:
    answer = run(county, "clock", "--at", "2026-11-25 09:00")
    assert answer.exit_code == 1
    assert "no demonstration data" in answer.output


@pytest.mark.parametrize("given", ["2026-11-25 09:00", "2026-11-25T01:00:00+00:00"])
def test_clock_goes_on_from_local_time_and_back(county: County, given: str) -> None:
    demonstration(county)
    assert "2026-11-25 09:00 (moved)" in run(county, "clock", "--at", given).output
    with county.acting(None) as session:
        offset = session.scalars(sa.select(Demonstration.clock_offset)).one()
    assert abs((at("2026-11-25 09:00") - clock.machine_now()).total_seconds() - offset) < 600
    assert "moved" in run(county, "clock").output
    assert "moved" not in run(county, "clock", "--reset").output
    assert run(county, "clock", "--at", "tomorrow").exit_code == 2


def test_sweep_obeys_the_moved_clock_and_does_nothing_twice(county: County) -> None:
    county.dispatched("department1")
    demonstration(county)
    run(county, "clock", "--at", "2026-11-25 09:00")
    assert "1 reminder slips" in run(county, "sweep").output
    assert "0 steps taken, 0 reminder slips" in run(county, "sweep").output
    assert "0 events relayed" in run(county, "relay").output


def test_verify_audit_names_an_altered_event_and_an_altered_value(county: County) -> None:
    call_id = county.submitted()
    answer = run(county, "verify-audit")
    assert answer.exit_code == 0, answer.output
    with county.acting(None) as session:
        session.execute(
            sa.update(Event)
            .where(Event.thread_type == "call", Event.thread_id == call_id, Event.sequence == 2)
            .values(name="withdraw")
        )
        first = session.scalars(
            sa.select(Event.id).where(Event.thread_type == "call", Event.thread_id == call_id, Event.sequence == 1)
        ).one()
        session.execute(
            sa.update(EventValue).where(EventValue.event_id == first, EventValue.name == "title").values(value="anders")
        )
    answer = run(county, "verify-audit")
    assert answer.exit_code == 1
    assert f"call/{call_id} event 2: altered" in answer.output
    assert f"call/{call_id} event 1: value altered" in answer.output


def test_verify_audit_names_a_removed_tail(county: County) -> None:
    call_id = county.submitted()
    with county.acting(None) as session:
        last = sa.select(sa.func.max(Event.id)).where(Event.thread_type == "call", Event.thread_id == call_id)
        removed = session.scalars(last).one()
        session.execute(sa.delete(EventValue).where(EventValue.event_id == removed))
        session.execute(sa.delete(Event).where(Event.id == removed))
        assert session.get(Call, call_id) is not None
    answer = run(county, "verify-audit")
    assert answer.exit_code == 1
    assert f"call/{call_id} event 2: tail missing" in answer.output


def test_render_samples_prints_every_kind(county: County, tmp_path: Path) -> None:
    answer = run(county, "render-samples", str(tmp_path / "samples"))
    assert answer.exit_code == 0, answer.output
    names = sorted(path.name for path in (tmp_path / "samples").iterdir())
    assert {"call_slip-closed.pdf", "call_slip-dispatched.pdf", "reminder-merged.pdf", "reminder-single.pdf"} <= set(
        names
    )
    assert all(path.read_bytes().startswith(b"%PDF") for path in (tmp_path / "samples").iterdir())


def create_admin(county: County, password: str, username: str = "root1") -> Result:
    return run(
        county,
        "create-admin",
        "--username",
        username,
        "--name",
        "张明",
        "--email",
        f"{username}@county.example",
        "--password",
        password,
    )


def test_create_admin_makes_a_system_administrator(county: County) -> None:
    answer = create_admin(county, "Kreis-Haus-77")
    assert answer.exit_code == 0, answer.output
    assert "Kreis-Haus-77" not in answer.output
    with county.acting(None) as session:
        person = session.scalars(sa.select(Person).where(Person.username == "root1")).one()
        assert [role.name for role in person.roles] == ["system_administrator"]
        assert person.name == "张明"
        assert check_password_hash(person.password or "", "Kreis-Haus-77")
    assert create_admin(county, "Kreis-Haus-77").exit_code == 1


@pytest.mark.parametrize("password", ["short-1A", "alllowercase", "Root1-2026-Huying"])
def test_create_admin_refuses_weak_passwords(county: County, password: str) -> None:
    assert create_admin(county, password).exit_code == 1
    with county.acting(None) as session:
        assert session.scalars(sa.select(Person).where(Person.username == "root1")).all() == []


def test_migration_says_when_there_is_nothing_to_write(county: County) -> None:
    """That it writes one is seen in `tests/documented`, where the example of a record type brings a table."""
    answer = run(county, "migration", "nothing")
    assert answer.exit_code == 1
    assert "already has everything" in answer.output
