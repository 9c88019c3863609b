"""What cannot be done, and why: each with its status (spec 4) and a sentence for the person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask_babel import lazy_gettext as _l

from models.field import Text


class Refused(Exception):
    """A transition or change that cannot be done; carries the status of spec 4 and a sentence for the person."""

    status = 400

    def __init__(self, message: Text, errors: Mapping[str, Sequence[Text]] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.errors = dict(errors or {})


class NotFound(Refused):
    """404: there is no such record for this person."""

    status = 404

    def __init__(self, message: Text = None) -> None:
        super().__init__(message or _l("This record does not exist, or it is not yours to see."))


class Forbidden(Refused):
    """403: never yours to do."""

    status = 403

    def __init__(self, message: Text = None) -> None:
        super().__init__(message or _l("Your role does not include this step."))


class Conflict(Refused):
    """409: not in this state, or the record has changed meanwhile."""

    status = 409


class Stale(Conflict):
    """409: somebody else changed the record after it was shown."""


class Invalid(Refused):
    """422: fields; `errors` has a list of sentences for each field's name."""

    status = 422

    def __init__(self, errors: Mapping[str, Text | Sequence[Text]]) -> None:
        listed = {name: list(found) if isinstance(found, list | tuple) else [found] for name, found in errors.items()}
        super().__init__(_l("Please check what you entered."), listed)
