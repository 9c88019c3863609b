"""Tables, roles and permissions: one command makes them, and starting processes never touch them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from flask_appbuilder import Model

import app as program
from app.database import db
from app.installation import sync_permissions
from models.person import ROLES
from tests.conftest import Installation, PostgresqlServer

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.postgresql
def test_four_installations_at_once_on_an_empty_postgresql_do_not_collide(
    postgresql_server: PostgresqlServer, tmp_path: Path
) -> None:
    with postgresql_server.connect() as connection:
        connection.execute("DROP DATABASE IF EXISTS four WITH (FORCE)")
        connection.execute("CREATE DATABASE four")
    command = [sys.executable, "-m", "flask", "--app", "app", "init"]
    environ = {**os.environ, "DATABASE_URL": postgresql_server.url("four")}
    started = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**environ, "DATA_DIR": str(tmp_path / str(n))},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for n in range(4)
    ]
    for one in started:
        output, _none = one.communicate(timeout=180)
        assert one.returncode == 0, output.decode()
    with psycopg.connect(host=str(postgresql_server.folder), user=postgresql_server.owner, dbname="four") as connection:
        roles = connection.execute("SELECT count(*), count(DISTINCT name) FROM ab_role").fetchone()
        doubled = connection.execute(
            "SELECT permission_id, view_menu_id FROM ab_permission_view GROUP BY 1, 2 HAVING count(*) > 1"
        ).fetchall()
    assert roles == (len(ROLES), len(ROLES))
    assert doubled == []


def _grants(permission: str, resource: str) -> set[str]:
    tables = Model.metadata.tables
    rows = db.session.connection().execute(
        sa.select(tables["ab_role"].c.name)
        .join(tables["ab_permission_view_role"], tables["ab_permission_view_role"].c.role_id == tables["ab_role"].c.id)
        .join(
            tables["ab_permission_view"],
            tables["ab_permission_view"].c.id == tables["ab_permission_view_role"].c.permission_view_id,
        )
        .join(tables["ab_permission"], tables["ab_permission"].c.id == tables["ab_permission_view"].c.permission_id)
        .join(tables["ab_view_menu"], tables["ab_view_menu"].c.id == tables["ab_permission_view"].c.view_menu_id)
        .where(tables["ab_permission"].c.name == permission, tables["ab_view_menu"].c.name == resource)
    )
    return set(rows.scalars())


def test_a_transition_is_granted_to_the_roles_that_its_workflow_names_and_to_their_leaders(application: Flask) -> None:
    with application.app_context():
        assert _grants("can_dispatch", "Call") == {"dispatcher"}
        assert _grants("can_evaluate", "Call") == {"township_officer", "township_leader"}


def test_what_an_administrator_took_away_is_not_given_back(application: Flask) -> None:
    tables = Model.metadata.tables
    with application.app_context():
        with db.engine.begin() as connection:
            connection.execute(sa.delete(tables["ab_permission_view_role"]))
        sync_permissions()
        assert _grants("can_dispatch", "Call") == set()


def test_a_starting_web_server_sends_no_statement_to_the_database(installation: Installation) -> None:
    config = {name: installation.app.config[name] for name in ("SQLALCHEMY_DATABASE_URI", "SQLALCHEMY_ENGINE_OPTIONS")}
    sent: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        sent.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        program.create_app({"TESTING": True, **config})
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert sent == []
