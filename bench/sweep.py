"""The sweep of the overdue ladder: 100,000 open assignments, 5,000 due within a minute (spec 5: ≤ 30 s by one worker; the same again does nothing).

python -m bench.sweep [--open 100000] [--due 5000]
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from app.database import db, transaction
from bench.county import Ground, ground
from bench.postgresql import cluster
from models import clock, viewer
from models.call import Assignment
from models.ladder_steps import LadderStep
from models.supervision import Notice, NoticeEntry
from models.sweep import Swept, sweep

OPEN, DUE = 100_000, 5_000
SECONDS = 30.0
NOW = datetime(2026, 11, 25, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))

OPENED = """
UPDATE call SET state = 'dispatched', kind = 'general', submitted_at = :assigned, accepted_at = :assigned, dispatched_at = :assigned
"""
CLOCKS = """
UPDATE assignment SET state = 'pending', stopped_at = NULL, assigned_at = :assigned, report_from = :assigned, respond_due = due.at,
       respond_red_at = due.at + interval '5 days', report_due = :later, next_step_at = due.at
FROM (SELECT id, CASE WHEN row_number() OVER (ORDER BY id) <= :due
                      THEN CAST(:now AS timestamptz) - (id % 60) * interval '1 second' ELSE CAST(:later AS timestamptz) END AS at
      FROM assignment) AS due
WHERE due.id = assignment.id
"""

MORE_DUE = """
UPDATE assignment SET respond_due = :now, next_step_at = :now
WHERE id IN (SELECT id FROM assignment WHERE next_step_at > :now AND id NOT IN (SELECT assignment_id FROM ladder_step) ORDER BY id LIMIT :due)
"""


def open_assignments(place: Ground, count: int, due: int) -> int:
    """Fill the county and start the clocks of everything in it; gives how many assignments there are."""
    place.fill(count * 2 // 3 + 1)  # every second call has two departments
    values = {"assigned": NOW - timedelta(days=1), "now": NOW, "later": NOW + timedelta(days=9), "due": due}
    with place.app.app_context():
        with db.engine.begin() as connection:
            connection.execute(sa.text(OPENED), values)
            connection.execute(sa.text(CLOCKS), values)
        with db.engine.connect() as connection:
            whole = connection.execution_options(isolation_level="AUTOCOMMIT")
            whole.execute(sa.text("VACUUM ANALYZE assignment"))
            return connection.execute(sa.select(sa.func.count()).select_from(Assignment)).scalar_one()


def swept(place: Ground) -> tuple[float, Swept]:
    """Seconds of one sweep, and what it did."""
    with place.app.app_context(), clock.at(NOW), viewer.system():
        began = time.perf_counter()
        done = sweep(transaction)
        return time.perf_counter() - began, done


def counted(place: Ground) -> tuple[int, int, int]:
    """Ladder steps, notices and their entries in the database."""
    with place.app.app_context(), db.engine.connect() as connection:
        counts = (
            sa.select(sa.func.count()).select_from(sa.inspect(one).local_table)
            for one in (LadderStep, Notice, NoticeEntry)
        )
        return tuple(connection.execute(one).scalar_one() for one in counts)


def run(count: int, due: int, url: str) -> int:
    """Print the figures; gives the number of targets missed."""
    with ground(url) as place:
        there = open_assignments(place, count, due)
        seconds, done = swept(place)
        steps, notices, entries = counted(place)
        again, nothing = swept(place)
        print(
            f"\nSweep over {there:,} open assignments, {due:,} due: {seconds:.1f} s; {done.steps:,} steps, {notices:,} slips with {entries:,} entries"
        )
        print(f"  the same again: {again:.2f} s, {nothing.steps} steps")
        together = at_once(place, due)
        good = (
            ("one sweep", seconds <= SECONDS),
            ("each step once, each clock on one slip", steps == done.steps and entries == due),
            ("the second does nothing", nothing.steps == 0),
            ("two at once do nothing twice", together == 2 * due),
        )
    for what, met in good:
        print(f"  {'met   ' if met else 'MISSED'} {what}")
    return sum(not met for _what, met in good)


def at_once(place: Ground, due: int) -> int:
    """Let as many further assignments fall due and sweep twice at the same time; gives the slips' entries afterwards."""
    with place.app.app_context(), db.engine.begin() as connection:
        connection.execute(sa.text(MORE_DUE), {"now": NOW, "due": due})
    both = [threading.Thread(target=swept, args=(place,)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    swept(place)  # what one of them found busy
    return counted(place)[2]


def main() -> int:
    asked = argparse.ArgumentParser(description="The sweep of the overdue ladder.")
    asked.add_argument("--open", type=int, default=OPEN)
    asked.add_argument("--due", type=int, default=DUE)
    given = asked.parse_args()
    with cluster() as url:
        return 1 if run(given.open, given.due, url) else 0


if __name__ == "__main__":
    sys.exit(main())
