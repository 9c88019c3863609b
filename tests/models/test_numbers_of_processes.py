"""Fifty bulletins issued at once from several processes: numbers without gap or duplicate, whichever the database (3; 5, Reliability)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from models.bulletin import Bulletin, BulletinCase, BulletinRecipient, BulletinState, Circulation
from models.document import Document
from tests.county import County
from tests.supervision import SERVED, concluded

PROCESSES, EACH = 5, 10
PROGRAM = """
import json, multiprocessing, sys
import app as program
import views
from app.database import db, transaction
from models import clock, viewer
from models.bulletin import Bulletin
from models.person import Person, make_viewer
from models.workflow import perform
from tests.supervision import APPROVED

url, options, leader, shares = json.loads(sys.argv[1])
forked = multiprocessing.get_context("fork")  # the program, pages and all, is imported once and not five times
all_ready = forked.Barrier(len(shares), timeout=120)

def approve(keys):
    application = program.create_app(
        {"TESTING": True, "SQLALCHEMY_DATABASE_URI": url, "SQLALCHEMY_ENGINE_OPTIONS": options}
    )
    with application.app_context():
        with viewer.system(), db.session.session_factory() as session:
            person = make_viewer(session, session.get_one(Person, leader))
        all_ready.wait()
        for key in keys:
            with transaction() as session, clock.at(APPROVED), viewer.viewing(person):
                perform(session, Bulletin, key, "approve", {})

workers = [forked.Process(target=approve, args=(keys,)) for keys in shares]
for one in workers:
    one.start()
for one in workers:
    one.join()
sys.exit(json.dumps([one.exitcode for one in workers]) if any(one.exitcode for one in workers) else 0)
"""


def submitted(county: County, count: int) -> list[int]:
    """Bulletins that wait for approval, as submitting leaves them."""
    conclusion = concluded(county)
    with county.acting(None, SERVED) as session:
        made = [
            Bulletin(
                county_id=county.id,
                office_id=county["supervision"],
                title=f"关于办理不力情况的通报（{place}）",
                text="现将有关情况通报如下。",
                circulation=Circulation.chosen,
                submitted_at=SERVED,
                submitted_by_id=county.people["supervisor"],
                cases=[BulletinCase(conclusion_id=conclusion)],
                recipients=[BulletinRecipient(organisation_id=county["department1"])],
            )
            for place in range(count)
        ]
        session.add_all(made)
        session.flush()
        for one in made:
            one.state = BulletinState.submitted
        session.flush()
        return [one.id for one in made]


def test_fifty_bulletins_issued_at_once_from_several_processes(county: County) -> None:
    keys = submitted(county, PROCESSES * EACH)
    url, options = (county.app.config[f"SQLALCHEMY_{name}"] for name in ("DATABASE_URI", "ENGINE_OPTIONS"))
    shares = [keys[place::PROCESSES] for place in range(PROCESSES)]
    given = json.dumps([url, options, county.people["leader"], shares])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, given],
        cwd=Path(__file__).parents[2],
        stderr=subprocess.PIPE,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with county.acting(None) as session:
        numbers = session.scalars(sa.select(Bulletin.number)).all()
        assert sorted(numbers) == sorted(f"政督〔2026〕{place}号" for place in range(1, PROCESSES * EACH + 1))
        papers = session.scalars(sa.select(Document.number).where(Document.kind == "criticism")).all()
        assert sorted(papers) == sorted(numbers)
