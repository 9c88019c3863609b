"""How dates, instants, durations and lists are written in Chinese official documents.

Pure functions. Whoever builds a document's context calls them, because a stored context holds
finished wording and a template computes nothing.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, tzinfo

_DATE = re.compile(r"(\d{4})年([1-9]\d?)月([1-9]\d?)日", re.ASCII)


def _local(moment: datetime, zone: tzinfo) -> datetime:
    """``moment`` on the clocks of ``zone``; a naive one would be a guess and is refused."""
    if moment.utcoffset() is None:
        raise ValueError("an instant without time zone cannot be written in a document")
    return moment.astimezone(zone)


def date_text(day: date, zone: tzinfo | None = None) -> str:
    """``2026年11月3日``: a date of writing, no leading zeros (GB/T 9704, 7.3.5).

    An instant needs the ``zone`` in which its calendar day is read.
    """
    if isinstance(day, datetime):
        if zone is None:
            raise ValueError("the day of an instant depends on a time zone; none was given")
        day = _local(day, zone)
    return f"{day.year}年{day.month}月{day.day}日"


def instant_text(moment: datetime, zone: tzinfo) -> str:
    """``11月20日16时30分``: an instant, to the minute, without its year."""
    local = _local(moment, zone)
    return f"{local.month}月{local.day}日{local.hour}时{local.minute:02d}分"


def full_instant_text(moment: datetime, zone: tzinfo) -> str:
    """``2026年11月20日16时30分``: an instant where the year is not clear from elsewhere."""
    local = _local(moment, zone)
    return f"{local.year}年{instant_text(moment, zone)}"


def working_duration_text(minutes: int, *, minutes_per_day: int) -> str:
    """``1个工作日2小时``: business minutes in working days of ``minutes_per_day`` minutes."""
    if minutes_per_day <= 0:
        raise ValueError("a working day has at least one minute")
    return _duration(minutes, minutes_per_day, "个工作日")


def natural_duration_text(minutes: int) -> str:
    """``45分钟``, ``1天2小时``: minutes by the wall clock, as for emergencies."""
    return _duration(minutes, 24 * 60, "天")


def _duration(minutes: int, minutes_per_day: int, day_unit: str) -> str:
    if minutes < 0:
        raise ValueError("a duration is not negative")
    days, rest = divmod(minutes, minutes_per_day)
    hours, rest = divmod(rest, 60)
    parts = ((days, day_unit), (hours, "小时"), (rest, "分钟"))
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0分钟"


def listing(names: Iterable[str]) -> str:
    """``县水利局、县住建局``: names of one kind, joined by the enumeration comma."""
    return "、".join(name for name in names if name)


def groups(kinds: Iterable[Iterable[str]]) -> str:
    """``各镇党委、政府，县直各部门``: enumeration commas within a kind, commas between kinds."""
    return "，".join(part for part in map(listing, kinds) if part)


def parse_date(text: str) -> date:
    """The day that ``date_text`` wrote; ``ValueError`` for anything not written that way."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError(f"not a date of the form 2026年11月3日: {text!r}")
    return date(*map(int, match.groups()))
