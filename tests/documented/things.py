"""Which of the fourteen things the example gets by its declaration: asked of the running application's routes, description and pages."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from typing import Any

from flask import Flask

from tests.documented import listing, plugin


def _with(*words: str) -> Callable[[Any], bool]:
    """Whether a page or operation of the type has one of these words in its address."""
    return lambda app: any(
        "/training/" in str(rule) and any(word in str(rule) for word in words) for rule in app.url_map.iter_rules()
    )


def _rest(app: Flask) -> bool:
    return _with("/api/v1/training/<pk>/hold")(app)


def _menu(app: Flask) -> bool:
    view = app.extensions["appbuilder"].view_of("training")
    return bool(view.navigation()) and bool(view.grants())


def _translated(app: Flask) -> bool:
    from models.base import RECORD_TYPES, fields_of

    return all(not isinstance(one.label, str) for one in fields_of(RECORD_TYPES["training"]).values())


def _related(app: Flask) -> bool:
    """Whether the page of an organisation shows the trainings that refer to it."""
    view = app.extensions["appbuilder"].view_of("organisation")
    return hasattr(view, "relations")


CHECKS: dict[str, Callable[[Any], bool]] = {
    "list": _with("/list/"),
    "typed search and filters": _with("/list/"),
    "form": _with("/add"),
    "record page": _with("/show/"),
    "related records": _related,
    "timeline": _with("/show/"),
    "attachments": _with("attach"),
    "steps with forms": _with("/<int:pk>/<name>"),
    "bulk steps": _with("/bulk/"),
    "REST and OpenAPI": _rest,
    "menu, permissions, row access": _menu,
    "export": _with("export"),
    "import with dry run": _with("import"),
    "translated words": _translated,
}


def things() -> dict[str, bool]:
    """Which of the things the type gives. To be called in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DATA_DIR"] = folder
        import app as program
        import views

        plugin.module("models.training", listing.model_with_step())
        views.TrainingView = plugin.module("views.training", listing.view()).TrainingView
        exec(listing.registration(), views.__dict__)
        app = program.create_app({"TESTING": True})
        return {name: check(app) for name, check in CHECKS.items()}
