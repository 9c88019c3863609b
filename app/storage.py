"""Where files are kept: a local folder or an S3-compatible store, behind one interface (design, decision 7)."""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import lru_cache
from pathlib import Path

import fsspec
import structlog
from flask import current_app
from flask_babel import lazy_gettext as _l
from fsspec.implementations.local import LocalFileSystem

from models.refusal import Refused

log = structlog.get_logger(__name__)


def content_hash(data: bytes) -> str:
    """The SHA-256 of a content in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def document_key(sha256: str) -> str:
    """The key of a document's bytes: named after their content, so that nothing stored is ever overwritten by something else."""
    return f"documents/{sha256[:2]}/{sha256}.pdf"


class Storage:
    """Files by key under one address. A file is there whole or not at all."""

    def __init__(self, url: str) -> None:
        self._files, root = fsspec.core.url_to_fs(url)
        self._root: str = root.rstrip("/")
        self._local = isinstance(self._files, LocalFileSystem)

    def put(self, key: str, data: bytes) -> None:
        """Store bytes under a key, at once or not at all. Raises OSError where they cannot be kept (disk full, store away)."""
        path = self._path(key)
        if self._local:
            _write_local(Path(path), data)
        else:
            self._files.pipe_file(path, data)

    def get(self, key: str) -> bytes:
        """The bytes of a key. Raises FileNotFoundError where there are none."""
        return bytes(self._files.cat_file(self._path(key)))

    def exists(self, key: str) -> bool:
        return bool(self._files.exists(self._path(key)))

    def delete(self, key: str) -> None:
        """Remove a file; one that is not there is no fault."""
        try:
            self._files.rm_file(self._path(key))
        except FileNotFoundError:
            return

    def _path(self, key: str) -> str:
        """Raises ValueError for a key that would lead out of the storage."""
        parts = key.split("/")
        if any(part in ("", ".", "..") for part in parts) or "\\" in key or "\0" in key:
            raise ValueError(f"not a storage key: {key!r}")
        return f"{self._root}/{key}"


def _write_local(path: Path, data: bytes) -> None:
    """Write beside the place, flush to disk, and move: a crash leaves the old file or the new one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".draft-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class NotKept(Refused):
    """507: the store does not take a file now; nothing was changed."""

    status = 507

    def __init__(self) -> None:
        super().__init__(
            _l(
                "There is no room for this file at the moment. Nothing was changed; please tell the system administrator."
            )
        )


def store(key: str, data: bytes) -> None:
    """Store what a person sent. Raises NotKept, a sentence for that person, where it cannot be kept."""
    try:
        storage().put(key, data)
    except OSError as failure:
        log.error("a file could not be stored", key=key, problem=str(failure))
        raise NotKept from failure


@lru_cache(maxsize=4)
def _opened(url: str) -> Storage:
    return Storage(url)


def storage() -> Storage:
    """The installation's storage, by its setting STORAGE_URL."""
    return _opened(current_app.config["STORAGE_URL"])
