"""Stationed agencies, their staff, membership relations and running costs (2.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload

from app.portal.listing import TabSpec
from app.portal.page import Button, Cell, Fact, RecordPage
from app.portal.record.listed import drawn
from app.portal.record_view import Failed, RecordView
from app.portal.words import amount
from models.agency import OVERSEERS, SIDES, AgencyStaff, MembershipTransfer, StationedAgency, TransferState
from models.base import Record
from models.funds import AccountPeriod, Allotment, Expense
from models.viewer import Viewer

DEPARTMENT = frozenset({"department_officer"})
TOWNSHIP = frozenset({"township_officer"})
WRITING = frozenset({"list", "show", "add", "edit", "delete"})


class StationedAgencyView(RecordView):
    model = StationedAgency
    readers = SIDES | OVERSEERS
    writers = frozenset({"department_officer", "agency_head"})
    deleters = DEPARTMENT
    rest_methods = WRITING
    group = "agencies"

    @classmethod
    def grants(cls) -> dict[str, frozenset[str]]:
        """The department registers its agencies; their heads keep what stands there."""
        return super().grants() | {"can_add": DEPARTMENT}


def of_agency(model: Any) -> Sequence[Any]:
    """Loader option for the agency and its name, in the list's own statement."""
    return [joinedload(model.agency).joinedload(StationedAgency.organisation)]


class AgencyStaffView(RecordView):
    model = AgencyStaff
    readers = SIDES
    writers = frozenset({"department_officer", "agency_head"})
    rest_methods = WRITING
    group = "agencies"

    def load_options(self) -> Sequence[Any]:
        return [*of_agency(AgencyStaff), joinedload(AgencyStaff.relation_holder)]


class MembershipTransferView(RecordView):
    model = MembershipTransfer
    readers = SIDES
    writers = DEPARTMENT
    rest_methods = WRITING
    group = "agencies"
    form_step = "send"
    step_label = _l("Send transfer")
    columns = ("letter", "staff", "membership", "department", "township", "state")

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        return (
            TabSpec("open", _("In progress"), MembershipTransfer.state.in_((TransferState.draft, TransferState.sent))),
            TabSpec("all", _("All transfers")),
        )


class AllotmentView(RecordView):
    model = Allotment
    readers = SIDES
    writers = TOWNSHIP
    rest_methods = WRITING
    group = "agencies"
    columns = ("allotted_on", "agency", "amount", "document", "period")

    def load_options(self) -> Sequence[Any]:
        return [*of_agency(Allotment), joinedload(Allotment.period)]


class ExpenseView(RecordView):
    model = Expense
    readers = SIDES
    writers = TOWNSHIP | {"agency_head"}
    rest_methods = WRITING
    group = "agencies"
    columns = ("spent_on", "agency", "amount", "purpose", "voucher", "period")

    def load_options(self) -> Sequence[Any]:
        return [*of_agency(Expense), joinedload(Expense.period)]


class AccountPeriodView(RecordView):
    model = AccountPeriod
    readers = SIDES
    group = "agencies"
    columns = ("year", "agency", "allotted", "spent", "balance", "state")

    def load_options(self) -> Sequence[Any]:
        return of_agency(AccountPeriod)

    @drawn(_l("Balance"))
    def cell_balance(self, period: AccountPeriod) -> Cell:
        return Cell(amount(period.balance), number=True)

    def record_page(self, record: AccountPeriod, failed: Failed | None) -> RecordPage:
        return replace(super().record_page(record, failed), title=f"{record.agency.title} {record.year}")

    def facts(self, record: Any) -> tuple[Fact, ...]:
        return (*super().facts(record), Fact(_("Balance"), Cell(amount(record.balance), number=True)))

    def record_buttons(self, record: Any, person: Viewer) -> tuple[Button, ...]:
        """The entries of the account, and new ones."""
        found = list(super().record_buttons(record, person))
        kinds: tuple[tuple[type[Record], Any], ...] = ((Allotment, _("Allotments")), (Expense, _("Expenses")))
        for model, label in kinds:
            view = self.appbuilder.view_of(model.resource())
            found.append(Button(label, view.url("list", period=record.id), icon="list"))
        return tuple(found)
