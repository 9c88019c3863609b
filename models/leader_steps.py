"""What leaders do in calls: decide what was brought before them, give instructions (2.1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from models.calendar import work_calendar
from models.call import Call
from models.call_roles import DIRECTOR, DISPATCHER, LEADER, TOWNSHIP, acts_as, leader_for
from models.call_words import CallState
from models.escalation import Escalation, EscalationState, Instruction
from models.field import Field, Text
from models.person import Person
from models.refusal import Invalid
from models.setting import setting
from models.viewer import Viewer
from models.workflow import By, Step, Transition


def open_escalation(call: Call) -> Escalation | None:
    return next((one for one in call.escalations if one.state == EscalationState.asked), None)


def _asked(call: Call, now: datetime) -> Any:
    return _l("This call is before the leader already.") if open_escalation(call) is not None else None


def _escalate(step: Step) -> None:
    call: Call = step.record
    assert step.person is not None
    assert step.person.organisation_id is not None
    leader = leader_for(step.session, call)
    made = Escalation(
        county_id=call.county_id,
        call=call,
        why=step.values["why"],
        organisation_id=step.person.organisation_id,
        asked_at=step.now,
        leader_id=leader.id if leader is not None else None,
        due=work_calendar(step.session, call.county_id).deadline(
            step.now, setting(step.session, call.county_id, "leader_decision_limit")
        ),
    )
    step.session.add(made)
    if leader is not None:
        step.shown["leader"] = {"id": leader.id, "name": leader.name}


def _addressed(call: Call, person: Any) -> bool:
    asked = open_escalation(call)
    return LEADER.relation(call, person) and asked is not None and acts_as(person, asked.leader_id)


def _decide(step: Step) -> None:
    asked = open_escalation(step.record)
    assert asked is not None
    asked.state = EscalationState.decided
    asked.decision = step.values["text"]
    asked.tasks = step.values["tasks"] or ""
    asked.decided_at = step.now


def leaders(record: Any) -> list[tuple[str, Text]]:
    """The county leaders whose instruction the office may enter from paper."""
    session = sa.orm.object_session(record)
    if session is None:
        return []
    found = session.scalars(
        sa.select(Person)
        .where(
            Person.organisation_id == record.county_id, Person.active.is_(True), Person.roles.any(name="county_leader")
        )
        .order_by(Person.id)
    )
    return [(str(one.id), one.name) for one in found]


def _own_key(call: Call, person: Viewer) -> str:
    """The leader himself, or the one whose substitute this person is."""
    if "county_leader" in person.own_roles:
        return str(person.person_id)
    return next((str(one.person_id) for one in person.deputed if one.role == "county_leader"), "")


def _targets(call: Call) -> list[tuple[str, Text]]:
    found = {one.department_id: one.department.short_name for one in call.assignments if one.state.value != "returned"}
    return [(str(key), name) for key, name in found.items()]


def _instruct_guard(step: Step) -> None:
    """A leader gives his own instructions; the office enters those that a leader wrote on paper."""
    assert step.person is not None
    leader = int(step.values["leader"])
    if step.person.has_role("county_leader") and not acts_as(step.person, leader):
        raise Invalid({"leader": _l("An instruction is given in one's own name.")})
    today = work_calendar(step.session, step.record.county_id).local_date(step.now)
    if step.values["day"] is not None and step.values["day"] > today:
        raise Invalid({"day": _l("This day lies in the future.")})


def _instruct(step: Step) -> None:
    call: Call = step.record
    assert step.person is not None
    leader = step.session.get_one(Person, int(step.values["leader"]))
    target = int(step.values["target"]) if step.values["target"] else None
    made = Instruction(
        county_id=call.county_id,
        call=call,
        leader_id=leader.id,
        text=step.values["text"],
        target_id=target,
        day=step.values["day"] or work_calendar(step.session, call.county_id).local_date(step.now),
        entered_by_id=step.person.person_id if step.person.person_id != leader.id else None,
    )
    step.session.add(made)
    step.shown["leader"] = {"id": leader.id, "name": leader.name}
    if target is not None:
        step.shown["target"] = {"id": target, "name": dict(_targets(call))[str(target)]}


TRANSITIONS = (
    Transition(
        "escalate",
        _l("Bring before the leader"),
        (TOWNSHIP, DISPATCHER),
        ("dispatched", "reported"),
        obstacle=_asked,
        effect=_escalate,
        icon="arrow-big-up-lines",
        done=_l("Brought before the leader"),
        asks=(Field("why", _l("Why it is brought before the leader"), "long_text"),),
        help=_l("Goes to the portfolio leader of the lead department, who decides in three working days."),
    ),
    Transition(
        "decide_escalation",
        _l("Decide"),
        (By(LEADER.roles, _addressed),),
        ("dispatched", "reported"),
        effect=_decide,
        primary=True,
        icon="gavel",
        done=_l("Leader decided"),
        asks=(
            Field("text", _l("Decision"), "long_text"),
            Field("tasks", _l("Tasks"), "long_text", required=False),
        ),
    ),
    Transition(
        "instruct",
        _l("Give an instruction"),
        (LEADER, DISPATCHER, DIRECTOR),
        tuple(state.value for state in CallState if state is not CallState.draft),
        guard=_instruct_guard,
        effect=_instruct,
        icon="writing-sign",
        done=_l("Instruction given"),
        asks=(
            Field("leader", _l("Leader"), "choice", choices=leaders, default=_own_key),
            Field("text", _l("Instruction"), "long_text"),
            Field("target", _l("To whom"), "choice", required=False, choices=_targets),
            Field("day", _l("Date"), "date", required=False, help=_l("Empty: today.")),
        ),
        help=_l("Stands on the flow sheet. The office may enter one that a leader wrote on paper."),
    ),
)
