"""Papers say what the records say, and no more than their reader may know (spec 3, 2.1)."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa

import reports
from app.database import transaction
from app.papers import call_history, install, labels
from models import paper, sweep
from models.call import Assignment, Call
from models.call_moments import times_spent
from models.convening import Convening
from models.document import Document
from models.paper import Paper, Unprintable, platform_office
from models.person import Person
from models.refusal import Invalid
from models.setting import Setting
from models.substitution import Portfolio
from models.supervision import Notice, NoticeState
from models.time_spent import Link
from tests.app.visitor import visitor
from tests.calls import sees
from tests.county import MONDAY, County, at
from tests.models.test_convening import convened, record

LATE = at("2026-11-26 09:00")
"""A working day after the response to a call of Monday was due, and half an hour."""


@pytest.fixture(autouse=True)
def composers(county: County) -> None:
    """The program's own papers, whatever another test put in their place."""
    install(county.app.config["FONT_DIR"])


def slip(county: County, call_id: int, reader: str | None, when: Any) -> dict[str, Any]:
    """The flow sheet as printed on demand for a reader."""
    with county.acting(None, when) as session:
        call = session.get_one(Call, call_id)
        document = Document(number="试1", issued_at=when, issuer=platform_office(session, county.id))
        made: Paper = paper._composers["call_slip"](session, call, document, county.viewer(reader) if reader else None)
        session.rollback()
        return dict(made.context)


def stored(county: County, kind: str) -> list[Document]:
    with county.acting(None) as session:
        found = list(session.scalars(sa.select(Document).where(Document.kind == kind).order_by(Document.id)))
        session.expunge_all()
        return found


def evaluated(county: County) -> tuple[int, ...]:
    """A joint call: the lead unsatisfactory, the cooperating department satisfactory."""
    keys = county.dispatched("department1", "department2")
    county.respond("department1", keys[1], at("2026-11-23 10:00"), plan="下午到场。")
    county.respond("department2", keys[2], at("2026-11-24 18:00"), how="on_site")
    county.report("department2", keys[2], at("2026-11-25 09:00"))
    county.report(
        "department1", keys[1], at("2026-11-25 10:00"), result="已责令停工。", solved="partly", reason="等待验收。"
    )
    county.evaluate(keys[0], {keys[1]: "dissatisfied", keys[2]: "satisfied"}, at("2026-11-25 11:00"))
    return keys


def test_dispatch_puts_the_order_on_the_slip(county: County) -> None:
    county.dispatched("department1", "department2", values={"remark": "请抓紧办理。"})
    [document] = stored(county, "call_slip")
    context = document.context
    assert document.name == "“乡呼县应”事项流转单"
    assert context["county"] == "平原县"
    assert context["lead"] == "自然资源局"
    assert context["cooperating"] == ["住建局"]
    assert context["remark"] == "请抓紧办理。"
    assert context["respond_due"] == "11月24日17时30分"
    assert context["report_due"] == "12月7日17时30分"
    assert context["evaluations"] == []
    assert [row["what"] for row in context["timeline"]] == ["提出呼叫", "受理"]
    assert reports.render("call_slip", context).startswith(b"%PDF")


def test_slip_of_a_department_shows_its_own_evaluation_only_2_1(county: County) -> None:
    call_id = evaluated(county)[0]
    when = at("2026-11-25 12:00")
    readers = ("department1", "department2", "township1", "dispatcher")
    seen = {
        name: [(row["dept"], row["satisfaction"]) for row in slip(county, call_id, name, when)["evaluations"]]
        for name in readers
    }
    assert seen["department1"] == [("自然资源局", "不满意")]
    assert seen["department2"] == [("住建局", "满意")]
    assert seen["township1"] == seen["dispatcher"] == [("自然资源局", "不满意"), ("住建局", "满意")]
    assert slip(county, call_id, None, when)["evaluations"] == []


@pytest.mark.parametrize("reader", ["department2", None])
def test_nothing_on_the_slip_betrays_anothers_evaluation(county: County, reader: str | None) -> None:
    call_id = evaluated(county)[0]
    text = str(slip(county, call_id, reader, at("2026-11-25 12:00")))
    assert "不满意" not in text
    assert "未见人来" not in text
    assert "周书记" not in text


def test_timeline_tells_each_step_to_its_reader(county: County) -> None:
    call_id = evaluated(county)[0]
    rows = [
        (row["who"], row["what"]) for row in slip(county, call_id, "department1", at("2026-11-25 12:00"))["timeline"]
    ]
    assert rows == [
        ("城关镇", "提出呼叫"),
        ("县政府办", "受理"),
        ("县政府办", "派发自然资源局（主办）、住建局（协办）"),
        ("自然资源局", "响应：电话"),
        ("住建局", "响应：到场"),
        ("住建局", "反馈办理情况：已解决"),
        ("自然资源局", "反馈办理情况：部分解决"),
        ("平台", "各部门均已反馈，待评价"),
        ("城关镇", "评价自然资源局：不满意"),
    ]


def test_where_the_time_went_counts_working_minutes_and_lateness(county: County) -> None:
    call_id = evaluated(county)[0]
    rows = {
        row["link"]: (row["used"], row["overdue"])
        for row in slip(county, call_id, "dispatcher", at("2026-11-25 12:00"))["time_used"]
    }
    assert rows["县政府办（受理）"] == ("0分钟", "")
    assert rows["自然资源局（响应）"] == ("1小时", "")
    assert rows["住建局（响应）"] == ("1个工作日7小时", "不足1分钟")
    assert rows["住建局（反馈）"] == ("30分钟", "")  # from its response on
    assert rows["城关镇（评价）"] == ("1小时", "")
    assert rows["自然资源局（重新反馈）"] == ("1小时（进行中）", "")


def test_where_the_time_went_is_the_same_on_the_sheet_as_on_the_page(county: County) -> None:
    call_id, _lead, _other = evaluated(county)
    when = at("2026-11-25 12:00")
    with county.acting("dispatcher", when) as session:
        spent = times_spent(session, [session.get_one(Call, call_id)], when)[call_id]
    shown = [one for one in spent.links if one.ended is not None or one.minutes]
    rows = slip(county, call_id, "dispatcher", when)["time_used"]
    assert len(rows) == len(shown)
    assert [row["overdue"] != "" for row in rows] == [one.late is not None for one in shown]
    assert {one.link for one in shown} >= {Link.acceptance, Link.response, Link.report, Link.evaluation}


def test_every_link_has_its_words() -> None:
    assert set(labels.LINKS) == set(Link)


def test_reminder_says_what_is_overdue_by_how_much_and_until_when_2_2(county: County) -> None:
    county.dispatched("department1")
    with county.acting(None) as session:
        session.add(Setting(county_id=county.id, name="office_phone", value="0500-1234567"))
    with county.acting(None, at("2026-11-25 10:00")):
        sweep.sweep(transaction)
    [document] = stored(county, "reminder")
    context = document.context
    [case] = context["cases"]
    assert document.number == context["slip_number"] == "催〔2026〕0001"
    assert context["dept"] == "县自然资源和规划局"
    assert context["action"] == "响应"
    assert context["new_due"] == "11月26日17时30分"
    assert (case["due"], case["overdue"], case["state"], case["role"]) == (
        "11月24日17时30分",
        "1小时30分钟",
        "待响应",
        "主办",
    )
    assert context["phone"] == "0500-1234567"
    assert reports.render("reminder", context).startswith(b"%PDF")


def signed(county: County, when: Any = LATE) -> list[Notice]:
    """What the sweep drafted by then, signed by the supervisor."""
    with county.acting(None, when):
        sweep.sweep(transaction)
    with county.acting(None) as session:
        drafted = sa.select(Notice.id).where(Notice.state == NoticeState.drafted).order_by(Notice.id)
        keys = session.scalars(drafted).all()
    for key in keys:
        county.do("supervisor", Notice, key, "sign", {}, when)
    with county.acting(None) as session:
        found = list(session.scalars(sa.select(Notice).where(Notice.id.in_(keys)).order_by(Notice.id)))
        session.expunge_all()
        return found


def in_charge(county: County, leader: str, department: str) -> None:
    with county.acting(None) as session:
        session.get_one(Person, county.people[leader]).position = "副县长"
        session.add(Portfolio(county_id=county.id, person_id=county.people[leader], department_id=county[department]))


def test_a_supervision_slip_tells_the_matter_what_is_owed_and_what_is_asked_2_2(county: County) -> None:
    call_id, _lead = county.dispatched("department1")
    in_charge(county, "leader", "department1")
    order = {"leader": str(county.people["leader"]), "text": "请抓紧办理。", "target": str(county["department1"])}
    county.do("dispatcher", Call, call_id, "instruct", order, at("2026-11-25 09:00"))
    with county.acting(None, at("2026-11-25 10:00")):
        sweep.sweep(transaction)
    signed(county)
    [document] = stored(county, "supervision")
    context = document.context
    [case] = context["cases"]
    assert document.number == context["slip_number"] == "督〔2026〕0001"
    assert context["dept"] == "县自然资源和规划局"
    assert context["supervision_office"] == "县督查室"
    assert context["platform_office"] == "县政府办公室"
    assert context["portfolio_leader"] == "副县长"
    assert context["reminder_number"] == "催〔2026〕0001"
    assert context["slip_due"] == "11月27日17时30分"
    assert context["required_action"] == "作出响应"
    assert context["responsible_level"] == "主要负责人"
    assert [
        (one["leader_title"], one["instruction_date"], one["instruction_text"]) for one in context["instructions"]
    ] == [("副县长", "2026年11月25日", "请抓紧办理")]
    assert case == {
        "call_no": "呼2026-0001",
        "call_title": "刘庄河道排放污水",
        "town": "城关镇",
        "role": "主办",
        "called_at": "11月23日9时00分",
        "sent_at": "11月23日9时00分",
        "respond_due": "11月24日17时30分",
        "report_due": "11月30日17时30分",
        "missing": "响应",
        "overdue": "1个工作日30分钟",
    }
    assert reports.render("supervision", context).startswith(b"%PDF")


def test_a_supervision_slip_leaves_out_what_there_is_not(county: County) -> None:
    call_id, *_rest = county.dispatched("department1", "department2")
    order = {"leader": str(county.people["leader"]), "text": "请住建局办理。", "target": str(county["department2"])}
    county.do("dispatcher", Call, call_id, "instruct", order)
    signed(county)
    contexts = {document.context["dept"]: document.context for document in stored(county, "supervision")}
    own = contexts["县自然资源和规划局"]
    assert own["portfolio_leader"] == ""
    assert own["instructions"] == []
    assert own["responsible_level"] == "分管负责人"
    assert len(contexts["县住房和城乡建设局"]["instructions"]) == 1


def test_both_clocks_of_a_matter_are_one_case_of_the_supervision_slip(county: County) -> None:
    county.dispatched("department1")
    signed(county, at("2026-12-02 10:00"))
    context = stored(county, "supervision")[0].context
    [case] = context["cases"]
    assert case["missing"] == "响应、反馈办理情况"
    assert case["overdue"] == "5个工作日1小时30分钟"  # by the first of them
    assert context["required_action"] == "作出响应、办理到位"


def test_what_the_department_did_between_draft_and_signature_is_not_held_against_it(county: County) -> None:
    _call, answered = county.dispatched("department1")
    county.dispatched("department1", township="township2")
    with county.acting(None, LATE):
        sweep.sweep(transaction)
    county.respond("department1", answered, LATE)
    signed(county)
    [case] = stored(county, "supervision")[0].context["cases"]
    assert case["call_no"] == "呼2026-0002"


def test_a_supervision_slip_with_an_unprintable_text_changes_nothing_and_costs_no_number(county: County) -> None:
    call_id, _lead = county.dispatched("department1")
    with county.acting(None, LATE):
        sweep.sweep(transaction)
    with county.acting(None) as session:
        session.execute(sa.update(Call).where(Call.id == call_id).values(title="河道\U00012000污染"))
    key = 2
    with pytest.raises(Invalid) as refused:
        county.do("supervisor", Notice, key, "sign", {}, LATE)
    assert "U+12000" in str(refused.value.errors["document"][0])
    assert stored(county, "supervision") == []
    with county.acting(None) as session:
        notice = session.get_one(Notice, key)
        assert (notice.state, notice.number, notice.signed_by_id) == (NoticeState.drafted, None, None)
        session.execute(sa.update(Call).where(Call.id == call_id).values(title="河道污染"))
    county.do("supervisor", Notice, key, "sign", {}, LATE)
    assert [document.number for document in stored(county, "supervision")] == ["督〔2026〕0001"]


def test_the_flow_sheet_tells_of_slips_of_both_kinds(county: County) -> None:
    call_id, _lead = county.dispatched("department1")
    signed(county)
    made = slip(county, call_id, "township1", at("2026-11-26 12:00"))
    assert [(row["kind"], row["dept"], row["text"]) for row in made["records"]] == [
        ("催办", "自然资源局", "向自然资源局发出催办通知单（催〔2026〕0001）：响应超过时限"),
        ("督办", "自然资源局", "向自然资源局发出督办通知单（督〔2026〕0001）：响应超过时限"),
    ]


def test_the_record_of_a_meeting_goes_to_the_township_everybody_called_and_the_platform_office(county: County) -> None:
    call_id, meeting = convened(county)
    told = record(county, meeting, chair="周镇长", disagreements="费用另议。")
    county.do("township1", Convening, meeting, "record", told, at("2026-11-24 15:00"))
    [document] = stored(county, "onsite_record")
    context = document.context
    assert (document.number, document.issuer_id) == ("呼2026-0001-1", county["township1"])
    assert context["held_at"] == "2026年11月24日14时00分"
    assert (context["place"], context["chair"], context["town"]) == ("刘庄桥", "周镇长", "城关镇")
    assert context["called"] == "自然资源局、住建局、城关自然资源所"
    assert context["attending"] == [
        {"unit": "城关镇", "names": "王建国"},
        {"unit": "自然资源局", "names": "李科长"},
    ]
    assert context["absent"] == [
        {"unit": "住建局", "reason": "未说明原因"},
        {"unit": "城关自然资源所", "reason": "参加防汛值守。"},
    ]
    assert context["decisions"] == [{"matter": "封堵排污口", "unit": "自然资源局", "day": "2026年11月30日"}]
    assert (context["matter"], context["course"]) == ("排污口归属。", "现场查看后商定。")
    assert (context["disagreements"], context["recorder"]) == ("费用另议。", "张员18")
    assert reports.render("onsite_record", context).startswith(b"%PDF")
    people = ("township1", "department1", "department2", "agency1", "dispatcher", "township2", "department3")
    readers = {name for name in people if sees(county, name, Document, document.id)}
    assert readers == {"township1", "department1", "department2", "agency1", "dispatcher"}
    for address in (f"/convening/show/{meeting}", f"/call/show/{call_id}"):
        assert document.name in visitor(county, "township1").get(address).text


def test_an_unprintable_record_of_a_meeting_is_not_kept(county: County) -> None:
    call_id, meeting = convened(county)
    with county.acting(None) as session:
        session.execute(sa.update(Call).where(Call.id == call_id).values(title="河道\U00012000污染"))
    with pytest.raises(Invalid, match="check"):
        county.do("township1", Convening, meeting, "record", record(county, meeting), at("2026-11-24 15:00"))
    assert stored(county, "onsite_record") == []
    with county.acting(None) as session:
        assert session.get_one(Convening, meeting).state == "planned"


@pytest.mark.parametrize("moment", ["2026-11-24 17:30", "2026-11-24 17:31", "2026-11-24 20:00"])
def test_slip_of_the_deadlines_own_minute_says_that_it_is_overdue(county: County, moment: str) -> None:
    county.dispatched("department1")
    with county.acting(None, at(moment)):
        sweep.sweep(transaction)
    context = stored(county, "reminder")[0].context
    assert context["cases"][0]["overdue"] == "不足1分钟"
    html = reports.render_html("reminder", context)
    assert "已超过规定时限不足1分钟" in re.sub(r"</?span[^>]*>", "", html)


def test_emergency_is_overdue_in_natural_time(county: County) -> None:
    county.emergency("department3", when=at("2026-11-21 22:00"))
    with county.acting(None, at("2026-11-21 23:15")):
        sweep.sweep(transaction)
    [case] = stored(county, "reminder")[0].context["cases"]
    assert case["overdue"] == "45分钟"


def test_both_clocks_of_a_matter_stand_apart_on_the_slip(county: County) -> None:
    county.dispatched("department1")
    with county.acting(None, at("2026-12-02 10:00")):
        sweep.sweep(transaction)
    context = stored(county, "reminder")[0].context
    assert [case["due"] for case in context["cases"]] == ["11月24日17时30分（响应）", "11月30日17时30分（反馈）"]
    assert context["action"] == "响应或者反馈办理情况"


def test_unprintable_character_is_named_and_costs_no_number(county: County) -> None:
    call_id = county.submitted()
    with county.acting(None) as session:
        session.execute(sa.update(Call).where(Call.id == call_id).values(title="河道\U00012000污染"))
    with pytest.raises(Invalid) as refused:
        county.do("dispatcher", Call, call_id, "dispatch", {"lead": county["department1"], "cooperating": []})
    assert "U+12000" in str(refused.value.errors["document"][0])
    assert stored(county, "call_slip") == []
    with county.acting(None) as session:
        call = session.get_one(Call, call_id)
        issuer = platform_office(session, county.id)
        with pytest.raises(Unprintable, match="U\\+12000"):
            paper._composers["call_slip"](session, call, Document(number="试1", issued_at=MONDAY, issuer=issuer), None)
        session.rollback()


def test_every_step_of_the_workflows_has_its_line() -> None:
    steps = {transition.name for model in (Call, Assignment) for transition in model.workflow.transitions}
    assert steps <= call_history.LINES.keys()


def test_a_department_that_gave_the_call_back_reads_its_sheet_up_to_the_ruling(county: County) -> None:
    call_id, lead, other = county.dispatched("department1", "department2")
    county.do("department1", Assignment, lead, "request_return", {"reason": "非本局职责。"})
    ruling = {"ruling": "不属其职责。", "lead": county["department4"]}
    county.do("dispatcher", Assignment, lead, "uphold_return", ruling, at("2026-11-23 10:00"))
    county.respond("department2", other, at("2026-11-23 11:00"))
    county.report("department2", other, at("2026-11-23 15:00"), result="后来的结果。")
    seen = str(slip(county, call_id, "department1", at("2026-11-24 09:00")))
    assert "后来的结果。" not in seen
    assert "水务局" not in seen  # called after it
    assert "住建局" in seen
    assert "后来的结果。" in str(slip(county, call_id, "department2", at("2026-11-24 09:00")))


def test_the_further_steps_stand_on_the_sheet_but_no_internal_remark_and_no_other_call(county: County) -> None:
    call_id, lead = county.dispatched("department1")
    other, _one = county.dispatched("department1", township="township2")
    county.do("dispatcher", Call, call_id, "merge", {"calls": [other]})
    county.do("dispatcher", Call, call_id, "comment", {"text": "暗语：请提速。"})
    leader = str(county.people["leader"])
    county.do("dispatcher", Call, call_id, "instruct", {"leader": leader, "text": "请抓紧办理。"})
    county.do("township1", Assignment, lead, "urge")
    county.do("department1", Assignment, lead, "request_return", {"reason": "非本局职责。"})
    for reader in ("township1", "dispatcher", "department1"):
        seen = str(slip(county, call_id, reader, at("2026-11-24 09:00")))
        for words in ("批示：请抓紧办理。", "催办自然资源局", "申请退单：非本局职责。"):
            assert words in seen
        assert "暗语" not in seen
        assert "呼2026-0002" not in seen
