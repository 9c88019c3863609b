"""How a person is told: why he got a message, his own choice, confirming an alarm by one tap, and what administrators see of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time, timedelta

import pytest
import sqlalchemy as sa
from itsdangerous import URLSafeTimedSerializer

from app.jobs import background, queue, tasks
from app.jobs.relay import Relay
from app.security import alarm_links
from models import clock
from models.call import Assignment
from models.delivery import Contact, Delivery
from models.notification import Job, Notification
from tests.app.jobs.outside import MailServer, mail_server
from tests.app.visitor import Visitor, form_to, forms_of, visitor, words_of
from tests.conftest import Installation
from tests.county import MONDAY, County


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


@pytest.fixture
def mail(county: County, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    monkeypatch.setattr(background, "_app", None)
    monkeypatch.setattr(background, "_process", None)
    background.use(county.app)
    with mail_server() as server:
        monkeypatch.setitem(county.app.config, "SMTP_URL", server.url)
        monkeypatch.setitem(county.app.config, "PORTAL_URL", "http://localhost")
        yield server


def relay(county: County) -> None:
    with county.app.app_context():
        Relay(queue.connect(county.app.config["REDIS_URL"])).run()


def send(county: County) -> None:
    with county.acting(None) as session:
        keys = session.scalars(sa.select(Job.id).where(Job.name == "deliver", Job.done_at.is_(None))).all()
    for key in keys:
        tasks.run(key)


def english(county: County, name: str) -> Visitor:
    here = visitor(county, name)
    here.post("/language/", {"locale": "en", "next": "/"})
    return here


def alarm_link(county: County, mail: MailServer, name: str) -> str:
    """The link in the last letter to somebody."""
    text = mail.to(f"{name}@county.example")[-1].get_content()
    return str(next(word for word in text.split() if "/alarm/" in word)).removeprefix("http://localhost")


def ringing(county: County) -> int:
    """An emergency that rings now at department 1; gives the assignment."""
    with clock.at(clock.machine_now()):
        _call, key = county.emergency("department1", when=clock.now())
    return key


def acknowledged(county: County, key: int) -> str:
    with county.acting(None) as session:
        return session.get_one(Assignment, key).acknowledged_by


# Why


def test_the_inbox_says_why_one_got_a_message(county: County) -> None:
    county.dispatched("department1")
    relay(county)
    words = words_of(english(county, "department1").get("/inbox/"))
    assert "Why did I get this?" in words
    assert "Department officer (liaison): your department has it in hand" in words


def test_a_message_from_before_reasons_were_kept_can_still_be_read(county: County) -> None:
    county.dispatched("department1")
    relay(county)
    with county.acting(None) as session:
        session.execute(sa.update(Notification).values(role="", relation=""))
    page = english(county, "department1").get("/inbox/")
    assert page.status_code == 200
    assert "Your tasks" in words_of(page)


# By one tap


def test_an_alarm_in_the_inbox_is_confirmed_by_one_tap(county: County) -> None:
    key = ringing(county)
    relay(county)
    here = english(county, "department1")
    page = here.get("/inbox/")
    with county.acting(None) as session:
        message = session.scalars(
            sa.select(Notification.id).where(Notification.person_id == county.people["department1"])
        ).one()
    assert "Confirm the alarm" in words_of(page)
    answer = here.post(f"/inbox/{message}/confirm", {})
    assert answer.status_code == 302
    assert acknowledged(county, key) == county.viewer("department1").name
    after = words_of(here.get("/inbox/"))
    assert "Confirm the alarm" not in after
    assert here.post(f"/inbox/{message}/confirm", {}).status_code == 409, "an alarm is confirmed once"


def test_only_alarms_of_one_s_own_messages_are_confirmed(county: County) -> None:
    key = ringing(county)
    county.dispatched("department1")
    relay(county)
    with county.acting(None) as session:
        others, dispatched = (
            session.scalars(
                sa.select(Notification.id).where(
                    Notification.person_id == county.people["department1"], Notification.kind == kind
                )
            ).one()
            for kind in ("emergency", "dispatched")
        )
    assert visitor(county, "department2").post(f"/inbox/{others}/confirm", {}).status_code == 404
    assert visitor(county, "department1").post(f"/inbox/{dispatched}/confirm", {}).status_code == 404
    assert acknowledged(county, key) == ""


def test_the_link_in_a_letter_leads_through_the_sign_in_to_one_button(county: County, mail: MailServer) -> None:
    key = ringing(county)
    relay(county)
    send(county)
    link = alarm_link(county, mail, "department1")
    stranger = visitor(county)
    refused = stranger.get(link)
    assert refused.status_code == 302
    assert "/login/" in refused.headers["Location"]
    signed = stranger.sign_in("department1", target=refused.headers["Location"])
    assert signed.status_code == 302
    assert signed.headers["Location"].endswith(link)
    page = stranger.get(link)
    assert page.status_code == 200
    assert "呼" in words_of(page)
    assert acknowledged(county, key) == "", "looking changes nothing"
    form = form_to(page, "/alarm/")
    done = stranger.post("/alarm/", {"for": form.values["for"][0]})
    assert done.status_code == 302
    assert "/call/show/" in done.headers["Location"]
    assert acknowledged(county, key) == county.viewer("department1").name
    again = stranger.get(link)
    assert again.status_code == 200
    assert not any(one.action == "/alarm/" for one in forms_of(again))
    assert stranger.post("/alarm/", {"for": form.values["for"][0]}).status_code == 409


def test_a_link_is_nobody_else_s_and_not_for_ever(
    county: County, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = ringing(county)
    relay(county)
    send(county)
    link = alarm_link(county, mail, "department1")
    assert visitor(county, "department1_leader").get(link).status_code == 404
    assert visitor(county, "department1").get(link[:-3] + "abc").status_code == 404
    assert visitor(county, "department1").get("/alarm/").status_code == 404
    with county.app.app_context():
        foreign = URLSafeTimedSerializer("another key", salt="confirm an alarm").dumps(
            [key, county.people["department1"]]
        )
    assert visitor(county, "department1").get(f"/alarm/?for={foreign}").status_code == 404
    monkeypatch.setattr(alarm_links, "LINK_SECONDS", -1)
    assert visitor(county, "department1").get(link).status_code == 404
    assert acknowledged(county, key) == ""


# One's own choice


def test_where_nothing_leaves_the_installation_there_is_nothing_to_choose(county: County) -> None:
    here = english(county, "department1")
    assert "This installation sends nothing outside." in words_of(here.get("/profile/"))
    assert here.get("/profile/told/").status_code == 302


def test_a_person_chooses_how_he_is_told(county: County, mail: MailServer) -> None:
    here = english(county, "department1")
    assert "Emergencies and alarms" in words_of(here.get("/profile/"))
    page = here.get("/profile/told/")
    form = form_to(page, "/profile/told/")
    assert form.values["topic_emergency"] == ["mail"]
    assert "topic_amber" not in form.values
    assert form.values["quiet_from"] == ["22:00"]
    assert "department1@county.example" in page.text, "the account's own address is told"
    wrong = here.post(
        "/profile/told/",
        {"topic_amber": ["mail"], "address_mail": "nobody", "quiet_from": "25:00", "quiet_until": "07:00"},
    )
    assert wrong.status_code == 422
    assert "This is not an address of this kind." in words_of(wrong)
    assert "Please enter a time such as 22:00." in words_of(wrong)
    chosen = {
        "topic_amber": ["mail"],
        "address_mail": "duty@county.example",
        "quiet_from": "23:30",
        "quiet_until": "6:15",
        "digest": "y",
    }
    assert here.post("/profile/told/", chosen).status_code == 302
    with county.acting(None) as session:
        kept = session.get_one(Contact, county.people["department1"])
        assert (kept.addresses, kept.quiet_from, kept.quiet_until, kept.digest) == (
            {"mail": "duty@county.example"}, time(23, 30), time(6, 15), True,
        )  # fmt: skip
        assert kept.chosen["amber"] == ["mail"]
        assert "mail" not in kept.chosen["emergency"]
    assert form_to(here.get("/profile/told/"), "/profile/told/").values["topic_amber"] == ["mail"]
    with county.acting("department2") as session:
        assert session.scalars(sa.select(Contact)).all() == [], "nobody reads another's"


# Administrators


def test_administrators_see_what_could_not_be_sent_and_nothing_of_what_it_says(
    county: County, mail: MailServer
) -> None:
    mail.refused.add("department1@county.example")
    ringing(county)
    relay(county)
    with county.acting(None) as session:
        keys = session.scalars(sa.select(Job.id).where(Job.name == "deliver")).all()
    for key in keys:
        tasks.run(key)
    words = words_of(english(county, "sysadmin").get("/delivery/"))
    assert "The mail server refused the recipient. 550" in words
    assert county.viewer("department1").name in words
    assert "污水" not in words
    assert "呼2026" not in words
    for name in ("dispatcher", "department1", "auditor"):
        assert visitor(county, name).get("/delivery/").status_code == 403
    with county.acting(None) as session:
        session.execute(sa.update(Delivery).values(made_at=MONDAY - timedelta(days=300)))
    assert "Nothing has gone wrong." in words_of(english(county, "sysadmin").get("/delivery/"))
