"""Personnel consultations and adjustment proposals (2.7; S3, S4): gate, clock, opinions, names, who sees what."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy.exc import IntegrityError

from app.database import transaction
from models import clock
from models.agency import StationedAgency
from models.automatic import sweep_automatic
from models.consultation import (
    ConsultationCandidate,
    ConsultationHandler,
    ConsultationOpinion,
    PersonnelConsultation,
)
from models.event import EventValue
from models.notification import Notification
from models.person import Person
from models.proposal import AdjustmentProposal
from models.refusal import Conflict, Forbidden, Invalid, NotFound, Refused
from models.setting import Setting
from models.supervision import Notice
from models.workflow import possible
from tests.conftest import Installation
from tests.county import MONDAY, County, at

REPLY = {"opinion": "agree", "meeting_date": "2026-11-20"}
DISAGREE = {"opinion": "disagree", "meeting_date": "2026-11-20", "reasons": "该同志熟悉辖区情况，建议留任。"}
DECISION = {"decision": "as_proposed", "decision_text": "按原方案任命。"}
DUE = at("2026-12-23 17:30")


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough for the rules; migrations are compared on both."""
    sqlite_installation.fresh("county")
    return sqlite_installation


def put(county: County, name: str, value: str) -> None:
    with county.acting(None) as session:
        session.add(Setting(county_id=county.id, name=name, value=value))


def draft(county: County, name: str = "department1", **values: Any) -> int:
    given = {"agency_id": county.agencies["agency1"], "action": "appoint", "reason": "工作需要。", **values}
    with county.acting(name, MONDAY) as session:
        made = PersonnelConsultation()
        made.prepare(session, county.viewer(name))
        for key, value in given.items():
            setattr(made, key, value)
        session.add(made)
        session.flush()
        return made.id


def step(county: County, key: int, name: str, what: str, when: datetime = MONDAY, **values: Any) -> Any:
    return county.do(name, PersonnelConsultation, key, what, values, when)


def sent(county: County, **values: Any) -> int:
    key = draft(county, **values)
    step(county, key, "department1", "send")
    return key


def state(county: County, key: int) -> str:
    with county.acting(None) as session:
        return str(session.get_one(PersonnelConsultation, key).state)


def sweep(county: County, when: datetime) -> int:
    with county.app.app_context(), clock.at(when):
        return sweep_automatic(transaction)


# ---- the gate


def test_no_decision_before_every_opinion_is_in(county: County) -> None:
    """S3; 2.7: a hard gate, in the workflow and in the database."""
    key = draft(county)
    with pytest.raises(NotFound):  # before it is sent, the proposer alone knows of it
        step(county, key, "township1_leader", "reply", **REPLY)
    step(county, key, "department1", "send")
    with pytest.raises(Conflict):
        step(county, key, "department1", "decide", **DECISION)
    table = sa.inspect(PersonnelConsultation).local_table
    with county.acting(None) as session:
        found = session.get_one(PersonnelConsultation, key)
        assert (found.number, found.reply_due, found.outstanding) == ("征询〔2026〕1号", DUE, 1)
        forced = sa.update(table).where(table.c.id == key).values(state="decided", decision="as_proposed")
        nested = session.begin_nested()
        with pytest.raises(IntegrityError):
            session.execute(forced)
        nested.rollback()
        session.execute(sa.update(table).where(table.c.id == key).values(outstanding=0, state="replied"))
    with pytest.raises(Conflict):  # the guard counts the opinions themselves
        step(county, key, "department1", "decide", **DECISION)
    with county.acting(None) as session:
        session.execute(sa.update(table).where(table.c.id == key).values(outstanding=1, state="consulting"))
    step(county, key, "township1_leader", "reply", **REPLY)
    assert state(county, key) == "replied"
    with pytest.raises(Conflict):
        step(county, key, "township1_leader", "reply", **DISAGREE)
    step(county, key, "department1_leader", "decide", **DECISION)
    with pytest.raises(Conflict):
        step(county, key, "department1", "withdraw", reason="改主意")
    step(county, key, "department1", "inform")
    assert state(county, key) == "done"


def test_only_the_secretary_of_the_addressed_party_committee_replies(county: County) -> None:
    """2.7: addressee and signer are the township's Party committee and its secretary."""
    key = sent(county)
    for name, error in (
        ("township1", Forbidden), ("department1", Forbidden), ("department1_leader", Forbidden), ("personnel", Forbidden),
        ("township2_leader", NotFound), ("leader", NotFound),
    ):  # fmt: skip
        with pytest.raises(error):
            step(county, key, name, "reply", **REPLY)
    with county.acting(None) as session:
        session.get_one(Person, county.people["township1_leader"]).party_secretary = False
    with pytest.raises(Forbidden):
        step(county, key, "township1_leader", "reply", **REPLY)
    with county.acting("township1_leader") as session:
        seen = session.scalars(sa.select(PersonnelConsultation)).one()
        assert possible(seen, county.viewer("township1_leader")) == []
    with county.acting(None) as session:
        session.get_one(Person, county.people["township1_leader"]).party_secretary = True
    for wrong, fields in (
        ({"opinion": "agree"}, {"meeting_date"}),
        ({**REPLY, "meeting_date": "2026-11-24"}, {"meeting_date"}),
        ({**DISAGREE, "reasons": " "}, {"reasons"}),
        ({"opinion": "perhaps", "meeting_date": "2026-11-20"}, {"opinion"}),
    ):
        with pytest.raises(Invalid) as refused:
            step(county, key, "township1_leader", "reply", **wrong)
        assert set(refused.value.errors) == fields
    step(county, key, "township1_leader", "reply", **DISAGREE)
    with county.acting(None) as session:
        opinion = session.scalars(sa.select(ConsultationOpinion)).one()
        assert (str(opinion.opinion), opinion.signed_by, opinion.replied_at) == (
            "disagree", session.get_one(Person, county.people["township1_leader"]).name, MONDAY,
        )  # fmt: skip


def test_deciding_against_a_disagreement_demands_a_reasoned_written_reply(county: County) -> None:
    """2.7, rule `hear`, the default."""
    for opinion in ("disagree", "defer"):
        key = sent(county)
        step(county, key, "township1_leader", "reply", **{**DISAGREE, "opinion": opinion})
        with pytest.raises(Invalid) as refused:
            step(county, key, "department1", "decide", **DECISION)
        assert set(refused.value.errors) == {"reasoned_reply"}
        step(county, key, "department1", "decide", **DECISION, reasoned_reply="该同志任期已满，须按规定交流。")
        assert state(county, key) == "decided"
    followed = sent(county)
    step(county, followed, "township1_leader", "reply", **DISAGREE)
    step(county, followed, "department1", "decide", decision="not_pursued", decision_text="暂不调整。")
    assert state(county, followed) == "decided"


def test_where_consent_is_needed_nothing_is_decided_against_it(county: County) -> None:
    """2.7, rule `consent`."""
    put(county, "consultation_rule", "consent")
    key = sent(county)
    step(county, key, "township1_leader", "reply", **DISAGREE)
    with pytest.raises(Invalid) as refused:
        step(county, key, "department1", "decide", **DECISION, reasoned_reply="任期已满。")
    assert set(refused.value.errors) == {"decision"}
    step(county, key, "department1", "decide", decision="changed", decision_text="另选他人，重新征求意见。")
    agreed = sent(county)
    step(county, agreed, "township1_leader", "reply", **REPLY)
    step(county, agreed, "department1", "decide", **DECISION)
    silent = sent(county)
    assert sweep(county, DUE + timedelta(minutes=1)) == 1
    with pytest.raises(Invalid):  # silence is no consent
        step(county, silent, "department1", "decide", **DECISION)


def test_disagreement_on_a_head_is_coordinated_by_the_organisation_department(county: County) -> None:
    key = sent(county)
    with pytest.raises(Conflict):
        step(county, key, "personnel", "coordinate", coordination="x")
    step(county, key, "township1_leader", "reply", **DISAGREE)
    with pytest.raises(Forbidden):
        step(county, key, "department1", "coordinate", coordination="x")
    step(county, key, "personnel", "coordinate", coordination="建议按原方案，任前谈话。")
    assert state(county, key) == "replied"
    agreed, deputy = sent(county), sent(county, chief=False)
    step(county, agreed, "township1_leader", "reply", **REPLY)
    step(county, deputy, "township1_leader", "reply", **DISAGREE)
    for other in (agreed, deputy):
        with pytest.raises(Conflict):
            step(county, other, "personnel", "coordinate", coordination="x")
    own = draft(county, "personnel")
    step(county, own, "personnel", "send")
    step(county, own, "township1_leader", "reply", **DISAGREE)
    with pytest.raises(Forbidden):  # nobody coordinates what he proposed himself
        step(county, own, "personnel", "coordinate", coordination="x")


# ---- the clock


@pytest.mark.parametrize(("rule_", "lapsed", "consent"), [("silence", "lapsed", False), ("consent", "lapsed", True)])
def test_a_reply_lapses_after_a_calendar_month_by_the_rule_told(
    county: County, rule_: str, lapsed: str, consent: bool
) -> None:
    put(county, "consultation_lapse", rule_)
    key = sent(county)
    with county.acting(None) as session:
        session.scalars(sa.select(Setting).where(Setting.name == "consultation_lapse")).one().value = "extension"
    assert sweep(county, DUE) == 0
    late = DUE + timedelta(minutes=1)
    assert (sweep(county, late), sweep(county, late)) == (1, 0)
    assert state(county, key) == "replied"
    with county.acting(None) as session:
        opinion = session.scalars(sa.select(ConsultationOpinion)).one()
        assert (str(opinion.state), opinion.deemed_consent, opinion.opinion) == (lapsed, consent, None)
    with pytest.raises(Conflict):
        step(county, key, "township1_leader", "reply", late, **REPLY)
    step(county, key, "department1", "decide", late, **DECISION)


def test_a_reply_may_be_extended_once(county: County) -> None:
    put(county, "consultation_lapse", "extension")
    key = sent(county)
    assert sweep(county, DUE + timedelta(minutes=1)) == 1
    assert state(county, key) == "consulting"
    with county.acting(None) as session:
        second = session.get_one(PersonnelConsultation, key).reply_due
    assert second == at("2027-01-07 17:30")  # 10 working days, 1 January a holiday
    assert sweep(county, second + timedelta(minutes=1)) == 1
    assert state(county, key) == "replied"


def test_a_transfer_hears_both_townships_and_neither_reads_the_other(county: County) -> None:
    with county.acting(None) as session:
        session.get_one(StationedAgency, county.agencies["agency2"]).department_id = county["department1"]
    key = sent(county, action="transfer", to_agency_id=county.agencies["agency2"])
    step(county, key, "township1_leader", "reply", **DISAGREE)
    assert state(county, key) == "consulting"
    with pytest.raises(Conflict):
        step(county, key, "department1", "decide", **DECISION)
    with pytest.raises(Conflict):  # once
        step(county, key, "township1_leader", "reply", **REPLY)
    page = county.client("township2_leader").get(f"/personnel_consultation/show/{key}").text
    assert "青石乡" in page
    assert DISAGREE["reasons"] not in page
    assert DISAGREE["reasons"] in county.client("department1").get(f"/personnel_consultation/show/{key}").text
    with county.acting("township2") as session:
        assert [one.township_id for one in session.scalars(sa.select(ConsultationOpinion))] == [county["township2"]]
    step(county, key, "township2_leader", "reply", **REPLY)
    assert state(county, key) == "replied"
    for wrong in ({"action": "appoint"}, {"action": "transfer", "agency_id": county.agencies["agency2"]}):
        with pytest.raises(Invalid):
            draft(county, to_agency_id=county.agencies["agency2"], **wrong)


# ---- proposals


def test_an_adjustment_proposal_must_be_answered_within_ten_working_days(county: County) -> None:
    """S4; 2.7."""
    given = {"performance": "2026年以来", "proposal": "建议调整岗位。", "reason": "多次缺席联合执法。"}
    with county.acting("township1", MONDAY) as session:
        made = AdjustmentProposal(agency_id=county.agencies["agency1"], **given)
        made.prepare(session, county.viewer("township1"))
        session.add(made)
        session.flush()
        key = made.id

    def do(name: str, what: str, **values: Any) -> Any:
        return county.do(name, AdjustmentProposal, key, what, values)

    with pytest.raises(Invalid) as refused:
        do("township1", "send")
    assert set(refused.value.errors) == {"meeting_date"}
    with county.acting("township1", MONDAY) as session:
        session.get_one(AdjustmentProposal, key).meeting_date = MONDAY.date()
    for name in ("department1", "personnel"):
        with pytest.raises(NotFound):
            do(name, "answer", answer="accepted")
    do("township1", "send")
    with county.acting(None) as session:
        found = session.get_one(AdjustmentProposal, key)
        assert (found.answer_due, found.department_id) == (at("2026-12-07 17:30"), county["department1"])
    with pytest.raises(Invalid) as refused:
        do("department1", "answer", answer="declined")
    assert set(refused.value.errors) == {"reasons"}
    for name, error in (("township1", Forbidden), ("personnel", Forbidden), ("department2", NotFound)):
        with pytest.raises(error):
            do(name, "answer", answer="accepted")
    do("department1", "answer", answer="declined", reasons="已约谈，观察一个季度。", measures="每月到镇述职。")
    with pytest.raises(Conflict):
        do("township1", "withdraw", reason="已改善。")


def test_what_is_overdue_ends_at_the_organisation_department(county: County) -> None:
    """2.7: nothing here ever reaches supervision or a bulletin."""
    key = sent(county)
    late = DUE + timedelta(days=1)
    sweep(county, late)
    with clock.at(late):
        page = county.client("personnel").get("/personnel_consultation/list/?tab=overdue").text
        assert f"/personnel_consultation/show/{key}" in page
        for name in ("supervisor", "leader", "director", "dispatcher"):
            assert county.client(name).get("/personnel_consultation/list/?tab=overdue").status_code == 403
    with county.acting(None) as session:
        assert session.scalars(sa.select(Notice)).all() == []
        assert session.scalars(sa.select(Notification)).all() == []


# ---- names


def test_names_stay_on_paper_by_default(county: County) -> None:
    key = draft(county)

    def enter(name: str = "department1") -> None:
        with county.acting(name, MONDAY) as session:
            session.add(
                ConsultationCandidate(county_id=county.id, consultation_id=key, name="钱学礼", proposed_post="所长")
            )

    with pytest.raises(Invalid) as refused:
        enter()
    assert set(refused.value.errors) == {"name"}
    with pytest.raises(Conflict):
        step(county, key, "department1", "name_handlers", handlers=[county.people["department1_leader"]])
    step(county, key, "department1", "send")
    put(county, "candidate_names", "in_portal")
    with pytest.raises(Conflict):  # what was sent is no longer changed
        enter()


def test_names_in_the_portal_are_for_named_handlers_only(county: County) -> None:
    put(county, "candidate_names", "in_portal")
    key = draft(county)
    with pytest.raises(Conflict):  # the letter would have no names
        step(county, key, "department1", "send")
    with county.acting("department1", MONDAY) as session:
        session.add(
            ConsultationCandidate(county_id=county.id, consultation_id=key, name="钱学礼", proposed_post="所长")
        )
    step(county, key, "department1", "send")

    def readers() -> set[str]:
        found = set()
        for name in county.people:
            with county.acting(name) as session:
                if session.scalars(sa.select(ConsultationCandidate)).all():
                    found.add(name)
        return found

    assert readers() == {"department1", "township1_leader"}
    with pytest.raises(Invalid):
        step(county, key, "township1_leader", "name_handlers", handlers=[county.people["department1_leader"]])
    step(county, key, "township1_leader", "name_handlers", handlers=[county.people["township1"]])
    step(county, key, "department1", "name_handlers", handlers=[county.people["personnel"]])
    assert readers() == {"department1", "township1_leader", "township1", "personnel"}
    with county.acting(None) as session:
        kept = [str(value) for value in session.scalars(sa.select(EventValue.value))]
        assert not any("钱学礼" in value for value in kept)
        session.scalars(sa.select(Setting).where(Setting.name == "candidate_names")).one().value = "off_portal"
        assert session.scalars(sa.select(ConsultationHandler)).all()
    assert readers() == set()


# ---- any steps in any order


class Consulting(RuleBasedStateMachine):
    """A consultation of two townships through random steps by anybody, legal and illegal."""

    county: County
    people = st.sampled_from(
        [
            "department1",
            "department1_leader",
            "township1",
            "township1_leader",
            "township2_leader",
            "township3_leader",
            "personnel",
            "leader",
        ]
    )

    @initialize(lapse=st.sampled_from(["consent", "silence", "extension"]))
    def begin(self, lapse: str) -> None:
        with self.county.acting(None) as session:
            row = session.scalars(sa.select(Setting).where(Setting.name == "consultation_lapse")).one_or_none()
            if row is None:
                session.add(Setting(county_id=self.county.id, name="consultation_lapse", value=lapse))
            else:
                row.value = lapse
        self.now = MONDAY
        self.key = draft(self.county, action="transfer", to_agency_id=self.county.agencies["agency2"])

    def attempt(self, name: str, what: str, **values: Any) -> None:
        before = state(self.county, self.key)
        waiting = self.waiting()
        try:
            step(self.county, self.key, name, what, self.now, **values)
        except Refused:
            assert state(self.county, self.key) == before
            return
        if what == "reply":
            assert name in ("township1_leader", "township2_leader")
        else:
            assert name in ("department1", "department1_leader", "personnel")
        if what == "decide":
            assert before == "replied"
            assert waiting == 0

    def waiting(self) -> int:
        with self.county.acting(None) as session:
            outstanding = sa.select(sa.func.count()).where(
                ConsultationOpinion.consultation_id == self.key, ConsultationOpinion.state == "outstanding"
            )
            return int(session.scalar(outstanding) or 0)

    @rule(name=people)
    def send(self, name: str) -> None:
        self.attempt(name, "send")

    @rule(name=people, opinion=st.sampled_from(["agree", "disagree", "defer"]))
    def reply(self, name: str, opinion: str) -> None:
        self.attempt(name, "reply", **{**DISAGREE, "opinion": opinion})

    @rule(name=people, reasoned=st.booleans())
    def decide(self, name: str, reasoned: bool) -> None:
        self.attempt(name, "decide", **DECISION, reasoned_reply="任期已满。" if reasoned else "")

    @rule(name=people, what=st.sampled_from(["inform", "withdraw", "coordinate"]))
    def other(self, name: str, what: str) -> None:
        self.attempt(name, what, reason="改主意。", coordination="建议按原方案。")

    @rule(days=st.integers(1, 40))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)
        sweep(self.county, self.now)

    @invariant()
    def decided_only_with_every_opinion_in(self) -> None:
        if not hasattr(self, "key"):
            return
        outstanding = self.waiting()
        with self.county.acting(None) as session:
            found = session.get_one(PersonnelConsultation, self.key)
            assert found.outstanding == outstanding
            assert (found.reply_due is not None) == (outstanding > 0)
            if str(found.state) in ("replied", "decided", "done", "withdrawn"):
                assert outstanding == 0
            if str(found.state) == "consulting":
                assert outstanding > 0


def test_whatever_is_tried_no_decision_comes_before_the_opinions(county: County) -> None:
    """Random steps: no decision while an opinion is outstanding, only the addressed reply, the proposer never does."""
    with county.acting(None) as session:
        session.get_one(StationedAgency, county.agencies["agency2"]).department_id = county["department1"]
    Consulting.county = county
    run_state_machine_as_test(
        Consulting,
        settings=settings(
            max_examples=10, stateful_step_count=14, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
