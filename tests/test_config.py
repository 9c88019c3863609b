"""Settings: defaults, generated secrets, addresses, refusals, and the printed table."""

import stat
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from sqlalchemy.engine import make_url

import config

OTHER_VALUES = {
    "DATABASE_URL": "postgresql://db/huying",
    "REDIS_URL": "redis://queue",
    "SECRET_KEY": "one",
    "AUDIT_KEY": "two",
    "DEMO_PASSWORD": "three",
    "METRICS_TOKEN": "four",
    "DEFAULT_LOCALE": "en",
    "TIMEZONE": "UTC",
    "SMTP_URL": "smtp://mail/?from=huying@county.gov.cn",
    "NOTIFY_URLS": "json://hook/{address}",
    "PORTAL_URL": "https://huying.county.gov.cn",
    "STORAGE_URL": "s3://bucket",
    "TRUSTED_HOSTS": "huying.gov.cn",
    "BIND_ADDRESS": "0.0.0.0",
    "PROXY_COUNT": "1",
    "SECURE_COOKIES": "on",
    "SESSION_IDLE_MINUTES": "5",
    "SESSION_MAX_HOURS": "1",
    "LOGIN_FAILURES": "3",
    "LOGIN_FAILURE_MINUTES": "3",
    "LOGIN_ADDRESS_PER_MINUTE": "3",
    "FONT_DIR": "/fonts",
    "LOG_FORMAT": "json",
    "WEB_WORKERS": "3",
    "RQ_WORKERS": "3",
    "ATTACHMENT_LIMIT_MB": "5",
    "IMPORT_LIMIT_MB": "5",
}


def load(folder: Path, **settings: str) -> dict[str, object]:
    return config.load({"DATA_DIR": str(folder), **settings})


def test_documentation_shows_the_table_of_settings() -> None:
    page = (config.ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert config.markdown_table() in page


def test_every_setting_has_an_effect(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    changed = {
        variable.name: config.load({"DATA_DIR": str(tmp_path), variable.name: OTHER_VALUES[variable.name]})
        for variable in config.SETTINGS
        if variable.name != "DATA_DIR"
    }
    assert [name for name, other in changed.items() if other == loaded] == []


def test_defaults_keep_everything_in_the_data_folder(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    assert make_url(str(loaded["SQLALCHEMY_DATABASE_URI"])).database == str(tmp_path / "huying.sqlite3")
    assert loaded["STORAGE_URL"] == str(tmp_path / "files")
    assert loaded["EMBEDDED_REDIS_SOCKET"] == str(tmp_path / "valkey" / "valkey.sock")
    assert loaded["BABEL_DEFAULT_LOCALE"] == "zh_Hans"
    assert loaded["TIMEZONE"] == "Asia/Shanghai"
    assert {"localhost", "127.0.0.1"} <= set(loaded["TRUSTED_HOSTS"])
    assert loaded["PERMANENT_SESSION_LIFETIME"] == timedelta(minutes=60)


def test_data_folder_is_closed_to_others(tmp_path: Path) -> None:
    load(tmp_path / "new")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("setting", "file"),
    [
        ("SECRET_KEY", "secret.key"),
        ("AUDIT_KEY", "audit.key"),
        ("METRICS_TOKEN", "metrics-token"),
        ("DEMO_PASSWORD", "demo-password"),
    ],
)
class TestSecrets:
    def test_generated_once_and_kept_for_the_owner_only(self, tmp_path: Path, setting: str, file: str) -> None:
        first = load(tmp_path)[setting]
        assert load(tmp_path)[setting] == first
        assert stat.S_IMODE((tmp_path / file).stat().st_mode) == 0o600

    def test_differs_between_installations(self, tmp_path: Path, setting: str, file: str) -> None:
        assert load(tmp_path / "one")[setting] != load(tmp_path / "two")[setting]

    def test_given_one_wins(self, tmp_path: Path, setting: str, file: str) -> None:
        kept = load(tmp_path)[setting]
        assert load(tmp_path, **{setting: "given by the county"})[setting] == "given by the county"
        assert load(tmp_path)[setting] == kept

    def test_empty_value_counts_as_absent(self, tmp_path: Path, setting: str, file: str) -> None:
        assert load(tmp_path, **{setting: " "})[setting] == load(tmp_path)[setting]

    def test_emptied_file_is_refused_rather_than_replaced(self, tmp_path: Path, setting: str, file: str) -> None:
        load(tmp_path)
        (tmp_path / file).write_text("")
        with pytest.raises(config.SettingError, match=file):
            load(tmp_path)


def test_first_of_two_processes_decides_the_secret(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    first = config._keep(path, "from the first")
    second = config._keep(path, "from the second")
    assert (first, second) == ("from the first", "from the first")
    assert [file.name for file in tmp_path.iterdir()] == ["secret.key"]


def test_given_demo_password_is_kept_so_that_it_can_be_told_later(tmp_path: Path) -> None:
    load(tmp_path, DEMO_PASSWORD="chosen by hand")
    assert load(tmp_path)["DEMO_PASSWORD"] == "chosen by hand"


def test_installations_on_one_host_have_their_own_session_cookie(tmp_path: Path) -> None:
    assert load(tmp_path / "one")["SESSION_COOKIE_NAME"] != load(tmp_path / "two")["SESSION_COOKIE_NAME"]


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_addresses_name_the_driver(tmp_path: Path, scheme: str) -> None:
    loaded = load(tmp_path, DATABASE_URL=f"{scheme}://county:p%40ss@db/huying")
    assert loaded["SQLALCHEMY_DATABASE_URI"] == "postgresql+psycopg://county:p%40ss@db/huying"
    assert loaded["SQLALCHEMY_ENGINE_OPTIONS"] == {"pool_pre_ping": True}


def test_long_data_folder_gets_a_short_socket_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("long" * 30) / "and deeper"
    path = str(load(deep, XDG_RUNTIME_DIR="/run/user/1000")["EMBEDDED_REDIS_SOCKET"])
    assert len(path.encode()) < 108
    assert path.startswith("/run/user/1000/huying-")
    assert path != load(deep / "other", XDG_RUNTIME_DIR="/run/user/1000")["EMBEDDED_REDIS_SOCKET"]


def test_queue_address_leads_to_the_socket_whatever_the_folder_is_called(tmp_path: Path) -> None:
    loaded = load(tmp_path / "县 100%")
    pool = redis.ConnectionPool.from_url(str(loaded["REDIS_URL"]))
    assert pool.connection_kwargs["path"] == loaded["EMBEDDED_REDIS_SOCKET"]


def test_given_queue_needs_no_embedded_server(tmp_path: Path) -> None:
    loaded = load(tmp_path, REDIS_URL="redis://queue:6379/0")
    assert (loaded["REDIS_URL"], loaded["EMBEDDED_REDIS_SOCKET"]) == ("redis://queue:6379/0", None)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("WEB_WORKERS", "0"),
        ("WEB_WORKERS", "two"),
        ("SESSION_IDLE_MINUTES", "-1"),
        ("PROXY_COUNT", "²"),
        ("SECURE_COOKIES", "maybe"),
        ("DEFAULT_LOCALE", "fr"),
        ("LOG_FORMAT", "xml"),
        ("TIMEZONE", "Asia/Nowhere"),
        ("TIMEZONE", "../etc/passwd"),
        ("TRUSTED_HOSTS", " , "),
        ("DATABASE_URL", "mysql://county@db/huying"),
        ("SMTP_URL", "smtp://mail"),
        ("SMTP_URL", "smtp://user:pass/word@mail/?from=huying@county.gov.cn"),
        ("SMTP_URL", "https://mail/?from=huying@county.gov.cn"),
        ("NOTIFY_URLS", "json://hook"),
        ("NOTIFY_URLS", "json://{address}/hook"),
        ("NOTIFY_URLS", "{address}"),
        ("PORTAL_URL", "huying.county.gov.cn"),
        ("PORTAL_URL", "https://huying.county.gov.cn/?a=b"),
    ],
)
def test_unusable_value_is_refused_by_name(tmp_path: Path, setting: str, value: str) -> None:
    with pytest.raises(config.SettingError, match=setting):
        load(tmp_path, **{setting: value})


def test_trusted_hosts_are_a_list_without_blanks(tmp_path: Path) -> None:
    assert load(tmp_path, TRUSTED_HOSTS="huying.gov.cn, .County.gov.cn")["TRUSTED_HOSTS"] == [
        "huying.gov.cn",
        ".county.gov.cn",
    ]
