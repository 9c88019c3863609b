"""The organisations, settings, calendar and list of the demonstration county."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from app.demonstration.matters import FOLDER, Township
from models.calendar import seed_calendar
from models.checklist import (
    Checklist,
    ChecklistItem,
    ChecklistLevel,
    ChecklistState,
    StepUnit,
    WorkflowStep,
)
from models.checklist_import import import_items
from models.organisation import Organisation, OrganisationAlias, OrganisationKind, RunBy
from models.setting import Setting

PHONE = "0500-{number:07d}"
"""No such area code is given out."""

COASTAL = "东港镇"


@dataclass(frozen=True)
class County:
    """The loaded organisations, each list in its order."""

    city: Organisation
    body: Organisation
    offices: Mapping[str, Organisation]
    """By short name."""
    departments: tuple[Organisation, ...]
    townships: tuple[Organisation, ...]
    agencies: tuple[Organisation, ...]
    places: tuple[Township, ...]
    """The townships as places where matters play."""

    def department(self, name: str) -> Organisation:
        """The department of this name. Raises StopIteration for an unknown one."""
        return next(one for one in self.departments if one.name == name)


def found_county(session: Session) -> County:
    """Add province, city, county and everything below it, in the order that every list follows."""
    stored = json.loads((FOLDER / "county.json").read_text(encoding="utf-8"))
    province = _add(session, stored["province"], OrganisationKind.province, order=1)
    city = _add(session, stored["city"], OrganisationKind.city, order=1, parent=province)
    body = _add(session, stored["county"], OrganisationKind.county, order=1, parent=city)
    body.county_id = body.id
    session.flush()

    def below(entries: Sequence[Mapping[str, Any]], kind: OrganisationKind, first: int) -> tuple[Organisation, ...]:
        return tuple(
            _add(session, one, kind, order=first + count, parent=body, county=body) for count, one in enumerate(entries)
        )

    offices = below(stored["offices"], OrganisationKind.office, 1)
    departments = below(stored["departments"], OrganisationKind.department, 101)
    townships = below(stored["townships"], OrganisationKind.township, 301)
    by_name = {one.name: one for one in departments}
    for entry in stored["departments"]:
        if "parent" in entry:
            by_name[entry["name"]].parent = by_name[entry["parent"]]
    agencies = tuple(
        _add(session, one, OrganisationKind.agency, order=401 + count, parent=by_name[one["department"]], county=body)
        for count, one in enumerate(stored["agencies"])
    )
    session.flush()
    places = tuple(
        Township(one.id, one.short_name, tuple(entry["villages"]), one.short_name == COASTAL)
        for one, entry in zip(townships, stored["townships"], strict=True)
    )
    return County(city, body, {one.short_name: one for one in offices}, departments, townships, agencies, places)


def _add(
    session: Session,
    entry: Mapping[str, Any],
    kind: OrganisationKind,
    *,
    order: int,
    parent: Organisation | None = None,
    county: Organisation | None = None,
) -> Organisation:
    made = Organisation(
        name=entry["name"],
        short_name=entry["short_name"],
        party_name=entry.get("party_name", ""),
        kind=kind,
        run_by=RunBy(entry.get("run_by", "county")),
        parent=parent,
        county_id=county.id if county is not None else None,
        order=order,
        phone=entry.get("phone") or (PHONE.format(number=6_210_000 + order * 10) if county is not None else ""),
    )
    session.add(made)
    session.flush()
    session.add_all(OrganisationAlias(organisation=made, name=name) for name in entry.get("aliases", ()))
    session.flush()
    return made


def set_up(session: Session, county: County, years: Sequence[int]) -> None:
    """The county's own settings and its working calendar."""
    office = county.offices["县政府办公室"]
    values = {
        "office_phone": office.phone,
        "platform_office": office.short_name,
        "platform_contact": "县政府办公室督办科",
        "document_code": "示政督",
        "statistics_period": "month",
    }
    session.add_all(Setting(county_id=county.body.id, name=name, value=value) for name, value in values.items())
    seed_calendar(session, county.body.id, years)


def put_list_in_force(session: Session, county: County, year: int) -> dict[int, ChecklistItem]:
    """The compiled items as the county's list, in force since the year began; gives the items by number."""
    stored = json.loads((FOLDER / "checklist_items.zh.json").read_text(encoding="utf-8"))
    checklist = Checklist(
        county_id=county.body.id,
        owner=county.body,
        name=f"示范县乡镇（街道）属地管理事项责任清单（{year}年版）",
        level=ChecklistLevel.county,
        effective_from=date(year, 1, 1),
    )
    session.add(checklist)
    session.flush()
    import_items(session, checklist, stored["items"])
    _draw_workflow(session, county, checklist)
    checklist.state = ChecklistState.in_force
    session.flush()
    return {item.number: item for item in checklist.items}


def _draw_workflow(session: Session, county: County, checklist: Checklist) -> None:
    """The steps of some matters, while the list is still a draft."""
    stored = json.loads((FOLDER / "off_list.json").read_text(encoding="utf-8"))["steps"]
    departments = {one.name: one.id for one in county.departments}
    for item in checklist.items:
        for step in stored.get(str(item.number), ()):
            values = step | {
                "time_unit": StepUnit(step["time_unit"]),
                "organisation_id": departments.get(step["party"]),
            }
            session.add(WorkflowStep(county_id=checklist.county_id, item=item, **values))
    session.flush()
