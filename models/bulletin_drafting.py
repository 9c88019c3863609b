"""Statistics bulletins drafted by themselves after their period, from figures frozen then (2.3)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.automatic import in_every_county
from models.bulletin import Bulletin, BulletinCase, BulletinKind
from models.bulletin_figures import Period
from models.bulletin_workflow import write
from models.calendar import work_calendar
from models.conclusion import Conclusion, ConclusionState, Finding
from models.organisation import Organisation
from models.paper import drafted
from models.person import Person
from models.setting import StatisticsPeriod, setting
from models.workflow import Covered, Step, perform_automatic

MONTHS = {
    StatisticsPeriod.month: 1,
    StatisticsPeriod.quarter: 3,
    StatisticsPeriod.half_year: 6,
    StatisticsPeriod.year: 12,
}
READY_AT = time(8, 30)
"""When a draft lies on the supervisors' desk, county time."""


def draft_statistics(transaction: Callable[[], AbstractContextManager[Session]]) -> int:
    """Draft what is due in every county, each in a transaction of its own; gives the number of drafts. Again it does nothing."""
    return in_every_county(transaction, lambda *given: int(draft_of_county(*given) is not None))


def draft_of_county(session: Session, county_id: int, now: datetime) -> Bulletin | None:
    """The draft of a county's last period, if its day has come and nobody has begun one."""
    office = supervision_office(session, county_id)
    period = period_due(session, county_id, now)
    if period is None or office is None:
        return None
    session.scalars(sa.select(Organisation).where(Organisation.id == office.id).with_for_update()).one()
    present = sa.select(Bulletin.id).where(
        Bulletin.county_id == county_id,
        Bulletin.kind == BulletinKind.statistics,
        Bulletin.period_from == period.first,
        Bulletin.period_to == period.last,
    )
    if session.scalar(present.limit(1)) is not None:
        return None
    bulletin = Bulletin(
        county_id=county_id,
        kind=BulletinKind.statistics,
        office=office,
        period_from=period.first,
        period_to=period.last,
        cases=[BulletinCase(conclusion=one) for one in served_in(session, county_id, period, now)],
    )
    with Covered(session):
        session.add(bulletin)
        session.flush()

    def begin(step: Step) -> None:
        write(session, bulletin, now)
        for name, text in drafted(session, "statistics", bulletin).items():
            setattr(bulletin, name, text)
        step.shown["title"] = bulletin.title

    perform_automatic(session, bulletin, "draft", begin)
    return bulletin


def period_due(session: Session, county_id: int, now: datetime) -> Period | None:
    """The last whole period by the county's setting, from the morning on which its draft is due; None before, or without one."""
    wanted: StatisticsPeriod = setting(session, county_id, "statistics_period")
    if wanted == StatisticsPeriod.never:
        return None
    calendar, count = work_calendar(session, county_id), MONTHS[wanted]
    today = calendar.local_date(now)
    index = today.year * 12 + today.month - 1
    index -= index % 12 % count
    last = date(index // 12, index % 12 + 1, 1) - timedelta(days=1)
    begins = index - count
    ended = calendar.close_of_day(last)
    day = calendar.local_date(calendar.deadline(ended, setting(session, county_id, "statistics_after")))
    if now < datetime.combine(day, READY_AT, tzinfo=calendar.zone):
        return None
    return Period(date(begins // 12, begins % 12 + 1, 1), last)


def supervision_office(session: Session, county_id: int) -> Organisation | None:
    """Where the county's supervisors work."""
    query = (
        sa.select(Organisation)
        .join(Person, Person.organisation_id == Organisation.id)
        .where(Organisation.county_id == county_id, Person.active, Person.roles.any(name="supervisor"))
    )
    return session.scalars(query.order_by(Organisation.order, Organisation.id).limit(1)).first()


def served_in(session: Session, county_id: int, period: Period, now: datetime) -> list[Conclusion]:
    """The conclusions with a fault that were served in a period and still stand."""
    calendar = work_calendar(session, county_id)
    first = datetime.combine(period.first, time(0), tzinfo=calendar.zone)
    end = datetime.combine(period.last + timedelta(days=1), time(0), tzinfo=calendar.zone)
    query = sa.select(Conclusion).where(
        Conclusion.county_id == county_id,
        Conclusion.state == ConclusionState.served,
        Conclusion.revoked_at.is_(None),
        Conclusion.finding != Finding.none,
        Conclusion.served_at >= first,
        Conclusion.served_at < min(end, now),
    )
    return list(session.scalars(query.order_by(Conclusion.id)))
