"""Which calls the month will see: when, from which township, about what, and how each will go."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from app.demonstration.deck import Deck
from app.demonstration.matters import Library, Matter, Partner, Scene, Township, fits
from models.worktime import WorkCalendar


class Course(enum.Enum):
    """How a call goes, as far as people decide it."""

    usual = "usual"
    dissatisfied = "dissatisfied"
    twice_dissatisfied = "twice_dissatisfied"
    withdrawn_early = "withdrawn_early"
    """Before the county office accepted it."""
    withdrawn_late = "withdrawn_late"
    """After dispatch, before a report."""
    unanswered = "unanswered"
    """The lead never responds."""
    stalled = "stalled"
    """The lead responds and never reports."""
    draft = "draft"
    waiting = "waiting"
    """The county office has not got to it."""
    accepted = "accepted"
    """Accepted, not yet dispatched."""


COMPLAINING = frozenset({Course.dissatisfied, Course.twice_dissatisfied})
"""Courses that need a complaint to tell."""

_SHARES = {
    Course.usual: 27,
    Course.dissatisfied: 5,
    Course.twice_dissatisfied: 1,
    Course.withdrawn_early: 1,
    Course.withdrawn_late: 1,
    Course.unanswered: 2,
    Course.stalled: 2,
}

_CALLS = 105
"""About so many in a month, fewer working days or more."""

_EMERGENCIES = ((0.2, time(15, 22), 0), (0.55, time(6, 41), 0), (0.85, time(20, 17), 1))
"""Where in the month, at what local time, and how many departments answer late."""


@dataclass(frozen=True)
class PlannedCall:
    """A call to be made: the local instant of writing it, its scene, its course."""

    at: datetime
    scene: Scene
    matter: Matter
    course: Course
    partners: tuple[Partner, ...]
    """Those whom the county office calls in beside the lead."""
    emergency: bool = False
    late: int = 0
    """How many of the departments answer after the deadline."""


def month_before(day: date) -> date:
    """The day one month earlier; the month's last where it has no such day."""
    year, month = (day.year, day.month - 1) if day.month > 1 else (day.year - 1, 12)
    following = date(year + month // 12, month % 12 + 1, 1)
    return min(
        date(year, month, min(day.day, 28)) + timedelta(days=max(0, day.day - 28)), following - timedelta(days=1)
    )


def plan_month(
    calendar: WorkCalendar, today: date, library: Library, places: tuple[Township, ...], random: Random
) -> list[PlannedCall]:
    """The calls of the month before `today`, in order of time.

    Everything lies before that day begins, so that nothing happens in the future, at whatever hour it is loaded.
    """
    first = month_before(today)
    days = [first + timedelta(days=offset) for offset in range((today - first).days)]
    days = [day for day in days if calendar.is_working_day(day)]
    townships = Deck(places, random)
    matters = Deck(library.matters, random)
    courses = Deck([course for course, count in _SHARES.items() for _ in range(count)], random)
    usual = max(3, round(_CALLS / len(days)))
    loads = Deck([usual - 2, usual - 1, usual, usual, usual, usual + 1], random)
    planned: list[PlannedCall] = []

    def plan(at: datetime, course: Course | None = None) -> None:
        township = townships.draw()
        matter = matters.draw(lambda one: fits(one, township))
        course = course or courses.draw(lambda one: bool(matter.complaint) or one not in COMPLAINING)
        partners = () if _alone_will_do(matter) and random.random() < 0.5 else matter.partners
        planned.append(PlannedCall(at, Scene.choose(matter, township, random), matter, course, partners))

    for day in days:
        for minute in sorted(random.sample(range(6, 470), loads.draw())):
            plan(calendar.advance(calendar.spans(day)[0][0], timedelta(minutes=minute, seconds=random.randrange(60))))
    last = calendar.close_of_day(days[-1])
    for minutes in (94, 71, 38, 12):
        plan(
            last - timedelta(minutes=minutes, seconds=random.randrange(60)),
            Course.waiting if minutes < 90 else Course.accepted,
        )
    for minutes in (700, 240, 55):
        plan(calendar.advance(last, timedelta(minutes=-minutes)), Course.draft)
    emergencies = Deck(library.emergencies, random)
    for share, moment, late in _EMERGENCIES:
        at = datetime.combine(days[int(len(days) * share)], moment, tzinfo=calendar.zone) + timedelta(
            seconds=random.randrange(60)
        )
        matter = emergencies.draw()
        township = townships.draw(lambda one, matter=matter: fits(matter, one))  # type: ignore[misc]
        planned.append(
            PlannedCall(
                at,
                Scene.choose(matter, township, random),
                matter,
                Course.usual,
                matter.partners,
                emergency=True,
                late=late,
            )
        )
    return sorted(planned, key=lambda one: one.at)


def _alone_will_do(matter: Matter) -> bool:
    """Whether the lead can handle it without the one other department that the list names, and nothing in its words says otherwise."""
    told = matter.description + matter.plan + matter.progress + matter.result
    return len(matter.partners) == 1 and not any(
        word in told for word in ("会同", "联合", "配合", "共同", "约定", "部门")
    )
