"""What stands on each paper: from records to the plain contexts of `reports`."""

from __future__ import annotations

import reports
from models.field import use_text_check


def install(font_dir: str) -> None:
    """Connect the models' wish for papers and printable texts with the reports package."""
    reports.configure(font_dirs=[font_dir])
    use_text_check(reports.missing_glyphs)
