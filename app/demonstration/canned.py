"""Canned texts of some organisations: what they write again and again."""

from __future__ import annotations

import json

from sqlalchemy.orm import Session

from app.demonstration.matters import FOLDER
from app.demonstration.people import Staff
from models import viewer
from models.canned_text import CannedText


def enter_canned_texts(session: Session, staff: Staff) -> None:
    """Each is entered by an officer of the organisation."""
    for entry in json.loads((FOLDER / "canned.json").read_text(encoding="utf-8")):
        keeper = staff.viewer(entry["account"])
        with viewer.viewing(keeper):
            for name, text in entry["texts"]:
                one = CannedText(name=name, text=text)
                one.prepare(session, keeper)
                session.add(one)
            session.flush()
