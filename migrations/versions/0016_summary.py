"""what a department is told of duties handed down, held back until nobody can guess who reported them

Revision: 0016
Follows: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("hand_down_report", sa.Column("department_text", sa.Text(), nullable=False, server_default=""))
    for name in ("department_told_from", "department_told_at"):
        op.add_column("hand_down_report", sa.Column(name, sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for name in ("department_told_at", "department_told_from", "department_text"):
        op.drop_column("hand_down_report", name)
