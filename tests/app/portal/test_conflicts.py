"""Two people, one record: what only one of them changed is merged, what both changed is shown, nothing typed is lost (spec 5, Reliability)."""

from __future__ import annotations

import pytest

from app.portal.record.merging import fingerprint, merge, read_fingerprints
from models.call import Call
from tests.app.visitor import form_to, kept, visitor, words_of
from tests.conftest import Installation
from tests.county import County


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


def test_what_only_the_other_changed_is_taken_over_and_what_both_changed_is_shown(county: County) -> None:
    call = county.draft(title="刘庄河道", place="刘庄", description="原述")
    address = f"/call/edit/{call}"
    officer, leader = visitor(county, "township1"), visitor(county, "township1_leader")
    mine, hers = form_to(officer.get(address), address), form_to(leader.get(address), address)
    assert leader.post(address, hers.values | {"place": "刘庄北桥", "title": "刘庄河道污水"}).status_code == 302

    answer = officer.post(address, mine.values | {"title": "刘庄河道排污", "description": "新述"})
    assert answer.status_code == 409
    typed = kept(answer, address)
    assert typed["title"] == "刘庄河道排污", "what both changed stays as typed"
    assert typed["description"] == "新述", "what only I changed stays"
    assert typed["place"] == "刘庄北桥", "what only she changed is taken over"
    shown = words_of(answer)
    assert "刘庄河道污水" in shown
    again = form_to(answer, address)
    assert officer.post(address, again.values).status_code == 302
    with county.acting(None) as session:
        kept_call = session.get_one(Call, call)
        assert (kept_call.title, kept_call.description, kept_call.place) == ("刘庄河道排污", "新述", "刘庄北桥")


def test_changes_that_do_not_meet_need_no_choice(county: County) -> None:
    call = county.draft(title="刘庄河道", place="刘庄")
    address = f"/call/edit/{call}"
    officer, leader = visitor(county, "township1"), visitor(county, "township1_leader")
    mine, hers = form_to(officer.get(address), address), form_to(leader.get(address), address)
    assert leader.post(address, hers.values | {"place": "北桥"}).status_code == 302
    answer = officer.post(address, mine.values | {"title": "新题"})
    assert answer.status_code == 409, "nobody saves what he has not seen"
    assert "In the record now" not in answer.text
    assert kept(answer, address)["place"] == "北桥"


@pytest.mark.parametrize("lost", ["", "nonsense", "[1]", "{", "{}", '{"title": 7}'])
def test_lost_marks_make_every_difference_a_choice(lost: str) -> None:
    opened = read_fingerprints(lost)
    found = merge({"title": "mine"}, {"title": "now"}, opened)
    assert (found.theirs, found.both) == ((), ("title",))


def test_line_ends_of_browsers_are_no_change() -> None:
    assert fingerprint("eins\r\nzwei") == fingerprint("eins\nzwei")
    assert fingerprint("eins") != fingerprint("zwei")
