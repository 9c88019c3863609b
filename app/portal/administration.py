"""What pages of the administration that belong to no record type have in common: permissions of their own, small forms, the sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from flask import abort, render_template
from flask_appbuilder.baseviews import BaseView
from flask_babel import lazy_gettext as _l

from app.database import db
from app.portal import references
from app.portal.forms import RecordForm, make_form
from app.portal.frame import Entry
from app.portal.sheet import Sheet
from models import viewer
from models.field import Field
from models.refusal import Forbidden
from models.viewer import Viewer


class AdministrationPage(BaseView):
    """A page with permissions on a resource of its own."""

    group = "administration"
    resource: ClassVar[str]
    permissions: ClassVar[Mapping[str, frozenset[str]]]
    """The permissions that it asks for, and the roles that have them by default."""

    def __init__(self) -> None:
        self.class_permission_name = self.resource
        super().__init__()

    @classmethod
    def grants(cls) -> Mapping[str, frozenset[str]]:
        return cls.permissions

    def navigation(self) -> tuple[Entry, ...]:
        return ()

    def may(self, permission: str) -> bool:
        person = viewer.current_person()
        return person is not None and person.may(permission, self.resource)

    def demand(self, permission: str) -> Viewer:
        """The viewer, who must have a permission here. Raises Forbidden."""
        person = viewer.current_person()
        if person is None:
            abort(401)
        if not person.may(permission, self.resource):
            raise Forbidden(
                _l("Your role does not include this page. If you need it for your work, ask your administrator.")
            )
        return person

    @staticmethod
    def county(person: Viewer) -> int:
        """The county whose page this is. Raises Forbidden for somebody who belongs to none."""
        if person.county_id is None:
            raise Forbidden(_l("This page belongs to a county, and your account belongs to none."))
        return person.county_id

    @staticmethod
    def form(
        fields: Sequence[Field], *, values: Mapping[str, Any] | None = None, submitted: bool = True, **options: Any
    ) -> RecordForm:
        """A small form, filled from the request when it was sent."""
        return make_form(
            fields,
            values=values,
            submitted=submitted,
            labels=lambda asked, keys: references.labels(db.session(), asked, keys),
            **options,
        )

    def sheet(self, page: Sheet, status: int = 200) -> Any:
        return render_template("sheet.html", page=page, frame_active=(self.group, "")), status
