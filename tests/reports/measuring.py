"""What a printed page is measured by: millimetres, ink, rules."""

from __future__ import annotations

import re
from typing import Any

import pytest

MM = 25.4 / 72
RED = (0xE6 / 255, 0, 0)
LINE = 28.99 * MM
"""The pitch of the grid of 22 lines."""


def text_of(page: Any) -> str:
    """The text of a page without any space."""
    return re.sub(r"\s", "", page.extract_text())


def flat(pdf: Any) -> str:
    return "".join(text_of(page) for page in pdf.pages)


def is_red(one: Any) -> bool:
    return bool(one["non_stroking_color"] == pytest.approx(RED, abs=0.01))


def ink(page: Any, chars: list[Any]) -> tuple[float, float]:
    """Where the ink of characters begins and ends, millimetres from the top of the page."""
    scale = 20
    image = page.to_image(resolution=25.4 * scale).original.convert("L")
    columns = range(round(min(c["x0"] for c in chars) * MM * scale), round(max(c["x1"] for c in chars) * MM * scale))
    top, bottom = min(c["top"] for c in chars) * MM * scale, max(c["bottom"] for c in chars) * MM * scale
    rows = [y for y in range(round(top) - 20, round(bottom) + 20) if any(image.getpixel((x, y)) < 160 for x in columns)]
    return rows[0] / scale, (rows[-1] + 1) / scale


def chars_of(page: Any, text: str) -> list[Any]:
    """The characters of the first place where a text stands on one line."""
    return list(page.search(re.escape(text))[0]["chars"])


def rules(page: Any, least: float = 150) -> list[dict[str, Any]]:
    """Horizontal rules at least so many millimetres wide, from the top down, in millimetres; `red` says whether they are."""
    found = [one for one in page.rects + page.lines if one["width"] * MM > least and one["height"] * MM < 3]
    return [
        {**{name: one[name] * MM for name in ("top", "bottom", "x0", "x1", "height")}, "red": is_red(one)}
        for one in sorted(found, key=lambda one: one["top"])
    ]
