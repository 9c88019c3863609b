"""Letters: where office and date stand for the seal, whatever the office is called; the receipt; the copies."""

import pytest

import reports
from tests.reports.measuring import LINE, MM, text_of

CHARACTER = 15.785 * MM
RIGHT = 184
LETTERS = (
    ("verification", "call"),
    ("conclusion", "fault"),
    ("superior_letter", "named"),
    ("review_decision", "upheld"),
    ("rectification", "first"),
    ("supervision", "single"),
)


def signed(pdf, by, date):
    """The page that is signed, its line of the office and its line of the date: the last ones of the page."""
    page = next(page for page in reversed(pdf.pages) if f"{by}{date}" in text_of(page))
    return page, page.search(by)[-1]["chars"], page.search(date)[-1]["chars"]


@pytest.mark.parametrize(("kind", "name"), LETTERS)
def test_the_date_stands_four_characters_in_and_the_office_in_the_middle_above_it(sample, opened, kind, name):
    data = sample(kind, name)
    by = data.get("supervision_office") or data.get("issuer") or data["review_body"]
    if kind == "review_decision":
        by = data["review_body"]
    page, office, date = signed(opened(reports.render(kind, data)), by, data["date"])
    assert date[-1]["x1"] * MM == pytest.approx(RIGHT - 4 * CHARACTER, abs=0.6)
    assert (office[0]["x0"] + office[-1]["x1"]) / 2 == pytest.approx((date[0]["x0"] + date[-1]["x1"]) / 2, abs=2)
    above = max(char["bottom"] for char in page.chars if char["bottom"] < office[0]["top"])
    assert 2 * LINE < (office[0]["top"] - above) * MM < 3 * LINE, "the seal begins less than a line below the text"


@pytest.mark.parametrize("length", [4, 10, 14, 15, 18, 24])
def test_any_name_of_an_office_stays_within_the_text_area(sample, opened, length):
    data = sample("verification", "call")
    data["supervision_office"] = "县" * length
    page, office, date = signed(opened(reports.render("verification", data)), "县" * length, data["date"])
    office = [char for char in page.chars if abs(char["top"] - office[0]["top"]) < 1]
    assert office[-1]["x1"] * MM <= RIGHT + 0.1
    assert (office[0]["x0"] + office[-1]["x1"]) / 2 == pytest.approx((date[0]["x0"] + date[-1]["x1"]) / 2, abs=2)


@pytest.mark.parametrize("kind", ["rectification", "supervision"])
def test_the_title_of_a_receipt_stands_on_the_third_line_of_its_one_page(sample, opened, kind):
    samples = {"rectification": "first", "supervision": "single"}
    page = opened(reports.render(kind, sample(kind, samples[kind]))).pages[-1]
    annex = page.search("附件")[0]
    title = page.search("整改情况报告表" if kind == "rectification" else "回执")[0]
    assert ((title["top"] + title["bottom"]) - (annex["top"] + annex["bottom"])) / 2 * MM == pytest.approx(
        2 * LINE, abs=1.5
    )
    assert "本表可直接" in text_of(page) or "本回执可直接" in text_of(page)


@pytest.mark.parametrize("leader", ["", "副县长", "县委常委、副县长、示范经济开发区党工委书记、管委会主任"])
def test_the_copies_never_run_into_what_stands_above(sample, opened, leader):
    data = sample("rectification", "first")
    for length in range(0, 300, 60):
        data.update(portfolio_leader=leader, requirements="改" * (5 + length))
        pdf = opened(reports.render("rectification", data))
        page = next(page for page in pdf.pages if "抄送：" in text_of(page))
        copies = page.search("抄送：")[0]
        above = max(char["bottom"] for char in page.chars if char["top"] < copies["top"] - 8)
        assert above <= copies["top"]
