"""Declares the example as the page says, before the application is made; its migration is written into a copy of the migrations."""

from __future__ import annotations

import shutil
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

from app import installation
from tests.documented import listing


def module(name: str, code: str) -> types.ModuleType:
    """A module of this code, as if it stood in a file."""
    made = types.ModuleType(name)
    sys.modules[name] = made
    exec(compile(code, f"{listing.DOCUMENT}:{name}", "exec"), made.__dict__)
    return made


def pytest_configure(config: Any) -> None:
    """Sections 1, 2 and 4 of the page."""
    import views

    module("models.training", listing.model_with_step())
    views.TrainingView = module("views.training", listing.view()).TrainingView
    exec(listing.registration(), views.__dict__)
    _copy_migrations()
    initialise = installation.install

    def install() -> None:
        """Section 3: the migration is written, and the database brought up to date."""
        initialise()
        installation.write_migration("training")
        initialise()

    installation.install = install


def _copy_migrations() -> None:
    folder = Path(tempfile.mkdtemp(prefix="huying-documented-"))
    shutil.copytree(installation.ROOT / "migrations", folder / "migrations")
    installation.ROOT = folder


def pytest_unconfigure(config: Any) -> None:
    shutil.rmtree(installation.ROOT)
