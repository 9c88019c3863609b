"""Signing in and out, changing one's password, by page and by API."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Response, current_app, flash, g, redirect, render_template, request, session, url_for
from flask_appbuilder import expose
from flask_appbuilder.api import safe
from flask_appbuilder.baseviews import BaseView
from flask_appbuilder.security.api import SecurityApi
from flask_appbuilder.security.decorators import no_cache
from flask_appbuilder.security.forms import LoginForm_db
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_jwt_extended import create_access_token, create_refresh_token
from flask_login import login_user, logout_user
from flask_wtf import FlaskForm
from wtforms import PasswordField
from wtforms.validators import InputRequired, ValidationError

from app.database import db
from app.portal.page import FormPage
from app.security.manager import TooManyFailures, client_address
from app.security.passwords import weakness
from models import viewer
from models.clock import machine_now
from models.person import Person


def safe_target(target: str | None) -> str:
    """A page of this portal to go on to; the home page for anything else (no open redirect)."""
    home: str = url_for("HomeView.home")
    if not target:
        return home
    try:
        parts = urlsplit(target)
    except ValueError:  # what is no address at all, such as `http://[`
        return home
    if parts.scheme or parts.netloc:
        if (parts.scheme, parts.netloc) != (request.scheme, request.host):
            return home
        target = parts.path + (f"?{parts.query}" if parts.query else "")
    if not target.startswith("/") or target.startswith("//") or "\\" in target or any(ord(c) < 32 for c in target):
        return home
    return target


class SignInView(BaseView):
    """The sign-in page and signing out."""

    route_base = "/"
    default_view = "login"

    @expose("/login/", methods=["GET", "POST"])
    @no_cache
    def login(self) -> Any:
        target = safe_target(request.args.get("next"))
        if viewer.current_person() is not None:
            return redirect(target)
        form = LoginForm_db()
        status = 200
        if form.validate_on_submit():
            try:
                person = self.appbuilder.sm.sign_in(form.username.data, form.password.data, client_address())
            except TooManyFailures as locked:
                flash(locked.message, "danger")
                return _locked(locked, render_template("login.html", form=form))
            if person is not None:
                locale = session.get("locale")
                session.clear()
                login_user(person)
                session["started"] = session["seen"] = machine_now().timestamp()
                session["locale"] = person.locale or locale or current_app.config["BABEL_DEFAULT_LOCALE"]
                return redirect(url_for("PasswordView.change") if person.must_change_password else target)
            flash(_("The name or the password is wrong."), "danger")
            status = 401
        return render_template("login.html", form=form), status

    @expose("/logout/", methods=["POST"])
    def logout(self) -> Any:
        person = viewer.current_person()
        logout_user()
        locale = session.get("locale")
        session.clear()
        if locale:
            session["locale"] = locale
        if person is not None:
            self.appbuilder.sm.end_sessions(person.person_id)
        flash(_("You have signed out."), "success")
        return redirect(url_for("SignInView.login"))


def _locked(locked: TooManyFailures, page: str) -> Response:
    """A page shown again while the account or the address is locked; says when to come back."""
    return Response(page, 429, headers={"Retry-After": str(locked.seconds)})


def check_new_password(form: FlaskForm, field: PasswordField) -> None:
    """Refuse a weak password."""
    problem = weakness(field.data or "", g.user.username)
    if problem is not None:
        raise ValidationError(str(problem))


class PasswordForm(FlaskForm):
    """Old password and the new one twice."""

    present = PasswordField(_l("Present password"), [InputRequired(_l("Please fill in this field."))])
    wanted = PasswordField(_l("New password"), [InputRequired(_l("Please fill in this field.")), check_new_password])
    again = PasswordField(_l("New password again"), [InputRequired(_l("Please fill in this field."))])

    def validate_present(self, field: PasswordField) -> None:
        if not current_app.extensions["appbuilder"].sm.confirm(g.user, field.data or "", client_address()):
            raise ValidationError(_("This is not your present password."))

    def validate_again(self, field: PasswordField) -> None:
        if field.data != self.wanted.data:
            raise ValidationError(_("The two new passwords differ."))

    def validate_wanted(self, field: PasswordField) -> None:
        if field.data == self.present.data:
            raise ValidationError(_("Please choose a password other than the present one."))


class PasswordView(BaseView):
    """Changing one's own password; the only page open while a handed-out password has not been changed."""

    route_base = "/password"
    default_view = "change"

    @expose("/", methods=["GET", "POST"])
    @no_cache
    def change(self) -> Any:
        if viewer.current_person() is None:
            return redirect(url_for("SignInView.login"))
        form = PasswordForm()
        try:
            complete = form.validate_on_submit()
        except TooManyFailures as locked:
            flash(locked.message, "danger")
            return _locked(
                locked, render_template("password.html", page=self._page(form), forced=g.user.must_change_password)
            )
        if complete:
            person = db.session.get(Person, g.user.id)
            assert person is not None
            self.appbuilder.sm.set_password(person, form.wanted.data)
            db.session.commit()
            login_user(person)
            flash(_("Your password has been changed. All your other sessions have ended."), "success")
            return redirect(url_for("HomeView.home"))
        return render_template(
            "password.html", page=self._page(form), forced=g.user.must_change_password
        ), 422 if form.errors else 200

    @staticmethod
    def _page(form: PasswordForm) -> FormPage:
        return FormPage(
            title=_("Change password"),
            form=form,
            action_url=url_for("PasswordView.change"),
            submit_label=_("Change password"),
            cancel_url="" if g.user.must_change_password else url_for("HomeView.home"),
            intro=_("This password was handed out to you. Please choose your own before you go on.")
            if g.user.must_change_password
            else "",
        )


class SignInApi(SecurityApi):
    """`/api/v1/security/login`: as Flask-AppBuilder's, but counted, limited, and tied to the session epoch."""

    @expose("/login", methods=["POST"])
    @safe
    def login(self) -> Response:
        """Give an access token for a name and a password.
        ---
        post:
          description: Authenticate and get a JWT access token, with `refresh` a refresh token too
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  type: object
                  properties:
                    username: {type: string}
                    password: {type: string}
                    provider: {type: string, enum: [db]}
                    refresh: {type: boolean}
          responses:
            200:
              description: Authentication successful
              content:
                application/json:
                  schema:
                    type: object
                    properties:
                      access_token: {type: string}
                      refresh_token: {type: string}
            400:
              $ref: '#/components/responses/400'
            401:
              $ref: '#/components/responses/401'
            429:
              description: Too many failures
        """
        given = request.get_json(silent=True)
        if (
            not isinstance(given, dict)
            or not isinstance(given.get("username"), str)
            or not isinstance(given.get("password"), str)
        ):
            return self.response_400(message=_("Please send username and password as JSON."))
        try:
            person = self.appbuilder.sm.sign_in(given["username"], given["password"], client_address())
        except TooManyFailures as locked:
            response = self.response(429, message=str(locked.message))
            response.headers["Retry-After"] = str(locked.seconds)
            return response
        if person is None:
            return self.response_401()
        if person.must_change_password:
            return self.response(
                403, message=_("Please sign in by the browser and change your handed-out password first.")
            )
        tokens = {"access_token": create_access_token(identity=person.get_id(), fresh=True)}
        if given.get("refresh"):
            tokens["refresh_token"] = create_refresh_token(identity=person.get_id())
        return self.response(200, **tokens)
