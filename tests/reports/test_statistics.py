"""The statistics bulletin: one page of figures, tables with repeated heads, order and restraint, whatever its length."""

import re

import pytest

import reports
from tests.reports.measuring import MM, flat, text_of


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
        assert min(char["x0"] for char in page.chars) * MM >= 34
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
