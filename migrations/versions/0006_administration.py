"""administration: people as a record type, substitutions, portfolios, organisations that end or change their name

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


def _stamps() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), sa.ForeignKey("ab_user.id"), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), sa.ForeignKey("ab_user.id"), nullable=True),
    )


def upgrade() -> None:
    _people()
    op.create_table(
        "substitution",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("county_id", KEY, sa.ForeignKey("organisation.id"), nullable=False),
        sa.Column("person_id", sa.Integer(), sa.ForeignKey("ab_user.id"), nullable=False),
        sa.Column("substitute_id", sa.Integer(), sa.ForeignKey("ab_user.id"), nullable=False),
        sa.Column("role", sa.String(64), nullable=False),
        sa.Column("begins", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        *_stamps(),
        sa.CheckConstraint("ends >= begins", name="ck_substitution_time"),
        sa.CheckConstraint("substitute_id <> person_id", name="ck_substitution_other"),
    )
    op.create_index("ix_substitution_county_id", "substitution", ["county_id"])
    op.create_index("ix_substitution_person_id", "substitution", ["person_id"])
    op.create_index("ix_substitution_substitute", "substitution", ["substitute_id", "ends"])
    op.create_table(
        "portfolio",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("county_id", KEY, sa.ForeignKey("organisation.id"), nullable=False),
        sa.Column("person_id", sa.Integer(), sa.ForeignKey("ab_user.id"), nullable=False),
        sa.Column("department_id", KEY, sa.ForeignKey("organisation.id"), nullable=False),
        *_stamps(),
        sa.UniqueConstraint("person_id", "department_id"),
    )
    op.create_index("ix_portfolio_county_id", "portfolio", ["county_id"])
    op.create_index("ix_portfolio_department_id", "portfolio", ["department_id"])
    _organisations()


def _organisations() -> None:
    """The state of an organisation, its successor, and since and until when it bore another name."""
    op.add_column("organisation", sa.Column("state", sa.String(32), nullable=False, server_default="active"))
    op.add_column(
        "organisation",
        sa.Column("successor_id", KEY, sa.ForeignKey("organisation.id"), nullable=True),
        inline_references=True,
    )
    op.create_index("ix_organisation_successor_id", "organisation", ["successor_id"])
    organisation = sa.table("organisation", sa.column("active", sa.Boolean), sa.column("state"))
    op.execute(organisation.update().where(organisation.c.active == sa.false()).values(state="abolished"))
    op.add_column("organisation_alias", sa.Column("borne_until", sa.Date(), nullable=True))


def _people() -> None:
    """SQLite cannot rebuild the table of accounts without losing what cascades from it: columns are added one by one, with
    defaults for the rows there are."""
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
    op.drop_column("organisation_alias", "borne_until")
    op.drop_index("ix_organisation_successor_id", "organisation")
    op.drop_column("organisation", "successor_id")
    op.drop_column("organisation", "state")
    op.drop_table("portfolio")
    op.drop_table("substitution")
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
