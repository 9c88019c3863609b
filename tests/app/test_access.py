"""Who finds a call, and who finds none of it: list, search, tab, address, drop-down, bulk action, timeline, paper, inbox, REST (1; 2.1; spec 5)."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pdfplumber
import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from app.jobs.tasks import produce_document
from models import clock, viewer
from models.base import RECORD_TYPES, fields_of
from models.call import Assignment
from models.document import Document
from models.notification import Notification
from models.supervision import Notice
from tests.app.portal.api_client import Api
from tests.app.story import CANARIES, PHONE, Story, tell
from tests.app.visitor import form_to, visitor, words_of
from tests.conftest import Installation
from tests.county import MONDAY, County

PARTIES = ("township1", "township1_leader", "department1", "department1_leader", "department2")
OFFICES = ("dispatcher", "director", "supervisor", "supervisor2", "leader")
OUTSIDERS = (
    "township2", "township3_leader", "department3", "department4", "auditor", "sysadmin", "secadmin", "assessor", "personnel", "legal",
    "checklist", "duty",
    "township9", "department9", "dispatcher9", "supervisor9", "leader9", "city9",
)  # fmt: skip


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough: the filter's SQL is tried on both in its own tests."""
    sqlite_installation.fresh("county")
    return sqlite_installation


@pytest.fixture(scope="module")
def told(sqlite_installation: Installation) -> Story:
    """The story, told once and kept."""
    sqlite_installation.fresh("county")
    county = sqlite_installation.county
    assert county is not None
    county.forget()
    story = tell(county)
    sqlite_installation._keep("story")
    return story


@pytest.fixture
def story(told: Story, sqlite_installation: Installation) -> Story:
    """The story, as it was told, whatever the test before did to it."""
    sqlite_installation.fresh("story")
    return told


def empty_of(story: Story, answer: TestResponse, *where: object) -> None:
    text = answer.text
    for word in story.words():
        assert word not in text, (word, *where)


def pages_to_look_at(story: Story) -> list[str]:
    found = ["/", "/inbox/", f"/search/?q={story.number}", f"/search/?q={CANARIES['title']}"]
    for resource in story.rows:  # what the lists of all other types show is looked at in tests/access
        if f"/{resource}/list/" not in _addresses(story.county):
            continue
        found.append(f"/{resource}/list/")
        found += [f"/{resource}/list/?q={CANARIES['title']}", f"/{resource}/list/?before=0&after=999999"]
    found += [f"/call/list/?q={word}" for word in ("CANARY", story.number, PHONE)]
    found += [f"/{resource}/list/?township={story.county['township1']}" for resource in ("call", "evaluation")]
    found += [f"/{resource}/list/?department={story.county['department1']}" for resource in ("assignment", "notice")]
    found += [f"/call/list/?tab={tab}" for tab in ("todo", "open", "overdue", "all", "drafts", "x")]
    found += [f"/call/list/?state={state}" for state in ("draft", "dispatched", "reported", "closed")]
    return found


def _addresses(county: County) -> set[str]:
    return {rule.rule for rule in county.app.url_map.iter_rules()}


def option_addresses() -> list[str]:
    """Where the choices of every reference are searched: of the generic form, and of every transition."""
    found = []
    for resource, model in RECORD_TYPES.items():
        found += [f"/{resource}/options/{one.name}" for one in fields_of(model).values() if one.kind == "reference"]
        for step in model.workflow.transitions if model.workflow is not None else ():
            found += [
                f"/{resource}/options/{step.name}.{one.name}"
                for one in step.known
                if one.kind in ("reference", "references")
            ]
    return found


@pytest.mark.parametrize(
    "name", ["township2", "department3", "duty", "auditor", "sysadmin", "department9", "dispatcher9", "city9"]
)
def test_an_outsider_finds_nothing_of_a_call(story: Story, name: str) -> None:
    here = visitor(story.county, name)
    for page in pages_to_look_at(story):
        answer = here.get(page, follow_redirects=True)
        assert answer.status_code in (200, 403, 404), page
        shown = answer.text.replace(f'value="{CANARIES["title"]}"', "") if "q=" in page else answer.text
        for word in story.words():
            if word not in page:
                assert word not in shown, (word, page)
        assert f"/call/show/{story.call}" not in shown, page
    for address in option_addresses():
        for words in ("", "金丝雀"):
            answer = here.get(address, query_string={"q": words})
            assert answer.status_code in (200, 404), address
            empty_of(story, answer, address, words)


@pytest.mark.parametrize("name", OUTSIDERS)
def test_an_outsider_opens_no_address_of_a_call(story: Story, name: str) -> None:
    here = visitor(story.county, name)
    token = here.token()
    for resource, keys in story.rows.items():
        for key in keys:
            for address in (f"/{resource}/show/{key}", f"/{resource}/edit/{key}"):
                answer = here.get(address)
                assert answer.status_code in (403, 404), address
                empty_of(story, answer, address)
            model = RECORD_TYPES[resource]
            steps = [one.name for one in model.workflow.transitions] if model.workflow is not None else ["submit"]
            for address in (
                f"/{resource}/delete/{key}",
                f"/{resource}/edit/{key}",
                *(f"/{resource}/{key}/{step}" for step in steps),
            ):
                answer = here.post(address, {"version": "1", "text": "x", "reason": "x"}, token=token)
                assert answer.status_code in (403, 404), address
                empty_of(story, answer, address)
    for document in story.rows["document"]:
        answer = here.get(f"/document/pdf/{document}")
        assert answer.status_code in (403, 404)
        assert not answer.data.startswith(b"%PDF")
    assert here.post(f"/call/{story.call}/paper", token=token).status_code in (403, 404)
    before = story.county.states(story.call)
    here.post("/call/bulk/accept", {"keys": [str(story.call)]}, token=token)
    empty_of(story, here.get("/inbox/"))
    assert story.county.states(story.call) == before


@pytest.mark.parametrize("name", OUTSIDERS)
def test_an_outsider_finds_nothing_by_rest(story: Story, name: str) -> None:
    api = Api(story.county, name)
    for resource, keys in story.rows.items():
        for q in (
            None,
            {"page_size": 500},
            {"order_column": "id", "order_direction": "asc"},
            {"filters": [{"col": "id", "opr": "gt", "value": 0}]},
        ):
            answer = api.get(f"/{resource}/", q)
            assert answer.status_code in (200, 403), (resource, q, answer.text)
            empty_of(story, answer, resource, q)
            if answer.status_code == 200:
                assert not set(answer.json["ids"]) & set(keys), (resource, q)
                assert answer.json["count"] == len(answer.json["ids"])
        for key in keys:
            for path in (f"/{resource}/{key}", f"/{resource}/{key}/transitions", f"/{resource}/{key}/pdf"):
                answer = api.get(path)
                assert answer.status_code in (403, 404), path
                empty_of(story, answer, path)
    for column, value in (("title", "金丝雀"), ("description", "金丝雀"), ("contact_phone", "139")):
        answer = api.get("/call/", {"filters": [{"col": column, "opr": "ct", "value": value}]})
        assert answer.status_code in (200, 400, 403)
        assert answer.status_code != 200 or answer.json["count"] == 0
    answer = api.get("/assignment/", {"filters": [{"col": "call", "opr": "rel_o_m", "value": story.call}]})
    assert answer.status_code == 403 or answer.json["count"] == 0
    if name != "auditor":
        assert api.get("/event/").status_code == 403


@pytest.mark.parametrize("name", [*PARTIES, *OFFICES, "city"])
def test_parties_and_offices_find_it(story: Story, name: str) -> None:
    here = visitor(story.county, name)
    for page in ("/call/list/?tab=all", f"/call/list/?tab=all&q={CANARIES['title'][3:6]}", f"/call/show/{story.call}"):
        assert CANARIES["title"] in here.get(page).text, page
    assert here.get(f"/search/?q={story.number}").location == f"/call/show/{story.call}"
    api = Api(story.county, name)
    assert story.call in api.ids("call")
    assert api.one("call", story.call)["title"] == CANARIES["title"]


@pytest.mark.parametrize(
    "order",
    [
        ("leader", "township2", "township1"),
        ("township2", "leader", "township1"),
        ("township1", "department3", "leader", "city9"),
    ],
)
def test_the_first_who_looks_does_not_decide_for_the_next(story: Story, order: tuple[str, ...]) -> None:
    sees = {"leader": True, "township1": True, "township2": False, "department3": False, "city9": False}
    browsers = {name: (visitor(story.county, name), Api(story.county, name)) for name in order}
    for _turn in range(3):
        for name in order:
            here, api = browsers[name]
            for page in ("/call/list/?tab=all", "/call/list/?q=金丝雀&tab=all", "/"):
                if page != "/" or not sees[name]:
                    assert (CANARIES["title"] in here.get(page).text) is sees[name], (name, page)
            assert (here.get(f"/call/show/{story.call}").status_code == 200) is sees[name]
            assert (story.call in api.ids("call")) is sees[name]


# ---- drafts


@pytest.mark.parametrize("name", [*OFFICES, "city", "department1", "township2", "township9", "sysadmin", "auditor"])
def test_a_draft_is_seen_by_its_township_alone(county: County, name: str) -> None:
    draft = county.draft(title="金丝雀草稿")
    here, api = visitor(county, name), Api(county, name)
    for page in (
        "/",
        "/call/list/",
        "/call/list/?tab=all",
        "/call/list/?tab=drafts",
        "/call/list/?state=draft",
        "/call/list/?q=金丝雀",
    ):
        assert "金丝雀草稿" not in here.get(page).text, page
    for page in (f"/call/show/{draft}", f"/call/edit/{draft}"):
        assert here.get(page).status_code in (403, 404)
    assert api.get(f"/call/{draft}").status_code in (403, 404)
    assert api.get("/call/").status_code == 403 or draft not in api.ids("call")


def test_both_people_of_the_township_work_on_a_draft(county: County) -> None:
    draft = county.draft(title="金丝雀草稿")
    for name in ("township1", "township1_leader"):
        assert "金丝雀草稿" in visitor(county, name).get("/call/list/?tab=drafts").text
        assert visitor(county, name).get(f"/call/edit/{draft}").status_code == 200


# ---- evaluations: no retaliation (1)


def everything_shown(story: Story, name: str) -> str:
    """All that a person reads of the call: page, lists, REST."""
    here, api = visitor(story.county, name), Api(story.county, name)
    texts = [
        here.get(f"/call/show/{story.call}").text,
        here.get("/call/list/?tab=all").text,
        here.get("/").text,
        here.get("/inbox/").text,
    ]
    texts += [
        api.get(f"/{path}").get_data(as_text=True)
        for path in ("call/", "assignment/", "evaluation/", "report/", f"call/{story.call}")
    ]
    texts += [api.get(f"/assignment/{key}").get_data(as_text=True) for key in story.rows["assignment"]]
    return "\n".join(map(readable, texts))


def readable(text: str) -> str:
    """JSON's escapes resolved, so that words are found."""
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found.group(1), 16)), text)


def test_a_department_reads_only_its_own_evaluation(story: Story) -> None:
    lead, other = everything_shown(story, "department1"), everything_shown(story, "department2")
    assert CANARIES["comment"] in lead
    assert "乙方评语" not in lead
    assert "乙方评语" in other
    assert CANARIES["comment"] not in other
    assert CANARIES["signed_by"] not in other, "that a leader signed tells that somebody was not content"
    assert "dissatisfied" not in other
    assert "Dissatisfied" not in other


@pytest.mark.parametrize("name", ["township1", "dispatcher", "supervisor", "leader"])
def test_the_township_and_the_offices_read_all_evaluations(story: Story, name: str) -> None:
    shown = everything_shown(story, name)
    assert CANARIES["comment"] in shown
    assert "乙方评语" in shown


@pytest.mark.parametrize("name", ["department1", "department2", "township1"])
def test_a_flow_sheet_tells_each_reader_only_what_the_page_tells(story: Story, name: str) -> None:
    here = visitor(story.county, name)
    assert here.post(f"/call/{story.call}/paper").status_code == 302
    with story.county.acting(None) as session:
        made = session.scalars(sa.select(Document).order_by(Document.id.desc()).limit(1)).one()
        key, context = made.id, str(made.context)
    own, other = {
        "department1": ("comment", "乙方评语"),
        "department2": ("乙方评语", "comment"),
        "township1": ("comment", ""),
    }[name]
    assert CANARIES.get(own, own) in context
    assert not other or CANARIES.get(other, other) not in context
    with story.county.app.app_context(), viewer.system():
        produce_document(key)
    page = here.get(f"/document/pdf/{key}")
    assert page.data.startswith(b"%PDF")
    strangers = {"department1", "department2", "township1", "dispatcher"} - {name, "dispatcher"}
    for stranger in strangers:
        assert visitor(story.county, stranger).get(f"/document/pdf/{key}").status_code == 404, "made for one reader"


def test_the_slip_of_a_dispatch_goes_to_the_parties(story: Story) -> None:
    with story.county.acting(None) as session:
        slip = session.scalars(sa.select(Document.id).where(Document.kind == "call_slip")).first()
    for name in ("township1", "department1", "department2", "dispatcher"):
        answer = visitor(story.county, name).get(f"/document/pdf/{slip}")
        assert answer.status_code == 200, name
        assert answer.data.startswith(b"%PDF")
    with pdfplumber.open(io.BytesIO(answer.data)) as pdf:
        text = "".join((page.extract_text() or "") for page in pdf.pages)
    assert CANARIES["comment"] not in text


def test_a_reminder_slip_is_read_by_its_department_and_the_offices(story: Story) -> None:
    (notice,) = story.rows["notice"]
    with story.county.acting(None) as session:
        document = session.get_one(Notice, notice).document_id
    for name, sees in (
        ("department2", True),
        ("dispatcher", True),
        ("supervisor", True),
        ("department1", False),
        ("township1", False),
        ("city", False),
    ):
        here, api = visitor(story.county, name), Api(story.county, name)
        assert (here.get(f"/notice/show/{notice}").status_code == 200) is sees, name
        assert (here.get(f"/document/pdf/{document}").status_code == 200) is sees, name
        assert (api.get(f"/notice/{notice}").status_code == 200) is sees, name


def test_messages_go_to_their_reader_alone(story: Story) -> None:
    with story.county.acting(None) as session:
        messages = [(one.id, one.person_id) for one in session.scalars(sa.select(Notification))]
    told = {person for _key, person in messages}
    people = {key: name for name, key in story.county.people.items()}
    assert {people[key] for key in told} & {"department1", "department2", "township1"}
    assert not {people[key] for key in told} & set(OUTSIDERS)
    key = next(key for key, person in messages if people[person] == "department1")
    here = visitor(story.county, "department2")
    assert here.post(f"/inbox/{key}").status_code == 404
    assert here.post("/inbox/read").status_code == 302
    with story.county.acting(None) as session:
        read = {
            people[one.person_id]
            for one in session.scalars(sa.select(Notification).where(Notification.read_at.is_not(None)))
        }
    assert read == {"department2"}


# ---- telephone numbers


@pytest.mark.parametrize("name", [*PARTIES, *OFFICES])
def test_parties_and_offices_read_the_telephone_number(story: Story, name: str) -> None:
    assert f"tel:{PHONE}" in visitor(story.county, name).get(f"/call/show/{story.call}").text


def test_the_city_reads_no_telephone_number(story: Story) -> None:
    assert PHONE not in everything_shown(story, "city")
    for query in (
        {"filters": [{"col": "contact_phone", "opr": "ct", "value": "139"}]},
        {"order_column": "contact_phone", "order_direction": "asc"},
    ):
        assert Api(story.county, "city").get("/call/", query).status_code == 400, "nor does a filter tell it"


def test_a_corrected_number_is_not_told_by_the_timeline(county: County) -> None:
    call = county.draft(contact_phone=PHONE)
    here = visitor(county, "township1")
    form = form_to(here.get(f"/call/edit/{call}"), f"/call/edit/{call}")
    assert here.post(form.action, form.values | {"contact_phone": "13912121212", "then": "submit"}).status_code == 302
    assert PHONE in here.get(f"/call/show/{call}").text
    assert PHONE in visitor(county, "dispatcher").get(f"/call/show/{call}").text
    shown = visitor(county, "city").get(f"/call/show/{call}")
    assert shown.status_code == 200
    assert "139" not in words_of(shown)


def test_a_department_that_gave_the_matter_back_is_no_party_for_the_number(story: Story) -> None:
    with story.county.acting(None) as session:
        session.execute(
            sa.update(Assignment).where(Assignment.id == story.rows["assignment"][1]).values(state="returned")
        )
    shown = visitor(story.county, "department2").get(f"/call/show/{story.call}")
    assert shown.status_code == 200
    assert PHONE not in shown.text
    assert PHONE not in everything_shown(story, "department2")


# ---- who only reads


def test_the_city_reader_only_reads(story: Story) -> None:
    here, api = visitor(story.county, "city"), Api(story.county, "city")
    token = here.token()
    page = here.get(f"/call/show/{story.call}")
    forms = set(re.findall(r'<form method="post" action="([^"]+)"', page.text))
    assert forms <= {"/language/", "/logout/", "/profile/text"}
    told = api.get(f"/call/{story.call}/transitions")
    assert told.json == []
    taken = {
        "call": ("accept", "dispatch", "evaluate", "log_progress", "withdraw", "submit"),
        "assignment": ("respond", "report", "close_assignment"),
    }
    for resource, steps in taken.items():
        for key in story.rows[resource]:
            for step in steps:
                assert (
                    here.post(f"/{resource}/{key}/{step}", {"text": "x", "reason": "x"}, token=token).status_code == 403
                )
                assert api.post(f"/{resource}/{key}/{step}", {"text": "x", "reason": "x"}).status_code == 403
    for address in (
        "/call/add",
        f"/call/edit/{story.call}",
        f"/call/delete/{story.call}",
        f"/call/{story.call}/paper",
        "/setting/add",
    ):
        assert here.post(address, {"title": "x"}, token=token).status_code == 403, address
    assert api.post("/call/", {"title": "x"}).status_code == 403
    here.post("/call/bulk/accept", {"keys": [str(story.call)]}, token=token)
    assert story.county.states(story.call)[0] == "dispatched"


def test_the_auditor_s_trail_is_the_only_way_the_auditor_reads(story: Story) -> None:
    """Events carry what happened, for whoever checks the trail; no page and no record opens to the auditor."""
    here = visitor(story.county, "auditor")
    assert here.get("/call/list/").status_code == 403
    assert here.get(f"/call/show/{story.call}").status_code in (403, 404)
    assert Api(story.county, "auditor").get("/event/").status_code == 200


def test_steps_on_foreign_rows_change_nothing_even_with_a_role(story: Story) -> None:
    """A department may respond – to its own assignments."""
    first, second = story.rows["assignment"]
    here = visitor(story.county, "department2")
    answer = here.post(f"/assignment/{first}/report", {"result": "x", "solved": "solved"})
    assert answer.status_code == 403
    assert visitor(story.county, "township2").post(f"/call/{story.call}/withdraw", {"reason": "x"}).status_code == 404
    assert (
        visitor(story.county, "dispatcher9").post(f"/assignment/{second}/close_assignment", {"reason": "x"}).status_code
        == 404
    )
    assert story.county.states(story.call) == ("dispatched", "responded", "reported")


def test_the_clock_of_another_county_s_people_is_no_way_in(story: Story) -> None:
    later = MONDAY + timedelta(days=60)
    with clock.at(later):
        words = words_of(visitor(story.county, "supervisor9").get("/notice/list/"))
    assert "催〔" not in words
