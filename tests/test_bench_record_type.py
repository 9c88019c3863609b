"""The comparison of record types counts what stands in the files, on both sides alike."""

from __future__ import annotations

from bench.count_record_type import django_lines, huying_lines
from tests.documented import listing


def test_a_line_is_what_somebody_writes() -> None:
    assert listing.lines("a = 1\n\n# why\n    b = 2\n") == 2


def test_both_sides_count_everything_that_belongs_to_the_type() -> None:
    """The step included; Django's admin, API and template each in a file of its own."""
    ours, theirs = huying_lines(), django_lines()
    assert ours["models/training.py"] > listing.lines(listing.model())
    assert {name.rsplit("/", 1)[1] for name in theirs if "/" in name} == {
        "models.py",
        "admin.py",
        "api.py",
        "hold.html",
    }
    assert sum(ours.values()) * 2 < sum(theirs.values())
