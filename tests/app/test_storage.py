"""Files are kept whole or not at all, and never outside of the storage."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.storage import Storage, content_hash, document_key


@pytest.fixture(params=["folder", "memory"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return Storage(str(tmp_path / "files") if request.param == "folder" else f"memory://{tmp_path.name}")


def test_what_was_put_is_there_until_it_is_deleted(kept: Storage) -> None:
    key = document_key(content_hash(b"one"))
    assert not kept.exists(key)
    kept.put(key, b"one")
    kept.put(key, b"one")
    assert kept.exists(key)
    assert kept.get(key) == b"one"
    kept.delete(key)
    kept.delete(key)
    assert not kept.exists(key)
    with pytest.raises(FileNotFoundError):
        kept.get(key)


@pytest.mark.parametrize("key", ["../out", "a/../../out", "/etc/passwd", "a//b", "", ".", "a\\b", "a\0b"])
def test_keys_stay_inside(kept: Storage, key: str) -> None:
    with pytest.raises(ValueError, match="storage key"):
        kept.put(key, b"x")


def test_interrupted_write_leaves_the_old_file_and_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Storage(str(tmp_path))
    kept.put("documents/a", b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        kept.put("documents/a", b"new")
    assert kept.get("documents/a") == b"old"
    assert [path.name for path in (tmp_path / "documents").iterdir()] == ["a"]
