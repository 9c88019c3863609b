"""One's own account, and how programs use the portal."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import abort, current_app, g, redirect, render_template, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.baseviews import BaseView
from flask_babel import gettext as _

from app.database import db
from app.portal.page import Cell, Fact, InterfacePage, ProfilePage, Resource
from app.portal.record_view import RecordView
from app.security.signin import safe_target
from models import viewer
from models.person import ROLES, Person
from models.viewer import Viewer
from views.contact import open_channels, own_contact, told


class ProfileView(BaseView):
    """Who one is here: name, office, roles, how one is reached; language and password lead on."""

    route_base = "/profile"
    default_view = "show"

    @expose("/")
    def show(self) -> Any:
        person = viewer.current_person()
        if person is None:
            return redirect(url_for("SignInView.login", next=request.full_path))
        outside = bool(open_channels())
        page = ProfilePage(
            _("My account"),
            self.facts(person, g.user),
            url_for("PasswordView.change"),
            told(own_contact(person.person_id), g.user) if outside else (),
            url_for("ContactView.change") if outside else "",
        )
        return render_template("profile.html", page=page)

    @expose("/text", methods=["POST"])
    def text(self) -> Any:
        """Choosing large or standard text: it goes with the person to every computer; the page stays.

        No change of the record that others keep of him: no version, no event.
        """
        person = viewer.current_person()
        size = request.form.get("size")
        if person is None or size not in ("large", "standard"):
            abort(401 if person is None else 400)
        with viewer.system():
            chosen = sa.update(Person).where(Person.id == person.person_id).values(large_text=size == "large")
            db.session.execute(chosen, execution_options={"synchronize_session": False})
            db.session.commit()
        return redirect(safe_target(request.form.get("next")))

    @staticmethod
    def facts(person: Viewer, account: Person) -> tuple[Fact, ...]:
        organisation = account.organisation
        roles = "、".join(str(spec.label) for name, spec in ROLES.items() if name in person.roles)
        told = (
            (_("Full name"), person.name),
            (_("Organisation"), organisation.name if organisation is not None else ""),
            (_("Position"), account.position or ""),
            (_("Roles"), roles),
            (_("Account name"), account.username),
            (_("Telephone"), account.phone or ""),
            (_("E-mail"), account.email or ""),
        )
        return tuple(Fact(label, Cell(text)) for label, text in told if text)


class InterfaceView(BaseView):
    """The REST interface for people who write programs: signing in, resources, steps."""

    route_base = "/interface"
    default_view = "show"

    @expose("/")
    def show(self) -> Any:
        person = viewer.current_person()
        if person is None:
            return redirect(url_for("SignInView.login", next=request.full_path))
        views: dict[str, RecordView] = current_app.extensions["appbuilder"].record_views
        found = tuple(self.resource(view, person) for view in views.values() if view.rest and view.may("can_list"))
        return render_template(
            "interface.html", page=InterfacePage(_("Interface for programs"), f"{request.host_url}api/v1/", found)
        )

    @staticmethod
    def resource(view: RecordView, person: Viewer) -> Resource:
        """What this person's programs may do with a type."""
        words = {"list": _("List"), "show": _("Read"), "add": _("Create"), "edit": _("Change"), "delete": _("Delete")}
        offered = tuple(words[name] for name in words if name in view.rest_methods and view.may(f"can_{name}"))
        steps = view.model.workflow.transitions if view.model.workflow is not None else ()
        return Resource(
            view.model.resource(),
            str(view.model.plural),
            f"/api/v1/{view.model.resource()}/",
            offered,
            tuple((one.name, str(one.label)) for one in steps if view.may(one.permission)),
        )
