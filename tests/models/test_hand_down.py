"""The reporter of a duty handed down is never shown to the department; with so few townships cases are grouped or delayed (2.5)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from app.database import transaction
from app.jobs import queue
from app.jobs.relay import Relay
from app.notifications import text_of
from models import clock
from models.automatic import sweep_automatic
from models.hand_down_report import HandDownReport
from models.notification import Notification
from models.person import Person
from models.refusal import Conflict, Invalid, NotFound
from models.setting import Setting
from tests.app.jobs.conftest import QueueServer
from tests.app.jobs.conftest import redis_server as redis_server
from tests.app.visitor import visitor
from tests.conftest import Installation
from tests.county import MONDAY, County, at

LATER = MONDAY + timedelta(minutes=5)
AFTER_THE_DELAY = at("2026-12-21 17:31")
"""Twenty working days after Monday, 23 November."""


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough: nothing here differs by database."""
    sqlite_installation.fresh("county")
    return sqlite_installation


def reported(county: County, township: str, department: str = "department1", *, violation: bool = True) -> int:
    """A report with its finding."""
    with county.acting(township, MONDAY) as session:
        made = HandDownReport(
            name=f"{township}填报日报表",
            department_id=county[department],
            handed_down_on=MONDAY.date(),
            description="每天填表",
            evidence="工作群通知",
        )
        made.prepare(session, county.viewer(township))
        session.add(made)
        session.flush()
        key = made.id
    county.do(township, HandDownReport, key, "submit")
    county.do("checklist", HandDownReport, key, "check")
    county.do("checklist", HandDownReport, key, "find", {"violation": violation, "finding": "已核实"})
    return key


def put_down(county: County, key: int, text: str = "停止要求乡镇填报日报表", when: datetime = MONDAY) -> None:
    county.do("checklist", HandDownReport, key, "tell_department", {"text": text}, when)


def told(county: County, when: datetime) -> list[tuple[str, str]]:
    """(account, text) of what people of departments have been told of duties handed down, once the sweep came."""
    with county.app.app_context(), clock.at(when):
        sweep_automatic(transaction, [HandDownReport])
        Relay(queue.connect(county.app.config["REDIS_URL"])).run()
    with county.acting(None) as session:
        rows = session.execute(
            sa.select(Person.username, Notification)
            .join(Person, Person.id == Notification.person_id)
            .where(Notification.kind == "handed_down")
            .order_by(Notification.id)
        )
        return [(row[0], text_of(row[1])[1]) for row in rows]


def test_a_single_report_reaches_the_department_only_after_the_delay(county: County, redis_server: QueueServer) -> None:
    put_down(county, reported(county, "township1"))
    assert told(county, LATER) == []
    assert told(county, AFTER_THE_DELAY - timedelta(days=1)) == []
    found = told(county, AFTER_THE_DELAY)
    assert {who for who, _text in found} == {"department1", "department1_leader"}
    assert told(county, AFTER_THE_DELAY + timedelta(days=1)) == found, "once"


def test_reports_of_three_townships_reach_the_department_together(county: County, redis_server: QueueServer) -> None:
    for township, sheet in (("township1", "甲"), ("township2", "乙")):
        put_down(county, reported(county, township), f"停止要求填报{sheet}表")
    put_down(county, reported(county, "township3", "department2"))
    assert told(county, LATER) == [], "two of one department and one of another are no group"
    put_down(county, reported(county, "township3"), "停止要求填报丙表", LATER)
    texts = [text for who, text in told(county, LATER) if who == "department1"]
    assert len(texts) == 3
    assert not any(who.startswith("department2") for who, _text in told(county, LATER))


def test_many_reports_of_one_township_are_no_group(county: County, redis_server: QueueServer) -> None:
    for _place in range(3):
        put_down(county, reported(county, "township1"))
    assert told(county, LATER) == []


def test_the_county_says_how_many_are_a_group(county: County, redis_server: QueueServer) -> None:
    with county.acting(None) as session:
        session.add(Setting(county_id=county.id, name="hand_down_group_size", value="2"))
    for township in ("township1", "township2"):
        put_down(county, reported(county, township))
    assert len(told(county, LATER)) == 4


@pytest.mark.parametrize(
    "text",
    [
        "青石乡不再填表",
        "停止向城关镇要表",
        "11月23日的通知作废",
        "2026-11-23 的通知作废",
        "周一的通知作废",
        "不得再找{person}要表",
        "",
    ],
)
def test_what_the_department_is_told_names_no_township_no_person_and_no_day(county: County, text: str) -> None:
    key = reported(county, "township1")
    with pytest.raises(Invalid) as refused:
        put_down(county, key, text.format(person=county.viewer("township1").name))
    assert set(refused.value.errors) == {"text"}
    with county.acting(None) as session:
        assert session.get_one(HandDownReport, key).department_told_from is None


def test_of_what_was_not_found_the_department_is_told_nothing_and_of_a_finding_once(county: County) -> None:
    with pytest.raises(Conflict):
        put_down(county, reported(county, "township1", violation=False))
    key = reported(county, "township2")
    put_down(county, key)
    with pytest.raises(Conflict):
        put_down(county, key)
    for who in ("department1", "department1_leader", "township1"):
        with pytest.raises(NotFound):
            county.do(who, HandDownReport, key, "tell_department", {"text": "已知"})


def test_what_the_department_opens_leads_to_no_report(county: County, redis_server: QueueServer) -> None:
    key = reported(county, "township1")
    put_down(county, key)
    told(county, AFTER_THE_DELAY)
    here = visitor(county, "department1")
    inbox = here.get("/inbox/").text
    assert "停止要求乡镇填报日报表" in inbox
    for hidden in (f"/hand_down_report/show/{key}", "hand_down_report", "城关镇", "township1填报日报表"):
        assert hidden not in inbox
    with county.acting(None) as session:
        one = session.scalars(sa.select(Notification).where(Notification.kind == "handed_down")).first()
        assert one is not None
        assert (one.record_type, one.record_id) == ("organisation", county["department1"])
        assert set(one.values) == {"matter"}
        assert one.made_at >= AFTER_THE_DELAY, "the day of the report is not to be read from the message"


def test_the_township_sees_on_its_report_that_the_department_was_told(county: County) -> None:
    key = reported(county, "township1")
    put_down(county, key)
    assert "停止要求乡镇填报日报表" in visitor(county, "township1").get(f"/hand_down_report/show/{key}").text
