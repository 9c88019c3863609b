"""Short ways to assess in the small county: schemes of given lines, stationed agencies, a run with its sheets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy.orm import Session

from models.agency import StationedAgency
from models.assessment import AssessmentRun, AssessmentScheme, Evaluator, Indicator, Questionnaire, SchemeKind
from models.call_indicators import CallIndicator
from models.organisation import Organisation, OrganisationKind
from models.person import Person
from tests.county import MONDAY, County, at

Given = tuple[str, str]
"""Evaluator and weight of a line."""

NEXT_YEAR = at("2027-01-04 09:00")
"""After the end of 2026, when its runs may be published."""


def line(evaluator: str, weight: str, name: str = "", **more: Any) -> Indicator:
    formula = CallIndicator.on_time_response if evaluator == "system" else None
    return Indicator(
        name=name or f"{evaluator} {weight}",
        evaluator=Evaluator(evaluator),
        weight=Decimal(weight),
        **{"formula": formula, **more},
    )


def save_scheme(county: County, lines: Iterable[Given], kind: str = "department", **more: Any) -> int:
    """Save a draft of a scheme with its lines as the assessment office; gives its key."""
    with county.acting("assessor", MONDAY) as session:
        scheme = AssessmentScheme(**{"name": "2026年考核方案", "year": 2026, "kind": SchemeKind(kind), **more})
        scheme.prepare(session, county.viewer("assessor"))
        for number, (evaluator, weight) in enumerate(lines, start=1):
            scheme.indicators.append(
                line(evaluator, weight, f"指标{number}", position=number, county_id=scheme.county_id)
            )
        session.add(scheme)
        session.flush()
        return scheme.id


def attempt(county: County, change: Callable[[Session], None], when: datetime = MONDAY) -> None:
    """Change something past all forms, as the system, and save it."""
    with county.acting(None, when) as session:
        change(session)
        session.flush()


def add_line(county: County, scheme_id: int, added: Indicator) -> int:
    """Save one more line of a scheme, by itself."""
    with county.acting("assessor", MONDAY) as session:
        added.scheme_id = scheme_id
        added.prepare(session, county.viewer("assessor"))
        session.add(added)
        session.flush()
        return added.id


def published_scheme(
    county: County,
    lines: Iterable[Given] = (("township", "33.3"), ("system", "36.7"), ("county", "30")),
    kind: str = "department",
    **more: Any,
) -> int:
    scheme_id = save_scheme(county, lines, kind, **more)
    county.do("assessor", AssessmentScheme, scheme_id, "publish")
    return scheme_id


def open_run(
    county: County, scheme_id: int, first: date = date(2026, 11, 1), last: date = date(2026, 12, 31), **more: Any
) -> int:
    with county.acting("assessor", MONDAY) as session:
        run = AssessmentRun(
            **{"name": "年度考核", "scheme_id": scheme_id, "period_from": first, "period_to": last, **more}
        )
        run.prepare(session, county.viewer("assessor"))
        session.add(run)
        session.flush()
        return run.id


def sheet_of(county: County, run_id: int, organisation: str) -> int:
    """The key of an organisation's sheet."""
    with county.acting(None) as session:
        return session.scalars(
            sa.select(Questionnaire.id).where(
                Questionnaire.run_id == run_id, Questionnaire.organisation_id == county[organisation]
            )
        ).one()


def fill_and_submit(
    county: County,
    run_id: int,
    organisation: str,
    marks: dict[str, str],
    account: str = "",
    when: datetime = MONDAY,
    *,
    submit: bool = True,
) -> int:
    """Give each of the assessed the same mark on everything that the sheet asks about it; hand it in."""
    sheet_id = sheet_of(county, run_id, organisation)
    keys = {county[name]: mark for name, mark in marks.items()}
    with county.acting(None) as session:
        asked = [(one.subject_id, one.indicator_id) for one in session.get_one(Questionnaire, sheet_id).marks]
    entries = [
        {"subject": subject, "indicator": indicator, "mark": keys[subject]}
        for subject, indicator in asked
        if subject in keys
    ]
    who = account or organisation
    county.do(who, Questionnaire, sheet_id, "fill", {"marks": entries}, when)
    if submit:
        county.do(who, Questionnaire, sheet_id, "submit", {"signed_by": "周书记"}, when)
    return sheet_id


def found_agencies(county: County) -> None:
    """Two agencies of the natural resources bureau, each with its head, stationed in townships 1 and 2."""
    with county.acting(None) as session:
        role = session.scalars(sa.select(Role).where(Role.name == "agency_head")).one()
        for name, township in (("seat1", "township1"), ("seat2", "township2")):
            _found_agency(session, county, name, role, township)


def _found_agency(session: Session, county: County, name: str, role: Role, township: str) -> None:
    agency = Organisation(
        name=f"自然资源所 {name}",
        short_name=name,
        kind=OrganisationKind.agency,
        parent_id=county["department1"],
        county_id=county.id,
        order=90 + len(county.organisations),
    )
    session.add(agency)
    session.flush()
    head = Person(
        username=name,
        first_name="所长",
        last_name="田",
        email=f"{name}@county.example",
        password="-",
        active=True,
        organisation_id=agency.id,
        session_epoch=0,
        must_change_password=False,
    )
    head.roles = [role]
    session.add(head)
    session.flush()
    county.organisations[name], county.people[name] = agency.id, head.id
    session.add(
        StationedAgency(
            county_id=county.id,
            organisation_id=agency.id,
            department_id=county["department1"],
            township_id=county[township],
        )
    )
