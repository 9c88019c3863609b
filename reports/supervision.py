"""督办通知单: the yellow slip that a supervisor signs when a reminder did not help (2.2).

It has letter form. One department gets one slip for all that one sweep found: a single matter is
told in the text, several stand in a list. The last page is the receipt, to be filled in by hand
or on the platform.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from reports.context import About, Context, ContextError, Record, parse_day
from reports.kind import DocumentKind
from reports.wording import listing


@dataclass(frozen=True)
class SupervisionCase(Record):
    """One matter on a slip, as finished texts. ``missing`` is what the department owes, ``overdue``
    by how much the first of its deadlines was missed."""

    call_no: str
    call_title: str
    town: str
    role: Literal["主办", "协办"]
    called_at: str
    sent_at: str
    respond_due: str
    report_due: str
    missing: str
    overdue: str


@dataclass(frozen=True)
class SupervisionInstruction(Record):
    """领导批示 about one of the matters. ``leader_title`` is the office held, not a person's name."""

    leader_title: str
    instruction_date: str
    instruction_title: str
    instruction_text: str


@dataclass(frozen=True)
class Supervision(Context):
    """The whole slip as of ``as_of``.

    ``reminder_number`` names the reminder slips sent before, empty if there was none;
    ``responsible_level`` is who in the department answers for it, ``required_action`` what is asked
    for by ``slip_due``. ``portfolio_leader`` is the office of the leader who has the department in
    charge, empty if nobody has. ``date`` is the day of signing.
    """

    slip_number: str
    urgency: Literal["特急", "加急"]
    dept: str
    cases: tuple[SupervisionCase, ...]
    as_of: str
    responsible_level: str
    slip_due: str
    required_action: str
    supervision_office: str
    date: str
    platform_office: str
    contact: str
    phone: str
    reminder_number: str = ""
    instructions: tuple[SupervisionInstruction, ...] = ()
    portfolio_leader: str = ""

    def __post_init__(self) -> None:
        if not self.cases:
            raise ContextError("cases", "a slip names at least one matter")

    @property
    def merged(self) -> bool:
        """Whether the slip lists several matters."""
        return len(self.cases) > 1

    def about(self) -> About:
        return About(
            title=f"“乡呼县应”事项督办通知单（{self.slip_number}）",
            author=self.supervision_office,
            written=parse_day(self.date, "date"),
        )

    def placeholders(self) -> Mapping[str, Any]:
        """The fields of the matters can be cited like the slip's own; those of several are listed. ``count`` is their number."""
        matters = [case.to_json() for case in self.cases]
        listed = {name: listing(dict.fromkeys(str(matter[name]) for matter in matters)) for name in matters[0]}
        return {**listed, **self.to_json(), "count": len(self.cases)}


_CASE = SupervisionCase(
    call_no="SF20261119016",
    call_title="云河镇东南片区灌溉渠系年久失修影响冬灌",
    town="云河镇",
    role="主办",
    called_at="11月19日9时18分",
    sent_at="11月19日10时12分",
    respond_due="11月20日17时30分",
    report_due="11月26日17时30分",
    missing="响应",
    overdue="1个工作日",
)

_ONE = Supervision(
    slip_number="督〔2026〕0012",
    urgency="加急",
    dept="示范县水利局",
    cases=(_CASE,),
    as_of="11月23日17时30分",
    reminder_number="催〔2026〕0123",
    instructions=(
        SupervisionInstruction(
            "副县长", "2026年11月23日", _CASE.call_title, "冬灌不等人，请水利局本周内恢复通水，修复资金一并研究"
        ),
    ),
    responsible_level="主要负责人",
    slip_due="11月24日17时30分",
    required_action="作出响应",
    supervision_office="示范县人民政府督查室",
    date="2026年11月23日",
    platform_office="示范县人民政府办公室",
    portfolio_leader="副县长",
    contact="陈立",
    phone="0530-7654329",
)


def _case(number: int, title: str, town: str, role: Literal["主办", "协办"], missing: str, overdue: str) -> SupervisionCase:  # fmt: skip
    return SupervisionCase(
        call_no=f"SF202611{number:05d}",
        call_title=title,
        town=town,
        role=role,
        called_at="11月13日9时05分",
        sent_at="11月13日10时20分",
        respond_due="11月16日17时30分",
        report_due="11月20日17时30分",
        missing=missing,
        overdue=overdue,
    )


_SEVERAL = Supervision(
    slip_number="督〔2026〕0013",
    urgency="加急",
    dept="示范县水利局",
    cases=(
        _CASE,
        _case(13007, "老龙口水库下游河道非法采砂联合整治", "龙口乡", "协办", "反馈办理情况", "1个工作日"),
        _case(13002, "石桥村饮水管网冻裂抢修", "云河镇", "主办", "响应、反馈办理情况", "5个工作日"),
        _case(13011, "镇驻地雨污分流工程与河道排口衔接", "青山街道", "协办", "反馈办理情况", "1个工作日"),
    ),
    as_of="11月23日17时30分",
    reminder_number="催〔2026〕0119、催〔2026〕0123",
    instructions=(
        SupervisionInstruction(
            "县长", "2026年11月20日", "石桥村饮水管网冻裂抢修", "群众吃水是头等大事，请立即抢修，每日报告进度"
        ),
    ),
    responsible_level="主要负责人",
    slip_due="11月24日17时30分",
    required_action="作出响应、办理到位",
    supervision_office="中共示范县委示范县人民政府督查室",
    date="2026年11月23日",
    platform_office="示范县人民政府办公室",
    contact="陈立",
    phone="0530-7654329",
)

SUPERVISION = DocumentKind(
    name="supervision",
    title="督办通知单",
    context=Supervision,
    template="supervision.html.jinja",
    styles=("page", "table", "letter"),
    texts={
        "head": "{supervision_office}",
        "mark": "督办",
        "title": "“乡呼县应”事项督办通知单",
        "opening": (
            "{town}于{called_at}提出的“{call_title}”事项（{call_no}），已于{sent_at}派发你单位{role}办理，"
            "要求{respond_due}前响应、{report_due}前反馈。"
            "【有 reminder_number】经催办（{reminder_number}），【止】截至{as_of}仍未{missing}，已超过规定时限{overdue}。"
            "【每 instructions】{leader_title}于{instruction_date}批示：“{instruction_text}”。【止】"
            "现予督办，请按以下要求办理："
        ),
        "opening_merged": (
            "派发你单位办理的下列{count}件事项，【有 reminder_number】经催办（{reminder_number}），【止】"
            "截至{as_of}仍未按要求办理，已超过规定时限。"
            "【每 instructions】{leader_title}于{instruction_date}对“{instruction_title}”事项批示：“{instruction_text}”。【止】"
            "现予督办，请按以下要求办理："
        ),
        "demand_1": "一、由{responsible_level}负责，立即与{town}对接，核实情况。",
        "demand_2": (
            "二、于{slip_due}前{required_action}，并在平台反馈办理结果；"
            "确实不能按期解决的，说明原因、已采取的措施和完成时限。"
        ),
        "demand_3": (
            "三、超过时限的原因请一并说明。认为不属于本单位职责的，应当在退单时限内提出；"
            "超过退单时限的，先行办理，同时提请研究。"
        ),
        "warning": "逾期未办理且无正当理由的，将列入通报并责令整改。",
        "enclosure": "附件：“乡呼县应”事项督办通知单回执",
        "signature": "{supervision_office}",
        "contact": "（联系人：{contact}　　联系电话：{phone}）",
        "copies": "{platform_office}【有 portfolio_leader】，{portfolio_leader}（分管县领导）【止】。",
        "receipt_title": "“乡呼县应”事项督办通知单回执",
        "receipt_note": "本回执可直接在平台填写；纸质填写的，请于{slip_due}前送{supervision_office}。",
    },
    samples={"single": _ONE, "merged": _SEVERAL},
)
