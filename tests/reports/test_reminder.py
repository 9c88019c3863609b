"""催办通知单: wording, places on the page, faces, one matter or several."""

import re
from datetime import date

import pytest

import reports
from reports import wording

MM = 25.4 / 72


def text_of(pdf):
    return re.sub(r"\s", "", "".join(page.extract_text() for page in pdf.pages))


def tables_of(page):
    """The real tables: the rules of head and foot are not one."""
    return [table for table in page.find_tables() if len(table.rows[0].cells) >= 4]


@pytest.fixture
def single(sample, opened):
    return opened(reports.render("reminder", sample("reminder", "single")))


@pytest.fixture
def merged(sample, opened):
    return opened(reports.render("reminder", sample("reminder", "merged")))


def test_a_single_slip_reads_as_the_document_text_prescribes(single):
    text = text_of(single)
    assert len(single.pages) == 1
    for part in (
        "催办“乡呼县应”事项催办通知单",
        "编号：催〔2026〕0123",
        "签发时间：2026年11月23日8时31分",
        "示范县水利局：你单位承办的下列事项已超过规定时限1个工作日2小时，请抓紧办理，",
        "并于11月24日12时00分前在平台响应。确有客观原因的，请按规定申请延期或者说明情况。",
        "示范县人民政府办公室（县“乡呼县应”平台）2026年11月23日",
        "分送：示范县水利局联络员、分管负责人。联系人：王芳联系电话：0530-7654321",
    ):
        assert part in text


def test_the_single_form_is_a_table_of_facts(single):
    table = tables_of(single.pages[0])[0].extract()
    cells = [re.sub(r"\s", "", cell or "") for row in table for cell in row]
    assert dict(zip(cells[::2], cells[1::2], strict=True)) == {
        "呼叫编号": "SF20261120016",
        "呼叫乡镇（街道）": "云河镇",
        "事项名称": "云河镇东南片区灌溉渠系年久失修影响冬灌",
        "承办角色": "主办",
        "派发时间": "11月20日10时12分",
        "规定时限": "11月21日17时30分",
        "目前状态": "待响应",
        "超过时限": "1个工作日2小时",
        "已催办次数": "1",
        "乡镇联系人": "李明0530-1234567",
    }


def test_a_merged_slip_lists_its_matters_under_one_number(merged):
    table = tables_of(merged.pages[0])[0].extract()
    heads = [cell.replace("\n", "") for cell in table[0]]
    assert heads == ["序号", "呼叫编号", "事项名称", "承办角色", "规定时限", "超过时限", "目前状态"]
    assert [row[0] for row in table[1:]] == ["1", "2", "3", "4"]
    assert "你单位承办的下列4件事项已超过规定时限，请抓紧办理" in text_of(merged)
    assert "呼叫乡镇" not in text_of(merged)


def test_a_slip_before_the_deadline_says_so_and_has_no_overtime(sample, opened):
    data = sample("reminder", "single")
    data["soon"] = True
    data["cases"][0]["overdue"] = ""
    pdf = opened(reports.render("reminder", data))
    assert "你单位承办的下列事项即将到期，请抓紧办理" in text_of(pdf)
    table = tables_of(pdf.pages[0])[0].extract()
    assert table[3] == ["目前状态", "待响应", "超过时限", "—"]


def test_zero_reminders_are_written_as_0(sample, opened):
    data = sample("reminder", "single")
    data["cases"][0]["urge_count"] = 0
    table = tables_of(opened(reports.render("reminder", data)).pages[0])[0].extract()
    assert table[4][:2] == ["已催办次数", "0"]


def test_elements_stand_where_the_standard_puts_them(single):
    page = single.pages[0]
    by_size = {}
    for char in page.chars:
        by_size.setdefault(round(char["size"], 1), []).append(char)
    title = by_size[22.0]
    assert "".join(char["text"] for char in title) == "“乡呼县应”事项催办通知单"
    centre = (min(char["x0"] for char in title) + max(char["x1"] for char in title)) / 2
    assert centre * MM == pytest.approx(28 + 156 / 2, abs=0.5)
    place = {
        name: page.search(name)[-1]
        for name in ("示范县水利局：", "你单位承办", "示范县人民政府办公室（.*平台）", "2026年11月23日")
    }
    addressee, opening, office, day = place.values()
    assert addressee["x0"] * MM == pytest.approx(28, abs=0.1)
    assert opening["x0"] * MM == pytest.approx(28 + 2 * 15.785 * MM, abs=0.1)
    assert office["x1"] * MM == pytest.approx(184 - 2 * 15.785 * MM, abs=0.3)
    assert day["x0"] - office["x0"] == pytest.approx(2 * 15.785, abs=0.3)
    assert max(char["x1"] for char in page.chars) * MM <= 184.3

    foot = max(rule["bottom"] for rule in page.rects + page.lines if rule["width"] > 150 / MM)
    assert foot * MM == pytest.approx(262, abs=0.3)


def test_the_mark_and_its_rule_are_blue(single):
    blue = (0x1F / 255, 0x4E / 255, 0x8C / 255)
    mark = [char for char in single.pages[0].chars if char["non_stroking_color"] == pytest.approx(blue, abs=0.01)]
    assert "".join(char["text"] for char in mark) == "催办"


def test_the_free_faces_are_really_embedded(single):
    faces = {char["fontname"].split("+")[1] for char in single.pages[0].chars}
    assert faces == {"FandolSong-Bold-Bold", "FandolFang-Regular", "FandolSong-Figures"}


def test_a_one_page_slip_stays_small(sample):
    assert len(reports.render("reminder", sample("reminder", "single"))) <= 100_000


def test_a_slip_with_forty_matters_repeats_its_head_and_keeps_the_foot_on_the_last_page(sample, opened):
    data = sample("reminder", "merged")
    data["cases"] = [{**data["cases"][0], "call_no": f"SF{number:011d}"} for number in range(40)]
    pdf = opened(reports.render("reminder", data))
    assert len(pdf.pages) > 2
    tables = [table.extract() for page in pdf.pages for table in tables_of(page)]
    assert len(tables) >= len(pdf.pages) - 1
    assert all(table[0][1] == "呼叫编号" for table in tables)
    assert sum(len(table) - 1 for table in tables) == 40
    assert ["分送：" in page.extract_text() for page in pdf.pages] == [False] * (len(pdf.pages) - 1) + [True]
    last = pdf.pages[-1]
    foot = min(char["top"] for char in last.search("分送")[0]["chars"])
    signed = max(char["bottom"] for char in last.search("平台）")[-1]["chars"])
    assert signed < foot


def test_the_pdf_names_its_title_office_date_and_language(single):
    assert single.metadata["Title"] == "“乡呼县应”事项催办通知单（催〔2026〕0123）"
    assert single.metadata["Author"] == "示范县人民政府办公室"
    assert single.metadata["CreationDate"].startswith("D:20261123")
    assert single.doc.catalog["Lang"] == b"zh-CN"
    assert "MarkInfo" in single.doc.catalog


def test_administrators_wording_replaces_the_factory_text(sample, opened):
    texts = {"opening": "请{dept}于{new_due}前{action}【有 urge_count】（已催办{urge_count}次）【止】。"}
    pdf = opened(reports.render("reminder", sample("reminder", "single"), texts=texts))
    assert "请示范县水利局于11月24日12时00分前响应（已催办1次）。" in text_of(pdf)
    assert "你单位承办" not in text_of(pdf)


@pytest.mark.parametrize("texts", [{"opening": "{nonsense}"}, {"colour": "蓝"}, {"opening": "【有 soon】"}])
def test_wording_that_cannot_be_printed_is_refused(sample, texts):
    with pytest.raises(reports.PassageError):
        reports.render("reminder", sample("reminder", "single"), texts=texts)


def test_the_callers_wording_functions_give_what_the_slip_stores(sample):
    data = sample("reminder", "single")
    assert data["date"] == wording.date_text(date(2026, 11, 23))
    assert data["cases"][0]["overdue"] == wording.working_duration_text(600, minutes_per_day=480)
