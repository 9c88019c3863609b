"""bulletins: frozen figures, approval sheets, papers of supervision, the county's own wordings, marks taken back by reviews

Revision: 0015
Follows: 0013
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql")
PAPERS = (
    ("bulletin", "document_id"),
    ("conclusion", "letter_id"),
    ("conclusion", "document_id"),
    ("rectification", "document_id"),
    ("review_request", "document_id"),
)
"""References to the papers that are made of a record."""
FROZEN = ("highlights", "rectify_until", "frozen_at")
"""What of a submitted bulletin never changes, beside what stood there before."""
TRIGGER = "bulletin_contents_stay"
SAID = "a submitted bulletin never changes"


def _columns() -> tuple[tuple[str, sa.Column[Any]], ...]:
    """New columns with their tables; made anew for each use, since a column belongs to one table."""
    return (
        ("assignment", sa.Column("response_cleared_at", INSTANT, nullable=True)),
        ("bulletin", sa.Column("highlights", sa.Text(), nullable=False, server_default="")),
        ("bulletin", sa.Column("rectify_until", sa.Date(), nullable=True)),
        ("bulletin", sa.Column("frozen_at", INSTANT, nullable=True)),
        ("bulletin", sa.Column("return_code", sa.String(length=12), nullable=False, server_default="")),
        ("conclusion", sa.Column("proposed", sa.String(length=32), nullable=True)),
        ("inspection", sa.Column("reason", sa.String(length=32), nullable=True)),
        ("document", sa.Column("texts", JSON, nullable=True)),
        ("review_request", sa.Column("number", sa.String(length=60), nullable=True)),
    )


def upgrade() -> None:
    op.create_table(
        "document_text",
        sa.Column("county_id", KEY, sa.ForeignKey("organisation.id"), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("county_id", "kind", "name"),
    )
    for table, column in _columns():
        op.add_column(table, column)
    for table, name in PAPERS:
        column = sa.Column(name, KEY, sa.ForeignKey("document.id"), nullable=True)
        op.add_column(table, column, inline_references=True)
        op.create_index(f"ix_{table}_{name}", table, [name])
    queued = sa.Column("evaluation_id", KEY, sa.ForeignKey("evaluation.id"), nullable=True)
    op.add_column("inspection", queued, inline_references=True)
    op.create_index("uq_inspection_evaluation", "inspection", ["evaluation_id"], unique=True)
    changed = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in FROZEN)
    _add_trigger(f"OLD.state <> 'draft' AND NEW.state <> 'draft' AND ({changed})")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP TRIGGER {TRIGGER}")
    else:
        op.execute(f"DROP TRIGGER {TRIGGER} ON bulletin")
        op.execute(f"DROP FUNCTION {TRIGGER}()")
    op.drop_index("uq_inspection_evaluation", table_name="inspection")
    for table, name in PAPERS:
        op.drop_index(f"ix_{table}_{name}", table_name=table)
    with _triggers_kept():
        for table in sorted({table for table, _column in (*_columns(), *PAPERS)}):
            with op.batch_alter_table(table) as batch:
                for name in (*_columns_of(table), *(paper for owner, paper in PAPERS if owner == table)):
                    batch.drop_column(name)
                if table == "inspection":
                    batch.drop_column("evaluation_id")
    op.drop_table("document_text")


def _columns_of(table: str) -> Iterator[str]:
    for owner, column in _columns():
        if owner == table:
            yield str(column.name)


def _add_trigger(found: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        found = found.replace("IS DISTINCT FROM", "IS NOT")
        op.execute(
            f"CREATE TRIGGER {TRIGGER} BEFORE UPDATE ON bulletin FOR EACH ROW WHEN {found}"
            f" BEGIN SELECT RAISE(ABORT, '{SAID}'); END"
        )
        return
    op.execute(
        f"CREATE FUNCTION {TRIGGER}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF ({found}) THEN RAISE EXCEPTION '{SAID}' USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$"
    )
    op.execute(f"CREATE TRIGGER {TRIGGER} BEFORE UPDATE ON bulletin FOR EACH ROW EXECUTE FUNCTION {TRIGGER}()")


@contextmanager
def _triggers_kept() -> Iterator[None]:
    """SQLite makes tables anew to drop a column with a reference, and forgets their triggers."""
    bind = op.get_bind()
    if bind.dialect.name != "sqlite":
        yield
        return
    kept = bind.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
    for name, _sql in kept:
        op.execute(f'DROP TRIGGER "{name}"')
    yield
    for _name, sql in kept:
        op.execute(sql)
