"""What the database itself refuses, whatever program writes: changes of approved checklists, approvals past an outstanding opinion (2.4, 2.5)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from models.admission import Admission, AdmissionOpinion
from models.checklist import Checklist, ChecklistItem, Duty, WorkflowStep
from tests.county import MONDAY, County


def refused(county: County, statement: sa.Executable) -> None:
    with pytest.raises(IntegrityError), county.acting(None) as session:
        session.connection().execute(statement)


def writes(item: int) -> Iterator[sa.Executable]:
    """One of each kind of change that must not be, on the list in force."""
    stamps = {"version": 1, "created_at": MONDAY, "changed_at": MONDAY}
    for model in (Checklist, ChecklistItem, Duty):
        yield sa.delete(model)
    yield sa.update(Checklist).values(name="改过")
    yield sa.update(Checklist).values(state="draft")
    yield sa.update(ChecklistItem).values(name="改过")
    yield sa.update(Duty).values(text="改过")
    line = {"county_id": 1, "item_id": item, "party": "甲", **stamps}
    yield sa.insert(Duty).values(kind="primary", text="乙", position=9, **line)
    yield sa.insert(WorkflowStep).values(number=1, name="受理", input="", output="", next_steps="", **line)


def test_the_database_refuses_every_change_of_an_approved_checklist(county: County) -> None:
    for statement in writes(county.items[1]):
        refused(county, statement)
    with county.acting(None) as session:
        session.connection().execute(sa.update(Checklist).values(state="superseded"))


def test_the_database_refuses_an_approval_while_an_opinion_is_outstanding(county: County) -> None:
    with county.acting(None) as session:
        admission = Admission(county_id=county.id, applicant_id=county["department1"], matter="入户核查")
        township = county["township1"]
        asked = AdmissionOpinion(
            county_id=county.id, admission=admission, township_id=township, asked_at=MONDAY, due=MONDAY
        )
        session.add_all([admission, asked])
    begins = sa.update(Admission).values(
        state="in_force", in_force_from=MONDAY, in_force_until=MONDAY.replace(year=2027)
    )
    refused(county, begins)
    with county.acting(None) as session:
        session.connection().execute(sa.update(AdmissionOpinion).values(state="lapsed"))
        session.connection().execute(begins)
