"""Links by which an alarm is confirmed: signed, short lived, for exactly one person and one assignment.

A link carries no right: it leads through the sign-in to a page with one button, and the step behind it is judged like any other.
It can be used once, because an alarm can be confirmed once.
"""

from __future__ import annotations

from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer

LINK_SECONDS = 2 * 3600
"""How long a link is good: an alarm that nobody answered for so long has reached the leaders by other ways."""


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="confirm an alarm")


def alarm_token(assignment_id: int, person_id: int) -> str:
    return str(_signer().dumps([assignment_id, person_id]))


def read_alarm_token(token: str, person_id: int) -> int | None:
    """The assignment that a token names; None where it is forged, too old, or another person's."""
    try:
        assignment_id, named = _signer().loads(token, max_age=LINK_SECONDS)
    except BadData:
        return None
    return int(assignment_id) if named == person_id else None
