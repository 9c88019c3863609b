"""Where the time went: links against a counter that looks at every single minute, over random calls in random calendars (2.1, 2.9)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.time_spent import Link, Moment, Spent, TimeSpent, What, time_spent
from models.worktime import OfficeHours, WorkCalendar
from tests.county import ZONE, at

FIRST = date(2026, 9, 1)
DAYS = 300
HOURS = ("08:30-12:00 13:30-17:30", "09:00-17:00", "08:00-10:00 10:15-12:00 14:00-18:00")
QUICKLY = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@dataclass
class Minutes:
    """Every minute of the days looked at, and whether offices are open in it."""

    hours: OfficeHours
    odd: frozenset[int]
    """Days that differ from Monday to Friday: holidays and make-up working days."""
    wall: bool = False
    open: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        moments = [time(minute // 60, minute % 60) for minute in range(1440)]
        worked = [self.wall or any(opens <= now < closes for opens, closes in self.hours.spans) for now in moments]
        closed = [self.wall] * 1440
        for number in range(DAYS):
            works = ((FIRST + timedelta(days=number)).weekday() < 5) != (number in self.odd)
            self.open += worked if works else closed

    def place(self, instant: datetime) -> int:
        start = datetime.combine(FIRST, time(0), tzinfo=ZONE)
        return int((instant.astimezone(ZONE) - start).total_seconds() // 60)

    def count(self, start: datetime, end: datetime) -> int:
        return sum(self.open[self.place(start) : self.place(end)])

    def measure(self) -> Any:
        if self.wall:
            return lambda a, b: int((b - a).total_seconds() // 60)
        days = {
            FIRST + timedelta(days=n): ((FIRST + timedelta(days=n)).weekday() < 5) != (n in self.odd)
            for n in range(DAYS)
        }
        return WorkCalendar(days, hours=self.hours).minutes_between


Key = tuple[Link, int, int]


@dataclass
class Told:
    """A random call: its moments, and who had it in hand from when to when, told beside them."""

    data: st.DataObject
    now: datetime
    moments: list[Moment] = field(default_factory=list)
    stretches: list[tuple[Key, datetime, datetime]] = field(default_factory=list)
    at_rest: list[tuple[datetime, datetime]] = field(default_factory=list)
    dues: dict[Key, datetime] = field(default_factory=dict)
    times: dict[tuple[Link, int], int] = field(default_factory=dict)

    def yes(self) -> bool:
        return self.data.draw(st.booleans())

    def passes(self) -> tuple[datetime, datetime]:
        before = self.now
        self.now += timedelta(seconds=self.data.draw(st.integers(0, 5 * 86_400)))
        return before, self.now

    def due(self) -> datetime:
        return self.now + timedelta(seconds=self.data.draw(st.integers(0, 6 * 86_400)))

    def next(self, link: Link, of: int = 0) -> Key:
        self.times[link, of] = self.times.get((link, of), 0) + 1
        return link, of, self.times[link, of]

    def say(self, what: What, of: int = 0, key: Key | None = None, **more: Any) -> None:
        """A moment; with a key it begins or goes on with a link that has a deadline."""
        if key is not None:
            self.dues[key] = more["due"] = self.due()
        self.moments.append(Moment(self.now, what, of, **more))

    def holds(self, key: Key) -> None:
        self.stretches.append((key, *self.passes()))

    # The parts of a call's life

    def office(self) -> None:
        """Accepted in the end: after completion, after an objection, or at once."""
        self.accepting(What.submitted)
        for _ in range(self.data.draw(st.integers(0, 2))):
            if self.yes():
                self.say(What.completion_asked)
                self.holds(self.next(Link.completion))
            else:
                self.say(What.declined)
                self.at_rest.append(self.passes())
                key = self.next(Link.objection_ruling)
                self.say(What.objected, key=key)
                self.holds(key)
            self.accepting(What.submitted)
        key = self.next(Link.dispatch)
        self.say(What.accepted, key=key)
        self.holds(key)

    def accepting(self, what: What) -> None:
        key = self.next(Link.acceptance)
        self.say(what, key=key)
        self.holds(key)

    def department(self, of: int, *, alone: bool) -> None:
        """From the dispatch to the first report, with a return request and an extension, or by a plan approved before its response."""
        response, report = self.next(Link.response, of), self.next(Link.report, of)
        self.say(What.assigned, of, response)
        self.holds(response)
        planned = alone and self.yes()
        if planned:
            self.plan_asked(response)
            self.say(What.plan_approved)
            self.holds(response)
        if self.yes():
            ruling = self.next(Link.return_ruling, of)
            self.say(What.return_asked, of, ruling)
            self.holds(ruling)
            if self.yes():
                ruling = self.next(Link.referred_ruling, of)
                self.say(What.return_referred, of, ruling)
                self.holds(ruling)
            self.say(What.return_rejected, of)
            self.holds(response)
        if planned:
            self.planned(of, report)
            return
        self.say(What.responded, of, report)
        self.holds(report)
        if self.yes():
            ruling = self.next(Link.extension_ruling, of)
            self.say(What.extension_asked, of, ruling)
            started = self.now
            self.holds(report)
            self.stretches.append((ruling, started, self.now))
            self.say(What.extension_answered, of)
            self.holds(report)

    def departments(self, count: int) -> None:
        """All at work at the same time; the last one's report lets the call wait for its evaluation."""
        begun, ends, told = self.now, [], self.moments
        found: list[Moment] = []
        for of in range(1, count + 1):
            self.now, self.moments = begun, []
            self.department(of, alone=count == 1)
            if count == 1 and self.yes():
                self.long_term(of)
            self.say(What.reported, of, (Link.report, of, 1))
            ends.append(self.now)
            found += self.moments
        self.moments = told + sorted(found, key=lambda one: one.at)
        self.now = max(ends)

    def plan_asked(self, meanwhile: Key) -> None:
        for what, link in ((What.plan_asked, Link.endorsement), (What.plan_endorsed, Link.long_term_decision)):
            asked = self.next(link)
            self.say(what, key=asked)
            started = self.now
            self.holds(meanwhile)
            self.stretches.append((asked, started, self.now))

    def long_term(self, of: int) -> None:
        report = (Link.report, of, 1)
        self.plan_asked(report)
        self.say(What.plan_approved)
        self.handled_by_plan(of, report)

    def planned(self, of: int, report: Key) -> None:
        """The response comes while the plan is under way, or only after its end."""
        if self.yes():
            self.say(What.responded, of)
            self.handled_by_plan(of, report)
        else:
            self.say(What.plan_over)
            self.holds((Link.response, of, 1))
            self.say(What.responded, of, report)
            self.holds(report)

    def handled_by_plan(self, of: int, report: Key) -> None:
        self.holds(self.next(Link.long_term))
        self.say(What.plan_over)
        self.say(What.again, of, report)
        self.holds(report)

    def evaluated(self, count: int) -> None:
        self.say(What.all_reported)
        if self.yes():
            self.holds(self.next(Link.send_back))
            self.again(What.sent_back, count, 1)
            self.say(What.all_reported)
        self.holds(self.next(Link.evaluation))
        self.say(What.evaluated)
        if self.yes():
            self.again(What.again, count, 2)
            self.say(What.all_reported)
            self.holds(self.next(Link.evaluation))
            self.say(What.evaluated)
        self.say(What.closed)

    def again(self, what: What, count: int, round_: int) -> None:
        """Some departments report once more, one after the other."""
        chosen = self.data.draw(st.lists(st.integers(1, count), min_size=1, unique=True))
        for of in chosen:
            self.say(what, of, (Link.report, of, round_))
        begun = self.now
        for of in chosen:
            self.passes()
            self.stretches.append(((Link.report, of, round_), begun, self.now))
            self.say(What.reported, of, (Link.report, of, round_))


@st.composite
def tables(draw: st.DrawFn, *, wall: bool = False) -> Minutes:
    hours = OfficeHours.parse(draw(st.sampled_from(HOURS)))
    return Minutes(hours, frozenset(draw(st.lists(st.integers(0, 120), max_size=30))), wall)


def tell(data: st.DataObject, departments: int) -> Told:
    start = datetime.combine(FIRST, time(0), tzinfo=ZONE) + timedelta(seconds=data.draw(st.integers(0, 20 * 86_400)))
    told = Told(data, start.astimezone(UTC))
    told.office()
    told.departments(departments)
    told.evaluated(departments)
    return told


def expected(told: Told, table: Minutes, as_of: datetime) -> dict[Key, int]:
    found: dict[Key, int] = {}
    for key, start, end in told.stretches:
        if start <= as_of:
            found[key] = found.get(key, 0) + table.count(start, min(end, as_of))
    return found


def counted(spent: TimeSpent) -> dict[Key, int]:
    return {(one.link, one.of, one.count): one.minutes for one in spent.links}


@QUICKLY
@given(table=tables(), data=st.data(), departments=st.integers(1, 3))
def test_each_link_takes_what_a_counter_of_every_minute_finds(
    table: Minutes, data: st.DataObject, departments: int
) -> None:
    told = tell(data, departments)
    spent = time_spent(told.moments, table.measure(), told.now)
    assert counted(spent) == expected(told, table, told.now)
    assert all(one.minutes >= 0 and (one.late is None or one.late >= 0) for one in spent.links)
    ends = {key: end for key, _start, end in told.stretches}
    for one in spent.links:
        key = (one.link, one.of, one.count)
        due, end = told.dues.get(key), ends[key]
        assert one.due == due
        assert one.late == (table.count(due, end) if due is not None and end > due else None)


@QUICKLY
@given(table=tables(), data=st.data())
def test_the_links_of_a_sequential_call_add_up_to_the_whole(table: Minutes, data: st.DataObject) -> None:
    told = tell(data, 1)
    spent = time_spent(told.moments, table.measure(), told.now)
    assert sum(one.minutes for one in spent.links if not one.beside) == spent.whole
    rested = sum(table.count(start, end) for start, end in told.at_rest)
    assert spent.whole == table.count(told.moments[0].at, told.now) - rested


@QUICKLY
@given(table=tables(wall=True), data=st.data())
def test_an_emergency_is_measured_by_the_wall_clock(table: Minutes, data: st.DataObject) -> None:
    told = tell(data, 2)
    assert counted(time_spent(told.moments, table.measure(), told.now)) == expected(told, table, told.now)


@QUICKLY
@given(table=tables(), data=st.data(), departments=st.integers(1, 2), part=st.floats(0, 1))
def test_at_any_instant_the_way_so_far_is_the_same(
    table: Minutes, data: st.DataObject, departments: int, part: float
) -> None:
    """Looked at half-way, links begun are counted up to then. Who sends back is known only when he does."""
    told = tell(data, departments)
    start = told.moments[0].at
    as_of = start + (told.now - start) * part
    spent = time_spent(told.moments, table.measure(), as_of)
    waits = (Link.evaluation, Link.send_back)

    def merged(found: dict[Key, int]) -> tuple[dict[Key, int], int]:
        return {key: n for key, n in found.items() if key[0] not in waits}, sum(
            n for key, n in found.items() if key[0] in waits
        )

    assert merged(counted(spent)) == merged(expected(told, table, as_of))


# Single rules, by hand

CALENDAR = WorkCalendar({date(2026, 11, day): date(2026, 11, day).weekday() < 5 for day in range(1, 31)})
START = at("2026-11-23 09:00")


def way(*moments: Moment, until: str, minutes: Any = None) -> dict[str, Spent]:
    spent = time_spent(moments, minutes or CALENDAR.minutes_between, at(until))
    return {f"{one.link}{one.count if one.count > 1 else ''}": one for one in spent.links}


def test_a_return_request_is_the_offices_time() -> None:
    found = way(
        Moment(START, What.assigned, 1, at("2026-11-24 17:30"), at("2026-11-30 17:30")),
        Moment(at("2026-11-23 10:00"), What.return_asked, 1, at("2026-11-23 15:30")),
        Moment(at("2026-11-23 17:00"), What.return_rejected, 1),
        Moment(at("2026-11-24 08:40"), What.responded, 1),
        until="2026-11-24 09:00",
    )
    assert found["response"].minutes == 60 + 30 + 10
    assert found["response"].late is None
    assert (found["return_ruling"].minutes, found["return_ruling"].late) == (120 + 210, 90)
    assert not found["return_ruling"].beside


def test_in_an_emergency_the_ruling_runs_beside_the_departments_clock() -> None:
    def wall(a: datetime, b: datetime) -> int:
        return int((b - a).total_seconds() // 60)

    found = way(
        Moment(START, What.assigned, 1, at("2026-11-23 09:30")),
        Moment(at("2026-11-23 09:10"), What.return_asked, 1, stops=False),
        Moment(at("2026-11-23 09:40"), What.return_rejected, 1),
        Moment(at("2026-11-23 09:45"), What.responded, 1),
        until="2026-11-23 10:00",
        minutes=wall,
    )
    assert (found["response"].minutes, found["response"].late) == (45, 15)
    assert (found["return_ruling"].minutes, found["return_ruling"].beside) == (30, True)


def test_long_term_handling_begins_with_the_first_response_where_nobody_has_responded_yet() -> None:
    """The plan replaces the report clock alone: until then the time is the response's, whose clock runs on (2.1)."""
    moments = (
        Moment(START, What.submitted),
        Moment(START, What.assigned, 1, at("2026-11-24 17:30"), at("2026-11-30 17:30")),
        Moment(START, What.assigned, 2, at("2026-11-24 17:30"), at("2026-11-30 17:30")),
        Moment(at("2026-11-23 09:30"), What.plan_approved),
        Moment(at("2026-11-23 10:00"), What.responded, 1),
        Moment(at("2026-11-23 10:20"), What.responded, 2),
        Moment(at("2026-11-23 11:00"), What.plan_over),
        Moment(at("2026-11-23 11:00"), What.again, 1, at("2026-11-30 17:30")),
        Moment(at("2026-11-23 11:00"), What.again, 2, at("2026-11-30 17:30")),
    )
    spent = time_spent(moments, CALENDAR.minutes_between, at("2026-11-23 11:30"))
    assert {(one.link, one.of): one.minutes for one in spent.links} == {
        (Link.response, 1): 60,
        (Link.response, 2): 80,
        (Link.long_term, 0): 60,
        (Link.report, 1): 30,
        (Link.report, 2): 30,
    }
    alone = time_spent([one for one in moments if one.of != 2], CALENDAR.minutes_between, at("2026-11-23 11:30"))
    assert sum(one.minutes for one in alone.links) == alone.whole == 150


def test_long_term_handling_begins_with_the_approval_where_somebody_has_responded() -> None:
    found = way(
        Moment(START, What.assigned, 1, at("2026-11-24 17:30"), at("2026-11-30 17:30")),
        Moment(START, What.assigned, 2, at("2026-11-24 17:30"), at("2026-11-30 17:30")),
        Moment(at("2026-11-23 09:20"), What.responded, 1, at("2026-11-30 17:30")),
        Moment(at("2026-11-23 09:30"), What.plan_approved),
        until="2026-11-23 10:30",
    )
    assert (found["report"].minutes, found["long_term"].minutes, found["response"].minutes) == (10, 60, 90)


def test_nobody_is_waited_for_where_what_was_asked_for_has_lapsed() -> None:
    """More time and a leader's decision lapse in long-term handling, a plan once all have reported."""
    soon = at("2026-11-23 10:00")
    begun = (
        Moment(START, What.assigned, 1, at("2026-11-24 17:30"), at("2026-11-30 17:30")),
        Moment(START, What.responded, 1, at("2026-11-30 17:30")),
        Moment(START, What.extension_asked, 1, soon),
        Moment(START, What.escalated, due=soon),
        Moment(START, What.plan_asked, due=soon),
    )
    approved = way(*begun, Moment(at("2026-11-23 09:30"), What.plan_approved), until="2026-11-27 09:00")
    assert [name for name in ("extension_ruling", "escalation") if approved[name].late is not None] == []
    reported = way(
        *begun,
        Moment(at("2026-11-23 09:30"), What.reported, 1, at("2026-11-30 17:30")),
        Moment(at("2026-11-23 09:30"), What.all_reported),
        until="2026-11-27 09:00",
    )
    assert (reported["endorsement"].ended, reported["endorsement"].late) == (at("2026-11-23 09:30"), None)


def test_who_never_responds_is_late_twice_but_takes_the_time_once() -> None:
    found = way(
        Moment(START, What.assigned, 1, at("2026-11-23 17:30"), at("2026-11-24 17:30")),
        until="2026-11-25 09:30",
    )
    assert (found["response"].late, found["report"].late) == (450 + 60, 60)
    assert (found["report"].minutes, found["report"].ended) == (0, None)


def test_withdrawing_ends_every_link() -> None:
    found = way(
        Moment(START, What.submitted, due=at("2026-11-23 14:30")),
        Moment(at("2026-11-23 09:30"), What.accepted, due=at("2026-11-24 17:30")),
        Moment(at("2026-11-23 10:00"), What.withdrawn),
        until="2026-11-27 09:00",
    )
    assert {name: one.minutes for name, one in found.items()} == {"acceptance": 30, "dispatch": 30}
    assert all(one.ended is not None and one.late is None for one in found.values())


def test_a_changed_evaluation_gives_the_time_to_the_township() -> None:
    found = way(
        Moment(START, What.assigned, 1, at("2026-11-24 17:30"), at("2026-11-30 17:30")),
        Moment(at("2026-11-23 09:10"), What.responded, 1, at("2026-11-30 17:30")),
        Moment(at("2026-11-23 10:00"), What.reported, 1, at("2026-11-30 17:30")),
        Moment(at("2026-11-23 10:00"), What.all_reported),
        Moment(at("2026-11-23 10:30"), What.evaluated),
        Moment(at("2026-11-23 10:30"), What.again, 1, at("2026-11-26 17:30")),
        Moment(at("2026-11-23 11:00"), What.taken_back, 1),
        Moment(at("2026-11-23 11:00"), What.closed),
        until="2026-11-27 09:00",
    )
    assert {name: one.minutes for name, one in found.items()} == {"response": 10, "report": 50, "evaluation": 60}


def test_less_than_a_minute_late_is_late_all_the_same() -> None:
    found = way(
        Moment(START, What.assigned, 1, at("2026-11-23 09:30")),
        Moment(at("2026-11-23 09:30") + timedelta(seconds=1), What.responded, 1),
        until="2026-11-23 10:00",
    )
    assert found["response"].late == 0
