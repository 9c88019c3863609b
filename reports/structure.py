"""The levels of an official text, read from its own numbering (GB/T 9704, 7.3.3): 一、 in Hei, （一） in Kai, all else FangSong.

Clerks write plain lines; nobody marks headings by hand. A numbered line without a full stop is a heading. One that
begins with a short sentence and goes on after its full stop has that sentence as heading, run in.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Level = Literal["", "first", "second"]

_NUMBERED: tuple[tuple[Level, re.Pattern[str]], ...] = (
    ("first", re.compile(r"[一二三四五六七八九十]+、")),
    ("second", re.compile(r"（[一二三四五六七八九十]+）")),
)
LONGEST_HEADING = 60
"""Characters; what is longer, or has a comma beside quoted names, is a sentence that happens to be numbered."""
_QUOTED = re.compile(r"[“《][^”》]*[”》]")


@dataclass(frozen=True)
class Paragraph:
    """A paragraph: its heading in the face of its level, and the text that follows in the same lines."""

    heading: str
    text: str
    level: Level = ""

    @property
    def alone(self) -> bool:
        """Whether the heading has its lines to itself."""
        return bool(self.heading) and not self.text


def structured(text: str) -> Iterator[Paragraph]:
    """The paragraphs of a text, one for each line that is not empty."""
    for line in text.splitlines():
        if line := line.strip():
            yield _paragraph(line)


_FIGURES = "零一二三四五六七八九"


def numeral(number: int) -> str:
    """`三`, `十`, `十二`, `二十一`: a number below a hundred in Chinese figures."""
    tens, ones = divmod(number, 10)
    return f"{'' if tens == 1 else _FIGURES[tens] if tens else ''}{'十' if tens else ''}{_FIGURES[ones] if ones or not tens else ''}"


def renumbered(text: str) -> str:
    """A text whose headings count on without gaps, after parts of it were left out."""
    first = second = 0
    lines = []
    for line in text.splitlines():
        for level, pattern in _NUMBERED:
            numbered = pattern.match(line)
            if numbered is None:
                continue
            if level == "first":
                first, second = first + 1, 0
                line = f"{numeral(first)}、{line[numbered.end() :]}"
            else:
                second += 1
                line = f"（{numeral(second)}）{line[numbered.end() :]}"
            break
        lines.append(line)
    return "\n".join(lines)


def _paragraph(line: str) -> Paragraph:
    for level, pattern in _NUMBERED:
        numbered = pattern.match(line)
        if numbered is not None:
            sentence, stop, rest = line.partition("。")
            heading = f"{sentence}{stop}" if rest else line
            plain = not any(mark in _QUOTED.sub("", heading) for mark in "，；：")
            if plain and len(heading) - numbered.end() <= LONGEST_HEADING and (rest or not stop):
                return Paragraph(heading, rest, level)
    return Paragraph("", line)
