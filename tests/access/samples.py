"""One row of every record type in each of two counties, made from the declarations, with a canary in every text.

What is made here has not gone through its workflow: it stands for a row that exists, so that access can be tried on every type alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.admission import AdmissionState
from models.agency import StationedAgency
from models.assessment import AssessmentScheme, Evaluator, Indicator, SchemeState
from models.base import RECORD_TYPES, Record, described, fields_of
from models.call import Call
from models.call_indicators import CallIndicator
from models.call_party import keep_parties
from models.call_words import CallState
from models.conclusion import ConclusionState, Finding
from models.consultation import ConsultationHandler
from models.field import Field
from models.setting import Setting
from tests.county import County

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Place:
    """A county with the parties to whom its rows belong: organisations by kind, and a person."""

    county: int
    organisations: dict[str, int]
    people: dict[str, int]
    mark: str
    """A word that stands in every text of its rows and nowhere else."""


PARTIES = {
    "county": "county",
    "office": "office",
    "department": "department1",
    "township": "township1",
    "agency": "agency1",
}
OTHERS = {"county": "county9", "office": "office9", "department": "department9", "township": "township9"}


def places(county: County) -> tuple[Place, Place]:
    """The county whose people look, and the other one."""
    here = {kind: county[name] for kind, name in PARTIES.items() if name in county.organisations}
    there = {kind: county[name] for kind, name in OTHERS.items()}
    names = ("department1", "township1_leader", "leader", "supervisor", "director")
    people = {name: county.people[name] for name in names} | {
        "reader": county.people["township1"],
        "second": county.people["director"],
    }
    other = {
        "department1": county.people["department9"],
        "reader": county.people["township9"],
        "leader": county.people["leader9"],
    }
    other["second"] = county.people["dispatcher9"]
    return Place(county["county"], here, people, "金丝雀"), Place(county["county9"], there, other, "夜莺鸟")


@dataclass
class Samples:
    """Makes rows; those of a type once per place."""

    session: Session
    place: Place
    rows: dict[str, int] = field(default_factory=dict)

    def all(self) -> dict[str, int]:
        """The key of a row of every record type, by resource."""
        for name, value in SWITCHED_ON.items():
            self.session.add(Setting(county_id=self.place.county, name=name, value=value))
        self.session.flush()
        self.session.info.pop("settings", None)
        for model in list(RECORD_TYPES.values()):
            self.of(model)
        keep_parties(self.session, self.session.get_one(Call, self.rows["call"]))
        return self.rows

    def of(self, model: type[Record]) -> int:
        resource = model.resource()
        if resource not in self.rows:
            given = GIVEN.get(resource, lambda samples: {})(self)
            if isinstance(given, int):
                self.rows[resource] = given
                return given
            with self.session.no_autoflush:
                record = model(**{**self._columns(model, given), **given})
                self.session.enable_relationship_loading(record)
                self.session.add(record)
            self.session.flush()
            self.rows[resource] = record.id
        return self.rows[resource]

    def organisation(self, *wanted: str) -> int:
        """An organisation of one of these kinds, in order of preference."""
        for kind in (*wanted, "department"):
            if kind in self.place.organisations:
                return self.place.organisations[kind]
        raise KeyError(wanted)

    def _columns(self, model: type[Record], given: dict[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        fields = fields_of(model)
        for attribute in sa.inspect(model).column_attrs:
            column = attribute.columns[0]
            name = attribute.key
            if column.primary_key or name in given or name in BY_ITSELF or column.computed is not None:
                continue
            if name == "county_id":
                values[name] = self.place.county
            elif (asked := fields.get(name) or fields.get(name.removesuffix("_id"))) is not None:
                values[name] = self._value(model, asked, column)
            elif not column.nullable and column.default is None and column.server_default is None:
                values[name] = self._plain(column)
        return {name: value for name, value in values.items() if value is not None}

    def _value(self, model: type[Record], asked: Field, column: sa.Column[Any]) -> Any:
        if column.nullable and (asked.when is not None or not described(model, asked.name)["editable"]):
            return None  # asked in some cases only, or written by steps
        match asked.kind:
            case "text" | "long_text":
                return f"{self.place.mark}{model.resource()}.{asked.name}"[: asked.length or 200]
            case "integer":
                return 1
            case "decimal":
                return Decimal(1)
            case "boolean":
                return False
            case "date":
                return date(2026, 11, 23)
            case "datetime":
                return NOW
            case "choice":
                if column.default is not None:
                    return None
                return next(iter(asked.choices)) if isinstance(asked.choices, type) else self.place.mark
            case "reference":
                return self._target(model, asked, nullable=bool(column.nullable))
            case _:
                return None

    def _target(self, model: type[Record], asked: Field, *, nullable: bool) -> int | None:
        if asked.target == "person":
            return self.place.people.get("township1_leader") or self.place.people["department1"]
        if asked.target == "organisation":
            kinds = (asked.only or {}).get("kind", ())
            names = [str(kind) for kind in (kinds if isinstance(kinds, list | tuple) else [kinds])]
            words = asked.name.replace("owner", "county").split("_")
            return self.organisation(*(word for word in words if word in PARTIES), *names)
        if nullable and asked.target not in self.rows:
            return None
        return self.of(RECORD_TYPES[asked.target])

    def _plain(self, column: sa.Column[Any]) -> Any:
        kind = column.type
        if isinstance(kind, sa.Boolean):
            return False
        if isinstance(kind, sa.Integer | sa.Numeric):
            return 1
        if isinstance(kind, sa.JSON):
            return {}
        if isinstance(kind, sa.Date):
            return date(2026, 11, 23)
        if isinstance(kind, sa.String):
            return f"{self.place.mark}{column.name}"[: kind.length or 100]
        return NOW


BY_ITSELF = {"version", "created_at", "created_by_id", "changed_at", "changed_by_id"}
"""Written by the program."""


SWITCHED_ON = {"funds_module": "yes", "candidate_names": "in_portal"}
"""Settings without which some types take no rows."""


def _deputed(samples: Samples) -> dict[str, Any]:
    people = samples.place.people
    return {"person_id": people["leader"], "substitute_id": people["second"], "role": "county_leader"}


def _published(samples: Samples) -> dict[str, Any]:
    """A run needs a published scheme: the townships' indicator, and one of the calls."""
    scheme = samples.session.get_one(AssessmentScheme, samples.of(AssessmentScheme))
    samples.of(Indicator)
    samples.session.add(
        Indicator(
            county_id=scheme.county_id,
            scheme=scheme,
            name=f"{samples.place.mark}indicator.calls",
            weight=Decimal(60),
            full_score=Decimal(100),
            evaluator=Evaluator.system,
            formula=next(iter(CallIndicator)),
        )
    )
    samples.session.flush()
    scheme.state = SchemeState.published
    samples.session.flush()
    return {}


def _served(samples: Samples) -> dict[str, Any]:
    mark = samples.place.mark
    return {
        "state": ConclusionState.served,
        "number": f"{mark}conclusion.number",
        "served_at": NOW,
        "finding": Finding.no_response,
    }


def _named(samples: Samples) -> dict[str, Any]:
    """Names are read by named handlers alone; the department's officer is one."""
    key = samples.of(RECORD_TYPES["personnel_consultation"])
    samples.session.add(ConsultationHandler(consultation_id=key, person_id=samples.place.people["department1"]))
    samples.session.flush()
    return {}


def _present_agency(samples: Samples) -> dict[str, Any] | int:
    """The agency that the county was founded with, if it has one."""
    found = sa.select(StationedAgency.id).where(StationedAgency.organisation_id == samples.organisation("agency"))
    return samples.session.scalars(found).one_or_none() or {}


def _present_organisation(samples: Samples) -> int:
    return samples.organisation("department")


GIVEN: dict[str, Any] = {
    "organisation": _present_organisation,
    "person": lambda samples: samples.place.people["department1"],
    "setting": lambda samples: {"name": "accept_limit", "value": "4 working_hours"},
    "call": lambda samples: {"state": CallState.dispatched, "field": "水务"},
    "milestone": lambda samples: {"convening_id": samples.of(RECORD_TYPES["convening"])},
    "document": lambda samples: {
        "about_type": "call",
        "about_id": samples.of(RECORD_TYPES["call"]),
        "kind": "call_slip",
    },
    "checklist": lambda samples: {"owner_id": samples.place.county, "edition": 77, "scheme": samples.place.mark},
    "bulletin": lambda samples: {"approved_by_id": None, "approved_for_id": None},
    "review_request": lambda samples: {"decided_by_id": None},
    "duty_shift": lambda samples: {"ends": NOW + timedelta(hours=8)},
    "admission": lambda samples: {
        "state": AdmissionState.consulting,
        "number": f"{samples.place.mark}admission.number",
    },
    "substitution": _deputed,
    "stationed_agency": _present_agency,
    "assessment_scheme": lambda samples: {"year": 2026},
    "assessment_run": _published,
    "consultation_candidate": _named,
    "conclusion": _served,
    "indicator": lambda samples: {"weight": Decimal(40), "evaluator": Evaluator.township},
    "questionnaire": lambda samples: {"organisation_id": samples.organisation("township")},
    "questionnaire_mark": lambda samples: {"subject_id": samples.organisation("department")},
    "workflow_step": lambda samples: {"next_steps": "2"},
    "calendar_year": lambda samples: {"year": 2030},
    "calendar_day": lambda samples: {"day": date(2030, 1, 3)},
}
"""What a type needs beside its declaration: values, or the key of a row that is there already."""
