"""Numbers, dates and short remarks stay whole at the ends of lines; a ticked box is drawn."""

import re

import pytest

import reports
from reports.unbroken import TICKED, unbroken
from tests.reports.measuring import chars_of


def whole(text: str) -> list[str]:
    return re.findall(r'<span class="whole">(.*?)</span>', unbroken(text))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("认定为迟响应（督结〔2026〕12号）。", ["督结〔2026〕12号"]),
        ("经催办（催〔2026〕0119、催〔2026〕0123）", ["催〔2026〕0119", "催〔2026〕0123"]),
        ("对督查结论督结〔2026〕3号提出", ["〔2026〕3号"]),
        ("改〔2026〕0001-2", ["〔2026〕0001-2"]),
        ("该事项（呼2026-0214）派发", ["呼2026-0214"]),
        ("至2026年11月24日15时20分", ["2026年", "11月", "24日", "15时", "20分"]),
        ("超过规定时限1个工作日2小时50分钟", ["1个工作日", "2小时", "50分钟"]),
        ("按时响应率96.3%（52/54），共4件次", ["96.3%", "4件"]),
        ("县直各部门（单位）", ["（单位）"]),
        ("没有数字的一句话。", []),
    ],
)
def test_what_stays_whole(text: str, kept: list[str]) -> None:
    assert whole(text) == kept
    assert re.sub(r"</?span[^>]*>", "", unbroken(text)) == text


def test_what_people_wrote_is_escaped() -> None:
    assert unbroken("<b>3日</b>") == '&lt;b&gt;<span class="whole">3日</span>&lt;/b&gt;'


def test_no_line_of_a_letter_ends_in_a_figure_and_no_number_is_divided(sample, opened) -> None:
    data = sample("verification", "call")
    for length in range(12):
        data["facts"] = (
            "该" * length + "事项于2026年11月19日10时12分派发，经催办（催〔2026〕0119、催〔2026〕0123）后办理"
        )
        lines = opened(reports.render("verification", data)).pages[0].extract_text().splitlines()
        text = [line.strip() for line in lines]
        assert not [line for line in text if re.search(r"\d$", line) and "-" not in line], length
        assert sum("催〔2026〕0119" in line for line in text) == 1, length


def test_a_ticked_box_has_its_mark_inside(sample, opened) -> None:
    assert TICKED not in unbroken(f"撤销{TICKED}")
    page = opened(reports.render("review_decision", sample("review_decision", "upheld"))).pages[0]
    [mark] = [char for char in page.chars if char["text"] == "√"]
    boxes = [char for char in page.chars if char["text"] == "□"]
    assert len(boxes) == 3
    assert boxes[2]["x0"] < (mark["x0"] + mark["x1"]) / 2 < boxes[2]["x1"]
    assert boxes[2]["x0"] > chars_of(page, "撤销")[-1]["x0"]
