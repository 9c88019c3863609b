"""Whether a county's own wording of a document can be printed: its placeholders are known, its blocks closed, its characters there."""

from __future__ import annotations

import re

from flask_babel import gettext as _

import reports
from reports.passage import PassageError

UNKNOWN = re.compile(r"no placeholder \{(\w+)\}")


def wrong_with(kind: str, name: str, text: str) -> str:
    """What is wrong with a wording, in the reader's language; empty if nothing is."""
    if kind not in reports.KINDS:
        return _("There is no such kind of document.")
    if not text.strip():
        return _("A wording is not empty. Take the factory's again if you do not want your own.")
    missing = reports.missing_glyphs(text)
    if missing:
        return _("No face can print %(characters)s.", characters="、".join(missing))
    try:
        reports.KINDS[kind].check_texts({name: text})
    except PassageError as error:
        unknown = UNKNOWN.search(str(error))
        if unknown is not None:
            return _("This document has nothing called {%(name)s}.", name=unknown[1])
        return _("This wording is not well formed: %(reason)s.", reason=str(error))
    return ""
