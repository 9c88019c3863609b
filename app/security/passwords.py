"""Password rules, the same for pages and commands (spec 5)."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from models.field import Text

SHORTEST, LONGEST = 10, 128
SORTS = 3


def weakness(password: str, username: str) -> Text | None:
    """Why a password is refused, None for a good one: ten characters or more, of three sorts, without the account's name."""
    sorts = sum(
        (
            any(c.islower() for c in password),
            any(c.isupper() for c in password),
            any(c.isdigit() for c in password),
            any(not c.isalnum() for c in password),
        )
    )
    if not SHORTEST <= len(password) <= LONGEST or sorts < SORTS or "\x00" in password:
        return _l("Please choose at least 10 characters with three of: small letters, capital letters, digits, signs.")
    if username.lower() in password.lower():
        return _l("The password must not contain your account name.")
    return None
