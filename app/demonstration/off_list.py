"""What stands beside the list: steps of its matters, a proposal to revise it, applications for off-list matters, a report of one handed down.

Everything after the list itself is done through the workflow, by the people who would do it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.demonstration.county import County
from app.demonstration.matters import FOLDER
from app.demonstration.people import Staff
from models import clock, viewer
from models.admission import CONTENT, Admission, AdmissionKind
from models.base import Record
from models.calendar import work_calendar
from models.checklist import ChecklistItem
from models.checklist_revision import ChecklistRevision, RevisionReason
from models.hand_down_report import HandDownReport
from models.viewer import Viewer
from models.workflow import perform

WRITTEN = tuple(name for name in CONTENT if name != "kind")
"""What an application says in texts and numbers."""


def read_off_list() -> Mapping[str, Any]:
    """The stored texts."""
    found: Mapping[str, Any] = json.loads((FOLDER / "off_list.json").read_text(encoding="utf-8"))
    return found


class OffList:
    """Performs the stored stories within the month before `today`, at instants that depend on that day alone."""

    def __init__(
        self, session: Session, county: County, items: Mapping[int, ChecklistItem], staff: Staff, today: date
    ) -> None:
        self.session = session
        self.county = county
        self.items = items
        self.staff = staff
        self.calendar = work_calendar(session, county.body.id)
        days = [today - timedelta(days=back) for back in range(1, 60)]
        self.days = [day for day in days if self.calendar.is_working_day(day)]
        self.stored = read_off_list()

    def run(self) -> None:
        """Perform everything that is stored."""
        for place, story in enumerate(self.stored["admissions"]):
            self._admission(story, place)
        self._revision(self.stored["revision"])
        self._report(self.stored["report"])

    # Time and people

    def _at(self, working_days_back: int, minute: int) -> datetime:
        """An instant in office hours, so many working days before today and minutes after opening."""
        opening = self.calendar.spans(self.days[working_days_back - 1])[0][0]
        return self.calendar.advance(opening, timedelta(minutes=minute, seconds=17))

    def _officer(self, department: str) -> Viewer:
        return self.staff.officer(self.county.department(department).id)

    def _write(self, who: Viewer, record: Any, at: datetime) -> Any:
        with clock.at(at), viewer.viewing(who):
            record.prepare(self.session, who)
            self.session.add(record)
            self.session.flush()
        return record

    def _perform(self, who: Viewer, record: Record, name: str, at: datetime, **values: Any) -> None:
        with clock.at(at), viewer.viewing(who):
            perform(self.session, type(record), record.id, name, values)

    # Stories

    def _admission(self, story: Mapping[str, Any], place: int) -> None:
        officer = self._officer(story["department"])
        townships = [self.county.townships[number - 1].id for number in story["townships"]]
        begin = {"in_force": 18, "approval": 13, "consulting": 3}[story["course"]]
        admission = self._write(
            officer,
            Admission(
                kind=AdmissionKind(story["kind"]), townships=townships, **{name: story[name] for name in WRITTEN}
            ),
            self._at(begin, 20 + place),
        )
        staffing, legal, leader = (self.staff.viewer(name) for name in ("checklist", "legal", "leader"))
        self._perform(officer, admission, "submit", self._at(begin, 55 + place))
        self._perform(staffing, admission, "consult", self._at(begin, 190 + place), townships=townships)
        with viewer.system():
            opinions = {one.township_id: one for one in admission.opinions}
        for number, (township, (answer, text)) in enumerate(zip(townships, story["opinions"], strict=False)):
            who = self.staff.leader(township)
            moment = self._at(begin - 1 - number % 2, 60 + 75 * number)
            self._perform(who, opinions[township], "opine", moment, answer=answer, text=text)
        if story["course"] == "consulting":
            return
        self._perform(staffing, admission, "to_legal", self._at(begin - 3, 40))
        self._perform(legal, admission, "pass", self._at(begin - 5, 130), text=story["legal_opinion"])
        if story["course"] == "in_force":
            self._perform(leader, admission, "approve", self._at(begin - 6, 300))

    def _revision(self, story: Mapping[str, Any]) -> None:
        officer = self._officer(story["department"])
        item = self.items[story["item"]]
        revision = ChecklistRevision(
            checklist_id=item.checklist_id,
            item_id=item.id,
            reason=RevisionReason(story["reason"]),
            **{name: story[name] for name in ("name", "basis", "text")},
        )
        self._write(officer, revision, self._at(4, 100))
        self._perform(officer, revision, "submit", self._at(4, 112))

    def _report(self, story: Mapping[str, Any]) -> None:
        township = self.county.townships[story["township"] - 1]
        officer = self.staff.officer(township.id)
        report = HandDownReport(
            department_id=self.county.department(story["department"]).id,
            handed_down_on=self.days[6],
            **{name: story[name] for name in ("name", "description", "evidence")},
        )
        self._write(officer, report, self._at(6, 200))
        self._perform(officer, report, "submit", self._at(6, 209))
        self._perform(self.staff.viewer("checklist"), report, "check", self._at(5, 33))
