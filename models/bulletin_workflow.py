"""The workflow of bulletins as data: submitted by a supervisor, approved by others, and every case named gets its order (2.3)."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from models import viewer
from models.attachment import Attachment
from models.bulletin import Bulletin, BulletinKind, BulletinRecipient, BulletinState, Circulation
from models.bulletin_figures import Period, freeze
from models.calendar import work_calendar
from models.conclusion import Conclusion, Finding
from models.field import Field, Text
from models.inspection import SUPERVISOR, missing_fields
from models.organisation import Organisation, OrganisationKind
from models.paper import drafted, enter_paper_number, issue, preview, take_paper_number
from models.person import Person
from models.rectification import may_be_ordered, order
from models.refusal import Invalid
from models.setting import setting
from models.workflow import By, Step, Transition, Workflow, perform_automatic


def _not_submitter(bulletin: Any, person: viewer.Viewer) -> bool:
    """Nobody approves what he submitted (1, lines that must not be crossed)."""
    return bool(bulletin.county_id == person.county_id and bulletin.submitted_by_id != person.person_id)


LEADER = By(frozenset({"county_leader"}), _not_submitter)
DIRECTOR = By(frozenset({"office_director"}), _not_submitter)


# Drafting


def kind_of(bulletin: Bulletin) -> str:
    """The kind of paper that it becomes."""
    return str(bulletin.kind)


def period_of(bulletin: Bulletin) -> Period:
    """The days that a statistics bulletin is about."""
    assert bulletin.period_from is not None
    assert bulletin.period_to is not None
    return Period(bulletin.period_from, bulletin.period_to)


def _write_guard(step: Step) -> None:
    bulletin: Bulletin = step.record
    errors = missing_fields(bulletin, "period_from", "period_to") if bulletin.kind == BulletinKind.statistics else {}
    if bulletin.kind == BulletinKind.criticism and not bulletin.cases:
        errors["cases"] = _l("Please choose the conclusions that the criticism is about first.")
    if errors:
        raise Invalid(errors)


def _write(step: Step) -> None:
    """Figures are frozen at this instant, and the texts are written from them and the cases. What was typed stays in the event."""
    bulletin: Bulletin = step.record
    write(step.session, bulletin, step.now)
    for name, text in drafted(step.session, kind_of(bulletin), bulletin).items():
        before = getattr(bulletin, name)
        setattr(bulletin, name, text)
        if before and before != text:
            step.shown[name] = {"old": before, "new": text}


def write(session: Session, bulletin: Bulletin, now: datetime) -> None:
    """Freeze the figures of a statistics bulletin, and propose the day by which departments put right."""
    if bulletin.kind == BulletinKind.statistics:
        bulletin.snapshot = freeze(session, bulletin.county_id, period_of(bulletin), now)
        bulletin.frozen_at = now
    if bulletin.rectify_until is None and any(one.conclusion.faulty for one in bulletin.cases):
        calendar = work_calendar(session, bulletin.county_id)
        limit = setting(session, bulletin.county_id, "rectification_limit")
        bulletin.rectify_until = calendar.local_date(calendar.deadline(now, limit))
    session.flush()


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
    if bulletin.kind == BulletinKind.statistics and bulletin.snapshot is None and "period_to" not in errors:
        errors["text"] = _l("Please take the figures first (“Write from the figures”).")
    if errors:
        raise Invalid(errors)
    preview(step.session, kind_of(bulletin), bulletin, issuer=bulletin.office)


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
    bulletin.return_code = "-".join("".join(secrets.choice(CODE) for _place in range(4)) for _part in range(2))
    step.session.flush()
    issue(step.session, "approval_sheet", bulletin, issuer=bulletin.office, recipients=[bulletin.office])


CODE = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Signs of a return code: none that is mistaken for another."""

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


def _sheet_guard(step: Step) -> None:
    """A paper signature counts with the code of the sheet that was signed and its scan (2.3)."""
    _approve_guard(step)
    bulletin: Bulletin = step.record
    if step.values["on_behalf_of"] is None:
        return
    typed = "".join(filter(str.isalnum, (step.values["return_code"] or "").upper()))
    if typed != bulletin.return_code.replace("-", ""):
        raise Invalid(
            {
                "return_code": _l(
                    "This is not the code of the sheet for the present text. Please look at the signed sheet."
                )
            }
        )
    table = sa.inspect(Attachment).local_table
    scans = sa.select(table.c.id).where(
        table.c.record_type == Bulletin.resource(),
        table.c.record_id == bulletin.id,
        table.c.uploaded_at >= bulletin.submitted_at,
    )
    if step.session.connection().scalar(scans.limit(1)) is None:
        raise Invalid({"on_behalf_of": _l("Please attach the scan of the signed sheet first.")})


def _rectify_guard(bulletin: Bulletin, now: datetime) -> Text | None:
    """A day for putting right that has passed cannot be ordered any more."""
    session = sa.orm.object_session(bulletin)
    if bulletin.rectify_until is None or session is None or not any(one.conclusion.faulty for one in bulletin.cases):
        return None
    if bulletin.rectify_until <= work_calendar(session, bulletin.county_id).local_date(now):
        return _l("The day by which departments must put right has come already. Please send the bulletin back.")
    return None


def _standing(bulletin: Bulletin, now: datetime) -> Text | None:
    """What hinders the issue: a case that was taken back, a day that has passed."""
    return _taken_back(bulletin, now) or _rectify_guard(bulletin, now)


def _approve(step: Step) -> None:
    bulletin: Bulletin = step.record
    bulletin.approved_at = step.now
    bulletin.approved_by_id = step.person.person_id if step.person else None
    bulletin.approved_for = step.values["on_behalf_of"]
    bulletin.issue_separately = bool(step.values["issue_separately"])
    bulletin.number = _entered(step)


def _send_back(step: Step) -> None:
    step.record.submitted_at = None
    step.record.submitted_by_id = None


# Issuing


def _entered(step: Step) -> str | None:
    """The document room's own number, if one was entered."""
    given, bulletin = (step.values["number"] or "").strip(), step.record
    if not given:
        present: str | None = bulletin.number
        return present
    return enter_paper_number(step.session, kind_of(bulletin), bulletin.office_id, bulletin.county_id, given, "number")


def _issue(step: Step) -> None:
    """The number is taken in the transaction that issues; every case named gets its order, or its superior a letter."""
    bulletin: Bulletin = step.record
    kind = kind_of(bulletin)
    if "number" in step.values:
        bulletin.number = _entered(step)
    if bulletin.number is None:
        bulletin.number = take_paper_number(step.session, kind, bulletin.office_id, bulletin.county_id)
    bulletin.issued_at = step.now
    step.shown["number"] = bulletin.number
    step.session.flush()
    addressed = [one.organisation for one in bulletin.ordered_recipients]
    bulletin.document = issue(
        step.session, kind, bulletin, issuer=bulletin.office, recipients=addressed, number=bulletin.number
    )
    for case in bulletin.ordered_cases:
        if case.conclusion.faulty and not may_be_ordered(case.department):
            issue(
                step.session, "superior_letter", case.conclusion, issuer=bulletin.office, recipients=[case.department]
            )
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


def _correct_guard(step: Step) -> None:
    _approve_guard(step)
    if not step.values["text"] and all(one.conclusion.citable for one in step.record.cases):
        raise Invalid({"text": _l("No case of this bulletin was taken back. Please write what is corrected.")})


def _correction(step: Step) -> None:
    """The circular that corrects or revokes goes to whoever received the bulletin, which stays as it is."""
    bulletin: Bulletin = step.record
    bulletin.correction = (step.values["text"] if "text" in step.values else step.values["reason"]) or ""
    step.session.flush()
    made = issue(
        step.session,
        "correction",
        bulletin,
        issuer=bulletin.office,
        recipients=[one.organisation for one in bulletin.ordered_recipients],
    )
    bulletin.correction = made.context["text"]
    step.shown["number"] = made.number


ON_BEHALF_OF = Field(
    "on_behalf_of",
    _l("On behalf of"),
    "reference",
    required=False,
    target="person",
    help=_l("The county leader who signed on paper; leave empty if you approve yourself."),
)

NUMBER = Field(
    "number",
    _l("Number of the document room"),
    required=False,
    length=60,
    help=_l("Leave empty to take the portal's next number."),
)

Bulletin.workflow = Workflow(
    states=BulletinState,
    lock=lambda session, bulletin: [(Conclusion, key) for key in sorted(one.conclusion_id for one in bulletin.cases)],
    after=_issue_approved,
    transitions=(
        Transition(
            "write",
            _l("Write from the figures and cases"),
            (SUPERVISOR,),
            ("draft",),
            guard=_write_guard,
            effect=_write,
            icon="writing",
            done=_l("Bulletin written from figures and cases"),
            help=_l(
                "Takes the figures of this moment and writes title and text anew. What you typed stays in the timeline."
            ),
        ),
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
            obstacle=_standing,
            guard=_sheet_guard,
            effect=_approve,
            primary=True,
            icon="signature",
            done=_l("Bulletin approved"),
            help=_l("The bulletin is issued at once, and the departments named are ordered to rectify."),
            asks=(
                ON_BEHALF_OF,
                Field(
                    "return_code",
                    _l("Return code of the signed sheet"),
                    required=False,
                    length=12,
                    help=_l("At the lower right of the sheet; only for a signature on paper."),
                ),
                NUMBER,
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
            obstacle=_standing,
            effect=_issue,
            asks=(NUMBER,),
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
            guard=_correct_guard,
            effect=_correction,
            icon="pencil",
            done=_l("Bulletin corrected"),
            help=_l("The issued bulletin stays as it is; its recipients read the correction beside it."),
            asks=(
                Field(
                    "text",
                    _l("Correction"),
                    "long_text",
                    required=False,
                    help=_l("What a review changed is told by itself; write here what else is corrected."),
                ),
                ON_BEHALF_OF,
            ),
        ),
        Transition(
            "revoke",
            _l("Revoke bulletin"),
            (LEADER, DIRECTOR),
            ("issued", "corrected"),
            "revoked",
            guard=_approve_guard,
            effect=_correction,
            danger=True,
            icon="ban",
            done=_l("Bulletin revoked"),
            asks=(Field("reason", _l("Reason"), "long_text"), ON_BEHALF_OF),
        ),
    ),
)
