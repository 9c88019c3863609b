"""Responsibility checklists: versions, items and duties (2.4)."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, Session, relationship

from models import viewer
from models.base import CountyRecord, Record, choice_type, column, reference
from models.field import Choice
from models.organisation import Organisation, find_by_name
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


class DutyKind(Choice):
    primary = "primary", _l("Primary responsibility")
    cooperating = "cooperating", _l("Cooperating responsibility")


class Checklist(CountyRecord):
    """A version of a list that says who is responsible for what."""

    __table_args__ = (
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

    name: Mapped[str] = column(_l("Name"), sa.String(120), listed=True, searched=True, nullable=False)
    level: Mapped[ChecklistLevel] = column(_l("Level"), choice_type(ChecklistLevel), listed=True, nullable=False)
    scheme: Mapped[str] = column(_l("Scheme"), sa.String(40), nullable=False, default="territorial")
    owner_id: Mapped[int] = reference(_l("Owner"), "organisation", nullable=False)
    edition: Mapped[int] = column(_l("Version"), sa.Integer, listed=True, nullable=False, default=1)
    state: Mapped[ChecklistState] = column(
        _l("State"),
        choice_type(ChecklistState),
        listed=True,
        editable=False,
        nullable=False,
        default=ChecklistState.draft,
    )
    effective_from: Mapped[date | None] = column(_l("Effective from"), sa.Date, listed=True, required=False)
    effective_to: Mapped[date | None] = column(_l("Effective to"), sa.Date, required=False)

    owner: Mapped[Organisation] = relationship(foreign_keys=[owner_id])
    items: Mapped[list[ChecklistItem]] = relationship(
        back_populates="checklist", order_by="ChecklistItem.number", cascade="all, delete-orphan"
    )

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Everyone signed in: own county and its ancestors (2.1, end)."""
        table = sa.inspect(cls).local_table
        return sa.select(table.c.id).where(table.c.owner_id.in_(person.lineage_ids | person.region_ids))


class ChecklistItem(CountyRecord):
    """A matter on a checklist, with the duties of each party."""

    __table_args__ = (sa.UniqueConstraint("checklist_id", "number"),)
    label = _l("Checklist item")
    plural = _l("Checklist items")
    natural_key = ("checklist", "number")

    checklist_id: Mapped[int] = reference(_l("Checklist"), "checklist", nullable=False)
    number: Mapped[int] = column(_l("Number"), sa.Integer, listed=True, nullable=False)
    field: Mapped[str] = column(_l("Field"), sa.String(40), listed=True, searched=True, nullable=False)
    name: Mapped[str] = column(_l("Matter"), sa.String(200), listed=True, searched=True, nullable=False)
    basis: Mapped[str] = column(_l("Legal basis"), sa.Text, required=False, nullable=False, default="")
    note: Mapped[str] = column(_l("Remark"), sa.Text, required=False, nullable=False, default="")

    checklist: Mapped[Checklist] = relationship(back_populates="items")
    duties: Mapped[list[Duty]] = relationship(
        back_populates="item", order_by="Duty.position", cascade="all, delete-orphan"
    )

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        table, visible = sa.inspect(cls).local_table, Checklist.visible_ids(person)
        return None if visible is None else sa.select(table.c.id).where(table.c.checklist_id.in_(visible))

    @property
    def thread(self) -> Record:
        return self.checklist

    @property
    def choice_title(self) -> str:
        return f"{self.number}. {self.name}"

    @property
    def choice_hint(self) -> str:
        return self.field


class Duty(CountyRecord):
    """What one party must do for an item. A party whose name matches no organisation stays as text and is listed to be resolved."""

    label = _l("Duty")
    plural = _l("Duties")

    item_id: Mapped[int] = reference(_l("Checklist item"), "checklist_item", nullable=False)
    position: Mapped[int] = column(_l("Order"), sa.Integer, nullable=False, default=0)
    kind: Mapped[DutyKind] = column(_l("Kind"), choice_type(DutyKind), listed=True, nullable=False)
    organisation_id: Mapped[int | None] = reference(_l("Organisation"), "organisation", required=False)
    party: Mapped[str] = column(_l("Party as written"), sa.String(200), listed=True, nullable=False)
    text: Mapped[str] = column(_l("Duty"), sa.Text, listed=True, nullable=False)

    item: Mapped[ChecklistItem] = relationship(back_populates="duties")
    organisation: Mapped[Organisation | None] = relationship(foreign_keys=[organisation_id])

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        table, visible = sa.inspect(cls).local_table, ChecklistItem.visible_ids(person)
        return None if visible is None else sa.select(table.c.id).where(table.c.item_id.in_(visible))

    @property
    def thread(self) -> Record:
        return self.item.checklist

    @property
    def title(self) -> str:
        return f"{self.party}：{self.text}"


TOWNSHIPS = "乡镇（街道）"
_TOWNSHIP_PRIMARY = "（乡镇为法定主责）"


def import_items(session: Session, checklist: Checklist, items: list[dict[str, Any]]) -> list[Duty]:
    """Add items in the form of the compiled list (`number, field, name, primary [{dept, duty}], cooperating, basis,
    note`) to a draft; gives the unresolved duties.

    A department's name that is an exact name or known alias becomes a link; several joined by 、 are split only when
    each is known; everything else stays as text.
    """
    unresolved = []
    for entry in items:
        item = ChecklistItem(
            county_id=checklist.county_id,
            checklist=checklist,
            number=entry["number"],
            field=entry["field"],
            name=entry["name"],
            basis=entry.get("basis", ""),
            note=entry.get("note", ""),
        )
        session.add(item)
        for party in entry["primary"]:
            parties = _resolve(session, checklist.county_id, party["dept"])
            for name, organisation in parties:
                duty = _duty(item, DutyKind.primary, name, party["duty"], organisation)
                if organisation is None:
                    unresolved.append(duty)
        cooperating = entry["cooperating"]
        if cooperating.startswith(_TOWNSHIP_PRIMARY):
            _duty(item, DutyKind.primary, TOWNSHIPS, cooperating.removeprefix(_TOWNSHIP_PRIMARY), None)
        else:
            _duty(item, DutyKind.cooperating, TOWNSHIPS, cooperating, None)
    session.flush()
    return unresolved


def _duty(item: ChecklistItem, kind: DutyKind, party: str, text: str, organisation: Organisation | None) -> Duty:
    duty = Duty(
        county_id=item.county_id,
        position=len(item.duties) + 1,
        kind=kind,
        party=party,
        text=text,
        organisation=organisation,
    )
    item.duties.append(duty)
    return duty


def _resolve(session: Session, county_id: int, written: str) -> list[tuple[str, Organisation | None]]:
    whole = find_by_name(session, county_id, written)
    if whole is not None:
        return [(written, whole)]
    names = re.split("、", written)
    parts = [(name, find_by_name(session, county_id, name)) for name in names]
    if len(parts) > 1 and all(organisation is not None for _name, organisation in parts):
        return list(parts)
    return [(written, None)]


def suggested_departments(item: ChecklistItem) -> list[Organisation]:
    """The county departments that a cited item makes responsible, in order of its duties; the first is the suggested lead."""
    found: list[Organisation] = []
    for duty in item.duties:
        if duty.kind == DutyKind.primary and duty.organisation is not None and duty.organisation not in found:
            found.append(duty.organisation)
    return found
