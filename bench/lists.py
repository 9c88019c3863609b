"""The call list at many calls beside its peers over the same table, in the same run (spec 5, speed). Ends with 1 when a target is missed.

python -m bench.lists [--calls 1000000] [--peers .venv-bench/bin/python]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from app.database import db
from bench.county import PERSON, Ground, ground
from bench.measure import Measured, measured
from bench.peers import bare
from bench.postgresql import cluster
from models.call_party import CallParty

ROOT = Path(__file__).resolve().parent.parent
CALLS = 1_000_000
SMALL = 10_000
PEERS = str(ROOT / ".venv-bench" / "bin" / "python")
WORD = "污水"
RARE = "机井损坏"
PAGES = ("first", "filtered", "deep")
Figures = Mapping[str, Measured]


def own(place: Ground, deep: int) -> dict[str, Measured]:
    """Huying's list for the department's officer."""
    client = place.county.client(PERSON)
    seen: list[str] = []
    with place.app.app_context():
        engine = db.engine

    def note(*given: object) -> None:
        if not str(given[2]).startswith("BEGIN"):
            seen.append(str(given[2]))

    def get(address: str) -> str:
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
        return str(answer.text)

    pages = {
        "first": "/call/list/?tab=all",
        "filtered": "/call/list/?tab=all&state=dispatched",
        "deep": f"/call/list/?tab=all&after={deep}",
        "by township": "/call/list/?tab=all&sort=township",
        "by change": "/call/list/?tab=all&sort=-changed",
        "search": f"/call/list/?tab=all&q={quote(WORD)}",
        "search, longer word": f"/call/list/?tab=all&q={quote(RARE)}",
        "search, nothing": f"/call/list/?tab=all&q={quote('无此')}",
    }
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        return {name: measured(lambda a=address: get(a), seen, "data-row") for name, address in pages.items()}
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def bare_page(place: Ground, deep: int) -> dict[str, Measured]:
    """The same rows without any portal."""
    seen: list[str] = []
    client = bare.make(place.url, place.organisation_id, lambda *given: seen.append(str(given[2]))).test_client()

    def get(address: str) -> str:
        return str(client.get(address).text)

    pages = {"first": "/calls", "filtered": "/calls?state=dispatched", "deep": f"/calls?below={deep}"}
    return {name: measured(lambda a=address: get(a), seen, 'class="row"') for name, address in pages.items()}


def peer(python: str, module: str, place: Ground, page: int) -> dict[str, Measured]:
    """A peer's list, in a process of its own."""
    command = [python, "-m", module, place.url, str(place.organisation_id), str(page), WORD]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if answer.returncode:
        raise SystemExit(f"{module} failed:\n{answer.stderr}")
    return {name: Measured(**figures) for name, figures in json.loads(answer.stdout.splitlines()[-1]).items()}


def middle(place: Ground) -> tuple[int, int]:
    """The key in the middle of the officer's list, and the number of the page on which it stands."""
    party = sa.inspect(CallParty).local_table
    mine = party.c.organisation_id == place.organisation_id
    with place.app.app_context(), db.engine.connect() as connection:
        count = connection.execute(sa.select(sa.func.count()).where(mine)).scalar_one()
        newest = sa.select(party.c.call_id).where(mine).order_by(party.c.call_id.desc())
        return connection.execute(newest.offset(count // 2).limit(1)).scalar_one(), count // 50


class Verdict:
    """The targets, each said as it is judged."""

    def __init__(self) -> None:
        self.missed = 0

    def judge(self, what: str, value: float, limit: float, *, least: bool = False, unit: str = "") -> None:
        met = value >= limit if least else value <= limit
        self.missed += not met
        print(
            f"  {'met   ' if met else 'MISSED'} {what}: {value:.2f}{unit} ({'at least' if least else 'at most'} {limit:g}{unit})"
        )


def table(title: str, rows: Mapping[str, Figures]) -> None:
    print(f"\n{title}")
    names = list(dict.fromkeys(name for figures in rows.values() for name in figures))
    for name in names:
        print(f"  {name}")
        for who, figures in rows.items():
            if name in figures:
                one = figures[name]
                print(f"    {who:<24}{one.milliseconds:>10.1f} ms{one.statements:>5} statements{one.rows:>5} rows")


def run(calls: int, peers: str, url: str) -> int:
    with ground(url) as place:
        place.fill(min(SMALL, calls))
        small = own(place, middle(place)[0])
        table(f"{place.calls:,} calls", {"Huying": small})
        if calls > SMALL:
            place.fill(calls)
        deep, page = middle(place)
        large = own(place, deep)
        plain = bare_page(place, deep)
        admin = peer(peers, "bench.peers.django_admin", place, page)
        stock = peer(sys.executable, "bench.peers.appbuilder", place, page)
    table(
        f"{calls:,} calls",
        {"Huying": large, "bare Flask page": plain, "Django admin": admin, "stock Flask-AppBuilder": stock},
    )
    return judged(small, large, plain, admin, stock)


def judged(small: Figures, large: Figures, plain: Figures, admin: Figures, stock: Figures) -> int:
    print("\nTargets (spec 5)")
    verdict = Verdict()
    for name in PAGES:
        mine = large[name].milliseconds
        verdict.judge(f"{name} page: Django admin / Huying", admin[name].milliseconds / mine, 5, least=True)
        verdict.judge(f"{name} page: Flask-AppBuilder / Huying", stock[name].milliseconds / mine, 5, least=True)
        verdict.judge(f"{name} page: Huying / bare page", mine / plain[name].milliseconds, 5)
        verdict.judge(f"{name} page: growth from {SMALL:,} calls", mine / small[name].milliseconds, 1.2)
    for name, figures in large.items():
        verdict.judge(f"{name}: statements", figures.statements, 8)
        if name.startswith("search"):
            verdict.judge(f"{name}", figures.milliseconds, 100, unit=" ms")
    return verdict.missed


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    asked.add_argument("--calls", type=int, default=CALLS)
    asked.add_argument("--peers", default=PEERS, help="interpreter that has Django")
    given = asked.parse_args()
    with cluster() as url:
        return 1 if run(given.calls, given.peers, url) else 0


if __name__ == "__main__":
    sys.exit(main())
