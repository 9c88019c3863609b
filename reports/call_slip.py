"""流转单: call, dispatch, responses, reports and evaluations of one call on one sheet (2.1).

The same sheet serves as 呼叫单, 派发单 and 反馈评价单: what has not happened yet stays an empty row
to be filled in by hand. The caller leaves out what the reader may not see, above all other
departments' evaluations.
"""

from dataclasses import dataclass
from typing import Literal

from reports.context import About, Context, Record, parse_day
from reports.kind import DocumentKind

Solved = Literal["已解决", "部分解决", "未解决"]
Satisfaction = Literal["满意", "基本满意", "不满意", "未评价"]


@dataclass(frozen=True)
class SlipInstruction(Record):
    """领导批示. ``leader`` is the office held (县长), not the person's name."""

    leader: str
    date: str
    text: str


@dataclass(frozen=True)
class SlipResponse(Record):
    """响应: how (电话, 到场, 会商) and with whom the department got in touch."""

    dept: str
    at: str
    how: str
    whom: str
    plan: str


@dataclass(frozen=True)
class SlipReport(Record):
    """反馈 of one department in one round; ``reason`` only if it is not solved."""

    dept: str
    result: str
    solved: Solved
    reported_by: str
    reviewed_by: str
    at: str
    reason: str = ""
    round: int = 1


@dataclass(frozen=True)
class SlipEvaluation(Record):
    """评价 of one department in one round. 未评价 is written as it is, without ``solved``."""

    dept: str
    satisfaction: Satisfaction
    solved: Literal["已解决", "部分解决", "未解决", ""]
    comment: str
    evaluated_by: str
    signed_by: str
    at: str
    round: int = 1


@dataclass(frozen=True)
class SlipTime(Record):
    """用时 of one link (township, office, a department); ``overdue`` is empty if in time."""

    link: str
    used: str
    overdue: str


@dataclass(frozen=True)
class SlipRecord(Record):
    """A reminder, supervision slip, extension or return."""

    kind: Literal["催办", "督办", "延期", "退单"]
    at: str
    dept: str
    text: str


@dataclass(frozen=True)
class SlipEvent(Record):
    """A line of the timeline."""

    at: str
    who: str
    what: str


@dataclass(frozen=True)
class CallSlip(Context):
    """The sheet as of ``as_of``; ``date`` is that instant's day. All times are finished texts.

    Empty texts and lists are what has not happened or does not apply.
    """

    county: str
    call_no: str
    kind: Literal["一般", "紧急"]
    platform_office: str
    as_of: str
    date: str
    township: str
    officer: str
    phone: str
    agreed_by: str
    called_at: str
    source: Literal["自行发现", "网格", "12345", "上级交办", "其他"]
    title: str
    field: str
    place: str
    description: str
    external_number: str = ""
    item: str = ""
    measures: str = ""
    entered_by: str = ""
    accepted_at: str = ""
    accepted_by: str = ""
    lead: str = ""
    cooperating: tuple[str, ...] = ()
    respond_due: str = ""
    report_due: str = ""
    remark: str = ""
    instructions: tuple[SlipInstruction, ...] = ()
    responses: tuple[SlipResponse, ...] = ()
    reports: tuple[SlipReport, ...] = ()
    evaluations: tuple[SlipEvaluation, ...] = ()
    time_used: tuple[SlipTime, ...] = ()
    records: tuple[SlipRecord, ...] = ()
    timeline: tuple[SlipEvent, ...] = ()

    def about(self) -> About:
        return About(
            title=f"{self.county}“乡呼县应”事项流转单（{self.call_no}）",
            author=self.platform_office,
            written=parse_day(self.date, "date"),
        )


_DISPATCHED = CallSlip(
    county="示范县",
    call_no="SF20261123004",
    kind="紧急",
    platform_office="示范县人民政府办公室",
    as_of="2026年11月23日9时20分",
    date="2026年11月23日",
    township="青山街道",
    officer="赵强",
    phone="0530-1230007",
    agreed_by="周卫东（街道办事处主任）",
    called_at="11月23日9时12分",
    source="网格",
    external_number="WG-371-20261123-08",
    title="老城区燃气管道泄漏需紧急处置",
    field="应急管理",
    place="青山街道建设路与育才路交叉口西北角",
    description=("9时05分网格员巡查发现，施工挖断地下燃气管道，现场有明显气味，周边为居民小区和一所小学。"),
    measures="已疏散周边人员约120人，封闭路口，设置警戒线。",
    lead="县住房和城乡建设局",
    cooperating=("县应急管理局", "县公安局", "县消防救援大队"),
    respond_due="11月23日9时42分",
    report_due="11月24日9时12分",
    timeline=(
        SlipEvent("11月23日9时12分", "青山街道", "提出紧急呼叫，直接派发4个部门"),
        SlipEvent("11月23日9时13分", "平台", "通知各部门值班室、县委办公室、县政府办公室"),
        SlipEvent("11月23日9时16分", "县消防救援大队", "值班员确认接到呼叫"),
    ),
)

_CLOSED = CallSlip(
    county="示范县",
    call_no="SF20261109016",
    kind="一般",
    platform_office="示范县人民政府办公室",
    as_of="2026年11月23日8时30分",
    date="2026年11月23日",
    township="云河镇",
    officer="李明",
    phone="0530-1234567",
    agreed_by="张建国（镇长）",
    called_at="11月9日9时18分",
    source="12345",
    external_number="12345-2026-110871",
    title="云河镇东南片区灌溉渠系年久失修影响冬灌",
    field="农业农村",
    item="农田水利设施建设和管护（2026年版第31项）",
    place="云河镇石桥村、王庄村、刘家庙村",
    description=(
        "东南片区干渠建成于1986年，护坡多处坍塌，其中石桥村北约420米渠段淤积严重，"
        "王庄村节制闸启闭机锈蚀无法使用。冬灌在即，涉及耕地约3200亩。\n"
        "镇里已组织清淤，但护坡修复和闸门更换超出镇级能力，请县直有关部门协调解决。"
    ),
    measures="组织3个村清理渠道1.2公里；对坍塌处设置警示标志；联系原施工单位查看闸门。",
    accepted_at="11月9日10时02分",
    accepted_by="县政府办公室值班室",
    lead="县水利局",
    cooperating=("县农业农村局", "县财政局"),
    respond_due="11月10日17时30分",
    report_due="11月23日17时30分",
    remark="请县水利局牵头，会同县农业农村局、县财政局到现场会商，先保冬灌、后定修复方案。",
    instructions=(
        SlipInstruction("副县长", "11月10日", "冬灌不等人，请水利局本周内恢复通水，修复资金一并研究。"),
    ),
    responses=(
        SlipResponse("县水利局", "11月10日8时50分", "到场", "李明、石桥村党支部书记",
                     "当日查勘，12日前更换启闭机"),
        SlipResponse("县农业农村局", "11月10日10时15分", "电话", "李明",
                     "核实受影响地块，统筹高标准农田项目"),
        SlipResponse("县财政局", "11月10日16时40分", "会商", "李明", "按会商结果落实应急资金"),
    ),
    reports=(
        SlipReport("县农业农村局", "已将石桥村北渠段列入明年高标准农田改造项目。", "已解决",
                   "孙丽", "陈志远", "11月12日15时20分"),
        SlipReport("县财政局", "已拨付应急维修资金18万元。", "已解决",
                   "郑伟", "吴海燕", "11月12日16时00分"),
        SlipReport("县水利局", "更换王庄村节制闸启闭机1台，修复护坡210米，11月13日恢复通水。",
                   "部分解决", "马超", "刘振华", "11月13日17时05分",
                   reason="其余210米护坡需待枯水期施工。"),
        SlipReport("县水利局", "采用格宾石笼完成其余210米护坡临时加固，满足冬灌要求。",
                   "已解决", "马超", "刘振华", "11月18日11时30分", round=2),
    ),
    evaluations=(
        SlipEvaluation("县农业农村局", "满意", "已解决", "对接及时。", "李明", "", "11月14日9时10分"),
        SlipEvaluation("县财政局", "基本满意", "已解决", "", "李明", "", "11月14日9时10分"),
        SlipEvaluation("县水利局", "不满意", "部分解决", "剩余护坡未处理，冬灌时仍有垮塌风险。",
                       "李明", "张建国", "11月14日9时10分"),
        SlipEvaluation("县水利局", "满意", "已解决", "已通水，护坡稳固。",
                       "李明", "", "11月19日8时45分", round=2),
    ),
    time_used=(
        SlipTime("云河镇（提出、评价）", "3小时25分钟", ""),
        SlipTime("县政府办公室（受理、派发）", "44分钟", ""),
        SlipTime("县水利局", "7个工作日1小时", ""),
        SlipTime("县农业农村局", "3个工作日5小时18分钟", ""),
        SlipTime("县财政局", "3个工作日5小时58分钟", ""),
    ),
    records=(
        SlipRecord("催办", "11月10日14时05分", "县财政局", "云河镇催办1次"),
        SlipRecord("延期", "11月12日9时30分", "县水利局", "申请延期2个工作日，县政府办公室未同意"),
    ),
    timeline=(
        SlipEvent("11月9日9时18分", "云河镇", "提出呼叫"),
        SlipEvent("11月9日10时02分", "县政府办公室", "受理并派发县水利局（主办）、县农业农村局、县财政局"),
        SlipEvent("11月10日8时50分", "县水利局", "响应：到场查勘"),
        SlipEvent("11月10日9时30分", "副县长", "批示"),
        SlipEvent("11月10日10时15分", "县农业农村局", "响应：电话联系"),
        SlipEvent("11月10日14时05分", "云河镇", "催办县财政局"),
        SlipEvent("11月10日16时40分", "县财政局", "响应：会商"),
        SlipEvent("11月12日9时30分", "县水利局", "申请延期"),
        SlipEvent("11月12日11时00分", "县政府办公室", "未同意延期：冬灌时间紧"),
        SlipEvent("11月12日15时20分", "县农业农村局", "反馈办理情况：已解决"),
        SlipEvent("11月12日16时00分", "县财政局", "反馈办理情况：已解决"),
        SlipEvent("11月13日17时05分", "县水利局", "反馈办理情况：部分解决"),
        SlipEvent("11月14日9时10分", "云河镇", "评价3个部门；县水利局重新办理"),
        SlipEvent("11月18日11时30分", "县水利局", "反馈办理情况（重新办理）：已解决"),
        SlipEvent("11月19日8时45分", "云河镇", "评价县水利局：满意，办结"),
    ),
)  # fmt: skip

CALL_SLIP = DocumentKind(
    name="call_slip",
    title="“乡呼县应”事项流转单",
    context=CallSlip,
    template="call_slip.html.jinja",
    styles=("page", "table", "flow"),
    texts={
        "title": "{county}“乡呼县应”事项流转单",
        "as_of": "流转情况截至{as_of}",
        "footnote": "本单用于非涉密事项，严禁填写涉密信息。",
    },
    samples={"dispatched": _DISPATCHED, "closed": _CLOSED},
)
