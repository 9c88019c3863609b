"""Running costs of stationed agencies: allotted by the county, managed by the township, never overspent (2.6; S5).

The period of an account is the budget year. Nothing is ever saved past the rules here: they hold in the session, under a
lock on the agency, whoever saves – form, program, import or the system.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, declared_attr, relationship, validates
from sqlalchemy.orm.attributes import set_committed_value

from models import clock, viewer
from models.agency import StationedAgency, only_agency, own_agencies
from models.base import CountyRecord, UtcDateTime, column, reference, referred, state_column
from models.calendar import work_calendar
from models.field import Field, FieldError
from models.refusal import Conflict, Forbidden, Invalid
from models.setting import counties_with, refuse_switched_off
from models.workflow import By, State, Step, Transition, Workflow

MONEY = sa.Numeric(14, 2)
"""Yuan and fen."""

NOTHING = Decimal("0.00")


class FundsRecord(CountyRecord):
    """What belongs to an agency's account: seen by the agency, its department and its township while the module is on."""

    __abstract__ = True
    module = "funds_module"

    @declared_attr
    def agency_id(cls) -> Mapped[int]:
        return reference(
            _l("Agency"),
            "stationed_agency",
            listed=True,
            searched=True,
            nullable=False,
            editable=cls.__name__ != "AccountPeriod",
            prefill=only_agency,
        )

    @declared_attr
    def agency(cls) -> Mapped[StationedAgency]:
        return relationship(StationedAgency, foreign_keys=lambda: [sa.inspect(cls).columns.agency_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """The agency, its department, its township (2.1, end); nobody where the module is off."""
        table = sa.inspect(cls).local_table
        return sa.select(table.c.id).where(
            table.c.agency_id.in_(own_agencies(person)), table.c.county_id.in_(counties_with("funds_module", "yes"))
        )

    def prepare(self, session: Session, person: viewer.Viewer) -> None:
        super().prepare(session, person)
        refuse_switched_off(session, type(self), self.county_id)


class PeriodState(State):
    open = "open", _l("Account open"), "going"
    closed = "closed", _l("Account closed"), "done", True


class AccountPeriod(FundsRecord):
    """An agency's account of one budget year. It begins with the first entry; closed, nothing in it changes any more."""

    __table_args__ = (
        sa.UniqueConstraint("agency_id", "year"),
        sa.CheckConstraint("spent <= allotted", name="ck_account_period_balance"),
    )
    label = _l("Account period")
    plural = _l("Account periods")
    natural_key = ("agency", "year")

    year: Mapped[int] = column(_l("Year"), sa.Integer, listed=True, editable=False, nullable=False)
    allotted: Mapped[Decimal] = column(
        _l("Allotted"), MONEY, listed=True, editable=False, nullable=False, default=NOTHING
    )
    spent: Mapped[Decimal] = column(_l("Spent"), MONEY, listed=True, editable=False, nullable=False, default=NOTHING)
    state: Mapped[PeriodState] = state_column(PeriodState.open)
    closed_at: Mapped[datetime | None] = column(_l("Closed at"), UtcDateTime, editable=False)

    @property
    def balance(self) -> Decimal:
        """What may still be spent."""
        return self.allotted - self.spent

    @property
    def title(self) -> str:
        return str(self.year)

    def prepare(self, session: Session, person: viewer.Viewer) -> None:
        raise Forbidden(_l("An account period begins with its first allotment."))

    def check_change(self, person: viewer.Viewer) -> None:
        raise Forbidden()

    def check_delete(self, person: viewer.Viewer) -> None:
        raise Forbidden()


class Entry(FundsRecord):
    """An amount in an account."""

    __abstract__ = True
    day_name = ""
    """The field with its day, which tells the period."""

    @declared_attr
    def amount(cls) -> Mapped[Decimal]:
        return column(_l("Amount (yuan)"), MONEY, listed=True, nullable=False)

    @declared_attr
    def period_id(cls) -> Mapped[int]:
        return reference(_l("Account period"), "account_period", searched=True, editable=False, nullable=False)

    @declared_attr
    def period(cls) -> Mapped[AccountPeriod]:
        return relationship(AccountPeriod, foreign_keys=lambda: [sa.inspect(cls).columns.period_id])

    @validates("amount")
    def _check_amount(self, key: str, value: Any) -> Any:
        """Raises FieldError for anything but a positive amount in whole fen."""
        if isinstance(value, Decimal):
            if value <= 0:
                raise FieldError(_l("Please enter an amount above zero."))
            if value != value.quantize(Decimal("0.01")) or value >= Decimal(10) ** 12:
                raise FieldError(_l("Please enter an amount in yuan with two decimals at most."))
        elif value is not None:
            raise TypeError("money is a Decimal, never a float")
        return value

    @property
    def day(self) -> date | None:
        found: date | None = getattr(self, self.day_name)
        return found

    def check_change(self, person: viewer.Viewer) -> None:
        if self.period.state == PeriodState.closed:
            raise Conflict(_closed(self.period.year))

    def check_delete(self, person: viewer.Viewer) -> None:
        self.check_change(person)


class Allotment(Entry):
    """Running costs that the county allots to the township for an agency."""

    __table_args__ = (
        sa.UniqueConstraint("agency_id", "allotted_on", "document"),
        sa.CheckConstraint("amount > 0", name="ck_allotment_amount"),
    )
    label = _l("Allotment")
    plural = _l("Allotments")
    natural_key = ("agency", "allotted_on", "document")
    day_name = "allotted_on"

    allotted_on: Mapped[date] = column(_l("Allotted on"), sa.Date, listed=True, nullable=False)
    document: Mapped[str] = column(
        _l("Number of the allotment notice"), sa.String(60), listed=True, searched=True, nullable=False
    )
    remark: Mapped[str] = column(_l("Remark"), sa.String(200), required=False, nullable=False, default="")

    @property
    def title(self) -> str:
        return self.document or f"{type(self).label} {self.id or ''}".strip()


class Expense(Entry):
    """Running costs that an agency has spent."""

    __table_args__ = (
        sa.UniqueConstraint("agency_id", "spent_on", "voucher"),
        sa.CheckConstraint("amount > 0", name="ck_expense_amount"),
    )
    label = _l("Expense")
    plural = _l("Expenses")
    natural_key = ("agency", "spent_on", "voucher")
    day_name = "spent_on"

    spent_on: Mapped[date] = column(_l("Spent on"), sa.Date, listed=True, nullable=False)
    purpose: Mapped[str] = column(_l("Purpose"), sa.String(200), listed=True, searched=True, nullable=False)
    voucher: Mapped[str] = column(_l("Voucher number"), sa.String(60), listed=True, searched=True, nullable=False)

    @property
    def title(self) -> str:
        return self.purpose or f"{type(self).label} {self.id or ''}".strip()


def _closed(year: int) -> Any:
    return _l("The account of %(year)d is closed: nothing in it is added, changed or deleted.", year=year)


# Closing

TOWNSHIP = By(
    frozenset({"township_officer"}), lambda period, person: period.agency.township_id == person.organisation_id
)


def _close_guard(step: Step) -> None:
    period: AccountPeriod = step.record
    if step.values["balance"] != period.balance:
        raise Invalid(
            {
                "balance": _l(
                    "The account here has a balance of %(balance)s yuan. Please find the difference before closing.",
                    balance=period.balance,
                )
            }
        )


def _close(step: Step) -> None:
    step.record.closed_at = step.now


AccountPeriod.workflow = Workflow(
    states=PeriodState,
    lock=lambda session, period: [(StationedAgency, period.agency_id)],
    transitions=(
        Transition(
            "close",
            _l("Close account"),
            (TOWNSHIP,),
            ("open",),
            "closed",
            guard=_close_guard,
            effect=_close,
            primary=True,
            icon="lock",
            done=_l("Account closed"),
            asks=(Field("balance", _l("Balance according to finance (yuan)"), "decimal"),),
            help=_l("Afterwards nothing in this year's account can be added, changed or deleted."),
        ),
    ),
)


# What no way of saving may break

_PERIODS = "account periods touched"
"""Key in `session.info`: between the two halves of a flush, the periods whose balance has to be right."""


def _entries(records: Iterable[Any]) -> list[Any]:
    return [one for one in records if isinstance(one, Entry)]


@sa.event.listens_for(Session, "before_flush")
def _enter(session: Session, context: Any, instances: Any) -> None:
    """Lock the agencies concerned, find each entry's period, and refuse what touches a closed one."""
    new, dirty, deleted = _entries(session.new), _entries(session.dirty), _entries(session.deleted)
    dirty = [one for one in dirty if session.is_modified(one)]
    with session.no_autoflush, viewer.system():
        for period in [*session.dirty, *session.deleted]:
            if isinstance(period, AccountPeriod) and _breaks_closed(session, period):
                raise Conflict(_closed(period.year))
        if new or dirty or deleted:
            _lock(session, [*new, *dirty, *deleted])
        touched = [_period_before(session, entry) for entry in [*dirty, *deleted]]
        for entry in [*new, *dirty]:
            touched += _place(session, entry, touched)
        if touched:
            session.info[_PERIODS] = touched


def _breaks_closed(session: Session, period: AccountPeriod) -> bool:
    changes = period in session.deleted or session.is_modified(period)
    return changes and bool(_was(period, "state") == PeriodState.closed)


def _was(record: Any, name: str) -> Any:
    """A column's value as the database has it."""
    history = sa.inspect(record).attrs[name].history
    return history.deleted[0] if history.deleted else getattr(record, name)


def _lock(session: Session, entries: Iterable[Any]) -> None:
    """Lock the agencies of these entries, as they are and as they were, in order of their keys. Raises NotFound where the module is off."""
    keys = set()
    for entry in entries:
        agency = referred(session, entry, "agency", StationedAgency)
        if agency is not None:
            keys.add(agency.id)
            refuse_switched_off(session, type(entry), agency.county_id)
        if sa.inspect(entry).persistent:
            keys.add(_was(entry, "agency_id"))
    table = sa.inspect(StationedAgency).local_table
    locking = sa.select(table.c.id).where(table.c.id.in_(keys)).order_by(table.c.id).with_for_update()
    session.connection().execute(locking).all()


def _period_before(session: Session, entry: Any) -> AccountPeriod:
    """The period in which an entry stands so far. Raises Conflict for a closed one."""
    period = _fresh(session, AccountPeriod.id == _was(entry, "period_id"))
    assert period is not None
    if period.state == PeriodState.closed:
        raise Conflict(_closed(period.year))
    return period


def _fresh(session: Session, *where: sa.ColumnElement[bool]) -> AccountPeriod | None:
    """A period as it stands now that its agency is locked."""
    found: AccountPeriod | None = session.scalars(
        sa.select(AccountPeriod).where(*where).execution_options(populate_existing=True)
    ).one_or_none()
    return found


def _place(session: Session, entry: Any, known: Iterable[AccountPeriod]) -> list[AccountPeriod]:
    """Put an entry into the period of its day, which begins with its first entry. Raises Invalid for a day in a closed period or in the future."""
    agency = referred(session, entry, "agency", StationedAgency)
    if agency is None or entry.day is None:
        return []
    if entry.day > work_calendar(session, agency.county_id).local_date(clock.now()):
        raise Invalid({entry.day_name: _l("This date cannot lie in the future.")})
    year = entry.day.year
    period = next((one for one in known if one.year == year and one.agency_id == agency.id), None)
    period = period or _fresh(session, AccountPeriod.agency_id == agency.id, AccountPeriod.year == year)
    if period is None:
        period = AccountPeriod(
            county_id=agency.county_id,
            agency_id=agency.id,
            year=year,
            allotted=NOTHING,
            spent=NOTHING,
            state=PeriodState.open,
        )
        session.add(period)
    if period.state == PeriodState.closed:
        raise Invalid({entry.day_name: _closed(year)})
    entry.county_id = agency.county_id
    entry.period = period
    return [period]


@sa.event.listens_for(Session, "after_flush")
def _balance_touched(session: Session, context: Any) -> None:
    """Bring the totals of the periods just touched in step with their entries, and refuse an overspent one."""
    touched: list[AccountPeriod] = session.info.pop(_PERIODS, [])
    if not touched:
        return
    removed = bool(_entries(session.deleted))
    table = sa.inspect(AccountPeriod).local_table
    for period in {one.id: one for one in touched}.values():
        allotted, spent = (_total(session, kind, period.id) for kind in (Allotment, Expense))
        if spent > allotted:
            sentence = _l(
                "The account of %(year)d has allotments of %(allotted)s yuan; expenses of %(spent)s yuan are beyond them.",
                year=period.year,
                allotted=allotted,
                spent=spent,
            )
            raise Conflict(sentence) if removed else Invalid({"amount": sentence})
        session.connection().execute(
            sa.update(table).where(table.c.id == period.id).values(allotted=allotted, spent=spent)
        )
        set_committed_value(period, "allotted", allotted)
        set_committed_value(period, "spent", spent)


def _total(session: Session, kind: type[Any], period_id: int) -> Decimal:
    table = sa.inspect(kind).local_table
    total = sa.select(sa.func.coalesce(sa.func.sum(table.c.amount), NOTHING)).where(table.c.period_id == period_id)
    return Decimal(session.connection().execute(total).scalar_one())


@sa.event.listens_for(Session, "do_orm_execute")
def _refuse_bulk(state: ORMExecuteState) -> None:
    """Statements on many rows at once would pass by the balance and the closed periods."""
    if (state.is_update or state.is_delete or state.is_insert) and any(
        issubclass(mapper.class_, FundsRecord) for mapper in state.all_mappers
    ):
        raise TypeError("entries of an account are saved one by one")
