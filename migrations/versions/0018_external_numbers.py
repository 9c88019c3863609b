"""calls: a number of another platform stands on one call of a county

Where an older program let several calls bear the same number, the first keeps it. The others bear it with a mark behind it, and are
told one by one: which of them go on together is for people to say.

Revision: 0018
Follows: 0017
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
import structlog
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

INDEX = "uq_call_external_number"
NUMBERED = "external_number <> '' AND state <> 'withdrawn'"
LONGEST = 60

log = structlog.get_logger("migration")


def upgrade() -> None:
    mark_doubled(op.get_bind())
    where = sa.text(NUMBERED)
    columns = ["county_id", "source", "external_number"]
    op.create_index(INDEX, "call", columns, unique=True, postgresql_where=where, sqlite_where=where)


def mark_doubled(connection: sa.Connection) -> None:
    """Give every call but the first of a number a mark of its own."""
    names = ("id", "county_id", "source", "external_number")
    call = sa.table("call", *(sa.column(name, sa.String if name[0] in "se" else sa.Integer) for name in names))
    identity = (call.c.county_id, call.c.source, call.c.external_number)
    numbered = sa.text(NUMBERED)
    doubled = sa.select(*identity).where(numbered).group_by(*identity).having(sa.func.count() > 1)
    rows = connection.execute(
        sa.select(call.c.id, *identity).where(numbered, sa.tuple_(*identity).in_(doubled)).order_by(call.c.id)
    ).all()
    first: dict[tuple[Any, ...], int] = {}
    for key, *identified in rows:
        kept, number = first.setdefault(tuple(identified), key), str(identified[-1])
        if kept == key:
            continue
        mark = f" #{key}"
        marked = number[: LONGEST - len(mark)] + mark
        connection.execute(sa.update(call).where(call.c.id == key).values(external_number=marked))
        log.warning(
            "a number of another platform stood on two calls",
            told=f"call {key} had the number {number} of call {kept} and now has {marked}",
        )


def downgrade() -> None:
    op.drop_index(INDEX, "call")
