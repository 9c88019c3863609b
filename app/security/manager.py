"""Flask-AppBuilder's security manager with one permission set per request, session epochs, and limits on signing in."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app, jsonify, request
from flask_appbuilder.security.sqla.manager import SecurityManager
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext
from flask_jwt_extended import JWTManager
from werkzeug.security import check_password_hash, generate_password_hash

from app.database import db, transaction
from models import clock, event, viewer
from models.person import Person, SignInFailure
from models.viewer import Viewer


class TooManyFailures(Exception):
    """The account or the address is locked for a while; the message says how long."""

    def __init__(self, message: Any, seconds: int) -> None:
        super().__init__(message)
        self.message = message
        self.seconds = seconds


@dataclass(frozen=True)
class Known:
    """What signing in must remember of an account after its transaction has ended."""

    password: str | None
    actor: Viewer

    @classmethod
    def of(cls, person: Person, address: str) -> Known:
        county_id = person.organisation.county_id if person.organisation is not None else None
        nothing: frozenset[int] = frozenset()
        actor = Viewer(
            person.id,
            person.name,
            person.organisation_id,
            "",
            county_id,
            nothing,
            nothing,
            frozenset(),
            address=address,
        )
        return cls(person.password, actor)


class HuyingSecurityManager(SecurityManager):
    """Accounts are `Person`; access is judged by the viewer's permission set, never by a query per button."""

    user_model = Person

    def register_views(self) -> None:
        """Register only our own sign-in pages and API; the people who keep accounts use the portal's pages."""
        from app.security.signin import PasswordView, SignInApi, SignInView

        self.auth_view = self.appbuilder.add_view_no_menu(SignInView)
        self.appbuilder.add_view_no_menu(PasswordView)
        self.appbuilder.add_api(SignInApi)

    def create_db(self) -> None:
        """Tables, roles and permissions are made by `init` alone, never by a starting web server (four at once would collide)."""

    def create_jwt_manager(self, app: Flask) -> JWTManager:
        """As Flask-AppBuilder's, but every token that does not serve is answered by 401."""
        manager: JWTManager = super().create_jwt_manager(app)

        def sign_in_again(*_reason: Any) -> Any:
            return jsonify(message=_("Please sign in.")), 401

        manager.invalid_token_loader(sign_in_again)
        manager.unauthorized_loader(sign_in_again)
        manager.user_lookup_error_loader(sign_in_again)
        return manager

    @staticmethod
    def before_request() -> None:
        """`app.requests` sets the person; Flask-AppBuilder would put the cookie's in the token's place."""

    # Access

    def has_access(self, permission_name: str, view_name: str) -> bool:
        person = viewer.current_person()
        return person is not None and person.may(permission_name, view_name)

    def is_item_public(self, permission_name: str, view_name: str) -> bool:
        """Nothing is public; pages without sign-in carry no permission at all."""
        return False

    # Sessions

    def load_user(self, pk: str) -> Person | None:
        """The person of a session or token, as long as it was made in the person's present epoch."""
        number, _, epoch = str(pk).partition(":")
        if not number.isdecimal() or not epoch.isdecimal() or int(number) >= 2**63:
            return None
        with viewer.system():  # a token may be looked up again where nobody is looking yet
            person = db.session.get(Person, int(number))
        if person is None or not person.is_active or (person.session_epoch or 0) != int(epoch):
            return None
        return person

    # Signing in

    def sign_in(self, username: str, password: str, address: str) -> Person | None:
        """Check a password; None for a wrong one. Every attempt is an event, failures count. Raises TooManyFailures while locked."""
        username = username.strip()[:128].replace("\x00", "")
        with viewer.system():
            self._refuse_locked(username, address)
            person = db.session.scalars(sa.select(Person).where(Person.username == username)).one_or_none()
            known = Known.of(person, address) if person is not None and person.is_active else None
            right = self._matches(known, password)
            self._note_attempt(known, username, address, right)
            return db.session.get(Person, known.actor.person_id) if right and known is not None else None

    def confirm(self, person: Person, password: str, address: str) -> bool:
        """Whether a signed-in person knows the present password; wrong ones count as failed sign-ins. Raises TooManyFailures while locked."""
        username = person.username
        with viewer.system():
            self._refuse_locked(username, address)
            known = Known.of(person, address)
            right = self._matches(known, password)
            if not right:
                self._note_attempt(known, username, address, right)
            return right

    @staticmethod
    def _matches(known: Known | None, password: str) -> bool:
        db.session.rollback()  # hashing takes long, and the attempt is noted in a transaction of its own: hold no lock meanwhile
        right = check_password_hash(
            known.password if known is not None and known.password else _unusable_password(), password
        )
        return right and known is not None

    def _refuse_locked(self, username: str, address: str) -> None:
        now, config = clock.now(), current_app.config
        minutes = config["LOGIN_FAILURE_MINUTES"]
        by_account = self._failures(SignInFailure.username == username, now - timedelta(minutes=minutes))
        if by_account >= config["LOGIN_FAILURES"]:
            raise TooManyFailures(
                lazy_ngettext(
                    "Too many wrong passwords. Please try again in %(minutes)d minute or ask your administrator.",
                    "Too many wrong passwords. Please try again in %(minutes)d minutes or ask your administrator.",
                    minutes,
                    minutes=minutes,
                ),
                minutes * 60,
            )
        if (
            self._failures(SignInFailure.address == address, now - timedelta(minutes=1))
            >= config["LOGIN_ADDRESS_PER_MINUTE"]
        ):
            raise TooManyFailures(_l("Too many attempts from your network. Please try again in a minute."), 60)

    @staticmethod
    def _failures(of: sa.ColumnElement[bool], since: Any) -> int:
        query = sa.select(sa.func.count()).select_from(SignInFailure).where(of, SignInFailure.at > since)
        return int(db.session.scalar(query) or 0)

    @staticmethod
    def _note_attempt(known: Known | None, username: str, address: str, right: bool) -> None:
        with transaction() as session:
            if right and known is not None:
                session.execute(sa.delete(SignInFailure).where(SignInFailure.username == username))
                session.execute(
                    sa.update(Person)
                    .where(Person.id == known.actor.person_id)
                    .values(
                        login_count=sa.func.coalesce(Person.login_count, 0) + 1,
                        last_login=clock.now().replace(tzinfo=None),
                    )
                )
            else:
                session.add(SignInFailure(username=username, address=address, at=clock.now()))
            thread = ("sign_in", known.actor.person_id if known is not None else 0)
            event.append_to(
                session,
                thread,
                thread,
                "sign_in",
                "sign_in" if right else "sign_in_failed",
                {"username": username, "address": address},
                county_id=known.actor.county_id if known is not None else None,
                actor=known.actor if known is not None else None,
            )

    def end_sessions(self, person_id: int) -> None:
        """End every session and token of a person (log-out). Ends the request's own transaction first, which would wait for itself on SQLite."""
        db.session.rollback()
        with viewer.system(), transaction() as session:
            session.execute(
                sa.update(Person)
                .where(Person.id == person_id)
                .values(session_epoch=sa.func.coalesce(Person.session_epoch, 0) + 1)
            )

    def set_password(self, person: Person, password: str, *, must_change: bool = False) -> None:
        """Hash and store a password in the present transaction; earlier sessions end with it."""
        person.set_password(password, must_change=must_change)


_UNUSABLE: list[str] = []


def _unusable_password() -> str:
    """A hash that no password has, so that an unknown name takes as long as a known one."""
    if not _UNUSABLE:
        _UNUSABLE.append(generate_password_hash(secrets.token_hex(16)))
    return _UNUSABLE[0]


def client_address() -> str:
    """The address that a request comes from, behind as many proxies as the settings name."""
    return (request.remote_addr or "")[:64]
