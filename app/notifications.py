"""Texts of messages to people, without personal data (document texts, 14)."""

from __future__ import annotations

from flask_babel import gettext as _

from models.notification import Notification


def text_of(notification: Notification) -> tuple[str, str]:
    """Title and text of a message in the reader's language."""
    return _("Message"), notification.kind
