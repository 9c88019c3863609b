"""How long something took, on paper: in working time, in an emergency by the wall clock (2.1 Clocks)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from models.worktime import WorkCalendar
from reports.wording import natural_duration_text, working_duration_text

MOMENT = "不足1分钟"
"""Less than can be measured: the minute after a deadline, or the hours until offices open again."""


@dataclass(frozen=True)
class Ruler:
    """Measures in a county's working time, or in natural time."""

    calendar: WorkCalendar
    wall: bool = False

    def minutes(self, start: datetime, end: datetime) -> int:
        """Full minutes from one instant to a later one; 0 if it is not later."""
        if end <= start:
            return 0
        return int((end - start).total_seconds() // 60) if self.wall else self.calendar.minutes_between(start, end)

    def text(self, minutes: int) -> str:
        """`1个工作日2小时`, `45分钟`."""
        return (
            natural_duration_text(minutes)
            if self.wall
            else working_duration_text(minutes, minutes_per_day=self.calendar.day_length_minutes)
        )

    def overdue_text(self, due: datetime, until: datetime) -> str:
        """By how much a deadline was missed; empty if it was kept. A slip comes within a minute of the deadline, hence the words."""
        if until <= due:
            return ""
        minutes = self.minutes(due, until)
        return self.text(minutes) if minutes else MOMENT
