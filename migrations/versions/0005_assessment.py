"""assessment

Revision: 0005
Follows: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0001"
branch_labels = None
depends_on = None

# What never happens, whatever program writes: (name, table, event, when, what is said). Each becomes a trigger of the database in use.
_RUN_PUBLISHED = "(SELECT state FROM assessment_run WHERE id = {row}.run_id) = 'published'"
_SHEET_PUBLISHED = (
    "(SELECT run.state FROM assessment_run run JOIN questionnaire sheet ON sheet.run_id = run.id"
    " WHERE sheet.id = {row}.questionnaire_id) = 'published'"
)
_SCHEME_SETTLED = "(SELECT state FROM assessment_scheme WHERE id = {row}.scheme_id) <> 'draft'"
_NOT_ASSESSED = "(SELECT kind FROM organisation WHERE id = NEW.subject_id) NOT IN ('department', 'agency')"
_ITSELF = "(SELECT organisation_id FROM questionnaire WHERE id = NEW.questionnaire_id) = NEW.subject_id"
_WEIGHT = "COALESCE((SELECT ROUND(SUM(weight), 3) FROM indicator WHERE scheme_id = NEW.id{only}), 0)"
_SAME = " AND ".join(
    f"NEW.{column} = OLD.{column}"
    for column in ("county_id", "name", "year", "kind", "edition", "weighting", "basis", "published_at")
)
RULES = (
    ("scheme_begins_as_draft", "assessment_scheme", "INSERT", "NEW.state <> 'draft'", "a scheme begins as a draft"),
    (
        "scheme_is_settled",
        "assessment_scheme",
        "UPDATE",
        f"OLD.state <> 'draft' AND NOT (OLD.state = 'published' AND NEW.state = 'superseded' AND {_SAME})",
        "a published scheme never changes",
    ),
    ("scheme_stays", "assessment_scheme", "DELETE", "OLD.state <> 'draft'", "a published scheme never changes"),
    (
        "scheme_weighs_hundred",
        "assessment_scheme",
        "UPDATE",
        f"OLD.state = 'draft' AND NEW.state <> 'draft' AND {_WEIGHT.format(only='')} <> 100",
        "weights add up to 100",
    ),
    (
        "scheme_keeps_floor",
        "assessment_scheme",
        "UPDATE",
        "OLD.state = 'draft' AND NEW.state <> 'draft' AND "
        + _WEIGHT.format(only=" AND evaluator = 'township'")
        + " < CASE NEW.kind WHEN 'agency' THEN 60 ELSE 30 END",
        "the townships' evaluation stays above the floor",
    ),
    (
        "scheme_counts_calls",
        "assessment_scheme",
        "UPDATE",
        "OLD.state = 'draft' AND NEW.state <> 'draft' AND NEW.kind = 'department' AND "
        + _WEIGHT.format(only=" AND evaluator = 'system'")
        + " = 0",
        "a department scheme counts the calls",
    ),
    ("indicator_added", "indicator", "INSERT", _SCHEME_SETTLED.format(row="NEW"), "a published scheme never changes"),
    (
        "indicator_changed",
        "indicator",
        "UPDATE",
        f"{_SCHEME_SETTLED.format(row='OLD')} OR {_SCHEME_SETTLED.format(row='NEW')}",
        "a published scheme never changes",
    ),
    ("indicator_removed", "indicator", "DELETE", _SCHEME_SETTLED.format(row="OLD"), "a published scheme never changes"),
    ("run_is_frozen", "assessment_run", "UPDATE", "OLD.state = 'published'", "a published run never changes"),
    ("run_stays", "assessment_run", "DELETE", "OLD.state = 'published'", "a published run never changes"),
    *(
        (f"{name}_{word}", table, event, found.format(row=row), "a published run never changes")
        for name, table, found in (
            ("sheet", "questionnaire", _RUN_PUBLISHED),
            ("score", "score", _RUN_PUBLISHED),
            ("mark", "questionnaire_mark", _SHEET_PUBLISHED),
        )
        for word, event, row in (
            ("added", "INSERT", "NEW"),
            ("changed", "UPDATE", "OLD"),
            ("removed", "DELETE", "OLD"),
        )
    ),
    *(
        (
            f"{name}_of_assessed_{event.lower()}",
            table,
            event,
            _NOT_ASSESSED,
            "only departments and agencies are assessed",
        )
        for name, table in (("score", "score"), ("mark", "questionnaire_mark"))
        for event in ("INSERT", "UPDATE")
    ),
    *(
        (f"mark_of_others_{event.lower()}", "questionnaire_mark", event, _ITSELF, "nobody evaluates himself")
        for event in ("INSERT", "UPDATE")
    ),
)


def _add_rules() -> None:
    for name, table, event, found, said in RULES:
        said = said.replace("'", "''")
        if op.get_bind().dialect.name == "sqlite":
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW WHEN {found}"
                f" BEGIN SELECT RAISE(ABORT, '{said}'); END"
            )
            continue
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF ({found}) THEN RAISE EXCEPTION '{said}' USING ERRCODE = 'check_violation'; END IF;"
            " IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")


def _drop_rules() -> None:
    for name, table, *_rest in RULES:
        if op.get_bind().dialect.name == "sqlite":
            op.execute(f"DROP TRIGGER {name}")
        else:
            op.execute(f"DROP TRIGGER {name} ON {table}")
            op.execute(f"DROP FUNCTION {name}()")


def upgrade() -> None:
    # ### commands auto generated by Alembic - please adjust! ###
    op.create_table(
        "assessment_scheme",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("county_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("weighting", sa.String(32), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("year BETWEEN 2000 AND 2200", name="ck_assessment_scheme_year"),
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
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("county_id", "year", "kind", "edition"),
    )
    with op.batch_alter_table("assessment_scheme", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_assessment_scheme_county_id"), ["county_id"], unique=False)
        batch_op.create_index(
            "uq_assessment_scheme_published",
            ["county_id", "year", "kind"],
            unique=True,
            postgresql_where=sa.text("state = 'published'"),
            sqlite_where=sa.text("state = 'published'"),
        )

    op.create_table(
        "assessment_run",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("county_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("scheme_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_to", sa.Date(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("figures_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("period_from <= period_to", name="ck_assessment_run_period"),
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
            ["scheme_id"],
            ["assessment_scheme.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("scheme_id", "period_from", "period_to"),
    )
    with op.batch_alter_table("assessment_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_assessment_run_county_id"), ["county_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_assessment_run_scheme_id"), ["scheme_id"], unique=False)

    op.create_table(
        "indicator",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("county_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("scheme_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("weight", sa.Numeric(precision=6, scale=3), nullable=False),
        sa.Column("full_score", sa.Numeric(precision=6, scale=2), nullable=False),
        sa.Column("evaluator", sa.String(32), nullable=False),
        sa.Column("formula", sa.String(32), nullable=True),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("(evaluator = 'system') = (formula IS NOT NULL)", name="ck_indicator_formula"),
        sa.CheckConstraint("full_score > 0", name="ck_indicator_full_score"),
        sa.CheckConstraint("weight > 0 AND weight <= 100", name="ck_indicator_weight"),
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
            ["scheme_id"],
            ["assessment_scheme.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("scheme_id", "name"),
    )
    with op.batch_alter_table("indicator", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_indicator_county_id"), ["county_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_indicator_scheme_id"), ["scheme_id"], unique=False)

    op.create_table(
        "questionnaire",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("county_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("signed_by", sa.String(length=60), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submitted_by_id", sa.Integer(), nullable=True),
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
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["assessment_run.id"],
        ),
        sa.ForeignKeyConstraint(
            ["submitted_by_id"],
            ["ab_user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("run_id", "organisation_id"),
    )
    with op.batch_alter_table("questionnaire", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_questionnaire_county_id"), ["county_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_questionnaire_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_questionnaire_run_id"), ["run_id"], unique=False)

    op.create_table(
        "score",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("county_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subject_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("total", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("worked", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("total IS NULL OR total BETWEEN 0 AND 100", name="ck_score_total"),
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
            ["run_id"],
            ["assessment_run.id"],
        ),
        sa.ForeignKeyConstraint(
            ["subject_id"],
            ["organisation.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("run_id", "subject_id"),
    )
    with op.batch_alter_table("score", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_score_county_id"), ["county_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_score_run_id"), ["run_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_score_subject_id"), ["subject_id"], unique=False)

    op.create_table(
        "questionnaire_mark",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("county_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("questionnaire_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("indicator_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("dealings", sa.Integer(), nullable=False),
        sa.Column("mark", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("not_asked", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("NOT (not_asked AND mark IS NOT NULL)", name="ck_questionnaire_mark_not_asked"),
        sa.CheckConstraint("mark IS NULL OR mark BETWEEN 0 AND 100", name="ck_questionnaire_mark_mark"),
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
            ["indicator_id"],
            ["indicator.id"],
        ),
        sa.ForeignKeyConstraint(
            ["questionnaire_id"],
            ["questionnaire.id"],
        ),
        sa.ForeignKeyConstraint(
            ["subject_id"],
            ["organisation.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("questionnaire_id", "subject_id", "indicator_id"),
    )
    with op.batch_alter_table("questionnaire_mark", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_questionnaire_mark_county_id"), ["county_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_questionnaire_mark_indicator_id"), ["indicator_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_questionnaire_mark_questionnaire_id"), ["questionnaire_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_questionnaire_mark_subject_id"), ["subject_id"], unique=False)

    # ### end Alembic commands ###
    _add_rules()


def downgrade() -> None:
    _drop_rules()
    # ### commands auto generated by Alembic - please adjust! ###
    with op.batch_alter_table("questionnaire_mark", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_questionnaire_mark_subject_id"))
        batch_op.drop_index(batch_op.f("ix_questionnaire_mark_questionnaire_id"))
        batch_op.drop_index(batch_op.f("ix_questionnaire_mark_indicator_id"))
        batch_op.drop_index(batch_op.f("ix_questionnaire_mark_county_id"))

    op.drop_table("questionnaire_mark")
    with op.batch_alter_table("score", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_score_subject_id"))
        batch_op.drop_index(batch_op.f("ix_score_run_id"))
        batch_op.drop_index(batch_op.f("ix_score_county_id"))

    op.drop_table("score")
    with op.batch_alter_table("questionnaire", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_questionnaire_run_id"))
        batch_op.drop_index(batch_op.f("ix_questionnaire_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_questionnaire_county_id"))

    op.drop_table("questionnaire")
    with op.batch_alter_table("indicator", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_indicator_scheme_id"))
        batch_op.drop_index(batch_op.f("ix_indicator_county_id"))

    op.drop_table("indicator")
    with op.batch_alter_table("assessment_run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_assessment_run_scheme_id"))
        batch_op.drop_index(batch_op.f("ix_assessment_run_county_id"))

    op.drop_table("assessment_run")
    with op.batch_alter_table("assessment_scheme", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_assessment_scheme_published",
            postgresql_where=sa.text("state = 'published'"),
            sqlite_where=sa.text("state = 'published'"),
        )
        batch_op.drop_index(batch_op.f("ix_assessment_scheme_county_id"))

    op.drop_table("assessment_scheme")
    # ### end Alembic commands ###
