"""Who reads the telephone number left with a call: the offices that handle it, its township, and the departments that still have it (spec 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.call import Assignment, Call
from models.call_words import AssignmentState
from models.person import Person
from models.viewer import Viewer

OFFICES = ("dispatcher", "office_director", "supervisor", "county_leader", "duty_officer")


def reads_phone(call: Call, person: Viewer) -> bool:
    """Whether this person reads the number of a call that he sees."""
    parties = {
        call.township_id,
        *(one.department_id for one in call.assignments if one.state != AssignmentState.returned),
    }
    return person.has_role(*OFFICES) or person.organisation_id in parties


def without_phone(session: Session, calls: Sequence[Any], person: Viewer) -> set[int]:
    """The keys of those of these calls whose number this person does not read."""
    if person.has_role(*OFFICES):
        return set()
    foreign = [call.id for call in calls if call.township_id != person.organisation_id]
    if not foreign:
        return set()
    own = (Assignment.department_id == person.organisation_id, Assignment.state != AssignmentState.returned)
    mine = session.scalars(sa.select(Assignment.call_id).where(Assignment.call_id.in_(foreign), *own))
    return set(foreign) - set(mine)


CONTACT = frozenset({"username", "email", "phone"})
"""What of a person only the administrators, the offices and the person read (spec 5: masked outside those who need them)."""


def reads_contact(record: Person, person: Viewer) -> bool:
    """Whether this person reads how another is reached and signs in."""
    return record.id == person.person_id or person.has_role("system_administrator", "security_administrator", *OFFICES)
