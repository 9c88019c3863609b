"""The Chinese words of states and answers on paper: fixed, whatever language the reader of a screen has chosen."""

from __future__ import annotations

from typing import Final, Literal

from models.call_words import (
    AssignmentRole,
    AssignmentState,
    CallKind,
    CallSource,
    ResponseManner,
    Satisfaction,
    Solved,
)
from models.time_spent import Link

ROLES: Final[dict[AssignmentRole, Literal["主办", "协办"]]] = {
    AssignmentRole.lead: "主办",
    AssignmentRole.cooperating: "协办",
}

ASSIGNMENT_STATES: Final[dict[AssignmentState, str]] = {
    AssignmentState.pending: "待响应",
    AssignmentState.responded: "办理中",
    AssignmentState.reported: "已反馈",
    AssignmentState.return_requested: "申请退单",
    AssignmentState.returned: "已退单",
    AssignmentState.missed: "未办理",
}

KINDS: Final[dict[CallKind, Literal["一般", "紧急"]]] = {CallKind.general: "一般", CallKind.emergency: "紧急"}

SOURCES: Final[dict[CallSource, Literal["自行发现", "网格", "12345", "上级交办", "其他"]]] = {
    CallSource.own: "自行发现",
    CallSource.grid: "网格",
    CallSource.hotline: "12345",
    CallSource.superior: "上级交办",
    CallSource.other: "其他",
}

MANNERS: Final[dict[ResponseManner, str]] = {
    ResponseManner.phone: "电话",
    ResponseManner.on_site: "到场",
    ResponseManner.meeting: "会商",
}

SOLVED: Final[dict[Solved, Literal["已解决", "部分解决", "未解决"]]] = {
    Solved.solved: "已解决",
    Solved.partly: "部分解决",
    Solved.not_solved: "未解决",
}

SATISFACTION: Final[dict[Satisfaction, Literal["满意", "基本满意", "不满意"]]] = {
    Satisfaction.satisfied: "满意",
    Satisfaction.fair: "基本满意",
    Satisfaction.dissatisfied: "不满意",
}

CLOCKS: Final[dict[str, str]] = {"respond": "响应", "report": "反馈"}
ACTIONS: Final[dict[str, str]] = {"respond": "响应", "report": "反馈办理情况"}
"""What a clock waits for, as a noun and as what the department is asked to do."""

LINKS: Final[dict[Link, str]] = {
    Link.completion: "补正",
    Link.evaluation: "评价",
    Link.acceptance: "受理",
    Link.dispatch: "派发",
    Link.send_back: "退回重报",
    Link.return_ruling: "退单裁定",
    Link.referred_ruling: "退单争议裁定",
    Link.extension_ruling: "延期答复",
    Link.objection_ruling: "异议裁定",
    Link.endorsement: "长期办理审核",
    Link.response: "响应",
    Link.report: "反馈",
    Link.escalation: "提级决定",
    Link.long_term_decision: "长期办理审批",
    Link.long_term: "长期办理",
    Link.milestone: "阶段节点",
}
"""Where the time of a call goes."""
