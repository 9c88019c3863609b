"""`/api/v1/me`: who the token stands for."""

from __future__ import annotations

import sqlalchemy as sa
from apispec import APISpec
from flask import Response
from flask_appbuilder.api import BaseApi, expose

from app.database import db
from app.portal.rest import asking, schema
from app.portal.rest.reading import named
from app.portal.rest.resource import add_shared_components
from models.organisation import Organisation
from models.person import Person


class MeApi(BaseApi):
    """The signed-in person; needs no permission."""

    resource_name = "me"
    route_base = "/api/v1/me"

    @expose("", methods=["GET"])
    @expose("/", methods=["GET"])
    def me(self) -> Response:
        person = asking.signed_in()
        keys = [key for key in (person.organisation_id, person.county_id) if key is not None]
        account = db.session.get_one(Person, person.person_id)  # in the session since the token was read
        found = {one.id: one for one in db.session.scalars(sa.select(Organisation).where(Organisation.id.in_(keys)))}
        own, county = found.get(person.organisation_id or 0), found.get(person.county_id or 0)
        return self.response(
            200,
            username=account.username,
            name=person.name,
            roles=sorted(person.roles),
            organisation=None if own is None else {**(named(own) or {}), "kind": str(own.kind.value)},
            county=named(county),
        )

    def add_api_spec(self, api_spec: APISpec) -> None:
        add_shared_components(api_spec)
        named_reference = {"$ref": "#/components/schemas/Named"}
        organisation = {
            "type": "object",
            "nullable": True,
            "properties": {**schema.NAMED["properties"], "kind": {"type": "string"}},
        }
        person = {
            "type": "object",
            "required": ["username", "name", "roles", "organisation", "county"],
            "properties": {
                "username": {"type": "string"},
                "name": {"type": "string"},
                "roles": {"type": "array", "items": {"type": "string"}},
                "organisation": organisation,
                "county": {"allOf": [named_reference], "nullable": True},
            },
        }
        operation = {
            "tags": ["me"],
            "operationId": "me",
            "summary": "Who you are",
            "security": [{"jwt": []}],
            "responses": {"200": schema.answer("You", person), **schema.refusals()},
        }
        api_spec.path(path=self.route_base, operations={"get": operation})
