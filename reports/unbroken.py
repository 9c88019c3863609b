"""What the end of a line must not tear apart: the number of a paper or of a call, a figure from its unit
(数字、年份不能回行), a short remark in brackets."""

import re

from markupsafe import Markup, escape

_WHOLE = re.compile(
    r"（[^（）\d]{1,3}）"
    r"|(?:(?<=[（、，：])[一-鿿]{1,4})?〔\d{4}〕\d+(?:-\d+)?号?"
    r"|[一-鿿]\d{4}-\d{3,}(?:-\d+)?"
    r"|\d+(?:\.\d+)?(?:个工作日|小时|分钟|[年月日时分件次个项号条%])"
)
TICKED = "☑"
"""Stands for a box that is ticked. No Chinese face has it; it is printed as the square with the mark laid over it."""
_BOX = Markup('<span class="box">□<i>√</i></span>')


def unbroken(text: str) -> Markup:
    """A text for HTML in which numbers and dates stay whole and ticked boxes are drawn."""
    pieces, position = [], 0
    for found in _WHOLE.finditer(text):
        pieces += [escape(text[position : found.start()]), Markup('<span class="whole">{}</span>').format(found[0])]
        position = found.end()
    pieces.append(escape(text[position:]))
    return Markup("").join(pieces).replace(TICKED, _BOX)
