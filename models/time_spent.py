"""Where the time went (2.1): how long each link of a call took, and which was late by how much; the office's own like everyone's.

Pure functions of a plain history, the moments of a call in their order; `models.call_moments` reads it from the database.
Instants count by the minute that they lie in, so that the links of a call add up to the whole; whether a deadline was
kept is judged by the instant itself.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime


class Party(enum.StrEnum):
    """Who answers for a link."""

    township = "township"
    office = "office"
    checklist_manager = "checklist_manager"
    department = "department"
    leader = "leader"


class Link(enum.StrEnum):
    """What is waited for."""

    completion = "completion"
    evaluation = "evaluation"
    acceptance = "acceptance"
    dispatch = "dispatch"
    send_back = "send_back"
    return_ruling = "return_ruling"
    referred_ruling = "referred_ruling"
    extension_ruling = "extension_ruling"
    objection_ruling = "objection_ruling"
    endorsement = "endorsement"
    response = "response"
    report = "report"
    escalation = "escalation"
    long_term_decision = "long_term_decision"
    long_term = "long_term"
    milestone = "milestone"


PARTIES = {
    Link.completion: Party.township,
    Link.evaluation: Party.township,
    Link.referred_ruling: Party.checklist_manager,
    Link.response: Party.department,
    Link.report: Party.department,
    Link.long_term: Party.department,
    Link.milestone: Party.department,
    Link.escalation: Party.leader,
    Link.long_term_decision: Party.leader,
}
"""Whose a link is; all others are the office's."""

BESIDE = frozenset({Link.extension_ruling, Link.endorsement, Link.long_term_decision, Link.escalation, Link.milestone})
"""Links during which somebody else has the matter in hand, whose clock runs on: they are no part of the sum."""

APART = frozenset({Link.long_term, Link.milestone})
"""Long-term handling is counted apart."""


class What(enum.StrEnum):
    """A moment in a call's life. From `assigned` on each belongs to one assignment, the last two to one milestone."""

    submitted = "submitted"
    completion_asked = "completion_asked"
    accepted = "accepted"
    declined = "declined"
    objected = "objected"
    objection_refused = "objection_refused"
    all_reported = "all_reported"
    evaluated = "evaluated"
    closed = "closed"
    withdrawn = "withdrawn"
    plan_asked = "plan_asked"
    plan_endorsed = "plan_endorsed"
    plan_refused = "plan_refused"
    plan_approved = "plan_approved"
    plan_over = "plan_over"
    escalated = "escalated"
    decided = "decided"
    assigned = "assigned"
    responded = "responded"
    return_asked = "return_asked"
    return_referred = "return_referred"
    return_rejected = "return_rejected"
    return_upheld = "return_upheld"
    given_back = "given_back"
    extension_asked = "extension_asked"
    extension_answered = "extension_answered"
    reported = "reported"
    missed = "missed"
    sent_back = "sent_back"
    again = "again"
    taken_back = "taken_back"
    milestone_begun = "milestone_begun"
    milestone_over = "milestone_over"


@dataclass(frozen=True)
class Moment:
    """Something that happened. `due` is the deadline of the link that begins here, as it came to be in the end."""

    at: datetime
    what: What
    of: int = 0
    """The assignment's key, or the milestone's."""
    due: datetime | None = None
    report_due: datetime | None = None
    """With `assigned`: the report clock runs from there too, whether the department responds or not."""
    stops: bool = True
    """With `return_asked`: whether the department's clock stands still; an emergency's never does."""


@dataclass(frozen=True)
class Spent:
    """What a link took."""

    link: Link
    of: int
    count: int
    """The round of a report; of other links how often it came to them."""
    minutes: int
    begun: datetime
    ended: datetime | None
    """None while it lasts."""
    due: datetime | None
    late: int | None
    """Minutes beyond the deadline, 0 for less than one; None where it was kept, or no clock runs."""
    beside: bool = False
    """Somebody else had the matter in hand meanwhile: no part of the sum."""

    @property
    def party(self) -> Party:
        return PARTIES.get(self.link, Party.office)

    @property
    def apart(self) -> bool:
        return self.link in APART


@dataclass(frozen=True)
class TimeSpent:
    """The whole way of a call so far, and its links in the order in which they began."""

    whole: int
    """Minutes from the first submission to the end, or until now; not those in which a call lay declined or closed."""
    links: tuple[Spent, ...]


Minutes = Callable[[datetime, datetime], int]
"""Full minutes between two instants: in working time, for an emergency by the wall clock."""


def time_spent(moments: Iterable[Moment], minutes: Minutes, as_of: datetime) -> TimeSpent:
    """How long each link of a call took; those that still last up to an instant."""
    way = _Way()
    for moment in moments:
        if moment.at <= as_of:
            way.take(moment)
    way.add_unbegun_reports(as_of)
    return TimeSpent(
        sum(_minutes(minutes, start, end or as_of) for start, end in way.whole.stretches),
        tuple(
            sorted((_spent(key, stay, minutes, as_of) for key, stay in way.stays.items()), key=lambda one: one.begun)
        ),
    )


Key = tuple[Link, int, int]
"""(link, assignment or milestone, count)"""


@dataclass
class _Stay:
    """The stretches in which something lay with somebody; the last one's end is None while it lies there."""

    stretches: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    due: datetime | None = None
    beside: bool = False

    @property
    def open(self) -> bool:
        return bool(self.stretches) and self.stretches[-1][1] is None

    def begin(self, at: datetime) -> None:
        if not self.open:
            self.stretches.append((at, None))

    def end(self, at: datetime) -> None:
        if self.open:
            start = self.stretches[-1][0]
            self.stretches[-1] = (start, max(start, at))


def _minutes(minutes: Minutes, start: datetime, end: datetime) -> int:
    first, last = (one.replace(second=0, microsecond=0) for one in (start, end))
    return minutes(first, last) if last > first else 0


def _spent(key: Key, stay: _Stay, minutes: Minutes, as_of: datetime) -> Spent:
    link, of, count = key
    begun, ended = stay.stretches[0][0], stay.stretches[-1][1]
    until = ended or as_of
    late = _minutes(minutes, stay.due, until) if stay.due is not None and until > stay.due else None
    taken = sum(_minutes(minutes, start, end or as_of) for start, end in stay.stretches)
    return Spent(link, of, count, taken, begun, ended, stay.due, late, stay.beside)


class _Way:
    """Follows a call from hand to hand."""

    def __init__(self) -> None:
        self.whole = _Stay()
        self.stays: dict[Key, _Stay] = {}
        self.report_dues: dict[int, datetime] = {}
        self.ended_at: dict[int, datetime] = {}
        """When an assignment's clocks stopped."""
        self.planned = False
        """A plan was approved, and is not over."""

    def take(self, moment: Moment) -> None:
        getattr(self, f"_{moment.what.value}")(moment)

    # Stays

    def _count(self, link: Link, of: int = 0) -> int:
        return sum(key[:2] == (link, of) for key in self.stays)

    def _begin(self, key: Key, moment: Moment, due: datetime | None = None) -> None:
        stay = self.stays.setdefault(key, _Stay(beside=key[0] in BESIDE))
        stay.begin(moment.at)
        stay.due = due or stay.due

    def _next(self, link: Link, moment: Moment, of: int = 0) -> None:
        """It comes to a link once more; each time has its own deadline."""
        self._begin((link, of, self._count(link, of) + 1), moment, moment.due)

    def _open(self, *links: Link, of: int | None = None) -> list[Key]:
        return [
            key for key, stay in self.stays.items() if stay.open and key[0] in links and (of is None or key[1] == of)
        ]

    def _end(self, moment: Moment, *links: Link, of: int | None = None) -> None:
        for key in self._open(*links, of=of):
            self.stays[key].end(moment.at)

    def _rest(self, moment: Moment) -> None:
        """Nobody has it in hand any more."""
        self.whole.end(moment.at)
        self._end(moment, *Link)
        for of in self.report_dues:
            self.ended_at.setdefault(of, moment.at)

    # The call

    def _submitted(self, moment: Moment) -> None:
        """Also once more: after its completion, or because an objection was granted. An emergency is assigned at once."""
        self.whole.begin(moment.at)
        self._end(moment, Link.completion, Link.objection_ruling)
        if moment.due is not None:
            self._next(Link.acceptance, moment)

    def _completion_asked(self, moment: Moment) -> None:
        self._end(moment, Link.acceptance, Link.dispatch)
        self._next(Link.completion, moment)

    def _accepted(self, moment: Moment) -> None:
        self._end(moment, Link.acceptance)
        self._next(Link.dispatch, moment)

    def _declined(self, moment: Moment) -> None:
        self._rest(moment)

    def _objected(self, moment: Moment) -> None:
        self.whole.begin(moment.at)
        self._next(Link.objection_ruling, moment)

    def _objection_refused(self, moment: Moment) -> None:
        self._rest(moment)

    def _all_reported(self, moment: Moment) -> None:
        """A plan that nobody decided on lapses."""
        self._end(moment, Link.endorsement, Link.long_term_decision)
        self._begin((Link.evaluation, 0, self._count(Link.evaluation) + 1), moment)

    def _evaluated(self, moment: Moment) -> None:
        self._end(moment, Link.evaluation)

    def _closed(self, moment: Moment) -> None:
        self._rest(moment)

    def _withdrawn(self, moment: Moment) -> None:
        self._rest(moment)

    # Long-term handling and leaders

    def _plan_asked(self, moment: Moment) -> None:
        self._next(Link.endorsement, moment)

    def _plan_endorsed(self, moment: Moment) -> None:
        self._end(moment, Link.endorsement)
        self._next(Link.long_term_decision, moment)

    def _plan_refused(self, moment: Moment) -> None:
        self._end(moment, Link.endorsement, Link.long_term_decision)

    def _plan_approved(self, moment: Moment) -> None:
        """Milestone dates replace the report clocks (2.1, request_long_term), and no other: whoever has not responded still must.

        So up to its response a department's time stays that of the response, or of the ruling on its return, and
        long-term handling begins with the approval only if some department has responded by then, else with the first response.
        More time and a leader's decision that were asked for lapse.
        """
        self.planned = True
        if self._open(Link.report):
            self._begin_plan(moment)
        self._end(moment, Link.long_term_decision, Link.report, Link.extension_ruling, Link.escalation)

    def _begin_plan(self, moment: Moment) -> None:
        if not self._open(Link.long_term):
            self._next(Link.long_term, moment)

    def _plan_over(self, moment: Moment) -> None:
        """Completed, or ended early; then `again` gives the reports their clocks back."""
        self._end(moment, Link.long_term)
        self.planned = False

    def _escalated(self, moment: Moment) -> None:
        self._next(Link.escalation, moment)

    def _decided(self, moment: Moment) -> None:
        self._end(moment, Link.escalation)

    def _milestone_begun(self, moment: Moment) -> None:
        self._begin((Link.milestone, moment.of, 1), moment, moment.due)

    def _milestone_over(self, moment: Moment) -> None:
        self._end(moment, Link.milestone, of=moment.of)

    # One department

    def _assigned(self, moment: Moment) -> None:
        self._end(moment, Link.acceptance, Link.dispatch)
        self._begin((Link.response, moment.of, 1), moment, moment.due)
        if moment.report_due is not None:
            self.report_dues[moment.of] = moment.report_due

    def _responded(self, moment: Moment) -> None:
        """In long-term handling no report clock begins: what follows is handled by the plan."""
        self._end(moment, Link.response, of=moment.of)
        if self.planned:
            self._begin_plan(moment)
        else:
            self._begin((Link.report, moment.of, 1), moment, moment.due)

    def _return_asked(self, moment: Moment) -> None:
        """The time of the ruling is the office's; an emergency's clock runs on beside it."""
        if moment.stops:
            self._end(moment, Link.response, of=moment.of)
        self._rule(Link.return_ruling, moment, beside=not moment.stops)

    def _return_referred(self, moment: Moment) -> None:
        beside = bool(self._open(Link.response, of=moment.of))
        self._end(moment, Link.return_ruling, of=moment.of)
        self._rule(Link.referred_ruling, moment, beside=beside)

    def _rule(self, link: Link, moment: Moment, *, beside: bool) -> None:
        self._next(link, moment, moment.of)
        self.stays[link, moment.of, self._count(link, moment.of)].beside = beside

    def _return_rejected(self, moment: Moment) -> None:
        self._end(moment, Link.return_ruling, Link.referred_ruling, of=moment.of)
        self._begin((Link.response, moment.of, 1), moment)

    def _return_upheld(self, moment: Moment) -> None:
        self._end(moment, Link.return_ruling, Link.referred_ruling, of=moment.of)

    def _extension_asked(self, moment: Moment) -> None:
        self._next(Link.extension_ruling, moment, moment.of)

    def _extension_answered(self, moment: Moment) -> None:
        self._end(moment, Link.extension_ruling, of=moment.of)

    def _over(self, moment: Moment) -> None:
        """A department is through with it; what was asked for it needs no answer any more."""
        links = (Link.response, Link.report, Link.extension_ruling, Link.return_ruling, Link.referred_ruling)
        self._end(moment, *links, of=moment.of)
        self.ended_at[moment.of] = moment.at

    def _given_back(self, moment: Moment) -> None:
        self._over(moment)

    def _missed(self, moment: Moment) -> None:
        self._over(moment)

    def _reported(self, moment: Moment) -> None:
        """A report by milestones may come without a stretch of its own."""
        count = max(1, self._count(Link.report, moment.of))
        self._begin((Link.report, moment.of, count), moment, moment.due)
        self._over(moment)

    def _sent_back(self, moment: Moment) -> None:
        """The time since all had reported was the office's then, not the township's (2.1, send_back)."""
        for key in self._open(Link.evaluation):
            waited = self.stays.pop(key)
            waited.end(moment.at)
            self.stays[Link.send_back, 0, self._count(Link.send_back) + 1] = waited
        self._begin((Link.report, moment.of, max(1, self._count(Link.report, moment.of))), moment, moment.due)
        self.ended_at.pop(moment.of, None)

    def _again(self, moment: Moment) -> None:
        """The report clock begins anew: for another round, or after long-term handling."""
        self.whole.begin(moment.at)
        self._begin((Link.report, moment.of, self._round(moment)), moment, moment.due)
        self.ended_at.pop(moment.of, None)

    def _round(self, moment: Moment) -> int:
        reported = moment.of in self.ended_at
        return self._count(Link.report, moment.of) + 1 if reported else max(1, self._count(Link.report, moment.of))

    def _taken_back(self, moment: Moment) -> None:
        """A changed evaluation: there is no other round, and the time since was the township's."""
        self._end(moment, Link.report, of=moment.of)
        again = self.stays.pop((Link.report, moment.of, self._count(Link.report, moment.of)))
        waited = self.stays[Link.evaluation, 0, self._count(Link.evaluation)]
        waited.stretches = _joined([*waited.stretches, *again.stretches])
        self.ended_at[moment.of] = again.stretches[0][0]

    def add_unbegun_reports(self, as_of: datetime) -> None:
        """Who never responded may be late with his report too: it took none of the time, and is a fault of its own."""
        if self.planned:
            return
        for of, due in self.report_dues.items():
            until = self._clock_stopped(of) or as_of
            if not self._count(Link.report, of) and until > due:
                self.stays[Link.report, of, 1] = _Stay([(until, until if of in self.ended_at else None)], due)

    def _clock_stopped(self, of: int) -> datetime | None:
        """When the clocks of an assignment that was never responded to stopped, or stand still at present."""
        return self.stays[Link.response, of, 1].stretches[-1][1]


def _joined(stretches: list[tuple[datetime, datetime | None]]) -> list[tuple[datetime, datetime | None]]:
    """Stretches of several departments laid over each other: no minute counts twice."""
    found: list[tuple[datetime, datetime | None]] = []
    for start, end in sorted(stretches, key=lambda one: one[0]):
        assert end is not None
        if found and found[-1][1] is not None and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found
