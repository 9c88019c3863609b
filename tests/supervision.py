"""Short ways to conclusions and bulletins in the small county, always through their workflows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from models.attachment import Attachment
from models.base import Record
from models.bulletin import Bulletin, BulletinCase, BulletinRecipient, Circulation
from models.conclusion import Conclusion
from models.rectification import Rectification
from models.review import ReviewRequest
from tests.county import County, at

ASKED = at("2026-11-25 09:00")
EXPLAINED = at("2026-11-25 15:00")
SERVED = at("2026-11-26 09:00")
APPROVED = at("2026-11-27 10:00")


def kept(county: County, model: type[Record], name: str, when: datetime, **fields: Any) -> int:
    """A record saved by a person as the generic form saves it; gives its key."""
    with county.acting(name, when) as session:
        record = model(**fields)
        record.prepare(session, county.viewer(name))
        session.add(record)
        session.flush()
        return record.id


def concluded(
    county: County,
    department: str = "department1",
    finding: str = "no_response",
    *,
    until: str = "served",
    supervisor: str = "supervisor",
    **fields: Any,
) -> int:
    """A conclusion on a department, brought to a state: draft, explaining, explained, found or served."""
    values: dict[str, Any] = {"matter": "刘庄河道排放污水", "facts": "派发后未联系乡镇。", **fields}
    key = kept(county, Conclusion, supervisor, ASKED, department_id=county[department], **values)
    answer = {"explanation": "人员外出，未及时联系。"}
    found = {"finding": finding, "text": "经核查，未在时限内响应。", "requirements": "限期到现场办理。"}
    steps: list[tuple[str, str, str, dict[str, Any], datetime]] = [
        ("explaining", supervisor, "ask_explanation", {}, ASKED),
        ("explained", department, "explain", answer, EXPLAINED),
        ("found", supervisor, "find", found, EXPLAINED),
        ("served", supervisor, "serve", {}, SERVED),
    ]
    for state, who, step, given, when in steps[: ["draft", *(one[0] for one in steps)].index(until)]:
        assert state
        county.do(who, Conclusion, key, step, given, when)
    return key


def drafted(
    county: County,
    conclusions: Iterable[int] = (),
    *,
    supervisor: str = "supervisor",
    recipients: Iterable[str] = (),
    when: datetime = SERVED,
    **fields: Any,
) -> int:
    """A draft of a bulletin that cites conclusions."""
    values: dict[str, Any] = {"title": "关于办理不力情况的通报", "text": "现将有关情况通报如下。", **fields}
    if recipients := list(recipients):
        values["circulation"] = Circulation.chosen
    with county.acting(supervisor, when) as session:
        bulletin = Bulletin(**values)
        bulletin.prepare(session, county.viewer(supervisor))
        session.add(bulletin)
        bulletin.cases = [BulletinCase(conclusion_id=key) for key in conclusions]
        bulletin.recipients = [BulletinRecipient(organisation_id=county[name]) for name in recipients]
        session.flush()
        return bulletin.id


def issued(county: County, conclusions: Iterable[int], **fields: Any) -> int:
    """A bulletin submitted by a supervisor and approved by the county's leader."""
    key = drafted(county, conclusions, **fields)
    county.do("supervisor", Bulletin, key, "submit", {}, SERVED)
    county.do("leader", Bulletin, key, "approve", {}, APPROVED)
    return key


def signed_sheet(county: County, bulletin: int, leader: str = "leader", when: datetime = APPROVED) -> dict[str, Any]:
    """The scan of the signed sheet is attached; gives what approving for the leader asks for."""
    with county.acting(None, when) as session:
        scan = Attachment(
            record_type="bulletin",
            record_id=bulletin,
            name="签署件.pdf",
            content_type="application/pdf",
            size=1,
            sha256="0" * 64,
            file_key=f"test/{bulletin}-{when:%H%M%S}",
            uploaded_by_id=county.people["director"],
            uploaded_at=when,
        )
        session.add(scan)
        code = session.get_one(Bulletin, bulletin).return_code
    return {"on_behalf_of": county.people[leader], "return_code": code}


def reviewed(county: County, conclusion: int, when: datetime = APPROVED, department: str = "department1") -> int:
    """A review request as the department files it."""
    return kept(county, ReviewRequest, department, when, conclusion_id=conclusion, grounds="已电话联系，有通话记录。")


def orders(county: County) -> list[tuple[int, str]]:
    """Conclusion and state of every rectification order."""
    with county.acting(None) as session:
        return [(one.conclusion_id, str(one.state)) for one in session.scalars(sa.select(Rectification).order_by("id"))]


def seen(county: County, model: type[Any], key: int, names: Iterable[str]) -> set[str]:
    """Who of some people sees a record."""
    found = set()
    for name in names:
        with county.acting(name) as session:
            if session.scalar(sa.select(model.id).where(model.id == key)) is not None:
                found.add(name)
    return found


def hold(county: County, name: str, *roles: str) -> None:
    """Give a person roles beside those that he has."""
    from flask_appbuilder.security.sqla.models import Role

    from models.person import Person

    with county.acting(None) as session:
        person = session.get_one(Person, county.people[name])
        person.roles = [*person.roles, *session.scalars(sa.select(Role).where(Role.name.in_(roles)))]
    county.forget()
