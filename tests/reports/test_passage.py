"""The notation of the document texts."""

import pytest

from reports.passage import PassageError, check, parse


def test_placeholders_and_conditions_follow_the_values():
    text = "【有 late】超过{late}【止】【无 late】未超过【止】，共{count}件"
    assert parse(text).fill({"late": "2小时", "count": 0}) == "超过2小时，共0件"
    assert parse(text).fill({"late": "", "count": 3}) == "未超过，共3件"


def test_zero_counts_as_having_no_value():
    assert parse("【有 n】有{n}件【止】").fill({"n": 0}) == ""


def test_a_list_is_repeated_with_each_entrys_own_values():
    text = "{town}：【每 cases】（{no}）{name}【有 late】！【止】；【止】"
    values = {"town": "云河镇", "late": 0, "cases": [{"no": 1, "name": "甲"}, {"no": 2, "name": "乙", "late": 1}]}
    assert parse(text).fill(values) == "云河镇：（1）甲；（2）乙！；"


@pytest.mark.parametrize(
    "text",
    ["【有 x】没有结束", "多余的【止】", "{不是名字}", "{x.__class__}", "{}", "【每 】【止】"],
)
def test_malformed_texts_are_refused(text):
    with pytest.raises(PassageError):
        parse(text).fill({"x": "1"})


def test_a_text_cannot_run_anything():
    with pytest.raises(PassageError):
        parse("{{ 7 * 7 }}").fill({})
    with pytest.raises(PassageError):
        parse("{% for x in y %}").fill({})


def test_checking_looks_into_blocks_that_the_sample_skips():
    with pytest.raises(PassageError, match="nonsense"):
        check("【有 x】{nonsense}【止】", {"x": ""})
    with pytest.raises(PassageError, match="nonsense"):
        check("【每 rows】{nonsense}【止】", {"rows": [{"a": 1}]})
    check("【每 rows】{a}【止】", {"rows": [{"a": 1}]})


def test_a_list_is_not_printed_as_a_value():
    with pytest.raises(PassageError, match="list"):
        parse("{rows}").fill({"rows": []})
