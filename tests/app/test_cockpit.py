"""The leaders' cockpit: who reads it, what it says, and that every figure opens as many rows as it counts (5, cockpit; 2.1, end; 2.8)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from app.database import transaction
from models import clock
from models.call import Assignment, Call
from models.setting import Setting
from models.summary_counting import count_changes
from tests.app.visitor import Visitor, moved_clock, visitor, words_of
from tests.conftest import Installation
from tests.county import County, at

NOW = at("2026-12-10 09:00")
PERIOD = "2026-Q4"


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


@pytest.fixture
def calls(county: County) -> Iterator[None]:
    """A quarter: four good ones, two late ones, one never answered, an emergency, one still open."""
    for hour in range(9, 12):
        call, one = county.dispatched("department1", when=at(f"2026-11-23 {hour:02}:00"))
        county.respond("department1", one, at("2026-11-23 14:00"))
        county.report("department1", one, at("2026-11-25 10:00"), result="已到现场处理，恢复原状。")
        county.evaluate(call, {one: "satisfied" if hour < 11 else "dissatisfied"}, at("2026-11-26 10:00"))
    for township in ("township1", "township2"):
        call, lead, other = county.dispatched(
            "department1", "department2", township=township, when=at("2026-11-24 09:00")
        )
        county.respond("department1", lead, at("2026-11-26 09:00"))
        county.respond("department2", other, at("2026-11-24 10:00"))
        county.report("department2", other, at("2026-11-27 09:00"))
        county.report("department1", lead, at("2026-11-27 10:00"))
    county.dispatched("department3", when=at("2026-11-25 09:00"))
    _call, one = county.emergency("department3", when=at("2026-11-25 20:00"))
    county.respond("department3", one, at("2026-11-25 20:10"))
    county.dispatched("department4", when=at("2026-12-09 16:00"), township="township3")
    with county.app.app_context(), clock.at(NOW):
        count_changes(transaction)
    with moved_clock(county, NOW):
        yield


def english(county: County, name: str) -> Visitor:
    here = visitor(county, name)
    here.post("/language/", {"locale": "en", "next": "/"})
    return here


def cockpit(here: Visitor, **given: str) -> str:
    page = here.get("/cockpit/", query_string={"period": PERIOD, **given})
    assert page.status_code == 200, page.text[:400]
    return str(page.text)


LINK = re.compile(
    r'<a href="(/cockpit/rows\?[^"]*)">(?:<svg.*?</svg>)?(.*?)</a>(?: <span class="hint">([^<]*)</span>)?', re.S
)


def figures(text: str) -> list[tuple[str, int]]:
    """(address, number of rows) that every figure of the page promises."""
    found = []
    for address, words, hint in LINK.findall(text):
        said = re.sub(r"<[^>]+>", "", words).strip()
        number = (
            re.fullmatch(r"\d+", said) or re.search(r"(?:of |/)(\d+)$", hint or said) or re.match(r"(\d+) not$", said)
        )
        assert number, (address, said, hint)
        found.append((html.unescape(address), int(number[number.lastindex or 0])))
    return found


def rows(here: Visitor, address: str) -> tuple[int, int]:
    """Rows listed, on however many pages, and the number above them."""
    listed, said, following = 0, -1, address
    while following:
        page = here.get(following)
        assert page.status_code == 200, (address, page.text[:300])
        listed += len(re.findall(r"<tr><td", page.text))
        said = int(re.search(r"(\d+) in all", page.text)[1])  # type: ignore[index]  # it stands there or the test fails
        more = re.search(r'href="([^"]*after=[^"]*)"', page.text)
        following = html.unescape(more[1]) if more else ""
    return listed, said


# Who


@pytest.mark.parametrize("who", ["leader", "director", "supervisor", "city"])
def test_leaders_directors_supervisors_and_the_city_read_it(county: County, calls: None, who: str) -> None:
    assert "住建局" in cockpit(visitor(county, who))


@pytest.mark.parametrize(
    "who",
    ["township1", "township1_leader", "department1", "department1_leader", "dispatcher", "duty", "checklist", "legal", "assessor",
     "personnel", "agency1", "auditor", "sysadmin", "secadmin"],
)  # fmt: skip
def test_nobody_else_reads_it(county: County, calls: None, who: str) -> None:
    here = visitor(county, who)
    for address in ("/cockpit/", "/cockpit/rows?what=dispatched", "/cockpit/signals"):
        assert here.get(address).status_code in (403, 404), address
    assert "/cockpit/" not in here.get("/").text


def test_of_another_county_nothing_is_read(county: County, calls: None) -> None:
    other = county["county9"]
    for who in ("leader", "supervisor", "city"):
        here = visitor(county, who)
        for address in ("/cockpit/", "/cockpit/rows?what=calls", "/cockpit/signals"):
            joint = "&" if "?" in address else "?"
            assert here.get(f"{address}{joint}county={other}").status_code in (403, 404)


def test_signals_are_for_supervisors_alone(county: County, calls: None) -> None:
    for who in ("leader", "director", "city"):
        here = visitor(county, who)
        assert here.get("/cockpit/signals").status_code == 403
        assert here.get("/cockpit/rows?what=same_text&part=good").status_code == 403
        assert "/cockpit/signals" not in cockpit(here)
    assert "/cockpit/signals" in cockpit(visitor(county, "supervisor"))


# What


def test_every_figure_opens_as_many_rows_as_it_counts(county: County, calls: None) -> None:
    here = english(county, "supervisor")
    found = figures(cockpit(here))
    assert len(found) > 60
    for address, number in found:
        assert rows(here, address) == (number, number), address


def test_the_signals_open_as_many_rows_as_they_count_and_name_no_township(county: County, calls: None) -> None:
    here = english(county, "supervisor")
    page = here.get("/cockpit/signals", query_string={"period": PERIOD})
    found = [
        (html.unescape(address), int(number))
        for address, number in re.findall(r'<a href="(/cockpit/rows\?[^"]*)">(\d+)</a>', page.text)
    ]
    told = {parse_qs(urlsplit(address).query)["what"][0]: number for address, number in found}
    assert told["same_text"] == 2, "the first of three equal reports is no repetition"
    for address, number in found:
        assert rows(here, address) == (number, number), address
        for text in (here.get(address).text, page.text):
            main = text[text.index("<main") : text.index("</main>")]
            assert "城关镇" not in main
            assert "青石乡" not in main


def test_the_rates_are_told_with_their_counts_and_too_few_cases_not_at_all(county: County, calls: None) -> None:
    words = words_of(english(county, "leader").get("/cockpit/", query_string={"period": PERIOD}))
    assert "Response rate" in words
    assert "8 of 9" in words, words[:1500]
    assert "1 not" in words
    with county.acting(None) as session:
        session.add(Setting(county_id=county.id, name="compared_from", value="50"))
    text = cockpit(english(county, "leader"))
    assert not re.search(r"\d+\.\d%", text[text.index("<main") :]), "no rate of fewer than fifty cases"
    assert "Too few cases to compare." in text


def test_townships_have_their_workload_in_administrative_order_and_no_rate(county: County, calls: None) -> None:
    text = cockpit(english(county, "leader"))
    section = text[text.index("Workload of the townships") :]
    section = section[: section.index("</section>")]
    names = re.findall(r"城关镇|青石乡|河湾街道", section)
    assert names == ["城关镇", "青石乡", "河湾街道"]
    assert "%" not in section
    assert "data-chart" not in section
    charts = " ".join(re.findall(r'data-chart="([^"]*)"', text))
    assert "城关镇" not in html.unescape(charts).encode().decode("unicode_escape", "ignore")


def test_departments_stand_in_the_order_of_the_organisations(county: County, calls: None) -> None:
    with county.acting(None) as session:
        from models.organisation import Organisation

        session.get_one(Organisation, county["department3"]).order = -1
    text = cockpit(english(county, "leader"))
    section = text[text.index(">Departments</h2>") :]
    names = re.findall(r'<th scope="row"><span>([^<]*)</span>', section[: section.index("</section>")])
    assert names == ["应急局", "自然资源局", "住建局", "水务局"]


def test_what_is_overdue_now_is_counted_at_once(county: County, calls: None) -> None:
    here = english(county, "leader")
    before = words_of(here.get("/cockpit/"))
    assert re.search(r"Overdue now\s*3", before), before[:800]
    with county.acting(None) as session:
        one = session.scalars(sa.select(Assignment.id).where(Assignment.department_id == county["department3"])).first()
        assert one is not None
    county.respond("department3", one, NOW)
    county.report("department3", one, NOW)
    assert re.search(r"Overdue now\s*2", words_of(here.get("/cockpit/")))


def test_the_page_says_when_its_figures_are_behind(county: County, calls: None) -> None:
    here = english(county, "leader")
    assert "within a minute" not in cockpit(here)
    county.dispatched("department1", when=NOW)
    assert "within a minute" in cockpit(here)


def test_a_county_that_was_never_counted_says_so(county: County) -> None:
    assert "counted for the first time" not in cockpit(english(county, "leader")), "there is nothing to count"
    county.dispatched("department1", when=at("2026-11-23 09:00"))
    assert "counted for the first time" in cockpit(english(county, "leader"))


@pytest.mark.parametrize("period", ["2026-13", "2026-Q5", "x", "2026-H0", "1999", "٢٠٢٦", "2026-11-01"])
def test_a_period_that_there_is_not_is_a_clear_404(county: County, period: str) -> None:
    for address in ("/cockpit/", "/cockpit/signals"):
        assert visitor(county, "supervisor").get(address, query_string={"period": period}).status_code == 404


@pytest.mark.parametrize(
    "query",
    ["what=", "what=nothing", "what=link.nothing", "what=link", "what=assignment_id", "what=call_id", "what=__class__"],
)
def test_a_figure_that_there_is_not_is_a_clear_404(county: County, query: str) -> None:
    assert visitor(county, "supervisor").get(f"/cockpit/rows?{query}").status_code == 404


@pytest.mark.parametrize(
    "query",
    ["department=x", "department=99999999999999999999999", "after=zz", "after=1-2-3", "after=99999999999999999999999",
     "part=zz", "field=%00", "place=" + "长" * 500, "township=٣"],
)  # fmt: skip
def test_senseless_parameters_of_rows_do_no_harm(county: County, calls: None, query: str) -> None:
    for what in ("calls", "dispatched", "link.response", "overdue"):
        answer = visitor(county, "supervisor").get(f"/cockpit/rows?what={what}&{query}")
        assert answer.status_code in (200, 404), (what, query)


@pytest.mark.parametrize("period", ["2026-11", "2026-Q4", "2026-H2", "2026"])
def test_every_length_of_a_period_is_shown(county: County, calls: None, period: str) -> None:
    assert "自然资源局" in cockpit(visitor(county, "leader"), period=period)


def test_the_months_before_are_compared(county: County, calls: None) -> None:
    words = words_of(english(county, "leader").get("/cockpit/", query_string={"period": "2026-12"}))
    assert "Too few cases to compare." in words


def test_charts_are_drawn_from_this_installation_alone_and_only_here(county: County, calls: None) -> None:
    here = visitor(county, "leader")
    text = cockpit(here)
    assert "vendor/echarts.min.js" in text
    assert re.findall(r'(?:src|href)="(?:https?:)?//', text) == []
    assert not re.search(r"<[^>]+ style=", text)
    assert "echarts" not in here.get("/").text
    assert "/cockpit/" in here.get("/").text, "the workbench leads here"


def test_signals_of_a_department_that_works_for_the_figures(county: County) -> None:
    due = at("2026-11-24 17:30")
    _call, one = county.dispatched("department1", when=at("2026-11-23 09:00"))
    county.respond("department1", one, due - timedelta(seconds=30))
    call, two = county.dispatched("department2", when=at("2026-11-23 10:00"))
    county.respond("department2", two, at("2026-11-23 11:00"), plan="周三到场")
    county.report("department2", two, at("2026-11-24 10:00"))
    county.evaluate(call, {two: "fair"}, at("2026-11-24 10:02"))
    entry = {"assignment": two, "satisfaction": "satisfied", "solved": "solved", "comment": ""}
    county.do(
        "township1",
        Call,
        call,
        "change_evaluation",
        {"evaluations": [entry], "signed_by": "周书记"},
        at("2026-11-24 11:00"),
    )
    with county.app.app_context(), clock.at(NOW):
        count_changes(transaction)
    with moved_clock(county, NOW):
        page = words_of(english(county, "supervisor").get("/cockpit/signals", query_string={"period": PERIOD}))
    shown = {
        title: re.search(title + r"(?:(?!Shows nowhere|Share).)*Share\s*(\S+)", page, re.S)
        for title in (
            "Response in the last minute",
            "Response without time or plan",
            "Nothing after the response",
            "Evaluation changed for the better",
        )
    }
    assert {title: found[1] for title, found in shown.items() if found} == {
        "Response in the last minute": "自然资源局",
        "Response without time or plan": "自然资源局",
        "Nothing after the response": "自然资源局",
        "Evaluation changed for the better": "住建局",
    }
