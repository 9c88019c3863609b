"""呼应办理情况通报: the figures of a month, quarter, half-year or year, with one page of figures and up to four tables (2.3).

Every number comes finished from a frozen snapshot. Departments stand in their order, townships in theirs with their
workload only; a rate has its counts beside it, and — where there are too few cases to compare.
"""

from dataclasses import dataclass

from reports.context import ContextError, Record
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
    "text": """为推动“乡呼县应、上下联动”工作机制落到实处，切实为基层解难题、减负担，根据{basis}和我县有关规定，现将{period}“乡呼县应”事项办理情况通报如下。
一、总体情况
（一）呼叫和办结。{from}至{until}，全县受理乡镇（街道）呼叫{calls}件，比{previous}{change_calls}；其中紧急呼叫{emergency}件，需两个以上部门共同办理{joint}件。截至{frozen_at}，已办结{closed}件，正在办理{open}件，转长期办理{long_term}件。【有 withdrawn】乡镇（街道）撤回{withdrawn}件。【止】不予受理{declined}件【有 declined】，主要原因为{decline_reasons}【止】。
（二）部门响应和反馈。共向{dept_count}个部门派发{assignments}件次。按时响应率{rate_respond}（{n_respond_ok}/{n_respond_due}），按期反馈率{rate_report}（{n_report_ok}/{n_report_due}），一次办结率{rate_first}（{n_first}/{n_closed}）；平均响应用时{mean_respond}，平均反馈用时{mean_report}。
（三）乡镇（街道）评价。已评价{evaluated}件次，满意{satisfied}件次、基本满意{fair}件次、不满意{dissatisfied}件次，满意率{rate_satisfied}；评价问题已解决的占{rate_solved}。未评价{not_evaluated}件次。
（四）受理派发环节。受理超时{accept_late}件、派发超时{dispatch_late}件，平均受理用时{mean_accept}、派发用时{mean_dispatch}。【有 office_late】上述超时由{offices}负责整改。【止】
（五）呼叫集中的事项。呼叫较多的领域依次为{top_fields}；反复呼叫的事项为{repeat_items}。
【有 good】二、办理较好的部门
{good_depts}响应及时、办理扎实，本期应响应、应反馈事项全部按时完成，乡镇（街道）评价较好。
【止】三、存在的主要问题
【有 findings】经平台记录比对、督查机构核实，并听取有关部门说明，认定以下问题：
【有 no_response】（一）不响应。{no_response_depts}共{n_no_response}件次，派发后未与乡镇（街道）联系或者到场，经催办、督办仍未响应。
【止】【有 late_response】（二）迟响应。{late_response_depts}共{n_late_response}件次，超过规定时限响应【有 max_late】，最长超时{max_late}【止】。
【止】【有 no_action】（三）响应不作为。{no_action_depts}共{n_no_action}件次，响应后未采取实际措施、反馈内容与核查情况不符或者两次办理后经核查仍未履行应尽职责。
【止】【有 late_report】（四）反馈超期。{late_report_depts}共{n_late_report}件次，超过规定时限反馈办理情况。
【止】【止】【无 findings】本期未发现不响应、迟响应和响应不作为问题。
【止】四、有关要求
【有 orders】（一）限期整改。责令{order_depts}对附件2所列问题逐件整改，于{rectify_due}前办理到位，并向{report_to}书面报告整改情况。逾期未整改或者整改不实的，按规定进一步督查。
【止】（二）依单履职。各部门要按照责任清单承担主体责任，接到派发指令后主动与乡镇（街道）对接；确不属于本部门职责的，按程序申请退单，不得推诿，不得以属地管理为名把职责范围内的工作交由乡镇（街道）承担。
（三）减轻基层负担。整改由责任部门承担，不得要求乡镇（街道）代为整改、代写材料、补充留痕资料或者更改评价；本通报不要求乡镇（街道）报送材料。""",
    "problems": "【每 problems】{problems}\n【止】",
}
