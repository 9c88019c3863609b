"""The words of notifications: by kind, read in the reader's language.

They name a call's number and what is to be done, never a person (document texts, 14).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import format_datetime
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from models.call import AssignmentRole
from models.field import Text
from models.notification import Notification


@dataclass(frozen=True)
class Wording:
    """Title and text of a kind; placeholders are the notification's values, as `_READ` reads them."""

    title: Text
    text: Text


WORDINGS: dict[str, Wording] = {
    "submitted": Wording(_l("New call"), _l("%(call)s from %(township)s waits for acceptance.")),
    "emergency_alarm": Wording(
        _l("Emergency call"),
        _l("%(township)s has raised the emergency call %(call)s; the departments have been alarmed."),
    ),
    "dispatched": Wording(
        _l("New matter for your department"),
        _l("A new matter was dispatched to you (%(call)s, %(role)s). Please respond by %(due)s."),
    ),
    "emergency": Wording(
        _l("Emergency call"),
        _l(
            "Emergency call %(call)s from %(township)s. Please contact %(township)s at once, arrive or respond by %(due)s."
        ),
    ),
    "emergency_phone": Wording(
        _l("Emergency call"),
        _l(
            "Emergency call %(call)s from %(township)s. Please call %(township)s on %(phone)s at once, arrive or respond by %(due)s."
        ),
    ),
    "responded": Wording(_l("Department responded"), _l("%(department)s has responded to %(call)s.")),
    "reported": Wording(_l("Department reported"), _l("%(department)s has reported on %(call)s.")),
    "evaluation_wanted": Wording(
        _l("Waiting for your evaluation"),
        _l("The departments have reported on %(call)s. Please evaluate (about 1 minute)."),
    ),
    "again": Wording(
        _l("To be handled again"),
        _l("The township asks your department to handle %(call)s again. Please report by %(due)s."),
    ),
    "withdrawn": Wording(_l("Call withdrawn"), _l("%(township)s has withdrawn %(call)s.")),
    "amber": Wording(_l("Deadline is near"), _l("%(call)s is due on %(due)s. Please %(action)s in time.")),
    "overdue": Wording(
        _l("Deadline has passed"), _l("%(call)s was due on %(due)s. The reminder slip %(number)s has been issued.")
    ),
    "deadline_moved": Wording(
        _l("Deadline recomputed"),
        _l("The working calendar changed: %(call)s is now due on %(due)s."),
    ),
    "director_sheet": Wording(
        _l("The morning's sheet"),
        _l(
            "Due today: %(due_today)s. Overdue: %(overdue)s. Emergencies since offices closed: %(emergencies)s. "
            "Expired clocks: %(expired)s. Slips to be signed: %(slips)s."
        ),
    ),
    "closed_as_missed": Wording(
        _l("Closed as not handled"), _l("%(call)s was closed as not handled by %(department)s.")
    ),
}


def _instant(value: str) -> str:
    return str(format_datetime(datetime.fromisoformat(value), _("MM-dd HH:mm")))


def _action(clock: str) -> str:
    return _("respond") if clock == "respond" else _("report the result")


_READ: Mapping[str, Callable[[Any], str]] = {
    "due": _instant,
    "role": lambda value: str(AssignmentRole(value).label),
    "action": _action,
}
"""How a kept value reads; others are texts already."""


def text_of(notification: Notification) -> tuple[str, str]:
    """Title and text in the present reader's language."""
    wording = WORDINGS[notification.kind]
    values = {name: _READ.get(name, str)(value) for name, value in notification.values.items()}
    return str(wording.title), str(wording.text) % values
