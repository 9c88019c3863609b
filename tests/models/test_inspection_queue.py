"""Evaluations fill the queue of inspections, each once, and only when they can be changed no more (2.1, 2.3)."""

from __future__ import annotations

from datetime import datetime

import pytest
import sqlalchemy as sa

from models import clock, viewer
from models.call import Assignment, Call
from models.conclusion import Conclusion
from models.inspection import Inspection
from models.inspection_queue import queue_of_county
from models.no_action import grounds_of_no_action
from models.refusal import Conflict, Invalid
from models.setting import Setting
from tests.conftest import Installation
from tests.county import County, at
from tests.supervision import concluded

EVALUATED = at("2026-11-25 10:00")
NEXT_DAY = at("2026-11-27 09:00")


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


def queue(county: County, now: datetime) -> int:
    with county.acting(None, now) as session, viewer.system(), clock.at(now):
        return queue_of_county(session, county.id, now)


def queued(county: County) -> list[tuple[str, str]]:
    with county.acting(None) as session:
        found = session.scalars(sa.select(Inspection).order_by(Inspection.id))
        return [(str(one.reason), one.subject) for one in found]


def evaluated(county: County, satisfaction: str, solved: str, comment: str = "仍未解决") -> tuple[int, int]:
    call, assignment = county.dispatched("department1")
    county.respond("department1", assignment)
    county.report("department1", assignment)
    entry = {"assignment": assignment, "satisfaction": satisfaction, "solved": solved, "comment": comment}
    county.do("township1", Call, call, "evaluate", {"evaluations": [entry]}, EVALUATED)
    return call, assignment


def sampled(county: County, one_of: int) -> None:
    with county.acting(None) as session:
        session.add(Setting(county_id=county.id, name="inspection_sample", value=str(one_of)))


def test_what_was_not_solved_is_queued_when_it_can_be_changed_no_more(county: County) -> None:
    sampled(county, 0)
    evaluated(county, "fair", "not_solved")
    assert queue(county, EVALUATED) == 0
    assert queue(county, NEXT_DAY) == 1
    assert queue(county, NEXT_DAY) == 0
    [(reason, subject)] = queued(county)
    assert reason == "unsolved"
    assert "评价未解决" in subject


def test_satisfied_ones_are_sampled(county: County) -> None:
    sampled(county, 1)
    evaluated(county, "satisfied", "solved", comment="")
    assert queue(county, NEXT_DAY) == 1
    assert queued(county)[0][0] == "sample"


def test_without_a_sample_no_satisfied_one_is_queued(county: County) -> None:
    sampled(county, 0)
    evaluated(county, "satisfied", "solved", comment="")
    assert queue(county, NEXT_DAY) == 0


def test_an_entry_of_the_queue_is_dismissed_with_a_reason_and_does_not_come_back(county: County) -> None:
    sampled(county, 1)
    evaluated(county, "satisfied", "solved", comment="")
    queue(county, NEXT_DAY)
    with county.acting(None) as session:
        key = session.scalars(sa.select(Inspection.id)).one()
    with pytest.raises(Conflict), county.acting("supervisor") as session:
        session.get_one(Inspection, key).check_delete(county.viewer("supervisor"))
    county.do("supervisor", Inspection, key, "dismiss", {"reason": "本周已走访"}, NEXT_DAY)
    assert queue(county, at("2026-11-30 09:00")) == 0


def test_response_without_action_needs_its_grounds(county: County) -> None:
    call, assignment = county.dispatched("department1", when=at("2026-11-12 09:00"))
    county.respond("department1", assignment, when=at("2026-11-12 10:00"))
    key = concluded(county, until="explained", call_id=call)
    found = {"finding": "no_action", "text": "未采取措施。", "requirements": ""}
    with county.acting(None) as session:
        one = session.get_one(Assignment, assignment)
        assert grounds_of_no_action(session, one, at("2026-11-20 09:00")) == []
        assert grounds_of_no_action(session, one, at("2026-11-27 09:00")) == ["idle"]
    with pytest.raises(Invalid) as refused:
        county.do("supervisor", Conclusion, key, "find", found, at("2026-11-20 09:00"))
    assert refused.value.errors.keys() == {"finding"}
    county.do("supervisor", Conclusion, key, "find", found, at("2026-11-27 09:00"))
