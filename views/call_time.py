"""Where the time of a call went, as a bar on its page and as columns of an export (2.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy.orm import Session

from app.database import db
from app.portal.deadline import length
from app.portal.export import ExportColumn, Value
from app.portal.page import Link as PageLink
from app.portal.page import Section, TimeBar, TimePage, TimePart
from models import clock, viewer
from models.calendar import work_calendar
from models.call import Call
from models.call_moments import times_spent
from models.paper import platform_office
from models.time_spent import Link, Party, Spent, TimeSpent

LINKS: Mapping[Link, Any] = {
    Link.completion: _l("Completion"),
    Link.evaluation: _l("Evaluation"),
    Link.acceptance: _l("Acceptance"),
    Link.dispatch: _l("Dispatch"),
    Link.send_back: _l("Looking through the reports, sent back"),
    Link.return_ruling: _l("Ruling on a return"),
    Link.referred_ruling: _l("Ruling on a disputed return"),
    Link.extension_ruling: _l("Answer to an extension"),
    Link.objection_ruling: _l("Ruling on an objection"),
    Link.endorsement: _l("Endorsement of long-term handling"),
    Link.response: _l("Response"),
    Link.report: _l("Report"),
    Link.escalation: _l("Decision on an escalation"),
    Link.long_term_decision: _l("Decision on long-term handling"),
    Link.long_term: _l("Long-term handling"),
    Link.milestone: _l("Milestone"),
}
LEAST = 1.5
"""A share of the bar below which nothing could be seen."""


def sections(call: Call, url: str) -> tuple[Section, ...]:
    """The block of a call's page, fetched from `url` since it reads a call's whole history; none before it was submitted."""
    return (Section(_("Where the time went"), fetched=url),) if call.submitted_at is not None else ()


def time_page(call: Call, url: str) -> TimePage:
    """The time of a submitted call; `url` is the call's own page."""
    spent = times_spent(db.session(), [call], clock.now())[call.id]
    title = " ".join(filter(None, (call.number, call.title)))
    return TimePage(_("Where the time went"), time_bar(_Names(db.session(), call), spent), (PageLink(title, url),))


def time_bar(names: _Names, spent: TimeSpent) -> TimeBar:
    """The links one after the other; what ran beside them, or is counted apart, below."""
    main = [one for one in spent.links if not one.beside and not one.apart]
    shares = _shares([one.minutes for one in main])
    return TimeBar(
        names.whole(spent.whole),
        tuple(_part(names, one, share) for one, share in zip(main, shares, strict=True)),
        tuple(_part(names, one, 0.0) for one in spent.links if one.beside or one.apart),
        _("At the same time, or counted apart"),
    )


def _shares(minutes: Sequence[int]) -> list[float]:
    """Percentages of the whole; what took any time at all can be seen."""
    whole = sum(minutes)
    if not whole:
        return [0.0] * len(minutes)
    wide = [max(100 * one / whole, LEAST) if one else 0.0 for one in minutes]
    return [round(100 * one / sum(wide), 2) for one in wide]


def _part(names: _Names, one: Spent, share: float) -> TimePart:
    late = min(one.late or 0, one.minutes)
    return TimePart(
        names.who(one),
        names.what(one),
        names.words(one.minutes),
        _look(one),
        share,
        round(share * late / one.minutes, 2) if one.minutes else 0.0,
        "" if one.late is None else names.words(one.late) if one.late else _("less than a minute"),
        one.ended is None,
    )


def _look(one: Spent) -> Literal["township", "office", "department", "leader", "apart"]:
    if one.apart:
        return "apart"
    match one.party:
        case Party.township:
            return "township"
        case Party.department:
            return "department"
        case Party.leader:
            return "leader"
        case _:
            return "office"


class _Names:
    """Who and what the links of a call are, in words, and its measure of time."""

    def __init__(self, session: Session, call: Call) -> None:
        self.call = call
        with viewer.system():
            self.office = self._office(session)
            self.departments = {one.id: one.department.short_name for one in call.assignments}
            self.milestones = {one.id: one.department.short_name for one in call.milestones}
        self.per_day = 1440 if call.emergency else work_calendar(session, call.county_id).day_length_minutes

    def _office(self, session: Session) -> str:
        """The office that accepted and dispatched."""
        for person in (self.call.accepted_by, self.call.dispatched_by):
            organisation = person.organisation if person is not None else None
            if organisation is not None and organisation.id != self.call.township_id:
                return str(organisation.short_name)
        return platform_office(session, self.call.county_id).short_name

    def who(self, one: Spent) -> str:
        if one.link == Link.long_term:
            return self.call.lead.department.short_name if self.call.lead is not None else ""
        if one.link == Link.milestone:
            return self.milestones[one.of]
        match one.party:
            case Party.township:
                return str(self.call.township.short_name)
            case Party.department:
                return self.departments[one.of]
            case Party.leader:
                return _("County leader")
            case Party.checklist_manager:
                return _("Checklist manager")
            case _:
                return self.office

    def what(self, one: Spent) -> str:
        name = str(LINKS[one.link])
        return name if one.count == 1 else _("%(what)s (no. %(count)d)", what=name, count=one.count)

    def words(self, minutes: int) -> str:
        """A length of time; days of a general call are working days."""
        if self.call.emergency or minutes < self.per_day:
            return length(minutes, self.per_day)
        days, rest = divmod(minutes, self.per_day)
        whole = ngettext("%(count)d working day", "%(count)d working days", days, count=days)
        return whole if rest < 60 else _("%(days)s %(hours)d h", days=whole, hours=rest // 60)

    def whole(self, minutes: int) -> str:
        words = self.words(minutes)
        if self.call.emergency:
            return _("%(time)s in all, by the clock", time=words)
        return _("%(time)s in all, in working time", time=words)


# Columns of an export

Counts = Callable[[Spent], bool]


def _of(*links: Link) -> Counts:
    return lambda one: one.link in links


COLUMNS: tuple[tuple[str, Any, Counts], ...] = (
    ("time_acceptance", _l("Minutes: acceptance"), _of(Link.acceptance)),
    ("time_dispatch", _l("Minutes: dispatch"), _of(Link.dispatch)),
    (
        "time_rulings",
        _l("Minutes: rulings of the office"),
        _of(Link.return_ruling, Link.extension_ruling, Link.objection_ruling, Link.endorsement, Link.send_back),
    ),
    ("time_checklist_manager", _l("Minutes: disputed returns"), _of(Link.referred_ruling)),
    ("time_response", _l("Minutes: responses, all departments"), _of(Link.response)),
    ("time_report", _l("Minutes: reports, all departments"), lambda one: one.link == Link.report and one.count == 1),
    ("time_report_again", _l("Minutes: handled again"), lambda one: one.link == Link.report and one.count > 1),
    ("time_leaders", _l("Minutes: leaders' decisions"), _of(Link.escalation, Link.long_term_decision)),
    ("time_township", _l("Minutes: township"), _of(Link.completion, Link.evaluation)),
    ("time_long_term", _l("Minutes: long-term handling"), _of(Link.long_term)),
)


@dataclass(eq=False)
class _Times:
    """The times of the records that an export writes at present."""

    found: Mapping[int, TimeSpent] = field(default_factory=dict)
    names: Mapping[int, _Names] = field(default_factory=dict)

    def read(self, session: Session, calls: Sequence[Call]) -> None:
        self.found = times_spent(session, calls, clock.now())
        self.names = {call.id: _Names(session, call) for call in calls}

    def minutes(self, counts: Counts) -> Callable[[Call], Value]:
        return lambda call: sum(one.minutes for one in self.found[call.id].links if counts(one))

    def whole(self, call: Call) -> Value:
        return self.found[call.id].whole

    def late(self, call: Call) -> Value:
        """Who was late with what by how many minutes."""
        names = self.names[call.id]
        return "；".join(
            _("%(who)s %(what)s: %(minutes)d min", who=names.who(one), what=names.what(one), minutes=one.late)
            for one in self.found[call.id].links
            if one.late is not None
        )


def export_columns() -> tuple[ExportColumn, ...]:
    """Minutes of each link – in working time, of emergencies by the clock – and who was late."""
    times = _Times()
    return (
        ExportColumn("time_whole", _("Minutes: the whole way"), times.whole, 12, times.read),
        *(ExportColumn(name, str(label), times.minutes(counts), 12, times.read) for name, label, counts in COLUMNS),
        ExportColumn("time_late", _("Who was late"), times.late, 40, times.read),
    )
