"""Alembic's environment: all tables, Flask-AppBuilder's own included, on the application's engine."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context
from flask import current_app
from flask_appbuilder import Model

from models.base import UtcDateTime


def render_item(kind: str, item: Any, autogen_context: Any) -> Any:
    """Write our column types by their plain types, so that a migration never imports the program's later self."""
    if kind != "type":
        return False
    if isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, sa.Enum):
        return f"sa.String({item.length})"
    if isinstance(item, sa.JSON):
        autogen_context.imports.add("from sqlalchemy.dialects.postgresql import JSONB")
        return 'sa.JSON().with_variant(JSONB(), "postgresql")'
    return False


def run() -> None:
    """Migrate on a connection of the application's engine."""
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        context.configure(
            connection=connection, target_metadata=Model.metadata, render_item=render_item, render_as_batch=sqlite, compare_type=True, transaction_per_migration=True
        )
        with context.begin_transaction():
            context.run_migrations()


run()
