"""What runs without a request: as the system, by the demonstration's clock, and telling that it is alive."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.database import db, transaction
from models import clock, viewer
from models.notification import Beat, Demonstration

_app: Flask | None = None
_process: int | None = None


def use(app: Flask) -> None:
    """Set the application of this process and of those forked from it."""
    global _app, _process
    _app, _process = app, os.getpid()


def application() -> Flask:
    """The application of this process, made if there is none yet. A forked process gets database connections of its own."""
    global _process
    if _app is None:
        from app import create_app

        use(create_app())
    assert _app is not None
    if _process != os.getpid():
        with _app.app_context():
            db.engine.dispose(close=False)  # the parent goes on using its connections
        _process = os.getpid()
    return _app


@dataclass(frozen=True)
class DemonstrationClock:
    """Whether a demonstration is being loaded, and how far its clock was moved."""

    loading: bool = False
    offset: timedelta = timedelta(0)


def demonstration_clock(session: Session) -> DemonstrationClock:
    """The present setting of the demonstration's clock; none where no demonstration was loaded."""
    row = session.execute(sa.select(Demonstration.complete, Demonstration.clock_offset).limit(1)).one_or_none()
    return (
        DemonstrationClock(not row.complete, timedelta(seconds=row.clock_offset))
        if row is not None
        else DemonstrationClock()
    )


@contextmanager
def at_work(app: Flask) -> Iterator[None]:
    """Act as the system, by the clock that people see."""
    with app.app_context(), viewer.system():
        with db.session.session_factory() as session:
            found = demonstration_clock(session)
        if found.offset:
            with clock.moved(found.offset):
                yield
        else:
            yield


def beat(part: str) -> None:
    """Note that a part is alive, by the machine's time."""
    with viewer.system(), transaction() as session:
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        now = clock.machine_now()
        table = sa.inspect(Beat).local_table
        session.connection().execute(
            insert(table).values(part=part, at=now).on_conflict_do_update(index_elements=["part"], set_={"at": now})
        )
