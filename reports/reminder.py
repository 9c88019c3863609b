"""催办通知单: the blue slip that the platform sends when a deadline has passed (2.2).

It is a numbered slip, not one of the statutory document types. One department gets one slip for
all that one sweep finds: a single matter is shown in full, several in a list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from reports.context import About, Context, ContextError, Record, parse_day
from reports.kind import DocumentKind
from reports.wording import listing


@dataclass(frozen=True)
class ReminderCase(Record):
    """One matter on a slip. Times are finished texts; ``overdue`` is empty before the deadline."""

    call_no: str
    call_title: str
    town: str
    role: Literal["主办", "协办"]
    sent_at: str
    due: str
    state: str
    overdue: str
    urge_count: int
    town_contact: str
    town_phone: str


@dataclass(frozen=True)
class Reminder(Context):
    """The whole slip.

    ``soon`` tells a slip before the deadline from one after it. ``action`` is what is asked for,
    响应 or 反馈办理情况 (or both, if the matters differ), by ``new_due``. ``date`` is the day of
    issue as ``wording.date_text`` writes it.
    """

    slip_number: str
    issued_at: str
    dept: str
    soon: bool
    new_due: str
    action: str
    cases: tuple[ReminderCase, ...]
    platform_office: str
    date: str
    contact: str
    phone: str

    def __post_init__(self) -> None:
        if not self.cases:
            raise ContextError("cases", "a slip names at least one matter")

    @property
    def merged(self) -> bool:
        """Whether the slip lists several matters."""
        return len(self.cases) > 1

    def about(self) -> About:
        return About(
            title=f"“乡呼县应”事项催办通知单（{self.slip_number}）",
            author=self.platform_office,
            written=parse_day(self.date, "date"),
        )

    def placeholders(self) -> Mapping[str, Any]:
        """The fields of the matters can be cited like the slip's own; those of several are listed.

        ``urge_count`` is then their sum, ``count`` the number of matters.
        """
        matters = [case.to_json() for case in self.cases]
        listed = {name: listing(dict.fromkeys(str(matter[name]) for matter in matters)) for name in matters[0]}
        urged = sum(case.urge_count for case in self.cases)
        return {**listed, **self.to_json(), "urge_count": urged, "count": len(self.cases)}


_ONE = Reminder(
    slip_number="催〔2026〕0123",
    issued_at="2026年11月23日8时31分",
    dept="示范县水利局",
    soon=False,
    new_due="11月24日12时00分",
    action="响应",
    cases=(
        ReminderCase(
            call_no="SF20261120016",
            call_title="云河镇东南片区灌溉渠系年久失修影响冬灌",
            town="云河镇",
            role="主办",
            sent_at="11月20日10时12分",
            due="11月21日17时30分",
            state="待响应",
            overdue="1个工作日2小时",
            urge_count=1,
            town_contact="李明",
            town_phone="0530-1234567",
        ),
    ),
    platform_office="示范县人民政府办公室",
    date="2026年11月23日",
    contact="王芳",
    phone="0530-7654321",
)


def _case(number: int, title: str, role: Literal["主办", "协办"], due: str, overdue: str,
          state: str) -> ReminderCase:  # fmt: skip
    return ReminderCase(
        call_no=f"SF202611{number:05d}",
        call_title=title,
        town="云河镇",
        role=role,
        sent_at="11月19日9时05分",
        due=due,
        state=state,
        overdue=overdue,
        urge_count=0,
        town_contact="李明",
        town_phone="0530-1234567",
    )


_SEVERAL = Reminder(
    slip_number="催〔2026〕0124",
    issued_at="2026年11月23日8时31分",
    dept="示范县水利局",
    soon=False,
    new_due="11月24日12时00分",
    action="响应或者反馈办理情况",
    cases=(
        _ONE.cases[0],
        _case(18007, "老龙口水库下游河道非法采砂联合整治", "协办", "11月21日17时30分",
              "4小时", "待响应"),
        _case(13002, "石桥村饮水管网冻裂抢修", "主办", "11月20日17时30分",
              "1个工作日", "办理中"),
        _case(12011, "镇驻地雨污分流工程与河道排口衔接", "协办", "11月20日17时30分",
              "1个工作日", "办理中"),
    ),
    platform_office="示范县人民政府办公室",
    date="2026年11月23日",
    contact="王芳",
    phone="0530-7654321",
)  # fmt: skip

REMINDER = DocumentKind(
    name="reminder",
    title="催办通知单",
    context=Reminder,
    template="reminder.html.jinja",
    styles=("page", "table", "slip"),
    texts={
        "mark": "催办",
        "title": "“乡呼县应”事项催办通知单",
        "opening": (
            "你单位承办的下列事项【有 soon】即将到期【止】【有 overdue】已超过规定时限{overdue}【止】，"
            "请抓紧办理，并于{new_due}前在平台{action}。"
            "确有客观原因的，请按规定申请延期或者说明情况。"
        ),
        "opening_merged": (
            "你单位承办的下列{count}件事项【有 soon】即将到期【止】【无 soon】已超过规定时限【止】，"
            "请抓紧办理，并于{new_due}前在平台{action}。"
            "确有客观原因的，请按规定申请延期或者说明情况。"
        ),
        "signature": "{platform_office}（县“乡呼县应”平台）",
        "copies": "{dept}联络员、分管负责人。",
    },
    samples={"single": _ONE, "merged": _SEVERAL},
)
