"""The code of `docs/add-a-record-type.md`, taken out of it letter by letter."""

from __future__ import annotations

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "add-a-record-type.md"


def blocks() -> list[str]:
    """The Python blocks of the page in their order."""
    return re.findall(r"^```python\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.M | re.S)


def model() -> str:
    return blocks()[0]


def view() -> str:
    return blocks()[1]


def registration() -> str:
    return blocks()[2]


def model_with_step() -> str:
    """The model after section 4: states above the class, a column in it, the steps below."""
    head, column, steps = blocks()[3:6]
    before, class_line, rest = model().partition("class Training(CountyRecord):\n")
    inside, classmethod_line, visibility = rest.partition("    @classmethod\n")
    return before + head + class_line + inside + column + classmethod_line + visibility + steps


def lines(code: str) -> int:
    """Lines that somebody has to write: neither empty nor comment."""
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in code.splitlines())
