"""The directory of people, and their accounts (spec 1, “Who uses it”)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import render_template, request
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload

from app.database import db
from app.portal.contact import CONTACT, reads_contact
from app.portal.frame import Entry
from app.portal.listing import TabSpec
from app.portal.page import Button, Cell, Column, Fact, RecordPage, Row, Section
from app.portal.record.bulk import Outcome, chosen_keys
from app.portal.record.declared import number
from app.portal.record_view import Failed, RecordView
from app.portal.slips import SlipsPage, slips_of, workbook_url
from models import viewer
from models.account import HANDED_OUT, PERSON_WORKFLOW, hand_out, role_label, take_handed_out
from models.field import Field
from models.handover import in_hand
from models.imported import Import
from models.person import ROLES, Person
from models.substitution import Portfolio, Substitution
from models.viewer import ADMINISTRATORS, Viewer

EVERYONE = frozenset(ROLES)
NEVER_SIGNED_IN = Person.last_login.is_(None)
FORM = ("last_name", "first_name", "organisation", "position", "phone", "email", "username", "party_secretary")
PLACED_BY_STEPS = ("organisation",)
"""What an existing account changes by a step of its own, not by the form."""
AT_ONCE = 100
"""People to whom passwords are handed out by one request: making one takes about a tenth of a second, on purpose."""


class PersonView(RecordView):
    model = Person
    readers = EVERYONE
    writers = frozenset({"system_administrator"})
    deleters: ClassVar[frozenset[str]] = frozenset()
    rest_methods = frozenset({"list", "show", "add", "edit"})
    group = "directory"
    columns = ("name", "organisation", "position", "state")
    usual_order = "organisation"
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
            *(
                (TabSpec("never_signed_in", _("Never signed in"), sa.and_(Person.active, NEVER_SIGNED_IN)),)
                if person.may("can_reset_password", "Person")
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
        return self._slips([pk], self.url("show", pk=pk))

    def _slips(self, keys: Sequence[int], next_url: str, left: int = 0, outcome: Outcome | None = None) -> Any:
        """The page with the passwords just made for these people: the only time that they can be read."""
        passwords = take_handed_out(db.session())
        people = db.session.scalars(sa.select(Person).where(Person.id.in_(keys))).unique()
        slips = slips_of(people, passwords)
        title = _("Handed-out password") if len(slips) == 1 else _("Handed-out passwords")
        page = SlipsPage(
            title,
            slips,
            next_url,
            left,
            outcome.accounts if outcome is not None else (),
            workbook_url(title, slips),
        )
        return render_template("handed_out.html", page=page, frame_active=(self.group, ""))

    def bulk_buttons(self, person: Viewer) -> tuple[Button, ...]:
        if not person.may("can_reset_password", "Person"):
            return ()
        return (Button(_("Hand out first passwords"), self.url("passwords"), icon="lock-open", method="post"),)

    def import_buttons(self, one: Import) -> tuple[Button, ...]:
        waiting = len(self._made_by(one)) if self.may("can_reset_password") else 0
        if not waiting:
            return ()
        label = _("Hand out passwords to the new people (%(count)d)", count=waiting)
        fields = (("import", str(one.id)),)
        return (Button(label, self.url("passwords"), icon="lock-open", primary=True, method="post", fields=fields),)

    @staticmethod
    def _made_by(one: Import) -> Sequence[int]:
        """The people whom an import made and who have no password yet; everybody made by the form got his at once."""
        if one.finished_at is None:
            return ()
        made = (
            Person.created_by_id == one.person_id,
            Person.created_at.between(one.started_at, one.finished_at),
            Person.password.is_(None),
            Person.active,
        )
        return db.session.scalars(sa.select(Person.id).where(*made).order_by(Person.id)).all()

    @expose("/passwords", methods=["POST"])
    def passwords(self) -> Any:
        """First passwords for people who never signed in: those chosen in the list, or those whom an import made; each by the step
        that hands out a single one, with its event. Who has signed in keeps his."""
        self.demand("can_reset_password")
        given = number(request.form.get("import"))
        if given is not None:
            back = self.url("import_result", pk=given)
            keys = list(self._made_by(self._own(given)))
        else:
            back, keys = self._back(), chosen_keys()
        if not keys:
            return self._nothing_chosen(back)
        step = PERSON_WORKFLOW["reset_password"]
        known = set(db.session.scalars(sa.select(Person.id).where(Person.id.in_(keys), ~NEVER_SIGNED_IN)))
        wanted = [key for key in keys if key not in known]
        outcome = self._perform_all(step, wanted[:AT_ONCE], {})
        if known:
            reason = _("They have signed in already. A new password is handed out on the person's own page.")
            outcome.skipped[reason] = [self._named(key) for key in keys if key in known]
        if not outcome.done:
            return self._account(step, outcome, back)
        return self._slips(outcome.done, back, len(wanted[AT_ONCE:]), outcome)


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
