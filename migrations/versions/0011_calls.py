"""calls: every remaining step – returns, extensions, long-term handling, meetings on site, leaders, links; steps of party clocks

Revision: 0011
Follows: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def _attempts(before: list[str], after: list[str]) -> None:
    """A round may have more than one report: the office sent one back. SQLite's first constraint has no name of its own."""
    present = sa.inspect(op.get_bind()).get_unique_constraints("report")
    named = next(one["name"] for one in present if one["column_names"] == before)
    convention = {"uq": "uq_%(table_name)s_%(column_0_N_name)s"}
    with op.batch_alter_table("report", naming_convention=convention) as batch:
        batch.drop_constraint(named or f"uq_report_{'_'.join(before)}", type_="unique")
        batch.create_unique_constraint(f"report_{'_'.join(after)}_key", after)


def upgrade() -> None:
    op.create_table(
        "clock_step",
        sa.Column("record_type", sa.String(length=64), nullable=False),
        sa.Column("record_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("clock", sa.String(length=32), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("record_type", "record_id", "clock", "due", "step"),
    )
    op.create_table(
        "canned_text",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("county_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["changed_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["county_id"],
            ["organisation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("organisation_id", "name"),
    )
    op.create_index(op.f("ix_canned_text_county_id"), "canned_text", ["county_id"], unique=False)
    op.create_table(
        "call_group",
        sa.Column("call_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("first_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["first_id"], ["call.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call_id"),
    )
    op.create_index(op.f("ix_call_group_first_id"), "call_group", ["first_id"], unique=False)
    op.create_table(
        "call_share",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("county_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("call_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("shared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shared_by_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["call_id"],
            ["call.id"],
        ),
        sa.ForeignKeyConstraint(
            ["changed_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["county_id"],
            ["organisation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["shared_by_id"],
            ["ab_user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("call_id", "organisation_id"),
    )
    op.create_index(op.f("ix_call_share_county_id"), "call_share", ["county_id"], unique=False)
    op.create_index(op.f("ix_call_share_organisation_id"), "call_share", ["organisation_id"], unique=False)
    op.create_table(
        "convening",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("county_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("call_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("matter", sa.Text(), nullable=False),
        sa.Column("convened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("convened_by_id", sa.Integer(), nullable=True),
        sa.Column("township_names", sa.String(length=200), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["call_id"],
            ["call.id"],
        ),
        sa.ForeignKeyConstraint(
            ["changed_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["convened_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["county_id"],
            ["organisation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_convening_call_id"), "convening", ["call_id"], unique=False)
    op.create_index(op.f("ix_convening_county_id"), "convening", ["county_id"], unique=False)
    op.create_table(
        "escalation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("county_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("call_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leader_id", sa.Integer(), nullable=True),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("tasks", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["call_id"],
            ["call.id"],
        ),
        sa.ForeignKeyConstraint(
            ["changed_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["county_id"],
            ["organisation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["leader_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_escalation_call_id"), "escalation", ["call_id"], unique=False)
    op.create_index(op.f("ix_escalation_county_id"), "escalation", ["county_id"], unique=False)
    op.create_index(op.f("ix_escalation_organisation_id"), "escalation", ["organisation_id"], unique=False)
    op.create_index(
        "uq_escalation_open",
        "escalation",
        ["call_id"],
        unique=True,
        postgresql_where=sa.text("state = 'asked'"),
        sqlite_where=sa.text("state = 'asked'"),
    )
    op.create_table(
        "instruction",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("county_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("call_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("leader_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("target_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("entered_by_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["call_id"],
            ["call.id"],
        ),
        sa.ForeignKeyConstraint(
            ["changed_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["county_id"],
            ["organisation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["entered_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["leader_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["target_id"],
            ["organisation.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_instruction_call_id"), "instruction", ["call_id"], unique=False)
    op.create_index(op.f("ix_instruction_county_id"), "instruction", ["county_id"], unique=False)
    op.create_index(op.f("ix_instruction_target_id"), "instruction", ["target_id"], unique=False)
    op.create_table(
        "long_term",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("county_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("call_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_by_id", sa.Integer(), nullable=True),
        sa.Column("endorsed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leader_id", sa.Integer(), nullable=True),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["call_id"],
            ["call.id"],
        ),
        sa.ForeignKeyConstraint(
            ["changed_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["county_id"],
            ["organisation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["organisation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["leader_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["requested_by_id"],
            ["ab_user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_long_term_call_id"), "long_term", ["call_id"], unique=False)
    op.create_index(op.f("ix_long_term_county_id"), "long_term", ["county_id"], unique=False)
    op.create_index(op.f("ix_long_term_department_id"), "long_term", ["department_id"], unique=False)
    op.create_index(
        "uq_long_term_open",
        "long_term",
        ["call_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('requested', 'endorsed', 'approved')"),
        sqlite_where=sa.text("state IN ('requested', 'endorsed', 'approved')"),
    )
    op.create_table(
        "convening_invitee",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("county_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("convening_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("call_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attendance", sa.String(length=32), nullable=True),
        sa.Column("names", sa.String(length=200), nullable=False),
        sa.Column("excuse", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["call_id"],
            ["call.id"],
        ),
        sa.ForeignKeyConstraint(
            ["changed_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["convening_id"],
            ["convening.id"],
        ),
        sa.ForeignKeyConstraint(
            ["county_id"],
            ["organisation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("convening_id", "organisation_id"),
    )
    op.create_index(op.f("ix_convening_invitee_call_id"), "convening_invitee", ["call_id"], unique=False)
    op.create_index(op.f("ix_convening_invitee_county_id"), "convening_invitee", ["county_id"], unique=False)
    op.create_index(
        op.f("ix_convening_invitee_organisation_id"), "convening_invitee", ["organisation_id"], unique=False
    )
    op.create_table(
        "extension",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("county_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("assignment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("old_due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_by_id", sa.Integer(), nullable=True),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["answered_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["assignment_id"],
            ["assignment.id"],
        ),
        sa.ForeignKeyConstraint(
            ["changed_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["county_id"],
            ["organisation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["requested_by_id"],
            ["ab_user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("assignment_id"),
    )
    op.create_index(op.f("ix_extension_county_id"), "extension", ["county_id"], unique=False)
    op.create_table(
        "milestone",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("county_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("call_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("text", sa.String(length=300), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("long_term_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("convening_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("satisfaction", sa.String(length=32), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("long_term_id IS NOT NULL OR convening_id IS NOT NULL", name="ck_milestone_origin"),
        sa.ForeignKeyConstraint(
            ["call_id"],
            ["call.id"],
        ),
        sa.ForeignKeyConstraint(
            ["changed_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["convening_id"],
            ["convening.id"],
        ),
        sa.ForeignKeyConstraint(
            ["county_id"],
            ["organisation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["organisation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["long_term_id"],
            ["long_term.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_milestone_call_id"), "milestone", ["call_id"], unique=False)
    op.create_index(op.f("ix_milestone_convening_id"), "milestone", ["convening_id"], unique=False)
    op.create_index(op.f("ix_milestone_county_id"), "milestone", ["county_id"], unique=False)
    op.create_index(op.f("ix_milestone_department_id"), "milestone", ["department_id"], unique=False)
    op.create_index("ix_milestone_due", "milestone", ["state", "due"], unique=False)
    op.create_index(op.f("ix_milestone_long_term_id"), "milestone", ["long_term_id"], unique=False)
    op.create_table(
        "return_request",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("county_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("assignment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_by_id", sa.Integer(), nullable=True),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("referred_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ruling", sa.Text(), nullable=False),
        sa.Column("ruled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ruled_by_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["assignment_id"],
            ["assignment.id"],
        ),
        sa.ForeignKeyConstraint(
            ["changed_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["county_id"],
            ["organisation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["item_id"],
            ["checklist_item.id"],
        ),
        sa.ForeignKeyConstraint(
            ["requested_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["ruled_by_id"],
            ["ab_user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("assignment_id"),
    )
    op.create_index(op.f("ix_return_request_county_id"), "return_request", ["county_id"], unique=False)
    op.create_index(op.f("ix_return_request_item_id"), "return_request", ["item_id"], unique=False)
    op.add_column(
        "assignment",
        sa.Column("taken_by_id", sa.Integer(), sa.ForeignKey("ab_user.id"), nullable=True),
        inline_references=True,
    )
    op.add_column(
        "assignment", sa.Column("section", sa.String(length=60), nullable=False, server_default=sa.text("''"))
    )
    op.add_column(
        "assignment",
        sa.Column(
            "agency_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.ForeignKey("organisation.id"),
            nullable=True,
        ),
        inline_references=True,
    )
    op.add_column("assignment", sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "assignment",
        sa.Column("opened_by_id", sa.Integer(), sa.ForeignKey("ab_user.id"), nullable=True),
        inline_references=True,
    )
    op.add_column("assignment", sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "assignment", sa.Column("acknowledged_by", sa.String(length=60), nullable=False, server_default=sa.text("''"))
    )
    op.add_column("assignment", sa.Column("urges", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("assignment", sa.Column("urged_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("assignment", sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("assignment", sa.Column("given_back_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("call_party", sa.Column("until", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_assignment_agency_id"), "assignment", ["agency_id"], unique=False)
    op.add_column("call", sa.Column("evaluate_due", sa.DateTime(timezone=True), nullable=True))
    op.add_column("call", sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("call", sa.Column("phoned_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("call", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("call", sa.Column("regularised_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("call", sa.Column("general_from", sa.DateTime(timezone=True), nullable=True))
    op.add_column("call", sa.Column("missing", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("call", sa.Column("completion_asked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("call", sa.Column("decline_reason", sa.String(length=32), nullable=True))
    op.add_column("call", sa.Column("decline_text", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column(
        "call", sa.Column("other_channel", sa.String(length=200), nullable=False, server_default=sa.text("''"))
    )
    op.add_column("call", sa.Column("objection", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("call", sa.Column("objected_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("call", sa.Column("objection_due", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "call",
        sa.Column(
            "follows_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.ForeignKey("call.id"), nullable=True
        ),
        inline_references=True,
    )
    op.create_index(op.f("ix_call_follows_id"), "call", ["follows_id"], unique=False)
    op.add_column("notice", sa.Column("sign_due", sa.DateTime(timezone=True), nullable=True))
    op.add_column("report", sa.Column("attempt", sa.Integer(), nullable=False, server_default=sa.text("1")))
    _attempts(["assignment_id", "round"], ["assignment_id", "round", "attempt"])


def downgrade() -> None:
    op.drop_index(op.f("ix_call_follows_id"), table_name="call")
    op.drop_index(op.f("ix_assignment_agency_id"), table_name="assignment")
    op.execute("DELETE FROM report WHERE attempt > 1")
    _attempts(["assignment_id", "round", "attempt"], ["assignment_id", "round"])
    with op.batch_alter_table("report") as batch:
        for name in ("attempt",):
            batch.drop_column(name)
    with op.batch_alter_table("notice") as batch:
        for name in ("sign_due",):
            batch.drop_column(name)
    with op.batch_alter_table("call") as batch:
        for name in (
            "follows_id",
            "objection_due",
            "objected_at",
            "objection",
            "other_channel",
            "decline_text",
            "decline_reason",
            "completion_asked_at",
            "missing",
            "general_from",
            "regularised_at",
            "confirmed_at",
            "phoned_at",
            "evaluated_at",
            "evaluate_due",
        ):
            batch.drop_column(name)
    with op.batch_alter_table("call_party") as batch:
        batch.drop_column("until")
    with op.batch_alter_table("assignment") as batch:
        for name in (
            "given_back_at",
            "paused_at",
            "urged_at",
            "urges",
            "acknowledged_by",
            "acknowledged_at",
            "opened_by_id",
            "opened_at",
            "agency_id",
            "section",
            "taken_by_id",
        ):
            batch.drop_column(name)
    op.drop_index(op.f("ix_return_request_item_id"), table_name="return_request")
    op.drop_index(op.f("ix_return_request_county_id"), table_name="return_request")
    op.drop_table("return_request")
    op.drop_index(op.f("ix_milestone_long_term_id"), table_name="milestone")
    op.drop_index("ix_milestone_due", table_name="milestone")
    op.drop_index(op.f("ix_milestone_department_id"), table_name="milestone")
    op.drop_index(op.f("ix_milestone_county_id"), table_name="milestone")
    op.drop_index(op.f("ix_milestone_convening_id"), table_name="milestone")
    op.drop_index(op.f("ix_milestone_call_id"), table_name="milestone")
    op.drop_table("milestone")
    op.drop_index(op.f("ix_extension_county_id"), table_name="extension")
    op.drop_table("extension")
    op.drop_index(op.f("ix_convening_invitee_organisation_id"), table_name="convening_invitee")
    op.drop_index(op.f("ix_convening_invitee_county_id"), table_name="convening_invitee")
    op.drop_index(op.f("ix_convening_invitee_call_id"), table_name="convening_invitee")
    op.drop_table("convening_invitee")
    op.drop_index(
        "uq_long_term_open",
        table_name="long_term",
        postgresql_where=sa.text("state IN ('requested', 'endorsed', 'approved')"),
        sqlite_where=sa.text("state IN ('requested', 'endorsed', 'approved')"),
    )
    op.drop_index(op.f("ix_long_term_department_id"), table_name="long_term")
    op.drop_index(op.f("ix_long_term_county_id"), table_name="long_term")
    op.drop_index(op.f("ix_long_term_call_id"), table_name="long_term")
    op.drop_table("long_term")
    op.drop_index(op.f("ix_instruction_target_id"), table_name="instruction")
    op.drop_index(op.f("ix_instruction_county_id"), table_name="instruction")
    op.drop_index(op.f("ix_instruction_call_id"), table_name="instruction")
    op.drop_table("instruction")
    op.drop_index(
        "uq_escalation_open",
        table_name="escalation",
        postgresql_where=sa.text("state = 'asked'"),
        sqlite_where=sa.text("state = 'asked'"),
    )
    op.drop_index(op.f("ix_escalation_organisation_id"), table_name="escalation")
    op.drop_index(op.f("ix_escalation_county_id"), table_name="escalation")
    op.drop_index(op.f("ix_escalation_call_id"), table_name="escalation")
    op.drop_table("escalation")
    op.drop_index(op.f("ix_convening_county_id"), table_name="convening")
    op.drop_index(op.f("ix_convening_call_id"), table_name="convening")
    op.drop_table("convening")
    op.drop_index(op.f("ix_call_share_organisation_id"), table_name="call_share")
    op.drop_index(op.f("ix_call_share_county_id"), table_name="call_share")
    op.drop_table("call_share")
    op.drop_index(op.f("ix_call_group_first_id"), table_name="call_group")
    op.drop_table("call_group")
    op.drop_index(op.f("ix_canned_text_county_id"), table_name="canned_text")
    op.drop_table("canned_text")
    op.drop_table("clock_step")
