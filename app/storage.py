"""Where bytes are kept: one interface over fsspec, a local folder or S3-compatible by setting (design, decision 7)."""

from __future__ import annotations

import hashlib
import secrets

import fsspec
from flask import current_app


class Storage:
    """Content-addressed files under one root: the same bytes always have the same key, and a key never changes its bytes."""

    def __init__(self, root: str) -> None:
        self.files, self.root = fsspec.core.url_to_fs(root)

    def put(self, folder: str, content: bytes, suffix: str) -> str:
        """Keep bytes and give their key, `documents/ab/abcd….pdf`. Written under another name first, so that a reader never sees half of them."""
        name = hashlib.sha256(content).hexdigest()
        key = f"{folder}/{name[:2]}/{name}{suffix}"
        path = f"{self.root}/{key}"
        if not self.files.exists(path):
            self.files.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
            draft = f"{path}.{secrets.token_hex(4)}"
            with self.files.open(draft, "wb") as file:
                file.write(content)
            self.files.mv(draft, path)
        return key

    def get(self, key: str) -> bytes:
        """The bytes of a key. Raises FileNotFoundError."""
        with self.files.open(f"{self.root}/{key}", "rb") as file:
            content: bytes = file.read()
        return content

    def exists(self, key: str) -> bool:
        return bool(self.files.exists(f"{self.root}/{key}"))

    def delete(self, key: str) -> None:
        self.files.rm(f"{self.root}/{key}")


def storage() -> Storage:
    """The storage of the present application."""
    return Storage(current_app.config["STORAGE_URL"])
