"""The year's assessment in the demonstration county: two schemes published, one run collecting the townships' sheets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.demonstration.county import County
from app.demonstration.people import Staff
from models import clock, viewer
from models.assessment import AssessmentRun, AssessmentScheme, Questionnaire, SchemeKind
from models.base import Record
from models.calendar import work_calendar
from models.organisation import OrganisationKind
from models.workflow import perform

TITLES = {
    SchemeKind.department: "{year}年县直部门综合考核方案（乡呼县应部分）",
    SchemeKind.agency: "{year}年派驻机构考核方案",
}
BASIS = "《山东省乡镇人民政府工作条例》第十八条；《关于厘清县乡职责规范“属地管理”的意见》。"
MARKS = (98, 96, 95, 95, 94, 92, 92, 90, 88, 86, 84, 80, 76)
HANDED_IN = 5
"""So many townships have handed in their sheets."""


class Assessment:
    """Acts as the assessment office and the townships would, at their instants."""

    def __init__(self, session: Session, county: County, staff: Staff, random: Random) -> None:
        self.session = session
        self.county = county
        self.staff = staff
        self.random = random

    def begin(self, year: int) -> None:
        """Publish a scheme for each kind of assessed, with the usual indicators."""
        assessor = self.staff.viewer("assessor")
        for kind, title in TITLES.items():
            with viewer.viewing(assessor):
                scheme = AssessmentScheme(name=title.format(year=year), year=year, kind=kind, basis=BASIS)
                scheme.prepare(self.session, assessor)
                self.session.add(scheme)
                self.session.flush()
            self._do("assessor", AssessmentScheme, scheme.id, "take_usual")
            self._do("assessor", AssessmentScheme, scheme.id, "publish")

    def collect(self, today: date) -> None:
        """Open the year's run of the departments' scheme; some townships fill in their sheets in the days before `today`."""
        calendar = work_calendar(self.session, self.county.body.id)
        handed_out = datetime.combine(calendar.move_working_days(today, -5), time(9, 30), tzinfo=calendar.zone)
        with clock.at(handed_out):
            run = self._open(today.year)
            self._do("assessor", AssessmentRun, run.id, "hand_out")
        sheets = self.session.scalars(
            sa.select(Questionnaire).where(Questionnaire.run_id == run.id).order_by(Questionnaire.organisation_id)
        )
        of_townships = [one for one in sheets if one.organisation.kind == OrganisationKind.township]
        for number, sheet in enumerate(of_townships[:HANDED_IN], start=1):
            with clock.at(calendar.add_minutes(handed_out, 130 * number)):
                self._fill(sheet)

    def _open(self, year: int) -> AssessmentRun:
        scheme = self.session.scalars(
            sa.select(AssessmentScheme).where(
                AssessmentScheme.year == year, AssessmentScheme.kind == SchemeKind.department
            )
        ).one()
        assessor = self.staff.viewer("assessor")
        run = AssessmentRun(
            name=f"{year}年度县直部门考核",
            scheme_id=scheme.id,
            period_from=date(year, 1, 1),
            period_to=date(year, 12, 31),
        )
        with viewer.viewing(assessor):
            run.prepare(self.session, assessor)
            self.session.add(run)
            self.session.flush()
        return run

    def _fill(self, sheet: Questionnaire) -> None:
        """Those whom a township called in the period are marked, and some that it knows otherwise."""
        subjects = list(dict.fromkeys(one.subject_id for one in sheet.marks))
        dealt = {one.subject_id for one in sheet.marks if one.dealings}
        known = dealt | set(self.random.sample(subjects, len(subjects) // 3))
        marks = [
            {"subject": one.subject_id, "indicator": one.indicator_id, "mark": self.random.choice(MARKS)}
            for one in sheet.marks
            if one.subject_id in known
        ]
        officer = self.staff.officer_person(sheet.organisation_id).username
        self._do(officer, Questionnaire, sheet.id, "fill", {"marks": marks})
        signed_by = self.staff.leader_person(sheet.organisation_id).name
        self._do(officer, Questionnaire, sheet.id, "submit", {"signed_by": signed_by})

    def _do(
        self, account: str, model: type[Record], key: int, step: str, values: Mapping[str, Any] | None = None
    ) -> None:
        person = self.staff.viewer(account)
        with viewer.viewing(person):
            perform(self.session, model, key, step, values)
