"""The application: one factory, used by the web server, the worker, the scheduler and the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from flask import Flask
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

import config as configuration


def create_app(overrides: Mapping[str, Any] | None = None) -> Flask:
    """Make the application from the environment's settings; `overrides` replace single ones (tests)."""
    from app import commands, errors, headers, health, languages, logs, papers, requests
    from app.database import db, prepare_engine
    from app.portal import frame
    from app.portal.builder import Portal
    from app.security import row_filter
    from app.security.manager import HuyingSecurityManager
    from models import event
    from views import register

    app = Flask(__name__, template_folder="templates", static_folder="static")
    app.config.update(configuration.load(os.environ))
    app.config.update(overrides or {})
    logs.configure(app.config["LOG_FORMAT"])
    if app.config["PROXY_COUNT"]:
        count = app.config["PROXY_COUNT"]
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]  # Flask's documented way
    db.init_app(app)
    event.use_key(app.config["AUDIT_KEY"].encode())
    row_filter.install()
    papers.install(app.config["FONT_DIR"])
    headers.install(app)
    languages.install(app)
    requests.install(app)
    CSRFProtect(app)  # after the request is opened, so that a refusal is told to the person who is signed in
    health.install(app)
    errors.install(app)
    frame.install(app)
    with app.app_context():
        prepare_engine(db.engine)
        portal = Portal(security_manager_class=HuyingSecurityManager)
        portal.init_app(app, db.session)
        register(portal)
    commands.install(app)
    return app
