"""What an uploaded file is, by its content: an allow-list. Whatever its name says, anything else is refused."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

import filetype
from flask_babel import lazy_gettext as _l

from app.portal.attaching.names import split_name
from models.field import Text

OFFICE = "application/vnd.openxmlformats-officedocument"


@dataclass(frozen=True)
class Kind:
    """A kind of file that is taken: its content type, and the extensions that go with it, the usual one first."""

    content_type: str
    extensions: tuple[str, ...]


PDF = Kind("application/pdf", ("pdf",))
PNG = Kind("image/png", ("png",))
JPEG = Kind("image/jpeg", ("jpg", "jpeg"))
WEBP = Kind("image/webp", ("webp",))
DOCX = Kind(f"{OFFICE}.wordprocessingml.document", ("docx",))
XLSX = Kind(f"{OFFICE}.spreadsheetml.sheet", ("xlsx",))
PPTX = Kind(f"{OFFICE}.presentationml.presentation", ("pptx",))
OFD = Kind("application/ofd", ("ofd",))
DOC = Kind("application/msword", ("doc", "wps"))
XLS = Kind("application/vnd.ms-excel", ("xls", "et"))
PPT = Kind("application/vnd.ms-powerpoint", ("ppt", "dps"))
TEXT = Kind("text/plain", ("txt", "csv", "md", "log"))

_BY_MAGIC = {kind.content_type: kind for kind in (PDF, PNG, JPEG, WEBP)}
_PACKED = {"word/document.xml": DOCX, "xl/workbook.xml": XLSX, "ppt/presentation.xml": PPTX, "OFD.xml": OFD}
"""Kinds that are archives, by a member that each must have."""
_COMPOUND = {"WordDocument": DOC, "Workbook": XLS, "Book": XLS, "PowerPoint Document": PPT}
"""Kinds of the older Office and of WPS, by the stream that holds their content."""

_COMPOUND_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MOST_MEMBERS = 5000
_MARKUP = (
    "<!doctype",
    "<html",
    "<head",
    "<body",
    "<svg",
    "<script",
    "<?php",
    "<?xml",
    "<iframe",
    "<object",
    "javascript:",
)
_BEGINNING = 4096
"""Bytes in which the kinds are told apart."""

TAKEN = "pdf, png, jpg, webp, docx, xlsx, pptx, doc, xls, ppt, wps, ofd, txt"
"""What people are told that they can attach."""


class NotTaken(ValueError):
    """A file that is not kept; the message says why and what to do."""

    def __init__(self, message: Text) -> None:
        super().__init__(message)
        self.message = message


def kind_of(data: bytes, name: str) -> Kind:
    """The kind of a file. Raises NotTaken."""
    if not data:
        raise NotTaken(_l("The file is empty."))
    if data.startswith(b"PK"):
        return _archive(data)
    if data.startswith(_COMPOUND_MAGIC):
        return _compound(data)
    found = filetype.guess_mime(data[:_BEGINNING])
    if found in _BY_MAGIC:
        if zipfile.is_zipfile(io.BytesIO(data)):
            raise NotTaken(_l("An archive is hidden in this file. Please save it anew without it."))
        return _BY_MAGIC[found]
    if (
        found is None
        and _reads_as_text(data)
        and split_name(name)[1].lower() in ("", *(f".{one}" for one in TEXT.extensions))
    ):
        return TEXT
    raise _unknown()


def _unknown() -> NotTaken:
    return NotTaken(_l("Files of this kind are not taken. Possible are: %(kinds)s.", kinds=TAKEN))


def _archive(data: bytes) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except Exception as failure:  # zipfile raises what the bytes lead it to
        raise NotTaken(_l("The file is damaged. Please open it once more and save it again.")) from failure
    names = {member.filename for member in members}
    kind = next((kind for member, kind in _PACKED.items() if member in names), None)
    if kind is None or len(members) > _MOST_MEMBERS:
        raise _unknown()
    if any(member.flag_bits & 1 for member in members):
        raise NotTaken(_l("The file is protected by a password. Please save it without one."))
    if any(name.lower().endswith(("vbaproject.bin", ".exe", ".dll", ".js", ".vbs")) for name in names):
        raise NotTaken(_l("The file contains macros or programs. Please save it without them."))
    return kind


def _compound(data: bytes) -> Kind:
    """A file of the older Office. The names of its streams stand in it in UTF-16."""
    if _has_stream(data, "EncryptedPackage"):
        raise NotTaken(_l("The file is protected by a password. Please save it without one."))
    if _has_stream(data, "_VBA_PROJECT"):
        raise NotTaken(_l("The file contains macros or programs. Please save it without them."))
    kind = next((kind for stream, kind in _COMPOUND.items() if _has_stream(data, stream)), None)
    if kind is None:
        raise _unknown()
    return kind


def _has_stream(data: bytes, name: str) -> bool:
    return f"{name}\0".encode("utf-16-le") in data


def _reads_as_text(data: bytes) -> bool:
    """Whether these are plain words in UTF-8: no control characters, no mark-up, no program for a shell."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    if any((ord(character) < 32 and character not in "\r\n\t\f") or ord(character) == 127 for character in text):
        return False
    beginning = text[:_BEGINNING].lower().lstrip()
    return not beginning.startswith("#!") and not any(mark in beginning for mark in _MARKUP)
