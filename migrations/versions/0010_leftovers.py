"""leftovers: large text kept with the person, erased import files

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


def downgrade() -> None:
    op.drop_column("import", "erased_at")
    op.drop_column("ab_user", "large_text")
