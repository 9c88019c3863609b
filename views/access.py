"""“Why can I see this, or not?” – which rule decides, without a word of what is hidden (spec 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.database import db
from app.portal.administration import AdministrationPage
from app.portal.page import Cell, Column, Fact
from app.portal.sheet import Asked, Block, Sheet, SheetRow
from models import viewer
from models.account import role_label
from models.base import RECORD_TYPES
from models.explain import explain, find, rule_of
from models.field import Field
from models.person import ROLES, Person, make_viewer
from models.refusal import NotFound

NOTHING = _l(
    "Nothing can be made of this number or address, or it is nothing that you see. "
    "If you need the matter for your work, ask the office."
)


class AccessView(AdministrationPage):
    """“Why can I (not) see this?” – for everybody about himself, for the security administrator about anybody."""

    route_base = "/access"
    default_view = "ask"
    group = ""
    resource = "Access"
    permissions: ClassVar[Mapping[str, frozenset[str]]] = {
        "can_list": frozenset(ROLES),
        "can_show": frozenset({"security_administrator"}),
    }

    @expose("/")
    def ask(self) -> Any:
        """Explain by a number or an address; never a word of what is hidden."""
        person = self.demand("can_list")
        fields = [
            Field(
                "what",
                _l("Number or address"),
                length=200,
                help=_l("As it stands on a paper, or in the address bar of the browser."),
            )
        ]
        if self.may("can_show"):
            fields.append(
                Field(
                    "who", _l("For whom"), "reference", required=False, target="person", help=_l("Empty: for yourself.")
                )
            )
        given = {asked.name: request.args.get(asked.name, "")[:200].replace("\x00", "") for asked in fields}
        form = self.form(
            fields,
            values=given,
            submitted=False,
            csrf=False,
            option_url=lambda asked: url_for("SubstitutionView.options", name="person"),
        )
        blocks = [Block(asked=Asked(form, url_for("AccessView.ask"), _("Explain"), method="get"))]
        if given["what"].strip():
            blocks.append(self._answer(given["what"], self._about(given.get("who", ""), person)))
        blocks.append(self._yourself(person))
        page = Sheet(
            _("Why can I see this, or not?"),
            tuple(blocks),
            intro=_("What you see follows from your roles and your organisation. This page says which rule decides."),
        )
        return self.sheet(page)

    @staticmethod
    def _about(who: str, person: viewer.Viewer) -> viewer.Viewer:
        """The person about whom is asked, as far as the asking one sees him."""
        if not who.isdecimal() or len(who) > 9 or int(who) == person.person_id:
            return person
        found = db.session.scalars(sa.select(Person).where(Person.id == int(who))).unique().one_or_none()
        if found is None:
            raise NotFound()
        with viewer.system():
            return make_viewer(db.session(), found)

    @staticmethod
    def _answer(what: str, about: viewer.Viewer) -> Block:
        with viewer.system():
            found = find(db.session(), what)
            if found is None:
                return Block(
                    _("Answer"),
                    text=str(NOTHING),
                )
            model, key = found
            answer = explain(db.session(), model, key, about)
        by_address = "/" in what
        if not answer.visible and not by_address:
            return Block(
                _("Answer"),
                text=str(NOTHING),
            )
        facts = (
            Fact(_("Person"), Cell(about.name)),
            Fact(_("Kind of record"), Cell(str(answer.kind))),
            Fact(_("Answer"), Cell(_("Visible") if answer.visible else _("Not visible"))),
            Fact(_("The rule"), Cell(str(answer.rule)), long=True),
            Fact(_("Why"), Cell("\n".join(str(reason) for reason in answer.reasons)), long=True),
        )
        hint = (
            "" if answer.visible else _("If it is needed for the work, the office that processes the matter can help.")
        )
        return Block(_("Answer"), text=hint, facts=facts)

    @staticmethod
    def _yourself(person: viewer.Viewer) -> Block:
        roles = "、".join(str(role_label(role)) for role in ROLES if role in person.roles)
        kinds = tuple(
            SheetRow((Cell(str(model.plural)), Cell(str(rule_of(model)))))
            for model in RECORD_TYPES.values()
            if person.may("can_list", model.__name__)
        )
        return Block(
            _("What you see"),
            text=_("Your roles: %(roles)s.", roles=roles or _("no role")),
            columns=(Column("kind", _("Kind of record")), Column("rule", _("Who sees it"))),
            rows=kinds,
        )
