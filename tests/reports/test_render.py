"""The package's front door: same bytes, nothing injected, samples, previews, clear errors."""

import builtins
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import reports
from reports import kind as kind_module
from reports.samples import render_all

SAMPLES = [(kind.name, name) for kind in reports.KINDS.values() for name in kind.samples]
FURTHER_FACES = {
    "call_slip": {"FandolHei"},
    "onsite_record": {"FandolHei"},
    "supervision": {"FandolHei"},
    "conclusion": {"FandolHei"},
    "rectification": {"FandolHei"},
    "approval_sheet": {"FandolHei"},
    "statistics": {"FandolHei", "FandolKai"},
    "criticism": {"FandolHei", "FandolKai"},
}
"""Kinds with headings or marks in 黑体 or 楷体."""
TYPED = ("call_title", "description", "summary", "text")
"""Texts of people, one of which every kind prints."""
INJECTION = '</td><script>alert(1)</script><img src="file:///etc/hostname">{{ 7 * 7 }}【有 x】&amp;'


@pytest.mark.parametrize(("kind", "name"), SAMPLES)
def test_the_same_context_gives_the_same_bytes(sample, kind, name):
    assert reports.render(kind, sample(kind, name)) == reports.render(kind, sample(kind, name))


def test_another_process_gives_the_same_bytes(sample, faces):
    data = sample("reminder", "single")
    program = (
        "import hashlib, json, sys, reports\n"
        "reports.configure([sys.argv[1]])\n"
        "print(hashlib.sha256(reports.render('reminder', json.load(sys.stdin))).hexdigest())\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(faces)],
        input=json.dumps(data),
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(reports.__file__).parents[1],
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )
    assert run.stdout.strip() == hashlib.sha256(reports.render("reminder", data)).hexdigest()


def test_a_changed_context_gives_other_bytes(sample):
    data = sample("reminder", "single")
    before = reports.render("reminder", data)
    data["contact"] = "李芳"
    assert reports.render("reminder", data) != before


@pytest.mark.parametrize(("kind", "name"), SAMPLES)
def test_markup_in_anybodys_text_is_printed_as_text(sample, opened, kind, name):
    data = sample(kind, name)
    target = data["cases"][0] if data.get("cases") and "text" not in data else data
    target[next(name for name in TYPED if name in target)] = INJECTION
    html = reports.render_html(kind, data)
    assert "<script" not in html
    assert "<img" not in html
    text = "".join(page.extract_text() for page in opened(reports.render(kind, data)).pages)
    joined = "".join(text.split())
    assert "<script>alert(1)</script>" in joined
    assert "{{7*7}}" in joined
    assert "&amp;" in joined


def test_markup_in_an_administrators_text_is_printed_as_text(sample):
    html = reports.render_html("reminder", sample("reminder", "single"), texts={"title": "<b>通知</b>{dept}"})
    assert "&lt;b&gt;通知&lt;/b&gt;示范县水利局" in html


def test_render_all_writes_every_sample(tmp_path, opened):
    paths = render_all(tmp_path / "new" / "folder")
    assert [path.name for path in paths] == [f"{kind}-{name}.pdf" for kind, name in SAMPLES]
    for path in paths:
        assert len(opened(path.read_bytes()).pages) >= 1


def test_every_factory_text_fits_every_sample_of_its_kind():
    for kind in reports.KINDS.values():
        kind.check_texts(kind.texts)


@pytest.mark.parametrize(("kind", "name"), SAMPLES)
def test_no_glyph_is_missing_in_any_printed_sample(sample, opened, kind, name):
    chars = [char for page in opened(reports.render(kind, sample(kind, name))).pages for char in page.chars]
    assert not [char["text"] for char in chars if char["text"].startswith("(cid:") or char["text"] == "\ufffd"]
    own = {"FandolFang", "FandolSong"} | FURTHER_FACES.get(kind, set())
    assert {char["fontname"].split("+")[1].split("-")[0] for char in chars} == own


def test_a_missing_system_library_is_named_and_the_preview_still_works(sample, monkeypatch):
    real_import = builtins.__import__

    def without_pango(name, *args, **kwargs):
        if name == "reports.press":
            raise OSError("cannot load library 'libpango-1.0-0'")
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(kind_module, "_press", None)
    monkeypatch.setattr(builtins, "__import__", without_pango)
    with pytest.raises(reports.PressUnavailable, match=r"libpango-1\.0-0"):
        reports.render("reminder", sample("reminder", "single"))
    assert "催办通知单" in reports.render_html("reminder", sample("reminder", "single"))


def test_a_preview_is_complete_by_itself(sample):
    html = reports.render_html("call_slip", sample("call_slip", "closed"))
    assert "<style>" in html
    assert "@page" in html
    assert "http" not in html
