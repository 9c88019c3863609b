"""Deadlines in words: 剩余 2天3小时, 已超期 5小时, 按时完成, 超期 1天完成; the exact instant on hover (face)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from flask_babel import get_timezone
from flask_babel import gettext as _

from app.portal.page import Badge, Clock
from models.call import Assignment
from models.worktime import WorkCalendar


def exact(instant: datetime) -> str:
    """An instant to the minute, in the reader's language and the county's time."""
    return written(instant, _("yyyy-MM-dd HH:mm"))


def short(instant: datetime) -> str:
    """Day and time, without the year."""
    return written(instant, _("MM-dd HH:mm"))


def written(instant: datetime, pattern: str) -> str:
    """An instant in the county's time by a pattern of figures; lists and exports write many, and Babel takes ten times as long."""
    local = instant.astimezone(get_timezone())
    return _FIGURES.sub(lambda found: _FIGURE[found.group()](local), pattern)


_FIGURE: dict[str, Callable[[datetime], str]] = {
    "yyyy": lambda at: str(at.year),
    "MM": lambda at: f"{at.month:02d}",
    "M": lambda at: str(at.month),
    "dd": lambda at: f"{at.day:02d}",
    "d": lambda at: str(at.day),
    "HH": lambda at: f"{at.hour:02d}",
    "mm": lambda at: f"{at.minute:02d}",
}
_FIGURES = re.compile("|".join(_FIGURE))


def length(minutes: int, minutes_per_day: int) -> str:
    """A length of time in at most two units; days are working days unless 1440 minutes make one."""
    days, rest = divmod(max(minutes, 0), minutes_per_day)
    hours, left = divmod(rest, 60)
    if days:
        return _("%(days)d d %(hours)d h", days=days, hours=hours) if hours else _("%(days)d d", days=days)
    if hours:
        return (
            _("%(hours)d h %(minutes)d min", hours=hours, minutes=left)
            if left and hours < 3
            else _("%(hours)d h", hours=hours)
        )
    return _("%(minutes)d min", minutes=left)


class Measure:
    """Measures in working time, or by the wall clock in an emergency."""

    def __init__(self, calendar: WorkCalendar, *, wall: bool = False) -> None:
        self.calendar = calendar
        self.wall = wall

    def minutes(self, start: datetime, end: datetime) -> int:
        return int((end - start).total_seconds() // 60) if self.wall else self.calendar.minutes_between(start, end)

    def words(self, start: datetime, end: datetime) -> str:
        return length(self.minutes(start, end), 1440 if self.wall else self.calendar.day_length_minutes)


def running(due: datetime, now: datetime, measure: Measure) -> Badge:
    """The badge of a deadline that still runs."""
    if now <= due:
        unsure = not measure.wall and measure.calendar.provisional_between(now, due)
        provisional = _(" (calendar provisional)") if unsure else ""
        left = measure.words(now, due)
        near = measure.minutes(now, due) <= (30 if measure.wall else measure.calendar.day_length_minutes // 2)
        return Badge(
            _("%(time)s left, provisional", time=left) if unsure else _("%(time)s left", time=left),
            "waiting" if near else "going",
            _("Due %(at)s", at=exact(due)) + provisional,
        )
    late = _("Overdue by %(time)s", time=measure.words(due, now)) if measure.minutes(due, now) else _("Overdue")
    return Badge(late, "overdue", _("Due %(at)s", at=exact(due)))


def met(due: datetime, done: datetime, measure: Measure) -> Badge:
    """The badge of a deadline that was met, or not."""
    hover = _("Due %(due)s, done %(done)s", due=exact(due), done=exact(done))
    if done <= due:
        return Badge(_("In time"), "done", hover)
    return Badge(_("Done, %(time)s late", time=measure.words(due, done)), "overdue", hover)


def ended(due: datetime, stopped: datetime) -> Badge:
    """The badge of a deadline that was never met and will not be: red if it had run out when the clock stopped."""
    if stopped <= due:
        return Badge(_("Stopped"), "muted", _("Due %(at)s", at=exact(due)))
    return Badge(_("Not done"), "overdue", _("Due %(at)s", at=exact(due)))


def clocks(assignment: Assignment, now: datetime, measure: Measure) -> tuple[Clock, ...]:
    """The response and report clocks of a department."""
    found = []
    if assignment.round == 1:
        label = _("Response")
        if assignment.responded_at is not None:
            found.append(
                Clock(
                    label,
                    met(assignment.respond_due, assignment.responded_at, measure),
                    _used(assignment.assigned_at, assignment.respond_due, assignment.responded_at, measure),
                )
            )
        elif assignment.stopped_at is not None or assignment.reports:
            found.append(Clock(label, ended(assignment.respond_due, assignment.unanswered_until(now)), 100))
        else:
            found.append(
                Clock(
                    label,
                    running(assignment.respond_due, now, measure),
                    _used(assignment.assigned_at, assignment.respond_due, now, measure),
                )
            )
    label = _("Report") if assignment.round == 1 else _("Report, round %(round)d", round=assignment.round)
    report = assignment.report_of(assignment.round)
    if report is not None:
        found.append(
            Clock(
                label,
                met(report.due, report.reported_at, measure),
                _used(assignment.report_from, report.due, report.reported_at, measure),
            )
        )
    elif assignment.stopped_at is not None:
        found.append(Clock(label, ended(assignment.report_due, assignment.stopped_at), 100))
    else:
        found.append(
            Clock(
                label,
                running(assignment.report_due, now, measure),
                _used(assignment.report_from, assignment.report_due, now, measure),
            )
        )
    return tuple(found)


def _used(start: datetime, due: datetime, now: datetime, measure: Measure) -> int:
    whole = measure.minutes(start, due)
    return 100 if whole <= 0 else max(0, min(100, round(100 * measure.minutes(start, now) / whole)))
