"""The office director's sheet of the morning, as a page that prints (2.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import sqlalchemy as sa
from flask_appbuilder import expose
from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.database import db
from app.portal.administration import AdministrationPage
from app.portal.deadline import Measure, running, short
from app.portal.frame import Entry
from app.portal.page import Cell, Column
from app.portal.sheet import Block, Sheet, SheetRow
from app.portal.timeline import CLOCKS
from models import clock, viewer
from models.account import role_label
from models.base import Record
from models.calendar import work_calendar
from models.call import Call
from models.director_sheet import DepartmentClock, DirectorSheet, director_sheet
from models.organisation import Organisation
from models.party_clocks import PartyClock
from models.person import Person
from models.supervision import Notice


class DirectorSheetView(AdministrationPage):
    """What the office director reads at 08:30."""

    route_base = "/director_sheet"
    default_view = "list"
    group = "calls"
    resource = "DirectorSheet"
    permissions: ClassVar[Mapping[str, frozenset[str]]] = {"can_list": frozenset({"office_director"})}

    def navigation(self) -> tuple[Entry, ...]:
        return (Entry(_l("Morning sheet"), "DirectorSheetView.list", "DirectorSheet"),)

    @expose("/")
    def list(self) -> Any:
        county_id = self.county(self.demand("can_list"))
        now = clock.now()
        found = director_sheet(db.session(), county_id, now)
        named = self._visible(record.thread for _one, record in (*found.parties_today, *found.expired))
        with viewer.system():
            page = self._page(found, county_id, named)
        return self.sheet(page)

    @staticmethod
    def _visible(records: Iterable[Any]) -> frozenset[Record]:
        """Those of the records that the director sees himself; of the others the sheet tells whose turn it is, and no word of theirs."""
        by_type: dict[type[Record], dict[int, Record]] = {}
        for one in records:
            by_type.setdefault(type(one), {})[one.id] = one
        return frozenset(
            found[key]
            for model, found in by_type.items()
            for key in db.session.scalars(sa.select(model.id).where(model.id.in_(found)))
        )

    def _page(self, found: DirectorSheet, county_id: int, named: frozenset[Record]) -> Sheet:
        now = clock.now()
        today = work_calendar(db.session(), county_id).local_date(now)
        return Sheet(
            _("Morning sheet of %(day)s", day=format_date(today, "full")),
            (
                self._block(
                    _("Due today"), [*self._departments(found.due_today), *self._parties(found.parties_today, named)]
                ),
                self._block(_("Overdue"), self._departments(found.overdue)),
                self._block(
                    _("Emergencies since offices closed"), self._emergencies(found.emergencies), deadline=False
                ),
                self._block(_("Expired clocks of other parties"), self._parties(found.expired, named)),
                self._block(_("Supervision slips to be signed"), self._slips(found.slips)),
            ),
            intro=_("As of %(at)s.", at=short(now)),
            printed=True,
        )

    @staticmethod
    def _block(title: str, rows: Iterable[SheetRow], *, deadline: bool = True) -> Block:
        columns = (
            Column("matter", _("Matter")),
            Column("party", _("Whose turn")),
            Column("clock", _("What is due")),
            Column("due", _("Deadline") if deadline else _("State")),
        )
        found = tuple(rows)
        return Block(f"{title} ({len(found)})", columns=columns, rows=found, empty=_("Nothing."))

    def _measure(self, record: Any) -> Measure:
        wall = isinstance(record, Call) and record.emergency
        return Measure(work_calendar(db.session(), record.county_id), wall=wall)

    def _departments(self, clocks: Iterable[DepartmentClock]) -> Iterable[SheetRow]:
        for one in clocks:
            call = one.assignment.call
            yield SheetRow(
                (
                    self._matter(call),
                    Cell(one.assignment.department.short_name),
                    Cell(str(CLOCKS[one.clock])),
                    Cell(badge=running(one.due, clock.now(), self._measure(call)), hint=short(one.due)),
                )
            )

    def _parties(self, clocks: Iterable[tuple[PartyClock, Record]], named: frozenset[Record]) -> Iterable[SheetRow]:
        for one, record in clocks:
            due = getattr(record, one.due)
            about = record.thread
            yield SheetRow(
                (
                    self._matter(about) if about in named else Cell(str(type(about).label)),
                    Cell(self._party(one, record)),
                    Cell(str(one.label)),
                    Cell(badge=running(due, clock.now(), self._measure(record)), hint=short(due)),
                )
            )

    @staticmethod
    def _party(one: PartyClock, record: Record) -> str:
        """Whose clock it is: an organisation, a leader, or the holders of a role."""
        responsible = one.of(record)
        return names(responsible.organisation_id, responsible.person_id, responsible.roles)

    def _emergencies(self, calls: Iterable[Call]) -> Iterable[SheetRow]:
        for call in calls:
            called = "、".join(one.department.short_name for one in call.assignments)
            raised = _("Raised %(at)s", at=short(call.submitted_at)) if call.submitted_at else ""
            yield SheetRow((self._matter(call), Cell(called), Cell(raised), Cell(str(call.state.label))))

    def _slips(self, slips: Iterable[Notice]) -> Iterable[SheetRow]:
        for slip in slips:
            due = running(slip.sign_due, clock.now(), self._measure(slip)) if slip.sign_due is not None else None
            matter = "、".join(dict.fromkeys(entry.assignment.call.number or "" for entry in slip.entries))
            address = str(self.appbuilder.url_of("notice", slip.id))
            yield SheetRow(
                (
                    Cell(matter, url=address),
                    Cell(slip.department.short_name),
                    Cell(str(slip.kind.label)),
                    Cell(badge=due, hint=short(slip.sign_due) if slip.sign_due else ""),
                )
            )

    def _matter(self, record: Any) -> Cell:
        title = str(record.title)
        if isinstance(record, Call):
            title = f"{record.number} {record.township.short_name}：{record.title}"
        return Cell(title, url=str(self.appbuilder.url_of(record.resource(), record.id)))


def names(organisation_id: int | None, person_id: int | None, roles: frozenset[str]) -> str:
    """Who is meant, in words."""
    if organisation_id is not None:
        return db.session.get_one(Organisation, organisation_id).short_name
    if person_id is not None:
        return db.session.get_one(Person, person_id).name
    return "、".join(str(role_label(role)) for role in sorted(roles))
