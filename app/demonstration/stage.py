"""The stage on which the calls are played: a queue of acts in the order of time, and the ways in which people act."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from random import Random
from typing import Any

from sqlalchemy.orm import Session

from app.demonstration.deck import Deck
from app.demonstration.matters import Library
from app.demonstration.people import Staff
from app.demonstration.sweeps import Sweeps
from models import clock, viewer
from models.base import Record
from models.calendar import work_calendar
from models.call import Assignment, Call
from models.supervision import Notice, NoticeState
from models.viewer import Viewer
from models.workflow import begin, perform
from models.worktime import WorkCalendar

Act = Callable[[], None]


class Stage:
    """Everything goes through `models.workflow` as the person who would do it; nothing is written past it."""

    def __init__(self, session: Session, county_id: int, library: Library, staff: Staff, random: Random) -> None:
        self.session = session
        self.county_id = county_id
        self.staff = staff
        self.random = random
        self.now = datetime.min.replace(tzinfo=UTC)
        self.last_afternoon = self.now
        """When offices open again after the last noon."""
        self._queue: list[tuple[datetime, int, Act]] = []
        self._order = count()
        self._sweeps = Sweeps(session, self._drafted)
        self._phrases = {name: Deck(texts, random) for name, texts in library.phrases.items()}
        self._signing = Deck([15, 25, 40, 55, 80, 120, 170], random)

    @property
    def calendar(self) -> WorkCalendar:
        return work_calendar(self.session, self.county_id)

    def play(self, end: datetime, tell: Callable[[datetime], None]) -> None:
        """Let everything happen that happens before `end`; what would come later stays undone, as on any evening."""
        last = self.calendar.move_working_days(self.calendar.local_date(end), -1)
        self.last_afternoon = self.calendar.spans(last)[-1][0]
        with self._sweeps.listening():
            while self._queue and self._queue[0][0] < end:
                instant, _order, act = heapq.heappop(self._queue)
                self._sweeps.until(instant)
                if self._queue and self._queue[0][0] < instant:  # a sweep has set something going before it
                    self.at(instant, act)
                    continue
                tell(instant)
                self.now = instant
                act()
                self._sweeps.acted(instant)
            self._sweeps.until(end)

    # Time

    def at(self, instant: datetime, act: Act) -> None:
        heapq.heappush(self._queue, (instant, next(self._order), act))

    def after(self, start: datetime, business_minutes: float) -> datetime:
        """An instant in office hours, so many business minutes later, at some second."""
        return self.calendar.advance(start, timedelta(minutes=business_minutes)) + timedelta(
            seconds=self.random.randrange(2, 50)
        )

    def within(self, start: datetime, due: datetime, business_minutes: float) -> datetime:
        """Like `after`, but a little before the deadline at the latest."""
        latest = due - timedelta(minutes=self.random.randrange(8, 25))
        return min(self.after(start, business_minutes), max(latest, start + timedelta(minutes=1)))

    def soon(self, act: Act, least: int, most: int) -> None:
        """Do something after that many business minutes from now, drawn by lot."""
        self.at(self.after(self.now, self.random.randrange(least, most)), act)

    def on_last_afternoon(self, act: Act) -> None:
        """What is asked then has no answer yet when everything ends."""
        at = self.after(self.last_afternoon, self.random.randrange(20, 150))
        self.at(max(at, self.after(self.now, 4)), act)

    # Acting

    @contextmanager
    def acting(self, who: Viewer) -> Iterator[None]:
        with clock.at(self.now), viewer.viewing(who):
            yield

    def perform(self, who: Viewer, record: Record, name: str, /, **values: Any) -> None:
        with self.acting(who):
            perform(self.session, type(record), record.id, name, values)

    def begin(self, who: Viewer, model: type[Any], name: str, /, **values: Any) -> Any:
        with self.acting(who):
            return begin(self.session, model, name, values).record

    def phrase(self, name: str, **names: str) -> str:
        return self._phrases[name].draw().format(**names)

    def township(self, call: Call) -> Viewer:
        return self.staff.officer(call.township_id)

    def department(self, assignment: Assignment) -> Viewer:
        return self.staff.officer(assignment.department_id)

    @property
    def dispatcher(self) -> Viewer:
        return self.staff.viewer("dispatcher")

    # Supervision slips

    def _drafted(self, notice: Notice) -> None:
        """A supervisor signs what the ladder drafted, but for what comes on the last afternoon."""
        drafted_at = clock.now()
        if drafted_at < self.last_afternoon:
            at = self.after(drafted_at, self._signing.draw())
            self.at(at, partial(self._sign, notice))

    def _sign(self, notice: Notice) -> None:
        if notice.state == NoticeState.drafted:
            self.perform(self.staff.viewer("supervisor"), notice, "sign")
            if self.random.random() < 0.5:
                self.at(self.after(self.now, self.random.randrange(60, 240)), partial(self._receipt, notice))

    def _receipt(self, notice: Notice) -> None:
        """Every second department fills in the receipt in the portal; the others send the paper."""
        leader = self.staff.leader_person(notice.department_id)
        self.perform(
            self.staff.officer(notice.department_id),
            notice,
            "receipt",
            head=f"{leader.name}（{leader.position}）",
            contacted=self.phrase("receipt_contacted"),
            result=self.phrase("receipt_result"),
            reason=self.phrase("receipt_reason"),
            plan=self.phrase("receipt_plan"),
        )
