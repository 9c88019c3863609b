"""The workflow of off-list admissions and of the townships' opinions, as data (2.5)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext
from sqlalchemy.orm import Session

from models import event, viewer
from models.admission import (
    CONTENT,
    ONCE_ADMITTED,
    TOWNSHIPS,
    Admission,
    AdmissionOpinion,
    AdmissionState,
    Answer,
    OpinionState,
)
from models.admission_opinion_workflow import due_by, in_state, live
from models.calendar import work_calendar
from models.document import take_number
from models.field import Field, Text
from models.organisation import Organisation, OrganisationKind
from models.refusal import Invalid
from models.setting import setting
from models.workflow import Automatic, By, Step, Transition, Workflow, perform_automatic
from models.worktime import Limit, Unit

APPLICANT = By(frozenset({"department_officer"}), lambda one, person: one.applicant_id == person.organisation_id)


def _not_filer(admission: Any, person: viewer.Viewer) -> bool:
    """Nobody decides what he filed (spec 1)."""
    return admission.county_id == person.county_id and person.person_id not in (
        admission.submitted_by_id,
        admission.created_by_id,
    )


STAFFING = By(frozenset({"checklist_manager"}), _not_filer)
LEGAL = By(frozenset({"legal_reviewer"}), _not_filer)
LEADER = By(frozenset({"county_leader"}), _not_filer)


# The consultation


def _disagreed(admission: Admission) -> bool:
    return any(one.answer == Answer.disagree for one in live(admission))


def _outstanding(admission: Admission, now: datetime) -> Text | None:
    """No further step while an opinion is outstanding (2.5)."""
    count = len(in_state(admission, OpinionState.outstanding))
    if not count:
        return None
    return lazy_ngettext(
        "%(count)d opinion of a township is still outstanding.",
        "%(count)d opinions of townships are still outstanding.",
        count,
        count=count,
    )


def _unconsulted(admission: Admission, now: datetime) -> Text | None:
    return _outstanding(admission, now) or (None if live(admission) else _l("No township has been consulted."))


# Submitting


def _submit_guard(step: Step) -> None:
    admission: Admission = step.record
    wanted = (*CONTENT, "townships")
    errors: dict[str, Text] = {
        name: _l("Please fill in this field.") for name in wanted if not getattr(admission, name)
    }
    if "townships" not in errors and len(_chosen(step.session, admission)) != len(admission.townships):
        errors["townships"] = _l("Please choose townships of this county.")
    if "term_months" not in errors and not _within_longest(step):
        errors["term_months"] = _l("The term is longer than the county allows.")
    if "matter" not in errors and (refused := _renewal(step)):
        errors |= refused
    if errors:
        raise Invalid(errors)


def _chosen(session: Session, admission: Admission) -> Sequence[Organisation]:
    query = sa.select(Organisation).where(
        Organisation.id.in_(admission.townships),
        Organisation.county_id == admission.county_id,
        Organisation.kind == OrganisationKind.township,
        Organisation.active,
    )
    return session.scalars(query).all()


def _within_longest(step: Step) -> bool:
    """Whether the term, counted from now, ends no later than the county's longest; 12 months unless set otherwise."""
    admission: Admission = step.record
    months = admission.term_months or 0
    if not 1 <= months <= 1200:
        return False
    calendar = work_calendar(step.session, admission.county_id)
    longest = setting(step.session, admission.county_id, "admission_longest_term")
    if longest.unit is Unit.calendar_months:
        return bool(months <= longest.amount)
    term = Limit(months, Unit.calendar_months)
    return calendar.deadline(step.now, term) <= calendar.deadline(step.now, longest)


def _renewal(step: Step) -> dict[str, Text]:
    """The same matter may be renewed at most once; it is the same under another punctuation, and whoever applies."""
    admission: Admission = step.record
    earlier = admission.renewal_of
    if earlier is not None:
        if earlier.applicant_id != admission.applicant_id or earlier.state not in ONCE_ADMITTED:
            return {"renewal_of": _l("Please choose one of your own admissions that was in force.")}
        if earlier.renewal_of_id is not None:
            return {"renewal_of": _l("This matter was renewed before; it cannot be renewed again.")}
        taken = step.session.scalar(
            sa.select(Admission.id).where(
                Admission.renewal_of_id == earlier.id,
                Admission.id != admission.id,
                Admission.state.not_in((AdmissionState.draft, AdmissionState.refused, AdmissionState.withdrawn)),
            )
        )
        return {"renewal_of": _l("This matter was renewed before; it cannot be renewed again.")} if taken else {}
    before = step.session.execute(
        sa.select(Admission.matter, Admission.id).where(
            Admission.county_id == admission.county_id,
            Admission.id != admission.id,
            Admission.state.in_(ONCE_ADMITTED),
        )
    )
    if any(_same(row.matter) == _same(admission.matter) for row in before):
        return {"matter": _l("This matter was admitted before. Please name the admission that is to be renewed.")}
    return {}


def _same(matter: str) -> str:
    """A matter's wording without spaces and punctuation."""
    return re.sub(r"[\W_]+", "", matter).lower()


def _submit(step: Step) -> None:
    admission: Admission = step.record
    if admission.number is None:
        year = work_calendar(step.session, admission.county_id).local_date(step.now).year
        admission.number = f"准{year}-{take_number(step.session, admission.county_id, 'admission', year):04d}"
    admission.submitted_at = step.now
    admission.submitted_by_id = step.person.person_id if step.person is not None else None
    if admission.content_digest is not None and admission.digest() != admission.content_digest:
        _void(step, live(admission))
        admission.content_digest = None


def _void(step: Step, opinions: Sequence[AdmissionOpinion]) -> None:
    """What was said of another content counts no more; it stays readable."""
    for opinion in opinions:
        old = str(opinion.state)

        def void(automatic: Step) -> None:
            automatic.record.state = OpinionState.void

        perform_automatic(step.session, opinion, "void_opinion", void, {"state": {"old": old, "new": "void"}})


# Consulting


def _consult(step: Step) -> None:
    """One opinion for every township concerned; those given on the same content stand."""
    admission: Admission = step.record
    step.shown.clear()  # the applicant reads this timeline: who is asked stands on the opinions alone
    due = work_calendar(step.session, admission.county_id).deadline(
        step.now, setting(step.session, admission.county_id, "admission_opinion_limit")
    )
    answered = {one.township_id for one in live(admission)}
    asked = []
    for township in step.values["townships"]:
        if township.id not in answered:
            opinion = AdmissionOpinion(
                county_id=admission.county_id, admission=admission, township=township, asked_at=step.now, due=due
            )
            step.session.add(opinion)
            asked.append(opinion)
    admission.content_digest = admission.digest()
    step.session.flush()
    for opinion in asked:
        event.append(step.session, opinion, "automatic", "ask_opinion", {"due": due})


# After the consultation


def _to_legal_fields(admission: Any) -> tuple[Field, ...]:
    """Going on without a reply needs the staffing office's written reason."""
    return (SILENCE_REASON,) if in_state(admission, OpinionState.lapsed) else ()


SILENCE_REASON = Field(
    "silence_reason",
    _l("Why it goes on without every reply"),
    "long_text",
    help=_l("A missing reply is shown as silence, never as consent."),
)


def _to_legal(step: Step) -> None:
    reason = step.values.get("silence_reason")
    step.record.silence_reason = reason or ""
    if reason and step.person is not None and step.person.organisation_id is not None:
        step.shown["silence_reason"] = event.Restricted(reason, step.person.organisation_id)


def _pass(step: Step) -> None:
    step.record.legal_opinion = step.values["text"]


def _approve_fields(admission: Any) -> tuple[Field, ...]:
    return (AGAINST,) if _disagreed(admission) else (REMARK,)


AGAINST = Field(
    "reason",
    _l("Why it is approved although a township disagrees"),
    "long_text",
    help=_l("The applicant reads this; name no township."),
)
REMARK = Field("reason", _l("Remark"), "long_text", required=False)


def _approve(step: Step) -> None:
    admission: Admission = step.record
    calendar = work_calendar(step.session, admission.county_id)
    assert admission.term_months is not None
    admission.ruling = step.values["reason"] or ""
    admission.approved_at = admission.in_force_from = step.now
    admission.approved_by_id = step.person.person_id if step.person is not None else None
    admission.in_force_until = calendar.deadline(step.now, Limit(admission.term_months, Unit.calendar_months))
    warning = setting(step.session, admission.county_id, "admission_warning")
    admission.warn_at = max(step.now, calendar.back(admission.in_force_until, warning))
    step.shown["in_force_until"] = admission.in_force_until


def _refuse(step: Step) -> None:
    step.record.ruling = step.values["reason"]


def _ended(step: Step) -> None:
    step.record.ended_at = step.now


def _withdraw(step: Step) -> None:
    _ended(step)
    _void(step, in_state(step.record, OpinionState.outstanding))


def _warn(step: Step) -> None:
    step.record.warned_at = step.now
    step.shown["in_force_until"] = step.record.in_force_until


def _warning_due(model: Any, now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(model.warn_at <= now, model.warned_at.is_(None))


REASON = Field("reason", _l("Reason"), "long_text")

ADMISSION_WORKFLOW = Workflow(
    states=AdmissionState,
    automatic=(
        Automatic("warn", _l("Expires soon"), ("in_force",), None, _warning_due, _warn),
        Automatic("expire", _l("Expired"), ("in_force",), "expired", due_by("in_force_until"), _ended),
    ),
    transitions=(
        Transition(
            "submit",
            _l("Submit application"),
            (APPLICANT,),
            ("draft",),
            "submitted",
            guard=_submit_guard,
            effect=_submit,
            primary=True,
            icon="send",
            done=_l("Application submitted"),
            help=_l("The staffing office asks every township concerned for its written opinion."),
        ),
        Transition(
            "consult",
            _l("Consult the townships"),
            (STAFFING,),
            ("submitted",),
            "consulting",
            effect=_consult,
            primary=True,
            icon="messages",
            done=_l("Townships consulted"),
            help=_l(
                "Each township concerned replies to the staffing office; the applicant learns the reasons, never whose."
            ),
            asks=(
                Field(
                    "townships",
                    _l("Townships to be consulted"),
                    "references",
                    target="organisation",
                    only=TOWNSHIPS,
                    default=lambda admission, person: admission.townships,
                ),
            ),
        ),
        Transition(
            "to_legal",
            _l("Send to legality review"),
            (STAFFING,),
            ("consulting",),
            "legal_review",
            asks_for=_to_legal_fields,
            may_ask=(SILENCE_REASON,),
            obstacle=_unconsulted,
            effect=_to_legal,
            primary=True,
            icon="scale",
            done=_l("Sent to legality review"),
        ),
        Transition(
            "pass",
            _l("Find it lawful"),
            (LEGAL,),
            ("legal_review",),
            "approval",
            effect=_pass,
            asks=(Field("text", _l("Legal opinion"), "long_text"),),
            primary=True,
            icon="gavel",
            done=_l("Found lawful"),
        ),
        Transition(
            "return_for_change",
            _l("Return for change"),
            (LEGAL,),
            ("legal_review",),
            "draft",
            asks=(REASON,),
            icon="arrow-back-up",
            done=_l("Returned for change"),
            help=_l("If the content changes, the townships are consulted again."),
        ),
        Transition(
            "approve",
            _l("Approve"),
            (LEADER,),
            ("approval",),
            "in_force",
            obstacle=_unconsulted,
            effect=_approve,
            asks_for=_approve_fields,
            may_ask=(AGAINST,),
            primary=True,
            icon="signature",
            done=_l("Admission approved"),
            help=_l("It is in force for its term from now on and expires by itself."),
        ),
        Transition(
            "refuse",
            _l("Do not approve"),
            (LEADER,),
            ("approval",),
            "refused",
            effect=_refuse,
            asks=(REASON,),
            danger=True,
            icon="x",
            done=_l("Admission not approved"),
        ),
        Transition(
            "end",
            _l("End early"),
            (STAFFING,),
            ("in_force",),
            "ended",
            effect=_ended,
            asks=(REASON,),
            danger=True,
            icon="square-x",
            done=_l("Admission ended early"),
        ),
        Transition(
            "withdraw",
            _l("Withdraw"),
            (APPLICANT,),
            ("draft", "submitted", "consulting", "legal_review", "approval"),
            "withdrawn",
            effect=_withdraw,
            asks=(REASON,),
            danger=True,
            icon="arrow-back-up",
            done=_l("Application withdrawn"),
        ),
    ),
)

Admission.workflow = ADMISSION_WORKFLOW
