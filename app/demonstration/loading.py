"""Loading the demonstration county into an empty installation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from random import Random

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Session

from app.database import transaction
from app.demonstration.agencies import Agencies
from app.demonstration.assessment import Assessment
from app.demonstration.bulletins import MonthlyBulletins
from app.demonstration.calls import Calls
from app.demonstration.canned import enter_canned_texts
from app.demonstration.county import County, found_county, put_list_in_force, set_up
from app.demonstration.courses_beside import BesideCourses
from app.demonstration.courses_department import DepartmentCourses
from app.demonstration.courses_long import LongCourses
from app.demonstration.courses_office import OfficeCourses
from app.demonstration.matters import read_library
from app.demonstration.off_list import OffList
from app.demonstration.people import NotInstalled, Staff, settle_people
from app.demonstration.plan import MONTHS, months_before, plan_calls
from app.demonstration.rosters import fill_past_roster, fill_roster
from app.demonstration.supervision import SupervisionOffice
from models import clock, viewer
from models.calendar import work_calendar
from models.event import Event
from models.notification import Demonstration
from models.organisation import Organisation
from models.worktime import UnknownYear, WorkCalendar

TOLD = timedelta(days=2)
"""Events of so long before the end become messages."""


class CannotLoad(RuntimeError):
    """The demonstration county cannot be loaded here; the message says why, in a sentence."""


def load(*, seed: int = 2026, today: date | None = None, progress: Callable[[str], None]) -> None:
    """Load the demonstration county with the three months of calls that end when `today` begins (default: the day it is where the county lies).

    The same seed and day give the same people, calls, texts and instants. All in one transaction: an interrupted load leaves nothing behind.
    With a `today` that is not the machine's, the demonstration's clock is moved to that day. Raises CannotLoad.
    """
    zone = WorkCalendar().zone
    present = clock.now().astimezone(zone).date()
    today = today or present
    offset = (today - present).total_seconds()
    try:
        with transaction() as session, viewer.system():
            _require_empty(session)
            mark = Demonstration(seed=seed, complete=False, clock_offset=offset)
            session.add(mark)
            session.flush()
            _fill(session, seed, today, progress)
            _leave_old_events_untold(session)
            mark.complete = True
    except NotInstalled as error:
        raise CannotLoad("The database is not prepared. Please run `flask --app app init` first.") from error
    except UnknownYear as error:
        raise CannotLoad(f"No working calendar is known for {error.year}. Please choose a later day.") from error
    progress("The demonstration county is ready.")


def _require_empty(session: Session) -> None:
    """Raise CannotLoad where there is demonstration data already, or a county's real business."""
    if session.scalars(sa.select(Demonstration.id)).first() is not None:
        raise CannotLoad(
            "The demonstration county is already loaded. Start with a new data folder or an empty database to load it again."
        )
    if session.scalars(sa.select(Organisation.id).limit(1)).first() is not None:
        raise CannotLoad(
            "This database already holds organisations. The demonstration county is only loaded into an empty installation."
        )


def _fill(session: Session, seed: int, today: date, progress: Callable[[str], None]) -> None:
    random = Random(seed)
    zone = WorkCalendar().zone
    start = months_before(today, MONTHS)
    founded = datetime.combine(start - timedelta(days=30), time(9), tzinfo=zone)
    with clock.at(founded):
        progress("Organisations and accounts …")
        county = found_county(session)
        set_up(session, county, range(founded.year, today.year + 2))
        people = settle_people(session, county, random, current_app.config["DEMO_PASSWORD"], founded)
        staff = Staff(session, people)
        agencies = Agencies(session, county, staff, people, Random(seed + 1))
        agencies.found()
        progress("The county's list of 57 matters …")
        items = put_list_in_force(session, county, founded.year)
        enter_canned_texts(session, staff)
        fill_past_roster(session, county, staff, start, today)
    library = read_library()
    planned = plan_calls(work_calendar(session, county.body.id), today, library, county.places, random)
    progress(f"Three months of calls: {len(planned)} matters from {len(county.townships)} townships …")
    OffList(session, county, items, staff, today).run()
    calls = Calls(session, county.body.id, library, items, _departments(county), staff, random)
    for courses in (OfficeCourses, DepartmentCourses, LongCourses, BesideCourses):
        courses(calls)
    MonthlyBulletins(session, county, staff).plan(calls.at, start, today)
    calls.run(planned, datetime.combine(today, time(0), tzinfo=zone), _weekly(progress))
    progress("The year's assessment …")
    assessment = Assessment(session, county, staff, random)
    with clock.at(founded):
        assessment.begin(today.year)
    assessment.collect(today)
    progress("Stationed agencies and personnel consultations …")
    agencies.work(today)
    progress("Supervision, duty roster and liaisons …")
    SupervisionOffice(session, county, staff, today).run()
    fill_roster(session, county, staff, today)


def _leave_old_events_untold(session: Session) -> None:
    """Only the last days' events become messages: nobody begins with months of them unread."""
    newest = session.scalar(sa.select(sa.func.max(Event.at)))
    if newest is not None:
        session.execute(sa.update(Event).where(Event.at < newest - TOLD).values(relayed_at=Event.at))


def _departments(county: County) -> dict[str, Organisation]:
    return {one.name: one for one in county.departments}


def _weekly(progress: Callable[[str], None]) -> Callable[[datetime], None]:
    """Tell of each week begun, so that whoever waits sees it move."""
    zone = WorkCalendar().zone
    told: set[tuple[int, int]] = set()

    def tell(instant: datetime) -> None:
        day = instant.astimezone(zone).date()
        week = day.isocalendar()[:2]
        if week not in told:
            told.add(week)
            progress(f"  the week of {day - timedelta(days=day.weekday()):%Y-%m-%d} …")

    return tell
