"""Values in words."""

from __future__ import annotations

from decimal import Decimal

from flask import Flask

from app.portal.words import amount, call_address, is_quantity, kept_text
from models.field import Field


def test_what_an_event_keeps_of_a_day_is_a_date(application: Flask) -> None:
    with application.test_request_context():
        assert kept_text(Field("meeting_date", "", "date"), "2026-11-09") == "2026年11月9日"
        assert kept_text(Field("meeting_date", "", "date"), "bald") == "bald"


def test_a_telephone_number_can_be_called() -> None:
    assert call_address(Field("phone", ""), "0500-6213121") == "tel:05006213121"
    assert call_address(Field("contact_phone", ""), "无") == ""
    assert call_address(Field("number", ""), "0500") == ""


def test_sums_keep_their_places() -> None:
    assert amount(Decimal("49000.00")) == "49,000.00"
    assert amount(Decimal("-0.5")) == "-0.5"


def test_a_year_is_a_name_and_no_quantity() -> None:
    assert is_quantity(Field("posts", "", "integer"))
    assert not is_quantity(Field("year", "", "integer"))
