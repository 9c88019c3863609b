"""Import of 10,000 checklist items by Excel (spec 5: checked and previewed ≤ 15 s, applied ≤ 30 s).

`python -m bench.imports` measures on a new SQLite file, with DATABASE_URL set on that (empty) database.
Prints one line for each figure: what, seconds by the clock, seconds of the processor, limit. ROWS sets another number of rows.
"""

from __future__ import annotations

import io
import os
import resource
import sys
import tempfile
import time

import sqlalchemy as sa
from openpyxl import Workbook

ROWS = int(os.environ.get("ROWS", "10000"))
LIMITS = {"checked": 15.0, "applied": 30.0}
LIST = "示范清单（导入）"


def workbook(rows: int, suffix: str = "") -> bytes:
    """Items as a county would send them."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(["Checklist", "Number", "Field", "Matter", "Legal basis", "Remark"])
    for number in range(1, rows + 1):
        basis = f"《中华人民共和国水法》第{number % 80}条、《山东省乡镇人民政府工作条例》第{number % 40}条。" * 3
        sheet.append(
            [LIST, number, f"领域{number % 60}", f"第{number}项事项的巡查与处置{suffix}", basis, f"备注{number}"]
        )
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


class Moment:
    """A point in time, by the clock on the wall and by the processor; on a busy machine they differ."""

    def __init__(self) -> None:
        self.clock = time.perf_counter()
        self.busy = time.process_time()


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="huying-bench-") as folder:
        os.environ["DATA_DIR"] = folder
        return measure()


def measure() -> int:
    from app import create_app
    from app.database import db, transaction
    from app.installation import install
    from app.portal.imports import applying, checking
    from models import viewer
    from models.checklist import Checklist, ChecklistItem, ChecklistLevel
    from models.imported import Import
    from tests.app.imports import grant_import
    from tests.county import found_county

    app = create_app()
    with app.app_context():
        install()
    county = found_county(app)
    grant_import(county)
    with county.acting(None) as session:
        session.add(
            Checklist(county_id=county.id, name=LIST, level=ChecklistLevel.county, owner_id=county.id, edition=9)
        )
    person = county.viewer("checklist")
    failed = False

    def told(what: str, since: Moment, limit: float) -> None:
        nonlocal failed
        seconds, busy = time.perf_counter() - since.clock, time.process_time() - since.busy
        failed = failed or seconds > limit
        print(
            f"{db.engine.dialect.name}: {what}: {seconds:.1f} s, of it {busy:.1f} s of this process (limit {limit:.0f} s)",
            flush=True,
        )

    def run(what: str, data: bytes) -> None:
        started = Moment()
        with viewer.viewing(person):
            key = checking.keep(data, "清单.xlsx", ChecklistItem, person)
        told(f"{what}: {ROWS} rows checked", started, LIMITS["checked"])
        with viewer.system(), transaction() as session:
            session.get_one(Import, key).start(session)
        started = Moment()
        with viewer.system():
            applying.apply(key, 1)
        told(f"{what}: {ROWS} rows applied", started, LIMITS["applied"])
        with viewer.system(), db.session.session_factory() as session:
            one = session.get_one(Import, key)
            print(f"    {one.state.value}: {one.applied()}", flush=True)

    with app.app_context():
        run("new", workbook(ROWS))
        run("the same file again", workbook(ROWS))
        run("every row changed", workbook(ROWS, "（修订）"))
        with viewer.system(), db.session.session_factory() as session:
            assert session.scalar(sa.select(sa.func.count(ChecklistItem.id))) >= ROWS
    print(f"largest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
