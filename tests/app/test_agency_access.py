"""Who finds an agency's staff and money, and personnel matters – and who finds none of it, wherever he looks (2.1, end; 2.7)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa

from models.agency import AgencyStaff, MembershipTransfer
from models.consultation import ConsultationCandidate, PersonnelConsultation
from models.event import Event
from models.funds import Allotment, Expense
from models.proposal import AdjustmentProposal
from models.setting import Setting
from tests.app.portal.api_client import Api
from tests.conftest import Installation
from tests.county import MONDAY, County

STAFF, MONEY, LETTER = "金丝雀员工", "金丝雀购置费", "金丝雀介绍信"
CANDIDATE, MATTER, OPINION, PROPOSAL = "金丝雀候选人", "金丝雀任免理由", "金丝雀复函意见", "金丝雀调整建议"
AGENCY_WORDS, PERSONNEL_WORDS = (STAFF, MONEY, LETTER), (MATTER, OPINION, PROPOSAL)
EVERYTHING = (*AGENCY_WORDS, *PERSONNEL_WORDS, CANDIDATE)
TYPES = (
    "stationed_agency", "agency_staff", "membership_transfer", "allotment", "expense", "account_period",
    "personnel_consultation", "consultation_opinion", "consultation_candidate", "adjustment_proposal",
)  # fmt: skip
CHOICES = (
    "agency_staff/options/agency", "membership_transfer/options/staff", "expense/options/period",
    "consultation_candidate/options/consultation",
)  # fmt: skip
"""Where the choices of the forms are searched."""


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough: the filter's SQL is tried on both in its own tests."""
    sqlite_installation.fresh("county")
    return sqlite_installation


@pytest.fixture
def told(county: County) -> County:
    """Agency 1 with a member of staff, a transfer, money spent, a consultation with a named candidate, and a proposal."""
    with county.acting(None) as session:
        session.add(Setting(county_id=county.id, name="funds_module", value="yes"))
        session.add(Setting(county_id=county.id, name="candidate_names", value="in_portal"))
    own = {"county_id": county.id, "agency_id": county.agencies["agency1"]}
    with county.acting("department1", MONDAY) as session:
        person = county.viewer("department1")
        member = AgencyStaff(**own, name=STAFF, establishment="institution", membership="party")
        session.add(member)
        session.flush()
        transfer = MembershipTransfer(staff_id=member.id, letter=LETTER)
        transfer.prepare(session, person)
        consultation = PersonnelConsultation(agency_id=own["agency_id"], action="appoint", reason=MATTER)
        consultation.prepare(session, person)
        session.add_all([transfer, consultation])
        session.flush()
        session.add(
            ConsultationCandidate(
                county_id=county.id, consultation_id=consultation.id, name=CANDIDATE, proposed_post="所长"
            )
        )
        keys = transfer.id, consultation.id
    with county.acting("township1", MONDAY) as session:
        session.add(Allotment(**own, allotted_on=date(2026, 1, 5), document="1", amount=Decimal("500")))
        session.flush()
        session.add(Expense(**own, spent_on=date(2026, 2, 5), voucher="1", purpose=MONEY, amount=Decimal("77.7")))
        proposal = AdjustmentProposal(
            agency_id=own["agency_id"],
            performance="今年",
            meeting_date=MONDAY.date(),
            proposal=PROPOSAL,
            reason=PROPOSAL,
        )
        proposal.prepare(session, county.viewer("township1"))
        session.add(proposal)
        session.flush()
        third = proposal.id
    county.do("department1", MembershipTransfer, keys[0], "send")
    county.do("department1", PersonnelConsultation, keys[1], "send")
    county.do(
        "township1_leader", PersonnelConsultation, keys[1], "reply",
        {"opinion": "disagree", "reasons": OPINION, "meeting_date": "2026-11-20"},
    )  # fmt: skip
    county.do("township1", AdjustmentProposal, third, "send")
    return county


def everything_shown(county: County, name: str) -> str:
    """All that a person is shown of these types: pages, lists, searches, filters, choices, and what programs read."""
    client, api = county.client(name), Api(county, name)
    found = [client.get(address).text for address in ("/", "/organisation/list/?q=金丝雀")]
    for resource in TYPES:
        found += [client.get(f"/{resource}/{page}").text for page in ("list/?tab=all", "show/1")]
        found.append(api.get(f"/{resource}/").text)
    for resource in ("agency_staff", "expense", "personnel_consultation"):
        found.append(client.get(f"/{resource}/list/?tab=all&q=金丝雀").text)
    found += [client.get(f"/{where}").text for where in CHOICES]
    return "\n".join(found)


def test_everybody_reads_exactly_what_is_his(told: County) -> None:
    """Canary words of one agency: its sides read them, the organisation department the personnel matter, nobody else anything."""
    agency, personnel = frozenset(AGENCY_WORDS), frozenset(PERSONNEL_WORDS)
    names = frozenset({CANDIDATE})
    expected = {
        "agency1": agency,
        "department1": agency | personnel | names,
        "department1_leader": agency | personnel,
        "township1": agency | personnel,
        "township1_leader": agency | personnel | names,
        "personnel": personnel,
    }
    outsiders = (
        "agency2", "department2", "township2_leader", "supervisor", "assessor", "leader", "sysadmin", "auditor", "department9",
    )  # fmt: skip
    for name in (*expected, *outsiders):
        shown = everything_shown(told, name)
        assert {word for word in EVERYTHING if word in shown} == expected.get(name, frozenset()), name


def test_the_auditor_sees_that_it_happened_and_no_candidate_s_name(told: County) -> None:
    with told.acting("auditor") as session:
        kinds = set(session.scalars(sa.select(Event.record_type)))
    assert {"personnel_consultation", "adjustment_proposal", "agency_staff", "expense"} <= kinds
    trail = Api(told, "auditor").get("/event/", {"page_size": 500}).text
    assert OPINION in trail.encode().decode("unicode_escape", errors="ignore") or OPINION in trail
    assert CANDIDATE not in trail
    assert "\\u5019\\u9009\\u4eba" not in trail


def test_the_pages_of_an_agency_open_for_its_sides(told: County) -> None:
    """Each list, page, form and step of the types is reached by whoever has it, without an error."""
    readers = {
        "consultation_candidate": "department1",
        "allotment": "township1",
        "expense": "township1",
        "adjustment_proposal": "township1",
    }
    for resource in TYPES:
        client = told.client(readers.get(resource, "department1"))
        for page in ("list/", "show/1"):
            answer = client.get(f"/{resource}/{page}")
            assert answer.status_code == 200, (resource, page, answer.text[:300])
    for address, name in (
        ("/stationed_agency/add", "department1"), ("/stationed_agency/edit/1", "agency1"), ("/agency_staff/add", "agency1"),
        ("/membership_transfer/add", "department1"), ("/allotment/add", "township1"), ("/expense/edit/1", "agency1"),
        ("/personnel_consultation/add", "department1"), ("/personnel_consultation/add", "personnel"),
        ("/adjustment_proposal/add", "township1"),
    ):  # fmt: skip
        assert told.client(name).get(address).status_code == 200, address
