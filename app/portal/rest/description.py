"""`/api/v1/_openapi`: the whole interface described for programs."""

from __future__ import annotations

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Response, abort, current_app, request
from flask_appbuilder.api import BaseApi, expose
from flask_appbuilder.api.manager import OpenApi, resolver

import config
from app.portal.rest import asking, schema


class ApiDescription(OpenApi):
    """Flask-AppBuilder's description, open to everybody who is signed in by token."""

    allow_browser_login = False

    @expose("/<version>/_openapi")
    def get(self, version: str) -> Response:
        asking.signed_in()
        described = [
            one
            for one in current_app.extensions["appbuilder"].baseviews
            if isinstance(one, BaseApi) and one.version == version
        ]
        if not described:
            abort(404)
        spec = self._create_api_spec(version)
        for one in described:
            one.add_api_spec(spec)
        return self.response(200, **spec.to_dict())

    def add_api_spec(self, api_spec: APISpec) -> None:
        operation = {
            "tags": ["openapi"],
            "operationId": "openapi",
            "summary": "This description",
            "security": [{"jwt": []}],
            "parameters": [{"in": "path", "name": "version", "required": True, "schema": {"type": "string"}}],
            "responses": {"200": schema.answer("OpenAPI", {"type": "object"}), **schema.refusals(404)},
        }
        api_spec.path(path="/api/{version}/_openapi", operations={"get": operation})

    @staticmethod
    def _create_api_spec(version: str) -> APISpec:
        return APISpec(
            title="Huying",
            version=config.version(),
            openapi_version="3.0.3",
            info={"description": "呼应"},
            plugins=[MarshmallowPlugin(schema_name_resolver=resolver)],
            servers=[{"url": request.host_url.rstrip("/")}],
        )
