"""Every route of the program as concrete addresses: what a record type offers, and the pages beside."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from models.base import Record, fields_of, snake

METHODS = ("GET", "POST", "PUT", "DELETE")
STATIC = {"static", "appbuilder.static"}


@dataclass(frozen=True, order=True)
class Route:
    """An address with a method; `<pk>` stands for the key of a row of `resource`."""

    rule: str
    method: str
    resource: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"

    @property
    def of_row(self) -> bool:
        return "<pk>" in self.rule

    def address(self, rows: Mapping[str, int]) -> str:
        return self.rule.replace("<pk>", str(rows[self.resource])) if self.of_row else self.rule


def routes(app: Flask) -> list[Route]:
    """All of them. Raises KeyError for an argument that nobody has said how to fill: a new kind of route must be thought about."""
    found: set[Route] = set()
    for rule in app.url_map.iter_rules():
        if rule.endpoint in STATIC or _doubled(app, rule):
            continue
        model = _model(app, rule)
        methods = [name for name in METHODS if name in (rule.methods or ())]
        for filled in _filled(rule, model):
            found |= {Route(filled, method, _resource(filled, model)) for method in methods}
    return sorted(found)


def _resource(filled: str, model: type[Any] | None) -> str:
    """Whose rows `<pk>` counts; of a page without a model, what its address begins with."""
    if "/import/<pk>" in filled:
        return "import"
    return snake(model.__name__) if model is not None else filled.strip("/").partition("/")[0]


def _doubled(app: Flask, rule: Rule) -> bool:
    """Flask-AppBuilder serves a REST collection with and without the last slash."""
    return rule.rule.startswith("/api/") and any(
        other.rule == f"{rule.rule}/" and other.endpoint == rule.endpoint for other in app.url_map.iter_rules()
    )


def _model(app: Flask, rule: Rule) -> type[Any] | None:
    owner = rule.endpoint.partition(".")[0]
    for view in app.extensions["appbuilder"].baseviews:
        if view.endpoint == owner or type(view).__name__ == owner:
            return getattr(view, "model", None) or getattr(getattr(view, "shape", None), "model", None)
    return None


def _filled(rule: Rule, model: type[Any] | None) -> Iterator[str]:
    text = rule.rule.replace("<int:pk>", "<pk>")
    if "<name>" in text:
        for name in _names(text, model):
            yield text.replace("<name>", name)
        return
    for argument in rule.arguments - {"pk"}:
        text = re.sub(rf"<([^<>]*:)?{argument}>", ARGUMENTS[argument], text)
    yield text


def _names(text: str, model: type[Record] | None) -> Iterator[str]:
    """What stands for `<name>`: the fields with choices, the steps, those for several records at once."""
    assert model is not None, text
    steps: tuple[Any, ...] = model.workflow.transitions if model.workflow is not None else ()
    if "/options/" in text:
        yield from (name for name, one in fields_of(model).items() if one.kind == "reference")
        for step in steps:
            yield from (f"{step.name}.{one.name}" for one in step.known if one.kind in ("reference", "references"))
    elif "/bulk/" in text:
        yield from (step.name for step in steps if step.bulk)
    else:
        yield from (step.name for step in steps)


ARGUMENTS: dict[str, str] = {
    "version": "v1",
    "key": "1",
    "year": "2026",
    "form": "pdf",
    "figure": "calls-calls",
    "kind": "reminder",
}
"""Other arguments of addresses."""
