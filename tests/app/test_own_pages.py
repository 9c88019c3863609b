"""One's own account and the page about the interface; no page of Flask-AppBuilder shows its own look (face)."""

from __future__ import annotations

import re

import pytest

from models.person import Person
from tests.app.visitor import form_to, visitor, words_of
from tests.conftest import Installation
from tests.county import County


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


def test_a_person_reads_who_he_is_here(county: County) -> None:
    page = visitor(county, "township1_leader").get("/profile/")
    assert page.status_code == 200
    words = words_of(page)
    for word in ("township1_leader", "城关镇", "township1_leader@county.example"):
        assert word in words
    assert visitor(county).get("/profile/").status_code == 302


def test_the_interface_page_lists_what_the_reader_s_programs_may_do(county: County) -> None:
    officer, auditor = (visitor(county, name).get("/interface/").text for name in ("township1", "auditor"))
    assert "<code>/api/v1/call/</code>" in officer
    assert "<code>submit</code>" in officer
    assert "<code>dispatch</code>" not in officer, "not this person's step"
    assert "<code>/api/v1/call/</code>" not in auditor


def test_no_page_is_flask_appbuilder_s_own(county: County) -> None:
    foreign = set()
    for view in county.app.extensions["appbuilder"].baseviews:
        foreign |= {one.__name__ for one in [type(view)] if one.__module__.startswith("flask_appbuilder")}
    assert foreign == set()
    ours = {rule.endpoint.partition(".")[0] for rule in county.app.url_map.iter_rules()}
    made = {type(view).__name__ for view in county.app.extensions["appbuilder"].baseviews}
    assert ours - made <= {"static", "appbuilder", "Health"}


def test_large_text_goes_with_the_person_to_another_computer(county: County) -> None:
    here = visitor(county, "township1")
    page = here.get("/profile/")
    assert "data-text" not in page.text, "nothing chosen: as the browser is used to"
    form = form_to(page, "/profile/text")
    assert form.values["next"] == ["/profile/"]
    answer = here.post("/profile/text", {"size": "large", "next": "/call/list/"})
    assert answer.headers["Location"].endswith("/call/list/")
    elsewhere = visitor(county, "township1").get("/")
    assert re.search(r'<html [^>]*data-text="large" class="large-text"', elsewhere.text), "drawn large at once"
    assert 'name="size" value="standard"' in elsewhere.text
    assert 'data-text="large"' not in visitor(county, "township2").get("/").text
    assert "data-text" not in visitor(county).get("/login/").text, "there the browser knows"
    here.post("/profile/text", {"size": "standard"})
    assert 'data-text="standard"' in visitor(county, "township1").get("/").text
    assert here.post("/profile/text", {"size": "huge"}).status_code == 400
    assert visitor(county).post("/profile/text", {"size": "large"}).status_code in (302, 401)
    with county.acting(None) as session:
        assert session.get_one(Person, county.people["township1"]).version == 1, (
            "others keep the record; this is his own"
        )


@pytest.mark.parametrize(
    ("name", "address", "status"), [("sysadmin", "/call/list/", 403), ("township1", "/call/show/99", 404)]
)
def test_an_error_page_names_whom_to_call(county: County, name: str, address: str, status: int) -> None:
    from models.setting import Setting

    with county.acting(None) as session:
        session.add(Setting(county_id=county.id, name="office_phone", value="0500-1234567"))
    page = visitor(county, name).get(address)
    assert page.status_code == status
    assert "0500-1234567" in words_of(page).partition(str(status))[0]
