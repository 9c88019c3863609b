"""Keeps the parts of an installation running on one machine: starts, watches, restarts and stops child processes.

Knows nothing of what the children do; `app.parts` does. Linux only: a child is told by the kernel when its parent
is gone (prctl's parent-death signal), so that not even `kill -9` of the supervisor leaves an orphan that holds the
port, the queue or the database.
"""

import ctypes
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Any, Self

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)

POLL_SECONDS = 0.1
FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
# A child that ran this long was well: the next failure starts again with the first delay.
SETTLED_AFTER = 60.0


class AlreadyRunning(RuntimeError):
    """Another supervisor holds this data folder; the text names its process."""


class StopRequested(Exception):
    """Ctrl-C or SIGTERM came while something else was being waited for."""


def die_with_parent(parent: int) -> None:
    """Have the kernel kill the calling process as soon as process `parent`, which forked it, ends."""
    if _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    # The parent may have ended between the fork and the call above; then no signal comes any more.
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def take_descendants_along() -> None:
    """From now on every process forked by this one ends with it (web server processes, RQ's work-horses).

    The kernel watches the forking *thread*: fork from the main thread only. `subprocess` is not affected.
    """
    forking = os.getpid()

    def remember_parent() -> None:
        nonlocal forking
        forking = os.getpid()

    os.register_at_fork(before=remember_parent, after_in_child=lambda: die_with_parent(forking))


class FolderLock:
    """Sole use of a data folder, held from `with` to its end, and given back by the kernel if the process is killed."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "run.lock"
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        file = self._path.open("a+", encoding="ascii")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip()
            file.close()
            raise AlreadyRunning(
                f"Huying is already running with the data folder {self._path.parent} (process {holder or 'unknown'}). "
                "Stop it first, or choose another folder with --data and another port with --port."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            # The file stays: removing it would let two starters lock two different files of the same name.
            self._file.truncate(0)
            self._file.close()


@dataclass
class Part:
    """One child process: how to start it and how to tell that it is ready."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str] | None = None
    folder: Path | None = None
    ready: Callable[[], bool] = lambda: True
    # Parts others lean on (the queue) are stopped after the others.
    stops_last: bool = False

    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    started: float = field(default=0.0, init=False)
    delay: float = field(default=FIRST_DELAY, init=False)
    restart_at: float | None = field(default=None, init=False)

    def start(self) -> None:
        """Start the child in a session of its own: Ctrl-C in the terminal is for the supervisor to pass on."""
        supervisor = os.getpid()
        self.started, self.restart_at = time.monotonic(), None
        self.process = subprocess.Popen(
            list(self.command),
            env=self.environ,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(supervisor),
        )

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to the child and what it started, if it still runs."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, number)

    def terminate(self) -> None:
        """Ask the child itself to end in its own time; it tells its own children."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()


class Supervisor:
    """Runs parts until it is told to stop by SIGTERM or Ctrl-C. Use as a context manager from the main thread."""

    def __init__(
        self, say: Callable[[str], None], *, stop_seconds: float = 20.0, last_stop_seconds: float = 10.0
    ) -> None:
        self._say = say
        self._stop_seconds = stop_seconds
        self._last_stop_seconds = last_stop_seconds
        self._stopping = False
        self._parts: list[Part] = []
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            self._previous[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True

    @property
    def stopping(self) -> bool:
        """Whether the end has been asked for."""
        return self._stopping

    def start(self, part: Part, *, ready_within: float = 30.0) -> None:
        """Start `part` and wait until it is ready; raises `TimeoutError` if it is not in `ready_within` seconds."""
        if self._stopping:
            raise StopRequested
        self._parts.append(part)
        part.start()
        deadline = time.monotonic() + ready_within
        while not part.ready():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{part.name} did not become ready within {ready_within:.0f} seconds")
            self.tick()

    def run_to_end(
        self, command: Sequence[str], *, environ: Mapping[str, str] | None = None, folder: Path | None = None
    ) -> int:
        """Run a command to its end while the parts are kept running; returns its exit status."""
        job = Part(command[0], command, environ, folder)
        job.start()
        assert job.process is not None
        try:
            while job.process.poll() is None:
                self.tick()
        finally:
            self._end([job], self._stop_seconds)
        return job.process.returncode

    def watch(self, until: Callable[[], bool] = lambda: False) -> None:
        """Keep the parts running until the end is asked for or `until()` holds."""
        while not self._stopping and not until():
            self._attend()
            time.sleep(POLL_SECONDS)

    def tick(self) -> None:
        """One look after the parts and one short sleep; raises `StopRequested` when the end has been asked for."""
        if self._stopping:
            raise StopRequested
        self._attend()
        time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """End all parts: first those that use others, warmly, then the ones they lean on."""
        self._stopping = True
        self._end([part for part in self._parts if not part.stops_last], self._stop_seconds)
        self._end([part for part in self._parts if part.stops_last], self._last_stop_seconds)
        self._parts.clear()

    def _attend(self) -> None:
        """Notice dead parts and start them again, later and later while they keep dying."""
        now = time.monotonic()
        for part in self._parts:
            if part.process is None or part.process.poll() is None:
                continue
            if part.restart_at is None:
                if now - part.started > SETTLED_AFTER:
                    part.delay = FIRST_DELAY
                self._say(
                    f"{part.name} ended ({_ending(part.process.returncode)}); starting it again in {part.delay:g} s"
                )
                part.restart_at = now + part.delay
                part.delay = min(part.delay * 2, LONGEST_DELAY)
            elif now >= part.restart_at:
                part.start()

    def _end(self, parts: Sequence[Part], seconds: float) -> None:
        for part in parts:
            part.terminate()
        deadline = time.monotonic() + seconds
        for part in parts:
            if part.process is None:
                continue
            try:
                part.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._say(f"{part.name} did not end within {seconds:g} s and is killed")
                part.signal_group(signal.SIGKILL)
                part.process.wait()


def _ending(status: int) -> str:
    """How a child ended, in words."""
    if status >= 0:
        return f"exit status {status}"
    return f"killed by {signal.Signals(-status).name}"
