"""督办通知单: letter form, wording, one matter or several, the receipt to be filled in."""

import re

import pytest

import reports

MM = 25.4 / 72
RED = (0xE6 / 255, 0, 0)
CHARACTER = 15.785


def text_of(page):
    return re.sub(r"\s", "", page.extract_text())


def flat(pdf):
    return "".join(text_of(page) for page in pdf.pages)


def table_of(page):
    """The real table: the rules of the head are not one."""
    return max(page.find_tables(), key=lambda table: len(table.rows))


def red_rules(page):
    """Thickness and place of each red rule, millimetres, from the top down."""
    rules = [one for one in page.rects + page.lines if one["width"] * MM > 160 and is_red(one)]
    return [
        {name: rule[name] * MM for name in ("top", "bottom", "x0", "x1", "height")}
        for rule in sorted(rules, key=lambda rule: rule["top"])
    ]


def is_red(one):
    return one["non_stroking_color"] == pytest.approx(RED, abs=0.01)


def ink_top(page, char):
    """Where the ink of a character begins, millimetres from the top of the page."""
    scale = 20
    image = page.to_image(resolution=25.4 * scale).original.convert("L")
    columns = range(round(char["x0"] * MM * scale), round(char["x1"] * MM * scale))
    rows = range(round(char["top"] * MM * scale) - 20, round(char["bottom"] * MM * scale))
    return next(y for y in rows if any(image.getpixel((x, y)) < 128 for x in columns)) / scale


@pytest.fixture
def single(sample, opened):
    return opened(reports.render("supervision", sample("supervision", "single")))


@pytest.fixture
def merged(sample, opened):
    return opened(reports.render("supervision", sample("supervision", "merged")))


def test_a_single_slip_reads_as_the_document_text_prescribes(single):
    text = flat(single)
    for part in (
        (
            "示范县水利局：云河镇于11月19日9时18分提出的“云河镇东南片区灌溉渠系年久失修影响冬灌”事项（SF20261119016），"
            "已于11月19日10时12分派发你单位主办办理，要求11月20日17时30分前响应、11月26日17时30分前反馈。"
            "经催办（催〔2026〕0123），截至11月23日17时30分仍未响应，已超过规定时限1个工作日。"
            "副县长于2026年11月23日批示：“冬灌不等人，请水利局本周内恢复通水，修复资金一并研究”。现予督办，请按以下要求办理："
        ),
        "一、由主要负责人负责，立即与云河镇对接，核实情况。",
        "二、于11月24日17时30分前作出响应，并在平台反馈办理结果；确实不能按期解决的，说明原因、已采取的措施和完成时限。",
        "三、超过时限的原因请一并说明。",
        "逾期未办理且无正当理由的，将列入通报并责令整改。附件：“乡呼县应”事项督办通知单回执",
        "示范县人民政府督查室2026年11月23日（联系人：陈立联系电话：0530-7654329）",
        "抄送：示范县人民政府办公室，副县长（分管县领导）。",
    ):
        assert part in text
    assert text_of(single.pages[0]).startswith("示范县人民政府督查室")
    assert "编号：督〔2026〕0012" in text_of(single.pages[0])


def test_without_reminder_instruction_and_portfolio_leader_the_slip_does_not_speak_of_them(sample, opened):
    data = sample("supervision", "single")
    data.update(reminder_number="", instructions=[], portfolio_leader="")
    text = flat(opened(reports.render("supervision", data)))
    assert "11月26日17时30分前反馈。截至11月23日17时30分仍未响应，已超过规定时限1个工作日。现予督办" in text
    assert "抄送：示范县人民政府办公室。" in text


def test_several_matters_stand_in_a_list_under_one_number(merged):
    rows = table_of(merged.pages[0]).extract()
    heads = [re.sub(r"\s", "", cell) for cell in rows[0]]
    assert heads == ["序号", "呼叫编号", "事项名称", "呼叫乡镇（街道）", "承办角色", "仍未办理", "超过时限"]
    assert [row[0] for row in rows[1:]] == ["1", "2", "3", "4"]
    text = flat(merged)
    assert (
        "派发你单位办理的下列4件事项，经催办（催〔2026〕0119、催〔2026〕0123），截至11月23日17时30分仍未按要求办理"
        in text
    )
    assert "立即与云河镇、龙口乡、青山街道对接" in text


@pytest.mark.parametrize("name", ["single", "merged"])
def test_the_last_page_is_the_receipt_to_fill_in(sample, opened, name):
    page = opened(reports.render("supervision", sample("supervision", name))).pages[-1]
    text = text_of(page)
    for part in (
        "承办单位",
        "负责人",
        "办理情况",
        "下步措施和完成时限",
        "填报人、时间",
        "未按时办理原因",
        "与乡镇对接时间和方式",
    ):
        assert part in re.sub(r"\s", "", "".join(cell or "" for row in table_of(page).extract() for cell in row))
    assert text.startswith("附件“乡呼县应”事项督办通知单回执编号：督〔2026〕001")
    assert "本回执可直接在平台填写；纸质填写的，请于11月24日17时30分前送" in text
    empty = [cell for row in table_of(page).extract() for cell in row if cell == ""]
    assert len(empty) >= 6


def test_the_head_of_the_letter_form_stands_where_the_standard_puts_it(single):
    page = single.pages[0]
    head = [char for char in page.chars if is_red(char)]
    assert "".join(char["text"] for char in head) == "示范县人民政府督查室"
    assert min(ink_top(page, char) for char in head) == pytest.approx(30, abs=0.5)
    centre = (min(char["x0"] for char in head) + max(char["x1"] for char in head)) / 2
    assert centre * MM == pytest.approx(105, abs=1)
    thick, thin, last_thin, last_thick = red_rules(page)
    for rule in (thick, thin, last_thin, last_thick):
        assert (rule["x0"], rule["x1"]) == pytest.approx((20, 190), abs=0.1)
    assert thick["top"] - max(char["bottom"] for char in head) * MM == pytest.approx(4, abs=0.3)
    assert thick["height"] > 2 * thin["height"]
    assert last_thick["height"] > 2 * last_thin["height"]
    assert last_thick["bottom"] == pytest.approx(297 - 20, abs=0.3)


def test_number_and_urgency_stand_under_the_first_rule_at_both_edges(single):
    page = single.pages[0]
    number, urgency = page.search("编号：督〔2026〕0012")[0], page.search("紧急程度：加急")[0]
    below = red_rules(page)[1]["bottom"]
    assert number["x1"] * MM == pytest.approx(184, abs=0.3)
    assert number["top"] * MM - below == pytest.approx(7 / 8 * CHARACTER * MM, abs=1)
    assert abs(number["top"] - urgency["top"]) < 3
    assert page.search("督办")[0]["x0"] * MM < urgency["x0"] * MM < 60


def test_the_mark_is_yellow(single):
    yellow = (1, 0xD4 / 255, 0)
    page = single.pages[0]
    [ground] = [one for one in page.rects if one["non_stroking_color"] == pytest.approx(yellow, abs=0.01)]
    inside = page.crop((ground["x0"], ground["top"], ground["x1"], ground["bottom"]))
    assert text_of(inside) == "督办"


def test_the_first_page_bears_no_number_and_only_it_the_rules(merged):
    below = [text_of(page.crop((0, 262 / MM, page.width, page.height))) for page in merged.pages]
    assert below == ["", "—2—", "—3—"]
    assert [len(red_rules(page)) for page in merged.pages] == [4, 0, 0]


def test_the_signature_never_stands_on_a_page_without_text(sample, opened):
    data = sample("supervision", "single")
    for length in range(0, 500, 25):
        data["instructions"][0]["instruction_text"] = "急" * length
        pages = [text_of(page) for page in opened(reports.render("supervision", data)).pages]
        [signed] = [page for page in pages if "2026年11月23日（联系人" in page]
        assert "将列入通报并责令整改。" in signed
        assert "抄送：" in signed


@pytest.mark.parametrize("length", [5, 12, 16, 22, 40])
def test_a_long_name_of_the_office_stays_between_the_edges(sample, opened, length):
    data = sample("supervision", "single")
    data["supervision_office"] = "县" * length
    page = opened(reports.render("supervision", data)).pages[0]
    head = [char for char in page.chars if is_red(char)]
    assert len(head) == length
    assert min(char["x0"] for char in head) * MM >= 28
    assert max(char["x1"] for char in head) * MM <= 184.5
    assert max(char["bottom"] for char in head) * MM < red_rules(page)[0]["top"]


def test_forty_matters_repeat_the_head_of_list_and_receipt(sample, opened):
    data = sample("supervision", "merged")
    data["cases"] = [{**data["cases"][0], "call_no": f"SF{number:011d}"} for number in range(40)]
    pdf = opened(reports.render("supervision", data))
    text = flat(pdf)
    assert all(text.count(f"SF{number:011d}") == 2 for number in range(40))
    heads = [re.sub(r"\s", "", table_of(page).extract()[0][0]) for page in pdf.pages if page.find_tables()]
    assert set(heads) <= {"序号", "承办单位"}
    assert ["抄送：" in text_of(page) for page in pdf.pages].count(True) == 1


def test_a_slip_names_at_least_one_matter(sample):
    data = sample("supervision", "single")
    data["cases"] = []
    with pytest.raises(reports.ContextError, match="cases"):
        reports.render("supervision", data)
