"""呼应办理情况通报: the figures of a month, quarter, half-year or year, with one page of figures and up to four tables (2.3).

Every number comes finished from a frozen snapshot. Departments stand in their order, townships in theirs with their
workload only; a rate has its counts beside it, and — where there are too few cases to compare.
"""

from dataclasses import dataclass

from reports.context import ContextError, Record
from reports.passage import factory_draft
from reports.redhead import Circular


@dataclass(frozen=True)
class Bar:
    """A bar of a chart: its length in per cent of the scale, and that of the period before; negative where there is none."""

    name: str
    shown: str
    length: float
    before: float


@dataclass(frozen=True)
class HeadFigure(Record):
    """A figure of the first page: ``shown`` with its counts, ``before`` the same of the period before, ``change`` in words.

    ``permille`` and ``permille_before`` draw the bar; -1 where there is no rate.
    """

    name: str
    shown: str
    counts: str
    before: str
    change: str
    permille: int = -1
    permille_before: int = -1


@dataclass(frozen=True)
class LinkTime(Record):
    """How long a party had the matters in hand on average, in minutes of working time, and as it is written."""

    name: str
    minutes: int
    shown: str
    minutes_before: int = -1


@dataclass(frozen=True)
class DepartmentRow(Record):
    """A line of annex 1. ``apart``: run vertically or an enterprise, at the end of the table with counts only."""

    name: str
    lead: str
    cooperating: str
    respond_due: str
    respond_ok: str
    respond_rate: str
    report_due: str
    report_ok: str
    report_rate: str
    no_response: str
    late_response: str
    no_action: str
    evaluated: str
    satisfied: str
    fair: str
    dissatisfied: str
    satisfied_rate: str
    solved_rate: str
    rehandled: str
    extended: str
    returned: str
    remark: str
    apart: bool = False


@dataclass(frozen=True)
class CaseRow(Record):
    """A line of annex 2: a matter with a finding, by its served conclusion."""

    call_no: str
    call_title: str
    dept: str
    limit: str
    actual: str
    overdue: str
    finding: str
    conclusion_number: str
    state: str
    rectify_due: str


@dataclass(frozen=True)
class TownshipRow(Record):
    """A line of annex 3: workload, never a rate."""

    name: str
    calls: int
    emergency: int
    closed: int
    open: int
    long_term: int


@dataclass(frozen=True)
class LongTermRow(Record):
    """A line of annex 4."""

    call_no: str
    call_title: str
    dept: str
    approved: str
    stage: str
    progress: str
    next_day: str
    last_day: str


@dataclass(frozen=True, kw_only=True)
class StatisticsBulletin(Circular):
    """The bulletin with its tables. ``period`` is named as in the title; ``min_n`` cases are needed for a rate."""

    period: str
    previous: str
    frozen_at: str
    min_n: int
    snapshot_hash: str
    heads: tuple[HeadFigure, ...]
    links: tuple[LinkTime, ...]
    problems: tuple[str, ...]
    departments: tuple[DepartmentRow, ...]
    total: DepartmentRow
    cases: tuple[CaseRow, ...]
    townships: tuple[TownshipRow, ...]
    long_terms: tuple[LongTermRow, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.heads:
            raise ContextError("heads", "the page of figures has at least one")

    @property
    def rates(self) -> tuple[Bar, ...]:
        """The rates of this period as bars, those of the one before beside them."""
        return tuple(
            Bar(one.name, one.shown, one.permille / 10, one.permille_before / 10)
            for one in self.heads
            if one.permille >= 0
        )

    @property
    def times(self) -> tuple[Bar, ...]:
        """Where the time went, by party, the longest as long as the scale."""
        longest = max((max(one.minutes, one.minutes_before) for one in self.links), default=0) or 1
        return tuple(
            Bar(one.name, one.shown, 100 * one.minutes / longest, 100 * one.minutes_before / longest)
            for one in self.links
        )

    @property
    def township_total(self) -> TownshipRow:
        rows = self.townships
        return TownshipRow(
            "合计",
            *(
                sum(getattr(row, name) for row in rows)
                for name in ("calls", "emergency", "closed", "open", "long_term")
            ),
        )


STATISTICS_VALUES = {
    "period": "2026年10月",
    "basis": "《山东省乡镇人民政府工作条例》《政府督查工作条例》",
    "from": "10月1日",
    "until": "10月31日",
    "calls": 54,
    "previous": "9月",
    "change_calls": "增加6件",
    "emergency": 5,
    "joint": 12,
    "frozen_at": "2026年11月2日9时00分",
    "closed": 41,
    "open": 8,
    "long_term": 2,
    "declined": 2,
    "decline_reasons": "属于乡镇（街道）自身职权1件、重复呼叫1件",
    "withdrawn": 1,
    "dept_count": 14,
    "assignments": 69,
    "rate_respond": "96.3%",
    "n_respond_ok": 52,
    "n_respond_due": 54,
    "rate_report": "92.2%",
    "n_report_ok": 47,
    "n_report_due": 51,
    "rate_first": "90.2%",
    "n_first": 37,
    "n_closed": 41,
    "mean_respond": "3小时20分钟",
    "mean_report": "3个工作日2小时",
    "evaluated": 47,
    "satisfied": 36,
    "fair": 8,
    "dissatisfied": 3,
    "rate_satisfied": "93.6%（44/47）",
    "rate_solved": "85.1%（40/47）",
    "not_evaluated": 2,
    "accept_late": 1,
    "dispatch_late": 0,
    "office_late": 1,
    "mean_accept": "1小时5分钟",
    "mean_dispatch": "40分钟",
    "offices": "县委办公室、县政府办公室",
    "top_fields": "农田水利（14件）、生态环境（9件）、住房建设（7件）",
    "repeat_items": "“农田水利设施管护”（5件）",
    "good": "县民政局、县教体局",
    "good_depts": "县民政局、县教体局",
    "findings": 2,
    "no_response": 1,
    "no_response_depts": "县水利局",
    "n_no_response": 1,
    "late_response": 1,
    "late_response_depts": "县自然资源局",
    "n_late_response": 1,
    "max_late": "1个工作日1小时",
    "no_action": 1,
    "no_action_depts": "县住建局",
    "n_no_action": 1,
    "late_report": 1,
    "late_report_depts": "县住建局、县交通运输局",
    "n_late_report": 4,
    "orders": 2,
    "order_depts": "县水利局、县自然资源局",
    "rectify_due": "2026年11月13日",
    "report_to": "示范县人民政府督查室",
    "problems": ["“农田水利设施管护”事项反复呼叫5件"],
}
"""What the draft of a statistics bulletin may cite."""

STATISTICS_DRAFTS = {
    "title": "关于{period}“乡呼县应”事项办理情况的通报",
    "text": factory_draft("statistics"),
    "problems": "【每 problems】{problems}\n【止】",
}
