"""红头文件: what every red-headed circular holds (GB/T 9704), and those that are text alone: criticism and correction (2.3)."""

from dataclasses import dataclass

from reports.context import About, Context, ContextError, parse_day
from reports.kind import DocumentKind
from reports.passage import factory_draft

LARGEST_HEAD = 38
HEAD_WIDTH = 440
"""Points of the text area's width that the red head may fill."""


@dataclass(frozen=True, kw_only=True)
class Circular(Context):
    """A circular as finished wording.

    ``issuer_head`` is the name over the red rule without 文件, ``issuer`` the signature; ``to`` the main addressees
    without the colon; ``cc`` ends with a full stop or is empty. ``text`` is written in plain lines (`reports.structure`).
    A draft has no ``number`` yet; ``stage`` says on each of its pages what it is, and its day is left open.
    """

    issuer_head: str
    issuer: str
    number: str
    title: str
    to: str
    text: str
    date: str
    cc: str
    printer: str
    printed_on: str
    attachments: tuple[str, ...] = ()
    stage: str = ""

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise ContextError("text", "the first page must carry text")

    @property
    def head(self) -> str:
        """What stands in red."""
        return f"{self.issuer_head}文件"

    @property
    def head_size(self) -> int:
        """Points of the red head: as large as the standard's samples, smaller for a name that would not stay on one line."""
        return min(LARGEST_HEAD, HEAD_WIDTH // len(self.head))

    @property
    def signed_on(self) -> str:
        return self._open(self.date)

    @property
    def sent_on(self) -> str:
        return self._open(self.printed_on)

    def _open(self, day: str) -> str:
        """Month and day of a draft are filled in when it is signed."""
        return f"{day.partition('年')[0]}年　月　日" if self.stage else day

    def about(self) -> About:
        name = self.stage or self.number
        title = f"{self.title}（{name}）" if name else self.title
        return About(title=title, author=self.issuer, written=parse_day(self.date, "date"))


CASE = {
    "n": "一",
    "dept": "示范县水利局",
    "call_title": "云河镇东南片区灌溉渠系年久失修影响冬灌",
    "call_no": "SF20261119016",
    "role": "主办",
    "sent_at": "2026年11月19日10时12分",
    "respond_due": "11月20日17时30分",
    "report_due": "11月26日17时30分",
    "facts": "该局至11月24日15时20分方与乡镇联系，未到现场",
    "reminded_at": "11月20日17时31分",
    "slip_at": "11月23日17时30分",
    "as_of": "11月27日17时30分",
    "current_state": "该事项正在办理",
    "explanation": "经办同志外出，未安排人员替补，责任在我局",
    "finding": "不响应",
    "conclusion_number": "督结〔2026〕3号",
}
"""A case of a criticism as its draft is filled."""
CASES = (
    CASE,
    {
        **CASE,
        "n": "二",
        "dept": "示范县自然资源和规划局",
        "call_title": "青山街道老龙口采石场越界开采",
        "call_no": "SF20261113007",
        "sent_at": "2026年11月13日9时05分",
        "respond_due": "11月16日17时30分",
        "report_due": "11月20日17时30分",
        "facts": "该局11月18日9时10分响应，超过规定时限1个工作日1小时",
        "slip_at": "",
        "current_state": "该事项已办结",
        "explanation": "科室之间交接不清，未能按时响应",
        "finding": "迟响应",
        "conclusion_number": "督结〔2026〕4号",
    },
)

CRITICISM_VALUES = {
    "dept_names": "示范县水利局、示范县自然资源和规划局",
    "supervision_office": "示范县人民政府督查室",
    "approver_title": "县政府主要负责同志",
    "cases": list(CASES),
    "nature": "履职不主动、首接负责不落实、内部衔接不畅",
    "basis": "《山东省乡镇人民政府工作条例》《政府督查工作条例》",
    "rectify_due": "2026年12月4日",
    "report_to": "示范县人民政府督查室",
}

CRITICISM_DRAFTS = {
    "title": "关于{dept_names}办理“乡呼县应”事项不力情况的通报",
    "text": factory_draft("criticism"),
}

CORRECTION_VALUES = {
    "change": "更正",
    "original_issuer": "示范县人民政府督查室",
    "original_date": "2026年11月27日",
    "original_title": "关于示范县水利局办理“乡呼县应”事项不力情况的通报",
    "original_number": "示政督〔2026〕5号",
    "cases": [
        {
            "dept": "示范县水利局",
            "call_title": "云河镇东南片区灌溉渠系年久失修影响冬灌",
            "review_result": "原认定“不响应”予以撤销",
            "decision_number": "督复〔2026〕1号",
        }
    ],
    "text": "",
}
CORRECTION_DRAFTS = {
    "title": "关于{change}{original_number}有关内容的通报",
    "text": factory_draft("correction"),
}

ADDRESSEES = "各乡镇党委、政府，各街道党工委、办事处，县直各部门（单位）"
COPIES = "县委常委，县人大常委会、县政协主要负责同志，副县长，县纪委监委机关、县委组织部、县委编办。"


def _sample(number: str, title: str, text: str) -> Circular:
    return Circular(
        issuer_head="示范县人民政府督查室",
        issuer="示范县人民政府督查室",
        number=number,
        title=title,
        to=ADDRESSEES,
        text=text,
        date="2026年11月27日",
        cc=COPIES,
        printer="示范县人民政府督查室",
        printed_on="2026年11月27日",
    )


_SAMPLES = {
    "two_cases": _sample(
        "示政督〔2026〕5号",
        "关于示范县水利局、示范县自然资源和规划局办理“乡呼县应”事项不力情况的通报",
        """近期，示范县人民政府督查室对“乡呼县应”事项办理情况进行督查，发现个别部门存在响应不及时、办理不到位的问题。经县政府主要负责同志批准，现将有关情况通报如下。
一、基本情况
（一）示范县水利局办理“云河镇东南片区灌溉渠系年久失修影响冬灌”事项情况。2026年11月19日10时12分，该事项（SF20261119016）派发示范县水利局主办办理，应于11月20日17时30分前响应、11月26日17时30分前反馈。该局至11月24日15时20分方与乡镇联系，未到现场。平台于11月20日17时31分发出催办通知，督查机构于11月23日17时30分发出督办通知。截至11月27日17时30分，该事项正在办理。督查机构向示范县水利局核实时，该部门说明：经办同志外出，未安排人员替补，责任在我局。经核查，认定为不响应（督结〔2026〕3号）。
（二）示范县自然资源和规划局办理“青山街道老龙口采石场越界开采”事项情况。2026年11月13日9时05分，该事项（SF20261113007）派发示范县自然资源和规划局主办办理，应于11月16日17时30分前响应、11月20日17时30分前反馈。该局11月18日9时10分响应，超过规定时限1个工作日1小时。截至11月27日17时30分，该事项已办结。督查机构向示范县自然资源和规划局核实时，该部门说明：科室之间交接不清，未能按时响应。经核查，认定为迟响应（督结〔2026〕4号）。
二、问题性质
上述情况反映出有关部门履职不主动、首接负责不落实、内部衔接不畅，影响了问题及时解决，加重了基层负担。
三、处理意见
根据《山东省乡镇人民政府工作条例》《政府督查工作条例》，对示范县水利局、示范县自然资源和规划局予以通报批评，责令其于2026年12月4日前整改到位，并向示范县人民政府督查室书面报告。整改情况由示范县人民政府督查室核查，并按规定作为部门综合考核的依据。
四、工作要求
各部门（单位）要引以为戒，严格落实首接负责和按时响应要求，主动对接、及时办理、如实反馈。任何单位不得因被评价、被通报而向乡镇（街道）施加压力或者要求更改评价。""",
    )
}

CRITICISM = DocumentKind(
    name="criticism",
    title="批评通报",
    context=Circular,
    template="redhead.html.jinja",
    styles=("page", "redhead"),
    texts={},
    samples=_SAMPLES,
    drafts=CRITICISM_DRAFTS,
    draft_sample=CRITICISM_VALUES,
)

CORRECTION = DocumentKind(
    name="correction",
    title="更正（撤销）通报",
    context=Circular,
    template="redhead.html.jinja",
    styles=("page", "redhead"),
    texts={},
    samples={
        "correction": _sample(
            "示政督〔2026〕6号",
            "关于更正示政督〔2026〕5号有关内容的通报",
            "示范县人民政府督查室于2026年11月27日印发的《关于示范县水利局办理“乡呼县应”事项不力情况的通报》（示政督〔2026〕5号）中，"
            "关于示范县水利局“云河镇东南片区灌溉渠系年久失修影响冬灌”事项的认定，经复核，原认定“不响应”予以撤销（督复〔2026〕1号）。"
            "现予更正，相关统计和考核数据同步调整，原通报其他内容不变。\n特此通报。",
        )
    },
    drafts=CORRECTION_DRAFTS,
    draft_sample=CORRECTION_VALUES,
)
