"""From the inbox out of the portal: planned in the relay's transaction, sent by jobs outside of any.

A delivery is claimed before it is sent and marked afterwards. Whoever is killed in between leaves a claim that runs out, and it is
sent again: once more at most for each such death. That cannot be excluded, since no mail server takes part in our transactions;
therefore the same delivery always bears the same Message-ID (of a webhook: Idempotency-Key), by which the receiver drops the second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session, joinedload

from app.channels import Letter, NotSent, ways
from app.database import db, transaction
from app.notifications import text_of, why_told, wording_of
from app.security.alarm_links import alarm_token
from models import clock
from models.delivery import Channel, Contact, Delivery, DeliveryState, next_digest
from models.notification import Job, Notification, Topic

OUTWARD_WITHIN = timedelta(days=1)
"""What happened longer ago when it is relayed is no news to be sent: it stands in the inbox."""

CLAIM = timedelta(minutes=2)
"""After so long a claim is that of a process that was killed; sending takes a fraction of it."""

GIVE_UP_AFTER = timedelta(days=1)
"""Since a delivery was due."""

FIRST_WAIT = timedelta(minutes=1)
"""Between the first failure and the second try; each further one waits twice as long."""

LONGEST_WAIT = timedelta(hours=1)

AT_ANY_HOUR = frozenset({"duty", "duty_leader"})
"""Relations in which quiet hours do not count: who is on duty is awake."""

log = structlog.get_logger(__name__)


class NotSentYet(Exception):
    """What could not be sent and is tried again, and when; the message says why."""

    def __init__(self, why: str, again_at: datetime) -> None:
        super().__init__(why)
        self.again_at = again_at


class StillAtWork(Exception):
    """Somebody else is sending this delivery just now, or was killed a moment ago: the queue tries again."""


# Planning


def plan(session: Session, made: Sequence[int]) -> int:
    """Deliveries and their jobs for notifications made just now, in the present transaction; gives their number."""
    open_ways = ways(current_app.config)
    if not open_ways or not made:
        return 0
    found = session.scalars(
        sa.select(Notification)
        .where(Notification.id.in_(made))
        .options(joinedload(Notification.person))
        .order_by(Notification.id)
    ).all()
    people = {one.person_id for one in found}
    contacts = {one.id: one for one in session.scalars(sa.select(Contact).where(Contact.id.in_(people)))}
    planned = [
        delivery
        for one in found
        for delivery in _planned(one, contacts.get(one.person_id) or Contact.usual(one.person_id), list(open_ways))
    ]
    session.add_all(planned)
    session.flush()
    for delivery in planned:
        _want(session, delivery)
    return len(planned)


def _planned(one: Notification, contact: Contact, channels: Sequence[Channel]) -> list[Delivery]:
    now = clock.now()
    if one.made_at < now - OUTWARD_WITHIN:
        return []
    topic = wording_of(one).topic
    urgent = topic is Topic.emergency or one.relation in AT_ANY_HOUR
    made = []
    for channel in channels:
        if not contact.wants(topic, channel) or not contact.address(channel, one.person):
            continue
        digest = contact.digest and channel is Channel.mail and not urgent
        due = now if urgent else next_digest(now) if digest else contact.quiet_end(now)
        made.append(
            Delivery(
                notification_id=one.id,
                person_id=one.person_id,
                channel=channel.value,
                urgent=urgent,
                digest=digest,
                made_at=now,
                due_at=due,
            )
        )
    return made


def _want(session: Session, delivery: Delivery) -> None:
    """A job for each delivery, or one for a whole letter; not before it is due."""
    if delivery.digest:
        at = delivery.due_at.isoformat()
        key, name = f"digest:{delivery.person_id}:{at}", "send_digest"
        arguments: dict[str, Any] = {"person_id": delivery.person_id, "due": at}
        if session.scalars(sa.select(Job.id).where(Job.key == key)).first() is not None:
            return
    else:
        key, name, arguments = f"deliver:{delivery.id}", "deliver", {"delivery_id": delivery.id}
    not_before = delivery.due_at if delivery.due_at > clock.now() else None
    session.add(Job(key=key, name=name, arguments=arguments, wanted_at=clock.now(), not_before=not_before))
    session.flush()


# Sending


def deliver(delivery_id: int) -> None:
    """Send one delivery. Raises NotSentYet, for its job to wait, or StillAtWork, for the queue to try again."""
    _send([delivery_id], f"delivery-{delivery_id}")


def send_digest(person_id: int, due: str) -> None:
    """Send one letter with everything that a person's mail had waiting for this hour."""
    with db.session.session_factory() as session:
        keys = session.scalars(
            sa.select(Delivery.id)
            .where(
                Delivery.person_id == person_id,
                Delivery.digest,
                Delivery.due_at == datetime.fromisoformat(due),
                Delivery.state == DeliveryState.waiting.value,
            )
            .order_by(Delivery.id)
        ).all()
    if keys:
        _send(list(keys), f"digest-{person_id}-{int(datetime.fromisoformat(due).timestamp())}")


def _send(keys: list[int], name: str) -> None:
    """Claim, write, hand over, mark: each database step in a transaction of its own, the network in none."""
    keys = _claim(keys)
    if not keys:
        return
    with db.session.session_factory() as session:
        waiting = list(
            session.scalars(
                sa.select(Delivery)
                .where(Delivery.id.in_(keys))
                .options(joinedload(Delivery.notification), joinedload(Delivery.person))
                .order_by(Delivery.id)
            )
        )
        person = waiting[0].person
        contact = session.get(Contact, person.id) or Contact.usual(person.id)
        channel = Channel(waiting[0].channel)
        way = ways(current_app.config).get(channel)
        address = contact.address(channel, person) if person.active else ""
        wanted = [one for one in waiting if one.urgent or one.notification.read_at is None] if way and address else []
        with force_locale(person.locale or current_app.config["BABEL_DEFAULT_LOCALE"]):
            letter = _letter(wanted, channel, name) if wanted else None
    if way is None or letter is None:
        _settle(keys, DeliveryState.dropped)
        return
    try:
        way.send(address, letter)
    except NotSent as failure:
        _failed(keys, failure)
        return
    sent = {one.id for one in wanted}
    _settle(list(sent), DeliveryState.sent)
    _settle([key for key in keys if key not in sent], DeliveryState.dropped)


def _claim(keys: Sequence[int]) -> list[int]:
    """Claim those of the deliveries that are not settled yet. Raises StillAtWork where another process has one of them."""
    now = clock.machine_now()
    with transaction() as session:
        found = session.scalars(
            sa.select(Delivery)
            .where(Delivery.id.in_(keys), Delivery.state == DeliveryState.waiting.value)
            .order_by(Delivery.id)
            .with_for_update()
        ).all()
        if any(one.claimed_at is not None and one.claimed_at > now - CLAIM for one in found):
            raise StillAtWork("this delivery is being sent by another process, or was when that ended")
        for one in found:
            one.claimed_at = now
            one.attempts += 1
        return [one.id for one in found]


def _settle(keys: Sequence[int], state: DeliveryState, failure: NotSent | None = None) -> None:
    with transaction() as session:
        session.execute(
            sa.update(Delivery)
            .where(Delivery.id.in_(keys), Delivery.state == DeliveryState.waiting.value)
            .values(state=state.value, settled_at=clock.now(), claimed_at=None, **_why(failure)),
            execution_options={"synchronize_session": False},
        )


def _why(failure: NotSent | None) -> dict[str, str]:
    return {"trouble": failure.trouble.value, "error": failure.detail} if failure else {"trouble": "", "error": ""}


def _failed(keys: Sequence[int], failure: NotSent) -> None:
    """Note why; after a day give up. Raises NotSentYet unless it was given up."""
    now = clock.now()
    with db.session.session_factory() as session:
        asked = sa.select(sa.func.min(Delivery.due_at), sa.func.max(Delivery.attempts)).where(Delivery.id.in_(keys))
        due, tries = session.execute(asked).one()
    if due < now - GIVE_UP_AFTER:
        log.error("a message was given up", deliveries=list(keys), problem=str(failure))
        _settle(keys, DeliveryState.failed, failure)
        return
    with transaction() as session:
        session.execute(
            sa.update(Delivery).where(Delivery.id.in_(keys)).values(claimed_at=None, **_why(failure)),
            execution_options={"synchronize_session": False},
        )
    raise NotSentYet(str(failure), now + wait_after(tries))


def wait_after(tries: int) -> timedelta:
    """How long a delivery waits that has been tried so often in vain."""
    longest = LONGEST_WAIT // FIRST_WAIT
    return FIRST_WAIT * min(2 ** min(tries - 1, longest.bit_length()), longest)


# Letters


def _letter(wanted: Sequence[Delivery], channel: Channel, name: str) -> Letter:
    """What is sent, in the present language: of several one letter that lists them."""
    of_this_installation = hashlib.sha256(f"{current_app.config['SECRET_KEY']}:{name}".encode()).hexdigest()[:16]
    key = f"{name}-{of_this_installation}"
    if len(wanted) > 1 or wanted[0].digest:
        return _digest(wanted, key)
    one = wanted[0].notification
    title, text = text_of(one, outside=True)
    urgent = wording_of(one).topic is Topic.emergency
    heading = _("[Huying, urgent] %(title)s", title=title) if urgent else _("[Huying] %(title)s", title=title)
    parts = [text, _alarm_link(one) or _link()]
    if channel is Channel.mail:
        parts.append(_("You get this because: %(why)s", why=why_told(one)))
    return Letter(key, heading, "\n\n".join(filter(None, parts)))


def _digest(wanted: Sequence[Delivery], key: str) -> Letter:
    lines = [" – ".join(text_of(one.notification, outside=True)) for one in wanted]
    heading = _("[Huying] %(number)s messages", number=len(lines))
    return Letter(key, heading, "\n\n".join(filter(None, ["\n".join(lines), _link()])))


def _alarm_link(one: Notification) -> str:
    """For an alarm: the link that leads to its one button, good for a while from now on."""
    portal, assignment_id = current_app.config["PORTAL_URL"], one.values.get("assignment")
    if not portal or assignment_id is None or not wording_of(one).rings:
        return ""
    token = alarm_token(assignment_id, one.person_id)
    return "\n".join((_("Confirm by one tap:"), f"{portal}/alarm/?for={token}"))


def _link() -> str:
    portal = current_app.config["PORTAL_URL"]
    return f"{portal}/inbox/" if portal else ""
