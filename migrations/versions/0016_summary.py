"""summary: maintained figures of calls by month; and what a department is told of duties handed down, held back until
nobody can guess who reported them

Revision: 0016
Follows: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
PARTS = (
    "dispatched", "response_rate", "on_time_response", "report_rate", "on_time_report", "closure", "resolved", "satisfaction",
    "weighted_satisfaction", "first_time_closure", "handled_again", "last_minute", "no_contact", "response_only", "same_text",
    "satisfied_at_once", "improved", "return_rejected",
)  # fmt: skip


def county(*, key: bool = False) -> sa.Column[int]:
    return sa.Column("county_id", KEY, sa.ForeignKey("organisation.id"), primary_key=key, nullable=False)


def of(table: str, *, key: bool = False) -> sa.Column[int]:
    target = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(f"{table}_id", KEY, target, primary_key=key, nullable=False)


def month(*, key: bool = False) -> sa.Column[object]:
    return sa.Column("month", sa.Date(), primary_key=key, nullable=False)


def partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where))


def upgrade() -> None:
    op.add_column("hand_down_report", sa.Column("department_text", sa.Text(), nullable=False, server_default=""))
    for name in ("department_told_from", "department_told_at"):
        op.add_column("hand_down_report", sa.Column(name, INSTANT, nullable=True))
    op.add_column("event", sa.Column("counted_at", INSTANT, nullable=True))
    partial("ix_event_uncounted", "event", ["county_id", "id"], "thread_type = 'call' AND counted_at IS NULL")
    partial("ix_call_party_due", "call_party", ["due"], "due IS NOT NULL")
    partial("ix_assignment_late_response", "assignment", ["id"], "responded_at > respond_due")
    assignments()
    calls()
    figures()


def assignments() -> None:
    op.create_table(
        "summary_assignment",
        of("assignment", key=True),
        of("call"),
        county(),
        sa.Column("department_id", KEY, sa.ForeignKey("organisation.id"), nullable=False),
        month(),
        sa.Column("field", sa.String(40), nullable=False),
        sa.Column("changes_at", INSTANT),
        sa.Column("reported_at", INSTANT),
        sa.Column("text_digest", sa.String(32), nullable=False),
        *(sa.Column(name, sa.SmallInteger()) for name in PARTS),
        sa.Column("response_minutes", sa.Integer()),
        sa.Column("report_minutes", sa.Integer()),
    )
    op.create_index("ix_summary_assignment_call_id", "summary_assignment", ["call_id"])
    op.create_index("ix_summary_assignment_month", "summary_assignment", ["county_id", "month", "department_id"])
    partial("ix_summary_assignment_change", "summary_assignment", ["changes_at"], "changes_at IS NOT NULL")
    partial("ix_summary_assignment_text", "summary_assignment", ["department_id", "text_digest"], "text_digest <> ''")


def calls() -> None:
    op.create_table(
        "summary_call",
        of("call", key=True),
        county(),
        sa.Column("township_id", KEY, sa.ForeignKey("organisation.id"), nullable=False),
        month(),
        sa.Column("field", sa.String(40), nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("emergency", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_summary_call_month", "summary_call", ["county_id", "month"])
    op.create_table(
        "summary_link",
        of("call", key=True),
        sa.Column("link", sa.String(32), primary_key=True),
        sa.Column("of", KEY, primary_key=True, autoincrement=False),
        county(),
        month(),
        sa.Column("emergency", sa.Boolean(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_summary_link_month", "summary_link", ["county_id", "month", "link"])


def figures() -> None:
    op.create_table(
        "summary_figure",
        county(key=True),
        month(key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("key", sa.String(240), primary_key=True),
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
    )
    op.create_table(
        "summary_month", county(key=True), month(key=True), sa.Column("stale", sa.Boolean(), nullable=False)
    )
    partial("ix_summary_month_stale", "summary_month", ["county_id"], "stale")
    op.create_table("summary_state", county(key=True), sa.Column("counted_at", INSTANT, nullable=False))


def downgrade() -> None:
    for table in (
        "summary_state",
        "summary_month",
        "summary_figure",
        "summary_link",
        "summary_call",
        "summary_assignment",
    ):
        op.drop_table(table)
    op.drop_index("ix_assignment_late_response", "assignment")
    op.drop_index("ix_call_party_due", "call_party")
    op.drop_index("ix_event_uncounted", "event")
    op.drop_column("event", "counted_at")
    for name in ("department_told_at", "department_told_from", "department_text"):
        op.drop_column("hand_down_report", name)
