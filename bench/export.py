"""The export of many calls: how long, how much memory, in both formats (spec 5: 100,000 rows streamed, memory flat).

python -m bench.export [--rows 100000]
"""

from __future__ import annotations

import argparse
import sys
import time
import tracemalloc

from bench.county import Ground, ground
from bench.postgresql import cluster
from tests.app.visitor import Visitor

ROWS = 100_000
COLUMNS = ("number", "title", "township", "departments", "field", "state", "submitted_at", "changed")
MEGABYTES = 60.0
"""What an export may hold at once beside the program itself, whatever its length; a list of all rows would take several hundred."""
OFFICER = "dispatcher"


def exported(place: Ground, wanted: str, *, traced: bool) -> tuple[float, float, int]:
    """Seconds, megabytes at the highest, and bytes of one export."""
    here = Visitor(place.county.client(OFFICER))
    token = here.token()
    values = {"format": wanted, "tab": "all", "columns": list(COLUMNS)}
    if traced:
        tracemalloc.start()
    began = time.perf_counter()
    answer = here.post("/call/export", values, token=token)
    assert answer.status_code == 200, answer.status_code
    size = sum(len(part) for part in answer.response)
    seconds = time.perf_counter() - began
    most = tracemalloc.get_traced_memory()[1] / 1e6 if traced else 0.0
    tracemalloc.stop()
    return seconds, most, size


def run(rows: int, url: str) -> int:
    """Print the figures; gives the number of targets missed."""
    missed = 0
    with ground(url) as place:
        place.fill(rows // 10)
        few = {wanted: exported(place, wanted, traced=True)[1] for wanted in ("csv", "xlsx")}
        place.fill(rows)
        for wanted in ("csv", "xlsx"):
            seconds, _most, size = exported(place, wanted, traced=False)
            print(f"\nExport of {rows:,} calls as {wanted}: {seconds:.1f} s, {size / 1e6:.1f} MB")
            most = exported(place, wanted, traced=True)[1]
            flat = most <= MEGABYTES
            missed += not flat
            print(
                f"  {'met   ' if flat else 'MISSED'} held at once: {most:.1f} MB (at most {MEGABYTES:g}); at a tenth of the rows {few[wanted]:.1f} MB"
            )
    return missed


def main() -> int:
    asked = argparse.ArgumentParser(description="The export of many calls.")
    asked.add_argument("--rows", type=int, default=ROWS)
    given = asked.parse_args()
    with cluster() as url:
        return 1 if run(given.rows, url) else 0


if __name__ == "__main__":
    sys.exit(main())
