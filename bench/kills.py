"""Web, worker, scheduler, queue server and PostgreSQL killed at random while calls run (spec 5, Reliability).

python -m bench.kills [--kills 100] [--seed 2026]

Afterwards every acknowledged step is in the database, numbers have no gap and no duplicate, every overdue clock stands on
exactly one slip, every slip is printed once, and the chain of events is whole.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import psycopg

from bench.postgresql import OPTIONS, OWNER, Server, server
from tests.system.test_whole_path import PASSWORD, ROOT, Program, free_port

KILLS = 100
KEPT = {**OPTIONS, "synchronous_commit": "on", "autovacuum": "on"}
"""What a server has promised is kept when its processes are killed; losing the machine itself is not tried here."""
TOWNSHIPS = ("township1", "township2", "township3")
BEGINS, OVERDUE = "2026-11-24 09:00", "2026-11-25 17:31"
PARTS = ("web", "worker", "scheduler", "queue", "database", "connection")


@dataclass
class Acknowledged:
    """What the program has said was done: states of calls by their key, as far as they are known to have come."""

    submitted: dict[int, str] = field(default_factory=dict)
    """Numbers by call."""
    dispatched: set[int] = field(default_factory=set)
    requests: int = 0
    refused: int = 0
    """Requests that found nobody, or were answered by an error."""


class Traffic(threading.Thread):
    """A township that raises call after call, and the office that dispatches each."""

    def __init__(self, program: Program, township: str, departments: list[int], over: threading.Event) -> None:
        super().__init__(daemon=True)
        self.program, self.township, self.departments, self.over = program, township, departments, over
        self.done = Acknowledged()

    def run(self) -> None:
        count = 0
        while not self.over.is_set():
            count += 1
            self.one_call(count)

    def one_call(self, count: int) -> None:
        body = {"title": f"{self.township}第{count}件", "field": "其他", "description": "桥面破损，危及通行。"}
        made = self.ask(self.township, "/call/", body)
        if made is None:
            return
        key = int(made["id"])
        submitted = self.until_answered(self.township, f"/call/{key}/submit", {}, {"submitted"}, key)
        if submitted:
            self.done.submitted[key] = self.number(key)
        order = {"lead": self.departments[count % len(self.departments)]}
        if submitted and self.until_answered("dispatcher", f"/call/{key}/dispatch", order, {"dispatched"}, key):
            self.done.dispatched.add(key)

    def ask(self, who: str, path: str, body: Any) -> Any:
        """The answer; None when nobody answered well."""
        self.done.requests += 1
        try:
            status, answer = self.program.request("POST", f"/api/v1{path}", who, body)
        except (OSError, AssertionError, ValueError):
            status, answer = 0, None
        if status in (200, 201):
            return answer
        self.done.refused += 1
        time.sleep(0.3)
        return None

    def until_answered(self, who: str, path: str, body: Any, wanted: set[str], key: int) -> bool:
        """Ask again until it is done; a step that was done though its answer was lost is found by its state."""
        while not self.over.is_set():
            if self.ask(who, path, body) is not None or self.state(key) in wanted:
                return True
        return False

    def state(self, key: int) -> str:
        return str(self.read(key).get("state", ""))

    def number(self, key: int) -> str:
        while not self.over.is_set():
            found = self.read(key).get("number")
            if found:
                return str(found)
            time.sleep(0.3)
        return ""

    def read(self, key: int) -> dict[str, Any]:
        with suppress(OSError, AssertionError, ValueError):
            status, answer = self.program.request("GET", f"/api/v1/call/{key}", self.township)
            if status == 200:
                return dict(answer["result"])
        return {}


@contextmanager
def started(database: Server) -> Iterator[Program]:
    """The program on that database, with the demonstration county."""
    with tempfile.TemporaryDirectory(prefix="huying-kills-") as name:
        folder, port = Path(name), free_port()
        environ = {**os.environ, "DATA_DIR": name, "DEMO_PASSWORD": PASSWORD, "WEB_WORKERS": "1"}
        environ["DATABASE_URL"] = database.url
        environ.pop("REDIS_URL", None)
        with (folder / "log.txt").open("wb") as log:
            command = [sys.executable, "run.py", "--port", str(port), "--data", name]
            process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=subprocess.STDOUT)
            program = Program(folder, port, environ, process)
            try:
                until_well(program, 300)
                yield program
            finally:
                process.send_signal(signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=40)
                process.kill()


def until_well(program: Program, seconds: float) -> None:
    """Wait until the program answers that everything is well. Raises SystemExit when that never comes."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(OSError):
            if program.request("GET", "/health")[0] == 200:
                return
        time.sleep(0.5)
    raise SystemExit(
        f"The program did not become well within {seconds:g} s.\n{(program.folder / 'log.txt').read_text()[-4000:]}"
    )


def kill(program: Program, database: Server, part: str, random: Random) -> bool:
    """Kill -9 one part; False when it was not running just then."""
    if part == "database":
        database.kill()
        time.sleep(random.uniform(0.0, 0.5))
        database.start()
        return True
    if part == "connection":
        found = [int(one) for one in re.findall(r"\d+", " ".join(_backends(database)))]
    else:
        found = program.queue_server_pids() if part == "queue" else program.pids(part)
    if not found:
        return False
    with suppress(ProcessLookupError):
        os.kill(random.choice(found), signal.SIGKILL)
        return True
    return False


def _backends(database: Server) -> list[str]:
    with psycopg.connect(host=str(database.folder), user=OWNER, dbname="postgres", autocommit=True) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return [str(pid) for (pid,) in rows]


def found_wrong(program: Program, database: Server, traffic: list[Traffic]) -> Iterator[str]:
    """Everything that is not as it was promised."""
    with psycopg.connect(host=str(database.folder), user=OWNER, dbname="postgres", autocommit=True) as connection:
        states = dict(connection.execute("SELECT id, state FROM call").fetchall())
        numbers = dict(connection.execute("SELECT id, number FROM call WHERE number IS NOT NULL").fetchall())
        for one in traffic:
            for key, number in one.done.submitted.items():
                if states.get(key) in (None, "draft") or (number and numbers.get(key) != number):
                    yield f"call {key} was submitted as {number}, and is {states.get(key)} as {numbers.get(key)}"
            for key in one.done.dispatched - {key for key, state in states.items() if state == "dispatched"}:
                yield f"call {key} was dispatched, and is {states.get(key)}"
        counts = sorted(int(number.rpartition("-")[2]) for number in numbers.values())
        if counts != list(range(1, len(counts) + 1)):
            yield "the numbers of calls have a gap or a duplicate"
        entries = connection.execute(
            "SELECT e.assignment_id, e.round, e.clock, n.kind FROM notice_entry e JOIN notice n ON n.id = e.notice_id"
        ).fetchall()
        yield from (f"{entry} stands on {count} slips" for entry, count in Counter(entries).items() if count > 1)
        overdue = connection.execute(
            "SELECT assignment_id, round, clock FROM ladder_step WHERE step = 'reminder'"
        ).fetchall()
        reminded = {entry[:3] for entry in entries if entry[3] == "reminder"}
        yield from (f"{one} was reminded of by no slip" for one in set(overdue) - reminded)
        if not reminded:
            yield "nothing became overdue: this run has proved nothing about slips"
        unprinted = connection.execute("SELECT count(*) FROM document WHERE sha256 IS NULL").fetchone()
        if unprinted != (0,):
            yield f"{unprinted} papers were never printed"
    try:
        program.flask("verify-audit")
    except AssertionError as failure:
        yield f"the chain of events is broken: {failure}"


def run(kills: int, seed: int) -> int:
    """Print what was done and what was found wrong; gives the number of that."""
    random = Random(seed)
    with server(KEPT) as database, started(database) as program:
        program.move_clock(BEGINS)
        departments = [program.get(f"department{n}", "/me")["organisation"]["id"] for n in range(1, 6)]
        for who in (*TOWNSHIPS, "dispatcher"):
            program.token(who)
        over = threading.Event()
        traffic = [Traffic(program, township, departments, over) for township in TOWNSHIPS]
        for one in traffic:
            one.start()
        killed: Counter[str] = Counter()
        while killed.total() < kills:
            if killed.total() == kills // 2 and program.tokens:
                moved(program)
            time.sleep(random.uniform(0.2, 2.5))
            part = random.choice(PARTS)
            killed[part] += kill(program, database, part, random)
        until_well(program, 300)
        time.sleep(5)
        over.set()
        for one in traffic:
            one.join(timeout=60)
        until_printed(database)
        wrong = list(found_wrong(program, database, traffic))
        requests = sum(one.done.requests for one in traffic)
        refused = sum(one.done.refused for one in traffic)
        calls = sum(len(one.done.submitted) for one in traffic)
    print(
        f"\n{kills} kills ({', '.join(f'{part} {count}' for part, count in sorted(killed.items()))}) during {requests:,} requests"
    )
    print(f"  {requests - refused:,} acknowledged, {refused:,} not; {calls:,} calls submitted")
    print("\n".join(f"  WRONG  {one}" for one in wrong) or "  met    nothing lost, nothing twice")
    return len(wrong)


def moved(program: Program) -> None:
    """Halfway the clock moves beyond the first deadlines, so that slips are made while parts are killed."""
    while True:
        with suppress(AssertionError):
            program.move_clock(OVERDUE)
            return
        time.sleep(1)


def until_printed(database: Server) -> None:
    """Give the workers time for the papers that are asked for."""
    until = time.monotonic() + 300
    while time.monotonic() < until:
        with psycopg.connect(host=str(database.folder), user=OWNER, dbname="postgres") as connection:
            if connection.execute("SELECT count(*) FROM document WHERE sha256 IS NULL").fetchone() == (0,):
                return
        time.sleep(2)


def main() -> int:
    asked = argparse.ArgumentParser(description="Parts killed at random while calls run.")
    asked.add_argument("--kills", type=int, default=KILLS)
    asked.add_argument("--seed", type=int, default=2026)
    given = asked.parse_args()
    return 1 if run(given.kills, given.seed) else 0


if __name__ == "__main__":
    sys.exit(main())
