"""Import by Excel and JSON: template, check, what is refused, wrong rows; the job itself is tried in tests/app/jobs."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from openpyxl import Workbook, load_workbook
from werkzeug.test import TestResponse

from app.database import transaction
from app.jobs.tasks import delete_file
from app.portal.imports import applying
from app.storage import storage
from models import clock, viewer
from models.checklist import Checklist, ChecklistItem, ChecklistLevel, Duty
from models.event import Event
from models.imported import Import, ImportState, erase_old
from models.notification import Job
from models.setting import Setting
from tests.app.imports import LIST, Table, apply, draft_list, grant_import, items, newest, start, upload
from tests.app.visitor import visitor, words_of
from tests.conftest import Installation
from tests.county import County


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """The job's SQL is tried on both databases in its own test."""
    sqlite_installation.fresh("county")
    return sqlite_installation


@pytest.fixture
def county(installation: Installation) -> County:
    made = installation.county
    assert made is not None
    made.forget()
    grant_import(made)
    draft_list(made)
    return made


GOOD: Table = [
    ["Checklist", "Number", "Field *", "Matter", "Legal basis"],
    [LIST, 1, "水务", "河道采砂巡查", "水法"],
    [LIST, 2.0, "水务", "饮用水源保护", None],
    [LIST, "3", "应急", "山洪灾害避险", "=1+1"],
]


def test_the_template_has_the_heads_and_explains_them_and_its_own_file_can_be_sent(county: County) -> None:
    answer = visitor(county, "checklist").get("/checklist_item/import/template")
    assert "attachment" in answer.headers["Content-Disposition"]
    book = load_workbook(io.BytesIO(answer.data))
    sheet, explained = book.worksheets[0], book.worksheets[1]
    heads = [cell.value for cell in sheet[1]]
    assert len(heads) == 8, "six fields and two kinds of lines"
    assert heads[1].endswith("*")
    assert {row[0].value for row in explained.iter_rows(min_row=6)} == {head.removesuffix(" *") for head in heads}
    for place, value in enumerate([LIST, 7, "水务", "河道保洁", "", ""], 1):
        sheet.cell(2, place, value)
    out = io.BytesIO()
    book.save(out)
    key = upload(county, out.getvalue())
    assert newest(county).to_create == 1
    apply(county, key)
    assert items(county)[7] == ("水务", "河道保洁", "")


def test_the_check_counts_and_changes_nothing_and_applying_does_it_and_the_same_file_again_does_nothing(
    county: County,
) -> None:
    before = items(county)
    key = upload(county, GOOD)
    assert items(county) == before == {}
    one = newest(county)
    assert (one.to_create, one.to_change, one.unchanged, one.wrong) == (3, 0, 0, 0)
    assert one.state is ImportState.checked
    apply(county, key)
    assert items(county) == {
        1: ("水务", "河道采砂巡查", "水法"),
        2: ("水务", "饮用水源保护", ""),
        3: ("应急", "山洪灾害避险", "=1+1"),
    }
    one = newest(county)
    assert (one.state, one.created, one.changed, one.same, one.refused) == (ImportState.done, 3, 0, 0, 0)

    marks = versions_and_events(county)
    again = upload(county, GOOD)
    assert newest(county).unchanged == 3
    apply(county, again)
    assert newest(county).same == 3
    assert versions_and_events(county) == marks


def versions_and_events(county: County) -> tuple[list[Any], int]:
    with county.acting(None) as session:
        rows = session.execute(
            sa.select(ChecklistItem.number, ChecklistItem.version, ChecklistItem.changed_at)
            .join(Checklist)
            .where(Checklist.name == LIST)
            .order_by(ChecklistItem.number)
        ).all()
        events = session.scalar(sa.select(sa.func.count()).where(Event.record_type == "checklist_item"))
        return [tuple(row) for row in rows], int(events or 0)


def test_a_row_whose_record_is_there_changes_it_and_the_page_shows_from_what_to_what(county: County) -> None:
    apply(county, upload(county, GOOD))
    changed = [GOOD[0], [LIST, 1, "水务", "河道采砂监管", "水法"], *GOOD[2:]]
    key = upload(county, changed)
    one = newest(county)
    assert (one.to_create, one.to_change, one.unchanged) == (0, 1, 2)
    page = words_of(visitor(county, "checklist").get(f"/checklist_item/import/{key}"))
    assert "河道采砂巡查" in page
    assert "河道采砂监管" in page
    apply(county, key)
    assert items(county)[1][1] == "河道采砂监管"
    with county.acting(None) as session:
        last = session.scalars(
            sa.select(Event).where(Event.record_type == "checklist_item").order_by(Event.id.desc())
        ).first()
        assert last is not None
        assert (last.kind, last.name, last.actor_id) == ("update", "update", county.people["checklist"])
        assert set(last.digests) == {"name"}


def test_a_column_left_out_is_not_touched_and_an_empty_cell_empties(county: County) -> None:
    apply(county, upload(county, GOOD))
    apply(county, upload(county, [["number", "checklist", "name"], [1, LIST, "新名称"]]))
    assert items(county)[1] == ("水务", "新名称", "水法")
    apply(county, upload(county, [["Number", "Checklist", "Legal basis"], [1, LIST, None]]))
    assert items(county)[1] == ("水务", "新名称", "")


def test_wrong_rows_are_named_by_row_and_column_and_come_back_as_a_workbook_that_can_be_corrected(
    county: County,
) -> None:
    table = [
        *GOOD,
        [LIST, 2, "水务", "重复的一行", ""],
        ["没有的清单", 5, "水务", "无清单", ""],
        [LIST, "五", "水务", "不是数字", ""],
        [LIST, 6, "", "无领域", ""],
        [LIST, 7, "水" * 41, "#REF!", "=HYPERLINK(1)"],
        [LIST, 8, "水务", "好的一行", ""],
    ]
    key = upload(county, table, locale="en")
    one = newest(county)
    assert (one.to_create, one.wrong) == (4, 5)
    found = {(row["row"], row["column"]) for row in one.findings}
    assert found == {(5, "Number"), (6, "Checklist"), (7, "Number"), (8, "Field"), (9, "Field"), (9, "Matter")}
    here = visitor(county, "checklist")
    page = words_of(here.get(f"/checklist_item/import/{key}"))
    assert "“没有的清单” was not found." in page
    apply(county, key)
    assert sorted(items(county)) == [1, 2, 3, 8]
    assert (newest(county).created, newest(county).refused) == (4, 5)

    book = load_workbook(io.BytesIO(here.get(f"/checklist_item/import/{key}/errors").data))
    sheet = book.worksheets[0]
    assert sheet.max_row == 6
    assert "Number" in sheet.cell(2, 6).value
    assert sheet.cell(6, 5).data_type == "s", "text stays text, whatever it begins with"
    sheet.cell(4, 2).value = 9
    out = io.BytesIO()
    book.save(out)
    again = upload(county, out.getvalue())
    assert newest(county).to_create == 1
    apply(county, again)
    assert 9 in items(county)


def test_json_is_taken_by_identifiers_and_ids(county: County) -> None:
    with county.acting(None) as session:
        list_id = session.scalars(sa.select(Checklist.id).where(Checklist.name == LIST)).one()
    rows = [
        {"checklist": list_id, "number": 1, "field": "水务", "name": "甲"},
        {"checklist": LIST, "number": 2, "field": "水务", "name": "乙", "note": "备注"},
        {"checklist": {"id": list_id}, "number": True, "field": 5, "name": ["x"]},
    ]
    key = upload(county, json.dumps({"about": "x", "items": rows}).encode())
    one = newest(county)
    assert (one.to_create, one.wrong) == (2, 1)
    apply(county, key)
    assert sorted(items(county)) == [1, 2]


def duties(county: County) -> list[tuple[int, str, str, int | None, int]]:
    with county.acting(None) as session:
        rows = session.scalars(
            sa.select(Duty).join(ChecklistItem).join(Checklist).where(Checklist.name == LIST).order_by(Duty.position)
        )
        return [(one.position, one.party, one.text, one.organisation_id, one.version) for one in rows]


def test_lines_come_as_a_list_or_as_text_and_the_same_lines_again_change_nothing(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ChecklistItem, "parts", ("duties",))
    first = {"kind": "primary", "organisation": "水务局", "party": "县水务局", "text": "许可并监管。"}
    second = {"kind": "cooperating", "party": "乡镇（街道）", "text": "日常巡查。"}
    row = {"checklist": LIST, "number": 1, "field": "水务", "name": "河道采砂", "duties": [first, second]}
    data = json.dumps([row]).encode()
    apply(county, upload(county, data))
    made = [
        (1, "县水务局", "许可并监管。", county["department4"], 1),
        (2, "乡镇（街道）", "日常巡查。", None, 1),
    ]
    assert duties(county) == made
    again = upload(county, data)
    assert newest(county).unchanged == 1
    apply(county, again)
    assert duties(county) == made

    table: Table = [
        ["Checklist", "Number", "duties"],
        [LIST, 1, "primary｜水务局｜县水务局｜许可、监管并处罚。\n"],
        [LIST, 1.5, "primary|x"],
    ]
    key = upload(county, table, locale="en")
    one = newest(county)
    assert (one.to_change, one.wrong) == (1, 1)
    assert {row["column"] for row in one.findings} == {"Number", "Duties"}
    assert one.differences[0]["changes"][0]["column"] == "Duties"
    apply(county, key)
    assert duties(county) == [(1, "县水务局", "许可、监管并处罚。", county["department4"], 2)]
    template = visitor(county, "checklist").get("/checklist_item/import/template")
    said = [row[2].value or "" for row in load_workbook(io.BytesIO(template.data)).worksheets[1].iter_rows(min_row=6)]
    assert any("｜" in text for text in said), "the notation is explained"


def packed(members: Mapping[str, bytes], data: bytes = b"") -> bytes:
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a" if data else "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def workbook(table: Table) -> bytes:
    book = Workbook()
    for line in table:
        book.worksheets[0].append(list(line))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_file_that_cannot_be_taken_is_refused_with_a_sentence_and_keeps_nothing(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = workbook(GOOD)
    bomb = packed({"xl/workbook.xml": b"<x/>", "xl/worksheets/sheet1.xml": b" " * 70_000_000})
    entities = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "cccccccc">]><a>&b;</a>'
    refused = {
        "nothing": b"",
        "blanks": b"   ",
        "bytes": bytes(range(256)) * 20,
        "picture": b"\x89PNG\r\n\x1a\n" + b"0" * 50,
        "old or encrypted": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"0" * 600,
        "cut off": good[: len(good) // 2],
        "altered": good[:600] + b"XXXX" * 40 + good[760:],
        "bomb": bomb,
        "entities": packed({"xl/workbook.xml": entities}),
        "macros": packed({"xl/vbaProject.bin": b"x"}, good),
        "a document": packed({"word/document.xml": b"<x/>"}),
        "many members": packed({f"xl/{number}.txt": b"" for number in range(1200)}),
        "heads alone": workbook(GOOD[:1]),
        "unknown column": workbook([[*GOOD[0], "密级"], [*GOOD[1], "x"]]),
        "column twice": workbook([[*GOOD[0], "Number"], [*GOOD[1], 1]]),
        "no key": workbook([["Number", "Field", "Matter"], [1, "a", "b"]]),
        "no list": b'{"a": 1}',
        "no objects": b"[1, 2]",
        "deep": b'[{"a":' + b"[" * 5000 + b"]" * 5000 + b"}]",
        "not a number": b'[{"number": NaN}]',
        "half": '[{"number": 1'.encode("utf-16"),
        "too many rows": json.dumps([{"number": 1}] * 20_001).encode(),
    }
    here = visitor(county, "checklist")
    for what, data in refused.items():
        answer = send(here, data)
        assert answer.status_code == 422, (what, answer.status_code)
        assert 'id="import-error"' in answer.text, what
    monkeypatch.setitem(county.app.config, "IMPORT_LIMIT_MB", 0)
    assert send(here, good).status_code == 422, "larger than the limit"
    assert here.post("/checklist_item/import").status_code == 422, "no file at all"
    with county.acting(None) as session:
        assert session.scalar(sa.select(sa.func.count(Import.id))) == 0


def send(here: Any, data: bytes, name: str = "x.xlsx") -> TestResponse:
    answer: TestResponse = here.post("/checklist_item/import", {"file": (io.BytesIO(data), name)})
    return answer


def test_cells_of_any_bytes_are_errors_of_their_cells(county: County) -> None:
    strange: Sequence[Any] = [
        "\ud800",
        "\x00",
        "🀄" * 10,
        "x" * 40_000,
        -1,
        10**30,
        1e308,
        [[]],
        {"id": -1},
        True,
        "0",
        "#N/A",
        "９",
    ]
    rows = [
        {"checklist": LIST, "number": number, "field": value, "name": value, "basis": value}
        for number, value in enumerate(strange, 1)
    ]
    rows += [{"checklist": value, "number": value, "field": "x", "name": "x"} for value in strange]
    data = json.dumps(rows).encode()
    answer = send(visitor(county, "checklist"), data, "行.json")
    assert answer.status_code == 302
    assert newest(county).total == len(rows)
    apply(county, newest(county).id)
    assert newest(county).state is ImportState.done
    assert newest(county).refused >= 20


def test_who_imports_and_sees_an_import(county: County) -> None:
    key = upload(county, GOOD)
    for name in ("township1", "dispatcher", "sysadmin"):
        here = visitor(county, name)
        assert here.get("/checklist_item/import").status_code == 403
        assert here.get("/checklist_item/import/template").status_code == 403
        assert send(here, workbook(GOOD)).status_code == 403
        assert here.get(f"/checklist_item/import/{key}").status_code == 403
        assert "/checklist_item/import" not in here.get("/checklist_item/list/").text
    grant_import(county, "legal_reviewer")
    other = visitor(county, "legal")
    assert other.get("/checklist_item/import").status_code == 200
    assert other.get(f"/checklist_item/import/{key}").status_code == 404, "somebody else's file"
    assert other.post(f"/checklist_item/import/{key}/apply").status_code == 404
    here = visitor(county, "checklist")
    assert "/checklist_item/import" in here.get("/checklist_item/list/").text
    assert here.get("/report/import").status_code == 404, "a type without a natural key"
    assert here.get(f"/checklist_item/import/{key + 1}").status_code == 404


def test_rows_are_applied_under_the_person_s_own_rights(county: County) -> None:
    """What he does not see he can neither name nor change; what he may not change is refused row by row."""
    with county.acting(None) as session:
        session.add(
            Checklist(
                county_id=county["county9"], name="山阳县清单", level=ChecklistLevel.county, owner_id=county["county9"]
            )
        )
    upload(county, [["Checklist", "Number", "Field", "Matter"], ["山阳县清单", 1, "水务", "别县的"]])
    assert newest(county).wrong == 1

    apply(county, upload(county, GOOD))
    grant_import(county, "legal_reviewer", edit=False)
    key = upload(county, [GOOD[0], [LIST, 1, "水务", "改名", ""], [LIST, 4, "水务", "新的", ""], GOOD[2]], name="legal")
    one = newest(county)
    assert (one.to_create, one.to_change, one.unchanged, one.wrong) == (1, 0, 1, 1)
    apply(county, key)
    assert items(county)[1][1] == "河道采砂巡查"
    assert 4 not in items(county), "only the checklist manager writes items, whatever permission another role was given"
    assert newest(county).refused == 2, newest(county).findings


def test_steps_of_an_import_and_their_refusals(county: County) -> None:
    here = visitor(county, "checklist")
    key = upload(county, GOOD)
    address = f"/checklist_item/import/{key}"
    assert here.post(f"{address}/cancel").status_code == 302
    assert newest(county).state is ImportState.checked, "nothing is under way"
    here.post(f"{address}/apply")
    here.post(f"{address}/apply")
    assert newest(county).state is ImportState.waiting
    with county.acting(None) as session:
        assert session.scalars(sa.select(Job.arguments)).all() == [{"import_id": key, "run": 1}]
    told = here.get(f"{address}/progress").json
    assert told is not None
    assert told["under_way"]
    assert "data-progress" in here.get(address).text
    here.post(f"{address}/cancel")
    assert newest(county).state is ImportState.cancelled
    with county.app.app_context():
        applying.apply(key, 1)
    assert items(county) == {}, "a cancelled import is not applied by a job that comes late"
    with county.acting(None) as session:
        names = session.scalars(
            sa.select(Event.name).where(Event.thread_type == "import").order_by(Event.sequence)
        ).all()
        assert names == ["check", "start", "cancel"]


def test_a_full_store_keeps_nothing_and_says_so(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.storage.Storage.put", full)
    assert send(visitor(county, "checklist"), workbook(GOOD)).status_code == 507
    with county.acting(None) as session:
        assert session.scalar(sa.select(sa.func.count(Import.id))) == 0


def test_excel_dates_and_text_dates_and_names_of_organisations(county: County) -> None:
    """Organisations are found by full name, short name and alias; a date may be Excel's or a text."""
    from app.portal.imports.naming import Directory
    from app.portal.imports.translating import Translator
    from models.base import fields_of
    from models.organisation import OrganisationAlias

    with county.acting(None) as session:
        session.add(OrganisationAlias(organisation_id=county["department4"], name="水利局"))
    fields = fields_of(Checklist) | {"organisation": fields_of(Duty)["organisation"]}
    with county.acting("checklist") as session:
        directory = Directory(county.viewer("checklist"))
        directory.look_up(session, fields["organisation"], ["水利局", "县水务局", "水务局", "山阳水务局", "没有"])
        translator = Translator(fields, directory, spreadsheet=True)
        for name in ("水利局", "县水务局", "水务局"):
            assert translator.translate("organisation", name) == county["department4"]
        for name in ("山阳水务局", "没有"):
            with pytest.raises(ValueError, match=r"找到|found"):
                translator.translate("organisation", name)
        for value in (date(2026, 11, 23), "2026-11-23", "2026年11月23日"):
            assert fields["effective_from"].parse(translator.translate("effective_from", value)) == date(2026, 11, 23)
        for word in ("county", "County"):
            assert translator.translate("level", word) == "county"


# ---- files are kept for a time


def grown_old(county: County, days: int) -> int:
    """Let the sweep pass by so many days later; gives how many files it erased."""
    with county.app.app_context(), clock.moved(timedelta(days=days)):
        return erase_old(transaction)


def test_an_uploaded_file_is_erased_after_the_time_that_the_settings_give_and_its_counts_stay(county: County) -> None:
    bad = [*GOOD, [LIST, "x", "水务", "错行", None]]
    key = upload(county, bad)
    apply(county, key)
    waiting = upload(county, bad)
    start(county, waiting)
    one = newest(county)
    with county.acting(None) as session:
        file_key = session.get_one(Import, key).file_key
    assert grown_old(county, 29) == 0
    assert grown_old(county, 32) == 1, "what waits to be applied keeps its file"
    with county.app.app_context(), viewer.system():
        with county.acting(None) as session:
            wanted = session.scalars(sa.select(Job.arguments).where(Job.name == "delete_file")).all()
        assert [found["file_key"] for found in wanted] == [file_key]
        delete_file(file_key)
        assert not storage().exists(file_key)
        assert storage().exists(one.file_key), "the same file sent twice is two files"
    assert grown_old(county, 32) == 0, "once"
    with county.acting(None) as session:
        left = session.get_one(Import, key)
        assert (left.created, left.refused, left.state) == (3, 1, ImportState.done)
        assert (left.findings, left.differences) == ([], [])
    here = visitor(county, "checklist")
    page = here.get(f"/checklist_item/import/{key}")
    assert page.status_code == 200
    assert f"/checklist_item/import/{key}/errors" not in page.text
    gone = here.get(f"/checklist_item/import/{key}/errors")
    assert gone.status_code == 410
    assert "清单.xlsx" in words_of(gone)


def test_what_was_only_checked_is_erased_too_and_cannot_be_applied_any_more(county: County) -> None:
    with county.acting(None) as session:
        session.add(Setting(county_id=county.id, name="import_retention", value="7 calendar_days"))
    key = upload(county, GOOD)
    assert grown_old(county, 9) == 1
    here = visitor(county, "checklist")
    assert "/apply" not in here.get(f"/checklist_item/import/{key}").text
    here.post(f"/checklist_item/import/{key}/apply")
    assert newest(county).state is ImportState.checked
    assert items(county) == {}
