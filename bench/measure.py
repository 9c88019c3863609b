"""Medians of requests and their SQL statements. Knows neither Flask nor Django, so that every peer is measured by the same lines."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

WARM, RUNS, SECONDS = 3, 30, 12.0
"""Requests before measuring, requests measured, and the time after which a slow page has been measured often enough."""


@dataclass(frozen=True)
class Measured:
    """A page: median time, statements of one request, rows that it showed."""

    milliseconds: float
    statements: int
    rows: int

    def plain(self) -> dict[str, float | int]:
        return asdict(self)


def measured(get: Callable[[], str], statements: list[str], row_mark: str) -> Measured:
    """Ask for a page again and again. `statements` is filled by whoever listens to the database; `row_mark` stands once in each row."""
    text = ""
    began = time.perf_counter()
    for _ in range(WARM):
        text = get()
        if time.perf_counter() - began > SECONDS / 2:
            break
    statements.clear()
    get()
    count = len(statements)
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < RUNS and (len(times) < 3 or time.perf_counter() - began < SECONDS):
        start = time.perf_counter()
        get()
        times.append(time.perf_counter() - start)
    return Measured(1000 * statistics.median(times), count, text.count(row_mark))
