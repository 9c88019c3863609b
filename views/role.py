"""Roles and what they may, for the security administrator (spec 1: separation of the three)."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import sqlalchemy as sa
from flask import current_app, flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.sqla.models import Role
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.database import db
from app.portal.administration import AdministrationPage
from app.portal.audit import event_rows
from app.portal.frame import Entry
from app.portal.page import Button, Cell, Column, Link
from app.portal.sheet import Asked, Block, Sheet, SheetRow
from models import role as roles
from models import viewer
from models.account import every_role, role_label
from models.field import Field
from models.person import ROLES, Person
from models.refusal import Conflict, Forbidden, Invalid, NotFound

SECURITY = frozenset({"security_administrator"})


class RoleView(AdministrationPage):
    """Pages over Flask-AppBuilder's roles and permissions, in our own words."""

    route_base = "/role"
    default_view = "list"
    resource = "Role"
    permissions = {"can_list": SECURITY | {"auditor"}, "can_edit": SECURITY}

    def navigation(self) -> tuple[Entry, ...]:
        return (Entry(_l("Roles and permissions"), "RoleView.list", "Role"),)

    @expose("/list/")
    def list(self) -> Any:
        """All roles with the number of those who have them."""
        self.demand("can_list")
        held = sa.select(Role.id, sa.func.count(Person.id)).select_from(Person).join(Person.roles).group_by(Role.id)
        counts: dict[int, int] = {row[0]: row[1] for row in db.session.execute(held)}
        rows = tuple(
            SheetRow(
                (
                    Cell(str(role_label(role.name)), url=url_for("RoleView.show", pk=role.id)),
                    Cell(_("By the rules") if role.name in ROLES else _("The county's own")),
                    Cell(str(counts.get(role.id, 0)), number=True),
                )
            )
            for role in every_role(db.session())
        )
        columns = (Column("name", _("Role")), Column("kind", _("Kind")), Column("people", _("People"), number=True))
        page = Sheet(
            _("Roles and permissions"),
            (Block(columns=columns, rows=rows),),
            intro=_(
                "A role says what somebody may do; which records he sees follows from his organisation. "
                "The system administrator makes accounts, the security administrator gives roles, the auditor watches both. "
                "None of the three carries business powers, and nobody changes his own roles."
            ),
            buttons=(Button(_("New role"), url_for("RoleView.add"), icon="plus", primary=True),)
            if self.may("can_edit")
            else (),
        )
        return self.sheet(page)

    @expose("/show/<int:pk>")
    def show(self, pk: int) -> Any:
        """What a role may: record type by record type, in words."""
        self.demand("can_list")
        role = self._role(pk)
        has, defaults = roles.granted(db.session(), role.id), self._defaults()
        changing = self.may("can_edit")
        by_resource: dict[str, list[SheetRow]] = defaultdict(list)
        for (permission, resource), factory in sorted(defaults.items()):
            given = (permission, resource) in has
            reason = roles.refusal(role.name, permission, resource, factory)
            if not given and reason is not None:
                continue
            by_resource[resource].append(
                self._row(role, permission, resource, given=given, factory=factory, changing=changing)
            )
        columns = (Column("what", _("Permission")), Column("state", _("Now")), Column("factory", _("At the factory")))
        blocks = tuple(
            Block(str(roles.resource_words(resource)), columns=columns, rows=tuple(rows))
            for resource, rows in by_resource.items()
        )
        own = role.name not in ROLES
        page = Sheet(
            str(role_label(role.name)),
            (*blocks, self._history(role)),
            intro=_(
                "Steps of a workflow belong to the roles that their rule names; they can be taken from a role, but not given to another. "
                "What is missing here cannot be given to this role."
            ),
            buttons=(Button(_("Remove this role"), url_for("RoleView.remove", pk=pk), icon="trash", method="post"),)
            if own and changing
            else (),
            crumbs=(Link(_("Roles and permissions"), url_for("RoleView.list")),),
        )
        return self.sheet(page)

    @staticmethod
    def _row(
        role: Role, permission: str, resource: str, *, given: bool, factory: frozenset[str], changing: bool
    ) -> SheetRow:
        fields = (("permission", permission), ("resource", resource), ("give", "no" if given else "yes"))
        button = Button(
            _("Take away") if given else _("Give"), url_for("RoleView.change", pk=role.id), method="post", fields=fields
        )
        return SheetRow(
            (
                Cell(str(roles.permission_words(permission, resource))),
                Cell(_("Yes") if given else _("No")),
                Cell(_("Yes") if role.name in factory else _("No")),
            ),
            (button,) if changing else (),
        )

    def _history(self, role: Role) -> Block:
        with viewer.system():
            rows = event_rows(thread=(roles.THREAD, role.id))
        columns = (
            Column("at", _("When")),
            Column("who", _("Who")),
            Column("what", _("Records")),
            Column("values", _("Details")),
        )
        return Block(_("Changes"), columns=columns, rows=rows, empty=_("Never changed."))

    @expose("/<int:pk>/permission", methods=["POST"])
    def change(self, pk: int) -> Any:
        """Give or take a single permission."""
        person = self.demand("can_edit")
        role = self._role(pk)
        permission, resource = request.form.get("permission", "")[:100], request.form.get("resource", "")[:100]
        give = request.form.get("give") == "yes"
        factory = self._defaults().get((permission, resource), frozenset())
        try:
            roles.change(db.session(), role, permission, resource, give=give, defaults=factory, person=person)
            db.session.commit()
            flash(_("Permission given.") if give else _("Permission taken away."), "success")
        except (Invalid, Conflict, Forbidden) as refused:
            db.session.rollback()
            found = [str(one) for listed in refused.errors.values() for one in listed]
            flash(" ".join(found) or str(refused.message), "danger")
        return redirect(url_for("RoleView.show", pk=pk))

    @expose("/add", methods=["GET", "POST"])
    def add(self) -> Any:
        """A role of the county's own."""
        person = self.demand("can_edit")
        form = self.form((Field("name", _l("Name of the role"), length=30, help=_l("As people will call it.")),))
        status = 200
        if request.method == "POST":
            try:
                role = roles.create(db.session(), str(form["name"].data or ""), person)
                db.session.commit()
                return redirect(url_for("RoleView.show", pk=role.id))
            except Invalid as refused:
                db.session.rollback()
                form.show_errors(refused)
                status = 422
        page = Sheet(
            _("New role"),
            (Block(asked=Asked(form, url_for("RoleView.add"), _("Create the role"))),),
            intro=_(
                "It starts empty. It can be given reading and keeping of records; the steps of the workflows stay with the roles of the rules."
            ),
        )
        return self.sheet(page, status)

    @expose("/<int:pk>/remove", methods=["POST"])
    def remove(self, pk: int) -> Any:
        person = self.demand("can_edit")
        roles.remove(db.session(), self._role(pk), person)
        db.session.commit()
        flash(_("Deleted."), "success")
        return redirect(url_for("RoleView.list"))

    @staticmethod
    def _role(pk: int) -> Role:
        role = db.session.get(Role, pk) if 0 < pk < 2**31 else None
        if role is None:
            raise NotFound()
        return role

    @staticmethod
    def _defaults() -> dict[tuple[str, str], frozenset[str]]:
        found: dict[tuple[str, str], frozenset[str]] = current_app.extensions["appbuilder"].permissions()
        return found
