"""What stands on a call's page beside its description: leaders' words, what it waits for, plans, meetings, calls beside it (face, Record page)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.orm.attributes import set_committed_value

from app.portal.deadline import exact
from app.portal.page import Cell, Column, Fact, Row, Section
from app.portal.words import day, pill
from models import viewer
from models.call import OFFICES, Assignment, Call
from models.call_beside import merged_with
from models.call_words import CallState
from models.convening import Convening, ConveningInvitee
from models.escalation import Escalation, EscalationState, Instruction
from models.extension import Extension, ExtensionState
from models.milestone import LongTerm, LongTermState, Milestone
from models.return_request import ReturnRequest, ReturnState
from models.viewer import Viewer

RELATIONS = {
    "instructions": (Instruction, (joinedload(Instruction.leader), joinedload(Instruction.entered_by))),
    "escalations": (Escalation, (joinedload(Escalation.leader), joinedload(Escalation.organisation))),
    "long_terms": (LongTerm, (joinedload(LongTerm.leader),)),
    "milestones": (Milestone, (joinedload(Milestone.department),)),
    "convenings": (Convening, (joinedload(Convening.invitees).joinedload(ConveningInvitee.organisation),)),
}
"""What a call has beside its departments, with what is shown of each; read in one statement, however much of it there is."""

PageUrl = Callable[[str, int], str]


@dataclass(frozen=True)
class Beside:
    """The calls beside one, as far as this viewer sees them."""

    merged: Sequence[Call] = ()
    follows: Call | None = None
    followed_by: Sequence[Call] = ()


def load_beside(session: Session, call: Call, *, sees_merged: bool) -> Beside:
    """Read what belongs to a call beside its departments, in as few statements as there are calls beside it."""
    present = _load_relations(session, call)
    keys = {call.follows_id} - {None}
    merged: list[int] = []
    if "merged" in present and sees_merged:
        with viewer.system():
            merged = merged_with(session, call.id)
        keys.update(merged)
    calls: dict[int, Call] = {}
    if keys or "followed" in present:
        query = sa.select(Call).where(sa.or_(Call.id.in_(keys), Call.follows_id == call.id)).order_by(Call.id)
        calls = {one.id: one for one in session.scalars(query)}
    return Beside(
        tuple(calls[key] for key in merged if key in calls),
        calls.get(call.follows_id) if call.follows_id is not None else None,
        tuple(one for one in calls.values() if one.follows_id == call.id),
    )


def _load_relations(session: Session, call: Call) -> set[str]:
    """Fill the call's relations with what this viewer sees of them; gives whether it is `merged` and `followed`, which whoever sees it may know.

    Each row has one record: the keys of all of them are joined one below the other, and each to its own table.
    """
    tables = {name: sa.inspect(model).local_table for name, (model, _options) in RELATIONS.items()}
    group, calls = sa.Table("call_group", Call.metadata), sa.inspect(Call).local_table
    sources = [(name, table.c.id, table.c.call_id) for name, table in tables.items()]
    sources += [("merged", group.c.call_id, group.c.call_id), ("followed", calls.c.follows_id, calls.c.follows_id)]
    arms = [
        sa.select(sa.literal(name).label("name"), key.label("key")).where(of_call == call.id)
        for name, key, of_call in sources
    ]
    keys = sa.union_all(*arms).subquery()
    query: sa.Select[Any] = sa.select(keys.c.name, *(model for model, _options in RELATIONS.values())).select_from(keys)
    for name, (model, options) in RELATIONS.items():
        query = query.outerjoin(model, sa.and_(keys.c.name == name, model.id == keys.c.key)).options(*options)
    rows = session.execute(query).unique().all()
    for place, name in enumerate(RELATIONS, start=1):
        found = [row[place] for row in rows if row[place] is not None]
        found.sort(key=lambda one: (one.day, one.id) if isinstance(one, Milestone) else (one.id,))
        set_committed_value(call, name, found)
    return {row.name for row in rows} - RELATIONS.keys()


# Above the description


def headline(call: Call) -> Iterator[Fact]:
    """What has to be read first: leaders' instructions, then what the call waits for or how it ended."""
    for one in call.instructions:
        who = one.leader.name if one.leader is not None else ""
        label = _("Instruction of %(leader)s, %(day)s", leader=who, day=day(one.day))
        if one.entered_by is not None and one.entered_by.organisation is not None:
            label += _(" (entered by %(office)s)", office=one.entered_by.organisation.short_name)
        yield Fact(label, Cell(one.text), long=True)
    if call.missing:
        yield Fact(_("What is missing"), Cell(call.missing), long=True)
    if call.phoned_at is not None and call.confirmed_at is None:
        told = _(
            "Taken by telephone at %(at)s; the township may confirm it, and nothing waits for that.",
            at=exact(call.phoned_at),
        )
        yield Fact(_("Telephone entry"), Cell(told), long=True)
    yield from _declined(call)


def _declined(call: Call) -> Iterator[Fact]:
    if call.decline_reason is None:
        return
    if call.state == CallState.declined:
        yield Fact(str(call.decline_reason.label), Cell(call.decline_text), long=True)
        if call.other_channel:
            yield Fact(_("The way to go instead"), Cell(call.other_channel), long=True)
    if call.objection:
        waiting = _("waits for the office director's ruling") if call.objection_due is not None else ""
        label = _("Objection of the township") + (f"（{waiting}）" if waiting else "")
        yield Fact(label, Cell(call.objection), long=True)


# Below the description


def main_sections(call: Call, beside: Beside, page_url: PageUrl, person: Viewer) -> tuple[Section, ...]:
    found = (
        reply(call, person),
        _milestones(call, page_url),
        _meetings(call, page_url),
        _calls(_("Handled together with"), beside.merged, page_url),
        _calls(_("Continues"), (beside.follows,) if beside.follows is not None else (), page_url),
        _calls(_("Continued by"), beside.followed_by, page_url),
    )
    return tuple(one for one in found if one is not None)


def reply(call: Call, person: Viewer) -> Section | None:
    """What the township or the office copies back to the platform that the matter came from: results, without names of persons."""
    if not call.external_number or not (person.has_role(*OFFICES) or call.township_id == person.organisation_id):
        return None
    reports = [(one, one.report_of(one.round) or one.report_of(1)) for one in call.assignments]
    results = [f"{one.department.name}：{report.result}" for one, report in reports if report is not None]
    if not results:
        return None
    text = "\n".join(results)
    people = {call.contact_name, *(one.response_whom for one in call.assignments)} - {call.township.short_name}
    people |= {one.responded_by.name for one in call.assignments if one.responded_by is not None}
    for name in sorted(filter(None, people), key=len, reverse=True):
        text = text.replace(name, _("a person concerned"))
    return Section(_("Reply for %(number)s", number=call.external_number), copied=text)


def _milestones(call: Call, page_url: PageUrl) -> Section | None:
    plan = next((one for one in reversed(call.long_terms) if one.state != LongTermState.lapsed), None)
    if not call.milestones and plan is None:
        return None
    facts: list[Fact] = []
    if plan is not None:
        facts.append(Fact(_("Long-term handling"), Cell(pill=pill(plan.state))))
        facts.append(Fact(_("Plan"), Cell(plan.plan), long=True))
        if plan.reason:
            facts.append(Fact(_("Reason"), Cell(plan.reason), long=True))
    rows = tuple(
        Row(
            key=str(one.id),
            url=page_url("milestone", one.id),
            cells=(Cell(one.text), Cell(one.department.short_name), Cell(day(one.day)), Cell(pill=pill(one.state))),
            title=one.text,
        )
        for one in call.milestones
    )
    columns = (
        Column("text", _("What is to be done")),
        Column("department", _("Department")),
        Column("day", _("By")),
        Column("state", _("State")),
    )
    return Section(_("Milestones"), facts=tuple(facts), columns=columns, rows=rows)


def _meetings(call: Call, page_url: PageUrl) -> Section | None:
    if not call.convenings:
        return None
    rows = tuple(
        Row(
            key=str(one.id),
            url=page_url("convening", one.id),
            cells=(
                Cell(exact(one.at)),
                Cell(one.place),
                Cell("、".join(invitee.organisation.short_name for invitee in one.invitees)),
                Cell(pill=pill(one.state)),
            ),
            title=one.place,
        )
        for one in call.convenings
    )
    columns = (
        Column("at", _("Time")),
        Column("place", _("Place")),
        Column("invitees", _("Called together")),
        Column("state", _("State")),
    )
    return Section(_("Meetings on site"), columns=columns, rows=rows)


def _calls(title: str, calls: Sequence[Call], page_url: PageUrl) -> Section | None:
    if not calls:
        return None
    rows = tuple(
        Row(
            key=str(one.id),
            url=page_url("call", one.id),
            cells=(Cell(one.number or _("Draft")), Cell(one.title), Cell(pill=pill(one.state))),
            title=one.title,
        )
        for one in calls
    )
    columns = (Column("number", _("Number")), Column("title", _("Matter")), Column("state", _("State")))
    return Section(title, columns=columns, rows=rows)


# Beside it


def escalations(call: Call) -> Section | None:
    """What was brought before a leader, and what he decided."""
    if not call.escalations:
        return None
    facts = []
    for one in call.escalations:
        leader = one.leader.name if one.leader is not None else ""
        head = f"{one.organisation.short_name} → {leader} {exact(one.asked_at)}"
        words = [one.why]
        if one.state == EscalationState.decided:
            words += [_("Decision: %(text)s", text=one.decision)]
            words += [_("Tasks: %(text)s", text=one.tasks)] if one.tasks else []
        else:
            words.append(str(one.state.label))
        facts.append(Fact(head, Cell("\n".join(words)), long=True))
    return Section(_("Brought before the leader"), facts=tuple(facts))


# A department's part


def part_facts(one: Assignment) -> Iterator[Fact]:
    """In whose hands it is, who opened it, how often it was urged, what was asked for and ruled."""
    if one.acknowledged_at is not None:
        text = _("%(who)s, %(at)s", who=one.acknowledged_by, at=exact(one.acknowledged_at))
        yield Fact(_("Alarm confirmed by"), Cell(text))
    hands = (
        one.taken_by.name if one.taken_by is not None else "",
        one.section,
        one.agency.short_name if one.agency is not None else "",
    )
    if any(hands):
        yield Fact(_("In whose hands"), Cell(" · ".join(filter(None, hands))))
    if one.opened_at is not None:
        who = one.opened_by.name if one.opened_by is not None else ""
        yield Fact(_("First opened"), Cell(_("%(who)s, %(at)s", who=who, at=exact(one.opened_at))))
    if one.urges and one.urged_at is not None:
        text = ngettext(
            "%(count)d time, last %(at)s",
            "%(count)d times, last %(at)s",
            one.urges,
            count=one.urges,
            at=exact(one.urged_at),
        )
        yield Fact(_("Urged"), Cell(text))
    if one.return_request is not None:
        yield from _returned(one.return_request)
    if one.extension is not None:
        yield from _extended(one.extension)


def _returned(request: ReturnRequest) -> Iterator[Fact]:
    cited = _("Checklist item cited: %(item)s", item=request.item.title) if request.item is not None else ""
    words = [request.reason, cited]
    if request.state in (ReturnState.upheld, ReturnState.rejected):
        words.append(_("%(ruling)s: %(text)s", ruling=request.state.label, text=request.ruling))
    else:
        words.append(str(request.state.label))
    yield Fact(_("Return request"), Cell("\n".join(filter(None, words))), long=True)


def _extended(extension: Extension) -> Iterator[Fact]:
    words = [_("until %(day)s: %(reason)s", day=day(extension.until), reason=extension.reason)]
    if extension.state in (ExtensionState.granted, ExtensionState.refused):
        words.append(_("%(ruling)s: %(text)s", ruling=extension.state.label, text=extension.answer).rstrip(": ："))
    else:
        words.append(str(extension.state.label))
    yield Fact(_("Extension"), Cell("\n".join(words)), long=True)


def dependent_titles(call: Call) -> dict[tuple[str, int], str]:
    """Names of what hangs on a call, for its timeline."""
    found: dict[tuple[str, int], str] = {}
    for one in call.assignments:
        found["assignment", one.id] = one.department.short_name
        for request in (one.return_request, one.extension):
            if request is not None:
                found[request.resource(), request.id] = f"{one.department.short_name} {request.label}"
    found |= {("milestone", milestone.id): milestone.text for milestone in call.milestones}
    found |= {("convening", meeting.id): meeting.place for meeting in call.convenings}
    for record in (*call.long_terms, *call.escalations):
        found[record.resource(), record.id] = str(record.label)
    return found
