"""What the databases refuse by themselves, whatever program writes: served conclusions, submitted bulletins, the roster (2.3)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.database import db
from models.bulletin import Bulletin
from models.roster import DutyShift
from tests.county import MONDAY, County, at
from tests.supervision import SERVED, concluded, drafted, kept


def _write(county: County, statement: str) -> None:
    """Send a statement past the program."""
    with county.app.app_context(), db.engine.begin() as connection:
        connection.execute(sa.text(statement))


def test_the_database_keeps_served_conclusions_submitted_bulletins_and_a_roster_without_overlaps(
    county: County,
) -> None:
    served, open_ = concluded(county), concluded(county, until="found")
    bulletin = drafted(county, [served])
    county.do("supervisor", Bulletin, bulletin, "submit", {}, SERVED)
    draft = drafted(county)
    shift = kept(
        county, DutyShift, "duty", MONDAY, organisation_id=county["office"], person_id=county.people["duty"], phone="1",
        begins=at("2026-11-23 17:30"), ends=at("2026-11-24 08:30"),
    )  # fmt: skip
    later = kept(
        county, DutyShift, "duty", MONDAY, organisation_id=county["office"], person_id=county.people["duty"], phone="1",
        begins=at("2026-11-24 17:30"), ends=at("2026-11-25 08:30"),
    )  # fmt: skip
    stamps = "version, created_at, changed_at"
    for statement in (
        f"UPDATE conclusion SET finding = 'none' WHERE id = {served}",
        f"UPDATE conclusion SET state = 'found' WHERE id = {served}",
        f"DELETE FROM conclusion WHERE id = {served}",
        f"UPDATE bulletin SET text = 'x' WHERE id = {bulletin}",
        f"UPDATE bulletin SET approved_by_id = submitted_by_id WHERE id = {bulletin}",
        f"DELETE FROM bulletin_case WHERE bulletin_id = {bulletin}",
        f"INSERT INTO bulletin_case (bulletin_id, conclusion_id, {stamps}) VALUES ({draft}, {open_}, 1, '2026-11-26', '2026-11-26')",
        f"INSERT INTO bulletin_case (bulletin_id, conclusion_id, {stamps}) VALUES ({bulletin}, {served}, 1, '2026-11-26', '2026-11-26')",
        f"UPDATE duty_shift SET begins = '2026-11-23 10:00:00.000000', ends = '2026-11-25 10:00:00.000000' WHERE id = {shift}",
        f"UPDATE duty_shift SET ends = begins WHERE id = {later}",
    ):
        with pytest.raises(sa.exc.IntegrityError):
            _write(county, statement)
    _write(county, f"UPDATE conclusion SET finding_text = '另述' WHERE id = {open_}")
    _write(county, f"UPDATE conclusion SET revoked_at = served_at WHERE id = {served}")
    with pytest.raises(sa.exc.IntegrityError):
        _write(county, f"UPDATE conclusion SET revoked_at = NULL WHERE id = {served}")
