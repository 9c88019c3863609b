"""What every REST operation asks of a request first: who, which record, what body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import abort, request
from flask_babel import lazy_gettext as _l

from app.database import db
from models import viewer
from models.base import RECORD_TYPES, snake
from models.field import Field, FieldError, Text
from models.refusal import Forbidden, Invalid, NotFound, Refused
from models.setting import refuse_switched_off
from models.viewer import Viewer

DEEPEST_BODY = 12
"""Levels of nesting that a body may have; no field needs more than three."""

VERSION = Field("version", _l("Version"), "integer", required=False)
"""The version of the addressed row that the caller saw; sent to be told of somebody else's change."""


class BadRequest(Refused):
    """400: the request itself cannot be read; the message says what is expected."""

    status = 400

    def __init__(self, message: Text) -> None:
        super().__init__(message)


def signed_in() -> Viewer:
    """The person whose token came with the request; 401 without one, or with one that is no longer good."""
    person = viewer.current_person()
    if person is None:
        abort(401)
    return person


def demand(permission: str, resource: str) -> Viewer:
    """The person, who must have a permission on a resource. Raises Forbidden, and NotFound for a type whose module the county has switched off."""
    person = signed_in()
    if not person.may(permission, resource):
        raise Forbidden()
    model = RECORD_TYPES.get(snake(resource))
    if model is not None:
        refuse_switched_off(db.session(), model, person.county_id)
    return person


def record_key(text: str) -> int:
    """The id in an address. Raises NotFound for what is none: there is no such record then."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        raise NotFound()
    return int(text)


def body(*, optional: bool = False) -> dict[str, Any]:
    """The request's JSON object; `optional` lets an empty body stand for an empty object. Raises BadRequest for anything else."""
    raw = request.get_data(cache=True)
    if optional and not raw.strip():
        return {}
    try:
        given = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadRequest(_l("The body must be a JSON object.")) from None
    if not isinstance(given, dict):
        raise BadRequest(_l("The body must be a JSON object."))
    if _deeper_than(given, DEEPEST_BODY):
        raise BadRequest(_l("The body is nested too deeply."))
    return given


def _deeper_than(value: Any, levels: int) -> bool:
    """Whether a JSON value has more levels than these; walks level by level, since recursion is what a nasty one is after."""
    level = [value]
    for _ in range(levels):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


def version_in(given: Mapping[str, Any]) -> int | None:
    """The version sent along, None where none was. Raises Invalid for one that is no number."""
    try:
        version: int | None = VERSION.parse(given.get("version"))
    except FieldError as error:
        raise Invalid({"version": error.message}) from None
    return version
