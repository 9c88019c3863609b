"""What is done with accounts, as a workflow (spec 1, spec 5 security): handing out passwords, roles, suspending, moving, leaving.

The three administrators are kept apart: the system administrator makes accounts and has no say in roles; the security administrator gives roles
and makes no account; nobody changes his own.
"""

from __future__ import annotations

import secrets
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session, object_session

from models.field import Field, Text
from models.handover import hand_on, in_hand
from models.organisation import Organisation, OrganisationKind
from models.person import ROLES, Person, PersonState
from models.refusal import Invalid
from models.substitution import Substitution
from models.viewer import ADMINISTRATORS, Viewer
from models.workflow import By, Step, Transition, Workflow
from models.worktime import WorkCalendar

# Passwords

LETTERS = "abcdefghijkmnpqrstuvwxyz"
CAPITALS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
DIGITS = "23456789"
"""Without those that are mistaken for each other on paper."""
HANDED_OUT = "handed-out passwords"
"""Key in `session.info`: passwords made in this session, by account name, to be shown once. They are kept nowhere."""


def hand_out(session: Session, person: Person) -> str:
    """Give a person a new password that must be changed at the first sign-in; it is shown once by whoever calls `take_handed_out`.

    Imports call this for every account that they make.
    """
    groups = ["".join(secrets.choice(letters) for _ in range(4)) for letters in (CAPITALS, LETTERS, DIGITS)]
    password = "-".join(groups)
    person.set_password(password, must_change=True)
    session.info.setdefault(HANDED_OUT, {})[person.username] = password
    return password


def take_handed_out(session: Session) -> dict[str, str]:
    """The passwords handed out in this session, by account name; they are forgotten by it."""
    found: dict[str, str] = session.info.pop(HANDED_OUT, {})
    return found


# Who


def _administers(person: Person, looking: Viewer) -> bool:
    return looking.whole_installation or person.county_id in looking.region_ids


def _others(person: Person, looking: Viewer) -> bool:
    return person.id != looking.person_id and _administers(person, looking)


def _keeps_security(person: Person) -> bool:
    return any(role.name in ("security_administrator", "auditor") for role in person.roles)


ADMINISTRATOR = By(frozenset({"system_administrator"}), _others)
ORDINARY_PASSWORD = By(
    frozenset({"system_administrator"}),
    lambda person, looking: _others(person, looking) and not _keeps_security(person),
)
SECURITY_PASSWORD = By(
    frozenset({"security_administrator"}), lambda person, looking: _others(person, looking) and _keeps_security(person)
)
SECURITY = By(frozenset({"security_administrator"}), _others)

# Roles

ONLY_IN = {
    "township_officer": {OrganisationKind.township},
    "township_leader": {OrganisationKind.township},
    "agency_head": {OrganisationKind.agency},
    "city_reader": {OrganisationKind.city, OrganisationKind.province},
    "department_officer": {OrganisationKind.department, OrganisationKind.office},
    "department_leader": {OrganisationKind.department, OrganisationKind.office},
    "dispatcher": {OrganisationKind.office},
    "county_leader": {OrganisationKind.county, OrganisationKind.office},
}
"""Roles that make sense in some kinds of organisation only."""


def role_label(name: str) -> Text:
    """A role as people call it; one that the county made itself is called by its name."""
    return ROLES[name].label if name in ROLES else name


def every_role(session: Session) -> list[Role]:
    """Roles in the order of the specification, then those that the county made itself."""
    order = {name: place for place, name in enumerate(ROLES)}
    found = session.scalars(sa.select(Role))
    return sorted(found, key=lambda role: (order.get(role.name, len(order)), role.name))


def _assignable(person: Any) -> list[tuple[str, Text]]:
    session = object_session(person) if person is not None else None
    names = [role.name for role in every_role(session)] if session is not None else list(ROLES)
    return [(name, role_label(name)) for name in names]


def _guard_roles(step: Step) -> None:
    wanted, person = set(step.values["roles"]), step.record
    if wanted & ADMINISTRATORS and len(wanted) > 1:
        raise Invalid(
            {"roles": _l("An administrator's role stands alone: no other role, no business powers beside it.")}
        )
    kind = person.organisation.kind if person.organisation is not None else None
    for name in sorted(wanted):
        if name in ONLY_IN and kind not in ONLY_IN[name]:
            raise Invalid(
                {"roles": _l("The role “%(role)s” does not exist in such an organisation.", role=role_label(name))}
            )
    if "security_administrator" not in wanted:
        _keep_one_security_administrator(step, "roles")


def _keep_one_security_administrator(step: Step, field: str) -> None:
    """Raise Invalid where nobody would be left who gives roles."""
    person = step.record
    if not any(role.name == "security_administrator" for role in person.roles):
        return
    others = (
        sa.select(Person.id)
        .where(Person.id != person.id, Person.active.is_(True), Person.roles.any(name="security_administrator"))
        .limit(1)
    )
    if step.session.scalar(others) is None:
        raise Invalid({field: _l("This is the last security administrator. Appoint another one first.")})


def _give_roles(step: Step) -> None:
    person, wanted = step.record, set(step.values["roles"])
    before = {role.name for role in person.roles}
    person.roles = [role for role in every_role(step.session) if role.name in wanted]
    step.shown.clear()
    step.shown["given"] = [str(name) for name in sorted(wanted - before)]
    step.shown["taken"] = [str(name) for name in sorted(before - wanted)]
    _end_sessions(person)


# Coming, moving, going


def _end_sessions(person: Person) -> None:
    person.session_epoch = (person.session_epoch or 0) + 1


def _sync(step: Step) -> None:
    """Flask-AppBuilder's own mark follows the state; sessions end."""
    step.record.active = step.record.state == PersonState.active
    _end_sessions(step.record)


def _guard_suspend(step: Step) -> None:
    _keep_one_security_administrator(step, "reason")


def _reset_password(step: Step) -> None:
    hand_out(step.session, step.record)


def _hand_over(step: Step, person: Person) -> None:
    """Hand on what the person has in hand, or tell what is left lying."""
    held = in_hand(step.session, "person", person.id)
    successor = step.values.get("successor")
    step.shown.pop("successor", None)
    if not held:
        return
    if successor is None:
        step.shown["left_behind"] = [
            {"id": one.record.id, "name": f"{type(one.record).label} {one.record.title}"} for one in held
        ]
        return
    step.shown["handed_on"] = hand_on(step.session, held, successor)
    step.shown["successor"] = {"id": successor.id, "name": successor.name}


def _end_substitutions(step: Step, person: Person) -> None:
    """Nobody acts for somebody who is gone, nor through him; who acted for whom until yesterday stays known."""
    concerned = sa.or_(Substitution.person_id == person.id, Substitution.substitute_id == person.id)
    today = WorkCalendar().local_date(step.now)
    for one in step.session.scalars(sa.select(Substitution).where(concerned, Substitution.ends >= today)):
        step.session.delete(one)


def _guard_successor(step: Step) -> None:
    successor = step.values.get("successor")
    if successor is not None and successor.id == step.record.id:
        raise Invalid({"successor": _l("Please name somebody else.")})


def _guard_move(step: Step) -> None:
    _guard_successor(step)
    target: Organisation = step.values["organisation"]
    if target.id == step.record.organisation_id:
        raise Invalid({"organisation": _l("This is the present organisation already.")})


def _move(step: Step) -> None:
    """Into another organisation of the county: what was in hand stays there, roles that do not exist in the new one are taken away."""
    person, target = step.record, step.values["organisation"]
    _hand_over(step, person)
    step.shown["organisation"] = {"id": target.id, "name": target.short_name}
    person.organisation = target
    person.position = step.values["position"] or ""
    person.party_secretary = False
    kept = [role for role in person.roles if role.name not in ONLY_IN or target.kind in ONLY_IN[role.name]]
    taken = [role.name for role in person.roles if role not in kept]
    if taken:
        person.roles = kept
        step.shown["taken"] = sorted(taken)
    _end_substitutions(step, person)
    _end_sessions(person)


def _guard_leave(step: Step) -> None:
    _guard_successor(step)
    _keep_one_security_administrator(step, "reason")


def _leave(step: Step) -> None:
    """Deactivated for good: roles end, what was in hand is handed on or listed."""
    person = step.record
    _hand_over(step, person)
    if person.roles:
        step.shown["taken"] = sorted(role.name for role in person.roles)
        person.roles = []
    _end_substitutions(step, person)
    _sync(step)


SUCCESSOR = Field(
    "successor",
    _l("Takes over what he has in hand"),
    "reference",
    required=False,
    target="person",
    help=_l("Left empty, what was in hand is only listed and has to be handed on later."),
)
REASON = Field("reason", _l("Reason"), required=False, length=200)
TOLD = (
    Field("given", _l("Roles given"), "choices", required=False, choices=_assignable),
    Field("taken", _l("Roles taken away"), "choices", required=False, choices=_assignable),
    Field("handed_on", _l("Handed on"), "references", required=False),
    Field("left_behind", _l("Still in hand"), "references", required=False),
)
"""What events of these steps carry beside what was asked."""

PERSON_WORKFLOW = Workflow(
    PersonState,
    (
        Transition(
            "assign_roles",
            _l("Assign roles"),
            (SECURITY,),
            ("active", "suspended"),
            asks=(
                Field(
                    "roles",
                    _l("Roles"),
                    "choices",
                    required=False,
                    choices=_assignable,
                    default=lambda person, looking: [role.name for role in person.roles],
                ),
            ),
            tells=TOLD[:2],
            guard=_guard_roles,
            effect=_give_roles,
            done=_l("Roles assigned"),
            icon="key",
            primary=True,
            help=_l("Roles decide what somebody sees and does. The person is signed out and signs in anew."),
        ),
        Transition(
            "reset_password",
            _l("Hand out a new password"),
            (ORDINARY_PASSWORD, SECURITY_PASSWORD),
            ("active", "suspended"),
            effect=_reset_password,
            done=_l("New password handed out"),
            icon="lock-open",
            help=_l("It is shown once and must be changed at the first sign-in."),
        ),
        Transition(
            "move",
            _l("Move to another organisation"),
            (ADMINISTRATOR,),
            ("active", "suspended"),
            asks=(
                Field("organisation", _l("New organisation"), "reference", target="organisation"),
                Field("position", _l("New position"), required=False, length=60),
                SUCCESSOR,
            ),
            tells=TOLD,
            guard=_guard_move,
            effect=_move,
            done=_l("Moved to another organisation"),
            icon="arrow-right",
        ),
        Transition(
            "suspend",
            _l("Suspend the account"),
            (ADMINISTRATOR,),
            ("active",),
            "suspended",
            asks=(REASON,),
            guard=_guard_suspend,
            effect=_sync,
            done=_l("Account suspended"),
            icon="player-pause",
            danger=True,
        ),
        Transition(
            "resume",
            _l("Resume service"),
            (ADMINISTRATOR,),
            ("suspended", "left"),
            "active",
            effect=_sync,
            done=_l("Service resumed"),
            icon="player-play",
            primary=True,
        ),
        Transition(
            "leave",
            _l("Has left service"),
            (ADMINISTRATOR,),
            ("active", "suspended"),
            "left",
            asks=(SUCCESSOR, REASON),
            tells=TOLD,
            guard=_guard_leave,
            effect=_leave,
            done=_l("Left service"),
            icon="logout",
            danger=True,
        ),
    ),
)
Person.workflow = PERSON_WORKFLOW
