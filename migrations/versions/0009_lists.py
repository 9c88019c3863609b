"""lists: words found in calls by their pairs of characters

Revision: 0009
Follows: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# A text's pairs of neighbouring characters, in small letters; none spans a space.
TEXT_PAIRS = r"""
CREATE FUNCTION text_pairs(text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(one || following), '{}')
    FROM (SELECT string_to_array(lower(regexp_replace($1, '\s+', ' ', 'g')), NULL) AS every) AS characters,
         unnest(every[1:cardinality(every) - 1], every[2:]) AS pairs(one, following)
    WHERE one <> ' ' AND following <> ' '
$$
"""
TEXT_INDEX = """
CREATE INDEX ix_call_text ON call USING gin (
    text_pairs(coalesce(number, '') || ' ' || coalesce(title, '') || ' ' || coalesce(description, '') || ' ' || coalesce(external_number, ''))
)
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.text(TEXT_PAIRS))
        op.execute(sa.text(TEXT_INDEX))
        # How often a pair occurs decides whether the index is worth reading; the default keeps too few of the common ones.
        op.execute(sa.text("ALTER INDEX ix_call_text ALTER COLUMN 1 SET STATISTICS 1000"))


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.text("DROP INDEX ix_call_text"))
        op.execute(sa.text("DROP FUNCTION text_pairs(text)"))
