"""Commands of `flask --app app …` (spec 4)."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import sqlalchemy as sa
from flask import Flask, current_app
from flask.cli import with_appcontext
from flask_appbuilder.security.sqla.models import Role
from flask_babel import force_locale

import reports
from app.database import db, transaction
from app.demonstration.command import demo
from app.installation import NothingToWrite, write_migration
from app.installation import install as initialise
from app.jobs import queue
from app.jobs.background import at_work
from app.jobs.relay import Relay, Relayed
from app.portal.imports.checklists import draft_of, read_items
from app.portal.imports.reading import Unreadable
from app.security.passwords import weakness
from models import clock, event, viewer
from models.foundation import first_accounts
from models.notification import Demonstration
from models.organisation import Organisation, OrganisationKind
from models.person import Person
from models.sweep import sweep as sweep_once
from models.viewer import ADMINISTRATORS


@click.command("init")
@with_appcontext
def init() -> None:
    """Bring tables, roles and permissions up to date. Several at once do not collide."""
    initialise()
    click.echo("The database is up to date.")


@click.command("migration")
@click.argument("subject")
@with_appcontext
def migration(subject: str) -> None:
    """Write the migration for what the models declare and the database does not have yet; SUBJECT becomes part of its name."""
    initialise()
    try:
        click.echo(f"Written: {write_migration(subject)}. Please read it before you run `flask --app app init`.")
    except NothingToWrite:
        raise click.ClickException("The database already has everything that the models declare.") from None


@click.command("sweep")
@with_appcontext
def sweep() -> None:
    """Take every step of the overdue ladder that is due now, then relay what came of it."""
    with at_work(_app()):
        swept = sweep_once(transaction)
        click.echo(f"{swept.steps} steps taken, {swept.reminders} reminder slips issued.")
        _tell(_relay())


@click.command("relay")
@with_appcontext
def relay() -> None:
    """Turn events into notifications, and queue the jobs that are wanted."""
    with at_work(_app()):
        _tell(_relay())


@click.command("clock")
@click.option(
    "--at",
    "instant",
    metavar="TIME",
    help="Let the clock go on from this local time, such as “2026-11-25 09:00”, or an ISO 8601 instant.",
)
@click.option("--reset", is_flag=True, help="Let the clock show the machine's time again.")
@with_appcontext
def clock_command(instant: str | None, reset: bool) -> None:
    """Show or move the demonstration's clock; web, worker and sweep obey it."""
    if instant is not None and reset:
        raise click.UsageError("Give either --at or --reset.")
    zone = ZoneInfo(current_app.config["TIMEZONE"])
    with viewer.system(), transaction() as session:
        demonstration = session.scalars(sa.select(Demonstration).with_for_update()).first()
        if demonstration is None:
            raise click.ClickException(
                "Only a demonstration's clock can be moved, and no demonstration data are loaded."
            )
        if reset:
            demonstration.clock_offset = 0.0
        elif instant is not None:
            demonstration.clock_offset = (_instant(instant, zone) - clock.machine_now()).total_seconds()
        offset = timedelta(seconds=demonstration.clock_offset)
    shown = (clock.machine_now() + offset).astimezone(zone)
    click.echo(f"The clock shows {shown:%Y-%m-%d %H:%M}" + (" (moved)." if offset else "."))


@click.command("verify-audit")
@with_appcontext
def verify_audit() -> None:
    """Walk the audit trail; name every event that was altered, removed or inserted. Exit status 1 if there is any."""
    with viewer.system(), db.session.session_factory() as session:
        faults = 0
        for fault in event.verify(session):
            faults += 1
            click.echo(f"{fault.thread} event {fault.sequence}: {fault.what}")
    if faults:
        click.echo(f"{faults} faults found.")
        raise SystemExit(1)
    click.echo("The audit trail is complete and unaltered.")


@click.command("render-samples")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@with_appcontext
def render_samples(folder: Path) -> None:
    """Render every kind of document with its sample contexts into FOLDER, to look at."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in reports.KINDS.values():
        for name, sample in kind.samples.items():
            path = folder / f"{kind.name}-{name}.pdf"
            path.write_bytes(reports.render(kind.name, sample.to_json()))
            click.echo(path)


@click.command("import-checklist")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--county", "county_name", help="Name of the county; needed where the installation serves several.")
@click.option("--name", help="Name of the list; “<county>属地管理责任清单” unless given.")
@with_appcontext
def import_checklist(file: Path, county_name: str | None, name: str | None) -> None:
    """Put the items of a JSON or Excel FILE into a new draft version of a county's list."""
    with viewer.system(), force_locale("en"), transaction() as session:
        found = sa.select(Organisation).where(Organisation.kind == OrganisationKind.county)
        if county_name is not None:
            found = found.where(sa.or_(Organisation.name == county_name, Organisation.short_name == county_name))
        counties = session.scalars(found).all()
        if len(counties) != 1:
            raise click.ClickException(
                "There is no such county." if not counties else "There are several counties: name one with --county."
            )
        try:
            items = read_items(file.read_bytes())
        except Unreadable as refused:
            raise click.ClickException(str(refused.message)) from None
        made, unresolved = draft_of(session, counties[0], name or f"{counties[0].name}属地管理责任清单", items)
        click.echo(f"{len(items)} items imported into “{made.name}”, version {made.edition}, a draft.")
        for duty in unresolved:
            click.echo(f"  item {duty.item.number}: “{duty.party}” is no known organisation and stays as text")


@click.command("create-admin")
@click.option("--username", prompt="Account name")
@click.option("--name", prompt="Name of the person")
@click.option("--email", prompt="E-mail address")
@click.option(
    "--role",
    type=click.Choice(sorted(ADMINISTRATORS)),
    default="system_administrator",
    help="Which of the three administrators (default: system_administrator).",
)
@click.password_option()
@with_appcontext
def create_admin(username: str, name: str, email: str, role: str, password: str) -> None:
    """Make the account of an administrator of the whole installation. The system administrator makes all other accounts, the security
    administrator gives them their roles."""
    username, name, email = username.strip(), name.strip(), email.strip()
    if not username or not name or not email:
        raise click.ClickException("Account name, name and e-mail address are needed.")
    with force_locale("en"):
        problem = weakness(password, username)
        if problem is not None:
            raise click.ClickException(str(problem))
    with viewer.system(), transaction() as session:
        taken = session.scalars(
            sa.select(Person.username).where(sa.or_(Person.username == username, Person.email == email))
        ).first()
        if taken is not None:
            raise click.ClickException(f"The account name or the e-mail address is already in use by “{taken}”.")
        held = session.scalars(sa.select(Role).where(Role.name == role)).one_or_none()
        if held is None:
            raise click.ClickException("The roles are missing. Please run `flask --app app init` first.")
        person = Person(
            username=username,
            first_name=name,
            last_name="",
            email=email,
            active=True,
            session_epoch=secrets.randbelow(2**16),
        )
        person.roles = [held]
        current_app.extensions["appbuilder"].sm.set_password(person, password)
        session.add(person)
    click.echo(f"The account {username} was made.")


@click.command("first-accounts")
@with_appcontext
def first_accounts_command() -> None:
    """Make the accounts of the three administrators in an installation without any, and print their passwords, once."""
    with viewer.system(), transaction() as session:
        try:
            passwords = first_accounts(session)
        except LookupError:
            raise click.ClickException("The roles are missing. Please run `flask --app app init` first.") from None
    for username, password in passwords.items():
        click.echo(f"  {username:<10} {password}")
    if passwords:
        click.echo("These passwords are shown once and must be changed at the first sign-in.")


def _app() -> Flask:
    """The application itself, not the stand-in for it."""
    return current_app._get_current_object()  # type: ignore[attr-defined]  # typed as the application, not as its stand-in


def _relay() -> Relayed:
    return Relay(queue.connect(current_app.config["REDIS_URL"])).run()


def _tell(relayed: Relayed) -> None:
    click.echo(
        f"{relayed.events} events relayed, {relayed.notifications} notifications made, {relayed.jobs} jobs queued."
    )


def _instant(text: str, zone: ZoneInfo) -> datetime:
    """A point in time; without a zone it is the county's local time."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("a time looks like “2026-11-25 09:00”", param_hint="--at") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)


COMMANDS = (
    init,
    migration,
    demo,
    sweep,
    relay,
    clock_command,
    verify_audit,
    render_samples,
    import_checklist,
    create_admin,
    first_accounts_command,
)
