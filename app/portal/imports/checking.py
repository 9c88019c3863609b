"""The check (dry run): every row judged, nothing written but the import itself."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.database import db, reading, transaction
from app.portal import references
from app.portal.imports.columns import rows_of
from app.portal.imports.judging import Judge, Verdict
from app.portal.imports.reading import read
from app.portal.words import kept_text
from app.storage import content_hash, store
from models import changes, clock
from models.base import RECORD_TYPES, Record
from models.imported import Import, ImportState
from models.viewer import Viewer

BATCH = 500
"""Rows judged, and later applied, at once."""

MOST_DIFFERENCES = 50
"""Changed rows that are shown before they are applied."""

MOST_FINDINGS = 5000
"""Errors that are kept; a file with more of them is the wrong file."""


@dataclass
class Checked:
    """What the check found."""

    counts: dict[str, int]
    findings: list[dict[str, Any]]
    differences: list[dict[str, Any]]


def check(data: bytes, model: type[Record], person: Viewer) -> Checked:
    """Judge every row of a file, as this person, who must be looking. Raises Unreadable for a file that cannot be taken."""
    sheet = read(data)
    rows = rows_of(sheet, model)
    judge = Judge(model, person, spreadsheet=sheet.spreadsheet)
    found = Checked({"new": 0, "changed": 0, "unchanged": 0, "wrong": 0}, [], [])
    for start in range(0, len(rows), BATCH):
        # A session of its own, thrown away: nothing of it may ever be flushed, and it holds no lock that keeps others waiting.
        with reading(), db.session.session_factory() as session:
            for verdict in judge.judge(session, rows[start : start + BATCH]):
                _note(session, judge, found, verdict)
    return found


def _note(session: Session, judge: Judge, found: Checked, verdict: Verdict) -> None:
    found.counts[verdict.outcome] += 1
    if verdict.outcome == "wrong":
        found.findings += findings_of(judge, verdict)[: MOST_FINDINGS - len(found.findings)]
    elif verdict.outcome == "changed" and len(found.differences) < MOST_DIFFERENCES:
        found.differences.append(_difference(session, judge, verdict))


def findings_of(judge: Judge, verdict: Verdict) -> list[dict[str, Any]]:
    """The errors of a row, in the language of the person."""
    return [
        {
            "row": verdict.row.number,
            "column": str(judge.fields[name.partition(".")[0]].label) if name.partition(".")[0] in judge.fields else "",
            "text": _of_line(name, str(sentence)),
            "repeated": verdict.repeated,
        }
        for name, sentences in verdict.errors.items()
        for sentence in sentences
    ]


def _of_line(name: str, sentence: str) -> str:
    """A sentence, with the line that it is about: `duties.2.text` is the third."""
    place = name.split(".")[1:2]
    return _("Line %(number)d: %(reason)s", number=int(place[0]) + 1, reason=sentence) if place else sentence


def _difference(session: Session, judge: Judge, verdict: Verdict) -> dict[str, Any]:
    told = []
    for name, values in changes.changes_of(verdict.record).items():
        asked = judge.fields.get(name)
        if asked is None:
            continue
        old, new = (
            _named(session, asked, value) if asked.kind == "reference" else kept_text(asked, value) for value in values
        )
        told.append({"column": str(asked.label), "old": old[:200], "new": new[:200]})
    told += [
        {"column": str(judge.fields[name].label), "old": "", "new": _("Lines change")}
        for name in judge.model.parts
        if name in verdict.row.values and _lines_differ(session, verdict.record, name)
    ]
    return {"row": verdict.row.number, "title": str(verdict.record.title)[:200], "changes": told}


def _lines_differ(session: Session, record: Any, name: str) -> bool:
    return sa.inspect(record).attrs[name].history.has_changes() or any(
        session.is_modified(line) for line in getattr(record, name)
    )


def _named(session: Session, asked: Any, key: Any) -> str:
    if key is None or asked.target not in RECORD_TYPES:
        return ""
    return next((name for _key, name in references.labels(session, asked, [key])), "…")


def keep(data: bytes, file_name: str, model: type[Record], person: Viewer) -> int:
    """Check a file and keep it with what was found; gives the import's id. Raises Unreadable, and NotKept where there is no room."""
    checked = check(data, model, person)
    sha256, token = content_hash(data), secrets.token_hex(16)
    key = f"imports/{token[:2]}/{token}"  # of its own: erasing it must not take the same file from another import
    store(key, data)
    with transaction() as session:
        made = Import(
            county_id=person.county_id,
            person_id=person.person_id,
            record_type=model.resource(),
            file_name=file_name,
            sha256=sha256,
            size=len(data),
            file_key=key,
            state=ImportState.checked,
            made_at=clock.now(),
            address=person.address,
            total=sum(checked.counts.values()),
            to_create=checked.counts["new"],
            to_change=checked.counts["changed"],
            unchanged=checked.counts["unchanged"],
            wrong=checked.counts["wrong"],
            findings=checked.findings,
            differences=checked.differences,
        )
        session.add(made)
        session.flush()
        made.note(session, "check", dict(checked.counts))
        return made.id


def repeated_rows(findings: Sequence[dict[str, Any]]) -> set[int]:
    """Numbers of the rows that repeat another one's record."""
    return {one["row"] for one in findings if one["repeated"]}
