"""Sample pages with the data of a plausible county."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from werkzeug.datastructures import MultiDict

from app.portal import page as p
from tests.app.face_forms import (
    CallForm,
    FilterForm,
    LoginForm,
    PasswordForm,
    ReasonForm,
    ReportForm,
    RespondForm,
    evaluate_form,
    report_with_errors,
)
from tests.app.face_frame import frame

WAITING = p.Pill("待评价", "waiting")
GOING = p.Pill("办理中", "going")
DONE = p.Pill("已办结", "done")


def list_page(**changes: Any) -> p.ListPage:
    columns = (
        p.Column("number", "编号", "/call/?order=number", "descending"),
        p.Column("title", "标题"),
        p.Column("township", "乡镇"),
        p.Column("departments", "承办部门"),
        p.Column("state", "状态"),
        p.Column("due", "时限", "/call/?order=due"),
        p.Column("changed", "更新", "/call/?order=changed"),
    )
    matters = [
        (
            "城关镇沿河路东段违法建设侵占河道,汛期前需要认定并拆除",
            "城关镇",
            "县自然资源和规划局、县水利局",
            GOING,
            p.Badge("剩余 2天3小时", "others", "2026年11月26日 09:00"),
            False,
        ),
        (
            "柳林镇化工仓库泄漏,下游两个村暂停取水",
            "柳林镇",
            "县应急管理局、县生态环境局",
            GOING,
            p.Badge("剩余 14小时", "waiting"),
            True,
        ),
        ("石桥镇王家庄自来水水质浑浊", "石桥镇", "县水利局", WAITING, p.Badge("按时完成", "done"), False),
        (
            "东山乡退耕还林补贴发放名单与公示不一致,涉及 37 户,群众多次到乡政府反映,请求核对历年台账并答复",
            "东山乡",
            "县农业农村局",
            GOING,
            p.Badge("已超期 1天5小时", "overdue"),
            False,
        ),
        ("城关镇第二小学门前道路积水", "城关镇", "县住房和城乡建设局", DONE, p.Badge("超期 1天完成", "overdue"), False),
        (
            "双河镇砂石车辆夜间超载运输",
            "双河镇",
            "县公安局、县交通运输局",
            p.Pill("待受理", "waiting"),
            p.Badge("剩余 3小时", "waiting"),
            False,
        ),
        ("马店乡养殖场气味扰民", "马店乡", "–", p.Pill("不予受理", "muted"), None, False),
    ]
    rows = []
    for i, (title, township, departments, pill, badge, emergency) in enumerate(matters):
        number = f"呼2026-{123 - i:04d}"
        rows.append(
            p.Row(
                key=str(123 - i),
                url=f"/call/{123 - i}",
                cells=(
                    p.Cell(number, f"/call/{123 - i}"),
                    p.Cell(title),
                    p.Cell(township),
                    p.Cell(departments),
                    p.Cell(pill=pill),
                    p.Cell(badge=badge),
                    p.Cell("今天 10:32" if i < 3 else "11月20日"),
                ),
                title=title,
                subtitle=f"{number} · {township}",
                pill=pill,
                badge=badge,
                emergency=emergency,
                button=p.Button("评价", f"/call/{123 - i}#action-evaluate") if pill is WAITING else None,
            )
        )
    values: dict[str, Any] = {
        "title": "呼叫",
        "count_label": "1–25 / 1000+",
        "columns": columns,
        "rows": tuple(rows),
        "empty": p.Empty("目前没有符合条件的呼叫。可以去掉筛选条件再看。", p.Button("清除筛选", "/call/")),
        "tabs": (
            p.Tab("全部", "/call/", True),
            p.Tab("待我办理", "/call/?tab=mine", count=6),
            p.Tab("在办", "/call/?tab=open", count=42),
            p.Tab("超期", "/call/?tab=overdue", count=3),
        ),
        "buttons": (
            p.Button("导出", "/call/export", "table-export"),
            p.Button("新建呼叫", "/call/add", "plus", primary=True),
        ),
        "bulk": (
            p.Button("受理并派发", "/call/bulk/dispatch", "send", method="post"),
            p.Button("催办", "/call/bulk/urge", "bell", method="post", confirm="向所选呼叫的承办部门发出催办?"),
        ),
        "chips": (p.Chip("乡镇:城关镇", "/call/"), p.Chip("提交日期自 2026年11月1日", "/call/?a")),
        "search_hint": "搜索编号、标题、内容",
        "filter_form": FilterForm(),
        "kept": (("order", "number"),),
        "previous_url": "/call/?before=1",
        "next_url": "/call/?after=2",
    }
    return p.ListPage(**(values | changes))


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def record_page(**changes: Any) -> p.RecordPage:
    values: dict[str, Any] = {
        "title": "城关镇沿河路东段违法建设侵占河道,汛期前需要认定并拆除",
        "number": "呼2026-0123",
        "kind": "一般呼叫",
        "pill": GOING,
        "badge": p.Badge("剩余 2天3小时", "others", "2026年11月26日 09:00"),
        "body": (
            p.Fact(
                "情况说明",
                p.Cell("沿河路东段三户在河道蓝线内新建房屋。\n镇里两次劝停,未能出示许可。\n请认定是否违法建设。"),
                long=True,
            ),
            p.Fact("地点", p.Cell("城关镇沿河路 88–92 号")),
            p.Fact("领域", p.Cell("自然资源")),
            p.Fact("同意人", p.Cell("赵立新(镇长)")),
        ),
        "parts_title": "承办部门",
        "parts": (
            p.Part(
                "县自然资源和规划局",
                "主办 · 陈晓东",
                GOING,
                clocks=(
                    p.Clock("响应", p.Badge("按时完成", "done"), 62),
                    p.Clock("办理", p.Badge("剩余 2天3小时", "waiting", "2026年11月26日 09:00"), 71),
                ),
                facts=(p.Fact("响应方式", p.Cell("电话联系,11月18日 15:20")),),
                actions=(
                    p.Action(
                        "report", "反馈办理情况", "/assignment/1/report", ReportForm(), primary=True, icon="message"
                    ),
                    p.Action(
                        "request_extension",
                        "申请延期",
                        "/assignment/1/request_extension",
                        ReasonForm(),
                        icon="calendar-time",
                    ),
                    p.Action(
                        "request_return",
                        "申请退单",
                        "/assignment/1/request_return",
                        ReasonForm(),
                        icon="corner-up-left",
                        disabled_reason="派发后 1 个工作日内可以申请,已于11月19日截止。",
                    ),
                ),
                mine=True,
            ),
            p.Part(
                "县水利局",
                "协办 · 孙丽",
                p.Pill("待响应", "overdue"),
                clocks=(
                    p.Clock("响应", p.Badge("已超期 1天5小时", "overdue"), 100),
                    p.Clock("办理", p.Badge("剩余 2天3小时", "others"), 71),
                ),
                actions=(
                    p.Action("respond", "代录响应", "/assignment/2/respond", RespondForm(), icon="phone"),
                    p.Action("urge", "催办", "/assignment/2/urge", icon="bell"),
                ),
            ),
        ),
        "timeline": (
            p.TimelineEntry(
                at(17, 9, 5),
                "11月17日 09:05",
                "提交呼叫",
                "周敏",
                "城关镇",
                text="镇里已两次劝停,施工仍在继续,请县里尽快认定。",
                tone="waiting",
                attachments=(p.Attachment("现场照片.jpg", "/a/1", "1.8 MB"),),
            ),
            p.TimelineEntry(
                at(17, 10, 32),
                "11月17日 10:32",
                "受理并派发",
                "李明",
                "县政府办公室",
                text="请自然资源和规划局主办,水利局协办河道蓝线认定。",
                tone="going",
                facts=(p.Fact("主办", p.Cell("县自然资源和规划局")), p.Fact("协办", p.Cell("县水利局"))),
            ),
            p.TimelineEntry(at(17, 10, 32), "11月17日 10:32", "办理时限起算", tone="muted", system=True),
            p.TimelineEntry(
                at(18, 15, 20),
                "11月18日 15:20",
                "响应",
                "陈晓东",
                "县自然资源和规划局",
                text="已与城关镇周敏电话联系,约定11月20日上午到现场测量。",
                tone="done",
            ),
            p.TimelineEntry(
                at(18, 18),
                "11月18日 18:00",
                "县水利局响应超期,已生成催办通知单",
                tone="overdue",
                system=True,
                attachments=(p.Attachment("催办通知单 示催〔2026〕17号.pdf", "/d/17.pdf", "86 KB"),),
            ),
            p.TimelineEntry(
                at(19, 9, 40),
                "11月19日 09:40",
                "修改呼叫",
                "李明",
                "县政府办公室",
                tone="others",
                changes=(p.Change("办理时限", "2026年11月24日", "2026年11月26日"),),
            ),
        ),
        "facts": (
            p.Fact("乡镇", p.Cell("城关镇", "/organisation/12")),
            p.Fact("提交人", p.Cell("周敏")),
            p.Fact("联系电话", p.Cell("138 0531 0012", "tel:13805310012")),
            p.Fact("来源", p.Cell("网格上报")),
            p.Fact("提交时间", p.Cell("2026年11月17日 09:05")),
            p.Fact("外部编号", p.Cell()),
        ),
        "sections": (
            p.Section(
                "引用的清单条目",
                facts=(
                    p.Fact("条目", p.Cell("第 1 项 城镇规划区违法建设查处", "/item/1"), long=True),
                    p.Fact(
                        "县自然资源和规划局的职责",
                        p.Cell("对未取得建设工程规划许可证建设的,责令停止建设;尚可改正的限期改正并处罚款。"),
                        long=True,
                    ),
                ),
            ),
            p.Section(
                "时间都去哪儿了",
                fetched="/call/time/4",
            ),
            p.Section(
                "关联呼叫",
                columns=(p.Column("number", "编号"), p.Column("state", "状态")),
                rows=(p.Row("98", "/call/98", (p.Cell("呼2026-0098"), p.Cell(pill=DONE)), "沿河路占道"),),
            ),
        ),
        "documents": (
            p.Attachment("派发单 示派〔2026〕123号.pdf", "/d/123.pdf", "92 KB", preview_url="/d/123/preview"),
            p.Attachment("流转单.pdf", "", ready=False),
        ),
        "actions": (
            p.Action("log_progress", "记录进展", "/call/123/log_progress", ReasonForm(), primary=True, icon="pencil"),
            p.Action("instruct", "领导批示", "/call/123/instruct", ReasonForm(), icon="signature"),
            p.Action(
                "evaluate",
                "评价",
                "/call/123/evaluate",
                evaluate_form(),
                disabled_reason="两个部门都反馈后才能评价,目前县水利局尚未反馈。",
            ),
            p.Action(
                "withdraw",
                "撤回呼叫",
                "/call/123/withdraw",
                ReasonForm(),
                icon="arrow-back-up",
                tone="danger",
                help="撤回后时限停止计算,已产生的记录保留。",
            ),
        ),
        "buttons": (p.Button("打印", "/call/123/print", "printer"), p.Button("修改", "/call/123/edit", "pencil")),
        "crumbs": (p.Link("呼叫", "/call/"), p.Link("全部", "/call/")),
    }
    return p.RecordPage(**(values | changes))


def time_page() -> p.TimePage:
    return p.TimePage(
        "时间都去哪儿了",
        p.TimeBar(
            "共用时3个工作日4小时27分(按工作时间计)",
            (
                p.TimePart("县政府办", "受理", "44分钟", "office", 3.0),
                p.TimePart("县自然资源和规划局", "反馈", "2个工作日2小时", "department", 62.0, running=True),
                p.TimePart("县水利局", "响应", "1个工作日", "department", 35.0, 5.0, "1小时10分"),
            ),
            (p.TimePart("县领导", "提级协调", "2小时", "leader"),),
            "同时进行的",
        ),
        (p.Link("呼2026-0123 沿河路违法建设", "/call/show/4"),),
    )


def emergency_page() -> p.RecordPage:
    return record_page(
        title="柳林镇化工仓库泄漏,下游两个村暂停取水",
        number="呼2026-0122",
        kind="紧急呼叫",
        emergency="30 分钟内响应,24 小时内反馈",
        badge=p.Badge("已超期 12分钟", "overdue"),
        actions=(p.Action("evaluate", "评价", "/call/122/evaluate", evaluate_form(), primary=True, open=True),),
        parts=(),
        buttons=(),
    )


def opened_page() -> p.RecordPage:
    return record_page(
        actions=(
            p.Action("report", "反馈办理情况", "/assignment/1/report", report_with_errors(), primary=True, open=True),
        ),
        parts=(),
    )


def form_page(**changes: Any) -> p.FormPage:
    values: dict[str, Any] = {
        "title": "新建呼叫",
        "form": CallForm(),
        "action_url": "/call/add",
        "submit_label": "提交呼叫",
        "cancel_url": "/call/",
        "intro": "写清楚时间、地点和需要哪个部门做什么,派发会更快。",
        "autosave_key": "zhoumin:call:add",
        "crumbs": (p.Link("呼叫", "/call/"),),
    }
    return p.FormPage(**(values | changes))


def refused_form_page() -> p.FormPage:
    form = CallForm(
        MultiDict({"description": "沿河路东段", "happened_on": "2026年13月40日", "people": "很多", "kind": "general"})
    )
    form.validate()
    return form_page(
        title="修改呼叫",
        form=form,
        submit_label="保存修改",
        conflict_text="该呼叫已由李明于10:32派发,您的修改未保存。您填写的内容仍在下方。",
        conflict=(p.Change("状态", "待派发", "办理中"), p.Change("主办部门", "", "县自然资源和规划局")),
    )


def home_page(**changes: Any) -> p.HomePage:
    button = p.Button("反馈", "/call/123#part-1-report", primary=False)
    values: dict[str, Any] = {
        "greeting": "李明,上午好",
        "tiles": (
            p.Tile("待我办理", 6, "/call/?tab=mine", "waiting"),
            p.Tile("今日到期", 2, "/call/?tab=today", "going"),
            p.Tile("已超期", 1, "/call/?tab=overdue", "overdue"),
            p.Tile("等待他人", 1000, "/call/?tab=others", "others", capped=True),
            p.Tile("草稿", 0, "/call/?tab=draft", "muted"),
        ),
        "next": (
            p.WorkItem(
                "柳林镇化工仓库泄漏,下游两个村暂停取水",
                "/call/122",
                "呼2026-0122 · 柳林镇",
                p.Badge("剩余 18分钟", "waiting"),
                p.Pill("待响应", "waiting"),
                p.Button("响应", "/call/122#part-1-respond", primary=True),
                emergency=True,
            ),
            p.WorkItem(
                "东山乡退耕还林补贴发放名单与公示不一致,涉及 37 户",
                "/call/120",
                "呼2026-0120 · 东山乡",
                p.Badge("已超期 1天5小时", "overdue"),
                GOING,
                button,
            ),
            p.WorkItem(
                "城关镇沿河路东段违法建设侵占河道",
                "/call/123",
                "呼2026-0123 · 城关镇",
                p.Badge("剩余 2天3小时", "others"),
                GOING,
                button,
            ),
            p.WorkItem(
                "石桥镇王家庄自来水水质浑浊",
                "/call/121",
                "呼2026-0121 · 石桥镇",
                None,
                p.Pill("待受理", "waiting"),
                p.Button("受理并派发", "/call/121/accept", method="post"),
            ),
        ),
        "empty": p.Empty(
            "手头的事都办完了。可以看看本部门还在等待的呼叫。", p.Button("查看在办呼叫", "/call/?tab=open")
        ),
        "news_title": "最新通报和批示",
        "news": (
            p.Link("示政督〔2026〕5号 关于10月份乡镇呼叫办理情况的通报", "/d/5"),
            p.Link("张县长批示:沿河路违建年底前处置到位", "/call/123", "signature"),
        ),
        "buttons": (p.Button("新建呼叫", "/call/add", "plus", primary=True),),
    }
    return p.HomePage(**(values | changes))


def inbox_page() -> p.InboxPage:
    return p.InboxPage(
        "消息",
        (
            p.InboxItem(
                "呼2026-0122 紧急呼叫等待您单位响应",
                "柳林镇化工仓库泄漏,30 分钟内响应。",
                "10:32",
                "/inbox/3",
                read=False,
                tone="waiting",
            ),
            p.InboxItem(
                "呼2026-0120 办理已超期",
                "已生成催办通知单,请尽快反馈。",
                "昨天 18:00",
                "/inbox/2",
                read=False,
                tone="overdue",
            ),
            p.InboxItem("呼2026-0117 已办结", "城关镇评价:满意。", "11月20日", "/inbox/1", read=True, tone="done"),
        ),
        p.Empty("暂时没有消息。"),
        read_all_url="/inbox/read",
        next_url="/inbox?after=1",
    )


def error_page() -> p.ErrorPage:
    return p.ErrorPage(
        503,
        "系统暂时无法使用",
        "数据库没有应答,您刚才的操作没有保存。\n请几分钟后再试;仍然不行,请联系系统管理员王芳(0531-8800 1200)。",
        (p.Button("回到工作台", "/", "home", primary=True),),
    )


NO_NAVIGATION: dict[str, Any] = {"navigation": ()}

SAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "home": ("home.html", {"page": home_page(), "frame": frame()}),
    "home-empty": ("home.html", {"page": home_page(next=(), news=(), tiles=()), "frame": frame(demonstration=False)}),
    "list": ("list.html", {"page": list_page(), "frame": frame()}),
    "list-empty": ("list.html", {"page": list_page(rows=(), chips=(), filter_form=None), "frame": frame()}),
    "record": ("record.html", {"page": record_page(), "frame": frame()}),
    "time": ("time.html", {"page": time_page(), "frame": frame()}),
    "record-emergency": ("record.html", {"page": emergency_page(), "frame": frame(moved_clock="2026年12月1日 09:00")}),
    "record-errors": ("record.html", {"page": opened_page(), "frame": frame()}),
    "form": ("form.html", {"page": form_page(), "frame": frame()}),
    "form-refused": ("form.html", {"page": refused_form_page(), "frame": frame()}),
    "inbox": ("inbox.html", {"page": inbox_page(), "frame": frame()}),
    "login": ("login.html", {"form": LoginForm(), "frame": frame(navigation=(), person="")}),
    "password": (
        "password.html",
        {"page": p.FormPage("修改密码", PasswordForm(), "/password", "修改密码", "/"), "frame": frame()},
    ),
    "password-forced": (
        "password.html",
        {
            "page": p.FormPage(
                "请先修改初始密码",
                PasswordForm(),
                "/password",
                "修改密码",
                "",
                intro="初始密码由他人设置,修改后才能继续。",
            ),
            "frame": frame(**NO_NAVIGATION),
        },
    ),
    "error": ("error.html", {"page": error_page(), "frame": frame()}),
    "error-bare": ("error.html", {"page": error_page(), "frame": None}),
}
"""Name of a sample → template and context."""
