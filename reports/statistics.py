"""The kind “statistics” with sample bulletins of an invented county: a month with a dozen departments, a year with forty over several pages."""

from typing import Any

from reports.kind import DocumentKind
from reports.passage import parse
from reports.redhead import ADDRESSEES, COPIES
from reports.statistics_context import (
    STATISTICS_DRAFTS,
    STATISTICS_VALUES,
    CaseRow,
    DepartmentRow,
    HeadFigure,
    LinkTime,
    LongTermRow,
    StatisticsBulletin,
    TownshipRow,
)
from reports.structure import renumbered

_DEPARTMENTS = (
    "县委组织部", "县委政法委", "县发展改革局", "县教体局", "县科工信局", "县公安局", "县民政局", "县司法局", "县财政局", "县人社局",
    "县自然资源局", "县住建局", "县交通运输局", "县水利局", "县农业农村局", "县商务局", "县文旅局", "县卫健局", "县退役军人局", "县应急局",
    "县审计局", "县行政审批局", "县市场监管局", "县医保局", "县统计局", "县信访局", "县综合执法局", "县投资促进局", "县乡村振兴局", "县林业局",
    "县畜牧局", "县城管局", "县大数据中心", "县公路中心", "县供销社", "县残联", "县融媒体中心",
)  # fmt: skip
_APART = {"县生态环境分局": "垂直管理", "县税务局": "垂直管理", "县供电公司": "企业"}
_TOWNSHIPS = ("青山街道", "云河镇", "石桥镇", "龙口乡", "柳林镇", "大王庄镇", "双泉镇", "平原乡")


def _rate(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole >= 3 else "—"


def _department(name: str, place: int, *, fault: str = "") -> DepartmentRow:
    apart = name in _APART
    lead, cooperating = 2 + place * 7 % 9, place * 5 % 4
    due = lead + cooperating
    late = 1 if fault else 0
    satisfied, fair, dissatisfied = due - 1 - late, 1, late
    return DepartmentRow(
        name=name,
        lead=str(lead),
        cooperating=str(cooperating),
        respond_due=str(due),
        respond_ok=str(due - late),
        respond_rate="" if apart else _rate(due - late, due),
        report_due=str(due),
        report_ok=str(due - late),
        report_rate="" if apart else _rate(due - late, due),
        no_response="1" if fault == "不响应" else "0",
        late_response="1" if fault == "迟响应" else "0",
        no_action="0",
        evaluated=str(satisfied + fair + dissatisfied),
        satisfied=str(satisfied),
        fair=str(fair),
        dissatisfied=str(dissatisfied),
        satisfied_rate="" if apart else _rate(satisfied + fair, due),
        solved_rate="" if apart else _rate(satisfied, due),
        rehandled=str(late),
        extended=str(place % 3 // 2),
        returned=f"{place % 5 // 4}/{place % 4 // 3 + place % 5 // 4}",
        remark=_APART.get(name, ""),
        apart=apart,
    )


def _total(rows: list[DepartmentRow]) -> DepartmentRow:
    """Sums of the counts; rates over those that are compared."""

    def added(name: str) -> int:
        return sum(int(getattr(row, name) or 0) for row in rows)

    counts: dict[str, Any] = {
        name: str(added(name))
        for name in (
            "lead", "cooperating", "respond_due", "respond_ok", "report_due", "report_ok", "no_response", "late_response",
            "no_action", "evaluated", "satisfied", "fair", "dissatisfied", "rehandled", "extended",
        )
    }  # fmt: skip
    returned = [row.returned.split("/") for row in rows]
    return DepartmentRow(
        name="合计",
        respond_rate=_rate(added("respond_ok"), added("respond_due")),
        report_rate=_rate(added("report_ok"), added("report_due")),
        satisfied_rate=_rate(added("satisfied") + added("fair"), added("evaluated")),
        solved_rate=_rate(added("satisfied"), added("evaluated")),
        returned=f"{sum(int(one[0]) for one in returned)}/{sum(int(one[1]) for one in returned)}",
        remark="",
        **counts,
    )


_CASES = (
    CaseRow(
        call_no="SF20261019016",
        call_title="云河镇东南片区灌溉渠系年久失修影响冬灌",
        dept="县水利局",
        limit="10月20日17时30分\n10月26日17时30分",
        actual="10月26日15时20分\n未反馈",
        overdue="3个工作日6小时",
        finding="不响应",
        conclusion_number="督结〔2026〕3号",
        state="正在办理",
        rectify_due="11月13日",
    ),
    CaseRow(
        call_no="SF20261013007",
        call_title="青山街道老龙口采石场越界开采",
        dept="县自然资源局",
        limit="10月14日17时30分\n10月20日17时30分",
        actual="10月16日9时10分\n10月20日11时02分",
        overdue="1个工作日1小时",
        finding="迟响应",
        conclusion_number="督结〔2026〕4号",
        state="已办结（复核中）",
        rectify_due="11月13日",
    ),
)
_HEADS = (
    HeadFigure("受理呼叫", "54件", "", "48件", "增加6件"),
    HeadFigure("按时响应率", "96.3%", "52/54", "93.1%（54/58）", "升3.2个百分点", 963, 931),
    HeadFigure("按期反馈率", "92.2%", "47/51", "94.0%（47/50）", "降1.8个百分点", 922, 940),
    HeadFigure("一次办结率", "90.2%", "37/41", "88.4%（38/43）", "升1.8个百分点", 902, 884),
    HeadFigure("解决率", "85.1%", "40/47", "83.3%（40/48）", "升1.8个百分点", 851, 833),
    HeadFigure("满意率", "93.6%", "44/47", "91.7%（44/48）", "升1.9个百分点", 936, 917),
)
_LINKS = (
    LinkTime("乡镇（补正、评价）", 620, "1个工作日2小时20分钟", 540),
    LinkTime("办公室（受理、派发、裁定）", 105, "1小时45分钟", 130),
    LinkTime("部门（响应）", 200, "3小时20分钟", 250),
    LinkTime("部门（办理反馈）", 1540, "3个工作日1小时40分钟", 1490),
)


def _bulletin(period: str, previous: str, count: int, *, attached: int) -> StatisticsBulletin:
    faults = {"县水利局": "不响应", "县自然资源局": "迟响应"}
    rows = [
        _department(name, place, fault=faults.get(name, "")) for place, name in enumerate(_DEPARTMENTS[:count], start=1)
    ]
    rows += [_department(name, place) for place, name in enumerate(_APART, start=3)]
    values = {**STATISTICS_VALUES, "period": period, "previous": previous}
    drafted = {name: renumbered(parse(text).fill(values)).strip() for name, text in STATISTICS_DRAFTS.items()}
    long_terms = (
        LongTermRow(
            call_no="SF20260918002",
            call_title="龙口乡老城区雨污分流改造",
            dept="县住建局",
            approved="副县长\n10月9日",
            stage="完成施工图审查",
            progress="施工图已送审，正在修改",
            next_day="11月20日",
            last_day="2027年3月31日",
        ),
    )
    annexes = ("县直部门（单位）办理情况统计表", "问题事项清单", "乡镇（街道）呼叫工作量统计表", "长期办理事项进展表")
    return StatisticsBulletin(
        issuer_head="示范县人民政府督查室",
        issuer="示范县人民政府督查室",
        number="示政督〔2026〕4号",
        title=drafted["title"],
        to=ADDRESSEES,
        text=drafted["text"],
        date="2026年11月4日",
        cc=COPIES,
        printer="示范县人民政府督查室",
        printed_on="2026年11月4日",
        attachments=annexes[:attached],
        period=period,
        previous=previous,
        frozen_at="2026年11月2日9时00分",
        min_n=3,
        snapshot_hash="3f9c01ab",
        heads=_HEADS,
        links=_LINKS,
        problems=("“农田水利设施管护”事项反复呼叫5件", "受理超时1件", "超期未反馈3件次"),
        departments=tuple(rows),
        total=_total(rows),
        cases=_CASES,
        townships=tuple(
            TownshipRow(name, 5 + place % 4, place % 2, 4, 1 + place % 3, place % 5 // 4)
            for place, name in enumerate(_TOWNSHIPS)
        ),
        long_terms=long_terms if attached == len(annexes) else (),
    )


STATISTICS = DocumentKind(
    name="statistics",
    title="呼应办理情况通报",
    context=StatisticsBulletin,
    template="statistics.html.jinja",
    styles=("page", "table", "redhead"),
    texts={
        "figures_title": "一页看数",
        "annex_1": "县直部门（单位）办理情况统计表",
        "annex_2": "问题事项清单",
        "annex_3": "乡镇（街道）呼叫工作量统计表",
        "annex_4": "长期办理事项进展表",
        "note_1": "件数少于{min_n}件不计算比率；垂直管理单位和企业列于表末，只列件次；数据截至{frozen_at}，校验码{snapshot_hash}。",
        "note_3": "按行政区划顺序排列，只反映工作量，不作比较。",
    },
    samples={
        "month": _bulletin("2026年10月", "9月", 14, attached=4),
        "year": _bulletin("2026年", "2025年", len(_DEPARTMENTS), attached=3),
    },
    drafts=STATISTICS_DRAFTS,
    draft_sample=STATISTICS_VALUES,
)
