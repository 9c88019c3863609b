"""What stands on each paper: from records to the plain contexts of `reports`."""

from __future__ import annotations

from pathlib import Path

import reports
from app.papers import call_slip, onsite_record, reminder, supervision
from models.field import use_text_check
from models.paper import use_composer

FREE_FACES = Path(__file__).resolve().parents[2] / "var" / "fonts" / "fandol"
"""Where set-up puts the free official faces."""


def install(font_dir: str) -> None:
    """Connect the models' wish for papers and printable texts with the reports package."""
    reports.configure(font_dirs=[font_dir, FREE_FACES])
    use_text_check(reports.missing_glyphs)
    use_composer("reminder", reminder.compose)
    use_composer("call_slip", call_slip.compose)
    use_composer("onsite_record", onsite_record.compose)
    use_composer("supervision", supervision.compose)
