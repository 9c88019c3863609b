"""The REST interface, generated from the record types (spec 4, REST)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flask import current_app
from flask_appbuilder.api import ModelRestApi
from flask_appbuilder.models.sqla.interface import SQLAInterface

from app.portal.rest.computed import COLUMNS
from app.portal.rest.description import ApiDescription as ApiDescription
from app.portal.rest.documents import DocumentApi
from app.portal.rest.events import EventApi as EventApi
from app.portal.rest.me import MeApi as MeApi
from app.portal.rest.resource import RecordApi, step_operation
from app.portal.rest.shape import ComputedColumn, Withheld, shape_of
from models.base import Record
from models.document import Document

if TYPE_CHECKING:
    from app.portal.record_view import RecordView

METHODS = {"list": "get_list", "show": "get", "add": "post", "edit": "put", "delete": "delete"}
"""What a view may offer by REST, and the operation that does it."""

PERMISSIONS = {
    **{operation: name for name, operation in METHODS.items()},
    **dict.fromkeys(("transitions", "pdf", "attachments", "attach", "attachment"), "show"),
}


def _nothing(records: Sequence[Any]) -> Mapping[int, frozenset[str]]:
    return {}


def _withheld_by(model: type[Record]) -> Withheld:
    """The view's rule of what a person does not read of records that he sees."""

    def withheld(records: Sequence[Any]) -> Mapping[int, frozenset[str]]:
        view = current_app.extensions["appbuilder"].view_of(model.resource())
        found: Mapping[int, frozenset[str]] = view.withheld_of(records, view.person())
        return found

    return withheld


def resource_for(view: type[RecordView]) -> type[ModelRestApi]:
    """The REST resource of a record view: its `rest_methods`, the described columns and those of `extra_columns`, one operation per transition."""
    model = view.model
    base = DocumentApi if model is Document else RecordApi
    steps = {f"step_{one.name}": one for one in (model.workflow.transitions if model.workflow is not None else ())}
    extra: dict[str, ComputedColumn] = {**COLUMNS.get(model, {}), **getattr(view, "extra_columns", {})}
    offered = {METHODS[name] for name in view.rest_methods} | steps.keys()
    if steps:
        offered.add("transitions")
    if model is Document:
        offered.add("pdf")
    if model.attachable:
        offered |= {"attachments", "attach", "attachment"}
    attributes: dict[str, Any] = {
        "__doc__": f"REST resource of {model.__name__}.",
        "__module__": __name__,
        "model": model,
        "resource_name": model.resource(),
        "class_permission_name": model.__name__,
        "method_permission_name": PERMISSIONS | {name: one.name for name, one in steps.items()},
        "datamodel": SQLAInterface(model),
        "shape": shape_of(model, extra, view.guarded, _withheld_by(model) if view.guarded else _nothing),
        "include_route_methods": offered,
        **{name: step_operation(one) for name, one in steps.items()},
    }
    return type(f"{model.__name__}Api", (base,), attributes)
