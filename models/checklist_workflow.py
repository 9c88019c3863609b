"""The workflow of checklists and of taking items off a derived one, as data (2.4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from models import viewer
from models.calendar import work_calendar
from models.checklist import (
    COUNTY_WRITES,
    Checklist,
    ChecklistItem,
    ChecklistState,
    OriginStatus,
    body_of,
    items_open,
)
from models.checklist_derivation import derive, same_as_origin
from models.field import Field, Text
from models.organisation import Organisation
from models.person import Person
from models.refusal import Invalid
from models.workflow import Automatic, By, Step, Transition, Workflow, perform_automatic
from models.worktime import WorkCalendar


def _own(record: Any, person: viewer.Viewer) -> bool:
    return bool(record.county_id == body_of(person))


MANAGER = By(frozenset({"checklist_manager"}), _own)
HEIR = By(
    frozenset({"checklist_manager"}),
    lambda checklist, person: checklist.owner_id in person.lineage_ids | {body_of(person)},
)
"""Who may make a list from this one: whoever keeps lists of its owner or of a level below."""
APPROVER = By(
    frozenset({"county_leader", "office_director"}),
    lambda checklist, person: _own(checklist, person) and checklist.created_by_id != person.person_id,
)
"""The county leader, or the office director who enters it for him; nobody approves what he filed (spec 1)."""


def leader_of(record: Any, person: viewer.Viewer) -> str:
    """Whose decision it is: the person's own if he leads the county, else the first county leader's name."""
    session = sa.orm.object_session(record)
    if person.has_role("county_leader") or session is None:
        return person.name
    leaders = sa.select(Person).where(
        Person.organisation_id == record.county_id, Person.active, Person.roles.any(name="county_leader")
    )
    leader = session.scalars(leaders.order_by(Person.id).limit(1)).first()
    return leader.name if leader is not None else ""


# Derive


def _next_name(checklist: Any, person: viewer.Viewer) -> str:
    return str(checklist.name)


def _derive(step: Step) -> None:
    assert step.person is not None
    owner = step.session.get_one(Organisation, body_of(step.person))
    made = derive(step.session, step.record, owner, step.values["name"])
    step.shown["checklist"] = {"id": made.id, "name": made.title}


# Approve


def _incomplete(checklist: Checklist, now: datetime) -> Text | None:
    """What stands in the way of approval: no matters, or a step that leads to a number that there is not."""
    if not any(item.origin_status != OriginStatus.removed for item in checklist.items):
        return _l("This list has no matters yet.")
    for item in checklist.items:
        numbers = {step.number for step in item.steps}
        for step in item.steps:
            if any(number not in numbers for number in step.following):
                return _l(
                    "Item %(item)d, step %(step)d leads to a step that does not exist.",
                    item=item.number,
                    step=step.number,
                )
    return None


def _today(session: Session, checklist: Checklist, now: datetime) -> date:
    return work_calendar(session, checklist.county_id).local_date(now)


def _approve_guard(step: Step) -> None:
    begins = step.values["effective_from"]
    if begins < _today(step.session, step.record, step.now) - timedelta(days=366):
        raise Invalid({"effective_from": _l("This day lies more than a year back.")})
    latest = step.session.scalar(
        sa.select(sa.func.max(Checklist.effective_from)).where(
            Checklist.owner_id == step.record.owner_id,
            Checklist.scheme == step.record.scheme,
            Checklist.state.in_((ChecklistState.approved, ChecklistState.in_force)),
        )
    )
    if latest is not None and begins <= latest:
        raise Invalid(
            {
                "effective_from": _l(
                    "A version approved before begins on %(day)s; this one must begin later.", day=latest
                )
            }
        )


def _approve(step: Step) -> None:
    checklist: Checklist = step.record
    checklist.effective_from = step.values["effective_from"]
    checklist.signed_by = step.values["signed_by"]
    checklist.decision = step.values["decision"] or ""
    checklist.approved_at = step.now
    checklist.approved_by_id = step.person.person_id if step.person is not None else None


# Into force


def _begins(model: Any, now: datetime) -> sa.ColumnElement[bool]:
    today = now.astimezone(WorkCalendar().zone).date()
    return sa.and_(model.effective_from.is_not(None), model.effective_from <= today)


def _enter_into_force(step: Step) -> None:
    """The version before ends in the same step: at most one of an owner and kind of list is in force at any moment."""
    checklist: Checklist = step.record
    assert checklist.effective_from is not None
    with step.session.no_autoflush:
        before = step.session.scalars(
            sa.select(Checklist)
            .where(
                Checklist.owner_id == checklist.owner_id,
                Checklist.scheme == checklist.scheme,
                Checklist.state == ChecklistState.in_force,
            )
            .with_for_update()
        ).one_or_none()
    if before is not None:
        perform_automatic(
            step.session,
            before,
            "supersede",
            _superseded_from(checklist.effective_from),
            {
                "state": {"old": "in_force", "new": "superseded"},
                "checklist": {"id": checklist.id, "name": checklist.title},
            },
        )
    checklist.state = ChecklistState.in_force


def _superseded_from(begins: date) -> Callable[[Step], None]:
    def supersede(step: Step) -> None:
        step.record.state = ChecklistState.superseded
        step.record.effective_to = begins - timedelta(days=1)

    return supersede


CHECKLIST_WORKFLOW = Workflow(
    states=ChecklistState,
    lock=lambda session, checklist: [(Organisation, checklist.owner_id)],
    automatic=(
        Automatic("enter_into_force", _l("Entered into force"), ("approved",), None, _begins, _enter_into_force),
    ),
    transitions=(
        Transition(
            "approve",
            _l("Approve"),
            (APPROVER,),
            ("draft",),
            "approved",
            obstacle=_incomplete,
            guard=_approve_guard,
            effect=_approve,
            primary=True,
            icon="signature",
            done=_l("Checklist approved"),
            help=_l("From then on the version never changes. It enters into force by itself on its day."),
            asks=(
                Field("effective_from", _l("Effective from"), "date", default=lambda one, person: one.effective_from),
                Field(
                    "signed_by",
                    _l("Approved by"),
                    length=60,
                    default=leader_of,
                    help=_l("The county leader whose approval this is; a secretary enters it for him."),
                ),
                Field("decision", _l("Number of the decision"), length=60, required=False),
            ),
        ),
        Transition(
            "derive",
            _l("Make a new version"),
            (HEIR,),
            ("approved", "in_force", "superseded"),
            effect=_derive,
            icon="git-merge",
            done=_l("New version begun"),
            help=_l("A draft that starts from these matters; each remembers where it comes from."),
            asks=(Field("name", _l("Name of the new version"), length=120, default=_next_name),),
        ),
    ),
)

Checklist.workflow = CHECKLIST_WORKFLOW


# Items


def _not_on_a_draft(item: ChecklistItem, now: datetime) -> Text | None:
    if item.checklist.state != ChecklistState.draft:
        return _l("An approved version never changes. Please begin a new version.")
    session = sa.orm.object_session(item)
    return None if session is None or items_open(session, item.checklist) else COUNTY_WRITES


def _taken_over(item: ChecklistItem, now: datetime) -> Text | None:
    if item.root_id is None:
        return _l("This matter was added here; it can simply be deleted.")
    return _not_on_a_draft(item, now)


def _remove(step: Step) -> None:
    step.record.removed_reason = step.values["reason"]


def _restore(step: Step) -> None:
    item: ChecklistItem = step.record
    status = OriginStatus.inherited if same_as_origin(item) else OriginStatus.adjusted
    item.origin_status = status if item.origin_id is not None else OriginStatus.added
    item.removed_reason = ""


ITEM_WORKFLOW = Workflow(
    states=OriginStatus,
    lock=lambda session, item: [(Checklist, item.checklist_id)],
    transitions=(
        Transition(
            "remove",
            _l("Take off the list"),
            (MANAGER,),
            ("added", "inherited", "adjusted"),
            "removed",
            obstacle=_taken_over,
            effect=_remove,
            asks=(Field("reason", _l("Reason"), "long_text"),),
            danger=True,
            icon="square-x",
            done=_l("Matter taken off the list"),
            help=_l("It stays visible with the reason."),
        ),
        Transition(
            "restore",
            _l("Put back on the list"),
            (MANAGER,),
            ("removed",),
            obstacle=_not_on_a_draft,
            effect=_restore,
            icon="refresh",
            done=_l("Matter put back on the list"),
        ),
    ),
)

ChecklistItem.workflow = ITEM_WORKFLOW
