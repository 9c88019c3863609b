"""Matters of the hotline brought in by Excel: each becomes one draft of the township, however often the file is sent."""

from __future__ import annotations

import sqlalchemy as sa

from models.call import Call
from models.call_words import CallSource, CallState
from models.imported import Import, ImportState
from tests.app.imports import Table, apply, newest, upload
from tests.app.visitor import visitor
from tests.county import County

HEADS = ["source", "external_number", "kind", "title", "description", "field"]
FILE: Table = [
    HEADS,
    ["12345", "12345-77", "general", "刘庄河道排放污水", "市民来电反映，已到现场查看。", "水务"],
    ["12345", "12345-78", "general", "城关路占道经营", "市民来电反映，多次劝阻无效。", "其他"],
]


def drafts(county: County) -> dict[str, tuple[str, str, str]]:
    """(township, state, title) by the number of the other platform."""
    names = {number: called for called, number in county.organisations.items()}
    with county.acting(None) as session:
        found = session.scalars(sa.select(Call).where(Call.external_number != ""))
        return {one.external_number: (names[one.township_id], one.state.value, one.title) for one in found}


def brought(county: County, table: Table, name: str = "township1") -> Import:
    """The import of a file, checked and applied."""
    apply(county, upload(county, table, name, resource="call"))
    return newest(county)


def test_the_same_file_twice_creates_nothing_twice(county: County) -> None:
    first = brought(county, FILE)
    assert (first.state, first.created, first.refused) == (ImportState.done, 2, 0)
    expected = {
        "12345-77": ("township1", "draft", "刘庄河道排放污水"),
        "12345-78": ("township1", "draft", "城关路占道经营"),
    }
    assert drafts(county) == expected
    second = brought(county, FILE)
    assert (second.created, second.changed, second.same, second.refused) == (0, 0, 2, 0)
    assert drafts(county) == expected


def test_a_number_that_stands_in_the_file_twice_is_wrong_in_its_cell(county: County) -> None:
    table = [*FILE, ["12345", "12345-77", "general", "另一标题", "同一件事", "水务"]]
    upload(county, table, "township1", resource="call")
    checked = newest(county)
    assert (checked.to_create, checked.wrong) == (2, 1)
    (finding,) = checked.findings
    assert (finding["row"], finding["column"], finding["repeated"]) == (4, "来源平台编号", True)
    assert brought(county, table).created == 2
    assert drafts(county)["12345-77"][2] == "刘庄河道排放污水"


def test_a_number_of_another_township_s_call_is_wrong_in_its_cell_and_its_call_is_not_named(county: County) -> None:
    county.submitted("township2", source=CallSource.hotline, external_number="12345-77", title="青石乡的事项")
    done = brought(county, FILE)
    assert (done.created, done.refused) == (1, 1)
    (finding,) = done.findings
    assert (finding["row"], finding["column"]) == (2, "来源平台编号")
    assert "呼2026" not in finding["text"]
    assert "青石乡" not in finding["text"]
    assert drafts(county)["12345-77"] == ("township2", "submitted", "青石乡的事项")


def test_what_has_been_submitted_is_not_changed_by_a_later_file(county: County) -> None:
    brought(county, FILE)
    with county.acting(None) as session:
        key = session.scalars(sa.select(Call.id).where(Call.external_number == "12345-77")).one()
    county.do("township1", Call, key, "submit", {})
    changed = [HEADS, ["12345", "12345-77", "general", "另一标题", "市民来电反映，已到现场查看。", "水务"]]
    upload(county, changed, "township1", resource="call")
    assert (newest(county).to_change, newest(county).wrong) == (0, 1)
    assert drafts(county)["12345-77"][1:] == ("submitted", "刘庄河道排放污水")


def test_a_withdrawn_call_is_not_meant(county: County) -> None:
    """The matter is raised anew; the withdrawn call stays as it is."""
    key = county.submitted(source=CallSource.hotline, external_number="12345-77")
    county.do("township1", Call, key, "withdraw", {"reason": "误填"})
    assert brought(county, FILE).created == 2
    with county.acting(None) as session:
        assert session.get_one(Call, key).state == CallState.withdrawn


def test_a_row_without_a_number_is_wrong(county: County) -> None:
    upload(county, [HEADS, ["12345", "", "general", "无编号", "……", "其他"]], "township1", resource="call")
    (finding,) = newest(county).findings
    assert finding["column"] == "来源平台编号"


def test_only_townships_import_calls(county: County) -> None:
    for name in ("dispatcher", "department1", "leader"):
        assert visitor(county, name).get("/call/import").status_code == 403
