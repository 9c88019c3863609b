"""What migrations make of rows that an older program wrote, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import flask_migrate
import pytest
import sqlalchemy as sa

from app.database import db
from models.call import Call
from models.call_words import CallSource
from models.delivery import Delivery
from models.event import Event
from models.notification import Notification
from tests.county import MONDAY, County


@contextmanager
def as_it_was(county: County, revision: str) -> Iterator[sa.Connection]:
    """The database of an older program, to be filled; afterwards it is brought up to date."""
    with county.app.app_context():
        flask_migrate.downgrade(revision=revision)
        db.engine.dispose()
        with db.engine.begin() as connection:
            yield connection
        db.engine.dispose()
        flask_migrate.upgrade()
        db.engine.dispose()


def numbers(county: County) -> dict[int, str]:
    with county.acting(None) as session:
        return {one.id: one.external_number for one in session.scalars(sa.select(Call))}


def test_sentences_about_messages_not_sent_become_codes(county: County) -> None:
    told = {
        "mail": ("the mail server refused the recipient: 550", "recipient", "550"),
        "wecom": ("the service refused the message or could not be reached", "service", ""),
        "lark": ("", "", ""),
    }
    county.submitted()
    with county.acting(None) as session:
        person = county.people["department1"]
        told_of = {"event_id": session.scalar(sa.select(sa.func.max(Event.id))), "record_type": "call", "record_id": 1}
        one = Notification(person_id=person, kind="dispatched", values={}, made_at=MONDAY, **told_of)
        session.add(one)
        session.flush()
        common = {"notification_id": one.id, "person_id": person, "urgent": False, "digest": False}
        session.add_all(Delivery(channel=channel, made_at=MONDAY, due_at=MONDAY, **common) for channel in told)
    with as_it_was(county, "0016") as connection:
        for channel, (sentence, _code, _detail) in told.items():
            connection.execute(
                sa.text("UPDATE delivery SET error = :error WHERE channel = :channel"),
                {"error": sentence, "channel": channel},
            )
    with county.acting(None) as session:
        kept = {one.channel: (one.trouble, one.error) for one in session.scalars(sa.select(Delivery))}
    assert kept == {channel: (code, detail) for channel, (_sentence, code, detail) in told.items()}


def test_of_calls_with_the_same_number_of_another_platform_the_later_ones_are_marked(
    county: County, caplog: pytest.LogCaptureFixture
) -> None:
    """None is lost and none is merged by itself: the first keeps the number, the others bear it with a mark, and it is told which."""
    keys = [county.draft(township, source=CallSource.hotline) for township in ("township1", "township2", "township1")]
    withdrawn = county.submitted(source=CallSource.hotline)
    county.do("township1", Call, withdrawn, "withdraw", {"reason": "误填"})
    other, longest = county.draft(source=CallSource.grid), county.draft(source=CallSource.hotline)
    long_number = "9" * 60
    twin = county.draft(source=CallSource.hotline)
    with as_it_was(county, "0017") as connection:
        for key in (*keys, withdrawn, other):
            connection.execute(sa.text("UPDATE call SET external_number = '12345-77' WHERE id = :key"), {"key": key})
        for key in (longest, twin):
            connection.execute(
                sa.text("UPDATE call SET external_number = :number WHERE id = :key"),
                {"number": long_number, "key": key},
            )
    found = numbers(county)
    assert [found[key] for key in keys] == ["12345-77", f"12345-77 #{keys[1]}", f"12345-77 #{keys[2]}"]
    assert found[withdrawn] == found[other] == "12345-77"
    assert found[longest] == long_number
    assert found[twin] == f"{long_number[: 60 - len(f' #{twin}')]} #{twin}"
    told = caplog.text
    assert all(f"call {key} " in told for key in (keys[1], keys[2], twin))
    assert "12345-77" in told
