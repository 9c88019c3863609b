"""The statistics bulletins of the months that lie whole within the demonstration, each drafted, submitted and approved in its time;
the last one is still being edited."""

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
from reports.structure import renumbered

SUBMITTED, APPROVED = timedelta(hours=6, minutes=20), timedelta(hours=8, minutes=5)
"""How long after the draft the supervisor submits it, and the county's head approves it."""
EDITED = time(15, 40)
"""When the supervisor works on the last draft, on the day before the end."""
ADDED = "（一）更新联络信息。各部门（单位）联络员、值班电话有变动的，当日在平台更新，确保乡镇（街道）随时联系得上。"
"""What the supervisor adds to the last draft, counted on from the paragraphs before."""


class MonthlyBulletins:
    """Takes its turns among the calls, so that the figures are those of their day."""

    def __init__(self, session: Session, county: County, staff: Staff) -> None:
        self.session = session
        self.county_id = county.body.id
        self.staff = staff
        self.calendar = work_calendar(session, county.body.id)

    def plan(self, at: Callable[[datetime, Callable[[], Any]], Any], start: date, today: date) -> None:
        """Put the turns among those of the calls; `start` is the first day on which calls are raised."""
        turns = []
        day = start
        while day < today:
            instant = datetime.combine(day, time(8, 40), tzinfo=self.calendar.zone)
            period = period_due(self.session, self.county_id, instant)
            if period is not None and period.first >= start and self._first_morning(day):
                turns.append(instant)
            day += timedelta(days=1)
        for place, instant in enumerate(turns, start=1):
            at(instant, partial(self._draft, instant))
            if place > 1 and place == len(turns):
                edited = datetime.combine(self.calendar.move_working_days(today, -1), EDITED, tzinfo=self.calendar.zone)
                at(edited, partial(self._edit, edited))
            else:
                at(instant + SUBMITTED, partial(self._step, instant + SUBMITTED, "supervisor", "submit"))
                at(instant + APPROVED, partial(self._step, instant + APPROVED, "leader", "approve"))

    def _first_morning(self, day: date) -> bool:
        """Whether the draft was not due the morning before."""
        before = datetime.combine(day - timedelta(days=1), time(8, 40), tzinfo=self.calendar.zone)
        now = datetime.combine(day, time(8, 40), tzinfo=self.calendar.zone)
        return period_due(self.session, self.county_id, before) != period_due(self.session, self.county_id, now)

    def _draft(self, now: datetime) -> None:
        with clock.at(now), viewer.system():
            draft_of_county(self.session, self.county_id, now)

    def _edit(self, now: datetime) -> None:
        """As the form saves it."""
        with viewer.system():
            person = self.staff.viewer("supervisor")
            bulletin = self.session.scalars(sa.select(Bulletin).where(Bulletin.state == BulletinState.draft)).one()
        with clock.at(now), viewer.viewing(person):
            bulletin.text = renumbered(f"{bulletin.text}\n{ADDED}")
            self.session.flush()

    def _step(self, now: datetime, who: str, name: str) -> None:
        waiting = BulletinState.draft if name == "submit" else BulletinState.submitted
        with viewer.system():
            person = self.staff.viewer(who)
            [key] = self.session.scalars(sa.select(Bulletin.id).where(Bulletin.state == waiting))
        with clock.at(now), viewer.viewing(person):
            perform(self.session, Bulletin, key, name, {})
