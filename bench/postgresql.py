"""A PostgreSQL cluster for one run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
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


@contextmanager
def cluster() -> Iterator[str]:
    """Start a cluster; gives the address of an empty database in it. The server refuses to run as root."""
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="huying-bench-"))
    become: list[str] = []
    if os.getuid() == 0:
        become = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
        shutil.chown(folder, "postgres", "postgres")
    data = str(folder / "cluster")
    make = [
        str(binaries / "initdb"),
        "-D",
        data,
        "-U",
        OWNER,
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
    ]
    subprocess.run([*become, *make], check=True, cwd=folder, stdout=subprocess.DEVNULL)
    command = [str(binaries / "postgres"), "-D", data, "-c", f"unix_socket_directories={folder}"]
    for name, value in OPTIONS.items():
        command += ["-c", f"{name}={value}"]
    server = subprocess.Popen([*become, *command], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(folder)
        yield f"postgresql+psycopg://{OWNER}@/postgres?host={folder}"
    finally:
        server.send_signal(signal.SIGINT)  # without waiting for those still connected
        server.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(folder: Path) -> None:
    for _ in range(600):
        with suppress(psycopg.OperationalError), psycopg.connect(host=str(folder), user=OWNER, dbname="postgres"):
            return
        time.sleep(0.05)
    raise SystemExit("PostgreSQL does not answer.")
