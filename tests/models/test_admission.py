"""Off-list admissions: nothing is handed down without the townships' written opinion, review, approval and an end (2.5, C5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy.exc import IntegrityError

from app.database import transaction
from models import clock
from models.admission import Admission, AdmissionKind, AdmissionOpinion, AdmissionState, Answer, OpinionState
from models.admission_opinion_workflow import anonymous_opinions
from models.automatic import sweep_automatic
from models.event import Event
from models.hand_down_report import HandDownReport
from models.refusal import Conflict, Forbidden, Invalid, NotFound, Refused
from models.setting import Setting
from tests.conftest import Installation
from tests.county import MONDAY, County, at

LAPSED = at("2026-11-30 17:31")
"""Five working days after Monday the 23rd, when office hours have closed."""

TEXTS = {
    "matter": "养老保险待遇资格入户核查",
    "content": "入户核对在世情况，不承担追缴。",
    "legal_basis": "省厅通知",
    "why_not_self": "需要熟悉村情的人带路",
    "workload": "每镇约200户",
    "funds": "每户5元，预先拨付",
    "staff": "县局派4人",
    "guidance": "县局设咨询电话",
    "training": "集中培训半天",
    "end_condition": "核查表收齐即止",
}


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough: nothing here differs by database."""
    sqlite_installation.fresh("county")
    return sqlite_installation


def draft(county: County, who: str = "department1", **values: Any) -> int:
    fields = {
        **TEXTS,
        "kind": AdmissionKind.temporary,
        "term_months": 3,
        "townships": [county["township1"], county["township2"]],
        **values,
    }
    with county.acting(who, MONDAY) as session:
        made = Admission(**fields)
        made.prepare(session, county.viewer(who))
        session.add(made)
        session.flush()
        return made.id


def step(county: County, who: str, key: int, name: str, when: datetime = MONDAY, **values: Any) -> None:
    county.do(who, Admission, key, name, values, when)


def consulted(county: County, when: datetime = MONDAY, **values: Any) -> int:
    """An application on which two townships are asked."""
    key = draft(county, **values)
    step(county, "department1", key, "submit", when)
    asked = [county["township1"], county["township2"]]
    step(county, "checklist", key, "consult", when, townships=asked)
    return key


def opinions(county: County, key: int) -> dict[int, tuple[int, str]]:
    """Of each township asked: the key and state of its opinion that counts."""
    with county.acting(None) as session:
        rows = session.scalars(
            sa.select(AdmissionOpinion).where(
                AdmissionOpinion.admission_id == key, AdmissionOpinion.state != OpinionState.void
            )
        )
        return {one.township_id: (one.id, str(one.state)) for one in rows}


def opine(
    county: County,
    township: str,
    key: int,
    answer: str = "agree",
    text: str = "",
    when: datetime = MONDAY,
    by: str = "",
) -> None:
    opinion, _state = opinions(county, key)[county[township]]
    who = by or f"{township}_leader"
    county.do(who, AdmissionOpinion, opinion, "opine", {"answer": answer, "text": text}, when)


def awaiting_approval(county: County, when: datetime = MONDAY, answer: str = "agree", **values: Any) -> int:
    key = consulted(county, when, **values)
    opine(county, "township1", key, when=when)
    opine(county, "township2", key, answer, "人手不足" if answer != "agree" else "", when)
    step(county, "checklist", key, "to_legal", when)
    step(county, "legal", key, "pass", when, text="合法")
    return key


def state(county: County, key: int) -> str:
    with county.acting(None) as session:
        return str(session.get_one(Admission, key).state)


def force(county: County, key: int, **values: Any) -> None:
    """Write past the workflow, as a faulty program would: what the database itself refuses."""
    with county.acting(None) as session:
        admission = session.get_one(Admission, key)
        for name, value in values.items():
            setattr(admission, name, value)


def sweep(county: County, when: datetime) -> int:
    with county.app.app_context(), clock.at(when):
        return sweep_automatic(transaction)


def refused_fields(county: County, key: int, who: str = "department1", name: str = "submit", **values: Any) -> set[str]:
    with pytest.raises(Invalid) as refused:
        step(county, who, key, name, **values)
    return set(refused.value.errors)


# ---- the application


def test_funds_staff_guidance_and_training_are_each_filled_or_the_application_is_refused(county: County) -> None:
    for name in (*TEXTS, "kind", "term_months", "townships"):
        empty: Any = [] if name == "townships" else (None if name in ("kind", "term_months") else "")
        assert refused_fields(county, draft(county, **{name: empty})) == {name}
    foreign = draft(county, townships=[county["township1"], county["township9"]])
    assert refused_fields(county, foreign) == {"townships"}


def test_the_term_is_at_most_the_setting_s_twelve_months(county: County) -> None:
    for months in (13, 0, -1, 100_000):
        assert refused_fields(county, draft(county, term_months=months)) == {"term_months"}
    step(county, "department1", draft(county, term_months=12), "submit")
    with county.acting(None) as session:
        session.add(Setting(county_id=county.id, name="admission_longest_term", value="60 calendar_days"))
    other = {"matter": "另一事项"}
    assert refused_fields(county, draft(county, term_months=2, **other)) == {"term_months"}
    step(county, "department1", draft(county, term_months=1, **other), "submit")


def test_the_same_matter_is_renewed_at_most_once(county: County) -> None:
    first = awaiting_approval(county)
    step(county, "leader", first, "approve")
    again = draft(county, matter="养老保险待遇资格，入户核查。")
    assert refused_fields(county, again) == {"matter"}
    assert refused_fields(county, draft(county, matter="别的", renewal_of_id=draft(county))) == {"renewal_of"}
    second = awaiting_approval(county, renewal_of_id=first)
    assert refused_fields(county, draft(county, renewal_of_id=first)) == {"renewal_of"}
    step(county, "leader", second, "approve")
    assert refused_fields(county, draft(county, renewal_of_id=second)) == {"renewal_of"}
    with pytest.raises(IntegrityError):
        force(county, again, renewal_of_id=first, state=AdmissionState.submitted)


# ---- consulting


def test_every_township_concerned_is_asked_and_replies_by_its_leader_to_the_staffing_office(county: County) -> None:
    key = consulted(county)
    assert {township: found for township, (_key, found) in opinions(county, key).items()} == {
        county["township1"]: "outstanding",
        county["township2"]: "outstanding",
    }
    with county.acting(None) as session:
        due = session.scalars(sa.select(AdmissionOpinion.due)).first()
        assert due == at("2026-11-30 17:30")
    for who in ("township1", "checklist"):
        with pytest.raises(Forbidden):
            opine(county, "township1", key, by=who)
    for who in ("township2_leader", "department1_leader", "legal", "leader"):
        with pytest.raises(NotFound):
            opine(county, "township1", key, by=who)
    for answer in ("disagree", "on_conditions"):
        with pytest.raises(Invalid) as refused:
            opine(county, "township1", key, answer)
        assert set(refused.value.errors) == {"text"}
    opine(county, "township1", key, "on_conditions", "先拨付经费")
    with county.acting(None) as session:
        found = session.get_one(AdmissionOpinion, opinions(county, key)[county["township1"]][0])
        assert (found.answer, found.text) == (Answer.on_conditions, "先拨付经费")
        assert found.signed_by_id == county.people["township1_leader"]


def test_no_further_step_while_an_opinion_is_outstanding(county: County) -> None:
    key = consulted(county)
    opine(county, "township1", key)
    with pytest.raises(Conflict, match="outstanding"):
        step(county, "checklist", key, "to_legal")
    with county.acting(None) as session:
        session.get_one(Admission, key).state = AdmissionState.approval
    with pytest.raises(Conflict, match="outstanding"):
        step(county, "leader", key, "approve")
    with pytest.raises(IntegrityError, match="outstanding"):
        force(county, key, in_force_from=MONDAY, in_force_until=LAPSED, state=AdmissionState.in_force)


def test_a_lapsed_reply_is_silence_and_going_on_needs_the_staffing_office_s_written_reason(county: County) -> None:
    key = consulted(county)
    opine(county, "township1", key)
    assert sweep(county, LAPSED - timedelta(minutes=2)) == 0
    assert sweep(county, LAPSED) == 1
    assert sweep(county, LAPSED) == 0
    assert opinions(county, key)[county["township2"]][1] == "lapsed"
    assert refused_fields(county, key, "checklist", "to_legal", when=LAPSED) == {"silence_reason"}
    step(county, "checklist", key, "to_legal", LAPSED, silence_reason="已两次电话提醒")
    with county.acting(None) as session:
        said = [one.answer for one in anonymous_opinions(session, key)]
        assert said == [Answer.agree, None], "silence is never consent"


def test_content_changed_after_it_was_returned_voids_the_opinions(county: County) -> None:
    key = consulted(county)
    for township in ("township1", "township2"):
        opine(county, township, key)
    for changed in (False, True):
        step(county, "checklist", key, "to_legal")
        step(county, "legal", key, "return_for_change", reason="请写明经费")
        if changed:
            with county.acting("department1", MONDAY) as session:
                session.get_one(Admission, key).funds = "每户8元"
        step(county, "department1", key, "submit")
        assert len(opinions(county, key)) == (0 if changed else 2)
        step(county, "checklist", key, "consult", townships=[county["township1"], county["township2"]])
    assert {found for _key, found in opinions(county, key).values()} == {"outstanding"}
    with county.acting(None) as session:
        total = session.scalar(sa.select(sa.func.count()).select_from(AdmissionOpinion))
        assert total == 4, "what was said of the earlier content stays readable"


# ---- deciding


def test_approving_against_a_disagreement_needs_written_reasons(county: County) -> None:
    key = awaiting_approval(county, answer="disagree")
    assert refused_fields(county, key, "leader", "approve") == {"reason"}
    step(county, "leader", key, "approve", reason="经费已加倍")
    assert state(county, key) == "in_force"


def test_each_step_belongs_to_its_office_and_nobody_decides_what_he_filed(county: County) -> None:
    key = awaiting_approval(county)
    for who in ("checklist", "legal", "department1"):
        with pytest.raises(Forbidden):
            step(county, who, key, "approve")
    for who in ("director", "supervisor", "department2", "township3", "leader9"):
        with pytest.raises(NotFound):
            step(county, who, key, "approve")
    with county.acting(None) as session:
        session.get_one(Admission, key).submitted_by_id = county.people["leader"]
    for name in ("approve", "refuse"):
        with pytest.raises(Forbidden):
            step(county, "leader", key, name, reason="x")
    with pytest.raises(IntegrityError), county.acting(None) as session:
        session.get_one(Admission, key).approved_by_id = county.people["leader"]


def test_an_admission_warns_ten_working_days_before_and_expires_by_itself(county: County) -> None:
    key = awaiting_approval(county)
    step(county, "leader", key, "approve")
    with county.acting(None) as session:
        admission = session.get_one(Admission, key)
        assert admission.in_force_until == at("2027-02-23 17:30")
        warn_at = admission.warn_at
    assert warn_at is not None
    assert sweep(county, warn_at - timedelta(minutes=1)) == 0
    assert sweep(county, warn_at) == 1
    assert sweep(county, at("2027-02-23 17:29")) == 0
    assert sweep(county, at("2027-02-23 17:30")) == 1
    assert state(county, key) == "expired"
    with county.acting(None) as session:
        automatic = sa.select(Event.name).where(Event.thread_type == "admission", Event.kind == "automatic")
        assert list(session.scalars(automatic.order_by(Event.id))) == ["warn", "expire"]


def test_an_admission_is_ended_early_by_the_staffing_office_and_withdrawn_before_approval_by_the_department(
    county: County,
) -> None:
    key = consulted(county)
    step(county, "department1", key, "withdraw", reason="不再需要")
    assert opinions(county, key) == {}, "what was still asked is void"
    approved = awaiting_approval(county)
    step(county, "leader", approved, "approve")
    with pytest.raises(Conflict):
        step(county, "department1", approved, "withdraw", reason="x")
    step(county, "checklist", approved, "end", reason="任务提前完成")
    assert state(county, approved) == "ended"
    refused = awaiting_approval(county, matter="第三件")
    step(county, "leader", refused, "refuse", reason="应由县局承担")
    assert state(county, refused) == "refused"


# ---- reports of duties handed down


def test_a_hand_down_report_is_received_checked_found_and_told(county: County) -> None:
    with county.acting("township1", MONDAY) as session:
        report = HandDownReport(
            name="填报日报表", department_id=county["department1"], description="每天填表", reclaimed=True
        )
        report.prepare(session, county.viewer("township1"))
        session.add(report)
        session.flush()
        key = report.id

    def do(who: str, name: str, values: Mapping[str, Any] | None = None) -> None:
        county.do(who, HandDownReport, key, name, values)

    with pytest.raises(Invalid) as refused:
        do("township1", "submit")
    assert set(refused.value.errors) == {"handed_down_on", "evidence"}
    with county.acting("township1", MONDAY) as session:
        found = session.get_one(HandDownReport, key)
        found.handed_down_on, found.evidence = MONDAY.date(), "工作群通知"
    with pytest.raises(NotFound):
        do("checklist", "check")
    do("township1", "submit")
    for who in ("township2", "department1", "department1_leader", "legal", "leader", "supervisor"):
        with pytest.raises(NotFound):
            do(who, "check")
    do("checklist", "check")
    with pytest.raises(Invalid) as presumed:
        do("checklist", "find", {"violation": False, "finding": "未见下压"})
    assert set(presumed.value.errors) == {"rebuttal"}, "handing down a reclaimed matter is presumed a violation"
    do("checklist", "find", {"violation": True, "finding": "属擅自下压"})
    do("checklist", "tell", {"text": "已责成纠正"})
    with county.acting(None) as session:
        told = session.get_one(HandDownReport, key)
        assert (told.state, told.violation, told.answer) == ("told", True, "已责成纠正")


# ---- any order of steps, by anybody


PEOPLE = ("department1", "department2", "checklist", "legal", "leader", "township1_leader", "township2_leader")
STEPS = ("submit", "consult", "to_legal", "pass", "return_for_change", "approve", "refuse", "end", "withdraw")


def drive(county: County) -> type[RuleBasedStateMachine]:
    """A machine that throws legal and illegal steps at one application, while time passes."""

    class Driven(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.now = MONDAY
            self.key = draft(county, matter="随机事项")

        @rule(who=st.sampled_from(PEOPLE), name=st.sampled_from(STEPS), reason=st.sampled_from(["", "理由"]))
        def attempt(self, who: str, name: str, reason: str) -> None:
            values = {"reason": reason, "text": reason, "silence_reason": reason}
            values |= {"townships": [county["township1"], county["township2"]]} if name == "consult" else {}
            try:
                county.do(who, Admission, self.key, name, values, self.now)
            except Refused:
                return
            assert who == {
                "submit": "department1",
                "withdraw": "department1",
                "pass": "legal",
                "approve": "leader",
            }.get(name, who)

        @rule()
        def forward(self) -> None:
            """The next step of the straight way, so that the far states are reached as well."""
            way = {
                "draft": ("department1", "submit"), "submitted": ("checklist", "consult"), "consulting": ("checklist", "to_legal"),
                "legal_review": ("legal", "pass"), "approval": ("leader", "approve"),
            }  # fmt: skip
            if (found := state(county, self.key)) in way:
                self.attempt(*way[found], reason="理由")

        @rule(township=st.sampled_from(["township1", "township2"]), answer=st.sampled_from([*Answer]))
        def reply(self, township: str, answer: Answer) -> None:
            asked = opinions(county, self.key).get(county[township])
            if asked is not None:
                try:
                    values = {"answer": answer.value, "text": "意见"}
                    county.do(f"{township}_leader", AdmissionOpinion, asked[0], "opine", values, self.now)
                except Refused:
                    return

        @rule(change=st.sampled_from(["每户5元", "每户8元"]))
        def rewrite(self, change: str) -> None:
            with county.acting("department1", self.now) as session:
                admission = session.get_one(Admission, self.key)
                if admission.state == AdmissionState.draft:
                    admission.funds = change

        @rule(days=st.sampled_from([1, 8, 100]))
        def wait(self, days: int) -> None:
            self.now += timedelta(days=days)
            sweep(county, self.now)

        @invariant()
        def the_rules_hold(self) -> None:
            with county.acting(None) as session:
                admission = session.get_one(Admission, self.key)
                live = [one for one in admission.opinions if one.state != OpinionState.void]
                decided = (AdmissionState.legal_review, AdmissionState.approval, AdmissionState.in_force)
                if admission.state in decided:
                    assert live, "nothing goes on without a consultation"
                    assert all(one.state != OpinionState.outstanding for one in live)
                    assert admission.content_digest == admission.digest(), "decided is what the townships read"
                    if any(one.state == OpinionState.lapsed for one in live):
                        assert admission.silence_reason
                if admission.state == AdmissionState.in_force:
                    assert admission.in_force_from is not None
                    assert admission.in_force_until is not None
                    assert admission.in_force_from <= self.now < admission.in_force_until, (
                        "in force only within its term"
                    )
                    assert admission.approved_by_id not in (admission.submitted_by_id, admission.created_by_id)
                    if any(one.answer == Answer.disagree for one in live):
                        assert admission.ruling, "against a disagreement only with reasons"

    return Driven


def test_no_order_of_steps_breaks_the_rules(county: County) -> None:
    run_state_machine_as_test(
        drive(county),
        settings=settings(
            max_examples=12, stateful_step_count=14, deadline=None, derandomize=True, database=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )  # fmt: skip
