"""Checklists, their items with duties and workflow, and what tells two versions apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from flask import render_template, request
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload, selectinload

from app.database import db
from app.portal.frame import Entry
from app.portal.listing import TabSpec
from app.portal.page import Button, Cell, Column, Fact, Link, RecordPage, Row, Section
from app.portal.record.declared import number
from app.portal.record_view import Failed, RecordView
from app.portal.words import pill
from models.base import fields_of
from models.checklist import (
    Checklist,
    ChecklistItem,
    ChecklistState,
    Duty,
    OriginStatus,
    WorkflowStep,
    check_draft,
    items_open,
)
from models.checklist_comparison import Comparison, DutyChange, compare, difference, open_calls_citing
from models.person import ROLES
from models.refusal import NotFound, Refused
from models.viewer import Viewer
from models.workflow import load_visible

EVERYONE = frozenset(ROLES)
MANAGERS = frozenset({"checklist_manager"})
ALL_METHODS = frozenset({"list", "show", "add", "edit", "delete"})


def keeps(checklist: Checklist, person: Viewer) -> bool:
    """Whether this person may work on a list now."""
    try:
        check_draft(checklist, person)
    except Refused:
        return False
    return True


class ChecklistView(RecordView):
    model = Checklist
    readers = EVERYONE
    unrelated = frozenset({"checklist_item"})
    writers = MANAGERS
    rest_methods = ALL_METHODS
    group = "checklists"
    columns = ("name", "owner", "scheme", "edition", "state", "effective_from")

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        found = [
            TabSpec("in_force", _("In force"), Checklist.state == ChecklistState.in_force),
            TabSpec("all", _("All versions")),
        ]
        if person.has_role("checklist_manager", "county_leader", "office_director"):
            waiting = Checklist.state.in_((ChecklistState.draft, ChecklistState.approved))
            found.insert(1, TabSpec("coming", _("Coming versions"), waiting))
        return tuple(found)

    def buttons(self, person: Viewer) -> tuple[Button, ...]:
        items = self.appbuilder.view_of("checklist_item").url("list")
        return (*super().buttons(person), Button(_("Search all matters"), items, icon="search"))

    def record_buttons(self, record: Checklist, person: Viewer) -> tuple[Button, ...]:
        found = list(super().record_buttons(record, person))
        if keeps(record, person) and items_open(db.session(), record):
            add = self.appbuilder.view_of("checklist_item").url("add", checklist=record.id)
            found.insert(0, Button(_("Add a matter"), add, icon="plus"))
        return tuple(found)

    def after_step(self, pk: int) -> str:
        """A derived version is what one goes on with."""
        if request.view_args is not None and request.view_args.get("name") == "derive":
            made = sa.select(sa.func.max(Checklist.id)).where(Checklist.created_by_id == self.person().person_id)
            return self.url("show", pk=db.session.scalar(made) or pk)
        return super().after_step(pk)

    def record_page(self, record: Checklist, failed: Failed | None) -> RecordPage:
        """The whole list on its page: number, field, matter, and what each is to the list above."""
        page = super().record_page(record, failed)
        items = db.session.scalars(
            sa.select(ChecklistItem).where(ChecklistItem.checklist_id == record.id).order_by(ChecklistItem.number)
        ).all()
        return replace(
            page,
            number=_("Version %(edition)d", edition=record.edition),
            main_sections=(self._matters(record, items), *page.main_sections),
            sections=(*page.sections, *self._versions(record)),
        )

    def _matters(self, record: Checklist, items: Sequence[ChecklistItem]) -> Section:
        view = self.appbuilder.view_of("checklist_item")
        derived = record.parent_id is not None
        rows = []
        for item in items:
            cells = [
                Cell(str(item.number), number=True),
                Cell(item.field),
                Cell(item.name, url=view.url("show", pk=item.id)),
            ]
            if derived or item.origin_status == OriginStatus.removed:
                cells.append(Cell(pill=pill(item.origin_status), hint=item.removed_reason))
            elif any(one.origin_status == OriginStatus.removed for one in items):
                cells.append(Cell())
            rows.append(Row(str(item.id), view.url("show", pk=item.id), tuple(cells), item.name))
        columns = [Column("number", _("Number"), number=True), Column("field", _("Field")), Column("name", _("Matter"))]
        if rows and len(rows[0].cells) > len(columns):
            columns.append(Column("origin", _("Against the list above")))
        return Section(_("Matters"), columns=tuple(columns), rows=tuple(rows), empty=_("No matters yet."))

    def _versions(self, record: Checklist) -> tuple[Section, ...]:
        """Other versions of the list and of the list above, each with what differs."""
        lists = sa.select(Checklist).options(joinedload(Checklist.owner)).where(Checklist.id != record.id)
        same = sa.and_(Checklist.owner_id == record.owner_id, Checklist.scheme == record.scheme)
        if record.parent is not None:
            above = record.parent
            same = sa.or_(same, sa.and_(Checklist.owner_id == above.owner_id, Checklist.scheme == above.scheme))
        found = db.session.scalars(lists.where(same).order_by(Checklist.owner_id, Checklist.edition.desc())).all()
        if not found:
            return ()
        rows = tuple(
            Row(
                str(one.id),
                self.url("show", pk=one.id),
                (
                    Cell(
                        _("%(owner)s, version %(edition)d", owner=one.owner.short_name, edition=one.edition),
                        url=self.url("show", pk=one.id),
                    ),
                    Cell(pill=pill(one.state)),
                    Cell(_("Compare"), url=self._compare_url(record, one)),
                ),
                one.title,
            )
            for one in found
        )
        drift = self._drift(record, found)
        columns = (Column("version", _("Version")), Column("state", _("State")), Column("compare", _("Differences")))
        return (*drift, Section(_("Other versions"), columns=columns, rows=rows))

    def _compare_url(self, record: Checklist, other: Checklist) -> str:
        """From the older to the newer; from the list above to the list derived from it."""
        older_first = other.owner_id != record.owner_id or other.edition < record.edition
        old, new = (other, record) if older_first else (record, other)
        return self.url("compare", old=old.id, new=new.id)

    def _drift(self, record: Checklist, found: Sequence[Checklist]) -> tuple[Section, ...]:
        """The list above has a newer version than the one that this list starts from."""
        above = record.parent
        newer = [
            one
            for one in found
            if above is not None
            and one.owner_id == above.owner_id
            and one.scheme == above.scheme
            and one.edition > above.edition
            and one.state != ChecklistState.draft
        ]
        if above is None or not newer:
            return ()
        url = self.url("compare", old=above.id, new=newer[0].id)
        text = _("Version %(edition)d: see what changed", edition=newer[0].edition)
        return (
            Section(_("The list above has changed"), facts=(Fact(newer[0].owner.short_name, Cell(text, url=url)),)),
        )

    # Compare

    @expose("/compare")
    def compare(self) -> Any:
        """Two versions side by side: `old` and `new` name them."""
        self.demand("can_show")
        old, new = (self._side(name) for name in ("old", "new"))
        found = compare(old.items, new.items)
        page = RecordPage(
            title=_("What changed"),
            kind=str(Checklist.label),
            body=() if not found.empty else (Fact(_("Differences"), Cell(_("The two versions say the same."))),),
            facts=(
                Fact(_("From version"), Cell(_edition(old), url=self.url_of(old))),
                Fact(_("To"), Cell(_edition(new), url=self.url_of(new))),
            ),
            main_sections=self._differences(found),
            crumbs=(Link(str(Checklist.plural), self.url("list")), Link(new.title, self.url_of(new))),
        )
        return render_template("record.html", page=page, frame_active=(self.group, ""))

    def _side(self, name: str) -> Checklist:
        key = number(request.args.get(name, ""))
        if key is None:
            raise NotFound()
        options = (
            selectinload(Checklist.items).selectinload(ChecklistItem.duties),
            joinedload(Checklist.owner),
        )
        found: Checklist = load_visible(db.session(), Checklist, key, options)
        return found

    def _differences(self, found: Comparison) -> tuple[Section, ...]:
        item_url = self.appbuilder.view_of("checklist_item").url
        sections = [
            Section(
                title,
                columns=(
                    Column("number", _("Number"), number=True),
                    Column("field", _("Field")),
                    Column("m", _("Matter")),
                ),
                rows=tuple(
                    Row(
                        str(one.id),
                        item_url("show", pk=one.id),
                        (
                            Cell(str(one.number), number=True),
                            Cell(one.field),
                            Cell(one.name, url=item_url("show", pk=one.id)),
                        ),
                        one.name,
                    )
                    for one in items
                ),
            )
            for title, items in ((_("Added"), found.added), (_("Taken off"), found.removed))
            if items
        ]
        if found.renamed:
            rows = tuple(
                Row(
                    str(one.new.id),
                    item_url("show", pk=one.new.id),
                    (Cell(str(one.new.number), number=True), Cell(one.old.name), Cell(one.new.name)),
                    one.new.name,
                )
                for one in found.renamed
            )
            columns = (Column("number", _("Number"), number=True), Column("old", _("Before")), Column("new", _("Now")))
            sections.append(Section(_("Renamed"), columns=columns, rows=rows))
        for change in found.duties_changed:
            facts = tuple(
                Fact(f"{one.party}（{one.kind.label}）", Cell(in_words(one)), long=True) for one in change.duties
            )
            sections.append(Section(_("Duties changed: %(matter)s", matter=change.new.choice_title), facts=facts))
        return (*sections, *self._calls(found))

    def _calls(self, found: Comparison) -> tuple[Section, ...]:
        """Open calls that cite what changed: they go on showing the text that was in force."""
        if not self.person().may("can_list", "Call"):
            return ()
        view = self.appbuilder.view_of("call")
        rows = tuple(
            Row(
                str(call.id),
                view.url("show", pk=call.id),
                (
                    Cell(call.number or "", url=view.url("show", pk=call.id)),
                    Cell(call.title),
                    Cell(pill=pill(call.state)),
                ),
                call.title,
            )
            for call in open_calls_citing(db.session(), found.touched)
        )
        columns = (Column("number", _("Number")), Column("title", _("Call")), Column("state", _("State")))
        title = _("Open calls that cite what changed")
        return (Section(title, columns=columns, rows=rows, empty=_("No open call cites any of it.")),)


def _edition(checklist: Checklist) -> str:
    return _("%(name)s, version %(edition)d", name=checklist.name, edition=checklist.edition)


def in_words(change: DutyChange) -> str:
    """A change of a duty's text by words: what went and what came, in brackets."""
    marks = {"same": "{}", "removed": _("[removed: {}]"), "added": _("[added: {}]")}
    return "".join(marks[piece.kind].format(piece.text) for piece in difference(change.old, change.new))


class ChecklistItemView(RecordView):
    model = ChecklistItem
    readers = EVERYONE
    writers = MANAGERS
    rest_methods = ALL_METHODS
    group = "checklists"
    columns = ("number", "field", "name", "checklist")

    def navigation(self) -> tuple[Entry, ...]:
        """Matters are reached from their list."""
        return ()

    def load_options(self) -> Sequence[Any]:
        return [joinedload(ChecklistItem.checklist)]

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        in_force = sa.select(Checklist.id).where(Checklist.state == ChecklistState.in_force)
        return (
            TabSpec("in_force", _("In force"), ChecklistItem.checklist_id.in_(in_force)),
            TabSpec("all", _("All versions")),
        )

    def form_fields(self, record: ChecklistItem) -> dict[str, Any]:
        """On a list derived from the city's the county writes the lines below, not the matter; an item never changes its list."""
        found = super().form_fields(record)
        if record.id is None:
            return found
        found.pop("checklist", None)
        return found if items_open(db.session(), record.checklist) else {}

    def record_page(self, record: ChecklistItem, failed: Failed | None) -> RecordPage:
        """Who is responsible for what, in the words of the list; then the steps, who does what by when."""
        page = super().record_page(record, failed)
        duties = tuple(
            Fact(f"{duty.party}（{duty.kind.label}）", Cell(duty.text, url=self._line_url(duty)), long=True)
            for duty in record.duties
        )
        derived = record.origin_status != OriginStatus.added or record.checklist.parent_id is not None
        return replace(
            page,
            pill=page.pill if derived else None,
            body=(*duties, *page.body),
            number=_("Item %(number)d", number=record.number),
            main_sections=(*self._steps(record), *page.main_sections),
        )

    def facts(self, record: Any) -> tuple[Fact, ...]:
        """What the head of the page does not say already."""
        said = {str(fields_of(ChecklistItem)[name].label) for name in ("number", "name", "origin_status")}
        return tuple(fact for fact in super().facts(record) if fact.label not in said)

    def _line_url(self, line: Duty | WorkflowStep) -> str:
        """The line's own page, for whoever may work on it."""
        return self.page_url(line.resource(), line.id) if keeps(line.item.checklist, self.person()) else ""

    def _steps(self, record: ChecklistItem) -> tuple[Section, ...]:
        if not record.steps:
            return ()
        rows = tuple(
            Row(
                str(step.id),
                self._line_url(step),
                (
                    Cell(str(step.number), number=True),
                    Cell(step.name, url=self._line_url(step)),
                    Cell(step.party),
                    Cell(limit_text(step)),
                    Cell(step.input),
                    Cell(step.output),
                    Cell("、".join(str(one) for one in step.following) or _("end")),
                ),
                step.name,
            )
            for step in record.steps
        )
        columns = (
            Column("number", _("Number"), number=True),
            Column("name", _("Step")),
            Column("party", _("Responsible party")),
            Column("limit", _("Time limit")),
            Column("input", _("What goes in")),
            Column("output", _("What comes out")),
            Column("next", _("Next steps")),
        )
        return (Section(_("Workflow"), columns=columns, rows=rows),)

    def record_buttons(self, record: ChecklistItem, person: Viewer) -> tuple[Button, ...]:
        found = list(super().record_buttons(record, person))
        if keeps(record.checklist, person):
            step = self.appbuilder.view_of("workflow_step").url("add", item=record.id)
            found.insert(0, Button(_("Add a step"), step, icon="plus"))
            if items_open(db.session(), record.checklist):
                duty = self.appbuilder.view_of("duty").url("add", item=record.id)
                found.insert(0, Button(_("Add a duty"), duty, icon="plus"))
        if person.may("can_add", "Call") and record.checklist.state == ChecklistState.in_force:
            call = self.appbuilder.view_of("call").url("add", checklist_item=record.id)
            found.append(Button(_("Raise a call citing this item"), call, icon="speakerphone"))
        return tuple(found)


def limit_text(step: WorkflowStep) -> str:
    """A step's time limit in words; empty where there is none."""
    if step.time_limit is None or step.time_unit is None:
        return ""
    return _("%(amount)d %(unit)s", amount=step.time_limit, unit=step.time_unit.label)


class DutyView(RecordView):
    """Duties one by one; above all those whose party is still to be resolved."""

    model = Duty
    readers = EVERYONE
    writers = MANAGERS
    rest_methods = ALL_METHODS
    group = "checklists"
    columns = ("party", "organisation", "item", "kind", "text")

    def navigation(self) -> tuple[Entry, ...]:
        label = _l("Parties to be resolved")
        return (Entry(label, "DutyView.list", "Duty", "unresolved", MANAGERS),)

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        """Townships in general are no single organisation and need no resolving."""
        found = [TabSpec("all", _("All duties"))]
        if person.has_role("checklist_manager"):
            wanted = sa.and_(
                Duty.organisation_id.is_(None),
                Duty.party.not_like("乡镇%"),
                Duty.item_id.in_(
                    sa.select(ChecklistItem.id)
                    .join(Checklist, Checklist.id == ChecklistItem.checklist_id)
                    .where(
                        Checklist.state.in_((ChecklistState.draft, ChecklistState.approved, ChecklistState.in_force)),
                        ChecklistItem.origin_status != OriginStatus.removed,
                    )
                ),
            )
            found.insert(0, TabSpec("unresolved", _("To be resolved"), wanted))
        return tuple(found)

    def form_fields(self, record: Duty) -> dict[str, Any]:
        """A county names its own departments on a list derived from the city's; the rest is the city's."""
        found = super().form_fields(record)
        if record.id is None:
            return found
        found.pop("item", None)
        if items_open(db.session(), record.item.checklist):
            return found
        return {name: asked for name, asked in found.items() if name in ("organisation", "party")}


class WorkflowStepView(RecordView):
    """Steps of an item's workflow; they are read on the item's page."""

    model = WorkflowStep
    readers = EVERYONE
    writers = MANAGERS
    rest_methods = ALL_METHODS
    columns = ("item", "number", "name", "party", "time_limit", "time_unit")

    def form_fields(self, record: WorkflowStep) -> dict[str, Any]:
        found = super().form_fields(record)
        if record.id is not None:
            found.pop("item", None)
        return found
