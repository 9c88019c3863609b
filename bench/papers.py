"""Documents: one notice in a warm process, a thousand with one and two workers, a long bulletin (spec 5). Ends with 1 when a target is missed.

python -m bench.papers [--notices 1000]
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import resource
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

from pypdf import PdfReader

import reports
from reports.statistics_context import StatisticsBulletin

FACES = Path(__file__).resolve().parent.parent / "var" / "fonts" / "fandol"
NOTICES = 1000
LONG = 30
"""Pages of the long bulletin, at least."""


def prepared() -> None:
    """A worker that has printed before."""
    reports.configure([FACES])
    reports.warm_up()


def notice(number: int) -> int:
    """Print one reminder slip of its own number; gives its size in bytes."""
    sample = reports.KINDS["reminder"].samples["single"].to_json()
    return len(reports.render("reminder", {**sample, "slip_number": f"催〔2026〕{number:04d}"}))


def warm() -> tuple[float, int]:
    """The median milliseconds of a one-page notice, and the largest file."""
    prepared()
    times, largest = [], 0
    for number in range(60):
        began = time.perf_counter()
        largest = max(largest, notice(number))
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times), largest


def batch(notices: int, workers: int) -> float:
    """Seconds for many notices, without the start of the workers."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, initializer=prepared) as pool:
        pool.map(notice, range(workers * 4), chunksize=1)
        began = time.perf_counter()
        for _size in pool.imap_unordered(notice, range(notices), chunksize=5):
            pass
        return time.perf_counter() - began


def long_bulletin() -> tuple[int, float, float]:
    """Pages, seconds and the process's highest memory in megabytes, of a bulletin as long as asked for; in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_print_long)


def _print_long() -> tuple[int, float, float]:
    prepared()
    sample = reports.KINDS["statistics"].samples["year"]
    assert isinstance(sample, StatisticsBulletin)
    # The year of a county with forty departments: a hundred cases, sixteen townships, ten pages of text.
    long = replace(
        sample,
        text="\n".join([sample.text] * 6),
        cases=sample.cases * 50,
        townships=sample.townships * 2,
    )
    data = long.to_json()
    began = time.perf_counter()
    content = reports.render("statistics", data)
    seconds = time.perf_counter() - began
    pages = len(PdfReader(io.BytesIO(content)).pages)
    return pages, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def judged(what: str, value: float, limit: float, unit: str, *, least: bool = False) -> int:
    met = value >= limit if least else value <= limit
    bound = "at least" if least else "at most"
    print(f"  {'met   ' if met else 'MISSED'} {what}: {value:.2f} {unit} ({bound} {limit:g})")
    return not met


def main() -> int:
    asked = argparse.ArgumentParser(description="Documents.")
    asked.add_argument("--notices", type=int, default=NOTICES)
    given = asked.parse_args()
    milliseconds, largest = warm()
    missed = judged("one-page notice in a warm worker", milliseconds, 50, "ms")
    missed += judged("its file", largest / 1000, 100, "kB")
    one, two = batch(given.notices, 1), batch(given.notices, 2)
    print(f"  {given.notices} notices: {one:.1f} s with one worker, {two:.1f} s with two")
    missed += judged("two workers against one", one / two, 1.8, "x", least=True)
    pages, seconds, memory = long_bulletin()
    missed += judged("pages of the long bulletin", pages, LONG, "pages", least=True)
    missed += judged("the long bulletin", seconds, 3, "s")
    missed += judged("its memory", memory, 400, "MB")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
