"""Titles broken by sense (GB/T 9704, 7.3.1): no word torn apart, lines of about the same length, the last one never a remnant."""

import math
import re

LONGEST = 19
"""Characters of 二号 on a line of 156 mm, with some air."""

_OPENING, _CLOSING = "“《（〔", "”》）〕"
_AFTER = "、，"
_BEFORE = re.compile(
    r"(?:情况的|有关内容的|有关)?(?:通报|函|决定|通知|批复|请示|结论)|(?:事项|办理|清单|办公室|督查|复核|负责人|任免|意见|结果)"
)
_WORDS = re.compile(
    r"影响|导致|造成|引发|存在|需要|急需|亟需|未能|无人|长期|反映|发现|违法|违规|年久失修|村集体|村民"
    r"|(?<=[省市县区镇乡村路街河渠桥站段片厂店])(?![集民委口内外东西南北级庄路街道河渠桥站段片厂店“”，、])"
)
"""Where a word is likely to begin in what people call their matters: before a common verb, after the end of a place's name."""
_LIKELY = 40
"""What a break at such a place costs, beside the squared unevenness of the lines."""
_TORN = 120
"""What a break in the middle of a word costs."""
_LINE_MORE = 30
"""What one line more than needed costs."""
_REMNANT = 4


def headline(title: str, longest: int = LONGEST) -> list[str]:
    """The lines of a title. A title that fits is one line."""
    if len(title) <= longest:
        return [title]
    costs, least = _costs(title), math.ceil(len(title) / longest)
    found = [one for more in (0, 1) if (one := _split(title, least + more, longest, costs)) is not None]
    if not found:
        return [title[start : start + longest] for start in range(0, len(title), longest)]
    return min(enumerate(found), key=lambda one: one[1][0] + one[0] * _LINE_MORE)[1][1]


def _costs(title: str) -> list[int | None]:
    """What a break before each character costs; None where there must be none."""
    costs: list[int | None] = [_TORN] * (len(title) + 1)
    for match in _BEFORE.finditer(title):
        costs[match.start()] = 0
    likely = {match.start() for match in _WORDS.finditer(title)}
    depth = 0
    for place, character in enumerate(title):
        if depth or costs[place] == _TORN:
            costs[place] = _LIKELY if place in likely else _TORN
        if character in _OPENING:
            if depth == 0:
                costs[place] = 0
            depth += 1
        if (place and title[place - 1] in _OPENING) or character in _CLOSING + _AFTER:
            costs[place] = None
        if place and title[place - 1] in _AFTER + "”》）" and costs[place] is not None and not depth:
            costs[place] = 0
        if character == "〔" or (
            place and (title[place - 1] == "〕" or (title[place - 1].isascii() and character.isascii()))
        ):
            costs[place] = None
        if character in _CLOSING:
            depth = max(0, depth - 1)
    costs[0] = costs[-1] = 0
    return costs


def _split(title: str, count: int, longest: int, costs: list[int | None]) -> tuple[float, list[str]] | None:
    """The cheapest way to so many lines with its cost, or None where there is none."""
    even = len(title) / count
    best: dict[tuple[int, int], tuple[float, list[int]]] = {(0, 0): (0.0, [])}
    for line in range(1, count + 1):
        for end in range(_REMNANT, len(title) + 1):
            cost = costs[end]
            if cost is None or (line == count) is not (end == len(title)):
                continue
            for start in range(max(0, end - longest), end - _REMNANT + 1):
                before = best.get((line - 1, start))
                if before is None:
                    continue
                total = before[0] + cost + (end - start - even) ** 2
                if (line, end) not in best or total < best[line, end][0]:
                    best[line, end] = (total, [*before[1], end])
    found = best.get((count, len(title)))
    if found is None:
        return None
    cost_of_all, ends = found
    return cost_of_all, [title[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]
