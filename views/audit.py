"""The audit trail: searched, read, verified (spec 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from flask import request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.database import db
from app.portal.administration import AdministrationPage
from app.portal.audit import KINDS, PAGE, Wording, event_rows, step_words, type_words, values_of
from app.portal.deadline import exact
from app.portal.forms import RecordForm
from app.portal.frame import Entry
from app.portal.page import Button, Cell, Column, Fact, Link
from app.portal.sheet import Asked, Block, Sheet, SheetRow
from models import event, viewer
from models.base import RECORD_TYPES
from models.event import Event, EventHead, EventValue
from models.field import Field, FieldError
from models.organisation import Organisation
from models.person import ZONE, Person
from models.refusal import NotFound
from models.workflow import internal_events

AUDITOR = frozenset({"auditor"})
MOST_FAULTS = 200
"""Faults shown at most; the first ones tell where to look."""


class AuditView(AdministrationPage):
    """For the auditor, who reads everything that happened in the county and changes nothing."""

    route_base = "/audit"
    default_view = "list"
    resource = "Event"
    permissions = {"can_list": AUDITOR, "can_show": AUDITOR}

    def navigation(self) -> tuple[Entry, ...]:
        return (
            Entry(_l("Audit trail"), "AuditView.list", "Event"),
            Entry(_l("Verify the audit trail"), "AuditView.verify", "Event"),
        )

    @staticmethod
    def _fields() -> tuple[Field, ...]:
        types = [(name, model.label) for name, model in RECORD_TYPES.items()]
        others = [("sign_in", _l("Sign-in")), ("role", _l("Role")), ("number_series", _l("Number series"))]
        return (
            Field("who", _l("Who"), "reference", required=False, target="person"),
            Field(
                "record_type", _l("Kind of record"), "choice", required=False, choices=lambda record: [*types, *others]
            ),
            Field(
                "record", _l("Number of the record"), "integer", required=False, help=_l("The number in its address.")
            ),
            Field("kind", _l("Which kind"), "choice", required=False, choices=lambda record: list(KINDS.items())),
            Field("begins", _l("From day"), "date", required=False),
            Field("ends", _l("Up to and including"), "date", required=False),
            Field(
                "text", _l("Words in it"), required=False, length=60, help=_l("Words in what was entered or changed.")
            ),
        )

    def _form(self) -> tuple[RecordForm, dict[str, Any]]:
        """The search form as filled in the address, and what of it is understood. What is not, is shown beside its field."""
        fields = self._fields()
        given = {asked.name: request.args.get(asked.name, "")[:80].replace("\x00", "") for asked in fields}
        values: dict[str, Any] = {}
        errors: dict[str, str] = {}
        for asked in fields:
            try:
                values[asked.name] = asked.parse(given[asked.name])
            except FieldError as error:
                errors[asked.name] = str(error.message)
        form = self.form(
            fields,
            values=given,
            submitted=False,
            require=False,
            csrf=False,
            option_url=lambda asked: url_for("SubstitutionView.options", name="person"),
        )
        for name, sentence in errors.items():
            form[name].errors = [sentence]
        return form, {name: value for name, value in values.items() if value not in (None, "")}

    def _conditions(self, values: Mapping[str, Any]) -> list[sa.ColumnElement[bool]]:
        conditions: list[sa.ColumnElement[bool]] = []
        for name, column in (
            ("who", Event.actor_id),
            ("record_type", Event.record_type),
            ("record", Event.record_id),
            ("kind", Event.kind),
        ):
            if name in values:
                conditions.append(column == values[name])
        if "begins" in values:
            conditions.append(Event.at >= datetime.combine(values["begins"], time(0), tzinfo=ZONE))
        if "ends" in values:
            conditions.append(Event.at < datetime.combine(values["ends"] + timedelta(days=1), time(0), tzinfo=ZONE))
        if "text" in values:
            kept = sa.select(EventValue.event_id).where(
                sa.cast(EventValue.value, sa.Text).icontains(values["text"], autoescape=True)
                | sa.cast(EventValue.value, sa.Text).icontains(_escaped(values["text"]), autoescape=True)
            )
            conditions += [Event.id.in_(kept), ~internal_events()]
        before = request.args.get("before", "")
        if before.isdecimal() and len(before) < 19:
            conditions.append(Event.id < int(before))
        return conditions

    @expose("/")
    def list(self) -> Any:
        """Events of the county, newest first, searched."""
        self.demand("can_list")
        form, values = self._form()
        conditions = self._conditions(values)
        keys = list(
            db.session.scalars(sa.select(Event.id).where(*conditions).order_by(Event.id.desc()).limit(PAGE + 1))
        )
        rows = event_rows(where=[Event.id.in_(keys[:PAGE])], linked=True) if keys else ()
        columns = (
            Column("at", _("When")),
            Column("who", _("Who")),
            Column("what", _("What happened")),
            Column("values", _("Details")),
        )
        asked = {name: getattr(value, "isoformat", lambda value=value: value)() for name, value in values.items()}
        page = Sheet(
            _("Audit trail"),
            (
                Block(_("Search"), asked=Asked(form, url_for("AuditView.list"), _("Search"), method="get")),
                Block(columns=columns, rows=rows, empty=_("Nothing matches.")),
            ),
            intro=_("Who did what, when, from where. Nobody can change or remove an entry through the program."),
            buttons=(Button(_("Verify the audit trail"), url_for("AuditView.verify"), icon="shield-check"),),
            next_url=url_for("AuditView.list", **asked, before=keys[PAGE - 1]) if len(keys) > PAGE else "",
        )
        return self.sheet(page, 422 if any(field.errors for field in form) else 200)

    @expose("/<int:pk>")
    def show(self, pk: int) -> Any:
        """An event with its values and its place in the chain."""
        self.demand("can_show")
        found = db.session.scalars(sa.select(Event).where(Event.id == pk)).one_or_none() if pk < 2**63 else None
        if found is None:
            raise NotFound()
        with viewer.system():
            who = db.session.get(Person, found.actor_id) if found.actor_id is not None else None
            organisation = (
                db.session.get(Organisation, found.actor_organisation_id) if found.actor_organisation_id else None
            )
            head = db.session.get(EventHead, (found.thread_type, found.thread_id))
            values = values_of([found.id])[found.id]
            facts = (
                Fact(_("What happened"), Cell(step_words(found))),
                Fact(_("When"), Cell(exact(found.at))),
                Fact(_("Who"), Cell(who.name if who is not None else _("The system"))),
                Fact(_("Organisation"), Cell(organisation.short_name if organisation is not None else "")),
                Fact(_("From address"), Cell(found.address)),
                Fact(_("Record"), Cell(f"{type_words(found.record_type)} {found.record_id}")),
            )
            erased = sorted(set(found.digests) - set(values))
        chain = (
            Fact(_("Timeline of"), Cell(f"{type_words(found.thread_type)} {found.thread_id}")),
            Fact(
                _("Place in the chain"),
                Cell(_("%(place)d of %(last)d", place=found.sequence, last=head.sequence if head else found.sequence)),
            ),
            Fact(_("Signature"), Cell(found.signature)),
            Fact(_("Signature before it"), Cell(found.previous)),
            Fact(_("Sealed"), Cell(_("Yes") if head is not None and head.sealed else _("With the next seal"))),
        )
        wording = Wording([found], {found.id: values})
        rows = tuple(SheetRow((Cell(name), Cell(value))) for name, value in wording.values(found, values))
        rows += tuple(
            SheetRow((Cell(wording.name(found, name)), Cell(_("erased by the retention rules")))) for name in erased
        )
        page = Sheet(
            _("Event %(number)d", number=found.id),
            (
                Block(facts=facts),
                Block(
                    _("Values"),
                    columns=(Column("name", _("Name")), Column("value", _("Value"))),
                    rows=rows,
                    empty=_("It carries no values."),
                ),
                Block(_("Place in the chain"), facts=chain),
            ),
            buttons=(
                Button(
                    _("All of this timeline"),
                    url_for("AuditView.list", record_type=found.record_type, record=found.record_id),
                    icon="history",
                ),
            ),
            crumbs=(Link(_("Audit trail"), url_for("AuditView.list")),),
        )
        return self.sheet(page)

    @expose("/verify/", methods=["GET", "POST"])
    def verify(self) -> Any:
        """Walk every chain and seal on demand; the result names each event that was altered, removed or inserted."""
        person = self.demand("can_list")
        blocks: tuple[Block, ...] = ()
        if request.method == "POST":
            faults, more = self._walk()
            blocks = (self._result(faults, more),)
            told = {"faults": len(faults)}
            event.append_to(
                db.session(),
                ("audit", person.person_id),
                ("audit", person.person_id),
                "role",
                "verified",
                told,
                county_id=person.county_id,
                actor=person,
            )
            db.session.commit()
        page = Sheet(
            _("Verify the audit trail"),
            blocks,
            intro=_(
                "Each event is signed together with the one before it, by a key outside the database, and all ends are sealed. "
                "Verifying walks through all of them; with many events this takes a while."
            ),
            buttons=(
                Button(_("Verify now"), url_for("AuditView.verify"), icon="shield-check", primary=True, method="post"),
            ),
            crumbs=(Link(_("Audit trail"), url_for("AuditView.list")),),
        )
        return self.sheet(page)

    @staticmethod
    def _walk() -> tuple[Sequence[event.Fault], bool]:
        """The first faults, and whether there are more; read in a transaction of its own, from one snapshot."""
        db.session.rollback()
        faults: list[event.Fault] = []
        with viewer.system(), db.session.session_factory() as session:
            for fault in event.verify(session):
                if len(faults) == MOST_FAULTS:
                    return faults, True
                faults.append(fault)
        return faults, False

    @staticmethod
    def _result(faults: Sequence[event.Fault], more: bool) -> Block:
        if not faults:
            return Block(_("Result"), text=_("The audit trail is complete and unaltered."))
        words = {
            "altered": _("altered"),
            "missing": _("missing"),
            "value altered": _("a value altered"),
            "tail missing": _("the end of the timeline is missing"),
            "head missing": _("the mark of the end is missing"),
            "seal altered": _("the seal was altered"),
            "seal missing": _("the seal is missing"),
        }
        rows = tuple(
            SheetRow(
                (Cell(fault.thread), Cell(str(fault.sequence), number=True), Cell(words.get(fault.what, fault.what)))
            )
            for fault in faults
        )
        columns = (
            Column("thread", _("Timeline of")),
            Column("place", _("Place"), number=True),
            Column("what", _("What is wrong")),
        )
        text = ngettext(
            "%(count)d fault found. Keep the database as it is and inform the head of the office.",
            "%(count)d faults found. Keep the database as it is and inform the head of the office.",
            len(faults),
            count=len(faults),
        )
        return Block(_("Result"), text=text + (_(" There are more.") if more else ""), columns=columns, rows=rows)


def _escaped(text: str) -> str:
    """A text as JSON keeps it where the database stores it with escapes."""
    return text.encode("unicode_escape").decode("ascii").replace("\\x", "\\u00")
