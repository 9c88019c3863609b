"""How a score is worked out: a pure function of weights, marks and rates (2.8).

Everything is calculated with exact fractions and rounded once, half up, where it is written down: the same data give the same score to the
last digit, in whatever order they come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from models.call_indicators import Rate

SHOWN = 4
"""Decimals of an interim result."""
TOTAL = 2
"""Decimals of a score."""


@dataclass(frozen=True)
class Line:
    """An indicator as it counts: `weight` of 100, `full_score` the scale on which its own result is told."""

    key: int
    name: str
    evaluator: str
    weight: Decimal
    full_score: Decimal
    least: int = 1
    """Fewer evaluators, or fewer counted cases, are not compared."""


@dataclass(frozen=True)
class Mark:
    """An evaluator's mark from 0 to 100, and how much it weighs among the others."""

    mark: Decimal
    weight: int = 1


@dataclass(frozen=True)
class Worked:
    """A score with its calculation: one entry for each line, as it is kept and shown."""

    total: Decimal | None
    """Of 100; None where nothing could be compared."""
    lines: tuple[dict[str, Any], ...]


def rounded(value: Fraction, places: int) -> Decimal:
    """A fraction as a decimal with so many places, half up, exactly."""
    scaled = value * 10**places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole).scaleb(-places)


def work_out(lines: Sequence[Line], marks: Mapping[int, Sequence[Mark]], rates: Mapping[int, Rate]) -> Worked:
    """The score of one assessed organisation.

    A line with too few evaluators or cases is left out, and the weights of the others make up the hundred. Of marks only the
    average is kept, never one evaluator's (no retaliation, spec 1).
    """
    entries = []
    points, compared = Fraction(0), Fraction(0)
    for line in lines:
        entry = _by_rate(line, rates[line.key]) if line.key in rates else _by_marks(line, marks.get(line.key, ()))
        share: Fraction | None = entry.pop("exact")
        weight = Fraction(line.weight)
        if share is not None:
            points += weight * share
            compared += weight
        entries.append(
            {
                "indicator": line.key,
                "name": line.name,
                "evaluator": line.evaluator,
                "weight": f"{line.weight:.3f}",
                "full_score": f"{line.full_score:.2f}",
                **entry,
                "compared": share is not None,
                "result": None if share is None else str(rounded(Fraction(line.full_score) * share, SHOWN)),
                "points": None if share is None else str(rounded(weight * share, SHOWN)),
            }
        )
    total = rounded(points / compared * 100, TOTAL) if compared else None
    return Worked(total, tuple(entries))


def _by_rate(line: Line, rate: Rate) -> dict[str, Any]:
    """From the calls: numerator and denominator stand beside the result."""
    share = rate.share if rate.denominator >= line.least else None
    numerator = rounded(rate.numerator, 1).normalize()
    return {"numerator": f"{numerator:f}", "denominator": rate.denominator, "exact": share}


def _by_marks(line: Line, given: Sequence[Mark]) -> dict[str, Any]:
    """From the sheets: the weighted average of the marks. Where all weigh nothing, they weigh the same."""
    counted = [one for one in given if one.weight] or [Mark(one.mark) for one in given]
    if len(counted) < max(line.least, 1):
        return {"evaluators": len(counted), "average": None, "exact": None}
    total = sum(one.weight for one in counted)
    average = sum((Fraction(one.mark) * one.weight for one in counted), Fraction(0)) / total
    return {"evaluators": len(counted), "average": str(rounded(average, SHOWN)), "exact": average / 100}
