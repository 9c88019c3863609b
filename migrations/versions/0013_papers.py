"""papers: when a department filled in the receipt of a supervision slip; who led and recorded a meeting on site

Revision: 0013
Follows: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notice", sa.Column("receipt_at", sa.DateTime(timezone=True), nullable=True))
    for name, kind in (
        ("chair", sa.String(length=100)),
        ("disagreements", sa.Text()),
        ("recorder", sa.String(length=60)),
    ):
        op.add_column("convening", sa.Column(name, kind, nullable=False, server_default=""))


def downgrade() -> None:
    for name in ("recorder", "disagreements", "chair"):
        op.drop_column("convening", name)
    op.drop_column("notice", "receipt_at")
