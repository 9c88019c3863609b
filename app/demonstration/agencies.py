"""The demonstration county's stationed agencies: staff, a transfer, accounts, consultations and a proposal, made through the workflow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.demonstration.county import County
from app.demonstration.matters import FOLDER
from app.demonstration.people import Staff
from models import clock, viewer
from models.agency import AgencyStaff, Establishment, Membership, MembershipTransfer, StationedAgency
from models.base import CountyRecord
from models.calendar import work_calendar
from models.consultation import ConsultationAction, PersonnelConsultation
from models.funds import Allotment, Expense
from models.person import Person
from models.proposal import AdjustmentProposal
from models.setting import Setting
from models.viewer import Viewer
from models.workflow import perform

_POSTS = ("副职", "科员", "科员", "辅助岗位")
_PURPOSES = ("办公用品", "车辆燃油", "水电费", "办公设备维修", "差旅费")


class Agencies:
    """Fills the agencies. People act at their instants, on working days of the weeks before the end."""

    def __init__(
        self, session: Session, county: County, staff: Staff, people: dict[str, Person], random: Random
    ) -> None:
        self.session = session
        self.county = county
        self.staff = staff
        self.people = people
        self.random = random
        self.calendar = work_calendar(session, county.body.id)
        self.agencies: list[StationedAgency] = []

    def found(self) -> None:
        """Register every agency with its head and two more people."""
        townships = {one.short_name: one for one in self.county.townships}
        stored = json.loads((FOLDER / "county.json").read_text(encoding="utf-8"))["agencies"]
        names = iter(self._names(2 * len(stored)))
        self.session.add(Setting(county_id=self.county.body.id, name="funds_module", value="yes"))
        self.session.flush()
        for number, (organisation, entry) in enumerate(zip(self.county.agencies, stored, strict=True), start=1):
            head = self.people[f"agency{number}"]
            department = self.staff.officer(self.county.department(entry["department"]).id)
            with viewer.viewing(department):
                agency = StationedAgency(
                    organisation_id=organisation.id,
                    township_id=townships[entry["township"]].id,
                    head_name=head.name,
                    posts=self.random.randrange(4, 10),
                )
                self.agencies.append(self._new(agency, department))
            keeper = self.staff.viewer(f"agency{number}")
            with viewer.viewing(keeper):
                for member in self._members(agency, head, [next(names), next(names)]):
                    self._new(member, keeper)

    def _names(self, count: int) -> list[str]:
        """Names that no account bears."""
        stored = json.loads((FOLDER / "names.json").read_text(encoding="utf-8"))
        taken = {one.name for one in self.people.values()}
        free = [family + given for family in stored["family"] for given in stored["given"].split()]
        return self.random.sample([name for name in free if name not in taken], count)

    def _members(self, agency: StationedAgency, head: Person, names: Sequence[str]) -> Iterator[AgencyStaff]:
        members = [(head.name, head.position or "", Establishment.civil_servant, Membership.party)]
        for name in names:
            membership = self.random.choice([Membership.party, Membership.league, Membership.none])
            members.append((name, self.random.choice(_POSTS), self.random.choice(list(Establishment)), membership))
        for name, position, establishment, membership in members:
            yield AgencyStaff(
                agency_id=agency.id, name=name, position=position, establishment=establishment, membership=membership
            )

    def work(self, today: date) -> None:
        """What the sides did in the weeks before today, so that every interesting state is met."""
        self._accounts(today)
        self._transfers(today)
        self._consultations(today)
        self._proposal(today)

    def _accounts(self, today: date) -> None:
        """This year's running costs of the first agencies."""
        last = today - timedelta(days=1)
        for agency in self.agencies[:6]:
            first = date(last.year, 1, 1)
            with self._as(self.staff.officer(agency.township_id), self._day(today, 3)):
                amount = Decimal(self.random.randrange(20, 60)) * 1000
                own: dict[str, Any] = {"county_id": agency.county_id, "agency_id": agency.id}
                self._save(
                    Allotment(**own, allotted_on=first, amount=amount, document=f"示财预〔{last.year}〕{agency.id}号")
                )
                for number, purpose in enumerate(self.random.sample(_PURPOSES, 3), start=1):
                    spent = Decimal(self.random.randrange(20_000, 300_000)) / 100
                    day = first + (last - first) * number // 4
                    self._save(Expense(**own, spent_on=day, amount=spent, purpose=purpose, voucher=f"记-{number}"))

    def _transfers(self, today: date) -> None:
        """Two heads' relations are moved to the township: one received, one on its way."""
        for agency, received in zip(self.agencies[:2], (True, False), strict=True):
            first = sa.select(AgencyStaff).where(AgencyStaff.agency_id == agency.id).order_by(AgencyStaff.id).limit(1)
            head = self.session.scalars(first).one()
            department, township = self.staff.officer(agency.department_id), self.staff.officer(agency.township_id)
            with self._as(department, self._day(today, 12)):
                letter = f"示组转〔{today.year}〕{agency.id}号"
                transfer = self._new(MembershipTransfer(staff_id=head.id, letter=letter, remark=""), department)
                self._perform(transfer, "send")
            if received:
                with self._as(township, self._day(today, 9)):
                    day = self.calendar.local_date(clock.now()).isoformat()
                    self._perform(transfer, "receive", receipt=f"党转回〔{today.year}〕{agency.id}号", received_on=day)

    def _consultations(self, today: date) -> None:
        """One in each state that a reader wants to see: draft, waiting, disagreed, decided against, informed, withdrawn."""
        reply: dict[str, Any] = {"opinion": "agree", "reasons": "", "suggestion": ""}
        against = {
            "opinion": "disagree",
            "reasons": "该同志熟悉辖区情况，正在推进的整治任务尚未完成，建议留任。",
            "suggestion": "整治任务完成后再行研究。",
        }
        decided = {"decision": "as_proposed", "decision_text": "经党组会议研究，按原方案任免。"}
        reasoned = {"reasoned_reply": "该同志在同一岗位任职已满规定年限，须按规定交流；整治任务由接任同志继续负责。"}
        courses: tuple[tuple[int, tuple[tuple[str, dict[str, Any]], ...]], ...] = (
            (2, ()),
            (4, (("send", {}),)),
            (10, (("send", {}), ("reply", against))),
            (16, (("send", {}), ("reply", against), ("decide", decided | reasoned))),
            (18, (("send", {}), ("reply", reply), ("decide", decided), ("inform", {}))),
            (14, (("send", {}), ("withdraw", {"reason": "人选另行研究。"}))),
        )
        actions = (ConsultationAction.appoint, ConsultationAction.remove)
        for number, (since, steps) in enumerate(courses):
            agency = self.agencies[3 * number]
            proposer = self.staff.officer(agency.department_id)
            with self._as(proposer, self._day(today, since)):
                consultation = self._new(
                    PersonnelConsultation(
                        agency_id=agency.id,
                        action=actions[number % 2],
                        chief=True,
                        reason="工作需要，按照任职年限规定调整。",
                    ),
                    proposer,
                )
            for later, (step, values) in enumerate(steps):
                secretary = self.staff.leader(agency.township_id)
                with self._as(secretary if step == "reply" else proposer, self._day(today, since - 2 * later)):
                    day = {"meeting_date": self.calendar.local_date(clock.now()).isoformat()} if step == "reply" else {}
                    self._perform(consultation, step, **values, **day)

    def _proposal(self, today: date) -> None:
        agency = self.agencies[7]
        township = self.staff.officer(agency.township_id)
        with self._as(township, self._day(today, 6)):
            proposal = self._new(
                AdjustmentProposal(
                    agency_id=agency.id,
                    performance=f"{today.year}年以来",
                    meeting_date=self.calendar.local_date(clock.now()),
                    proposal="建议对负责人岗位作适当调整。",
                    reason="联合检查三次未参加，群众反映的摊点整治推进缓慢。",
                ),
                township,
            )
            self._perform(proposal, "send")

    # Acting

    def _day(self, today: date, days: int) -> datetime:
        """An hour of the working day so many working days before today."""
        day = self.calendar.move_working_days(today, -days)
        return datetime.combine(
            day, time(9 + self.random.randrange(2), self.random.randrange(60)), tzinfo=self.calendar.zone
        )

    @contextmanager
    def _as(self, person: Viewer, when: datetime) -> Iterator[None]:
        with clock.at(when), viewer.viewing(person):
            yield

    def _new(self, record: Any, person: Viewer) -> Any:
        record.prepare(self.session, person)
        return self._save(record)

    def _save(self, record: CountyRecord) -> Any:
        self.session.add(record)
        self.session.flush()
        return record

    def _perform(self, record: CountyRecord, step: str, **values: Any) -> None:
        perform(self.session, type(record), record.id, step, values)
