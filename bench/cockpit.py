"""The leaders' cockpit at many calls, from maintained figures (spec 5, speed). Ends with 1 when a target is missed.

python -m bench.cockpit [--calls 1000000]

The rows of assignments, calls and links are made inside the database, as many as there are of those calls; their months
are added up by the program itself.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import date

import sqlalchemy as sa

from app.database import db, transaction
from bench.county import Ground, ground
from bench.lists import CALLS, Verdict
from bench.measure import Measured, measured
from bench.postgresql import cluster
from models import viewer
from models.summary import PARTS, SummaryMonth, counted_at
from models.summary_counting import count_changes

LEADER, SUPERVISOR = "leader", "supervisor"
LIMIT = 300
FIRST_YEAR = 2020
"""In which `bench.county` begins."""
MONTH = "date_trunc('month', {at} AT TIME ZONE 'Asia/Shanghai')::date"

ROWS_OF_CALLS = f"""
INSERT INTO summary_call (call_id, county_id, township_id, month, field, place, emergency)
SELECT id, county_id, township_id, {MONTH.format(at="dispatched_at")}, field, place, kind = 'emergency' FROM call
"""

ROWS_OF_LINKS = f"""
INSERT INTO summary_link (call_id, link, of, county_id, month, emergency, minutes, late)
SELECT call.id, link, CASE WHEN n > 2 THEN assignment.id ELSE 0 END, call.county_id, {MONTH.format(at="dispatched_at")},
       kind = 'emergency', 30 + (call.id * n) % 2000, (call.id + n) % 11 = 0
FROM call JOIN assignment ON assignment.call_id = call.id AND assignment.position = 0,
     unnest(ARRAY['acceptance', 'dispatch', 'response', 'report']) WITH ORDINALITY AS links(link, n)
"""


def rows_of_assignments() -> str:
    """Each part is there for most and good for most of these, differently for each."""
    parts = ", ".join(
        f"CASE WHEN (a.id + {place}) % 17 = 0 THEN NULL WHEN (a.id * 7 + {place}) % 9 = 0 THEN 0 ELSE 10 END"
        for place in range(len(PARTS))
    )
    return f"""
INSERT INTO summary_assignment (assignment_id, call_id, county_id, department_id, month, field, text_digest, {", ".join(PARTS)},
                                response_minutes, report_minutes)
SELECT a.id, a.call_id, a.county_id, a.department_id, {MONTH.format(at="a.assigned_at")}, call.field, '', {parts},
       60 + a.id % 500, 400 + a.id % 3000
FROM assignment AS a JOIN call ON call.id = a.call_id
"""


def seed(place: Ground) -> float:
    """Make the rows, and let the program add up every month; gives the seconds that this took for each month."""
    with place.app.app_context(), viewer.system():
        with db.engine.begin() as connection:
            for statement in (ROWS_OF_CALLS, rows_of_assignments(), ROWS_OF_LINKS):
                connection.execute(sa.text(statement))
        with db.engine.connect() as connection:
            whole = connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in ("summary_call", "summary_assignment", "summary_link"):
                whole.execute(sa.text(f"VACUUM ANALYZE {table}"))
        with transaction() as session:
            months = [date(*found) for found in _months(session)]
            session.add_all(SummaryMonth(county_id=place.county.id, month=month, stale=True) for month in months)
        began = time.perf_counter()
        count_changes(transaction)
        taken = time.perf_counter() - began
        with db.engine.connect() as connection:
            whole = connection.execution_options(isolation_level="AUTOCOMMIT")
            whole.execute(sa.text("VACUUM ANALYZE summary_figure"))
        with transaction() as session:
            assert counted_at(session, place.county.id) is not None
    return taken / len(months)


def _months(session: sa.orm.Session) -> list[tuple[int, int, int]]:
    rows = session.connection().execute(sa.text("SELECT DISTINCT month FROM summary_call ORDER BY month"))
    return [(row.month.year, row.month.month, row.month.day) for row in rows]


def pages(place: Ground) -> dict[str, Measured]:
    seen: list[str] = []
    with place.app.app_context():
        engine = db.engine
        with engine.connect() as connection:
            last = connection.execute(sa.text("SELECT max(month) FROM summary_call")).scalar_one()

    def note(*given: object) -> None:
        if not str(given[2]).startswith("BEGIN"):
            seen.append(str(given[2]))

    found = {}
    year = max(last.year - 1, FIRST_YEAR)
    addresses = {
        "a month": (LEADER, f"/cockpit/?period={year}-11"),
        "a quarter": (LEADER, f"/cockpit/?period={year}-Q4"),
        "a year": (LEADER, f"/cockpit/?period={year}"),
        "signals of a year": (SUPERVISOR, f"/cockpit/signals?period={year}"),
        "rows of a year": (LEADER, f"/cockpit/rows?what=on_time_report&part=rest&period={year}"),
    }
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        for name, (who, address) in addresses.items():
            client = place.county.client(who)

            def get(client: object = client, address: str = address) -> str:
                answer = client.get(address)  # type: ignore[attr-defined]  # Flask's client
                assert answer.status_code == 200, (address, answer.status_code)
                return str(answer.text)

            found[name] = measured(get, seen, "<tr>")
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    return found


def run(calls: int, url: str) -> int:
    with ground(url) as place:
        place.fill(calls)
        adding = seed(place)
        found = pages(place)
    print(f"{calls:,} calls; a month is added up in {1000 * adding:.0f} ms")
    for name, one in found.items():
        print(f"  {name:<20}{one.milliseconds:>8.1f} ms{one.statements:>5} statements{one.rows:>6} rows")
    verdict = Verdict()
    for name, one in found.items():
        if not name.startswith("rows"):
            verdict.judge(f"cockpit, {name}", one.milliseconds, LIMIT, unit=" ms")
    return verdict.missed


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    asked.add_argument("--calls", type=int, default=CALLS)
    given = asked.parse_args()
    with cluster() as url:
        return 1 if run(given.calls, url) else 0


if __name__ == "__main__":
    sys.exit(main())
