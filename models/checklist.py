"""Responsibility checklists: versions, items, duties and the steps of each item's workflow (2.4)."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship, synonym, validates

from models import viewer
from models.base import (
    KEY,
    CountyRecord,
    Record,
    UtcDateTime,
    choice_type,
    column,
    person_reference,
    reference,
    state_column,
)
from models.field import Choice, FieldError, Text
from models.organisation import Organisation
from models.refusal import Conflict, Forbidden
from models.setting import setting
from models.workflow import State


class ChecklistLevel(Choice):
    province = "province", _l("Province")
    city = "city", _l("City")
    county = "county", _l("County")


class ChecklistState(State):
    draft = "draft", _l("Draft"), "waiting"
    approved = "approved", _l("Approved"), "going"
    in_force = "in_force", _l("In force"), "done"
    superseded = "superseded", _l("Superseded"), "muted", True


class OriginStatus(State):
    """What an item is to the list above from which its list was derived."""

    added = "added", _l("Added here"), "going"
    inherited = "inherited", _l("Taken over"), "others"
    adjusted = "adjusted", _l("Adjusted"), "going"
    removed = "removed", _l("Taken off"), "muted"


class DutyKind(Choice):
    primary = "primary", _l("Primary responsibility")
    cooperating = "cooperating", _l("Cooperating responsibility")


class StepUnit(Choice):
    """Units of a workflow step's time limit, as those of `models.worktime.Unit`."""

    working_days = "working_days", _l("working days")
    working_hours = "working_hours", _l("working hours")
    calendar_days = "calendar_days", _l("calendar days")
    minutes = "minutes", _l("minutes")


SCHEMES: tuple[tuple[str, Text], ...] = (
    ("territorial", _l("Territorial duties")),
    ("basic", _l("Basic duties")),
    ("cooperating", _l("Duties in cooperation")),
    ("reclaimed", _l("Duties taken back by the county")),
)
"""Kinds of lists that the program knows by name; a county adds others by the setting `checklist_schemes`."""


def schemes(record: Any) -> list[tuple[str, Text]]:
    """(identifier, label) of the kinds of lists in use where a record belongs."""
    session = sa.orm.object_session(record) if record is not None else None
    county_id = getattr(record, "county_id", None)
    if session is None or county_id is None:
        return list(SCHEMES)
    further = re.split(r"[、,，]", setting(session, county_id, "checklist_schemes"))
    return [*SCHEMES, *((name.strip()[:40], name.strip()[:40]) for name in further if name.strip())]


def body_of(person: viewer.Viewer) -> int | None:
    """The county or, above counties, the organisation in whose name this person keeps lists."""
    return person.county_id or person.organisation_id


_LEVELS = {"province": "province", "city": "city"}


class Checklist(CountyRecord):
    """A version of a list that says who is responsible for what. Once approved it never changes."""

    __table_args__ = (
        sa.Index("uq_checklist_edition", "owner_id", "scheme", "edition", unique=True),
        sa.Index(
            "uq_checklist_in_force",
            "owner_id",
            "scheme",
            unique=True,
            postgresql_where=sa.text("state = 'in_force'"),
            sqlite_where=sa.text("state = 'in_force'"),
        ),
    )
    label = _l("Checklist")
    plural = _l("Checklists")
    seen_by_all = True
    natural_key = ("owner", "scheme", "edition")

    name: Mapped[str] = column(_l("Name"), sa.String(120), listed=True, searched=True, nullable=False)
    level: Mapped[ChecklistLevel] = column(
        _l("Level"),
        choice_type(ChecklistLevel),
        listed=True,
        searched=True,
        nullable=False,
        prefill=lambda record, person: _LEVELS.get(person.organisation_kind, "county"),
    )
    scheme: Mapped[str] = column(
        _l("Kind of list"),
        sa.String(40),
        kind="choice",
        choices=schemes,
        nullable=False,
        default="territorial",
        prefill="territorial",
    )
    owner_id: Mapped[int] = reference(
        _l("Owner"),
        "organisation",
        nullable=False,
        only={"kind": ["province", "city", "county"]},
        prefill=lambda record, person: body_of(person),
        help=_l("The government whose list it is. Lists of a higher level are kept here as they were published."),
    )
    parent_id: Mapped[int | None] = reference(
        _l("Derived from"),
        "checklist",
        required=False,
        help=_l("The version of the higher level's list that this one starts from."),
    )
    previous_id: Mapped[int | None] = reference(_l("Previous version"), "checklist", required=False, editable=False)
    edition: Mapped[int] = column(_l("Version"), sa.Integer, listed=True, editable=False, nullable=False)
    state: Mapped[ChecklistState] = state_column(ChecklistState.draft)
    effective_from: Mapped[date | None] = column(_l("Effective from"), sa.Date, listed=True, required=False)
    effective_to: Mapped[date | None] = column(_l("Effective to"), sa.Date, required=False, editable=False)
    approved_at: Mapped[datetime | None] = column(_l("Approved at"), UtcDateTime, required=False, editable=False)
    approved_by_id: Mapped[int | None] = person_reference(_l("Approved by"), required=False, editable=False)
    signed_by: Mapped[str] = column(
        _l("Signed by"), sa.String(60), required=False, editable=False, nullable=False, default=""
    )
    decision: Mapped[str] = column(
        _l("Number of the decision"), sa.String(60), required=False, editable=False, nullable=False, default=""
    )

    owner: Mapped[Organisation] = relationship(foreign_keys=[owner_id])
    parent: Mapped[Checklist | None] = relationship(foreign_keys=[parent_id], remote_side="Checklist.id")
    previous: Mapped[Checklist | None] = relationship(foreign_keys=[previous_id], remote_side="Checklist.id")
    approved_by: Mapped[Any] = relationship("Person", foreign_keys=[approved_by_id])
    items: Mapped[list[ChecklistItem]] = relationship(
        back_populates="checklist", order_by="ChecklistItem.number", cascade="all, delete-orphan"
    )

    @classmethod
    def unsettled(cls) -> sa.ColumnElement[bool]:
        return cls.state == ChecklistState.draft

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Everyone signed in: own county and its ancestors (2.1, end)."""
        table = sa.inspect(cls).local_table
        return sa.select(table.c.id).where(table.c.owner_id.in_(person.lineage_ids | person.region_ids))

    @property
    def derived(self) -> bool:
        """Whether it is a county's list made from a list above: the county then writes workflow and local names only (2.4)."""
        return self.parent_id is not None and self.level == ChecklistLevel.county

    def prepare(self, session: Session, person: viewer.Viewer) -> None:
        super().prepare(session, person)
        if not person.has_role("checklist_manager"):
            raise Forbidden()
        self.county_id = self.county_id or person.organisation_id
        self.state = ChecklistState.draft

    def check_change(self, person: viewer.Viewer) -> None:
        check_draft(self, person)

    def check_delete(self, person: viewer.Viewer) -> None:
        check_draft(self, person)


def check_draft(checklist: Checklist, person: viewer.Viewer) -> None:
    """Raise Forbidden unless this person keeps the list, Conflict unless it is a draft: an approved version never changes (2.4)."""
    if not person.has_role("checklist_manager") or checklist.county_id != body_of(person):
        raise Forbidden()
    if checklist.state != ChecklistState.draft:
        raise Conflict(_l("An approved version never changes. Please begin a new version."))


def items_open(session: Session, checklist: Checklist) -> bool:
    """Whether matters and duties of this list may be changed by those who keep it, beside workflow and local names (2.4)."""
    return not checklist.derived or bool(setting(session, checklist.county_id, "county_changes_items"))


class ChecklistItem(CountyRecord):
    """A matter on a checklist, with the duties of each party and the steps of its workflow."""

    __table_args__ = (
        sa.UniqueConstraint("checklist_id", "number"),
        sa.CheckConstraint("origin_status <> 'removed' OR removed_reason <> ''", name="ck_checklist_item_removed"),
    )
    label = _l("Checklist item")
    plural = _l("Checklist items")
    seen_by_all = True
    natural_key = ("checklist", "number")
    parts = ("duties", "steps")

    checklist_id: Mapped[int] = reference(_l("Checklist"), "checklist", nullable=False, only={"state": "draft"})
    number: Mapped[int] = column(_l("Number"), sa.Integer, listed=True, nullable=False)
    field: Mapped[str] = column(_l("Field"), sa.String(40), listed=True, searched=True, nullable=False)
    name: Mapped[str] = column(_l("Matter"), sa.String(200), listed=True, searched=True, nullable=False)
    basis: Mapped[str] = column(_l("Legal basis"), sa.Text, required=False, nullable=False, default="")
    note: Mapped[str] = column(_l("Remark"), sa.Text, required=False, nullable=False, default="")
    origin_id: Mapped[int | None] = reference(_l("Comes from"), "checklist_item", required=False, editable=False)
    origin_status: Mapped[OriginStatus] = column(
        _l("Against the list above"),
        choice_type(OriginStatus),
        searched=True,
        editable=False,
        nullable=False,
        default=OriginStatus.added,
    )
    removed_reason: Mapped[str] = column(
        _l("Why taken off"), sa.Text, required=False, editable=False, nullable=False, default=""
    )
    root_id: Mapped[int | None] = mapped_column(KEY, sa.ForeignKey("checklist_item.id"), index=True)
    """The first item that this one descends from, over levels and versions: by it versions are compared. None for that item itself."""
    state: Mapped[OriginStatus] = synonym("origin_status")
    """An item's workflow (taking it off a derived list) runs over what it is to its origin."""

    checklist: Mapped[Checklist] = relationship(back_populates="items")
    origin: Mapped[ChecklistItem | None] = relationship(foreign_keys=[origin_id], remote_side="ChecklistItem.id")
    duties: Mapped[list[Duty]] = relationship(
        back_populates="item", order_by="Duty.position", cascade="all, delete-orphan"
    )
    steps: Mapped[list[WorkflowStep]] = relationship(
        back_populates="item", order_by="WorkflowStep.number", cascade="all, delete-orphan"
    )

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        table, visible = sa.inspect(cls).local_table, Checklist.visible_ids(person)
        return None if visible is None else sa.select(table.c.id).where(table.c.checklist_id.in_(visible))

    @classmethod
    def offered_to(cls, person: viewer.Viewer) -> sa.ColumnElement[bool] | None:
        """New records cite what is in force; old ones go on showing the text that was (C4). Whoever keeps lists works on drafts too."""
        states = [ChecklistState.in_force]
        if person.has_role("checklist_manager"):
            states.append(ChecklistState.draft)
        current = sa.select(Checklist.id).where(Checklist.state.in_(states))
        return sa.and_(cls.checklist_id.in_(current), cls.origin_status != OriginStatus.removed)

    @property
    def thread(self) -> Record:
        return self.checklist

    @property
    def root(self) -> int:
        return self.root_id or self.id

    @property
    def choice_title(self) -> str:
        return f"{self.number}. {self.name}"

    @property
    def choice_hint(self) -> str:
        return self.field

    def check_change(self, person: viewer.Viewer) -> None:
        check_draft(self.checklist, person)

    def check_delete(self, person: viewer.Viewer) -> None:
        check_draft(self.checklist, person)
        if self.origin_id is not None or self.root_id is not None:
            raise Conflict(_l("A matter that was taken over stays on the list; take it off with the reason instead."))


class Line(CountyRecord):
    """A line of a checklist item: a duty or a step. It stands and falls with its list."""

    __abstract__ = True
    seen_by_all = True

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        table, visible = sa.inspect(cls).local_table, ChecklistItem.visible_ids(person)
        return None if visible is None else sa.select(table.c.id).where(table.c.item_id.in_(visible))

    @classmethod
    def unsettled(cls) -> sa.ColumnElement[bool]:
        """An approved list keeps the names under which it was approved; only drafts are handed on."""
        item, checklist = sa.inspect(ChecklistItem).local_table, sa.inspect(Checklist).local_table
        drafts = sa.select(item.c.id).join(checklist, checklist.c.id == item.c.checklist_id)
        of_drafts: sa.ColumnElement[bool] = cls.item_id.in_(
            drafts.where(checklist.c.state == ChecklistState.draft.value)
        )
        return of_drafts

    @property
    def thread(self) -> Record:
        return self._item.checklist

    @property
    def _item(self) -> ChecklistItem:
        item: ChecklistItem = self.item  # every line has its item
        return item

    def check_change(self, person: viewer.Viewer) -> None:
        check_draft(self._item.checklist, person)

    def check_delete(self, person: viewer.Viewer) -> None:
        check_draft(self._item.checklist, person)


class Duty(Line):
    """What one party must do for an item. A party whose name matches no organisation stays as text and is listed to be resolved."""

    label = _l("Duty")
    plural = _l("Duties")

    item_id: Mapped[int] = reference(_l("Checklist item"), "checklist_item", listed=True, nullable=False)
    position: Mapped[int] = column(_l("Order"), sa.Integer, required=False, nullable=False, default=0)
    kind: Mapped[DutyKind] = column(_l("Kind"), choice_type(DutyKind), listed=True, searched=True, nullable=False)
    organisation_id: Mapped[int | None] = reference(
        _l("Organisation"),
        "organisation",
        required=False,
        listed=True,
        searched=True,
        help=_l("Which organisation of the county the written party is."),
    )
    party: Mapped[str] = column(_l("Party as written"), sa.String(200), listed=True, searched=True, nullable=False)
    text: Mapped[str] = column(_l("Duty"), sa.Text, listed=True, nullable=False)

    item: Mapped[ChecklistItem] = relationship(back_populates="duties")
    organisation: Mapped[Organisation | None] = relationship(foreign_keys=[organisation_id])

    @property
    def title(self) -> str:
        return f"{self.party}：{self.text}"

    def check_delete(self, person: viewer.Viewer) -> None:
        super().check_delete(person)
        session = sa.orm.object_session(self)
        if session is not None and not items_open(session, self.item.checklist):
            raise Forbidden(COUNTY_WRITES)


COUNTY_WRITES = _l(
    "The county writes the workflow and its own departments' names only; matters and duties are adjusted by the city."
)


class WorkflowStep(Line):
    """A step of an item's workflow: the “construction drawing” of who does what, by when, from what, to what (C3)."""

    __table_args__ = (
        sa.UniqueConstraint("item_id", "number"),
        sa.CheckConstraint("(time_limit IS NULL) = (time_unit IS NULL)", name="ck_workflow_step_limit"),
        sa.CheckConstraint("time_limit IS NULL OR time_limit > 0", name="ck_workflow_step_limit_positive"),
    )
    label = _l("Workflow step")
    plural = _l("Workflow steps")
    natural_key = ("item", "number")

    item_id: Mapped[int] = reference(_l("Checklist item"), "checklist_item", listed=True, nullable=False)
    number: Mapped[int] = column(_l("Number"), sa.Integer, listed=True, nullable=False)
    name: Mapped[str] = column(_l("Step"), sa.String(120), listed=True, searched=True, nullable=False)
    party: Mapped[str] = column(_l("Responsible party"), sa.String(200), listed=True, nullable=False)
    organisation_id: Mapped[int | None] = reference(_l("Organisation"), "organisation", required=False)
    time_limit: Mapped[int | None] = column(_l("Time limit"), sa.Integer, listed=True, required=False)
    time_unit: Mapped[StepUnit | None] = column(
        _l("Unit of the limit"), choice_type(StepUnit), listed=True, required=False
    )
    input: Mapped[str] = column(_l("What goes in"), sa.Text, required=False, nullable=False, default="")
    output: Mapped[str] = column(_l("What comes out"), sa.Text, required=False, nullable=False, default="")
    next_steps: Mapped[str] = column(
        _l("Next steps"),
        sa.String(60),
        required=False,
        nullable=False,
        default="",
        help=_l(
            "Numbers of the steps that follow, such as “3、5”. Empty: the next number; “0”: the workflow ends here."
        ),
    )

    item: Mapped[ChecklistItem] = relationship(back_populates="steps")
    organisation: Mapped[Organisation | None] = relationship(foreign_keys=[organisation_id])

    @validates("next_steps")
    def _check_next_steps(self, key: str, value: str) -> str:
        """Raises FieldError for anything but numbers."""
        if value and not re.fullmatch(r"\d{1,4}(\s*[、,，]\s*\d{1,4})*", value):
            raise FieldError(_l("Please enter numbers of steps, such as “3、5”."))
        return value

    @validates("time_limit", "number")
    def _check_positive(self, key: str, value: int | None) -> int | None:
        """Raises FieldError for a number that counts nothing."""
        if value is not None and value < 1:
            raise FieldError(_l("Please enter a number from 1 on."))
        return value

    @property
    def following(self) -> tuple[int, ...]:
        """Numbers of the steps that follow; empty at the end."""
        if self.next_steps:
            return tuple(number for one in re.findall(r"\d+", self.next_steps) if (number := int(one)))
        later = sorted(one.number for one in self.item.steps if one.number > self.number)
        return tuple(later[:1])

    @property
    def title(self) -> str:
        return f"{self.number}. {self.name}"


def suggested_departments(item: ChecklistItem) -> list[Organisation]:
    """The county departments that a cited item makes responsible, in order of its duties; the first is the suggested lead."""
    found: list[Organisation] = []
    for duty in item.duties:
        if duty.kind == DutyKind.primary and duty.organisation is not None and duty.organisation not in found:
            found.append(duty.organisation)
    return found
