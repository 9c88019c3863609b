"""Periods that leaders look at: a month, quarter, half-year or year of the calendar."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

Kind = Literal["month", "quarter", "half", "year"]
MONTHS: dict[Kind, int] = {"month": 1, "quarter": 3, "half": 6, "year": 12}
_WRITTEN = re.compile(r"(20\d\d)(?:-(?:Q([1-4])|H([12])|(0[1-9]|1[0-2])))?", re.ASCII)


def moved(month: date, by: int) -> date:
    """The first day of the month so many months later or earlier."""
    year, place = divmod(month.year * 12 + month.month - 1 + by, 12)
    return date(year, place + 1, 1)


@dataclass(frozen=True)
class Period:
    """Whole months, from the first on."""

    kind: Kind
    first: date

    @classmethod
    def of(cls, day: date, kind: Kind) -> Period:
        """The period of a kind that a day lies in."""
        months = MONTHS[kind]
        return cls(kind, date(day.year, (day.month - 1) // months * months + 1, 1))

    @classmethod
    def parse(cls, text: str) -> Period:
        """From its form in addresses: `2026-11`, `2026-Q4`, `2026-H2`, `2026`. Raises ValueError for anything else."""
        found = _WRITTEN.fullmatch(text)
        if found is None:
            raise ValueError(f"no period: {text[:20]}")
        year, quarter, half, month = (int(part) if part else 0 for part in found.groups())
        if quarter:
            return cls("quarter", date(year, 3 * quarter - 2, 1))
        if half:
            return cls("half", date(year, 6 * half - 5, 1))
        return cls("month", date(year, month, 1)) if month else cls("year", date(year, 1, 1))

    @property
    def months(self) -> int:
        return MONTHS[self.kind]

    @property
    def last(self) -> date:
        """First day of its last month."""
        return moved(self.first, self.months - 1)

    @property
    def place(self) -> int:
        """Which one of its year it is, from 1."""
        return (self.first.month - 1) // self.months + 1

    @property
    def before(self) -> Period:
        return Period(self.kind, moved(self.first, -self.months))

    @property
    def after(self) -> Period:
        return Period(self.kind, moved(self.first, self.months))

    def text(self) -> str:
        """As it stands in addresses."""
        year = str(self.first.year)
        return {
            "month": f"{year}-{self.first.month:02d}",
            "quarter": f"{year}-Q{self.place}",
            "half": f"{year}-H{self.place}",
            "year": year,
        }[self.kind]
