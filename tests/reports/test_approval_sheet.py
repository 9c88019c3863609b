"""呈批单: one page with room to write by hand, the return code at its bottom right."""

import re

import pytest

import reports
from tests.reports.measuring import MM, text_of


@pytest.mark.parametrize("lines", [1, 5])
def test_the_sheet_is_one_page_with_the_code_at_the_bottom_right(sample, opened, lines):
    data = sample("approval_sheet", "criticism")
    data["summary"] = "经督查并听取说明，拟予以通报批评，责令限期整改到位，请阅示" * lines
    pdf = opened(reports.render("approval_sheet", data))
    [page] = pdf.pages
    code = page.search(re.escape(data["return_code"]))[0]
    assert code["x1"] * MM > 165
    table = max(page.find_tables(), key=lambda one: len(one.rows))
    assert code["top"] > table.bbox[3]
    assert code["bottom"] * MM < 297 - 35


def test_names_and_times_stand_on_one_line(sample, opened):
    page = opened(reports.render("approval_sheet", sample("approval_sheet", "criticism"))).pages[0]
    assert page.search("2026年11月27日10时20分")
    assert page.search("示范县人民政府督查室")


def test_the_hand_has_room_in_every_box(sample, opened):
    page = opened(reports.render("approval_sheet", sample("approval_sheet", "criticism"))).pages[0]
    table = max(page.find_tables(), key=lambda one: len(one.rows))
    heights = {}
    for row, cells in zip(table.rows, table.extract(), strict=True):
        heights[re.sub(r"\s", "", cells[0] or "")] = (row.bbox[3] - row.bbox[1]) * MM
    assert heights["签发意见"] > 35
    assert heights["分管领导意见"] > 20
    assert heights["会签单位及意见"] > 20
    assert heights["核稿"] > 10
    assert "（县政府主要负责同志）" in text_of(page)
