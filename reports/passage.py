"""The document texts that administrators may change, and their small notation.

``{name}`` stands for a value; ``【有 x】…【止】`` is printed when x has a value other than 0,
``【无 x】…【止】`` when it has none, ``【每 x】…【止】`` once for each entry of the list x. There is
nothing else: a text is data and cannot run anything, whoever wrote it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, cast

_TOKEN = re.compile(r"\{([^{}]*)\}|【(有|无|每)\s*([^】]*)】|【(止)】")
_DRAFTS = Path(__file__).with_name("drafts")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class PassageError(ValueError):
    """A document text is not well formed or cites something that the document does not have."""


_Kind = Literal["有", "无", "每"]


@dataclass(frozen=True)
class _Value:
    name: str


@dataclass(frozen=True)
class _Block:
    kind: _Kind
    name: str
    parts: tuple["_Part", ...]


_Part = str | _Value | _Block


@dataclass(frozen=True)
class Passage:
    """A parsed text; the same one can be filled with many contexts."""

    parts: tuple[_Part, ...]

    def fill(self, values: Mapping[str, Any]) -> str:
        """The text with its values; :class:`PassageError` names what ``values`` lacks."""
        return "".join(_fill(self.parts, values))


def factory_draft(name: str) -> str:
    """The factory wording of a long text, kept as a file of plain lines in ``drafts/``."""
    return (_DRAFTS / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n")


@lru_cache(maxsize=512)
def parse(text: str) -> Passage:
    """Read ``text``; :class:`PassageError` for an unclosed block or a malformed name."""
    kind: _Kind
    open_blocks: list[tuple[_Kind, str]] = []
    levels: list[list[_Part]] = [[]]
    position = 0
    for token in _TOKEN.finditer(text):
        if token.start() > position:
            levels[-1].append(text[position : token.start()])
        position = token.end()
        value, name, end = token.group(1, 3, 4)
        if value is not None:
            levels[-1].append(_Value(_checked(value)))
        elif end is None:
            kind = cast(_Kind, token[2])
            open_blocks.append((kind, _checked(name.strip())))
            levels.append([])
        elif open_blocks:
            kind, name = open_blocks.pop()
            block = _Block(kind, name, tuple(levels.pop()))
            levels[-1].append(block)
        else:
            raise PassageError("【止】 closes nothing")
    if open_blocks:
        kind, name = open_blocks[-1]
        raise PassageError(f"【{kind} {name}】 is not closed by 【止】")
    if position < len(text):
        levels[-1].append(text[position:])
    return Passage(tuple(levels[0]))


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise PassageError(f"{name!r} is not the name of a placeholder")
    return name


def _look_up(name: str, values: Mapping[str, Any]) -> Any:
    if name not in values:
        raise PassageError(f"this document has no placeholder {{{name}}}")
    return values[name]


def _fill(parts: tuple[_Part, ...], values: Mapping[str, Any]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif isinstance(part, _Value):
            value = _look_up(part.name, values)
            if isinstance(value, list | Mapping):
                raise PassageError(f"{{{part.name}}} is a list; use 【每 {part.name}】")
            yield str(value)
        elif part.kind == "每":
            entries = _look_up(part.name, values)
            if not isinstance(entries, list):
                raise PassageError(f"{part.name} is no list")
            for entry in entries:
                own = entry if isinstance(entry, Mapping) else {part.name: entry}
                yield from _fill(part.parts, {**values, **own})
        elif bool(_look_up(part.name, values)) is (part.kind == "有"):
            yield from _fill(part.parts, values)


def check(text: str, values: Mapping[str, Any]) -> None:
    """Refuse ``text`` unless every placeholder in it, in skipped blocks too, is one of ``values``.

    ``values`` is a sample in which every list has an entry.
    """
    _check(parse(text).parts, values)


def _check(parts: tuple[_Part, ...], values: Mapping[str, Any]) -> None:
    for part in parts:
        if isinstance(part, _Value):
            list(_fill((part,), values))
        elif isinstance(part, _Block):
            found = _look_up(part.name, values)
            inner = values
            if part.kind == "每":
                if not isinstance(found, list):
                    raise PassageError(f"{part.name} is no list")
                for entry in found[:1]:
                    own = entry if isinstance(entry, Mapping) else {part.name: entry}
                    inner = {**values, **own}
            _check(part.parts, inner)
