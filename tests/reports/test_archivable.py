"""PDF files that can be kept and read aloud: the rules of PDF/UA-1 that a program can check (spec 3, metadata and tags)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from fontTools.ttLib import TTFont
from pdfua import Severity, validate

import reports

SAMPLES = [(kind.name, name) for kind in reports.KINDS.values() for name in kind.samples]


@pytest.fixture(scope="module")
def printed() -> dict[tuple[str, str], bytes]:
    return {(kind, name): reports.render(kind, reports.KINDS[kind].samples[name].to_json()) for kind, name in SAMPLES}


@pytest.mark.parametrize("which", SAMPLES, ids="-".join)
def test_a_paper_breaks_no_rule_that_a_program_can_check(
    printed: dict[tuple[str, str], bytes], which: tuple[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "paper.pdf"
    path.write_bytes(printed[which])
    found = validate(path).findings
    assert [one.message for one in found if one.severity is Severity.ERROR] == []


@pytest.mark.parametrize("which", SAMPLES, ids="-".join)
def test_every_sign_is_found_by_its_number_in_the_embedded_face(
    printed: dict[tuple[str, str], bytes], which: tuple[str, str]
) -> None:
    """A face cut so that its numbers move shows nothing in readers that go by the standard, whatever others draw."""
    programs = 0
    with pikepdf.open(io.BytesIO(printed[which])) as paper:
        for one in paper.objects:
            if not isinstance(one, pikepdf.Dictionary) or "/FontFile3" not in one:
                continue
            programs += 1
            with TTFont(io.BytesIO(one["/FontFile3"].read_bytes())) as face:
                named: Any = face.getGlyphOrder()
            moved = [(place, name) for place, name in enumerate(named) if name[:3] == "cid" and int(name[3:]) != place]
            assert moved == []
    assert programs


@pytest.mark.parametrize("which", [one for one in SAMPLES if one[0] in ("approval_sheet", "reminder")], ids="-".join)
def test_what_stands_in_a_form_is_read_with_its_name(
    printed: dict[tuple[str, str], bytes], which: tuple[str, str]
) -> None:
    with pikepdf.open(io.BytesIO(printed[which])) as paper:
        cells = [one for one in paper.objects if isinstance(one, pikepdf.Dictionary) and str(one.get("/S")) == "/TD"]
        assert cells
        assert all(len(one["/A"]["/Headers"]) for one in cells)
