"""Names of uploaded files: kept as people wrote them, without what deceives a reader or a file system."""

from __future__ import annotations

import unicodedata

from models.attachment import LONGEST_NAME

FORBIDDEN = frozenset('<>:"|?*')
"""What Windows does not take in a name."""

LONGEST_EXTENSION = 10


def clean_name(given: str) -> str:
    """The last part of a path, without control, format and direction characters, without leading and trailing dots; its extension survives
    shortening. Empty where nothing is left.
    """
    last = given.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(
        " " if character in FORBIDDEN else character
        for character in unicodedata.normalize("NFC", last)
        if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    )
    name = " ".join(kept.split()).strip(". ")
    if len(name) <= LONGEST_NAME:
        return name
    stem, extension = split_name(name)
    return (stem[: LONGEST_NAME - len(extension)].rstrip(". ") + extension)[:LONGEST_NAME]


def split_name(name: str) -> tuple[str, str]:
    """(`报告`, `.pdf`): the stem and the extension with its dot; no extension where what follows the last dot is none."""
    stem, dot, extension = name.rpartition(".")
    if not dot or not stem or not extension.isalnum() or not extension.isascii() or len(extension) > LONGEST_EXTENSION:
        return name, ""
    return stem, f".{extension}"


def with_extension(name: str, extensions: tuple[str, ...]) -> str:
    """A name whose extension agrees with the content; the first of the possible ones replaces another."""
    stem, present = split_name(name)
    if present.lower().removeprefix(".") in extensions:
        return name
    if split_name(stem)[1].lower().removeprefix(".") in extensions:
        return stem  # 合同.pdf.exe with the content of a PDF
    ending = f".{extensions[0]}"
    return f"{(stem if present else name)[: LONGEST_NAME - len(ending)]}{ending}"
