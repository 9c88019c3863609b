"""administration: people as a record type

Revision: 0006
Follows: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LONG_AGO = "2020-01-01 00:00:00"


def upgrade() -> None:
    _people()


def _people() -> None:
    """SQLite cannot rebuild the table of accounts without losing what cascades from it: columns are added one by one, with defaults for the rows there are."""
    now = sa.text(f"'{LONG_AGO}'")
    for column in (
        sa.Column("name", sa.String(130), nullable=False, server_default=""),
        sa.Column("county_id", KEY, sa.ForeignKey("organisation.id"), nullable=True),
        sa.Column("party_secretary", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("state", sa.String(32), nullable=False, server_default="active"),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("created_by_id", sa.Integer(), sa.ForeignKey("ab_user.id"), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("changed_by_id", sa.Integer(), sa.ForeignKey("ab_user.id"), nullable=True),
    ):
        op.add_column("ab_user", column, inline_references=True)
    op.create_index("ix_ab_user_county_id", "ab_user", ["county_id"])
    account = sa.table(
        "ab_user",
        sa.column("name"),
        sa.column("first_name", sa.String),
        sa.column("last_name", sa.String),
        sa.column("active", sa.Boolean),
        sa.column("state"),
        sa.column("county_id"),
        sa.column("organisation_id"),
        sa.column("created_on"),
        sa.column("created_at"),
        sa.column("changed_at"),
    )
    organisation = sa.table("organisation", sa.column("id"), sa.column("county_id"))
    county = sa.select(organisation.c.county_id).where(organisation.c.id == account.c.organisation_id)
    started = sa.func.coalesce(account.c.created_on, account.c.created_at)
    op.execute(
        account.update().values(
            name=account.c.last_name + account.c.first_name,
            county_id=county.scalar_subquery(),
            created_at=started,
            changed_at=started,
        )
    )
    op.execute(account.update().where(account.c.active == sa.false()).values(state="suspended"))


def downgrade() -> None:
    op.drop_index("ix_ab_user_county_id", "ab_user")
    for name in (
        "changed_by_id",
        "changed_at",
        "created_by_id",
        "created_at",
        "version",
        "state",
        "party_secretary",
        "county_id",
        "name",
    ):
        op.drop_column("ab_user", name)
