"""Signing in and out, by page and by API: limits, ends of sessions, handed-out passwords, forged requests, headers, what is reachable (spec 5)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from models import clock
from models.event import Event, EventValue
from models.person import Person, SignInFailure
from tests.app.visitor import Program, Visitor, program, set_clock, visitor, words_of
from tests.conftest import Installation
from tests.county import PASSWORD, County

WRONG = "Not-the-password-9"
NEW = "Quiet-River-2026"


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough: nothing here depends on which."""
    sqlite_installation.fresh("county")
    return sqlite_installation


Attempt = Callable[[str, str], TestResponse]


@pytest.fixture(params=["page", "api"])
def attempt(request: pytest.FixtureRequest, county: County) -> Attempt:
    """Signing in, by page and by API in turn; each attempt from a fresh browser at the same address."""
    if request.param == "page":
        return lambda name, password: visitor(county).sign_in(name, password)
    return lambda name, password: Program(county.app, "192.0.2.10").sign_in(name, password)


def right(answer: TestResponse) -> bool:
    return answer.status_code == 200 and "access_token" in answer.text if answer.is_json else answer.status_code == 302


# ---- right and wrong


def test_the_right_password_opens_the_portal(attempt: Attempt) -> None:
    assert right(attempt("township1", PASSWORD))


@pytest.mark.parametrize(
    ("name", "password"),
    [("township1", WRONG), ("nobody", PASSWORD), ("", PASSWORD), ("township1", ""), ("township1", PASSWORD + " "),
     ("x" * 5000, WRONG), ("\x00", "\x00"), ("员", "密码")],
)  # fmt: skip
def test_anything_else_does_not(attempt: Attempt, name: str, password: str) -> None:
    answer = attempt(name, password)
    assert answer.status_code in (200, 400, 401)
    assert not right(answer)
    assert "township1" not in words_of(answer)


def test_a_wrong_name_reads_like_a_wrong_password(attempt: Attempt) -> None:
    texts = [re.sub(r'"[^"]*"', '""', attempt(name, WRONG).text) for name in ("township1", "nobody")]
    assert texts[0] == texts[1]


def test_spaces_around_the_name_do_no_harm(attempt: Attempt) -> None:
    assert right(attempt("  township1 ", PASSWORD))


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b'{"username": "township1"}', b'{"username": 1, "password": []}', b"\xff\xfe", b"{" * 3000],
)
def test_a_senseless_body_is_a_bad_request(county: County, body: bytes) -> None:
    answer = Program(county.app).call("POST", "security/login", data=body, content_type="application/json")
    assert answer.status_code == 400


def test_a_deactivated_account_does_not_sign_in(county: County, attempt: Attempt) -> None:
    change(county, "township1", active=False)
    assert not right(attempt("township1", PASSWORD))


# ---- limits (spec 4, end: 5 in 15 minutes for an account, 30 a minute for an address)


def test_five_failures_lock_the_account_for_fifteen_minutes(county: County, attempt: Attempt) -> None:
    for _ in range(5):
        assert not right(attempt("township1", WRONG))
    locked = attempt("township1", PASSWORD)
    assert locked.status_code == 429
    assert int(locked.headers["Retry-After"]) == 15 * 60
    assert right(attempt("township2", PASSWORD)), "one account's lock must not shut out another"
    set_clock(county.app, clock.now() + timedelta(minutes=14))
    assert attempt("township1", PASSWORD).status_code == 429
    set_clock(county.app, clock.now() + timedelta(minutes=15, seconds=5))
    assert right(attempt("township1", PASSWORD))


def test_a_lock_holds_on_both_ways_in(county: County) -> None:
    for turn in range(5):
        (visitor(county).sign_in if turn % 2 else Program(county.app).sign_in)("township1", WRONG)
    assert visitor(county).sign_in("township1").status_code == 429
    assert Program(county.app).sign_in("township1").status_code == 429


def test_a_lock_is_not_dodged_by_spaces(attempt: Attempt) -> None:
    for name in ("township1", " township1", "township1 ", "  township1", "township1"):
        attempt(name, WRONG)
    assert attempt("township1", PASSWORD).status_code == 429


def test_an_unknown_account_locks_like_a_known_one(attempt: Attempt) -> None:
    for _ in range(5):
        attempt("nobody", WRONG)
    assert attempt("nobody", WRONG).status_code == 429


def test_successes_do_not_count_and_forgive_earlier_slips(attempt: Attempt) -> None:
    for _ in range(4):
        attempt("township1", WRONG)
    for _ in range(40):
        assert right(attempt("township1", PASSWORD))
    for _ in range(4):
        attempt("township1", WRONG)
    assert right(attempt("township1", PASSWORD))


def test_thirty_failures_a_minute_stop_an_address(county: County, attempt: Attempt) -> None:
    guessed(county, 29)
    assert not right(attempt("nobody", WRONG))
    stopped = attempt("township1", PASSWORD)
    assert stopped.status_code == 429
    assert 0 < int(stopped.headers["Retry-After"]) <= 60
    assert right(Program(county.app, "192.0.2.99").sign_in("township1")), "another address is not stopped"
    set_clock(county.app, clock.now() + timedelta(seconds=61))
    assert right(attempt("township1", PASSWORD))


def test_a_forged_forwarding_header_does_not_help(county: County) -> None:
    guessed(county, 30, "192.0.2.20")
    answer = county.app.test_client().post(
        "/api/v1/security/login",
        json={"username": "township1", "password": PASSWORD},
        environ_base={"REMOTE_ADDR": "192.0.2.20"},
        headers={"X-Forwarded-For": "203.0.113.5"},
    )
    assert answer.status_code == 429


def guessed(county: County, count: int, address: str = "192.0.2.10") -> None:
    """Leave so many failures of one address behind, each with another name."""
    with county.acting(None) as session:
        session.add_all(
            SignInFailure(username=f"guess{number}", address=address, at=clock.now()) for number in range(count)
        )


# ---- events


def test_every_attempt_is_an_event(county: County, attempt: Attempt) -> None:
    attempt("township1", WRONG)
    attempt("township1", PASSWORD)
    attempt("nobody", WRONG)
    with county.acting(None) as session:
        events = session.execute(
            sa.select(Event.id, Event.name, Event.actor_id).where(Event.kind == "sign_in").order_by(Event.id)
        ).all()
        values = [
            dict(
                list(
                    session.execute(sa.select(EventValue.name, EventValue.value).where(EventValue.event_id == event.id))
                )
            )
            for event in events
        ]
    person = county.people["township1"]
    assert [(event.name, event.actor_id) for event in events] == [
        ("sign_in_failed", person),
        ("sign_in", person),
        ("sign_in_failed", None),
    ]
    assert values == [{"username": name, "address": "192.0.2.10"} for name in ("township1", "township1", "nobody")]


def test_no_password_is_kept_or_shown(county: County, caplog: pytest.LogCaptureFixture) -> None:
    page = visitor(county).sign_in("township1", WRONG)
    assert WRONG not in page.text
    with county.acting(None) as session:
        kept = session.scalars(sa.text("SELECT group_concat(value) FROM event_value")).all()
        failures = session.scalars(sa.select(SignInFailure.username)).all()
    assert WRONG not in str(kept) + str(failures) + caplog.text


# ---- the end of a session


def change(county: County, name: str, **values: object) -> None:
    with county.acting(None) as session:
        person = session.get_one(Person, county.people[name])
        for attribute, value in values.items():
            setattr(person, attribute, value)


def signed_in(county: County, name: str = "township1") -> Visitor:
    found = visitor(county)
    assert found.sign_in(name).status_code == 302
    assert found.signed_in
    return found


def test_log_out_ends_every_session_and_token(county: County) -> None:
    here, elsewhere, script = signed_in(county), signed_in(county), Program(county.app)
    refresh = script.sign_in("township1", refresh=True).json["refresh_token"]
    someone_else = signed_in(county, "township2")
    assert script.get("me").status_code == 200
    assert here.post("/logout/").status_code == 302
    assert not here.signed_in
    assert not elsewhere.signed_in
    assert script.get("me").status_code == 401
    assert script.call("POST", "security/refresh", token=refresh).status_code == 401
    assert someone_else.signed_in


def test_a_refresh_token_gives_an_access_token_and_opens_nothing_itself(county: County) -> None:
    script = Program(county.app)
    refresh = script.sign_in("township1", refresh=True).json["refresh_token"]
    assert script.get("me", token=refresh).status_code == 401
    again = script.call("POST", "security/refresh", token=refresh)
    assert again.status_code == 200
    assert script.get("me", token=again.json["access_token"]).status_code == 200


def test_a_password_change_ends_all_other_sessions(county: County) -> None:
    here, elsewhere, script = signed_in(county), signed_in(county), program(county, "township1")
    answer = here.post("/password/", {"present": PASSWORD, "wanted": NEW, "again": NEW})
    assert answer.status_code == 302
    assert here.signed_in, "whoever changes the password goes on working"
    assert not elsewhere.signed_in
    assert script.get("me").status_code == 401
    assert not right(visitor(county).sign_in("township1"))
    assert right(visitor(county).sign_in("township1", NEW))


def test_deactivation_ends_sessions_and_tokens_at_once(county: County) -> None:
    here, script = signed_in(county), program(county, "township1")
    change(county, "township1", active=False)
    assert not here.signed_in
    assert script.get("me").status_code == 401


@pytest.mark.parametrize(
    ("limit", "kept"), [("SESSION_IDLE_MINUTES", {"seen": 60 * 60}), ("SESSION_MAX_HOURS", {"started": 12 * 3600})]
)
def test_a_session_ends_when_idle_and_when_old(county: County, limit: str, kept: dict[str, int]) -> None:
    here = signed_in(county)
    now = clock.now().timestamp()
    for slack, open_ in ((-60, True), (5, False)):
        with here.client.session_transaction() as session:
            session.update({name: now - age - slack for name, age in kept.items()})
        assert here.signed_in is open_, (limit, slack)
    page = here.get("/login/")
    assert page.status_code == 200
    assert "csrf_token" in page.text


@pytest.mark.parametrize("broken", [{"seen": None}, {"started": "yesterday"}, {"seen": True, "started": None}])
def test_a_session_without_its_times_is_none(county: County, broken: dict[str, object]) -> None:
    here = signed_in(county)
    with here.client.session_transaction() as session:
        session.update(broken)
    assert not here.signed_in


@pytest.mark.parametrize("days", [-2, 40])
def test_the_demonstration_clock_does_not_touch_sessions(county: County, days: int) -> None:
    """The clock may be moved back as well as forth; sessions count the machine's time."""
    earlier = signed_in(county)
    set_clock(county.app, clock.now() + timedelta(days=days))
    assert earlier.signed_in
    here = signed_in(county)
    with here.client.session_transaction() as session:
        assert abs(session["started"] - clock.now().timestamp()) < 120


@pytest.mark.parametrize("identity", ["", "1", "x:y", "²:0", "1:²", "99999999999999999999:0", "-1:0", "1:99"])
def test_a_cookie_of_nobody_is_nobody(county: County, identity: str) -> None:
    here = visitor(county)
    with here.client.session_transaction() as session:
        session.update(
            {"_user_id": identity, "_fresh": True, "started": clock.now().timestamp(), "seen": clock.now().timestamp()}
        )
    answer = here.get("/")
    assert answer.status_code == 302
    assert answer.location.startswith("/login/")


@pytest.mark.parametrize("token", ["x", "a.b.c", "é", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxOjAifQ."])
def test_a_senseless_token_is_nobody(county: County, token: str) -> None:
    assert Program(county.app).get("me", token=token.encode().decode("latin-1")).status_code == 401


def test_a_cookie_does_not_open_the_api_and_a_token_no_page(county: County) -> None:
    assert signed_in(county).get("/api/v1/me").status_code == 401
    script = program(county, "township1")
    answer = script.client.get("/call/list/", headers={"Authorization": f"Bearer {script.token}"})
    assert answer.status_code == 302


# ---- handed-out passwords and the rules


def test_a_handed_out_password_is_changed_first(county: County) -> None:
    change(county, "township1", must_change_password=True)
    here = visitor(county)
    assert here.sign_in("township1").location == "/password/"
    for page in ("/", "/call/list/", "/call/add", "/inbox/", "/search/?q=x", "/organisation/list/"):
        assert here.get(page).location == "/password/", page
    assert here.post("/call/add", {"title": "x"}).location == "/password/"
    page = here.get("/password/")
    assert "/call/list/" not in page.text, "no navigation before the password is one's own"
    assert here.post("/language/", {"locale": "en", "next": "/password/"}).location == "/password/"
    assert here.post("/password/", {"present": PASSWORD, "wanted": NEW, "again": NEW}).location == "/"
    assert here.signed_in


def test_the_handed_out_password_itself_is_not_one_s_own(county: County) -> None:
    change(county, "township1", must_change_password=True)
    here = visitor(county)
    here.sign_in("township1")
    assert here.post("/password/", {"present": PASSWORD, "wanted": PASSWORD, "again": PASSWORD}).status_code == 422
    assert here.get("/").location == "/password/"


def test_a_handed_out_password_opens_no_api(county: County) -> None:
    script = program(county, "township1")
    change(county, "township1", must_change_password=True)
    assert Program(county.app).sign_in("township1").status_code == 403
    assert script.get("call/").status_code in (401, 403), "nor does a token from before"


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "Short-1",
        "alllowercase",
        "lower-case-only",
        "NOLOWER12345",
        "township1-X",
        "my-TOWNSHIP1-pass",
        "a" * 126 + "A1-",
        "Nul-\x00-byte-12",
    ],
)
def test_a_weak_password_is_refused(county: County, wanted: str) -> None:
    here = signed_in(county)
    answer = here.post("/password/", {"present": PASSWORD, "wanted": wanted, "again": wanted})
    assert answer.status_code == 422
    assert not wanted or f'value="{wanted}"' not in answer.text
    assert right(visitor(county).sign_in("township1")), "the old one still holds"


@pytest.mark.parametrize(("present", "again"), [(WRONG, NEW), ("", NEW), (PASSWORD, NEW + "x"), (PASSWORD, "")])
def test_a_password_change_needs_the_old_one_and_the_new_one_twice(county: County, present: str, again: str) -> None:
    here = signed_in(county)
    assert here.post("/password/", {"present": present, "wanted": NEW, "again": again}).status_code == 422
    assert not right(visitor(county).sign_in("township1", NEW))


def test_guessing_the_present_password_is_limited_too(county: County) -> None:
    """Whoever finds an open browser must not try passwords without end."""
    here = signed_in(county)
    answers = [
        here.post("/password/", {"present": f"{WRONG}{turn}", "wanted": NEW, "again": NEW}).status_code
        for turn in range(5)
    ]
    assert answers == [422] * 5
    assert here.post("/password/", {"present": PASSWORD, "wanted": NEW, "again": NEW}).status_code == 429


# ---- going on after signing in

ELSEWHERE = [
    "http://evil.example/", "https://evil.example/x", "//evil.example", "///evil.example", "////evil.example/", "/\\evil.example", "\\\\evil.example",
    "http:evil.example", "https:/evil.example", "javascript:alert(1)", "data:text/html,x", "/\t/evil.example", "\t//evil.example", " //evil.example",
    "/\r\nSet-Cookie: a=b", "http://localhost@evil.example/", "http://localhost:80@evil.example", "http://localhost.evil.example/",
    "http://[", "//[", "http://[::1",
    "evil.example", "?next=http://evil.example", "http://localhost//evil.example", "http://localhost\\@evil.example", "/%5cevil.example\x00", "http:///evil.example",
    "\u2044/evil.example", "//evil。example", "ftp://localhost/",
]  # fmt: skip


@pytest.mark.parametrize("target", ELSEWHERE)
def test_nobody_is_led_elsewhere(county: County, target: str) -> None:
    here = visitor(county)
    answer = here.sign_in("township1", target=f"/login/?next={quote(target)}")
    assert answer.status_code == 302
    assert answer.location == "/"
    assert here.get(f"/login/?next={quote(target)}").location == "/", "nor who has signed in already"
    assert here.post("/language/", {"locale": "en", "next": target}).location == "/"


@pytest.mark.parametrize("target", ["/call/list/?tab=all", "/call/show/7", "/search/?q=%E6%B2%B3"])
def test_one_gets_where_one_wanted_to_go(county: County, target: str) -> None:
    here = visitor(county)
    asked = here.get(target)
    assert asked.status_code == 302
    answer = here.sign_in("township1", target=asked.location)
    assert answer.location.rstrip("?") == target
