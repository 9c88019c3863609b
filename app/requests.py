"""The life of a request: who looks, at what time, with which kind of transaction (rule 2, step 1; design, decision 2)."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask, Response, current_app, flash, g, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_jwt_extended import get_current_user, verify_jwt_in_request
from flask_jwt_extended.exceptions import JWTExtendedException
from flask_login import current_user, logout_user
from jwt.exceptions import PyJWTError
from werkzeug.exceptions import SecurityError

from app.database import db, writing
from app.security.manager import client_address
from models import clock, viewer
from models.notification import Demonstration
from models.person import Person, Surroundings, look_up
from models.refusal import Forbidden

OPEN_ENDPOINTS = {"static", "appbuilder.static", "Health.health", "Health.ready", "Health.metrics"}
"""Answered without looking at the database for a person."""


def install(app: Flask) -> None:
    """Open and close every request."""
    app.before_request(_open)
    app.before_request(_guard_session)
    app.teardown_request(_close)
    app.after_request(_no_store)


def _open() -> None:
    if isinstance(request.routing_exception, SecurityError):
        raise request.routing_exception  # called under a foreign name: nobody is looked up, and no address can be made
    stack: ExitStack = ExitStack()
    g.request_stack = stack
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        stack.enter_context(writing())
    if request.endpoint in OPEN_ENDPOINTS:
        stack.enter_context(viewer.viewing(None))
        return
    with viewer.system():
        person = _person()
        looking = None
        if person is None:
            around = Surroundings(clock_offset=_clock_offset())
        else:
            g.user = person
            looking, around = look_up(db.session(), person, address=client_address())
    g.viewer, g.around = looking, around
    if around.clock_offset:
        stack.enter_context(clock.moved(timedelta(seconds=around.clock_offset)))
    stack.enter_context(viewer.viewing(looking))


def _person() -> Person | None:
    """Whoever the session cookie or, for the API, the bearer token names. A token does not open pages, a cookie does not open the API."""
    if request.path.startswith("/api/"):
        try:
            if verify_jwt_in_request(optional=True, refresh=request.path.endswith("/security/refresh")) is None:
                return None
        except (JWTExtendedException, PyJWTError):
            return None  # the protected endpoint answers 401 itself
        return get_current_user()
    person = current_user
    return person._get_current_object() if person.is_authenticated else None


def _clock_offset() -> float | None:
    """Seconds by which the clock of a demonstration is moved, for whoever is not signed in; None where this is none."""
    found = db.session.execute(sa.select(Demonstration.clock_offset).limit(1)).one_or_none()
    return float(found[0]) if found is not None else None


def _guard_session() -> Any:
    """End sessions that were idle or old; keep people with a handed-out password on the page where they change it."""
    person = viewer.current_person()
    if person is None or request.endpoint in OPEN_ENDPOINTS:
        return None
    if request.path.startswith("/api/"):
        if g.user.must_change_password:
            raise Forbidden(_("Please sign in by the browser and change your handed-out password first."))
        return None
    now = clock.machine_now().timestamp()
    started, seen = session.get("started"), session.get("seen")
    idle, longest = current_app.config["SESSION_IDLE_MINUTES"] * 60, current_app.config["SESSION_MAX_HOURS"] * 3600
    if (
        not isinstance(started, float | int)
        or not isinstance(seen, float | int)
        or now - seen > idle
        or now - started > longest
    ):
        logout_user()
        session.clear()
        flash(_("Your session has ended. Please sign in again."), "warning")
        return redirect(url_for("SignInView.login", next=request.full_path if request.method == "GET" else None))
    session["seen"] = now
    if g.user.must_change_password and request.endpoint not in (
        "PasswordView.change",
        "SignInView.logout",
        "LanguageView.choose",
    ):
        return redirect(url_for("PasswordView.change"))
    return None


def _close(error: BaseException | None) -> None:
    stack: ExitStack | None = g.pop("request_stack", None)
    if stack is not None:
        stack.close()


def _no_store(response: Response) -> Response:
    """Pages of a signed-in person stay out of shared and back-button caches."""
    if request.endpoint not in ("static", "appbuilder.static") and "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response
