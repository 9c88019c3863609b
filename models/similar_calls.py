"""Calls like one that is being written: by the pairs of characters that their titles share, which suits Chinese (face, Forms)."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.call import Call

WITHIN = timedelta(days=90)
LOOKED_AT = 1000
"""The newest calls of that time that are compared at most."""
MOST = 5
ALIKE = 0.3
"""Share of the pairs that two titles must have in common."""
SHORTEST = 4
"""Characters of a title before anything is suggested."""


def pairs(text: str) -> frozenset[str]:
    """The pairs of neighbouring characters, spaces and case aside."""
    plain = "".join(text.split()).lower()
    return frozenset(plain[place : place + 2] for place in range(len(plain) - 1))


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """From 0 (nothing in common) to 1 (Dice's coefficient)."""
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0


def similar_calls(session: Session, title: str, now: datetime) -> list[Call]:
    """At most five calls of the last 90 days with a like title, the most alike first; of those alone that the viewer sees."""
    wanted = pairs(title)
    if len("".join(title.split())) < SHORTEST:
        return []
    recent = sa.select(Call.id, Call.title).where(Call.created_at >= now - WITHIN, Call.title != "")
    rows = session.execute(recent.order_by(Call.id.desc()).limit(LOOKED_AT))
    rated = [(likeness(wanted, pairs(row.title)), row.id) for row in rows]
    best = sorted((one for one in rated if one[0] >= ALIKE), key=lambda one: (-one[0], -one[1]))[:MOST]
    order = {key: place for place, (_rate, key) in enumerate(best)}
    found = session.scalars(sa.select(Call).where(Call.id.in_(order))) if order else ()
    return sorted(found, key=lambda one: order[one.id])
