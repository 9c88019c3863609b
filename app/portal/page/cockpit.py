"""The leaders' page: figures with their counts, charts with the table behind each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.portal.page.elements import Link
from app.portal.page.lists import Tab
from app.portal.page.work import Tile, WorkItem
from app.portal.sheet import Block


@dataclass(frozen=True)
class Figure:
    """A rate or a mean, never without what it was counted of."""

    label: str
    value: str
    counts: tuple[Link, ...]
    """Numerator, denominator, what is missing: each opens its rows."""
    change: str = ""
    """Against the period before."""


@dataclass(frozen=True)
class Series:
    """A line or a row of bars; None where nothing is to be drawn."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Chart:
    """What is drawn above a block's table."""

    kind: str
    """line, column, bar"""
    names: Sequence[str]
    series: Sequence[Series]
    unit: str = ""
    words: str = ""
    """What it shows, for whom cannot see it."""

    def plain(self) -> dict[str, Any]:
        """As the script of the page reads it."""
        return {
            "kind": self.kind,
            "names": list(self.names),
            "series": [{"name": one.name, "values": list(one.values)} for one in self.series],
            "unit": self.unit,
        }


@dataclass(frozen=True)
class Panel:
    """A titled part of the page: a chart, and the table behind it."""

    block: Block
    chart: Chart | None = None
    note: str = ""
    folded: bool = False
    """Whether the table is shown only when asked for, and in print."""


@dataclass(frozen=True)
class CockpitPage:
    title: str
    intro: str
    counties: tuple[Tab, ...]
    kinds: tuple[Tab, ...]
    """The lengths of a period."""
    period: str
    previous: Link
    next: Link | None
    tiles: tuple[Tile, ...]
    figures: tuple[Figure, ...]
    panels: tuple[Panel, ...]
    waiting: tuple[WorkItem, ...]
    news: tuple[Link, ...]
    links: tuple[Link, ...] = ()
