"""Words in the reader's language, looked up once for each request instead of once for each word."""

from __future__ import annotations

from typing import Any

from flask import Flask, g
from flask_babel import Domain, get_locale


class RequestDomain(Domain):
    """Flask-Babel's catalogue, which finds out the language and its catalogue anew for every word: some hundreds on a page of a list."""

    def get_translations(self) -> Any:
        locale = get_locale()
        kept = g.get("translations") if g else None
        if kept is None or kept[0] is not locale:
            kept = (locale, super().get_translations())
            if g:
                g.translations = kept
        return kept[1]


domain = RequestDomain()


def install(app: Flask) -> None:
    """Let the words of every request come from a catalogue that is kept for it."""
    app.before_request(domain.as_default)
