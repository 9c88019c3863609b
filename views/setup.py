"""Setting up a new installation: founding the county, and the list of what is still missing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import current_app, flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.database import db
from app.portal.administration import AdministrationPage
from app.portal.frame import Entry
from app.portal.page import Button, Pill, WorkItem
from app.portal.sheet import Asked, Block, Sheet
from models import viewer
from models.field import FieldError
from models.foundation import FOUNDING, SetUpStep, found_county, set_up_steps
from models.person import ROLES
from models.refusal import Forbidden, Invalid
from models.viewer import Viewer

ADMINISTRATOR = frozenset({"system_administrator"})


class SetUpView(AdministrationPage):
    """For the system administrator of a new installation."""

    route_base = "/setup"
    default_view = "county"
    group = ""
    resource = "SetUp"
    permissions = {"can_list": ADMINISTRATOR, "can_add": ADMINISTRATOR}

    @expose("/county", methods=["GET", "POST"])
    def county(self) -> Any:
        """Found the county: its names, its office, its calendar; whoever administers comes to belong to it."""
        person = self.demand("can_add")
        if not person.whole_installation:
            raise Forbidden(_l("Counties are founded by who administers the whole installation."))
        form = self.form(FOUNDING, submitted=request.method == "POST")
        status = 200
        if request.method == "POST":
            try:
                with viewer.system(on_behalf_of=person):
                    founded = found_county(db.session(), self._values(form), person)
                    name = founded.name
                    db.session.commit()
                flash(_("%(county)s is founded. The workbench shows what comes next.", county=name), "success")
                return redirect(url_for("HomeView.home"))
            except Invalid as refused:
                db.session.rollback()
                form.show_errors(refused)
                status = 422
        page = Sheet(
            _("Found the county"),
            (Block(asked=Asked(form, url_for("SetUpView.county"), _("Found the county"))),),
            intro=_(
                "Province and city are made if they are not there yet. The calendar of this year and the next comes from the maintained library."
            ),
        )
        return self.sheet(page, status)

    @staticmethod
    def _values(form: Any) -> dict[str, Any]:
        """What was entered. Raises Invalid with every field's error."""
        errors: dict[str, Any] = {}
        values: dict[str, Any] = {}
        for name, asked in form.described.items():
            try:
                values[name] = asked.parse(form[name].data)
                asked.check_present(values[name])
            except FieldError as error:
                errors[name] = error.message
        if errors:
            raise Invalid(errors)
        return values

    def navigation(self) -> tuple[Entry, ...]:
        return ()


def set_up_items(person: Viewer) -> Iterable[WorkItem]:
    """What an administrator still has to set up, first things first; nothing once the county works."""
    if not person.has_role("system_administrator", "security_administrator"):
        return
    with viewer.system():
        steps = set_up_steps(db.session(), person.county_id)
    if all(step.done for step in steps):
        return
    for step in steps:
        mine = person.has_role(step.role)
        if not mine and not person.has_role("system_administrator"):
            continue
        yield WorkItem(
            title=str(step.label),
            url=_address(step),
            subtitle=str(step.so_far) if mine else f"{step.so_far} · {ROLES[step.role].label}",
            badge=None,
            pill=Pill(_("Done"), "done") if step.done else Pill(_("Missing"), "waiting" if mine else "others"),
            button=Button(_("Go there"), _address(step)) if mine and not step.done else None,
        )


def _address(step: SetUpStep) -> str:
    pages = {"setup": "SetUpView.county", "calendar": "CalendarView.list"}
    if step.resource in pages:
        return url_for(pages[step.resource])
    view = current_app.extensions["appbuilder"].view_of(step.resource)
    tab = "without_role" if step.name == "roles" else None
    return str(view.url("list", tab=tab)) if view is not None else url_for("HomeView.home")
