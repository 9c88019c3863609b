"""The supervisor, with small stand-in programs for its children, and the embedded queue server itself."""

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
import redis

import config
from app import parts
from app.supervisor import Supervisor

SLEEPER = "import pathlib, os, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(600)"

# Ends on SIGTERM after saying so, as a worker ends that finishes its job first.
WARM_SLEEPER = """
import os, pathlib, signal, sys, time
pid, ended = map(pathlib.Path, sys.argv[1:])
def end(number, frame):
    ended.write_text("warm")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
pid.write_text(str(os.getpid()))
time.sleep(600)
"""

# Forks as a web server or RQ does, and deaf to polite requests.
FORKING_SLEEPER = """
import os, pathlib, signal, sys, time
from app.supervisor import take_descendants_along
signal.signal(signal.SIGTERM, signal.SIG_IGN)
take_descendants_along()
name = "child" if os.fork() == 0 else "parent"
if name == "child":
    os.setpgrp()
pathlib.Path(sys.argv[1], name).write_text(str(os.getpid()))
time.sleep(600)
"""


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Wait for something another process does; the limit only keeps a broken test from hanging."""
    for _ in range(600):
        if holds():
            return
        time.sleep(0.05)
    pytest.fail(f"never happened: {what}")


def pid_in(path: Path) -> int:
    eventually(lambda: path.exists() and path.read_text() != "", f"{path.name} written")
    return int(path.read_text())


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


class Driver:
    """A supervisor in a process of its own, as `run.py` is one, over the children a test describes."""

    def __init__(self, folder: Path, children: str) -> None:
        program = f"""
            import sys
            from pathlib import Path
            from app.supervisor import AlreadyRunning, FolderLock, Part, Supervisor
            folder = Path({str(folder)!r})
            def python(code, *arguments):
                return [sys.executable, "-c", code, *map(str, arguments)]
            try:
                with FolderLock(folder), Supervisor(lambda text: print(text, flush=True), stop_seconds=3) as supervisor:
                    for part in [{children}]:
                        supervisor.start(part)
                    print("started", flush=True)
                    supervisor.watch()
            except AlreadyRunning as error:
                sys.exit(str(error))
            """
        self.output = folder / "output.txt"
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", textwrap.dedent(program)],
                cwd=config.ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_started(self) -> None:
        eventually(lambda: b"started" in self.output.read_bytes(), "supervisor started its parts")


@pytest.fixture
def drive(tmp_path: Path) -> Iterator[Callable[[str], Driver]]:
    drivers: list[Driver] = []

    def start(children: str) -> Driver:
        drivers.append(Driver(tmp_path, children))
        return drivers[-1]

    yield start
    for driver in drivers:
        driver.process.kill()
        driver.process.wait()


def sleeper(folder: Path, name: str = "sleeper") -> str:
    return f"Part({name!r}, python({SLEEPER!r}, {str(folder / name)!r}))"


def test_ends_cleanly_and_lets_children_finish(tmp_path: Path, drive: Callable[[str], Driver]) -> None:
    pid_file, ended = tmp_path / "pid", tmp_path / "ended"
    driver = drive(f"Part('warm', python({WARM_SLEEPER!r}, {str(pid_file)!r}, {str(ended)!r}))")
    child = pid_in(pid_file)
    driver.wait_started()
    driver.process.terminate()
    assert driver.process.wait() == 0
    assert ended.read_text() == "warm"
    assert not alive(child)


def test_ctrl_c_ends_as_well(tmp_path: Path, drive: Callable[[str], Driver]) -> None:
    driver = drive(sleeper(tmp_path))
    child = pid_in(tmp_path / "sleeper")
    driver.wait_started()
    driver.process.send_signal(signal.SIGINT)
    assert driver.process.wait() == 0
    assert not alive(child)


def test_child_that_does_not_end_is_killed_with_all_it_started(tmp_path: Path, drive: Callable[[str], Driver]) -> None:
    driver = drive(f"Part('deaf', python({FORKING_SLEEPER!r}, {str(tmp_path)!r}))")
    family = [pid_in(tmp_path / "parent"), pid_in(tmp_path / "child")]
    driver.wait_started()
    driver.process.terminate()
    assert driver.process.wait() == 0
    eventually(lambda: not any(map(alive, family)), "parent and child gone")
    assert "deaf did not end within 3 s" in driver.output.read_text()


def test_parts_others_lean_on_end_last(tmp_path: Path, drive: Callable[[str], Driver]) -> None:
    # The user ends half a second after it is told to; the queue must still be there at that moment.
    user = textwrap.dedent(
        """
        import os, pathlib, signal, sys, time
        pid, queue, seen = map(pathlib.Path, sys.argv[1:])
        def end(number, frame):
            time.sleep(0.5)
            seen.write_text("there" if pathlib.Path("/proc", queue.read_text(), "cmdline").read_bytes() else "gone")
            sys.exit(0)
        signal.signal(signal.SIGTERM, end)
        pid.write_text(str(os.getpid()))
        time.sleep(600)
        """
    )
    queue, seen, pid_file = tmp_path / "queue", tmp_path / "seen", tmp_path / "user"
    driver = drive(
        f"Part('queue', python({SLEEPER!r}, {str(queue)!r}), stops_last=True), "
        f"Part('user', python({user!r}, {str(pid_file)!r}, {str(queue)!r}, {str(seen)!r}))"
    )
    pid_in(pid_file)
    pid_in(queue)
    driver.wait_started()
    driver.process.terminate()
    driver.process.wait()
    assert seen.read_text() == "there"


def test_dead_child_is_started_again(tmp_path: Path, drive: Callable[[str], Driver]) -> None:
    driver = drive(sleeper(tmp_path))
    first = pid_in(tmp_path / "sleeper")
    os.kill(first, signal.SIGKILL)
    eventually(lambda: pid_in(tmp_path / "sleeper") != first, "a new child")
    assert alive(pid_in(tmp_path / "sleeper"))
    assert "sleeper ended (killed by SIGKILL); starting it again" in driver.output.read_text()


def test_restarts_come_later_and_later(tmp_path: Path, drive: Callable[[str], Driver]) -> None:
    driver = drive("Part('hasty', python('raise SystemExit(3)'))")
    eventually(lambda: driver.output.read_text().count("hasty ended (exit status 3)") >= 3, "three ends")
    delays = [line.rpartition(" in ")[2] for line in driver.output.read_text().splitlines() if "hasty ended" in line]
    assert delays[:3] == ["0.5 s", "1 s", "2 s"]


def test_killed_supervisor_leaves_no_orphan(tmp_path: Path, drive: Callable[[str], Driver]) -> None:
    driver = drive(f"{sleeper(tmp_path)}, Part('deaf', python({FORKING_SLEEPER!r}, {str(tmp_path)!r}))")
    family = [pid_in(tmp_path / name) for name in ("sleeper", "parent", "child")]
    assert all(map(alive, family))
    driver.process.kill()
    eventually(lambda: not any(map(alive, family)), "all descendants gone")


def test_second_start_of_the_same_folder_is_refused(tmp_path: Path, drive: Callable[[str], Driver]) -> None:
    first = drive(sleeper(tmp_path))
    child = pid_in(tmp_path / "sleeper")
    second = drive(sleeper(tmp_path, "second"))
    assert second.process.wait() == 1
    assert f"already running with the data folder {tmp_path} (process {first.process.pid})" in second.output.read_text()
    assert not (tmp_path / "second").exists()
    assert alive(child)


def test_next_start_takes_over_after_kill(tmp_path: Path, drive: Callable[[str], Driver]) -> None:
    first = drive(sleeper(tmp_path))
    pid_in(tmp_path / "sleeper")
    first.process.kill()
    first.process.wait()
    second = drive(sleeper(tmp_path, "second"))
    assert alive(pid_in(tmp_path / "second"))
    assert second.process.poll() is None


def queue_folders(tmp_path: Path) -> tuple[Path, Path]:
    settings = config.load({"DATA_DIR": str(tmp_path)})
    return Path(settings["EMBEDDED_REDIS_SOCKET"]), tmp_path / "valkey"


@pytest.fixture
def queue_server(tmp_path: Path) -> Iterator[Callable[[], tuple[parts.Part, redis.Redis]]]:
    started: list[parts.Part] = []
    clients: list[redis.Redis] = []

    def start() -> tuple[parts.Part, redis.Redis]:
        socket_path, folder = queue_folders(tmp_path)
        part = parts.queue_server(socket_path, folder)
        part.start()
        started.append(part)
        eventually(part.ready, "queue server ready")
        clients.append(redis.Redis.from_url(config.load({"DATA_DIR": str(tmp_path)})["REDIS_URL"]))
        return part, clients[-1]

    yield start
    for client in clients:
        client.close()
    for part in started:
        part.signal_group(signal.SIGKILL)
        if part.process is not None:
            part.process.wait()


def test_queue_keeps_its_data_when_killed(
    tmp_path: Path, queue_server: Callable[[], tuple[parts.Part, redis.Redis]]
) -> None:
    part, client = queue_server()
    client.rpush("jobs", "first", "second")
    # The server writes its file to disk once a second; kill -9 of the process alone loses nothing of it.
    part.signal_group(signal.SIGKILL)
    assert part.process is not None
    part.process.wait()
    assert queue_folders(tmp_path)[0].exists()  # the stale socket the next start has to deal with

    _, client = queue_server()
    assert client.lrange("jobs", 0, -1) == [b"first", b"second"]


def test_queue_is_closed_to_other_users_and_to_the_network(
    tmp_path: Path, queue_server: Callable[[], tuple[parts.Part, redis.Redis]]
) -> None:
    _, client = queue_server()
    socket_path, folder = queue_folders(tmp_path)
    assert socket_path.stat().st_mode & 0o077 == 0
    assert folder.stat().st_mode & 0o077 == 0
    assert client.config_get("port") == {"port": "0"}
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def run_program(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "run.py", *arguments], cwd=config.ROOT, capture_output=True, text=True)


def test_taken_port_is_said_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        answer = run_program("--data", str(tmp_path), "--port", str(port))
    assert answer.returncode == 1
    assert answer.stderr.strip() == (
        f"Port {port} is in use by another program. Choose another one: python run.py --port {port + 1}"
    )


def test_unusable_setting_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_WORKERS", "many")
    answer = run_program("--data", str(tmp_path))
    assert answer.returncode == 1
    assert answer.stderr == "Cannot start: WEB_WORKERS must be a whole number of at least 1, not 'many'\n"


def test_health_page_in_words() -> None:
    body = (
        '{"status": "failing", "parts": {"database": "ok", "redis": {"status": "ok", "calendar": "provisional"},'
        ' "worker": {"status": "failing", "reason": "no worker has reported"}, "disk": true}}'
    )
    assert parts._complaints(body) == ["worker: failing; no worker has reported"]


class Terminal:
    """Stands for the supervisor where only the commands it would run matter; `failing` ones end with status 1."""

    def __init__(self, database: Path, failing: str = "") -> None:
        self.commands: list[str] = []
        self._database = database
        self._failing = failing

    def run_to_end(self, command: list[str], *, environ: dict[str, str], folder: Path) -> int:
        self.commands.append(command[-1])
        if command[-1] == "init":
            with contextlib.closing(sqlite3.connect(self._database)) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num TEXT)")
        return 1 if command[-1] == self._failing else 0


def prepare(folder: Path, *, empty: bool = False, failing: str = "") -> list[str]:
    """The commands a start with this data folder runs before the parts."""
    terminal = Terminal(folder / "huying.sqlite3", failing)
    parts._prepare(config.load({"DATA_DIR": str(folder)}), cast("Supervisor", terminal), {}, empty=empty)
    return terminal.commands


class TestPreparation:
    def test_new_folder_gets_tables_and_the_demonstration_county_once(self, tmp_path: Path) -> None:
        assert prepare(tmp_path) == ["init", "demo"]
        assert prepare(tmp_path) == []

    def test_empty_stays_empty(self, tmp_path: Path) -> None:
        assert prepare(tmp_path, empty=True) == ["init", "first-accounts"]
        assert prepare(tmp_path) == []

    def test_changed_code_brings_the_tables_up_to_date(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        prepare(tmp_path)
        monkeypatch.setattr(parts, "CODE_FOLDERS", ("tests",))
        assert prepare(tmp_path) == ["init"]

    @pytest.mark.parametrize(("failing", "again"), [("init", ["init", "demo"]), ("demo", ["demo"])])
    def test_interrupted_one_goes_on_where_it_stopped(self, tmp_path: Path, failing: str, again: list[str]) -> None:
        with pytest.raises(parts.PreparationFailed, match=failing):
            prepare(tmp_path, failing=failing)
        assert prepare(tmp_path) == again

    def test_county_in_service_never_gets_demonstration_data(self, tmp_path: Path) -> None:
        prepare(tmp_path, empty=True)
        (tmp_path / "prepared.json").unlink()  # a second machine, or a restored database
        assert prepare(tmp_path) == ["init", "first-accounts"]
