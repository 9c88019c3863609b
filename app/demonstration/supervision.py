"""What the supervision office made of the last month's late calls, through the workflows themselves: inspections, conclusions in
several states, an issued criticism with its orders, a review."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

import reports
from app.demonstration.county import County
from app.demonstration.people import Staff
from app.storage import content_hash, storage
from models import clock, viewer
from models.attachment import Attachment, attach
from models.base import Record
from models.bulletin import Bulletin, BulletinCase
from models.calendar import work_calendar
from models.call import Assignment, Call
from models.call_words import CallKind, CallState, Mark
from models.conclusion import Conclusion, Finding
from models.document import Document
from models.inspection import Inspection, InspectionCall, InspectionItem, InspectionKind
from models.inspection_queue import queue_of_county
from models.organisation import RunBy
from models.rectification import Rectification
from models.review import ReviewRequest
from models.viewer import Viewer
from models.workflow import perform

KNOWN = 9
"""So many working days ago a delay must have been known to be taken up."""

LOOKED_BACK = 22
"""Older ones were dealt with before."""

EXPLANATIONS = (
    "经办同志当日在外参加防汛会议，未及时登录平台，责任在我局。已调整联络员并安排专人值守。",
    "因科室之间交接不清，未能按时响应，我局已向乡镇说明情况并到现场对接。",
    "我局已于派发当日电话联系乡镇经办人员，因系统操作不熟未在平台登记，请予核实。",
    "该事项涉及权责交叉，研究耗时较长，我局今后先响应、后研究。",
)
REQUIREMENTS = "明确联络员及替补人员，落实首接负责；三日内到现场与乡镇对接并推进办理。"


class SupervisionOffice:
    """Acts after the calls are over, at instants that lie among them."""

    def __init__(self, session: Session, county: County, staff: Staff, today: date) -> None:
        self.session = session
        self.county = county
        self.staff = staff
        self.calendar = work_calendar(session, county.body.id)
        self.today = today

    def at(self, days_ago: int, hour: int, minute: int = 0) -> datetime:
        """A moment of a working day before today; 1 is the last one."""
        day = self.calendar.move_working_days(self.today, -days_ago)
        return datetime(day.year, day.month, day.day, hour, minute, 12, tzinfo=self.calendar.zone)

    def run(self) -> None:
        """Do all of it, in the order of time for each matter."""
        late = self._late()
        with clock.at(self.at(1, 9)), viewer.system():
            queue_of_county(self.session, self.county.body.id, self.at(1, 9))
        self._inspect(late)
        served = [
            self._conclude(one, self._finding(one), text) for one, text in zip(late[:3], EXPLANATIONS, strict=False)
        ]
        for one in late[3:4]:
            self._conclude(one, Finding.none, EXPLANATIONS[2])
        for one, asked in zip(late[4:6], (True, False), strict=False):
            self._begin_conclusion(one, asked=asked)
        if served:
            self._criticise(served[:2])
        for conclusion in served[:1]:
            self._review(conclusion)
        for conclusion in served[1:2]:
            self._uphold(conclusion)
        if served[2:]:
            self._submit_criticism(served[2:], days=1)

    # What there is to look at

    def _late(self) -> list[Assignment]:
        """Assignments answered late or not at all, known long enough; of each department one, those run by the county first."""
        known = self.at(KNOWN, 17)
        with viewer.system():
            found = self.session.scalars(
                sa.select(Assignment)
                .join(Call)
                .where(
                    Call.kind == CallKind.general,
                    Call.state != CallState.withdrawn,
                    Assignment.respond_due.between(self.at(LOOKED_BACK, 9), known),
                    sa.or_(Assignment.responded_at.is_(None), Assignment.responded_at > Assignment.respond_due),
                )
                .order_by(Assignment.id)
            ).all()
            chosen: dict[int, Assignment] = {}
            for one in found:
                if set(one.marks(known)) & {Mark.late_response, Mark.no_response}:
                    chosen.setdefault(one.department_id, one)
            return sorted(chosen.values(), key=lambda one: (one.department.run_by != RunBy.county, one.id))

    def _finding(self, one: Assignment) -> Finding:
        return Finding.no_response if Mark.no_response in one.marks(self.at(KNOWN, 17)) else Finding.late_response

    def _clock_time(self, instant: datetime) -> str:
        local = instant.astimezone(self.calendar.zone)
        return f"{local.month}月{local.day}日{local.hour}时{local.minute:02d}分"

    def _facts(self, one: Assignment) -> str:
        told = (
            f"{self._clock_time(one.assigned_at)}，该事项派发{one.department.short_name}{one.role.label}，"
            f"应于{self._clock_time(one.respond_due)}前响应。"
        )
        if one.responded_at is None:
            return f"{told}经平台催办，至今无响应记录，乡镇反映未接到联系。"
        return f"{told}经平台催办，实际于{self._clock_time(one.responded_at)}响应，超过规定时限。"

    # What is done

    def _perform(self, who: str | Viewer, at: datetime, record: Record, name: str, **values: Any) -> None:
        with viewer.system():
            person = self.staff.viewer(who) if isinstance(who, str) else who
        with clock.at(at), viewer.viewing(person):
            perform(self.session, type(record), record.id, name, values)

    def _save(self, who: str | Viewer, at: datetime, record: Any, **lines: Any) -> Any:
        """As the generic form saves it."""
        with viewer.system():
            person = self.staff.viewer(who) if isinstance(who, str) else who
        with clock.at(at), viewer.viewing(person):
            record.prepare(self.session, person)
            self.session.add(record)
            for name, rows in lines.items():
                setattr(record, name, rows)
            self.session.flush()
        return record

    def _inspect(self, late: list[Assignment]) -> None:
        """One visit that is done, and an unannounced one under way."""
        plans: tuple[tuple[InspectionKind, str, int], ...] = (
            (InspectionKind.open, "查看“{title}”事项响应和现场办理情况", 8),
            (InspectionKind.unannounced, "暗访“{title}”事项现场办理情况", 2),
        )
        for one, (kind, subject, days) in zip(late[:2], plans, strict=False):
            with viewer.system():
                call, department_id = one.call, one.department_id
                lines: dict[str, Any] = {"calls": [InspectionCall(call=call)]}
                if call.checklist_item is not None:
                    lines["items"] = [InspectionItem(item=call.checklist_item)]
                title = call.title
            inspection = self._save(
                "supervisor",
                self.at(days, 8, 50),
                Inspection(subject=subject.format(title=title)[:120], kind=kind, target_id=department_id, planned_on=self.at(days, 9).date()),
                **lines,
            )  # fmt: skip
            self._perform("supervisor", self.at(days, 9, 5), inspection, "begin")
            if kind is InspectionKind.open:
                findings = "现场走访并与乡镇经办人员核对：平台催办后部门才与乡镇联系，首次到现场晚于规定时限。"
                evidence = "平台时间记录；与乡镇经办人员的谈话记录存督查一科。"
                self._perform(
                    "supervisor", self.at(days, 16, 20), inspection, "complete", findings=findings, evidence=evidence
                )

    def _begin_conclusion(self, one: Assignment, *, asked: bool, days: int = 1) -> Conclusion:
        with viewer.system():
            conclusion = Conclusion(
                department_id=one.department_id, call_id=one.call_id, matter=one.call.title, facts=self._facts(one)
            )
        self._save("supervisor", self.at(days, 9, 30), conclusion)
        if asked:
            self._perform("supervisor", self.at(days, 10, 15), conclusion, "ask_explanation")
        return conclusion

    def _conclude(self, one: Assignment, finding: Finding, explanation: str) -> Conclusion:
        """Draft, explanation, finding and service on successive days."""
        conclusion = self._begin_conclusion(one, asked=True, days=8)
        with viewer.system():
            officer = self.staff.officer(one.department_id)
        self._perform(officer, self.at(7, 11, 5), conclusion, "explain", explanation=explanation)
        text = (
            "经查阅通话记录，部门已在时限内电话联系乡镇，属登记不及时，不予认定。"
            if finding is Finding.none
            else f"经平台记录比对、与乡镇核实，并听取说明，认定为{'不响应' if finding is Finding.no_response else '响应超时'}。"
        )
        values = {
            "finding": finding.value,
            "text": text,
            "requirements": "" if finding is Finding.none else REQUIREMENTS,
        }
        self._perform("supervisor", self.at(6, 10, 40), conclusion, "find", **values)
        self._perform("supervisor", self.at(6, 15, 10), conclusion, "serve")
        return conclusion

    def _criticise(self, conclusions: list[Conclusion]) -> None:
        """Submitted, signed on paper by the county's head and entered for him; the orders follow."""
        self._sign(self._submit_criticism(conclusions, days=5), self.at(5, 16, 30))
        self._rectify()

    def _submit_criticism(self, conclusions: list[Conclusion], *, days: int) -> Bulletin:
        """Written from its cases and submitted; the last one waits for the county's head."""
        with viewer.system():
            cases = [BulletinCase(conclusion=one) for one in conclusions]
        bulletin: Bulletin = self._save("supervisor", self.at(days, 9, 20), Bulletin(title="", text=""), cases=cases)
        self._perform("supervisor", self.at(days, 9, 22), bulletin, "write")
        self._perform("supervisor", self.at(days, 10), bulletin, "submit")
        return bulletin

    def _sign(self, bulletin: Bulletin, at: datetime) -> None:
        """The director attaches the scan of the sheet that the county's head signed, and approves for him with its code."""
        with viewer.system():
            director, leader = self.staff.viewer("director"), self.staff.viewer("leader")
            [sheet] = self.session.scalars(
                sa.select(Document).where(Document.kind == "approval_sheet", Document.about_id == bulletin.id)
            )
            data = reports.render("approval_sheet", sheet.context)
        key = f"attachments/{content_hash(data)[:2]}/{content_hash(data)}"
        storage().put(key, data)
        with clock.at(at - timedelta(minutes=5)):
            scan = Attachment(
                name="呈批单签署件（扫描）.pdf",
                content_type="application/pdf",
                size=len(data),
                sha256=content_hash(data),
                file_key=key,
            )
            attach(self.session, bulletin, [scan], director)
        values = {"on_behalf_of": leader.person_id, "return_code": bulletin.return_code}
        self._perform("director", at, bulletin, "approve", **values)

    def _rectify(self) -> None:
        """The first order is put right and verified, the second reported."""
        with viewer.system():
            orders = self.session.scalars(sa.select(Rectification).order_by(Rectification.id)).all()
            officers = [self.staff.officer(one.department_id) for one in orders]
        for place, (order, officer) in enumerate(zip(orders, officers, strict=True)):
            result = "已明确联络员和替补人员，到现场与乡镇对接，问题正在按计划办理；对经办科室进行了提醒。"
            self._perform(officer, self.at(3, 10 + place, 25), order, "report", result=result)
            if place == 0:
                self._perform(
                    "supervisor", self.at(2, 15), order, "verify", remark="经与乡镇核对，整改属实，予以销号。"
                )

    def _uphold(self, conclusion: Conclusion) -> None:
        """A review that is upheld: the mark is taken back, the open order falls, a correction follows the bulletin."""
        with viewer.system():
            officer = self.staff.officer(conclusion.department_id or 0)
            [bulletin] = self.session.scalars(
                sa.select(Bulletin).join(BulletinCase).where(BulletinCase.conclusion_id == conclusion.id)
            )
        grounds = "我局已在时限内到镇政府会商，有会议签到，因平台账号交接未及时登记，请求复核。"
        request = self._save(officer, self.at(3, 9, 30), ReviewRequest(conclusion_id=conclusion.id, grounds=grounds))
        self._perform("supervisor2", self.at(3, 15, 20), request, "examine")
        opinion = "经调取会议签到和镇政府值班记录，该局确已在规定时限内到场会商，仅未在平台登记。"
        self._perform("supervisor2", self.at(2, 10), request, "propose", opinion=opinion)
        reasons = "已在规定时限内与乡镇对接，属登记不及时，原认定不当。"
        self._perform("leader", self.at(2, 16), request, "decide", outcome="upheld", reasons=reasons)
        self._perform("leader", self.at(1, 10, 30), bulletin, "correct")

    def _review(self, conclusion: Conclusion) -> None:
        """The department disputes the finding; the other section examines it."""
        with viewer.system():
            officer = self.staff.officer(conclusion.department_id or 0)
        grounds = "我局在响应时限内已电话联系乡镇党政办，通话记录可查，仅未在平台登记，请求对响应超时的认定予以复核。"
        request = self._save(officer, self.at(3, 14, 30), ReviewRequest(conclusion_id=conclusion.id, grounds=grounds))
        self._perform("supervisor2", self.at(2, 9, 40), request, "examine")
