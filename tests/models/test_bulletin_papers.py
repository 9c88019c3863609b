"""From a late answer to the red-headed bulletin and back: letters, approval on paper, orders, review, correction (2.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from models.bulletin import Bulletin
from models.call import Assignment
from models.call_words import Mark
from models.conclusion import Conclusion
from models.document import Document, NumberSeries
from models.event import EventValue
from models.organisation import Organisation, RunBy
from models.rectification import Rectification
from models.refusal import Conflict, Invalid
from models.review import ReviewRequest
from tests.conftest import Installation
from tests.county import County, at
from tests.supervision import APPROVED, SERVED, concluded, drafted, issued, reviewed, signed_sheet

LATER = at("2026-12-03 10:00")


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


def papers(county: County, kind: str) -> Sequence[Document]:
    with county.acting(None) as session:
        found = session.scalars(sa.select(Document).where(Document.kind == kind).order_by(Document.id)).all()
        for one in found:
            session.expunge(one)
        return found


def about_call(county: County) -> dict[str, Any]:
    """A call answered late, to conclude on."""
    call, assignment = county.dispatched("department1", when=at("2026-11-16 09:00"))
    county.respond("department1", assignment, when=at("2026-11-19 15:00"))
    return {"call_id": call, "matter": ""}


def test_the_department_is_asked_by_a_letter_and_served_by_another(county: County) -> None:
    concluded(county, proposed="no_response")
    [letter], [paper] = papers(county, "verification"), papers(county, "conclusion")
    assert (letter.number, letter.context["finding"]) == ("督核〔2026〕1号", "不响应")
    assert letter.context["facts"] == "派发后未联系乡镇"
    assert paper.number == "督结〔2026〕1号"
    assert paper.context["explanation"] == "人员外出，未及时联系"
    assert paper.context["review_until"] == "2026年12月26日"
    with county.acting("department1") as session:
        assert set(session.scalars(sa.select(Document.kind))) == {"verification", "conclusion"}
    with county.acting("department2") as session:
        assert not session.scalars(sa.select(Document.id)).all()


def test_silence_is_told_by_the_conclusion(county: County) -> None:
    key = concluded(county, until="explaining")
    found = {"finding": "no_response", "text": "经核查。", "requirements": ""}
    county.do("supervisor", Conclusion, key, "find", found, at("2026-11-27 17:31"))
    county.do("supervisor", Conclusion, key, "serve", {}, at("2026-11-27 17:40"))
    assert papers(county, "conclusion")[0].context["explanation"] == ""


def test_a_criticism_is_written_from_its_cases_and_what_was_typed_stays_in_the_timeline(county: County) -> None:
    key = drafted(county, [concluded(county, **about_call(county)), concluded(county, "department2", "no_action")])
    outcome = county.do("supervisor", Bulletin, key, "write", {}, SERVED)
    with county.acting(None) as session:
        bulletin = session.get_one(Bulletin, key)
        assert bulletin.rectify_until == date(2026, 12, 3)
        text = bulletin.text
        assert "（一）" in text
        assert "11月19日15时00分响应，超过规定时限" in text
        assert "经核查，认定为不响应（督结〔2026〕1号）。" in text
        assert "责令其于2026年12月3日前整改到位" in text
        township = session.scalars(
            sa.select(Organisation.short_name).where(Organisation.id == county["township1"])
        ).one()
        assert township not in text, "by default the township that called is not named"
    with county.acting(None) as session:
        values = session.scalars(sa.select(EventValue.value).where(EventValue.event_id == outcome.event_id))
        assert any(isinstance(one, dict) and one.get("old") == "现将有关情况通报如下。" for one in values)


def test_a_paper_signature_counts_with_its_code_and_its_scan(county: County) -> None:
    key = drafted(county, [concluded(county)])
    county.do("supervisor", Bulletin, key, "submit", {}, SERVED)
    [sheet] = papers(county, "approval_sheet")
    code = sheet.context["return_code"]
    for_leader = {"on_behalf_of": county.people["leader"]}
    with pytest.raises(Invalid) as refused:
        county.do("director", Bulletin, key, "approve", for_leader | {"return_code": "AAAA-AAAA"}, APPROVED)
    assert refused.value.errors.keys() == {"return_code"}
    with pytest.raises(Invalid) as refused:
        county.do("director", Bulletin, key, "approve", for_leader | {"return_code": code}, APPROVED)
    assert refused.value.errors.keys() == {"on_behalf_of"}
    values = signed_sheet(county, key)
    county.do("director", Bulletin, key, "approve", values | {"return_code": code.lower().replace("-", " ")}, APPROVED)
    assert papers(county, "criticism")


def test_the_sheet_of_an_earlier_text_does_not_count(county: County) -> None:
    key = drafted(county, [concluded(county)])
    county.do("supervisor", Bulletin, key, "submit", {}, SERVED)
    old = signed_sheet(county, key)
    county.do("leader", Bulletin, key, "send_back", {"reason": "事实部分再核"}, APPROVED)
    county.do("supervisor", Bulletin, key, "submit", {}, APPROVED)
    signed_sheet(county, key, when=at("2026-11-27 11:00"))
    with pytest.raises(Invalid) as refused:
        county.do("director", Bulletin, key, "approve", old, at("2026-11-27 11:00"))
    assert refused.value.errors.keys() == {"return_code"}
    assert [one.number for one in papers(county, "approval_sheet")] == ["呈〔2026〕0001", "呈〔2026〕0002"]


def test_issuing_makes_bulletin_orders_and_letters_to_superiors_in_one_transaction(county: County) -> None:
    with county.acting(None) as session:
        session.get_one(Organisation, county["department2"]).run_by = RunBy.vertical
    issued(county, [concluded(county), concluded(county, "department2", "late_response")])
    [bulletin], [order], [letter] = (papers(county, kind) for kind in ("criticism", "rectification", "superior_letter"))
    assert bulletin.number == "政督〔2026〕1号"
    assert order.context["dept"] == "县自然资源和规划局"
    assert letter.context["finding"] == "迟响应"
    with county.acting("department2") as session:
        assert "rectification" not in set(session.scalars(sa.select(Document.kind)))


def test_a_number_of_the_document_room_is_entered_and_looked_for_twice(county: County) -> None:
    first = drafted(county, [concluded(county)])
    county.do("supervisor", Bulletin, first, "submit", {}, SERVED)
    county.do("leader", Bulletin, first, "approve", {"number": "示政办发〔2026〕31号"}, APPROVED)
    second = drafted(county, [concluded(county, "department2")])
    county.do("supervisor", Bulletin, second, "submit", {}, SERVED)
    for number in ("示政办发〔2026〕31号", "政督〔2026〕2号"):
        with pytest.raises(Invalid) as refused:
            county.do("leader", Bulletin, second, "approve", {"number": number}, APPROVED)
        assert refused.value.errors.keys() == {"number"}
    county.do("leader", Bulletin, second, "approve", {"number": "政督〔2026〕1号"}, APPROVED)
    third = issued(county, [concluded(county, "department3")])
    with county.acting(None) as session:
        assert session.get_one(Bulletin, third).number == "政督〔2026〕2号"


def test_no_number_is_spent_on_a_text_that_cannot_be_printed(county: County) -> None:
    key = drafted(county, [concluded(county)])
    county.do("supervisor", Bulletin, key, "submit", {}, SERVED)
    with county.acting(None) as session:
        session.get_one(Organisation, county["supervision"]).name = "县督查室\U0001f512"
    with pytest.raises(Invalid) as refused:
        county.do("leader", Bulletin, key, "approve", {}, APPROVED)
    assert "U+1F512" in str(next(iter(refused.value.errors.values())))
    with county.acting(None) as session:
        table = sa.inspect(NumberSeries).local_table
        assert session.execute(sa.select(table.c.last).where(table.c.kind == "bulletin")).scalar() is None
        assert session.get_one(Bulletin, key).state == "submitted"


def test_a_day_for_putting_right_that_has_come_is_not_ordered(county: County) -> None:
    key = drafted(county, [concluded(county)], rectify_until=date(2026, 11, 27))
    county.do("supervisor", Bulletin, key, "submit", {}, SERVED)
    with pytest.raises(Conflict):
        county.do("leader", Bulletin, key, "approve", {}, APPROVED)


def test_an_order_that_is_made_again_says_what_was_not_put_right(county: County) -> None:
    issued(county, [concluded(county)])
    with county.acting(None) as session:
        key = session.scalars(sa.select(Rectification.id)).one()
    county.do("department1", Rectification, key, "report", {"result": "已办理。"}, at("2026-11-30 09:00"))
    county.do("supervisor", Rectification, key, "reject", {"remark": "现场仍未处置。"}, at("2026-11-30 15:00"))
    first, again = papers(county, "rectification")
    assert (first.number, again.number) == ("改〔2026〕0001", "改〔2026〕0001-2")
    assert again.context["again"] == "现场仍未处置。"


def test_an_upheld_review_takes_the_mark_back_everywhere_and_a_correction_follows(county: County) -> None:
    conclusion = concluded(county, finding="late_response", **about_call(county))
    bulletin = issued(county, [conclusion, concluded(county, "department2", "no_action")])
    with county.acting(None) as session:
        assert Mark.late_response in session.scalars(sa.select(Assignment)).one().marks(APPROVED)
    request = reviewed(county, conclusion)
    county.do("supervisor2", ReviewRequest, request, "examine", {}, LATER)
    county.do("supervisor2", ReviewRequest, request, "propose", {"opinion": "时限内已电话联系，通话记录可查。"}, LATER)
    county.do("leader", ReviewRequest, request, "decide", {"outcome": "upheld", "reasons": "登记不及时。"}, LATER)
    [decision] = papers(county, "review_decision")
    assert (decision.number, decision.context["outcome"]) == ("督复〔2026〕1号", "撤销")
    with county.acting(None) as session:
        assert session.scalars(sa.select(Assignment)).one().marks(LATER) == []
    with pytest.raises(Invalid):
        county.do("leader", Bulletin, issued(county, [concluded(county, "department3")]), "correct", {}, LATER)
    county.do("leader", Bulletin, bulletin, "correct", {}, LATER)
    [paper] = papers(county, "correction")
    assert paper.context["title"] == "关于更正政督〔2026〕1号有关内容的通报"
    assert "原认定“迟响应”予以撤销（督复〔2026〕1号）" in paper.context["text"]
    assert "县住房" not in paper.context["text"], "the other case stands"
    with county.acting("township1") as session:
        assert session.get_one(Bulletin, bulletin).correction == paper.context["text"]
        assert {"criticism", "correction"} <= set(session.scalars(sa.select(Document.kind)))
