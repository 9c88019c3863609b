"""The maintained figures equal a recount from the rows (5, cockpit), on both databases."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.database import transaction
from models import clock, viewer
from models.calendar import work_calendar
from models.call import Assignment, Call
from models.call_indicators import CallIndicator, Figures, cohort
from models.call_moments import times_spent
from models.event import Event
from models.refusal import Refused
from models.summary import (
    TENTHS,
    Sum,
    SummaryAssignment,
    SummaryCall,
    SummaryFigure,
    SummaryLink,
    SummaryMonth,
    counted_at,
    places,
    sums,
    up_to_date,
    whole,
)
from models.summary_counting import count_changes
from tests.county import County, at

NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)
END = at("2026-12-31 12:00")


def counted(county: County, when: datetime) -> int:
    with county.app.app_context(), clock.at(when):
        return count_changes(transaction)


def kept(county: County, first: date = NOVEMBER, last: date = DECEMBER) -> Mapping[tuple[str, str, str], Sum]:
    with county.acting(None) as session:
        return sums(session, county.id, first, last)


def recounted(county: County, as_of: datetime, first: date, last: date) -> dict[tuple[str, str, str], Sum]:
    """From the rows themselves, by the definitions of the indicators, and past the maintained tables."""
    found: dict[tuple[str, str, str], Sum] = {}
    with county.acting(None, as_of) as session:
        calendar = work_calendar(session, county.id)
        fields = {row.id: row.field for row in session.execute(sa.select(Assignment.id, Call.field).join(Call))}
        groups: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for one in cohort(session, county.id, first, last, as_of):
            groups["department", str(one.department_id)].append(one)
            groups["field", fields[one.assignment_id]].append(one)
        for (kind, key), handled in groups.items():
            figures = Figures(as_of, handled)
            for name in CallIndicator:
                rate = figures.rate(name)
                found[kind, key, name.value] = Sum(int(rate.numerator * TENTHS), rate.denominator)
            found[kind, key, "dispatched"] = Sum(figures.dispatched * TENTHS, figures.dispatched)
            found[kind, key, "handled_again"] = Sum(int(figures.rehandlings.numerator * TENTHS), figures.dispatched)
            for name, mean in (
                ("response_minutes", figures.mean_response(calendar)),
                ("report_minutes", figures.mean_report(calendar)),
            ):
                found[kind, key, name] = Sum(mean.minutes, mean.count)
        calls = [
            call
            for call in session.scalars(sa.select(Call).where(Call.dispatched_at.is_not(None)))
            if call.dispatched_at is not None and first <= calendar.local_date(call.dispatched_at) <= last
        ]
        for kind, keys in (
            ("field", [call.field for call in calls]),
            ("township", [str(call.township_id) for call in calls]),
        ):
            emergencies = Counter(key for key, call in zip(keys, calls, strict=True) if call.emergency)
            for key, count in Counter(keys).items():
                found[kind, key, "calls"] = Sum(TENTHS * emergencies[key], count)
        spent = times_spent(session, calls, as_of)
        links: dict[tuple[str, str], dict[tuple[int, int], tuple[int, bool]]] = defaultdict(dict)
        for call in calls:
            open_ = {(one.link, one.of) for one in spent[call.id].links if one.ended is None}
            for one in spent[call.id].links:
                if (one.link, one.of) in open_:
                    continue
                place = links["emergency_link" if call.emergency else "link", one.link.value]
                minutes, late = place.get((call.id, one.of), (0, False))
                place[call.id, one.of] = (minutes + one.minutes, late or one.late is not None)
        for (kind, link), each in links.items():
            found[kind, link, "minutes"] = Sum(sum(minutes for minutes, _late in each.values()), len(each))
            found[kind, link, "late"] = Sum(TENTHS * sum(late for _minutes, late in each.values()), len(each))
    return {place: one for place, one in found.items() if one.count}


def compared(found: Mapping[tuple[str, str, str], Sum], names: set[str]) -> dict[tuple[str, str, str], Sum]:
    return {place: one for place, one in found.items() if place[2] in names}


NAMES = {
    *(name.value for name in CallIndicator),
    "dispatched", "handled_again", "response_minutes", "report_minutes", "calls", "minutes", "late",
}  # fmt: skip


def forget(county: County) -> None:
    """As after the migration of a database in use: nothing was ever counted."""
    with county.acting(None) as session:
        for model in (SummaryAssignment, SummaryCall, SummaryLink, SummaryFigure, SummaryMonth):
            session.execute(sa.delete(model))
        session.execute(sa.update(Event).values(counted_at=None))


def assert_equal(county: County, when: datetime) -> None:
    """The figures of both months together, and of each."""
    for first, last in ((NOVEMBER, DECEMBER), (NOVEMBER, NOVEMBER), (DECEMBER, DECEMBER)):
        end = (last.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        assert compared(kept(county, first, last), NAMES) == recounted(county, when, first, end)


class History:
    """Calls that go any legal or illegal way, while time passes."""

    def __init__(self, county: County, seed: int) -> None:
        self.county = county
        self.random = random.Random(seed)
        self.now = at("2026-11-26 09:00")
        self.calls: list[int] = []

    def step(self) -> None:
        self.now += timedelta(minutes=self.random.choice((1, 20, 90, 400, 1500, 3000)))
        if len(self.calls) < 3 or self.random.random() < 0.15:
            self.raise_one()
            return
        for _attempt in range(8):
            if self.attempt():
                return

    def raise_one(self) -> None:
        departments = self.random.sample(("department1", "department2", "department3"), self.random.choice((1, 1, 2)))
        township = self.random.choice(("township1", "township2"))
        if self.random.random() < 0.2:
            made = self.county.emergency(*departments, township=township, when=self.now)
        else:
            made = self.county.dispatched(*departments, township=township, when=self.now)
        self.calls.append(made[0])

    def attempt(self) -> bool:
        key = self.random.choice(self.calls)
        with self.county.acting(None) as session:
            call = session.get_one(Call, key)
            township = next(name for name in ("township1", "township2") if self.county[name] == call.township_id)
            parts = [(one.id, self.name_of(one.department_id)) for one in call.assignments]
        part, department = self.random.choice(parts)
        said = self.random.choice(("已到现场处理完毕，恢复原状。", "已转交施工单位，三日内完成。", "已办"))
        steps: tuple[tuple[str, type[Any], int, str, dict[str, Any]], ...] = (
            (department, Assignment, part, "respond", {"how": "phone", "whom": self.random.choice(("王镇长", ""))}),
            (department, Assignment, part, "report", {"result": said, "solved": "solved", "without_reason": "未到"}),
            (department, Assignment, part, "log_progress", {"text": "正在办理"}),
            (department, Assignment, part, "request_return", {"reason": "不属本局"}),
            ("dispatcher", Assignment, part, "reject_return", {"ruling": "属本局"}),
            ("dispatcher", Assignment, part, "uphold_return", {"ruling": "另派", "lead": self.county["department4"]}),
            ("dispatcher", Assignment, part, "close_assignment", {"reason": "未办理"}),
            (township, Call, key, "evaluate", self.evaluation(parts)),
            (township, Call, key, "change_evaluation", self.evaluation(parts)),
            (township, Call, key, "withdraw", {"reason": "已解决"}),
            ("dispatcher", Call, key, "send_back", {"missing": "缺照片"}),
            ("dispatcher", Call, key, "add_department", {"department": self.county["department4"], "reason": "协办"}),
            ("dispatcher", Call, key, "reassign", {"assignment": part, "department": self.county["department4"], "reason": "改派"}),
        )  # fmt: skip
        who, model, record, name, values = self.random.choices(
            steps, weights=(6, 6, 2, 1, 2, 1, 1, 5, 2, 0.3, 1, 0.5, 0.5)
        )[0]
        try:
            self.county.do(who, model, record, name, values, self.now)
        except Refused:
            return False
        return True

    def name_of(self, department_id: int) -> str:
        return next(name for name, key in self.county.organisations.items() if key == department_id)

    def evaluation(self, parts: list[tuple[int, str]]) -> dict[str, Any]:
        entries = [
            {
                "assignment": key,
                "satisfaction": self.random.choice(("satisfied", "fair", "dissatisfied")),
                "solved": self.random.choice(("solved", "partly")),
                "comment": "意见",
            }
            for key, _department in self.random.sample(parts, self.random.randint(1, len(parts)))
        ]
        return {"evaluations": entries, "signed_by": "李镇长"}


@pytest.mark.parametrize("seed", range(4))
def test_the_maintained_figures_equal_a_recount_after_any_history(county: County, seed: int) -> None:
    history = History(county, seed)
    for place in range(60):
        history.step()
        if place % 12 == 11:
            counted(county, history.now)
            assert_equal(county, history.now)
    found = kept(county)
    assert len({row for row in found if row[0] == "department"}) > 10, "the history was worth comparing"
    forget(county)
    counted(county, history.now)
    assert kept(county) == found, "step by step or all at once, signals too"


def test_what_a_deadline_changes_by_passing_is_counted_without_an_event(county: County) -> None:
    _call, one = county.dispatched("department1", when=at("2026-11-23 09:00"))
    counted(county, at("2026-11-23 09:01"))
    place = ("department", str(county["department1"]), "response_rate")
    assert place not in kept(county), "nothing is due yet"
    due = at("2026-11-24 17:30")
    assert counted(county, due) == 0, "kept up to the last instant"
    assert counted(county, due + timedelta(seconds=1)) == 1
    assert kept(county)[place] == Sum(0, 1)
    assert_equal(county, due + timedelta(seconds=1))
    county.respond("department1", one, due + timedelta(minutes=1))
    counted(county, due + timedelta(minutes=2))
    assert kept(county)[place] == Sum(TENTHS, 1)
    assert counted(county, due + timedelta(minutes=3)) == 0, "done twice, it does nothing"


def test_the_figures_say_whether_they_are_up_to_date(county: County) -> None:
    county.dispatched("department1", when=at("2026-11-23 09:00"))
    with county.acting(None) as session:
        assert not up_to_date(session, county.id, at("2026-11-23 09:01"))
        assert counted_at(session, county.id) is None
    counted(county, at("2026-11-23 09:02"))
    with county.acting(None) as session:
        assert up_to_date(session, county.id, at("2026-11-23 09:05"))
        assert counted_at(session, county.id) == at("2026-11-23 09:02")
        assert not up_to_date(session, county.id, at("2026-11-25 09:00")), "a deadline has passed"


def test_counting_that_was_interrupted_is_made_up_for(county: County) -> None:
    county.dispatched("department1", when=at("2026-11-23 09:00"))

    class Killed(Exception):
        pass

    opened = []

    def until_killed() -> Any:
        opened.append(None)
        if len(opened) == 4:
            raise Killed
        return transaction()

    with county.app.app_context(), clock.at(at("2026-11-23 10:00")), pytest.raises(Killed):
        count_changes(until_killed)
    with county.acting(None) as session:
        assert session.scalars(sa.select(SummaryMonth.stale)).all() == [True]
    counted(county, at("2026-11-23 10:01"))
    assert_equal(county, at("2026-11-23 10:01"))


def test_all_calls_are_counted_where_nothing_was_kept_before(county: County) -> None:
    for hour in range(9, 12):
        county.dispatched("department1", when=at(f"2026-11-23 {hour:02}:00"))
    counted(county, at("2026-11-23 15:00"))
    before = kept(county)
    forget(county)
    assert counted(county, at("2026-11-23 15:00")) == 3
    assert kept(county) == before


def test_of_townships_nothing_but_the_workload_is_kept(county: County) -> None:
    call, one = county.dispatched("department1", when=at("2026-11-23 09:00"))
    county.respond("department1", one, at("2026-11-23 10:00"))
    county.report("department1", one, at("2026-11-23 11:00"))
    county.evaluate(call, {one: "satisfied"}, at("2026-11-23 12:00"))
    counted(county, END)
    assert {name for kind, _key, name in kept(county) if kind == "township"} == {"calls"}
    with viewer.system(), county.app.app_context():
        assert "township_id" not in sa.inspect(SummaryAssignment).columns


def test_places_are_those_called_about_again_and_again(county: County) -> None:
    for hour, place in ((9, "刘庄"), (10, "刘庄"), (11, " 刘庄 "), (14, "王家"), (15, "")):
        call, _one = county.dispatched("department1", when=at(f"2026-11-23 {hour:02}:00"))
        with county.acting(None) as session:
            session.get_one(Call, call).place = place
    counted(county, END)
    with county.acting(None) as session:
        assert list(places(session, county.id, NOVEMBER, DECEMBER, 3, 10)) == [(county["township1"], "刘庄", 3)]


def test_a_whole_is_the_sum_of_the_departments(county: County) -> None:
    county.dispatched("department1", "department2", when=at("2026-11-23 09:00"))
    counted(county, END)
    assert whole(kept(county))["dispatched"] == Sum(2 * TENTHS, 2)
