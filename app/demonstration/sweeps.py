"""What the scheduler does while the demonstration's people act: the ladder, the parties' clocks and the automatic steps, each at its minute."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import clock, viewer
from models.automatic import sweep_automatic
from models.call import Assignment
from models.party_clocks import CLOCKS, PartyClock, ambers, sweep_parties
from models.supervision import Notice, NoticeState
from models.sweep import sweep

BY_MODEL = {model: [one for one in CLOCKS if one.model is model] for model in {one.model for one in CLOCKS}}

ENDING = frozenset({"evaluate", "opinion"})
"""Clocks whose end is itself an automatic step."""

Due = tuple[datetime, int, Any, PartyClock | None]
"""When, in which order, whose, and which clock; without a clock an assignment's ladder, without a record the drafted slips."""


class Sweeps:
    """Knows when anything falls due, so that only those minutes are swept in which the scheduler would find something to do."""

    def __init__(self, session: Session, drafted: Callable[[Notice], None]) -> None:
        self.session = session
        self.drafted = drafted
        """Told of every supervision slip that waits for its signature."""
        self._order = count()
        self._due: list[Due] = []
        self._known: set[tuple[Any, ...]] = set()
        self._slips: dict[int, Notice] = {}

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Notice every deadline that is set; those that run already are looked up first."""
        with viewer.system():
            for one in CLOCKS:
                for record in self.session.scalars(sa.select(one.model).where(one.runs(one.model))).unique():
                    self._expect(record)
        sa.event.listen(self.session, "after_flush", self._flushed)
        try:
            yield
        finally:
            sa.event.remove(self.session, "after_flush", self._flushed)

    def until(self, instant: datetime) -> None:
        """Sweep every full minute before an instant at which something is due, as the scheduler would."""
        while self._due and (tick := _minute(self._due[0][0])) <= instant:
            reached = []
            while self._due and self._due[0][0] <= tick:
                reached.append(heapq.heappop(self._due))
            with clock.at(tick):
                self._sweep(reached)

    def acted(self, instant: datetime) -> None:
        """After people acted: a drafted slip may have lost its reason, which the next minute's sweep sees."""
        if self._slips:
            self._note(_minute(instant), None, None)

    def _sweep(self, reached: list[Due]) -> None:
        with viewer.system():
            ladder = any(isinstance(record, Assignment) and record.next_step_at == at for at, _, record, _ in reached)
            clocks = {one.name: one for _, _, record, one in reached if one is not None and self._runs(record, one)}
        if ladder:
            sweep(self._transaction)
            self._tell_of_drafts()
        if clocks:
            sweep_parties(self._transaction, list(clocks.values()))
        ended = [clocks[name].model for name in sorted(ENDING & clocks.keys())]
        if any(record is None for _at, _order, record, _one in reached):
            ended.append(Notice)
        if ended:
            sweep_automatic(self._transaction, ended)
            self._slips = {key: one for key, one in self._slips.items() if one.state == NoticeState.drafted}

    def _runs(self, record: Any, one: PartyClock) -> bool:
        found = self.session.scalar(sa.select(one.model.id).where(one.model.id == record.id, one.runs(one.model)))
        return found is not None

    def _tell_of_drafts(self) -> None:
        with viewer.system():
            drafts = self.session.scalars(sa.select(Notice).where(Notice.state == NoticeState.drafted)).unique()
            for notice in drafts:
                if notice.id not in self._slips:
                    self._slips[notice.id] = notice
                    self.drafted(notice)

    def _flushed(self, session: Session, context: Any) -> None:
        for record in (*session.new, *session.dirty):
            if isinstance(record, Assignment) or type(record) in BY_MODEL:
                self._expect(record)

    def _expect(self, record: Any) -> None:
        """Note when a record's clocks have to be looked at."""
        if isinstance(record, Assignment):
            self._note(record.next_step_at, record, None)
            return
        for one in BY_MODEL[type(record)]:
            due = getattr(record, one.due)
            if due is None or (key := (one.name, record.id, due, getattr(record, one.since))) in self._known:
                continue
            self._known.add(key)
            for at in (*ambers(self.session, one, record), due):
                self._note(at, record, one)

    def _note(self, at: datetime | None, record: Any, one: PartyClock | None) -> None:
        if at is not None:
            heapq.heappush(self._due, (at, next(self._order), record, one))

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        """The sweep's transactions are parts of the one that loads everything."""
        yield self.session
        self.session.flush()


def _minute(instant: datetime) -> datetime:
    """The first full minute that is not before an instant."""
    tick = instant.replace(second=0, microsecond=0)
    return tick if tick == instant else tick + timedelta(minutes=1)
