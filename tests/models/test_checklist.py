"""Checklists: versions that never change, entry into force, derivation, comparison, revisions (2.4, C1–C4)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.database import transaction
from models import clock
from models.automatic import sweep_automatic
from models.base import Record
from models.call import Call
from models.checklist import (
    Checklist,
    ChecklistItem,
    ChecklistLevel,
    ChecklistState,
    Duty,
    DutyKind,
    OriginStatus,
    StepUnit,
    WorkflowStep,
)
from models.checklist_comparison import compare, difference, open_calls_citing
from models.checklist_derivation import derive
from models.checklist_revision import ChecklistRevision, RevisionReason
from models.field import FieldError
from models.organisation import Organisation
from models.refusal import Conflict, Forbidden, Invalid, NotFound
from models.setting import Setting
from tests.conftest import Installation
from tests.county import MONDAY, County, at

TUESDAY = at("2026-11-24 09:00")
NEVER = "An approved version never changes|已批准的版本不得修改"


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough; what the database itself refuses is tried on both in `test_checklist_database`."""
    sqlite_installation.fresh("county")
    return sqlite_installation


def in_force(county: County) -> int:
    with county.acting(None) as session:
        found = session.scalar(
            sa.select(Checklist.id).where(Checklist.state == ChecklistState.in_force, Checklist.owner_id == county.id)
        )
        assert found is not None
        return found


def sweep(county: County, when: datetime) -> int:
    with county.app.app_context(), clock.at(when):
        return sweep_automatic(transaction)


def next_version(county: County, source: int | None = None, when: datetime = MONDAY) -> int:
    """A draft derived by the checklist manager; gives its key."""
    county.do("checklist", Checklist, source or in_force(county), "derive", {"name": "新一版"}, when)
    with county.acting(None) as session:
        found = session.scalar(sa.select(sa.func.max(Checklist.id)))
        assert found is not None
        return found


def approve(county: County, key: int, begins: str = "2026-11-24", by: str = "leader", **more: Any) -> None:
    county.do(by, Checklist, key, "approve", {"effective_from": begins, "signed_by": "张县长", **more})


def city_list(county: County) -> int:
    """The city's list in force, entered as the system: the county's people only read it."""
    with county.acting(None) as session:
        made = Checklist(
            county_id=county["city_government"],
            owner_id=county["city_government"],
            name="临川市清单",
            level=ChecklistLevel.city,
        )
        session.add(made)
        for number, name in enumerate(("河道清障", "烟花爆竹管控", "养犬管理"), start=1):
            item = ChecklistItem(county_id=made.owner_id, checklist=made, number=number, field="综合", name=name)
            parties = ((DutyKind.primary, "县水务局", "组织清障。"), (DutyKind.cooperating, "市水利等部门", "配合。"))
            for position, (kind, party, text) in enumerate(parties, start=1):
                duty = Duty(county_id=made.owner_id, position=position, kind=kind, party=party, text=text)
                item.duties.append(duty)
            session.add(item)
        session.flush()
        made.state = ChecklistState.in_force
        return made.id


def items(county: County, checklist: int) -> dict[int, int]:
    with county.acting(None) as session:
        rows = session.execute(
            sa.select(ChecklistItem.number, ChecklistItem.id).where(ChecklistItem.checklist_id == checklist)
        )
        return {row.number: row.id for row in rows}


def change(county: County, who: str, model: type[Record], key: int, **values: Any) -> None:
    """Change a record as a person, past the form: whatever code path it is, the session's guard stands."""
    with county.acting(who, MONDAY) as session:
        record = session.get_one(model, key)
        for name, value in values.items():
            setattr(record, name, value)


# ---- an approved version never changes


def test_an_approved_version_its_items_duties_and_steps_never_change(county: County) -> None:
    key = in_force(county)
    with county.acting(None) as session:
        item = session.get_one(ChecklistItem, county.items[1])
        rows = [(Checklist, key), (ChecklistItem, item.id), (Duty, item.duties[0].id)]
    for model, row in rows:
        for who in ("checklist", None):
            with pytest.raises(Conflict, match=NEVER), county.acting(who) as session:
                setattr(session.get_one(model, row), "text" if model is Duty else "name", "改过")
            with pytest.raises(Conflict, match=NEVER), county.acting(who) as session:
                session.delete(session.get_one(model, row))
        with county.acting("checklist") as session:
            for refuse in ("check_change", "check_delete"):
                with pytest.raises(Conflict, match=NEVER):
                    getattr(session.get_one(model, row), refuse)(county.viewer("checklist"))
    new: list[Record] = [
        ChecklistItem(county_id=county.id, checklist_id=key, number=9, field="水务", name="添"),
        Duty(county_id=county.id, item_id=county.items[1], kind=DutyKind.primary, party="甲", text="乙"),
        WorkflowStep(county_id=county.id, item_id=county.items[1], number=1, name="受理", party="甲"),
    ]
    for record in new:
        with pytest.raises(Conflict, match=NEVER), county.acting("checklist") as session:
            session.add(record)
    with pytest.raises(IntegrityError), county.acting(None) as session:
        session.connection().execute(
            sa.update(ChecklistItem).where(ChecklistItem.id == county.items[1]).values(name="x")
        )


def test_only_those_who_keep_a_list_write_on_its_draft(county: County) -> None:
    draft = next_version(county)
    key = items(county, draft)[1]
    for who in ("township1", "department1", "leader", "sysadmin"):
        with pytest.raises(Forbidden):
            change(county, who, ChecklistItem, key, name="改过")
    change(county, "checklist", ChecklistItem, key, name="改过")
    city = city_list(county)
    with pytest.raises((Forbidden, Conflict)):
        change(county, "checklist", Checklist, city, name="改过")
    wrong = Checklist(county_id=county.id, name="错", level=ChecklistLevel.city, owner_id=county.id)
    with pytest.raises(Invalid) as refused, county.acting("checklist") as session:
        session.add(wrong)
    assert "level" in refused.value.errors


# ---- approval and entry into force


def test_a_version_is_approved_by_the_leader_or_by_his_secretary_for_him_never_by_whoever_made_it(
    county: County,
) -> None:
    draft = next_version(county)
    for who in ("checklist", "legal", "dispatcher", "township1_leader"):
        with pytest.raises(Forbidden):
            approve(county, draft, by=who)
    with county.acting(None) as session:
        session.get_one(Checklist, draft).created_by_id = county.people["director"]
    with pytest.raises(Forbidden):
        approve(county, draft, by="director")
    with county.acting(None) as session:
        session.get_one(Checklist, draft).created_by_id = county.people["checklist"]
    approve(county, draft, by="director", decision="平政字〔2026〕9号")
    with county.acting(None) as session:
        made = session.get_one(Checklist, draft)
        assert (made.state, made.signed_by, made.approved_by_id) == ("approved", "张县长", county.people["director"])


def test_an_approved_version_enters_into_force_on_its_day_and_the_one_before_ends_in_the_same_step(
    county: County,
) -> None:
    old, new = in_force(county), next_version(county)
    approve(county, new, "2026-11-25")
    assert sweep(county, at("2026-11-24 23:59")) == 0
    assert sweep(county, at("2026-11-25 00:01")) == 1
    assert sweep(county, at("2026-11-25 00:02")) == 0
    with county.acting(None) as session:
        before, after = session.get_one(Checklist, old), session.get_one(Checklist, new)
        assert (before.state, before.effective_to) == ("superseded", date(2026, 11, 24))
        assert (after.state, after.edition, after.previous_id) == ("in_force", 2, old)
        assert session.scalar(sa.select(sa.func.count()).where(Checklist.state == "in_force")) == 1
    with pytest.raises(IntegrityError), county.acting(None) as session:
        session.get_one(Checklist, old).state = ChecklistState.in_force
    third = next_version(county)
    with pytest.raises(Invalid) as refused:
        approve(county, third, "2026-11-25")
    assert "effective_from" in refused.value.errors


def test_a_list_without_matters_or_with_a_step_to_nowhere_is_not_approved(county: County) -> None:
    with county.acting("checklist") as session:
        empty = Checklist(name="空", level=ChecklistLevel.county, owner_id=county.id, scheme="basic")
        empty.prepare(session, county.viewer("checklist"))
        session.add(empty)
        session.flush()
        key = empty.id
    with pytest.raises(Conflict, match="no matters"):
        approve(county, key)
    draft = next_version(county)
    with county.acting("checklist") as session:
        step = {"county_id": county.id, "item_id": items(county, draft)[1], "party": "县水务局"}
        session.add(WorkflowStep(number=1, name="受理", next_steps="2、7", **step))
        session.add(WorkflowStep(number=2, name="办理", time_limit=3, time_unit=StepUnit.working_days, **step))
        session.flush()
    with pytest.raises(Conflict, match="step 1"):
        approve(county, draft)
    with county.acting("checklist") as session:
        first = session.scalars(sa.select(WorkflowStep).where(WorkflowStep.number == 1)).one()
        for wrong in ("x", "2;3", "、"):
            with pytest.raises(FieldError):
                first.next_steps = wrong
        first.next_steps = ""
        assert first.following == (2,)
    approve(county, draft)


# ---- derive


def test_a_county_list_derived_from_the_city_s_remembers_the_origin_of_each_item(county: County) -> None:
    draft = next_version(county, city_list(county))
    with county.acting(None) as session:
        made = session.get_one(Checklist, draft)
        assert (made.owner_id, made.county_id, made.level, made.edition) == (county.id, county.id, "county", 2)
        assert [item.origin_status for item in made.items] == [OriginStatus.inherited] * 3
        assert all(item.origin is not None and item.origin.name == item.name for item in made.items)
        assert [duty.organisation_id for duty in made.items[0].duties] == [county["department4"], None]


def test_the_county_writes_workflow_and_local_names_only_unless_the_setting_says_otherwise(county: County) -> None:
    draft = next_version(county, city_list(county))
    item = items(county, draft)[1]
    with county.acting(None) as session:
        duty = session.scalars(sa.select(Duty).where(Duty.item_id == item).order_by(Duty.position)).all()[1].id
    change(county, "checklist", Duty, duty, party="县水务局", organisation_id=county["department4"])
    with county.acting("checklist") as session:
        session.add(WorkflowStep(county_id=county.id, item_id=item, number=1, name="受理", party="县水务局"))
    for model, key, values in ((ChecklistItem, item, {"name": "改"}), (Duty, duty, {"text": "改"})):
        with pytest.raises(Forbidden, match="workflow"):
            change(county, "checklist", model, key, **values)
    with pytest.raises(Conflict, match="workflow"):
        county.do("checklist", ChecklistItem, item, "remove", {"reason": "本县无河道"})
    with county.acting(None) as session:
        assert session.get_one(ChecklistItem, item).origin_status == "inherited"
        session.add(Setting(county_id=county.id, name="county_changes_items", value="yes"))
    change(county, "checklist", Duty, duty, text="改")
    with county.acting(None) as session:
        assert session.get_one(ChecklistItem, item).origin_status == "adjusted"


def test_an_item_taken_off_stays_with_its_reason(county: County) -> None:
    with county.acting(None) as session:
        session.add(Setting(county_id=county.id, name="county_changes_items", value="yes"))
    draft = next_version(county, city_list(county))
    item = items(county, draft)[3]
    with county.acting("checklist") as session, pytest.raises(Conflict, match=r"reason|理由"):
        session.get_one(ChecklistItem, item).check_delete(county.viewer("checklist"))
    with pytest.raises(Invalid) as refused:
        county.do("checklist", ChecklistItem, item, "remove", {})
    assert "reason" in refused.value.errors
    county.do("checklist", ChecklistItem, item, "remove", {"reason": "由城管统一管理"})
    with county.acting(None) as session:
        found = session.get_one(ChecklistItem, item)
        assert (found.origin_status, found.removed_reason) == ("removed", "由城管统一管理")
    county.do("checklist", ChecklistItem, item, "restore")
    with county.acting(None) as session:
        assert session.get_one(ChecklistItem, item).origin_status == "inherited"


def test_a_new_version_from_the_city_s_next_list_keeps_the_county_s_workflow_and_names(county: County) -> None:
    city = city_list(county)
    first = next_version(county, city)
    item = items(county, first)[2]
    with county.acting("checklist") as session:
        session.add(WorkflowStep(county_id=county.id, item_id=item, number=1, name="巡查", party="城关镇"))
    approve(county, first)
    sweep(county, TUESDAY)
    with county.acting(None, TUESDAY) as session:
        source = session.get_one(Checklist, city)
        newer = derive(session, source, session.get_one(Organisation, county["city_government"]), "临川市清单二版")
        newer.items[1].name = "烟花爆竹燃放管控"
        session.flush()
        newer.state = ChecklistState.approved
        second_city = newer.id
    second = next_version(county, second_city, TUESDAY)
    with county.acting(None) as session:
        carried = session.get_one(ChecklistItem, items(county, second)[2])
        assert carried.name == "烟花爆竹燃放管控"
        assert [step.name for step in carried.steps] == ["巡查"]


# ---- compare


def test_compare_tells_added_removed_renamed_and_changed_duties_and_the_open_calls_that_cite_them(
    county: County,
) -> None:
    old = in_force(county)
    draft = next_version(county)
    mine = items(county, draft)
    with county.acting("checklist") as session:
        session.get_one(ChecklistItem, mine[1]).name = "违法占地和违法建设巡查"
        duty = session.get_one(ChecklistItem, mine[2]).duties[0]
        duty.text = "组织整治，限期恢复。"
        session.add(ChecklistItem(county_id=county.id, checklist_id=draft, number=4, field="水务", name="渠道清淤"))
    county.do("checklist", ChecklistItem, mine[3], "remove", {"reason": "划归省河务局"})
    call = county.submitted(checklist_item_id=county.items[2])
    county.submitted(checklist_item_id=None)
    with county.acting(None) as session:
        before, after = session.get_one(Checklist, old), session.get_one(Checklist, draft)
        found = compare(before.items, after.items)
        assert [item.name for item in found.added] == ["渠道清淤"]
        assert [item.name for item in found.removed] == ["水毁设施修复"]
        assert [change.new.name for change in found.renamed] == ["违法占地和违法建设巡查"]
        [changed] = found.duties_changed
        assert [(one.party, one.old, one.new) for one in changed.duties] == [
            ("县水务局", "组织整治。", "组织整治，限期恢复。")
        ]
        assert [one.id for one in open_calls_citing(session, found.touched)] == [call]
        assert compare(before.items, before.items).empty
    with county.acting("township2") as session:
        item = session.get_one(ChecklistItem, county.items[2])
        assert open_calls_citing(session, [item]) == [], "no township sees another's call"
    with county.acting(None) as session:
        cited = session.get_one(Call, call).checklist_item
        assert cited is not None
        assert cited.duties[0].text == "组织整治。", "an old call keeps the text that was in force"


def test_a_difference_is_told_by_words() -> None:
    pieces = [(one.kind, one.text) for one in difference("5日内办结。", "10日内办结并报告。")]
    assert pieces == [
        ("removed", "5"), ("added", "10"), ("same", "日内办结"), ("added", "并报告"), ("same", "。"),
    ]  # fmt: skip


# ---- revisions


def propose(county: County, who: str = "department1", **values: Any) -> int:
    with county.acting(who, MONDAY) as session:
        made = ChecklistRevision(
            **{
                "name": "调整巡查频次",
                "checklist_id": in_force(county),
                "item_id": county.items[1],
                "reason": RevisionReason.law_changed,
                "basis": "新法第9条",
                "text": "每周巡查一次。",
                **values,
            }
        )
        made.prepare(session, county.viewer(who))
        session.add(made)
        session.flush()
        return made.id


def test_a_revision_goes_from_a_department_or_township_to_the_checklist_manager_who_rules_with_reasons(
    county: County,
) -> None:
    key = propose(county, basis="")
    with pytest.raises(NotFound):
        county.do("checklist", ChecklistRevision, key, "accept", {"reason": "同意"})
    with pytest.raises(Invalid) as refused:
        county.do("department1", ChecklistRevision, key, "submit")
    assert set(refused.value.errors) == {"basis"}
    change(county, "department1", ChecklistRevision, key, basis="新法第9条")
    county.do("department1", ChecklistRevision, key, "submit")
    for who in ("department2", "township1"):
        with pytest.raises(NotFound):
            county.do(who, ChecklistRevision, key, "withdraw")
    with pytest.raises(Forbidden):
        county.do("legal", ChecklistRevision, key, "accept", {"reason": "同意"})
    with pytest.raises(Invalid):
        county.do("checklist", ChecklistRevision, key, "refuse", {})
    draft = next_version(county)
    county.do("checklist", ChecklistRevision, key, "accept", {"reason": "法律已改", "into": draft})
    with county.acting(None) as session:
        found = session.get_one(ChecklistRevision, key)
        assert (found.state, found.ruling, found.into_id) == ("accepted", "法律已改", draft)
    other = propose(county, "township1")
    county.do("township1", ChecklistRevision, other, "submit")
    county.do("township1", ChecklistRevision, other, "withdraw")


def test_with_the_setting_a_revision_needs_a_legality_review_first(county: County) -> None:
    with county.acting(None) as session:
        session.add(Setting(county_id=county.id, name="revision_legal_review", value="yes"))
    key = propose(county)
    county.do("department1", ChecklistRevision, key, "submit")
    for outstanding in (lambda: None, lambda: county.do("checklist", ChecklistRevision, key, "to_legal")):
        outstanding()
        with pytest.raises(Conflict):
            county.do("checklist", ChecklistRevision, key, "accept", {"reason": "同意"})
    county.do("legal", ChecklistRevision, key, "review", {"lawful": True, "text": "合法"})
    county.do("checklist", ChecklistRevision, key, "accept", {"reason": "同意"})


def test_nobody_rules_on_the_revision_that_he_filed(county: County) -> None:
    key = propose(county)
    county.do("department1", ChecklistRevision, key, "submit")
    with county.acting(None) as session:
        session.get_one(ChecklistRevision, key).submitted_by_id = county.people["checklist"]
    with pytest.raises(Forbidden):
        county.do("checklist", ChecklistRevision, key, "accept", {"reason": "同意"})


def test_everyone_of_the_county_reads_its_lists_and_those_above_nobody_another_county_s(county: County) -> None:
    lists = {in_force(county), city_list(county)}
    for who, seen in (("township1", lists), ("assessor", lists), ("township9", set())):
        with county.acting(who) as session:
            assert set(session.scalars(sa.select(Checklist.id))) == seen, who
