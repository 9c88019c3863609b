"""Two people, one record: what the other one changed since a form was opened, what of it stands against what was typed (spec 5, Reliability)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.portal.forms import RecordForm


def fingerprint(raw: Any) -> str:
    """A short mark of what stands in a field, to find out later whether it was touched."""
    text = json.dumps(raw, ensure_ascii=False, sort_keys=True, default=str).replace("\\r\\n", "\\n")
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def fingerprints(form: RecordForm) -> str:
    """The marks of all fields of a form, as its hidden field carries them."""
    return json.dumps({name: fingerprint(raw) for name, raw in form.values().items()})


def read_fingerprints(sent: str | None) -> dict[str, str]:
    """The marks that came back; none where they were lost or tampered with: then every difference counts as a conflict."""
    try:
        found = json.loads(sent or "")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Merge:
    """The fields in which a record and what was typed differ, by who touched them since the form was opened."""

    theirs: tuple[str, ...]
    """Changed by somebody else alone: taken over into the form."""
    both: tuple[str, ...]
    """Changed by both: somebody must choose."""


def merge(typed: Mapping[str, Any], present: Mapping[str, Any], opened: Mapping[str, str]) -> Merge:
    """Compare what was typed and what stands there now (raw values by name) with the marks of what stood there before."""
    theirs: list[str] = []
    both: list[str] = []
    for name, mine in typed.items():
        now = present.get(name)
        if fingerprint(mine) == fingerprint(now):
            continue
        before = opened.get(name)
        if before == fingerprint(now):
            continue  # mine alone
        (theirs if before == fingerprint(mine) else both).append(name)
    return Merge(tuple(theirs), tuple(both))
