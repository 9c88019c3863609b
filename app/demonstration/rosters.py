"""Who can be reached in the demonstration county: the liaisons, the duty roster of its months week by week, and that of the coming week by nights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from app.demonstration.county import County
from app.demonstration.people import Staff
from models import clock, viewer
from models.calendar import work_calendar
from models.organisation import Organisation
from models.person import Person
from models.roster import DutyShift, Liaison
from models.viewer import Viewer

NIGHTS = 7
WEEK = timedelta(days=7)
NIGHT = timedelta(hours=15)
"""From one working day's end to the next one's beginning."""
ON_CALL = (
    "县公安局", "县交警大队", "县应急局", "县水利局", "县住建局", "县自然资源局", "县生态环境分局", "县消防大队", "县供电公司",
)  # fmt: skip
"""Departments that emergencies need at any hour."""


def fill_past_roster(session: Session, county: County, staff: Staff, start: date, today: date) -> None:
    """The rota of the months in which the calls are played, by which their alarms ring: in the departments that emergencies
    need and in the duty room, for a week each time, up to the evening on which the nights of the coming week begin."""
    evening = _evening(session, county, today)
    weeks = [evening - WEEK * count for count in range((today - start).days // 7 + 1, 0, -1)]
    for organisation in county.departments:
        if organisation.short_name in ON_CALL:
            with viewer.system():
                keeper = staff.officer(organisation.id)
            people = (staff.officer_person(organisation.id), staff.leader_person(organisation.id))
            _enter(session, keeper, [*_shifts(organisation, people, weeks, WEEK)])
    with viewer.system():
        duty = staff.viewer("duty")
    _enter(session, duty, [*_shifts(county.offices["县总值班室"], (staff.person("duty"),), weeks, WEEK)])


def _evening(session: Session, county: County, day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 17, 30, tzinfo=work_calendar(session, county.body.id).zone)


def fill_roster(session: Session, county: County, staff: Staff, today: date) -> None:
    """A liaison of every department and township, and the nights of the coming week for duty room, townships and
    emergency departments, each kept by the organisation itself."""
    calendar = work_calendar(session, county.body.id)
    yesterday = calendar.close_of_day(calendar.move_working_days(today, -1)) - timedelta(minutes=40)
    evening = _evening(session, county, today)
    nights = [evening + timedelta(days=night) for night in range(NIGHTS)]
    room = county.offices["县总值班室"]
    with clock.at(yesterday):
        for organisation in (*county.departments, *county.townships):
            with viewer.system():
                keeper = staff.officer(organisation.id)
            officer, leader = staff.officer_person(organisation.id), staff.leader_person(organisation.id)
            entries: list[DutyShift | Liaison] = [
                Liaison(organisation=organisation, person=officer, phone=officer.phone or "", substitute=leader)
            ]
            if organisation.short_name in ON_CALL or organisation in county.townships:
                entries += _shifts(organisation, (officer, leader), nights, NIGHT)
            _enter(session, keeper, entries)
        with viewer.system():
            duty = staff.viewer("duty")
        _enter(session, duty, [*_shifts(room, (staff.person("duty"),), nights, NIGHT)])


def _shifts(
    organisation: Organisation, people: Sequence[Person], beginnings: Sequence[datetime], length: timedelta
) -> Iterator[DutyShift]:
    """At every beginning one shift for each of the people, in the order of the chain."""
    for begins in beginnings:
        for position, person in enumerate(people, start=1):
            yield DutyShift(
                organisation=organisation,
                person=person,
                phone=person.phone or "",
                begins=begins,
                ends=begins + length,
                position=position,
            )


def _enter(session: Session, keeper: Viewer, entries: Sequence[DutyShift | Liaison]) -> None:
    with viewer.viewing(keeper), session.no_autoflush:
        for entry in entries:
            entry.prepare(session, keeper)
            session.add(entry)
        session.flush()
