"""Which calls the months will see: when, from which township, about what, and how each will go."""

from __future__ import annotations

import enum
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
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
    completed_by_township = "completed_by_township"
    """Returned for completion."""
    completed_by_office = "completed_by_office"
    """After a telephone call."""
    declined = "declined"
    objection_granted = "objection_granted"
    objection_refused = "objection_refused"
    by_phone = "by_phone"
    """Entered by the office from the telephone."""
    return_upheld = "return_upheld"
    """It was another department's duty."""
    return_rejected = "return_rejected"
    return_disputed = "return_disputed"
    """Referred to the checklist manager, who rejects it."""
    reassigned = "reassigned"
    added = "added"
    """A department is called in later."""
    handed_on = "handed_on"
    """Taken in hand by a person, then handed on to a section or a stationed agency."""
    extension_granted = "extension_granted"
    extension_refused = "extension_refused"
    long_term = "long_term"
    long_term_ended = "long_term_ended"
    """Ended early by the office."""
    long_term_refused = "long_term_refused"
    """By the office."""
    convened = "convened"
    """Called together on site."""
    convening_cancelled = "convening_cancelled"
    escalated = "escalated"
    instructed = "instructed"
    instructed_on_paper = "instructed_on_paper"
    """The office enters what the leader wrote."""
    merged = "merged"
    """Two townships call about the same; the office merges them."""
    shared = "shared"
    followed = "followed"
    """The township continues it by a new call."""
    sent_back = "sent_back"
    """The office finds a report wanting before the township evaluates."""
    evaluation_changed = "evaluation_changed"
    alarmed = "alarmed"
    """An emergency whose alarm is confirmed."""
    regularised = "regularised"
    """An emergency that turns out to be none."""


COMPLAINING = frozenset({Course.dissatisfied, Course.twice_dissatisfied})
"""Courses that need a complaint to tell."""

WRONG_FIRST = frozenset({Course.return_upheld, Course.reassigned})
"""Courses in which the office first dispatches to another department than the one whose duty it is."""

JOINT = WRONG_FIRST | {Course.added, Course.convened}
"""Courses that need a second department."""

_SHARES = {
    Course.usual: 60,
    Course.dissatisfied: 11,
    Course.twice_dissatisfied: 2,
    Course.withdrawn_early: 2,
    Course.withdrawn_late: 2,
    Course.unanswered: 3,
    Course.stalled: 3,
    Course.completed_by_township: 1,
    Course.completed_by_office: 1,
    Course.declined: 1,
    Course.objection_granted: 1,
    Course.objection_refused: 1,
    Course.by_phone: 2,
    Course.return_upheld: 1,
    Course.return_rejected: 1,
    Course.return_disputed: 1,
    Course.reassigned: 1,
    Course.added: 1,
    Course.handed_on: 4,
    Course.extension_granted: 2,
    Course.extension_refused: 1,
    Course.long_term: 1,
    Course.long_term_ended: 1,
    Course.long_term_refused: 1,
    Course.convened: 2,
    Course.convening_cancelled: 1,
    Course.escalated: 1,
    Course.instructed: 1,
    Course.instructed_on_paper: 1,
    Course.merged: 1,
    Course.shared: 2,
    Course.followed: 1,
    Course.sent_back: 2,
    Course.evaluation_changed: 2,
}

MONTHS = 3

_CALLS = 105
"""About so many in a month, fewer working days or more."""

_EMERGENCIES = ((0.2, time(15, 22), 0), (0.55, time(6, 41), 0), (0.85, time(20, 17), 1))
"""Where in a month, at what local time, and how many departments answer late."""

_OPEN = (
    (Course.completed_by_township, 0, 60),
    (Course.objection_granted, 0, 20),
    (Course.return_upheld, 0, 150),
    (Course.return_disputed, 1, 300),
    (Course.extension_granted, 2, 90),
    (Course.long_term, 2, 200),
    (Course.escalated, 9, 120),
    (Course.unanswered, 2, 280),
    (Course.unanswered, 2, 330),
    (Course.convened, 2, 240),
)
"""What waits for somebody's answer when everything ends: the course, how many working days before the last one, at which minute of it."""

_LAST_ALARM = time(23, 36)
"""On the evening before the end there is an emergency whose alarm nobody has confirmed yet."""


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
    open: bool = False
    """Whether it stops on the last afternoon, before whoever is to answer has answered."""
    twin: int = 0
    """A number that calls about the same matter share."""


def months_before(day: date, count: int) -> date:
    """The day so many months earlier; the month's last where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 - count, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def plan_calls(
    calendar: WorkCalendar, today: date, library: Library, places: tuple[Township, ...], random: Random
) -> list[PlannedCall]:
    """The calls of the months before `today`, in order of time.

    Everything lies before that day begins, so that nothing happens in the future, at whatever hour it is loaded.
    """
    plan = _Plan(calendar, library, places, random)
    bounds = [months_before(today, count) for count in range(MONTHS, 0, -1)] + [today]
    for first, end in pairwise(bounds):
        plan.month(first, end)
    plan.last_days(today)
    return sorted(plan.calls, key=lambda one: one.at)


class _Plan:
    """Draws calls by lot; the decks go on from month to month."""

    def __init__(self, calendar: WorkCalendar, library: Library, places: tuple[Township, ...], random: Random) -> None:
        self.calls: list[PlannedCall] = []
        self._calendar = calendar
        self._random = random
        self._townships = Deck(places, random)
        self._matters = Deck(library.matters, random)
        self._emergencies = Deck(library.emergencies, random)
        self._courses = Deck([course for course, count in _SHARES.items() for _ in range(count)], random)
        self._kinds = Deck([Course.alarmed] * 5 + [Course.regularised], random)

    def month(self, first: date, end: date) -> None:
        """The calls of a month, on its working days; emergencies at any hour."""
        days = [first + timedelta(days=offset) for offset in range((end - first).days)]
        days = [day for day in days if self._calendar.is_working_day(day)]
        usual = max(3, round(_CALLS / len(days)))
        loads = Deck([usual - 2, usual - 1, usual, usual, usual, usual + 1], self._random)
        for day in days:
            for minute in sorted(self._random.sample(range(6, 470), loads.draw())):
                self._call(self._moment(day, minute))
        for share, moment, late in _EMERGENCIES:
            self._emergency(days[int(len(days) * share)], moment, late)

    def last_days(self, today: date) -> None:
        """What is still open when everything ends."""
        last = self._calendar.move_working_days(today, -1)
        closing = self._calendar.close_of_day(last)
        for minutes in (94, 71, 38, 12):
            at = closing - timedelta(minutes=minutes, seconds=self._random.randrange(60))
            self._call(at, Course.waiting if minutes < 90 else Course.accepted)
        for minutes in (700, 240, 55):
            self._call(self._calendar.advance(closing, timedelta(minutes=-minutes)), Course.draft)
        for course, days, minute in _OPEN:
            day = self._calendar.move_working_days(last, -days) if days else last
            self._call(self._moment(day, minute), course, open_=True)
        self._emergency(today - timedelta(days=1), _LAST_ALARM, 0, open_=True)

    def _moment(self, day: date, minute: int) -> datetime:
        opening = self._calendar.spans(day)[0][0]
        return self._calendar.advance(opening, timedelta(minutes=minute, seconds=self._random.randrange(60)))

    def _call(self, at: datetime, course: Course | None = None, *, open_: bool = False) -> None:
        township = self._townships.draw()
        joint = course is not None and course in JOINT
        matter = self._matters.draw(lambda one: fits(one, township) and (not joint or bool(one.partners)))
        course = course or self._courses.draw(lambda one: _can_tell(one, matter))
        alone = course not in JOINT and _alone_will_do(matter) and self._random.random() < 0.5
        partners = () if alone else matter.partners
        twin = len(self.calls) + 1 if course is Course.merged else 0
        scene = Scene.choose(matter, township, self._random)
        self.calls.append(PlannedCall(at, scene, matter, course, partners, open=open_, twin=twin))
        if twin:
            other = self._townships.draw(lambda one: fits(matter, one))
            later = self._calendar.advance(at, timedelta(minutes=self._random.randrange(10, 50)))
            scene = Scene.choose(matter, other, self._random)
            self.calls.append(PlannedCall(later, scene, matter, course, partners, twin=twin))

    def _emergency(self, day: date, moment: time, late: int, *, open_: bool = False) -> None:
        at = datetime.combine(day, moment, tzinfo=self._calendar.zone)
        at += timedelta(seconds=self._random.randrange(60))
        matter = self._emergencies.draw()
        township = self._townships.draw(lambda one: fits(matter, one))
        in_office_hours = self._calendar.is_open(at)
        course = self._kinds.draw(lambda one: in_office_hours or one is Course.alarmed)
        scene = Scene.choose(matter, township, self._random)
        one = PlannedCall(at, scene, matter, course, matter.partners, emergency=True, late=late, open=open_)
        self.calls.append(one)


def _can_tell(course: Course, matter: Matter) -> bool:
    """Whether a matter has the words, and the departments, that a course needs."""
    return (bool(matter.complaint) or course not in COMPLAINING) and (bool(matter.partners) or course not in JOINT)


def _alone_will_do(matter: Matter) -> bool:
    """Whether the lead can handle it without the one other department that the list names, and nothing in its words says otherwise."""
    told = matter.description + matter.plan + matter.progress + matter.result
    return len(matter.partners) == 1 and not any(
        word in told for word in ("会同", "联合", "配合", "共同", "约定", "部门")
    )
