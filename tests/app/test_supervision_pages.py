"""What happened by itself reads in words on the pages of supervision, and nothing stands on them twice."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from models import clock, viewer
from models.bulletin import Bulletin
from models.bulletin_drafting import draft_of_county
from models.call import Call
from models.inspection import Inspection
from models.inspection_queue import queue_of_county
from tests.app.visitor import visitor
from tests.conftest import Installation
from tests.county import County, at
from tests.supervision import concluded, issued

EVALUATED, NEXT_DAY = at("2026-11-25 10:00"), at("2026-11-27 09:00")
AFTER_THE_QUARTER = at("2026-10-12 09:00")


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


def test_why_a_matter_is_in_the_queue_is_said_in_words(county: County) -> None:
    call, assignment = county.dispatched("department1")
    county.respond("department1", assignment)
    county.report("department1", assignment)
    entry = {"assignment": assignment, "satisfaction": "fair", "solved": "not_solved", "comment": "仍未解决"}
    county.do("township1", Call, call, "evaluate", {"evaluations": [entry]}, EVALUATED)
    with county.acting(None, NEXT_DAY) as session, viewer.system(), clock.at(NEXT_DAY):
        queue_of_county(session, county.id, NEXT_DAY)
        key = session.scalars(sa.select(Inspection.id)).one()
    with clock.at(NEXT_DAY):
        page = visitor(county, "supervisor").get(f"/inspection/show/{key}").text
    timeline = page[page.index('class="timeline"') :]
    assert "按评价转入待督查" in timeline
    assert "评价为未解决" in timeline
    assert "queue" not in timeline.partition("</ol>")[0]
    assert "unsolved" not in page


def test_a_bulletin_that_drafted_itself_was_not_a_slip(county: County) -> None:
    with county.acting(None, AFTER_THE_QUARTER) as session, viewer.system(), clock.at(AFTER_THE_QUARTER):
        assert draft_of_county(session, county.id, AFTER_THE_QUARTER) is not None
        key = session.scalars(sa.select(Bulletin.id)).one()
    with clock.at(NEXT_DAY):
        page = visitor(county, "supervisor").get(f"/bulletin/show/{key}").text
    assert "已按本期数据自动起草" in page
    assert "督办单" not in page[page.index('class="timeline"') :].partition("</ol>")[0]


def test_what_followed_from_a_conclusion_stands_on_its_page_once(county: County) -> None:
    conclusion = concluded(county)
    issued(county, [conclusion])
    with clock.at(NEXT_DAY):
        page = visitor(county, "supervisor").get(f"/conclusion/show/{conclusion}").text
    assert page.count("改〔2026〕0001") == 1
