"""The accounts of the demonstration county, exactly those of spec 4, with names drawn by lot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

from app.demonstration.county import County
from app.demonstration.matters import FOLDER
from models.organisation import Organisation
from models.person import ROLES, Person, make_viewer
from models.substitution import Portfolio
from models.viewer import Viewer


class NotInstalled(RuntimeError):
    """The roles are missing: `init` has not been run."""


COUNTY_LEADERS = ("leader", "leader2")


@dataclass(frozen=True)
class Account:
    """An account to be made: sign-in name, role, organisation, position."""

    username: str
    role: str
    organisation: Organisation | None
    position: str
    phone: str


def _position_of_leader(organisation: Organisation) -> str:
    name = organisation.short_name
    if name.endswith("大队"):
        return "党委书记、大队长" if "公安" not in organisation.name else "党委书记、交警大队大队长"
    if name.endswith(("公司", "集团")):
        return "党委书记、总经理" if name.endswith("公司") else "党委书记、董事长"
    if organisation.name == "县公安局":
        return "党委书记、局长"
    return "党组书记、分局长" if name.endswith("分局") else "党组书记、局长"


def _head_of_agency(organisation: Organisation) -> str:
    return "中队长" if organisation.short_name.endswith("中队") else "所长"


def accounts_of(county: County) -> Iterator[Account]:
    """Every account, in the order of spec 4."""
    office = county.offices["县政府办公室"]

    def one(username: str, role: str, organisation: Organisation | None, position: str, extension: int = 0) -> Account:
        phone = organisation.phone if organisation is not None else ""
        if phone and extension:
            phone = f"{phone[:-1]}{extension}"
        return Account(username, role, organisation, position, phone)

    justice, staffing = county.department("县司法局"), county.offices["县委编办"]
    supervision, duty = county.offices["县委县政府督查办"], county.offices["县总值班室"]
    yield one("sysadmin", "system_administrator", office, "系统管理员", 3)
    yield one("secadmin", "security_administrator", office, "安全管理员", 4)
    yield one("auditor", "auditor", office, "审计管理员", 5)
    yield one("checklist", "checklist_manager", staffing, "体制改革科科长", 1)
    yield one("legal", "legal_reviewer", justice, "法治科科长", 5)
    yield one("dispatcher", "dispatcher", office, "督办科科长", 6)
    yield one("director", "office_director", office, "县政府办公室主任", 7)
    yield one("duty", "duty_officer", duty, "值班员", 1)
    yield one("supervisor", "supervisor", supervision, "督查一科科长", 1)
    yield one("supervisor2", "supervisor", supervision, "督查二科科长", 2)
    yield one("assessor", "assessor", county.offices["县考核办"], "考核科科长", 1)
    yield one("personnel", "personnel_officer", county.offices["县委组织部"], "干部科科长", 1)
    yield one("leader", "county_leader", county.body, "县委副书记、县长")
    yield one("leader2", "county_leader", county.body, "县委常委、副县长")
    yield one("city", "city_reader", county.city, "市政府办公室督查室主任")
    for number, township in enumerate(county.townships, start=1):
        urban = township.short_name.endswith("街道")
        yield one(
            f"township{number}", "township_officer", township, "党政办公室主任" if not urban else "综合办公室主任", 1
        )
        yield one(f"township{number}_leader", "township_leader", township, "党工委书记" if urban else "党委书记", 2)
    for number, department in enumerate(county.departments, start=1):
        yield one(f"department{number}", "department_officer", department, "办公室主任", 1)
        yield one(f"department{number}_leader", "department_leader", department, _position_of_leader(department), 2)
    for number, agency in enumerate(county.agencies, start=1):
        yield one(f"agency{number}", "agency_head", agency, _head_of_agency(agency), 1)


def settle_people(
    session: Session, county: County, random: Random, password: str, since: datetime
) -> dict[str, Person]:
    """Add every account; gives them by sign-in name. The password is hashed once: they all share it. Raises NotInstalled without roles."""
    roles = {role.name: role for role in session.scalars(sa.select(Role))}
    if missing := ROLES.keys() - roles.keys():
        raise NotInstalled(f"roles are missing: {', '.join(sorted(missing))}")
    hashed = generate_password_hash(password)
    stored = json.loads((FOLDER / "names.json").read_text(encoding="utf-8"))
    names = [(family, given) for family in stored["family"] for given in stored["given"].split()]
    people = {}
    for account, (family, given) in zip(
        accounts := list(accounts_of(county)), random.sample(names, len(accounts)), strict=True
    ):
        person = Person(
            username=account.username,
            last_name=family,
            first_name=given,
            email=f"{account.username}@example.invalid",
            active=True,
            password=hashed,
            organisation=account.organisation,
            position=account.position,
            party_secretary=account.role == "township_leader",
            phone=account.phone,
            locale="zh_Hans",
            must_change_password=False,
            created_on=since.replace(tzinfo=None),
            changed_on=since.replace(tzinfo=None),
        )
        person.roles = [roles[account.role]]
        people[account.username] = person
    session.add_all(people.values())
    session.flush()
    _give_portfolios(session, county, people)
    return people


def _give_portfolios(session: Session, county: County, people: dict[str, Person]) -> None:
    """The departments that a county leader has in charge; what has none comes before the county's head."""
    stored = json.loads((FOLDER / "county.json").read_text(encoding="utf-8"))["portfolios"]
    session.add_all(
        Portfolio(county_id=county.body.id, person=people[username], department=county.department(name))
        for username, names in stored.items()
        for name in names
    )
    session.flush()


class Staff:
    """Who acts for an organisation, as the viewers that the workflow asks for."""

    def __init__(self, session: Session, people: dict[str, Person]) -> None:
        self._session = session
        self._people = people
        self._viewers: dict[str, Viewer] = {}
        self._officers: dict[int, str] = {}
        self._leaders: dict[int, str] = {}
        for username, person in people.items():
            if person.organisation_id is None or not username.startswith(("township", "department")):
                continue
            kept = self._leaders if username.endswith("_leader") else self._officers
            kept[person.organisation_id] = username

    def viewer(self, username: str) -> Viewer:
        """The person of an account as a viewer, made once. To be asked for as the system."""
        if username not in self._viewers:
            self._viewers[username] = make_viewer(self._session, self._people[username])
        return self._viewers[username]

    def officer(self, organisation_id: int) -> Viewer:
        return self.viewer(self._officers[organisation_id])

    def leader_of_county(self, person_id: int) -> Viewer:
        """The county leader with this key."""
        return self.viewer(next(name for name in COUNTY_LEADERS if self._people[name].id == person_id))

    def person(self, username: str) -> Person:
        return self._people[username]

    def officer_person(self, organisation_id: int) -> Person:
        return self._people[self._officers[organisation_id]]

    def leader(self, organisation_id: int) -> Viewer:
        return self.viewer(self._leaders[organisation_id])

    def leader_person(self, organisation_id: int) -> Person:
        return self._people[self._leaders[organisation_id]]
