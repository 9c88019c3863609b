"""The one clock.

Nobody asks the machine for the time but this module, so that tests, the demonstration county and what-if calculations use another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta


def machine_now() -> datetime:
    """The machine's own time, aware, in UTC, however the clock was moved: for leases, signs of life and waiting times alone."""
    return datetime.now(UTC)


_source: ContextVar[Callable[[], datetime]] = ContextVar("clock", default=machine_now)


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return _source.get()()


@contextmanager
def at(instant: datetime) -> Iterator[None]:
    """Stop the clock at an instant. Raises ValueError for a naive one."""
    if instant.tzinfo is None:
        raise ValueError("the clock needs an aware instant")
    token = _source.set(lambda: instant.astimezone(UTC))
    try:
        yield
    finally:
        _source.reset(token)


@contextmanager
def moved(offset: timedelta) -> Iterator[None]:
    """Let the clock run ahead of (or behind) the machine's by an offset."""
    token = _source.set(lambda: machine_now() + offset)
    try:
        yield
    finally:
        _source.reset(token)
