"""The commands of `flask --app app …`, loaded when one is asked for: a web server that starts needs none of them."""

from __future__ import annotations

from typing import Any

import click
from flask import Flask
from flask.cli import AppGroup


class Commands(AppGroup):
    """A group that imports `app.cli` when it is first looked into."""

    def _load(self) -> None:
        from app.cli import COMMANDS

        for command in COMMANDS:
            self.add_command(command)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        self._load()
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._load()
        return super().list_commands(ctx)


def install(app: Flask) -> None:
    """Give the application its commands."""
    group: Any = Commands(app.name)
    app.cli = group
