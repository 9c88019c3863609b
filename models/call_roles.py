"""Who may do what in a call: the relations of the workflow's table (2.1)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.call import Assignment, Call
from models.call_words import AssignmentState
from models.organisation import OrganisationKind
from models.person import Person
from models.substitution import Portfolio
from models.viewer import Viewer
from models.workflow import By


def _same_county(record: Any, person: Viewer) -> bool:
    return bool(record.county_id == person.county_id)


def takes_part(call: Call, person: Viewer) -> bool:
    """Whether the person's department has an assignment of the call that still counts."""
    return any(
        one.department_id == person.organisation_id and one.state != AssignmentState.returned
        for one in call.assignments
    )


TOWNSHIP = By(frozenset({"township_officer"}), lambda call, person: call.township_id == person.organisation_id)
TOWNSHIP_OF_ASSIGNMENT = By(
    frozenset({"township_officer"}), lambda assignment, person: assignment.call.township_id == person.organisation_id
)
DISPATCHER = By(frozenset({"dispatcher"}), _same_county)
DIRECTOR = By(frozenset({"office_director"}), _same_county)
DUTY_OFFICER = By(frozenset({"duty_officer"}), _same_county)
CHECKLIST_MANAGER = By(frozenset({"checklist_manager"}), _same_county)
DEPARTMENT = By(
    frozenset({"department_officer"}), lambda assignment, person: assignment.department_id == person.organisation_id
)
DEPARTMENT_OF_CALL = By(frozenset({"department_officer"}), takes_part)
LEAD_DEPARTMENT = By(
    frozenset({"department_officer"}),
    lambda call, person: call.lead is not None and call.lead.department_id == person.organisation_id,
)
LEADER = By(frozenset({"county_leader"}), _same_county)
ANYBODY = By(
    frozenset(
        {
            "township_officer",
            "department_officer",
            "dispatcher",
            "office_director",
            "supervisor",
            "duty_officer",
            "county_leader",
            "checklist_manager",
            "agency_head",
        }
    ),
    lambda record, person: not record.thread.reads_only(person),
)
"""Whoever sees it and does not only read."""

DEPARTMENTS = {"kind": [OrganisationKind.department, OrganisationKind.office], "active": True}
"""Who may be called: county departments, and offices that are members of the county's line-up."""


def acts_as(person: Viewer, leader_id: int | None) -> bool:
    """Whether somebody is this leader, or acts for him as his substitute."""
    return person.person_id == leader_id or any(
        one.person_id == leader_id and one.role == "county_leader" for one in person.deputed
    )


def leader_for(session: Session, call: Call) -> Person | None:
    """The leader before whom a call comes: the portfolio leader of its lead department; if none, the county head (2.1, escalate)."""
    if call.lead is None:
        return county_head(session, call.county_id)
    return leader_of(session, call.lead.department_id, call.county_id)


def leader_of(session: Session, department_id: int, county_id: int) -> Person | None:
    """The portfolio leader of a department; if none, the county head."""
    return portfolio_leader(session, department_id) or county_head(session, county_id)


def portfolio_leader(session: Session, department_id: int) -> Person | None:
    """The county leader who has a department in charge (分管), if there is one."""
    in_charge = (
        sa.select(Person)
        .join(Portfolio, Portfolio.person_id == Person.id)
        .where(
            Portfolio.department_id == department_id,
            Person.active.is_(True),
            Person.roles.any(name="county_leader"),
        )
        .order_by(Portfolio.id)
        .limit(1)
    )
    return session.scalars(in_charge).first()


def county_head(session: Session, county_id: int) -> Person | None:
    """The county leader who has no departments of his own in charge, the first of them."""
    portfolios = sa.select(Portfolio.person_id)
    return session.scalars(
        sa.select(Person)
        .where(Person.organisation_id == county_id, Person.active.is_(True), Person.roles.any(name="county_leader"))
        .order_by(Person.id.in_(portfolios), Person.id)
        .limit(1)
    ).first()


def open_assignments(call: Call) -> list[Assignment]:
    """The assignments that are still in a department's hands."""
    return [
        one
        for one in call.assignments
        if one.state in (AssignmentState.pending, AssignmentState.responded, AssignmentState.return_requested)
    ]
