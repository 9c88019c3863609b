"""Files beside records (2.1: attach): who attaches and who gets them, what is taken by its content, names made safe, nothing half done."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from app.jobs import background, tasks
from app.portal.attaching.content import (
    DOC,
    DOCX,
    JPEG,
    OFD,
    PDF,
    PNG,
    PPT,
    PPTX,
    TEXT,
    WEBP,
    XLS,
    XLSX,
    NotTaken,
    kind_of,
)
from app.portal.attaching.names import clean_name, with_extension
from models import clock
from models.attachment import REMOVABLE, Attachment
from models.checklist import Checklist
from models.event import Event
from models.notification import Job
from tests.app.portal.api_client import Api
from tests.app.visitor import Visitor, program, set_clock, visitor, words_of
from tests.conftest import Installation
from tests.county import County

PDF_BYTES = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
PNG_BYTES = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + b"\0" * 40


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """Nothing here depends on the database."""
    sqlite_installation.fresh("county")
    return sqlite_installation


def packed(*members: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in members:
            archive.writestr(name, b"<x/>")
    return out.getvalue()


def compound(*streams: str) -> bytes:
    return (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + b"".join(f"{one}\0".encode("utf-16-le") for one in streams)
    )


def send(here: Visitor, call_id: int, *files: tuple[bytes, str], note: str = "") -> TestResponse:
    given = [(io.BytesIO(data), name) for data, name in files]
    return here.post(f"/call/{call_id}/attachments", {"file": given, "note": note})


def attachments(county: County) -> list[tuple[str, str]]:
    with county.acting(None) as session:
        return [(one.name, one.content_type) for one in session.scalars(sa.select(Attachment).order_by(Attachment.id))]


def keys(county: County) -> list[int]:
    with county.acting(None) as session:
        return list(session.scalars(sa.select(Attachment.id).order_by(Attachment.id)))


def stored(county: County) -> set[str]:
    from pathlib import Path

    folder = Path(county.app.config["STORAGE_URL"]) / "attachments"
    return {path.name for path in folder.rglob("*") if path.is_file()}


# ---- content and names


TAKEN = [
    (PDF_BYTES, PDF),
    (PNG_BYTES, PNG),
    (b"\xff\xd8\xff\xe0\0\x10JFIF\0" + b"\0" * 20, JPEG),
    (b"RIFF\x24\0\0\0WEBPVP8 " + b"\0" * 20, WEBP),
    (packed("[Content_Types].xml", "word/document.xml"), DOCX),
    (packed("xl/workbook.xml"), XLSX),
    (packed("ppt/presentation.xml"), PPTX),
    (packed("OFD.xml", "Doc_0/Document.xml"), OFD),
    (compound("Root Entry", "WordDocument"), DOC),
    (compound("Workbook"), XLS),
    (compound("PowerPoint Document"), PPT),
    ("现场情况：已处置。\n".encode(), TEXT),
    ("\ufeff带标记的文本".encode(), TEXT),
]


@pytest.mark.parametrize(("data", "kind"), TAKEN, ids=[kind.extensions[0] for _data, kind in TAKEN])
def test_what_is_taken_is_known_by_its_content(data: bytes, kind: Any) -> None:
    assert kind_of(data, "无关") == kind


REFUSED = {
    "nothing": (b"", "空.pdf"),
    "program": (b"MZ" + b"\0" * 200, "说明.pdf"),
    "elf": (b"\x7fELF" + b"\0" * 200, "说明.docx"),
    "html": (b"<!DOCTYPE html><html><script>alert(1)</script>", "说明.txt"),
    "html as pdf": (b"<html>%PDF-1.7", "说明.pdf"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "图.png"),
    "xml": (b'<?xml version="1.0"?><a/>', "a.txt"),
    "shell": (b"#!/bin/sh\nrm -rf /\n", "a.txt"),
    "php": ("你好 <?php system(1);".encode(), "a.txt"),
    "script by its name": (b"Get-Process", "a.ps1"),
    "batch by its name": (b"del *.*", "a.bat"),
    "not utf-8": ("现场".encode("gb18030"), "a.txt"),
    "control characters": (b"a\x00b\x07", "a.txt"),
    "archive": (packed("a.txt"), "a.zip"),
    "jar": (packed("META-INF/MANIFEST.MF", "A.class"), "a.docx"),
    "macros": (packed("word/document.xml", "word/vbaProject.bin"), "a.docx"),
    "program inside": (packed("word/document.xml", "word/embeddings/a.exe"), "a.docx"),
    "old macros": (compound("WordDocument", "_VBA_PROJECT"), "a.doc"),
    "encrypted": (compound("EncryptionInfo", "EncryptedPackage"), "a.docx"),
    "other compound": (compound("Root Entry"), "a.msi"),
    "cut archive": (packed("word/document.xml")[:60], "a.docx"),
    "picture with an archive behind it": (PNG_BYTES + packed("A.class"), "a.png"),
    "pdf with an archive behind it": (PDF_BYTES + packed("A.class"), "a.pdf"),
    "pdf behind something": (b"junk\n" + PDF_BYTES, "a.pdf"),
    "gif": (b"GIF89a" + b"\0" * 40, "a.gif"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_whatever_its_name(what: str) -> None:
    with pytest.raises(NotTaken):
        kind_of(*REFUSED[what])


def test_names_are_made_safe_and_agree_with_the_content() -> None:
    assert clean_name("../../etc/passwd") == "passwd"
    assert clean_name("C:\\用户\\桌面\\关于河道的报告.pdf") == "关于河道的报告.pdf"
    assert clean_name("报告\u202efdp.exe") == "报告fdp.exe", "no character that turns the reading direction"
    assert clean_name("报\x00告\r\n\x1b[31m.pdf") == "报告[31m.pdf"
    assert clean_name("..") == ""
    assert clean_name(" . ") == ""
    assert clean_name("a\ud800.pdf") == "a.pdf"
    assert clean_name('a<b>"c"|d?*.pdf') == "a b c d .pdf"
    long = clean_name("长" * 300 + ".docx")
    assert len(long) == 120
    assert long.endswith("长.docx")
    assert len(with_extension("长" * 120, ("pdf",))) == 120
    assert with_extension("合同.pdf.exe", ("pdf",)) == "合同.pdf"
    assert with_extension("合同.PDF", ("pdf",)) == "合同.PDF"
    assert with_extension("合同.exe", ("pdf",)) == "合同.pdf"
    assert with_extension("图.jpeg", ("jpg", "jpeg")) == "图.jpeg"
    assert with_extension("第1.2节", ("pdf",)) == "第1.2节.pdf"


# ---- the story of a call's files


def test_files_are_attached_shown_saved_and_told_on_the_timeline(county: County) -> None:
    call_id, *_ = county.dispatched("department1")
    here = visitor(county, "township1")
    form = here.get(f"/call/show/{call_id}").text
    assert 'enctype="multipart/form-data"' in form
    answer = send(here, call_id, (PDF_BYTES, "../现场勘查 报告.pdf"), (PNG_BYTES, "照片.exe"), note="第一次勘查")
    assert answer.status_code == 302
    assert attachments(county) == [("现场勘查 报告.pdf", "application/pdf"), ("照片.png", "image/png")]
    first, _second = keys(county)

    page = here.get(f"/call/show/{call_id}")
    assert page.text.count(f"/call/attachments/{first}") == 0
    assert page.text.count(f'href="/call/{call_id}/attachments/{first}"') == 2, "below the timeline and on it"
    assert "第一次勘查" in words_of(page)
    other = visitor(county, "department1")
    found = other.get(f"/call/{call_id}/attachments/{first}")
    assert found.data == PDF_BYTES
    assert found.headers["Content-Type"] == "application/pdf"
    assert found.headers["Content-Disposition"].startswith('attachment; filename="file.pdf"; filename*=UTF-8')
    assert unquote(found.headers["Content-Disposition"]).endswith("现场勘查 报告.pdf")
    assert found.headers["X-Content-Type-Options"] == "nosniff"
    policy = found.headers["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "no-store" in found.headers["Cache-Control"]
    with county.acting(None) as session:
        events = session.scalars(sa.select(Event).where(Event.name == "attach")).all()
        assert [(one.thread_type, one.thread_id, one.actor_id) for one in events] == [
            ("call", call_id, county.people["township1"])
        ] * 2
        assert set(events[0].digests) == {"file", "sha256", "size", "text"}


def test_the_record_s_own_visibility_decides_who_gets_a_file(county: County) -> None:
    call_id, *_ = county.dispatched("department1")
    foreign = county.submitted("township2")
    send(visitor(county, "township1"), call_id, (PDF_BYTES, "a.pdf"))
    key = keys(county)[0]
    for name in ("township2", "department2", "township9", "sysadmin"):
        here = visitor(county, name)
        assert here.get(f"/call/{call_id}/attachments/{key}").status_code in (403, 404), name
        assert send(here, call_id, (PDF_BYTES, "b.pdf")).status_code in (403, 404), name
        assert here.post(f"/call/{call_id}/attachments/{key}/remove").status_code in (403, 404), name
    mine = visitor(county, "township2")
    assert mine.get(f"/call/{foreign}/attachments/{key}").status_code == 404, "not by way of another record"
    assert mine.get(f"/call/{foreign}/attachments/{2**70}").status_code == 404
    assert visitor(county, "township1").get(f"/call/{call_id}/attachments/{key + 1}").status_code == 404
    assert len(keys(county)) == 1


def test_who_only_reads_gets_files_and_attaches_none(county: County) -> None:
    """The city reader sees the calls of the counties below."""
    call_id, *_ = county.dispatched("department1")
    send(visitor(county, "township1"), call_id, (PDF_BYTES, "a.pdf"))
    reader = visitor(county, "city")
    page = reader.get(f"/checklist_item/show/{county.items[1]}")
    assert page.status_code == 200
    assert "/attachments" not in page.text
    answer = reader.post(f"/checklist_item/{county.items[1]}/attachments", {"file": (io.BytesIO(PDF_BYTES), "a.pdf")})
    assert answer.status_code == 403


def test_a_refused_file_keeps_the_others_out_and_the_note_in_the_form(county: County) -> None:
    call_id = county.submitted()
    here = visitor(county, "township1")
    before = stored(county)
    answer = send(here, call_id, (PDF_BYTES, "好.pdf"), (b"MZ\0\0", "坏.pdf"), note="附两件")
    assert answer.status_code == 422
    assert "坏.pdf" in words_of(answer)
    assert 'value="附两件"' in answer.text
    assert send(here, call_id).status_code == 422, "no file"
    assert send(here, call_id, (b"", "")).status_code == 422, "no name and nothing in it"
    assert send(here, call_id, (PDF_BYTES, "a.pdf"), note="长" * 201).status_code == 422
    assert send(here, call_id, *[(PDF_BYTES, "a.pdf")] * 11).status_code == 422
    assert send(here, call_id, (PDF_BYTES, "")).status_code == 302, "a name is made up"
    assert attachments(county)[0][0].endswith(".pdf")
    assert len(attachments(county)) == 1
    assert len(stored(county) - before) == 1


def test_a_file_that_is_too_large_is_refused(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    call_id = county.submitted()
    monkeypatch.setitem(county.app.config, "ATTACHMENT_LIMIT_MB", 0)
    assert send(visitor(county, "township1"), call_id, (PDF_BYTES, "a.pdf")).status_code == 422
    assert attachments(county) == []


def test_a_full_disk_leaves_nothing_half_done(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    call_id = county.submitted()
    here = visitor(county, "township1")
    before = stored(county)
    from app.storage import Storage

    whole = Storage.put
    count = 0

    def filling(self: Storage, key: str, data: bytes) -> None:
        nonlocal count
        count += 1
        if count == 2:
            raise OSError(28, "No space left on device")
        whole(self, key, data)

    with monkeypatch.context() as patched:
        patched.setattr(Storage, "put", filling)
        answer = send(here, call_id, (PDF_BYTES, "a.pdf"), (PNG_BYTES, "b.png"))
    assert answer.status_code == 507
    assert attachments(county) == []
    assert stored(county) == before

    def failing(*_arguments: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr("app.portal.attaching.keeping.attach", failing)
        assert send(here, call_id, (PDF_BYTES, "a.pdf")).status_code == 500
    assert attachments(county) == []
    assert stored(county) == before


def test_whoever_attached_a_file_may_remove_it_for_a_day_and_the_event_stays(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "_app", None)
    background.use(county.app)
    call_id, *_ = county.dispatched("department1")
    here = visitor(county, "township1")
    before = stored(county)
    send(here, call_id, (PDF_BYTES, "误传.pdf"), (PNG_BYTES, "照片.png"))
    first, second = keys(county)
    assert visitor(county, "department1").post(f"/call/{call_id}/attachments/{first}/remove").status_code == 403
    assert here.post(f"/call/{call_id}/attachments/{first}/remove").status_code == 302
    assert keys(county) == [second]
    assert here.get(f"/call/{call_id}/attachments/{first}").status_code == 404
    assert here.post(f"/call/{call_id}/attachments/{first}/remove").status_code == 404
    page = words_of(here.get(f"/call/show/{call_id}"))
    assert page.count("误传.pdf") == 2, "attached and removed stand on the timeline, by name"
    with county.acting(None) as session:
        jobs = session.scalars(sa.select(Job.id).where(Job.name == "delete_file")).all()
    assert len(jobs) == 1
    tasks.run(jobs[0])
    assert len(stored(county) - before) == 1, "its bytes are gone"
    set_clock(county.app, clock.now() + REMOVABLE + timedelta(minutes=1))
    fresh = visitor(county, "township1")
    assert f"/attachments/{second}/remove" not in fresh.get(f"/call/show/{call_id}").text
    fresh.post(f"/call/{call_id}/attachments/{second}/remove")
    assert keys(county) == [second]


def test_files_of_a_deleted_draft_go_with_it(county: County) -> None:
    """SQLite gives the key of the last row to the next one."""
    call_id = county.draft()
    here = visitor(county, "township1")
    send(here, call_id, (PDF_BYTES, "a.pdf"))
    assert here.post(f"/call/delete/{call_id}").status_code == 302
    assert keys(county) == []
    again = county.draft()
    assert "a.pdf" not in here.get(f"/call/show/{again}").text
    with county.acting(None) as session:
        assert session.scalar(sa.select(sa.func.count()).where(Job.name == "delete_file")) == 1


def test_bytes_that_were_altered_in_the_store_are_not_handed_out(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_id = county.submitted()
    here = visitor(county, "township1")
    send(here, call_id, (PDF_BYTES, "a.pdf"))
    monkeypatch.setattr("app.storage.Storage.get", lambda *_arguments: b"altered")
    assert here.get(f"/call/{call_id}/attachments/{keys(county)[0]}").status_code == 500


def test_attachments_by_rest(county: County) -> None:
    call_id = county.submitted()
    mine, other = program(county, "township1"), program(county, "township2")
    address = f"call/{call_id}/attachments"

    def post(by: Any, data: Any) -> TestResponse:
        answer: TestResponse = by.call("POST", address, data=data)
        return answer

    answer = post(mine, {"file": (io.BytesIO(PDF_BYTES), "报告.pdf"), "note": "附报告"})
    assert answer.status_code == 201
    assert answer.json is not None
    key = answer.json["id"]
    listed = mine.get(address).json
    assert listed is not None
    told = listed["result"][0]
    assert (told["id"], told["name"], told["note"], told["size"]) == (key, "报告.pdf", "附报告", len(PDF_BYTES))
    found = mine.get(f"{address}/{key}")
    assert found.data == PDF_BYTES
    assert "sandbox" in found.headers["Content-Security-Policy"]
    refused = post(mine, {"file": (io.BytesIO(b"MZ"), "报告.pdf")})
    assert refused.status_code == 422
    assert set(refused.json or {}) == {"file"}
    assert post(mine, {}).status_code == 422
    assert mine.call("POST", address, data=b"x" * 50).status_code == 422
    assert post(other, {"file": (io.BytesIO(PDF_BYTES), "a.pdf")}).status_code == 404
    assert other.get(address).status_code == 404
    assert other.get(f"{address}/{key}").status_code == 404
    assert mine.get(f"{address}/x").status_code == 404
    paths = (mine.get("_openapi").json or {})["paths"]
    described = next(path for name, path in paths.items() if name.endswith("/call/{pk}/attachments"))
    assert set(described) == {"get", "post"}
    assert "multipart/form-data" in described["post"]["requestBody"]["content"]


@pytest.mark.parametrize("length", [0, 1, 3, 7, 40, 600])
def test_any_bytes_under_any_name_are_taken_or_refused_and_raise_nothing_else(length: int) -> None:
    import random

    chance = random.Random(length)
    for beginning in (
        b"",
        b"PK\x03\x04",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"%PDF-",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF",
        b"\xff\xd8\xff",
        b"<",
        b"\xef\xbb\xbf",
    ):
        for _ in range(20):
            data = beginning + chance.randbytes(length)
            name = "".join(chr(chance.randrange(0x2FFF)) for _ in range(length % 50))
            with suppress(NotTaken):
                kind_of(data, clean_name(name))


def test_beside_reference_data_only_who_may_change_it_attaches(county: County) -> None:
    """Everybody signed in sees an organisation; what stands beside it is its keeper's word."""
    address = f"/organisation/{county['department2']}/attachments"
    for name, may in (("sysadmin", True), ("township1", False), ("department2_leader", False), ("auditor", False)):
        here, given = visitor(county, name), {"file": [(io.BytesIO(PDF_BYTES), "三定.pdf")]}
        assert (f'action="{address}"' in here.get(f"/organisation/show/{county['department2']}").text) == may, name
        assert here.post(address, given).status_code == (302 if may else 403), name
        sent = {"file": [(io.BytesIO(PDF_BYTES), "三定.pdf")]}
        assert Api(county, name).call("POST", address, data=sent).status_code == (201 if may else 403), name
    assert len(attachments(county)) == 2
    shown = visitor(county, "township1").get(f"/organisation/show/{county['department2']}")
    assert "三定.pdf" in words_of(shown), "read by everybody who sees it"


def test_a_list_that_was_approved_takes_no_more_files(county: County) -> None:
    with county.acting(None) as session:
        key = session.scalars(sa.select(Checklist.id)).first()
    sent = {"file": [(io.BytesIO(PDF_BYTES), "依据.pdf")]}
    assert Api(county, "checklist").call("POST", f"/checklist/{key}/attachments", data=sent).status_code == 409


def test_the_key_of_a_removed_file_is_not_used_again(county: County) -> None:
    """The timeline names removed files by their keys; another file must never be opened from there."""
    call_id, *_ = county.dispatched("department1")
    here = visitor(county, "township1")
    send(here, call_id, (PDF_BYTES, "误传.pdf"))
    first = keys(county)[0]
    here.post(f"/call/{call_id}/attachments/{first}/remove")
    send(here, call_id, (PNG_BYTES, "照片.png"))
    assert keys(county) != [first]
    assert f"/attachments/{first}" not in here.get(f"/call/show/{call_id}").text
