"""What stands on each paper: from records to the plain contexts of `reports`."""

from __future__ import annotations

from pathlib import Path

import reports
from app.papers import bulletin, call_slip, conclusion, onsite_record, rectification, reminder, statistics, supervision
from models.field import use_text_check
from models.paper import use_composer, use_drafter

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
    use_composer("verification", conclusion.verification)
    use_composer("conclusion", conclusion.conclusion_paper)
    use_composer("superior_letter", conclusion.superior_letter)
    use_composer("review_decision", conclusion.review_decision)
    use_composer("rectification", rectification.compose)
    use_composer("criticism", bulletin.criticism)
    use_composer("statistics", statistics.compose)
    use_composer("correction", bulletin.correction)
    use_composer("approval_sheet", bulletin.approval_sheet)
    use_drafter("criticism", bulletin.draft_criticism)
    use_drafter("statistics", statistics.draft)
