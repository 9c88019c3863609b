"""Two at the same moment: numbers, reports, versions, on both databases (5, Reliability)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm.exc import StaleDataError

from app.database import db
from models import viewer
from models.call import Assignment, Call
from models.document import NumberSeries, take_number
from models.event import Event, verify
from models.funds import AccountPeriod, Allotment, Expense
from models.refusal import Conflict, Invalid, Refused
from models.setting import Setting
from tests.county import MONDAY, County


def together(*works: Callable[[], Any]) -> list[Any]:
    """Run functions in threads that start at the same moment; gives what each returned or raised."""
    barrier = threading.Barrier(len(works))
    results: list[Any] = [None] * len(works)

    def run(place: int, work: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            results[place] = work()
        except Exception as failure:
            results[place] = failure

    threads = [threading.Thread(target=run, args=one) for one in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def taking(county: County, kind: str, times: int) -> list[int]:
    taken = []
    for _ in range(times):
        with county.acting(None) as session:
            taken.append(take_number(session, county["office"], kind, 2026))
    return taken


def test_numbers_taken_at_once_have_no_gap_and_no_double(county: County) -> None:
    results = together(*[lambda: taking(county, "reminder", 15)] * 4)
    assert sorted(number for one in results for number in one) == list(range(1, 61))


def test_a_number_of_a_rolled_back_transaction_is_taken_by_the_next(county: County) -> None:
    def fail() -> None:
        with county.acting(None) as session:
            assert take_number(session, county["office"], "reminder", 2026) == 1
            raise RuntimeError("given up")

    with pytest.raises(RuntimeError, match="given up"):
        fail()
    assert taking(county, "reminder", 2) == [1, 2]


def test_each_office_kind_and_year_counts_by_itself(county: County) -> None:
    with county.acting(None) as session:
        series = [
            ("office", "reminder", 2026),
            ("office", "call", 2026),
            ("supervision", "reminder", 2026),
            ("office", "reminder", 2027),
        ]
        assert [take_number(session, county[office], kind, year) for office, kind, year in series] == [1, 1, 1, 1]
        assert take_number(session, county["office"], "reminder", 2026) == 2


def test_calls_submitted_at_once_are_numbered_without_gap(county: County) -> None:
    drafts = [county.draft() for _ in range(8)]
    county.viewer("township1")
    results = together(*[lambda key=key: county.do("township1", Call, key, "submit") for key in drafts])
    assert [one for one in results if isinstance(one, Exception)] == []
    with county.acting(None) as session:
        assert sorted(session.scalars(sa.select(Call.number))) == [f"呼2026-{place:04d}" for place in range(1, 9)]


def test_reads_before_the_write_lose_no_update(county: County) -> None:
    """SQLite's own BEGIN would lose most of them, or end with “database is locked”."""
    with county.acting(None) as session:
        session.add(NumberSeries(owner_id=county["office"], kind="count", year=1, last=0))

    def work() -> None:
        for _ in range(15):
            with county.acting(None) as session:
                row = session.scalars(
                    sa.select(NumberSeries).where(NumberSeries.kind == "count").with_for_update()
                ).one()
                row.last += 1

    assert together(*[work] * 4) == [None] * 4
    with county.acting(None) as session:
        assert session.scalars(sa.select(NumberSeries.last).where(NumberSeries.kind == "count")).one() == 60


@pytest.mark.parametrize("attempt", range(3))
def test_when_two_departments_report_at_the_same_moment_the_call_moves_on(county: County, attempt: int) -> None:
    """Each would see the other still open if the call were not locked (write skew)."""
    call_id, *keys = county.dispatched("department1", "department2", "department3", "department4")
    names = ["department1", "department2", "department3", "department4"]
    for name, key in zip(names, keys, strict=True):
        county.respond(name, key)
    results = together(
        lambda: county.report("department1", keys[0], without_reason="先行反馈。"),
        *[lambda name=name, key=key: county.report(name, key) for name, key in zip(names[1:], keys[1:], strict=True)],
    )
    assert [one for one in results if isinstance(one, Exception)] == []
    assert county.states(call_id) == ("reported",) + ("reported",) * 4
    with county.acting(None) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Event).where(Event.name == "all_reported")) == 1
    with county.acting(None) as session:
        assert list(verify(session)) == []


def test_of_two_who_take_the_same_step_one_is_told(county: County) -> None:
    call_id = county.submitted()
    county.viewer("dispatcher")
    results = together(
        *[lambda: county.do("dispatcher", Call, call_id, "dispatch", {"lead": county["department1"]})] * 3
    )
    refused = [one for one in results if isinstance(one, Exception)]
    assert [type(one) for one in refused] == [Conflict, Conflict]
    assert county.states(call_id) == ("dispatched", "pending")


def test_withdrawing_and_reporting_at_once_ends_in_one_of_the_two(county: County) -> None:
    call_id, only = county.dispatched("department1")
    county.respond("department1", only)
    results = together(
        lambda: county.report("department1", only),
        lambda: county.do("township1", Call, call_id, "withdraw", {"reason": "已解决。"}),
    )
    assert [isinstance(one, Refused) for one in results].count(True) == 1
    assert county.states(call_id) in {("reported", "reported"), ("withdrawn", "responded")}


@pytest.mark.parametrize("attempt", range(2))
def test_expenses_at_once_never_go_beyond_the_allotments_together(county: County, attempt: int) -> None:
    """Each alone is within the balance; without the lock on the agency both would be (2.6)."""
    with county.acting(None, MONDAY) as session:
        session.add(Setting(county_id=county.id, name="funds_module", value="yes"))
    own = {"county_id": county.id, "agency_id": county.agencies["agency1"]}
    with county.acting(None, MONDAY) as session:
        session.add(Allotment(**own, allotted_on=date(2026, 1, 5), document="1", amount=Decimal("100.00")))
    county.viewer("township1")

    def spend(voucher: str) -> None:
        with county.acting("township1", MONDAY) as session:
            session.add(
                Expense(**own, spent_on=date(2026, 2, 1), voucher=voucher, purpose="电费", amount=Decimal("60.00"))
            )

    results = together(*[lambda voucher=str(number): spend(voucher) for number in range(3)])
    assert [type(one) for one in results if one is not None] == [Invalid, Invalid]
    with county.acting(None) as session:
        period = session.scalars(sa.select(AccountPeriod)).one()
        assert (period.spent, period.balance) == (Decimal("60.00"), Decimal("40.00"))


def test_saving_a_record_that_was_changed_meanwhile_is_refused(county: County) -> None:
    key = county.draft(title="旧")
    with county.acting("township1") as session:
        mine = session.scalars(sa.select(Call).where(Call.id == key)).one()
        session.expunge(mine)  # as it stands on the page that was shown
    with county.acting("township1_leader") as session:
        session.scalars(sa.select(Call).where(Call.id == key)).one().title = "别人改的"

    def save() -> None:
        with county.acting("township1") as session:
            session.add(mine)
            mine.title = "我改的"

    with pytest.raises(StaleDataError):
        save()
    with county.acting(None) as session:
        assert session.get_one(Call, key).title == "别人改的"
        assert (
            session.scalar(
                sa.select(sa.func.count()).select_from(Event).where(Event.thread_id == key, Event.kind == "update")
            )
            == 1
        )


def test_verification_finds_no_fault_while_others_write(county: County) -> None:
    call_id, only = county.dispatched("department1")

    def write() -> None:
        for _ in range(10):
            county.do("department1", Assignment, only, "log_progress", {"text": "在办。"}, MONDAY)

    def check() -> list[Any]:
        found = []
        for _ in range(5):
            with county.app.app_context(), viewer.system(), db.session.session_factory() as session:
                found += list(verify(session))
        return found

    assert together(write, check) == [None, []]
    assert county.states(call_id) == ("dispatched", "pending")
