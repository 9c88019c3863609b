"""Everything around a page: navigation by work, person, language, unread messages, banners (face, Frame)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app, g, request, session
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app import languages
from app.database import db
from app.portal.addresses import address
from app.portal.deadline import exact
from app.portal.page import Frame, Link, NavEntry, NavGroup
from models import clock, viewer
from models.person import Surroundings
from models.setting import setting
from models.viewer import Viewer


@dataclass(frozen=True)
class Entry:
    """A navigation entry: shown to whom has the permission; `tab` opens a list on one of its saved views."""

    label: Any
    endpoint: str
    resource: str
    """The resource on which `can_list` is needed."""
    tab: str = ""
    roles: frozenset[str] = frozenset()
    """Narrows it to roles whose work it is; empty for everyone with the permission."""
    module: str = ""
    """The setting without which the county has no such entry."""
    counted: tuple[Any, Callable[[Viewer], Any]] | None = None
    """A record type and what waits of it for a person (a condition, or None): the number beside the entry."""


@dataclass(frozen=True)
class Group:
    """A group of the navigation, by work, not by table. One with an `endpoint` is that page; the entries of the others come from the views."""

    name: str
    label: Any
    icon: str
    endpoint: str = ""
    bottom: bool = True


GROUPS = (
    Group("home", _l("Workbench"), "layout-dashboard", endpoint="HomeView.home"),
    Group("cockpit", _l("Leaders' cockpit"), "chart-dots", bottom=False),
    Group("calls", _l("Calls"), "speakerphone"),
    Group("checklists", _l("Checklists"), "list-check"),
    Group("supervision", _l("Supervision"), "eye-check"),
    Group("agencies", _l("Stationed agencies"), "building-community", bottom=False),
    Group("assessment", _l("Assessment"), "chart-bar", bottom=False),
    Group("documents", _l("Documents"), "file-text"),
    Group("directory", _l("Directory"), "address-book", bottom=False),
    Group("administration", _l("Administration"), "settings", bottom=False),
)
"""The groups in their order (face, Frame); their entries come from the registered views (`navigation`)."""


def install(app: Flask) -> None:
    """Give every template its frame."""
    app.context_processor(lambda: {"frame": frame()})
    app.jinja_env.globals["_"] = languages.domain.gettext
    app.jinja_env.globals["address"] = address
    app.jinja_env.globals["zip"] = zip
    app.jinja_env.globals["icon_sprite"] = icon_sprite


def icon_sprite() -> str:
    """The address of the icons; a page has dozens of them."""
    return address("static", filename="vendor/icons.svg")


def frame() -> Frame:
    """The frame of the present request; without navigation where nobody is signed in or a password must be changed first."""
    person = viewer.current_person()
    forced = person is not None and g.user.must_change_password
    locale = session.get("locale", current_app.config["BABEL_DEFAULT_LOCALE"])
    around = g.get("around") or Surroundings()  # which a page of an error may be without
    return Frame(
        navigation=_navigation() if person is not None and not forced else (),
        person=person.name if person else "",
        organisation=_organisation(),
        county=around.county,
        unread=around.unread,
        inbox_url=address("InboxView.list"),
        search_url=address("SearchView.search"),
        languages=tuple((code, one["name"], code == locale) for code, one in current_app.config["LANGUAGES"].items()),
        language_url=address("LanguageView.choose"),
        profile_links=(
            Link(_("My account"), address("ProfileView.show"), "user"),
            Link(_("Change password"), address("PasswordView.change"), "key"),
            Link(_("Who sees what"), address("AccessView.ask"), "eye-check"),
            Link(_("Interface for programs"), address("InterfaceView.show"), "code"),
        ),
        logout_url=address("SignInView.logout"),
        office_phone=around.office_phone,
        version=current_app.config["VERSION"],
        demonstration=around.clock_offset is not None,
        moved_clock=exact(clock.now()) if around.clock_offset else "",
        home_url=address("HomeView.home"),
        canned_url=address("CannedTextView.mine")
        if person is not None and person.may("can_list", "CannedText")
        else "",
        large_text=g.user.large_text if person is not None else None,
        text_url=address("ProfileView.text"),
        counts_url=address("HomeView.counts") if not g.get("failed") else "",
        acting_for="、".join(dict.fromkeys(one.name for one in person.deputed)) if person is not None else "",
    )


def _organisation() -> str:
    user = g.get("user")
    return user.organisation.short_name if viewer.current_person() is not None and user.organisation is not None else ""


COUNTED = 99
"""Numbers beside entries are counted so far."""


def waiting_counts(person: Viewer) -> dict[str, int]:
    """How much waits behind each entry of the navigation, by its address; in one statement, each counted to the cap only.

    The page asks for it when it is there: among a million calls counting takes longer than the page itself.
    """
    wanted = []
    for view in current_app.extensions["appbuilder"].navigated:
        for entry in view.navigation():
            if entry.counted is None or not person.may("can_list", entry.resource):
                continue
            if entry.roles and not person.has_role(*entry.roles):
                continue
            model, waiting = entry.counted
            where = waiting(person)
            if where is not None:
                some = sa.select(model.id).where(where).limit(COUNTED + 1).subquery()
                wanted.append((entry, sa.select(sa.func.count()).select_from(some).scalar_subquery()))
    if not wanted:
        return {}
    row = db.session.execute(sa.select(*(count for _entry, count in wanted))).one()
    return {_address(entry): int(count) for (entry, _count), count in zip(wanted, row, strict=True)}


def _address(entry: Entry) -> str:
    return address(entry.endpoint, tab=entry.tab or None)


def shown(entry: Entry, person: Viewer) -> bool:
    """Whether a navigation entry is there for a person."""
    if not person.may("can_list", entry.resource) or (entry.roles and not person.has_role(*entry.roles)):
        return False
    if not entry.module:
        return True
    return person.county_id is not None and bool(setting(db.session(), person.county_id, entry.module))


def _navigation() -> tuple[NavGroup, ...]:
    person = viewer.current_person()
    assert person is not None
    found = []
    views = current_app.extensions["appbuilder"].navigated
    for group in GROUPS:
        if group.endpoint:
            found.append(
                NavGroup(
                    str(group.label),
                    group.icon,
                    address(group.endpoint),
                    active=request.endpoint == group.endpoint,
                    bottom=group.bottom,
                )
            )
            continue
        entries = []
        offered = [entry for view in views if view.group == group.name for entry in view.navigation()]
        for entry in offered:
            if not shown(entry, person):
                continue
            here = request.endpoint == entry.endpoint and request.args.get("tab", "") == entry.tab
            entries.append(NavEntry(str(entry.label), _address(entry), here, entry.counted is not None))
        if entries:
            view = (request.endpoint or "").partition(".")[0]
            active = any(entry.endpoint.partition(".")[0] == view for entry in offered)
            found.append(
                NavGroup(str(group.label), group.icon, entries=tuple(entries), active=active, bottom=group.bottom)
            )
    return tuple(found)
