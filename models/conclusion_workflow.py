"""The workflow of conclusions as data: nothing is found before the department was heard, or kept silent (2.3)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from models import clock
from models.calendar import work_calendar
from models.conclusion import Conclusion, ConclusionState, Finding, assignment_of, not_given
from models.field import Field, Text
from models.inspection import SUPERVISOR, missing_fields
from models.no_action import grounds_of_no_action
from models.paper import issue, take_paper_number
from models.refusal import Invalid
from models.setting import setting
from models.workflow import By, Step, Transition, Workflow

DEPARTMENT = By(
    frozenset({"department_officer"}), lambda conclusion, person: conclusion.department_id == person.organisation_id
)


def _ask_guard(step: Step) -> None:
    conclusion: Conclusion = step.record
    if not conclusion.matter and conclusion.call is not None:
        conclusion.matter = conclusion.call.title
    errors = missing_fields(conclusion, "department", "matter", "facts")
    if "department" not in errors and (refused := not_given(conclusion)) is not None:
        errors["call"] = refused
    if errors:
        raise Invalid(errors)


def _ask(step: Step) -> None:
    conclusion: Conclusion = step.record
    conclusion.assignment = assignment_of(conclusion)
    conclusion.asked_at = step.now
    conclusion.asked_by_id = step.person.person_id if step.person else None
    conclusion.explain_due = work_calendar(step.session, conclusion.county_id).deadline(
        step.now, setting(step.session, conclusion.county_id, "explanation_limit")
    )
    step.shown["due"] = conclusion.explain_due
    assert conclusion.department is not None
    conclusion.letter = issue(
        step.session, "verification", conclusion, issuer=conclusion.office, recipients=[conclusion.department]
    )


def _explain(step: Step) -> None:
    step.record.explanation = step.values["explanation"]
    step.record.explained_at = step.now


def _not_heard(conclusion: Conclusion, now: datetime) -> Text | None:
    """The department is heard first; its silence counts only once its time is over."""
    if conclusion.explained_at is None and conclusion.explain_due is not None and now <= conclusion.explain_due:
        return _l("The department has not explained itself yet, and its time is not over.")
    return None


def _find_guard(step: Step) -> None:
    """“Response without action” has its grounds in the records, or a refuted report (2.2, end)."""
    conclusion: Conclusion = step.record
    assignment = conclusion.assignment
    if step.values["finding"] != Finding.no_action or assignment is None:
        return
    if not grounds_of_no_action(step.session, assignment, step.now):
        told = _l(
            "The records give no ground for this: the report is not outstanding without progress, no inspection refuted it, "
            "and the township was not dissatisfied twice."
        )
        raise Invalid({"finding": told})


def _find(step: Step) -> None:
    conclusion: Conclusion = step.record
    conclusion.finding = step.values["finding"]
    conclusion.finding_text = step.values["text"]
    conclusion.requirements = step.values["requirements"] or ""
    conclusion.found_by_id = step.person.person_id if step.person else None


def _serve(step: Step) -> None:
    """The number is taken in the transaction that serves. What the portal delivers is received at once."""
    conclusion: Conclusion = step.record
    conclusion.number = take_paper_number(step.session, "conclusion", conclusion.office_id, conclusion.county_id)
    conclusion.served_at = step.now
    conclusion.served_by_id = step.person.person_id if step.person else None
    step.shown["number"] = conclusion.number
    assert conclusion.department is not None
    conclusion.document = issue(
        step.session,
        "conclusion",
        conclusion,
        issuer=conclusion.office,
        recipients=[conclusion.department],
        number=conclusion.number,
    )


def review_until(conclusion: Conclusion) -> datetime | None:
    """Until when the department may ask for a review: 30 calendar days after it received the conclusion, unless set otherwise."""
    session = sa.orm.object_session(conclusion)
    if session is None or conclusion.served_at is None:
        return None
    limit = setting(session, conclusion.county_id, "review_limit")
    return work_calendar(session, conclusion.county_id).deadline(conclusion.served_at, limit)


def reviewable(conclusion: Any) -> bool:
    """Whether a review may still be asked for."""
    until = review_until(conclusion)
    return bool(conclusion.citable and until is not None and clock.now() <= until)


Conclusion.workflow = Workflow(
    states=ConclusionState,
    transitions=(
        Transition(
            "ask_explanation",
            _l("Ask for explanation"),
            (SUPERVISOR,),
            ("draft",),
            "explaining",
            guard=_ask_guard,
            effect=_ask,
            primary=True,
            icon="send",
            done=_l("Department asked to explain"),
            help=_l("The department reads the facts and explains itself; the facts are not changed afterwards."),
        ),
        Transition(
            "explain",
            _l("Explain"),
            (DEPARTMENT,),
            ("explaining",),
            effect=_explain,
            primary=True,
            icon="message",
            done=_l("Department explained itself"),
            asks=(
                Field(
                    "explanation",
                    _l("Explanation of the department"),
                    "long_text",
                    help=_l("Check the facts and say how it came about. No other papers are needed."),
                ),
            ),
        ),
        Transition(
            "find",
            _l("Record finding"),
            (SUPERVISOR,),
            ("explaining", "found"),
            "found",
            obstacle=_not_heard,
            guard=_find_guard,
            effect=_find,
            primary=True,
            icon="gavel",
            done=_l("Finding of the conclusion recorded"),
            asks=(
                Field("finding", _l("Finding"), "choice", choices=Finding),
                Field("text", _l("Grounds of the finding"), "long_text"),
                Field(
                    "requirements",
                    _l("What must be put right"),
                    "long_text",
                    required=False,
                    help=_l("Goes into the rectification order."),
                ),
            ),
        ),
        Transition(
            "serve",
            _l("Serve conclusion"),
            (SUPERVISOR,),
            ("found",),
            "served",
            effect=_serve,
            primary=True,
            icon="mail",
            done=_l("Conclusion served"),
            help=_l("Takes its number and reaches the department at once. It never changes afterwards."),
        ),
    ),
)
