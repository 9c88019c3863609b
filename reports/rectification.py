"""责令整改通知书: a department puts right what a conclusion found; its annex is the form of the report (2.3)."""

from dataclasses import dataclass

from reports.context import About, Context, parse_day
from reports.kind import DocumentKind


@dataclass(frozen=True)
class RectificationOrder(Context):
    """The order as made on ``date``.

    ``item`` is how the checklist names the matter and the department's duty, empty where no item is cited. ``town`` is the
    township whose evaluation tells the result, empty for a matter outside of the calls. ``again`` says what was not put
    right when an earlier report was not accepted. ``suspended``: a review stops the order until it is decided.
    """

    slip_number: str
    dept: str
    call_title: str
    call_no: str
    facts: str
    explanation: str
    finding: str
    basis: str
    conclusion_number: str
    item: str
    rectify_due: str
    requirements: str
    report_to: str
    town: str
    review_body: str
    suspended: bool
    supervision_office: str
    issuer: str
    date: str
    platform_office: str
    portfolio_leader: str
    contact: str
    phone: str
    again: str = ""

    def about(self) -> About:
        return About(
            title=f"责令整改通知书（{self.slip_number}）", author=self.issuer, written=parse_day(self.date, "date")
        )


_ONE = RectificationOrder(
    slip_number="改〔2026〕0003",
    dept="示范县水利局",
    call_title="云河镇东南片区灌溉渠系年久失修影响冬灌",
    call_no="SF20261119016",
    facts="该事项于2026年11月19日10时12分派发你单位主办办理，应于11月20日17时30分前响应，你单位至11月24日15时20分方与乡镇联系",
    explanation="经办同志外出，未安排人员替补，责任在我局",
    finding="不响应",
    basis="《山东省乡镇人民政府工作条例》《政府督查工作条例》",
    conclusion_number="督结〔2026〕3号",
    item="《示范县责任清单》（2026年版）第12项“农田水利设施管护”载明的主体责任：负责骨干灌溉渠系的维修养护",
    rectify_due="2026年12月4日",
    requirements="明确联络员及替补人员，落实首接负责；三日内到现场与乡镇对接并推进办理",
    report_to="示范县人民政府督查室",
    town="云河镇",
    review_body="示范县人民政府",
    suspended=False,
    supervision_office="示范县人民政府督查室",
    issuer="示范县人民政府督查室",
    date="2026年11月27日",
    platform_office="示范县人民政府办公室",
    portfolio_leader="副县长",
    contact="陈立",
    phone="0530-7654329",
)

RECTIFICATION = DocumentKind(
    name="rectification",
    title="责令整改通知书",
    context=RectificationOrder,
    template="rectification.html.jinja",
    styles=("page", "table", "letter"),
    texts={
        "head": "{issuer}",
        "title": "责令整改通知书",
        "text": (
            "{supervision_office}对你单位办理“乡呼县应”事项情况进行了督查。现将存在的问题和整改要求通知如下。\n"
            "一、存在的问题\n"
            "{call_title}【有 call_no】（{call_no}）【止】：{facts}。"
            "【有 explanation】你单位说明：{explanation}。【止】认定为{finding}。"
            "【有 again】你单位报告的整改情况经核查不予认可：{again}【止】\n"
            "二、认定依据\n"
            "{basis}；督查结论{conclusion_number}【有 item】；{item}【止】。\n"
            "三、整改要求\n"
            "（一）于{rectify_due}前完成以下整改：{requirements}。\n"
            "（二）整改完成后3个工作日内，向{report_to}报送书面整改报告，说明问题办理结果、原因和改进措施。"
            "【有 town】办理结果以{town}在平台的评价为准，不得要求乡镇（街道）另行出具证明。【止】\n"
            "（三）整改责任由你单位承担，不得转由乡镇（街道）或者派驻机构所在地代为完成。\n"
            "四、有关事项\n"
            "整改情况将组织核查；逾期未整改、整改不实的，按规定通报并向有权机关提出处理建议。"
            "对督查结论有异议的，可以自收到督查结论之日起30日内，向{review_body}书面申请复核。"
            "复核期间【有 suspended】暂停执行本通知【止】【无 suspended】不停止整改【止】。"
        ),
        "enclosure": "附件：整改情况报告表",
        "signature": "{issuer}",
        "contact": "（联系人：{contact}　　联系电话：{phone}）",
        "copies": "{platform_office}【有 portfolio_leader】，{portfolio_leader}（分管县领导）【止】。",
        "report_title": "整改情况报告表",
        "report_note": "本表可直接在平台填写。不要求乡镇（街道）填写、签字或者出具证明。",
    },
    samples={"first": _ONE},
)
