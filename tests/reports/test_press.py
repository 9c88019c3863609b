"""The press: what it leaves as it was."""

from __future__ import annotations

import gc

import pytest

import reports
from reports.press import uncollected


@pytest.mark.parametrize("collects", [True, False])
def test_garbage_is_collected_after_a_document_as_before(monkeypatch: pytest.MonkeyPatch, collects: bool) -> None:
    before, seen = gc.isenabled(), []
    monkeypatch.setattr("weasyprint.HTML.write_pdf", lambda *_given, **_named: seen.append(gc.isenabled()) or b"")
    (gc.enable if collects else gc.disable)()
    try:
        sample = reports.KINDS["reminder"].samples["single"].to_json()
        reports.render("reminder", sample)
        assert seen == [False]
        assert gc.isenabled() is collects
    finally:
        (gc.enable if before else gc.disable)()


def test_garbage_is_collected_after_a_document_that_fails() -> None:
    with pytest.raises(RuntimeError), uncollected():
        raise RuntimeError
    assert gc.isenabled()
