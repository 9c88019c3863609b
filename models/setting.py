"""Settings: every number of hours or days of the rules, with its unit (2, introduction), per county."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, validates

from models import viewer
from models.base import CountyRecord, column
from models.field import FieldError, Text, clean_text
from models.worktime import Limit, Unit

SettingKind = Literal["limit", "integer", "decimal", "boolean", "text"]


UNITS = {
    "working days": "working_days",
    "working hours": "working_hours",
    "calendar days": "calendar_days",
    "个工作日": "working_days",
    "工作日": "working_days",
    "个工作小时": "working_hours",
    "工作小时": "working_hours",
    "天": "calendar_days",
    "日": "calendar_days",
    "分钟": "minutes",
}
"""Units as people write them, and as they are stored."""

_unit_in_words = re.compile(r"\s*(?:" + "|".join(sorted(UNITS, key=len, reverse=True)) + r")$")


@dataclass(frozen=True)
class SettingSpec:
    """A setting that the program knows: name, what it means, kind and factory value in its stored form."""

    name: str
    label: Text
    kind: SettingKind
    default: str
    least: int | None = None
    """The smallest number that the law allows; a county may only raise it."""
    most: int | None = None

    def parse(self, text: str) -> Any:
        """The value in Python. Raises FieldError for a text of the wrong form."""
        text = clean_text(text, 500)
        if self.kind == "limit":
            try:
                return Limit.parse(_unit_in_words.sub(lambda found: f" {UNITS[found[0].strip()]}", text))
            except ValueError:
                raise FieldError(_l("Please enter a number and a unit, such as “5 working days”.")) from None
        if self.kind == "integer":
            if not text.lstrip("-").isdigit():
                raise FieldError(_l("Please enter a whole number."))
            return self._within(int(text))
        if self.kind == "decimal":
            try:
                number = Decimal(text)
            except InvalidOperation:
                raise FieldError(_l("Please enter a number.")) from None
            if not number.is_finite():
                raise FieldError(_l("Please enter a number."))
            return self._within(number)
        if self.kind == "boolean":
            if text not in ("yes", "no"):
                raise FieldError(_l("Please choose yes or no."))
            return text == "yes"
        return text

    def _within(self, number: Any) -> Any:
        if self.least is not None and number < self.least:
            raise FieldError(_l("This must be at least %(least)d.", least=self.least))
        if self.most is not None and number > self.most:
            raise FieldError(_l("This must be at most %(most)d.", most=self.most))
        return number


SETTINGS: dict[str, SettingSpec] = {
    spec.name: spec
    for spec in (
        SettingSpec("accept_limit", _l("Accept a call within"), "limit", "4 working_hours"),
        SettingSpec("dispatch_limit", _l("Dispatch an accepted call within"), "limit", "1 working_days"),
        SettingSpec("respond_limit", _l("Respond within"), "limit", "1 working_days"),
        SettingSpec("report_limit", _l("Report within"), "limit", "5 working_days"),
        SettingSpec(
            "report_joint_limit", _l("Report within, for joint or complex matters"), "limit", "10 working_days"
        ),
        SettingSpec("emergency_respond_limit", _l("Respond to an emergency within"), "limit", "30 minutes"),
        SettingSpec("emergency_report_limit", _l("Report on an emergency within"), "limit", "1440 minutes"),
        SettingSpec("round_report_limit", _l("Report again after dissatisfaction within"), "limit", "3 working_days"),
        SettingSpec(
            "close_assignment_after",
            _l("An unanswered assignment may be closed after its report deadline by"),
            "limit",
            "3 working_days",
        ),
        SettingSpec("red_after", _l("Overdue becomes a supervision candidate after"), "limit", "3 working_days"),
        SettingSpec("reminder_due", _l("A reminder slip asks for an answer within"), "limit", "1 working_days"),
        SettingSpec(
            "department_township_floor",
            _l("Townships' evaluation counts in a department's assessment at least (of 100)"),
            "decimal",
            "30",
            least=30,
            most=100,
        ),
        SettingSpec(
            "department_township_weight",
            _l("Townships' evaluation counts in a new department scheme (of 100)"),
            "decimal",
            "33.3",
            least=30,
            most=100,
        ),
        SettingSpec(
            "agency_township_floor",
            _l("Townships' evaluation counts in a stationed agency's assessment at least (of 100)"),
            "decimal",
            "60",
            least=60,
            most=100,
        ),
        SettingSpec(
            "compared_from",
            _l("A rate or an average is compared from so many cases"),
            "integer",
            "3",
            least=3,
            most=100,
        ),
        SettingSpec("office_phone", _l("Office telephone shown on every page"), "text", ""),
        SettingSpec("platform_office", _l("Office that signs reminder slips"), "text", ""),
        SettingSpec("platform_contact", _l("Contact person on slips"), "text", ""),
    )
}


class Setting(CountyRecord):
    """A county's own value of a setting; its history is its timeline."""

    __table_args__ = (sa.UniqueConstraint("county_id", "name"),)
    label = _l("Setting")
    plural = _l("Settings")

    name: Mapped[str] = column(
        _l("Setting"),
        sa.String(64),
        kind="choice",
        choices=lambda record: [(one.name, one.label) for one in SETTINGS.values()],
        listed=True,
        nullable=False,
    )
    value: Mapped[str] = column(
        _l("Value"),
        sa.String(500),
        listed=True,
        nullable=False,
        help=_l("A limit is a number and its unit, for example “5 working days”, “4 working hours”, “30 minutes”."),
    )

    @validates("value")
    def _check_value(self, key: str, value: str) -> str:
        """A value that the program could not read later is refused when it is set. Raises FieldError."""
        if self.name in SETTINGS:
            SETTINGS[self.name].parse(value)
        return value

    @validates("name")
    def _check_name(self, key: str, name: str) -> str:
        if name not in SETTINGS:
            raise FieldError(_l("The program knows no such setting."))
        return name

    @property
    def words(self) -> str:
        """The value as people read it."""
        try:
            found = SETTINGS[self.name].parse(self.value)
        except (KeyError, FieldError):
            return self.value
        if isinstance(found, Limit):
            return str(
                {
                    Unit.working_days: _l("%(amount)d working days", amount=found.amount),
                    Unit.working_hours: _l("%(amount)d working hours", amount=found.amount),
                    Unit.calendar_days: _l("%(amount)d calendar days", amount=found.amount),
                    Unit.minutes: _l("%(amount)d minutes", amount=found.amount),
                }[found.unit]
            )
        return self.value

    @property
    def title(self) -> str:
        return str(SETTINGS[self.name].label) if self.name in SETTINGS else self.name

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        table = sa.inspect(cls).local_table
        return sa.select(table.c.id).where(table.c.county_id == person.county_id)


def setting(session: Session, county_id: int, name: str) -> Any:
    """A county's value of a setting, or the factory value. Raises KeyError for a name that the program does not know."""
    values = session.info.setdefault("settings", {})
    if county_id not in values:
        table = sa.inspect(Setting).local_table
        rows = session.connection().execute(
            sa.select(table.c.name, table.c.value).where(table.c.county_id == county_id)
        )
        values[county_id] = {row.name: row.value for row in rows}
    spec = SETTINGS[name]
    return spec.parse(values[county_id].get(name, spec.default))


@sa.event.listens_for(Session, "after_transaction_end")
def _forget(session: Session, transaction: Any) -> None:
    """Settings and calendars are remembered for one transaction only, since somebody else may change them."""
    session.info.pop("settings", None)
    session.info.pop("calendars", None)
