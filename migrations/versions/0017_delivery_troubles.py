"""delivery: why a message could not be sent, as a code that each reader is told in his own language

Revision: 0017
Follows: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TOLD = {
    "the mail server refused the recipient": "recipient",
    "the mail server did not take the letter": "mail_server",
    "NOTIFY_URLS holds an address that Apprise does not understand": "settings",
    "the service refused the message or could not be reached": "service",
}
"""What the program wrote before, in English, each perhaps with a detail behind a colon."""


def upgrade() -> None:
    op.add_column("delivery", sa.Column("trouble", sa.String(16), nullable=False, server_default=""))
    table = sa.table("delivery", sa.column("trouble", sa.String), sa.column("error", sa.Text))
    for sentence, code in TOLD.items():
        detail = sa.func.substr(table.c.error, len(sentence) + 3)
        told = table.c.error.startswith(sentence, autoescape=True)
        op.execute(sa.update(table).where(told).values(trouble=code, error=detail))


def downgrade() -> None:
    table = sa.table("delivery", sa.column("trouble", sa.String), sa.column("error", sa.Text))
    for sentence, code in TOLD.items():
        detail = sa.case((table.c.error == "", sentence), else_=sa.literal(f"{sentence}: ") + table.c.error)
        op.execute(sa.update(table).where(table.c.trouble == code).values(error=detail))
    op.drop_column("delivery", "trouble")
