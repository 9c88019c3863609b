"""Red-headed documents measured against GB/T 9704: head, number, rule, title, addressee, levels, seal, foot block, pages."""

import pytest

import reports
from tests.reports.measuring import LINE, MM, chars_of, flat, ink, is_red, rules, text_of


@pytest.fixture
def criticism(sample, opened):
    return opened(reports.render("criticism", sample("criticism", "two_cases")))


def test_the_head_is_red_centred_and_35_mm_below_the_top_of_the_text_area(criticism):
    page = criticism.pages[0]
    head = [char for char in page.chars if is_red(char)]
    assert "".join(char["text"] for char in head) == "示范县人民政府督查室文件"
    assert ink(page, head)[0] == pytest.approx(37 + 35, abs=0.5)
    centre = (min(char["x0"] for char in head) + max(char["x1"] for char in head)) / 2 * MM
    assert centre == pytest.approx(28 + 156 / 2, abs=0.5)
    assert {char["fontname"].split("+")[1] for char in head} == {"FandolSong-Bold-Bold"}


def test_the_number_stands_two_lines_below_the_head_and_the_rule_4_mm_below_the_number(criticism):
    page = criticism.pages[0]
    number = chars_of(page, "示政督〔2026〕5号")
    [rule] = [one for one in rules(page) if one["red"]]
    assert rule["top"] - ink(page, number)[1] == pytest.approx(4, abs=0.4)
    assert (rule["x0"], rule["x1"]) == pytest.approx((28, 184), abs=0.1)
    centre = (number[0]["x0"] + number[-1]["x1"]) / 2 * MM
    assert centre == pytest.approx(106, abs=0.5)
    head = [char for char in page.chars if is_red(char)]
    between = ink(page, number)[0] - ink(page, head)[1]
    assert 2 * LINE < between < 3 * LINE


def test_the_title_stands_two_lines_below_the_rule_in_lines_broken_by_sense(criticism):
    page = criticism.pages[0]
    [rule] = [one for one in rules(page) if one["red"]]
    first = chars_of(page, "关于示范县水利局、")
    assert first[0]["size"] == pytest.approx(22, abs=0.1)
    assert 2 * LINE < ink(page, first)[0] - rule["bottom"] < 3 * LINE
    last = chars_of(page, "“乡呼县应”事项不力情况的通报")
    assert (last[0]["top"] - first[0]["top"]) * MM == pytest.approx(2 * LINE, abs=0.2)


def test_the_addressee_stands_flush_left_one_line_below_the_title(criticism):
    page = criticism.pages[0]
    title, to = chars_of(page, "“乡呼县应”事项不力情况的通报"), chars_of(page, "各乡镇党委")
    assert to[0]["x0"] * MM == pytest.approx(28, abs=0.2)
    assert 1 * LINE < (to[0]["bottom"] - title[0]["bottom"]) * MM < 2.2 * LINE
    assert "县直各部门（单位）：" in text_of(page)


def test_headings_are_set_by_their_level(criticism):
    faces = {}
    for page in criticism.pages:
        for text in ("一、基本情况", "（一）示范县水利局办理", "平台于11月20日"):
            found = page.search(text)
            if found:
                faces[text] = found[0]["chars"][-1]["fontname"].split("+")[1]
    assert faces["一、基本情况"] == "FandolHei-Regular"
    assert faces["（一）示范县水利局办理"] == "FandolKai-Regular"


def test_the_seal_has_room_and_the_date_stands_four_characters_in(criticism):
    page = criticism.pages[-1]
    date = page.search("2026年11月27日")[0]["chars"]
    office = page.search("示范县人民政府督查室")[-2]["chars"]
    assert (office[0]["x0"] + office[-1]["x1"]) / 2 == pytest.approx((date[0]["x0"] + date[-1]["x1"]) / 2, abs=2)
    above = max(char["bottom"] for char in page.chars if char["bottom"] < office[0]["top"] and char["top"] * MM < 262)
    assert (office[0]["top"] - above) * MM > 2 * LINE
    assert date[-1]["x1"] * MM == pytest.approx(184 - 4 * 15.785 * MM, abs=0.6)
    assert not page.images, "the seal is not drawn"


def test_the_foot_block_ends_the_last_page_between_thick_thin_and_thick_rules(criticism):
    page = criticism.pages[-1]
    edges = sorted(
        {round(one[name] * MM, 2) for one in page.rects for name in ("top", "bottom") if one["top"] * MM > 200}
    )
    first, under_first, middle, under_middle, last, bottom = edges
    assert (under_first - first, bottom - last) == pytest.approx((0.35, 0.35), abs=0.03)
    assert under_middle - middle == pytest.approx(0.25, abs=0.03)
    assert bottom == pytest.approx(297 - 35, abs=0.1)
    text = text_of(page)
    assert "抄送：县委常委" in text
    assert "示范县人民政府督查室2026年11月27日印发" in text
    copies, printer = chars_of(page, "抄送："), chars_of(page, "2026年11月27日印发")
    assert copies[0]["size"] == pytest.approx(14, abs=0.1)
    assert printer[-1]["x1"] * MM == pytest.approx(184 - 14 * MM, abs=0.5)


def test_the_first_page_carries_text_and_no_page_is_without_number(criticism):
    assert "近期，示范县人民政府督查室对" in text_of(criticism.pages[0])
    for place, page in enumerate(criticism.pages, start=1):
        assert f"—{place}—" in text_of(page)


def test_what_is_signed_is_never_alone_with_the_list_of_its_annexes(sample, opened):
    data = sample("criticism", "two_cases")
    data["attachments"] = ["县直部门（单位）办理情况统计表", "问题事项清单", "乡镇（街道）呼叫工作量统计表"]
    for count in range(4, 24):
        data["text"] = "\n".join(["各部门（单位）要引以为戒。"] * count)
        pages = [text_of(page) for page in opened(reports.render("criticism", data)).pages]
        [signed] = [page for page in pages if "示范县人民政府督查室2026年11月27日抄送" in page]
        assert "引以为戒。附件：1.县直" in signed


@pytest.mark.parametrize(("kind", "name"), [("criticism", "two_cases"), ("statistics", "month")])
def test_a_draft_says_so_on_every_page_and_leaves_its_day_open(sample, opened, kind, name):
    data = {**sample(kind, name), "number": "", "stage": "送审稿"}
    pdf = opened(reports.render(kind, data))
    assert pdf.metadata["Title"].endswith("（送审稿）")
    for page in pdf.pages:
        mark = page.search("送审稿（未编号，不得印发）")[0]
        assert mark["bottom"] * MM < 37
        assert mark["x0"] * MM == pytest.approx(28 if page.width < page.height else 35, abs=0.5)
    text = flat(pdf)
    assert "示范县人民政府督查室2026年月日" in text
    assert "2026年月日印发" in text


def test_without_text_there_is_no_red_head(sample):
    data = sample("criticism", "two_cases")
    data["text"] = "  \n "
    with pytest.raises(reports.ContextError, match="first page"):
        reports.render("criticism", data)


@pytest.mark.parametrize("length", [4, 12, 17, 23, 34])
def test_any_name_of_an_issuer_stays_on_one_line_within_the_text_area(sample, opened, length):
    data = sample("criticism", "two_cases")
    data["issuer_head"] = "县" * length
    page = opened(reports.render("criticism", data)).pages[0]
    head = [char for char in page.chars if is_red(char)]
    assert len({round(char["top"]) for char in head}) == 1
    assert min(char["x0"] for char in head) * MM >= 28 - 0.2
    assert max(char["x1"] for char in head) * MM <= 184 + 0.2


def test_a_correction_names_the_bulletin_and_the_decision(sample, opened):
    text = flat(opened(reports.render("correction", sample("correction", "correction"))))
    assert "经复核，原认定“不响应”予以撤销（督复〔2026〕1号）。现予更正，相关统计和考核数据同步调整" in text


def test_drafts_of_a_criticism_read_as_the_document_text_prescribes():
    kind = reports.KINDS["criticism"]
    drafted = kind.draft(kind.draft_sample)
    assert drafted["title"] == "关于示范县水利局、示范县自然资源和规划局办理“乡呼县应”事项不力情况的通报"
    for part in (
        "近期，示范县人民政府督查室对“乡呼县应”事项办理情况进行督查",
        "（一）示范县水利局办理“云河镇东南片区灌溉渠系年久失修影响冬灌”事项情况。",
        "平台于11月20日17时31分发出催办通知，督查机构于11月23日17时30分发出督办通知。",
        "（二）示范县自然资源和规划局办理",
        "平台于11月20日17时31分发出催办通知。截至",
        "经核查，认定为迟响应（督结〔2026〕4号）。\n二、问题性质",
        "任何单位不得因被评价、被通报而向乡镇（街道）施加压力或者要求更改评价。",
    ):
        assert part in drafted["text"], part
