"""Convening on site: called together by the township, recorded by it; decisions become milestones (2.1; K2)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l

from models.calendar import work_calendar
from models.call import Call
from models.call_roles import DEPARTMENTS, TOWNSHIP
from models.call_settling import settle
from models.convening import Attendance, Convening, ConveningInvitee, ConveningState
from models.field import Field, Text
from models.milestone import Milestone, MilestoneState
from models.organisation import OrganisationKind
from models.paper import issue, platform_office
from models.person import Person
from models.refusal import Invalid
from models.workflow import By, Step, Transition, Workflow

AGENCIES = {"kind": [OrganisationKind.agency], "active": True}


def _guard(step: Step) -> None:
    if step.values["at"] <= step.now:
        raise Invalid({"at": _l("Please enter a time in the future.")})
    if not step.values["departments"] and not step.values["agencies"]:
        raise Invalid({"departments": _l("Please name who is to come.")})


def _convene(step: Step) -> None:
    call: Call = step.record
    meeting = Convening(
        county_id=call.county_id,
        call=call,
        at=step.values["at"],
        place=step.values["place"],
        matter=step.values["matter"] or "",
        convened_at=step.now,
        convened_by_id=step.person.person_id if step.person else None,
    )
    step.session.add(meeting)
    step.session.flush()
    for organisation in dict.fromkeys((*step.values["departments"], *step.values["agencies"])):
        meeting.invitees.append(ConveningInvitee(county_id=call.county_id, call_id=call.id, organisation=organisation))
    step.session.flush()


TRANSITIONS = (
    Transition(
        "convene",
        _l("Call together on site"),
        (TOWNSHIP,),
        ("dispatched",),
        guard=_guard,
        effect=_convene,
        icon="users-group",
        done=_l("Called together on site"),
        asks=(
            Field("at", _l("Time"), "datetime"),
            Field("place", _l("Place"), length=200, default=lambda call, person: call.place),
            Field(
                "departments",
                _l("Departments"),
                "references",
                required=False,
                target="organisation",
                only=DEPARTMENTS,
                default=lambda call, person: [
                    one.department_id for one in call.assignments if one.state.value != "returned"
                ],
            ),
            Field(
                "agencies", _l("Stationed agencies"), "references", required=False, target="organisation", only=AGENCIES
            ),
            Field("matter", _l("What is to be settled"), "long_text", required=False),
        ),
        help=_l("Your right to coordinate: whoever stays away without explanation is on record."),
    ),
)
"""On the call."""


# The meeting


CONVENER = By(TOWNSHIP.roles, lambda meeting, person: meeting.call.township_id == person.organisation_id)


def _not_begun(meeting: Convening, now: datetime) -> Any:
    return _l("The meeting has not begun yet.") if now < meeting.at else None


def _invitees(meeting: Convening) -> list[tuple[str, Text]]:
    return [(str(one.organisation_id), one.organisation.short_name) for one in meeting.invitees]


def _attendance_rows(meeting: Convening) -> list[dict[str, Any]]:
    return [{"invitee": one.id, "label": one.organisation.short_name} for one in meeting.invitees]


def _record_guard(step: Step) -> None:
    meeting: Convening = step.record
    keys = [entry["invitee"] for entry in step.values["attendance"]]
    if sorted(keys) != sorted(one.id for one in meeting.invitees):
        raise Invalid({"attendance": _l("Please say of everybody called whether he came, each once.")})
    for entry in step.values["attendance"]:
        if entry["attendance"] == Attendance.present and not entry["names"]:
            raise Invalid({"attendance": _l("Please name who came; a list of names is enough.")})
        if entry["attendance"] == Attendance.excused and not entry["excuse"]:
            raise Invalid({"attendance": _l("Please note the explanation of the absence.")})
    today = work_calendar(step.session, meeting.county_id).local_date(step.now)
    if any(entry["day"] < today for entry in step.values["decisions"]):
        raise Invalid({"decisions": _l("A deadline cannot lie in the past.")})


def _record(step: Step) -> None:
    meeting: Convening = step.record
    calendar = work_calendar(step.session, meeting.county_id)
    by_key = {one.id: one for one in meeting.invitees}
    for entry in step.values["attendance"]:
        invitee = by_key[entry["invitee"]]
        invitee.attendance = entry["attendance"]
        invitee.names = entry["names"] or ""
        invitee.excuse = entry["excuse"] or ""
    meeting.township_names = step.values["township_names"] or ""
    meeting.record = step.values["record"] or ""
    meeting.chair = step.values["chair"] or ""
    meeting.disagreements = step.values["disagreements"] or ""
    assert step.person is not None
    meeting.recorder = step.session.get_one(Person, step.person.person_id).name
    meeting.recorded_at = step.now
    for entry in step.values["decisions"]:
        meeting.milestones.append(
            Milestone(
                county_id=meeting.county_id,
                call_id=meeting.call_id,
                department_id=int(entry["department"]),
                state=MilestoneState.open,
                text=entry["text"],
                day=entry["day"],
                due=calendar.close_of_day(entry["day"]),
                begins_at=step.now,
            )
        )
    names = dict(_invitees(meeting))
    step.shown["attendance"] = "；".join(
        f"{one.organisation.short_name}：{one.attendance.label if one.attendance else ''} {one.names or one.excuse}".strip()
        for one in meeting.invitees
    )
    step.shown["decisions"] = "；".join(
        f"{names[entry['department']]}：{entry['text']}（{entry['day'].isoformat()}）"
        for entry in step.values["decisions"]
    )
    step.session.flush()
    document = issue(
        step.session,
        "onsite_record",
        meeting,
        issuer=meeting.call.township,
        recipients=[
            meeting.call.township,
            *(one.organisation for one in meeting.invitees),
            platform_office(step.session, meeting.county_id),
        ],
    )
    step.shown["document"] = {"id": document.id, "name": document.title}


Convening.workflow = Workflow(
    states=ConveningState,
    lock=lambda session, meeting: [(Call, meeting.call_id)],
    after=settle,
    transitions=(
        Transition(
            "record",
            _l("Record the meeting"),
            (CONVENER,),
            ("planned",),
            "held",
            obstacle=_not_begun,
            guard=_record_guard,
            effect=_record,
            primary=True,
            icon="clipboard-text",
            done=_l("Meeting recorded"),
            asks=(
                Field(
                    "attendance",
                    _l("Who came"),
                    "entries",
                    entries=(
                        Field("invitee", _l("Organisation"), "integer"),
                        Field("attendance", _l("Attendance"), "choice", choices=Attendance),
                        Field("names", _l("Names of those who came"), required=False, length=200),
                        Field("excuse", _l("Explanation of the absence"), required=False, length=300),
                    ),
                    entry_rows=_attendance_rows,
                ),
                Field("township_names", _l("From the township"), required=False, length=200),
                Field("chair", _l("In the chair (name and position)"), required=False, length=100),
                Field("record", _l("Record"), "long_text", required=False),
                Field(
                    "decisions",
                    _l("Decisions"),
                    "entries",
                    required=False,
                    lines=True,
                    entries=(
                        Field("id", "", "integer", required=False),
                        Field("text", _l("What is to be done"), length=300),
                        Field("department", _l("Department"), "choice", choices=_invitees),
                        Field("day", _l("By"), "date"),
                    ),
                    help=_l("Each becomes a milestone of its department."),
                ),
                Field("disagreements", _l("Disagreements, and what becomes of them"), "long_text", required=False),
            ),
        ),
        Transition(
            "cancel",
            _l("Cancel the meeting"),
            (CONVENER,),
            ("planned",),
            "cancelled",
            danger=True,
            icon="calendar-off",
            done=_l("Meeting cancelled"),
            asks=(Field("reason", _l("Reason"), "long_text"),),
        ),
    ),
)
