"""The workflow of bulletins as data: submitted by a supervisor, approved by others, and every case named gets its order (2.3)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from models import viewer
from models.bulletin import Bulletin, BulletinKind, BulletinRecipient, BulletinState, Circulation
from models.conclusion import Conclusion, Finding
from models.field import Field, Text
from models.inspection import SUPERVISOR, missing_fields
from models.organisation import Organisation, OrganisationKind
from models.paper import take_paper_number
from models.person import Person
from models.rectification import order
from models.refusal import Invalid
from models.workflow import By, Step, Transition, Workflow, perform_automatic


def _not_submitter(bulletin: Any, person: viewer.Viewer) -> bool:
    """Nobody approves what he submitted (1, lines that must not be crossed)."""
    return bool(bulletin.county_id == person.county_id and bulletin.submitted_by_id != person.person_id)


LEADER = By(frozenset({"county_leader"}), _not_submitter)
DIRECTOR = By(frozenset({"office_director"}), _not_submitter)


# Submitting


def _submit_guard(step: Step) -> None:
    bulletin: Bulletin = step.record
    errors = missing_fields(bulletin, "title", "text")
    if bulletin.kind == BulletinKind.statistics:
        errors |= missing_fields(bulletin, "period_from", "period_to")
        begins, ends = bulletin.period_from, bulletin.period_to
        if begins is not None and ends is not None and ends < begins:
            errors["period_to"] = _l("The period ends before it begins.")
    elif not any(one.conclusion.finding != Finding.none for one in bulletin.cases):
        errors["cases"] = _l("Criticism cites at least one served conclusion with a finding.")
    if bulletin.circulation == Circulation.chosen and not bulletin.recipients:
        errors["recipients"] = _l("Please choose who receives this bulletin.")
    if errors:
        raise Invalid(errors)


def _taken_back(bulletin: Bulletin, now: datetime) -> Text | None:
    """What is submitted, approved or issued cites only conclusions that still stand."""
    gone = [str(one.conclusion.number) for one in bulletin.cases if not one.conclusion.citable]
    if gone:
        return _l(
            "%(numbers)s does not stand any more. Please take it out of the bulletin first.", numbers="、".join(gone)
        )
    return None


def _submit(step: Step) -> None:
    bulletin: Bulletin = step.record
    with step.session.no_autoflush:
        _address(step.session, bulletin)
    bulletin.submitted_at = step.now
    bulletin.submitted_by_id = step.person.person_id if step.person else None


KINDS = {
    Circulation.everyone: (OrganisationKind.office, OrganisationKind.department, OrganisationKind.township),
    Circulation.departments: (OrganisationKind.office, OrganisationKind.department),
    Circulation.chosen: (),
}


def _address(session: Session, bulletin: Bulletin) -> None:
    """Write down who receives it, so that organisations founded later do not."""
    present = {one.organisation_id for one in bulletin.recipients}
    query = sa.select(Organisation).where(
        Organisation.county_id == bulletin.county_id,
        Organisation.kind.in_(KINDS[bulletin.circulation]),
        Organisation.active,
        Organisation.id.not_in(present),
    )
    for one in session.scalars(query.order_by(Organisation.order, Organisation.id)):
        bulletin.recipients.append(BulletinRecipient(organisation=one))


# Approving


def _approve_guard(step: Step) -> None:
    bulletin: Bulletin = step.record
    leader: Person | None = step.values["on_behalf_of"]
    if step.person is not None and step.person.has_role("county_leader"):
        if leader is not None:
            raise Invalid({"on_behalf_of": _l("You approve in your own name.")})
        return
    if leader is None:
        if bulletin.for_county_head:
            raise Invalid(
                {"on_behalf_of": _l("Only a county leader approves this. Please name the leader who signed.")}
            )
        return
    if not leader.active or all(role.name != "county_leader" for role in leader.roles):
        raise Invalid({"on_behalf_of": _l("Please choose a county leader.")})
    if leader.id == bulletin.submitted_by_id:
        raise Invalid({"on_behalf_of": _l("Nobody approves what he submitted.")})


def _approve(step: Step) -> None:
    bulletin: Bulletin = step.record
    bulletin.approved_at = step.now
    bulletin.approved_by_id = step.person.person_id if step.person else None
    bulletin.approved_for = step.values["on_behalf_of"]
    bulletin.issue_separately = bool(step.values["issue_separately"])


def _send_back(step: Step) -> None:
    step.record.submitted_at = None
    step.record.submitted_by_id = None


# Issuing


def _issue(step: Step) -> None:
    """The number is taken in the transaction that issues; every case named gets a rectification order."""
    bulletin: Bulletin = step.record
    bulletin.number = take_paper_number(step.session, "bulletin", bulletin.office_id, bulletin.county_id)
    bulletin.issued_at = step.now
    step.shown["number"] = bulletin.number
    step.session.flush()
    for case in bulletin.ordered_cases:
        order(step, bulletin, case.conclusion)


def _issue_approved(step: Step) -> None:
    """Issuing is part of approving, unless the approver keeps it for later."""
    bulletin: Bulletin = step.record
    if bulletin.state != BulletinState.approved or bulletin.issue_separately:
        return

    def issue(automatic: Step) -> None:
        bulletin.state = BulletinState.issued
        _issue(automatic)

    perform_automatic(step.session, bulletin, "issue", issue, {"state": {"old": "approved", "new": "issued"}})


def _correct(step: Step) -> None:
    step.record.correction = step.values["text"]


def _revoke(step: Step) -> None:
    step.record.correction = step.values["reason"]


ON_BEHALF_OF = Field(
    "on_behalf_of",
    _l("On behalf of"),
    "reference",
    required=False,
    target="person",
    help=_l("The county leader who signed on paper; leave empty if you approve yourself."),
)

Bulletin.workflow = Workflow(
    states=BulletinState,
    lock=lambda session, bulletin: [(Conclusion, key) for key in sorted(one.conclusion_id for one in bulletin.cases)],
    after=_issue_approved,
    transitions=(
        Transition(
            "submit",
            _l("Submit for approval"),
            (SUPERVISOR,),
            ("draft",),
            "submitted",
            obstacle=_taken_back,
            guard=_submit_guard,
            effect=_submit,
            primary=True,
            icon="send",
            done=_l("Bulletin submitted for approval"),
        ),
        Transition(
            "approve",
            _l("Approve bulletin"),
            (LEADER, DIRECTOR),
            ("submitted",),
            "approved",
            obstacle=_taken_back,
            guard=_approve_guard,
            effect=_approve,
            primary=True,
            icon="signature",
            done=_l("Bulletin approved"),
            help=_l("The bulletin is issued at once, and the departments named are ordered to rectify."),
            asks=(
                ON_BEHALF_OF,
                Field(
                    "issue_separately",
                    _l("Issue separately"),
                    "boolean",
                    required=False,
                    help=_l("The supervision office issues it later."),
                ),
            ),
        ),
        Transition(
            "send_back",
            _l("Send back"),
            (LEADER, DIRECTOR),
            ("submitted",),
            "draft",
            effect=_send_back,
            icon="arrow-back-up",
            done=_l("Bulletin sent back"),
            asks=(Field("reason", _l("What must be changed"), "long_text"),),
        ),
        Transition(
            "issue",
            _l("Issue bulletin"),
            (SUPERVISOR,),
            ("approved",),
            "issued",
            obstacle=_taken_back,
            effect=_issue,
            primary=True,
            icon="mail",
            done=_l("Bulletin issued"),
        ),
        Transition(
            "correct",
            _l("Correct bulletin"),
            (LEADER, DIRECTOR),
            ("issued", "corrected"),
            "corrected",
            guard=_approve_guard,
            effect=_correct,
            icon="pencil",
            done=_l("Bulletin corrected"),
            help=_l("The issued bulletin stays as it is; its recipients read the correction beside it."),
            asks=(Field("text", _l("Correction"), "long_text"), ON_BEHALF_OF),
        ),
        Transition(
            "revoke",
            _l("Revoke bulletin"),
            (LEADER, DIRECTOR),
            ("issued", "corrected"),
            "revoked",
            guard=_approve_guard,
            effect=_revoke,
            danger=True,
            icon="ban",
            done=_l("Bulletin revoked"),
            asks=(Field("reason", _l("Reason"), "long_text"), ON_BEHALF_OF),
        ),
    ),
)
