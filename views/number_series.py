"""Number series: the last number of each office, kind and year, and where a county that starts in the middle of a year goes on (spec 3)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.database import db
from app.portal.administration import AdministrationPage
from app.portal.forms import RecordForm
from app.portal.frame import Entry
from app.portal.page import Cell, Column
from app.portal.sheet import Asked, Block, Sheet, SheetRow
from models import clock, event
from models.document import SERIES, NumberSeries, go_on_from, last_number
from models.field import Field, FieldError
from models.organisation import Organisation
from models.person import ZONE

ADMINISTRATOR = frozenset({"system_administrator"})
LARGEST = 99_999
OF_THE_COUNTY = frozenset({"call", "admission"})
"""Series that the county itself counts; all others belong to the office, department or township that issues the paper."""


def _kinds(record: Any) -> list[tuple[str, Any]]:
    return list(SERIES.items())


class NumberSeriesView(AdministrationPage):
    """Numbers go on without gaps; nobody sets one back."""

    route_base = "/number_series"
    default_view = "list"
    resource = "NumberSeries"
    permissions = {"can_list": ADMINISTRATOR | {"auditor"}, "can_edit": ADMINISTRATOR}

    def navigation(self) -> tuple[Entry, ...]:
        return (Entry(_l("Number series"), "NumberSeriesView.list", "NumberSeries"),)

    @staticmethod
    def _fields() -> tuple[Field, ...]:
        year = clock.now().astimezone(ZONE).year
        return (
            Field(
                "owner",
                _l("Office"),
                "reference",
                target="organisation",
                help=_l(
                    "Calls and admissions are numbered by the county itself, papers by the office that issues them."
                ),
            ),
            Field("kind", _l("Series"), "choice", choices=_kinds),
            Field("year", _l("Year"), "integer", default=year),
            Field("next", _l("Goes on with number"), "integer"),
        )

    def _form(self, county_id: int, *, submitted: bool) -> RecordForm:
        return self.form(
            self._fields(),
            values={"owner": county_id},
            submitted=submitted,
            option_url=lambda asked: url_for("OrganisationView.options", name="parent"),
        )

    @expose("/")
    def list(self) -> Any:
        """Every series of the county with its last number."""
        person = self.demand("can_list")
        return self._page(self.county(person))

    def _page(self, county_id: int, form: Any = None, status: int = 200) -> Any:
        found = db.session.execute(
            sa.select(Organisation.short_name, NumberSeries.kind, NumberSeries.year, NumberSeries.last)
            .join(Organisation, Organisation.id == NumberSeries.owner_id)
            .where(Organisation.county_id == county_id, ~NumberSeries.kind.contains(":"))
            .order_by(NumberSeries.year.desc(), Organisation.order, NumberSeries.kind)
        )
        rows = tuple(
            SheetRow(
                (
                    Cell(row.short_name),
                    Cell(str(SERIES.get(row.kind, row.kind))),
                    Cell(str(row.year)),
                    Cell(str(row.last), number=True),
                )
            )
            for row in found
        )
        columns = (
            Column("owner", _("Office")),
            Column("kind", _("Series")),
            Column("year", _("Year")),
            Column("last", _("Last number"), number=True),
        )
        blocks = [Block(columns=columns, rows=rows, empty=_("No number has been taken yet."))]
        if self.may("can_edit"):
            asked = form or self._form(county_id, submitted=False)
            blocks.append(
                Block(
                    _("Starting in the middle of a year"),
                    text=_(
                        "If numbers of this year were given on paper before, let the county's series go on after them. A series never goes back."
                    ),
                    asked=Asked(asked, url_for("NumberSeriesView.go_on"), _("Go on with this number")),
                )
            )
        return self.sheet(Sheet(_("Number series"), tuple(blocks)), status)

    @expose("/go_on", methods=["POST"])
    def go_on(self) -> Any:
        """Let a series go on with a later number, with an event."""
        person = self.demand("can_edit")
        county_id = self.county(person)
        form = self._form(county_id, submitted=True)
        values: dict[str, Any] = {}
        for name, asked in form.described.items():
            try:
                values[name] = asked.parse(form[name].data)
                asked.check_present(values[name])
            except FieldError as error:
                form[name].errors = [str(error.message)]
        if not form.errors:
            self._check(form, values, county_id)
        if form.errors:
            return self._page(county_id, form, 422)
        owner = values["owner"]
        before = go_on_from(db.session(), owner, values["kind"], values["year"], values["next"])
        thread = ("number_series", owner)
        told = {"kind": values["kind"], "year": values["year"], "next": values["next"], "before": before}
        event.append_to(db.session(), thread, thread, "setting", "go_on_from", told, county_id=county_id, actor=person)
        db.session.commit()
        flash(_("The next number is %(number)d.", number=values["next"]), "success")
        return redirect(url_for("NumberSeriesView.list"))

    @staticmethod
    def _owns(owner: int, kind: str, county_id: int) -> bool:
        found = db.session.scalars(
            sa.select(Organisation).where(Organisation.id == owner, Organisation.county_id == county_id)
        ).one_or_none()
        return found is not None and (kind not in OF_THE_COUNTY or owner == county_id)

    def _check(self, form: Any, values: dict[str, Any], county_id: int) -> None:
        if not 2000 <= values["year"] <= 2100:
            form["year"].errors = [_("Please enter a year such as 2027.")]
        elif not 1 <= values["next"] <= LARGEST:
            form["next"].errors = [_("Please enter a number from 1 to %(most)d.", most=LARGEST)]
        elif not self._owns(values["owner"], values["kind"], county_id):
            form["owner"].errors = [_("Please choose one of the given answers.")]
        else:
            last = last_number(db.session(), values["owner"], values["kind"], values["year"])
            if values["next"] <= last:
                form["next"].errors = [_("Number %(last)d is taken already; a series never goes back.", last=last)]
