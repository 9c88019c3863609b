"""How I am told: one's own addresses outside the portal, which kinds of messages come by which way, quiet hours."""

from __future__ import annotations

import re
from datetime import time
from typing import Any

from flask import current_app, flash, g, redirect, render_template, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.baseviews import BaseView
from flask_babel import gettext as _

from app.channels import ways
from app.database import db
from app.portal.forms import RecordForm, make_form
from app.portal.page import Cell, Fact, FormPage
from models import viewer
from models.delivery import LONGEST_ADDRESS, Channel, Contact, fits, own_address
from models.field import Field, FieldError
from models.notification import Topic
from models.person import Person

_TIME = re.compile(r"([01]?\d|2[0-3])[:：]([0-5]\d)")


def open_channels() -> list[Channel]:
    """The installation's ways out."""
    return list(ways(current_app.config))


def own_contact(person_id: int) -> Contact:
    """As chosen, or as it is without a choice."""
    return db.session.get(Contact, person_id) or Contact.usual(person_id)


def told(contact: Contact, account: Person) -> tuple[Fact, ...]:
    """What a person has chosen, in words; a way without an address is no way."""
    usable = [one for one in open_channels() if contact.address(one, account)]
    facts = [
        Fact(
            str(topic.label),
            Cell("、".join([_("Inbox"), *(str(one.label) for one in usable if contact.wants(topic, one))])),
        )
        for topic in Topic
    ]
    return (*facts, Fact(_("Quiet hours"), Cell(_quiet(contact))))


def _quiet(contact: Contact) -> str:
    if contact.quiet_from == contact.quiet_until:
        return str(_("None"))
    return f"{contact.quiet_from:%H:%M}–{contact.quiet_until:%H:%M}"


class ContactView(BaseView):
    """A person's own choice; the inbox holds everything in any case."""

    route_base = "/profile/told"
    default_view = "change"

    @expose("/", methods=["GET", "POST"])
    def change(self) -> Any:
        person = viewer.current_person()
        if person is None:
            return redirect(url_for("SignInView.login", next=request.full_path))
        channels = open_channels()
        if not channels:
            return redirect(url_for("ProfileView.show"))
        contact = own_contact(person.person_id)
        form = self._form(contact, channels)
        if request.method == "POST" and form.validate_on_submit():
            values = self._read(form, channels)
            if not form.errors:
                self._keep(contact, channels, values)
                db.session.commit()
                flash(_("Saved."), "success")
                return redirect(url_for("ProfileView.show"))
        page = FormPage(
            title=_("How I am told"),
            form=form,
            action_url=url_for("ContactView.change"),
            submit_label=_("Save"),
            cancel_url=url_for("ProfileView.show"),
            intro=_(
                "The inbox holds every message. What you choose here is sent to you as well, with the number and what is to be done alone."
            ),
        )
        return render_template("form.html", page=page), 422 if form.errors else 200

    @staticmethod
    def _form(contact: Contact, channels: list[Channel]) -> RecordForm:
        values: dict[str, Any] = {
            **{f"topic_{topic.value}": [one for one in channels if contact.wants(topic, one)] for topic in Topic},
            **{f"address_{one.value}": contact.addresses.get(one.value, "") for one in channels},
            "quiet_from": f"{contact.quiet_from:%H:%M}",
            "quiet_until": f"{contact.quiet_until:%H:%M}",
            "digest": contact.digest,
        }
        return make_form(_fields(channels), values=values, submitted=request.method == "POST")

    @staticmethod
    def _read(form: RecordForm, channels: list[Channel]) -> dict[str, Any]:
        """The parsed values; what is wrong stands beside its field."""
        values: dict[str, Any] = {}
        for name, asked in form.described.items():
            try:
                values[name] = asked.parse(form[name].data)
                asked.check_present(values[name])
            except FieldError as error:
                form[name].errors = [str(error.message)]
        for one in channels:
            address = values.get(f"address_{one.value}")
            if address and not fits(one, address):
                form[f"address_{one.value}"].errors = [_("This is not an address of this kind.")]
        for name in ("quiet_from", "quiet_until"):
            found = _TIME.fullmatch(values.get(name) or "")
            if found is not None:
                values[name] = time(int(found[1]), int(found[2]))
            elif not form[name].errors:
                form[name].errors = [_("Please enter a time such as 22:00.")]
        return values

    @staticmethod
    def _keep(contact: Contact, channels: list[Channel], values: dict[str, Any]) -> None:
        """What was chosen for ways that the installation does not have at present stays as it was."""
        others = {one.value for one in Channel if one not in channels}
        contact.addresses = {name: one for name, one in contact.addresses.items() if name in others} | {
            one.value: values[f"address_{one.value}"] for one in channels if values[f"address_{one.value}"]
        }
        contact.chosen = {
            topic.value: sorted(
                {*others.intersection(contact.chosen.get(topic.value, ())), *values[f"topic_{topic.value}"]}
            )
            for topic in Topic
        }
        contact.quiet_from, contact.quiet_until = values["quiet_from"], values["quiet_until"]
        contact.digest = values.get("digest", contact.digest)
        db.session.add(contact)


def _fields(channels: list[Channel]) -> tuple[Field, ...]:
    offered = [(one.value, one.label) for one in channels]
    helps = {
        Topic.emergency: _("At any hour, as everything that concerns your duty."),
        Topic.amber: _("They stand in the inbox in any case."),
    }
    topics = [
        Field(
            f"topic_{topic.value}",
            topic.label,
            "choices",
            required=False,
            choices=lambda record: offered,
            help=helps.get(topic, ""),
        )
        for topic in Topic
    ]
    addresses = [
        Field(
            f"address_{one.value}",
            _("Address: %(way)s", way=one.label),
            required=False,
            length=LONGEST_ADDRESS,
            help=_usual(one),
            placeholder=own,
        )
        for one in channels
        for own in [own_address(one, g.user)]
    ]
    digest = Field(
        "digest",
        _("Everything that is not urgent in one letter a day, at 08:30"),
        "boolean",
        required=False,
    )
    quiet = (
        Field("quiet_from", _("Quiet hours from"), length=5, help=_("What is not urgent waits until they end.")),
        Field("quiet_until", _("Quiet hours until"), length=5, help=_("The same time twice: none.")),
    )
    return (*topics, *addresses, *quiet, *((digest,) if Channel.mail in channels else ()))


def _usual(channel: Channel) -> str:
    own = own_address(channel, g.user)
    return str(
        _("If you leave this empty: %(address)s.", address=own)
        if own
        else _("If you leave this empty, you are not told by this way.")
    )
