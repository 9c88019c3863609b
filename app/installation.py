"""Tables, roles and permissions: made by one command, so that starting processes have nothing to collide about."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import sqlalchemy as sa
from flask import current_app
from flask_appbuilder import Model

from app.database import db, transaction
from app.portal.builder import Portal
from models import text_search
from models.person import LEADER_OF, ROLES

ROOT = Path(__file__).resolve().parent.parent

_LOCK_NUMBER = 0x48757969
"""Key of the PostgreSQL advisory lock: “Huyi”."""


class NothingToWrite(RuntimeError):
    """The database already has every table and column that the models declare."""


def install() -> None:
    """Migrate to the newest schema, add missing roles and permissions, grant new permissions to their default roles.
    Changes nothing that is there."""
    with _alone():
        migrations().upgrade()
        sync_permissions()


def migrations() -> ModuleType:
    """Flask-Migrate, set up for the present application. Loaded when asked for: no starting web server needs it."""
    import flask_migrate

    if "migrate" not in current_app.extensions:
        flask_migrate.Migrate(current_app, db, directory=str(ROOT / "migrations"))
    return flask_migrate


def write_migration(subject: str) -> Path:
    """Write the next migration, what the models declare beyond the database; gives its file.

    Raises NothingToWrite where they declare no more than it has. The database must be up to date first.
    """
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with db.engine.connect() as connection:
        options = {"compare_type": True, "target_metadata": Model.metadata, "include_object": text_search.is_declared}
        if not compare_metadata(MigrationContext.configure(connection, opts=options), Model.metadata):
            raise NothingToWrite
    versions = ROOT / "migrations" / "versions"
    number = max(int(one.name[:4]) for one in versions.glob("[0-9][0-9][0-9][0-9]_*.py")) + 1
    migrations().migrate(message=subject, rev_id=f"{number:04d}")
    return next(versions.glob(f"{number:04d}_*.py"))


@contextmanager
def _alone() -> Iterator[None]:
    """Only one installation step at a time, over all machines."""
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_lock(_LOCK_NUMBER)))
            try:
                yield
            finally:
                connection.execute(sa.select(sa.func.pg_advisory_unlock(_LOCK_NUMBER)))
    else:
        with (Path(current_app.config["DATA_DIR"]) / "init.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def sync_permissions() -> None:
    """Bring Flask-AppBuilder's permission tables in step with the registered views. What an administrator took away is not given back."""
    portal: Portal = current_app.extensions["appbuilder"]
    wanted = portal.permissions()
    tables = Model.metadata.tables
    role, permission, view_menu = tables["ab_role"], tables["ab_permission"], tables["ab_view_menu"]
    pair, grant = tables["ab_permission_view"], tables["ab_permission_view_role"]
    with transaction() as session:
        connection = session.connection()

        def ids(table: sa.Table, names: set[str]) -> dict[str, int]:
            present = {row.name: row.id for row in connection.execute(sa.select(table.c.name, table.c.id))}
            for name in sorted(names - present.keys()):
                present[name] = connection.execute(
                    sa.insert(table).values(name=name).returning(table.c.id)
                ).scalar_one()
            return present

        roles = ids(role, set(ROLES))
        permissions = ids(permission, {name for name, _resource in wanted})
        resources = ids(view_menu, {resource for _name, resource in wanted})
        present = {
            (row.permission_id, row.view_menu_id)
            for row in connection.execute(sa.select(pair.c.permission_id, pair.c.view_menu_id))
        }
        for (name, resource), holders in sorted(wanted.items()):
            key = (permissions[name], resources[resource])
            if key in present:
                continue
            pair_id = connection.execute(
                sa.insert(pair).values(permission_id=key[0], view_menu_id=key[1]).returning(pair.c.id)
            ).scalar_one()
            everyone = set(holders) | {leader for leader, officer in LEADER_OF.items() if officer in holders}
            if everyone:
                connection.execute(
                    sa.insert(grant),
                    [{"permission_view_id": pair_id, "role_id": roles[one]} for one in sorted(everyone)],
                )
