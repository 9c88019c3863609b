"""The append-only event: timeline that people read, audit trail, and outbox, in one (design, decision 4).

Events of a record's thread form a chain: unique (thread, sequence), each signed with HMAC over its content and its
predecessor's signature, by a key that is
not in the database. The chain covers salted digests of the values; the values stand in side rows that retention
rules may erase without breaking the chain.
A seal signs the heads of all threads changed since the last seal, so that the removal of a thread's tail, or of a whole thread, shows as well.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask_appbuilder import Model
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock, viewer
from models.base import JSON, KEY, Kept, UtcDateTime
from models.viewer import Viewer


class Event(Model):
    """Something that happened to a record. Written by `append` alone; nothing in the program updates or deletes one."""

    __tablename__ = "event"
    __table_args__ = (
        sa.UniqueConstraint("thread_type", "thread_id", "sequence"),
        sa.Index("ix_event_record", "record_type", "record_id"),
        sa.Index("ix_event_at", "county_id", "at"),
        sa.Index(
            "ix_event_unrelayed",
            "id",
            postgresql_where=sa.text("relayed_at IS NULL"),
            sqlite_where=sa.text("relayed_at IS NULL"),
        ),
        sa.Index(
            "ix_event_uncounted",
            "county_id",
            "id",
            postgresql_where=sa.text("thread_type = 'call' AND counted_at IS NULL"),
            sqlite_where=sa.text("thread_type = 'call' AND counted_at IS NULL"),
        ),
    )
    label = _l("Event")
    plural = _l("Events")

    id: Mapped[int] = mapped_column(KEY, primary_key=True)
    county_id: Mapped[int | None] = mapped_column(KEY, sa.ForeignKey("organisation.id"))
    thread_type: Mapped[str] = mapped_column(sa.String(64), nullable=False)
    thread_id: Mapped[int] = mapped_column(KEY, nullable=False)
    sequence: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    record_type: Mapped[str] = mapped_column(sa.String(64), nullable=False)
    record_id: Mapped[int] = mapped_column(KEY, nullable=False)
    kind: Mapped[str] = mapped_column(sa.String(16), nullable=False)
    """transition, automatic, create, update, delete, login, export, …"""
    name: Mapped[str] = mapped_column(sa.String(64), nullable=False)
    """The transition's or step's identifier."""
    at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    actor_id: Mapped[int | None] = mapped_column(sa.Integer, sa.ForeignKey("ab_user.id"))
    actor_organisation_id: Mapped[int | None] = mapped_column(KEY, sa.ForeignKey("organisation.id"))
    address: Mapped[str] = mapped_column(sa.String(64), nullable=False, default="")
    digests: Mapped[dict[str, str]] = mapped_column(JSON, nullable=False)
    previous: Mapped[str] = mapped_column(sa.String(64), nullable=False)
    signature: Mapped[str] = mapped_column(sa.String(64), nullable=False)
    relayed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the relay turned the event into jobs and notifications; not part of the chain."""
    counted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a call's event was taken into the maintained figures (`models.summary_counting`); not part of the chain."""

    @classmethod
    def visible_ids(cls, person: Viewer) -> sa.Select[tuple[int]] | None:
        """The auditor sees the events of the own county (2.1, end). Others meet events on timelines only, which show
        what belongs to a record that they see."""
        table = sa.inspect(cls).local_table
        if person.has_role("auditor"):
            return sa.select(table.c.id).where(table.c.county_id == person.county_id)
        return sa.select(table.c.id).where(sa.false())


class EventValue(Model):
    """A value that an event carries. `only_for_id` narrows who is shown it, beside the thread's owner and the county
    offices (2.1, end: evaluations)."""

    __tablename__ = "event_value"

    event_id: Mapped[int] = mapped_column(KEY, sa.ForeignKey("event.id"), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(96), primary_key=True)
    salt: Mapped[str] = mapped_column(sa.String(32), nullable=False)
    value: Mapped[Any] = mapped_column(JSON, nullable=True)
    only_for_id: Mapped[int | None] = mapped_column(KEY, sa.ForeignKey("organisation.id"))


class EventHead(Model):
    """The newest event of a thread. Locked while an event is appended, and what a seal covers."""

    __tablename__ = "event_head"
    __table_args__ = (
        sa.Index(
            "ix_event_head_unsealed",
            "thread_type",
            "thread_id",
            postgresql_where=sa.text("NOT sealed"),
            sqlite_where=sa.text("NOT sealed"),
        ),
    )

    thread_type: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    thread_id: Mapped[int] = mapped_column(KEY, primary_key=True, autoincrement=False)
    sequence: Mapped[int] = mapped_column(sa.Integer, nullable=False)
    signature: Mapped[str] = mapped_column(sa.String(64), nullable=False)
    sealed: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)


class EventSeal(Model):
    """A signature over the heads of all threads changed since the seal before it."""

    __tablename__ = "event_seal"

    id: Mapped[int] = mapped_column(KEY, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    heads: Mapped[list[list[Any]]] = mapped_column(JSON, nullable=False)
    """[thread type, thread id, sequence, signature] of each."""
    previous: Mapped[str] = mapped_column(sa.String(64), nullable=False)
    signature: Mapped[str] = mapped_column(sa.String(64), nullable=False)


FIRST = "0" * 64
"""Signature before a chain's first event."""

_key: bytes | None = None


def use_key(key: bytes) -> None:
    """Set the key that signs the chain. It is kept outside the database, else whoever alters a row could sign it anew."""
    global _key
    _key = key


@dataclass(frozen=True)
class Restricted:
    """A value shown only to one organisation beside the thread's owner and the offices."""

    value: Any
    only_for_id: int


def plain(value: Any) -> Any:
    """A value as JSON keeps it: instants and dates in ISO 8601, decimals as text."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    if isinstance(value, str):
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    raise TypeError(f"{type(value).__name__} cannot be kept in an event")


def canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest(salt: str, value: Any) -> str:
    return hashlib.sha256(salt.encode() + canonical(value)).hexdigest()


def _sign(content: Mapping[str, Any], previous: str) -> str:
    if _key is None:
        raise RuntimeError("no key to sign events with: call models.event.use_key first")
    return hmac.new(_key, previous.encode() + canonical(content), hashlib.sha256).hexdigest()


def _content(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the signature covers."""
    return {
        "county": row["county_id"],
        "thread": [row["thread_type"], row["thread_id"], row["sequence"]],
        "record": [row["record_type"], row["record_id"]],
        "kind": row["kind"],
        "name": row["name"],
        "at": row["at"].isoformat(timespec="microseconds"),
        "actor": [row["actor_id"], row["actor_organisation_id"], row["address"]],
        "digests": row["digests"],
    }


def append(
    session: Session,
    record: Kept,
    kind: str,
    name: str,
    values: Mapping[str, Any] | None = None,
    *,
    actor: Viewer | None = None,
) -> int:
    """Append an event to a record's thread in the present transaction; gives the event's id.

    `values` are what the timeline shows; wrap one in `Restricted` to narrow its readers. The record must have its
    key. Written by Core statements so that it can run inside a flush.
    """
    actor = actor if actor is not None else viewer.current_person()
    return append_all(session, [entry_of(record, kind, name, values)], actor)[0]


def append_to(
    session: Session,
    thread: tuple[str, int],
    record: tuple[str, int],
    kind: str,
    name: str,
    values: Mapping[str, Any],
    *,
    county_id: int | None,
    actor: Viewer | None,
) -> int:
    """`append` for a thread that is no record, such as the log-ins of an account name."""
    return append_all(session, [Entry(thread, record, kind, name, values, county_id)], actor)[0]


@dataclass(frozen=True)
class Entry:
    """An event about to be appended to a thread."""

    thread: tuple[str, int]
    record: tuple[str, int]
    kind: str
    name: str
    values: Mapping[str, Any]
    county_id: int | None


def entry_of(record: Kept, kind: str, name: str, values: Mapping[str, Any] | None = None) -> Entry:
    """The entry of an event that happened to a record, on the record's thread."""
    thread = record.thread
    return Entry(
        (thread.resource(), thread.id),
        (record.resource(), record.id),
        kind,
        name,
        values or {},
        getattr(thread, "county_id", None),
    )


def append_all(session: Session, entries: Sequence[Entry], actor: Viewer | None) -> list[int]:
    """Append events in their order, each to its thread; gives their ids. However many they are, a handful of statements."""
    connection = session.connection()
    heads = _locked_heads(connection, {entry.thread for entry in entries})
    known = set(heads)
    at = clock.now()
    rows: list[dict[str, Any]] = []
    sides: list[list[dict[str, Any]]] = []
    for entry in entries:
        sequence, previous = heads.get(entry.thread, (0, FIRST))
        kept = [_side(name, value) for name, value in entry.values.items()]
        row: dict[str, Any] = {
            "county_id": entry.county_id,
            "thread_type": entry.thread[0],
            "thread_id": entry.thread[1],
            "sequence": sequence + 1,
            "record_type": entry.record[0],
            "record_id": entry.record[1],
            "kind": entry.kind,
            "name": entry.name,
            "at": at,
            "actor_id": actor.person_id if actor else None,
            "actor_organisation_id": actor.organisation_id if actor else None,
            "address": actor.address if actor else "",
            "digests": {side["name"]: digest(side["salt"], side["value"]) for side in kept},
            "previous": previous,
        }
        row["signature"] = _sign(_content(row), previous)
        heads[entry.thread] = (sequence + 1, row["signature"])
        rows.append(row)
        sides.append(kept)
    table = sa.inspect(Event).local_table
    place = (table.c.thread_type, table.c.thread_id, table.c.sequence)
    written = {
        (found.thread_type, found.thread_id, found.sequence): int(found.id)
        for found in connection.execute(sa.insert(table).returning(table.c.id, *place), rows)
    }
    ids = [written[row["thread_type"], row["thread_id"], row["sequence"]] for row in rows]
    values = [{"event_id": event_id, **side} for event_id, kept in zip(ids, sides, strict=True) for side in kept]
    if values:
        connection.execute(sa.insert(sa.inspect(EventValue).local_table), values)
    _move_heads(connection, heads, known)
    return ids


def _side(name: str, value: Any) -> dict[str, Any]:
    """A value as its side row keeps it."""
    only_for = value.only_for_id if isinstance(value, Restricted) else None
    kept = plain(value.value if isinstance(value, Restricted) else value)
    return {"name": name, "salt": secrets.token_hex(16), "value": kept, "only_for_id": only_for}


THREADS_AT_ONCE = 1000
"""Threads whose heads one statement looks up."""


def _locked_heads(connection: sa.Connection, threads: set[tuple[str, int]]) -> dict[tuple[str, int], tuple[int, str]]:
    """Sequence and signature of the newest event of each thread that has any, locked, always in the same order."""
    head = sa.inspect(EventHead).local_table
    found: dict[tuple[str, int], tuple[int, str]] = {}
    for kind in sorted({kind for kind, _key in threads}):
        keys = sorted(key for other, key in threads if other == kind)
        for start in range(0, len(keys), THREADS_AT_ONCE):
            rows = connection.execute(
                sa.select(head.c.thread_id, head.c.sequence, head.c.signature)
                .where(head.c.thread_type == kind, head.c.thread_id.in_(keys[start : start + THREADS_AT_ONCE]))
                .order_by(head.c.thread_id)
                .with_for_update()
            )
            found.update({(kind, row.thread_id): (row.sequence, row.signature) for row in rows})
    return found


def _move_heads(
    connection: sa.Connection, heads: Mapping[tuple[str, int], tuple[int, str]], known: set[tuple[str, int]]
) -> None:
    """Let the heads name the newest events."""
    head = sa.inspect(EventHead).local_table
    moved = [(thread, *heads[thread]) for thread in heads if thread in known]
    begun = [(thread, *heads[thread]) for thread in heads if thread not in known]
    if moved:
        connection.execute(
            sa.update(head)
            .where(head.c.thread_type == sa.bindparam("kind"), head.c.thread_id == sa.bindparam("key"))
            .values(sequence=sa.bindparam("newest"), signature=sa.bindparam("signed"), sealed=False),
            [
                {"kind": thread[0], "key": thread[1], "newest": sequence, "signed": signature}
                for thread, sequence, signature in moved
            ],
        )
    if begun:
        connection.execute(
            sa.insert(head),
            [
                {
                    "thread_type": thread[0],
                    "thread_id": thread[1],
                    "sequence": sequence,
                    "signature": signature,
                    "sealed": False,
                }
                for thread, sequence, signature in begun
            ],
        )


def seal(session: Session) -> EventSeal | None:
    """Sign the heads of all threads changed since the last seal; None when nothing changed."""
    heads = list(
        session.scalars(
            sa.select(EventHead)
            .where(~EventHead.sealed)
            .order_by(EventHead.thread_type, EventHead.thread_id)
            .with_for_update(skip_locked=True)
        )
    )
    if not heads:
        return None
    last = session.scalars(sa.select(EventSeal).order_by(EventSeal.id.desc()).limit(1).with_for_update()).first()
    previous = last.signature if last else FIRST
    at = clock.now()
    covered = [[head.thread_type, head.thread_id, head.sequence, head.signature] for head in heads]
    made = EventSeal(
        at=at,
        heads=covered,
        previous=previous,
        signature=_sign({"at": at.isoformat(timespec="microseconds"), "heads": covered}, previous),
    )
    session.add(made)
    for head in heads:
        head.sealed = True
    session.flush()
    return made


@dataclass(frozen=True)
class Fault:
    """A broken place in the audit trail."""

    thread: str
    sequence: int
    what: str
    """altered, missing, value altered, tail missing, head missing, seal altered, seal missing"""


def verify(session: Session) -> Iterator[Fault]:
    """Walk every chain and every seal, and name each event that was altered, removed or inserted. Erased side values are no fault.

    To be called at the beginning of a transaction: all is read from one snapshot, since events go on being written meanwhile.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    previous_thread: tuple[str, int] | None = None
    expected, signature = 1, FIRST
    signatures: dict[tuple[str, int, int], str] = {}
    rows = session.connection().execute(
        sa.select(*sa.inspect(Event).local_table.c)
        .order_by(Event.thread_type, Event.thread_id, Event.sequence)
        .execution_options(yield_per=1000)
    )
    for row in rows.mappings():
        thread = (row["thread_type"], row["thread_id"])
        if thread != previous_thread:
            previous_thread, expected, signature = thread, 1, FIRST
        name = f"{thread[0]}/{thread[1]}"
        for gap in range(expected, row["sequence"]):
            yield Fault(name, gap, "missing")
        if (row["previous"] != signature and row["sequence"] == expected) or row["signature"] != _sign(
            _content(dict(row)), row["previous"]
        ):
            yield Fault(name, row["sequence"], "altered")
        expected, signature = row["sequence"] + 1, row["signature"]
        signatures[thread[0], thread[1], row["sequence"]] = row["signature"]
    values = session.connection().execute(
        sa.select(
            Event.thread_type,
            Event.thread_id,
            Event.sequence,
            Event.digests,
            EventValue.name,
            EventValue.salt,
            EventValue.value,
        )
        .join(Event, Event.id == EventValue.event_id)
        .execution_options(yield_per=1000)
    )
    for value in values:
        if value.digests.get(value.name) != digest(value.salt, value.value):
            yield Fault(f"{value.thread_type}/{value.thread_id}", value.sequence, "value altered")
    heads = session.execute(
        sa.select(EventHead.thread_type, EventHead.thread_id, EventHead.sequence, EventHead.signature, EventHead.sealed)
    ).all()
    yield from _missing_tails(signatures, [row[:4] for row in heads])
    known = {(head.thread_type, head.thread_id): head.sequence for head in heads}
    for (thread_type, thread_id), last in _last_of_each(signatures).items():
        if known.get((thread_type, thread_id), 0) < last:
            yield Fault(f"{thread_type}/{thread_id}", last, "head missing")
    covered: set[tuple[str, int, int]] = set()
    signature = FIRST
    for sealed in session.scalars(sa.select(EventSeal).order_by(EventSeal.id)):
        if sealed.previous != signature or sealed.signature != _sign(
            {"at": sealed.at.isoformat(timespec="microseconds"), "heads": sealed.heads}, sealed.previous
        ):
            yield Fault("seal", sealed.id, "seal altered")
        yield from _missing_tails(signatures, sealed.heads)
        covered.update((head[0], head[1], head[2]) for head in sealed.heads)
        signature = sealed.signature
    for head in heads:
        if head.sealed and (head.thread_type, head.thread_id, head.sequence) not in covered:
            yield Fault(f"{head.thread_type}/{head.thread_id}", head.sequence, "seal missing")


def _last_of_each(signatures: Iterable[tuple[str, int, int]]) -> dict[tuple[str, int], int]:
    """The highest sequence of each thread; events come in their order."""
    return {(thread_type, thread_id): sequence for thread_type, thread_id, sequence in signatures}


def _missing_tails(signatures: Mapping[tuple[str, int, int], str], heads: Iterable[Any]) -> Iterator[Fault]:
    for thread_type, thread_id, sequence, signature in heads:
        if signatures.get((thread_type, thread_id, sequence)) != signature:
            yield Fault(f"{thread_type}/{thread_id}", sequence, "tail missing")


COVERED = "change covered by an event"
"""Key in `session.info` while a transition writes its own event, so that its field changes get no second one."""
