"""现场协调记录: one form, its parts in order, empty boxes where nothing was said."""

import re

import pytest

import reports

MM = 25.4 / 72


def rows(pdf):
    """Every table row, cells without white space."""
    tables = [table for page in pdf.pages for table in page.extract_tables()]
    return [[re.sub(r"\s", "", cell) for cell in row if cell is not None] for table in tables for row in table]


@pytest.fixture
def held(sample, opened):
    return opened(reports.render("onsite_record", sample("onsite_record", "held")))


def test_all_parts_stand_in_the_order_of_the_document_text(held):
    found = [row[0] for row in rows(held)]
    parts = [
        "时间",
        "召集单位",
        "应到单位",
        "协调事项",
        "实到单位",
        "未到单位",
        "协调情况",
        "议定事项",
        "分歧及处理",
        "记录人",
    ]
    places = [found.index(part) for part in parts]
    assert places == sorted(places)


def test_who_came_has_room_to_sign_and_who_did_not_has_a_reason(held):
    assert ["县水利局", "马超、刘振华", ""] in rows(held)
    assert ["县财政局", "参加全县预算会议，已电话沟通。"] in rows(held)


def test_each_decision_names_its_unit_and_day(held):
    assert ["1", "更换王庄村节制闸启闭机，恢复通水。", "县水利局", "2026年11月13日"] in rows(held)


def test_what_was_not_said_is_an_empty_box_and_none_of_a_list_is_said(sample, opened):
    found = rows(opened(reports.render("onsite_record", sample("onsite_record", "short"))))
    assert ["召集单位", "龙口乡", "主持人（职务）", ""] in found
    assert ["龙口乡", "", ""] in found
    assert ["无", "—"] in found
    assert ["分歧及处理", "无"] in found
    assert not [row for row in found if row[0] in ("协调事项", "协调情况")]


@pytest.mark.parametrize(("name", "size", "lines"), [("held", 18.0, 2), ("short", 22.0, 1)])
def test_the_title_stands_in_the_middle_and_breaks_by_sense(sample, opened, name, size, lines):
    """A long subject is set smaller, so that none of its characters stands alone on a line."""
    page = opened(reports.render("onsite_record", sample("onsite_record", name))).pages[0]
    title = [char for char in page.chars if round(char["size"], 1) == size]
    assert len({round(char["top"]) for char in title}) == lines
    centre = (min(char["x0"] for char in title) + max(char["x1"] for char in title)) / 2
    assert centre * MM == pytest.approx(28 + 156 / 2, abs=3)
    last = max(char["top"] for char in title)
    ending = "".join(char["text"] for char in title if char["top"] == last)
    assert ending.endswith("现场协调记录")
    assert lines == 1 or ending == "现场协调记录"
    assert min(char["x0"] for char in page.chars) * MM >= 27.9
    assert max(char["x1"] for char in page.chars) * MM <= 184.3


def test_sixty_decisions_repeat_their_head(sample, opened):
    data = sample("onsite_record", "held")
    data["decisions"] = [{**data["decisions"][0], "matter": f"第{number}项"} for number in range(60)]
    pdf = opened(reports.render("onsite_record", data))
    found = rows(pdf)
    assert all(any(f"第{number}项" in row for row in found) for number in range(60))
    assert found.count(["序号", "事项", "责任单位", "完成时限"]) >= 3


def test_the_foot_speaks_of_decisions_only_where_there_are_any(sample, opened):
    held, short = (
        "".join(
            page.extract_text() for page in opened(reports.render("onsite_record", sample("onsite_record", name))).pages
        )
        for name in ("held", "short")
    )
    assert "议定事项已转为相应部门的办理节点。本记录" in held
    assert "已转为相应部门的办理节点" not in short
    assert "本记录用于非涉密事项" in short


def test_the_last_page_never_holds_the_foot_alone(sample, opened):
    data = sample("onsite_record", "held")
    one = data["attending"][0]
    for count in range(12):
        last = opened(reports.render("onsite_record", {**data, "attending": [one] * count})).pages[-1]
        assert "分歧及处理" in last.extract_text(), count
