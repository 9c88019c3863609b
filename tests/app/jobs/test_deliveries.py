"""What leaves the portal: by which way, when, once – over a real mail server and a real web service."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

import apprise
import pytest
import sqlalchemy as sa

from app.channels import Letter, Mail, NotSent
from app.jobs import background, deliveries, queue, tasks
from app.jobs.relay import Relay
from config import ROOT
from models import clock
from models.call import Call
from models.delivery import Channel, Contact, Delivery, Trouble, fits
from models.notification import Job, Notification
from models.person import Person
from tests.app.jobs.conftest import QueueServer
from tests.app.jobs.outside import MailServer, WebService, mail_server, web_service
from tests.conftest import eventually
from tests.county import MONDAY, County, at


@pytest.fixture(autouse=True)
def _application_of_the_test(county: County, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(background, "_app", None)
    background.use(county.app)
    yield
    monkeypatch.undo()


@pytest.fixture
def mail(county: County, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """The installation has a mail server."""
    with mail_server() as server:
        monkeypatch.setitem(county.app.config, "SMTP_URL", server.url)
        monkeypatch.setitem(county.app.config, "DEFAULT_LOCALE", "en")
        monkeypatch.setitem(county.app.config, "BABEL_DEFAULT_LOCALE", "en")
        yield server


@pytest.fixture
def service(county: County, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebService]:
    """The installation has a web service for messages."""
    with web_service() as found:
        monkeypatch.setitem(county.app.config, "NOTIFY_URLS", [found.url])
        yield found


def relay(county: County, when: datetime = MONDAY) -> None:
    with county.app.app_context(), clock.at(when):
        Relay(queue.connect(county.app.config["REDIS_URL"])).run()


def outgoing(county: County) -> list[Job]:
    with county.acting(None) as session:
        found = list(session.scalars(sa.select(Job).where(Job.name.in_(("deliver", "send_digest"))).order_by(Job.id)))
        session.expunge_all()
        return found


def send(county: County, when: datetime = MONDAY) -> list[str]:
    """Do every job that may be done at an instant, as a worker would; gives the troubles of those that failed."""
    due = [
        job.id for job in outgoing(county) if job.done_at is None and (job.not_before is None or job.not_before <= when)
    ]
    for key in due:
        with clock.at(when):
            tasks.run(key)
    return [job.error for job in outgoing(county) if job.id in due and job.done_at is None]


def choose(county: County, name: str, **values: Any) -> None:
    """A person's choice, as kept."""
    with county.acting(None) as session:
        contact = Contact.usual(county.people[name])
        for key, value in values.items():
            setattr(contact, key, value)
        session.add(contact)


def rows(county: County) -> set[tuple[str, str, str]]:
    """(account, channel, state) of every delivery."""
    with county.acting(None) as session:
        found = session.execute(
            sa.select(Person.username, Delivery.channel, Delivery.state).join(Person, Person.id == Delivery.person_id)
        )
        return {tuple(row) for row in found}


def test_nothing_leaves_an_installation_that_has_no_way_out(county: County, redis_server: QueueServer) -> None:
    county.emergency("department3")
    relay(county)
    assert rows(county) == set()
    assert outgoing(county) == []


def test_a_letter_reaches_whom_it_concerns_once(county: County, redis_server: QueueServer, mail: MailServer) -> None:
    county.dispatched("department1")
    relay(county)
    assert send(county) == []
    [letter] = mail.to("department1@county.example")
    assert letter["Subject"] == "[Huying] New matter for your department"
    assert letter["From"] == "huying@county.example"
    text = letter.get_content()
    assert "A new matter was dispatched to you (呼2026-0001" in text
    assert "污水" not in text
    assert "王建国" not in text
    assert "You get this because" in text
    with county.acting(None) as session:
        session.execute(sa.update(Job).values(done_at=None))
    send(county)
    relay(county)
    assert len(mail.to("department1@county.example")) == 1
    assert ("department1", "mail", "sent") in rows(county)


def test_what_others_did_and_amber_stay_in_the_inbox(
    county: County, redis_server: QueueServer, mail: MailServer
) -> None:
    _call, key = county.dispatched("department1")
    county.respond("department1", key)
    relay(county)
    send(county)
    assert mail.to("township1@county.example") == []


def test_each_person_chooses_by_topic_and_channel(
    county: County, redis_server: QueueServer, mail: MailServer, service: WebService
) -> None:
    choose(county, "department1", chosen={"task": ["webhook"]}, addresses={"webhook": "dept-1"})
    choose(county, "department1_leader", chosen={}, addresses={})
    county.dispatched("department1")
    relay(county)
    send(county)
    assert mail.to("department1@county.example") == []
    assert {path for path, _body, _headers in service.calls} == {"/notify/dept-1", "/notify/dispatcher"}
    [(_path, body, headers)] = [one for one in service.calls if one[0].endswith("dept-1")]
    assert body["title"] == "[Huying] New matter for your department"
    assert "呼2026-0001" in body["message"]
    assert headers["Idempotency-Key"].startswith("delivery-")


def test_an_emergency_goes_everywhere_at_once_even_at_night(
    county: County, redis_server: QueueServer, mail: MailServer, service: WebService
) -> None:
    night = at("2026-11-24 03:10")
    county.emergency("department3", when=night)
    relay(county, night)
    send(county, night)
    [letter] = mail.to("department3@county.example")
    assert letter["Subject"] == "[Huying, urgent] Emergency call"
    assert "/notify/department3" in {path for path, _body, _headers in service.calls}


def test_what_is_not_urgent_waits_for_the_end_of_quiet_hours(
    county: County, redis_server: QueueServer, mail: MailServer
) -> None:
    late = at("2026-11-23 22:30")
    choose(county, "department1_leader", quiet_from=time(0), quiet_until=time(0))
    county.dispatched("department1", when=late)
    relay(county, late)
    assert send(county, late) == []
    assert mail.to("department1@county.example") == []
    assert len(mail.to("department1_leader@county.example")) == 1
    assert send(county, at("2026-11-24 06:59")) == []
    assert mail.to("department1@county.example") == []
    send(county, at("2026-11-24 07:00"))
    assert len(mail.to("department1@county.example")) == 1


def test_whoever_read_it_in_the_portal_meanwhile_gets_no_letter(
    county: County, redis_server: QueueServer, mail: MailServer
) -> None:
    late = at("2026-11-23 22:30")
    county.dispatched("department1", when=late)
    relay(county, late)
    with county.acting(None) as session:
        session.execute(
            sa.update(Notification).where(Notification.person_id == county.people["department1"]).values(read_at=late)
        )
    send(county, at("2026-11-24 07:00"))
    assert mail.to("department1@county.example") == []
    assert ("department1", "mail", "dropped") in rows(county)


def test_one_letter_at_half_past_eight_for_who_wants_it_so(
    county: County, redis_server: QueueServer, mail: MailServer
) -> None:
    choose(county, "department1", digest=True)
    county.dispatched("department1")
    county.dispatched("department1")
    county.emergency("department1")
    relay(county)
    send(county)
    [alarm] = mail.to("department1@county.example")
    assert alarm["Subject"] == "[Huying, urgent] Emergency call"
    send(county, at("2026-11-24 08:30"))
    _alarm, digest = mail.to("department1@county.example")
    assert digest["Subject"] == "[Huying] 2 messages"
    assert digest.get_content().count("New matter for your department") == 2
    send(county, at("2026-11-24 08:31"))
    assert len(mail.to("department1@county.example")) == 2


def test_what_is_old_when_it_is_relayed_stays_in_the_inbox(
    county: County, redis_server: QueueServer, mail: MailServer
) -> None:
    county.dispatched("department1")
    relay(county, MONDAY + timedelta(days=1, minutes=1))
    assert rows(county) == set()


def test_without_an_address_nothing_is_sent(county: County, redis_server: QueueServer, mail: MailServer) -> None:
    with county.acting(None) as session:
        session.get_one(Person, county.people["department1"]).email = "department1@county.invalid"
    county.dispatched("department1")
    relay(county)
    assert not any(name == "department1" for name, _channel, _state in rows(county))


def test_a_mail_server_that_is_down_gets_it_later_and_once(
    county: County, redis_server: QueueServer, mail: MailServer
) -> None:
    county.dispatched("department1")
    relay(county)
    mail.stop()
    failures = send(county)
    assert len(failures) == 3  # the dispatcher's, and the department's two
    assert set(failures) == {"mail_server: ConnectionRefusedError"}
    with county.app.test_client() as client:
        assert (
            "3 messages by mail could not be sent and are tried again" in client.get("/health").get_json()["warnings"]
        )
    mail.start()
    for _again in range(2):
        assert send(county, MONDAY + timedelta(minutes=1)) == []
    assert len(mail.to("department1@county.example")) == 1


def test_the_wait_for_the_next_try_doubles_up_to_an_hour(
    county: County, redis_server: QueueServer, mail: MailServer
) -> None:
    """Counted from the stored number of tries: nothing sleeps, and the queue is asked for nothing before."""
    mail.refused.add("dispatcher@county.example")
    county.submitted()
    relay(county)
    when, waits = MONDAY, []
    for tries in range(1, 10):
        assert len(send(county, when)) == 1
        [job] = outgoing(county)
        assert job.not_before is not None
        with county.acting(None) as session:
            assert session.scalars(sa.select(Delivery.attempts)).one() == tries
        waits.append(int((job.not_before - when).total_seconds()) // 60)
        when = job.not_before
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_failed_delivery_is_queued_again_when_its_wait_is_over(
    county: County, redis_server: QueueServer, mail: MailServer
) -> None:
    mail.refused.add("dispatcher@county.example")
    county.submitted()
    relay(county)
    [job] = outgoing(county)
    waiting = queue.queue(redis_server.connection())
    waiting.empty()
    with clock.at(MONDAY):
        tasks.run(job.id)
        tasks.run(job.id)  # a second copy of the job that stood in the queue
    with county.acting(None) as session:
        assert session.scalars(sa.select(Delivery.attempts)).one() == 1
    relay(county, MONDAY + timedelta(seconds=59))
    assert waiting.job_ids == []
    relay(county, MONDAY + timedelta(minutes=1))
    assert waiting.job_ids == [queue.queue_id(job.key, 2)]


def test_a_letter_of_several_waits_by_the_one_tried_most_often(
    county: County, redis_server: QueueServer, mail: MailServer
) -> None:
    choose(county, "department1", digest=True)
    mail.refused.add("department1@county.example")
    county.dispatched("department1")
    county.dispatched("department1")
    relay(county)
    with county.acting(None) as session:
        first = session.scalars(sa.select(Delivery.id).where(Delivery.digest).order_by(Delivery.id)).first()
        session.execute(sa.update(Delivery).where(Delivery.id == first).values(attempts=3))
    morning = at("2026-11-24 08:30")
    [_failure] = send(county, morning)
    [digest] = [job for job in outgoing(county) if job.name == "send_digest"]
    assert digest.not_before == morning + timedelta(minutes=8)


def test_after_a_day_it_is_given_up_and_told(county: County, redis_server: QueueServer, mail: MailServer) -> None:
    mail.refused.add("department1@county.example")
    county.dispatched("department1")
    relay(county)
    [failure] = send(county)
    assert failure == "recipient: 550"
    with county.acting(None) as session:
        kept = session.execute(sa.select(Delivery.trouble, Delivery.error).where(Delivery.trouble != "")).one()
    assert tuple(kept) == (Trouble.recipient.value, "550"), "a code that each reader is told in his own language"
    assert send(county, MONDAY + timedelta(days=1, minutes=1)) == []
    assert ("department1", "mail", "failed") in rows(county)
    with county.app.test_client() as client, clock.at(MONDAY + timedelta(days=1, minutes=2)):
        assert "1 messages by mail were given up within the last week" in client.get("/health").get_json()["warnings"]


def test_a_web_service_that_answers_badly_gets_it_again(
    county: County, redis_server: QueueServer, service: WebService
) -> None:
    service.answer = 503
    county.emergency("department3")
    relay(county)
    assert set(send(county)) == {"service"}, "even where there is no detail"
    with county.app.test_client() as client:
        warnings = client.get("/health").get_json()["warnings"]
    assert any("by webhook could not be sent and are tried again" in one for one in warnings)
    service.answer, service.calls = 200, []
    later = MONDAY + timedelta(minutes=1)
    assert send(county, later) == []
    before = len(service.calls)
    assert send(county, later) == []
    assert len(service.calls) == before
    assert [path for path, _body, _headers in service.calls].count("/notify/department3") == 1


def test_two_workers_with_the_same_job_send_it_once(
    county: County, redis_server: QueueServer, mail: MailServer
) -> None:
    county.submitted()
    relay(county)
    [job] = outgoing(county)
    second: list[Exception] = []

    def another() -> None:
        try:
            tasks.run(job.id)
        except deliveries.StillAtWork as failure:
            second.append(failure)

    threads: list[threading.Thread] = []

    def on_arrival() -> None:
        threads.append(threading.Thread(target=another))
        threads[0].start()
        threads[0].join()

    mail.on_arrival = on_arrival
    tasks.run(job.id)
    assert len(second) == 1
    assert len(mail.letters) == 1


def test_who_is_killed_after_sending_leaves_a_letter_with_the_same_message_id(
    county: County, redis_server: QueueServer, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the server's “OK” and our mark nobody can look: the second letter bears the first one's Message-ID."""
    county.submitted()
    relay(county)
    [job] = outgoing(county)

    class Killed(BaseException):
        """As if the process were gone: nothing more is done."""

    def killed(*_args: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(deliveries, "_settle", killed)
        with pytest.raises(Killed):
            tasks.run(job.id)
    with pytest.raises(deliveries.StillAtWork):
        tasks.run(job.id)
    with county.acting(None) as session:
        session.execute(sa.update(Delivery).values(claimed_at=clock.machine_now() - deliveries.CLAIM * 2))
    tasks.run(job.id)
    tasks.run(job.id)
    first, second = (letter["Message-ID"] for letter in mail.letters)
    assert first == second


def test_a_real_worker_sends_what_the_scheduler_relays(
    county: County, redis_server: QueueServer, mail: MailServer, processes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_URL", mail.url)
    choose(county, "dispatcher", quiet_from=time(0), quiet_until=time(0))  # the test is run at any hour
    county.submitted(when=clock.machine_now())
    processes("scheduler")
    processes("worker")
    eventually(lambda: len(mail.to("dispatcher@county.example")) == 1, "the letter arrives")
    eventually(lambda: ("dispatcher", "mail", "sent") in rows(county), "it is marked as sent")


@pytest.mark.parametrize(
    ("channel", "address", "good"),
    [
        (Channel.mail, "zhang@county.gov.cn", True), (Channel.mail, "zhang", False), (Channel.mail, "a@b.cn,c@d.cn", False),
        (Channel.sms, "13800138000", True), (Channel.sms, "0500-621", False), (Channel.wecom, "a1b2-c3", True),
        (Channel.wecom, "../../x", False), (Channel.webhook, "a/b", False), (Channel.webhook, "a?x=1", False), (Channel.lark, "", False),
    ],
)  # fmt: skip
def test_an_address_that_leads_elsewhere_is_none(channel: Channel, address: str, good: bool) -> None:
    assert fits(channel, address) is good


def test_a_withdrawn_draft_sends_nothing(county: County, redis_server: QueueServer, mail: MailServer) -> None:
    county.do("township1", Call, county.draft(), "withdraw", {"reason": "误填"})
    relay(county)
    assert rows(county) == set()


def test_a_message_does_not_wait_behind_papers(county: County, redis_server: QueueServer, mail: MailServer) -> None:
    county.dispatched("department1")
    relay(county)
    waiting = queue.queue(redis_server.connection()).job_ids
    kinds = [one.partition("-")[0] for one in waiting]
    assert kinds == ["deliver"] * 3 + ["produce_document"]


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_signs_in_at_the_mail_server_and_keeps_the_password_to_itself() -> None:
    server = MailServer(password="p@ss/word")
    server.start()
    try:
        letter = Letter("delivery-1", "标题", "正文")
        address = f"127.0.0.1:{server.port}/?from=huying@county.example"
        Mail(f"smtp://portal:p%40ss%2Fword@{address}").send("zhang@county.example", letter)
        with pytest.raises(NotSent) as refused:
            Mail(f"smtp://portal:wrong-password@{address}").send("zhang@county.example", letter)
        assert "wrong" not in str(refused.value)
    finally:
        server.stop()
    [kept] = server.letters
    assert (kept["Subject"], kept.get_content().strip()) == ("标题", "正文")
    assert kept["Message-ID"] == "<delivery-1@county.example>"


def test_the_documented_addresses_are_understood() -> None:
    page = (ROOT / "docs" / "notifications.md").read_text(encoding="utf-8")
    urls = re.findall(r"`(\w+://[^`]*\{address\}[^`]*)`", page)
    assert len(urls) >= 5
    for url in urls:
        service = apprise.Apprise()
        key = "13800138000" if url.startswith(("dingtalk", "bulksms")) else "4f1c2a9e-8a1b-4c3d-9e2f-0123456789ab"
        assert service.add(url.replace("{address}", key)), url
