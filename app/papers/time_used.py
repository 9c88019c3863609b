"""用时, “where the time went” (2.1): how long each link of a call took, and which was late by how much; the office's own like everyone's.

Counted by `models.time_spent`, as on the call's page: page and paper say the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.orm import Session

from app.papers import labels
from app.papers.durations import MOMENT, Ruler
from models.call import Call
from models.call_moments import times_spent
from models.time_spent import Link, Party, Spent
from reports.call_slip import SlipTime


def time_used(session: Session, call: Call, office: str, ruler: Ruler, as_of: datetime) -> tuple[SlipTime, ...]:
    """A row for each link begun so far; `office` is the one that accepted and dispatched."""
    return tuple(_rows(call, office, times_spent(session, [call], as_of)[call.id].links, ruler))


def _rows(call: Call, office: str, links: tuple[Spent, ...], ruler: Ruler) -> Iterator[SlipTime]:
    for one in links:
        if one.ended is None and not one.minutes and one.late is None:
            continue  # has only just begun
        used = ruler.text(one.minutes) + ("" if one.ended else "（进行中）")
        late = "" if one.late is None else ruler.text(one.late) if one.late else MOMENT
        yield SlipTime(f"{_who(call, office, one)}（{_what(one)}）", used, late)


def _who(call: Call, office: str, one: Spent) -> str:
    if one.link == Link.long_term:
        return call.lead.department.short_name if call.lead is not None else office
    if one.link == Link.milestone:
        return next(found.department.short_name for found in call.milestones if found.id == one.of)
    match one.party:
        case Party.township:
            return call.township.short_name
        case Party.department:
            return next(found.department.short_name for found in call.assignments if found.id == one.of)
        case Party.leader:
            return "县领导"
        case Party.checklist_manager:
            return "清单管理员"
        case _:
            return office


def _what(one: Spent) -> str:
    if one.link == Link.report and one.count > 1:
        return "重新反馈"
    name = labels.LINKS[one.link]
    return name if one.count == 1 else f"{name}，第{one.count}次"
