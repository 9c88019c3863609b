"""现场协调记录: who came to a meeting that a township called on the spot, and what was decided (2.1; K2)."""

from dataclasses import dataclass

from reports.context import About, Context, Record, parse_day
from reports.kind import DocumentKind


@dataclass(frozen=True)
class Attending(Record):
    """A unit that came, with the names of its people; they sign beside them by hand."""

    unit: str
    names: str


@dataclass(frozen=True)
class Absent(Record):
    """A unit that was called and did not come."""

    unit: str
    reason: str


@dataclass(frozen=True)
class Decision(Record):
    """议定事项: it has become a milestone of its unit."""

    matter: str
    unit: str
    day: str


@dataclass(frozen=True)
class OnsiteRecord(Context):
    """The record as kept by the township on ``date``. Empty texts stay empty boxes, to be filled in by hand."""

    number: str
    call_no: str
    call_title: str
    town: str
    author: str
    date: str
    held_at: str
    place: str
    chair: str
    called: str
    attending: tuple[Attending, ...]
    absent: tuple[Absent, ...]
    matter: str
    course: str
    decisions: tuple[Decision, ...]
    disagreements: str
    recorder: str

    def about(self) -> About:
        return About(
            title=f"“{self.call_title}”现场协调记录（{self.number}）",
            author=self.author,
            written=parse_day(self.date, "date"),
        )


_HELD = OnsiteRecord(
    number="SF20261109016-1",
    call_no="SF20261109016",
    call_title="云河镇东南片区灌溉渠系年久失修影响冬灌",
    town="云河镇",
    author="云河镇人民政府",
    date="2026年11月12日",
    held_at="2026年11月12日9时30分",
    place="云河镇石桥村北节制闸",
    chair="张建国（镇长）",
    called="县水利局、县农业农村局、县财政局、县水利局云河水利站",
    attending=(
        Attending("云河镇", "张建国、李明"),
        Attending("县水利局", "马超、刘振华"),
        Attending("县农业农村局", "孙丽"),
        Attending("县水利局云河水利站", "赵亮"),
    ),
    absent=(Absent("县财政局", "参加全县预算会议，已电话沟通。"),),
    matter="干渠护坡修复和王庄村节制闸启闭机更换由谁组织、资金如何落实。",
    course="现场查看石桥村北约420米渠段和王庄村节制闸，各单位说明了情况和意见。",
    decisions=(
        Decision("更换王庄村节制闸启闭机，恢复通水。", "县水利局", "2026年11月13日"),
        Decision("对坍塌护坡作临时加固，满足冬灌要求。", "县水利局", "2026年11月18日"),
        Decision("将石桥村北渠段列入明年高标准农田改造项目。", "县农业农村局", "2026年11月20日"),
    ),
    disagreements="应急维修资金承担比例意见不一致，由县政府办公室会同县财政局研究。",
    recorder="李明",
)

_SHORT = OnsiteRecord(
    number="SF20261120003-1",
    call_no="SF20261120003",
    call_title="县道施工便道占压排水沟",
    town="龙口乡",
    author="龙口乡人民政府",
    date="2026年11月21日",
    held_at="2026年11月21日15时00分",
    place="龙口乡王家店村口",
    chair="",
    called="县交通运输局",
    attending=(Attending("龙口乡", ""), Attending("县交通运输局", "周斌")),
    absent=(),
    matter="",
    course="",
    decisions=(),
    disagreements="",
    recorder="杨光",
)

ONSITE_RECORD = DocumentKind(
    name="onsite_record",
    title="现场协调记录",
    context=OnsiteRecord,
    template="onsite_record.html.jinja",
    styles=("page", "table", "form"),
    texts={
        "subject": "“{call_title}”",
        "title": "现场协调记录",
        "footnote": "【有 decisions】议定事项已转为相应部门的办理节点。【止】本记录用于非涉密事项，严禁填写涉密信息。",
    },
    samples={"held": _HELD, "short": _SHORT},
)
