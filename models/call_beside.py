"""Beside the way of a call: merged with others, continued, shared, remarked on inside one's own organisation (2.1)."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from models import event
from models.call import Call
from models.call_link import CallGroup, CallShare
from models.call_roles import ANYBODY, DISPATCHER, TOWNSHIP
from models.call_words import CallState
from models.field import Field
from models.organisation import OrganisationKind
from models.refusal import Invalid
from models.workflow import Step, Transition

UNDER_WAY = ("submitted", "accepted", "dispatched", "reported", "long_term")
SUBMITTED = tuple(state.value for state in CallState if state is not CallState.draft)
READERS = {
    "kind": [OrganisationKind.office, OrganisationKind.department, OrganisationKind.township, OrganisationKind.agency],
    "active": True,
}


def merged_with(session: Session, call_id: int) -> list[int]:
    """Keys of the calls that are handled together with one, itself left out."""
    table = sa.inspect(CallGroup).local_table
    first = sa.select(table.c.first_id).where(table.c.call_id == call_id).scalar_subquery()
    query = sa.select(table.c.call_id).where(table.c.first_id == first, table.c.call_id != call_id)
    return list(session.connection().execute(query.order_by(table.c.call_id)).scalars())


def _merge_guard(step: Step) -> None:
    chosen = step.values["calls"]
    if step.record in chosen:
        raise Invalid({"calls": _l("A call cannot be merged with itself.")})
    if any(one.state.value not in UNDER_WAY for one in chosen):
        raise Invalid({"calls": _l("Only calls under way can be merged; a closed call is continued by a new one.")})


def _merge(step: Step) -> None:
    """Calls keep their own states, and no township sees another's: which ones belong together the office alone is told."""
    call: Call = step.record
    keys = {call.id, *(one.id for one in step.values["calls"])}
    for key in tuple(keys):
        keys.update(merged_with(step.session, key))
    table = sa.inspect(CallGroup).local_table
    connection = step.session.connection()
    connection.execute(sa.delete(table).where(table.c.call_id.in_(keys)))
    first = min(keys)
    connection.execute(sa.insert(table), [{"call_id": key, "first_id": first} for key in sorted(keys)])
    assert step.person is not None
    assert step.person.organisation_id is not None
    step.shown["calls"] = event.Restricted(
        [{"id": one.id, "name": f"{one.number} {one.title}"} for one in step.values["calls"]],
        step.person.organisation_id,
    )


COPIED = ("title", "field", "description", "place", "contact_name", "contact_phone", "checklist_item_id")


def _follow_up(step: Step) -> None:
    call: Call = step.record
    new = Call(county_id=call.county_id, township_id=call.township_id, state=CallState.draft, follows=call)
    for name in COPIED:
        setattr(new, name, getattr(call, name))
    step.session.add(new)
    step.session.flush()
    step.shown["call"] = {"id": new.id, "name": new.title}


def _share(step: Step) -> None:
    call: Call = step.record
    table = sa.inspect(CallShare).local_table
    known = set(
        step.session.connection()
        .execute(sa.select(table.c.organisation_id).where(table.c.call_id == call.id))
        .scalars()
    )
    for organisation in step.values["organisations"]:
        if organisation.id not in known:
            step.session.add(
                CallShare(
                    county_id=call.county_id,
                    call=call,
                    organisation=organisation,
                    shared_at=step.now,
                    shared_by_id=step.person.person_id if step.person else None,
                )
            )


def _comment(step: Step) -> None:
    """An internal remark stays inside one organisation."""
    assert step.person is not None
    assert step.person.organisation_id is not None
    step.shown["text"] = event.Restricted(step.values["text"], step.person.organisation_id)


TRANSITIONS = (
    Transition(
        "merge",
        _l("Merge with other calls"),
        (DISPATCHER,),
        UNDER_WAY,
        guard=_merge_guard,
        effect=_merge,
        internal=True,
        icon="git-merge",
        done=_l("Merged with other calls"),
        asks=(Field("calls", _l("Calls"), "references", target="call"),),
        help=_l("Each keeps its own state; a report is copied to the same department's other calls."),
    ),
    Transition(
        "follow_up",
        _l("Continue by a new call"),
        (TOWNSHIP,),
        ("closed",),
        effect=_follow_up,
        icon="arrow-forward",
        done=_l("Continued by a new call"),
        help=_l("Makes a draft with the same matter."),
    ),
    Transition(
        "share",
        _l("Share for reading"),
        (ANYBODY,),
        SUBMITTED,
        effect=_share,
        icon="share",
        done=_l("Shared for reading"),
        asks=(
            Field("organisations", _l("Organisations"), "references", target="organisation", only=READERS),
            Field("note", _l("Note"), "long_text", required=False),
        ),
    ),
    Transition(
        "comment",
        _l("Internal remark"),
        (ANYBODY,),
        SUBMITTED,
        effect=_comment,
        internal=True,
        icon="note",
        done=_l("Internal remark"),
        asks=(Field("text", _l("Remark"), "long_text"),),
        help=_l("Read only inside your own organisation."),
    ),
)
