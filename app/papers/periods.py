"""How periods are named in documents: 2026年10月, 2026年第三季度, 2026年上半年, 2026年."""

from __future__ import annotations

from models.bulletin_figures import Period
from reports.structure import numeral


def period_name(period: Period) -> str:
    """The period as it stands in a title."""
    first, last, year = period.first, period.last, f"{period.first.year}年"
    match period.months:
        case 1:
            return f"{year}{first.month}月"
        case 3:
            return f"{year}第{numeral(first.month // 3 + 1)}季度"
        case 6:
            return f"{year}{'上' if first.month == 1 else '下'}半年"
        case 12:
            return year
    end = f"{last.month}月{last.day}日" if last.year == first.year else f"{last.year}年{last.month}月{last.day}日"
    return f"{year}{first.month}月{first.day}日至{end}"


def name_before(period: Period) -> str:
    """The period before it, as short as it is understood beside this one."""
    before = period.before
    if period.months not in (1, 3, 6):
        return period_name(before) if period.months else "上期"
    name = period_name(before)
    return name.removeprefix(f"{before.first.year}年") if before.first.year == period.first.year else name
