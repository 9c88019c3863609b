"""The directory of people, and their accounts (spec 1, “Who uses it”)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import render_template
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload

from app.database import db
from app.portal.contact import CONTACT, reads_contact
from app.portal.frame import Entry
from app.portal.listing import TabSpec
from app.portal.page import Cell, Column, Fact, RecordPage, Row, Section
from app.portal.record_view import Failed, RecordView
from models import viewer
from models.account import HANDED_OUT, hand_out, role_label, take_handed_out
from models.field import Field
from models.handover import in_hand
from models.person import ROLES, Person
from models.substitution import Portfolio, Substitution
from models.viewer import ADMINISTRATORS, Viewer

EVERYONE = frozenset(ROLES)
FORM = ("last_name", "first_name", "organisation", "position", "phone", "email", "username", "party_secretary")
PLACED_BY_STEPS = ("organisation",)
"""What an existing account changes by a step of its own, not by the form."""


class PersonView(RecordView):
    model = Person
    readers = EVERYONE
    writers = frozenset({"system_administrator"})
    deleters: ClassVar[frozenset[str]] = frozenset()
    rest_methods = frozenset({"list", "show", "add", "edit"})
    group = "directory"
    columns = ("name", "organisation", "position", "state")
    guarded = CONTACT
    unrelated = frozenset({"substitution", "portfolio"})

    def navigation(self) -> tuple[Entry, ...]:
        return (Entry(_l("People"), f"{self.endpoint}.list", "Person"),)

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        without = ~Person.roles.any()
        return (
            TabSpec("active", _("In service"), Person.active.is_(True)),
            TabSpec("inactive", _("Not in service"), sa.not_(Person.active)),
            *(
                (TabSpec("without_role", _("Without a role"), sa.and_(Person.active.is_(True), without)),)
                if person.has_role("system_administrator", "security_administrator")
                else ()
            ),
        )

    def load_options(self) -> Any:
        return [joinedload(Person.organisation)]

    def withheld(self, record: Any, person: Viewer) -> frozenset[str]:
        return frozenset() if reads_contact(record, person) else CONTACT

    def form_fields(self, record: Any) -> dict[str, Field]:
        """Family name first, as people write it; somebody who is there already moves by a step, not by the form."""
        found = super().form_fields(record)
        skipped = PLACED_BY_STEPS if record.id is not None and record.organisation_id is not None else ()
        return {name: found[name] for name in FORM if name in found and name not in skipped}

    # Page

    def facts(self, record: Any) -> tuple[Fact, ...]:
        hidden = str(record.email)
        facts = tuple(fact for fact in super().facts(record) if record.mailbox or fact.cell.text != hidden)
        if not self.person().has_role(*ADMINISTRATORS):
            return facts
        roles = "、".join(str(role_label(role.name)) for role in record.roles)
        return (*facts, Fact(_("Roles"), Cell(roles or _("None yet: the security administrator gives them"))))

    def sections(self, record: Any) -> tuple[Section, ...]:
        return (*self._portfolio(record), *self._substitutions(record))

    def record_page(self, record: Any, failed: Failed | None) -> RecordPage:
        page = super().record_page(record, failed)
        if not self.may("can_edit"):
            return page
        return replace(page, main_sections=(self._in_hand(record),))

    def timeline(self, record: Any) -> Any:
        """What became of an account concerns the administrators and the person."""
        person = self.person()
        return super().timeline(record) if person.has_role(*ADMINISTRATORS) or person.person_id == record.id else ()

    def _in_hand(self, record: Person) -> Section:
        with viewer.system():
            held = in_hand(db.session(), "person", record.id)
            rows = tuple(
                Row(
                    str(one.record.id),
                    "",
                    (Cell(str(type(one.record).label)), Cell(one.record.title)),
                    one.record.title,
                )
                for one in held
            )
        columns = (Column("kind", _("Kind")), Column("title", _("Matter")))
        return Section(
            _("Work in hand"), columns=columns, rows=rows, empty=_("Nothing is in this person's hand alone.")
        )

    def _portfolio(self, record: Person) -> tuple[Section, ...]:
        found = db.session.scalars(
            sa.select(Portfolio).where(Portfolio.person_id == record.id).options(joinedload(Portfolio.department))
        ).all()
        if not found:
            return ()
        rows = tuple(
            Row(str(one.id), self.page_url("portfolio", one.id), (Cell(one.department.short_name),), one.title)
            for one in found
        )
        return (Section(_("Departments in charge"), columns=(Column("department", _("Department")),), rows=rows),)

    def _substitutions(self, record: Person) -> tuple[Section, ...]:
        concerned = sa.or_(Substitution.person_id == record.id, Substitution.substitute_id == record.id)
        found = db.session.scalars(sa.select(Substitution).where(concerned).order_by(Substitution.begins.desc())).all()
        rows = tuple(
            Row(
                str(one.id),
                self.page_url("substitution", one.id),
                (
                    Cell(one.title),
                    Cell(str(role_label(one.role))),
                    Cell(f"{one.begins:%Y-%m-%d} – {one.ends:%Y-%m-%d}"),
                ),
                one.title,
            )
            for one in found
        )
        columns = (Column("who", _("Substitute → for")), Column("role", _("Role")), Column("time", _("Time")))
        return (Section(_("Substitutions"), columns=columns, rows=rows),) if rows else ()

    # Handed-out passwords

    def _saved(self, record: Any, form: Any) -> Any:
        """A new account gets its password at once; it is shown here and never again."""
        if record.password is not None:
            return super()._saved(record, form)
        with viewer.system(on_behalf_of=self.person()):
            hand_out(db.session(), record)
            db.session.flush()
        super()._saved(record, form)
        return self._show_handed_out(record.id)

    @expose("/<int:pk>/<name>", methods=["POST"])
    def step(self, pk: int, name: str) -> Any:
        """Perform a step; a new password is shown on the answer, once."""
        answer = super().step(pk, name)
        return self._show_handed_out(pk) if db.session().info.get(HANDED_OUT) else answer

    def _show_handed_out(self, pk: int) -> Any:
        passwords = take_handed_out(db.session())
        return render_template(
            "handed_out.html",
            title=_("Handed-out password"),
            passwords=sorted(passwords.items()),
            next_url=self.url("show", pk=pk),
            frame_active=(self.group, ""),
        )


class SubstitutionView(RecordView):
    """Appointed by the security administrator: a substitution gives powers."""

    model = Substitution
    readers = frozenset({"system_administrator", "security_administrator", "auditor"})
    writers = frozenset({"security_administrator"})
    rest_methods = frozenset({"list", "show", "add", "edit", "delete"})
    group = "administration"


class PortfolioView(RecordView):
    """Which departments a county leader has in charge."""

    model = Portfolio
    readers = EVERYONE
    writers = frozenset({"system_administrator"})
    rest_methods = frozenset({"list", "show", "add", "edit", "delete"})
    group = "directory"
