"""核实函 and 督查结论: what a department is asked to explain, and what was found after it was heard (2.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from reports.context import About, Context, parse_day
from reports.kind import DocumentKind
from reports.unbroken import TICKED


@dataclass(frozen=True)
class Verification(Context):
    """The letter that a department gets before anything is found against it.

    ``finding`` is what is proposed, empty where nothing is proposed yet; ``call_no`` is empty for a matter outside of
    the calls. ``explain_due`` is when the department's silence begins to count.
    """

    number: str
    dept: str
    finding: str
    call_title: str
    call_no: str
    facts: str
    explain_due: str
    supervision_office: str
    date: str
    contact: str
    phone: str

    def about(self) -> About:
        return About(
            title=f"关于核实“乡呼县应”有关事项的函（{self.number}）",
            author=self.supervision_office,
            written=parse_day(self.date, "date"),
        )


@dataclass(frozen=True)
class ConclusionPaper(Context):
    """A conclusion as served: facts, finding, demands, rights.

    ``explanation`` is empty where the department kept silent; ``fault`` says whether one was found.
    ``review_until`` is the last day on which a review may be asked for.
    """

    number: str
    dept: str
    call_title: str
    call_no: str
    facts: str
    explanation: str
    fault: bool
    finding: str
    grounds: str
    requirements: str
    review_body: str
    review_until: str
    served_at: str
    supervision_office: str
    date: str
    contact: str
    phone: str

    def about(self) -> About:
        return About(
            title=f"关于{self.dept}办理“{self.call_title}”事项的督查结论（{self.number}）",
            author=self.supervision_office,
            written=parse_day(self.date, "date"),
        )


@dataclass(frozen=True)
class SuperiorLetter(Context):
    """函告: what was found of a unit that the county does not run goes to its superior; it is not ordered (2.3).

    ``superior`` is empty where the county's records do not name it; the letter then goes to the unit to be handed up.
    """

    number: str
    dept: str
    superior: str
    call_title: str
    call_no: str
    facts: str
    explanation: str
    finding: str
    conclusion_number: str
    requirements: str
    supervision_office: str
    date: str
    contact: str
    phone: str

    def about(self) -> About:
        return About(
            title=f"关于{self.dept}办理“乡呼县应”事项有关情况的函（{self.number}）",
            author=self.supervision_office,
            written=parse_day(self.date, "date"),
        )

    @property
    def addressee(self) -> str:
        return self.superior or self.dept


@dataclass(frozen=True)
class ReviewDecision(Context):
    """复核决定书: the answer to a department that disputed a conclusion, by others than those who drew it."""

    number: str
    dept: str
    apply_date: str
    conclusion_number: str
    call_title: str
    review_office: str
    facts: str
    outcome: Literal["维持", "变更", "撤销"]
    finding: str
    reasons: str
    changed: bool
    review_body: str
    date: str

    def about(self) -> About:
        return About(
            title=f"关于{self.dept}复核申请的决定（{self.number}）",
            author=self.review_body,
            written=parse_day(self.date, "date"),
        )

    def placeholders(self) -> Mapping[str, Any]:
        """``choices`` are the three outcomes with the decided one marked."""
        boxes = [f"{one}{TICKED if one == self.outcome else '□'}" for one in ("维持", "变更", "撤销")]
        return {**self.to_json(), "choices": " ".join(boxes)}


_MATTER = "云河镇东南片区灌溉渠系年久失修影响冬灌"
_FACTS = (
    "该事项于2026年11月19日10时12分派发你单位主办办理，应于11月20日17时30分前响应。平台于11月20日17时31分发出催办通知，"
    "督查机构于11月23日17时30分发出督办通知。你单位至11月24日15时20分方与乡镇联系"
)
_EXPLANATION = "经办同志外出，未安排人员替补，责任在我局"
_OFFICE = {
    "supervision_office": "示范县人民政府督查室",
    "date": "2026年11月27日",
    "contact": "陈立",
    "phone": "0530-7654329",
}
_CONTACT = "（联系人：{contact}　　联系电话：{phone}）"

VERIFICATION = DocumentKind(
    name="verification",
    title="拟通报事项核实函",
    context=Verification,
    template="letter.html.jinja",
    styles=("page", "letter"),
    texts={
        "head": "{supervision_office}",
        "title": "关于核实“乡呼县应”有关事项的函",
        "text": (
            "下列事项【有 finding】拟认定为{finding}，可能列入通报【止】【无 finding】经督查发现问题，可能列入通报【止】：\n"
            "{call_title}【有 call_no】（{call_no}）【止】：{facts}。\n"
            "请于{explain_due}前核对事实并说明情况，可直接在平台填写；逾期未说明的，按平台记录认定。不需另附留痕材料。"
        ),
        "signature": "{supervision_office}",
        "contact": _CONTACT,
    },
    samples={
        "call": Verification(
            number="督核〔2026〕4号",
            dept="示范县水利局",
            finding="不响应",
            call_title=_MATTER,
            call_no="SF20261119016",
            facts=_FACTS,
            explain_due="12月1日17时30分",
            **_OFFICE,
        ),
        "matter": Verification(
            number="督核〔2026〕5号",
            dept="示范县农业农村局",
            finding="",
            call_title="高标准农田建设项目管护责任落实情况",
            call_no="",
            facts="督查发现项目建成后未移交管护，机井损坏3眼无人维修",
            explain_due="12月1日17时30分",
            **_OFFICE,
        ),
    },
)

CONCLUSION = DocumentKind(
    name="conclusion",
    title="督查结论",
    context=ConclusionPaper,
    template="letter.html.jinja",
    styles=("page", "letter"),
    texts={
        "head": "{supervision_office}",
        "title": "关于{dept}办理“{call_title}”事项的督查结论",
        "text": (
            "一、事实\n"
            "{call_title}【有 call_no】（{call_no}）【止】：{facts}。"
            "【有 explanation】核实时你单位说明：{explanation}。【止】"
            "【无 explanation】核实时你单位未在规定时间内说明情况。【止】\n"
            "二、认定\n"
            "【有 fault】经核查，认定为{finding}。【止】【无 fault】经核查，不予认定。【止】{grounds}\n"
            "【有 requirements】三、要求\n{requirements}\n四、权利\n【止】【无 requirements】三、权利\n【止】"
            "对本结论有异议的，可以自收到之日起30日内（{review_until}前），向{review_body}书面申请复核，也可以直接在平台提出。"
            "任何单位不得因此向乡镇（街道）施加压力或者要求更改评价。\n"
            "送达时间：{served_at}"
        ),
        "signature": "{supervision_office}",
        "contact": _CONTACT,
    },
    samples={
        "fault": ConclusionPaper(
            number="督结〔2026〕3号",
            dept="示范县水利局",
            call_title=_MATTER,
            call_no="SF20261119016",
            facts=_FACTS,
            explanation=_EXPLANATION,
            fault=True,
            finding="不响应",
            grounds="经平台记录比对、与乡镇核实，你单位在规定时限后3个工作日内仍未与乡镇联系。",
            requirements="明确联络员及替补人员，落实首接负责；三日内到现场与乡镇对接并推进办理。",
            review_body="示范县人民政府",
            review_until="2026年12月27日",
            served_at="2026年11月27日16时05分",
            **_OFFICE,
        ),
        "no_fault": ConclusionPaper(
            number="督结〔2026〕4号",
            dept="示范县生态环境局",
            call_title="刘庄村河道排放污水",
            call_no="SF20261116003",
            facts="该事项于2026年11月16日9时40分派发你单位主办办理，平台无按时响应记录",
            explanation="",
            fault=False,
            finding="未发现问题",
            grounds="经查阅通话记录，你单位已在时限内电话联系乡镇，属登记不及时。",
            requirements="",
            review_body="示范县人民政府",
            review_until="2026年12月27日",
            served_at="2026年11月27日16时10分",
            **_OFFICE,
        ),
    },
)

SUPERIOR_LETTER = DocumentKind(
    name="superior_letter",
    title="函告",
    context=SuperiorLetter,
    template="superior_letter.html.jinja",
    styles=("page", "letter"),
    texts={
        "head": "{supervision_office}",
        "title": "关于{dept}办理“乡呼县应”事项有关情况的函",
        "text": (
            "【有 superior】贵单位所属的{dept}【止】【无 superior】{dept}【止】办理我县“乡呼县应”事项有关情况经督查认定，"
            "现函告如下，请予督促：\n"
            "{call_title}【有 call_no】（{call_no}）【止】：{facts}。【有 explanation】该单位说明：{explanation}。【止】"
            "经核查，认定为{finding}（{conclusion_number}）。\n"
            "【有 requirements】建议：{requirements}\n【止】"
            "【无 superior】你单位由上级单位管理，请将本函报送上级单位。\n【止】"
            "处理情况请函告我室。"
        ),
        "signature": "{supervision_office}",
        "contact": _CONTACT,
    },
    samples={
        "named": SuperiorLetter(
            number="督函〔2026〕1号",
            dept="国网示范县供电公司",
            superior="国网示范市供电公司",
            call_title="龙口乡老城线路改造停电未提前告知",
            call_no="SF20261117009",
            facts="该事项于2026年11月17日10时05分派发，应于11月18日10时05分前响应，实际于11月19日16时20分响应",
            explanation="线路抢修人员不足，未及时登记",
            finding="迟响应",
            conclusion_number="督结〔2026〕5号",
            requirements="明确联络员，停电检修提前告知乡镇。",
            **_OFFICE,
        )
    },
)

REVIEW_DECISION = DocumentKind(
    name="review_decision",
    title="复核决定书",
    context=ReviewDecision,
    template="letter.html.jinja",
    styles=("page", "letter"),
    texts={
        "head": "{review_body}",
        "title": "关于{dept}复核申请的决定",
        "text": (
            "你单位{apply_date}对督查结论{conclusion_number}（“{call_title}”事项）提出的复核申请收悉。"
            "经{review_office}复核（原参与人员已回避），查明：{facts}\n"
            "决定：{choices}　原认定（{finding}），理由是：{reasons}\n"
            "【有 changed】相关通报予以更正，统计和考核数据相应调整。\n【止】"
            "本决定自送达之日起生效。"
        ),
        "signature": "{review_body}",
    },
    samples={
        "upheld": ReviewDecision(
            number="督复〔2026〕1号",
            dept="示范县水利局",
            apply_date="2026年12月1日",
            conclusion_number="督结〔2026〕3号",
            call_title=_MATTER,
            review_office="示范县人民政府督查室",
            facts="该局已于11月20日11时26分电话联系云河镇党政办，通话记录可查，仅未在平台登记。",
            outcome="撤销",
            finding="不响应",
            reasons="已在规定时限内与乡镇联系，属登记不及时。",
            changed=True,
            review_body="示范县人民政府",
            date="2026年12月10日",
        ),
        "rejected": ReviewDecision(
            number="督复〔2026〕2号",
            dept="示范县自然资源和规划局",
            apply_date="2026年12月2日",
            conclusion_number="督结〔2026〕4号",
            call_title="青山街道老龙口采石场越界开采",
            review_office="示范县人民政府督查室",
            facts="该局所称电话联系发生在规定时限之后。",
            outcome="维持",
            finding="迟响应",
            reasons="原认定事实清楚、依据充分。",
            changed=False,
            review_body="示范县人民政府",
            date="2026年12月11日",
        ),
    },
)
