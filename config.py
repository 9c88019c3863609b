"""Every setting of the program, read from the environment in this one place.

`SETTINGS` is the documented table (printed in docs/configuration.md, a test keeps the two in step); `load` turns an
environment into the Flask configuration. Nothing is read or written when this module is imported.

Secrets that the environment does not give are generated once, kept in the data folder with mode 0600 and read from
there ever after. Machines that share one database must be given the same SECRET_KEY and AUDIT_KEY by hand.
"""

import hashlib
import os
import secrets
import socket
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, quote, urlsplit
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parent

LANGUAGES: dict[str, dict[str, str]] = {
    "zh_Hans": {"flag": "cn", "name": "简体中文"},
    "zh_Hant": {"flag": "cn", "name": "繁體中文"},
    "en": {"flag": "gb", "name": "English"},
}

# The path of a unix socket lives in a C array of 108 bytes, its end mark included.
LONGEST_SOCKET_PATH = 107

# A request is cut off at 32 MB; what surrounds a file in it needs some room.
LARGEST_UPLOAD_MB = 30


class SettingError(ValueError):
    """A setting has a value the program cannot use; the text says which one and what it expects."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: its name, its default as people read it, and what it means."""

    name: str
    default: str
    meaning: str


SETTINGS: tuple[Variable, ...] = (
    Variable("DATA_DIR", "`data` beside config.py", "Folder of everything an installation keeps: database, files, secrets, queue."),
    Variable(
        "DATABASE_URL",
        "`sqlite:///<DATA_DIR>/huying.sqlite3`",
        "Database: SQLite, or PostgreSQL 15 and later as `postgresql://user:password@host/name`.",
    ),
    Variable(
        "REDIS_URL",
        "the embedded server",
        "Redis or Valkey for the job queue, e.g. `redis://:password@host:6379/0`. Absent: a server of its own on a unix socket.",
    ),
    Variable("SECRET_KEY", "generated, kept in `secret.key`", "Signs sessions and tokens. The same on every machine of an installation."),
    Variable(
        "AUDIT_KEY",
        "generated, kept in `audit.key`",
        "Signs the chain of events; deliberately outside the database. Keep a copy in a safe: without it the chain cannot be verified.",
    ),
    Variable("DEMO_PASSWORD", "generated, kept in `demo-password`", "Password of all accounts of the demonstration county when it is loaded."),
    Variable("DEFAULT_LOCALE", "`zh_Hans`", "Language before a person has chosen one: `zh_Hans`, `zh_Hant` or `en`."),
    Variable("TIMEZONE", "`Asia/Shanghai`", "Time zone of the county, for display, working hours and deadlines."),
    Variable(
        "SMTP_URL",
        "none",
        "Outgoing mail: `smtps://user:password@host:465/?from=address`, or `smtp://…` (port 587; encrypted where the server offers it). "
        "Absent: no mail is sent.",
    ),
    Variable(
        "NOTIFY_URLS",
        "none",
        "Further ways to tell people (WeCom, DingTalk, Lark, SMS gateways, webhooks) as Apprise addresses, separated by blanks, with "
        "`{address}` where a person's own address stands: `wecombot://{address} json://gateway.county/notify/{address}`. Absent: none.",
    ),
    Variable(
        "PORTAL_URL",
        "none",
        "Address under which people reach the portal, e.g. `https://huying.county.gov.cn`, for links in messages. Absent: messages carry no link.",
    ),
    Variable("STORAGE_URL", "`<DATA_DIR>/files`", "Where attachments and documents are stored: a folder, or an fsspec address such as `s3://bucket/prefix`."),
    Variable("ATTACHMENT_LIMIT_MB", "`20`", "Largest file that may be attached to a record, in megabytes; at most 30."),
    Variable("IMPORT_LIMIT_MB", "`10`", "Largest file of an import, in megabytes; at most 30."),
    Variable(
        "TRUSTED_HOSTS",
        "`localhost,127.0.0.1` and the machine's host name",
        "Host names under which the portal may be called, separated by commas; a leading dot includes all names below. Others get 400.",
    ),
    Variable("BIND_ADDRESS", "`127.0.0.1`", "Address the web server listens on; `0.0.0.0` for all of the machine's."),
    Variable("PROXY_COUNT", "`0`", "Number of reverse proxies in front whose X-Forwarded headers are believed."),
    Variable("SECURE_COOKIES", "`off`", "`on` when people reach the portal by https: cookies are then never sent over plain http."),
    Variable("METRICS_TOKEN", "generated, kept in `metrics-token`", "Token that `/metrics` asks for, as `Authorization: Bearer <token>`."),
    Variable("SESSION_IDLE_MINUTES", "`60`", "A session ends after this many minutes without a request."),
    Variable("SESSION_MAX_HOURS", "`12`", "A session ends this many hours after log-in, used or not."),
    Variable("LOGIN_FAILURES", "`5`", "Failed log-ins of one account within LOGIN_FAILURE_MINUTES after which it is locked."),
    Variable("LOGIN_FAILURE_MINUTES", "`15`", "Minutes in which the failures are counted and for which the account stays locked."),
    Variable("LOGIN_ADDRESS_PER_MINUTE", "`30`", "Failed log-ins of one network address per minute, whatever the account."),
    Variable("FONT_DIR", "`<DATA_DIR>/fonts`", "Folder for licensed typefaces; a face found there wins over the free one."),
    Variable("LOG_FORMAT", "`text`", "`text` for people, `json` for a log collector: one object per line."),
    Variable("WEB_WORKERS", "`2`", "Web server processes of this machine."),
    Variable("RQ_WORKERS", "`1`", "Job worker processes of this machine."),
)  # fmt: skip


def load(environ: Mapping[str, str]) -> dict[str, Any]:
    """The Flask configuration for `environ`; an empty value counts as absent.

    Creates the data folder and, for secrets that are neither given nor kept yet, their files.
    Raises `SettingError` for a value that cannot be used and `OSError` if the data folder cannot be written.
    """
    given = {name: value for name, value in environ.items() if value.strip()}
    data = Path(given.get("DATA_DIR", ROOT / "data")).expanduser().resolve()
    if "?" in str(data):
        raise SettingError(
            f"DATA_DIR must not contain a question mark, which ends the path in a database address: {data}"
        )
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = _database_url(given.get("DATABASE_URL", f"sqlite:///{data / 'huying.sqlite3'}"))
    redis_url, socket_path = _redis(given, data)
    secure = _switch(given, "SECURE_COOKIES", default=False)
    idle = _number(given, "SESSION_IDLE_MINUTES", 60, least=1)
    locale = _choice(given, "DEFAULT_LOCALE", tuple(LANGUAGES))
    return {
        "VERSION": version(),
        "DATA_DIR": str(data),
        "SQLALCHEMY_DATABASE_URI": database,
        "SQLALCHEMY_ENGINE_OPTIONS": _engine_options(database),
        "REDIS_URL": redis_url,
        "EMBEDDED_REDIS_SOCKET": socket_path,
        "SECRET_KEY": kept_secret(data / "secret.key", given.get("SECRET_KEY")),
        "AUDIT_KEY": kept_secret(data / "audit.key", given.get("AUDIT_KEY")),
        "METRICS_TOKEN": kept_secret(data / "metrics-token", given.get("METRICS_TOKEN")),
        "DEMO_PASSWORD": _demo_password(given, data),
        # Sessions. Flask renews the lifetime with every request, which makes it the idle limit.
        "SESSION_COOKIE_NAME": "huying_" + _fingerprint(data),
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": secure,
        "SECURE_COOKIES": secure,
        "PERMANENT_SESSION_LIFETIME": timedelta(minutes=idle),
        "SESSION_IDLE_MINUTES": idle,
        "SESSION_MAX_HOURS": _number(given, "SESSION_MAX_HOURS", 12, least=1),
        "LOGIN_FAILURES": _number(given, "LOGIN_FAILURES", 5, least=1),
        "LOGIN_FAILURE_MINUTES": _number(given, "LOGIN_FAILURE_MINUTES", 15, least=1),
        "LOGIN_ADDRESS_PER_MINUTE": _number(given, "LOGIN_ADDRESS_PER_MINUTE", 30, least=1),
        # A form may stay open as long as its session lives: people must not lose what they typed.
        "WTF_CSRF_TIME_LIMIT": None,
        "MAX_CONTENT_LENGTH": 32 * 1024 * 1024,
        "ATTACHMENT_LIMIT_MB": _number(given, "ATTACHMENT_LIMIT_MB", 20, least=1, most=LARGEST_UPLOAD_MB),
        "IMPORT_LIMIT_MB": _number(given, "IMPORT_LIMIT_MB", 10, least=1, most=LARGEST_UPLOAD_MB),
        "TRUSTED_HOSTS": _trusted_hosts(given),
        "BIND_ADDRESS": given.get("BIND_ADDRESS", "127.0.0.1"),
        "PROXY_COUNT": _number(given, "PROXY_COUNT", 0, least=0),
        # Flask-AppBuilder: tables and permissions are made by `flask --app app init` alone.
        "AUTH_TYPE": 1,
        "AUTH_RATE_LIMITED": False,
        "FAB_UPDATE_PERMS": False,
        "FAB_CREATE_DB": False,
        "FAB_API_SWAGGER_UI": False,
        "LANGUAGES": LANGUAGES,
        "DEFAULT_LOCALE": locale,
        "BABEL_DEFAULT_LOCALE": locale,
        "BABEL_TRANSLATION_DIRECTORIES": str(ROOT / "translations"),
        "TIMEZONE": _timezone(given),
        "BABEL_DEFAULT_TIMEZONE": _timezone(given),
        "SMTP_URL": _smtp_url(given),
        "NOTIFY_URLS": _notify_urls(given),
        "PORTAL_URL": _portal_url(given),
        "STORAGE_URL": given.get("STORAGE_URL", str(data / "files")),
        "FONT_DIR": given.get("FONT_DIR", str(data / "fonts")),
        "LOG_FORMAT": _choice(given, "LOG_FORMAT", ("text", "json")),
        "WEB_WORKERS": _number(given, "WEB_WORKERS", 2, least=1),
        "RQ_WORKERS": _number(given, "RQ_WORKERS", 1, least=1),
    }


def version() -> str:
    """The program's version, as pyproject.toml states it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def kept_secret(path: Path, given: str | None = None, *, length: int = 32) -> str:
    """The secret to use: `given`, else what `path` keeps, else `length` new random bytes, kept in `path` from now on.

    Safe against several processes that start at the same moment: the first one's secret counts for all.
    """
    if given is not None:
        return given
    try:
        return _read_secret(path)
    except FileNotFoundError:
        return _keep(path, secrets.token_urlsafe(length))


def markdown_table() -> str:
    """The table of settings as docs/configuration.md shows it."""
    lines = ["| Variable | Default | Meaning |", "|---|---|---|"]
    lines += [f"| `{v.name}` | {v.default} | {v.meaning} |" for v in SETTINGS]
    return "\n".join(lines) + "\n"


def _read_secret(path: Path) -> str:
    secret = path.read_text(encoding="utf-8").strip()
    if not secret:
        raise SettingError(f"{path} is empty: restore it from a backup, or delete it to have a new secret generated")
    return secret


def _keep(path: Path, secret: str) -> str:
    """Write `secret` to `path` with mode 0600 unless it exists by now; returns what the file holds afterwards."""
    # mkstemp creates with 0600; the link appears complete or not at all, and fails if another process was first.
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(secret + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return _read_secret(path)
    finally:
        os.unlink(draft)
    return secret


def _demo_password(given: Mapping[str, str], data: Path) -> str:
    """The password of the demonstration accounts; a given one is kept too, so that the file tells it later."""
    path = data / "demo-password"
    if (password := given.get("DEMO_PASSWORD")) is None:
        return kept_secret(path, length=12)
    if not path.exists():
        _keep(path, password)
    return password


def _fingerprint(data: Path) -> str:
    """Eight characters that tell this data folder from others on the same machine."""
    return hashlib.sha256(os.fsencode(data)).hexdigest()[:8]


def _database_url(url: str) -> str:
    """`url` with the driver named: SQLAlchemy takes `postgresql://` for psycopg 2, and `postgres://` not at all."""
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    if not url.startswith(("postgresql+psycopg://", "sqlite:///")):
        raise SettingError(f"DATABASE_URL must begin with postgresql:// or sqlite:///, not with {url.split(':')[0]!r}")
    return url


def _engine_options(database: str) -> dict[str, Any]:
    if database.startswith("sqlite"):
        return {"connect_args": {"timeout": 20}}  # seconds to wait for another writer
    return {"pool_pre_ping": True}


def _redis(given: Mapping[str, str], data: Path) -> tuple[str, str | None]:
    """(address, socket path of the embedded server or None where a server is given)."""
    if "REDIS_URL" in given:
        return given["REDIS_URL"], None
    path = data / "valkey" / "valkey.sock"
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        runtime = given.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
        path = Path(runtime) / f"huying-{os.getuid()}-{_fingerprint(data)}" / "valkey.sock"
        if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
            raise SettingError(f"DATA_DIR and {runtime} are both too long for a unix socket: choose a shorter DATA_DIR")
    return "unix://" + quote(str(path)), str(path)


WEBHOOKS = frozenset({"json", "jsons", "xml", "xmls", "form", "forms"})
"""Schemes of Apprise addresses that name a host to call."""


def _smtp_url(given: Mapping[str, str]) -> str | None:
    url = given.get("SMTP_URL", "").strip()
    if not url:
        return None
    parts = _address("SMTP_URL", url)
    if (
        parts.scheme not in ("smtp", "smtps")
        or not parts.hostname
        or "@" not in parse_qs(parts.query).get("from", [""])[0]
    ):
        raise SettingError("SMTP_URL must look like smtps://user:password@host:465/?from=address")
    return url


def _notify_urls(given: Mapping[str, str]) -> list[str]:
    """Each names the place of a person's address; of a webhook the host is the installation's choice alone."""
    urls = given.get("NOTIFY_URLS", "").split()
    for url in urls:
        parts = _address("NOTIFY_URLS", url)
        if not parts.scheme or "{address}" not in url:
            raise SettingError(
                "NOTIFY_URLS must name Apprise addresses with {address} where a person's own address stands"
            )
        if parts.scheme in WEBHOOKS and "{address}" in parts.netloc:
            raise SettingError("NOTIFY_URLS must not let a person choose the host of a webhook")
    return urls


def _portal_url(given: Mapping[str, str]) -> str | None:
    url = given.get("PORTAL_URL", "").strip().rstrip("/")
    if not url:
        return None
    parts = _address("PORTAL_URL", url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise SettingError("PORTAL_URL must look like https://huying.county.gov.cn")
    return url


def _address(name: str, url: str) -> SplitResult:
    """The parts of an address. Raises SettingError without repeating it: it may hold a password."""
    try:
        parts = urlsplit(url)
        if "{address}" not in parts.netloc:
            _ = parts.port
    except ValueError:
        raise SettingError(f"{name} holds what is no address") from None
    return parts


def _trusted_hosts(given: Mapping[str, str]) -> list[str]:
    if "TRUSTED_HOSTS" in given:
        hosts = [host.strip().lower() for host in given["TRUSTED_HOSTS"].split(",") if host.strip()]
        if not hosts:
            raise SettingError("TRUSTED_HOSTS names no host")
        return hosts
    return list(dict.fromkeys(["localhost", "127.0.0.1", socket.gethostname().lower()]))


def _number(given: Mapping[str, str], name: str, default: int, *, least: int, most: int | None = None) -> int:
    text = given.get(name, str(default)).strip()
    if not (text.isascii() and text.isdigit()) or int(text) < least:
        raise SettingError(f"{name} must be a whole number of at least {least}, not {text!r}")
    if most is not None and int(text) > most:
        raise SettingError(f"{name} must be at most {most}, not {text!r}")
    return int(text)


def _switch(given: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = given.get(name, "on" if default else "off").strip().lower()
    if text in ("on", "true", "yes", "1"):
        return True
    if text in ("off", "false", "no", "0"):
        return False
    raise SettingError(f"{name} must be on or off, not {text!r}")


def _choice(given: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """The value of `name`, one of `choices`; the first is the default."""
    text = given.get(name, choices[0]).strip()
    if text not in choices:
        raise SettingError(f"{name} must be one of {', '.join(choices)}, not {text!r}")
    return text


def _timezone(given: Mapping[str, str]) -> str:
    name = given.get("TIMEZONE", "Asia/Shanghai").strip()
    try:
        ZoneInfo(name)
    except (ValueError, LookupError, OSError) as error:
        raise SettingError(f"TIMEZONE must be a name such as Asia/Shanghai, not {name!r}") from error
    return name
