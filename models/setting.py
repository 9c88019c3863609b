"""Settings: every number of hours or days of the rules, with its unit (2, introduction), per county."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Literal

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext
from sqlalchemy.orm import Mapped, Session, validates

from models import viewer
from models.base import CountyRecord, Record, column
from models.field import Choice, FieldError, Text, clean_text
from models.refusal import NotFound
from models.worktime import Limit, OfficeHours, Unit

SettingKind = Literal["limit", "integer", "decimal", "boolean", "choice", "text", "hours"]


UNITS = {
    "working days": "working_days",
    "working hours": "working_hours",
    "calendar days": "calendar_days",
    "calendar months": "calendar_months",
    "个工作日": "working_days",
    "工作日": "working_days",
    "个工作小时": "working_hours",
    "工作小时": "working_hours",
    "天": "calendar_days",
    "日": "calendar_days",
    "个月": "calendar_months",
    "分钟": "minutes",
}
"""Units as people write them, and as they are stored."""

_unit_in_words = re.compile(r"\s*(?:" + "|".join(sorted(UNITS, key=len, reverse=True)) + r")$")


class LapseRule(Choice):
    """What follows when a township does not reply to a consultation (2.7)."""

    consent = "consent", _l("Counts as consent")
    silence = "silence", _l("Goes on record as no opinion")
    extension = "extension", _l("Extended once, then no opinion")


class ConsultationRule(Choice):
    """What a township's opinion on the head of a stationed agency weighs (2.7)."""

    hear = "hear", _l("To be heard")
    consent = "consent", _l("Consent needed")


class CandidateNames(Choice):
    """Where the names of candidates stand (2.7)."""

    off_portal = "off_portal", _l("On paper only")
    in_portal = "in_portal", _l("In the portal, for named handlers only")


class StatisticsPeriod(Choice):
    """How often a statistics bulletin is drafted by itself (2.3)."""

    never = "never", _l("Never")
    month = "month", _l("Monthly")
    quarter = "quarter", _l("Quarterly")
    half_year = "half_year", _l("Half-yearly")
    year = "year", _l("Yearly")


@dataclass(frozen=True)
class SettingSpec:
    """A setting that the program knows: name, what it means, kind and factory value in its stored form."""

    name: str
    label: Text
    kind: SettingKind
    default: str
    choices: type[Choice] | None = None
    """The answers of a choice."""
    least: int | None = None
    """The smallest number that the law allows; a county may only raise it."""
    most: int | None = None

    def parse(self, text: str) -> Any:
        """The value in Python; a choice by its identifier, or by its words as the reader has them. Raises FieldError for a text of the wrong form."""
        text = clean_text(text, 500)
        if self.choices is not None:
            for member in self.choices:
                if text in (member.value, str(member.label)):
                    return member
            raise FieldError(
                _l(
                    "Please enter one of: %(answers)s.",
                    answers="; ".join(f"{one.value} ({one.label})" for one in self.choices),
                )
            )
        if self.kind == "limit":
            try:
                return Limit.parse(_unit_in_words.sub(lambda found: f" {UNITS[found[0].strip()]}", text))
            except ValueError:
                raise FieldError(_l("Please enter a number and a unit, such as “5 working days”.")) from None
        if self.kind == "hours":
            try:
                return OfficeHours.parse(text)
            except ValueError:
                raise FieldError(_l("Please enter office hours such as “08:30-12:00 13:30-17:30”.")) from None
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
        SettingSpec("regularise_limit", _l("Regularise an emergency within"), "limit", "1440 minutes"),
        SettingSpec("objection_limit", _l("Rule on an objection within"), "limit", "1 working_days"),
        SettingSpec("return_limit", _l("A return may be asked for within"), "limit", "1 working_days"),
        SettingSpec("return_ruling_limit", _l("Rule on a return within"), "limit", "4 working_hours"),
        SettingSpec(
            "referred_ruling_limit",
            _l("The checklist manager rules on a disputed return within"),
            "limit",
            "2 working_days",
        ),
        SettingSpec("extension_limit", _l("An extension gives at most"), "limit", "5 working_days"),
        SettingSpec("extension_ruling_limit", _l("Answer an extension within"), "limit", "4 working_hours"),
        SettingSpec(
            "long_term_endorsement_limit", _l("Endorse or refuse long-term handling within"), "limit", "1 working_days"
        ),
        SettingSpec(
            "leader_decision_limit", _l("A leader decides what is brought before him within"), "limit", "3 working_days"
        ),
        SettingSpec("urge_pause", _l("A department may be urged again after"), "limit", "4 working_hours"),
        SettingSpec("evaluate_limit", _l("Evaluate within, else closed as not evaluated"), "limit", "10 working_days"),
        SettingSpec("evaluate_reminder", _l("Remind of the evaluation after"), "limit", "3 working_days"),
        SettingSpec("change_evaluation_limit", _l("Change an evaluation within"), "limit", "1 working_days"),
        SettingSpec("supervision_after", _l("Overdue brings a supervision slip after"), "limit", "1 working_days"),
        SettingSpec("signature_limit", _l("A supervision slip is signed within"), "limit", "4 working_hours"),
        SettingSpec("red_after", _l("Overdue becomes a supervision candidate after"), "limit", "3 working_days"),
        SettingSpec("reminder_due", _l("A reminder slip asks for an answer within"), "limit", "1 working_days"),
        SettingSpec("supervision_due", _l("A supervision slip asks for an answer within"), "limit", "1 working_days"),
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
        SettingSpec("funds_module", _l("Running costs of stationed agencies are kept here"), "boolean", "no"),
        SettingSpec(
            "consultation_reply_limit", _l("Reply to a personnel consultation within"), "limit", "1 calendar_months"
        ),
        SettingSpec(
            "consultation_lapse",
            _l("If a personnel consultation is not replied to in time"),
            "choice",
            "silence",
            LapseRule,
        ),
        SettingSpec(
            "consultation_extension", _l("Extension of the time to reply, given once"), "limit", "10 working_days"
        ),
        SettingSpec(
            "consultation_rule",
            _l("Weight of the township's opinion on personnel"),
            "choice",
            "hear",
            ConsultationRule,
        ),
        SettingSpec("candidate_names", _l("Names in personnel consultations"), "choice", "off_portal", CandidateNames),
        SettingSpec("proposal_answer_limit", _l("Answer an adjustment proposal within"), "limit", "10 working_days"),
        SettingSpec("explanation_limit", _l("A department explains itself within"), "limit", "2 working_days"),
        SettingSpec("rectification_limit", _l("A department puts right within"), "limit", "5 working_days"),
        SettingSpec(
            "review_limit", _l("A review of a conclusion may be asked for within"), "limit", "30 calendar_days"
        ),
        SettingSpec("review_decision_limit", _l("A review is decided within"), "limit", "30 calendar_days"),
        SettingSpec("statistics_period", _l("Statistics bulletins are drafted"), "choice", "quarter", StatisticsPeriod),
        SettingSpec(
            "statistics_after", _l("A statistics bulletin is drafted after its period by"), "limit", "2 working_days"
        ),
        SettingSpec("name_township_in_criticism", _l("Criticism names the township that called"), "boolean", "no"),
        SettingSpec(
            "inspection_sample",
            _l("One of so many satisfied evaluations is inspected (0: none)"),
            "integer",
            "20",
            least=0,
            most=1000,
        ),
        SettingSpec(
            "bulletin_basis",
            _l("Basis cited by bulletins and orders"),
            "text",
            "《山东省乡镇人民政府工作条例》《政府督查工作条例》",
        ),
        SettingSpec(
            "bulletin_addressees",
            _l("Main addressees of bulletins to all"),
            "text",
            "各乡镇党委、政府，各街道党工委、办事处，县直各部门（单位）",
        ),
        SettingSpec(
            "bulletin_copies",
            _l("Copies of bulletins"),
            "text",
            "县委常委，县人大常委会、县政协主要负责同志，副县长，县纪委监委机关、县委组织部、县委编办",
        ),
        SettingSpec("bulletin_approver", _l("Who approves criticism, in words"), "text", "县政府主要负责同志"),
        SettingSpec("review_body", _l("Body that decides reviews; empty: the county's government"), "text", ""),
        SettingSpec("document_code", _l("Office code in the numbers of bulletins"), "text", "政督"),
        SettingSpec("import_retention", _l("Uploaded import files are erased after"), "limit", "30 calendar_days"),
        SettingSpec("office_hours", _l("Office hours"), "hours", "08:30-12:00 13:30-17:30"),
        SettingSpec("office_phone", _l("Office telephone shown on every page"), "text", ""),
        SettingSpec("platform_office", _l("Office that signs reminder slips"), "text", ""),
        SettingSpec("platform_contact", _l("Contact person on slips"), "text", ""),
        SettingSpec(
            "county_changes_items",
            _l("The county may change the matters and duties of a list derived from the city's"),
            "boolean",
            "no",
        ),
        SettingSpec("checklist_schemes", _l("Further kinds of checklists, separated by 、"), "text", ""),
        SettingSpec("revision_legal_review", _l("Revisions of a checklist need a legality review"), "boolean", "no"),
        SettingSpec("admission_opinion_limit", _l("A township's opinion is asked within"), "limit", "5 working_days"),
        SettingSpec("admission_longest_term", _l("Longest term of an off-list matter"), "limit", "12 calendar_months"),
        SettingSpec("admission_warning", _l("Warn before an admission expires by"), "limit", "10 working_days"),
        SettingSpec(
            "hand_down_group_size",
            _l("A department is told of duties handed down once so many townships have reported some"),
            "integer",
            "3",
            least=2,
            most=20,
        ),
        SettingSpec(
            "hand_down_delay",
            _l("If fewer townships have, the department is told of a duty handed down after"),
            "limit",
            "20 working_days",
        ),
    )
}


_IN_WORDS: Mapping[Unit, Callable[[int], Text]] = {
    Unit.working_days: lambda n: lazy_ngettext("%(amount)d working day", "%(amount)d working days", n, amount=n),
    Unit.working_hours: lambda n: lazy_ngettext("%(amount)d working hour", "%(amount)d working hours", n, amount=n),
    Unit.calendar_days: lambda n: lazy_ngettext("%(amount)d calendar day", "%(amount)d calendar days", n, amount=n),
    Unit.calendar_months: lambda n: lazy_ngettext(
        "%(amount)d calendar month", "%(amount)d calendar months", n, amount=n
    ),
    Unit.minutes: lambda n: lazy_ngettext("%(amount)d minute", "%(amount)d minutes", n, amount=n),
}


class Setting(CountyRecord):
    """A county's own value of a setting; its history is its timeline."""

    __table_args__ = (sa.UniqueConstraint("county_id", "name"),)
    label = _l("Setting")
    plural = _l("Settings")
    seen_by_all = True

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
        found = SETTINGS[self.name].parse(value) if self.name in SETTINGS else value
        return str(found.value) if isinstance(found, Choice) else value

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
        if isinstance(found, Choice):
            return str(found.label)
        if isinstance(found, bool):
            return str(_l("Yes") if found else _l("No"))
        if isinstance(found, Limit):
            return str(_IN_WORDS[found.unit](found.amount))
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
    return _parsed(name, values[county_id].get(name, SETTINGS[name].default))


@lru_cache(maxsize=1024)
def _parsed(name: str, stored: str) -> Any:
    """The value of a stored form, which is the same in every language; every deadline asks for some."""
    return SETTINGS[name].parse(stored)


def counties_with(name: str, value: str) -> sa.Select[tuple[int]]:
    """A Core SELECT of the counties that have set this value, which is not the factory's: for `visible_ids`."""
    table = sa.inspect(Setting).local_table
    return sa.select(table.c.county_id).where(table.c.name == name, table.c.value == value)


def refuse_switched_off(session: Session, model: type[Record], county_id: int | None) -> None:
    """Raise NotFound where the county does not use the module that a record type belongs to."""
    if model.module and county_id is not None and not setting(session, county_id, model.module):
        raise NotFound(
            _l(
                "“%(what)s” is switched off in this county. The system administrator can switch it on in the settings.",
                what=model.plural,
            )
        )


@sa.event.listens_for(Session, "after_transaction_end")
def _forget(session: Session, transaction: Any) -> None:
    """Settings and calendars are remembered for one transaction only, since somebody else may change them. A flush, which
    ends a part of it, forgets nothing by itself."""
    if transaction.parent is None or transaction.nested:
        forget(session)


def forget(session: Session) -> None:
    """Let settings and calendars be read again."""
    session.info.pop("settings", None)
    session.info.pop("calendars", None)
