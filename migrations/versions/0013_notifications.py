"""notifications: why somebody is told

Revision: 0013
Follows: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notification", sa.Column("role", sa.String(length=64), nullable=False, server_default=""))
    op.add_column("notification", sa.Column("relation", sa.String(length=32), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("notification", "relation")
    op.drop_column("notification", "role")
