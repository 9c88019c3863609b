"""A record type's REST resource: Flask-AppBuilder's ModelRestApi with the operations of spec 4, generated from the fields and the workflow."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from apispec import APISpec
from flask import Response, jsonify, request
from flask_appbuilder.api import ModelRestApi, expose
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _

from app.database import db
from app.portal.rest import asking, schema, steps, writing
from app.portal.rest.attachments import Attaching, attaching_operations
from app.portal.rest.query import described_list, helps, labels, read_query
from app.portal.rest.reading import read_one, read_page
from app.portal.rest.shape import Shape
from models import viewer
from models.base import Record, lines_of
from models.workflow import Transition, begin, load_visible, perform

CREATED = schema.answer("Created", {"type": "object", "required": ["id"], "properties": {"id": schema.ID}})

Operation = tuple[str, str, schema.Schema]
"""Path below the resource, HTTP method, and its OpenAPI description."""


def add_shared_components(spec: APISpec) -> None:
    """What every resource's description refers to, once."""
    components = spec.components
    for name, found in schema.RESPONSES.items():
        if name not in components.responses:
            components.response(name, found)
    if "Named" not in components.schemas:
        components.schema("Named", schema.NAMED)


class ReadApi(ModelRestApi):
    """List and show. Refusals are raised and answered in one place (`app.errors`), so nothing here catches."""

    shape: ClassVar[Shape]
    include_route_methods: ClassVar[set[str]] = {"get_list", "get"}

    # Flask-AppBuilder derives columns and marshmallow schemas from the model at registration; ours come from the fields.

    def _init_properties(self) -> None:
        self.list_columns = list(self.shape.names)
        self.show_columns = list(self.shape.names)

    def _init_model_schemas(self) -> None:
        """There are none: `Field.parse` reads and `reading.plain` writes."""

    @expose("", methods=["GET"])
    @expose("/", methods=["GET"])
    @permission_name("list")
    def get_list(self) -> Response:
        asking.demand("can_list", self.class_permission_name)
        query = read_query(request.args.get("q"), self.shape)
        count, rows = read_page(db.session(), self.shape, query)
        return self.response(
            200, count=count, ids=[row["id"] for row in rows], result=rows, **described_list(self.shape, query)
        )

    @expose("/<pk>", methods=["GET"])
    @permission_name("show")
    def get(self, pk: str) -> Response:
        asking.signed_in()
        query = read_query(request.args.get("q"), self.shape)
        key = asking.record_key(pk)
        found = read_one(db.session(), self.shape, key, query.columns)
        asking.demand("can_show", self.class_permission_name)
        told = {
            "show_columns": lambda: list(query.columns),
            "label_columns": lambda: labels(self.shape, query.columns),
            "description_columns": lambda: helps(self.shape, query.columns),
            "show_title": lambda: str(self.shape.label),
        }
        described = {name: tell() for name, tell in told.items() if query.keys is None or name in query.keys}
        return self.response(200, id=key, result=found, **described)

    # Description

    def add_api_spec(self, api_spec: APISpec) -> None:
        self.add_apispec_components(api_spec)
        paths: dict[str, dict[str, schema.Schema]] = {}
        for path, method, operation in self.operations():
            paths.setdefault(path, {})[method] = {
                "tags": [self.resource_name],
                "operationId": f"{self.resource_name}.{operation.pop('operationId')}",
                "security": [{"jwt": []}],
                **operation,
            }
        for path, operations in paths.items():
            api_spec.path(path=f"{self.route_base}{path}", operations=operations)

    def add_apispec_components(self, api_spec: APISpec) -> None:
        add_shared_components(api_spec)
        for name, found in self.schemas().items():
            api_spec.components.schema(f"{self.resource_name}.{name}", found)

    def schemas(self) -> dict[str, schema.Schema]:
        """The resource's own component schemas."""
        return {"read": schema.read_object(self.shape)}

    def refer(self, name: str) -> schema.Schema:
        return {"$ref": f"#/components/schemas/{self.resource_name}.{name}"}

    def operations(self) -> list[Operation]:
        """The description of every operation that is offered."""
        label = str(self.shape.label)
        row = self.refer("read")
        listed = {
            "type": "object",
            "required": ["count", "ids", "result"],
            "properties": {
                "count": {"type": "integer", "description": "Counted to 1001 at most"},
                "ids": {"type": "array", "items": schema.ID},
                "result": {"type": "array", "items": row},
            },
        }
        offered: dict[str, Operation] = {
            "get_list": (
                "/",
                "get",
                {
                    "operationId": "list",
                    "summary": f"{label}: {_('List')}",
                    "parameters": [schema.query_parameter(self.shape)],
                    "responses": {"200": schema.answer("A page, newest first", listed), **schema.refusals(400, 403)},
                },
            ),
            "get": (
                "/{pk}",
                "get",
                {
                    "operationId": "show",
                    "summary": label,
                    "parameters": [schema.PK_PARAMETER],
                    "responses": {"200": schema.answer("The record", _envelope(row)), **schema.refusals(400, 403, 404)},
                },
            ),
        }
        return [operation for method, operation in offered.items() if method in self.include_route_methods]


class RecordApi(Attaching, ReadApi):
    """A record type's resource: what `ReadApi` does, and writing, and the steps of the workflow."""

    model: ClassVar[type[Record]]

    @expose("", methods=["POST"])
    @expose("/", methods=["POST"])
    @permission_name("add")
    def post(self) -> Response:
        person = asking.demand("can_add", self.class_permission_name)
        given = asking.body()
        session = db.session()
        record = writing.create(session, self.model, given, person)
        key = record.id
        session.commit()
        return self.response(201, id=key)

    @expose("/<pk>", methods=["PUT"])
    @permission_name("edit")
    def put(self, pk: str) -> Response:
        asking.signed_in()
        session = db.session()
        record = load_visible(session, self.model, asking.record_key(pk))
        person = asking.demand("can_edit", self.class_permission_name)
        given = asking.body()
        version = asking.version_in(given)
        writing.change(
            session, record, {name: value for name, value in given.items() if name != "version"}, person, version
        )
        key = record.id
        session.commit()
        return self.response(200, id=key, result=read_one(session, self.shape, key))

    @expose("/<pk>", methods=["DELETE"])
    @permission_name("delete")
    def delete(self, pk: str) -> Response:
        asking.signed_in()
        session = db.session()
        record = load_visible(session, self.model, asking.record_key(pk))
        writing.remove(session, record, asking.demand("can_delete", self.class_permission_name))
        session.commit()
        return self.response(200, message=_("Deleted."))

    @expose("/<pk>/transitions", methods=["GET"])
    @permission_name("show")
    def transitions(self, pk: str) -> Response:
        person = asking.signed_in()
        record = load_visible(db.session(), self.model, asking.record_key(pk))
        return jsonify(steps.told(record, person))

    def step(self, pk: str, name: str) -> Response:
        """Perform a transition; 404, 403, 409, 422 in this order."""
        asking.signed_in()
        session = db.session()
        key = asking.record_key(pk)
        load_visible(session, self.model, key)
        given = asking.body(optional=True)
        outcome = perform(session, self.model, key, name, given, version=asking.version_in(given))
        with viewer.system():
            # The step may have put the record where the person sees it no more.
            result = {"id": key, "state": str(outcome.record.state), "version": outcome.record.version}
        session.commit()
        return self.response(200, **result)

    def begin(self, name: str) -> Response:
        """Perform a transition “from –”: 201 with the new record's id; 403, 422 in this order."""
        asking.signed_in()
        session = db.session()
        outcome = begin(session, self.model, name, asking.body(optional=True))
        key = outcome.record.id
        session.commit()
        return self.response(201, id=key)

    def schemas(self) -> dict[str, schema.Schema]:
        found = super().schemas()
        fields = [*writing.writable(self.model).values(), *lines_of(self.model).values()]
        if "post" in self.include_route_methods:
            found["create"] = schema.written_object(fields, required=not writing.keeps_drafts(self.model))
        if "put" in self.include_route_methods:
            found["change"] = schema.written_object(fields, required=False, version=True)
        for transition in self._steps():
            found[transition.name] = schema.transition_body(transition)
        return found

    def _steps(self) -> tuple[Transition, ...]:
        return self.model.workflow.transitions if self.model.workflow is not None else ()

    def operations(self) -> list[Operation]:
        label = str(self.shape.label)
        offered: dict[str, Operation] = {
            "post": (
                "/",
                "post",
                {
                    "operationId": "create",
                    "summary": f"{label}: {_('New')}",
                    "requestBody": schema.json_body(self.refer("create")),
                    "responses": {"201": CREATED, **schema.refusals(400, 403, 409, 422)},
                },
            ),
            "put": (
                "/{pk}",
                "put",
                {
                    "operationId": "change",
                    "summary": f"{label}: {_('Edit')}",
                    "parameters": [schema.PK_PARAMETER],
                    "requestBody": schema.json_body(self.refer("change")),
                    "responses": {
                        "200": schema.answer("Changed", _envelope(self.refer("read"))),
                        **schema.refusals(400, 403, 404, 409, 422),
                    },
                },
            ),
            "delete": (
                "/{pk}",
                "delete",
                {
                    "operationId": "delete",
                    "summary": f"{label}: {_('Delete')}",
                    "parameters": [schema.PK_PARAMETER],
                    "responses": {"200": schema.answer("Deleted", schema.MESSAGE), **schema.refusals(403, 404, 409)},
                },
            ),
            "transitions": (
                "/{pk}/transitions",
                "get",
                {
                    "operationId": "transitions",
                    "summary": f"{label}: {_('What you can do now')}",
                    "parameters": [schema.PK_PARAMETER],
                    "responses": {
                        "200": schema.answer("Steps with what they ask for", schema.TRANSITIONS),
                        **schema.refusals(404),
                    },
                },
            ),
        }
        found = super().operations()
        found += [operation for method, operation in offered.items() if method in self.include_route_methods]
        if "attach" in self.include_route_methods:
            found += attaching_operations(label)
        return found + [self._step_operation(transition) for transition in self._steps()]

    def _step_operation(self, transition: Transition) -> Operation:
        body = self.refer(transition.name)
        needed = bool(schema.transition_body(transition).get("required"))
        if transition.begins:
            beginning: schema.Schema = {
                "operationId": transition.name,
                "summary": f"{self.shape.label}: {transition.label}",
                "description": str(transition.help),
                "requestBody": schema.json_body(body, required=needed),
                "responses": {"201": CREATED, **schema.refusals(400, 403, 409, 422)},
            }
            return f"/{transition.name}", "post", beginning
        stepped = {
            "type": "object",
            "required": ["id", "state", "version"],
            "properties": {"id": schema.ID, "state": {"type": "string"}, "version": {"type": "integer"}},
        }
        operation = {
            "operationId": transition.name,
            "summary": f"{self.shape.label}: {transition.label}",
            "description": str(transition.help),
            "parameters": [schema.PK_PARAMETER],
            "requestBody": schema.json_body(body, required=needed),
            "responses": {"200": schema.answer("Done", stepped), **schema.refusals(400, 403, 404, 409, 422)},
        }
        return f"/{{pk}}/{transition.name}", "post", operation


def step_operation(transition: Transition) -> Callable[..., Response]:
    """The operation of one transition."""
    if transition.begins:

        def beginning(self: RecordApi) -> Response:
            return self.begin(transition.name)

        beginning.__name__ = f"step_{transition.name}"
        started: Callable[..., Response] = expose(f"/{transition.name}", methods=["POST"])(
            permission_name(transition.name)(beginning)
        )
        return started

    def operation(self: RecordApi, pk: str) -> Response:
        return self.step(pk, transition.name)

    operation.__name__ = f"step_{transition.name}"
    exposed: Callable[..., Response] = expose(f"/<pk>/{transition.name}", methods=["POST"])(
        permission_name(transition.name)(operation)
    )
    return exposed


def _envelope(row: schema.Schema) -> schema.Schema:
    return {"type": "object", "required": ["id", "result"], "properties": {"id": schema.ID, "result": row}}
