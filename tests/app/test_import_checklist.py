"""`flask --app app import-checklist FILE` (spec 4): a published list becomes a draft, and what is messy in it stays as text (2.4)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from models.checklist import Checklist, ChecklistItem, ChecklistState
from tests.app.imports import Table, workbook
from tests.conftest import Installation
from tests.county import County

SHEET: Table = [
    ["序号", "领域", "事项名称", "主体责任单位", "主体责任", "配合责任", "法律依据", "备注"],
    [1, "水务", "河道采砂", "县水务局", "许可并监管。", "日常巡查。", "《水法》", None],
    [None, None, None, "县自然资源和规划局、县应急管理局", "联合执法。", None, None, None],
    [2, "水务", "饮水安全", "生态环境、水利等部门", "监测。", "（乡镇为法定主责）管护设施。", None, "待核"],
]


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough."""
    sqlite_installation.fresh("county")
    return sqlite_installation


def run(county: County, *arguments: str) -> tuple[int, str]:
    result = county.app.test_cli_runner().invoke(args=["import-checklist", *arguments])
    return result.exit_code, result.output


def test_a_sheet_and_the_compiled_list_become_drafts(county: County, tmp_path: Path) -> None:
    file = tmp_path / "清单.xlsx"
    file.write_bytes(workbook(SHEET))
    code, said = run(county, str(file), "--county", "平原县")
    assert code == 0, said
    assert "2 items imported" in said
    assert "version 2, a draft" in said
    assert "“生态环境、水利等部门” is no known organisation" in said
    with county.acting(None) as session:
        made = session.scalars(sa.select(Checklist).where(Checklist.edition == 2)).one()
        assert (made.state, made.owner_id) == (ChecklistState.draft, county.id)
        first, second = made.items
        assert [(duty.party, duty.kind.value, duty.organisation_id) for duty in first.duties] == [
            ("县水务局", "primary", county["department4"]),
            ("县自然资源和规划局", "primary", county["department1"]),
            ("县应急管理局", "primary", county["department3"]),
            ("乡镇（街道）", "cooperating", None),
        ]
        assert (second.basis, second.note) == ("", "待核")
        assert second.duties[-1].kind.value == "primary"
    compiled = tmp_path / "items.json"
    entry = {
        "number": 1,
        "field": "水务",
        "name": "甲",
        "primary": [{"dept": "县水务局", "duty": "查。"}],
        "cooperating": "报。",
    }
    compiled.write_text(json.dumps({"about": "x", "items": [entry]}, ensure_ascii=False), encoding="utf-8")
    code, said = run(county, str(compiled), "--county", "平原县", "--name", "另一份清单")
    assert (code, "version 3" in said) == (0, True), said


def test_what_is_wrong_is_said_and_nothing_is_kept(county: County, tmp_path: Path) -> None:
    def items() -> int:
        with county.acting(None) as session:
            return session.scalar(sa.select(sa.func.count(ChecklistItem.id))) or 0

    before = items()
    file = tmp_path / "x.json"
    good = {"number": 1, "field": "水务", "name": "甲", "primary": [], "cooperating": ""}
    for what, content in {
        "no file of this kind": b"\x89PNG",
        "twice": json.dumps([good, good]).encode(),
        "no number": json.dumps([{**good, "number": "一"}]).encode(),
        "no name": json.dumps([{**good, "name": ""}]).encode(),
        "no parties": json.dumps([{**good, "primary": "县水务局"}]).encode(),
        "columns": workbook([["序号", "领域"], [1, "水务"]]),
    }.items():
        file.write_bytes(content)
        code, said = run(county, str(file), "--county", "平原县")
        assert (code, "Error:" in said) == (1, True), (what, said)
    file.write_text(json.dumps([good]))
    assert "several counties" in run(county, str(file))[1]
    assert "no such county" in run(county, str(file), "--county", "某县")[1]
    assert items() == before
