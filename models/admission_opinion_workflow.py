"""The workflow of townships' opinions on off-list admissions as data, and what others may learn of them (2.5)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from models import viewer
from models.admission import Admission, AdmissionOpinion, AdmissionState, Answer, OpinionState
from models.field import Field, Text
from models.organisation import Organisation, OrganisationKind
from models.refusal import Invalid
from models.workflow import Automatic, By, Step, Transition, Workflow

TOWNSHIP_LEADER = By(frozenset({"township_leader"}), lambda one, person: one.township_id == person.organisation_id)


def live(admission: Admission) -> list[AdmissionOpinion]:
    """The opinions that count: those not void."""
    return [one for one in admission.opinions if one.state != OpinionState.void]


def in_state(admission: Admission, state: OpinionState) -> list[AdmissionOpinion]:
    return [one for one in admission.opinions if one.state == state]


@dataclass(frozen=True)
class Said:
    """What somebody answered, without whose answer it is."""

    answer: Answer | None
    """None: no reply, which is silence and never consent."""
    text: str
    void: bool


def anonymous_opinions(session: Session, admission_id: int) -> list[Said]:
    """The answers on an application as its applicant may read them: reasons, not names (2.5).

    Only once the consultation is over, and in an order that says nothing of who answered or when; townships named in a text are masked.
    """
    with viewer.system():
        admission = session.get_one(Admission, admission_id)
        if in_state(admission, OpinionState.outstanding) or admission.state == AdmissionState.consulting:
            return []
        names = township_names(session, admission.county_id)
        said = [
            Said(one.answer, names.sub("某乡镇（街道）", one.text), one.state == OpinionState.void)
            for one in admission.opinions
            if one.answer is not None or one.state == OpinionState.lapsed
        ]
    order = {answer: place for place, answer in enumerate((Answer.disagree, Answer.on_conditions, Answer.agree, None))}
    return sorted(said, key=lambda one: (one.void, order[one.answer], one.text))


def township_names(session: Session, county_id: int) -> re.Pattern[str]:
    """Whatever a township of the county is called by."""
    names: set[str] = set()
    for one in session.scalars(
        sa.select(Organisation).where(
            Organisation.county_id == county_id, Organisation.kind == OrganisationKind.township
        )
    ).unique():
        names |= {one.name, one.short_name, one.party_name, *(alias.name for alias in one.aliases)}
    longest_first = sorted(filter(None, names), key=len, reverse=True)
    return re.compile("|".join(re.escape(name) for name in longest_first) or r"(?!)")


def due_by(name: str) -> Callable[[Any, datetime], sa.ColumnElement[bool]]:
    def reached(model: Any, now: datetime) -> sa.ColumnElement[bool]:
        column: sa.ColumnElement[bool] = getattr(model, name) <= now
        return column

    return reached


def _consultation_over(opinion: AdmissionOpinion, now: datetime) -> Text | None:
    return None if opinion.admission.state == AdmissionState.consulting else _l("The consultation is over.")


def _opine_guard(step: Step) -> None:
    """A township that agrees need not write more than that; conditions and a disagreement need their words."""
    if step.values["answer"] != Answer.agree and not step.values["text"]:
        raise Invalid({"text": _l("Please write your conditions or reasons.")})


def _opine(step: Step) -> None:
    opinion: AdmissionOpinion = step.record
    opinion.answer = step.values["answer"]
    opinion.text = step.values["text"] or ""
    opinion.replied_at = step.now
    opinion.signed_by_id = step.person.person_id if step.person is not None else None


OPINION_WORKFLOW = Workflow(
    states=OpinionState,
    lock=lambda session, opinion: [(Admission, opinion.admission_id)],
    automatic=(Automatic("lapse", _l("No reply within the time"), ("outstanding",), "lapsed", due_by("due")),),
    transitions=(
        Transition(
            "opine",
            _l("Reply to the staffing office"),
            (TOWNSHIP_LEADER,),
            ("outstanding", "lapsed"),
            "given",
            obstacle=_consultation_over,
            guard=_opine_guard,
            effect=_opine,
            primary=True,
            icon="signature",
            done=_l("Opinion given"),
            help=_l("Signed by you for your township. The applicant reads the reasons, never who wrote them."),
            asks=(
                Field("answer", _l("Answer"), "choice", choices=Answer),
                Field(
                    "text",
                    _l("Conditions and reasons"),
                    "long_text",
                    required=False,
                    help=_l("Needed unless you simply agree. Do not name your township in it."),
                ),
            ),
        ),
    ),
)

AdmissionOpinion.workflow = OPINION_WORKFLOW
