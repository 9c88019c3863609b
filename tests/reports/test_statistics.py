"""The statistics bulletin: one page of figures, tables with repeated heads, order and restraint, whatever its length."""

import re

import pytest

import reports
from tests.reports.measuring import LINE, MM, flat, text_of


@pytest.fixture
def month(sample, opened):
    return opened(reports.render("statistics", sample("statistics", "month")))


@pytest.fixture
def year(sample, opened):
    return opened(reports.render("statistics", sample("statistics", "year")))


def page_with(pdf, text):
    return next(page for page in pdf.pages if text in text_of(page))


def test_the_page_of_figures_is_one_page(month):
    page = page_with(month, "一页看数")
    text = text_of(page)
    for part in (
        "受理呼叫",
        "54件",
        "96.3%",
        "52/54",
        "升3.2个百分点",
        "各环节平均用时",
        "突出问题",
        "数据截至2026年11月2日9时00分",
    ):
        assert part in text, part
    assert month.pages.index(page) < month.pages.index(page_with(month, "附件1县直部门"))


def test_bars_are_as_long_as_their_rates(month):
    page = page_with(month, "一页看数")
    bars = [one for one in page.rects if one["height"] * MM == pytest.approx(3, abs=0.1) and one["width"] * MM > 3]
    widths = [one["width"] * MM for one in sorted(bars, key=lambda one: one["top"])][:5]
    assert widths == pytest.approx([64 * rate for rate in (0.963, 0.922, 0.902, 0.851, 0.936)], abs=0.3)


def test_department_tables_lie_across_and_repeat_their_head(year):
    pages = [page for page in year.pages if page.width > page.height and "派发件次" in text_of(page)]
    assert len(pages) >= 2, "forty departments need more than one page"
    for page in pages:
        assert (page.width * MM, page.height * MM) == pytest.approx((297, 210), abs=0.2)
        assert min(char["x0"] for char in page.chars if char["upright"]) * MM >= 34
        assert max(char["x1"] for char in page.chars) * MM <= 297 - 36
    assert "合计" in text_of(pages[-1])


def test_departments_stand_in_their_order_and_units_of_others_last_with_counts_only(sample, opened):
    data = sample("statistics", "month")
    text = flat(opened(reports.render("statistics", data)))
    names = [row["name"] for row in data["departments"]]
    table = text[text.index("附件1县直部门") :]
    assert [table.index(name) for name in names] == sorted(table.index(name) for name in names)
    assert all(row["apart"] for row in data["departments"][-3:])


def test_townships_have_no_rate(month):
    text = text_of(page_with(month, "附件3乡镇"))
    assert "%" not in text
    assert "只反映工作量，不作比较" in text


def test_the_foot_block_stands_once_on_the_last_page(month, year):
    for pdf in (month, year):
        assert flat(pdf).count("印发") == flat(pdf).count("日印发") == 1
        last = pdf.pages[-1]
        assert last.height > last.width
        assert "2026年11月4日印发" in text_of(last)
        assert max(one["bottom"] for one in last.rects) * MM == pytest.approx(297 - 35, abs=0.1)


def test_an_annex_that_does_not_exist_is_not_named(year):
    assert "长期办理事项进展表" not in flat(year)


def test_left_out_parts_leave_no_gap_in_the_numbering():
    kind = reports.KINDS["statistics"]
    drafted = kind.draft({**kind.draft_sample, "good": "", "no_response": 0, "orders": 0})["text"]
    assert re.findall(r"^[一二三四五]、", drafted, re.MULTILINE) == ["一、", "二、", "三、"]
    assert "（一）迟响应。" in drafted
    assert "（一）依单履职。" in drafted


def test_without_findings_the_text_says_so():
    kind = reports.KINDS["statistics"]
    drafted = kind.draft({**kind.draft_sample, "findings": 0})["text"]
    assert "本期未发现不响应、迟响应和响应不作为问题。" in drafted
    assert "县水利局" not in drafted[: drafted.index("四、")]


def test_units_of_others_have_a_dash_where_a_rate_would_stand(month):
    table = page_with(month, "附件1县直部门").extract_tables()[0]
    [row] = [row for row in table if row[1] == "县供电公司"]
    assert [row[place] for place in (6, 9, 17, 18)] == ["—"] * 4
    assert row[-1] == "企业"


def test_the_title_of_an_annex_stands_on_the_third_line(month):
    for name, title in (
        ("附件1", "县直部门"),
        ("附件2", "问题事项清单"),
        ("附件3", "乡镇（街道）"),
        ("附件4", "长期办理"),
    ):
        page = page_with(month, f"{name}{title}")
        first, third = page.search(name)[0], page.search(title)[0]
        assert (third["top"] + third["bottom"] - first["top"] - first["bottom"]) / 2 * MM == pytest.approx(
            2 * LINE, abs=1
        )


def test_the_number_of_a_page_that_lies_across_stands_where_it_does_on_the_others(month):
    """Turned with its head to the left as it is bound: 7 mm under the text, one character from the outer edge."""
    for page in (page for page in month.pages if page.width > page.height):
        number = [char for char in page.chars if char["x1"] * MM < 35 and not char["upright"]]
        assert "".join(char["text"] for char in number).replace(" ", "") == f"—{page.page_number}—"
        assert 35 - max(char["x1"] for char in number) * MM == pytest.approx(4.15, abs=1)
        if page.page_number % 2:
            assert max(char["bottom"] for char in number) * MM == pytest.approx(210 - 26 - 14 * MM, abs=0.5)
        else:
            assert min(char["top"] for char in number) * MM == pytest.approx(28 + 14 * MM, abs=0.5)


def test_no_number_is_divided_in_the_tables(month):
    cases = page_with(month, "附件2问题").extract_text()
    for text in ("〔2026〕3号", "（11月13日前）", "3个工作日", "（复核中）"):
        assert text in cases
    assert "SF20260918002" in page_with(month, "附件4长期").extract_text()
