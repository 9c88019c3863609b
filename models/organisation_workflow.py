"""What happens to organisations: renamed, merged, abolished – each one transaction, with hand-over of the work at hand."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from models import event
from models.call import Assignment
from models.field import Field
from models.handover import hand_on, in_hand
from models.organisation import Organisation, OrganisationAlias, OrganisationState
from models.person import ZONE, Person, PersonState
from models.refusal import Invalid
from models.viewer import Viewer
from models.workflow import By, Step, Transition, Workflow, shown_value


def _keeps(organisation: Organisation, person: Viewer) -> bool:
    return person.whole_installation or organisation.county_id == person.county_id


ADMINISTRATOR = By(frozenset({"system_administrator"}), _keeps)
NAMES = ("name", "party_name", "short_name")


# Renaming


def _guard_rename(step: Step) -> None:
    if all((step.values[name] or "") == getattr(step.record, name) for name in NAMES):
        raise Invalid({"name": _l("These are the present names.")})


def _rename(step: Step) -> None:
    """The old names stay known, with the day until which they were borne: letters and lists go on finding the organisation."""
    organisation = step.record
    today = step.now.astimezone(ZONE).date()
    known = {alias.name for alias in organisation.aliases}
    step.shown.clear()
    for name in NAMES:
        old, new = getattr(organisation, name), step.values[name] or ""
        if old == new:
            continue
        step.shown[name] = f"{old} → {new}" if old else new
        if old and old not in known:
            organisation.aliases.append(OrganisationAlias(name=old, borne_until=today))
            known.add(old)
        setattr(organisation, name, new)


# Merging and abolishing


def _successor(step: Step) -> Organisation | None:
    return step.values.get("successor")


def _guard_successor(step: Step) -> None:
    organisation, successor = step.record, _successor(step)
    if successor is None:
        return
    if successor.id == organisation.id:
        raise Invalid({"successor": _l("An organisation is not its own successor.")})
    if successor.kind != organisation.kind:
        raise Invalid({"successor": _l("The successor must be of the same kind: roles and duties depend on it.")})
    both = _calls_of_both(step.session, organisation.id, successor.id)
    if both:
        raise Invalid(
            {
                "successor": _l(
                    "Both take part in %(calls)s. Please settle these first, then hand over.", calls="、".join(both)
                )
            }
        )


def _calls_of_both(session: Session, one: int, other: int) -> list[str]:
    """Calls in which both departments have an assignment: one of them cannot have two."""
    theirs = sa.select(Assignment.call_id).where(Assignment.department_id == other)
    own = sa.select(Assignment).where(Assignment.department_id == one, Assignment.call_id.in_(theirs))
    final = [str(state.value) for state in Assignment.workflow.states if state.final] if Assignment.workflow else []
    return [found.call.title for found in session.scalars(own.where(Assignment.state.not_in(final)))]


def _guard_abolish(step: Step) -> None:
    _guard_successor(step)
    if _successor(step) is not None:
        return
    session, organisation = step.session, step.record
    work = len(in_hand(session, "organisation", organisation.id))
    people, below = len(_people(session, organisation)), len(_below(session, organisation))
    if work or people or below:
        raise Invalid(
            {
                "successor": _l(
                    "It still has %(work)d open matters, %(people)d people and %(below)d organisations below it. Name who takes them over.",
                    work=work,
                    people=people,
                    below=below,
                )
            }
        )


def _people(session: Session, organisation: Organisation) -> list[Person]:
    """Who still belongs to it."""
    query = sa.select(Person).where(Person.organisation_id == organisation.id, Person.state != PersonState.left)
    return list(session.scalars(query.order_by(Person.id)).unique())


def _below(session: Session, organisation: Organisation) -> list[Organisation]:
    query = sa.select(Organisation).where(Organisation.parent_id == organisation.id, Organisation.active.is_(True))
    return list(session.scalars(query.order_by(Organisation.id)))


def _end(step: Step) -> None:
    """The work at hand, the people, the organisations below and the names pass to the successor; what is finished keeps the old name."""
    organisation, successor = step.record, _successor(step)
    organisation.active = False
    if successor is None:
        return
    session = step.session
    people, below = _people(session, organisation), _below(session, organisation)
    handed_on = hand_on(session, in_hand(session, "organisation", organisation.id), successor)
    for person in people:
        _change(session, person, "organisation", successor)
    for child in below:
        _change(session, child, "parent", successor)
    _hand_on_names(step, organisation, successor)
    organisation.successor = successor
    step.shown |= {"handed_on": handed_on, "people": [shown_value(person) for person in people]}
    event.append(
        session,
        successor,
        "transition",
        "takes_over",
        {"from": shown_value(organisation), "handed_on": handed_on},
        actor=step.person,
    )


def _change(session: Session, record: Any, name: str, to: Organisation) -> None:
    before = shown_value(getattr(record, name))
    setattr(record, name, to)
    session.flush()
    event.append(session, record, "update", "update", {name: {"old": before, "new": shown_value(to)}})


def _hand_on_names(step: Step, organisation: Organisation, successor: Organisation) -> None:
    """Whoever writes to an old name means the successor."""
    today = step.now.astimezone(ZONE).date()
    known = {alias.name for alias in successor.aliases} | {getattr(successor, name) for name in NAMES}
    former = {getattr(organisation, name): today for name in NAMES if getattr(organisation, name)}
    former |= {alias.name: alias.borne_until or today for alias in organisation.aliases}
    for name, until in former.items():
        if name not in known:
            successor.aliases.append(OrganisationAlias(name=name, borne_until=until))


SUCCESSOR = Field(
    "successor",
    _l("Successor"),
    "reference",
    target="organisation",
    help=_l("Takes over people, open matters, organisations below and the names."),
)
TOLD = (
    Field("handed_on", _l("Handed on"), "references", required=False),
    Field("people", _l("People taken over"), "references", required=False),
)

ORGANISATION_WORKFLOW = Workflow(
    OrganisationState,
    (
        Transition(
            "rename",
            _l("Rename"),
            (ADMINISTRATOR,),
            ("active",),
            asks=(
                Field("name", _l("Government name"), length=100, default=lambda record, person: record.name),
                Field(
                    "party_name",
                    _l("Party name"),
                    required=False,
                    length=100,
                    default=lambda record, person: record.party_name,
                ),
                Field("short_name", _l("Short name"), length=40, default=lambda record, person: record.short_name),
            ),
            guard=_guard_rename,
            effect=_rename,
            done=_l("Renamed"),
            icon="pencil",
            help=_l("The old names remain known with today's date. Papers already issued keep them."),
        ),
        Transition(
            "merge",
            _l("Merge into another"),
            (ADMINISTRATOR,),
            ("active",),
            "merged",
            asks=(SUCCESSOR,),
            tells=TOLD,
            guard=_guard_successor,
            effect=_end,
            done=_l("Merged into another"),
            icon="git-merge",
            danger=True,
        ),
        Transition(
            "abolish",
            _l("Abolish"),
            (ADMINISTRATOR,),
            ("active",),
            "abolished",
            asks=(
                Field(
                    SUCCESSOR.name,
                    SUCCESSOR.label,
                    "reference",
                    required=False,
                    target="organisation",
                    help=SUCCESSOR.help,
                ),
                Field("reason", _l("Reason or decision"), required=False, length=200),
            ),
            tells=TOLD,
            guard=_guard_abolish,
            effect=_end,
            done=_l("Abolished"),
            icon="ban",
            danger=True,
        ),
    ),
)
Organisation.workflow = ORGANISATION_WORKFLOW
