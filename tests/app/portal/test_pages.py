"""Record pages, steps, papers, errors and languages, as people at a browser meet them (spec 4, Pages; face)."""

from __future__ import annotations

import re
import threading
from urllib.parse import unquote

import pytest
import sqlalchemy as sa

from app.database import db
from app.jobs.tasks import produce_document
from models import clock, event, viewer
from models.call import Call
from models.document import Document
from models.event import Event
from models.organisation import Organisation
from models.setting import Setting
from tests.app.visitor import form_to, forms_of, kept, visitor, words_of
from tests.conftest import Installation
from tests.county import MONDAY, County


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough: nothing here depends on which."""
    sqlite_installation.fresh("county")
    return sqlite_installation


# ---- transitions


def test_a_refused_step_comes_back_open_with_what_was_typed(county: County) -> None:
    _call, assignment = county.dispatched("department1")
    county.respond("department1", assignment)
    here = visitor(county, "department1")
    answer = here.post(
        f"/assignment/{assignment}/report", {"result": "查了三次，写了很长", "solved": "partly", "reason": ""}
    )
    assert answer.status_code == 422
    assert 'class="transition open"' in answer.text
    form = form_to(answer, f"/assignment/{assignment}/report")
    assert form.values["result"] == ["查了三次，写了很长"]
    assert form.values["solved"] == ["partly"]
    assert here.post(form.action, form.values | {"reason": "经费未到"}).status_code == 302
    assert county.states(_call) == ("reported", "reported")


def test_a_refused_dispatch_keeps_the_chosen_departments(county: County) -> None:
    call = county.submitted()
    here = visitor(county, "dispatcher")
    chosen = {
        "lead": str(county["department1"]),
        "cooperating": [str(county["department1"]), str(county["department2"])],
        "remark": "请尽快",
        "respond_due": "2020-01-01 08:00",
    }
    answer = here.post(f"/call/{call}/dispatch", chosen)
    assert answer.status_code == 422
    form = form_to(answer, f"/call/{call}/dispatch")
    assert form.values["lead"] == [chosen["lead"]]
    assert form.values["cooperating"] == chosen["cooperating"]
    assert form.values["remark"] == ["请尽快"]
    assert form.values["respond_due"] == ["2020-01-01 08:00"]


def test_the_dispatch_form_suggests_whom_the_item_names(county: County) -> None:
    call = county.draft()
    with county.acting(None) as session:
        session.get_one(Call, call).checklist_item_id = county.items[1]
    county.do("township1", Call, call, "submit", {})
    form = form_to(visitor(county, "dispatcher").get(f"/call/show/{call}"), f"/call/{call}/dispatch")
    assert form.values["lead"] == [str(county["department1"])]
    assert form.values["cooperating"] == [str(county["department3"])]


def test_a_stale_step_says_so_and_keeps_what_was_typed(county: County) -> None:
    call = county.submitted()
    here = visitor(county, "dispatcher")
    form = form_to(here.get(f"/call/show/{call}"), f"/call/{call}/dispatch")
    county.do("dispatcher", Call, call, "accept", {})
    answer = here.post(form.action, form.values | {"lead": str(county["department1"]), "remark": "写好的批示"})
    assert answer.status_code == 409
    again = form_to(answer, form.action)
    assert again.values["remark"] == ["写好的批示"]
    assert here.post(again.action, again.values).status_code == 302, "and it can be sent again"
    assert county.states(call) == ("dispatched", "pending")


def test_a_step_in_another_state_is_a_conflict_in_words(county: County) -> None:
    call, assignment = county.dispatched("department1")
    answer = visitor(county, "dispatcher").post(f"/call/{call}/accept")
    assert answer.status_code == 409
    assert 'role="alert"' in answer.text
    answer = visitor(county, "department1").post(
        f"/assignment/{assignment}/report", {"result": "办完", "solved": "solved"}
    )
    assert answer.status_code == 409
    assert "办完" in answer.text
    assert (
        visitor(county, "dispatcher").post(f"/assignment/{assignment}/close_assignment", {"reason": "无"}).status_code
        == 409
    )
    assert county.states(call) == ("dispatched", "pending")


def test_steps_that_are_not_there_or_not_ours(county: County) -> None:
    call, assignment = county.dispatched("department1")
    here = visitor(county, "township1")
    assert here.post(f"/call/{call}/nothing").status_code == 404
    assert here.post(f"/call/{call}/dispatch", {"lead": str(county["department1"])}).status_code == 403
    assert here.post(f"/assignment/{assignment}/respond", {"how": "phone"}).status_code == 403
    assert here.post(f"/organisation/{county['township1']}/submit").status_code == 404
    assert here.post("/call/bulk/nothing").status_code == 404
    assert here.post("/call/bulk/submit").status_code == 404, "only steps made for it are done in bulk"


def test_only_what_is_possible_is_offered(county: County) -> None:
    call, assignment = county.dispatched("department1")
    visitors = {name: visitor(county, name) for name in ("township1", "department1", "dispatcher")}
    with clock.at(MONDAY):
        pages = {name: here.get(f"/call/show/{call}") for name, here in visitors.items()}
    offered = {
        name: {one.action for one in forms_of(page) if re.search(r"/\d+/", one.action)} for name, page in pages.items()
    }
    steps = {
        "township1": {"log_progress", "convene", "escalate", "comment", "share", "withdraw"},
        "department1": {"log_progress", "request_long_term", "comment", "share"},
        "dispatcher": {"add_department", "reassign", "merge", "escalate", "instruct", "comment", "share"},
    }
    of_assignment = {
        "township1": {"urge"},
        "department1": {"respond", "take", "hand_on", "request_return", "request_extension", "log_progress"},
        "dispatcher": {"urge"},
    }
    for name, found in offered.items():
        on_call = {f"/call/{call}/{step}" for step in (*steps[name], "paper", "papers", "attachments")}
        assert found == on_call | {f"/assignment/{assignment}/{step}" for step in of_assignment[name]}


def test_the_evaluation_form_has_an_entry_for_each_department(county: County) -> None:
    call, first, second = county.dispatched("department1", "department2")
    for name, key in (("department1", first), ("department2", second)):
        county.respond(name, key)
    county.report("department2", second)
    county.report("department1", first)
    here = visitor(county, "township1")
    page = here.get(f"/call/show/{call}")
    form = form_to(page, f"/call/{call}/evaluate")
    assert form.values["evaluations-0-assignment"] == [str(first)]
    assert form.values["evaluations-1-assignment"] == [str(second)]
    assert "自然资源局" in page.text
    typed = {
        "evaluations-0-satisfaction": "dissatisfied",
        "evaluations-0-solved": "partly",
        "evaluations-0-comment": "",
    }
    typed |= {
        "evaluations-1-satisfaction": "satisfied",
        "evaluations-1-solved": "solved",
        "evaluations-1-comment": "很好",
    }
    refused = here.post(form.action, form.values | typed)
    assert refused.status_code == 422
    again = form_to(refused, form.action)
    assert again.values["evaluations-1-comment"] == ["很好"]
    assert again.values["evaluations-0-satisfaction"] == ["dissatisfied"]
    assert "自然资源局" in refused.text
    assert here.post(form.action, again.values | {"evaluations-0-comment": "未见人来"}).status_code == 302
    assert county.states(call) == ("dispatched", "responded", "reported")


def test_bulk_acceptance_says_honestly_what_happened(county: County) -> None:
    waiting, done = [county.submitted() for _ in range(3)], county.dispatched("department1")[0]
    foreign = county.draft()
    here = visitor(county, "dispatcher")
    keys = [*map(str, waiting), str(done), str(foreign), "²", "x", "-1", "9" * 30, str(waiting[0])]
    answer = here.post("/call/bulk/accept", {"keys": keys}, follow_redirects=True)
    assert answer.status_code == 200
    flashes = re.findall(r'role="status">.*?<p>(.*?)</p>', answer.text, re.S)
    assert any("3" in one for one in flashes), flashes
    assert len(flashes) == 2, "what was skipped is said too"
    assert [county.states(key)[0] for key in (*waiting, done, foreign)] == ["accepted"] * 3 + ["dispatched", "draft"]


def test_bulk_by_somebody_without_the_role_changes_nothing(county: County) -> None:
    call = county.submitted()
    for name in ("township1", "leader", "city"):
        visitor(county, name).post("/call/bulk/accept", {"keys": [str(call)]})
        assert "/call/bulk/accept" not in visitor(county, name).get("/call/list/").text
    assert county.states(call) == ("submitted",)


def test_two_requests_at_once_do_not_mix(county: County) -> None:
    """A filter of one person must never narrow or widen another's list (stack facts, section 3)."""
    county.submitted("township1", title="甲镇之事")
    county.submitted("township2", title="乙镇之事")
    wrong: list[str] = []

    def look(name: str, own: str, other: str, query: str) -> None:
        here = visitor(county, name)
        for _ in range(12):
            text = here.get(f"/call/list/?tab=all{query}").text
            if own not in text or other in text:
                wrong.append(name)

    threads = [
        threading.Thread(target=look, args=arguments)
        for arguments in (
            ("township1", "甲镇之事", "乙镇之事", ""),
            ("township2", "乙镇之事", "甲镇之事", ""),
            ("dispatcher", "甲镇之事", "乙镇之事", f"&township={county['township1']}"),
            ("dispatcher", "乙镇之事", "甲镇之事", "&q=乙镇"),
        )
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# ---- papers


def test_a_paper_comes_with_its_speaking_name(county: County) -> None:
    call, _assignment = county.dispatched("department1")
    with county.acting(None) as session:
        document, name = session.execute(sa.select(Document.id, Document.number)).one()
    here = visitor(county, "township1")
    assert (
        "document/pdf"
        not in here.get(f"/call/show/{call}").text.split('id="documents-title"')[1].split("</section>")[0]
    ), "no link before it is there"
    waiting = here.get(f"/document/pdf/{document}")
    assert waiting.status_code in (302, 503)
    assert int(waiting.headers["Retry-After"]) > 0
    assert here.get(f"/document/pdf/{document}", follow_redirects=True).status_code in (200, 503)
    with county.app.app_context(), viewer.system():
        produce_document(document)
    paper = here.get(f"/document/pdf/{document}")
    assert paper.mimetype == "application/pdf"
    assert paper.data.startswith(b"%PDF")
    disposition = paper.headers["Content-Disposition"]
    assert disposition.startswith("attachment")
    assert name in unquote(disposition)
    assert disposition.isascii()
    assert paper.headers["X-Content-Type-Options"] == "nosniff"
    assert f"/document/pdf/{document}" in here.get(f"/call/show/{call}").text
    shown = words_of(visitor(county, "dispatcher").get(f"/document/show/{document}"))
    assert "城关镇" in shown


def test_whoever_reads_first_is_remembered(county: County) -> None:
    county.dispatched("department1")
    with county.acting(None) as session:
        document = session.scalars(sa.select(Document.id)).one()
    with county.app.app_context(), viewer.system():
        produce_document(document)
    visitor(county, "department1").get(f"/document/pdf/{document}")
    with county.acting(None) as session:
        read = {one.organisation_id: one.read_by_id for one in session.get_one(Document, document).recipients}
    assert read == {county["department1"]: county.people["department1"], county["township1"]: None}


def test_a_draft_has_no_flow_sheet(county: County) -> None:
    assert visitor(county, "township1").post(f"/call/{county.draft()}/paper").status_code == 409


# ---- errors


def test_errors_are_told_in_words(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    here = visitor(county, "township1")
    answers = {
        400: here.client.post("/call/add", data={}),
        403: here.get("/setting/list/"),
        404: here.get("/nowhere"),
        405: here.get("/logout/"),
        409: here.get(f"/call/edit/{county.submitted()}"),
    }
    monkeypatch.setitem(county.app.config, "MAX_CONTENT_LENGTH", 1000)
    answers[413] = here.client.post("/call/add", data={"title": "x" * 5000})
    for status, answer in answers.items():
        assert answer.status_code == status
        assert 'class="error-page"' in answer.text, status
        assert str(status) in words_of(answer)
        assert "/call/list/" in answer.text, "the frame stays"
        assert "Traceback" not in answer.text
        assert "werkzeug" not in answer.text.lower()


class Planted(RuntimeError):
    """A fault of ours."""


@pytest.mark.parametrize("path", ["/call/list/", "/call/add"])
def test_a_fault_leaks_nothing_and_changes_nothing(county: County, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    here = visitor(county, "township1")
    token = here.token()

    def fault(*_: object, **__: object) -> None:
        db.session.flush()
        raise Planted("secret-detail SELECT * FROM ab_user /srv/portal")

    monkeypatch.setattr("views.call.CallView._saved", fault)
    monkeypatch.setattr("views.call.CallView.load_options", fault)
    monkeypatch.setitem(county.app.config, "PROPAGATE_EXCEPTIONS", False)
    answer = (
        here.post(path, {"title": "刘庄河道排放污水", "description": "村民反映。"}, token=token)
        if path == "/call/add"
        else here.get(path)
    )
    assert answer.status_code == 500
    assert "secret-detail" not in answer.text
    assert "Planted" not in answer.text
    assert 'class="error-page"' in answer.text
    with county.acting(None) as session:
        assert session.scalars(sa.select(Call.id)).all() == []
    assert here.get("/organisation/list/").status_code == 200, "the next request works"


def test_a_setting_that_does_not_fit_is_told_in_words(county: County) -> None:
    with county.acting(None) as session:
        setting = Setting(county_id=county.id, name="respond_limit", value="1 working_days")
        session.add(setting)
        session.flush()
        key = setting.id
    here = visitor(county, "sysadmin")
    form = form_to(here.get(f"/setting/edit/{key}"), f"/setting/edit/{key}")
    for value in ("soon", "", "-1 working_days", "x" * 501):
        answer = here.post(form.action, form.values | {"value": value})
        assert answer.status_code == 422, value
        assert kept(answer, form.action)["value"] == value
    assert here.post(form.action, form.values | {"value": "2 working_days"}).status_code == 302


# ---- language


@pytest.mark.parametrize(("locale", "lang"), [("zh_Hans", "zh-Hans"), ("zh_Hant", "zh-Hant"), ("en", "en")])
def test_choosing_a_language_keeps_the_page(county: County, locale: str, lang: str) -> None:
    here = visitor(county, "township1")
    answer = here.post("/language/", {"locale": locale, "next": "/call/list/?tab=all&q=%E6%B2%B3"})
    assert answer.location == "/call/list/?tab=all&q=%E6%B2%B3"
    assert f'<html lang="{lang}">' in here.get(answer.location).text
    assert here.post("/language/", {"locale": "xx"}).status_code == 400


@pytest.mark.parametrize("locale", ["zh_Hans", "zh_Hant", "en"])
def test_every_page_is_drawn_in_every_language(county: County, locale: str) -> None:
    call, assignment = county.dispatched("department1")
    county.respond("department1", assignment)
    here = visitor(county, "department1")
    here.post("/language/", {"locale": locale})
    for page in (
        "/",
        "/call/list/",
        f"/call/show/{call}",
        "/document/list/",
        "/organisation/list/",
        f"/organisation/show/{county['township1']}",
        "/checklist/list/",
        "/inbox/",
        "/password/",
        "/nowhere",
    ):
        answer = here.get(page)
        assert answer.status_code in (200, 404), page
        assert "%(" not in answer.text, page


def test_organisations_of_the_directory(county: County) -> None:
    here = visitor(county, "township1")
    with county.acting(None) as session:
        names = session.scalars(sa.select(Organisation.short_name).where(Organisation.county_id == county.id)).all()
    shown = here.get("/organisation/list/").text
    assert all(name in shown for name in names)
    assert here.get("/organisation/add").status_code == 403


# ---- what changed, by name


def test_a_changed_reference_is_told_by_its_names_also_when_they_change_later(county: County) -> None:
    call = county.draft(checklist_item_id=county.items[1])
    here = visitor(county, "township1")
    form = form_to(here.get(f"/call/edit/{call}"), f"/call/edit/{call}")
    assert here.post(form.action, form.values | {"checklist_item": str(county.items[2])}).status_code == 302
    shown = here.get(f"/call/show/{call}")
    timeline = shown.text[shown.text.index('class="timeline"') :]
    assert "违法占地巡查" in timeline
    assert "河道污水排放" in timeline
    with county.acting(None) as session:
        event_id = session.scalars(sa.select(Event.id).where(Event.kind == "update", Event.record_id == call)).one()
    assert "违法占地巡查 → 河道污水排放" in words_of(visitor(county, "auditor").get(f"/audit/{event_id}"))


def test_events_from_before_that_kept_bare_keys_are_still_shown(county: County) -> None:
    call = county.draft()
    with county.acting("township1") as session:
        event.append(
            session, session.get_one(Call, call), "update", "update", {"checklist_item": {"old": 77, "new": 78}}
        )
    words = words_of(visitor(county, "township1").get(f"/call/show/{call}"))
    assert "77" in words
    assert "78" in words


def test_a_timeline_names_no_record_that_its_reader_does_not_see(county: County) -> None:
    call, hidden = county.submitted("township1"), county.submitted("township2", title="夜间偷排")
    with county.acting(None) as session:
        told = {"call": {"old": None, "new": {"id": hidden, "name": "夜间偷排"}}}
        event.append_to(
            session, ("call", call), ("conclusion", 1), "update", "update", told, county_id=county.id, actor=None
        )
    assert "夜间偷排" not in words_of(visitor(county, "township1").get(f"/call/show/{call}"))
    assert "夜间偷排" in words_of(visitor(county, "dispatcher").get(f"/call/show/{call}"))


def test_what_the_head_says_is_not_said_again(county: County) -> None:
    with county.acting(None) as session:
        found = session.get_one(Organisation, county["department1"])
        name = found.title
    page = visitor(county, "township1").get(f"/organisation/show/{county['department1']}").text
    facts = page.split('class="record-aside"')[1]
    assert f"<span>{name}</span>" not in facts


def test_steps_without_words_are_told_in_one_line(county: County) -> None:
    call = county.dispatched("department1", values={"remark": "请尽快到场"})[0]
    timeline = visitor(county, "township1").get(f"/call/show/{call}").text.split('class="timeline"')[1]
    kinds = {title: kind for kind, title in re.findall(r'<li class="(\w+)">.*?<b>(.*?)</b>', timeline, re.S)}
    assert kinds["呼叫已提交"] == "deed"
    assert "word" in kinds.values()
