"""Applying an import: batch by batch, each one transaction that also moves the import on, under the rights of whoever uploaded the file.

Killed, it goes on with the first row that was not dealt with; delivered twice, the second waits for the row's lock and finds the work done.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import structlog
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app.database import db, transaction
from app.portal.imports.checking import BATCH, MOST_FINDINGS, findings_of, repeated_rows
from app.portal.imports.columns import Row, rows_of
from app.portal.imports.judging import Judge, Verdict
from app.portal.imports.reading import Unreadable, read
from app.portal.rest.writing import OUT_OF_SIGHT, out_of_sight
from app.storage import content_hash, storage
from models import clock, viewer
from models.base import RECORD_TYPES, Record
from models.field import Text
from models.imported import Import, ImportState, locked
from models.person import Person, make_viewer
from models.refusal import Refused
from models.viewer import Viewer

log = structlog.get_logger(__name__)

MOST_FAULTS = 4
"""Unexpected faults after which an import is given up until somebody starts it again."""

BREATH_SECONDS = 0.12
"""Pause between two batches on SQLite."""

CONTRADICTION = _l("This row contradicts another record.")


class Lost(RuntimeError):
    """The import cannot go on at all; the message says why."""


def apply(import_id: int, run: int) -> None:
    """Apply what is left of an import. Does nothing where it was cancelled, ended, or started anew meanwhile."""
    begun = _begin(import_id, run)
    if begun is None:
        return
    imported, person = begun
    try:
        with force_locale(person.locale), viewer.viewing(person):
            judge, rows = _prepared(imported, person)
            skipped = repeated_rows(imported.findings)
            while _batch(import_id, run, judge, rows, skipped):
                _let_others_write()
    except Lost as reason:
        log.warning("an import cannot go on", import_id=import_id, reason=str(reason))
        _give_up(import_id, run, str(reason))
    except Exception:
        _count_fault(import_id, run)
        raise


def _begin(import_id: int, run: int) -> tuple[Import, Viewer] | None:
    """Mark it as running; gives it with the person as he stands today."""
    with viewer.system(), transaction() as session:
        imported = locked(session, import_id)
        if imported is None or imported.run != run or not imported.may_cancel:
            return None
        person = session.get_one(Person, imported.person_id)
        looking = make_viewer(session, person, address=imported.address)
        if not person.active:
            looking = Viewer(looking.person_id, looking.name, None, "", None, frozenset(), frozenset(), frozenset())
        imported.state = ImportState.running
        if imported.started_at is None:
            imported.started_at = clock.now()
        session.flush()
        session.refresh(imported, ["findings"])
        session.expunge(imported)
        return imported, looking


def _prepared(imported: Import, person: Viewer) -> tuple[Judge, list[Row]]:
    """The judge and the rows. Raises Lost."""
    model = RECORD_TYPES[imported.record_type]
    if not (person.may("can_import", model.__name__) and person.may("can_add", model.__name__)):
        raise Lost(_("The person who uploaded the file may not import records of this type any more."))
    try:
        data = storage().get(imported.file_key)
    except FileNotFoundError:
        raise Lost(_("The file is no longer there. Please upload it again.")) from None
    if content_hash(data) != imported.sha256:
        raise Lost(_("The stored file was altered. Please upload it again."))
    try:
        sheet = read(data)
        return Judge(model, person, spreadsheet=sheet.spreadsheet), rows_of(sheet, model)
    except Unreadable as reason:
        raise Lost(str(reason.message)) from reason


def _batch(import_id: int, run: int, judge: Judge, rows: Sequence[Row], skipped: set[int]) -> bool:
    """Deal with the next rows in one transaction; whether there are more."""
    with transaction() as session:
        with viewer.system():
            imported = locked(session, import_id)
        if imported is None or imported.run != run or imported.state is not ImportState.running:
            return False
        batch = rows[imported.done_rows : imported.done_rows + BATCH]
        verdicts = _settled(session, judge, [row for row in batch if row.number not in skipped])
        with viewer.system(on_behalf_of=judge.person):
            _move_on(session, imported, judge, verdicts, len(batch))
            if imported.done_rows < len(rows):
                return True
            imported.finish(session, ImportState.done)
    return False


def _let_others_write() -> None:
    """SQLite has one writer at a time, and those who wait look only every tenth of a second."""
    if db.engine.dialect.name == "sqlite":
        time.sleep(BREATH_SECONDS)


def _move_on(session: Session, imported: Import, judge: Judge, verdicts: Sequence[Verdict], count: int) -> None:
    counts = dict.fromkeys(("new", "changed", "unchanged", "wrong"), 0)
    for verdict in verdicts:
        counts[verdict.outcome] += 1
    imported.created += counts["new"]
    imported.changed += counts["changed"]
    imported.same += counts["unchanged"]
    imported.refused += counts["wrong"] + count - len(verdicts)
    numbers = {verdict.row.number for verdict in verdicts}
    now = [one for verdict in verdicts if verdict.outcome == "wrong" for one in findings_of(judge, verdict)]
    before = imported.findings
    kept = [one for one in before if one["row"] not in numbers]
    if now or len(kept) != len(before):
        imported.findings = sorted([*kept, *now], key=lambda one: one["row"])[:MOST_FINDINGS]
    imported.done_rows += count
    imported.faults = 0
    session.flush()


def _settled(session: Session, judge: Judge, rows: Sequence[Row]) -> list[Verdict]:
    """Judge rows and write those that are right. Wrong ones leave nothing behind: the others are then judged again without them."""
    left = list(rows)
    wrong: list[Verdict] = []
    while left:
        savepoint = session.begin_nested()
        verdicts = judge.judge(session, left)
        refused = [verdict for verdict in verdicts if verdict.outcome == "wrong"]
        if not refused:
            try:
                session.flush()
                refused = _hidden(session, judge.model, verdicts)
            except OperationalError:
                raise
            except (DBAPIError, StaleDataError, Refused) as failure:
                savepoint.rollback()
                return [*wrong, *_halved(session, judge, left, failure)]
        if not refused:
            savepoint.commit()
            return [*wrong, *verdicts]
        savepoint.rollback()
        wrong += refused
        numbers = {verdict.row.number for verdict in refused}
        left = [row for row in left if row.number not in numbers]
    return wrong


def _hidden(session: Session, model: type[Record], verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The rows whose record its writer would not see, now wrong."""
    written = {verdict.record.id: verdict for verdict in verdicts if verdict.outcome in ("new", "changed")}
    hidden = [written[key] for key in out_of_sight(session, model, written)]
    for verdict in hidden:
        verdict.outcome, verdict.errors = "wrong", {"": [OUT_OF_SIGHT]}
    return hidden


def _halved(session: Session, judge: Judge, rows: Sequence[Row], failure: Exception) -> list[Verdict]:
    """The database, or a rule that is looked at before saving, refused something among these rows: find it by halves."""
    if len(rows) == 1:
        return [Verdict(rows[0], errors=_sentences(failure))]
    middle = len(rows) // 2
    return [*_settled(session, judge, rows[:middle]), *_settled(session, judge, rows[middle:])]


def _sentences(failure: Exception) -> dict[str, list[Text]]:
    """By the field that is wrong; of the whole row under the empty name."""
    if isinstance(failure, StaleDataError):
        return {"": [_l("Somebody else changed this record at the same moment.")]}
    if isinstance(failure, Refused):
        return {name: list(found) for name, found in failure.errors.items()} or {"": [failure.message]}
    return {"": [CONTRADICTION]}


def _give_up(import_id: int, run: int, reason: str) -> None:
    with viewer.system(), transaction() as session:
        imported = locked(session, import_id)
        if imported is not None and imported.run == run and imported.may_cancel:
            told: dict[str, Any] = {"row": 0, "column": "", "text": reason, "repeated": False}
            imported.findings = [told, *(one for one in imported.findings if one["row"])]
            imported.finish(session, ImportState.failed)


def _count_fault(import_id: int, run: int) -> None:
    """Remember an unexpected fault; after too many of them in a row the import is given up."""
    with viewer.system(), transaction() as session:
        imported = locked(session, import_id)
        if imported is None or imported.run != run:
            return
        imported.faults += 1
        too_many = imported.faults >= MOST_FAULTS
    if too_many:
        _give_up(
            import_id, run, _("An unexpected fault occurred several times; it has been noted. Please tell the office.")
        )
