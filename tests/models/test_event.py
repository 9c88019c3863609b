"""Events: one for each change, in its transaction; a chain that shows whatever was altered, removed or inserted (design, decision 4)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import event
from models.call import Call
from models.event import Event, EventHead, EventSeal, EventValue, Fault
from models.refusal import Invalid
from models.setting import Setting
from tests.county import MONDAY, County, at


def names(session: Session, thread: str, key: int) -> list[str]:
    return list(
        session.scalars(
            sa.select(Event.name).where(Event.thread_type == thread, Event.thread_id == key).order_by(Event.sequence)
        )
    )


def faults(county: County) -> set[tuple[str, int, str]]:
    with county.acting(None) as session:
        return {(fault.thread, fault.sequence, fault.what) for fault in event.verify(session)}


def count(county: County) -> int:
    with county.acting(None) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Event)) or 0


# One event for each change


def test_creating_a_record_is_one_event_with_its_values(county: County) -> None:
    before = count(county)
    call_id = county.draft(title="桥梁裂缝")
    assert count(county) == before + 1
    with county.acting(None) as session:
        made = session.scalars(sa.select(Event).where(Event.thread_type == "call", Event.thread_id == call_id)).one()
        assert (made.kind, made.name, made.at, made.sequence) == ("create", "create", MONDAY, 1)
        assert (made.actor_id, made.actor_organisation_id, made.address) == (
            county.people["township1"],
            county["township1"],
            "192.0.2.7",
        )
        assert made.county_id == county.id
        assert session.get_one(EventValue, (made.id, "title")).value == "桥梁裂缝"


def test_changing_a_record_is_one_event_with_old_and_new_values(county: County) -> None:
    call_id = county.draft(title="旧")
    before = count(county)
    with county.acting("township1", at("2026-11-23 10:00")) as session:
        call = session.scalars(sa.select(Call).where(Call.id == call_id)).one()
        call.title, call.place = "新", "刘庄"
    assert count(county) == before + 1
    with county.acting(None) as session:
        made = session.scalars(sa.select(Event).where(Event.thread_id == call_id, Event.kind == "update")).one()
        assert set(made.digests) == {"title", "place"}
        assert session.get_one(EventValue, (made.id, "title")).value == {"old": "旧", "new": "新"}


def test_saving_without_a_change_is_no_event(county: County) -> None:
    call_id = county.draft(title="旧")
    before = count(county)
    with county.acting("township1") as session:
        session.scalars(sa.select(Call).where(Call.id == call_id)).one().title = "旧"
    assert count(county) == before


def test_deleting_a_record_is_one_event_that_stays(county: County) -> None:
    with county.acting("sysadmin") as session:
        session.add(Setting(county_id=county.id, name="office_phone", value="123"))
    with county.acting(None) as session:
        key = session.scalars(sa.select(Setting.id)).one()
        session.delete(session.get_one(Setting, key))
    with county.acting(None) as session:
        assert names(session, "setting", key) == ["create", "delete"]
    assert faults(county) == set()


def test_a_rolled_back_change_leaves_no_event(county: County) -> None:
    before = count(county)

    def fail() -> None:
        with county.acting("township1") as session:
            call = Call(title="未存", field="水务", description="…")
            call.prepare(session, county.viewer("township1"))
            session.add(call)
            session.flush()
            raise RuntimeError("after the flush")

    with pytest.raises(RuntimeError, match="after the flush"):
        fail()
    assert count(county) == before
    assert faults(county) == set()


def test_a_transition_is_exactly_one_event_and_automatic_steps_have_their_own(county: County) -> None:
    call_id, only = county.dispatched("department1")
    county.respond("department1", only)
    county.report("department1", only)
    county.evaluate(call_id, {only: "satisfied"})
    with county.acting(None) as session:
        assert names(session, "call", call_id) == [
            "create",
            "submit",
            "accept",
            "dispatch",
            "respond",
            "report",
            "all_reported",
            "evaluate",
        ]
        kinds = dict(
            session.execute(
                sa.select(Event.name, Event.kind).where(Event.thread_type == "call", Event.thread_id == call_id)
            ).all()
        )
        assert (kinds["report"], kinds["all_reported"]) == ("transition", "automatic")
        actors = dict(
            session.execute(
                sa.select(Event.name, Event.actor_id).where(Event.thread_type == "call", Event.thread_id == call_id)
            ).all()
        )
        assert (actors["report"], actors["all_reported"]) == (county.people["department1"], None)
    assert faults(county) == set()


def test_a_refused_transition_leaves_no_event(county: County) -> None:
    call_id = county.draft(title="")
    before = count(county)
    with pytest.raises(Invalid):
        county.do("township1", Call, call_id, "submit")
    assert count(county) == before


def test_a_step_says_which_state_it_left_and_which_it_reached(county: County) -> None:
    call_id = county.submitted()
    with county.acting(None) as session:
        made = session.scalars(sa.select(Event.id).where(Event.thread_id == call_id, Event.name == "submit")).one()
        assert session.get_one(EventValue, (made, "state")).value == {"old": "draft", "new": "submitted"}


def test_the_values_of_an_evaluation_are_only_for_the_department_evaluated(county: County) -> None:
    call_id, lead, other = county.dispatched("department1", "department2")
    for name, key in (("department2", other), ("department1", lead)):
        county.respond(name, key)
        county.report(name, key)
    county.evaluate(call_id, {lead: "satisfied", other: "fair"})
    with county.acting(None) as session:
        made = session.scalars(sa.select(Event.id).where(Event.name == "evaluate")).one()
        narrowed = {
            row.name: row.only_for_id
            for row in session.scalars(sa.select(EventValue).where(EventValue.event_id == made))
        }
        assert narrowed.pop(f"evaluation.{lead}") == county["department1"]
        assert narrowed.pop(f"evaluation.{other}") == county["department2"]
        assert set(narrowed) <= {"state"}, "nothing else of an evaluation may be told to everybody"


# The chain


@pytest.fixture
def history(county: County) -> int:
    """A call with eight events, and another beside it; all sealed. Gives the first one's key."""
    call_id, only = county.dispatched("department1")
    county.respond("department1", only)
    county.report("department1", only)
    county.evaluate(call_id, {only: "satisfied"})
    county.submitted("township2")
    with county.acting(None, MONDAY) as session:
        assert event.seal(session) is not None
    return call_id


def tamper(county: County, statement: Any) -> None:
    """Change rows as somebody does who has the database's password."""
    with county.acting(None) as session:
        assert session.connection().execute(statement).rowcount != 0


EVENTS, VALUES, HEADS, SEALS = (sa.inspect(one).local_table for one in (Event, EventValue, EventHead, EventSeal))


def of(call_id: int, *sequences: int) -> sa.ColumnElement[bool]:
    where = sa.and_(EVENTS.c.thread_type == "call", EVENTS.c.thread_id == call_id)
    return sa.and_(where, EVENTS.c.sequence.in_(sequences)) if sequences else where


def drop(county: County, where: sa.ColumnElement[bool]) -> None:
    tamper(county, sa.delete(VALUES).where(VALUES.c.event_id.in_(sa.select(EVENTS.c.id).where(where))))
    tamper(county, sa.delete(EVENTS).where(where))


def test_an_untouched_chain_has_no_fault(county: County, history: int) -> None:
    assert faults(county) == set()


def test_a_seal_is_made_only_when_something_changed(county: County, history: int) -> None:
    with county.acting(None) as session:
        assert event.seal(session) is None
    county.submitted()
    with county.acting(None) as session:
        made = event.seal(session)
        assert made is not None
        assert [head[0] for head in made.heads] == ["call"]
    assert faults(county) == set()


@pytest.mark.parametrize(
    "change",
    [
        {"at": at("2026-11-20 09:00")}, {"actor_id": None}, {"actor_organisation_id": None}, {"address": "198.51.100.1"}, {"name": "decline"},
        {"kind": "automatic"}, {"county_id": None}, {"record_id": 4711}, {"record_type": "assignment"}, {"digests":
        {}}, {"signature": "0" * 64}, {"previous": "0" * 64},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_an_altered_event_is_named(county: County, history: int, change: dict[str, Any]) -> None:
    tamper(county, sa.update(EVENTS).where(of(history, 3)).values(change))
    assert (f"call/{history}", 3, "altered") in faults(county)


def test_an_altered_value_is_named(county: County, history: int) -> None:
    with county.acting(None) as session:
        key = session.scalars(sa.select(Event.id).where(of(history, 1))).one()
    tamper(county, sa.update(VALUES).where(VALUES.c.event_id == key, VALUES.c.name == "title").values(value="别的事"))
    assert faults(county) == {(f"call/{history}", 1, "value altered")}


def test_an_inserted_value_is_named(county: County, history: int) -> None:
    with county.acting(None) as session:
        key = session.scalars(sa.select(Event.id).where(of(history, 2))).one()
    tamper(county, sa.insert(VALUES).values(event_id=key, name="reason", salt="00", value="编造"))
    assert faults(county) == {(f"call/{history}", 2, "value altered")}


def test_a_value_moved_to_another_name_is_named(county: County, history: int) -> None:
    with county.acting(None) as session:
        key = session.scalars(sa.select(Event.id).where(of(history, 1))).one()
    tamper(
        county, sa.update(VALUES).where(VALUES.c.event_id == key, VALUES.c.name == "description").values(name="place")
    )
    assert faults(county) == {(f"call/{history}", 1, "value altered")}


def test_erased_values_are_no_fault(county: County, history: int) -> None:
    tamper(county, sa.delete(VALUES).where(VALUES.c.event_id.in_(sa.select(EVENTS.c.id).where(of(history)))))
    assert faults(county) == set()


def test_an_event_removed_from_the_middle_is_named(county: County, history: int) -> None:
    drop(county, of(history, 4))
    assert (f"call/{history}", 4, "missing") in faults(county)


def test_events_renumbered_over_a_gap_are_named(county: County, history: int) -> None:
    drop(county, of(history, 4))
    for sequence in (5, 6, 7, 8):
        tamper(county, sa.update(EVENTS).where(of(history, sequence)).values(sequence=sequence - 1))
    assert (f"call/{history}", 4, "altered") in faults(county)


def test_a_removed_tail_is_named_by_its_head(county: County, history: int) -> None:
    drop(county, of(history, 8))
    assert (f"call/{history}", 8, "tail missing") in faults(county)


def test_a_removed_tail_is_named_by_the_seal_when_the_head_was_forged_too(county: County, history: int) -> None:
    drop(county, of(history, 8))
    with county.acting(None) as session:
        signature = session.scalars(sa.select(Event.signature).where(of(history, 7))).one()
    tamper(
        county,
        sa.update(HEADS)
        .where(HEADS.c.thread_type == "call", HEADS.c.thread_id == history)
        .values(sequence=7, signature=signature),
    )
    assert (f"call/{history}", 8, "tail missing") in faults(county)


def test_a_whole_thread_removed_with_its_head_is_named_by_the_seal(county: County, history: int) -> None:
    drop(county, of(history))
    tamper(county, sa.delete(HEADS).where(HEADS.c.thread_type == "call", HEADS.c.thread_id == history))
    assert faults(county) == {(f"call/{history}", 8, "tail missing")}


def test_a_thread_without_its_head_is_named(county: County, history: int) -> None:
    tamper(county, sa.delete(HEADS).where(HEADS.c.thread_type == "call", HEADS.c.thread_id == history))
    assert faults(county) == {(f"call/{history}", 8, "head missing")}


def test_an_inserted_event_is_named(county: County, history: int) -> None:
    with county.acting(None) as session:
        row = dict(session.connection().execute(sa.select(EVENTS).where(of(history, 8))).mappings().one())
    forged = {**row, "sequence": 9, "name": "log_progress", "previous": row["signature"]}
    forged.pop("id")
    tamper(county, sa.insert(EVENTS).values(forged))
    assert (f"call/{history}", 9, "altered") in faults(county)


def test_an_event_copied_from_another_thread_is_named(county: County, history: int) -> None:
    with county.acting(None) as session:
        row = dict(session.connection().execute(sa.select(EVENTS).where(of(history, 1))).mappings().one())
    row.pop("id")
    tamper(county, sa.insert(EVENTS).values({**row, "thread_id": 4711}))
    assert ("call/4711", 1, "altered") in faults(county)


def test_an_altered_or_removed_seal_is_named(county: County, history: int) -> None:
    county.submitted()
    with county.acting(None) as session:
        event.seal(session)
        first, second = session.scalars(sa.select(EventSeal.id).order_by(EventSeal.id))
    tamper(county, sa.update(SEALS).where(SEALS.c.id == second).values(heads=[]))
    assert ("seal", second, "seal altered") in faults(county)
    tamper(county, sa.delete(SEALS).where(SEALS.c.id == first))
    assert ("seal", second, "seal altered") in faults(county)


def test_the_removed_last_seal_is_named_by_the_heads_it_covered(county: County, history: int) -> None:
    last = county.submitted()
    with county.acting(None) as session:
        made = event.seal(session)
        assert made is not None
        newest = made.id
    tamper(county, sa.delete(SEALS).where(SEALS.c.id == newest))
    assert faults(county) == {(f"call/{last}", 2, "seal missing")}


def test_the_chain_is_signed_with_the_key_outside_the_database(county: County, history: int) -> None:
    key = county.app.config["AUDIT_KEY"].encode()
    event.use_key(b"another key")
    try:
        found = faults(county)
    finally:
        event.use_key(key)
    assert {(f"call/{history}", number, "altered") for number in range(1, 9)} <= found


def test_verification_names_threads_and_places(county: County, history: int) -> None:
    tamper(county, sa.update(EVENTS).where(of(history, 2)).values(name="x"))
    with county.acting(None) as session:
        assert list(event.verify(session)) == [Fault(f"call/{history}", 2, "altered")]


def test_an_event_keeps_instants_dates_and_decimals_as_text(county: County) -> None:
    assert event.plain({"when": at("2026-11-23 09:00"), "day": date(2026, 1, 2), "sum": Decimal("1.50"), "list": (1, True, None)}) == {
        "when": "2026-11-23T01:00:00+00:00", "day": "2026-01-02", "sum": "1.50", "list": [1, True, None]
    }  # fmt: skip
    with pytest.raises(TypeError, match="cannot be kept"):
        event.plain(object())


def test_a_transition_appends_to_the_thread_of_its_call(county: County) -> None:
    call_id, only = county.dispatched("department1")
    county.respond("department1", only)
    with county.acting(None) as session:
        made = session.scalars(sa.select(Event).where(Event.name == "respond")).one()
        assert (made.thread_type, made.thread_id, made.record_type, made.record_id) == (
            "call",
            call_id,
            "assignment",
            only,
        )
