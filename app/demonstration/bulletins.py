"""The statistics bulletins of the months that lie whole within the demonstration, each drafted, submitted and approved in its time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.demonstration.county import County
from app.demonstration.people import Staff
from models import clock, viewer
from models.bulletin import Bulletin, BulletinState
from models.bulletin_drafting import draft_of_county, period_due
from models.calendar import work_calendar
from models.workflow import perform

SUBMITTED, APPROVED = timedelta(hours=6, minutes=20), timedelta(hours=8, minutes=5)
"""How long after the draft the supervisor submits it, and the county's head approves it."""


class MonthlyBulletins:
    """Takes its turns among the calls, so that the figures are those of their day."""

    def __init__(self, session: Session, county: County, staff: Staff) -> None:
        self.session = session
        self.county_id = county.body.id
        self.staff = staff
        self.calendar = work_calendar(session, county.body.id)

    def plan(self, at: Callable[[datetime, Callable[[], Any]], Any], start: date, today: date) -> None:
        """Put the turns among those of the calls; `start` is the first day on which calls are raised."""
        day = start
        while day < today:
            instant = datetime.combine(day, time(8, 40), tzinfo=self.calendar.zone)
            period = period_due(self.session, self.county_id, instant)
            if period is not None and period.first >= start and self._first_morning(day):
                at(instant, partial(self._draft, instant))
                at(instant + SUBMITTED, partial(self._step, instant + SUBMITTED, "supervisor", "submit"))
                at(instant + APPROVED, partial(self._step, instant + APPROVED, "leader", "approve"))
            day += timedelta(days=1)

    def _first_morning(self, day: date) -> bool:
        """Whether the draft was not due the morning before."""
        before = datetime.combine(day - timedelta(days=1), time(8, 40), tzinfo=self.calendar.zone)
        now = datetime.combine(day, time(8, 40), tzinfo=self.calendar.zone)
        return period_due(self.session, self.county_id, before) != period_due(self.session, self.county_id, now)

    def _draft(self, now: datetime) -> None:
        with clock.at(now), viewer.system():
            draft_of_county(self.session, self.county_id, now)

    def _step(self, now: datetime, who: str, name: str) -> None:
        waiting = BulletinState.draft if name == "submit" else BulletinState.submitted
        with viewer.system():
            person = self.staff.viewer(who)
            [key] = self.session.scalars(sa.select(Bulletin.id).where(Bulletin.state == waiting))
        with clock.at(now), viewer.viewing(person):
            perform(self.session, Bulletin, key, name, {})
