"""The levels of a text by its own numbering, and titles broken by sense."""

import pytest

from reports.headline import LONGEST, headline
from reports.structure import Paragraph, numeral, renumbered, structured


@pytest.mark.parametrize(
    ("line", "paragraph"),
    [
        ("一、总体情况", Paragraph("一、总体情况", "", "first")),
        ("（一）呼叫和办结。全县受理54件。", Paragraph("（一）呼叫和办结。", "全县受理54件。", "second")),
        ("十二、工作要求", Paragraph("十二、工作要求", "", "first")),
        (
            "一、由主要负责人负责，立即与云河镇对接，核实情况。",
            Paragraph("", "一、由主要负责人负责，立即与云河镇对接，核实情况。"),
        ),
        (
            "（一）于12月4日前完成以下整改：落实首接负责。",
            Paragraph("", "（一）于12月4日前完成以下整改：落实首接负责。"),
        ),
        ("　　现将有关情况通报如下。", Paragraph("", "现将有关情况通报如下。")),
        ("1. 落实责任", Paragraph("", "1. 落实责任")),
    ],
)
def test_a_line_has_the_level_of_its_number(line: str, paragraph: Paragraph) -> None:
    assert list(structured(f"{line}\n\n")) == [paragraph]


@pytest.mark.parametrize(
    "line",
    [
        "（一）" + "各部门要认真落实首接负责和按时响应要求" * 4 + "。逾期通报。",
        "（二）整改完成后3个工作日内，向督查室报送书面整改报告。办理结果以乡镇评价为准。",
    ],
)
def test_a_numbered_sentence_is_no_heading(line: str) -> None:
    assert next(structured(line)).heading == ""


def test_commas_in_a_quoted_name_do_not_hinder_a_heading() -> None:
    assert next(structured("（一）县水利局办理“渠系失修，影响冬灌”事项情况。正文")).text == "正文"


def test_headings_count_on_when_parts_are_left_out() -> None:
    text = "一、总体\n（一）甲。乙\n（三）丙。丁\n四、要求\n（二）戊。己\n正文"
    assert renumbered(text) == "一、总体\n（一）甲。乙\n（二）丙。丁\n二、要求\n（一）戊。己\n正文"


@pytest.mark.parametrize(("number", "text"), [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (47, "四十七")])
def test_numerals(number: int, text: str) -> None:
    assert numeral(number) == text


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("责令整改通知书", ["责令整改通知书"]),
        (
            "关于2026年10月“乡呼县应”事项办理情况的通报",
            ["关于2026年10月", "“乡呼县应”事项办理情况的通报"],
        ),
        (
            "关于示范县水利局、示范县自然资源和规划局办理“乡呼县应”事项不力情况的通报",
            ["关于示范县水利局、", "示范县自然资源和规划局办理", "“乡呼县应”事项不力情况的通报"],
        ),
        ("关于更正示政督〔2026〕5号有关内容的通报", ["关于更正示政督〔2026〕5号", "有关内容的通报"]),
        (
            "关于示范县水利局办理“云河镇东南片区灌溉渠系年久失修影响冬灌”事项的督查结论",
            ["关于示范县水利局办理", "“云河镇东南片区灌溉渠系", "年久失修影响冬灌”事项的督查结论"],
        ),
        (
            "关于县农业农村局办理“小赵庄村村民反映村集体合同收支公开不规范”事项的督查结论",
            ["关于县农业农村局办理", "“小赵庄村村民反映", "村集体合同收支公开不规范”", "事项的督查结论"],
        ),
    ],
)
def test_a_title_is_broken_by_sense(title: str, lines: list[str]) -> None:
    assert headline(title) == lines


@pytest.mark.parametrize("title", ["呼" * 55, "“" * 40, "a" * 60, "、" * 30, "甲、" * 40])
def test_any_title_is_broken_into_lines_that_fit(title: str) -> None:
    lines = headline(title)
    assert "".join(lines) == title
    assert all(0 < len(line) <= LONGEST for line in lines)
