"""The demonstration county, loaded once for all test modules and all workers that only look at it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

import app as program
from app.database import db
from app.installation import install
from models import event, viewer
from tests.app.demonstrated import PASSWORD, load_on_the_day

TRAIL_KEY = "KEY_OF_THE_TRAIL"
"""Under this name the application keeps the key with which the events were chained, that of the worker that loaded them."""


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Flask]:
    """An application with the demonstration county, each worker's on its own copy."""
    folder = tmp_path_factory.getbasetemp()
    whole = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    made, own = whole / "demonstration.sqlite3", data_dir / "demonstration.sqlite3"
    with _alone(whole / "demonstration.lock"):
        if not made.exists():
            _make(made)
    shutil.copyfile(made, own)
    app = _application(own)
    app.config[TRAIL_KEY] = made.with_suffix(".key").read_text()
    yield app
    _close(app)


@pytest.fixture
def session(demonstration: Flask) -> Iterator[Session]:
    """A look at everything in the demonstration county, as the system."""
    event.use_key(demonstration.config[TRAIL_KEY].encode())
    with demonstration.app_context(), viewer.system():
        yield db.session()
        db.session.remove()
    event.use_key(demonstration.config["AUDIT_KEY"].encode())


def _make(made: Path) -> None:
    """Load the county; the file gets its name when it is whole."""
    begun = made.with_suffix(".begun")
    app = _application(begun)
    with app.app_context():
        install()
        load_on_the_day()
    made.with_suffix(".key").write_text(app.config["AUDIT_KEY"])
    _close(app)  # the last connection folds the write-ahead log into the file
    begun.rename(made)


def _application(path: Path) -> Flask:
    return program.create_app(
        {"TESTING": True, "SQLALCHEMY_DATABASE_URI": f"sqlite:///{path}", "DEMO_PASSWORD": PASSWORD}
    )


def _close(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
