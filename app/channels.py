"""The ways out of the portal that an installation has: mail by SMTP_URL, everything else by Apprise addresses in NOTIFY_URLS.

Without these settings there is none, and nothing ever leaves the installation. Nothing here touches the database.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, Protocol
from urllib.parse import parse_qs, quote, unquote, urlsplit

import apprise

from config import WEBHOOKS
from models import clock
from models.delivery import Channel, Trouble

ANSWER_SECONDS = 20
"""How long a mail server may take for an answer."""

_BY_SCHEME = {
    "wecombot": Channel.wecom,
    "dingtalk": Channel.dingtalk,
    "lark": Channel.lark,
    "feishu": Channel.lark,
    **dict.fromkeys(WEBHOOKS, Channel.webhook),
}
"""What is none of these is a gateway of text messages."""


class NotSent(Exception):
    """A letter that could not be handed over, and why; the detail is for administrators, without addresses or secrets."""

    def __init__(self, trouble: Trouble, detail: str = "") -> None:
        super().__init__(": ".join(filter(None, (trouble.value, detail))))
        self.trouble, self.detail = trouble, detail


@dataclass(frozen=True)
class Letter:
    """What is sent. `key` is the same whenever the same is sent again, so that a receiver may drop what he has already."""

    key: str
    title: str
    text: str


class Way(Protocol):
    """One way of telling somebody."""

    def send(self, address: str, letter: Letter) -> None:
        """Hand a letter over. Raises NotSent."""


@dataclass(frozen=True)
class Mail:
    """Mail by SMTP.

    Spoken by the standard library, not by Apprise: that one gives each attempt a Message-ID of its own, while mail programs
    and servers tell by it that a letter sent twice is one.
    """

    url: str

    def send(self, address: str, letter: Letter) -> None:
        parts = urlsplit(self.url)
        sender = parse_qs(parts.query)["from"][0]
        message = EmailMessage()
        message["Subject"] = letter.title
        message["From"] = sender
        message["To"] = address
        message["Date"] = format_datetime(clock.now())
        message["Message-ID"] = f"<{letter.key}@{sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        try:
            with self._connect() as server:
                if parts.username:
                    server.login(unquote(parts.username), unquote(parts.password or ""))
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as failure:
            codes = ", ".join(str(code) for code, _text in failure.recipients.values())
            raise NotSent(Trouble.recipient, codes) from failure
        except (smtplib.SMTPException, OSError) as failure:
            raise NotSent(Trouble.mail_server, type(failure).__name__) from failure

    def _connect(self) -> smtplib.SMTP:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        context = ssl.create_default_context()
        if parts.scheme == "smtps":
            return smtplib.SMTP_SSL(host, parts.port or 465, timeout=ANSWER_SECONDS, context=context)
        server = smtplib.SMTP(host, parts.port or 587, timeout=ANSWER_SECONDS)
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=context)
        return server


@dataclass(frozen=True)
class ByApprise:
    """A service that Apprise speaks to, by an address with the place of a person's own in it."""

    url: str
    channel: Channel

    def send(self, address: str, letter: Letter) -> None:
        url = self.url.replace("{address}", quote(address, safe=""))
        if self.channel is Channel.webhook:
            url += f"{'&' if '?' in url else '?'}+Idempotency-Key={letter.key}"
        service = apprise.Apprise(asset=apprise.AppriseAsset(app_id="Huying", secure_logging=True))
        if not service.add(url):
            raise NotSent(Trouble.settings)
        if not service.notify(title=letter.title, body=letter.text, body_format=apprise.NotifyFormat.TEXT):
            raise NotSent(Trouble.service)


def ways(settings: Mapping[str, Any]) -> dict[Channel, Way]:
    """The installation's ways, in the order in which people are shown them; of two for one channel the first counts."""
    found: dict[Channel, Way] = {}
    for url in settings["NOTIFY_URLS"]:
        channel = _BY_SCHEME.get(urlsplit(url).scheme.lower(), Channel.sms)
        found.setdefault(channel, ByApprise(url, channel))
    if settings["SMTP_URL"]:
        found[Channel.mail] = Mail(settings["SMTP_URL"])
    return {channel: found[channel] for channel in Channel if channel in found}
