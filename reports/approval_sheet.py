"""呈批单: the sheet on which a leader signs by hand; its code says which text he signed (2.3)."""

from dataclasses import dataclass

from reports.context import About, Context, parse_day
from reports.kind import DocumentKind


@dataclass(frozen=True)
class ApprovalSheet(Context):
    """A bulletin put before its approver. ``summary`` has a few lines; ``annexes`` name what lies beside the sheet.

    ``return_code`` belongs to this text alone: it is typed in when the signed sheet comes back, so that nobody can
    enter a signature under another text.
    """

    county: str
    number: str
    title: str
    kind: str
    drafter: str
    drafted_at: str
    office: str
    approver: str
    summary: str
    annexes: tuple[str, ...]
    return_code: str
    date: str

    def about(self) -> About:
        return About(
            title=f"呈批单：{self.title}（{self.number}）", author=self.office, written=parse_day(self.date, "date")
        )


APPROVAL_SHEET = DocumentKind(
    name="approval_sheet",
    title="呈批单",
    context=ApprovalSheet,
    template="approval_sheet.html.jinja",
    styles=("page", "table", "form", "sheet"),
    texts={
        "title": "{county}“乡呼县应”平台文件呈批单",
        "note": "领导签署后，由秘书在平台录入扫描回传码并上传签署件，代为完成审批；平台同时记录领导和录入人。",
    },
    samples={
        "criticism": ApprovalSheet(
            county="示范县",
            number="呈〔2026〕0007",
            title="关于示范县水利局、示范县自然资源和规划局办理“乡呼县应”事项不力情况的通报",
            kind="批评通报",
            drafter="陈立",
            drafted_at="2026年11月27日10时20分",
            office="示范县人民政府督查室",
            approver="县政府主要负责同志",
            summary=(
                "经督查并听取说明，认定县水利局办理“云河镇东南片区灌溉渠系年久失修影响冬灌”事项不响应、县自然资源和规划局办理"
                "“青山街道老龙口采石场越界开采”事项迟响应。拟予以通报批评，责令于2026年12月4日前整改到位。"
            ),
            annexes=("文稿", "督查结论（督结〔2026〕3号、督结〔2026〕4号）", "部门说明"),
            return_code="7K4P-2M9X",
            date="2026年11月27日",
        )
    },
)
