"""What leaders do in calls: decide what was brought before them, give instructions (2.1)."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role

from models.call import Call
from models.escalation import Escalation, Instruction
from models.person import Person
from models.refusal import Conflict, Forbidden, Invalid
from models.substitution import Portfolio
from tests.calls import offered, refusal, told
from tests.county import MONDAY, County, at


def second_leader(county: County, *departments: str) -> None:
    """`leader2`, in charge of departments."""
    with county.acting(None) as session:
        person = Person(
            username="leader2", first_name="员", last_name="副", email="leader2@county.example", password="-", active=True,
            organisation_id=county["county"], session_epoch=0, must_change_password=False,
        )  # fmt: skip
        person.roles = [session.scalars(sa.select(Role).where(Role.name == "county_leader")).one()]
        session.add(person)
        session.flush()
        county.people["leader2"] = person.id
        for name in departments:
            session.add(Portfolio(county_id=county.id, person_id=person.id, department_id=county[name]))


def escalated(county: County, name: str = "township1") -> int:
    call_id, _assignment = county.dispatched("department1")
    county.do(name, Call, call_id, "escalate", {"why": "两部门意见不一。"})
    return call_id


def test_township_and_dispatcher_bring_a_call_before_the_leader_with_a_reason(county: County) -> None:
    call_id, _assignment = county.dispatched("department1")
    for name in ("department1", "director", "supervisor", "leader"):
        refusal(Forbidden, county, name, Call, call_id, "escalate", {"why": "…"})
    assert set(refusal(Invalid, county, "township1", Call, call_id, "escalate").errors) == {"why"}
    escalated(county, "dispatcher")
    county.do("township1", Call, call_id, "escalate", {"why": "两部门意见不一。"})
    refusal(Conflict, county, "dispatcher", Call, call_id, "escalate", {"why": "再次"})
    with county.acting(None) as session:
        asked = session.scalars(sa.select(Escalation).where(Escalation.call_id == call_id)).one()
        assert (asked.state, asked.organisation_id) == ("asked", county["township1"])
        assert asked.due == at("2026-11-26 17:30")  # three working days


def test_it_goes_to_the_portfolio_leader_of_the_lead_department(county: County) -> None:
    second_leader(county, "department1")
    call_id = escalated(county)
    with county.acting(None) as session:
        assert session.scalars(sa.select(Escalation.leader_id)).one() == county.people["leader2"]
    refusal(Forbidden, county, "leader", Call, call_id, "decide_escalation", {"text": "…"})
    assert "decide_escalation" in offered(county, "leader2", Call, call_id)


def test_without_a_portfolio_leader_it_goes_to_the_county_head(county: County) -> None:
    second_leader(county, "department2")
    escalated(county)
    with county.acting(None) as session:
        assert session.scalars(sa.select(Escalation.leader_id)).one() == county.people["leader"]


def test_the_leader_decides_with_text_and_tasks(county: County) -> None:
    call_id = escalated(county)
    for name in ("township1", "dispatcher", "director"):
        refusal(Forbidden, county, name, Call, call_id, "decide_escalation", {"text": "…"})
    assert set(refusal(Invalid, county, "leader", Call, call_id, "decide_escalation").errors) == {"text"}
    values = {"text": "由自然资源局牵头。", "tasks": "三日内拿出方案。"}
    county.do("leader", Call, call_id, "decide_escalation", values, at("2026-11-24 10:00"))
    with county.acting(None) as session:
        decided = session.scalars(sa.select(Escalation)).one()
        assert (decided.state, decided.decision, decided.tasks) == ("decided", values["text"], values["tasks"])
        assert decided.decided_at == at("2026-11-24 10:00")
    assert county.states(call_id) == ("dispatched", "pending")
    refusal(Forbidden, county, "leader", Call, call_id, "decide_escalation", values)  # nothing is before him
    county.do("township1", Call, call_id, "escalate", {"why": "仍未落实。"})


def test_an_escalation_of_a_reported_call_is_decided_too(county: County) -> None:
    call_id, assignment = county.dispatched("department1")
    county.respond("department1", assignment)
    county.report("department1", assignment)
    county.do("township1", Call, call_id, "escalate", {"why": "结果与事实不符。"})
    county.do("leader", Call, call_id, "decide_escalation", {"text": "重新核查。"})
    assert county.states(call_id) == ("reported", "reported")


def test_an_escalation_falls_away_with_the_call(county: County) -> None:
    call_id = escalated(county)
    county.do("township1", Call, call_id, "withdraw", {"reason": "已解决。"})
    with county.acting(None) as session:
        assert session.scalars(sa.select(Escalation.state)).one() == "lapsed"


def test_a_county_leader_instructs_in_his_own_name_in_any_state(county: County) -> None:
    second_leader(county)
    call_id, _assignment = county.dispatched("department1")
    text = {"leader": str(county.people["leader"]), "text": "请抓紧办理。"}
    for name in ("township1", "department1", "supervisor"):
        refusal(Forbidden, county, name, Call, call_id, "instruct", text)
    refusal(Invalid, county, "leader2", Call, call_id, "instruct", text)
    values = {**text, "target": str(county["department1"]), "day": "2026-11-23"}
    county.do("leader", Call, call_id, "instruct", values)
    county.do("township1", Call, call_id, "withdraw", {"reason": "已解决。"})
    county.do("leader", Call, call_id, "instruct", text, at("2026-11-24 10:00"))
    with county.acting(None) as session:
        first, second = session.scalars(sa.select(Instruction).order_by(Instruction.id)).all()
        assert (first.text, first.target_id, first.day) == ("请抓紧办理。", county["department1"], date(2026, 11, 23))
        assert (first.leader_id, first.entered_by_id) == (county.people["leader"], None)
        assert second.day == date(2026, 11, 24)


def test_the_office_enters_an_instruction_written_on_paper(county: County) -> None:
    call_id, _assignment = county.dispatched("department1")
    values = {"leader": str(county.people["leader"]), "text": "请抓紧办理。", "day": "2026-11-20"}
    for name in ("dispatcher", "director"):
        county.do(name, Call, call_id, "instruct", values)
    with county.acting(None) as session:
        found = session.scalars(sa.select(Instruction).order_by(Instruction.id)).all()
        assert [one.leader_id for one in found] == [county.people["leader"]] * 2
        assert [one.entered_by_id for one in found] == [county.people["dispatcher"], county.people["director"]]
    assert dict(told(county, "department1", call_id))["instruct"]["text"] == "请抓紧办理。"


def test_an_instruction_names_a_leader_a_text_and_no_day_to_come(county: County) -> None:
    call_id, _assignment = county.dispatched("department1")
    assert set(refusal(Invalid, county, "dispatcher", Call, call_id, "instruct").errors) == {"leader", "text"}
    for wrong, value in (
        ("day", "2026-11-24"),
        ("leader", str(county.people["director"])),
        ("target", str(county["department2"])),
    ):
        values = {"leader": str(county.people["leader"]), "text": "…", wrong: value}
        assert set(refusal(Invalid, county, "dispatcher", Call, call_id, "instruct", values, MONDAY).errors) == {wrong}
