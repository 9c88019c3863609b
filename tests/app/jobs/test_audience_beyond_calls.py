"""Whom steps beyond calls are told to, and the words of everything that is told (2.3–2.7; document texts, 14)."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest
import sqlalchemy as sa
from flask_babel import force_locale

from app.jobs.audience import TOLD
from app.notifications import OWN_WORDS, RELATIONS, WORDINGS, Kind, Relation, text_of, why_told
from models.base import RECORD_TYPES
from models.conclusion import Conclusion
from models.notification import Notification
from models.party_clocks import CLOCKS
from models.proposal import AdjustmentProposal
from tests.app.jobs.conftest import QueueServer
from tests.app.jobs.told import both, forget, told
from tests.app.jobs.told import portfolio as portfolio
from tests.conftest import Installation
from tests.county import MONDAY, County
from tests.supervision import concluded, drafted


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough for whom; that relaying works on both is tested beside it."""
    sqlite_installation.fresh("county")
    return sqlite_installation


# Beyond calls


def test_conclusions_and_rectification_are_told_to_the_department(county: County, redis_server: QueueServer) -> None:
    key = concluded(county, until="draft")
    county.do("supervisor", Conclusion, key, "ask_explanation", {}, MONDAY)
    assert told(county) == both("department1", "explanation_wanted")
    forget(county)
    county.do("department1", Conclusion, key, "explain", {"explanation": "人员外出。"}, MONDAY)
    county.do("supervisor", Conclusion, key, "find", {"finding": "no_response", "text": "未响应。"}, MONDAY)
    county.do("supervisor", Conclusion, key, "serve", {}, MONDAY)
    supervisors = {(name, "explained") for name in ("supervisor", "supervisor2")}
    assert told(county) == both("department1", "conclusion_served") | supervisors
    forget(county)
    bulletin = drafted(county, [key], recipients=["department1"])
    county.do("supervisor", RECORD_TYPES["bulletin"], bulletin, "submit", {}, MONDAY)
    assert {kind for _name, kind in told(county)} == {"bulletin_waits"}
    assert {name for name, _kind in told(county)} >= {"leader", "director"}
    forget(county)
    county.do("leader", RECORD_TYPES["bulletin"], bulletin, "approve", {}, MONDAY)
    assert told(county) == both("department1", "rectification_ordered") | both("department1", "bulletin_issued")


def test_an_opinion_is_asked_of_each_townships_leaders(county: County, redis_server: QueueServer) -> None:
    from tests.models.test_admission import consulted

    consulted(county)
    assert told(county) == {("township1_leader", "opinion_wanted"), ("township2_leader", "opinion_wanted")}


def test_a_proposal_is_told_to_the_department(county: County, redis_server: QueueServer) -> None:
    with county.acting("township1", MONDAY) as session:
        one = AdjustmentProposal(
            agency_id=county.agencies["agency1"],
            performance="2026年以来",
            proposal="建议调整。",
            reason="履职不力。",
            meeting_date=MONDAY.date(),
        )
        one.prepare(session, county.viewer("township1"))
        session.add(one)
        session.flush()
        key = one.id
    county.do("township1", AdjustmentProposal, key, "send", {}, MONDAY)
    assert told(county) == both("department1", "proposal_received")


def test_of_a_personnel_consultation_the_secretary_hears_that_one_waits_and_nothing_more(
    county: County, redis_server: QueueServer
) -> None:
    from tests.models.test_consultation import sent

    sent(county)
    assert told(county) == {("township1_leader", "consultation_waits")}
    with county.acting(None) as session:
        one = session.scalars(sa.select(Notification)).one()
        assert one.values == {}
        assert (one.role, one.relation) == ("", "addressee")


# Words


SAMPLES: dict[str, Any] = {
    "call": "呼2026-0001", "township": "城关镇", "department": "水务局", "due": "2026-11-24T09:30:00+00:00", "at": "2026-11-24T02:00:00+00:00",
    "role": "lead", "reason": "own_power", "clock": "milestone", "action": "respond", "number": "催〔2026〕0001", "days": 10,
    "phone": "0500-6210001", "missing": "王建国家的门牌号", "matter": "王建国家的台账", "channel": "王建国", "place": "王建国家门口",
    "record": {"type": "rectification", "number": "改〔2026〕0001"}, "assignment": 7,
    "due_today": 3, "overdue": 2, "emergencies": 1, "expired": 0, "slips": 4,
}  # fmt: skip
PERSONAL = ("王建国", "13800138000", "刘庄河道排放污水", "下游村民")


@pytest.mark.parametrize("locale", ["en", "zh_Hans"])
@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_kind_has_its_words(county: County, kind: str, locale: str) -> None:
    """In every fulness, with every placeholder read; outside the portal without anybody's own words."""
    with county.acting(None), force_locale(locale):
        for left_out in (set(), {"phone"}, OWN_WORDS, {"phone", *OWN_WORDS}):
            values = {name: value for name, value in SAMPLES.items() if name not in left_out}
            one = Notification(kind=kind, values=values, role="dispatcher", relation="office")
            for outside in (False, True):
                title, text = text_of(one, outside=outside)
                assert title
                assert text.endswith("." if locale == "en" else "。")
                assert "%" not in text
                assert not outside or not any(word in text for word in PERSONAL)
        assert why_told(one)
        if locale == "zh_Hans":
            assert re.search("[一-鿿]", title + text)
            assert not re.search("[A-Za-z]{3}", title + text + why_told(one))


def test_every_kind_and_relation_is_worded_and_every_step_exists() -> None:
    assert WORDINGS.keys() == set(get_args(Kind))
    assert RELATIONS.keys() == set(get_args(Relation))
    automatic = {
        ("call", "all_reported"), ("assignment", "report_copied"), ("notice", "draft"), ("rectification", "order"),
        ("rectification", "order_again"), ("admission_opinion", "ask_opinion"), ("bulletin", "draft"), ("review_request", "create"),
        *{("assignment", step) for step in ("amber", "reminder", "candidate", "ring", "duty_phones", "heads", "leader")},
        ("assignment", "deadline_recomputed"), ("organisation", "director_sheet"),
        *{(one.model.resource(), step) for one in CLOCKS for step in ("clock_amber", "clock_expired", "deadline_recomputed")},
    }  # fmt: skip
    for record_type, step in TOLD.keys() - automatic:
        workflow = RECORD_TYPES[record_type].workflow
        steps = {one.name for one in (*workflow.transitions, *workflow.automatic)} if workflow is not None else set()
        assert step in steps, (record_type, step)
