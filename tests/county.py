"""A small county for tests: organisations, people, calendar and checklist, and short ways to act as one of its people at a moved time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

from app.database import transaction
from models import clock, paper, viewer
from models.agency import StationedAgency
from models.base import Record
from models.calendar import seed_calendar
from models.call import Assignment, Call
from models.call_words import CallKind
from models.checklist import Checklist, ChecklistLevel, ChecklistState
from models.checklist_import import import_items
from models.organisation import Organisation, OrganisationKind
from models.person import Person, make_viewer
from models.viewer import Viewer
from models.workflow import Outcome, perform

ZONE = ZoneInfo("Asia/Shanghai")
PASSWORD = "Huying-test-1"
_CHEAP_HASH = generate_password_hash(PASSWORD, "pbkdf2:sha256:1")

DEPARTMENTS = {
    "department1": ("县自然资源和规划局", "自然资源局"),
    "department2": ("县住房和城乡建设局", "住建局"),
    "department3": ("县应急管理局", "应急局"),
    "department4": ("县水务局", "水务局"),
}
TOWNSHIPS = {
    "township1": ("城关镇", "城关镇"),
    "township2": ("青石乡", "青石乡"),
    "township3": ("河湾街道", "河湾街道"),
}
OFFICES = {
    "office": ("县政府办公室", "县政府办"),
    "supervision": ("县督查室", "督查室"),
    "staffing": ("县委编办", "编办"),
}
AGENCIES = {
    "agency1": ("县自然资源和规划局城关自然资源所", "城关自然资源所"),
    "agency2": ("县住房和城乡建设局青石村镇建设所", "青石村镇建设所"),
}
"""Agency 1 belongs to department 1 and is stationed in township 1, and so on."""

ITEMS: list[dict[str, Any]] = [
    {
        "number": 1, "field": "自然资源", "name": "违法占地巡查",
        "primary": [{"dept": "县自然资源和规划局", "duty": "组织查处。"}, {"dept": "县应急管理局", "duty": "组织处置。"}],
        "cooperating": "日常巡查，及时报告。", "basis": "《土地管理法》", "note": "",
    },
    {
        "number": 2, "field": "水务", "name": "河道污水排放",
        "primary": [{"dept": "县水务局", "duty": "组织整治。"}], "cooperating": "发现并报告。", "basis": "", "note": "",
    },
    {
        "number": 3, "field": "水务", "name": "水毁设施修复",
        "primary": [{"dept": "省河务局", "duty": "组织修复。"}], "cooperating": "协助。", "basis": "", "note": "",
    },
]  # fmt: skip


def at(text: str) -> datetime:
    """A wall-clock time in the county, `2026-11-23 09:00`, as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


MONDAY = at("2026-11-23 09:00")
"""An ordinary working Monday: the working days that follow are 24, 25, 26, 27, 30 November and 1 December."""


@dataclass
class County:
    """The small county of an application: keys by name, and ways to act in it."""

    app: Flask
    id: int = 0
    organisations: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    items: dict[int, int] = field(default_factory=dict)
    agencies: dict[str, int] = field(default_factory=dict)
    _viewers: dict[str, Viewer] = field(default_factory=dict)
    _founded: list[dict[Any, int]] = field(default_factory=list)

    def __getitem__(self, name: str) -> int:
        """The key of an organisation."""
        return self.organisations[name]

    def remember(self) -> None:
        """Keep who is there, as founded."""
        self._founded = [dict(one) for one in (self.organisations, self.people, self.items, self.agencies)]

    def forget(self) -> None:
        """Viewers are made anew for each test, and whoever one has added is not there for the next."""
        self._viewers.clear()
        for present, founded in zip(
            (self.organisations, self.people, self.items, self.agencies), self._founded, strict=True
        ):
            present.clear()
            present.update(founded)

    def viewer(self, name: str) -> Viewer:
        """A person as a viewer, with the permissions that the installation granted."""
        if name not in self._viewers:
            with self.app.app_context(), viewer.system(), transaction() as session:
                self._viewers[name] = make_viewer(
                    session, session.get_one(Person, self.people[name]), address="192.0.2.7"
                )
        return self._viewers[name]

    @contextmanager
    def acting(self, name: str | None, when: datetime | None = None) -> Iterator[Session]:
        """A writing transaction as a person, or as the system for None, at an instant; committed at the end."""
        looking = self.viewer(name) if name is not None else None
        with ExitStack() as stack:
            stack.enter_context(self.app.app_context())
            if when is not None:
                stack.enter_context(clock.at(when))
            stack.enter_context(viewer.viewing(looking) if looking is not None else viewer.system())
            yield stack.enter_context(transaction())

    def do(
        self,
        name: str,
        model: type[Record],
        record_id: int,
        step: str,
        values: Mapping[str, Any] | None = None,
        when: datetime = MONDAY,
        *,
        version: int | None = None,
    ) -> Outcome:
        """Perform a transition as a person at an instant, in a transaction of its own."""
        with self.acting(name, when) as session:
            return perform(session, model, record_id, step, values, version=version)

    # Calls

    def draft(self, township: str = "township1", when: datetime = MONDAY, **fields: Any) -> int:
        """A draft of a call as its officer saves it in the generic form; gives its key."""
        values = {
            "title": "刘庄河道排放污水",
            "field": "水务",
            "description": "下游村民多次反映，我镇已劝阻，需要执法。",
            "contact_name": "王建国",
            **fields,
        }
        with self.acting(township, when) as session:
            call = Call(**values)
            call.prepare(session, self.viewer(township))
            session.add(call)
            session.flush()
            return call.id

    def submitted(self, township: str = "township1", when: datetime = MONDAY, **fields: Any) -> int:
        call_id = self.draft(township, when, **fields)
        self.do(township, Call, call_id, "submit", {}, when)
        return call_id

    def dispatched(
        self,
        *departments: str,
        township: str = "township1",
        when: datetime = MONDAY,
        dispatcher: str = "dispatcher",
        values: Mapping[str, Any] | None = None,
    ) -> tuple[int, ...]:
        """A general call accepted and dispatched at once; gives the keys of the call and of each assignment, the lead first."""
        names = departments or ("department1",)
        call_id = self.submitted(township, when)
        order = {"lead": self[names[0]], "cooperating": [self[name] for name in names[1:]], **(values or {})}
        self.do(dispatcher, Call, call_id, "dispatch", order, when)
        return (call_id, *self.assignments(call_id))

    def emergency(self, *departments: str, township: str = "township1", when: datetime = MONDAY) -> tuple[int, ...]:
        """An emergency called by the township itself."""
        names = departments or ("department3",)
        call_id = self.draft(township, when, kind=CallKind.emergency)
        self.do(township, Call, call_id, "submit", {"departments": [self[name] for name in names]}, when)
        return (call_id, *self.assignments(call_id))

    def assignments(self, call_id: int) -> list[int]:
        """The keys of a call's assignments by position."""
        with self.acting(None) as session:
            return list(
                session.scalars(
                    sa.select(Assignment.id).where(Assignment.call_id == call_id).order_by(Assignment.position)
                )
            )

    def respond(self, name: str, assignment_id: int, when: datetime = MONDAY, **values: Any) -> Outcome:
        return self.do(name, Assignment, assignment_id, "respond", {"how": "phone", "whom": "王建国", **values}, when)

    def report(self, name: str, assignment_id: int, when: datetime = MONDAY, **values: Any) -> Outcome:
        return self.do(
            name, Assignment, assignment_id, "report", {"result": "已关停排污口。", "solved": "solved", **values}, when
        )

    def evaluate(
        self, call_id: int, answers: Mapping[int, str], when: datetime = MONDAY, name: str = "township1", **values: Any
    ) -> Outcome:
        """Evaluate assignments: key → satisfied, fair or dissatisfied."""
        entries = [
            {
                "assignment": key,
                "satisfaction": answer,
                "solved": "solved",
                "comment": "未见人来。" if answer == "dissatisfied" else "",
            }
            for key, answer in answers.items()
        ]
        return self.do(name, Call, call_id, "evaluate", {"evaluations": entries, "signed_by": "周书记", **values}, when)

    def states(self, call_id: int) -> tuple[str, ...]:
        """The call's state and each assignment's by position."""
        with self.acting(None) as session:
            call = session.get_one(Call, call_id)
            return (str(call.state), *(str(one.state) for one in call.assignments))

    def client(self, name: str) -> FlaskClient:
        """A browser in which this person has signed in."""
        with self.acting(None) as session:
            identity = session.get_one(Person, self.people[name]).get_id()
        client = self.app.test_client()
        now = clock.machine_now().timestamp()
        with client.session_transaction() as kept:
            kept.update({"_user_id": identity, "_fresh": True, "started": now, "seen": now})
        return client


# ---- founding


def found_county(app: Flask) -> County:
    """Found the small county of tests, and beside it a second one, whose rows must never be seen from the first."""
    use_simple_papers()
    made = County(app)
    with made.acting(None, at("2026-01-05 09:00")) as session:
        province = _organisation(session, made, "province", ("东海省", "东海省"), OrganisationKind.province, None, None)
        city = _organisation(
            session, made, "city_government", ("临川市", "临川市"), OrganisationKind.city, province, None
        )
        other_city = _organisation(
            session, made, "other_city", ("远山市", "远山市"), OrganisationKind.city, province, None
        )
        county = _founded(session, made, "county", ("平原县", "平原县"), city)
        made.id = county.id
        for names, kind in (
            (OFFICES, OrganisationKind.office),
            (DEPARTMENTS, OrganisationKind.department),
            (TOWNSHIPS, OrganisationKind.township),
            (AGENCIES, OrganisationKind.agency),
        ):
            for name, called in names.items():
                _organisation(session, made, name, called, kind, county, county)
        second = _founded(session, made, "county9", ("山阳县", "山阳县"), other_city)
        _organisation(
            session, made, "office9", ("山阳县政府办公室", "山阳县政府办"), OrganisationKind.office, second, second
        )
        _organisation(
            session, made, "department9", ("山阳县水务局", "山阳水务局"), OrganisationKind.department, second, second
        )
        _organisation(
            session, made, "township9", ("山阳城关镇", "山阳城关镇"), OrganisationKind.township, second, second
        )
        _people(session, made)
        _agencies(session, made)
        for one in (county, second):
            seed_calendar(session, one.id, (2025, 2026, 2027, 2028))
        checklist = Checklist(
            county_id=county.id, name="平原县属地管理清单", level=ChecklistLevel.county, owner_id=county.id
        )  # fmt: skip
        session.add(checklist)
        import_items(session, checklist, ITEMS)
        session.flush()
        # In force from the start: without an event of a change that no test made.
        table = sa.inspect(Checklist).local_table
        session.execute(sa.update(table).where(table.c.id == checklist.id).values(state=ChecklistState.in_force.value))
        session.expire(checklist)
        made.items = {item.number: item.id for item in checklist.items}
    made.remember()
    return made


def _organisation(
    session: Session,
    made: County,
    name: str,
    called: tuple[str, str],
    kind: OrganisationKind,
    parent: Organisation | None,
    county: Organisation | None,
) -> Organisation:
    full, short = called
    organisation = Organisation(
        name=full,
        short_name=short,
        kind=kind,
        parent_id=parent.id if parent else None,
        county_id=county.id if county else None,
        order=len(made.organisations),
    )
    session.add(organisation)
    session.flush()
    made.organisations[name] = organisation.id
    return organisation


def _founded(session: Session, made: County, name: str, called: tuple[str, str], city: Organisation) -> Organisation:
    county = _organisation(session, made, name, called, OrganisationKind.county, city, None)
    county.county_id = county.id
    session.flush()
    return county


def _agencies(session: Session, made: County) -> None:
    for number, name in enumerate(AGENCIES, start=1):
        agency = StationedAgency(
            county_id=made.id,
            organisation_id=made[name],
            department_id=made[f"department{number}"],
            township_id=made[f"township{number}"],
            head_name="赵所长",
            posts=6,
        )
        session.add(agency)
        session.flush()
        made.agencies[name] = agency.id


def _people(session: Session, made: County) -> None:
    roles = {role.name: role for role in session.scalars(sa.select(Role))}
    accounts: dict[str, tuple[str, tuple[str, ...]]] = {
        "sysadmin": ("office", ("system_administrator",)),
        "secadmin": ("office", ("security_administrator",)),
        "auditor": ("office", ("auditor",)),
        "checklist": ("staffing", ("checklist_manager",)),
        "legal": ("staffing", ("legal_reviewer",)),
        "dispatcher": ("office", ("dispatcher",)),
        "director": ("office", ("office_director",)),
        "duty": ("office", ("duty_officer",)),
        "supervisor": ("supervision", ("supervisor",)),
        "supervisor2": ("supervision", ("supervisor",)),
        "assessor": ("staffing", ("assessor",)),
        "personnel": ("staffing", ("personnel_officer",)),
        "leader": ("county", ("county_leader",)),
        "city": ("city_government", ("city_reader",)),
        "dispatcher9": ("office9", ("dispatcher",)),
        "supervisor9": ("office9", ("supervisor",)),
        "leader9": ("county9", ("county_leader",)),
        "city9": ("other_city", ("city_reader",)),
    }
    for name in (*TOWNSHIPS, "township9"):
        accounts[name] = (name, ("township_officer",))
        accounts[f"{name}_leader"] = (name, ("township_leader",))
    for name in (*DEPARTMENTS, "department9"):
        accounts[name] = (name, ("department_officer",))
        accounts[f"{name}_leader"] = (name, ("department_leader",))
    for name in AGENCIES:
        accounts[name] = (name, ("agency_head",))
    for number, (name, (organisation, held)) in enumerate(accounts.items()):
        person = Person(
            username=name, first_name=f"员{number}", last_name="张", email=f"{name}@county.example", password=_CHEAP_HASH, active=True,
            organisation_id=made.organisations[organisation], session_epoch=0, must_change_password=False,
            position="党委书记" if "township_leader" in held else "", party_secretary="township_leader" in held,
        )  # fmt: skip
        person.roles = [roles[role] for role in held]
        session.add(person)
        session.flush()
        made.people[name] = person.id


def use_simple_papers() -> None:
    """Let kinds of papers that the program has no composer for yet carry their number alone."""
    for kind in ("call_slip", "reminder", "supervision", "onsite_record"):
        if kind not in paper._composers:
            paper.use_composer(
                kind,
                lambda session, about, document, reader: paper.Paper(
                    f"{document.kind} {document.number}", {"number": document.number}
                ),
            )
