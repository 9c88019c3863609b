"""Monthly ledgers of calls: as a page on A4 across, and as a workbook with fixed columns; and a township's own month."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from flask import Response, g, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.database import db
from app.portal.administration import AdministrationPage
from app.portal.deadline import written
from app.portal.export import FORMATS, ExportColumn, Value, write_workbook
from app.portal.frame import Entry
from app.portal.page import Button, Cell, Column, Fact
from app.portal.record.exported import note_export
from app.portal.sheet import Block, Sheet, SheetRow
from models import clock
from models.calendar import work_calendar
from models.call import Assignment, Call
from models.call_report import Evaluation, Report
from models.call_words import AssignmentRole, AssignmentState
from models.ledger import Month, assignments_of, calls_of, evaluations_of, workload
from models.refusal import Forbidden, NotFound
from models.viewer import Viewer

OFFICES = frozenset({"dispatcher", "office_director", "supervisor"})
KEEPERS = OFFICES | {"township_officer", "department_officer"}
ON_A_PAGE = 1000
"""Lines that a page holds; the workbook holds all."""


@dataclass(frozen=True)
class Ledger:
    """A ledger of a month: who keeps it, its fixed columns, and its records in their order."""

    title: str
    keeper: str
    columns: tuple[ExportColumn, ...]
    records: Sequence[Any]

    def rows(self) -> Iterator[list[Value]]:
        for number, record in enumerate(self.records, start=1):
            yield [number, *(column.value(record) for column in self.columns)]

    def all_columns(self) -> tuple[ExportColumn, ...]:
        """With the serial number in front."""
        return (ExportColumn("serial", _("Serial number"), lambda record: None, 6), *self.columns)


class LedgerView(AdministrationPage):
    """The ledger of whoever looks: a township's calls, a department's assignments, all calls for the offices."""

    route_base = "/ledger"
    default_view = "list"
    group = "calls"
    resource = "Ledger"
    permissions: ClassVar[Mapping[str, frozenset[str]]] = {
        "can_list": KEEPERS,
        "can_export": KEEPERS,
        "can_show": frozenset({"township_officer"}),
    }

    def navigation(self) -> tuple[Entry, ...]:
        township = frozenset({"township_officer"})
        return (
            Entry(_l("Monthly ledger"), "LedgerView.list", "Ledger", roles=KEEPERS),
            Entry(_l("Our month"), "LedgerView.month", "Ledger", roles=township),
        )

    def _month(self, county_id: int, given: str) -> Month:
        """The month that was asked for, the present one if none. Raises NotFound for what is none."""
        if not given:
            today = work_calendar(db.session(), county_id).local_date(clock.now())
            return Month(today.year, today.month)
        try:
            return Month.parse(given)
        except ValueError:
            raise NotFound(_l("There is no such month.")) from None

    @expose("/")
    def list(self) -> Any:
        person = self.demand("can_list")
        county_id = self.county(person)
        month = self._month(county_id, request.args.get("month", ""))
        ledger = self._ledger(person, county_id, month)
        rows = tuple(
            SheetRow(tuple(Cell("" if value is None else str(value)) for value in values))
            for values, _place in zip(ledger.rows(), range(ON_A_PAGE), strict=False)
        )
        columns = tuple(Column(one.name, one.label) for one in ledger.all_columns())
        more = len(ledger.records) - len(rows)
        page = Sheet(
            ledger.title,
            (Block(columns=columns, rows=rows, empty=_("Nothing in this month.")),),
            intro=ngettext(
                "%(keeper)s · %(count)d entry",
                "%(keeper)s · %(count)d entries",
                len(ledger.records),
                keeper=ledger.keeper,
                count=len(ledger.records),
            )
            + (
                ngettext(
                    "; %(count)d more stands in the workbook",
                    "; %(count)d more stand in the workbook",
                    more,
                    count=more,
                )
                if more
                else ""
            ),
            buttons=self._workbook_button(month),
            printed=True,
            landscape=True,
        )
        return self.sheet(self._turned(page, "LedgerView.list", month))

    def _workbook_button(self, month: Month) -> tuple[Button, ...]:
        if not self.may("can_export"):
            return ()
        fields = (("month", month.text()),)
        address = url_for("LedgerView.export")
        return (Button(_("Save as Excel"), address, icon="table-export", method="post", fields=fields),)

    @staticmethod
    def _turned(page: Sheet, endpoint: str, month: Month) -> Sheet:
        """With links to the months before and after."""
        return replace(
            page,
            previous_url=url_for(endpoint, month=month.before.text()),
            previous_label=month.before.text(),
            next_url=url_for(endpoint, month=month.after.text()),
            next_label=month.after.text(),
        )

    @expose("/export", methods=["POST"])
    def export(self) -> Any:
        """The whole ledger of a month as a workbook; an event tells who took it."""
        person = self.demand("can_export")
        county_id = self.county(person)
        month = self._month(county_id, request.form.get("month", ""))
        ledger = self._ledger(person, county_id, month)
        columns = ledger.all_columns()
        content = b"".join(write_workbook(ledger.title, columns, ledger.rows()))
        said = {"ledger": ledger.title, "month": month.text()}
        db.session.rollback()
        note_export("ledger", person, "xlsx", [one.name for one in columns], said, len(ledger.records))
        response = Response(content, content_type=FORMATS["xlsx"])
        name = quote(f"{ledger.title} {ledger.keeper}.xlsx", safe="")
        response.headers["Content-Disposition"] = f"attachment; filename=\"ledger.xlsx\"; filename*=UTF-8''{name}"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    # The three ledgers

    def _ledger(self, person: Viewer, county_id: int, month: Month) -> Ledger:
        session, label = db.session(), written(month.bounds(db.session(), county_id)[0], _("yyyy-MM"))
        assert person.organisation_id is not None
        if person.has_role(*OFFICES):
            calls = calls_of(session, county_id, month)
            return Ledger(
                _("Ledger of calls %(month)s", month=label), self._keeper(), _call_columns(calls, office=True), calls
            )
        if person.has_role("township_officer"):
            calls = calls_of(session, county_id, month, person.organisation_id)
            return Ledger(_("Ledger of our calls %(month)s", month=label), self._keeper(), _call_columns(calls), calls)
        if person.has_role("department_officer"):
            given = assignments_of(session, county_id, month, person.organisation_id)
            return Ledger(
                _("Ledger of assignments %(month)s", month=label), self._keeper(), _assignment_columns(given), given
            )
        raise Forbidden()

    @staticmethod
    def _keeper() -> str:
        return str(g.user.organisation.name)

    # A township's own month

    @expose("/month")
    def month(self) -> Any:
        """What the township's own month was: workload alone, in no order of merit and beside nobody else's."""
        person = self.demand("can_show")
        county_id = self.county(person)
        month = self._month(county_id, request.args.get("month", ""))
        found = workload(calls_of(db.session(), county_id, month, person.organisation_id))
        states = tuple(Fact(str(state.label), Cell(str(count), number=True)) for state, count in found.states)
        page = Sheet(
            _("Our month %(month)s", month=written(month.bounds(db.session(), county_id)[0], _("yyyy-MM"))),
            (
                Block(
                    _("Calls raised"),
                    facts=(
                        Fact(_("Calls raised"), Cell(str(found.raised), number=True)),
                        Fact(_("Of them emergencies"), Cell(str(found.emergencies), number=True)),
                    ),
                ),
                Block(_("Where they stand"), facts=states, text="" if states else _("Nothing in this month.")),
                _counted(_("By field"), _("Field"), found.fields),
                _counted(
                    _("Departments called"), _("Department"), [(one.short_name, n) for one, n in found.departments]
                ),
            ),
            intro=_("Your own work of the month. It is compared with nobody's and judged by nobody."),
            printed=True,
        )
        return self.sheet(self._turned(page, "LedgerView.month", month))


def _counted(title: str, head: str, counts: Sequence[tuple[str, int]]) -> Block:
    columns = (Column("what", head), Column("count", _("Calls"), number=True))
    rows = tuple(SheetRow((Cell(name), Cell(str(count), number=True))) for name, count in counts)
    return Block(title, columns=columns, rows=rows, empty=_("Nothing in this month."))


# Columns


def _when(instant: datetime | None) -> str:
    return written(instant, "yyyy-MM-dd HH:mm") if instant is not None else ""


def _standing(call: Call) -> list[Assignment]:
    return [one for one in call.assignments if one.state != AssignmentState.returned]


def _names(call: Call, role: AssignmentRole) -> str:
    return "、".join(one.department.short_name for one in _standing(call) if one.role == role)


def _last(assignment: Assignment) -> Report | None:
    return assignment.reports[-1] if assignment.reports else None


def _each(call: Call, words: Mapping[int, str]) -> str:
    """What is said of each department; named where there are several."""
    standing = [one for one in _standing(call) if words.get(one.id)]
    if len(_standing(call)) == 1:
        return "".join(words[one.id] for one in standing)
    return "；".join(f"{one.department.short_name}：{words[one.id]}" for one in standing)


def _solved(call: Call) -> str:
    reports = {one.id: _last(one) for one in call.assignments}
    return _each(call, {key: str(one.solved.label) for key, one in reports.items() if one is not None})


def _reported(call: Call) -> str:
    """When the last of the departments reported."""
    reports = [report.reported_at for one in call.assignments for report in one.reports]
    return _when(max(reports, default=None))


def _call_columns(calls: Sequence[Call], *, office: bool = False) -> tuple[ExportColumn, ...]:
    """A township's ledger; the office's has beside it whose call it is and how it went through the office."""
    evaluations = evaluations_of(db.session(), [one for call in calls for one in call.assignments])
    judged = {key: str(one.satisfaction.label) for key, one in evaluations.items()}
    township = (ExportColumn("township", _("Township"), lambda call: call.township.short_name, 12),) if office else ()
    through = (ExportColumn("accepted", _("Accepted"), lambda call: _when(call.accepted_at), 17),) if office else ()
    remark = (ExportColumn("remark", _("Remark of the office"), lambda call: call.remark, 24),) if office else ()
    return (
        ExportColumn("number", _("Number"), lambda call: call.number, 14),
        *township,
        ExportColumn("submitted", _("Submitted"), lambda call: _when(call.submitted_at), 17),
        ExportColumn("title", _("Matter in one sentence"), lambda call: call.title, 36),
        ExportColumn("field", _("Field"), lambda call: call.field, 12),
        ExportColumn("kind", _("Urgency"), lambda call: str(call.kind.label), 8),
        ExportColumn("source", _("Source"), lambda call: str(call.source.label), 12),
        *through,
        ExportColumn("dispatched", _("Dispatched"), lambda call: _when(call.dispatched_at), 17),
        ExportColumn("lead", _("Lead department"), lambda call: _names(call, AssignmentRole.lead), 16),
        ExportColumn(
            "cooperating", _("Cooperating departments"), lambda call: _names(call, AssignmentRole.cooperating), 20
        ),
        ExportColumn("reported", _("Reported"), _reported, 17),
        ExportColumn("solved", _("Is the problem solved"), _solved, 14),
        ExportColumn("evaluation", _("Evaluation"), lambda call: _each(call, judged), 14),
        ExportColumn("ended", _("Ended"), lambda call: _when(call.ended_at), 17),
        ExportColumn("state", _("State"), lambda call: str(call.state.label), 12),
        *remark,
    )


def _assignment_columns(given: Sequence[Assignment]) -> tuple[ExportColumn, ...]:
    evaluations: Mapping[int, Evaluation] = evaluations_of(db.session(), given)
    now = clock.now()

    def solved(one: Assignment) -> str:
        report = _last(one)
        return str(report.solved.label) if report is not None else ""

    def reported(one: Assignment) -> str:
        report = _last(one)
        return _when(report.reported_at if report is not None else None)

    def judged(one: Assignment) -> str:
        return str(evaluations[one.id].satisfaction.label) if one.id in evaluations else ""

    return (
        ExportColumn("number", _("Number"), lambda one: one.call.number, 14),
        ExportColumn("township", _("Township"), lambda one: one.call.township.short_name, 12),
        ExportColumn("title", _("Matter in one sentence"), lambda one: one.call.title, 36),
        ExportColumn("field", _("Field"), lambda one: one.call.field, 12),
        ExportColumn("kind", _("Urgency"), lambda one: str(one.call.kind.label), 8),
        ExportColumn("role", _("Role"), lambda one: str(one.role.label), 8),
        ExportColumn("dispatched", _("Dispatched"), lambda one: _when(one.assigned_at), 17),
        ExportColumn("respond_due", _("Response due"), lambda one: _when(one.respond_due), 17),
        ExportColumn("responded", _("Responded"), lambda one: _when(one.responded_at), 17),
        ExportColumn("report_due", _("Report due"), lambda one: _when(one.report_due), 17),
        ExportColumn("reported", _("Reported"), reported, 17),
        ExportColumn("solved", _("Is the problem solved"), solved, 12),
        ExportColumn("evaluation", _("Evaluation"), judged, 12),
        ExportColumn("marks", _("Marks"), lambda one: "、".join(str(mark.label) for mark in one.marks(now)), 16),
        ExportColumn("state", _("State"), lambda one: str(one.state.label), 12),
    )
