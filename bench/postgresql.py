"""A PostgreSQL cluster for one run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

OWNER = "huying"
OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "shared_buffers": "512MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "4GB",
    "max_connections": "40",
}
"""As on a small server, but nothing is kept: the figures are about reading."""


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    if found:
        return found[-1]
    postgres = shutil.which("postgres")
    if postgres is None:
        raise SystemExit("The PostgreSQL server is not installed.")
    return Path(postgres).parent


class Server:
    """A PostgreSQL server on a cluster of its own, which can be killed and started anew. It refuses to run as root."""

    def __init__(self, folder: Path, options: Mapping[str, str]) -> None:
        self.folder = folder
        self.url = f"postgresql+psycopg://{OWNER}@/postgres?host={folder}"
        binaries, data = _binaries(), str(folder / "cluster")
        become: list[str] = []
        if os.getuid() == 0:
            become = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
            shutil.chown(folder, "postgres", "postgres")
        make = ["-D", data, "-U", OWNER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        initdb = [*become, str(binaries / "initdb"), *make]
        subprocess.run(initdb, check=True, cwd=folder, stdout=subprocess.DEVNULL)
        self._command = [*become, str(binaries / "postgres"), "-D", data, "-c", f"unix_socket_directories={folder}"]
        for name, value in options.items():
            self._command += ["-c", f"{name}={value}"]
        self.start()

    def start(self) -> None:
        """Start, and wait until it answers."""
        self.process = subprocess.Popen(
            self._command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _wait(self.folder)

    def kill(self) -> None:
        """As a power cut ends it, but for what the operating system holds."""
        self.process.kill()
        self.process.wait(timeout=30)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)  # without waiting for those still connected
        self.process.wait(timeout=30)


@contextmanager
def server(options: Mapping[str, str]) -> Iterator[Server]:
    """A server for one run, with these options."""
    folder = Path(tempfile.mkdtemp(prefix="huying-bench-"))
    try:
        made = Server(folder, options)
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def cluster() -> Iterator[str]:
    """Start a server; gives the address of an empty database in it."""
    with server(OPTIONS) as made:
        yield made.url


def _wait(folder: Path) -> None:
    for _ in range(600):
        with suppress(psycopg.OperationalError), psycopg.connect(host=str(folder), user=OWNER, dbname="postgres"):
            return
        time.sleep(0.05)
    raise SystemExit("PostgreSQL does not answer.")
