"""Error pages and answers: a sentence that says what happened and what to do (face, Words)."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Flask, Response, g, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException, SecurityError

from app.database import db
from app.portal.page import Button, ErrorPage
from models import viewer
from models.refusal import Refused

log = structlog.get_logger(__name__)


def install(app: Flask) -> None:
    """Answer every error in the portal's own words."""
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(StaleDataError, _stale)
    app.register_error_handler(CSRFError, _expired_form)
    app.register_error_handler(SecurityError, _foreign_host)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(Exception, _unexpected)


def wants_json() -> bool:
    return request.path.startswith("/api/")


def answer(status: int, text: str, errors: dict[str, list[str]] | None = None) -> Any:
    """An error as a page, or for a program as JSON (spec 4: 422 is `{field: [message]}` everywhere)."""
    if wants_json():
        return jsonify(errors or {"message": text}), status
    titles = {
        400: _("This request could not be understood"),
        401: _("Please sign in"),
        403: _("This is not yours to do"),
        404: _("Not found"),
        405: _("This request could not be understood"),
        409: _("Not possible now"),
        410: _("Erased"),
        413: _("Too large"),
        422: _("Please check what you entered"),
        429: _("Too many attempts"),
        503: _("Just a moment"),
        507: _("No room"),
    }
    page = ErrorPage(
        status=status,
        title=titles.get(
            status, _("Something went wrong") if status >= 500 else _("This request could not be understood")
        ),
        text=text,
        buttons=(Button(_("To the home page"), url_for("HomeView.home"), icon="home", primary=True),),
    )
    g.failed = True
    return render_template("error.html", page=page), status


def _refused(error: Refused) -> Any:
    db.session.rollback()
    return answer(
        error.status,
        str(error.message),
        {name: [str(one) for one in found] for name, found in error.errors.items()} or None,
    )


def _stale(error: StaleDataError) -> Any:
    db.session.rollback()
    return answer(
        409, _("Somebody else changed this record at the same moment. Nothing was changed; please try again.")
    )


def _expired_form(error: CSRFError) -> Any:
    """A form from before a log-out or another session. What was typed is kept by the browser's draft."""
    if wants_json():
        return answer(400, str(error.description))
    if viewer.current_person() is None:
        return answer(
            400,
            _(
                "Your session has ended. Please sign in again; what you typed has been kept where the page keeps drafts."
            ),
        )
    return answer(400, _("This page was open too long. Please go back, load it again and repeat the step."))


def _foreign_host(error: SecurityError) -> Response:
    """Called under a name that TRUSTED_HOSTS does not have. Plain words: no address of the portal can be made for such a request."""
    return Response(
        f"{_('This portal is not known under the name by which it was called.')}\n", 400, mimetype="text/plain"
    )


def _http(error: HTTPException) -> Any:
    status = error.code or 500
    if isinstance(error.response, Response) or status in (301, 302, 303, 304, 307, 308):
        return error
    if status == 401 or (status == 403 and viewer.current_person() is None and not wants_json()):
        if wants_json():
            return answer(401, _("Please sign in."))
        return redirect(url_for("SignInView.login", next=request.full_path if request.method == "GET" else None))
    sentences = {
        400: _("Something in this address or form is not as expected. Please go back and try again."),
        403: _("Your role does not include this page. If you need it for your work, ask your administrator."),
        404: _("This page or record does not exist, or it is not yours to see."),
        405: _("This address does not take that kind of request."),
        413: _("The file or text is too large."),
        429: _("There were too many attempts from here. Please wait a minute and try again."),
    }
    db.session.rollback()
    return answer(status, sentences.get(status, _("Please go back and try again.")))


def _database(error: DBAPIError) -> Any:
    """The database refuses: locked, gone, or a value that it cannot hold."""
    db.session.rollback()
    log.error("database", error=type(error.orig).__name__, detail=str(error.orig)[:300], path=request.path)
    state = getattr(error.orig, "sqlstate", "") or ""
    if state.startswith("23") or type(error.orig).__name__ == "IntegrityError":
        return answer(
            409,
            _(
                "This contradicts another record, perhaps one saved at the same moment. Nothing was changed; please look again."
            ),
        )
    if state.startswith("22") or type(error.orig).__name__ in ("DataError", "OverflowError"):
        return answer(422, _("A value is too large or not of the right kind."))
    return answer(
        503, _("The database does not answer at the moment. Nothing was changed; please try again in a minute.")
    )


def _unexpected(error: Exception) -> Any:
    db.session.rollback()
    log.exception("unexpected", path=request.path)
    return answer(
        500,
        _(
            "An unexpected error occurred; it has been noted. Nothing was changed. If it happens again, please call the office."
        ),
    )
