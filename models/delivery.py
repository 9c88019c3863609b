"""Telling people outside the portal: by which ways each wants to be told, and what has been sent to whom (part 5 of the interfaces).

The inbox holds everything. What leaves the portal is a copy, sent once for each (notification, channel), by a person's choice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, time, timedelta

import sqlalchemy as sa
from flask_appbuilder import Model
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models import viewer
from models.base import JSON, KEY, UtcDateTime
from models.field import Choice
from models.notification import Notification, Topic
from models.person import ZONE, Person


class Channel(Choice):
    """A way out of the portal."""

    mail = "mail", _l("E-mail")
    wecom = "wecom", _l("WeCom")
    dingtalk = "dingtalk", _l("DingTalk")
    lark = "lark", _l("Lark")
    sms = "sms", _l("Text message")
    webhook = "webhook", _l("County message service")


WRITTEN = frozenset(Channel) - {Channel.sms}
DEFAULTS: Mapping[Topic, frozenset[Channel]] = {
    Topic.emergency: frozenset(Channel),
    Topic.task: WRITTEN,
    Topic.overdue: WRITTEN,
    Topic.amber: frozenset(),
    Topic.news: frozenset(),
}
"""Before a person has chosen: emergencies by every way, what is to be done not by text message, the rest in the inbox alone."""

QUIET_FROM, QUIET_UNTIL = time(22, 0), time(7, 0)
DIGEST_AT = time(8, 30)

_ADDRESS = {
    Channel.mail: re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+\.[^\s@,;<>\".]+"),
    Channel.sms: re.compile(r"\+?\d{6,20}"),
}
_KEY = re.compile(r"[\w.@+-]+", re.ASCII)
NOWHERE = ".invalid"
"""End of addresses that no letter can ever reach: who has no mailbox, and the people of the demonstration county (RFC 2606)."""

_MOBILE = re.compile(r"1\d{10}")
LONGEST_ADDRESS = 128


def fits(channel: Channel, address: str) -> bool:
    """Whether an address can be one of this channel. A key never holds what would lead it to another place of the channel's address."""
    return len(address) <= LONGEST_ADDRESS and _ADDRESS.get(channel, _KEY).fullmatch(address) is not None


class Contact(Model):
    """How a person wants to be told, once he has chosen; before that the defaults hold."""

    __tablename__ = "contact"

    id: Mapped[int] = mapped_column(
        sa.Integer, sa.ForeignKey("ab_user.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    """The person's key."""
    addresses: Mapped[dict[str, str]] = mapped_column(JSON, nullable=False)
    """By channel; the account's own where none is given here."""
    chosen: Mapped[dict[str, list[str]]] = mapped_column(JSON, nullable=False)
    """Channels by topic."""
    quiet_from: Mapped[time] = mapped_column(sa.Time, nullable=False, default=QUIET_FROM)
    quiet_until: Mapped[time] = mapped_column(sa.Time, nullable=False, default=QUIET_UNTIL)
    """Equal: no quiet hours."""
    digest: Mapped[bool] = mapped_column(sa.Boolean, nullable=False, default=False)
    """Whether mail that is not urgent comes as one letter at half past eight."""

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """One's own."""
        table = sa.inspect(cls).local_table
        return sa.select(table.c.id).where(table.c.id == person.person_id)

    @classmethod
    def usual(cls, person_id: int) -> Contact:
        """Of a person who has not chosen yet."""
        return cls(
            id=person_id,
            addresses={},
            chosen={topic.value: sorted(channels) for topic, channels in DEFAULTS.items()},
            quiet_from=QUIET_FROM,
            quiet_until=QUIET_UNTIL,
            digest=False,
        )

    def address(self, channel: Channel, person: Person) -> str:
        """Where a person is reached by a channel; empty where he is not."""
        return self.addresses.get(channel.value) or own_address(channel, person)

    def wants(self, topic: Topic, channel: Channel) -> bool:
        return channel.value in self.chosen.get(topic.value, ())

    def quiet_end(self, instant: datetime) -> datetime:
        """When the quiet hours that an instant lies in end; the instant itself outside of them."""
        begin, end = self.quiet_from, self.quiet_until
        local = instant.astimezone(ZONE)
        now = local.time()
        quiet = begin <= now < end if begin <= end else now >= begin or now < end
        return _next(instant, end) if quiet else instant


def own_address(channel: Channel, person: Person) -> str:
    """What the account itself tells: its mailbox, a telephone that takes text messages, and for the county's service its name."""
    if channel is Channel.mail and not person.email.endswith(NOWHERE):
        return person.email
    if channel is Channel.sms and _MOBILE.fullmatch(person.phone or ""):
        return person.phone or ""
    if channel is Channel.webhook and fits(channel, person.username):
        return person.username
    return ""


def _next(instant: datetime, at: time) -> datetime:
    """The next time that it is so late in the county."""
    local = instant.astimezone(ZONE)
    found = datetime.combine(local.date(), at, tzinfo=ZONE)
    return (found if found > local else found + timedelta(days=1)).astimezone(instant.tzinfo)


def next_digest(instant: datetime) -> datetime:
    return _next(instant, DIGEST_AT)


class DeliveryState(Choice):
    waiting = "waiting", _l("Waiting")
    sent = "sent", _l("Sent")
    dropped = "dropped", _l("No longer needed")
    failed = "failed", _l("Given up")


class Trouble(Choice):
    """Why a message could not be handed over. The code is kept, and told in the language of whoever reads it."""

    recipient = "recipient", _l("The mail server refused the recipient.")
    mail_server = "mail_server", _l("The mail server did not take the letter.")
    settings = "settings", _l("NOTIFY_URLS holds an address that Apprise does not understand.")
    service = "service", _l("The service refused the message or could not be reached.")


class Delivery(Model):
    """A notification on its way out by one channel. Made in the relay's transaction; unique, whatever is relayed twice."""

    __tablename__ = "delivery"
    __table_args__ = (
        sa.UniqueConstraint("notification_id", "channel"),
        sa.Index(
            "ix_delivery_waiting",
            "due_at",
            postgresql_where=sa.text("state = 'waiting'"),
            sqlite_where=sa.text("state = 'waiting'"),
        ),
    )
    id: Mapped[int] = mapped_column(KEY, primary_key=True)
    notification_id: Mapped[int] = mapped_column(
        KEY, sa.ForeignKey("notification.id", ondelete="CASCADE"), nullable=False
    )
    person_id: Mapped[int] = mapped_column(sa.Integer, sa.ForeignKey("ab_user.id"), nullable=False)
    channel: Mapped[str] = mapped_column(sa.String(16), nullable=False)
    state: Mapped[str] = mapped_column(sa.String(16), nullable=False, default=DeliveryState.waiting.value)
    urgent: Mapped[bool] = mapped_column(sa.Boolean, nullable=False)
    """Sent at any hour, and even where it has been read meanwhile."""
    digest: Mapped[bool] = mapped_column(sa.Boolean, nullable=False)
    """Whether it goes into the letter of its `due_at` instead of one of its own."""
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False)
    claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """By the machine's time, when somebody began to send it; not set while nobody does."""
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=0)
    trouble: Mapped[str] = mapped_column(sa.String(16), nullable=False, default="", server_default="")
    """Why the last try failed; empty where none did, or where it is settled."""
    error: Mapped[str] = mapped_column(sa.Text, nullable=False, default="")
    """The technical detail of it, as the other side told it."""

    notification: Mapped[Notification] = relationship()
    person: Mapped[Person] = relationship()
