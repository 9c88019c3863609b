"""leftovers: large text kept with the person, erased import files, keys of attachments used once

Revision: 0010
Follows: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ab_user", sa.Column("large_text", sa.Boolean(), nullable=True))
    op.add_column("import", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    _rebuild_attachments(sqlite_autoincrement=True)


def downgrade() -> None:
    _rebuild_attachments()
    op.drop_column("import", "erased_at")
    op.drop_column("ab_user", "large_text")


def _rebuild_attachments(**options: bool) -> None:
    """SQLite tells at the making of a table whether a removed row's key may be used again; PostgreSQL never does."""
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("attachment", recreate="always", table_kwargs=options):
            pass
