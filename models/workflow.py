"""Workflows as data: states, transitions, who may, what it asks for, what it demands first – and the one function
that performs a transition (spec 2).

From a declaration come the buttons, the form in place, the REST operation, the bulk action, the permission, the timeline entry and the help text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from models import clock, event, viewer
from models.base import RECORD_TYPES, Record
from models.field import Choice, EntryErrors, Field, FieldError, Text, incomplete
from models.refusal import Conflict, Forbidden, Invalid, NotFound, Refused, Stale
from models.viewer import Deputed, Viewer

Tone = Literal["waiting", "others", "going", "done", "overdue", "emergency", "muted"]


class State(Choice):
    """A state of a workflow: identifier, name by what it waits for, tone of its pill."""

    tone: Tone
    final: bool

    def __new__(cls, value: str, label: Text = "", tone: Tone = "others", final: bool = False) -> State:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        member.tone = tone
        member.final = final
        return member


@dataclass(frozen=True)
class By:
    """Who may: one of the roles, and standing in this relation to the record (`department of the assignment`)."""

    roles: frozenset[str]
    relation: Callable[[Any, Viewer], bool]

    def allows(self, record: Record, person: Viewer) -> bool:
        """Whether this person may: in a role of his own, or for somebody else what he has not filed himself."""
        if not person.has_role(*self.roles) or not self.relation(record, person):
            return False
        return person.deputed_for(self.roles) is None or person.person_id not in filed_by(record)


def filed_by(record: Any) -> set[int | None]:
    """Who brought a record about: nobody approves, not even for somebody else, what he filed himself (spec 1)."""
    return {record.created_by_id, getattr(record, "submitted_by_id", None)} - {None}


@dataclass
class Step:
    """A transition under way: what guards and effects get to see."""

    session: Session
    record: Any
    person: Viewer | None
    """Who performs it; None for an automatic step."""
    now: datetime
    values: dict[str, Any]
    """Parsed fields; references are loaded records."""
    shown: dict[str, Any] = field(default_factory=dict)
    """What the event carries; starts from the fields, effects may add, narrow (`event.Restricted`) or remove."""


Guard = Callable[[Step], None]
Effect = Callable[[Step], None]


@dataclass(frozen=True)
class Transition:
    """One step of a workflow.

    `sources` and `target` are states (`target` None: stays, or the effect decides); without `sources` it begins a record
    that was not there before (“from –”, spec 4), which its effect fills and adds to the session. `guard` raises Invalid.
    `effect` changes the record and makes papers.
    `primary` marks the one button in front.
    """

    name: str
    label: Text
    by: tuple[By, ...]
    sources: tuple[str, ...]
    target: str | None = None
    asks: tuple[Field, ...] = ()
    asks_for: Callable[[Any], tuple[Field, ...]] | None = None
    """Fields that depend on the record, instead of `asks`."""
    may_ask: tuple[Field, ...] = ()
    """All that `asks_for` may ask."""
    tells: tuple[Field, ...] = ()
    """What its event carries beside what was asked, to name it on the timeline."""
    obstacle: Callable[[Any, datetime], Text | None] | None = None
    """What stands in the way of this record now, whatever would be entered: a sentence, or None. Judged before the
    fields (409 before 422); the button is not offered."""
    guard: Guard | None = None
    effect: Effect | None = None
    help: Text = ""
    done: Text = ""
    """What the timeline and the flash message say, e.g. “Call dispatched”."""
    through: str = ""
    """A transition performed first, with its own event, while the record still stands before it (`accept, dispatch`: one click for both)."""
    primary: bool = False
    icon: str = ""
    danger: bool = False
    bulk: bool = False
    internal: bool = False
    """What it tells stays inside one organisation: nobody else sees that it happened, the offices and the record's owner included."""

    @property
    def begins(self) -> bool:
        """Whether this step makes a new record; its relations are asked about that record, which has only its county yet."""
        return not self.sources

    @property
    def known(self) -> tuple[Field, ...]:
        """Fields that an event of this step may carry, to name them on the timeline."""
        return self.asks or self.may_ask

    def fields(self, record: Any) -> tuple[Field, ...]:
        return self.asks_for(record) if self.asks_for is not None else self.asks

    @property
    def permission(self) -> str:
        """Name of its permission, e.g. `can_dispatch`."""
        return f"can_{self.name}"

    @property
    def roles(self) -> frozenset[str]:
        return frozenset().union(*(by.roles for by in self.by))


@dataclass(frozen=True)
class Automatic:
    """A step that happens by itself once its time has come (2, introduction: expiry, lapse, entry into force), done by
    the sweep as the system, once.

    `due` gives the condition that rows meet at an instant; `models.automatic.sweep_automatic` takes the step for those in `sources`.
    """

    name: str
    label: Text
    sources: tuple[str, ...]
    target: str | None
    due: Callable[[Any, datetime], sa.ColumnElement[bool]]
    """Of the record type and the instant. A step without a `target` must make its own condition false by its effect."""
    effect: Effect | None = None


@dataclass(frozen=True)
class Workflow:
    """States and transitions of a record type. `lock` names the records to lock before anything is judged, outermost first."""

    states: type[State]
    transitions: tuple[Transition, ...]
    lock: Callable[[Session, Any], Iterable[tuple[type[Record], int]]] | None = None
    after: Effect | None = None
    """Automatic follow-up run after every transition."""
    automatic: tuple[Automatic, ...] = ()
    """Steps that happen by themselves once their time has come."""

    def __getitem__(self, name: str) -> Transition:
        for transition in self.transitions:
            if transition.name == name:
                return transition
        raise KeyError(name)

    def __contains__(self, name: str) -> bool:
        return any(transition.name == name for transition in self.transitions)


def internal_events() -> sa.ColumnElement[bool]:
    """The events whose words stay inside one organisation (`Transition.internal`)."""
    steps = [
        sa.and_(event.Event.record_type == model.resource(), event.Event.name == one.name)
        for model in list(RECORD_TYPES.values())
        for one in (model.workflow.transitions if model.workflow is not None else ())
        if one.internal
    ]
    return sa.and_(event.Event.kind == "transition", sa.or_(sa.false(), *steps))


@dataclass(frozen=True)
class Outcome:
    """What a transition left: the addressed record and the event's id."""

    record: Any
    event_id: int


def workflow_of(model: type[Record]) -> Workflow:
    if model.workflow is None:
        raise NotFound()
    return model.workflow


def load_visible(session: Session, model: type[Any], record_id: int, options: Sequence[Any] = ()) -> Any:
    """The record as the present viewer may see it, with loader options. Raises NotFound, also for ids that no database has."""
    if not 0 < record_id < 2**63:
        raise NotFound()
    record = session.scalars(sa.select(model).where(model.id == record_id).options(*options)).unique().one_or_none()
    if record is None:
        raise NotFound()
    return record


def permitted(transition: Transition, record: Record, person: Viewer) -> bool:
    """Whether a step could ever be this person's: role, permission and relation, whatever the state."""
    return person.may(transition.permission, type(record).__name__) and any(
        by.allows(record, person) for by in transition.by
    )


def performed_for(transition: Transition, record: Record, person: Viewer) -> Deputed | None:
    """For whom a substitute performs a step; None for what is his own to do."""
    allowing = [by for by in transition.by if by.allows(record, person)]
    found = [person.deputed_for(by.roles) for by in allowing]
    return None if None in found else next(iter(found), None)


def changed_for(session: Session, record: Any, person: Viewer, permission: str) -> Deputed | None:
    """For whom a substitute makes a change outside of a transition (`can_add`, `can_edit`, `can_delete`); None for what is his own to do.

    Asked before the record is touched: who may change it depends on what stands in it.
    """
    if not person.deputed or _may_change(session, record, person.alone(), permission):
        return None
    lending = [one for one in person.deputed if _may_change(session, record, person.as_deputy(one), permission)]
    return next(iter(lending), person.deputed[0])


def _may_change(session: Session, record: Any, person: Viewer, permission: str) -> bool:
    model = type(record)
    if not person.may(permission, model.__name__):
        return False
    if permission == "can_add":
        return True
    with viewer.viewing(person):
        if session.scalars(sa.select(model.id).where(model.id == record.id)).first() is None:
            return False
    try:
        (record.check_delete if permission == "can_delete" else record.check_change)(person)
    except Refused:
        return False
    return True


def possible(record: Any, person: Viewer) -> list[Transition]:
    """The transitions that this person may perform on a record in its present state, in order of declaration."""
    if type(record).workflow is None:
        return []
    with viewer.system():
        now = clock.now()
        return [
            t
            for t in type(record).workflow.transitions
            if record.state in t.sources
            and permitted(t, record, person)
            and (t.obstacle is None or t.obstacle(record, now) is None)
        ]


def perform(
    session: Session,
    model: type[Record],
    record_id: int,
    name: str,
    values: Mapping[str, Any] | None = None,
    *,
    version: int | None = None,
) -> Outcome:
    """Perform a transition as the present viewer, in the present transaction, which the caller commits.

    Raises NotFound, Forbidden, Conflict, Invalid – in this order; the session must be rolled back then.
    """
    person = viewer.current_person()
    if person is None:
        raise viewer.NoViewer("a transition needs somebody who performs it")
    workflow = workflow_of(model)
    record = load_visible(session, model, record_id)
    transition = step_of(workflow, name)
    with viewer.system(on_behalf_of=person):
        if not permitted(transition, record, person):
            raise Forbidden()
        lock_records(session, workflow, record)
        if version is not None and version != record.version:
            raise Stale(
                _l("This record was changed by somebody else after you opened it. Please look at the new state first.")
            )
        if record.state not in transition.sources:
            raise Conflict(
                _l(
                    "This step is not possible now: the record is in the state “%(state)s”.",
                    state=workflow.states(record.state).label,
                )
            )
        step = Step(session, record, person, clock.now(), {})
        obstacle = transition.obstacle(record, step.now) if transition.obstacle is not None else None
        if obstacle is not None:
            raise Conflict(obstacle)
        _read(step, transition.fields(record), values or {})
        principal = performed_for(transition, record, person)
        if principal is not None:
            step.shown["on_behalf_of"] = {"id": principal.person_id, "name": principal.name}
        if transition.guard is not None:
            transition.guard(step)
        if transition.through and record.state in workflow[transition.through].sources:
            first = workflow[transition.through]
            if not permitted(first, record, person):
                raise Forbidden()
            behalf = {name: value for name, value in step.shown.items() if name == "on_behalf_of"}
            _do(Step(session, record, person, step.now, {}, behalf), workflow, first, "transition")
        return _do(step, workflow, transition, "transition")


def step_of(workflow: Workflow, name: str, *, begins: bool = False) -> Transition:
    """The transition of this name that is taken on a record, or that begins one. Raises NotFound."""
    if name not in workflow or workflow[name].begins != begins:
        raise NotFound(_l("There is no such step."))
    return workflow[name]


def new_record(session: Session, model: type[Any], person: Viewer) -> Any:
    """The record that a beginning transition will fill: of the person's county, not saved, able to look things up."""
    record = model()
    record.county_id = person.county_id
    session.enable_relationship_loading(record)
    return record


def beginnings(model: type[Any], record: Any, person: Viewer) -> list[Transition]:
    """The transitions by which this person may begin a record; `record` comes from `new_record`."""
    if model.workflow is None:
        return []
    return [one for one in model.workflow.transitions if one.begins and permitted(one, record, person)]


def begin(session: Session, model: type[Any], name: str, values: Mapping[str, Any] | None = None) -> Outcome:
    """Begin a record by a transition “from –” as the present viewer, in the present transaction, which the caller commits.

    Raises NotFound, Forbidden, Invalid – in this order; the session must be rolled back then.
    """
    person = viewer.current_person()
    if person is None:
        raise viewer.NoViewer("a transition needs somebody who performs it")
    workflow = workflow_of(model)
    transition = step_of(workflow, name, begins=True)
    with viewer.system(on_behalf_of=person):
        record = new_record(session, model, person)
        if not permitted(transition, record, person):
            raise Forbidden()
        step = Step(session, record, person, clock.now(), {})
        with session.no_autoflush:
            _read(step, transition.fields(record), values or {})
            if transition.guard is not None:
                transition.guard(step)
        return _do(step, workflow, transition, "transition")


def perform_automatic(
    session: Session, record: Record, name: str, effect: Effect, shown: Mapping[str, Any] | None = None
) -> int:
    """A step without a triggering transition (a ladder's step, an expiry): run as the system, with an event of its own. The caller holds the lock."""
    with viewer.system():
        step = Step(session, record, None, clock.now(), {}, dict(shown or {}))
        with Covered(session):
            effect(step)
            session.flush()
            return event.append(session, record, "automatic", name, step.shown)


def lock_records(session: Session, workflow: Workflow, record: Record) -> None:
    """Lock what the workflow names and the record itself, outermost first, and read it afresh."""
    targets = list(workflow.lock(session, record)) if workflow.lock is not None else []
    for model, key in [*targets, (type(record), record.id)]:
        session.scalars(
            sa.select(model).where(model.id == key).with_for_update().execution_options(populate_existing=True)
        ).one()


def _read(step: Step, fields: Sequence[Field], raw: Mapping[str, Any]) -> None:
    """Parse what was sent into values. Raises Invalid with every field's error at once."""
    errors: dict[str, list[Text]] = {}
    for asked in fields:
        try:
            value = asked.parse(raw.get(asked.name), step.record)
            if asked.kind in ("reference", "references") and value:
                value = _load_references(step.session, asked, value, getattr(step.record, "county_id", None))
            step.values[asked.name] = value
        except EntryErrors as wrong:
            errors[asked.name] = list(dict.fromkeys(wrong.errors.values()))
        except FieldError as error:
            errors[asked.name] = [error.message]
    read = [asked for asked in fields if asked.name in step.values]
    errors |= {name: [message] for name, message in incomplete(read, step.values).items()}
    if errors:
        raise Invalid(errors)
    step.shown.update(
        {
            asked.name: shown_value(step.values[asked.name])
            for asked in fields
            if step.values[asked.name] not in (None, [], "")
        }
    )


def _load_references(session: Session, asked: Field, keys: int | list[int], county_id: int | None) -> Any:
    """The records that a reference names, in the order given, of the record's own county. Raises FieldError for an unknown one."""
    wanted = keys if isinstance(keys, list) else [keys]
    model = RECORD_TYPES[asked.target]
    query = sa.select(model).where(model.id.in_(wanted))
    for name, value in {**model.offered, **(asked.only or {})}.items():
        query = query.where(
            getattr(model, name).in_(value) if isinstance(value, list | tuple) else getattr(model, name) == value
        )
    if county_id is not None and hasattr(model, "county_id"):
        query = query.where(model.county_id == county_id)
    found = {one.id: one for one in session.scalars(query).unique()}
    if any(key not in found for key in wanted):
        raise FieldError(_l("Please choose one of the given answers."))
    return [found[key] for key in wanted] if isinstance(keys, list) else found[keys]


def shown_value(value: Any) -> Any:
    """A value as an event keeps it: records as {id, name}."""
    if isinstance(value, list):
        return [shown_value(one) for one in value]
    if isinstance(value, Mapping):
        return {key: shown_value(one) for key, one in value.items()}
    if hasattr(value, "__table__"):
        return {"id": value.id, "name": value.title}
    return value


class Covered:
    """While a transition runs, its own event covers the field changes of every record that it touches."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def __enter__(self) -> None:
        self.depth = self.session.info.get(event.COVERED, 0)
        if not self.depth:
            self.session.flush()
        self.session.info[event.COVERED] = self.depth + 1

    def __exit__(self, *failure: Any) -> None:
        self.session.info[event.COVERED] = self.depth


def _do(step: Step, workflow: Workflow, transition: Transition, kind: str) -> Outcome:
    with Covered(step.session):
        before = step.record.state
        if transition.target is not None:
            step.record.state = workflow.states(transition.target)
        if transition.effect is not None:
            transition.effect(step)
        step.record.changed_at = step.now
        step.session.flush()
        if step.record.state != before:
            step.shown["state"] = {"old": str(before or ""), "new": str(step.record.state)}
        event_id = event.append(step.session, step.record, kind, transition.name, step.shown, actor=step.person)
        if workflow.after is not None:
            workflow.after(step)
            step.session.flush()
    return Outcome(step.record, event_id)
