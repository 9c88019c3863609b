"""All benchmarks; ends with 1 when a target of spec 5 is missed.

python -m bench [--calls 1000000] [--rows 100000]
"""

from __future__ import annotations

import argparse
import sys

from bench import export, lists
from bench.postgresql import cluster


def main() -> int:
    asked = argparse.ArgumentParser(description="The benchmarks with their peers' figures beside them.")
    asked.add_argument("--calls", type=int, default=lists.CALLS)
    asked.add_argument("--rows", type=int, default=export.ROWS)
    asked.add_argument("--peers", default=lists.PEERS, help="interpreter that has Django")
    given = asked.parse_args()
    with cluster() as url:
        missed = lists.run(given.calls, given.peers, url)
    with cluster() as url:
        missed += export.run(given.rows, url)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
