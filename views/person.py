"""The directory of people, and their accounts."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from app.portal.contact import CONTACT, contacts_of_people, reads_contact
from app.portal.listing import TabSpec
from app.portal.record_view import RecordView
from app.portal.rest.shape import ComputedColumn
from models.base import fields_of
from models.field import Field
from models.person import ROLES, Person
from models.viewer import Viewer

FORM = ("last_name", "first_name", "organisation", "position", "phone", "email", "username", "party_secretary")


class PersonView(RecordView):
    model = Person
    readers = frozenset(ROLES)
    writers = frozenset({"system_administrator"})
    deleters = frozenset()
    rest_methods = frozenset({"list", "show", "add", "edit"})
    group = "directory"
    columns = ("name", "organisation", "position", "state")
    guarded = CONTACT
    extra_columns = {
        name: ComputedColumn(
            fields_of(Person)[name].label,
            lambda session, people, name=name: contacts_of_people(people, name),
            {"type": "string", "description": "Empty for whoever does not need it"},
        )
        for name in CONTACT
    }

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        return (
            TabSpec("active", _("In service"), Person.active.is_(True)),
            TabSpec("inactive", _("Not in service"), sa.not_(Person.active)),
        )

    def withheld(self, record: Any, person: Viewer) -> frozenset[str]:
        return frozenset() if reads_contact(record, person) else CONTACT

    def form_fields(self, record: Any) -> dict[str, Field]:
        """Family name first, as people write it."""
        found = super().form_fields(record)
        return {name: found[name] for name in FORM if name in found}
