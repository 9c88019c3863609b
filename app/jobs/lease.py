"""A lease in the database: of several processes one does the work, and another soon after that one was killed."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from app.database import transaction
from models import clock, viewer
from models.notification import Lease

LENGTH = timedelta(seconds=20)
RENEWED_AFTER = timedelta(seconds=5)


class HeldLease:
    """One holder's view of a lease. Times are the machine's: moving the demonstration's clock must not end it."""

    def __init__(self, name: str, holder: str) -> None:
        self._name = name
        self._holder = holder
        self._renew_at = clock.machine_now()
        self._held = False

    def held(self) -> bool:
        """Whether this holder may work now; takes or renews the lease when it is time. Raises SQLAlchemyError where the database cannot tell."""
        now = clock.machine_now()
        if now < self._renew_at:
            return self._held
        self._held = False  # stays so if the database does not answer
        self._held = self._take()
        self._renew_at = now + RENEWED_AFTER
        return self._held

    def give_back(self) -> None:
        """Let another begin at once."""
        if self._held:
            self._held = False
            with viewer.system(), transaction() as session:
                session.execute(sa.delete(Lease).where(Lease.name == self._name, Lease.holder == self._holder))

    def _take(self) -> bool:
        with viewer.system(), transaction() as session:
            now = clock.machine_now()
            insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
            table = sa.inspect(Lease).local_table
            statement = insert(table).values(name=self._name, holder=self._holder, until=now + LENGTH)
            statement = statement.on_conflict_do_update(
                index_elements=["name"],
                set_={"holder": self._holder, "until": now + LENGTH},
                where=sa.or_(table.c.holder == self._holder, table.c.until < now),
            )
            return session.connection().execute(statement.returning(table.c.name)).first() is not None
