"""办理过程: a call's events as lines on paper, each as far as its reader may know it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.papers import labels
from models.call import Assignment, Call
from models.call_words import ResponseManner, Satisfaction, Solved
from models.event import Event, EventValue
from models.organisation import Organisation
from models.viewer import Viewer
from reports.wording import listing

PLATFORM = "平台"
"""Who acts where no person does."""

OFFICES = ("dispatcher", "office_director", "supervisor", "county_leader", "city_reader")
"""Roles that are shown restricted values, beside the township and whom they concern (2.1, end)."""


@dataclass(frozen=True)
class Happening:
    """An event of a call with what its reader may know of its values."""

    name: str
    at: datetime
    who: str
    assignment: Assignment | None
    """The assignment that it happened to, None for the call itself."""
    values: Mapping[str, Any] = field(default_factory=dict)
    times: int = 1
    """How often the same has happened to this record by then."""


def history(session: Session, call: Call, reader: Viewer | None) -> list[Happening]:
    """The events of a call from its submission on, oldest first. Runs as the system; `reader` None stands for everybody who takes part."""
    until = call.read_until(reader) if reader is not None else None
    rows = session.execute(
        sa.select(Event, Organisation.short_name)
        .outerjoin(Organisation, Organisation.id == Event.actor_organisation_id)
        .where(Event.thread_type == "call", Event.thread_id == call.id, Event.kind.in_(["transition", "automatic"]))
        .where(Event.at <= until if until is not None else sa.true())
        .order_by(Event.sequence)
    ).all()
    values: dict[int, dict[str, Any]] = defaultdict(dict)
    kept = session.execute(
        sa.select(EventValue.event_id, EventValue.name, EventValue.value, EventValue.only_for_id)
        .join(Event, Event.id == EventValue.event_id)
        .where(Event.thread_type == "call", Event.thread_id == call.id)
        .order_by(EventValue.event_id, EventValue.name)
    )
    for event_id, name, value, only_for_id in kept:
        if only_for_id is None or _may_know(call, reader, only_for_id):
            values[event_id][name] = value
    assignments = {one.id: one for one in call.assignments}
    counts: dict[tuple[str, int, str], int] = defaultdict(int)
    found = []
    for event, organisation in rows:
        key = (event.record_type, event.record_id, event.name)
        counts[key] += 1
        assignment = assignments.get(event.record_id) if event.record_type == "assignment" else None
        found.append(
            Happening(event.name, event.at, organisation or PLATFORM, assignment, values[event.id], counts[key])
        )
    return found


def _may_know(call: Call, reader: Viewer | None, only_for_id: int) -> bool:
    if reader is None:
        return False
    return reader.organisation_id in (only_for_id, call.township_id) or (
        reader.has_role(*OFFICES) and call.county_id in reader.region_ids
    )


def line(one: Happening) -> str:
    """What happened, in words; empty for what is not told on paper."""
    words = LINES.get(one.name)
    return words(one) if words is not None else ""


def _submit(one: Happening) -> str:
    departments = one.values.get("departments")
    return f"提出紧急呼叫，直接派发{_names(departments)}" if departments else "提出呼叫"


def _dispatch(one: Happening) -> str:
    cooperating = _names(one.values.get("cooperating"))
    return f"派发{_names([one.values['lead']])}（主办）" + (f"、{cooperating}（协办）" if cooperating else "")


def _respond(one: Happening) -> str:
    return f"响应：{labels.MANNERS[ResponseManner(one.values['how'])]}"


def _report(one: Happening) -> str:
    return f"反馈办理情况{'（重新办理）' if one.times > 1 else ''}：{labels.SOLVED[Solved(one.values['solved'])]}"


def _evaluate(one: Happening) -> str:
    told = [value for name, value in one.values.items() if name.startswith("evaluation.")]
    if not told:
        return "评价办理情况"
    return "评价" + "，".join(
        f"{value['department']}：{labels.SATISFACTION[Satisfaction(value['satisfaction'])]}" for value in told
    )


def _progress(one: Happening) -> str:
    return f"办理进展：{one.values.get('text', '')}"


def _withdraw(one: Happening) -> str:
    return f"撤回呼叫：{one.values.get('reason', '')}"


def _close(one: Happening) -> str:
    return f"{_department(one)}按未办理处理：{one.values.get('reason', '')}"


def _amber(one: Happening) -> str:
    return f"提醒{_department(one)}：{labels.CLOCKS[one.values['clock']]}即将到期"


def _remind(one: Happening) -> str:
    return f"向{_department(one)}发出催办通知单（{one.values['notice']['name']}）：{labels.CLOCKS[one.values['clock']]}超过时限"


def _supervise(one: Happening) -> str:
    return f"向{_department(one)}发出督办通知单（{one.values['notice']['name']}）：{labels.CLOCKS[one.values['clock']]}超过时限"


def _department(one: Happening) -> str:
    return one.assignment.department.short_name if one.assignment is not None else ""


def _names(records: Any) -> str:
    return listing(record["name"] for record in records or [])


def _said(words: str, name: str = "") -> Callable[[Happening], str]:
    """A step in fixed words, `{}` being the department concerned, and what was said with it."""

    def told(one: Happening) -> str:
        text = one.values.get(name, "") if name else ""
        return words.format(_department(one)) + (f"：{text}" if text else "")

    return told


def _untold(one: Happening) -> str:
    """Internal remarks and calls of others do not stand on a sheet that goes round."""
    return ""


FURTHER: dict[str, Callable[[Happening], str]] = {
    "enter_by_phone": _said("电话代录"),
    "confirm": _said("乡镇确认电话代录"),
    "return_for_completion": _said("退回补正", "missing"),
    "complete": _said("电话核实后代为补正"),
    "decline": _said("不予受理", "text"),
    "object": _said("提出异议", "reason"),
    "grant_objection": _said("异议成立", "ruling"),
    "refuse_objection": _said("异议不成立", "ruling"),
    "regularise": _said("规范紧急呼叫"),
    "add_department": lambda one: f"增加协办部门{_names([one.values['department']])}",
    "reassign": lambda one: f"{_names([one.values['assignment']])}改派{_names([one.values['department']])}",
    "send_back": lambda one: f"退回{_names(one.values.get('assignments'))}重报：{one.values['missing']}",
    "change_evaluation": _evaluate,
    "close_unevaluated": _said("未评价办结"),
    "request_long_term": _said("申请长期办理", "plan"),
    "endorse_long_term": _said("审核同意长期办理"),
    "approve_long_term": _said("批准长期办理"),
    "refuse_long_term": _said("不批准长期办理", "reason"),
    "end_long_term": _said("终止长期办理", "reason"),
    "plan_completed": _said("阶段节点均已完成"),
    "complete_milestone": _said("完成阶段节点", "result"),
    "evaluate_milestone": _said("评价阶段节点"),
    "convene": _said("召集现场协调", "place"),
    "record": _said("记录现场协调", "decisions"),
    "cancel": _said("取消现场协调", "reason"),
    "escalate": _said("提级协调", "why"),
    "decide_escalation": _said("领导决定", "text"),
    "instruct": lambda one: f"{_names([one.values['leader']])}批示：{one.values['text']}",
    "take": _said("领办"),
    "hand_on": _said("部门内分办"),
    "request_return": _said("申请退单", "reason"),
    "uphold_return": _said("同意{}退单", "ruling"),
    "reject_return": _said("驳回{}退单", "ruling"),
    "refer_return": _said("{}退单提请清单管理员裁定"),
    "request_extension": _said("申请延期", "reason"),
    "grant_extension": _said("同意{}延期", "until"),
    "refuse_extension": _said("不同意{}延期", "answer"),
    "urge": _said("催办{}"),
    "acknowledge": _said("{}警报已确认", "who"),
    "report_copied": _said("并案反馈同步{}", "result"),
    "follow_up": _said("续办新呼叫"),
    "share": lambda one: f"共享{_names(one.values.get('organisations'))}查阅",
    "merge": _untold,
    "comment": _untold,
}
"""The steps beside the straight way of a call (2.1)."""

LINES: dict[str, Callable[[Happening], str]] = {
    **FURTHER,
    "submit": _submit,
    "accept": lambda one: "受理",
    "dispatch": _dispatch,
    "respond": _respond,
    "report": _report,
    "all_reported": lambda one: "各部门均已反馈，待评价",
    "evaluate": _evaluate,
    "log_progress": _progress,
    "withdraw": _withdraw,
    "close_assignment": _close,
    "amber": _amber,
    "reminder": _remind,
    "supervision": _supervise,
}
"""The wording of each step; a test keeps it in step with the workflows."""
