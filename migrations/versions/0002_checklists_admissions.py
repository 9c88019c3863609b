"""Checklists in versions that never change once approved, revisions, off-list admissions, reports of duties handed down

Revision: 0002
Follows: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _widen_checklists() -> None:
    """Columns added in place: on SQLite the tables cannot be made anew while others refer to their rows."""
    key = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    instant = "DATETIME" if op.get_bind().dialect.name == "sqlite" else "TIMESTAMP WITH TIME ZONE"
    for table, columns in {
        "checklist": (
            f"parent_id {key} REFERENCES checklist (id)",
            f"previous_id {key} REFERENCES checklist (id)",
            f"approved_at {instant}",
            "approved_by_id INTEGER REFERENCES ab_user (id)",
            "signed_by VARCHAR(60) NOT NULL DEFAULT ''",
            "decision VARCHAR(60) NOT NULL DEFAULT ''",
        ),
        "checklist_item": (
            f"origin_id {key} REFERENCES checklist_item (id)",
            "origin_status VARCHAR(32) NOT NULL DEFAULT 'added'",
            (
                "removed_reason TEXT NOT NULL DEFAULT '' CONSTRAINT ck_checklist_item_removed"
                " CHECK (origin_status <> 'removed' OR removed_reason <> '')"
            ),
            f"root_id {key} REFERENCES checklist_item (id)",
        ),
    }.items():
        for column in columns:
            op.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
    op.create_index("ix_checklist_parent_id", "checklist", ["parent_id"])
    op.create_index("ix_checklist_previous_id", "checklist", ["previous_id"])
    op.create_index("uq_checklist_edition", "checklist", ["owner_id", "scheme", "edition"], unique=True)
    op.create_index("ix_checklist_item_origin_id", "checklist_item", ["origin_id"])
    op.create_index("ix_checklist_item_root_id", "checklist_item", ["root_id"])


# What never changes (2.4, 2.5): the rules of the session, once more where nothing gets past them.

_SAID = ("name", "level", "scheme", "owner_id", "county_id", "parent_id", "previous_id", "edition", "effective_from")
"""What a version says, beside its items; the state and the last day may still change."""

_LIST_OF = {
    "checklist_item": "SELECT state FROM checklist WHERE id = {row}.checklist_id",
    "duty": "SELECT c.state FROM checklist c JOIN checklist_item i ON i.checklist_id = c.id WHERE i.id = {row}.item_id",
    "workflow_step": "SELECT c.state FROM checklist c JOIN checklist_item i ON i.checklist_id = c.id WHERE i.id = {row}.item_id",
}
_ROWS = {"INSERT": ("NEW",), "UPDATE": ("OLD", "NEW"), "DELETE": ("OLD",)}


def _rules() -> list[tuple[str, str, str, str, str]]:
    """(name, table, operation, condition under which it is refused, words)."""
    words = "an approved checklist never changes"
    differ = " OR ".join(f"NEW.{one} IS DISTINCT FROM OLD.{one}" for one in _SAID)
    found = [
        (
            f"{table}_frozen_{operation.lower()}",
            table,
            operation,
            " OR ".join(f"({state.format(row=row)}) <> 'draft'" for row in rows),
            words,
        )
        for table, state in _LIST_OF.items()
        for operation, rows in _ROWS.items()
    ]
    found.append(("checklist_frozen_delete", "checklist", "DELETE", "OLD.state <> 'draft'", words))
    found.append(("checklist_frozen_update", "checklist", "UPDATE", f"OLD.state <> 'draft' AND ({differ})", words))
    found.append(
        ("checklist_frozen_back", "checklist", "UPDATE", "OLD.state <> 'draft' AND NEW.state = 'draft'", words)
    )
    found.append(
        (
            "admission_heard",
            "admission",
            "UPDATE",
            (
                "NEW.state = 'in_force' AND EXISTS (SELECT 1 FROM admission_opinion o"
                " WHERE o.admission_id = NEW.id AND o.state = 'outstanding')"
            ),
            "no approval while an opinion is outstanding",
        )
    )
    return found


def _frozen() -> list[str]:
    if op.get_bind().dialect.name == "sqlite":
        return [
            f"CREATE TRIGGER {name} BEFORE {operation} ON {table} WHEN {condition.replace('IS DISTINCT FROM', 'IS NOT')}"
            f" BEGIN SELECT RAISE(ABORT, '{words}'); END"
            for name, table, operation, condition, words in _rules()
        ]
    found = []
    for name, table, operation, condition, words in _rules():
        row = "OLD" if operation == "DELETE" else "NEW"
        found.append(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {condition} THEN"
            f" RAISE EXCEPTION '{words}' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN {row}; END $$"
        )
        found.append(f"CREATE TRIGGER {name} BEFORE {operation} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
    return found


def _thawed() -> list[str]:
    if op.get_bind().dialect.name == "sqlite":
        return [f"DROP TRIGGER {name}" for name, *_rest in _rules()]
    return [
        statement
        for name, table, *_rest in _rules()
        for statement in (f"DROP TRIGGER {name} ON {table}", f"DROP FUNCTION {name}()")
    ]


def upgrade() -> None:
    op.create_table(
        "admission",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("county_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("matter", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(32), nullable=True),
        sa.Column("term_months", sa.Integer(), nullable=True),
        sa.Column("renewal_of_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("townships", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("legal_basis", sa.Text(), nullable=False),
        sa.Column("why_not_self", sa.Text(), nullable=False),
        sa.Column("workload", sa.Text(), nullable=False),
        sa.Column("funds", sa.Text(), nullable=False),
        sa.Column("staff", sa.Text(), nullable=False),
        sa.Column("guidance", sa.Text(), nullable=False),
        sa.Column("training", sa.Text(), nullable=False),
        sa.Column("end_condition", sa.Text(), nullable=False),
        sa.Column("applicant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submitted_by_id", sa.Integer(), nullable=True),
        sa.Column("legal_opinion", sa.Text(), nullable=False),
        sa.Column("ruling", sa.Text(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by_id", sa.Integer(), nullable=True),
        sa.Column("in_force_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("in_force_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("warn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("warned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("silence_reason", sa.Text(), nullable=False),
        sa.Column("content_digest", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "state NOT IN ('in_force', 'expired', 'ended') OR (in_force_from IS NOT NULL AND in_force_until > in_force_from)",
            name="ck_admission_term",
        ),
        sa.CheckConstraint("approved_by_id IS NULL OR approved_by_id <> submitted_by_id", name="ck_admission_approved"),
        sa.CheckConstraint("renewal_of_id IS NULL OR renewal_of_id <> id", name="ck_admission_renewal"),
        sa.ForeignKeyConstraint(
            ["applicant_id"],
            ["organisation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["approved_by_id"],
            ["ab_user.id"],
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
            ["renewal_of_id"],
            ["admission.id"],
        ),
        sa.ForeignKeyConstraint(
            ["submitted_by_id"],
            ["ab_user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("county_id", "number"),
    )
    with op.batch_alter_table("admission", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_admission_applicant_id"), ["applicant_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_admission_county_id"), ["county_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_admission_renewal_of_id"), ["renewal_of_id"], unique=False)
        batch_op.create_index(
            "uq_admission_renewal",
            ["renewal_of_id"],
            unique=True,
            postgresql_where=sa.text("state NOT IN ('draft', 'refused', 'withdrawn')"),
            sqlite_where=sa.text("state NOT IN ('draft', 'refused', 'withdrawn')"),
        )

    op.create_table(
        "admission_opinion",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("county_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("admission_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("township_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(32), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_by_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("state <> 'given' OR answer IS NOT NULL", name="ck_admission_opinion_answer"),
        sa.ForeignKeyConstraint(
            ["admission_id"],
            ["admission.id"],
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
            ["signed_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["township_id"],
            ["organisation.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("admission_opinion", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_admission_opinion_admission_id"), ["admission_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_admission_opinion_county_id"), ["county_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_admission_opinion_township_id"), ["township_id"], unique=False)
        batch_op.create_index(
            "uq_admission_opinion_live",
            ["admission_id", "township_id"],
            unique=True,
            postgresql_where=sa.text("state <> 'void'"),
            sqlite_where=sa.text("state <> 'void'"),
        )

    op.create_table(
        "checklist_revision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("county_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("checklist_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.String(32), nullable=True),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("proposer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submitted_by_id", sa.Integer(), nullable=True),
        sa.Column("lawful", sa.Boolean(), nullable=True),
        sa.Column("legal_opinion", sa.Text(), nullable=False),
        sa.Column("ruling", sa.Text(), nullable=False),
        sa.Column("ruled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ruled_by_id", sa.Integer(), nullable=True),
        sa.Column("into_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "state NOT IN ('accepted', 'refused') OR ruling <> ''", name="ck_checklist_revision_reasons"
        ),
        sa.CheckConstraint("ruled_by_id IS NULL OR ruled_by_id <> submitted_by_id", name="ck_checklist_revision_ruled"),
        sa.ForeignKeyConstraint(
            ["changed_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["checklist_id"],
            ["checklist.id"],
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
            ["into_id"],
            ["checklist.id"],
        ),
        sa.ForeignKeyConstraint(
            ["item_id"],
            ["checklist_item.id"],
        ),
        sa.ForeignKeyConstraint(
            ["proposer_id"],
            ["organisation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["ruled_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["submitted_by_id"],
            ["ab_user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("checklist_revision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_checklist_revision_checklist_id"), ["checklist_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_checklist_revision_county_id"), ["county_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_checklist_revision_into_id"), ["into_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_checklist_revision_item_id"), ["item_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_checklist_revision_proposer_id"), ["proposer_id"], unique=False)

    op.create_table(
        "hand_down_report",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("county_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("handed_down_on", sa.Date(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("reclaimed", sa.Boolean(), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("township_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submitted_by_id", sa.Integer(), nullable=True),
        sa.Column("violation", sa.Boolean(), nullable=True),
        sa.Column("finding", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "state NOT IN ('found', 'not_found', 'told') OR (violation IS NOT NULL AND finding <> '')",
            name="ck_hand_down_report_finding",
        ),
        sa.CheckConstraint(
            "decided_by_id IS NULL OR decided_by_id <> submitted_by_id", name="ck_hand_down_report_decided"
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
            ["decided_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["organisation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["item_id"],
            ["checklist_item.id"],
        ),
        sa.ForeignKeyConstraint(
            ["submitted_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["township_id"],
            ["organisation.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("hand_down_report", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hand_down_report_county_id"), ["county_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_hand_down_report_department_id"), ["department_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_hand_down_report_item_id"), ["item_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_hand_down_report_township_id"), ["township_id"], unique=False)

    op.create_table(
        "workflow_step",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("county_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("party", sa.String(length=200), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("time_limit", sa.Integer(), nullable=True),
        sa.Column("time_unit", sa.String(32), nullable=True),
        sa.Column("input", sa.Text(), nullable=False),
        sa.Column("output", sa.Text(), nullable=False),
        sa.Column("next_steps", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("(time_limit IS NULL) = (time_unit IS NULL)", name="ck_workflow_step_limit"),
        sa.CheckConstraint("time_limit IS NULL OR time_limit > 0", name="ck_workflow_step_limit_positive"),
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
            ["organisation_id"],
            ["organisation.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("item_id", "number"),
    )
    with op.batch_alter_table("workflow_step", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_workflow_step_county_id"), ["county_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_workflow_step_item_id"), ["item_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_workflow_step_organisation_id"), ["organisation_id"], unique=False)

    _widen_checklists()
    for statement in _frozen():
        op.execute(statement)


def downgrade() -> None:
    for statement in _thawed():
        op.execute(statement)
    with op.batch_alter_table("checklist_item", schema=None) as batch_op:
        batch_op.drop_constraint("ck_checklist_item_removed", type_="check")
        batch_op.drop_index(batch_op.f("ix_checklist_item_root_id"))
        batch_op.drop_index(batch_op.f("ix_checklist_item_origin_id"))
        for name in ("root_id", "removed_reason", "origin_status", "origin_id"):
            batch_op.drop_column(name)
    with op.batch_alter_table("checklist", schema=None) as batch_op:
        for index in ("uq_checklist_edition", "ix_checklist_previous_id", "ix_checklist_parent_id"):
            batch_op.drop_index(index)
        for name in ("decision", "signed_by", "approved_by_id", "approved_at", "previous_id", "parent_id"):
            batch_op.drop_column(name)
    with op.batch_alter_table("workflow_step", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_workflow_step_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_workflow_step_item_id"))
        batch_op.drop_index(batch_op.f("ix_workflow_step_county_id"))

    op.drop_table("workflow_step")
    with op.batch_alter_table("hand_down_report", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hand_down_report_township_id"))
        batch_op.drop_index(batch_op.f("ix_hand_down_report_item_id"))
        batch_op.drop_index(batch_op.f("ix_hand_down_report_department_id"))
        batch_op.drop_index(batch_op.f("ix_hand_down_report_county_id"))

    op.drop_table("hand_down_report")
    with op.batch_alter_table("checklist_revision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_checklist_revision_proposer_id"))
        batch_op.drop_index(batch_op.f("ix_checklist_revision_item_id"))
        batch_op.drop_index(batch_op.f("ix_checklist_revision_into_id"))
        batch_op.drop_index(batch_op.f("ix_checklist_revision_county_id"))
        batch_op.drop_index(batch_op.f("ix_checklist_revision_checklist_id"))

    op.drop_table("checklist_revision")
    with op.batch_alter_table("admission_opinion", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_admission_opinion_live",
            postgresql_where=sa.text("state <> 'void'"),
            sqlite_where=sa.text("state <> 'void'"),
        )
        batch_op.drop_index(batch_op.f("ix_admission_opinion_township_id"))
        batch_op.drop_index(batch_op.f("ix_admission_opinion_county_id"))
        batch_op.drop_index(batch_op.f("ix_admission_opinion_admission_id"))

    op.drop_table("admission_opinion")
    with op.batch_alter_table("admission", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_admission_renewal",
            postgresql_where=sa.text("state NOT IN ('draft', 'refused', 'withdrawn')"),
            sqlite_where=sa.text("state NOT IN ('draft', 'refused', 'withdrawn')"),
        )
        batch_op.drop_index(batch_op.f("ix_admission_renewal_of_id"))
        batch_op.drop_index(batch_op.f("ix_admission_county_id"))
        batch_op.drop_index(batch_op.f("ix_admission_applicant_id"))

    op.drop_table("admission")
