"""The migrations make exactly what the models declare, on both databases, up and down."""

from __future__ import annotations

from typing import Any

import flask_migrate
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_appbuilder import Model

from app.database import db
from models import text_search
from models.base import RECORD_TYPES, fields_of
from models.call import Call


def differences(connection: sa.Connection) -> list[Any]:
    """What a new migration would change."""
    options = {
        "compare_type": True,
        "target_metadata": Model.metadata,
        "include_object": text_search.is_declared,
    }
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, Model.metadata))


def foreign_keys_of_models() -> set[tuple[str, str, str]]:
    return {
        (table.name, key.parent.name, key.column.table.name)
        for table in Model.metadata.tables.values()
        for key in table.foreign_keys
    }


def foreign_keys_of_database(connection: sa.Connection) -> set[tuple[str, str, str]]:
    seen = sa.inspect(connection)
    return {
        (table, column, key["referred_table"])
        for table in seen.get_table_names()
        for key in seen.get_foreign_keys(table)
        for column in key["constrained_columns"]
    }


def indexes_of_models() -> set[tuple[str, str]]:
    return {(table.name, str(index.name)) for table in Model.metadata.tables.values() for index in table.indexes}


def indexes_of_database(connection: sa.Connection) -> set[tuple[str, str]]:
    seen = sa.inspect(connection)
    return {(table, str(index["name"])) for table in seen.get_table_names() for index in seen.get_indexes(table)}


def test_a_new_migration_would_change_nothing(application: Flask) -> None:
    with application.app_context(), db.engine.connect() as connection:
        assert differences(connection) == []


def test_every_foreign_key_of_the_models_stands_in_the_database(application: Flask) -> None:
    with application.app_context(), db.engine.connect() as connection:
        assert foreign_keys_of_models() - foreign_keys_of_database(connection) == set()


def test_every_index_of_the_models_stands_in_the_database(application: Flask) -> None:
    with application.app_context(), db.engine.connect() as connection:
        assert indexes_of_models() - indexes_of_database(connection) == set()


def test_partial_indexes_are_partial_on_both_databases(application: Flask) -> None:
    with application.app_context(), db.engine.connect() as connection:
        seen = sa.inspect(connection)
        name = connection.dialect.name
        partial = {
            index["name"]
            for index in seen.get_indexes("assignment")
            if index.get("dialect_options", {}).get(f"{name}_where") is not None
        }
        assert {"uq_assignment_lead", "ix_assignment_next_step"} <= partial


def test_words_are_looked_up_in_the_index_over_exactly_these_columns(application: Flask) -> None:
    """On PostgreSQL the expression of the search is that of the index; every searched text of the type stands in it."""
    assert set(Call.text_index) == set(text_search.searched_names(Call))
    with application.app_context(), db.engine.connect() as connection:
        if connection.dialect.name != "postgresql":
            assert text_search.INDEXES.isdisjoint(name for _table, name in indexes_of_database(connection))
            return
        connection.execute(sa.text("SET enable_seqscan = off"))
        connection.execute(sa.text("SET enable_indexscan = off"))
        query = sa.select(Call.__table__.c.id).where(text_search.contains(Call, "河道", "postgresql"))
        text = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {text}".replace("%", "%%")).scalars())
        assert "ix_call_text" in plan, plan


def test_migrations_go_down_to_nothing_and_up_again(application: Flask) -> None:
    with application.app_context():
        flask_migrate.downgrade(revision="base")
        db.engine.dispose()
        with db.engine.connect() as connection:
            assert sa.inspect(connection).get_table_names() == ["alembic_version"]
        flask_migrate.upgrade()
        db.engine.dispose()
        with db.engine.connect() as connection:
            assert differences(connection) == []
            assert foreign_keys_of_models() - foreign_keys_of_database(connection) == set()


def test_every_reference_has_a_relation_of_its_name() -> None:
    """Pages, lists and exports read what a reference names by its name."""
    lacking = [
        f"{resource}.{name}"
        for resource, model in RECORD_TYPES.items()
        for name, one in fields_of(model).items()
        if one.kind == "reference" and name not in sa.inspect(model).relationships
    ]
    assert lacking == []
