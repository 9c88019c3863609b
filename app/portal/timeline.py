"""The timeline: events of a record's thread as people read them (design, decision 4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.portal.deadline import exact
from app.portal.page import Attachment, Change, Fact, TimelineEntry, Tone
from app.portal.page import Cell as PageCell
from app.portal.words import kept_text
from models import party_clocks, viewer
from models.base import RECORD_TYPES, Record, fields_of
from models.event import Event, EventValue
from models.field import Field
from models.organisation import Organisation
from models.person import Person
from models.viewer import Viewer
from models.workflow import Transition

AUTOMATIC = {
    "all_reported": _l("All departments have reported"),
    "plan_completed": _l("All milestones are complete"),
    "all_opinions_in": _l("All opinions are in"),
    "lapse": _l("No longer needed"),
    "amber": _l("Reminder: the deadline is near"),
    "reminder": _l("Reminder slip issued"),
    "supervision": _l("Supervision slip issued"),
    "deadline_recomputed": _l("Deadline recomputed, because the working calendar changed"),
    "director_sheet": _l("The morning's sheet was laid out"),
    "candidate": _l("On the list of candidates for a conclusion"),
    "ring": _l("The next number of the duty roster rings"),
    "duty_phones": _l("No response: duty telephones alarmed"),
    "heads": _l("No response: head of the department and county leader on duty alarmed"),
    "leader": _l("No response: portfolio leader alarmed"),
    "clock_amber": _l("Reminder: the deadline is near"),
    "clock_expired": _l("Deadline has passed"),
    "report_copied": _l("Report copied from a merged call"),
    "draft": _l("Supervision slip drafted"),
    "issue": _l("Issued"),
    "supersede": _l("Superseded by a newer version"),
    "ask_opinion": _l("Opinion asked"),
    "void_opinion": _l("Void: the application was changed or withdrawn"),
    "order": _l("Rectification ordered"),
    "order_again": _l("Rectification ordered again"),
    "revoke_order": _l("Order revoked, because the review was upheld"),
    "queue": _l("Put into the queue of inspections by an evaluation"),
}
AUTOMATIC_OF = {("bulletin", "draft"): _l("Drafted from the figures of the period")}
"""Where a type of record calls a step of that name by words of its own."""
GENERIC = {
    "create": _l("Created"),
    "update": _l("Changed"),
    "delete": _l("Deleted"),
    "attach": _l("File attached"),
    "detach": _l("File removed"),
}
TEXT_FIELDS = ("text", "result", "plan", "reason", "remark", "comment")
"""People's own words, shown large."""
HIDDEN = "…"
"""Stands for the name of a record that the reader does not see."""
CLOCKS = {
    "respond": _l("Response"),
    "report": _l("Report"),
    "alarm": _l("Alarm"),
    **{one.name: one.label for one in party_clocks.CLOCKS},
}


@dataclass(frozen=True)
class Happened:
    """An event with its values as this viewer may read them."""

    event: Event
    values: Mapping[str, Any]
    who: str
    organisation: str


def happened(
    session: Session, thread: Record, person: Viewer, *, sees_all: bool, without: frozenset[str] = frozenset()
) -> list[Happened]:
    """The events of a thread that this viewer sees, oldest first; the caller has shown that the thread is visible.

    `sees_all`: also values narrowed to one organisation (the thread's owner, the county offices). `without`: names
    of values that this viewer does not read.
    """
    until = thread.read_until(person)
    with viewer.system():
        events = session.execute(
            sa.select(Event, Person, Organisation.short_name)
            .outerjoin(Person, Person.id == Event.actor_id)
            .outerjoin(Organisation, Organisation.id == Event.actor_organisation_id)
            .where(Event.thread_type == thread.resource(), Event.thread_id == thread.id)
            .where(Event.at <= until if until is not None else sa.true())
            .order_by(Event.sequence)
        ).all()
        internal = {event.id for event, *_rest in events if _internal(event)}
        values: dict[int, dict[str, Any]] = defaultdict(dict)
        rows = session.execute(
            sa.select(EventValue.event_id, EventValue.name, EventValue.value, EventValue.only_for_id)
            .join(Event, Event.id == EventValue.event_id)
            .where(Event.thread_type == thread.resource(), Event.thread_id == thread.id)
        )
        for row in rows:
            if row.name in without:
                continue
            seen_by_office = sees_all and row.event_id not in internal
            if row.only_for_id is None or seen_by_office or row.only_for_id == person.organisation_id:
                values[row.event_id][row.name] = row.value
        # SQLite gives the key of a deleted record to the next one, which must not show what happened to the other.
        gone = max(
            (event.sequence for event, *_rest in events if event.kind == "delete" and _of_thread(event)), default=0
        )
        found = [
            Happened(event, values[event.id], actor.name if actor else "", organisation or "")
            for event, actor, organisation in events
            if event.sequence > gone and (event.id not in internal or values[event.id])
        ]
    return _without_hidden_names(session, found)


def _without_hidden_names(session: Session, found: Sequence[Happened]) -> list[Happened]:
    """The events with the names of records that the viewer does not see left out of what changed. A name that everybody may read
    stays, also of a record that is gone by now."""
    named: dict[str, set[int]] = defaultdict(set)
    for one in found:
        for target, sides in _named_sides(one).values():
            named[target].update(side["id"] for side in sides)
    seen: set[tuple[str, int]] = set()
    for target, keys in named.items():
        model = RECORD_TYPES[target]
        seen.update((target, key) for key in session.scalars(sa.select(model.id).where(model.id.in_(keys))))

    def told(one: Happened) -> Happened:
        hidden = {
            name: {
                side: {**kept, "name": HIDDEN} if isinstance(kept, dict) and (target, kept["id"]) not in seen else kept
                for side, kept in one.values[name].items()
            }
            for name, (target, _sides) in _named_sides(one).items()
        }
        return replace(one, values={**one.values, **hidden}) if hidden else one

    return [told(one) for one in found]


def _named_sides(one: Happened) -> dict[str, tuple[str, list[dict[str, Any]]]]:
    """By field, the target's type and the records named before and after a change, where not everybody may read the name."""
    if one.event.kind != "update" or one.event.record_type not in RECORD_TYPES:
        return {}
    fields, found = fields_of(RECORD_TYPES[one.event.record_type]), {}
    for name, value in one.values.items():
        target = fields[name].target if name in fields and fields[name].kind == "reference" else ""
        if target not in RECORD_TYPES or RECORD_TYPES[target].seen_by_all or not isinstance(value, dict):
            continue
        sides = [side for side in value.values() if isinstance(side, dict)]
        if sides:
            found[name] = (target, sides)
    return found


def _internal(event: Event) -> bool:
    """Whether an event is told inside one organisation only."""
    transition = _transition(RECORD_TYPES.get(event.record_type), event)
    return transition is not None and transition.internal


def _of_thread(event: Event) -> bool:
    """Whether an event happened to the record whose thread it stands on."""
    return (event.record_type, event.record_id) == (event.thread_type, event.thread_id)


def entries(
    found: Sequence[Happened],
    titles: Mapping[tuple[str, int], str],
    document_url: Any,
    file_urls: Mapping[int, str] | None = None,
) -> tuple[TimelineEntry, ...]:
    """Timeline entries of events; `titles` names dependent records (a department's assignment), `file_urls` has the
    addresses of the attachments that are still there."""
    return tuple(
        _entry(one, titles.get((one.event.record_type, one.event.record_id), ""), document_url, file_urls or {})
        for one in found
    )


def _entry(one: Happened, about: str, document_url: Any, file_urls: Mapping[int, str]) -> TimelineEntry:
    event = one.event
    model = RECORD_TYPES.get(event.record_type)
    transition = _transition(model, event)
    known = _fields(model, transition)
    values = dict(one.values)
    state = values.pop("state", None)
    principal = values.pop("on_behalf_of", None)
    title = (
        str(transition.done or transition.label)
        if transition
        else str(
            AUTOMATIC_OF.get((event.record_type, event.name))
            or AUTOMATIC.get(event.name)
            or _automatic(model, event)
            or GENERIC.get(event.name)
            or event.name
        )
    )
    spoken = (name for name in TEXT_FIELDS if name not in known or known[name].kind != "choice")
    text = next((str(values.pop(name)) for name in spoken if isinstance(values.get(name), str) and values[name]), "")
    attachments = []
    document = values.pop("document", None)
    values.pop("notice", None)
    if isinstance(document, dict) and document_url(document["id"]):
        attachments.append(Attachment(document["name"], document_url(document["id"])))
    changes, facts = [], []
    if event.kind == "attach":
        file = values.pop("file", {})
        values = {}
        if file.get("id") in file_urls:
            attachments.append(Attachment(file["name"], file_urls[file["id"]]))
        elif file:
            facts.append(Fact(_("File"), PageCell(file["name"])))
    order = {name: place for place, name in enumerate(known)}
    for name, value in sorted(values.items(), key=lambda item: (order.get(item[0], len(order)), item[0])):
        if name.startswith("evaluation."):
            facts.append(evaluation_fact(value))
        elif (
            (event.kind == "update" or event.name == "deadline_recomputed")
            and isinstance(value, dict)
            and "new" in value
        ):
            changes.append(
                Change(
                    str(known[name].label) if name in known else name,
                    kept_text(known.get(name), value["old"]),
                    kept_text(known.get(name), value["new"]),
                )
            )
        elif event.kind == "create":
            continue
        elif name == "clock":
            facts.append(Fact(_("Clock"), PageCell(str(CLOCKS.get(value, value)))))
        elif name == "place" and event.name == "ring":
            facts.append(Fact(_("Place in the chain"), PageCell(str(value), number=True)))
        elif name == "due":
            facts.append(Fact(_("Due"), PageCell(kept_text(Field("due", "", "datetime"), value))))
        elif value not in (None, "", [], False):
            facts.append(
                Fact(str(known[name].label) if name in known else name, PageCell(kept_text(known.get(name), value)))
            )
    return TimelineEntry(
        at=event.at,
        at_label=exact(event.at),
        title=f"{title}：{about}" if about and about != one.organisation else title,
        who=_("%(substitute)s for %(name)s", substitute=one.who, name=principal["name"])
        if isinstance(principal, dict)
        else one.who,
        organisation=one.organisation,
        text=text,
        facts=tuple(facts),
        changes=tuple(changes),
        attachments=tuple(attachments),
        tone=_tone(event, state, model),
        system=event.kind == "automatic",
    )


def fields_of_event(event: Event) -> dict[str, Field]:
    """What names the values that an event keeps."""
    model = RECORD_TYPES.get(event.record_type)
    return _fields(model, _transition(model, event))


def _transition(model: type[Record] | None, event: Event) -> Transition | None:
    if event.kind == "transition" and model is not None and model.workflow is not None and event.name in model.workflow:
        return model.workflow[event.name]
    return None


def _automatic(model: type[Record] | None, event: Event) -> Any:
    """The label of a step that happened by itself."""
    steps = model.workflow.automatic if model is not None and model.workflow is not None else ()
    return next((step.label for step in steps if event.kind == "automatic" and step.name == event.name), None)


def _fields(model: type[Record] | None, transition: Transition | None) -> dict[str, Field]:
    """What names an event's values: what the step asked for and tells, else the record's own fields."""
    told = (*transition.known, *transition.tells) if transition is not None else ()
    asked = {one.name: one for one in told}
    return (fields_of(model) if model is not None else {}) | asked


def evaluation_fact(value: Mapping[str, Any]) -> Fact:
    """What a township said of one department."""
    from models.call_words import Satisfaction, Solved

    words = [str(Satisfaction(value["satisfaction"]).label), str(Solved(value["solved"]).label)]
    if value.get("comment"):
        words.append(str(value["comment"]))
    return Fact(str(value["department"]), PageCell("，".join(words)))


def _tone(event: Event, state: Any, model: type[Record] | None) -> Tone:
    if event.name == "reminder":
        return "overdue"
    if event.name == "amber":
        return "waiting"
    if isinstance(state, dict) and model is not None and model.workflow is not None:
        try:
            return model.workflow.states(state["new"]).tone
        except ValueError:
            return "others"
    return "others" if event.kind == "automatic" else "going"
