"""Bulletins and rectification orders: approved by others, citing only what was served, an order for every case (1; 2.3)."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from models import clock
from models.bulletin import Bulletin, BulletinCase, BulletinKind, BulletinRecipient
from models.event import Event, EventValue
from models.organisation import Organisation, RunBy
from models.rectification import Rectification
from models.refusal import Conflict, Forbidden, Invalid
from models.review import ReviewRequest
from tests.app.portal.api_client import Api
from tests.app.visitor import visitor
from tests.conftest import Installation
from tests.county import County, at
from tests.supervision import (
    APPROVED,
    SERVED,
    concluded,
    drafted,
    hold,
    issued,
    kept,
    orders,
    reviewed,
    seen,
    signed_sheet,
)

EVERYBODY = (
    "supervisor", "supervisor2", "leader", "director", "dispatcher", "department1", "department1_leader", "department2", "department3",
    "township1", "township2", "auditor", "sysadmin", "city", "supervisor9", "leader9",
)  # fmt: skip


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough; what the databases refuse by themselves is tried on both elsewhere."""
    sqlite_installation.fresh("county")
    return sqlite_installation


def _submitted(county: County, conclusion: int, **fields: object) -> int:
    key = drafted(county, [conclusion], **fields)
    county.do("supervisor", Bulletin, key, "submit", {}, SERVED)
    return key


def _statistics(county: County, *conclusions: int) -> int:
    period = {"period_from": date(2026, 10, 1), "period_to": date(2026, 10, 31)}
    key = drafted(county, conclusions, kind=BulletinKind.statistics, **period)
    county.do("supervisor", Bulletin, key, "write", {}, SERVED)
    county.do("supervisor", Bulletin, key, "submit", {}, SERVED)
    return key


def test_nobody_approves_what_he_submitted(county: County) -> None:
    hold(county, "supervisor", "county_leader")
    hold(county, "leader", "supervisor")
    key = _submitted(county, concluded(county))
    for step, values in (("approve", {}), ("send_back", {"reason": "再核"})):
        with pytest.raises(Forbidden):
            county.do("supervisor", Bulletin, key, step, values, APPROVED)
    with pytest.raises(Invalid) as refused:  # nor has his own signature entered
        county.do("director", Bulletin, key, "approve", {"on_behalf_of": county.people["supervisor"]}, APPROVED)
    assert refused.value.errors.keys() == {"on_behalf_of"}
    county.do("leader", Bulletin, key, "approve", {}, APPROVED)


def test_criticism_is_approved_by_a_county_leader_or_for_him_by_whom_the_event_names(county: County) -> None:
    key = _submitted(county, concluded(county))
    for values in ({}, {"on_behalf_of": county.people["supervisor2"]}, {"on_behalf_of": county.people["leader9"]}):
        with pytest.raises(Invalid) as refused:
            county.do("director", Bulletin, key, "approve", values, APPROVED)
        assert refused.value.errors.keys() == {"on_behalf_of"}
    for name in ("supervisor2", "supervisor"):
        with pytest.raises(Forbidden):
            county.do(name, Bulletin, key, "approve", {}, APPROVED)
    done = county.do("director", Bulletin, key, "approve", signed_sheet(county, key), APPROVED)
    with county.acting(None) as session:
        event = session.get_one(Event, done.event_id)
        entered_for = session.scalar(
            sa.select(EventValue.value).where(EventValue.event_id == event.id, EventValue.name == "on_behalf_of")
        )
        assert (event.name, event.actor_id) == ("approve", county.people["director"])
        assert entered_for is not None
        assert entered_for["id"] == county.people["leader"]
        bulletin = session.get_one(Bulletin, key)
        assert (bulletin.approved_by_id, bulletin.approved_for_id) == (
            county.people["director"],
            county.people["leader"],
        )


def test_statistics_without_a_finding_are_approved_by_the_director_and_with_one_by_the_county_leader(
    county: County,
) -> None:
    plain = _statistics(county)
    county.do("director", Bulletin, plain, "approve", {}, APPROVED)
    naming = _statistics(county, concluded(county))
    with pytest.raises(Invalid):
        county.do("director", Bulletin, naming, "approve", {}, APPROVED)
    county.do("leader", Bulletin, naming, "approve", {}, APPROVED)
    without_period = drafted(county, kind=BulletinKind.statistics)
    with pytest.raises(Invalid) as refused:
        county.do("supervisor", Bulletin, without_period, "submit", {}, SERVED)
    assert refused.value.errors.keys() == {"period_from", "period_to"}


def test_a_bulletin_cites_only_served_conclusions_and_criticism_at_least_one_with_a_finding(county: County) -> None:
    for until in ("draft", "explaining", "found"):
        with pytest.raises(Invalid):
            drafted(county, [concluded(county, until=until)])
    faultless = drafted(county, [concluded(county, finding="none")])
    empty = drafted(county)
    for key in (faultless, empty):
        with pytest.raises(Invalid) as refused:
            county.do("supervisor", Bulletin, key, "submit", {}, SERVED)
        assert refused.value.errors.keys() == {"cases"}


def test_what_a_review_took_back_is_neither_submitted_nor_issued_nor_cited_anew(county: County) -> None:
    conclusion = concluded(county)
    draft, submitted = drafted(county, [conclusion]), _submitted(county, conclusion)
    approved = _submitted(county, conclusion)
    county.do("leader", Bulletin, approved, "approve", {"issue_separately": True}, SERVED)
    request = reviewed(county, conclusion)
    county.do("supervisor2", ReviewRequest, request, "examine", {}, APPROVED)
    county.do("leader", ReviewRequest, request, "decide", {"outcome": "upheld", "reasons": "查明属实。"}, APPROVED)
    for name, key, step in (
        ("supervisor", draft, "submit"),
        ("leader", submitted, "approve"),
        ("supervisor", approved, "issue"),
    ):
        with pytest.raises(Conflict):
            county.do(name, Bulletin, key, step, {}, APPROVED)
    with pytest.raises(Invalid):
        drafted(county, [conclusion])


def test_issuing_is_part_of_approving_unless_kept_for_later_and_takes_the_number(county: County) -> None:
    later = _submitted(county, concluded(county))
    county.do("leader", Bulletin, later, "approve", {"issue_separately": True}, APPROVED)
    at_once = issued(county, [concluded(county, "department2")])
    with county.acting(None) as session:
        assert (session.get_one(Bulletin, later).state, session.get_one(Bulletin, later).number) == ("approved", None)
        assert session.get_one(Bulletin, at_once).number == "政督〔2026〕1号"
        names = session.scalars(
            sa.select(Event.name).where(Event.thread_type == "bulletin", Event.thread_id == at_once).order_by(Event.id)
        ).all()
        assert list(names) == ["create", "create", "submit", "approve", "issue"]
    county.do("supervisor2", Bulletin, later, "issue", {}, APPROVED)
    with county.acting(None) as session:
        assert session.get_one(Bulletin, later).number == "政督〔2026〕2号"


def test_every_case_named_gets_an_order_in_the_order_of_the_departments_and_vertical_units_and_enterprises_get_none(
    county: County,
) -> None:
    with county.acting(None) as session:
        session.get_one(Organisation, county["department3"]).run_by = RunBy.vertical
        session.get_one(Organisation, county["department4"]).run_by = RunBy.enterprise
    keys = {name: concluded(county, name) for name in ("department4", "department2", "department3", "department1")}
    faultless = concluded(county, "department1", "none")
    issued(county, [*keys.values(), faultless])
    assert orders(county) == [(keys["department1"], "ordered"), (keys["department2"], "ordered")]
    issued(county, [keys["department1"]])  # named again: the order stands, there is no second one
    assert len(orders(county)) == 2
    with county.acting(None) as session:
        order = session.scalars(sa.select(Rectification).order_by(Rectification.id)).first()
        assert order is not None
        assert (order.number, order.requirements) == ("改〔2026〕0001", "限期到现场办理。")
        assert order.due == at("2026-12-04 17:30")  # five working days after Friday 27 November


def test_an_order_is_reported_by_the_department_and_verified_or_ordered_again_by_a_supervisor(county: County) -> None:
    issued(county, [concluded(county)])
    (order,) = _orders(county)
    people = (
        "supervisor",
        "supervisor2",
        "leader",
        "department1",
        "department1_leader",
        "department2",
        "township1",
        "director",
    )
    assert seen(county, Rectification, order, people) == {
        "supervisor", "supervisor2", "leader", "department1", "department1_leader",
    }  # fmt: skip
    with pytest.raises(Forbidden):
        county.do("supervisor", Rectification, order, "report", {"result": "代报"}, APPROVED)
    with pytest.raises(Conflict):
        county.do("supervisor", Rectification, order, "verify", {}, APPROVED)
    county.do("department1", Rectification, order, "report", {"result": "已到现场。"}, APPROVED)
    with pytest.raises(Forbidden):
        county.do("department1", Rectification, order, "verify", {}, APPROVED)
    with pytest.raises(Invalid):
        county.do("supervisor", Rectification, order, "reject", {}, APPROVED)
    again = at("2026-12-03 10:00")
    county.do("supervisor", Rectification, order, "reject", {"remark": "仍在排放。"}, again)
    with county.acting(None) as session:
        one = session.get_one(Rectification, order)
        assert (one.state, one.round, one.due) == ("ordered", 2, at("2026-12-10 17:30"))
    county.do("department1", Rectification, order, "report", {"result": "已关停。"}, again)
    county.do("supervisor", Rectification, order, "verify", {}, again)
    assert orders(county)[0][1] == "verified"


def _orders(county: County) -> list[int]:
    with county.acting(None) as session:
        return list(session.scalars(sa.select(Rectification.id)))


def test_a_draft_is_invisible_to_departments_and_recipients_read_a_bulletin_only_once_it_is_issued(
    county: County,
) -> None:
    conclusion = concluded(county)
    key = drafted(county, [conclusion], recipients=["department1", "township1"], text="金丝雀通报正文")
    drafters, approvers = {"supervisor", "supervisor2"}, {"leader", "director"}
    assert seen(county, Bulletin, key, EVERYBODY) == drafters
    county.do("supervisor", Bulletin, key, "submit", {}, SERVED)
    assert seen(county, Bulletin, key, EVERYBODY) == drafters | approvers
    county.do("leader", Bulletin, key, "send_back", {"reason": "金丝雀退回意见"}, SERVED)
    assert seen(county, Bulletin, key, EVERYBODY) == drafters
    county.do("supervisor", Bulletin, key, "submit", {}, SERVED)
    county.do("leader", Bulletin, key, "approve", {"issue_separately": True}, APPROVED)
    assert seen(county, Bulletin, key, EVERYBODY) == drafters | approvers
    county.do("supervisor", Bulletin, key, "issue", {}, APPROVED)
    recipients = {"department1", "department1_leader", "township1"}
    assert seen(county, Bulletin, key, EVERYBODY) == drafters | approvers | recipients
    assert seen(county, BulletinCase, 1, EVERYBODY) == drafters | approvers | recipients
    page = visitor(county, "township1").get(f"/bulletin/show/{key}").text
    assert "金丝雀通报正文" in page
    assert "督结〔2026〕1号" in page
    assert "金丝雀退回意见" not in page, "how it came about is not the recipients' business"
    assert "限期到现场办理" not in page, "a conclusion itself is read by those who see it"
    assert "金丝雀退回意见" in visitor(county, "supervisor2").get(f"/bulletin/show/{key}").text


def test_who_receives_it_is_written_down_when_it_is_submitted(county: County) -> None:
    everyone = _submitted(county, concluded(county))
    departments = _submitted(county, concluded(county), circulation="departments")
    with county.acting(None) as session:
        kinds = {
            key: {
                str(one.organisation.kind.value)
                for one in session.scalars(sa.select(BulletinRecipient).where(BulletinRecipient.bulletin_id == key))
            }
            for key in (everyone, departments)
        }
    assert kinds == {everyone: {"office", "department", "township"}, departments: {"office", "department"}}


def test_what_was_submitted_is_approved_as_it_stands(county: County) -> None:
    conclusion, other = concluded(county), concluded(county, "department2")
    key = _submitted(county, conclusion)
    for name in ("supervisor", None):
        with pytest.raises(Conflict), county.acting(name) as session:
            session.get_one(Bulletin, key).text = "另一正文"
        with pytest.raises(Conflict), county.acting(name) as session:
            session.add(BulletinCase(bulletin_id=key, conclusion_id=other))
        with pytest.raises(Conflict), county.acting(name) as session:
            session.delete(session.get_one(Bulletin, key))
    api = Api(county, "supervisor")
    assert api.put(f"/bulletin/{key}", {"title": "另一标题"}).status_code == 409
    county.do("leader", Bulletin, key, "send_back", {"reason": "补充"}, SERVED)
    assert api.put(f"/bulletin/{key}", {"title": "另一标题"}).status_code == 200
    with pytest.raises(Forbidden):
        kept(county, Bulletin, "leader", SERVED, title="自拟")


def test_an_issued_bulletin_is_corrected_and_revoked_by_whoever_may_approve_it(county: County) -> None:
    key = issued(county, [concluded(county)])
    with pytest.raises(Forbidden):
        county.do("supervisor", Bulletin, key, "correct", {"text": "更正"}, APPROVED)
    with pytest.raises(Invalid):
        county.do("director", Bulletin, key, "correct", {"text": "更正"}, APPROVED)
    county.do("leader", Bulletin, key, "correct", {"text": "第一项认定有误，予以更正。"}, APPROVED)
    values = {"reason": "经复核撤销。", "on_behalf_of": county.people["leader"]}
    county.do("director", Bulletin, key, "revoke", values, APPROVED)
    with county.acting("township1") as session:
        bulletin = session.get_one(Bulletin, key)
        assert (bulletin.state, bulletin.text, bulletin.correction) == (
            "revoked",
            "现将有关情况通报如下。",
            (
                "县督查室于2026年11月27日印发的《关于办理不力情况的通报》（政督〔2026〕1号）中，经复核撤销。"
                "现予撤销，相关统计和考核数据同步调整，原通报其他内容不变。\n特此通报。"
            ),
        )


def test_the_interface_takes_a_bulletin_from_draft_to_issue_and_a_page_sends_its_approver_back_to_the_list(
    county: County,
) -> None:
    conclusion = concluded(county)
    supervisor, leader = Api(county, "supervisor"), Api(county, "leader")
    with clock.at(APPROVED):
        made = supervisor.post("/bulletin/", {"title": "通报", "text": "正文", "kind": "criticism"})
        assert made.status_code == 201, made.text
        key = made.json["id"]
        with county.acting("supervisor", APPROVED) as session:
            session.add(BulletinCase(bulletin_id=key, conclusion_id=conclusion))
        assert supervisor.post(f"/bulletin/{key}/submit", {}).status_code == 200
        page = visitor(county, "leader")
        answer = page.post(f"/bulletin/{key}/send_back", {"reason": "补充"}, token=page.token())
        assert (answer.status_code, answer.location) == (302, "/bulletin/list/")
        assert supervisor.post(f"/bulletin/{key}/submit", {}).status_code == 200
        answer = leader.post(f"/bulletin/{key}/approve", {})
        assert (answer.status_code, answer.json["state"]) == (200, "issued"), answer.text
        assert Api(county, "department1").one("rectification", 1)["conclusion"]["id"] == conclusion
        assert supervisor.post("/rectification/", {}).status_code in (403, 405)
