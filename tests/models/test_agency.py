"""Stationed agencies: staff, membership relations, and accounts that are never overspent (2.6; S5, S6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from models.agency import AgencyStaff, Membership, MembershipTransfer, StationedAgency
from models.event import Event
from models.field import FieldError
from models.funds import AccountPeriod, Allotment, Expense
from models.refusal import Conflict, Forbidden, Invalid, NotFound
from models.setting import Setting
from models.workflow import possible
from tests.app.portal.api_client import Api
from tests.app.visitor import words_of
from tests.conftest import Installation
from tests.county import MONDAY, County, at


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough: two at once are tried on both in test_concurrency."""
    sqlite_installation.fresh("county")
    return sqlite_installation


@pytest.fixture
def funded(county: County) -> County:
    """The county with the funds module switched on."""
    with county.acting(None) as session:
        session.add(Setting(county_id=county.id, name="funds_module", value="yes"))
    return county


def staff(county: County, name: str = "李卫东", membership: str = "party") -> int:
    with county.acting("agency1", MONDAY) as session:
        made = AgencyStaff(
            county_id=county.id,
            agency_id=county.agencies["agency1"],
            name=name,
            establishment="institution",
            membership=Membership(membership),
        )
        session.add(made)
        session.flush()
        return made.id


def holder(county: County, key: int) -> int | None:
    with county.acting(None) as session:
        return session.get_one(AgencyStaff, key).relation_holder_id


def transfer(county: County, staff_id: int, letter: str = "自转〔2026〕3号") -> int:
    with county.acting("department1", MONDAY) as session:
        made = MembershipTransfer(staff_id=staff_id, letter=letter)
        made.prepare(session, county.viewer("department1"))
        session.add(made)
        session.flush()
        return made.id


def enter(county: County, kind: type[Any], amount: str, day: date, number: str = "1", **more: Any) -> int:
    """An entry in agency 1's account, saved by the township."""
    own = {
        Allotment: {"allotted_on": day, "document": number},
        Expense: {"spent_on": day, "voucher": number, "purpose": "车辆加油"},
    }
    with county.acting("township1", MONDAY) as session:
        made = kind(
            county_id=county.id, agency_id=county.agencies["agency1"], amount=Decimal(amount), **{**own[kind], **more}
        )
        session.add(made)
        session.flush()
        return int(made.id)


def account(county: County, year: int = 2026) -> tuple[Decimal, Decimal, str]:
    with county.acting(None) as session:
        found = session.scalars(sa.select(AccountPeriod).where(AccountPeriod.year == year)).one()
        return found.allotted, found.spent, str(found.state)


def refused_by(county: County, error: type[Exception], change: Any, name: str | None = "township1") -> None:
    """A change that the session or the database refuses when it is saved, leaving everything as it was."""

    def attempt() -> None:
        with county.acting(name, MONDAY) as session:
            change(session)

    with pytest.raises(error):
        attempt()


def answers(api: Api, resource: str, given: Mapping[str, Any]) -> int:
    return api.post(f"/{resource}/", dict(given)).status_code


# ---- staff and relations


def test_a_relation_begins_with_the_department_and_moves_by_a_receipt_only(county: County) -> None:
    """S6: Party and Youth League relations of stationed staff are managed by the township."""
    key = staff(county)
    assert holder(county, key) == county["department1"]
    api = Api(county, "department1")
    assert set(api.put(f"/agency_staff/{key}", {"relation_holder": county["township1"]}).json) == {"relation_holder"}
    sent = transfer(county, key)
    county.do("department1", MembershipTransfer, sent, "send")
    assert holder(county, key) == county["department1"]
    with pytest.raises(Invalid) as refused:
        county.do(
            "township1",
            MembershipTransfer,
            sent,
            "receive",
            {"receipt": "城党回〔2026〕7号", "received_on": "2026-12-24"},
        )
    assert set(refused.value.errors) == {"received_on"}
    with pytest.raises(Invalid) as refused:
        county.do("township1", MembershipTransfer, sent, "receive", {"received_on": "2026-11-23"})
    assert set(refused.value.errors) == {"receipt"}
    county.do(
        "township1", MembershipTransfer, sent, "receive", {"receipt": "城党回〔2026〕7号", "received_on": "2026-11-23"}
    )
    assert holder(county, key) == county["township1"]
    with county.acting(None) as session:
        received = session.get_one(MembershipTransfer, sent)
        assert (received.receipt, str(received.state), received.membership) == (
            "城党回〔2026〕7号",
            "received",
            Membership.party,
        )
    with pytest.raises(Conflict):
        county.do("department1", MembershipTransfer, sent, "withdraw", {"reason": "改主意"})
    again = transfer(county, key, "自转〔2026〕4号")
    with pytest.raises(Invalid):  # the department holds it no more
        county.do("department1", MembershipTransfer, again, "send")


def test_a_transfer_can_be_refused_or_withdrawn_and_is_done_by_its_own_sides(county: County) -> None:
    key = staff(county)
    sent = transfer(county, key)
    county.do("department1", MembershipTransfer, sent, "send")
    second = transfer(county, key, "自转〔2026〕4号")
    with pytest.raises(Invalid):  # one under way at a time
        county.do("department1", MembershipTransfer, second, "send")
    for name in ("township2", "department2", "agency2"):
        with pytest.raises(NotFound):
            county.do(name, MembershipTransfer, sent, "receive", {"receipt": "1", "received_on": "2026-11-23"})
    with pytest.raises(Forbidden):
        county.do("department1", MembershipTransfer, sent, "receive", {"receipt": "1", "received_on": "2026-11-23"})
    county.do("township1", MembershipTransfer, sent, "refuse", {"reason": "介绍信与档案不符。"})
    assert holder(county, key) == county["department1"]
    county.do("department1", MembershipTransfer, second, "send")
    county.do("department1", MembershipTransfer, second, "withdraw", {"reason": "人员另有安排。"})
    with pytest.raises(Conflict):
        county.do("township1", MembershipTransfer, second, "receive", {"receipt": "1", "received_on": "2026-11-23"})
    without = transfer(county, staff(county, "王小明", "none"), "自转〔2026〕5号")
    with pytest.raises(Invalid):
        county.do("department1", MembershipTransfer, without, "send")


def test_a_letter_no_longer_true_is_not_received(county: County) -> None:
    key = staff(county, membership="league")
    sent = transfer(county, key)
    county.do("department1", MembershipTransfer, sent, "send")
    with county.acting("department1") as session:
        session.get_one(AgencyStaff, key).membership = Membership.none
    with pytest.raises(Conflict):
        county.do("township1", MembershipTransfer, sent, "receive", {"receipt": "1", "received_on": "2026-11-23"})
    assert holder(county, key) is None


def test_the_relation_is_held_by_a_side_of_the_agency(county: County) -> None:
    own = {"county_id": county.id, "agency_id": county.agencies["agency1"], "establishment": "contract"}
    elsewhere = AgencyStaff(**own, name="甲", membership="party", relation_holder_id=county["department3"])
    refused_by(county, Invalid, lambda session: session.add(elsewhere), "agency1")
    row = {"name": "乙", "position": "", "on_duty": True, "version": 1, "created_at": MONDAY, "changed_at": MONDAY}
    row |= {**own, "membership": "none", "relation_holder_id": county["department1"]}
    table = sa.inspect(AgencyStaff).local_table
    refused_by(county, IntegrityError, lambda session: session.execute(sa.insert(table).values(row)), None)


def test_who_keeps_what_of_an_agency(county: County) -> None:
    """The head keeps the agency's own records; the department registers it; the township reads; nobody else has it."""
    own = {"name": "孙志强", "establishment": "contract", "membership": "none", "agency": county.agencies["agency1"]}
    assert answers(Api(county, "agency1"), "agency_staff", own) == 201
    assert answers(Api(county, "department1_leader"), "agency_staff", {**own, "name": "周海"}) == 201
    assert answers(Api(county, "township1"), "agency_staff", {**own, "name": "吴江"}) == 403
    assert answers(Api(county, "agency2"), "agency_staff", {**own, "name": "郑河"}) == 422  # not an agency that it sees
    assert len(Api(county, "township1").ids("agency_staff")) == 2
    head = Api(county, "agency1")
    agency = county.agencies["agency1"]
    assert head.put(f"/stationed_agency/{agency}", {"posts": 8}).status_code == 200
    assert head.put(f"/stationed_agency/{agency}", {"posts": -8}).status_code == 422
    assert head.delete(f"/stationed_agency/{agency}").status_code == 403
    assert answers(head, "stationed_agency", {}) == 403
    assert Api(county, "township1").put(f"/stationed_agency/{agency}", {"posts": 9}).status_code == 403
    assert Api(county, "department2").put(f"/stationed_agency/{agency}", {"posts": 9}).status_code == 404
    registered = {"organisation": county["agency1"], "township": county["township1"], "posts": 1}
    assert answers(Api(county, "department1"), "stationed_agency", registered) == 409  # it stands there already
    with county.acting(None) as session:
        assert session.get_one(StationedAgency, agency).posts == 8


# ---- accounts


def test_expenses_never_exceed_the_allotments_of_the_period(funded: County) -> None:
    """2.6: beyond the balance refused."""
    county = funded
    with pytest.raises(Invalid) as refused:
        enter(county, Expense, "0.01", date(2026, 3, 1))
    assert set(refused.value.errors) == {"amount"}
    with county.acting(None) as session:
        assert session.scalars(sa.select(AccountPeriod)).all() == []
    first = enter(county, Allotment, "0.30", date(2026, 1, 10))
    enter(county, Expense, "0.10", date(2026, 3, 1), "记-1")
    spent = enter(
        county, Expense, "0.20", date(2026, 3, 1), "记-2"
    )  # exactly all of it; as floats it would be too much
    assert account(county) == (Decimal("0.30"), Decimal("0.30"), "open")
    with pytest.raises(Invalid):
        enter(county, Expense, "0.01", date(2026, 3, 2), "记-3")
    with pytest.raises(Invalid):  # last year's money is another account
        enter(county, Expense, "0.01", date(2025, 3, 2), "记-4")
    refused_by(county, Conflict, lambda session: session.delete(session.get_one(Allotment, first)))
    refused_by(county, Invalid, lambda session: setattr(session.get_one(Allotment, first), "amount", Decimal("0.29")))
    with county.acting("township1", MONDAY) as session:
        session.delete(session.get_one(Expense, spent))
    assert account(county) == (Decimal("0.30"), Decimal("0.10"), "open")
    # Moving it to another year is spending it there.
    moved = date(2025, 12, 31)
    refused_by(county, Invalid, lambda session: setattr(session.scalars(sa.select(Expense)).one(), "spent_on", moved))
    table = sa.inspect(AccountPeriod).local_table
    refused_by(county, IntegrityError, lambda session: session.execute(sa.update(table).values(spent=1)), None)


def test_an_amount_is_positive_in_whole_fen_and_never_a_float(funded: County) -> None:
    api, agency = Api(funded, "township1"), funded.agencies["agency1"]
    given = {"agency": agency, "allotted_on": "2026-01-10", "document": "示财〔2026〕1号"}
    for amount in ("0", "-5", "1.005", "abc", "1e15"):
        answer = api.post("/allotment/", {**given, "amount": amount})
        assert (answer.status_code, set(answer.json)) == (422, {"amount"}), amount
    assert api.post("/allotment/", {**given, "amount": "20000.50"}).status_code == 201
    assert api.rows("allotment")[0]["amount"] == "20000.50"
    assert api.post("/allotment/", {**given, "amount": "1"}).status_code == 409  # the same notice twice
    late = api.post(
        "/expense/", {"agency": agency, "spent_on": "2199-01-01", "amount": "1", "purpose": "纸", "voucher": "1"}
    )
    assert set(late.json) == {"spent_on"}
    with pytest.raises(TypeError):
        Allotment(amount=0.1)
    with pytest.raises(FieldError):
        Expense(amount=Decimal("-1"))


def test_a_closed_period_is_immutable(funded: County) -> None:
    """2.6: whoever saves – form, program, or the system itself."""
    county = funded
    allotted = enter(county, Allotment, "100", date(2025, 1, 10))
    spent = enter(county, Expense, "40", date(2025, 3, 1))
    enter(county, Allotment, "5", date(2026, 1, 10))
    with county.acting(None) as session:
        period = session.scalars(sa.select(AccountPeriod.id).where(AccountPeriod.year == 2025)).one()
    with pytest.raises(Invalid):
        county.do("township1", AccountPeriod, period, "close", {"balance": "59.99"})
    with pytest.raises(Forbidden):
        county.do("agency1", AccountPeriod, period, "close", {"balance": "60"})
    county.do("township1", AccountPeriod, period, "close", {"balance": "60"})
    assert account(county, 2025) == (Decimal("100.00"), Decimal("40.00"), "closed")
    for kind in (Allotment, Expense):
        with pytest.raises(Invalid):
            enter(county, kind, "1", date(2025, 12, 31), "补")

    def refused(change: Any) -> None:
        refused_by(county, Conflict, change, None)

    refused(lambda session: session.delete(session.get_one(Expense, spent)))
    refused(lambda session: session.delete(session.get_one(Allotment, allotted)))
    refused(lambda session: setattr(session.get_one(Expense, spent), "purpose", "改"))
    refused(lambda session: setattr(session.get_one(Allotment, allotted), "allotted_on", date(2026, 1, 10)))
    refused(lambda session: setattr(session.get_one(AccountPeriod, period), "spent", Decimal("1")))
    refused(lambda session: session.delete(session.get_one(AccountPeriod, period)))
    refused_by(county, TypeError, lambda session: session.execute(sa.delete(Expense)), None)
    api = Api(county, "township1")
    assert api.put(f"/expense/{spent}", {"purpose": "改"}).status_code == 409
    assert api.delete(f"/expense/{spent}").status_code == 409
    assert account(county, 2025) == (Decimal("100.00"), Decimal("40.00"), "closed")
    with county.acting("township1") as session:
        shown = session.scalars(sa.select(AccountPeriod).where(AccountPeriod.id == period)).one()
        assert possible(shown, county.viewer("township1")) == []


def test_the_funds_module_is_off_by_default_and_says_so(county: County) -> None:
    given = {"agency": county.agencies["agency1"], "allotted_on": "2026-01-10", "document": "1", "amount": "5"}
    api, browser = Api(county, "township1"), county.client("township1")
    for resource in ("allotment", "expense", "account_period"):
        listed, page = api.get(f"/{resource}/"), browser.get(f"/{resource}/list/")
        assert (listed.status_code, page.status_code) == (404, 404)
        assert listed.json["message"] in words_of(page)  # a sentence that says what is off, not just “not found”
        assert "“" in listed.json["message"]
        assert f'href="/{resource}/list/"' not in browser.get("/stationed_agency/list/").text
    assert api.post("/allotment/", given).status_code == 404
    own = {"county_id": county.id, "agency_id": county.agencies["agency1"], "document": "1"}
    entry = Allotment(**own, allotted_on=date(2026, 1, 1), amount=Decimal(5))
    refused_by(county, NotFound, lambda session: session.add(entry), None)
    with county.acting(None) as session:
        session.add(Setting(county_id=county.id, name="funds_module", value="yes"))
    assert api.post("/allotment/", given).status_code == 201
    assert 'href="/allotment/list/"' in browser.get("/stationed_agency/list/").text
    with county.acting(None) as session:
        session.scalars(sa.select(Setting).where(Setting.name == "funds_module")).one().value = "no"
    with county.acting("township1") as session:
        assert session.scalars(sa.select(Allotment)).all() == []


def test_every_entry_stands_in_the_audit_trail(funded: County) -> None:
    key = enter(funded, Allotment, "5", date(2026, 1, 10))
    with funded.acting("township1", at("2026-11-24 09:00")) as session:
        session.get_one(Allotment, key).remark = "年初预算"
    with funded.acting("auditor") as session:
        found = sa.select(Event.name).where(Event.record_type == "allotment").order_by(Event.id)
        assert session.scalars(found).all() == ["create", "update"]
