"""The session, and how transactions begin on each database (design, decision 5)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session
from sqlalchemy_utils.aggregates import manager as aggregates

db = SQLAlchemy()

# Flask-AppBuilder's library would walk through every loaded record after every flush, for columns of a kind that no model here has.
sa.event.remove(Session, "after_flush", aggregates.construct_aggregate_queries)

_writing: ContextVar[bool] = ContextVar("writing", default=False)


@contextmanager
def writing() -> Iterator[None]:
    """Let transactions begun inside take the write lock at once.

    SQLite's deferred BEGIN loses: two that read and then write end with one “database is locked”, whatever the timeout. Without effect on PostgreSQL.
    """
    token = _writing.set(True)
    try:
        yield
    finally:
        _writing.reset(token)


def only_read() -> None:
    """Let transactions begun from here on in this request take no write lock: a long answer is only read."""
    _writing.set(False)


@contextmanager
def reading() -> Iterator[None]:
    """Let transactions begun inside take no lock, though the request around them writes: for long looks, after which a short transaction writes."""
    token = _writing.set(False)
    try:
        yield
    finally:
        _writing.reset(token)


@contextmanager
def transaction() -> Iterator[Session]:
    """A session of its own in a writing transaction, for jobs, sweeps and commands: committed at the end, rolled back on any exception."""
    with writing(), db.session.session_factory() as session, session.begin():
        yield session


def prepare_engine(engine: Engine) -> None:
    """Set up connections and transactions for the database in use."""
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _open_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)


def _open_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy begins transactions itself, see below
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA busy_timeout=15000")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if _writing.get() else "BEGIN")
