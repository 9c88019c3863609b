"""呼应办理情况通报: from the frozen snapshot and the cases cited to the draft and the paper with its tables (2.3; document texts, 1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

import reports
from app.papers.bulletin import circular, matters, names_of, rectify_date, share_text
from app.papers.durations import Ruler
from app.papers.matter import Matter, bare
from app.papers.periods import name_before, period_name
from app.papers.printable import paper
from models import viewer
from models.assessment_formulas import rounded
from models.bulletin import Bulletin, BulletinCase
from models.bulletin_figures import Snapshot, assignments_behind, compared, digest, rate
from models.bulletin_workflow import period_of
from models.calendar import work_calendar
from models.call import Call
from models.call_words import DeclineReason
from models.conclusion import Finding
from models.document import Document
from models.document_text import texts_of
from models.milestone import LongTerm, LongTermState
from models.organisation import Organisation
from models.paper import Paper, platform_office
from models.person import Person
from models.rectification import may_be_ordered
from models.setting import setting
from models.viewer import Viewer
from reports.statistics_context import (
    CaseRow,
    DepartmentRow,
    HeadFigure,
    LinkTime,
    LongTermRow,
    StatisticsBulletin,
    TownshipRow,
)
from reports.wording import date_text, full_instant_text, listing

DECLINED: Final[Mapping[DeclineReason, str]] = {
    DeclineReason.own_power: "属于乡镇（街道）自身职权",
    DeclineReason.litigation: "属于诉讼、信访事项",
    DeclineReason.duplicate: "重复呼叫",
    DeclineReason.classified: "涉密事项",
    DeclineReason.out_of_scope: "不属于呼叫范围",
}
RUN_BY = {"vertical": "垂直管理", "enterprise": "企业"}
RATES = {
    "respond": "按时响应率",
    "report": "按期反馈率",
    "first": "一次办结率",
    "solved": "解决率",
    "satisfied": "满意率",
}
LINKS = {
    "township": "乡镇（补正、评价）",
    "office": "办公室（受理、派发、裁定）",
    "response": "部门（响应）",
    "report": "部门（办理反馈）",
}
NONE = "—"
TOP = 3
GOOD_FROM = 3
"""So many assignments a department must have had to be named as one that handles well."""


class Telling:
    """A snapshot in words."""

    def __init__(self, session: Session, bulletin: Bulletin) -> None:
        assert bulletin.snapshot is not None
        self.session = session
        self.bulletin = bulletin
        self.snapshot: Snapshot = bulletin.snapshot
        self.period = period_of(bulletin)
        self.calendar = work_calendar(session, bulletin.county_id)
        self.ruler = Ruler(self.calendar)
        self.as_of = datetime.fromisoformat(self.snapshot["frozen_at"])

    def calls(self, name: str) -> int:
        return len(self.snapshot["calls"][name])

    def assignments(self, name: str) -> int:
        return len(assignments_behind(self.snapshot, name))

    def share(self, good: int, whole: int, *, counts: bool = True) -> str:
        return share_text(self.session, self.bulletin.county_id, good, whole, counts=counts)

    def mean(self, minutes: int, count: int) -> str:
        return self.ruler.text(minutes // count) if count else NONE

    @property
    def run(self) -> list[dict[str, Any]]:
        """The departments that the county runs."""
        return [row for row in self.snapshot["departments"] if not row["apart"]]

    @property
    def good(self) -> list[str]:
        """Departments that did all in time and left nobody dissatisfied, in their order."""
        named = {one.conclusion.department_id for one in self.bulletin.cases}
        return [
            row["name"]
            for row in self.run
            if row["id"] not in named
            and len(row["rows"]["respond_due"]) >= GOOD_FROM
            and len(row["rows"]["respond_ok"]) == len(row["rows"]["respond_due"])
            and len(row["rows"]["report_ok"]) == len(row["rows"]["report_due"])
            and row["rows"]["evaluated"]
            and not row["rows"]["dissatisfied"]
        ]

    @property
    def late_reports(self) -> list[dict[str, Any]]:
        return [row for row in self.run if row["rows"]["reported_late"]]

    def offices_late(self) -> list[str]:
        """The offices that accepted or dispatched too late, by whoever did it."""
        keys = {key for found in self.snapshot["late"].values() for key in found}
        query = (
            sa.select(Organisation)
            .join(Person, Person.organisation_id == Organisation.id)
            .join(Call, Call.accepted_by_id == Person.id)
            .where(Call.id.in_(keys))
            .order_by(Organisation.order, Organisation.id)
        )
        found = [one.short_name for one in self.session.scalars(query).unique()]
        return found or [platform_office(self.session, self.bulletin.county_id).short_name]

    def problems(self) -> list[str]:
        """Up to three sentences of what stands out, to be edited."""
        found = [f"“{name}”事项反复呼叫{count}件" for name, count in self.snapshot["items"][:1]]
        overdue = len(
            set(assignments_behind(self.snapshot, "report_due")) - set(assignments_behind(self.snapshot, "report_ok"))
        )
        wanted = (
            (overdue, f"反馈超期{overdue}件次"),
            (self.assignments("dissatisfied"), f"乡镇（街道）评价不满意{self.assignments('dissatisfied')}件次"),
            (self._office_late, f"受理、派发超时{self._office_late}件"),
            (self.assignments("rehandled"), f"重新办理{self.assignments('rehandled')}件次"),
        )
        return [*found, *(told for count, told in wanted if count)][:TOP]

    @property
    def _office_late(self) -> int:
        return sum(len(found) for found in self.snapshot["late"].values())

    def values(self) -> dict[str, Any]:
        """What the draft may cite."""
        snapshot, zone = self.snapshot, self.calendar.zone
        cases = matters(self.session, self.bulletin, self.as_of)
        office = self.bulletin.office.name
        ordered = [case.department for case, _one in cases if may_be_ordered(case.department)]
        declined = [f"{DECLINED[DeclineReason(name)]}{count}件" for name, count in snapshot["declined"]]
        respond, report, first = (rate(snapshot, name) for name in ("respond", "report", "first"))
        return {
            **{name: self.calls(name) for name in snapshot["calls"]},
            **{name: self.assignments(name) for name in ("evaluated", "satisfied", "fair", "dissatisfied")},
            **self._findings(cases),
            "period": period_name(self.period),
            "basis": str(setting(self.session, self.bulletin.county_id, "bulletin_basis")),
            "from": _day(self.period.first),
            "until": _day(self.period.last),
            "previous": name_before(self.period),
            "change_calls": _change(self.calls("calls") - snapshot["before"]["calls"]),
            "frozen_at": full_instant_text(self.as_of, zone),
            "decline_reasons": listing(declined),
            "dept_count": sum(
                bool(row["rows"]["lead"] or row["rows"]["cooperating"]) for row in snapshot["departments"]
            ),
            "assignments": self.assignments("lead") + self.assignments("cooperating"),
            "rate_respond": self.share(*respond, counts=False),
            "n_respond_ok": respond[0],
            "n_respond_due": respond[1],
            "rate_report": self.share(*report, counts=False),
            "n_report_ok": report[0],
            "n_report_due": report[1],
            "rate_first": self.share(*first, counts=False),
            "n_first": first[0],
            "n_closed": first[1],
            "mean_respond": self.mean(*snapshot["means"]["response"]),
            "mean_report": self.mean(*snapshot["means"]["report"]),
            "rate_satisfied": self.share(*rate(snapshot, "satisfied")),
            "rate_solved": self.share(*rate(snapshot, "solved")),
            "not_evaluated": self.assignments("not_evaluated"),
            "accept_late": len(snapshot["late"]["acceptance"]),
            "dispatch_late": len(snapshot["late"]["dispatch"]),
            "office_late": self._office_late,
            "mean_accept": self.mean(*snapshot["minutes"]["acceptance"]),
            "mean_dispatch": self.mean(*snapshot["minutes"]["dispatch"]),
            "offices": listing(self.offices_late()),
            "top_fields": listing(f"{name}（{count}件）" for name, count in snapshot["fields"][:TOP]) or "无",
            "repeat_items": listing(f"“{name}”（{count}件）" for name, count in snapshot["items"][:TOP]) or "无",
            "good": listing(self.good),
            "good_depts": listing(self.good),
            "late_report": len(self.late_reports),
            "late_report_depts": listing(row["name"] for row in self.late_reports),
            "n_late_report": sum(len(row["rows"]["reported_late"]) for row in self.late_reports),
            "orders": len(ordered),
            "order_depts": names_of(ordered, short=True),
            "rectify_due": rectify_date(self.bulletin),
            "report_to": office,
            "problems": self.problems(),
        }

    def _findings(self, cases: Sequence[tuple[BulletinCase, Matter]]) -> dict[str, Any]:
        """Findings of served conclusions alone, never a machine's verdict."""
        found: dict[str, Any] = {"findings": len(cases)}
        for finding in (Finding.no_response, Finding.late_response, Finding.no_action):
            mine = [(case, one) for case, one in cases if case.conclusion.finding == finding]
            found[str(finding)] = len(mine)
            found[f"{finding}_depts"] = names_of((case.department for case, _one in mine), short=True)
            found[f"n_{finding}"] = len(mine)
        late = [one for case, one in cases if case.conclusion.finding == Finding.late_response and one.overdue]
        found["max_late"] = max(late, key=lambda one: one.overdue_minutes).overdue if late else ""
        return found

    # The page of figures

    def heads(self) -> Iterator[HeadFigure]:
        before = self.snapshot["before"]
        calls = self.calls("calls")
        yield HeadFigure("受理呼叫", f"{calls}件", "", f"{before['calls']}件", _change(calls - before["calls"]))
        for name, word in RATES.items():
            good, whole = rate(self.snapshot, name)
            good_before, whole_before = before["rates"][name]
            now, then = (
                compared(self.session, self.bulletin.county_id, *one)
                for one in ((good, whole), (good_before, whole_before))
            )
            yield HeadFigure(
                word,
                self.share(good, whole, counts=False),
                f"{good}/{whole}",
                self.share(good_before, whole_before),
                _points(now, then),
                _permille(now),
                _permille(then),
            )

    def links(self) -> Iterator[LinkTime]:
        for name, word in LINKS.items():
            minutes, count = self.snapshot["minutes"][name]
            minutes_before, count_before = self.snapshot["before"]["minutes"][name]
            if count:
                yield LinkTime(
                    word,
                    minutes // count,
                    self.mean(minutes, count),
                    minutes_before // count_before if count_before else -1,
                )

    # The tables

    def departments(self) -> Iterator[DepartmentRow]:
        findings = self._findings_by_department()
        for row in self.snapshot["departments"]:
            yield self._department(
                row["name"], [row], findings.get(row["id"], {}), apart=row["apart"], run_by=row["run_by"]
            )

    def total(self) -> DepartmentRow:
        """The sum of all departments, as the text tells it."""
        together: dict[Finding, int] = {}
        for found in self._findings_by_department().values():
            for finding, count in found.items():
                together[finding] = together.get(finding, 0) + count
        return self._department("合计", self.snapshot["departments"], together)

    def _findings_by_department(self) -> dict[int, dict[Finding, int]]:
        found: dict[int, dict[Finding, int]] = {}
        for case, _one in matters(self.session, self.bulletin, self.as_of):
            assert case.conclusion.department_id is not None
            assert case.conclusion.finding is not None
            mine = found.setdefault(case.conclusion.department_id, {})
            mine[case.conclusion.finding] = mine.get(case.conclusion.finding, 0) + 1
        return found

    def _department(
        self,
        name: str,
        rows: Sequence[Mapping[str, Any]],
        findings: Mapping[Finding, int],
        *,
        apart: bool = False,
        run_by: str = "",
    ) -> DepartmentRow:
        def count(figure: str) -> int:
            return sum(len(row["rows"][figure]) for row in rows)

        def rated(good: int, whole: int) -> str:
            return "" if apart else self.share(good, whole, counts=False)

        return DepartmentRow(
            name=name,
            lead=str(count("lead")),
            cooperating=str(count("cooperating")),
            respond_due=str(count("respond_due")),
            respond_ok=str(count("respond_ok")),
            respond_rate=rated(count("respond_ok"), count("respond_due")),
            report_due=str(count("report_due")),
            report_ok=str(count("report_ok")),
            report_rate=rated(count("report_ok"), count("report_due")),
            no_response=str(findings.get(Finding.no_response, 0)),
            late_response=str(findings.get(Finding.late_response, 0)),
            no_action=str(findings.get(Finding.no_action, 0)),
            evaluated=str(count("evaluated")),
            satisfied=str(count("satisfied")),
            fair=str(count("fair")),
            dissatisfied=str(count("dissatisfied")),
            satisfied_rate=rated(count("satisfied") + count("fair"), count("evaluated")),
            solved_rate=rated(count("solved"), count("evaluated")),
            rehandled=str(count("rehandled")),
            extended=str(count("extended")),
            returned=f"{count('return_upheld')}/{count('return_asked')}",
            remark=RUN_BY.get(run_by, ""),
            apart=apart,
        )

    def cases(self) -> Iterator[CaseRow]:
        for case, one in matters(self.session, self.bulletin, self.as_of):
            ordered = may_be_ordered(case.department)
            assigned = one.assignment is not None
            yield CaseRow(
                call_no=one.call_no,
                call_title=case.conclusion.matter,
                dept=case.department.short_name,
                limit=f"{one.respond_due}\n{one.report_due}" if assigned else "",
                actual=f"{one.responded}\n{one.reported}" if assigned else "",
                overdue=one.overdue,
                finding=one.finding,
                conclusion_number=case.conclusion.number or "",
                state=one.state,
                rectify_due=_day(self.bulletin.rectify_until) if ordered and self.bulletin.rectify_until else "",
            )

    def townships(self) -> Iterator[TownshipRow]:
        for row in self.snapshot["townships"]:
            yield TownshipRow(
                row["name"], *(row[name] for name in ("calls", "emergency", "closed", "open", "long_term"))
            )

    def long_terms(self) -> Iterator[LongTermRow]:
        """The period's calls in long-term handling, with their plan as it stood when the figures were frozen."""

        def came(instant: datetime | None) -> bool:
            return instant is not None and instant <= self.as_of

        query = (
            sa.select(LongTerm)
            .join(Call, Call.id == LongTerm.call_id)
            .where(
                LongTerm.call_id.in_(self.snapshot["calls"]["long_term"]),
                LongTerm.state.in_((LongTermState.approved, LongTermState.completed, LongTermState.ended)),
                LongTerm.decided_at <= self.as_of,
                sa.or_(LongTerm.ended_at.is_(None), LongTerm.ended_at > self.as_of),
            )
            .options(selectinload(LongTerm.milestones))
            .order_by(Call.number)
        )
        for one in self.session.scalars(query):
            following = next((each for each in one.milestones if not came(each.completed_at)), None)
            done = [each for each in one.milestones if came(each.completed_at)]
            last = max((each.day for each in one.milestones), default=None)
            leader = (one.leader.position or "县领导") if one.leader is not None else ""
            decided = date_text(one.decided_at, self.calendar.zone) if one.decided_at is not None else ""
            yield LongTermRow(
                call_no=one.call.number or "",
                call_title=one.call.title,
                dept=one.department.short_name,
                approved=f"{leader}\n{decided}".strip(),
                stage=bare(following.text if following is not None else one.plan),
                progress=bare(done[-1].result) if done else NONE,
                next_day=_day(following.day) if following is not None else NONE,
                last_day=date_text(last) if last is not None else NONE,
            )


def _day(day: date) -> str:
    return f"{day.month}月{day.day}日"


def _change(difference: int) -> str:
    if not difference:
        return "持平"
    return f"{'增加' if difference > 0 else '减少'}{abs(difference)}件"


def _points(now: Fraction | None, then: Fraction | None) -> str:
    """By how much a rate rose or fell, in percentage points; empty where one of the two is not compared."""
    if now is None or then is None:
        return ""
    points = rounded((now - then) * 100, 1)
    if not points:
        return "持平"
    return f"{'升' if points > 0 else '降'}{abs(points)}个百分点"


def _permille(share: Fraction | None) -> int:
    return int(rounded(share * 1000, 0)) if share is not None else -1


def draft(session: Session, bulletin: Bulletin) -> Mapping[str, str]:
    """Title, text and problems of a period, in the county's own wording if it has one."""
    with viewer.system():
        kind = reports.KINDS["statistics"]
        drafted = kind.draft(Telling(session, bulletin).values(), texts_of(session, bulletin.county_id, "statistics"))
        return {"title": drafted["title"], "text": drafted["text"], "highlights": drafted["problems"]}


def compose(session: Session, bulletin: Bulletin, document: Document, reader: Viewer | None) -> Paper:
    """The bulletin with its page of figures and its tables."""
    with viewer.system():
        telling = Telling(session, bulletin)
        assert bulletin.snapshot is not None
        texts = {**reports.KINDS["statistics"].texts, **texts_of(session, bulletin.county_id, "statistics")}
        long_terms = tuple(telling.long_terms())
        context = StatisticsBulletin(
            **circular(session, bulletin, document),
            attachments=tuple(texts[f"annex_{place}"] for place in range(1, 5 if long_terms else 4)),
            period=period_name(telling.period),
            previous=name_before(telling.period),
            frozen_at=full_instant_text(telling.as_of, telling.calendar.zone),
            min_n=int(setting(session, bulletin.county_id, "compared_from")),
            snapshot_hash=digest(bulletin.snapshot)[:8],
            heads=tuple(telling.heads()),
            links=tuple(telling.links()),
            problems=tuple(filter(None, (line.strip() for line in bulletin.highlights.splitlines())))[:TOP],
            departments=tuple(telling.departments()),
            total=telling.total(),
            cases=tuple(telling.cases()),
            townships=tuple(telling.townships()),
            long_terms=long_terms,
        )
        return paper(context, bulletin.title)
