"""Addresses that every page bears."""

from __future__ import annotations

from typing import Any

from flask import current_app, request, url_for


def address(endpoint: str, **values: Any) -> str:
    """As Flask's `url_for`, remembered: for the hundred addresses that stand on every page, not for those of records."""
    known: dict[tuple[Any, ...], str] = current_app.extensions.setdefault("addresses", {})
    key = (request.script_root, endpoint, *values.items())
    found = known.get(key)
    if found is None:
        found = known[key] = url_for(endpoint, **values)
    return found
