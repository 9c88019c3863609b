"""The interface described for programs, in the words of OpenAPI 3.0: derived from the fields, so that it cannot disagree with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.portal.rest.query import LARGEST_PAGE_SIZE, LAST_PAGE, OPERATORS, PAGE_SIZE
from app.portal.rest.shape import Shape
from models.field import Field
from models.workflow import Transition

Schema = dict[str, Any]

ID: Schema = {"type": "integer", "format": "int64"}

_PLAIN: Mapping[str, Schema] = {
    "text": {"type": "string"},
    "long_text": {"type": "string"},
    "integer": {"type": "integer", "format": "int64"},
    "decimal": {"type": "string", "format": "decimal"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "choice": {"type": "string"},
    "reference": {"type": "integer", "format": "int64", "minimum": 1},
    "choices": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
    "references": {"type": "array", "items": {"type": "integer", "format": "int64", "minimum": 1}, "uniqueItems": True},
    "json": {},
}

NAMED: Schema = {
    "type": "object",
    "required": ["id", "name"],
    "properties": {"id": ID, "name": {"type": "string"}},
}
"""How a reference reads."""

MESSAGE: Schema = {"type": "object", "properties": {"message": {"type": "string"}}}
ERRORS: Schema = {
    "type": "object",
    "description": "Sentences by field",
    "additionalProperties": {"type": "array", "items": {"type": "string"}},
}

RESPONSES: Mapping[str, Schema] = {
    name: {"description": text, "content": {"application/json": {"schema": schema}}}
    for name, text, schema in (
        ("BadRequest", "The request cannot be read", MESSAGE),
        ("SignIn", "No token, or one that is no longer good", MESSAGE),
        ("Forbidden", "Never yours to do", MESSAGE),
        ("NotFound", "There is no such record for you", MESSAGE),
        ("Conflict", "Not possible in this state, or somebody else changed the record", MESSAGE),
        ("Invalid", "Fields do not fit", ERRORS),
    )
}
_BY_STATUS = {400: "BadRequest", 401: "SignIn", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 422: "Invalid"}


def refusals(*statuses: int) -> Schema:
    """References to the answers that an operation may refuse with; 401 always."""
    return {
        str(status): {"$ref": f"#/components/responses/{_BY_STATUS[status]}"} for status in sorted({401, *statuses})
    }


def answer(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def json_body(schema: Schema, *, required: bool = True) -> Schema:
    return {"required": required, "content": {"application/json": {"schema": schema}}}


def written(asked: Field) -> Schema:
    """A value as it is sent."""
    schema = dict(_written_entries(asked) if asked.kind == "entries" else _PLAIN[asked.kind])
    if asked.kind == "choice" and isinstance(asked.choices, type):
        schema["enum"] = [value for value, _label in asked.options(None)]
    if asked.length is not None and asked.kind == "text":
        schema["maxLength"] = asked.length
    schema["title"] = str(asked.label)
    description = str(asked.help) or (f"Id of a {asked.target}" if asked.target else "")
    if asked.when is not None:
        description = f"{description} Only where {asked.when[0]} is one of: {', '.join(asked.when[1])}.".strip()
    if description:
        schema["description"] = description
    return schema


def _written_entries(asked: Field) -> Schema:
    return {"type": "array", "items": written_object(asked.entries)}


def written_object(fields: Iterable[Field], *, required: bool = True, version: bool = False) -> Schema:
    """An object as it is sent; `required` names what must not be missing, `version` adds the version that the sender saw."""
    listed = list(fields)
    schema: Schema = {"type": "object", "properties": {one.name: _emptiable(one) for one in listed}}
    needed = [one.name for one in listed if one.required and one.when is None] if required else []
    if needed:
        schema["required"] = needed
    if version:
        schema["properties"]["version"] = {
            "type": "integer",
            "nullable": True,
            "description": "The version of the row that you saw; a later one is answered by 409",
        }
    return schema


def _emptiable(asked: Field) -> Schema:
    return written(asked) if asked.required else _nullable(written(asked))


def _nullable(schema: Schema) -> Schema:
    if "enum" in schema:
        schema = {**schema, "enum": [*schema["enum"], None]}
    return {**schema, "nullable": True}


def read_field(shape: Shape, name: str) -> Schema:
    """A value as it is read."""
    asked = shape.fields[name]
    if asked.kind == "reference":
        return {"title": str(asked.label), "allOf": [{"$ref": "#/components/schemas/Named"}], "nullable": True}
    schema = written(asked)
    return _nullable(schema) if shape.nullable(name) else schema


def read_object(shape: Shape) -> Schema:
    """A row as it is read."""
    properties = {name: read_field(shape, name) for name in shape.fields}
    properties |= {name: {"title": str(one.label), **one.schema} for name, one in shape.computed.items()}
    return {"type": "object", "required": ["id"], "properties": properties}


def query_parameter(shape: Shape) -> Schema:
    """The parameter `q` of a list."""
    names = list(shape.fields)
    operators = sorted({operator for known in OPERATORS.values() for operator in known})
    return {
        "in": "query",
        "name": "q",
        "required": False,
        "description": "Rison (or JSON), e.g. (filters:!((col:id,opr:gt,value:7)),order_column:id,order_direction:asc,page:0,page_size:25)",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "filters": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["col", "opr", "value"],
                                "properties": {
                                    "col": {"type": "string", "enum": names},
                                    "opr": {"type": "string", "enum": operators},
                                    "value": {},
                                },
                            },
                        },
                        "order_column": {"type": "string", "enum": names, "default": "id"},
                        "order_direction": {"type": "string", "enum": ["asc", "desc"], "default": "desc"},
                        "page": {"type": "integer", "minimum": 0, "maximum": LAST_PAGE, "default": 0},
                        "page_size": {
                            "type": "integer",
                            "minimum": 1,
                            "maximum": LARGEST_PAGE_SIZE,
                            "default": PAGE_SIZE,
                        },
                        "columns": {"type": "array", "items": {"type": "string", "enum": list(shape.names)}},
                        "keys": {"type": "array", "items": {"type": "string"}},
                    },
                }
            }
        },
    }


PK_PARAMETER: Schema = {
    "in": "path",
    "name": "pk",
    "required": True,
    "schema": {"type": "integer", "format": "int64", "minimum": 1},
}

TRANSITIONS: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["name", "label", "fields"],
        "properties": {
            "name": {"type": "string"},
            "label": {"type": "string"},
            "fields": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["name", "type", "required", "choices"],
                    "properties": {
                        "name": {"type": "string"},
                        "label": {"type": "string"},
                        "type": {"type": "string", "enum": sorted([*_PLAIN, "entries"])},
                        "required": {"type": "boolean"},
                        "choices": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "properties": {"value": {"type": "string"}, "label": {"type": "string"}},
                            },
                        },
                        "target": {"type": "string"},
                        "when": {"type": "object"},
                        "only": {"type": "object"},
                        "fields": {"type": "array", "items": {"type": "object"}},
                        "rows": {"type": "array", "items": {"type": "object"}},
                    },
                },
            },
        },
    },
}


def transition_body(transition: Transition) -> Schema:
    """What a step takes. Questions that depend on the record are all optional here; `/transitions` tells which are asked now."""
    fields = transition.known
    return written_object(fields, required=transition.asks_for is None, version=not transition.begins)
