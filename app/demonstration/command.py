"""`flask --app app demo`: load the demonstration county (spec 4)."""

from __future__ import annotations

from datetime import datetime

import click
from flask.cli import with_appcontext

from app.demonstration.loading import CannotLoad, load


@click.command("demo")
@click.option("--seed", type=int, default=2026, show_default=True, help="The same seed and day give the same data.")
@click.option(
    "--today",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="The day at which the months of calls end (default: the present one).",
)
@with_appcontext
def demo(seed: int, today: datetime | None) -> None:
    """Load the demonstration county into an empty installation."""
    try:
        load(seed=seed, today=today.date() if today is not None else None, progress=click.echo)
    except CannotLoad as error:
        raise click.ClickException(str(error)) from error
