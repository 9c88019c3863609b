"""All benchmarks but the killing of parts, which takes an hour; ends with 1 when a target of spec 5 is missed.

python -m bench [--calls 1000000] [--rows 100000] [--notices 1000] [--peers INTERPRETER]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from bench import export, lists, papers
from bench.postgresql import cluster


def main() -> int:
    asked = argparse.ArgumentParser(description="The benchmarks with their peers' figures beside them.")
    asked.add_argument("--calls", type=int, default=lists.CALLS)
    asked.add_argument("--rows", type=int, default=export.ROWS)
    asked.add_argument("--notices", type=int, default=papers.NOTICES)
    asked.add_argument("--peers", default=lists.PEERS, help="interpreter that has Django")
    given = asked.parse_args()
    missed = ran("lists", "--calls", str(given.calls), "--peers", given.peers)
    missed += ran("cockpit", "--calls", str(given.calls))
    missed += ran("export", "--rows", str(given.rows))
    missed += ran("sweep")
    missed += ran("papers", "--notices", str(given.notices))
    missed += ran("imports")
    with cluster() as url:
        missed += ran("imports", DATABASE_URL=url)
    return 1 if missed else 0


def ran(name: str, *arguments: str, **environment: str) -> int:
    """One benchmark in a process of its own, so that none warms or weighs upon another; 1 if it missed a target."""
    print(f"\n== {name}", flush=True)
    command = [sys.executable, "-m", f"bench.{name}", *arguments]
    return int(subprocess.run(command, env=os.environ | environment).returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
