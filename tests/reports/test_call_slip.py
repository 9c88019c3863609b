"""流转单: all parts on one sheet, over as many pages as they need."""

import json
import re

import pytest

import reports

MM = 25.4 / 72
FOOTNOTE = "本单用于非涉密事项，严禁填写涉密信息。"


def text_of(page):
    return re.sub(r"\s", "", page.extract_text())


def flat(pdf):
    return "".join(text_of(page).replace(FOOTNOTE, "") for page in pdf.pages)


def rows(pdf):
    """Every table row of the document, cells without white space."""
    return [
        [re.sub(r"\s", "", cell) for cell in row if cell is not None]
        for page in pdf.pages
        for table in page.extract_tables()
        for row in table
    ]


@pytest.fixture
def closed(sample, opened):
    return opened(reports.render("call_slip", sample("call_slip", "closed")))


def test_all_parts_stand_in_the_order_of_the_procedure(closed):
    titles = ("呼叫", "受理派发", "响应", "反馈", "评价", "用时", "催办、督办、延期、退单记录", "办理过程")
    found = [row[0] for row in rows(closed) if row[0] in titles and not any(row[1:])]
    assert list(dict.fromkeys(found)) == list(titles)


def test_the_call_is_told_with_its_source_ticked(closed):
    text = flat(closed)
    assert "示范县“乡呼县应”事项流转单" in text
    assert "编号：SF20261109016" in text
    assert re.search(r"12345(□√|√□)", text)
    assert re.search(r"自行发现□(?!√)", text)
    assert "来源编号：12345-2026-110871" in text
    assert "副县长（11月10日）：冬灌不等人" in text


def test_an_emergency_is_ticked_as_one(sample, opened):
    text = flat(opened(reports.render("call_slip", sample("call_slip", "dispatched"))))
    assert re.search(r"一般□(?!√)紧急(□√|√□)", text)


def test_a_second_round_is_named(closed):
    first = [row for row in rows(closed) if row[0] == "县水利局" and row[1] == "不满意"]
    second = [row for row in rows(closed) if row[0] == "县水利局（重新办理）" and row[1] == "满意"]
    assert len(first) == len(second) == 1
    assert first[0][2:4] == ["部分解决", "剩余护坡未处理，冬灌时仍有垮塌风险。"]


def test_a_missing_evaluation_is_written_as_it_is(sample, opened):
    data = sample("call_slip", "closed")
    data["evaluations"] = [
        {**data["evaluations"][0], "satisfaction": "未评价", "solved": "", "comment": "", "evaluated_by": ""}
    ]
    pdf = opened(reports.render("call_slip", data))
    assert [row[:4] for row in rows(pdf) if "未评价" in row] == [["县农业农村局", "未评价", "—", ""]]


def test_each_page_carries_the_secrecy_note_and_its_number(closed):
    assert len(closed.pages) > 1
    for number, page in enumerate(closed.pages, 1):
        below = re.sub(r"\s", "", page.crop((0, 262 / MM, page.width, page.height)).extract_text())
        assert FOOTNOTE in below
        assert f"—{number}—" in below


def test_what_has_not_happened_is_an_empty_row(sample, opened):
    pdf = opened(reports.render("call_slip", sample("call_slip", "dispatched")))
    table = rows(pdf)
    head = next(place for place, row in enumerate(table) if row[:2] == ["部门", "响应时间"])
    assert table[head + 1] == ["", "", "", "", ""]


def test_nothing_leaves_the_text_area(closed):
    for page in closed.pages:
        assert min(char["x0"] for char in page.chars) * MM >= 27.9
        assert max(char["x1"] for char in page.chars) * MM <= 184.3
        edges = [edge for edge in page.edges if edge["orientation"] == "h"]
        assert max(edge["x1"] for edge in edges) * MM == pytest.approx(184, abs=0.4)


def many_departments(data, count):
    names = [f"县第{number}局" for number in range(1, count + 1)]
    long_text = "现场查勘后组织施工队伍分段修复，逐段验收，同步建立巡查台账。" * 6
    data["lead"], data["cooperating"] = names[0], names[1:]
    data["responses"] = [{**data["responses"][0], "dept": name} for name in names]
    data["reports"] = [{**data["reports"][0], "dept": name, "result": long_text} for name in names]
    data["evaluations"] = [{**data["evaluations"][0], "dept": name} for name in names]
    return names


def test_twelve_departments_flow_over_pages_with_repeated_heads(sample, opened):
    data = sample("call_slip", "closed")
    names = many_departments(data, 12)
    pdf = opened(reports.render("call_slip", data))
    reported = []
    pages_with_reports = 0
    for page in pdf.pages:
        for table in page.extract_tables():
            cells = [[re.sub(r"\s", "", cell) for cell in row if cell is not None] for row in table]
            own = [row[0] for row in cells if len(row) == 4 and row[1].startswith("现场查勘后")]
            if own:
                pages_with_reports += 1
                place = cells.index(["部门", "办理结果", "是否解决及原因", "反馈人、审核人、时间"])
                assert cells[place - 1][0] == "反馈"
                reported += own
    assert pages_with_reports > 1
    assert reported == names


def test_no_page_ends_with_a_head_without_rows(sample, opened):
    for count in (1, 4, 7, 10):
        data = sample("call_slip", "closed")
        many_departments(data, count)
        for page in opened(reports.render("call_slip", data)).pages:
            last = [re.sub(r"\s", "", cell) for cell in page.extract_tables()[-1][-1] if cell is not None]
            assert last[0] not in {"部门", "环节", "类别", "时间", "呼叫", "受理派发", "响应", "反馈", "评价", "用时"}


def test_a_timeline_of_200_rows_is_complete_and_its_head_repeats(sample, opened):
    data = sample("call_slip", "closed")
    data["timeline"] = [
        {"at": "11月19日8时45分", "who": "云河镇", "what": f"第{number}步记录"} for number in range(1, 201)
    ]
    pdf = opened(reports.render("call_slip", data))
    assert [int(step) for step in re.findall(r"第(\d+)步记录", flat(pdf))] == list(range(1, 201))
    pages = [page for page in pdf.pages if "步记录" in text_of(page)]
    assert len(pages) >= 5
    for page in pages:
        assert "时间单位（人员）内容" in text_of(page)


def test_a_description_longer_than_a_page_loses_nothing(sample, opened):
    data = sample("call_slip", "closed")
    data["description"] = "".join(f"第{number}处渠段坍塌需要修复；" for number in range(1, 251))
    written = json.dumps(data, ensure_ascii=False)
    pdf = opened(reports.render("call_slip", data))
    text = flat(pdf)
    assert "第1处渠段" in text
    assert "第250处渠段" in text
    assert text.count("塌") == written.count("塌") >= 250
    # It begins on the page where it belongs, and the pages that it fills name their part.
    assert "第1处渠段" in text_of(pdf.pages[0])
    assert all(text_of(page).startswith("呼叫") for page in pdf.pages[1:3])


def test_line_breaks_that_people_typed_are_kept(sample, opened):
    data = sample("call_slip", "closed")
    data["description"] = "甲行\n乙行"
    page = opened(reports.render("call_slip", data)).pages[0]
    first, second = page.search("甲行")[0], page.search("乙行")[0]
    assert second["top"] - first["top"] > 10
    assert second["x0"] == pytest.approx(first["x0"], abs=0.5)
