"""Fields: whatever bytes come, a value or a sentence for the person, never another exception (5, Reliability)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, get_args

import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.portal.imports.translating import _plain as plain_cell
from models.field import Choice, EntryErrors, Field, FieldError, Kind, clean_text, incomplete
from tests.county import at


class Colour(Choice):
    red = "red", "Red"
    blue = "blue", "Blue"


ENTRY = (Field("number", "Number", "integer"), Field("colour", "Colour", "choice", choices=Colour))
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["2026-13-01", "1e99999", "nan", "9" * 50, "0x1", "2026-11-23 25:00"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "number", "colour"]) | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("kind", [kind for kind in get_args(Kind) if kind != "json"])
@given(raw=JSON_VALUES)
@example(raw="99999999999999999999-1-1")
@example(raw="99999999999999999999-1-1 10:00")
@example(raw="2026-11-23 99999999999999999999:00")
@example(raw="sNaN")
@example(raw="1e9999999999999999999")
@example(raw="\ud800")
@settings(deadline=None, max_examples=60, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_whatever_comes_is_a_value_or_a_sentence(kind: Kind, raw: Any) -> None:
    field = Field("x", "X", kind, choices=Colour, entries=ENTRY)
    try:
        field.parse(raw)
    except FieldError:
        return  # a sentence; any other exception fails


@pytest.mark.parametrize(
    "raw",
    [
        "2026-11-23 14:30",
        "2026-11-23T14:30",
        "2026年11月23日 14时30分",
        "2026/11/23 14:30",
        "2026-11-23T06:30:00+00:00",
        "2026-11-23T06:30:00Z",
    ],
)
def test_an_instant_is_read_as_the_countys_time_unless_it_names_its_zone(raw: str) -> None:
    assert Field("x", "X", "datetime").parse(raw) == at("2026-11-23 14:30")


DAYS = ("2026-11-23", "2026/11/23", "2026.11.23", "2026年11月23日", "20261123", " 2026 - 11 - 23 ")
"""A day as the picker of the browser takes it too."""


@pytest.mark.parametrize("day", DAYS)
def test_a_day_may_be_typed_in_every_way_that_the_picker_takes(day: str) -> None:
    assert Field("x", "X", "date").parse(day) == date(2026, 11, 23)
    assert Field("x", "X", "datetime").parse(day) == at("2026-11-23 00:00")
    for time in ("9:05", "09:05", "0905", "9：05", "9时5分", "9時05分", "9点05分"):
        assert Field("x", "X", "datetime").parse(f"{day} {time}") == at("2026-11-23 09:05"), time
    assert Field("x", "X", "datetime").parse(f"{day} 9时") == at("2026-11-23 09:00")


def test_a_day_that_excel_keeps_as_a_number_is_a_day() -> None:
    asked = Field("x", "X", "date")
    for cell in (20261123, 20261123.0, "2026年11月23日"):
        assert asked.parse(plain_cell(asked, cell)) == date(2026, 11, 23)


@pytest.mark.parametrize(
    "raw", ["2026112", "20261323", "2026-11", "2026-1123", "2026-11-23-4", "23.11.2026", 20261123, True]
)
def test_what_is_no_day_is_refused(raw: Any) -> None:
    for kind in ("date", "datetime"):
        with pytest.raises(FieldError):
            Field("x", "X", kind).parse(raw)


@pytest.mark.parametrize(
    "raw", ["2026-11-23 25:00", "2026-11-23 9:60", "2026-11-23 905", "2026-11-230905", "20261123 9:05:"]
)
def test_what_is_no_time_is_refused(raw: str) -> None:
    with pytest.raises(FieldError):
        Field("x", "X", "datetime").parse(raw)


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("date", "2026年11月23日", date(2026, 11, 23)), ("decimal", " 12.50 ", Decimal("12.50")), ("boolean", "是", True), ("boolean", None, False),
        ("integer", "42", 42), ("choice", "red", Colour.red), ("references", ["3", {"id": 4}], [3, 4]),
        ("reference", "", None), ("text", " 甲\t", "甲"),
    ],
)  # fmt: skip
def test_what_people_type_is_understood(kind: Kind, raw: Any, value: Any) -> None:
    assert Field("x", "X", kind, choices=Colour).parse(raw) == value


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("choice", "green"),
        ("reference", "-1"),
        ("reference", str(2**63)),
        ("references", [3, 3]),
        ("integer", True),
        ("text", "两\n行"),
        ("decimal", "Infinity"),
        ("date", "2026-02-30"),
    ],
)
def test_what_does_not_fit_is_refused(kind: Kind, raw: Any, sqlite_installation: Any) -> None:
    app: Flask = sqlite_installation.app
    with app.test_request_context(), pytest.raises(FieldError) as caught:
        Field("x", "X", kind, choices=Colour).parse(raw)
    assert str(caught.value.message)


@pytest.mark.parametrize("raw", ["a\x00b", "a\x07b", "a\x7fb", "\ud83d"])
def test_characters_that_cannot_be_kept_are_refused(raw: str) -> None:
    with pytest.raises(FieldError):
        clean_text(raw)


# ---- fields taken together


class Reason(Choice):
    law = "law", "Law changed"
    need = "need", "Work needs"


TOGETHER = (
    Field("reason", "Reason", "choice", choices=Reason),
    Field("basis", "Legal basis", when=("reason", ("law",))),
    Field("urgent", "Urgent", "boolean", required=False),
    Field("until", "Until", required=False, when=("urgent", ("yes",))),
)


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"reason": Reason.law, "basis": "第三条"}, set()),
        ({"reason": Reason.law, "basis": None}, {"basis"}),
        ({"reason": Reason.need, "basis": None}, set()),
        ({"reason": Reason.need, "basis": "第三条"}, {"basis"}),
        ({"reason": None, "basis": "第三条"}, {"reason", "basis"}),
        ({"reason": Reason.need, "urgent": True, "until": "周五"}, set()),
        ({"reason": Reason.need, "urgent": False, "until": "周五"}, {"until"}),
        ({"reason": Reason.need, "urgent": True}, set()),
    ],
)
def test_a_conditional_field_is_asked_only_where_its_condition_holds(
    values: dict[str, object], wrong: set[str]
) -> None:
    assert incomplete(TOGETHER, values).keys() == wrong


def test_what_is_wrong_in_an_entry_is_named_by_its_place() -> None:
    asked = Field("marks", "Marks", "entries", entries=(Field("name", "Name"), Field("count", "Count", "integer")))
    with pytest.raises(EntryErrors) as refused:
        asked.parse([{"name": "a", "count": "1"}, {"name": "", "count": "x"}])
    assert refused.value.errors.keys() == {"1.name", "1.count"}
