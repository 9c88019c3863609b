"""The workflow of personnel consultations as data (2.7).

Nothing here issues a notice, a mark or a slip: none of it ever reaches supervision or a bulletin. What is overdue is seen by
the organisation department alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from models import event
from models.calendar import work_calendar
from models.consultation import (
    ConsultationCandidate,
    ConsultationOpinion,
    ConsultationState,
    Decision,
    Opinion,
    OpinionState,
    PersonnelConsultation,
    name_handler,
    names_in_portal,
)
from models.document import take_number
from models.field import Field
from models.person import Person
from models.refusal import Conflict, Invalid
from models.setting import ConsultationRule, LapseRule, setting
from models.viewer import Viewer
from models.workflow import Automatic, By, Step, Transition, Workflow, perform_automatic, shown_value


def _addressed(consultation: PersonnelConsultation, person: Viewer) -> bool:
    """Whether this is the secretary of a Party committee that is consulted."""
    if consultation.sent_at is None or not is_consulted(consultation, person.organisation_id):
        return False
    session = sa.orm.object_session(consultation)
    signer = session.get(Person, person.person_id) if session is not None else None
    return signer is not None and signer.party_secretary


def is_consulted(consultation: PersonnelConsultation, organisation_id: int | None) -> bool:
    """Whether the opinion of this organisation's Party committee is asked for."""
    return organisation_id is not None and organisation_id in (consultation.township_id, consultation.to_township_id)


PROPOSER = By(
    frozenset({"department_officer", "personnel_officer"}),
    lambda consultation, person: consultation.proposer_id == person.organisation_id,
)
SECRETARY = By(frozenset({"township_leader"}), _addressed)
COORDINATOR = By(
    frozenset({"personnel_officer"}),
    lambda consultation, person: (
        consultation.county_id == person.county_id and consultation.proposer_id != person.organisation_id
    ),
)
"""The higher organisation department, never in a matter that it proposed itself."""


def _locked_opinions(session: Session, consultation: PersonnelConsultation) -> list[ConsultationOpinion]:
    """All opinions, locked and as they stand now; to be called as the system."""
    return list(
        session.scalars(
            sa.select(ConsultationOpinion)
            .where(ConsultationOpinion.consultation_id == consultation.id)
            .order_by(ConsultationOpinion.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def _count(session: Session, consultation: PersonnelConsultation) -> None:
    """Bring the number of outstanding opinions and the next deadline in step with the opinions."""
    session.flush()
    waiting = [one for one in _locked_opinions(session, consultation) if one.state == OpinionState.outstanding]
    consultation.outstanding = len(waiting)
    consultation.reply_due = min((one.due for one in waiting), default=None)


# Sending


def _no_names(consultation: PersonnelConsultation, now: datetime) -> Any:
    session = sa.orm.object_session(consultation)
    assert session is not None
    if not names_in_portal(session, consultation.county_id):
        return None
    found = sa.select(ConsultationCandidate.id).where(ConsultationCandidate.consultation_id == consultation.id).limit(1)
    return None if session.scalars(found).first() is not None else _l("Please enter the candidates first.")


def _send_guard(step: Step) -> None:
    consultation: PersonnelConsultation = step.record
    missing = {
        name: _l("Please fill in this field.")
        for name, value in (
            ("agency", consultation.agency),
            ("action", consultation.action),
            ("reason", consultation.reason),
        )
        if not value
    }
    if missing or consultation.agency is None:
        raise Invalid(missing)
    assert step.person is not None
    if not step.person.has_role("personnel_officer") and consultation.agency.department_id != consultation.proposer_id:
        raise Invalid({"agency": _l("Only the department to which an agency belongs proposes a change of its head.")})


def _send(step: Step) -> None:
    consultation: PersonnelConsultation = step.record
    session, county = step.session, consultation.county_id
    assert consultation.agency is not None
    calendar = work_calendar(session, county)
    year = calendar.local_date(step.now).year
    number = take_number(session, consultation.proposer_id, "consultation", year)
    consultation.number = f"征询〔{year}〕{number}号"
    consultation.sent_at = step.now
    consultation.lapse_rule = setting(session, county, "consultation_lapse")
    consultation.township_id = consultation.agency.township_id
    due = calendar.deadline(step.now, setting(session, county, "consultation_reply_limit"))
    townships = {consultation.township_id}
    if consultation.to_agency is not None and consultation.to_agency.township_id != consultation.township_id:
        consultation.to_township_id = consultation.to_agency.township_id
        townships.add(consultation.to_agency.township_id)
    session.add_all(
        ConsultationOpinion(county_id=county, consultation_id=consultation.id, township_id=one, due=due)
        for one in sorted(townships)
    )
    for secretary in _secretaries(session, townships):
        name_handler(session, consultation.id, secretary.id)
    consultation.state = ConsultationState.consulting
    _count(session, consultation)


def _secretaries(session: Session, townships: set[int]) -> list[Person]:
    leaders = sa.select(Person).where(
        Person.organisation_id.in_(townships), Person.active.is_(True), Person.roles.any(name="township_leader")
    )
    return list(session.scalars(leaders.where(Person.party_secretary).order_by(Person.id)))


# Names


def _names_on_paper(consultation: PersonnelConsultation, now: datetime) -> Any:
    session = sa.orm.object_session(consultation)
    assert session is not None
    if names_in_portal(session, consultation.county_id):
        return None
    return _l("In this county names stay on paper and are not entered in the portal.")


def _handlers_guard(step: Step) -> None:
    """Each side names its own people; the proposer also those of the organisation department."""
    assert step.person is not None
    for person in step.values["handlers"]:
        own = person.organisation_id == step.person.organisation_id
        personnel = any(role.name == "personnel_officer" for role in person.roles)
        if not own and not (personnel and step.person.organisation_id == step.record.proposer_id):
            raise Invalid({"handlers": _l("Please name people of your own organisation.")})


def _name_handlers(step: Step) -> None:
    for person in step.values["handlers"]:
        name_handler(step.session, step.record.id, person.id)


# Opinions


def _reply_guard(step: Step) -> None:
    opinion = _own_opinion(step)
    if opinion.state != OpinionState.outstanding:
        raise Conflict(_l("Your Party committee has replied already, or its time has lapsed."))
    if step.values["opinion"] != Opinion.agree and not step.values["reasons"]:
        raise Invalid({"reasons": _l("Please give the reasons of the Party committee.")})
    today = work_calendar(step.session, step.record.county_id).local_date(step.now)
    if step.values["meeting_date"] > today:
        raise Invalid({"meeting_date": _l("This date cannot lie in the future.")})


def _own_opinion(step: Step) -> ConsultationOpinion:
    assert step.person is not None
    found = _locked_opinions(step.session, step.record)
    return next(one for one in found if one.township_id == step.person.organisation_id)


def _reply(step: Step) -> None:
    opinion = _own_opinion(step)
    assert step.person is not None
    opinion.state = OpinionState.given
    opinion.opinion = step.values["opinion"]
    opinion.reasons = step.values["reasons"] or ""
    opinion.suggestion = step.values["suggestion"] or ""
    opinion.meeting_date = step.values["meeting_date"]
    opinion.signed_by = step.person.name
    opinion.replied_at = step.now
    for name in ("opinion", "reasons", "suggestion", "meeting_date"):
        if name in step.shown:
            step.shown[name] = event.Restricted(step.shown[name], opinion.township_id)
    _count(step.session, step.record)


def _lapse(step: Step) -> None:
    """The time to reply has run out: extended once, or on record as no opinion, or as consent – by the rule that was told when it was sent."""
    consultation: PersonnelConsultation = step.record
    calendar, late = work_calendar(step.session, consultation.county_id), []
    for opinion in _locked_opinions(step.session, consultation):
        if opinion.state != OpinionState.outstanding or opinion.due >= step.now:
            continue
        if consultation.lapse_rule == LapseRule.extension and not opinion.extended:
            opinion.extended = True
            extension = setting(step.session, consultation.county_id, "consultation_extension")
            opinion.due = calendar.deadline(step.now, extension)
        else:
            opinion.state = OpinionState.lapsed
            opinion.lapsed_at = step.now
            opinion.deemed_consent = consultation.lapse_rule == LapseRule.consent
        late.append(opinion.township)
    named = shown_value(late)
    step.shown["township"] = event.Restricted(named, late[0].id) if len(late) == 1 else named
    _count(step.session, consultation)
    if not consultation.outstanding:
        _all_in(step)


def _all_in(step: Step) -> None:
    step.record.state = ConsultationState.replied
    step.record.replied_at = step.now


def settle(step: Step) -> None:
    """Automatic follow-up: with the last opinion in, the consultation waits for the decision."""
    consultation: PersonnelConsultation = step.record
    if consultation.state == ConsultationState.consulting and not consultation.outstanding:
        shown = {"state": {"old": "consulting", "new": "replied"}}
        perform_automatic(step.session, consultation, "all_opinions_in", _all_in, shown)


# Deciding


def _not_coordinable(consultation: PersonnelConsultation, now: datetime) -> Any:
    session = sa.orm.object_session(consultation)
    assert session is not None
    if not consultation.chief:
        return _l("Only disagreement on a head is coordinated, not on a deputy.")
    if not any(one.opinion == Opinion.disagree for one in _locked_opinions(session, consultation)):
        return _l("No township disagrees: there is nothing to coordinate.")
    return None


def _coordinate(step: Step) -> None:
    step.record.coordination = step.values["coordination"]
    step.record.coordinated_at = step.now


def _decide_guard(step: Step) -> None:
    """No decision before every opinion is in or lapsed; then by the county's rule (`hear`, `consent`)."""
    consultation: PersonnelConsultation = step.record
    opinions = _locked_opinions(step.session, consultation)
    if not opinions or any(one.state == OpinionState.outstanding for one in opinions):
        raise Conflict(_l("An opinion is still outstanding. No decision before every opinion is in or has lapsed."))
    if step.values["decision"] != Decision.as_proposed:
        return
    if setting(step.session, consultation.county_id, "consultation_rule") == ConsultationRule.consent and not all(
        one.consents for one in opinions
    ):
        raise Invalid({"decision": _l("In this county the change needs the consent of the Party committee.")})
    against = any(one.opinion in (Opinion.disagree, Opinion.defer) for one in opinions)
    if against and not step.values["reasoned_reply"]:
        raise Invalid(
            {
                "reasoned_reply": _l(
                    "Please give the Party committee a reasoned written reply: its opinion is not followed."
                )
            }
        )


def _decide(step: Step) -> None:
    consultation: PersonnelConsultation = step.record
    consultation.decision = step.values["decision"]
    consultation.decision_text = step.values["decision_text"]
    consultation.reasoned_reply = step.values["reasoned_reply"] or ""
    consultation.decided_at = step.now


def _inform(step: Step) -> None:
    step.record.informed_at = step.now


def _withdraw(step: Step) -> None:
    step.record.outstanding = 0  # first: the database lets nothing but a draft and a running consultation have any
    for opinion in _locked_opinions(step.session, step.record):
        if opinion.state == OpinionState.outstanding:
            opinion.state = OpinionState.void
    _count(step.session, step.record)


PersonnelConsultation.workflow = Workflow(
    states=ConsultationState,
    after=settle,
    automatic=(
        Automatic(
            "lapse",
            _l("The time to reply has run out"),
            ("consulting",),
            None,
            due=lambda model, now: model.reply_due < now,
            effect=_lapse,
        ),
    ),
    transitions=(
        Transition(
            "send",
            _l("Send for opinion"),
            (PROPOSER,),
            ("draft",),
            obstacle=_no_names,
            guard=_send_guard,
            effect=_send,
            primary=True,
            icon="send",
            done=_l("Sent to the Party committee"),
            help=_l("The secretary of the township's Party committee replies; until then nothing can be decided."),
        ),
        Transition(
            "name_handlers",
            _l("Name handlers"),
            (PROPOSER, SECRETARY),
            ("draft", "consulting", "replied", "decided"),
            obstacle=_names_on_paper,
            guard=_handlers_guard,
            effect=_name_handlers,
            icon="user-plus",
            done=_l("Handlers named"),
            asks=(Field("handlers", _l("Handlers"), "references", target="person"),),
            help=_l("Only they read the names of the candidates."),
        ),
        Transition(
            "reply",
            _l("Reply for the Party committee"),
            (SECRETARY,),
            ("consulting",),
            guard=_reply_guard,
            effect=_reply,
            primary=True,
            icon="corner-up-left",
            done=_l("Opinion of the Party committee received"),
            asks=(
                Field("opinion", _l("Opinion"), "choice", choices=Opinion),
                Field("meeting_date", _l("Date of the Party committee's meeting"), "date"),
                Field(
                    "reasons",
                    _l("Reasons"),
                    "long_text",
                    required=False,
                    help=_l("Needed unless you agree. Without names, please."),
                ),
                Field("suggestion", _l("Suggestion"), "long_text", required=False),
            ),
            help=_l("The opinion of the Party committee, signed by you as its secretary."),
        ),
        Transition(
            "coordinate",
            _l("Enter result of coordination"),
            (COORDINATOR,),
            ("replied",),
            obstacle=_not_coordinable,
            effect=_coordinate,
            icon="users",
            done=_l("Coordinated by the organisation department"),
            asks=(Field("coordination", _l("Result of the coordination"), "long_text"),),
        ),
        Transition(
            "decide",
            _l("Enter decision"),
            (PROPOSER,),
            ("replied",),
            "decided",
            guard=_decide_guard,
            effect=_decide,
            primary=True,
            icon="gavel",
            done=_l("Decided"),
            asks=(
                Field("decision", _l("Decision"), "choice", choices=Decision),
                Field("decision_text", _l("Decision in words"), "long_text"),
                Field(
                    "reasoned_reply",
                    _l("Why the township's opinion is not followed"),
                    "long_text",
                    required=False,
                    help=_l("Needed if you go on as proposed although the Party committee does not agree."),
                ),
            ),
        ),
        Transition(
            "inform",
            _l("Inform township"),
            (PROPOSER,),
            ("decided",),
            "done",
            effect=_inform,
            primary=True,
            icon="mail-forward",
            done=_l("Township informed of the result"),
        ),
        Transition(
            "withdraw",
            _l("Withdraw"),
            (PROPOSER,),
            ("draft", "consulting", "replied"),
            "withdrawn",
            effect=_withdraw,
            asks=(Field("reason", _l("Reason"), "long_text"),),
            danger=True,
            icon="arrow-back-up",
            done=_l("Consultation withdrawn"),
        ),
    ),
)
