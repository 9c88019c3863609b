"""Alembic's environment: all tables, Flask-AppBuilder's own included, on the application's engine."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context
from alembic.operations import ops
from flask import current_app
from flask_appbuilder import Model

from models import text_search
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


def make_circular_keys_last(migration_context: Any, revision: Any, directives: list[ops.MigrationScript]) -> None:
    """Write a key of a circle of tables (`use_alter`) after the tables: PostgreSQL leaves it out of CREATE TABLE without a word."""
    for script in directives:
        assert script.upgrade_ops is not None
        assert script.downgrade_ops is not None
        for table in [one for one in script.upgrade_ops.ops if isinstance(one, ops.CreateTableOp)]:
            circular = [part for part in table.columns if isinstance(part, sa.ForeignKeyConstraint) and part.use_alter]
            table.columns = [part for part in table.columns if not any(part is key for key in circular)]
            if circular:
                made = [ops.CreateForeignKeyOp.from_constraint(key) for key in circular]
                script.upgrade_ops.ops.append(ops.ModifyTableOps(table.table_name, made))
                dropped = [
                    ops.DropConstraintOp(str(key.name), table.table_name, type_="foreignkey") for key in circular
                ]
                script.downgrade_ops.ops.insert(0, ops.ModifyTableOps(table.table_name, dropped))


def run() -> None:
    """Migrate on a connection of the application's engine."""
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        context.configure(
            connection=connection,
            target_metadata=Model.metadata,
            render_item=render_item,
            include_object=text_search.is_declared,
            render_as_batch=sqlite,
            compare_type=True,
            transaction_per_migration=True,
            process_revision_directives=make_circular_keys_last,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
