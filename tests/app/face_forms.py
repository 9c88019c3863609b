"""Forms as a county would see them, for the sample pages."""

from __future__ import annotations

from datetime import date

from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    FieldList,
    FileField,
    Form,
    FormField,
    HiddenField,
    IntegerField,
    PasswordField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Optional

DEPARTMENTS = [
    "县自然资源和规划局",
    "县生态环境局",
    "县水利局",
    "县农业农村局",
    "县住房和城乡建设局",
    "县应急管理局",
    "县公安局",
]


def choices(*pairs: tuple[str, str]) -> list[SelectChoice]:
    return [SelectChoice(value=value, label=label) for value, label in pairs]


class ReportForm(Form):
    result = TextAreaField(
        "办理结果", [InputRequired()], description="写明到现场的时间、采取的措施和目前状况,乡镇据此评价。"
    )
    solved = SelectField(
        "是否解决",
        [InputRequired()],
        choices=choices(("solved", "已解决"), ("partly", "部分解决"), ("not_solved", "未解决")),
    )
    reason = TextAreaField("未解决原因", [Optional()])
    photos = FileField("附件", [Optional()], description="可上传照片、PDF、Word 文档,单个不超过 20 MB。")


class RespondForm(Form):
    version = HiddenField(default="7")
    how = SelectField(
        "响应方式",
        [InputRequired()],
        choices=choices(("phone", "电话联系"), ("on_site", "到现场"), ("meeting", "会商")),
        default="phone",
    )
    at = DateTimeLocalField("响应时间", [InputRequired()], format=["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"])
    whom = StringField("联系人", [InputRequired()])
    plan = TextAreaField("办理打算", [InputRequired()])


class ReasonForm(Form):
    reason = TextAreaField("理由", [InputRequired()], description="请写明依据的清单条目。")


class EvaluationForm(Form):
    assignment = HiddenField()
    satisfaction = SelectField(
        "满意程度",
        [InputRequired()],
        choices=choices(("satisfied", "满意"), ("fair", "基本满意"), ("dissatisfied", "不满意")),
    )
    comment = TextAreaField("意见", [Optional()])


class EvaluateForm(Form):
    evaluations = FieldList(FormField(EvaluationForm), "逐个部门评价", min_entries=2)


class CallForm(Form):
    title = StringField("标题", [InputRequired()], description="一句话说明什么地方出了什么事。")
    field = SelectField(
        "领域",
        [InputRequired()],
        choices=choices(
            ("", ""), *((f, f) for f in ["自然资源", "生态环境", "水利", "农业农村", "住房建设", "应急管理"])
        ),
        validate_choice=False,
    )
    description = TextAreaField("情况说明", [InputRequired()])
    kind = SelectField("类型", [InputRequired()], choices=choices(("general", "一般呼叫"), ("emergency", "紧急呼叫")))
    checklist_item = SelectField(
        "引用清单条目",
        [Optional()],
        choices=choices(("", ""), ("1", "城镇规划区违法建设查处")),
        render_kw={"data-search-url": "/search/checklist_item", "placeholder": "输入条目名称或编号"},
        validate_choice=False,
    )
    departments = SelectMultipleField(
        "建议部门",
        [Optional()],
        choices=choices(
            *((str(i), name) for i, name in enumerate(DEPARTMENTS)), ("9", "县市场监督管理局"), ("10", "县交通运输局")
        ),
        render_kw={"data-search-url": "/search/organisation"},
        default=["0"],
    )
    happened_on = DateField("发生日期", [InputRequired()], default=date(2026, 11, 23))
    people = IntegerField("涉及户数", [Optional()])
    contacts = SelectMultipleField(
        "抄送", [Optional()], choices=choices(("a", "分管县领导"), ("b", "督查室"), ("c", "值班室"))
    )
    photos = FileField("现场照片", [Optional()])
    confidential = BooleanField("我已确认内容不涉密", [InputRequired()])


class LoginForm(Form):
    username = StringField("用户名", [InputRequired()], render_kw={"autocomplete": "username"})
    password = PasswordField("密码", [InputRequired()])


class PasswordForm(Form):
    old = PasswordField("原密码", [InputRequired()])
    new = PasswordField("新密码", [InputRequired()], description="至少 10 位,含字母和数字。")
    again = PasswordField("再次输入新密码", [InputRequired()])


class FilterForm(Form):
    state = SelectField(
        "状态", choices=choices(*((s, s) for s in ["", "待受理", "待派发", "办理中", "待评价", "已办结", "不予受理"]))
    )
    since = DateField("提交日期自", [Optional()])
    department = SelectField("部门", choices=choices(("", "")), render_kw={"data-search-url": "/search/organisation"})


def report_with_errors() -> ReportForm:
    form = ReportForm(MultiDict({"result": "已于11月20日到现场测量,东侧三间房屋占压河道蓝线。", "solved": ""}))
    form.validate()
    return form


def evaluate_form() -> EvaluateForm:
    form = EvaluateForm(data={"evaluations": [{"assignment": "1"}, {"assignment": "2"}]})
    for entry, name in zip(form.evaluations.entries, ("县自然资源和规划局(主办)", "县水利局(协办)"), strict=True):
        entry.form.legend = name
    return form
