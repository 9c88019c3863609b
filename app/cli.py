"""Commands of `flask --app app …` (spec 4)."""

from __future__ import annotations

from flask import Flask

from app.installation import install as initialise
import click


def install(app: Flask) -> None:
    """Register the commands."""

    @app.cli.command("init")
    def init() -> None:
        """Bring tables, roles and permissions up to date. Several at once do not collide."""
        initialise()
        click.echo("The database is up to date.")
